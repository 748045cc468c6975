/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AcquireCredentialsHandle of the TLS packages and what can be asked of a credential: structures,
 * protocols, algorithms. Sources of expectations in brackets, as in
 * api_packages; [W8] is schannel.c there.
 */
#include <windows.h>

#include <ntsecapi.h>
#include <security.h>
#define SCHANNEL_USE_BLACKLISTS
#include <schannel.h>

#include "support.h"
#include "tls_certs.h"

#define UNTOUCHED ((ULONG_PTR)0x5ec5ec5e)

static const wchar_t *const packages[] = {UNISP_NAME_W, SCHANNEL_NAME_W, DEFAULT_TLS_SSP_NAME_W};

static SECURITY_STATUS acquire(ULONG use, void *data, CredHandle *made)
{
    TimeStamp expiry;
    *made = (CredHandle){UNTOUCHED, UNTOUCHED};
    return AcquireCredentialsHandleW(NULL, (wchar_t *)UNISP_NAME_W, use, NULL, data, NULL, NULL,
                                     made, &expiry);
}

/* What becomes of it; the handle is not kept. */
static SECURITY_STATUS outcome(ULONG use, void *data)
{
    CredHandle made;
    SECURITY_STATUS status = acquire(use, data, &made);
    if (status == SEC_E_OK) FreeCredentialsHandle(&made);
    return status;
}

#define BOTH_SIDES(side) \
    for (ULONG side = SECPKG_CRED_INBOUND; side <= SECPKG_CRED_OUTBOUND; side++)

/* ---- structures ---- */

static void test_directions(void)
{
    for (size_t i = 0; i < ARRAYSIZE(packages); i++) {
        CredHandle made;
        TimeStamp expiry;
        winetest_push_context("%ls", packages[i]);
        SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)packages[i],
                                                           SECPKG_CRED_OUTBOUND, NULL, NULL, NULL,
                                                           NULL, &made, &expiry);
        ok(status == SEC_E_OK, "a client by default: %08lx", status); /* [W8 schannel.c:349-357] */
        if (status == SEC_E_OK) FreeCredentialsHandle(&made);
        winetest_pop_context();
    }
    /* [W8 schannel.c:332-343] */
    ok(outcome(0, NULL) == SEC_E_NO_CREDENTIALS, "no direction: %08lx", outcome(0, NULL));
    ok(outcome(SECPKG_CRED_BOTH, NULL) == SEC_E_NO_CREDENTIALS, "both: %08lx",
       outcome(SECPKG_CRED_BOTH, NULL));
    ok(outcome(SECPKG_CRED_INBOUND, NULL) == SEC_E_NO_CREDENTIALS, "a server by default: %08lx",
       outcome(SECPKG_CRED_INBOUND, NULL));
}

static void test_versions(void)
{
    BOTH_SIDES(side)
    {
        SCHANNEL_CRED cred = {0};
        static const DWORD wrong[] = {0, SCH_CRED_V1, SCH_CRED_V2};
        for (size_t i = 0; i < ARRAYSIZE(wrong); i++) {
            cred.dwVersion = wrong[i];
            SECURITY_STATUS status = outcome(side, &cred);
            /* [W8 schannel.c:368-377,466-490] */
            ok(status == SEC_E_UNKNOWN_CREDENTIALS || broken(status == SEC_E_INTERNAL_ERROR),
               "version %lu of side %lu: %08lx", wrong[i], side, status);
        }
        cred.dwVersion = SCHANNEL_CRED_VERSION;
        SECURITY_STATUS status = outcome(side, &cred);
        /* [W8 schannel.c:381-389] */
        ok(status == SEC_E_OK, "no certificate, side %lu: %08lx", side, status);
        SCH_CREDENTIALS modern = {.dwVersion = SCH_CREDENTIALS_VERSION};
        status = outcome(side, &modern);
        /* [W8 schannel.c:548-554] for clients, [INF] for servers */
        ok(status == SEC_E_OK || broken(status == SEC_E_UNKNOWN_CREDENTIALS),
           "SCH_CREDENTIALS of side %lu: %08lx", side, status);
    }
}

