/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes of a local account's password by who knows the old one (Microsoft: ChangeAccountPassword,
 * MSV1_0_CHANGEPASSWORD_REQUEST). The one rule for new passwords is a length, MinimumPasswordLength
 * (REG_DWORD, HKLM\SOFTWARE\winesspi\NTLM). Omitted: accounts of a domain.
 */
#include "logon.h"

#include "core/secret.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"

TRACE_CHANNEL("ntlm");

#define NEVER ((LONGLONG)0x8000000000000000) /* of a duration */

/* An account that is not there has a random hash, and is refused like a wrong password. */
static NTSTATUS check_old(const struct account *account, struct slice old_password)
{
    uint8_t hash[16];
    status_t status = ntlm_nt_hash(old_password, hash);
    if (!status_ok(status)) return nt_status(status);
    bool same = secret_equal(hash, account->nt_hash, sizeof(hash));
    secret_wipe(hash, sizeof(hash));
    return same && account->known ? STATUS_SUCCESS : STATUS_WRONG_PASSWORD;
}

static NTSTATUS check_new(const struct ntlm_policy *policy, struct slice new_password,
                          struct password_answer *out)
{
    size_t length = new_password.size / sizeof(wchar_t);
    if (length >= policy->password_length && length <= NAME_CHARS) return STATUS_SUCCESS;
    out->policy = (DOMAIN_PASSWORD_INFORMATION){
        .MinPasswordLength = (USHORT)min(policy->password_length, NAME_CHARS),
        .MaxPasswordAge = {.QuadPart = NEVER},
    };
    out->has_policy = true;
    return STATUS_PASSWORD_RESTRICTION;
}

static NTSTATUS store(const struct account *account, struct slice new_password)
{
    uint8_t hash[16];
    status_t status = ntlm_nt_hash(new_password, hash);
    if (status_ok(status)) status = account_store(account, hash);
    secret_wipe(hash, sizeof(hash));
    return nt_status(status);
}

NTSTATUS password_change(const struct lsa_password_change *change, struct password_answer *out)
{
    static SRWLOCK lock = SRWLOCK_INIT; /* of two changes, the second has to know the first */
    struct ntlm_policy policy;
    struct account account;
    out->has_policy = false;
    status_t status = crypto_ready();
    if (status_ok(status)) status = policy_get(&policy);
    if (!status_ok(status)) return nt_status(status);

    AcquireSRWLockExclusive(&lock);
    account_forget_all();
    status = account_find(change->user, change->domain, &account);
    NTSTATUS result = nt_status(status);
    if (status_ok(status)) {
        if (account_is_elsewhere(&account, &policy)) result = STATUS_NO_SUCH_DOMAIN;
        else result = check_old(&account, change->old_password);
        if (result >= 0) result = check_new(&policy, change->new_password, out);
        if (result >= 0) result = store(&account, change->new_password);
        secret_wipe(&account, sizeof(account));
    }
    ReleaseSRWLockExclusive(&lock);
    TRACE("status %#lx\n", (ULONG)result);
    return result;
}
