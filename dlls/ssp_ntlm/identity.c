/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who an application says it is, by the auth data it gives. Of a password only hashes are kept:
 * NTOWFv1, and LMOWFv1 (MS-NLMP 3.3.1) where the policy lets a client send LM responses. The
 * package list is for Negotiate and not looked at here.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/prefix.h"

#include <string.h>
#include <wchar.h>

#define LM_PASSWORD_SIZE 14u

static status_t name_read(const struct authdata *given, struct slice text, struct name *out)
{
    struct name name = {0};
    status_t status = authdata_text(given, text, name.text, ARRAYSIZE(name.text), &name.length);
    if (!status_ok(status)) return status;
    return name_set(out, name_slice(&name)) ? SEC_E_OK : SEC_E_UNKNOWN_CREDENTIALS;
}

void user_split(struct name *user, struct name *domain)
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

/* ---- hashes ---- */

/* There is none of a password that is longer than 14 bytes or has characters that the OEM code
 * page lacks. */
static status_t lm_hash(const struct name *password, struct identity *identity)
{
    struct name upper = *password;
    uint8_t oem[LM_PASSWORD_SIZE] = {0};
    BOOL replaced = FALSE;
    name_upper(&upper);
    int written = 1;
    if (upper.length)
        written = WideCharToMultiByte(CP_OEMCP, WC_NO_BEST_FIT_CHARS, upper.text, (int)upper.length,
                                      (char *)oem, sizeof(oem), NULL, &replaced);
    identity->has_lm = written > 0 && !replaced;
    status_t status = identity->has_lm ? ntlm_lm_hash(oem, identity->lm_hash) : SEC_E_OK;
    secret_wipe(&upper, sizeof(upper));
    secret_wipe(oem, sizeof(oem));
    return status;
}

/* A password is any sequence of at most 256 UTF-16 units, valid text or not. */
static status_t password_hash(const struct authdata *given, struct identity *identity)
{
    struct name password = {0};
    status_t status = crypto_ready();
    if (status_ok(status))
        status = authdata_text(given, given->password, password.text, ARRAYSIZE(password.text),
                               &password.length);
    if (status_ok(status)) status = ntlm_nt_hash(name_slice(&password), identity->nt_hash);
    if (status_ok(status) && policy_may_send_lm()) status = lm_hash(&password, identity);
    secret_wipe(&password, sizeof(password));
    return status;
}

/* ---- meaning ---- */

static status_t named_identity(const struct authdata *given, struct identity *out)
{
    struct identity identity = {0};
    status_t status = name_read(given, given->user, &identity.user);
    if (status_ok(status)) status = name_read(given, given->domain, &identity.domain);
    if (!status_ok(status)) return status;
    user_split(&identity.user, &identity.domain);
    status = fill_defaults(&identity);
    if (status_ok(status)) status = password_hash(given, &identity);
    if (status_ok(status)) *out = identity;
    secret_wipe(&identity, sizeof(identity));
    return status;
}

status_t identity_set(const struct authdata *given, struct identity *out)
{
    if (given->user.size || given->domain.size || given->password.size)
        return named_identity(given, out);

    /* Nothing given is the process user, and user and password given but empty are nobody. Other
     * mixtures of the two could be meant either way. */
    bool anonymous = given->user.data && given->password.data;
    bool nothing = !given->user.data && !given->domain.data && !given->password.data;
    if (!anonymous && !nothing) return SEC_E_UNKNOWN_CREDENTIALS;
    *out = (struct identity){.is_default = nothing, .anonymous = anonymous};
    return SEC_E_OK;
}

status_t identity_parse(const void *auth_data, struct identity *out)
{
    struct authdata given;
    struct name user;
    status_t status = authdata_parse(auth_data, &given);
    if (!status_ok(status)) return status;
    bool alone = given.user.size && !given.domain.size;
    if (alone && status_ok(name_read(&given, given.user, &user)) && saved_is_reference(&user))
        status = saved_for_reference(&user, out);
    else status = identity_set(&given, out);
    authdata_clear(&given);
    return status;
}
