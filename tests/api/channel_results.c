/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a server is told of its client's channel bindings: SECBUFFER_CHANNEL_BINDINGS_RESULT, and
 * bindings that are there for an audit only. [D epa-support-in-service], [D
 * ns-ntifs-sec_channel_bindings_result]. Without arguments of NTLM and Negotiate; with those of
 * kerberos.sh, "PACKAGE TARGET aware" or "... unaware", of a client of Kerberos that says whether
 * it knows of channel bindings, or does not.
 */
#include "loopback.h"

#define LSA L"SYSTEM\\CurrentControlSet\\Control\\Lsa"

#define RESULT_BUFFER 30 /* SECBUFFER_CHANNEL_BINDINGS_RESULT; with what follows not in MinGW */
#define SUPPORT 0x1
#define ABSENT 0x2
#define MISMATCH 0x4
#define MISSING 0x8
#define MATCHED 0x10
#define PROXY 0x20
#define ALLOWED 0x40

#define ASC_PROXY 0x04000000
#define ASC_ALLOW 0x10000000

struct bindings_ex {
    ULONG magic, flags, header_size, size;
    SEC_CHANNEL_BINDINGS head;
    char data[32];
};

static struct loopback loop;
static struct account account;
static bool aware = true; /* the client says so when it has no channel */
static wchar_t package[32] = L"NTLM", target[128];

/* ---- legs ---- */

/* The extended form, which counts offsets from its own start. */
static SecBuffer audit_fill(struct bindings_ex *ex, const char *text)
{
    *ex = (struct bindings_ex){.magic = 0x58454243,
                               .flags = 1,
                               .header_size = offsetof(struct bindings_ex, data),
                               .size = sizeof(*ex)};
    ex->head.cbApplicationDataLength = (ULONG)strlen(text);
    ex->head.dwApplicationDataOffset = offsetof(struct bindings_ex, data);
    memcpy(ex->data, text, strlen(text));
    return (SecBuffer){sizeof(*ex), SECBUFFER_CHANNEL_BINDINGS, ex};
}

static SECURITY_STATUS client_leg(const char *channel)
{
    struct bindings bindings;
    BYTE made[16384];
    bool first = !context_present(&loop.client);
    SecBuffer in[2] = {{loop.token_size, SECBUFFER_TOKEN, loop.token}};
    SecBuffer out = {sizeof(made), SECBUFFER_TOKEN, made};
    if (channel) in[1] = bindings_fill(&bindings, channel);
    SecBufferDesc in_desc = {SECBUFFER_VERSION, channel ? 2 : 1, in};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status = InitializeSecurityContextW(
        &loop.client_cred, first ? NULL : &loop.client, *target ? target : NULL, loop.client_flags,
        0, SECURITY_NATIVE_DREP, &in_desc, 0, &loop.client, &out_desc, &loop.client_attrs, NULL);
    loop.token_size = status < 0 ? 0 : out.cbBuffer;
    memcpy(loop.token, made, loop.token_size);
    return status;
}

static SECURITY_STATUS server_leg(SecBuffer *channel, ULONG more_flags, ULONG *result)
{
    BYTE made[16384];
    bool first = !context_present(&loop.server);
    SecBuffer in[2] = {{loop.token_size, SECBUFFER_TOKEN, loop.token}};
    SecBuffer out[2] = {{sizeof(made), SECBUFFER_TOKEN, made},
                        {sizeof(*result), RESULT_BUFFER, result}};
    if (channel) in[1] = *channel;
    SecBufferDesc in_desc = {SECBUFFER_VERSION, channel ? 2 : 1, in};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 2, out};
    SECURITY_STATUS status = AcceptSecurityContext(
        &loop.server_cred, first ? NULL : &loop.server, &in_desc, loop.server_flags | more_flags,
        SECURITY_NATIVE_DREP, &loop.server, &out_desc, &loop.server_attrs, NULL);
    loop.token_size = status < 0 ? 0 : out[0].cbBuffer;
    memcpy(loop.token, made, loop.token_size);
    return status;
}

static bool server_move(void)
{
    struct blob blob;
    if (context_export(&loop.server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL)) return false;
    context_forget(&loop.server);
    return !context_import(package, blob.bytes, blob.size, &loop.server);
}

struct row {
    const char *what;
    const char *client, *server;
    bool audit;
    ULONG flags;
    ULONG result; /* for a client without bindings: if it says so */
};

