/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Further handshakes of TLS 1.2 in a connection, begun by either side, with records that are made
 * by the packages themselves or by the library of the host.
 */
#include "support.h"
#include "tls_records.h"

#define CERT_CHECK_RESULT 0x71 /* SECPKG_ATTR_CERT_CHECK_RESULT, which MinGW lacks */

static struct tls_pair pair;
static struct tls_bytes wire;

/* What one side has sent is heard by the other, which was told to expect it. */
static bool arrives(bool to_server, const char *text)
{
    BYTE heard[32];
    DWORD size;
    struct tls_wire *from = to_server ? &pair.to_server : &pair.to_client;
    SECURITY_STATUS status = tls_pair_receive(&pair, to_server, heard, sizeof(heard), &size);
    return ok(status == SEC_E_OK && size == strlen(text) && !memcmp(heard, text, size) &&
                  !from->size,
              "%s: %08lx, %lu bytes, %lu left", text, status, size, from->size);
}

/* ---- begun by the server ---- */

static bool connect_to(enum tls_cert client_cert, ULONG server_flags)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2,
                                             .client_cert = client_cert,
                                             .server_flags = server_flags};
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    return ok(status == SEC_E_OK, "%08lx", status);
}

/* [OBS dotnet/runtime PR 51905] the server's first leg has only asked: it is done */
static bool ask(void)
{
    SECURITY_STATUS status = tls_pair_server_leg(&pair);
    return ok(status == SEC_E_OK && pair.token_size, "asked: %08lx, %lu bytes", status,
              pair.token_size);
}

/* What is first on the wire is said to be for a leg; all of it is, unless it is used up. */
static void expect_leg(bool to_server, bool used_up)
{
    struct opened opened;
    struct tls_wire *from = to_server ? &pair.to_server : &pair.to_client;
    memcpy(wire.data, from->bytes, wire.size = from->size);
    record_open(to_server ? &pair.server : &pair.client, &wire, 0, &opened);
    DWORD extra = opened_part(&opened, SECBUFFER_EXTRA).cbBuffer;
    ok(opened.status == SEC_I_RENEGOTIATE && (used_up ? extra < from->size : extra == from->size),
       "%08lx, %lu of %lu bytes are extra", opened.status, extra, from->size);
    wire_take(from, from->size - extra);
}

static SECURITY_STATUS client_turn(void)
{
    pair.to_client.arrived = pair.to_client.size;
    return tls_pair_client_leg(&pair);
}

static SECURITY_STATUS server_turn(void)
{
    pair.to_server.arrived = pair.to_server.size;
    return tls_pair_server_leg(&pair);
}

/* The client has been asked; it begins. */
static void begin(void)
{
    expect_leg(false, true);
    SECURITY_STATUS status = client_turn();
    ok(status == SEC_I_CONTINUE_NEEDED && pair.token_size, "begun: %08lx", status);
}

/* The rest, from the client's first message on. */
static void finish(void)
{
    expect_leg(true, false);
    SECURITY_STATUS status = server_turn();
    ok(status == SEC_I_CONTINUE_NEEDED && pair.token_size, "server: %08lx", status);
    expect_leg(false, false);
    status = client_turn();
    if (status == SEC_I_INCOMPLETE_CREDENTIALS) {
        pair.options.client_flags |= ISC_REQ_USE_SUPPLIED_CREDS;
        status = client_turn();
    }
    ok(status == SEC_I_CONTINUE_NEEDED && pair.token_size, "client: %08lx", status);
    status = server_turn();
    ok(status == SEC_E_OK && pair.token_size, "server's last: %08lx", status);
    status = client_turn();
    ok(status == SEC_E_OK && !pair.to_client.size, "client's last: %08lx", status);
    ok(tls_pair_talk(&pair), "no data afterwards");
}

