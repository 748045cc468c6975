/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading and giving identities; see opaque.h. */
#include "opaque.h"

#include "core/secret.h"
#include "ssp/authdata.h"
#include "ssp/token.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("sspi");

/* ---- reading ---- */

/* UTF-16 is borrowed as it is; ANSI text becomes at most as many characters as it has bytes. */
static status_t text_read(const struct authdata *data, struct slice text, struct writer *room,
                          struct slice *out)
{
    *out = text;
    if (!data->ansi || !text.data) return SEC_E_OK;
    size_t start = writer_reserve(room, text.size * sizeof(WCHAR));
    if (!status_ok(writer_status(room))) return SEC_E_INVALID_TOKEN;
    WCHAR *wide = (WCHAR *)(room->data + start);
    int length = 0;
    if (text.size)
        length = MultiByteToWideChar(CP_ACP, 0, (const char *)text.data, (int)text.size, wide,
                                     (int)text.size);
    if (text.size && length <= 0) return SEC_E_INVALID_TOKEN;
    *out = (struct slice){room->data + start, (size_t)length * sizeof(WCHAR)};
    return SEC_E_OK;
}

static status_t parts_read(const struct authdata *data, struct writer *room,
                           struct identity_parts *out)
{
    struct identity_parts parts = {.packed = data->packed};
    struct slice password;
    parts.flags = (data->flags & ~(ULONG)SEC_WINNT_AUTH_IDENTITY_ANSI) | IDENTITY_UNICODE |
                  IDENTITY_MARSHALLED;
    status_t status = text_read(data, data->user, room, &parts.user);
    if (status_ok(status)) status = text_read(data, data->domain, room, &parts.domain);
    if (status_ok(status)) status = text_read(data, data->package_list, room, &parts.package_list);
    if (status_ok(status)) status = text_read(data, data->password, room, &password);
    if (status_ok(status) && password.data) {
        size_t start = room->size;
        identity_password_write(password, room);
        if (!status_ok(writer_status(room))) return SEC_E_INVALID_TOKEN;
        parts.packed = slice_rest(writer_view(room), start);
    }
    if (status_ok(status)) *out = parts;
    return status;
}

/* Forms other than EX2 cannot be encrypted, see ssp/authdata.h. */
static bool is_readable(const struct authdata *data)
{
    return !(data->flags & IDENTITY_ENCRYPTED) || data->packed.data;
}

status_t opaque_read(const void *identity, struct opaque *out)
{
    struct authdata data;
    struct opaque opaque = {.room = NULL};
    struct writer room;
    if (!status_ok(authdata_read(identity, &data)) || !is_readable(&data))
        return SEC_E_INVALID_TOKEN;
    opaque.room_size = IDENTITY_PASSWORD_OVERHEAD +
                       sizeof(WCHAR) * (data.user.size + data.domain.size + data.package_list.size +
                                        2 * data.password.size);
    opaque.room = malloc(opaque.room_size);
    if (!opaque.room) return SEC_E_INSUFFICIENT_MEMORY;
    writer_init_fixed(&room, opaque.room, opaque.room_size);
    writer_init(&opaque.opened);
    status_t status = parts_read(&data, &room, &opaque.parts);
    if (status_ok(status)) *out = opaque;
    else opaque_clear(&opaque);
    return status;
}

void opaque_clear(struct opaque *opaque)
{
    secret_free(opaque->room, opaque->room_size);
    writer_free(&opaque->opened);
    *opaque = (struct opaque){.room = NULL};
}

/* ---- secrets ---- */

static bool is_system(void)
{
    union {
        TOKEN_USER user;
        BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } info;
    return process_token_info(TokenUser, &info, sizeof(info)) &&
           IsWellKnownSid(info.user.User.Sid, WinLocalSystemSid);
}

status_t opaque_opening_key(ULONG flags, struct identity_key *out)
{
    if (flags & SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_ENCRYPTED && !is_system()) {
        WARN("the identity is encrypted for the system, which this process is not\n");
        return SEC_E_NOT_OWNER;
    }
    return authdata_key(flags, out);
}

status_t opaque_open(struct opaque *opaque)
{
    struct identity_key key;
    struct identity_parts *parts = &opaque->parts;
    if (!(parts->flags & IDENTITY_ENCRYPTED)) return SEC_E_OK;
    status_t status = opaque_opening_key(parts->flags, &key);
    if (!status_ok(status)) return status;
    status = identity_open(parts, &key, &opaque->opened);
    secret_wipe(&key, sizeof(key));
    if (!status_ok(status)) return status;
    parts->flags &= ~IDENTITY_ENCRYPTED;
    parts->packed = opaque->opened.size ? writer_view(&opaque->opened) : (struct slice){NULL, 0};
    return SEC_E_OK;
}

status_t opaque_password(const struct opaque *opaque, struct slice *password)
{
    *password = (struct slice){NULL, 0};
    if (!opaque->parts.packed.size) return SEC_E_OK;
    if (identity_password_read(opaque->parts.packed, password)) return SEC_E_OK;
    WARN("the identity holds no password, but credentials of another type\n");
    return SEC_E_UNSUPPORTED_FUNCTION;
}

/* ---- giving ---- */

status_t opaque_give(const struct identity_parts *parts, PSEC_WINNT_AUTH_IDENTITY_OPAQUE *out)
{
    size_t room = identity_room(parts);
    struct writer w;
    BYTE *block = HeapAlloc(GetProcessHeap(), 0, room);
    if (!block) return SEC_E_INSUFFICIENT_MEMORY;
    writer_init_fixed(&w, block, room);
    status_t status = identity_encode(parts, room, &w);
    if (status_ok(status)) *out = block;
    else HeapFree(GetProcessHeap(), 0, block);
    return status;
}

struct slice opaque_text(const WCHAR *text)
{
    if (!text) return (struct slice){NULL, 0};
    return (struct slice){(const uint8_t *)text, wcslen(text) * sizeof(WCHAR)};
}

status_t opaque_give_text(struct slice text, WCHAR **out)
{
    WCHAR *copy = NULL;
    if (text.data) {
        copy = HeapAlloc(GetProcessHeap(), 0, text.size + sizeof(WCHAR));
        if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
        memcpy(copy, text.data, text.size);
        copy[text.size / sizeof(WCHAR)] = 0;
    }
    *out = copy;
    return SEC_E_OK;
}

status_t opaque_give_bytes(struct slice bytes, void **out)
{
    void *copy = NULL;
    if (bytes.data) {
        copy = HeapAlloc(GetProcessHeap(), 0, bytes.size ? bytes.size : 1);
        if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
        memcpy(copy, bytes.data, bytes.size);
    }
    *out = copy;
    return SEC_E_OK;
}

void opaque_release(void *block)
{
    if (!block) return;
    SIZE_T size = HeapSize(GetProcessHeap(), 0, block);
    if (size == (SIZE_T)-1) {
        WARN("%p was not given by these functions\n", block);
        return;
    }
    secret_wipe(block, size);
    HeapFree(GetProcessHeap(), 0, block);
}
