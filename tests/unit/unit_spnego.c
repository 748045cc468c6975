/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SPNEGO's messages: RFC 4178 4.2, MS-SPNG 2.2.1. Whole messages are in tests/vectors/spnego.vec;
 * here is what must not pass, one rule after the other.
 */
#include "core/spnego.h"

#include "unit.h"

#define NTLM_OID "060a2b06010401823702020a"
#define NTLM_LIST "300c " NTLM_OID
#define SPNEGO_OID "06062b0601050502"

/* Head and content; lengths are made here so that only the intended rule is broken. */
static struct slice element(uint8_t tag, struct slice content)
{
    struct writer w;
    writer_init(&w);
    der_write(&w, tag, content);
    struct slice made = writer_view(&w);
    uint8_t *copy = unit_room(made.size);
    memcpy(copy, made.data, made.size);
    writer_free(&w);
    return view(copy, made.size);
}

static struct slice join(struct slice a, struct slice b)
{
    uint8_t *both = unit_room(a.size + b.size);
    if (a.size) memcpy(both, a.data, a.size);
    if (b.size) memcpy(both + a.size, b.data, b.size);
    return view(both, a.size + b.size);
}

static struct slice init_of(struct slice sequence)
{
    return element(0x60, join(hex(SPNEGO_OID), element(0xa0, sequence)));
}

/* A NegTokenInit with these parts. */
static struct slice init_token(const char *parts)
{
    return init_of(element(0x30, hex(parts)));
}

static struct slice response_token(const char *parts)
{
    return element(0xa1, element(0x30, hex(parts)));
}

static status_t decode_init(struct slice token)
{
    struct spnego_init message, before;
    memset(&message, 0x55, sizeof(message));
    before = message;
    status_t status = spnego_init_decode(token, &message);
    ok(status == SEC_E_OK || !memcmp(&message, &before, sizeof(message)), "untouched");
    return status;
}

static status_t decode_response(struct slice token)
{
    struct spnego_response message, before;
    memset(&message, 0x55, sizeof(message));
    before = message;
    status_t status = spnego_response_decode(token, &message);
    ok(status == SEC_E_OK || !memcmp(&message, &before, sizeof(message)), "untouched");
    return status;
}

#define PARTS "a00e" NTLM_LIST

static void init_parts(void)
{
    static const struct {
        const char *what, *parts;
    } wrong[] = {
        {"nothing", ""},
        {"no list", "a2030401aa"},
        {"a list of none", "a0023000"},
        {"an empty [0]", "a000"},
        {"an empty identifier", "a00430020600"},
        {"a list of something else", "a005 3003 0401aa"},
        {"two lists in [0]", "a01c" NTLM_LIST NTLM_LIST},
        {"something behind the list in [0]", "a010" NTLM_LIST "0400"},
        {"[0] twice", PARTS PARTS},
        {"the token before the list", "a2030401aa" PARTS},
        {"the token twice", PARTS "a2030401aa a2030401aa"},
        {"two strings in [2]", PARTS "a206 0401aa 0401aa"},
        {"an empty [2]", PARTS "a200"},
        {"another type in [2]", PARTS "a2030a0101"},
        {"reqFlags behind the token", PARTS "a2030401aa a10403020106"},
        {"reqFlags of another type", PARTS "a1030401aa"},
        {"the MIC before the token", PARTS "a3030401aa a2030401aa"},
        {"the MIC in [3] and in [4]", PARTS "a3030401aa a4030401aa"},
        {"the MIC twice", PARTS "a4030401aa a4030401aa"},
        {"two MICs in [3]", PARTS "a306 0401aa 0401aa"},
        {"hints twice", PARTS "a3023000 a3023000"},
        {"something behind the hints", PARTS "a3043000 0400"},
        {"a MIC behind the hints", PARTS "a3053000 0401aa"},
        {"a name of another type", PARTS "a3073005 a003 0c0168"},
        {"an address before the name", PARTS "a30c300a a1030401aa a0031b0168"},
        {"an unknown hint", PARTS "a3073005 a2030401aa"},
        {"an unknown part", PARTS "a5030401aa"},
        {"no tag", PARTS "0000"},
    };
    ok(decode_init(init_token(PARTS)) == SEC_E_OK, "the list alone");
    ok(decode_init(init_token(PARTS "a2030401aa a4030401aa")) == SEC_E_OK, "a MIC in [4]");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        ok(decode_init(init_token(wrong[i].parts)) == SEC_E_INVALID_TOKEN, "%s", wrong[i].what);
}

