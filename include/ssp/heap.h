/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The library heap's spare memory: between the two calls, malloc has some when the system has none.
 * For the beginning of libgcrypt, which ends the process without memory. One thread of the module
 * at a time; what was taken is not had again.
 */
#pragma once

void heap_spare_open(void);
void heap_spare_close(void);
