/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sspictl tickets: the Kerberos tickets of the user, as Windows programs see them: through messages
 * to the package (LsaCallAuthenticationPackage; ntsecapi.h). On the host klist, kvno and kdestroy
 * do the same with the same cache. Keys are never printed.
 */
#include "commands.h"
#include "options.h"
#include "text.h"

#include <windows.h>

#include <ntsecapi.h>
#include <sspi.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static void tickets_help(void)
{
    printf("Usage: sspictl tickets [list]\n"
           "       sspictl tickets get SERVICE/HOST\n"
           "       sspictl tickets purge [SERVICE/HOST]\n"
           "The Kerberos tickets of the user, as Windows programs see them: those of the host's\n"
           "cache of tickets.\n\n"
           "  list   prints all tickets (as does no command at all)\n"
           "  get    has the cache or the KDC give the ticket for a service, and prints it\n"
           "  purge  removes the tickets for a service, or all: they are gone for the programs of\n"
           "         the host, too\n");
}

struct kerberos {
    HANDLE lsa;
    ULONG package;
};

/* A failure has been explained. */
static bool kerberos_open(struct kerberos *out)
{
    LSA_STRING name = {8, 9, (char *)MICROSOFT_KERBEROS_NAME_A};
    NTSTATUS status = LsaConnectUntrusted(&out->lsa);
    if (status >= 0) status = LsaLookupAuthenticationPackage(out->lsa, &name, &out->package);
    if (status < 0)
        text_fail("there is no package Kerberos here (`winesspi doctor` says why): status 0x%lx",
                  (ULONG)status);
    return status >= 0;
}

static NTSTATUS kerberos_call(const struct kerberos *kerberos, void *message, ULONG size,
                              void **answer)
{
    NTSTATUS protocol = 0;
    ULONG answer_size = 0;
    *answer = NULL;
    NTSTATUS status = LsaCallAuthenticationPackage(kerberos->lsa, kerberos->package, message, size,
                                                   answer, &answer_size, &protocol);
    return status < 0 ? status : protocol;
}

static int fail(NTSTATUS status, const char *what)
{
    /* Of statuses of SSPI there is no other number. */
    bool own = ((ULONG)status >> 16) == 0x8009;
    long error = own ? (long)status : (long)LsaNtStatusToWinError(status);
    return text_fail_windows(error, "%s (status 0x%lx)", what, (ULONG)status);
}

/* ---- printing ---- */

static void print_text(const UNICODE_STRING *text)
{
    wchar_t *copy = calloc(text->Length / sizeof(wchar_t) + 1, sizeof(*copy));
    if (!copy) return;
    memcpy(copy, text->Buffer, text->Length);
    text_print_wide(stdout, copy);
    free(copy);
}

static void print_name(const char *label, const UNICODE_STRING *name, const UNICODE_STRING *realm)
{
    printf("%s", label);
    print_text(name);
    printf("@");
    print_text(realm);
    printf("\n");
}

static void print_time(const char *label, const LARGE_INTEGER *time)
{
    FILETIME utc = {time->LowPart, (DWORD)time->HighPart}, local;
    SYSTEMTIME parts;
    if (!time->QuadPart || !FileTimeToLocalFileTime(&utc, &local) ||
        !FileTimeToSystemTime(&local, &parts))
        return;
    printf("%s%04u-%02u-%02u %02u:%02u:%02u\n", label, parts.wYear, parts.wMonth, parts.wDay,
           parts.wHour, parts.wMinute, parts.wSecond);
}

static const char *enctype_name(LONG enctype)
{
    switch (enctype) {
    case KERB_ETYPE_RC4_HMAC_NT: return "RC4-HMAC";
    case KERB_ETYPE_AES128_CTS_HMAC_SHA1_96: return "AES-128-CTS-HMAC-SHA1-96";
    case KERB_ETYPE_AES256_CTS_HMAC_SHA1_96: return "AES-256-CTS-HMAC-SHA1-96";
    case 19: return "AES-128-CTS-HMAC-SHA256-128"; /* RFC 8009 */
    case 20: return "AES-256-CTS-HMAC-SHA384-192";
    default: return "another";
    }
}

