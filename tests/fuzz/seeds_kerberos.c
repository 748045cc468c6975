/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tokens and bodies of Kerberos, of sessions whose key is made up. */
#include "../unit/kerberos_pair.h"
#include "fuzz.h"
#include "seeds.h"

#include "core/kerberos_body.h"
#include "core/kerberos_user.h"

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

static void user_token(const char *name, enum kerberos_user_kind kind, struct writer *message)
{
    struct writer w;
    writer_init(&w);
    kerberos_user_token_write(&w, kind, writer_view(message));
    seeds_save("kerberos_user", name, writer_view(&w));
    writer_free(&w);
    writer_free(message);
}

static void user_tokens(void)
{
    const struct kerberos_name server = {2, 2, hex("0400 48545450 0400 6261726e"), ascii("FARM")};
    const struct kerberos_user_checksum checksum = {.bindings = {1, 2, 3}, .flags = 0x3e};
    struct writer w;
    writer_init(&w);
    kerberos_user_request_write(&w, &server);
    user_token("request", KERBEROS_USER_TGT_REQUEST, &w);
    writer_init(&w);
    kerberos_user_reply_write(&w,
                              hex("613f 303d a003020105 a106 1b04 4641524d"
                                  "a219 3017 a003020102 a110 300e 1b06 6b7262746774 1b04 4641524d"
                                  "a313 3011 a003020112 a20a 0408 0102030405060708"));
    user_token("reply", KERBEROS_USER_TGT_REPLY, &w);
    writer_init(&w);
    kerberos_user_checksum_write(&w, &checksum);
    seeds_save("kerberos_user", "checksum", writer_view(&w));
    writer_free(&w);
}

void seeds_kerberos(void)
{
    kerberos_tokens();
    kerberos_bodies();
    user_tokens();
}
