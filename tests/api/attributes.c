/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QueryContextAttributes and QueryCredentialsAttributes for package NTLM in both character forms:
 * what each attribute says of an established context, of a half-open one, and which ones are
 * refused. Sources in brackets, as in api_packages.
 */
#include "loopback.h"

#include <rpc.h>

static struct account account;
static bool have_account;
static struct loopback loop;

static bool connect_loop(void)
{
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", have_account ? &account : NULL);
    return ok(!status, "no contexts: %08lx", status);
}

static CtxtHandle *side(int i)
{
    return i ? &loop.server : &loop.client;
}

/* [W8 ntlm.c:901-907] */
static void test_sizes(void)
{
    if (!connect_loop()) return;
    for (int i = 0; i < 4; i++) {
        SecPkgContext_Sizes sizes;
        memset(&sizes, 0xfa, sizeof(sizes));
        SECURITY_STATUS status = i < 2 ? QueryContextAttributesW(side(i), SECPKG_ATTR_SIZES, &sizes)
                                       : QueryContextAttributesA(side(i - 2), SECPKG_ATTR_SIZES,
                                                                 &sizes);
        ok(status == SEC_E_OK, "%d: %08lx", i, status);
        ok(sizes.cbMaxToken == 2888 || sizes.cbMaxToken == 1904, "token %lu", sizes.cbMaxToken);
        ok(sizes.cbMaxSignature == 16, "signature %lu", sizes.cbMaxSignature);
        ok(sizes.cbSecurityTrailer == 16, "trailer %lu", sizes.cbSecurityTrailer);
        ok(sizes.cbBlockSize == 0, "block %lu", sizes.cbBlockSize);
    }
    loopback_close(&loop);
}

/* [W8 ntlm.c:909-910], and what else NTLM has no answer to */
static void test_refused_attributes(void)
{
    static const ULONG refused[] = {SECPKG_ATTR_STREAM_SIZES, 0x5a, 0x53, 0x7777, 0x80000080};
    if (!connect_loop()) return;
    BYTE room[1024];
    for (unsigned i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        for (int j = 0; j < 2; j++) {
            memset(room, 0xfa, sizeof(room));
            SECURITY_STATUS status = QueryContextAttributesW(side(j), refused[i], room);
            ok(status == SEC_E_UNSUPPORTED_FUNCTION, "W, %lx: %08lx", refused[i], status);
            status = QueryContextAttributesA(side(j), refused[i], room);
            ok(status == SEC_E_UNSUPPORTED_FUNCTION, "A, %lx: %08lx", refused[i], status);
        }
    }
    loopback_close(&loop);
}

static void expect_name(CtxtHandle *context, const wchar_t *expected, const char *who)
{
    SecPkgContext_NamesW wide = {NULL};
    SecPkgContext_NamesA narrow = {NULL};
    SECURITY_STATUS status = QueryContextAttributesW(context, SECPKG_ATTR_NAMES, &wide);
    if (ok(!status && wide.sUserName, "%s, W: %08lx", who, status)) {
        ok(!lstrcmpiW(wide.sUserName, expected), "%s, W: %ls, not %ls", who, wide.sUserName,
           expected);
        ok(FreeContextBuffer(wide.sUserName) == SEC_E_OK, "%s, W: not freed", who);
    }
    status = QueryContextAttributesA(context, SECPKG_ATTR_NAMES, &narrow);
    if (ok(!status && narrow.sUserName, "%s, A: %08lx", who, status)) {
        char text[128];
        WideCharToMultiByte(CP_ACP, 0, expected, -1, text, 128, NULL, NULL);
        ok(!lstrcmpiA(narrow.sUserName, text), "%s, A: %s, not %s", who, narrow.sUserName, text);
        ok(FreeContextBuffer(narrow.sUserName) == SEC_E_OK, "%s, A: not freed", who);
    }
}

