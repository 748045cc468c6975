/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CHALLENGE: what decodes is encoded to something that decodes to the same, and a client answers
 * it with a message that decodes, or refuses it. */
#include "fuzz.h"

static void check_client(struct slice token, const struct ntlm_challenge *challenge,
                         enum ntlm_proof proof)
{
    uint32_t datagram = challenge->flags & NTLM_DATAGRAM;
    struct ntlm_context client;
    struct ntlm_client_start start = {.flags = NTLM_STRONG | NTLM_OEM | NTLM_LM_KEY | NTLM_SIGN |
                                               datagram};
    struct ntlm_client_finish finish = {.proof = proof, .now = 1};
    struct ntlm_authenticate answer;
    struct writer negotiate, w;
    if (crypto_init() != SEC_E_OK) abort();
    ntlm_context_init(&client, NTLM_CLIENT);
    writer_init(&negotiate);
    writer_init(&w);
    must(ntlm_client_start(&client, &start, &negotiate) == SEC_E_OK);
    status_t status = ntlm_client_finish(&client, token, challenge, &finish, &w);
    must(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN ||
         status == SEC_E_UNSUPPORTED_FUNCTION);
    must(status_ok(status) == (client.stage == NTLM_STAGE_ESTABLISHED));
    if (status_ok(status)) must(ntlm_authenticate_decode(writer_view(&w), &answer) == SEC_E_OK);
    writer_free(&negotiate);
    writer_free(&w);
    ntlm_context_clear(&client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice token = {data, size};
    struct ntlm_challenge message, again;
    struct writer w;
    if (!status_ok(ntlm_challenge_decode(token, &message))) return 0;
    check_client(token, &message, NTLM_PROOF_V2);
    check_client(token, &message, NTLM_PROOF_V1);
    check_client(token, &message, NTLM_PROOF_ANONYMOUS);
    writer_init(&w);
    ntlm_challenge_encode(&w, &message);
    if (status_ok(writer_status(&w))) {
        must(ntlm_challenge_decode(writer_view(&w), &again) == SEC_E_OK);
        must(message.flags == again.flags && message.local_ticket == again.local_ticket);
        must(!memcmp(message.server_challenge, again.server_challenge, 8));
        must(!memcmp(message.version, again.version, 8));
        must(slices_equal(message.target_name, again.target_name));
        must(slices_equal(message.target_info, again.target_info));
    }
    writer_free(&w);
    return 0;
}
