/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credentials: certificates with their keys, and what a side is willing to use. Certificates of a
 * server are the library's to choose from, by the name that a client asks for; a client's are
 * chosen here, since the library knows no other way to see what a server asks for.
 */
#include "unix.h"

#include "core/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct slice bytes_of(struct unixcall_bytes bytes)
{
    return (struct slice){unixcall_pointer(bytes.data), (size_t)bytes.size};
}

static gnutls_datum_t datum_of(struct slice bytes)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)bytes.data, (unsigned)bytes.size};
}

/* The next certificate of a chain; false at its end, or when it is damaged. */
static bool chain_next(struct reader *chain, gnutls_datum_t *out)
{
    if (!reader_left(chain)) return false;
    *out = datum_of(reader_bytes(chain, reader_u24be(chain)));
    return reader_ok(chain);
}

/* ---- identities ---- */

static void certificates_clear(gnutls_pcert_st *certificates, unsigned count)
{
    for (unsigned i = 0; i < count; i++) gnutls.pcert_deinit(&certificates[i]);
    free(certificates);
}

static void identity_clear(struct identity *identity)
{
    certificates_clear(identity->certificates, identity->certificate_count);
    if (identity->key) gnutls.privkey_deinit(identity->key);
    writer_free(&identity->chain);
}

static int chain_import(struct slice bytes, struct identity *out)
{
    struct reader chain;
    gnutls_datum_t certificate;
    size_t count = 0;
    int error = 0;
    reader_init(&chain, bytes.data, bytes.size);
    while (chain_next(&chain, &certificate)) count++;
    if (!reader_end(&chain) || !count) return GNUTLS_E_CERTIFICATE_ERROR;
    out->certificates = calloc(count, sizeof(*out->certificates));
    if (!out->certificates) return GNUTLS_E_MEMORY_ERROR;
    reader_init(&chain, bytes.data, bytes.size);
    while (!error && chain_next(&chain, &certificate)) {
        error = gnutls.pcert_import_x509_raw(&out->certificates[out->certificate_count],
                                             &certificate, GNUTLS_X509_FMT_DER, 0);
        if (!error) out->certificate_count++;
    }
    if (error) return error;
    writer_slice(&out->chain, bytes);
    return status_ok(writer_status(&out->chain)) ? 0 : GNUTLS_E_MEMORY_ERROR;
}

/* The name of a curve by its size, as a private key's container has it. */
static gnutls_ecc_curve_t curve_of(uint32_t bits)
{
    switch (bits) {
    case 256: return GNUTLS_ECC_CURVE_SECP256R1;
    case 384: return GNUTLS_ECC_CURVE_SECP384R1;
    case 521: return GNUTLS_ECC_CURVE_SECP521R1;
    default: return GNUTLS_ECC_CURVE_INVALID;
    }
}

static int key_import(const struct call_identity *from, gnutls_privkey_t *out)
{
    gnutls_datum_t part[CALL_KEY_PARTS];
    for (size_t i = 0; i < CALL_KEY_PARTS; i++) part[i] = datum_of(bytes_of(from->parts[i]));
    int error = gnutls.privkey_init(out);
    if (error) return error;
    if (from->kind == CALL_KEY_RSA)
        return gnutls.privkey_import_rsa_raw(*out, &part[0], &part[1], &part[2], &part[3], &part[4],
                                             &part[5], &part[6], &part[7]);
    if (from->kind != CALL_KEY_EC) return GNUTLS_E_UNSUPPORTED_CERTIFICATE_TYPE;
    return gnutls.privkey_import_ecc_raw(*out, curve_of(from->curve_bits), &part[0], &part[1],
                                         &part[2]);
}

/* Whether the key is that of the certificate. The library looks only when a server's are set. */
static int key_check(const struct identity *identity)
{
    unsigned char own[64], certified[64];
    size_t own_size = sizeof(own), certified_size = sizeof(certified);
    gnutls_pubkey_t pubkey = NULL;
    int error = gnutls.pubkey_init(&pubkey);
    if (!error) error = gnutls.pubkey_import_privkey(pubkey, identity->key, 0, 0);
    if (!error) error = gnutls.pubkey_get_key_id(pubkey, GNUTLS_KEYID_USE_SHA256, own, &own_size);
    if (!error)
        error = gnutls.pubkey_get_key_id(identity->certificates[0].pubkey, GNUTLS_KEYID_USE_SHA256,
                                         certified, &certified_size);
    if (!error && (own_size != certified_size || memcmp(own, certified, own_size)))
        error = GNUTLS_E_CERTIFICATE_KEY_MISMATCH;
    if (pubkey) gnutls.pubkey_deinit(pubkey);
    return error;
}

/* A server's certificates and key become the library's. */
static int identity_give(struct credentials *credentials, struct identity *identity,
                         struct slice staple, char why[CALL_WHY_SIZE])
{
    int index = gnutls.certificate_set_key(credentials->library, NULL, 0, identity->certificates,
                                           (int)identity->certificate_count, identity->key);
    if (index < 0) return index;
    free(identity->certificates);
    identity->certificates = NULL;
    identity->certificate_count = 0;
    identity->key = NULL;
    if (!staple.size) return 0;
    /* A certificate serves without one as well. */
    gnutls_datum_t response = datum_of(staple);
    int error = gnutls.certificate_set_ocsp_status_request_mem(
        credentials->library, &response, (unsigned)index, GNUTLS_X509_FMT_DER);
    if (error == GNUTLS_E_MEMORY_ERROR) return error;
    if (error < 0)
        error_say(SEC_E_OK, why, "an OCSP response is not used: %s", gnutls.strerror(error));
    return 0;
}

