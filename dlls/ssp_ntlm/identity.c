/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who an application says it is, by the auth data it gives. Of a password only the NT hash is
 * kept. The package list is for Negotiate and not looked at here.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/authdata.h"
#include "ssp/prefix.h"

#include <wchar.h>

static status_t name_read(const struct authdata *given, struct slice text, struct name *out)
{
    struct name name = {0};
    status_t status = authdata_text(given, text, name.text, ARRAYSIZE(name.text), &name.length);
    if (!status_ok(status)) return status;
    return name_set(out, name_slice(&name)) ? SEC_E_OK : SEC_E_UNKNOWN_CREDENTIALS;
}

/* A password is any sequence of UTF-16 units, valid text or not. */
static status_t password_hash(const struct authdata *given, uint8_t hash[16])
{
    struct name password = {0};
    status_t status = crypto_ready();
    if (status_ok(status))
        status = authdata_text(given, given->password, password.text, ARRAYSIZE(password.text),
                               &password.length);
    if (status_ok(status)) status = ntlm_nt_hash(name_slice(&password), hash);
    secret_wipe(&password, sizeof(password));
    return status;
}

/* DOMAIN\user in the place of the user. user@REALM stays whole, as NTLM sends it. */
static void user_split(struct name *user, struct name *domain)
{
    const wchar_t *slash = domain->length ? NULL : wcschr(user->text, '\\');
    if (!slash) return;
    size_t before = (size_t)(slash - user->text);
    name_set(domain, text_slice(user->text, before));
    name_set(user, text_slice(slash + 1, user->length - before - 1));
}

/* What is left out is the process user's, as far as it can be. */
static status_t fill_defaults(struct identity *identity)
{
    if (identity->user.length) return SEC_E_OK;
    const struct host *host = host_get();
    if (!host) return SEC_E_INTERNAL_ERROR;
    if (!host->user.length) return SEC_E_NO_CREDENTIALS;
    identity->user = host->user;
    if (!identity->domain.length) identity->domain = host->computer;
    return SEC_E_OK;
}

status_t identity_parse(const void *auth_data, struct identity *out)
{
    struct identity identity = {0};
    struct authdata given;
    status_t status = authdata_parse(auth_data, &given);
    if (!status_ok(status)) return status;

    identity.is_default = !given.user.data && !given.domain.data && !given.password.data;
    if (identity.is_default) {
        *out = identity;
        return SEC_E_OK;
    }
    /* All there and all empty asks for an anonymous logon, which is not offered. */
    if (!given.user.size && !given.domain.size && !given.password.size)
        return SEC_E_UNKNOWN_CREDENTIALS;

    status = name_read(&given, given.user, &identity.user);
    if (status_ok(status)) status = name_read(&given, given.domain, &identity.domain);
    if (!status_ok(status)) return status;
    user_split(&identity.user, &identity.domain);
    status = fill_defaults(&identity);
    if (!status_ok(status)) return status;
    status = password_hash(&given, identity.nt_hash);
    if (status_ok(status)) *out = identity;
    secret_wipe(&identity, sizeof(identity));
    return status;
}
