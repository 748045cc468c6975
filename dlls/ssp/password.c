/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changes of passwords through SSPI; see ssp/password.h. */
#include "ssp/password.h"

#include "ssp/provider.h"
#include "ssp/secbuf.h"

static struct slice string_slice(const UNICODE_STRING *text)
{
    if (!text || !text->Buffer) return (struct slice){NULL, 0};
    return (struct slice){(const uint8_t *)text->Buffer, text->Length};
}

/* The application frees what its one buffer points to with FreeContextBuffer. */
static NTSTATUS answer_give(SecBufferDesc *output, const DOMAIN_PASSWORD_INFORMATION *policy)
{
    DOMAIN_PASSWORD_INFORMATION *copy = package_alloc(sizeof(*copy));
    if (!copy) return STATUS_NO_MEMORY;
    *copy = *policy;
    output->pBuffers[0].cbBuffer = sizeof(*copy);
    output->pBuffers[0].pvBuffer = copy;
    return STATUS_PASSWORD_RESTRICTION;
}

NTSTATUS NTAPI password_change_sspi(UNICODE_STRING *domain, UNICODE_STRING *account,
                                    UNICODE_STRING *old_password, UNICODE_STRING *new_password,
                                    BOOLEAN impersonating, SecBufferDesc *output)
{
    (void)impersonating; /* the old password is what counts */
    struct password_answer answer;
    const struct lsa_password_change change = {
        .domain = string_slice(domain),
        .user = string_slice(account),
        .old_password = string_slice(old_password),
        .new_password = string_slice(new_password),
    };
    bool valid = output && output->cBuffers == 1 && output->pBuffers &&
                 secbuf_type(&output->pBuffers[0]) == SECBUFFER_CHANGE_PASS_RESPONSE;
    if (!valid) return STATUS_INVALID_PARAMETER;
    NTSTATUS status = password_change(&change, &answer);
    return answer.has_policy ? answer_give(output, &answer.policy) : status;
}
