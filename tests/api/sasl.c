/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SASL profiles, options, GSS-SPNEGO and EXTERNAL. [D] the pages of the Sasl functions. The rounds
 * of GSSAPI are in api_sasl_rounds.
 */
#include "sasl_peer.h"

#include <wchar.h>

static struct account account;
static bool have_account;
static struct loopback loop;

/* ---- profiles ---- */

static unsigned list_count(const wchar_t *list)
{
    unsigned count = 0;
    for (; *list; list += wcslen(list) + 1) count++;
    return count;
}

static bool list_has(const wchar_t *list, const wchar_t *name)
{
    for (; *list; list += wcslen(list) + 1)
        if (!wcscmp(list, name)) return true;
    return false;
}

/* [D SaslEnumerateProfiles] names of the profiles, one list with a terminator of its own */
static void check_lists(void)
{
    wchar_t *wide = NULL;
    char *ansi = NULL;
    ULONG wide_count = 99, ansi_count = 99;
    SECURITY_STATUS status = SaslEnumerateProfilesW(&wide, &wide_count);
    if (!ok(!status && wide, "W: %08lx", status)) return;
    ok(list_count(wide) == wide_count, "%u names, %lu", list_count(wide), wide_count);
    status = SaslEnumerateProfilesA(&ansi, &ansi_count);
    if (ok(!status && ansi, "A: %08lx", status)) {
        const wchar_t *w = wide;
        const char *a = ansi;
        ok(ansi_count == wide_count, "%lu names", ansi_count);
        for (ULONG i = 0; i < wide_count; i++, w += wcslen(w) + 1, a += strlen(a) + 1) {
            SecPkgInfoW *info = NULL;
            for (size_t at = 0; at <= wcslen(w); at++) ok(w[at] == (BYTE)a[at], "name %lu", i);
            status = SaslGetProfilePackageW((wchar_t *)w, &info);
            ok(!status && info, "%ls: %08lx", w, status);
            FreeContextBuffer(info);
        }
        ok(!*a, "no end");
        FreeContextBuffer(ansi);
    }
    FreeContextBuffer(wide);
}

static void test_built_in_profiles(void)
{
    SecPkgInfoW *wide = NULL;
    SecPkgInfoA *ansi = NULL;
    check_lists();
    SECURITY_STATUS status = SaslGetProfilePackageW((wchar_t *)L"GSS-SPNEGO", &wide);
    if (ok(!status && !wcscmp(wide->Name, L"Negotiate"), "GSS-SPNEGO: %08lx", status)) {
        ok(wide->cbMaxToken && wide->Comment, "information");
        FreeContextBuffer(wide);
    }
    status = SaslGetProfilePackageA((char *)"GSS-SPNEGO", &ansi);
    if (ok(!status && !strcmp(ansi->Name, "Negotiate"), "A: %08lx", status))
        FreeContextBuffer(ansi);
    wide = NULL;
    ansi = NULL;
    /* [D SaslGetProfilePackage] */
    status = SaslGetProfilePackageW((wchar_t *)L"NO-SUCH", &wide);
    ok(status == SEC_E_SECPKG_NOT_FOUND && !wide, "unknown: %08lx", status);
    status = SaslGetProfilePackageA((char *)"NO-SUCH", &ansi);
    ok(status == SEC_E_SECPKG_NOT_FOUND && !ansi, "unknown, A: %08lx", status);
    if (!running_on_ours()) return;
    status = SaslGetProfilePackageW((wchar_t *)L"DIGEST-MD5", &wide);
    ok(status == SEC_E_SECPKG_NOT_FOUND && !wide, "without its package: %08lx", status);
    status = SaslGetProfilePackageW(NULL, &wide);
    ok(status == SEC_E_SECPKG_NOT_FOUND && !wide, "NULL: %08lx", status);
    status = SaslGetProfilePackageW((wchar_t *)L"GSS-SPNEGO", NULL);
    ok(status == SEC_E_INVALID_PARAMETER, "nowhere to write: %08lx", status);
    status = SaslEnumerateProfilesW(NULL, NULL);
    ok(status == SEC_E_INVALID_PARAMETER, "nowhere to write: %08lx", status);
}

