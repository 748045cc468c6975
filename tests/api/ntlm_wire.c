/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Package NTLM against somebody between its two ends: what of the messages can be changed, what
 * channel bindings are worth in each of their forms, and how often a challenge can be answered,
 * whatever copies of the waiting server there are. Sources in brackets, as in api_packages.
 */
#include "loopback.h"

/* Where the flags are (MS-NLMP 2.2.1) and what they are called (2.2.2.5). */
#define NEGOTIATE_FLAGS 12
#define CHALLENGE_FLAGS 20
#define AUTHENTICATE_FLAGS 60
#define FLAG_UNICODE 0x1u
#define FLAG_SIGN 0x10u
#define FLAG_SEAL 0x20u
#define FLAG_ESS 0x80000u
#define FLAG_VERSION 0x2000000u
#define FLAG_128 0x20000000u
#define FLAG_KEY_EXCH 0x40000000u
#define FLAG_56 0x80000000u
#define MIC_OFFSET 72
#define VERSION_OFFSET 64

static struct account account;
static bool have_account;
static struct loopback loop;

static bool open_loop(void)
{
    if (!have_account) {
        skip_case("accounts of our server");
        return false;
    }
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", &account);
    return ok(!status, "no credentials: %08lx", status);
}

static ULONG get32(ULONG offset)
{
    ULONG value;
    memcpy(&value, loop.token + offset, sizeof(value));
    return value;
}

static void put32(ULONG offset, ULONG value)
{
    memcpy(loop.token + offset, &value, sizeof(value));
}

/* ---- changed messages ---- */

enum { CHANGE_NEGOTIATE, CHANGE_CHALLENGE, CHANGE_AUTHENTICATE };

/* All legs, with flags taken out of one message. The first status that is no success. */
static SECURITY_STATUS connect_stripped(int which, ULONG flags)
{
    static const ULONG offsets[] = {NEGOTIATE_FLAGS, CHALLENGE_FLAGS, AUTHENTICATE_FLAGS};
    SECURITY_STATUS status = SEC_E_INTERNAL_ERROR;
    for (int leg = 0; leg < 4; leg++) {
        status = leg % 2 ? loopback_server_leg(&loop) : loopback_client_leg(&loop);
        if (status < 0) return status;
        if (leg == which) put32(offsets[which], get32(offsets[which]) & ~flags);
    }
    return status;
}

/* [OS MS-NLMP 3.1.5.1.2, 3.2.5.1.2] either an end misses what it needs, or the message integrity
 * code shows that a message is not what the other end sent */
static void test_stripped_flags(void)
{
    static const ULONG flags[] = {
        FLAG_SIGN,          FLAG_SEAL, FLAG_SIGN | FLAG_SEAL, FLAG_ESS,      FLAG_128,
        FLAG_128 | FLAG_56, FLAG_56,   FLAG_UNICODE,          FLAG_KEY_EXCH, FLAG_VERSION};
    for (int which = CHANGE_NEGOTIATE; which <= CHANGE_AUTHENTICATE; which++) {
        for (unsigned i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
            if (!open_loop()) return;
            SECURITY_STATUS status = connect_stripped(which, flags[i]);
            ok(status == SEC_E_UNSUPPORTED_FUNCTION || status == SEC_E_LOGON_DENIED ||
                   status == SEC_E_INVALID_TOKEN,
               "message %d without %08lx: %08lx", which, flags[i], status);
            loopback_close(&loop);
        }
    }
}

static bool almost_connected(void)
{
    if (!open_loop()) return false;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    return ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
}

/* Takes bytes out of the message and moves what the six fields of an AUTHENTICATE point to. */
static void cut(ULONG offset, ULONG size)
{
    static const ULONG fields[] = {12, 20, 28, 36, 44, 52};
    memmove(loop.token + offset, loop.token + offset + size, loop.token_size - offset - size);
    loop.token_size -= size;
    for (unsigned i = 0; i < 6; i++) put32(fields[i] + 4, get32(fields[i] + 4) - size);
}

