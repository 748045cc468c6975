/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the threads of hammer.c do with the package Kerberos alone: credentials of their own with a
 * password, and tickets of the cache that all share, which come and go.
 */
#include "hammer.h"

#include <ntsecapi.h>
#include <wchar.h>

struct hammer_kerberos hammer_kerberos;

/* An account with its first tickets, then one for the target. */
static SECURITY_STATUS with_password(struct worker *worker)
{
    SEC_WINNT_AUTH_IDENTITY_W identity = {
        .User = (unsigned short *)hammer_kerberos.user,
        .UserLength = (ULONG)wcslen(hammer_kerberos.user),
        .Password = (unsigned short *)hammer_kerberos.password,
        .PasswordLength = (ULONG)wcslen(hammer_kerberos.password),
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
    };
    CredHandle credential;
    CtxtHandle made;
    ULONG attrs;
    SecBuffer out = {sizeof(worker->room), SECBUFFER_TOKEN, worker->room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)L"Kerberos",
                                                       SECPKG_CRED_OUTBOUND, NULL, &identity, NULL,
                                                       NULL, &credential, NULL);
    if (status) return status;
    status = InitializeSecurityContextW(&credential, NULL, (wchar_t *)hammer_kerberos.target,
                                        SEAL_FLAGS, 0, SECURITY_NATIVE_DREP, NULL, 0, &made, &desc,
                                        &attrs, NULL);
    if (status >= 0) context_share(worker, &made);
    credential_share(worker, &credential);
    return status;
}

/* ---- tickets ---- */

struct message_to_package {
    union {
        KERB_QUERY_TKT_CACHE_REQUEST query;
        KERB_RETRIEVE_TKT_REQUEST retrieve;
        KERB_PURGE_TKT_CACHE_REQUEST purge;
    };
    wchar_t text[256];
};

static SECURITY_STATUS tell(struct message_to_package *message)
{
    LSA_STRING name = {8, 8, (char *)"Kerberos"};
    HANDLE lsa;
    ULONG package, size = 0;
    void *answer = NULL;
    NTSTATUS protocol = 0, status = LsaConnectUntrusted(&lsa);
    if (status) return status;
    status = LsaLookupAuthenticationPackage(lsa, &name, &package);
    if (!status)
        status = LsaCallAuthenticationPackage(lsa, package, message, sizeof(*message), &answer,
                                              &size, &protocol);
    if (answer) LsaFreeReturnBuffer(answer);
    LsaDeregisterLogonProcess(lsa);
    return status ? status : protocol;
}

static UNICODE_STRING text_of(struct message_to_package *message)
{
    wcscpy(message->text, hammer_kerberos.target);
    USHORT size = (USHORT)(wcslen(message->text) * sizeof(wchar_t));
    return (UNICODE_STRING){size, size, message->text};
}

static SECURITY_STATUS tickets(struct worker *worker)
{
    struct message_to_package message = {0};
    (void)worker;
    message.query.MessageType = KerbQueryTicketCacheExMessage;
    return tell(&message);
}

static SECURITY_STATUS ticket(struct worker *worker)
{
    struct message_to_package message = {0};
    (void)worker;
    message.retrieve.MessageType = KerbRetrieveEncodedTicketMessage;
    message.retrieve.TargetName = text_of(&message);
    return tell(&message);
}

static SECURITY_STATUS purge(struct worker *worker)
{
    struct message_to_package message = {0};
    (void)worker;
    message.purge.MessageType = KerbPurgeTicketCacheMessage;
    message.purge.ServerName = text_of(&message);
    UNICODE_STRING *realm = &message.purge.RealmName;
    *realm = (UNICODE_STRING){(USHORT)(wcslen(hammer_kerberos.realm) * 2), 0,
                              message.text + wcslen(message.text)};
    wcscat(message.text, hammer_kerberos.realm);
    realm->MaximumLength = realm->Length;
    return tell(&message);
}

static const struct action actions[] = {
    {"Kerberos with a password", with_password, {0}},
    {"KerbQueryTicketCacheEx", tickets, {0}},
    {"KerbRetrieveEncodedTicket", ticket, {0}},
    /* Somebody else has done so. */
    {"KerbPurgeTicketCache", purge, {SEC_E_NO_CREDENTIALS}},
};
const struct action_group calls_of_kerberos = {actions, ARRAYSIZE(actions)};
