/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bringing up an authentication package of the older kind, a module that exports the LsaAp
 * functions one by one (Microsoft: LSA_AP_INITIALIZE_PACKAGE). They are put where an SSP/AP has
 * them, at the start of its LSA-mode table, so that log-ons see one kind of package only. Nothing
 * of it belongs to SSPI: such a package is never listed.
 */
#include "load_lsa.h"
#include "module.h"
#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("sspi");

#define AP_NAME_MAX 64u

static void *ap_function(const struct module *module, const char *name)
{
    return (void *)GetProcAddress(module->dll, name);
}

/* The header's names end with a zero of their own, which does no harm. */
static void table_fill(const struct module *module, SECPKG_FUNCTION_TABLE *table)
{
    table->InitializePackage = ap_function(module, LSA_AP_NAME_INITIALIZE_PACKAGE);
    table->LogonUser = ap_function(module, LSA_AP_NAME_LOGON_USER);
    table->CallPackage = ap_function(module, LSA_AP_NAME_CALL_PACKAGE);
    table->LogonTerminated = ap_function(module, LSA_AP_NAME_LOGON_TERMINATED);
    table->CallPackageUntrusted = ap_function(module, LSA_AP_NAME_CALL_PACKAGE_UNTRUSTED);
    table->CallPackagePassthrough = ap_function(module, LSA_AP_NAME_CALL_PACKAGE_PASSTHROUGH);
    table->LogonUserEx = ap_function(module, LSA_AP_NAME_LOGON_USER_EX);
    table->LogonUserEx2 = ap_function(module, LSA_AP_NAME_LOGON_USER_EX2);
}

static status_t table_make(struct package *package)
{
    if (package->lsa) return SEC_E_OK;
    SECPKG_FUNCTION_TABLE *table = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, sizeof(*table));
    if (!table) return SEC_E_INSUFFICIENT_MEMORY;
    table_fill(package->module, table);
    package->lsa = table; /* stays, like the module */
    return SEC_E_OK;
}

/* The name is ANSI and counted; the list of packages wants it wide and terminated. */
static status_t info_set(struct module *module, const LSA_STRING *name)
{
    WCHAR wide[AP_NAME_MAX + 1];
    int length = MultiByteToWideChar(CP_ACP, 0, name->Buffer, name->Length, wide, AP_NAME_MAX);
    if (length <= 0) {
        WARN("%ls: the name of the package is too long\n", module->path);
        return SEC_E_SECPKG_NOT_FOUND;
    }
    wide[length] = 0;
    SecPkgInfoW info = {.fCapabilities = SECPKG_FLAG_LOGON, .wRPCID = SECPKG_ID_NONE, .Name = wide};
    return module_set_package_info(module, 0, &info);
}

status_t module_load_ap(struct module *module)
{
    /* A module of the newer kind may stand in the list of the older; it knows better itself. */
    if (GetProcAddress(module->dll, SECPKG_LSAMODEINIT_NAME)) return module_load_lsa(module);
    if (!ap_function(module, LSA_AP_NAME_INITIALIZE_PACKAGE)) {
        WARN("%ls is no authentication package\n", module->path);
        return SEC_E_SECPKG_NOT_FOUND;
    }
    status_t status = module_set_package_count(module, 1);
    if (!status_ok(status)) return status;
    struct package *package = &module->packages[0];
    status = table_make(package);
    if (status_ok(status)) status = lsa_package_register(package);
    if (status_ok(status)) status = lsa_logon_name_read(package);
    if (status_ok(status) && !package->logon_name) {
        WARN("%ls did not tell its name\n", module->path);
        status = SEC_E_SECPKG_NOT_FOUND;
    }
    if (status_ok(status)) status = info_set(module, package->logon_name);
    if (status_ok(status)) lsa_package_publish(package);
    return status;
}
