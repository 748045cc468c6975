/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Buffers of MSV1_0: the structures of ntsecapi.h and ntifs.h, in the layout of 32- and of 64-bit
 * callers. A text may not begin inside its structure, and one of no length may point anywhere.
 */
#include "core/msv1_0.h"

#include <string.h>

/* A UNICODE_STRING or STRING whose text has not been looked for yet: the structure's end, which
 * bounds it, is known only when all has been read. */
struct text {
    uint16_t size;
    uint64_t address;
};

struct source {
    struct reader r;
    const struct msv_buffer *buffer;
};

static void source_open(struct source *source, const struct msv_buffer *buffer)
{
    source->buffer = buffer;
    reader_init(&source->r, buffer->bytes.data, buffer->bytes.size);
}

/* Structures begin where the largest of their members may stand. */
static void align(struct source *source)
{
    if (source->buffer->wide && source->r.pos % 8) reader_skip(&source->r, 8 - source->r.pos % 8);
}

static uint64_t read_pointer(struct source *source)
{
    align(source);
    return source->buffer->wide ? reader_u64le(&source->r) : reader_u32le(&source->r);
}

static struct text read_text(struct source *source)
{
    struct text text;
    align(source);
    text.size = reader_u16le(&source->r);
    reader_skip(&source->r, 2); /* MaximumLength */
    text.address = read_pointer(source);
    return text;
}

/* *offset is where size bytes are that follow the structure. */
static bool locate(const struct source *source, uint64_t address, size_t size, size_t *offset)
{
    const struct msv_buffer *buffer = source->buffer;
    uint64_t total = buffer->bytes.size, place = address;
    if (address >= buffer->base && address - buffer->base < total) place = address - buffer->base;
    if (place < source->r.pos || place > total || size > total - place) return false;
    *offset = (size_t)place;
    return true;
}

/* To be called once the structure has been read. */
static struct slice find(struct source *source, struct text text, size_t unit)
{
    const struct slice none = {NULL, 0};
    size_t offset;
    if (!text.size || !reader_ok(&source->r)) return none;
    if (text.size % unit || !locate(source, text.address, text.size, &offset)) {
        reader_fail(&source->r);
        return none;
    }
    return reader_window(&source->r, offset, text.size);
}

#define WIDE 2u /* bytes of a unit of UTF-16 */

static status_t source_status(const struct source *source)
{
    return reader_ok(&source->r) ? SEC_E_OK : SEC_E_INVALID_PARAMETER;
}

bool msv_kind(const struct msv_buffer *buffer, uint32_t *kind)
{
    struct source source;
    source_open(&source, buffer);
    uint32_t value = reader_u32le(&source.r);
    if (!reader_ok(&source.r)) return false;
    *kind = value;
    return true;
}

/* ---- log-ons ---- */

/* MSV1_0_INTERACTIVE_LOGON */
static void read_interactive(struct source *source, struct msv_logon *out)
{
    struct text domain = read_text(source), user = read_text(source), password = read_text(source);
    out->domain = find(source, domain, WIDE);
    out->user = find(source, user, WIDE);
    out->password = find(source, password, WIDE);
}

/* MSV1_0_LM20_LOGON; the responses are bytes. */
static void read_network(struct source *source, struct msv_logon *out)
{
    struct text domain = read_text(source), user = read_text(source);
    struct text workstation = read_text(source);
    reader_copy(&source->r, out->challenge, sizeof(out->challenge));
    struct text nt = read_text(source), lm = read_text(source);
    uint32_t control = reader_u32le(&source->r);
    if (out->kind == MSV_LOGON_NETWORK) out->control = control;
    out->domain = find(source, domain, WIDE);
    out->user = find(source, user, WIDE);
    out->workstation = find(source, workstation, WIDE);
    out->nt_response = find(source, nt, 1);
    out->lm_response = find(source, lm, 1);
}

