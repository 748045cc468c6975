/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Security layers of SASL's GSSAPI: RFC 4752 3.1 to 3.3, RFC 4422 3.4.1, and the exported form. */
#include "core/sasl.h"

#include "unit.h"

static status_t offer(const char *text, struct sasl_offer *out)
{
    struct slice bytes = hex(text);
    uint8_t *copy = exact_copy(bytes.data, bytes.size);
    struct sasl_offer message = {0x55, 0x55555555};
    status_t status = sasl_offer_decode(view(copy, bytes.size), &message);
    if (!status_ok(status)) ok(message.layers == 0x55 && message.size == 0x55555555, "untouched");
    free(copy);
    if (out) *out = message;
    return status;
}

static void offers(void)
{
    struct sasl_offer message;
    ok(offer("0700ffff", &message) == SEC_E_OK, "all layers");
    ok(message.layers == SASL_LAYERS && message.size == 0xffff, "what was offered");
    ok(offer("04ffffff", &message) == SEC_E_OK && message.size == SASL_SIZE_MAX, "most");
    ok(offer("01000000", &message) == SEC_E_OK && message.layers == SASL_LAYER_NONE, "none");
    ok(offer("00000000", &message) == SEC_E_OK && !message.layers, "not even none");
    ok(offer("01000001", NULL) == SEC_E_INVALID_TOKEN, "a size for no layer");
    ok(offer("010000", NULL) == SEC_E_INVALID_TOKEN, "three octets");
    ok(offer("0100000000", NULL) == SEC_E_INVALID_TOKEN, "five octets");
    ok(offer("", NULL) == SEC_E_INVALID_TOKEN, "nothing");
    /* Layers to come are not understood, and leave what is. */
    ok(offer("89001000", &message) == SEC_E_OK && message.layers == SASL_LAYER_NONE, "unknown");
    ok(offer("f8001000", &message) == SEC_E_OK && message.layers == 0, "unknown only");
}

static status_t choice(struct slice bytes, struct sasl_choice *out)
{
    uint8_t *copy = exact_copy(bytes.data, bytes.size);
    struct sasl_choice message, before;
    memset(&message, 0x55, sizeof(message));
    before = message;
    status_t status = sasl_choice_decode(view(copy, bytes.size), &message);
    ok(status_ok(status) || !memcmp(&message, &before, sizeof(message)), "untouched");
    if (status_ok(status) && message.authzid.size) message.authzid.data += bytes.data - copy;
    free(copy);
    if (out) *out = message;
    return status;
}

static void choices(void)
{
    struct sasl_choice message;
    ok(choice(hex("02001000 616c696365"), &message) == SEC_E_OK, "with a name");
    ok(message.layer == SASL_LAYER_INTEGRITY && message.size == 0x1000, "what was chosen");
    ok(same(message.authzid, ascii("alice")), "the name");
    ok(choice(hex("01000000"), &message) == SEC_E_OK && !message.authzid.size, "without");
    ok(choice(hex("0300ffff"), NULL) == SEC_E_INVALID_TOKEN, "two layers");
    ok(choice(hex("0000ffff"), NULL) == SEC_E_INVALID_TOKEN, "no layer");
    ok(choice(hex("0800ffff"), NULL) == SEC_E_INVALID_TOKEN, "an unknown layer");
    ok(choice(hex("0c00ffff"), NULL) == SEC_E_INVALID_TOKEN, "an unknown layer beside a known");
    ok(choice(hex("01000001"), NULL) == SEC_E_INVALID_TOKEN, "a size for no layer");
    ok(choice(hex("020010"), NULL) == SEC_E_INVALID_TOKEN, "three octets");
    ok(choice(hex("02001000 61006200"), NULL) == SEC_E_INVALID_TOKEN, "a terminator");
    ok(choice(hex("02001000 ff"), NULL) == SEC_E_INVALID_TOKEN, "not UTF-8");
    ok(choice(hex("02001000 c3"), NULL) == SEC_E_INVALID_TOKEN, "half a character");
}

static void authzids(void)
{
    static char longest[SASL_AUTHZ_MAX + 1];
    memset(longest, 'a', sizeof(longest));
    ok(sasl_authzid_valid(view(NULL, 0)), "empty");
    ok(sasl_authzid_valid(view(longest, SASL_AUTHZ_MAX)), "the longest");
    ok(!sasl_authzid_valid(view(longest, SASL_AUTHZ_MAX + 1)), "longer");
    ok(sasl_authzid_valid(ascii("Gr\xc3\xbcn \xf0\x9f\x8c\xb2")), "beyond ASCII");
    ok(!sasl_authzid_valid(hex("eda080")), "a surrogate");
    ok(!sasl_authzid_valid(hex("c080")), "U+0000 by a detour");
}

