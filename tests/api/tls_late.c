/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Certificates that a server of TLS 1.3 asks for after the handshake (RFC 8446 4.6.2). What no peer
 * of ours would send stands between the two, and has the secrets of both.
 */
#include "support.h"
#include "tls_records.h"

#include <stdio.h>

#define ALERT_SIZE 2u

static struct tls_pair pair;
static struct tls_bytes wire;

/* Both ends of the connection once more: what the client says is opened by the first and can be
 * said by the second, and the other way round. */
static struct forger as_server, as_client;

static const struct tls_pair_options usual = {.client_version = TLS_PAIR_1_3,
                                              .server_version = TLS_PAIR_1_3,
                                              .client_cert = TLS_CERT_CLIENT_RSA,
                                              .want_secrets = true};

/* ---- turns ---- */

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

/* What is first on the wire is said to be for a leg, with all that follows. */
static bool for_leg(bool to_server)
{
    struct opened opened;
    const struct tls_wire *from = to_server ? &pair.to_server : &pair.to_client;
    memcpy(wire.data, from->bytes, wire.size = from->size);
    record_open(to_server ? &pair.server : &pair.client, &wire, 0, &opened);
    DWORD extra = opened_part(&opened, SECBUFFER_EXTRA).cbBuffer;
    return ok(opened.status == SEC_I_RENEGOTIATE && extra == from->size &&
                  !memcmp(wire.data, from->bytes, extra),
              "%08lx, %lu of %lu bytes are extra", opened.status, extra, from->size);
}

static bool arrives(bool to_server, const char *text)
{
    BYTE heard[32];
    DWORD size;
    SECURITY_STATUS status = tls_pair_receive(&pair, to_server, heard, sizeof(heard), &size);
    return ok(status == SEC_E_OK && size == strlen(text) && !memcmp(heard, text, size),
              "%s: %08lx, %lu bytes", text, status, size);
}

/* A connection whose tickets the client has taken. */
static bool connect_to(const struct tls_pair_options *options)
{
    SECURITY_STATUS status = tls_pair_make(&pair, options);
    if (!ok(status == SEC_E_OK, "connect: %08lx", status)) return false;
    pair.options.server_flags = ASC_REQ_MUTUAL_AUTH | ASC_REQ_EXTENDED_ERROR;
    pair.options.client_flags = ISC_REQ_EXTENDED_ERROR;
    if (pair.client_secrets.size) {
        uint64_t tickets = records_on(&pair.to_client);
        ok(forger_start(&as_server, &pair, true) && forger_start(&as_client, &pair, false),
           "no peers");
        as_server.session.send.sequence = as_client.session.receive.sequence = tickets;
    }
    if (pair.to_client.size) {
        status = client_turn();
        ok(status == SEC_E_OK, "tickets: %08lx", status);
    }
    return true;
}

static void end(void)
{
    forger_end(&as_server);
    forger_end(&as_client);
    tls_pair_close(&pair);
}

/* [OBS dotnet/runtime PR 51905] the same call as for another handshake of TLS 1.2 */
static bool ask(void)
{
    SECURITY_STATUS status = tls_pair_server_leg(&pair);
    return ok(status == SEC_E_OK && pair.token_size, "asked: %08lx, %lu bytes", status,
              pair.token_size);
}

/* [D DecryptMessage (Schannel)] a message after the handshake goes through a leg */
static bool show(void)
{
    if (!for_leg(false)) return false;
    SECURITY_STATUS status = client_turn();
    return ok(status == SEC_E_OK && pair.token_size && !pair.to_client.size,
              "shown: %08lx, %lu bytes", status, pair.token_size);
}

static bool take(void)
{
    if (!for_leg(true)) return false;
    SECURITY_STATUS status = server_turn();
    return ok(status == SEC_E_OK && !pair.token_size && !pair.to_server.size,
              "taken: %08lx, a token of %lu bytes, %lu left", status, pair.token_size,
              pair.to_server.size);
}

/* ---- with a certificate ---- */

/* [OS RFC 8446 4.6.2], [D AcceptSecurityContext (Schannel)] MUTUAL_AUTH asks for it; [CI PSSPI] as
 * to the status before */