/* What is on the wire comes record by record, or byte by byte. */
static SECURITY_STATUS take_in_pieces(bool server, bool bytes)
{
    struct tls_wire *from = server ? &pair.to_server : &pair.to_client;
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    while (from->arrived < from->size &&
           (status == SEC_I_CONTINUE_NEEDED || status == SEC_E_INCOMPLETE_MESSAGE)) {
        const DWORD record = 5 + (DWORD)(from->bytes[3] << 8 | from->bytes[4]);
        from->arrived = bytes ? from->arrived + 1 : record;
        status = server ? tls_pair_server_leg(&pair) : tls_pair_client_leg(&pair);
    }
    return status;
}

/* The client has been asked, and cannot; the server hears so. */
static void is_declined(void)
{
    expect_leg(false, true);
    SECURITY_STATUS status = client_turn();
    ok(status == SEC_E_OK && pair.token_size, "client: %08lx", status);
    expect_leg(true, false);
    status = server_turn();
    ok(status == SEC_I_NO_RENEGOTIATION && !pair.token_size && !pair.to_server.size,
       "server: %08lx, %lu bytes", status, pair.token_size);
    ok(tls_pair_talk(&pair), "no data afterwards");
}

static bool connect_more(struct tls_pair *pairs, unsigned *made, unsigned count)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2};
    for (; *made < count; (*made)++) {
        SECURITY_STATUS status = tls_pair_make(&pairs[*made], &options);
        if (!ok(status == SEC_E_OK, "connection %u: %08lx", *made, status)) return false;
    }
    return true;
}

/* ours: where a process has many connections and no other handshake has been wanted yet, only some
 * can make one, on either side; the first wish is noted. This case is the first of its program. */
static void test_many(void)
{
    enum { KEPT = 64 };
    static struct tls_pair pairs[KEPT + 2];
    unsigned made = 0;
    if (!ours_only()) return;
    if (connect_more(pairs, &made, KEPT + 1)) {
        SECURITY_STATUS status = tls_pair_server_leg(&pairs[KEPT]);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "one too many: %08lx", status);
        ok(tls_pair_talk(&pairs[KEPT]), "no data afterwards");
        status = tls_pair_server_leg(&pairs[KEPT - 1]);
        ok(status == SEC_E_OK, "one of the first: %08lx", status);
    }
    /* after the server's first wish; the client's side has had none */
    if (made > KEPT && connect_more(pairs, &made, KEPT + 2)) {
        pair = pairs[--made];
        if (ask()) is_declined();
        tls_pair_close(&pair);
    }
    if (made > KEPT && connect_more(pairs, &made, KEPT + 2)) {
        pair = pairs[--made];
        if (ask()) {
            begin();
            finish();
        }
        tls_pair_close(&pair);
    }
    while (made) tls_pair_close(&pairs[--made]);
}

/* [D Renegotiating an Schannel Connection], [D AcceptSecurityContext (Schannel)] MUTUAL_AUTH asks
 * for the certificate; [CI PSSPI] as to the status before */
static void test_late_certificate(void)
{
    static const enum tls_cert certs[] = {TLS_CERT_CLIENT_RSA, TLS_CERT_CLIENT_EC};
    for (unsigned i = 0; i < ARRAYSIZE(certs); i++) {
        if (!connect_to(certs[i], 0)) return;
        ok(tls_pair_sees(&pair, true, certs[i]) == SEC_E_NO_CREDENTIALS, "too early");
        pair.options.server_flags = ASC_REQ_MUTUAL_AUTH;
        if (ask()) {
            begin();
            finish();
            SECURITY_STATUS status = tls_pair_sees(&pair, true, certs[i]);
            ok(status == SEC_E_OK, "certificate %u: %08lx", i, status);
            ok(pair.server_attrs & ASC_RET_MUTUAL_AUTH, "attributes %#lx", pair.server_attrs);
        }
        tls_pair_close(&pair);
    }
}

