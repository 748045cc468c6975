/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls that run short of memory. A scenario is one call of one export with what goes before and
 * after it; it is run as often as the call asks for memory, and each time one of these requests is
 * refused. The call must then fail with the status that is documented for a lack of memory and
 * leave everything as it was, so that the same call succeeds afterwards, or succeed all the same;
 * and no block and no handle is left over.
 */
#pragma once

#include "loopback.h"

enum kind { KIND_SSPI, KIND_NT, KIND_WIN32 }; /* what the call answers: for the status of failure */

struct scenario {
    const char *name;
    enum kind kind;
    bool (*open)(void);  /* what the call needs; false: there is nothing to try. May be NULL. */
    LONG (*call)(void);  /* the export's answer; below 0 is failure */
    bool (*check)(void); /* after success: all is well; releases what the call has made */
    void (*close)(void); /* releases what was opened; may be NULL */
};

/* The variant is for messages. */
void scenario_run(const struct scenario *scenario, const char *variant);

/* Where calls write their answers: filled with a pattern that a failed call must not change. */
extern union answers {
    BYTE bytes[2048];
    struct {
        void *pointers[8];
        ULONG numbers[8];
    };
} answers;

/* A call reports with it what else must not have changed. */
void expect_kept(bool kept);

/* Of a function that returns BOOL. */
LONG win32_answer(BOOL result);

/* What a log-on gives; fault_logon_end releases it and says whether that went well. */
struct fault_logon {
    void *profile;
    ULONG profile_size;
    LUID id;
    HANDLE token;
    QUOTA_LIMITS quotas;
    NTSTATUS sub_status;
};

LONG fault_logon(HANDLE lsa, ULONG package, void *message, ULONG size, struct fault_logon *out);
bool fault_logon_end(struct fault_logon *logon);

/* NULL where accounts of ours cannot be made. */
extern const struct account *fault_account;

/* What clients ask for, in both forms of text. */
extern wchar_t fault_target[256];
extern char fault_target_ansi[256];

/* The loopback with that target; closed again if it does not connect. */
SECURITY_STATUS fault_open(struct loopback *loop, const wchar_t *package,
                           const struct account *account);
SECURITY_STATUS fault_make(struct loopback *loop, const wchar_t *package,
                           const struct account *account);

/* In a process of its own, whose nth request for memory is refused: its exit status. */
enum { COLD_SURVIVED = 0, COLD_FAILED = 1, COLD_OVER = 2 };
int cold_main(unsigned nth);

/* QueryContextAttributes in one of four ways: W, A, Ex W, Ex A. */
struct attribute;
LONG fault_query(CtxtHandle *context, const struct attribute *attribute, int way);

/* The scenarios of each area. */
void fault_contexts(void);
void fault_transfers(void);
void fault_sasl(void);
void fault_credentials(void);
void fault_identities(void);
void fault_names(void);
void fault_lsa(void);
void fault_accounts(void);
void fault_providers(void);

/* The same for the package Kerberos, for which the script has a KDC. */
void fault_kerberos_contexts(void);
void fault_kerberos_transfers(void);
void fault_kerberos_credentials(void);
void fault_kerberos_calls(void);

/* And for those of Schannel. */
void fault_schannel_credentials(void);
void fault_schannel_legs(void);
void fault_schannel_connections(void);
