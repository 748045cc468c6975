/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages to a module that is an authentication package (LsaCallAuthenticationPackage). A message
 * that cannot be read, or that nobody here answers, is the call's failure; everything else is the
 * protocol's status.
 */
#pragma once

#include "core/lsa_buffer.h"
#include "ssp/abi.h"

#include <stdbool.h>

struct call {
    PLSA_CLIENT_REQUEST request;
    struct lsa_buffer in;
    bool trusted;
    bool passed;   /* by another package, or by another message, in which this one stood */
    uint32_t kind; /* the module's to find out */
    void *out;     /* what is answered, in the client's memory */
    ULONG out_size;
};

/* The module's own: fails without *protocol, or sets it and perhaps the answer. */
NTSTATUS call_run(struct call *call, NTSTATUS *protocol);

/* Returns the protocol's status; false in *read for a message that it cannot read. */
typedef NTSTATUS call_answer(struct call *call, bool *read);

static inline NTSTATUS call_unreadable(bool *read)
{
    *read = false;
    return STATUS_INVALID_PARAMETER;
}

/* Slots of the LSA-mode table: CallPackage, CallPackageUntrusted, CallPackagePassthrough. */
LSA_AP_CALL_PACKAGE call_trusted, call_untrusted, call_passed;
