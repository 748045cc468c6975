/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which sessions are resumed, and which are not: the limits are credentials, on both sides. Sources
 * of expectations in brackets, as in api_packages.
 */
#include "support.h"
#include "tls_pair.h"

static struct tls_pair pair;

static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};

static bool is_resumed(void)
{
    SecPkgContext_SessionInfo info = {0};
    QueryContextAttributesW(&pair.client, SECPKG_ATTR_SESSION_INFO, &info);
    return info.dwFlags & SSL_SESSION_RECONNECT;
}

static struct tls_pair_options options_of(size_t version)
{
    return (struct tls_pair_options){.client_version = versions[version],
                                     .server_version = versions[version]};
}

/* A connection whose session could be resumed; TLS 1.3 sends the ticket with the data. */
static bool connect_first(const struct tls_pair_options *options)
{
    SECURITY_STATUS status = tls_pair_make(&pair, options);
    if (!ok(status == SEC_E_OK, "first: %08lx", status)) return false;
    ok(!is_resumed(), "resumed at once");
    ok(tls_pair_talk(&pair), "no data");
    tls_pair_delete(&pair);
    return true;
}

/* What comes of the next connection; ends all. */
static bool resumes(const char *what)
{
    SECURITY_STATUS status = tls_pair_connect(&pair);
    ok(status == SEC_E_OK, "%s: %08lx", what, status);
    bool resumed = status == SEC_E_OK && is_resumed();
    if (status == SEC_E_OK) ok(tls_pair_talk(&pair), "%s: no data", what);
    tls_pair_close(&pair);
    return resumed;
}

static bool replace(bool server, const struct tls_pair_options *options)
{
    CredHandle *cred = server ? &pair.server_cred : &pair.client_cred;
    FreeCredentialsHandle(cred);
    SECURITY_STATUS status = tls_pair_credential(options, server, cred);
    return ok(status == SEC_E_OK, "credential: %08lx", status);
}

/* ours: the next credential of a server stands for the next process of it. */
static void test_server_credentials(void)
{
    if (!ours_only()) return;
    for (size_t i = 0; i < ARRAYSIZE(versions); i++) {
        struct tls_pair_options options = options_of(i);
        if (connect_first(&options) && replace(true, &options))
            ok(resumes("the same"), "%u: the same certificate", versions[i]);
        if (!connect_first(&options)) continue;
        options.server_cert = TLS_CERT_CHAINED;
        if (replace(true, &options))
            ok(!resumes("another certificate"), "%u: another certificate", versions[i]);
    }
}

/* [D InitializeSecurityContext (Schannel)]: sessions are of a credential */
static void test_client_credentials(void)
{
    for (size_t i = 0; i < ARRAYSIZE(versions); i++) {
        const struct tls_pair_options options = options_of(i);
        if (connect_first(&options) && replace(false, &options))
            ok(!resumes("another client"), "%u: another client", versions[i]);
    }
}

/* [D schannel_cred]: SCH_CRED_DISABLE_RECONNECTS */
static void test_disabled(void)
{
    for (size_t i = 0; i < ARRAYSIZE(versions); i++) {
        struct tls_pair_options options = options_of(i);
        options.server_cred_flags = SCH_CRED_DISABLE_RECONNECTS;
        if (connect_first(&options)) ok(!resumes("off"), "%u: resumed", versions[i]);
    }
}

/* Acquires the client's credential anew with this lifespan. */
static bool with_lifespan(DWORD lifespan)
{
    SCHANNEL_CRED cred = {.dwVersion = SCHANNEL_CRED_VERSION,
                          .grbitEnabledProtocols = SP_PROT_TLS1_2_CLIENT,
                          .dwSessionLifespan = lifespan,
                          .dwFlags = SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_NO_DEFAULT_CREDS};
    TimeStamp expiry;
    FreeCredentialsHandle(&pair.client_cred);
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)UNISP_NAME_W,
                                                       SECPKG_CRED_OUTBOUND, NULL, &cred, NULL,
                                                       NULL, &pair.client_cred, &expiry);
    return ok(status == SEC_E_OK, "credential: %08lx", status);
}

/* [D schannel_cred]: dwSessionLifespan */
static void test_lifespan(void)
{
    static const struct {
        DWORD lifespan;
        bool resumed;
    } cases[] = {{1, false}, {60000, true}, {0xffffffff, true}};
    const struct tls_pair_options options = {.server_version = TLS_PAIR_1_2};
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        SECURITY_STATUS status = tls_pair_open(&pair, &options);
        if (!ok(status == SEC_E_OK, "open: %08lx", status)) return;
        if (!with_lifespan(cases[i].lifespan)) return;
        status = tls_pair_connect(&pair);
        ok(status == SEC_E_OK && tls_pair_talk(&pair), "connection: %08lx", status);
        tls_pair_delete(&pair);
        Sleep(50);
        ok(resumes("later") == cases[i].resumed, "%lu ms", cases[i].lifespan);
    }
}

