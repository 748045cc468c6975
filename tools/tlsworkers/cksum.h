/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The checksum of the command cksum (POSIX.1, XCU cksum). Its state is one number, so that it can
 * go on in another process. */
#pragma once

#include "core/reader.h"

/* Starts with 0. */
uint32_t cksum_add(uint32_t state, struct slice bytes);

/* What the command prints for so many bytes in all. */
uint32_t cksum_end(uint32_t state, uint64_t size);