static void test_certificate(void)
{
    static const enum tls_cert certs[] = {TLS_CERT_CLIENT_RSA, TLS_CERT_CLIENT_EC};
    for (unsigned i = 0; i < ARRAYSIZE(certs); i++) {
        struct tls_pair_options options = usual;
        options.client_cert = certs[i];
        if (!connect_to(&options)) return;
        ok(tls_pair_sees(&pair, true, certs[i]) == SEC_E_NO_CREDENTIALS, "too early");
        ok(!(pair.server_attrs & ASC_RET_MUTUAL_AUTH), "attributes %#lx", pair.server_attrs);
        if (ask() && show() && take()) {
            SECURITY_STATUS status = tls_pair_sees(&pair, true, certs[i]);
            ok(status == SEC_E_OK, "certificate %u: %08lx", i, status);
            ok(tls_pair_sees(&pair, false, certs[i]) == SEC_E_OK, "the client's own");
            ok(pair.server_attrs & ASC_RET_MUTUAL_AUTH, "attributes %#lx", pair.server_attrs);
        }
        ok(tls_pair_talk(&pair), "no data afterwards");
        end();
    }
}

/* Again and again, in a session that has been resumed as well; by the credential of the first leg
 * that answers. */
static void test_again(void)
{
    SecPkgContext_SessionInfo info = {0};
    struct tls_pair_options other = usual;
    CredHandle second;
    if (!connect_to(&usual)) return;
    forger_end(&as_server);
    forger_end(&as_client);
    tls_pair_delete(&pair);
    pair.options.server_flags = 0;
    SECURITY_STATUS status = tls_pair_connect(&pair);
    ok(status == SEC_E_OK, "again: %08lx", status);
    QueryContextAttributesW(&pair.server, SECPKG_ATTR_SESSION_INFO, &info);
    ok(info.dwFlags & SSL_SESSION_RECONNECT, "not resumed");
    ok(tls_pair_talk(&pair), "no data");
    pair.options.server_flags = ASC_REQ_MUTUAL_AUTH;
    other.client_cert = TLS_CERT_CLIENT_EC;
    status = tls_pair_credential(&other, false, &second);
    ok(status == SEC_E_OK, "credential: %08lx", status);
    FreeCredentialsHandle(&pair.client_cred);
    pair.client_cred = second;
    for (unsigned i = 0; i < 3; i++) {
        if (!ask() || !show() || !take()) break;
        ok(tls_pair_sees(&pair, true, TLS_CERT_CLIENT_EC) == SEC_E_OK &&
               tls_pair_sees(&pair, false, TLS_CERT_CLIENT_EC) == SEC_E_OK,
           "round %u", i);
        ok(tls_pair_talk(&pair), "no data in round %u", i);
    }
    end();
}

/* [D Performing Authentication Using Schannel] each answer may be another certificate; ours, that
 * the application of a server is told of the last */
static void test_other_certificates(void)
{
    static const enum tls_cert certs[] = {TLS_CERT_CLIENT_RSA, TLS_CERT_CLIENT_EC,
                                          TLS_CERT_CLIENT_RSA};
    if (!ours_only() || !connect_to(&usual)) return;
    for (unsigned i = 0; i < ARRAYSIZE(certs); i++) {
        struct tls_pair_options options = usual;
        options.client_cert = certs[i];
        FreeCredentialsHandle(&pair.client_cred);
        SECURITY_STATUS status = tls_pair_credential(&options, false, &pair.client_cred);
        ok(status == SEC_E_OK, "credential %u: %08lx", i, status);
        if (!ask() || !show() || !take()) break;
        ok(tls_pair_sees(&pair, true, certs[i]) == SEC_E_OK, "time %u", i);
        ok(tls_pair_talk(&pair), "no data, time %u", i);
    }
    end();
}

/* Of a client that has shown one in the handshake, or in that of the session which is resumed. */
static void test_shown_before(void)
{
    struct tls_pair_options options = usual;
    options.server_flags = ASC_REQ_MUTUAL_AUTH;
    if (!connect_to(&options)) return;
    for (unsigned i = 0; i < 2; i++) {
        ok(tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA) == SEC_E_OK, "none in connection %u", i);
        if (!ask() || !show() || !take()) break;
        ok(tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA) == SEC_E_OK,
           "none afterwards in connection %u", i);
        ok(tls_pair_talk(&pair), "no data in connection %u", i);
        if (i) break;
        tls_pair_delete(&pair);
        SECURITY_STATUS status = tls_pair_connect(&pair);
        ok(status == SEC_E_OK, "again: %08lx", status);
        ok(tls_pair_talk(&pair), "no data in the second connection");
    }
    end();
}

