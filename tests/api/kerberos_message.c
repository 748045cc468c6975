/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of package Kerberos: which buffers in which order and form, what is covered and what is
 * encrypted, which sizes come back, qualities, what tampering, replay and reordering are answered
 * with, and that an error changes nothing. Sources in brackets, as in api_packages.
 */
#include "kerberos_pair.h"

#define TOKEN_ROOM 128
#define HEADER 16 /* of RFC 4121's tokens */

static struct kerberos_pair pair;

static bool connect_pair(ULONG flags)
{
    return kerberos_make(&pair, flags);
}

static struct kerberos_end *side(int i)
{
    return i % 2 ? &pair.server : &pair.client;
}

static void fill(BYTE *bytes, ULONG size, BYTE seed)
{
    for (ULONG i = 0; i < size; i++) bytes[i] = (BYTE)(seed + i * 7 + i / 251);
}

/* A message with room for its token, and what came of it. */
struct text {
    BYTE token[TOKEN_ROOM], padding[16], data[1024];
    ULONG token_size, padding_size, size;
};

static void text_set(struct text *text, const void *bytes, ULONG size)
{
    memcpy(text->data, bytes, size);
    text->size = size;
    text->token_size = TOKEN_ROOM;
    text->padding_size = sizeof(text->padding);
}

static SECURITY_STATUS text_call(enum kerberos_call what, struct kerberos_end *end,
                                 struct text *text)
{
    SecBuffer parts[3] = {{text->token_size, SECBUFFER_TOKEN, text->token},
                          {text->size, SECBUFFER_DATA, text->data},
                          {text->padding_size, SECBUFFER_PADDING, text->padding}};
    SECURITY_STATUS status = kerberos_call(what, end, parts, 3);
    text->token_size = parts[0].cbBuffer;
    text->padding_size = parts[2].cbBuffer;
    return status;
}

/* One message each way of both kinds. */
static bool pair_talks(void)
{
    static const char words[] = "from the one to the other";
    for (int way = 0; way < 2; way++) {
        struct text text;
        text_set(&text, words, sizeof(words));
        if (text_call(SEAL, side(way), &text) || text_call(OPEN, side(way + 1), &text))
            return false;
        if (memcmp(text.data, words, sizeof(words))) return false;
        text_set(&text, words, sizeof(words));
        if (text_call(SIGN, side(way), &text) || text_call(VERIFY, side(way + 1), &text))
            return false;
    }
    return true;
}

/* ---- sizes ---- */

/* [D sspi-kerberos-interoperability-with-gssapi] the buffers get the size that is used of them */
static void test_sign_and_seal(void)
{
    SecPkgContext_Sizes sizes;
    if (!connect_pair(KERBEROS_USUAL)) return;
    ok(!kerberos_query(&pair.client, SECPKG_ATTR_SIZES, &sizes), "no sizes");
    for (ULONG size = 0; size <= 1000; size += size < 40 ? 1 : 37) {
        struct text text;
        BYTE plain[1000];
        fill(plain, size, (BYTE)size);
        text_set(&text, plain, size);
        SECURITY_STATUS status = text_call(SIGN, side((int)size), &text);
        ok(status == SEC_E_OK, "sign %lu: %08lx", size, status);
        ok(text.token_size == sizes.cbMaxSignature, "signature of %lu bytes", text.token_size);
        ok(!memcmp(text.data, plain, size), "signing changed the data");
        status = text_call(VERIFY, side((int)size + 1), &text);
        ok(status == SEC_E_OK, "verify %lu: %08lx", size, status);

        text_set(&text, plain, size);
        status = text_call(SEAL, side((int)size), &text);
        ok(status == SEC_E_OK, "seal %lu: %08lx", size, status);
        ok(text.token_size <= sizes.cbSecurityTrailer, "token of %lu bytes", text.token_size);
        ok(text.padding_size <= sizes.cbBlockSize, "padding of %lu bytes", text.padding_size);
        ok(size < 4 || memcmp(text.data, plain, size), "sealing %lu bytes left them", size);
        status = text_call(OPEN, side((int)size + 1), &text);
        ok(status == SEC_E_OK, "open %lu: %08lx", size, status);
        ok(!memcmp(text.data, plain, size), "%lu bytes came out changed", size);
    }
    kerberos_close(&pair);
}

/* [OBS FreeRDP PR 8307], [OBS PowerShell issue 20168] for AES with SHA-1; ours for SHA-2, with the
 * longer MACs of RFC 8009 */
