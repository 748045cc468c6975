/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What fuzz targets share. A target is linked with libFuzzer, or with replay.c. */
#pragma once

#include "core/identity.h"
#include "core/ntlm.h"
#include "core/packed.h"
#include "core/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A statement that holds for every input. */
#define must(condition)                                                                    \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                       \
        }                                                                                  \
    } while (0)

static inline bool slices_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size));
}

/* The key under which the seeds of fuzz_packed are sealed. */
#define FUZZ_PACKED_KEY "a key for fuzzing, 32 bytes....."

/* The key under which some seeds of fuzz_identity are sealed. */
static const struct identity_key fuzz_identity_key __attribute__((unused)) = {0x10, "identity key"};
