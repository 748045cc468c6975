/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Legs, messages, attributes and tokens short of memory, for NTLM and Negotiate, with an account
 * and with default credentials; and for Kerberos with the tickets that there are.
 *
 * A server of Kerberos cannot try its first leg again when the library of the host has seen the
 * client's request before the memory ran out: that takes a request once (RFC 4120 3.2.3), and there
 * is no context yet in which anything could be kept. The client begins again then.
 */
#include "fault.h"

#include "context_attributes.h"

#include <rpc.h>
#include <security.h>
#include <stddef.h>
#include <stdio.h>

static struct loopback loop;
static const wchar_t *package;
static const struct account *as;
static const char *variant;

static bool connected(void)
{
    return !fault_make(&loop, package, as);
}

static void disconnect(void)
{
    loopback_close(&loop);
}

/* ---- legs ---- */

static int leg_before; /* legs that are done before the call, the client's first */
static bool leg_ansi, leg_allocates, leg_failed;
static bool requests_count_once;
static ULONG leg_asks;                  /* of the client, besides what the others ask for */
static BYTE spoken[sizeof(loop.token)]; /* what the other side has said */
static ULONG spoken_size;

static void leg_allocation(bool wanted)
{
    loop.client_flags &= ~(ULONG)ISC_REQ_ALLOCATE_MEMORY;
    loop.server_flags &= ~(ULONG)ASC_REQ_ALLOCATE_MEMORY;
    if (!wanted) return;
    loop.client_flags |= ISC_REQ_ALLOCATE_MEMORY;
    loop.server_flags |= ASC_REQ_ALLOCATE_MEMORY;
}

static bool handshake_open(void)
{
    if (fault_open(&loop, package, as)) return false;
    loop.client_flags |= leg_asks;
    for (int i = 0; i < leg_before; i++) {
        SECURITY_STATUS status = i & 1 ? loopback_server_leg(&loop) : loopback_client_leg(&loop);
        if (status >= 0 && loop.token_size) continue;
        loopback_close(&loop); /* it was over before */
        return false;
    }
    leg_allocation(leg_allocates);
    memcpy(spoken, loop.token, loop.token_size);
    spoken_size = loop.token_size;
    leg_failed = false;
    return true;
}

/* The client begins again when what it has said was for the call that failed. */
static bool request_renew(SECURITY_STATUS status)
{
    if (!requests_count_once || leg_before != 1 || !leg_failed || status != SEC_E_LOGON_DENIED)
        return false;
    DeleteSecurityContext(&loop.client);
    context_forget(&loop.client);
    loop.token_size = 0;
    leg_allocation(false);
    status = loopback_client_leg(&loop);
    leg_allocation(leg_allocates);
    memcpy(spoken, loop.token, loop.token_size);
    spoken_size = loop.token_size;
    return status >= 0;
}

static SECURITY_STATUS leg_run(SecBufferDesc *in, SecBufferDesc *out)
{
    if (leg_before & 1) {
        CtxtHandle *context = leg_before > 1 ? &loop.server : NULL;
        return AcceptSecurityContext(&loop.server_cred, context, in, loop.server_flags,
                                     SECURITY_NATIVE_DREP, &loop.server, out, &loop.server_attrs,
                                     &loop.server_expiry);
    }
    CtxtHandle *context = leg_before ? &loop.client : NULL;
    if (leg_ansi)
        return InitializeSecurityContextA(&loop.client_cred, context, fault_target_ansi,
                                          loop.client_flags, 0, SECURITY_NATIVE_DREP, in, 0,
                                          &loop.client, out, &loop.client_attrs,
                                          &loop.client_expiry);
    return InitializeSecurityContextW(&loop.client_cred, context, (wchar_t *)loop.target,
                                      loop.client_flags, 0, SECURITY_NATIVE_DREP, in, 0,
                                      &loop.client, out, &loop.client_attrs, &loop.client_expiry);
}

static LONG leg_call(void)
{
    static BYTE made[sizeof(loop.token)];
    static struct loopback before;
    struct bindings bound;
    SecBuffer in[2] = {bindings_fill(&bound, "binding of tests"),
                       {spoken_size, SECBUFFER_TOKEN, spoken}};
    SecBuffer out = {sizeof(made), SECBUFFER_TOKEN, made};
    if (leg_allocates) out = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    const SecBuffer given = out;
    SecBufferDesc in_desc = {SECBUFFER_VERSION, leg_before ? 2 : 1, in};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
    if (leg_before & 1) in_desc = (SecBufferDesc){SECBUFFER_VERSION, 1, &in[1]};
    before = loop;
    SECURITY_STATUS status = leg_run(&in_desc, &out_desc);
    if (request_renew(status)) {
        before = loop;
        in[1].cbBuffer = spoken_size;
        out = given; /* the refusal was an empty token, or none for long */
        status = leg_run(&in_desc, &out_desc);
    }
    leg_failed = status < 0;
    if (status < 0) {
        expect_kept(!memcmp(&out, &given, sizeof(out)) && !memcmp(&before, &loop, sizeof(loop)));
        return status;
    }
    loop.token_size = out.cbBuffer;
    memcpy(loop.token, out.pvBuffer, out.cbBuffer);
    if (leg_allocates && out.pvBuffer) FreeContextBuffer(out.pvBuffer);
    return status;
}