/* [D querycontextattributes--ntlm] the name of the user, domain\user */
static void test_names(void)
{
    if (!connect_loop()) return;
    wchar_t expected[96];
    if (have_account) wsprintfW(expected, L"%s\\%s", account.domain, account.user);
    else process_user(expected, 96);
    expect_name(&loop.server, expected, "server");
    expect_name(&loop.client, expected, "client");
    loopback_close(&loop);
}

/* [D] the flags of the handshake; 8.3 for the bits of each side */
static void test_flags(void)
{
    if (!connect_loop()) return;
    SecPkgContext_Flags flags = {0};
    SECURITY_STATUS status = QueryContextAttributesW(&loop.client, SECPKG_ATTR_FLAGS, &flags);
    ok(status == SEC_E_OK, "client: %08lx", status);
    ok(flags.Flags & ISC_RET_CONFIDENTIALITY && flags.Flags & ISC_RET_INTEGRITY, "client: %08lx",
       flags.Flags);
    ok(flags.Flags == loop.client_attrs || !running_on_ours(), "client: %08lx, leg gave %08lx",
       flags.Flags, loop.client_attrs);
    flags.Flags = 0;
    status = QueryContextAttributesA(&loop.server, SECPKG_ATTR_FLAGS, &flags);
    ok(status == SEC_E_OK, "server: %08lx", status);
    ok(flags.Flags & ASC_RET_CONFIDENTIALITY && flags.Flags & ASC_RET_INTEGRITY, "server: %08lx",
       flags.Flags);
    ok(flags.Flags == loop.server_attrs || !running_on_ours(), "server: %08lx, leg gave %08lx",
       flags.Flags, loop.server_attrs);
    loopback_close(&loop);
}

static bool is_ntlm_w(const SecPkgInfoW *info)
{
    return info && !lstrcmpW(info->Name, L"NTLM") && info->wRPCID == RPC_C_AUTHN_WINNT &&
           (info->fCapabilities & 0x2b37) == 0x2b37 && info->wVersion == 1;
}

static bool is_ntlm_a(const SecPkgInfoA *info)
{
    return info && !strcmp(info->Name, "NTLM") && info->wRPCID == RPC_C_AUTHN_WINNT &&
           (info->fCapabilities & 0x2b37) == 0x2b37 && info->wVersion == 1;
}

static void test_package_info(void)
{
    if (!connect_loop()) return;
    for (int i = 0; i < 2; i++) {
        SecPkgContext_PackageInfoW wide = {NULL};
        SecPkgContext_PackageInfoA narrow = {NULL};
        SECURITY_STATUS status = QueryContextAttributesW(side(i), SECPKG_ATTR_PACKAGE_INFO, &wide);
        ok(!status && is_ntlm_w(wide.PackageInfo), "%d, W: %08lx", i, status);
        if (!status) ok(!FreeContextBuffer(wide.PackageInfo), "%d, W: not freed", i);
        status = QueryContextAttributesA(side(i), SECPKG_ATTR_PACKAGE_INFO, &narrow);
        ok(!status && is_ntlm_a(narrow.PackageInfo), "%d, A: %08lx", i, status);
        if (!status) ok(!FreeContextBuffer(narrow.PackageInfo), "%d, A: not freed", i);
    }
    loopback_close(&loop);
}

