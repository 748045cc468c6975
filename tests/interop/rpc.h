/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The interface of the RPC test. Its stubs are written by hand on the run-time's buffers, since
 * what is tested is what protects them: a request is bytes, and so is the answer.
 */
#pragma once

#include <stdint.h>

enum rpc_test_call {
    RPC_TEST_INVERT, /* gives every bit of the request the other value */
    RPC_TEST_WHO,    /* answers with a struct rpc_test_who */
    RPC_TEST_STOP    /* the server ends */
};

/* What the server knows about the caller. */
struct rpc_test_who {
    uint16_t name[64]; /* DOMAIN\User */
    uint32_t service, level;
};
