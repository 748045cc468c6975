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
#ifndef SECBUFFER_CHANNEL_BINDINGS_RESULT
#define SECBUFFER_CHANNEL_BINDINGS_RESULT 30
#endif

/* SECPKG_DLL_FUNCTIONS with the member that the header leaves out. */
struct dll_function_table {
    SECPKG_DLL_FUNCTIONS declared;
    void *(NTAPI *LocatePackageById)(ULONG id); /* a SECPKG_USER_FUNCTION_TABLE */
};

/* SECPKG_CLIENT_INFO as newer systems have it. */
struct client_info_ex {
    SECPKG_CLIENT_INFO base;
    HANDLE ClientToken;
    LUID IdentificationLogonId;
    HANDLE IdentificationToken;
};

struct secpkg_failure_reason {
    NTSTATUS Status;
    LONG Reason;
};

/* LSA_SECPKG_FUNCTION_TABLE with the members behind CrediWrite. */
struct lsa_function_table {
    LSA_SECPKG_FUNCTION_TABLE declared;
    NTSTATUS(NTAPI *CrediUnmarshalandDecodeString)
    (WCHAR *text, BYTE **blob, ULONG *size, UCHAR *failure_is_fatal);
    LSA_PROTECT_MEMORY *DummyFunction6;
    NTSTATUS(NTAPI *GetExtendedCallFlags)(ULONG *flags);
    LSA_DUPLICATE_HANDLE *DuplicateTokenHandle;
    NTSTATUS(NTAPI *GetServiceAccountPassword)
    (UNICODE_STRING *account, UNICODE_STRING *domain, LONG fetch, FILETIME *expiry,
     UNICODE_STRING *current, UNICODE_STRING *previous, FILETIME *outbound_from);
    LSA_PROTECT_MEMORY *DummyFunction7;
    void(NTAPI *AuditLogonEx)(NTSTATUS status, NTSTATUS sub_status, UNICODE_STRING *account,
                              UNICODE_STRING *authority, UNICODE_STRING *workstation, PSID sid,
                              SECURITY_LOGON_TYPE type, SECURITY_IMPERSONATION_LEVEL level,
                              TOKEN_SOURCE *source, LUID *logon_id);
    NTSTATUS(NTAPI *CheckProtectedUserByToken)(HANDLE token, BOOLEAN *is_protected);
    NTSTATUS(NTAPI *QueryClientRequest)(PLSA_CLIENT_REQUEST request, ULONG type, void **reply);
    NTSTATUS(NTAPI *GetAppModeInfo)
    (ULONG *function, ULONG_PTR *argument1, ULONG_PTR *argument2, SecBuffer *data,
     BOOLEAN *return_to_lsa);
    NTSTATUS(NTAPI *SetAppModeInfo)
    (ULONG function, ULONG_PTR argument1, ULONG_PTR argument2, SecBuffer *data,
     BOOLEAN return_to_lsa);
    NTSTATUS(NTAPI *GetClientInfoEx)(struct client_info_ex *info, ULONG size);
    NTSTATUS(NTAPI *GetSecpkgFailureReason)(ULONG_PTR id, struct secpkg_failure_reason *reason);
    NTSTATUS(NTAPI *SetSecpkgFailureReason)(struct secpkg_failure_reason reason);
};

/* LSA_AP_LOGON_USER_EX2 as it is called: the header leaves NTAPI out. */
typedef NTSTATUS(NTAPI logon_user_ex2_fn)(PLSA_CLIENT_REQUEST request, SECURITY_LOGON_TYPE type,
                                          void *info, void *client_base, ULONG size, void **profile,
                                          ULONG *profile_size, LUID *logon_id, NTSTATUS *sub_status,
                                          LSA_TOKEN_INFORMATION_TYPE *token_kind,
                                          void **token_information, UNICODE_STRING **account,
                                          UNICODE_STRING **authority, UNICODE_STRING **machine,
                                          SECPKG_PRIMARY_CRED *primary,
                                          SECPKG_SUPPLEMENTAL_CRED_ARRAY **supplemental);

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
