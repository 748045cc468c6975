/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The benchmark's figures for NTLM, Negotiate and Kerberos by whatever SSPI the program finds,
 * client and server in this process. NTLM has explicit credentials; for its server the program adds
 * an account of winesspi, and removes it again. Kerberos has the tickets and keys that are there,
 * and authenticates both ends.
 */
#include "bench.h"

#include <windows.h>
#include <sspi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_LIMIT = 8192, PACKAGE_CALLS = 2000, LEGS = 4, MOST_THREADS = 8 };

/* Wine's own Kerberos asks for less than its messages take. */
enum { KERBEROS_TRAILER = 128 };

struct sspi_package {
    WCHAR name[16];
    bool kerberos;
    CredHandle client, server;
};

struct bench_pair {
    const struct sspi_package *package;
    CtxtHandle client, server;
    bool have_client, have_server;
    ULONG trailer, signature;
};

static const WCHAR accounts_key[] = L"SOFTWARE\\winesspi\\Accounts";
static const WCHAR account[] = L"BENCH\\bench";
static WCHAR target[] = L"bench/localhost";

static struct sspi_package measured = {.name = L"NTLM"};
static struct sspi_package inner = {.name = L"NTLM"}; /* with which Negotiate is compared */
static BYTE kept_negotiate[TOKEN_LIMIT];              /* answered by every half-open server */
static ULONG kept_negotiate_size;

static bool report(const char *call, SECURITY_STATUS status)
{
    if (!FAILED(status)) return true;
    fprintf(stderr, "%s: 0x%08lx\n", call, (unsigned long)status);
    return false;
}

static void remove_account(void)
{
    HKEY key;
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, accounts_key, 0, KEY_SET_VALUE | KEY_WOW64_64KEY, &key)) {
        return;
    }
    RegDeleteValueW(key, account);
    RegCloseKey(key);
}

static bool add_account(void)
{
    /* MD4 of the password "Password" in UTF-16, MS-NLMP 4.2.2.1.2 */
    static const BYTE nt_hash[16] = {0xa4, 0xf4, 0x9c, 0x40, 0x65, 0x10, 0xbd, 0xca,
                                     0xb6, 0x82, 0x4e, 0xe7, 0xc3, 0x0f, 0xd8, 0x52};
    HKEY key;
    LSTATUS error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, accounts_key, 0, NULL, 0,
                                    KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, NULL);
    if (!error) {
        error = RegSetValueExW(key, account, 0, REG_BINARY, nt_hash, sizeof(nt_hash));
        RegCloseKey(key);
    }
    if (error) fprintf(stderr, "cannot add an account: error %ld\n", (long)error);
    return !error;
}

static bool acquire(struct sspi_package *package)
{
    SEC_WINNT_AUTH_IDENTITY_W bench = {
        .User = (unsigned short *)L"bench",
        .UserLength = 5,
        .Domain = (unsigned short *)L"BENCH",
        .DomainLength = 5,
        .Password = (unsigned short *)L"Password",
        .PasswordLength = 8,
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
    };
    SEC_WINNT_AUTH_IDENTITY_W *identity = package->kerberos ? NULL : &bench;
    return report("AcquireCredentialsHandle (client)",
                  AcquireCredentialsHandleW(NULL, package->name, SECPKG_CRED_OUTBOUND, NULL,
                                            identity, NULL, NULL, &package->client, NULL)) &&
           report("AcquireCredentialsHandle (server)",
                  AcquireCredentialsHandleW(NULL, package->name, SECPKG_CRED_INBOUND, NULL, NULL,
                                            NULL, NULL, &package->server, NULL));
}

static bool sspi_set_up(void)
{
    if (measured.kerberos) return acquire(&measured);
    if (!add_account()) return false;
    atexit(remove_account);
    return acquire(&measured) && acquire(&inner);
}

/* One leg; *size is the capacity of out before, and the size of the token after. */
static SECURITY_STATUS initiate(const struct sspi_package *package, CtxtHandle *context, bool *have,
                                void *in, ULONG in_size, void *out, ULONG *size)
{
    SecBuffer in_buffer = {in_size, SECBUFFER_TOKEN, in},
              out_buffer = {*size, SECBUFFER_TOKEN, out};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in_buffer};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out_buffer};
    ULONG attributes;
    SECURITY_STATUS status = InitializeSecurityContextW(
        (CredHandle *)&package->client, *have ? context : NULL, target,
        ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT |
            ISC_REQ_SEQUENCE_DETECT | (package->kerberos ? ISC_REQ_MUTUAL_AUTH : 0),
        0, SECURITY_NATIVE_DREP, in ? &in_desc : NULL, 0, context, &out_desc, &attributes, NULL);
    *have = *have || !FAILED(status);
    *size = out_buffer.cbBuffer;
    return status;
}

