/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file that `sspictl export` writes: 8 bytes "SSPICTX" and a zero, u16le version, u16le length
 * and UTF-16LE name of the package, then three parts behind their u32le lengths: the exported
 * client context, the exported server context, and a message that the client sealed before.
 */
#pragma once

#include "core/writer.h"

#define CONTAINER_PART_MAX (24u << 20)
#define CONTAINER_MAX (3u * CONTAINER_PART_MAX + 1024u)
#define CONTAINER_PACKAGE_MAX 64 /* characters */

struct container {
    struct slice package; /* UTF-16LE */
    struct slice client, server, pending;
};

void container_write(struct writer *w, const struct container *container);

/* NULL, or what is wrong; *out borrows from file and is untouched when something is. */
const char *container_read(struct slice file, struct container *out);
