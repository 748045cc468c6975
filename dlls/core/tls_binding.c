/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The few fields of a certificate (RFC 5280 4.1) that channel bindings depend on, and those that
 * each handshake wants to know, for which taking all of it apart takes too long. Certificates have
 * been judged before by who knows X.509: what cannot be read here has the usual hash.
 */
#include "core/tls_binding.h"

#include "core/der.h"

#include <string.h>

/* Content of OIDs. Of the signatures RFC 4055 and RFC 5758, of the hashes RFC 5754. */
static const struct signature {
    uint8_t size;
    uint8_t oid[9];
    enum crypto_hash hash;
} signatures[] = {
    {9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 12}, CRYPTO_SHA384}, /* RSA */
    {9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 13}, CRYPTO_SHA512},
    {8, {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3}, CRYPTO_SHA384}, /* ECDSA */
    {8, {0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 4}, CRYPTO_SHA512},
    {9, {0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2}, CRYPTO_SHA384}, /* the hash alone */
    {9, {0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3}, CRYPTO_SHA512},
};

static const uint8_t rsa_pss[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10};
static const uint8_t ec_public_key[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1};

static bool oid_is(struct slice oid, const uint8_t *known, size_t size)
{
    return oid.size == size && !memcmp(oid.data, known, size);
}

static enum crypto_hash hash_of(struct slice oid)
{
    for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++)
        if (oid_is(oid, signatures[i].oid, signatures[i].size)) return signatures[i].hash;
    return CRYPTO_SHA256;
}

/* RSASSA-PSS-params (RFC 4055 3.1): the hash is in the first field, which has a default. */
static struct slice pss_hash(struct reader *algorithm)
{
    struct reader params, field, hash;
    der_enter(algorithm, DER_SEQUENCE, &params);
    if (!der_optional(&params, DER_CONTEXT(0), &field)) return (struct slice){NULL, 0};
    der_enter(&field, DER_SEQUENCE, &hash);
    return der_bytes(&hash, DER_OID);
}

enum crypto_hash tls_binding_hash(struct slice certificate)
{
    struct reader r, fields, algorithm;
    reader_init(&r, certificate.data, certificate.size);
    der_enter(&r, DER_SEQUENCE, &fields);
    der_element(&fields, DER_SEQUENCE); /* tbsCertificate */
    der_enter(&fields, DER_SEQUENCE, &algorithm);
    struct slice oid = der_bytes(&algorithm, DER_OID);
    if (oid_is(oid, rsa_pss, sizeof(rsa_pss))) oid = pss_hash(&algorithm);
    return hash_of(oid);
}

/* At the fields of the tbsCertificate, behind its issuer. */
static void enter_behind_issuer(struct slice certificate, struct reader *tbs)
{
    struct reader r, fields, version;
    reader_init(&r, certificate.data, certificate.size);
    der_enter(&r, DER_SEQUENCE, &fields);
    der_enter(&fields, DER_SEQUENCE, tbs);
    der_optional(tbs, DER_CONTEXT(0), &version);
    der_element(tbs, DER_INTEGER);  /* serialNumber */
    der_element(tbs, DER_SEQUENCE); /* signature */
    der_element(tbs, DER_SEQUENCE);
}

static struct slice time_element(struct reader *r)
{
    return der_element(r, der_next_is(r, DER_UTC_TIME) ? DER_UTC_TIME : DER_GENERALIZED_TIME);
}

struct slice tls_certificate_end(struct slice certificate)
{
    struct reader tbs, validity;
    enter_behind_issuer(certificate, &tbs);
    der_enter(&tbs, DER_SEQUENCE, &validity);
    time_element(&validity); /* notBefore */
    return time_element(&validity);
}

bool tls_certificate_is_ecdsa(struct slice certificate)
{
    struct reader tbs, key, algorithm;
    enter_behind_issuer(certificate, &tbs);
    der_element(&tbs, DER_SEQUENCE); /* validity */
    der_element(&tbs, DER_SEQUENCE); /* subject */
    der_enter(&tbs, DER_SEQUENCE, &key);
    der_enter(&key, DER_SEQUENCE, &algorithm);
    return oid_is(der_bytes(&algorithm, DER_OID), ec_public_key, sizeof(ec_public_key));
}
