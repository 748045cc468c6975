/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The body of an exported context of Negotiate: what is read is written to the same bytes. */
#include "fuzz.h"

#include "core/spnego_body.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = {data, size};
    struct spnego_body body;
    struct writer w;
    status_t status = spnego_body_read(bytes, &body);
    must(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN);
    if (!status_ok(status)) return 0;
    must(body.stage != SPNEGO_STAGE_ESTABLISHED || body.inner.size);
    writer_init(&w);
    spnego_body_write(&body, &w);
    must(slices_equal(writer_view(&w), bytes));
    writer_free(&w);
    return 0;
}
