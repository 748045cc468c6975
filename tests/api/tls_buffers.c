/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Legs that are refused for one of their buffers. What is left in the output then: nothing that
 * looks as if it were to be sent. Sources in brackets, as in api_packages.
 */
#include "support.h"
#include "tls_pair.h"

#ifndef SECBUFFER_SEND_GENERIC_TLS_EXTENSION
#define SECBUFFER_SEND_GENERIC_TLS_EXTENSION 25
#endif

static struct tls_pair pair;
static BYTE token[4096], alert[64];
static SecBuffer out[2];

/* A first leg with this buffer besides the token, and output of these sizes. */
static SECURITY_STATUS first_leg(bool server, const SecBuffer *more, ULONG token_size,
                                 ULONG alert_size)
{
    SecBuffer in[2] = {{pair.to_server.size, SECBUFFER_TOKEN, pair.to_server.bytes}, *more};
    SecBufferDesc input = {SECBUFFER_VERSION, server ? 2 : 1, server ? in : in + 1};
    SecBufferDesc output = {SECBUFFER_VERSION, 2, out};
    CtxtHandle made;
    ULONG attrs;
    out[0] = (SecBuffer){token_size, SECBUFFER_TOKEN, token};
    out[1] = (SecBuffer){alert_size, SECBUFFER_ALERT, alert};
    tls_handle_forget(&made);
    SECURITY_STATUS status = server ? AcceptSecurityContext(&pair.server_cred, NULL, &input,
                                                            ASC_REQ_STREAM, 0, &made, &output,
                                                            &attrs, NULL)
                                    : InitializeSecurityContextW(&pair.client_cred, NULL,
                                                                 (wchar_t *)L"localhost",
                                                                 ISC_REQ_STREAM, 0, 0, &input, 0,
                                                                 &made, &output, &attrs, NULL);
    if (status >= 0) DeleteSecurityContext(&made);
    return status;
}

static bool open_both(void)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2};
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return false;
    return ok(tls_pair_client_leg(&pair) == SEC_I_CONTINUE_NEEDED, "no ClientHello");
}

/* ISC_REQ_MESSAGES: tokens without records [D InitializeSecurityContext (Schannel)] */
static BYTE messages[8] = {[4] = 1};
static BYTE odd_flags[7], zeros[64];

/* [W8 schannel.c:1218-1221] an EMPTY buffer with a size; the others are ours */
static const struct {
    SecBuffer buffer;
    SECURITY_STATUS status;
    const char *name;
} inputs[] = {
    {{5, SECBUFFER_EMPTY, NULL}, SEC_E_INVALID_TOKEN, "EMPTY with a size"},
    {{5, SECBUFFER_TOKEN, NULL}, SEC_E_INVALID_TOKEN, "TOKEN without memory"},
    {{8, SECBUFFER_FLAGS, messages}, SEC_E_UNSUPPORTED_FUNCTION, "MESSAGES"},
    {{7, SECBUFFER_FLAGS, odd_flags}, SEC_E_INVALID_PARAMETER, "half of FLAGS"},
    {{64, SECBUFFER_PRESHARED_KEY, zeros}, SEC_E_UNSUPPORTED_FUNCTION, "PRESHARED_KEY"},
    {{64, SECBUFFER_PRESHARED_KEY_IDENTITY, zeros},
     SEC_E_UNSUPPORTED_FUNCTION,
     "PRESHARED_KEY_IDENTITY"},
    {{64, SECBUFFER_SEND_GENERIC_TLS_EXTENSION, zeros},
     SEC_E_UNSUPPORTED_FUNCTION,
     "SEND_GENERIC_TLS_EXTENSION"},
};

static void test_input(void)
{
    if (!ours_only() || !open_both()) return;
    for (size_t i = 0; i < 2 * ARRAYSIZE(inputs); i++) {
        SECURITY_STATUS status = first_leg(i % 2, &inputs[i / 2].buffer, sizeof(token),
                                           sizeof(alert));
        winetest_push_context("%s, %s", i % 2 ? "server" : "client", inputs[i / 2].name);
        ok(status == inputs[i / 2].status, "%08lx", status);
        ok(!out[0].cbBuffer && !out[1].cbBuffer, "%lu bytes to send, %lu of an alert",
           out[0].cbBuffer, out[1].cbBuffer);
        winetest_pop_context();
    }
    tls_pair_close(&pair);
}

/* ours, as to what is left: [W8 schannel.c:693-713] has the status */
static void test_output(void)
{
    static const struct {
        ULONG token, alert;
        const char *name;
    } rows[] = {{0, 64, "no token"}, {4096, 0, "no alert"}, {16, 64, "a small token"}};
    const SecBuffer nothing = {0, SECBUFFER_EMPTY, NULL};
    if (!ours_only() || !open_both()) return;
    for (size_t i = 0; i < 2 * ARRAYSIZE(rows); i++) {
        SECURITY_STATUS status = first_leg(i % 2, &nothing, rows[i / 2].token, rows[i / 2].alert);
        winetest_push_context("%s, %s", i % 2 ? "server" : "client", rows[i / 2].name);
        ok(status == SEC_E_INSUFFICIENT_MEMORY, "%08lx", status);
        ok(!out[0].cbBuffer && !out[1].cbBuffer, "%lu bytes to send, %lu of an alert",
           out[0].cbBuffer, out[1].cbBuffer);
        winetest_pop_context();
    }
    tls_pair_close(&pair);
}

int main(void)
{
    RUN(test_input);
    RUN(test_output);
    tls_certs_end();
    return test_end("api_tls_buffers");
}
