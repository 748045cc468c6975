/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See transfer.h. The blob that the system gives is copied and wiped, so that it has one owner and
 * one way to be released, and the promise of DELETE_OLD is checked rather than believed.
 */
#include "transfer.h"

#include "core/secret.h"

SECURITY_STATUS transfer_export(CtxtHandle *context, struct writer *blob)
{
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    SECURITY_STATUS status = ExportSecurityContext(context, SECPKG_CONTEXT_EXPORT_DELETE_OLD,
                                                   &packed, NULL);
    if (status != SEC_E_OK) return status;
    if (packed.pvBuffer) writer_bytes(blob, packed.pvBuffer, packed.cbBuffer);
    status = packed.cbBuffer ? writer_status(blob) : SEC_E_INTERNAL_ERROR;
    if (packed.pvBuffer) secret_wipe(packed.pvBuffer, packed.cbBuffer);
    FreeContextBuffer(packed.pvBuffer);
    /* The blob exists, so whatever the old handle says, it must not be used any more. */
    SecPkgContext_Flags flags;
    SECURITY_STATUS old = QueryContextAttributesW(context, SECPKG_ATTR_FLAGS, &flags);
    if (old != SEC_E_INVALID_HANDLE && status == SEC_E_OK) status = SEC_E_INTERNAL_ERROR;
    SecInvalidateHandle(context);
    return status;
}

SECURITY_STATUS transfer_import(wchar_t *package, struct slice blob, CtxtHandle *context)
{
    if (blob.size > UINT32_MAX) return SEC_E_INVALID_TOKEN;
    SecBuffer packed = {(ULONG)blob.size, SECBUFFER_TOKEN, (void *)blob.data};
    CtxtHandle imported;
    SECURITY_STATUS status = ImportSecurityContextW(package, &packed, NULL, &imported);
    if (status == SEC_E_OK) *context = imported;
    return status;
}
