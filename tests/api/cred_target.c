/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Targets: the host that a name means, target information as text and back, and channel bindings in
 * their extended form. Sources of expectations in brackets, as in api_packages.
 */
#include "identities.h"
#include "loopback.h"

#include <sspi.h>
#include <wincred.h>

#define UNTOUCHED ((void *)0x5ec5ec5e)
#define INVALID_PARAMETER ((LONG)0xC000000D) /* STATUS_INVALID_PARAMETER */

/* [D credmarshaltargetinfo] [D credunmarshaltargetinfo]; the header's declaration lacks NTAPI */
typedef LONG NTAPI marshal_t(CREDENTIAL_TARGET_INFORMATIONW *info, USHORT **bytes, ULONG *size);
typedef LONG NTAPI unmarshal_t(USHORT *bytes, ULONG size, CREDENTIAL_TARGET_INFORMATIONW **info,
                               ULONG *used);
/* [D sspi-sspisetchannelbindingflags] */
typedef SECURITY_STATUS SEC_ENTRY set_flags_t(SecPkgContext_Bindings *bindings, ULONG flags);

static marshal_t *marshal;
static unmarshal_t *unmarshal;
static set_flags_t *set_flags;

/* ---- hosts ---- */

static void expect_host(const wchar_t *target, const wchar_t *expected)
{
    PWSTR host = UNTOUCHED;
    SECURITY_STATUS status = SspiGetTargetHostName(target, &host);
    if (!expected) {
        ok(status == SEC_E_TARGET_UNKNOWN && host == UNTOUCHED, "%ls: %08lx", target, status);
        return;
    }
    if (!ok(!status, "%ls: %08lx", target, status)) return;
    ok(!lstrcmpW(host, expected), "%ls: %ls", target, host);
    SspiLocalFree(host);
}

/* [D sspigettargethostname] the host of a target; the forms of a target are those of service
 * principal names [D name-formats-for-unique-spns] */
static void test_host(void)
{
    expect_host(L"HTTP/www.farm.test", L"www.farm.test");
    expect_host(L"HTTP/www.farm.test:8080", L"www.farm.test");
    if (!ours_only()) return;
    expect_host(L"ldap/dc.farm.test:389/farm.test", L"dc.farm.test");
    expect_host(L"host/server@FARM.TEST", L"server");
    expect_host(L"HTTP/[fe80::1]:80", L"fe80::1");
    expect_host(L"server", L"server");
    expect_host(L"user@farm.test", NULL);
    expect_host(L"HTTP/", NULL);
    expect_host(L"", NULL);
    PWSTR host = UNTOUCHED;
    ok(SspiGetTargetHostName(NULL, &host) == SEC_E_INVALID_PARAMETER, "no target");
    ok(SspiGetTargetHostName(L"server", NULL) == SEC_E_INVALID_PARAMETER, "no output");
    ok(host == UNTOUCHED, "output changed");
}

/* ---- target information ---- */

static DWORD types[] = {CRED_TYPE_DOMAIN_PASSWORD, CRED_TYPE_DOMAIN_CERTIFICATE};

static CREDENTIAL_TARGET_INFORMATIONW sample(void)
{
    return (CREDENTIAL_TARGET_INFORMATIONW){
        .TargetName = (wchar_t *)L"server.farm.test",
        .NetbiosServerName = (wchar_t *)L"SERVER",
        .DnsServerName = (wchar_t *)L"server.farm.test",
        .NetbiosDomainName = (wchar_t *)L"FARM",
        .DnsDomainName = (wchar_t *)L"farm.test",
        .DnsTreeName = (wchar_t *)L"tree.test",
        .PackageName = (wchar_t *)L"NTLM",
        .Flags = CRED_TI_SERVER_FORMAT_UNKNOWN,
        .CredTypeCount = 2,
        .CredTypes = types,
    };
}

static bool same(const wchar_t *a, const wchar_t *b)
{
    return a && b ? !lstrcmpW(a, b) : a == b;
}

