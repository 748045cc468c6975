/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See tls_link.h. The calls are made as programs make them: memory of the package for what goes
 * out, EXTRA as a count of bytes at the end of what was given, one buffer in which messages are
 * opened where they lie.
 */
#include "tls_link.h"

#include "../../tools/sspictl/names.h"

#include <ntsecapi.h>
#include <schannel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLIENT_REQUIREMENTS                                                      \
    (ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT | ISC_REQ_CONFIDENTIALITY | \
     ISC_REQ_EXTENDED_ERROR | ISC_REQ_ALLOCATE_MEMORY)
#define SERVER_REQUIREMENTS                                                      \
    (ASC_REQ_SEQUENCE_DETECT | ASC_REQ_REPLAY_DETECT | ASC_REQ_CONFIDENTIALITY | \
     ASC_REQ_EXTENDED_ERROR | ASC_REQ_ALLOCATE_MEMORY)
#define ALPN_MAX 256u
#define SILENCES_MAX 20u

bool tls_link_fail(struct tls_link *link, const char *step, const char *why)
{
    if (!link->failure[0]) snprintf(link->failure, sizeof(link->failure), "%s %s", step, why);
    return false;
}

bool tls_link_fail_status(struct tls_link *link, const char *step, SECURITY_STATUS status)
{
    char text[64];
    snprintf(text, sizeof(text), "%s", status_text(status).text);
    text[strcspn(text, " ")] = 0;
    return tls_link_fail(link, step, text);
}

/* ---- the socket ---- */

static bool socket_write(struct tls_link *link, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        int count = send(link->socket, (const char *)data + done, (int)(size - done), 0);
        if (count <= 0) return tls_link_fail(link, "connection", "does not take bytes");
        done += (size_t)count;
    }
    return true;
}

/* Another datagram, or none in the time after which what was lost is said again. */
static bool datagram_read(struct tls_link *link)
{
    int count = recv(link->socket, (char *)link->input, (int)TLS_LINK_ROOM, 0);
    bool silent = count < 0 && WSAGetLastError() == WSAETIMEDOUT;
    link->input_size = count > 0 ? (size_t)count : 0;
    link->silences = silent ? link->silences + 1 : 0;
    if (count < 0 && !silent) link->end = TLS_LINK_EOF;
    return link->silences < SILENCES_MAX || tls_link_fail(link, "connection", "is silent");
}

/* More input; the peer's end when there is none. */
static bool socket_read(struct tls_link *link)
{
    if (link->options->datagram) return datagram_read(link);
    size_t room = TLS_LINK_ROOM - link->input_size;
    if (link->options->split && room > link->options->split) room = link->options->split;
    if (!room) return tls_link_fail(link, "connection", "has more than one message can be");
    int count = recv(link->socket, (char *)link->input + link->input_size, (int)room, 0);
    if (count < 0 && WSAGetLastError() != WSAECONNRESET)
        return tls_link_fail(link, "connection", "is silent");
    if (count <= 0) {
        link->end = TLS_LINK_EOF;
        return true;
    }
    link->input_size += (size_t)count;
    return true;
}

/* What is left of the input is its end. */
static void keep_extra(struct tls_link *link, size_t extra)
{
    memmove(link->input, link->input + link->input_size - extra, extra);
    link->input_size = extra;
}

/* ---- handshakes ---- */

/* SEC_APPLICATION_PROTOCOLS, by its bytes. */
static ULONG alpn_write(const char *names, uint8_t out[ALPN_MAX])
{
    size_t at = 10;
    while (*names) {
        size_t length = strcspn(names, ",");
        if (length > 255 || at + 1 + length > ALPN_MAX) return 0;
        out[at] = (uint8_t)length;
        memcpy(out + at + 1, names, length);
        at += 1 + length;
        names += length + (names[length] == ',');
    }
    uint32_t total = (uint32_t)at - 4, kind = SecApplicationProtocolNegotiationExt_ALPN;
    uint16_t list = (uint16_t)(at - 10);
    memcpy(out, &total, 4);
    memcpy(out + 4, &kind, 4);
    memcpy(out + 8, &list, 2);
    return (ULONG)at;
}

static SECURITY_STATUS initialize(struct tls_link *link, CtxtHandle *context, ULONG requirements,
                                  SecBufferDesc *in, CtxtHandle *made, SecBufferDesc *out)
{
    const struct tls_options *options = link->options;
    ULONG attributes;
    wchar_t name[256];
    if (options->ansi)
        return InitializeSecurityContextA(link->credential, context, (char *)options->name,
                                          requirements, 0, 0, in, 0, made, out, &attributes, NULL);
    MultiByteToWideChar(CP_UTF8, 0, options->name, -1, name, 256);
    return InitializeSecurityContextW(link->credential, context, name, requirements, 0, 0, in, 0,
                                      made, out, &attributes, NULL);
}

