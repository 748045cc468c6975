/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Modules that an application adds short of memory, and what only their packages can do: take more
 * credentials and attributes.
 */
#include "fault.h"

#include "identities.h"

#include "../providers/prov_lsa.h"

#include <wchar.h>

#define LSA_KEY L"SYSTEM\\CurrentControlSet\\Control\\Lsa"

static wchar_t module[MAX_PATH];
static char module_a[MAX_PATH];
static struct saved_value registered;

static bool path_make(void)
{
    if (!program_folder(module, MAX_PATH - 16)) return false;
    wcscat(module, L"prov_lsa.dll");
    return WideCharToMultiByte(CP_ACP, 0, module, -1, module_a, MAX_PATH, NULL, NULL) &&
           value_save(&registered, LSA_KEY, L"Security Packages");
}

/* ---- modules ---- */

static SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof(options)};

static bool listed(void)
{
    SecPkgInfoW *info;
    if (QuerySecurityPackageInfoW((wchar_t *)L"TestOne", &info)) return false;
    FreeContextBuffer(info);
    return true;
}

static bool is_registered(void)
{
    static struct saved_value now;
    return !value_save(&now, registered.key, registered.name) || now.size != registered.size;
}

static LONG added(LONG status)
{
    if (status < 0) expect_kept(!listed() && !is_registered());
    return status;
}

static LONG add_w(void)
{
    return added(AddSecurityPackageW(module, &options));
}

static LONG add_a(void)
{
    return added(AddSecurityPackageA(module_a, &options));
}

static bool add_check(void)
{
    bool permanent = options.Flags & SECPKG_OPTIONS_PERMANENT;
    bool well = listed() && is_registered() == permanent;
    return value_restore(&registered) && well && !DeleteSecurityPackageW((wchar_t *)L"TestOne");
}

static bool module_open(void)
{
    SECURITY_PACKAGE_OPTIONS once = {.Size = sizeof(once), .Type = SECPKG_OPTIONS_TYPE_LSA};
    return !AddSecurityPackageW(module, &once);
}

static LONG deleted(LONG status)
{
    if (status < 0) expect_kept(listed());
    return status;
}

static LONG delete_w(void)
{
    return deleted(DeleteSecurityPackageW((wchar_t *)L"TestOne"));
}

static LONG delete_a(void)
{
    return deleted(DeleteSecurityPackageA((char *)"TestOne"));
}

static bool delete_check(void)
{
    return !listed();
}

static void run_modules(void)
{
    static const struct scenario adding[] = {
        {"AddSecurityPackageW", KIND_SSPI, NULL, add_w, add_check, NULL},
        {"AddSecurityPackageA", KIND_SSPI, NULL, add_a, add_check, NULL},
    };
    static const struct scenario deleting[] = {
        {"DeleteSecurityPackageW", KIND_SSPI, module_open, delete_w, delete_check, NULL},
        {"DeleteSecurityPackageA", KIND_SSPI, module_open, delete_a, delete_check, NULL},
    };
    static const ULONG types[] = {SECPKG_OPTIONS_TYPE_UNKNOWN, SECPKG_OPTIONS_TYPE_LSA};
    char text[48];
    for (size_t i = 0; i < ARRAYSIZE(deleting); i++) scenario_run(&deleting[i], "TestOne");
    for (int i = 0; i < 4; i++) {
        options.Type = types[i & 1];
        options.Flags = i & 2 ? SECPKG_OPTIONS_PERMANENT : 0;
        snprintf(text, sizeof(text), "type %lu, flags %lx", options.Type, options.Flags);
        for (size_t j = 0; j < ARRAYSIZE(adding); j++) scenario_run(&adding[j], text);
    }
}

/* ---- credentials ---- */

static CredHandle credential;
static const wchar_t *package;
static bool refuses; /* the package has no such function */

typedef LONG(WINAPI *set_fn)(CredHandle *, ULONG, void *, ULONG);
static set_fn set_w, set_a;

