/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tokens of RFC 4121 4.2. An encrypted one is, before it is rotated,
 *   header 16, then encrypted: confounder 16, data, EC bytes of filler, the header again; MAC
 * where the MAC is of the plain text (RFC 3962) or of the cipher's zeros and the encrypted text
 * (RFC 8009 5). One that is not encrypted is header, data, MAC of data and header, with EC for the
 * MAC's size. SSPI keeps everything but the data in the token in front (MS-KILE 3.4.5.4.1): the
 * tail is rotated before the confounder. EC is 16 in DCE style and RRC then counts without it, as
 * Windows and MIT's library do; otherwise it is 0, which every peer takes.
 */
#include "kerberos_private.h"

#include <string.h>

#define TOKEN_MIC 0x0404u
#define TOKEN_WRAP 0x0504u
#define FLAG_BY_ACCEPTOR 0x01u
#define FLAG_SEALED 0x02u
#define FLAG_ACCEPTOR_SUBKEY 0x04u
#define FILLER 0xffu
#define DCE_EXTRA 16u

struct cfx_header {
    uint8_t flags;
    uint16_t ec, rrc;
    uint64_t number;
};

/* Where the parts of a wrap token are. */
struct cfx_places {
    uint8_t *header;
    struct kerberos_spread text; /* front: confounder, back: filler and the second header */
    uint8_t *mac;
};

/* The token has the size that is said, so that who leaves that room and takes the message from its
 * start on, or cuts one there that came, need not know more (Wine's wldap32). */
void cfx_sizes(const struct kerberos_session *session, struct kerberos_sizes *out)
{
    size_t mac_size = kerberos_profile_of(session)->mac_size;
    out->signature = CFX_HEADER_SIZE + mac_size;
    out->token = CFX_HEADER_SIZE + CFX_BLOCK + CFX_HEADER_SIZE + mac_size;
    if (session->flags & KERBEROS_DCE_STYLE) out->token += DCE_EXTRA;
    out->block = 1;
}

/* ---- headers ---- */

