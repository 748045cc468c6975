/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What both sides are told of certificates when a later handshake, or a later answer of TLS 1.3,
 * shows another one, or none, or does not take place.
 */
#include "support.h"
#include "tls_records.h"

static struct tls_pair pair;

/* The credential of the next leg. */
static bool use(bool server, const struct tls_pair_options *options)
{
    CredHandle *cred = server ? &pair.server_cred : &pair.client_cred;
    FreeCredentialsHandle(cred);
    SECURITY_STATUS status = tls_pair_credential(options, server, cred);
    return ok(status == SEC_E_OK, "credential: %08lx", status);
}

/* What is on the wire goes through DecryptMessage, which says that it is for a leg. */
static bool for_leg(bool to_server)
{
    struct tls_wire *from = to_server ? &pair.to_server : &pair.to_client;
    SecBuffer buffers[4] = {{from->size, SECBUFFER_DATA, from->bytes}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
    DWORD extra = 0;
    SECURITY_STATUS status = DecryptMessage(to_server ? &pair.server : &pair.client, &desc, 0,
                                            NULL);
    for (unsigned i = 0; i < ARRAYSIZE(buffers); i++)
        if (buffers[i].BufferType == SECBUFFER_EXTRA) extra = buffers[i].cbBuffer;
    wire_take(from, from->size - extra);
    return ok(status == SEC_I_RENEGOTIATE, "%s: %08lx", to_server ? "server" : "client", status);
}

static SECURITY_STATUS turn(bool server)
{
    struct tls_wire *from = server ? &pair.to_server : &pair.to_client;
    from->arrived = from->size;
    return server ? tls_pair_server_leg(&pair) : tls_pair_client_leg(&pair);
}

/* The rest of a handshake whose next leg is the server's; the server's last status. */
static SECURITY_STATUS finish(void)
{
    pair.client_status = SEC_I_CONTINUE_NEEDED;
    turn(true);
    for (unsigned i = 0; i < 6 && pair.server_status >= 0 && pair.client_status; i++) {
        if (pair.to_client.size && turn(false) == SEC_I_INCOMPLETE_CREDENTIALS) {
            pair.options.client_flags |= ISC_REQ_USE_SUPPLIED_CREDS;
            turn(false);
        }
        if (pair.client_status < 0) break;
        if (pair.to_server.size) turn(true);
    }
    return pair.server_status;
}

/* ---- begun by the client ---- */

static const struct {
    enum tls_cert before, after;
    bool good;
} changes[] = {
    {TLS_CERT_CLIENT_RSA, TLS_CERT_CLIENT_RSA, true},
    {TLS_CERT_CLIENT_RSA, TLS_CERT_CLIENT_EC, false},
    {TLS_CERT_CLIENT_RSA, TLS_CERT_STRANGER, false},
    {(enum tls_cert)0, (enum tls_cert)0, true},
    {(enum tls_cert)0, TLS_CERT_CLIENT_EC, true},
};

/* ours, as to the status: nobody has asked for this handshake, so who was shown stays who it is.
 * Such a handshake goes on with suites of CBC. */
static void test_unasked(void)
{
    if (!ours_only()) return;
    for (unsigned i = 0; i < ARRAYSIZE(changes); i++) {
        struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                           .server_version = TLS_PAIR_1_2,
                                           .client_cert = changes[i].before,
                                           .server_flags = ASC_REQ_MUTUAL_AUTH,
                                           .without_aead = true};
        SECURITY_STATUS status = tls_pair_make(&pair, &options);
        if (!ok(status == SEC_E_OK, "row %u: %08lx", i, status)) continue;
        options.client_cert = changes[i].after;
        pair.options.client_cert = changes[i].after;
        if (use(false, &options)) {
            status = tls_pair_client_leg(&pair);
            ok(status == SEC_I_CONTINUE_NEEDED, "row %u: begun: %08lx", i, status);
            for_leg(true);
            pair.to_server.size = pair.to_server.arrived = 0;
            status = finish();
            ok(status == (changes[i].good ? SEC_E_OK : SEC_E_CERT_UNKNOWN), "row %u: %08lx", i,
               status);
        }
        if (changes[i].good) {
            status = tls_pair_sees(&pair, true, changes[i].after);
            ok(status == (changes[i].after ? SEC_E_OK : SEC_E_NO_CREDENTIALS), "row %u: %08lx", i,
               status);
            ok(tls_pair_talk(&pair), "row %u: no data", i);
        }
        tls_pair_close(&pair);
    }
}

/* ---- declined ---- */

static bool server_has(enum tls_cert which, const char *when)
{
    const CERT_CONTEXT *own = NULL;
    SECURITY_STATUS status = QueryContextAttributesW(&pair.server, SECPKG_ATTR_LOCAL_CERT_CONTEXT,
                                                     (void *)&own);
    bool good = ok(status == SEC_E_OK && tls_cert_is(own, which), "%s: %08lx", when, status);
    if (own) CertFreeCertificateContext(own);
    return good;
}

/* Both sides' endpoint bindings are of one certificate. */
static bool bindings_agree(void)
{
    SecPkgContext_Bindings of[2] = {{0}};
    QueryContextAttributesW(&pair.client, SECPKG_ATTR_ENDPOINT_BINDINGS, &of[0]);
    QueryContextAttributesW(&pair.server, SECPKG_ATTR_ENDPOINT_BINDINGS, &of[1]);
    bool same = of[0].BindingsLength && of[0].BindingsLength == of[1].BindingsLength &&
                !memcmp(of[0].Bindings, of[1].Bindings, of[0].BindingsLength);
    for (unsigned i = 0; i < ARRAYSIZE(of); i++)
        if (of[i].Bindings) FreeContextBuffer(of[i].Bindings);
    return same;
}

/* ours: a server asks with another credential, and nothing comes of it: it has the certificate that
 * the connection began with, be its session new or resumed. A client that has moved declines. */
static void test_declined(void)
{
    static struct tls_bytes moved;
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2};
    struct tls_pair_options other = options;
    other.server_cert = TLS_CERT_CHAINED;
    if (!ours_only()) return;
    for (unsigned resumed = 0; resumed < 2; resumed++) {
        winetest_push_context("%s", resumed ? "resumed" : "new");
        SECURITY_STATUS status = tls_pair_make(&pair, &options);
        if (!ok(status == SEC_E_OK, "connect: %08lx", status)) return;
        if (resumed) {
            tls_pair_delete(&pair);
            status = tls_pair_connect(&pair);
            ok(status == SEC_E_OK, "again: %08lx", status);
        }
        server_has(TLS_CERT_SERVER_RSA, "before");
        ok(bindings_agree(), "bindings before");
        ok(!tls_export(&pair.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &moved), "export");
        ok(!tls_import(&moved, &pair.client), "import");
        if (use(true, &other)) {
            status = turn(true);
            ok(status == SEC_E_OK && pair.token_size, "asked: %08lx", status);
            for_leg(false);
            status = turn(false);
            ok(status == SEC_E_OK && pair.token_size, "client: %08lx", status);
            for_leg(true);
            status = turn(true);
            ok(status == SEC_I_NO_RENEGOTIATION, "server: %08lx", status);
            server_has(TLS_CERT_SERVER_RSA, "afterwards");
            ok(bindings_agree(), "bindings afterwards");
            ok(tls_pair_talk(&pair), "no data");
        }
        tls_pair_close(&pair);
        winetest_pop_context();
    }
}

int main(void)
{
    RUN(test_unasked);
    RUN(test_declined);
    tls_certs_end();
    return test_end("api_tls_identities");
}
