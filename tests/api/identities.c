/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The auth data of AcquireCredentialsHandle in all its forms: plain, EX and EX2, ANSI and UTF-16,
 * in pieces and in one block, through both entry points; and what is none of them: forms cut
 * short, offsets that point elsewhere, secrets that are no password, encrypted identities. Then
 * what else one says when acquiring: use, principal, logon session. Sources of expectations in
 * brackets, as in api_packages.
 */
#include "identities.h"
#include "loopback.h"

#define UNTOUCHED ((ULONG_PTR)0x5ec5ec5e)

static struct account account;
static bool have_account;

/* ---- acquiring through both entry points ---- */

static CredHandle made;

struct request {
    const char *principal;
    ULONG use;
    void *logon_id, *identity;
};

static SECURITY_STATUS acquire(const struct request *request, bool wide)
{
    made = (CredHandle){UNTOUCHED, UNTOUCHED};
    if (!wide)
        return AcquireCredentialsHandleA((char *)request->principal, (char *)"NTLM", request->use,
                                         request->logon_id, request->identity, NULL, NULL, &made,
                                         NULL);
    wchar_t principal[128];
    if (request->principal) MultiByteToWideChar(CP_ACP, 0, request->principal, -1, principal, 128);
    return AcquireCredentialsHandleW(request->principal ? principal : NULL, (wchar_t *)L"NTLM",
                                     request->use, request->logon_id, request->identity, NULL, NULL,
                                     &made, NULL);
}

static void expect_status(const struct request *request, SECURITY_STATUS expected, const char *what)
{
    for (int wide = 0; wide < 2; wide++) {
        SECURITY_STATUS status = acquire(request, wide);
        ok(status == expected, "%s, %c: %08lx", what, wide ? 'W' : 'A', status);
        bool same = made.dwLower == UNTOUCHED && made.dwUpper == UNTOUCHED;
        if (status) ok(same, "%s: handle changed", what);
        else FreeCredentialsHandle(&made);
    }
}

static void expect_identity(void *identity, SECURITY_STATUS expected, const char *what)
{
    struct request request = {NULL, SECPKG_CRED_OUTBOUND, NULL, identity};
    expect_status(&request, expected, what);
}

/* The name that a credential goes by. */
static void expect_name(void *identity, const wchar_t *expected, const char *what)
{
    struct request request = {NULL, SECPKG_CRED_OUTBOUND, NULL, identity};
    SECURITY_STATUS status = acquire(&request, true);
    if (!ok(!status, "%s: %08lx", what, status)) return;
    SecPkgCredentials_NamesW names = {NULL};
    status = QueryCredentialsAttributesW(&made, SECPKG_CRED_ATTR_NAMES, &names);
    if (ok(!status && names.sUserName, "%s: names %08lx", what, status)) {
        ok(!lstrcmpW(names.sUserName, expected), "%s: %ls", what, names.sUserName);
        FreeContextBuffer(names.sUserName);
    }
    FreeCredentialsHandle(&made);
}

/* The whole exchange: user, domain and password must arrive at a server of ours. */
static void expect_log_on(void *identity, SECURITY_STATUS expected, const char *what)
{
    static struct loopback loop;
    struct request request = {NULL, SECPKG_CRED_OUTBOUND, NULL, identity};
    for (int wide = 0; wide < 2; wide++) {
        SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
        if (!ok(!status, "no credentials: %08lx", status)) return;
        FreeCredentialsHandle(&loop.client_cred);
        status = acquire(&request, wide);
        loop.client_cred = made;
        if (!status) status = loopback_connect(&loop);
        ok(status == expected, "%s, %c: %08lx", what, wide ? 'W' : 'A', status);
        loopback_close(&loop);
    }
}

static bool accounts_here(void)
{
    if (have_account) return true;
    skip_case("accounts of our server");
    return false;
}

