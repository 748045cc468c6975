/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DER: the shortest length and no other, elements that nest, the first error staying. */
#include "core/der.h"

#include "unit.h"

static struct reader reader_of(struct slice bytes)
{
    struct reader r;
    reader_init(&r, bytes.data, bytes.size);
    return r;
}

static void elements(void)
{
    struct reader inner, r = reader_of(hex("3007 0402aabb 0a0103 0400"));
    ok(der_next_is(&r, DER_SEQUENCE) && !der_next_is(&r, DER_OID), "the tag");
    der_enter(&r, DER_SEQUENCE, &inner);
    struct slice bytes = der_bytes(&inner, DER_OCTET_STRING);
    ok(same(bytes, hex("aabb")), "an OCTET STRING");
    ok(der_next_is(&inner, DER_ENUMERATED), "the next tag");
    ok(same(der_element(&inner, DER_ENUMERATED), hex("0a0103")), "a whole element");
    ok(reader_end(&inner) && !der_next_is(&inner, 0), "the end of the SEQUENCE");
    bytes = der_bytes(&r, DER_OCTET_STRING);
    ok(reader_end(&r) && bytes.data && !bytes.size, "an empty one is there");
}

static void left_out(void)
{
    struct reader part, r = reader_of(hex("a2020400"));
    memset(&part, 0x55, sizeof(part));
    struct reader before = part, start = r;
    ok(!der_optional(&r, DER_CONTEXT(1), &part), "another tag");
    ok(!memcmp(&part, &before, sizeof(part)) && !memcmp(&r, &start, sizeof(r)), "untouched");
    ok(der_optional(&r, DER_CONTEXT(2), &part) && reader_left(&part) == 2, "its tag");
    ok(!der_optional(&r, DER_CONTEXT(2), &part) && reader_end(&r), "the end");
    r = reader_of(hex("a2050400"));
    ok(der_optional(&r, DER_CONTEXT(2), &part), "there, and too long");
    ok(!reader_ok(&r) && !reader_ok(&part), "both readers are bad");
    ok(!der_optional(&r, DER_CONTEXT(2), &part), "a bad reader has no next element");
}

/* Reads one OCTET STRING with that much content behind its head. */
static bool head_is_read(const char *head, size_t content)
{
    struct slice start = hex(head);
    uint8_t *block = exact_copy(unit_pool, start.size + content);
    memcpy(block, start.data, start.size);
    struct reader r = reader_of(view(block, start.size + content));
    struct slice bytes = der_bytes(&r, DER_OCTET_STRING);
    bool read = reader_end(&r) && bytes.size == content && bytes.data == block + start.size;
    ok(read || (!bytes.data && !reader_ok(&r)), "a failure yields nothing and stays");
    free(block);
    return read;
}

/* X.690 10.1: definite, and in as few octets as can be. */
static void lengths(void)
{
    ok(head_is_read("0400", 0), "0");
    ok(head_is_read("047f", 127), "127");
    ok(head_is_read("048180", 128), "128");
    ok(head_is_read("0481ff", 255), "255");
    ok(head_is_read("04820100", 256), "256");
    ok(head_is_read("0482ffff", 65535), "65535");
    ok(!head_is_read("048100", 0), "0 in two octets");
    ok(!head_is_read("04817f", 127), "127 in two octets");
    ok(!head_is_read("048200ff", 255), "255 in three octets");
    ok(!head_is_read("0483000100", 256), "256 in four octets");
    ok(!head_is_read("0483010000", 65536), "65536");
    ok(!head_is_read("0484ffffffff", 4), "all 32 bits");
    ok(!head_is_read("0488ffffffffffffffff", 8), "all 64 bits");
    ok(!head_is_read("0480", 0) && !head_is_read("0480", 128), "indefinite");
    ok(!head_is_read("04ff", 127), "the reserved form");
    ok(!head_is_read("0405", 4) && !head_is_read("04820100", 255), "beyond the end");
    ok(!head_is_read("04", 0) && !head_is_read("0481", 0) && !head_is_read("048201", 0), "cut");
    ok(!head_is_read("", 0) && !head_is_read("0500", 0), "nothing, another tag");
}

