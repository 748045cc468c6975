/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Both ends of a TLS connection in one process; see tls_loop.h. */
#include "tls_loop.h"

#define SCHANNEL_USE_BLACKLISTS
#include <ntsecapi.h>
#include <schannel.h>

#include <stdio.h>

static const wchar_t package_name[] = L"Microsoft Unified Security Protocol Provider";
static const wchar_t server_name[] = L"localhost";

void tls_forget(CtxtHandle *context)
{
    SecInvalidateHandle(context);
}

bool tls_present(const CtxtHandle *context)
{
    return SecIsValidHandle(context);
}

void tls_loop_init(struct tls_loop *loop, int version)
{
    memset(loop, 0, sizeof(*loop));
    loop->version = version;
    loop->server_cert = TLS_CERT_SERVER_RSA;
    loop->client_cert = TLS_CERTS;
    loop->client_flags = ISC_REQ_CONFIDENTIALITY | ISC_REQ_STREAM | ISC_REQ_ALLOCATE_MEMORY |
                         ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT |
                         ISC_REQ_MANUAL_CRED_VALIDATION;
    loop->server_flags = ASC_REQ_CONFIDENTIALITY | ASC_REQ_STREAM | ASC_REQ_ALLOCATE_MEMORY |
                         ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT;
    SecInvalidateHandle(&loop->client_cred);
    SecInvalidateHandle(&loop->server_cred);
    tls_forget(&loop->client);
    tls_forget(&loop->server);
}

/* ---- credentials ---- */

static void set_string(UNICODE_STRING *out, wchar_t *text)
{
    out->Buffer = text;
    out->Length = (USHORT)(lstrlenW(text) * sizeof(wchar_t));
    out->MaximumLength = out->Length;
}

static SECURITY_STATUS acquire(const struct tls_loop *loop, bool server, CredHandle *out)
{
    static wchar_t aes[] = L"AES", gcm[] = L"ChainingModeGCM";
    UNICODE_STRING mode;
    CRYPTO_SETTINGS crypto = {.eAlgorithmUsage = TlsParametersCngAlgUsageCipher,
                              .cChainingModes = 1,
                              .rgstrChainingModes = &mode};
    set_string(&mode, gcm);
    set_string(&crypto.strCngAlgId, aes);
    DWORD wanted = loop->version == 13 ? SP_PROT_TLS1_3 : SP_PROT_TLS1_2;
    TLS_PARAMETERS parameters = {.grbitDisabledProtocols = (DWORD)~wanted,
                                 .cDisabledCrypto = loop->cbc,
                                 .pDisabledCrypto = loop->cbc ? &crypto : NULL};
    SCH_CREDENTIALS credentials = {
        .dwVersion = SCH_CREDENTIALS_VERSION,
        .dwFlags = server ? SCH_CRED_NO_SYSTEM_MAPPER
                          : SCH_CRED_MANUAL_CRED_VALIDATION | SCH_CRED_NO_DEFAULT_CREDS,
        .cTlsParameters = 1,
        .pTlsParameters = &parameters,
    };
    enum tls_cert which = server ? loop->server_cert : loop->client_cert;
    const CERT_CONTEXT *certificate = which < TLS_CERTS ? tls_cert_with_key(which) : NULL;
    if (which < TLS_CERTS && !certificate) return SEC_E_NO_CREDENTIALS;
    credentials.cCreds = certificate ? 1 : 0;
    credentials.paCred = certificate ? &certificate : NULL;
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)package_name, server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL,
        &credentials, NULL, NULL, out, NULL);
    if (certificate) CertFreeCertificateContext(certificate);
    return status;
}

SECURITY_STATUS tls_loop_open(struct tls_loop *loop)
{
    SECURITY_STATUS status = acquire(loop, false, &loop->client_cred);
    if (status) return status;
    status = acquire(loop, true, &loop->server_cred);
    if (status) {
        FreeCredentialsHandle(&loop->client_cred);
        SecInvalidateHandle(&loop->client_cred);
    }
    return status;
}

void tls_loop_close(struct tls_loop *loop)
{
    if (tls_present(&loop->client)) DeleteSecurityContext(&loop->client);
    if (tls_present(&loop->server)) DeleteSecurityContext(&loop->server);
    if (SecIsValidHandle(&loop->client_cred)) FreeCredentialsHandle(&loop->client_cred);
    if (SecIsValidHandle(&loop->server_cred)) FreeCredentialsHandle(&loop->server_cred);
    tls_loop_init(loop, loop->version);
}

/* ---- legs ---- */

/* SEC_APPLICATION_PROTOCOLS with one name. */
static ULONG alpn_write(const char *name, BYTE *out)
{
    BYTE length = (BYTE)strlen(name);
    const DWORD size = 4 + 2 + 1 + length, extension = SecApplicationProtocolNegotiationExt_ALPN;
    const WORD list = (WORD)(1 + length);
    memcpy(out, &size, 4);
    memcpy(out + 4, &extension, 4);
    memcpy(out + 8, &list, 2);
    out[10] = length;
    memcpy(out + 11, name, length);
    return 11u + length;
}