static void test_token_sizes(void)
{
    SecPkgContext_Sizes sizes;
    ULONG mac = kerberos_kind->mac;
    for (int dce = 0; dce < 2; dce++) {
        struct text text;
        if (!connect_pair(KERBEROS_USUAL | (dce ? ISC_REQ_USE_DCE_STYLE : 0))) return;
        ok(!kerberos_query(&pair.client, SECPKG_ATTR_SIZES, &sizes), "no sizes");
        ok(sizes.cbMaxToken == 48000 || sizes.cbMaxToken == 12000, "token %lu", sizes.cbMaxToken);
        ok(!mac || sizes.cbMaxSignature == HEADER + mac, "signature %lu", sizes.cbMaxSignature);
        ok(!mac || sizes.cbSecurityTrailer == 64 + mac, "trailer %lu", sizes.cbSecurityTrailer);
        ok(!mac || sizes.cbBlockSize == 1, "block %lu", sizes.cbBlockSize);
        text_set(&text, "text", 4);
        ok(!text_call(SEAL, &pair.client, &text), "not sealed");
        ok(!mac || text.token_size == (dce ? 64 : 48) + mac, "dce %d: %lu bytes", dce,
           text.token_size);
        ok(text.padding_size == (mac || dce ? 0 : 1), "dce %d: padding of %lu bytes", dce,
           text.padding_size);
        ok(!text_call(OPEN, &pair.server, &text) && !memcmp(text.data, "text", 4), "not opened");
        ok(pair_talks(), "dce %d: no talk", dce);
        kerberos_close(&pair);
    }
}

static void test_large_messages(void)
{
    if (!connect_pair(KERBEROS_USUAL)) return;
    const ULONG size = 1 << 20;
    BYTE *plain = malloc(size), *data = malloc(size), token[TOKEN_ROOM], padding[16];
    fill(plain, size, 3);
    memcpy(data, plain, size);
    SecBuffer parts[3] = {{TOKEN_ROOM, SECBUFFER_TOKEN, token},
                          {size, SECBUFFER_DATA, data},
                          {sizeof(padding), SECBUFFER_PADDING, padding}};
    SECURITY_STATUS status = kerberos_call(SEAL, &pair.client, parts, 3);
    ok(status == SEC_E_OK, "seal: %08lx", status);
    ok(memcmp(plain, data, size), "the data was left");
    status = kerberos_call(OPEN, &pair.server, parts, 3);
    ok(status == SEC_E_OK, "open: %08lx", status);
    ok(!memcmp(plain, data, size), "the data came out changed");
    free(plain);
    free(data);
    kerberos_close(&pair);
}

/* ---- buffers ---- */

/* [OS MS-KILE 3.4.5.4], [CI sspilib] the token stands anywhere; parts that are read only and covered
 * are signed in array order, neither encrypted nor changed */
static void test_buffer_orders(void)
{
    static const int orders[][5] = {{0, 1, 2, 3, 4}, {1, 0, 2, 3, 4}, {1, 2, 0, 3, 4},
                                    {1, 2, 3, 4, 0}, {3, 2, 1, 0, 4}, {4, 2, 0, 1, 3}};
    if (!connect_pair(KERBEROS_USUAL | ISC_REQ_USE_DCE_STYLE)) return;
    for (unsigned i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
        BYTE token[TOKEN_ROOM], data[] = "Hello, world!", padding[16];
        char header[] = "Header Test", trailer[] = "Trailer";
        SecBuffer whole[5] = {
            {TOKEN_ROOM, SECBUFFER_TOKEN, token},
            {sizeof(header), SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, header},
            {13, SECBUFFER_DATA, data},
            {sizeof(trailer), SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, trailer},
            {sizeof(padding), SECBUFFER_PADDING, padding},
        };
        SecBuffer parts[5];
        for (int j = 0; j < 5; j++) parts[j] = whole[orders[i][j]];
        SECURITY_STATUS status = kerberos_call(SEAL, &pair.client, parts, 5);
        ok(status == SEC_E_OK, "order %u, seal: %08lx", i, status);
        ok(!strcmp(header, "Header Test") && !strcmp(trailer, "Trailer"),
           "order %u: a read-only part was changed", i);
        ok(memcmp(data, "Hello, world!", 13), "order %u: the data was not encrypted", i);
        header[0] ^= 1;
        status = kerberos_call(OPEN, &pair.server, parts, 5);
        ok(status == SEC_E_MESSAGE_ALTERED, "order %u, header changed: %08lx", i, status);
        header[0] ^= 1;
        status = kerberos_call(OPEN, &pair.server, parts, 5);
        ok(status == SEC_E_OK, "order %u, open: %08lx", i, status);
        ok(!memcmp(data, "Hello, world!", 13), "order %u: other data", i);
    }
    kerberos_close(&pair);
}

/* [D encryptmessage--kerberos] a part that is only READONLY is not looked at; ours: neither are
 * buffers that mean nothing here */
