/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AcquireCredentialsHandle of the TLS packages with certificates: where their keys are, and how
 * certificates are named. Sources of expectations in brackets, as in api_packages.
 */
#include <windows.h>

#include <ntsecapi.h>
#include <security.h>
#define SCHANNEL_USE_BLACKLISTS
#include <schannel.h>

#include "support.h"
#include "tls_certs.h"

/* What becomes of it; the handle is not kept. */
static SECURITY_STATUS outcome(ULONG use, void *data)
{
    CredHandle made;
    TimeStamp expiry;
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)UNISP_NAME_W, use, NULL,
                                                       data, NULL, NULL, &made, &expiry);
    if (status == SEC_E_OK) FreeCredentialsHandle(&made);
    return status;
}

#define BOTH_SIDES(side) \
    for (ULONG side = SECPKG_CRED_INBOUND; side <= SECPKG_CRED_OUTBOUND; side++)

/* ---- certificates and keys ---- */

static SECURITY_STATUS with_certificates(ULONG side, DWORD version, const CERT_CONTEXT **list,
                                         DWORD count)
{
    SCHANNEL_CRED cred = {.dwVersion = version, .cCreds = count, .paCred = list};
    return outcome(side, &cred);
}

/* A certificate with a kind of key that nobody knows. */
static const CERT_CONTEXT *garbage(void)
{
    static const BYTE rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
    const CERT_CONTEXT *good = tls_cert(TLS_CERT_SERVER_RSA), *bad = NULL;
    if (!good) return NULL;
    BYTE *bytes = LocalAlloc(0, good->cbCertEncoded);
    if (bytes) memcpy(bytes, good->pbCertEncoded, good->cbCertEncoded);
    for (DWORD i = 0; bytes && i + sizeof(rsa) <= good->cbCertEncoded; i++)
        if (!memcmp(bytes + i, rsa, sizeof(rsa))) bytes[i + sizeof(rsa) - 1] = 0x7f;
    if (bytes) bad = CertCreateCertificateContext(X509_ASN_ENCODING, bytes, good->cbCertEncoded);
    LocalFree(bytes);
    CertFreeCertificateContext(good);
    return bad;
}

static void test_certificates(void)
{
    const CERT_CONTEXT *bad = garbage(), *bare = tls_cert(TLS_CERT_SERVER_RSA);
    const CERT_CONTEXT *good = tls_cert_with_key(TLS_CERT_SERVER_RSA);
    if (!ok(bad && bare && good, "certificates %p %p %p", bad, bare, good)) return;
    BOTH_SIDES(side)
    {
        const CERT_CONTEXT *pair[] = {bad, good}, *turned[] = {good, bad}, *twice[] = {good, good};
        winetest_push_context("side %lu", side);
        SECURITY_STATUS status = with_certificates(side, SCHANNEL_CRED_VERSION, &bad, 1);
        /* [W8 schannel.c:400-414] */
        ok(status == SEC_E_UNKNOWN_CREDENTIALS, "garbage: %08lx", status);
        status = with_certificates(side, SCHANNEL_CRED_VERSION, &bare, 1);
        /* [W8 schannel.c:416-431] */
        ok(status == SEC_E_NO_CREDENTIALS, "without a key: %08lx", status);
        status = with_certificates(side, SCHANNEL_CRED_VERSION, &good, 1);
        /* [W8 schannel.c:505-512] */
        ok(status == SEC_E_OK, "good: %08lx", status);
        status = with_certificates(side, SCH_CRED_V3, &good, 1);
        /* [W8 schannel.c:494-505] */
        ok(status == SEC_E_OK || broken(status == SEC_E_INSUFFICIENT_MEMORY), "version 3: %08lx",
           status);
        /* [W8 schannel.c:519-543] */
        status = with_certificates(side, SCHANNEL_CRED_VERSION, pair, 2);
        ok(status == SEC_E_UNKNOWN_CREDENTIALS || status == SEC_E_NO_CREDENTIALS,
           "the first of two is garbage: %08lx", status);
        status = with_certificates(side, SCHANNEL_CRED_VERSION, turned, 2);
        ok(status == SEC_E_UNKNOWN_CREDENTIALS || status == SEC_E_NO_CREDENTIALS,
           "the second of two is garbage: %08lx", status);
        status = with_certificates(side, SCHANNEL_CRED_VERSION, twice, 2);
        /* [D schannel_cred]: an array, one for each kind of key as a rule */
        if (side == SECPKG_CRED_INBOUND) ok(status == SEC_E_OK, "two: %08lx", status);
        winetest_pop_context();
    }
    CertFreeCertificateContext(bad);
    CertFreeCertificateContext(bare);
    CertFreeCertificateContext(good);
}