static void expect_info(const CREDENTIAL_TARGET_INFORMATIONW *a,
                        const CREDENTIAL_TARGET_INFORMATIONW *b)
{
    ok(same(a->TargetName, b->TargetName), "target %ls", b->TargetName);
    ok(same(a->NetbiosServerName, b->NetbiosServerName), "server %ls", b->NetbiosServerName);
    ok(same(a->DnsServerName, b->DnsServerName), "DNS server %ls", b->DnsServerName);
    ok(same(a->NetbiosDomainName, b->NetbiosDomainName), "domain %ls", b->NetbiosDomainName);
    ok(same(a->DnsDomainName, b->DnsDomainName), "DNS domain %ls", b->DnsDomainName);
    ok(same(a->DnsTreeName, b->DnsTreeName), "tree %ls", b->DnsTreeName);
    ok(same(a->PackageName, b->PackageName), "package %ls", b->PackageName);
    ok(a->Flags == b->Flags, "flags %lx", b->Flags);
    ok(a->CredTypeCount == b->CredTypeCount, "%lu types", b->CredTypeCount);
    if (a->CredTypeCount == b->CredTypeCount && a->CredTypeCount)
        ok(!memcmp(a->CredTypes, b->CredTypes, a->CredTypeCount * sizeof(DWORD)), "types");
}

static void expect_round_trip(CREDENTIAL_TARGET_INFORMATIONW *info)
{
    CREDENTIAL_TARGET_INFORMATIONW *back = NULL;
    USHORT *bytes = NULL;
    ULONG size = 0, used = 0;
    LONG status = marshal(info, &bytes, &size);
    if (!ok(!status && bytes && size, "marshal %08lx", status)) return;
    status = unmarshal(bytes, size, &back, &used);
    if (ok(!status && back, "unmarshal %08lx", status)) {
        ok(used == size, "%lu of %lu bytes", used, size);
        expect_info(info, back);
        LocalFree(back);
    }
    LocalFree(bytes);
}

static void test_info(void)
{
    CREDENTIAL_TARGET_INFORMATIONW info = sample();
    expect_round_trip(&info);
    info.NetbiosDomainName = info.DnsTreeName = info.PackageName = NULL;
    expect_round_trip(&info);
    info.CredTypeCount = 0;
    info.CredTypes = NULL;
    expect_round_trip(&info);
}

/* [H ntsecpkg.h] CRED_MARSHALED_TI_SIZE_SIZE says that the size is told; it stands at the end, so
 * that the whole can follow a target's name. */
static void test_behind_a_name(void)
{
    CREDENTIAL_TARGET_INFORMATIONW info = sample(), *back = NULL;
    wchar_t text[2048] = L"cifs/server";
    USHORT *bytes = NULL;
    ULONG size = 0, used = 0;
    if (!ours_only()) return;
    ok(!marshal(&info, &bytes, &size), "not marshalled");
    ok(lstrlenW((wchar_t *)bytes) * sizeof(wchar_t) == size, "no text of %lu bytes", size);
    lstrcatW(text, (wchar_t *)bytes);
    LONG status = unmarshal((USHORT *)text, lstrlenW(text) * sizeof(wchar_t), &back, &used);
    if (ok(!status && used == size, "%08lx, %lu bytes", status, used)) expect_info(&info, back);
    SspiLocalFree(back);
    back = NULL;
    ok(!unmarshal(bytes, size, &back, NULL), "size not asked for");
    FreeContextBuffer(back);
    FreeContextBuffer(bytes);
}

static void test_damaged_info(void)
{
    CREDENTIAL_TARGET_INFORMATIONW info = sample(), *back = UNTOUCHED;
    USHORT *bytes = NULL;
    ULONG size = 0, used = 77;
    if (!ours_only()) return;
    ok(!marshal(&info, &bytes, &size), "not marshalled");
    for (ULONG part = 0; part < size; part++) {
        USHORT *cut = HeapAlloc(GetProcessHeap(), 0, part ? part : 1);
        memcpy(cut, bytes, part);
        LONG status = unmarshal(cut, part, &back, &used);
        ok(status == INVALID_PARAMETER && back == UNTOUCHED && used == 77, "%lu bytes: %08lx", part,
           status);
        HeapFree(GetProcessHeap(), 0, cut);
    }
    bytes[0]++;
    ok(unmarshal(bytes, size, &back, &used) == INVALID_PARAMETER, "another form");
    ok(unmarshal(NULL, size, &back, &used) == INVALID_PARAMETER, "no text");
    ok(unmarshal(bytes, size, NULL, &used) == INVALID_PARAMETER, "no output");
    ok(back == UNTOUCHED && used == 77, "outputs changed");
    LocalFree(bytes);
    bytes = UNTOUCHED;
    size = 77;
    ok(marshal(NULL, &bytes, &size) == INVALID_PARAMETER, "no information");
    ok(marshal(&info, NULL, &size) == INVALID_PARAMETER, "no place for the text");
    ok(marshal(&info, &bytes, NULL) == INVALID_PARAMETER, "no place for the size");
    info.CredTypeCount = 65;
    ok(marshal(&info, &bytes, &size) == INVALID_PARAMETER, "too many types");
    info.CredTypeCount = 1;
    info.CredTypes = NULL;
    ok(marshal(&info, &bytes, &size) == INVALID_PARAMETER, "types left out");
    ok(bytes == UNTOUCHED && size == 77, "outputs changed");
}