/* [W8 schannel.c:367-375]: the structure comes before the handle that there is no room for. With a
 * good one Windows crashes. */
static void test_no_handle(void)
{
    SCHANNEL_CRED cred = {0};
    TimeStamp expiry = {.QuadPart = 5};
    BOTH_SIDES(side)
    {
        cred.dwVersion = 0;
        SECURITY_STATUS status = AcquireCredentialsHandleA(NULL, (char *)UNISP_NAME_A, side, NULL,
                                                           &cred, NULL, NULL, NULL, NULL);
        ok(status == SEC_E_UNKNOWN_CREDENTIALS || broken(status == SEC_E_INTERNAL_ERROR),
           "no version, side %lu: %08lx", side, status);
        cred.dwVersion = SCHANNEL_CRED_VERSION;
        if (!ours_only()) return;
        status = AcquireCredentialsHandleW(NULL, (wchar_t *)UNISP_NAME_W, side, NULL, &cred, NULL,
                                           NULL, NULL, &expiry);
        ok(status == SEC_E_INVALID_HANDLE, "side %lu: %08lx", side, status);
        ok(expiry.QuadPart == 5, "the time was changed");
    }
}

/* The structure has no text: the ANSI entry point takes the same. */
static void test_ansi(void)
{
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION};
    CredHandle made;
    TimeStamp expiry;
    SECURITY_STATUS status = AcquireCredentialsHandleA(
        NULL, (char *)UNISP_NAME_A, SECPKG_CRED_OUTBOUND, NULL, &cred, NULL, NULL, &made, &expiry);
    ok(status == SEC_E_OK, "%08lx", status); /* [W8 schannel.c:381-389] */
    if (status == SEC_E_OK) FreeCredentialsHandle(&made);
    SCH_CREDENTIALS modern = {.dwVersion = SCH_CREDENTIALS_VERSION};
    status = AcquireCredentialsHandleA(NULL, (char *)UNISP_NAME_A, SECPKG_CRED_OUTBOUND, NULL,
                                       &modern, NULL, NULL, &made, &expiry);
    /* [W8 schannel.c:548-554] */
    ok(status == SEC_E_OK || broken(status == SEC_E_UNKNOWN_CREDENTIALS), "modern: %08lx", status);
    if (status == SEC_E_OK) FreeCredentialsHandle(&made);
}

/* ours: what no system has been seen to be given */
static void test_broken_structures(void)
{
    if (!ours_only()) return;
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION, .cCreds = 1};
    const CERT_CONTEXT *none = NULL;
    SECURITY_STATUS status = outcome(SECPKG_CRED_OUTBOUND, &cred);
    ok(status == SEC_E_UNKNOWN_CREDENTIALS, "no array: %08lx", status);
    cred.paCred = &none;
    status = outcome(SECPKG_CRED_OUTBOUND, &cred);
    ok(status == SEC_E_UNKNOWN_CREDENTIALS, "no certificate in it: %08lx", status);
    cred.cCreds = SCH_CRED_MAX_SUPPORTED_CERTS + 1;
    status = outcome(SECPKG_CRED_OUTBOUND, &cred);
    ok(status == SEC_E_UNKNOWN_CREDENTIALS, "too many certificates: %08lx", status);
    cred.cCreds = 0;
    cred.cSupportedAlgs = 1;
    status = outcome(SECPKG_CRED_OUTBOUND, &cred);
    ok(status == SEC_E_INVALID_PARAMETER, "algorithms without an array: %08lx", status);
    SCH_CREDENTIALS modern = {.dwVersion = SCH_CREDENTIALS_VERSION, .cTlsParameters = 1};
    status = outcome(SECPKG_CRED_OUTBOUND, &modern);
    ok(status == SEC_E_INVALID_PARAMETER, "parameters without an array: %08lx", status);
    TLS_PARAMETERS parameters[SCH_CRED_MAX_SUPPORTED_PARAMETERS + 1] = {{0}};
    modern.pTlsParameters = parameters;
    modern.cTlsParameters = ARRAYSIZE(parameters);
    status = outcome(SECPKG_CRED_OUTBOUND, &modern);
    ok(status == SEC_E_INVALID_PARAMETER, "too many parameters: %08lx", status);
    modern.cTlsParameters = 1;
    parameters[0].cDisabledCrypto = 1;
    status = outcome(SECPKG_CRED_OUTBOUND, &modern);
    ok(status == SEC_E_INVALID_PARAMETER, "settings without an array: %08lx", status);
    CRYPTO_SETTINGS setting = {.cChainingModes = 1};
    parameters[0].pDisabledCrypto = &setting;
    status = outcome(SECPKG_CRED_OUTBOUND, &modern);
    ok(status == SEC_E_INVALID_PARAMETER, "modes without an array: %08lx", status);
}

