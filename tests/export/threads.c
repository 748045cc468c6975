/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Export while other threads use the context at the same time. A signature of NTLM depends on
 * nothing but keys, text and its sequence number, and each takes the same part of the key stream;
 * so with one text for all, what an exported copy signs with some number must be, byte for byte,
 * what the original signed with that number: the copy is a moment of the original, not a mixture.
 * The same holds for Negotiate with NTLM inside, whose mechListMIC has number 0.
 */
#include "loopback.h"

#define DELETE_OLD SECPKG_CONTEXT_EXPORT_DELETE_OLD
#define MAX_SIGNATURES 200000

static const wchar_t *package; /* of the running cases */
static uint32_t first_number;  /* of a message */
static struct account account;
static bool have_account;
static struct loopback loop;

static BYTE signatures[MAX_SIGNATURES][16];
static volatile LONG stop, produced, refused, failed;
static const char text[] = "the one text of all messages";

static SECURITY_STATUS sign_text(CtxtHandle *context, BYTE token[16])
{
    SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, token},
                          {sizeof(text), SECBUFFER_DATA, (void *)text}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    return MakeSignature(context, 0, &desc, 0);
}

static SECURITY_STATUS verify_text(CtxtHandle *context, BYTE token[16])
{
    SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, token},
                          {sizeof(text), SECBUFFER_DATA, (void *)text}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    return VerifySignature(context, &desc, 0, NULL);
}

/* MS-NLMP 2.2.2.9.1: the number is the last four bytes, in clear. */
static uint32_t number_of(const BYTE token[16])
{
    return token[12] | (uint32_t)token[13] << 8 | (uint32_t)token[14] << 16 |
           (uint32_t)token[15] << 24;
}

/* Signs until told to stop or refused. Each signature goes to the place of its number. */
static DWORD WINAPI sign_on(void *argument)
{
    CtxtHandle context = *(CtxtHandle *)argument;
    BYTE token[16];
    while (!stop && produced < MAX_SIGNATURES - 16) {
        SECURITY_STATUS status = sign_text(&context, token);
        if (status == SEC_E_OK) {
            uint32_t number = number_of(token);
            if (number < MAX_SIGNATURES) memcpy(signatures[number], token, 16);
            /* Now and then, so that whoever exports gets the context's locks. */
            if (InterlockedIncrement(&produced) % 64 == 0) SwitchToThread();
            continue;
        }
        InterlockedIncrement(status == SEC_E_INVALID_HANDLE ? &refused : &failed);
        break;
    }
    return 0;
}

static void begin(HANDLE *threads, int count)
{
    memset(signatures, 0, sizeof(signatures));
    stop = produced = refused = failed = 0;
    for (int i = 0; i < count; i++)
        threads[i] = CreateThread(NULL, 0, sign_on, &loop.client, 0, NULL);
}

static void end(HANDLE *threads, int count)
{
    stop = 1;
    DWORD waited = WaitForMultipleObjects((DWORD)count, threads, TRUE, 20000);
    ok(waited != WAIT_TIMEOUT, "a signing thread hangs");
    for (int i = 0; i < count; i++) CloseHandle(threads[i]);
}

/* Every number was given out once, and the server takes all signatures in their order. */
static void verify_all(LONG count)
{
    static const BYTE none[16];
    for (LONG i = 0; i < count; i++) {
        BYTE *signature = signatures[first_number + (uint32_t)i];
        if (!ok(memcmp(signature, none, 16), "number %ld of %ld is missing", i, count)) return;
        SECURITY_STATUS status = verify_text(&loop.server, signature);
        if (!ok(!status, "number %ld of %ld: %08lx", i, count, status)) return;
    }
}

static bool connect_loop(void)
{
    SECURITY_STATUS status = loopback_make(&loop, package, have_account ? &account : NULL);
    return ok(!status, "no contexts: %08lx", status);
}

#define COPIES 300