/* [OS RFC 8446 4.6.2] a server goes on with whatever comes before the answer */
static void test_data_meanwhile(void)
{
    if (!connect_to(&usual)) return;
    ok(!tls_pair_send(&pair, false, "before", 6), "not sent");
    if (ask()) {
        ok(!tls_pair_send(&pair, true, "behind the question", 19), "not sent");
        ok(arrives(true, "before"), "sent before it was asked");
        ok(!tls_pair_send(&pair, false, "not yet", 7), "not sent");
        ok(arrives(true, "not yet"), "sent before the answer");
        for_leg(false);
        SECURITY_STATUS status = client_turn();
        ok(status == SEC_E_OK && pair.token_size && pair.to_client.size, "shown: %08lx", status);
        ok(arrives(false, "behind the question"), "behind the question");
        ok(!tls_pair_send(&pair, true, "and one more", 12), "not sent");
        ok(arrives(false, "and one more"), "before the answer is taken");
        DWORD answer = pair.to_server.size;
        ok(!tls_pair_send(&pair, false, "behind the answer", 17), "not sent");
        DWORD all = pair.to_server.size;
        for_leg(true);
        status = server_turn();
        ok(status == SEC_E_OK && pair.to_server.size == all - answer, "taken: %08lx, %lu of %lu",
           status, pair.to_server.size, all - answer);
        ok(arrives(true, "behind the answer"), "behind the answer");
        ok(tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA) == SEC_E_OK, "no certificate");
        ok(tls_pair_talk(&pair), "no data afterwards");
    }
    end();
}

/* ours: who has asked waits for the answer: neither asks again nor moves */
static void test_awaited(void)
{
    if (!ours_only() || !connect_to(&usual)) return;
    if (ask()) {
        SECURITY_STATUS status = tls_pair_server_leg(&pair);
        ok(status == SEC_E_INCOMPLETE_MESSAGE, "asked twice: %08lx", status);
        status = tls_export(&pair.server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &wire);
        ok(status == SEC_E_NOT_SUPPORTED, "moved: %08lx", status);
        show();
        take();
        ok(tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA) == SEC_E_OK, "no certificate");
        ok(!tls_export(&pair.server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &wire), "export");
        ok(!tls_import(&wire, &pair.server), "import");
        ok(tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA) == SEC_E_OK, "it has not moved");
    }
    end();
}

/* ---- without ---- */

static void expect_refusal(SECURITY_STATUS expected)
{
    SECURITY_STATUS status = tls_pair_server_leg(&pair);
    ok(status == expected && !pair.token_size, "asked: %08lx, expected %08lx", status, expected);
    ok(tls_pair_talk(&pair), "no data afterwards");
}

/* [H sspi.h] ISC_REQ_NO_POST_HANDSHAKE_AUTH; [INF] such a client is one that declines */
static void test_not_offered(void)
{
    struct tls_pair_options options = usual;
    options.not_late = true;
    options.client_alpn = options.server_alpn = "\2h2";
    if (connect_to(&options)) {
        expect_refusal(SEC_I_NO_RENEGOTIATION);
        end();
    }
    options = usual;
    options.client_cert = 0;
    if (connect_to(&options)) {
        expect_refusal(SEC_I_NO_RENEGOTIATION);
        end();
    }
}

/* ours: there is nothing else to begin in TLS 1.3 */
static void test_nothing_wanted(void)
{
    if (!ours_only() || !connect_to(&usual)) return;
    pair.options.server_flags = 0;
    expect_refusal(SEC_E_UNSUPPORTED_FUNCTION);
    end();
}

/* ours: who has moved cannot ask, nor answer. [OS RFC 8446 4.6.2] A request that comes all the same
 * is answered with unexpected_message. */
static void test_moved(void)
{
    if (!ours_only() || !connect_to(&usual)) return;
    ok(!tls_export(&pair.server, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &wire), "export");
    ok(!tls_import(&wire, &pair.server), "import");
    expect_refusal(SEC_E_UNSUPPORTED_FUNCTION);
    end();

    if (!connect_to(&usual)) return;
    ok(!tls_export(&pair.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &wire), "export");
    ok(!tls_import(&wire, &pair.client), "import");
    if (ask() && for_leg(false)) {
        static const BYTE alert[ALERT_SIZE] = {TLS_ALERT_FATAL, TLS_UNEXPECTED_MESSAGE};
        SECURITY_STATUS status = client_turn();
        ok(status == SEC_E_ILLEGAL_MESSAGE, "client: %08lx", status);
        memcpy(wire.data, pair.to_server.bytes, wire.size = pair.to_server.size);
        ok(forger_get(&as_server, &wire, TLS_ALERT, alert, sizeof(alert)), "another alert");
    }
    end();
}

