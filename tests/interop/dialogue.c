/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The conversation of an interoperability test; see dialogue.h. A sealed frame is what GSS-API
 * calls a wrap token: for NTLM the 16-octet signature of MS-NLMP 2.2.2.9, then the ciphertext; for
 * Kerberos a header of 16 octets with the number at the same place (RFC 4121 4.2.6.2).
 */
#include "dialogue.h"

#include "tamper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNATURE_SIZE = 16, CHECKSUM_OFFSET = 4, SEQUENCE_OFFSET = 12 };

/* No empty message: the GSS-API library of MIT refuses it before NTLM is asked. */
static const uint32_t edge_sizes[] = {
    1, 2, 7, 8, 15, 16, 17, 31, 63, 64, 255, 256, 1000, 1024, 4095, 4096, 16384, 65535, 65536,
};

const char dialogue_closed[] = "closed", dialogue_silent[] = "silent";

void octets_clear(struct octets *octets)
{
    free(octets->data);
    octets->data = NULL;
    octets->size = 0;
}

bool octets_alloc(struct octets *octets, size_t size)
{
    octets->data = malloc(size ? size : 1);
    octets->size = octets->data ? size : 0;
    return octets->data != NULL;
}

bool dialogue_fail(struct dialogue *dialogue, const char *step, const char *status)
{
    if (!dialogue->failure[0]) {
        snprintf(dialogue->failure, sizeof(dialogue->failure), "%s %s", step, status);
    }
    return false;
}

void dialogue_progress(const char *step)
{
    printf("at: %s\n", step);
    fflush(stdout);
}

static bool check(struct dialogue *dialogue, const char *step, uint32_t status)
{
    return !status || dialogue_fail(dialogue, step, dialogue->ops->status_name(status));
}

static void put_size(uint8_t bytes[4], size_t size)
{
    for (unsigned i = 0; i < 4; i++) bytes[i] = (uint8_t)(size >> (8 * i));
}

static size_t get_size(const uint8_t bytes[4])
{
    size_t size = 0;
    for (unsigned i = 0; i < 4; i++) size |= (size_t)bytes[i] << (8 * i);
    return size;
}

/* From the octet at `start` on. */
static bool join_at(const struct dialogue_parts *parts, size_t start, struct octets *frame)
{
    const struct octets *const all[] = {&parts->token, &parts->data, &parts->padding};
    if (!octets_alloc(frame, start + all[0]->size + all[1]->size + all[2]->size)) return false;
    for (unsigned i = 0; i < 3; i++) {
        if (all[i]->size) memcpy(frame->data + start, all[i]->data, all[i]->size);
        start += all[i]->size;
    }
    return true;
}

bool dialogue_join(const struct dialogue_parts *parts, struct octets *frame)
{
    if (!join_at(parts, 8, frame)) return false;
    put_size(frame->data, parts->token.size);
    put_size(frame->data + 4, parts->padding.size);
    return true;
}

bool dialogue_concatenate(const struct dialogue_parts *parts, struct octets *frame)
{
    return join_at(parts, 0, frame);
}

bool dialogue_split(const struct octets *frame, struct dialogue_parts *parts)
{
    if (frame->size < 8) return false;
    const size_t token = get_size(frame->data), padding = get_size(frame->data + 4);
    const size_t rest = frame->size - 8;
    if (token > rest || padding > rest - token) return false;
    uint8_t *at = frame->data + 8;
    parts->token = (struct octets){at, token};
    parts->data = (struct octets){at + token, rest - token - padding};
    parts->padding = (struct octets){at + rest - padding, padding};
    return true;
}

bool dialogue_send(struct dialogue *dialogue, const struct octets *frame)
{
    uint8_t length[4];
    if (dialogue->framing) return dialogue->framing->send(dialogue, frame);
    put_size(length, frame->size);
    const char *failure = dialogue->ops->write(dialogue->channel, length, sizeof(length));
    if (!failure) failure = dialogue->ops->write(dialogue->channel, frame->data, frame->size);
    return !failure || dialogue_fail(dialogue, "connection", failure);
}

bool dialogue_receive(struct dialogue *dialogue, struct octets *frame)
{
    uint8_t length[4];
    if (dialogue->framing) return dialogue->framing->receive(dialogue, frame);
    const char *failure = dialogue->ops->read(dialogue->channel, length, sizeof(length));
    if (failure) return dialogue_fail(dialogue, "connection", failure);
    const size_t size = get_size(length);
    if (size > DIALOGUE_MAX_FRAME) return dialogue_fail(dialogue, "receive", "frame too long");
    if (!octets_alloc(frame, size)) return dialogue_fail(dialogue, "receive", "out of memory");
    failure = dialogue->ops->read(dialogue->channel, frame->data, size);
    if (!failure) return true;
    octets_clear(frame);
    return dialogue_fail(dialogue, "connection", failure);
}

bool dialogue_send_token(struct dialogue *dialogue, const uint8_t *token, size_t size)
{
    struct octets frame = {0};
    if (!octets_alloc(&frame, size + TAMPER_TOKEN_GROWTH)) {
        return dialogue_fail(dialogue, "send", "out of memory");
    }
    memcpy(frame.data, token, size);
    frame.size = size;
    tamper_token(dialogue->tamper, &frame);
    bool sent = dialogue_send(dialogue, &frame);
    octets_clear(&frame);
    return sent;
}