/* ---- channel bindings ---- */

/* SEC_CHANNEL_BINDINGS_EX of the Windows SDK's sspi.h, which MinGW lacks. */
struct bindings_ex {
    ULONG magic, flags, header_size, size;
    SEC_CHANNEL_BINDINGS bindings;
};

static const char channel[] = "tls-server-end-point:0123456789abcdef";

static SecPkgContext_Bindings bindings_make(void)
{
    SecPkgContext_Bindings made = {sizeof(SEC_CHANNEL_BINDINGS) + sizeof(channel) - 1, NULL};
    made.Bindings = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, made.BindingsLength);
    made.Bindings->cbApplicationDataLength = sizeof(channel) - 1;
    made.Bindings->dwApplicationDataOffset = sizeof(*made.Bindings);
    memcpy(made.Bindings + 1, channel, sizeof(channel) - 1);
    return made;
}

static bool flags_here(void)
{
    if (set_flags) return true;
    skip_case("SspiSetChannelBindingFlags");
    return false;
}

/* [D sspi-sspisetchannelbindingflags] [D ns-ntifs-sec_channel_bindings_ex] */
static void test_binding_flags(void)
{
    if (!flags_here() || !ours_only()) return;
    SecPkgContext_Bindings bindings = bindings_make(), before = bindings;
    ok(set_flags(&bindings, 2) == SEC_E_INVALID_PARAMETER, "unknown flag");
    ok(set_flags(NULL, 1) == SEC_E_INVALID_PARAMETER, "no bindings");
    ok(!memcmp(&bindings, &before, sizeof(before)), "changed");
    for (ULONG flags = 0; flags < 2; flags++) {
        SECURITY_STATUS status = set_flags(&bindings, flags);
        if (!ok(!status, "flags %lu: %08lx", flags, status)) break;
        const struct bindings_ex *ex = (void *)bindings.Bindings;
        ok(ex->magic == 0x58454243 && ex->flags == flags, "%lx %lx", ex->magic, ex->flags);
        ok(ex->header_size == sizeof(*ex) && ex->size == bindings.BindingsLength, "sizes");
        ok(bindings.BindingsLength == before.BindingsLength + 16, "%lu bytes",
           bindings.BindingsLength);
        ok(!memcmp((BYTE *)ex + ex->bindings.dwApplicationDataOffset, channel, sizeof(channel) - 1),
           "application data");
    }
    FreeContextBuffer(bindings.Bindings);
    bindings = bindings_make();
    bindings.BindingsLength = sizeof(SEC_CHANNEL_BINDINGS) - 1;
    ok(set_flags(&bindings, 1) == SEC_E_INVALID_PARAMETER, "cut short");
    FreeContextBuffer(bindings.Bindings);
}

static SECURITY_STATUS server_leg(struct loopback *loop, const SecPkgContext_Bindings *bindings)
{
    BYTE made[4096];
    SecBuffer in[] = {
        {loop->token_size, SECBUFFER_TOKEN, loop->token},
        {bindings->BindingsLength, SECBUFFER_CHANNEL_BINDINGS, bindings->Bindings},
    };
    SecBuffer out = {sizeof(made), SECBUFFER_TOKEN, made};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    bool first = !context_present(&loop->server);
    SECURITY_STATUS status = AcceptSecurityContext(
        &loop->server_cred, first ? NULL : &loop->server, &in_desc, loop->server_flags,
        SECURITY_NATIVE_DREP, &loop->server, &out_desc, &loop->server_attrs, &loop->server_expiry);
    loop->token_size = status < 0 ? 0 : out.cbBuffer;
    memcpy(loop->token, made, loop->token_size);
    return status;
}

