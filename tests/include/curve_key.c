/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Private keys of curves, see curve_key.h. */
#include "curve_key.h"

#include <bcrypt.h>
#include <ncrypt.h>
#include <wchar.h>
#include <wincrypt.h>

#define OWN_KEYS L"Software\\winesspi\\Keys"

bool curve_key_import(wchar_t *name, BYTE *blob, DWORD size)
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
    return !status;
}

bool curve_key_seal(const wchar_t *name, BYTE *blob, DWORD size)
{
    DATA_BLOB plain = {size, blob}, sealed;
    if (!CryptProtectData(&plain, NULL, NULL, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN, &sealed))
        return false;
    LSTATUS error = RegSetKeyValueW(HKEY_CURRENT_USER, OWN_KEYS, name, REG_BINARY, sealed.pbData,
                                    sealed.cbData);
    LocalFree(sealed.pbData);
    return !error;
}

void curve_key_remove(const wchar_t *name)
{
    NCRYPT_PROV_HANDLE provider;
    NCRYPT_KEY_HANDLE key;
    RegDeleteKeyValueW(HKEY_CURRENT_USER, OWN_KEYS, name);
    if (NCryptOpenStorageProvider(&provider, MS_KEY_STORAGE_PROVIDER, 0)) return;
    if (!NCryptOpenKey(provider, &key, name, 0, 0)) NCryptDeleteKey(key, 0);
    NCryptFreeObject(provider);
}