/* [OS MS-NLMP 3.2.5.1.2] what the NTLMv2 response says is there has to be there and be right */
static void test_integrity_code(void)
{
    for (int i = 0; i < 4; i++) {
        if (!almost_connected()) return;
        if (i == 0) memset(loop.token + MIC_OFFSET, 0, 16);
        if (i == 1) cut(MIC_OFFSET, 16);
        if (i == 2) cut(VERSION_OFFSET, 24);
        if (i == 3) {
            cut(VERSION_OFFSET, 24);
            put32(AUTHENTICATE_FLAGS, get32(AUTHENTICATE_FLAGS) & ~FLAG_VERSION);
        }
        SECURITY_STATUS status = loopback_server_leg(&loop);
        ok(status == SEC_E_LOGON_DENIED || status == SEC_E_INVALID_TOKEN, "case %d: %08lx", i,
           status);
        loopback_close(&loop);
    }
}

/* A bit of each byte of an answer with a password behind it. Names are not case sensitive, and a
 * user may have an account under another domain's name: such a change is caught by the code, not by
 * the proof. */
static void test_changed_answer(void)
{
    ULONG size = 1;
    for (ULONG i = 0; i < size; i++) {
        if (!almost_connected()) return;
        size = loop.token_size;
        loop.token[i] ^= (BYTE)(1 << i % 8);
        SECURITY_STATUS status = loopback_server_leg(&loop);
        ok(status == SEC_E_LOGON_DENIED || status == SEC_E_INVALID_TOKEN ||
               status == SEC_E_UNSUPPORTED_FUNCTION,
           "byte %lu: %08lx", i, status);
        loopback_close(&loop);
    }
}

/* ---- what the client says beside its proof ---- */

/* The value of an AV pair in the answer in loop (MS-NLMP 2.2.2.1, 2.2.2.7); NULL without one. */
static const BYTE *find_pair(WORD id, WORD *size)
{
    const BYTE *at = loop.token + get32(24) + 16 + 28;
    const BYTE *end = loop.token + get32(24) + (get32(20) & 0xffff);
    while (at + 4 <= end) {
        WORD head[2];
        memcpy(head, at, sizeof(head));
        *size = head[1];
        if (head[0] == id) return at + 4;
        if (!head[0]) break;
        at += 4 + head[1];
    }
    return NULL;
}

/* [OS MS-NLMP 2.2.2.2] a machine has one name of 32 bytes, which it tells to those it logs on to */
static void test_machine_id(void)
{
    BYTE first[32];
    WORD size = 0;
    for (int i = 0; i < 2; i++) {
        if (!almost_connected()) return;
        const BYTE *pair = find_pair(8, &size);
        if (ok(pair && size == 48, "a pair of %u bytes", size)) {
            static const BYTE zeros[32];
            ok(pair[0] == 48 && !memcmp(pair + 4, zeros, 4), "another head");
            ok(memcmp(pair + 16, zeros, 32), "no name");
            if (i) ok(!memcmp(pair + 16, first, 32), "another name the second time");
            memcpy(first, pair + 16, 32);
        }
        loopback_close(&loop);
    }
}

/* [H sspi.h] ISC_REQ_UNVERIFIED_TARGET_NAME; [OS MS-NLMP 2.2.2.1] bit 2 of MsvAvFlags. Bit 1, that
 * there is a message integrity code, is always there. */
static void test_pair_flags(void)
{
    for (int i = 0; i < 2; i++) {
        WORD size = 0;
        if (!open_loop()) return;
        if (i) loop.client_flags |= ISC_REQ_UNVERIFIED_TARGET_NAME;
        ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
        ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
        ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
        const BYTE *pair = find_pair(6, &size);
        if (ok(pair && size == 4, "a pair of %u bytes", size))
            ok(pair[0] == (i ? 6 : 2), "case %d: flags %u", i, pair[0]);
        ok(loopback_server_leg(&loop) == SEC_E_OK, "server 2");
        loopback_close(&loop);
    }
}

/* ---- copies of a waiting server ---- */

static struct blob blob;

/* The server's last leg on a copy of it, with that token. */
static SECURITY_STATUS answer_copy(const BYTE *token, ULONG size)
{
    struct loopback copy = loop;
    SECURITY_STATUS status = context_import(L"NTLM", blob.bytes, blob.size, &copy.server);
    if (!ok(!status, "import: %08lx", status)) return status;
    memcpy(copy.token, token, size);
    copy.token_size = size;
    status = loopback_server_leg(&copy);
    DeleteSecurityContext(&copy.server);
    return status;
}

