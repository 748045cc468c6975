/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The A exports that only differ in the text they are given: it is converted at the edge, and the
 * W export does the work. Identities are not converted: their Flags member says which form they
 * have (documentation of SEC_WINNT_AUTH_IDENTITY).
 */
#include "ansi.h"

#include "lsa_caller.h"

status_t ansi_to_wide(const char *text, WCHAR **out)
{
    if (!text) {
        *out = NULL;
        return SEC_E_OK;
    }
    int length = MultiByteToWideChar(CP_ACP, 0, text, -1, NULL, 0);
    WCHAR *wide = HeapAlloc(GetProcessHeap(), 0, (size_t)length * sizeof(*wide));
    if (!wide) return SEC_E_INSUFFICIENT_MEMORY;
    MultiByteToWideChar(CP_ACP, 0, text, -1, wide, length);
    *out = wide;
    return SEC_E_OK;
}

status_t ansi_from_wide(const WCHAR *text, char **out)
{
    if (!text) {
        *out = NULL;
        return SEC_E_OK;
    }
    int length = WideCharToMultiByte(CP_ACP, 0, text, -1, NULL, 0, NULL, NULL);
    char *ansi = HeapAlloc(GetProcessHeap(), 0, (size_t)length);
    if (!ansi) return SEC_E_INSUFFICIENT_MEMORY;
    WideCharToMultiByte(CP_ACP, 0, text, -1, ansi, length, NULL, NULL);
    *out = ansi;
    return SEC_E_OK;
}

static void wide_free(WCHAR *text)
{
    HeapFree(GetProcessHeap(), 0, text);
}

static size_t ansi_size(const WCHAR *text)
{
    return (size_t)WideCharToMultiByte(CP_ACP, 0, text ? text : L"", -1, NULL, 0, NULL, NULL);
}

static char *ansi_put(char **at, const WCHAR *text)
{
    char *start = *at;
    size_t size = ansi_size(text);
    WideCharToMultiByte(CP_ACP, 0, text ? text : L"", -1, start, (int)size, NULL, NULL);
    *at += size;
    return start;
}

status_t ansi_package_infos(const SecPkgInfoW *infos, ULONG count, SecPkgInfoA **out)
{
    size_t size = count * sizeof(SecPkgInfoA);
    for (ULONG i = 0; i < count; i++)
        size += ansi_size(infos[i].Name) + ansi_size(infos[i].Comment);
    SecPkgInfoA *copy = HeapAlloc(GetProcessHeap(), 0, size ? size : 1);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    char *at = (char *)(copy + count);
    for (ULONG i = 0; i < count; i++) {
        copy[i].fCapabilities = infos[i].fCapabilities;
        copy[i].wVersion = infos[i].wVersion;
        copy[i].wRPCID = infos[i].wRPCID;
        copy[i].cbMaxToken = infos[i].cbMaxToken;
        copy[i].Name = ansi_put(&at, infos[i].Name);
        copy[i].Comment = ansi_put(&at, infos[i].Comment);
    }
    *out = copy;
    return SEC_E_OK;
}

/* ---- packages ---- */

SECURITY_STATUS WINAPI EnumerateSecurityPackagesA(ULONG *count, SecPkgInfoA **out)
{
    if (!count || !out) return SEC_E_INVALID_PARAMETER;
    SecPkgInfoW *wide;
    ULONG found;
    status_t status = EnumerateSecurityPackagesW(&found, &wide);
    if (!status_ok(status)) return status;
    status = ansi_package_infos(wide, found, out);
    if (status_ok(status)) *count = found;
    FreeContextBuffer(wide);
    return status;
}

SECURITY_STATUS WINAPI QuerySecurityPackageInfoA(SEC_CHAR *name, SecPkgInfoA **out)
{
    if (!out) return SEC_E_INVALID_PARAMETER;
    WCHAR *wide_name;
    SecPkgInfoW *wide;
    status_t status = ansi_to_wide(name, &wide_name);
    if (!status_ok(status)) return status;
    status = QuerySecurityPackageInfoW(wide_name, &wide);
    wide_free(wide_name);
    if (!status_ok(status)) return status;
    status = ansi_package_infos(wide, 1, out);
    FreeContextBuffer(wide);
    return status;
}

