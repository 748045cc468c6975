/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What this machine allows, as its administrator has set it in the registry: the values that
 * Windows documents for NTLM under Control\Lsa and Control\Lsa\MSV1_0, and our own under
 * HKLM\SOFTWARE\winesspi\NTLM (64-bit view). Omitted: the values that only write an audit log.
 *
 * LmCompatibilityLevel rules both sides on Windows. Here a server takes NTLMv2 only, unless the
 * value is there: NTLMv1 is to be wanted, not forgotten.
 */
#include "ntlm_package.h"

#include "ssp/policy.h"
#include "ssp/prefix.h"
#include "ssp/trace.h"
#include "ssp/winbind.h"

#include <stdlib.h>
#include <wchar.h>

TRACE_CHANNEL("ntlm");

#define LSA_KEY L"SYSTEM\\CurrentControlSet\\Control\\Lsa"
#define MSV_KEY LSA_KEY L"\\MSV1_0"
#define OWN_KEY PREFIX_REGISTRY_KEY L"\\NTLM"

#define SECOND 10000000u /* of a FILETIME */

#define DEFAULT_LEVEL LEVEL_CLIENT_V2
#define DEFAULT_MINIMUM NTLM_128

/* The bits of NtlmMinClientSec and NtlmMinServerSec, which are those of MS-NLMP 2.2.2.5. */
#define MINIMUM_BITS (NTLM_SIGN | NTLM_SEAL | NTLM_ESS | NTLM_128)

#define SUPPRESS_BY_CLIENT 1u /* of SuppressExtendedProtection */
#define SENDING_AUDITED 1u    /* of RestrictSendingNTLMTraffic */
#define SENDING_DENIED 2u

static void read_lsa(struct ntlm_policy *policy, status_t *status)
{
    HKEY key = policy_key_open(HKEY_LOCAL_MACHINE, LSA_KEY, status);
    DWORD level = DEFAULT_LEVEL, suppress = 0, no_loopback_check = 0;
    bool known = policy_value_get(key, L"LmCompatibilityLevel", &level, status);
    policy->client_level = level;
    policy->server_level = known ? level : LEVEL_SERVER_V2;
    policy_value_get(key, L"SuppressExtendedProtection", &suppress, status);
    policy->no_extended_protection = suppress & SUPPRESS_BY_CLIENT;
    policy_value_get(key, L"DisableLoopbackCheck", &no_loopback_check, status);
    policy->loopback_check = no_loopback_check != 1;
    if (key) RegCloseKey(key);
}

static void read_msv(struct ntlm_policy *policy, status_t *status)
{
    HKEY key = policy_key_open(HKEY_LOCAL_MACHINE, MSV_KEY, status);
    policy->client_minimum = policy->server_minimum = DEFAULT_MINIMUM;
    policy_value_get(key, L"NtlmMinClientSec", &policy->client_minimum, status);
    policy_value_get(key, L"NtlmMinServerSec", &policy->server_minimum, status);
    policy->client_minimum &= MINIMUM_BITS;
    policy->server_minimum &= MINIMUM_BITS;
    policy_value_get(key, L"RestrictSendingNTLMTraffic", &policy->restrict_sending, status);
    policy_value_get(key, L"RestrictReceivingNTLMTraffic", &policy->restrict_receiving, status);
    if (key) RegCloseKey(key);
}

static void read_own(struct ntlm_policy *policy, status_t *status)
{
    HKEY key = policy_key_open(HKEY_LOCAL_MACHINE, OWN_KEY, status);
    DWORD mic = 0, window = 0, winbind = 0;
    policy->channel_bindings = POLICY_CHECKED;
    policy_value_get(key, L"ChannelBindings", &policy->channel_bindings, status);
    policy_value_get(key, L"TargetNames", &policy->target_names, status);
    policy_value_get(key, L"RequireMic", &mic, status);
    policy_value_get(key, L"TimestampWindow", &window, status);
    policy_value_get(key, WINBIND_VALUE, &winbind, status);
    policy_value_get(key, L"MinimumPasswordLength", &policy->password_length, status);
    policy->require_mic = mic;
    policy->winbind = winbind == 1;
    policy->timestamp_window = (uint64_t)window * SECOND;
    if (key) RegCloseKey(key);
}

