/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tokens of user-to-user: draft-swift-win2k-krb-user2user-03 4, RFC 4121 4.1.1. */
#include "core/kerberos_user.h"

#include "unit.h"

/* Put together by hand from the definitions. */
static const char request[] = "60 3b 060a 2a864886f71201020203 0400"
                              "  302b a003020105 a103020110"
                              "    a217 3015 a003020102 a10e 300c 1b04 48545450 1b04 6261726e"
                              "    a306 1b04 4641524d";
static const char bare[] = "60 1a 060a 2a864886f71201020203 0400 300a a003020105 a103020110";

/* A ticket for krbtgt/FARM@FARM with four bytes for the KDC. */
#define TICKET                                                        \
    "613f 303d a003020105 a106 1b04 4641524d"                         \
    " a219 3017 a003020102 a110 300e 1b06 6b7262746774 1b04 4641524d" \
    " a313 3011 a003020112 a2 0a 0408 0102030405060708"
static const char reply[] = "60 5d 060a 2a864886f71201020203 0401"
                            "  304d a003020105 a103020111 a241" TICKET;

static const struct kerberos_name barn = {2, 2, {NULL, 0}, {NULL, 0}};

static struct kerberos_name server(void)
{
    struct kerberos_name name = barn;
    name.parts = hex("0400 48545450 0400 6261726e");
    name.realm = ascii("FARM");
    return name;
}

static struct slice framed(enum kerberos_user_kind kind, struct writer *message)
{
    struct writer w;
    writer_init(&w);
    kerberos_user_token_write(&w, kind, writer_view(message));
    uint8_t *copy = unit_room(w.size);
    memcpy(copy, w.data, w.size);
    struct slice token = {copy, w.size};
    writer_free(&w);
    writer_free(message);
    return token;
}

static void requests(void)
{
    struct kerberos_name name = server(), none = {0};
    struct writer w;
    struct slice message, realm;
    enum kerberos_user_kind kind;
    writer_init(&w);
    kerberos_user_request_write(&w, &name);
    struct slice token = framed(KERBEROS_USER_TGT_REQUEST, &w);
    ok(same(token, hex(request)), "with name and realm: %zu bytes", token.size);
    ok(kerberos_user_is_token(token), "its mechanism");
    status_t status = kerberos_user_token_read(token, &kind, &message);
    ok(status == SEC_E_OK && kind == KERBEROS_USER_TGT_REQUEST, "read: %#x", status);
    status = kerberos_user_request_read(message, &realm);
    ok(status == SEC_E_OK && same(realm, ascii("FARM")), "its realm: %#x", status);

    writer_init(&w);
    kerberos_user_request_write(&w, &none);
    token = framed(KERBEROS_USER_TGT_REQUEST, &w);
    ok(same(token, hex(bare)), "with neither: %zu bytes", token.size);
    status = kerberos_user_token_read(token, &kind, &message);
    if (status_ok(status)) status = kerberos_user_request_read(message, &realm);
    ok(status == SEC_E_OK && !realm.size, "no realm: %#x", status);
}

static void replies(void)
{
    struct kerberos_user_reply found;
    struct writer w;
    struct slice message;
    enum kerberos_user_kind kind;
    writer_init(&w);
    kerberos_user_reply_write(&w, hex(TICKET));
    struct slice token = framed(KERBEROS_USER_TGT_REPLY, &w);
    ok(same(token, hex(reply)), "%zu bytes of %zu", token.size, hex(reply).size);
    status_t status = kerberos_user_token_read(token, &kind, &message);
    ok(status == SEC_E_OK && kind == KERBEROS_USER_TGT_REPLY, "read: %#x", status);
    status = kerberos_user_reply_read(message, &found);
    ok(status == SEC_E_OK && same(found.ticket, hex(TICKET)) && same(found.realm, ascii("FARM")) &&
           same(found.granting, ascii("FARM")),
       "what is in it: %#x", status);
}

/* Of krbtgt/FARM other names are no ticket that grants tickets. */
static void services(void)
{
    static const char *const names[] = {
        "1b06 6b7262746775 1b04 4641524d", /* krbtgu */
        "1b06 6b7262746774 1a04 4641524d", /* another kind of text */
        "1b0c 6b7262746774 1b04 4641524d", /* one name */
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct kerberos_user_reply found;
        struct slice message, changed = hex(reply);
        enum kerberos_user_kind kind;
        struct slice part = hex(names[i]);
        memcpy((uint8_t *)(uintptr_t)changed.data + changed.size - 21 - part.size, part.data,
               part.size);
        status_t status = kerberos_user_token_read(changed, &kind, &message);
        if (status_ok(status)) status = kerberos_user_reply_read(message, &found);
        ok(status == (i == 1 ? SEC_E_INVALID_TOKEN : SEC_E_OK), "names %zu: %#x", i, status);
        if (status_ok(status)) ok(!found.granting.size, "names %zu grant tickets", i);
    }
}