static SECURITY_STATUS call_package(struct tls_link *link, SecBufferDesc *in, SecBufferDesc *out,
                                    ULONG more)
{
    CtxtHandle made;
    CtxtHandle *context = link->have_context ? &link->context : NULL;
    const struct tls_options *options = link->options;
    ULONG attributes;
    SECURITY_STATUS status;
    SecInvalidateHandle(&made);
    if (options->server) {
        ULONG requirements = SERVER_REQUIREMENTS |
                             (options->datagram ? ASC_REQ_DATAGRAM : ASC_REQ_STREAM);
        if (options->ask || link->asks) requirements |= ASC_REQ_MUTUAL_AUTH;
        status = AcceptSecurityContext(link->credential, context, in, requirements, 0,
                                       context ? NULL : &made, out, &attributes, NULL);
    } else {
        ULONG requirements = CLIENT_REQUIREMENTS | more |
                             (options->datagram ? ISC_REQ_DATAGRAM : ISC_REQ_STREAM) |
                             (options->manual ? ISC_REQ_MANUAL_CRED_VALIDATION : 0);
        status = initialize(link, context, requirements, in, context ? NULL : &made, out);
    }
    if (!context && SecIsValidHandle(&made)) {
        link->context = made;
        link->have_context = true;
    }
    return status;
}

/* A token goes out whatever the status is: after a failure it is an alert. */
static bool send_token(struct tls_link *link, SecBuffer *out)
{
    bool result = !out->cbBuffer || socket_write(link, out->pvBuffer, out->cbBuffer);
    if (out->pvBuffer) FreeContextBuffer(out->pvBuffer);
    return result;
}

/* One leg with the input that there is. */
static SECURITY_STATUS leg(struct tls_link *link, bool with_input, ULONG more)
{
    uint8_t alpn[ALPN_MAX];
    SecBuffer in[3] = {{(ULONG)link->input_size, SECBUFFER_TOKEN, link->input},
                       {0, SECBUFFER_EMPTY, NULL},
                       {0, SECBUFFER_APPLICATION_PROTOCOLS, alpn}};
    const SecBuffer peer = {sizeof(link->peer), SECBUFFER_EXTRA, &link->peer};
    SecBuffer out[2] = {{0, SECBUFFER_TOKEN, NULL}, {0, SECBUFFER_ALERT, NULL}};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in}, out_desc = {SECBUFFER_VERSION, 2, out};
    if (link->options->alpn && (link->options->server || !link->have_context)) {
        in[2].cbBuffer = alpn_write(link->options->alpn, alpn);
        in_desc.cBuffers = 3;
    } else if (link->options->datagram && link->options->server) {
        in[2] = peer;
        in_desc.cBuffers = 3;
    }
    if (!with_input) {
        in_desc.pBuffers = in + 2;
        in_desc.cBuffers -= 2;
    }
    SECURITY_STATUS status = call_package(link, in_desc.cBuffers ? &in_desc : NULL, &out_desc,
                                          more);
    if (!send_token(link, &out[0]) && status >= 0) return SEC_E_INTERNAL_ERROR;
    if (out[1].pvBuffer) FreeContextBuffer(out[1].pvBuffer); /* what the token is, too */
    if (with_input && status != SEC_E_INCOMPLETE_MESSAGE && status >= 0 &&
        status != SEC_I_INCOMPLETE_CREDENTIALS)
        keep_extra(link, in[1].BufferType == SECBUFFER_EXTRA ? in[1].cbBuffer : 0);
    return status;
}

/* The server wants a certificate: the one for that, or none. */
static ULONG answer_request(struct tls_link *link)
{
    printf("certificate: the server asks for one\n");
    if (!link->later) return ISC_REQ_USE_SUPPLIED_CREDS;
    link->credential = link->later;
    link->later = NULL;
    return 0;
}

static bool run_legs(struct tls_link *link, bool with_input)
{
    for (ULONG more = 0;;) {
        SECURITY_STATUS status = leg(link, with_input, more);
        bool again = status == SEC_I_MESSAGE_FRAGMENT; /* another datagram of the same flight */
        bool hungry = status == SEC_E_INCOMPLETE_MESSAGE ||
                      (status == SEC_I_CONTINUE_NEEDED && !link->input_size);
        if (status == SEC_I_NO_RENEGOTIATION) printf("declined: by the peer\n");
        if (status == SEC_E_OK || status == SEC_I_NO_RENEGOTIATION) return true;
        if (status == SEC_I_INCOMPLETE_CREDENTIALS && !more) {
            more = answer_request(link);
        } else if (!hungry && !again && status != SEC_I_CONTINUE_NEEDED) {
            return tls_link_fail_status(link, "handshake", status);
        }
        bool untouched = !with_input && link->input_size;
        if (hungry && !untouched && !socket_read(link)) return false;
        if (link->end == TLS_LINK_EOF) return tls_link_fail(link, "handshake", "closed");
        with_input = !again && (!link->options->datagram || link->input_size);
    }
}

bool tls_link_handshake(struct tls_link *link)
{
    if (link->options->server && !link->have_context) {
        if (!socket_read(link)) return false;
        if (link->end == TLS_LINK_EOF) return tls_link_fail(link, "handshake", "closed");
        return run_legs(link, true);
    }
    return run_legs(link, false);
}

/* ---- messages ---- */

