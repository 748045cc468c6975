/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A provider module: one DLL with one or more packages. */
#pragma once

#include "package.h"

/* MODULE_AP: a module of the list of authentication packages. Nothing of it is listed. */
enum module_kind { MODULE_LSA, MODULE_SSPI, MODULE_AP };

struct module_tables {
    const void *first; /* NULL: not there yet */
    ULONG version, count;
};

struct module {
    enum module_kind kind;
    WCHAR path[MAX_PATH];
    bool own; /* one of ours, which needs no guard and looks for itself */
    INIT_ONCE once;
    volatile LONG loader;  /* the thread that is loading it, to tell a call back from a wait */
    volatile LONG pending; /* not listed because there was no memory to load it */
    bool complained;       /* it was the module itself that had no memory the last time */
    ULONG complaints;
    HMODULE dll;
    struct package *packages; /* package_count of them, in the module's order */
    ULONG package_count;
    bool listed; /* the packages are known, from the cache or from the module itself */
    /* All that its packages can do is to take contexts in: for want of a library, perhaps, that
     * only handshakes need. Applications are not shown them. */
    bool imports_only;
    struct module_tables lsa_tables, user_tables; /* of an SSP/AP, once it has given them */
    struct module *next;
};

#define MODULE_PACKAGES_MAX 64u
#define MODULE_COMPLAINTS_MAX 8u

/* Loads the module and fills the function tables of its packages, creating them if the cache did
 * not. Anything wrong with it is traced and answered with SEC_E_SECPKG_NOT_FOUND, then and
 * whenever it is asked again. A load that runs out of memory goes on the next time from where it
 * was: no function of the module that has succeeded is called once more. A module that keeps saying
 * that there is no memory is left out in the end. */
status_t module_load(struct module *module);

/* Whether a failed function of a module that is being loaded has run out of memory, which passes:
 * everything else is for ever. So is the want of one that complains for too long. */
bool module_complains(struct module *module, status_t status);

/* The ways to fill a module that LoadLibrary has just brought in. */
status_t module_load_lsa(struct module *module);
status_t module_load_sspi(struct module *module);
status_t module_load_ap(struct module *module);

/* Makes room for count packages, or, when they are there already, checks that the module still has
 * as many. */
status_t module_set_package_count(struct module *module, ULONG count);

/* Forgets the packages of a module that was never listed. */
void module_drop_packages(struct module *module);

/* Takes over what the module says of a package, or checks it against what it was before. */
status_t module_set_package_info(struct module *module, ULONG index, const SecPkgInfoW *info);

/* Finds the file that a registry value or a caller names: as it is when absolute, else beside
 * this DLL, else in the system directory; the extension may be missing. */
void module_path(const WCHAR *name, WCHAR path[MAX_PATH]);

/* The cache of package information (HKLM\SOFTWARE\winesspi\PackageCache). */
bool cache_read(struct module *module);
void cache_write(const struct module *module);

/* The module is not what was written down: the next process looks for itself. */
void cache_forget(const struct module *module);
