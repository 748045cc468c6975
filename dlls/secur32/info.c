/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of the packages of a module: taken over once, and from then on only checked. */
#include "module.h"

#include "ssp/trace.h"

#include <wchar.h>

TRACE_CHANNEL("sspi");

/* A name has to fit into an exported context (core/packed.h). */
#define NAME_CHARS 64u
#define COMMENT_CHARS 1023u

static WCHAR *text_put(WCHAR **at, const WCHAR *text)
{
    WCHAR *start = *at;
    wcscpy(start, text ? text : L"");
    *at += wcslen(start) + 1;
    return start;
}

SecPkgInfoW *package_info_copy(const SecPkgInfoW *infos, ULONG count)
{
    size_t size = count * sizeof(*infos);
    for (ULONG i = 0; i < count; i++) {
        size += (wcslen(infos[i].Name) + 1) * sizeof(WCHAR);
        size += ((infos[i].Comment ? wcslen(infos[i].Comment) : 0) + 1) * sizeof(WCHAR);
    }
    SecPkgInfoW *copy = HeapAlloc(GetProcessHeap(), 0, size);
    if (!copy) return NULL;
    WCHAR *at = (WCHAR *)(copy + count);
    for (ULONG i = 0; i < count; i++) {
        copy[i] = infos[i];
        copy[i].Name = text_put(&at, infos[i].Name);
        copy[i].Comment = text_put(&at, infos[i].Comment);
    }
    return copy;
}

status_t module_set_package_count(struct module *module, ULONG count)
{
    if (!count || count > MODULE_PACKAGES_MAX) {
        WARN("%ls claims %lu packages\n", module->path, count);
        return SEC_E_SECPKG_NOT_FOUND;
    }
    if (module->listed || module->packages) {
        if (count == module->package_count) return SEC_E_OK;
        WARN("%ls has %lu packages, %lu were listed\n", module->path, count, module->package_count);
        return SEC_E_SECPKG_NOT_FOUND;
    }
    struct package *packages = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY,
                                         count * sizeof(*packages));
    if (!packages) return SEC_E_INSUFFICIENT_MEMORY;
    for (ULONG i = 0; i < count; i++) {
        packages[i].module = module;
        packages[i].index = i;
    }
    module->packages = packages;
    module->package_count = count;
    return SEC_E_OK;
}

void module_drop_packages(struct module *module)
{
    for (ULONG i = 0; i < module->package_count; i++)
        HeapFree(GetProcessHeap(), 0, module->packages[i].info_block);
    HeapFree(GetProcessHeap(), 0, module->packages);
    module->packages = NULL;
    module->package_count = 0;
}

static bool text_ends(const WCHAR *text, size_t longest)
{
    return wcsnlen(text, longest + 1) <= longest;
}

status_t module_set_package_info(struct module *module, ULONG index, const SecPkgInfoW *info)
{
    struct package *package = &module->packages[index];
    if (!info->Name || !info->Name[0] || !text_ends(info->Name, NAME_CHARS)) {
        WARN("%ls: package %lu has no usable name\n", module->path, index);
        return SEC_E_SECPKG_NOT_FOUND;
    }
    if (module->listed || package->info_block) {
        if (!package->info.Name || package_name_equal(package->info.Name, info->Name))
            return SEC_E_OK;
        WARN("%ls: package %lu is %ls, %ls was listed\n", module->path, index, info->Name,
             package->info.Name);
        return SEC_E_SECPKG_NOT_FOUND;
    }
    SecPkgInfoW described = *info;
    if (described.Comment && !text_ends(described.Comment, COMMENT_CHARS)) {
        WARN("%ls: the comment of %ls has no end\n", module->path, info->Name);
        described.Comment = NULL;
    }
    SecPkgInfoW *copy = package_info_copy(&described, 1);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    package->info = *copy;
    package->info_block = copy;
    return SEC_E_OK;
}
