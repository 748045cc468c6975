/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Contexts: their life and what all legs of a handshake have in common.
 *
 * A context made by a leg has an LSA half, and a user half from InitUserModeContext on; every
 * successful leg asks for it (MappedContext with empty ContextData), so that a half-open context
 * can be exported. An imported context has a user half only, and keeps it that way when its
 * handshake goes on. The context goes when its last half is deleted.
 *
 * The host passes no handle that it was not given, and deletes no half while a call is inside.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/prefix.h"
#include "ssp/secbuf.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("ntlm");

#define BINDINGS_MAX 65536u
#define BINDINGS_EX_MAGIC 0x58454243u /* of SEC_CHANNEL_BINDINGS_EX, which MinGW lacks */
#define USUAL_TOKEN 4096u /* room for a token whose size the application leaves to us, at first */

/* ISC_ and ASC_ share these two. */
#define REQ_ALLOCATE_MEMORY ISC_REQ_ALLOCATE_MEMORY
#define RET_ALLOCATED_MEMORY ISC_RET_ALLOCATED_MEMORY

/* ---- life ---- */

status_t context_create(struct ntlm_context *ntlm, LONG halves, struct context **out)
{
    struct context *context = calloc(1, sizeof(*context));
    if (!context) return SEC_E_INSUFFICIENT_MEMORY;
    InitializeSRWLock(&context->send);
    InitializeSRWLock(&context->receive);
    context->halves = halves;
    context->ntlm = *ntlm;
    secret_wipe(ntlm, sizeof(*ntlm));
    *out = context;
    return SEC_E_OK;
}

static void context_free(struct context *context)
{
    credential_release(context->credential);
    if (context->token) CloseHandle(context->token);
    ntlm_context_clear(&context->ntlm);
    secret_free(context, sizeof(*context));
}

static NTSTATUS context_delete(struct context *context, LONG half)
{
    if (half_delete(&context->halves, half)) context_free(context);
    return SEC_E_OK;
}

NTSTATUS NTAPI context_delete_lsa(LSA_SEC_HANDLE handle)
{
    return context_delete(context_get(handle), HALF_LSA);
}

NTSTATUS NTAPI context_delete_user(LSA_SEC_HANDLE handle)
{
    return context_delete(context_get(handle), HALF_USER);
}

NTSTATUS NTAPI context_init_user(LSA_SEC_HANDLE handle, SecBuffer *packed)
{
    half_add_user(&context_get(handle)->halves, packed);
    return SEC_E_OK;
}

void context_lock(struct context *context)
{
    AcquireSRWLockExclusive(&context->send);
    AcquireSRWLockExclusive(&context->receive);
}

void context_unlock(struct context *context)
{
    ReleaseSRWLockExclusive(&context->receive);
    ReleaseSRWLockExclusive(&context->send);
}

/* ---- what legs share ---- */

