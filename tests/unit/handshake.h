/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client and a server that know the same hash, and the messages between them. */
#pragma once

#include "core/ntlm.h"
#include "core/secret.h"
#include "unit.h"

struct handshake {
    struct ntlm_client_start client_start;
    struct ntlm_server_start server_start;
    struct ntlm_client_finish client_finish;
    struct ntlm_server_finish server_finish;
    struct ntlm_context client, server;
    struct writer negotiate, challenge, authenticate;
};

static inline struct ntlm_challenge sent_challenge(const struct handshake *h)
{
    struct ntlm_challenge challenge;
    memset(&challenge, 0, sizeof(challenge));
    ok(ntlm_challenge_decode(writer_view(&h->challenge), &challenge) == SEC_E_OK, "CHALLENGE");
    return challenge;
}

static inline struct ntlm_authenticate sent_authenticate(const struct handshake *h)
{
    struct ntlm_authenticate message;
    memset(&message, 0, sizeof(message));
    ok(ntlm_authenticate_decode(writer_view(&h->authenticate), &message) == SEC_E_OK,
       "AUTHENTICATE");
    return message;
}

/* Fixed names, keys and times; the caller may change them before each step. */
static inline void handshake_init(struct handshake *h)
{
    static const uint8_t version[8] = {10, 0, 0x61, 0x4A, 0, 0, 0, 15};
    memset(h, 0, sizeof(*h));
    ntlm_context_init(&h->client, NTLM_CLIENT);
    ntlm_context_init(&h->server, NTLM_SERVER);
    writer_init(&h->negotiate);
    writer_init(&h->challenge);
    writer_init(&h->authenticate);

    h->client_start.flags = NTLM_STRONG | NTLM_SIGN | NTLM_SEAL;
    h->client_start.oem_domain = ascii("server");
    h->client_start.oem_workstation = ascii("server");
    h->client_start.target_name = wide("HTTP/server.example");
    memcpy(h->client_start.version, version, sizeof(version));

    h->server_start.flags = NTLM_STRONG | NTLM_OEM | NTLM_SIGN | NTLM_SEAL | NTLM_IDENTIFY;
    memcpy(h->server_start.server_challenge, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
    h->server_start.now = 0x01DA000000000000;
    h->server_start.nb_computer = wide("SERVER");
    h->server_start.nb_domain = wide("SERVER");
    h->server_start.dns_computer = wide("server.example");
    h->server_start.dns_domain = wide("example");
    h->server_start.oem_target = ascii("SERVER");
    memcpy(h->server_start.version, version, sizeof(version));

    h->client_finish.user = wide("User");
    h->client_finish.domain = wide("Domain");
    h->client_finish.workstation = wide("COMPUTER");
    h->client_finish.oem_user = ascii("User");
    h->client_finish.oem_domain = ascii("Domain");
    h->client_finish.oem_workstation = ascii("COMPUTER");
    memset(h->client_finish.v2_hash, 0x0C, 16);
    memset(h->client_finish.nt_hash, 0xA4, 16);
    memset(h->client_finish.lm_hash, 0xE5, 16);
    memset(h->client_finish.client_challenge, 0xAA, 8);
    memset(h->client_finish.random_session_key, 0x55, 16);
    h->client_finish.now = 0x01DA000000000001;
    memcpy(h->client_finish.version, version, sizeof(version));

    memset(h->server_finish.v2_hash, 0x0C, 16);
    memset(h->server_finish.nt_hash, 0xA4, 16);
    memset(h->server_finish.lm_hash, 0xE5, 16);
    h->server_finish.now = 0x01DA000000000002;
}

static inline void handshake_clear(struct handshake *h)
{
    ntlm_context_clear(&h->client);
    ntlm_context_clear(&h->server);
    writer_free(&h->negotiate);
    writer_free(&h->challenge);
    writer_free(&h->authenticate);
}

static inline status_t handshake_start(struct handshake *h)
{
    return ntlm_client_start(&h->client, &h->client_start, &h->negotiate);
}

static inline status_t handshake_challenge(struct handshake *h)
{
    return ntlm_server_start(&h->server, writer_view(&h->negotiate), &h->server_start,
                             &h->challenge);
}

/* The client's answer to what lies in h->challenge. */
static inline status_t handshake_answer(struct handshake *h)
{
    struct ntlm_challenge challenge;
    status_t status = ntlm_challenge_decode(writer_view(&h->challenge), &challenge);
    if (!status_ok(status)) return status;
    return ntlm_client_finish(&h->client, writer_view(&h->challenge), &challenge, &h->client_finish,
                              &h->authenticate);
}

static inline status_t handshake_accept_token(struct handshake *h, struct slice token)
{
    struct ntlm_authenticate message;
    status_t status = ntlm_authenticate_decode(token, &message);
    if (!status_ok(status)) return status;
    return ntlm_server_finish(&h->server, token, &message, &h->server_finish);
}

static inline status_t handshake_accept(struct handshake *h)
{
    return handshake_accept_token(h, writer_view(&h->authenticate));
}

/* The first step that fails, or success. */
static inline status_t handshake_run(struct handshake *h)
{
    status_t status = handshake_start(h);
    if (status_ok(status)) status = handshake_challenge(h);
    if (status_ok(status)) status = handshake_answer(h);
    if (status_ok(status)) status = handshake_accept(h);
    return status;
}

/* Where the sessions do not count messages themselves this does. */
static uint32_t handshake_sequence;

static inline bool handshake_can_seal(const struct ntlm_session *session)
{
    return session->flags & NTLM_ESS || !(session->flags & NTLM_DATAGRAM);
}

/* One sealed message, or a signed one where none can be sealed; true when it arrives. */
static inline bool handshake_say(struct ntlm_session *from, struct ntlm_session *to,
                                 const char *text)
{
    size_t size = strlen(text);
    uint32_t sequence = handshake_sequence++;
    uint8_t data[64], signature[NTLM_SIGNATURE_SIZE];
    memcpy(data, text, size);
    struct message_part part = {data, size, true};
    if (!handshake_can_seal(from))
        return ntlm_sign(from, sequence, &part, 1, signature) == SEC_E_OK &&
               ntlm_verify(to, sequence, &part, 1, signature) == SEC_E_OK;
    return ntlm_seal(from, sequence, &part, 1, signature) == SEC_E_OK && memcmp(data, text, size) &&
           ntlm_unseal(to, sequence, &part, 1, signature) == SEC_E_OK && !memcmp(data, text, size);
}

/* Both ends established on the same key, talking both ways. */
static inline bool handshake_works(struct handshake *h)
{
    return h->client.stage == NTLM_STAGE_ESTABLISHED && h->server.stage == NTLM_STAGE_ESTABLISHED &&
           !memcmp(h->client.session.session_key, h->server.session.session_key, 16) &&
           h->client.session.flags == h->server.session.flags &&
           handshake_say(&h->client.session, &h->server.session, "from client to server") &&
           handshake_say(&h->server.session, &h->client.session, "from server to client");
}

/* Writes ctx down and reads it into a new context. */
static inline status_t handshake_move(struct ntlm_context *ctx, bool reset)
{
    struct writer w;
    struct ntlm_context moved;
    writer_init(&w);
    ntlm_context_write(ctx, reset, &w);
    status_t status = writer_status(&w);
    uint8_t *body = exact_copy(writer_view(&w).data, writer_view(&w).size);
    if (status_ok(status)) status = ntlm_context_read(&moved, view(body, writer_view(&w).size));
    if (status_ok(status)) {
        ntlm_context_clear(ctx);
        *ctx = moved;
    }
    free(body);
    writer_free(&w);
    return status;
}

static inline bool blob_is(const struct blob *blob, struct slice bytes)
{
    return same(view(blob->data, blob->size), bytes);
}
