/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A security support provider of the older kind: a module that exports InitSecurityInterfaceW and
 * answers every call in the process that makes it ([D writing-and-installing-a-security-support-
 * provider]). It brings two packages, TestSspi and TestSspiTwo, and one named NTLM that must not
 * replace ours. Handles are checked, so a host that mixes them up is found out.
 */
#include "ssp/abi.h"

#include <stdbool.h>
#include <string.h>

#define CREDENTIAL ((ULONG_PTR)0x5c0000)
#define CLIENT ((ULONG_PTR)0x5c1111)
#define SERVER ((ULONG_PTR)0x5c2222)
#define IMPORTED ((ULONG_PTR)0x5c3333)
#define UPPER ((ULONG_PTR)0x5ca5)
#define PROV_SLOW 0x510e /* a sequence number */

static const wchar_t *const names[] = {L"TestSspi", L"TestSspiTwo", L"NTLM"};
static const wchar_t comment[] = L"Test package of the older kind";

static bool is(const SecHandle *handle, ULONG_PTR lower)
{
    return handle && handle->dwLower == lower && handle->dwUpper == UPPER;
}

static bool is_context(const SecHandle *handle)
{
    return is(handle, CLIENT) || is(handle, SERVER) || is(handle, IMPORTED);
}

static SecPkgInfoW info_of(int package)
{
    return (SecPkgInfoW){SECPKG_FLAG_CONNECTION | SECPKG_FLAG_INTEGRITY,
                         1,
                         SECPKG_ID_NONE,
                         16,
                         (wchar_t *)names[package],
                         (wchar_t *)comment};
}

