/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See sample.h. A frame is an octet of flags, a 32-bit big-endian length and the bytes. Left out is
 * the older format without flags.
 */
#include "sample.h"

#include <string.h>

enum {
    SAMPLE_NOOP = 0x01,
    SAMPLE_CONTEXT = 0x02,
    SAMPLE_DATA = 0x04,
    SAMPLE_MIC = 0x08,
    SAMPLE_CONTEXT_NEXT = 0x10,
    SAMPLE_WRAPPED = 0x20,
    SAMPLE_ENCRYPTED = 0x40,
    SAMPLE_SEND_MIC = 0x80,
    HEAD_SIZE = 5,
};

static bool check(struct dialogue *dialogue, const char *step, uint32_t status)
{
    return !status || dialogue_fail(dialogue, step, dialogue->ops->status_name(status));
}

static bool send_frame(struct dialogue *dialogue, uint8_t flags, const struct octets *frame)
{
    uint8_t head[HEAD_SIZE] = {flags};
    for (unsigned i = 1; i < HEAD_SIZE; i++) {
        head[i] = (uint8_t)(frame->size >> (8 * (HEAD_SIZE - 1 - i)));
    }
    const char *failure = dialogue->ops->write(dialogue->channel, head, sizeof(head));
    if (!failure) failure = dialogue->ops->write(dialogue->channel, frame->data, frame->size);
    return !failure || dialogue_fail(dialogue, "connection", failure);
}

static bool receive_frame(struct dialogue *dialogue, uint8_t *flags, struct octets *frame)
{
    uint8_t head[HEAD_SIZE];
    size_t size = 0;
    const char *failure = dialogue->ops->read(dialogue->channel, head, sizeof(head));
    if (failure) return dialogue_fail(dialogue, "connection", failure);
    for (unsigned i = 1; i < HEAD_SIZE; i++) size = size << 8 | head[i];
    if (size > DIALOGUE_MAX_FRAME) return dialogue_fail(dialogue, "receive", "frame too long");
    if (!octets_alloc(frame, size)) return dialogue_fail(dialogue, "receive", "out of memory");
    failure = dialogue->ops->read(dialogue->channel, frame->data, size);
    *flags = head[0];
    if (!failure) return true;
    octets_clear(frame);
    return dialogue_fail(dialogue, "connection", failure);
}

/* A frame that must have just these flags. */
static bool receive_kind(struct dialogue *dialogue, uint8_t wanted, struct octets *frame)
{
    uint8_t flags;
    if (!receive_frame(dialogue, &flags, frame)) return false;
    if (flags == wanted) return true;
    octets_clear(frame);
    return dialogue_fail(dialogue, "receive", "a frame of another kind");
}

static bool send_token(struct dialogue *dialogue, const struct octets *token)
{
    return send_frame(dialogue, SAMPLE_CONTEXT, token);
}

static bool receive_token(struct dialogue *dialogue, struct octets *token)
{
    return receive_kind(dialogue, SAMPLE_CONTEXT, token);
}

const struct dialogue_framing sample_framing = {.send = send_token, .receive = receive_token};

/* A frame without bytes, of the client. */
static bool say_nothing(struct dialogue *dialogue, uint8_t flags)
{
    struct octets none = {0};
    if (!dialogue->server) return send_frame(dialogue, flags, &none);
    bool good = receive_kind(dialogue, flags, &none);
    octets_clear(&none);
    return good;
}

bool sample_begin(struct dialogue *dialogue)
{
    return say_nothing(dialogue, SAMPLE_NOOP | SAMPLE_CONTEXT_NEXT);
}

bool sample_end(struct dialogue *dialogue)
{
    return say_nothing(dialogue, SAMPLE_NOOP);
}

/* Letters, since gss-server prints them; of another length in each round. */
static bool client_round(struct dialogue *dialogue, uint32_t round)
{
    const struct sspi_side *side = dialogue->context;
    struct octets text = {0}, sealed = {0}, signature = {0};
    uint8_t flags = SAMPLE_DATA | SAMPLE_WRAPPED | SAMPLE_SEND_MIC;
    if (side->qop != SECQOP_WRAP_NO_ENCRYPT) flags |= SAMPLE_ENCRYPTED;
    bool good = octets_alloc(&text, 1 + round * 997 % 20000) ||
                dialogue_fail(dialogue, "seal", "out of memory");
    if (good) memset(text.data, 'a' + (int)(round % 26), text.size);
    good = good && check(dialogue, "seal", dialogue->ops->seal(dialogue->context, &text, &sealed));
    good = good && send_frame(dialogue, flags, &sealed) &&
           receive_kind(dialogue, SAMPLE_MIC, &signature);
    good = good &&
           check(dialogue, "verify", dialogue->ops->verify(dialogue->context, &text, &signature));
    octets_clear(&signature);
    octets_clear(&sealed);
    octets_clear(&text);
    return good;
}

static bool server_round(struct dialogue *dialogue)
{
    struct octets message = {0}, text = {0}, signature = {0};
    uint8_t flags;
    bool good = receive_frame(dialogue, &flags, &message);
    if (good && (flags & (SAMPLE_DATA | SAMPLE_SEND_MIC)) != (SAMPLE_DATA | SAMPLE_SEND_MIC)) {
        good = dialogue_fail(dialogue, "receive", "a frame of another kind");
    }
    if (good && flags & SAMPLE_WRAPPED) {
        good = check(dialogue, "unseal", dialogue->ops->unseal(dialogue->context, &message, &text));
    } else if (good) {
        text = message;
        message = (struct octets){0};
    }
    good = good &&
           check(dialogue, "sign", dialogue->ops->sign(dialogue->context, &text, &signature));
    good = good && send_frame(dialogue, SAMPLE_MIC, &signature);
    octets_clear(&signature);
    octets_clear(&text);
    octets_clear(&message);
    return good;
}

bool sample_run(struct dialogue *dialogue, uint32_t first, uint32_t count)
{
    bool good = true;
    for (uint32_t round = first; good && round - first < count; round++) {
        good = dialogue->server ? server_round(dialogue) : client_round(dialogue, round);
    }
    return good;
}