static void test_other_buffers(void)
{
    if (!connect_pair(KERBEROS_USUAL)) return;
    BYTE token[TOKEN_ROOM], data[] = "Hello, world!", padding[16];
    char ignored[] = "not covered", extra[] = "extra";
    SecBuffer parts[6] = {{TOKEN_ROOM, SECBUFFER_TOKEN, token},
                          {sizeof(ignored), SECBUFFER_DATA | SECBUFFER_READONLY, ignored},
                          {0, SECBUFFER_EMPTY, NULL},
                          {13, SECBUFFER_DATA, data},
                          {sizeof(extra), SECBUFFER_EXTRA, extra},
                          {sizeof(padding), SECBUFFER_PADDING, padding}};
    SECURITY_STATUS status = kerberos_call(SEAL, &pair.client, parts, 6);
    ok(status == SEC_E_OK, "seal: %08lx", status);
    ok(!strcmp(ignored, "not covered") && !strcmp(extra, "extra"), "another buffer was changed");
    ok(parts[1].cbBuffer == sizeof(ignored) && parts[4].cbBuffer == sizeof(extra) &&
           !parts[2].cbBuffer && !parts[2].pvBuffer,
       "another buffer has another size");
    ignored[0] = 'N';
    extra[0] = 'E';
    status = kerberos_call(OPEN, &pair.server, parts, 6);
    ok(status == SEC_E_OK, "open: %08lx", status);
    ok(!memcmp(data, "Hello, world!", 13), "other data");
    kerberos_close(&pair);
}

/* Two data buffers are one text: the reader may have it in one or in other pieces. */
static void test_several_data_buffers(void)
{
    if (!connect_pair(KERBEROS_USUAL | ISC_REQ_USE_DCE_STYLE)) return;
    for (ULONG cut = 0; cut <= 26; cut++) {
        BYTE token[TOKEN_ROOM];
        char data[] = "abcdefghijklmnopqrstuvwxyz";
        SecBuffer parts[3] = {{TOKEN_ROOM, SECBUFFER_TOKEN, token},
                              {cut, SECBUFFER_DATA, data},
                              {26 - cut, SECBUFFER_DATA, data + cut}};
        SECURITY_STATUS status = kerberos_call(SEAL, &pair.client, parts, 3);
        ok(status == SEC_E_OK, "cut %lu, seal: %08lx", cut, status);
        SecBuffer one[2] = {{parts[0].cbBuffer, SECBUFFER_TOKEN, token},
                            {26, SECBUFFER_DATA, data}};
        status = kerberos_call(OPEN, &pair.server, one, 2);
        ok(status == SEC_E_OK, "cut %lu, open: %08lx", cut, status);
        ok(!strcmp(data, "abcdefghijklmnopqrstuvwxyz"), "cut %lu: %s", cut, data);
    }
    kerberos_close(&pair);
}

#define MANY 50

/* Any number of parts; every third is covered only, every fifth is not even that. */
static void test_many_buffers(void)
{
    if (!connect_pair(KERBEROS_USUAL | ISC_REQ_USE_DCE_STYLE)) return;
    for (ULONG count = 1; count <= MANY; count += 7) {
        BYTE data[MANY][4], plain[MANY][4], token[TOKEN_ROOM];
        SecBuffer parts[MANY + 1];
        for (ULONG i = 0; i < count; i++) {
            ULONG more = i % 3 == 2 ? SECBUFFER_READONLY_WITH_CHECKSUM : 0;
            if (i % 5 == 4) more = SECBUFFER_READONLY;
            memset(data[i], (int)i, 4);
            memcpy(plain[i], data[i], 4);
            parts[i] = (SecBuffer){4, SECBUFFER_DATA | more, data[i]};
        }
        parts[count] = (SecBuffer){TOKEN_ROOM, SECBUFFER_TOKEN, token};
        SECURITY_STATUS status = kerberos_call(SEAL, &pair.client, parts, count + 1);
        ok(status == SEC_E_OK, "%lu: seal: %08lx", count, status);
        for (ULONG i = 0; i < count; i++) {
            bool kept = i % 3 == 2 || i % 5 == 4;
            ok(!memcmp(data[i], plain[i], 4) == kept, "%lu: part %lu", count, i);
        }
        status = kerberos_call(OPEN, &pair.server, parts, count + 1);
        ok(status == SEC_E_OK, "%lu: open: %08lx", count, status);
        ok(!memcmp(data, plain, sizeof(data[0]) * count), "%lu: other data", count);
    }
    kerberos_close(&pair);
}

/* [W8 ntlm.c:1091-1092] a message without a place for the token */
static void test_no_token(void)
{
    if (!connect_pair(KERBEROS_USUAL)) return;
    BYTE data[] = "Hello, world!";
    SecBuffer parts[2] = {{13, SECBUFFER_DATA, data}, {16, SECBUFFER_TOKEN, NULL}};
    for (ULONG count = 1; count <= 2; count++) {
        for (enum kerberos_call what = SIGN; what <= OPEN; what++) {
            SECURITY_STATUS status = kerberos_call(what, &pair.client, parts, count);
            ok(status == SEC_E_INVALID_TOKEN, "%d, %lu buffers: %08lx", what, count, status);
        }
    }
    ok(!memcmp(data, "Hello, world!", 13), "the data was changed");
    ok(pair_talks(), "the contexts were hurt");
    kerberos_close(&pair);
}

