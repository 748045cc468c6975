/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the two halves of ssp_example share; see ssp_example.c. */
#pragma once

#ifndef SECURITY_WIN32
#define SECURITY_WIN32
#endif
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>

#include <bcrypt.h>
#include <ntsecapi.h>
#include <security.h>
#include <ntsecpkg.h>

#include <stdbool.h>

enum { NUMBER = 32, MAC = 32, SIGNATURE = 16, USER = 32, SECRET = 64 };
enum { TOKEN_1 = 4 + USER * sizeof(WCHAR) + NUMBER + MAC, TOKEN_2 = 4 + NUMBER + MAC };
enum { SESSION_VERSION = 1, SESSION_SIZE = 2 + 8 + 8 + MAC + USER * sizeof(WCHAR) };

struct session {
    bool server, moved; /* a context that was exported with DELETE_OLD is over */
    ULONGLONG sent, received;
    BYTE key[MAC];
    WCHAR user[USER]; /* terminated */
};

/* To be called while a half is initialised: before that nothing may be used. */
NTSTATUS crypto_start(void);

struct part {
    const void *data;
    ULONG size;
};

/* HMAC-SHA256 of the parts, one behind the other. */
NTSTATUS mac_make(struct part key, const struct part *parts, int count, BYTE mac[MAC]);

/* In a time that does not tell how much of it is right. */
bool mac_equal(const BYTE *one, const BYTE *other, int size);

/* The first buffer of that type, or NULL. */
SecBuffer *buffer_find(PSecBufferDesc buffers, ULONG type);

/* Into SESSION_SIZE bytes, in a form that processes of either width read. */
void session_write(const struct session *session, BYTE *out);

NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, PULONG package_version,
                                   PSECPKG_FUNCTION_TABLE *tables, PULONG count);
NTSTATUS NTAPI SpUserModeInitialize(ULONG version, PULONG package_version,
                                    PSECPKG_USER_FUNCTION_TABLE *tables, PULONG count);
