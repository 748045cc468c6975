/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What only a server's handshake has: whether the client is asked for a certificate. */
#include "schannel_package.h"

#include "ssp/trace.h"

TRACE_CHANNEL("schannel");

#define MTU_USUAL 1096u /* SecBuffer: the default of SECBUFFER_DTLS_MTU */

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
