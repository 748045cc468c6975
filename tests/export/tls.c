/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TLS connections that move: to the same process and to others, of either width, either end, both
 * versions, again and again, after a KeyUpdate, with records on the way; and what is refused, and
 * leaves the context as it was. The contract is [D ExportSecurityContext, ImportSecurityContext];
 * where it is silent the choice is ours. What an imported context answers is in tls_attributes.c.
 */
#include "tls_worker.h"

#include <stdio.h>

#define DELETE_OLD SECPKG_CONTEXT_EXPORT_DELETE_OLD
#define RESET_NEW SECPKG_CONTEXT_EXPORT_RESET_NEW
#define TO_KERNEL SECPKG_CONTEXT_EXPORT_TO_KERNEL

static struct tls_pair pair;
static struct tls_bytes blob, bytes;
static struct opened opened;
static uint64_t tickets; /* records that the client has read since its handshake */

static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};

static bool connect_with(const struct tls_pair_options *options)
{
    SECURITY_STATUS status = tls_pair_make(&pair, options);
    bytes.size = 0;
    if (status == SEC_E_NOT_SUPPORTED || status == SEC_E_SECPKG_NOT_FOUND) {
        skip_case("TLS, or the key of a certificate");
        return false;
    }
    if (!ok(status == SEC_E_OK, "no connection: %08lx", status)) return false;
    tickets = records_on(&pair.to_client);
    pair.to_client.arrived = pair.to_client.size;
    for (int i = 0; i < 8 && pair.to_client.size; i++) {
        status = tls_pair_client_leg(&pair);
        if (!ok(status == SEC_E_OK, "tickets: %08lx", status)) return false;
        pair.to_client.arrived = pair.to_client.size;
    }
    return true;
}

static bool connect_version(enum tls_pair_version version)
{
    const struct tls_pair_options options = {.client_version = version, .server_version = version};
    return connect_with(&options);
}

static CtxtHandle *end_of(int side)
{
    return side ? &pair.server : &pair.client;
}

static bool export_end(CtxtHandle *context)
{
    CtxtHandle old = *context;
    SECURITY_STATUS status = tls_export(context, DELETE_OLD, &blob);
    if (!ok(status == SEC_E_OK && blob.size, "export: %08lx", status)) return false;
    tls_handle_forget(context);
    status = DeleteSecurityContext(&old);
    return ok(status == SEC_E_INVALID_HANDLE, "the old context is alive: %08lx", status);
}

static bool move(CtxtHandle *context)
{
    if (!export_end(context)) return false;
    SECURITY_STATUS status = tls_import(&blob, context);
    if (status) tls_handle_forget(context);
    return ok(status == SEC_E_OK, "import: %08lx", status);
}

/* ---- moves ---- */

static void test_in_one_process(void)
{
    if (!ours_only()) return;
    for (int v = 0; v < 2; v++) {
        for (int sides = 1; sides < 4; sides++) {
            if (!connect_version(versions[v])) return;
            for (int times = 0; times < 5; times++) {
                for (int i = 0; i <= times; i++)
                    ok(records_talk(&pair.client, &pair.server), "%d, %d: no talk", v, times);
                if (sides & 1) move(&pair.client);
                if (sides & 2) move(&pair.server);
            }
            ok(records_talk(&pair.client, &pair.server), "%d: no talk in the end", v);
            tls_pair_close(&pair);
        }
    }
}

static void run_processes(int v, int side, const wchar_t *program)
{
    struct tls_worker first, second;
    if (!connect_version(versions[v])) return;
    CtxtHandle *moved = end_of(side), *peer = end_of(!side);
    ok(records_talk(moved, peer), "no talk");
    if (!ok(tls_worker_start(&first, program) && tls_worker_start(&second, NULL), "no workers"))
        return;
    if (export_end(moved)) {
        ok(!tls_worker_import(&first, &blob), "import by the first");
        for (int i = 0; i < 3; i++) ok(tls_worker_talks(&first, peer), "the first does not talk");
        ok(!tls_worker_export(&first, &blob), "export by the first");
        ok(!tls_worker_import(&second, &blob), "import by the second");
        ok(tls_worker_talks(&second, peer), "the second does not talk");
        SECURITY_STATUS status = tls_worker_import(&first, &blob);
        ok(status == SEC_E_CONTEXT_EXPIRED, "a second import: %08lx", status);
        ok(!tls_worker_export(&second, &blob), "export by the second");
        status = tls_import(&blob, moved);
        if (status) tls_handle_forget(moved);
        ok(status == SEC_E_OK, "home: %08lx", status);
        ok(records_talk(moved, peer), "no talk at home");
    }
    ok(tls_worker_end(&first) && tls_worker_end(&second), "the workers did not end well");
    tls_pair_close(&pair);
}