/* A client need not have one: that is the application's to judge. */
static void test_late_without_certificate(void)
{
    if (!connect_to((enum tls_cert)0, 0)) return;
    pair.options.server_flags = ASC_REQ_MUTUAL_AUTH;
    if (ask()) {
        begin();
        finish();
        ok(tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA) == SEC_E_NO_CREDENTIALS,
           "a certificate");
        ok(!(pair.server_attrs & ASC_RET_MUTUAL_AUTH), "attributes %#lx", pair.server_attrs);
    }
    tls_pair_close(&pair);
}

/* [D AcceptSecurityContext (Schannel)], [D InitializeSecurityContext (Schannel)] a flight may come
 * in parts: on both sides, also between the change of the keys and the first record under them */
static void test_pieces(void)
{
    for (unsigned bytes = 0; bytes < 2; bytes++) {
        if (!connect_to(TLS_CERT_CLIENT_RSA, 0)) return;
        pair.options.server_flags = ASC_REQ_MUTUAL_AUTH;
        for (unsigned i = 0; i < 2 && ask(); i++) {
            begin();
            expect_leg(true, false);
            SECURITY_STATUS status = take_in_pieces(true, bytes);
            ok(status == SEC_I_CONTINUE_NEEDED, "%u: server: %08lx", bytes, status);
            expect_leg(false, false);
            status = take_in_pieces(false, bytes);
            ok(status == SEC_I_CONTINUE_NEEDED, "%u: client: %08lx", bytes, status);
            status = take_in_pieces(true, bytes);
            ok(status == SEC_E_OK, "%u: server's last: %08lx", bytes, status);
            status = take_in_pieces(false, bytes);
            ok(status == SEC_E_OK, "%u: client's last: %08lx", bytes, status);
            ok(tls_pair_talk(&pair), "%u: no data afterwards", bytes);
            status = tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA);
            ok(status == SEC_E_OK, "%u: certificate: %08lx", bytes, status);
        }
        tls_pair_close(&pair);
    }
}

static void use(enum tls_cert client_cert)
{
    const struct tls_pair_options other = {.client_cert = client_cert};
    FreeCredentialsHandle(&pair.client_cred);
    SECURITY_STATUS status = tls_pair_credential(&other, false, &pair.client_cred);
    ok(status == SEC_E_OK, "credential: %08lx", status);
}

/* [D Performing Authentication Using Schannel] the credential is that of the call: each handshake
 * may have another one, and the server's application is told of the last. */
static void test_other_certificates(void)
{
    static const enum tls_cert certs[] = {TLS_CERT_CLIENT_RSA, TLS_CERT_CLIENT_RSA,
                                          TLS_CERT_CLIENT_EC, TLS_CERT_CLIENT_RSA};
    if (!connect_to((enum tls_cert)0, 0)) return;
    pair.options.server_flags = ASC_REQ_MUTUAL_AUTH;
    for (unsigned i = 0; i < ARRAYSIZE(certs) && ask(); i++) {
        use(certs[i]);
        begin();
        finish();
        SECURITY_STATUS status = tls_pair_sees(&pair, true, certs[i]);
        ok(status == SEC_E_OK, "time %u: %08lx", i, status);
    }
    tls_pair_close(&pair);
}

static void come_back(const char *what)
{
    SecPkgContext_SessionInfo info = {0};
    tls_pair_delete(&pair);
    SECURITY_STATUS status = tls_pair_connect(&pair);
    ok(status == SEC_E_OK, "%s: %08lx", what, status);
    QueryContextAttributesW(&pair.server, SECPKG_ATTR_SESSION_INFO, &info);
    ok(info.dwFlags & SSL_SESSION_RECONNECT, "%s: not resumed", what);
}

static void run_again(DWORD lifespan)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2,
                                             .client_cert = TLS_CERT_CLIENT_RSA,
                                             .plain_credentials = true,
                                             .lifespan = lifespan};
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    come_back("again");
    for (unsigned i = 0; i < 4 && ask(); i++) {
        begin();
        finish();
        status = tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA);
        ok(status == (i > 1 ? SEC_E_OK : SEC_E_NO_CREDENTIALS), "round %u: %08lx", i, status);
        if (i) pair.options.server_flags = ASC_REQ_MUTUAL_AUTH;
    }
    tls_pair_close(&pair);
}

