/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Certificates and keys for the tests of TLS, see tls_certs.h. */
#include "tls_certs.h"

#include "curve_key.h"
#include "support.h"
#include "tls_certs_data.h"

#include <ncrypt.h>
#include <stdio.h>
#include <wchar.h>

#define SYSTEM_ROOTS L"Software\\Microsoft\\SystemCertificates\\Root\\Certificates\\"

static const struct entry {
    const char *certificate, *key; /* base64 */
    bool curve;
} entries[TLS_CERTS] = {
    [TLS_CERT_ROOT] = {tls_data_ca, NULL, false},
    [TLS_CERT_INTERMEDIATE] = {tls_data_intermediate, NULL, false},
    [TLS_CERT_SERVER_RSA] = {tls_data_server_rsa, tls_data_key_rsa, false},
    [TLS_CERT_SERVER_EC] = {tls_data_server_ec, tls_data_key_ec, true},
    [TLS_CERT_CHAINED] = {tls_data_server_chained, tls_data_key_rsa, false},
    [TLS_CERT_OTHER_NAME] = {tls_data_other_name, tls_data_key_rsa, false},
    [TLS_CERT_COMMON_NAME] = {tls_data_common_name, tls_data_key_rsa, false},
    [TLS_CERT_EXPIRED] = {tls_data_expired, tls_data_key_rsa, false},
    [TLS_CERT_REVOKED] = {tls_data_revoked, tls_data_key_rsa, false},
    [TLS_CERT_WRONG_USAGE] = {tls_data_wrong_usage, tls_data_key_rsa, false},
    [TLS_CERT_WEAK_HASH] = {tls_data_weak_hash, tls_data_key_rsa, false},
    [TLS_CERT_WEAK_KEY] = {tls_data_weak_key, tls_data_key_small, false},
    [TLS_CERT_STRANGER] = {tls_data_stranger, tls_data_key_rsa, false},
    [TLS_CERT_ZERO_NAME] = {tls_data_zero_name, tls_data_key_rsa, false},
    [TLS_CERT_ZERO_COMMON] = {tls_data_zero_common, tls_data_key_rsa, false},
    [TLS_CERT_CLIENT_RSA] = {tls_data_client_rsa, tls_data_key_client, false},
    [TLS_CERT_CLIENT_EC] = {tls_data_client_ec, tls_data_key_ec, true},
};

BYTE *tls_cert_bytes(const char *base64, DWORD *size)
{
    if (!CryptStringToBinaryA(base64, 0, CRYPT_STRING_BASE64, NULL, size, NULL, NULL)) return NULL;
    BYTE *bytes = LocalAlloc(0, *size);
    if (bytes && !CryptStringToBinaryA(base64, 0, CRYPT_STRING_BASE64, bytes, size, NULL, NULL)) {
        LocalFree(bytes);
        bytes = NULL;
    }
    return bytes;
}

BYTE *tls_cert_key(enum tls_cert which, DWORD *size)
{
    const struct entry *entry = &entries[which];
    return entry->key && !entry->curve ? tls_cert_bytes(entry->key, size) : NULL;
}

/* The one that the intermediate has signed comes with it, in a store of theirs. */
static const CERT_CONTEXT *in_company(const BYTE *bytes, DWORD size)
{
    DWORD other_size;
    const CERT_CONTEXT *certificate = NULL;
    BYTE *other = tls_cert_bytes(tls_data_intermediate, &other_size);
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG,
                                     NULL);
    if (other && store &&
        CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, other, other_size,
                                         CERT_STORE_ADD_ALWAYS, NULL))
        CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, bytes, size,
                                         CERT_STORE_ADD_ALWAYS, &certificate);
    if (store) CertCloseStore(store, 0);
    LocalFree(other);
    return certificate;
}

const CERT_CONTEXT *tls_cert(enum tls_cert which)
{
    DWORD size;
    BYTE *bytes = tls_cert_bytes(entries[which].certificate, &size);
    if (!bytes) return NULL;
    const CERT_CONTEXT *certificate = which == TLS_CERT_CHAINED
                                          ? in_company(bytes, size)
                                          : CertCreateCertificateContext(X509_ASN_ENCODING, bytes,
                                                                         size);
    LocalFree(bytes);
    return certificate;
}

bool tls_cert_is(const CERT_CONTEXT *found, enum tls_cert which)
{
    const CERT_CONTEXT *known = tls_cert(which);
    bool same = found && known && found->cbCertEncoded == known->cbCertEncoded &&
                !memcmp(found->pbCertEncoded, known->pbCertEncoded, known->cbCertEncoded);
    if (known) CertFreeCertificateContext(known);
    return same;
}

HCERTSTORE tls_cert_store(enum tls_cert which)
{
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG,
                                     NULL);
    const CERT_CONTEXT *certificate = tls_cert(which);
    CertAddCertificateContextToStore(store, certificate, CERT_STORE_ADD_ALWAYS, NULL);
    CertFreeCertificateContext(certificate);
    return store;
}