/* ours: a place for the token that is too small; the next one is as if nothing had been asked */
static void test_small_token(void)
{
    struct text text;
    if (!connect_pair(KERBEROS_USUAL)) return;
    text_set(&text, "Hello, world!", 13);
    ok(!text_call(SIGN, &pair.client, &text), "not signed");
    ULONG signature = text.token_size;
    ok(!text_call(VERIFY, &pair.server, &text), "not verified");
    text_set(&text, "Hello, world!", 13);
    ok(!text_call(SEAL, &pair.client, &text), "not sealed");
    ULONG token = text.token_size;
    ok(!text_call(OPEN, &pair.server, &text), "not opened");
    for (ULONG size = 0; size < token; size++) {
        memset(text.token, 0, sizeof(text.token));
        text_set(&text, "Hello, world!", 13);
        text.token_size = size;
        SECURITY_STATUS status = text_call(SEAL, &pair.client, &text);
        ok(status == SEC_E_BUFFER_TOO_SMALL, "seal into %lu: %08lx", size, status);
        ok(!memcmp(text.data, "Hello, world!", 13), "seal into %lu: data changed", size);
        text.token_size = size;
        if (size < signature) status = text_call(SIGN, &pair.client, &text);
        ok(status == SEC_E_BUFFER_TOO_SMALL, "sign into %lu: %08lx", size, status);
        ok(text.token[size] == 0, "written behind %lu bytes", size);
    }
    ok(pair_talks(), "the contexts were hurt");
    kerberos_close(&pair);
}

/* ---- in one piece ---- */

/* Token, data and padding one after the other. */
static ULONG wire_make(BYTE *wire, const void *plain, ULONG size, bool encrypt)
{
    struct text text;
    ULONG qop = encrypt ? 0 : SECQOP_WRAP_NO_ENCRYPT;
    text_set(&text, plain, size);
    SecBuffer parts[3] = {{text.token_size, SECBUFFER_TOKEN, text.token},
                          {size, SECBUFFER_DATA, text.data},
                          {text.padding_size, SECBUFFER_PADDING, text.padding}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 3, parts};
    SECURITY_STATUS status = kerberos_call_qop(SEAL, &pair.client, &desc, &qop);
    if (!ok(status == SEC_E_OK, "%lu bytes, seal: %08lx", size, status)) return 0;
    ULONG total = 0;
    for (int i = 0; i < 3; i++) {
        memcpy(wire + total, parts[i].pvBuffer, parts[i].cbBuffer);
        total += parts[i].cbBuffer;
    }
    return total;
}

static SECURITY_STATUS wire_open(BYTE *wire, ULONG size, SecBuffer *data, ULONG *qop)
{
    SecBuffer stream[2] = {{size, SECBUFFER_STREAM, wire}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, stream};
    SECURITY_STATUS status = kerberos_call_qop(OPEN, &pair.server, &desc, qop);
    *data = stream[1];
    return status;
}

/* [D sspi-kerberos-interoperability-with-gssapi] one STREAM buffer; DATA is set to where the text
 * is, and the quality tells whether it was encrypted */
static void test_stream(void)
{
    if (!connect_pair(KERBEROS_USUAL)) return;
    for (int encrypt = 0; encrypt < 2; encrypt++) {
        for (ULONG size = 0; size < 300; size += 9) {
            BYTE wire[600], plain[300];
            SecBuffer data;
            ULONG qop = 77;
            fill(plain, size, 5);
            ULONG total = wire_make(wire, plain, size, encrypt);
            SECURITY_STATUS status = wire_open(wire, total, &data, &qop);
            if (!ok(status == SEC_E_OK, "%lu bytes, open: %08lx", size, status)) continue;
            ok(data.cbBuffer == size, "%lu bytes became %lu", size, data.cbBuffer);
            ok(!memcmp(data.pvBuffer, plain, size), "%lu bytes: other data", size);
            ok(qop == (encrypt ? 0 : SECQOP_WRAP_NO_ENCRYPT), "quality %lx", qop);
        }
    }
    kerberos_close(&pair);
}

static void rotate_right(BYTE *bytes, ULONG size, ULONG count)
{
    for (; size && count; count--) {
        BYTE last = bytes[size - 1];
        memmove(bytes + 1, bytes, size - 1);
        bytes[0] = last;
    }
}

/* [OS RFC 4121 4.2.5] whatever the sender has rotated by */
static void test_rotations(void)
{
    static const char plain[] = "The quick brown fox jumps over the lazy dog";
    if (!kerberos_kind->mac || !connect_pair(KERBEROS_USUAL)) return;
    for (int encrypt = 0; encrypt < 2; encrypt++) {
        for (ULONG more = 0; more < 150; more++) {
            BYTE wire[600];
            SecBuffer data;
            ULONG total = wire_make(wire, plain, sizeof(plain), encrypt);
            ULONG rrc = (ULONG)(wire[6] << 8 | wire[7]) + more;
            rotate_right(wire + HEADER, total - HEADER, more);
            wire[6] = (BYTE)(rrc >> 8);
            wire[7] = (BYTE)rrc;
            SECURITY_STATUS status = wire_open(wire, total, &data, NULL);
            ok(status == SEC_E_OK, "rotated by %lu more: %08lx", more, status);
            ok(!status && data.cbBuffer == sizeof(plain) &&
                   !memcmp(data.pvBuffer, plain, sizeof(plain)),
               "rotated by %lu more: other data", more);
        }
    }
    kerberos_close(&pair);
}

