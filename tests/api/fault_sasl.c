/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Sasl functions short of memory: profiles, each call of a handshake, options, messages. */
#include "fault.h"

#include "sasl_peer.h"

#include <stdio.h>

static struct loopback loop;
static const wchar_t *package;
static const wchar_t *profile_w = L"GSSAPI";
static const char *profile_a = "GSSAPI";

/* ---- profiles ---- */

static LONG list_w(void)
{
    return SaslEnumerateProfilesW((wchar_t **)&answers.pointers[0], &answers.numbers[0]);
}

static LONG list_a(void)
{
    return SaslEnumerateProfilesA((char **)&answers.pointers[0], &answers.numbers[0]);
}

static LONG package_w(void)
{
    return SaslGetProfilePackageW((wchar_t *)profile_w, (SecPkgInfoW **)&answers.pointers[0]);
}

static LONG package_a(void)
{
    return SaslGetProfilePackageA((char *)profile_a, (SecPkgInfoA **)&answers.pointers[0]);
}

static SecBufferDesc *name_buffer(void)
{
    static SecBuffer name;
    name = (SecBuffer){(ULONG)strlen(profile_a), SECBUFFER_TOKEN, (void *)profile_a};
    static SecBufferDesc desc = {SECBUFFER_VERSION, 1, &name};
    return &desc;
}

static LONG identify_w(void)
{
    return SaslIdentifyPackageW(name_buffer(), (SecPkgInfoW **)&answers.pointers[0]);
}

static LONG identify_a(void)
{
    return SaslIdentifyPackageA(name_buffer(), (SecPkgInfoA **)&answers.pointers[0]);
}

static bool block_check(void)
{
    return !FreeContextBuffer(answers.pointers[0]);
}

/* ---- legs ---- */

static int calls_before;

/* The handshake up to the end, or to a call of the side whose turn it would be. Either may be done
 * before the other, and an empty token may be an answer. */
static SECURITY_STATUS statuses[2];

static bool handshake_run(int from, int to)
{
    for (int i = from; i < to && (statuses[0] || statuses[1]); i++) {
        if (!statuses[i & 1]) continue;
        statuses[i & 1] = i & 1 ? sasl_server_leg(&loop) : sasl_client_leg(&loop);
        if (statuses[i & 1] < 0) return false;
    }
    return true;
}

static bool sasl_open(void)
{
    if (loopback_open(&loop, package, fault_account)) return false;
    statuses[0] = statuses[1] = SEC_I_CONTINUE_NEEDED;
    bool ready = handshake_run(0, calls_before) && statuses[calls_before & 1];
    if (!ready) loopback_close(&loop);
    return ready;
}

static void sasl_end(void)
{
    loopback_close(&loop);
}

static LONG sasl_call(void)
{
    static struct loopback before;
    before = loop;
    LONG status = calls_before & 1 ? sasl_server_leg(&loop) : sasl_client_leg(&loop);
    if (status < 0) expect_kept(!memcmp(&before, &loop, sizeof(loop)));
    else statuses[calls_before & 1] = status;
    return status;
}

static bool sasl_talk(void)
{
    return !message_pass(&loop.client, &loop.server, 0, 100) &&
           !message_pass(&loop.server, &loop.client, 0, 100);
}

static bool sasl_check(void)
{
    return handshake_run(calls_before + 1, 12) && sasl_talk();
}

/* ---- what an established context does ---- */

static bool established(void)
{
    if (loopback_open(&loop, package, fault_account)) return false;
    if (!sasl_connect(&loop)) return true;
    loopback_close(&loop);
    return false;
}

static LONG get_option(void)
{
    return SaslGetContextOption(&loop.client, SASL_OPTION_RECV_SIZE, &answers.numbers[0],
                                sizeof(ULONG), &answers.numbers[1]);
}

/* With EXTERNAL, SASL comes to a context that is there. */
static LONG set_option(void)
{
    ULONG size = 4096;
    return SaslSetContextOption(&loop.client, SASL_OPTION_RECV_SIZE, &size, sizeof(size));
}

static bool set_check(void)
{
    return !get_option() && answers.numbers[0] == 4096;
}

static bool sspi_open(void)
{
    return !loopback_make(&loop, package, fault_account);
}

