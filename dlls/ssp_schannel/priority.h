/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a handshake may use, as a priority string for GnuTLS (its manual, "Priority strings").
 * Portable, so that a native test can ask GnuTLS what it makes of each string.
 */
#pragma once

#include "core/tls.h"

#define PRIORITY_MAX 2048u
#define PRIORITY_SUITES 64u
#define PRIORITY_GROUPS 8u
#define PRIORITY_SIGNATURES 16u

/* Versions; for datagrams those of DTLS that are made of them. */
enum { VERSION_1_0 = 0x01, VERSION_1_1 = 0x02, VERSION_1_2 = 0x04, VERSION_1_3 = 0x08 };

/* Hashes of signatures. */
enum { SIGNED_SHA1 = 0x01, SIGNED_SHA256 = 0x02, SIGNED_SHA384 = 0x04, SIGNED_SHA512 = 0x08 };

struct priority_wish {
    bool server, datagram;
    unsigned versions;                               /* VERSION_ bits */
    const struct tls_suite *suites[PRIORITY_SUITES]; /* in order of preference */
    size_t suite_count;
    uint16_t groups[PRIORITY_GROUPS]; /* curves, IANA's numbers, in order of preference */
    size_t group_count;
    unsigned hashes;       /* SIGNED_ bits */
    bool no_rsa, no_ecdsa; /* signatures not to be made or taken */
    uint32_t dh_minimum;   /* bits of a finite field group; 0: the library's idea */
};

/*
 * The string, terminated. GnuTLS is told ciphers, MACs and key exchanges, each in an order, and
 * takes every suite made of them: a suite that would bring along another that is not wished for is
 * left out. *versions are those that have a suite. False when there are none; *versions is then as
 * it was.
 */
bool priority_make(const struct priority_wish *wish, char out[PRIORITY_MAX], unsigned *versions);

/* The numbers that TLS 1.2 has for the signatures of such a string, in its order, and how many
 * those are; the hash is in the upper byte (RFC 5246 7.4.1.4.1). */
size_t priority_signatures(const char *priorities, uint16_t out[PRIORITY_SIGNATURES]);
