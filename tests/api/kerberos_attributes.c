/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * QueryContextAttributes of package Kerberos: what each attribute says of either end, what a PAC
 * adds to it, and which ones are refused. Sources in brackets, as in api_packages.
 */
#include "kerberos_pair.h"

#include <authz.h>
#include <rpc.h>

static LONGLONG now_local(void)
{
    FILETIME system, local;
    GetSystemTimeAsFileTime(&system);
    FileTimeToLocalFileTime(&system, &local);
    return (LONGLONG)local.dwHighDateTime << 32 | local.dwLowDateTime;
}

static bool ends_with(const wchar_t *text, const wchar_t *end)
{
    int length = lstrlenW(text), tail = lstrlenW(end);
    return length >= tail && !lstrcmpW(text + length - tail, end);
}

static bool free_all(void *first, void *second)
{
    return !FreeContextBuffer(first) && (!second || !FreeContextBuffer(second));
}

/* [OBS] Windows 10's list of packages */
static void test_package(void)
{
    if (!pair_open(KERBEROS_USUAL)) return;
    for (int i = 0; i < 2; i++) {
        SecPkgContext_PackageInfoW info = {NULL};
        SecPkgContext_NegotiationInfoW negotiation = {NULL, 77};
        SECURITY_STATUS status = kerberos_query(pair_side(i), SECPKG_ATTR_PACKAGE_INFO, &info);
        if (ok(!status, "%d: %08lx", i, status)) {
            ok(!lstrcmpW(info.PackageInfo->Name, L"Kerberos"), "%d: %ls", i,
               info.PackageInfo->Name);
            ok(info.PackageInfo->wRPCID == RPC_C_AUTHN_GSS_KERBEROS, "%d: id %u", i,
               info.PackageInfo->wRPCID);
            ok(info.PackageInfo->fCapabilities & SECPKG_FLAG_MUTUAL_AUTH, "%d: %lx", i,
               info.PackageInfo->fCapabilities);
            ok(free_all(info.PackageInfo, NULL), "%d: not freed", i);
        }
        status = kerberos_query(pair_side(i), SECPKG_ATTR_NEGOTIATION_INFO, &negotiation);
        if (ok(!status, "%d: %08lx", i, status)) {
            ok(negotiation.NegotiationState == SECPKG_NEGOTIATION_COMPLETE, "%d: %lu", i,
               negotiation.NegotiationState);
            ok(!lstrcmpW(negotiation.PackageInfo->Name, L"Kerberos"), "%d: %ls", i,
               negotiation.PackageInfo->Name);
            ok(free_all(negotiation.PackageInfo, NULL), "%d: not freed", i);
        }
    }
    pair_close();
}

/* [D secpkgcontext_names, secpkgcontext_nativenames, secpkgcontext_authority] */
static void test_names(void)
{
    if (!pair_open(KERBEROS_USUAL)) return;
    for (int i = 0; i < 2; i++) {
        SecPkgContext_NamesW names = {NULL};
        SecPkgContext_NativeNamesW native = {NULL, NULL};
        SecPkgContext_AuthorityW authority = {NULL};
        SECURITY_STATUS status = kerberos_query(pair_side(i), SECPKG_ATTR_NAMES, &names);
        if (ok(!status, "%d: %08lx", i, status)) {
            ok(*names.sUserName, "%d: no name", i);
            ok(free_all(names.sUserName, NULL), "%d: not freed", i);
        }
        status = kerberos_query(pair_side(i), SECPKG_ATTR_NATIVE_NAMES, &native);
        if (ok(!status, "%d: %08lx", i, status)) {
            ok(ends_with(native.sClientName, L"@WINESSPI.TEST"), "%d: %ls", i, native.sClientName);
            ok(ends_with(native.sServerName, L"@WINESSPI.TEST"), "%d: %ls", i, native.sServerName);
            ok(lstrcmpW(native.sClientName, native.sServerName), "%d: %ls", i, native.sClientName);
            ok(free_all(native.sClientName, native.sServerName), "%d: not freed", i);
        }
        status = kerberos_query(pair_side(i), SECPKG_ATTR_AUTHORITY, &authority);
        if (ok(!status, "%d: %08lx", i, status)) {
            ok(!lstrcmpW(authority.sAuthorityName, L"WINESSPI.TEST"), "%d: %ls", i,
               authority.sAuthorityName);
            ok(free_all(authority.sAuthorityName, NULL), "%d: not freed", i);
        }
    }
    pair_close();
}

