/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the Unix half of ssp_schannel reads of handshakes beside the library, which is played here:
 * it shows messages. The first byte chooses the side, whether it is DTLS or TLS 1.3, and whether
 * there was a handshake before; each message is its type, of which the upper bit says that it is
 * the peer's, its size in two bytes, and its body.
 */
#include "../../dlls/ssp_schannel/unix.h"
#include "../unit/unit.h"
#include "fuzz.h"

#define SERVER 0x01u
#define DATAGRAM 0x02u
#define ESTABLISHED 0x04u
#define MODERN 0x08u
#define INCOMING 0x80u

static struct session session;
static gnutls_handshake_hook_func hook;
static struct slice shown;
static bool unticketed, modern;

static void *its_session(gnutls_session_t library)
{
    (void)library;
    return &session;
}

static void set_hook(gnutls_session_t library, unsigned type, int when,
                     gnutls_handshake_hook_func function)
{
    (void)library;
    must(type == GNUTLS_HANDSHAKE_ANY && when == GNUTLS_HOOK_BOTH);
    hook = function;
}

static int set_priorities(gnutls_session_t library, const char *priorities, const char **error)
{
    (void)library;
    must(priorities == session.unticketed && !error);
    unticketed = true;
    return 0;
}

struct library gnutls = {.session_get_ptr = its_session,
                         .handshake_set_hook_function = set_hook,
                         .priority_set_direct = set_priorities};

/* A server's, before the library reads a ClientHello: the names are in that, or there are none. */
int session_tickets(struct session *of, struct slice names)
{
    must(of == &session && shown.size >= names.size);
    must(!names.size || (names.data >= shown.data &&
                         names.data - shown.data <= (ptrdiff_t)(shown.size - names.size)));
    return 0;
}

uint16_t session_version(const struct session *of)
{
    must(of == &session);
    return modern ? TLS_1_3 : TLS_1_2;
}

static void show(uint8_t kind, struct slice body)
{
    const unsigned type = kind & (INCOMING - 1u), incoming = kind & INCOMING ? 1 : 0;
    const struct session before = session;
    uint8_t *block = exact_copy(body.data, body.size);
    const gnutls_datum_t message = {block, (unsigned)body.size};
    shown = (struct slice){block, body.size};
    unticketed = false;
    must(!hook(NULL, type, GNUTLS_HOOK_PRE, incoming, &message));
    must(!hook(NULL, type, GNUTLS_HOOK_POST, incoming, &message));
    must(!unticketed || (type == GNUTLS_HANDSHAKE_SERVER_HELLO && session.established));
    must(!body.size || !memcmp(block, body.data, body.size));
    free(block);

    bool hello = type == GNUTLS_HANDSHAKE_CLIENT_HELLO || type == GNUTLS_HANDSHAKE_SERVER_HELLO;
    bool extensions = hello || type == GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS;
    must(session.suite == before.suite || type == GNUTLS_HANDSHAKE_SERVER_HELLO);
    must(session.begun == (before.begun || (hello && incoming)));
    must(session.none_shown == before.none_shown ||
         (type == GNUTLS_HANDSHAKE_CERTIFICATE_PKT && incoming && session.server));
    if (extensions && (incoming || type == GNUTLS_HANDSHAKE_SERVER_HELLO)) return;
    must(session.record_size_limit == before.record_size_limit);
    must(session.late_certificate == before.late_certificate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r;
    reader_init(&r, data, size);
    uint8_t choice = reader_u8(&r);
    session = (struct session){.server = choice & SERVER,
                               .datagram = choice & DATAGRAM,
                               .unticketed = "NORMAL:%NO_TICKETS",
                               .established = choice & ESTABLISHED};
    modern = choice & MODERN;
    hello_watch(&session);
    while (reader_ok(&r) && reader_left(&r)) {
        uint8_t kind = reader_u8(&r);
        struct slice body = reader_bytes(&r, reader_u16be(&r));
        if (reader_ok(&r)) show(kind, body);
    }
    return 0;
}
