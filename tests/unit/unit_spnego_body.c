/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The body of an exported context of Negotiate: its layout, and what must not be read. */
#include "core/spnego_body.h"

#include "unit.h"

#define HEAD "04030201 0807060504030201 12030900"
#define NTLM "0800 4e0054004c004d00 0a00 2b06010401823702020a"
#define LIST "0e00 300c060a2b06010401823702020a"

static const char half_open[] = "01 02 1000 " HEAD " " NTLM " " LIST
                                " 0600 480054000000 0100 62 0000 02000000 6969";

static status_t read_body(struct slice bytes, struct spnego_body *out)
{
    uint8_t *copy = exact_copy(bytes.data, bytes.size);
    struct spnego_body body;
    memset(&body, 0x55, sizeof(body));
    struct spnego_body before = body;
    status_t status = spnego_body_read(view(copy, bytes.size), &body);
    ok(status == SEC_E_OK || !memcmp(&body, &before, sizeof(body)), "untouched");
    if (out) *out = body;
    free(copy);
    return status;
}

static bool readable(const char *text)
{
    status_t status = read_body(hex(text), NULL);
    ok(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN, "%08x", (unsigned)status);
    return status_ok(status);
}

static void layout(void)
{
    struct writer w;
    const struct spnego_body body = {
        .stage = SPNEGO_STAGE_OFFERED,
        .extra_leg = true,
        .attributes = 0x01020304,
        .expiry = 0x0102030405060708,
        .last_status = SEC_I_CONTINUE_NEEDED,
        .package = wide("NTLM"),
        .oid = spnego_oid_ntlm,
        .mech_list = hex("300c060a2b06010401823702020a"),
        .target = hex("480054000000"),
        .bindings = ascii("b"),
        .inner = ascii("ii"),
    };
    writer_init(&w);
    spnego_body_write(&body, &w);
    ok(same(writer_view(&w), hex(half_open)), "written");
    writer_free(&w);

    struct spnego_body back;
    ok(read_body(hex(half_open), &back) == SEC_E_OK, "read");
    ok(back.stage == body.stage && back.expiry == body.expiry && !back.acceptor, "numbers");
    ok(back.attributes == body.attributes && back.last_status == body.last_status, "more of them");
    ok(back.extra_leg && !back.raw && !back.inner_done && !back.mic_required, "flags");
    ok(back.package.size == 8 && back.oid.size == 10 && back.inner.size == 2, "parts");
}

static void every_flag(void)
{
    for (unsigned bit = 0; bit < 8; bit++) {
        struct spnego_body body = {.stage = SPNEGO_STAGE_ESTABLISHED, .inner_done = true};
        bool *flags[] = {&body.acceptor,  &body.raw,          &body.inner_done, &body.answered,
                         &body.extra_leg, &body.mic_required, &body.mic_sent,   &body.mic_received};
        body.package = wide("p");
        body.oid = ascii("o");
        body.inner = ascii("i");
        *flags[bit] = true;
        struct writer w;
        writer_init(&w);
        spnego_body_write(&body, &w);
        ok(w.data[2] == (1u << bit | 4u), "bit %u is %02x", bit, w.data[2]);
        struct spnego_body back;
        ok(read_body(writer_view(&w), &back) == SEC_E_OK, "read");
        bool read[] = {back.acceptor,  back.raw,          back.inner_done, back.answered,
                       back.extra_leg, back.mic_required, back.mic_sent,   back.mic_received};
        for (unsigned i = 0; i < 8; i++) ok(read[i] == *flags[i], "flag %u of %u", i, bit);
        writer_free(&w);
    }
}

static void too_long(void)
{
    struct writer w;
    const struct spnego_body body = {.stage = SPNEGO_STAGE_ESTABLISHED,
                                     .bindings = view(unit_pool, 65536)};
    writer_init(&w);
    spnego_body_write(&body, &w);
    ok(!status_ok(writer_status(&w)), "a part over 65,535 bytes");
    writer_free(&w);
}

