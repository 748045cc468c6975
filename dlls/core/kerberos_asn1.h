/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files that write messages of Kerberos share (RFC 4120 5.2). */
#pragma once

#include "core/der.h"
#include "core/kerberos_ticket.h"

/* Each in its tag of the context. */
void kerberos_put_integer(struct writer *w, uint8_t tag, int32_t value);
void kerberos_put_wrapped(struct writer *w, uint8_t tag, uint8_t type, struct slice content);
void kerberos_put_principal(struct writer *w, uint8_t tag, const struct kerberos_name *name);
