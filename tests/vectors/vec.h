/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of test vectors. A section begins with "[operation] title" and holds lines "name = value";
 * a line that begins with # is a comment. A value is hexadecimal, unless its operation takes it
 * as text. A value may go on in lines that begin with a blank.
 */
#pragma once

#include "core/reader.h"

#define VEC_FIELDS 40

struct vec_field {
    const char *name;
    char *value;
    bool used;
};

struct vec_section {
    const char *operation, *title;
    struct vec_field fields[VEC_FIELDS];
    size_t count;
};

typedef void vec_section_seen(struct vec_section *section);

/* Calls seen for each section; false, with a message, for a file that is not of this form. */
bool vec_read(const char *path, vec_section_seen *seen);

/* The field of this name, marked as used; NULL when it is not there. */
struct vec_field *vec_find(struct vec_section *section, const char *name);

/* Decodes a hexadecimal value; the bytes live in a block of their own that the caller frees. */
bool vec_bytes(const char *value, uint8_t **bytes, size_t *size);
