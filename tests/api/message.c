/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Signing and sealing with package NTLM: which buffers in which order, what is covered by the
 * signature and what is encrypted, what tampering, replay and reordering are answered with, and
 * that an error changes nothing. Sources in brackets, as in api_packages.
 */
#include "loopback.h"

static struct account account;
static bool have_account;
static struct loopback loop;

static bool connect_loop(void)
{
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", have_account ? &account : NULL);
    return ok(!status, "no contexts: %08lx", status);
}

static void fill(BYTE *bytes, ULONG size, BYTE seed)
{
    for (ULONG i = 0; i < size; i++) bytes[i] = (BYTE)(seed + i * 7 + i / 251);
}

static void test_sign_and_seal(void)
{
    if (!connect_loop()) return;
    for (ULONG size = 0; size <= 1000; size += size < 40 ? 1 : 37) {
        struct message text;
        BYTE plain[1000];
        fill(plain, size, (BYTE)size);
        CtxtHandle *from = size % 2 ? &loop.client : &loop.server;
        CtxtHandle *to = size % 2 ? &loop.server : &loop.client;
        message_set(&text, plain, size);
        SECURITY_STATUS status = message_sign(from, &text);
        ok(status == SEC_E_OK, "sign %lu: %08lx", size, status);
        ok(text.token_size == 16, "signature of %lu bytes", text.token_size);
        ok(!memcmp(text.data, plain, size), "signing changed the data");
        status = message_verify(to, &text);
        ok(status == SEC_E_OK, "verify %lu: %08lx", size, status);

        status = message_seal(from, &text);
        ok(status == SEC_E_OK, "seal %lu: %08lx", size, status);
        ok(size < 4 || memcmp(text.data, plain, size), "sealing %lu bytes left them", size);
        status = message_open(to, &text);
        ok(status == SEC_E_OK, "open %lu: %08lx", size, status);
        ok(!memcmp(text.data, plain, size), "%lu bytes came out changed", size);
    }
    loopback_close(&loop);
}

static void test_large_messages(void)
{
    if (!connect_loop()) return;
    const ULONG size = 1 << 20;
    BYTE *plain = malloc(size), *data = malloc(size), token[16];
    fill(plain, size, 3);
    memcpy(data, plain, size);
    SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, token}, {size, SECBUFFER_DATA, data}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    SECURITY_STATUS status = EncryptMessage(&loop.client, 0, &desc, 0);
    ok(status == SEC_E_OK, "seal: %08lx", status);
    status = DecryptMessage(&loop.server, &desc, 0, NULL);
    ok(status == SEC_E_OK, "open: %08lx", status);
    ok(!memcmp(plain, data, size), "the data came out changed");
    free(plain);
    free(data);
    loopback_close(&loop);
}

/* [W8 ntlm.c:1183-1248], [CI sspilib] the token stands anywhere; parts that are read only and
 * covered are signed in array order, neither encrypted nor changed */
static void test_buffer_orders(void)
{
    static const int orders[][4] = {{0, 1, 2, 3}, {1, 0, 2, 3}, {1, 2, 0, 3},
                                    {1, 2, 3, 0}, {3, 2, 1, 0}, {2, 0, 1, 3}};
    if (!connect_loop()) return;
    for (unsigned i = 0; i < sizeof(orders) / sizeof(*orders); i++) {
        BYTE token[16], data[] = "Hello, world!";
        char header[] = "Header Test", trailer[] = "Trailer";
        SecBuffer whole[4] = {
            {16, SECBUFFER_TOKEN, token},
            {sizeof(header), SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, header},
            {13, SECBUFFER_DATA, data},
            {sizeof(trailer), SECBUFFER_DATA | SECBUFFER_READONLY_WITH_CHECKSUM, trailer},
        };
        SecBuffer parts[4];
        for (int j = 0; j < 4; j++) parts[j] = whole[orders[i][j]];
        SecBufferDesc desc = {SECBUFFER_VERSION, 4, parts};
        SECURITY_STATUS status = EncryptMessage(&loop.client, 0, &desc, 0);
        ok(status == SEC_E_OK, "order %u, seal: %08lx", i, status);
        ok(!strcmp(header, "Header Test") && !strcmp(trailer, "Trailer"),
           "order %u: a read-only part was changed", i);
        ok(memcmp(data, "Hello, world!", 13), "order %u: the data was not encrypted", i);
        header[0] ^= 1;
        status = DecryptMessage(&loop.server, &desc, 0, NULL);
        ok(status == SEC_E_MESSAGE_ALTERED, "order %u, header changed: %08lx", i, status);
        header[0] ^= 1;
        status = DecryptMessage(&loop.server, &desc, 0, NULL);
        ok(status == SEC_E_OK, "order %u, open: %08lx", i, status);
        ok(!memcmp(data, "Hello, world!", 13), "order %u: other data", i);
    }
    loopback_close(&loop);
}

