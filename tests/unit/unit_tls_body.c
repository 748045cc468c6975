/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The body of an exported TLS context: its layout, and what must not be read; and the fields of a
 * certificate that channel bindings depend on. */
#include "core/der.h"
#include "core/tls_binding.h"
#include "core/tls_body.h"

#include "unit.h"

#define GCM_SHA256 0x1301u
#define RSA_GCM 0xc02fu

/* A session of TLS 1.3 or 1.2 with keys that anybody knows. */
static void session_make(struct tls_session *session, uint16_t version)
{
    memset(session, 0, sizeof(*session));
    session->version = version;
    session->suite = tls_suite_find(version == TLS_1_3 ? GCM_SHA256 : RSA_GCM);
    session->server = version == TLS_1_2;
    session->has_finished = version == TLS_1_2;
    memset(session->send.secret, 1, 32);
    memset(session->receive.secret, 2, 32);
    memset(session->send.key, 3, 16);
    memset(session->receive.key, 4, 16);
    memset(session->master, 5, sizeof(session->master));
    memset(session->finished, 6, sizeof(session->finished));
    ok(tls_session_start(session) == SEC_E_OK, "no session");
    session->send.sequence = 7;
}

static struct slice body_bytes(const struct tls_body *body, uint16_t version)
{
    struct tls_session session;
    struct writer w;
    session_make(&session, version);
    writer_init(&w);
    tls_body_write(body, &session, &w);
    ok(status_ok(writer_status(&w)), "not written");
    uint8_t *copy = unit_room(w.size);
    memcpy(copy, w.data, w.size);
    struct slice bytes = {copy, w.size};
    writer_free(&w);
    tls_session_clear(&session);
    return bytes;
}

/* In a block of exactly its size; what is not read leaves everything as it was. */
static status_t body_check(struct slice bytes)
{
    uint8_t *copy = exact_copy(bytes.data, bytes.size);
    struct tls_body body;
    struct tls_session session;
    memset(&body, 0x55, sizeof(body));
    memset(&session, 0x55, sizeof(session));
    const struct tls_body body_before = body;
    const struct tls_session session_before = session;
    status_t status = tls_body_read(view(copy, bytes.size), &body, &session);
    if (status_ok(status)) tls_session_clear(&session);
    else
        ok(!memcmp(&body, &body_before, sizeof(body)) &&
               !memcmp(&session, &session_before, sizeof(session)),
           "something was changed");
    free(copy);
    return status;
}

static struct tls_body full_body(void)
{
    return (struct tls_body){
        .attributes = 0x01020304,
        .close_received = true,
        .group = 0x1d,
        .signature = 0x804,
        .group_bits = 255,
        .alpn = ascii("h2"),
        .session_id = hex("0102"),
        .name = hex("680000 00"),
        .keying_label = ascii("label"),
        .keying_context = ascii("c"),
        .keying_size = 32,
        .keying_has_context = true,
        .app_data = ascii("app"),
        .app_flags = 9,
        .peer_chain = hex("000002 3000 000001 ff"),
        .local_chain = hex("000001 aa"),
        .staple = hex("3001"),
        .issuers = hex("0002 3000 0001 05"),
        .judge_flags = 0x2008,
        .roots = hex("000002 3003"),
    };
}

#define FACTS                                                                      \
    "02 1400 04030201 1d00 0408 ff000000 02 6832 02 0102 0400 68000000 20000000"   \
    "0500 6c6162656c 0100 63 09000000 03000000 617070 09000000 0000023000000001ff" \
    "04000000 000001aa 02000000 3001 07000000 00023000000105"                      \
    "08200000 05000000 0000023003"

