/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credentials. A handle is a counted reference: a context keeps its credential until its
 * handshake is complete, whether or not the application has freed the handle by then. The key
 * function is not used by this package, and there are no attributes to set and no credentials to
 * add: those functions are left out of the package's table.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/foreign.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("ntlm");

struct credential *credential_hold(struct credential *credential)
{
    InterlockedIncrement(&credential->references);
    return credential;
}

void credential_release(struct credential *credential)
{
    if (!credential || InterlockedDecrement(&credential->references)) return;
    secret_free(credential, sizeof(*credential));
}

status_t credential_for_target(const struct credential *credential, struct slice target,
                               struct identity *out)
{
    struct identity identity = credential->identity;
    if (identity.is_default) return saved_for_target(target, out);
    if (identity.anonymous) return SEC_E_NO_CREDENTIALS;
    status_t status = hash_unmask(&credential->nt_hash, identity.nt_hash);
    if (status_ok(status) && identity.has_lm)
        status = hash_unmask(&credential->lm_hash, identity.lm_hash);
    if (status_ok(status)) *out = identity;
    secret_wipe(&identity, sizeof(identity));
    return status;
}

/* ---- acquiring ---- */

/* SECPKG_CRED_DEFAULT asks for nothing that can be told; a process policy alone gives nothing;
 * AUTOLOGON_RESTRICTED keeps to what the application itself has given. */
static status_t use_check(ULONG use, const struct identity *identity)
{
    ULONG direction = use & SECPKG_CRED_BOTH;
    ULONG known = SECPKG_CRED_BOTH | SECPKG_CRED_DEFAULT | SECPKG_CRED_AUTOLOGON_RESTRICTED |
                  SECPKG_CRED_PROCESS_POLICY_ONLY;
    if (!direction || use & ~known) return SEC_E_UNKNOWN_CREDENTIALS;
    if (use & SECPKG_CRED_PROCESS_POLICY_ONLY) return SEC_E_NO_CREDENTIALS;
    bool found = (identity->is_default || identity->is_saved) && direction & SECPKG_CRED_OUTBOUND;
    if (use & SECPKG_CRED_AUTOLOGON_RESTRICTED && found) return SEC_E_NO_CREDENTIALS;
    return SEC_E_OK;
}

/* The process user by name, with this machine as its domain or with any realm: which realm it
 * may have is not known here. */
static bool is_own_name(const UNICODE_STRING *principal)
{
    const struct host *host = host_get();
    struct name user, domain = {0};
    if (!host || !name_set(&user, text_slice(principal->Buffer, principal->Length / 2)))
        return false;
    user_split(&user, &domain);
    if (domain.length && !name_equal(&domain, &host->computer)) return false;
    if (!domain.length) {
        user.length = wcscspn(user.text, L"@");
        user.text[user.length] = 0;
    }
    return name_equal(&user, &host->user);
}

/* Who offers default credentials can name their owner. With others the name says nothing, and
 * servers name their service. */
static status_t principal_check(const UNICODE_STRING *principal, ULONG use, bool is_default)
{
    bool given = principal && principal->Buffer && principal->Length;
    bool matters = is_default && (use & SECPKG_CRED_BOTH) == SECPKG_CRED_OUTBOUND;
    return !given || !matters || is_own_name(principal) ? SEC_E_OK : SEC_E_NOT_OWNER;
}

/* What belongs to the user of this process is not for a thread that acts for a foreign client: nor
 * by an identity without names, or a reference to a saved one. */
static status_t owner_check(ULONG use, const struct identity *identity)
{
    bool own = identity->is_default || identity->is_saved;
    return use & SECPKG_CRED_OUTBOUND && own && foreign_caller() ? SEC_E_NO_CREDENTIALS : SEC_E_OK;
}

/* The hashes do not stay where identity_parse has put them. */
static status_t credential_mask(struct credential *credential)
{
    struct identity *identity = &credential->identity;
    status_t status = SEC_E_OK;
    if (identity->user.length) status = hash_mask(identity->nt_hash, &credential->nt_hash);
    if (status_ok(status) && identity->has_lm)
        status = hash_mask(identity->lm_hash, &credential->lm_hash);
    secret_wipe(identity->nt_hash, sizeof(identity->nt_hash));
    secret_wipe(identity->lm_hash, sizeof(identity->lm_hash));
    return status;
}

static const char *kind_name(const struct identity *identity)
{
    if (identity->is_default) return "default";
    return identity->anonymous ? "anonymous" : "given";
}

NTSTATUS NTAPI credentials_acquire(UNICODE_STRING *principal, ULONG use, LUID *logon_id,
                                   void *auth_data, void *get_key, void *get_key_argument,
                                   LSA_SEC_HANDLE *handle, TimeStamp *expiry)
{
    (void)logon_id;
    (void)get_key;
    (void)get_key_argument;
    char user[TRACE_TEXT_MAX];
    const struct identity *identity;

    struct credential *credential = calloc(1, sizeof(*credential));
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    identity = &credential->identity;
    /* Who only accepts needs no identity, and what is given for one is not looked at. */
    bool outbound = use & SECPKG_CRED_OUTBOUND;
    status_t status = identity_parse(outbound ? auth_data : NULL, &credential->identity);
    if (status_ok(status)) status = use_check(use, identity);
    if (status_ok(status)) status = principal_check(principal, use, identity->is_default);
    if (status_ok(status)) status = owner_check(use, identity);
    if (status_ok(status)) status = credential_mask(credential);
    TRACE("use %#lx, %s user %s: status %#lx\n", use, kind_name(identity),
          trace_wide(user, identity->user.text, -1), (ULONG)status);
    if (!status_ok(status)) {
        secret_free(credential, sizeof(*credential));
        return status;
    }
    credential->references = 1;
    credential->use = use;
    *handle = (LSA_SEC_HANDLE)credential;
    if (expiry) package_never(expiry);
    return SEC_E_OK;
}

NTSTATUS NTAPI credentials_free(LSA_SEC_HANDLE handle)
{
    credential_release((struct credential *)handle);
    return SEC_E_OK;
}

NTSTATUS NTAPI credentials_query(LSA_SEC_HANDLE handle, ULONG attribute, void *buffer)
{
    const struct credential *credential = (const struct credential *)handle;
    const struct identity *identity = &credential->identity;
    SecPkgCredentials_NamesW *names = buffer;
    if (attribute != SECPKG_CRED_ATTR_NAMES) return SEC_E_UNSUPPORTED_FUNCTION;
    if (!names) return SEC_E_INVALID_PARAMETER;

    struct slice user = name_slice(&identity->user), domain = name_slice(&identity->domain);
    if (identity->is_default) {
        const struct host *host = host_get();
        if (!host) return SEC_E_INTERNAL_ERROR;
        user = name_slice(&host->user);
        domain = name_slice(&host->computer);
    }
    wchar_t *joined = answer_account(domain, user);
    if (!joined) return SEC_E_INSUFFICIENT_MEMORY;
    names->sUserName = joined;
    return SEC_E_OK;
}
