/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tokens and bodies of Kerberos, of sessions whose key is made up. */
#include "../unit/kerberos_pair.h"
#include "fuzz.h"
#include "seeds.h"

#include "core/kerberos_body.h"

/* Behind the bytes that fuzz_kerberos_token.c takes for the kind and for places. */
static void save_token(const char *name, size_t kind, uint8_t place, struct slice token)
{
    uint8_t *script = unit_room(2 + token.size);
    script[0] = (uint8_t)kind;
    script[1] = place;
    memcpy(script + 2, token.data, token.size);
    seeds_save("kerberos_token", name, view(script, 2 + token.size));
}

static void kerberos_tokens(void)
{
    for (size_t kind = 0; kind < KERBEROS_KINDS; kind++) {
        struct kerberos_pair pair;
        uint8_t token[KERBEROS_TOKEN_MAX];
        char name[] = "sealed-0";
        size_t size;
        must(kerberos_pair_init(&pair, kind));
        for (int encrypt = 0; encrypt < 2; encrypt++) {
            struct kerberos_sent sent;
            kerberos_session_rewind(&pair.server);
            must(!kerberos_send(&pair.server, ascii("a text of two blocks, more or less"), encrypt,
                                &sent));
            uint8_t *stream = kerberos_stream(&sent, &size);
            memcpy(name, encrypt ? "sealed" : "in-one", 6);
            name[7] = (char)('0' + kind);
            save_token(name, kind, (uint8_t)sent.token_size, view(stream, size));
            free(stream);
            kerberos_sent_free(&sent);
        }
        kerberos_session_rewind(&pair.server);
        must(!kerberos_sign(&pair.server, NULL, 0, token, sizeof(token), &size));
        memcpy(name, "signed", 6);
        save_token(name, kind, (uint8_t)size, view(token, size));
        kerberos_pair_clear(&pair);
    }
}

static void kerberos_bodies(void)
{
    struct kerberos_body bare = {.attributes = 0x1e}, full = bare;
    full.session_key = ascii("0123456789abcdef");
    full.start = full.expiry = 0x01d9000000000000;
    full.client = full.server = full.target = wide("user@REALM");
    full.account = full.domain = wide("user");
    full.pac = ascii("what the KDC says");
    for (size_t kind = 0; kind < KERBEROS_KINDS; kind++) {
        struct kerberos_pair pair;
        struct writer w;
        char name[] = "session-0";
        must(kerberos_pair_init(&pair, kind));
        must(kerberos_moves(&pair.client, &pair.server, ascii("text")));
        writer_init(&w);
        kerberos_body_write(kind % 2 ? &full : &bare, kind % 3 ? &pair.server : &pair.client, false,
                            &w);
        name[8] = (char)('0' + kind);
        seeds_save("kerberos_body", name, writer_view(&w));
        writer_free(&w);
        kerberos_pair_clear(&pair);
    }
}

void seeds_kerberos(void)
{
    kerberos_tokens();
    kerberos_bodies();
}
