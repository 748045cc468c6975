/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * EncryptMessage and DecryptMessage of TLS: their buffers, and the records in them. Sources in
 * brackets, as in api_packages.
 */
#include "support.h"
#include "tls_records.h"

#include <stdio.h>

#define MAX_MESSAGE 16384u

static struct tls_pair pair;
static struct tls_bytes bytes, before;
static struct opened opened;

/* False, with the case skipped, where such a connection cannot be made. */
static bool connect_with(const struct tls_pair_options *options)
{
    SECURITY_STATUS status = tls_pair_make(&pair, options);
    bytes.size = 0;
    if (status == SEC_E_NOT_SUPPORTED || status == SEC_E_SECPKG_NOT_FOUND) {
        skip_case("TLS, or the key of a certificate");
        return false;
    }
    return ok(status == SEC_E_OK, "no connection: %08lx", status);
}

static bool connect_version(enum tls_pair_version version)
{
    const struct tls_pair_options options = {.client_version = version, .server_version = version};
    return connect_with(&options);
}

static const enum tls_pair_version both_versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};

/* The tickets of TLS 1.3 are out of the way. */
static bool settle(void)
{
    pair.to_client.arrived = pair.to_client.size;
    for (int i = 0; i < 8 && pair.to_client.size; i++) {
        SECURITY_STATUS status = tls_pair_client_leg(&pair);
        if (!ok(status == SEC_E_OK, "tickets: %08lx", status)) return false;
        pair.to_client.arrived = pair.to_client.size;
    }
    return true;
}

/* ---- sending ---- */

static SECURITY_STATUS encrypt(CtxtHandle *context, ULONG qop, SecBuffer *parts, ULONG count)
{
    SecBufferDesc message = {SECBUFFER_VERSION, count, parts};
    return EncryptMessage(context, qop, &message, 0);
}

/* [D encryptmessage--schannel] header, data and trailer, wherever they stand */
static void test_order_of_sending(void)
{
    static const BYTE orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                      {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int v = 0; v < 2; v++) {
        if (!connect_version(both_versions[v]) || !settle()) return;
        SecPkgContext_StreamSizes sizes;
        ok(!QueryContextAttributesW(&pair.client, SECPKG_ATTR_STREAM_SIZES, &sizes), "sizes");
        for (int i = 0; i < 6; i++) {
            BYTE *at = bytes.data;
            memcpy(at + sizes.cbHeader, "text", 4);
            const SecBuffer usual[3] = {
                {sizes.cbHeader, SECBUFFER_STREAM_HEADER, at},
                {4, SECBUFFER_DATA, at + sizes.cbHeader},
                {sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, at + sizes.cbHeader + 4},
            };
            SecBuffer parts[4] = {usual[orders[i][0]], usual[orders[i][1]], usual[orders[i][2]]};
            SECURITY_STATUS status = encrypt(&pair.client, 0, parts, 4);
            ok(status == SEC_E_OK, "%d, order %d: %08lx", v, i, status);
            bytes.size = sizes.cbHeader + 4 + sizes.cbTrailer;
            record_open(&pair.server, &bytes, 0, &opened);
            SecBuffer data = opened_part(&opened, SECBUFFER_DATA);
            ok(!opened.status && data.cbBuffer == 4 && !memcmp(data.pvBuffer, "text", 4),
               "%d, order %d: %08lx", v, i, opened.status);
        }
        tls_pair_close(&pair);
    }
}