/* The server's bindings come with its first leg alone, and stay with it when it moves. */
static SECURITY_STATUS connect_row(const struct row *row, bool moved, ULONG *result)
{
    struct bindings plain;
    struct bindings_ex extended;
    SecBuffer channel;
    SECURITY_STATUS status = loopback_open(&loop, package, account.user[0] ? &account : NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return status;
    if (row->server)
        channel = row->audit ? audit_fill(&extended, row->server)
                             : bindings_fill(&plain, row->server);
    bool first = true;
    *result = 0xfafafafa;
    for (int round = 0; round < 4; round++) {
        status = client_leg(row->client);
        if (status < 0 || !loop.token_size) break;
        status = server_leg(first && row->server ? &channel : NULL, row->flags, result);
        if (status != SEC_I_CONTINUE_NEEDED) break;
        if (first && moved) ok(server_move(), "%s: not moved", row->what);
        first = false;
    }
    loopback_close(&loop);
    return status;
}

/* ---- cases ---- */

static const struct row rows[] = {
    {"the same", "one", "one", false, 0, SUPPORT | MATCHED},
    {"the same, audited", "one", "one", true, 0, SUPPORT | MATCHED},
    {"another", "one", "two", false, 0, SUPPORT | MISMATCH},
    {"another, audited", "one", "two", true, 0, SUPPORT | MISMATCH},
    {"another, allowed", "one", "two", false, ASC_ALLOW, SUPPORT | MISMATCH},
    {"none", NULL, "two", false, 0, SUPPORT | ABSENT | MISSING},
    {"none, audited", NULL, "two", true, 0, SUPPORT | ABSENT | MISSING},
    {"none, allowed", NULL, "two", false, ASC_ALLOW, SUPPORT | ABSENT | MISSING},
    {"none, allowed, audited", NULL, "two", true, ASC_ALLOW, SUPPORT | ABSENT | MISSING},
    {"proxy", "one", NULL, false, ASC_PROXY, SUPPORT | PROXY},
    {"proxy, another", "one", "two", false, ASC_PROXY, SUPPORT | PROXY},
    {"proxy, none", NULL, NULL, false, ASC_PROXY, SUPPORT | ABSENT | MISSING},
    {"proxy, none, own", NULL, "two", false, ASC_PROXY, SUPPORT | ABSENT | MISSING},
    {"proxy, none, audited", NULL, "", true, ASC_PROXY, SUPPORT | ABSENT | MISSING},
    {"proxy, none, allowed", NULL, NULL, false, ASC_PROXY | ASC_ALLOW, SUPPORT | ABSENT | MISSING},
    {"no channel here", "one", NULL, false, 0,
     0}, /* ours: of what is not compared nothing is told */
};

static ULONG expected_result(const struct row *row)
{
    if (row->client || aware || !row->result) return row->result;
    return ABSENT | (row->flags & ASC_ALLOW ? ALLOWED : MISSING);
}

static bool looks = true; /* the server, by its policy */

static void run_rows(bool moved)
{
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        ULONG result, expected = expected_result(&rows[i]);
        SECURITY_STATUS status = connect_row(&rows[i], moved, &result);
        bool passes = !looks || rows[i].audit || !(expected & (MISMATCH | MISSING));
        ok(status == (passes ? SEC_E_OK : SEC_E_BAD_BINDINGS), "%ls: %s: %08lx", package,
           rows[i].what, status);
        ok(result == expected, "%ls: %s: result %02lx", package, rows[i].what, result);
    }
}

static void test_results(void)
{
    run_rows(false);
}

static void test_results_negotiate(void)
{
    lstrcpyW(package, L"Negotiate");
    run_rows(false);
    lstrcpyW(package, L"NTLM");
}

/* ours: half-open contexts move */
static void test_results_moved(void)
{
    if (!ours_only()) return;
    run_rows(true);
}

/* [OS MS-NLMP 3.1.5.1.2], value of KB976918: clients that say nothing of a channel. The rows with
 * one are then like those without. */
static void test_unaware(void)
{
    static struct saved_value value;
    const DWORD suppress = 1;
    if (!ours_only() || !ok(value_save(&value, LSA, L"SuppressExtendedProtection"), "registry"))
        return;
    value_set(&value, REG_DWORD, &suppress, sizeof(suppress));
    second_pass();
    aware = false;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct row row = rows[i];
        ULONG result;
        row.client = NULL;
        SECURITY_STATUS status = connect_row(&row, false, &result);
        bool passes = row.audit || row.flags & ASC_ALLOW || !row.result;
        ok(status == (passes ? SEC_E_OK : SEC_E_BAD_BINDINGS), "%s: %08lx", row.what, status);
        ok(result == expected_result(&row), "%s: result %02lx", row.what, result);
    }
    aware = true;
    value_restore(&value);
    second_pass();
}

/* ours: HKLM\SOFTWARE\winesspi\PACKAGE ChannelBindings; a server that refuses nobody is told of all
 */
static void test_not_looked_at(void)
{
    static struct saved_value value;
    static wchar_t key[64] = L"SOFTWARE\\winesspi\\";
    const DWORD off = 0;
    if (!ours_only()) return;
    lstrcatW(key, package);
    if (!ok(value_save(&value, key, L"ChannelBindings"), "the registry cannot be read")) return;
    value_set(&value, REG_DWORD, &off, sizeof(off));
    second_pass();
    looks = false;
    run_rows(false);
    looks = true;
    value_restore(&value);
    second_pass();
}

int main(int argc, char **argv)
{
    if (argc > 3) {
        MultiByteToWideChar(CP_ACP, 0, argv[1], -1, package, 32);
        MultiByteToWideChar(CP_ACP, 0, argv[2], -1, target, 128);
        aware = !strcmp(argv[3], "aware");
        RUN(test_results);
        RUN(test_not_looked_at);
        return test_end("api_channel_results");
    }
    if (!account_create(&account)) {
        skip_case("accounts of our server");
        return test_end("api_channel_results");
    }
    RUN(test_results);
    RUN(test_results_negotiate);
    RUN(test_results_moved);
    RUN(test_unaware);
    RUN(test_not_looked_at);
    account_remove(&account);
    return test_end("api_channel_results");
}
