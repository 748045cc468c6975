/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages to packages: the one way for applications and for packages. */
#pragma once

#include "lsa_caller.h"

/* A message as LsaCallAuthenticationPackage has it, on its way to a package. */
struct lsa_message {
    const void *submit; /* at the client, never written to */
    ULONG size;
    void *client_base; /* where the client has it, for pointers in it */
};

struct lsa_answer {
    void *block; /* in the client's heap, or NULL */
    ULONG size;
    NTSTATUS protocol_status;
};

/* Which of the package's functions. */
enum lsa_call_kind { LSA_CALL_TRUSTED, LSA_CALL_UNTRUSTED, LSA_CALL_PASSTHROUGH };

/* The package gets a copy of the message. STATUS_NOT_SUPPORTED when it lacks the function; on any
 * failure the answer is empty. */
NTSTATUS lsa_package_call(struct package *package, enum lsa_call_kind kind, bool from_client,
                          const struct lsa_message *message, struct lsa_answer *answer);

/* What packages take for the mark of an application's request; those of packages have none. */
PLSA_CLIENT_REQUEST lsa_client_request(void);

/* The package of an SSPI or log-on name, and that of an id, loaded. STATUS_NO_SUCH_PACKAGE
 * when there is none. */
NTSTATUS lsa_package_named(const char *name, USHORT length, struct package **out);
NTSTATUS lsa_package_numbered(ULONG id, struct package **out);