/* [D encryptmessage--schannel] the statuses; nothing was sent: the next record is in sequence */
static void test_wrong_sending(void)
{
    if (!connect_version(TLS_PAIR_1_3) || !settle()) return;
    static BYTE data[MAX_MESSAGE + 1], filled[sizeof(data)];
    BYTE header[32], trailer[32];
    memset(data, 7, sizeof(data));
    memcpy(filled, data, sizeof(data));
    const SecBuffer head = {5, SECBUFFER_STREAM_HEADER, header};
    const SecBuffer text = {9, SECBUFFER_DATA, data};
    const SecBuffer tail = {17, SECBUFFER_STREAM_TRAILER, trailer};
    const SecBuffer empty = {0, SECBUFFER_EMPTY, NULL};
    SecBuffer short_head = head, short_tail = tail, no_memory = text, large = text;
    short_head.cbBuffer--;
    short_tail.cbBuffer--;
    no_memory.pvBuffer = NULL;
    large.cbBuffer = sizeof(data);
    const struct {
        const char *what;
        SecBuffer parts[4];
        SECURITY_STATUS expected;
    } rows[] = {
        {"no data", {head, tail, empty, empty}, SEC_E_INVALID_TOKEN},
        {"no header", {text, tail, empty, empty}, SEC_E_INVALID_TOKEN},
        {"no trailer", {head, text, empty, empty}, SEC_E_INVALID_TOKEN},
        {"two of data", {head, text, text, tail}, SEC_E_INVALID_TOKEN},
        {"data without memory", {head, no_memory, tail, empty}, SEC_E_INVALID_TOKEN},
        {"a small header", {short_head, text, tail, empty}, SEC_E_BUFFER_TOO_SMALL},
        {"a small trailer", {head, text, short_tail, empty}, SEC_E_BUFFER_TOO_SMALL},
        {"too much data", {head, large, tail, empty}, SEC_E_ENCRYPT_FAILURE}, /* ours */
    };
    for (size_t i = 0; i < ARRAYSIZE(rows); i++) {
        SecBuffer parts[4];
        memcpy(parts, rows[i].parts, sizeof(parts));
        SECURITY_STATUS status = encrypt(&pair.client, 0, parts, 4);
        ok(status == rows[i].expected, "%s: %08lx", rows[i].what, status);
        ok(!memcmp(parts, rows[i].parts, sizeof(parts)), "%s: a buffer was changed", rows[i].what);
        ok(!memcmp(data, filled, sizeof(data)), "%s: data was changed", rows[i].what);
    }
    SecBuffer parts[4] = {head, text, tail, empty};
    ok(encrypt(&pair.client, 17, parts, 4) == SEC_E_QOP_NOT_SUPPORTED, "quality"); /* ours */
    ok(encrypt(&pair.client, 0, NULL, 4) == SEC_E_INVALID_TOKEN, "no buffers");
    ok(records_talk(&pair.client, &pair.server), "the contexts were hurt");
    tls_pair_close(&pair);
}

/* [D encryptmessage--schannel] header and trailer are given their sizes, and may be larger */
static void test_large_header(void)
{
    for (int v = 0; v < 2; v++) {
        if (!connect_version(both_versions[v]) || !settle()) return;
        BYTE header[68], data[3] = "abc", trailer[68];
        SecBuffer parts[4] = {{68, SECBUFFER_STREAM_HEADER, header},
                              {3, SECBUFFER_DATA, data},
                              {68, SECBUFFER_STREAM_TRAILER, trailer}};
        SECURITY_STATUS status = encrypt(&pair.server, 0, parts, 4);
        ok(status == SEC_E_OK, "%d: %08lx", v, status);
        ok(parts[0].cbBuffer == (v ? 5 : 13), "%d: header of %lu", v, parts[0].cbBuffer);
        ok(parts[2].cbBuffer == (v ? 17 : 16), "%d: trailer of %lu", v, parts[2].cbBuffer);
        bytes.size = 0;
        for (int i = 0; i < 3; i++) {
            memcpy(bytes.data + bytes.size, parts[i].pvBuffer, parts[i].cbBuffer);
            bytes.size += parts[i].cbBuffer;
        }
        record_open(&pair.client, &bytes, 0, &opened);
        ok(!opened.status && opened_part(&opened, SECBUFFER_DATA).cbBuffer == 3, "%d: %08lx", v,
           opened.status);
        tls_pair_close(&pair);
    }
}

/* ---- receiving ---- */

/* [W8 schannel.c:1402-1419] */
static void test_wrong_receiving(void)
{
    if (!connect_version(TLS_PAIR_1_2)) return;
    ok(!record_seal(&pair.client, 0, "text", 4, &bytes), "seal");
    const SecBuffer data = {bytes.size, SECBUFFER_DATA, bytes.data}, empty = {0};
    const SecBuffer other = {0, SECBUFFER_STREAM_HEADER, NULL};
    SecBuffer no_memory = data;
    no_memory.pvBuffer = NULL;
    const struct {
        const char *what;
        ULONG count;
        SecBuffer parts[4];
    } rows[] = {
        {"three buffers", 3, {data, empty, empty}},
        {"no data", 4, {empty, empty, empty, empty}},
        {"two of data", 4, {data, empty, data, empty}},
        {"another type", 4, {data, empty, other, empty}},
        {"no memory", 4, {no_memory, empty, empty, empty}},
    };
    before = bytes;
    for (size_t i = 0; i < ARRAYSIZE(rows); i++) {
        SecBuffer parts[4];
        memcpy(parts, rows[i].parts, sizeof(parts));
        SecBufferDesc message = {SECBUFFER_VERSION, rows[i].count, parts};
        SECURITY_STATUS status = DecryptMessage(&pair.server, &message, 0, NULL);
        ok(status == SEC_E_INVALID_TOKEN, "%s: %08lx", rows[i].what, status);
        ok(!memcmp(parts, rows[i].parts, sizeof(parts)), "%s: a buffer was changed", rows[i].what);
        ok(!memcmp(bytes.data, before.data, bytes.size), "%s: the record was", rows[i].what);
    }
    record_open(&pair.server, &bytes, 0, &opened);
    ok(opened.status == SEC_E_OK, "the record is not good any more: %08lx", opened.status);
    tls_pair_close(&pair);
}

