/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a thread has said about the peer that its next calls are made for. */
#pragma once

#include "ssp/abi.h"

#define CALL_ADDRESS_MAX 128u /* of a SOCKADDR_STORAGE */

struct call_context {
    BYTE address[CALL_ADDRESS_MAX]; /* a SOCKADDR */
    ULONG address_size;             /* 0: none was given */
    WCHAR *target;                  /* NULL: none was given */
};

/* The thread's own, valid until the thread changes or frees it; NULL when it has none. */
const struct call_context *call_context_get(void);

/* The record of a refused log-on, which names the peer: a line in the trace. */
void call_context_audit(status_t status);
