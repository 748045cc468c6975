/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a session has settled: secrets for the records, facts for queries, and longer things that
 * are read one by one. The library's own numbers become those of IANA's registries.
 */
#include "unix.h"

#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

/* ---- secrets ---- */

static void datum_copy(uint8_t *out, size_t room, const gnutls_datum_t *from)
{
    if (from->size && from->size <= room) memcpy(out, from->data, from->size);
}

static status_t direction(const struct session *session, bool receive, uint8_t key[32],
                          uint8_t iv[12], uint64_t *sequence)
{
    gnutls_datum_t library_iv = {0}, library_key = {0};
    uint8_t bytes[8];
    struct reader r;
    int error = gnutls.record_get_state(session->library, receive, NULL, &library_iv, &library_key,
                                        bytes);
    if (error) return error_status(error);
    datum_copy(key, 32, &library_key);
    datum_copy(iv, 12, &library_iv);
    reader_init(&r, bytes, sizeof(bytes));
    *sequence = reader_u64be(&r);
    return SEC_E_OK;
}

/* The first Finished, which only versions before 1.3 have (RFC 5929 3.1). */
static void finished_get(const struct session *session, struct schannel_call_secrets *call)
{
    gnutls_datum_t finished = {0};
    if (gnutls.session_channel_binding(session->library, GNUTLS_CB_TLS_UNIQUE, &finished)) return;
    datum_copy(call->finished, sizeof(call->finished), &finished);
    if (finished.size == sizeof(call->finished)) call->finished_size = finished.size;
    free(finished.data);
}

static status_t established_get(const struct session *session, struct schannel_call_secrets *call)
{
    gnutls_datum_t client = {0}, server = {0}, master = {0};
    gnutls.session_get_random(session->library, &client, &server);
    datum_copy(call->client_random, sizeof(call->client_random), &client);
    datum_copy(call->server_random, sizeof(call->server_random), &server);
    if (call->version == TLS_1_3) {
        memcpy(call->send_secret, session->server ? session->server_secret : session->client_secret,
               CALL_SECRET_MAX);
        memcpy(call->receive_secret,
               session->server ? session->client_secret : session->server_secret, CALL_SECRET_MAX);
        memcpy(call->master, session->exporter_secret, CALL_SECRET_MAX);
    } else {
        gnutls.session_get_master_secret(session->library, &master);
        datum_copy(call->master, sizeof(call->master), &master);
        finished_get(session, call);
    }
    call->extended_master_secret = gnutls.session_ext_master_secret_status(session->library) ? 1
                                                                                             : 0;
    status_t status = direction(session, false, call->send_key, call->send_iv,
                                &call->send_sequence);
    if (!status_ok(status)) return status;
    status = direction(session, true, call->receive_key, call->receive_iv, &call->receive_sequence);
    if (status_ok(status)) call->established = 1;
    return status;
}

status_t secrets(void *params)
{
    struct schannel_call_secrets *call = params, found = {.session = call->session};
    const struct session *session = unixcall_pointer(call->session);
    status_t status = SEC_E_OK;
    found.version = session_version(session);
    found.suite = session->suite;
    if (found.version == TLS_1_3) {
        found.secret_size = (uint32_t)session->secret_size;
        memcpy(found.server_handshake, session->server_handshake, CALL_SECRET_MAX);
    }
    if (session->established && session->done) status = established_get(session, &found);
    if (status_ok(status)) *call = found;
    secret_wipe(&found, sizeof(found));
    return status;
}

/* ---- facts ---- */

/* NamedGroup (RFC 8446 4.2.7), and its size in bits. */
static const struct {
    gnutls_group_t library;
    uint16_t group, bits;
} groups[] = {
    {GNUTLS_GROUP_SECP192R1, 19, 192},     {GNUTLS_GROUP_SECP224R1, 21, 224},
    {GNUTLS_GROUP_SECP256R1, 23, 256},     {GNUTLS_GROUP_SECP384R1, 24, 384},
    {GNUTLS_GROUP_SECP521R1, 25, 521},     {GNUTLS_GROUP_X25519, 29, 255},
    {GNUTLS_GROUP_X448, 30, 448},          {GNUTLS_GROUP_FFDHE2048, 0x100, 2048},
    {GNUTLS_GROUP_FFDHE3072, 0x101, 3072}, {GNUTLS_GROUP_FFDHE4096, 0x102, 4096},
    {GNUTLS_GROUP_FFDHE6144, 0x103, 6144}, {GNUTLS_GROUP_FFDHE8192, 0x104, 8192},
};

/* SignatureScheme (RFC 8446 4.2.3); those of TLS 1.2 alone have hash and signature in the two bytes
 * (RFC 5246 7.4.1.4.1). */
