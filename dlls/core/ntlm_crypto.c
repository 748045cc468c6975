/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Responses and keys of NTLM: MS-NLMP 3.3 (responses), 3.4.5 (keys), 3.1.5.1.2 (MIC, channel
 * bindings). ntlm_local_hash is ours.
 */
#include "ntlm_private.h"

#include "core/secret.h"

#include <string.h>

#define KEY_SIZE 16u

static struct slice bytes(const void *data, size_t size)
{
    return (struct slice){data, size};
}

/* The text with its terminator, as these constants are hashed. */
#define WITH_NUL(text) bytes(text, sizeof(text))

static struct slice sign_magic(bool to_server)
{
    return to_server ? WITH_NUL("session key to client-to-server signing key magic constant")
                     : WITH_NUL("session key to server-to-client signing key magic constant");
}

static struct slice seal_magic(bool to_server)
{
    return to_server ? WITH_NUL("session key to client-to-server sealing key magic constant")
                     : WITH_NUL("session key to server-to-client sealing key magic constant");
}

status_t ntlm_nt_hash(struct slice password, uint8_t hash[16])
{
    return md4(password, hash);
}

/* The fixed plain text is what the algorithm of MS-NLMP 3.3.1 names. */
status_t ntlm_lm_hash(const uint8_t password_oem[14], uint8_t hash[16])
{
    static const uint8_t plain[8] = {'K', 'G', 'S', '!', '@', '#', '$', '%'};
    uint8_t both[16];
    status_t status = des_block(password_oem, plain, both);
    if (status_ok(status)) status = des_block(password_oem + 7, plain, both + 8);
    if (status_ok(status)) memcpy(hash, both, sizeof(both));
    secret_wipe(both, sizeof(both));
    return status;
}

status_t ntlm_v2_hash(const uint8_t nt_hash[16], struct slice upper_user, struct slice domain,
                      uint8_t hash[16])
{
    /* Only the user's name is in upper case: a domain counts as the peer spelled it. */
    const struct slice parts[] = {upper_user, domain};
    return hmac_md5(bytes(nt_hash, KEY_SIZE), parts, 2, hash);
}

/* DESL: three blocks under the hash, padded with zeros to 21 bytes. */
static status_t desl(const uint8_t hash[16], const uint8_t challenge[8], uint8_t out[24])
{
    uint8_t key[21] = {0}, blocks[24];
    memcpy(key, hash, KEY_SIZE);
    status_t status = SEC_E_OK;
    for (size_t i = 0; i < 3 && status_ok(status); i++)
        status = des_block(key + 7 * i, challenge, blocks + 8 * i);
    if (status_ok(status)) memcpy(out, blocks, sizeof(blocks));
    secret_wipe(key, sizeof(key));
    return status;
}

status_t ntlm_v1_response(const uint8_t hash[16], const uint8_t challenge[8], uint8_t out[24])
{
    return desl(hash, challenge, out);
}

status_t ntlm_v1_ess_challenge(const uint8_t server_challenge[8], const uint8_t client_challenge[8],
                               uint8_t out[8])
{
    const struct slice parts[] = {bytes(server_challenge, 8), bytes(client_challenge, 8)};
    uint8_t digest[16];
    status_t status = md5(parts, 2, digest);
    if (status_ok(status)) memcpy(out, digest, 8);
    return status;
}

status_t ntlm_v1_ess_response(const uint8_t nt_hash[16], const uint8_t server_challenge[8],
                              const uint8_t client_challenge[8], uint8_t out[24])
{
    uint8_t challenge[8];
    status_t status = ntlm_v1_ess_challenge(server_challenge, client_challenge, challenge);
    return status_ok(status) ? desl(nt_hash, challenge, out) : status;
}

status_t ntlm_v2_proof(const uint8_t v2_hash[16], const uint8_t server_challenge[8],
                       struct slice temp, uint8_t proof[16])
{
    const struct slice parts[] = {bytes(server_challenge, 8), temp};
    return hmac_md5(bytes(v2_hash, KEY_SIZE), parts, 2, proof);
}

status_t ntlm_v2_lm_response(const uint8_t v2_hash[16], const uint8_t server_challenge[8],
                             const uint8_t client_challenge[8], uint8_t out[24])
{
    uint8_t mac[16];
    status_t status = ntlm_v2_proof(v2_hash, server_challenge, bytes(client_challenge, 8), mac);
    if (!status_ok(status)) return status;
    /* The challenge may be given in its place within out. */
    memmove(out + 16, client_challenge, 8);
    memcpy(out, mac, sizeof(mac));
    return SEC_E_OK;
}

status_t ntlm_v1_session_base_key(const uint8_t nt_hash[16], uint8_t key[16])
{
    return md4(bytes(nt_hash, KEY_SIZE), key);
}

status_t ntlm_v2_session_base_key(const uint8_t v2_hash[16], const uint8_t proof[16],
                                  uint8_t key[16])
{
    const struct slice part = bytes(proof, 16);
    return hmac_md5(bytes(v2_hash, KEY_SIZE), &part, 1, key);
}

static status_t lm_exchange_key(const uint8_t lm_hash[16], const uint8_t lm_response[24],
                                uint8_t key[16])
{
    uint8_t second[7], both[16];
    memset(second, 0xBD, sizeof(second));
    second[0] = lm_hash[7];
    status_t status = des_block(lm_hash, lm_response, both);
    if (status_ok(status)) status = des_block(second, lm_response, both + 8);
    if (status_ok(status)) memcpy(key, both, sizeof(both));
    secret_wipe(second, sizeof(second));
    secret_wipe(both, sizeof(both));
    return status;
}

