/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of packages as applications see and change it, W forms. */
#include "exports.h"
#include "ssp/trace.h"

TRACE_CHANNEL("sspi");

SECURITY_STATUS WINAPI EnumerateSecurityPackagesW(ULONG *count, SecPkgInfoW **out)
{
    if (!count || !out) return SEC_E_INVALID_PARAMETER;
    struct package **packages = NULL;
    SecPkgInfoW *infos = NULL;
    ULONG found;
    status_t status = package_list(&packages, &found);
    if (!status_ok(status)) return status;

    status = SEC_E_INSUFFICIENT_MEMORY;
    infos = HeapAlloc(GetProcessHeap(), 0, (found + 1) * sizeof(*infos));
    if (!infos) goto done;
    for (ULONG i = 0; i < found; i++) infos[i] = packages[i]->info;
    SecPkgInfoW *copy = package_info_copy(infos, found);
    if (!copy) goto done;
    *out = copy;
    *count = found;
    status = SEC_E_OK;
done:
    HeapFree(GetProcessHeap(), 0, infos);
    HeapFree(GetProcessHeap(), 0, packages);
    return status;
}

SECURITY_STATUS WINAPI QuerySecurityPackageInfoW(SEC_WCHAR *name, SecPkgInfoW **out)
{
    if (!out) return SEC_E_INVALID_PARAMETER;
    struct package *package;
    status_t status = package_find(name, &package);
    if (!status_ok(status)) return status;
    SecPkgInfoW *copy = package_info_copy(&package->info, 1);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    *out = copy;
    return SEC_E_OK;
}

SECURITY_STATUS WINAPI SecCacheSspiPackages(void);

/* No more is public than that it looks after the cache of package information. Afterwards ours has
 * all modules that the registry names. */
SECURITY_STATUS WINAPI SecCacheSspiPackages(void)
{
    struct package **packages;
    ULONG count;
    status_t status = package_list(&packages, &count);
    if (status_ok(status)) HeapFree(GetProcessHeap(), 0, packages);
    return status;
}

SECURITY_STATUS WINAPI AddSecurityPackageW(LPWSTR name, PSECURITY_PACKAGE_OPTIONS options)
{
    if (!name || !*name) return SEC_E_INVALID_PARAMETER;
    if (options && options->Size && options->Size < sizeof(*options))
        return SEC_E_INVALID_PARAMETER;
    ULONG type = options ? options->Type : SECPKG_OPTIONS_TYPE_UNKNOWN;
    if (type > SECPKG_OPTIONS_TYPE_SSPI) return SEC_E_INVALID_PARAMETER;
    bool permanent = options && options->Flags & SECPKG_OPTIONS_PERMANENT;
    status_t status = package_add_module(name, type, permanent);
    TRACE("%ls: status %#lx\n", name, (ULONG)status);
    return status;
}

SECURITY_STATUS WINAPI DeleteSecurityPackageW(LPWSTR name)
{
    if (!name || !*name) return SEC_E_INVALID_PARAMETER;
    return package_remove(name);
}
