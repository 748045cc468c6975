/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of package Kerberos: which buffers in which order and form, what is covered and what is
 * encrypted, which sizes come back, and qualities. Sources in brackets, as in api_packages.
 */
#include "kerberos_pair.h"

/* ---- sizes ---- */

/* [D sspi-kerberos-interoperability-with-gssapi] the buffers get the size that is used of them */
static void test_sign_and_seal(void)
{
    SecPkgContext_Sizes sizes;
    if (!pair_open(KERBEROS_USUAL)) return;
    ok(!kerberos_query(pair_side(0), SECPKG_ATTR_SIZES, &sizes), "no sizes");
    for (ULONG size = 0; size <= 1000; size += size < 40 ? 1 : 37) {
        struct text text;
        BYTE plain[1000];
        text_fill(plain, size, (BYTE)size);
        text_set(&text, plain, size);
        SECURITY_STATUS status = text_call(SIGN, pair_side((int)size), &text);
        ok(status == SEC_E_OK, "sign %lu: %08lx", size, status);
        ok(text.token_size == sizes.cbMaxSignature || kerberos_kind->library,
           "signature of %lu bytes", text.token_size);
        ok(!memcmp(text.data, plain, size), "signing changed the data");
        status = text_call(VERIFY, pair_side((int)size + 1), &text);
        ok(status == SEC_E_OK, "verify %lu: %08lx", size, status);

        text_set(&text, plain, size);
        status = text_call(SEAL, pair_side((int)size), &text);
        ok(status == SEC_E_OK, "seal %lu: %08lx", size, status);
        ok(text.token_size <= sizes.cbSecurityTrailer, "token of %lu bytes", text.token_size);
        ok(text.padding_size <= sizes.cbBlockSize, "padding of %lu bytes", text.padding_size);
        ok(size < 4 || memcmp(text.data, plain, size), "sealing %lu bytes left them", size);
        status = text_call(OPEN, pair_side((int)size + 1), &text);
        ok(status == SEC_E_OK, "open %lu: %08lx", size, status);
        ok(!memcmp(text.data, plain, size), "%lu bytes came out changed", size);
    }
    pair_close();
}

/* [OBS FreeRDP PR 8307], [OBS PowerShell issue 20168] for AES with SHA-1; ours for SHA-2, with the
 * longer MACs of RFC 8009 */
static void test_token_sizes(void)
{
    SecPkgContext_Sizes sizes;
    ULONG mac = kerberos_kind->mac;
    for (int dce = 0; dce < 2; dce++) {
        struct text text;
        if (!pair_open(KERBEROS_USUAL | (dce ? ISC_REQ_USE_DCE_STYLE : 0))) return;
        ok(!kerberos_query(pair_side(0), SECPKG_ATTR_SIZES, &sizes), "no sizes");
        ok(sizes.cbMaxToken == 48000 || sizes.cbMaxToken == 12000, "token %lu", sizes.cbMaxToken);
        ok(!mac || sizes.cbMaxSignature == HEADER + mac, "signature %lu", sizes.cbMaxSignature);
        /* Windows says the same in both; ours is exact, for Wine's wldap32. */
        ok(!mac || sizes.cbSecurityTrailer == (dce ? 64 : 48) + mac ||
               broken(sizes.cbSecurityTrailer == 64 + mac),
           "trailer %lu", sizes.cbSecurityTrailer);
        ok(!mac || sizes.cbBlockSize == 1, "block %lu", sizes.cbBlockSize);
        text_set(&text, "text", 4);
        ok(!text_call(SEAL, pair_side(0), &text), "not sealed");
        ok(!mac || text.token_size == (dce ? 64 : 48) + mac, "dce %d: %lu bytes", dce,
           text.token_size);
        ok(text.padding_size == (mac || dce ? 0 : 1) || kerberos_kind->library,
           "dce %d: padding of %lu bytes", dce, text.padding_size);
        ok(!text_call(OPEN, pair_side(1), &text) && !memcmp(text.data, "text", 4), "not opened");
        ok(pair_talks(), "dce %d: no talk", dce);
        pair_close();
    }
}