static void init_frame(void)
{
    struct slice body = element(0x30, hex(PARTS));
    struct slice oid = hex(SPNEGO_OID), good = init_of(body);
    ok(decode_init(good) == SEC_E_OK, "intact");
    ok(decode_init(join(good, hex("00"))) == SEC_E_INVALID_TOKEN, "a byte behind all");
    ok(decode_init(element(0x60, join(oid, join(element(0xa0, body), hex("0400"))))) ==
           SEC_E_INVALID_TOKEN,
       "something behind [0]");
    ok(decode_init(init_of(join(body, hex("0400")))) == SEC_E_INVALID_TOKEN, "behind the SEQUENCE");
    ok(decode_init(init_of(join(body, body))) == SEC_E_INVALID_TOKEN, "two SEQUENCEs");
    ok(decode_init(init_of(element(0x31, hex(PARTS)))) == SEC_E_INVALID_TOKEN, "a SET");
    ok(decode_init(element(0x60, join(oid, element(0xa1, body)))) == SEC_E_INVALID_TOKEN, "[1]");
    ok(decode_init(element(0x61, join(oid, element(0xa0, body)))) == SEC_E_INVALID_TOKEN, "61");
    ok(decode_init(element(0xa0, body)) == SEC_E_INVALID_TOKEN, "no frame");
    ok(decode_init(element(0x60, element(0xa0, body))) == SEC_E_INVALID_TOKEN, "no identifier");
    ok(decode_init(element(0x60, join(hex("06062b0601050503"), element(0xa0, body)))) ==
           SEC_E_INVALID_TOKEN,
       "another identifier");
    ok(decode_init(element(0xa1, element(0x30, hex("a0030a0100")))) == SEC_E_INVALID_TOKEN,
       "a response");
    ok(decode_init(view(NULL, 0)) == SEC_E_INVALID_TOKEN, "no token");
}

static void response_parts(void)
{
    static const struct {
        const char *what, *parts;
    } wrong[] = {
        {"a state that does not exist", "a0030a0104"},
        {"a negative state", "a0030a01ff"},
        {"the value that stands for none", "a0030a01fe"},
        {"a state of two octets", "a0040a020001"},
        {"a state of none", "a0020a00"},
        {"a state of another type", "a003020101"},
        {"an empty [0]", "a000"},
        {"two states", "a0060a01010a0101"},
        {"[0] twice", "a0030a0101 a0030a0101"},
        {"an empty identifier", "a1020600"},
        {"two identifiers", "a118" NTLM_OID NTLM_OID},
        {"the state behind the mechanism", "a10c" NTLM_OID "a0030a0101"},
        {"a token of another type", "a203030100"},
        {"the MIC before the token", "a3030401aa a2030401aa"},
        {"the MIC twice", "a3030401aa a3030401aa"},
        {"hints", "a3023000"},
        {"an unknown part", "a4030401aa"},
        {"no tag", "0000"},
    };
    ok(decode_response(response_token("a0030a0103")) == SEC_E_OK, "a state alone");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        ok(decode_response(response_token(wrong[i].parts)) == SEC_E_INVALID_TOKEN, "%s",
           wrong[i].what);
    struct slice good = response_token("a0030a0103"), body = element(0x30, hex("a0030a0103"));
    ok(decode_response(join(good, hex("00"))) == SEC_E_INVALID_TOKEN, "a byte behind all");
    ok(decode_response(element(0xa1, join(body, hex("0400")))) == SEC_E_INVALID_TOKEN,
       "something behind the SEQUENCE");
    ok(decode_response(element(0xa0, body)) == SEC_E_INVALID_TOKEN, "[0]");
    ok(decode_response(body) == SEC_E_INVALID_TOKEN, "no choice");
    ok(decode_response(init_token(PARTS)) == SEC_E_INVALID_TOKEN, "a NegTokenInit");
    ok(decode_response(view(NULL, 0)) == SEC_E_INVALID_TOKEN, "no token");
}

