/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The reader: values, bounds, the first error staying. */
#include "core/reader.h"

#include "unit.h"

static const uint8_t numbers[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                  12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
                                  23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33};

static void integers(void)
{
    struct reader r;
    reader_init(&r, numbers, sizeof(numbers));
    ok(reader_u8(&r) == 1, "u8");
    ok(reader_u16le(&r) == 0x0302, "u16le");
    ok(reader_u32le(&r) == 0x07060504, "u32le");
    ok(reader_u64le(&r) == 0x0F0E0D0C0B0A0908, "u64le");
    ok(reader_u16be(&r) == 0x1011, "u16be");
    ok(reader_u24be(&r) == 0x121314, "u24be");
    ok(reader_u32be(&r) == 0x15161718, "u32be");
    ok(reader_u64be(&r) == 0x191A1B1C1D1E1F20, "u64be");
    ok(reader_left(&r) == 1 && reader_ok(&r) && !reader_end(&r), "one byte is left");
    ok(reader_u8(&r) == 33 && reader_end(&r), "the end");
}

/* Each read one byte short of what it needs. */
static void too_short(void)
{
    for (size_t size = 0; size < 8; size++) {
        uint8_t *block = exact_copy(numbers, size);
        struct reader start, r;
        uint8_t copied[8];
        memset(copied, 0xAA, sizeof(copied));
        reader_init(&start, block, size);
        if (size < 2) {
            r = start;
            ok(!reader_u16le(&r) && !reader_ok(&r), "u16le of %zu", size);
        }
        if (size < 2) {
            r = start;
            ok(!reader_u16be(&r) && !reader_ok(&r), "u16be of %zu", size);
        }
        if (size < 3) {
            r = start;
            ok(!reader_u24be(&r) && !reader_ok(&r), "u24be of %zu", size);
        }
        if (size < 4) {
            r = start;
            ok(!reader_u32le(&r) && !reader_ok(&r), "u32le of %zu", size);
        }
        if (size < 4) {
            r = start;
            ok(!reader_u32be(&r) && !reader_ok(&r), "u32be of %zu", size);
        }
        r = start;
        ok(!reader_u64le(&r) && !reader_ok(&r), "u64le of %zu", size);
        r = start;
        ok(!reader_u64be(&r) && !reader_ok(&r), "u64be of %zu", size);
        r = start;
        reader_copy(&r, copied, 8);
        ok(!reader_ok(&r) && !memcmp(copied, "\0\0\0\0\0\0\0\0", 8), "copy fills with zeros");
        r = start;
        struct slice bytes = reader_bytes(&r, size + 1);
        ok(!bytes.data && !bytes.size && !reader_ok(&r), "bytes of %zu", size);
        r = start;
        reader_skip(&r, SIZE_MAX);
        ok(!reader_ok(&r) && !reader_left(&r), "skip beyond everything");
        free(block);
    }
}

static void error_stays(void)
{
    struct reader r, child;
    reader_init(&r, numbers, 4);
    reader_skip(&r, 5);
    ok(!reader_u8(&r), "u8 after a failure");
    ok(!reader_bytes(&r, 1).data, "bytes after a failure");
    ok(!reader_window(&r, 0, 1).data, "window after a failure");
    ok(!reader_left(&r) && !reader_end(&r) && !reader_ok(&r), "nothing is left of it");
    reader_sub(&r, 0, &child);
    ok(!reader_ok(&child), "the child of a failed reader");
    reader_init(&r, numbers, 4);
    reader_fail(&r);
    ok(!reader_ok(&r), "failed on request");
}

static void children(void)
{
    struct reader r, child;
    reader_init(&r, numbers, 6);
    reader_skip(&r, 1);
    reader_sub(&r, 3, &child);
    ok(reader_left(&r) == 2 && reader_left(&child) == 3, "sizes");
    ok(reader_u16le(&child) == 0x0302 && reader_u8(&r) == 5, "cursors");
    ok(!reader_u16le(&child) && !reader_ok(&child) && reader_ok(&r), "a child fails alone");
    reader_sub(&r, 2, &child);
    ok(!reader_ok(&r) && !reader_ok(&child), "a child that is too large");
}

static void windows(void)
{
    struct reader r;
    reader_init(&r, numbers, 8);
    reader_skip(&r, 5);
    struct slice part = reader_window(&r, 2, 6);
    ok(part.data == numbers + 2 && part.size == 6, "a window");
    ok(reader_left(&r) == 3, "the cursor stays");
    part = reader_window(&r, SIZE_MAX, 0);
    ok(!part.size && reader_ok(&r), "an empty window may point anywhere");
    part = reader_window(&r, 8, 1);
    ok(!part.data && !reader_ok(&r), "beyond the end");
    reader_init(&r, numbers, 8);
    ok(!reader_window(&r, 7, SIZE_MAX).data && !reader_ok(&r), "a size that would wrap");
    reader_init(&r, numbers, 8);
    ok(!reader_window(&r, SIZE_MAX, 2).data && !reader_ok(&r), "an offset that would wrap");
}

static void nothing_to_read(void)
{
    struct reader r;
    reader_init(&r, NULL, 0);
    ok(reader_end(&r) && reader_ok(&r), "no bytes are read to the end");
    ok(!reader_bytes(&r, 0).size && reader_ok(&r), "and give none");
    ok(!reader_u8(&r) && !reader_ok(&r), "but no integer");
    reader_init(&r, NULL, 5);
    ok(!reader_ok(&r), "bytes nowhere");
}

int main(void)
{
    RUN(integers);
    RUN(too_short);
    RUN(error_stays);
    RUN(children);
    RUN(windows);
    RUN(nothing_to_read);
    return test_end("unit_reader");
}
