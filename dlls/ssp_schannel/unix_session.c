/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sessions: what the library is told at their start, and what it asks and tells in their course.
 * Everything that it would do of itself with the outside, as writing secrets to a file that the
 * environment names or giving up after some time, is taken from it here.
 */
#include "unix.h"

#include "core/secret.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/* Over datagrams a flight is repeated when the caller says so (repeats), and never given up. */
#define RETRANSMISSION 0u
#define PATIENCE 0x7fffffffu /* milliseconds */

#define TICKETS 2u /* at the end of a handshake of TLS 1.3, as the library has it by itself */

/* Seconds that a ticket is good for, where nobody is to come back with it. Longer ones would differ
 * without being told apart by the library, which counts the time in threes of them. */
#define LIFE_LEAST 36u
#define LIFE_LIMIT 16384u

uint16_t session_version(const struct session *session)
{
    if (!session->suite) return 0;
    switch (gnutls.protocol_get_version(session->library)) {
    case GNUTLS_TLS1_0: return TLS_1_0;
    case GNUTLS_TLS1_1: return TLS_1_1;
    case GNUTLS_TLS1_2: return TLS_1_2;
    case GNUTLS_TLS1_3: return TLS_1_3;
    case GNUTLS_DTLS1_0: return DTLS_1_0;
    case GNUTLS_DTLS1_2: return DTLS_1_2;
    default: return 0;
    }
}

bool session_library_records(const struct session *session)
{
    if (session->datagram || session_version(session) < TLS_1_2) return true;
    switch (gnutls.cipher_get(session->library)) {
    case GNUTLS_CIPHER_AES_128_GCM:
    case GNUTLS_CIPHER_AES_256_GCM:
    case GNUTLS_CIPHER_CHACHA20_POLY1305:
    case GNUTLS_CIPHER_AES_128_CCM:
    case GNUTLS_CIPHER_AES_256_CCM:
    case GNUTLS_CIPHER_AES_128_CCM_8:
    case GNUTLS_CIPHER_AES_256_CCM_8: return false;
    default: return true;
    }
}

bool session_late_certificate(const struct session *session)
{
    bool ours = session->flags & CALL_SESSION_LATE_CERTIFICATE;
    return ours && (!session->server || session->late_certificate) &&
           session_version(session) == TLS_1_3;
}

/* ---- what the library tells ---- */

/* The names of the secrets are those of the file format that NSS has for them. That this function
 * is there keeps the library from writing such a file where the environment asks for one. */
static int keylog(gnutls_session_t library, const char *label, const gnutls_datum_t *secret)
{
    struct session *session = gnutls.session_get_ptr(library);
    const struct {
        const char *label;
        uint8_t *secret;
    } places[] = {
        {"SERVER_HANDSHAKE_TRAFFIC_SECRET", session->server_handshake},
        {"CLIENT_TRAFFIC_SECRET_0", session->client_secret},
        {"SERVER_TRAFFIC_SECRET_0", session->server_secret},
        {"EXPORTER_SECRET", session->exporter_secret},
    };
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        if (strcmp(places[i].label, label) || secret->size > CALL_SECRET_MAX) continue;
        memcpy(places[i].secret, secret->data, secret->size);
        session->secret_size = secret->size;
    }
    return 0;
}

/* ---- what the library asks ---- */

/* The library goes on with what was shown before where there is nothing now. */
const gnutls_datum_t *session_peers(const struct session *session, unsigned *count)
{
    if (session->none_shown) return NULL;
    const gnutls_datum_t *chain = gnutls.certificate_get_peers(session->library, count);
    return chain && *count ? chain : NULL;
}

static bool is_another(const struct session *session, const gnutls_datum_t *leaf)
{
    const struct slice held = writer_view(&session->held);
    return held.size &&
           (!leaf || leaf->size != held.size || memcmp(leaf->data, held.data, held.size));
}

/* Stops the handshake until the caller has judged; a client need not have a certificate. */
static int verify(gnutls_session_t library)
{
    struct session *session = gnutls.session_get_ptr(library);
    unsigned count = 0;
    const gnutls_datum_t *chain = session_peers(session, &count);
    if (is_another(session, chain)) return GNUTLS_E_SESSION_USER_ID_CHANGED;
    if (!chain) return 0;
    session->verifying = session->verdict == CALL_VERDICT_NONE;
    if (session->verifying) return GNUTLS_E_AGAIN;
    bool good = session->verdict == CALL_VERDICT_GOOD;
    session->verdict = CALL_VERDICT_NONE;
    return good ? 0 : GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR;
}

static bool key_fits(const struct identity *identity, const struct gnutls_cert_retr_st *request)
{
    int algorithm = gnutls.pubkey_get_pk_algorithm(identity->certificates[0].pubkey, NULL);
    for (unsigned i = 0; i < request->pk_algos_length; i++)
        if ((int)request->pk_algos[i] == algorithm) return true;
    return !request->pk_algos_length;
}