SECURITY_STATUS WINAPI AddSecurityPackageA(LPSTR name, PSECURITY_PACKAGE_OPTIONS options)
{
    WCHAR *wide;
    status_t status = ansi_to_wide(name, &wide);
    if (!status_ok(status)) return status;
    status = AddSecurityPackageW(wide, options);
    wide_free(wide);
    return status;
}

SECURITY_STATUS WINAPI DeleteSecurityPackageA(LPSTR name)
{
    WCHAR *wide;
    status_t status = ansi_to_wide(name, &wide);
    if (!status_ok(status)) return status;
    status = DeleteSecurityPackageW(wide);
    wide_free(wide);
    return status;
}

/* ---- credentials and contexts ---- */

SECURITY_STATUS WINAPI AcquireCredentialsHandleA(SEC_CHAR *principal, SEC_CHAR *package_name,
                                                 ULONG use, void *logon_id, void *auth_data,
                                                 SEC_GET_KEY_FN get_key, void *get_key_argument,
                                                 CredHandle *out, TimeStamp *expiry)
{
    WCHAR *wide_principal = NULL, *wide_package = NULL;
    status_t status = ansi_to_wide(principal, &wide_principal);
    if (status_ok(status)) status = ansi_to_wide(package_name, &wide_package);
    ULONG_PTR around = lsa_call_enter(NULL, SECPKG_CALL_ANSI);
    if (status_ok(status))
        status = AcquireCredentialsHandleW(wide_principal, wide_package, use, logon_id, auth_data,
                                           get_key, get_key_argument, out, expiry);
    lsa_call_leave(around);
    wide_free(wide_principal);
    wide_free(wide_package);
    return status;
}

SECURITY_STATUS WINAPI AddCredentialsA(CredHandle *handle, SEC_CHAR *principal,
                                       SEC_CHAR *package_name, ULONG use, void *auth_data,
                                       SEC_GET_KEY_FN get_key, void *get_key_argument,
                                       TimeStamp *expiry)
{
    WCHAR *wide_principal = NULL, *wide_package = NULL;
    status_t status = ansi_to_wide(principal, &wide_principal);
    if (status_ok(status)) status = ansi_to_wide(package_name, &wide_package);
    ULONG_PTR around = lsa_call_enter(NULL, SECPKG_CALL_ANSI);
    if (status_ok(status))
        status = AddCredentialsW(handle, wide_principal, wide_package, use, auth_data, get_key,
                                 get_key_argument, expiry);
    lsa_call_leave(around);
    wide_free(wide_principal);
    wide_free(wide_package);
    return status;
}

SECURITY_STATUS WINAPI InitializeSecurityContextA(CredHandle *credential, CtxtHandle *context,
                                                  SEC_CHAR *target, ULONG requirements,
                                                  ULONG reserved1, ULONG data_representation,
                                                  SecBufferDesc *input, ULONG reserved2,
                                                  CtxtHandle *new_context, SecBufferDesc *output,
                                                  ULONG *attributes, TimeStamp *expiry)
{
    WCHAR *wide_target;
    status_t status = ansi_to_wide(target, &wide_target);
    if (!status_ok(status)) return status;
    ULONG_PTR around = lsa_call_enter(NULL, SECPKG_CALL_ANSI);
    status = InitializeSecurityContextW(credential, context, wide_target, requirements, reserved1,
                                        data_representation, input, reserved2, new_context, output,
                                        attributes, expiry);
    lsa_call_leave(around);
    wide_free(wide_target);
    return status;
}

SECURITY_STATUS WINAPI ImportSecurityContextA(SEC_CHAR *package_name, SecBuffer *in, void *token,
                                              CtxtHandle *out)
{
    WCHAR *wide_package;
    status_t status = ansi_to_wide(package_name, &wide_package);
    if (!status_ok(status)) return status;
    status = ImportSecurityContextW(wide_package, in, token, out);
    wide_free(wide_package);
    return status;
}
