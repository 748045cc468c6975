/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of make_seeds share. */
#pragma once

#include "core/reader.h"

/* Writes the file NAME of a target. */
void seeds_save(const char *target, const char *name, struct slice bytes);

void seeds_kerberos(void);