static uint32_t mix(uint32_t value)
{
    value ^= value >> 16;
    value *= 0x7feb352du;
    value ^= value >> 15;
    value *= 0x846ca68bu;
    return value ^ (value >> 16);
}

/* The text of one message: both ends can make it, and no two messages are alike. */
static bool make_text(struct octets *text, uint32_t round, bool from_server, bool sealed)
{
    uint32_t seed = mix(round * 4 + (from_server ? 2u : 0u) + (sealed ? 1u : 0u) + 1);
    const uint32_t edges = sizeof(edge_sizes) / sizeof(edge_sizes[0]);
    size_t size = round < edges ? edge_sizes[round] : 1 + seed % 65536;
    if (!octets_alloc(text, size)) return false;
    for (size_t i = 0; i < size; i++) text->data[i] = (uint8_t)mix(seed + (uint32_t)i);
    return true;
}

static bool same_text(struct dialogue *dialogue, const char *step, const struct octets *got,
                      uint32_t round, bool sealed)
{
    struct octets expected = {0};
    if (!make_text(&expected, round, !dialogue->server, sealed)) {
        return dialogue_fail(dialogue, step, "out of memory");
    }
    bool same = got->size == expected.size && !memcmp(got->data, expected.data, got->size);
    octets_clear(&expected);
    return same || dialogue_fail(dialogue, step, "other text than was sent");
}

/* Keeps the sealed message, and in the round for it gives the one of the round before. */
static void replay_sealed(struct dialogue *dialogue, uint32_t round, struct octets *sealed)
{
    struct octets previous = dialogue->previous;
    dialogue->previous = *sealed;
    *sealed = previous;
    if (round == dialogue->tamper_round && previous.data) return;
    octets_clear(sealed);
    if (!octets_alloc(sealed, dialogue->previous.size)) return;
    memcpy(sealed->data, dialogue->previous.data, sealed->size);
}

static void tamper_sealed(struct dialogue *dialogue, uint32_t round, struct octets *sealed)
{
    if (dialogue->tamper == TAMPER_REPLAY) replay_sealed(dialogue, round, sealed);
    if (round != dialogue->tamper_round || sealed->size <= SIGNATURE_SIZE) return;
    if (dialogue->tamper == TAMPER_CIPHERTEXT) sealed->data[sealed->size - 1] ^= 0x01;
    if (dialogue->tamper == TAMPER_CHECKSUM) sealed->data[CHECKSUM_OFFSET] ^= 0x01;
    if (dialogue->tamper == TAMPER_SEQUENCE) sealed->data[SEQUENCE_OFFSET] ^= 0x01;
}

static bool send_sealed(struct dialogue *dialogue, uint32_t round)
{
    struct octets text = {0}, sealed = {0};
    bool good = make_text(&text, round, dialogue->server, true) ||
                dialogue_fail(dialogue, "seal", "out of memory");
    good = good && check(dialogue, "seal", dialogue->ops->seal(dialogue->context, &text, &sealed));
    if (good) tamper_sealed(dialogue, round, &sealed);
    good = good && dialogue_send(dialogue, &sealed);
    octets_clear(&sealed);
    octets_clear(&text);
    return good;
}

static bool receive_sealed(struct dialogue *dialogue, uint32_t round)
{
    struct octets sealed = {0}, text = {0};
    bool good = dialogue_receive(dialogue, &sealed);
    good = good &&
           check(dialogue, "unseal", dialogue->ops->unseal(dialogue->context, &sealed, &text));
    good = good && same_text(dialogue, "unseal", &text, round, true);
    octets_clear(&text);
    octets_clear(&sealed);
    return good;
}

static bool send_signed(struct dialogue *dialogue, uint32_t round)
{
    struct octets text = {0}, signature = {0};
    bool good = make_text(&text, round, dialogue->server, false) ||
                dialogue_fail(dialogue, "sign", "out of memory");
    good = good &&
           check(dialogue, "sign", dialogue->ops->sign(dialogue->context, &text, &signature));
    if (dialogue->tamper == TAMPER_TEXT && round == dialogue->tamper_round && text.size) {
        text.data[text.size / 2] ^= 0x80;
    }
    good = good && dialogue_send(dialogue, &text) && dialogue_send(dialogue, &signature);
    octets_clear(&signature);
    octets_clear(&text);
    return good;
}

static bool receive_signed(struct dialogue *dialogue, uint32_t round)
{
    struct octets text = {0}, signature = {0};
    bool good = dialogue_receive(dialogue, &text) && dialogue_receive(dialogue, &signature);
    good = good &&
           check(dialogue, "verify", dialogue->ops->verify(dialogue->context, &text, &signature));
    good = good && same_text(dialogue, "verify", &text, round, false);
    octets_clear(&signature);
    octets_clear(&text);
    return good;
}

bool dialogue_run(struct dialogue *dialogue, uint32_t first, uint32_t count)
{
    bool good = true;
    for (uint32_t round = first; good && round - first < count; round++) {
        if (dialogue->server) {
            good = receive_sealed(dialogue, round) && send_sealed(dialogue, round) &&
                   receive_signed(dialogue, round) && send_signed(dialogue, round);
        } else {
            good = send_sealed(dialogue, round) && receive_sealed(dialogue, round) &&
                   send_signed(dialogue, round) && receive_signed(dialogue, round);
        }
        if (!good) fprintf(stderr, "round %u: %s\n", (unsigned)round, dialogue->failure);
    }
    octets_clear(&dialogue->previous);
    return good;
}