/* ours: the account that the client has, where the server knows one */
static void test_account(void)
{
    SecPkgContext_NamesW names = {NULL};
    SecPkgContext_DceInfo dce = {77, NULL};
    if (!kerberos_has_module()) return;
    kerberos_facts = (struct kerberos_facts){.account = L"user", .domain = L"DOMAIN"};
    bool made = pair_open(KERBEROS_USUAL);
    kerberos_facts = (struct kerberos_facts){0};
    if (!made) return;
    ok(!kerberos_query(pair_side(1), SECPKG_ATTR_NAMES, &names) &&
           !lstrcmpW(names.sUserName, L"DOMAIN\\user") && free_all(names.sUserName, NULL),
       "another name");
    ok(!kerberos_query(pair_side(1), SECPKG_ATTR_DCE_INFO, &dce) &&
           !lstrcmpW(dce.pPac, L"DOMAIN\\user") && free_all(dce.pPac, NULL),
       "another name for RPC");
    ok(dce.AuthzSvc == RPC_C_AUTHZ_NAME, "service %lu", dce.AuthzSvc);
    pair_close();
}

/* [D secpkgcontext_clientspecifiedtarget]; ours for the texts of bytes, which no page describes */
static void test_targets(void)
{
    if (!pair_open(KERBEROS_USUAL)) return;
    for (int i = 0; i < 2; i++) {
        SecPkgContext_ClientSpecifiedTarget asked = {NULL};
        SecPkgContext_Target target = {0, NULL};
        SecPkgContext_AuthzID client = {0, NULL};
        SECURITY_STATUS status = kerberos_query(pair_side(i), SECPKG_ATTR_CLIENT_SPECIFIED_TARGET,
                                                &asked);
        if (ok(!status, "%d: %08lx", i, status)) {
            const wchar_t *name = i ? L"HTTP/server.winesspi.test@WINESSPI.TEST"
                                    : L"HTTP/server.winesspi.test";
            ok(!lstrcmpW(asked.sTargetName, name) || !kerberos_has_module(), "%d: %ls", i,
               asked.sTargetName);
            ok(free_all(asked.sTargetName, NULL), "%d: not freed", i);
        }
        status = kerberos_query(pair_side(i), SECPKG_ATTR_TARGET, &target);
        if (ok(!status, "%d: %08lx", i, status)) {
            ok(target.TargetLength == strlen(target.Target) &&
                   strstr(target.Target, "@WINESSPI.TEST"),
               "%d: %s", i, target.Target);
            ok(free_all(target.Target, NULL), "%d: not freed", i);
        }
        status = kerberos_query(pair_side(i), SECPKG_ATTR_AUTHENTICATION_ID, &client);
        if (ok(!status, "%d: %08lx", i, status)) {
            ok(client.AuthzIDLength == strlen(client.AuthzID) &&
                   strstr(client.AuthzID, "@WINESSPI.TEST"),
               "%d: %s", i, client.AuthzID);
            ok(free_all(client.AuthzID, NULL), "%d: not freed", i);
        }
    }
    pair_close();
}

/* [D secpkgcontext_flags] the bits of each side; [D secpkgcontext_lifespan] */
static void test_flags_and_times(void)
{
    if (!pair_open(KERBEROS_USUAL)) return;
    for (int i = 0; i < 2; i++) {
        SecPkgContext_Flags flags = {0};
        SecPkgContext_Lifespan span = {.tsStart.QuadPart = -1, .tsExpiry.QuadPart = -1};
        SECURITY_STATUS status = kerberos_query(pair_side(i), SECPKG_ATTR_FLAGS, &flags);
        ULONG wanted = i ? ASC_RET_CONFIDENTIALITY | ASC_RET_INTEGRITY | ASC_RET_MUTUAL_AUTH
                         : ISC_RET_CONFIDENTIALITY | ISC_RET_INTEGRITY | ISC_RET_MUTUAL_AUTH;
        ok(!status && (flags.Flags & wanted) == wanted, "%d: %08lx, %08lx", i, status, flags.Flags);
        status = kerberos_query(pair_side(i), SECPKG_ATTR_LIFESPAN, &span);
        ok(!status, "%d: %08lx", i, status);
        ok(span.tsStart.QuadPart > 0 && span.tsStart.QuadPart <= now_local() + 10000000,
           "%d: not begun", i);
        ok(span.tsExpiry.QuadPart > now_local(), "%d: expired", i);
    }
    pair_close();
}

