/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations of Kerberos. A token is made by another implementation: it is checked, cut to every
 * shorter length and changed in every bit, and made again, with the confounder that it had. Of its
 * session there are `enctype`, `key`, `flags` (GSS-API's), whether the sender is the `initiator`,
 * whether the key is an `acceptor_subkey`, and the token's `number`.
 */
#pragma once

#include "fields.h"

#include "core/kerberos.h"

static void run_kerberos_fold(void)
{
    uint8_t out[64];
    size_t size = get("out", 0).size;
    if (!ok(size <= sizeof(out), "size")) return;
    kerberos_n_fold(get_text("text"), out, size);
    expect("out", out, size);
}

static void run_kerberos_derive(void)
{
    uint8_t out[64];
    size_t size = get("out", 0).size;
    if (!ok(size <= sizeof(out), "size")) return;
    succeed(kerberos_derive((enum kerberos_enctype)get_big("enctype", 2), get("key", 0),
                            get("constant", 0), out, size),
            "derive");
    expect("out", out, size);
}

/* Cut in two places, in all ways. */
static void run_kerberos_crypt(void)
{
    struct slice key = get("key", 0), plain = get("plain", 0), cipher = get("cipher", 0);
    uint8_t *block = malloc(plain.size);
    if (!block) abort();
    for (size_t first = 0; first <= plain.size; first++) {
        for (size_t second = first; second <= plain.size; second++) {
            struct message_part parts[] = {{block, first, true},
                                           {block, plain.size, false},
                                           {block + first, second - first, true},
                                           {block + second, plain.size - second, true}};
            memcpy(block, plain.data, plain.size);
            succeed(kerberos_crypt(key, true, parts, 4), "encrypt");
            ok(equal((struct slice){block, plain.size}, cipher), "cipher, cut at %zu, %zu", first,
               second);
            succeed(kerberos_crypt(key, false, parts, 4), "decrypt");
            ok(!memcmp(block, plain.data, plain.size), "plain, cut at %zu, %zu", first, second);
        }
    }
    free(block);
}

/* ---- tokens ---- */

static struct kerberos_session ends[2]; /* who sends, who receives */

static bool start_ends(void)
{
    bool initiator = get("initiator", 1).data[0];
    struct kerberos_start start = {
        .acceptor_subkey = get("acceptor_subkey", 1).data[0],
        .flags = get_flags(),
        .enctype = (uint32_t)get_big("enctype", 2),
        .key = get("key", 0),
        .send_first = get_big("number", 8),
        .receive_first = get_big("number", 8),
    };
    for (size_t i = 0; i < 2; i++) {
        start.initiator = initiator != i;
        status_t status = kerberos_session_init(&ends[i], &start);
        succeed(status, "session");
        if (!status_ok(status)) return false;
    }
    return true;
}

static void clear_ends(void)
{
    for (size_t i = 0; i < 2; i++) kerberos_session_clear(&ends[i]);
}

static bool is_rc4(void)
{
    return ends[0].enctype == KERBEROS_RC4;
}

/* RC4's checksum does not cover the number, which then is that of another turn. */
static bool is_refusal(status_t status)
{
    return status == SEC_E_MESSAGE_ALTERED || status == SEC_E_INVALID_TOKEN ||
           (status == SEC_E_OUT_OF_SEQUENCE && is_rc4());
}

static struct message_part whole_data(struct slice data)
{
    return (struct message_part){(uint8_t *)(uintptr_t)data.data, data.size, true};
}

static void run_kerberos_mic(void)
{
    struct slice token = get("token", 0);
    struct message_part part = whole_data(get("data", 0));
    uint8_t made[KERBEROS_TOKEN_MAX];
    size_t size = 0;
    if (!start_ends()) return;
    uint8_t *changed = copy_of(token, token.size);
    for (size_t bit = 0; bit < 8 * token.size; bit++) {
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        status_t status = kerberos_verify(&ends[1], &part, 1, (struct slice){changed, token.size});
        ok(is_refusal(status), "bit %zu: %x", bit, (unsigned)status);
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(changed);
    for (size_t cut = 0; cut < token.size; cut++) {
        uint8_t *block = copy_of(token, cut);
        ok(kerberos_verify(&ends[1], &part, 1, (struct slice){block, cut}) == SEC_E_INVALID_TOKEN,
           "%zu bytes", cut);
        free(block);
    }
    succeed(kerberos_verify(&ends[1], &part, 1, token), "verify");
    succeed(kerberos_sign(&ends[0], &part, 1, made, sizeof(made), &size), "sign");
    expect("token", made, size);
    clear_ends();
}

/* ---- in one piece ---- */

/* Where a token of RFC 4121 names its rotation, which nothing protects. */
static bool names_rotation(size_t at)
{
    return !is_rc4() && (at == 6 || at == 7);
}

static void change_stream(struct slice stream, struct slice data)
{
    for (size_t bit = 0; bit < 8 * stream.size; bit++) {
        struct slice plain = {NULL, 0};
        bool encrypted;
        uint8_t *block = copy_of(stream, stream.size);
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
        uint8_t *before = copy_of((struct slice){block, stream.size}, stream.size);
        status_t status = kerberos_unwrap_stream(&ends[1], block, stream.size, &encrypted, &plain);
        if (status_ok(status)) {
            ok(names_rotation(bit / 8) && equal(plain, data), "bit %zu", bit);
            kerberos_session_rewind(&ends[1]);
        } else {
            ok(is_refusal(status), "bit %zu: %x", bit, (unsigned)status);
            ok(!memcmp(block, before, stream.size), "bit %zu: as it was", bit);
        }
        free(block);
        free(before);
    }
}

static void cut_stream(struct slice stream)
{
    for (size_t cut = 0; cut < stream.size; cut++) {
        struct slice plain;
        bool encrypted;
        uint8_t *block = copy_of(stream, cut);
        status_t status = kerberos_unwrap_stream(&ends[1], block, cut, &encrypted, &plain);
        ok(is_refusal(status), "%zu bytes: %x", cut, (unsigned)status);
        ok(!memcmp(block, stream.data, cut), "%zu bytes: as they were", cut);
        free(block);
    }
}

/* Made again, and put behind each other; what was not rotated is so no more. */
static void make_stream(struct slice data, bool encrypt, const uint8_t *confounder)
{
    struct slice stream = get("stream", 0);
    uint8_t token[KERBEROS_TOKEN_MAX], padding[1], *text = copy_of(data, data.size);
    struct message_part part = {text, data.size, true};
    struct kerberos_wrapping wrapping = {encrypt, token, sizeof(token), padding, sizeof(padding)};
    succeed(kerberos_wrap(&ends[0], confounder, &part, 1, &wrapping), "wrap");
    uint8_t *made = copy_of(stream, stream.size);
    if (ok(wrapping.token_size + data.size + wrapping.padding_size == stream.size, "size")) {
        size_t tail = is_rc4() ? 0 : token[7], front = wrapping.token_size - tail;
        if (!is_rc4()) token[7] = 0;
        memcpy(made, token, is_rc4() ? front : 16);
        if (!is_rc4()) memcpy(made + 16, token + 16 + tail, front - 16);
        if (data.size) memcpy(made + front, text, data.size);
        if (tail) memcpy(made + front + data.size, token + 16, tail);
        memcpy(made + stream.size - wrapping.padding_size, padding, wrapping.padding_size);
        expect("stream", made, stream.size);
    }
    free(made);
    free(text);
}

static void run_kerberos_stream(void)
{
    struct slice stream = get("stream", 0), data = get("data", 0), plain = {NULL, 0};
    bool encrypted = false;
    uint8_t confounder[KERBEROS_CONFOUNDER] = {0};
    if (!start_ends()) return;
    change_stream(stream, data);
    cut_stream(stream);
    uint8_t *block = copy_of(stream, stream.size);
    succeed(kerberos_unwrap_stream(&ends[1], block, stream.size, &encrypted, &plain), "unwrap");
    ok(encrypted == get("encrypted", 1).data[0], "encrypted");
    expect("data", plain.data, plain.size);
    if (is_rc4()) memcpy(confounder, plain.data - 8, 8);
    else if (encrypted) memcpy(confounder, plain.data - 16, 16);
    make_stream(data, encrypted, confounder);
    free(block);
    clear_ends();
}

/* ---- in an application's buffers ---- */

struct buffers {
    uint8_t *token, *text, *padding;
    size_t token_size, text_size, padding_size;
};

static struct buffers take_buffers(void)
{
    struct slice token = get("token", 0), text = get(has("cipher") ? "cipher" : "data", 0);
    struct slice padding = has("padding") ? get("padding", 0) : (struct slice){NULL, 0};
    return (struct buffers){copy_of(token, token.size),
                            copy_of(text, text.size),
                            copy_of(padding, padding.size),
                            token.size,
                            text.size,
                            padding.size};
}

static void free_buffers(struct buffers *buffers)
{
    free(buffers->token);
    free(buffers->text);
    free(buffers->padding);
}

static status_t unwrap_buffers(const struct buffers *buffers, struct slice before,
                               struct slice behind, bool *encrypted)
{
    struct message_part parts[] = {
        whole_data(before), {buffers->text, buffers->text_size, true}, whole_data(behind)};
    struct kerberos_wrapping wrapping = {false, buffers->token, buffers->token_size,
                                         buffers->padding, buffers->padding_size};
    parts[0].sealed = parts[2].sealed = false;
    status_t status = kerberos_unwrap(&ends[1], parts, 3, &wrapping);
    *encrypted = wrapping.encrypt;
    return status;
}

static void change_token(struct slice before, struct slice behind)
{
    struct buffers whole = take_buffers();
    bool encrypted;
    for (size_t bit = 0; bit < 8 * whole.token_size; bit++) {
        whole.token[bit / 8] ^= (uint8_t)(1 << bit % 8);
        status_t status = unwrap_buffers(&whole, before, behind, &encrypted);
        ok(is_refusal(status), "bit %zu: %x", bit, (unsigned)status);
        whole.token[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    expect("token", whole.token, whole.token_size);
    expect(has("cipher") ? "cipher" : "data", whole.text, whole.text_size);
    for (size_t cut = 0; cut < whole.token_size; cut++) {
        struct buffers part = whole;
        part.token = copy_of((struct slice){whole.token, cut}, cut);
        part.token_size = cut;
        ok(unwrap_buffers(&part, before, behind, &encrypted) == SEC_E_INVALID_TOKEN, "%zu bytes",
           cut);
        free(part.token);
    }
    free_buffers(&whole);
}

static void make_parts(struct slice before, struct slice behind, bool encrypt,
                       const uint8_t *confounder)
{
    struct slice data = get("data", 0);
    uint8_t token[KERBEROS_TOKEN_MAX], padding[1], *text = copy_of(data, data.size);
    struct message_part parts[] = {whole_data(before), {text, data.size, true}, whole_data(behind)};
    struct kerberos_wrapping wrapping = {encrypt, token, sizeof(token), padding, sizeof(padding)};
    parts[0].sealed = parts[2].sealed = false;
    succeed(kerberos_wrap(&ends[0], confounder, parts, 3, &wrapping), "wrap");
    expect("token", token, wrapping.token_size);
    if (has("cipher")) expect("cipher", text, data.size);
    expect_if("padding", (struct slice){padding, wrapping.padding_size});
    ok(has("padding") == (wrapping.padding_size != 0), "padding");
    free(text);
}

static void run_kerberos_parts(void)
{
    struct slice before = get("before", 0), behind = get("behind", 0);
    struct buffers whole = take_buffers();
    bool encrypted = false;
    size_t confounder_size = get_big("enctype", 2) == KERBEROS_RC4 ? 8 : 16;
    uint8_t confounder[KERBEROS_CONFOUNDER] = {0};
    if (start_ends()) {
        change_token(before, behind);
        succeed(unwrap_buffers(&whole, before, behind, &encrypted), "unwrap");
        ok(encrypted == get("encrypted", 1).data[0], "encrypted");
        expect("data", whole.text, whole.text_size);
        memcpy(confounder, whole.token + whole.token_size - confounder_size, confounder_size);
        make_parts(before, behind, encrypted, confounder);
    }
    free_buffers(&whole);
    clear_ends();
}