/* ours: [D sch_credentials] whoever sets the flag wants no handshake without such a key */
static void test_preshared_key(void)
{
    if (!ours_only()) return;
    BOTH_SIDES(side)
    {
        SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                              .dwFlags = SCH_USE_PRESHAREDKEY_ONLY};
        SCH_CREDENTIALS modern = {.dwVersion = SCH_CREDENTIALS_VERSION,
                                  .dwFlags = SCH_USE_PRESHAREDKEY_ONLY};
        SECURITY_STATUS status = outcome(side, &cred);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "side %lu: %08lx", side, status);
        status = outcome(side, &modern);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "modern, side %lu: %08lx", side, status);
    }
}

/* ---- protocols ---- */

static DWORD protocols_of(ULONG side, void *data)
{
    CredHandle made;
    SecPkgCred_SupportedProtocols protocols = {0};
    if (acquire(side, data, &made) != SEC_E_OK) return 0;
    QueryCredentialsAttributesW(&made, SECPKG_ATTR_SUPPORTED_PROTOCOLS, &protocols);
    FreeCredentialsHandle(&made);
    return protocols.grbitProtocol;
}

static SECURITY_STATUS with_protocols(ULONG side, DWORD protocols)
{
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION, .grbitEnabledProtocols = protocols};
    return outcome(side, &cred);
}

