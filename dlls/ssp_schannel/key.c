/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Private keys of certificates, as numbers: the library of the handshake wants to have them. They
 * are in containers of CryptoAPI or of CNG, which the certificate names by a property, or whose
 * handle it carries.
 *
 * Two containers are read in Wine's stead. That of its RSA provider holds keys that may not be
 * exported; they are read as Wine's own schannel does, from the registry. And Wine 8.0 keeps no
 * keys of CNG: those are looked for in Software\winesspi\Keys of the user or the machine, a value
 * with the name of the container, which holds what BCryptExportKey gives as private key, protected
 * by CryptProtectData.
 */
#include "schannel_package.h"

#include "core/secret.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <bcrypt.h>
#include <ncrypt.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("schannel");

#define WINE_CONTAINERS L"Software\\Wine\\Crypto\\RSA\\"
#define OWN_KEYS PREFIX_REGISTRY_KEY L"\\Keys"
#define BLOB_MAX 16384u

enum part { RSA_N, RSA_E, RSA_D, RSA_P, RSA_Q, RSA_U, RSA_DP, RSA_DQ };
enum { EC_X, EC_Y, EC_K };

void private_key_clear(struct private_key *key)
{
    for (size_t i = 0; i < CALL_KEY_PARTS; i++) blob_clear(&key->parts[i]);
    memset(key, 0, sizeof(*key));
}

/* ---- forms of keys ---- */

/* A number of a blob, turned round if it is little endian. */
static status_t part_take(struct reader *r, size_t size, bool little, struct blob *out)
{
    status_t status = blob_set(out, reader_bytes(r, size));
    for (size_t i = 0; status_ok(status) && little && reader_ok(r) && i < size / 2; i++) {
        uint8_t byte = out->data[i];
        out->data[i] = out->data[size - 1 - i];
        out->data[size - 1 - i] = byte;
    }
    return status;
}

/* In Wine 8.0 the last number of an imported key, the private exponent, is not what it was where it
 * is shorter than the modulus. Only GnuTLS ever looks at it. */
static status_t exponent_restore(struct private_key *key)
{
    struct blob *parts = key->parts;
    status_t status = rsa_private_exponent(blob_slice(&parts[RSA_E]), blob_slice(&parts[RSA_P]),
                                           blob_slice(&parts[RSA_Q]), parts[RSA_D].data,
                                           parts[RSA_D].size);
    return status == SEC_E_INVALID_TOKEN ? SEC_E_UNKNOWN_CREDENTIALS : status;
}

/* PRIVATEKEYBLOB of an RSA key: BLOBHEADER, RSAPUBKEY and the numbers (wincrypt.h, "RSA/Schannel
 * Key BLOBs"). */
static status_t capi_blob_read(struct slice blob, struct private_key *out)
{
    static const enum part order[] = {RSA_P, RSA_Q, RSA_DP, RSA_DQ, RSA_U};
    struct reader r;
    reader_init(&r, blob.data, blob.size);
    bool known = reader_u8(&r) == PRIVATEKEYBLOB;
    reader_skip(&r, 7);
    known = reader_u32le(&r) == BCRYPT_RSAPRIVATE_MAGIC && known;
    size_t size = reader_u32le(&r) / 8;
    const uint32_t exponent = reader_u32le(&r);
    const uint8_t e[] = {(uint8_t)(exponent >> 24), (uint8_t)(exponent >> 16),
                         (uint8_t)(exponent >> 8), (uint8_t)exponent};
    if (!known || !size || size % 2) return SEC_E_UNKNOWN_CREDENTIALS;

    status_t status = blob_set(&out->parts[RSA_E], (struct slice){e, sizeof(e)});
    if (status_ok(status)) status = part_take(&r, size, true, &out->parts[RSA_N]);
    for (size_t i = 0; i < ARRAYSIZE(order) && status_ok(status); i++)
        status = part_take(&r, size / 2, true, &out->parts[order[i]]);
    if (status_ok(status)) status = part_take(&r, size, true, &out->parts[RSA_D]);
    if (status_ok(status) && !reader_ok(&r)) status = SEC_E_UNKNOWN_CREDENTIALS;
    if (status_ok(status)) status = exponent_restore(out);
    out->kind = CALL_KEY_RSA;
    return status;
}

/* BCRYPT_RSAFULLPRIVATE_BLOB, after its magic (bcrypt.h, BCRYPT_RSAKEY_BLOB). */
static status_t cng_rsa_read(struct reader *r, struct private_key *out)
{
    static const enum part order[] = {RSA_E, RSA_N, RSA_P, RSA_Q, RSA_DP, RSA_DQ, RSA_U, RSA_D};
    size_t sizes[CALL_KEY_PARTS];
    reader_skip(r, 4);
    sizes[RSA_E] = reader_u32le(r);
    sizes[RSA_N] = sizes[RSA_D] = reader_u32le(r);
    sizes[RSA_P] = sizes[RSA_DP] = sizes[RSA_U] = reader_u32le(r);
    sizes[RSA_Q] = sizes[RSA_DQ] = reader_u32le(r);
    status_t status = SEC_E_OK;
    for (size_t i = 0; i < ARRAYSIZE(order) && status_ok(status); i++)
        status = part_take(r, sizes[order[i]], false, &out->parts[order[i]]);
    out->kind = CALL_KEY_RSA;
    return status;
}

