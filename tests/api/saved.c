/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credentials that the user has saved for a server: with default credentials they are what a
 * client of NTLM proves to that server. The challenge is one that a server elsewhere might send;
 * the client's answer is worked out again by MS-NLMP 3.3.2. Every name is under .test, which is
 * nobody's (RFC 2606). Sources of expectations in brackets, as in api_packages; [D credential] is
 * the documentation of CREDENTIAL.
 */
#include "identities.h"
#include "loopback.h"

#include <bcrypt.h>
#include <wincred.h>

#define HOST L"winesspi-one.farm.apitest.test"

static const wchar_t password[] = L"Password";
static const BYTE nt_hash[16] = {0xa4, 0xf4, 0x9c, 0x40, 0x65, 0x10, 0xbd, 0xca,
                                 0xb6, 0x82, 0x4e, 0xe7, 0xc3, 0x0f, 0xd8, 0x52};
static const BYTE server_challenge[8] = {1, 2, 3, 4, 5, 6, 7, 8};

/* ---- the credential manager ---- */

static bool save(const wchar_t *target, const wchar_t *user, const wchar_t *text, DWORD type,
                 DWORD persist)
{
    CREDENTIALW credential = {
        .Type = type,
        .TargetName = (wchar_t *)target,
        .CredentialBlobSize = (DWORD)(lstrlenW(text) * sizeof(wchar_t)),
        .CredentialBlob = (BYTE *)text,
        .Persist = persist,
        .UserName = (wchar_t *)user,
    };
    return ok(CredWriteW(&credential, 0), "%ls not saved: %lu", target, GetLastError());
}

static bool save_plain(const wchar_t *target, const wchar_t *user)
{
    return save(target, user, password, CRED_TYPE_DOMAIN_PASSWORD, CRED_PERSIST_LOCAL_MACHINE);
}

static void forget(const wchar_t *target)
{
    CredDeleteW(target, CRED_TYPE_DOMAIN_PASSWORD, 0);
}

/* A credential for every server that a user of this machine has would answer instead. */
static bool clean(void)
{
    CREDENTIALW *found;
    if (!CredReadW(L"*", CRED_TYPE_DOMAIN_PASSWORD, 0, &found)) return true;
    CredFree(found);
    skip_case("a user without saved credentials for every server");
    return false;
}

/* ---- a server elsewhere ---- */

static BYTE *put(BYTE *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static BYTE *put_pair(BYTE *at, WORD id, const wchar_t *text)
{
    WORD size = (WORD)(lstrlenW(text) * sizeof(wchar_t));
    at = put(at, &id, sizeof(id));
    at = put(at, &size, sizeof(size));
    return put(at, text, size);
}

/* MS-NLMP 2.2.1.2: UNICODE, NTLM, ALWAYS_SIGN, TARGET_TYPE_SERVER, ESS, TARGET_INFO, 128. */
static ULONG challenge_make(BYTE *token)
{
    static const wchar_t name[] = L"ELSEWHERE";
    const DWORD flags = 0x1 | 0x200 | 0x8000 | 0x20000 | 0x80000 | 0x800000 | 0x20000000;
    const DWORD type = 2;
    WORD name_size = sizeof(name) - sizeof(wchar_t);
    DWORD name_at = 48, info_at = name_at + name_size;
    BYTE *end = put_pair(token + info_at, 1, name);
    end = put_pair(end, 2, name);
    end = put_pair(end, 0, L"");
    WORD info_size = (WORD)(end - token - info_at);

    BYTE *at = put(token, "NTLMSSP", 8);
    at = put(at, &type, 4);
    at = put(put(put(at, &name_size, 2), &name_size, 2), &name_at, 4);
    at = put(at, &flags, 4);
    at = put(at, server_challenge, 8);
    at = put(at, "\0\0\0\0\0\0\0", 8);
    at = put(put(put(at, &info_size, 2), &info_size, 2), &info_at, 4);
    put(at, name, name_size);
    return (ULONG)(end - token);
}

struct field {
    const BYTE *bytes;
    DWORD size;
};

static struct field field_at(const BYTE *token, ULONG token_size, ULONG at)
{
    WORD size;
    DWORD offset;
    if (token_size < at + 8) return (struct field){token, 0};
    memcpy(&size, token + at, 2);
    memcpy(&offset, token + at + 4, 4);
    if (offset > token_size || size > token_size - offset) return (struct field){token, 0};
    return (struct field){token + offset, size};
}

static bool hmac(const BYTE key[16], struct field one, struct field two, BYTE mac[16])
{
    BCRYPT_ALG_HANDLE algorithm;
    BCRYPT_HASH_HANDLE hash;
    if (BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_MD5_ALGORITHM, NULL,
                                    BCRYPT_ALG_HANDLE_HMAC_FLAG))
        return false;
    bool done = !BCryptCreateHash(algorithm, &hash, NULL, 0, (BYTE *)key, 16, 0);
    if (done) {
        done = !BCryptHashData(hash, (BYTE *)one.bytes, one.size, 0) &&
               !BCryptHashData(hash, (BYTE *)two.bytes, two.size, 0) &&
               !BCryptFinishHash(hash, mac, 16, 0);
        BCryptDestroyHash(hash);
    }
    BCryptCloseAlgorithmProvider(algorithm, 0);
    return done;
}

