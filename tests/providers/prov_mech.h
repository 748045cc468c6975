/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * prov_mech.dll: a mechanism for tests of Negotiate, beside NTLM. Package TestMech can be
 * negotiated, needs one token each way, and signs with HMAC-MD5; the key travels in clear, so it
 * protects nothing. It is called like any package and counts what is left of it. The service
 * of the target says what the two sides are to do; NTLM looks at the host alone:
 *
 *   unknown/localhost   the initiator fails at once: SEC_E_TARGET_UNKNOWN
 *   unusable/localhost  the acceptor fails at once: SEC_E_NO_CREDENTIALS
 *   deny/localhost      the acceptor fails at once: SEC_E_LOGON_DENIED
 *   plain/localhost     no integrity: nothing can be signed
 *   huge/localhost      the initiator's token has 20000 bytes more
 *   fails-8009030e/...  the initiator fails at once with that status
 *
 * A test can refuse it all credentials. Nothing can be exported. A copy of the module with the
 * file name of MECH_KERBEROS_MODULE calls itself Kerberos, which is a name that Negotiate has
 * identifiers for, two of them. One with that of MECH_NUMBERED_MODULE and a digit has that digit in
 * its package's name.
 */
#pragma once

#include "ssp/abi.h"

#define MECH_PACKAGE L"TestMech"
#define MECH_KERBEROS_MODULE L"prov_kerberos"
#define MECH_NUMBERED_MODULE L"prov_mech_"
#define MECH_OID_TEXT L"2.999.7" /* ITU-T X.660: the arc of examples */
#define MECH_OID "\x88\x37\x07"  /* its content octets */
#define MECH_OID_SIZE 3
#define MECH_SIGNATURE_SIZE 16
#define MECH_HUGE 20000

struct mech_counters {
    LONG contexts, credentials; /* alive */
    LONG faults;                /* calls that broke the contract */
    LONG refuse;                /* set by a test: there is no credential */
};

typedef struct mech_counters *(WINAPI *mech_counters_get_fn)(void);
struct mech_counters *WINAPI mech_counters_get(void);
NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, PULONG package_version,
                                   PSECPKG_FUNCTION_TABLE *tables, PULONG count);
NTSTATUS NTAPI SpUserModeInitialize(ULONG version, PULONG package_version,
                                    PSECPKG_USER_FUNCTION_TABLE *tables, PULONG count);
