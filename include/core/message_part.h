/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One buffer of a message that is to be protected, in the order in which the signature covers
 * them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message_part {
    uint8_t *data;
    size_t size;
    bool sealed; /* encrypted in place; otherwise only covered by the signature */
};
