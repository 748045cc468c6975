/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client and a server of TLS in one process, see tls_pair.h. */
#include "tls_pair.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ROUNDS 4000 /* of handshakes that come byte by byte */

#define CLIENT_FLAGS                                                                              \
    (ISC_REQ_SEQUENCE_DETECT | ISC_REQ_REPLAY_DETECT | ISC_REQ_CONFIDENTIALITY | ISC_REQ_STREAM | \
     ISC_REQ_EXTENDED_ERROR)
#define DEFERRED_CRED_VALIDATION 0x200000000ull /* ISC_REQ_ of SECBUFFER_FLAGS */
#define NO_POST_HANDSHAKE_AUTH 0x400000000ull
#define SERVER_FLAGS                                                                              \
    (ASC_REQ_SEQUENCE_DETECT | ASC_REQ_REPLAY_DETECT | ASC_REQ_CONFIDENTIALITY | ASC_REQ_STREAM | \
     ASC_REQ_EXTENDED_ERROR)

/* ---- wires ---- */

void wire_put(struct tls_wire *wire, const void *bytes, DWORD size)
{
    if (size > sizeof(wire->bytes) - wire->size) size = sizeof(wire->bytes) - wire->size;
    memcpy(wire->bytes + wire->size, bytes, size);
    wire->size += size;
}

void wire_take(struct tls_wire *wire, DWORD size)
{
    if (size > wire->size) size = wire->size;
    wire->size -= size;
    wire->arrived -= size < wire->arrived ? size : wire->arrived;
    memmove(wire->bytes, wire->bytes + size, wire->size);
}

static bool wire_arrive(struct tls_wire *wire, DWORD chunk)
{
    DWORD left = wire->size - wire->arrived;
    DWORD more = chunk && chunk < left ? chunk : left;
    wire->arrived += more;
    return more != 0;
}

/* ---- credentials ---- */

void tls_handle_forget(SecHandle *handle)
{
    handle->dwLower = handle->dwUpper = (ULONG_PTR)-1;
}

bool tls_handle_present(const SecHandle *handle)
{
    return handle->dwLower != (ULONG_PTR)-1 || handle->dwUpper != (ULONG_PTR)-1;
}

#define ALL_VERSIONS \
    (SP_PROT_TLS1_0 | SP_PROT_TLS1_1 | SP_PROT_TLS1_2 | SP_PROT_TLS1_3 | SP_PROT_SSL3)

static DWORD version_bits(enum tls_pair_version version, bool server, bool datagram)
{
    static const DWORD bits[] = {0, SP_PROT_TLS1_0, SP_PROT_TLS1_1, SP_PROT_TLS1_2, SP_PROT_TLS1_3};
    const DWORD clients = SP_PROT_TLS1_X_CLIENT, servers = SP_PROT_TLS1_X_SERVER;
    if (datagram) return server ? SP_PROT_DTLS1_2_SERVER : SP_PROT_DTLS1_2_CLIENT;
    return bits[version] & (server ? servers : clients);
}

static void string_set(UNICODE_STRING *out, wchar_t *text)
{
    out->Buffer = text;
    out->Length = out->MaximumLength = (USHORT)(lstrlenW(text) * sizeof(*text));
}

/* What TLS_PARAMETERS disables so that nothing but CBC is left. */
static void aead_settings(CRYPTO_SETTINGS out[2])
{
    static wchar_t aes[] = L"AES", gcm[] = L"ChainingModeGCM", chacha[] = L"CHACHA20_POLY1305";
    static UNICODE_STRING mode;
    string_set(&mode, gcm);
    memset(out, 0, 2 * sizeof(*out));
    out[0].eAlgorithmUsage = out[1].eAlgorithmUsage = TlsParametersCngAlgUsageCipher;
    string_set(&out[0].strCngAlgId, aes);
    out[0].cChainingModes = 1;
    out[0].rgstrChainingModes = &mode;
    string_set(&out[1].strCngAlgId, chacha);
}

