/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The messages of SPNEGO: RFC 4178 section 4.2, with the hints of MS-SPNG 2.2.1 (NegTokenInit2),
 * and the tokens of single mechanisms that may come instead of them (MS-SPNG 3.3.5.1). Object
 * identifiers are the content octets, without tag and length. Decoded slices borrow from the
 * token.
 */
#pragma once

#include "core/der.h"
#include "core/status.h"

#define SPNEGO_MECHS_MAX 16u
#define SPNEGO_TOKEN_MAX 65535u /* longer tokens are refused */
#define SPNEGO_OID_MAX 64u      /* content octets that spnego_oid_parse makes at most */

extern const struct slice spnego_oid_ntlm;        /* 1.3.6.1.4.1.311.2.2.10 */
extern const struct slice spnego_oid_kerberos;    /* 1.2.840.113554.1.2.2 */
extern const struct slice spnego_oid_ms_kerberos; /* 1.2.840.48018.1.2.2 */

enum spnego_kind {
    SPNEGO_UNKNOWN, /* none of the following */
    SPNEGO_INIT,    /* NegTokenInit or NegTokenInit2 in its GSS-API frame */
    SPNEGO_RESPONSE,
    SPNEGO_RAW_NTLM, /* an NTLM message without any frame */
    SPNEGO_RAW_MECH, /* a GSS-API frame of another mechanism, *mech tells which; an AP-REQ of
                        Kerberos without one (DCE style, MS-KILE 3.4.5.1) counts as its frame */
};

/* By the first octets only: what follows may still be wrong. mech may be NULL, and is set for
 * SPNEGO_RAW_MECH alone. */
enum spnego_kind spnego_kind(struct slice token, struct slice *mech);

/* negState; the values are those on the wire. */
enum spnego_state {
    SPNEGO_ACCEPT_COMPLETED = 0,
    SPNEGO_ACCEPT_INCOMPLETE = 1,
    SPNEGO_REJECT = 2,
    SPNEGO_REQUEST_MIC = 3,
    SPNEGO_STATE_ABSENT = 255,
};

/* An element that is absent has data NULL; one that is there and empty has not. */
struct spnego_init {
    struct slice mechs[SPNEGO_MECHS_MAX];
    size_t mech_count;
    struct slice mech_list; /* the MechTypeList as it stood, its tag included: what mechListMIC
                               covers. Ignored by encode, which makes it of mechs */
    struct slice token, mic;
    struct slice hint_name; /* of negHints; only acceptors send it */
};

struct spnego_response {
    enum spnego_state state;
    struct slice mech; /* supportedMech */
    struct slice token, mic;
};

/* SEC_E_INVALID_TOKEN for anything that is not exactly such a message; more mechanisms than
 * SPNEGO_MECHS_MAX count as that too, none at all as well. reqFlags are skipped. *out is untouched
 * on failure. */
status_t spnego_init_decode(struct slice token, struct spnego_init *out);
status_t spnego_response_decode(struct slice token, struct spnego_response *out);

/* Append to w; the writer keeps the error. With a hint_name, init is a NegTokenInit2. */
void spnego_init_encode(struct writer *w, const struct spnego_init *message);
void spnego_response_encode(struct writer *w, const struct spnego_response *message);

/* Appends the MechTypeList alone, which is what mechListMIC covers. A count that no decoder takes
 * makes the writer bad. */
void spnego_mech_list_encode(struct writer *w, const struct slice *mechs, size_t count);

/* Appends the content octets of a dotted decimal text ("1.3.6.1..."), numbers up to 32 bits. False,
 * and w as it was, when it is no identifier or longer than SPNEGO_OID_MAX; false and w bad when it
 * does not fit. */
bool spnego_oid_parse(const char *text, struct writer *w);
