/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages to Kerberos through LsaCallAuthenticationPackage ([H ntsecapi.h], [D KERB_...] the pages
 * of the structures) over a KDC that kerberos_tickets.sh has started: the argument is its realm, of
 * which the host's cache has a ticket-granting ticket for alice, and which has the service
 * HTTP/barn. Without it what needs tickets is skipped.
 */
#include "ssp/abi.h"

#include "support.h"

#include <stddef.h>

static wchar_t realm[64];
static HANDLE lsa, trusted;
static ULONG package;

static bool has_kdc(void)
{
    if (*realm) return true;
    skip_case("no KDC (started by tests/api/kerberos_tickets.sh)");
    return false;
}

/* A message: a structure, and the texts behind it. */
struct message {
    union {
        ULONG kind;
        KERB_QUERY_TKT_CACHE_REQUEST query;
        KERB_RETRIEVE_TKT_REQUEST retrieve;
        KERB_PURGE_TKT_CACHE_REQUEST purge;
        KERB_PURGE_TKT_CACHE_EX_REQUEST purge_ex;
        KERB_CHANGEPASSWORD_REQUEST change;
        KERB_SETPASSWORD_REQUEST set;
        BYTE bytes[160];
    };
    wchar_t room[128];
    ULONG used;
};

static void message_open(struct message *m, ULONG kind)
{
    memset(m, 0, sizeof(*m));
    m->kind = kind;
}

static void message_text(struct message *m, UNICODE_STRING *out, const wchar_t *text)
{
    USHORT size = (USHORT)(lstrlenW(text) * sizeof(wchar_t));
    *out = (UNICODE_STRING){size, size, m->room + m->used};
    memcpy(m->room + m->used, text, size);
    m->used += size / sizeof(wchar_t);
}

static ULONG message_size(const struct message *m)
{
    return (ULONG)(offsetof(struct message, room) + m->used * sizeof(wchar_t));
}

struct answer {
    NTSTATUS status, protocol;
    void *block;
    ULONG size;
};

static NTSTATUS call_by(HANDLE connection, void *bytes, ULONG size, struct answer *out)
{
    *out = (struct answer){.protocol = 0x55};
    out->status = LsaCallAuthenticationPackage(connection, package, bytes, size, &out->block,
                                               &out->size, &out->protocol);
    return out->status ? out->status : out->protocol;
}

static void answer_free(struct answer *answer)
{
    if (answer->block) LsaFreeReturnBuffer(answer->block);
}

/* For messages without an answer. */
static NTSTATUS tell_by(HANDLE connection, struct message *m)
{
    struct answer answer;
    NTSTATUS status = call_by(connection, m, message_size(m), &answer);
    ok(!answer.block && !answer.size, "an answer of %lu bytes", answer.size);
    ok(!answer.status, "the call: %08lx", answer.status);
    answer_free(&answer);
    return status;
}

static bool inside(const struct answer *answer, const void *at, size_t size)
{
    return (const BYTE *)at >= (BYTE *)answer->block &&
           (const BYTE *)at + size <= (BYTE *)answer->block + answer->size;
}

static bool text_is(const struct answer *answer, const UNICODE_STRING *text, const wchar_t *wanted)
{
    return text->Length == lstrlenW(wanted) * sizeof(wchar_t) &&
           inside(answer, text->Buffer, text->Length) &&
           !memcmp(text->Buffer, wanted, text->Length);
}

static const wchar_t *granting(void)
{
    static wchar_t name[80];
    lstrcpyW(name, L"krbtgt/");
    lstrcatW(name, realm);
    return name;
}

/* ---- what there is ---- */

/* Tickets of the caller's own; ~0 on failure. */
static ULONG count(void)
{
    KERB_QUERY_TKT_CACHE_REQUEST request = {.MessageType = KerbQueryTicketCacheMessage};
    struct answer answer;
    NTSTATUS status = call_by(lsa, &request, sizeof(request), &answer);
    KERB_QUERY_TKT_CACHE_RESPONSE *response = answer.block;
    ULONG found = ~0u;
    if (ok(!status && response, "query: %08lx", status)) found = response->CountOfTickets;
    answer_free(&answer);
    return found;
}

