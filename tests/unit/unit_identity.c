/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Identities as blocks: layout, round trips, sealing in place, and every change noticed. */
#include "core/identity.h"

#include "unit.h"

static const struct identity_key key = {0x10, {1, 2, 3}};
static const uint8_t nonce[12] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
static const struct slice none;

static struct slice packed_password(const char *password)
{
    struct writer w;
    uint8_t *room = unit_room(IDENTITY_PASSWORD_OVERHEAD + 2 * strlen(password));
    writer_init_fixed(&w, room, IDENTITY_PASSWORD_OVERHEAD + 2 * strlen(password));
    identity_password_write(wide(password), &w);
    if (writer_status(&w)) abort();
    return writer_view(&w);
}

static struct identity_parts sample(void)
{
    return (struct identity_parts){.flags = IDENTITY_UNICODE | IDENTITY_MARSHALLED,
                                   .user = wide("user"),
                                   .domain = wide("DOMAIN"),
                                   .packed = packed_password("secret"),
                                   .package_list = wide("!NTLM")};
}

static bool parts_same(const struct identity_parts *a, const struct identity_parts *b)
{
    return a->flags == b->flags && same(a->user, b->user) && !a->user.data == !b->user.data &&
           same(a->domain, b->domain) && !a->domain.data == !b->domain.data &&
           same(a->packed, b->packed) && !a->packed.data == !b->packed.data &&
           same(a->package_list, b->package_list) && !a->package_list.data == !b->package_list.data;
}

/* A block of its own that can be sealed; free it. */
static uint8_t *block_make(const struct identity_parts *parts, size_t at_least, size_t *size)
{
    struct writer w;
    writer_init(&w);
    if (!ok(identity_encode(parts, at_least, &w) == SEC_E_OK, "encode")) abort();
    *size = w.size;
    uint8_t *block = exact_copy(w.data, w.size);
    writer_free(&w);
    return block;
}

static void layout(void)
{
    size_t size;
    struct identity_parts parts = sample();
    uint8_t *block = block_make(&parts, 0, &size);
    ok(same(view(block, size),
            hex("01020000 30000000 80000000 30000000 08000000 38000000 0c000000 50000000 30000000"
                "06000000 44000000 0a000000"
                "7500730065007200 44004f004d00410049004e00 21004e0054004c004d00 0000"
                "1c003000 2fc3bf28f610384798d11ac061df716a 1c000000 14000000 08000000 0c000000"
                "730065006300720065007400")),
       "[H sspi.h] SEC_WINNT_AUTH_IDENTITY_EX2, %zu bytes", size);
    free(block);
}

static void round_trip(void)
{
    struct identity_parts parts = sample(), out;
    for (int left_out = 0; left_out < 16; left_out++) {
        size_t size;
        parts = sample();
        if (left_out & 1) parts.user = none;
        if (left_out & 2) parts.domain = none;
        if (left_out & 4) parts.packed = none;
        if (left_out & 8) parts.package_list = none;
        uint8_t *block = block_make(&parts, 0, &size);
        ok(identity_decode(view(block, size), &out) == SEC_E_OK, "decode %d", left_out);
        ok(!(out.flags & IDENTITY_NULL_USER) == !(left_out & 1), "user flag");
        ok(!(out.flags & IDENTITY_NULL_DOMAIN) == !(left_out & 2), "domain flag");
        out.flags &= ~(IDENTITY_NULL_USER | IDENTITY_NULL_DOMAIN);
        ok(parts_same(&parts, &out), "parts %d", left_out);
        free(block);
    }
    parts = (struct identity_parts){.user = wide(""), .domain = wide(""), .package_list = none};
    size_t size;
    uint8_t *block = block_make(&parts, 0, &size);
    ok(identity_decode(view(block, size), &out) == SEC_E_OK, "empty");
    ok(out.user.data && !out.user.size && out.domain.data, "empty is not left out");
    free(block);
}

static void cut_short(void)
{
    struct identity_parts parts = sample(), out = {.flags = 77};
    size_t size;
    uint8_t *block = block_make(&parts, 0, &size);
    for (size_t part = 0; part < size; part++) {
        uint8_t *cut = exact_copy(block, part);
        ok(identity_decode(view(cut, part), &out) == SEC_E_INVALID_TOKEN, "%zu bytes", part);
        free(cut);
    }
    ok(out.flags == 77, "a refusal leaves the output alone");
    uint8_t *longer = calloc(1, size + 8);
    memcpy(longer, block, size);
    ok(identity_decode(view(longer, size + 8), &out) == SEC_E_OK, "bytes behind it");
    free(longer);
    free(block);
}

