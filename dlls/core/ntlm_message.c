/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The three messages of NTLM and their AV pairs: MS-NLMP 2.2.1, 2.2.2.1, 2.2.2.8 (NTLMv2
 * response). Decoding is strict about structure and leaves policy (which flags, which responses)
 * to the steps in ntlm_client.c and ntlm_server.c.
 */
#include "ntlm_private.h"

#include "core/utf16.h"

#include <string.h>

#define NEGOTIATE_SHORT 16u /* without names: some clients end here */
#define NEGOTIATE_HEAD 32u
#define CHALLENGE_HEAD 48u
#define AUTHENTICATE_HEAD 64u
#define VERSION_SIZE 8u
#define MIC_SIZE 16u
#define AV_KNOWN (NTLM_AV_CHANNEL_BINDINGS + 1)

enum message_type { NEGOTIATE = 1, CHALLENGE = 2, AUTHENTICATE = 3 };

static const uint8_t signature[8] = {'N', 'T', 'L', 'M', 'S', 'S', 'P', 0};

/* ---- AV pairs ---- */

bool ntlm_av_next(struct reader *r, uint16_t *id, struct slice *value)
{
    *id = reader_u16le(r);
    *value = reader_bytes(r, reader_u16le(r));
    return reader_ok(r) && *id != NTLM_AV_EOL;
}

/* Ids that nobody knows pass: later versions of Windows may add some. */
static bool pair_size_fits(uint16_t id, size_t size)
{
    switch (id) {
    case NTLM_AV_NB_COMPUTER:
    case NTLM_AV_NB_DOMAIN:
    case NTLM_AV_DNS_COMPUTER:
    case NTLM_AV_DNS_DOMAIN:
    case NTLM_AV_DNS_TREE:
    case NTLM_AV_TARGET_NAME: return size % 2 == 0;
    case NTLM_AV_FLAGS: return size == 4;
    case NTLM_AV_TIMESTAMP: return size == 8;
    case NTLM_AV_CHANNEL_BINDINGS: return size == 16;
    default: return true;
    }
}

