/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Priority strings: what GnuTLS itself makes of each. */
#include "unit.h"

#include "priority.h"

#include <gnutls/gnutls.h>

#define ALL_VERSIONS (VERSION_1_0 | VERSION_1_1 | VERSION_1_2 | VERSION_1_3)
#define ALL_HASHES (SIGNED_SHA1 | SIGNED_SHA256 | SIGNED_SHA384 | SIGNED_SHA512)

static struct priority_wish wish_all(void)
{
    struct priority_wish wish = {.versions = ALL_VERSIONS,
                                 .groups = {29, 23, 24, 25},
                                 .group_count = 4,
                                 .hashes = ALL_HASHES,
                                 .dh_minimum = 1024};
    for (size_t i = 0; i < tls_suite_count && i < PRIORITY_SUITES; i++)
        wish.suites[wish.suite_count++] = &tls_suites[i];
    return wish;
}

static void wish_suites(struct priority_wish *wish, const uint16_t *ids, size_t count)
{
    wish->suite_count = 0;
    for (size_t i = 0; i < count; i++) {
        wish->suites[wish->suite_count] = tls_suite_find(ids[i]);
        if (ok(wish->suites[wish->suite_count] != NULL, "suite %04x", ids[i])) wish->suite_count++;
    }
}

struct outcome {
    char text[PRIORITY_MAX];
    unsigned versions;
    uint16_t suites[128];
    size_t suite_count;
    gnutls_priority_t priorities;
};

/* Makes the string and has GnuTLS read it: all that GnuTLS takes is wished for. */
static bool make(const struct priority_wish *wish, struct outcome *out)
{
    const char *where = NULL;
    memset(out, 0, sizeof(*out));
    if (!ok(priority_make(wish, out->text, &out->versions), "no string")) return false;
    int error = gnutls_priority_init(&out->priorities, out->text, &where);
    if (!ok(!error, "%s: %s at %s", out->text, gnutls_strerror(error), where ? where : ""))
        return false;
    unsigned index;
    for (unsigned i = 0; out->suite_count < 128; i++) {
        int found = gnutls_priority_get_cipher_suite_index(out->priorities, i, &index);
        unsigned char id[2];
        if (found == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) break;
        if (found || !gnutls_cipher_suite_info(index, id, NULL, NULL, NULL, NULL)) continue;
        out->suites[out->suite_count++] = (uint16_t)(id[0] << 8 | id[1]);
    }
    for (size_t i = 0; i < out->suite_count; i++) {
        bool wished = false;
        for (size_t k = 0; k < wish->suite_count; k++)
            if (wish->suites[k]->id == out->suites[i]) wished = true;
        ok(wished, "%04x is not wished for: %s", out->suites[i], out->text);
    }
    return true;
}

static void finish(struct outcome *out)
{
    gnutls_priority_deinit(out->priorities);
}

static bool has_suite(const struct outcome *out, uint16_t id)
{
    for (size_t i = 0; i < out->suite_count; i++)
        if (out->suites[i] == id) return true;
    return false;
}

static unsigned library_versions(const struct outcome *out)
{
    const unsigned *list;
    int count = gnutls_priority_protocol_list(out->priorities, &list);
    unsigned result = 0;
    for (int i = 0; i < count; i++) switch (list[i]) {
        case GNUTLS_TLS1_0: result |= VERSION_1_0; break;
        case GNUTLS_DTLS1_0:
        case GNUTLS_TLS1_1: result |= VERSION_1_1; break;
        case GNUTLS_DTLS1_2:
        case GNUTLS_TLS1_2: result |= VERSION_1_2; break;
        case GNUTLS_TLS1_3: result |= VERSION_1_3; break;
        }
    return result;
}

static void test_everything(void)
{
    struct priority_wish wish = wish_all();
    struct outcome out;
    if (!make(&wish, &out)) return;
    ok(out.versions == ALL_VERSIONS, "versions %x", out.versions);
    ok(library_versions(&out) == ALL_VERSIONS, "library: %x", library_versions(&out));
    for (size_t i = 0; i < wish.suite_count; i++)
        ok(has_suite(&out, wish.suites[i]->id), "%s is missing: %s", wish.suites[i]->name,
           out.text);
    ok(out.suites[0] == 0x1302, "the first is %04x", out.suites[0]);
    finish(&out);
}