static void layout(void)
{
    struct tls_body body = full_body(), back;
    struct tls_session session;
    struct slice bytes = body_bytes(&body, TLS_1_3), facts = hex(FACTS);
    ok(bytes.size > facts.size && same(view(bytes.data, facts.size), facts), "written");
    if (!ok(tls_body_read(bytes, &back, &session) == SEC_E_OK, "not read")) return;
    ok(back.attributes == body.attributes && back.group == 0x1d && back.signature == 0x804,
       "numbers");
    ok(back.group_bits == 255 && back.keying_size == 32 && back.app_flags == 9, "more of them");
    ok(same(back.alpn, body.alpn) && same(back.session_id, body.session_id), "small parts");
    ok(same(back.name, body.name) && same(back.keying_label, body.keying_label), "texts");
    ok(same(back.peer_chain, body.peer_chain) && same(back.local_chain, body.local_chain),
       "chains");
    ok(same(back.issuers, body.issuers) && back.judge_flags == 0x2008, "issuers, flags");
    ok(same(back.roots, body.roots), "roots");
    ok(same(back.staple, body.staple) && same(back.app_data, body.app_data), "other parts");
    ok(session.send.sequence == 7 && session.version == TLS_1_3 && !session.server, "session");
    tls_session_clear(&session);
}

static void every_flag(void)
{
    for (unsigned bit = 0; bit < 5; bit++) {
        struct tls_body body = {.keying_size = 1}, back;
        struct tls_session session;
        bool *flags[] = {&body.resumed, &body.close_sent, &body.close_received, &body.broken,
                         &body.keying_has_context};
        *flags[bit] = true;
        struct slice bytes = body_bytes(&body, TLS_1_2);
        ok(bytes.data[1] == 1u << bit && !bytes.data[2], "bit %u is %02x", bit, bytes.data[1]);
        if (!ok(tls_body_read(bytes, &back, &session) == SEC_E_OK, "bit %u: not read", bit))
            continue;
        bool read[] = {back.resumed, back.close_sent, back.close_received, back.broken,
                       back.keying_has_context};
        for (unsigned other = 0; other < 5; other++)
            ok(read[other] == (other == bit), "bit %u: %u", bit, other);
        tls_session_clear(&session);
    }
}

/* Certificates aside a body is a few hundred bytes. */
static void size(void)
{
    struct tls_body body = full_body();
    body.peer_chain = body.local_chain = body.staple = body.roots = view(NULL, 0);
    ok(body_bytes(&body, TLS_1_3).size < 400, "TLS 1.3: %zu", body_bytes(&body, TLS_1_3).size);
    ok(body_bytes(&body, TLS_1_2).size < 400, "TLS 1.2: %zu", body_bytes(&body, TLS_1_2).size);
}

static void cut_off(void)
{
    struct tls_body body = full_body();
    struct slice bytes = body_bytes(&body, TLS_1_3);
    for (size_t cut = 0; cut < bytes.size; cut++)
        ok(body_check(view(bytes.data, cut)) == SEC_E_INVALID_TOKEN, "%zu bytes", cut);
    uint8_t *longer = unit_room(bytes.size + 1);
    memcpy(longer, bytes.data, bytes.size);
    longer[bytes.size] = 0;
    ok(body_check(view(longer, bytes.size + 1)) == SEC_E_INVALID_TOKEN, "a byte more");
    ok(body_check(bytes) == SEC_E_OK, "the body itself");
}

/* Each byte, with every value: nothing but the two answers, and no reading beyond the end. */
static void damaged(void)
{
    struct tls_body body = full_body();
    struct slice bytes = body_bytes(&body, TLS_1_2);
    uint8_t *changed = unit_room(bytes.size);
    int refused = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        for (unsigned value = 0; value < 256; value += i < 80 ? 1 : 51) {
            memcpy(changed, bytes.data, bytes.size);
            changed[i] = (uint8_t)value;
            status_t status = body_check(view(changed, bytes.size));
            ok(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN, "byte %zu, %02x: %08x", i,
               value, (unsigned)status);
            refused += status == SEC_E_INVALID_TOKEN;
        }
    }
    ok(refused > 1000, "only %d were refused", refused);
}

/* Who is about to write it is told the same as who reads it. */
static bool writable(const struct tls_body *body)
{
    bool readable = body_check(body_bytes(body, TLS_1_3)) == SEC_E_OK;
    ok(tls_body_fits(body) == readable, "it fits, but is not read, or is, and does not fit");
    return readable;
}