/* Takes what was read off a wire, but for EXTRA. */
static void wire_consume(struct tls_wire *wire, const SecBuffer *spare)
{
    ULONG left = spare->BufferType == SECBUFFER_EXTRA ? spare->cbBuffer : 0;
    memmove(wire->bytes, wire->bytes + wire->size - left, left);
    wire->size = left;
}

static void wire_append(struct tls_wire *wire, const void *bytes, ULONG size)
{
    if (size > sizeof(wire->bytes) - wire->size) abort();
    memcpy(wire->bytes + wire->size, bytes, size);
    wire->size += size;
}

struct leg_buffers {
    SecBuffer in[3], out[3];
    SecBufferDesc input, output;
    BYTE alpn[300];
    struct {
        SEC_TRAFFIC_SECRETS secrets;
        BYTE more[64];
    } traffic[2];
};

static void leg_open(struct leg_buffers *leg, const struct tls_loop *loop,
                     const struct tls_wire *from, bool first)
{
    memset(leg, 0, sizeof(*leg));
    leg->in[0] = (SecBuffer){from->size, SECBUFFER_TOKEN, (void *)from->bytes};
    leg->in[1] = (SecBuffer){0, SECBUFFER_EMPTY, NULL};
    leg->input = (SecBufferDesc){SECBUFFER_VERSION, 2, leg->in};
    if (loop->alpn && first) {
        leg->in[2] = (SecBuffer){alpn_write(loop->alpn, leg->alpn), SECBUFFER_APPLICATION_PROTOCOLS,
                                 leg->alpn};
        leg->input.cBuffers = 3;
    }
    leg->out[0] = (SecBuffer){0, SECBUFFER_TOKEN, NULL};
    leg->output = (SecBufferDesc){SECBUFFER_VERSION, 1, leg->out};
}

/* A client is told the secrets of TLS 1.3 in the leg that ends its handshake. */
static void ask_for_secrets(struct leg_buffers *leg, const struct tls_loop *loop)
{
    if (loop->version != 13) return;
    for (int i = 0; i < 2; i++)
        leg->out[i + 1] = (SecBuffer){sizeof(leg->traffic[i]), SECBUFFER_TRAFFIC_SECRETS,
                                      &leg->traffic[i]};
    leg->output.cBuffers = 3;
}

static void take_secrets(const struct leg_buffers *leg, struct tls_loop *loop)
{
    for (int i = 0; i < 2 && leg->output.cBuffers == 3; i++) {
        const SEC_TRAFFIC_SECRETS *given = leg->out[i + 1].pvBuffer;
        if (!leg->out[i + 1].cbBuffer || !given) continue;
        if (!given->TrafficSecretSize || given->TrafficSecretSize > TLS_LOOP_SECRET) continue;
        bool client = given->TrafficSecretType == SecTrafficSecret_Client;
        memcpy(client ? loop->client_secret : loop->server_secret, given->TrafficSecret,
               given->TrafficSecretSize);
        loop->secret_size = given->TrafficSecretSize;
    }
}

static void leg_close(struct leg_buffers *leg, SECURITY_STATUS status, struct tls_wire *from,
                      struct tls_wire *to)
{
    if (status >= 0) wire_consume(from, &leg->in[1]);
    if (leg->out[0].cbBuffer && leg->out[0].pvBuffer)
        wire_append(to, leg->out[0].pvBuffer, leg->out[0].cbBuffer);
    if (leg->out[0].pvBuffer) FreeContextBuffer(leg->out[0].pvBuffer);
}

SECURITY_STATUS tls_client_leg(struct tls_loop *loop)
{
    struct leg_buffers leg;
    bool first = !tls_present(&loop->client);
    leg_open(&leg, loop, &loop->to_client, first);
    if (!first && loop->client_status == SEC_I_CONTINUE_NEEDED) ask_for_secrets(&leg, loop);
    if (first) {
        leg.in[0] = leg.in[2]; /* nothing but ALPN, if that */
        leg.input.cBuffers = loop->alpn ? 1 : 0;
    }
    loop->client_status = InitializeSecurityContextW(
        &loop->client_cred, first ? NULL : &loop->client, (wchar_t *)server_name,
        loop->client_flags, 0, 0, leg.input.cBuffers ? &leg.input : NULL, 0, &loop->client,
        &leg.output, &loop->client_attrs, NULL);
    if (loop->client_status < 0 && first) tls_forget(&loop->client);
    if (loop->client_status == SEC_E_OK) take_secrets(&leg, loop);
    leg_close(&leg, loop->client_status, &loop->to_client, &loop->to_server);
    return loop->client_status;
}

SECURITY_STATUS tls_server_leg(struct tls_loop *loop)
{
    struct leg_buffers leg;
    bool first = !tls_present(&loop->server);
    leg_open(&leg, loop, &loop->to_server, first);
    loop->server_status = AcceptSecurityContext(&loop->server_cred, first ? NULL : &loop->server,
                                                &leg.input, loop->server_flags, 0, &loop->server,
                                                &leg.output, &loop->server_attrs, NULL);
    if (loop->server_status < 0 && first) tls_forget(&loop->server);
    leg_close(&leg, loop->server_status, &loop->to_server, &loop->to_client);
    return loop->server_status;
}

