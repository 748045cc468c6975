/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See tls_key.h. Where the system's key storage takes no such key, it goes where the packages of
 * this project look for what Wine 8.0 lacks: sealed for the user, under a key of their own.
 */
#include "tls_key.h"

#include <bcrypt.h>
#include <ncrypt.h>
#include <wchar.h>

#define OWN_KEYS L"Software\\winesspi\\Keys"

static unsigned keys_made;

static void container_name(wchar_t name[64], unsigned number)
{
    swprintf(name, 64, L"winesspi-interop-%lu-%u", GetCurrentProcessId(), number);
}

static bool keep_own(const wchar_t *name, BYTE *blob, DWORD size)
{
    DATA_BLOB plain = {size, blob}, sealed;
    if (!CryptProtectData(&plain, NULL, NULL, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN, &sealed))
        return false;
    LSTATUS error = RegSetKeyValueW(HKEY_CURRENT_USER, OWN_KEYS, name, REG_BINARY, sealed.pbData,
                                    sealed.cbData);
    LocalFree(sealed.pbData);
    return !error;
}

static bool keep(wchar_t *name, BYTE *blob, DWORD size)
{
    NCRYPT_PROV_HANDLE provider;
    NCRYPT_KEY_HANDLE key;
    NCryptBuffer buffer = {(ULONG)(wcslen(name) + 1) * sizeof(*name), NCRYPTBUFFER_PKCS_KEY_NAME,
                           name};
    NCryptBufferDesc buffers = {NCRYPTBUFFER_VERSION, 1, &buffer};
    if (NCryptOpenStorageProvider(&provider, MS_KEY_STORAGE_PROVIDER, 0)) return false;
    SECURITY_STATUS status = NCryptImportKey(provider, 0, BCRYPT_ECCPRIVATE_BLOB, &buffers, &key,
                                             blob, size, NCRYPT_OVERWRITE_KEY_FLAG);
    if (!status) NCryptFreeObject(key);
    NCryptFreeObject(provider);
    return !status || keep_own(name, blob, size);
}

bool tls_key_attach(const CERT_CONTEXT *certificate, BYTE *blob, DWORD size)
{
    wchar_t name[64], provider[] = MS_KEY_STORAGE_PROVIDER;
    CRYPT_KEY_PROV_INFO info = {.pwszContainerName = name, .pwszProvName = provider};
    container_name(name, keys_made);
    if (!keep(name, blob, size)) return false;
    keys_made++;
    return CertSetCertificateContextProperty(certificate, CERT_KEY_PROV_INFO_PROP_ID, 0, &info);
}

void tls_key_end(void)
{
    NCRYPT_PROV_HANDLE provider = 0;
    if (keys_made && NCryptOpenStorageProvider(&provider, MS_KEY_STORAGE_PROVIDER, 0)) provider = 0;
    for (; keys_made; keys_made--) {
        NCRYPT_KEY_HANDLE key;
        wchar_t name[64];
        container_name(name, keys_made - 1);
        RegDeleteKeyValueW(HKEY_CURRENT_USER, OWN_KEYS, name);
        if (provider && !NCryptOpenKey(provider, &key, name, 0, 0)) NCryptDeleteKey(key, 0);
    }
    if (provider) NCryptFreeObject(provider);
}
