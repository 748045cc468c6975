/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The buffers of InitializeSecurityContext and AcceptSecurityContext, as their pages for Schannel
 * describe them. Input: a TOKEN, an EMPTY one that tells of bytes that are EXTRA or MISSING, and
 * what only some calls have: APPLICATION_PROTOCOLS, FLAGS, DTLS_MTU, the peer's address in EXTRA.
 * Output: a TOKEN (or EMPTY), an ALERT, TRAFFIC_SECRETS. What an application asks for with a buffer
 * that is not served here is refused, unless the peer might have declined it just as well.
 */
#include "schannel_package.h"

#include "ssp/leg.h"
#include "ssp/trace.h"

#include <string.h>

TRACE_CHANNEL("schannel");

/* Of SEC_FLAGS: the upper half of the requirements. Tokens without records are not made here. */
#define FLAG_MESSAGES 0x100000000ull
#define FLAG_DEFERRED_CRED_VALIDATION 0x200000000ull
#define FLAG_NO_POST_HANDSHAKE_AUTH 0x400000000ull

/* ---- input ---- */

/* SEC_APPLICATION_PROTOCOLS: lists behind one size, each with its kind, of which ALPN's counts. */
static status_t read_protocols(const SecBuffer *buffer, struct slice *alpn)
{
    struct reader r, lists, names;
    reader_init(&r, buffer->pvBuffer, buffer->cbBuffer);
    reader_sub(&r, reader_u32le(&r), &lists);
    while (reader_ok(&lists) && reader_left(&lists)) {
        uint32_t kind = reader_u32le(&lists);
        struct slice list = reader_bytes(&lists, reader_u16le(&lists));
        if (kind != SecApplicationProtocolNegotiationExt_ALPN) continue;
        reader_init(&names, list.data, list.size);
        while (reader_ok(&names) && reader_left(&names))
            if (!reader_bytes(&names, reader_u8(&names)).size) reader_fail(&names);
        if (!reader_ok(&names) || !list.size) return SEC_E_INVALID_PARAMETER;
        *alpn = list;
    }
    return reader_end(&lists) ? SEC_E_OK : SEC_E_INVALID_PARAMETER;
}

static status_t read_flags(struct leg *leg, const SecBuffer *buffer)
{
    struct reader r;
    reader_init(&r, buffer->pvBuffer, buffer->cbBuffer);
    uint64_t flags = reader_u64le(&r);
    if (!reader_ok(&r)) return SEC_E_INVALID_PARAMETER;
    if (flags & FLAG_MESSAGES) {
        WARN("tokens without records are not supported\n");
        return SEC_E_UNSUPPORTED_FUNCTION;
    }
    leg->requirements |= (ULONG)flags;
    leg->deferred = flags & FLAG_DEFERRED_CRED_VALIDATION;
    leg->not_late = flags & FLAG_NO_POST_HANDSHAKE_AUTH;
    return SEC_E_OK;
}

static status_t read_mtu(struct leg *leg, const SecBuffer *buffer)
{
    struct reader r;
    reader_init(&r, buffer->pvBuffer, buffer->cbBuffer);
    leg->mtu = reader_u16le(&r);
    return reader_ok(&r) && leg->mtu >= MTU_MIN ? SEC_E_OK : SEC_E_INVALID_PARAMETER;
}

static status_t read_input_buffer(struct leg *leg, SecBuffer *buffer)
{
    const struct slice bytes = {buffer->pvBuffer, buffer->cbBuffer};
    switch (secbuf_type(buffer)) {
    case SECBUFFER_TOKEN:
        if (bytes.size && !bytes.data) return SEC_E_INVALID_TOKEN;
        if (!leg->token.data) leg->token = bytes;
        return SEC_E_OK;
    case SECBUFFER_EMPTY:
        if (bytes.size) return SEC_E_INVALID_TOKEN; /* what Windows says */
        if (!leg->spare) leg->spare = buffer;
        return SEC_E_OK;
    case SECBUFFER_EXTRA:
        leg->peer = bytes;
        return bytes.size && !bytes.data ? SEC_E_INVALID_PARAMETER : SEC_E_OK;
    case SECBUFFER_APPLICATION_PROTOCOLS:
        return bytes.data ? read_protocols(buffer, &leg->alpn) : SEC_E_INVALID_PARAMETER;
    case SECBUFFER_FLAGS: return bytes.data ? read_flags(leg, buffer) : SEC_E_INVALID_PARAMETER;
    case SECBUFFER_DTLS_MTU: return bytes.data ? read_mtu(leg, buffer) : SEC_E_INVALID_PARAMETER;
    case SECBUFFER_PRESHARED_KEY:
    case SECBUFFER_PRESHARED_KEY_IDENTITY:
    case SECBUFFER_SEND_GENERIC_TLS_EXTENSION:
        WARN("input buffers of type %lu are not supported\n", secbuf_type(buffer));
        return SEC_E_UNSUPPORTED_FUNCTION;
    default: return SEC_E_OK;
    }
}

