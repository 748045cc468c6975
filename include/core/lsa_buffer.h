/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What programs give to authentication packages in LsaLogonUser and LsaCallAuthenticationPackage:
 * a structure with pointers to texts, which have to lie behind the structure in one buffer
 * (Microsoft: LsaLogonUser), in the layout of 32- and of 64-bit callers. A text is found by its
 * address in the caller's memory or, as in buffers that are passed on from process to process, by
 * its offset from the start of the buffer. One of no length may point anywhere.
 */
#pragma once

#include "core/reader.h"
#include "core/status.h"

/* A buffer as it came: the bytes, where they are in the memory of who gave them, and whether its
 * pointers have 64 bits. */
struct lsa_buffer {
    struct slice bytes;
    uint64_t base;
    bool wide;
};

/* The number that every buffer starts with; false when there is none. */
bool lsa_buffer_kind(const struct lsa_buffer *buffer, uint32_t *kind);

/* The structure, member by member: first all that have a fixed size, then what they point to. */
struct lsa_reader {
    struct reader r;
    const struct lsa_buffer *buffer;
};

/* A UNICODE_STRING or STRING whose text has not been looked for yet: the structure's end, which
 * bounds it, is known only when all has been read. */
struct lsa_text {
    uint16_t size;
    uint64_t address;
};

void lsa_reader_init(struct lsa_reader *lsa, const struct lsa_buffer *buffer);

/* To the next place where a member of that size may stand. */
void lsa_reader_align(struct lsa_reader *lsa, size_t size);

uint64_t lsa_reader_pointer(struct lsa_reader *lsa);
struct lsa_text lsa_reader_text(struct lsa_reader *lsa);

/* Once the structure has been read. *offset is where size bytes are that follow it. */
bool lsa_reader_locate(const struct lsa_reader *lsa, uint64_t address, size_t size, size_t *offset);

/* The text, whose size is a multiple of unit; the reader is bad when it is elsewhere. */
struct slice lsa_reader_find(struct lsa_reader *lsa, struct lsa_text text, size_t unit);

/* SEC_E_OK or SEC_E_INVALID_PARAMETER. */
status_t lsa_reader_status(const struct lsa_reader *lsa);

#define LSA_WIDE 2u /* bytes of a unit of UTF-16 */

/* ---- what more than one package is given ---- */

/* MSV1_0_CHANGEPASSWORD_REQUEST and KERB_CHANGEPASSWORD_REQUEST; texts are UTF-16LE, of whole
 * units, borrowed from the buffer. The caller has looked at the kind. SEC_E_INVALID_PARAMETER, with
 * *out untouched, for a buffer that is too short or has a text elsewhere. */
struct lsa_password_change {
    struct slice domain, user, old_password, new_password;
};
status_t lsa_password_change_decode(const struct lsa_buffer *buffer,
                                    struct lsa_password_change *out);