static void counts(void)
{
    struct slice mechs[SPNEGO_MECHS_MAX + 1];
    for (size_t count = 0; count <= SPNEGO_MECHS_MAX + 1; count++) {
        struct slice list = hex("");
        bool fits = count && count <= SPNEGO_MECHS_MAX;
        for (size_t i = 0; i < count; i++) list = join(list, hex(NTLM_OID));
        list = element(0x30, list);
        struct spnego_init message;
        status_t status = spnego_init_decode(init_of(element(0x30, element(0xa0, list))), &message);
        ok(status == (fits ? SEC_E_OK : SEC_E_INVALID_TOKEN), "%zu: %x", count, (unsigned)status);
        if (status == SEC_E_OK) ok(message.mech_count == count, "%zu mechanisms", count);
        if (status == SEC_E_OK) ok(same(message.mech_list, list), "%zu: the list", count);

        struct writer w;
        writer_init(&w);
        for (size_t i = 0; i < count; i++) mechs[i] = spnego_oid_ntlm;
        spnego_mech_list_encode(&w, mechs, count);
        ok((writer_status(&w) == SEC_E_OK) == fits, "%zu: encode", count);
        if (fits) ok(same(writer_view(&w), list), "%zu: encoded", count);
        writer_free(&w);
    }
}

/* Long forms and indefinite lengths at each level, all else being right. */
static void forms(void)
{
    struct slice good = init_token(PARTS "a2030401aa");
    ok(decode_init(good) == SEC_E_OK, "intact");
    for (size_t at = 0; at + 1 < good.size; at++) {
        uint8_t *longer = unit_room(good.size + 1);
        memcpy(longer, good.data, at + 1);
        longer[at + 1] = 0x81;
        memcpy(longer + at + 2, good.data + at + 1, good.size - at - 1);
        ok(decode_init(view(longer, good.size + 1)) != SEC_E_OK, "long form at %zu", at);
        uint8_t *indefinite = unit_room(good.size + 2);
        memcpy(indefinite, good.data, good.size);
        indefinite[at + 1] = 0x80;
        indefinite[good.size] = indefinite[good.size + 1] = 0;
        ok(decode_init(view(indefinite, good.size + 2)) != SEC_E_OK, "indefinite at %zu", at);
    }
}

/* Elements inside one another, as deep as a token allows. */
static void depth(void)
{
    static uint8_t deep[SPNEGO_TOKEN_MAX];
    static const uint8_t tags[] = {0x60, 0xa0, 0xa1, 0xa3, 0x30};
    for (size_t t = 0; t < sizeof(tags); t++) {
        size_t at = sizeof(deep);
        for (size_t size = 0; size + 4 <= sizeof(deep); size = sizeof(deep) - at) {
            at -= size < 0x80 ? 2 : size < 0x100 ? 3 : 4;
            uint8_t head[4] = {tags[t], 0x82, (uint8_t)(size >> 8), (uint8_t)size};
            if (size < 0x100) head[1] = 0x81, head[2] = (uint8_t)size;
            if (size < 0x80) head[1] = (uint8_t)size;
            memcpy(deep + at, head, size < 0x80 ? 2 : size < 0x100 ? 3 : 4);
        }
        struct slice token = view(deep + at, sizeof(deep) - at);
        ok(token.size > SPNEGO_TOKEN_MAX - 4, "%x: %zu bytes", tags[t], token.size);
        ok(decode_init(token) == SEC_E_INVALID_TOKEN, "%x: as NegTokenInit", tags[t]);
        ok(decode_response(token) == SEC_E_INVALID_TOKEN, "%x: as NegTokenResp", tags[t]);
        enum spnego_kind kind = tags[t] == 0xa1 ? SPNEGO_RESPONSE : SPNEGO_UNKNOWN;
        ok(spnego_kind(token, NULL) == kind, "%x: kind", tags[t]);
    }
}

