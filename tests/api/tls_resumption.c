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

static bool with_both_certificates(void)
{
    const CERT_CONTEXT *certs[] = {tls_cert_with_key(TLS_CERT_SERVER_RSA),
                                   tls_cert_with_key(TLS_CERT_SERVER_EC)};
    SCH_CREDENTIALS cred = {
        .dwVersion = SCH_CREDENTIALS_VERSION, .cCreds = ARRAYSIZE(certs), .paCred = certs};
    FreeCredentialsHandle(&pair.server_cred);
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)UNISP_NAME_W,
                                                       SECPKG_CRED_INBOUND, NULL, &cred, NULL, NULL,
                                                       &pair.server_cred, NULL);
    for (size_t i = 0; i < ARRAYSIZE(certs); i++) CertFreeCertificateContext(certs[i]);
    return ok(status == SEC_E_OK, "credential: %08lx", status);
}

/* ours: the server could not tell which of them it has shown */
static void test_several_certificates(void)
{
    if (!ours_only()) return;
    for (size_t i = 0; i < ARRAYSIZE(versions); i++) {
        const struct tls_pair_options options = options_of(i);
        SECURITY_STATUS status = tls_pair_open(&pair, &options);
        if (!ok(status == SEC_E_OK, "open: %08lx", status) || !with_both_certificates()) return;
        status = tls_pair_connect(&pair);
        ok(status == SEC_E_OK && tls_pair_talk(&pair), "first: %08lx", status);
        tls_pair_delete(&pair);
        ok(!resumes("again"), "%u: resumed", versions[i]);
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

/* ours: who was shown at the beginning is who is there, however often the session is resumed */
static void test_shown(void)
{
    static const enum tls_cert certs[] = {TLS_CERT_CLIENT_RSA, TLS_CERT_CLIENT_EC};
    if (!ours_only()) return;
    for (unsigned i = 0; i < ARRAYSIZE(versions) * ARRAYSIZE(certs); i++) {
        const enum tls_cert cert = certs[i % 2];
        struct tls_pair_options options = options_of(i / 2);
        options.client_cert = cert;
        options.server_flags = ASC_REQ_MUTUAL_AUTH;
        if (!connect_first(&options)) return;
        for (int again = 0; again < 2; again++) {
            SECURITY_STATUS status = tls_pair_connect(&pair);
            if (!ok(status == SEC_E_OK && is_resumed(), "%u, %d: %08lx", i, again, status)) break;
            status = tls_pair_sees(&pair, false, cert);
            ok(status == SEC_E_OK, "%u, %d: its own: %08lx", i, again, status);
            status = tls_pair_sees(&pair, true, cert);
            ok(status == SEC_E_OK, "%u, %d: the client's: %08lx", i, again, status);
            ok(tls_pair_talk(&pair), "%u, %d: no data", i, again);
            tls_pair_delete(&pair);
        }
        tls_pair_close(&pair);
    }
}

/* ours: a certificate that another connection has shown is not this one's */
static void test_not_shown(void)
{
    if (!ours_only()) return;
    for (size_t i = 0; i < ARRAYSIZE(versions); i++) {
        struct tls_pair_options options = options_of(i);
        options.client_cert = TLS_CERT_CLIENT_RSA;
        options.server_flags = ASC_REQ_MUTUAL_AUTH;
        if (!connect_first(&options)) return;
        /* The next server does not ask, and takes no tickets of one that does. */
        options.server_flags = 0;
        pair.options = options;
        SECURITY_STATUS status = tls_pair_connect(&pair);
        ok(status == SEC_E_OK && !is_resumed(), "%u: %08lx", versions[i], status);
        status = tls_pair_sees(&pair, false, TLS_CERT_CLIENT_RSA);
        ok(status == SEC_E_NO_CREDENTIALS, "%u: %08lx", versions[i], status);
        tls_pair_close(&pair);
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
        if (!connect_first(&options)) continue;
        pair.options.server_flags = ASC_REQ_MUTUAL_AUTH;
        SECURITY_STATUS status = tls_pair_connect(&pair);
        if (ok(status == SEC_E_OK, "%u: without one: %08lx", versions[i], status)) {
            SECURITY_STATUS query = tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA);
            ok(query == SEC_E_NO_CREDENTIALS, "%u: a certificate: %08lx", versions[i], query);
            ok(!is_resumed(), "%u: resumed", versions[i]);
        }
        tls_pair_close(&pair);
    }
}

/* The rest of a handshake whose next leg is the client's, or the server's first one. */
static void go_on(void)
{
    if (!tls_handle_present(&pair.server)) pair.server_status = SEC_I_CONTINUE_NEEDED;
    for (unsigned i = 0; i < 4 && (pair.client_status || pair.server_status); i++) {
        pair.to_client.arrived = pair.to_client.size;
        if (pair.client_status && pair.to_client.size) tls_pair_client_leg(&pair);
        pair.to_server.arrived = pair.to_server.size;
        if (pair.server_status) tls_pair_server_leg(&pair);
    }
    ok(!pair.client_status && !pair.server_status, "connected: %08lx, %08lx", pair.client_status,
       pair.server_status);
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
    go_on();
    tls_pair_delete(&pair);
    status = tls_pair_connect(&pair);
    ok(status == SEC_E_WRONG_PRINCIPAL, "the strict one alone: %08lx", status);
    tls_pair_close(&pair);
    tls_root_distrust();
}

/* Whether the ticket that has come for a connection was of use; ends it. */
static bool keeps_ticket(struct tls_pair *waiting)
{
    pair = *waiting;
    ok(tls_pair_talk(&pair), "no data");
    tls_pair_delete(&pair);
    return resumes("with its ticket");
}

/* ours: not all of many clients wait for a ticket of TLS 1.3, of which the server may give none */
static void test_many_waiting(void)
{
    enum { WAITING = 128 };
    static struct tls_pair pairs[WAITING + 1];
    const struct tls_pair_options options = options_of(1);
    unsigned made = 0;
    if (!ours_only()) return;
    while (made <= WAITING && ok(!tls_pair_make(&pairs[made], &options), "connection %u", made))
        made++;
    if (made > WAITING) {
        ok(!keeps_ticket(&pairs[--made]), "one too many");
        ok(keeps_ticket(&pairs[--made]), "one of the others");
        ok(!tls_pair_make(&pairs[made], &options) && keeps_ticket(&pairs[made]), "in its place");
    }
    while (made) tls_pair_close(&pairs[--made]);
}

static const DWORD off[] = {SCHANNEL_SESSION, SSL_SESSION_DISABLE_RECONNECTS};
static const DWORD on[] = {SCHANNEL_SESSION, SSL_SESSION_ENABLE_RECONNECTS};

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

/* [D SCHANNEL_SESSION_TOKEN]; ours: what has been forgotten does not come back, and a ticket of TLS
 * 1.3 comes after the handshake */
static void test_enabled_again(void)
{
    static const struct {
        enum tls_pair_version version;
        bool early; /* in the handshake */
        bool off, on, resumed;
    } cases[] = {
        {TLS_PAIR_1_2, false, false, true, true}, {TLS_PAIR_1_3, false, false, true, true},
        {TLS_PAIR_1_2, true, true, false, false}, {TLS_PAIR_1_3, true, true, false, false},
        {TLS_PAIR_1_2, true, true, true, true},   {TLS_PAIR_1_3, true, true, true, true},
        {TLS_PAIR_1_2, false, true, true, false}, {TLS_PAIR_1_3, false, true, true, true},
    };
    if (!ours_only()) return;
    for (size_t i = 0; i < ARRAYSIZE(cases); i++) {
        const struct tls_pair_options options = {.client_version = cases[i].version,
                                                 .server_version = cases[i].version};
        SECURITY_STATUS status = tls_pair_open(&pair, &options);
        if (!ok(status == SEC_E_OK, "open: %08lx", status)) return;
        if (cases[i].early) tls_pair_client_leg(&pair);
        else ok(!tls_pair_connect(&pair), "row %u: no connection", (unsigned)i);
        if (cases[i].off) ok(!tls_control(&pair.client, off, 2), "row %u: off", (unsigned)i);
        if (cases[i].on) ok(!tls_control(&pair.client, on, 2), "row %u: on", (unsigned)i);
        if (cases[i].early) go_on();
        ok(tls_pair_talk(&pair), "row %u: no data", (unsigned)i);
        tls_pair_delete(&pair);
        ok(resumes("second") == cases[i].resumed, "row %u: resumed or not", (unsigned)i);
    }
}

/* [D SCHANNEL_SESSION_TOKEN], [OBS dotnet/runtime PR 86047] a server asks for it after its first
 * leg; ours: with ENABLE before the next one all is as before */
static void test_disabled_by_server(void)
{
    for (size_t i = 0; i < 8; i++) {
        struct tls_pair_options options = options_of(i % 2);
        bool again = i / 2 % 2;
        options.client_flags = ISC_REQ_USE_SUPPLIED_CREDS;
        if (i / 4) options.server_flags = ASC_REQ_MUTUAL_AUTH;
        SECURITY_STATUS status = tls_pair_open(&pair, &options);
        if (!ok(status == SEC_E_OK, "credentials: %08lx", status)) return;
        tls_pair_client_leg(&pair);
        pair.to_server.arrived = pair.to_server.size;
        tls_pair_server_leg(&pair);
        pair.to_client.arrived = pair.to_client.size;
        ok(!tls_control(&pair.server, off, 2), "control");
        if (again) ok(!tls_control(&pair.server, on, 2), "control");
        status = tls_pair_connect(&pair);
        ok(status == SEC_E_OK && tls_pair_talk(&pair), "first: %08lx", status);
        tls_pair_delete(&pair);
        ok(resumes("second") == again, "%u, %s: it is %s", versions[i % 2],
           i / 4 ? "asked" : "not asked", again ? "on" : "off");
    }
}

int main(void)
{
    RUN(test_server_credentials);
    RUN(test_several_certificates);
    RUN(test_client_credentials);
    RUN(test_shown);
    RUN(test_not_shown);
    RUN(test_disabled);
    RUN(test_lifespan);
    RUN(test_demanded_certificate);
    RUN(test_changed_credential);
    RUN(test_disabled_later);
    RUN(test_many_waiting);
    RUN(test_enabled_again);
    RUN(test_disabled_by_server);
    tls_certs_end();
    return test_end("api_tls_resumption");
}
