/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Packages and credentials short of memory, for every form of an identity and both of text. */
#include "fault.h"

#include "identities.h"

#include <sspi.h>
#include <stdio.h>

/* ---- packages ---- */

static LONG list_w(void)
{
    return EnumerateSecurityPackagesW(&answers.numbers[0], (SecPkgInfoW **)&answers.pointers[0]);
}

static LONG list_a(void)
{
    return EnumerateSecurityPackagesA(&answers.numbers[0], (SecPkgInfoA **)&answers.pointers[0]);
}

static LONG info_w(void)
{
    return QuerySecurityPackageInfoW((wchar_t *)L"NTLM", (SecPkgInfoW **)&answers.pointers[0]);
}

static LONG info_a(void)
{
    return QuerySecurityPackageInfoA((char *)"NTLM", (SecPkgInfoA **)&answers.pointers[0]);
}

static bool block_check(void)
{
    return !FreeContextBuffer(answers.pointers[0]);
}

static LONG cache_call(void)
{
    static LONG(WINAPI * cache)(void);
    if (!cache) cache = function_find("sspicli.dll", "SecCacheSspiPackages");
    return cache();
}

/* ---- acquiring ---- */

static const wchar_t *package;
static int
    form; /* none, plain, EX, EX with packages, EX2, EX2 encrypted; odd: A where there is one */
static PSEC_WINNT_AUTH_IDENTITY_OPAQUE opaque;
static union {
    SEC_WINNT_AUTH_IDENTITY_W w;
    SEC_WINNT_AUTH_IDENTITY_A a;
    SEC_WINNT_AUTH_IDENTITY_EXW ex_w;
    SEC_WINNT_AUTH_IDENTITY_EXA ex_a;
} identity;
static void *auth_data;

enum { FORMS = 8 };

static bool identity_open(void)
{
    auth_data = &identity;
    switch (form) {
    case 0: auth_data = NULL; return true;
    case 1: identity.w = wide_identity(L"user", L"DOMAIN", L"secret"); return true;
    case 2: identity.a = narrow_identity("user", "DOMAIN", "secret"); return true;
    case 3: identity.ex_w = wide_identity_ex(L"user", L"DOMAIN", L"secret"); return true;
    case 4: identity.ex_a = narrow_identity_ex("user", "DOMAIN", "secret"); return true;
    case 5:
        identity.ex_w = wide_identity_ex(L"user", L"DOMAIN", L"secret");
        identity.ex_w.PackageList = (unsigned short *)L"NTLM,!Kerberos";
        identity.ex_w.PackageListLength = 14;
        return true;
    }
    if (SspiEncodeStringsAsAuthIdentity(L"user", L"DOMAIN", L"secret", &opaque)) return false;
    auth_data = opaque;
    return form == 6 || !SspiEncryptAuthIdentity(opaque);
}

static void identity_close(void)
{
    if (form >= 6) SspiFreeAuthIdentity(opaque);
    opaque = NULL;
}

static LONG acquire_w(void)
{
    return AcquireCredentialsHandleW(NULL, (wchar_t *)package, SECPKG_CRED_BOTH, NULL, auth_data,
                                     NULL, NULL, (CredHandle *)&answers,
                                     (TimeStamp *)&answers.bytes[64]);
}

static LONG acquire_a(void)
{
    char name[16];
    snprintf(name, sizeof(name), "%ls", package);
    return AcquireCredentialsHandleA((char *)"nobody", name, SECPKG_CRED_BOTH, NULL, auth_data,
                                     NULL, NULL, (CredHandle *)&answers,
                                     (TimeStamp *)&answers.bytes[64]);
}

static bool acquire_check(void)
{
    return !FreeCredentialsHandle((CredHandle *)&answers);
}

static void run_acquiring(void)
{
    static const struct scenario ways[] = {
        {"AcquireCredentialsHandleW", KIND_SSPI, identity_open, acquire_w, acquire_check,
         identity_close},
        {"AcquireCredentialsHandleA", KIND_SSPI, identity_open, acquire_a, acquire_check,
         identity_close},
    };
    char text[64];
    for (form = 0; form < FORMS; form++) {
        snprintf(text, sizeof(text), "%ls, form %d", package, form);
        for (size_t i = 0; i < ARRAYSIZE(ways); i++) scenario_run(&ways[i], text);
    }
}

/* ---- what a credential answers ---- */

static CredHandle credential;
static int query_way; /* W, A, Ex W, Ex A */

static bool credential_open(void)
{
    form = 1;
    identity_open();
    return !AcquireCredentialsHandleW(NULL, (wchar_t *)package, SECPKG_CRED_OUTBOUND, NULL,
                                      auth_data, NULL, NULL, &credential, NULL);
}

static void credential_close(void)
{
    FreeCredentialsHandle(&credential);
}

typedef SECURITY_STATUS(WINAPI *query_fn)(CredHandle *, ULONG, void *);
typedef SECURITY_STATUS(WINAPI *query_ex_fn)(CredHandle *, ULONG, void *, ULONG);

static LONG query_call(void)
{
    static const char *const names[] = {
        "QueryCredentialsAttributesW", "QueryCredentialsAttributesA",
        "QueryCredentialsAttributesExW", "QueryCredentialsAttributesExA"};
    void *function = function_find(query_way < 2 ? "secur32.dll" : "sspicli.dll", names[query_way]);
    if (query_way < 2) return ((query_fn)function)(&credential, SECPKG_CRED_ATTR_NAMES, &answers);
    return ((query_ex_fn)function)(&credential, SECPKG_CRED_ATTR_NAMES, &answers, sizeof(void *));
}

static void run_queries(void)
{
    static const struct scenario query = {"QueryCredentialsAttributes",
                                          KIND_SSPI,
                                          credential_open,
                                          query_call,
                                          block_check,
                                          credential_close};
    char text[64];
    for (query_way = 0; query_way < 4; query_way++) {
        snprintf(text, sizeof(text), "%ls, way %d", package, query_way);
        scenario_run(&query, text);
    }
}

void fault_kerberos_credentials(void)
{
    package = L"Kerberos";
    run_acquiring();
    run_queries();
}

void fault_credentials(void)
{
    static const struct scenario packages[] = {
        {"EnumerateSecurityPackagesW", KIND_SSPI, NULL, list_w, block_check, NULL},
        {"EnumerateSecurityPackagesA", KIND_SSPI, NULL, list_a, block_check, NULL},
        {"QuerySecurityPackageInfoW", KIND_SSPI, NULL, info_w, block_check, NULL},
        {"QuerySecurityPackageInfoA", KIND_SSPI, NULL, info_a, block_check, NULL},
        {"SecCacheSspiPackages", KIND_SSPI, NULL, cache_call, NULL, NULL},
    };
    for (size_t i = 0; i < ARRAYSIZE(packages); i++) scenario_run(&packages[i], "all packages");
    for (int i = 0; i < 2; i++) {
        package = i ? L"Negotiate" : L"NTLM";
        run_acquiring();
        run_queries();
    }
}