/* Every prefix of a token in one piece, and each of its bytes changed; what is refused stays as it
 * was, DATA too, and the true one still opens. */
static void test_damaged_stream(void)
{
    static const char plain[] = "The quick brown fox jumps over the lazy dog";
    for (int encrypt = 0; encrypt < 2; encrypt++) {
        BYTE wire[600], copy[600];
        SecBuffer data;
        if (!connect_pair(KERBEROS_USUAL)) return;
        ULONG total = wire_make(wire, plain, sizeof(plain), encrypt);
        memcpy(copy, wire, total);
        for (ULONG size = 0; size < total; size++) {
            SECURITY_STATUS status = wire_open(copy, size, &data, NULL);
            ok(status == SEC_E_INVALID_TOKEN || status == SEC_E_MESSAGE_ALTERED, "%lu bytes: %08lx",
               size, status);
            ok(!data.pvBuffer && !memcmp(wire, copy, total), "%lu bytes: changed", size);
        }
        for (ULONG i = 0; i < total; i++) {
            BYTE damaged[600];
            copy[i] ^= (BYTE)(1 << i % 8);
            memcpy(damaged, copy, total);
            SECURITY_STATUS status = wire_open(copy, total, &data, NULL);
            ok(status == SEC_E_INVALID_TOKEN || status == SEC_E_MESSAGE_ALTERED ||
                   status == SEC_E_OUT_OF_SEQUENCE,
               "encrypt %d, byte %lu: %08lx", encrypt, i, status);
            ok(!data.pvBuffer && !memcmp(damaged, copy, total), "byte %lu: changed", i);
            memcpy(copy, wire, total);
        }
        SECURITY_STATUS status = wire_open(wire, total, &data, NULL);
        ok(status == SEC_E_OK, "encrypt %d, the true one: %08lx", encrypt, status);
        kerberos_close(&pair);
    }
}

/* ours: either half of the form is not one */
static void test_half_a_stream(void)
{
    BYTE wire[600];
    if (!connect_pair(KERBEROS_USUAL)) return;
    ULONG total = wire_make(wire, "text", 4, true);
    SecBuffer stream[2] = {{total, SECBUFFER_STREAM, wire}, {total, SECBUFFER_DATA, wire}};
    SECURITY_STATUS status = kerberos_call(OPEN, &pair.server, stream, 1);
    ok(status == SEC_E_INVALID_TOKEN, "no DATA: %08lx", status);
    stream[0].pvBuffer = NULL;
    status = kerberos_call(OPEN, &pair.server, stream, 2);
    ok(status == SEC_E_INVALID_TOKEN, "no memory: %08lx", status);
    stream[0].pvBuffer = wire;
    status = kerberos_call(OPEN, &pair.server, stream, 2);
    ok(status == SEC_E_OK && stream[1].cbBuffer == 4 && !memcmp(stream[1].pvBuffer, "text", 4),
       "the true one: %08lx", status);
    kerberos_close(&pair);
}

/* ---- qualities ---- */

/* [D encryptmessage--kerberos] KERB_WRAP_NO_ENCRYPT */
static void test_no_encryption(void)
{
    if (!connect_pair(KERBEROS_USUAL)) return;
    for (int way = 0; way < 2; way++) {
        struct text text;
        ULONG qop = SECQOP_WRAP_NO_ENCRYPT;
        text_set(&text, "Hello, world!", 13);
        SecBuffer parts[3] = {{text.token_size, SECBUFFER_TOKEN, text.token},
                              {13, SECBUFFER_DATA, text.data},
                              {text.padding_size, SECBUFFER_PADDING, text.padding}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 3, parts};
        SECURITY_STATUS status = kerberos_call_qop(SEAL, side(way), &desc, &qop);
        ok(status == SEC_E_OK, "seal: %08lx", status);
        ok(!memcmp(text.data, "Hello, world!", 13), "it was encrypted");
        ULONG mac = kerberos_kind->mac;
        ok(!mac || parts[0].cbBuffer == HEADER + mac, "a token of %lu bytes", parts[0].cbBuffer);
        text.data[3] ^= 1;
        qop = 77;
        status = kerberos_call_qop(OPEN, side(way + 1), &desc, &qop);
        ok(status == SEC_E_MESSAGE_ALTERED && qop == 77, "changed: %08lx, %lx", status, qop);
        text.data[3] ^= 1;
        status = kerberos_call_qop(OPEN, side(way + 1), &desc, &qop);
        ok(status == SEC_E_OK && qop == SECQOP_WRAP_NO_ENCRYPT, "open: %08lx, %lx", status, qop);
    }
    ok(pair_talks(), "the contexts were hurt");
    kerberos_close(&pair);
}