static void put_u16be(uint8_t to[2], unsigned value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

/* That of a MIC token, or of a wrap token before EC and RRC are set. */
static void put_header(const struct kerberos_session *session, unsigned kind, uint8_t flags,
                       uint8_t to[CFX_HEADER_SIZE])
{
    uint64_t number = session->send.next;
    if (!session->initiator) flags |= FLAG_BY_ACCEPTOR;
    if (session->acceptor_subkey) flags |= FLAG_ACCEPTOR_SUBKEY;
    put_u16be(to, kind);
    to[2] = flags;
    memset(to + 3, kind == TOKEN_MIC ? FILLER : 0, 5);
    to[3] = FILLER;
    for (size_t i = 0; i < 8; i++) to[8 + i] = (uint8_t)(number >> (56 - 8 * i));
}

/* Whose message it is, is a matter of the keys; a reflected one is told here. */
static status_t get_header(const struct kerberos_session *session, unsigned kind,
                           struct slice token, struct cfx_header *header)
{
    struct reader r;
    reader_init(&r, token.data, token.size);
    uint16_t found = reader_u16be(&r);
    header->flags = reader_u8(&r);
    uint8_t filler = reader_u8(&r);
    header->ec = reader_u16be(&r);
    header->rrc = reader_u16be(&r);
    header->number = kerberos_number_extend(&session->receive, reader_u64be(&r));
    if (!reader_ok(&r) || found != kind || filler != FILLER) return SEC_E_INVALID_TOKEN;
    bool by_acceptor = header->flags & FLAG_BY_ACCEPTOR;
    return by_acceptor == kerberos_by_acceptor(session, false) ? SEC_E_OK : SEC_E_MESSAGE_ALTERED;
}

static status_t can_send(const struct kerberos_session *session)
{
    return session->send.next == UINT64_MAX ? SEC_E_CONTEXT_EXPIRED : SEC_E_OK;
}

/* ---- MIC tokens ---- */

static void checksum(struct hasher *hasher, const struct message_part *parts, size_t count,
                     const uint8_t header[CFX_HEADER_SIZE], uint8_t *mac, size_t mac_size)
{
    hasher_start(hasher);
    kerberos_hash_parts(hasher, parts, count);
    hasher_update(hasher, header, CFX_HEADER_SIZE);
    hasher_finish(hasher, mac, mac_size);
}

status_t cfx_sign(struct kerberos_session *session, const struct message_part *parts, size_t count,
                  uint8_t *token, size_t room, size_t *size)
{
    size_t mac_size = kerberos_profile_of(session)->mac_size;
    if (room < CFX_HEADER_SIZE + mac_size) return SEC_E_BUFFER_TOO_SMALL;
    status_t status = can_send(session);
    if (status_ok(status)) status = kerberos_keys_prepare(session, &session->send, KERBEROS_SIGN);
    if (!status_ok(status)) return status;
    put_header(session, TOKEN_MIC, 0, token);
    checksum(session->send.keys->sign, parts, count, token, token + CFX_HEADER_SIZE, mac_size);
    session->send.next++;
    *size = CFX_HEADER_SIZE + mac_size;
    return SEC_E_OK;
}

status_t cfx_verify(struct kerberos_session *session, const struct message_part *parts,
                    size_t count, struct slice token)
{
    size_t mac_size = kerberos_profile_of(session)->mac_size;
    uint8_t mac[CFX_MAC_MAX];
    struct cfx_header header;
    status_t status = get_header(session, TOKEN_MIC, token, &header);
    if (!status_ok(status)) return status;
    /* The places of EC and RRC are filler here. */
    if (token.size != CFX_HEADER_SIZE + mac_size || header.ec != 0xffff || header.rrc != 0xffff)
        return SEC_E_INVALID_TOKEN;
    status = kerberos_keys_prepare(session, &session->receive, KERBEROS_SIGN);
    if (!status_ok(status)) return status;
    checksum(session->receive.keys->sign, parts, count, token.data, mac, mac_size);
    if (!secret_equal(mac, token.data + CFX_HEADER_SIZE, mac_size)) return SEC_E_MESSAGE_ALTERED;
    status = kerberos_number_check(session, header.number);
    if (status_ok(status)) kerberos_number_take(session, header.number);
    return status;
}

/* ---- wrap tokens ---- */

static void integrity(const struct kerberos_profile *profile, struct hasher *hasher,
                      const struct kerberos_spread *text, uint8_t *mac)
{
    static const uint8_t vector[CFX_BLOCK];
    hasher_start(hasher);
    if (profile->mac_of_cipher) hasher_update(hasher, vector, sizeof(vector));
    kerberos_hash_spread(hasher, text);
    hasher_finish(hasher, mac, profile->mac_size);
}

static void seal(const struct kerberos_profile *profile, struct kerberos_keys *keys,
                 const struct cfx_places *places)
{
    if (!profile->mac_of_cipher) integrity(profile, keys->integrity, &places->text, places->mac);
    kerberos_cts(keys->cipher, true, &places->text);
    if (profile->mac_of_cipher) integrity(profile, keys->integrity, &places->text, places->mac);
}

static status_t wrap_sealed(struct kerberos_session *session, const uint8_t *confounder,
                            const struct message_part *parts, size_t count,
                            struct kerberos_wrapping *wrapping)
{
    const struct kerberos_profile *profile = kerberos_profile_of(session);
    size_t ec = session->flags & KERBEROS_DCE_STYLE ? DCE_EXTRA : 0;
    size_t rrc = CFX_HEADER_SIZE + profile->mac_size;
    size_t size = CFX_HEADER_SIZE + ec + rrc + CFX_BLOCK;
    uint8_t *header = wrapping->token, *tail = header + CFX_HEADER_SIZE;
    if (wrapping->token_size < size) return SEC_E_BUFFER_TOO_SMALL;
    status_t status = kerberos_keys_prepare(session, &session->send, KERBEROS_SEAL);
    if (!status_ok(status)) return status;
    const struct cfx_places places = {
        .header = header,
        .text = {tail + ec + rrc, CFX_BLOCK, parts, count, tail, ec + CFX_HEADER_SIZE},
        .mac = tail + ec + CFX_HEADER_SIZE,
    };
    put_header(session, TOKEN_WRAP, FLAG_SEALED, header);
    put_u16be(header + 4, (unsigned)ec);
    memset(tail, FILLER, ec);
    memcpy(tail + ec, header, CFX_HEADER_SIZE);
    memcpy(places.text.front, confounder, CFX_BLOCK);
    seal(profile, session->send.keys, &places);
    put_u16be(header + 6, (unsigned)rrc);
    wrapping->token_size = size;
    return SEC_E_OK;
}

static status_t wrap_plain(struct kerberos_session *session, const struct message_part *parts,
                           size_t count, struct kerberos_wrapping *wrapping)
{
    size_t mac_size = kerberos_profile_of(session)->mac_size;
    uint8_t *header = wrapping->token;
    if (wrapping->token_size < CFX_HEADER_SIZE + mac_size) return SEC_E_BUFFER_TOO_SMALL;
    status_t status = kerberos_keys_prepare(session, &session->send, KERBEROS_CHECK);
    if (!status_ok(status)) return status;
    put_header(session, TOKEN_WRAP, 0, header);
    checksum(session->send.keys->check, parts, count, header, header + CFX_HEADER_SIZE, mac_size);
    put_u16be(header + 4, (unsigned)mac_size);
    put_u16be(header + 6, (unsigned)mac_size);
    wrapping->token_size = CFX_HEADER_SIZE + mac_size;
    return SEC_E_OK;
}

status_t cfx_wrap(struct kerberos_session *session, const uint8_t *confounder,
                  const struct message_part *parts, size_t count,
                  struct kerberos_wrapping *wrapping)
{
    status_t status = can_send(session);
    if (!status_ok(status)) return status;
    status = wrapping->encrypt ? wrap_sealed(session, confounder, parts, count, wrapping)
                               : wrap_plain(session, parts, count, wrapping);
    if (!status_ok(status)) return status;
    wrapping->padding_size = 0;
    session->send.next++;
    return SEC_E_OK;
}

/* ---- and back ---- */

static status_t check_mac(const struct kerberos_profile *profile, struct kerberos_keys *keys,
                          const struct cfx_places *places)
{
    uint8_t mac[CFX_MAC_MAX];
    integrity(profile, keys->integrity, &places->text, mac);
    return secret_equal(mac, places->mac, profile->mac_size) ? SEC_E_OK : SEC_E_MESSAGE_ALTERED;
}

/* The second header is the first but for RRC, which is for whoever carries the token. */
static status_t check_copy(const struct cfx_places *places)
{
    const uint8_t *copy = places->text.back + places->text.back_size - CFX_HEADER_SIZE;
    bool same = secret_equal(copy, places->header, 6) &&
                secret_equal(copy + 8, places->header + 8, 8);
    return same ? SEC_E_OK : SEC_E_MESSAGE_ALTERED;
}

/* In place; what is refused is encrypted again, to the same bytes. */
static status_t open_sealed(struct kerberos_session *session, const struct cfx_header *header,
                            const struct cfx_places *places)
{
    const struct kerberos_profile *profile = kerberos_profile_of(session);
    status_t status = kerberos_keys_prepare(session, &session->receive, KERBEROS_SEAL);
    if (!status_ok(status)) return status;
    struct kerberos_keys *keys = session->receive.keys;
    if (profile->mac_of_cipher) status = check_mac(profile, keys, places);
    if (!status_ok(status)) return status;
    kerberos_cts(keys->cipher, false, &places->text);
    if (!profile->mac_of_cipher) status = check_mac(profile, keys, places);
    if (status_ok(status)) status = check_copy(places);
    if (status_ok(status)) status = kerberos_number_check(session, header->number);
    if (status_ok(status)) kerberos_number_take(session, header->number);
    else kerberos_cts(keys->cipher, true, &places->text);
    return status;
}

static status_t open_plain(struct kerberos_session *session, const struct cfx_header *header,
                           const struct cfx_places *places)
{
    size_t mac_size = kerberos_profile_of(session)->mac_size;
    uint8_t zeroed[CFX_HEADER_SIZE], mac[CFX_MAC_MAX];
    status_t status = kerberos_keys_prepare(session, &session->receive, KERBEROS_CHECK);
    if (!status_ok(status)) return status;
    memcpy(zeroed, places->header, CFX_HEADER_SIZE);
    memset(zeroed + 4, 0, 4);
    checksum(session->receive.keys->check, places->text.parts, places->text.count, zeroed, mac,
             mac_size);
    if (!secret_equal(mac, places->mac, mac_size)) return SEC_E_MESSAGE_ALTERED;
    status = kerberos_number_check(session, header->number);
    if (status_ok(status)) kerberos_number_take(session, header->number);
    return status;
}

static status_t open_places(struct kerberos_session *session, const struct cfx_header *header,
                            const struct cfx_places *places)
{
    return header->flags & FLAG_SEALED ? open_sealed(session, header, places)
                                       : open_plain(session, header, places);
}

/* What a token has behind its data: all that it has but its header and the confounder. */
static size_t tail_size(const struct kerberos_profile *profile, const struct cfx_header *header)
{
    if (!(header->flags & FLAG_SEALED)) return profile->mac_size;
    return header->ec + CFX_HEADER_SIZE + profile->mac_size;
}

/* EC is the size of the MAC in a token that is not encrypted. */
static bool header_fits(const struct kerberos_profile *profile, const struct cfx_header *header)
{
    return header->flags & FLAG_SEALED || header->ec == profile->mac_size;
}

/* The places in a token of which the tail begins at `tail`, and the confounder at `front`. */
static struct cfx_places places_at(const struct cfx_header *header, uint8_t *token, uint8_t *front,
                                   uint8_t *tail)
{
    bool sealed = header->flags & FLAG_SEALED;
    size_t back_size = sealed ? header->ec + CFX_HEADER_SIZE : 0;
    return (struct cfx_places){
        .header = token,
        .text = {front, sealed ? CFX_BLOCK : 0, NULL, 0, tail, back_size},
        .mac = tail + back_size,
    };
}

/* In DCE style Windows rotates by EC more than it says (MS-KILE 3.4.5.4.1). */
static size_t rotation(const struct kerberos_session *session, const struct cfx_header *header)
{
    bool more = session->flags & KERBEROS_DCE_STYLE && header->flags & FLAG_SEALED && header->rrc;
    return (size_t)header->rrc + (more ? header->ec : 0);
}

/* ---- in one piece ---- */

static void reverse(uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size / 2; i++) {
        uint8_t byte = data[i];
        data[i] = data[size - 1 - i];
        data[size - 1 - i] = byte;
    }
}

