/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Message protection of NTLM: MS-NLMP 3.4.2 to 3.4.4, both forms of the signature (2.2.2.9), over a
 * connection and in datagrams. A message is enciphered first and its checksum with the stream that
 * goes on; the checksum covers the plain text.
 */
#include "core/ntlm.h"

#include "core/secret.h"

#include <string.h>

#define SIGNATURE_VERSION 1u

static bool has_ess(const struct ntlm_session *session)
{
    return session->flags & NTLM_ESS;
}

/* ALWAYS_SIGN alone asks for a signature and protects nothing. */
static bool is_dummy(const struct ntlm_session *session)
{
    return !(session->flags & (NTLM_SIGN | NTLM_SEAL));
}

/* Datagrams of both directions would share streams without extended session security, so that they
 * are not sealed then (MS-NLMP 3.4.3). */
static bool can_seal(const struct ntlm_session *session)
{
    return has_ess(session) || !(session->flags & NTLM_DATAGRAM);
}

/* Without extended session security one stream and one counter serve both directions. */
static struct ntlm_direction *receiving(struct ntlm_session *session)
{
    return has_ess(session) ? &session->receive : &session->send;
}

static void put_u32le(uint8_t to[4], uint32_t value)
{
    for (size_t i = 0; i < 4; i++) to[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get_u32le(const uint8_t from[4])
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}

static status_t direction_init(struct ntlm_direction *direction, uint32_t flags,
                               const uint8_t session_key[16], bool to_server)
{
    size_t size = sizeof(direction->seal_key);
    status_t status = SEC_E_OK;
    if (flags & NTLM_ESS) {
        status = ntlm_sign_key(session_key, to_server, direction->sign_key);
        if (status_ok(status))
            status = ntlm_seal_key(flags, session_key, to_server, direction->seal_key);
    } else {
        ntlm_seal_key_v1(flags, session_key, direction->seal_key, &size);
    }
    direction->seal_key_size = (uint8_t)size;
    rc4_init(&direction->rc4, direction->seal_key, size);
    return status;
}

status_t ntlm_session_init(struct ntlm_session *session, uint32_t flags,
                           const uint8_t session_key[16], bool client)
{
    /* Made aside, so that a failure leaves the caller's session alone. */
    struct ntlm_session made;
    memset(&made, 0, sizeof(made));
    made.flags = flags;
    memcpy(made.session_key, session_key, sizeof(made.session_key));
    status_t status = direction_init(&made.send, flags, session_key, client);
    if (status_ok(status) && flags & NTLM_ESS)
        status = direction_init(&made.receive, flags, session_key, !client);
    if (status_ok(status)) *session = made;
    secret_wipe(&made, sizeof(made));
    return status;
}

static void direction_restart(struct ntlm_direction *direction)
{
    /* The receiving direction is unused without extended session security. */
    if (direction->seal_key_size)
        rc4_init(&direction->rc4, direction->seal_key, direction->seal_key_size);
}

void ntlm_session_restart_streams(struct ntlm_session *session)
{
    direction_restart(&session->send);
    direction_restart(&session->receive);
}

void ntlm_session_restart_stream(struct ntlm_session *session, bool send)
{
    struct ntlm_direction *direction = send ? &session->send : receiving(session);
    direction_restart(direction);
    direction->start = direction->sequence;
}

void ntlm_session_rewind(struct ntlm_session *session)
{
    ntlm_session_restart_streams(session);
    session->send.sequence = session->send.start;
    session->receive.sequence = session->receive.start;
}

void ntlm_session_clear(struct ntlm_session *session)
{
    hasher_free(session->send.hmac);
    hasher_free(session->receive.hmac);
    secret_wipe(session, sizeof(*session));
}

/* Datagrams may get lost, so each has a cipher of its own and the caller's number (MS-NLMP 3.4.2);
 * what the direction held before counts for nothing. */
static status_t rekey(struct ntlm_direction *direction, uint32_t sequence)
{
    uint8_t number[4], key[16];
    put_u32le(number, sequence);
    const struct slice parts[] = {{direction->seal_key, direction->seal_key_size},
                                  {number, sizeof(number)}};
    status_t status = md5(parts, 2, key);
    if (!status_ok(status)) return status;
    rc4_init(&direction->rc4, key, sizeof(key));
    direction->sequence = sequence;
    secret_wipe(key, sizeof(key));
    return SEC_E_OK;
}

/* What a message needs beside the session, made before anything moves: from here on nothing fails
 * but the comparison. A session that is only written down never makes it. */
static status_t prepare(const struct ntlm_session *session, struct ntlm_direction *direction,
                        uint32_t sequence)
{
    if (has_ess(session) && !direction->hmac) {
        const struct slice key = {direction->sign_key, sizeof(direction->sign_key)};
        status_t status = hasher_create(CRYPTO_MD5, &key, &direction->hmac);
        if (!status_ok(status)) return status;
    }
    return session->flags & NTLM_DATAGRAM ? rekey(direction, sequence) : SEC_E_OK;
}

static void checksum_ess(struct hasher *hmac, uint32_t sequence, const struct message_part *parts,
                         size_t count, uint8_t checksum[8])
{
    uint8_t number[4];
    put_u32le(number, sequence);
    hasher_start(hmac);
    hasher_update(hmac, number, sizeof(number));
    /* The borders between the parts leave no trace: a message may be cut otherwise at each end. */
    for (size_t i = 0; i < count; i++) hasher_update(hmac, parts[i].data, parts[i].size);
    hasher_finish(hmac, checksum, 8);
}

/* The signature of the plain parts under the next sequence number, before it is enciphered. */
static void clear_signature(const struct ntlm_session *session, struct ntlm_direction *direction,
                            const struct message_part *parts, size_t count,
                            uint8_t signature[NTLM_SIGNATURE_SIZE])
{
    put_u32le(signature, SIGNATURE_VERSION);
    put_u32le(signature + 12, direction->sequence);
    if (has_ess(session)) {
        checksum_ess(direction->hmac, direction->sequence, parts, count, signature + 4);
        return;
    }
    uint32_t crc = 0;
    for (size_t i = 0; i < count; i++) crc = crc32_update(crc, parts[i].data, parts[i].size);
    put_u32le(signature + 4, 0); /* the pad */
    put_u32le(signature + 8, crc);
}

static void encipher_signature(const struct ntlm_session *session, struct ntlm_direction *direction,
                               uint8_t signature[NTLM_SIGNATURE_SIZE])
{
    if (!has_ess(session)) {
        rc4_crypt(&direction->rc4, signature + 4, signature + 4, 12);
        /* The pad takes its place in the stream but is sent as zero. */
        put_u32le(signature + 4, 0);
    } else if (session->flags & NTLM_KEY_EXCH) {
        rc4_crypt(&direction->rc4, signature + 4, signature + 4, 8);
    }
}

static void make_dummy(uint8_t signature[NTLM_SIGNATURE_SIZE])
{
    memset(signature, 0, NTLM_SIGNATURE_SIZE);
    put_u32le(signature, SIGNATURE_VERSION);
}

/* The pad is the sender's choice: it may send zeros, or what the cipher makes of them, as the
 * example in MS-NLMP 4.2.2.4 does. It is no evidence, whatever it is. */
static bool is_expected(const struct ntlm_session *session,
                        const uint8_t expected[NTLM_SIGNATURE_SIZE],
                        const uint8_t signature[NTLM_SIGNATURE_SIZE])
{
    if (has_ess(session)) return secret_equal(expected, signature, NTLM_SIGNATURE_SIZE);
    return secret_equal(expected, signature, 4) && secret_equal(expected + 8, signature + 8, 8);
}

static void crypt_parts(struct rc4 *rc4, const struct message_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (parts[i].sealed) rc4_crypt(rc4, parts[i].data, parts[i].data, parts[i].size);
    }
}