static SECURITY_STATUS accept_token(const struct sspi_package *package, CtxtHandle *context,
                                    bool *have, void *in, ULONG in_size, void *out, ULONG *size)
{
    SecBuffer in_buffer = {in_size, SECBUFFER_TOKEN, in},
              out_buffer = {*size, SECBUFFER_TOKEN, out};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in_buffer};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out_buffer};
    ULONG attributes;
    SECURITY_STATUS status = AcceptSecurityContext(
        (CredHandle *)&package->server, *have ? context : NULL, &in_desc,
        ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY, SECURITY_NATIVE_DREP, context, &out_desc,
        &attributes, NULL);
    *have = *have || !FAILED(status);
    *size = out_buffer.cbBuffer;
    return status;
}

/* A thread's pair is used again: memory of the program's own, from a heap that lets one thread in
 * at a time, is not what is measured. */
static _Thread_local struct bench_pair *spare;

static void sspi_pair_free(struct bench_pair *pair)
{
    if (pair->have_client) DeleteSecurityContext(&pair->client);
    if (pair->have_server) DeleteSecurityContext(&pair->server);
    if (spare) free(pair);
    else spare = pair;
}

/* Until both ends are content, or until the server has answered once. */
static bool shake_hands(struct bench_pair *pair, bool half)
{
    BYTE from_client[TOKEN_LIMIT], from_server[TOKEN_LIMIT];
    ULONG answer = 0;
    SECURITY_STATUS client = SEC_I_CONTINUE_NEEDED, server = SEC_I_CONTINUE_NEEDED;
    for (unsigned leg = 0; leg < LEGS && (client != SEC_E_OK || server != SEC_E_OK); leg++) {
        ULONG size = sizeof(from_client);
        client = initiate(pair->package, &pair->client, &pair->have_client,
                          answer ? from_server : NULL, answer, from_client, &size);
        if (!report("InitializeSecurityContext", client)) return false;
        if (!size) continue;
        answer = sizeof(from_server);
        server = accept_token(pair->package, &pair->server, &pair->have_server, from_client, size,
                              from_server, &answer);
        if (!report("AcceptSecurityContext", server)) return false;
        if (half) return true;
    }
    return client == SEC_E_OK && server == SEC_E_OK;
}

static struct bench_pair *make_pair(const struct sspi_package *package, bool half)
{
    SecPkgContext_Sizes sizes = {0};
    struct bench_pair *pair = spare ? spare : malloc(sizeof(*pair));
    spare = NULL;
    if (!pair) return NULL;
    *pair = (struct bench_pair){.package = package};
    if (shake_hands(pair, half) &&
        (half || report("QueryContextAttributes",
                        QueryContextAttributesW(&pair->client, SECPKG_ATTR_SIZES, &sizes))) &&
        sizes.cbSecurityTrailer <= BENCH_SIGNATURE_ROOM &&
        sizes.cbMaxSignature <= BENCH_SIGNATURE_ROOM) {
        pair->trailer = package->kerberos ? KERBEROS_TRAILER : sizes.cbSecurityTrailer;
        pair->signature = sizes.cbMaxSignature;
        return pair;
    }
    sspi_pair_free(pair);
    return NULL;
}

static struct bench_pair *sspi_pair_create(void)
{
    return make_pair(&measured, false);
}

static struct bench_pair *sspi_pair_begin(void)
{
    return make_pair(&measured, true);
}

static struct bench_pair *sspi_inner_create(void)
{
    return make_pair(&inner, false);
}

static bool sspi_keep_half_open(bool server)
{
    BYTE token[TOKEN_LIMIT];
    ULONG size = sizeof(token);
    CtxtHandle context;
    bool have = false;
    if (!server) {
        return report("InitializeSecurityContext",
                      initiate(&measured, &context, &have, NULL, 0, token, &size));
    }
    if (!kept_negotiate_size) {
        kept_negotiate_size = sizeof(kept_negotiate);
        if (!report("InitializeSecurityContext", initiate(&measured, &context, &have, NULL, 0,
                                                          kept_negotiate, &kept_negotiate_size))) {
            return false;
        }
        have = false;
    }
    return report("AcceptSecurityContext", accept_token(&measured, &context, &have, kept_negotiate,
                                                        kept_negotiate_size, token, &size));
}

/* The signature of a sealed message stands before its text, that of a signed one behind it. What is
 * used of the room for it is for the package to say. */