static void print_flags(ULONG flags)
{
    static const struct {
        ULONG flag;
        const char *name;
    } names[] = {
        {KERB_TICKET_FLAGS_forwardable, "forwardable"},
        {KERB_TICKET_FLAGS_forwarded, "forwarded"},
        {KERB_TICKET_FLAGS_proxiable, "proxiable"},
        {KERB_TICKET_FLAGS_proxy, "proxy"},
        {KERB_TICKET_FLAGS_renewable, "renewable"},
        {KERB_TICKET_FLAGS_initial, "initial"},
        {KERB_TICKET_FLAGS_pre_authent, "preauthenticated"},
        {KERB_TICKET_FLAGS_ok_as_delegate, "ok as delegate"},
    };
    printf("    flags:   0x%08lx", flags);
    for (size_t i = 0; i < ARRAYSIZE(names); i++)
        if (flags & names[i].flag) printf(", %s", names[i].name);
    printf("\n");
}

static void print_ticket(const KERB_TICKET_CACHE_INFO_EX2 *ticket)
{
    print_name("", &ticket->ServerName, &ticket->ServerRealm);
    print_name("    client:  ", &ticket->ClientName, &ticket->ClientRealm);
    printf("    types:   %s, key %s\n", enctype_name(ticket->EncryptionType),
           enctype_name((LONG)ticket->SessionKeyType));
    print_flags(ticket->TicketFlags);
    print_time("    starts:  ", &ticket->StartTime);
    print_time("    ends:    ", &ticket->EndTime);
    print_time("    renew:   ", &ticket->RenewTime);
}

/* ---- the cache ---- */

static bool is_service(const UNICODE_STRING *name, const wchar_t *service)
{
    return !service || CompareStringOrdinal(name->Buffer, name->Length / (int)sizeof(wchar_t),
                                            service, -1, TRUE) == CSTR_EQUAL;
}

static NTSTATUS tickets_query(const struct kerberos *kerberos,
                              KERB_QUERY_TKT_CACHE_EX2_RESPONSE **out)
{
    KERB_QUERY_TKT_CACHE_REQUEST request = {.MessageType = KerbQueryTicketCacheEx2Message};
    void *answer;
    NTSTATUS status = kerberos_call(kerberos, &request, sizeof(request), &answer);
    *out = answer;
    return status;
}

static int tickets_list(const struct kerberos *kerberos)
{
    KERB_QUERY_TKT_CACHE_EX2_RESPONSE *answer;
    NTSTATUS status = tickets_query(kerberos, &answer);
    if (status < 0) return fail(status, "cannot read the tickets");
    if (!answer->CountOfTickets) printf("there are no tickets\n");
    for (ULONG i = 0; i < answer->CountOfTickets; i++) print_ticket(&answer->Tickets[i]);
    LsaFreeReturnBuffer(answer);
    return EXIT_OK;
}

/* ---- one service ---- */

/* A structure with texts behind it; freed with free. */
struct message {
    BYTE *bytes;
    ULONG size;
};

static bool message_make(struct message *out, ULONG structure, ULONG text_bytes)
{
    *out = (struct message){calloc(1, structure + text_bytes), structure};
    return out->bytes != NULL;
}

static void message_text(struct message *message, UNICODE_STRING *out, const void *text,
                         USHORT bytes)
{
    *out = (UNICODE_STRING){bytes, bytes, (wchar_t *)(message->bytes + message->size)};
    memcpy(out->Buffer, text, bytes);
    message->size += bytes;
}

static void print_external(const KERB_EXTERNAL_TICKET *ticket)
{
    for (USHORT i = 0; i < ticket->ServiceName->NameCount; i++) {
        if (i) printf("/");
        print_text(&ticket->ServiceName->Names[i]);
    }
    printf("@");
    print_text(&ticket->DomainName);
    printf("\n    types:   key %s\n", enctype_name(ticket->SessionKey.KeyType));
    print_flags(ticket->TicketFlags);
    print_time("    starts:  ", &ticket->StartTime);
    print_time("    ends:    ", &ticket->EndTime);
    print_time("    renew:   ", &ticket->RenewUntil);
}