/* BCRYPT_ECCPRIVATE_BLOB, after its magic (bcrypt.h, BCRYPT_ECCKEY_BLOB). */
static status_t cng_curve_read(struct reader *r, uint32_t bits, struct private_key *out)
{
    size_t size = reader_u32le(r);
    if (size != (bits + 7) / 8) return SEC_E_UNKNOWN_CREDENTIALS;
    status_t status = part_take(r, size, false, &out->parts[EC_X]);
    if (status_ok(status)) status = part_take(r, size, false, &out->parts[EC_Y]);
    if (status_ok(status)) status = part_take(r, size, false, &out->parts[EC_K]);
    out->kind = CALL_KEY_EC;
    out->curve_bits = bits;
    return status;
}

static status_t cng_blob_read(struct slice blob, struct private_key *out)
{
    struct reader r;
    status_t status;
    reader_init(&r, blob.data, blob.size);
    switch (reader_u32le(&r)) {
    case BCRYPT_RSAFULLPRIVATE_MAGIC: status = cng_rsa_read(&r, out); break;
    case BCRYPT_ECDSA_PRIVATE_P256_MAGIC:
    case BCRYPT_ECDH_PRIVATE_P256_MAGIC: status = cng_curve_read(&r, 256, out); break;
    case BCRYPT_ECDSA_PRIVATE_P384_MAGIC:
    case BCRYPT_ECDH_PRIVATE_P384_MAGIC: status = cng_curve_read(&r, 384, out); break;
    case BCRYPT_ECDSA_PRIVATE_P521_MAGIC:
    case BCRYPT_ECDH_PRIVATE_P521_MAGIC: status = cng_curve_read(&r, 521, out); break;
    default: status = SEC_E_UNKNOWN_CREDENTIALS;
    }
    return status_ok(status) && !reader_ok(&r) ? SEC_E_UNKNOWN_CREDENTIALS : status;
}

/* ---- what is protected in the registry ---- */

/* Opens a protected value; released with registry_blob_free. SEC_E_UNKNOWN_CREDENTIALS without. */
static status_t registry_blob(HKEY root, const wchar_t *path, const wchar_t *name, DATA_BLOB *out)
{
    HKEY key;
    BYTE *sealed = malloc(BLOB_MAX);
    DWORD type, size = BLOB_MAX;
    bool found = false;
    if (!sealed) return SEC_E_INSUFFICIENT_MEMORY;
    if (!RegOpenKeyExW(root, path, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key)) {
        found = !RegQueryValueExW(key, name, NULL, &type, sealed, &size) && type == REG_BINARY;
        RegCloseKey(key);
    }
    DATA_BLOB in = {size, sealed};
    if (found)
        found = CryptUnprotectData(&in, NULL, NULL, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN, out);
    free(sealed);
    return found ? SEC_E_OK : SEC_E_UNKNOWN_CREDENTIALS;
}

static void registry_blob_free(DATA_BLOB *blob)
{
    secret_wipe(blob->pbData, blob->cbData);
    LocalFree(blob->pbData);
}

static HKEY registry_root(DWORD flags)
{
    return flags & CRYPT_MACHINE_KEYSET ? HKEY_LOCAL_MACHINE : HKEY_CURRENT_USER;
}

static status_t wine_container_read(const wchar_t *container, DWORD flags, DWORD spec,
                                    struct private_key *out)
{
    const wchar_t *name = spec == AT_SIGNATURE ? L"SignatureKeyPair" : L"KeyExchangeKeyPair";
    wchar_t path[ARRAYSIZE(WINE_CONTAINERS) + MAX_PATH] = WINE_CONTAINERS;
    DATA_BLOB blob;
    if (wcslen(container) > MAX_PATH) return SEC_E_UNKNOWN_CREDENTIALS;
    wcscat(path, container);
    status_t status = registry_blob(registry_root(flags), path, name, &blob);
    if (!status_ok(status)) return status;
    status = capi_blob_read((struct slice){blob.pbData, blob.cbData}, out);
    registry_blob_free(&blob);
    return status;
}

static status_t own_container_read(const wchar_t *container, DWORD flags, struct private_key *out)
{
    DATA_BLOB blob;
    status_t status = registry_blob(registry_root(flags), OWN_KEYS, container, &blob);
    if (!status_ok(status)) return status;
    status = cng_blob_read((struct slice){blob.pbData, blob.cbData}, out);
    registry_blob_free(&blob);
    return status;
}