static void test_between_processes(void)
{
    if (!ours_only()) return;
    for (int i = 0; i < 4; i++) run_processes(i & 1, i >> 1, NULL);
}

/* ours: a blob is the same for 32 and 64 bit */
static void test_other_width(void)
{
    wchar_t program[MAX_PATH];
    const bool wide = sizeof(void *) == 8;
    struct tls_worker worker;
    if (!ours_only()) return;
    program_folder(program, MAX_PATH - 64);
    lstrcatW(program,
             wide ? L"..\\i386-windows\\export_tls.exe" : L"..\\x86_64-windows\\export_tls.exe");
    /* Where there are no such programs Wine starts the process, and it ends at once. */
    bool there = GetFileAttributesW(program) != INVALID_FILE_ATTRIBUTES &&
                 tls_worker_start(&worker, program) &&
                 tls_worker_export(&worker, &blob) != WORKER_GONE && tls_worker_end(&worker);
    if (!there) {
        skip_case(wide ? "32-bit Wine" : "64-bit Wine");
        return;
    }
    for (int i = 0; i < 4; i++) run_processes(i & 1, i >> 1, program);
}

/* Records that were sent before the move are read after it, by either end. */
static void test_on_the_way(void)
{
    if (!ours_only()) return;
    for (int v = 0; v < 2; v++) {
        for (int side = 0; side < 2; side++) {
            CtxtHandle *moved = end_of(side), *peer = end_of(!side);
            static struct tls_bytes other;
            if (!connect_version(versions[v])) return;
            other.size = 0;
            for (int i = 0; i < 3; i++) {
                ok(!record_seal(peer, 0, "abc", 3, &bytes), "seal");
                ok(!record_seal(moved, 0, "xyz", 3, &other), "seal");
            }
            record_open(moved, &bytes, 0, &opened);
            ok(!opened.status, "the first: %08lx", opened.status);
            record_advance(&bytes, &opened);
            if (!move(moved)) return;
            for (int i = 1; i < 3; i++) {
                record_open(moved, &bytes, 0, &opened);
                ok(!opened.status && opened_part(&opened, SECBUFFER_DATA).cbBuffer == 3,
                   "record %d: %08lx", i, opened.status);
                record_advance(&bytes, &opened);
            }
            for (int i = 0; i < 3; i++) {
                record_open(peer, &other, 0, &opened);
                ok(!opened.status, "by the other end: %08lx", opened.status);
                record_advance(&other, &opened);
            }
            ok(records_talk(moved, peer), "no talk");
            tls_pair_close(&pair);
        }
    }
}

/* The other end, played: it changes its keys, asks for ours, and an imported context goes on. */
static void run_key_updates(bool server, bool before, bool after)
{
    const struct tls_pair_options options = {
        .client_version = TLS_PAIR_1_3, .server_version = TLS_PAIR_1_3, .want_secrets = true};
    struct forger forger;
    BYTE update[TLS_KEY_UPDATE_SIZE], answer[TLS_KEY_UPDATE_SIZE];
    if (!connect_with(&options)) return;
    if (!ok(forger_start(&forger, &pair, server), "no peer")) return;
    *(server ? &forger.session.send.sequence : &forger.session.receive.sequence) = tickets;
    CtxtHandle *context = server ? &pair.client : &pair.server;
    struct tls_wire *in = server ? &pair.to_client : &pair.to_server;
    struct tls_wire *out = server ? &pair.to_server : &pair.to_client;
    tls_key_update_write(true, update);
    tls_key_update_write(false, answer);
    for (int step = 0; step < 2; step++) {
        if (step ? after : before) {
            in->size = out->size = bytes.size = 0;
            forger_put(&forger, TLS_HANDSHAKE, update, sizeof(update), &bytes);
            ok(forger_update(&forger, true), "no keys");
            wire_put(in, bytes.data, bytes.size);
            in->arrived = in->size;
            SECURITY_STATUS status = server ? tls_pair_client_leg(&pair)
                                            : tls_pair_server_leg(&pair);
            ok(status == SEC_E_OK && !in->size, "step %d: leg: %08lx", step, status);
            bytes.size = out->size;
            memcpy(bytes.data, out->bytes, out->size);
            ok(forger_get(&forger, &bytes, TLS_HANDSHAKE, answer, sizeof(answer)), "answer");
            ok(forger_update(&forger, false), "no keys");
        }
        if (!step && !move(context)) return;
    }
    bytes.size = 0;
    forger_put(&forger, TLS_APPLICATION_DATA, "text", 4, &bytes);
    record_open(context, &bytes, 0, &opened);
    ok(!opened.status && opened_part(&opened, SECBUFFER_DATA).cbBuffer == 4, "data: %08lx",
       opened.status);
    bytes.size = 0;
    ok(!record_seal(context, 0, "reply", 5, &bytes), "seal");
    ok(forger_get(&forger, &bytes, TLS_APPLICATION_DATA, "reply", 5), "reply");
    forger_end(&forger);
    tls_pair_close(&pair);
}

