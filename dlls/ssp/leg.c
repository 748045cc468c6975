/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the legs of the packages have in common; see ssp/leg.h. */
#include "ssp/leg.h"

#include "core/secret.h"
#include "ssp/provider.h"
#include "ssp/secbuf.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("sspi");

#define BINDINGS_MAX 65536u
/* Of SEC_CHANNEL_BINDINGS_EX, which MinGW lacks, as it does the result of the server's check. */
#define BINDINGS_EX_MAGIC 0x58454243u
#define BINDINGS_EX_AUDIT 0x1u /* SEC_CHANNEL_BINDINGS_AUDIT_BINDINGS */
#define USUAL_TOKEN 4096u /* room for a token whose size the application leaves to us, at first */

uint64_t leg_time(void)
{
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    return (uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime;
}

/* ---- input ---- */

status_t leg_token(const SecBufferDesc *input, struct slice *token)
{
    const SecBuffer *buffer = secbuf_find(input, SECBUFFER_TOKEN);
    if (!buffer || !buffer->cbBuffer || !buffer->pvBuffer) return SEC_E_INVALID_TOKEN;
    *token = (struct slice){buffer->pvBuffer, buffer->cbBuffer};
    return SEC_E_OK;
}

status_t leg_target(const UNICODE_STRING *target, const SecBufferDesc *input, struct slice *out)
{
    const SecBuffer *buffer = secbuf_find(input, SECBUFFER_TARGET);
    *out = (struct slice){NULL, 0};
    if (target && target->Buffer) {
        *out = (struct slice){(const uint8_t *)target->Buffer, target->Length & ~(size_t)1};
        return SEC_E_OK;
    }
    if (!buffer) buffer = secbuf_find(input, SECBUFFER_TARGET_HOST);
    if (!buffer || !buffer->cbBuffer) return SEC_E_OK;
    if (!buffer->pvBuffer || buffer->cbBuffer % sizeof(wchar_t)) return SEC_E_INVALID_PARAMETER;
    size_t length = wcsnlen(buffer->pvBuffer, buffer->cbBuffer / sizeof(wchar_t));
    *out = (struct slice){buffer->pvBuffer, length * sizeof(wchar_t)};
    return SEC_E_OK;
}

/* One address in SEC_CHANNEL_BINDINGS: type, length, offset. */
static struct slice read_address(struct reader *r, uint32_t *type)
{
    *type = reader_u32le(r);
    uint32_t size = reader_u32le(r), offset = reader_u32le(r);
    return reader_window(r, offset, size);
}

static bool is_empty(const struct leg_bindings *bindings)
{
    return !bindings->initiator_type && !bindings->acceptor_type && !bindings->initiator.size &&
           !bindings->acceptor.size && !bindings->application_data.size;
}

/* The extended form has four more numbers before the addresses, and counts offsets from them. Gives
 * its flags. */
static uint32_t bindings_enter(struct reader *r)
{
    struct reader extended = *r;
    if (reader_u32le(&extended) != BINDINGS_EX_MAGIC) return 0;
    uint32_t flags = reader_u32le(&extended);
    reader_skip(&extended, 8); /* size of the header, size */
    *r = extended;
    return flags;
}

status_t leg_bindings_read(const SecBufferDesc *input, struct leg_bindings *out)
{
    const SecBuffer *buffer = secbuf_find(input, SECBUFFER_CHANNEL_BINDINGS);
    *out = (struct leg_bindings){0};
    if (!buffer || !buffer->cbBuffer) return SEC_E_OK;
    if (!buffer->pvBuffer || buffer->cbBuffer > BINDINGS_MAX) return SEC_E_INVALID_PARAMETER;

    struct reader r;
    struct leg_bindings bindings = {0};
    reader_init(&r, buffer->pvBuffer, buffer->cbBuffer);
    bindings.audit = bindings_enter(&r) & BINDINGS_EX_AUDIT;
    bindings.initiator = read_address(&r, &bindings.initiator_type);
    bindings.acceptor = read_address(&r, &bindings.acceptor_type);
    uint32_t size = reader_u32le(&r), offset = reader_u32le(&r);
    bindings.application_data = reader_window(&r, offset, size);
    if (!reader_ok(&r)) return SEC_E_INVALID_PARAMETER;
    bindings.given = !is_empty(&bindings);
    if (bindings.given) *out = bindings;
    out->audit = bindings.audit; /* of a proxy's channel, which is another one, too */
    return SEC_E_OK;
}

/* SEC_CHANNEL_BINDINGS_RESULT_ (sspi.h of the Windows SDK) */
#define RESULT_CLIENT_SUPPORT 0x1u
#define RESULT_ABSENT 0x2u
#define RESULT_NOTVALID_MISMATCH 0x4u
#define RESULT_NOTVALID_MISSING 0x8u
#define RESULT_VALID_MATCHED 0x10u
#define RESULT_VALID_PROXY 0x20u
#define RESULT_VALID_MISSING 0x40u
#define RESULT_NOTVALID (RESULT_NOTVALID_MISMATCH | RESULT_NOTVALID_MISSING)

static uint32_t result_of(const struct leg_channel_rule *rule, enum leg_channel said)
{
    bool allowed = rule->requirements & ASC_REQ_ALLOW_MISSING_BINDINGS && !rule->required;
    switch (said) {
    case LEG_CHANNEL_UNSAID:
        return RESULT_ABSENT | (allowed ? RESULT_VALID_MISSING : RESULT_NOTVALID_MISSING);
    case LEG_CHANNEL_NONE: /* its answer may come from a service without a channel */
        return RESULT_CLIENT_SUPPORT | RESULT_ABSENT | RESULT_NOTVALID_MISSING;
    case LEG_CHANNEL_SAME:
    case LEG_CHANNEL_OTHER: break;
    }
    /* The proxy's channel is another than ours: there is nothing to compare with. */
    if (rule->requirements & ASC_REQ_PROXY_BINDINGS)
        return RESULT_CLIENT_SUPPORT | RESULT_VALID_PROXY;
    return RESULT_CLIENT_SUPPORT |
           (said == LEG_CHANNEL_SAME ? RESULT_VALID_MATCHED : RESULT_NOTVALID_MISMATCH);
}

static void result_put(const SecBufferDesc *output, uint32_t result)
{
    SecBuffer *buffer = secbuf_find(output, SECBUFFER_CHANNEL_BINDINGS_RESULT);
    if (!buffer || !buffer->pvBuffer || buffer->cbBuffer < sizeof(result)) return;
    memcpy(buffer->pvBuffer, &result, sizeof(result));
    buffer->cbBuffer = sizeof(result);
}

void leg_channel_unasked(const SecBufferDesc *output)
{
    result_put(output, 0);
}

status_t leg_channel_judge(const SecBufferDesc *output, const struct leg_channel_rule *rule,
                           enum leg_channel said)
{
    static const char *const texts[] = {
        "does not say through which channel it speaks",
        "says that it has no channel",
        "speaks through our channel",
        "speaks through another channel",
    };
    uint32_t result = result_of(rule, said);
    result_put(output, result);
    if (!(result & RESULT_NOTVALID)) return SEC_E_OK;
    bool audit = rule->audit && !rule->required;
    WARN("the client %s%s\n", texts[said], audit ? ": audited only" : "");
    return audit ? SEC_E_OK : SEC_E_BAD_BINDINGS;
}

/* ---- output ---- */

static uint8_t *block_make(bool allocate, size_t size)
{
    return allocate ? package_alloc(size) : malloc(size);
}

void leg_output_discard(struct leg_output *output)
{
    if (!output->block) return;
    secret_wipe(output->block, output->room);
    if (output->allocate) package_free(output->block);
    else free(output->block);
    output->block = NULL;
}

status_t leg_output_open(struct leg_output *output, const SecBufferDesc *desc, ULONG requirements,
                         bool first_leg, size_t most)
{
    SecBuffer *buffer = secbuf_find(desc, SECBUFFER_TOKEN);
    bool allocate = requirements & LEG_REQ_ALLOCATE_MEMORY;
    if (!buffer || (!allocate && !buffer->cbBuffer))
        return first_leg ? SEC_E_BUFFER_TOO_SMALL : SEC_E_OUT_OF_SEQUENCE;
    if (!allocate && !buffer->pvBuffer)
        return first_leg ? SEC_E_INTERNAL_ERROR : SEC_E_OUT_OF_SEQUENCE;

    size_t size = allocate ? USUAL_TOKEN : buffer->cbBuffer;
    if (size > most) size = most;
    uint8_t *block = block_make(allocate, size);
    if (!block) return SEC_E_INSUFFICIENT_MEMORY;
    *output = (struct leg_output){buffer, allocate, block, size};
    return SEC_E_OK;
}

status_t leg_output_grow(struct leg_output *output, size_t size)
{
    bool fits = output->allocate || (output->buffer && size <= output->buffer->cbBuffer);
    if (!fits) return SEC_E_BUFFER_TOO_SMALL;
    uint8_t *block = block_make(output->allocate, size);
    if (!block) return SEC_E_INSUFFICIENT_MEMORY;
    leg_output_discard(output);
    output->block = block;
    output->room = size;
    return SEC_E_OK;
}

/* An allocated token is the application's as it lies there: a smaller copy would cost it another
 * turn at the heap that all modules share. */
void leg_output_close(struct leg_output *output, size_t size)
{
    SecBuffer *buffer = output->buffer;
    buffer->cbBuffer = (ULONG)size;
    if (output->allocate) {
        buffer->pvBuffer = output->block;
        output->block = NULL;
        return;
    }
    memcpy(buffer->pvBuffer, output->block, size);
    output->room = size; /* nothing else was written */
    leg_output_discard(output);
}

void leg_output_empty(const SecBufferDesc *desc, ULONG requirements)
{
    SecBuffer *buffer = secbuf_find(desc, SECBUFFER_TOKEN);
    if (!buffer) return;
    buffer->cbBuffer = 0;
    if (requirements & LEG_REQ_ALLOCATE_MEMORY) buffer->pvBuffer = NULL;
}

void leg_output_refuse(const SecBufferDesc *desc, status_t status)
{
    SecBuffer *buffer = secbuf_find(desc, SECBUFFER_TOKEN);
    if (status == SEC_E_BUFFER_TOO_SMALL || status == SEC_E_INSUFFICIENT_MEMORY) return;
    if (buffer) buffer->cbBuffer = 0;
}

/* ---- report ---- */

void leg_report_fill(const struct leg_report *report, const void *context, ULONG attributes,
                     const TimeStamp *expiry)
{
    if (report->handle) *report->handle = (LSA_SEC_HANDLE)context;
    if (report->attributes) *report->attributes = attributes;
    if (report->expiry) {
        if (expiry) *report->expiry = *expiry;
        else package_never(report->expiry);
    }
    if (report->mapped) *report->mapped = TRUE;
    if (!report->data) return;
    report->data->cbBuffer = 0;
    report->data->pvBuffer = NULL;
}