static void export_while_signing(int signers)
{
    static struct blob blobs[COPIES];
    HANDLE threads[4];
    if (!connect_loop()) return;
    begin(threads, signers);
    int copies = 0;
    while (copies < COPIES && produced < MAX_SIGNATURES / 2) {
        /* The signers are to be at work, however the processors are shared out. */
        while (produced < 4 * copies + 10 && !failed && !refused) SwitchToThread();
        SECURITY_STATUS status = context_export(&loop.client, 0, &blobs[copies], NULL);
        if (!ok(!status && blobs[copies].size, "copy %d: %08lx", copies, status)) break;
        copies++;
        SwitchToThread();
    }
    end(threads, signers);
    ok(!failed && !refused, "%ld signatures failed, %ld were refused", failed, refused);
    ok(copies > 10 && produced > 100, "only %d copies of %ld signatures", copies, produced);
    LONG count = produced;
    verify_all(count);
    uint32_t last = 0, end_number = first_number + (uint32_t)count;
    for (int i = 0; i < copies; i++) {
        CtxtHandle copy;
        BYTE token[16];
        SECURITY_STATUS status = context_import(package, blobs[i].bytes, blobs[i].size, &copy);
        if (!ok(!status, "import of copy %d: %08lx", i, status)) break;
        status = sign_text(&copy, token);
        ok(!status, "copy %d signs: %08lx", i, status);
        uint32_t number = number_of(token);
        ok(number >= last && number <= end_number, "copy %d is at %u after %u", i, number, last);
        if (number < end_number)
            ok(!memcmp(token, signatures[number], 16), "copy %d: signature %u differs", i, number);
        last = number;
        DeleteSecurityContext(&copy);
    }
    printf("  %d copies while %ld signatures were made by %d threads\n", copies, count, signers);
    loopback_close(&loop);
}

static void test_copies_while_one_signs(void)
{
    export_while_signing(1);
}

/* ours: more than one signer is not promised by Windows */
static void test_copies_while_three_sign(void)
{
    if (ours_only()) export_while_signing(3);
}

/* With DELETE_OLD a signer gets OK or SEC_E_INVALID_HANDLE, and what it signed comes before
 * whatever the moved context signs: no part of the key stream is used twice. */
static void move_while_signing(int signers, LONG enough)
{
    static struct blob blob;
    HANDLE threads[4];
    if (!connect_loop()) return;
    begin(threads, signers);
    while (produced < enough && !failed && !refused) SwitchToThread();
    HANDLE token = NULL;
    SECURITY_STATUS status = context_export(&loop.client, DELETE_OLD, &blob, &token);
    ok(!status && blob.size, "export: %08lx", status);
    if (token) CloseHandle(token);
    WaitForMultipleObjects((DWORD)signers, threads, TRUE, 20000);
    end(threads, signers);
    ok(!failed && refused == signers, "%ld signatures failed, %ld threads were refused", failed,
       refused);
    LONG count = produced;
    verify_all(count);
    status = context_import(package, blob.bytes, blob.size, &loop.client);
    if (ok(!status, "import: %08lx", status)) {
        BYTE next[16];
        ok(!sign_text(&loop.client, next), "the moved context does not sign");
        ok(number_of(next) == first_number + (uint32_t)count, "it goes on at %u, after %ld",
           number_of(next), count);
        ok(!verify_text(&loop.server, next), "its signature is refused");
        ok(contexts_talk(&loop.client, &loop.server), "no talk");
    } else {
        context_forget(&loop.client);
    }
    loopback_close(&loop);
}

static void test_move_while_one_signs(void)
{
    if (!ours_only()) return;
    for (int i = 0; i < 100; i++) move_while_signing(1, 10 + i);
}

static void test_move_while_three_sign(void)
{
    if (!ours_only()) return;
    for (int i = 0; i < 100; i++) move_while_signing(3, 10 + 3 * i);
}

/* A failing export under load leaves the context whole. */
static void test_refused_export_while_signing(void)
{
    if (!ours_only()) return;
    HANDLE threads[2];
    if (!connect_loop()) return;
    begin(threads, 2);
    for (int i = 0; i < 500; i++) {
        SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
        SECURITY_STATUS status = ExportSecurityContext(
            &loop.client, DELETE_OLD | SECPKG_CONTEXT_EXPORT_TO_KERNEL, &packed, NULL);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "%08lx", status);
    }
    end(threads, 2);
    ok(!failed && !refused, "%ld signatures failed, %ld were refused", failed, refused);
    verify_all(produced);
    loopback_close(&loop);
}

static void run_package(const wchar_t *name, uint32_t first)
{
    package = name;
    first_number = first;
    printf("package %ls\n", package);
    RUN(test_copies_while_one_signs);
    RUN(test_copies_while_three_sign);
    RUN(test_move_while_one_signs);
    RUN(test_move_while_three_sign);
    RUN(test_refused_export_while_signing);
}

int main(void)
{
    have_account = account_create(&account);
    run_package(L"NTLM", 0);
    run_package(L"Negotiate", 1);
    if (have_account) account_remove(&account);
    return test_end("export_threads");
}