status_t ntlm_av_check(struct slice pairs)
{
    struct reader r;
    bool seen[AV_KNOWN] = {false};
    uint16_t id;
    struct slice value;
    reader_init(&r, pairs.data, pairs.size);
    while (ntlm_av_next(&r, &id, &value)) {
        if (!pair_size_fits(id, value.size)) return SEC_E_INVALID_TOKEN;
        if (id >= AV_KNOWN) continue;
        if (seen[id]) return SEC_E_INVALID_TOKEN;
        seen[id] = true;
    }
    /* The loop ended at the terminator, whose value is empty, or in a failure. */
    return reader_ok(&r) && !value.size ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

bool ntlm_av_find(struct slice pairs, enum ntlm_av id, struct slice *value)
{
    struct reader r;
    uint16_t found;
    struct slice bytes;
    reader_init(&r, pairs.data, pairs.size);
    while (ntlm_av_next(&r, &found, &bytes)) {
        if (found != id) continue;
        *value = bytes;
        return true;
    }
    return false;
}

bool ntlm_av_time(struct slice pairs, uint64_t *time)
{
    struct reader r;
    struct slice value;
    if (!ntlm_av_find(pairs, NTLM_AV_TIMESTAMP, &value)) return false;
    reader_init(&r, value.data, value.size);
    *time = reader_u64le(&r);
    return true;
}

void ntlm_av_write(struct writer *w, enum ntlm_av id, struct slice value)
{
    writer_u16le(w, (uint16_t)id);
    size_t mark = writer_open_u16le(w);
    writer_slice(w, value);
    writer_close_u16le(w, mark);
}

/* ---- decoding ---- */

static void read_start(struct reader *r, struct slice token, enum message_type type)
{
    reader_init(r, token.data, token.size);
    struct slice found = reader_bytes(r, sizeof(signature));
    if (reader_u32le(r) != type || token.size > NTLM_MESSAGE_MAX) reader_fail(r);
    if (reader_ok(r) && memcmp(found.data, signature, sizeof(signature))) reader_fail(r);
}

/* A part in the payload, named by its size and offset. */
struct field {
    uint16_t size;
    uint32_t offset;
};

static struct field read_field(struct reader *r)
{
    struct field field;
    field.size = reader_u16le(r);
    reader_skip(r, 2); /* allocated size; to be ignored */
    field.offset = reader_u32le(r);
    return field;
}

/* No part may lie in the head, whose size depends on what else the message has. */
static struct slice payload(struct reader *r, struct field field, size_t head)
{
    if (field.size && field.offset < head) reader_fail(r);
    return reader_window(r, field.offset, field.size);
}

/* An OEM string that counts only when its flag is set. */
static struct slice supplied(struct reader *r, uint32_t is_supplied, struct field field,
                             size_t head)
{
    if (!is_supplied) return (struct slice){NULL, 0};
    return payload(r, field, head);
}

/* Without its flag the field may be missing, the payload beginning in its place. */
static void read_version(struct reader *r, uint32_t flags, uint8_t version[8])
{
    memset(version, 0, VERSION_SIZE);
    if (flags & NTLM_VERSION) reader_copy(r, version, VERSION_SIZE);
}

status_t ntlm_negotiate_decode(struct slice token, struct ntlm_negotiate *out)
{
    struct reader r;
    struct ntlm_negotiate message;
    memset(&message, 0, sizeof(message));
    read_start(&r, token, NEGOTIATE);
    message.flags = reader_u32le(&r);
    const uint32_t more = NTLM_OEM_DOMAIN_SUPPLIED | NTLM_OEM_WORKSTATION_SUPPLIED | NTLM_VERSION;
    if (token.size != NEGOTIATE_SHORT || message.flags & more) {
        struct field domain = read_field(&r);
        struct field workstation = read_field(&r);
        read_version(&r, message.flags, message.version);
        size_t head = NEGOTIATE_HEAD + (message.flags & NTLM_VERSION ? VERSION_SIZE : 0);
        message.domain = supplied(&r, message.flags & NTLM_OEM_DOMAIN_SUPPLIED, domain, head);
        message.workstation = supplied(&r, message.flags & NTLM_OEM_WORKSTATION_SUPPLIED,
                                       workstation, head);
    }
    if (!reader_ok(&r)) return SEC_E_INVALID_TOKEN;
    *out = message;
    return SEC_E_OK;
}

status_t ntlm_challenge_decode(struct slice token, struct ntlm_challenge *out)
{
    struct reader r;
    struct ntlm_challenge message;
    memset(&message, 0, sizeof(message));
    read_start(&r, token, CHALLENGE);
    struct field target_name = read_field(&r);
    message.flags = reader_u32le(&r);
    reader_copy(&r, message.server_challenge, sizeof(message.server_challenge));
    message.local_ticket = reader_u64le(&r);
    struct field target_info = read_field(&r);
    read_version(&r, message.flags, message.version);
    size_t head = CHALLENGE_HEAD + (message.flags & NTLM_VERSION ? VERSION_SIZE : 0);
    message.target_name = payload(&r, target_name, head);
    /* Without its flag the field is to be ignored, whatever it says. */
    if (message.flags & NTLM_TARGET_INFO) message.target_info = payload(&r, target_info, head);
    if (!reader_ok(&r)) return SEC_E_INVALID_TOKEN;
    /* Checked here once, so that looking a pair up cannot fail later. */
    if (message.target_info.size && !status_ok(ntlm_av_check(message.target_info)))
        return SEC_E_INVALID_TOKEN;
    *out = message;
    return SEC_E_OK;
}

/* The machine's id in a single-host pair (MS-NLMP 2.2.2.2); nothing of a pair of another form. */
static struct slice machine_id(struct slice value)
{
    struct reader r;
    reader_init(&r, value.data, value.size);
    uint32_t size = reader_u32le(&r);
    reader_skip(&r, 4 + 8);
    struct slice id = reader_bytes(&r, NTLM_MACHINE_ID_SIZE);
    return reader_end(&r) && size == value.size ? id : (struct slice){NULL, 0};
}

/* Takes what the server needs out of an NTLMv2 response. */
static status_t decode_v2_response(struct ntlm_authenticate *message)
{
    struct reader r;
    reader_init(&r, message->nt_response.data, message->nt_response.size);
    reader_skip(&r, 16); /* proof */
    if (reader_u16le(&r) != 0x0101) reader_fail(&r);
    reader_skip(&r, 6);
    message->time = reader_u64le(&r);
    reader_skip(&r, 8 + 4); /* client challenge, reserved */
    struct slice pairs = reader_bytes(&r, reader_left(&r));
    if (!reader_ok(&r)) return SEC_E_INVALID_TOKEN;

    status_t status = ntlm_av_check(pairs);
    if (!status_ok(status)) return status;
    struct slice value;
    struct reader number;
    if (ntlm_av_find(pairs, NTLM_AV_FLAGS, &value)) {
        reader_init(&number, value.data, value.size);
        message->av_flags = reader_u32le(&number);
        message->has_mic = message->av_flags & NTLM_AV_FLAG_MIC;
    }
    ntlm_av_time(pairs, &message->timestamp);
    if (ntlm_av_find(pairs, NTLM_AV_SINGLE_HOST, &value)) message->machine_id = machine_id(value);
    ntlm_av_find(pairs, NTLM_AV_TARGET_NAME, &message->target_name);
    ntlm_av_find(pairs, NTLM_AV_CHANNEL_BINDINGS, &message->channel_bindings);
    return utf16_valid(message->target_name) ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}

/* OEM names depend on a code page that is not known here; they are bytes. */
static bool names_valid(const struct ntlm_authenticate *message)
{
    if (!(message->flags & NTLM_UNICODE)) return true;
    return utf16_valid(message->domain) && utf16_valid(message->user) &&
           utf16_valid(message->workstation);
}

/* Everything but the MIC, whose presence moves the payload. */
static void read_authenticate(struct reader *r, struct ntlm_authenticate *message,
                              struct field fields[6])
{
    for (size_t i = 0; i < 6; i++) fields[i] = read_field(r);
    message->flags = reader_u32le(r);
    read_version(r, message->flags, message->version);
}

status_t ntlm_authenticate_decode(struct slice token, struct ntlm_authenticate *out)
{
    struct reader r;
    struct ntlm_authenticate message;
    struct field fields[6];
    memset(&message, 0, sizeof(message));
    read_start(&r, token, AUTHENTICATE);
    read_authenticate(&r, &message, fields);

    size_t head = AUTHENTICATE_HEAD + (message.flags & NTLM_VERSION ? VERSION_SIZE : 0);
    message.nt_response = payload(&r, fields[1], head);
    if (!reader_ok(&r)) return SEC_E_INVALID_TOKEN;
    if (message.nt_response.size > NTLM_V1_RESPONSE_SIZE) {
        status_t status = decode_v2_response(&message);
        if (!status_ok(status)) return status;
    }
    /* The field has no flag of its own: only the response tells whether it is there. */
    if (message.has_mic) {
        struct slice mic = reader_window(&r, NTLM_MIC_OFFSET, MIC_SIZE);
        head = NTLM_MIC_OFFSET + MIC_SIZE;
        if (mic.size && fields[1].offset >= head) memcpy(message.mic, mic.data, MIC_SIZE);
        else reader_fail(&r);
    }
    message.lm_response = payload(&r, fields[0], head);
    message.domain = payload(&r, fields[2], head);
    message.user = payload(&r, fields[3], head);
    message.workstation = payload(&r, fields[4], head);
    message.encrypted_key = payload(&r, fields[5], head);
    if (!reader_ok(&r) || !names_valid(&message)) return SEC_E_INVALID_TOKEN;
    *out = message;
    return SEC_E_OK;
}

enum ntlm_response ntlm_authenticate_response(const struct ntlm_authenticate *message,
                                              uint32_t flags)
{
    size_t nt = message->nt_response.size, lm = message->lm_response.size;
    if (nt > NTLM_V1_RESPONSE_SIZE) return NTLM_RESPONSE_V2;
    if (!nt && lm <= 1 && !message->user.size) return NTLM_RESPONSE_ANONYMOUS;
    /* With ESS the LM response carries the client's challenge. */
    if (flags & NTLM_ESS)
        return nt == NTLM_V1_RESPONSE_SIZE && lm == NTLM_V1_RESPONSE_SIZE ? NTLM_RESPONSE_V1_ESS
                                                                          : NTLM_RESPONSE_OTHER;
    if (nt == NTLM_V1_RESPONSE_SIZE) return NTLM_RESPONSE_V1;
    return !nt && lm == NTLM_V1_RESPONSE_SIZE ? NTLM_RESPONSE_LM : NTLM_RESPONSE_OTHER;
}

/* ---- encoding ---- */

static void write_start(struct writer *w, enum message_type type)
{
    writer_bytes(w, signature, sizeof(signature));
    writer_u32le(w, type);
}

/* The parts lie one after the other; *offset moves on. */
static void write_field(struct writer *w, struct slice part, size_t *offset)
{
    if (part.size > UINT16_MAX || *offset > NTLM_MESSAGE_MAX) {
        writer_fail(w);
        return;
    }
    writer_u16le(w, (uint16_t)part.size);
    writer_u16le(w, (uint16_t)part.size);
    writer_u32le(w, (uint32_t)*offset);
    *offset += part.size;
}

static void write_version(struct writer *w, uint32_t flags, const uint8_t version[8])
{
    if (flags & NTLM_VERSION) writer_bytes(w, version, VERSION_SIZE);
    else writer_zero(w, VERSION_SIZE);
}

/* What no peer of ours would take is not sent either. */
static void check_size(struct writer *w, size_t start)
{
    if (w->size - start > NTLM_MESSAGE_MAX) writer_fail(w);
}

void ntlm_negotiate_encode(struct writer *w, const struct ntlm_negotiate *message)
{
    size_t start = w->size, offset = NEGOTIATE_HEAD + VERSION_SIZE;
    write_start(w, NEGOTIATE);
    writer_u32le(w, message->flags);
    write_field(w, message->domain, &offset);
    write_field(w, message->workstation, &offset);
    write_version(w, message->flags, message->version);
    writer_slice(w, message->domain);
    writer_slice(w, message->workstation);
    check_size(w, start);
}

void ntlm_challenge_encode(struct writer *w, const struct ntlm_challenge *message)
{
    size_t start = w->size, offset = CHALLENGE_HEAD + VERSION_SIZE;
    write_start(w, CHALLENGE);
    write_field(w, message->target_name, &offset);
    writer_u32le(w, message->flags);
    writer_bytes(w, message->server_challenge, sizeof(message->server_challenge));
    writer_u64le(w, message->local_ticket);
    if (message->flags & NTLM_TARGET_INFO) write_field(w, message->target_info, &offset);
    else writer_zero(w, 8);
    write_version(w, message->flags, message->version);
    writer_slice(w, message->target_name);
    if (message->flags & NTLM_TARGET_INFO) writer_slice(w, message->target_info);
    check_size(w, start);
}

void ntlm_authenticate_encode(struct writer *w, const struct ntlm_authenticate *message)
{
    size_t start = w->size;
    size_t payload_start = NTLM_MIC_OFFSET + (message->has_mic ? MIC_SIZE : 0);
    /* The payload begins with the names, the head with the responses. */
    size_t names = payload_start;
    size_t responses = names + message->domain.size + message->user.size +
                       message->workstation.size;
    write_start(w, AUTHENTICATE);
    write_field(w, message->lm_response, &responses);
    write_field(w, message->nt_response, &responses);
    write_field(w, message->domain, &names);
    write_field(w, message->user, &names);
    write_field(w, message->workstation, &names);
    write_field(w, message->encrypted_key, &responses);
    writer_u32le(w, message->flags);
    write_version(w, message->flags, message->version);
    if (message->has_mic) writer_bytes(w, message->mic, MIC_SIZE);
    writer_slice(w, message->domain);
    writer_slice(w, message->user);
    writer_slice(w, message->workstation);
    writer_slice(w, message->lm_response);
    writer_slice(w, message->nt_response);
    writer_slice(w, message->encrypted_key);
    check_size(w, start);
}
