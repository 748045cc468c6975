/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NegTokenResp: DER has one form only, so what decodes is encoded to the same bytes again. */
#include "fuzz.h"

#include "core/spnego.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice token = {data, size};
    struct spnego_response message;
    struct writer w;
    if (!status_ok(spnego_response_decode(token, &message))) return 0;
    must(spnego_kind(token, NULL) == SPNEGO_RESPONSE);
    must(message.state <= SPNEGO_REQUEST_MIC || message.state == SPNEGO_STATE_ABSENT);
    writer_init(&w);
    spnego_response_encode(&w, &message);
    must(slices_equal(writer_view(&w), token));
    writer_free(&w);
    return 0;
}