/* Every field of the header in turn. */
static void bounds(void)
{
    static const struct {
        size_t at, size;
        uint32_t value;
        const char *what;
    } changes[] = {
        {0, 4, 0x200, "version"},         {4, 2, 47, "small header"},
        {4, 2, 0x100, "large header"},    {8, 4, 47, "small size"},
        {8, 4, 0xffffffff, "large size"}, {12, 4, 0xfffffffe, "user offset"},
        {16, 2, 0xfffe, "user size"},     {16, 2, 7, "half a character of the user"},
        {20, 4, 0x80000000, "domain"},    {24, 2, 1, "half a character of the domain"},
        {28, 4, 0x7fffffff, "packed"},    {32, 2, 0xffff, "packed size"},
        {40, 4, 0xff00, "package list"},  {44, 2, 3, "half a character of the list"},
    };
    struct identity_parts parts = sample(), out;
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        size_t size;
        uint8_t *block = block_make(&parts, 0, &size);
        for (size_t j = 0; j < changes[i].size; j++)
            block[changes[i].at + j] = (uint8_t)(changes[i].value >> 8 * j);
        ok(identity_decode(view(block, size), &out) == SEC_E_INVALID_TOKEN, "%s", changes[i].what);
        free(block);
    }
}

static void passwords(void)
{
    struct slice password, packed = packed_password("secret");
    ok(identity_password_read(packed, &password) && same(password, wide("secret")), "password");
    ok(identity_password_read(packed_password(""), &password) && password.data && !password.size,
       "empty password");
    for (size_t part = 0; part < packed.size; part++) {
        uint8_t *cut = exact_copy(packed.data, part);
        ok(!identity_password_read(view(cut, part), &password), "%zu bytes", part);
        free(cut);
    }
    uint8_t *other = exact_copy(packed.data, packed.size);
    other[28] = 36; /* counted from the outer structure */
    ok(identity_password_read(view(other, packed.size), &password) &&
           same(password, wide("secret")),
       "the other way to count");
    other[4] ^= 1;
    ok(!identity_password_read(view(other, packed.size), &password), "another type");
    free(other);
}

static void sealed_in_place(void)
{
    struct identity_parts parts = sample(), out;
    size_t size;
    uint8_t *block = block_make(&parts, identity_room(&parts), &size);
    uint8_t *plain = exact_copy(block, size);
    ok(identity_seal_block(block, size, &key, nonce) == SEC_E_OK, "seal");
    ok(identity_decode(view(block, size), &out) == SEC_E_OK, "still an identity");
    ok(out.flags == (parts.flags | 0x10), "flags %x", out.flags);
    ok(same(out.user, parts.user) && same(out.domain, parts.domain), "the names are to be read");
    struct slice text = wide("secret");
    for (size_t i = 0; i + text.size <= size; i++)
        ok(memcmp(block + i, text.data, text.size), "the password is to be read at %zu", i);
    ok(identity_seal_block(block, size, &key, nonce) == SEC_E_INVALID_PARAMETER, "twice");
    ok(identity_open_block(block, size, &key) == SEC_E_OK, "open");
    ok(!memcmp(block, plain, size), "as it was");
    free(plain);
    free(block);
}

/* As large as it gets, and nothing at all. */
static void sealed_sizes(void)
{
    for (size_t length = 0; length <= 40; length++) {
        struct identity_parts parts = sample(), out;
        char password[48] = {0};
        size_t size;
        memset(password, 'p', length);
        parts.packed = length ? packed_password(password) : none;
        uint8_t *block = block_make(&parts, identity_room(&parts), &size);
        ok(identity_seal_block(block, size, &key, nonce) == SEC_E_OK, "seal %zu", length);
        ok(identity_open_block(block, size, &key) == SEC_E_OK, "open %zu", length);
        ok(identity_decode(view(block, size), &out) == SEC_E_OK && parts_same(&parts, &out),
           "parts %zu", length);
        free(block);
    }
}

