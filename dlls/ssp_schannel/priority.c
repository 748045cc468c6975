/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Priority strings for GnuTLS, see priority.h. Nothing is inherited from its defaults: the string
 * begins with NONE. Left out, though GnuTLS has them: EdDSA and RSA-PSS keys.
 */
#include "priority.h"

#include <stdio.h>
#include <string.h>

enum mac { MAC_AEAD, MAC_SHA1, MAC_SHA256, MAC_SHA384, MACS };
enum exchange { ECDHE_ECDSA, ECDHE_RSA, DHE_RSA, PLAIN_RSA, EXCHANGES, EXCHANGE_ANY = EXCHANGES };
#define CIPHERS (TLS_CIPHER_AES_256_CCM_8 + 1)

static const char *const cipher_names[CIPHERS] = {
    [TLS_CIPHER_AES_128_GCM] = "AES-128-GCM",
    [TLS_CIPHER_AES_256_GCM] = "AES-256-GCM",
    [TLS_CIPHER_CHACHA20_POLY1305] = "CHACHA20-POLY1305",
    [TLS_CIPHER_AES_128_CCM] = "AES-128-CCM",
    [TLS_CIPHER_AES_256_CCM] = "AES-256-CCM",
    [TLS_CIPHER_AES_128_CCM_8] = "AES-128-CCM-8",
    [TLS_CIPHER_AES_256_CCM_8] = "AES-256-CCM-8",
    [TLS_CIPHER_AES_128_CBC] = "AES-128-CBC",
    [TLS_CIPHER_AES_256_CBC] = "AES-256-CBC",
    [TLS_CIPHER_3DES_CBC] = "3DES-CBC",
};

static const char *const mac_names[MACS] = {
    [MAC_AEAD] = "AEAD",
    [MAC_SHA1] = "SHA1",
    [MAC_SHA256] = "SHA256",
    [MAC_SHA384] = "SHA384",
};

static const char *const exchange_names[EXCHANGES] = {
    [ECDHE_ECDSA] = "ECDHE-ECDSA",
    [ECDHE_RSA] = "ECDHE-RSA",
    [DHE_RSA] = "DHE-RSA",
    [PLAIN_RSA] = "RSA",
};

/* ---- choosing ---- */

/* A set with the order in which it was filled. */
struct set {
    uint8_t items[16];
    size_t count;
};

struct choice {
    struct set ciphers, macs, exchanges;
    unsigned versions; /* that may be used at all */
};

static bool set_has(const struct set *set, unsigned item)
{
    return memchr(set->items, (int)item, set->count) != NULL;
}

static void set_add(struct set *set, unsigned item)
{
    if (!set_has(set, item)) set->items[set->count++] = (uint8_t)item;
}

static enum mac suite_mac(const struct tls_suite *suite)
{
    switch (suite->mac) {
    case TLS_HASH_SHA1: return MAC_SHA1;
    case TLS_HASH_SHA256: return MAC_SHA256;
    case TLS_HASH_SHA384: return MAC_SHA384;
    default: return MAC_AEAD;
    }
}

static enum exchange suite_exchange(const struct tls_suite *suite)
{
    switch (suite->exchange) {
    case TLS_EXCHANGE_ECDHE:
        return suite->authentication == TLS_AUTH_ECDSA ? ECDHE_ECDSA : ECDHE_RSA;
    case TLS_EXCHANGE_DHE: return DHE_RSA;
    case TLS_EXCHANGE_RSA: return PLAIN_RSA;
    default: return EXCHANGE_ANY;
    }
}

/* The versions in which a suite exists (RFC 5246 A.5, RFC 5288 4, RFC 5289 4, RFC 8446 B.4). */
static unsigned suite_versions(const struct tls_suite *suite)
{
    if (suite->exchange == TLS_EXCHANGE_ANY) return VERSION_1_3;
    if (suite_mac(suite) == MAC_SHA1) return VERSION_1_0 | VERSION_1_1 | VERSION_1_2;
    return VERSION_1_2;
}

/* Whether GnuTLS takes the suite, told these. */
static bool choice_has(const struct choice *choice, const struct tls_suite *suite)
{
    enum exchange exchange = suite_exchange(suite);
    return suite_versions(suite) & choice->versions && set_has(&choice->ciphers, suite->cipher) &&
           set_has(&choice->macs, suite_mac(suite)) &&
           (exchange == EXCHANGE_ANY || set_has(&choice->exchanges, exchange));
}

/* Which of tls_suites are wished for. */
struct wished {
    bool suites[PRIORITY_SUITES];
};

static struct wished wished_of(const struct priority_wish *wish)
{
    struct wished wished = {{false}};
    for (size_t i = 0; i < wish->suite_count; i++) {
        size_t index = (size_t)(wish->suites[i] - tls_suites);
        if (index < PRIORITY_SUITES) wished.suites[index] = true;
    }
    return wished;
}

