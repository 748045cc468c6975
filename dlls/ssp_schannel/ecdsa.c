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

static bool hash_of(const char *signature, enum crypto_hash *out)
{
    static const struct {
        const char *signature;
        enum crypto_hash hash;
    } hashes[] = {
        {szOID_ECDSA_SHA256, CRYPTO_SHA256},
        {szOID_ECDSA_SHA384, CRYPTO_SHA384},
        {szOID_ECDSA_SHA512, CRYPTO_SHA512},
    };
    for (size_t i = 0; i < ARRAYSIZE(hashes); i++) {
        if (strcmp(signature, hashes[i].signature)) continue;
        *out = hashes[i].hash;
        return true;
    }
    return false;
}

/* A number of a signature as size bytes, big endian. */
static bool number_read(struct reader *r, size_t size, uint8_t *out)
{
    struct slice number = der_bytes(r, DER_INTEGER);
    while (number.size && !number.data[0]) number = slice_rest(number, 1);
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

static bool content_is_signed(const CERT_SIGNED_CONTENT_INFO *content, CERT_PUBLIC_KEY_INFO *issuer)
{
    uint8_t signature[2 * COORDINATE_MAX], digest[HASH_SIZE_MAX];
    const struct slice text = {content->ToBeSigned.pbData, content->ToBeSigned.cbData};
    enum crypto_hash hash;
    BCRYPT_KEY_HANDLE key = NULL;
    size_t size = (issuer->PublicKey.cbData - 1) / 2; /* 04, x, y */
    if (!issuer->PublicKey.cbData || size > COORDINATE_MAX) return false;
    if (strcmp(issuer->Algorithm.pszObjId, szOID_ECC_PUBLIC_KEY)) return false;
    if (!hash_of(content->SignatureAlgorithm.pszObjId, &hash)) return false;
    if (!signature_read(&content->Signature, size, signature)) return false;
    if (!status_ok(hash_digest(hash, &text, 1, digest))) return false;
    if (!CryptImportPublicKeyInfoEx2(X509_ASN_ENCODING, issuer, 0, NULL, &key)) return false;
    bool valid = !BCryptVerifySignature(key, NULL, digest, (ULONG)hash_size(hash), signature,
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
