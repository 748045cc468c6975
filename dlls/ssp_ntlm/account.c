/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Local accounts: HKLM\SOFTWARE\winesspi\Accounts, in the 64-bit view for processes of either
 * width, one value per account, named DOMAIN\User, holding the 16 bytes of its NT hash. The
 * registry compares names without regard to case.
 *
 * A look-up costs several calls to the prefix's server, so its result is kept for a second: a
 * change holds at the latest after that. Nobody is to learn from the time that an answer takes
 * whether there is such an account: one that is not there is looked up and kept in the same way,
 * and its password is worked out against a random hash. Only, made-up names must not drive the
 * real ones out, so they have a table of their own.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("ntlm");

#define ACCOUNTS_KEY PREFIX_REGISTRY_KEY L"\\Accounts"
#define CACHE_ENTRIES 32u
#define CACHE_CHARS 64u /* longer names are looked up each time */
#define CACHE_MILLISECONDS 1000u

/* ---- cache ---- */

/* What a client sent, domain first, and which of its meanings was found, if any. */
struct entry {
    ULONGLONG expires; /* 0: free */
    size_t domain_length, user_length;
    wchar_t text[CACHE_CHARS];
    bool known;
    unsigned meaning;
    struct masked_hash nt_hash;
};

static struct entry cache[2][CACHE_ENTRIES]; /* unknown names, known ones */
static _Alignas(CACHE_LINE) struct shared_lock cache_lock;

static bool key_make(const struct name *domain, const struct name *user, struct entry *key)
{
    if (domain->length + user->length > CACHE_CHARS) return false;
    key->domain_length = domain->length;
    key->user_length = user->length;
    wmemcpy(key->text, domain->text, domain->length);
    wmemcpy(key->text + domain->length, user->text, user->length);
    return true;
}

static size_t key_length(const struct entry *key)
{
    return key->domain_length + key->user_length;
}

static size_t key_slot(const struct entry *key)
{
    uint32_t sum = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < key_length(key); i++) sum = (sum ^ key->text[i]) * 16777619u;
    return sum % CACHE_ENTRIES;
}

static bool key_is(const struct entry *entry, const struct entry *key)
{
    return entry->domain_length == key->domain_length && entry->user_length == key->user_length &&
           !wmemcmp(entry->text, key->text, key_length(key));
}

/* Both tables are looked at, whichever has the name. */
static bool cache_find(struct entry *key)
{
    bool found = false;
    size_t slot = key_slot(key);
    ULONGLONG now = GetTickCount64();
    struct lock *lock = shared_lock_read(&cache_lock);
    for (unsigned known = 0; known < 2; known++) {
        const struct entry *entry = &cache[known][slot];
        if (entry->expires <= now || !key_is(entry, key)) continue;
        *key = *entry;
        found = true;
    }
    lock_give(lock);
    return found;
}

/* Old entries go whenever there is something new to keep, so that no hash stays for long. */
static void cache_store(const struct entry *found)
{
    size_t slot = key_slot(found);
    ULONGLONG now = GetTickCount64();
    shared_lock_take(&cache_lock);
    for (unsigned i = 0; i < CACHE_ENTRIES; i++)
        for (unsigned known = 0; known < 2; known++)
            if (cache[known][i].expires <= now) secret_wipe(&cache[known][i], sizeof(*found));
    struct entry *entry = &cache[found->known][slot];
    *entry = *found;
    entry->expires = now + CACHE_MILLISECONDS;
    shared_lock_give(&cache_lock);
}

void account_forget_all(void)
{
    shared_lock_take(&cache_lock);
    secret_wipe(cache, sizeof(cache));
    shared_lock_give(&cache_lock);
}

/* ---- registry ---- */

static void value_name(const struct name *domain, const struct name *user,
                       wchar_t value[2 * NAME_CHARS + 2])
{
    wmemcpy(value, domain->text, domain->length);
    value[domain->length] = '\\';
    wmemcpy(value + domain->length + 1, user->text, user->length + 1);
}