static void narrow_account(char user[64], char domain[16], char password[64])
{
    WideCharToMultiByte(CP_ACP, 0, account.user, -1, user, 64, NULL, NULL);
    WideCharToMultiByte(CP_ACP, 0, account.domain, -1, domain, 16, NULL, NULL);
    WideCharToMultiByte(CP_ACP, 0, account.password, -1, password, 64, NULL, NULL);
}

/* ---- EX2 ---- */

/* SEC_WINNT_AUTH_IDENTITY_EX2 with everything behind it, and where its parts are. */
struct ex2 {
    SEC_WINNT_AUTH_IDENTITY_EX2 header;
    BYTE data[1024];
};

#define PACKED_HEADER 28  /* SEC_WINNT_AUTH_PACKED_CREDENTIALS [H sspi.h] */
#define PASSWORD_HEADER 8 /* SEC_WINNT_AUTH_DATA_PASSWORD */

static const GUID type_password = {
    0x28bfc32f, 0x10f6, 0x4738, {0x98, 0xd1, 0x1a, 0xc0, 0x61, 0xdf, 0x71, 0x6a}};

static void ex2_text(struct ex2 *ex2, ULONG *offset, USHORT *size, const void *bytes, ULONG count)
{
    ULONG at = ex2->header.cbStructureLength;
    memcpy((BYTE *)ex2 + at, bytes, count);
    *offset = at;
    *size = (USHORT)count;
    ex2->header.cbStructureLength = at + count;
}

/* SEC_WINNT_AUTH_BYTE_VECTOR, which MinGW hides with all that uses it. */
struct byte_vector {
    ULONG offset;
    USHORT size;
};

/* inner: the place of the password is counted from the start of its own structure. */
static void ex2_password(struct ex2 *ex2, const wchar_t *password, bool inner)
{
    BYTE packed[512] = {0};
    USHORT size = (USHORT)(lstrlenW(password) * sizeof(wchar_t));
    USHORT whole = (USHORT)(PACKED_HEADER + PASSWORD_HEADER + size), header = PACKED_HEADER;
    struct byte_vector data = {PACKED_HEADER, (USHORT)(PASSWORD_HEADER + size)};
    struct byte_vector text = {inner ? PASSWORD_HEADER : PACKED_HEADER + PASSWORD_HEADER, size};
    memcpy(packed, &header, 2);
    memcpy(packed + 2, &whole, 2);
    memcpy(packed + 4, &type_password, sizeof(type_password));
    memcpy(packed + 20, &data, sizeof(data));
    memcpy(packed + PACKED_HEADER, &text, sizeof(text));
    memcpy(packed + PACKED_HEADER + PASSWORD_HEADER, password, size);
    ex2_text(ex2, &ex2->header.PackedCredentialsOffset, &ex2->header.PackedCredentialsLength,
             packed, whole);
}

static void ex2_make(struct ex2 *ex2, const wchar_t *user, const wchar_t *domain,
                     const wchar_t *password, bool inner)
{
    memset(ex2, 0, sizeof(*ex2));
    ex2->header = (SEC_WINNT_AUTH_IDENTITY_EX2){
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION_2,
        .cbHeaderLength = sizeof(ex2->header),
        .cbStructureLength = sizeof(ex2->header),
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE | SEC_WINNT_AUTH_IDENTITY_MARSHALLED,
    };
    SEC_WINNT_AUTH_IDENTITY_EX2 *header = &ex2->header;
    ex2_text(ex2, &header->UserOffset, &header->UserLength, user, lstrlenW(user) * 2);
    ex2_text(ex2, &header->DomainOffset, &header->DomainLength, domain, lstrlenW(domain) * 2);
    ex2_password(ex2, password, inner);
}

