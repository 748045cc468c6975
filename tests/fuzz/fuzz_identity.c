/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An identity as a block: what is decoded lies within it and is encoded to an equal identity, and
 * sealing in place and opening again give back what was there. */
#include "fuzz.h"

static bool within(struct slice part, const uint8_t *data, size_t size)
{
    return !part.size || (part.data >= data && part.size <= size &&
                          (size_t)(part.data - data) <= size - part.size);
}

static void must_equal(const struct identity_parts *a, const struct identity_parts *b)
{
    must(a->flags == b->flags && !a->user.data == !b->user.data);
    must(slices_equal(a->user, b->user) && slices_equal(a->domain, b->domain));
    must(slices_equal(a->packed, b->packed) && slices_equal(a->package_list, b->package_list));
}

static void check_seal(uint8_t *block, size_t size, const struct identity_parts *parts)
{
    static const uint8_t nonce[12] = "a nonce";
    struct identity_parts sealed, opened;
    status_t status = identity_seal_block(block, size, &fuzz_identity_key, nonce);
    if (!status_ok(status)) return;
    must(identity_decode((struct slice){block, size}, &sealed) == SEC_E_OK);
    must(sealed.flags == (parts->flags | fuzz_identity_key.mode));
    must(identity_open_block(block, size, &fuzz_identity_key) == SEC_E_OK);
    must(identity_decode((struct slice){block, size}, &opened) == SEC_E_OK);
    must_equal(parts, &opened);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct identity_parts parts, again;
    struct slice password;
    struct writer w;
    if (!status_ok(identity_decode((struct slice){data, size}, &parts))) return 0;
    must(within(parts.user, data, size) && within(parts.domain, data, size));
    must(within(parts.packed, data, size) && within(parts.package_list, data, size));
    if (identity_password_read(parts.packed, &password)) must(within(password, data, size));
    if (crypto_init() != SEC_E_OK) abort();

    writer_init(&w);
    must(identity_encode(&parts, identity_room(&parts), &w) == SEC_E_OK);
    must(identity_decode(writer_view(&w), &again) == SEC_E_OK);
    parts.flags |= parts.domain.data ? 0 : IDENTITY_NULL_DOMAIN;
    parts.flags |= parts.user.data ? 0 : IDENTITY_NULL_USER;
    must_equal(&parts, &again);
    if (parts.flags & IDENTITY_ENCRYPTED) identity_open_block(w.data, w.size, &fuzz_identity_key);
    else check_seal(w.data, w.size, &parts);
    writer_free(&w);
    return 0;
}
