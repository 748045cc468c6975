/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tickets: those that the library has, and the structures of ntsecapi.h that tell programs of them.
 * Not known are which KDC gave a ticket, and when its key expires before it does.
 */
#include "logon.h"

#include "core/secret.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>

TRACE_CHANNEL("kerberos");

/* ---- asking the library ---- */

#define ROOM_FIRST 16384u

static status_t room_make(struct blob *out, size_t size)
{
    uint8_t *room = malloc(size);
    blob_clear(out);
    if (!room) return SEC_E_INSUFFICIENT_MEMORY;
    *out = (struct blob){room, size};
    return SEC_E_OK;
}

static void say(const char *what, status_t status, char why[CALL_WHY_SIZE])
{
    why[CALL_WHY_SIZE - 1] = 0;
    TRACE("%s: status %#lx%s%s\n", what, (ULONG)status, why[0] ? ": " : "", why);
}

/* The caches of others may grow in between: it is asked until there is enough room. */
status_t tickets_read(uint64_t library, struct blob *out, uint32_t *count)
{
    struct kerberos_call_tickets call = {.credential = library, .size = ROOM_FIRST};
    status_t status = SEC_E_BUFFER_TOO_SMALL;
    *out = (struct blob){NULL, 0};
    for (int tries = 0; status == SEC_E_BUFFER_TOO_SMALL && tries < 8; tries++) {
        status = room_make(out, (size_t)call.size);
        if (!status_ok(status)) break;
        call.output = unixcall_address(out->data);
        call.room = out->size;
        status = library_call(KERBEROS_CALL_TICKETS, &call);
    }
    say("tickets", status, call.why);
    if (status_ok(status)) out->size = (size_t)call.size;
    else blob_clear(out);
    *count = call.count;
    return status;
}

status_t ticket_get(uint64_t library, struct slice target, uint32_t flags, uint32_t enctype,
                    struct blob *out)
{
    struct kerberos_call_ticket_retrieve call = {.credential = library,
                                                 .target = unixcall_slice(target),
                                                 .size = ROOM_FIRST,
                                                 .flags = flags,
                                                 .enctype = enctype};
    status_t status = SEC_E_BUFFER_TOO_SMALL;
    *out = (struct blob){NULL, 0};
    for (int tries = 0; status == SEC_E_BUFFER_TOO_SMALL && tries < 8; tries++) {
        status = room_make(out, (size_t)call.size);
        if (!status_ok(status)) break;
        call.output = unixcall_address(out->data);
        call.room = out->size;
        status = library_call(KERBEROS_CALL_TICKET_RETRIEVE, &call);
    }
    say("ticket", status, call.why);
    if (status_ok(status)) out->size = (size_t)call.size;
    else blob_clear(out);
    return status;
}

/* ---- parts of answers ---- */

/* What texts of so many bytes of UTF-8 take at the most, as UTF-16. */
static size_t text_room(size_t bytes, size_t texts)
{
    return 2 * bytes + texts * image_part(1);
}

/* What is no UTF-8 is shown as such. */
static void add_text(struct image *image, UNICODE_STRING *out, struct slice text)
{
    wchar_t *room = (wchar_t *)(image->bytes + image->used);
    int length = text.size ? MultiByteToWideChar(CP_UTF8, 0, (const char *)text.data,
                                                 (int)text.size, room, (int)text.size)
                           : 0;
    size_t size = min((size_t)length * sizeof(wchar_t), (size_t)UNICODE_STRING_MAX_BYTES);
    image_add_text(image, out, (struct slice){NULL, size});
}

/* A whole name; the writer is the caller's, to be used again. */
static void add_name(struct image *image, UNICODE_STRING *out, const struct kerberos_name *name,
                     struct writer *w)
{
    size_t start = w->size;
    kerberos_name_text(w, name);
    struct slice text = writer_view(w);
    if (text.size) text = slice_rest(text, start);
    add_text(image, out, text);
}

static LARGE_INTEGER time_give(uint64_t seconds)
{
    return (LARGE_INTEGER){.QuadPart = (LONGLONG)time_from_unix(seconds)};
}

