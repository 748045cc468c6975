/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Servers of TLS that ask for a client's certificate, and what clients do then. */
#include "support.h"
#include "tls_pair.h"

#include <stdio.h>
#include <wchar.h>

static struct tls_pair pair;
static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};

/* The name of the client's certificate as the server sees it; false when there is none. */
static SECURITY_STATUS client_name(char *name, DWORD size)
{
    const CERT_CONTEXT *certificate = NULL;
    SECURITY_STATUS status = QueryContextAttributesW(&pair.server, SECPKG_ATTR_REMOTE_CERT_CONTEXT,
                                                     (void *)&certificate);
    if (status) return status;
    CertGetNameStringA(certificate, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, name, size);
    CertFreeCertificateContext(certificate);
    return status;
}

static void check_client(const char *expected, const char *what)
{
    char name[64] = "";
    SECURITY_STATUS status = client_name(name, sizeof(name));
    if (!expected) {
        ok(status == SEC_E_NO_CREDENTIALS, "%s: %08lx", what, status); /* [CI PSSPI] */
        ok(!(pair.server_attrs & ASC_RET_MUTUAL_AUTH), "%s: attributes %08lx", what,
           pair.server_attrs);
        return;
    }
    ok(status == SEC_E_OK && !strcmp(name, expected), "%s: %08lx, %s", what, status, name);
    ok(pair.server_attrs & ASC_RET_MUTUAL_AUTH, "%s: attributes %08lx", what, pair.server_attrs);
}

/* [D AcceptSecurityContext (Schannel)] */
static void test_supplied(void)
{
    static const struct {
        enum tls_cert certificate;
        const char *name;
    } rows[] = {{TLS_CERT_CLIENT_RSA, "Alice"}, {TLS_CERT_CLIENT_EC, "Bob"}};
    for (unsigned i = 0; i < 4; i++) {
        const struct tls_pair_options options = {.client_version = versions[i % 2],
                                                 .server_version = versions[i % 2],
                                                 .client_cert = rows[i / 2].certificate,
                                                 .server_flags = ASC_REQ_MUTUAL_AUTH};
        SECURITY_STATUS status = tls_pair_make(&pair, &options);
        if (status == SEC_E_NOT_SUPPORTED) {
            skip_case("this system cannot keep such a key");
            continue;
        }
        if (!ok(status == SEC_E_OK, "row %u: %08lx", i, status)) continue;
        check_client(rows[i / 2].name, rows[i / 2].name);
        ok(tls_pair_talk(&pair), "row %u: no data", i);
        tls_pair_close(&pair);
    }
}

/* Not asked, a client keeps its certificate to itself. [OS RFC 5246 7.4.6] */
static void test_not_asked(void)
{
    const struct tls_pair_options options = {.client_cert = TLS_CERT_CLIENT_RSA};
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    check_client(NULL, "not asked");
    tls_pair_close(&pair);
}

/* [3P curl]: who has his own credentials used from the beginning, or wants a session key as Wine's
 * WinHTTP does, is not asked */
static void test_goes_on(void)
{
    static const ULONG flags[] = {ISC_REQ_USE_SUPPLIED_CREDS, ISC_REQ_USE_SESSION_KEY};
    for (unsigned i = 0; i < 4; i++) {
        const struct tls_pair_options options = {.client_version = versions[i % 2],
                                                 .server_version = versions[i % 2],
                                                 .client_flags = flags[i / 2],
                                                 .server_flags = ASC_REQ_MUTUAL_AUTH};
        SECURITY_STATUS status = tls_pair_make(&pair, &options);
        if (!ok(status == SEC_E_OK, "row %u: %08lx", i, status)) continue;
        check_client(NULL, "goes on");
        tls_pair_close(&pair);
    }
}