static status_t read_input(struct leg *leg)
{
    status_t status = SEC_E_OK;
    ULONG count = leg->input ? leg->input->cBuffers : 0;
    for (ULONG i = 0; i < count && status_ok(status); i++)
        status = read_input_buffer(leg, &leg->input->pBuffers[i]);
    return status;
}

/* ---- output ---- */

/* The structure ends with one byte of the secret. */
#define SECRETS_HEADER offsetof(SEC_TRAFFIC_SECRETS, TrafficSecret)

static bool is_allocated(const struct leg *leg, const SecBuffer *buffer)
{
    return leg->requirements & LEG_REQ_ALLOCATE_MEMORY || !buffer->pvBuffer;
}

/* The token's buffer; curl has an EMPTY one in the first call. */
static SecBuffer *token_buffer(const struct leg *leg)
{
    SecBuffer *token = secbuf_find(leg->output, SECBUFFER_TOKEN);
    return token ? token : secbuf_find(leg->output, SECBUFFER_EMPTY);
}

/* The caller of a buffer that is too small hears of it before anything is done. */
static status_t check_output(const struct leg *leg)
{
    const SecBuffer *token = token_buffer(leg);
    bool allocate = leg->requirements & LEG_REQ_ALLOCATE_MEMORY;
    if (leg->first && !token) return SEC_E_INVALID_TOKEN;
    if (leg->first && !token->cbBuffer && !allocate) return SEC_E_INSUFFICIENT_MEMORY;
    ULONG count = leg->output ? leg->output->cBuffers : 0;
    for (ULONG i = 0; i < count && !allocate; i++) {
        const SecBuffer *buffer = &leg->output->pBuffers[i];
        ULONG type = secbuf_type(buffer);
        size_t least = 0;
        if (type == SECBUFFER_ALERT) least = 1;
        if (type == SECBUFFER_TRAFFIC_SECRETS) least = SECRETS_HEADER + CALL_SECRET_MAX;
        if (buffer->cbBuffer < least) return SEC_E_INSUFFICIENT_MEMORY;
    }
    return SEC_E_OK;
}

/* What the leg has for a buffer, be it nothing. */
static status_t put(struct leg *leg, SecBuffer *buffer, struct slice bytes)
{
    if (is_allocated(leg, buffer)) {
        void *block = bytes.size ? package_alloc(bytes.size) : NULL;
        if (bytes.size && !block) return SEC_E_INSUFFICIENT_MEMORY;
        buffer->pvBuffer = block;
        if (block) leg->given[leg->given_count++] = buffer;
    } else if (bytes.size > buffer->cbBuffer) {
        return SEC_E_INSUFFICIENT_MEMORY;
    }
    if (bytes.size) memcpy(buffer->pvBuffer, bytes.data, bytes.size);
    buffer->cbBuffer = (ULONG)bytes.size;
    return SEC_E_OK;
}

/* A buffer that cannot be filled is empty. */
static void put_or_nothing(struct leg *leg, SecBuffer *buffer, struct slice bytes)
{
    if (buffer && !status_ok(put(leg, buffer, bytes))) put(leg, buffer, (struct slice){NULL, 0});
}

/* A failed call leaves nothing to be freed. */
static void take_back(struct leg *leg)
{
    while (leg->given_count) {
        SecBuffer *buffer = leg->given[--leg->given_count];
        SecureZeroMemory(buffer->pvBuffer, buffer->cbBuffer);
        package_free(buffer->pvBuffer);
        buffer->pvBuffer = NULL;
        buffer->cbBuffer = 0;
    }
}