static SECURITY_STATUS protect(bool seal, SecBufferDesc *desc, ULONG number)
{
    return seal ? EncryptMessage(&loop.client, 0, desc, number)
                : MakeSignature(&loop.client, 0, desc, number);
}

static SECURITY_STATUS check(bool seal, SecBufferDesc *desc, ULONG number)
{
    return seal ? DecryptMessage(&loop.server, desc, number, NULL)
                : VerifySignature(&loop.server, desc, number, NULL);
}

/* [D encryptmessage--ntlm] a part that is only READONLY is not looked at; one WITH_CHECKSUM is
 * signed, and neither is enciphered. The same for signatures alone. */
static void test_read_only(void)
{
    for (int row = 0; row < 8; row++) {
        bool seal = row & 1, covered = row & 2, changed = row & 4;
        if (!connect_loop()) return;
        BYTE token[16], data[] = "Hello, world!";
        char other[] = "other part";
        ULONG kind = covered ? SECBUFFER_READONLY_WITH_CHECKSUM : SECBUFFER_READONLY;
        SecBuffer parts[3] = {{16, SECBUFFER_TOKEN, token},
                              {sizeof(other), SECBUFFER_DATA | kind, other},
                              {13, SECBUFFER_DATA, data}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 3, parts};
        SECURITY_STATUS status = protect(seal, &desc, 0);
        ok(status == SEC_E_OK, "row %d, made: %08lx", row, status);
        ok(!strcmp(other, "other part"), "row %d: the read-only part was changed", row);
        if (changed) other[0] = 'O';
        status = check(seal, &desc, 0);
        ok(status == (covered && changed ? SEC_E_MESSAGE_ALTERED : SEC_E_OK), "row %d: %08lx", row,
           status);
        ok(status || !memcmp(data, "Hello, world!", 13), "row %d: other data", row);
        loopback_close(&loop);
    }
}

/* Two data buffers are one text: the reader may have it in one or in other pieces. */
static void test_several_data_buffers(void)
{
    if (!connect_loop()) return;
    for (ULONG cut = 0; cut <= 26; cut++) {
        BYTE token[16];
        char data[] = "abcdefghijklmnopqrstuvwxyz";
        SecBuffer parts[3] = {{16, SECBUFFER_TOKEN, token},
                              {cut, SECBUFFER_DATA, data},
                              {26 - cut, SECBUFFER_DATA, data + cut}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 3, parts};
        SECURITY_STATUS status = EncryptMessage(&loop.client, 0, &desc, 0);
        ok(status == SEC_E_OK, "cut %lu, seal: %08lx", cut, status);
        SecBuffer one[2] = {{16, SECBUFFER_TOKEN, token}, {26, SECBUFFER_DATA, data}};
        SecBufferDesc one_desc = {SECBUFFER_VERSION, 2, one};
        status = DecryptMessage(&loop.server, &one_desc, 0, NULL);
        ok(status == SEC_E_OK, "cut %lu, open: %08lx", cut, status);
        ok(!strcmp(data, "abcdefghijklmnopqrstuvwxyz"), "cut %lu: %s", cut, data);
    }
    loopback_close(&loop);
}