/* The rest of the handshake; then the contexts talk. */
static bool leg_check(void)
{
    SECURITY_STATUS client = SEC_E_OK, server = SEC_E_OK;
    leg_allocation(false);
    for (int i = leg_before + 1; i < 8 && loop.token_size; i++) {
        if (i & 1) server = loopback_server_leg(&loop);
        else client = loopback_client_leg(&loop);
        if (client < 0 || server < 0) return false;
    }
    return contexts_talk(&loop.client, &loop.server);
}

static void run_legs(void)
{
    static const struct scenario scenario = {"leg",    KIND_SSPI, handshake_open,
                                             leg_call, leg_check, disconnect};
    char text[64];
    for (leg_before = 0; leg_before < 6; leg_before++) {
        for (int way = 0; way < 4; way++) {
            leg_ansi = way & 1;
            leg_allocates = way & 2;
            if (leg_ansi && (leg_before & 1)) continue;
            snprintf(text, sizeof(text), "%s, %d before, %s%s", variant, leg_before,
                     leg_ansi ? "A" : "W", leg_allocates ? ", allocating" : "");
            scenario_run(&scenario, text);
        }
    }
}

/* ---- messages ---- */

#define MANY 40 /* buffers of one message */

static int message_kind; /* signed, verified, sealed, opened */
static BYTE text[MANY * 4], trailer[128];
static ULONG trailer_size; /* of the last message */

static LONG message_run(int kind)
{
    SecPkgContext_Sizes sizes;
    if (!(kind & 1)) {
        SECURITY_STATUS status = QueryContextAttributesW(&loop.client, SECPKG_ATTR_SIZES, &sizes);
        if (status) return status;
        trailer_size = kind ? sizes.cbSecurityTrailer : sizes.cbMaxSignature;
    }
    SecBuffer parts[MANY + 1] = {{trailer_size, SECBUFFER_TOKEN, trailer}};
    SecBufferDesc desc = {SECBUFFER_VERSION, MANY + 1, parts};
    for (int i = 0; i < MANY; i++) parts[i + 1] = (SecBuffer){4, SECBUFFER_DATA, text + 4 * i};
    LONG status;
    switch (kind) {
    case 0: status = MakeSignature(&loop.client, 0, &desc, 0); break;
    case 1: return VerifySignature(&loop.server, &desc, 0, NULL);
    case 2: status = EncryptMessage(&loop.client, 0, &desc, 0); break;
    default: return DecryptMessage(&loop.server, &desc, 0, NULL);
    }
    if (!status) trailer_size = parts[0].cbBuffer;
    return status;
}

static bool message_open_scenario(void)
{
    memset(text, 't', sizeof(text));
    if (!connected()) return false;
    if (!(message_kind & 1) || !message_run(message_kind - 1)) return true;
    disconnect();
    return false;
}

static LONG message_call(void)
{
    BYTE before[sizeof(text)];
    memcpy(before, text, sizeof(text));
    LONG status = message_run(message_kind);
    if (status < 0) expect_kept(!memcmp(before, text, sizeof(text)));
    return status;
}

/* The other side takes it. */
static bool message_check(void)
{
    if (!(message_kind & 1) && message_run(message_kind + 1)) return false;
    return text[0] == 't' && text[sizeof(text) - 1] == 't' &&
           contexts_talk(&loop.client, &loop.server);
}

static void run_messages(void)
{
    static const char *const names[] = {"MakeSignature", "VerifySignature", "EncryptMessage",
                                        "DecryptMessage"};
    for (message_kind = 0; message_kind < 4; message_kind++) {
        const struct scenario scenario = {names[message_kind], KIND_SSPI,     message_open_scenario,
                                          message_call,        message_check, disconnect};
        scenario_run(&scenario, variant);
    }
}

/* ---- attributes ---- */

static const struct attribute *attribute;
static int attribute_way; /* as of fault_query; 4 more: of the server */
static bool attribute_refused;

static LONG attribute_call(void)
{
    SECURITY_STATUS status = fault_query(attribute_way & 4 ? &loop.server : &loop.client, attribute,
                                         attribute_way & 3);
    /* What a context of this kind has no answer to asks for no memory. */
    attribute_refused = status < 0 && status != SEC_E_INSUFFICIENT_MEMORY;
    return attribute_refused ? SEC_E_OK : status;
}