static int identity_add(struct credentials *credentials, const struct call_identity *from,
                        char why[CALL_WHY_SIZE])
{
    struct identity *identity = &credentials->identities[credentials->identity_count++];
    writer_init(&identity->chain);
    int error = chain_import(bytes_of(from->chain), identity);
    if (!error) error = key_import(from, &identity->key);
    if (!error) error = key_check(identity);
    if (error || !credentials->server) return error;
    return identity_give(credentials, identity, bytes_of(from->staple), why);
}

/* ---- the whole ---- */

static void credentials_clear(struct credentials *credentials)
{
    if (!credentials) return;
    for (size_t i = 0; i < credentials->identity_count; i++)
        identity_clear(&credentials->identities[i]);
    free(credentials->identities);
    if (credentials->library) gnutls.certificate_free_credentials(credentials->library);
    if (credentials->priorities) gnutls.priority_deinit(credentials->priorities);
    free(credentials->unticketed);
    secret_free(credentials, sizeof(*credentials));
}

static int identities_add(struct credentials *credentials,
                          struct schannel_call_credentials_create *call)
{
    const struct call_identity *identities = unixcall_pointer(call->identities);
    if (!call->identity_count) return 0;
    credentials->identities = calloc(call->identity_count, sizeof(*credentials->identities));
    if (!credentials->identities) return GNUTLS_E_MEMORY_ERROR;
    int error = 0;
    for (uint32_t i = 0; !error && i < call->identity_count; i++)
        error = identity_add(credentials, &identities[i], call->why);
    return error;
}

/* What only servers have: issuers to name, keys of tickets and cookies, and the groups for clients
 * that name none. */
static int server_init(struct credentials *credentials,
                       const struct schannel_call_credentials_create *call)
{
    struct slice issuers = bytes_of(call->issuers), key = bytes_of(call->ticket_key);
    struct reader chain;
    gnutls_datum_t issuer;
    reader_init(&chain, issuers.data, issuers.size);
    while (chain_next(&chain, &issuer)) {
        int count = gnutls.certificate_set_x509_trust_mem(credentials->library, &issuer,
                                                          GNUTLS_X509_FMT_DER);
        if (count < 0) return count;
    }
    if (!reader_end(&chain)) return GNUTLS_E_CERTIFICATE_ERROR;
    if (key.size && key.size != sizeof(credentials->ticket_key_bytes))
        return GNUTLS_E_INVALID_REQUEST;
    if (key.size) {
        memcpy(credentials->ticket_key_bytes, key.data, key.size);
        credentials->ticket_key = (gnutls_datum_t){credentials->ticket_key_bytes,
                                                   (unsigned)key.size};
    }
    int error = gnutls.certificate_set_known_dh_params(credentials->library,
                                                       GNUTLS_SEC_PARAM_MEDIUM);
    if (error) return error;
    return gnutls.rnd(GNUTLS_RND_KEY, credentials->cookie_key, sizeof(credentials->cookie_key));
}

static int client_init(struct credentials *credentials, const char *priorities)
{
    static const char without[] = ":%NO_TICKETS";
    size_t size = strlen(priorities) + sizeof(without);
    credentials->unticketed = malloc(size);
    if (!credentials->unticketed) return GNUTLS_E_MEMORY_ERROR;
    snprintf(credentials->unticketed, size, "%s%s", priorities, without);
    return 0;
}

static int credentials_init(struct credentials *credentials,
                            struct schannel_call_credentials_create *call)
{
    const char *priorities = unixcall_pointer(call->priorities);
    int error = gnutls.certificate_allocate_credentials(&credentials->library);
    if (error) return error;
    /* So that the setting of a key tells its index. */
    gnutls.certificate_set_flags(credentials->library, GNUTLS_CERTIFICATE_API_V2);
    error = gnutls.priority_init2(&credentials->priorities, priorities, NULL, 0);
    if (error) return error;
    error = identities_add(credentials, call);
    if (error) return error;
    return credentials->server ? server_init(credentials, call)
                               : client_init(credentials, priorities);
}

status_t credentials_create(void *params)
{
    struct schannel_call_credentials_create *call = params;
    status_t status = library_load(call->why);
    if (!status_ok(status)) return status;
    struct credentials *credentials = calloc(1, sizeof(*credentials));
    if (!credentials) return SEC_E_INSUFFICIENT_MEMORY;
    credentials->server = call->server != 0;
    credentials->ticket_lifetime = call->ticket_lifetime;
    int error = credentials_init(credentials, call);
    if (error) {
        credentials_clear(credentials);
        return error_explain(error, call->why);
    }
    session_callbacks(credentials);
    call->credentials = unixcall_address(credentials);
    return SEC_E_OK;
}

status_t credentials_free(void *params)
{
    const struct schannel_call_free *call = params;
    credentials_clear(unixcall_pointer(call->object));
    return SEC_E_OK;
}

struct slice credentials_chain(const struct credentials *credentials, const gnutls_datum_t *leaf)
{
    for (size_t i = 0; i < credentials->identity_count; i++) {
        struct reader chain;
        gnutls_datum_t first;
        struct slice whole = writer_view(&credentials->identities[i].chain);
        reader_init(&chain, whole.data, whole.size);
        if (chain_next(&chain, &first) && first.size == leaf->size &&
            !memcmp(first.data, leaf->data, leaf->size))
            return whole;
    }
    return (struct slice){0};
}