static void no_room(void)
{
    struct identity_parts parts = sample();
    size_t least, size;
    free(block_make(&parts, 0, &least));
    for (size_t room = least; room <= identity_room(&parts); room++) {
        uint8_t *block = block_make(&parts, room, &size), *before = exact_copy(block, size);
        bool fits = room == identity_room(&parts);
        status_t status = identity_seal_block(block, size, &key, nonce);
        ok(status == (fits ? SEC_E_OK : SEC_E_BUFFER_TOO_SMALL), "%zu: %x", room, status);
        ok(fits || !memcmp(block, before, size), "changed with %zu", room);
        free(before);
        free(block);
    }
    parts.packed = view(unit_pool, 65535);
    struct writer w;
    writer_init(&w);
    ok(identity_seal(&parts, &key, nonce, &w) == SEC_E_OK, "the largest credentials");
    parts.packed = writer_view(&w);
    struct writer whole;
    writer_init(&whole);
    ok(identity_encode(&parts, 0, &whole) == SEC_E_INVALID_PARAMETER, "do not fit in sealed");
    writer_free(&whole);
    writer_free(&w);
}

static status_t open_changed(const uint8_t *block, size_t size, size_t at, uint8_t change)
{
    uint8_t *copy = exact_copy(block, size);
    copy[at] ^= change;
    uint8_t *before = exact_copy(copy, size);
    status_t status = identity_open_block(copy, size, &key);
    if (!status_ok(status)) ok(!memcmp(copy, before, size), "byte %zu: changed on failure", at);
    free(before);
    free(copy);
    return status;
}

static void changes(void)
{
    struct identity_parts parts = sample(), out;
    parts.package_list = none;
    size_t size;
    uint8_t *block = block_make(&parts, identity_room(&parts), &size);
    ok(identity_seal_block(block, size, &key, nonce) == SEC_E_OK, "seal");
    ok(identity_decode(view(block, size), &out) == SEC_E_OK, "decode");
    size_t packed_at = (size_t)(out.packed.data - block);
    for (size_t i = IDENTITY_HEADER_SIZE; i < packed_at + out.packed.size; i++) {
        bool gap = i >= IDENTITY_HEADER_SIZE + out.user.size + out.domain.size && i < packed_at;
        status_t status = open_changed(block, size, i, 1);
        bool name = i >= packed_at + 4 && i < packed_at + 12;
        status_t expected = i < packed_at || i >= packed_at + 12 ? SEC_E_MESSAGE_ALTERED
                                                                 : SEC_E_INVALID_TOKEN;
        if (name) expected = SEC_E_NOT_OWNER;
        ok(gap || status == expected, "byte %zu: %x", i, status);
    }
    ok(open_changed(block, size, 36, 0x20) == SEC_E_NOT_OWNER, "mode");
    ok(open_changed(block, size, 38, 0x02) == SEC_E_MESSAGE_ALTERED, "no user");
    ok(open_changed(block, size, 32, 0x10) == SEC_E_MESSAGE_ALTERED ||
           open_changed(block, size, 32, 0x10) == SEC_E_INVALID_TOKEN,
       "size of the sealed part");
    free(block);
}

static void other_keys(void)
{
    struct identity_parts parts = sample();
    size_t size;
    struct identity_key other = key;
    uint8_t *block = block_make(&parts, identity_room(&parts), &size);
    ok(identity_open_block(block, size, &key) == SEC_E_INVALID_TOKEN, "not sealed");
    ok(identity_seal_block(block, size, &key, nonce) == SEC_E_OK, "seal");
    other.bytes[31] ^= 1;
    ok(identity_open_block(block, size, &other) == SEC_E_NOT_OWNER, "another key");
    other = key;
    other.mode = 0x20;
    ok(identity_open_block(block, size, &other) == SEC_E_NOT_OWNER, "another mode");
    ok(identity_open_block(block, size, &key) == SEC_E_OK, "the key");
    free(block);
}

/* Computed with another implementation of HMAC and AES-GCM. */
static void same_bytes(void)
{
    struct identity_parts parts = {.user = wide("u"), .packed = ascii("packed")};
    struct writer w;
    writer_init(&w);
    ok(identity_seal(&parts, &key, nonce, &w) == SEC_E_OK, "seal");
    ok(same(view(writer_view(&w).data, 24),
            hex("57535349 ae4b95fc73c4a661 090807060504030201000000")),
       "clear part");
    ok(same(view(writer_view(&w).data + 24, w.size - 24), hex("e4a1aa07fa372bd6cb73b450736f7f67"
                                                              "df70e4d3456907607a08e5569a827416")),
       "encrypted part");
    writer_free(&w);
}

int main(void)
{
    if (crypto_init() != SEC_E_OK) return EXIT_FAILURE;
    RUN(layout);
    RUN(round_trip);
    RUN(cut_short);
    RUN(bounds);
    RUN(passwords);
    RUN(sealed_in_place);
    RUN(sealed_sizes);
    RUN(no_room);
    RUN(changes);
    RUN(other_keys);
    RUN(same_bytes);
    return test_end("unit_identity");
}