static SECURITY_STATUS acquire(const struct tls_pair_options *options, bool server,
                               const CERT_CONTEXT *certificate, CredHandle *out)
{
    enum tls_pair_version version = server ? options->server_version : options->client_version;
    DWORD enabled = version_bits(version, server, options->datagram);
    DWORD flags = server ? options->server_cred_flags : options->client_cred_flags;
    HCERTSTORE roots = server ? options->server_roots : options->client_roots;
    if (!server && !options->users_cert) flags |= SCH_CRED_NO_DEFAULT_CREDS;
    if (!server && !options->automatic) flags |= SCH_CRED_MANUAL_CRED_VALIDATION;
    TLS_PARAMETERS parameters = {.grbitDisabledProtocols = version ? ALL_VERSIONS & ~enabled : 0};
    CRYPTO_SETTINGS disabled[2];
    if (options->without_aead) {
        aead_settings(disabled);
        parameters.cDisabledCrypto = ARRAYSIZE(disabled);
        parameters.pDisabledCrypto = disabled;
    }
    SCH_CREDENTIALS modern = {.dwVersion = SCH_CREDENTIALS_VERSION,
                              .cCreds = certificate ? 1 : 0,
                              .paCred = certificate ? &certificate : NULL,
                              .hRootStore = roots,
                              .dwFlags = flags,
                              .cTlsParameters = version ? 1 : 0,
                              .pTlsParameters = version ? &parameters : NULL};
    SCHANNEL_CRED plain = {.dwVersion = SCHANNEL_CRED_VERSION,
                           .cCreds = certificate ? 1 : 0,
                           .paCred = certificate ? &certificate : NULL,
                           .hRootStore = roots,
                           .grbitEnabledProtocols = enabled,
                           .dwSessionLifespan = options->lifespan,
                           .dwFlags = flags};
    bool is_plain = options->plain_credentials || options->datagram;
    TimeStamp expiry;
    return AcquireCredentialsHandleW(
        NULL, (wchar_t *)(options->package ? options->package : UNISP_NAME_W),
        server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL,
        is_plain ? (void *)&plain : (void *)&modern, NULL, NULL, out, &expiry);
}

SECURITY_STATUS tls_pair_credential(const struct tls_pair_options *options, bool server,
                                    CredHandle *out)
{
    enum tls_cert which = server ? options->server_cert : options->client_cert;
    const CERT_CONTEXT *certificate = NULL;
    if (server && !which) which = TLS_CERT_SERVER_RSA;
    if (which) certificate = tls_cert_with_key(which);
    if (which && !certificate) return SEC_E_NOT_SUPPORTED;
    bool ready = !server || !options->staple || tls_staple_put(certificate);
    SECURITY_STATUS status = ready ? acquire(options, server, certificate, out)
                                   : SEC_E_INTERNAL_ERROR;
    if (certificate) CertFreeCertificateContext(certificate);
    return status;
}

SECURITY_STATUS tls_pair_open(struct tls_pair *pair, const struct tls_pair_options *options)
{
    memset(pair, 0, sizeof(*pair));
    pair->options = *options;
    tls_handle_forget(&pair->client);
    tls_handle_forget(&pair->server);
    SECURITY_STATUS status = tls_pair_credential(options, false, &pair->client_cred);
    if (status) return status;
    status = tls_pair_credential(options, true, &pair->server_cred);
    if (status) FreeCredentialsHandle(&pair->client_cred);
    return status;
}

/* ---- legs ---- */

