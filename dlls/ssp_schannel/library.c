/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The way to the Unix half, which has the library that makes handshakes. */
#include "schannel_package.h"

#include "core/secret.h"
#include "ssp/trace.h"

#include <stdlib.h>

TRACE_CHANNEL("schannel");

status_t library_call(enum schannel_call number, void *params)
{
    return status_ok(unixcall_ready()) ? unixcall_call(number, params) : SEC_E_SECPKG_NOT_FOUND;
}

status_t library_ready(void)
{
    struct schannel_call_library call = {
        .why = "Wine finds no Unix half of ssp_schannel (is WINEDLLPATH set?)"};
    status_t status = library_call(SCHANNEL_CALL_LIBRARY, &call);
    if (status_ok(status)) TRACE("GnuTLS %s\n", call.version);
    else WARN("no handshakes without GnuTLS: %s\n", call.why);
    return status;
}

status_t library_read(uint64_t session, enum call_read what, struct blob *out)
{
    struct schannel_call_read call = {.session = session, .what = what};
    uint8_t *data = NULL;
    status_t status = library_call(SCHANNEL_CALL_READ, &call);
    if (status == SEC_E_BUFFER_TOO_SMALL) {
        data = malloc((size_t)call.size);
        if (!data) return SEC_E_INSUFFICIENT_MEMORY;
        call.output = unixcall_address(data);
        call.room = call.size;
        status = library_call(SCHANNEL_CALL_READ, &call);
    }
    if (!status_ok(status)) {
        secret_free(data, (size_t)call.room);
        return status;
    }
    blob_clear(out);
    *out = (struct blob){data, data ? (size_t)call.size : 0};
    return SEC_E_OK;
}