/* [CI sspilib] token and data in one STREAM buffer; DATA is set to where the text is */
static void test_stream(void)
{
    if (!connect_loop()) return;
    for (ULONG size = 0; size < 100; size += 9) {
        BYTE wire[16 + 100];
        fill(wire + 16, size, 5);
        SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, wire}, {size, SECBUFFER_DATA, wire + 16}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
        SECURITY_STATUS status = EncryptMessage(&loop.client, 0, &desc, 0);
        ok(status == SEC_E_OK, "%lu bytes, seal: %08lx", size, status);
        SecBuffer stream[2] = {{16 + size, SECBUFFER_STREAM, wire}, {0, SECBUFFER_DATA, NULL}};
        SecBufferDesc stream_desc = {SECBUFFER_VERSION, 2, stream};
        status = DecryptMessage(&loop.server, &stream_desc, 0, NULL);
        if (!ok(status == SEC_E_OK, "%lu bytes, open: %08lx", size, status)) continue;
        ok(stream[1].cbBuffer == size, "%lu bytes became %lu", size, stream[1].cbBuffer);
        BYTE expected[100];
        fill(expected, size, 5);
        ok(!size || (stream[1].pvBuffer && !memcmp(stream[1].pvBuffer, expected, size)),
           "%lu bytes: other data", size);
    }
    loopback_close(&loop);
}