/* Why a signature did not match. Only where the checksum is in clear can a message of another
 * turn be told from a changed one. */
static status_t refusal(const struct ntlm_session *session, const struct ntlm_direction *direction,
                        const struct message_part *parts, size_t count,
                        const uint8_t signature[NTLM_SIGNATURE_SIZE])
{
    uint32_t sequence = get_u32le(signature + 12);
    if (!has_ess(session) || session->flags & NTLM_KEY_EXCH || sequence == direction->sequence ||
        get_u32le(signature) != SIGNATURE_VERSION)
        return SEC_E_MESSAGE_ALTERED;
    uint8_t checksum[8];
    checksum_ess(direction->hmac, sequence, parts, count, checksum);
    return secret_equal(checksum, signature + 4, sizeof(checksum)) ? SEC_E_OUT_OF_SEQUENCE
                                                                   : SEC_E_MESSAGE_ALTERED;
}

status_t ntlm_sign(struct ntlm_session *session, uint32_t sequence,
                   const struct message_part *parts, size_t count,
                   uint8_t signature[NTLM_SIGNATURE_SIZE])
{
    if (is_dummy(session)) {
        make_dummy(signature);
        return SEC_E_OK;
    }
    status_t status = prepare(session, &session->send, sequence);
    if (!status_ok(status)) return status;
    clear_signature(session, &session->send, parts, count, signature);
    encipher_signature(session, &session->send, signature);
    session->send.sequence++;
    return SEC_E_OK;
}

