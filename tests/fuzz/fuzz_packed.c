/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The envelope of an exported context: only what was sealed under the key opens, and it is encoded
 * to the same bytes again. */
#include "fuzz.h"

static void check_again(struct slice blob, struct packed packed, struct aead *aead,
                        const uint8_t *plain)
{
    struct writer w;
    packed.body = (struct slice){plain, packed_body_size(&packed)};
    writer_init(&w);
    must(packed_encode(&packed, aead, &w) == SEC_E_OK);
    must(slices_equal(writer_view(&w), blob));
    must(packed_size(&packed) == blob.size);
    writer_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice blob = {data, size};
    struct packed packed;
    struct aead *aead = NULL;
    if (!status_ok(packed_decode(blob, &packed))) return 0;
    must(packed.package.size >= 2 && packed.package.size <= 128);
    if (crypto_init() != SEC_E_OK) abort();
    if (aead_create(AEAD_AES_256_GCM, (const uint8_t *)FUZZ_PACKED_KEY, &aead) != SEC_E_OK) abort();
    uint8_t *plain = malloc(packed_body_size(&packed) + 1);
    must(plain);
    status_t status = packed_open(blob, &packed, aead, plain);
    must(status == SEC_E_OK || status == SEC_E_MESSAGE_ALTERED);
    if (status_ok(status)) check_again(blob, packed, aead, plain);
    free(plain);
    aead_free(aead);
    return 0;
}