/* Again and again, each time in full: a session that could be resumed is no reason to do without
 * the certificate, however long it is good for. */
static void test_again(void)
{
    static const DWORD lifespans[] = {0, 60000, 0xffffffff};
    for (size_t i = 0; i < ARRAYSIZE(lifespans); i++) {
        winetest_push_context("%lu ms", lifespans[i]);
        run_again(lifespans[i]);
        winetest_pop_context();
    }
}

/* ours: there is a session to come back with after other handshakes as before, whether the one that
 * they were in was resumed or not. */
static void test_resumption(void)
{
    static const char *const rounds[] = {"after the first", "after a resumed one", "once more"};
    if (!ours_only() || !connect_to(TLS_CERT_CLIENT_RSA, 0)) return;
    for (size_t i = 0; i < ARRAYSIZE(rounds) && ask(); i++) {
        begin();
        finish();
        if (i == 1 && ask()) {
            begin();
            finish();
        }
        come_back(rounds[i]);
    }
    tls_pair_close(&pair);
}

/* [D Renegotiating an Schannel Connection] DecryptMessage goes on until it says that it is time for
 * a leg; ours: sending goes on, too */
static void test_data_meanwhile(void)
{
    if (!connect_to(TLS_CERT_CLIENT_RSA, 0)) return;
    pair.options.server_flags = ASC_REQ_MUTUAL_AUTH;
    ok(!tls_pair_send(&pair, false, "before", 6), "not sent");
    if (ask()) {
        ok(arrives(true, "before"), "sent before it was asked");
        ok(!tls_pair_send(&pair, true, "behind", 6), "not sent");
        begin();
        ok(arrives(false, "behind"), "sent behind the question");
        DWORD hello = pair.to_server.size;
        ok(!tls_pair_send(&pair, false, "in the middle", 13), "not sent");
        DWORD all = pair.to_server.size;
        expect_leg(true, false);
        SECURITY_STATUS status = server_turn();
        ok(status == SEC_E_OK && pair.to_server.size == all - hello, "server: %08lx, %lu of %lu",
           status, pair.to_server.size, all - hello);
        ok(arrives(true, "in the middle"), "behind the answer");
        expect_leg(false, false);
        status = client_turn();
        ok(status == SEC_I_CONTINUE_NEEDED, "client: %08lx", status);
        status = server_turn();
        ok(status == SEC_E_OK, "server's last: %08lx", status);
        status = client_turn();
        ok(status == SEC_E_OK, "client's last: %08lx", status);
        ok(tls_pair_talk(&pair), "no data afterwards");
        ok(tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA) == SEC_E_OK, "no certificate");
    }
    tls_pair_close(&pair);
}

/* [OS RFC 5246 7.4.8] what shows that the certificate is the client's comes behind it: until then
 * the server's application is told of none. In the middle of the client's flight it could be told
 * that data is next, which is SEC_E_OK. */