status_t msv_logon_decode(const struct msv_buffer *buffer, struct msv_logon *out)
{
    struct source source;
    struct msv_logon logon;
    memset(&logon, 0, sizeof(logon));
    source_open(&source, buffer);
    logon.kind = reader_u32le(&source.r);
    if (!reader_ok(&source.r)) return SEC_E_INVALID_PARAMETER;
    switch (logon.kind) {
    case MSV_LOGON_INTERACTIVE:
    case MSV_LOGON_UNLOCK: read_interactive(&source, &logon); break;
    case MSV_LOGON_LM20:
    case MSV_LOGON_NETWORK: read_network(&source, &logon); break;
    default: return SEC_E_UNSUPPORTED_FUNCTION;
    }
    status_t status = source_status(&source);
    if (status_ok(status)) *out = logon;
    return status;
}

/* ---- messages ---- */

/* MSV1_0_CHANGEPASSWORD_REQUEST. Whether the caller impersonates makes no difference: the old
 * password is what counts. */
status_t msv_password_change_decode(const struct msv_buffer *buffer,
                                    struct msv_password_change *out)
{
    struct source source;
    struct msv_password_change change;
    source_open(&source, buffer);
    reader_skip(&source.r, 4);
    struct text domain = read_text(&source), user = read_text(&source);
    struct text old_password = read_text(&source), new_password = read_text(&source);
    reader_skip(&source.r, 1);
    change.domain = find(&source, domain, WIDE);
    change.user = find(&source, user, WIDE);
    change.old_password = find(&source, old_password, WIDE);
    change.new_password = find(&source, new_password, WIDE);
    status_t status = source_status(&source);
    if (status_ok(status)) *out = change;
    return status;
}

/* MSV1_0_GETCHALLENRESP_REQUEST and its first form, which ends with the challenge. */
status_t msv_response_request_decode(const struct msv_buffer *buffer,
                                     struct msv_response_request *out)
{
    struct source source;
    struct msv_response_request request;
    struct text user = {0, 0}, domain = {0, 0}, server = {0, 0};
    memset(&request, 0, sizeof(request));
    source_open(&source, buffer);
    reader_skip(&source.r, 4);
    request.control = reader_u32le(&source.r);
    request.logon_id_low = reader_u32le(&source.r);
    request.logon_id_high = reader_u32le(&source.r);
    struct text password = read_text(&source);
    reader_copy(&source.r, request.challenge, sizeof(request.challenge));
    if (request.control & MSV_HAS_NAMES) {
        user = read_text(&source);
        domain = read_text(&source);
        server = read_text(&source);
    }
    bool pairs = request.control & MSV_TARGET_INFO;
    bool hash = request.control & MSV_PASSWORD_IS_HASH;
    request.password = find(&source, password, hash ? 1 : WIDE);
    request.user = find(&source, user, WIDE);
    request.domain = find(&source, domain, WIDE);
    request.server = find(&source, server, pairs ? 1 : WIDE);
    status_t status = source_status(&source);
    if (status_ok(status)) *out = request;
    return status;
}

/* MSV1_0_PASSTHROUGH_REQUEST */
status_t msv_passthrough_decode(const struct msv_buffer *buffer, struct msv_passthrough *out)
{
    struct source source;
    struct msv_passthrough message;
    memset(&message, 0, sizeof(message));
    source_open(&source, buffer);
    reader_skip(&source.r, 4);
    struct text domain = read_text(&source), package = read_text(&source);
    message.data_size = reader_u32le(&source.r);
    uint64_t data = read_pointer(&source);
    reader_skip(&source.r, 4);
    message.domain = find(&source, domain, WIDE);
    message.package = find(&source, package, WIDE);
    if (message.data_size && !locate(&source, data, message.data_size, &message.data_offset))
        reader_fail(&source.r);
    status_t status = source_status(&source);
    if (status_ok(status)) *out = message;
    return status;
}

status_t msv_logon_id_decode(const struct msv_buffer *buffer, uint32_t *low, uint32_t *high)
{
    struct source source;
    source_open(&source, buffer);
    reader_skip(&source.r, 4);
    uint32_t first = reader_u32le(&source.r), second = reader_u32le(&source.r);
    status_t status = source_status(&source);
    if (!status_ok(status)) return status;
    *low = first;
    *high = second;
    return SEC_E_OK;
}