static bool copy_server(void)
{
    if (!open_loop()) return false;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    SECURITY_STATUS status = context_export(&loop.server, 0, &blob, NULL);
    ok(!status && blob.size, "export: %08lx", status);
    return ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
}

/* ours: one of the copies gets the answer, the others do not */
static void test_one_answer(void)
{
    static BYTE token[sizeof(loop.token)];
    if (!ours_only() || !copy_server()) return;
    ULONG size = loop.token_size;
    memcpy(token, loop.token, size);
    SECURITY_STATUS status = answer_copy(token, size);
    ok(status == SEC_E_OK, "the first copy: %08lx", status);
    status = answer_copy(token, size);
    ok(status == SEC_E_LOGON_DENIED, "the second copy: %08lx", status);
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_LOGON_DENIED, "the original: %08lx", status);
    loopback_close(&loop);
}

/* ours: a wrong password is a guess, and copies are no more guesses; what is no answer at all
 * does not count */
static void test_one_guess(void)
{
    static BYTE token[sizeof(loop.token)];
    if (!ours_only() || !copy_server()) return;
    ULONG size = loop.token_size;
    memcpy(token, loop.token, size);
    SECURITY_STATUS status = answer_copy(token, 20);
    ok(status == SEC_E_INVALID_TOKEN, "no answer: %08lx", status);
    token[MIC_OFFSET] ^= 1;
    status = answer_copy(token, size);
    ok(status == SEC_E_LOGON_DENIED, "a wrong answer: %08lx", status);
    token[MIC_OFFSET] ^= 1;
    status = answer_copy(token, size);
    ok(status == SEC_E_LOGON_DENIED, "the true one to another copy: %08lx", status);
    loopback_close(&loop);
}

/* ours: a token that is there before anybody has logged on would be everybody's */
static void test_token_too_early(void)
{
    HANDLE process;
    CtxtHandle copy;
    if (!ours_only() || !copy_server()) return;
    SecBuffer packed = {blob.size, SECBUFFER_TOKEN, blob.bytes};
    if (ok(OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE | TOKEN_QUERY, &process),
           "no token: %lu", GetLastError())) {
        SECURITY_STATUS status = ImportSecurityContextW((wchar_t *)L"NTLM", &packed, process,
                                                        &copy);
        ok(status == SEC_E_INVALID_PARAMETER, "with a token: %08lx", status);
        if (!status) DeleteSecurityContext(&copy);
        CloseHandle(process);
    }
    SECURITY_STATUS status = ImportSecurityContextW((wchar_t *)L"NTLM", &packed, NULL, &copy);
    ok(status == SEC_E_OK, "without: %08lx", status);
    if (!status) DeleteSecurityContext(&copy);
    loopback_close(&loop);
}

/* In a process of its own, which finds no ledger: handshakes work, and a waiting server can be
 * handed over but not copied. Local calls need tickets too. */
static void test_no_ledger(void)
{
    if (!open_loop()) return;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    SECURITY_STATUS status = context_export(&loop.server, 0, &blob, NULL);
    ok(status == SEC_E_NOT_SUPPORTED, "a copy: %08lx", status);
    status = context_export(&loop.server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL);
    ok(!status, "export: %08lx", status);
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
    status = context_import(L"NTLM", blob.bytes, blob.size, &loop.server);
    ok(!status, "import: %08lx", status);
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_OK, "server 2: %08lx", status);
    ok(contexts_talk(&loop.client, &loop.server), "messages fail");
    loopback_close(&loop);

    status = loopback_make(&loop, L"NTLM", NULL);
    ok(status == SEC_E_NO_CREDENTIALS, "a local call: %08lx", status);
}

/* In the same process: the context itself knows that it was answered. */
static void test_no_ledger_one_guess(void)
{
    if (!open_loop()) return;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "client 1");
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "server 1");
    ok(loopback_client_leg(&loop) == SEC_E_OK, "client 2");
    ULONG size = loop.token_size;
    loop.token_size = 20;
    SECURITY_STATUS status = loopback_server_leg(&loop);
    ok(status == SEC_E_INVALID_TOKEN, "no answer: %08lx", status);
    loop.token[MIC_OFFSET] ^= 1;
    loop.token_size = size;
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_LOGON_DENIED, "a wrong answer: %08lx", status);
    loop.token[MIC_OFFSET] ^= 1;
    loop.token_size = size;
    status = loopback_server_leg(&loop);
    ok(status == SEC_E_LOGON_DENIED, "the true one: %08lx", status);
    loopback_close(&loop);
}