static void test_unproven_certificate(void)
{
    DWORD check[2];
    if (!ours_only() || !connect_to(TLS_CERT_CLIENT_RSA, 0)) return;
    pair.options.server_flags = ASC_REQ_MUTUAL_AUTH;
    pair.options.client_flags |= ISC_REQ_USE_SUPPLIED_CREDS;
    if (ask()) {
        begin();
        expect_leg(true, false);
        SECURITY_STATUS status = server_turn();
        ok(status == SEC_I_CONTINUE_NEEDED, "server: %08lx", status);
        status = client_turn();
        ok(status == SEC_I_CONTINUE_NEEDED && pair.token_size, "client: %08lx", status);
        const BYTE *first = pair.to_server.bytes;
        pair.to_server.arrived = 5 + (DWORD)(first[3] << 8 | first[4]);
        ok(pair.to_server.arrived < pair.to_server.size, "all in one record");
        status = tls_pair_server_leg(&pair);
        ok(status == SEC_I_CONTINUE_NEEDED, "with the certificate: %08lx", status);
        ok(tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA) == SEC_E_NO_CREDENTIALS,
           "it is given out");
        status = QueryContextAttributesW(&pair.server, CERT_CHECK_RESULT, check);
        ok(status == SEC_E_NO_CREDENTIALS, "it is judged: %08lx", status);
        status = server_turn();
        ok(status == SEC_E_OK, "server's last: %08lx", status);
        ok(tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA) == SEC_E_OK, "no certificate");
    }
    tls_pair_close(&pair);
}

/* [OS RFC 5246 7.4.1.1, 7.2.2] a client may decline, as one does here that has moved;
 * [H winerror.h] as to the status. The connection goes on, and can be closed as ever. */
static void test_unwilling_client(void)
{
    static const DWORD shutdown[] = {SCHANNEL_SHUTDOWN};
    SECURITY_STATUS status;
    if (!ours_only() || !connect_to((enum tls_cert)0, 0)) return;
    ok(!tls_export(&pair.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &wire), "export");
    ok(!tls_import(&wire, &pair.client), "import");
    for (unsigned i = 0; i < 2 && ask(); i++) is_declined();
    if (ask()) {
        status = server_turn();
        ok(status == SEC_E_INCOMPLETE_MESSAGE, "asked twice: %08lx", status);
        ok(!tls_control(&pair.server, shutdown, 1), "control");
        status = server_turn();
        ok(status == SEC_E_OK && pair.token_size, "closed: %08lx", status);
    }
    tls_pair_close(&pair);
}

/* TLS 1.3 has no renegotiation. [INF] A client that has not offered a certificate for later, as
 * that of the pair, is one that declines. */
static void test_modern(void)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_3,
                                             .server_version = TLS_PAIR_1_3,
                                             .server_flags = ASC_REQ_MUTUAL_AUTH};
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (!ours_only() || !ok(status == SEC_E_OK, "%08lx", status)) return;
    status = tls_pair_server_leg(&pair);
    ok(status == SEC_I_NO_RENEGOTIATION && !pair.token_size, "server: %08lx", status);
    ok(tls_pair_talk(&pair), "no data afterwards");
    status = tls_pair_client_leg(&pair);
    ok(status == SEC_E_INCOMPLETE_MESSAGE, "client: %08lx", status);
    ok(!tls_export(&pair.server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &wire), "export");
    ok(!tls_import(&wire, &pair.server), "import");
    status = tls_pair_server_leg(&pair);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "one that has moved: %08lx", status);
    ok(tls_pair_talk(&pair), "no data in the end");
    tls_pair_close(&pair);
}

/* ---- begun by the client ---- */

/* A client that has begun another handshake with a server that makes none of its own accord. */
static bool begin_in_vain(void)
{
    const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                             .server_version = TLS_PAIR_1_2};
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return false;
    ok(tls_pair_talk(&pair), "no data");
    status = tls_pair_client_leg(&pair);
    return ok(status == SEC_I_CONTINUE_NEEDED && pair.token_size > 64, "client: %08lx, %lu bytes",
              status, pair.token_size);
}

/* The server's answer, and what the connection is like then. */
static void decline(void)
{
    struct opened opened;
    memcpy(wire.data, pair.to_server.bytes, wire.size = pair.to_server.size);
    record_open(&pair.server, &wire, 0, &opened);
    ok(opened.status == SEC_I_RENEGOTIATE, "server: %08lx", opened.status);
    pair.to_server.arrived = pair.token_size;
    SECURITY_STATUS status = tls_pair_server_leg(&pair);
    ok(status == SEC_E_OK && pair.token_size, "server's leg: %08lx, %lu bytes", status,
       pair.token_size);
}