static bool registry_find(const struct name *domain, const struct name *user, uint8_t hash[16])
{
    HKEY key;
    wchar_t value[2 * NAME_CHARS + 2];
    uint8_t data[16];
    DWORD type, size = sizeof(data);
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, ACCOUNTS_KEY, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key))
        return false;
    value_name(domain, user, value);
    LSTATUS error = RegQueryValueExW(key, value, NULL, &type, data, &size);
    RegCloseKey(key);
    bool found = !error && type == REG_BINARY && size == sizeof(data);
    if (found) memcpy(hash, data, sizeof(data));
    secret_wipe(data, sizeof(data));
    return found;
}

/* What exists keeps the spelling of its name. */
status_t account_store(const struct account *account, const uint8_t nt_hash[16])
{
    HKEY key;
    wchar_t value[2 * NAME_CHARS + 2];
    value_name(&account->domain, &account->user, value);
    LSTATUS error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, ACCOUNTS_KEY, 0,
                                  KEY_SET_VALUE | KEY_WOW64_64KEY, &key);
    if (error) return SEC_E_NOT_OWNER;
    error = RegSetValueExW(key, value, 0, REG_BINARY, nt_hash, 16);
    RegCloseKey(key);
    account_forget_all();
    return error ? SEC_E_INTERNAL_ERROR : SEC_E_OK;
}

/* ---- meanings of a name ---- */

/* The accounts that a pair of names may stand for, in the order in which they are tried: the one
 * it names, and the local one of that user name, since a client outside a domain does not know
 * what this machine calls its own. */
enum meaning { MEANING_NAMED, MEANING_LOCAL, MEANING_COUNT };

static bool meaning_get(enum meaning meaning, const struct host *host, struct name *domain,
                        struct name *user)
{
    const wchar_t *at = domain->length ? NULL : wcsrchr(user->text, '@');
    struct name realm = *domain;
    if (at) {
        size_t before = (size_t)(at - user->text);
        name_set(&realm, text_slice(at + 1, user->length - before - 1));
        user->text[before] = 0;
        user->length = before;
    }
    *domain = meaning == MEANING_LOCAL ? host->computer : realm;
    return domain->length && user->length;
}

/* All meanings are looked up, also behind one that was found. */
static void account_look_up(struct entry *key, const struct host *host,
                            const struct account *account, uint8_t hash[16])
{
    for (unsigned meaning = 0; meaning < MEANING_COUNT; meaning++) {
        uint8_t found[16];
        struct name user = account->user, domain = account->domain;
        if (!meaning_get(meaning, host, &domain, &user)) continue;
        if (registry_find(&domain, &user, found) && !key->known) {
            key->known = true;
            key->meaning = meaning;
            memcpy(hash, found, sizeof(found));
        }
        secret_wipe(found, sizeof(found));
    }
}

/* hash is random, and stays that for an unknown account. */
static status_t entry_get(struct entry *key, const struct host *host, const struct account *account,
                          uint8_t hash[16])
{
    bool cacheable = key_make(&account->domain, &account->user, key);
    if (cacheable && cache_find(key)) return hash_unmask(&key->nt_hash, hash);
    account_look_up(key, host, account, hash);
    if (!cacheable) return SEC_E_OK;
    status_t status = hash_mask(hash, &key->nt_hash);
    if (status_ok(status)) cache_store(key);
    return status;
}

status_t account_find(struct slice user, struct slice domain, struct account *out)
{
    struct account account = {0};
    struct entry key = {0};
    const struct host *host = host_get();
    if (!host) return SEC_E_INTERNAL_ERROR;
    status_t status = random_bytes(account.nt_hash, sizeof(account.nt_hash));
    if (!status_ok(status)) return status;
    if (name_set(&account.user, user) && name_set(&account.domain, domain) && user.size)
        status = entry_get(&key, host, &account, account.nt_hash);
    if (status_ok(status)) {
        struct name named_user = account.user, named = account.domain;
        bool names_one = meaning_get(MEANING_NAMED, host, &named, &named_user);
        account.known = key.known && meaning_get(key.meaning, host, &account.domain, &account.user);
        account.is_named = !names_one || name_equal(&named, &account.domain);
        TRACE("%s account\n", account.known ? "known" : "unknown");
        *out = account;
    }
    secret_wipe(&account, sizeof(account));
    secret_wipe(&key, sizeof(key));
    return status;
}
