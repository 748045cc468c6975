/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What nobody has published about Windows, for the record: which packages export and import a
 * context, in which state and with which flags, and what an imported context can do. These
 * cases expect nothing; on a machine with a record they say what is to be expected. A probe that
 * might crash runs in a process of its own.
 *
 * Left out: import as another user but nobody, which needs the password of one.
 */
#include <windows.h>
#include <security.h>

#include <wchar.h>

#include "loopback.h"
#include "tls_pair.h"

static const wchar_t *const packages[] = {L"NTLM", L"Negotiate", L"Kerberos"};
static const ULONG flag_values[] = {0, 1, 2, 3, 4, 8};
static struct loopback loop;

static const char *yes(bool value)
{
    return value ? "yes" : "no";
}

static CtxtHandle *side(bool server)
{
    return server ? &loop.server : &loop.client;
}

static bool signs(bool server)
{
    struct message message;
    message_set(&message, "probe", 5);
    return message_sign(side(server), &message) == SEC_E_OK &&
           message_verify(side(!server), &message) == SEC_E_OK;
}

/* The arguments of an export and what came of it. */
static SECURITY_STATUS export_probe(CtxtHandle *context, ULONG flags, SecBuffer *buffer,
                                    const char *what)
{
    HANDLE token = NULL;
    SECURITY_STATUS status = ExportSecurityContext(context, flags, buffer, &token);
    probe(what, "%08lx, buffer type %lu, %s bytes, token %s", status,
          buffer ? buffer->BufferType : 0, buffer && buffer->cbBuffer ? "some" : "no",
          yes(token != NULL));
    if (token) CloseHandle(token);
    return status;
}

/* ---- complete contexts ---- */

static void probe_flags(const wchar_t *package, bool server, ULONG flags)
{
    char what[96];
    SecBuffer buffer = {0, SECBUFFER_EMPTY, NULL};
    SECURITY_STATUS status = loopback_make(&loop, package, NULL);
    snprintf(what, sizeof(what), "%ls, %s, export with flags %lu", package,
             server ? "server" : "client", flags);
    if (status) {
        probe(what, "no contexts: %08lx", status);
        return;
    }
    status = export_probe(side(server), flags, &buffer, what);
    snprintf(what, sizeof(what), "%ls, %s, exported with flags %lu: the old one signs", package,
             server ? "server" : "client", flags);
    probe(what, "%s", yes(signs(server)));
    if (status == SEC_E_OK) FreeContextBuffer(buffer.pvBuffer);
    if (status == SEC_E_OK && flags & SECPKG_CONTEXT_EXPORT_DELETE_OLD)
        context_forget(side(server));
    loopback_close(&loop);
}

static void test_export_flags(void)
{
    for (unsigned p = 0; p < ARRAY_SIZE(packages); p++)
        for (unsigned f = 0; f < ARRAY_SIZE(flag_values); f++) {
            probe_flags(packages[p], false, flag_values[f]);
            probe_flags(packages[p], true, flag_values[f]);
        }
}

/* ---- half-open contexts ---- */

static void probe_half_open(const wchar_t *package)
{
    char what[96];
    if (loopback_open(&loop, package, NULL)) return;
    for (int server = 0; server < 2; server++) {
        SecBuffer buffer = {0, SECBUFFER_EMPTY, NULL};
        SECURITY_STATUS leg = server ? loopback_server_leg(&loop) : loopback_client_leg(&loop);
        snprintf(what, sizeof(what), "%ls, %s, export after the first leg", package,
                 server ? "server" : "client");
        if (leg != SEC_I_CONTINUE_NEEDED) {
            probe(what, "the leg: %08lx", leg);
            break;
        }
        if (export_probe(side(server), 0, &buffer, what) == SEC_E_OK)
            FreeContextBuffer(buffer.pvBuffer);
    }
    loopback_close(&loop);
}

static void test_half_open(void)
{
    for (unsigned p = 0; p < ARRAY_SIZE(packages); p++) probe_half_open(packages[p]);
}