/* [OBS dotnet/runtime issue 103461] a signature has no quality; ours for those that are none */
static void test_qualities(void)
{
    static const struct {
        enum kerberos_call what;
        ULONG qop;
        SECURITY_STATUS status;
    } rows[] = {
        {SIGN, SECQOP_WRAP_NO_ENCRYPT, SEC_E_INVALID_TOKEN},
        {SIGN, 1, SEC_E_QOP_NOT_SUPPORTED},
        {SEAL, 1, SEC_E_QOP_NOT_SUPPORTED},
        {SEAL, SECQOP_WRAP_OOB_DATA, SEC_E_QOP_NOT_SUPPORTED},
    };
    if (!connect_pair(KERBEROS_USUAL)) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        BYTE token[TOKEN_ROOM], data[] = "Hello, world!";
        SecBuffer parts[2] = {{TOKEN_ROOM, SECBUFFER_TOKEN, token}, {13, SECBUFFER_DATA, data}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
        ULONG qop = rows[i].qop;
        SECURITY_STATUS status = kerberos_call_qop(rows[i].what, &pair.client, &desc, &qop);
        ok(status == rows[i].status, "row %u: %08lx", i, status);
        ok(!memcmp(data, "Hello, world!", 13), "row %u: the data was changed", i);
    }
    ok(pair_talks(), "the contexts were hurt");
    kerberos_close(&pair);
}

/* [OBS mongodb/winkerberos issue 14] no encryption without having asked for it; all else is there */
static void test_no_confidentiality(void)
{
    if (!connect_pair(ISC_REQ_MUTUAL_AUTH | ISC_REQ_INTEGRITY)) return;
    SecPkgContext_Flags flags = {0};
    kerberos_query(&pair.client, SECPKG_ATTR_FLAGS, &flags);
    if (!(flags.Flags & ISC_RET_CONFIDENTIALITY)) {
        struct text text;
        text_set(&text, "text", 4);
        SECURITY_STATUS status = text_call(SEAL, &pair.client, &text);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "seal: %08lx", status);
        ok(!memcmp(text.data, "text", 4), "the data was changed");
    }
    BYTE wire[600];
    SecBuffer data;
    ULONG qop, total = wire_make(wire, "text", 4, false);
    ok(!wire_open(wire, total, &data, &qop) && qop == SECQOP_WRAP_NO_ENCRYPT, "not opened");
    struct text text;
    text_set(&text, "text", 4);
    ok(!text_call(SIGN, &pair.server, &text), "not signed");
    ok(!text_call(VERIFY, &pair.client, &text), "not verified");
    kerberos_close(&pair);
}

/* ---- damage, order, direction ---- */

/* [D decryptmessage, verifysignature] every byte counts, and the true message still opens */
static void test_tampering(void)
{
    static const char words[] = "The quick brown fox jumps over the lazy dog";
    for (int seal = 0; seal < 2; seal++) {
        struct text sealed, changed;
        if (!connect_pair(KERBEROS_USUAL)) return;
        text_set(&sealed, words, sizeof(words));
        ok(!text_call(seal ? SEAL : SIGN, &pair.client, &sealed), "not made");
        if (!seal) sealed.padding_size = 0;
        for (ULONG i = 0; i < sealed.token_size + sizeof(words); i++) {
            for (int bit = 0; bit < 8; bit++) {
                changed = sealed;
                bool token = i < sealed.token_size;
                *(token ? &changed.token[i]
                        : &changed.data[i - sealed.token_size]) ^= (BYTE)(1 << bit);
                SECURITY_STATUS status = text_call(seal ? OPEN : VERIFY, &pair.server, &changed);
                ok(status == SEC_E_MESSAGE_ALTERED || (token && (status == SEC_E_INVALID_TOKEN ||
                                                                 status == SEC_E_OUT_OF_SEQUENCE)),
                   "seal %d, byte %lu, bit %d: %08lx", seal, i, bit, status);
                ok(!seal || memcmp(changed.data, words, sizeof(words)), "the text came out");
            }
        }
        SECURITY_STATUS status = text_call(seal ? OPEN : VERIFY, &pair.server, &sealed);
        ok(status == SEC_E_OK, "seal %d, the true message: %08lx", seal, status);
        ok(!memcmp(sealed.data, words, sizeof(words)), "other data");
        kerberos_close(&pair);
    }
}

