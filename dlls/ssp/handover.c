/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Exports and imports of contexts; see ssp/handover.h. */
#include "ssp/handover.h"

#include "core/secret.h"

status_t handover_check(ULONG flags, const SecBuffer *packed)
{
    if (flags & SECPKG_CONTEXT_EXPORT_TO_KERNEL) return SEC_E_UNSUPPORTED_FUNCTION;
    return flags & ~HANDOVER_FLAGS || !packed ? SEC_E_INVALID_PARAMETER : SEC_E_OK;
}

/* Into a block of that size; SEC_E_BUFFER_TOO_SMALL when it does not do. */
static status_t pack_into(handover_write *write, const void *object, size_t room, SecBuffer *out)
{
    struct writer w;
    void *block = package_alloc(room);
    if (!block) return SEC_E_INSUFFICIENT_MEMORY;
    writer_init_fixed(&w, block, room);
    write(object, &w);
    status_t status = writer_status(&w);
    if (status_ok(status)) {
        *out = (SecBuffer){(ULONG)w.size, SECBUFFER_TOKEN, block};
        return SEC_E_OK;
    }
    secret_wipe(block, room);
    package_free(block);
    return status;
}

/* What it needs, when the usual does not do. */
static status_t measure(handover_write *write, const void *object, size_t *size)
{
    struct writer w;
    writer_init(&w);
    write(object, &w);
    status_t status = writer_status(&w);
    *size = w.size;
    writer_free(&w);
    return status;
}

status_t handover_pack(handover_write *write, const void *object, size_t usual, SecBuffer *out)
{
    status_t status = pack_into(write, object, usual, out);
    if (status != SEC_E_BUFFER_TOO_SMALL) return status;
    size_t size;
    status = measure(write, object, &size);
    return status_ok(status) ? pack_into(write, object, size, out) : status;
}

void handover_discard(SecBuffer *packed)
{
    if (packed->pvBuffer) secret_wipe(packed->pvBuffer, packed->cbBuffer);
    package_free(packed->pvBuffer);
    packed->pvBuffer = NULL;
}

status_t handover_token(HANDLE given, HANDLE *out)
{
    TOKEN_TYPE type;
    DWORD size;
    if (!GetTokenInformation(given, TokenType, &type, sizeof(type), &size))
        return SEC_E_INVALID_PARAMETER;
    if (!DuplicateHandle(GetCurrentProcess(), given, GetCurrentProcess(), out, 0, FALSE,
                         DUPLICATE_SAME_ACCESS))
        return SEC_E_INSUFFICIENT_MEMORY;
    return SEC_E_OK;
}