/* [W8 ntlm.c:932-963] complete, and one heap block for structure and strings */
static void test_negotiation_info(void)
{
    if (!connect_loop()) return;
    for (int i = 0; i < 2; i++) {
        SecPkgContext_NegotiationInfoA narrow = {NULL, 77};
        SECURITY_STATUS status = QueryContextAttributesA(side(i), SECPKG_ATTR_NEGOTIATION_INFO,
                                                         &narrow);
        if (ok(!status && is_ntlm_a(narrow.PackageInfo), "%d, A: %08lx", i, status)) {
            SecPkgInfoA *info = narrow.PackageInfo;
            ok(narrow.NegotiationState == SECPKG_NEGOTIATION_COMPLETE, "%d, A: state %lu", i,
               narrow.NegotiationState);
            SIZE_T expected = sizeof(*info) + strlen(info->Name) + strlen(info->Comment) + 2;
            ok(HeapSize(GetProcessHeap(), 0, info) == expected, "%d, A: block of %lu, not %lu", i,
               (ULONG)HeapSize(GetProcessHeap(), 0, info), (ULONG)expected);
            ok(!FreeContextBuffer(info), "%d, A: not freed", i);
        }
        SecPkgContext_NegotiationInfoW wide = {NULL, 77};
        status = QueryContextAttributesW(side(i), SECPKG_ATTR_NEGOTIATION_INFO, &wide);
        if (ok(!status && is_ntlm_w(wide.PackageInfo), "%d, W: %08lx", i, status)) {
            ok(wide.NegotiationState == SECPKG_NEGOTIATION_COMPLETE, "%d, W: state %lu", i,
               wide.NegotiationState);
            ok(!FreeContextBuffer(wide.PackageInfo), "%d, W: not freed", i);
        }
    }
    loopback_close(&loop);
}

/* [W8 ntlm.c:914-929] with extended session security, which our own two ends negotiate */
static void test_key_info(void)
{
    if (!connect_loop()) return;
    for (int i = 0; i < 2; i++) {
        SecPkgContext_KeyInfoA narrow = {NULL};
        SECURITY_STATUS status = QueryContextAttributesA(side(i), SECPKG_ATTR_KEY_INFO, &narrow);
        if (ok(!status && narrow.sSignatureAlgorithmName, "%d, A: %08lx", i, status)) {
            ok(!strcmp(narrow.sSignatureAlgorithmName, "HMAC-MD5"), "%d, A: %s", i,
               narrow.sSignatureAlgorithmName);
            ok(!strcmp(narrow.sEncryptAlgorithmName, "RSADSI RC4"), "%d, A: %s", i,
               narrow.sEncryptAlgorithmName);
            ok(narrow.KeySize == 128, "%d, A: %lu bits", i, narrow.KeySize);
            ok(narrow.SignatureAlgorithm == 0xffffff76, "%d, A: %08lx", i,
               narrow.SignatureAlgorithm);
            ok(narrow.EncryptAlgorithm == 0x6801, "%d, A: %08lx", i, narrow.EncryptAlgorithm);
            ok(!FreeContextBuffer(narrow.sSignatureAlgorithmName), "%d, A: not freed", i);
            ok(!FreeContextBuffer(narrow.sEncryptAlgorithmName), "%d, A: not freed", i);
        }
        SecPkgContext_KeyInfoW wide = {NULL};
        status = QueryContextAttributesW(side(i), SECPKG_ATTR_KEY_INFO, &wide);
        if (ok(!status && wide.sSignatureAlgorithmName, "%d, W: %08lx", i, status)) {
            ok(!lstrcmpW(wide.sSignatureAlgorithmName, L"HMAC-MD5"), "%d, W: %ls", i,
               wide.sSignatureAlgorithmName);
            ok(!lstrcmpW(wide.sEncryptAlgorithmName, L"RSADSI RC4"), "%d, W: %ls", i,
               wide.sEncryptAlgorithmName);
            ok(!FreeContextBuffer(wide.sSignatureAlgorithmName), "%d, W: not freed", i);
            ok(!FreeContextBuffer(wide.sEncryptAlgorithmName), "%d, W: not freed", i);
        }
    }
    loopback_close(&loop);
}

