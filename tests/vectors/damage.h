/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages are also cut to every shorter length and changed in every byte to every other value,
 * each time in a block of exactly their size.
 */
#pragma once

#include "core/writer.h"
#include "fields.h"

/* Decodes a token, and when that succeeds encodes it again into w. */
typedef status_t message_again(struct slice token, struct writer *w);

static bool prefix_listed(size_t size)
{
    struct vec_field *field = vec_find(section, "valid_prefixes");
    for (const char *at = field ? field->value : ""; *at;) {
        char *end;
        if (strtoul(at, &end, 10) == size) return true;
        if (end == at) return false;
        at = end;
    }
    return false;
}

static void cut(struct slice token, message_again *again)
{
    for (size_t size = 0; size < token.size; size++) {
        struct writer w;
        uint8_t *block = copy_of(token, size);
        writer_init(&w);
        status_t status = again((struct slice){block, size}, &w);
        ok(status == (prefix_listed(size) ? SEC_E_OK : SEC_E_INVALID_TOKEN), "%zu bytes: %x", size,
           (unsigned)status);
        writer_free(&w);
        free(block);
    }
}

static void change(struct slice token, message_again *again)
{
    uint8_t *block = copy_of(token, token.size);
    for (size_t at = 0; at < token.size; at++) {
        for (unsigned difference = 1; difference < 256; difference++) {
            struct writer w;
            writer_init(&w);
            block[at] = (uint8_t)(token.data[at] ^ difference);
            status_t status = again((struct slice){block, token.size}, &w);
            ok(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN, "byte %zu: %x", at,
               (unsigned)status);
            writer_free(&w);
        }
        block[at] = token.data[at];
    }
    free(block);
}

/* The encoder makes the same token of it; all shorter and changed ones do no harm. */
static void check_token(struct slice token, message_again *again)
{
    struct writer w;
    writer_init(&w);
    succeed(again(token, &w), "decode");
    bool exact = !has("other_layout");
    struct slice made = writer_view(&w);
    if (exact && !ok(equal(made, token), "encoded again")) print_bytes(made);
    writer_free(&w);
    cut(token, again);
    change(token, again);
}