/* Whether an NTLMv2 response proves "Password" (MS-NLMP 3.3.2). */
static bool response_proves(struct field user, struct field domain, struct field response)
{
    wchar_t upper[64] = {0};
    BYTE key[16], proof[16];
    if (user.size >= sizeof(upper) || response.size < 16 + 28) return false;
    memcpy(upper, user.bytes, user.size);
    CharUpperW(upper);
    struct field name = {(const BYTE *)upper, user.size};
    struct field challenge = {server_challenge, 8};
    struct field temp = {response.bytes + 16, response.size - 16};
    return hmac(nt_hash, name, domain, key) && hmac(key, challenge, temp, proof) &&
           !memcmp(proof, response.bytes, 16);
}

/* What a client says to that server. */
struct answer {
    SECURITY_STATUS status;
    wchar_t user[64], domain[64];
    bool proves;
};

static void field_text(struct field field, wchar_t text[64])
{
    memset(text, 0, 64 * sizeof(*text));
    if (field.size < 64 * sizeof(*text)) memcpy(text, field.bytes, field.size);
}

static SECURITY_STATUS client_leg(CredHandle *credential, CtxtHandle *context, bool first,
                                  const wchar_t *target, BYTE *token, ULONG *size)
{
    BYTE made[4096];
    SecBuffer in = {*size, SECBUFFER_TOKEN, token}, out = {sizeof(made), SECBUFFER_TOKEN, made};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes;
    SECURITY_STATUS status = InitializeSecurityContextW(
        credential, first ? NULL : context, (wchar_t *)target, 0, 0, SECURITY_NATIVE_DREP,
        first ? NULL : &input, 0, context, &output, &attributes, NULL);
    *size = status < 0 ? 0 : out.cbBuffer;
    memcpy(token, made, *size);
    return status;
}

static struct answer answer_read(SECURITY_STATUS status, const BYTE *token, ULONG size)
{
    struct answer answer = {.status = status};
    struct field user = field_at(token, size, 36), domain = field_at(token, size, 28);
    if (status < 0) return answer;
    field_text(user, answer.user);
    field_text(domain, answer.domain);
    answer.proves = response_proves(user, domain, field_at(token, size, 20));
    return answer;
}

/* Both legs with what identity says, NULL for default credentials. moved: exported and imported
 * in between, as a client does that hands a connection on. */
static struct answer ask(const wchar_t *target, void *identity, bool moved)
{
    CredHandle credential;
    CtxtHandle context;
    BYTE token[4096];
    ULONG size = 0;
    static struct blob blob;
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)L"NTLM",
                                                       SECPKG_CRED_OUTBOUND, NULL, identity, NULL,
                                                       NULL, &credential, NULL);
    if (status) return (struct answer){.status = status};
    status = client_leg(&credential, &context, true, target, token, &size);
    if (status == SEC_I_CONTINUE_NEEDED && moved) {
        status = context_export(&context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL);
        DeleteSecurityContext(&context);
        if (!status) status = context_import(L"NTLM", blob.bytes, blob.size, &context);
    }
    if (status < 0) {
        FreeCredentialsHandle(&credential);
        return (struct answer){.status = status};
    }
    size = challenge_make(token);
    status = client_leg(&credential, &context, false, target, token, &size);
    DeleteSecurityContext(&context);
    FreeCredentialsHandle(&credential);
    return answer_read(status, token, size);
}

static void expect_user(struct answer answer, const wchar_t *user, const wchar_t *domain,
                        const char *what)
{
    if (!ok(answer.status == SEC_E_OK, "%s: %08lx", what, answer.status)) return;
    ok(!lstrcmpW(answer.user, user), "%s: user %ls", what, answer.user);
    ok(!lstrcmpW(answer.domain, domain), "%s: domain %ls", what, answer.domain);
    ok(answer.proves, "%s: wrong response", what);
}

static void expect_nobody(struct answer answer, const char *what)
{
    ok(answer.status == SEC_E_NO_CREDENTIALS, "%s: %08lx as %ls", what, answer.status, answer.user);
}

/* ---- cases ---- */

