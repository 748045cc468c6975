/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Windows side of the house: the published SSPI and SSP/AP declarations, and the parts of
 * them that MinGW-w64's ntsecpkg.h lacks. Nothing of ours is declared here.
 */
#pragma once

#ifndef SECURITY_WIN32
#define SECURITY_WIN32
#endif
#define _NO_KSECDD_IMPORT_ /* secur32 itself is built with these declarations */
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>

#include <wincred.h>

#include <ntsecapi.h>
#include <security.h>
#include <ntsecpkg.h>
#include <sspi.h>

#include "core/status.h"

#ifndef SECPKG_ID_NONE
#define SECPKG_ID_NONE 0xFFFF
#endif

/* SECPKG_DLL_FUNCTIONS with the member that the header leaves out. */
struct dll_function_table {
    SECPKG_DLL_FUNCTIONS declared;
    void *(NTAPI *LocatePackageById)(ULONG id); /* a SECPKG_USER_FUNCTION_TABLE */
};

/* SECPKG_FUNCTION_TABLE with the member that version 4 adds. */
#define SECPKG_INTERFACE_VERSION_4 0x00080000
typedef NTSTATUS(NTAPI SpChangeAccountPasswordFn)(UNICODE_STRING *domain, UNICODE_STRING *account,
                                                  UNICODE_STRING *old_password,
                                                  UNICODE_STRING *new_password,
                                                  BOOLEAN impersonating, SecBufferDesc *output);
struct package_function_table {
    SECPKG_FUNCTION_TABLE declared;
    SpChangeAccountPasswordFn *ChangeAccountPassword;
};
