/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Key derivation of NTLM: what the published values (tests/vectors) do not show. */
#include "core/ntlm.h"

#include "unit.h"

static void empty_password(void)
{
    static const uint8_t password_oem[14];
    uint8_t hash[16];
    ok(!ntlm_lm_hash(password_oem, hash) &&
           same(view(hash, 16), hex("aad3b435b51404eeaad3b435b51404ee")),
       "LM");
    ok(!ntlm_nt_hash(view(NULL, 0), hash) &&
           same(view(hash, 16), hex("31d6cfe0d16ae931b73c59d7e0c089c0")),
       "NT");
}

/* MS-NLMP 3.4.5.3: which form is chosen when several are asked for. */
static void exchange_key_choice(void)
{
    uint8_t base[16] = {1}, lm[16] = {2}, challenge[8] = {3}, response[24] = {4};
    uint8_t plain[16], ess[16], lm_key[16], non_nt[16], key[16];
    ok(!ntlm_v1_exchange_key(0, base, lm, challenge, response, plain), "plain");
    ok(!ntlm_v1_exchange_key(NTLM_ESS, base, lm, challenge, response, ess), "ESS");
    ok(!ntlm_v1_exchange_key(NTLM_LM_KEY, base, lm, challenge, response, lm_key), "LM_KEY");
    ok(!ntlm_v1_exchange_key(NTLM_NON_NT_SESSION_KEY, base, lm, challenge, response, non_nt),
       "NON_NT");
    ok(!memcmp(plain, base, 16) && !memcmp(non_nt, lm, 8), "the base key, or half the LM hash");
    ok(memcmp(ess, plain, 16) && memcmp(lm_key, plain, 16) && memcmp(lm_key, non_nt, 16), "differ");
    ok(!ntlm_v1_exchange_key(NTLM_ESS | NTLM_LM_KEY | NTLM_NON_NT_SESSION_KEY, base, lm, challenge,
                             response, key) &&
           !memcmp(key, ess, 16),
       "ESS goes before all");
    ok(!ntlm_v1_exchange_key(NTLM_LM_KEY | NTLM_NON_NT_SESSION_KEY, base, lm, challenge, response,
                             key) &&
           !memcmp(key, lm_key, 16),
       "then LM_KEY");
}

static void short_seal_keys(void)
{
    struct slice session = hex("000102030405060708090a0b0c0d0e0f");
    uint8_t key[16];
    size_t size = 0;
    ntlm_seal_key_v1(NTLM_56 | NTLM_128, session.data, key, &size);
    ok(size == 16 && same(view(key, 16), session), "the whole key");
    ntlm_seal_key_v1(NTLM_LM_KEY | NTLM_56, session.data, key, &size);
    ok(size == 8 && same(view(key, 8), hex("00010203040506a0")), "LM_KEY, 56 bits");
    ntlm_seal_key_v1(NTLM_LM_KEY, session.data, key, &size);
    ok(size == 8 && same(view(key, 8), hex("0001020304e538b0")), "LM_KEY, 40 bits");
    ntlm_seal_key_v1(NTLM_DATAGRAM, session.data, key, &size);
    ok(size == 8 && same(view(key, 8), hex("0001020304e538b0")), "DATAGRAM, 40 bits");
    ok(ntlm_key_bits(0) == 128 && ntlm_key_bits(NTLM_56) == 128, "the whole key");
    ok(ntlm_key_bits(NTLM_DATAGRAM | NTLM_128) == 40, "DATAGRAM has 40 bits");
    ok(ntlm_key_bits(NTLM_LM_KEY | NTLM_128 | NTLM_56) == 56, "LM_KEY has 56 bits");
    ok(ntlm_key_bits(NTLM_ESS | NTLM_DATAGRAM | NTLM_128) == 128, "ESS, 128 bits");
    ok(ntlm_key_bits(NTLM_ESS | NTLM_56) == 56 && ntlm_key_bits(NTLM_ESS) == 40, "ESS, fewer");
}

/* Each thing that a local call is bound to changes the hash. */
static void local_hash(void)
{
    uint8_t secret[32] = {1}, challenge[8] = {2}, hash[16], other[16];
    struct slice user = wide("ab"), domain = wide("c");
    ok(!ntlm_local_hash(secret, 7, challenge, user, domain, hash), "made");
    ok(!ntlm_local_hash(secret, 7, challenge, user, domain, other) && !memcmp(hash, other, 16),
       "the same again");
    ok(!ntlm_local_hash(secret, 8, challenge, user, domain, other) && memcmp(hash, other, 16),
       "ticket");
    ok(!ntlm_local_hash(secret, 7, challenge, wide("a"), wide("bc"), other) &&
           memcmp(hash, other, 16),
       "the border between the names");
    ok(!ntlm_local_hash(secret, 7, challenge, wide("Ab"), domain, other) && memcmp(hash, other, 16),
       "user");
    ok(!ntlm_local_hash(secret, 7, challenge, user, wide("d"), other) && memcmp(hash, other, 16),
       "domain");
    challenge[7] = 1;
    ok(!ntlm_local_hash(secret, 7, challenge, user, domain, other) && memcmp(hash, other, 16),
       "challenge");
    challenge[7] = 0;
    secret[31] = 1;
    ok(!ntlm_local_hash(secret, 7, challenge, user, domain, other) && memcmp(hash, other, 16),
       "secret");
}

int main(void)
{
    if (crypto_init() != SEC_E_OK) return EXIT_FAILURE;
    RUN(empty_password);
    RUN(exchange_key_choice);
    RUN(short_seal_keys);
    RUN(local_hash);
    return test_end("unit_ntlm_crypto");
}
