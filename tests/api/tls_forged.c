/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What DecryptMessage of TLS makes of records that are no data: alerts, and what comes after a
 * handshake. The other end is a context of the same process, or, where it has to say what no
 * context says, is played by the test. Sources in brackets, as in api_packages.
 */
#include "support.h"
#include "tls_records.h"

#include <stdio.h>

static struct tls_pair pair;
static struct tls_bytes bytes, before;
static struct opened opened;

/* False, with the case skipped, where such a connection cannot be made. */
static bool connect_with(const struct tls_pair_options *options)
{
    SECURITY_STATUS status = tls_pair_make(&pair, options);
    bytes.size = 0;
    if (status == SEC_E_NOT_SUPPORTED || status == SEC_E_SECPKG_NOT_FOUND) {
        skip_case("TLS, or the key of a certificate");
        return false;
    }
    return ok(status == SEC_E_OK, "no connection: %08lx", status);
}

static bool connect_version(enum tls_pair_version version, bool secrets)
{
    const struct tls_pair_options options = {
        .client_version = version, .server_version = version, .want_secrets = secrets};
    return connect_with(&options);
}

static const enum tls_pair_version both_versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};

/* The tickets of TLS 1.3 are out of the way. */
static bool settle(void)
{
    pair.to_client.arrived = pair.to_client.size;
    for (int i = 0; i < 8 && pair.to_client.size; i++) {
        SECURITY_STATUS status = tls_pair_client_leg(&pair);
        if (!ok(status == SEC_E_OK, "tickets: %08lx", status)) return false;
        pair.to_client.arrived = pair.to_client.size;
    }
    return true;
}

/* ---- alerts ---- */

static const struct {
    BYTE description;
    SECURITY_STATUS status;
} alert_rows[] = {
    {10, SEC_E_ILLEGAL_MESSAGE},    {20, SEC_E_MESSAGE_ALTERED},
    {21, SEC_E_DECRYPT_FAILURE},    {22, SEC_E_ILLEGAL_MESSAGE},
    {30, SEC_E_MESSAGE_ALTERED},    {40, SEC_E_ILLEGAL_MESSAGE},
    {42, SEC_E_CERT_UNKNOWN},       {43, SEC_E_CERT_UNKNOWN},
    {44, CRYPT_E_REVOKED},          {45, SEC_E_CERT_EXPIRED},
    {46, SEC_E_CERT_UNKNOWN},       {47, SEC_E_ILLEGAL_MESSAGE},
    {48, SEC_E_UNTRUSTED_ROOT},     {49, SEC_E_LOGON_DENIED},
    {50, SEC_E_ILLEGAL_MESSAGE},    {51, SEC_E_DECRYPT_FAILURE},
    {60, SEC_E_ILLEGAL_MESSAGE},    {70, SEC_E_UNSUPPORTED_FUNCTION},
    {71, SEC_E_ALGORITHM_MISMATCH}, {80, SEC_E_INTERNAL_ERROR},
    {100, SEC_E_ILLEGAL_MESSAGE},   {110, SEC_E_ILLEGAL_MESSAGE},
    {115, SEC_E_ILLEGAL_MESSAGE},   {120, SEC_E_APPLICATION_PROTOCOL_MISMATCH},
    {200, SEC_E_ILLEGAL_MESSAGE},
};

/* [D schannel-error-codes-for-tls-and-ssl-alerts] fatal alerts, sent by SECQOP_WRAP_OOB_DATA */
static void test_fatal_alerts(void)
{
    for (int v = 0; v < 2; v++) {
        for (size_t i = 0; i < ARRAYSIZE(alert_rows); i++) {
            const BYTE alert[2] = {2, alert_rows[i].description};
            if (!connect_version(both_versions[v], false) || !settle()) return;
            SECURITY_STATUS status = record_seal(&pair.client, SECQOP_WRAP_OOB_DATA, alert, 2,
                                                 &bytes);
            ok(status == SEC_E_OK, "alert %u: sent: %08lx", alert[1], status);
            record_open(&pair.server, &bytes, 0, &opened);
            ok(opened.status == alert_rows[i].status, "alert %u: %08lx", alert[1], opened.status);
            status = record_seal(&pair.server, 0, "x", 1, &bytes);
            ok(status == SEC_E_CONTEXT_EXPIRED, "alert %u: sending: %08lx", alert[1], status);
            status = record_seal(&pair.client, 0, "x", 1, &bytes);
            ok(status == SEC_E_CONTEXT_EXPIRED, "alert %u: its sender: %08lx", alert[1], status);
            tls_pair_close(&pair);
        }
    }
}