/* [D secpkgcontext_sessionkey, secpkgcontext_keyinfo]; ours for the names, of which those of the
 * ciphers are klist's */
static void test_keys(void)
{
    static const struct {
        ULONG enctype;
        const wchar_t *cipher, *signature;
        LONG checksum;
    } rows[] = {
        {KERB_ETYPE_AES128_CTS_HMAC_SHA1_96, L"AES-128-CTS-HMAC-SHA1-96", L"HMAC-SHA1-96", 15},
        {KERB_ETYPE_AES256_CTS_HMAC_SHA1_96, L"AES-256-CTS-HMAC-SHA1-96", L"HMAC-SHA1-96", 16},
        {ETYPE_AES128_SHA256, L"AES-128-CTS-HMAC-SHA256-128", L"HMAC-SHA256-128", 19},
        {ETYPE_AES256_SHA384, L"AES-256-CTS-HMAC-SHA384-192", L"HMAC-SHA384-192", 20},
        {KERB_ETYPE_RC4_HMAC_NT, L"RSADSI RC4-HMAC(NT)", L"HMAC-MD5", -138},
    };
    SecPkgContext_SessionKey keys[2] = {{0, NULL}, {0, NULL}};
    if (!pair_open(KERBEROS_USUAL)) return;
    for (int i = 0; i < 2; i++) {
        SecPkgContext_KeyInfoW info = {NULL, NULL, 0, 0, 0};
        SECURITY_STATUS status = kerberos_query(pair_side(i), SECPKG_ATTR_SESSION_KEY, &keys[i]);
        ok(!status && keys[i].SessionKeyLength == kerberos_kind->key, "%d: %08lx, %lu bytes", i,
           status, keys[i].SessionKeyLength);
        status = kerberos_query(pair_side(i), SECPKG_ATTR_KEY_INFO, &info);
        if (!ok(!status, "%d: %08lx", i, status)) continue;
        for (unsigned j = 0; j < sizeof(rows) / sizeof(*rows); j++) {
            if (rows[j].enctype != kerberos_kind->enctype) continue;
            ok(!lstrcmpW(info.sEncryptAlgorithmName, rows[j].cipher), "%ls",
               info.sEncryptAlgorithmName);
            ok(!lstrcmpW(info.sSignatureAlgorithmName, rows[j].signature), "%ls",
               info.sSignatureAlgorithmName);
            ok((LONG)info.SignatureAlgorithm == rows[j].checksum, "%lx", info.SignatureAlgorithm);
        }
        ok(info.EncryptAlgorithm == kerberos_kind->enctype, "%lu", info.EncryptAlgorithm);
        ok(info.KeySize == kerberos_kind->key * 8, "%lu bits", info.KeySize);
        ok(free_all(info.sEncryptAlgorithmName, info.sSignatureAlgorithmName), "not freed");
    }
    ok(keys[0].SessionKey && keys[1].SessionKey &&
           !memcmp(keys[0].SessionKey, keys[1].SessionKey, kerberos_kind->key),
       "two different keys");
    ok(free_all(keys[0].SessionKey, keys[1].SessionKey), "not freed");
    pair_close();
}

/* [D secpkgcontext_lastclienttokenstatus] a question for clients */
static void test_last_token(void)
{
    SecPkgContext_LastClientTokenStatus last = {SecPkgAttrLastClientTokenMaybe};
    if (!pair_open(KERBEROS_USUAL)) return;
    SECURITY_STATUS status = kerberos_query(pair_side(0), SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS,
                                            &last);
    ok(!status && last.LastClientTokenStatus == SecPkgAttrLastClientTokenYes, "%08lx, %d", status,
       last.LastClientTokenStatus);
    status = kerberos_query(pair_side(1), SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, &last);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "the server: %08lx", status);
    pair_close();
}