static void test_protocols(void)
{
    static const struct {
        DWORD client, server;
    } bits[] = {{SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_2_SERVER},
                {SP_PROT_DTLS1_2_CLIENT, SP_PROT_DTLS1_2_SERVER}};
    for (size_t i = 0; i < ARRAYSIZE(bits); i++) {
        SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION};
        cred.grbitEnabledProtocols = bits[i].client;
        DWORD got = protocols_of(SECPKG_CRED_OUTBOUND, &cred);
        ok(got == bits[i].client, "client %lx: %lx", bits[i].client, got); /* [W8 schannel.c:192] */
        cred.grbitEnabledProtocols = bits[i].server;
        got = protocols_of(SECPKG_CRED_INBOUND, &cred);
        ok(got == bits[i].server, "server %lx: %lx", bits[i].server, got); /* [W8 schannel.c:192] */
        /* [WM schannel.c] */
        SECURITY_STATUS status = with_protocols(SECPKG_CRED_INBOUND, bits[i].client);
        ok(status == SEC_E_ALGORITHM_MISMATCH, "a server of client bits: %08lx", status);
        status = with_protocols(SECPKG_CRED_OUTBOUND, bits[i].server);
        ok(status == SEC_E_ALGORITHM_MISMATCH, "a client of server bits: %08lx", status);
    }
    /* [WM schannel.c] */
    SECURITY_STATUS status = with_protocols(SECPKG_CRED_OUTBOUND,
                                            SP_PROT_TLS1_2_CLIENT | SP_PROT_DTLS1_2_CLIENT);
    ok(status == SEC_E_ALGORITHM_MISMATCH, "streams and datagrams: %08lx", status);
    status = with_protocols(SECPKG_CRED_OUTBOUND, SP_PROT_SSL3_CLIENT);
    ok(status != SEC_E_OK, "SSL 3: %08lx", status); /* [CI PSSPI] */
    /* [OBS awslabs/aws-c-io issue 609], [OBS curl/curl pull request 21725]: TLS 1.3 takes
     * SCH_CREDENTIALS; it is an error alone, and left out of what else is asked for */
    status = with_protocols(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_3_CLIENT);
    ok(status == SEC_E_ALGORITHM_MISMATCH, "a client of TLS 1.3 alone: %08lx", status);
    status = with_protocols(SECPKG_CRED_INBOUND, SP_PROT_TLS1_3_SERVER);
    ok(status == SEC_E_ALGORITHM_MISMATCH, "a server of TLS 1.3 alone: %08lx", status);
    SCHANNEL_CRED both = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .grbitEnabledProtocols = SP_PROT_TLS1_2_CLIENT | SP_PROT_TLS1_3_CLIENT};
    DWORD left = protocols_of(SECPKG_CRED_OUTBOUND, &both);
    ok(left == SP_PROT_TLS1_2_CLIENT, "TLS 1.2 and 1.3: %lx", left);
    /* [D schannel_cred]: SP_PROT_TLS1_2 has the bits of both sides */
    status = with_protocols(SECPKG_CRED_OUTBOUND, SP_PROT_TLS1_2);
    ok(status == SEC_E_OK, "the bits of both sides: %08lx", status);
}

static void test_default_protocols(void)
{
    SCHANNEL_CRED classic = {.dwVersion = SCHANNEL_CRED_VERSION};
    SCH_CREDENTIALS modern = {.dwVersion = SCH_CREDENTIALS_VERSION};
    DWORD got = protocols_of(SECPKG_CRED_OUTBOUND, &classic);
    ok(got & SP_PROT_TLS1_2_CLIENT, "SCHANNEL_CRED: %lx", got); /* [CI PSSPI] */
    if (!ours_only()) return;
    ok(!(got & SP_PROT_TLS1_3), "SCHANNEL_CRED has TLS 1.3 unasked: %lx", got);
    got = protocols_of(SECPKG_CRED_OUTBOUND, &modern);
    /* [CI PSSPI] on Windows 11 */
    ok(got & SP_PROT_TLS1_3_CLIENT && got & SP_PROT_TLS1_2_CLIENT, "SCH_CREDENTIALS: %lx", got);
    ok(!(got & (SP_PROT_SSL3 | SP_PROT_TLS1_0 | SP_PROT_TLS1_1)), "old ones: %lx", got);
    got = protocols_of(SECPKG_CRED_INBOUND, &modern);
    ok(got & SP_PROT_TLS1_3_SERVER && !(got & SP_PROT_TLS1_3_CLIENT), "server: %lx", got);
    classic.dwFlags = SCH_USE_DTLS_ONLY;
    got = protocols_of(SECPKG_CRED_OUTBOUND, &classic);
    ok(got == SP_PROT_DTLS1_2_CLIENT, "datagrams only: %lx", got);
}

