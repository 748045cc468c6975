/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * AES-CBC with ciphertext stealing (CBC-CS3: RFC 3962 5, RFC 8009 5) over bytes that lie in several
 * places, in place. Whole blocks that lie together go to the cipher as one run; only blocks that
 * are spread, and the last two, take the way over a block of ours. So do short messages as a whole,
 * since a call of the cipher costs more than copying them.
 */
#include "kerberos_private.h"

#include <string.h>

#define SHORT_SIZE 256u

size_t kerberos_parts_size(const struct message_part *parts, size_t count, bool sealed_only)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        if (parts[i].sealed || !sealed_only) size += parts[i].size;
    return size;
}

void kerberos_hash_parts(struct hasher *hasher, const struct message_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) hasher_update(hasher, parts[i].data, parts[i].size);
}

void kerberos_hash_spread(struct hasher *hasher, const struct kerberos_spread *spread)
{
    hasher_update(hasher, spread->front, spread->front_size);
    kerberos_hash_parts(hasher, spread->parts, spread->count);
    hasher_update(hasher, spread->back, spread->back_size);
}

/* ---- where one is in a spread ---- */

struct cursor {
    const struct kerberos_spread *spread;
    size_t piece; /* 0: front; count + 1: back */
    size_t offset;
};

struct run {
    uint8_t *data;
    size_t size;
};

static struct run piece_of(const struct kerberos_spread *spread, size_t piece)
{
    if (!piece) return (struct run){spread->front, spread->front_size};
    if (piece > spread->count) return (struct run){spread->back, spread->back_size};
    const struct message_part *part = &spread->parts[piece - 1];
    return (struct run){part->data, part->sealed ? part->size : 0};
}

/* What lies together from here on, at most limit bytes, which are there. */
static struct run run_here(struct cursor *at, size_t limit)
{
    struct run run = piece_of(at->spread, at->piece);
    while (at->offset == run.size) {
        at->offset = 0;
        run = piece_of(at->spread, ++at->piece);
    }
    run.data += at->offset;
    run.size -= at->offset;
    if (run.size > limit) run.size = limit;
    return run;
}

static void gather(struct cursor *at, uint8_t *to, size_t size)
{
    while (size) {
        struct run run = run_here(at, size);
        memcpy(to, run.data, run.size);
        at->offset += run.size;
        to += run.size;
        size -= run.size;
    }
}

static void scatter(struct cursor *at, const uint8_t *from, size_t size)
{
    while (size) {
        struct run run = run_here(at, size);
        memcpy(run.data, from, run.size);
        at->offset += run.size;
        from += run.size;
        size -= run.size;
    }
}

/* ---- blocks ---- */

/* previous is the last block as it was encrypted, which decrypting takes away. */
static void crypt_run(struct cbc *cbc, bool encrypt, uint8_t *data, size_t size,
                      uint8_t previous[CFX_BLOCK])
{
    if (encrypt) {
        cbc_encrypt(cbc, data, size);
    } else {
        memcpy(previous, data + size - CFX_BLOCK, CFX_BLOCK);
        cbc_decrypt(cbc, data, size);
    }
}

/* size is one of whole blocks. */
static void crypt_whole(struct cbc *cbc, bool encrypt, struct cursor *at, size_t size,
                        uint8_t previous[CFX_BLOCK])
{
    while (size) {
        uint8_t block[CFX_BLOCK];
        struct run run = run_here(at, size);
        run.size -= run.size % CFX_BLOCK;
        if (run.size) {
            crypt_run(cbc, encrypt, run.data, run.size, previous);
            at->offset += run.size;
        } else {
            struct cursor back = *at;
            run.size = CFX_BLOCK;
            gather(at, block, CFX_BLOCK);
            crypt_run(cbc, encrypt, block, CFX_BLOCK, previous);
            scatter(&back, block, CFX_BLOCK);
        }
        size -= run.size;
    }
}

static void exchange(uint8_t *a, uint8_t *b)
{
    uint8_t block[CFX_BLOCK];
    memcpy(block, a, CFX_BLOCK);
    memcpy(a, b, CFX_BLOCK);
    memcpy(b, block, CFX_BLOCK);
}

static void add_block(uint8_t *to, const uint8_t *block)
{
    for (size_t i = 0; i < CFX_BLOCK; i++) to[i] ^= block[i];
}

/* The end of a message, from the last two blocks on at the latest; there is room for whole ones. */
static void encrypt_end(struct cbc *cbc, uint8_t *end, size_t size)
{
    size_t padded = (size + CFX_BLOCK - 1) / CFX_BLOCK * CFX_BLOCK;
    memset(end + size, 0, padded - size);
    cbc_encrypt(cbc, end, padded);
    exchange(end + padded - 2 * CFX_BLOCK, end + padded - CFX_BLOCK);
}

static void decrypt_end(struct cbc *cbc, uint8_t *end, size_t size, uint8_t previous[CFX_BLOCK])
{
    size_t padded = (size + CFX_BLOCK - 1) / CFX_BLOCK * CFX_BLOCK, whole = padded - 2 * CFX_BLOCK;
    uint8_t *one = end + whole, *two = one + CFX_BLOCK, stolen[CFX_BLOCK];
    if (padded == size) {
        exchange(one, two);
        cbc_decrypt(cbc, end, size);
        return;
    }
    if (whole) crypt_run(cbc, false, end, whole, previous);
    /* The block that is whole gives the end of the text, and what was stolen from the other. The
     * cipher adds what comes before it in its order, which is not that of the message. */
    memcpy(stolen, one, CFX_BLOCK);
    cbc_decrypt(cbc, one, CFX_BLOCK);
    add_block(one, previous);
    memcpy(two + (size - whole - CFX_BLOCK), one + (size - whole - CFX_BLOCK), padded - size);
    add_block(one, two);
    exchange(one, two);
    cbc_decrypt(cbc, one, CFX_BLOCK);
    add_block(one, stolen);
    add_block(one, previous);
}

void kerberos_cts(struct cbc *cbc, bool encrypt, const struct kerberos_spread *spread)
{
    uint8_t end[SHORT_SIZE], previous[CFX_BLOCK] = {0};
    struct cursor at = {.spread = spread};
    size_t size = spread->front_size + spread->back_size +
                  kerberos_parts_size(spread->parts, spread->count, true);
    size_t whole = size > SHORT_SIZE ? ((size + CFX_BLOCK - 1) / CFX_BLOCK - 2) * CFX_BLOCK : 0;
    cbc_start(cbc);
    crypt_whole(cbc, encrypt, &at, whole, previous);
    struct cursor back = at;
    gather(&at, end, size - whole);
    if (encrypt) encrypt_end(cbc, end, size - whole);
    else decrypt_end(cbc, end, size - whole, previous);
    scatter(&back, end, size - whole);
}

status_t kerberos_crypt(struct slice key, bool encrypt, const struct message_part *parts,
                        size_t count)
{
    const struct kerberos_spread spread = {.parts = parts, .count = count};
    struct cbc *cbc = NULL;
    if (kerberos_parts_size(parts, count, true) <= CFX_BLOCK) return SEC_E_INVALID_PARAMETER;
    status_t status = cbc_create(key, &cbc);
    if (!status_ok(status)) return status;
    kerberos_cts(cbc, encrypt, &spread);
    cbc_free(cbc);
    return SEC_E_OK;
}
