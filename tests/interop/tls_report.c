/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See tls_report.h. An attribute that is refused is shown with its status. */
#include "tls_report.h"

#include "../../tools/sspictl/names.h"

#include <ntsecapi.h>
#include <schannel.h>
#include <wincrypt.h>

#include <stdio.h>
#include <string.h>

#define KEYING_BYTES 20

/* The lower half of the pairs of bits in SP_PROT_ is the server's. */
static const char *version_name(DWORD protocol)
{
    switch (protocol) {
    case SP_PROT_TLS1_SERVER:
    case SP_PROT_TLS1_CLIENT: return "1.0";
    case SP_PROT_TLS1_1_SERVER:
    case SP_PROT_TLS1_1_CLIENT: return "1.1";
    case SP_PROT_TLS1_2_SERVER:
    case SP_PROT_TLS1_2_CLIENT: return "1.2";
    case SP_PROT_TLS1_3_SERVER:
    case SP_PROT_TLS1_3_CLIENT: return "1.3";
    case SP_PROT_DTLS1_0_SERVER:
    case SP_PROT_DTLS1_0_CLIENT: return "DTLS 1.0";
    case SP_PROT_DTLS1_2_SERVER:
    case SP_PROT_DTLS1_2_CLIENT: return "DTLS 1.2";
    default: return "unknown";
    }
}

static SECURITY_STATUS query(const struct tls_link *link, ULONG attribute, void *out)
{
    CtxtHandle context = link->context;
    return QueryContextAttributesW(&context, attribute, out);
}

static void refused(const char *what, SECURITY_STATUS status)
{
    struct status_text text = status_text(status);
    printf("%s: %.*s\n", what, (int)strcspn(text.text, " "), text.text);
}

static void report_connection(const struct tls_link *link)
{
    SecPkgContext_ConnectionInfo info;
    SecPkgContext_CipherInfo cipher = {.dwVersion = SECPKGCONTEXT_CIPHERINFO_V1};
    SECURITY_STATUS status = query(link, SECPKG_ATTR_CONNECTION_INFO, &info);
    if (status != SEC_E_OK) {
        refused("version", status);
        return;
    }
    printf("version: %s\n", version_name(info.dwProtocol));
    printf("strength: cipher %lu exchange %lu\n", info.dwCipherStrength, info.dwExchStrength);
    status = query(link, SECPKG_ATTR_CIPHER_INFO, &cipher);
    if (status == SEC_E_OK)
        printf("suite: %04lx %ls\n", cipher.dwCipherSuite, cipher.szCipherSuite);
    else refused("suite", status);
}

static void report_session(const struct tls_link *link)
{
    SecPkgContext_SessionInfo session;
    SecPkgContext_ApplicationProtocol protocol;
    SECURITY_STATUS status = query(link, SECPKG_ATTR_SESSION_INFO, &session);
    if (status == SEC_E_OK)
        printf("session: %s\n", session.dwFlags & SSL_SESSION_RECONNECT ? "resumed" : "new");
    else refused("session", status);
    status = query(link, SECPKG_ATTR_APPLICATION_PROTOCOL, &protocol);
    if (status != SEC_E_OK) refused("alpn", status);
    else if (protocol.ProtoNegoStatus == SecApplicationProtocolNegotiationStatus_Success)
        printf("alpn: %.*s\n", protocol.ProtocolIdSize, (const char *)protocol.ProtocolId);
    else printf("alpn: none\n");
}

static void report_certificate(const struct tls_link *link, const char *what, ULONG attribute)
{
    const CERT_CONTEXT *certificate = NULL;
    wchar_t name[256];
    DWORD size = 0, chain = 0;
    SECURITY_STATUS status = query(link, attribute, &certificate);
    if (status != SEC_E_OK || !certificate) {
        refused(what, status);
        return;
    }
    CertGetNameStringW(certificate, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, name, 256);
    const CERT_CONTEXT *one = NULL;
    while ((one = CertEnumCertificatesInStore(certificate->hCertStore, one))) chain++;
    printf("%s: %ls of %lu\n", what, name, chain);
    if (CertGetCertificateContextProperty(certificate, CERT_OCSP_RESPONSE_PROP_ID, NULL, &size))
        printf("staple: %lu bytes\n", size);
    CertFreeCertificateContext(certificate);
}

static void print_bytes(const char *what, const uint8_t *bytes, size_t size)
{
    printf("%s: ", what);
    for (size_t i = 0; i < size; i++) printf("%02X", bytes[i]);
    printf("\n");
}

static void report_binding(const struct tls_link *link, const char *what, ULONG attribute)
{
    SecPkgContext_Bindings bindings = {0, NULL};
    SECURITY_STATUS status = query(link, attribute, &bindings);
    if (status != SEC_E_OK) {
        refused(what, status);
        return;
    }
    const SEC_CHANNEL_BINDINGS *head = bindings.Bindings;
    const uint8_t *data = (const uint8_t *)head + head->dwApplicationDataOffset;
    const uint8_t *colon = memchr(data, ':', head->cbApplicationDataLength);
    if (colon) print_bytes(what, colon + 1, head->cbApplicationDataLength - (colon + 1 - data));
    FreeContextBuffer(bindings.Bindings);
}

static void report_keying(const struct tls_link *link, const char *label)
{
    char copy[256];
    snprintf(copy, sizeof(copy), "%s", label);
    SecPkgContext_KeyingMaterialInfo info = {
        .cbLabel = (WORD)(strlen(copy) + 1), .pszLabel = copy, .cbKeyingMaterial = KEYING_BYTES};
    SecPkgContext_KeyingMaterial material = {0, NULL};
    CtxtHandle context = link->context;
    SECURITY_STATUS status = SetContextAttributesW(&context, SECPKG_ATTR_KEYING_MATERIAL_INFO,
                                                   &info, sizeof(info));
    if (status == SEC_E_OK) status = query(link, SECPKG_ATTR_KEYING_MATERIAL, &material);
    if (status == SEC_E_OK)
        print_bytes("keying", material.pbKeyingMaterial, material.cbKeyingMaterial);
    else refused("keying", status);
    if (status == SEC_E_OK) FreeContextBuffer(material.pbKeyingMaterial);
}

void tls_report(const struct tls_link *link)
{
    report_connection(link);
    report_session(link);
    report_certificate(link, "peer", SECPKG_ATTR_REMOTE_CERT_CONTEXT);
    report_certificate(link, "own", SECPKG_ATTR_LOCAL_CERT_CONTEXT);
    report_binding(link, "endpoint", SECPKG_ATTR_ENDPOINT_BINDINGS);
    report_binding(link, "unique", SECPKG_ATTR_UNIQUE_BINDINGS);
    if (link->options->label) report_keying(link, link->options->label);
    fflush(stdout);
}
