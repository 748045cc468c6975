/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bringing up an SSP/AP module: SpLsaModeInitialize and, for the half that runs with the
 * application, SpUserModeInitialize (Microsoft: User Mode Initialization). Both return arrays of
 * tables, one table per package, whose spacing depends on the headers that the module was built
 * with and is not told: it is found by comparing the tables.
 */
#include "load_lsa.h"
#include "module.h"
#include "ssp/trace.h"

#include <wchar.h>

TRACE_CHANNEL("sspi");

/* Members of the shortest and the longest published table. */
#define LSA_SLOTS_MIN 27u
#define LSA_SLOTS_MAX 44u
#define USER_SLOTS_MIN 14u
#define USER_SLOTS_MAX 16u

/* Does p lie in the module, where its functions and its tables must be? */
static bool in_module(const struct module *module, const void *p, size_t size)
{
    const BYTE *base = (const BYTE *)module->dll;
    const IMAGE_NT_HEADERS *headers =
        (const IMAGE_NT_HEADERS *)(base + ((const IMAGE_DOS_HEADER *)base)->e_lfanew);
    size_t offset = (size_t)((const BYTE *)p - base);
    size_t image = headers->OptionalHeader.SizeOfImage;
    return (const BYTE *)p >= base && offset < image && size <= image - offset;
}

/* Every member is NULL or a function; functions may be imported ones, so only what is plainly no
 * address is caught. */
static bool table_plausible(const void *const *table, unsigned slots)
{
    bool any = false;
    for (unsigned i = 0; i < slots; i++) {
        if (table[i] && (ULONG_PTR)table[i] < 0x10000) return false;
        any = any || table[i];
    }
    return any;
}

/* How alike two tables are: packages of one module fill the same members. */
static unsigned tables_alike(const void *const *a, const void *const *b, unsigned slots)
{
    unsigned points = 0;
    for (unsigned i = 0; i < slots; i++) {
        if (!a[i] == !b[i]) points++;
        if (a[i] && a[i] == b[i]) points++;
    }
    return points;
}

/* Members from one table of the array to the next. */
static unsigned tables_spacing(const struct module *module, const void *tables, ULONG count,
                               unsigned shortest, unsigned longest, unsigned declared)
{
    const void *const *first = tables;
    unsigned best = 0, best_points = 0;
    if (count < 2) return declared;
    for (unsigned slots = shortest; slots <= longest; slots++) {
        if (!in_module(module, first, ((count - 1) * slots + shortest) * sizeof(void *))) break;
        unsigned points = 0;
        for (ULONG i = 1; i < count; i++)
            points += tables_alike(first, first + i * slots, shortest);
        if (slots == declared) points++; /* decides between equals */
        if (points > best_points) {
            best_points = points;
            best = slots;
        }
    }
    return best ? best : declared;
}

/* Members of the LSA-mode table in each interface version (ntsecpkg.h). */
static unsigned lsa_slots(ULONG version)
{
    if (version >= 0x04000000) return 43;
    if (version >= 0x02000000) return 42;
    if (version >= 0x01000000) return 39;
    if (version >= 0x00800000) return 38;
    if (version >= 0x00400000) return 36;
    if (version >= 0x00200000) return 35;
    if (version >= 0x00100000) return 34;
    if (version >= 0x00080000) return 30;
    if (version >= SECPKG_INTERFACE_VERSION_3) return 29;
    if (version >= SECPKG_INTERFACE_VERSION_2) return 28;
    return LSA_SLOTS_MIN;
}

static void thunks_read(struct package *package)
{
    SECPKG_EXTENDED_INFORMATION *information = NULL;
    if (!package->lsa->GetExtendedInformation) return;
    NTSTATUS status = package->lsa->GetExtendedInformation(SecpkgContextThunks, &information);
    if (status < 0 || !information) return;
    const SECPKG_CONTEXT_THUNKS *thunks = &information->Info.ContextThunks;
    if (thunks->InfoLevelCount <= ARRAYSIZE(package->thunks)) {
        memcpy(package->thunks, thunks->Levels, thunks->InfoLevelCount * sizeof(ULONG));
        package->thunk_count = thunks->InfoLevelCount;
    }
    HeapFree(GetProcessHeap(), 0, information);
}

/* What log-ons call the package (LSA_AP_INITIALIZE_PACKAGE). The string is the LSA's from then on,
 * which keeps it as long as the package. */
void lsa_logon_name_read(struct package *package)
{
    LSA_STRING *name = NULL;
    LSA_DISPATCH_TABLE *dispatch = (LSA_DISPATCH_TABLE *)lsa_function_table(); /* it begins so */
    if (!package->lsa->InitializePackage) return;
    NTSTATUS status = package->lsa->InitializePackage((ULONG)package->id, dispatch, NULL, NULL,
                                                      &name);
    if (status >= 0 && name && name->Buffer && name->Length) package->logon_name = name;
}

