/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two ends of a session, driven by bytes: which end speaks, how long, signed or sealed, and which
 * byte is changed on the way. What was changed is refused and does no harm; what was not arrives.
 */
#include "fuzz.h"

static const uint32_t kinds[] = {
    NTLM_SIGN | NTLM_SEAL | NTLM_ESS | NTLM_128 | NTLM_KEY_EXCH,
    NTLM_SIGN | NTLM_SEAL | NTLM_ESS | NTLM_128,
    NTLM_SEAL | NTLM_ESS | NTLM_56,
    NTLM_SIGN | NTLM_SEAL,
    NTLM_SIGN | NTLM_LM_KEY,
    NTLM_SIGN | NTLM_SEAL | NTLM_ESS | NTLM_128 | NTLM_KEY_EXCH | NTLM_DATAGRAM,
    NTLM_SIGN | NTLM_56 | NTLM_DATAGRAM,
};

static status_t take(struct ntlm_session *to, uint32_t number, bool sealed,
                     struct message_part *parts, const uint8_t *signature)
{
    return sealed ? ntlm_unseal(to, number, parts, 2, signature)
                  : ntlm_verify(to, number, parts, 2, signature);
}

static void deliver(struct ntlm_session *from, struct ntlm_session *to, uint32_t number,
                    struct reader *script)
{
    enum { CLEAR = 5, MAX = 512 };
    uint8_t wire[CLEAR + MAX + NTLM_SIGNATURE_SIZE], changed[sizeof(wire)], plain[CLEAR + MAX];
    bool can_seal = from->flags & NTLM_ESS || !(from->flags & NTLM_DATAGRAM);
    bool sealed = reader_u8(script) & 1 && can_seal;
    size_t size = reader_u16le(script) % MAX, at = reader_u16le(script);
    uint8_t difference = reader_u8(script);
    for (size_t i = 0; i < CLEAR + size; i++) plain[i] = (uint8_t)(i * 31 + size);
    memcpy(wire, plain, CLEAR + size);
    struct message_part parts[] = {{wire, CLEAR, false}, {wire + CLEAR, size, sealed}};
    uint8_t *signature = wire + CLEAR + size;
    must((sealed ? ntlm_seal(from, number, parts, 2, signature)
                 : ntlm_sign(from, number, parts, 2, signature)) == SEC_E_OK);

    size_t total = CLEAR + size + NTLM_SIGNATURE_SIZE;
    memcpy(changed, wire, total);
    changed[at % total] ^= difference;
    struct message_part got[] = {{changed, CLEAR, false}, {changed + CLEAR, size, sealed}};
    status_t status = take(to, number, sealed, got, changed + CLEAR + size);
    must(status_ok(status) == !difference);
    if (difference) {
        wire[at % total] ^= difference;
        must(!memcmp(changed, wire, total));
        wire[at % total] ^= difference;
        must(take(to, number, sealed, parts, signature) == SEC_E_OK);
        must(!memcmp(wire, plain, CLEAR + size));
    } else {
        must(!memcmp(changed, plain, CLEAR + size));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[16] = "a session key..";
    struct ntlm_session client, server;
    struct reader script;
    if (crypto_init() != SEC_E_OK) abort();
    reader_init(&script, data, size);
    uint32_t flags = kinds[reader_u8(&script) % (sizeof(kinds) / sizeof(*kinds))];
    must(ntlm_session_init(&client, flags, key, true) == SEC_E_OK);
    must(ntlm_session_init(&server, flags, key, false) == SEC_E_OK);
    for (uint32_t number = 0; reader_left(&script); number++) {
        if (reader_u8(&script) & 1) deliver(&client, &server, number, &script);
        else deliver(&server, &client, number, &script);
    }
    ntlm_session_clear(&client);
    ntlm_session_clear(&server);
    return 0;
}
