/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See channel.h. Schannel's server as its documentation has it (AcceptSecurityContext (Schannel),
 * EncryptMessage (Schannel), DecryptMessage (Schannel)): bytes that a call does not use are given
 * back as SECBUFFER_EXTRA, and messages that TLS 1.3 has after the handshake go through
 * AcceptSecurityContext.
 */
#include "channel.h"

#include "../handover/narrate.h"
#include "../sspictl/names.h"
#include "../sspictl/transfer.h"

#include "core/secret.h"

#define CHANNEL_PACKAGE UNISP_NAME_W
#define REQUIREMENTS                                                                              \
    (ASC_REQ_ALLOCATE_MEMORY | ASC_REQ_STREAM | ASC_REQ_CONFIDENTIALITY | ASC_REQ_REPLAY_DETECT | \
     ASC_REQ_SEQUENCE_DETECT | ASC_REQ_EXTENDED_ERROR)
#define RECORD_PLAIN_MAX 16384u

bool channel_credentials(CredHandle *credentials)
{
    static wchar_t package[] = CHANNEL_PACKAGE;
    bool result = false;
    const CERT_CONTEXT *certificate = NULL;
    HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_CURRENT_USER,
                                     L"MY");
    if (store)
        certificate = CertFindCertificateInStore(store, X509_ASN_ENCODING, 0,
                                                 CERT_FIND_SUBJECT_STR_W, L"localhost", NULL);
    if (!certificate) {
        narrate_failure("there is no certificate for localhost: error %lu", GetLastError());
        goto done;
    }
    SCH_CREDENTIALS wish = {
        .dwVersion = SCH_CREDENTIALS_VERSION, .cCreds = 1, .paCred = &certificate};
    TimeStamp expiry;
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, package, SECPKG_CRED_INBOUND, NULL,
                                                       &wish, NULL, NULL, credentials, &expiry);
    result = status == SEC_E_OK ||
             narrate_failure("no credentials of a TLS server: %s", status_text(status).text);
done:
    if (certificate) CertFreeCertificateContext(certificate);
    if (store) CertCloseStore(store, 0);
    return result;
}

void channel_init(struct channel *channel)
{
    SecInvalidateHandle(&channel->context);
    channel->stage = CHANNEL_HANDSHAKE;
    channel->protocol = "TLS";
    channel->received.size = channel->plain.size = channel->unsent.size = 0;
}

void channel_clear(struct channel *channel)
{
    if (SecIsValidHandle(&channel->context)) DeleteSecurityContext(&channel->context);
    secret_wipe(channel->plain.data, sizeof(channel->plain.data));
    channel_init(channel);
}

static SECURITY_STATUS channel_learn(struct channel *channel)
{
    SecPkgContext_ConnectionInfo info;
    SECURITY_STATUS status = QueryContextAttributesW(&channel->context, SECPKG_ATTR_STREAM_SIZES,
                                                     &channel->sizes);
    if (status == SEC_E_OK)
        status = QueryContextAttributesW(&channel->context, SECPKG_ATTR_CONNECTION_INFO, &info);
    if (status != SEC_E_OK) return status;
    switch (info.dwProtocol) {
    case SP_PROT_TLS1_2_SERVER: channel->protocol = "TLS 1.2"; break;
    case SP_PROT_TLS1_3_SERVER: channel->protocol = "TLS 1.3"; break;
    default: channel->protocol = "old TLS"; break;
    }
    channel->stage = CHANNEL_OPEN;
    return SEC_E_OK;
}

/* ---- handshake, and what comes after it ---- */

static SecBuffer *channel_buffer(SecBuffer *buffers, unsigned count, ULONG type)
{
    for (unsigned i = 0; i < count; i++)
        if (buffers[i].BufferType == type) return &buffers[i];
    return NULL;
}

/* One call with all that was received, or without any input. The answer may be one to send even
 * when the call fails: an alert. */
static SECURITY_STATUS channel_leg(struct channel *channel, CredHandle *credentials, bool input)
{
    struct queue *received = &channel->received;
    SecBuffer in[2] = {{(ULONG)received->size, SECBUFFER_TOKEN, received->data},
                       {0, SECBUFFER_EMPTY, NULL}};
    SecBuffer out = {0, SECBUFFER_TOKEN, NULL};
    SecBufferDesc given = {SECBUFFER_VERSION, 2, in}, answer = {SECBUFFER_VERSION, 1, &out};
    bool first = !SecIsValidHandle(&channel->context);
    CtxtHandle made;
    TimeStamp expiry;
    ULONG flags;
    SecInvalidateHandle(&made);
    SECURITY_STATUS status = AcceptSecurityContext(
        credentials, first ? NULL : &channel->context, input ? &given : NULL, REQUIREMENTS, 0,
        first ? &made : &channel->context, &answer, &flags, &expiry);
    if (first && (status == SEC_E_OK || status == SEC_I_CONTINUE_NEEDED)) channel->context = made;
    bool fits = !out.pvBuffer ||
                queue_put(&channel->unsent, (struct slice){out.pvBuffer, out.cbBuffer});
    if (out.pvBuffer) FreeContextBuffer(out.pvBuffer);
    if (status == SEC_E_INCOMPLETE_MESSAGE || !input) return status;
    const SecBuffer *extra = channel_buffer(in, 2, SECBUFFER_EXTRA);
    queue_drop(received, received->size - (extra ? extra->cbBuffer : 0));
    return fits ? status : SEC_E_INSUFFICIENT_MEMORY;
}

