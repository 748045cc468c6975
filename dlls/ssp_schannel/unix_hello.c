/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is read from the messages of a handshake beside the library: the number of the suite, the
 * size of records that the peer asks for (RFC 8449), of which the library tells its own half only,
 * whether a client would show a certificate after the handshake (RFC 8446 4.2.6), the name that it
 * asks for, on which its tickets depend, whether a server gives one, that the peer has begun, and
 * that a client shows no certificate.
 * What cannot be read says nothing; that the library refuses it is not for here to repeat.
 */
#include "unix.h"

#define EXTENSION_SERVER_NAME 0u
#define EXTENSION_RECORD_SIZE_LIMIT 28u
#define EXTENSION_SESSION_TICKET 35u
#define EXTENSION_POST_HANDSHAKE_AUTH 49u

/* At the extensions of a message (RFC 8446 4.2). Whether a ticket is to follow (RFC 5077 3.2). */
static bool extensions_read(struct session *session, struct reader *r)
{
    struct reader list, body;
    bool ticket = false;
    reader_sub(r, reader_u16be(r), &list);
    while (reader_ok(&list) && reader_left(&list)) {
        uint16_t type = reader_u16be(&list);
        reader_sub(&list, reader_u16be(&list), &body);
        uint16_t limit = type == EXTENSION_RECORD_SIZE_LIMIT ? reader_u16be(&body) : 0;
        if (limit && reader_end(&body)) session->record_size_limit = limit;
        if (type == EXTENSION_POST_HANDSHAKE_AUTH) session->late_certificate = true;
        if (type == EXTENSION_SESSION_TICKET) ticket = true;
    }
    return ticket;
}

/* To the extensions (RFC 5246 7.4.1.2); the cookie is that of RFC 6347 4.2.1. */
static void client_hello_skip(const struct session *session, struct reader *r)
{
    reader_skip(r, 2 + 32); /* version, random */
    reader_skip(r, reader_u8(r));
    if (session->datagram) reader_skip(r, reader_u8(r));
    reader_skip(r, reader_u16be(r)); /* suites */
    reader_skip(r, reader_u8(r));    /* compression */
}

/* The names in the form that they have on the wire; empty without any (RFC 6066 3). */
static struct slice server_names(struct reader *extensions)
{
    struct reader list;
    reader_sub(extensions, reader_u16be(extensions), &list);
    while (reader_ok(&list) && reader_left(&list)) {
        uint16_t type = reader_u16be(&list);
        struct slice body = reader_bytes(&list, reader_u16be(&list));
        if (type == EXTENSION_SERVER_NAME) return body;
    }
    return (struct slice){NULL, 0};
}

/* Before the library looks at it. */
static int hello_comes(struct session *session, struct reader *r)
{
    client_hello_skip(session, r);
    return session_tickets(session, server_names(r));
}

/* Whether the client shows one; TLS 1.3 has a context in front (RFC 8446 4.4.2). */
static void certificate_comes(struct session *session, struct reader *r)
{
    if (session_version(session) == TLS_1_3) reader_skip(r, reader_u8(r));
    session->none_shown = !reader_u24be(r);
}

/* RFC 5246 7.4.1.3; the form is the same in all versions. */
static int server_hello(struct session *session, struct reader *r)
{
    reader_skip(r, 2 + 32); /* version, random */
    reader_skip(r, reader_u8(r));
    uint16_t suite = reader_u16be(r);
    if (reader_ok(r)) session->suite = suite;
    reader_skip(r, 1); /* compression */
    if (session->server) return 0;
    bool ticket = extensions_read(session, r);
    /* Once there was a ticket, the library waits for one in each other handshake, too. */
    if (ticket || !session->established) return 0;
    return gnutls.priority_set_direct(session->library, session->unticketed, NULL);
}

static int message_read(gnutls_session_t library, unsigned type, unsigned when, unsigned incoming,
                        const gnutls_datum_t *message)
{
    struct session *session = gnutls.session_get_ptr(library);
    struct reader r;
    reader_init(&r, message->data, message->size);
    if (when == GNUTLS_HOOK_PRE) {
        if (incoming && type == GNUTLS_HANDSHAKE_CLIENT_HELLO) return hello_comes(session, &r);
        if (incoming && type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT && session->server)
            certificate_comes(session, &r);
        return 0;
    }
    if (incoming &&
        (type == GNUTLS_HANDSHAKE_CLIENT_HELLO || type == GNUTLS_HANDSHAKE_SERVER_HELLO)) {
        session->record_size_limit = 0;
        session->begun = true;
    }
    if (type == GNUTLS_HANDSHAKE_CLIENT_HELLO && incoming) {
        client_hello_skip(session, &r);
        extensions_read(session, &r);
    }
    if (type == GNUTLS_HANDSHAKE_SERVER_HELLO) return server_hello(session, &r);
    if (type == GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS && incoming) extensions_read(session, &r);
    return 0;
}

void hello_watch(struct session *session)
{
    gnutls.handshake_set_hook_function(session->library, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH,
                                       message_read);
}