static status_t read_policy(void *out)
{
    status_t status = SEC_E_OK;
    struct ntlm_policy *policy = out;
    read_lsa(policy, &status);
    read_msv(policy, &status);
    read_own(policy, &status);
    return status;
}

status_t policy_get(struct ntlm_policy *out)
{
    static struct ntlm_policy kept;
    static struct policy_cache cache = {.kept = &kept, .size = sizeof(kept), .read = read_policy};
    return policy_cache_get(&cache, out);
}

uint32_t policy_required(uint32_t minimum, bool v2_only, uint32_t flags)
{
    uint32_t required = minimum & (NTLM_SIGN | NTLM_SEAL);
    /* How messages are protected matters only where they are. */
    if (!((flags | required) & (NTLM_SIGN | NTLM_SEAL))) return required;
    required |= minimum;
    if (v2_only) required |= NTLM_ESS;
    return required;
}

bool policy_may_send_lm(void)
{
    struct ntlm_policy policy;
    return status_ok(policy_get(&policy)) && policy.client_level < LEVEL_CLIENT_NO_LM;
}

/* ---- lists of hosts ---- */

static bool is_same(const wchar_t *entry, const struct name *host)
{
    struct name whole;
    return name_set(&whole, text_slice(entry, wcslen(entry))) && name_equal(&whole, host);
}

/* One '*' stands for any text, as in the list that Windows documents. */
static bool pattern_matches(const wchar_t *pattern, const struct name *host)
{
    const wchar_t *star = wcschr(pattern, '*');
    size_t length = wcslen(pattern);
    if (length > NAME_CHARS) return false;
    if (!star) return is_same(pattern, host);

    size_t before = (size_t)(star - pattern), after = length - before - 1;
    if (before + after > host->length) return false;
    return CompareStringOrdinal(pattern, (int)before, host->text, (int)before, TRUE) ==
               CSTR_EQUAL &&
           CompareStringOrdinal(star + 1, (int)after, host->text + host->length - after, (int)after,
                                TRUE) == CSTR_EQUAL;
}

/* A list of hosts, read when it is asked for: few have one. What is no REG_MULTI_SZ is no list. */
static bool list_has(const wchar_t *value, const struct name *host,
                     bool (*matches)(const wchar_t *entry, const struct name *host),
                     status_t *status)
{
    bool found = false;
    DWORD type;
    HKEY key = policy_key_open(HKEY_LOCAL_MACHINE, MSV_KEY, status);
    wchar_t *list = policy_strings_get(key, value, &type, status);
    const wchar_t *entry = list && type == REG_MULTI_SZ ? list : L"";
    for (; *entry && !found; entry += wcslen(entry) + 1) found = matches(entry, host);
    free(list);
    if (key) RegCloseKey(key);
    return found;
}

bool policy_is_own_name(const struct name *host, status_t *status)
{
    return list_has(L"BackConnectionHostNames", host, is_same, status);
}

bool policy_may_send(const struct ntlm_policy *policy, struct slice target_name, status_t *status)
{
    struct name target;
    char text[TRACE_TEXT_MAX];
    if (policy->restrict_sending < SENDING_AUDITED) return true;
    const struct host *host = host_get();
    if (host && host_is_target(host, target_name, status)) return true;
    bool named = target_host_name(target_name, &target);
    bool allowed = policy->restrict_sending < SENDING_DENIED ||
                   (named &&
                    list_has(L"ClientAllowedNTLMServers", &target, pattern_matches, status));
    if (!status_ok(*status)) return false;
    WARN("RestrictSendingNTLMTraffic: %s %s\n", named ? trace_wide(text, target.text, -1) : "\"\"",
         allowed ? "is allowed" : "is denied");
    return allowed;
}