static struct message message;

static bool sealed(void)
{
    message_set(&message, "a text for the layer", 20);
    return established();
}

static LONG seal_call(void)
{
    struct message before = message;
    LONG status = message_seal(&loop.client, &message);
    if (status < 0) expect_kept(!memcmp(&before, &message, sizeof(message)));
    return status;
}

static bool seal_check(void)
{
    return !message_open(&loop.server, &message) && sasl_talk();
}

static LONG export_call(void)
{
    return ExportSecurityContext(&loop.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD,
                                 (SecBuffer *)&answers, NULL);
}

static bool export_check(void)
{
    SecBuffer packed = *(SecBuffer *)&answers;
    SECURITY_STATUS status = context_import(package, packed.pvBuffer, packed.cbBuffer,
                                            &loop.client);
    FreeContextBuffer(packed.pvBuffer);
    if (status) context_forget(&loop.client);
    return !status && sasl_talk();
}

static struct blob blob;

static bool import_open(void)
{
    if (!established()) return false;
    bool exported = !context_export(&loop.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL);
    if (exported) context_forget(&loop.client);
    else loopback_close(&loop);
    return exported;
}

static LONG import_call(void)
{
    CtxtHandle before = loop.client;
    LONG status = context_import(package, blob.bytes, blob.size, &loop.client);
    if (status < 0) expect_kept(!memcmp(&before, &loop.client, sizeof(before)));
    return status;
}

void fault_sasl(void)
{
    static const struct scenario profiles[] = {
        {"SaslEnumerateProfilesW", KIND_SSPI, NULL, list_w, block_check, NULL},
        {"SaslEnumerateProfilesA", KIND_SSPI, NULL, list_a, block_check, NULL},
        {"SaslGetProfilePackageW", KIND_SSPI, NULL, package_w, block_check, NULL},
        {"SaslGetProfilePackageA", KIND_SSPI, NULL, package_a, block_check, NULL},
        {"SaslIdentifyPackageW", KIND_SSPI, NULL, identify_w, block_check, NULL},
        {"SaslIdentifyPackageA", KIND_SSPI, NULL, identify_a, block_check, NULL},
    };
    static const struct scenario leg = {"Sasl leg", KIND_SSPI,  sasl_open,
                                        sasl_call,  sasl_check, sasl_end};
    static const struct scenario others[] = {
        {"SaslGetContextOption", KIND_SSPI, established, get_option, sasl_talk, sasl_end},
        {"EncryptMessage of SASL", KIND_SSPI, sealed, seal_call, seal_check, sasl_end},
        {"ExportSecurityContext of SASL", KIND_SSPI, established, export_call, export_check,
         sasl_end},
        {"ImportSecurityContext of SASL", KIND_SSPI, import_open, import_call, sasl_talk, sasl_end},
    };
    static const wchar_t *const packages[] = {L"NTLM", L"Negotiate"};
    static const struct scenario option = {
        "SaslSetContextOption", KIND_SSPI, sspi_open, set_option, set_check, sasl_end};
    char text[64];
    for (int i = 0; i < 2; i++) {
        const wchar_t *const external[][2] = {{L"EXTERNAL", packages[i]}};
        const wchar_t *const pairs[][2] = {{L"GSSAPI", packages[i]}};
        package = packages[i];
        if (!profiles_set(pairs, 1)) return;
        for (size_t j = 0; j < ARRAYSIZE(profiles); j++) scenario_run(&profiles[j], "one profile");
        for (calls_before = 0; calls_before < 8; calls_before++) {
            snprintf(text, sizeof(text), "%ls, %d before", package, calls_before);
            scenario_run(&leg, text);
        }
        snprintf(text, sizeof(text), "%ls", package);
        for (size_t j = 0; j < ARRAYSIZE(others); j++) scenario_run(&others[j], text);
        if (profiles_set(external, 1)) scenario_run(&option, text);
    }
    profiles_restore();
    profile_w = L"GSS-SPNEGO";
    profile_a = "GSS-SPNEGO";
    for (size_t j = 0; j < ARRAYSIZE(profiles); j++)
        scenario_run(&profiles[j], "built-in profiles");
}
