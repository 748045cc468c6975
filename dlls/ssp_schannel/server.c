/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What only a server's handshake has: whether the client is asked for a certificate, and whether
 * the library's session stays, so that it may be asked for one later: in another handshake of TLS
 * 1.2 (Microsoft: Renegotiating an Schannel Connection), or after that of TLS 1.3 where the client
 * has offered it (RFC 8446 4.2.6).
 *
 * Nothing in the calls for the first handshake says that this will be wanted, and a session of the
 * library takes more memory than all the rest of a connection. So each process keeps a few, which
 * is enough for a server of few connections, and all once its application has wanted it.
 */
#include "schannel_package.h"

#include "ssp/trace.h"

TRACE_CHANNEL("schannel");

#define MTU_USUAL 1096u /* SecBuffer: the default of SECBUFFER_DTLS_MTU */
#define KEPT_UNASKED 32 /* sessions of the library, half a megabyte */

static volatile LONG sessions_kept;
static volatile LONG another_wanted;

bool server_keeps_library(struct context *context)
{
    if (context->kept) return true;
    context->kept = InterlockedIncrement(&sessions_kept) <= KEPT_UNASKED || another_wanted;
    if (!context->kept) InterlockedDecrement(&sessions_kept);
    return context->kept;
}

void server_library_dropped(void)
{
    InterlockedDecrement(&sessions_kept);
}

void server_wants_another(void)
{
    InterlockedExchange(&another_wanted, 1);
}

/* With MUTUAL_AUTH the client is asked, and may have none: the application sees by
 * SECPKG_ATTR_REMOTE_CERT_CONTEXT whether it had one. */
status_t server_start(struct context *context, const struct leg *leg)
{
    struct schannel_call_session_create call = {
        .alpn = unixcall_slice(leg->alpn),
        .peer = unixcall_slice(leg->peer),
    };
    context->datagram = leg->requirements & ASC_REQ_DATAGRAM;
    context->mtu = leg->mtu ? leg->mtu : MTU_USUAL;
    if (!context->credential->certificate_count) return SEC_E_NO_CREDENTIALS;
    if (context->datagram) call.flags |= CALL_SESSION_DATAGRAM;
    if (leg->requirements & ASC_REQ_MUTUAL_AUTH) call.flags |= CALL_SESSION_REQUEST_CERTIFICATE;
    if (leg->alpn.size) call.flags |= CALL_SESSION_ALPN_REQUIRED;
    if (context->credential->renegotiates && !context->datagram)
        call.flags |= CALL_SESSION_LATE_CERTIFICATE;
    call.mtu = context->mtu;
    status_t status = credential_library(context->credential, context->datagram, &call.credentials);
    if (status_ok(status)) status = library_call(SCHANNEL_CALL_SESSION_CREATE, &call);
    if (!status_ok(status)) {
        WARN("no session: status %#lx: %s\n", (ULONG)status, call.why);
        return status;
    }
    context->library = call.session;
    return SEC_E_OK;
}
