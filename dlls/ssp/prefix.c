/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The secret that the processes of one Wine prefix share for as long as the prefix's server
 * runs. It is a value of a volatile registry key, in the 64-bit view for processes of either
 * width. Whoever finds none makes one, under a mutex, so that two never do.
 */
#include "ssp/prefix.h"

#include "core/crypto.h"
#include "core/secret.h"
#include "ssp/heap.h"
#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("sspi");

#define SESSION_KEY PREFIX_REGISTRY_KEY L"\\Session"
#define SECRET_VALUE L"Secret"
/* Services and desktop programs have name spaces of their own, but one registry. */
#define SECRET_MUTEX L"Global\\winesspi-secret"

static uint8_t process_key[32];

static BOOL CALLBACK crypto_start(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)context;
    status_t *status = parameter;
    heap_spare_open();
    *status = crypto_init();
    heap_spare_close();
    return status_ok(*status);
}

status_t crypto_ready(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    status_t status = SEC_E_INTERNAL_ERROR;
    return InitOnceExecuteOnce(&once, crypto_start, &status, NULL) ? SEC_E_OK : status;
}

static BOOL CALLBACK process_key_make(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)parameter;
    (void)context;
    return status_ok(crypto_ready()) && status_ok(random_bytes(process_key, sizeof(process_key)));
}

/* No lock is held: each handshake asks several times. */
status_t process_key_get(struct slice *out)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    if (!InitOnceExecuteOnce(&once, process_key_make, NULL, NULL)) return SEC_E_INTERNAL_ERROR;
    *out = (struct slice){process_key, sizeof(process_key)};
    return SEC_E_OK;
}

/* A key that was made by hand or by an imported file would outlive the prefix's server. */
static bool key_is_volatile(HKEY key)
{
    HKEY child;
    LSTATUS error = RegCreateKeyExW(key, L"Lasting", 0, NULL, 0, KEY_QUERY_VALUE, NULL, &child,
                                    NULL);
    if (!error) RegCloseKey(child);
    return error == ERROR_CHILD_MUST_BE_VOLATILE;
}

static bool secret_read(uint8_t secret[32])
{
    HKEY key;
    uint8_t value[32];
    DWORD type, size = sizeof(value);
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, SESSION_KEY, 0,
                      KEY_QUERY_VALUE | KEY_CREATE_SUB_KEY | KEY_WOW64_64KEY, &key))
        return false;
    LSTATUS error = RegQueryValueExW(key, SECRET_VALUE, NULL, &type, value, &size);
    bool lasting = !key_is_volatile(key);
    RegCloseKey(key);
    if (error || lasting || type != REG_BINARY || size != sizeof(value)) return false;
    memcpy(secret, value, sizeof(value));
    secret_wipe(value, sizeof(value));
    return true;
}

/* The parent holds lasting things too, so it is made by a call of its own: one call for both
 * would make it volatile. */
static status_t secret_create(uint8_t secret[32])
{
    HKEY parent = NULL, key = NULL;
    uint8_t value[32] = {0};
    status_t status = random_bytes(value, sizeof(value));
    if (!status_ok(status)) return status;

    status = SEC_E_INTERNAL_ERROR;
    LSTATUS error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, PREFIX_REGISTRY_KEY, 0, NULL, 0,
                                    KEY_ALL_ACCESS | KEY_WOW64_64KEY, NULL, &parent, NULL);
    if (error) goto done;
    RegDeleteTreeW(parent, L"Session"); /* what is there is no good, see secret_read */
    error = RegCreateKeyExW(parent, L"Session", 0, NULL, REG_OPTION_VOLATILE,
                            KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, NULL);
    if (error) goto done;
    error = RegSetValueExW(key, SECRET_VALUE, 0, REG_BINARY, value, sizeof(value));
    if (error) goto done;
    memcpy(secret, value, sizeof(value));
    status = SEC_E_OK;

done:
    if (error) ERR("no key for this prefix: error %ld\n", error);
    if (key) RegCloseKey(key);
    if (parent) RegCloseKey(parent);
    secret_wipe(value, sizeof(value));
    return status;
}

static status_t secret_find(uint8_t secret[32])
{
    if (secret_read(secret)) return SEC_E_OK;
    HANDLE mutex = CreateMutexW(NULL, FALSE, SECRET_MUTEX);
    if (!mutex) return SEC_E_INTERNAL_ERROR;

    /* A holder that died leaves either a whole value or none: both are fine to go on from. */
    status_t status = SEC_E_INTERNAL_ERROR;
    DWORD wait = WaitForSingleObject(mutex, INFINITE);
    if (wait == WAIT_OBJECT_0 || wait == WAIT_ABANDONED) {
        status = secret_read(secret) ? SEC_E_OK : secret_create(secret);
        ReleaseMutex(mutex);
    }
    CloseHandle(mutex);
    return status;
}

static status_t derive(const struct prefix_secret *secret, const char *label, uint8_t mac[32])
{
    const struct slice key = {secret->key, sizeof(secret->key)};
    const struct slice part = {(const uint8_t *)label, strlen(label)};
    return hmac_sha256(key, &part, 1, mac);
}

static status_t names_derive(struct prefix_secret *secret)
{
    uint8_t mac[32];
    status_t status = derive(secret, "winesspi epoch", mac);
    if (!status_ok(status)) return status;
    memcpy(&secret->epoch, mac, sizeof(secret->epoch));
    if (!secret->epoch) secret->epoch = 1;
    return derive(secret, "winesspi machine", secret->machine_id);
}

static struct prefix_secret cached;

static BOOL CALLBACK secret_load(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)context;
    status_t *status = parameter;
    struct prefix_secret secret = {0};
    *status = crypto_ready();
    if (status_ok(*status)) *status = secret_find(secret.key);
    if (status_ok(*status)) *status = names_derive(&secret);
    if (status_ok(*status)) cached = secret;
    secret_wipe(&secret, sizeof(secret));
    return status_ok(*status);
}

status_t prefix_secret_get(struct prefix_secret *out)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    status_t status = SEC_E_INTERNAL_ERROR;
    if (!InitOnceExecuteOnce(&once, secret_load, &status, NULL)) return status;
    *out = cached;
    return SEC_E_OK;
}
