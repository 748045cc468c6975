/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The registry's lists of modules (Microsoft: Registering SSP/AP DLLs): the values
 * "Security Packages" of Control\Lsa and Control\Lsa\OSConfig name SSP/APs, "SecurityProviders"
 * of Control\SecurityProviders names SSPs, "Authentication Packages" of Control\Lsa those that
 * only log-ons ask for. Where none of our own modules is named, as when the
 * DLLs just lie beside a program, a built-in list comes first.
 */
#include "config.h"

#include "ssp/trace.h"

#include <wchar.h>

TRACE_CHANNEL("sspi");

#define LSA_KEY L"SYSTEM\\CurrentControlSet\\Control\\Lsa"
#define OSCONFIG_KEY LSA_KEY L"\\OSConfig"
#define PROVIDERS_KEY L"SYSTEM\\CurrentControlSet\\Control\\SecurityProviders"
#define LSA_VALUE L"Security Packages"
#define AP_VALUE L"Authentication Packages"
#define PROVIDERS_VALUE L"SecurityProviders"

static const WCHAR *const default_modules[] = {L"ssp_negotiate", L"ssp_kerberos", L"ssp_ntlm",
                                               L"ssp_schannel"};

/* The value as text with two terminators, in the process heap; *out is NULL when it cannot be
 * read, ERROR_FILE_NOT_FOUND when there is none. */
static LSTATUS value_read(const WCHAR *key, const WCHAR *name, DWORD type, WCHAR **out)
{
    DWORD flags = type == REG_MULTI_SZ ? RRF_RT_REG_MULTI_SZ : RRF_RT_REG_SZ;
    DWORD bytes = 0;
    *out = NULL;
    LSTATUS error = RegGetValueW(HKEY_LOCAL_MACHINE, key, name, flags, NULL, NULL, &bytes);
    if (error) return error;
    bytes += 2 * sizeof(WCHAR);
    WCHAR *text = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, bytes + 2 * sizeof(WCHAR));
    if (!text) return ERROR_NOT_ENOUGH_MEMORY;
    error = RegGetValueW(HKEY_LOCAL_MACHINE, key, name, flags, NULL, text, &bytes);
    if (error) HeapFree(GetProcessHeap(), 0, text);
    else *out = text;
    return error;
}

bool config_is_own(const WCHAR *path)
{
    WCHAR own[MAX_PATH];
    for (size_t i = 0; i < ARRAYSIZE(default_modules); i++) {
        module_path(default_modules[i], own);
        if (!_wcsicmp(path, own)) return true;
    }
    return false;
}

/* Windows writes the empty list as one entry of two quotation marks. */
static bool is_entry(const WCHAR *name)
{
    return name[0] && wcscmp(name, L"\"\"");
}

static bool list_has_default(const WCHAR *list)
{
    WCHAR path[MAX_PATH];
    for (const WCHAR *name = list; name && *name; name += wcslen(name) + 1) {
        module_path(name, path);
        if (config_is_own(path)) return true;
    }
    return false;
}

static void list_add(enum module_kind kind, const WCHAR *list,
                     void (*add)(enum module_kind kind, const WCHAR *name))
{
    for (const WCHAR *name = list; name && *name; name += wcslen(name) + 1)
        if (is_entry(name)) add(kind, name);
}

/* Commas separate the names, blanks around them do not count. */
static void providers_add(WCHAR *list, void (*add)(enum module_kind kind, const WCHAR *name))
{
    WCHAR *next = list;
    while (next && *next) {
        WCHAR *name = next + wcsspn(next, L", \t");
        size_t length = wcscspn(name, L",");
        next = name[length] ? name + length + 1 : NULL;
        while (length && (name[length - 1] == ' ' || name[length - 1] == '\t')) length--;
        name[length] = 0;
        if (is_entry(name)) add(MODULE_SSPI, name);
    }
}

/* The values; NULL for one that cannot be read. */
struct lists {
    WCHAR *lsa, *osconfig, *providers, *logon;
};

static void lists_add(const struct lists *lists,
                      void (*add)(enum module_kind kind, const WCHAR *name))
{
    if (!list_has_default(lists->lsa) && !list_has_default(lists->osconfig)) {
        TRACE("none of our modules is configured, the built-in list serves\n");
        for (size_t i = 0; i < ARRAYSIZE(default_modules); i++) add(MODULE_LSA, default_modules[i]);
    }
    list_add(MODULE_LSA, lists->lsa, add);
    list_add(MODULE_LSA, lists->osconfig, add);
    providers_add(lists->providers, add);
    list_add(MODULE_AP, lists->logon, add);
}

