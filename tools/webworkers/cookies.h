/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A security context in a cookie: "PACKAGE.BLOB", the blob in base64. The blob is sealed by the
 * system and good for one import, so that a client can neither read nor change it, nor go back to
 * an earlier one.
 */
#pragma once

#include "http.h"

#include <winsock2.h>

#include <windows.h>

#include <security.h>

enum cookie {
    COOKIE_HANDSHAKE, /* half open: waits for the client's next token */
    COOKIE_SESSION    /* established: stands for a client that has proved who it is */
};

struct context {
    const char *package;
    CtxtHandle handle; /* invalid: there is none */
};

void context_delete(struct context *context);

/* Exports the context, which is gone then, and adds the field that gives the client the cookie. */
SECURITY_STATUS cookie_give(enum cookie cookie, struct context *context, struct writer *fields);

/* Adds the field that makes the client forget it. */
void cookie_forget(enum cookie cookie, struct writer *fields);

bool cookie_present(const struct http_head *request, enum cookie cookie);

/* Which of the packages the present cookie names; NULL: none of them. */
const char *cookie_package(const struct http_head *request, enum cookie cookie,
                           const char *const packages[], size_t count);

/* Imports the context that the cookie holds for that package, by which it is used up; *out is
 * untouched on failure. */
SECURITY_STATUS cookie_take(const struct http_head *request, enum cookie cookie,
                            const char *package, struct context *out);
