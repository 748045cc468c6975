/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credentials. A handle is a counted reference: a context keeps its credential until it is
 * established. What the library has for one is got when it is first needed: a program may ask for a
 * handle before its user has a ticket, and a wrong password is found out by the first leg, as on
 * Windows.
 *
 * Default credentials are the host's: the cache of tickets for a client, the keytab for a server,
 * whose handle is refused where there is no keytab and no ticket for user-to-user either. A named
 * user without a password is looked for in the user's collection of caches. Who only accepts needs
 * no identity, and what is given for one is not looked at. The logon id and the key function mean
 * nothing to this package, and there are no credentials to add.
 */
#include "logon.h"

#include "core/secret.h"
#include "ssp/answer.h"
#include "ssp/authdata.h"
#include "ssp/foreign.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("kerberos");

#define USER_CHARS 257u            /* UNLEN of lmcons.h, and the terminator */
#define EXPIRY_MARGIN 600000000ull /* of a FILETIME: a minute, in which a leg is certainly made */

/* What somebody may be using still. */
struct retired {
    struct retired *next;
    uint64_t object;
};

/* ---- life ---- */

static void credential_free(struct credential *credential)
{
    library_free(credential->initiator);
    library_free(credential->acceptor);
    while (credential->retired) {
        struct retired *next = credential->retired->next;
        library_free(credential->retired->object);
        free(credential->retired);
        credential->retired = next;
    }
    blob_clear(&credential->evidence);
    blob_clear(&credential->principal);
    blob_clear(&credential->user);
    blob_clear(&credential->domain);
    blob_clear(&credential->masked_password);
    secret_free(credential, sizeof(*credential));
}

struct credential *credential_hold(struct credential *credential)
{
    InterlockedIncrement(&credential->references);
    return credential;
}

void credential_release(struct credential *credential)
{
    if (!credential || InterlockedDecrement(&credential->references)) return;
    credential_free(credential);
}

static struct credential *credential_new(ULONG use)
{
    struct credential *credential = calloc(1, sizeof(*credential));
    if (!credential) return NULL;
    InitializeSRWLock(&credential->lock);
    credential->references = 1;
    credential->use = use;
    return credential;
}

/* ---- passwords ---- */

/* Takes the text over. */
static status_t password_keep(struct credential *credential, struct blob *password)
{
    status_t status = random_bytes(credential->mask_nonce, sizeof(credential->mask_nonce));
    if (status_ok(status))
        status = secret_mask(credential->mask_nonce, password->data, password->size);
    if (!status_ok(status)) {
        blob_clear(password);
        return status;
    }
    credential->has_password = true;
    credential->masked_password = *password;
    *password = (struct blob){NULL, 0};
    return SEC_E_OK;
}

status_t credential_password(const struct credential *credential, struct blob *out)
{
    struct blob password = {NULL, 0};
    status_t status = blob_set(&password, blob_slice(&credential->masked_password));
    if (status_ok(status))
        status = secret_mask(credential->mask_nonce, password.data, password.size);
    if (status_ok(status)) *out = password;
    else blob_clear(&password);
    return status;
}

/* ---- what the library has ---- */

static status_t library_acquire(const struct credential *credential, uint32_t use,
                                struct kerberos_call_credential_acquire *call)
{
    struct blob password = {NULL, 0};
    *call = (struct kerberos_call_credential_acquire){.use = use};
    if (use == CALL_USE_INITIATE) {
        /* To the library no password is none: that is for those who have tickets. */
        if (credential->has_password && !credential->masked_password.size)
            return SEC_E_LOGON_DENIED;
        status_t status = credential_password(credential, &password);
        if (!status_ok(status)) return status;
        call->evidence = unixcall_slice(blob_slice(&credential->evidence));
        if (!credential->evidence.size)
            call->principal = unixcall_slice(blob_slice(&credential->principal));
        call->password = unixcall_slice(blob_slice(&password));
    }
    status_t status = library_call(KERBEROS_CALL_CREDENTIAL_ACQUIRE, call);
    blob_clear(&password);
    call->why[sizeof(call->why) - 1] = 0;
    TRACE("to %s: status %#lx%s%s\n", use == CALL_USE_INITIATE ? "initiate" : "accept",
          (ULONG)status, call->why[0] ? ": " : "", call->why);
    return status;
}