/* [D SaslEnumerateProfiles] the registry has the list; ours: what it cannot be is left out */
static void test_configured_profiles(void)
{
    static const wchar_t *const pairs[][2] = {
        {L"ONE", L"NTLM"},
        {L"ONE-MORE", L"Negotiate"},
        {L"GONE", L"NoSuchPackage"},
        {L"NOT A NAME", L"NTLM"},
        {L"", L"NTLM"},
        {L"AAAAAAAAAABBBBBBBBBBC", L"NTLM"},
        {L"AAAAAAAAAABBBBBBBBBB", L"ntlm"},
    };
    wchar_t *list;
    ULONG count;
    if (!ours_only()) return;
    if (!ok(profiles_set(pairs, ARRAYSIZE(pairs)), "the profiles cannot be set")) return;
    check_lists();
    if (ok(!SaslEnumerateProfilesW(&list, &count), "no list")) {
        ok(count == 3 && list_has(list, L"ONE") && list_has(list, L"ONE-MORE"), "%lu", count);
        ok(list_has(list, L"AAAAAAAAAABBBBBBBBBB") && !list_has(list, L"GSS-SPNEGO"), "names");
        FreeContextBuffer(list);
    }
    ok(profiles_set(NULL, 0), "no profiles at all");
    check_lists();
    ok(!SaslEnumerateProfilesW(&list, &count) && !count && !list[0] && !list[1], "empty");
    FreeContextBuffer(list);
    ok(profiles_restore(), "not as they were");
}

static SECURITY_STATUS identify(const char *text, ULONG size, wchar_t *name)
{
    SecPkgInfoW *wide = NULL;
    SecPkgInfoA *ansi = NULL;
    SecBuffer buffer = {size, SECBUFFER_TOKEN, (void *)text};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &buffer};
    SECURITY_STATUS status = SaslIdentifyPackageW(&desc, &wide);
    SECURITY_STATUS again = SaslIdentifyPackageA(&desc, &ansi);
    ok(status == again && !wide == !ansi && !wide == (status != 0), "A: %08lx, %08lx", again,
       status);
    if (wide && ansi) {
        wcscpy(name, wide->Name);
        for (size_t i = 0; i <= wcslen(name); i++) ok((BYTE)ansi->Name[i] == name[i], "A: name");
    }
    FreeContextBuffer(wide);
    FreeContextBuffer(ansi);
    return status;
}

/* [D SaslIdentifyPackage] the beginning of the buffer against the names */
static void test_identify(void)
{
    static const wchar_t *const pairs[][2] = {{L"ONE", L"NTLM"}, {L"ONE-MORE", L"Negotiate"}};
    wchar_t name[64];
    SecPkgInfoW *info = NULL;
    ok(!identify("GSS-SPNEGO", 10, name) && !wcscmp(name, L"Negotiate"), "a name");
    ok(!identify("GSS-SPNEGO YIIB", 15, name) && !wcscmp(name, L"Negotiate"), "and more");
    ok(identify("GSS-SPNEG", 9, name) == SEC_E_SECPKG_NOT_FOUND, "not all of it");
    ok(identify("XGSS-SPNEGO", 11, name) == SEC_E_SECPKG_NOT_FOUND, "not the beginning");
    if (!ours_only()) return;
    ok(identify("", 0, name) == SEC_E_SECPKG_NOT_FOUND, "nothing");
    ok(SaslIdentifyPackageW(NULL, &info) == SEC_E_SECPKG_NOT_FOUND && !info, "NULL");
    if (!ok(profiles_set(pairs, ARRAYSIZE(pairs)), "the profiles cannot be set")) return;
    ok(!identify("ONE-MORE x", 10, name) && !wcscmp(name, L"Negotiate"), "the longest");
    ok(!identify("ONE-MOR", 7, name) && !wcscmp(name, L"NTLM"), "the shorter");
    ok(profiles_restore(), "not as they were");
}

/* ---- GSS-SPNEGO ---- */

static bool spnego_open(ULONG client_flags, ULONG server_flags)
{
    SECURITY_STATUS status = loopback_open(&loop, L"Negotiate", have_account ? &account : NULL);
    loop.client_flags = client_flags;
    loop.server_flags = server_flags;
    return ok(!status, "no credentials: %08lx", status);
}