static void test_ex2(void)
{
    struct ex2 ex2;
    if (!accounts_here()) return;
    ex2_make(&ex2, account.user, account.domain, account.password, false);
    expect_log_on(&ex2, SEC_E_OK, "password by its place in the packed credentials");
    ex2_make(&ex2, account.user, account.domain, account.password, true);
    expect_log_on(&ex2, SEC_E_OK, "password by its place in its data");
    ex2.header.Flags = 0; /* [D sec_winnt_auth_identity_info] this form is always wide */
    expect_log_on(&ex2, SEC_E_OK, "no flags");
    static const wchar_t list[] = L"NTLM";
    ex2_text(&ex2, &ex2.header.PackageListOffset, &ex2.header.PackageListLength, list, 8);
    expect_log_on(&ex2, SEC_E_OK, "package list");
    ex2_make(&ex2, account.user, account.domain, L"password", false);
    expect_log_on(&ex2, SEC_E_LOGON_DENIED, "wrong password");
}

/* Cut short after every byte: what it names is out of bounds then. */
static void test_ex2_cut(void)
{
    struct ex2 ex2;
    if (!ours_only()) return;
    ex2_make(&ex2, L"user", L"DOMAIN", L"secret", false);
    ULONG whole = ex2.header.cbStructureLength;
    expect_identity(&ex2, SEC_E_OK, "whole");
    for (ULONG size = 0; size < whole; size++) {
        char what[32];
        ex2.header.cbStructureLength = size;
        wsprintfA(what, "%lu of %lu bytes", size, whole);
        expect_identity(&ex2, SEC_E_UNKNOWN_CREDENTIALS, what);
    }
}

/* Every offset and length in turn. */
static void test_ex2_bounds(void)
{
    struct ex2 ex2;
    if (!ours_only()) return;
    static const ULONG wrong[] = {0xffffffff, 0x80000000, 0xffff, 0xfffffff0};
    for (int i = 0; i < 4; i++)
        for (int field = 0; field < 4; field++) {
            char what[32];
            ex2_make(&ex2, L"user", L"DOMAIN", L"secret", false);
            ex2.header.PackageListLength = 8;
            ULONG *const fields[] = {&ex2.header.UserOffset, &ex2.header.DomainOffset,
                                     &ex2.header.PackedCredentialsOffset,
                                     &ex2.header.PackageListOffset};
            *fields[field] = wrong[i];
            wsprintfA(what, "offset %d is %#lx", field, wrong[i]);
            expect_identity(&ex2, SEC_E_UNKNOWN_CREDENTIALS, what);
        }
    ex2_make(&ex2, L"user", L"DOMAIN", L"secret", false);
    ex2.header.UserLength = 7;
    expect_identity(&ex2, SEC_E_UNKNOWN_CREDENTIALS, "half a character");
}

/* Inside of the packed credentials. */
static void test_ex2_packed(void)
{
    struct ex2 ex2;
    if (!ours_only()) return;
    static const struct {
        const char *what;
        ULONG at;
        BYTE value;
    } changes[] = {
        {"another kind of secret", 4, 0x30},
        {"data offset", 4 + 16 + 1, 0x7f},
        {"data size", 4 + 16 + 4 + 1, 0x7f},
        {"password offset", PACKED_HEADER + 1, 0x7f},
        {"password size", PACKED_HEADER + 4 + 1, 0x7f},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        ex2_make(&ex2, L"user", L"DOMAIN", L"secret", false);
        ((BYTE *)&ex2)[ex2.header.PackedCredentialsOffset + changes[i].at] = changes[i].value;
        expect_identity(&ex2, SEC_E_UNKNOWN_CREDENTIALS, changes[i].what);
    }
}

/* ---- EX and blocks ---- */