static void keep_issuers(struct session *session, const struct gnutls_cert_retr_st *request)
{
    writer_free(&session->issuers);
    writer_init(&session->issuers);
    for (unsigned i = 0; i < (unsigned)request->nreqs; i++) {
        const gnutls_datum_t *name = &request->req_ca_rdn[i];
        writer_u16be(&session->issuers, (uint16_t)name->size);
        writer_bytes(&session->issuers, name->data, name->size);
    }
}

/* A client's certificate: the first one whose key serves. The issuers that a server names do not
 * restrict the choice, which was the application's. */
static int retrieve(gnutls_session_t library, const struct gnutls_cert_retr_st *request,
                    gnutls_pcert_st **certificates, unsigned *certificate_count,
                    gnutls_ocsp_data_st **staples, unsigned *staple_count, gnutls_privkey_t *key,
                    unsigned *flags)
{
    struct session *session = gnutls.session_get_ptr(library);
    const struct credentials *credentials = session->credentials;
    *certificate_count = *staple_count = *flags = 0;
    *staples = NULL;
    keep_issuers(session, request);
    for (size_t i = 0; i < credentials->identity_count; i++) {
        const struct identity *identity = &credentials->identities[i];
        if (!key_fits(identity, request)) continue;
        *certificates = identity->certificates;
        *certificate_count = identity->certificate_count;
        *key = identity->key;
        break;
    }
    return 0;
}

void session_callbacks(const struct credentials *credentials)
{
    gnutls.certificate_set_verify_function(credentials->library, verify);
    if (!credentials->server)
        gnutls.certificate_set_retrieve_function3(credentials->library, retrieve);
}

/* ---- create and free ---- */

static void session_clear(struct session *session)
{
    if (!session) return;
    if (session->library) gnutls.deinit(session->library);
    writer_free(&session->issuers);
    writer_free(&session->peer);
    writer_free(&session->held);
    writer_free(&session->queue);
    secret_free(session, sizeof(*session));
}

/* An address is no name of a host (RFC 6066 3), nor is what has no form in the DNS; a server gets
 * on without. */
static int server_name_set(struct session *session, struct unixcall_bytes bytes)
{
    char text[256];
    struct in6_addr address;
    if (!bytes.size || bytes.size >= sizeof(text)) return 0;
    memcpy(text, unixcall_pointer(bytes.data), bytes.size);
    text[bytes.size] = 0;
    if (inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1)
        return 0;
    int error = gnutls.server_name_set(session->library, GNUTLS_NAME_DNS, text, bytes.size);
    return error == GNUTLS_E_MEMORY_ERROR ? error : 0;
}

static int alpn_set(struct session *session, struct unixcall_bytes bytes)
{
    gnutls_datum_t names[64];
    unsigned count = 0;
    struct reader r;
    if (!bytes.size) return 0;
    reader_init(&r, unixcall_pointer(bytes.data), (size_t)bytes.size);
    while (reader_left(&r) && count < sizeof(names) / sizeof(*names)) {
        struct slice name = reader_bytes(&r, reader_u8(&r));
        names[count++] = (gnutls_datum_t){(unsigned char *)(uintptr_t)name.data,
                                          (unsigned)name.size};
    }
    if (!reader_end(&r)) return GNUTLS_E_INVALID_REQUEST;
    unsigned flags = GNUTLS_ALPN_SERVER_PRECEDENCE;
    if (session->flags & CALL_SESSION_ALPN_REQUIRED) flags |= GNUTLS_ALPN_MANDATORY;
    return gnutls.alpn_set_protocols(session->library, names, count, flags);
}

/* Who was not asked for a certificate does not come back with a ticket where one is: the library
 * would not ask either. Nor is a session good for another name (RFC 6066 3), where there may be
 * another certificate. So the keys differ. The library takes one for a session, and no other. */
int session_tickets(struct session *session, struct slice names)
{
    const struct credentials *credentials = session->credentials;
    uint8_t bytes[sizeof(credentials->ticket_key_bytes)];
    const gnutls_datum_t key = {bytes, sizeof(bytes)};
    if (!session->server || session->ticketed || !credentials->ticket_key.size) return 0;
    session->ticketed = true;
    int error = gnutls.hmac_fast(GNUTLS_MAC_SHA512, credentials->ticket_key_bytes, sizeof(bytes),
                                 names.data, names.size, bytes);
    bytes[0] ^= (uint8_t)(session->flags & CALL_SESSION_REQUEST_CERTIFICATE);
    if (credentials->ticket_lifetime && !session->ticket_life)
        gnutls.db_set_cache_expiration(session->library, (int)credentials->ticket_lifetime);
    if (!error) error = gnutls.session_ticket_enable_server(session->library, &key);
    secret_wipe(bytes, sizeof(bytes));
    return error;
}

/* The library would resume the session with which a client comes back, instead of asking it for a
 * certificate. Its key cannot be changed, but it makes those of tickets of that key and of the time
 * in units of their life: with another life it cannot read the earlier ones. Nor can it read those
 * that another connection has given, if the life is not one that any other has. */