/* A response token of this size, encoded; its whole size, or 0 for a refusal. */
static size_t response_size(size_t token)
{
    static uint8_t block[SPNEGO_TOKEN_MAX];
    struct spnego_response message = {.state = SPNEGO_STATE_ABSENT, .token = {block, token}}, out;
    struct writer w;
    writer_init(&w);
    spnego_response_encode(&w, &message);
    size_t size = writer_view(&w).size;
    ok(!size || spnego_response_decode(writer_view(&w), &out) == SEC_E_OK, "%zu: decode", token);
    writer_free(&w);
    return size;
}

static void sizes(void)
{
    const size_t heads = 4 * 4;
    ok(response_size(SPNEGO_TOKEN_MAX - heads) == SPNEGO_TOKEN_MAX, "the largest");
    for (size_t more = 1; more <= heads; more++)
        ok(!response_size(SPNEGO_TOKEN_MAX - heads + more), "%zu more", more);
    ok(response_size(0) == 8 && response_size(120) == 128, "small ones");
}

static void large_input(void)
{
    uint8_t *large = exact_copy(unit_pool, SPNEGO_TOKEN_MAX + 1);
    memcpy(large, hex("a182fffc 3082fff8 a282fff4 0482fff0").data, 16);
    ok(decode_response(view(large, SPNEGO_TOKEN_MAX)) == SEC_E_INVALID_TOKEN, "a byte behind");
    memcpy(large, hex("a182fffb 3082fff7 a282fff3 0482ffef").data, 16);
    ok(decode_response(view(large, SPNEGO_TOKEN_MAX)) == SEC_E_OK, "the largest");
    memcpy(large, hex("a182fffc 3082fff8 a282fff4 0482fff0").data, 16);
    ok(decode_response(view(large, SPNEGO_TOKEN_MAX + 1)) == SEC_E_INVALID_TOKEN, "one more");
    const char *head = "6082fffb" SPNEGO_OID "a082ffef 3082ffeb" PARTS "a282ffd7 0482ffd3";
    memcpy(large, hex(head).data, 44);
    ok(decode_init(view(large, SPNEGO_TOKEN_MAX)) == SEC_E_OK, "the largest NegTokenInit");
    head = "6082fffc" SPNEGO_OID "a082fff0 3082ffec" PARTS "a282ffd8 0482ffd4";
    memcpy(large, hex(head).data, 44);
    ok(decode_init(view(large, SPNEGO_TOKEN_MAX + 1)) == SEC_E_INVALID_TOKEN, "one more of it");
    free(large);
}

static void kinds(void)
{
    struct slice mech = view(NULL, 0);
    struct slice krb5 = hex("60 0d 06092a864886f712010202 0100");
    ok(spnego_kind(init_token(PARTS), &mech) == SPNEGO_INIT && !mech.data, "NegTokenInit");
    ok(spnego_kind(response_token(""), &mech) == SPNEGO_RESPONSE && !mech.data, "NegTokenResp");
    ok(spnego_kind(view("NTLMSSP\0\1\0\0\0", 12), &mech) == SPNEGO_RAW_NTLM && !mech.data, "NTLM");
    ok(spnego_kind(view("NTLMSSP\0", 8), NULL) == SPNEGO_RAW_NTLM, "its signature alone");
    ok(spnego_kind(krb5, NULL) == SPNEGO_RAW_MECH, "Kerberos, nobody asks");
    ok(spnego_kind(krb5, &mech) == SPNEGO_RAW_MECH && same(mech, spnego_oid_kerberos), "Kerberos");
    mech = view(NULL, 0);
    ok(spnego_kind(hex("6e03300100"), &mech) == SPNEGO_RAW_MECH && same(mech, spnego_oid_kerberos),
       "an AP-REQ");
    ok(spnego_kind(hex("6f03300100"), NULL) == SPNEGO_UNKNOWN, "an AP-REP");
    ok(spnego_kind(view("NTLMSSP", 7), NULL) == SPNEGO_UNKNOWN, "a signature cut short");
    ok(spnego_kind(view("NTLMSSQ\0", 8), NULL) == SPNEGO_UNKNOWN, "another signature");
    ok(spnego_kind(view(NULL, 0), NULL) == SPNEGO_UNKNOWN, "nothing");
    ok(spnego_kind(hex("60020600"), NULL) == SPNEGO_UNKNOWN, "an empty identifier");
    ok(spnego_kind(hex("60030402aa"), NULL) == SPNEGO_UNKNOWN, "no identifier");
    for (size_t size = 0; size < krb5.size; size++) {
        uint8_t *cut = exact_copy(krb5.data, size);
        ok(spnego_kind(view(cut, size), NULL) == SPNEGO_UNKNOWN, "%zu bytes", size);
        free(cut);
    }
}