/* Up to the leg that the server's request comes to. */
static SECURITY_STATUS ask(const struct tls_pair_options *options, DWORD chunk)
{
    SECURITY_STATUS status = tls_pair_open(&pair, options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return status;
    tls_pair_client_leg(&pair);
    pair.to_server.arrived = pair.to_server.size;
    tls_pair_server_leg(&pair);
    do {
        DWORD left = pair.to_client.size - pair.to_client.arrived;
        if (!left) break;
        pair.to_client.arrived += chunk && chunk < left ? chunk : left;
        status = tls_pair_client_leg(&pair);
    } while (status == SEC_E_INCOMPLETE_MESSAGE || status == SEC_I_CONTINUE_NEEDED);
    return status;
}

static SECURITY_STATUS go_on(void)
{
    SECURITY_STATUS status = pair.client_status;
    for (unsigned i = 0; i < 6 && (status || pair.server_status); i++) {
        pair.to_client.arrived = pair.to_client.size;
        if (status) status = tls_pair_client_leg(&pair);
        if (status < 0) return status;
        pair.to_server.arrived = pair.to_server.size;
        if (pair.server_status) tls_pair_server_leg(&pair);
        if (pair.server_status < 0) return pair.server_status;
    }
    return status;
}

/* [D InitializeSecurityContext (Schannel)], [3P curl]: the application is asked, and goes on with
 * the same input without a certificate */
static void test_without(void)
{
    static const DWORD chunks[] = {0, 1, 700};
    for (unsigned i = 0; i < 6; i++) {
        const struct tls_pair_options options = {.client_version = versions[i % 2],
                                                 .server_version = versions[i % 2],
                                                 .server_flags = ASC_REQ_MUTUAL_AUTH};
        SECURITY_STATUS status = ask(&options, chunks[i / 2]);
        ok(status == SEC_I_INCOMPLETE_CREDENTIALS, "row %u: asked: %08lx", i, status);
        ok(!pair.token_size, "row %u: a token of %lu bytes", i, pair.token_size);
        pair.options.client_flags = ISC_REQ_USE_SUPPLIED_CREDS;
        status = go_on();
        if (ok(status == SEC_E_OK && !pair.server_status, "row %u: %08lx", i, status)) {
            check_client(NULL, "without");
            ok(tls_pair_talk(&pair), "row %u: no data", i);
        }
        tls_pair_close(&pair);
    }
}

/* [D InitializeSecurityContext (Schannel)]: or with another credential */
static void test_supplied_later(void)
{
    const struct tls_pair_options other = {.client_cert = TLS_CERT_CLIENT_RSA};
    for (unsigned i = 0; i < 2; i++) {
        const struct tls_pair_options options = {.client_version = versions[i],
                                                 .server_version = versions[i],
                                                 .server_flags = ASC_REQ_MUTUAL_AUTH};
        CredHandle first, second;
        SECURITY_STATUS status = ask(&options, 0);
        ok(status == SEC_I_INCOMPLETE_CREDENTIALS, "row %u: asked: %08lx", i, status);
        status = tls_pair_credential(&other, false, &second);
        if (!ok(status == SEC_E_OK, "row %u: credential: %08lx", i, status)) continue;
        first = pair.client_cred;
        pair.client_cred = second;
        FreeCredentialsHandle(&first); /* the context does without */
        status = go_on();
        if (ok(status == SEC_E_OK && !pair.server_status, "row %u: %08lx", i, status)) {
            check_client("Alice", "supplied later");
            ok(tls_pair_talk(&pair), "row %u: no data", i);
        }
        tls_pair_close(&pair);
    }
}

/* ours: what is shown is shown: yet another credential, on the next leg, changes nothing, and the
 * one that was shown may be gone by then. */
static void test_supplied_twice(void)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2,
                                             .server_flags = ASC_REQ_MUTUAL_AUTH};
    static const enum tls_cert certificates[] = {TLS_CERT_CLIENT_RSA, TLS_CERT_CLIENT_EC};
    if (!ours_only()) return;
    SECURITY_STATUS status = ask(&options, 0);
    ok(status == SEC_I_INCOMPLETE_CREDENTIALS, "asked: %08lx", status);
    for (unsigned i = 0; i < ARRAYSIZE(certificates); i++) {
        const struct tls_pair_options other = {.client_cert = certificates[i]};
        FreeCredentialsHandle(&pair.client_cred);
        status = tls_pair_credential(&other, false, &pair.client_cred);
        if (!ok(status == SEC_E_OK, "credential: %08lx", status)) return;
        if (i) break;
        pair.to_client.arrived = pair.to_client.size;
        status = tls_pair_client_leg(&pair);
        ok(status == SEC_I_CONTINUE_NEEDED, "shown: %08lx", status);
        pair.to_server.arrived = pair.to_server.size;
        tls_pair_server_leg(&pair);
    }
    status = go_on();
    if (ok(status == SEC_E_OK && !pair.server_status, "%08lx", status)) {
        const CERT_CONTEXT *local = NULL;
        char name[64] = "";
        check_client("Alice", "supplied first");
        status = QueryContextAttributesW(&pair.client, SECPKG_ATTR_LOCAL_CERT_CONTEXT, &local);
        if (local) CertGetNameStringA(local, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, name, 64);
        ok(!status && !strcmp(name, "Alice"), "%08lx, %s", status, name);
        if (local) CertFreeCertificateContext(local);
    }
    tls_pair_close(&pair);
}

