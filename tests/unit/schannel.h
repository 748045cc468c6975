/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half of ssp_schannel on both sides of a connection, in one process: certificates made on
 * the spot, and what one side sends is the other's input.
 */
#pragma once

#include "unit.h"

#include "../../dlls/ssp_schannel/call.h"
#include "core/tls.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <time.h>

static bool half_runs;

static inline status_t half(enum schannel_call number, void *params)
{
    half_runs = true;
    status_t status = __wine_unix_call_funcs[number](params);
    half_runs = false;
    return status;
}

#define PRIORITY_1_2                                                                   \
    "NONE:+VERS-TLS1.2:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:+AEAD:+ECDHE-RSA:" \
    "+ECDHE-ECDSA:+SIGN-ALL:+GROUP-ALL:+CTYPE-X509:+COMP-NULL"
#define PRIORITY_1_3                                                                   \
    "NONE:+VERS-TLS1.3:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:+AEAD:+ECDHE-RSA:" \
    "+SIGN-ALL:+GROUP-ALL:+CTYPE-X509:+COMP-NULL"
#define PRIORITY_CBC                                                                    \
    "NONE:+VERS-TLS1.2:+AES-128-CBC:+SHA1:+ECDHE-RSA:+SIGN-ALL:+GROUP-ALL:+CTYPE-X509:" \
    "+COMP-NULL:%NO_ETM"
#define PRIORITY_1_0 \
    "NONE:+VERS-TLS1.0:+AES-128-CBC:+SHA1:+ECDHE-RSA:+SIGN-ALL:+GROUP-ALL:+CTYPE-X509:+COMP-NULL"
#define PRIORITY_RSA "NONE:+VERS-TLS1.2:+AES-128-GCM:+AEAD:+RSA:+SIGN-ALL:+CTYPE-X509:+COMP-NULL"
#define PRIORITY_DTLS                                                                    \
    "NONE:+VERS-DTLS1.2:+AES-256-GCM:+AEAD:+ECDHE-RSA:+SIGN-ALL:+GROUP-ALL:+CTYPE-X509:" \
    "+COMP-NULL"

/* ---- certificates ---- */

static inline struct unixcall_bytes unit_bytes(struct slice bytes)
{
    return (struct unixcall_bytes){unixcall_address(bytes.data), bytes.size};
}

/* Takes over what the library has allocated. */
static inline struct unixcall_bytes unit_datum(gnutls_datum_t datum)
{
    uint8_t *copy = unit_room(datum.size);
    memcpy(copy, datum.data, datum.size);
    gnutls_free(datum.data);
    return unit_bytes((struct slice){copy, datum.size});
}

static inline void unit_parts(gnutls_privkey_t key, struct call_identity *out)
{
    gnutls_datum_t part[CALL_KEY_PARTS] = {{0}};
    gnutls_ecc_curve_t curve;
    size_t count = out->kind == CALL_KEY_RSA ? 8 : 3;
    int error = out->kind == CALL_KEY_RSA
                    ? gnutls_privkey_export_rsa_raw(key, &part[0], &part[1], &part[2], &part[3],
                                                    &part[4], &part[5], &part[6], &part[7])
                    : gnutls_privkey_export_ecc_raw(key, &curve, &part[0], &part[1], &part[2]);
    if (error) abort();
    for (size_t i = 0; i < count; i++) out->parts[i] = unit_datum(part[i]);
}