/* ---- what may crash: each in a child, which is given its number ---- */

static void export_deleted(void)
{
    SecBuffer buffer = {0, SECBUFFER_EMPTY, NULL};
    CtxtHandle dead = loop.client;
    DeleteSecurityContext(&loop.client);
    context_forget(&loop.client);
    export_probe(&dead, 0, &buffer, "export of a deleted handle");
}

static void export_no_handle(void)
{
    SecBuffer buffer = {0, SECBUFFER_EMPTY, NULL};
    export_probe(NULL, 0, &buffer, "export without a handle");
}

static void export_no_buffer(void)
{
    export_probe(&loop.client, 0, NULL, "export without a buffer");
}

static void export_buffer_there(void)
{
    static BYTE room[65536];
    SecBuffer buffer = {sizeof(room), SECBUFFER_TOKEN, room};
    export_probe(&loop.client, 0, &buffer, "export into a buffer that is there");
    probe("the buffer that was there is used", "%s", yes(buffer.pvBuffer == room));
}

/* Imports this much of the blob, under this name, with one byte changed. */
static void import_probe(const char *what, const wchar_t *package, ULONG size, ULONG changed)
{
    struct blob blob;
    CtxtHandle context;
    SECURITY_STATUS status = context_export(&loop.client, 0, &blob, NULL);
    if (status) {
        probe(what, "no blob: %08lx", status);
        return;
    }
    if (size > blob.size) size = blob.size;
    if (changed < blob.size) blob.bytes[changed] ^= 1;
    status = context_import(package, blob.bytes, size, &context);
    probe(what, "%08lx", status);
    if (status == SEC_E_OK) DeleteSecurityContext(&context);
}

static void import_other_package(void)
{
    import_probe("import under the name of another package", L"Negotiate", ~0u, ~0u);
}

static void import_no_package(void)
{
    import_probe("import without a name", NULL, ~0u, ~0u);
}

static void import_unknown_package(void)
{
    import_probe("import under a name that no package has", L"Winetest", ~0u, ~0u);
}

static void import_nothing(void)
{
    import_probe("import of no bytes", L"NTLM", 0, ~0u);
}

static void import_cut(void)
{
    import_probe("import of 32 bytes", L"NTLM", 32, ~0u);
}

static void import_changed(void)
{
    import_probe("import with the first byte changed", L"NTLM", ~0u, 0);
    import_probe("import with the byte in the middle changed", L"NTLM", ~0u, 100);
}

static void import_twice(void)
{
    struct blob blob;
    CtxtHandle one, two;
    SECURITY_STATUS status = context_export(&loop.client, 2, &blob, NULL);
    probe("export that deletes", "%08lx", status);
    if (status) return;
    status = context_import(L"NTLM", blob.bytes, blob.size, &one);
    probe("the first import", "%08lx", status);
    if (!status) DeleteSecurityContext(&one);
    status = context_import(L"NTLM", blob.bytes, blob.size, &two);
    probe("the second import", "%08lx", status);
    if (!status) DeleteSecurityContext(&two);
}

/* Somebody else than whose context it is. */
static void import_as_nobody(void)
{
    struct blob blob;
    CtxtHandle context;
    SECURITY_STATUS status = context_export(&loop.server, 0, &blob, NULL);
    if (!status && !ImpersonateAnonymousToken(GetCurrentThread())) {
        probe("import by a thread that acts for nobody", "there is no nobody: %lu", GetLastError());
        return;
    }
    if (!status) status = context_import(L"NTLM", blob.bytes, blob.size, &context);
    RevertToSelf();
    probe("import by a thread that acts for nobody", "%08lx", status);
    if (!status) DeleteSecurityContext(&context);
}