/* [D tls_parameters]; which protocols are left is ours where Windows is older */
static void test_disabled_protocols(void)
{
    TLS_PARAMETERS parameters = {.grbitDisabledProtocols = SP_PROT_TLS1_3};
    SCH_CREDENTIALS modern = {
        .dwVersion = SCH_CREDENTIALS_VERSION, .cTlsParameters = 1, .pTlsParameters = &parameters};
    if (!ours_only()) return;
    DWORD got = protocols_of(SECPKG_CRED_OUTBOUND, &modern);
    ok(got & SP_PROT_TLS1_2_CLIENT && !(got & SP_PROT_TLS1_3), "without 1.3: %lx", got);
    parameters.grbitDisabledProtocols = ~(DWORD)SP_PROT_TLS1_3;
    got = protocols_of(SECPKG_CRED_OUTBOUND, &modern);
    ok(got == SP_PROT_TLS1_3_CLIENT, "with 1.3 alone: %lx", got);
    parameters.grbitDisabledProtocols = SP_PROT_ALL;
    SECURITY_STATUS status = outcome(SECPKG_CRED_OUTBOUND, &modern);
    ok(status == SEC_E_ALGORITHM_MISMATCH, "none: %08lx", status);
    parameters.dwFlags = TLS_PARAMS_OPTIONAL;
    got = protocols_of(SECPKG_CRED_OUTBOUND, &modern);
    ok(got & SP_PROT_TLS1_3_CLIENT, "none, if that is possible: %lx", got);
}

/* ---- algorithms ---- */

static SECURITY_STATUS with_algorithms(ALG_ID *ids, DWORD count, DWORD minimum, DWORD maximum)
{
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cSupportedAlgs = count,
                          .palgSupportedAlgs = ids,
                          .dwMinimumCipherStrength = minimum,
                          .dwMaximumCipherStrength = maximum};
    return outcome(SECPKG_CRED_OUTBOUND, &cred);
}

/* ours: which of them leave something */
static void test_algorithms(void)
{
    ALG_ID aes[] = {CALG_AES_256, CALG_ECDH_EPHEM}, rc4[] = {CALG_RC4};
    ALG_ID no_hash[] = {CALG_AES_128, CALG_MD5};
    if (!ours_only()) return;
    SECURITY_STATUS status = with_algorithms(aes, 2, 0, 0);
    ok(status == SEC_E_OK, "AES-256 and ECDH: %08lx", status);
    status = with_algorithms(rc4, 1, 0, 0);
    ok(status == SEC_E_ALGORITHM_MISMATCH, "RC4: %08lx", status);
    status = with_algorithms(no_hash, 2, 0, 0);
    ok(status == SEC_E_ALGORITHM_MISMATCH, "MD5: %08lx", status);
    status = with_algorithms(NULL, 0, 256, 256);
    ok(status == SEC_E_OK, "256 bits: %08lx", status);
    status = with_algorithms(NULL, 0, 257, 0);
    ok(status == SEC_E_ALGORITHM_MISMATCH, "more than 256 bits: %08lx", status);
    status = with_algorithms(NULL, 0, 0, 127);
    ok(status == SEC_E_ALGORITHM_MISMATCH, "less than 128 bits: %08lx", status);
    status = with_algorithms(NULL, 0, (DWORD)-1, 0);
    ok(status == SEC_E_OK, "none allowed: %08lx", status);
    status = with_algorithms(NULL, 0, 0, (DWORD)-1);
    ok(status == SEC_E_ALGORITHM_MISMATCH, "none wanted: %08lx", status);
}

static UNICODE_STRING text(const wchar_t *name)
{
    USHORT size = (USHORT)(wcslen(name) * sizeof(*name));
    return (UNICODE_STRING){size, size, (wchar_t *)name};
}

static SECURITY_STATUS without(CRYPTO_SETTINGS *settings, DWORD count)
{
    TLS_PARAMETERS parameters = {.cDisabledCrypto = count, .pDisabledCrypto = settings};
    SCH_CREDENTIALS modern = {
        .dwVersion = SCH_CREDENTIALS_VERSION, .cTlsParameters = 1, .pTlsParameters = &parameters};
    return outcome(SECPKG_CRED_OUTBOUND, &modern);
}

