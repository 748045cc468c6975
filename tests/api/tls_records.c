/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records for tests of TLS, see tls_records.h. */
#include "tls_records.h"

#include <stdlib.h>
#include <string.h>

SECURITY_STATUS record_seal(CtxtHandle *context, ULONG qop, const void *data, ULONG size,
                            struct tls_bytes *out)
{
    SecPkgContext_StreamSizes sizes;
    SECURITY_STATUS status = QueryContextAttributesW(context, SECPKG_ATTR_STREAM_SIZES, &sizes);
    if (status) return status;
    if (sizes.cbHeader + size + sizes.cbTrailer > sizeof(out->data) - out->size) abort();
    BYTE *header = out->data + out->size, *text = header + sizes.cbHeader;
    if (size) memcpy(text, data, size);
    SecBuffer parts[4] = {{sizes.cbHeader, SECBUFFER_STREAM_HEADER, header},
                          {size, SECBUFFER_DATA, text},
                          {sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, text + size},
                          {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc message = {SECBUFFER_VERSION, 4, parts};
    status = EncryptMessage(context, qop, &message, 0);
    if (!status) out->size += parts[0].cbBuffer + parts[1].cbBuffer + parts[2].cbBuffer;
    return status;
}

void record_open(CtxtHandle *context, struct tls_bytes *bytes, ULONG at, struct opened *out)
{
    memset(out, 0, sizeof(*out));
    out->parts[at] = (SecBuffer){bytes->size, SECBUFFER_DATA, bytes->data};
    SecBufferDesc message = {SECBUFFER_VERSION, 4, out->parts};
    out->status = DecryptMessage(context, &message, 0, NULL);
}

SecBuffer opened_part(const struct opened *opened, ULONG type)
{
    for (int i = 0; i < 4; i++)
        if (opened->parts[i].BufferType == type) return opened->parts[i];
    return (SecBuffer){0, SECBUFFER_EMPTY, NULL};
}

void record_advance(struct tls_bytes *bytes, const struct opened *opened)
{
    ULONG left = opened_part(opened, SECBUFFER_EXTRA).cbBuffer;
    memmove(bytes->data, bytes->data + bytes->size - left, left);
    bytes->size = left;
}

static bool says(CtxtHandle *from, CtxtHandle *to, const char *text)
{
    static struct tls_bytes bytes;
    struct opened opened;
    bytes.size = 0;
    if (record_seal(from, 0, text, (ULONG)strlen(text), &bytes)) return false;
    record_open(to, &bytes, 0, &opened);
    SecBuffer data = opened_part(&opened, SECBUFFER_DATA);
    return !opened.status && data.cbBuffer == strlen(text) &&
           !memcmp(data.pvBuffer, text, data.cbBuffer) &&
           !opened_part(&opened, SECBUFFER_EXTRA).cbBuffer;
}

bool records_talk(CtxtHandle *one, CtxtHandle *other)
{
    return says(one, other, "Hello, other end!") && says(other, one, "Hello yourself.");
}

/* ---- the other end, played ---- */

uint64_t records_on(const struct tls_wire *wire)
{
    uint64_t count = 0;
    for (DWORD at = 0; at + 5 <= wire->size; count++)
        at += 5u + (DWORD)(wire->bytes[at + 3] << 8) + wire->bytes[at + 4];
    return count;
}

bool forger_start(struct forger *forger, const struct tls_pair *pair, bool server)
{
    SecPkgContext_CipherInfo cipher;
    const struct tls_secrets *known = server ? &pair->client_secrets : &pair->server_secrets;
    CtxtHandle *context = (CtxtHandle *)(server ? &pair->client : &pair->server);
    memset(forger, 0, sizeof(*forger));
    if (!known->size || known->size > TLS_SECRET_MAX || crypto_init()) return false;
    if (QueryContextAttributesW(context, SECPKG_ATTR_CIPHER_INFO, &cipher)) return false;
    forger->session.version = TLS_1_3;
    forger->session.suite = tls_suite_find((uint16_t)cipher.dwCipherSuite);
    forger->session.server = server;
    memcpy(forger->session.send.secret, server ? known->server : known->client, known->size);
    memcpy(forger->session.receive.secret, server ? known->client : known->server, known->size);
    forger->session.receive.sequence = records_on(server ? &pair->to_server : &pair->to_client);
    return forger->session.suite && !tls_session_start(&forger->session);
}

void forger_end(struct forger *forger)
{
    tls_session_clear(&forger->session);
}

void forger_put(struct forger *forger, enum tls_type type, const void *data, ULONG size,
                struct tls_bytes *out)
{
    uint8_t *record = out->data + out->size;
    size_t header = tls_header_size(&forger->session), trailer = tls_trailer_size(&forger->session);
    if (header + size + trailer > sizeof(out->data) - out->size) abort();
    if (size) memcpy(record + header, data, size);
    if (tls_record_seal(&forger->session, type, record, record + header, size,
                        record + header + size))
        abort();
    out->size += (ULONG)(header + size + trailer);
}

bool forger_get(struct forger *forger, const struct tls_bytes *bytes, enum tls_type type,
                const void *data, ULONG size)
{
    static uint8_t copy[RECORD_ROOM];
    struct tls_record record;
    size_t missing;
    memcpy(copy, bytes->data, bytes->size);
    return !tls_record_open(&forger->session, copy, bytes->size, &record, &missing) &&
           record.type == type && record.size == size && !memcmp(record.data, data, size);
}

bool forger_update(struct forger *forger, bool send)
{
    return !tls_key_update(&forger->session,
                           send ? &forger->session.send : &forger->session.receive);
}

/* ---- moves ---- */

SECURITY_STATUS tls_export(CtxtHandle *context, ULONG flags, struct tls_bytes *blob)
{
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    blob->size = 0;
    SECURITY_STATUS status = ExportSecurityContext(context, flags, &packed, NULL);
    if (status) return status;
    if (packed.cbBuffer > sizeof(blob->data)) abort();
    memcpy(blob->data, packed.pvBuffer, packed.cbBuffer);
    blob->size = packed.cbBuffer;
    FreeContextBuffer(packed.pvBuffer);
    return status;
}

SECURITY_STATUS tls_import(const struct tls_bytes *blob, CtxtHandle *context)
{
    SecBuffer packed = {blob->size, SECBUFFER_TOKEN, (void *)blob->data};
    return ImportSecurityContextW((wchar_t *)UNISP_NAME_W, &packed, NULL, context);
}
