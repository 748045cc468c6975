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

/* Gives texts that were made by these; SEC_E_INSUFFICIENT_MEMORY, and nothing given, for NULL. Of a
 * pair both are given or none, and then the other one is freed. */
status_t answer_give(wchar_t *made, wchar_t **out);
status_t answer_give_pair(wchar_t *first, wchar_t *second, wchar_t **first_out,
                          wchar_t **second_out);

/* One block: the structure and its strings behind it. */
SecPkgInfoW *answer_package(const SecPkgInfoW *info);

static inline struct slice text_slice(const wchar_t *text, size_t length)
{
    return (struct slice){(const uint8_t *)text, length * sizeof(wchar_t)};
}