/* The first count bytes become the last. */
static void rotate_left(uint8_t *data, size_t size, size_t count)
{
    reverse(data, count);
    reverse(data + count, size - count);
    reverse(data, size);
}

status_t cfx_unwrap_stream(struct kerberos_session *session, uint8_t *token, size_t size,
                           bool *encrypted, struct slice *plain)
{
    const struct kerberos_profile *profile = kerberos_profile_of(session);
    struct cfx_header header;
    status_t status = get_header(session, TOKEN_WRAP, (struct slice){token, size}, &header);
    if (!status_ok(status)) return status;
    bool sealed = header.flags & FLAG_SEALED;
    uint8_t *start = token + CFX_HEADER_SIZE;
    size_t tail = tail_size(profile, &header), front = sealed ? CFX_BLOCK : 0;
    size_t left = size - CFX_HEADER_SIZE;
    if (!header_fits(profile, &header) || left < tail + front) return SEC_E_INVALID_TOKEN;
    size_t turned = rotation(session, &header) % left;
    /* With the tail in front, as SSPI has it, or behind, nothing needs to move. */
    bool in_front = turned == tail;
    if (!in_front) rotate_left(start, left, turned);
    struct message_part data = {start + front + (in_front ? tail : 0), left - tail - front, true};
    uint8_t *tail_at = in_front ? start : start + left - tail;
    struct cfx_places places = places_at(&header, token, data.data - front, tail_at);
    places.text.parts = &data;
    places.text.count = 1;
    status = open_places(session, &header, &places);
    if (!status_ok(status)) {
        if (!in_front) rotate_left(start, left, left - turned);
        return status;
    }
    *encrypted = sealed;
    *plain = (struct slice){data.data, data.size};
    return SEC_E_OK;
}

