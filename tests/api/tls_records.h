/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Records for tests of TLS: one at a time through EncryptMessage and DecryptMessage, and a peer
 * made of the portable library, which says what no well-behaved peer would.
 */
#pragma once

#include "tls_pair.h"

#include "core/tls.h"

#define RECORD_ROOM 40000u

/* Bytes as they are on the wire. */
struct tls_bytes {
    BYTE data[RECORD_ROOM];
    ULONG size;
};

/* Appends one record. qop as for EncryptMessage. */
SECURITY_STATUS record_seal(CtxtHandle *context, ULONG qop, const void *data, ULONG size,
                            struct tls_bytes *out);

/* DecryptMessage's four buffers over these bytes, DATA at place `at`, and its status. */
struct opened {
    SecBuffer parts[4];
    SECURITY_STATUS status;
};
void record_open(CtxtHandle *context, struct tls_bytes *bytes, ULONG at, struct opened *out);

/* The buffer of that type; one of zeros when there is none. */
SecBuffer opened_part(const struct opened *opened, ULONG type);

/* Keeps what was EXTRA. */
void record_advance(struct tls_bytes *bytes, const struct opened *opened);

/* One text each way, nothing else on the wires. */
bool records_talk(CtxtHandle *one, CtxtHandle *other);

/* Whole records on a wire. */
uint64_t records_on(const struct tls_wire *wire);

/* The other end of one context of TLS 1.3, whose own peer says nothing any more. server: the end
 * that is played. False without the secrets (tls_pair_options.want_secrets). The tickets that the
 * server has sent are expected to be on the wire still. */
struct forger {
    struct tls_session session;
};
bool forger_start(struct forger *forger, const struct tls_pair *pair, bool server);
void forger_end(struct forger *forger);
void forger_put(struct forger *forger, enum tls_type type, const void *data, ULONG size,
                struct tls_bytes *out);
/* What the context has sent. False when that is no record of its session. */
bool forger_get(struct forger *forger, const struct tls_bytes *bytes, enum tls_type type,
                const void *data, ULONG size);
/* The next keys in the direction of the forger, or of the context. */
bool forger_update(struct forger *forger, bool send);

/* The blob is copied out and the caller's buffer freed; size 0 when the call failed. */
SECURITY_STATUS tls_export(CtxtHandle *context, ULONG flags, struct tls_bytes *blob);
SECURITY_STATUS tls_import(const struct tls_bytes *blob, CtxtHandle *context);