/* ours: the connection goes on as it was. The status is that of [H winerror.h] for a recipient who
 * declines. */
static void test_refused_renegotiation(void)
{
    if (!ours_only() || !begin_in_vain()) return;
    decline();
    pair.to_client.arrived = pair.to_client.size;
    SECURITY_STATUS status = tls_pair_client_leg(&pair);
    ok(status == SEC_I_NO_RENEGOTIATION && !pair.token_size, "client's second leg: %08lx", status);
    ok(tls_pair_talk(&pair), "no data afterwards");
    tls_pair_close(&pair);
}

/* [D Renegotiating an Schannel Connection]: a client that has asked goes on with DecryptMessage,
 * which says when the answer is there. ours: what is said in the meantime by it */
static void test_data_in_renegotiation(void)
{
    struct opened opened;
    if (!ours_only() || !begin_in_vain()) return;
    const DWORD hello = pair.token_size;
    ok(!tls_pair_send(&pair, false, "from the client", 15), "not sent");
    ok(!tls_pair_send(&pair, true, "to the client", 13), "not sent");
    ok(arrives(false, "to the client"), "before the answer");
    pair.token_size = hello;
    decline();
    ok(arrives(true, "from the client"), "behind the question");
    memcpy(wire.data, pair.to_client.bytes, wire.size = pair.to_client.size);
    record_open(&pair.client, &wire, 0, &opened);
    ok(opened.status == SEC_I_RENEGOTIATE &&
           opened_part(&opened, SECBUFFER_EXTRA).cbBuffer == pair.to_client.size,
       "the answer: %08lx", opened.status);
    ok(tls_pair_send(&pair, false, "early", 5) == SEC_E_CONTEXT_EXPIRED, "before its leg");
    pair.to_client.arrived = pair.to_client.size;
    SECURITY_STATUS status = tls_pair_client_leg(&pair);
    ok(status == SEC_I_NO_RENEGOTIATION && !pair.token_size, "its leg: %08lx", status);
    ok(tls_pair_talk(&pair), "no data afterwards");
    tls_pair_close(&pair);
}

/* ours: a client that does not do so is sent there by a leg that leaves the data where it is */
static void test_data_for_renegotiation(void)
{
    if (!ours_only() || !begin_in_vain()) return;
    const DWORD hello = pair.token_size;
    ok(!tls_pair_send(&pair, true, "to the client", 13), "not sent");
    const DWORD data = pair.to_client.size;
    for (unsigned i = 0; i < 2; i++) {
        pair.to_client.arrived = data;
        SECURITY_STATUS status = tls_pair_client_leg(&pair);
        ok(status == SEC_E_OK && !pair.token_size && pair.to_client.size == data,
           "leg %u: %08lx, %lu of %lu bytes are left", i, status, pair.to_client.size, data);
    }
    pair.token_size = hello;
    decline();
    const DWORD all = pair.to_client.size;
    pair.to_client.arrived = all;
    SECURITY_STATUS status = tls_pair_client_leg(&pair);
    ok(status == SEC_E_OK && pair.to_client.size == all, "with the answer: %08lx", status);
    BYTE heard[32];
    DWORD size;
    status = tls_pair_receive(&pair, false, heard, sizeof(heard), &size);
    ok(status == SEC_E_OK && size == 13, "read: %08lx, %lu bytes", status, size);
    pair.to_client.arrived = pair.to_client.size;
    status = tls_pair_client_leg(&pair);
    ok(status == SEC_I_NO_RENEGOTIATION && !pair.to_client.size, "the answer: %08lx", status);
    ok(tls_pair_talk(&pair), "no data afterwards");
    tls_pair_close(&pair);
}

/* ---- records of the host's library ---- */

