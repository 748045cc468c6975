/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The writer: bytes, both kinds of block, the first error emptying it. */
#include "core/writer.h"

#include "core/secret.h"
#include "unit.h"

static void write_numbers(struct writer *w)
{
    writer_u8(w, 0x01);
    writer_u16le(w, 0x0203);
    writer_u32le(w, 0x04050607);
    writer_u64le(w, 0x08090A0B0C0D0E0F);
    writer_u16be(w, 0x0203);
    writer_u32be(w, 0x04050607);
    writer_u64be(w, 0x08090A0B0C0D0E0F);
    writer_bytes(w, "ab", 2);
    writer_slice(w, ascii("c"));
    writer_zero(w, 2);
}

static const char numbers[] = "01 0302 07060504 0f0e0d0c0b0a0908 0203 04050607 08090a0b0c0d0e0f"
                              "616263 0000";

static void integers(void)
{
    struct writer w;
    uint8_t block[34];
    writer_init(&w);
    write_numbers(&w);
    ok(same(writer_view(&w), hex(numbers)), "growing");
    ok(writer_status(&w) == SEC_E_OK, "status");
    writer_free(&w);
    writer_init_fixed(&w, block, sizeof(block));
    write_numbers(&w);
    ok(writer_status(&w) == SEC_E_OK && same(writer_view(&w), hex(numbers)), "exactly full");
    writer_u8(&w, 1);
    ok(writer_status(&w) == SEC_E_BUFFER_TOO_SMALL, "one byte more");
    writer_free(&w);
}

/* A fixed block of every smaller size. */
static void too_small(void)
{
    for (size_t size = 0; size < 34; size++) {
        uint8_t *block = exact_copy(numbers, size);
        struct writer w;
        writer_init_fixed(&w, block, size);
        write_numbers(&w);
        ok(writer_status(&w) == SEC_E_BUFFER_TOO_SMALL, "%zu bytes", size);
        ok(!writer_view(&w).size, "it is empty");
        writer_u8(&w, 1);
        ok(!writer_view(&w).size, "and stays so");
        writer_free(&w);
        free(block);
    }
}

/* What was made room for moves no more; a fixed block has the room or has not. */
static void prepared(void)
{
    struct writer w;
    uint8_t block[8];
    writer_init(&w);
    writer_u8(&w, 1);
    ok(writer_prepare(&w, 5000) == SEC_E_OK, "growing");
    const uint8_t *data = writer_view(&w).data;
    ok(writer_view(&w).size == 1 && data[0] == 1, "what was written is there, and no more");
    writer_zero(&w, 5000);
    ok(writer_view(&w).data == data && writer_status(&w) == SEC_E_OK, "the block has moved");
    writer_free(&w);
    writer_init_fixed(&w, block, sizeof(block));
    writer_u8(&w, 1);
    ok(writer_prepare(&w, 7) == SEC_E_OK, "fixed, just enough");
    ok(writer_prepare(&w, 8) == SEC_E_BUFFER_TOO_SMALL, "fixed, too much");
    ok(writer_status(&w) == SEC_E_OK && writer_view(&w).size == 1, "nothing has changed");
    writer_fail(&w);
    ok(writer_prepare(&w, 1) == SEC_E_BUFFER_TOO_SMALL, "after a failure");
    writer_free(&w);
}

static void failure_wipes(void)
{
    struct writer w;
    uint8_t block[8];
    memset(block, 0x55, sizeof(block));
    writer_init_fixed(&w, block, sizeof(block));
    writer_u32le(&w, 0x11223344);
    writer_fail(&w);
    ok(!memcmp(block, "\0\0\0\0\x55\x55\x55\x55", 8), "what was written is gone, nothing else");
    writer_init_fixed(&w, block, sizeof(block));
    writer_u64le(&w, 0x1122334455667788);
    writer_free(&w);
    ok(!memcmp(block, "\0\0\0\0\0\0\0\0", 8), "free wipes too");
}

