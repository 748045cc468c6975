/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See session.h: SSPI as a program with a socket uses it, both sides. Neither knows anything of
 * what moves: after the import a session goes on with the same calls. The credentials are only
 * needed for the handshake and freed after it.
 */
#include "session.h"

#include "narrate.h"
#include "sockets.h"

#include "../sspictl/message.h"
#include "../sspictl/names.h"

#include <stdlib.h>

#define TOKEN_MAX 16384u
#define CLIENT_REQUIREMENTS \
    (ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)
#define SERVER_REQUIREMENTS \
    (ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY | ASC_REQ_REPLAY_DETECT | ASC_REQ_SEQUENCE_DETECT)

void session_init(struct session *session, SOCKET socket)
{
    session->stream = stream_of_socket(socket);
    SecInvalidateHandle(&session->context);
    /* A child process gets the socket by WSADuplicateSocket and by no other way. */
    socket_prepare(socket, SESSION_TIMEOUT_MS);
}

void session_close(struct session *session)
{
    if (SecIsValidHandle(&session->context)) DeleteSecurityContext(&session->context);
    SecInvalidateHandle(&session->context);
    if (session->stream.socket != INVALID_SOCKET) closesocket(session->stream.socket);
    session->stream.socket = INVALID_SOCKET;
}

/* What one side of the handshake needs beyond the session. */
struct auth_side {
    bool client;
    CredHandle credentials;
    wchar_t *target;
};

/* One call: takes the peer's token (if any) and sends ours (if any). */
static bool auth_leg(struct session *session, struct auth_side *side, struct slice in,
                     SECURITY_STATUS *status)
{
    uint8_t token[TOKEN_MAX];
    SecBuffer in_buffer = {(ULONG)in.size, SECBUFFER_TOKEN, (void *)in.data};
    SecBuffer out_buffer = {sizeof(token), SECBUFFER_TOKEN, token};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in_buffer};
    SecBufferDesc output = {SECBUFFER_VERSION, 1, &out_buffer};
    CtxtHandle context = session->context;
    CtxtHandle *old = SecIsValidHandle(&session->context) ? &session->context : NULL;
    TimeStamp expiry;
    ULONG flags;
    *status = side->client
                  ? InitializeSecurityContextW(&side->credentials, old, side->target,
                                               CLIENT_REQUIREMENTS, 0, SECURITY_NATIVE_DREP,
                                               in.size ? &input : NULL, 0, &context, &output,
                                               &flags, &expiry)
                  : AcceptSecurityContext(&side->credentials, old, &input, SERVER_REQUIREMENTS,
                                          SECURITY_NATIVE_DREP, &context, &output, &flags, &expiry);
    if (*status != SEC_E_OK && *status != SEC_I_CONTINUE_NEEDED)
        return narrate_failure("the handshake: %s", status_text(*status).text);
    session->context = context;
    /* The last leg of one side has nothing to say. */
    if (!out_buffer.cbBuffer) return true;
    const char *problem = frame_send(session->stream, (struct slice){token, out_buffer.cbBuffer});
    return !problem || narrate_failure("the handshake: %s", problem);
}

/* The client speaks first; then each waits for the other as long as its own side wants more. */
static bool auth_run(struct session *session, struct auth_side *side)
{
    bool result = false;
    struct writer frame;
    writer_init(&frame);
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    if (side->client && !auth_leg(session, side, (struct slice){NULL, 0}, &status)) goto done;
    while (status == SEC_I_CONTINUE_NEEDED) {
        const char *problem = frame_receive(session->stream, TOKEN_MAX, &frame);
        if (problem) {
            narrate_failure("the handshake: %s", problem);
            goto done;
        }
        if (!auth_leg(session, side, writer_view(&frame), &status)) goto done;
    }
    result = session_adopt(session, &session->context);
done:
    writer_free(&frame);
    return result;
}

static bool auth_start(struct session *session, struct auth_side *side,
                       SEC_WINNT_AUTH_IDENTITY_W *identity)
{
    wchar_t package[] = SESSION_PACKAGE;
    TimeStamp expiry;
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, package, side->client ? SECPKG_CRED_OUTBOUND : SECPKG_CRED_INBOUND, NULL, identity,
        NULL, NULL, &side->credentials, &expiry);
    if (status != SEC_E_OK) return narrate_failure("credentials: %s", status_text(status).text);
    bool result = auth_run(session, side);
    FreeCredentialsHandle(&side->credentials);
    return result;
}

bool session_authenticate_client(struct session *session, SEC_WINNT_AUTH_IDENTITY_W *identity,
                                 wchar_t *target)
{
    struct auth_side side = {.client = true, .target = target};
    return auth_start(session, &side, identity);
}

bool session_authenticate_server(struct session *session)
{
    struct auth_side side = {.client = false, .target = NULL};
    return auth_start(session, &side, NULL);
}

bool session_adopt(struct session *session, const CtxtHandle *context)
{
    session->context = *context;
    SECURITY_STATUS status = QueryContextAttributesW(&session->context, SECPKG_ATTR_SIZES,
                                                     &session->sizes);
    return status == SEC_E_OK ||
           narrate_failure("the context's sizes: %s", status_text(status).text);
}

char *session_user(struct session *session)
{
    SecPkgContext_NamesW names;
    SECURITY_STATUS status = QueryContextAttributesW(&session->context, SECPKG_ATTR_NAMES, &names);
    if (status != SEC_E_OK) {
        narrate_failure("the client's name: %s", status_text(status).text);
        return NULL;
    }
    char *user = names.sUserName ? text_from_wide(names.sUserName) : NULL;
    FreeContextBuffer(names.sUserName);
    if (!user) narrate_failure("the client's name is missing");
    return user;
}

bool session_send(struct session *session, struct slice plain)
{
    struct writer sealed;
    writer_init(&sealed);
    SECURITY_STATUS status = message_seal(&session->context, &session->sizes, plain, &sealed);
    const char *problem = status == SEC_E_OK ? frame_send(session->stream, writer_view(&sealed))
                                             : NULL;
    writer_free(&sealed);
    if (status != SEC_E_OK) return narrate_failure("sealing: %s", status_text(status).text);
    return !problem || narrate_failure("sending: %s", problem);
}

bool session_receive(struct session *session, struct writer *frame, struct slice *plain,
                     bool *ended)
{
    const char *problem = frame_receive(session->stream, SESSION_FRAME_MAX, frame);
    *ended = problem == frame_end;
    if (*ended) return true;
    if (problem) return narrate_failure("receiving: %s", problem);
    SECURITY_STATUS status = message_open(&session->context, frame->data, frame->size, plain);
    return status == SEC_E_OK || narrate_failure("opening: %s", status_text(status).text);
}
