/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Provider modules that are broken in every way that could be thought of, files that are no
 * modules, modules that come twice, and modules that are brought in at run time. Whatever they
 * do, the other packages go on working. All cases are ours, see api_providers.
 */
#include "hosting.h"
#include "loopback.h"

#include "../providers/prov_lsa.h"

#define LSA_KEY L"SYSTEM\\CurrentControlSet\\Control\\Lsa"

static struct loopback loop;

/* ---- in the child ---- */

static void expect_listed(const wchar_t *name, int times)
{
    int found = hosting_times_listed(name);
    ok(found == times, "%ls is listed %d times, not %d", name, found, times);
}

static void expect_ntlm_works(void)
{
    expect_listed(L"NTLM", 1);
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (!ok(!status, "NTLM: %08lx", status)) return;
    ok(contexts_talk(&loop.client, &loop.server), "NTLM does not talk");
    loopback_close(&loop);
}

static SECURITY_STATUS acquire(const wchar_t *package, CredHandle *made)
{
    return AcquireCredentialsHandleW(NULL, (wchar_t *)package, SECPKG_CRED_BOTH, NULL, NULL, NULL,
                                     NULL, made, NULL);
}

static void child_hostile(void)
{
    expect_listed(L"TestHostile", 0);
    expect_listed(L"", 0);
    CredHandle made;
    SECURITY_STATUS status = acquire(L"TestHostile", &made);
    ok(status == SEC_E_SECPKG_NOT_FOUND, "TestHostile: %08lx", status);
    expect_ntlm_works();
}

/* Odd, but usable as far as it goes: what is missing is unsupported. */
static void child_odd(void)
{
    expect_listed(L"TestHostile", 1);
    CredHandle made;
    SECURITY_STATUS status = acquire(L"TestHostile", &made);
    if (ok(!status, "TestHostile: %08lx", status)) {
        BYTE room[64];
        SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
        SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
        CtxtHandle context;
        ULONG attrs;
        status = InitializeSecurityContextW(&made, NULL, NULL, 0, 0, SECURITY_NATIVE_DREP, NULL, 0,
                                            &context, &desc, &attrs, NULL);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "ISC: %08lx", status);
        status = AcceptSecurityContext(&made, NULL, &desc, 0, SECURITY_NATIVE_DREP, &context, &desc,
                                       &attrs, NULL);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "ASC: %08lx", status);
        SecPkgCredentials_NamesW names;
        status = QueryCredentialsAttributesW(&made, SECPKG_CRED_ATTR_NAMES, &names);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "names: %08lx", status);
        SECURITY_STATUS(WINAPI * set)(CredHandle *, ULONG, void *, ULONG);
        set = function_find("secur32.dll", "SetCredentialsAttributesW");
        status = set(&made, PROV_SET_ATTRIBUTE, room, 4);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "set: %08lx", status);
        status = AddCredentialsW(&made, NULL, NULL, SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "add: %08lx", status);
        ok(FreeCredentialsHandle(&made) == SEC_E_OK, "not freed");
    }
    expect_ntlm_works();
}

static void child_sparse(void)
{
    expect_listed(L"TestSparse", 1);
    CredHandle made;
    SECURITY_STATUS status = acquire(L"TestSparse", &made);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "acquire: %08lx", status);
    BYTE bytes[16] = {0};
    CtxtHandle context;
    status = context_import(L"TestSparse", bytes, sizeof(bytes), &context);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "import: %08lx", status);
    expect_ntlm_works();
}

/* prov_lsa.dll twice, the second time under another name: the second is there for nothing. */
static void child_twice(void)
{
    expect_listed(L"TestOne", 1);
    SECURITY_STATUS status = loopback_make(&loop, L"TestOne", NULL);
    if (!ok(!status, "TestOne: %08lx", status)) return;
    prov_counters_get_fn get = function_find("prov_lsa.dll", "prov_counters_get");
    ok(get()->lsa_contexts == 2, "the first module was not used");
    loopback_close(&loop);
    ok(get()->lsa_contexts == 0 && get()->credentials == 0, "something is left");
    ok(get()->faults == 0, "the module was called wrongly, in its line %ld", get()->last_fault);
}

#define ADDED_MODULE L"winesspi-test-module"

