/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Attributes of the connection: sizes, protocol, algorithms, what was agreed on. Names and numbers
 * of algorithms are those that Windows lists for its suites (schannel.h, wincrypt.h).
 */
#include "attrs.h"

#include "core/tls_binding.h"

#include <string.h>
#include <wchar.h>

#define GROUP_FFDHE 0x0100u /* RFC 7919: the groups of this number and above are finite fields */

/* ---- tables ---- */

struct cipher {
    const wchar_t *name;
    ALG_ID id;   /* 0: there is none */
    DWORD block; /* bytes */
};

static const struct cipher ciphers[] = {
    [TLS_CIPHER_AES_128_GCM] = {L"AES", CALG_AES_128, 16},
    [TLS_CIPHER_AES_256_GCM] = {L"AES", CALG_AES_256, 16},
    [TLS_CIPHER_CHACHA20_POLY1305] = {L"CHACHA20_POLY1305", 0, 1},
    [TLS_CIPHER_AES_128_CCM] = {L"AES", CALG_AES_128, 16},
    [TLS_CIPHER_AES_256_CCM] = {L"AES", CALG_AES_256, 16},
    [TLS_CIPHER_AES_128_CBC] = {L"AES", CALG_AES_128, 16},
    [TLS_CIPHER_AES_256_CBC] = {L"AES", CALG_AES_256, 16},
    [TLS_CIPHER_AES_128_CCM_8] = {L"AES", CALG_AES_128, 16},
    [TLS_CIPHER_AES_256_CCM_8] = {L"AES", CALG_AES_256, 16},
    [TLS_CIPHER_3DES_CBC] = {L"3DES", CALG_3DES, 8},
};

struct hash {
    const wchar_t *name;
    ALG_ID id;
    DWORD bits;
};

static const struct hash hashes[] = {
    [TLS_HASH_NONE] = {L"", 0, 0},
    [TLS_HASH_SHA1] = {L"SHA1", CALG_SHA1, 160},
    [TLS_HASH_SHA256] = {L"SHA256", CALG_SHA_256, 256},
    [TLS_HASH_SHA384] = {L"SHA384", CALG_SHA_384, 384},
};

struct exchange {
    const wchar_t *name;
    ALG_ID id;
    DWORD minimum, maximum; /* bits that the suite allows */
};

static const struct exchange exchanges[] = {
    [TLS_EXCHANGE_ANY] = {L"", 0, 0, 0},
    [TLS_EXCHANGE_RSA] = {L"RSA", CALG_RSA_KEYX, 512, 16384},
    [TLS_EXCHANGE_DHE] = {L"DH", CALG_DH_EPHEM, 1024, 4096},
    [TLS_EXCHANGE_ECDHE] = {L"ECDH", CALG_ECDH_EPHEM, 0, 65536},
};

/* Version on the wire, and what it is called. */
static const struct protocol {
    uint16_t version;
    DWORD client, server;
    const wchar_t *name;
    ULONG major, minor;
} protocols[] = {
    {TLS_1_0, SP_PROT_TLS1_0_CLIENT, SP_PROT_TLS1_0_SERVER, L"TLS", 1, 0},
    {TLS_1_1, SP_PROT_TLS1_1_CLIENT, SP_PROT_TLS1_1_SERVER, L"TLS", 1, 1},
    {TLS_1_2, SP_PROT_TLS1_2_CLIENT, SP_PROT_TLS1_2_SERVER, L"TLS", 1, 2},
    {TLS_1_3, SP_PROT_TLS1_3_CLIENT, SP_PROT_TLS1_3_SERVER, L"TLS", 1, 3},
    {DTLS_1_0, SP_PROT_DTLS1_0_CLIENT, SP_PROT_DTLS1_0_SERVER, L"DTLS", 1, 0},
    {DTLS_1_2, SP_PROT_DTLS1_2_CLIENT, SP_PROT_DTLS1_2_SERVER, L"DTLS", 1, 2},
};

static const struct protocol *protocol_of(const struct context *context)
{
    for (size_t i = 0; i < ARRAYSIZE(protocols); i++)
        if (protocols[i].version == context->version) return &protocols[i];
    return NULL;
}