static bool choice_is_wished(const struct choice *choice, const struct wished *wished)
{
    for (size_t i = 0; i < tls_suite_count; i++)
        if ((i >= PRIORITY_SUITES || !wished->suites[i]) && choice_has(choice, &tls_suites[i]))
            return false;
    return true;
}

/* Whether the groups and signatures that are left can serve the suite. */
static bool suite_is_possible(const struct priority_wish *wish, const struct tls_suite *suite)
{
    bool curve = suite->exchange == TLS_EXCHANGE_ECDHE || suite->exchange == TLS_EXCHANGE_ANY;
    if (curve && !wish->group_count) return false;
    if (suite->authentication == TLS_AUTH_ECDSA) return !wish->no_ecdsa;
    if (suite->authentication == TLS_AUTH_RSA) return !wish->no_rsa;
    return !wish->no_rsa || !wish->no_ecdsa;
}

static bool suite_is_usable(const struct priority_wish *wish, const struct tls_suite *suite)
{
    return suite_versions(suite) & wish->versions && suite_is_possible(wish, suite);
}

/* The versions that have a suite. GnuTLS wants no gap before 1.3: what is below the gap goes. */
static unsigned versions_possible(const struct priority_wish *wish)
{
    unsigned versions = 0;
    for (size_t i = 0; i < wish->suite_count; i++)
        if (suite_is_usable(wish, wish->suites[i])) versions |= suite_versions(wish->suites[i]);
    versions &= wish->versions;
    return versions & VERSION_1_3 && !(versions & VERSION_1_2) ? VERSION_1_3 : versions;
}

/* Returns the versions that have a suite in the end. */
static unsigned choose(const struct priority_wish *wish, struct choice *choice)
{
    const struct wished wished = wished_of(wish);
    unsigned versions = 0;
    *choice = (struct choice){.versions = versions_possible(wish)};
    for (size_t i = 0; i < wish->suite_count; i++) {
        const struct tls_suite *suite = wish->suites[i];
        struct choice more = *choice;
        enum exchange exchange = suite_exchange(suite);
        if (!suite_is_usable(wish, suite) || !(suite_versions(suite) & choice->versions)) continue;
        set_add(&more.ciphers, suite->cipher);
        set_add(&more.macs, suite_mac(suite));
        if (exchange != EXCHANGE_ANY) set_add(&more.exchanges, exchange);
        if (!choice_is_wished(&more, &wished)) continue;
        *choice = more;
        versions |= suite_versions(suite) & choice->versions;
    }
    return versions;
}

/* ---- writing ---- */

struct text {
    char *out;
    size_t size;
};

/* ":" before, "+", the kind and the name; what does not fit empties the text for good. */
static void text_add(struct text *text, const char *kind, const char *name)
{
    if (!text->size) return;
    size_t room = PRIORITY_MAX - text->size;
    int length = snprintf(text->out + text->size, room, ":%s%s", kind, name);
    text->size = length > 0 && (size_t)length < room ? text->size + (size_t)length : 0;
}

static void write_versions(struct text *text, const struct priority_wish *wish, unsigned versions)
{
    static const struct {
        unsigned version;
        const char *stream, *datagram;
    } names[] = {
        {VERSION_1_3, "TLS1.3", NULL},
        {VERSION_1_2, "TLS1.2", "DTLS1.2"},
        {VERSION_1_1, "TLS1.1", "DTLS1.0"},
        {VERSION_1_0, "TLS1.0", NULL},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *name = wish->datagram ? names[i].datagram : names[i].stream;
        if (versions & names[i].version && name) text_add(text, "+VERS-", name);
    }
}

static void write_groups(struct text *text, const struct priority_wish *wish, bool finite_fields)
{
    static const struct {
        uint16_t group;
        const char *name;
    } names[] = {
        {23, "SECP256R1"}, {24, "SECP384R1"}, {25, "SECP521R1"}, {29, "X25519"}, {30, "X448"},
    };
    for (size_t i = 0; i < wish->group_count; i++)
        for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++)
            if (names[k].group == wish->groups[i]) text_add(text, "+GROUP-", names[k].name);
    if (!finite_fields) return;
    if (wish->dh_minimum <= 2048) text_add(text, "+GROUP-", "FFDHE2048");
    if (wish->dh_minimum <= 3072) text_add(text, "+GROUP-", "FFDHE3072");
    text_add(text, "+GROUP-", "FFDHE4096");
}

/* TLS 1.3 has names of its own for ECDSA: a curve belongs to each hash (RFC 8446 4.2.3). Those that
 * TLS 1.2 has as well have its number: the hash in the upper byte (RFC 5246 7.4.1.4.1). */