/* A certificate of itself for a host. */
static inline struct call_identity unit_identity(enum call_key_kind kind, const char *name)
{
    struct call_identity out = {.kind = kind, .curve_bits = kind == CALL_KEY_EC ? 256 : 0};
    gnutls_privkey_t key;
    gnutls_pubkey_t pubkey;
    gnutls_x509_crt_t certificate;
    gnutls_datum_t der;
    gnutls_pk_algorithm_t algorithm = kind == CALL_KEY_RSA ? GNUTLS_PK_RSA : GNUTLS_PK_ECDSA;
    unsigned bits = kind == CALL_KEY_RSA ? 2048 : GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
    uint8_t serial = 1;
    if (gnutls_privkey_init(&key) || gnutls_privkey_generate(key, algorithm, bits, 0) ||
        gnutls_pubkey_init(&pubkey) || gnutls_pubkey_import_privkey(pubkey, key, 0, 0) ||
        gnutls_x509_crt_init(&certificate) || gnutls_x509_crt_set_version(certificate, 3) ||
        gnutls_x509_crt_set_pubkey(certificate, pubkey) ||
        gnutls_x509_crt_set_serial(certificate, &serial, 1) ||
        gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                      (unsigned)strlen(name)) ||
        gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name,
                                             (unsigned)strlen(name), 0) ||
        gnutls_x509_crt_set_activation_time(certificate, time(NULL) - 3600) ||
        gnutls_x509_crt_set_expiration_time(certificate, time(NULL) + 86400) ||
        gnutls_x509_crt_privkey_sign(certificate, certificate, key, GNUTLS_DIG_SHA256, 0) ||
        gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_DER, &der))
        abort();
    uint8_t *chain = unit_room(3 + der.size);
    chain[0] = (uint8_t)(der.size >> 16);
    chain[1] = (uint8_t)(der.size >> 8);
    chain[2] = (uint8_t)der.size;
    memcpy(chain + 3, der.data, der.size);
    gnutls_free(der.data);
    out.chain = unit_bytes((struct slice){chain, 3 + der.size});
    unit_parts(key, &out);
    gnutls_x509_crt_deinit(certificate);
    gnutls_pubkey_deinit(pubkey);
    gnutls_privkey_deinit(key);
    return out;
}

static inline struct slice identity_chain(const struct call_identity *identity)
{
    return (struct slice){unixcall_pointer(identity->chain.data), identity->chain.size};
}

/* ---- a connection ---- */

/* One side. What it is asked for comes first, what has become of it last. */
struct side {
    const char *priorities;
    const struct call_identity *identities;
    uint32_t identity_count;
    struct slice issuers, ticket_key;
    uint32_t ticket_lifetime;
    const char *server_name;
    struct slice alpn, resume, peer;
    uint32_t flags, mtu;
    uint32_t verdict, verdict_alert; /* when it is asked; 0: good */

    uint64_t credentials, session;
    status_t status;
    uint32_t event, alert;
    unsigned verified;
    size_t queued;
    char why[CALL_WHY_SIZE];
    struct writer inbox;
    size_t read; /* of the inbox */
};

struct connection {
    struct side client, server;
    size_t piece; /* bytes of input for one call; 0: all */
    size_t room;  /* for output; 0: enough */
};

static inline bool side_credentials(struct side *side, bool server)
{
    struct schannel_call_credentials_create call = {
        .identities = unixcall_address(side->identities),
        .identity_count = side->identity_count,
        .priorities = unixcall_address(side->priorities),
        .issuers = unit_bytes(side->issuers),
        .ticket_key = unit_bytes(side->ticket_key),
        .server = server,
        .ticket_lifetime = side->ticket_lifetime,
    };
    side->status = half(SCHANNEL_CALL_CREDENTIALS_CREATE, &call);
    side->credentials = call.credentials;
    memcpy(side->why, call.why, sizeof(side->why));
    return status_ok(side->status);
}

static inline bool side_start(struct side *side, bool server)
{
    if (!side->credentials && !side_credentials(side, server)) return false;
    struct schannel_call_session_create call = {
        .credentials = side->credentials,
        .server_name = unit_bytes(ascii(side->server_name ? side->server_name : "")),
        .alpn = unit_bytes(side->alpn),
        .resume = unit_bytes(side->resume),
        .peer = unit_bytes(side->peer),
        .flags = side->flags,
        .mtu = side->mtu,
    };
    side->status = half(SCHANNEL_CALL_SESSION_CREATE, &call);
    side->session = call.session;
    memcpy(side->why, call.why, sizeof(side->why));
    return status_ok(side->status);
}

/* The session goes, the credentials stay. */
static inline void side_stop(struct side *side)
{
    struct schannel_call_free call = {side->session};
    ok(half(SCHANNEL_CALL_SESSION_FREE, &call) == SEC_E_OK, "free a session");
    writer_free(&side->inbox);
    side->session = 0;
    side->read = 0;
    side->event = 0;
    side->queued = 0;
    side->verified = 0;
}

static inline void side_end(struct side *side)
{
    struct schannel_call_free call = {side->credentials};
    side_stop(side);
    ok(half(SCHANNEL_CALL_CREDENTIALS_FREE, &call) == SEC_E_OK, "free credentials");
    side->credentials = 0;
}

static inline void connection_end(struct connection *c)
{
    side_end(&c->client);
    side_end(&c->server);
}