/* Only what was used of the block goes out. */
static NTSTATUS image_finish(struct image *image, void **out, ULONG *size)
{
    image->size = image->used;
    return image_send(image, out, size);
}

/* ---- lists ---- */

/* The forms but for the first begin alike. */
static void fill_ex(struct image *image, KERB_TICKET_CACHE_INFO_EX *out,
                    const struct kerberos_ticket *ticket, struct writer *w)
{
    add_name(image, &out->ClientName, &ticket->client, w);
    add_text(image, &out->ClientRealm, ticket->client.realm);
    add_name(image, &out->ServerName, &ticket->server, w);
    add_text(image, &out->ServerRealm, ticket->server.realm);
    out->StartTime = time_give(ticket->start);
    out->EndTime = time_give(ticket->end);
    out->RenewTime = time_give(ticket->renew_until);
    out->EncryptionType = (LONG)ticket->enctype;
    out->TicketFlags = ticket->flags;
}

static void fill_first(struct image *image, KERB_TICKET_CACHE_INFO *out,
                       const struct kerberos_ticket *ticket, struct writer *w)
{
    add_name(image, &out->ServerName, &ticket->server, w);
    add_text(image, &out->RealmName, ticket->server.realm);
    out->StartTime = time_give(ticket->start);
    out->EndTime = time_give(ticket->end);
    out->RenewTime = time_give(ticket->renew_until);
    out->EncryptionType = (LONG)ticket->enctype;
    out->TicketFlags = ticket->flags;
}

static void fill(struct image *image, ULONG kind, void *item, const struct kerberos_ticket *ticket,
                 struct writer *w)
{
    if (kind == KerbQueryTicketCacheMessage) {
        fill_first(image, item, ticket, w);
        return;
    }
    fill_ex(image, item, ticket, w);
    if (kind == KerbQueryTicketCacheEx2Message)
        ((KERB_TICKET_CACHE_INFO_EX2 *)item)->SessionKeyType = ticket->key_enctype;
    if (kind == KerbQueryTicketCacheEx3Message)
        ((KERB_TICKET_CACHE_INFO_EX3 *)item)->SessionKeyType = ticket->key_enctype;
}

static size_t item_size(ULONG kind)
{
    switch (kind) {
    case KerbQueryTicketCacheMessage: return sizeof(KERB_TICKET_CACHE_INFO);
    case KerbQueryTicketCacheExMessage: return sizeof(KERB_TICKET_CACHE_INFO_EX);
    case KerbQueryTicketCacheEx2Message: return sizeof(KERB_TICKET_CACHE_INFO_EX2);
    default: return sizeof(KERB_TICKET_CACHE_INFO_EX3);
    }
}

NTSTATUS answer_tickets(PLSA_CLIENT_REQUEST request, ULONG kind, const struct blob *records,
                        uint32_t count, void **out, ULONG *size)
{
    const size_t first = offsetof(KERB_QUERY_TKT_CACHE_RESPONSE, Tickets);
    struct kerberos_ticket ticket;
    struct image image;
    struct reader r;
    struct writer names;
    uint32_t done = 0;
    reader_init(&r, records->data, records->size);
    writer_init(&names);
    NTSTATUS status = image_open(&image, request, first + count * item_size(kind),
                                 text_room(records->size, 4 * (size_t)count));
    if (status < 0) return status;
    KERB_QUERY_TKT_CACHE_RESPONSE *answer = (KERB_QUERY_TKT_CACHE_RESPONSE *)image.bytes;
    for (; done < count && kerberos_ticket_read(&r, &ticket); done++)
        fill(&image, kind, image.bytes + first + done * item_size(kind), &ticket, &names);
    answer->MessageType = (KERB_PROTOCOL_MESSAGE_TYPE)kind;
    answer->CountOfTickets = count;
    status_t named = writer_status(&names);
    if (status_ok(named) && (done != count || !reader_end(&r))) named = SEC_E_INTERNAL_ERROR;
    writer_free(&names);
    if (status_ok(named)) return image_finish(&image, out, size);
    image_discard(&image);
    return protocol_status(named);
}

