/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* UTF-16LE as bytes, the form in which NTLM and our own formats carry names. */
#pragma once

#include "core/reader.h"
#include "core/writer.h"

/* True when the bytes are whole, properly paired UTF-16LE without U+0000. */
bool utf16_valid(struct slice text);

/* Appends the UTF-16LE form of UTF-8 text; invalid UTF-8 makes the writer bad. */
void utf16_from_utf8(struct writer *w, const char *utf8);

/* Appends the UTF-8 form (no terminator); an unpaired surrogate becomes U+FFFD. */
void utf16_to_utf8(struct writer *w, struct slice text);

/* Equal without regard to the case of ASCII letters. */
bool utf16_equal_ascii_case(struct slice a, struct slice b);