/* No rounds follow (MS-ADTS 5.1.2.1): flags say what is protected, and the context is as any */
static void test_spnego(void)
{
    static const ULONG flags[][2] = {
        {0, 0}, {ISC_REQ_INTEGRITY, ASC_REQ_INTEGRITY}, {SEAL_FLAGS, SERVER_SEAL_FLAGS}};
    if (!ours_only()) return;
    for (unsigned i = 0; i < ARRAYSIZE(flags); i++) {
        if (!spnego_open(flags[i][0], flags[i][1])) return;
        SECURITY_STATUS status = sasl_connect(&loop);
        ok(!status && !loop.token_size, "row %u: %08lx", i, status);
        ok(!(loop.client_attrs & ISC_RET_CONFIDENTIALITY) == (i < 2), "row %u: privacy", i);
        ok(!(loop.client_attrs & ISC_RET_INTEGRITY) == (i < 1), "row %u: integrity", i);
        ok(!(loop.server_attrs & ASC_RET_INTEGRITY) == (i < 1), "row %u: at the server", i);
        if (i == 2) {
            ok(contexts_talk(&loop.client, &loop.server), "they do not talk");
            ok(!message_pass(&loop.client, &loop.server, 0, 0x10000), "no limit was agreed on");
        }
        status = sasl_client_leg(&loop);
        ok(status == SEC_E_OUT_OF_SEQUENCE, "row %u: once more: %08lx", i, status);
        loopback_close(&loop);
    }
}

/* A SASL end and one that is not understand each other */
static void test_spnego_with_others(void)
{
    if (!ours_only()) return;
    for (int sasl_server = 0; sasl_server < 2; sasl_server++) {
        SECURITY_STATUS client = SEC_I_CONTINUE_NEEDED, server = SEC_I_CONTINUE_NEEDED;
        if (!spnego_open(SEAL_FLAGS, SERVER_SEAL_FLAGS)) return;
        for (int leg = 0; leg < 4 && client >= 0 && server >= 0 && (client || server); leg++) {
            if (client) client = sasl_server ? loopback_client_leg(&loop) : sasl_client_leg(&loop);
            if (server) server = sasl_server ? sasl_server_leg(&loop) : loopback_server_leg(&loop);
        }
        ok(!client && !server, "%d: %08lx, %08lx", sasl_server, client, server);
        ok(contexts_talk(&loop.client, &loop.server), "they do not talk");
        loopback_close(&loop);
    }
}

static void test_spnego_export(void)
{
    struct blob blob;
    CtxtHandle moved;
    ULONG size = 5000, needed = 0;
    if (!ours_only() || !spnego_open(SEAL_FLAGS, SERVER_SEAL_FLAGS)) return;
    ok(sasl_client_leg(&loop) > 0, "first leg");
    ok(!SaslSetContextOption(&loop.client, SASL_OPTION_RECV_SIZE, &size, sizeof(size)), "set");
    SECURITY_STATUS status = context_export(&loop.client, 0, &blob, NULL);
    ok(status == SEC_E_NOT_SUPPORTED, "half-open: %08lx", status);
    while (sasl_server_leg(&loop) == SEC_I_CONTINUE_NEEDED) sasl_client_leg(&loop);
    if (loop.token_size) sasl_client_leg(&loop);
    status = context_export(&loop.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL);
    if (ok(!status, "exported: %08lx", status)) {
        context_forget(&loop.client);
        status = context_import(L"Negotiate", blob.bytes, blob.size, &moved);
        ok(!status, "imported: %08lx", status);
        ok(contexts_talk(&moved, &loop.server), "they do not talk");
        size = 0;
        status = SaslGetContextOption(&moved, SASL_OPTION_RECV_SIZE, &size, sizeof(size), &needed);
        ok(!status && size == 5000, "size %lu: %08lx", size, status);
        DeleteSecurityContext(&moved);
    }
    loopback_close(&loop);
}

/* ---- options ---- */

static SECURITY_STATUS set(ULONG option, ULONG value, ULONG size)
{
    return SaslSetContextOption(&loop.client, option, &value, size);
}

