/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A client and a server context of one package in this process. Shared by sspictl and handover. */
#pragma once

#include <windows.h>

#include <security.h>

#include <stdbool.h>

struct loopback_leg {
    unsigned number;
    bool from_client;
    ULONG token_size;
    SECURITY_STATUS status;
};

struct loopback_request {
    wchar_t *package;
    wchar_t *target;                                /* may be NULL */
    SEC_WINNT_AUTH_IDENTITY_W *identity;            /* NULL: default credentials */
    void (*on_leg)(const struct loopback_leg *leg); /* may be NULL */
};

struct loopback_side {
    CredHandle credentials;
    CtxtHandle context;
    ULONG flags;
};

struct loopback {
    struct loopback_side client, server;
    const char *step; /* what was being done last: for the error message */
};

/* Runs the whole handshake, asking for confidentiality and integrity. On failure l holds nothing
 * but the step. */
SECURITY_STATUS loopback_run(const struct loopback_request *request, struct loopback *l);

/* Deletes the contexts (those that are still there) and frees the credentials. */
void loopback_clear(struct loopback *l);
