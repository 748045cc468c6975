/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys of a session and keying material for others: RFC 8446 7.2, 7.3 and 7.5, RFC 5705 4. The keys
 * of TLS 1.2 are made in its handshake.
 */
#include "core/kdf.h"
#include "core/secret.h"
#include "tls_private.h"

#include <string.h>

#define EXPORT_LABEL_MAX 249u /* RFC 8446 7.1 has 255 with its prefix */

static struct slice text(const char *label)
{
    return (struct slice){(const uint8_t *)label, strlen(label)};
}

static enum aead_algorithm algorithm(const struct tls_suite *suite)
{
    static const enum aead_algorithm algorithms[] = {
        [TLS_CIPHER_AES_128_GCM] = AEAD_AES_128_GCM,
        [TLS_CIPHER_AES_256_GCM] = AEAD_AES_256_GCM,
        [TLS_CIPHER_CHACHA20_POLY1305] = AEAD_CHACHA20_POLY1305,
        [TLS_CIPHER_AES_128_CCM] = AEAD_AES_128_CCM,
        [TLS_CIPHER_AES_256_CCM] = AEAD_AES_256_CCM,
        [TLS_CIPHER_AES_128_CCM_8] = AEAD_AES_128_CCM_8,
        [TLS_CIPHER_AES_256_CCM_8] = AEAD_AES_256_CCM_8,
    };
    return algorithms[suite->cipher];
}

size_t tls_key_size(const struct tls_suite *suite)
{
    return aead_key_size(algorithm(suite));
}

size_t tls_iv_size(const struct tls_session *session)
{
    return tls_shows_nonce(session) ? 4 : 12;
}

static struct slice secret_of(const struct tls_session *session,
                              const struct tls_direction *direction)
{
    return (struct slice){direction->secret, hash_size(tls_suite_hash(session->suite))};
}

status_t tls_direction_derive(const struct tls_session *session, struct tls_direction *direction)
{
    enum crypto_hash hash = tls_suite_hash(session->suite);
    const struct slice secret = secret_of(session, direction), none = {NULL, 0};
    status_t status = hkdf_expand_label(hash, secret, text("key"), none, direction->key,
                                        tls_key_size(session->suite));
    if (!status_ok(status)) return status;
    return hkdf_expand_label(hash, secret, text("iv"), none, direction->iv, sizeof(direction->iv));
}

status_t tls_direction_start(const struct tls_session *session, struct tls_direction *direction)
{
    size_t used = tls_iv_size(session);
    memset(direction->iv + used, 0, sizeof(direction->iv) - used);
    return aead_create(algorithm(session->suite), direction->key, &direction->aead);
}

void tls_direction_clear(struct tls_direction *direction)
{
    aead_free(direction->aead);
    secret_wipe(direction, sizeof(*direction));
}

status_t tls_key_update(const struct tls_session *session, struct tls_direction *direction)
{
    struct tls_direction next;
    if (session->version != TLS_1_3) return SEC_E_NOT_SUPPORTED;
    memset(&next, 0, sizeof(next));
    const struct slice secret = secret_of(session, direction), none = {NULL, 0};
    status_t status = hkdf_expand_label(tls_suite_hash(session->suite), secret, text("traffic upd"),
                                        none, next.secret, secret.size);
    if (status_ok(status)) status = tls_direction_derive(session, &next);
    if (status_ok(status)) status = tls_direction_start(session, &next);
    if (status_ok(status)) {
        tls_direction_clear(direction);
        *direction = next;
        next.aead = NULL;
    }
    tls_direction_clear(&next);
    return status;
}

/* ---- exporters ---- */

static status_t export_1_3(const struct tls_session *session, struct slice label,
                           struct slice context, uint8_t *out, size_t size)
{
    enum crypto_hash hash = tls_suite_hash(session->suite);
    uint8_t digest[HASH_SIZE_MAX], secret[HASH_SIZE_MAX];
    const struct slice master = {session->master, hash_size(hash)};
    const struct slice derived = {secret, hash_size(hash)}, hashed = {digest, hash_size(hash)};
    /* Derive-Secret is over no messages; only the second step takes the context. */
    status_t status = hash_digest(hash, NULL, 0, digest);
    if (status_ok(status))
        status = hkdf_expand_label(hash, master, label, hashed, secret, derived.size);
    if (status_ok(status)) status = hash_digest(hash, &context, 1, digest);
    if (status_ok(status))
        status = hkdf_expand_label(hash, derived, text("exporter"), hashed, out, size);
    secret_wipe(secret, sizeof(secret));
    return status;
}

/* What else the PRF is used for under this secret (RFC 5246 6.3, 7.4.9, 8.1, RFC 7627 4). */
static bool label_is_taken(struct slice label)
{
    static const char *const taken[] = {"client finished", "server finished", "master secret",
                                        "extended master secret", "key expansion"};
    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
        if (label.size == strlen(taken[i]) && !memcmp(label.data, taken[i], label.size))
            return true;
    }
    return false;
}

static status_t export_1_2(const struct tls_session *session, struct slice label,
                           const struct slice *context, uint8_t *out, size_t size)
{
    struct writer seed;
    if (label_is_taken(label)) return SEC_E_INVALID_PARAMETER;
    writer_init(&seed);
    writer_bytes(&seed, session->client_random, sizeof(session->client_random));
    writer_bytes(&seed, session->server_random, sizeof(session->server_random));
    if (context) {
        writer_u16be(&seed, (uint16_t)context->size);
        writer_slice(&seed, *context);
    }
    const struct slice master = {session->master, sizeof(session->master)};
    status_t status = writer_status(&seed);
    if (status_ok(status))
        status = tls12_prf(tls_suite_hash(session->suite), master, label, writer_view(&seed), out,
                           size);
    writer_free(&seed);
    return status;
}

status_t tls_export_keys(const struct tls_session *session, struct slice label,
                         const struct slice *context, uint8_t *out, size_t size)
{
    const struct slice none = {NULL, 0};
    if (label.size > EXPORT_LABEL_MAX || (context && context->size > UINT16_MAX))
        return SEC_E_INVALID_PARAMETER;
    if (session->version == TLS_1_3)
        return export_1_3(session, label, context ? *context : none, out, size);
    if (session->version == TLS_1_2) return export_1_2(session, label, context, out, size);
    return SEC_E_NOT_SUPPORTED;
}