/* [W8 schannel.c:1424-1427, 1436-1442] DATA in any place; header, data, trailer where they lie */
static void test_order_of_receiving(void)
{
    for (int v = 0; v < 2; v++) {
        if (!connect_version(both_versions[v]) || !settle()) return;
        for (ULONG at = 0; at < 4; at++) {
            const ULONG header = v ? 5 : 13, trailer = v ? 17 : 16;
            bytes.size = 0;
            ok(!record_seal(&pair.client, 0, "text", 4, &bytes), "seal");
            ULONG first = bytes.size;
            ok(!record_seal(&pair.client, 0, "more", 4, &bytes), "seal");
            record_open(&pair.server, &bytes, at, &opened);
            const SecBuffer *parts = opened.parts;
            winetest_push_context("version %d, DATA at %lu", v, at);
            ok(opened.status == SEC_E_OK, "%08lx", opened.status);
            ok(parts[0].BufferType == SECBUFFER_STREAM_HEADER && parts[0].cbBuffer == header &&
                   parts[0].pvBuffer == bytes.data,
               "header of %lu", parts[0].cbBuffer);
            ok(parts[1].BufferType == SECBUFFER_DATA && parts[1].cbBuffer == 4 &&
                   parts[1].pvBuffer == bytes.data + header &&
                   !memcmp(parts[1].pvBuffer, "text", 4),
               "data of %lu", parts[1].cbBuffer);
            ok(parts[2].BufferType == SECBUFFER_STREAM_TRAILER && parts[2].cbBuffer == trailer,
               "trailer of %lu", parts[2].cbBuffer);
            ok(parts[3].BufferType == SECBUFFER_EXTRA && parts[3].cbBuffer == bytes.size - first &&
                   parts[3].pvBuffer == bytes.data + first,
               "extra of %lu", parts[3].cbBuffer);
            record_advance(&bytes, &opened);
            record_open(&pair.server, &bytes, at, &opened);
            ok(!opened.status && parts[3].BufferType == SECBUFFER_EMPTY, "the second: %08lx",
               opened.status);
            winetest_pop_context();
        }
        tls_pair_close(&pair);
    }
}

/* [W8 schannel.c:1424-1427] [0] becomes MISSING, nothing else changes, and the whole is good then;
 * before the header is there the number is the rest of that */
static void test_incomplete(void)
{
    for (int v = 0; v < 2; v++) {
        if (!connect_version(both_versions[v]) || !settle()) return;
        ok(!record_seal(&pair.client, 0, "some text", 9, &bytes), "seal");
        before = bytes;
        for (ULONG size = 0; size < before.size; size++) {
            bytes.size = size;
            record_open(&pair.server, &bytes, size % 4, &opened);
            ULONG missing = size < 5 ? 5 - size : before.size - size;
            ok(opened.status == SEC_E_INCOMPLETE_MESSAGE, "%lu bytes: %08lx", size, opened.status);
            ok(opened.parts[0].BufferType == SECBUFFER_MISSING &&
                   opened.parts[0].cbBuffer == missing,
               "%lu bytes: %lu are missing", size, opened.parts[0].cbBuffer);
            ok(!memcmp(bytes.data, before.data, before.size), "%lu bytes: changed", size);
        }
        bytes.size = before.size;
        record_open(&pair.server, &bytes, 0, &opened);
        ok(opened.status == SEC_E_OK, "whole: %08lx", opened.status);
        tls_pair_close(&pair);
    }
}