static status_t package_init(struct package *package, const SECPKG_FUNCTION_TABLE *table)
{
    struct module *module = package->module;
    if (!table->GetInfo) {
        WARN("%ls: package %lu has no GetInfo\n", module->path, package->index);
        return SEC_E_SECPKG_NOT_FOUND;
    }
    package->lsa = table;
    status_t registered = lsa_package_register(package);
    if (!status_ok(registered)) return registered;
    lsa_logon_name_read(package);
    if (table->Initialize) {
        NTSTATUS status = table->Initialize(package->id, lsa_parameters(), lsa_function_table());
        if (status < 0) {
            WARN("%ls: package %lu: Initialize failed with %#lx\n", module->path, package->index,
                 (ULONG)status);
            return SEC_E_SECPKG_NOT_FOUND;
        }
    }
    SecPkgInfoW info = {0};
    NTSTATUS status = table->GetInfo((PSecPkgInfo)&info);
    if (status < 0) {
        WARN("%ls: package %lu: GetInfo failed with %#lx\n", module->path, package->index,
             (ULONG)status);
        return SEC_E_SECPKG_NOT_FOUND;
    }
    thunks_read(package);
    return module_set_package_info(module, package->index, &info);
}

/* The members behind those of the first version are there if the module's version says so. */
static void members_note(struct package *package, ULONG version)
{
    package->has_set_context = version >= SECPKG_INTERFACE_VERSION_2 &&
                               package->lsa->SetContextAttributes;
    package->has_set_credentials = version >= SECPKG_INTERFACE_VERSION_3 &&
                                   package->lsa->SetCredentialsAttributes;
    if (version >= SECPKG_INTERFACE_VERSION_4)
        package->change_password =
            ((const struct package_function_table *)package->lsa)->ChangeAccountPassword;
}

/* The user half is there to be missed: packages without it have no messages and no export. */
static void user_half_load(struct module *module)
{
    SpUserModeInitializeFn initialize = (SpUserModeInitializeFn)(void *)GetProcAddress(
        module->dll, SECPKG_USERMODEINIT_NAME);
    if (!initialize) return;

    ULONG version = 0, count = 0;
    SECPKG_USER_FUNCTION_TABLE *tables = NULL;
    NTSTATUS status = initialize(SECPKG_INTERFACE_VERSION, &version, &tables, &count);
    if (status < 0 || !tables || count != module->package_count) {
        WARN("%ls: no usable user half: status %#lx, %lu tables\n", module->path, (ULONG)status,
             count);
        return;
    }
    unsigned declared = version >= SECPKG_INTERFACE_VERSION_2 ? 15 : USER_SLOTS_MIN;
    unsigned spacing = tables_spacing(module, tables, count, USER_SLOTS_MIN, USER_SLOTS_MAX,
                                      declared);
    for (ULONG i = 0; i < count; i++) {
        const void *const *table = (const void *const *)tables + i * spacing;
        const SECPKG_USER_FUNCTION_TABLE *user = (const void *)table;
        void *instance_functions = NULL;
        if (!table_plausible(table, USER_SLOTS_MIN)) {
            WARN("%ls: the user half of package %lu is nonsense\n", module->path, i);
            continue;
        }
        if (user->InstanceInit &&
            user->InstanceInit(SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION, lsa_dll_functions(),
                               &instance_functions) < 0) {
            WARN("%ls: InstanceInit of package %lu failed\n", module->path, i);
            continue;
        }
        module->packages[i].user = user;
    }
}

/* Can anything be asked of the package? Wine's schannel.dll has tables that only describe. */
static bool package_useful(const struct package *package)
{
    return package->lsa->AcquireCredentialsHandle || package->logon_name ||
           package->info.fCapabilities & SECPKG_FLAG_LOGON;
}

status_t module_load_lsa(struct module *module)
{
    SpLsaModeInitializeFn initialize = (SpLsaModeInitializeFn)(void *)GetProcAddress(
        module->dll, SECPKG_LSAMODEINIT_NAME);
    if (!initialize) {
        WARN("%ls has no %s\n", module->path, SECPKG_LSAMODEINIT_NAME);
        return SEC_E_SECPKG_NOT_FOUND;
    }
    ULONG version = 0, count = 0;
    SECPKG_FUNCTION_TABLE *tables = NULL;
    NTSTATUS found = initialize(SECPKG_INTERFACE_VERSION, &version, &tables, &count);
    if (found < 0 || !tables) {
        WARN("%ls: SpLsaModeInitialize gave status %#lx, tables %p\n", module->path, (ULONG)found,
             tables);
        return SEC_E_SECPKG_NOT_FOUND;
    }
    status_t status = module_set_package_count(module, count);
    if (!status_ok(status)) return status;

    unsigned spacing = tables_spacing(module, tables, count, LSA_SLOTS_MIN, LSA_SLOTS_MAX,
                                      lsa_slots(version));
    for (ULONG i = 0; i < count; i++) {
        const void *const *table = (const void *const *)tables + i * spacing;
        if (!table_plausible(table, LSA_SLOTS_MIN)) {
            WARN("%ls: table %lu is nonsense\n", module->path, i);
            return SEC_E_SECPKG_NOT_FOUND;
        }
        status = package_init(&module->packages[i], (const SECPKG_FUNCTION_TABLE *)table);
        if (!status_ok(status)) return status;
        members_note(&module->packages[i], version);
    }
    bool useful = false;
    user_half_load(module);
    for (ULONG i = 0; i < count; i++) {
        lsa_package_fill(&module->packages[i]);
        useful = useful || package_useful(&module->packages[i]);
    }
    if (useful) {
        for (ULONG i = 0; i < count; i++) lsa_package_publish(&module->packages[i]);
        return SEC_E_OK;
    }
    WARN("%ls describes packages that can do nothing\n", module->path);
    if (!module->listed && module->kind == MODULE_LSA) {
        module_drop_packages(module);
        cache_write(module);
    }
    return SEC_E_SECPKG_NOT_FOUND;
}
