/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See container.h. The blobs are sealed by the system that exported them, and the pending message
 * by its context, so nothing here is secret or has to be signed. Reading checks the frame only:
 * whether a blob is whole and unchanged is for ImportSecurityContext to say.
 */
#include "container.h"

#include "core/utf16.h"

#include <string.h>

#define CONTAINER_VERSION 1

static const char container_magic[8] = "SSPICTX";

static void container_part(struct writer *w, struct slice part)
{
    writer_u32le(w, (uint32_t)part.size);
    writer_slice(w, part);
}

void container_write(struct writer *w, const struct container *container)
{
    writer_bytes(w, container_magic, sizeof(container_magic));
    writer_u16le(w, CONTAINER_VERSION);
    size_t mark = writer_open_u16le(w);
    writer_slice(w, container->package);
    writer_close_u16le(w, mark);
    container_part(w, container->client);
    container_part(w, container->server);
    container_part(w, container->pending);
}

/* Limits are checked before anything is done with a length from the file. */
static struct slice container_next(struct reader *r)
{
    uint32_t size = reader_u32le(r);
    if (size > CONTAINER_PART_MAX) reader_fail(r);
    return reader_bytes(r, size);
}

const char *container_read(struct slice file, struct container *out)
{
    struct reader r;
    reader_init(&r, file.data, file.size);
    struct slice magic = reader_bytes(&r, sizeof(container_magic));
    /* Somebody else's file is told from a damaged one of ours. */
    bool ours = reader_ok(&r) && !memcmp(magic.data, container_magic, sizeof(container_magic));
    if (!ours) return "this is not a file that sspictl export wrote";
    uint16_t version = reader_u16le(&r);
    if (reader_ok(&r) && version != CONTAINER_VERSION)
        return "the file has a format version that this sspictl does not know";
    struct container container;
    container.package = reader_bytes(&r, reader_u16le(&r));
    container.client = container_next(&r);
    container.server = container_next(&r);
    container.pending = container_next(&r);
    if (!reader_ok(&r)) return "the file is cut short or damaged";
    if (!reader_end(&r)) return "there are more bytes after the end of the export";
    size_t characters = container.package.size / 2;
    if (!characters || characters > CONTAINER_PACKAGE_MAX || !utf16_valid(container.package))
        return "the file does not name a package";
    *out = container;
    return NULL;
}
