/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * prov_logon.dll: an authentication package for tests of the code that plays the LSA. As an SSP/AP
 * it is TestLogon, log-ons call it TEST_LOGON_PACKAGE. What it checks is how it is called; each
 * breach of the published contract counts as a fault.
 */
#pragma once

#include "ssp/abi.h"

#define PROV_LOGON_NAME "TEST_LOGON_PACKAGE"
#define PROV_LOGON_USELESS L"useless" /* as the file's name: describes itself, and that is all */
#define PROV_LOGON_AS_MSV "PROV_LOGON_AS_MSV" /* set in the environment: MSV1_0_PACKAGE_NAME */

/*
 * A log-on's message is MSV1_0_INTERACTIVE_LOGON; the domain does not matter, the password is
 * "right". Users:
 *   me           the user of the process
 *   me again     the same, with token information of version 1
 *   stranger     a user whose token nobody here can make
 *   nobody       an anonymous log-on
 *   sessionless  the user of the process, whose session the package forgets to make
 *   expired      STATUS_ACCOUNT_RESTRICTION, STATUS_PASSWORD_EXPIRED
 *   raise        an exception, with rubbish in the outputs
 *   frail        the user of the process; being told of it, and of its end, raises an exception
 */

/* A message to the package, and its answer. */
enum prov_call {
    PROV_CALL_ECHO,      /* who was called, and the message again */
    PROV_CALL_INFO,      /* what GetCallInfo and GetClientInfo say */
    PROV_CALL_RECURSIVE, /* the same, through CallPackage */
    PROV_CALL_REASON,    /* sets a reason of failure, and fails for its protocol status only */
    PROV_CALL_FAIL,      /* STATUS_UNSUCCESSFUL, with rubbish in the outputs */
    PROV_CALL_RAISE,     /* an exception, with rubbish in the outputs */
};

struct prov_call_message {
    ULONG call; /* enum prov_call */
    struct prov_call_message *self;
    char text[16];
};

struct prov_call_answer {
    char function; /* 't'rusted, 'u'ntrusted, 'p'assed through */
    BOOLEAN request;
    char text[16];
    SECPKG_CALL_INFO call;
    SECPKG_CLIENT_INFO client;
};

struct prov_logon_record {
    LONG faults, last_fault;
    LONG terminated; /* calls of LogonTerminated */
    LUID last_terminated;
    LONG accepted; /* calls of AcceptCredentials */
    bool frail;    /* the last one was for that user */
    ULONG last_accepted_flags;
    ULONG acquired_attributes; /* of the call that wanted credentials, which there are none of */
    ULONG_PTR id;
    const struct lsa_function_table *functions;
    const SECPKG_DLL_FUNCTIONS *dll_functions; /* of the half that runs with the client */
};

typedef struct prov_logon_record *(WINAPI *prov_logon_record_fn)(void);
struct prov_logon_record *WINAPI prov_logon_record(void);
