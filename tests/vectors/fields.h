/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The fields of the section that runs: what an operation takes, and what it should have made. */
#pragma once

#include "core/crypto.h"
#include "test.h"
#include "vec.h"

static struct vec_section *section;
static uint8_t *blocks[VEC_FIELDS * 4]; /* of the running section */
static size_t block_count;

static struct slice decode(const char *value)
{
    uint8_t *bytes;
    size_t size;
    if (!vec_bytes(value, &bytes, &size) || block_count == sizeof(blocks) / sizeof(*blocks)) {
        ok(false, "bad value: %s", value);
        return (struct slice){NULL, 0};
    }
    blocks[block_count++] = bytes;
    return (struct slice){bytes, size};
}

static bool has(const char *name)
{
    return vec_find(section, name) != NULL;
}

/* A field of this size, or of any if size is 0; a block of zeros otherwise. */
static struct slice get(const char *name, size_t size)
{
    static const uint8_t zeros[64];
    struct vec_field *field = vec_find(section, name);
    struct slice bytes = field ? decode(field->value) : (struct slice){NULL, 0};
    if (!ok(field != NULL, "%s is missing", name) ||
        !ok(!size || bytes.size == size, "%s has %zu bytes", name, bytes.size))
        return (struct slice){zeros, size};
    return bytes;
}

static struct slice get_text(const char *name)
{
    struct vec_field *field = vec_find(section, name);
    const char *text = field ? field->value : "";
    ok(field != NULL, "%s is missing", name);
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

static enum crypto_hash get_hash(void)
{
    static const char *const names[] = {"sha256", "sha384", "sha512", "sha1", "md5"};
    const char *name = (const char *)get_text("hash").data;
    unsigned hash = CRYPTO_SHA256;
    while (hash < CRYPTO_MD5 && strcmp(name, names[hash])) hash++;
    ok(!strcmp(name, names[hash]), "hash");
    return (enum crypto_hash)hash;
}

static uint64_t get_big(const char *name, size_t size)
{
    struct slice bytes = get(name, size);
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.size; i++) value = value << 8 | bytes.data[i];
    return value;
}

static uint32_t get_flags(void)
{
    struct slice flags = get("flags", 4);
    struct reader r;
    reader_init(&r, flags.data, flags.size);
    return reader_u32be(&r);
}

/* The first of these bytes in a block of exactly their size, which the caller frees. */
static uint8_t *copy_of(struct slice bytes, size_t size)
{
    uint8_t *block = malloc(size ? size : 1);
    if (!block) abort();
    if (size) memcpy(block, bytes.data, size);
    return block;
}

static void print_bytes(struct slice bytes)
{
    printf("    is ");
    for (size_t i = 0; i < bytes.size; i++) printf("%02x", bytes.data[i]);
    printf("\n");
}

static bool equal(struct slice a, struct slice b)
{
    return a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size));
}

static void expect(const char *name, const void *data, size_t size)
{
    struct slice found = {data, size};
    if (!ok(equal(found, get(name, 0)), "%s", name)) print_bytes(found);
}

static void expect_if(const char *name, struct slice found)
{
    if (has(name)) expect(name, found.data, found.size);
}

static void succeed(status_t status, const char *what)
{
    ok(status == SEC_E_OK, "%s: status %x", what, (unsigned)status);
}