/* [D credential] "automatically use this credential when connecting to the named target" */
static void test_host(void)
{
    if (!clean() || !save_plain(HOST, L"FARM\\Anna")) return;
    expect_user(ask(L"HTTP/" HOST, NULL, false), L"Anna", L"FARM", "SPN");
    expect_user(ask(L"HTTP/" HOST L":8080/name", NULL, false), L"Anna", L"FARM", "SPN with port");
    expect_user(ask(HOST, NULL, false), L"Anna", L"FARM", "host");
    expect_user(ask(L"cifs/WINESSPI-ONE.farm.apitest.TEST", NULL, false), L"Anna", L"FARM", "case");
    forget(HOST);
    if (!ours_only()) return; /* elsewhere the user has a password of his own to prove */
    expect_nobody(ask(L"HTTP/" HOST, NULL, false), "removed");
    expect_nobody(ask(L"HTTP/winesspi-two.farm.apitest.test", NULL, false), "another host");
    expect_nobody(ask(L"HTTP/192.0.2.1", NULL, false), "an address");
    expect_nobody(ask(NULL, NULL, false), "no target");
}

/* A name with a realm stays whole, as NTLM sends it; a bare one has no domain. */
static void test_user_forms(void)
{
    if (!clean() || !save_plain(HOST, L"bert@farm.apitest.test")) return;
    expect_user(ask(L"HTTP/" HOST, NULL, false), L"bert@farm.apitest.test", L"", "user@realm");
    if (save_plain(HOST, L"bert")) expect_user(ask(HOST, NULL, false), L"bert", L"", "bare");
    forget(HOST);
}

/* [D credential] *.suffix, and the most specific credential counts [D credreaddomaincredentials] */
static void test_suffixes(void)
{
    if (!clean() || !save_plain(L"*.apitest.test", L"FARM\\Wide")) return;
    expect_user(ask(L"HTTP/" HOST, NULL, false), L"Wide", L"FARM", "two labels");
    if (save_plain(L"*.farm.apitest.test", L"FARM\\Narrow"))
        expect_user(ask(L"HTTP/" HOST, NULL, false), L"Narrow", L"FARM", "three labels");
    if (save_plain(HOST, L"FARM\\Exact"))
        expect_user(ask(L"HTTP/" HOST, NULL, false), L"Exact", L"FARM", "the host");
    forget(HOST);
    forget(L"*.farm.apitest.test");
    if (running_on_ours()) expect_nobody(ask(L"HTTP/apitest.test", NULL, false), "the suffix");
    forget(L"*.apitest.test");
}

/* [D credential] a single asterisk is any server; *Session is before it, and of this session */
static void test_every_server(void)
{
    if (!ours_only() || !clean()) return; /* not in the credentials of somebody's Windows */
    if (!save_plain(L"*", L"FARM\\Any")) return;
    expect_user(ask(L"HTTP/" HOST, NULL, false), L"Any", L"FARM", "*");
    expect_user(ask(NULL, NULL, false), L"Any", L"FARM", "* without a target");
    if (save(CRED_SESSION_WILDCARD_NAME_W, L"FARM\\Now", password, CRED_TYPE_DOMAIN_PASSWORD,
             CRED_PERSIST_SESSION))
        expect_user(ask(L"HTTP/" HOST, NULL, false), L"Now", L"FARM", "*Session");
    if (save_plain(CRED_SESSION_WILDCARD_NAME_W, L"FARM\\Always"))
        expect_user(ask(L"HTTP/" HOST, NULL, false), L"Any", L"FARM", "*Session for ever");
    forget(CRED_SESSION_WILDCARD_NAME_W);
    forget(L"*");
}

/* [D credential] a generic credential is "not used by any particular authentication package" */
static void test_generic(void)
{
    if (!ours_only() || !clean()) return;
    if (!save(HOST, L"FARM\\Anna", password, CRED_TYPE_GENERIC, CRED_PERSIST_LOCAL_MACHINE)) return;
    expect_nobody(ask(L"HTTP/" HOST, NULL, false), "generic");
    CredDeleteW(HOST, CRED_TYPE_GENERIC, 0);
}

/* Who gives an identity means it. */
static void test_given_identity(void)
{
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(L"carl", L"ELSEWHERE", password);
    if (!clean() || !save_plain(HOST, L"FARM\\Anna")) return;
    expect_user(ask(L"HTTP/" HOST, &identity, false), L"carl", L"ELSEWHERE", "given");
    forget(HOST);
}