static const struct {
    gnutls_sign_algorithm_t library;
    uint16_t scheme;
} signatures[] = {
    {GNUTLS_SIGN_RSA_SHA1, 0x0201},
    {GNUTLS_SIGN_ECDSA_SHA1, 0x0203},
    {GNUTLS_SIGN_RSA_SHA224, 0x0301},
    {GNUTLS_SIGN_ECDSA_SHA224, 0x0303},
    {GNUTLS_SIGN_RSA_SHA256, 0x0401},
    {GNUTLS_SIGN_ECDSA_SHA256, 0x0403},
    {GNUTLS_SIGN_ECDSA_SECP256R1_SHA256, 0x0403},
    {GNUTLS_SIGN_RSA_SHA384, 0x0501},
    {GNUTLS_SIGN_ECDSA_SHA384, 0x0503},
    {GNUTLS_SIGN_ECDSA_SECP384R1_SHA384, 0x0503},
    {GNUTLS_SIGN_RSA_SHA512, 0x0601},
    {GNUTLS_SIGN_ECDSA_SHA512, 0x0603},
    {GNUTLS_SIGN_ECDSA_SECP521R1_SHA512, 0x0603},
    {GNUTLS_SIGN_RSA_PSS_RSAE_SHA256, 0x0804},
    {GNUTLS_SIGN_RSA_PSS_RSAE_SHA384, 0x0805},
    {GNUTLS_SIGN_RSA_PSS_RSAE_SHA512, 0x0806},
    {GNUTLS_SIGN_EDDSA_ED25519, 0x0807},
    {GNUTLS_SIGN_EDDSA_ED448, 0x0808},
    {GNUTLS_SIGN_RSA_PSS_SHA256, 0x0809},
    {GNUTLS_SIGN_RSA_PSS_SHA384, 0x080a},
    {GNUTLS_SIGN_RSA_PSS_SHA512, 0x080b},
};

/* The chain of this side. The library knows nothing of it in a session that was resumed; a server
 * of whose sessions that can become has one certificate. */
static struct slice own_chain(const struct session *session)
{
    const struct credentials *credentials = session->credentials;
    const gnutls_datum_t *ours = gnutls.certificate_get_ours(session->library);
    if (ours) return credentials_chain(credentials, ours);
    if (session->server && credentials->identity_count == 1)
        return writer_view(&credentials->identities[0].chain);
    return (struct slice){NULL, 0};
}

static gnutls_datum_t own_certificate(const struct session *session)
{
    struct reader chain;
    struct slice whole = own_chain(session);
    reader_init(&chain, whole.data, whole.size);
    struct slice leaf = reader_bytes(&chain, reader_u24be(&chain));
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)leaf.data, (unsigned)leaf.size};
}

/* The modulus of the server's certificate, to which a secret was encrypted. */
static uint32_t modulus_bits(const struct session *session)
{
    unsigned count = 0, bits = 0;
    const gnutls_datum_t own = own_certificate(session);
    const gnutls_datum_t *certificate = session->server ? &own
                                                        : gnutls.certificate_get_peers(
                                                              session->library, &count);
    gnutls_pubkey_t key = NULL;
    if (!certificate || gnutls.pubkey_init(&key)) return 0;
    if (!gnutls.pubkey_import_x509_raw(key, certificate, GNUTLS_X509_FMT_DER, 0))
        gnutls.pubkey_get_pk_algorithm(key, &bits);
    gnutls.pubkey_deinit(key);
    return bits;
}

static void exchange_get(const struct session *session, struct schannel_call_facts *call)
{
    gnutls_group_t group = gnutls.group_get(session->library);
    for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
        if (groups[i].library != group) continue;
        call->group = groups[i].group;
        call->group_bits = groups[i].bits;
        return;
    }
    if (gnutls.kx_get(session->library) == GNUTLS_KX_RSA) call->group_bits = modulus_bits(session);
    else call->group_bits = (uint32_t)gnutls.dh_get_prime_bits(session->library);
}

static void signature_get(const struct session *session, struct schannel_call_facts *call)
{
    int signature = gnutls.sign_algorithm_get(session->library);
    for (size_t i = 0; i < sizeof(signatures) / sizeof(*signatures); i++)
        if ((int)signatures[i].library == signature) call->signature = signatures[i].scheme;
}

static void names_get(const struct session *session, struct schannel_call_facts *call)
{
    gnutls_datum_t alpn = {0};
    size_t id_size = sizeof(call->session_id), name_size = sizeof(call->server_name);
    unsigned type;
    if (!gnutls.alpn_get_selected_protocol(session->library, &alpn)) {
        datum_copy(call->alpn, sizeof(call->alpn), &alpn);
        call->alpn_size = alpn.size;
    }
    if (!gnutls.session_get_id(session->library, call->session_id, &id_size))
        call->session_id_size = (uint32_t)id_size;
    if (!session->server ||
        gnutls.server_name_get(session->library, call->server_name, &name_size, &type, 0))
        call->server_name[0] = 0;
}