/* SEC_APPLICATION_PROTOCOLS for a list of names. */
static DWORD protocols_make(const char *names, BYTE room[512])
{
    SEC_APPLICATION_PROTOCOLS *protocols = (SEC_APPLICATION_PROTOCOLS *)room;
    SEC_APPLICATION_PROTOCOL_LIST *list = &protocols->ProtocolLists[0];
    size_t size = strlen(names);
    list->ProtoNegoExt = SecApplicationProtocolNegotiationExt_ALPN;
    list->ProtocolListSize = (unsigned short)size;
    memcpy(list->ProtocolList, names, size);
    protocols->ProtocolListsSize = (ULONG)(offsetof(SEC_APPLICATION_PROTOCOL_LIST, ProtocolList) +
                                           size);
    return (DWORD)(offsetof(SEC_APPLICATION_PROTOCOLS, ProtocolLists) +
                   protocols->ProtocolListsSize);
}

struct buffers {
    SecBuffer in[3], out[3];
    SecBufferDesc in_desc, out_desc;
    struct {
        SEC_TRAFFIC_SECRETS given;
        BYTE more[TLS_PAIR_SECRET];
    } secrets[2];
    BYTE protocols[512], memory[TLS_PAIR_WIRE];
};

static void buffers_fill(struct buffers *buffers, const struct tls_pair *pair,
                         struct tls_wire *wire, bool server, bool first)
{
    const char *alpn = server ? pair->options.server_alpn : pair->options.client_alpn;
    bool own = pair->options.caller_memory;
    buffers->in[0] = (SecBuffer){wire->arrived, SECBUFFER_TOKEN, wire->bytes};
    buffers->in[1] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
    buffers->in_desc = (SecBufferDesc){SECBUFFER_VERSION, 2, buffers->in};
    if (first && alpn) {
        DWORD size = protocols_make(alpn, buffers->protocols);
        buffers->in[2] = (SecBuffer){size, SECBUFFER_APPLICATION_PROTOCOLS, buffers->protocols};
        buffers->in_desc.cBuffers = 3;
    }
    buffers->out[0] = own ? (SecBuffer){sizeof(buffers->memory), SECBUFFER_TOKEN, buffers->memory}
                          : (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    buffers->out_desc = (SecBufferDesc){SECBUFFER_VERSION, 1, buffers->out};
    memset(buffers->secrets, 0, sizeof(buffers->secrets));
    for (unsigned i = 0; i < 2 && pair->options.want_secrets; i++) {
        buffers->out[i + 1] = (SecBuffer){sizeof(buffers->secrets[i]), SECBUFFER_TRAFFIC_SECRETS,
                                          &buffers->secrets[i]};
        buffers->out_desc.cBuffers++;
    }
}

/* ALLOCATE_MEMORY is for these buffers too. */
static void secrets_take(struct buffers *buffers, struct tls_secrets *out)
{
    for (unsigned i = 1; i < buffers->out_desc.cBuffers; i++) {
        const SEC_TRAFFIC_SECRETS *given = buffers->out[i].pvBuffer;
        DWORD size = given && buffers->out[i].cbBuffer ? given->TrafficSecretSize : 0;
        if (size && size <= TLS_PAIR_SECRET) {
            bool client = given->TrafficSecretType == SecTrafficSecret_Client;
            memcpy(client ? out->client : out->server, given->TrafficSecret, size);
            out->size = size;
        }
        if (given && given != &buffers->secrets[i - 1].given) FreeContextBuffer((void *)given);
    }
}

/* What the call did to the wires. A failed leg may have an alert for the peer. */
static void buffers_use(struct buffers *buffers, struct tls_pair *pair, struct tls_wire *from,
                        struct tls_wire *to, SECURITY_STATUS status)
{
    pair->missing = 0;
    pair->token_size = 0;
    if (status == SEC_E_INCOMPLETE_MESSAGE) {
        if (buffers->in[1].BufferType == SECBUFFER_MISSING) pair->missing = buffers->in[1].cbBuffer;
        return;
    }
    if (buffers->out[0].pvBuffer && buffers->out[0].cbBuffer &&
        buffers->out[0].cbBuffer <= sizeof(to->bytes)) {
        pair->token_size = buffers->out[0].cbBuffer;
        wire_put(to, buffers->out[0].pvBuffer, buffers->out[0].cbBuffer);
    }
    if (!pair->options.caller_memory && buffers->out[0].pvBuffer)
        FreeContextBuffer(buffers->out[0].pvBuffer);
    if (status < 0 || status == SEC_I_INCOMPLETE_CREDENTIALS) return;
    DWORD extra = buffers->in[1].BufferType == SECBUFFER_EXTRA ? buffers->in[1].cbBuffer : 0;
    if (extra <= from->arrived) wire_take(from, from->arrived - extra);
}

SECURITY_STATUS tls_pair_client_leg(struct tls_pair *pair)
{
    struct buffers buffers;
    bool first = !tls_handle_present(&pair->client);
    const wchar_t *target = pair->options.target ? pair->options.target : L"localhost";
    ULONG flags = CLIENT_FLAGS | pair->options.client_flags;
    bool alpn = first && pair->options.client_alpn;
    bool longer = pair->options.not_late || pair->options.deferred;
    uint64_t all = CLIENT_FLAGS;
    if (pair->options.not_late) all |= NO_POST_HANDSHAKE_AUTH;
    if (pair->options.deferred) all |= DEFERRED_CRED_VALIDATION;
    if (pair->options.no_target) target = NULL;
    if (!pair->options.caller_memory) flags |= ISC_REQ_ALLOCATE_MEMORY;
    if (pair->options.datagram) flags |= ISC_REQ_DATAGRAM;
    buffers_fill(&buffers, pair, &pair->to_client, false, first);
    if (first) { /* nothing but the protocols and the flags that are longer than the others */
        buffers.in[1] = (SecBuffer){sizeof(all), SECBUFFER_FLAGS, &all};
        buffers.in_desc.pBuffers = &buffers.in[longer ? 1 : 2];
        buffers.in_desc.cBuffers = (longer ? 1 : 0) + (alpn ? 1 : 0);
    }
    SECURITY_STATUS status = InitializeSecurityContextW(
        &pair->client_cred, first ? NULL : &pair->client, (wchar_t *)target, flags, 0, 0,
        buffers.in_desc.cBuffers ? &buffers.in_desc : NULL, 0, &pair->client, &buffers.out_desc,
        &pair->client_attrs, &pair->client_expiry);
    pair->client_status = status;
    pair->client_legs++;
    buffers_use(&buffers, pair, &pair->to_client, &pair->to_server, status);
    if (status == SEC_E_OK) secrets_take(&buffers, &pair->client_secrets);
    return status;
}

SECURITY_STATUS tls_pair_server_leg(struct tls_pair *pair)
{
    struct buffers buffers;
    bool first = !tls_handle_present(&pair->server);
    ULONG flags = SERVER_FLAGS | pair->options.server_flags;
    if (!pair->options.caller_memory) flags |= ASC_REQ_ALLOCATE_MEMORY;
    if (pair->options.datagram) flags |= ASC_REQ_DATAGRAM;
    buffers_fill(&buffers, pair, &pair->to_server, true, first);
    SECURITY_STATUS status = AcceptSecurityContext(
        &pair->server_cred, first ? NULL : &pair->server, &buffers.in_desc, flags, 0, &pair->server,
        &buffers.out_desc, &pair->server_attrs, &pair->server_expiry);
    pair->server_status = status;
    pair->server_legs++;
    buffers_use(&buffers, pair, &pair->to_server, &pair->to_client, status);
    if (status == SEC_E_OK) secrets_take(&buffers, &pair->server_secrets);
    return status;
}

static bool wants_more(SECURITY_STATUS status)
{
    return status == SEC_I_CONTINUE_NEEDED || status == SEC_E_INCOMPLETE_MESSAGE ||
           status == SEC_I_MESSAGE_FRAGMENT;
}

/* The client's turn: as many legs as there is something for. */
static SECURITY_STATUS client_turn(struct tls_pair *pair)
{
    SECURITY_STATUS status = pair->client_status;
    while (wants_more(status) && wire_arrive(&pair->to_client, pair->options.chunk)) {
        status = tls_pair_client_leg(pair);
        if (status != SEC_I_INCOMPLETE_CREDENTIALS) continue;
        pair->options.client_flags |= ISC_REQ_USE_SUPPLIED_CREDS;
        status = tls_pair_client_leg(pair);
    }
    return status;
}

static SECURITY_STATUS server_turn(struct tls_pair *pair)
{
    SECURITY_STATUS status = pair->server_status;
    while (wants_more(status) && wire_arrive(&pair->to_server, pair->options.chunk))
        status = tls_pair_server_leg(pair);
    return status;
}

SECURITY_STATUS tls_pair_connect(struct tls_pair *pair)
{
    SECURITY_STATUS client = tls_pair_client_leg(pair), server = SEC_I_CONTINUE_NEEDED;
    pair->server_status = server;
    if (client < 0) return client;
    for (unsigned round = 0; round < MAX_ROUNDS && (client || server); round++) {
        DWORD before = pair->to_server.size + pair->to_client.size;
        server = server_turn(pair);
        if (server < 0 && server != SEC_E_INCOMPLETE_MESSAGE) return server;
        client = client_turn(pair);
        if (client < 0 && client != SEC_E_INCOMPLETE_MESSAGE) return client;
        if (!before && !pair->to_server.size) break; /* nobody says anything any more */
    }
    return client ? client : server;
}

void tls_pair_delete(struct tls_pair *pair)
{
    if (tls_handle_present(&pair->client)) DeleteSecurityContext(&pair->client);
    if (tls_handle_present(&pair->server)) DeleteSecurityContext(&pair->server);
    tls_handle_forget(&pair->client);
    tls_handle_forget(&pair->server);
    pair->to_client.size = pair->to_client.arrived = 0;
    pair->to_server.size = pair->to_server.arrived = 0;
    pair->client_legs = pair->server_legs = 0;
}

void tls_pair_close(struct tls_pair *pair)
{
    tls_pair_delete(pair);
    FreeCredentialsHandle(&pair->client_cred);
    FreeCredentialsHandle(&pair->server_cred);
}

SECURITY_STATUS tls_pair_make(struct tls_pair *pair, const struct tls_pair_options *options)
{
    SECURITY_STATUS status = tls_pair_open(pair, options);
    if (status) return status;
    status = tls_pair_connect(pair);
    if (status) tls_pair_close(pair);
    return status;
}

/* ---- messages ---- */

SECURITY_STATUS tls_pair_send(struct tls_pair *pair, bool from_server, const void *data, DWORD size)
{
    CtxtHandle *context = from_server ? &pair->server : &pair->client;
    struct tls_wire *wire = from_server ? &pair->to_client : &pair->to_server;
    SecPkgContext_StreamSizes sizes;
    SECURITY_STATUS status = QueryContextAttributesW(context, SECPKG_ATTR_STREAM_SIZES, &sizes);
    if (status) return status;
    BYTE *room = malloc(sizes.cbHeader + size + sizes.cbTrailer);
    if (!room) return SEC_E_INSUFFICIENT_MEMORY;
    SecBuffer buffers[4] = {
        {sizes.cbHeader, SECBUFFER_STREAM_HEADER, room},
        {size, SECBUFFER_DATA, room + sizes.cbHeader},
        {sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, room + sizes.cbHeader + size},
        {0, SECBUFFER_EMPTY, NULL},
    };
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
    memcpy(buffers[1].pvBuffer, data, size);
    status = EncryptMessage(context, 0, &desc, 0);
    for (unsigned i = 0; i < 3 && !status; i++)
        wire_put(wire, buffers[i].pvBuffer, buffers[i].cbBuffer);
    free(room);
    return status;
}

static SECURITY_STATUS decrypt(CtxtHandle *context, struct tls_wire *wire, BYTE *data,
                               DWORD capacity, DWORD *size)
{
    SecBuffer buffers[4] = {{wire->size, SECBUFFER_DATA, wire->bytes}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
    DWORD extra = 0;
    SECURITY_STATUS status = DecryptMessage(context, &desc, 0, NULL);
    *size = 0;
    if (status < 0) return status;
    for (unsigned i = 0; i < 4; i++) {
        if (buffers[i].BufferType == SECBUFFER_EXTRA) extra = buffers[i].cbBuffer;
        if (buffers[i].BufferType != SECBUFFER_DATA || buffers[i].cbBuffer > capacity) continue;
        *size = buffers[i].cbBuffer;
        memcpy(data, buffers[i].pvBuffer, *size);
    }
    wire_take(wire, wire->size - extra);
    return status;
}

SECURITY_STATUS tls_pair_receive(struct tls_pair *pair, bool to_server, BYTE *data, DWORD capacity,
                                 DWORD *size)
{
    CtxtHandle *context = to_server ? &pair->server : &pair->client;
    struct tls_wire *wire = to_server ? &pair->to_server : &pair->to_client;
    SECURITY_STATUS status = decrypt(context, wire, data, capacity, size);
    for (unsigned i = 0; i < 8 && status == SEC_I_RENEGOTIATE && !*size; i++) {
        wire->arrived = wire->size;
        status = to_server ? tls_pair_server_leg(pair) : tls_pair_client_leg(pair);
        if (status) return status;
        status = decrypt(context, wire, data, capacity, size);
    }
    return status;
}

static bool talk_one_way(struct tls_pair *pair, bool from_server)
{
    static const char text[] = "what one side says the other one hears";
    BYTE heard[256];
    DWORD size = 0;
    if (tls_pair_send(pair, from_server, text, sizeof(text))) return false;
    if (tls_pair_receive(pair, !from_server, heard, sizeof(heard), &size)) return false;
    return size == sizeof(text) && !memcmp(heard, text, size);
}

SECURITY_STATUS tls_pair_sees(struct tls_pair *pair, bool server, enum tls_cert which)
{
    const CERT_CONTEXT *seen = NULL;
    SECURITY_STATUS status = QueryContextAttributesW(
        server ? &pair->server : &pair->client,
        server ? SECPKG_ATTR_REMOTE_CERT_CONTEXT : SECPKG_ATTR_LOCAL_CERT_CONTEXT, (void *)&seen);
    if (!status && !tls_cert_is(seen, which)) status = SEC_E_CERT_UNKNOWN;
    if (seen) CertFreeCertificateContext(seen);
    return status;
}

bool tls_pair_talk(struct tls_pair *pair)
{
    return talk_one_way(pair, true) && talk_one_way(pair, false);
}

DWORD tls_signatures(CtxtHandle *context)
{
    SecPkgContext_SupportedSignatures list = {0, NULL};
    DWORD bits = 0;
    if (QueryContextAttributesW(context, SECPKG_ATTR_SUPPORTED_SIGNATURES, &list)) return 0;
    for (WORD i = 0; i < list.cSignatureAndHashAlgorithms; i++) {
        const WORD one = list.pSignatureAndHashAlgorithms[i];
        bits |= 1u << ((one & 7) + (one >> 8 == TlsSignatureAlgorithm_Ecdsa ? 8 : 0));
    }
    FreeContextBuffer(list.pSignatureAndHashAlgorithms);
    return bits;
}

SECURITY_STATUS tls_control(CtxtHandle *context, const DWORD *token, DWORD count)
{
    SecBuffer buffer = {count * sizeof(*token), SECBUFFER_TOKEN, (void *)token};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &buffer};
    return ApplyControlToken(context, &desc);
}