/* A local server is still told who runs this process: the offer of a local call comes first. */
static void test_local_call(void)
{
    static struct loopback loop;
    wchar_t computer[64], own[128];
    DWORD size = 64;
    if (!ours_only() || !clean()) return;
    if (!ok(GetComputerNameW(computer, &size), "no name") || !save_plain(computer, L"FARM\\Anna"))
        return;
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
    loop.target = computer;
    if (!status) status = loopback_connect(&loop);
    if (ok(!status, "local: %08lx", status) && process_user(own, 128)) {
        SecPkgContext_NamesW names = {NULL};
        status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_NAMES, &names);
        if (ok(!status, "names: %08lx", status)) {
            ok(!wcsstr(names.sUserName, L"Anna"), "the saved user: %ls", names.sUserName);
            FreeContextBuffer(names.sUserName);
        }
        loopback_close(&loop);
    }
    forget(computer);
}

/* ours: an imported half-open context looks for them by the target that it was made for */
static void test_imported(void)
{
    if (!ours_only() || !clean() || !save_plain(HOST, L"FARM\\Anna")) return;
    expect_user(ask(L"HTTP/" HOST, NULL, true), L"Anna", L"FARM", "imported");
    forget(HOST);
    expect_nobody(ask(L"HTTP/" HOST, NULL, true), "imported, removed");
}

/* ours: a context that began with a user does not end with nobody */
static void test_imported_anonymous(void)
{
    CredHandle first, second;
    CtxtHandle context;
    BYTE token[4096];
    ULONG size = 0;
    static struct blob blob;
    SEC_WINNT_AUTH_IDENTITY_W nobody = wide_identity(L"", L"", L"");
    if (!ours_only() || !clean()) return;
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND, NULL, NULL, NULL, NULL, &first, NULL);
    if (!ok(!status, "default: %08lx", status)) return;
    status = AcquireCredentialsHandleW(NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND, NULL,
                                       &nobody, NULL, NULL, &second, NULL);
    ok(!status, "anonymous: %08lx", status);
    status = client_leg(&first, &context, true, HOST, token, &size);
    ok(status == SEC_I_CONTINUE_NEEDED, "first leg: %08lx", status);
    status = context_export(&context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL);
    DeleteSecurityContext(&context);
    if (!status) status = context_import(L"NTLM", blob.bytes, blob.size, &context);
    if (ok(!status, "moved: %08lx", status)) {
        size = challenge_make(token);
        status = client_leg(&second, &context, false, HOST, token, &size);
        ok(status == SEC_E_NO_CREDENTIALS, "second leg: %08lx", status);
        DeleteSecurityContext(&context);
    }
    FreeCredentialsHandle(&first);
    FreeCredentialsHandle(&second);
}

/* [D acquirecredentialshandle--general] neither default credentials nor those of the credential
 * manager; that NTLM heeds it is ours */
static void expect_restricted(void *identity, const char *what)
{
    CredHandle credential;
    if (!running_on_ours()) return;
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)L"NTLM", SECPKG_CRED_OUTBOUND | SECPKG_CRED_AUTOLOGON_RESTRICTED, NULL,
        identity, NULL, NULL, &credential, NULL);
    ok(status == SEC_E_NO_CREDENTIALS, "%s, restricted: %08lx", what, status);
    if (!status) FreeCredentialsHandle(&credential);
}

static void test_autologon_restricted(void)
{
    if (!ours_only() || !clean() || !save_plain(HOST, L"FARM\\Anna")) return;
    expect_restricted(NULL, "default");
    forget(HOST);
}

/* [D credmarshalcredential] the name of a saved credential, passed as the user name */
static void test_reference(void)
{
    static wchar_t name[] = L"FARM\\Dora";
    USERNAME_TARGET_CREDENTIAL_INFO named = {name};
    wchar_t *reference;
    CREDENTIALW credential = {
        .Flags = CRED_FLAGS_USERNAME_TARGET,
        .Type = CRED_TYPE_DOMAIN_PASSWORD,
        .TargetName = name,
        .CredentialBlobSize = sizeof(password) - sizeof(wchar_t),
        .CredentialBlob = (BYTE *)password,
        .Persist = CRED_PERSIST_LOCAL_MACHINE,
        .UserName = name,
    };
    if (!ok(CredMarshalCredentialW(UsernameTargetCredential, &named, &reference), "no reference"))
        return;
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(reference, NULL, NULL);
    if (ok(CredWriteW(&credential, 0), "not saved: %lu", GetLastError())) {
        expect_user(ask(L"HTTP/" HOST, &identity, false), L"Dora", L"FARM", "reference");
        expect_restricted(&identity, "reference");
    }
    forget(name);
    expect_nobody(ask(L"HTTP/" HOST, &identity, false), "reference to nothing");
    CredFree(reference);
}

int main(void)
{
    RUN(test_host);
    RUN(test_user_forms);
    RUN(test_suffixes);
    RUN(test_every_server);
    RUN(test_generic);
    RUN(test_given_identity);
    RUN(test_local_call);
    RUN(test_imported);
    RUN(test_imported_anonymous);
    RUN(test_autologon_restricted);
    RUN(test_reference);
    return test_end("api_saved");
}