/* One that GSS_Wrap has made in another rotation, cut where a token of ours would end: as large as
 * the part behind it is what it holds. */
static status_t unwrap_cut(struct kerberos_session *session, const struct message_part *parts,
                           size_t count, struct kerberos_wrapping *wrapping)
{
    struct slice plain;
    if (count != 1 || !parts->sealed || parts->data != wrapping->token + wrapping->token_size)
        return SEC_E_INVALID_TOKEN;
    status_t status = cfx_unwrap_stream(
        session, wrapping->token, wrapping->token_size + parts->size, &wrapping->encrypt, &plain);
    if (status_ok(status)) memmove(parts->data, plain.data, plain.size);
    return status;
}

status_t cfx_unwrap(struct kerberos_session *session, const struct message_part *parts,
                    size_t count, struct kerberos_wrapping *wrapping)
{
    const struct kerberos_profile *profile = kerberos_profile_of(session);
    const struct slice token = {wrapping->token, wrapping->token_size};
    struct cfx_header header;
    status_t status = get_header(session, TOKEN_WRAP, token, &header);
    if (!status_ok(status)) return status;
    bool sealed = header.flags & FLAG_SEALED;
    size_t tail = tail_size(profile, &header), front = sealed ? CFX_BLOCK : 0;
    if (!header_fits(profile, &header) || token.size != CFX_HEADER_SIZE + tail + front ||
        wrapping->padding_size)
        return SEC_E_INVALID_TOKEN;
    if (rotation(session, &header) != tail) return unwrap_cut(session, parts, count, wrapping);
    uint8_t *start = wrapping->token + CFX_HEADER_SIZE;
    struct cfx_places places = places_at(&header, wrapping->token, start + tail, start);
    places.text.parts = parts;
    places.text.count = count;
    status = open_places(session, &header, &places);
    if (status_ok(status)) wrapping->encrypt = sealed;
    return status;
}
