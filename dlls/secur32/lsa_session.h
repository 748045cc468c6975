/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Logon sessions as this process sees them: its own, the system's, and those that its packages
 * make for log-ons. With each go the credentials that packages keep in it.
 */
#pragma once

#include "ssp/abi.h"

/* What is known of a session; text is terminated and never NULL. */
enum session_text {
    SESSION_USER,
    SESSION_DOMAIN,
    SESSION_PACKAGE,
    SESSION_SERVER, /* that judged the log-on */
    SESSION_DNS_DOMAIN,
    SESSION_UPN,
    SESSION_TEXTS
};

struct session_facts {
    LUID id;
    ULONG_PTR package_id; /* the package that made it; of others, SECPKG_ID_NONE */
    SECURITY_LOGON_TYPE type;
    LARGE_INTEGER time;
    SID *sid; /* or NULL */
    WCHAR *texts[SESSION_TEXTS];
};

/* The session of the process. */
LUID session_own_id(void);

/* STATUS_LOGON_SESSION_COLLISION when there is one of that id already. */
NTSTATUS session_create(const LUID *id);

/* STATUS_NO_SUCH_LOGON_SESSION; STATUS_BAD_LOGON_SESSION_STATE for those that packages did not
 * make. The credentials are wiped. */
NTSTATUS session_delete(const LUID *id);

bool session_exists(const LUID *id);

/* Says what a log-on found out of its session; everything is copied. From then on the session is
 * in use. Sessions end with their last token on Windows, which nobody is told of here: of those in
 * use only the latest SESSIONS_USED_MAX stay. True when *ended is to make room. */
#define SESSIONS_USED_MAX 256u
NTSTATUS session_describe(const struct session_facts *facts, bool *full, LUID *ended);

/* A copy for session_facts_free. */
NTSTATUS session_facts_get(const LUID *id, struct session_facts *out);
/* Copies everything; a text of NULL becomes an empty one. False without memory. */
bool session_facts_copy(const struct session_facts *from, struct session_facts *out);
void session_facts_free(struct session_facts *facts);

/* One block of the process heap. */
NTSTATUS session_list(ULONG *count, LUID **list);

/* Credentials of a session, by package and key (LSA_ADD_CREDENTIAL and the two after it). The key
 * that is asked for may be NULL: any, starting behind *position, which moves on. *credential is one
 * block of the process heap that starts with the key. */
struct session_credential {
    LSA_STRING key, value;
    ULONG room; /* of the value, all of it secret */
};
NTSTATUS session_credential_add(const LUID *id, ULONG package, const LSA_STRING *key,
                                const LSA_STRING *value);
NTSTATUS session_credential_get(const LUID *id, ULONG package, const LSA_STRING *key,
                                ULONG *position, struct session_credential **credential);
NTSTATUS session_credential_delete(const LUID *id, ULONG package, const LSA_STRING *key);
void session_credential_free(struct session_credential *credential); /* wipes; NULL is fine */