/* True while there may be more to do with what was received. */
static bool channel_shake(struct channel *channel, CredHandle *credentials, SECURITY_STATUS *status)
{
    *status = channel_leg(channel, credentials, true);
    switch (*status) {
    case SEC_E_OK: *status = channel_learn(channel); return *status == SEC_E_OK;
    case SEC_I_CONTINUE_NEEDED: *status = SEC_E_OK; return channel->received.size != 0;
    case SEC_E_INCOMPLETE_MESSAGE: *status = SEC_E_OK; return false;
    default: return false;
    }
}

/* ---- records ---- */

/* Opens the first record that was received; the client's words go to the plain bytes. */
static bool channel_open(struct channel *channel, SECURITY_STATUS *status)
{
    struct queue *received = &channel->received;
    SecBuffer buffers[4] = {{(ULONG)received->size, SECBUFFER_DATA, received->data}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
    SECURITY_STATUS opened = DecryptMessage(&channel->context, &desc, 0, NULL);
    *status = SEC_E_OK;
    if (opened == SEC_E_INCOMPLETE_MESSAGE) return false;
    if (FAILED(opened)) {
        *status = opened;
        return false;
    }
    const SecBuffer *data = channel_buffer(buffers, 4, SECBUFFER_DATA);
    const SecBuffer *extra = channel_buffer(buffers, 4, SECBUFFER_EXTRA);
    if (data && !queue_put(&channel->plain, (struct slice){data->pvBuffer, data->cbBuffer}))
        *status = SEC_E_INSUFFICIENT_MEMORY;
    queue_drop(received, received->size - (extra ? extra->cbBuffer : 0));
    if (opened == SEC_I_CONTEXT_EXPIRED) channel->stage = CHANNEL_ENDED;
    if (opened == SEC_I_RENEGOTIATE) channel->stage = CHANNEL_HANDSHAKE;
    return *status == SEC_E_OK;
}

bool channel_advance(struct channel *channel, CredHandle *credentials)
{
    SECURITY_STATUS status = SEC_E_OK;
    bool more = true;
    while (more && channel->received.size && channel->stage != CHANNEL_ENDED) {
        if (channel->stage == CHANNEL_HANDSHAKE)
            more = channel_shake(channel, credentials, &status);
        else
            more = queue_room(&channel->plain) >= RECORD_PLAIN_MAX &&
                   channel_open(channel, &status);
    }
    return status == SEC_E_OK ||
           narrate_failure("a connection breaks: %s", status_text(status).text);
}

size_t channel_most(const struct channel *channel)
{
    return channel->sizes.cbMaximumMessage;
}

bool channel_can_say(const struct channel *channel)
{
    const SecPkgContext_StreamSizes *sizes = &channel->sizes;
    return channel->stage == CHANNEL_OPEN &&
           queue_room(&channel->unsent) >=
               sizes->cbHeader + sizes->cbMaximumMessage + sizes->cbTrailer;
}

uint8_t *channel_place(struct channel *channel)
{
    return channel->unsent.data + channel->unsent.size + channel->sizes.cbHeader;
}

bool channel_say(struct channel *channel, size_t size)
{
    const SecPkgContext_StreamSizes *sizes = &channel->sizes;
    uint8_t *place = channel_place(channel);
    SecBuffer buffers[4] = {{sizes->cbHeader, SECBUFFER_STREAM_HEADER, place - sizes->cbHeader},
                            {(ULONG)size, SECBUFFER_DATA, place},
                            {sizes->cbTrailer, SECBUFFER_STREAM_TRAILER, place + size},
                            {0, SECBUFFER_EMPTY, NULL}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 4, buffers};
    SECURITY_STATUS status = EncryptMessage(&channel->context, 0, &desc, 0);
    if (status != SEC_E_OK)
        return narrate_failure("cannot make a record: %s", status_text(status).text);
    channel->unsent.size += buffers[0].cbBuffer + buffers[1].cbBuffer + buffers[2].cbBuffer;
    return true;
}

bool channel_finish(struct channel *channel, CredHandle *credentials)
{
    DWORD kind = SCHANNEL_SHUTDOWN;
    SecBuffer buffer = {sizeof(kind), SECBUFFER_TOKEN, &kind};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &buffer};
    SECURITY_STATUS status = ApplyControlToken(&channel->context, &desc);
    if (status == SEC_E_OK) status = channel_leg(channel, credentials, false);
    return status == SEC_E_OK || status == SEC_I_CONTEXT_EXPIRED ||
           narrate_failure("cannot end a connection: %s", status_text(status).text);
}

/* ---- leaving and arriving ---- */

SECURITY_STATUS channel_export(struct channel *channel, struct writer *blob)
{
    return transfer_export(&channel->context, blob);
}

SECURITY_STATUS channel_import(struct channel *channel, struct slice blob)
{
    wchar_t package[] = CHANNEL_PACKAGE;
    SECURITY_STATUS status = transfer_import(package, blob, &channel->context);
    enum channel_stage stage = channel->stage;
    if (status == SEC_E_OK) status = channel_learn(channel);
    if (stage == CHANNEL_ENDED) channel->stage = stage;
    return status;
}
