/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Just enough of DER (X.690) for GSS-API and SPNEGO tokens: single-octet tags, definite lengths in
 * their shortest form, up to 65535 octets. Everything else makes the reader or the writer bad.
 */
#pragma once

#include "core/reader.h"
#include "core/writer.h"

#define DER_INTEGER 0x02u
#define DER_OCTET_STRING 0x04u
#define DER_OID 0x06u
#define DER_ENUMERATED 0x0au
#define DER_BIT_STRING 0x03u
#define DER_UTC_TIME 0x17u
#define DER_GENERALIZED_TIME 0x18u
#define DER_GENERAL_STRING 0x1bu
#define DER_SEQUENCE 0x30u
#define DER_APPLICATION(n) (0x60u | (n)) /* constructed */
#define DER_CONTEXT(n) (0xa0u | (n))     /* constructed */

/* Whether the next element has this tag; false at the end and for a bad reader. */
bool der_next_is(const struct reader *r, uint8_t tag);

/* Enters the next element, which must have this tag: content reads what is inside, r stands behind
 * it. A failure makes both bad. */
void der_enter(struct reader *r, uint8_t tag, struct reader *content);

/* The same for an element that may be left out: false, and both as they were, when it is. True does
 * not tell that it is whole: the readers do. */
bool der_optional(struct reader *r, uint8_t tag, struct reader *content);

/* The content of the next element of this tag; empty and r bad when it is another. */
struct slice der_bytes(struct reader *r, uint8_t tag);

/* The next element of this tag whole, its tag and length included. */
struct slice der_element(struct reader *r, uint8_t tag);

/* An element whose length is known only when it is closed; elements nest. One that is too long
 * makes the writer bad. */
size_t der_open(struct writer *w, uint8_t tag);
void der_close(struct writer *w, size_t mark);

void der_write(struct writer *w, uint8_t tag, struct slice content);