/* Names a container on a certificate of its own and says what comes of it. */
static SECURITY_STATUS with_container(enum tls_cert which, const wchar_t *name, DWORD spec)
{
    const CERT_CONTEXT *certificate = tls_cert(which);
    CRYPT_KEY_PROV_INFO info = {
        .pwszContainerName = (wchar_t *)name, .dwProvType = PROV_RSA_FULL, .dwKeySpec = spec};
    if (!certificate) return SEC_E_INTERNAL_ERROR;
    CertSetCertificateContextProperty(certificate, CERT_KEY_PROV_INFO_PROP_ID, 0, &info);
    SECURITY_STATUS status = with_certificates(SECPKG_CRED_INBOUND, SCHANNEL_CRED_VERSION,
                                               &certificate, 1);
    CertFreeCertificateContext(certificate);
    return status;
}

static void test_missing_container(void)
{
    SECURITY_STATUS status = with_container(TLS_CERT_SERVER_RSA, L"winesspi-tls-nowhere",
                                            AT_KEYEXCHANGE);
    /* [W8 schannel.c:434-447] */
    ok(status == SEC_E_UNKNOWN_CREDENTIALS || broken(status == SEC_E_INSUFFICIENT_MEMORY), "%08lx",
       status);
}

/* Keys that may not leave their container serve as well [W8 schannel.c:451-512], signature keys
 * too; those of another certificate do not (ours). */
static void test_containers(void)
{
    static const wchar_t name[] = L"winesspi-tls-kept";
    HCRYPTPROV provider;
    HCRYPTKEY key;
    DWORD size;
    BYTE *blob = tls_cert_key(TLS_CERT_SERVER_RSA, &size);
    CryptAcquireContextW(&provider, name, NULL, PROV_RSA_FULL, CRYPT_DELETEKEYSET);
    if (!ok(blob && CryptAcquireContextW(&provider, name, NULL, PROV_RSA_FULL, CRYPT_NEWKEYSET),
            "no container"))
        return;
    ((BLOBHEADER *)blob)->aiKeyAlg = CALG_RSA_SIGN;
    if (ok(CryptImportKey(provider, blob, size, 0, 0, &key), "no key: %lx", GetLastError()))
        CryptDestroyKey(key);
    CryptReleaseContext(provider, 0);
    SECURITY_STATUS status = with_container(TLS_CERT_SERVER_RSA, name, AT_SIGNATURE);
    ok(status == SEC_E_OK, "a key for signatures that stays: %08lx", status);
    if (running_on_ours()) {
        status = with_container(TLS_CERT_CLIENT_RSA, name, AT_SIGNATURE);
        ok(status == SEC_E_UNKNOWN_CREDENTIALS, "of another certificate: %08lx", status);
        status = with_container(TLS_CERT_SERVER_RSA, name, AT_KEYEXCHANGE);
        ok(status == SEC_E_UNKNOWN_CREDENTIALS, "of another use: %08lx", status);
    }
    CryptAcquireContextW(&provider, name, NULL, PROV_RSA_FULL, CRYPT_DELETEKEYSET);
    LocalFree(blob);
}

/* A key that is in no container: the certificate carries the provider's handle
 * [D certsetcertificatecontextproperty], as PFXImportCertStore makes them. */
static void test_carried_key(void)
{
    HCRYPTPROV provider;
    HCRYPTKEY key;
    DWORD size;
    BYTE *blob = tls_cert_key(TLS_CERT_SERVER_RSA, &size);
    const CERT_CONTEXT *certificate = tls_cert(TLS_CERT_SERVER_RSA);
    if (!ok(blob && certificate &&
                CryptAcquireContextW(&provider, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT),
            "no provider"))
        return;
    bool imported = CryptImportKey(provider, blob, size, 0, CRYPT_EXPORTABLE, &key);
    ok(imported, "no key: %lx", GetLastError());
    CERT_KEY_CONTEXT context = {
        .cbSize = sizeof(context), .hCryptProv = provider, .dwKeySpec = AT_KEYEXCHANGE};
    ok(CertSetCertificateContextProperty(certificate, CERT_KEY_CONTEXT_PROP_ID,
                                         CERT_STORE_NO_CRYPT_RELEASE_FLAG, &context),
       "no property: %lx", GetLastError());
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cCreds = 1,
                          .paCred = &certificate,
                          .dwFlags = SCH_CRED_MEMORY_STORE_CERT};
    SECURITY_STATUS status = outcome(SECPKG_CRED_INBOUND, &cred);
    ok(status == SEC_E_OK, "%08lx", status);
    if (imported) CryptDestroyKey(key);
    CryptReleaseContext(provider, 0);
    CertFreeCertificateContext(certificate);
    LocalFree(blob);
}

