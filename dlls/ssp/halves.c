/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The life of a context; see ssp/halves.h. */
#include "ssp/halves.h"

#include "ssp/provider.h"

static volatile LONG *halves_of(LSA_SEC_HANDLE handle)
{
    return (volatile LONG *)handle;
}

static NTSTATUS half_delete(LSA_SEC_HANDLE handle, LONG half)
{
    if (InterlockedAnd(halves_of(handle), ~half) == half) context_free((struct context *)handle);
    return SEC_E_OK;
}

NTSTATUS NTAPI context_delete_lsa(LSA_SEC_HANDLE handle)
{
    return half_delete(handle, HALF_LSA);
}

NTSTATUS NTAPI context_delete_user(LSA_SEC_HANDLE handle)
{
    return half_delete(handle, HALF_USER);
}

NTSTATUS NTAPI context_init_user(LSA_SEC_HANDLE handle, SecBuffer *packed)
{
    InterlockedOr(halves_of(handle), HALF_USER);
    if (packed) package_free(packed->pvBuffer);
    return SEC_E_OK;
}
