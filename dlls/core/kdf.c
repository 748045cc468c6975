/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * HKDF-Expand (RFC 5869 2.3) with the labels of TLS 1.3 (RFC 8446 7.1), and the PRF of TLS 1.2
 * (RFC 5246 5). HKDF-Extract belongs to handshakes, which are not made here.
 */
#include "core/kdf.h"

#include "core/secret.h"
#include "core/writer.h"

#include <string.h>

#define HKDF_BLOCKS_MAX 255u
#define LABEL_PREFIX "tls13 "
#define LABEL_MAX 255u /* with the prefix */
#define CONTEXT_MAX 255u

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

status_t hkdf_expand(enum crypto_hash hash, struct slice secret, struct slice info, uint8_t *out,
                     size_t size)
{
    uint8_t block[HASH_SIZE_MAX], count = 0;
    size_t step = hash_size(hash), done = 0;
    status_t status = SEC_E_OK;
    if (size > step * HKDF_BLOCKS_MAX) return SEC_E_INVALID_PARAMETER;
    while (done < size && status_ok(status)) {
        const struct slice parts[] = {{block, count ? step : 0}, info, {&count, 1}};
        count++;
        status = hash_mac(hash, secret, parts, 3, block);
        size_t part = smaller(step, size - done);
        if (status_ok(status)) memcpy(out + done, block, part);
        done += part;
    }
    if (!status_ok(status)) secret_wipe(out, size);
    secret_wipe(block, sizeof(block));
    return status;
}

status_t hkdf_expand_label(enum crypto_hash hash, struct slice secret, struct slice label,
                           struct slice context, uint8_t *out, size_t size)
{
    uint8_t info[2 + 1 + LABEL_MAX + 1 + CONTEXT_MAX];
    struct writer w;
    size_t prefix = strlen(LABEL_PREFIX);
    if (label.size > LABEL_MAX - prefix || context.size > CONTEXT_MAX || size > UINT16_MAX)
        return SEC_E_INVALID_PARAMETER;
    writer_init_fixed(&w, info, sizeof(info));
    writer_u16be(&w, (uint16_t)size);
    writer_u8(&w, (uint8_t)(prefix + label.size));
    writer_bytes(&w, LABEL_PREFIX, prefix);
    writer_slice(&w, label);
    writer_u8(&w, (uint8_t)context.size);
    writer_slice(&w, context);
    return hkdf_expand(hash, secret, writer_view(&w), out, size);
}

/* P_hash: A(0) is label and seed, A(i) the HMAC of A(i - 1); a block is that of A(i) and them. */
status_t tls12_prf(enum crypto_hash hash, struct slice secret, struct slice label,
                   struct slice seed, uint8_t *out, size_t size)
{
    uint8_t chain[HASH_SIZE_MAX], block[HASH_SIZE_MAX];
    size_t step = hash_size(hash);
    const struct slice parts[] = {{chain, step}, label, seed};
    status_t status = hash_mac(hash, secret, parts + 1, 2, chain);
    for (size_t done = 0; done < size && status_ok(status); done += smaller(step, size - done)) {
        status = hash_mac(hash, secret, parts, 3, block);
        if (status_ok(status)) memcpy(out + done, block, smaller(step, size - done));
        if (status_ok(status)) status = hash_mac(hash, secret, parts, 1, chain);
    }
    if (!status_ok(status)) secret_wipe(out, size);
    secret_wipe(chain, sizeof(chain));
    secret_wipe(block, sizeof(block));
    return status;
}
