/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What identities are to the credential manager: the arguments of CredRead and CredWrite. A
 * password is a credential of type CRED_TYPE_DOMAIN_PASSWORD; without a target it is that of its
 * own account.
 */
#include "opaque.h"

static status_t name_give(const struct identity_parts *parts, WCHAR **out)
{
    struct writer w;
    if (!parts->user.size) return SEC_E_INVALID_PARAMETER;
    writer_init(&w);
    writer_slice(&w, parts->domain);
    if (parts->domain.size) writer_u16le(&w, '\\');
    writer_slice(&w, parts->user);
    status_t status = writer_status(&w);
    if (status_ok(status)) status = opaque_give_text(writer_view(&w), out);
    writer_free(&w);
    return status;
}

static status_t target_give(const struct identity_parts *parts, PCWSTR target, WCHAR **out)
{
    return target ? opaque_give_text(opaque_text(target), out) : name_give(parts, out);
}

static status_t saved_read(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity, struct opaque *opaque,
                           struct slice *password)
{
    if (!identity) return SEC_E_INVALID_PARAMETER;
    status_t status = opaque_read(identity, opaque);
    if (!status_ok(status)) return status;
    status = opaque_open(opaque);
    if (status_ok(status)) status = opaque_password(opaque, password);
    if (!status_ok(status)) opaque_clear(opaque);
    return status;
}

SECURITY_STATUS WINAPI SspiPrepareForCredRead(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity,
                                              PCWSTR target, ULONG *type, PCWSTR *name)
{
    struct opaque opaque;
    struct slice password;
    WCHAR *text = NULL;
    if (!type || !name) return SEC_E_INVALID_PARAMETER;
    status_t status = saved_read(identity, &opaque, &password);
    if (!status_ok(status)) return status;
    status = target_give(&opaque.parts, target, &text);
    if (status_ok(status)) {
        *type = CRED_TYPE_DOMAIN_PASSWORD;
        *name = text;
    }
    opaque_clear(&opaque);
    return status;
}

SECURITY_STATUS WINAPI SspiPrepareForCredWrite(PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity,
                                               PCWSTR target, ULONG *type, PCWSTR *name,
                                               PCWSTR *user, UCHAR **blob, ULONG *blob_size)
{
    struct opaque opaque;
    struct slice password;
    WCHAR *target_text = NULL, *user_text = NULL;
    void *bytes = NULL;
    if (!type || !name || !user || !blob || !blob_size) return SEC_E_INVALID_PARAMETER;
    status_t status = saved_read(identity, &opaque, &password);
    if (!status_ok(status)) return status;
    status = name_give(&opaque.parts, &user_text);
    if (status_ok(status)) status = target_give(&opaque.parts, target, &target_text);
    if (status_ok(status)) status = opaque_give_bytes(password, &bytes);
    if (status_ok(status)) {
        *type = CRED_TYPE_DOMAIN_PASSWORD;
        *name = target_text;
        *user = user_text;
        *blob = bytes;
        *blob_size = (ULONG)password.size;
    } else {
        opaque_release(target_text);
        opaque_release(user_text);
    }
    opaque_clear(&opaque);
    return status;
}
