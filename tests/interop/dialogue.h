/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What both ends of an interoperability test do once they are authenticated: in every round one
 * sealed and one signed message each way, of sizes and contents that both ends compute from the
 * round's number. Portable: who protects the messages and who carries the bytes is a table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIALOGUE_MAX_FRAME (1u << 20)

/* How long an end waits for the other one, or for a process that it has started. */
enum { DIALOGUE_PATIENCE_SECONDS = 20 };

extern const char dialogue_closed[], dialogue_silent[]; /* what read and write answer */

/* What a sender does to its own message after protecting it; the receiver must notice. */
enum dialogue_tamper {
    TAMPER_NONE,
    TAMPER_NEGOTIATE,    /* a flag of NTLM's first handshake message */
    TAMPER_CHALLENGE,    /* a flag of the second */
    TAMPER_AUTHENTICATE, /* the integrity code of the third */
    TAMPER_TOKEN,        /* the last octet of any: of Kerberos, what is encrypted */
    TAMPER_MECHANISMS,   /* one more mechanism in SPNEGO's list */
    TAMPER_MECHLISTMIC,  /* the checksum of that list's signature */
    TAMPER_CIPHERTEXT,
    TAMPER_CHECKSUM,
    TAMPER_SEQUENCE,
    TAMPER_REPLAY, /* the sealed message of the round before once more */
    TAMPER_TEXT    /* the text beside a signature */
};

struct octets {
    uint8_t *data; /* from malloc, owned; NULL when empty */
    size_t size;
};

void octets_clear(struct octets *octets);
bool octets_alloc(struct octets *octets, size_t size);

/* What a sealed message consists of where its parts go by themselves (DCE style); borrowed. */
struct dialogue_parts {
    struct octets token, data, padding;
};
/* As one frame: the sizes of token and padding, 32 bits each, then the three. */
bool dialogue_join(const struct dialogue_parts *parts, struct octets *frame);
bool dialogue_concatenate(const struct dialogue_parts *parts, struct octets *frame); /* no sizes */
bool dialogue_split(const struct octets *frame, struct dialogue_parts *parts);

/* Protection gives 0 or a status of the side's own API; outputs are new and owned by the caller. */
struct dialogue_ops {
    uint32_t (*seal)(void *context, const struct octets *text, struct octets *sealed);
    uint32_t (*unseal)(void *context, const struct octets *sealed, struct octets *text);
    uint32_t (*sign)(void *context, const struct octets *text, struct octets *signature);
    uint32_t (*verify)(void *context, const struct octets *text, const struct octets *signature);
    const char *(*status_name)(uint32_t status);
    /* NULL, or why not all bytes went or came: "closed", or that the peer is silent. */
    const char *(*write)(intptr_t channel, const uint8_t *bytes, size_t count);
    const char *(*read)(intptr_t channel, uint8_t *bytes, size_t count);
};

struct dialogue;

/* How another protocol than this one writes and reads frames. */
struct dialogue_framing {
    bool (*send)(struct dialogue *dialogue, const struct octets *frame);
    bool (*receive)(struct dialogue *dialogue, struct octets *frame);
};

struct dialogue {
    const struct dialogue_ops *ops;
    const struct dialogue_framing *framing; /* NULL: this protocol's */
    void *context;
    intptr_t channel;
    bool server;
    enum dialogue_tamper tamper;
    uint32_t tamper_round;
    struct octets previous; /* for TAMPER_REPLAY: what was sealed last */
    char failure[160];      /* why the conversation ended early; empty while all is well */
};

/* Frames: a 32-bit little-endian length, then the bytes. What is received the caller owns. */
bool dialogue_send(struct dialogue *dialogue, const struct octets *frame);
bool dialogue_receive(struct dialogue *dialogue, struct octets *frame);

/* Sends a handshake token; when this end is to tamper with such a one, what goes out differs. */
bool dialogue_send_token(struct dialogue *dialogue, const uint8_t *token, size_t size);

/* Rounds first to first + count - 1; false with the reason in dialogue->failure. */
bool dialogue_run(struct dialogue *dialogue, uint32_t first, uint32_t count);

/* Prints how far this end has come, for whoever must find out where two ends wait. */
void dialogue_progress(const char *step);

/* Writes "STEP STATUS" as the failure, unless there is an earlier one. Always false. */
bool dialogue_fail(struct dialogue *dialogue, const char *step, const char *status);
