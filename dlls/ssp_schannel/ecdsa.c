/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A second look at ECDSA signatures of certificates (RFC 5480, RFC 5758 3.2). crypt32 of Wine 8.0
 * takes the two numbers of a signature as they are encoded, without the zeros that they may begin
 * with, and so finds one certificate in a hundred altered.
 */
#include "schannel_package.h"

#include "core/der.h"

#include <string.h>

#define COORDINATE_MAX 66u /* P-521 */

/* LocalFree frees it. */
static CERT_SIGNED_CONTENT_INFO *content_of(const CERT_CONTEXT *certificate)
{
    CERT_SIGNED_CONTENT_INFO *content = NULL;
    DWORD size;
    if (!CryptDecodeObjectEx(X509_ASN_ENCODING, X509_CERT, certificate->pbCertEncoded,
                             certificate->cbCertEncoded,
                             CRYPT_DECODE_ALLOC_FLAG | CRYPT_DECODE_NO_SIGNATURE_BYTE_REVERSAL_FLAG,
                             NULL, &content, &size))
        return NULL;
    return content;
}

static const wchar_t *hash_of(const char *signature)
{
    static const struct {
        const char *signature;
        const wchar_t *hash;
    } hashes[] = {
        {szOID_ECDSA_SHA256, BCRYPT_SHA256_ALGORITHM},
        {szOID_ECDSA_SHA384, BCRYPT_SHA384_ALGORITHM},
        {szOID_ECDSA_SHA512, BCRYPT_SHA512_ALGORITHM},
    };
    for (size_t i = 0; i < ARRAYSIZE(hashes); i++)
        if (!strcmp(signature, hashes[i].signature)) return hashes[i].hash;
    return NULL;
}

/* A number of a signature as size bytes, big endian. */
static bool number_read(struct reader *r, size_t size, uint8_t *out)
{
    struct slice number = der_bytes(r, DER_INTEGER);
    while (number.size && !number.data[0])
        number = (struct slice){number.data + 1, number.size - 1};
    if (!reader_ok(r) || number.size > size) return false;
    memset(out, 0, size - number.size);
    if (number.size) memcpy(out + size - number.size, number.data, number.size);
    return true;
}

static bool signature_read(const CRYPT_BIT_BLOB *blob, size_t size, uint8_t *out)
{
    struct reader r, numbers;
    reader_init(&r, blob->pbData, blob->cbData);
    der_enter(&r, DER_SEQUENCE, &numbers);
    return reader_end(&r) && number_read(&numbers, size, out) &&
           number_read(&numbers, size, out + size) && reader_end(&numbers);
}

static bool digest_make(const wchar_t *hash, const CRYPT_DER_BLOB *data, uint8_t digest[64],
                        DWORD *size)
{
    BCRYPT_ALG_HANDLE algorithm = NULL;
    BCRYPT_HASH_HANDLE handle = NULL;
    DWORD used;
    bool made = BCryptOpenAlgorithmProvider(&algorithm, hash, NULL, 0) >= 0 &&
                BCryptGetProperty(algorithm, BCRYPT_HASH_LENGTH, (UCHAR *)size, sizeof(*size),
                                  &used, 0) >= 0 &&
                *size <= 64 && BCryptCreateHash(algorithm, &handle, NULL, 0, NULL, 0, 0) >= 0 &&
                BCryptHashData(handle, data->pbData, data->cbData, 0) >= 0 &&
                BCryptFinishHash(handle, digest, *size, 0) >= 0;
    if (handle) BCryptDestroyHash(handle);
    if (algorithm) BCryptCloseAlgorithmProvider(algorithm, 0);
    return made;
}

static bool content_is_signed(const CERT_SIGNED_CONTENT_INFO *content, CERT_PUBLIC_KEY_INFO *issuer)
{
    uint8_t signature[2 * COORDINATE_MAX], digest[64];
    DWORD digest_size;
    BCRYPT_KEY_HANDLE key = NULL;
    const wchar_t *hash = hash_of(content->SignatureAlgorithm.pszObjId);
    size_t size = (issuer->PublicKey.cbData - 1) / 2; /* 04, x, y */
    if (!hash || !issuer->PublicKey.cbData || size > COORDINATE_MAX) return false;
    if (strcmp(issuer->Algorithm.pszObjId, szOID_ECC_PUBLIC_KEY)) return false;
    if (!signature_read(&content->Signature, size, signature)) return false;
    if (!digest_make(hash, &content->ToBeSigned, digest, &digest_size)) return false;
    if (!CryptImportPublicKeyInfoEx2(X509_ASN_ENCODING, issuer, 0, NULL, &key)) return false;
    bool valid = !BCryptVerifySignature(key, NULL, digest, digest_size, signature,
                                        (ULONG)(2 * size), 0);
    BCryptDestroyKey(key);
    return valid;
}

bool ecdsa_is_signed_by(const CERT_CONTEXT *certificate, const CERT_CONTEXT *issuer)
{
    CERT_SIGNED_CONTENT_INFO *content = content_of(certificate);
    if (!content) return false;
    bool valid = content_is_signed(content, &issuer->pCertInfo->SubjectPublicKeyInfo);
    LocalFree(content);
    return valid;
}