static void test_large_messages(void)
{
    if (!pair_open(KERBEROS_USUAL)) return;
    const ULONG size = 1 << 20;
    BYTE *plain = malloc(size), *data = malloc(size), token[TOKEN_ROOM], padding[16];
    text_fill(plain, size, 3);
    memcpy(data, plain, size);
    SecBuffer parts[3] = {{TOKEN_ROOM, SECBUFFER_TOKEN, token},
                          {size, SECBUFFER_DATA, data},
                          {sizeof(padding), SECBUFFER_PADDING, padding}};
    SECURITY_STATUS status = kerberos_call(SEAL, pair_side(0), parts, 3);
    ok(status == SEC_E_OK, "seal: %08lx", status);
    ok(memcmp(plain, data, size), "the data was left");
    status = kerberos_call(OPEN, pair_side(1), parts, 3);
    ok(status == SEC_E_OK, "open: %08lx", status);
    ok(!memcmp(plain, data, size), "the data came out changed");
    free(plain);
    free(data);
    pair_close();
}

/* ---- buffers ---- */

/* [OS MS-KILE 3.4.5.4], [CI sspilib] the token stands anywhere; parts that are read only and
 * covered are signed in array order, neither encrypted nor changed */
static void test_buffer_orders(void)
{
    static const int orders[][5] = {{0, 1, 2, 3, 4}, {1, 0, 2, 3, 4}, {1, 2, 0, 3, 4},
                                    {1, 2, 3, 4, 0}, {3, 2, 1, 0, 4}, {4, 2, 0, 1, 3}};
    if (!pair_open(KERBEROS_USUAL | ISC_REQ_USE_DCE_STYLE)) return;
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
        SECURITY_STATUS status = kerberos_call(SEAL, pair_side(0), parts, 5);
        ok(status == SEC_E_OK, "order %u, seal: %08lx", i, status);
        ok(!strcmp(header, "Header Test") && !strcmp(trailer, "Trailer"),
           "order %u: a read-only part was changed", i);
        ok(memcmp(data, "Hello, world!", 13), "order %u: the data was not encrypted", i);
        header[0] ^= 1;
        status = kerberos_call(OPEN, pair_side(1), parts, 5);
        ok(status == SEC_E_MESSAGE_ALTERED, "order %u, header changed: %08lx", i, status);
        header[0] ^= 1;
        status = kerberos_call(OPEN, pair_side(1), parts, 5);
        ok(status == SEC_E_OK, "order %u, open: %08lx", i, status);
        ok(!memcmp(data, "Hello, world!", 13), "order %u: other data", i);
    }
    pair_close();
}

/* [D encryptmessage--kerberos] a part that is only READONLY is not looked at; ours: neither are
 * buffers that mean nothing here */
static void test_other_buffers(void)
{
    if (!pair_open(KERBEROS_USUAL)) return;
    BYTE token[TOKEN_ROOM], data[] = "Hello, world!", padding[16];
    char ignored[] = "not covered", extra[] = "extra";
    SecBuffer parts[6] = {{TOKEN_ROOM, SECBUFFER_TOKEN, token},
                          {sizeof(ignored), SECBUFFER_DATA | SECBUFFER_READONLY, ignored},
                          {0, SECBUFFER_EMPTY, NULL},
                          {13, SECBUFFER_DATA, data},
                          {sizeof(extra), SECBUFFER_EXTRA, extra},
                          {sizeof(padding), SECBUFFER_PADDING, padding}};
    SECURITY_STATUS status = kerberos_call(SEAL, pair_side(0), parts, 6);
    ok(status == SEC_E_OK, "seal: %08lx", status);
    ok(!strcmp(ignored, "not covered") && !strcmp(extra, "extra"), "another buffer was changed");
    ok(parts[1].cbBuffer == sizeof(ignored) && parts[4].cbBuffer == sizeof(extra) &&
           !parts[2].cbBuffer && !parts[2].pvBuffer,
       "another buffer has another size");
    ignored[0] = 'N';
    extra[0] = 'E';
    status = kerberos_call(OPEN, pair_side(1), parts, 6);
    ok(status == SEC_E_OK, "open: %08lx", status);
    ok(!memcmp(data, "Hello, world!", 13), "other data");
    pair_close();
}