/* ours: what the server knows of its client's rights */
static void test_rights(void)
{
    if (!pair_open(KERBEROS_USUAL)) return;
    SecPkgContext_SubjectAttributes subject = {NULL};
    SecPkgContext_DceInfo dce = {77, NULL};
    SECURITY_STATUS status = kerberos_query(pair_side(1), SECPKG_ATTR_SUBJECT_SECURITY_ATTRIBUTES,
                                            &subject);
    if (ok(!status, "claims: %08lx", status)) {
        AUTHZ_SECURITY_ATTRIBUTES_INFORMATION *info = subject.AttributeInfo;
        ok(info->Version == 1 && !info->AttributeCount, "%u, %lu claims", info->Version,
           info->AttributeCount);
        ok(free_all(info, NULL), "not freed");
    }
    status = kerberos_query(pair_side(1), SECPKG_ATTR_DCE_INFO, &dce);
    ok(!status && dce.pPac && free_all(dce.pPac, NULL), "DCE: %08lx", status);
    for (int i = 0; i < 2; i++) {
        ULONG id = i ? SECPKG_ATTR_DCE_INFO : SECPKG_ATTR_SUBJECT_SECURITY_ATTRIBUTES;
        BYTE room[64];
        status = kerberos_query(pair_side(0), id, room);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "client, %lu: %08lx", id, status);
    }
    pair_close();
}

/* ---- with a PAC ---- */

#define PAC_SIZE 236 /* both headers, the pointer and the fixed part of the structure */

static void put_u64(BYTE *at, uint64_t value)
{
    memcpy(at, &value, sizeof(value));
}

/* [OS MS-PAC 2.5], [OS MS-RPCE 2.2.6] */
static void pac_make(BYTE pac[PAC_SIZE])
{
    static const BYTE headers[20] = {1, 0x10, 8, 0, 0xcc, 0xcc, 0xcc, 0xcc, 0xd8, 0,
                                     0, 0,    0, 0, 0,    0,    0,    0,    2,    0};
    memset(pac, 0, PAC_SIZE);
    memcpy(pac, headers, sizeof(headers));
    put_u64(pac + 20, 132000000000000000);      /* LogonTime */
    put_u64(pac + 20 + 8, INT64_MAX);           /* LogoffTime */
    put_u64(pac + 20 + 40, 153000000000000000); /* PasswordMustChange */
    pac[20 + 116] = 0x20;                       /* UserFlags */
}

static SECURITY_STATUS query_times(TimeStamp *logoff, TimeStamp *password, ULONG *flags)
{
    SecPkgContext_LogoffTime off;
    SecPkgContext_PasswordExpiry expiry;
    SecPkgContext_UserFlags user;
    SECURITY_STATUS status = kerberos_query(pair_side(1), SECPKG_ATTR_LOGOFF_TIME, &off);
    if (status) return status;
    status = kerberos_query(pair_side(1), SECPKG_ATTR_PASSWORD_EXPIRY, &expiry);
    if (status) return status;
    status = kerberos_query(pair_side(1), SECPKG_ATTR_USER_FLAGS, &user);
    *logoff = off.tsLogoffTime;
    *password = expiry.tsPasswordExpires;
    *flags = user.UserFlags;
    return status;
}

/* [D secpkgcontext_passwordexpiry, secpkgcontext_userflags] from the client's PAC; ours: what is
 * not whole tells nothing */
static void test_pac(void)
{
    BYTE pac[PAC_SIZE];
    TimeStamp logoff, password;
    ULONG flags = 0;
    if (!kerberos_has_module()) return;
    pac_make(pac);
    for (size_t size = 0; size <= PAC_SIZE; size += size < 16 ? 1 : 10) {
        kerberos_facts = (struct kerberos_facts){.pac = pac, .pac_size = size};
        bool made = pair_open(KERBEROS_USUAL);
        kerberos_facts = (struct kerberos_facts){0};
        if (!made) return;
        SECURITY_STATUS status = query_times(&logoff, &password, &flags);
        bool whole = size >= 20 + 120;
        ok(status == (whole ? SEC_E_OK : SEC_E_UNSUPPORTED_FUNCTION), "%lu bytes: %08lx",
           (ULONG)size, status);
        if (whole) {
            const FILETIME utc = {(DWORD)153000000000000000, 153000000000000000 >> 32};
            FILETIME local;
            FileTimeToLocalFileTime(&utc, &local);
            ok(logoff.QuadPart == 0x7fffff36d5969fff, "not never");
            ok(password.LowPart == local.dwLowDateTime &&
                   (DWORD)password.HighPart == local.dwHighDateTime,
               "another time");
            ok(flags == 0x20, "flags %lx", flags);
        }
        pair_close();
    }
}