/* ---- CryptoAPI ---- */

static status_t key_export(HCRYPTKEY key, struct private_key *out)
{
    DWORD size = 0;
    if (!CryptExportKey(key, 0, PRIVATEKEYBLOB, 0, NULL, &size)) return SEC_E_UNKNOWN_CREDENTIALS;
    BYTE *blob = malloc(size);
    if (!blob) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = CryptExportKey(key, 0, PRIVATEKEYBLOB, 0, blob, &size)
                          ? capi_blob_read((struct slice){blob, size}, out)
                          : SEC_E_UNKNOWN_CREDENTIALS;
    secret_free(blob, size);
    return status;
}

/* The name by which Wine keeps the container, and whether it is one of the machine. */
static status_t provider_container_read(HCRYPTPROV provider, DWORD spec, struct private_key *out)
{
    char name[MAX_PATH + 1] = "";
    wchar_t wide[MAX_PATH + 1] = L"";
    DWORD size = sizeof(name), flags = 0, flags_size = sizeof(flags);
    if (!CryptGetProvParam(provider, PP_CONTAINER, (BYTE *)name, &size, 0) || !*name ||
        !MultiByteToWideChar(CP_ACP, 0, name, -1, wide, ARRAYSIZE(wide)))
        return SEC_E_UNKNOWN_CREDENTIALS;
    if (!CryptGetProvParam(provider, PP_KEYSET_TYPE, (BYTE *)&flags, &flags_size, 0)) flags = 0;
    return wine_container_read(wide, flags, spec, out);
}

static status_t provider_key(HCRYPTPROV provider, DWORD spec, struct private_key *out)
{
    HCRYPTKEY key;
    if (!CryptGetUserKey(provider, spec, &key)) return SEC_E_UNKNOWN_CREDENTIALS;
    status_t status = key_export(key, out);
    CryptDestroyKey(key);
    if (status != SEC_E_UNKNOWN_CREDENTIALS) return status;
    private_key_clear(out);
    status = provider_container_read(provider, spec, out);
    if (!status_ok(status)) WARN("the key may not leave its container\n");
    return status;
}

/* A container may have two keys. Wine says of imported ones that they are of both kinds. */
static status_t provider_read(HCRYPTPROV provider, DWORD spec, struct private_key *out)
{
    if (spec == AT_KEYEXCHANGE || spec == AT_SIGNATURE) return provider_key(provider, spec, out);
    status_t status = provider_key(provider, AT_KEYEXCHANGE, out);
    if (status != SEC_E_UNKNOWN_CREDENTIALS) return status;
    private_key_clear(out);
    return provider_key(provider, AT_SIGNATURE, out);
}

static status_t capi_read(const CRYPT_KEY_PROV_INFO *info, struct private_key *out)
{
    HCRYPTPROV provider;
    DWORD flags = (info->dwFlags & CRYPT_MACHINE_KEYSET) | CRYPT_SILENT;
    if (!CryptAcquireContextW(&provider, info->pwszContainerName, info->pwszProvName,
                              info->dwProvType, flags)) {
        WARN("no container: error %#lx\n", GetLastError());
        return SEC_E_UNKNOWN_CREDENTIALS;
    }
    status_t status = provider_read(provider, info->dwKeySpec, out);
    CryptReleaseContext(provider, 0);
    return status;
}

/* ---- CNG ---- */

static status_t cng_export(NCRYPT_KEY_HANDLE key, const wchar_t *form, struct private_key *out)
{
    DWORD size = 0;
    SECURITY_STATUS error = NCryptExportKey(key, 0, form, NULL, NULL, 0, &size, NCRYPT_SILENT_FLAG);
    if (error) return SEC_E_UNKNOWN_CREDENTIALS;
    BYTE *blob = malloc(size);
    if (!blob) return SEC_E_INSUFFICIENT_MEMORY;
    error = NCryptExportKey(key, 0, form, NULL, blob, size, &size, NCRYPT_SILENT_FLAG);
    status_t status = error ? SEC_E_UNKNOWN_CREDENTIALS
                            : cng_blob_read((struct slice){blob, size}, out);
    secret_free(blob, size);
    return status;
}

static status_t cng_key_read(NCRYPT_KEY_HANDLE key, bool curve, struct private_key *out)
{
    const wchar_t *form = curve ? BCRYPT_ECCPRIVATE_BLOB : BCRYPT_RSAFULLPRIVATE_BLOB;
    status_t status = cng_export(key, form, out);
    if (status == SEC_E_UNKNOWN_CREDENTIALS) WARN("the key may not leave its container\n");
    return status;
}