static void test_key_updates(void)
{
    if (!ours_only()) return;
    for (int i = 0; i < 8; i++) run_key_updates(i & 1, i & 2, i & 4);
}

/* An imported context says goodbye, and hears it. */
static void test_shutdown(void)
{
    static const DWORD shutdown[] = {SCHANNEL_SHUTDOWN};
    if (!ours_only()) return;
    for (int v = 0; v < 2; v++) {
        if (!connect_version(versions[v]) || !move(&pair.server) || !move(&pair.client)) return;
        SECURITY_STATUS status = tls_control(&pair.server, shutdown, 1);
        ok(status == SEC_E_OK, "control: %08lx", status);
        status = tls_pair_server_leg(&pair);
        ok(status == SEC_E_OK && pair.to_client.size, "leg: %08lx", status);
        bytes.size = pair.to_client.size;
        memcpy(bytes.data, pair.to_client.bytes, bytes.size);
        record_open(&pair.client, &bytes, 0, &opened);
        ok(opened.status == SEC_I_CONTEXT_EXPIRED, "heard: %08lx", opened.status);
        if (!move(&pair.client) || !move(&pair.server)) return;
        record_open(&pair.client, &bytes, 0, &opened);
        ok(opened.status == SEC_E_CONTEXT_EXPIRED, "moved after it: %08lx", opened.status);
        bytes.size = 0;
        status = record_seal(&pair.server, 0, "x", 1, &bytes);
        ok(status == SEC_E_CONTEXT_EXPIRED, "the end that closed: %08lx", status);
        ok(!record_seal(&pair.client, 0, "x", 1, &bytes), "the other one still sends");
        tls_pair_close(&pair);
    }
}

/* ours: without certificates a blob is some hundred bytes */
static void test_size(void)
{
    if (!ours_only()) return;
    for (int v = 0; v < 2; v++) {
        const CERT_CONTEXT *cert = tls_cert(TLS_CERT_SERVER_RSA);
        if (!connect_version(versions[v]) || !export_end(&pair.server)) return;
        ok(blob.size < cert->cbCertEncoded + 800, "%lu bytes, %lu of them a certificate", blob.size,
           cert->cbCertEncoded);
        printf("  version %d: %lu bytes besides the certificate\n", v,
               blob.size - cert->cbCertEncoded);
        CertFreeCertificateContext(cert);
        tls_pair_close(&pair);
    }
}

/* ---- refusals ---- */

/* [D] SEC_E_NOT_SUPPORTED for what cannot be, and the context is unharmed. */
static void test_flags(void)
{
    static const struct {
        ULONG flags;
        SECURITY_STATUS status;
    } rows[] = {
        {0, SEC_E_NOT_SUPPORTED},
        {RESET_NEW, SEC_E_NOT_SUPPORTED},
        {RESET_NEW | DELETE_OLD, SEC_E_NOT_SUPPORTED},
        {TO_KERNEL, SEC_E_UNSUPPORTED_FUNCTION},
        {TO_KERNEL | DELETE_OLD, SEC_E_UNSUPPORTED_FUNCTION},
        {8, SEC_E_INVALID_PARAMETER},
    };
    if (!ours_only()) return;
    for (int v = 0; v < 2; v++) {
        if (!connect_version(versions[v])) return;
        for (int side = 0; side < 2; side++) {
            for (size_t i = 0; i < ARRAYSIZE(rows); i++) {
                SECURITY_STATUS status = tls_export(end_of(side), rows[i].flags, &blob);
                ok(status == rows[i].status, "flags %lx: %08lx", rows[i].flags, status);
                ok(records_talk(&pair.client, &pair.server), "flags %lx: hurt", rows[i].flags);
            }
        }
        tls_pair_close(&pair);
    }
}