/* [W8 secur32.c:478-486] a success, and the number of the message; [D KERB_TICKET_CACHE_INFO] */
static void test_query(void)
{
    KERB_QUERY_TKT_CACHE_REQUEST request = {.MessageType = KerbQueryTicketCacheMessage};
    struct answer answer;
    FILETIME now;
    NTSTATUS status = call_by(lsa, &request, sizeof(request), &answer);
    KERB_QUERY_TKT_CACHE_RESPONSE *response = answer.block;
    if (!ok(!status && response, "status %08lx", status)) return;
    ok(response->MessageType == KerbQueryTicketCacheMessage, "type %d", response->MessageType);
    if (*realm && ok(response->CountOfTickets == 1, "%lu tickets", response->CountOfTickets)) {
        const KERB_TICKET_CACHE_INFO *ticket = response->Tickets;
        GetSystemTimeAsFileTime(&now);
        LONGLONG time = (LONGLONG)now.dwHighDateTime << 32 | now.dwLowDateTime;
        ok(text_is(&answer, &ticket->ServerName, granting()), "server");
        ok(text_is(&answer, &ticket->RealmName, realm), "realm");
        ok(ticket->StartTime.QuadPart <= time && ticket->EndTime.QuadPart > time, "times");
        ok(ticket->EncryptionType == KERB_ETYPE_AES256_CTS_HMAC_SHA1_96, "type %ld",
           ticket->EncryptionType);
        ok(ticket->TicketFlags & KERB_TICKET_FLAGS_initial, "flags %#lx", ticket->TicketFlags);
        ok(ticket->TicketFlags & KERB_TICKET_FLAGS_forwardable, "flags %#lx", ticket->TicketFlags);
        /* [D KERB_TICKET_CACHE_INFO] a time of a renewable one */
        bool renews = ticket->TicketFlags & KERB_TICKET_FLAGS_renewable;
        ok(renews == (ticket->RenewTime.QuadPart != 0), "renewal");
    }
    answer_free(&answer);
}

/* [H ntsecapi.h] The three later forms begin alike. */
static void test_query_ex(void)
{
    static const ULONG kinds[] = {KerbQueryTicketCacheExMessage, KerbQueryTicketCacheEx2Message,
                                  KerbQueryTicketCacheEx3Message};
    if (!has_kdc()) return;
    for (size_t i = 0; i < ARRAYSIZE(kinds); i++) {
        KERB_QUERY_TKT_CACHE_REQUEST request = {.MessageType = kinds[i]};
        struct answer answer;
        NTSTATUS status = call_by(lsa, &request, sizeof(request), &answer);
        KERB_QUERY_TKT_CACHE_EX3_RESPONSE *response = answer.block;
        if (!ok(!status && response, "form %lu: %08lx", kinds[i], status)) continue;
        const KERB_TICKET_CACHE_INFO_EX3 *ticket = response->Tickets;
        ok((ULONG)response->MessageType == kinds[i] && response->CountOfTickets == 1, "form %lu",
           kinds[i]);
        ok(text_is(&answer, &ticket->ClientName, L"alice"), "client of form %lu", kinds[i]);
        ok(text_is(&answer, &ticket->ClientRealm, realm), "its realm");
        ok(text_is(&answer, &ticket->ServerName, granting()), "server of form %lu", kinds[i]);
        ok(text_is(&answer, &ticket->ServerRealm, realm), "its realm");
        if (i) ok(ticket->SessionKeyType == 18, "key of type %lu", ticket->SessionKeyType);
        answer_free(&answer);
    }
}

/* ---- tickets for services ---- */

static NTSTATUS retrieve_by(HANDLE connection, const wchar_t *target, ULONG options, LONG enctype,
                            struct answer *out)
{
    struct message m;
    message_open(&m, KerbRetrieveEncodedTicketMessage);
    message_text(&m, &m.retrieve.TargetName, target);
    m.retrieve.CacheOptions = options;
    m.retrieve.EncryptionType = enctype;
    return call_by(connection, &m, message_size(&m), out);
}

static NTSTATUS retrieve_status(const wchar_t *target, ULONG options, LONG enctype)
{
    struct answer answer;
    NTSTATUS status = retrieve_by(lsa, target, options, enctype, &answer);
    ok(!answer.status, "the call: %08lx", answer.status);
    ok(status == 0 || !answer.block, "an answer beside a failure");
    answer_free(&answer);
    return status;
}

static NTSTATUS purge(const wchar_t *server, const wchar_t *of_realm)
{
    struct message m;
    message_open(&m, KerbPurgeTicketCacheMessage);
    message_text(&m, &m.purge.ServerName, server);
    message_text(&m, &m.purge.RealmName, of_realm);
    return tell_by(lsa, &m);
}

