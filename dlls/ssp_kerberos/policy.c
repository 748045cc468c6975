/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What this machine allows, as its administrator has set it in the registry: the values that
 * Windows documents under Control\Lsa, and our own under HKLM\SOFTWARE\winesspi\Kerberos (64-bit
 * view). They are read at most once a second. What the host's libraries are to do is in their own
 * configuration (krb5.conf): which encryption types, which KDCs, what clock skew.
 */
#include "kerberos_package.h"

#include "ssp/policy.h"
#include "ssp/prefix.h"

#define LSA_KEY L"SYSTEM\\CurrentControlSet\\Control\\Lsa"
#define PARAMETERS_KEY LSA_KEY L"\\Kerberos\\Parameters"
#define OWN_KEY PREFIX_REGISTRY_KEY L"\\Kerberos"

#define SUPPRESS_BY_CLIENT 1u   /* of SuppressExtendedProtection */
#define MAX_TOKEN_LEAST 1024u   /* a wrong MaxTokenSize has the default */
#define MAX_TOKEN_MOST 0x40000u /* 4 times what Windows advises */

/* A value that is not there or is no number has its default. */
static uint32_t value_get(const wchar_t *path, const wchar_t *name, uint32_t usual,
                          status_t *status)
{
    DWORD number = usual;
    policy_value_below(HKEY_LOCAL_MACHINE, path, name, &number, status);
    return number;
}

static status_t policy_read(void *out)
{
    struct kerberos_policy *policy = out;
    status_t status = SEC_E_OK;
    uint32_t max = value_get(PARAMETERS_KEY, L"MaxTokenSize", MAX_TOKEN_DEFAULT, &status);
    bool sane = max >= MAX_TOKEN_LEAST && max <= MAX_TOKEN_MOST;
    policy->max_token = sane ? max : MAX_TOKEN_DEFAULT;
    uint32_t suppressed = value_get(LSA_KEY, L"SuppressExtendedProtection", 0, &status);
    policy->no_extended_protection = suppressed & SUPPRESS_BY_CLIENT;
    policy->channel_bindings = value_get(OWN_KEY, L"ChannelBindings", POLICY_CHECKED, &status);
    policy->delegate_anywhere = value_get(OWN_KEY, L"DelegateAnywhere", 0, &status) == 1;
    return status;
}

status_t policy_get(struct kerberos_policy *out)
{
    static struct kerberos_policy kept;
    static struct policy_cache cache = {.kept = &kept, .size = sizeof(kept), .read = policy_read};
    return policy_cache_get(&cache, out);
}