/* Parses behind an octet that was there before. */
static bool parse(const char *text, const char *octets)
{
    struct writer w;
    writer_init(&w);
    writer_u8(&w, 0x55);
    bool parsed = spnego_oid_parse(text, &w);
    struct slice all = writer_view(&w);
    ok(writer_status(&w) == SEC_E_OK && same(view(all.data + 1, all.size - 1), hex(octets)),
       "\"%s\": octets", text);
    writer_free(&w);
    return parsed;
}

static void identifiers(void)
{
    ok(parse("1.3.6.1.4.1.311.2.2.10", "2b06010401823702020a"), "NTLM");
    ok(parse("1.2.840.113554.1.2.2", "2a864886f712010202"), "Kerberos");
    ok(parse("1.2.840.48018.1.2.2", "2a864882f712010202"), "Microsoft's Kerberos");
    ok(parse("0.0", "00") && parse("1.39", "4f") && parse("2.999.0", "883700"), "two in one");
    ok(parse("2.4294967295.4294967295", "908080804f8fffffff7f"), "32 bits");
    ok(parse("1.2.127.128.16383.16384", "2a7f8100ff7f818000"), "limits of the groups");
}

static void wrong_identifiers(void)
{
    static const char wrong[] = "|1|1.|.1.2|1.2.|1..2|3.1|1.40|0.40|1.2a|1,2|1.02|01.2| 1.2|1.2 "
                                "|-1.2|1.-2|+1.2|1.2.0x3|1.2.4294967296|1.2.99999999999999999999|"
                                "1.2.18446744073709551617|4294967297.2.3|";
    char text[sizeof(wrong)];
    memcpy(text, wrong, sizeof(text));
    for (char *at = text, *end; (end = strchr(at, '|')); at = end + 1) {
        *end = 0;
        ok(!parse(at, ""), "\"%s\"", at);
    }
}

/* As many numbers as fit, and one more; a block that is too small. */
static void identifier_sizes(void)
{
    char text[2 * SPNEGO_OID_MAX + 4] = "1.2";
    uint8_t block[SPNEGO_OID_MAX];
    struct writer w;
    for (size_t octets = 1; octets < SPNEGO_OID_MAX; octets++) strcat(text, ".7");
    writer_init_fixed(&w, block, sizeof(block));
    ok(spnego_oid_parse(text, &w) && writer_view(&w).size == SPNEGO_OID_MAX, "the longest");
    writer_init_fixed(&w, block, sizeof(block) - 1);
    ok(!spnego_oid_parse(text, &w) && writer_status(&w) == SEC_E_BUFFER_TOO_SMALL, "no room");
    strcat(text, ".7");
    writer_init_fixed(&w, block, sizeof(block));
    ok(!spnego_oid_parse(text, &w) && writer_status(&w) == SEC_E_OK, "one more");
}

int main(void)
{
    RUN(init_parts);
    RUN(init_frame);
    RUN(response_parts);
    RUN(counts);
    RUN(forms);
    RUN(depth);
    RUN(sizes);
    RUN(large_input);
    RUN(kinds);
    RUN(identifiers);
    RUN(wrong_identifiers);
    RUN(identifier_sizes);
    return test_end("unit_spnego");
}
