/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tokens of RFC 4757 7, for keys of RC4. In the frame of RFC 2743 3.1 they are
 *   kind 2, algorithms 4, filler 2, number 8 (encrypted), checksum 8,
 *   and for wrap tokens a confounder of 8, the data and a byte of padding, all three encrypted if
 *   the message is
 * The frame's length covers the data. In DCE style it does not, and there is no padding. Each
 * message has keys of its own, so that no cipher's state is carried on. Export-grade keys are left
 * out.
 */
#include "kerberos_private.h"

#include "core/rc4.h"

#include <string.h>

#define TOKEN_MIC 0x0101u
#define TOKEN_WRAP 0x0201u
#define SIGN_HMAC_MD5 0x1100u
#define SEAL_RC4 0x1000u
#define NOT_SEALED 0xffffu
#define FILLER 0xffffu
#define PADDING 1u
#define PADDING_MAX 8u /* of the other algorithms of these tokens (RFC 1964 1.2.2.3) */

#define NUMBER_SIZE 8u
#define CHECKSUM_SIZE 8u
#define CONFOUNDER_SIZE 8u
#define ALGORITHMS_SIZE 8u /* all before the number, which is what the checksum covers */
#define MIC_SIZE (ALGORITHMS_SIZE + NUMBER_SIZE + CHECKSUM_SIZE)
#define WRAP_SIZE (MIC_SIZE + CONFOUNDER_SIZE)

/* What the checksum begins with (RFC 4757 7.2, 7.3). */
#define SALT_MIC 15u
#define SALT_WRAP 13u

#define FRAME_TAG 0x60u
#define LENGTH_MAX 5u
static const uint8_t mechanism[] = {0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2};
#define FRAME_SIZE(length_size) (1 + (length_size) + sizeof(mechanism))

struct rc4_token {
    bool sealed;
    uint32_t salt;
    uint8_t *inner;  /* what the frame holds, up to the confounder */
    size_t declared; /* what the frame says that it holds behind its mechanism */
    const struct message_part *parts;
    size_t count;
    uint8_t *padding; /* where it has a place of its own */
    size_t padding_size;
    struct message_part *padded; /* otherwise the part that ends with it; NULL without padding */
};

void arcfour_sizes(const struct kerberos_session *session, struct kerberos_sizes *out)
{
    bool dce = session->flags & KERBEROS_DCE_STYLE;
    out->signature = FRAME_SIZE(1) + MIC_SIZE;
    out->token = FRAME_SIZE(dce ? 1 : LENGTH_MAX) + WRAP_SIZE;
    out->block = 1;
}