/* A message that was cut short or made longer is another message, and so is a token. */
static void test_other_lengths(void)
{
    struct text sealed, changed;
    if (!connect_pair(KERBEROS_USUAL)) return;
    text_set(&sealed, "0123456789", 10);
    ok(!text_call(SEAL, &pair.client, &sealed), "not sealed");
    for (ULONG size = 0; size <= 20; size++) {
        if (size == 10) continue;
        changed = sealed;
        changed.size = size;
        SECURITY_STATUS status = text_call(OPEN, &pair.server, &changed);
        ok(status == SEC_E_MESSAGE_ALTERED || status == SEC_E_INVALID_TOKEN, "%lu bytes: %08lx",
           size, status);
    }
    for (ULONG size = 0; size < TOKEN_ROOM; size++) {
        if (size == sealed.token_size) continue;
        changed = sealed;
        changed.token_size = size;
        SECURITY_STATUS status = text_call(OPEN, &pair.server, &changed);
        ok(status == SEC_E_INVALID_TOKEN || status == SEC_E_MESSAGE_ALTERED,
           "token of %lu bytes: %08lx", size, status);
    }
    ok(text_call(OPEN, &pair.server, &sealed) == SEC_E_OK, "the true message");
    kerberos_close(&pair);
}

/* [D verifysignature] in a sequence each message in its turn, and none twice */
static void test_sequence(void)
{
    struct text made[3], copy;
    if (!connect_pair(KERBEROS_USUAL)) return;
    for (int i = 0; i < 3; i++) {
        text_set(&made[i], "text", 4);
        ok(!text_call(i == 2 ? SIGN : SEAL, &pair.client, &made[i]), "%d: not made", i);
    }
    made[2].padding_size = 0;
    for (int turn = 0; turn < 3; turn++) {
        for (int i = 0; i < 3; i++) {
            if (i == turn) continue;
            copy = made[i];
            SECURITY_STATUS status = text_call(i == 2 ? VERIFY : OPEN, &pair.server, &copy);
            ok(status == SEC_E_OUT_OF_SEQUENCE, "turn %d, message %d: %08lx", turn, i, status);
            ok(!memcmp(copy.data, made[i].data, 4), "turn %d, message %d: changed", turn, i);
        }
        copy = made[turn];
        SECURITY_STATUS status = text_call(turn == 2 ? VERIFY : OPEN, &pair.server, &copy);
        ok(status == SEC_E_OK && !memcmp(copy.data, "text", 4), "turn %d: %08lx", turn, status);
    }
    ok(pair_talks(), "the contexts were hurt");
    kerberos_close(&pair);
}

/* [OS RFC 2743 1.2.3] replays are found in any order; and without either, nothing is minded. The
 * libraries of the host give both even if they are not asked for, so only the module is. */
static void test_replay_only(void)
{
    if (!kerberos_has_module()) return;
    for (int replay = 0; replay < 2; replay++) {
        struct text made[4], copy;
        if (!connect_pair((KERBEROS_USUAL & ~(ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT)) |
                          (replay ? ISC_REQ_REPLAY_DETECT : 0)))
            return;
        for (int i = 0; i < 4; i++) {
            text_set(&made[i], "text", 4);
            ok(!text_call(SEAL, &pair.server, &made[i]), "%d: not made", i);
        }
        static const int order[] = {2, 0, 3, 1};
        for (int i = 0; i < 4; i++) {
            copy = made[order[i]];
            ok(!text_call(OPEN, &pair.client, &copy), "replay %d: message %d", replay, order[i]);
        }
        for (int i = 0; i < 4; i++) {
            copy = made[i];
            SECURITY_STATUS status = text_call(OPEN, &pair.client, &copy);
            ok(status == (replay ? SEC_E_OUT_OF_SEQUENCE : SEC_E_OK), "replay %d: %d again: %08lx",
               replay, i, status);
        }
        kerberos_close(&pair);
    }
}

/* A message of one kind given to the function for the other, or to the end that made it. */
static void test_wrong_ends(void)
{
    static const struct {
        enum kerberos_call made, taken;
        bool back;
    } rows[] = {{SIGN, OPEN, false}, {SEAL, VERIFY, false}, {SIGN, VERIFY, true},
                {SEAL, OPEN, true},  {SIGN, OPEN, true},    {SEAL, VERIFY, true}};
    if (!connect_pair(KERBEROS_USUAL)) return;
    for (int way = 0; way < 2; way++) {
        for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
            struct text text, before;
            text_set(&text, "Hello, world!", 13);
            ok(!text_call(rows[i].made, side(way), &text), "way %d, row %u: not made", way, i);
            if (rows[i].made == SIGN) text.padding_size = 0;
            before = text;
            for (int times = 0; times < 2; times++) {
                SECURITY_STATUS status = text_call(rows[i].taken, side(way + !rows[i].back), &text);
                ok(status == SEC_E_MESSAGE_ALTERED || status == SEC_E_OUT_OF_SEQUENCE ||
                       status == SEC_E_INVALID_TOKEN,
                   "way %d, row %u: %08lx", way, i, status);
                ok(!memcmp(&before, &text, sizeof(text)), "way %d, row %u: changed", way, i);
            }
            ok(!text_call(rows[i].made == SIGN ? VERIFY : OPEN, side(way + 1), &text),
               "way %d, row %u: the true use", way, i);
            ok(!memcmp(text.data, "Hello, world!", 13), "way %d, row %u: other data", way, i);
        }
    }
    kerberos_close(&pair);
}

