/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* AUTHENTICATE: what decodes is encoded to something that decodes to the same. */
#include "fuzz.h"

static void compare(const struct ntlm_authenticate *a, const struct ntlm_authenticate *b)
{
    must(a->flags == b->flags && a->has_mic == b->has_mic && a->timestamp == b->timestamp);
    must(a->time == b->time && a->av_flags == b->av_flags);
    must(!memcmp(a->version, b->version, 8) && !memcmp(a->mic, b->mic, 16));
    must(slices_equal(a->lm_response, b->lm_response));
    must(slices_equal(a->nt_response, b->nt_response));
    must(slices_equal(a->domain, b->domain));
    must(slices_equal(a->user, b->user));
    must(slices_equal(a->workstation, b->workstation));
    must(slices_equal(a->encrypted_key, b->encrypted_key));
    must(slices_equal(a->target_name, b->target_name));
    must(slices_equal(a->channel_bindings, b->channel_bindings));
    must(slices_equal(a->machine_id, b->machine_id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ntlm_authenticate message, again;
    struct writer w;
    if (!status_ok(ntlm_authenticate_decode((struct slice){data, size}, &message))) return 0;
    must(message.channel_bindings.size == 0 || message.channel_bindings.size == 16);
    must(message.machine_id.size == 0 || message.machine_id.size == NTLM_MACHINE_ID_SIZE);
    enum ntlm_response kind = ntlm_authenticate_response(&message, message.flags);
    must((kind == NTLM_RESPONSE_V2) == (message.nt_response.size > 24));
    must(kind == NTLM_RESPONSE_V2 || !message.has_mic);
    writer_init(&w);
    ntlm_authenticate_encode(&w, &message);
    if (status_ok(writer_status(&w))) {
        must(ntlm_authenticate_decode(writer_view(&w), &again) == SEC_E_OK);
        compare(&message, &again);
    }
    writer_free(&w);
    return 0;
}
