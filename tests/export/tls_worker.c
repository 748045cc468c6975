/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The process at the other end of the pipe, see tls_worker.h. A request is one block: a letter and
 * what belongs to it. An answer is one block: a status and what belongs to that.
 */
#include "tls_worker.h"

#include <stdlib.h>
#include <string.h>

struct block {
    BYTE bytes[RECORD_ROOM + 16];
    DWORD size;
};

/* ---- our side ---- */

bool tls_worker_start(struct tls_worker *worker, const wchar_t *program)
{
    return child_start(&worker->child, program, L"worker");
}

bool tls_worker_end(struct tls_worker *worker)
{
    DWORD code;
    block_write(worker->child.to, "Q", 1);
    return child_end(&worker->child, &code) && code == 0;
}

/* What comes back replaces the bytes. */
static SECURITY_STATUS ask(struct tls_worker *worker, char what, const struct tls_bytes *given,
                           struct tls_bytes *got)
{
    static struct block block;
    SECURITY_STATUS status;
    block.bytes[0] = (BYTE)what;
    if (given) memcpy(block.bytes + 1, given->data, given->size);
    if (!block_write(worker->child.to, block.bytes, 1 + (given ? given->size : 0)))
        return WORKER_GONE;
    if (!block_read(worker->child.from, block.bytes, sizeof(block.bytes), &block.size) ||
        block.size < sizeof(status))
        return WORKER_GONE;
    memcpy(&status, block.bytes, sizeof(status));
    if (!got) return status;
    got->size = block.size - sizeof(status);
    memcpy(got->data, block.bytes + sizeof(status), got->size);
    return status;
}

SECURITY_STATUS tls_worker_import(struct tls_worker *worker, const struct tls_bytes *blob)
{
    return ask(worker, 'I', blob, NULL);
}

SECURITY_STATUS tls_worker_export(struct tls_worker *worker, struct tls_bytes *blob)
{
    return ask(worker, 'E', NULL, blob);
}

SECURITY_STATUS tls_worker_echo(struct tls_worker *worker, struct tls_bytes *bytes)
{
    return ask(worker, 'T', bytes, bytes);
}

bool tls_worker_talks(struct tls_worker *worker, CtxtHandle *peer)
{
    static struct tls_bytes bytes;
    struct opened opened;
    bytes.size = 0;
    if (record_seal(peer, 0, "to and fro", 10, &bytes)) return false;
    if (tls_worker_echo(worker, &bytes)) return false;
    record_open(peer, &bytes, 0, &opened);
    SecBuffer data = opened_part(&opened, SECBUFFER_DATA);
    return !opened.status && data.cbBuffer == 10 && !memcmp(data.pvBuffer, "orf dna ot", 10);
}

/* ---- the worker ---- */

static CtxtHandle kept = {(ULONG_PTR)-1, (ULONG_PTR)-1};

static bool reply(HANDLE out, SECURITY_STATUS status, const void *bytes, DWORD size)
{
    static struct block block;
    memcpy(block.bytes, &status, sizeof(status));
    memcpy(block.bytes + sizeof(status), bytes, size);
    return block_write(out, block.bytes, sizeof(status) + size);
}

static SECURITY_STATUS echo(struct tls_bytes *bytes)
{
    struct opened opened;
    char text[256];
    record_open(&kept, bytes, 0, &opened);
    if (opened.status) return opened.status;
    SecBuffer data = opened_part(&opened, SECBUFFER_DATA);
    if (data.cbBuffer > sizeof(text)) return SEC_E_BUFFER_TOO_SMALL;
    for (DWORD i = 0; i < data.cbBuffer; i++)
        text[i] = ((const char *)data.pvBuffer)[data.cbBuffer - 1 - i];
    bytes->size = 0;
    return record_seal(&kept, 0, text, data.cbBuffer, bytes);
}

static bool serve(HANDLE out, char what, struct tls_bytes *bytes)
{
    SECURITY_STATUS status;
    switch (what) {
    case 'I': return reply(out, tls_import(bytes, &kept), "", 0);
    case 'E':
        status = tls_export(&kept, SECPKG_CONTEXT_EXPORT_DELETE_OLD, bytes);
        return reply(out, status, bytes->data, bytes->size);
    case 'T':
        status = echo(bytes);
        return reply(out, status, bytes->data, status ? 0 : bytes->size);
    default: return false;
    }
}

int tls_worker_main(void)
{
    static struct block block;
    static struct tls_bytes bytes;
    HANDLE in = GetStdHandle(STD_INPUT_HANDLE), out = GetStdHandle(STD_OUTPUT_HANDLE);
    while (block_read(in, block.bytes, sizeof(block.bytes), &block.size) && block.size) {
        if (block.bytes[0] == 'Q') return 0;
        bytes.size = block.size - 1;
        memcpy(bytes.data, block.bytes + 1, bytes.size);
        if (!serve(out, (char)block.bytes[0], &bytes)) return 1;
    }
    return 2;
}