static void cut_short(void)
{
    struct slice whole = hex(half_open);
    for (size_t size = 0; size < whole.size; size++)
        ok(read_body(view(whole.data, size), NULL) == SEC_E_INVALID_TOKEN, "%u bytes",
           (unsigned)size);
}

#define PARTS(target, inner) NTLM LIST target "0000 0000" inner
#define USUAL PARTS("0000", "01000000 69")
#define NO_INNER PARTS("0000", "00000000")
#define NO_MECH "0000 0000"

static void contradictions(void)
{
    static const struct {
        const char *body, *what;
        bool good;
    } cases[] = {
        {"01 02 0000" HEAD USUAL, "offered", true},
        {"02 02 0000" HEAD USUAL, "version 2", false},
        {"01 02 0001" HEAD USUAL, "an unknown flag", false},
        {"01 02 0100" HEAD USUAL, "an acceptor that offers", false},
        {"01 02 0200" HEAD USUAL, "an offer without SPNEGO", false},
        {"01 02 0000" HEAD NO_INNER, "an offer without a token", false},
        {"01 02 0000" HEAD NTLM "0000 0000 0000 0000 01000000 69", "an empty offer", false},
        {"01 02 0000" HEAD USUAL "00", "a byte too many", false},
        {"01 02 0000" HEAD PARTS("0400 41000000", "01000000 69"), "a target", true},
        {"01 02 0000" HEAD PARTS("0400 00004100", "01000000 69"), "a target without end", false},
        {"01 02 0000" HEAD PARTS("0300 410000", "01000000 69"), "half a character", false},
        {"01 01 0100" HEAD NO_MECH "0000 0000 0000 0000 00000000", "hinted", true},
        {"01 01 0000" HEAD NO_MECH "0000 0000 0000 0000 00000000", "an initiator's hints", false},
        {"01 01 0500" HEAD NO_MECH "0000 0000 0000 0000 00000000", "done without any", false},
        {"01 01 0100" HEAD USUAL, "hinted with a mechanism's context", false},
        {"01 03 0000" HEAD USUAL, "chosen", true},
        {"01 03 0100" HEAD USUAL, "chosen, acceptor", true},
        {"01 03 0100" HEAD NO_INNER, "chosen, acceptor without a token yet", true},
        {"01 03 0000" HEAD NO_INNER, "chosen, initiator without a token", false},
        {"01 03 0400" HEAD USUAL, "the mechanism done before the negotiation", true},
        {"01 03 0200" HEAD USUAL, "chosen, without SPNEGO", true},
        {"01 03 0600" HEAD USUAL, "done without SPNEGO and not established", false},
        {"01 03 0100" HEAD NO_MECH LIST "0000 0000 0000 00000000", "nothing chosen", false},
        {"01 04 0400" HEAD USUAL, "established", true},
        {"01 04 0600" HEAD USUAL, "established without SPNEGO", true},
        {"01 04 0000" HEAD USUAL, "established and not done", false},
        {"01 04 0400" HEAD NO_INNER, "established without a context", false},
        {"01 05 0400" HEAD USUAL, "failed", false},
        {"01 00 0400" HEAD USUAL, "stage 0", false},
        {"01 04 0400" HEAD NO_MECH "0000 0000 0000 0000 01000000 69", "of no mechanism", false},
        {"01 04 0400" HEAD "0000 0100 2a 0000 0000 0000 0000 01000000 69", "no package", false},
        {"01 04 0400" HEAD "0200 4100 0000 0000 0000 0000 0000 01000000 69", "no identifier",
         false},
        {"01 04 0400" HEAD "0100 41 0100 2a 0000 0000 0000 0000 01000000 69", "half a name", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        ok(readable(cases[i].body) == cases[i].good, "%s", cases[i].what);
}

int main(void)
{
    RUN(layout);
    RUN(every_flag);
    RUN(too_long);
    RUN(cut_short);
    RUN(contradictions);
    return test_end("unit_spnego_body");
}
