/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Local accounts: HKLM\SOFTWARE\winesspi\Accounts, in the 64-bit view for processes of either
 * width, one value per account, named DOMAIN\User, holding the 16 bytes of its NT hash. The
 * registry compares names without regard to case.
 *
 * A look-up costs several calls to the prefix's server, so what was found is kept for a second:
 * a changed password or a removed account holds at the latest after that. What was not found is
 * not kept: a new account is to work at once, and made-up names must not drive the real ones
 * out. The time of that look-up is the one thing by which an unknown user differs.
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

/* What a client sent, domain first, and which of its meanings was found. */
struct entry {
    ULONGLONG expires; /* 0: free */
    size_t domain_length, user_length;
    wchar_t text[CACHE_CHARS];
    unsigned meaning;
    uint8_t nt_hash[16];
};

static struct entry cache[CACHE_ENTRIES];
static SRWLOCK cache_lock = SRWLOCK_INIT;

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

static struct entry *key_slot(const struct entry *key)
{
    uint32_t sum = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < key_length(key); i++) sum = (sum ^ key->text[i]) * 16777619u;
    return &cache[sum % CACHE_ENTRIES];
}

static bool key_is(const struct entry *entry, const struct entry *key)
{
    return entry->domain_length == key->domain_length && entry->user_length == key->user_length &&
           !wmemcmp(entry->text, key->text, key_length(key));
}

static bool cache_find(struct entry *key)
{
    AcquireSRWLockShared(&cache_lock);
    const struct entry *entry = key_slot(key);
    bool found = entry->expires > GetTickCount64() && key_is(entry, key);
    if (found) *key = *entry;
    ReleaseSRWLockShared(&cache_lock);
    return found;
}

/* Old entries go whenever there is something new to keep, so that no hash stays for long. */
static void cache_store(const struct entry *found)
{
    ULONGLONG now = GetTickCount64();
    AcquireSRWLockExclusive(&cache_lock);
    for (unsigned i = 0; i < CACHE_ENTRIES; i++)
        if (cache[i].expires <= now) secret_wipe(&cache[i], sizeof(cache[i]));
    struct entry *entry = key_slot(found);
    *entry = *found;
    entry->expires = now + CACHE_MILLISECONDS;
    ReleaseSRWLockExclusive(&cache_lock);
}

void account_forget_all(void)
{
    AcquireSRWLockExclusive(&cache_lock);
    secret_wipe(cache, sizeof(cache));
    ReleaseSRWLockExclusive(&cache_lock);
}

/* ---- registry ---- */

static bool registry_find(const struct name *domain, const struct name *user, uint8_t hash[16])
{
    HKEY key;
    wchar_t value[2 * NAME_CHARS + 2];
    uint8_t data[16];
    DWORD type, size = sizeof(data);
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, ACCOUNTS_KEY, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key))
        return false;
    wmemcpy(value, domain->text, domain->length);
    value[domain->length] = '\\';
    wmemcpy(value + domain->length + 1, user->text, user->length + 1);
    LSTATUS error = RegQueryValueExW(key, value, NULL, &type, data, &size);
    RegCloseKey(key);
    bool found = !error && type == REG_BINARY && size == sizeof(data);
    if (found) memcpy(hash, data, sizeof(data));
    secret_wipe(data, sizeof(data));
    return found;
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

static bool account_look_up(struct entry *key, const struct host *host, struct account *account)
{
    const struct name user = account->user, domain = account->domain;
    for (unsigned meaning = 0; meaning < MEANING_COUNT; meaning++) {
        account->user = user;
        account->domain = domain;
        if (!meaning_get(meaning, host, &account->domain, &account->user)) continue;
        if (!registry_find(&account->domain, &account->user, account->nt_hash)) continue;
        key->meaning = meaning;
        memcpy(key->nt_hash, account->nt_hash, sizeof(key->nt_hash));
        return true;
    }
    return false;
}

status_t account_find(struct slice user, struct slice domain, struct account *out)
{
    struct entry key = {0};
    *out = (struct account){0};
    const struct host *host = host_get();
    if (!host) return SEC_E_INTERNAL_ERROR;
    status_t status = random_bytes(out->nt_hash, sizeof(out->nt_hash));
    if (!status_ok(status)) return status;
    if (!name_set(&out->user, user) || !name_set(&out->domain, domain) || !user.size)
        return SEC_E_OK;

    bool cacheable = key_make(&out->domain, &out->user, &key);
    if (cacheable && cache_find(&key)) {
        memcpy(out->nt_hash, key.nt_hash, sizeof(out->nt_hash));
        out->known = meaning_get(key.meaning, host, &out->domain, &out->user);
    } else {
        out->known = account_look_up(&key, host, out);
        if (out->known && cacheable) cache_store(&key);
    }
    TRACE("%s account\n", out->known ? "known" : "unknown");
    secret_wipe(&key, sizeof(key));
    return SEC_E_OK;
}