/* Two data buffers are one text: the reader may have it in one or in other pieces. */
static void test_several_data_buffers(void)
{
    if (!pair_open(KERBEROS_USUAL | ISC_REQ_USE_DCE_STYLE)) return;
    for (ULONG cut = 0; cut <= 26; cut++) {
        BYTE token[TOKEN_ROOM];
        char data[] = "abcdefghijklmnopqrstuvwxyz";
        SecBuffer parts[3] = {{TOKEN_ROOM, SECBUFFER_TOKEN, token},
                              {cut, SECBUFFER_DATA, data},
                              {26 - cut, SECBUFFER_DATA, data + cut}};
        SECURITY_STATUS status = kerberos_call(SEAL, pair_side(0), parts, 3);
        ok(status == SEC_E_OK, "cut %lu, seal: %08lx", cut, status);
        SecBuffer one[2] = {{parts[0].cbBuffer, SECBUFFER_TOKEN, token},
                            {26, SECBUFFER_DATA, data}};
        status = kerberos_call(OPEN, pair_side(1), one, 2);
        ok(status == SEC_E_OK, "cut %lu, open: %08lx", cut, status);
        ok(!strcmp(data, "abcdefghijklmnopqrstuvwxyz"), "cut %lu: %s", cut, data);
    }
    pair_close();
}

#define MANY 50

/* Any number of parts; every third is covered only, every fifth is not even that. */
static void test_many_buffers(void)
{
    if (!pair_open(KERBEROS_USUAL | ISC_REQ_USE_DCE_STYLE)) return;
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
        SECURITY_STATUS status = kerberos_call(SEAL, pair_side(0), parts, count + 1);
        ok(status == SEC_E_OK, "%lu: seal: %08lx", count, status);
        for (ULONG i = 0; i < count; i++) {
            bool kept = i % 3 == 2 || i % 5 == 4;
            ok(!memcmp(data[i], plain[i], 4) == kept, "%lu: part %lu", count, i);
        }
        status = kerberos_call(OPEN, pair_side(1), parts, count + 1);
        ok(status == SEC_E_OK, "%lu: open: %08lx", count, status);
        ok(!memcmp(data, plain, sizeof(data[0]) * count), "%lu: other data", count);
    }
    pair_close();
}

/* [W8 ntlm.c:1091-1092] a message without a place for the token */
static void test_no_token(void)
{
    if (!pair_open(KERBEROS_USUAL)) return;
    BYTE data[] = "Hello, world!";
    SecBuffer parts[2] = {{13, SECBUFFER_DATA, data}, {16, SECBUFFER_TOKEN, NULL}};
    for (ULONG count = 1; count <= 2; count++) {
        for (enum kerberos_call what = SIGN; what <= OPEN; what++) {
            SECURITY_STATUS status = kerberos_call(what, pair_side(0), parts, count);
            ok(status == SEC_E_INVALID_TOKEN, "%d, %lu buffers: %08lx", what, count, status);
        }
    }
    ok(!memcmp(data, "Hello, world!", 13), "the data was changed");
    ok(pair_talks(), "the contexts were hurt");
    pair_close();
}