/* [OS RFC 5246 7.2] a warning changes nothing in TLS 1.2; [OS RFC 8446 6] there are none in 1.3 but
 * user_canceled, which says that a close_notify will come */
static void test_warnings(void)
{
    static const BYTE canceled[2] = {1, 90}, other[2] = {1, 46};
    for (int v = 0; v < 2; v++) {
        if (!connect_version(both_versions[v], false) || !settle()) return;
        ok(!record_seal(&pair.server, SECQOP_WRAP_OOB_DATA, canceled, 2, &bytes), "seal");
        record_open(&pair.client, &bytes, 0, &opened);
        ok(opened.status == SEC_E_OK && !opened_part(&opened, SECBUFFER_DATA).cbBuffer,
           "user_canceled: %08lx", opened.status);
        ok(records_talk(&pair.client, &pair.server), "no talk");
        bytes.size = 0;
        ok(!record_seal(&pair.server, SECQOP_WRAP_OOB_DATA, other, 2, &bytes), "seal");
        record_open(&pair.client, &bytes, 0, &opened);
        ok(opened.status == (v ? SEC_E_CERT_UNKNOWN : SEC_E_OK), "%d: %08lx", v, opened.status);
        tls_pair_close(&pair);
    }
}

/* [D decryptmessage--schannel] close_notify: SEC_I_CONTEXT_EXPIRED, and what was sent before it is
 * read before it; after it nothing is. The other direction goes on. */
static void test_close_notify(void)
{
    static const BYTE close[2] = {1, 0};
    for (int v = 0; v < 2; v++) {
        if (!connect_version(both_versions[v], false) || !settle()) return;
        ok(!record_seal(&pair.client, 0, "the end", 7, &bytes), "seal");
        ok(!record_seal(&pair.client, SECQOP_WRAP_OOB_DATA, close, 2, &bytes), "close");
        SECURITY_STATUS status = record_seal(&pair.client, 0, "x", 1, &bytes);
        ok(status == SEC_E_CONTEXT_EXPIRED, "sending after it: %08lx", status);
        memcpy(bytes.data + bytes.size, "plain", 5);
        bytes.size += 5;
        record_open(&pair.server, &bytes, 0, &opened);
        ok(!opened.status && opened_part(&opened, SECBUFFER_DATA).cbBuffer == 7, "data: %08lx",
           opened.status);
        record_advance(&bytes, &opened);
        record_open(&pair.server, &bytes, 0, &opened);
        ok(opened.status == SEC_I_CONTEXT_EXPIRED, "close: %08lx", opened.status);
        ok(opened.parts[1].BufferType == SECBUFFER_DATA && !opened.parts[1].cbBuffer, "data");
        SecBuffer extra = opened_part(&opened, SECBUFFER_EXTRA);
        ok(extra.cbBuffer == 5 && !memcmp(extra.pvBuffer, "plain", 5), "extra of %lu",
           extra.cbBuffer);
        record_advance(&bytes, &opened);
        record_open(&pair.server, &bytes, 0, &opened);
        ok(opened.status == SEC_E_CONTEXT_EXPIRED, "after it: %08lx", opened.status);
        bytes.size = 0;
        status = record_seal(&pair.server, 0, "one more", 8, &bytes);
        ok(status == SEC_E_OK, "the other direction: %08lx", status);
        record_open(&pair.client, &bytes, 0, &opened);
        ok(opened.status == SEC_E_OK, "is read: %08lx", opened.status);
        tls_pair_close(&pair);
    }
}

/* ours: an alert is two bytes */
static void test_alert_sizes(void)
{
    if (!ours_only() || !connect_version(TLS_PAIR_1_3, false) || !settle()) return;
    for (ULONG size = 0; size < 5; size++) {
        SECURITY_STATUS status = record_seal(&pair.client, SECQOP_WRAP_OOB_DATA, "\1\132\0\0", size,
                                             &bytes);
        ok(status == (size == 2 ? SEC_E_OK : SEC_E_INVALID_TOKEN), "%lu bytes: %08lx", size,
           status);
    }
    tls_pair_close(&pair);
}

/* ---- TLS 1.3 with a peer that is played ---- */

static bool forge(struct forger *forger, bool server)
{
    if (!connect_version(TLS_PAIR_1_3, true)) return false;
    if (!pair.client_secrets.size || !pair.server_secrets.size) {
        skip_case("SECBUFFER_TRAFFIC_SECRETS");
        return false;
    }
    return ok(forger_start(forger, &pair, server), "no peer");
}

