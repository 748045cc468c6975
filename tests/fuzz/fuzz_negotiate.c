/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NEGOTIATE: what decodes is encoded to something that decodes to the same, and a server answers
 * it or refuses it. */
#include "fuzz.h"

static void check_server(struct slice token)
{
    struct ntlm_context server;
    struct ntlm_server_start params = {.flags = UINT32_MAX, .local_ticket = 7};
    struct ntlm_challenge challenge;
    struct writer w;
    const struct slice name = {(const uint8_t *)"P\0C", 4};
    params.nb_computer = params.nb_domain = params.dns_computer = params.dns_domain = name;
    ntlm_context_init(&server, NTLM_SERVER);
    writer_init(&w);
    status_t status = ntlm_server_start(&server, token, &params, &w);
    must(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN ||
         status == SEC_E_UNSUPPORTED_FUNCTION);
    must(status_ok(status) == (server.stage == NTLM_STAGE_CHALLENGE_SENT));
    if (status_ok(status)) must(ntlm_challenge_decode(writer_view(&w), &challenge) == SEC_E_OK);
    writer_free(&w);
    ntlm_context_clear(&server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice token = {data, size};
    struct ntlm_negotiate message, again;
    struct writer w;
    check_server(token);
    if (!status_ok(ntlm_negotiate_decode(token, &message))) return 0;
    writer_init(&w);
    ntlm_negotiate_encode(&w, &message);
    if (status_ok(writer_status(&w))) {
        must(ntlm_negotiate_decode(writer_view(&w), &again) == SEC_E_OK);
        must(message.flags == again.flags && !memcmp(message.version, again.version, 8));
        must(slices_equal(message.domain, again.domain));
        must(slices_equal(message.workstation, again.workstation));
    }
    writer_free(&w);
    return 0;
}
