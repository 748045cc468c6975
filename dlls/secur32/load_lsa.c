/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bringing up an SSP/AP module: SpLsaModeInitialize and, for the half that runs with the
 * application, SpUserModeInitialize (Microsoft: User Mode Initialization). Both return arrays of
 * tables, one table per package, whose spacing depends on the headers that the module was built
 * with and is not told: it is found by comparing the tables.
 */
#include "load_lsa.h"
#include "module.h"
#include "ssp/message_context.h"
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

static bool is_memory(struct module *module, NTSTATUS status)
{
    return module_complains(module, lsa_status(status));
}

static status_t load_status(struct module *module, NTSTATUS status)
{
    if (status >= 0) return SEC_E_OK;
    return is_memory(module, status) ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_SECPKG_NOT_FOUND;
}

static status_t thunks_read(struct package *package)
{
    SECPKG_EXTENDED_INFORMATION *information = NULL;
    if (!package->lsa->GetExtendedInformation) return SEC_E_OK;
    NTSTATUS status = package->lsa->GetExtendedInformation(SecpkgContextThunks, &information);
    if (is_memory(package->module, status)) return SEC_E_INSUFFICIENT_MEMORY;
    if (status < 0 || !information) return SEC_E_OK;
    const SECPKG_CONTEXT_THUNKS *thunks = &information->Info.ContextThunks;
    if (thunks->InfoLevelCount <= ARRAYSIZE(package->thunks)) {
        memcpy(package->thunks, thunks->Levels, thunks->InfoLevelCount * sizeof(ULONG));
        package->thunk_count = thunks->InfoLevelCount;
        for (ULONG i = 0; i < package->thunk_count; i++)
            if (thunks->Levels[i] == WINESSPI_ATTR_MESSAGE_CONTEXT) package->has_inner = true;
    }
    HeapFree(GetProcessHeap(), 0, information);
    return SEC_E_OK;
}

/* What log-ons call the package (LSA_AP_INITIALIZE_PACKAGE). The string is the LSA's from then on,
 * which keeps it as long as the package. */
status_t lsa_logon_name_read(struct package *package)
{
    LSA_STRING *name = NULL;
    LSA_DISPATCH_TABLE *dispatch = (LSA_DISPATCH_TABLE *)lsa_function_table(); /* it begins so */
    if (package->named || !package->lsa->InitializePackage) return SEC_E_OK;
    NTSTATUS status = package->lsa->InitializePackage((ULONG)package->id, dispatch, NULL, NULL,
                                                      &name);
    if (is_memory(package->module, status)) return SEC_E_INSUFFICIENT_MEMORY;
    if (status >= 0 && name && name->Buffer && name->Length) package->logon_name = name;
    package->named = true;
    return SEC_E_OK;
}

static status_t package_initialize(struct package *package)
{
    if (package->initialized || !package->lsa->Initialize) return SEC_E_OK;
    NTSTATUS status = package->lsa->Initialize(package->id, lsa_parameters(), lsa_function_table());
    package->initialized = status >= 0;
    if (status < 0)
        WARN("%ls: package %lu: Initialize failed with %#lx\n", package->module->path,
             package->index, (ULONG)status);
    return load_status(package->module, status);
}

static status_t package_describe(struct package *package)
{
    SecPkgInfoW info = {0};
    NTSTATUS status = package->lsa->GetInfo((PSecPkgInfo)&info);
    if (status < 0) {
        WARN("%ls: package %lu: GetInfo failed with %#lx\n", package->module->path, package->index,
             (ULONG)status);
        return load_status(package->module, status);
    }
    status_t thunks = thunks_read(package);
    if (!status_ok(thunks)) return thunks;
    return module_set_package_info(package->module, package->index, &info);
}

