/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bodies of contexts that no handshake has made; see kerberos_pair.h. */
#define blob test_blob /* of loopback.h: the portable library has its own */
#include "kerberos_pair.h"
#undef blob

#include "core/crypto.h"
#include "core/kerberos_body.h"

bool kerberos_crypto(void)
{
    return !crypto_init();
}

static struct slice wide(const wchar_t *text)
{
    if (!text) return (struct slice){NULL, 0};
    return (struct slice){(const uint8_t *)text, (size_t)lstrlenW(text) * sizeof(*text)};
}

/* Those that both ends call alike are the same bits. */
ULONG kerberos_server_flags(ULONG flags)
{
    ULONG same = flags & 0x7ffu;
    return same | (flags & ISC_REQ_INTEGRITY ? ASC_REQ_INTEGRITY : 0);
}

ULONG kerberos_body(bool server, ULONG flags, BYTE *room, ULONG size)
{
    static const uint8_t key[KERBEROS_KEY_MAX] = "a key that both of the ends know";
    const struct kerberos_body body = {
        .attributes = server ? kerberos_server_flags(flags) : flags,
        .ticket_enctype = kerberos_kind->enctype,
        .session_key = {key, kerberos_kind->key},
        .start = 132000000000000000,
        .expiry = 152000000000000000,
        .client = wide(L"client@WINESSPI.TEST"),
        .server = wide(L"HTTP/server.winesspi.test@WINESSPI.TEST"),
        .target = server ? wide(NULL) : wide(L"HTTP/server.winesspi.test"),
        .account = server ? wide(kerberos_facts.account) : wide(NULL),
        .domain = server ? wide(kerberos_facts.domain) : wide(NULL),
        .pac = {server ? kerberos_facts.pac : NULL, server ? kerberos_facts.pac_size : 0},
    };
    const struct kerberos_start start = {
        .initiator = !server,
        .acceptor_subkey = true,
        .flags = (flags & (ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)) |
                 (flags & ISC_REQ_USE_DCE_STYLE ? KERBEROS_DCE_STYLE : 0),
        .enctype = kerberos_kind->enctype,
        .key = body.session_key,
        .send_first = server ? 0xfffffffe : 1000,
        .receive_first = server ? 1000 : 0xfffffffe,
    };
    struct kerberos_session session;
    struct writer w;
    if (kerberos_session_init(&session, &start)) return 0;
    writer_init_fixed(&w, room, size);
    kerberos_body_write(&body, &session, false, &w);
    kerberos_session_clear(&session);
    return (ULONG)w.size;
}