status_t ntlm_v1_exchange_key(uint32_t flags, const uint8_t base_key[16], const uint8_t lm_hash[16],
                              const uint8_t server_challenge[8], const uint8_t lm_response[24],
                              uint8_t key[16])
{
    if (flags & NTLM_ESS) {
        /* The LM response begins with the client's challenge then. */
        const struct slice parts[] = {bytes(server_challenge, 8), bytes(lm_response, 8)};
        return hmac_md5(bytes(base_key, KEY_SIZE), parts, 2, key);
    }
    if (flags & NTLM_LM_KEY) return lm_exchange_key(lm_hash, lm_response, key);
    if (flags & NTLM_NON_NT_SESSION_KEY) {
        memcpy(key, lm_hash, 8);
        memset(key + 8, 0, 8);
    } else {
        memcpy(key, base_key, KEY_SIZE);
    }
    return SEC_E_OK;
}

status_t ntlm_sign_key(const uint8_t session_key[16], bool to_server, uint8_t key[16])
{
    const struct slice parts[] = {bytes(session_key, KEY_SIZE), sign_magic(to_server)};
    return md5(parts, 2, key);
}

status_t ntlm_seal_key(uint32_t flags, const uint8_t session_key[16], bool to_server,
                       uint8_t key[16])
{
    /* What was negotiated counts, not the length of the key that goes in. */
    size_t strength = flags & NTLM_128 ? KEY_SIZE : flags & NTLM_56 ? 7 : 5;
    const struct slice parts[] = {bytes(session_key, strength), seal_magic(to_server)};
    return md5(parts, 2, key);
}

uint8_t ntlm_seal_key_size(uint32_t flags)
{
    return !(flags & NTLM_ESS) && flags & (NTLM_LM_KEY | NTLM_DATAGRAM) ? 8 : KEY_SIZE;
}

/* The flags speak of the key where it is cut to what they say; that of an older session is not,
 * unless it is one of those that never are longer than 56 bits. */
unsigned ntlm_key_bits(uint32_t flags)
{
    bool whole = flags & NTLM_ESS ? flags & NTLM_128 : ntlm_seal_key_size(flags) == KEY_SIZE;
    if (whole) return 128;
    return flags & NTLM_56 ? 56 : 40;
}

void ntlm_seal_key_v1(uint32_t flags, const uint8_t session_key[16], uint8_t key[16], size_t *size)
{
    static const uint8_t tail_40[] = {0xE5, 0x38, 0xB0};
    memcpy(key, session_key, KEY_SIZE);
    *size = ntlm_seal_key_size(flags & ~NTLM_ESS);
    if (*size == KEY_SIZE) return;
    if (flags & NTLM_56) key[7] = 0xA0;
    else memcpy(key + 5, tail_40, sizeof(tail_40));
    memset(key + 8, 0, 8);
}

status_t ntlm_mic(const uint8_t session_key[16], struct slice negotiate, struct slice challenge,
                  struct slice authenticate_with_zero_mic, uint8_t mic[16])
{
    const struct slice parts[] = {negotiate, challenge, authenticate_with_zero_mic};
    return hmac_md5(bytes(session_key, KEY_SIZE), parts, 3, mic);
}

static void put_u32le(uint8_t to[4], uint32_t value)
{
    for (size_t i = 0; i < 4; i++) to[i] = (uint8_t)(value >> 8 * i);
}

status_t ntlm_channel_binding_hash(const struct ntlm_channel_bindings *bindings, uint8_t hash[16])
{
    uint8_t numbers[5][4];
    put_u32le(numbers[0], bindings->initiator_type);
    put_u32le(numbers[1], (uint32_t)bindings->initiator.size);
    put_u32le(numbers[2], bindings->acceptor_type);
    put_u32le(numbers[3], (uint32_t)bindings->acceptor.size);
    put_u32le(numbers[4], (uint32_t)bindings->application_data.size);
    const struct slice parts[] = {bytes(numbers[0], 8), bindings->initiator,
                                  bytes(numbers[2], 8), bindings->acceptor,
                                  bytes(numbers[4], 4), bindings->application_data};
    return md5(parts, sizeof(parts) / sizeof(*parts), hash);
}

/* A proof of one call is worth nothing in another: ticket and challenge are the server's. */
status_t ntlm_local_hash(const uint8_t secret[32], uint64_t ticket,
                         const uint8_t server_challenge[8], struct slice user, struct slice domain,
                         uint8_t hash[16])
{
    /* The size of the name tells ("ab", "c") from ("a", "bc"). */
    uint8_t numbers[16], mac[32];
    for (size_t i = 0; i < 8; i++) {
        numbers[i] = (uint8_t)(ticket >> 8 * i);
        numbers[8 + i] = (uint8_t)((uint64_t)user.size >> 8 * i);
    }
    const struct slice parts[] = {WITH_NUL("winesspi NTLM local call"), bytes(server_challenge, 8),
                                  bytes(numbers, sizeof(numbers)), user, domain};
    status_t status = hmac_sha256(bytes(secret, 32), parts, sizeof(parts) / sizeof(*parts), mac);
    if (status_ok(status)) memcpy(hash, mac, 16);
    secret_wipe(mac, sizeof(mac));
    return status;
}
