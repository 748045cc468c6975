/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contexts of a package that is not ours, ssp_example, move between processes like those of any
 * other. All cases are ours.
 */
#include "../api/hosting.h"
#include "loopback.h"
#include "worker.h"

static struct loopback loop;
static struct blob blob;

static SECURITY_STATUS acquire(CredHandle *made)
{
    SEC_WINNT_AUTH_IDENTITY_W identity = {
        (USHORT *)L"alice", 5, NULL, 0, (USHORT *)L"sesame", 6, SEC_WINNT_AUTH_IDENTITY_UNICODE};
    return AcquireCredentialsHandleW(NULL, (wchar_t *)L"Example", SECPKG_CRED_BOTH, NULL, &identity,
                                     NULL, NULL, made, NULL);
}

static bool connect_pair(void)
{
    context_forget(&loop.client);
    context_forget(&loop.server);
    loop.client_flags = SEAL_FLAGS;
    loop.server_flags = SERVER_SEAL_FLAGS;
    return ok(!acquire(&loop.client_cred) && !acquire(&loop.server_cred), "no credentials") &&
           ok(!loopback_connect(&loop), "no contexts");
}

/* From here to one process, from there to another, and home again, talking at each stop. */
static void child_moves(void)
{
    struct worker first, second;
    worker_package = L"Example";
    if (!connect_pair()) return;
    ok(contexts_talk(&loop.client, &loop.server), "at home");
    if (!ok(worker_start(&first, NULL) && worker_start(&second, NULL), "no workers")) return;
    SECURITY_STATUS status = context_export(&loop.server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob,
                                            NULL);
    ok(!status, "export: %08lx", status);
    ok(!worker_import(&first, &blob), "import into the first");
    ok(worker_talks(&first, &loop.client), "in the first");
    ok(!worker_export(&first, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob), "export from the first");
    ok(!worker_import(&second, &blob), "import into the second");
    ok(worker_talks(&second, &loop.client), "in the second");
    ok(worker_import(&first, &blob) == SEC_E_CONTEXT_EXPIRED, "a second life in the first");
    ok(!worker_export(&second, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob), "export from the second");
    status = context_import(L"Example", blob.bytes, blob.size, &loop.server);
    ok(!status, "import at home: %08lx", status);
    ok(contexts_talk(&loop.client, &loop.server), "at home again");
    ok(worker_end(&first) && worker_end(&second), "a worker ended badly");
    loopback_close(&loop);
}

/* A blob that was changed or cut short never reaches the package. */
static void child_damage(void)
{
    CtxtHandle imported;
    if (!connect_pair()) return;
    SECURITY_STATUS status = context_export(&loop.server, 0, &blob, NULL);
    if (!ok(!status, "export: %08lx", status)) return;
    for (ULONG i = 0; i < blob.size; i++) {
        blob.bytes[i] ^= 0x10;
        status = context_import(L"Example", blob.bytes, blob.size, &imported);
        ok(status < 0, "byte %lu changed: %08lx", i, status);
        blob.bytes[i] ^= 0x10;
        status = context_import(L"Example", blob.bytes, i, &imported);
        ok(status < 0, "cut to %lu bytes: %08lx", i, status);
    }
    status = context_import(L"Example", blob.bytes, blob.size, &imported);
    ok(!status, "as it was: %08lx", status);
    DeleteSecurityContext(&imported);
    loopback_close(&loop);
}

static const struct hosting_case child_cases[] = {{"moves", child_moves}, {"damage", child_damage}};

static void run(const wchar_t *child)
{
    static struct hosting_names lsa;
    DWORD failures;
    memset(&lsa, 0, sizeof(lsa));
    hosting_names_add(&lsa, hosting_folder, L"ssp_example");
    bool done = hosting_run(child, &lsa, NULL, &failures);
    ok(done && !failures, "child %ls: exit status %lu", child, failures);
}

static void test_moves(void)
{
    run(L"moves");
}

static void test_damage(void)
{
    run(L"damage");
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "worker")) return worker_main(argc, argv);
    if (argc == 2) return hosting_case_run(child_cases, ARRAYSIZE(child_cases), argv[1], NULL);
    if (!hosting_begin()) {
        printf("skip export_example: a Wine prefix with a writable temporary folder\n");
        printf("export_example: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    RUN(test_moves);
    RUN(test_damage);
    hosting_end();
    return test_end("export_example");
}