/* The facts that several attributes are made of. */
struct algorithms {
    const struct tls_suite *suite;
    const struct protocol *protocol;
    const struct cipher *cipher;
    const struct hash *mac; /* of records; NONE for an AEAD */
    enum tls_exchange exchange;
    DWORD protocol_bit;
};

static status_t algorithms_get(const struct context *context, struct algorithms *out)
{
    out->suite = tls_suite_find(context->suite);
    out->protocol = protocol_of(context);
    if (!out->suite || !out->protocol) return SEC_E_INTERNAL_ERROR; /* no handshake ends so */
    out->cipher = &ciphers[out->suite->cipher];
    out->mac = &hashes[out->suite->mac];
    out->exchange = out->suite->exchange;
    if (out->exchange == TLS_EXCHANGE_ANY) /* TLS 1.3: the group tells */
        out->exchange = (context->connection.group & 0xff00u) == GROUP_FFDHE ? TLS_EXCHANGE_DHE
                                                                             : TLS_EXCHANGE_ECDHE;
    out->protocol_bit = context->server ? out->protocol->server : out->protocol->client;
    return SEC_E_OK;
}

/* ---- sizes ---- */

static void record_sizes(const struct context *context, DWORD *header, DWORD *trailer)
{
    *header = context->carried ? (DWORD)tls_header_size(&context->session) : context->record_header;
    *trailer = context->carried ? (DWORD)tls_trailer_size(&context->session)
                                : context->record_trailer;
}

status_t query_sizes(struct context *context, void *buffer)
{
    SecPkgContext_Sizes *out = buffer;
    struct algorithms used;
    DWORD header, trailer;
    status_t status = algorithms_get(context, &used);
    if (!status_ok(status)) return status;
    record_sizes(context, &header, &trailer);
    *out = (SecPkgContext_Sizes){
        .cbMaxToken = MAX_TOKEN,
        .cbMaxSignature = 0, /* nothing is signed by itself */
        .cbBlockSize = used.cipher->block,
        .cbSecurityTrailer = header + trailer,
    };
    return SEC_E_OK;
}

status_t query_stream_sizes(struct context *context, void *buffer)
{
    SecPkgContext_StreamSizes *out = buffer;
    struct algorithms used;
    DWORD header, trailer;
    status_t status = algorithms_get(context, &used);
    if (!status_ok(status)) return status;
    record_sizes(context, &header, &trailer);
    DWORD text = (DWORD)tls_plain_limit(&context->session);
    if (context->datagram && context->mtu > header + trailer)
        text = min(text, context->mtu - header - trailer);
    *out = (SecPkgContext_StreamSizes){
        .cbHeader = header,
        .cbTrailer = trailer,
        .cbMaximumMessage = text,
        .cBuffers = 4,
        .cbBlockSize = used.cipher->block,
    };
    return SEC_E_OK;
}

/* ---- algorithms ---- */

/* An AEAD has no hash of its own; the one that is named is that of the key schedule, without a
 * strength. */
status_t query_connection_info(struct context *context, void *buffer)
{
    SecPkgContext_ConnectionInfo *out = buffer;
    struct algorithms used;
    status_t status = algorithms_get(context, &used);
    if (!status_ok(status)) return status;
    bool aead = used.suite->mac == TLS_HASH_NONE;
    *out = (SecPkgContext_ConnectionInfo){
        .dwProtocol = used.protocol_bit,
        .aiCipher = used.cipher->id,
        .dwCipherStrength = used.suite->key_bits,
        .aiHash = aead ? hashes[used.suite->prf].id : used.mac->id,
        .dwHashStrength = used.mac->bits,
        .aiExch = exchanges[used.exchange].id,
        .dwExchStrength = context->connection.group_bits,
    };
    return SEC_E_OK;
}

