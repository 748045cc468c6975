/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the Unix half of ssp_schannel reads of handshakes beside the library, which is played here:
 * it shows messages. The first byte chooses the side, and whether it is DTLS; each message is its
 * type, of which the upper bit says that it is the peer's, its size in two bytes, and its body.
 */
#include "../../dlls/ssp_schannel/unix.h"
#include "../unit/unit.h"
#include "fuzz.h"

#define SERVER 0x01u
#define DATAGRAM 0x02u
#define INCOMING 0x80u

static struct session session;
static gnutls_handshake_hook_func hook;

static void *its_session(gnutls_session_t library)
{
    (void)library;
    return &session;
}

static void set_hook(gnutls_session_t library, unsigned type, int when,
                     gnutls_handshake_hook_func function)
{
    (void)library;
    must(type == GNUTLS_HANDSHAKE_ANY && when == GNUTLS_HOOK_POST);
    hook = function;
}

struct library gnutls = {.session_get_ptr = its_session, .handshake_set_hook_function = set_hook};

static void show(uint8_t kind, struct slice body)
{
    const unsigned type = kind & (INCOMING - 1u), incoming = kind & INCOMING ? 1 : 0;
    const struct session before = session;
    uint8_t *block = exact_copy(body.data, body.size);
    const gnutls_datum_t message = {block, (unsigned)body.size};
    must(!hook(NULL, type, GNUTLS_HOOK_POST, incoming, &message));
    must(!body.size || !memcmp(block, body.data, body.size));
    free(block);

    bool hello = type == GNUTLS_HANDSHAKE_CLIENT_HELLO || type == GNUTLS_HANDSHAKE_SERVER_HELLO;
    bool extensions = hello || type == GNUTLS_HANDSHAKE_ENCRYPTED_EXTENSIONS;
    must(session.suite == before.suite || type == GNUTLS_HANDSHAKE_SERVER_HELLO);
    must(session.begun == (before.begun || (hello && incoming)));
    if (extensions && (incoming || type == GNUTLS_HANDSHAKE_SERVER_HELLO)) return;
    must(session.record_size_limit == before.record_size_limit);
    must(session.late_certificate == before.late_certificate);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r;
    reader_init(&r, data, size);
    uint8_t choice = reader_u8(&r);
    session = (struct session){.server = choice & SERVER, .datagram = choice & DATAGRAM};
    hello_watch(&session);
    while (reader_ok(&r) && reader_left(&r)) {
        uint8_t kind = reader_u8(&r);
        struct slice body = reader_bytes(&r, reader_u16be(&r));
        if (reader_ok(&r)) show(kind, body);
    }
    return 0;
}