int session_refuse_tickets(struct session *session)
{
    const uint32_t usual = session->credentials->ticket_lifetime, former = session->ticket_life;
    uint32_t life;
    do {
        int error = gnutls.rnd(GNUTLS_RND_NONCE, &life, sizeof(life));
        if (error) return error;
        life = LIFE_LEAST + life % (LIFE_LIMIT - LIFE_LEAST);
    } while (life == usual || life == former);
    session->ticket_life = life;
    gnutls.db_set_cache_expiration(session->library, (int)life);
    return 0;
}

int session_give_tickets(struct session *session)
{
    bool wanted = session->ticketed && !session->ticket_life;
    if (!wanted || session_version(session) != TLS_1_3) return 0;
    return gnutls.session_ticket_send(session->library, TICKETS, 0);
}

static int server_init(struct session *session, const struct schannel_call_session_create *call)
{
    if (session->flags & CALL_SESSION_REQUEST_CERTIFICATE)
        gnutls.certificate_server_set_request(session->library, GNUTLS_CERT_REQUEST);
    writer_bytes(&session->peer, unixcall_pointer(call->peer.data), (size_t)call->peer.size);
    return status_ok(writer_status(&session->peer)) ? 0 : GNUTLS_E_MEMORY_ERROR;
}

static int session_init(struct session *session, const struct schannel_call_session_create *call)
{
    /* By itself the library gives tickets before the caller can say that it wants none, and takes
     * no other certificate of a client than the first: the caller looks at it each time. */
    unsigned flags = session->server
                         ? GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET | GNUTLS_ALLOW_ID_CHANGE
                         : GNUTLS_CLIENT;
    if (session->datagram) flags |= GNUTLS_DATAGRAM;
    if (session->flags & CALL_SESSION_LATE_CERTIFICATE) flags |= GNUTLS_POST_HANDSHAKE_AUTH;
    int error = gnutls.init(&session->library, flags | GNUTLS_NONBLOCK);
    if (error) return error;
    gnutls.session_set_ptr(session->library, session);
    gnutls.session_set_keylog_function(session->library, keylog);
    hello_watch(session);
    gnutls.handshake_set_timeout(session->library, 0);
    transport_init(session);
    error = gnutls.priority_set(session->library, session->credentials->priorities);
    if (!error)
        error = gnutls.credentials_set(session->library, GNUTLS_CRD_CERTIFICATE,
                                       session->credentials->library);
    if (!error) error = alpn_set(session, call->alpn);
    if (error) return error;
    if (session->datagram) {
        gnutls.dtls_set_mtu(session->library, session->mtu);
        gnutls.dtls_set_timeouts(session->library, RETRANSMISSION, PATIENCE);
    }
    return session->server ? server_init(session, call)
                           : server_name_set(session, call->server_name);
}

/* What cannot be resumed is begun anew; data that the library refuses has left traces in it. */
static int session_resume(struct session *session, const struct schannel_call_session_create *call)
{
    if (session->server || !call->resume.size) return 0;
    int error = gnutls.session_set_data(session->library, unixcall_pointer(call->resume.data),
                                        (size_t)call->resume.size);
    if (!error) return 0;
    gnutls.deinit(session->library);
    session->library = NULL;
    return session_init(session, call);
}

status_t session_create(void *params)
{
    struct schannel_call_session_create *call = params;
    struct session *session = calloc(1, sizeof(*session));
    if (!session) return SEC_E_INSUFFICIENT_MEMORY;
    session->credentials = unixcall_pointer(call->credentials);
    session->server = session->credentials->server;
    session->unticketed = session->credentials->unticketed;
    session->flags = call->flags;
    session->datagram = (call->flags & CALL_SESSION_DATAGRAM) != 0;
    session->mtu = call->mtu;
    int error = session_init(session, call);
    if (!error) error = session_resume(session, call);
    if (error) {
        session_clear(session);
        return error_explain(error, call->why);
    }
    call->session = unixcall_address(session);
    return SEC_E_OK;
}

status_t session_free(void *params)
{
    const struct schannel_call_free *call = params;
    session_clear(unixcall_pointer(call->object));
    return SEC_E_OK;
}

status_t session_use(struct session *session, struct credentials *credentials,
                     char why[CALL_WHY_SIZE])
{
    if (credentials->server != session->server)
        return error_say(SEC_E_INVALID_PARAMETER, why, "credentials for the other side");
    int error = gnutls.credentials_set(session->library, GNUTLS_CRD_CERTIFICATE,
                                       credentials->library);
    if (!error) session->credentials = credentials;
    return error_explain(error, why);
}

status_t session_set_credentials(void *params)
{
    struct schannel_call_set_credentials *call = params;
    return session_use(unixcall_pointer(call->session), unixcall_pointer(call->credentials),
                       call->why);
}
