/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is asked of TLS contexts and credentials by the forms that are told the size of the buffer
 * ([H sspi.h]; older libraries lack them), and by those for the ANSI code page. The documentation
 * names no error for a buffer that is too small; SEC_E_BUFFER_TOO_SMALL is ours.
 */
#include "support.h"
#include "tls_pair.h"

/* schannel.h of the SDK for Windows 11 */
#define CERT_CHECK_RESULT 0x71
#define CERT_CHECK_RESULT_INPROC 0x72

typedef SECURITY_STATUS(WINAPI *query_function)(SecHandle *, ULONG, void *, ULONG);

static query_function context_w, context_a, credentials_w, credentials_a;
static struct tls_pair pair;

enum kind { FLAT, BLOCK, CERTIFICATE };

struct row {
    ULONG id, size;
    enum kind kind; /* what it points to */
    ULONG at;       /* where the pointer is */
};

#define ROW(attribute, structure)             \
    {                                         \
        attribute, sizeof(structure), FLAT, 0 \
    }
#define POINTED(attribute, structure, pointer)                            \
    {                                                                     \
        attribute, sizeof(structure), BLOCK, offsetof(structure, pointer) \
    }

/* [H schannel.h], [H sspi.h] */
static const struct row context_rows[] = {
    ROW(SECPKG_ATTR_APPLICATION_PROTOCOL, SecPkgContext_ApplicationProtocol),
    ROW(SECPKG_ATTR_CONNECTION_INFO, SecPkgContext_ConnectionInfo),
    ROW(SECPKG_ATTR_CONNECTION_INFO_EX, SecPkgContext_ConnectionInfoEx),
    ROW(SECPKG_ATTR_CIPHER_INFO, SecPkgContext_CipherInfo),
    ROW(SECPKG_ATTR_EAP_KEY_BLOCK, SecPkgContext_EapKeyBlock),
    ROW(SECPKG_ATTR_SESSION_INFO, SecPkgContext_SessionInfo),
    {CERT_CHECK_RESULT, 2 * sizeof(DWORD), FLAT, 0},
    {CERT_CHECK_RESULT_INPROC, 2 * sizeof(DWORD), FLAT, 0},
    POINTED(SECPKG_ATTR_PROTO_INFO, SecPkgContext_ProtoInfoW, sProtocolName),
    POINTED(SECPKG_ATTR_APP_DATA, SecPkgContext_SessionAppData, pbAppData),
    POINTED(SECPKG_ATTR_ISSUER_LIST, SecPkgContext_IssuerListInfo, pIssuerList),
    POINTED(SECPKG_ATTR_ISSUER_LIST_EX, SecPkgContext_IssuerListInfoEx, aIssuers),
    POINTED(SECPKG_ATTR_SUPPORTED_SIGNATURES, SecPkgContext_SupportedSignatures,
            pSignatureAndHashAlgorithms),
    POINTED(SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS, SecPkgContext_NegotiatedTlsExtensions,
            Extensions),
    POINTED(SECPKG_ATTR_KEYING_MATERIAL, SecPkgContext_KeyingMaterial, pbKeyingMaterial),
    POINTED(SECPKG_ATTR_KEYING_MATERIAL_INPROC, SecPkgContext_KeyingMaterial_Inproc,
            pbKeyingMaterial),
    {SECPKG_ATTR_REMOTE_CERT_CONTEXT, sizeof(PCCERT_CONTEXT), CERTIFICATE, 0},
    {SECPKG_ATTR_REMOTE_CERT_CHAIN, sizeof(PCCERT_CONTEXT), CERTIFICATE, 0},
    {SECPKG_ATTR_LOCAL_CERT_CONTEXT, sizeof(PCCERT_CONTEXT), CERTIFICATE, 0},
};

static const struct row credential_rows[] = {
    POINTED(SECPKG_CRED_ATTR_CERT, SecPkgCredentials_Cert, EncodedCert),
    POINTED(SECPKG_ATTR_SUPPORTED_ALGS, SecPkgCred_SupportedAlgs, palgSupportedAlgs),
    ROW(SECPKG_ATTR_CIPHER_STRENGTHS, SecPkgCred_CipherStrengths),
    ROW(SECPKG_ATTR_SUPPORTED_PROTOCOLS, SecPkgCred_SupportedProtocols),
};