/* ---- the user's own certificate ---- */

/* By its registry key: in Wine 8.0 what is deleted from this store comes back. */
static void my_remove(void)
{
    BYTE hash[20];
    DWORD size = sizeof(hash);
    wchar_t path[160] = L"Software\\Microsoft\\SystemCertificates\\MY\\Certificates\\";
    const CERT_CONTEXT *certificate = tls_cert(TLS_CERT_CLIENT_RSA);
    CertGetCertificateContextProperty(certificate, CERT_HASH_PROP_ID, hash, &size);
    for (DWORD i = 0; i < sizeof(hash); i++) swprintf(path + wcslen(path), 3, L"%02X", hash[i]);
    RegDeleteKeyW(HKEY_CURRENT_USER, path);
    CertFreeCertificateContext(certificate);
}

static bool my_add(void)
{
    const CERT_CONTEXT *certificate = tls_cert_with_key(TLS_CERT_CLIENT_RSA);
    my_remove(); /* its container is of another process */
    HCERTSTORE store = CertOpenSystemStoreW(0, L"MY");
    bool added = certificate && store &&
                 CertAddCertificateContextToStore(store, certificate,
                                                  CERT_STORE_ADD_REPLACE_EXISTING, NULL);
    if (store) CertCloseStore(store, 0);
    if (certificate) CertFreeCertificateContext(certificate);
    return added;
}

/* [D TLS registry settings]: servers name no issuers unless the machine says so. */
static struct saved_value naming;

static bool name_issuers(void)
{
    const DWORD one = 1;
    const wchar_t *key = L"SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL";
    if (!value_save(&naming, key, L"SendTrustedIssuerList")) return false;
    if (!value_set(&naming, REG_DWORD, &one, sizeof(one))) return false;
    second_pass();
    return true;
}

/* [D Performing Authentication Using Schannel], [D SCH_CREDENTIALS]: one of the user's is shown
 * unless the application says otherwise. ours: the server has to name its issuer */
static void test_default(void)
{
    static const struct {
        DWORD flags;
        ULONG requirements;
        bool named;
        const char *name;
    } rows[] = {
        {0, 0, true, "Alice"},
        {SCH_CRED_NO_DEFAULT_CREDS, 0, true, NULL},
        {0, ISC_REQ_USE_SUPPLIED_CREDS, true, NULL},
        {0, 0, false, NULL},
    };
    if (!ours_only() || !ok(name_issuers(), "the registry cannot be written")) return;
    HCERTSTORE store = tls_cert_store(TLS_CERT_ROOT);
    if (!ok(my_add(), "the store: %lu", GetLastError())) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct tls_pair_options options = {.server_flags = ASC_REQ_MUTUAL_AUTH,
                                                 .client_flags = rows[i].requirements,
                                                 .client_cred_flags = rows[i].flags,
                                                 .users_cert = true,
                                                 .server_roots = rows[i].named ? store : NULL};
        SECURITY_STATUS status = tls_pair_open(&pair, &options);
        if (!ok(status == SEC_E_OK, "credentials: %08lx", status)) continue;
        status = tls_pair_connect(&pair);
        if (ok(status == SEC_E_OK, "row %u: %08lx", i, status)) {
            char what[32];
            snprintf(what, sizeof(what), "row %u", i);
            check_client(rows[i].name, what);
        }
        tls_pair_close(&pair);
    }
    my_remove();
    CertCloseStore(store, 0);
    value_restore(&naming);
}

