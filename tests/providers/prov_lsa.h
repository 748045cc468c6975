/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * prov_lsa.dll: a security support provider with three packages in one module, for tests of the
 * code that hosts such modules. It protects nothing: keys travel in clear. What it checks is how
 * it is called; each breach of the published contract counts as a fault.
 *
 *   TestOne          the client is done after its first call, the server after its first
 *   TestTwo          the client needs the server's answer
 *   TestEmptyExport  as TestOne; its export reports success and returns an empty buffer
 */
#pragma once

#include "ssp/abi.h"

#define PROV_TOKEN_SIZE 40
#define PROV_SIGNATURE_SIZE 16
#define PROV_CONTEXT_DATA_SIZE 64
#define PROV_BLOB_SIZE 48
#define PROV_PACKAGES 3

/* Buffers and attributes by which tests provoke something. */
#define PROV_SET_ATTRIBUTE 0x5e      /* SetContextAttributes takes 4 bytes and remembers them */
#define PROV_SET_NAME L"TEST\\other" /* the one name that a credential can be given */

struct prov_counters {
    LONG lsa_contexts, user_contexts, credentials; /* alive */
    LONG initialized;                              /* packages whose Initialize was called */
    LONG faults;
    LONG last_fault;                          /* source line */
    LONG threads_inside, threads_inside_most; /* in MakeSignature at one time */
    CtxtHandle message_context;               /* of new contexts, unless it is 0 */
};

typedef struct prov_counters *(WINAPI *prov_counters_get_fn)(void);
struct prov_counters *WINAPI prov_counters_get(void);

/* ---- inside the module ---- */

struct prov_context {
    uint32_t magic;
    int package;
    bool lsa_half, user_half, server, half_open;
    uint8_t key[16];
    uint32_t sent, received, attribute;
    HANDLE token;                         /* made when first asked for, the context's own */
    uint8_t data[PROV_CONTEXT_DATA_SIZE]; /* what the LSA half gave to the user half */
};

#define PROV_CONTEXT_MAGIC 0x43505254u

extern struct prov_counters prov_counters;
extern PLSA_SECPKG_FUNCTION_TABLE prov_lsa_functions;

void prov_fault(int line);
#define PROV_EXPECT(condition) ((condition) ? (void)0 : prov_fault(__LINE__))

struct prov_context *prov_context_make(int package, bool server);
NTSTATUS prov_message_context(void *buffer); /* WINESSPI_ATTR_MESSAGE_CONTEXT */
void prov_context_drop_half(struct prov_context *context, bool *half);

/* prov_lsa_user.c */
extern SECPKG_USER_FUNCTION_TABLE prov_user_tables[PROV_PACKAGES];
NTSTATUS NTAPI SpUserModeInitialize(ULONG version, PULONG package_version,
                                    PSECPKG_USER_FUNCTION_TABLE *tables, PULONG count);
NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, PULONG package_version,
                                   PSECPKG_FUNCTION_TABLE *tables, PULONG count);
