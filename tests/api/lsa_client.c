/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What packages learn of their client from the functions that the LSA gives them, and do in its
 * place; see api_lsa_table. [D name] is the page of the function's type in ntsecpkg.h.
 */
#include "lsa_provider.h"

static struct lsa_provider provider;
static const LSA_SECPKG_FUNCTION_TABLE *lsa;

static NTSTATUS NTAPI callback(ULONG_PTR argument1, ULONG_PTR argument2, PSecBuffer in,
                               PSecBuffer out)
{
    out->cbBuffer = in->cbBuffer + (ULONG)(argument1 * argument2);
    return STATUS_SUCCESS;
}

/* [D lsa_client_callback] the half of a package that runs with the client registers functions,
 * which the half in the LSA calls by their number */
static void child_callback(void)
{
    PLSA_REGISTER_CALLBACK registration = provider.record->dll_functions->RegisterCallback;
    SecBuffer in = {5, 0, NULL}, out = {0, 0, NULL};
    NTSTATUS status = lsa->ClientCallback((char *)42, 6, 7, &in, &out);
    ok(status == STATUS_NOT_FOUND, "not registered: %08lx", status);
    ok(!registration(42, callback), "registering");
    status = lsa->ClientCallback((char *)42, 6, 7, &in, &out);
    ok(!status && out.cbBuffer == 47, "%08lx, %lu", status, out.cbBuffer);
    status = lsa->ClientCallback((char *)43, 6, 7, &in, &out);
    ok(status == STATUS_NOT_FOUND, "another number: %08lx", status);
    ok(!registration(42, NULL), "ending it");
    status = lsa->ClientCallback((char *)42, 6, 7, &in, &out);
    ok(status == STATUS_NOT_FOUND, "no longer registered: %08lx", status);
}

static bool is_anonymous(void)
{
    HANDLE token;
    if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token))
        return GetLastError() == ERROR_CANT_OPEN_ANONYMOUS;
    CloseHandle(token);
    return false;
}

/* A client that tells nobody who it is does not become the process by that. */
static void child_anonymous(void)
{
    SECPKG_CLIENT_INFO info = {.ProcessID = 77};
    LSA_TOKEN_INFORMATION_NULL nobody = {0};
    TOKEN_SOURCE source = {.SourceName = "test"};
    TOKEN_STATISTICS own;
    HANDLE token, made = NULL;
    NTSTATUS sub_status = 1;
    DWORD size;
    OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token);
    GetTokenInformation(token, TokenStatistics, &own, sizeof(own), &size);
    CloseHandle(token);
    if (!ok(ImpersonateSelf(SecurityAnonymous) && is_anonymous(), "not anonymous")) return;
    NTSTATUS status = lsa->ImpersonateClient();
    ok(!status && is_anonymous(), "the client is the process: %08lx", status);
    status = lsa->GetClientInfo(&info);
    ok(status == STATUS_ACCESS_DENIED && info.ProcessID == 77, "the client: %08lx", status);
    status = lsa->CreateToken(&own.AuthenticationId, &source, Network, SecurityImpersonation,
                              LsaTokenInformationNull, &nobody, NULL, NULL, NULL, NULL, NULL, &made,
                              &sub_status);
    ok(status == STATUS_ACCESS_DENIED && !made, "a token: %08lx", status);
    ok(is_anonymous(), "the thread is the process");
    RevertToSelf();
}

static void child_client(void)
{
    struct client_info_ex info = {0};
    NTSTATUS status = provider.record->functions->GetClientInfoEx(&info, sizeof(info));
    ok(!status && info.base.ProcessID == GetCurrentProcessId(), "%08lx", status);
    ok(!info.base.Impersonating && !info.base.Restricted, "impersonating");
    status = provider.record->functions->GetClientInfoEx(&info, 4);
    ok(status == STATUS_INVALID_PARAMETER, "too small: %08lx", status);
    ok(ImpersonateSelf(SecurityIdentification), "not impersonating");
    status = provider.record->functions->GetClientInfoEx(&info, sizeof(info));
    ok(!status && info.base.Impersonating && info.base.ImpersonationLevel == SecurityIdentification,
       "%08lx, level %d", status, info.base.ImpersonationLevel);
    ok(!lsa->ImpersonateClient(), "impersonating the client");
    RevertToSelf();
    ULONG flags = 77;
    status = provider.record->functions->GetExtendedCallFlags(&flags);
    ok(!status && !flags, "flags: %08lx, %lx", status, flags);
    struct secpkg_failure_reason reason = {0};
    status = provider.record->functions->SetSecpkgFailureReason(reason);
    ok(status == STATUS_INVALID_SERVER_STATE, "a reason outside of a call: %08lx", status);
}

static const struct hosting_case child_cases[] = {CHILD(client), CHILD(callback), CHILD(anonymous)};

/* ---- in the parent ---- */

#define TEST(name)                   \
    static void test_##name(void)    \
    {                                \
        lsa_provider_run(L"" #name); \
    }

TEST(client)
TEST(callback)
TEST(anonymous)

int main(int argc, char **argv)
{
    if (argc == 2)
        return lsa_provider_case_run(&provider, &lsa, child_cases, ARRAYSIZE(child_cases), argv[1]);
    if (!hosting_begin()) {
        printf("skip api_lsa_client: a Wine prefix with a writable temporary folder\n");
        printf("api_lsa_client: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    RUN(test_client);
    RUN(test_callback);
    RUN(test_anonymous);
    hosting_end();
    return test_end("api_lsa_client");
}
