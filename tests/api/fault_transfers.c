/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Export and import short of memory, of both sides, established and half-open. */
#include "fault.h"

#include <stdio.h>

#define DELETE_OLD SECPKG_CONTEXT_EXPORT_DELETE_OLD
#define RESET_NEW SECPKG_CONTEXT_EXPORT_RESET_NEW

static struct loopback loop;
static const wchar_t *package;
static const struct account *as;
static struct blob blob;
static bool server, half_open, ansi;
static bool with_token; /* the token goes along */
static HANDLE token;    /* the import's */
static ULONG flags;

static CtxtHandle *side(void)
{
    return server ? &loop.server : &loop.client;
}

static bool context_open(void)
{
    if (!half_open) return !fault_make(&loop, package, as);
    if (fault_open(&loop, package, as)) return false;
    if (loopback_client_leg(&loop) >= 0 && (!server || loopback_server_leg(&loop) >= 0))
        return true;
    loopback_close(&loop);
    return false;
}

static void context_close(void)
{
    loopback_close(&loop);
}

/* The handshake goes on where it was; then the contexts talk. */
static bool context_lives(void)
{
    SECURITY_STATUS last = SEC_E_OK;
    if (!half_open) return contexts_talk(&loop.client, &loop.server);
    for (int i = server ? 2 : 1; i < 8 && loop.token_size; i++) {
        last = i & 1 ? loopback_server_leg(&loop) : loopback_client_leg(&loop);
        if (last < 0) return false;
    }
    return contexts_talk(&loop.client, &loop.server);
}

/* ---- export ---- */

static LONG export_call(void)
{
    SecBuffer *packed = (SecBuffer *)&answers;
    const CtxtHandle before = *side();
    LONG status = ExportSecurityContext(side(), flags, packed,
                                        with_token ? &answers.pointers[7] : NULL);
    if (status < 0) expect_kept(!memcmp(&before, side(), sizeof(before)));
    return status;
}

static bool export_check(void)
{
    SecBuffer packed = *(SecBuffer *)&answers;
    CtxtHandle made;
    if (with_token && answers.pointers[7]) CloseHandle(answers.pointers[7]);
    if (flags & DELETE_OLD) context_forget(side());
    SECURITY_STATUS status = context_import(package, packed.pvBuffer, packed.cbBuffer, &made);
    FreeContextBuffer(packed.pvBuffer);
    if (status) return false;
    if (flags & DELETE_OLD) *side() = made;
    else DeleteSecurityContext(&made);
    return context_lives();
}

/* ---- import ---- */

static bool import_open(void)
{
    if (!context_open()) return false;
    token = NULL;
    SECURITY_STATUS status = context_export(side(), DELETE_OLD, &blob, with_token ? &token : NULL);
    if (!status) context_forget(side());
    if (!status && (token || !with_token)) return true;
    loopback_close(&loop);
    return false;
}

static void import_close(void)
{
    if (token) CloseHandle(token);
    token = NULL;
    loopback_close(&loop);
}

static LONG import_call(void)
{
    SecBuffer packed = {blob.size, SECBUFFER_TOKEN, blob.bytes};
    const CtxtHandle before = *side();
    char narrow[16];
    snprintf(narrow, sizeof(narrow), "%ls", package);
    LONG status = ansi ? ImportSecurityContextA(narrow, &packed, token, side())
                       : ImportSecurityContextW((wchar_t *)package, &packed, token, side());
    if (status < 0) expect_kept(!memcmp(&before, side(), sizeof(before)));
    return status;
}

/* ---- all of them ---- */

static void run_exports(const char *variant)
{
    static const struct scenario scenario = {
        "ExportSecurityContext", KIND_SSPI, context_open, export_call, export_check, context_close};
    static const ULONG ways[] = {0, DELETE_OLD, RESET_NEW | DELETE_OLD};
    char text[80];
    for (size_t i = 0; i < ARRAYSIZE(ways); i++) {
        if (half_open && (ways[i] & RESET_NEW)) continue;
        flags = ways[i];
        snprintf(text, sizeof(text), "%s, flags %lx", variant, flags);
        scenario_run(&scenario, text);
    }
}

static void run_imports(const char *variant)
{
    static const struct scenario scenario = {
        "ImportSecurityContext", KIND_SSPI, import_open, import_call, context_lives, import_close};
    char text[80];
    for (int i = 0; i < 2; i++) {
        ansi = i;
        snprintf(text, sizeof(text), "%s, %c", variant, ansi ? 'A' : 'W');
        scenario_run(&scenario, text);
    }
}

static void run_kind(int kind)
{
    char variant[80];
    server = kind & 4;
    half_open = kind & 8;
    with_token = kind & 16;
    snprintf(variant, sizeof(variant), "%s %s of %ls%s%s", half_open ? "half-open" : "established",
             server ? "server" : "client", package, as ? "" : " by default",
             with_token ? " with a token" : "");
    run_exports(variant);
    run_imports(variant);
}

/* Of Kerberos' own contexts only those that are established can move. */
void fault_kerberos_transfers(void)
{
    as = NULL;
    for (int i = 0; i < 32; i += 4) {
        package = L"Kerberos";
        if (!(i & 8)) run_kind(i);
    }
}

void fault_transfers(void)
{
    for (int i = 0; i < 32; i++) {
        package = i & 1 ? L"Negotiate" : L"NTLM";
        as = i & 2 ? NULL : fault_account;
        run_kind(i);
    }
}
