/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The list of packages. Modules join a chain in the order of the configuration and never leave
 * it; the packages of those that are listed make up the list, the first of a name winning.
 */
#include "config.h"
#include "module.h"
#include "ssp/trace.h"

#include <wchar.h>

TRACE_CHANNEL("sspi");

static SRWLOCK chain_lock = SRWLOCK_INIT; /* the end; a link never changes, and is read without */
static struct module *chain_first;
static struct module **chain_end = &chain_first;

static INIT_ONCE list_once = INIT_ONCE_STATIC_INIT;
static volatile LONG list_builder; /* thread; a module may call back while the list is built */
static bool list_short;            /* the builder's: there was no memory for the rest */

static struct module *module_create(enum module_kind kind, const WCHAR *path)
{
    struct module *module = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*module));
    if (!module) return NULL;
    module->kind = kind;
    wcscpy(module->path, path);
    module->own = config_is_own(path);
    InitOnceInitialize(&module->once);
    return module;
}

static struct module *chain_next(struct module *module)
{
    return __atomic_load_n(module ? &module->next : &chain_first, __ATOMIC_ACQUIRE);
}

static struct module *chain_find(enum module_kind kind, const WCHAR *path)
{
    struct module *module = chain_next(NULL);
    while (module && (module->kind != kind || _wcsicmp(module->path, path)))
        module = chain_next(module);
    return module;
}

/* The module of that kind and path, made if there is none: each is initialised once. */
static struct module *chain_get(enum module_kind kind, const WCHAR *path)
{
    AcquireSRWLockExclusive(&chain_lock);
    struct module *module = chain_find(kind, path);
    if (!module) {
        module = module_create(kind, path);
        if (module) __atomic_store_n(chain_end, module, __ATOMIC_RELEASE);
        if (module) chain_end = &module->next;
    }
    ReleaseSRWLockExclusive(&chain_lock);
    return module;
}

static bool chain_has(enum module_kind kind, const WCHAR *name)
{
    WCHAR path[MAX_PATH];
    module_path(name, path);
    return chain_find(kind, path) != NULL;
}

static status_t module_add(enum module_kind kind, const WCHAR *name, struct module **out)
{
    WCHAR path[MAX_PATH];
    module_path(name, path);
    if (!path[0]) {
        WARN("the name of a module is too long\n");
        return SEC_E_SECPKG_NOT_FOUND;
    }
    *out = chain_get(kind, path);
    return *out ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* Are its packages among those that applications see? */
static bool module_shown(const struct module *module)
{
    return module->listed && module->kind != MODULE_AP && !module->imports_only;
}

/* Every import compares names several times, and almost all are either the same or of other sizes.
 * Not _wcsicmp: Wine's looks at the locale each time, which takes longer than the comparison. */
bool package_name_equal(const WCHAR *left, const WCHAR *right)
{
    size_t length = wcslen(left);
    if (wcslen(right) != length) return false;
    if (!memcmp(left, right, length * sizeof(*left))) return true;
    return CompareStringOrdinal(left, (int)length, right, (int)length, TRUE) == CSTR_EQUAL;
}

static struct package *list_find(const WCHAR *name)
{
    for (struct module *m = chain_next(NULL); m; m = chain_next(m)) {
        for (ULONG i = 0; module_shown(m) && i < m->package_count; i++) {
            struct package *package = &m->packages[i];
            if (!package->removed && package_name_equal(package->info.Name, name)) return package;
        }
    }
    return NULL;
}

/* The first of a name wins, whatever comes later is only told of. */
static void names_compare(const struct module *module)
{
    for (ULONG i = 0; i < module->package_count; i++) {
        const WCHAR *name = module->packages[i].info.Name;
        const struct package *first = list_find(name);
        if (first && first->module != module)
            WARN("%ls of %ls is left out: it is that of %ls\n", name, module->path,
                 first->module->path);
    }
}

/* Authentication packages wait for somebody who logs on: nothing of them is listed. A module that
 * is named as an SSP/AP as well is one already. */
static void list_add(enum module_kind kind, const WCHAR *name)
{
    struct module *module;
    if (list_short || (kind == MODULE_AP && chain_has(MODULE_LSA, name))) return;
    status_t status = module_add(kind, name, &module);
    list_short = status == SEC_E_INSUFFICIENT_MEMORY;
    if (!status_ok(status) || module->listed) return;
    bool fresh = !module->packages; /* not from a load that has stopped half way */
    if (kind != MODULE_AP && !(fresh && cache_read(module))) module_load(module);
    if (module->listed) names_compare(module);
}

/* Without memory for all of it, whoever comes next goes on. */
static BOOL CALLBACK list_build(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)parameter;
    (void)context;
    InterlockedExchange(&list_builder, (LONG)GetCurrentThreadId());
    list_short = false;
    if (!status_ok(config_modules(list_add))) list_short = true;
    InterlockedExchange(&list_builder, 0);
    return !list_short;
}

static status_t list_ensure(void)
{
    /* The builder sees what there is so far. */
    if ((DWORD)list_builder == GetCurrentThreadId() ||
        InitOnceExecuteOnce(&list_once, list_build, NULL, NULL))
        return SEC_E_OK;
    return SEC_E_INSUFFICIENT_MEMORY;
}

