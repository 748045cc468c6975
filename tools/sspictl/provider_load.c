/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What sspictl check-provider finds out about a module before it uses it: its file, its entry
 * points, its tables, and whether the system takes it. The tables are looked at here as well as by
 * the dispatcher, which is the one that initialises their packages.
 */
#include "provider_check.h"

#include "names.h"

#include <string.h>
#include <wchar.h>

struct module {
    const wchar_t *path;
    HMODULE dll;
    SpLsaModeInitializeFn lsa;
    SpUserModeInitializeFn user;
    INIT_SECURITY_INTERFACE_W wide;
    INIT_SECURITY_INTERFACE_A ansi;
};

static bool file_check(struct module *module)
{
    provider_begin("file");
    module->dll = LoadLibraryExW(module->path, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
    DWORD error = GetLastError();
    if (module->dll) {
        provider_kept("loaded");
        return true;
    }
    if (error == ERROR_BAD_EXE_FORMAT)
        provider_breach("it is no DLL for %u-bit programs", (unsigned)sizeof(void *) * 8);
    else if (error == ERROR_DLL_INIT_FAILED) provider_breach("its DllMain refuses");
    else provider_breach("it cannot be loaded: error %lu", error);
    return false;
}

static bool entries_check(struct module *module)
{
    provider_begin("entry points");
    module->lsa = (SpLsaModeInitializeFn)(void *)GetProcAddress(module->dll,
                                                                SECPKG_LSAMODEINIT_NAME);
    module->user = (SpUserModeInitializeFn)(void *)GetProcAddress(module->dll,
                                                                  SECPKG_USERMODEINIT_NAME);
    module->wide = (INIT_SECURITY_INTERFACE_W)(void *)GetProcAddress(module->dll,
                                                                     "InitSecurityInterfaceW");
    module->ansi = (INIT_SECURITY_INTERFACE_A)(void *)GetProcAddress(module->dll,
                                                                     "InitSecurityInterfaceA");
    if (module->lsa)
        provider_kept(SECPKG_LSAMODEINIT_NAME "%s",
                      module->user ? " and " SECPKG_USERMODEINIT_NAME : " alone: no user half");
    else if (module->wide || module->ansi)
        provider_kept("InitSecurityInterface%s: an SSP of the older kind",
                      module->wide ? "W" : "A");
    else if (GetProcAddress(module->dll, LSA_AP_NAME_INITIALIZE_PACKAGE))
        provider_breach("an authentication package of the older kind; log-ons alone use it");
    else provider_breach("none of those that a package has");
    return module->lsa || module->wide || module->ansi;
}

static bool version_known(ULONG version)
{
    return version >= SECPKG_INTERFACE_VERSION && version <= 0x04000000 &&
           !(version & (version - 1));
}

/* Members are functions or NULL; where there are several tables, the first is looked at. */
static bool table_check(const void *table, unsigned members)
{
    const BYTE *const *member = table;
    MEMORY_BASIC_INFORMATION memory;
    bool any = false;
    if (!table || !VirtualQuery(table, &memory, sizeof(memory)) || memory.State != MEM_COMMIT ||
        memory.Protect & PAGE_NOACCESS ||
        (size_t)((const BYTE *)memory.BaseAddress + memory.RegionSize - (const BYTE *)table) <
            members * sizeof(void *))
        return false;
    for (unsigned i = 0; i < members; i++) {
        if (!member[i]) continue;
        any = true;
        if (!VirtualQuery(member[i], &memory, sizeof(memory)) || memory.State != MEM_COMMIT ||
            !(memory.Protect & 0xf0)) /* the four protections that allow execution */
            return false;
    }
    return any;
}

static const SECPKG_FUNCTION_TABLE *lsa_check(const struct module *module, ULONG *count)
{
    ULONG version = 0;
    SECPKG_FUNCTION_TABLE *tables = NULL;
    provider_begin("LSA-mode tables");
    *count = 0;
    NTSTATUS status = module->lsa(SECPKG_INTERFACE_VERSION, &version, &tables, count);
    if (status < 0)
        provider_breach(SECPKG_LSAMODEINIT_NAME " fails: 0x%08lx", (unsigned long)status);
    else if (!*count || *count > PROVIDER_PACKAGES_MAX) provider_breach("%lu tables", *count);
    else if (!table_check(tables, 27)) provider_breach("the first table is not one");
    else if (!version_known(version))
        provider_breach("0x%08lx is no version of the interface", version);
    else if (!tables->GetInfo) provider_breach("GetInfo is missing");
    else {
        provider_kept("%lu, version 0x%08lx", *count, version);
        return tables;
    }
    return NULL;
}

static void user_check(const struct module *module, ULONG packages)
{
    ULONG version = 0, count = 0;
    SECPKG_USER_FUNCTION_TABLE *tables = NULL;
    provider_begin("user-mode tables");
    if (!module->user) {
        provider_absent("no messages, no export");
        return;
    }
    NTSTATUS status = module->user(SECPKG_INTERFACE_VERSION, &version, &tables, &count);
    if (status < 0)
        provider_breach(SECPKG_USERMODEINIT_NAME " fails: 0x%08lx", (unsigned long)status);
    else if (count != packages) provider_breach("%lu tables for %lu packages", count, packages);
    else if (!table_check(tables, 14)) provider_breach("the first table is not one");
    else if (!version_known(version))
        provider_breach("0x%08lx is no version of the interface", version);
    else provider_kept("%lu, version 0x%08lx", count, version);
}

static SECURITY_STATUS module_add(const struct module *module)
{
    SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof(options),
                                        .Type = module->lsa ? SECPKG_OPTIONS_TYPE_LSA
                                                            : SECPKG_OPTIONS_TYPE_SSPI};
    return AddSecurityPackageW((wchar_t *)module->path, &options);
}

