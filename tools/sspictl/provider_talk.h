/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One package under check. */
#pragma once

#include "provider_pair.h"

struct check {
    wchar_t *name, *target;
    SEC_WINNT_AUTH_IDENTITY_W *identity;
    ULONG capabilities, token_max;
    unsigned legs; /* of its handshake */
};

/* Credentials alone; with a whole handshake. On failure there is nothing to close. */
SECURITY_STATUS check_open(const struct check *check, struct pair *pair);
SECURITY_STATUS check_connect(const struct check *check, struct pair *pair);

/* Established contexts of both sides, and half-open ones after each leg. */
void check_export(const struct check *check);
void check_half_open(const struct check *check);