static void test_ex(void)
{
    char user[64], domain[16], password[64];
    if (!accounts_here()) return;
    narrow_account(user, domain, password);
    SEC_WINNT_AUTH_IDENTITY_EXW wide = wide_identity_ex(account.user, account.domain,
                                                        account.password);
    SEC_WINNT_AUTH_IDENTITY_EXA narrow = narrow_identity_ex(user, domain, password);
    expect_log_on(&wide, SEC_E_OK, "EX wide");
    expect_log_on(&narrow, SEC_E_OK, "EX narrow");
    /* the list is for Negotiate [D sec_winnt_auth_identity_exw] */
    wide.PackageList = (unsigned short *)L"!NTLM";
    wide.PackageListLength = 5;
    expect_log_on(&wide, SEC_E_OK, "EX wide with a package list");
    narrow.PackageList = (unsigned char *)"Kerberos";
    narrow.PackageListLength = 8;
    expect_log_on(&narrow, SEC_E_OK, "EX narrow with a package list");
    wide.PackageListLength = 0x10000;
    if (running_on_ours())
        expect_identity(&wide, SEC_E_UNKNOWN_CREDENTIALS, "package list of 65536 characters");
}

/* [H sspi.h] SEC_WINNT_AUTH_IDENTITY_MARSHALLED: everything is in one block */
static void test_one_block(void)
{
    struct {
        SEC_WINNT_AUTH_IDENTITY_W plain;
        SEC_WINNT_AUTH_IDENTITY_EXW ex;
        struct account texts;
    } block;
    if (!accounts_here()) return;
    block.texts = account;
    const struct account *texts = &block.texts;
    block.plain = wide_identity(texts->user, texts->domain, texts->password);
    block.plain.Flags |= SEC_WINNT_AUTH_IDENTITY_MARSHALLED;
    expect_log_on(&block.plain, SEC_E_OK, "plain");
    block.ex = wide_identity_ex(texts->user, texts->domain, texts->password);
    block.ex.Flags |= SEC_WINNT_AUTH_IDENTITY_MARSHALLED;
    expect_log_on(&block.ex, SEC_E_OK, "EX");
}

/* ours: what cannot be an address is not looked at */
static void test_no_addresses(void)
{
    if (!ours_only()) return;
    SEC_WINNT_AUTH_IDENTITY_W plain = wide_identity(L"user", L"DOMAIN", L"secret");
    plain.User = (unsigned short *)(ULONG_PTR)sizeof(plain);
    expect_identity(&plain, SEC_E_UNKNOWN_CREDENTIALS, "user");
    plain = wide_identity(L"user", L"DOMAIN", L"secret");
    plain.Password = (unsigned short *)(ULONG_PTR)0x1000;
    expect_identity(&plain, SEC_E_UNKNOWN_CREDENTIALS, "password");
    SEC_WINNT_AUTH_IDENTITY_EXW ex = wide_identity_ex(L"user", L"DOMAIN", L"secret");
    ex.PackageList = (unsigned short *)(ULONG_PTR)1;
    expect_identity(&ex, SEC_E_UNKNOWN_CREDENTIALS, "package list");
}

/* What says that it is encrypted and is not is not taken for plain text.
 * [D acquirecredentialshandle--ntlm] the credentials were not recognized */
static void test_encrypted(void)
{
    if (!ours_only()) return;
    for (ULONG flag = SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED;
         flag <= SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_ENCRYPTED; flag <<= 1) {
        struct ex2 ex2;
        SEC_WINNT_AUTH_IDENTITY_W plain = wide_identity(L"user", L"DOMAIN", L"secret");
        SEC_WINNT_AUTH_IDENTITY_EXW ex = wide_identity_ex(L"user", L"DOMAIN", L"secret");
        ex2_make(&ex2, L"user", L"DOMAIN", L"secret", false);
        plain.Flags |= flag;
        ex.Flags |= flag;
        ex2.header.Flags |= flag;
        expect_identity(&plain, SEC_E_UNKNOWN_CREDENTIALS, "plain");
        expect_identity(&ex, SEC_E_UNKNOWN_CREDENTIALS, "EX");
        expect_identity(&ex2, SEC_E_UNKNOWN_CREDENTIALS, "EX2");
    }
}

