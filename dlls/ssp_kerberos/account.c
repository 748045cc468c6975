/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which principal is the user of this process. The value ProcessPrincipal (REG_SZ, name@REALM) of
 * HKLM\SOFTWARE\winesspi\Kerberos says so where it is set. Without it the host does, by the rules
 * with which it lets principals in as its users (auth_to_local of krb5.conf, and .k5login).
 */
#include "logon.h"

#include "ssp/prefix.h"
#include "ssp/trace.h"

#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("kerberos");

#define OWN_KEY PREFIX_REGISTRY_KEY L"\\Kerberos"

/* Principals count by each letter. */
static bool is_named(const wchar_t *wanted, struct slice principal)
{
    struct blob name = {NULL, 0};
    if (!status_ok(utf16_make(principal, &name))) return false;
    size_t size = wcslen(wanted) * sizeof(*wanted);
    bool same = size == name.size && !memcmp(wanted, name.data, size);
    blob_clear(&name);
    return same;
}

bool principal_is_own(struct slice principal)
{
    wchar_t wanted[256];
    DWORD size = sizeof(wanted);
    LSTATUS error = RegGetValueW(HKEY_LOCAL_MACHINE, OWN_KEY, L"ProcessPrincipal",
                                 RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, NULL, wanted, &size);
    if (error && error != ERROR_FILE_NOT_FOUND) {
        WARN("ProcessPrincipal cannot be read: error %ld\n", error);
        return false; /* the host was not to say so */
    }
    if (!error && *wanted) return is_named(wanted, principal);
    struct kerberos_call_account call = {.principal = unixcall_slice(principal)};
    status_t status = library_call(KERBEROS_CALL_ACCOUNT, &call);
    call.why[sizeof(call.why) - 1] = 0;
    TRACE("%.*s: status %#lx, own %u %s\n", (int)principal.size, (const char *)principal.data,
          (ULONG)status, (unsigned)call.own, call.why);
    return status_ok(status) && call.own;
}