static const struct {
    unsigned hash;
    bool ecdsa;
    uint16_t number;
    const char *name;
} signatures[] = {
    {SIGNED_SHA256, true, 0x0403, "ECDSA-SHA256"},
    {SIGNED_SHA256, true, 0, "ECDSA-SECP256R1-SHA256"},
    {SIGNED_SHA256, false, 0, "RSA-PSS-RSAE-SHA256"},
    {SIGNED_SHA256, false, 0x0401, "RSA-SHA256"},
    {SIGNED_SHA384, true, 0x0503, "ECDSA-SHA384"},
    {SIGNED_SHA384, true, 0, "ECDSA-SECP384R1-SHA384"},
    {SIGNED_SHA384, false, 0, "RSA-PSS-RSAE-SHA384"},
    {SIGNED_SHA384, false, 0x0501, "RSA-SHA384"},
    {SIGNED_SHA512, true, 0x0603, "ECDSA-SHA512"},
    {SIGNED_SHA512, true, 0, "ECDSA-SECP521R1-SHA512"},
    {SIGNED_SHA512, false, 0, "RSA-PSS-RSAE-SHA512"},
    {SIGNED_SHA512, false, 0x0601, "RSA-SHA512"},
    {SIGNED_SHA1, true, 0x0203, "ECDSA-SHA1"},
    {SIGNED_SHA1, false, 0x0201, "RSA-SHA1"},
};

#define SIGNATURE_COUNT (sizeof(signatures) / sizeof(*signatures))

_Static_assert(SIGNATURE_COUNT <= PRIORITY_SIGNATURES, "priority_signatures has no room");

/* Before TLS 1.2 there was no choice, and SHA-1 in it (RFC 4346 7.4.3). */
static void write_signatures(struct text *text, const struct priority_wish *wish, unsigned versions)
{
    unsigned hashes = wish->hashes;
    if (!(versions & (VERSION_1_0 | VERSION_1_1))) hashes &= ~(unsigned)SIGNED_SHA1;
    for (size_t i = 0; i < SIGNATURE_COUNT; i++) {
        bool left_out = signatures[i].ecdsa ? wish->no_ecdsa : wish->no_rsa;
        if (signatures[i].hash & hashes && !left_out) text_add(text, "+SIGN-", signatures[i].name);
    }
}

size_t priority_signatures(const char *priorities, uint16_t out[PRIORITY_SIGNATURES])
{
    static const char kind[] = ":+SIGN-";
    size_t count = 0;
    while ((priorities = strstr(priorities, kind)) != NULL) {
        priorities += strlen(kind);
        size_t length = strcspn(priorities, ":");
        for (size_t i = 0; i < SIGNATURE_COUNT; i++) {
            const char *name = signatures[i].name;
            if (strlen(name) != length || memcmp(name, priorities, length)) continue;
            if (signatures[i].number && count < PRIORITY_SIGNATURES)
                out[count++] = signatures[i].number;
        }
    }
    return count;
}

/* A profile stands for a strength, by which GnuTLS judges finite field groups. */
static const char *profile_name(uint32_t dh_minimum)
{
    if (dh_minimum <= 1024) return "%PROFILE_LOW";
    if (dh_minimum <= 2048) return "%PROFILE_MEDIUM";
    return dh_minimum <= 3072 ? "%PROFILE_HIGH" : "%PROFILE_ULTRA";
}

bool priority_make(const struct priority_wish *wish, char out[PRIORITY_MAX], unsigned *versions)
{
    struct choice choice;
    unsigned left = choose(wish, &choice);
    if (!left || !(wish->hashes & ~(unsigned)SIGNED_SHA1)) return false;

    struct text text = {out, strlen(strcpy(out, "NONE"))};
    text_add(&text, "+", "CTYPE-X509");
    text_add(&text, "+", "COMP-NULL");
    write_versions(&text, wish, left);
    for (size_t i = 0; i < choice.ciphers.count; i++)
        text_add(&text, "+", cipher_names[choice.ciphers.items[i]]);
    for (size_t i = 0; i < choice.macs.count; i++)
        text_add(&text, "+", mac_names[choice.macs.items[i]]);
    for (size_t i = 0; i < choice.exchanges.count; i++)
        text_add(&text, "+", exchange_names[choice.exchanges.items[i]]);
    write_groups(&text, wish, set_has(&choice.exchanges, DHE_RSA));
    write_signatures(&text, wish, left);
    if (wish->dh_minimum) text_add(&text, "", profile_name(wish->dh_minimum));
    if (wish->server) text_add(&text, "", "%SERVER_PRECEDENCE");
    if (!text.size) return false;
    *versions = left;
    return true;
}