static void errors_stay(void)
{
    struct reader inner, r = reader_of(hex("3003040201 0400"));
    der_enter(&r, DER_SEQUENCE, &inner);
    ok(!der_bytes(&inner, DER_OCTET_STRING).data, "longer than what is around it");
    ok(!reader_ok(&inner) && reader_ok(&r), "only the inner reader is bad");
    ok(!der_element(&inner, DER_OCTET_STRING).data, "an element of a bad reader");
    ok(!der_element(&r, DER_OID).data && !reader_ok(&r), "an element of another tag");
    der_enter(&r, DER_OCTET_STRING, &inner);
    ok(!reader_ok(&inner), "inside a bad reader");
}

/* Writes an OCTET STRING of that size behind two other octets, and reads it. */
static void write_size(size_t size, size_t head)
{
    struct writer w;
    writer_init(&w);
    writer_u16be(&w, 0x5555);
    der_write(&w, DER_OCTET_STRING, view(unit_pool, size));
    struct slice all = writer_view(&w);
    ok(all.size == 2 + head + size && all.data[0] == 0x55, "%zu: %zu bytes", size, all.size);
    struct reader r = reader_of(view(all.data + 2, all.size - 2));
    ok(same(der_bytes(&r, DER_OCTET_STRING), view(unit_pool, size)), "%zu: content", size);
    ok(reader_end(&r), "%zu: end", size);
    writer_free(&w);
}

static void written(void)
{
    for (size_t i = 0; i < 70000; i++) unit_pool[i] = (uint8_t)(i * 7);
    write_size(0, 2);
    write_size(127, 2);
    write_size(128, 3);
    write_size(255, 3);
    write_size(256, 4);
    write_size(65535, 4);
    struct writer w;
    writer_init(&w);
    der_write(&w, DER_OCTET_STRING, view(unit_pool, 65536));
    ok(writer_status(&w) != SEC_E_OK && !writer_view(&w).size, "one too many");
    writer_free(&w);
}

/* Every level gets longer heads when the inner ones do. */
static void nested(void)
{
    struct writer w;
    struct reader r, inner;
    size_t marks[5];
    writer_init(&w);
    for (size_t i = 0; i < 5; i++) marks[i] = der_open(&w, DER_SEQUENCE);
    der_write(&w, DER_OCTET_STRING, view(unit_pool, 250));
    for (size_t i = 5; i-- > 0;) der_close(&w, marks[i]);
    ok(writer_view(&w).size == 250 + 3 + 3 + 4 * 4, "%zu bytes", writer_view(&w).size);
    r = reader_of(writer_view(&w));
    for (size_t i = 0; i < 5; i++) {
        der_enter(&r, DER_SEQUENCE, &inner);
        ok(reader_end(&r), "level %zu", i);
        r = inner;
    }
    ok(same(der_bytes(&r, DER_OCTET_STRING), view(unit_pool, 250)), "the innermost");
    writer_free(&w);
}

static void too_small(void)
{
    for (size_t size = 0; size <= 204; size++) {
        uint8_t *block = exact_copy(unit_pool, size);
        struct writer w;
        writer_init_fixed(&w, block, size);
        size_t mark = der_open(&w, DER_SEQUENCE);
        der_write(&w, DER_OCTET_STRING, view(unit_pool, 198));
        der_close(&w, mark);
        ok(writer_status(&w) == (size < 204 ? SEC_E_BUFFER_TOO_SMALL : SEC_E_OK), "%zu", size);
        writer_free(&w);
        free(block);
    }
}

int main(void)
{
    unit_room(70000); /* what is written lies in the pool, before all other bytes */
    RUN(elements);
    RUN(left_out);
    RUN(lengths);
    RUN(errors_stay);
    RUN(written);
    RUN(nested);
    RUN(too_small);
    return test_end("unit_der");
}
