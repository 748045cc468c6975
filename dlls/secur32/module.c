/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loading a provider module, once per process and on the first use of one of its packages. A
 * module that is missing, broken or says nonsense is traced and left out; nothing else suffers.
 */
#include "module.h"

#include "guard.h"
#include "ssp/trace.h"

#include <wchar.h>

TRACE_CHANNEL("sspi");

extern IMAGE_DOS_HEADER __ImageBase; /* this DLL, given by the linker */

static bool is_absolute(const WCHAR *name)
{
    return (name[0] && name[1] == ':') || (name[0] == '\\' && name[1] == '\\');
}

static bool path_join(const WCHAR *folder, const WCHAR *name, WCHAR path[MAX_PATH])
{
    size_t length = wcslen(name);
    const WCHAR *extension = length > 4 && !_wcsicmp(name + length - 4, L".dll") ? L"" : L".dll";
    if (wcslen(folder) + 1 + length + wcslen(extension) >= MAX_PATH) return false;
    wcscpy(path, folder);
    if (folder[0]) wcscat(path, L"\\");
    wcscat(path, name);
    wcscat(path, extension);
    return true;
}

static bool is_file(const WCHAR *path)
{
    DWORD attributes = GetFileAttributesW(path);
    return attributes != INVALID_FILE_ATTRIBUTES && !(attributes & FILE_ATTRIBUTE_DIRECTORY);
}

void module_path(const WCHAR *name, WCHAR path[MAX_PATH])
{
    WCHAR folder[MAX_PATH];
    if (!is_absolute(name)) {
        DWORD length = GetModuleFileNameW((HMODULE)&__ImageBase, folder, MAX_PATH);
        WCHAR *end = length && length < MAX_PATH ? wcsrchr(folder, '\\') : NULL;
        if (end) *end = 0;
        if (end && path_join(folder, name, path) && is_file(path)) return;
        length = GetSystemDirectoryW(folder, MAX_PATH);
        if (length && length < MAX_PATH && path_join(folder, name, path)) return;
    }
    if (!is_absolute(name) || !path_join(L"", name, path)) path[0] = 0;
}

bool module_complains(struct module *module, status_t status)
{
    if (status != SEC_E_INSUFFICIENT_MEMORY) return false;
    module->complained = true;
    return ++module->complaints < MODULE_COMPLAINTS_MAX;
}

struct load_call {
    struct module *module;
    status_t status;
};

static status_t (*const loaders[])(struct module *module) = {
    [MODULE_LSA] = module_load_lsa, [MODULE_SSPI] = module_load_sspi, [MODULE_AP] = module_load_ap};

static status_t dll_load(struct module *module)
{
    module->dll = LoadLibraryExW(module->path, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
    if (!module->dll) {
        DWORD error = GetLastError();
        WARN("%ls cannot be loaded: error %lu\n", module->path, error);
        return error == ERROR_NOT_ENOUGH_MEMORY ? SEC_E_INSUFFICIENT_MEMORY
                                                : SEC_E_SECPKG_NOT_FOUND;
    }
    /* A module that lets go of itself while it is called would take its functions along. */
    HMODULE pinned;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                       (const WCHAR *)module->dll, &pinned);
    return SEC_E_OK;
}

static void load_guarded(void *argument)
{
    struct load_call *call = argument;
    struct module *module = call->module;
    if (!module->dll) call->status = dll_load(module);
    if (module->dll) call->status = loaders[module->kind](module);
}

static BOOL CALLBACK load_once(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    struct load_call call = {parameter, SEC_E_SECPKG_NOT_FOUND};
    struct module *module = call.module;
    InterlockedExchange(&module->loader, (LONG)GetCurrentThreadId());
    module->complained = false;
    if (!guard_call(load_guarded, &call)) {
        ERR("%ls raised an exception while it was initialised, it is left out\n", module->path);
        call.status = SEC_E_SECPKG_NOT_FOUND;
    }
    bool decided = call.status != SEC_E_INSUFFICIENT_MEMORY;
    for (ULONG i = 0; status_ok(call.status) && !module->own && i < module->package_count; i++)
        package_guard(&module->packages[i]);
    if (status_ok(call.status) && module->imports_only) {
        WARN("%ls can do no more than take contexts in\n", module->path);
        if (module->listed) cache_forget(module);
    } else if (status_ok(call.status)) {
        if (!module->listed && module->kind != MODULE_AP) cache_write(module);
        module->listed = true;
        TRACE("%ls loaded with %lu packages\n", module->path, module->package_count);
    } else if (!decided) {
        WARN("there is no memory to load %ls\n", module->path);
    } else {
        /* A module that failed half way may have left threads or callbacks: it stays mapped. */
        WARN("%ls is left out: status %#lx\n", module->path, (ULONG)call.status);
        if (module->listed) cache_forget(module);
    }
    InterlockedExchange(&module->pending, !decided && !module->listed);
    InterlockedExchange(&module->loader, 0);
    *context = status_ok(call.status) ? module : NULL;
    return decided; /* else it is asked again */
}

status_t module_load(struct module *module)
{
    if ((DWORD)module->loader == GetCurrentThreadId()) return SEC_E_SECPKG_NOT_FOUND;
    void *loaded = NULL;
    if (!InitOnceExecuteOnce(&module->once, load_once, module, &loaded))
        return SEC_E_INSUFFICIENT_MEMORY;
    return loaded ? SEC_E_OK : SEC_E_SECPKG_NOT_FOUND;
}
