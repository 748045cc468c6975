/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A registry that cannot be read. What an administrator has set is not taken for what is not there:
 * a package that knows nothing of it yet refuses its service, one that has known it goes on by
 * that. The first case of a package is the first thing that this process asks of it.
 */
#include "fault_memory.h"
#include "loopback.h"

#include <schannel.h>

#define MSV L"SYSTEM\\CurrentControlSet\\Control\\Lsa\\MSV1_0"
#define RECEIVING L"RestrictReceivingNTLMTraffic"
#define SENDING L"RestrictSendingNTLMTraffic"
#define OWN_NAMES L"BackConnectionHostNames"

static struct loopback loop;

static bool can_refuse(void)
{
    return ours_only() && ok(memory_watch(), "the modules cannot be patched");
}

static SECURITY_STATUS first_legs(void)
{
    SECURITY_STATUS status = loopback_client_leg(&loop);
    return status == SEC_I_CONTINUE_NEEDED ? loopback_server_leg(&loop) : status;
}

/* ours: [D SEC_E_INSUFFICIENT_MEMORY, SEC_E_INTERNAL_ERROR] by what it fails for */
static void test_unknown_client(void)
{
    if (!ours_only()) return;
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    if (can_refuse()) {
        registry_refuse(ERROR_NOT_ENOUGH_MEMORY);
        status = loopback_client_leg(&loop);
        ok(status == SEC_E_INSUFFICIENT_MEMORY, "without memory: %08lx", status);
        registry_refuse(ERROR_ACCESS_DENIED);
        status = loopback_client_leg(&loop);
        ok(status == SEC_E_INTERNAL_ERROR, "without access: %08lx", status);
        registry_refuse(ERROR_SUCCESS);
        status = first_legs();
        ok(status == SEC_I_CONTINUE_NEEDED, "afterwards: %08lx", status);
    }
    loopback_close(&loop);
}

static SECURITY_STATUS acquire_schannel(void *auth_data, CredHandle *credential)
{
    TimeStamp expiry;
    return AcquireCredentialsHandleW(NULL, (wchar_t *)UNISP_NAME_W, SECPKG_CRED_OUTBOUND, NULL,
                                     auth_data, NULL, NULL, credential, &expiry);
}

/* ours */
static void test_unknown_schannel(void)
{
    SecPkgInfoW *info;
    CredHandle credential;
    if (!ours_only()) return;
    if (QuerySecurityPackageInfoW((wchar_t *)UNISP_NAME_W, &info)) {
        skip_case("the host's GnuTLS");
        return;
    }
    FreeContextBuffer(info);
    DWORD no_version = 99;
    SECURITY_STATUS status = acquire_schannel(&no_version, &credential);
    ok(status == SEC_E_UNKNOWN_CREDENTIALS, "what loads the module: %08lx", status);
    if (!can_refuse()) return;
    registry_refuse(ERROR_NOT_ENOUGH_MEMORY);
    status = acquire_schannel(NULL, &credential);
    registry_refuse(ERROR_SUCCESS);
    ok(status == SEC_E_INSUFFICIENT_MEMORY, "without memory: %08lx", status);
    status = acquire_schannel(NULL, &credential);
    if (ok(!status, "afterwards: %08lx", status)) FreeCredentialsHandle(&credential);
}

static void expect_first_legs(SECURITY_STATUS expected, const char *when)
{
    SECURITY_STATUS status = first_legs();
    ok(status == expected, "%s: %08lx", when, status);
    if (context_present(&loop.client)) DeleteSecurityContext(&loop.client);
    context_forget(&loop.client);
}

/* A server that lets nobody in goes on doing so. */
static void test_known(void)
{
    static const DWORD nobody = 2;
    struct saved_value saved;
    if (!can_refuse() || !ok(value_save(&saved, MSV, RECEIVING), "the value is not readable"))
        return;
    ok(value_set(&saved, REG_DWORD, &nobody, sizeof(nobody)), "the value is not set");
    second_pass();
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
    if (ok(!status, "no credentials: %08lx", status)) {
        expect_first_legs(SEC_E_UNSUPPORTED_FUNCTION, "as it is set");
        second_pass();
        registry_refuse(ERROR_NOT_ENOUGH_MEMORY);
        expect_first_legs(SEC_E_UNSUPPORTED_FUNCTION, "while it cannot be read");
        registry_refuse(ERROR_SUCCESS);
        loopback_close(&loop);
    }
    ok(value_restore(&saved), "the value stays");
}