/* ours: the signature itself does not fit into the stream */
static void test_short_stream(void)
{
    if (!ours_only() || !connect_loop()) return;
    BYTE wire[16] = {1};
    for (ULONG size = 0; size < 16; size++) {
        SecBuffer stream[2] = {{size, SECBUFFER_STREAM, wire}, {0, SECBUFFER_DATA, NULL}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 2, stream};
        SECURITY_STATUS status = DecryptMessage(&loop.server, &desc, 0, NULL);
        ok(status == SEC_E_INVALID_TOKEN || status == SEC_E_MESSAGE_ALTERED, "%lu bytes: %08lx",
           size, status);
    }
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

/* [W8 ntlm.c:1091-1092], [CI sspilib] a message without a place for the signature */
static void test_no_token(void)
{
    if (!connect_loop()) return;
    BYTE data[] = "Hello, world!";
    SecBuffer part = {13, SECBUFFER_DATA, data};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &part};
    SECURITY_STATUS status = MakeSignature(&loop.client, 0, &desc, 0);
    ok(status == SEC_E_INVALID_TOKEN, "sign: %08lx", status);
    status = EncryptMessage(&loop.client, 0, &desc, 0);
    ok(status == SEC_E_INVALID_TOKEN, "seal: %08lx", status);
    ok(!memcmp(data, "Hello, world!", 13), "the data was changed");
    status = DecryptMessage(&loop.client, &desc, 0, NULL);
    ok(status == SEC_E_INVALID_TOKEN, "open: %08lx", status);
    status = VerifySignature(&loop.client, &desc, 0, NULL);
    ok(status == SEC_E_INVALID_TOKEN, "verify: %08lx", status);
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

/* ours: a place for the signature that is too small */
static void test_small_token(void)
{
    if (!ours_only() || !connect_loop()) return;
    for (ULONG size = 0; size < 16; size++) {
        BYTE token[16] = {0}, data[] = "Hello, world!";
        SecBuffer parts[2] = {{size, SECBUFFER_TOKEN, token}, {13, SECBUFFER_DATA, data}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
        SECURITY_STATUS status = MakeSignature(&loop.client, 0, &desc, 0);
        ok(status == SEC_E_BUFFER_TOO_SMALL, "sign into %lu: %08lx", size, status);
        parts[0].cbBuffer = size;
        status = EncryptMessage(&loop.client, 0, &desc, 0);
        ok(status == SEC_E_BUFFER_TOO_SMALL, "seal into %lu: %08lx", size, status);
        ok(!memcmp(data, "Hello, world!", 13), "seal into %lu: data changed", size);
        ok(token[size] == 0, "written behind %lu bytes", size);
    }
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

/* A token buffer with more room than needed gets the size of the signature. */
static void test_large_token(void)
{
    if (!connect_loop()) return;
    BYTE token[64], data[] = "Hello, world!";
    SecBuffer parts[2] = {{64, SECBUFFER_TOKEN, token}, {13, SECBUFFER_DATA, data}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    SECURITY_STATUS status = MakeSignature(&loop.client, 0, &desc, 0);
    ok(status == SEC_E_OK, "sign: %08lx", status);
    ok(parts[0].cbBuffer == 16, "signature of %lu bytes", parts[0].cbBuffer);
    status = VerifySignature(&loop.server, &desc, 0, NULL);
    ok(status == SEC_E_OK, "verify: %08lx", status);
    loopback_close(&loop);
}

/* [W8 ntlm.c:1121-1122], [CI sspilib] every byte counts, and the true message still opens */
static void test_tampering(void)
{
    if (!connect_loop()) return;
    static const char text[] = "The quick brown fox jumps over the lazy dog";
    struct message sealed, changed;
    message_set(&sealed, text, sizeof(text));
    ok(!message_seal(&loop.client, &sealed), "not sealed");
    for (ULONG i = 0; i < 16 + sizeof(text); i++) {
        for (int bit = 0; bit < 8; bit++) {
            changed = sealed;
            *(i < 16 ? &changed.token[i] : &changed.data[i - 16]) ^= (BYTE)(1 << bit);
            SECURITY_STATUS status = message_open(&loop.server, &changed);
            bool sequence = i >= 12 && i < 16 && status == SEC_E_OUT_OF_SEQUENCE;
            ok(status == SEC_E_MESSAGE_ALTERED || sequence, "byte %lu, bit %d: %08lx", i, bit,
               status);
            ok(memcmp(changed.data, text, sizeof(text)), "byte %lu: the text came out", i);
        }
    }
    SECURITY_STATUS status = message_open(&loop.server, &sealed);
    ok(status == SEC_E_OK, "the true message: %08lx", status);
    ok(!memcmp(sealed.data, text, sizeof(text)), "other data");

    message_set(&sealed, text, sizeof(text));
    ok(!message_sign(&loop.client, &sealed), "not signed");
    for (ULONG i = 0; i < 16 + sizeof(text); i++) {
        changed = sealed;
        *(i < 16 ? &changed.token[i] : &changed.data[i - 16]) ^= 0x40;
        status = message_verify(&loop.server, &changed);
        bool sequence = i >= 12 && i < 16 && status == SEC_E_OUT_OF_SEQUENCE;
        ok(status == SEC_E_MESSAGE_ALTERED || sequence, "signed, byte %lu: %08lx", i, status);
    }
    ok(message_verify(&loop.server, &sealed) == SEC_E_OK, "the true signature");
    loopback_close(&loop);
}

/* A message that was cut short or made longer is another message. */
static void test_other_lengths(void)
{
    if (!connect_loop()) return;
    struct message sealed, changed;
    message_set(&sealed, "0123456789", 10);
    ok(!message_seal(&loop.client, &sealed), "not sealed");
    for (ULONG size = 0; size <= 20; size++) {
        if (size == 10) continue;
        changed = sealed;
        changed.size = size;
        SECURITY_STATUS status = message_open(&loop.server, &changed);
        ok(status == SEC_E_MESSAGE_ALTERED, "%lu bytes: %08lx", size, status);
    }
    for (ULONG size = 0; size < 16; size++) {
        changed = sealed;
        changed.token_size = size;
        SECURITY_STATUS status = message_open(&loop.server, &changed);
        ok(status == SEC_E_INVALID_TOKEN || status == SEC_E_MESSAGE_ALTERED ||
               status == SEC_E_BUFFER_TOO_SMALL,
           "signature of %lu bytes: %08lx", size, status);
    }
    ok(message_open(&loop.server, &sealed) == SEC_E_OK, "the true message");
    loopback_close(&loop);
}

static void expect_refused(SECURITY_STATUS status, const char *what)
{
    ok(status == SEC_E_OUT_OF_SEQUENCE || status == SEC_E_MESSAGE_ALTERED, "%s: %08lx", what,
       status);
}

/* [D verifysignature] replay and reordering; MS-NLMP 3.4.4 leaves the counter where it was */
static void test_sequence(void)
{
    if (!connect_loop()) return;
    struct message one, two, three, copy;
    message_set(&one, "one", 3);
    message_set(&two, "two", 3);
    message_set(&three, "three", 5);
    ok(!message_seal(&loop.client, &one) && !message_seal(&loop.client, &two), "not sealed");
    ok(!message_sign(&loop.client, &three), "not signed");
    copy = two;
    expect_refused(message_open(&loop.server, &copy), "second before first");
    copy = three;
    expect_refused(message_verify(&loop.server, &copy), "third before first");
    copy = one;
    ok(message_open(&loop.server, &copy) == SEC_E_OK && !memcmp(copy.data, "one", 3), "first");
    copy = one;
    expect_refused(message_open(&loop.server, &copy), "first again");
    copy = two;
    ok(message_open(&loop.server, &copy) == SEC_E_OK && !memcmp(copy.data, "two", 3), "second");
    expect_refused(message_open(&loop.client, &one), "back to its sender");
    ok(message_verify(&loop.server, &three) == SEC_E_OK, "third");
    expect_refused(message_verify(&loop.server, &three), "third again");
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

/* [MS-NLMP 3.4] sessions of a connection count for themselves, whatever number the application
 * names: what is sealed as 77 and 0 is opened as 5 and 77, in the order in which it was made. */
static void test_sequence_named(void)
{
    if (!connect_loop()) return;
    for (int row = 0; row < 4; row++) {
        const ULONG number = row & 1 ? 0 : 77, other = row & 1 ? 77 : 5;
        const bool seal = row & 2;
        BYTE token[16], data[] = "Hello, world!";
        SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, token}, {13, SECBUFFER_DATA, data}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
        SECURITY_STATUS status = protect(seal, &desc, number);
        ok(status == SEC_E_OK, "row %d, made: %08lx", row, status);
        status = check(seal, &desc, other);
        ok(status == SEC_E_OK, "row %d, checked: %08lx", row, status);
        ok(!memcmp(data, "Hello, world!", 13), "row %d: other data", row);
    }
    loopback_close(&loop);
}

/* [W8 ntlm.c:1125,1131,1178,1216,1248] the quality of protection is not written */
static void test_quality_untouched(void)
{
    if (!connect_loop()) return;
    struct message text;
    message_set(&text, "text", 4);
    ok(!message_sign(&loop.client, &text), "not signed");
    SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, text.token}, {4, SECBUFFER_DATA, text.data}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    ULONG quality = 0xdeadbeef;
    ok(VerifySignature(&loop.server, &desc, 0, &quality) == SEC_E_OK, "not verified");
    ok(quality == 0xdeadbeef, "quality %08lx", quality);
    ok(EncryptMessage(&loop.client, 0, &desc, 0) == SEC_E_OK, "not sealed");
    ok(DecryptMessage(&loop.server, &desc, 0, &quality) == SEC_E_OK, "not opened");
    ok(quality == 0xdeadbeef, "quality %08lx", quality);
    loopback_close(&loop);
}

/* [W8 ntlm.c:1111-1131] with nothing negotiated but ALWAYS_SIGN the signature is a dummy */
static void test_dummy_signature(void)
{
    static const BYTE dummy[16] = {1};
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", have_account ? &account : NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    loop.client_flags = loop.server_flags = 0;
    status = loopback_connect(&loop);
    if (ok(!status, "no contexts: %08lx", status)) {
        struct message text;
        for (int i = 0; i < 3; i++) {
            message_set(&text, "text", 4);
            ok(!message_sign(&loop.client, &text), "not signed");
            ok(!memcmp(text.token, dummy, 16), "a signature after all");
            ok(!message_verify(&loop.server, &text), "the dummy is refused");
        }
        text.token[0] = 2;
        status = message_verify(&loop.server, &text);
        ok(status == SEC_E_MESSAGE_ALTERED, "another dummy: %08lx", status);
    }
    loopback_close(&loop);
}

/* [W8 ntlm.c:1133-1140] sealing where only signing was asked for */
static void test_seal_without_asking(void)
{
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", have_account ? &account : NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    loop.client_flags = ISC_REQ_INTEGRITY;
    loop.server_flags = ASC_REQ_INTEGRITY;
    status = loopback_connect(&loop);
    if (ok(!status, "no contexts: %08lx", status)) {
        struct message text;
        message_set(&text, "text", 4);
        status = message_seal(&loop.client, &text);
        ok(status == SEC_E_OK || status == SEC_E_UNSUPPORTED_FUNCTION, "seal: %08lx", status);
        if (!status) ok(!message_open(&loop.server, &text), "what was sealed does not open");
        message_set(&text, "text", 4);
        ok(!message_sign(&loop.server, &text), "not signed");
        ok(!message_verify(&loop.client, &text), "not verified");
    }
    loopback_close(&loop);
}

static SECURITY_STATUS list_call(CtxtHandle *context, bool sign, BYTE token[16], ULONG type,
                                 const char *list)
{
    char copy[32];
    ULONG size = (ULONG)strlen(list);
    memcpy(copy, list, size);
    SecBuffer parts[2] = {{size, type, copy}, {16, SECBUFFER_TOKEN, token}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    return sign ? MakeSignature(context, 0, &desc, 0) : VerifySignature(context, &desc, 0, NULL);
}

/* [OS MS-SPNG 3.3.5.1] a signature over the list of mechanisms is a message like others, after
 * which the cipher stream of its direction starts anew; the other direction goes on. */
static void test_mech_list(void)
{
    if (!ours_only() || !connect_loop()) return;
    BYTE token[16], other[16];
    for (int i = 0; i < 2; i++) {
        CtxtHandle *from = i ? &loop.server : &loop.client, *to = i ? &loop.client : &loop.server;
        SECURITY_STATUS status = list_call(from, true, token, SECBUFFER_MECHLIST, "list");
        ok(status == SEC_E_OK, "sign: %08lx", status);
        status = list_call(to, false, token, SECBUFFER_MECHLIST, "lisp");
        ok(status == SEC_E_MESSAGE_ALTERED, "another list: %08lx", status);
        status = list_call(to, false, token, SECBUFFER_MECHLIST, "list");
        ok(status == SEC_E_OK, "verify: %08lx", status);
        ok(contexts_talk(&loop.client, &loop.server), "after the list of side %d", i);
    }
    /* Who takes the same bytes for data keeps the old stream, and the next message shows it. */
    SECURITY_STATUS status = list_call(&loop.client, true, token, SECBUFFER_MECHLIST, "list");
    ok(status == SEC_E_OK, "sign: %08lx", status);
    status = list_call(&loop.server, false, token, SECBUFFER_DATA, "list");
    ok(status == SEC_E_OK, "verify as data: %08lx", status);
    status = list_call(&loop.client, true, other, SECBUFFER_DATA, "text");
    ok(status == SEC_E_OK, "sign a text: %08lx", status);
    status = list_call(&loop.server, false, other, SECBUFFER_DATA, "text");
    ok(status == SEC_E_MESSAGE_ALTERED, "the old stream: %08lx", status);
    loopback_close(&loop);
}

/* ours: descriptors that cannot be walked, buffers without an address */
static void test_bad_descriptors(void)
{
    if (!ours_only() || !connect_loop()) return;
    BYTE token[16], data[16];
    SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, token}, {16, SECBUFFER_DATA, data}};
    SecBuffer no_room[2] = {{16, SECBUFFER_TOKEN, NULL}, {16, SECBUFFER_DATA, data}};
    SecBuffer no_data[2] = {{16, SECBUFFER_TOKEN, token}, {16, SECBUFFER_DATA, NULL}};
    SecBufferDesc descs[] = {
        {5, 2, parts},
        {SECBUFFER_VERSION, 0, parts},
        {SECBUFFER_VERSION, 2, NULL},
        {SECBUFFER_VERSION, 0, NULL},
        {SECBUFFER_VERSION, 2, no_room},
        {SECBUFFER_VERSION, 2, no_data},
    };
    for (int i = 0; i < 7; i++) {
        SecBufferDesc *desc = i < 6 ? &descs[i] : NULL;
        SECURITY_STATUS status = MakeSignature(&loop.client, 0, desc, 0);
        ok(status < 0, "descriptor %d, sign: %08lx", i, status);
        status = VerifySignature(&loop.client, desc, 0, NULL);
        ok(status < 0, "descriptor %d, verify: %08lx", i, status);
        status = EncryptMessage(&loop.client, 0, desc, 0);
        ok(status < 0, "descriptor %d, seal: %08lx", i, status);
        status = DecryptMessage(&loop.client, desc, 0, NULL);
        ok(status < 0, "descriptor %d, open: %08lx", i, status);
    }
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

/* A handshake that is not over has no keys. */
static void test_half_open(void)
{
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", have_account ? &account : NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    CtxtHandle *contexts[2] = {&loop.client, &loop.server};
    for (int i = 0; i < 2; i++) {
        BYTE token[16] = {1}, data[4] = "abc";
        SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, token}, {4, SECBUFFER_DATA, data}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
        ok(MakeSignature(contexts[i], 0, &desc, 0) < 0, "side %d signs", i);
        ok(VerifySignature(contexts[i], &desc, 0, NULL) < 0, "side %d verifies", i);
        ok(EncryptMessage(contexts[i], 0, &desc, 0) < 0, "side %d seals", i);
        ok(DecryptMessage(contexts[i], &desc, 0, NULL) < 0, "side %d opens", i);
    }
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
    ok(loopback_server_leg(&loop) == SEC_E_OK, "server 2");
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

#define IN_THREADS 2000

static struct message from_client[IN_THREADS], from_server[IN_THREADS];

static DWORD WINAPI seal_all(void *argument)
{
    (void)argument;
    for (int i = 0; i < IN_THREADS; i++)
        if (message_seal(&loop.client, &from_client[i])) return 1;
    return 0;
}

static DWORD WINAPI open_all(void *argument)
{
    (void)argument;
    for (int i = 0; i < IN_THREADS; i++)
        if (message_open(&loop.client, &from_server[i])) return 1;
    return 0;
}

/* [D encryptmessage--ntlm] one thread may seal while another opens */
static void test_two_threads(void)
{
    if (!connect_loop()) return;
    for (int i = 0; i < IN_THREADS; i++) {
        BYTE text[64];
        fill(text, 64, (BYTE)i);
        message_set(&from_client[i], text, 64);
        message_set(&from_server[i], text, 64);
        ok(!message_seal(&loop.server, &from_server[i]), "server's %d", i);
    }
    HANDLE threads[2] = {CreateThread(NULL, 0, seal_all, NULL, 0, NULL),
                         CreateThread(NULL, 0, open_all, NULL, 0, NULL)};
    WaitForMultipleObjects(2, threads, TRUE, INFINITE);
    for (int i = 0; i < 2; i++) {
        DWORD code = 1;
        GetExitCodeThread(threads[i], &code);
        ok(code == 0, "thread %d failed", i);
        CloseHandle(threads[i]);
    }
    for (int i = 0; i < IN_THREADS; i++) {
        BYTE text[64];
        fill(text, 64, (BYTE)i);
        ok(!message_open(&loop.server, &from_client[i]), "client's %d", i);
        ok(!memcmp(from_client[i].data, text, 64) && !memcmp(from_server[i].data, text, 64),
           "message %d: other data", i);
    }
    loopback_close(&loop);
}

int main(void)
{
    have_account = account_create(&account);
    RUN(test_sign_and_seal);
    RUN(test_large_messages);
    RUN(test_buffer_orders);
    RUN(test_read_only);
    RUN(test_several_data_buffers);
    RUN(test_stream);
    RUN(test_short_stream);
    RUN(test_no_token);
    RUN(test_small_token);
    RUN(test_large_token);
    RUN(test_tampering);
    RUN(test_other_lengths);
    RUN(test_sequence);
    RUN(test_sequence_named);
    RUN(test_quality_untouched);
    RUN(test_dummy_signature);
    RUN(test_seal_without_asking);
    RUN(test_mech_list);
    RUN(test_bad_descriptors);
    RUN(test_half_open);
    RUN(test_two_threads);
    if (have_account) account_remove(&account);
    return test_end("api_message");
}