/* ours: a PAC of another kind, and none */
static void test_no_pac(void)
{
    BYTE pac[PAC_SIZE];
    TimeStamp logoff, password;
    ULONG flags;
    if (!kerberos_has_module()) return;
    for (int i = 0; i < 3; i++) {
        pac_make(pac);
        if (i < 2) pac[i] ^= 0x10;
        kerberos_facts = (struct kerberos_facts){.pac = i < 2 ? pac : NULL,
                                                 .pac_size = i < 2 ? PAC_SIZE : 0};
        bool made = pair_open(KERBEROS_USUAL);
        kerberos_facts = (struct kerberos_facts){0};
        if (!made) return;
        SECURITY_STATUS status = query_times(&logoff, &password, &flags);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "%d: %08lx", i, status);
        pair_close();
    }
}

/* ---- errors ---- */

/* [D querycontextattributes--credssp] the one status that is documented for an incomplete context;
 * ours: what is known of it all the same */
static void test_half_open(void)
{
    static const ULONG later[] = {SECPKG_ATTR_SIZES,          SECPKG_ATTR_NAMES,
                                  SECPKG_ATTR_NATIVE_NAMES,   SECPKG_ATTR_SESSION_KEY,
                                  SECPKG_ATTR_KEY_INFO,       SECPKG_ATTR_LIFESPAN,
                                  SECPKG_ATTR_FLAGS,          SECPKG_ATTR_AUTHORITY,
                                  SECPKG_ATTR_ACCESS_TOKEN,   SECPKG_ATTR_CLIENT_SPECIFIED_TARGET,
                                  SECPKG_ATTR_DCE_INFO,       SECPKG_ATTR_TARGET,
                                  SECPKG_ATTR_PASSWORD_EXPIRY};
    if (kerberos_has_module()) return;
    for (int dce = 0; dce < 2; dce++) {
        SecPkgContext_NegotiationInfoW info = {NULL, 77};
        SecPkgContext_LastClientTokenStatus last;
        BYTE room[64];
        SECURITY_STATUS status = pair_begin(KERBEROS_USUAL | (dce ? ISC_REQ_USE_DCE_STYLE : 0));
        ok(status == SEC_I_CONTINUE_NEEDED, "first leg: %08lx", status);
        for (unsigned i = 0; i < sizeof(later) / sizeof(*later); i++) {
            status = kerberos_query(pair_side(0), later[i], room);
            ok(status == SEC_E_INVALID_HANDLE, "attribute %lu: %08lx", later[i], status);
        }
        status = kerberos_query(pair_side(0), SECPKG_ATTR_NEGOTIATION_INFO, &info);
        ok(!status && info.NegotiationState == SECPKG_NEGOTIATION_IN_PROGRESS, "%08lx, %lu", status,
           info.NegotiationState);
        if (!status) ok(free_all(info.PackageInfo, NULL), "not freed");
        status = kerberos_query(pair_side(0), SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, &last);
        ok(!status && last.LastClientTokenStatus ==
                          (dce ? SecPkgAttrLastClientTokenNo : SecPkgAttrLastClientTokenYes),
           "dce %d: %08lx", dce, status);
        pair_close();
    }
}

/* [D querycontextattributes--kerberos] what the page does not list */
static void test_refused(void)
{
    static const ULONG refused[] = {
        SECPKG_ATTR_STREAM_SIZES, SECPKG_ATTR_TARGET_INFORMATION, 0x5a, 0x53, 0x7777, 0x80000080};
    BYTE room[1024];
    if (!pair_open(KERBEROS_USUAL)) return;
    for (unsigned i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        for (int j = 0; j < 2; j++) {
            SECURITY_STATUS status = kerberos_query(pair_side(j), refused[i], room);
            ok(status == SEC_E_UNSUPPORTED_FUNCTION, "%lx: %08lx", refused[i], status);
        }
    }
    ok(kerberos_query(pair_side(0), SECPKG_ATTR_SIZES, NULL) == SEC_E_INVALID_PARAMETER,
       "without a buffer");
    ok(pair_talks(), "the contexts were hurt");
    pair_close();
}

int main(int argc, char **argv)
{
    if (!kerberos_begin(argc, argv)) return kerberos_nothing("api_kerberos_attributes");
    RUN_KINDS(test_package);
    RUN_KINDS(test_names);
    RUN_KINDS(test_account);
    RUN_KINDS(test_targets);
    RUN_KINDS(test_flags_and_times);
    RUN_KINDS(test_keys);
    RUN_KINDS(test_last_token);
    RUN_KINDS(test_rights);
    RUN_KINDS(test_pac);
    RUN_KINDS(test_no_pac);
    RUN_KINDS(test_half_open);
    RUN_KINDS(test_refused);
    return test_end("api_kerberos_attributes");
}