/* [D crypto_settings]; ours where it says what is left */
static void test_disabled_crypto(void)
{
    UNICODE_STRING gcm = text(L"ChainingModeGCM");
    CRYPTO_SETTINGS settings[] = {
        {TlsParametersCngAlgUsageCipher, text(L"AES"), 1, &gcm, 0, 0},
        {TlsParametersCngAlgUsageCipher, text(L"CHACHA20_POLY1305"), 0, NULL, 0, 0},
        {TlsParametersCngAlgUsageDigest, text(L"SHA1"), 0, NULL, 0, 0},
        {TlsParametersCngAlgUsageDigest, text(L"SHA256"), 0, NULL, 0, 0},
        {TlsParametersCngAlgUsageDigest, text(L"SHA384"), 0, NULL, 0, 0},
    };
    if (!ours_only()) return;
    SECURITY_STATUS status = without(settings, 1);
    ok(status == SEC_E_OK, "without GCM: %08lx", status);
    status = without(settings, 4);
    ok(status == SEC_E_OK, "what is left is CBC with SHA-384: %08lx", status);
    status = without(settings, 5);
    ok(status == SEC_E_ALGORITHM_MISMATCH, "without hashes: %08lx", status);
    settings[0].cChainingModes = 0;
    status = without(settings, 2);
    ok(status == SEC_E_ALGORITHM_MISMATCH, "without AES and ChaCha20: %08lx", status);
    settings[0].dwMinBitLength = settings[0].dwMaxBitLength = 128;
    status = without(settings, 2);
    ok(status == SEC_E_OK, "without AES-128: %08lx", status);
}

/* ---- attributes ---- */

static void test_attributes(void)
{
    CredHandle made;
    SecPkgCredentials_NamesW names;
    SecPkgCred_SupportedAlgs algorithms = {0};
    SecPkgCred_CipherStrengths strengths = {0};
    SecPkgCredentials_Cert certificate;
    if (!ok(acquire(SECPKG_CRED_OUTBOUND, NULL, &made) == SEC_E_OK, "no credential")) return;
    SECURITY_STATUS status = QueryCredentialsAttributesW(&made, SECPKG_CRED_ATTR_NAMES, &names);
    ok(status == SEC_E_NO_CREDENTIALS, "names: %08lx", status); /* [W8 schannel.c:361] */
    /* [W8 schannel.c:246-250] */
    status = QueryCredentialsAttributesW(&made, SECPKG_ATTR_SUPPORTED_PROTOCOLS, NULL);
    ok(status == SEC_E_INTERNAL_ERROR, "protocols to nowhere: %08lx", status);
    status = QueryCredentialsAttributesW(&made, SECPKG_ATTR_SUPPORTED_ALGS, NULL);
    ok(status == SEC_E_INTERNAL_ERROR, "algorithms to nowhere: %08lx", status);
    status = QueryCredentialsAttributesW(&made, SECPKG_ATTR_SUPPORTED_ALGS, &algorithms);
    /* [W8T schannel.c:221-222] */
    if (ok(status == SEC_E_OK, "algorithms: %08lx", status)) {
        ok(algorithms.cSupportedAlgs != 0, "none");
        FreeContextBuffer(algorithms.palgSupportedAlgs);
    }
    status = QueryCredentialsAttributesW(&made, SECPKG_ATTR_CIPHER_STRENGTHS, &strengths);
    /* [W8 schannel.c:180-183] */
    ok(status == SEC_E_OK && strengths.dwMinimumCipherStrength && strengths.dwMaximumCipherStrength,
       "strengths %lu to %lu: %08lx", strengths.dwMinimumCipherStrength,
       strengths.dwMaximumCipherStrength, status);
    if (running_on_ours()) {
        status = QueryCredentialsAttributesW(&made, SECPKG_CRED_ATTR_CERT, &certificate);
        ok(status == SEC_E_NO_CREDENTIALS, "certificate: %08lx", status);
        status = QueryCredentialsAttributesW(&made, 0x4711, &certificate);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "something else: %08lx", status);
    }
    FreeCredentialsHandle(&made);
}

