/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For tests with the authentication package prov_logon.dll: see ../providers/prov_logon.h. */
#pragma once

#include "../providers/prov_logon.h"
#include "hosting.h"

/* Connects and finds the package; false with a statement failed. The record says how the package
 * has been called. */
struct lsa_provider {
    HANDLE lsa;
    ULONG package;
    struct prov_logon_record *record;
};

static inline bool lsa_provider_open(struct lsa_provider *out, bool trusted)
{
    LSA_STRING name = {sizeof(PROV_LOGON_NAME) - 1, sizeof(PROV_LOGON_NAME) - 1,
                       (char *)PROV_LOGON_NAME};
    LSA_OPERATIONAL_MODE mode;
    NTSTATUS status = trusted ? LsaRegisterLogonProcess(&name, &out->lsa, &mode)
                              : LsaConnectUntrusted(&out->lsa);
    if (!ok(!status, "connecting: %08lx", status)) return false;
    status = LsaLookupAuthenticationPackage(out->lsa, &name, &out->package);
    if (!ok(!status, "%s: %08lx", PROV_LOGON_NAME, status)) return false;
    prov_logon_record_fn get = function_find("prov_logon.dll", "prov_logon_record");
    out->record = get ? get() : NULL;
    return ok(out->record != NULL, "the package is not in this process");
}

static inline void lsa_provider_close(struct lsa_provider *provider)
{
    ok(!provider->record->faults, "the package was called wrongly, in its line %ld",
       provider->record->last_fault);
    ok(!LsaDeregisterLogonProcess(provider->lsa), "closing");
}

/* In the child: runs the case of that name with the package and its functions at hand; the child's
 * exit status. */
static inline int lsa_provider_case_run(struct lsa_provider *provider,
                                        const LSA_SECPKG_FUNCTION_TABLE **functions,
                                        const struct hosting_case *cases, size_t count,
                                        const char *name)
{
    if (!lsa_provider_open(provider, false)) return 97;
    *functions = &provider->record->functions->declared;
    int failures = hosting_case_run(cases, count, name, NULL);
    lsa_provider_close(provider);
    return failures;
}

/* In the parent: runs the case in a child that has the package. */
static inline void lsa_provider_run(const wchar_t *child)
{
    static struct hosting_names names;
    DWORD failures;
    memset(&names, 0, sizeof(names));
    hosting_names_add(&names, hosting_folder, L"prov_logon");
    bool done = hosting_run(child, &names, NULL, &failures);
    ok(done && !failures, "child %ls: exit status %lu", child, failures);
}
