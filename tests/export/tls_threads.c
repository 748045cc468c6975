/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TLS connections that move while another thread sends with them. What was sealed before the move,
 * and what is sealed after it, has one row of record numbers: none is used twice, none is left out,
 * or the peer could not read on (RFC 8446 5.3).
 */
#include "../api/tls_records.h"
#include "support.h"

#include <stdlib.h>

#define ROOM (1u << 22)
#define RECORD_MAX 64u /* of one message here */
#define ROUNDS 12

static struct tls_pair pair;
static struct tls_bytes blob, bytes;

/* Sends its count again and again until the context is gone. */
struct sender {
    CtxtHandle context;
    SecPkgContext_StreamSizes sizes;
    BYTE *wire;
    ULONG size;
    volatile LONG count;
    SECURITY_STATUS status;
};

static DWORD WINAPI send_until_gone(void *argument)
{
    struct sender *sender = argument;
    while (sender->size + RECORD_MAX <= ROOM) {
        BYTE *at = sender->wire + sender->size, *text = at + sender->sizes.cbHeader;
        LONG number = sender->count;
        memcpy(text, &number, sizeof(number));
        SecBuffer parts[4] = {
            {sender->sizes.cbHeader, SECBUFFER_STREAM_HEADER, at},
            {sizeof(number), SECBUFFER_DATA, text},
            {sender->sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, text + sizeof(number)},
            {0, SECBUFFER_EMPTY, NULL}};
        SecBufferDesc message = {SECBUFFER_VERSION, 4, parts};
        sender->status = EncryptMessage(&sender->context, 0, &message, 0);
        if (sender->status) return 0;
        sender->size += parts[0].cbBuffer + parts[1].cbBuffer + parts[2].cbBuffer;
        InterlockedIncrement(&sender->count);
    }
    return 0;
}

/* The peer reads all of it, in order. Returns the number of records. */
static LONG read_all(CtxtHandle *peer, struct sender *sender)
{
    BYTE *at = sender->wire;
    ULONG left = sender->size;
    for (LONG number = 0;; number++) {
        SecBuffer parts[4] = {{left, SECBUFFER_DATA, at}};
        SecBufferDesc message = {SECBUFFER_VERSION, 4, parts};
        if (!left || DecryptMessage(peer, &message, 0, NULL)) return number;
        if (parts[1].cbBuffer != sizeof(number) || memcmp(parts[1].pvBuffer, &number, 4))
            return number;
        left = parts[3].BufferType == SECBUFFER_EXTRA ? parts[3].cbBuffer : 0;
        at = sender->wire + sender->size - left;
    }
}

static bool start(struct sender *sender, CtxtHandle *moved, HANDLE *thread)
{
    BYTE *wire = sender->wire;
    *sender = (struct sender){.context = *moved, .wire = wire};
    SECURITY_STATUS status = QueryContextAttributesW(moved, SECPKG_ATTR_STREAM_SIZES,
                                                     &sender->sizes);
    if (!ok(!status && sender->sizes.cbHeader + 4 + sender->sizes.cbTrailer <= RECORD_MAX, "sizes"))
        return false;
    *thread = CreateThread(NULL, 0, send_until_gone, sender, 0, NULL);
    return ok(*thread != NULL, "no thread");
}

/* One move in the middle of it. */
static bool run_round(struct sender *sender, CtxtHandle *moved, CtxtHandle *peer, LONG before)
{
    HANDLE thread;
    if (!start(sender, moved, &thread)) return false;
    while (sender->count < before && !sender->status) SwitchToThread();
    SECURITY_STATUS status = tls_export(moved, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob);
    if (!status) status = tls_import(&blob, moved);
    if (status) tls_handle_forget(moved);
    ok(status == SEC_E_OK, "move: %08lx", status);
    bytes.size = 0;
    status = status ? status : record_seal(moved, 0, "after", 5, &bytes);
    WaitForSingleObject(thread, 60000);
    CloseHandle(thread);
    ok(sender->status == SEC_E_INVALID_HANDLE, "the sender ended with %08lx", sender->status);
    LONG read = read_all(peer, sender);
    ok(read == sender->count, "%ld of %ld records are in order", read, sender->count);
    struct opened opened;
    if (!ok(!status, "seal: %08lx", status)) return false;
    record_open(peer, &bytes, 0, &opened);
    return ok(!opened.status, "behind the move: %08lx", opened.status);
}

static void test_sender(void)
{
    static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};
    struct sender sender = {.wire = malloc(ROOM)};
    if (!sender.wire || !ours_only()) return;
    for (int i = 0; i < 4; i++) {
        const enum tls_pair_version version = versions[i & 1];
        const struct tls_pair_options options = {.client_version = version,
                                                 .server_version = version};
        SECURITY_STATUS status = tls_pair_make(&pair, &options);
        if (!ok(status == SEC_E_OK && tls_pair_talk(&pair), "no connection: %08lx", status)) break;
        CtxtHandle *moved = i & 2 ? &pair.server : &pair.client;
        CtxtHandle *peer = i & 2 ? &pair.client : &pair.server;
        for (LONG round = 0; round < ROUNDS; round++)
            if (!run_round(&sender, moved, peer, round * 17)) break;
        tls_pair_close(&pair);
    }
    free(sender.wire);
}

int main(void)
{
    RUN(test_sender);
    tls_certs_end();
    return test_end("export_tls_threads");
}