/* Modules that there was no memory for. One that itself has run out of it hides no other. */
static status_t pending_load(void)
{
    status_t status = SEC_E_OK;
    for (struct module *m = chain_next(NULL); m; m = chain_next(m))
        if (m->pending && module_load(m) == SEC_E_INSUFFICIENT_MEMORY && !m->complained)
            status = SEC_E_INSUFFICIENT_MEMORY;
    return status;
}

status_t package_find(const WCHAR *name, struct package **out)
{
    if (!name) return SEC_E_SECPKG_NOT_FOUND;
    status_t status = list_ensure();
    struct package *package = list_find(name);
    if (!package && status_ok(status)) {
        status = pending_load();
        package = list_find(name);
    }
    if (!package) return status_ok(status) ? SEC_E_SECPKG_NOT_FOUND : status;
    *out = package;
    return SEC_E_OK;
}

/* For everything but imports. */
static status_t module_load_whole(struct module *module)
{
    status_t status = module_load(module);
    return status_ok(status) && module->imports_only ? SEC_E_SECPKG_NOT_FOUND : status;
}

status_t package_open(struct package *package)
{
    return module_load_whole(package->module);
}

static struct package *list_find_import(const WCHAR *name)
{
    for (struct module *m = chain_next(NULL); m; m = chain_next(m))
        for (ULONG i = 0; m->imports_only && i < m->package_count; i++)
            if (package_name_equal(m->packages[i].info.Name, name)) return &m->packages[i];
    return NULL;
}

/* A listed one that cannot do it leaves it to one that can do nothing else: Wine's own Kerberos is
 * listed where ours finds no library. */
status_t package_find_import(const WCHAR *name, struct package **out)
{
    struct package *package;
    status_t status = package_find(name, &package);
    if (status_ok(status)) status = module_load(package->module);
    bool able = status_ok(status) && package->ops.import_context;
    struct package *other = able || !name ? NULL : list_find_import(name);
    if (other && status != SEC_E_INSUFFICIENT_MEMORY) {
        package = other;
        status = SEC_E_OK;
    }
    if (status_ok(status)) *out = package;
    return status;
}

static bool list_has(struct package *const *list, ULONG count, const WCHAR *name)
{
    for (ULONG i = 0; i < count; i++) {
        if (package_name_equal(list[i]->info.Name, name)) return true;
    }
    return false;
}

status_t package_list(struct package ***packages, ULONG *count)
{
    status_t status = list_ensure();
    if (status_ok(status)) status = pending_load();
    if (!status_ok(status)) return status;
    ULONG room = 0, used = 0;
    for (struct module *m = chain_next(NULL); m; m = chain_next(m)) room += m->package_count;
    struct package **list = HeapAlloc(GetProcessHeap(), 0, (room + 1) * sizeof(*list));
    if (!list) return SEC_E_INSUFFICIENT_MEMORY;
    for (struct module *m = chain_next(NULL); m; m = chain_next(m)) {
        for (ULONG i = 0; module_shown(m) && i < m->package_count && used < room; i++) {
            struct package *package = &m->packages[i];
            if (!package->removed && !list_has(list, used, package->info.Name))
                list[used++] = package;
        }
    }
    *packages = list;
    *count = used;
    return SEC_E_OK;
}

/* The name as Windows takes it here: of a module, with or without folder and extension. */
static status_t module_bring(enum module_kind kind, const WCHAR *name, struct module **out)
{
    status_t status = module_add(kind, name, out);
    return status_ok(status) ? module_load_whole(*out) : status;
}

status_t package_add_module(const WCHAR *name, ULONG type, bool permanent)
{
    status_t status = list_ensure();
    if (!status_ok(status)) return status;
    enum module_kind kind = type == SECPKG_OPTIONS_TYPE_SSPI ? MODULE_SSPI : MODULE_LSA;
    struct module *module;
    status = module_bring(kind, name, &module);
    if (status == SEC_E_SECPKG_NOT_FOUND && type == SECPKG_OPTIONS_TYPE_UNKNOWN) {
        kind = MODULE_SSPI;
        status = module_bring(kind, name, &module);
    }
    if (status_ok(status) && permanent) status = config_append(kind, name);
    /* What was removed comes back when nothing can fail any more. */
    for (ULONG i = 0; status_ok(status) && i < module->package_count; i++)
        InterlockedExchange(&module->packages[i].removed, 0);
    return status;
}

status_t package_remove(const WCHAR *name)
{
    struct package *package;
    status_t status = package_find(name, &package);
    if (!status_ok(status)) return status;
    InterlockedExchange(&package->removed, 1);
    TRACE("%ls removed\n", name);
    return SEC_E_OK;
}

static bool logon_name_is(const struct package *package, const LSA_STRING *name)
{
    const LSA_STRING *own = package->logon_name;
    return own && !package->removed && own->Length == name->Length &&
           !_strnicmp(own->Buffer, name->Buffer, name->Length);
}

status_t package_find_logon(const LSA_STRING *name, struct package **out)
{
    status_t status = list_ensure();
    if (!status_ok(status)) return status;
    for (struct module *m = chain_next(NULL); m; m = chain_next(m)) {
        if (m->kind == MODULE_SSPI) continue;
        status = module_load(m);
        if (status == SEC_E_INSUFFICIENT_MEMORY && !m->complained) return status;
        for (ULONG i = 0; status_ok(status) && i < m->package_count; i++) {
            if (!logon_name_is(&m->packages[i], name)) continue;
            *out = &m->packages[i];
            return SEC_E_OK;
        }
    }
    return SEC_E_SECPKG_NOT_FOUND;
}
