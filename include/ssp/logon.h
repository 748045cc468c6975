/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the packages have in common that are authentication packages, too: answers with pointers, as
 * programs get them (one block of the client's memory, in which what is pointed to follows the
 * structure, freed as a whole with LsaFreeReturnBuffer), and texts for the LSA.
 */
#pragma once

#include "core/lsa_buffer.h"
#include "ssp/abi.h"

#include <stdbool.h>

/* The NTSTATUS that says the same; what is wrong with a log-on stays unsaid. */
NTSTATUS nt_status(status_t status);

/* The SID of an account that is known by its names only: the same at all times, in the form that
 * Windows gives to accounts. The separator keeps it apart from those of other kinds of names.
 * SID_ROOM bytes. */
bool account_sid_make(struct slice domain, char separator, struct slice name, SID *out);

/* ---- memory of the client ---- */

/* What it gives to a package. */
static inline struct lsa_buffer client_buffer(void *submitted, void *client_base, ULONG size)
{
    return (struct lsa_buffer){
        {submitted, submitted ? size : 0}, (ULONG_PTR)client_base, sizeof(void *) == 8};
}

/* A host without functions (Wine's own secur32) shares its heap with the client. */
NTSTATUS client_allocate(PLSA_CLIENT_REQUEST request, size_t size, void **out);
NTSTATUS client_write(PLSA_CLIENT_REQUEST request, void *to, void *from, size_t size);
void client_free(PLSA_CLIENT_REQUEST request, void *block); /* NULL is fine */

/* ---- structures for it ---- */

/* A block that is made here, with the addresses that its parts will have there. */
struct image {
    PLSA_CLIENT_REQUEST request;
    uint8_t *bytes, *client;
    size_t size, used;
};

/* structure is what its fixed part takes, parts what stands behind it. */
NTSTATUS image_open(struct image *image, PLSA_CLIENT_REQUEST request, size_t structure,
                    size_t parts);
/* Appends size bytes, aligned for any type; the address that they will have. bytes may be NULL for
 * zeros. image_room gives the same part's place here. */
void *image_add(struct image *image, const void *bytes, size_t size);
void *image_room(const struct image *image, const void *client);
void image_add_text(struct image *image, UNICODE_STRING *out, struct slice text);
/* What image_open has to be told for a part. */
static inline size_t image_part(size_t size)
{
    return (size + 7) / 8 * 8;
}
/* Moves the block over; the client owns *out. Nothing is written on failure. Either way the image is
 * gone, as one is that is not to be sent. */
NTSTATUS image_send(struct image *image, void **out, ULONG *size);
void image_discard(struct image *image);

/* ---- texts of the LSA's heap, which it frees; UTF-16 ---- */

bool text_set(UNICODE_STRING *out, struct slice text);
void text_clear(UNICODE_STRING *text); /* wipes */
UNICODE_STRING *text_make(struct slice text);
void text_free(UNICODE_STRING *text);
