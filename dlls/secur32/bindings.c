/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SspiSetChannelBindingFlags: a server says that it wants channel bindings audited by giving them
 * in the extended form, SEC_CHANNEL_BINDINGS_EX (sspi.h of the Windows SDK).
 */
#include "exports.h"

#include <string.h>

/* Not in MinGW's sspi.h. */
#define BINDINGS_EX_MAGIC 0x58454243u /* 'XEBC' */
#define BINDINGS_VALID_FLAGS 0x1u     /* SEC_CHANNEL_BINDINGS_AUDIT_BINDINGS */

struct bindings_ex {
    ULONG magic, flags, header_size, size;
    SEC_CHANNEL_BINDINGS bindings;
};

SECURITY_STATUS WINAPI SspiSetChannelBindingFlags(SecPkgContext_Bindings *bindings, ULONG flags);

static bool is_extended(const SecPkgContext_Bindings *bindings)
{
    const struct bindings_ex *ex = (const struct bindings_ex *)bindings->Bindings;
    return bindings->BindingsLength >= sizeof(*ex) && ex->magic == BINDINGS_EX_MAGIC;
}

/* Offsets count from the start of the structure, which now comes earlier. */
static void offsets_shift(SEC_CHANNEL_BINDINGS *bindings, ULONG by)
{
    if (bindings->cbInitiatorLength) bindings->dwInitiatorOffset += by;
    if (bindings->cbAcceptorLength) bindings->dwAcceptorOffset += by;
    if (bindings->cbApplicationDataLength) bindings->dwApplicationDataOffset += by;
}

static status_t extend(SecPkgContext_Bindings *bindings)
{
    const ULONG added = sizeof(struct bindings_ex) - sizeof(SEC_CHANNEL_BINDINGS);
    ULONG size = bindings->BindingsLength;
    if (size < sizeof(SEC_CHANNEL_BINDINGS) || size > MAXLONG) return SEC_E_INVALID_PARAMETER;
    struct bindings_ex *ex = HeapAlloc(GetProcessHeap(), 0, size + added);
    if (!ex) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(&ex->bindings, bindings->Bindings, size);
    offsets_shift(&ex->bindings, added);
    ex->magic = BINDINGS_EX_MAGIC;
    ex->header_size = sizeof(*ex);
    ex->size = size + added;
    FreeContextBuffer(bindings->Bindings);
    bindings->Bindings = (SEC_CHANNEL_BINDINGS *)ex;
    bindings->BindingsLength = ex->size;
    return SEC_E_OK;
}

/* The bindings are those that QueryContextAttributes gave, a block for FreeContextBuffer, and so is
 * what takes their place. */
SECURITY_STATUS WINAPI SspiSetChannelBindingFlags(SecPkgContext_Bindings *bindings, ULONG flags)
{
    if (!bindings || !bindings->Bindings || flags & ~BINDINGS_VALID_FLAGS)
        return SEC_E_INVALID_PARAMETER;
    status_t status = is_extended(bindings) ? SEC_E_OK : extend(bindings);
    if (status_ok(status)) ((struct bindings_ex *)bindings->Bindings)->flags = flags;
    return status;
}