uint64_t leg_time(void)
{
    FILETIME now;
    GetSystemTimeAsFileTime(&now);
    return (uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime;
}

status_t leg_input(const struct leg *leg, struct slice *token)
{
    const SecBuffer *buffer = secbuf_find(leg->input, SECBUFFER_TOKEN);
    if (!buffer || !buffer->cbBuffer || !buffer->pvBuffer) return SEC_E_INVALID_TOKEN;
    *token = (struct slice){buffer->pvBuffer, buffer->cbBuffer};
    return SEC_E_OK;
}

/* One address in SEC_CHANNEL_BINDINGS: type, length, offset. */
static struct slice read_address(struct reader *r, uint32_t *type)
{
    *type = reader_u32le(r);
    uint32_t size = reader_u32le(r), offset = reader_u32le(r);
    return reader_window(r, offset, size);
}

/* Bindings that name nothing at all are the way to say that there are none. */
static bool is_empty(const struct ntlm_channel_bindings *bindings)
{
    return !bindings->initiator_type && !bindings->acceptor_type && !bindings->initiator.size &&
           !bindings->acceptor.size && !bindings->application_data.size;
}

/* The extended form has four more numbers before the addresses, and counts offsets from them. */
static void bindings_enter(struct reader *r)
{
    struct reader extended = *r;
    if (reader_u32le(&extended) != BINDINGS_EX_MAGIC) return;
    reader_skip(&extended, 12); /* flags, size of the header, size */
    *r = extended;
}

status_t leg_bindings(const struct leg *leg, struct bindings *out)
{
    const SecBuffer *buffer = secbuf_find(leg->input, SECBUFFER_CHANNEL_BINDINGS);
    *out = (struct bindings){0};
    if (!buffer || !buffer->cbBuffer) return SEC_E_OK;
    if (!buffer->pvBuffer || buffer->cbBuffer > BINDINGS_MAX) return SEC_E_INVALID_PARAMETER;

    struct reader r;
    struct ntlm_channel_bindings bindings;
    reader_init(&r, buffer->pvBuffer, buffer->cbBuffer);
    bindings_enter(&r);
    bindings.initiator = read_address(&r, &bindings.initiator_type);
    bindings.acceptor = read_address(&r, &bindings.acceptor_type);
    uint32_t size = reader_u32le(&r), offset = reader_u32le(&r);
    bindings.application_data = reader_window(&r, offset, size);
    if (!reader_ok(&r)) return SEC_E_INVALID_PARAMETER;
    if (is_empty(&bindings)) return SEC_E_OK;
    status_t status = ntlm_channel_binding_hash(&bindings, out->hash);
    out->given = status_ok(status);
    return status;
}

/* Where the token of a leg goes. It is written to a block of its own, because some programs give
 * the same memory for input and output, and one no larger than their buffer, so that a leg finds
 * out that it does not fit before it changes the context. */
struct output {
    SecBuffer *buffer; /* NULL when there is none */
    bool allocate;
    uint8_t *block;
};

static void output_discard(struct output *output, struct writer *token)
{
    if (!output->block) return;
    writer_free(token);
    if (output->allocate) package_free(output->block);
    else free(output->block);
    output->block = NULL;
}

/* The statuses for an unusable buffer are those that Wine's tests state of Windows. */
static status_t output_open(struct output *output, const SecBufferDesc *desc, ULONG requirements,
                            bool first_leg, struct writer *token)
{
    SecBuffer *buffer = secbuf_find(desc, SECBUFFER_TOKEN);
    bool allocate = requirements & REQ_ALLOCATE_MEMORY;
    if (!buffer || (!allocate && !buffer->cbBuffer))
        return first_leg ? SEC_E_BUFFER_TOO_SMALL : SEC_E_OUT_OF_SEQUENCE;
    if (!allocate && !buffer->pvBuffer)
        return first_leg ? SEC_E_INTERNAL_ERROR : SEC_E_OUT_OF_SEQUENCE;

    size_t size = allocate ? USUAL_TOKEN : buffer->cbBuffer;
    if (size > NTLM_MESSAGE_MAX) size = NTLM_MESSAGE_MAX;
    uint8_t *block = allocate ? package_alloc(size) : malloc(size);
    if (!block) return SEC_E_INSUFFICIENT_MEMORY;
    *output = (struct output){buffer, allocate, block};
    writer_init_fixed(token, block, size);
    return SEC_E_OK;
}

/* For a leg that did not fit, so that it changed nothing, and can be made again with all the room
 * that a token may take. The usual room is much cheaper to get. */
static status_t output_grow(struct output *output, struct writer *token)
{
    uint8_t *block = package_alloc(NTLM_MESSAGE_MAX);
    if (!block) return SEC_E_INSUFFICIENT_MEMORY;
    output_discard(output, token);
    output->block = block;
    writer_init_fixed(token, block, NTLM_MESSAGE_MAX);
    return SEC_E_OK;
}

/* An allocated token is the application's as it lies there: a smaller copy would cost it another
 * turn at the heap that all modules share. */
static void output_close(struct output *output, struct writer *token)
{
    struct slice made = writer_view(token);
    SecBuffer *buffer = output->buffer;
    buffer->cbBuffer = (ULONG)made.size;
    if (output->allocate) {
        buffer->pvBuffer = output->block;
        output->block = NULL;
        return;
    }
    memcpy(buffer->pvBuffer, made.data, made.size);
    output_discard(output, token);
}

/* A leg that sends nothing says so in whatever buffer there is. */
static void output_empty(const SecBufferDesc *desc, ULONG requirements)
{
    SecBuffer *buffer = secbuf_find(desc, SECBUFFER_TOKEN);
    if (!buffer) return;
    buffer->cbBuffer = 0;
    if (requirements & REQ_ALLOCATE_MEMORY) buffer->pvBuffer = NULL;
}

/* Where a host wants to be told of a leg; any of them may be NULL. */
struct report {
    LSA_SEC_HANDLE *handle;
    ULONG *attributes;
    TimeStamp *expiry;
    BOOLEAN *mapped;
    SecBuffer *data;
};

static void leg_report(const struct report *report, const struct context *context,
                       ULONG extra_attributes)
{
    if (report->handle) *report->handle = (LSA_SEC_HANDLE)context;
    if (report->attributes) *report->attributes = context->ntlm.attributes | extra_attributes;
    if (report->expiry) package_never(report->expiry);
    if (report->mapped) *report->mapped = TRUE;
    if (!report->data) return;
    report->data->cbBuffer = 0;
    report->data->pvBuffer = NULL;
}

/* The handshake is over: what only it needed goes. */
static void context_settle(struct context *context)
{
    if (context->ntlm.stage != NTLM_STAGE_ESTABLISHED) return;
    credential_release(context->credential);
    context->credential = NULL;
    context->bindings.given = false;
}

/* ---- the client's legs ---- */

static status_t initiate_next(struct leg *leg, struct credential *credential,
                              struct context *context)
{
    context_lock(context);
    status_t status = context->exported ? SEC_E_INVALID_HANDLE
                                        : client_finish(leg, credential, context);
    if (status_ok(status)) context_settle(context);
    context_unlock(context);
    return status;
}

static status_t initiate(struct leg *leg, struct credential *credential, struct context **context)
{
    return *context ? initiate_next(leg, credential, *context)
                    : client_start(leg, credential, context);
}

NTSTATUS NTAPI context_initiate(LSA_SEC_HANDLE credential_handle, LSA_SEC_HANDLE handle,
                                UNICODE_STRING *target, ULONG requirements, ULONG representation,
                                SecBufferDesc *input, LSA_SEC_HANDLE *new_handle,
                                SecBufferDesc *output_desc, ULONG *attributes, TimeStamp *expiry,
                                BOOLEAN *mapped, SecBuffer *data)
{
    (void)representation;
    const struct report report = {new_handle, attributes, expiry, mapped, data};
    struct credential *credential = (struct credential *)credential_handle;
    struct context *context = context_get(handle);
    struct leg leg = {.target = target, .requirements = requirements, .input = input};
    struct output output = {0};

    /* The first leg of a datagram client makes no token (MS-NLMP 3.1.5.2). */
    bool silent = !handle && requirements & ISC_REQ_DATAGRAM;
    status_t status = crypto_ready();
    if (status_ok(status) && !silent)
        status = output_open(&output, output_desc, requirements, !handle, &leg.token);
    if (status_ok(status)) status = initiate(&leg, credential, &context);
    if (status == SEC_E_BUFFER_TOO_SMALL && output.allocate) {
        status = output_grow(&output, &leg.token);
        if (status_ok(status)) status = initiate(&leg, credential, &context);
    }
    TRACE("client's %s leg, requirements %#lx: status %#lx\n", handle ? "second" : "first",
          requirements, (ULONG)status);
    if (!status_ok(status)) {
        output_discard(&output, &leg.token);
        return status;
    }
    if (silent) output_empty(output_desc, requirements);
    else output_close(&output, &leg.token);
    leg_report(&report, context, output.allocate ? RET_ALLOCATED_MEMORY : 0);
    return handle ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
}

/* ---- the server's legs ---- */

static status_t accept_first(struct leg *leg, const SecBufferDesc *output_desc,
                             struct credential *credential, const struct report *report)
{
    struct output output = {0};
    struct context *context = NULL;
    status_t status = output_open(&output, output_desc, leg->requirements, true, &leg->token);
    if (status_ok(status)) status = server_start(leg, credential, &context);
    TRACE("server's first leg, requirements %#lx: status %#lx\n", leg->requirements, (ULONG)status);
    if (!status_ok(status)) {
        output_discard(&output, &leg->token);
        return status;
    }
    output_close(&output, &leg->token);
    leg_report(report, context, output.allocate ? RET_ALLOCATED_MEMORY : 0);
    return SEC_I_CONTINUE_NEEDED;
}

static status_t accept_next(struct leg *leg, const SecBufferDesc *output_desc,
                            struct context *context, const struct report *report)
{
    context_lock(context);
    status_t status = context->exported ? SEC_E_INVALID_HANDLE : server_finish(leg, context);
    if (status_ok(status)) {
        context_settle(context);
        leg_report(report, context, 0);
    }
    context_unlock(context);
    TRACE("server's second leg: status %#lx\n", (ULONG)status);
    if (status_ok(status)) output_empty(output_desc, leg->requirements);
    return status;
}

NTSTATUS NTAPI context_accept(LSA_SEC_HANDLE credential_handle, LSA_SEC_HANDLE handle,
                              SecBufferDesc *input, ULONG requirements, ULONG representation,
                              LSA_SEC_HANDLE *new_handle, SecBufferDesc *output_desc,
                              ULONG *attributes, TimeStamp *expiry, BOOLEAN *mapped,
                              SecBuffer *data)
{
    (void)representation;
    const struct report report = {new_handle, attributes, expiry, mapped, data};
    struct leg leg = {.requirements = requirements, .input = input};
    status_t status = crypto_ready();
    if (!status_ok(status)) return status;
    if (handle) return accept_next(&leg, output_desc, context_get(handle), &report);
    return accept_first(&leg, output_desc, (struct credential *)credential_handle, &report);
}
