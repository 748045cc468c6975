/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See pem.h. Left out: encrypted keys, parameters of curves that are not named. */
#include "pem.h"

#include "core/der.h"
#include "core/secret.h"

#include <bcrypt.h>
#include <stdlib.h>
#include <string.h>

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"
#define BLOCK_MAX 65536u
#define CURVE_NAME 0xa0u /* RFC 5915 3 */
#define CURVE_POINT 0xa1u

/* ---- text ---- */

static enum pem_kind kind_of(const char *label, size_t length)
{
    static const struct {
        const char *label;
        enum pem_kind kind;
    } kinds[] = {{"CERTIFICATE", PEM_CERTIFICATE},
                 {"X509 CERTIFICATE", PEM_CERTIFICATE},
                 {"PRIVATE KEY", PEM_KEY},
                 {"RSA PRIVATE KEY", PEM_RSA_KEY},
                 {"EC PRIVATE KEY", PEM_CURVE_KEY}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (strlen(kinds[i].label) == length && !memcmp(kinds[i].label, label, length))
            return kinds[i].kind;
    return PEM_OTHER;
}

static bool decode(const char *base64, size_t length, struct writer *out)
{
    DWORD size = 0;
    bool done = length && length <= BLOCK_MAX &&
                CryptStringToBinaryA(base64, (DWORD)length, CRYPT_STRING_BASE64, NULL, &size, NULL,
                                     NULL);
    BYTE *bytes = done ? malloc(size) : NULL;
    done = bytes && CryptStringToBinaryA(base64, (DWORD)length, CRYPT_STRING_BASE64, bytes, &size,
                                         NULL, NULL);
    if (done) writer_bytes(out, bytes, size);
    secret_free(bytes, size);
    return done;
}

enum pem_kind pem_next(const char **text, struct writer *out)
{
    const char *label = strstr(*text, BEGIN);
    if (!label) return PEM_NONE;
    label += strlen(BEGIN);
    const char *body = strstr(label, DASHES), *end = body ? strstr(body, END) : NULL;
    if (!end) return PEM_NONE;
    *text = end + strlen(END);
    enum pem_kind kind = kind_of(label, (size_t)(body - label));
    body += strlen(DASHES);
    return decode(body, (size_t)(end - body), out) ? kind : PEM_OTHER;
}

/* ---- keys ---- */

/* A positive number without the zeros before it. */
static struct slice number(struct reader *r)
{
    struct slice value = der_bytes(r, DER_INTEGER);
    while (value.size > 1 && !value.data[0]) {
        value.data++;
        value.size--;
    }
    return value;
}

static void padded(struct writer *w, struct slice value, size_t size)
{
    if (value.size > size) writer_fail(w);
    else writer_zero(w, size - value.size);
    writer_slice(w, value);
}

static const CRYPT_BIT_BLOB *public_key(const CERT_CONTEXT *certificate)
{
    return &certificate->pCertInfo->SubjectPublicKeyInfo.PublicKey;
}

static bool same(struct slice a, struct slice b)
{
    return a.size == b.size && a.size && !memcmp(a.data, b.data, a.size);
}

/* RSAPublicKey: n, e */
static bool modulus_is(const CERT_CONTEXT *certificate, struct slice modulus)
{
    struct reader outer, r;
    reader_init(&outer, public_key(certificate)->pbData, public_key(certificate)->cbData);
    der_enter(&outer, DER_SEQUENCE, &r);
    return same(number(&r), modulus);
}

/* RSAPrivateKey: version, n, e, d, p, q, dp, dq, u */
static bool rsa_blob(struct slice der, const CERT_CONTEXT *certificate, struct writer *w)
{
    struct reader outer, r;
    struct slice parts[9];
    reader_init(&outer, der.data, der.size);
    der_enter(&outer, DER_SEQUENCE, &r);
    for (size_t i = 0; i < 9; i++) parts[i] = number(&r);
    if (!reader_ok(&r) || !modulus_is(certificate, parts[1])) return false;
    size_t modulus = parts[1].size, p = parts[4].size, q = parts[5].size;
    writer_u32le(w, BCRYPT_RSAFULLPRIVATE_MAGIC);
    writer_u32le(w, (uint32_t)modulus * 8);
    writer_u32le(w, (uint32_t)parts[2].size);
    writer_u32le(w, (uint32_t)modulus);
    writer_u32le(w, (uint32_t)p);
    writer_u32le(w, (uint32_t)q);
    writer_slice(w, parts[2]);
    writer_slice(w, parts[1]);
    writer_slice(w, parts[4]);
    writer_slice(w, parts[5]);
    padded(w, parts[6], p);
    padded(w, parts[7], q);
    padded(w, parts[8], p);
    padded(w, parts[3], modulus);
    return status_ok(writer_status(w));
}

/* The point that a private key may come with, a BIT STRING, is the certificate's. */
static bool point_is(const CERT_CONTEXT *certificate, struct reader *r)
{
    const CRYPT_BIT_BLOB *point = public_key(certificate);
    struct reader content;
    der_optional(r, CURVE_NAME, &content);
    if (!der_optional(r, CURVE_POINT, &content)) return true;
    struct slice bits = der_bytes(&content, DER_BIT_STRING);
    return bits.size && same((struct slice){bits.data + 1, bits.size - 1},
                             (struct slice){point->pbData, point->cbData});
}

/* ECPrivateKey: version, private key, curve, point; the last two may be missing. */
static bool curve_blob(struct slice der, const CERT_CONTEXT *certificate, struct writer *w)
{
    static const struct {
        size_t size;
        uint32_t magic;
    } curves[] = {{32, BCRYPT_ECDSA_PRIVATE_P256_MAGIC},
                  {48, BCRYPT_ECDSA_PRIVATE_P384_MAGIC},
                  {66, BCRYPT_ECDSA_PRIVATE_P521_MAGIC}};
    const CRYPT_BIT_BLOB *point = public_key(certificate);
    struct reader outer, r;
    reader_init(&outer, der.data, der.size);
    der_enter(&outer, DER_SEQUENCE, &r);
    number(&r);
    struct slice secret = der_bytes(&r, DER_OCTET_STRING);
    if (!point_is(certificate, &r)) return false;
    for (size_t i = 0; i < sizeof(curves) / sizeof(*curves); i++) {
        size_t size = curves[i].size;
        if (!reader_ok(&r) || point->cbData != 1 + 2 * size || point->pbData[0] != 4) continue;
        writer_u32le(w, curves[i].magic);
        writer_u32le(w, (uint32_t)size);
        writer_bytes(w, point->pbData + 1, 2 * size);
        padded(w, secret, size);
        return status_ok(writer_status(w));
    }
    return false;
}

bool pem_key_blob(enum pem_kind kind, struct slice der, const CERT_CONTEXT *certificate,
                  struct writer *out)
{
    const char *algorithm = certificate->pCertInfo->SubjectPublicKeyInfo.Algorithm.pszObjId;
    bool curve = !strcmp(algorithm, szOID_ECC_PUBLIC_KEY);
    struct slice key = der;
    if (kind == PEM_KEY) { /* PrivateKeyInfo: version, algorithm, key */
        struct reader outer, r;
        reader_init(&outer, der.data, der.size);
        der_enter(&outer, DER_SEQUENCE, &r);
        number(&r);
        der_bytes(&r, DER_SEQUENCE);
        key = der_bytes(&r, DER_OCTET_STRING);
        if (!reader_ok(&r)) return false;
    } else if (curve != (kind == PEM_CURVE_KEY)) {
        return false;
    }
    return curve ? curve_blob(key, certificate, out) : rsa_blob(key, certificate, out);
}