static bool untouched(const BYTE *room, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (room[i] != 0x55) return false;
    return true;
}

static void release(const struct row *row, const BYTE *room)
{
    void *pointer;
    memcpy(&pointer, room + row->at, sizeof(pointer));
    if (row->kind == BLOCK) FreeContextBuffer(pointer);
    if (row->kind == CERTIFICATE) CertFreeCertificateContext(pointer);
}

/* One byte is missing, or none. */
static void ask(query_function query, SecHandle *handle, const struct row *row)
{
    BYTE room[sizeof(SecPkgContext_CipherInfo) + 1];
    winetest_push_context("attribute %#lx", row->id);
    memset(room, 0x55, sizeof(room));
    if (running_on_ours()) {
        SECURITY_STATUS status = query(handle, row->id, room, row->size - 1);
        ok(status == SEC_E_BUFFER_TOO_SMALL, "too small: %08lx", status);
        ok(untouched(room, sizeof(room)), "too small, and written to");
    }
    if (row->id == SECPKG_ATTR_KEYING_MATERIAL_INPROC)
        *(SecPkgContext_KeyingMaterial_Inproc *)room = (SecPkgContext_KeyingMaterial_Inproc){
            .cbLabel = 13, .pszLabel = (char *)"EXPERIMENTAL", .cbKeyingMaterial = 32};
    SECURITY_STATUS status = query(handle, row->id, room, row->size);
    ok(status == SEC_E_OK, "large enough: %08lx", status);
    ok(untouched(room + row->size, sizeof(room) - row->size), "written beyond");
    if (!status) release(row, room);
    winetest_pop_context();
}

static void test_sizes(void)
{
    SecPkgContext_KeyingMaterialInfo info = {
        .cbLabel = 13, .pszLabel = (char *)"EXPERIMENTAL", .cbKeyingMaterial = 32};
    SECURITY_STATUS status = SetContextAttributesW(&pair.client, SECPKG_ATTR_KEYING_MATERIAL_INFO,
                                                   &info, sizeof(info));
    ok(status == SEC_E_OK, "label: %08lx", status);
    for (size_t i = 0; i < ARRAYSIZE(context_rows); i++) {
        ask(context_w, &pair.client, &context_rows[i]);
        ask(context_a, &pair.client, &context_rows[i]);
    }
    for (size_t i = 0; i < ARRAYSIZE(credential_rows); i++) {
        ask(credentials_w, &pair.client_cred, &credential_rows[i]);
        ask(credentials_a, &pair.client_cred, &credential_rows[i]);
    }
}

/* [H sspi.h] SecPkgContext_ProtoInfoA; what the name is no page says */
static void test_proto_info(void)
{
    SecPkgContext_ProtoInfoA info = {NULL, 0, 0};
    SECURITY_STATUS status = QueryContextAttributesA(&pair.client, SECPKG_ATTR_PROTO_INFO, &info);
    if (!ours_only()) return;
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    ok(!strcmp(info.sProtocolName, "TLS"), "name %s", info.sProtocolName);
    ok(info.majorVersion == 1 && info.minorVersion == 2, "%lu.%lu", info.majorVersion,
       info.minorVersion);
    FreeContextBuffer(info.sProtocolName);
}

int main(void)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2,
                                             .client_cert = TLS_CERT_CLIENT_RSA,
                                             .server_flags = ASC_REQ_MUTUAL_AUTH};
    context_w = function_find("sspicli.dll", "QueryContextAttributesExW");
    context_a = function_find("sspicli.dll", "QueryContextAttributesExA");
    credentials_w = function_find("sspicli.dll", "QueryCredentialsAttributesExW");
    credentials_a = function_find("sspicli.dll", "QueryCredentialsAttributesExA");
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (!context_w || !context_a || !credentials_w || !credentials_a ||
        status == SEC_E_NOT_SUPPORTED) {
        printf("skip: the functions that are told a size, or the key of a certificate\n");
    } else if (ok(status == SEC_E_OK, "no connection: %08lx", status)) {
        RUN(test_sizes);
        RUN(test_proto_info);
        tls_pair_close(&pair);
    }
    tls_certs_end();
    return test_end("api_tls_ex_queries");
}
