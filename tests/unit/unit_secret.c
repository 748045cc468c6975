/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Wiping and comparing secrets. */
#include "core/secret.h"

#include "unit.h"

static void wipe(void)
{
    uint8_t block[40];
    memset(block, 0xEE, sizeof(block));
    secret_wipe(block + 1, 38);
    size_t zeros = 0;
    for (size_t i = 1; i < 39; i++) zeros += !block[i];
    ok(zeros == 38 && block[0] == 0xEE && block[39] == 0xEE, "all of it and no more");
    secret_wipe(NULL, 0);
}

static void equal(void)
{
    uint8_t a[33], b[33];
    for (size_t i = 0; i < sizeof(a); i++) a[i] = b[i] = (uint8_t)(i * 7);
    ok(secret_equal(a, b, sizeof(a)), "equal");
    size_t noticed = 0;
    for (size_t bit = 0; bit < 8 * sizeof(a); bit++) {
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        noticed += !secret_equal(a, b, sizeof(a));
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    ok(noticed == 8 * sizeof(a), "%zu of %zu changed bits noticed", noticed, 8 * sizeof(a));
    b[32] ^= 1;
    ok(secret_equal(a, b, 32), "what lies behind does not count");
    ok(secret_equal(a, b, 0), "nothing");
}

static void release(void)
{
    secret_free(NULL, 0);
    secret_free(NULL, 10);
    secret_free(exact_copy("0123456789", 10), 10);
    ok(true, "NULL and a block are released");
}

int main(void)
{
    RUN(wipe);
    RUN(equal);
    RUN(release);
    return test_end("unit_secret");
}