const CRL_CONTEXT *tls_crl(void)
{
    DWORD size;
    BYTE *bytes = tls_cert_bytes(tls_data_crl, &size);
    if (!bytes) return NULL;
    const CRL_CONTEXT *crl = CertCreateCRLContext(X509_ASN_ENCODING, bytes, size);
    LocalFree(bytes);
    return crl;
}

/* ---- containers ---- */

#define KEYS 4

static bool container_made[KEYS];

/* One per key, named after it and this process. */
static unsigned container_name(wchar_t name[64], const char *key)
{
    static const char *const keys[KEYS] = {tls_data_key_rsa, tls_data_key_client,
                                           tls_data_key_small, tls_data_key_ec};
    unsigned number = 0;
    while (keys[number] != key) number++;
    swprintf(name, 64, L"winesspi-tls-%lu-%u", GetCurrentProcessId(), number);
    return number;
}

static bool rsa_import(const wchar_t *name, const BYTE *blob, DWORD size)
{
    HCRYPTPROV provider;
    HCRYPTKEY key;
    if (!CryptAcquireContextW(&provider, name, NULL, PROV_RSA_FULL, CRYPT_NEWKEYSET | CRYPT_SILENT))
        return GetLastError() == (DWORD)NTE_EXISTS;
    bool imported = CryptImportKey(provider, blob, size, 0, CRYPT_EXPORTABLE, &key);
    if (imported) CryptDestroyKey(key);
    CryptReleaseContext(provider, 0);
    return imported;
}

static bool curve_import(wchar_t *name, BYTE *blob, DWORD size)
{
    return curve_key_import(name, blob, size) ||
           (running_under_wine() && curve_key_seal(name, blob, size));
}

static bool container_make(wchar_t *name, const struct entry *entry)
{
    DWORD size;
    BYTE *blob = tls_cert_bytes(entry->key, &size);
    if (!blob) return false;
    bool made = entry->curve ? curve_import(name, blob, size) : rsa_import(name, blob, size);
    LocalFree(blob);
    return made;
}

const CERT_CONTEXT *tls_cert_with_key(enum tls_cert which)
{
    const struct entry *entry = &entries[which];
    wchar_t name[64];
    CRYPT_KEY_PROV_INFO info = {
        .pwszContainerName = name, .dwProvType = PROV_RSA_FULL, .dwKeySpec = AT_KEYEXCHANGE};
    if (!entry->key) return NULL;
    bool *made = &container_made[container_name(name, entry->key)];
    *made = *made || container_make(name, entry);
    if (!*made) return NULL;
    if (entry->curve) {
        info.pwszProvName = (wchar_t *)MS_KEY_STORAGE_PROVIDER;
        info.dwProvType = info.dwKeySpec = 0;
    }
    const CERT_CONTEXT *certificate = tls_cert(which);
    if (certificate &&
        !CertSetCertificateContextProperty(certificate, CERT_KEY_PROV_INFO_PROP_ID, 0, &info)) {
        CertFreeCertificateContext(certificate);
        certificate = NULL;
    }
    return certificate;
}

void tls_certs_end(void)
{
    for (size_t i = 0; i < TLS_CERTS; i++) {
        HCRYPTPROV provider;
        wchar_t name[64];
        if (!entries[i].key) continue;
        container_made[container_name(name, entries[i].key)] = false;
        if (entries[i].curve) curve_key_remove(name);
        else CryptAcquireContextW(&provider, name, NULL, PROV_RSA_FULL, CRYPT_DELETEKEYSET);
    }
}

/* ---- trust ---- */

static DWORD root_location(void)
{
    return running_under_wine() ? CERT_SYSTEM_STORE_CURRENT_USER : CERT_SYSTEM_STORE_LOCAL_MACHINE;
}

bool tls_root_trust(void)
{
    const CERT_CONTEXT *root = tls_cert(TLS_CERT_ROOT);
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, root_location(), L"Root");
    bool added = root && store &&
                 CertAddCertificateContextToStore(store, root, CERT_STORE_ADD_REPLACE_EXISTING,
                                                  NULL);
    if (store) CertCloseStore(store, 0);
    if (root) CertFreeCertificateContext(root);
    return added;
}

/* By its registry key: in Wine 8.0 what is deleted from this store comes back. */
void tls_root_distrust(void)
{
    BYTE hash[20];
    DWORD size = sizeof(hash);
    wchar_t path[160] = SYSTEM_ROOTS;
    const CERT_CONTEXT *root = tls_cert(TLS_CERT_ROOT);
    if (!root) return;
    if (CertGetCertificateContextProperty(root, CERT_HASH_PROP_ID, hash, &size)) {
        for (DWORD i = 0; i < size; i++) swprintf(path + wcslen(path), 3, L"%02X", hash[i]);
        RegDeleteKeyW(running_under_wine() ? HKEY_CURRENT_USER : HKEY_LOCAL_MACHINE, path);
    }
    CertFreeCertificateContext(root);
}