/* ours: as for another handshake of TLS 1.2. This case is the first of its program. */
static void test_many(void)
{
    static struct tls_pair pairs[65];
    struct tls_pair_options options = usual;
    unsigned made = 0;
    if (!ours_only()) return;
    options.want_secrets = false;
    for (; made < ARRAYSIZE(pairs); made++) {
        SECURITY_STATUS status = tls_pair_make(&pairs[made], &options);
        if (!ok(status == SEC_E_OK, "connection %u: %08lx", made, status)) break;
        pairs[made].options.server_flags = ASC_REQ_MUTUAL_AUTH;
    }
    if (made == ARRAYSIZE(pairs)) {
        SECURITY_STATUS status = tls_pair_server_leg(&pairs[64]);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "one too many: %08lx", status);
        ok(tls_pair_talk(&pairs[64]), "no data afterwards");
        status = tls_pair_server_leg(&pairs[63]);
        ok(status == SEC_E_OK, "one of the first: %08lx", status);
    }
    while (made) tls_pair_close(&pairs[--made]);
}

/* ---- in between ---- */

/* The texts of all records on a wire, which is empty then. */
static ULONG overhear(struct forger *peer, struct tls_wire *from, BYTE *texts)
{
    ULONG size = 0;
    for (DWORD at = 0; at < from->size;) {
        struct tls_record record;
        size_t missing;
        if (!ok(!tls_record_open(&peer->session, from->bytes + at, from->size - at, &record,
                                 &missing) &&
                    record.type == TLS_HANDSHAKE,
                "a record at %lu of %lu", at, from->size))
            break;
        memcpy(texts + size, record.data, record.size);
        size += (ULONG)record.size;
        at += (DWORD)record.whole;
    }
    from->size = from->arrived = 0;
    return size;
}

/* Says something in records of that size. */
static void repeat(struct forger *peer, struct tls_wire *to, const BYTE *text, ULONG size,
                   ULONG piece)
{
    while (size) {
        ULONG part = min(size, piece);
        wire.size = 0;
        forger_put(peer, TLS_HANDSHAKE, text, part, &wire);
        wire_put(to, wire.data, wire.size);
        text += part;
        size -= part;
    }
}

static ULONG message_size(const BYTE *message)
{
    return 4u + ((ULONG)message[1] << 16 | (ULONG)message[2] << 8 | message[3]);
}

/* [OS RFC 8446 5.1] messages may share records, and be cut anywhere; a leg may have any of them */
static void test_pieces(void)
{
    static const ULONG pieces[] = {16000, 1000, 100, 7};
    static BYTE text[RECORD_ROOM];
    for (unsigned i = 0; i < ARRAYSIZE(pieces); i++) {
        if (!connect_to(&usual)) return;
        if (!as_client.session.suite) {
            skip_case("this system gives no secrets of streams");
            end();
            return;
        }
        if (!ask()) return;
        ULONG size = overhear(&as_client, &pair.to_client, text);
        repeat(&as_server, &pair.to_client, text, size, pieces[i]);
        for_leg(false);
        SECURITY_STATUS status = client_turn();
        ok(status == SEC_E_OK && pair.token_size, "shown in pieces of %lu: %08lx", pieces[i],
           status);
        size = overhear(&as_server, &pair.to_server, text);
        repeat(&as_client, &pair.to_server, text, size, pieces[i]);
        const DWORD all = pair.to_server.size;
        DWORD rest = all;
        while (rest) { /* one record in a leg */
            const BYTE *first = pair.to_server.bytes;
            pair.to_server.arrived = 5 + (DWORD)(first[3] << 8 | first[4]);
            if (rest == all || rest % 2) for_leg(true);
            status = tls_pair_server_leg(&pair);
            if (pair.to_server.size >= rest) break;
            rest = pair.to_server.size;
            SECURITY_STATUS expected = rest ? SEC_I_CONTINUE_NEEDED : SEC_E_OK;
            if (!ok(status == expected, "pieces of %lu: %08lx, %lu of %lu bytes left", pieces[i],
                    status, rest, all))
                break;
            SECURITY_STATUS seen = tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA);
            ok(seen == (rest ? SEC_E_NO_CREDENTIALS : SEC_E_OK), "%08lx, %lu bytes left", seen,
               rest);
        }
        ok(!rest, "%lu bytes left", rest);
        wire.size = 0;
        forger_put(&as_client, TLS_APPLICATION_DATA, "afterwards", 10, &wire);
        wire_put(&pair.to_server, wire.data, wire.size);
        ok(arrives(true, "afterwards"), "no data");
        end();
    }
}

