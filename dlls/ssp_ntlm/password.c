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

static const struct slice nothing = {NULL, 0};

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
                          DOMAIN_PASSWORD_INFORMATION *info, bool *has_info)
{
    size_t length = new_password.size / sizeof(wchar_t);
    if (length >= policy->password_length && length <= NAME_CHARS) return STATUS_SUCCESS;
    *info = (DOMAIN_PASSWORD_INFORMATION){
        .MinPasswordLength = (USHORT)min(policy->password_length, NAME_CHARS),
        .MaxPasswordAge = {.QuadPart = NEVER},
    };
    *has_info = true;
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

NTSTATUS password_change(const struct msv_password_change *change,
                         DOMAIN_PASSWORD_INFORMATION *info, bool *has_info)
{
    static SRWLOCK lock = SRWLOCK_INIT; /* of two changes, the second has to know the first */
    struct ntlm_policy policy;
    struct account account;
    *has_info = false;
    status_t status = crypto_ready();
    if (!status_ok(status)) return nt_status(status);
    policy_get(&policy);

    AcquireSRWLockExclusive(&lock);
    account_forget_all();
    status = account_find(change->user, change->domain, &account);
    NTSTATUS result = nt_status(status);
    if (status_ok(status)) {
        if (account_is_elsewhere(&account, &policy)) result = STATUS_NO_SUCH_DOMAIN;
        else result = check_old(&account, change->old_password);
        if (result >= 0) result = check_new(&policy, change->new_password, info, has_info);
        if (result >= 0) result = store(&account, change->new_password);
        secret_wipe(&account, sizeof(account));
    }
    ReleaseSRWLockExclusive(&lock);
    TRACE("status %#lx\n", (ULONG)result);
    return result;
}

/* ---- through SSPI ---- */

static struct slice string_slice(const UNICODE_STRING *text)
{
    return text && text->Buffer ? text_slice(text->Buffer, text->Length / sizeof(wchar_t))
                                : nothing;
}

/* The application frees what its one buffer points to with FreeContextBuffer. */
static NTSTATUS answer_give(SecBufferDesc *output, const DOMAIN_PASSWORD_INFORMATION *info)
{
    DOMAIN_PASSWORD_INFORMATION *copy = package_alloc(sizeof(*copy));
    if (!copy) return STATUS_NO_MEMORY;
    *copy = *info;
    output->pBuffers[0].cbBuffer = sizeof(*copy);
    output->pBuffers[0].pvBuffer = copy;
    return STATUS_PASSWORD_RESTRICTION;
}

NTSTATUS NTAPI password_change_sspi(UNICODE_STRING *domain, UNICODE_STRING *account,
                                    UNICODE_STRING *old_password, UNICODE_STRING *new_password,
                                    BOOLEAN impersonating, SecBufferDesc *output)
{
    (void)impersonating; /* the old password is what counts */
    DOMAIN_PASSWORD_INFORMATION info;
    bool has_info;
    const struct msv_password_change change = {
        .domain = string_slice(domain),
        .user = string_slice(account),
        .old_password = string_slice(old_password),
        .new_password = string_slice(new_password),
    };
    bool valid = output && output->cBuffers == 1 && output->pBuffers &&
                 (output->pBuffers[0].BufferType & ~SECBUFFER_ATTRMASK) ==
                     SECBUFFER_CHANGE_PASS_RESPONSE;
    if (!valid) return STATUS_INVALID_PARAMETER;
    NTSTATUS status = password_change(&change, &info, &has_info);
    return has_info ? answer_give(output, &info) : status;
}
