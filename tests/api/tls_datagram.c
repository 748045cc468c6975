/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* DTLS: the legs of a handshake over datagrams. */
#include "support.h"
#include "tls_pair.h"

#define SCHANNEL L"SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL"

static struct tls_pair pair;

/* One leg, with a datagram or without; the token goes to room. */
struct step {
    SECURITY_STATUS status;
    BYTE room[16384];
    ULONG size, attrs;
    ULONG limit; /* of the token; 0: room enough */
};

static ULONG server_flags;

static const BYTE address[16] = {2, 0, 0x11, 0x5c, 127, 0, 0, 1}; /* a SOCKADDR_IN */

static void leg(bool server, const void *bytes, ULONG size, WORD mtu, struct step *out)
{
    CtxtHandle *context = server ? &pair.server : &pair.client;
    SecBuffer in[4] = {{size, SECBUFFER_TOKEN, (void *)bytes}, {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer token = {out->limit ? out->limit : sizeof(out->room), SECBUFFER_TOKEN, out->room};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 2, in}, out_desc = {SECBUFFER_VERSION, 1, &token};
    bool first = !tls_handle_present(context);
    if (server) in[in_desc.cBuffers++] = (SecBuffer){16, SECBUFFER_EXTRA, (void *)address};
    if (mtu) in[in_desc.cBuffers++] = (SecBuffer){2, SECBUFFER_DTLS_MTU, &mtu};
    out->status = server ? AcceptSecurityContext(&pair.server_cred, first ? NULL : context,
                                                 &in_desc, ASC_REQ_DATAGRAM | server_flags, 0,
                                                 context, &out_desc, &out->attrs, NULL)
                         : InitializeSecurityContextW(
                               &pair.client_cred, first ? NULL : context, (wchar_t *)L"localhost",
                               ISC_REQ_DATAGRAM | ISC_REQ_MANUAL_CRED_VALIDATION, 0, 0,
                               first && !mtu ? NULL : &in_desc, 0, context, &out_desc, &out->attrs,
                               NULL);
    out->size = token.cbBuffer;
}

static bool open_asking(enum tls_cert client_cert, HCERTSTORE roots)
{
    const struct tls_pair_options options = {
        .datagram = true, .client_cert = client_cert, .server_roots = roots};
    SECURITY_STATUS status = tls_pair_open(&pair, &options);
    return ok(status == SEC_E_OK, "credentials: %08lx", status);
}

static bool open_pair(void)
{
    return open_asking((enum tls_cert)0, NULL);
}

/* All datagrams of one side's flight go to the other, one leg each. Returns the last status. */
static SECURITY_STATUS flight(bool to_server, struct step *from, struct step *to, WORD mtu,
                              unsigned *datagrams)
{
    static struct step more;
    more = *from;
    to->status = SEC_I_CONTINUE_NEEDED;
    for (*datagrams = 0; *datagrams < 40; ++*datagrams) {
        if (more.size) leg(to_server, more.room, more.size, mtu, to);
        if (to->status < 0 || more.status != SEC_I_MESSAGE_FRAGMENT) break;
        leg(!to_server, NULL, 0, mtu, &more);
        if (mtu) ok(more.size <= mtu, "a datagram of %lu bytes", more.size);
    }
    from->status = more.status;
    return to->status;
}

/* ours, as to the number of legs */
static void connect_pair(WORD mtu, unsigned *most)
{
    static struct step client, server;
    unsigned datagrams;
    *most = 0;
    leg(false, NULL, 0, mtu, &client);
    ok(client.status == SEC_I_CONTINUE_NEEDED, "first leg: %08lx", client.status);
    ok(client.attrs & ISC_RET_DATAGRAM, "attributes %08lx", client.attrs);
    server.status = SEC_I_CONTINUE_NEEDED;
    for (unsigned i = 0; i < 8 && (client.status || server.status); i++) {
        if (flight(true, &client, &server, mtu, &datagrams) < 0) break;
        if (flight(false, &server, &client, mtu, &datagrams) < 0) break;
        if (datagrams > *most) *most = datagrams;
    }
    ok(client.status == SEC_E_OK && server.status == SEC_E_OK, "client %08lx, server %08lx",
       client.status, server.status);
    ok(server.attrs & ASC_RET_DATAGRAM, "attributes %08lx", server.attrs);
}

static void handshake(WORD mtu, unsigned *most)
{
    *most = 0;
    if (open_pair()) connect_pair(mtu, most);
}

static void test_handshake(void)
{
    unsigned most;
    handshake(0, &most);
    ok(tls_pair_talk(&pair), "no data");
    tls_pair_close(&pair);
}

/* [D ExportSecurityContext] SEC_E_NOT_SUPPORTED; ours, as to what cannot move: the library keeps
 * the state of datagrams, and the connection goes on */
static void test_export(void)
{
    unsigned most;
    if (!ours_only()) return;
    handshake(0, &most);
    for (unsigned i = 0; i < 2; i++) {
        SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
        SECURITY_STATUS status = ExportSecurityContext(
            i ? &pair.server : &pair.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed, NULL);
        ok(status == SEC_E_NOT_SUPPORTED, "%u: %08lx", i, status);
    }
    ok(tls_pair_talk(&pair), "no data");
    tls_pair_close(&pair);
}

/* [D SecBuffer, SECBUFFER_DTLS_MTU], [D SSPI status codes, SEC_I_MESSAGE_FRAGMENT] */
static void test_mtu(void)
{
    unsigned most;
    if (!ours_only()) return;
    handshake(300, &most);
    ok(most > 1, "the server's flight is one datagram");
    ok(tls_pair_talk(&pair), "no data");
    tls_pair_close(&pair);
}

/* Counts the records of a datagram on from *next, which RFC 6347 4.1 numbers one by one. */
static bool in_order(const struct step *datagram, unsigned *next)
{
    for (ULONG at = 0; at + 13 <= datagram->size;) {
        const BYTE *record = datagram->room + at;
        if (record[10] != (BYTE)(*next)++) return false;
        at += 13 + (ULONG)(record[11] << 8) + record[12];
    }
    return datagram->size != 0;
}

/* ours: of a flight whose first datagram did not fit nothing is lost */
static void test_small_buffer(void)
{
    static struct step client, server;
    if (!ours_only() || !open_pair()) return;
    leg(false, NULL, 0, 300, &client);
    leg(true, client.room, client.size, 300, &server); /* a cookie */
    leg(false, server.room, server.size, 300, &client);
    server.limit = 20;
    leg(true, client.room, client.size, 300, &server);
    ok(server.status == SEC_E_INSUFFICIENT_MEMORY, "no room: %08lx", server.status);
    server.limit = 0;
    leg(true, client.room, client.size, 300, &server);
    unsigned next = server.room[10], datagrams = 1;
    bool ordered = in_order(&server, &next);
    while (server.status == SEC_I_MESSAGE_FRAGMENT && ordered && datagrams++ < 40) {
        leg(true, NULL, 0, 300, &server);
        ordered = in_order(&server, &next);
    }
    ok(server.status == SEC_I_CONTINUE_NEEDED && datagrams > 2 && ordered,
       "%08lx, %u datagrams, up to record %u", server.status, datagrams, next);
    tls_pair_close(&pair);
}

/* [D SecBuffer]: the smallest is 200 */
static void test_mtu_range(void)
{
    static struct step step;
    if (!ours_only() || !open_pair()) return;
    leg(false, NULL, 0, 199, &step);
    ok(step.status == SEC_E_INVALID_PARAMETER, "199: %08lx", step.status);
    tls_pair_close(&pair);
}

/* [W8 schannel.c:1747-1772]: a leg without input says the same again */
static void test_again(void)
{
    static struct step first, again;
    if (!open_pair()) return;
    leg(false, NULL, 0, 0, &first);
    ok(first.status == SEC_I_CONTINUE_NEEDED && first.size > 13, "%08lx", first.status);
    Sleep(1200);
    leg(false, NULL, 0, 0, &again);
    ok(again.status == SEC_I_CONTINUE_NEEDED, "again: %08lx", again.status);
    if (ok(again.size == first.size, "%lu bytes, then %lu", first.size, again.size)) {
        ok(again.room[10] == 1, "record %u", again.room[10]);
        again.room[10] = first.room[10];
        ok(!memcmp(again.room, first.room, first.size), "not the same");
    }
    tls_pair_close(&pair);
}

/* [W8 schannel.c:1719-1743]: without room for an alert nothing is done, and there is no time */
static void test_no_alert_room(void)
{
    static BYTE token[1420], alert[64];
    SecBuffer out[2] = {{sizeof(token), SECBUFFER_TOKEN, token}, {0, SECBUFFER_ALERT, alert}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, out};
    static struct step first, again;
    CtxtHandle made = {5, 5};
    TimeStamp expiry = {.QuadPart = 5};
    ULONG attrs;
    if (!open_pair()) return;
    leg(false, NULL, 0, 0, &first);
    SECURITY_STATUS status = InitializeSecurityContextW(
        &pair.client_cred, &pair.client, (wchar_t *)L"localhost",
        ISC_REQ_DATAGRAM | ISC_REQ_MANUAL_CRED_VALIDATION, 0, 0, NULL, 0, &made, &desc, &attrs,
        &expiry);
    ok(status == SEC_E_INSUFFICIENT_MEMORY, "%08lx", status);
    ok(!expiry.QuadPart, "expiry %08lx%08lx", (DWORD)expiry.HighPart, (DWORD)expiry.LowPart);
    ok(made.dwLower == 5 && made.dwUpper == 5, "the new handle was changed");
    leg(false, NULL, 0, 0, &again);
    ok(again.status == SEC_I_CONTINUE_NEEDED && again.size == first.size, "%08lx, %lu bytes",
       again.status, again.size);
    tls_pair_close(&pair);
}

/* How many of the records of a datagram are of this type, and in this epoch. */
static unsigned records_of(const struct step *datagram, BYTE type, BYTE epoch)
{
    unsigned count = 0;
    for (ULONG at = 0; at + 13 <= datagram->size;) {
        const BYTE *record = datagram->room + at;
        count += record[0] == type && record[4] == epoch;
        at += 13 + (ULONG)(record[11] << 8) + record[12];
    }
    return count;
}

/* [OS RFC 6347 4.2.4] a flight is repeated when there was no answer in time, of which the
 * application tells by a leg without input, and not before; ours, as to the number of records */
static void test_once(void)
{
    static struct step client, server;
    if (!ours_only() || !open_pair()) return;
    leg(false, NULL, 0, 8192, &client);
    ok(records_of(&client, 22, 0) == 1, "%lu bytes of ClientHello", client.size);
    for (unsigned i = 0; i < 2; i++) {
        leg(true, client.room, client.size, 8192, &server);
        leg(false, server.room, server.size, 8192, &client);
    }
    if (!ok(client.status == SEC_I_CONTINUE_NEEDED && server.status == SEC_I_CONTINUE_NEEDED,
            "%08lx, %08lx", client.status, server.status))
        return;
    ok(records_of(&server, 22, 0) == 4, "%lu bytes of the server", server.size);
    ok(records_of(&client, 22, 0) == 1 && records_of(&client, 20, 0) == 1 &&
           records_of(&client, 22, 1) == 1,
       "a flight of %lu bytes", client.size);
    for (unsigned i = 0; i < 2; i++) {
        leg(false, NULL, 0, 8192, &client);
        ok(client.status == SEC_I_CONTINUE_NEEDED && records_of(&client, 20, 0) == 1 &&
               records_of(&client, 22, 1) == 1,
           "again: %08lx, %lu bytes", client.status, client.size);
    }
    leg(true, client.room, client.size, 8192, &server);
    ok(server.status == SEC_E_OK && records_of(&server, 22, 1) == 1, "%08lx, %lu bytes",
       server.status, server.size);
    leg(false, server.room, server.size, 8192, &client);
    ok(client.status == SEC_E_OK && !client.size, "%08lx, %lu bytes", client.status, client.size);
    ok(tls_pair_talk(&pair), "no data");
    tls_pair_close(&pair);
}

/* DecryptMessage over what is at the end of the step's room, a record each, until it says
 * something. */
static SECURITY_STATUS receive(struct step *from)
{
    SECURITY_STATUS status = SEC_E_OK;
    BYTE *at = from->room;
    ULONG left = from->size;
    while (left && status == SEC_E_OK) {
        SecBuffer buffers[4] = {{left, SECBUFFER_DATA, at},
                                {0, SECBUFFER_EMPTY, NULL},
                                {0, SECBUFFER_EMPTY, NULL},
                                {0, SECBUFFER_EMPTY, NULL}};
        SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
        status = DecryptMessage(&pair.server, &desc, 0, NULL);
        left = buffers[3].BufferType == SECBUFFER_EXTRA ? buffers[3].cbBuffer : 0;
        at = from->room + from->size - left;
    }
    return status;
}

/* [RFC 6347 4.2.4], ours as to the way: a client that repeats its last flight has not got the
 * server's, which a leg gives again */
static void test_last_flight_lost(void)
{
    static struct step client, server;
    unsigned datagrams;
    if (!ours_only() || !open_pair()) return;
    leg(false, NULL, 0, 0, &client);
    server.status = SEC_I_CONTINUE_NEEDED;
    for (unsigned i = 0; i < 8 && server.status != SEC_E_OK; i++) {
        if (flight(true, &client, &server, 0, &datagrams) < 0 || server.status == SEC_E_OK) break;
        if (flight(false, &server, &client, 0, &datagrams) < 0) break;
    }
    if (!ok(server.status == SEC_E_OK && client.status == SEC_I_CONTINUE_NEEDED, "%08lx, %08lx",
            server.status, client.status))
        return;
    leg(false, NULL, 0, 0, &client);
    ok(client.status == SEC_I_CONTINUE_NEEDED && client.size, "again: %08lx", client.status);
    SECURITY_STATUS status = receive(&client);
    ok(status == SEC_I_RENEGOTIATE, "received: %08lx", status);
    leg(true, NULL, 0, 0, &server);
    ok(server.status == SEC_E_OK && server.size, "%08lx, %lu bytes", server.status, server.size);
    leg(false, server.room, server.size, 0, &client);
    ok(client.status == SEC_E_OK, "client: %08lx", client.status);
    ok(tls_pair_talk(&pair), "no data");
    tls_pair_close(&pair);
}

static void drop(const BYTE *bytes, ULONG size, const char *what)
{
    static BYTE room[300];
    memcpy(room, bytes, size);
    SecBuffer buffers[4] = {{size, SECBUFFER_DATA, room}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
    SECURITY_STATUS status = DecryptMessage(&pair.server, &desc, 0, NULL);
    ok(status == SEC_E_OK, "%s, %lu bytes: %08lx", what, size, status);
    ok(buffers[1].BufferType == SECBUFFER_DATA && !buffers[1].cbBuffer, "%s, %lu bytes: data", what,
       size);
    ok(buffers[3].BufferType == SECBUFFER_EMPTY, "%s, %lu bytes: type %lu", what, size,
       buffers[3].BufferType);
}

/* [OS RFC 6347 4.1.2.7] what is no record is dropped, and changes nothing; nothing more of a
 * datagram comes */
static void test_dropped(void)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    BYTE record[256];
    unsigned most;
    if (!ours_only()) return;
    handshake(0, &most);
    pair.to_server.size = 0;
    ok(!tls_pair_send(&pair, false, "lost", 4), "no record");
    ULONG size = min(pair.to_server.size, sizeof(record));
    memcpy(record, pair.to_server.bytes, size);
    pair.to_server.size = 0;
    for (ULONG cut = 0; cut < size; cut++) drop(record, cut, "cut off");
    drop((const BYTE *)text, sizeof(text), "text");
    record[11] = 0xff;
    drop(record, size, "a length that is wrong");
    record[11] = 0;
    record[1] = 3;
    drop(record, size, "another version");
    record[1] = 0xfe;
    record[0] = 99;
    drop(record, size, "another type");
    record[0] = 23;
    record[size - 1] ^= 1;
    drop(record, size, "damaged");
    ok(tls_pair_talk(&pair), "no data");
    tls_pair_close(&pair);
}

/* A server that asks for a certificate and names whom it trusts. */
/* [D QueryContextAttributes (Schannel), ISSUER_LIST_EX] */
static void test_issuers(void)
{
    static struct saved_value naming;
    const DWORD on = 1;
    SecPkgContext_IssuerListInfoEx list = {0};
    const CERT_CONTEXT *root = tls_cert(TLS_CERT_ROOT);
    unsigned most;
    if (!ours_only()) return;
    HCERTSTORE store = tls_cert_store(TLS_CERT_ROOT);
    ok(value_save(&naming, SCHANNEL, L"SendTrustedIssuerList") &&
           value_set(&naming, REG_DWORD, &on, sizeof(on)),
       "the registry cannot be written");
    second_pass();
    server_flags = ASC_REQ_MUTUAL_AUTH;
    if (open_asking(TLS_CERT_CLIENT_RSA, store)) connect_pair(8192, &most);
    SECURITY_STATUS status = tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA);
    ok(status == SEC_E_OK, "the client's certificate: %08lx", status);
    status = QueryContextAttributesW(&pair.client, SECPKG_ATTR_ISSUER_LIST_EX, &list);
    ok(status == SEC_E_OK && list.cIssuers == 1 &&
           list.aIssuers[0].cbData == root->pCertInfo->Subject.cbData,
       "%08lx, %lu issuers", status, list.cIssuers);
    if (list.aIssuers) FreeContextBuffer(list.aIssuers);
    tls_pair_close(&pair);
    server_flags = 0;
    value_restore(&naming);
    CertFreeCertificateContext(root);
    CertCloseStore(store, 0);
}