/* ours: who chooses a certificate in the middle of a handshake can see for whom, once the server
 * has shown its own, which in TLS 1.3 comes behind the request */
static void check_server(enum tls_pair_version version)
{
    const CERT_CONTEXT *shown = NULL, *certificate = tls_cert(TLS_CERT_SERVER_RSA);
    SECURITY_STATUS status = QueryContextAttributesW(&pair.client, SECPKG_ATTR_REMOTE_CERT_CONTEXT,
                                                     (void *)&shown);
    if (version == TLS_PAIR_1_3) {
        ok(status == SEC_E_INVALID_HANDLE, "too early: %08lx", status);
    } else if (ok(status == SEC_E_OK, "%08lx", status)) {
        ok(CertCompareCertificate(X509_ASN_ENCODING, shown->pCertInfo, certificate->pCertInfo),
           "another certificate");
        CertFreeCertificateContext(shown);
    }
    CertFreeCertificateContext(certificate);
}

/* [D QueryContextAttributes (Schannel), ISSUER_LIST_EX]: whom the server names */
static void test_issuers(void)
{
    if (!ours_only() || !ok(name_issuers(), "the registry cannot be written")) return;
    HCERTSTORE store = tls_cert_store(TLS_CERT_ROOT);
    const CERT_CONTEXT *root = tls_cert(TLS_CERT_ROOT);
    for (unsigned i = 0; i < 2; i++) {
        const struct tls_pair_options options = {.client_version = versions[i],
                                                 .server_version = versions[i],
                                                 .server_flags = ASC_REQ_MUTUAL_AUTH,
                                                 .server_roots = store};
        SecPkgContext_IssuerListInfoEx list = {0};
        SECURITY_STATUS status = tls_pair_open(&pair, &options);
        if (!ok(status == SEC_E_OK, "%08lx", status)) continue;
        tls_pair_client_leg(&pair);
        pair.to_server.arrived = pair.to_server.size;
        tls_pair_server_leg(&pair);
        pair.to_client.arrived = pair.to_client.size;
        status = tls_pair_client_leg(&pair);
        ok(status == SEC_I_INCOMPLETE_CREDENTIALS, "%08lx", status);
        status = QueryContextAttributesW(&pair.client, SECPKG_ATTR_ISSUER_LIST_EX, &list);
        if (ok(status == SEC_E_OK && list.cIssuers == 1, "%08lx, %lu", status, list.cIssuers))
            ok(list.aIssuers[0].cbData == root->pCertInfo->Subject.cbData &&
                   !memcmp(list.aIssuers[0].pbData, root->pCertInfo->Subject.pbData,
                           list.aIssuers[0].cbData),
               "another name of %lu bytes", list.aIssuers[0].cbData);
        if (list.aIssuers) FreeContextBuffer(list.aIssuers);
        check_server(versions[i]);
        tls_pair_close(&pair);
    }
    CertFreeCertificateContext(root);
    CertCloseStore(store, 0);
    value_restore(&naming);
}

/* The records of a flight in clear become one, as some servers send them. */
static void join_records(struct tls_wire *wire)
{
    static BYTE joined[TLS_PAIR_WIRE];
    DWORD size = 5;
    for (DWORD at = 0; at + 5 <= wire->size;) {
        DWORD fragment = (DWORD)(wire->bytes[at + 3] << 8) + wire->bytes[at + 4];
        memcpy(joined + size, wire->bytes + at + 5, fragment);
        at += 5 + fragment;
        size += fragment;
    }
    memcpy(joined, wire->bytes, 3);
    joined[3] = (BYTE)((size - 5) >> 8);
    joined[4] = (BYTE)(size - 5);
    memcpy(wire->bytes, joined, size);
    wire->arrived = wire->size = size;
}