/* [H STREAM_SIZES] the largest message, and one of nothing */
static void test_sizes(void)
{
    static BYTE data[MAX_MESSAGE];
    static const ULONG sizes[] = {0, 1, 15, 16, 17, MAX_MESSAGE - 1, MAX_MESSAGE};
    for (int v = 0; v < 2; v++) {
        if (!connect_version(both_versions[v]) || !settle()) return;
        for (size_t i = 0; i < ARRAYSIZE(sizes); i++) {
            for (ULONG j = 0; j < sizes[i]; j++) data[j] = (BYTE)(j * 7 + i);
            bytes.size = 0;
            SECURITY_STATUS status = record_seal(&pair.server, 0, data, sizes[i], &bytes);
            ok(status == SEC_E_OK, "%lu: %08lx", sizes[i], status);
            record_open(&pair.client, &bytes, 0, &opened);
            SecBuffer got = opened_part(&opened, SECBUFFER_DATA);
            ok(!opened.status && got.cbBuffer == sizes[i] &&
                   (!sizes[i] || !memcmp(got.pvBuffer, data, sizes[i])),
               "%lu: %08lx, %lu bytes", sizes[i], opened.status, got.cbBuffer);
        }
        tls_pair_close(&pair);
    }
}

/* ---- records that are wrong ---- */

/* [D schannel-error-codes] bad_record_mac is MESSAGE_ALTERED; RFC 8446 5.2: the connection has
 * ended, and the peer hears why from the next leg */
static void test_altered(void)
{
    for (int v = 0; v < 3; v++) {
        const struct tls_pair_options options = {.client_version = both_versions[v % 2],
                                                 .server_version = both_versions[v % 2],
                                                 .without_aead = v == 2};
        if (!connect_with(&options) || !settle()) return;
        ok(!record_seal(&pair.client, 0, "some text", 9, &bytes), "seal");
        bytes.data[bytes.size - 3] ^= 1;
        record_open(&pair.server, &bytes, 0, &opened);
        ok(opened.status == SEC_E_MESSAGE_ALTERED, "%d: %08lx", v, opened.status);
        ok(opened.parts[0].BufferType == SECBUFFER_DATA, "a buffer was changed");
        if (!ours_only()) return;
        bytes.size = 0;
        ok(!record_seal(&pair.client, 0, "more", 4, &bytes), "seal");
        record_open(&pair.server, &bytes, 0, &opened);
        ok(opened.status == SEC_E_CONTEXT_EXPIRED, "afterwards: %08lx", opened.status);
        ok(record_seal(&pair.server, 0, "x", 1, &bytes) == SEC_E_CONTEXT_EXPIRED, "sending");
        SECURITY_STATUS status = tls_pair_server_leg(&pair);
        ok(status == SEC_E_OK && pair.token_size, "%d: leg: %08lx", v, status);
        bytes.size = pair.to_client.size;
        memcpy(bytes.data, pair.to_client.bytes, bytes.size);
        record_open(&pair.client, &bytes, 0, &opened);
        ok(opened.status == SEC_E_MESSAGE_ALTERED, "the peer is told %08lx", opened.status);
        tls_pair_close(&pair);
    }
}

/* [OS RFC 8446 5.1, 5.2; RFC 5246 6.2] what no record begins with, and records too long */
static void test_no_record(void)
{
    static const struct {
        const char *what;
        BYTE header[5];
    } rows[] = {
        {"an unknown type", {24, 3, 3, 0, 40}},
        {"an older version", {23, 2, 0, 0, 40}},
        {"a longer record than any", {23, 3, 3, 0xff, 0xff}},
        {"a record too short for its tag", {23, 3, 3, 0, 8}},
        {"text", {'H', 'T', 'T', 'P', '/'}},
    };
    for (int v = 0; v < 2; v++) {
        for (size_t i = 0; i < ARRAYSIZE(rows); i++) {
            if (!connect_version(both_versions[v]) || !settle()) return;
            memset(bytes.data, 0x55, 64);
            memcpy(bytes.data, rows[i].header, 5);
            bytes.size = 64;
            record_open(&pair.server, &bytes, 0, &opened);
            ok(opened.status == SEC_E_INVALID_TOKEN, "%s: %08lx", rows[i].what, opened.status);
            tls_pair_close(&pair);
        }
    }
}

/* ---- the library's records ---- */