static void what_does_not_fit(void)
{
    struct tls_body body = {0};
    ok(writable(&body), "nothing");
    body.name = hex("4100");
    ok(!writable(&body), "a name without an end");
    body.name = hex("410000");
    ok(!writable(&body), "half a character");
    body.name = hex("0000 4100 0000");
    ok(!writable(&body), "a name that ends early");
    uint8_t *name = unit_room(2 * TLS_BODY_NAME_CHARS + 2);
    memset(name, 'a', 2 * TLS_BODY_NAME_CHARS);
    memset(name + 2 * TLS_BODY_NAME_CHARS, 0, 2);
    body.name = view(name, 2 * TLS_BODY_NAME_CHARS + 2);
    ok(!writable(&body), "a name too long");
    body.name = view(name + 2, 2 * TLS_BODY_NAME_CHARS);
    ok(writable(&body), "the longest name");
    body.name = view(NULL, 0);
    body.peer_chain = hex("000000");
    ok(!writable(&body), "a certificate of no bytes");
    body.peer_chain = hex("000002 30");
    ok(!writable(&body), "half a certificate");
    body.peer_chain = hex("0000");
    ok(!writable(&body), "half a length");
    body.peer_chain = view(NULL, 0);
    body.local_chain = hex("000001 30 00");
    ok(!writable(&body), "something behind the chain");
    body.local_chain = view(NULL, 0);
    body.roots = hex("000002 30");
    ok(!writable(&body), "half a root");
    body.roots = view(NULL, 0);
    body.issuers = hex("0002 30");
    ok(!writable(&body), "half an issuer");
    body.issuers = hex("0000");
    ok(!writable(&body), "an issuer of no name");
    body.issuers = view(NULL, 0);
    body.session_id = view(unit_room(33), 33);
    ok(!writable(&body), "a session id too long");
    body.session_id = view(NULL, 0);
    body.keying_label = ascii("x");
    ok(!writable(&body), "a label for nothing");
    body.keying_size = 1;
    ok(writable(&body), "a label");
    body.keying_context = ascii("x");
    ok(!writable(&body), "a context that is none");
    body.keying_context = view(NULL, 0);
    body.keying_label = view(unit_room(250), 250);
    ok(!writable(&body), "a label too long");
    body.keying_label = ascii("x");
    body.keying_size = TLS_BODY_MATERIAL_MAX;
    ok(writable(&body), "much material");
    body.keying_size++;
    ok(!writable(&body), "more than anybody could have asked for");
}

static void too_large_to_write(void)
{
    struct tls_session session;
    struct tls_body body = {0};
    struct writer w;
    session_make(&session, TLS_1_3);
    body.alpn = view(unit_room(256), 256);
    writer_init(&w);
    tls_body_write(&body, &session, &w);
    ok(!status_ok(writer_status(&w)), "ALPN");
    writer_free(&w);
    body.alpn = view(NULL, 0);
    body.name = view(unit_room(65536), 65536);
    writer_init(&w);
    tls_body_write(&body, &session, &w);
    ok(!status_ok(writer_status(&w)), "name");
    writer_free(&w);
    tls_session_clear(&session);
}

/* ---- certificates ---- */

/* A certificate of no more than what is looked at: an empty tbsCertificate, an algorithm. */
static struct slice signed_with(const char *algorithm)
{
    struct slice content = hex(algorithm);
    struct writer w;
    writer_init(&w);
    size_t outer = der_open(&w, DER_SEQUENCE);
    der_write(&w, DER_SEQUENCE, view(NULL, 0));
    der_write(&w, DER_SEQUENCE, content);
    der_write(&w, DER_BIT_STRING, view(NULL, 0));
    der_close(&w, outer);
    uint8_t *copy = unit_room(w.size);
    memcpy(copy, w.data, w.size);
    struct slice made = {copy, w.size};
    writer_free(&w);
    return made;
}