status_t query_connection_info_ex(struct context *context, void *buffer)
{
    SecPkgContext_ConnectionInfoEx *out = buffer;
    struct algorithms used;
    status_t status = algorithms_get(context, &used);
    if (!status_ok(status)) return status;
    bool aead = used.suite->mac == TLS_HASH_NONE;
    *out = (SecPkgContext_ConnectionInfoEx){
        .dwVersion = SECPKGCONTEXT_CONNECTION_INFO_EX_V1,
        .dwProtocol = used.protocol_bit,
        .dwCipherStrength = used.suite->key_bits,
        .dwHashStrength = used.mac->bits,
        .dwExchStrength = context->connection.group_bits,
    };
    wcscpy(out->szCipher, used.cipher->name);
    wcscpy(out->szHash, aead ? hashes[used.suite->prf].name : used.mac->name);
    wcscpy(out->szExchange, exchanges[used.exchange].name);
    return SEC_E_OK;
}

static const wchar_t *certificate_kind(const struct tls_suite *suite)
{
    switch (suite->authentication) {
    case TLS_AUTH_RSA: return L"RSA";
    case TLS_AUTH_ECDSA: return L"ECDSA";
    default: return L"";
    }
}

/* The suite as Windows lists it; the key type is the group in use. */
status_t query_cipher_info(struct context *context, void *buffer)
{
    SecPkgContext_CipherInfo *out = buffer;
    struct algorithms used;
    status_t status = algorithms_get(context, &used);
    if (!status_ok(status)) return status;
    const struct exchange *exchange = &exchanges[used.suite->exchange];
    *out = (SecPkgContext_CipherInfo){
        .dwVersion = SECPKGCONTEXT_CIPHERINFO_V1,
        .dwProtocol = context->version,
        .dwCipherSuite = context->suite,
        .dwBaseCipherSuite = context->suite,
        .dwCipherLen = used.suite->key_bits,
        .dwCipherBlockLen = used.cipher->block,
        .dwHashLen = used.mac->bits,
        .dwMinExchangeLen = exchange->minimum,
        .dwMaxExchangeLen = exchange->maximum,
        .dwKeyType = context->connection.group,
    };
    for (size_t i = 0; used.suite->name[i] && i + 1 < SZ_ALG_MAX_SIZE; i++)
        out->szCipherSuite[i] = (wchar_t)used.suite->name[i];
    wcscpy(out->szCipher, used.cipher->name);
    wcscpy(out->szHash, used.mac->name);
    wcscpy(out->szExchange, exchange->name);
    wcscpy(out->szCertificate, certificate_kind(used.suite));
    return SEC_E_OK;
}

/* The signature that the server has proved itself with. */
static bool signed_with_ecdsa(const struct context *context, const struct tls_suite *suite)
{
    if (suite->authentication != TLS_AUTH_ANY) return suite->authentication == TLS_AUTH_ECDSA;
    if (context->connection.signature)
        return (context->connection.signature & 0xffu) == TlsSignatureAlgorithm_Ecdsa;
    struct slice certificate = server_certificate(context);
    return certificate.size && tls_certificate_is_ecdsa(certificate);
}

status_t query_key_info(struct context *context, void *buffer)
{
    SecPkgContext_KeyInfoW *out = buffer;
    struct algorithms used;
    status_t status = algorithms_get(context, &used);
    if (!status_ok(status)) return status;
    bool ecdsa = signed_with_ecdsa(context, used.suite);
    status = answer_give_pair(answer_string(ecdsa ? L"ECDSA" : L"RSA"),
                              answer_string(used.cipher->name), &out->sSignatureAlgorithmName,
                              &out->sEncryptAlgorithmName);
    if (!status_ok(status)) return status;
    out->KeySize = used.suite->key_bits;
    out->SignatureAlgorithm = ecdsa ? CALG_ECDSA : CALG_RSA_SIGN;
    out->EncryptAlgorithm = used.cipher->id;
    return SEC_E_OK;
}

status_t query_proto_info(struct context *context, void *buffer)
{
    SecPkgContext_ProtoInfoW *out = buffer;
    struct algorithms used;
    status_t status = algorithms_get(context, &used);
    if (!status_ok(status)) return status;
    wchar_t *name = answer_string(used.protocol->name);
    if (!name) return SEC_E_INSUFFICIENT_MEMORY;
    *out = (SecPkgContext_ProtoInfoW){name, used.protocol->major, used.protocol->minor};
    return SEC_E_OK;
}