/* ---- one ticket ---- */

static size_t name_room(const struct kerberos_name *name)
{
    return image_part(sizeof(KERB_EXTERNAL_NAME) + name->count * sizeof(UNICODE_STRING)) +
           text_room(name->parts.size, name->count) + text_room(name->realm.size, 1);
}

static PKERB_EXTERNAL_NAME add_external_name(struct image *image, const struct kerberos_name *name)
{
    size_t size = offsetof(KERB_EXTERNAL_NAME, Names) + name->count * sizeof(UNICODE_STRING);
    PKERB_EXTERNAL_NAME client = image_add(image, NULL, size);
    PKERB_EXTERNAL_NAME here = image_room(image, client);
    struct reader parts;
    struct slice part;
    here->NameType = (SHORT)name->type;
    here->NameCount = (USHORT)name->count;
    reader_init(&parts, name->parts.data, name->parts.size);
    for (uint32_t i = 0; i < name->count && kerberos_name_next(&parts, &part); i++)
        add_text(image, &here->Names[i], part);
    return client;
}

/* The realm that is the instance of a ticket-granting service; for other services their own. */
static struct slice target_realm(const struct kerberos_ticket *ticket)
{
    static const char granting[] = "krbtgt";
    struct reader parts;
    struct slice first, second;
    reader_init(&parts, ticket->server.parts.data, ticket->server.parts.size);
    bool two = kerberos_name_next(&parts, &first) && kerberos_name_next(&parts, &second);
    bool grants = two && first.size == strlen(granting) &&
                  !memcmp(first.data, granting, first.size);
    return grants ? second : ticket->server.realm;
}

static void fill_ticket(struct image *image, KERB_EXTERNAL_TICKET *out,
                        const struct kerberos_ticket *ticket, struct slice encoded)
{
    out->ServiceName = add_external_name(image, &ticket->server);
    out->TargetName = add_external_name(image, &ticket->server);
    out->ClientName = add_external_name(image, &ticket->client);
    add_text(image, &out->DomainName, ticket->server.realm);
    add_text(image, &out->TargetDomainName, target_realm(ticket));
    add_text(image, &out->AltTargetDomainName, target_realm(ticket));
    out->SessionKey.KeyType = (LONG)ticket->key_enctype;
    out->SessionKey.Length = (ULONG)ticket->key.size;
    out->SessionKey.Value = image_add(image, ticket->key.data, ticket->key.size);
    out->TicketFlags = ticket->flags;
    out->StartTime = time_give(ticket->start);
    out->EndTime = time_give(ticket->end);
    out->RenewUntil = time_give(ticket->renew_until);
    out->EncodedTicketSize = (ULONG)encoded.size;
    out->EncodedTicket = image_add(image, encoded.data, encoded.size);
}

NTSTATUS answer_ticket(PLSA_CLIENT_REQUEST request, const struct kerberos_ticket *ticket,
                       bool as_cred, void **out, ULONG *size)
{
    struct image image;
    struct writer cred;
    writer_init(&cred);
    if (as_cred) kerberos_cred_write(&cred, ticket);
    struct slice encoded = as_cred ? writer_view(&cred) : ticket->encoded;
    status_t written = writer_status(&cred);
    size_t parts = 2 * name_room(&ticket->server) + name_room(&ticket->client) +
                   text_room(ticket->server.realm.size + 2 * target_realm(ticket).size, 3) +
                   image_part(ticket->key.size) + image_part(encoded.size);
    NTSTATUS status = status_ok(written)
                          ? image_open(&image, request, sizeof(KERB_RETRIEVE_TKT_RESPONSE), parts)
                          : protocol_status(written);
    if (status >= 0) {
        fill_ticket(&image, &((KERB_RETRIEVE_TKT_RESPONSE *)image.bytes)->Ticket, ticket, encoded);
        status = image_finish(&image, out, size);
    }
    writer_free(&cred);
    return status;
}
