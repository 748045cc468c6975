/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Provider modules that are broken in every way that could be thought of, files that are no
 * modules, modules that come twice, and modules that are brought in at run time. Whatever they
 * do, the other packages go on working. All cases are ours, see api_providers.
 */
#include "hosting_checks.h"
#include "loopback.h"

#include "../providers/prov_hostile.h"
#include "../providers/prov_lsa.h"

#define LSA_KEY L"SYSTEM\\CurrentControlSet\\Control\\Lsa"

static struct loopback loop;

/* ---- in the child ---- */

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

/* Its calls raise exceptions, promise what they do not give, and export nothing or far too much.
 * Each is an error of that call alone. */
static CredHandle hostile_credential;

static SECURITY_STATUS hostile_context(const wchar_t *target, CtxtHandle *context)
{
    BYTE room[64];
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes;
    return InitializeSecurityContextW(&hostile_credential, NULL, (wchar_t *)target, 0, 0,
                                      SECURITY_NATIVE_DREP, NULL, 0, context, &desc, &attributes,
                                      NULL);
}

static LONG hostile_alive(CtxtHandle *context)
{
    LONG alive = -1;
    SECURITY_STATUS status = QueryContextAttributesW(context, HOSTILE_ATTRIBUTE, &alive);
    ok(!status, "the counter: %08lx", status);
    return alive;
}

static void expect_leg_fails(const wchar_t *target, SECURITY_STATUS expected)
{
    CtxtHandle context = {1, 2};
    SECURITY_STATUS status = hostile_context(target, &context);
    ok(status == expected, "%ls: %08lx", target, status);
    ok(context.dwLower == 1 && context.dwUpper == 2, "%ls: the handle was written", target);
}

static void expect_export_fails(const wchar_t *target, SECURITY_STATUS expected)
{
    CtxtHandle context;
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    SECURITY_STATUS status = hostile_context(target, &context);
    if (!ok(!status, "%ls: %08lx", target, status)) return;
    status = ExportSecurityContext(&context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed, NULL);
    ok(status == expected, "%ls: %08lx", target, status);
    ok(!packed.pvBuffer && !packed.cbBuffer, "%ls: a buffer was written", target);
    ok(hostile_alive(&context) == 1, "%ls: the context is gone", target);
    ok(DeleteSecurityContext(&context) == SEC_E_OK, "%ls: not deleted", target);
}

static void expect_import(const wchar_t *target, SECURITY_STATUS expected)
{
    CtxtHandle context, imported = {0, 0};
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    SECURITY_STATUS status = hostile_context(target, &context);
    if (!ok(!status, "%ls: %08lx", target, status)) return;
    status = ExportSecurityContext(&context, 0, &packed, NULL);
    ok(!status, "%ls: export %08lx", target, status);
    status = ImportSecurityContextW((wchar_t *)L"TestHostile", &packed, NULL, &imported);
    ok(status == expected, "%ls: import %08lx", target, status);
    ok(expected || DeleteSecurityContext(&imported) == SEC_E_OK, "%ls: not imported", target);
    if (packed.pvBuffer) FreeContextBuffer(packed.pvBuffer);
    ok(DeleteSecurityContext(&context) == SEC_E_OK, "%ls: not deleted", target);
}