/* ---- what was agreed on ---- */

status_t query_session_info(struct context *context, void *buffer)
{
    SecPkgContext_SessionInfo *out = buffer;
    const struct connection *connection = &context->connection;
    *out = (SecPkgContext_SessionInfo){
        .dwFlags = connection->resumed ? SSL_SESSION_RECONNECT : 0,
        .cbSessionId = connection->session_id_size,
    };
    memcpy(out->rgbSessionId, connection->session_id, connection->session_id_size);
    return SEC_E_OK;
}

status_t query_application_protocol(struct context *context, void *buffer)
{
    SecPkgContext_ApplicationProtocol *out = buffer;
    const struct connection *connection = &context->connection;
    *out = (SecPkgContext_ApplicationProtocol){
        .ProtoNegoStatus = SecApplicationProtocolNegotiationStatus_None,
        .ProtoNegoExt = SecApplicationProtocolNegotiationExt_None,
    };
    if (!connection->alpn_size) return SEC_E_OK;
    out->ProtoNegoStatus = SecApplicationProtocolNegotiationStatus_Success;
    out->ProtoNegoExt = SecApplicationProtocolNegotiationExt_ALPN;
    out->ProtocolIdSize = connection->alpn_size;
    memcpy(out->ProtocolId, connection->alpn, connection->alpn_size);
    return SEC_E_OK;
}

/* What the library is told to take; each number has its octets the other way round, as the
 * structure's page has it. A context that has moved has left its credential behind: of what it has
 * agreed on nothing will be signed any more, and what counts is what the system allows. */
status_t query_supported_signatures(struct context *context, void *buffer)
{
    const struct credential *credential = context->credential;
    SecPkgContext_SupportedSignatures *out = buffer;
    WORD list[PRIORITY_SIGNATURES];
    struct tls_policy policy;
    struct tls_wish wish = {.server = context->server, .modern = true};
    char system[PRIORITY_MAX];
    DWORD left;
    if (!credential) {
        status_t status = policy_get(&policy);
        if (status_ok(status)) status = policy_priorities(&policy, &wish, system, &left);
        if (!status_ok(status)) return status;
    }
    size_t count = priority_signatures(
        credential ? credential->priorities[context->datagram] : system, list);
    for (size_t i = 0; i < count; i++) list[i] = (WORD)(list[i] << 8 | list[i] >> 8);
    WORD *copy = answer_bytes((struct slice){(const uint8_t *)list, count * sizeof(*list)});
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    *out = (SecPkgContext_SupportedSignatures){(WORD)count, copy};
    return SEC_E_OK;
}

/* IANA's ExtensionType. The list need not be complete: what is known to have been agreed on. */
#define EXTENSION_STATUS_REQUEST 5u
#define EXTENSION_ALPN 16u
#define EXTENSION_EXTENDED_MASTER_SECRET 23u
#define EXTENSION_SUPPORTED_VERSIONS 43u
#define EXTENSION_KEY_SHARE 51u

status_t query_tls_extensions(struct context *context, void *buffer)
{
    SecPkgContext_NegotiatedTlsExtensions *out = buffer;
    unsigned short agreed[8];
    ULONG count = 0;
    if (context->connection.staple.size) agreed[count++] = EXTENSION_STATUS_REQUEST;
    if (context->connection.alpn_size) agreed[count++] = EXTENSION_ALPN;
    if (context->version == TLS_1_3) {
        agreed[count++] = EXTENSION_SUPPORTED_VERSIONS;
        if (context->connection.group) agreed[count++] = EXTENSION_KEY_SHARE;
    } else if (context->session.extended_master_secret) {
        agreed[count++] = EXTENSION_EXTENDED_MASTER_SECRET;
    }
    unsigned short *copy = NULL;
    if (count) {
        copy = answer_bytes((struct slice){(const uint8_t *)agreed, count * sizeof(*agreed)});
        if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    }
    *out = (SecPkgContext_NegotiatedTlsExtensions){count, copy};
    return SEC_E_OK;
}
