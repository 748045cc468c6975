/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What nobody has published about Windows, for the record: which packages export and import a
 * context, in which state and with which flags, and what an imported context can do. These
 * cases expect nothing; on a machine with a record they say what is to be expected. A probe that
 * might crash runs in a process of its own.
 *
 * Left out: import as another user, which needs one, and in a process of the other width; the sizes
 * of TLS records by protocol and cipher, which need a certificate.
 */
#include <windows.h>
#include <security.h>

#include <wchar.h>

#include "loopback.h"

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
};

static int run_child(const char *number)
{
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
        loopback_close(&loop);
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) return run_child(argv[1]);
    RUN(test_export_flags);
    RUN(test_half_open);
    RUN(test_risky);
    RUN(test_sizes);
    return test_end("api_probes");
}
