/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keys of encrypted identities, see authdata.h. They are derived from the prefix's secret, which
 * every process of the prefix can get: encryption keeps an identity from who reads memory, a file
 * or a pipe, and from use where it was not meant for. It does not keep it from a program of the
 * prefix that goes to the length of deriving another one's key.
 */
#include "core/secret.h"
#include "ssp/authdata.h"
#include "ssp/foreign.h"
#include "ssp/prefix.h"
#include "ssp/token.h"

/* The process by its number and its start, since numbers are used again. */
static void process_write(struct writer *out)
{
    FILETIME start, other;
    writer_u32le(out, GetCurrentProcessId());
    if (!GetProcessTimes(GetCurrentProcess(), &start, &other, &other, &other)) writer_fail(out);
    writer_u32le(out, start.dwLowDateTime);
    writer_u32le(out, start.dwHighDateTime);
}

/* The token of whom the thread acts for. A thread whose token cannot be opened acts for nobody, and
 * not for the process; a foreign client's names the process's session and is not of it. */
static HANDLE session_token_open(void)
{
    bool impersonating;
    HANDLE token = caller_token_open(TOKEN_QUERY, &impersonating);
    if (!token || !impersonating || !foreign_token_is(token)) return token;
    CloseHandle(token);
    return NULL;
}

static void session_write(struct writer *out)
{
    TOKEN_STATISTICS statistics = {0};
    DWORD size;
    HANDLE token = session_token_open();
    if (!token) {
        writer_fail(out);
        return;
    }
    if (!GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics), &size))
        writer_fail(out);
    CloseHandle(token);
    writer_u32le(out, statistics.AuthenticationId.LowPart);
    writer_u32le(out, (ULONG)statistics.AuthenticationId.HighPart);
}

static status_t key_derive(uint32_t mode, struct slice bound_to, struct identity_key *out)
{
    static const char label[] = "winesspi encrypted identities";
    const struct slice parts[] = {{(const uint8_t *)label, sizeof(label) - 1}, bound_to};
    struct prefix_secret secret;
    struct identity_key key = {.mode = mode};
    status_t status = prefix_secret_get(&secret);
    if (!status_ok(status)) return status;
    status = hmac_sha256((struct slice){secret.key, sizeof(secret.key)}, parts, 2, key.bytes);
    if (status_ok(status)) *out = key;
    secret_wipe(&key, sizeof(key));
    secret_wipe(&secret, sizeof(secret));
    return status;
}

status_t authdata_key(ULONG flags, struct identity_key *out)
{
    uint8_t room[64];
    struct writer bound_to;
    uint32_t mode = flags & IDENTITY_ENCRYPTED;
    if (!mode || mode & SEC_WINNT_AUTH_IDENTITY_FLAGS_USER_PROTECTED)
        return SEC_E_UNSUPPORTED_FUNCTION;
    writer_init_fixed(&bound_to, room, sizeof(room));
    writer_u32le(&bound_to, mode);
    if (mode & SEC_WINNT_AUTH_IDENTITY_FLAGS_PROCESS_ENCRYPTED) process_write(&bound_to);
    if (mode & SEC_WINNT_AUTH_IDENTITY_FLAGS_SYSTEM_PROTECTED) session_write(&bound_to);
    if (!status_ok(writer_status(&bound_to))) return SEC_E_INTERNAL_ERROR;
    return key_derive(mode, writer_view(&bound_to), out);
}