static void test_versions(void)
{
    for (unsigned versions = 1; versions <= ALL_VERSIONS; versions++) {
        struct priority_wish wish = wish_all();
        struct outcome out;
        wish.versions = versions;
        /* GnuTLS has no 1.3 above a gap */
        unsigned expected = versions;
        if (versions & VERSION_1_3 && !(versions & VERSION_1_2)) expected = VERSION_1_3;
        if (!make(&wish, &out)) continue;
        ok(out.versions == expected, "%x: %x", versions, out.versions);
        ok(library_versions(&out) == expected, "%x: library %x", versions, library_versions(&out));
        finish(&out);
    }
}

static void test_datagrams(void)
{
    struct priority_wish wish = wish_all();
    struct outcome out;
    wish.datagram = true;
    wish.versions = VERSION_1_1 | VERSION_1_2;
    if (!make(&wish, &out)) return;
    const unsigned *list;
    int count = gnutls_priority_protocol_list(out.priorities, &list);
    ok(count == 2 && list[0] == GNUTLS_DTLS1_2 && list[1] == GNUTLS_DTLS1_0, "%d: %s", count,
       out.text);
    finish(&out);
}

static void test_server(void)
{
    struct priority_wish wish = wish_all();
    struct outcome out;
    wish.server = true;
    wish.dh_minimum = 2048;
    if (!make(&wish, &out)) return;
    ok(strstr(out.text, "%SERVER_PRECEDENCE") != NULL, "%s", out.text);
    ok(strstr(out.text, "%PROFILE_MEDIUM") != NULL, "%s", out.text);
    finish(&out);
}

/* Each suite alone is to be had alone. */
static void test_each_suite(void)
{
    for (size_t i = 0; i < tls_suite_count; i++) {
        struct priority_wish wish = wish_all();
        struct outcome out;
        wish_suites(&wish, &tls_suites[i].id, 1);
        if (!make(&wish, &out)) continue;
        ok(out.suite_count == 1 && out.suites[0] == tls_suites[i].id, "%s: %d suites",
           tls_suites[i].name, (int)out.suite_count);
        ok(out.versions == library_versions(&out), "%s: versions %x", tls_suites[i].name,
           out.versions);
        finish(&out);
    }
}

/* A suite that would bring another along is left out, a later one that does not is not. */
static void test_no_company(void)
{
    static const uint16_t crossed[] = {0x1302, 0xc030, 0xc02f};
    static const uint16_t square[] = {0xc030, 0xc02c, 0x009d, 0x009c};
    struct priority_wish wish = wish_all();
    struct outcome out;
    wish_suites(&wish, crossed, 3);
    if (make(&wish, &out)) {
        ok(has_suite(&out, 0x1302) && has_suite(&out, 0xc030), "%s", out.text);
        ok(!has_suite(&out, 0xc02f) && !has_suite(&out, 0x1301), "%s", out.text);
        finish(&out);
    }
    wish_suites(&wish, square, 4);
    wish.versions = VERSION_1_2;
    if (!make(&wish, &out)) return;
    ok(has_suite(&out, 0xc030) && has_suite(&out, 0xc02c) && has_suite(&out, 0x009d), "%s",
       out.text);
    ok(!has_suite(&out, 0x009c), "%s", out.text);
    finish(&out);
}

static void test_order(void)
{
    static const uint16_t order[] = {0x1301, 0x1302, 0xc02f, 0xc030};
    struct priority_wish wish = wish_all();
    struct outcome out;
    wish_suites(&wish, order, 4);
    if (!make(&wish, &out)) return;
    ok(out.suite_count == 4 && !memcmp(out.suites, order, sizeof(order)), "%s", out.text);
    finish(&out);
}