/* [OS RFC 8446 4.4.3, 4.4.4, 4.6.2] */
static void test_damage(void)
{
    static BYTE text[RECORD_ROOM];
    static const BYTE key_update[] = {TLS_KEY_UPDATE, 0, 0, 1, 0};
    for (unsigned i = 0; i < 5; i++) {
        if (!connect_to(&usual)) return;
        if (!as_client.session.suite || !ask() || !show()) {
            end();
            return;
        }
        const ULONG size = overhear(&as_server, &pair.to_server, text);
        const ULONG verify = message_size(text), finished = verify + message_size(text + verify);
        SECURITY_STATUS expected = SEC_E_DECRYPT_FAILURE, status;
        if (i == 0) text[finished - 1] ^= 1; /* the signature */
        if (i == 1) text[size - 1] ^= 1;     /* the Finished */
        if (i == 2) text[verify] = TLS_KEY_UPDATE;
        if (i < 2) {
            repeat(&as_client, &pair.to_server, text, size, size);
        } else if (i == 2) { /* no proof */
            expected = SEC_E_ILLEGAL_MESSAGE;
            repeat(&as_client, &pair.to_server, text, verify, verify);
            repeat(&as_client, &pair.to_server, text + finished, size - finished, size);
        } else {
            expected = SEC_E_ILLEGAL_MESSAGE;
            repeat(&as_client, &pair.to_server, text, verify, verify);
            for_leg(true);
            status = server_turn();
            ok(status == SEC_I_CONTINUE_NEEDED, "first part: %08lx", status);
            if (i == 3) repeat(&as_client, &pair.to_server, key_update, sizeof(key_update), 5);
        }
        if (i == 4) { /* data before the end */
            BYTE heard[16];
            DWORD heard_size;
            wire.size = 0;
            forger_put(&as_client, TLS_APPLICATION_DATA, "data", 4, &wire);
            wire_put(&pair.to_server, wire.data, wire.size);
            status = tls_pair_receive(&pair, true, heard, sizeof(heard), &heard_size);
        } else {
            for_leg(true);
            status = server_turn();
            ok(pair.token_size, "case %u: no alert", i);
        }
        ok(status == expected, "case %u: %08lx", i, status);
        status = tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA);
        ok(status == (i < 4 ? SEC_E_INVALID_HANDLE : SEC_E_NO_CREDENTIALS),
           "case %u: a certificate: %08lx", i, status);
        ok(tls_pair_send(&pair, true, "now", 3) < 0, "case %u: sent", i);
        end();
    }
}

/* [OS RFC 8446 4.6.3] */
static const BYTE update_asked[] = {TLS_KEY_UPDATE, 0, 0, 1, 1};

static void ask_for_keys(bool server)
{
    repeat(server ? &as_client : &as_server, server ? &pair.to_server : &pair.to_client,
           update_asked, sizeof(update_asked), sizeof(update_asked));
    for_leg(server);
    SECURITY_STATUS status = server ? server_turn() : client_turn();
    ok(status == SEC_E_OK && pair.token_size, "%s: new keys: %08lx", server ? "server" : "client",
       status);
}

/* Each side has been told of new keys of the other, and has renewed its own, in both directions. */
static void test_new_keys(void)
{
    if (!connect_to(&usual)) return;
    if (as_client.session.suite) {
        ask_for_keys(false);
        pair.to_server.size = 0; /* the server is told in the client's name */
        ask_for_keys(true);
        pair.to_client.size = 0;
        ok(tls_pair_talk(&pair), "no data with new keys");
        if (ask()) {
            show();
            take();
            ok(tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA) == SEC_E_OK, "no certificate");
            ok(tls_pair_talk(&pair), "no data afterwards");
        }
    }
    end();
}

