/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of MSV1_0 share: buffers whose texts follow the structure, an account for the user
 * who runs the test, and NTLMv2 by the portable library, so that the test is the other side.
 */
#pragma once

#include "ssp/msv1_0.h"

#include "core/reader.h"

#include "support.h"

#define PACKAGE_MSV "MICROSOFT_AUTHENTICATION_PACKAGE_V1_0"

/* A structure of up to 128 bytes, and what its pointers point to. */
struct buffer {
    union {
        MSV1_0_INTERACTIVE_LOGON interactive;
        MSV1_0_LM20_LOGON network;
        MSV1_0_CHANGEPASSWORD_REQUEST change;
        MSV1_0_PASSTHROUGH_REQUEST pass;
        ULONG words[32];
        BYTE bytes[128];
    };
    BYTE room[512];
    ULONG used;
};

static inline ULONG buffer_size(const struct buffer *buffer)
{
    return offsetof(struct buffer, room) + buffer->used;
}

static inline void *buffer_add(struct buffer *buffer, const void *bytes, size_t size)
{
    void *at = buffer->room + buffer->used;
    memcpy(at, bytes, size);
    buffer->used += (ULONG)(size + 1) & ~1u;
    return at;
}

static inline void buffer_text(struct buffer *buffer, UNICODE_STRING *out, const wchar_t *text)
{
    out->Length = out->MaximumLength = (USHORT)(lstrlenW(text) * sizeof(wchar_t));
    out->Buffer = buffer_add(buffer, text, out->Length);
}

static inline void buffer_bytes(struct buffer *buffer, STRING *out, const void *bytes, size_t size)
{
    out->Length = out->MaximumLength = (USHORT)size;
    out->Buffer = buffer_add(buffer, bytes, size);
}

static inline struct slice text_bytes(const wchar_t *text)
{
    return (struct slice){(const uint8_t *)text, lstrlenW(text) * sizeof(*text)};
}

static inline bool string_is(const UNICODE_STRING *string, const wchar_t *text)
{
    return string->Length == lstrlenW(text) * sizeof(*text) &&
           CompareStringOrdinal(string->Buffer, string->Length / 2, text, -1, TRUE) == CSTR_EQUAL;
}

/* Writes the hash of a password to an account of our server's; NULL removes it. */
bool account_write(const wchar_t *domain, const wchar_t *user, const wchar_t *password);

/* NTOWFv2; the user is in upper case already. */
void v2_hash(const wchar_t *upper, const wchar_t *domain, const wchar_t *password,
             uint8_t hash[16]);