/* ours: a place for the token that is too small; the next one is as if nothing had been asked */
static void test_small_token(void)
{
    struct text text;
    if (!pair_open(KERBEROS_USUAL)) return;
    text_set(&text, "Hello, world!", 13);
    ok(!text_call(SIGN, pair_side(0), &text), "not signed");
    ULONG signature = text.token_size;
    ok(!text_call(VERIFY, pair_side(1), &text), "not verified");
    text_set(&text, "Hello, world!", 13);
    ok(!text_call(SEAL, pair_side(0), &text), "not sealed");
    ULONG token = text.token_size;
    ok(!text_call(OPEN, pair_side(1), &text), "not opened");
    for (ULONG size = 0; size < token; size++) {
        memset(text.token, 0, sizeof(text.token));
        text_set(&text, "Hello, world!", 13);
        text.token_size = size;
        SECURITY_STATUS status = text_call(SEAL, pair_side(0), &text);
        ok(status == SEC_E_BUFFER_TOO_SMALL, "seal into %lu: %08lx", size, status);
        ok(!memcmp(text.data, "Hello, world!", 13), "seal into %lu: data changed", size);
        text.token_size = size;
        if (size < signature) status = text_call(SIGN, pair_side(0), &text);
        ok(status == SEC_E_BUFFER_TOO_SMALL, "sign into %lu: %08lx", size, status);
        ok(text.token[size] == 0, "written behind %lu bytes", size);
    }
    ok(pair_talks(), "the contexts were hurt");
    pair_close();
}

/* ---- in one piece ---- */

/* [D sspi-kerberos-interoperability-with-gssapi] one STREAM buffer; DATA is set to where the text
 * is, and the quality tells whether it was encrypted */
static void test_stream(void)
{
    if (!pair_open(KERBEROS_USUAL)) return;
    for (int encrypt = 0; encrypt < 2; encrypt++) {
        for (ULONG size = 0; size < 300; size += 9) {
            BYTE wire[600], plain[300];
            SecBuffer data;
            ULONG qop = 77;
            text_fill(plain, size, 5);
            ULONG total = wire_make(wire, plain, size, encrypt);
            SECURITY_STATUS status = wire_open(wire, total, &data, &qop);
            if (!ok(status == SEC_E_OK, "%lu bytes, open: %08lx", size, status)) continue;
            ok(data.cbBuffer == size, "%lu bytes became %lu", size, data.cbBuffer);
            ok(!memcmp(data.pvBuffer, plain, size), "%lu bytes: other data", size);
            bool unclear = kerberos_kind->library &&
                           !size; /* MIT's says that nothing was encrypted */
            ok(unclear || qop == (encrypt ? 0 : SECQOP_WRAP_NO_ENCRYPT),
               "encrypt %d, %lu bytes: quality %lx", encrypt, size, qop);
        }
    }
    pair_close();
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
    if (!kerberos_kind->mac || !pair_open(KERBEROS_USUAL)) return;
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
    pair_close();
}

/* [OS RFC 4757 7.3] padding that the sender has put behind the data, where the reader has no buffer
 * for it; and no place for it at all, which only RC4 minds */
static void test_padding(void)
{
    if (!pair_open(KERBEROS_USUAL)) return;
    struct text text;
    text_set(&text, "Hello, world!", 13);
    ok(!text_call(SEAL, pair_side(0), &text), "not sealed");
    memcpy(text.data + 13, text.padding, text.padding_size);
    SecBuffer parts[2] = {{text.token_size, SECBUFFER_TOKEN, text.token},
                          {13 + text.padding_size, SECBUFFER_DATA, text.data}};
    SECURITY_STATUS status = kerberos_call(OPEN, pair_side(1), parts, 2);
    ok(status == SEC_E_OK, "open: %08lx", status);
    ok(parts[1].cbBuffer == 13 && !memcmp(text.data, "Hello, world!", 13), "%lu bytes",
       parts[1].cbBuffer);
    parts[0].cbBuffer = TOKEN_ROOM;
    status = kerberos_call(SEAL, pair_side(0), parts, 2);
    bool padded = kerberos_kind->enctype == KERB_ETYPE_RC4_HMAC_NT;
    ok(status == (padded ? SEC_E_BUFFER_TOO_SMALL : SEC_E_OK), "no padding: %08lx", status);
    if (padded) ok(!memcmp(text.data, "Hello, world!", 13), "the data was changed");
    else ok(!kerberos_call(OPEN, pair_side(1), parts, 2), "not opened");
    ok(pair_talks(), "the contexts were hurt");
    pair_close();
}