static bool send_message(struct tls_link *link, const SecPkgContext_StreamSizes *sizes,
                         const uint8_t *data, size_t size)
{
    bool result = false;
    uint8_t *block = malloc(sizes->cbHeader + size + sizes->cbTrailer);
    if (!block) return tls_link_fail(link, "send", "out of memory");
    memcpy(block + sizes->cbHeader, data, size);
    SecBuffer buffers[4] = {
        {sizes->cbHeader, SECBUFFER_STREAM_HEADER, block},
        {(ULONG)size, SECBUFFER_DATA, block + sizes->cbHeader},
        {sizes->cbTrailer, SECBUFFER_STREAM_TRAILER, block + sizes->cbHeader + size},
        {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
    SECURITY_STATUS status = EncryptMessage(&link->context, 0, &desc, 0);
    if (status == SEC_E_OK)
        result = socket_write(link, block,
                              buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer);
    else tls_link_fail_status(link, "EncryptMessage", status);
    free(block);
    return result;
}

bool tls_link_send(struct tls_link *link, const void *data, size_t size)
{
    SecPkgContext_StreamSizes sizes;
    SECURITY_STATUS status = QueryContextAttributesW(&link->context, SECPKG_ATTR_STREAM_SIZES,
                                                     &sizes);
    if (status != SEC_E_OK) return tls_link_fail_status(link, "STREAM_SIZES", status);
    size_t most = sizes.cbMaximumMessage;
    if (link->options->record && link->options->record < most) most = link->options->record;
    for (size_t done = 0; done < size;) {
        size_t part = size - done < most ? size - done : most;
        if (!send_message(link, &sizes, (const uint8_t *)data + done, part)) return false;
        done += part;
    }
    return true;
}

static const SecBuffer *find_buffer(const SecBuffer *buffers, ULONG type)
{
    for (unsigned i = 0; i < 4; i++)
        if (buffers[i].BufferType == type) return &buffers[i];
    return NULL;
}

/* Opens the first message of the input. */
static SECURITY_STATUS open_message(struct tls_link *link)
{
    SecBuffer buffers[4] = {{(ULONG)link->input_size, SECBUFFER_DATA, link->input},
                            {0, SECBUFFER_EMPTY, NULL},
                            {0, SECBUFFER_EMPTY, NULL},
                            {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
    SECURITY_STATUS status = DecryptMessage(&link->context, &desc, 0, NULL);
    if (status < 0) return status;
    const SecBuffer *data = find_buffer(buffers, SECBUFFER_DATA);
    const SecBuffer *extra = find_buffer(buffers, SECBUFFER_EXTRA);
    if (data && data->cbBuffer) {
        if (data->cbBuffer > TLS_LINK_ROOM - link->plain_size) return SEC_E_BUFFER_TOO_SMALL;
        memcpy(link->plain + link->plain_size, data->pvBuffer, data->cbBuffer);
        link->plain_size += data->cbBuffer;
    }
    keep_extra(link, extra ? extra->cbBuffer : 0);
    return status;
}

bool tls_link_receive(struct tls_link *link)
{
    const size_t before = link->plain_size;
    while (link->plain_size == before && link->end == TLS_LINK_OPEN) {
        SECURITY_STATUS status = link->input_size ? open_message(link) : SEC_E_INCOMPLETE_MESSAGE;
        if (status == SEC_E_INCOMPLETE_MESSAGE) {
            if (!socket_read(link)) return false;
        } else if (status == SEC_I_RENEGOTIATE) {
            link->renegotiations++;
            if (!run_legs(link, link->input_size > 0)) return false;
        } else if (status == SEC_I_CONTEXT_EXPIRED) {
            link->end = TLS_LINK_CLOSE_NOTIFY;
        } else if (status != SEC_E_OK) {
            return tls_link_fail_status(link, "DecryptMessage", status);
        }
    }
    return true;
}

void tls_link_take(struct tls_link *link, size_t size)
{
    link->plain_size -= size;
    memmove(link->plain, link->plain + size, link->plain_size);
}

/* ---- the end ---- */

bool tls_link_shutdown(struct tls_link *link)
{
    DWORD token = SCHANNEL_SHUTDOWN;
    SecBuffer in = {sizeof(token), SECBUFFER_TOKEN, &token}, out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status = ApplyControlToken(&link->context, &in_desc);
    if (status != SEC_E_OK) return tls_link_fail_status(link, "ApplyControlToken", status);
    status = call_package(link, NULL, &out_desc, 0);
    if (status != SEC_E_OK && status != SEC_I_CONTEXT_EXPIRED)
        tls_link_fail_status(link, "shutdown", status);
    else if (!out.cbBuffer) tls_link_fail(link, "shutdown", "gives nothing to send");
    return send_token(link, &out) && !link->failure[0];
}

void tls_link_close(struct tls_link *link)
{
    if (link->have_context) DeleteSecurityContext(&link->context);
    link->have_context = false;
    if (link->socket != INVALID_SOCKET) closesocket(link->socket);
    link->socket = INVALID_SOCKET;
    link->end = TLS_LINK_OPEN;
    link->input_size = link->plain_size = 0;
}