SECURITY_STATUS tls_loop_connect(struct tls_loop *loop)
{
    bool client_done = false, server_done = false;
    for (int leg = 0; leg < 12 && !(client_done && server_done); leg++) {
        if (!client_done) {
            SECURITY_STATUS status = tls_client_leg(loop);
            if (status != SEC_E_OK && status != SEC_I_CONTINUE_NEEDED) return status;
            client_done = status == SEC_E_OK;
        }
        if (!server_done) {
            SECURITY_STATUS status = tls_server_leg(loop);
            if (status != SEC_E_OK && status != SEC_I_CONTINUE_NEEDED) return status;
            server_done = status == SEC_E_OK;
        }
    }
    return client_done && server_done ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}

SECURITY_STATUS tls_loop_make(struct tls_loop *loop, int version)
{
    tls_loop_init(loop, version);
    SECURITY_STATUS status = tls_loop_open(loop);
    if (status) return status;
    status = tls_loop_connect(loop);
    if (!status) status = tls_loop_settle(loop);
    if (status) tls_loop_close(loop);
    return status;
}

SECURITY_STATUS tls_loop_settle(struct tls_loop *loop)
{
    for (int i = 0; i < 8 && loop->to_client.size; i++) {
        SECURITY_STATUS status = tls_client_leg(loop);
        if (status) return status;
    }
    return loop->to_client.size ? SEC_E_INTERNAL_ERROR : SEC_E_OK;
}

/* ---- messages ---- */

SECURITY_STATUS tls_put(CtxtHandle *context, ULONG qop, const void *bytes, ULONG size,
                        struct tls_wire *wire)
{
    SecPkgContext_StreamSizes sizes;
    SECURITY_STATUS status = QueryContextAttributesW(context, SECPKG_ATTR_STREAM_SIZES, &sizes);
    if (status) return status;
    BYTE *at = wire->bytes + wire->size;
    if (sizes.cbHeader + size + sizes.cbTrailer > sizeof(wire->bytes) - wire->size) abort();
    if (size) memcpy(at + sizes.cbHeader, bytes, size);
    SecBuffer parts[4] = {{sizes.cbHeader, SECBUFFER_STREAM_HEADER, at},
                          {size, SECBUFFER_DATA, at + sizes.cbHeader},
                          {sizes.cbTrailer, SECBUFFER_STREAM_TRAILER, at + sizes.cbHeader + size},
                          {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc message = {SECBUFFER_VERSION, 4, parts};
    status = EncryptMessage(context, qop, &message, 0);
    if (!status) wire->size += parts[0].cbBuffer + parts[1].cbBuffer + parts[2].cbBuffer;
    return status;
}

SECURITY_STATUS tls_get(CtxtHandle *context, struct tls_wire *wire, void *out, ULONG room,
                        ULONG *size)
{
    SecBuffer parts[4] = {{wire->size, SECBUFFER_DATA, wire->bytes}};
    SecBufferDesc message = {SECBUFFER_VERSION, 4, parts};
    SECURITY_STATUS status = DecryptMessage(context, &message, 0, NULL);
    *size = 0;
    if (status < 0) return status;
    for (int i = 1; i < 4; i++)
        if (parts[i].BufferType == SECBUFFER_DATA && parts[i].cbBuffer <= room) {
            memcpy(out, parts[i].pvBuffer, parts[i].cbBuffer);
            *size = parts[i].cbBuffer;
        }
    wire_consume(wire, &parts[3]);
    return status;
}

static bool says(CtxtHandle *from, CtxtHandle *to, const char *text)
{
    static struct tls_wire wire;
    char got[128];
    ULONG size, length = (ULONG)strlen(text);
    wire.size = 0;
    if (tls_put(from, 0, text, length, &wire)) return false;
    return !tls_get(to, &wire, got, sizeof(got), &size) && size == length &&
           !memcmp(got, text, size) && !wire.size;
}

bool tls_talks(CtxtHandle *one, CtxtHandle *other)
{
    return says(one, other, "Hello, other end!") && says(other, one, "Hello yourself.");
}

/* ---- moves ---- */

SECURITY_STATUS tls_export(CtxtHandle *context, ULONG flags, struct tls_wire *blob)
{
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    blob->size = 0;
    SECURITY_STATUS status = ExportSecurityContext(context, flags, &packed, NULL);
    if (!status && packed.cbBuffer <= sizeof(blob->bytes)) {
        memcpy(blob->bytes, packed.pvBuffer, packed.cbBuffer);
        blob->size = packed.cbBuffer;
    }
    if (!status) FreeContextBuffer(packed.pvBuffer);
    return status;
}

SECURITY_STATUS tls_import(const struct tls_wire *blob, CtxtHandle *context)
{
    SecBuffer packed = {blob->size, SECBUFFER_TOKEN, (void *)blob->bytes};
    return ImportSecurityContextW((wchar_t *)package_name, &packed, NULL, context);
}