/* ours: either half of the form is not one */
static void test_half_a_stream(void)
{
    BYTE wire[600];
    if (!pair_open(KERBEROS_USUAL)) return;
    ULONG total = wire_make(wire, "text", 4, true);
    SecBuffer stream[2] = {{total, SECBUFFER_STREAM, wire}, {total, SECBUFFER_DATA, wire}};
    SECURITY_STATUS status = kerberos_call(OPEN, pair_side(1), stream, 1);
    ok(status == SEC_E_INVALID_TOKEN, "no DATA: %08lx", status);
    stream[0].pvBuffer = NULL;
    status = kerberos_call(OPEN, pair_side(1), stream, 2);
    ok(status == SEC_E_INVALID_TOKEN, "no memory: %08lx", status);
    stream[0].pvBuffer = wire;
    status = kerberos_call(OPEN, pair_side(1), stream, 2);
    ok(status == SEC_E_OK && stream[1].cbBuffer == 4 && !memcmp(stream[1].pvBuffer, "text", 4),
       "the true one: %08lx", status);
    pair_close();
}

/* ---- qualities ---- */

/* [D encryptmessage--kerberos] KERB_WRAP_NO_ENCRYPT */
static void test_no_encryption(void)
{
    if (!pair_open(KERBEROS_USUAL)) return;
    for (int way = 0; way < 2; way++) {
        struct text text;
        ULONG qop = SECQOP_WRAP_NO_ENCRYPT;
        text_set(&text, "Hello, world!", 13);
        SecBuffer parts[3] = {{text.token_size, SECBUFFER_TOKEN, text.token},
                              {13, SECBUFFER_DATA, text.data},
                              {text.padding_size, SECBUFFER_PADDING, text.padding}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 3, parts};
        SECURITY_STATUS status = kerberos_call_qop(SEAL, pair_side(way), &desc, &qop);
        ok(status == SEC_E_OK, "seal: %08lx", status);
        ok(!memcmp(text.data, "Hello, world!", 13), "it was encrypted");
        ULONG mac = kerberos_kind->mac;
        ok(!mac || parts[0].cbBuffer == HEADER + mac, "a token of %lu bytes", parts[0].cbBuffer);
        text.data[3] ^= 1;
        qop = 77;
        status = kerberos_call_qop(OPEN, pair_side(way + 1), &desc, &qop);
        ok(status == SEC_E_MESSAGE_ALTERED && qop == 77, "changed: %08lx, %lx", status, qop);
        text.data[3] ^= 1;
        status = kerberos_call_qop(OPEN, pair_side(way + 1), &desc, &qop);
        ok(status == SEC_E_OK && qop == SECQOP_WRAP_NO_ENCRYPT, "open: %08lx, %lx", status, qop);
    }
    ok(pair_talks(), "the contexts were hurt");
    pair_close();
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
    if (!pair_open(KERBEROS_USUAL)) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        BYTE token[TOKEN_ROOM], data[] = "Hello, world!";
        SecBuffer parts[2] = {{TOKEN_ROOM, SECBUFFER_TOKEN, token}, {13, SECBUFFER_DATA, data}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
        ULONG qop = rows[i].qop;
        SECURITY_STATUS status = kerberos_call_qop(rows[i].what, pair_side(0), &desc, &qop);
        ok(status == rows[i].status, "row %u: %08lx", i, status);
        ok(!memcmp(data, "Hello, world!", 13), "row %u: the data was changed", i);
    }
    ok(pair_talks(), "the contexts were hurt");
    pair_close();
}

/* [OBS mongodb/winkerberos issue 14] no encryption without having asked for it; all else is
 * there */
static void test_no_confidentiality(void)
{
    if (!pair_open(ISC_REQ_MUTUAL_AUTH | ISC_REQ_INTEGRITY)) return;
    SecPkgContext_Flags flags = {0};
    kerberos_query(pair_side(0), SECPKG_ATTR_FLAGS, &flags);
    if (!(flags.Flags & ISC_RET_CONFIDENTIALITY)) {
        struct text text;
        text_set(&text, "text", 4);
        SECURITY_STATUS status = text_call(SEAL, pair_side(0), &text);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "seal: %08lx", status);
        ok(!memcmp(text.data, "text", 4), "the data was changed");
    }
    BYTE wire[600];
    SecBuffer data;
    ULONG qop, total = wire_make(wire, "text", 4, false);
    ok(!wire_open(wire, total, &data, &qop) && qop == SECQOP_WRAP_NO_ENCRYPT, "not opened");
    struct text text;
    text_set(&text, "text", 4);
    ok(!text_call(SIGN, pair_side(1), &text), "not signed");
    ok(!text_call(VERIFY, pair_side(0), &text), "not verified");
    pair_close();
}

