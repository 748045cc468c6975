/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages to authentication packages; see ssp/call.h. */
#include "ssp/call.h"

#include "ssp/logon.h"

static NTSTATUS call_any(struct call call, void **out, ULONG *out_size, NTSTATUS *protocol)
{
    *protocol = STATUS_SUCCESS;
    NTSTATUS status = call_run(&call, protocol);
    *out = call.out;
    *out_size = call.out_size;
    return status;
}

NTSTATUS NTAPI call_trusted(PLSA_CLIENT_REQUEST request, void *submitted, void *client_base,
                            ULONG size, void **out, ULONG *out_size, NTSTATUS *protocol)
{
    const struct call call = {
        .request = request, .in = client_buffer(submitted, client_base, size), .trusted = true};
    return call_any(call, out, out_size, protocol);
}

NTSTATUS NTAPI call_untrusted(PLSA_CLIENT_REQUEST request, void *submitted, void *client_base,
                              ULONG size, void **out, ULONG *out_size, NTSTATUS *protocol)
{
    const struct call call = {.request = request,
                              .in = client_buffer(submitted, client_base, size)};
    return call_any(call, out, out_size, protocol);
}

NTSTATUS NTAPI call_passed(PLSA_CLIENT_REQUEST request, void *submitted, void *client_base,
                           ULONG size, void **out, ULONG *out_size, NTSTATUS *protocol)
{
    const struct call call = {
        .request = request, .in = client_buffer(submitted, client_base, size), .passed = true};
    return call_any(call, out, out_size, protocol);
}