static bool attribute_check(void)
{
    HANDLE token;
    if (attribute_refused) return true;
    if (!attribute_free(attribute, answers.bytes)) return false;
    if (attribute->number != SECPKG_ATTR_ACCESS_TOKEN) return true;
    /* [D SecPkgContext_AccessToken] it remains the context's */
    memcpy(&token, answers.bytes, sizeof(token));
    return token != NULL;
}

static void run_attributes(void)
{
    static const struct scenario scenario = {"QueryContextAttributes", KIND_SSPI,       connected,
                                             attribute_call,           attribute_check, disconnect};
    char what[64];
    for (size_t i = 0; i < ARRAYSIZE(attributes); i++) {
        attribute = &attributes[i];
        for (attribute_way = 0; attribute_way < 8; attribute_way++) {
            snprintf(what, sizeof(what), "%s, attribute %lu, way %d", variant, attribute->number,
                     attribute_way);
            scenario_run(&scenario, what);
        }
    }
}

/* ---- tokens ---- */

static LONG token_call(void)
{
    return QuerySecurityContextToken(&loop.server, &answers.pointers[0]);
}

static bool token_check(void)
{
    return CloseHandle(answers.pointers[0]);
}

static LONG impersonate_call(void)
{
    return ImpersonateSecurityContext(&loop.server);
}

static bool impersonate_check(void)
{
    return !RevertSecurityContext(&loop.server);
}

static void run_tokens(void)
{
    static const struct scenario token = {
        "QuerySecurityContextToken", KIND_SSPI, connected, token_call, token_check, disconnect};
    static const struct scenario impersonation = {"ImpersonateSecurityContext",
                                                  KIND_SSPI,
                                                  connected,
                                                  impersonate_call,
                                                  impersonate_check,
                                                  disconnect};
    if (as) return; /* for others there is no token */
    scenario_run(&token, variant);
    scenario_run(&impersonation, variant);
}

/* ---- channel bindings ---- */

static SecPkgContext_Bindings bindings;
static LONG(WINAPI *set_flags)(SecPkgContext_Bindings *, ULONG);

static bool bindings_open(void)
{
    bindings.BindingsLength = sizeof(SEC_CHANNEL_BINDINGS) + 4;
    bindings.Bindings = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, bindings.BindingsLength);
    if (!bindings.Bindings) return false;
    bindings.Bindings->cbApplicationDataLength = 4;
    bindings.Bindings->dwApplicationDataOffset = sizeof(SEC_CHANNEL_BINDINGS);
    memcpy(bindings.Bindings + 1, "data", 4);
    return true;
}

static LONG flags_call(void)
{
    SecPkgContext_Bindings before = bindings;
    LONG status = set_flags(&bindings, 1);
    if (status < 0) expect_kept(!memcmp(&before, &bindings, sizeof(before)));
    return status;
}

/* [D ns-ntifs-sec_channel_bindings_ex] its four numbers go before the rest */
static bool flags_check(void)
{
    const BYTE *bytes = (const BYTE *)bindings.Bindings;
    ULONG flags;
    memcpy(&flags, bytes + 4, sizeof(flags));
    return flags == 1 && !memcmp(bytes + bindings.BindingsLength - 4, "data", 4);
}

static void bindings_close(void)
{
    FreeContextBuffer(bindings.Bindings);
}

static void run_bindings(void)
{
    static const struct scenario scenario = {"SspiSetChannelBindingFlags",
                                             KIND_SSPI,
                                             bindings_open,
                                             flags_call,
                                             flags_check,
                                             bindings_close};
    set_flags = function_find("secur32.dll", "SspiSetChannelBindingFlags");
    scenario_run(&scenario, "four bytes");
}

static void run_all(const wchar_t *of_package, const struct account *account, const char *what)
{
    package = of_package;
    as = account;
    variant = what;
    run_legs();
    run_messages();
    run_attributes();
    run_tokens();
}

void fault_kerberos_contexts(void)
{
    requests_count_once = true;
    run_all(L"Kerberos", NULL, "Kerberos");
    run_all(L"Negotiate", NULL, "Negotiate with Kerberos");
    leg_asks = ISC_REQ_MUTUAL_AUTH;
    package = L"Kerberos";
    variant = "Kerberos, mutual";
    run_legs();
    package = L"Negotiate";
    variant = "Negotiate with Kerberos, mutual";
    run_legs();
    leg_asks = 0;
}

void fault_contexts(void)
{
    static const char *const variants[] = {"NTLM with an account", "NTLM by default",
                                           "Negotiate with an account", "Negotiate by default"};
    for (int i = 0; i < 4; i++)
        run_all(i < 2 ? L"NTLM" : L"Negotiate", i & 1 ? NULL : fault_account, variants[i]);
    run_bindings();
}