/* ours: [H sspi.h] has the structure */
static void test_certificate_attribute(void)
{
    const CERT_CONTEXT *certificate = tls_cert_with_key(TLS_CERT_SERVER_RSA);
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION, .cCreds = 1, .paCred = &certificate};
    SecPkgCredentials_Cert got = {0};
    CredHandle made;
    if (!ours_only()) return;
    if (!ok(acquire(SECPKG_CRED_INBOUND, &cred, &made) == SEC_E_OK, "no credential")) return;
    SECURITY_STATUS status = QueryCredentialsAttributesW(&made, SECPKG_CRED_ATTR_CERT, &got);
    if (ok(status == SEC_E_OK, "%08lx", status)) {
        ok(got.EncodedCertSize == certificate->cbCertEncoded &&
               !memcmp(got.EncodedCert, certificate->pbCertEncoded, got.EncodedCertSize),
           "%lu bytes", got.EncodedCertSize);
        FreeContextBuffer(got.EncodedCert);
    }
    FreeCredentialsHandle(&made);
    CertFreeCertificateContext(certificate);
}

/* [D acquirecredentialshandle--schannel]: when the certificate ends, in local time [D timestamp] */
static void test_expiry(void)
{
    const CERT_CONTEXT *certificate = tls_cert_with_key(TLS_CERT_SERVER_RSA);
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION, .cCreds = 1, .paCred = &certificate};
    CredHandle made;
    TimeStamp expiry = {.QuadPart = 0};
    FILETIME local;
    if (!ok(certificate != NULL, "no certificate")) return;
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)UNISP_NAME_W,
                                                       SECPKG_CRED_INBOUND, NULL, &cred, NULL, NULL,
                                                       &made, &expiry);
    FileTimeToLocalFileTime(&certificate->pCertInfo->NotAfter, &local);
    ok(status == SEC_E_OK && (DWORD)expiry.HighPart == local.dwHighDateTime &&
           expiry.LowPart == local.dwLowDateTime,
       "%08lx: %08lx%08lx", status, (DWORD)expiry.HighPart, expiry.LowPart);
    if (status == SEC_E_OK) FreeCredentialsHandle(&made);
    CertFreeCertificateContext(certificate);
}

/* A certificate in the user's store by its thumbprint, for the test of sspictl. */
static void acquire_stored(const char *thumbprint)
{
    SCHANNEL_CERT_HASH hash = {.dwLength = sizeof(hash)}, *pointer = &hash;
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cCreds = 1,
                          .paCred = (const CERT_CONTEXT **)(void *)&pointer,
                          .dwCredFormat = SCH_CRED_FORMAT_CERT_HASH};
    for (size_t i = 0; i < sizeof(hash.ShaHash); i++) {
        unsigned byte = 0;
        if (!ok(sscanf(thumbprint + 2 * i, "%2x", &byte) == 1, "%s is no thumbprint", thumbprint))
            return;
        hash.ShaHash[i] = (BYTE)byte;
    }
    SECURITY_STATUS status = outcome(SECPKG_CRED_INBOUND, &cred);
    ok(status == SEC_E_OK, "%08lx", status);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        acquire_stored(argv[1]);
        return statements.failed;
    }
    RUN(test_directions);
    RUN(test_versions);
    RUN(test_no_handle);
    RUN(test_ansi);
    RUN(test_broken_structures);
    RUN(test_preshared_key);
    RUN(test_protocols);
    RUN(test_default_protocols);
    RUN(test_disabled_protocols);
    RUN(test_algorithms);
    RUN(test_disabled_crypto);
    RUN(test_attributes);
    RUN(test_certificate_attribute);
    RUN(test_expiry);
    tls_certs_end();
    return test_end("api_tls_credentials");
}
