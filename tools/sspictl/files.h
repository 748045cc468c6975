/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole files and pipes; "-" is standard input or output. Shared by sspictl and handover. */
#pragma once

#include "core/writer.h"

/* Appends the whole content; ERROR_FILE_TOO_LARGE when it has more than max bytes. The results
 * are Windows error codes. */
long file_read(const char *path, size_t max, struct writer *out);

/* A file that could not be written whole is deleted. */
long file_write(const char *path, struct slice content);

/* True when "-" would put bytes on a console. */
bool file_is_console(const char *path);