static status_t cng_read(const CRYPT_KEY_PROV_INFO *info, bool curve, struct private_key *out)
{
    NCRYPT_PROV_HANDLE provider;
    NCRYPT_KEY_HANDLE key;
    DWORD flags = info->dwFlags & CRYPT_MACHINE_KEYSET ? NCRYPT_MACHINE_KEY_FLAG : 0;
    const wchar_t *name = info->pwszProvName ? info->pwszProvName : MS_KEY_STORAGE_PROVIDER;
    SECURITY_STATUS error = NCryptOpenStorageProvider(&provider, name, 0);
    if (!error) {
        error = NCryptOpenKey(provider, &key, info->pwszContainerName, info->dwKeySpec,
                              flags | NCRYPT_SILENT_FLAG);
        NCryptFreeObject(provider);
    }
    if (error) return own_container_read(info->pwszContainerName, info->dwFlags, out);
    status_t status = cng_key_read(key, curve, out);
    NCryptFreeObject(key);
    return status;
}

/* ---- certificates ---- */

static status_t key_read(const CERT_CONTEXT *certificate, bool curve, struct private_key *out)
{
    CERT_KEY_CONTEXT context = {.cbSize = sizeof(context)};
    DWORD size = sizeof(context);
    if (CertGetCertificateContextProperty(certificate, CERT_KEY_CONTEXT_PROP_ID, &context, &size) &&
        context.hCryptProv) {
        if (context.dwKeySpec == CERT_NCRYPT_KEY_SPEC)
            return cng_key_read(context.hNCryptKey, curve, out);
        return provider_read(context.hCryptProv, context.dwKeySpec, out);
    }
    NCRYPT_KEY_HANDLE handle = 0;
    size = sizeof(handle);
    if (CertGetCertificateContextProperty(certificate, CERT_NCRYPT_KEY_HANDLE_PROP_ID, &handle,
                                          &size) &&
        handle)
        return cng_key_read(handle, curve, out);
    struct blob location = {NULL, 0};
    status_t status = certificate_property(certificate, CERT_KEY_PROV_INFO_PROP_ID, &location);
    if (!status_ok(status)) return status;
    const CRYPT_KEY_PROV_INFO *info = (const CRYPT_KEY_PROV_INFO *)location.data;
    if (!info) return SEC_E_NO_CREDENTIALS;
    status = SEC_E_UNKNOWN_CREDENTIALS;
    if (info->pwszContainerName && !info->dwProvType) status = cng_read(info, curve, out);
    else if (info->dwProvType) status = capi_read(info, out);
    blob_clear(&location);
    return status;
}

/* Whether the key belongs to the certificate: RSA by the modulus, curves by the point. */
static bool key_belongs(const struct private_key *key, const CERT_PUBLIC_KEY_INFO *info)
{
    const CRYPT_BIT_BLOB *bits = &info->PublicKey;
    const struct blob *parts = key->parts;
    if (key->kind == CALL_KEY_EC)
        return bits->cbData == 1 + parts[EC_X].size + parts[EC_Y].size && bits->pbData[0] == 4 &&
               !memcmp(bits->pbData + 1, parts[EC_X].data, parts[EC_X].size) &&
               !memcmp(bits->pbData + 1 + parts[EC_X].size, parts[EC_Y].data, parts[EC_Y].size);

    BYTE blob[sizeof(BLOBHEADER) + sizeof(RSAPUBKEY) + 2048];
    DWORD size = sizeof(blob);
    const size_t before = sizeof(BLOBHEADER) + sizeof(RSAPUBKEY);
    if (!CryptDecodeObject(X509_ASN_ENCODING, RSA_CSP_PUBLICKEYBLOB, bits->pbData, bits->cbData, 0,
                           blob, &size) ||
        size - before != parts[RSA_N].size)
        return false;
    for (size_t i = 0; i < parts[RSA_N].size; i++)
        if (blob[size - 1 - i] != parts[RSA_N].data[i]) return false;
    return true;
}

status_t private_key_get(const CERT_CONTEXT *certificate, struct private_key *out)
{
    const CERT_PUBLIC_KEY_INFO *info = &certificate->pCertInfo->SubjectPublicKeyInfo;
    const char *algorithm = info->Algorithm.pszObjId;
    struct private_key key = {0};
    bool curve = algorithm && !strcmp(algorithm, szOID_ECC_PUBLIC_KEY);
    if (!curve && (!algorithm || strcmp(algorithm, szOID_RSA_RSA)))
        return SEC_E_UNKNOWN_CREDENTIALS;

    status_t status = key_read(certificate, curve, &key);
    if (status_ok(status) && !key_belongs(&key, info)) {
        WARN("the key is not that of the certificate\n");
        status = SEC_E_UNKNOWN_CREDENTIALS;
    }
    if (status_ok(status)) *out = key;
    else private_key_clear(&key);
    return status;
}
