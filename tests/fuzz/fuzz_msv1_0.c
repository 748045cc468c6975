/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers of MSV1_0. */
#include "fuzz_lsa.h"

#include "core/msv1_0.h"

static void log_on(const struct lsa_buffer *buffer)
{
    struct msv_logon logon;
    if (!status_ok(msv_logon_decode(buffer, &logon))) return;
    inside(buffer, logon.domain);
    inside(buffer, logon.user);
    inside(buffer, logon.password);
    inside(buffer, logon.workstation);
    inside(buffer, logon.nt_response);
    inside(buffer, logon.lm_response);
    must(logon.user.size % 2 == 0 && logon.password.size % 2 == 0);
}

static void message(const struct lsa_buffer *buffer)
{
    struct lsa_password_change change;
    struct msv_response_request request;
    struct msv_passthrough pass;
    if (status_ok(lsa_password_change_decode(buffer, &change))) {
        inside(buffer, change.user);
        inside(buffer, change.old_password);
        inside(buffer, change.new_password);
    }
    if (status_ok(msv_response_request_decode(buffer, &request))) {
        inside(buffer, request.password);
        inside(buffer, request.user);
        inside(buffer, request.server);
    }
    if (status_ok(msv_passthrough_decode(buffer, &pass))) {
        inside(buffer, pass.package);
        must(!pass.data_size || pass.data_offset <= buffer->bytes.size - pass.data_size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return 0;
    const struct lsa_buffer buffer = lsa_input(data, size);
    log_on(&buffer);
    message(&buffer);
    return 0;
}
