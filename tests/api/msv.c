/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Accounts and hashes for the tests of MSV1_0, see msv.h. */
#include "msv.h"

#include "core/ntlm.h"

bool account_write(const wchar_t *domain, const wchar_t *user, const wchar_t *password)
{
    HKEY key;
    wchar_t name[400];
    uint8_t hash[16];
    if (crypto_init() != SEC_E_OK) return false;
    wsprintfW(name, L"%s\\%s", domain, user);
    if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\winesspi\\Accounts", 0, NULL, 0,
                        KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, NULL))
        return false;
    if (password) ntlm_nt_hash(text_bytes(password), hash);
    LSTATUS error = password ? RegSetValueExW(key, name, 0, REG_BINARY, hash, 16)
                             : RegDeleteValueW(key, name);
    RegCloseKey(key);
    return !error;
}

void v2_hash(const wchar_t *upper, const wchar_t *domain, const wchar_t *password, uint8_t hash[16])
{
    uint8_t nt_hash[16];
    ntlm_nt_hash(text_bytes(password), nt_hash);
    ntlm_v2_hash(nt_hash, text_bytes(upper), text_bytes(domain), hash);
}
