/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See provider_pair.h. Like loopback.c, but it can be stopped, and its token damaged, anywhere. */
#include "provider_pair.h"

#include <stdlib.h>
#include <string.h>

#define REQUIREMENTS (ISC_REQ_CONFIDENTIALITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define LEGS_MAX 20u

SECURITY_STATUS pair_open(struct pair *pair, wchar_t *package, wchar_t *target,
                          SEC_WINNT_AUTH_IDENTITY_W *identity, ULONG room)
{
    TimeStamp expiry;
    *pair = (struct pair){.package = package, .target = target, .identity = identity, .room = room};
    for (int i = 0; i < 2; i++) {
        SecInvalidateHandle(&pair->contexts[i]);
        SecInvalidateHandle(&pair->credentials[i]);
        pair->status[i] = SEC_I_CONTINUE_NEEDED;
    }
    pair->token = malloc(room ? room : 1);
    if (!pair->token) return SEC_E_INSUFFICIENT_MEMORY;
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, package, SECPKG_CRED_OUTBOUND, NULL,
                                                       identity, NULL, NULL,
                                                       &pair->credentials[CLIENT], &expiry);
    if (status == SEC_E_OK)
        status = AcquireCredentialsHandleW(NULL, package, SECPKG_CRED_INBOUND, NULL, NULL, NULL,
                                           NULL, &pair->credentials[SERVER], &expiry);
    if (status != SEC_E_OK) pair_close(pair);
    return status;
}

static SECURITY_STATUS leg_call(struct pair *pair, int side, SecBufferDesc *input,
                                SecBufferDesc *output)
{
    ULONG attributes;
    TimeStamp expiry;
    CtxtHandle context = pair->contexts[side];
    CtxtHandle *old = SecIsValidHandle(&context) ? &context : NULL;
    SECURITY_STATUS status = side == CLIENT
                                 ? InitializeSecurityContextW(
                                       &pair->credentials[CLIENT], old, pair->target,
                                       REQUIREMENTS | ISC_REQ_INTEGRITY, 0, SECURITY_NATIVE_DREP,
                                       pair->token_size ? input : NULL, 0, &context, output,
                                       &attributes, &expiry)
                                 : AcceptSecurityContext(&pair->credentials[SERVER], old, input,
                                                         REQUIREMENTS | ASC_REQ_INTEGRITY,
                                                         SECURITY_NATIVE_DREP, &context, output,
                                                         &attributes, &expiry);
    if (status < 0) return status;
    pair->contexts[side] = context;
    if (status == SEC_I_COMPLETE_NEEDED || status == SEC_I_COMPLETE_AND_CONTINUE) {
        SECURITY_STATUS completed = CompleteAuthToken(&pair->contexts[side], output);
        if (completed < 0) return completed;
        status = status == SEC_I_COMPLETE_NEEDED ? SEC_E_OK : SEC_I_CONTINUE_NEEDED;
    }
    return status;
}

SECURITY_STATUS pair_leg(struct pair *pair)
{
    int side = pair->legs % 2 ? SERVER : CLIENT;
    BYTE *made = malloc(pair->room ? pair->room : 1);
    if (!made) return SEC_E_INSUFFICIENT_MEMORY;
    SecBuffer in = {pair->token_size, SECBUFFER_TOKEN, pair->token};
    SecBuffer out = {pair->room, SECBUFFER_TOKEN, made};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
    SECURITY_STATUS status = leg_call(pair, side, &input, &output);
    if (status >= 0 && out.cbBuffer > pair->room) status = SEC_E_BUFFER_TOO_SMALL;
    if (status < 0) {
        free(made);
        return status;
    }
    free(pair->token);
    pair->token = made;
    pair->token_size = out.cbBuffer;
    if (out.cbBuffer > pair->token_longest) pair->token_longest = out.cbBuffer;
    pair->status[side] = status;
    pair->legs++;
    return status;
}

bool pair_done(const struct pair *pair)
{
    return pair->status[CLIENT] == SEC_E_OK && pair->status[SERVER] == SEC_E_OK;
}

SECURITY_STATUS pair_finish(struct pair *pair)
{
    while (!pair_done(pair)) {
        if (pair->legs == LEGS_MAX || (pair->legs && !pair->token_size)) return SEC_E_INVALID_TOKEN;
        SECURITY_STATUS status = pair_leg(pair);
        if (status < 0) return status;
    }
    return pair->token_size ? SEC_E_INVALID_TOKEN : SEC_E_OK;
}

void pair_close(struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        if (SecIsValidHandle(&pair->contexts[i])) DeleteSecurityContext(&pair->contexts[i]);
        if (SecIsValidHandle(&pair->credentials[i])) FreeCredentialsHandle(&pair->credentials[i]);
        SecInvalidateHandle(&pair->contexts[i]);
        SecInvalidateHandle(&pair->credentials[i]);
    }
    free(pair->token);
    pair->token = NULL;
}