static status_t package_init(struct package *package, const SECPKG_FUNCTION_TABLE *table)
{
    if (!table->GetInfo) {
        WARN("%ls: package %lu has no GetInfo\n", package->module->path, package->index);
        return SEC_E_SECPKG_NOT_FOUND;
    }
    package->lsa = table;
    status_t status = lsa_package_register(package);
    if (status_ok(status)) status = lsa_logon_name_read(package);
    if (status_ok(status)) status = package_initialize(package);
    return status_ok(status) ? package_describe(package) : status;
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

/* The tables of the user half, which a package may do without: *first stays NULL then. */
static status_t user_tables_get(struct module *module)
{
    SpUserModeInitializeFn initialize = (SpUserModeInitializeFn)(void *)GetProcAddress(
        module->dll, SECPKG_USERMODEINIT_NAME);
    ULONG version = 0, count = 0;
    SECPKG_USER_FUNCTION_TABLE *tables = NULL;
    if (!initialize || module->user_tables.first) return SEC_E_OK;
    NTSTATUS status = initialize(SECPKG_INTERFACE_VERSION, &version, &tables, &count);
    if (is_memory(module, status)) return SEC_E_INSUFFICIENT_MEMORY;
    if (status >= 0 && tables && count == module->package_count)
        module->user_tables = (struct module_tables){tables, version, count};
    else
        WARN("%ls: no usable user half: status %#lx, %lu tables\n", module->path, (ULONG)status,
             count);
    return SEC_E_OK;
}

static status_t user_half_init(struct package *package, const void *const *table)
{
    const SECPKG_USER_FUNCTION_TABLE *user = (const void *)table;
    void *instance_functions = NULL;
    NTSTATUS status = STATUS_SUCCESS;
    if (package->user) return SEC_E_OK;
    if (!table_plausible(table, USER_SLOTS_MIN)) {
        WARN("%ls: the user half of package %lu is nonsense\n", package->module->path,
             package->index);
        return SEC_E_OK;
    }
    if (user->InstanceInit)
        status = user->InstanceInit(SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION,
                                    lsa_dll_functions(), &instance_functions);
    if (is_memory(package->module, status)) return SEC_E_INSUFFICIENT_MEMORY;
    if (status >= 0) package->user = user;
    else WARN("%ls: InstanceInit of package %lu failed\n", package->module->path, package->index);
    return SEC_E_OK;
}

/* The user half is there to be missed: packages without it have no messages and no export. */
static status_t user_half_load(struct module *module)
{
    status_t status = user_tables_get(module);
    const struct module_tables *tables = &module->user_tables;
    if (!status_ok(status) || !tables->first) return status;
    unsigned declared = tables->version >= SECPKG_INTERFACE_VERSION_2 ? 15 : USER_SLOTS_MIN;
    unsigned spacing = tables_spacing(module, tables->first, tables->count, USER_SLOTS_MIN,
                                      USER_SLOTS_MAX, declared);
    for (ULONG i = 0; i < tables->count && status_ok(status); i++)
        status = user_half_init(&module->packages[i],
                                (const void *const *)tables->first + i * spacing);
    return status;
}

/* Can anything be asked of the package? Wine's schannel.dll has tables that only describe. */
static bool package_useful(const struct package *package)
{
    return package->lsa->AcquireCredentialsHandle || package->logon_name ||
           package->info.fCapabilities & SECPKG_FLAG_LOGON;
}

/* Contexts that another process has established need no credentials. */
static bool package_only_imports(const struct package *package)
{
    const SECPKG_FUNCTION_TABLE *lsa = package->lsa;
    bool makes = lsa->AcquireCredentialsHandle || lsa->InitLsaModeContext ||
                 lsa->AcceptLsaModeContext;
    bool logs_on = package->logon_name || lsa->LogonUser || lsa->LogonUserEx || lsa->LogonUserEx2 ||
                   lsa->CallPackage;
    return !makes && !logs_on && package->user && package->user->ImportContext;
}

static bool module_only_imports(const struct module *module)
{
    for (ULONG i = 0; i < module->package_count; i++)
        if (!package_only_imports(&module->packages[i])) return false;
    return true;
}

static status_t lsa_tables_get(struct module *module)
{
    SpLsaModeInitializeFn initialize = (SpLsaModeInitializeFn)(void *)GetProcAddress(
        module->dll, SECPKG_LSAMODEINIT_NAME);
    ULONG version = 0, count = 0;
    SECPKG_FUNCTION_TABLE *tables = NULL;
    if (module->lsa_tables.first) return SEC_E_OK;
    if (!initialize) {
        WARN("%ls has no %s\n", module->path, SECPKG_LSAMODEINIT_NAME);
        return SEC_E_SECPKG_NOT_FOUND;
    }
    NTSTATUS status = initialize(SECPKG_INTERFACE_VERSION, &version, &tables, &count);
    if (status < 0 || !tables) {
        WARN("%ls: SpLsaModeInitialize gave status %#lx, tables %p\n", module->path, (ULONG)status,
             tables);
        return status < 0 ? load_status(module, status) : SEC_E_SECPKG_NOT_FOUND;
    }
    module->lsa_tables = (struct module_tables){tables, version, count};
    return SEC_E_OK;
}

static status_t packages_init(struct module *module)
{
    const struct module_tables *tables = &module->lsa_tables;
    unsigned spacing = tables_spacing(module, tables->first, tables->count, LSA_SLOTS_MIN,
                                      LSA_SLOTS_MAX, lsa_slots(tables->version));
    for (ULONG i = 0; i < tables->count; i++) {
        const void *const *table = (const void *const *)tables->first + i * spacing;
        if (!table_plausible(table, LSA_SLOTS_MIN)) {
            WARN("%ls: table %lu is nonsense\n", module->path, i);
            return SEC_E_SECPKG_NOT_FOUND;
        }
        status_t status = package_init(&module->packages[i], (const SECPKG_FUNCTION_TABLE *)table);
        if (!status_ok(status)) return status;
        members_note(&module->packages[i], tables->version);
    }
    return SEC_E_OK;
}

status_t module_load_lsa(struct module *module)
{
    status_t status = lsa_tables_get(module);
    if (status_ok(status)) status = module_set_package_count(module, module->lsa_tables.count);
    if (status_ok(status)) status = packages_init(module);
    if (status_ok(status)) status = user_half_load(module);
    if (!status_ok(status)) return status;
    bool useful = false;
    for (ULONG i = 0; i < module->package_count; i++) {
        lsa_package_fill(&module->packages[i]);
        useful = useful || package_useful(&module->packages[i]);
    }
    module->imports_only = module_only_imports(module);
    if (module->imports_only) return SEC_E_OK;
    if (useful) {
        for (ULONG i = 0; i < module->package_count; i++) lsa_package_publish(&module->packages[i]);
        return SEC_E_OK;
    }
    WARN("%ls describes packages that can do nothing\n", module->path);
    if (!module->listed && module->kind == MODULE_LSA) {
        module_drop_packages(module);
        cache_write(module);
    }
    return SEC_E_SECPKG_NOT_FOUND;
}