static bool is_name(const struct answer *answer, const KERB_EXTERNAL_NAME *name,
                    const wchar_t *first, const wchar_t *second)
{
    return inside(answer, name, sizeof(*name)) && name->NameCount == (second ? 2 : 1) &&
           text_is(answer, &name->Names[0], first) &&
           (!second || text_is(answer, &name->Names[1], second));
}

/* [D KERB_EXTERNAL_TICKET], [D KERB_RETRIEVE_TKT_REQUEST] what is not in the cache is asked for */
static void test_retrieve(void)
{
    struct answer answer;
    if (!has_kdc()) return;
    NTSTATUS status = retrieve_by(lsa, L"HTTP/barn", 0, 0, &answer);
    if (!ok(!status && answer.block, "status %08lx", status)) return;
    const KERB_EXTERNAL_TICKET *ticket = &((KERB_RETRIEVE_TKT_RESPONSE *)answer.block)->Ticket;
    ok(is_name(&answer, ticket->ServiceName, L"HTTP", L"barn"), "service");
    ok(is_name(&answer, ticket->TargetName, L"HTTP", L"barn"), "target");
    ok(is_name(&answer, ticket->ClientName, L"alice", NULL), "client");
    ok(text_is(&answer, &ticket->DomainName, realm), "domain");
    ok(text_is(&answer, &ticket->TargetDomainName, realm), "target's domain");
    ok(ticket->SessionKey.KeyType == 18 && ticket->SessionKey.Length == 32 &&
           inside(&answer, ticket->SessionKey.Value, 32),
       "key of type %ld, %lu bytes", ticket->SessionKey.KeyType, ticket->SessionKey.Length);
    ok(ticket->EndTime.QuadPart > ticket->StartTime.QuadPart && ticket->StartTime.QuadPart,
       "times");
    ok(!(ticket->TicketFlags & KERB_TICKET_FLAGS_initial), "flags %#lx", ticket->TicketFlags);
    /* RFC 4120 5.3: [APPLICATION 1] */
    ok(ticket->EncodedTicketSize > 100 &&
           inside(&answer, ticket->EncodedTicket, ticket->EncodedTicketSize) &&
           ticket->EncodedTicket[0] == 0x61,
       "%lu bytes", ticket->EncodedTicketSize);
    answer_free(&answer);
    ok(count() == 2, "it is not kept");
    ok(!purge(L"HTTP/barn", realm) && count() == 1, "it stays");
}

/* [D KERB_RETRIEVE_TKT_REQUEST] the options; which status says that the cache has none is ours */
static void test_options(void)
{
    if (!has_kdc()) return;
    NTSTATUS status = retrieve_status(L"HTTP/barn", KERB_RETRIEVE_TICKET_USE_CACHE_ONLY, 0);
    ok(status == SEC_E_NO_CREDENTIALS, "of the cache: %08lx", status);
    status = retrieve_status(L"HTTP/barn", KERB_RETRIEVE_TICKET_DONT_USE_CACHE, 0);
    ok(!status && count() == 1, "a new one, which is not kept: %08lx", status);
    status = retrieve_status(L"HTTP/barn", KERB_RETRIEVE_TICKET_CACHE_TICKET, 0);
    ok(!status && count() == 2, "a new one, which is: %08lx", status);
    status = retrieve_status(L"http/barn@", 0, 0);
    ok(status == STATUS_NO_TRUST_SAM_ACCOUNT, "half a name: %08lx", status);
    status = retrieve_status(L"HTTP/barn", KERB_RETRIEVE_TICKET_USE_CACHE_ONLY, 17);
    ok(status == SEC_E_NO_CREDENTIALS, "of another type: %08lx", status);
    status = retrieve_status(L"HTTP/barn", 0, 17);
    ok(!status, "a new one of that type: %08lx", status);
    if (ours_only()) {
        status = retrieve_status(
            L"HTTP/barn", KERB_RETRIEVE_TICKET_DONT_USE_CACHE | KERB_RETRIEVE_TICKET_USE_CACHE_ONLY,
            0);
        ok(status == STATUS_INVALID_PARAMETER, "both: %08lx", status);
        status = retrieve_status(L"HTTP/barn", 0x100, 0);
        ok(status == STATUS_INVALID_PARAMETER, "unknown: %08lx", status);
        status = retrieve_status(L"HTTP/barn", KERB_RETRIEVE_TICKET_USE_CREDHANDLE, 0);
        ok(status == STATUS_NOT_SUPPORTED, "of a handle: %08lx", status);
    }
    ok(!purge(L"HTTP/barn", realm) && count() == 1, "they stay");
}