static void test_groups(void)
{
    struct priority_wish wish = wish_all();
    struct outcome out;
    wish.groups[0] = 24;
    wish.group_count = 1;
    static const uint16_t suites[] = {0x1302, 0xc030};
    wish_suites(&wish, suites, 2);
    if (make(&wish, &out)) {
        const unsigned *list;
        int count = gnutls_priority_group_list(out.priorities, &list);
        ok(count == 1 && list[0] == GNUTLS_GROUP_SECP384R1, "%d: %s", count, out.text);
        finish(&out);
    }
    /* without curves what needs none is left */
    wish = wish_all();
    wish.group_count = 0;
    if (!make(&wish, &out)) return;
    ok(out.versions == (ALL_VERSIONS & ~VERSION_1_3), "versions %x", out.versions);
    ok(!has_suite(&out, 0xc030) && has_suite(&out, 0x009d) && has_suite(&out, 0x009f), "%s",
       out.text);
    finish(&out);
}

static bool has_signature(const struct outcome *out, unsigned algorithm)
{
    const unsigned *list;
    int count = gnutls_priority_sign_list(out->priorities, &list);
    for (int i = 0; i < count; i++)
        if (list[i] == algorithm) return true;
    return false;
}

static void test_signatures(void)
{
    struct priority_wish wish = wish_all();
    struct outcome out;
    wish.no_ecdsa = true;
    wish.hashes = SIGNED_SHA1 | SIGNED_SHA384;
    if (make(&wish, &out)) {
        ok(has_signature(&out, GNUTLS_SIGN_RSA_SHA384), "%s", out.text);
        ok(has_signature(&out, GNUTLS_SIGN_RSA_SHA1), "%s", out.text);
        ok(!has_signature(&out, GNUTLS_SIGN_RSA_SHA256), "%s", out.text);
        ok(!has_signature(&out, GNUTLS_SIGN_ECDSA_SHA384), "%s", out.text);
        ok(!has_suite(&out, 0xc02c) && has_suite(&out, 0xc030), "%s", out.text);
        finish(&out);
    }
    /* SHA-1 is for those versions that have nothing else */
    wish.versions = VERSION_1_2 | VERSION_1_3;
    if (make(&wish, &out)) {
        ok(!has_signature(&out, GNUTLS_SIGN_RSA_SHA1), "%s", out.text);
        finish(&out);
    }
}

/* RFC 5246 7.4.1.4.1: the hash's number, then the signature's. */
static void test_signature_numbers(void)
{
    static const uint16_t expected[] = {0x0503, 0x0501, 0x0203, 0x0201};
    struct priority_wish wish = wish_all();
    struct outcome out;
    uint16_t numbers[PRIORITY_SIGNATURES];
    wish.hashes = SIGNED_SHA1 | SIGNED_SHA384;
    if (make(&wish, &out)) {
        size_t count = priority_signatures(out.text, numbers);
        ok(count == 4 && !memcmp(numbers, expected, sizeof(expected)), "%zu of %s", count,
           out.text);
        finish(&out);
    }
    ok(!priority_signatures("NONE:+SIGN-RSA-SHA", numbers), "a name that is cut short");
    ok(!priority_signatures("NONE:+SIGN-RSA-SHA2567:+MAC", numbers), "a name that goes on");
}

static void test_nothing(void)
{
    struct priority_wish wish = wish_all();
    char text[PRIORITY_MAX];
    unsigned versions = 99;
    wish.versions = 0;
    ok(!priority_make(&wish, text, &versions), "no version");
    wish = wish_all();
    wish.suite_count = 0;
    ok(!priority_make(&wish, text, &versions), "no suite");
    wish = wish_all();
    wish.no_rsa = wish.no_ecdsa = true;
    ok(!priority_make(&wish, text, &versions), "no signature");
    wish = wish_all();
    wish.hashes = SIGNED_SHA1;
    ok(!priority_make(&wish, text, &versions), "no hash");
    static const uint16_t suites[] = {0x1302};
    wish = wish_all();
    wish_suites(&wish, suites, 1);
    wish.versions = VERSION_1_2;
    ok(!priority_make(&wish, text, &versions), "a suite of another version");
    ok(versions == 99, "versions %u", versions);
}

int main(void)
{
    RUN(test_everything);
    RUN(test_versions);
    RUN(test_datagrams);
    RUN(test_server);
    RUN(test_each_suite);
    RUN(test_no_company);
    RUN(test_order);
    RUN(test_groups);
    RUN(test_signatures);
    RUN(test_signature_numbers);
    RUN(test_nothing);
    return test_end("unit_priority");
}