/* ---- meaning ---- */

/* [D acquirecredentialshandle--ntlm] user and password have at most 256 characters */
static void test_limits(void)
{
    wchar_t text[258];
    char narrow_text[258];
    if (!ours_only()) return;
    for (int length = 256; length < 258; length++) {
        SECURITY_STATUS expected = length == 256 ? SEC_E_OK : SEC_E_UNKNOWN_CREDENTIALS;
        for (int i = 0; i < length; i++) text[i] = narrow_text[i] = 'u';
        text[length] = narrow_text[length] = 0;
        SEC_WINNT_AUTH_IDENTITY_W wide = wide_identity(text, L"DOMAIN", L"secret");
        expect_identity(&wide, expected, "wide user");
        wide = wide_identity(L"user", L"DOMAIN", text);
        expect_identity(&wide, expected, "wide password");
        SEC_WINNT_AUTH_IDENTITY_A narrow = narrow_identity(narrow_text, "DOMAIN", "secret");
        expect_identity(&narrow, expected, "narrow user");
        narrow = narrow_identity("user", "DOMAIN", narrow_text);
        expect_identity(&narrow, expected, "narrow password");
    }
}

static void test_user_names(void)
{
    if (!ours_only()) return;
    SEC_WINNT_AUTH_IDENTITY_W wide = wide_identity(L"FARM\\user", NULL, L"secret");
    expect_name(&wide, L"FARM\\user", "domain before the user");
    wide = wide_identity(L"FARM\\user", L"", L"secret");
    expect_name(&wide, L"FARM\\user", "domain before the user, empty domain");
    wide = wide_identity(L"user@farm.apitest.test", NULL, L"secret");
    expect_name(&wide, L"user@farm.apitest.test", "realm behind the user");
    wide = wide_identity(L"user", NULL, L"secret");
    expect_name(&wide, L"user", "user alone");
    SEC_WINNT_AUTH_IDENTITY_A narrow = narrow_identity("b\xe4r", "FARM", "secret");
    wchar_t expected[32] = L"FARM\\";
    MultiByteToWideChar(CP_ACP, 0, "b\xe4r", -1, expected + 5, 16);
    expect_name(&narrow, expected, "narrow with an umlaut");
}

/* Nothing given is the process user; empty texts are nobody [D sec_winnt_auth_identity]; a user
 * without a password is a user. */
static void test_anonymous(void)
{
    if (!ours_only()) return;
    SEC_WINNT_AUTH_IDENTITY_W wide = wide_identity(L"", L"", L"");
    expect_name(&wide, L"", "wide");
    SEC_WINNT_AUTH_IDENTITY_A narrow = narrow_identity("", "", "");
    expect_name(&narrow, L"", "narrow");
    SEC_WINNT_AUTH_IDENTITY_EXW ex = wide_identity_ex(L"", L"", L"");
    expect_name(&ex, L"", "EX");
    wide = wide_identity(L"", NULL, L"");
    expect_name(&wide, L"", "no domain");
    wide = wide_identity(L"user", L"FARM", L"");
    expect_name(&wide, L"FARM\\user", "empty password");
    wide = wide_identity(NULL, L"", L"");
    expect_identity(&wide, SEC_E_UNKNOWN_CREDENTIALS, "no user, empty password");

    SecPkgCredentials_NamesW own = {NULL};
    struct request request = {NULL, SECPKG_CRED_OUTBOUND, NULL, NULL};
    SECURITY_STATUS status = acquire(&request, true);
    if (!ok(!status, "default: %08lx", status)) return;
    status = QueryCredentialsAttributesW(&made, SECPKG_CRED_ATTR_NAMES, &own);
    FreeCredentialsHandle(&made);
    if (!ok(!status, "names: %08lx", status)) return;
    wide = wide_identity(NULL, NULL, NULL);
    expect_name(&wide, own.sUserName, "nothing");
    FreeContextBuffer(own.sUserName);
}