static void test_half_open(void)
{
    const struct tls_pair_options options = {0};
    if (!ours_only()) return;
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "no credentials: %08lx", status)) return;
    ok(tls_pair_client_leg(&pair) == SEC_I_CONTINUE_NEEDED, "client 1");
    status = tls_export(&pair.client, DELETE_OLD, &blob);
    ok(status == SEC_E_NOT_SUPPORTED, "client: %08lx", status);
    pair.to_server.arrived = pair.to_server.size;
    ok(tls_pair_server_leg(&pair) == SEC_I_CONTINUE_NEEDED, "server 1");
    status = tls_export(&pair.server, DELETE_OLD, &blob);
    ok(status == SEC_E_NOT_SUPPORTED, "server: %08lx", status);
    pair.to_client.arrived = pair.to_client.size;
    ok(tls_pair_client_leg(&pair) == SEC_E_OK, "client 2");
    pair.to_server.arrived = pair.to_server.size;
    ok(tls_pair_server_leg(&pair) == SEC_E_OK, "server 2");
    tls_pair_close(&pair);
}

/* Wherever a handshake stops: before the peer has said anything, with half a record, at the
 * question of a certificate, in another handshake within a connection. */
static void test_stages(void)
{
    for (int v = 0; v < 2 && ours_only(); v++) {
        const struct tls_pair_options options = {.client_version = versions[v],
                                                 .server_version = versions[v],
                                                 .server_flags = ASC_REQ_MUTUAL_AUTH};
        SECURITY_STATUS status = tls_pair_open(&pair, &options);
        if (!ok(status == SEC_E_OK, "no credentials: %08lx", status)) return;
        tls_pair_client_leg(&pair);
        pair.to_server.arrived = pair.to_server.size;
        tls_pair_server_leg(&pair);
        for (int step = 0; step < 2; step++) {
            pair.to_client.arrived = step ? pair.to_client.size : 20;
            status = tls_pair_client_leg(&pair);
            ok(status == (step ? SEC_I_INCOMPLETE_CREDENTIALS : SEC_E_INCOMPLETE_MESSAGE),
               "%d: %08lx", step, status);
            ok(tls_export(&pair.client, DELETE_OLD, &blob) == SEC_E_NOT_SUPPORTED, "%d", step);
        }
        tls_pair_close(&pair);
    }
    if (!ours_only() || !connect_version(TLS_PAIR_1_2)) return;
    ok(tls_pair_client_leg(&pair) == SEC_I_CONTINUE_NEEDED, "another handshake");
    ok(tls_export(&pair.client, DELETE_OLD, &blob) == SEC_E_NOT_SUPPORTED, "in it");
    tls_pair_close(&pair);
}

/* The library keeps the state of these. */
static void test_not_carried(void)
{
    const struct tls_pair_options cbc = {
        .client_version = TLS_PAIR_1_2, .server_version = TLS_PAIR_1_2, .without_aead = true};
    if (!ours_only() || !connect_with(&cbc)) return;
    for (int side = 0; side < 2; side++) {
        SECURITY_STATUS status = tls_export(end_of(side), DELETE_OLD, &blob);
        ok(status == SEC_E_NOT_SUPPORTED, "CBC, %d: %08lx", side, status);
    }
    ok(records_talk(&pair.client, &pair.server), "CBC: hurt");
    tls_pair_close(&pair);
}

/* ours: what could not be read again is not written, and the connection goes on. */
static void test_long_name(void)
{
    static wchar_t name[1500];
    const struct tls_pair_options options = {.target = name};
    for (size_t i = 0; i + 1 < ARRAYSIZE(name); i++) name[i] = 'a';
    if (!ours_only() || !connect_with(&options)) return;
    SECURITY_STATUS status = tls_export(&pair.client, DELETE_OLD, &blob);
    ok(status == SEC_E_CANNOT_PACK, "%08lx", status);
    ok(records_talk(&pair.client, &pair.server), "hurt");
    tls_pair_close(&pair);
}