static void child_calls(void)
{
    CtxtHandle context;
    CredHandle none = {1, 2};
    SECURITY_STATUS status = AcquireCredentialsHandleW((wchar_t *)L"raise",
                                                       (wchar_t *)L"TestHostile", SECPKG_CRED_BOTH,
                                                       NULL, NULL, NULL, NULL, &none, NULL);
    ok(status == SEC_E_INTERNAL_ERROR, "acquire: %08lx", status);
    ok(none.dwLower == 1 && none.dwUpper == 2, "acquire: the handle was written");
    if (!ok(!acquire(L"TestHostile", &hostile_credential), "no credential")) return;
    static const wchar_t *const legs[] = {L"raise", L"crash", L"no handle", L"raise in user half",
                                          L"fail in user half"};
    for (unsigned i = 0; i < sizeof(legs) / sizeof(*legs); i++)
        expect_leg_fails(legs[i], SEC_E_INTERNAL_ERROR);
    expect_leg_fails(L"fail with data", SEC_E_LOGON_DENIED);

    status = hostile_context(L"raise in delete", &context);
    if (!ok(!status, "a context: %08lx", status)) return;
    ok(hostile_alive(&context) == 1, "LSA halves of failed legs are left");
    LONG kept = 0;
    status = QueryContextAttributesW(&context, HOSTILE_ATTRIBUTE_KEPT, &kept);
    ok(!status && kept == HOSTILE_KEPT, "data of a failed leg was wiped: %08lx, %lx", status, kept);
    SecPkgContext_Sizes sizes;
    status = QueryContextAttributesW(&context, SECPKG_ATTR_SIZES, &sizes);
    ok(status == SEC_E_INTERNAL_ERROR, "sizes: %08lx", status);
    struct message text;
    BYTE token[16];
    message_set(&text, "text", 4);
    SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, token}, {4, SECBUFFER_DATA, text.data}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    status = MakeSignature(&context, 0, &desc, 0);
    ok(status == SEC_E_INTERNAL_ERROR, "sign: %08lx", status);
    HANDLE none_token = NULL;
    ok(QuerySecurityContextToken(&context, &none_token) < 0 && !none_token, "a token");
    ok(ImpersonateSecurityContext(&context) == SEC_E_NO_IMPERSONATION, "impersonated");
    ok(DeleteSecurityContext(&context) == SEC_E_OK, "delete");
    ok(DeleteSecurityContext(&context) == SEC_E_INVALID_HANDLE, "deleted twice");

    expect_export_fails(L"raise in export", SEC_E_INTERNAL_ERROR);
    expect_export_fails(L"export nothing", SEC_E_CANNOT_PACK);
    expect_export_fails(L"export no block", SEC_E_CANNOT_PACK);
    expect_export_fails(L"export more", SEC_E_INVALID_PARAMETER);
    expect_import(L"export 16 MiB", SEC_E_OK);
    expect_import(L"import raise", SEC_E_INTERNAL_ERROR);
    expect_import(L"import no handle", SEC_E_INTERNAL_ERROR);
    ok(FreeCredentialsHandle(&hostile_credential) == SEC_E_OK, "the credential is not freed");
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

static const struct hosting_case child_cases[] = {
    CHILD(hostile), CHILD(calls),       CHILD(odd),       CHILD(sparse),
    CHILD(twice),   CHILD(add_by_name), CHILD(permanent),
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
    static const wchar_t *const faults[] = {L"null",    L"zero",    L"many",  L"ten",   L"wild",
                                            L"fail",    L"raise",   L"crash", L"init",  L"info",
                                            L"noinfo",  L"noname",  L"throw", L"empty", L"refuse",
                                            L"million", L"endless", L"short"};
    for (unsigned i = 0; i < sizeof(faults) / sizeof(*faults); i++)
        run_hostile(L"hostile", faults[i]);
}

static void test_odd(void)
{
    static const wchar_t *const faults[] = {L"version", L"user", L"reenter", L"lengthy", L"unload"};
    for (unsigned i = 0; i < sizeof(faults) / sizeof(*faults); i++) run_hostile(L"odd", faults[i]);
}

static void test_calls(void)
{
    run_hostile(L"calls", L"calls");
    if (copy(L"prov_hostile", hosting_scratch, L"ssp_ntlm"))
        run_one(L"calls", hosting_scratch, L"ssp_ntlm");
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

/* A module for processes of the other width, if both were built. */
static void copy_other_width(void)
{
    wchar_t from[MAX_PATH], to[MAX_PATH];
    const wchar_t *other = sizeof(void *) == 8 ? L"i386" : L"x86_64";
    wsprintfW(from, L"%s..\\%s-windows\\prov_hostile.dll", hosting_folder, other);
    wsprintfW(to, L"%swidth.dll", hosting_scratch);
    if (!CopyFileW(from, to, FALSE)) printf("  no module of the other width\n");
}

/* Files that are no modules, and modules of the other kind. */
static void test_no_modules(void)
{
    static struct hosting_names lsa;
    static wchar_t longest[1200];
    BYTE zeros[4096] = {'M', 'Z'};
    memset(&lsa, 0, sizeof(lsa));
    copy_other_width();
    write_file(L"text", "This is not a module.\n", 22);
    write_file(L"nothing", "", 0);
    write_file(L"zeros", zeros, sizeof(zeros));
    for (int i = 0; i < 1199; i++) longest[i] = L'm';
    hosting_names_add(&lsa, hosting_scratch, L"missing");
    hosting_names_add(&lsa, hosting_scratch, L"text");
    hosting_names_add(&lsa, hosting_scratch, L"width");
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
    RUN(test_calls);
    RUN(test_no_modules);
    RUN(test_twice);
    RUN(test_add_by_name);
    RUN(test_add_kind);
    RUN(test_add_permanent);
    hosting_end();
    return test_end("api_hostile");
}