/* ---- what else one says ---- */

static void expect_use(ULONG use, void *identity, SECURITY_STATUS expected, const char *what)
{
    struct request request = {NULL, use, NULL, identity};
    expect_status(&request, expected, what);
}

/* [D acquirecredentialshandle--general] two flags are about default credentials */
static void test_use(void)
{
    SEC_WINNT_AUTH_IDENTITY_W given = wide_identity(L"user", L"DOMAIN", L"secret");
    expect_use(SECPKG_CRED_INBOUND, NULL, SEC_E_OK, "inbound");
    expect_use(SECPKG_CRED_OUTBOUND, &given, SEC_E_OK, "outbound");
    expect_use(SECPKG_CRED_BOTH, &given, SEC_E_OK, "both");
    if (!ours_only()) return;
    expect_use(SECPKG_CRED_OUTBOUND | SECPKG_CRED_DEFAULT, NULL, SEC_E_OK, "default");
    expect_use(SECPKG_CRED_OUTBOUND | SECPKG_CRED_AUTOLOGON_RESTRICTED, NULL, SEC_E_NO_CREDENTIALS,
               "restricted, default");
    expect_use(SECPKG_CRED_OUTBOUND | SECPKG_CRED_AUTOLOGON_RESTRICTED, &given, SEC_E_OK,
               "restricted, given");
    expect_use(SECPKG_CRED_INBOUND | SECPKG_CRED_AUTOLOGON_RESTRICTED, NULL, SEC_E_OK,
               "restricted, inbound");
    expect_use(SECPKG_CRED_OUTBOUND | SECPKG_CRED_PROCESS_POLICY_ONLY, &given, SEC_E_NO_CREDENTIALS,
               "policy only");
    expect_use(0, &given, SEC_E_UNKNOWN_CREDENTIALS, "none");
    expect_use(SECPKG_CRED_DEFAULT, NULL, SEC_E_UNKNOWN_CREDENTIALS, "default alone");
    expect_use(SECPKG_CRED_OUTBOUND | 0x10000000, &given, SEC_E_UNKNOWN_CREDENTIALS, "reserved");
    expect_use(SECPKG_CRED_OUTBOUND | 0x40, &given, SEC_E_UNKNOWN_CREDENTIALS, "undefined");
}

/* [D acquirecredentialshandle--ntlm] "if the process does not have access to the credentials, the
 * function returns an error"; which one is ours */
static void test_principal(void)
{
    wchar_t own[128];
    char name[256], other[256];
    if (!ours_only()) return;
    if (!ok(process_user(own, 128), "process user unknown")) return;
    WideCharToMultiByte(CP_ACP, 0, own, -1, name, sizeof(name), NULL, NULL);
    const char *user = strchr(name, '\\') ? strchr(name, '\\') + 1 : name;
    SEC_WINNT_AUTH_IDENTITY_W given = wide_identity(L"user", L"DOMAIN", L"secret");
    const struct {
        const char *principal;
        ULONG use;
        void *identity;
        SECURITY_STATUS expected;
    } cases[] = {
        {user, SECPKG_CRED_OUTBOUND, NULL, SEC_E_OK},
        {lstrcatA(lstrcpyA(other, user), "@FARM.TEST"), SECPKG_CRED_OUTBOUND, NULL, SEC_E_OK},
        {"", SECPKG_CRED_OUTBOUND, NULL, SEC_E_OK},
        {"someone", SECPKG_CRED_OUTBOUND, NULL, SEC_E_NOT_OWNER},
        {"ELSEWHERE\\someone", SECPKG_CRED_OUTBOUND, NULL, SEC_E_NOT_OWNER},
        {"someone", SECPKG_CRED_OUTBOUND, &given, SEC_E_OK},
        {"HTTP/host.apitest.test", SECPKG_CRED_INBOUND, NULL, SEC_E_OK},
        {"HTTP/host.apitest.test", SECPKG_CRED_BOTH, NULL, SEC_E_OK},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct request request = {cases[i].principal, cases[i].use, NULL, cases[i].identity};
        expect_status(&request, cases[i].expected, cases[i].principal);
    }
}

