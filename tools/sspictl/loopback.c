/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A handshake as every SSPI application writes it, both sides in one process: tokens go back and
 * forth until neither side wants another one. Knows no package: it asks for the size of a token,
 * and follows the status codes. Schannel's server side, which needs a certificate, is not served.
 */
#include "loopback.h"

#include <stdlib.h>

#define CLIENT_REQUIREMENTS \
    (ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define SERVER_REQUIREMENTS \
    (ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY | ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT)
/* More than any package needs; ends a handshake that would never end. */
#define LEGS_MAX 20

struct leg_token {
    void *data;
    ULONG size;
};

static bool side_has_context(const struct loopback_side *side)
{
    return SecIsValidHandle(&side->context);
}

/* Some packages sign a token once it is whole; to its user the leg is over only then. */
static SECURITY_STATUS side_complete(struct loopback_side *side, SecBufferDesc *output,
                                     SECURITY_STATUS status)
{
    if (status != SEC_I_COMPLETE_NEEDED && status != SEC_I_COMPLETE_AND_CONTINUE) return status;
    SECURITY_STATUS completed = CompleteAuthToken(&side->context, output);
    if (completed < 0) return completed;
    return status == SEC_I_COMPLETE_NEEDED ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
}

/* One call: takes the peer's token and leaves ours in *out, whose size says how much fits. */
static SECURITY_STATUS side_step(const struct loopback_request *request, struct loopback_side *side,
                                 bool client, struct leg_token in, struct leg_token *out)
{
    SecBuffer in_buffer = {in.size, SECBUFFER_TOKEN, in.data};
    SecBuffer out_buffer = {out->size, SECBUFFER_TOKEN, out->data};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in_buffer};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out_buffer};
    CtxtHandle *old = side_has_context(side) ? &side->context : NULL;
    TimeStamp expiry;
    CtxtHandle context = side->context;
    SECURITY_STATUS status = client
                                 ? InitializeSecurityContextW(&side->credentials, old,
                                                              request->target, CLIENT_REQUIREMENTS,
                                                              0, SECURITY_NATIVE_DREP,
                                                              in.size ? &input : NULL, 0, &context,
                                                              &output, &side->flags, &expiry)
                                 : AcceptSecurityContext(&side->credentials, old, &input,
                                                         SERVER_REQUIREMENTS, SECURITY_NATIVE_DREP,
                                                         &context, &output, &side->flags, &expiry);
    if (status < 0) {
        out->size = 0;
        return status;
    }
    side->context = context;
    status = side_complete(side, &output, status);
    out->size = out_buffer.cbBuffer;
    return status;
}

static SECURITY_STATUS loopback_legs(const struct loopback_request *request, struct loopback *l,
                                     void *blocks[2], ULONG block_size)
{
    struct leg_token token = {NULL, 0};
    SECURITY_STATUS status[2] = {SEC_I_CONTINUE_NEEDED, SEC_I_CONTINUE_NEEDED};
    for (unsigned number = 1; number <= LEGS_MAX; number++) {
        unsigned server = (number + 1) % 2;
        struct loopback_side *side = server ? &l->server : &l->client;
        struct leg_token out = {blocks[server], block_size};
        l->step = server ? "the server's leg" : "the client's leg";
        status[server] = side_step(request, side, !server, token, &out);
        struct loopback_leg leg = {number, !server, out.size, status[server]};
        if (request->on_leg) request->on_leg(&leg);
        if (status[server] < 0) return status[server];
        bool peer_done = status[!server] == SEC_E_OK;
        if (status[server] == SEC_E_OK && peer_done && !out.size) return SEC_E_OK;
        /* Nothing to send to a peer that waits, or a token for one that wants none. */
        if (!out.size || peer_done) return SEC_E_INVALID_TOKEN;
        token = out;
    }
    return SEC_E_INTERNAL_ERROR;
}

SECURITY_STATUS loopback_run(const struct loopback_request *request, struct loopback *l)
{
    /* From here on loopback_clear can be called at any point. */
    SecInvalidateHandle(&l->client.credentials);
    SecInvalidateHandle(&l->client.context);
    l->client.flags = 0;
    l->server = l->client;
    void *blocks[2] = {NULL, NULL};
    SecPkgInfoW *info = NULL;
    TimeStamp expiry;
    l->step = "looking the package up";
    SECURITY_STATUS status = QuerySecurityPackageInfoW(request->package, &info);
    if (status != SEC_E_OK) goto done;
    ULONG block_size = info->cbMaxToken;
    l->step = "the client's credentials";
    status = AcquireCredentialsHandleW(NULL, request->package, SECPKG_CRED_OUTBOUND, NULL,
                                       request->identity, NULL, NULL, &l->client.credentials,
                                       &expiry);
    if (status != SEC_E_OK) goto done;
    l->step = "the server's credentials";
    status = AcquireCredentialsHandleW(NULL, request->package, SECPKG_CRED_INBOUND, NULL, NULL,
                                       NULL, NULL, &l->server.credentials, &expiry);
    if (status != SEC_E_OK) goto done;
    status = SEC_E_INSUFFICIENT_MEMORY;
    blocks[0] = malloc(block_size);
    blocks[1] = malloc(block_size);
    if (block_size && (!blocks[0] || !blocks[1])) goto done;
    status = loopback_legs(request, l, blocks, block_size);
done:
    free(blocks[0]);
    free(blocks[1]);
    if (info) FreeContextBuffer(info);
    if (status != SEC_E_OK) loopback_clear(l);
    return status;
}

static void side_clear(struct loopback_side *side)
{
    if (side_has_context(side)) DeleteSecurityContext(&side->context);
    if (SecIsValidHandle(&side->credentials)) FreeCredentialsHandle(&side->credentials);
    SecInvalidateHandle(&side->context);
    SecInvalidateHandle(&side->credentials);
}

void loopback_clear(struct loopback *l)
{
    side_clear(&l->client);
    side_clear(&l->server);
}
