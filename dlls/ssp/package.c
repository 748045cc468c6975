/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Descriptions of packages; see ssp/package.h. */
#include "ssp/package.h"

#include "ssp/answer.h"
#include "ssp/provider.h"

#include <string.h>

status_t package_info_give(SecPkgInfoW **out)
{
    SecPkgInfoW info;
    package_info_get(&info);
    SecPkgInfoW *copy = answer_package(&info);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    *out = copy;
    return SEC_E_OK;
}

/* MinGW declares the A form without UNICODE. */
NTSTATUS NTAPI package_get_info(SecPkgInfo *info)
{
    package_info_get((SecPkgInfoW *)info);
    return STATUS_SUCCESS;
}

/* One block of the host's, which the host frees. */
NTSTATUS NTAPI package_initialize_logons(ULONG id, LSA_DISPATCH_TABLE *dispatch,
                                         LSA_STRING *database, LSA_STRING *confidentiality,
                                         LSA_STRING **name)
{
    (void)id;
    (void)database;
    (void)confidentiality;
    size_t length = strlen(package_logon_name), size = sizeof(LSA_STRING) + length + 1;
    bool hosted = dispatch && dispatch->AllocateLsaHeap;
    LSA_STRING *string = hosted ? dispatch->AllocateLsaHeap((ULONG)size) : package_alloc(size);
    if (!string) return STATUS_NO_MEMORY;
    string->Length = (USHORT)length;
    string->MaximumLength = (USHORT)(length + 1);
    string->Buffer = (char *)(string + 1);
    memcpy(string->Buffer, package_logon_name, length + 1);
    *name = string;
    return STATUS_SUCCESS;
}
