/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of an established context as bytes to send: u16le length of the token, the token, the
 * data. A package that wants padding between the two (cbBlockSize over 1) is not served. Shared
 * by sspictl and handover.
 */
#pragma once

#include "core/writer.h"

#include <windows.h>

#include <security.h>

/* Appends the sealed (or signed) form of plain. */
SECURITY_STATUS message_seal(CtxtHandle *context, const SecPkgContext_Sizes *sizes,
                             struct slice plain, struct writer *out);
SECURITY_STATUS message_sign(CtxtHandle *context, const SecPkgContext_Sizes *sizes,
                             struct slice plain, struct writer *out);

/* Opens or verifies in place; *plain borrows from message. SEC_E_INVALID_TOKEN when it is too
 * short to be one. */
SECURITY_STATUS message_open(CtxtHandle *context, uint8_t *message, size_t size,
                             struct slice *plain);
SECURITY_STATUS message_verify(CtxtHandle *context, uint8_t *message, size_t size,
                               struct slice *plain);
