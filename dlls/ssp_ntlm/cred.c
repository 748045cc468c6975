/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credentials. A handle is a counted reference: a context keeps its credential until its
 * handshake is complete, whether or not the application has freed the handle by then. The
 * principal name and the key function are not used by this package.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/trace.h"

#include <stdlib.h>

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

/* SECPKG_CRED_DEFAULT asks for nothing that can be told; a process policy alone gives nothing. */
static status_t use_check(ULONG use, bool is_default)
{
    ULONG direction = use & SECPKG_CRED_BOTH;
    ULONG known = SECPKG_CRED_BOTH | SECPKG_CRED_AUTOLOGON_RESTRICTED |
                  SECPKG_CRED_PROCESS_POLICY_ONLY;
    if (!direction || use & ~known) return SEC_E_UNKNOWN_CREDENTIALS;
    if (use & SECPKG_CRED_PROCESS_POLICY_ONLY) return SEC_E_NO_CREDENTIALS;
    bool outbound_default = is_default && direction & SECPKG_CRED_OUTBOUND;
    if (use & SECPKG_CRED_AUTOLOGON_RESTRICTED && outbound_default) return SEC_E_NO_CREDENTIALS;
    return SEC_E_OK;
}

NTSTATUS NTAPI credentials_acquire(UNICODE_STRING *principal, ULONG use, LUID *logon_id,
                                   void *auth_data, void *get_key, void *get_key_argument,
                                   LSA_SEC_HANDLE *handle, TimeStamp *expiry)
{
    (void)principal;
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
    if (status_ok(status)) status = use_check(use, credential->identity.is_default);
    TRACE("use %#lx, %s user %s: status %#lx\n", use, identity->is_default ? "default" : "given",
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

    struct slice user = name_slice(&identity->user), domain = name_slice(&identity->domain);
    if (identity->is_default) {
        const struct host *host = host_get();
        if (!host) return SEC_E_INTERNAL_ERROR;
        user = name_slice(&host->user);
        domain = name_slice(&host->computer);
    }
    wchar_t *joined = names_join(domain, user);
    if (!joined) return SEC_E_INSUFFICIENT_MEMORY;
    names->sUserName = joined;
    return SEC_E_OK;
}