static SECURITY_STATUS SEC_ENTRY enumerate(ULONG *count, PSecPkgInfoW *list)
{
    SecPkgInfoW *made = HeapAlloc(GetProcessHeap(), 0, 3 * sizeof(*made));
    if (!made) return SEC_E_INSUFFICIENT_MEMORY;
    for (int i = 0; i < 3; i++) made[i] = info_of(i);
    *list = made;
    *count = 3;
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY query_package(SEC_WCHAR *name, PSecPkgInfoW *info)
{
    for (int i = 0; i < 3; i++) {
        if (lstrcmpiW(name, names[i])) continue;
        SecPkgInfoW *made = HeapAlloc(GetProcessHeap(), 0, sizeof(*made));
        if (!made) return SEC_E_INSUFFICIENT_MEMORY;
        *made = info_of(i);
        *info = made;
        return SEC_E_OK;
    }
    return SEC_E_SECPKG_NOT_FOUND;
}

static SECURITY_STATUS SEC_ENTRY acquire(SEC_WCHAR *principal, SEC_WCHAR *package, ULONG use,
                                         void *logon, void *auth, SEC_GET_KEY_FN get_key,
                                         void *argument, PCredHandle credential, PTimeStamp expiry)
{
    (void)principal, (void)use, (void)logon, (void)auth, (void)get_key, (void)argument;
    if (lstrcmpiW(package, names[0]) && lstrcmpiW(package, names[1])) return SEC_E_SECPKG_NOT_FOUND;
    *credential = (CredHandle){CREDENTIAL, UPPER};
    if (expiry) expiry->QuadPart = 42;
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY free_credential(PCredHandle credential)
{
    return is(credential, CREDENTIAL) ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

static SECURITY_STATUS put_token(PSecBufferDesc output)
{
    if (!output || output->cBuffers < 1 || output->pBuffers[0].cbBuffer < 16)
        return SEC_E_BUFFER_TOO_SMALL;
    memcpy(output->pBuffers[0].pvBuffer, "prov_sspi token", 16);
    output->pBuffers[0].cbBuffer = 16;
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY init_context(PCredHandle credential, PCtxtHandle context,
                                              SEC_WCHAR *target, ULONG flags, ULONG reserved,
                                              ULONG data_rep, PSecBufferDesc input, ULONG reserved2,
                                              PCtxtHandle made, PSecBufferDesc output,
                                              ULONG *attributes, PTimeStamp expiry)
{
    (void)reserved, (void)data_rep, (void)input, (void)reserved2;
    if (!is(credential, CREDENTIAL) || context) return SEC_E_INVALID_HANDLE;
    if (!target || lstrcmpW(target, L"test/target")) return SEC_E_TARGET_UNKNOWN;
    SECURITY_STATUS status = put_token(output);
    if (status) return status;
    *made = (CtxtHandle){CLIENT, UPPER};
    *attributes = flags;
    if (expiry) expiry->QuadPart = 43;
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY accept_context(PCredHandle credential, PCtxtHandle context,
                                                PSecBufferDesc input, ULONG flags, ULONG data_rep,
                                                PCtxtHandle made, PSecBufferDesc output,
                                                ULONG *attributes, PTimeStamp expiry)
{
    (void)data_rep;
    if (!is(credential, CREDENTIAL) || context) return SEC_E_INVALID_HANDLE;
    if (!input || input->cBuffers < 1 || input->pBuffers[0].cbBuffer != 16 ||
        memcmp(input->pBuffers[0].pvBuffer, "prov_sspi token", 16))
        return SEC_E_INVALID_TOKEN;
    if (output && output->cBuffers) output->pBuffers[0].cbBuffer = 0; /* no answer */
    *made = (CtxtHandle){SERVER, UPPER};
    *attributes = flags;
    if (expiry) expiry->QuadPart = 44;
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY delete_context(PCtxtHandle context)
{
    return is_context(context) ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

static SECURITY_STATUS SEC_ENTRY query_context(PCtxtHandle context, ULONG attribute, void *buffer)
{
    if (!is_context(context)) return SEC_E_INVALID_HANDLE;
    if (attribute != SECPKG_ATTR_SIZES) return SEC_E_UNSUPPORTED_FUNCTION;
    *(SecPkgContext_Sizes *)buffer = (SecPkgContext_Sizes){16, 4, 0, 0};
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY make_signature(PCtxtHandle context, ULONG quality,
                                                PSecBufferDesc desc, ULONG sequence)
{
    (void)quality;
    if (!is_context(context)) return SEC_E_INVALID_HANDLE;
    if (sequence == PROV_SLOW) { /* says that it is here, and stays until it is told to go on */
        HANDLE here = OpenEventW(EVENT_MODIFY_STATE, FALSE, L"prov-sspi-here");
        HANDLE go_on = OpenEventW(SYNCHRONIZE, FALSE, L"prov-sspi-go-on");
        SetEvent(here);
        WaitForSingleObject(go_on, 20000);
        CloseHandle(here);
        CloseHandle(go_on);
    }
    if (desc->cBuffers < 2 || desc->pBuffers[0].cbBuffer < 4) return SEC_E_INVALID_TOKEN;
    memcpy(desc->pBuffers[0].pvBuffer, &sequence, 4);
    desc->pBuffers[0].cbBuffer = 4;
    return SEC_E_OK;
}

/* Of three parts, which SASL has, each is said to be longer than there is room for all. */
static SECURITY_STATUS SEC_ENTRY encrypt_message(PCtxtHandle context, ULONG quality,
                                                 PSecBufferDesc desc, ULONG sequence)
{
    (void)quality, (void)sequence;
    if (!is_context(context)) return SEC_E_INVALID_HANDLE;
    if (desc->cBuffers != 3) return SEC_E_UNSUPPORTED_FUNCTION;
    for (ULONG i = 0; i < 3; i++) desc->pBuffers[i].cbBuffer = 4;
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY free_buffer(void *buffer)
{
    return HeapFree(GetProcessHeap(), 0, buffer) ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

static SECURITY_STATUS SEC_ENTRY export_context(PCtxtHandle context, ULONG flags, PSecBuffer packed,
                                                void **token)
{
    (void)flags;
    if (!is_context(context)) return SEC_E_INVALID_HANDLE;
    packed->pvBuffer = HeapAlloc(GetProcessHeap(), 0, 15);
    if (!packed->pvBuffer) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(packed->pvBuffer, "prov_sspi blob", 15);
    packed->cbBuffer = 15;
    if (token) *token = NULL;
    return SEC_E_OK;
}

static SECURITY_STATUS SEC_ENTRY import_context(SEC_WCHAR *package, PSecBuffer packed, void *token,
                                                PCtxtHandle context)
{
    (void)token;
    if (lstrcmpiW(package, names[0])) return SEC_E_SECPKG_NOT_FOUND;
    if (packed->cbBuffer != 15 || memcmp(packed->pvBuffer, "prov_sspi blob", 15))
        return SEC_E_INVALID_TOKEN;
    *context = (CtxtHandle){IMPORTED, UPPER};
    return SEC_E_OK;
}

static SecurityFunctionTableW table = {
    .dwVersion = SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION,
    .EnumerateSecurityPackagesW = enumerate,
    .AcquireCredentialsHandleW = acquire,
    .FreeCredentialsHandle = free_credential,
    .InitializeSecurityContextW = init_context,
    .AcceptSecurityContext = accept_context,
    .DeleteSecurityContext = delete_context,
    .QueryContextAttributesW = query_context,
    .MakeSignature = make_signature,
    .EncryptMessage = encrypt_message,
    .FreeContextBuffer = free_buffer,
    .QuerySecurityPackageInfoW = query_package,
    .ExportSecurityContext = export_context,
    .ImportSecurityContextW = import_context,
};

PSecurityFunctionTableW SEC_ENTRY prov_sspi_table(void);
/* Exported as InitSecurityInterfaceW, whose own declaration says that it is imported. */
PSecurityFunctionTableW SEC_ENTRY prov_sspi_table(void)
{
    return &table;
}