/* [OS RFC 4178 5] the signature of a list of mechanisms is one as any other */
static void test_mech_list(void)
{
    if (!connect_pair(KERBEROS_USUAL)) return;
    for (int way = 0; way < 2; way++) {
        BYTE token[TOKEN_ROOM];
        char list[] = "a list of mechanisms";
        SecBuffer parts[2] = {{TOKEN_ROOM, SECBUFFER_TOKEN, token},
                              {sizeof(list), SECBUFFER_MECHLIST, list}};
        SECURITY_STATUS status = kerberos_call(SIGN, side(way), parts, 2);
        ok(status == SEC_E_OK, "way %d, sign: %08lx", way, status);
        list[0] ^= 1;
        status = kerberos_call(VERIFY, side(way + 1), parts, 2);
        ok(status == SEC_E_MESSAGE_ALTERED, "way %d, another list: %08lx", way, status);
        list[0] ^= 1;
        parts[1].BufferType = SECBUFFER_DATA; /* whoever has signed has a MIC of these bytes */
        status = kerberos_call(VERIFY, side(way + 1), parts, 2);
        ok(status == SEC_E_OK, "way %d: %08lx", way, status);
    }
    ok(pair_talks(), "the contexts were hurt");
    kerberos_close(&pair);
}

static void test_bad_descriptors(void)
{
    if (!connect_pair(KERBEROS_USUAL)) return;
    BYTE token[TOKEN_ROOM];
    SecBuffer parts[2] = {{TOKEN_ROOM, SECBUFFER_TOKEN, token}, {13, SECBUFFER_DATA, NULL}};
    SecBufferDesc rows[] = {{1, 2, parts},
                            {SECBUFFER_VERSION, 2, NULL},
                            {SECBUFFER_VERSION, 0, NULL},
                            {SECBUFFER_VERSION, 2, parts}};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (enum kerberos_call what = SIGN; what <= OPEN; what++) {
            SECURITY_STATUS status = kerberos_call_qop(what, &pair.client, &rows[i], NULL);
            ok(status == SEC_E_INVALID_TOKEN, "row %u, call %d: %08lx", i, what, status);
        }
    }
    ok(pair_talks(), "the contexts were hurt");
    kerberos_close(&pair);
}

/* ---- two threads ---- */

#define ROUNDS 2000

static bool send_and_receive(int way)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct text text;
        BYTE plain[64];
        fill(plain, 64, (BYTE)i);
        text_set(&text, plain, 64);
        if (text_call(i % 2 ? SEAL : SIGN, side(way), &text)) return false;
        if (i % 2 == 0) text.padding_size = 0;
        if (text_call(i % 2 ? OPEN : VERIFY, side(way + 1), &text)) return false;
        if (memcmp(text.data, plain, 64)) return false;
    }
    return true;
}

static DWORD WINAPI other_direction(void *argument)
{
    (void)argument;
    return send_and_receive(1);
}

/* [D initializesecuritycontext] one thread may send while another receives */
static void test_two_threads(void)
{
    DWORD code = 0;
    if (!connect_pair(KERBEROS_USUAL)) return;
    HANDLE thread = CreateThread(NULL, 0, other_direction, NULL, 0, NULL);
    ok(send_and_receive(0), "one direction");
    ok(!WaitForSingleObject(thread, 60000) && GetExitCodeThread(thread, &code) && code == 1,
       "the other direction");
    CloseHandle(thread);
    kerberos_close(&pair);
}

int main(int argc, char **argv)
{
    if (!kerberos_begin(argc, argv)) {
        skip_case("the module");
        return test_end("api_kerberos_message");
    }
    RUN_KINDS(test_sign_and_seal);
    RUN_KINDS(test_token_sizes);
    RUN_KINDS(test_large_messages);
    RUN_KINDS(test_buffer_orders);
    RUN_KINDS(test_other_buffers);
    RUN_KINDS(test_several_data_buffers);
    RUN_KINDS(test_many_buffers);
    RUN_KINDS(test_no_token);
    RUN_KINDS(test_small_token);
    RUN_KINDS(test_stream);
    RUN_KINDS(test_rotations);
    RUN_KINDS(test_damaged_stream);
    RUN_KINDS(test_half_a_stream);
    RUN_KINDS(test_no_encryption);
    RUN_KINDS(test_qualities);
    RUN_KINDS(test_no_confidentiality);
    RUN_KINDS(test_tampering);
    RUN_KINDS(test_other_lengths);
    RUN_KINDS(test_sequence);
    RUN_KINDS(test_replay_only);
    RUN_KINDS(test_wrong_ends);
    RUN_KINDS(test_mech_list);
    RUN_KINDS(test_bad_descriptors);
    RUN_KINDS(test_two_threads);
    return test_end("api_kerberos_message");
}