static void encoders(void)
{
    struct writer w;
    const struct sasl_offer layers = {SASL_LAYERS, 0x123456};
    const struct sasl_choice chosen = {SASL_LAYER_PRIVACY, 0xffff, ascii("bob")};
    writer_init(&w);
    sasl_offer_encode(&w, &layers);
    ok(same(writer_view(&w), hex("07123456")), "offer");
    sasl_choice_encode(&w, &chosen);
    ok(same(writer_view(&w), hex("07123456 0400ffff 626f62")), "choice");
    ok(status_ok(writer_status(&w)), "written");
    sasl_offer_encode(&w, &(struct sasl_offer){SASL_LAYERS, SASL_SIZE_MAX + 1});
    ok(!status_ok(writer_status(&w)), "four octets of size");
    writer_free(&w);
}

static void rules(void)
{
    static const struct {
        bool integrity, privacy;
        uint8_t offered, chosen; /* 0: none will do */
    } cases[] = {
        {false, false, 7, 1}, {false, false, 6, 2}, {false, false, 4, 4},  {false, false, 0, 0},
        {true, false, 7, 2},  {true, false, 5, 4},  {true, false, 1, 0},   {false, true, 7, 4},
        {true, true, 6, 4},   {true, true, 3, 0},   {true, true, 0xf8, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        uint8_t layer = 0;
        uint8_t wanted = sasl_layers_from(cases[i].integrity, cases[i].privacy);
        status_t status = sasl_layer_choose(cases[i].offered & wanted, &layer);
        ok(status == (cases[i].chosen ? SEC_E_OK : SEC_E_QOP_NOT_SUPPORTED), "%zu: status", i);
        ok(layer == cases[i].chosen, "%zu: layer %u", i, layer);
    }
    ok(sasl_text_size(100, 16) == 84 && sasl_text_size(17, 16) == 1, "room for text");
    ok(!sasl_text_size(16, 16) && !sasl_text_size(0, 16), "no room");
}

static status_t read_body(struct slice bytes, struct sasl_body *out)
{
    struct reader r;
    reader_init(&r, bytes.data, bytes.size);
    status_t status = sasl_body_read(&r, out);
    if (status_ok(status)) ok(reader_end(&r), "all was read");
    return status;
}

static void bodies(void)
{
    static const char layout[] = "04 01 00100000 ffff0000 0300 626f62";
    const struct sasl_body body = {SASL_LAYER_PRIVACY, true, 0x1000, 0xffff, ascii("bob")};
    struct sasl_body back;
    struct writer w;
    writer_init(&w);
    sasl_body_write(&body, &w);
    ok(same(writer_view(&w), hex(layout)), "layout");
    ok(read_body(writer_view(&w), &back) == SEC_E_OK, "read");
    ok(back.layer == body.layer && back.authz_forbidden && back.send_size == body.send_size,
       "head");
    ok(back.receive_size == body.receive_size && same(back.authzid, body.authzid), "rest");
    for (size_t size = 0; size < w.size; size++)
        ok(read_body(view(w.data, size), &back) == SEC_E_INVALID_TOKEN, "%zu bytes", size);
    writer_free(&w);
    ok(read_body(hex("00 00 00000000 00000000 0000"), &back) == SEC_E_OK, "no layer of its own");
    ok(!status_ok(read_body(hex("03 00 00000000 00000000 0000"), &back)), "two layers");
    ok(!status_ok(read_body(hex("04 02 00000000 00000000 0000"), &back)), "neither true nor false");
    ok(!status_ok(read_body(hex("04 00 00000001 00000000 0000"), &back)), "sends too much");
    ok(!status_ok(read_body(hex("04 00 00000000 00000001 0000"), &back)), "receives too much");
    ok(!status_ok(read_body(hex("04 00 00000000 00000000 0100 00"), &back)), "no such name");
}

int main(void)
{
    RUN(offers);
    RUN(choices);
    RUN(authzids);
    RUN(encoders);
    RUN(rules);
    RUN(bodies);
    return test_end("unit_sasl");
}