static void put_u32be(uint8_t to[4], uint32_t value)
{
    for (size_t i = 0; i < 4; i++) to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get_u32be(const uint8_t from[4])
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* ---- frame ---- */

static size_t length_size(size_t length)
{
    size_t size = 1;
    if (length < 0x80) return size;
    for (; length; length >>= 8) size++;
    return size;
}

static uint8_t *put_frame(uint8_t *to, size_t length)
{
    size_t size = length_size(length);
    *to++ = FRAME_TAG;
    if (size == 1) {
        *to++ = (uint8_t)length;
    } else {
        *to++ = (uint8_t)(0x80 | (size - 1));
        for (size_t i = size - 1; i-- > 0;) *to++ = (uint8_t)(length >> 8 * i);
    }
    memcpy(to, mechanism, sizeof(mechanism));
    return to + sizeof(mechanism);
}

/* How much the frame says to hold behind its mechanism, of which not all may be here. */
static size_t get_frame(struct reader *r)
{
    if (reader_u8(r) != FRAME_TAG) reader_fail(r);
    size_t length = reader_u8(r);
    if (length >= 0x80) {
        size_t size = length & 0x7f;
        if (size >= LENGTH_MAX) reader_fail(r);
        for (length = 0; reader_ok(r) && size; size--) length = length << 8 | reader_u8(r);
    }
    struct slice found = reader_bytes(r, sizeof(mechanism));
    if (!found.data || memcmp(found.data, mechanism, sizeof(mechanism)) ||
        length < sizeof(mechanism))
        reader_fail(r);
    return length - sizeof(mechanism);
}

/* Fills in what is known of a token from its beginning. */
static status_t get_token(unsigned kind, uint8_t *bytes, size_t size, struct rc4_token *token)
{
    struct reader r;
    reader_init(&r, bytes, size);
    token->declared = get_frame(&r);
    token->inner = bytes + r.pos;
    uint16_t found = reader_u16be(&r), sign = reader_u16be(&r), seal = reader_u16be(&r);
    uint16_t filler = reader_u16be(&r);
    reader_skip(&r, (kind == TOKEN_WRAP ? WRAP_SIZE : MIC_SIZE) - ALGORITHMS_SIZE);
    token->sealed = seal == SEAL_RC4;
    bool known = seal == NOT_SEALED || (token->sealed && kind == TOKEN_WRAP);
    if (!reader_ok(&r) || found != kind || sign != SIGN_HMAC_MD5 || !known || filler != FILLER)
        return SEC_E_INVALID_TOKEN;
    return SEC_E_OK;
}

/* ---- what tokens are made of ---- */

static void checksum(struct kerberos_keys *keys, const struct rc4_token *token,
                     uint8_t out[CHECKSUM_SIZE])
{
    const uint8_t salt[4] = {(uint8_t)token->salt};
    uint8_t digest[16];
    hasher_start(keys->digest);
    hasher_update(keys->digest, salt, sizeof(salt));
    hasher_update(keys->digest, token->inner, ALGORITHMS_SIZE);
    if (token->salt == SALT_WRAP)
        hasher_update(keys->digest, token->inner + MIC_SIZE, CONFOUNDER_SIZE);
    kerberos_hash_parts(keys->digest, token->parts, token->count);
    hasher_update(keys->digest, token->padding, token->padding_size);
    hasher_finish(keys->digest, digest, sizeof(digest));
    hasher_start(keys->sign);
    hasher_update(keys->sign, digest, sizeof(digest));
    hasher_finish(keys->sign, out, CHECKSUM_SIZE);
}

/* A cipher under a key that a MAC makes of some bytes of the message. */
static void start_cipher(struct hasher *hasher, const uint8_t *bytes, size_t size, struct rc4 *rc4)
{
    uint8_t key[16];
    hasher_start(hasher);
    hasher_update(hasher, bytes, size);
    hasher_finish(hasher, key, sizeof(key));
    rc4_init(rc4, key, sizeof(key));
    secret_wipe(key, sizeof(key));
}

/* The number, four bytes of direction behind it, both ways. */
static void crypt_number(struct kerberos_keys *keys, uint8_t *inner)
{
    struct rc4 rc4;
    uint8_t *number = inner + ALGORITHMS_SIZE;
    start_cipher(keys->number, number + NUMBER_SIZE, CHECKSUM_SIZE, &rc4);
    rc4_crypt(&rc4, number, number, NUMBER_SIZE);
    secret_wipe(&rc4, sizeof(rc4));
}

/* Both ways. */
static void crypt_text(struct kerberos_keys *keys, uint32_t number, const struct rc4_token *token)
{
    struct rc4 rc4;
    uint8_t bytes[4], *confounder = token->inner + MIC_SIZE;
    put_u32be(bytes, number);
    start_cipher(keys->crypt, bytes, sizeof(bytes), &rc4);
    rc4_crypt(&rc4, confounder, confounder, CONFOUNDER_SIZE);
    for (size_t i = 0; i < token->count; i++) {
        const struct message_part *part = &token->parts[i];
        if (part->sealed) rc4_crypt(&rc4, part->data, part->data, part->size);
    }
    rc4_crypt(&rc4, token->padding, token->padding, token->padding_size);
    secret_wipe(&rc4, sizeof(rc4));
}

/* ---- making ---- */

/* A number that came again would bring its key again. */
static status_t can_send(const struct kerberos_session *session)
{
    const struct kerberos_direction *send = &session->send;
    return send->next - send->first > UINT32_MAX ? SEC_E_CONTEXT_EXPIRED : SEC_E_OK;
}

static void put_algorithms(uint8_t *inner, unsigned kind, bool sealed)
{
    const unsigned words[] = {kind, SIGN_HMAC_MD5, sealed ? SEAL_RC4 : NOT_SEALED, FILLER};
    for (size_t i = 0; i < 4; i++) {
        inner[2 * i] = (uint8_t)(words[i] >> 8);
        inner[2 * i + 1] = (uint8_t)words[i];
    }
}

/* The token has its algorithms, and its confounder when it needs one. */
static void make(struct kerberos_session *session, const struct rc4_token *token)
{
    struct kerberos_keys *keys = session->send.keys;
    uint8_t *number = token->inner + ALGORITHMS_SIZE;
    checksum(keys, token, number + NUMBER_SIZE);
    if (token->sealed) crypt_text(keys, (uint32_t)session->send.next, token);
    put_u32be(number, (uint32_t)session->send.next);
    memset(number + 4, session->initiator ? 0 : 0xff, 4);
    crypt_number(keys, token->inner);
    session->send.next++;
}

status_t arcfour_sign(struct kerberos_session *session, const struct message_part *parts,
                      size_t count, uint8_t *bytes, size_t room, size_t *size)
{
    struct rc4_token token = {.salt = SALT_MIC, .parts = parts, .count = count};
    if (room < FRAME_SIZE(1) + MIC_SIZE) return SEC_E_BUFFER_TOO_SMALL;
    status_t status = can_send(session);
    if (status_ok(status)) status = kerberos_keys_prepare(session, &session->send, KERBEROS_SIGN);
    if (!status_ok(status)) return status;
    token.inner = put_frame(bytes, sizeof(mechanism) + MIC_SIZE);
    put_algorithms(token.inner, TOKEN_MIC, false);
    make(session, &token);
    *size = FRAME_SIZE(1) + MIC_SIZE;
    return SEC_E_OK;
}

status_t arcfour_wrap(struct kerberos_session *session, const uint8_t *confounder,
                      const struct message_part *parts, size_t count,
                      struct kerberos_wrapping *wrapping)
{
    bool dce = session->flags & KERBEROS_DCE_STYLE;
    struct rc4_token token = {wrapping->encrypt, SALT_WRAP,         NULL, 0, parts, count,
                              wrapping->padding, dce ? 0 : PADDING, NULL};
    size_t length = sizeof(mechanism) + WRAP_SIZE;
    if (!dce) length += kerberos_parts_size(parts, count, true) + PADDING;
    size_t size = FRAME_SIZE(length_size(length)) + WRAP_SIZE;
    if (length > UINT32_MAX) return SEC_E_INVALID_PARAMETER;
    if (wrapping->token_size < size || (!dce && !wrapping->padding) ||
        (!dce && wrapping->padding_size < PADDING))
        return SEC_E_BUFFER_TOO_SMALL;
    status_t status = can_send(session);
    if (status_ok(status))
        status = kerberos_keys_prepare(session, &session->send,
                                       token.sealed ? KERBEROS_SEAL : KERBEROS_CHECK);
    if (!status_ok(status)) return status;
    token.inner = put_frame(wrapping->token, length);
    put_algorithms(token.inner, TOKEN_WRAP, token.sealed);
    memcpy(token.inner + MIC_SIZE, confounder, CONFOUNDER_SIZE);
    if (!dce) memset(token.padding, PADDING, PADDING);
    make(session, &token);
    wrapping->token_size = size;
    wrapping->padding_size = token.padding_size;
    return SEC_E_OK;
}

/* ---- checking ---- */

/* The whole number that the sender means by its lower half: the next one that has it, or one that
 * was not long ago. */
static uint64_t whole_number(const struct kerberos_direction *direction, uint32_t number)
{
    int64_t ahead = (int32_t)(number - (uint32_t)direction->next);
    if (ahead < 0 && direction->next < (uint64_t)-ahead) return UINT64_MAX; /* there is none */
    return direction->next + (uint64_t)ahead;
}

/* Bytes that each tell how many they are; 0 for what is no padding. */
static size_t padding_found(const struct rc4_token *token)
{
    const uint8_t *bytes = token->padding_size ? token->padding : token->padded->data;
    size_t size = token->padding_size ? token->padding_size : token->padded->size;
    size_t count = size ? bytes[size - 1] : 0;
    if (count > PADDING_MAX || count > size || (token->padding_size && count != size)) return 0;
    for (size_t i = 1; i <= count; i++)
        if (bytes[size - i] != count) return 0;
    return count;
}

/* Of a token that is decrypted, with the number that it has. */
static status_t check_text(struct kerberos_session *session, const struct rc4_token *token,
                           uint32_t low, uint32_t direction)
{
    const uint8_t *sent = token->inner + ALGORITHMS_SIZE + NUMBER_SIZE;
    uint8_t expected[CHECKSUM_SIZE];
    checksum(session->receive.keys, token, expected);
    if (direction != (kerberos_by_acceptor(session, false) ? UINT32_MAX : 0) ||
        !secret_equal(expected, sent, CHECKSUM_SIZE))
        return SEC_E_MESSAGE_ALTERED;
    if ((token->padding_size || token->padded) && !padding_found(token)) return SEC_E_INVALID_TOKEN;
    uint64_t number = whole_number(&session->receive, low);
    status_t status = kerberos_number_check(session, number);
    if (status_ok(status)) kerberos_number_take(session, number);
    return status;
}

/* Decrypts in place; what is refused is as it was. */
static status_t check(struct kerberos_session *session, const struct rc4_token *token)
{
    struct kerberos_keys *keys = session->receive.keys;
    uint8_t before[NUMBER_SIZE], *number = token->inner + ALGORITHMS_SIZE;
    memcpy(before, number, sizeof(before));
    crypt_number(keys, token->inner);
    uint32_t low = get_u32be(number), direction = get_u32be(number + 4);
    memcpy(number, before, sizeof(before));
    if (token->sealed) crypt_text(keys, low, token);
    status_t status = check_text(session, token, low, direction);
    if (!status_ok(status) && token->sealed) crypt_text(keys, low, token);
    return status;
}

status_t arcfour_verify(struct kerberos_session *session, const struct message_part *parts,
                        size_t count, struct slice bytes)
{
    struct rc4_token token = {.salt = SALT_MIC, .parts = parts, .count = count};
    uint8_t copy[FRAME_SIZE(LENGTH_MAX) + MIC_SIZE];
    if (bytes.size > sizeof(copy)) return SEC_E_INVALID_TOKEN;
    if (bytes.size) memcpy(copy, bytes.data, bytes.size);
    status_t status = get_token(TOKEN_MIC, copy, bytes.size, &token);
    if (!status_ok(status)) return status;
    size_t frame = (size_t)(token.inner - copy);
    if (token.declared != MIC_SIZE || bytes.size != frame + MIC_SIZE) return SEC_E_INVALID_TOKEN;
    status = kerberos_keys_prepare(session, &session->receive, KERBEROS_SIGN);
    return status_ok(status) ? check(session, &token) : status;
}

static struct message_part *last_sealed(struct message_part *parts, size_t count)
{
    while (count-- > 0)
        if (parts[count].sealed && parts[count].size) return &parts[count];
    return NULL;
}

/* Nothing protects the frame, so that it is not asked whether there is padding. */
static bool length_fits(const struct kerberos_session *session, const struct rc4_token *token,
                        size_t data_size)
{
    if (session->flags & KERBEROS_DCE_STYLE)
        return token->declared == WRAP_SIZE && !token->padding_size;
    return data_size && token->declared == WRAP_SIZE + data_size;
}

status_t arcfour_unwrap(struct kerberos_session *session, struct message_part *parts, size_t count,
                        struct kerberos_wrapping *wrapping)
{
    struct rc4_token token = {.salt = SALT_WRAP, .parts = parts, .count = count};
    status_t status = get_token(TOKEN_WRAP, wrapping->token, wrapping->token_size, &token);
    if (!status_ok(status)) return status;
    token.padding = wrapping->padding;
    token.padding_size = wrapping->padding_size;
    size_t size = (size_t)(token.inner - wrapping->token) + WRAP_SIZE;
    size_t data_size = kerberos_parts_size(parts, count, true) + token.padding_size;
    if (wrapping->token_size != size || !length_fits(session, &token, data_size))
        return SEC_E_INVALID_TOKEN;
    if (!(session->flags & KERBEROS_DCE_STYLE) && !token.padding_size)
        token.padded = last_sealed(parts, count); /* there is one, with data */
    status = kerberos_keys_prepare(session, &session->receive,
                                   token.sealed ? KERBEROS_SEAL : KERBEROS_CHECK);
    if (status_ok(status)) status = check(session, &token);
    if (!status_ok(status)) return status;
    if (token.padded) token.padded->size -= padding_found(&token);
    wrapping->encrypt = token.sealed;
    return SEC_E_OK;
}

status_t arcfour_unwrap_stream(struct kerberos_session *session, uint8_t *bytes, size_t size,
                               bool *encrypted, struct slice *plain)
{
    struct rc4_token token;
    status_t status = get_token(TOKEN_WRAP, bytes, size, &token);
    if (!status_ok(status)) return status;
    size_t front = (size_t)(token.inner - bytes) + WRAP_SIZE;
    struct message_part data = {bytes + front, size - front, true};
    struct kerberos_wrapping wrapping = {.token = bytes, .token_size = front};
    status = arcfour_unwrap(session, &data, 1, &wrapping);
    if (!status_ok(status)) return status;
    *encrypted = wrapping.encrypt;
    *plain = (struct slice){data.data, data.size};
    return SEC_E_OK;
}