/* [D decryptmessage--schannel remarks] a post-handshake message: SEC_I_RENEGOTIATE, the record as
 * it was in EXTRA with all that follows; until a leg has had it there are no messages. RFC 8446
 * 4.6.3: keys are new then, ours as well when the peer asks. */
static bool key_update_seen(CtxtHandle *context)
{
    static struct tls_bytes sent;
    before = bytes;
    record_open(context, &bytes, 0, &opened);
    ok(opened.status == SEC_I_RENEGOTIATE, "%08lx", opened.status);
    SecBuffer extra = opened_part(&opened, SECBUFFER_EXTRA);
    ok(extra.cbBuffer == bytes.size && extra.pvBuffer == bytes.data, "extra of %lu",
       extra.cbBuffer);
    ok(!opened_part(&opened, SECBUFFER_DATA).cbBuffer, "data");
    sent.size = 0;
    ok(record_seal(context, 0, "x", 1, &sent) == SEC_E_CONTEXT_EXPIRED, "sending meanwhile");
    record_open(context, &bytes, 0, &opened);
    ok(opened.status == SEC_E_CONTEXT_EXPIRED, "receiving meanwhile: %08lx", opened.status);
    return ok(!memcmp(bytes.data, before.data, bytes.size), "the record is not as it was");
}

static void run_key_update(bool server, bool requested)
{
    struct forger forger;
    BYTE update[TLS_KEY_UPDATE_SIZE], answer[TLS_KEY_UPDATE_SIZE];
    static struct tls_bytes sent;
    if (!forge(&forger, server)) return;
    CtxtHandle *context = server ? &pair.client : &pair.server;
    struct tls_wire *in = server ? &pair.to_client : &pair.to_server;
    struct tls_wire *out = server ? &pair.to_server : &pair.to_client;
    tls_key_update_write(requested, update);
    tls_key_update_write(false, answer);
    forger_put(&forger, TLS_HANDSHAKE, update, sizeof(update), &bytes);
    ok(forger_update(&forger, true), "no keys");
    forger_put(&forger, TLS_APPLICATION_DATA, "under new keys", 14, &bytes);
    key_update_seen(context);
    in->size = in->arrived = out->size = 0;
    wire_put(in, before.data, before.size);
    in->arrived = in->size;
    SECURITY_STATUS status = server ? tls_pair_client_leg(&pair) : tls_pair_server_leg(&pair);
    ok(status == SEC_E_OK, "leg: %08lx", status);
    ok(in->size && in->size < before.size, "%lu of %lu bytes are left", in->size, before.size);
    ok(!out->size == !requested, "an answer of %lu", out->size);
    if (requested) {
        sent.size = out->size;
        memcpy(sent.data, out->bytes, out->size);
        ok(forger_get(&forger, &sent, TLS_HANDSHAKE, answer, sizeof(answer)), "the answer");
        ok(forger_update(&forger, false), "no keys");
    }
    bytes.size = in->size;
    memcpy(bytes.data, in->bytes, in->size);
    record_open(context, &bytes, 0, &opened);
    SecBuffer data = opened_part(&opened, SECBUFFER_DATA);
    ok(!opened.status && data.cbBuffer == 14 && !memcmp(data.pvBuffer, "under new keys", 14),
       "under new keys: %08lx", opened.status);
    sent.size = 0;
    ok(!record_seal(context, 0, "reply", 5, &sent), "seal");
    ok(forger_get(&forger, &sent, TLS_APPLICATION_DATA, "reply", 5), "the reply");
    forger_end(&forger);
    tls_pair_close(&pair);
}

static void test_key_update(void)
{
    for (int i = 0; i < 4; i++) run_key_update(i & 1, i & 2);
}

/* [OS RFC 8446 5] a ChangeCipherSpec says nothing; behind it is the record */
static void test_change_cipher_spec(void)
{
    static const BYTE ccs[6] = {20, 3, 3, 0, 1, 1};
    struct forger forger;
    if (!forge(&forger, false)) return;
    for (int times = 1; times < 4; times++) {
        bytes.size = 0;
        for (int i = 0; i < times; i++) {
            memcpy(bytes.data + bytes.size, ccs, sizeof(ccs));
            bytes.size += sizeof(ccs);
        }
        record_open(&pair.server, &bytes, 0, &opened);
        ok(opened.status == SEC_E_INCOMPLETE_MESSAGE && opened.parts[0].cbBuffer == 5,
           "alone: %08lx", opened.status);
        forger_put(&forger, TLS_APPLICATION_DATA, "text", 4, &bytes);
        record_open(&pair.server, &bytes, 0, &opened);
        SecBuffer data = opened_part(&opened, SECBUFFER_DATA);
        ok(!opened.status && data.cbBuffer == 4 && !memcmp(data.pvBuffer, "text", 4),
           "%d of them: %08lx", times, opened.status);
    }
    forger_end(&forger);
    tls_pair_close(&pair);
}