/* ---- secrets ---- */

static void name_algorithms(SEC_TRAFFIC_SECRETS *out, const struct tls_suite *suite)
{
    bool chacha = suite->cipher == TLS_CIPHER_CHACHA20_POLY1305;
    bool gcm = suite->cipher == TLS_CIPHER_AES_128_GCM || suite->cipher == TLS_CIPHER_AES_256_GCM;
    const wchar_t *mode = gcm ? BCRYPT_CHAIN_MODE_GCM : BCRYPT_CHAIN_MODE_CCM;
    lstrcpyW(out->SymmetricAlgId, chacha ? L"CHACHA20_POLY1305" : BCRYPT_AES_ALGORITHM);
    lstrcpyW(out->ChainingMode, chacha ? BCRYPT_CHAIN_MODE_NA : mode);
    lstrcpyW(out->HashAlgId,
             suite->prf == TLS_HASH_SHA384 ? BCRYPT_SHA384_ALGORITHM : BCRYPT_SHA256_ALGORITHM);
    out->KeySize = (unsigned short)(suite->key_bits / 8);
    out->IvSize = 12; /* RFC 8446 5.3 */
}

static status_t put_secret(struct leg *leg, SecBuffer *buffer, const struct tls_session *session,
                           SEC_TRAFFIC_SECRET_TYPE type)
{
    const bool ours = (type == SecTrafficSecret_Client) != leg->server;
    const size_t size = session->suite->prf == TLS_HASH_SHA384 ? 48 : 32;
    struct {
        SEC_TRAFFIC_SECRETS structure;
        uint8_t more[CALL_SECRET_MAX];
    } room = {0};
    name_algorithms(&room.structure, session->suite);
    room.structure.TrafficSecretType = type;
    room.structure.TrafficSecretSize = (unsigned short)size;
    memcpy((uint8_t *)&room + SECRETS_HEADER, ours ? session->send.secret : session->receive.secret,
           size);
    status_t status = put(leg, buffer,
                          (struct slice){(const uint8_t *)&room, SECRETS_HEADER + size});
    SecureZeroMemory(&room, sizeof(room));
    return status;
}

/* It is empty, and memory of the application's says by the type that it has no secret. */
static status_t put_no_secret(struct leg *leg, SecBuffer *buffer)
{
    if (!is_allocated(leg, buffer))
        memset(buffer->pvBuffer, 0, min(buffer->cbBuffer, SECRETS_HEADER));
    return put(leg, buffer, (struct slice){NULL, 0});
}

/* The secrets of TLS 1.3, or none, into the buffers that the application has for them, if any. */
static status_t put_secrets(struct leg *leg, const struct tls_session *session)
{
    bool known = session && session->suite;
    ULONG count = leg->output ? leg->output->cBuffers : 0;
    SEC_TRAFFIC_SECRET_TYPE next = known ? SecTrafficSecret_Client : SecTrafficSecret_None;
    status_t status = SEC_E_OK;
    for (ULONG i = 0; i < count && status_ok(status); i++) {
        SecBuffer *buffer = &leg->output->pBuffers[i];
        if (secbuf_type(buffer) != SECBUFFER_TRAFFIC_SECRETS) continue;
        status = next == SecTrafficSecret_None ? put_no_secret(leg, buffer)
                                               : put_secret(leg, buffer, session, next);
        next = next == SecTrafficSecret_Client ? SecTrafficSecret_Server : SecTrafficSecret_None;
    }
    return status;
}

/* ---- opening and closing ---- */

/* An alert, if there is one, goes where the application asks for it: to the token with
 * EXTENDED_ERROR, whose bits are different for the two sides, and to an ALERT buffer. Nothing else
 * is left in a buffer that looks as if it were to be sent. */
static void tell_of_failure(struct leg *leg, struct slice alert)
{
    const struct slice nothing = {NULL, 0};
    ULONG extended = leg->server ? ASC_REQ_EXTENDED_ERROR : ISC_REQ_EXTENDED_ERROR;
    bool wanted = leg->requirements & extended;
    put_secrets(leg, NULL);
    put_or_nothing(leg, token_buffer(leg), wanted ? alert : nothing);
    put_or_nothing(leg, secbuf_find(leg->output, SECBUFFER_ALERT), alert);
}