static bool registered(const struct module *module)
{
    provider_begin("registration");
    SECURITY_STATUS status = module_add(module);
    if (status == SEC_E_OK) return true;
    provider_breach("the system leaves it out: %s (WINEDEBUG=+sspi says why)",
                    status_text(status).text);
    return false;
}

static void name_add(struct provider_names *names, const wchar_t *name)
{
    size_t length = wcslen(name) + 1;
    wchar_t *copy = HeapAlloc(GetProcessHeap(), 0, length * sizeof(*copy));
    if (!copy || names->count == PROVIDER_PACKAGES_MAX) return;
    names->names[names->count++] = wcscpy(copy, name);
}

/* What a module may build upon comes back, unless it brings a package of that name itself. */
static void others_restore(const struct provider_names *names)
{
    static const wchar_t *const others[][2] = {{L"NTLM", L"ssp_ntlm"},
                                               {L"Negotiate", L"ssp_negotiate"}};
    SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof(options), .Type = SECPKG_OPTIONS_TYPE_LSA};
    for (int i = 0; i < 2; i++) {
        bool own = false;
        for (ULONG j = 0; j < names->count; j++)
            own = own || !_wcsicmp(names->names[j], others[i][0]);
        if (!own) AddSecurityPackageW((wchar_t *)others[i][1], &options);
    }
}

/* Which packages came with the module: those that are gone when all of that list are removed but
 * come back with it. One of the same name that was first would hide it, so everything goes. */
static bool names_find(const struct module *module, struct provider_names *names)
{
    ULONG count;
    SecPkgInfoW *infos;
    SECURITY_STATUS status = SEC_E_OK;
    while (status == SEC_E_OK) {
        status = EnumerateSecurityPackagesW(&count, &infos);
        if (status != SEC_E_OK || !count) break;
        for (ULONG i = 0; i < count; i++) DeleteSecurityPackageW(infos[i].Name);
        FreeContextBuffer(infos);
    }
    if (status == SEC_E_OK) status = module_add(module);
    if (status == SEC_E_OK) status = EnumerateSecurityPackagesW(&count, &infos);
    if (status != SEC_E_OK) {
        provider_breach("the system forgets it: %s", status_text(status).text);
        return false;
    }
    for (ULONG i = 0; i < count; i++) name_add(names, infos[i].Name);
    FreeContextBuffer(infos);
    others_restore(names);
    provider_kept("%lu packages", names->count);
    return names->count;
}

bool provider_load(const wchar_t *path, struct provider_names *names)
{
    struct module module = {.path = path};
    ULONG count = 1;
    if (!file_check(&module) || !entries_check(&module)) return false;
    if (module.lsa) {
        if (!lsa_check(&module, &count)) return false;
        user_check(&module, count);
    }
    return registered(&module) && names_find(&module, names);
}