static void test_curve_key(void)
{
    const CERT_CONTEXT *certificate = tls_cert_with_key(TLS_CERT_SERVER_EC);
    if (!certificate) {
        skip_case("keys of curves cannot be kept here");
        return;
    }
    BOTH_SIDES(side)
    {
        SECURITY_STATUS status = with_certificates(side, SCHANNEL_CRED_VERSION, &certificate, 1);
        /* [D schannel_cred]: one for each key exchange method */
        ok(status == SEC_E_OK, "side %lu: %08lx", side, status);
    }
    CertFreeCertificateContext(certificate);
}

/* ---- certificates by their hash ---- */

static void remove_from(HCERTSTORE store, const BYTE *hash)
{
    CRYPT_HASH_BLOB blob = {20, (BYTE *)hash};
    const CERT_CONTEXT *found = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0,
                                                           CERT_FIND_SHA1_HASH, &blob, NULL);
    if (found) CertDeleteCertificateFromStore(found);
}

/* [H schannel.h] SCHANNEL_CERT_HASH_STORE, [D schannel_cred-hash]; documented for the kernel */
static void test_hashes(void)
{
    static const wchar_t name[] = L"winesspi-test";
    SCHANNEL_CERT_HASH_STORE by_store = {.dwLength = sizeof(by_store)};
    SCHANNEL_CERT_HASH_STORE *pointer = &by_store;
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cCreds = 1,
                          .paCred = (const CERT_CONTEXT **)(void *)&pointer,
                          .dwCredFormat = SCH_CRED_FORMAT_CERT_HASH_STORE};
    const CERT_CONTEXT *certificate = tls_cert_with_key(TLS_CERT_SERVER_RSA);
    DWORD size = sizeof(by_store.ShaHash);
    if (!ours_only()) return;
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_CURRENT_USER,
                                     name);
    if (!ok(store && certificate &&
                CertGetCertificateContextProperty(certificate, CERT_HASH_PROP_ID, by_store.ShaHash,
                                                  &size),
            "no store: %lx", GetLastError()))
        return;
    wcscpy(by_store.pwszStoreName, name);
    SECURITY_STATUS status = outcome(SECPKG_CRED_INBOUND, &cred);
    ok(status == SEC_E_UNKNOWN_CREDENTIALS, "not in the store: %08lx", status);
    CertAddCertificateContextToStore(store, certificate, CERT_STORE_ADD_REPLACE_EXISTING, NULL);
    CertControlStore(store, 0, CERT_STORE_CTRL_COMMIT, NULL);
    status = outcome(SECPKG_CRED_INBOUND, &cred);
    ok(status == SEC_E_OK, "in the store: %08lx", status);
    by_store.ShaHash[0] ^= 1;
    status = outcome(SECPKG_CRED_INBOUND, &cred);
    ok(status == SEC_E_UNKNOWN_CREDENTIALS, "another hash: %08lx", status);
    by_store.ShaHash[0] ^= 1;
    by_store.dwLength = 4;
    status = outcome(SECPKG_CRED_INBOUND, &cred);
    ok(status == SEC_E_UNKNOWN_CREDENTIALS, "a short structure: %08lx", status);
    remove_from(store, by_store.ShaHash);
    CertCloseStore(store, 0);
    CertFreeCertificateContext(certificate);
    RegDeleteTreeW(HKEY_CURRENT_USER, L"Software\\Microsoft\\SystemCertificates\\winesspi-test");
}

/* [W8 schannel.c:1452-1459] the field is what the stack had there */
static void test_unset_form(void)
{
    const CERT_CONTEXT *certificate = tls_cert_with_key(TLS_CERT_SERVER_RSA);
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .cCreds = 1,
                          .paCred = &certificate,
                          .dwCredFormat = 0xdeadbeef};
    if (!ok(certificate != NULL, "no certificate")) return;
    SECURITY_STATUS status = outcome(SECPKG_CRED_OUTBOUND, &cred);
    ok(status == SEC_E_OK, "%08lx", status);
    CertFreeCertificateContext(certificate);
}

int main(void)
{
    RUN(test_certificates);
    RUN(test_missing_container);
    RUN(test_containers);
    RUN(test_carried_key);
    RUN(test_curve_key);
    RUN(test_hashes);
    RUN(test_unset_form);
    tls_certs_end();
    return test_end("api_tls_credential_certs");
}