/* [WM ntlm.c] there is one; [CI sspilib] it is the same on both sides */
static void test_session_key(void)
{
    if (!connect_loop()) return;
    SecPkgContext_SessionKey keys[2] = {{0, NULL}, {0, NULL}};
    for (int i = 0; i < 2; i++) {
        SECURITY_STATUS status = QueryContextAttributesW(side(i), SECPKG_ATTR_SESSION_KEY,
                                                         &keys[i]);
        ok(status == SEC_E_OK, "%d: %08lx", i, status);
        ok(keys[i].SessionKeyLength == 16 && keys[i].SessionKey, "%d: %lu bytes", i,
           keys[i].SessionKeyLength);
    }
    if (keys[0].SessionKey && keys[1].SessionKey) {
        static const BYTE zero[16];
        ok(!memcmp(keys[0].SessionKey, keys[1].SessionKey, 16), "two different keys");
        ok(memcmp(keys[0].SessionKey, zero, 16), "the key is zero");
        ok(!FreeContextBuffer(keys[0].SessionKey), "client's not freed");
        ok(!FreeContextBuffer(keys[1].SessionKey), "server's not freed");
    }
    loopback_close(&loop);
}

/* [D querycontextattributes] start and expiry; the legs gave the same expiry */
static void test_lifespan(void)
{
    if (!connect_loop()) return;
    FILETIME system, local;
    GetSystemTimeAsFileTime(&system);
    FileTimeToLocalFileTime(&system, &local);
    LONGLONG now = (LONGLONG)local.dwHighDateTime << 32 | local.dwLowDateTime;
    for (int i = 0; i < 2; i++) {
        SecPkgContext_Lifespan span = {.tsStart.QuadPart = -1, .tsExpiry.QuadPart = -1};
        SECURITY_STATUS status = QueryContextAttributesW(side(i), SECPKG_ATTR_LIFESPAN, &span);
        ok(status == SEC_E_OK, "%d: %08lx", i, status);
        ok(span.tsExpiry.QuadPart > now, "%d: expired", i);
        ok(span.tsStart.QuadPart >= 0 && span.tsStart.QuadPart <= now + 10000000, "%d: not begun",
           i);
        LONGLONG given = i ? loop.server_expiry.QuadPart : loop.client_expiry.QuadPart;
        ok(given > now, "%d: the leg said %lx%08lx", i, (long)(given >> 32), (long)given);
    }
    loopback_close(&loop);
}

/* What the handshake is still about cannot be told; the sizes can. ours: which status */
static void test_half_open(void)
{
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", have_account ? &account : NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    for (int i = 0; i < 2 && running_on_ours(); i++) {
        SecPkgContext_Sizes sizes;
        SecPkgContext_NamesW names;
        SecPkgContext_SessionKey key;
        SecPkgContext_KeyInfoW info;
        status = QueryContextAttributesW(side(i), SECPKG_ATTR_SIZES, &sizes);
        ok(status == SEC_E_OK, "%d, sizes: %08lx", i, status);
        status = QueryContextAttributesW(side(i), SECPKG_ATTR_SESSION_KEY, &key);
        ok(status < 0, "%d: a session key before the end: %08lx", i, status);
        status = QueryContextAttributesW(side(i), SECPKG_ATTR_KEY_INFO, &info);
        ok(status < 0, "%d: key information before the end: %08lx", i, status);
        if (i == 0) continue;
        status = QueryContextAttributesW(side(i), SECPKG_ATTR_NAMES, &names);
        ok(status < 0, "the server knows its client before the end: %08lx", status);
        HANDLE token = NULL;
        status = QuerySecurityContextToken(side(i), &token);
        ok(status < 0 && !token, "the server has a token before the end: %08lx", status);
        status = ImpersonateSecurityContext(side(i));
        ok(status < 0, "the server impersonates before the end: %08lx", status);
    }
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
    ok(loopback_server_leg(&loop) == SEC_E_OK, "server 2");
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

static SECURITY_STATUS last_token(CtxtHandle *context, SECPKG_ATTR_LCT_STATUS *said)
{
    SecPkgContext_LastClientTokenStatus last = {SecPkgAttrLastClientTokenMaybe};
    SECURITY_STATUS status = QueryContextAttributesW(context, SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS,
                                                     &last);
    *said = last.LastClientTokenStatus;
    return status;
}