/* [D SaslSetContextOption], [D SaslGetContextOption] */
static void test_options(void)
{
    ULONG value = 0, needed = 0;
    char text[8];
    if (!ours_only() || !spnego_open(SEAL_FLAGS, SERVER_SEAL_FLAGS)) return;
    ok(sasl_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "first leg");
    CtxtHandle *context = &loop.client;
    SECURITY_STATUS status;
    status = SaslGetContextOption(context, SASL_OPTION_AUTHZ_PROCESSING, &value, 4, &needed);
    ok(!status && value == Sasl_AuthZIDProcessed && needed == 4, "default: %08lx", status);
    status = SaslGetContextOption(context, SASL_OPTION_RECV_SIZE, &value, 4, NULL);
    ok(!status && value == 0xffff, "default: %08lx, %lx", status, value);
    status = SaslGetContextOption(context, SASL_OPTION_SEND_SIZE, &value, 3, &needed);
    ok(status == SEC_E_BUFFER_TOO_SMALL && needed == 4, "short: %08lx", status);
    status = SaslGetContextOption(context, SASL_OPTION_SEND_SIZE, NULL, 0, &needed);
    ok(status == SEC_E_BUFFER_TOO_SMALL && needed == 4, "none: %08lx", status);
    status = SaslGetContextOption(context, SASL_OPTION_AUTHZ_STRING, text, 8, &needed);
    ok(!status && !needed, "no string: %08lx", status);
    status = SaslGetContextOption(context, 5, &value, 4, &needed);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "unknown: %08lx", status);
    status = SaslGetContextOption(context, 0, &value, 4, &needed);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "unknown: %08lx", status);

    ok(!set(SASL_OPTION_SEND_SIZE, 0x1000, 4), "send size");
    status = SaslGetContextOption(context, SASL_OPTION_SEND_SIZE, &value, 4, &needed);
    ok(!status && value == 0x1000, "as set: %08lx, %lx", status, value);
    ok(set(SASL_OPTION_SEND_SIZE, 1, 3) == SEC_E_BUFFER_TOO_SMALL, "short");
    ok(set(SASL_OPTION_RECV_SIZE, 0, 4) == SEC_E_INVALID_PARAMETER, "nothing");
    ok(set(SASL_OPTION_RECV_SIZE, 0x1000000, 4) == SEC_E_INVALID_PARAMETER, "four octets");
    ok(set(SASL_OPTION_AUTHZ_PROCESSING, 2, 4) == SEC_E_INVALID_PARAMETER, "processing");
    ok(set(5, 1, 4) == SEC_E_UNSUPPORTED_FUNCTION, "unknown");
    status = SaslSetContextOption(context, SASL_OPTION_SEND_SIZE, NULL, 4);
    ok(status == SEC_E_INVALID_PARAMETER, "NULL: %08lx", status);
    /* ours: the mechanism cannot carry it */
    status = SaslSetContextOption(context, SASL_OPTION_AUTHZ_STRING, text, 2);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "string: %08lx", status);
    loopback_close(&loop);
}

/* [D]: SEC_E_INVALID_HANDLE for what is no SASL context */
static void test_handles(void)
{
    CtxtHandle none = {0, 0}, invented = {1234, 5678};
    ULONG value = 1;
    SecBuffer buffer = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &buffer}, bad = {7, 1, &buffer};
    if (!ours_only() || !spnego_open(SEAL_FLAGS, SERVER_SEAL_FLAGS)) return;
    if (!ok(!loopback_connect(&loop), "not connected")) return;
    CtxtHandle *contexts[] = {NULL, &none, &invented, &loop.client_cred, &loop.client};
    for (unsigned i = 0; i < ARRAYSIZE(contexts); i++) {
        SECURITY_STATUS status;
        status = SaslSetContextOption(contexts[i], SASL_OPTION_RECV_SIZE, &value, 4);
        ok(status == SEC_E_INVALID_HANDLE, "%u: set: %08lx", i, status);
        status = SaslGetContextOption(contexts[i], SASL_OPTION_RECV_SIZE, &value, 4, NULL);
        ok(status == SEC_E_INVALID_HANDLE, "%u: get: %08lx", i, status);
        if (!contexts[i]) continue;
        status = SaslInitializeSecurityContextW(&loop.client_cred, contexts[i], NULL, 0, 0, 0,
                                                &desc, 0, NULL, &desc, NULL, NULL);
        ok(status == SEC_E_INVALID_HANDLE, "%u: initialize: %08lx", i, status);
        status = SaslAcceptSecurityContext(&loop.server_cred, contexts[i], &desc, 0, 0, NULL, &desc,
                                           NULL, NULL);
        ok(status == SEC_E_INVALID_HANDLE, "%u: accept: %08lx", i, status);
        if (contexts[i] == &loop.client_cred) continue;
        status = SaslInitializeSecurityContextW(contexts[i], NULL, NULL, 0, 0, 0, NULL, 0, &none,
                                                &desc, NULL, NULL);
        ok(status == SEC_E_INVALID_HANDLE && !none.dwLower, "%u: credential: %08lx", i, status);
    }
    SECURITY_STATUS status = SaslInitializeSecurityContextW(NULL, NULL, NULL, 0, 0, 0, NULL, 0,
                                                            &none, &desc, NULL, NULL);
    ok(status == SEC_E_INVALID_HANDLE, "neither: %08lx", status);
    status = SaslInitializeSecurityContextW(&loop.client_cred, NULL, NULL, 0, 0, 0, NULL, 0, &none,
                                            &bad, NULL, NULL);
    ok(status == SEC_E_INVALID_TOKEN && !none.dwLower, "descriptor: %08lx", status);
    status = SaslInitializeSecurityContextW(&loop.client_cred, NULL, NULL, 0, 0, 0, NULL, 0, NULL,
                                            &desc, NULL, NULL);
    ok(status == SEC_E_INVALID_HANDLE, "nowhere to write: %08lx", status);
    ok(contexts_talk(&loop.client, &loop.server), "hurt");
    loopback_close(&loop);

    /* A package without a profile */
    if (!ok(!loopback_open(&loop, L"NTLM", NULL), "no credentials")) return;
    status = sasl_client_leg(&loop);
    ok(status == SEC_E_SECPKG_NOT_FOUND && !context_present(&loop.client), "NTLM: %08lx", status);
    status = sasl_server_leg(&loop);
    ok(status == SEC_E_SECPKG_NOT_FOUND && !context_present(&loop.server), "NTLM: %08lx", status);
    loopback_close(&loop);
}