/* [INF record layout of RFC 5246 6.2.3.2] CBC: another path, the same buffers */
static void test_without_aead(void)
{
    static const BYTE close[2] = {1, 0};
    const struct tls_pair_options options = {
        .client_version = TLS_PAIR_1_2, .server_version = TLS_PAIR_1_2, .without_aead = true};
    if (!connect_with(&options)) return;
    static BYTE data[MAX_MESSAGE];
    SecPkgContext_StreamSizes sizes;
    ok(!QueryContextAttributesW(&pair.client, SECPKG_ATTR_STREAM_SIZES, &sizes), "sizes");
    ok(sizes.cbHeader == 21 && sizes.cbTrailer >= 36, "header %lu, trailer %lu", sizes.cbHeader,
       sizes.cbTrailer);
    ok(records_talk(&pair.client, &pair.server), "no talk");
    for (ULONG size = 1; size <= MAX_MESSAGE; size = size < 70 ? size + 1 : size * 4) {
        for (ULONG i = 0; i < size; i++) data[i] = (BYTE)(i + size);
        bytes.size = 0;
        ok(!record_seal(&pair.client, 0, data, size, &bytes), "%lu: seal", size);
        ok(!record_seal(&pair.client, 0, "more", 4, &bytes), "%lu: seal", size);
        record_open(&pair.server, &bytes, 0, &opened);
        SecBuffer got = opened_part(&opened, SECBUFFER_DATA);
        ok(!opened.status && got.cbBuffer == size && !memcmp(got.pvBuffer, data, size),
           "%lu: %08lx, %lu bytes", size, opened.status, got.cbBuffer);
        record_advance(&bytes, &opened);
        record_open(&pair.server, &bytes, 0, &opened);
        ok(!opened.status && opened_part(&opened, SECBUFFER_DATA).cbBuffer == 4, "%lu: %08lx", size,
           opened.status);
    }
    bytes.size = 0;
    ok(!record_seal(&pair.server, SECQOP_WRAP_OOB_DATA, close, 2, &bytes), "close");
    record_open(&pair.client, &bytes, 0, &opened);
    ok(opened.status == SEC_I_CONTEXT_EXPIRED, "close: %08lx", opened.status);
    tls_pair_close(&pair);
}

/* [OS RFC 5246 6.2.1, 6.2.3] nothing more is waited for of what cannot be a record, and the peer
 * hears of it */
static void test_no_library_record(void)
{
    static const struct {
        const char *what;
        BYTE header[5];
    } rows[] = {
        {"an unknown type", {24, 3, 3, 0, 40}},
        {"another version", {23, 3, 1, 0, 40}},
        {"a longer record than any", {23, 3, 3, 0x48, 1}},
        {"the longest length", {23, 3, 3, 0xff, 0xff}},
        {"text", {'H', 'T', 'T', 'P', '/'}},
    };
    const struct tls_pair_options options = {
        .client_version = TLS_PAIR_1_2, .server_version = TLS_PAIR_1_2, .without_aead = true};
    for (size_t i = 0; i < ARRAYSIZE(rows); i++) {
        if (!connect_with(&options)) return;
        memcpy(bytes.data, rows[i].header, 5);
        bytes.size = 5;
        record_open(&pair.server, &bytes, 0, &opened);
        ok(opened.status == SEC_E_INVALID_TOKEN, "%s: %08lx", rows[i].what, opened.status);
        SECURITY_STATUS status = tls_pair_server_leg(&pair);
        ok(status == SEC_E_OK && pair.token_size, "%s: leg: %08lx", rows[i].what, status);
        tls_pair_close(&pair);
    }
}

/* [D] both functions need a handshake that is over */
static void test_half_open(void)
{
    const struct tls_pair_options options = {0};
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (status) {
        skip_case("TLS, or the key of a certificate");
        return;
    }
    ok(tls_pair_client_leg(&pair) == SEC_I_CONTINUE_NEEDED, "first leg");
    BYTE header[32], text[4] = "abc", trailer[64];
    SecBuffer parts[4] = {{32, SECBUFFER_STREAM_HEADER, header},
                          {4, SECBUFFER_DATA, text},
                          {64, SECBUFFER_STREAM_TRAILER, trailer}};
    status = encrypt(&pair.client, 0, parts, 4);
    ok(status == SEC_E_INVALID_HANDLE, "EncryptMessage: %08lx", status);
    bytes.size = 30;
    record_open(&pair.client, &bytes, 0, &opened);
    ok(opened.status == SEC_E_INVALID_HANDLE, "DecryptMessage: %08lx", opened.status);
    tls_pair_close(&pair);
}

int main(void)
{
    RUN(test_order_of_sending);
    RUN(test_wrong_sending);
    RUN(test_large_header);
    RUN(test_wrong_receiving);
    RUN(test_order_of_receiving);
    RUN(test_incomplete);
    RUN(test_sizes);
    RUN(test_altered);
    RUN(test_no_record);
    RUN(test_without_aead);
    RUN(test_no_library_record);
    RUN(test_half_open);
    tls_certs_end();
    return test_end("api_tls_message");
}