status_t ntlm_verify(struct ntlm_session *session, uint32_t sequence,
                     const struct message_part *parts, size_t count,
                     const uint8_t signature[NTLM_SIGNATURE_SIZE])
{
    uint8_t expected[NTLM_SIGNATURE_SIZE];
    if (is_dummy(session)) {
        make_dummy(expected);
        return secret_equal(expected, signature, sizeof(expected)) ? SEC_E_OK
                                                                   : SEC_E_MESSAGE_ALTERED;
    }
    struct ntlm_direction *direction = receiving(session);
    status_t status = prepare(session, direction, sequence);
    if (!status_ok(status)) return status;
    /* What is expected is computed with the stream itself; a copy undoes that. */
    struct rc4 before = direction->rc4;
    clear_signature(session, direction, parts, count, expected);
    encipher_signature(session, direction, expected);
    if (is_expected(session, expected, signature)) {
        direction->sequence++;
    } else {
        direction->rc4 = before;
        status = refusal(session, direction, parts, count, signature);
    }
    secret_wipe(&before, sizeof(before));
    secret_wipe(expected, sizeof(expected));
    return status;
}

status_t ntlm_seal(struct ntlm_session *session, uint32_t sequence, struct message_part *parts,
                   size_t count, uint8_t signature[NTLM_SIGNATURE_SIZE])
{
    struct ntlm_direction *direction = &session->send;
    if (!can_seal(session)) return SEC_E_UNSUPPORTED_FUNCTION;
    status_t status = prepare(session, direction, sequence);
    if (!status_ok(status)) return status;
    /* The checksum is of the plain text, but its place in the stream comes after the text's. */
    clear_signature(session, direction, parts, count, signature);
    crypt_parts(&direction->rc4, parts, count);
    encipher_signature(session, direction, signature);
    direction->sequence++;
    return SEC_E_OK;
}

status_t ntlm_unseal(struct ntlm_session *session, uint32_t sequence, struct message_part *parts,
                     size_t count, const uint8_t signature[NTLM_SIGNATURE_SIZE])
{
    struct ntlm_direction *direction = receiving(session);
    if (!can_seal(session)) return SEC_E_UNSUPPORTED_FUNCTION;
    status_t status = prepare(session, direction, sequence);
    if (!status_ok(status)) return status;
    uint8_t expected[NTLM_SIGNATURE_SIZE];
    struct rc4 before = direction->rc4;
    crypt_parts(&direction->rc4, parts, count);
    clear_signature(session, direction, parts, count, expected);
    encipher_signature(session, direction, expected);
    if (is_expected(session, expected, signature)) {
        direction->sequence++;
    } else {
        status = refusal(session, direction, parts, count, signature);
        /* The same stream once more gives the caller its enciphered bytes back. */
        direction->rc4 = before;
        crypt_parts(&direction->rc4, parts, count);
        direction->rc4 = before;
    }
    secret_wipe(&before, sizeof(before));
    secret_wipe(expected, sizeof(expected));
    return status;
}