static void child_add_by_name(void)
{
    SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof(options)};
    expect_listed(L"TestOne", 0);
    SECURITY_STATUS status = AddSecurityPackageW((wchar_t *)ADDED_MODULE, &options);
    ok(status == SEC_E_OK, "adding by name: %08lx", status);
    status = AddSecurityPackageA((char *)"winesspi-test-module.dll", &options);
    ok(status == SEC_E_OK, "adding again, A: %08lx", status);
    expect_listed(L"TestOne", 1);
    expect_listed(L"TestTwo", 1);
    status = loopback_make(&loop, L"TestOne", NULL);
    if (ok(!status, "TestOne: %08lx", status)) {
        ok(contexts_talk(&loop.client, &loop.server), "TestOne does not talk");
        loopback_close(&loop);
    }
    ok(DeleteSecurityPackageA((char *)"TestOne") == SEC_E_OK, "TestOne not deleted");
    expect_listed(L"TestOne", 0);
    expect_listed(L"TestTwo", 1);
    expect_ntlm_works();
}

static void child_permanent(void)
{
    expect_listed(L"TestOne", 1);
    expect_ntlm_works();
}

/* ---- in the parent ---- */

#define CHILD(name)         \
    {                       \
#name, child_##name \
    }

static const struct hosting_case child_cases[] = {
    CHILD(hostile), CHILD(odd), CHILD(sparse), CHILD(twice), CHILD(add_by_name), CHILD(permanent),
};

static void run(const wchar_t *child, const struct hosting_names *lsa, const wchar_t *providers)
{
    DWORD failures;
    bool done = hosting_run(child, lsa, providers, &failures);
    ok(done && !failures, "child %ls: exit status %lu", child, failures);
}

static void run_one(const wchar_t *child, const wchar_t *where, const wchar_t *module)
{
    static struct hosting_names lsa;
    memset(&lsa, 0, sizeof(lsa));
    hosting_names_add(&lsa, where, module);
    run(child, &lsa, NULL);
}

static void test_sparse(void)
{
    run_one(L"sparse", hosting_folder, L"prov_sparse.dll");
}

static bool copy(const wchar_t *from, const wchar_t *where, const wchar_t *to)
{
    return ok(hosting_copy(from, where, to), "%ls.dll cannot be copied to %ls%ls", from, where, to);
}

static void run_hostile(const wchar_t *child, const wchar_t *fault)
{
    wchar_t name[64];
    wsprintfW(name, L"hostile_%s", fault);
    if (!copy(L"prov_hostile", hosting_scratch, name)) return;
    printf("  hostile: %ls\n", fault);
    run_one(child, hosting_scratch, name);
}

static void test_hostile(void)
{
    static const wchar_t *const faults[] = {L"null",   L"zero",   L"many",  L"ten",   L"wild",
                                            L"fail",   L"raise",  L"crash", L"init",  L"info",
                                            L"noinfo", L"noname", L"throw", L"empty", L"refuse"};
    for (unsigned i = 0; i < sizeof(faults) / sizeof(*faults); i++)
        run_hostile(L"hostile", faults[i]);
}

static void test_odd(void)
{
    static const wchar_t *const faults[] = {L"version", L"user", L"reenter"};
    for (unsigned i = 0; i < sizeof(faults) / sizeof(*faults); i++) run_hostile(L"odd", faults[i]);
}

static void write_file(const wchar_t *name, const void *bytes, DWORD size)
{
    wchar_t path[MAX_PATH];
    wsprintfW(path, L"%s%s.dll", hosting_scratch, name);
    HANDLE file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (!ok(file != INVALID_HANDLE_VALUE, "%ls cannot be written", path)) return;
    ok(pipe_write(file, bytes, size), "%ls cannot be written", path);
    CloseHandle(file);
}

/* Files that are no modules, and modules of the other kind. */
static void test_no_modules(void)
{
    static struct hosting_names lsa;
    static wchar_t longest[1200];
    BYTE zeros[4096] = {'M', 'Z'};
    memset(&lsa, 0, sizeof(lsa));
    write_file(L"text", "This is not a module.\n", 22);
    write_file(L"nothing", "", 0);
    write_file(L"zeros", zeros, sizeof(zeros));
    for (int i = 0; i < 1199; i++) longest[i] = L'm';
    hosting_names_add(&lsa, hosting_scratch, L"missing");
    hosting_names_add(&lsa, hosting_scratch, L"text");
    hosting_names_add(&lsa, hosting_scratch, L"nothing");
    hosting_names_add(&lsa, hosting_scratch, L"zeros");
    hosting_names_add(&lsa, hosting_scratch, L"");
    hosting_names_add(&lsa, hosting_folder, L"prov_sspi");
    hosting_names_add(&lsa, L"", L"\"\"");
    hosting_names_add(&lsa, L"", longest);
    hosting_names_add(&lsa, L"", L"no-such-module");
    wchar_t providers[2 * MAX_PATH];
    wsprintfW(providers, L", ,,%stext.dll,%sprov_lsa.dll , ", hosting_scratch, hosting_folder);
    run(L"hostile", &lsa, providers);
}