/* [D acquirecredentialshandle--ntlm] other sessions' credentials need SE_TCB_NAME */
static void test_logon_id(void)
{
    HANDLE token;
    TOKEN_STATISTICS statistics = {0};
    DWORD size;
    if (!ok(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token), "no token")) return;
    GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics), &size);
    CloseHandle(token);
    LUID id = statistics.AuthenticationId;
    struct request request = {NULL, SECPKG_CRED_OUTBOUND, &id, NULL};
    expect_status(&request, SEC_E_OK, "own session");
    if (!ours_only()) return;
    id.HighPart ^= 0x1234;
    expect_status(&request, SEC_E_NOT_OWNER, "another session");
    id = (LUID){0, 0};
    expect_status(&request, SEC_E_OK, "no session");
}

/* NTLM has no credential attribute but the name [D querycredentialsattributes], none to set [D
 * setcredentialsattributes], and no function to add credentials. */
static void test_attributes(void)
{
    typedef SECURITY_STATUS(WINAPI * set_function)(CredHandle *, ULONG, void *, ULONG);
    BYTE room[256] = {0};
    struct request request = {NULL, SECPKG_CRED_OUTBOUND, NULL, NULL};
    SEC_WINNT_AUTH_IDENTITY_W given = wide_identity(L"user", L"DOMAIN", L"secret");
    SECURITY_STATUS status = acquire(&request, true);
    if (!ok(!status, "default: %08lx", status)) return;
    for (ULONG attribute = 2; attribute < 7; attribute++) {
        status = QueryCredentialsAttributesW(&made, attribute, room);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "query %lu, W: %08lx", attribute, status);
        status = QueryCredentialsAttributesA(&made, attribute, room);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "query %lu, A: %08lx", attribute, status);
    }
    static const char *const names[] = {"SetCredentialsAttributesW", "SetCredentialsAttributesA"};
    for (int i = 0; i < 2; i++) {
        set_function set = (set_function)function_find("secur32.dll", names[i]);
        if (!ok(set != NULL, "no %s", names[i])) continue;
        status = set(&made, 3, room, sizeof(room)); /* SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS */
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "%s: %08lx", names[i], status);
    }
    if (ours_only()) {
        status = AddCredentialsW(&made, NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND, &given,
                                 NULL, NULL, NULL);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "add, W: %08lx", status);
        status = AddCredentialsA(&made, NULL, (char *)"NTLM", SECPKG_CRED_OUTBOUND, &given, NULL,
                                 NULL, NULL);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "add, A: %08lx", status);
        status = QueryCredentialsAttributesW(&made, SECPKG_CRED_ATTR_NAMES, NULL);
        ok(status == SEC_E_INVALID_PARAMETER, "names to nowhere, W: %08lx", status);
        status = QueryCredentialsAttributesA(&made, SECPKG_CRED_ATTR_NAMES, NULL);
        ok(status == SEC_E_INVALID_PARAMETER, "names to nowhere, A: %08lx", status);
    }
    FreeCredentialsHandle(&made);
}

int main(void)
{
    have_account = account_create(&account);
    RUN(test_ex2);
    RUN(test_ex2_cut);
    RUN(test_ex2_bounds);
    RUN(test_ex2_packed);
    RUN(test_ex);
    RUN(test_one_block);
    RUN(test_no_addresses);
    RUN(test_encrypted);
    RUN(test_limits);
    RUN(test_user_names);
    RUN(test_anonymous);
    RUN(test_use);
    RUN(test_principal);
    RUN(test_logon_id);
    RUN(test_attributes);
    if (have_account) account_remove(&account);
    return test_end("api_identities");
}