#define LEDGERS L"C:\\ProgramData\\winesspi\\"

/* ours: a folder in the place of the ledger keeps a new process from opening one */
static void test_without_ledger(void)
{
    WIN32_FIND_DATAW found;
    wchar_t path[MAX_PATH] = LEDGERS, aside[MAX_PATH];
    DWORD code = 1;
    if (!ours_only() || !have_account) return;
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", &account);
    if (!ok(!status, "no contexts: %08lx", status)) return;
    loopback_close(&loop);
    HANDLE search = FindFirstFileW(LEDGERS L"challenges3-*.ledger", &found);
    if (!ok(search != INVALID_HANDLE_VALUE, "there is no ledger")) return;
    FindClose(search);
    lstrcatW(path, found.cFileName);
    lstrcpyW(aside, path);
    lstrcatW(aside, L".aside");
    if (ok(MoveFileW(path, aside), "the ledger does not move: %lu", GetLastError())) {
        ok(CreateDirectoryW(path, NULL), "no folder: %lu", GetLastError());
        ok(child_run(L"no-ledger", &code) && !code, "the other process failed: %lu", code);
        RemoveDirectoryW(path);
        ok(MoveFileW(aside, path), "the ledger does not move back: %lu", GetLastError());
    }
}

/* ---- channel bindings ---- */

static struct bindings bindings_of(ULONG type, const char *initiator, const char *acceptor,
                                   const char *data)
{
    struct bindings made = {0};
    SEC_CHANNEL_BINDINGS *header = &made.head;
    header->dwInitiatorAddrType = header->dwAcceptorAddrType = type;
    header->dwInitiatorOffset = sizeof(made.head);
    header->cbInitiatorLength = (ULONG)strlen(initiator);
    header->dwAcceptorOffset = header->dwInitiatorOffset + header->cbInitiatorLength;
    header->cbAcceptorLength = (ULONG)strlen(acceptor);
    header->dwApplicationDataOffset = header->dwAcceptorOffset + header->cbAcceptorLength;
    header->cbApplicationDataLength = (ULONG)strlen(data);
    strcpy(made.data, initiator);
    strcat(made.data, acceptor);
    strcat(made.data, data);
    return made;
}