/* [D secpkgcontext_lastclienttokenstatus] a client says whether it has said its last word */
static void test_last_client_token(void)
{
    SECPKG_ATTR_LCT_STATUS said;
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", have_account ? &account : NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    status = last_token(&loop.client, &said);
    ok(!status && said == SecPkgAttrLastClientTokenNo, "first leg: %08lx, %d", status, said);
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
    status = last_token(&loop.client, &said);
    ok(!status && said == SecPkgAttrLastClientTokenYes, "second leg: %08lx, %d", status, said);
    if (running_on_ours()) {
        status = last_token(&loop.server, &said);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "the server: %08lx", status);
    }
    loopback_close(&loop);
}

/* [D secpkgcontext_dceinfo] what a server of RPC decides by; ours: which is the client's name, in
 * memory for the application */
static void test_dce_info(void)
{
    SecPkgContext_DceInfo info = {0};
    SecPkgContext_NamesW names;
    if (!ours_only()) return;
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (!ok(!status, "no contexts: %08lx", status)) return;
    status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_DCE_INFO, &info);
    if (ok(!status && info.AuthzSvc == RPC_C_AUTHZ_NAME, "%08lx, %lu", status, info.AuthzSvc)) {
        status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_NAMES, &names);
        ok(!status && !lstrcmpW(names.sUserName, info.pPac), "%ls", (wchar_t *)info.pPac);
        FreeContextBuffer(names.sUserName);
        FreeContextBuffer(info.pPac);
    }
    loopback_close(&loop);
}

/* ours: every attribute that the page of NTLM lists is answered, or has its error: what neither end
 * can know, and what has no published form */
static void test_listed_attributes(void)
{
    static const struct {
        ULONG id;
        SECURITY_STATUS client, server;
    } rows[] = {
        {SECPKG_ATTR_SIZES, SEC_E_OK, SEC_E_OK},
        {SECPKG_ATTR_NAMES, SEC_E_OK, SEC_E_OK},
        {SECPKG_ATTR_LIFESPAN, SEC_E_OK, SEC_E_OK},
        {SECPKG_ATTR_KEY_INFO, SEC_E_OK, SEC_E_OK},
        {SECPKG_ATTR_AUTHORITY, SEC_E_OK, SEC_E_OK},
        {SECPKG_ATTR_PASSWORD_EXPIRY, SEC_E_UNSUPPORTED_FUNCTION, SEC_E_OK},
        {SECPKG_ATTR_SESSION_KEY, SEC_E_OK, SEC_E_OK},
        {SECPKG_ATTR_PACKAGE_INFO, SEC_E_OK, SEC_E_OK},
        {SECPKG_ATTR_NEGOTIATION_INFO, SEC_E_OK, SEC_E_OK},
        {SECPKG_ATTR_NATIVE_NAMES, SEC_E_OK, SEC_E_OK},
        {SECPKG_ATTR_FLAGS, SEC_E_OK, SEC_E_OK},
        {SECPKG_ATTR_ACCESS_TOKEN, SEC_E_NO_IMPERSONATION, SEC_E_OK},
        {SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, SEC_E_TARGET_UNKNOWN, SEC_E_TARGET_UNKNOWN},
        {SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, SEC_E_OK, SEC_E_UNSUPPORTED_FUNCTION},
        {SECPKG_ATTR_TARGET_INFORMATION, SEC_E_UNSUPPORTED_FUNCTION, SEC_E_UNSUPPORTED_FUNCTION},
        {SECPKG_ATTR_DCE_INFO, SEC_E_UNSUPPORTED_FUNCTION, SEC_E_OK},
        {SECPKG_ATTR_USER_FLAGS, SEC_E_UNSUPPORTED_FUNCTION, SEC_E_UNSUPPORTED_FUNCTION},
        {SECPKG_ATTR_IS_LOOPBACK, SEC_E_UNSUPPORTED_FUNCTION, SEC_E_UNSUPPORTED_FUNCTION},
        {SECPKG_ATTR_UNIQUE_BINDINGS, SEC_E_UNSUPPORTED_FUNCTION, SEC_E_UNSUPPORTED_FUNCTION},
        {SECPKG_ATTR_ENDPOINT_BINDINGS, SEC_E_UNSUPPORTED_FUNCTION, SEC_E_UNSUPPORTED_FUNCTION},
    };
    if (!ours_only()) return;
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (!ok(!status, "no contexts: %08lx", status)) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        BYTE room[64] = {0};
        status = QueryContextAttributesW(&loop.client, rows[i].id, room);
        ok(status == rows[i].client, "client, %lu: %08lx", rows[i].id, status);
        status = QueryContextAttributesW(&loop.server, rows[i].id, room);
        ok(status == rows[i].server, "server, %lu: %08lx", rows[i].id, status);
    }
    loopback_close(&loop);
}

