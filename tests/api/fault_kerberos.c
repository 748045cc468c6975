/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the package Kerberos is asked through the LSA, short of memory: lists of tickets, tickets
 * for the target, tickets that leave and come back, and log-ons of the process's user, whose
 * password is "four".
 */
#include "ssp/abi.h"

#include "fault.h"

#include <stddef.h>
#include <wchar.h>

#define CRED_MAX 8192u

static HANDLE lsa;
static ULONG package;
static wchar_t user[64], realm[256];
static BYTE cred[CRED_MAX]; /* a KRB-CRED with the ticket for the target */
static ULONG cred_size;

/* A message with a text behind it. */
static union {
    KERB_QUERY_TKT_CACHE_REQUEST query;
    KERB_RETRIEVE_TKT_REQUEST retrieve;
    KERB_PURGE_TKT_CACHE_REQUEST purge;
    KERB_SUBMIT_TKT_REQUEST submit;
    KERB_INTERACTIVE_LOGON logon;
    BYTE bytes[256 + CRED_MAX];
} message;
static ULONG message_size;

static void message_begin(ULONG kind, size_t size)
{
    memset(&message, 0, sizeof(message));
    message.query.MessageType = (KERB_PROTOCOL_MESSAGE_TYPE)kind;
    message_size = (ULONG)size;
}

static void message_text(UNICODE_STRING *out, const wchar_t *text)
{
    USHORT size = (USHORT)(wcslen(text) * sizeof(*text));
    *out = (UNICODE_STRING){size, size, (wchar_t *)(message.bytes + message_size)};
    memcpy(message.bytes + message_size, text, size);
    message_size += size;
}

/* Its answer, if there is one, goes to the first of the pointers. */
static LONG message_call(void)
{
    NTSTATUS protocol = 0;
    void *answer = NULL;
    ULONG size = 0;
    LONG status = LsaCallAuthenticationPackage(lsa, package, &message, message_size, &answer, &size,
                                               &protocol);
    if (status >= 0) status = protocol;
    if (status < 0) expect_kept(!answer && !size);
    else answers.pointers[0] = answer;
    return status;
}

static bool message_check(void)
{
    return !answers.pointers[0] || !LsaFreeReturnBuffer(answers.pointers[0]);
}

/* ---- tickets ---- */

static bool query_open(void)
{
    message_begin(KerbQueryTicketCacheExMessage, sizeof(message.query));
    return true;
}

static bool retrieve_open(void)
{
    message_begin(KerbRetrieveEncodedTicketMessage, sizeof(message.retrieve));
    message.retrieve.CacheOptions = KERB_RETRIEVE_TICKET_AS_KERB_CRED;
    message_text(&message.retrieve.TargetName, fault_target);
    return true;
}

static bool cred_get(void)
{
    retrieve_open();
    if (message_call()) return false;
    const KERB_EXTERNAL_TICKET *ticket =
        &((KERB_RETRIEVE_TKT_RESPONSE *)answers.pointers[0])->Ticket;
    cred_size = min(ticket->EncodedTicketSize, CRED_MAX);
    memcpy(cred, ticket->EncodedTicket, cred_size);
    memcpy(realm, ticket->TargetDomainName.Buffer,
           min(ticket->TargetDomainName.Length, sizeof(realm) - sizeof(*realm)));
    return message_check();
}

static bool submit_open(void)
{
    message_begin(KerbSubmitTicketMessage, sizeof(message.submit));
    message.submit.KerbCredSize = cred_size;
    message.submit.KerbCredOffset = sizeof(message.submit);
    memcpy(message.bytes + message_size, cred, cred_size);
    message_size += cred_size;
    return true;
}

/* Of the ticket for the target, which is there. */
static bool purge_open(void)
{
    submit_open();
    if (message_call() || !message_check()) return false;
    message_begin(KerbPurgeTicketCacheMessage, sizeof(message.purge));
    message_text(&message.purge.ServerName, fault_target);
    message_text(&message.purge.RealmName, realm);
    return true;
}

/* ---- log-ons ---- */

static struct fault_logon made;

static LONG logon_call(void)
{
    message_begin(KerbInteractiveLogon, sizeof(message.logon));
    message_text(&message.logon.UserName, user);
    message_text(&message.logon.Password, L"four");
    return fault_logon(lsa, package, &message, message_size, &made);
}

static bool logon_check(void)
{
    return fault_logon_end(&made);
}

/* Sessions are kept until there are too many. */
static bool sessions_fill(void)
{
    for (int i = 0; i < 300; i++) {
        LONG status = logon_call();
        if (!ok(!status, "log-on: %08lx", status) || !logon_check()) return false;
    }
    return true;
}

void fault_kerberos_calls(void)
{
    static const struct scenario messages[] = {
        {"KerbQueryTicketCacheEx", KIND_NT, query_open, message_call, message_check, NULL},
        {"KerbRetrieveEncodedTicket", KIND_NT, retrieve_open, message_call, message_check, NULL},
        {"KerbSubmitTicket", KIND_NT, submit_open, message_call, message_check, NULL},
        {"KerbPurgeTicketCache", KIND_NT, purge_open, message_call, message_check, NULL},
    };
    static const struct scenario logon = {"LsaLogonUser", KIND_NT,     NULL,
                                          logon_call,     logon_check, NULL};
    LSA_STRING name = {8, 8, (char *)"Kerberos"};
    DWORD size = ARRAYSIZE(user);
    ok(!LsaConnectUntrusted(&lsa) && !LsaLookupAuthenticationPackage(lsa, &name, &package),
       "no package");
    if (!ok(cred_get(), "no ticket for %ls", fault_target)) return;
    for (size_t i = 0; i < ARRAYSIZE(messages); i++) scenario_run(&messages[i], "Kerberos");
    if (ok(GetUserNameW(user, &size), "no user") && sessions_fill())
        scenario_run(&logon, "Kerberos");
    LsaDeregisterLogonProcess(lsa);
}
