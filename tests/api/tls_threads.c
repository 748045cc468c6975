/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One credential for the handshakes of several threads, one context that sends and receives in two,
 * and one that sends in two. */
#include "support.h"
#include "tls_pair.h"

#include <stdlib.h>
#include <string.h>

#define THREADS 4
#define HANDSHAKES 12
#define MESSAGES 400

static struct tls_pair shared;

/* ---- handshakes ---- */

static DWORD WINAPI handshakes(void *argument)
{
    struct tls_pair *pair = malloc(sizeof(*pair));
    DWORD failed = 0;
    (void)argument;
    if (!pair) return HANDSHAKES;
    *pair = shared;
    for (unsigned i = 0; i < HANDSHAKES; i++) {
        if (tls_pair_connect(pair) || !tls_pair_talk(pair)) failed++;
        tls_pair_delete(pair);
    }
    free(pair);
    return failed;
}

/* ours: each has a connection of its own; they resume each other's sessions */
static void test_credential(void)
{
    static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};
    for (unsigned i = 0; i < 2; i++) {
        const struct tls_pair_options options = {.client_version = versions[i],
                                                 .server_version = versions[i]};
        HANDLE threads[THREADS];
        DWORD failed = 0, sum = 0;
        SECURITY_STATUS status = tls_pair_open(&shared, &options);
        if (!ok(status == SEC_E_OK, "%08lx", status)) return;
        for (unsigned n = 0; n < THREADS; n++)
            threads[n] = CreateThread(NULL, 0, handshakes, NULL, 0, NULL);
        for (unsigned n = 0; n < THREADS; n++) {
            WaitForSingleObject(threads[n], 60000);
            GetExitCodeThread(threads[n], &failed);
            sum += failed;
            CloseHandle(threads[n]);
        }
        ok(!sum, "version %u: %lu of %u failed", versions[i], sum, THREADS * HANDSHAKES);
        tls_pair_close(&shared);
    }
}

/* ---- one context ---- */

static DWORD WINAPI send_all(void *argument)
{
    const bool from_server = argument != NULL;
    BYTE text[100];
    DWORD failed = 0;
    for (unsigned i = 0; i < MESSAGES; i++) {
        memset(text, (int)i, sizeof(text));
        if (tls_pair_send(&shared, from_server, text, sizeof(text))) failed++;
    }
    return failed;
}

/* ours: what goes one way does not wait for, nor disturb, what goes the other way: records that are
 * read by one thread while another one sends are all in order */
static void test_context(void)
{
    static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};
    for (unsigned i = 0; i < 2; i++) {
        const struct tls_pair_options options = {.client_version = versions[i],
                                                 .server_version = versions[i]};
        BYTE heard[256];
        DWORD size, wrong = 0, failed = 0;
        SECURITY_STATUS status = tls_pair_make(&shared, &options);
        if (!ok(status == SEC_E_OK && tls_pair_talk(&shared), "%08lx", status)) return;
        send_all((void *)1);
        HANDLE sender = CreateThread(NULL, 0, send_all, NULL, 0,
                                     NULL); /* the client, as it reads */
        for (unsigned n = 0; n < MESSAGES; n++) {
            status = tls_pair_receive(&shared, false, heard, sizeof(heard), &size);
            if (status || size != 100 || heard[0] != (BYTE)n) wrong++;
        }
        WaitForSingleObject(sender, 60000);
        GetExitCodeThread(sender, &failed);
        CloseHandle(sender);
        ok(!wrong && !failed, "%lu messages are wrong, %lu were not sent", wrong, failed);
        for (unsigned n = wrong = 0; n < MESSAGES; n++) {
            status = tls_pair_receive(&shared, true, heard, sizeof(heard), &size);
            if (status || size != 100 || heard[0] != (BYTE)n) wrong++;
        }
        ok(!wrong, "%lu messages of the client are wrong", wrong);
        tls_pair_close(&shared);
    }
}

/* ---- one direction of one context ---- */

#define SEALED 50000
#define SEALED_SIZE 1000
#define NUMBERS (2 * SEALED + 64)

static volatile LONG seen[NUMBERS]; /* how many records show the number */
static volatile LONG ready;         /* threads: they begin together */

/* The number of an AES-GCM record stands behind its five bytes of header (RFC 5288 3). */
static DWORD number_shown(const BYTE *record)
{
    return (DWORD)record[9] << 24 | record[10] << 16 | record[11] << 8 | record[12];
}

static DWORD WINAPI seal_all(void *argument)
{
    BYTE header[13], text[SEALED_SIZE] = {0}, trailer[16];
    DWORD failed = 0;
    (void)argument;
    for (InterlockedIncrement(&ready); ready < 2;) SwitchToThread();
    for (unsigned i = 0; i < SEALED; i++) {
        SecBuffer buffers[4] = {{sizeof(header), SECBUFFER_STREAM_HEADER, header},
                                {sizeof(text), SECBUFFER_DATA, text},
                                {sizeof(trailer), SECBUFFER_STREAM_TRAILER, trailer},
                                {0, SECBUFFER_EMPTY, NULL}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
        if (EncryptMessage(&shared.server, 0, &desc, 0) || number_shown(header) >= NUMBERS)
            failed++;
        else InterlockedIncrement(&seen[number_shown(header)]);
    }
    return failed;
}

/* ours: each takes its turn, and no number serves twice */
static void test_direction(void)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2};
    DWORD failed = 0, once = 0;
    SECURITY_STATUS status = tls_pair_make(&shared, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    HANDLE other = CreateThread(NULL, 0, seal_all, NULL, 0, NULL);
    DWORD mine = seal_all(NULL);
    ok(WaitForSingleObject(other, 60000) == WAIT_OBJECT_0, "it waits");
    GetExitCodeThread(other, &failed);
    CloseHandle(other);
    for (unsigned n = 0; n < NUMBERS; n++)
        if (seen[n] == 1) once++;
    ok(!mine && !failed, "%lu and %lu were not sealed", mine, failed);
    ok(once == 2 * SEALED, "%lu numbers served once", once);
    tls_pair_close(&shared);
}

int main(void)
{
    RUN(test_credential);
    RUN(test_context);
    RUN(test_direction);
    tls_certs_end();
    return test_end("api_tls_threads");
}
