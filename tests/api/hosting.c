/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Registry lists for one child process, see hosting.h. */
#include "hosting.h"

#include <security.h>
#include <wchar.h>

#define LSA_KEY L"SYSTEM\\CurrentControlSet\\Control\\Lsa"
#define PROVIDERS_KEY L"SYSTEM\\CurrentControlSet\\Control\\SecurityProviders"

wchar_t hosting_folder[MAX_PATH], hosting_scratch[MAX_PATH];

bool hosting_begin(void)
{
    wchar_t temp[MAX_PATH];
    if (!running_on_ours()) return false;
    if (!program_folder(hosting_folder, MAX_PATH) || !GetTempPathW(MAX_PATH, temp)) return false;
    wsprintfW(hosting_scratch, L"%swinesspi-test-%u\\", temp, GetCurrentProcessId());
    return CreateDirectoryW(hosting_scratch, NULL);
}

void hosting_end(void)
{
    wchar_t pattern[MAX_PATH], path[MAX_PATH];
    WIN32_FIND_DATAW found;
    wsprintfW(pattern, L"%s*", hosting_scratch);
    HANDLE search = FindFirstFileW(pattern, &found);
    if (search == INVALID_HANDLE_VALUE) return;
    do {
        wsprintfW(path, L"%s%s", hosting_scratch, found.cFileName);
        DeleteFileW(path);
    } while (FindNextFileW(search, &found));
    FindClose(search);
    RemoveDirectoryW(hosting_scratch);
}

void hosting_names_add(struct hosting_names *names, const wchar_t *where, const wchar_t *name)
{
    wcscpy(names->text + names->used, where);
    wcscat(names->text + names->used, name);
    names->used += (DWORD)wcslen(names->text + names->used) + 1;
}

/* Our names, then what was there; the terminator is the zero that nobody has written over. */
static bool set_lsa(const struct saved_value *old, const struct hosting_names *lsa)
{
    static wchar_t list[sizeof(lsa->text) / 2 + sizeof(old->data) / 2 + 1];
    memset(list, 0, sizeof(list));
    memcpy(list, lsa->text, lsa->used * sizeof(*list));
    if (old->existed) memcpy(list + lsa->used, old->data, old->size);
    DWORD size = lsa->used * sizeof(*list) + (old->existed ? old->size : sizeof(*list));
    return value_set(old, REG_MULTI_SZ, list, size);
}

bool hosting_run(const wchar_t *child, const struct hosting_names *lsa, const wchar_t *providers,
                 DWORD *failures)
{
    static struct saved_value old_lsa, old_providers;
    *failures = 99;
    if (!value_save(&old_lsa, LSA_KEY, L"Security Packages")) return false;
    if (!value_save(&old_providers, PROVIDERS_KEY, L"SecurityProviders")) return false;
    bool done = set_lsa(&old_lsa, lsa);
    if (done && providers)
        done = value_set(&old_providers, REG_SZ, providers,
                         (DWORD)(wcslen(providers) + 1) * sizeof(*providers));
    if (done) done = child_run(child, failures);
    bool restored = value_restore(&old_lsa);
    return value_restore(&old_providers) && restored && done;
}

bool hosting_copy(const wchar_t *from, const wchar_t *where, const wchar_t *to)
{
    wchar_t source[MAX_PATH], target[MAX_PATH];
    wsprintfW(source, L"%s%s.dll", hosting_folder, from);
    wsprintfW(target, L"%s%s.dll", where, to);
    return CopyFileW(source, target, FALSE);
}

int hosting_times_listed(const wchar_t *name)
{
    ULONG count;
    SecPkgInfoW *list;
    int times = 0;
    if (EnumerateSecurityPackagesW(&count, &list)) return -1;
    for (ULONG i = 0; i < count; i++) times += !wcscmp(list[i].Name, name);
    FreeContextBuffer(list);
    return times;
}
