/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Local accounts: one value of HKLM\SOFTWARE\winesspi\Accounts per account, in the 64-bit view for
 * programs of either width, named DOMAIN\User, holding the 16 bytes of NTOWFv1 (MS-NLMP 3.3.1).
 * The hash is as good as the password to whoever can read the key, as everywhere with NTLM.
 */
#include "accounts.h"

#include "core/ntlm.h"
#include "core/secret.h"

#include <windows.h>

#include <stdio.h>

#define ACCOUNTS_KEY L"SOFTWARE\\winesspi\\Accounts"

/* The limits are those of SEC_WINNT_AUTH_IDENTITY with NTLM, so that every account made here can be
 * used to authenticate. */
static const char *account_check(const wchar_t *domain, size_t domain_length, const wchar_t *user)
{
    if (!domain_length) return "the domain is empty";
    if (domain_length > ACCOUNT_DOMAIN_MAX) return "the domain is longer than 15 characters";
    if (!*user) return "the user name is empty";
    if (wcslen(user) > ACCOUNT_USER_MAX) return "the user name is longer than 256 characters";
    if (wcschr(user, L'\\')) return "a backslash may only stand between domain and user";
    for (size_t i = 0; i < domain_length; i++)
        if (domain[i] < L' ' || domain[i] == L'\\') return "the domain has an invalid character";
    for (const wchar_t *c = user; *c; c++)
        if (*c < L' ') return "the user name has a control character";
    return NULL;
}

const char *account_parse(const wchar_t *user, const wchar_t *domain, struct account *out)
{
    wchar_t computer[MAX_COMPUTERNAME_LENGTH + 1];
    DWORD size = MAX_COMPUTERNAME_LENGTH + 1;
    /* A domain given apart wins; a backslash is then refused as part of the user name. */
    const wchar_t *backslash = domain ? NULL : wcschr(user, L'\\');
    size_t domain_length;
    if (backslash) {
        domain = user;
        domain_length = (size_t)(backslash - user);
        user = backslash + 1;
    } else if (domain) {
        domain_length = wcslen(domain);
    } else {
        if (!GetComputerNameW(computer, &size)) return "this computer's name is not known";
        domain = computer;
        domain_length = size;
    }
    const char *problem = account_check(domain, domain_length, user);
    if (problem) return problem;
    struct account account;
    swprintf(account.domain, ACCOUNT_DOMAIN_MAX + 1, L"%.*ls", (int)domain_length, domain);
    swprintf(account.user, ACCOUNT_USER_MAX + 1, L"%ls", user);
    swprintf(account.text, ACCOUNT_TEXT_MAX + 1, L"%ls\\%ls", account.domain, account.user);
    *out = account;
    return NULL;
}

static long accounts_open(REGSAM access, HKEY *key)
{
    return RegOpenKeyExW(HKEY_LOCAL_MACHINE, ACCOUNTS_KEY, 0, access | KEY_WOW64_64KEY, key);
}

static long account_hash(const wchar_t *password, uint8_t hash[16])
{
    /* NTOWFv1 takes the password as UTF-16LE without its terminator. */
    struct slice text = {(const uint8_t *)password, wcslen(password) * sizeof(*password)};
    status_t status = crypto_init();
    if (status_ok(status)) status = ntlm_nt_hash(text, hash);
    return status_ok(status) ? ERROR_SUCCESS : ERROR_NOT_ENOUGH_MEMORY;
}

long account_set(const struct account *account, const wchar_t *password)
{
    HKEY key = NULL;
    uint8_t hash[16];
    long error = account_hash(password, hash);
    if (error) goto done;
    error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, ACCOUNTS_KEY, 0, NULL, 0,
                            KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, NULL);
    if (error) goto done;
    /* An existing value would keep its old spelling of the name. */
    RegDeleteValueW(key, account->text);
    error = RegSetValueExW(key, account->text, 0, REG_BINARY, hash, sizeof(hash));
done:
    secret_wipe(hash, sizeof(hash));
    if (key) RegCloseKey(key);
    return error;
}

long account_remove(const struct account *account)
{
    HKEY key;
    long error = accounts_open(KEY_SET_VALUE, &key);
    if (error) return error;
    error = RegDeleteValueW(key, account->text);
    RegCloseKey(key);
    return error;
}

long account_find(const struct account *account)
{
    HKEY key;
    long error = accounts_open(KEY_QUERY_VALUE, &key);
    if (error) return error;
    error = RegQueryValueExW(key, account->text, NULL, NULL, NULL, NULL);
    RegCloseKey(key);
    return error;
}

/* Values that somebody else put into the key are shown as such and never taken for accounts. */
static bool account_valid(const wchar_t *text, DWORD type, DWORD size)
{
    struct account account;
    return type == REG_BINARY && size == 16 && wcschr(text, L'\\') &&
           !account_parse(text, NULL, &account);
}

long account_each(void (*each)(void *closure, const wchar_t *text, bool valid), void *closure)
{
    HKEY key;
    long error = accounts_open(KEY_QUERY_VALUE, &key);
    if (error == ERROR_FILE_NOT_FOUND) return ERROR_SUCCESS;
    if (error) return error;
    for (DWORD i = 0;; i++) {
        wchar_t text[1024];
        DWORD length = 1024, type, size;
        error = RegEnumValueW(key, i, text, &length, NULL, &type, NULL, &size);
        if (error == ERROR_MORE_DATA) {
            each(closure, L"(a name longer than any account's)", false);
            continue;
        }
        if (error) break;
        each(closure, text, account_valid(text, type, size));
    }
    RegCloseKey(key);
    return error == ERROR_NO_MORE_ITEMS ? ERROR_SUCCESS : error;
}