/* [OBS KB5011233] the status for a service that nobody knows */
static void test_unknown(void)
{
    if (!has_kdc()) return;
    NTSTATUS status = retrieve_status(L"HTTP/nowhere", 0, 0);
    ok(status == STATUS_NO_TRUST_SAM_ACCOUNT, "status %08lx", status);
    status = retrieve_status(L"", 0, 0);
    ok(status == STATUS_INVALID_PARAMETER, "no name: %08lx", status); /* ours */
}

static bool all_zeros(const BYTE *bytes, ULONG size)
{
    for (ULONG i = 0; i < size; i++)
        if (bytes[i]) return false;
    return true;
}

/* Whether the key of the ticket-granting ticket came along. */
static bool gives_key(HANDLE connection)
{
    KERB_QUERY_TKT_CACHE_REQUEST request = {.MessageType = KerbRetrieveTicketMessage};
    struct answer answer;
    bool gives = false;
    NTSTATUS status = call_by(connection, &request, sizeof(request), &answer);
    if (ok(!status && answer.block, "status %08lx", status)) {
        const KERB_EXTERNAL_TICKET *ticket = &((KERB_RETRIEVE_TKT_RESPONSE *)answer.block)->Ticket;
        ok(is_name(&answer, ticket->ServiceName, L"krbtgt", realm), "service");
        ok(ticket->TicketFlags & KERB_TICKET_FLAGS_initial, "flags %#lx", ticket->TicketFlags);
        ok(ticket->SessionKey.Length == 32, "%lu bytes", ticket->SessionKey.Length);
        gives = !all_zeros(ticket->SessionKey.Value, ticket->SessionKey.Length);
    }
    answer_free(&answer);
    return gives;
}

/* [D KERB_QUERY_TKT_CACHE_REQUEST] the ticket-granting ticket; its key only where
 * AllowTgtSessionKey says so [OBS KB308339], or for who is trusted */
static void test_granting(void)
{
    DWORD one = 1;
    struct saved_value value;
    if (!has_kdc() || !ours_only()) return;
    ok(!gives_key(lsa), "the key, without a policy");
    if (trusted) ok(gives_key(trusted), "no key for a trusted caller");
    if (value_save(&value, L"SYSTEM\\CurrentControlSet\\Control\\Lsa\\Kerberos\\Parameters",
                   L"AllowTgtSessionKey") &&
        value_set(&value, REG_DWORD, &one, sizeof(one)))
        ok(gives_key(lsa), "no key, with the policy");
    value_restore(&value);
}

/* ---- tickets that leave and come back ---- */

static NTSTATUS submit(const BYTE *cred, ULONG size)
{
    struct {
        KERB_SUBMIT_TKT_REQUEST request;
        BYTE room[8192];
    } m = {.request = {.MessageType = KerbSubmitTicketMessage,
                       .KerbCredSize = size,
                       .KerbCredOffset = sizeof(m.request)}};
    struct answer answer;
    memcpy(m.room, cred, size);
    NTSTATUS status = call_by(lsa, &m, sizeof(m.request) + size, &answer);
    answer_free(&answer);
    return status;
}

/* [D KERB_RETRIEVE_TKT_REQUEST] KERB_RETRIEVE_TICKET_AS_KERB_CRED, [H ntsecapi.h] and back */
static void test_submit(void)
{
    struct answer answer;
    if (!has_kdc()) return;
    NTSTATUS status = retrieve_by(lsa, L"HTTP/barn", KERB_RETRIEVE_TICKET_AS_KERB_CRED, 0, &answer);
    if (!ok(!status && answer.block, "status %08lx", status)) return;
    const KERB_EXTERNAL_TICKET *ticket = &((KERB_RETRIEVE_TKT_RESPONSE *)answer.block)->Ticket;
    const BYTE *cred = ticket->EncodedTicket;
    ULONG size = ticket->EncodedTicketSize;
    ok(cred[0] == 0x76, "no KRB-CRED (RFC 4120 5.8): %02x", cred[0]);
    ok(!purge(L"HTTP/barn", realm) && count() == 1, "it stays");
    status = submit(cred, size);
    ok(!status && count() == 2, "status %08lx", status);
    ok(!retrieve_status(L"HTTP/barn", KERB_RETRIEVE_TICKET_USE_CACHE_ONLY, 0), "it is not there");
    status = submit(cred, size - 1);
    ok(status != 0 && count() == 2, "cut short: %08lx", status);
    status = submit(cred, 0);
    ok(status != 0 && count() == 2, "nothing: %08lx", status);
    answer_free(&answer);
    ok(!purge(L"HTTP/barn", realm), "it stays");
}

