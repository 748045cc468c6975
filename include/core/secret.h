/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory that held a secret: wiped so that no compiler leaves it out, compared in constant time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

void secret_wipe(void *data, size_t size);

/* Constant time for a given size. */
bool secret_equal(const void *a, const void *b, size_t size);

/* Wipes size bytes and releases a block of malloc. NULL is fine. */
void secret_free(void *data, size_t size);