static void expect_unread(SECURITY_STATUS (*leg)(struct loopback *), SECURITY_STATUS afterwards,
                          const char *which)
{
    registry_refuse(ERROR_NOT_ENOUGH_MEMORY);
    SECURITY_STATUS status = leg(&loop);
    ok(status == SEC_E_INSUFFICIENT_MEMORY, "%s, without memory: %08lx", which, status);
    registry_refuse(ERROR_ACCESS_DENIED);
    status = leg(&loop);
    ok(status == SEC_E_INTERNAL_ERROR, "%s, without access: %08lx", which, status);
    registry_refuse(ERROR_SUCCESS);
    status = leg(&loop);
    ok(status == afterwards, "%s, afterwards: %08lx", which, status);
}

static SECURITY_STATUS server_leg_again(struct loopback *again)
{
    static BYTE sent[sizeof(again->token)];
    ULONG size = again->token_size;
    memcpy(sent, again->token, size);
    SECURITY_STATUS status = loopback_server_leg(again);
    if (!status) return status;
    memcpy(again->token, sent, size);
    again->token_size = size;
    return status;
}

static void legs_by_name(void)
{
    if (!ok(!loopback_open(&loop, L"NTLM", NULL), "no credentials")) return;
    loop.target = L"HTTP/elsewhere.example.com";
    expect_first_legs(SEC_I_CONTINUE_NEEDED, "as it is listed");
    if (context_present(&loop.server)) DeleteSecurityContext(&loop.server);
    context_forget(&loop.server);
    expect_unread(loopback_client_leg, SEC_I_CONTINUE_NEEDED, "client");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "challenge");
    ok(loopback_client_leg(&loop) == SEC_E_OK, "answer");
    expect_unread(server_leg_again, SEC_E_OK, "server");
    loopback_close(&loop);
}

/* A name that a list may have is neither taken nor refused. */
static void test_unread_list(void)
{
    static const DWORD denied = 2;
    static const wchar_t names[] = L"elsewhere.example.com\0";
    struct saved_value sending, own_names;
    if (!can_refuse()) return;
    if (!ok(value_save(&sending, MSV, SENDING) && value_save(&own_names, MSV, OWN_NAMES),
            "the values are not readable"))
        return;
    ok(value_set(&sending, REG_DWORD, &denied, sizeof(denied)) &&
           value_set(&own_names, REG_MULTI_SZ, names, sizeof(names)),
       "the values are not set");
    second_pass();
    legs_by_name();
    ok(value_restore(&sending) && value_restore(&own_names), "the values stay");
}

/* That nobody knows whether Kerberos is used with addresses is no reason for NTLM. */
static void test_unread_negotiate(void)
{
    SecPkgInfoW *info;
    if (!ours_only()) return;
    if (QuerySecurityPackageInfoW((wchar_t *)L"Kerberos", &info)) {
        skip_case("the host's Kerberos");
        return;
    }
    FreeContextBuffer(info);
    if (!ok(!loopback_open(&loop, L"Negotiate", NULL), "no credentials")) return;
    loop.target = L"HTTP/127.0.0.1";
    if (can_refuse()) {
        expect_first_legs(SEC_I_CONTINUE_NEEDED, "as it is set");
        expect_unread(loopback_client_leg, SEC_I_CONTINUE_NEEDED, "an address");
    }
    loopback_close(&loop);
}

int main(void)
{
    RUN(test_unknown_client);
    RUN(test_unknown_schannel);
    RUN(test_known);
    RUN(test_unread_list);
    RUN(test_unread_negotiate);
    return test_end("api_policy_unread");
}
