/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The end of an interoperability test that uses the host's GSS-API: its context and dialogue_ops.
 * In DCE style a sealed frame has the parts that SSPI gives to buffers of their own, see
 * dialogue.h.
 */
#pragma once

#include "options.h"

#include <gssapi/gssapi.h>

struct gss_side {
    gss_ctx_id_t context;
    bool apart;     /* DCE style */
    bool integrity; /* wrap without encrypting */
};

extern const struct dialogue_ops gss_side_ops;

const char *gss_side_status_name(uint32_t status);

/* False with the reason in dialogue->failure; dialogue->context is the side. */
bool gss_side_print_key(struct dialogue *dialogue);