/* One call, with a block of exactly the input's size; whether anything has happened. */
static inline bool side_call(struct side *side, struct side *other, size_t piece, size_t room)
{
    static uint8_t output[1 << 16];
    size_t left = side->inbox.size - side->read;
    if (piece && left > piece) left = piece;
    uint8_t *input = exact_copy(side->inbox.data ? side->inbox.data + side->read : NULL, left);
    uint32_t before = side->event;
    struct schannel_call_handshake call = {
        .session = side->session,
        .input = {unixcall_address(input), left},
        .output = unixcall_address(output),
        .output_room = room ? room : sizeof(output),
        .verdict = before == CALL_EVENT_VERIFY && side->status == SEC_E_OK
                       ? side->verdict ? side->verdict : CALL_VERDICT_GOOD
                       : CALL_VERDICT_NONE,
        .verdict_alert = side->verdict_alert,
    };
    side->verified += call.verdict != CALL_VERDICT_NONE;
    side->status = half(SCHANNEL_CALL_HANDSHAKE, &call);
    side->event = call.event;
    side->alert = call.alert;
    side->queued = (size_t)call.queued;
    if (call.why[0]) memcpy(side->why, call.why, sizeof(side->why));
    side->read += (size_t)call.consumed;
    writer_bytes(&other->inbox, output, (size_t)call.output_size);
    free(input);
    return call.consumed || call.output_size || call.queued || side->event != before;
}

/* Over datagrams, to call for nothing is to ask for the last flight again. */
static inline bool side_waits(const struct side *side)
{
    return side->flags & CALL_SESSION_DATAGRAM && side->event == CALL_EVENT_INPUT &&
           !side->queued && side->read == side->inbox.size;
}

/* Both in turn until nothing happens any more. */
static inline void connection_run(struct connection *c)
{
    bool more = true;
    while (more) {
        more = !side_waits(&c->client) && side_call(&c->client, &c->server, c->piece, c->room);
        more |= !side_waits(&c->server) && side_call(&c->server, &c->client, c->piece, c->room);
    }
}

static inline bool connection_start(struct connection *c)
{
    return side_start(&c->server, true) && side_start(&c->client, false);
}

static inline bool connection_done(const struct connection *c)
{
    return c->client.status == SEC_E_OK && c->client.event == CALL_EVENT_DONE &&
           c->server.status == SEC_E_OK && c->server.event == CALL_EVENT_DONE;
}

/* ---- queries ---- */

static inline struct schannel_call_facts side_facts(const struct side *side)
{
    struct schannel_call_facts call = {.session = side->session};
    ok(half(SCHANNEL_CALL_FACTS, &call) == SEC_E_OK, "facts");
    return call;
}

static inline struct schannel_call_secrets side_secrets(const struct side *side)
{
    struct schannel_call_secrets call = {.session = side->session};
    ok(half(SCHANNEL_CALL_SECRETS, &call) == SEC_E_OK, "secrets");
    return call;
}

/* What CALL_READ_ gives, good until the end. */
static inline struct slice side_read(const struct side *side, enum call_read what)
{
    struct schannel_call_read call = {.session = side->session, .what = what};
    status_t status = half(SCHANNEL_CALL_READ, &call);
    if (status == SEC_E_OK && !call.size) return (struct slice){0};
    ok(status == SEC_E_BUFFER_TOO_SMALL && call.size, "read %d: status %#x", what, status);
    uint8_t *data = unit_room((size_t)call.size);
    call.output = unixcall_address(data);
    call.room = call.size;
    ok(half(SCHANNEL_CALL_READ, &call) == SEC_E_OK, "read %d", what);
    return (struct slice){data, (size_t)call.size};
}

/* Has the library read what is in a client's inbox after its handshake: the server's tickets. */
static inline void ticket_give(struct side *side)
{
    struct schannel_call_secrets secrets = side_secrets(side);
    struct schannel_call_post call = {.session = side->session,
                                      .receive_sequence = secrets.receive_sequence};
    ok(side->inbox.size > side->read, "the server has sent a ticket");
    while (side->inbox.size > side->read) {
        const uint8_t *record = side->inbox.data + side->read;
        size_t size = TLS_RECORD_HEADER + ((size_t)record[3] << 8 | record[4]);
        uint8_t *copy = exact_copy(record, size);
        call.record = unit_bytes(view(copy, size));
        ok(half(SCHANNEL_CALL_POST, &call) == SEC_E_OK, "%s", call.why);
        free(copy);
        call.receive_sequence++;
        side->read += size;
    }
}