/* ours: what stands behind the question or the answer in its record is heard, but nothing more can
 * be asked or shown. */
static void expect_last(const BYTE *question, ULONG size)
{
    SECURITY_STATUS status = tls_pair_server_leg(&pair);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "asked again: %08lx", status);
    ok(forger_update(&as_server, true), "keys");
    repeat(&as_server, &pair.to_client, question, size, size);
    status = client_turn();
    ok(status == SEC_E_ILLEGAL_MESSAGE && pair.token_size, "asked again: client: %08lx", status);
}

/* The client renews its keys between the question and the answer; or in the leg that answers, with
 * the two messages in two records or in one, as are then those that the server gets. */
static void test_new_keys_meanwhile(void)
{
    static BYTE text[RECORD_ROOM], question[1024];
    for (unsigned i = 0; i < 3; i++) {
        if (!connect_to(&usual)) return;
        if (!as_client.session.suite || !ask()) {
            end();
            return;
        }
        ULONG size = overhear(&as_client, &pair.to_client, text);
        const ULONG question_size = min(size, sizeof(question));
        memcpy(question, text, question_size);
        if (i == 0) {
            ask_for_keys(false);
            ok(forger_update(&as_server, true), "keys");
            ok(take(), "the client's keys");
            ok(tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA) == SEC_E_NO_CREDENTIALS,
               "too early");
            repeat(&as_server, &pair.to_client, text, size, size);
        } else if (i == 1) {
            repeat(&as_server, &pair.to_client, update_asked, sizeof(update_asked), 5);
            ok(forger_update(&as_server, true), "keys");
            repeat(&as_server, &pair.to_client, text, size, size);
        } else {
            memcpy(text + size, update_asked, sizeof(update_asked));
            size += sizeof(update_asked);
            repeat(&as_server, &pair.to_client, text, size, size);
        }
        ok(show(), "case %u", i);
        if (i == 2) {
            size = overhear(&as_server, &pair.to_server, text);
            repeat(&as_client, &pair.to_server, text, size, size);
        }
        ok(take(), "case %u", i);
        ok(tls_pair_sees(&pair, true, TLS_CERT_CLIENT_RSA) == SEC_E_OK, "case %u: no certificate",
           i);
        ok(!tls_pair_send(&pair, false, "with new keys", 13) && arrives(true, "with new keys"),
           "case %u: no data", i);
        if (i == 2 && ours_only()) expect_last(question, question_size);
        end();
    }
}

/* [OS RFC 8446 4.6.2] every question is answered, by a leg of its own; ours: they do not share a
 * record */
static void test_two_questions(void)
{
    static BYTE text[RECORD_ROOM];
    if (!ours_only() || !connect_to(&usual)) return;
    if (as_client.session.suite && ask()) {
        ULONG size = overhear(&as_client, &pair.to_client, text);
        memcpy(text + size, text, size);
        repeat(&as_server, &pair.to_client, text, 2 * size, size);
        const DWORD both = pair.to_client.size;
        for (unsigned i = 1; i < 3; i++) {
            SECURITY_STATUS status = client_turn();
            ok(status == SEC_E_OK && pair.to_client.size == both - both / 2 * i &&
                   records_on(&pair.to_server) == 3 * i,
               "leg %u: %08lx, %lu of %lu bytes left", i, status, pair.to_client.size, both);
        }
        overhear(&as_server, &pair.to_server, text + 2 * size);
        repeat(&as_server, &pair.to_client, text, 2 * size, 2 * size);
        SECURITY_STATUS status = client_turn();
        ok(status == SEC_E_ILLEGAL_MESSAGE && pair.token_size, "in one record: %08lx", status);
    }
    end();
}

int main(void)
{
    RUN(test_many);
    RUN(test_certificate);
    RUN(test_again);
    RUN(test_other_certificates);
    RUN(test_shown_before);
    RUN(test_data_meanwhile);
    RUN(test_awaited);
    RUN(test_not_offered);
    RUN(test_nothing_wanted);
    RUN(test_moved);
    RUN(test_pieces);
    RUN(test_damage);
    RUN(test_new_keys);
    RUN(test_new_keys_meanwhile);
    RUN(test_two_questions);
    tls_certs_end();
    return test_end("api_tls_late");
}