/* [D KERB_PURGE_TKT_CACHE_REQUEST] SEC_E_NO_CREDENTIALS where there is no such ticket; [H] the
 * later form. The cache is that of the whole program: its ticket-granting ticket is put back. */
static void test_purge(void)
{
    struct answer answer;
    struct message m;
    if (!has_kdc() || !ours_only()) return;
    NTSTATUS status = purge(L"HTTP/barn", realm);
    ok(status == SEC_E_NO_CREDENTIALS, "what is not there: %08lx", status);
    status = purge(granting(), L"ELSEWHERE");
    ok(status == SEC_E_NO_CREDENTIALS && count() == 1, "elsewhere: %08lx", status);

    message_open(&m, KerbPurgeTicketCacheExMessage);
    ok(!retrieve_status(L"HTTP/barn", 0, 0), "a ticket");
    message_text(&m, &m.purge_ex.TicketTemplate.ServerName, L"HTTP/barn");
    message_text(&m, &m.purge_ex.TicketTemplate.ServerRealm, realm);
    status = tell_by(lsa, &m);
    ok(!status && count() == 1, "the later form: %08lx", status);
    m.purge_ex.Flags = 2;
    ok(tell_by(lsa, &m) == STATUS_INVALID_PARAMETER, "unknown flags");

    if (!trusted) return;
    status = retrieve_by(trusted, granting(), KERB_RETRIEVE_TICKET_AS_KERB_CRED, 0, &answer);
    if (!ok(!status && answer.block, "the granting ticket: %08lx", status)) return;
    const KERB_EXTERNAL_TICKET *ticket = &((KERB_RETRIEVE_TKT_RESPONSE *)answer.block)->Ticket;
    m.purge_ex.Flags = KERB_PURGE_ALL_TICKETS;
    status = tell_by(lsa, &m);
    ok(!status && count() == 0, "all: %08lx", status);
    status = purge(L"", L"");
    ok(status == SEC_E_NO_CREDENTIALS, "all of none: %08lx", status);
    status = retrieve_status(L"HTTP/barn", 0, 0);
    ok(status == SEC_E_NO_CREDENTIALS, "nothing to ask with: %08lx", status);
    status = submit(ticket->EncodedTicket, ticket->EncodedTicketSize);
    ok(!status && count() == 1, "back: %08lx", status);
    ok(!retrieve_status(L"HTTP/barn", 0, 0) && !purge(L"HTTP/barn", realm), "as good as before");
    answer_free(&answer);
}

/* ---- whose ---- */

/* [D KERB_QUERY_TKT_CACHE_REQUEST], [D KERB_RETRIEVE_TKT_REQUEST], [D KERB_PURGE_TKT_CACHE_REQUEST]
 * another log-on is for trusted callers */
static void test_others(void)
{
    struct message m;
    struct answer answer;
    LUID nobody = {0x12345678, 0x0fedcba9};
    message_open(&m, KerbQueryTicketCacheMessage);
    m.query.LogonId = nobody;
    NTSTATUS status = call_by(lsa, &m, message_size(&m), &answer);
    ok(status == STATUS_PRIVILEGE_NOT_HELD && !answer.block, "query: %08lx", status);
    message_open(&m, KerbRetrieveEncodedTicketMessage);
    m.retrieve.LogonId = nobody;
    message_text(&m, &m.retrieve.TargetName, L"HTTP/barn");
    status = tell_by(lsa, &m);
    ok(status == STATUS_ACCESS_DENIED, "retrieve: %08lx", status);
    message_open(&m, KerbPurgeTicketCacheMessage);
    m.purge.LogonId = nobody;
    status = tell_by(lsa, &m);
    ok(status == STATUS_ACCESS_DENIED, "purge: %08lx", status);
    if (!trusted || !ours_only()) return;
    status = tell_by(trusted, &m);
    ok(status == STATUS_NO_SUCH_LOGON_SESSION, "by whom: %08lx", status);
}

/* ---- messages that are none ---- */

static NTSTATUS raw(const void *bytes, ULONG size)
{
    struct answer answer;
    BYTE copy[512];
    memcpy(copy, bytes, size);
    NTSTATUS status = call_by(lsa, copy, size, &answer);
    ok(answer.status && answer.protocol == 0 && !answer.block, "%lu bytes are taken", size);
    answer_free(&answer);
    return status;
}

