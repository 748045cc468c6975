/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What attributes point to: copies for the application, which frees each with FreeContextBuffer.
 * NULL when there is no memory. Text is UTF-16; a slice of it has no zero at its end, a copy has.
 */
#pragma once

#include "core/reader.h"
#include "ssp/abi.h"

void *answer_bytes(struct slice bytes);
wchar_t *answer_text(struct slice text);
wchar_t *answer_string(const wchar_t *text);

/* DOMAIN\user, or the user alone without a domain. */
wchar_t *answer_account(struct slice domain, struct slice user);

/* One block: the structure and its strings behind it. */
SecPkgInfoW *answer_package(const SecPkgInfoW *info);

static inline struct slice text_slice(const wchar_t *text, size_t length)
{
    return (struct slice){(const uint8_t *)text, length * sizeof(wchar_t)};
}