/* ---- EXTERNAL ---- */

/* A call of the other end's function leaves the context as it was, which can still be exported */
static void external_wrong_end(void)
{
    static struct blob blob;
    CtxtHandle server = loop.server;
    loop.server = loop.client;
    SECURITY_STATUS status = sasl_server_leg(&loop);
    ok(status == SEC_E_INVALID_HANDLE, "accept: %08lx", status);
    loop.server = server;
    status = context_export(&loop.client, 0, &blob, NULL);
    ok(!status, "exported: %08lx", status);
}

/* RFC 4422 appendix A: over a context that is there, one message says who the client acts for */
static void test_external(void)
{
    static const wchar_t *const pairs[][2] = {{L"EXTERNAL", L"NTLM"}};
    char name[16];
    ULONG needed = 0;
    if (!ours_only()) return;
    if (!ok(profiles_set(pairs, 1), "the profiles cannot be set")) return;
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", have_account ? &account : NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return;
    status = sasl_client_leg(&loop);
    ok(status == SEC_E_SECPKG_NOT_FOUND, "without a context: %08lx", status);
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "first leg");
    status = sasl_client_leg(&loop);
    ok(status == SEC_E_INVALID_HANDLE, "with half a context: %08lx", status);
    ok(!loopback_server_leg(&loop) == 0 && !loopback_client_leg(&loop), "second leg");
    ok(!loopback_server_leg(&loop), "third leg");

    external_wrong_end();
    status = SaslSetContextOption(&loop.client, SASL_OPTION_AUTHZ_STRING, (void *)"bob", 3);
    ok(!status, "set: %08lx", status);
    ok(contexts_talk(&loop.client, &loop.server), "hurt");
    status = sasl_client_leg(&loop);
    ok(!status && loop.token_size == 3 && !memcmp(loop.token, "bob", 3), "message: %08lx", status);
    BYTE last = loop.token[2];
    loop.token[2] = 0xff;
    status = sasl_server_leg(&loop);
    ok(status == SEC_E_INVALID_TOKEN, "not UTF-8: %08lx", status);
    loop.token[2] = last;
    status = sasl_server_leg(&loop);
    ok(!status && !loop.token_size, "taken: %08lx, %lu bytes", status, loop.token_size);
    status = SaslGetContextOption(&loop.server, SASL_OPTION_AUTHZ_STRING, name, sizeof(name),
                                  &needed);
    ok(!status && needed == 3 && !memcmp(name, "bob", 3), "name: %08lx", status);
    status = sasl_server_leg(&loop);
    ok(status == SEC_E_OUT_OF_SEQUENCE, "twice: %08lx", status);
    ok(contexts_talk(&loop.client, &loop.server), "hurt");
    loopback_close(&loop);
    ok(profiles_restore(), "not as they were");
}

int main(void)
{
    have_account = account_create(&account);
    RUN(test_built_in_profiles);
    RUN(test_configured_profiles);
    RUN(test_identify);
    RUN(test_spnego);
    RUN(test_spnego_with_others);
    RUN(test_spnego_export);
    RUN(test_options);
    RUN(test_handles);
    RUN(test_external);
    if (have_account) account_remove(&account);
    return test_end("api_sasl");
}
