/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The envelope of an exported context: round trips, limits, and every change noticed. */
#include "core/packed.h"

#include "unit.h"

static struct aead *aead;

static struct packed sample(void)
{
    struct packed packed = {.flags = PACKED_FLAGS,
                            .epoch = 0x0102030405060708,
                            .ticket = 77,
                            .nonce = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
                            .package = wide("NTLM"),
                            .body = ascii("the body that the provider wrote")};
    return packed;
}

/* SEC_E_OK when the blob decodes and opens; plain receives the body. */
static status_t open_blob(struct slice blob, struct packed *out, uint8_t *plain)
{
    status_t status = packed_decode(blob, out);
    return status_ok(status) ? packed_open(blob, out, aead, plain) : status;
}

static void round_trip(void)
{
    struct packed packed = sample(), out;
    struct writer w;
    uint8_t plain[64];
    writer_init(&w);
    writer_u32le(&w, 0x11111111); /* what stood before is no part of it */
    ok(packed_encode(&packed, aead, &w) == SEC_E_OK, "encode");
    struct slice all = writer_view(&w), blob = view(all.data + 4, all.size - 4);
    ok(blob.size == packed_size(&packed), "size %u", (unsigned)blob.size);
    ok(open_blob(blob, &out, plain) == SEC_E_OK, "open");
    ok(out.flags == packed.flags && out.epoch == packed.epoch && out.ticket == 77, "numbers");
    ok(!memcmp(out.nonce, packed.nonce, 12) && same(out.package, packed.package), "nonce, name");
    ok(same(view(plain, packed_body_size(&out)), packed.body), "body");
    size_t seen = 0;
    for (size_t i = 0; i + 8 <= blob.size; i++) seen += !memcmp(blob.data + i, "the body", 8);
    ok(!seen, "the body is not to be read in it");
    writer_free(&w);
}

static void layout(void)
{
    struct packed packed = sample();
    struct writer w;
    writer_init(&w);
    ok(packed_encode(&packed, aead, &w) == SEC_E_OK, "encode");
    ok(same(view(writer_view(&w).data, 48),
            hex("57535058 01 0f 0800 0807060504030201 4d00000000000000 0102030405060708090a0b0c"
                "30000000 4e0054004c004d00")),
       "the clear part");
    writer_free(&w);
}

static void changes(void)
{
    struct packed packed = sample(), out;
    struct writer w;
    uint8_t plain[64];
    writer_init(&w);
    ok(packed_encode(&packed, aead, &w) == SEC_E_OK, "encode");
    size_t size = writer_view(&w).size;
    uint8_t *blob = exact_copy(writer_view(&w).data, size);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ok(!status_ok(open_blob(view(blob, size), &out, plain)), "bit %u", (unsigned)bit);
        blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    ok(open_blob(view(blob, size), &out, plain) == SEC_E_OK, "unchanged");
    for (size_t part = 0; part < size; part++) {
        uint8_t *cut = exact_copy(blob, part);
        ok(packed_decode(view(cut, part), &out) == SEC_E_INVALID_TOKEN, "%u bytes", (unsigned)part);
        free(cut);
    }
    writer_u8(&w, 0);
    ok(packed_decode(writer_view(&w), &out) == SEC_E_INVALID_TOKEN, "a byte too many");
    free(blob);
    writer_free(&w);
}

static void other_key(void)
{
    struct packed packed = sample(), out;
    struct writer w;
    struct aead *other = NULL;
    uint8_t key[32] = {2}, plain[64];
    writer_init(&w);
    ok(packed_encode(&packed, aead, &w) == SEC_E_OK && !aead_create(AEAD_AES_256_GCM, key, &other),
       "encode");
    ok(packed_decode(writer_view(&w), &out) == SEC_E_OK, "the clear part is readable");
    memset(plain, 0xEE, sizeof(plain));
    ok(packed_open(writer_view(&w), &out, other, plain) == SEC_E_MESSAGE_ALTERED, "not the body");
    ok(!plain[0] && !plain[packed_body_size(&out) - 1], "and nothing of it is left behind");
    aead_free(other);
    writer_free(&w);
}

static status_t encode_status(const struct packed *packed)
{
    struct writer w;
    writer_init(&w);
    status_t status = packed_encode(packed, aead, &w);
    ok(status_ok(status) || !writer_view(&w).size, "a refusal writes nothing");
    writer_free(&w);
    return status;
}

static void limits(void)
{
    struct packed packed = sample();
    uint8_t name[130];
    memset(name, 'x', sizeof(name));
    packed.package = view(name, 128);
    ok(encode_status(&packed) == SEC_E_OK, "64 characters");
    packed.package = view(name, 130);
    ok(encode_status(&packed) == SEC_E_INVALID_PARAMETER, "65 characters");
    packed.package = view(name, 0);
    ok(encode_status(&packed) == SEC_E_INVALID_PARAMETER, "no name");
    packed.package = view(name, 3);
    ok(encode_status(&packed) == SEC_E_INVALID_PARAMETER, "half a character");
    packed = sample();
    packed.flags |= PACKED_FLAGS + 1;
    ok(encode_status(&packed) == SEC_E_INVALID_PARAMETER, "unknown flag");
    packed.flags = PACKED_SINGLE_USE;
    packed.ticket = 0;
    ok(encode_status(&packed) == SEC_E_INVALID_PARAMETER, "single use without a ticket");
    packed.flags = 0;
    ok(encode_status(&packed) == SEC_E_OK, "neither");
    packed.ticket = 1;
    ok(encode_status(&packed) == SEC_E_INVALID_PARAMETER, "a ticket for nothing");
    packed = sample();
    packed.body = view(NULL, 0);
    ok(encode_status(&packed) == SEC_E_OK, "an empty body");
    packed.body = view(name, PACKED_BODY_MAX + 1u);
    ok(encode_status(&packed) == SEC_E_INVALID_PARAMETER, "too large a body");
}

static void too_small(void)
{
    struct packed packed = sample();
    size_t needed = packed_size(&packed);
    for (size_t size = 0; size <= needed; size++) {
        uint8_t *block = exact_copy(unit_pool, size);
        struct writer w;
        writer_init_fixed(&w, block, size);
        status_t status = packed_encode(&packed, aead, &w);
        ok(status == (size < needed ? SEC_E_BUFFER_TOO_SMALL : SEC_E_OK), "%u bytes",
           (unsigned)size);
        writer_free(&w);
        free(block);
    }
}

int main(void)
{
    static const uint8_t key[32] = {1};
    if (crypto_init() != SEC_E_OK || aead_create(AEAD_AES_256_GCM, key, &aead) != SEC_E_OK)
        return EXIT_FAILURE;
    RUN(round_trip);
    RUN(layout);
    RUN(changes);
    RUN(other_key);
    RUN(limits);
    RUN(too_small);
    aead_free(aead);
    return test_end("unit_packed");
}