static bool is_usable(const struct credential *credential, uint32_t use, uint64_t *out)
{
    *out = use == CALL_USE_INITIATE ? credential->initiator : credential->acceptor;
    bool ends = use == CALL_USE_INITIATE && credential->expiry && !credential->adopted;
    return *out && (!ends || leg_time() + EXPIRY_MARGIN < credential->expiry);
}

/* Puts a new one in the place of that which was seen; where another thread has done so by now, its
 * one stays. */
static status_t library_store(struct credential *credential, uint64_t seen, uint32_t use,
                              const struct kerberos_call_credential_acquire *call, uint64_t *out)
{
    uint64_t *place = use == CALL_USE_INITIATE ? &credential->initiator : &credential->acceptor;
    struct retired *retired = malloc(sizeof(*retired));
    uint64_t spare = call->credential;
    if (retired) {
        AcquireSRWLockExclusive(&credential->lock);
        if (*place == seen) {
            *retired = (struct retired){credential->retired, seen};
            if (seen) credential->retired = retired;
            *place = call->credential;
            if (use == CALL_USE_INITIATE) credential->expiry = time_from_unix(call->expiry);
            spare = 0;
        }
        *out = *place;
        ReleaseSRWLockExclusive(&credential->lock);
    }
    library_free(spare);
    if (spare || !seen) free(retired);
    return retired ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

status_t credential_library(struct credential *credential, uint32_t use, uint64_t *out)
{
    struct kerberos_call_credential_acquire call;
    uint64_t seen;
    *out = 0;
    if (use == CALL_USE_INITIATE && credential->is_default) return SEC_E_OK;
    AcquireSRWLockShared(&credential->lock);
    bool usable = is_usable(credential, use, &seen);
    ReleaseSRWLockShared(&credential->lock);
    if (usable) {
        *out = seen;
        return SEC_E_OK;
    }
    bool logs_on = use == CALL_USE_INITIATE && credential->has_password;
    if (logs_on && realm_is_absent(blob_slice(&credential->principal)))
        return SEC_E_NO_AUTHENTICATING_AUTHORITY;
    status_t status = library_acquire(credential, use, &call);
    if (logs_on && status == SEC_E_NO_AUTHENTICATING_AUTHORITY)
        realm_note_absent(blob_slice(&credential->principal));
    return status_ok(status) ? library_store(credential, seen, use, &call, out) : status;
}

status_t credential_from_library(uint64_t initiator, struct slice principal,
                                 struct credential **out)
{
    struct credential *credential = credential_new(SECPKG_CRED_OUTBOUND);
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = blob_set(&credential->principal, principal);
    if (!status_ok(status)) {
        credential_release(credential);
        return status;
    }
    credential->adopted = true;
    credential->initiator = initiator;
    *out = credential;
    return SEC_E_OK;
}

status_t credential_from_evidence(struct slice token, struct slice principal,
                                  struct credential **out)
{
    struct credential *credential = credential_new(SECPKG_CRED_OUTBOUND);
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = blob_set(&credential->principal, principal);
    if (status_ok(status)) status = blob_set(&credential->evidence, token);
    if (status_ok(status)) *out = credential;
    else credential_release(credential);
    return status;
}

status_t credential_from_password(struct slice principal, struct slice password,
                                  struct credential **out)
{
    struct blob copy = {NULL, 0};
    struct credential *credential = credential_new(SECPKG_CRED_OUTBOUND);
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = blob_set(&credential->principal, principal);
    if (status_ok(status)) status = blob_set(&copy, password);
    if (status_ok(status)) status = password_keep(credential, &copy);
    if (status_ok(status)) *out = credential;
    else credential_release(credential);
    return status;
}

/* ---- what the application gives ---- */

/* One of the texts as UTF-16, terminated; empty for one that was left out. */
static status_t text_read(const struct authdata *given, struct slice text, struct blob *out)
{
    size_t capacity = text.size + 2, length = 0;
    wchar_t *room = calloc(capacity, sizeof(*room));
    if (!room) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = authdata_text(given, text, room, capacity, &length);
    if (!status_ok(status)) {
        secret_free(room, capacity * sizeof(*room));
        return status;
    }
    blob_clear(out);
    *out = (struct blob){(uint8_t *)room, length * sizeof(*room)};
    return SEC_E_OK;
}

static status_t password_read(struct credential *credential, const struct authdata *given)
{
    struct blob wide = {NULL, 0}, password = {NULL, 0};
    status_t status = text_read(given, given->password, &wide);
    if (status_ok(status)) status = utf8_make(blob_slice(&wide), &password);
    if (status == SEC_E_INVALID_PARAMETER) status = SEC_E_UNKNOWN_CREDENTIALS; /* no text */
    blob_clear(&wide);
    return status_ok(status) ? password_keep(credential, &password) : status;
}

static status_t process_user(struct blob *out)
{
    wchar_t name[USER_CHARS];
    DWORD size = ARRAYSIZE(name);
    if (!GetUserNameW(name, &size) || size < 2) return SEC_E_NO_CREDENTIALS;
    return blob_set(out, (struct slice){(const uint8_t *)name, (size - 1) * sizeof(*name)});
}

/* DOMAIN\user in the place of the user alone. */
static status_t user_split(struct blob *user, struct blob *domain)
{
    wchar_t *text = (wchar_t *)user->data, *slash = domain->size ? NULL : wcschr(text, '\\');
    if (!slash) return SEC_E_OK;
    size_t before = (size_t)(slash - text) * sizeof(*text), behind = before + sizeof(*text);
    status_t status = blob_set(domain, (struct slice){user->data, before});
    if (!status_ok(status)) return status;
    size_t left = user->size - behind;
    memmove(user->data, user->data + behind, left + sizeof(*text));
    user->size = left;
    return SEC_E_OK;
}

static status_t named_read(struct credential *credential, const struct authdata *given)
{
    status_t status = text_read(given, given->user, &credential->user);
    if (status_ok(status)) status = text_read(given, given->domain, &credential->domain);
    if (status_ok(status)) status = user_split(&credential->user, &credential->domain);
    /* What is left out is the process user's, as far as it can be. */
    if (status_ok(status) && !credential->user.size) status = process_user(&credential->user);
    if (!status_ok(status)) return status;
    status = user_principal(blob_slice(&credential->user), blob_slice(&credential->domain),
                            &credential->principal);
    if (status_ok(status) && given->password.data) status = password_read(credential, given);
    return status;
}

/* Nothing given is the user of this process; user and password given but empty are nobody, who has
 * no tickets. */
static status_t identity_read(struct credential *credential, const void *auth_data)
{
    struct authdata given;
    status_t status = authdata_parse(auth_data, &given);
    if (!status_ok(status)) return status;
    bool named = given.user.size || given.domain.size || given.password.size;
    bool nothing = !given.user.data && !given.domain.data && !given.password.data;
    if (named) status = named_read(credential, &given);
    else if (nothing) credential->is_default = true;
    else
        status = given.user.data && given.password.data ? SEC_E_NO_CREDENTIALS
                                                        : SEC_E_UNKNOWN_CREDENTIALS;
    authdata_clear(&given);
    return status;
}

/* A client without auth data can name which of the user's principals it means. The name of the
 * process's user means whichever is the default. */
static status_t principal_read(struct credential *credential, const UNICODE_STRING *principal)
{
    bool matters = credential->is_default &&
                   (credential->use & SECPKG_CRED_BOTH) == SECPKG_CRED_OUTBOUND;
    if (!matters || !principal || !principal->Buffer || !principal->Length) return SEC_E_OK;
    struct slice text = {(const uint8_t *)principal->Buffer, principal->Length};
    size_t length = principal->Length / sizeof(wchar_t), slash = 0;
    for (size_t i = 0; i < length; i++)
        if (principal->Buffer[i] == '\\') slash = i + 1;
    struct slice user = slice_rest(text, 2 * slash);
    struct slice domain = {text.data, slash ? 2 * (slash - 1) : 0};
    struct blob own = {NULL, 0};
    status_t status = process_user(&own);
    if (!status_ok(status)) return status;
    bool is_own = CompareStringOrdinal((wchar_t *)own.data, (int)(own.size / 2),
                                       (const wchar_t *)user.data, (int)(user.size / 2),
                                       TRUE) == CSTR_EQUAL;
    blob_clear(&own);
    if (is_own) return SEC_E_OK;
    credential->is_default = false;
    return user_principal(user, domain, &credential->principal);
}

/* ---- acquiring ---- */

/* SECPKG_CRED_DEFAULT asks for nothing that can be told; a process policy alone gives nothing;
 * AUTOLOGON_RESTRICTED keeps to what the application itself has given. */
static status_t use_check(ULONG use, bool is_default)
{
    ULONG direction = use & SECPKG_CRED_BOTH;
    ULONG known = SECPKG_CRED_BOTH | SECPKG_CRED_DEFAULT | SECPKG_CRED_AUTOLOGON_RESTRICTED |
                  SECPKG_CRED_PROCESS_POLICY_ONLY;
    if (!direction || use & ~known) return SEC_E_UNKNOWN_CREDENTIALS;
    if (use & SECPKG_CRED_PROCESS_POLICY_ONLY) return SEC_E_NO_CREDENTIALS;
    bool found = is_default && direction & SECPKG_CRED_OUTBOUND;
    return use & SECPKG_CRED_AUTOLOGON_RESTRICTED && found ? SEC_E_NO_CREDENTIALS : SEC_E_OK;
}

/* What belongs to the user of this process is not for a thread that acts for a foreign client: nor
 * are the user's tickets by the name of their principal. */
static status_t owner_check(const struct credential *credential)
{
    bool own = credential->is_default || !credential->has_password;
    bool outbound = credential->use & SECPKG_CRED_OUTBOUND;
    return outbound && own && foreign_caller() ? SEC_E_NO_CREDENTIALS : SEC_E_OK;
}

/* Whether one can serve without a keytab: with a library that has user-to-user, and tickets. */
static bool has_own_tickets(const struct credential *credential)
{
    struct kerberos_call_credential_acquire call;
    struct kerberos_call_library library = {.name = ""};
    if (foreign_caller()) return false;
    if (!status_ok(library_call(KERBEROS_CALL_LIBRARY, &library)) || !library.tickets) return false;
    if (!status_ok(library_acquire(credential, CALL_USE_INITIATE, &call))) return false;
    library_free(call.credential);
    return true;
}

/* A server with neither finds out now. */
static status_t keytab_check(struct credential *credential)
{
    uint64_t acceptor;
    if ((credential->use & SECPKG_CRED_BOTH) != SECPKG_CRED_INBOUND) return SEC_E_OK;
    status_t status = credential_library(credential, CALL_USE_ACCEPT, &acceptor);
    if (status != SEC_E_NO_CREDENTIALS || !has_own_tickets(credential)) return status;
    TRACE("there is no keytab: only user-to-user is possible\n");
    return SEC_E_OK;
}

/* A thread with the token of a log-on: those of that session. */
static struct credential *logon_of_caller(void)
{
    const LSA_SECPKG_FUNCTION_TABLE *host = package_host();
    SECPKG_CLIENT_INFO info;
    bool known = foreign_caller() && host && host->GetClientInfo && !host->GetClientInfo(&info);
    return known ? session_credential(&info.LogonId) : NULL;
}

/* Take the place of default ones: those with which the caller acts for its client. */
static bool credential_replace(struct credential **credential)
{
    bool matters = (*credential)->is_default &&
                   ((*credential)->use & SECPKG_CRED_BOTH) == SECPKG_CRED_OUTBOUND;
    struct credential *delegated = matters ? delegation_of_caller() : NULL;
    if (matters && !delegated) delegated = logon_of_caller();
    if (!delegated) return false;
    credential_release(*credential);
    *credential = delegated;
    return true;
}

static status_t credential_fill(struct credential **place, const UNICODE_STRING *principal,
                                const void *auth_data)
{
    struct credential *credential = *place;
    /* Who only accepts needs no identity. */
    bool outbound = credential->use & SECPKG_CRED_OUTBOUND;
    status_t status = crypto_ready();
    if (status_ok(status)) status = identity_read(credential, outbound ? auth_data : NULL);
    if (status_ok(status)) status = use_check(credential->use, credential->is_default);
    if (status_ok(status)) status = principal_read(credential, principal);
    if (!status_ok(status) || credential_replace(place)) return status;
    status = owner_check(credential);
    if (status_ok(status)) status = keytab_check(credential);
    return status;
}

NTSTATUS NTAPI credentials_acquire(UNICODE_STRING *principal, ULONG use, LUID *logon_id,
                                   void *auth_data, void *get_key, void *get_key_argument,
                                   LSA_SEC_HANDLE *handle, TimeStamp *expiry)
{
    (void)logon_id;
    (void)get_key;
    (void)get_key_argument;
    struct credential *credential = credential_new(use);
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = credential_fill(&credential, principal, auth_data);
    TRACE("use %#lx, %s %.*s: status %#lx\n", use, credential->is_default ? "default" : "given",
          (int)credential->principal.size, (const char *)credential->principal.data, (ULONG)status);
    if (!status_ok(status)) {
        credential_release(credential);
        return status;
    }
    *handle = (LSA_SEC_HANDLE)credential;
    if (expiry) package_never(expiry);
    return SEC_E_OK;
}

NTSTATUS NTAPI credentials_free(LSA_SEC_HANDLE handle)
{
    credential_release((struct credential *)handle);
    return SEC_E_OK;
}

/* ---- attributes ---- */

/* Of default ones, whose they are now. */
static status_t default_name(ULONG use, struct blob *out)
{
    struct kerberos_call_credential_acquire call = {
        .use = use & SECPKG_CRED_OUTBOUND ? CALL_USE_INITIATE : CALL_USE_ACCEPT};
    status_t status = library_call(KERBEROS_CALL_CREDENTIAL_ACQUIRE, &call);
    if (!status_ok(status)) return status;
    library_free(call.credential);
    size_t size = min(call.name_size, sizeof(call.name));
    return blob_set(out, (struct slice){(const uint8_t *)call.name, size});
}

static status_t query_names(const struct credential *credential, SecPkgCredentials_NamesW *out)
{
    struct blob principal = {NULL, 0}, name = {NULL, 0};
    status_t status = credential->is_default
                          ? default_name(credential->use, &principal)
                          : blob_set(&principal, blob_slice(&credential->principal));
    if (status_ok(status)) status = utf16_make(blob_slice(&principal), &name);
    wchar_t *copy = status_ok(status) ? answer_text(blob_slice(&name)) : NULL;
    if (status_ok(status) && !copy) status = SEC_E_INSUFFICIENT_MEMORY;
    if (status_ok(status)) out->sUserName = copy;
    blob_clear(&principal);
    blob_clear(&name);
    return status;
}

NTSTATUS NTAPI credentials_query(LSA_SEC_HANDLE handle, ULONG attribute, void *buffer)
{
    const struct credential *credential = (const struct credential *)handle;
    if (attribute == SECPKG_CRED_ATTR_CERT) return SEC_E_NO_CREDENTIALS; /* no smart card */
    if (attribute != SECPKG_CRED_ATTR_NAMES) return SEC_E_UNSUPPORTED_FUNCTION;
    return buffer ? query_names(credential, buffer) : SEC_E_INVALID_PARAMETER;
}

/* Which KDC is asked, and through which proxy, is in the configuration of the host: a program is
 * told that its wish was heard, as on Windows, where a proxy may turn out not to be needed. */
NTSTATUS NTAPI credentials_set(LSA_SEC_HANDLE handle, ULONG attribute, void *buffer, ULONG size)
{
    (void)handle;
    const SecPkgCredentials_KdcProxySettingsW *settings = buffer;
    if (attribute != SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS) return SEC_E_UNSUPPORTED_FUNCTION;
    if (!settings || size < sizeof(*settings) || settings->Version != KDC_PROXY_SETTINGS_V1)
        return SEC_E_INVALID_PARAMETER;
    WARN("KDCs are found by the host's configuration, not by the program's proxy\n");
    return SEC_E_OK;
}
