/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-16LE and UTF-8 texts, good and bad. */
#include "core/utf16.h"

#include "unit.h"

static void valid(void)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"", true},
        {"4100", true},
        {"41004200", true},
        {"ffff", true},
        {"ffd7 00e0", true},
        {"00d8 00dc", true},
        {"ffdb ffdf", true},
        {"41", false},
        {"410042", false},
        {"0000", false},
        {"4100 0000", false},
        {"00d8", false},
        {"00d8 4100", false},
        {"00d8 00d8 00dc", false},
        {"00dc", false},
        {"00dc 00d8", false},
        {"00d8 00dc 00dc", false},
        {"00d8 00", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct slice text = hex(cases[i].text);
        uint8_t *block = exact_copy(text.data, text.size);
        ok(utf16_valid(view(block, text.size)) == cases[i].valid, "%s", cases[i].text);
        free(block);
    }
    ok(utf16_valid(view(NULL, 0)), "no text");
}

static const struct {
    const char *utf8, *utf16;
} pairs[] = {
    {"", ""},
    {"aZ", "61005a00"},
    {"\x7F\xC2\x80", "7f00 8000"},
    {"\xDF\xBF\xE0\xA0\x80", "ff07 0008"},
    {"\xED\x9F\xBF\xEE\x80\x80", "ffd7 00e0"},
    {"\xEF\xBF\xBF\xF0\x90\x80\x80", "ffff 00d8 00dc"},
    {"\xF4\x8F\xBF\xBF!", "ffdb ffdf 2100"},
};

static void both_ways(void)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        struct writer w;
        writer_init(&w);
        utf16_from_utf8(&w, pairs[i].utf8);
        ok(status_ok(writer_status(&w)) && same(writer_view(&w), hex(pairs[i].utf16)),
           "pair %zu to UTF-16", i);
        writer_free(&w);
        writer_init(&w);
        utf16_to_utf8(&w, hex(pairs[i].utf16));
        ok(same(writer_view(&w), ascii(pairs[i].utf8)), "pair %zu to UTF-8", i);
        writer_free(&w);
    }
}

static void bad_utf8(void)
{
    static const char *const texts[] = {
        "\x80",
        "\xBF",
        "\xC0\x80",
        "\xC1\xBF",
        "\xC2",
        "\xC2\x41",
        "\xE0\x9F\xBF",
        "\xE1\x80",
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xF0\x8F\xBF\xBF",
        "\xF0\x90\x80",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xF8\x88\x80\x80\x80",
        "\xFF",
        "a\xC2\xC2\x80",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        size_t size = strlen(texts[i]) + 1;
        char *block = (char *)exact_copy(texts[i], size);
        struct writer w;
        writer_init(&w);
        utf16_from_utf8(&w, block);
        ok(!status_ok(writer_status(&w)), "text %zu", i);
        writer_free(&w);
        free(block);
    }
}

static void lone_surrogates(void)
{
    struct writer w;
    writer_init(&w);
    utf16_to_utf8(&w, hex("00d8 4100 00dc 00d8"));
    ok(same(writer_view(&w), ascii("\xEF\xBF\xBD"
                                   "A"
                                   "\xEF\xBF\xBD\xEF\xBF\xBD")),
       "replaced");
    writer_free(&w);
    writer_init(&w);
    utf16_to_utf8(&w, hex("4100 42"));
    ok(same(writer_view(&w), ascii("A")), "half a unit is left out");
    writer_free(&w);
}

static void equal(void)
{
    ok(utf16_equal_ascii_case(wide("Alice@[`{"), wide("aLICE@[`{")), "case");
    ok(!utf16_equal_ascii_case(wide("@"), wide("`")), "@ is no letter");
    ok(!utf16_equal_ascii_case(wide("["), wide("{")), "[ is no letter");
    ok(!utf16_equal_ascii_case(wide("abc"), wide("ab")), "length");
    ok(!utf16_equal_ascii_case(wide("abc"), wide("abd")), "letter");
    ok(!utf16_equal_ascii_case(hex("c400"), hex("e400")), "beyond ASCII");
    ok(!utf16_equal_ascii_case(hex("4101"), hex("6101")), "U+0141 is no A");
    ok(!utf16_equal_ascii_case(hex("4100"), hex("4101")), "the high byte counts");
    ok(utf16_equal_ascii_case(view(NULL, 0), view(NULL, 0)), "nothing");
}

int main(void)
{
    RUN(valid);
    RUN(both_ways);
    RUN(bad_utf8);
    RUN(lone_surrogates);
    RUN(equal);
    return test_end("unit_utf16");
}