void facts_overhead(const struct session *session, uint32_t *header, uint32_t *trailer)
{
    gnutls_cipher_algorithm_t cipher = gnutls.cipher_get(session->library);
    uint16_t version = session_version(session);
    size_t whole = gnutls.record_overhead_size(session->library);
    *header = session->datagram ? 13 : 5;
    switch (cipher) {
    case GNUTLS_CIPHER_AES_128_CBC:
    case GNUTLS_CIPHER_AES_256_CBC:
    case GNUTLS_CIPHER_CAMELLIA_128_CBC:
    case GNUTLS_CIPHER_CAMELLIA_256_CBC:
    case GNUTLS_CIPHER_3DES_CBC:
        if (version != TLS_1_0) *header += gnutls.cipher_get_block_size(cipher);
        break;
    case GNUTLS_CIPHER_CHACHA20_POLY1305: break;
    default:
        if (version != TLS_1_3) *header += 8; /* the explicit part of a nonce, RFC 5288 3 */
    }
    *trailer = whole > *header ? (uint32_t)whole - *header : 0;
}

/* The size in record_size_limit counts the type that TLS 1.3 hides (RFC 8449 4). Where there is
 * none the library's own size is that of max_fragment_length (RFC 6066 4), for both directions. */
uint32_t facts_limit(const struct session *session)
{
    uint32_t hidden = session_version(session) == TLS_1_3 ? 1 : 0;
    size_t limit = session->record_size_limit > hidden ? session->record_size_limit - hidden : 0;
    if (!limit) limit = gnutls.record_get_max_size(session->library);
    return limit && limit < TLS_PLAIN_MAX ? (uint32_t)limit : TLS_PLAIN_MAX;
}

status_t facts(void *params)
{
    struct schannel_call_facts *call = params;
    const struct session *session = unixcall_pointer(call->session);
    *call = (struct schannel_call_facts){.session = call->session};
    call->version = session_version(session);
    call->suite = session->suite;
    if (!call->version) return SEC_E_OK;
    exchange_get(session, call);
    signature_get(session, call);
    names_get(session, call);
    call->resumed = gnutls.session_is_resumed(session->library) ? 1 : 0;
    call->late_certificate = session->server ? session->late_certificate
                                             : session_late_certificate(session);
    call->library_records = session_library_records(session);
    if (!session->established) return SEC_E_OK;
    facts_overhead(session, &call->record_header, &call->record_trailer);
    call->record_limit = facts_limit(session);
    return SEC_E_OK;
}

/* ---- longer things ---- */

static void peer_chain(const struct session *session, struct writer *out)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = session_peers(session, &count);
    for (unsigned i = 0; chain && i < count; i++) {
        writer_u8(out, (uint8_t)(chain[i].size >> 16));
        writer_u16be(out, (uint16_t)chain[i].size);
        writer_bytes(out, chain[i].data, chain[i].size);
    }
}

/* In TLS 1.3 a session can be resumed once a ticket has come. */
static int resumption(const struct session *session, struct writer *out)
{
    size_t size = 0;
    if (session->server || !session->established || session->superseded) return 0;
    if (session_version(session) == TLS_1_3 &&
        !(gnutls.session_get_flags(session->library) & GNUTLS_SFLAGS_SESSION_TICKET))
        return 0;
    int error = gnutls.session_get_data(session->library, NULL, &size);
    if (error && error != GNUTLS_E_SHORT_MEMORY_BUFFER) return error;
    size_t offset = writer_reserve(out, size);
    if (!status_ok(writer_status(out))) return GNUTLS_E_MEMORY_ERROR;
    return gnutls.session_get_data(session->library, out->data + offset, &size);
}

static int thing_write(const struct session *session, uint32_t what, struct writer *out)
{
    gnutls_datum_t staple = {0};
    switch (what) {
    case CALL_READ_PEER_CHAIN: peer_chain(session, out); return 0;
    case CALL_READ_STAPLE:
        if (!gnutls.ocsp_status_request_get2(session->library, 0, &staple))
            writer_bytes(out, staple.data, staple.size);
        return 0;
    case CALL_READ_RESUMPTION: return resumption(session, out);
    case CALL_READ_LOCAL_CHAIN: writer_slice(out, own_chain(session)); return 0;
    case CALL_READ_ISSUERS: writer_slice(out, writer_view(&session->issuers)); return 0;
    default: return GNUTLS_E_INVALID_REQUEST;
    }
}

status_t session_read(void *params)
{
    struct schannel_call_read *call = params;
    const struct session *session = unixcall_pointer(call->session);
    struct writer thing;
    writer_init(&thing);
    int error = thing_write(session, call->what, &thing);
    status_t status = error ? error_status(error) : writer_status(&thing);
    if (status_ok(status)) {
        call->size = thing.size;
        if (thing.size > call->room) status = SEC_E_BUFFER_TOO_SMALL;
        else if (thing.size) memcpy(unixcall_pointer(call->output), thing.data, thing.size);
    }
    writer_free(&thing);
    return status;
}