status_t config_modules(void (*add)(enum module_kind kind, const WCHAR *name))
{
    struct lists lists;
    const LSTATUS errors[] = {
        value_read(LSA_KEY, LSA_VALUE, REG_MULTI_SZ, &lists.lsa),
        value_read(OSCONFIG_KEY, LSA_VALUE, REG_MULTI_SZ, &lists.osconfig),
        value_read(PROVIDERS_KEY, PROVIDERS_VALUE, REG_SZ, &lists.providers),
        value_read(LSA_KEY, AP_VALUE, REG_MULTI_SZ, &lists.logon),
    };
    status_t status = SEC_E_OK;
    for (size_t i = 0; i < ARRAYSIZE(errors); i++)
        if (errors[i] == ERROR_NOT_ENOUGH_MEMORY) status = SEC_E_INSUFFICIENT_MEMORY;
    if (status_ok(status)) lists_add(&lists, add);
    HeapFree(GetProcessHeap(), 0, lists.lsa);
    HeapFree(GetProcessHeap(), 0, lists.osconfig);
    HeapFree(GetProcessHeap(), 0, lists.providers);
    HeapFree(GetProcessHeap(), 0, lists.logon);
    return status;
}

/* The old list with the name behind it, in the process heap; *bytes receives its size. */
static WCHAR *list_extend(enum module_kind kind, const WCHAR *old, const WCHAR *name, DWORD *bytes)
{
    size_t used = 0;
    if (kind == MODULE_LSA)
        while (old && old[used]) used += wcslen(old + used) + 1;
    else used = old ? wcslen(old) : 0;

    size_t length = wcslen(name);
    WCHAR *list = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY,
                            (used + length + 4) * sizeof(WCHAR));
    if (!list) return NULL;
    if (used) memcpy(list, old, used * sizeof(WCHAR));
    if (kind == MODULE_SSPI && used) {
        memcpy(list + used, L", ", 2 * sizeof(WCHAR));
        used += 2;
    }
    memcpy(list + used, name, length * sizeof(WCHAR));
    size_t end = kind == MODULE_LSA ? 2 : 1;
    *bytes = (DWORD)((used + length + end) * sizeof(WCHAR));
    return list;
}

static bool list_names(enum module_kind kind, const WCHAR *list, const WCHAR *name)
{
    size_t length = wcslen(name);
    while (list && *list) {
        size_t entry = kind == MODULE_LSA ? wcslen(list) : wcscspn(list, L", \t");
        if (entry == length && !_wcsnicmp(list, name, length)) return true;
        list += entry;
        list += kind == MODULE_LSA ? 1 : wcsspn(list, L", \t");
    }
    return false;
}

status_t config_append(enum module_kind kind, const WCHAR *name)
{
    const WCHAR *key_name = kind == MODULE_LSA ? LSA_KEY : PROVIDERS_KEY;
    const WCHAR *value = kind == MODULE_LSA ? LSA_VALUE : PROVIDERS_VALUE;
    DWORD type = kind == MODULE_LSA ? REG_MULTI_SZ : REG_SZ;

    DWORD bytes = 0;
    WCHAR *old;
    LSTATUS error = value_read(key_name, value, type, &old);
    if (error == ERROR_NOT_ENOUGH_MEMORY) return SEC_E_INSUFFICIENT_MEMORY;
    if (error && error != ERROR_FILE_NOT_FOUND) {
        /* What cannot be read must not be written over. */
        WARN("%ls cannot be registered, the list is unreadable: error %ld\n", name, error);
        return SEC_E_CANNOT_INSTALL;
    }
    bool named = list_names(kind, old, name);
    WCHAR *list = named ? NULL : list_extend(kind, old, name, &bytes);
    HeapFree(GetProcessHeap(), 0, old);
    if (!list) return named ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;

    HKEY key;
    error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, key_name, 0, NULL, 0, KEY_SET_VALUE, NULL, &key,
                            NULL);
    if (!error) {
        error = RegSetValueExW(key, value, 0, type, (const BYTE *)list, bytes);
        RegCloseKey(key);
    }
    HeapFree(GetProcessHeap(), 0, list);
    if (error) WARN("%ls cannot be registered: error %ld\n", name, error);
    return error ? SEC_E_CANNOT_INSTALL : SEC_E_OK;
}