static int ticket_get(const struct kerberos *kerberos, const wchar_t *service)
{
    USHORT bytes = (USHORT)(wcslen(service) * sizeof(*service));
    struct message message;
    void *answer;
    if (!message_make(&message, sizeof(KERB_RETRIEVE_TKT_REQUEST), bytes))
        return text_fail("out of memory");
    KERB_RETRIEVE_TKT_REQUEST *request = (KERB_RETRIEVE_TKT_REQUEST *)message.bytes;
    request->MessageType = KerbRetrieveEncodedTicketMessage;
    message_text(&message, &request->TargetName, service, bytes);
    NTSTATUS status = kerberos_call(kerberos, message.bytes, message.size, &answer);
    free(message.bytes);
    if (status < 0) return fail(status, "there is no ticket");
    print_external(&((KERB_RETRIEVE_TKT_RESPONSE *)answer)->Ticket);
    LsaFreeReturnBuffer(answer);
    return EXIT_OK;
}

static NTSTATUS ticket_purge(const struct kerberos *kerberos, const UNICODE_STRING *server,
                             const UNICODE_STRING *realm)
{
    struct message message;
    void *answer;
    if (!message_make(&message, sizeof(KERB_PURGE_TKT_CACHE_REQUEST),
                      (ULONG)server->Length + realm->Length))
        return STATUS_NO_MEMORY;
    KERB_PURGE_TKT_CACHE_REQUEST *request = (KERB_PURGE_TKT_CACHE_REQUEST *)message.bytes;
    request->MessageType = KerbPurgeTicketCacheMessage;
    message_text(&message, &request->ServerName, server->Buffer, server->Length);
    message_text(&message, &request->RealmName, realm->Buffer, realm->Length);
    NTSTATUS status = kerberos_call(kerberos, message.bytes, message.size, &answer);
    free(message.bytes);
    return status;
}

/* Of the service in whichever realm; several tickets for it go at once. */
static int tickets_purge(const struct kerberos *kerberos, const wchar_t *service)
{
    KERB_QUERY_TKT_CACHE_EX2_RESPONSE *answer;
    NTSTATUS status = tickets_query(kerberos, &answer);
    ULONG found = 0;
    if (status < 0) return fail(status, "cannot read the tickets");
    for (ULONG i = 0; i < answer->CountOfTickets && status >= 0; i++) {
        const KERB_TICKET_CACHE_INFO_EX2 *ticket = &answer->Tickets[i];
        if (!is_service(&ticket->ServerName, service)) continue;
        found++;
        status = ticket_purge(kerberos, &ticket->ServerName, &ticket->ServerRealm);
        if (status == (NTSTATUS)SEC_E_NO_CREDENTIALS) status = 0; /* gone with one before */
    }
    LsaFreeReturnBuffer(answer);
    if (status < 0) return fail(status, "cannot remove the tickets");
    if (!found) return text_fail("there are no such tickets");
    printf("%lu removed\n", found);
    return EXIT_OK;
}

/* ---- the command ---- */

static int tickets_run(const char *verb, const wchar_t *service)
{
    struct kerberos kerberos = {NULL, 0};
    if (!kerberos_open(&kerberos)) return EXIT_FAILED;
    int code = !strcmp(verb, "list")  ? tickets_list(&kerberos)
               : !strcmp(verb, "get") ? ticket_get(&kerberos, service)
                                      : tickets_purge(&kerberos, service);
    LsaDeregisterLogonProcess(kerberos.lsa);
    return code;
}

int command_tickets(char **arguments)
{
    static const struct option options[] = {{NULL, NULL, NULL}};
    const char *values[2] = {"list", NULL};
    struct operands operands = {"list|get|purge [SERVICE/HOST]", 0, 2, values, 0};
    switch (options_parse("tickets", arguments, options, &operands)) {
    case OPTIONS_HELP: tickets_help(); return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    const char *verb = values[0];
    bool get = !strcmp(verb, "get");
    if (strcmp(verb, "list") && !get && strcmp(verb, "purge"))
        return text_usage("tickets", "%s is none of list, get and purge", verb);
    if (get && !values[1]) return text_usage("tickets", "get needs the name of a service");
    if (!strcmp(verb, "list") && values[1]) return text_usage("tickets", "list takes no service");
    if (!values[1]) return tickets_run(verb, NULL);
    wchar_t *service = text_to_wide(values[1]);
    if (!service || wcslen(service) > 1024) {
        free(service);
        return text_usage("tickets", "%s: not the name of a service", values[1]);
    }
    int code = tickets_run(verb, service);
    free(service);
    return code;
}