static void grows(void)
{
    struct writer w;
    uint32_t state = 1;
    writer_init(&w);
    for (size_t i = 0; i < 100000; i++) writer_u8(&w, (uint8_t)next_random(&state));
    struct slice all = writer_view(&w);
    ok(all.size == 100000, "size %zu", all.size);
    state = 1;
    size_t right = 0;
    for (size_t i = 0; i < all.size; i++) right += all.data[i] == (uint8_t)next_random(&state);
    ok(right == all.size, "%zu bytes are right", right);
    writer_bytes(&w, all.data, 0);
    ok(writer_view(&w).size == 100000, "nothing appended");
    writer_zero(&w, SIZE_MAX - 1);
    ok(writer_status(&w) == SEC_E_INSUFFICIENT_MEMORY && !writer_view(&w).size, "beyond memory");
    writer_free(&w);
}

static void patches(void)
{
    struct writer w;
    writer_init(&w);
    writer_u8(&w, 9);
    size_t at = writer_reserve(&w, 8);
    writer_u8(&w, 9);
    ok(at == 1 && same(writer_view(&w), hex("09000000000000000009")), "reserved");
    writer_patch_u16le(&w, at, 0x0102);
    writer_patch_u32le(&w, at + 2, 0x03040506);
    writer_patch_bytes(&w, at + 6, "xy", 2);
    ok(same(writer_view(&w), hex("09 0201 06050403 7879 09")), "patched");
    writer_patch_u16le(&w, 9, 1);
    ok(!status_ok(writer_status(&w)), "a patch across the end");
    writer_free(&w);
    writer_init(&w);
    writer_patch_u32le(&w, SIZE_MAX - 1, 1);
    ok(!status_ok(writer_status(&w)), "a patch nowhere");
    writer_free(&w);
}

static void lengths(void)
{
    struct writer w;
    writer_init(&w);
    size_t outer = writer_open_u16le(&w);
    size_t inner = writer_open_u16le(&w);
    writer_bytes(&w, "abc", 3);
    writer_close_u16le(&w, inner);
    writer_close_u16le(&w, outer);
    ok(same(writer_view(&w), hex("0500 0300 616263")), "nested");
    writer_free(&w);

    for (size_t more = 0; more < 2; more++) {
        writer_init(&w);
        size_t mark = writer_open_u16le(&w);
        writer_zero(&w, UINT16_MAX + more);
        writer_close_u16le(&w, mark);
        ok(status_ok(writer_status(&w)) == !more, "65,535 bytes and %zu", more);
        if (!more) ok(writer_view(&w).data[0] == 0xFF && writer_view(&w).data[1] == 0xFF, "size");
        writer_free(&w);
    }
}

static void take(void)
{
    struct writer w;
    uint8_t block[4], *taken = NULL;
    size_t size = 77;
    writer_init(&w);
    writer_bytes(&w, "abc", 3);
    ok(writer_take(&w, &taken, &size) == SEC_E_OK && size == 3, "taken");
    ok(taken && !memcmp(taken, "abc", 3), "bytes");
    ok(!writer_view(&w).size && !w.data, "the writer is empty");
    writer_free(&w);
    secret_free(taken, size);

    taken = block;
    size = 77;
    writer_init(&w);
    writer_u8(&w, 1);
    writer_fail(&w);
    ok(writer_take(&w, &taken, &size) == SEC_E_INSUFFICIENT_MEMORY, "of a failed writer");
    ok(taken == block && size == 77, "outputs untouched");
    writer_free(&w);
    writer_init_fixed(&w, block, sizeof(block));
    ok(!status_ok(writer_take(&w, &taken, &size)) && taken == block, "a fixed block stays");
}

int main(void)
{
    RUN(integers);
    RUN(too_small);
    RUN(prepared);
    RUN(failure_wipes);
    RUN(grows);
    RUN(patches);
    RUN(lengths);
    RUN(take);
    return test_end("unit_writer");
}