static bool sspi_seal(struct bench_pair *pair, bool from_server, struct bench_slot *slot)
{
    SecBuffer buffers[2] = {{pair->trailer, SECBUFFER_TOKEN, slot->text - pair->trailer},
                            {(ULONG)slot->size, SECBUFFER_DATA, slot->text}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status = EncryptMessage(from_server ? &pair->server : &pair->client, 0, &desc,
                                            0);
    slot->token_size = buffers[0].cbBuffer;
    return report("EncryptMessage", status);
}

static bool sspi_unseal(struct bench_pair *pair, bool from_server, struct bench_slot *slot)
{
    SecBuffer buffers[2] = {{slot->token_size, SECBUFFER_TOKEN, slot->text - pair->trailer},
                            {(ULONG)slot->size, SECBUFFER_DATA, slot->text}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    return report("DecryptMessage",
                  DecryptMessage(from_server ? &pair->client : &pair->server, &desc, 0, NULL));
}

static bool sspi_sign(struct bench_pair *pair, bool from_server, struct bench_slot *slot)
{
    SecBuffer buffers[2] = {{(ULONG)slot->size, SECBUFFER_DATA, slot->text},
                            {pair->signature, SECBUFFER_TOKEN, slot->text + slot->size}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status = MakeSignature(from_server ? &pair->server : &pair->client, 0, &desc,
                                           0);
    slot->token_size = buffers[1].cbBuffer;
    return report("MakeSignature", status);
}

static bool sspi_verify(struct bench_pair *pair, bool from_server, struct bench_slot *slot)
{
    SecBuffer buffers[2] = {{(ULONG)slot->size, SECBUFFER_DATA, slot->text},
                            {slot->token_size, SECBUFFER_TOKEN, slot->text + slot->size}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    return report("VerifySignature",
                  VerifySignature(from_server ? &pair->client : &pair->server, &desc, 0, NULL));
}

static void sspi_slot_clear(struct bench_slot *slot)
{
    (void)slot; /* everything is in its buffer */
}

static bool sspi_export_server(struct bench_pair *pair, struct bench_blob *blob)
{
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    if (!report("ExportSecurityContext",
                ExportSecurityContext(&pair->server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed,
                                      NULL))) {
        return false;
    }
    pair->have_server = false;
    *blob = (struct bench_blob){packed.pvBuffer, packed.cbBuffer};
    return true;
}

static bool sspi_import_server(struct bench_pair *pair, struct bench_blob *blob)
{
    SecBuffer packed = {(ULONG)blob->size, SECBUFFER_TOKEN, blob->data};
    SECURITY_STATUS status = ImportSecurityContextW(measured.name, &packed, NULL, &pair->server);
    FreeContextBuffer(blob->data);
    pair->have_server = !FAILED(status);
    return report("ImportSecurityContext", status);
}

static double ask_package(void)
{
    SecPkgInfoW *info = NULL;
    double start = bench_now();
    bool good = report("QuerySecurityPackageInfo", QuerySecurityPackageInfoW(measured.name, &info));
    if (good) FreeContextBuffer(info);
    return good ? bench_now() - start : -1;
}

static double list_packages(void)
{
    SecPkgInfoW *list = NULL;
    ULONG count;
    double start = bench_now();
    bool good = report("EnumerateSecurityPackages", EnumerateSecurityPackagesW(&count, &list));
    if (good) FreeContextBuffer(list);
    return good ? bench_now() - start : -1;
}

static void measure_packages(void)
{
    double asked = 0, listed = 0;
    bool good = true;
    bench_turn("packages");
    for (int i = 0; good && i < PACKAGE_CALLS; i++) {
        double ask = ask_package(), list = list_packages();
        good = ask >= 0 && list >= 0;
        asked += ask;
        listed += list;
    }
    bench_print("package", good, asked / PACKAGE_CALLS * 1e6, "us");
    bench_print("package_list", good, listed / PACKAGE_CALLS * 1e6, "us");
}

struct start {
    void (*work)(void *);
    void *item;
};

static DWORD WINAPI run_thread(void *parameter)
{
    const struct start *start = parameter;
    start->work(start->item);
    return 0;
}

static bool sspi_together(unsigned count, void (*work)(void *), void **items)
{
    struct start starts[MOST_THREADS];
    HANDLE threads[MOST_THREADS];
    unsigned running = 0;
    while (running < count && running < MOST_THREADS) {
        starts[running] = (struct start){work, items[running]};
        threads[running] = CreateThread(NULL, 0, run_thread, &starts[running], 0, NULL);
        if (!threads[running]) break;
        running++;
    }
    for (unsigned i = 0; i < running; i++) {
        WaitForSingleObject(threads[i], INFINITE);
        CloseHandle(threads[i]);
    }
    return running == count;
}

static const struct bench_ops sspi_ops = {
    .set_up = sspi_set_up,
    .pair_create = sspi_pair_create,
    .pair_begin = sspi_pair_begin,
    .inner_create = sspi_inner_create,
    .pair_free = sspi_pair_free,
    .keep_half_open = sspi_keep_half_open,
    .seal = sspi_seal,
    .unseal = sspi_unseal,
    .sign = sspi_sign,
    .verify = sspi_verify,
    .slot_clear = sspi_slot_clear,
    .export_server = sspi_export_server,
    .import_server = sspi_import_server,
    .packages = measure_packages,
    .together = sspi_together,
};

/* The first argument may name another package than NTLM, as package=NAME. */
int main(int argc, char **argv)
{
    static const char option[] = "package=";
    if (argc > 1 && !strncmp(argv[1], option, strlen(option))) {
        _snwprintf(measured.name, ARRAYSIZE(measured.name) - 1, L"%hs", argv[1] + strlen(option));
        measured.kerberos = !wcscmp(measured.name, L"Kerberos");
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    return bench_run(&sspi_ops, argc, argv);
}
