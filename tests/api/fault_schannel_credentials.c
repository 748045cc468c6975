/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The credentials of Schannel short of memory. */
#include "tls_pair.h"

#include "fault.h"

#include <stdio.h>

static bool of_server, with_settings, ansi;
static const CERT_CONTEXT *certificate; /* NULL: none */
static HCERTSTORE roots;

static LONG acquire_call(void)
{
    static ALG_ID algorithms[] = {CALG_AES_256, CALG_RSA_SIGN, CALG_ECDH_EPHEM, CALG_SHA_384};
    SCH_CREDENTIALS modern = {.dwVersion = SCH_CREDENTIALS_VERSION,
                              .cCreds = certificate ? 1 : 0,
                              .paCred = &certificate};
    SCHANNEL_CRED plain = {.dwVersion = SCHANNEL_CRED_VERSION,
                           .cCreds = certificate ? 1 : 0,
                           .paCred = &certificate,
                           .hRootStore = roots,
                           .cSupportedAlgs = ARRAYSIZE(algorithms),
                           .palgSupportedAlgs = algorithms};
    void *given = with_settings ? (void *)&plain : (void *)&modern;
    ULONG use = of_server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND;
    CredHandle *out = (CredHandle *)&answers;
    TimeStamp *expiry = (TimeStamp *)&answers.bytes[64];
    return ansi ? AcquireCredentialsHandleA(NULL, (char *)"Schannel", use, NULL, given, NULL, NULL,
                                            out, expiry)
                : AcquireCredentialsHandleW(NULL, (wchar_t *)L"Schannel", use, NULL, given, NULL,
                                            NULL, out, expiry);
}

static bool acquire_check(void)
{
    return !FreeCredentialsHandle((CredHandle *)&answers);
}

/* Not with a key of RSA: libgcrypt ends the process when a large number has no room. */
static void run_acquiring(void)
{
    static const struct scenario scenario = {
        "AcquireCredentialsHandle", KIND_SSPI, NULL, acquire_call, acquire_check, NULL};
    char text[64];
    roots = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG, NULL);
    for (int way = 0; way < 16; way++) {
        certificate = way & 8 ? tls_cert_with_key(TLS_CERT_SERVER_EC) : NULL;
        if (!ok(roots && (certificate || !(way & 8)), "no certificate")) break;
        with_settings = way & 1;
        ansi = way & 2;
        of_server = way & 4;
        snprintf(text, sizeof(text), "way %d", way);
        if (certificate || !of_server) scenario_run(&scenario, text);
        if (certificate) CertFreeCertificateContext(certificate);
    }
    CertCloseStore(roots, 0);
}

/* ---- their attributes ---- */

static ULONG credential_attribute;
static CredHandle credential;

static bool credential_open(void)
{
    const struct tls_pair_options options = {.server_cert = TLS_CERT_SERVER_EC};
    return !tls_pair_credential(&options, true, &credential);
}

static void credential_close(void)
{
    FreeCredentialsHandle(&credential);
}

static LONG credential_call(void)
{
    return QueryCredentialsAttributesW(&credential, credential_attribute, &answers);
}

static bool credential_check(void)
{
    if (credential_attribute == SECPKG_CRED_ATTR_CERT) {
        SecPkgCredentials_Cert *cert = (SecPkgCredentials_Cert *)&answers;
        return cert->EncodedCertSize && !FreeContextBuffer(cert->EncodedCert);
    }
    SecPkgCred_SupportedAlgs *algorithms = (SecPkgCred_SupportedAlgs *)&answers;
    return algorithms->cSupportedAlgs && !FreeContextBuffer(algorithms->palgSupportedAlgs);
}

static void run_credential_queries(void)
{
    static const struct scenario scenario = {"QueryCredentialsAttributes",
                                             KIND_SSPI,
                                             credential_open,
                                             credential_call,
                                             credential_check,
                                             credential_close};
    credential_attribute = SECPKG_CRED_ATTR_CERT;
    scenario_run(&scenario, "certificate");
    credential_attribute = SECPKG_ATTR_SUPPORTED_ALGS;
    scenario_run(&scenario, "algorithms");
}

void fault_schannel_credentials(void)
{
    run_acquiring();
    run_credential_queries();
}