/* ours: who has shown no certificate does not come in with a session where one is demanded. */
static void test_demanded_certificate(void)
{
    if (!ours_only()) return;
    for (size_t i = 0; i < ARRAYSIZE(versions); i++) {
        const struct tls_pair_options options = options_of(i);
        const CERT_CONTEXT *shown = NULL;
        if (!connect_first(&options)) continue;
        pair.options.server_flags = ASC_REQ_MUTUAL_AUTH;
        SECURITY_STATUS status = tls_pair_connect(&pair);
        if (status == SEC_E_OK) {
            SECURITY_STATUS query = QueryContextAttributesW(
                &pair.server, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &shown);
            ok(query == SEC_E_NO_CREDENTIALS, "%u: a certificate: %08lx", versions[i], query);
            ok(!is_resumed(), "%u: resumed", versions[i]);
        }
        tls_pair_close(&pair);
    }
}

/* ours: what one credential let through does not serve another one that a handshake went on with,
 * and that would not have */
static void test_changed_credential(void)
{
    const struct tls_pair_options strict = {
        .client_version = TLS_PAIR_1_2, .client_cert = TLS_CERT_CLIENT_RSA, .automatic = true};
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2,
                                             .server_cert = TLS_CERT_OTHER_NAME,
                                             .server_flags = ASC_REQ_MUTUAL_AUTH,
                                             .client_cred_flags = SCH_CRED_NO_SERVERNAME_CHECK,
                                             .automatic = true};
    CredHandle second;
    if (!ours_only() || !ok(tls_root_trust(), "the root cannot be trusted")) return;
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    if (!ok(status == SEC_E_OK, "open: %08lx", status)) return;
    status = tls_pair_credential(&strict, false, &second);
    ok(status == SEC_E_OK, "the strict one: %08lx", status);
    tls_pair_client_leg(&pair);
    pair.to_server.arrived = pair.to_server.size;
    tls_pair_server_leg(&pair);
    pair.to_client.arrived = pair.to_client.size;
    status = tls_pair_client_leg(&pair);
    ok(status == SEC_I_INCOMPLETE_CREDENTIALS, "asked: %08lx", status);
    FreeCredentialsHandle(&pair.client_cred);
    pair.client_cred = second;
    for (unsigned i = 0; i < 4 && (status || pair.server_status); i++) {
        pair.to_client.arrived = pair.to_client.size;
        if (status) status = tls_pair_client_leg(&pair);
        pair.to_server.arrived = pair.to_server.size;
        if (pair.server_status) tls_pair_server_leg(&pair);
    }
    ok(status == SEC_E_OK && !pair.server_status, "connected: %08lx, %08lx", status,
       pair.server_status);
    tls_pair_delete(&pair);
    status = tls_pair_connect(&pair);
    ok(status == SEC_E_WRONG_PRINCIPAL, "the strict one alone: %08lx", status);
    tls_pair_close(&pair);
    tls_root_distrust();
}

static const DWORD off[] = {SCHANNEL_SESSION, SSL_SESSION_DISABLE_RECONNECTS};

/* [D SCHANNEL_SESSION_TOKEN] it is about the session of its context, and no other one's */
static void test_disabled_later(void)
{
    static struct tls_pair second;
    for (size_t i = 0; i < 4; i++) {
        const struct tls_pair_options options = options_of(i % 2);
        SECURITY_STATUS status = tls_pair_make(&pair, &options);
        if (!ok(status == SEC_E_OK && tls_pair_talk(&pair), "first: %08lx", status)) return;
        second = pair;
        tls_handle_forget(&second.client);
        tls_handle_forget(&second.server);
        status = tls_pair_connect(&second);
        ok(status == SEC_E_OK && tls_pair_talk(&second), "second: %08lx", status);
        ok(!tls_control(i / 2 ? &second.client : &pair.client, off, 2), "control");
        tls_pair_delete(&second);
        tls_pair_delete(&pair);
        ok(resumes("third") == (i < 2), "%u: the %s is off", versions[i % 2],
           i / 2 ? "second" : "first");
    }
}

int main(void)
{
    RUN(test_server_credentials);
    RUN(test_client_credentials);
    RUN(test_disabled);
    RUN(test_lifespan);
    RUN(test_demanded_certificate);
    RUN(test_changed_credential);
    RUN(test_disabled_later);
    tls_certs_end();
    return test_end("api_tls_resumption");
}