/* RFC 5929 4.1 */
static void binding_hashes(void)
{
    static const struct {
        const char *algorithm;
        enum crypto_hash hash;
    } rows[] = {
        {"06092a864886f70d010104 0500", CRYPTO_SHA256}, /* MD5 with RSA */
        {"06092a864886f70d010105 0500", CRYPTO_SHA256}, /* SHA-1 */
        {"06092a864886f70d01010b 0500", CRYPTO_SHA256},
        {"06092a864886f70d01010c 0500", CRYPTO_SHA384},
        {"06092a864886f70d01010d 0500", CRYPTO_SHA512},
        {"06082a8648ce3d040302", CRYPTO_SHA256}, /* ECDSA */
        {"06082a8648ce3d040303", CRYPTO_SHA384},
        {"06082a8648ce3d040304", CRYPTO_SHA512},
        {"06032b6570", CRYPTO_SHA256},                  /* Ed25519 names no hash */
        {"06092a864886f70d01010a 3000", CRYPTO_SHA256}, /* PSS: SHA-1 is its default */
        {"06092a864886f70d01010a 300d a00b 3009 0607608648016503 04", CRYPTO_SHA256},
        {"06092a864886f70d01010a 3011 a00f 300d 0609608648016503040202 0500", CRYPTO_SHA384},
        {"06092a864886f70d01010a 3011 a00f 300d 0609608648016503040203 0500", CRYPTO_SHA512},
        {"06092a864886f70d01010a", CRYPTO_SHA256},
        {"0500", CRYPTO_SHA256},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice made = signed_with(rows[i].algorithm);
        ok(tls_binding_hash(made) == rows[i].hash, "%s", rows[i].algorithm);
        for (size_t cut = 0; cut < made.size; cut++) {
            uint8_t *copy = exact_copy(made.data, cut);
            tls_binding_hash(view(copy, cut)); /* reads no further */
            tls_certificate_is_ecdsa(view(copy, cut));
            ok(!tls_certificate_end(view(copy, cut)).size, "cut at %zu", cut);
            free(copy);
        }
    }
}

/* RFC 5280 4.1: a version that may be left out, a number, four SEQUENCEs, then the key */
static void key_kinds(void)
{
    ok(tls_certificate_is_ecdsa(hex("3021 301f a003020102 020101 3000 3000 3000 3000"
                                    "300d 300b 06072a8648ce3d0201 0500")),
       "EC");
    ok(tls_certificate_is_ecdsa(hex("301c 301a 020101 3000 3000 3000 3000"
                                    "300d 300b 06072a8648ce3d0201 0500")),
       "EC of version 1");
    ok(!tls_certificate_is_ecdsa(hex("301e 301c 020101 3000 3000 3000 3000"
                                     "300f 300d 06092a864886f70d010101 0500")),
       "RSA");
    ok(!tls_certificate_is_ecdsa(view(NULL, 0)), "nothing");
}

/* RFC 5280 4.1.2.5: the second of two times, each in one of two forms */
static void ends(void)
{
    static const char begin[] = "a003020102 020101 3000 3000";
    static const struct {
        const char *validity, *end;
    } rows[] = {
        {"301e 170d 3234303130313030303030305a 170d 3439303130313030303030305a",
         "170d 3439303130313030303030305a"},
        {"3020 170d 3234303130313030303030305a 180f 32303530303130313030303030305a",
         "180f 32303530303130313030303030305a"},
        {"300f 170d 3234303130313030303030305a", ""},
        {"3000", ""},
        {"170d 3234303130313030303030305a", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice fields = hex(begin), validity = hex(rows[i].validity), end = hex(rows[i].end);
        struct writer w;
        writer_init(&w);
        size_t outer = der_open(&w, DER_SEQUENCE), inner = der_open(&w, DER_SEQUENCE);
        writer_slice(&w, fields);
        writer_slice(&w, validity);
        der_close(&w, inner);
        der_close(&w, outer);
        struct slice found = tls_certificate_end(writer_view(&w));
        ok(found.size == end.size && (!end.size || !memcmp(found.data, end.data, end.size)), "%s",
           rows[i].validity);
        for (size_t cut = 0; cut < w.size; cut++) {
            uint8_t *copy = exact_copy(w.data, cut);
            ok(!tls_certificate_end(view(copy, cut)).size, "cut at %zu", cut);
            free(copy);
        }
        writer_free(&w);
    }
}

int main(void)
{
    if (!ok(crypto_init() == SEC_E_OK, "libgcrypt")) return 1;
    RUN(layout);
    RUN(every_flag);
    RUN(size);
    RUN(cut_off);
    RUN(damaged);
    RUN(what_does_not_fit);
    RUN(too_large_to_write);
    RUN(binding_hashes);
    RUN(key_kinds);
    RUN(ends);
    return test_end("unit_tls_body");
}
