/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of targets: their hosts, and the flat form of target information. */
#include "core/target.h"

#include "core/utf16.h"
#include "unit.h"

static void hosts(void)
{
    static const struct {
        const char *name, *host;
    } cases[] = {
        {"HTTP/www.farm.test", "www.farm.test"},
        {"HTTP/www.farm.test:8080", "www.farm.test"},
        {"HTTP/www.farm.test./", "www.farm.test"},
        {"ldap/dc.farm.test/farm.test", "dc.farm.test"},
        {"ldap/dc.farm.test:389/farm.test@FARM.TEST", "dc.farm.test"},
        {"host/server@FARM.TEST", "server"},
        {"HTTP/[fe80::1]:80", "fe80::1"},
        {"HTTP/[fe80::1", "fe80::1"},
        {"HTTP/fe80::1", "fe80::1"},
        {"server", "server"},
        {"server.farm.test.", "server.farm.test"},
        {"server:445", "server"},
        {"user@farm.test", ""},
        {"HTTP/", ""},
        {"HTTP/:80", ""},
        {"HTTP//name", ""},
        {"/", ""},
        {".", ""},
        {"[]", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct slice name = wide(cases[i].name);
        uint8_t *exact = exact_copy(name.data, name.size);
        struct slice host = target_host(view(exact, name.size));
        ok(same(host, wide(cases[i].host)), "%s: %zu", cases[i].name, host.size / 2);
        free(exact);
    }
    ok(same(target_host(hex("7300000073")), hex("73000000")), "an odd byte is left out");
}

static struct target_info sample(void)
{
    struct target_info info = {.flags = 0x80000001, .types = {1, 2, 1000}, .type_count = 3};
    static const char *const names[TARGET_NAMES] = {
        "target", "SERVER", "server.farm.test", "FARM", "", "farm.test", "Kerberos"};
    for (size_t i = 0; i < TARGET_NAMES; i++) info.names[i] = wide(names[i]);
    return info;
}

static bool info_same(const struct target_info *a, const struct target_info *b)
{
    for (size_t i = 0; i < TARGET_NAMES; i++)
        if (!same(a->names[i], b->names[i]) || !a->names[i].data != !b->names[i].data) return false;
    return a->flags == b->flags && a->type_count == b->type_count &&
           !memcmp(a->types, b->types, a->type_count * sizeof(*a->types));
}

static status_t decode(struct slice text, struct target_info *out, size_t *used)
{
    static struct writer room;
    writer_free(&room);
    writer_init(&room);
    return target_info_decode(text, &room, out, used);
}

static void round_trip(void)
{
    struct writer w;
    for (unsigned left_out = 0; left_out < 1u << TARGET_NAMES; left_out += 7) {
        struct target_info info = sample(), out;
        size_t used = 0;
        for (size_t i = 0; i < TARGET_NAMES; i++)
            if (left_out & 1u << i) info.names[i] = view(NULL, 0);
        info.type_count = left_out % 4;
        writer_init(&w);
        ok(target_info_encode(&info, &w) == SEC_E_OK, "encode %u", left_out);
        ok(decode(writer_view(&w), &out, &used) == SEC_E_OK, "decode %u", left_out);
        ok(used == w.size && info_same(&info, &out), "%u: %zu of %zu", left_out, used, w.size);
        ok(utf16_valid(writer_view(&w)), "it is text");
        writer_free(&w);
    }
}

/* It stands behind the name of a target. */
static void behind_a_name(void)
{
    struct target_info info = sample(), out;
    struct writer w;
    size_t used;
    writer_init(&w);
    writer_slice(&w, wide("cifs/server"));
    size_t before = w.size;
    ok(target_info_encode(&info, &w) == SEC_E_OK, "encode");
    ok(decode(writer_view(&w), &out, &used) == SEC_E_OK, "decode");
    ok(used == w.size - before && info_same(&info, &out), "%zu bytes", used);
    writer_free(&w);
}

static void layout(void)
{
    struct target_info info = {.flags = 2, .types = {1}, .type_count = 1};
    struct writer w;
    info.names[TARGET_DNS_SERVER] = wide("a");
    writer_init(&w);
    ok(target_info_encode(&info, &w) == SEC_E_OK, "encode");
    ok(same(writer_view(&w), wide("V1NUSQEEAQACAAAAAgBhAAEAAAA"
                                  "AAAABC")),
       "%zu", w.size);
    writer_free(&w);
}

static void damage(void)
{
    struct target_info info = sample(), out = {.flags = 77};
    struct writer w;
    size_t used = 5;
    writer_init(&w);
    ok(target_info_encode(&info, &w) == SEC_E_OK, "encode");
    for (size_t part = 0; part < w.size; part++) {
        uint8_t *cut = exact_copy(w.data, part);
        ok(decode(view(cut, part), &out, &used) == SEC_E_INVALID_TOKEN, "%zu bytes", part);
        free(cut);
    }
    for (size_t i = 1; i < w.size; i += 2) {
        w.data[i] = 1;
        ok(decode(writer_view(&w), &out, &used) == SEC_E_INVALID_TOKEN, "byte %zu", i);
        w.data[i] = 0;
    }
    ok(out.flags == 77 && used == 5, "a refusal leaves the outputs alone");
    ok(decode(wide("AAAAAM"), &out, &used) == SEC_E_INVALID_TOKEN, "nothing but a size");
    ok(decode(wide("AAAAAAAAAAAM"), &out, &used) == SEC_E_INVALID_TOKEN, "a size of itself");
    ok(decode(wide("____________"), &out, &used) == SEC_E_INVALID_TOKEN, "a size of 2^36");
    writer_free(&w);
}

static const uint8_t alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* One value has one text: what does not make a whole byte is zero, and never a whole digit. */
static void digits(void)
{
    for (size_t length = 0; length < 3; length++) {
        struct target_info info = {.flags = 1}, out;
        struct writer w;
        size_t used;
        info.names[TARGET_NAME] = wide("abc");
        info.names[TARGET_NAME].size = 2 * length;
        writer_init(&w);
        ok(target_info_encode(&info, &w) == SEC_E_OK, "encode");
        size_t tail = w.size - 12;
        uint8_t *longer = calloc(1, w.size + 2);
        memcpy(longer, w.data, tail);
        longer[tail] = 'A';
        memcpy(longer + tail + 2, w.data + tail, 12);
        longer[w.size] = alphabet[(w.size + 2) % 64];
        longer[w.size - 2] = alphabet[(w.size + 2) / 64];
        ok(decode(view(longer, w.size + 2), &out, &used) == SEC_E_INVALID_TOKEN, "a digit more");
        free(longer);
        w.data[tail - 2]++;
        bool unused = (14 + 2 * length) % 3;
        ok(!unused || decode(writer_view(&w), &out, &used) == SEC_E_INVALID_TOKEN, "unused bits");
        writer_free(&w);
    }
}

static void limits(void)
{
    struct target_info info = sample();
    struct writer w;
    writer_init(&w);
    info.type_count = TARGET_TYPES_MAX;
    ok(target_info_encode(&info, &w) == SEC_E_OK, "as many types as there may be");
    info.type_count++;
    ok(target_info_encode(&info, &w) == SEC_E_INVALID_PARAMETER, "one too many");
    info = sample();
    info.names[2] = view(unit_pool, 65536);
    ok(target_info_encode(&info, &w) == SEC_E_INVALID_PARAMETER, "too long a name");
    info.names[2] = hex("00d8");
    ok(target_info_encode(&info, &w) == SEC_E_INVALID_PARAMETER, "half a surrogate pair");
    info.names[2] = hex("6100 0000");
    ok(target_info_encode(&info, &w) == SEC_E_INVALID_PARAMETER, "a terminator within");
    writer_free(&w);
}

int main(void)
{
    RUN(hosts);
    RUN(round_trip);
    RUN(behind_a_name);
    RUN(layout);
    RUN(damage);
    RUN(digits);
    RUN(limits);
    return test_end("unit_target");
}