static bool token_is_whole(struct slice token)
{
    struct kerberos_user_reply found;
    struct slice message, realm;
    enum kerberos_user_kind kind;
    if (!status_ok(kerberos_user_token_read(token, &kind, &message))) return false;
    if (kind == KERBEROS_USER_TGT_REQUEST)
        return status_ok(kerberos_user_request_read(message, &realm));
    return kind == KERBEROS_USER_TGT_REPLY && status_ok(kerberos_user_reply_read(message, &found));
}

/* What is left of a token is none, nor is one with something behind it; of a changed byte nobody
 * reads beyond the end. */
static void damage(void)
{
    static const char *const tokens[] = {request, bare, reply};
    for (size_t i = 0; i < sizeof(tokens) / sizeof(*tokens); i++) {
        struct slice whole = hex(tokens[i]);
        ok(token_is_whole(whole), "token %zu", i);
        for (size_t size = 0; size < whole.size; size++) {
            uint8_t *block = exact_copy(whole.data, size);
            ok(!token_is_whole(view(block, size)), "token %zu: %zu bytes", i, size);
            ok(kerberos_user_is_token(view(block, size)) == (size >= 14), "token %zu, %zu bytes", i,
               size);
            free(block);
        }
        uint8_t *longer = exact_copy(whole.data, whole.size + 1);
        ok(!token_is_whole(view(longer, whole.size + 1)), "token %zu: a byte more", i);
        free(longer);
        for (size_t at = 0; at < whole.size; at++) {
            uint8_t *block = exact_copy(whole.data, whole.size);
            for (unsigned bit = 0; bit < 8; bit++) {
                block[at] = (uint8_t)(whole.data[at] ^ 1u << bit);
                bool read = token_is_whole(view(block, whole.size));
                ok(!read || at > 14, "token %zu: byte %zu, bit %u", i, at, bit);
            }
            free(block);
        }
    }
}

static void kinds(void)
{
    static const struct {
        unsigned kind;
        bool known;
    } rows[] = {{0x0100, true},  {0x0200, true},  {0x0300, true},  {0x0400, true}, {0x0401, true},
                {0x0001, false}, {0x0101, false}, {0x0402, false}, {0x0500, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        enum kerberos_user_kind kind = KERBEROS_USER_ERROR;
        struct slice message, token = hex(bare);
        uint8_t *bytes = (uint8_t *)(uintptr_t)token.data;
        bytes[14] = (uint8_t)(rows[i].kind >> 8);
        bytes[15] = (uint8_t)rows[i].kind;
        status_t status = kerberos_user_token_read(token, &kind, &message);
        ok(status_ok(status) == rows[i].known, "%04x: %#x", rows[i].kind, status);
        ok(!status_ok(status) || kind == rows[i].kind, "%04x is told as %04x", rows[i].kind, kind);
    }
}

/* RFC 4121 4.1.1: little endian, and what may follow is not looked at. */
static void checksums(void)
{
    static const char form[] = "10000000 000102030405060708090a0b0c0d0e0f 3e000000";
    struct kerberos_user_checksum checksum = {.flags = 0x3e}, found;
    struct writer w;
    struct slice whole = hex(form);
    for (uint8_t i = 0; i < 16; i++) checksum.bindings[i] = i;
    writer_init(&w);
    kerberos_user_checksum_write(&w, &checksum);
    ok(same(writer_view(&w), whole), "written: %zu bytes", w.size);
    writer_free(&w);
    for (size_t size = 0; size <= whole.size; size++) {
        uint8_t *block = exact_copy(whole.data, size);
        status_t status = kerberos_user_checksum_read(view(block, size), &found);
        ok(status == (size < whole.size ? SEC_E_INVALID_TOKEN : SEC_E_OK), "%zu bytes: %#x", size,
           status);
        free(block);
    }
    ok(found.flags == 0x3e && !memcmp(found.bindings, checksum.bindings, 16), "read");
    struct slice more = hex("10000000 00000000000000000000000000000000 01000000 0100 0000");
    ok(status_ok(kerberos_user_checksum_read(more, &found)) && found.flags == 1, "with a ticket");
    struct slice other = hex("11000000 00000000000000000000000000000000 01000000 00");
    ok(!status_ok(kerberos_user_checksum_read(other, &found)), "of another size");
}

int main(void)
{
    RUN(requests);
    RUN(replies);
    RUN(services);
    RUN(damage);
    RUN(kinds);
    RUN(checksums);
    return test_end("unit_kerberos_user");
}