/* [D Performing Authentication Using Schannel] as over streams: the same input again, with a
 * certificate or without */
static void test_certificate_asked(void)
{
    static struct step client, server;
    const struct tls_pair_options with = {.datagram = true, .client_cert = TLS_CERT_CLIENT_RSA};
    if (!ours_only()) return;
    for (unsigned i = 0; i < 2; i++) {
        server_flags = ASC_REQ_MUTUAL_AUTH;
        if (!open_pair()) break;
        leg(false, NULL, 0, 8192, &client);
        leg(true, client.room, client.size, 8192, &server); /* a cookie */
        leg(false, server.room, server.size, 8192, &client);
        leg(true, client.room, client.size, 8192, &server);
        leg(false, server.room, server.size, 8192, &client);
        ok(client.status == SEC_I_INCOMPLETE_CREDENTIALS, "asked: %08lx", client.status);
        if (i) {
            FreeCredentialsHandle(&pair.client_cred);
            SECURITY_STATUS status = tls_pair_credential(&with, false, &pair.client_cred);
            ok(status == SEC_E_OK, "credential: %08lx", status);
        }
        leg(false, server.room, server.size, 8192, &client);
        ok(client.status == SEC_I_CONTINUE_NEEDED && records_of(&client, 22, 1) == 1,
           "goes on: %08lx, %lu bytes", client.status, client.size);
        leg(true, client.room, client.size, 8192, &server);
        ok(server.status == SEC_E_OK, "server: %08lx", server.status);
        leg(false, server.room, server.size, 8192, &client);
        ok(client.status == SEC_E_OK, "client: %08lx", client.status);
        SECURITY_STATUS status = tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA);
        ok(status == (i ? SEC_E_OK : SEC_E_NO_CREDENTIALS), "%u: shown: %08lx", i, status);
        ok(tls_pair_talk(&pair), "no data");
        tls_pair_close(&pair);
    }
    server_flags = 0;
}

int main(void)
{
    RUN(test_handshake);
    RUN(test_export);
    RUN(test_mtu);
    RUN(test_small_buffer);
    RUN(test_mtu_range);
    RUN(test_again);
    RUN(test_no_alert_room);
    RUN(test_once);
    RUN(test_last_flight_lost);
    RUN(test_dropped);
    RUN(test_issuers);
    RUN(test_certificate_asked);
    tls_certs_end();
    return test_end("api_tls_datagram");
}
