/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that held a secret: wiped so that no compiler leaves it out, compared in constant time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The registers with which functions of Windows may have copied it are wiped as well. */
void secret_wipe(void *data, size_t size);

/* What the functions that the caller has called have left of their stack: some of libgcrypt's have
 * a key's block there, and do not reach all of it themselves. */
void secret_wipe_stack(void);

/* Constant time for a given size. */
bool secret_equal(const void *a, const void *b, size_t size);

/* Wipes size bytes and releases a block of malloc. NULL is fine. */
void secret_free(void *data, size_t size);