/* The call itself fails: which way is ours. */
static void test_damaged(void)
{
    static const ULONG kinds[] = {KerbQueryTicketCacheMessage,   KerbRetrieveEncodedTicketMessage,
                                  KerbPurgeTicketCacheMessage,   KerbSubmitTicketMessage,
                                  KerbPurgeTicketCacheExMessage, KerbChangePasswordMessage,
                                  KerbSetPasswordMessage,        KerbSetPasswordExMessage};
    static const ULONG sizes[] = {12,
                                  sizeof(KERB_RETRIEVE_TKT_REQUEST),
                                  sizeof(KERB_PURGE_TKT_CACHE_REQUEST),
                                  sizeof(KERB_SUBMIT_TKT_REQUEST),
                                  sizeof(KERB_PURGE_TKT_CACHE_EX_REQUEST),
                                  offsetof(KERB_CHANGEPASSWORD_REQUEST, Impersonating) + 1,
                                  sizeof(KERB_SETPASSWORD_REQUEST),
                                  offsetof(KERB_SETPASSWORD_EX_REQUEST, KdcAddressType) + 4};
    struct message m;
    if (!ours_only()) return;
    for (size_t i = 0; i < ARRAYSIZE(kinds); i++) {
        message_open(&m, kinds[i]);
        for (ULONG size = 0; size < sizes[i]; size++)
            ok(raw(&m, size) == STATUS_INVALID_PARAMETER, "kind %lu, %lu bytes", kinds[i], size);
    }
    message_open(&m, KerbPurgeTicketCacheMessage);
    message_text(&m, &m.purge.ServerName, L"HTTP/barn");
    m.purge.ServerName.Buffer = (wchar_t *)&m;
    ok(raw(&m, sizeof(m.purge)) == STATUS_INVALID_PARAMETER, "a text in the structure");
    m.purge.ServerName.Buffer = (wchar_t *)(&m + 1);
    ok(raw(&m, sizeof(m.purge)) == STATUS_INVALID_PARAMETER, "a text elsewhere");
    m.purge.ServerName.Buffer = m.room;
    m.purge.ServerName.Length = 0xfffe;
    ok(raw(&m, sizeof(m.purge)) == STATUS_INVALID_PARAMETER, "a text without an end");
}

/* What is reserved, what is about what is not kept here, and what there is not: ours. */
static void test_unanswered(void)
{
    static const ULONG kinds[] = {0,  2,  3,  5,  9,  10, 13, 16, 17,
                                  18, 19, 22, 23, 24, 26, 33, 34, 38};
    struct message m;
    if (!ours_only()) return;
    for (size_t i = 0; i < ARRAYSIZE(kinds); i++) {
        message_open(&m, kinds[i]);
        NTSTATUS status = raw(&m, sizeof(m.bytes));
        ok(status == STATUS_NOT_SUPPORTED, "kind %lu: %08lx", kinds[i], status);
    }
    message_open(&m, 39);
    ok(raw(&m, sizeof(m.bytes)) == STATUS_INVALID_PARAMETER, "kind 39");
    message_open(&m, ~0u);
    ok(raw(&m, sizeof(m.bytes)) == STATUS_INVALID_PARAMETER, "no kind");
}

static bool begin(int argc, char **argv)
{
    LSA_STRING name = {8, 9, (char *)MICROSOFT_KERBEROS_NAME_A}, process = {4, 5, (char *)"test"};
    LSA_OPERATIONAL_MODE mode;
    if (argc > 1) MultiByteToWideChar(CP_UTF8, 0, argv[1], -1, realm, ARRAYSIZE(realm));
    if (LsaConnectUntrusted(&lsa)) return false;
    if (LsaRegisterLogonProcess(&process, &trusted, &mode)) trusted = NULL;
    return LsaLookupAuthenticationPackage(lsa, &name, &package) == 0;
}

int main(int argc, char **argv)
{
    if (!begin(argc, argv)) {
        printf("skip api_kerberos_tickets: there is no package Kerberos\n"
               "api_kerberos_tickets: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    RUN(test_query);
    RUN(test_query_ex);
    RUN(test_retrieve);
    RUN(test_options);
    RUN(test_unknown);
    RUN(test_granting);
    RUN(test_submit);
    RUN(test_purge);
    RUN(test_others);
    RUN(test_damaged);
    RUN(test_unanswered);
    return test_end("api_kerberos_tickets");
}