static SECURITY_STATUS client_leg(struct loopback *loop, const SecPkgContext_Bindings *bindings)
{
    BYTE made[4096];
    bool first = !context_present(&loop->client);
    SecBuffer in[] = {
        {bindings->BindingsLength, SECBUFFER_CHANNEL_BINDINGS, bindings->Bindings},
        {loop->token_size, SECBUFFER_TOKEN, loop->token},
    };
    SecBuffer out = {sizeof(made), SECBUFFER_TOKEN, made};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, first ? 1 : 2, in};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status = InitializeSecurityContextW(
        &loop->client_cred, first ? NULL : &loop->client, NULL, loop->client_flags, 0,
        SECURITY_NATIVE_DREP, &in_desc, 0, &loop->client, &out_desc, &loop->client_attrs,
        &loop->client_expiry);
    loop->token_size = status < 0 ? 0 : out.cbBuffer;
    memcpy(loop->token, made, loop->token_size);
    return status;
}

static SECURITY_STATUS connect_bound(const wchar_t *package, const struct account *account,
                                     const SecPkgContext_Bindings *client,
                                     const SecPkgContext_Bindings *server)
{
    static struct loopback loop;
    SECURITY_STATUS status = loopback_open(&loop, package, account);
    if (status) return status;
    for (int round = 0; round < 4; round++) {
        status = client_leg(&loop, client);
        if (status >= 0 && loop.token_size) status = server_leg(&loop, server);
        if (status != SEC_I_CONTINUE_NEEDED) break;
    }
    loopback_close(&loop);
    return status;
}

/* The server has the extended form of what the client has [D sspi-sspisetchannelbindingflags]. With
 * the flag that is for an audit, which refuses nobody [D epa-support-in-service]. */
static void test_bindings_used(void)
{
    static const wchar_t *const packages[] = {L"NTLM", L"Negotiate"};
    struct account account;
    if (!flags_here()) return;
    if (!account_create(&account)) {
        skip_case("accounts of our server");
        return;
    }
    SecPkgContext_Bindings plain = bindings_make(), extended = bindings_make();
    SecPkgContext_Bindings other = bindings_make();
    ((BYTE *)(other.Bindings + 1))[0] ^= 1;
    ok(!set_flags(&extended, 1) && !set_flags(&other, 0), "not extended");
    for (int i = 0; i < 2; i++) {
        SECURITY_STATUS status = connect_bound(packages[i], &account, &plain, &extended);
        ok(!status, "%ls: %08lx", packages[i], status);
        status = connect_bound(packages[i], &account, &extended, &plain);
        ok(!status, "%ls, client: %08lx", packages[i], status);
        status = connect_bound(packages[i], &account, &plain, &other);
        ok(status == SEC_E_BAD_BINDINGS, "%ls, another channel: %08lx", packages[i], status);
        ok(!set_flags(&other, 1), "no audit");
        status = connect_bound(packages[i], &account, &plain, &other);
        ok(!status, "%ls, another channel, audited: %08lx", packages[i], status);
        ok(!set_flags(&other, 0), "still an audit");
    }
    FreeContextBuffer(plain.Bindings);
    FreeContextBuffer(extended.Bindings);
    FreeContextBuffer(other.Bindings);
    account_remove(&account);
}

int main(void)
{
    marshal = (marshal_t *)function_find("secur32.dll", "CredMarshalTargetInfo");
    unmarshal = (unmarshal_t *)function_find("secur32.dll", "CredUnmarshalTargetInfo");
    set_flags = (set_flags_t *)function_find("sspicli.dll", "SspiSetChannelBindingFlags");
    RUN(test_host);
    RUN(test_info);
    RUN(test_behind_a_name);
    RUN(test_damaged_info);
    RUN(test_binding_flags);
    RUN(test_bindings_used);
    return test_end("api_cred_target");
}