status_t leg_open(struct leg *leg)
{
    status_t status = check_output(leg);
    if (status_ok(status)) status = read_input(leg);
    if (status_ok(status)) status = check_output(leg); /* FLAGS may have said more */
    if (!status_ok(status)) tell_of_failure(leg, (struct slice){NULL, 0});
    writer_init(&leg->reply);
    return status;
}

void leg_release(struct leg *leg)
{
    writer_free(&leg->reply);
}

static void tell_of_input(struct leg *leg, status_t status)
{
    if (!leg->spare) return;
    if (status == SEC_E_INCOMPLETE_MESSAGE) {
        leg->spare->BufferType = SECBUFFER_MISSING;
        leg->spare->cbBuffer = (ULONG)leg->missing;
    } else if (status_ok(status) && status != SEC_I_INCOMPLETE_CREDENTIALS &&
               leg->consumed < leg->token.size) {
        leg->spare->BufferType = SECBUFFER_EXTRA;
        leg->spare->cbBuffer = (ULONG)(leg->token.size - leg->consumed);
        leg->spare->pvBuffer = (void *)(leg->token.data + leg->consumed);
    }
}

static status_t give(struct leg *leg)
{
    SecBuffer *token = token_buffer(leg);
    if (token) token->BufferType = SECBUFFER_TOKEN;
    status_t status = writer_status(&leg->reply);
    if (!status_ok(status)) return status;
    if (token) status = put(leg, token, writer_view(&leg->reply));
    else if (leg->reply.size) status = SEC_E_INSUFFICIENT_MEMORY;
    if (status_ok(status)) status = put_secrets(leg, leg->secrets);
    if (!status_ok(status)) take_back(leg);
    return status;
}

status_t leg_close(struct leg *leg, status_t status)
{
    const struct slice nothing = {NULL, 0};
    if (status_ok(status)) {
        status_t given = give(leg);
        if (!status_ok(given)) {
            tell_of_failure(leg, nothing);
            return given;
        }
        put_or_nothing(leg, secbuf_find(leg->output, SECBUFFER_ALERT), nothing);
    } else if (status != SEC_E_INCOMPLETE_MESSAGE) {
        bool told = status_ok(writer_status(&leg->reply));
        tell_of_failure(leg, told ? writer_view(&leg->reply) : nothing);
    }
    tell_of_input(leg, status);
    return status;
}

/* ---- records ---- */

/* The size of the record at the front of the bytes, as far as it can be told; 0 for what is none.
 * *whole: it is all there. */
static size_t measure(struct slice bytes, bool *whole)
{
    struct reader r;
    reader_init(&r, bytes.data, bytes.size);
    *whole = false;
    if (bytes.size >= 1) {
        uint8_t type = reader_u8(&r);
        if (type < TLS_CHANGE_CIPHER_SPEC || type > TLS_APPLICATION_DATA) return 0;
    }
    if (bytes.size >= 2 && reader_u8(&r) != TLS_1_0 >> 8) return 0;
    if (bytes.size < TLS_RECORD_HEADER) return TLS_RECORD_HEADER;
    reader_skip(&r, 1);
    size_t fragment = reader_u16be(&r);
    if (fragment > TLS_FRAGMENT_MAX) return 0;
    *whole = reader_left(&r) >= fragment;
    return TLS_RECORD_HEADER + fragment;
}

/* Where nothing can be told of the bytes that are left over, all of them have to be whole. */
status_t leg_records(struct leg *leg, size_t *whole)
{
    size_t at = 0, size = 0;
    bool complete = true;
    while (at < leg->token.size && complete) {
        size = measure(slice_rest(leg->token, at), &complete);
        if (!size) break;
        if (complete) at += size;
    }
    if (leg->token.size && !size && !(at && leg->spare)) {
        leg->alert = tls_record_alert(NULL, leg->token.data + at, leg->token.size - at);
        return SEC_E_INVALID_TOKEN;
    }
    *whole = at;
    if (at && (leg->spare || complete)) return SEC_E_OK;
    if (!leg->token.size) size = TLS_RECORD_HEADER;
    leg->missing = at + size - leg->token.size;
    return SEC_E_INCOMPLETE_MESSAGE;
}
