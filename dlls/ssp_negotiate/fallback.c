/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When an initiator does without Kerberos. Microsoft's page on Negotiate has it chosen unless one
 * of the systems cannot use it, or the application has not said enough: it takes a target that is
 * an SPN, a UPN or the name of an account. What leads to NTLM in practice is listed where Windows
 * writes it down (KB5064479): no target or an empty one, one that Kerberos does not know, an IP
 * address, no KDC in reach, an account of a machine. What does not: a target of three parts that
 * the KDC does not know, since that is how somebody on the way could have NTLM used (KB5011233,
 * CVE-2022-21920); and a password that the KDC of its realm has refused, which NTLM would only
 * try, and have counted, once more.
 */
#include "negotiate_package.h"

#include "ssp/policy.h"

#include <wchar.h>

/* Microsoft's page "Kerberos clients allow IPv4 and IPv6 address hostnames in SPNs" */
#define KERBEROS_POLICY_KEY \
    L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System\\Kerberos\\Parameters"

static bool is_kerberos(const struct mech *mech)
{
    return oid_is(&mech->oids[0], spnego_oid_ms_kerberos);
}

/* ---- targets ---- */

/* The host of an SPN, service/host[:port][/name][@realm]; all of what is none. */
static size_t host_of(const wchar_t *target, const wchar_t **host)
{
    const wchar_t *slash = wcschr(target, '/');
    *host = slash ? slash + 1 : target;
    return wcscspn(*host, L"/@");
}

/* No name of a host consists of numbers only, nor has colons but for one before a port. */
static bool is_address(const wchar_t *host, size_t length)
{
    size_t colons = 0, numbers = 0;
    for (size_t i = 0; i < length; i++) {
        if (host[i] == ':') colons++;
        if (!colons && wcschr(L"0123456789.", host[i])) numbers++;
    }
    if (length && host[0] == '[') return true;
    return colons > 1 || (numbers && numbers == wcscspn(host, L":/@"));
}

static bool addresses_allowed(status_t *status)
{
    DWORD value = 0;
    policy_value_below(HKEY_LOCAL_MACHINE, KERBEROS_POLICY_KEY, L"TryIPSPN", &value, status);
    return value;
}

static bool has_three_parts(const wchar_t *target)
{
    const wchar_t *slash = target ? wcschr(target, '/') : NULL;
    return slash && wcschr(slash + 1, '/');
}

/* ---- for the initiator ---- */

/* User-to-user has an identifier of its own, which is not offered. */
status_t fallback_before(const struct mech *mech, const wchar_t *target, ULONG requirements,
                         status_t *reason)
{
    const wchar_t *host;
    status_t status = SEC_E_OK;
    *reason = SEC_E_OK;
    if (!is_kerberos(mech)) return status;
    if (requirements & ISC_REQ_USE_SESSION_KEY) {
        *reason = SEC_E_UNSUPPORTED_FUNCTION;
    } else if (!target || !*target) {
        *reason = SEC_E_TARGET_UNKNOWN;
    } else {
        size_t length = host_of(target, &host);
        if (is_address(host, length) && !addresses_allowed(&status)) *reason = SEC_E_TARGET_UNKNOWN;
    }
    return status;
}

bool fallback_is_final(const struct member *member, const wchar_t *target, status_t status)
{
    if (status == SEC_E_INSUFFICIENT_MEMORY) return true;
    if (!is_kerberos(&member->mech)) return false;
    switch (status) {
    case SEC_E_TARGET_UNKNOWN:
    case SEC_E_WRONG_PRINCIPAL: return has_three_parts(target);
    /* Where no realm was named, the account may be one that only the server knows. */
    case SEC_E_LOGON_DENIED:
    case SEC_E_SMARTCARD_LOGON_REQUIRED: return member->of_realm;
    case SEC_E_DELEGATION_POLICY: return true;
    default: return false;
    }
}