/* What a leg has to do first: a post-handshake message, a close_notify, an alert. */
static void test_waiting(void)
{
    static const DWORD shutdown[] = {SCHANNEL_SHUTDOWN};
    const struct tls_pair_options options = {
        .client_version = TLS_PAIR_1_3, .server_version = TLS_PAIR_1_3, .want_secrets = true};
    struct forger forger;
    BYTE update[TLS_KEY_UPDATE_SIZE];
    if (!ours_only() || !connect_with(&options)) return;
    if (!ok(forger_start(&forger, &pair, false), "no peer")) return;
    forger.session.receive.sequence = tickets;
    tls_key_update_write(false, update);
    forger_put(&forger, TLS_HANDSHAKE, update, sizeof(update), &bytes);
    wire_put(&pair.to_server, bytes.data, bytes.size);
    pair.to_server.arrived = pair.to_server.size;
    record_open(&pair.server, &bytes, 0, &opened);
    ok(opened.status == SEC_I_RENEGOTIATE, "%08lx", opened.status);
    SECURITY_STATUS status = tls_export(&pair.server, DELETE_OLD, &blob);
    ok(status == SEC_E_NOT_SUPPORTED, "a message waits: %08lx", status);
    ok(tls_pair_server_leg(&pair) == SEC_E_OK, "leg");
    ok(move(&pair.server), "no move after the leg");
    ok(!tls_control(&pair.server, shutdown, 1), "control");
    status = tls_export(&pair.server, DELETE_OLD, &blob);
    ok(status == SEC_E_NOT_SUPPORTED, "a close_notify waits: %08lx", status);
    pair.to_server.size = pair.to_server.arrived = 0;
    ok(tls_pair_server_leg(&pair) == SEC_E_OK, "leg");
    ok(move(&pair.server), "no move after the close_notify");
    forger_end(&forger);
    tls_pair_close(&pair);
}

/* ---- damage ---- */

static bool is_refusal(SECURITY_STATUS status)
{
    return status == SEC_E_INVALID_TOKEN || status == SEC_E_MESSAGE_ALTERED ||
           status == SEC_E_NOT_OWNER || status == SEC_E_CONTEXT_EXPIRED;
}

/* Every byte, every length; then the blob itself is as good as before. */
static void test_damage(void)
{
    static struct tls_bytes changed;
    if (!ours_only()) return;
    for (int v = 0; v < 2; v++) {
        CtxtHandle made;
        if (!connect_version(versions[v]) || !export_end(&pair.server)) return;
        for (ULONG i = 0; i < blob.size; i++) {
            changed = blob;
            changed.data[i] ^= (BYTE)(1 << i % 8);
            SECURITY_STATUS status = tls_import(&changed, &made);
            ok(is_refusal(status), "byte %lu: %08lx", i, status);
            changed = blob;
            changed.size = i;
            status = tls_import(&changed, &made);
            ok(is_refusal(status), "%lu bytes: %08lx", i, status);
        }
        SECURITY_STATUS status = tls_import(&blob, &pair.server);
        if (!ok(status == SEC_E_OK, "the blob itself: %08lx", status)) return;
        ok(records_talk(&pair.client, &pair.server), "no talk");
        tls_pair_close(&pair);
    }
}

/* ours: no token belongs to a TLS context, and one that is given is refused */
static void test_tokens(void)
{
    HANDLE token = (HANDLE)(ULONG_PTR)0x77;
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    CtxtHandle made;
    if (!ours_only() || !connect_version(TLS_PAIR_1_3)) return;
    SECURITY_STATUS status = ExportSecurityContext(&pair.server, DELETE_OLD, &packed, &token);
    ok(status == SEC_E_OK && !token, "%08lx, token %p", status, token);
    tls_handle_forget(&pair.server);
    ok(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &token), "no token");
    status = ImportSecurityContextW((wchar_t *)UNISP_NAME_W, &packed, token, &made);
    ok(status == SEC_E_INVALID_PARAMETER, "with a token: %08lx", status);
    status = ImportSecurityContextW((wchar_t *)UNISP_NAME_W, &packed, NULL, &pair.server);
    ok(status == SEC_E_OK && records_talk(&pair.client, &pair.server), "without: %08lx", status);
    CloseHandle(token);
    FreeContextBuffer(packed.pvBuffer);
    tls_pair_close(&pair);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "worker")) return tls_worker_main();
    RUN(test_in_one_process);
    RUN(test_between_processes);
    RUN(test_other_width);
    RUN(test_on_the_way);
    RUN(test_key_updates);
    RUN(test_shutdown);
    RUN(test_size);
    RUN(test_flags);
    RUN(test_half_open);
    RUN(test_stages);
    RUN(test_not_carried);
    RUN(test_long_name);
    RUN(test_waiting);
    RUN(test_damage);
    RUN(test_tokens);
    tls_certs_end();
    return test_end("export_tls");
}