/* [OS RFC 4178 5] the signature of a list of mechanisms is one as any other */
static void test_mech_list(void)
{
    if (!pair_open(KERBEROS_USUAL)) return;
    for (int way = 0; way < 2; way++) {
        BYTE token[TOKEN_ROOM];
        char list[] = "a list of mechanisms";
        SecBuffer parts[2] = {{TOKEN_ROOM, SECBUFFER_TOKEN, token},
                              {sizeof(list), SECBUFFER_MECHLIST, list}};
        SECURITY_STATUS status = kerberos_call(SIGN, pair_side(way), parts, 2);
        ok(status == SEC_E_OK, "way %d, sign: %08lx", way, status);
        list[0] ^= 1;
        status = kerberos_call(VERIFY, pair_side(way + 1), parts, 2);
        ok(status == SEC_E_MESSAGE_ALTERED, "way %d, another list: %08lx", way, status);
        list[0] ^= 1;
        parts[1].BufferType = SECBUFFER_DATA; /* whoever has signed has a MIC of these bytes */
        status = kerberos_call(VERIFY, pair_side(way + 1), parts, 2);
        ok(status == SEC_E_OK, "way %d: %08lx", way, status);
    }
    ok(pair_talks(), "the contexts were hurt");
    pair_close();
}

/* [D makesignature] no messages before the context is established */
static void test_half_open(void)
{
    if (kerberos_has_module()) return;
    SECURITY_STATUS status = pair_begin(KERBEROS_USUAL);
    ok(status == SEC_I_CONTINUE_NEEDED, "first leg: %08lx", status);
    for (enum kerberos_call what = SIGN; what <= OPEN; what++) {
        struct text text;
        text_set(&text, "Hello, world!", 13);
        status = text_call(what, pair_side(0), &text);
        ok(status == SEC_E_INVALID_HANDLE, "call %d: %08lx", what, status);
        ok(!memcmp(text.data, "Hello, world!", 13), "call %d: the data was changed", what);
    }
    pair_close();
}

static void test_bad_descriptors(void)
{
    if (!pair_open(KERBEROS_USUAL)) return;
    BYTE token[TOKEN_ROOM];
    SecBuffer parts[2] = {{TOKEN_ROOM, SECBUFFER_TOKEN, token}, {13, SECBUFFER_DATA, NULL}};
    SecBufferDesc rows[] = {{1, 2, parts},
                            {SECBUFFER_VERSION, 2, NULL},
                            {SECBUFFER_VERSION, 0, NULL},
                            {SECBUFFER_VERSION, 2, parts}};
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (enum kerberos_call what = SIGN; what <= OPEN; what++) {
            SECURITY_STATUS status = kerberos_call_qop(what, pair_side(0), &rows[i], NULL);
            ok(status == SEC_E_INVALID_TOKEN, "row %u, call %d: %08lx", i, what, status);
        }
    }
    ok(pair_talks(), "the contexts were hurt");
    pair_close();
}

int main(int argc, char **argv)
{
    if (!kerberos_begin(argc, argv)) return kerberos_nothing("api_kerberos_message");
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
    RUN_KINDS(test_padding);
    RUN_KINDS(test_half_a_stream);
    RUN_KINDS(test_no_encryption);
    RUN_KINDS(test_qualities);
    RUN_KINDS(test_no_confidentiality);
    RUN_KINDS(test_mech_list);
    RUN_KINDS(test_half_open);
    RUN_KINDS(test_bad_descriptors);
    return test_end("api_kerberos_message");
}