/* The server asks, and the client comes again; legs until both are done, or one fails. */
static void renegotiate(void)
{
    SECURITY_STATUS status = tls_pair_server_leg(&pair);
    ok(status == SEC_I_CONTINUE_NEEDED && pair.token_size, "asked: %08lx", status);
    SecBuffer buffers[4] = {{pair.to_client.size, SECBUFFER_DATA, pair.to_client.bytes}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
    status = DecryptMessage(&pair.client, &desc, 0, NULL);
    ok(status == SEC_I_RENEGOTIATE, "told: %08lx", status);
    pair.to_client.size = pair.to_client.arrived = 0;
    status = tls_pair_client_leg(&pair);
    ok(status == SEC_I_CONTINUE_NEEDED && pair.token_size, "begun: %08lx", status);
    for (unsigned i = 0; i < 6 && (pair.client_status || pair.server_status); i++) {
        pair.to_server.arrived = pair.to_server.size;
        if (pair.to_server.size) tls_pair_server_leg(&pair);
        pair.to_client.arrived = pair.to_client.size;
        if (pair.to_client.size) tls_pair_client_leg(&pair);
        if (pair.client_status < 0) break;
    }
}

/* Both sides have the library: data goes on. [D Renegotiating an Schannel Connection], [W8T
 * schannel.c:1436-1468] */
static void test_renegotiation(void)
{
    const struct tls_pair_options options = {
        .client_version = TLS_PAIR_1_2, .server_version = TLS_PAIR_1_2, .without_aead = true};
    SECURITY_STATUS status = tls_pair_make(&pair, &options);
    if (!ok(status == SEC_E_OK, "%08lx", status)) return;
    renegotiate();
    ok(!pair.client_status && !pair.server_status, "client %08lx, server %08lx", pair.client_status,
       pair.server_status);
    ok(tls_pair_talk(&pair), "no data");
    tls_pair_close(&pair);
}

/* ours, as to the status: within a connection a server does not become another one, be the new
 * certificate good or not, and whoever judges it */
static void test_other_server(void)
{
    static const struct {
        enum tls_cert certificate;
        bool automatic;
    } rows[] = {{TLS_CERT_STRANGER, true}, {TLS_CERT_CHAINED, true}, {TLS_CERT_STRANGER, false}};
    if (!ours_only() || !ok(tls_root_trust(), "the root cannot be trusted")) return;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct tls_pair_options options = {.client_version = TLS_PAIR_1_2,
                                                 .server_version = TLS_PAIR_1_2,
                                                 .without_aead = true,
                                                 .automatic = rows[i].automatic};
        const struct tls_pair_options other = {.server_version = TLS_PAIR_1_2,
                                               .server_cert = rows[i].certificate,
                                               .without_aead = true};
        CredHandle second;
        SECURITY_STATUS status = tls_pair_make(&pair, &options);
        if (!ok(status == SEC_E_OK, "row %u: %08lx", i, status)) continue;
        status = tls_pair_credential(&other, true, &second);
        ok(status == SEC_E_OK, "row %u: credential: %08lx", i, status);
        FreeCredentialsHandle(&pair.server_cred);
        pair.server_cred = second;
        renegotiate();
        ok(pair.client_status < 0, "row %u: client %08lx", i, pair.client_status);
        ok(tls_pair_send(&pair, false, "now", 3) < 0, "row %u: sent", i);
        tls_pair_close(&pair);
    }
    tls_root_distrust();
}

int main(void)
{
    RUN(test_many);
    RUN(test_late_certificate);
    RUN(test_late_without_certificate);
    RUN(test_pieces);
    RUN(test_other_certificates);
    RUN(test_again);
    RUN(test_resumption);
    RUN(test_data_meanwhile);
    RUN(test_unproven_certificate);
    RUN(test_unwilling_client);
    RUN(test_modern);
    RUN(test_refused_renegotiation);
    RUN(test_data_in_renegotiation);
    RUN(test_data_for_renegotiation);
    RUN(test_renegotiation);
    RUN(test_other_server);
    tls_certs_end();
    return test_end("api_tls_renegotiation");
}
