/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One end of the authenticated connection: its socket and its security context. */
#pragma once

#include "frame.h"

#include <security.h>

#include <stdbool.h>

#define SESSION_PACKAGE L"NTLM"
#define SESSION_CONTENT_MAX 65536u
/* A sealed message with its token, or a token of the handshake. */
#define SESSION_FRAME_MAX (SESSION_CONTENT_MAX + 4096u)
#define SESSION_TIMEOUT_MS 30000

struct session {
    struct stream stream;
    CtxtHandle context;
    SecPkgContext_Sizes sizes;
};

void session_init(struct session *session, SOCKET socket);

/* Deletes the context and closes the socket, as far as there are any. */
void session_close(struct session *session);

/* The handshake over the socket; a failure is narrated. */
bool session_authenticate_client(struct session *session, SEC_WINNT_AUTH_IDENTITY_W *identity,
                                 wchar_t *target);
bool session_authenticate_server(struct session *session);

/* Takes over a context that is established already. */
bool session_adopt(struct session *session, const CtxtHandle *context);

/* The name of the authenticated client as UTF-8, the caller frees it; NULL after a failure. */
char *session_user(struct session *session);

/* One sealed message; a failure is narrated. session_receive's *plain borrows from
 * frame; *ended is set,
 * and the answer is true, when the peer closed the connection instead. */
bool session_send(struct session *session, struct slice plain);
bool session_receive(struct session *session, struct writer *frame, struct slice *plain,
                     bool *ended);