/* This program for the other processor, which lies beside this one's folder. */
static bool other_program(wchar_t *path)
{
    static const wchar_t *const folders[][2] = {{L"x64", L"x86"},
                                                {L"x86_64-windows", L"i386-windows"}};
    if (!program_folder(path, MAX_PATH - 32)) return false;
    for (unsigned i = 0; i < ARRAY_SIZE(folders); i++) {
        const wchar_t *own = folders[i][sizeof(void *) == 4],
                      *other = folders[i][sizeof(void *) == 8];
        size_t length = wcslen(path), own_length = wcslen(own);
        wchar_t *folder = path + length - own_length - 1;
        if (length <= own_length + 1 || folder[-1] != '\\' || wcsncmp(folder, own, own_length))
            continue;
        wcscpy(folder, other);
        wcscat(folder, L"\\api_probes.exe");
        return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
    }
    return false;
}

static bool file_write(const wchar_t *path, const struct blob *blob)
{
    DWORD written = 0;
    HANDLE file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) return false;
    WriteFile(file, blob->bytes, blob->size, &written, NULL);
    CloseHandle(file);
    return written == blob->size;
}

static bool program_run(const wchar_t *program, const wchar_t *argument, DWORD *code)
{
    wchar_t line[2 * MAX_PATH + 8];
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;
    wsprintfW(line, L"\"%s\" \"%s\"", program, argument);
    fflush(stdout);
    if (!CreateProcessW(program, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        return false;
    bool ended = WaitForSingleObject(process.hProcess, 30000) == WAIT_OBJECT_0;
    if (!ended) TerminateProcess(process.hProcess, 99);
    GetExitCodeProcess(process.hProcess, code);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return ended;
}

static void import_other_width(void)
{
    static const char what[] = "import in a process of the other width";
    wchar_t program[MAX_PATH], folder[MAX_PATH], path[MAX_PATH];
    struct blob blob;
    DWORD code = 0;
    SECURITY_STATUS status = context_export(&loop.client, 0, &blob, NULL);
    if (status || !other_program(program)) {
        probe(what, status ? "no blob: %08lx" : "no such program", status);
        return;
    }
    if (!GetTempPathW(MAX_PATH, folder) || !GetTempFileNameW(folder, L"prb", 0, path)) return;
    if (!file_write(path, &blob)) probe(what, "no file");
    else if (!program_run(program, path, &code)) probe(what, "no start, or no end");
    else probe("the process of the other width ends with", "%lx", code);
    DeleteFileW(path);
}

/* In that process. */
static int import_file(const char *path)
{
    struct blob blob = {.size = 0};
    CtxtHandle context;
    DWORD size = 0;
    HANDLE file = CreateFileA(path, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
    statement_case(__FILE__, "test_risky");
    if (file == INVALID_HANDLE_VALUE) return 97;
    ReadFile(file, blob.bytes, sizeof(blob.bytes), &size, NULL);
    CloseHandle(file);
    SECURITY_STATUS status = context_import(L"NTLM", blob.bytes, size, &context);
    probe("import in a process of the other width", "%08lx", status);
    if (!status) DeleteSecurityContext(&context);
    return 0;
}

static void imported_uses(void)
{
    static const ULONG attributes[] = {SECPKG_ATTR_SIZES, SECPKG_ATTR_NAMES,
                                       SECPKG_ATTR_SESSION_KEY, SECPKG_ATTR_NEGOTIATION_INFO};
    struct blob blob;
    CtxtHandle imported;
    SECURITY_STATUS status = context_export(&loop.server, 0, &blob, NULL);
    if (!status) status = context_import(L"NTLM", blob.bytes, blob.size, &imported);
    probe("import of a server", "%08lx", status);
    if (status) return;
    for (unsigned i = 0; i < ARRAY_SIZE(attributes); i++) {
        char what[64];
        BYTE room[64] = {0};
        snprintf(what, sizeof(what), "attribute %lu of an imported server", attributes[i]);
        status = QueryContextAttributesW(&imported, attributes[i], room);
        probe(what, "%08lx", status);
    }
    status = ImpersonateSecurityContext(&imported);
    probe("an imported server impersonates", "%08lx", status);
    if (!status) RevertSecurityContext(&imported);
    DeleteSecurityContext(&loop.server);
    loop.server = imported;
    probe("an imported server goes on with the sequence", "%s", yes(signs(true) && signs(false)));
}

static void (*const risky[])(void) = {
    export_deleted,       export_no_handle,       export_no_buffer, export_buffer_there,
    import_other_package, import_no_package,      import_nothing,   import_cut,
    import_changed,       import_unknown_package, import_twice,     imported_uses,
    import_as_nobody,     import_other_width,
};

static int run_child(const char *number)
{
    if (number[0] < '0' || number[0] > '9' || strchr(number, '\\')) return import_file(number);
    const unsigned index = (unsigned)atoi(number);
    statement_case(__FILE__, "test_risky");
    if (index >= ARRAY_SIZE(risky)) return 98;
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", NULL);
    if (status) {
        probe("contexts of NTLM", "%08lx", status);
        return 0;
    }
    signs(false);
    risky[index]();
    loopback_close(&loop);
    return 0;
}

static void test_risky(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(risky); i++) {
        wchar_t argument[16];
        char what[64];
        DWORD code = 0;
        swprintf(argument, ARRAY_SIZE(argument), L"%u", i);
        snprintf(what, sizeof(what), "the process of probe %u ends with", i);
        if (!child_run(argument, &code)) probe(what, "no start, or no end");
        else probe(what, "%lx", code);
        ok(!running_on_ours() || !code, "probe %u ended with %lx", i, code); /* ours */
    }
}

/* ---- sizes ---- */

/* The sizes of Kerberos depend on it, which is the choice of the domain. */
static void probe_algorithm(const wchar_t *package)
{
    char what[64];
    SecPkgContext_KeyInfoW info = {NULL};
    snprintf(what, sizeof(what), "%ls, encryption of these sizes", package);
    SECURITY_STATUS status = QueryContextAttributesW(&loop.client, SECPKG_ATTR_KEY_INFO, &info);
    probe(what, "%08lx: %lx, %lu bits", status, info.EncryptAlgorithm, info.KeySize);
    if (status) return;
    FreeContextBuffer(info.sSignatureAlgorithmName);
    FreeContextBuffer(info.sEncryptAlgorithmName);
}

static void test_sizes(void)
{
    for (unsigned p = 0; p < ARRAY_SIZE(packages); p++) {
        char what[64];
        SecPkgContext_Sizes sizes = {0};
        snprintf(what, sizeof(what), "%ls, sizes", packages[p]);
        SECURITY_STATUS status = loopback_make(&loop, packages[p], NULL);
        if (status) {
            probe(what, "no contexts: %08lx", status);
            continue;
        }
        status = QueryContextAttributesW(&loop.client, SECPKG_ATTR_SIZES, &sizes);
        probe(what, "%08lx: token %lu, signature %lu, block %lu, trailer %lu", status,
              sizes.cbMaxToken, sizes.cbMaxSignature, sizes.cbBlockSize, sizes.cbSecurityTrailer);
        probe_algorithm(packages[p]);
        loopback_close(&loop);
    }
}

/* ---- records of TLS ---- */

static struct tls_pair tls;

/* What a suite is made of, in the words of TLS_PARAMETERS: whatever else a client could use of the
 * same kind is switched off. The hash is that of the name. */
static const struct suite {
    const char *name;
    enum tls_pair_version version;
    const wchar_t *cipher, *mode;
    DWORD bits;
    const wchar_t *hash;
} suites[] = {
#define CBC_OF(text, version, hash)                                          \
    {text ", AES-128 CBC", version, L"AES", L"ChainingModeCBC", 128, hash},  \
    {                                                                        \
        text ", AES-256 CBC", version, L"AES", L"ChainingModeCBC", 256, hash \
    }
    CBC_OF("TLS 1.0, SHA1", TLS_PAIR_1_0, L"SHA1"),
    CBC_OF("TLS 1.1, SHA1", TLS_PAIR_1_1, L"SHA1"),
    CBC_OF("TLS 1.2, SHA1", TLS_PAIR_1_2, L"SHA1"),
    CBC_OF("TLS 1.2, SHA256", TLS_PAIR_1_2, L"SHA256"),
    CBC_OF("TLS 1.2, SHA384", TLS_PAIR_1_2, L"SHA384"),
#undef CBC_OF
    {"TLS 1.0, 3DES", TLS_PAIR_1_0, L"3DES", NULL, 0, L"SHA1"},
    {"TLS 1.2, 3DES", TLS_PAIR_1_2, L"3DES", NULL, 0, L"SHA1"},
    {"TLS 1.2, AES-128 GCM", TLS_PAIR_1_2, L"AES", L"ChainingModeGCM", 128, L"SHA256"},
    {"TLS 1.2, AES-256 GCM", TLS_PAIR_1_2, L"AES", L"ChainingModeGCM", 256, L"SHA384"},
    {"TLS 1.2, ChaCha20", TLS_PAIR_1_2, L"CHACHA20_POLY1305", NULL, 0, L"SHA256"},
    {"TLS 1.3, AES-128 GCM", TLS_PAIR_1_3, L"AES", L"ChainingModeGCM", 128, L"SHA256"},
    {"TLS 1.3, AES-256 GCM", TLS_PAIR_1_3, L"AES", L"ChainingModeGCM", 256, L"SHA384"},
    {"TLS 1.3, ChaCha20", TLS_PAIR_1_3, L"CHACHA20_POLY1305", NULL, 0, L"SHA256"},
};

struct settings {
    UNICODE_STRING modes[2];
    CRYPTO_SETTINGS list[12];
    DWORD count;
};

static UNICODE_STRING name_of(const wchar_t *name)
{
    USHORT size = (USHORT)(wcslen(name) * sizeof(*name));
    return (UNICODE_STRING){size, size, (wchar_t *)name};
}

static CRYPTO_SETTINGS *switch_off(struct settings *out, eTlsAlgorithmUsage usage,
                                   const wchar_t *name)
{
    CRYPTO_SETTINGS *setting = &out->list[out->count++];
    *setting = (CRYPTO_SETTINGS){.eAlgorithmUsage = usage, .strCngAlgId = name_of(name)};
    return setting;
}

static void settings_make(const struct suite *suite, struct settings *out)
{
    static const wchar_t *const ciphers[] = {L"AES", L"3DES", L"CHACHA20_POLY1305"};
    static const wchar_t *const hashes[] = {L"SHA1", L"SHA256", L"SHA384"};
    static const wchar_t *const modes[] = {L"ChainingModeCBC", L"ChainingModeGCM",
                                           L"ChainingModeCCM"};
    DWORD mode_count = 0;
    *out = (struct settings){.count = 0};
    for (unsigned i = 0; i < ARRAY_SIZE(ciphers); i++)
        if (wcscmp(ciphers[i], suite->cipher))
            switch_off(out, TlsParametersCngAlgUsageCipher, ciphers[i]);
    for (unsigned i = 0; i < ARRAY_SIZE(hashes); i++)
        if (wcscmp(hashes[i], suite->hash))
            switch_off(out, TlsParametersCngAlgUsageDigest, hashes[i]);
    if (!suite->mode) return;
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++)
        if (wcscmp(modes[i], suite->mode)) out->modes[mode_count++] = name_of(modes[i]);
    CRYPTO_SETTINGS *setting = switch_off(out, TlsParametersCngAlgUsageCipher, L"AES");
    setting->cChainingModes = mode_count;
    setting->rgstrChainingModes = out->modes;
    setting = switch_off(out, TlsParametersCngAlgUsageCipher, L"AES");
    setting->dwMinBitLength = setting->dwMaxBitLength = 384 - suite->bits;
}

#define ALL_VERSIONS \
    (SP_PROT_TLS1_0 | SP_PROT_TLS1_1 | SP_PROT_TLS1_2 | SP_PROT_TLS1_3 | SP_PROT_SSL3)

/* The client's credential again, for this suite alone. */
static SECURITY_STATUS suite_credential(const struct suite *suite, CredHandle *out)
{
    static const DWORD bits[] = {0, SP_PROT_TLS1_0, SP_PROT_TLS1_1, SP_PROT_TLS1_2, SP_PROT_TLS1_3};
    struct settings settings;
    settings_make(suite, &settings);
    TLS_PARAMETERS parameters = {.grbitDisabledProtocols = ALL_VERSIONS & ~bits[suite->version],
                                 .cDisabledCrypto = settings.count,
                                 .pDisabledCrypto = settings.list};
    SCH_CREDENTIALS cred = {.dwVersion = SCH_CREDENTIALS_VERSION,
                            .dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_NO_DEFAULT_CREDS,
                            .cTlsParameters = 1,
                            .pTlsParameters = &parameters};
    TimeStamp expiry;
    FreeCredentialsHandle(out);
    return AcquireCredentialsHandleW(NULL, (wchar_t *)UNISP_NAME_W, SECPKG_CRED_OUTBOUND, NULL,
                                     &cred, NULL, NULL, out, &expiry);
}

/* What a message of this size becomes. */
static void probe_record(const struct suite *suite, const SecPkgContext_StreamSizes *sizes,
                         DWORD size)
{
    static BYTE room[512 + 16384 + 512];
    char what[96];
    SecBuffer buffers[4] = {{sizes->cbHeader, SECBUFFER_STREAM_HEADER, room},
                            {size, SECBUFFER_DATA, room + 512},
                            {sizes->cbTrailer, SECBUFFER_STREAM_TRAILER, room + 512 + 16384},
                            {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
    snprintf(what, sizeof(what), "%s, record of %lu bytes", suite->name, size);
    if (sizes->cbHeader > 512 || sizes->cbTrailer > 512) return;
    SECURITY_STATUS status = EncryptMessage(&tls.client, 0, &desc, 0);
    probe(what, "%08lx: %lu + %lu + %lu", status, buffers[0].cbBuffer, buffers[1].cbBuffer,
          buffers[2].cbBuffer);
}

static void probe_suite(const struct suite *suite)
{
    static const DWORD messages[] = {1, 16};
    const struct tls_pair_options options = {.server_version = suite->version};
    char what[96];
    SecPkgContext_StreamSizes sizes = {0};
    SecPkgContext_CipherInfo info = {.dwVersion = SECPKGCONTEXT_CIPHERINFO_V1};
    SECURITY_STATUS status = tls_pair_open(&tls, &options);
    bool opened = !status;
    snprintf(what, sizeof(what), "%s, sizes of records", suite->name);
    if (opened) status = suite_credential(suite, &tls.client_cred);
    if (!status) status = tls_pair_connect(&tls);
    if (!status) status = QueryContextAttributesW(&tls.client, SECPKG_ATTR_CIPHER_INFO, &info);
    if (!status) status = QueryContextAttributesW(&tls.client, SECPKG_ATTR_STREAM_SIZES, &sizes);
    if (status) probe(what, "no connection: %08lx", status);
    else
        probe(what, "suite %04lx: header %lu, trailer %lu, maximum %lu, buffers %lu, block %lu",
              info.dwCipherSuite, sizes.cbHeader, sizes.cbTrailer, sizes.cbMaximumMessage,
              sizes.cBuffers, sizes.cbBlockSize);
    for (unsigned i = 0; i < ARRAY_SIZE(messages) && !status; i++)
        probe_record(suite, &sizes, messages[i]);
    if (opened) tls_pair_close(&tls);
}

static void test_stream_sizes(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(suites); i++) probe_suite(&suites[i]);
}

int main(int argc, char **argv)
{
    if (argc > 1) return run_child(argv[1]);
    RUN(test_export_flags);
    RUN(test_half_open);
    RUN(test_risky);
    RUN(test_sizes);
    RUN(test_stream_sizes);
    tls_certs_end();
    return test_end("api_probes");
}