/* [OS RFC 5246 6.2.1]: messages may share a record; whom the server names is read all the same */
static void test_one_record(void)
{
    SecPkgContext_IssuerListInfoEx list = {0};
    if (!ours_only() || !ok(name_issuers(), "the registry cannot be written")) return;
    HCERTSTORE store = tls_cert_store(TLS_CERT_ROOT);
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2,
                                             .server_flags = ASC_REQ_MUTUAL_AUTH,
                                             .server_roots = store};
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    tls_pair_client_leg(&pair);
    pair.to_server.arrived = pair.to_server.size;
    tls_pair_server_leg(&pair);
    join_records(&pair.to_client);
    status = tls_pair_client_leg(&pair);
    ok(status == SEC_I_INCOMPLETE_CREDENTIALS, "%08lx", status);
    status = QueryContextAttributesW(&pair.client, SECPKG_ATTR_ISSUER_LIST_EX, &list);
    ok(status == SEC_E_OK && list.cIssuers == 1, "%08lx, %lu", status, list.cIssuers);
    if (list.aIssuers) FreeContextBuffer(list.aIssuers);
    pair.options.client_flags = ISC_REQ_USE_SUPPLIED_CREDS;
    status = go_on();
    ok(status == SEC_E_OK && tls_pair_talk(&pair), "%08lx", status);
    tls_pair_close(&pair);
    CertCloseStore(store, 0);
    value_restore(&naming);
}

/* Also to who has brought a certificate. */
static void test_issuers_of_shown(void)
{
    if (!ours_only() || !ok(name_issuers(), "the registry cannot be written")) return;
    HCERTSTORE store = tls_cert_store(TLS_CERT_ROOT);
    for (unsigned i = 0; i < 2; i++) {
        const struct tls_pair_options options = {.client_version = versions[i],
                                                 .server_version = versions[i],
                                                 .client_cert = TLS_CERT_CLIENT_RSA,
                                                 .server_flags = ASC_REQ_MUTUAL_AUTH,
                                                 .server_roots = store};
        SecPkgContext_IssuerListInfoEx list = {0};
        SecPkgContext_IssuerListInfo old = {0};
        SECURITY_STATUS status = tls_pair_open(&pair, &options);
        if (!ok(status == SEC_E_OK, "%08lx", status)) continue;
        status = tls_pair_connect(&pair);
        ok(status == SEC_E_OK, "row %u: %08lx", i, status);
        status = QueryContextAttributesW(&pair.client, SECPKG_ATTR_ISSUER_LIST_EX, &list);
        ok(status == SEC_E_OK && list.cIssuers == 1, "row %u: %08lx, %lu", i, status,
           list.cIssuers);
        status = QueryContextAttributesW(&pair.client, SECPKG_ATTR_ISSUER_LIST, &old);
        ok(status == SEC_E_OK && list.cIssuers && old.cbIssuerList == list.aIssuers[0].cbData + 2 &&
               !memcmp(old.pIssuerList + 2, list.aIssuers[0].pbData, list.aIssuers[0].cbData),
           "row %u: %08lx, %lu bytes", i, status, old.cbIssuerList);
        if (list.aIssuers) FreeContextBuffer(list.aIssuers);
        if (old.pIssuerList) FreeContextBuffer(old.pIssuerList);
        check_client("Alice", "shown");
        tls_pair_close(&pair);
    }
    CertCloseStore(store, 0);
    value_restore(&naming);
}

int main(void)
{
    RUN(test_supplied);
    RUN(test_not_asked);
    RUN(test_goes_on);
    RUN(test_without);
    RUN(test_supplied_later);
    RUN(test_supplied_twice);
    RUN(test_default);
    RUN(test_issuers);
    RUN(test_one_record);
    RUN(test_issuers_of_shown);
    tls_certs_end();
    return test_end("api_tls_client_auth");
}