/* The server's next leg tells its peer, who is played. */
static void check_told(struct forger *forger, const char *what, BYTE told)
{
    static struct tls_bytes sent;
    const BYTE alert[2] = {2, told};
    if (!running_on_ours()) return;
    pair.to_client.size = pair.to_client.arrived = pair.to_server.size = pair.to_server.arrived = 0;
    SECURITY_STATUS status = tls_pair_server_leg(&pair);
    ok(status == SEC_E_OK && pair.to_client.size, "%s: leg: %08lx", what, status);
    sent.size = pair.to_client.size;
    memcpy(sent.data, pair.to_client.bytes, sent.size);
    ok(forger_get(forger, &sent, TLS_ALERT, alert, 2), "%s: the peer is not told %u", what, told);
}

/* [OS RFC 8446 5, 5.1, 5.4, 6.2] records that a peer must not send: the connection has ended, and
 * the peer hears why. Which of the two statuses a record has is ours. */
static void test_forged(void)
{
    static const struct {
        const char *what;
        enum tls_type type;
        const char *data;
        ULONG size;
        BYTE told;
    } rows[] = {
        {"an alert of one byte", TLS_ALERT, "\1", 1, 50},
        {"an alert of three", TLS_ALERT, "\1\0\0", 3, 50},
        {"an empty alert", TLS_ALERT, "", 0, 10},
        {"an empty handshake record", TLS_HANDSHAKE, "", 0, 10},
        {"ChangeCipherSpec inside", TLS_CHANGE_CIPHER_SPEC, "\1", 1, 10},
        {"a type that there is not", (enum tls_type)99, "x", 1, 10},
    };
    for (size_t i = 0; i < ARRAYSIZE(rows); i++) {
        struct forger forger;
        if (!forge(&forger, false)) return;
        forger_put(&forger, rows[i].type, rows[i].data, rows[i].size, &bytes);
        record_open(&pair.server, &bytes, 0, &opened);
        ok(opened.status == SEC_E_ILLEGAL_MESSAGE || opened.status == SEC_E_INVALID_TOKEN,
           "%s: %08lx", rows[i].what, opened.status);
        SECURITY_STATUS status = record_seal(&pair.server, 0, "x", 1, &bytes);
        ok(status == SEC_E_CONTEXT_EXPIRED, "%s: sending: %08lx", rows[i].what, status);
        check_told(&forger, rows[i].what, rows[i].told);
        forger_end(&forger);
        tls_pair_close(&pair);
    }
}

/* [OS RFC 8446 5, 5.2] the same of what is no record, or too long for one */
static void test_no_record_told(void)
{
    static const struct {
        const char *what;
        BYTE header[5], told;
    } rows[] = {
        {"an unknown type", {24, 3, 3, 0, 40}, 10},
        {"a type that is not for now", {22, 3, 3, 0, 40}, 10},
        {"ChangeCipherSpec of two bytes", {20, 3, 3, 0, 2}, 10},
        {"a record that is too long", {23, 3, 3, 0x40, 0x12}, 22},
        {"a record too short for its tag", {23, 3, 3, 0, 8}, 50},
    };
    for (size_t i = 0; i < ARRAYSIZE(rows); i++) {
        struct forger forger;
        if (!ours_only() || !forge(&forger, false)) return;
        memcpy(bytes.data, rows[i].header, 5);
        bytes.size = 64;
        record_open(&pair.server, &bytes, 0, &opened);
        ok(opened.status == SEC_E_INVALID_TOKEN, "%s: %08lx", rows[i].what, opened.status);
        check_told(&forger, rows[i].what, rows[i].told);
        forger_end(&forger);
        tls_pair_close(&pair);
    }
}

int main(void)
{
    RUN(test_fatal_alerts);
    RUN(test_warnings);
    RUN(test_close_notify);
    RUN(test_alert_sizes);
    RUN(test_key_update);
    RUN(test_change_cipher_spec);
    RUN(test_forged);
    RUN(test_no_record_told);
    tls_certs_end();
    return test_end("api_tls_forged");
}