/* ours: nowhere to write to */
static void test_no_buffer(void)
{
    if (!ours_only() || !connect_loop()) return;
    static const ULONG attributes[] = {SECPKG_ATTR_SIZES,
                                       SECPKG_ATTR_NAMES,
                                       SECPKG_ATTR_FLAGS,
                                       SECPKG_ATTR_KEY_INFO,
                                       SECPKG_ATTR_SESSION_KEY,
                                       SECPKG_ATTR_PACKAGE_INFO,
                                       SECPKG_ATTR_NEGOTIATION_INFO,
                                       SECPKG_ATTR_LIFESPAN};
    for (unsigned i = 0; i < sizeof(attributes) / sizeof(*attributes); i++) {
        SECURITY_STATUS status = QueryContextAttributesW(&loop.client, attributes[i], NULL);
        ok(status < 0, "W, %lu: %08lx", attributes[i], status);
        status = QueryContextAttributesA(&loop.client, attributes[i], NULL);
        ok(status < 0, "A, %lu: %08lx", attributes[i], status);
    }
    loopback_close(&loop);
}

/* [H sspi.h] the form that is told the size of the buffer refuses one that is too small */
static void test_sized_query(void)
{
    SECURITY_STATUS(WINAPI * query)(CtxtHandle *, ULONG, void *, ULONG);
    query = function_find("sspicli.dll", "QueryContextAttributesExW");
    if (!ours_only() || !ok(query != NULL, "no QueryContextAttributesExW") || !connect_loop())
        return;
    BYTE room[64];
    memset(room, 0xfa, sizeof(room));
    for (ULONG size = 0; size < sizeof(SecPkgContext_Sizes); size++) {
        SECURITY_STATUS status = query(&loop.client, SECPKG_ATTR_SIZES, room, size);
        ok(status < 0, "%lu bytes: %08lx", size, status);
        ok(room[size] == 0xfa, "written behind %lu bytes", size);
    }
    SECURITY_STATUS status = query(&loop.client, SECPKG_ATTR_SIZES, room,
                                   sizeof(SecPkgContext_Sizes));
    ok(status == SEC_E_OK, "the right size: %08lx", status);
    ok(((SecPkgContext_Sizes *)room)->cbMaxSignature == 16, "other sizes");
    ok(room[sizeof(SecPkgContext_Sizes)] == 0xfa, "written behind the buffer");
    loopback_close(&loop);
}

int main(void)
{
    have_account = account_create(&account);
    RUN(test_sizes);
    RUN(test_refused_attributes);
    RUN(test_names);
    RUN(test_flags);
    RUN(test_package_info);
    RUN(test_negotiation_info);
    RUN(test_key_info);
    RUN(test_session_key);
    RUN(test_lifespan);
    RUN(test_half_open);
    RUN(test_last_client_token);
    RUN(test_dce_info);
    RUN(test_listed_attributes);
    RUN(test_no_buffer);
    RUN(test_sized_query);
    if (have_account) account_remove(&account);
    return test_end("api_attributes");
}