static void test_twice(void)
{
    static struct hosting_names lsa;
    memset(&lsa, 0, sizeof(lsa));
    if (!copy(L"prov_lsa", hosting_scratch, L"prov_lsa_again")) return;
    hosting_names_add(&lsa, hosting_folder, L"prov_lsa");
    hosting_names_add(&lsa, hosting_scratch, L"prov_lsa_again");
    hosting_names_add(&lsa, hosting_folder, L"prov_lsa");
    run(L"twice", &lsa, NULL);
}

/* [D addsecuritypackagew] at run time, by the name of a file in the system folder */
static void test_add_by_name(void)
{
    wchar_t system[MAX_PATH], target[MAX_PATH];
    DWORD failures = 99;
    GetSystemDirectoryW(system, MAX_PATH);
    lstrcatW(system, L"\\");
    if (!copy(L"prov_lsa", system, ADDED_MODULE)) return;
    bool ran = child_run(L"add_by_name", &failures);
    wsprintfW(target, L"%s%s.dll", system, ADDED_MODULE);
    ok(DeleteFileW(target), "%ls is left behind", target);
    ok(ran && !failures, "child: exit status %lu", failures);
}

/* The kind of the module can be said, and must be right then. */
static void test_add_kind(void)
{
    wchar_t path[MAX_PATH];
    SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof(options)};
    wsprintfW(path, L"%sprov_sspi.dll", hosting_folder);
    options.Type = SECPKG_OPTIONS_TYPE_LSA;
    SECURITY_STATUS status = AddSecurityPackageW(path, &options);
    ok(status < 0, "an SSP was added as SSP/AP: %08lx", status);
    options.Type = SECPKG_OPTIONS_TYPE_SSPI;
    status = AddSecurityPackageW(path, &options);
    ok(status == SEC_E_OK, "as SSP: %08lx", status);
    expect_listed(L"TestSspi", 1);
    wsprintfW(path, L"%sprov_hostile.dll", hosting_folder);
    options.Type = SECPKG_OPTIONS_TYPE_UNKNOWN;
    status = AddSecurityPackageW(path, &options);
    ok(status < 0, "a module that refuses to load was added: %08lx", status);
}

/* [H sspi.h] SECPKG_OPTIONS_PERMANENT: later processes have it too */
static void test_add_permanent(void)
{
    static struct saved_value old;
    wchar_t path[MAX_PATH];
    SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof(options),
                                        .Type = SECPKG_OPTIONS_TYPE_LSA,
                                        .Flags = SECPKG_OPTIONS_PERMANENT};
    if (!ok(value_save(&old, LSA_KEY, L"Security Packages"), "the registry cannot be read")) return;
    wsprintfW(path, L"%sprov_lsa.dll", hosting_folder);
    SECURITY_STATUS status = AddSecurityPackageW(path, &options);
    ok(status == SEC_E_OK, "adding %ls: %08lx", path, status);
    DWORD failures = 99;
    bool ran = child_run(L"permanent", &failures);
    ok(value_restore(&old), "the value was not put back");
    ok(ran && failures == 0, "child: exit status %lu", failures);
}

int main(int argc, char **argv)
{
    if (argc == 2) return hosting_case_run(child_cases, ARRAYSIZE(child_cases), argv[1], NULL);
    if (!hosting_begin()) {
        printf("skip api_hostile: a Wine prefix with a writable temporary folder\n");
        printf("api_hostile: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    RUN(test_sparse);
    RUN(test_hostile);
    RUN(test_odd);
    RUN(test_no_modules);
    RUN(test_twice);
    RUN(test_add_by_name);
    RUN(test_add_kind);
    RUN(test_add_permanent);
    hosting_end();
    return test_end("api_hostile");
}