static bool credential_open(void)
{
    return !AcquireCredentialsHandleW(NULL, (wchar_t *)package, SECPKG_CRED_OUTBOUND, NULL, NULL,
                                      NULL, NULL, &credential, NULL);
}

static void credential_close(void)
{
    FreeCredentialsHandle(&credential);
}

/* That the package refuses comes when nothing else has failed. */
static LONG refusal(LONG status)
{
    bool refused = status == SEC_E_UNSUPPORTED_FUNCTION;
    return refuses && refused ? SEC_E_OK : refuses && status >= 0 ? SEC_E_INTERNAL_ERROR : status;
}

static LONG add_credentials_w(void)
{
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(L"user", L"DOMAIN", L"secret");
    return refusal(AddCredentialsW(&credential, (wchar_t *)L"somebody", (wchar_t *)package,
                                   SECPKG_CRED_OUTBOUND, &identity, NULL, NULL,
                                   (TimeStamp *)&answers));
}

static LONG add_credentials_a(void)
{
    SEC_WINNT_AUTH_IDENTITY_A identity = narrow_identity("user", "DOMAIN", "secret");
    char name[16];
    snprintf(name, sizeof(name), "%ls", package);
    return refusal(AddCredentialsA(&credential, (char *)"somebody", name, SECPKG_CRED_OUTBOUND,
                                   &identity, NULL, NULL, (TimeStamp *)&answers));
}

static LONG set_name_w(void)
{
    SecPkgCredentials_NamesW names = {(wchar_t *)PROV_SET_NAME};
    return refusal(set_w(&credential, SECPKG_CRED_ATTR_NAMES, &names, sizeof(names)));
}

static LONG set_name_a(void)
{
    SecPkgCredentials_NamesA names = {(char *)"TEST\\other"};
    return refusal(set_a(&credential, SECPKG_CRED_ATTR_NAMES, &names, sizeof(names)));
}

/* ---- contexts ---- */

static struct loopback loop;
static ULONG number = 7;

static bool context_open(void)
{
    return !loopback_make(&loop, package, NULL);
}

static LONG set_context_w(void)
{
    return refusal(SetContextAttributesW(&loop.client, PROV_SET_ATTRIBUTE, &number, 4));
}

static LONG set_context_a(void)
{
    return refusal(SetContextAttributesA(&loop.client, PROV_SET_ATTRIBUTE, &number, 4));
}

static bool context_check(void)
{
    return contexts_talk(&loop.client, &loop.server);
}

static void context_close(void)
{
    loopback_close(&loop);
}

static void run_package(const char *variant)
{
    static const struct scenario scenarios[] = {
        {"AddCredentialsW", KIND_SSPI, credential_open, add_credentials_w, NULL, credential_close},
        {"AddCredentialsA", KIND_SSPI, credential_open, add_credentials_a, NULL, credential_close},
        {"SetCredentialsAttributesW", KIND_SSPI, credential_open, set_name_w, NULL,
         credential_close},
        {"SetCredentialsAttributesA", KIND_SSPI, credential_open, set_name_a, NULL,
         credential_close},
        {"SetContextAttributesW", KIND_SSPI, context_open, set_context_w, context_check,
         context_close},
        {"SetContextAttributesA", KIND_SSPI, context_open, set_context_a, context_check,
         context_close},
    };
    for (size_t i = 0; i < ARRAYSIZE(scenarios); i++) scenario_run(&scenarios[i], variant);
}

void fault_providers(void)
{
    set_w = function_find("secur32.dll", "SetCredentialsAttributesW");
    set_a = function_find("secur32.dll", "SetCredentialsAttributesA");
    if (!path_make() || !module_open()) return;
    package = L"TestOne";
    run_package("TestOne");
    package = L"NTLM";
    refuses = true;
    run_package("NTLM");
    run_modules();
}