static SECURITY_STATUS bound_leg(bool client, struct bindings *bindings, ULONG server_flags)
{
    bool first = !context_present(client ? &loop.client : &loop.server);
    BYTE room[4096];
    SecBuffer in[2] = {{loop.token_size, SECBUFFER_TOKEN, loop.token},
                       {bindings ? sizeof(*bindings) : 0, SECBUFFER_CHANNEL_BINDINGS, bindings}};
    SecBuffer out = {sizeof(room), SECBUFFER_TOKEN, room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status =
        client ? InitializeSecurityContextW(&loop.client_cred, first ? NULL : &loop.client, NULL,
                                            loop.client_flags, 0, SECURITY_NATIVE_DREP, &in_desc, 0,
                                            &loop.client, &out_desc, &loop.client_attrs, NULL)
               : AcceptSecurityContext(&loop.server_cred, first ? NULL : &loop.server, &in_desc,
                                       loop.server_flags | server_flags, SECURITY_NATIVE_DREP,
                                       &loop.server, &out_desc, &loop.server_attrs, NULL);
    loop.token_size = status < 0 ? 0 : out.cbBuffer;
    memcpy(loop.token, room, loop.token_size);
    return status;
}

static SECURITY_STATUS connect_bound(struct bindings *client, struct bindings *server,
                                     ULONG server_flags)
{
    SECURITY_STATUS status = SEC_E_INTERNAL_ERROR;
    if (!open_loop()) return status;
    for (int leg = 0; leg < 4; leg++) {
        bool is_client = leg % 2 == 0;
        status = bound_leg(is_client, is_client ? client : server, server_flags);
        if (status < 0) break;
    }
    loopback_close(&loop);
    return status;
}

/* [H sspi.h] addresses are part of a channel; [D sec_channel_bindings_result] behind a proxy
 * bindings have to be there and are not compared; [D epa-support-in-service] those of nothing are
 * another thing than what may be missing */
static void test_binding_forms(void)
{
    struct bindings plain = bindings_of(0, "", "", "tls-server-end-point:0123");
    struct bindings addresses = bindings_of(2, "\1\2\3\4", "\5\6\7\10", "data");
    struct bindings other_type = bindings_of(24, "\1\2\3\4", "\5\6\7\10", "data");
    struct bindings other_border = bindings_of(2, "\1\2\3", "\4\5\6\7\10", "data");
    struct bindings no_addresses = bindings_of(0, "", "", "data");
    struct bindings nothing = bindings_of(0, "", "", "");
    const struct {
        const char *what;
        struct bindings *client, *server;
        ULONG flags;
        SECURITY_STATUS expected;
    } rows[] = {
        {"addresses", &addresses, &addresses, 0, SEC_E_OK},
        {"another type", &addresses, &other_type, 0, SEC_E_BAD_BINDINGS},
        {"another border", &addresses, &other_border, 0, SEC_E_BAD_BINDINGS},
        {"without addresses", &no_addresses, &addresses, 0, SEC_E_BAD_BINDINGS},
        {"nothing, missing", &nothing, &plain, 0, SEC_E_BAD_BINDINGS},
        {"nothing, allowed", &nothing, &plain, ASC_REQ_ALLOW_MISSING_BINDINGS, SEC_E_BAD_BINDINGS},
        {"nothing at the server", &plain, &nothing, 0, SEC_E_OK},
        {"proxy", &plain, &addresses, ASC_REQ_PROXY_BINDINGS, SEC_E_OK},
        {"proxy, no own channel", &plain, NULL, ASC_REQ_PROXY_BINDINGS, SEC_E_OK},
        {"proxy, missing", NULL, NULL, ASC_REQ_PROXY_BINDINGS, SEC_E_BAD_BINDINGS},
        {"proxy, nothing", &nothing, NULL, ASC_REQ_PROXY_BINDINGS, SEC_E_BAD_BINDINGS},
        {"proxy, allowed", NULL, NULL, ASC_REQ_PROXY_BINDINGS | ASC_REQ_ALLOW_MISSING_BINDINGS,
         SEC_E_BAD_BINDINGS},
    };
    if (!ours_only() || !have_account) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        SECURITY_STATUS status = connect_bound(rows[i].client, rows[i].server, rows[i].flags);
        ok(status == rows[i].expected, "%s: %08lx", rows[i].what, status);
    }
}

/* ours: no part of the bindings may lie outside of their buffer */
static void test_binding_borders(void)
{
    struct bindings good = bindings_of(2, "\1\2\3\4", "\5\6\7\10", "data");
    if (!ours_only() || !have_account) return;
    for (int i = 0; i < 6; i++) {
        struct bindings bad = good;
        ULONG *fields[] = {&bad.head.cbInitiatorLength,       &bad.head.dwInitiatorOffset,
                           &bad.head.cbAcceptorLength,        &bad.head.dwAcceptorOffset,
                           &bad.head.cbApplicationDataLength, &bad.head.dwApplicationDataOffset};
        *fields[i] = 0xfffffff0;
        SECURITY_STATUS status = connect_bound(&bad, &good, 0);
        ok(status == SEC_E_INVALID_PARAMETER, "field %d: %08lx", i, status);
    }
}

int main(int argc, char **argv)
{
    have_account = account_create(&account);
    if (argc > 1 && !strcmp(argv[1], "no-ledger")) {
        RUN(test_no_ledger);
        RUN(test_no_ledger_one_guess);
        account_remove(&account);
        return test_end("api_ntlm_wire no-ledger");
    }
    RUN(test_stripped_flags);
    RUN(test_integrity_code);
    RUN(test_changed_answer);
    RUN(test_machine_id);
    RUN(test_pair_flags);
    RUN(test_one_answer);
    RUN(test_one_guess);
    RUN(test_token_too_early);
    RUN(test_without_ledger);
    RUN(test_binding_forms);
    RUN(test_binding_borders);
    if (have_account) account_remove(&account);
    return test_end("api_ntlm_wire");
}
