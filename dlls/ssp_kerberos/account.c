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
static status_t named_find(const wchar_t *wanted, struct slice principal, bool *same)
{
    struct blob name = {NULL, 0};
    status_t status = utf16_make(principal, &name);
    size_t size = wcslen(wanted) * sizeof(*wanted);
    *same = status_ok(status) && size == name.size && !memcmp(wanted, name.data, size);
    blob_clear(&name);
    return status;
}

static status_t host_find(struct slice principal, bool *own)
{
    struct kerberos_call_account call = {.principal = unixcall_slice(principal)};
    status_t status = library_call(KERBEROS_CALL_ACCOUNT, &call);
    call.why[sizeof(call.why) - 1] = 0;
    TRACE("%.*s: status %#lx, own %u %s\n", (int)principal.size, (const char *)principal.data,
          (ULONG)status, (unsigned)call.own, call.why);
    *own = status_ok(status) && call.own;
    return status;
}

status_t principal_find_own(struct slice principal, bool *own)
{
    wchar_t wanted[256];
    DWORD size = sizeof(wanted);
    *own = false;
    LSTATUS error = RegGetValueW(HKEY_LOCAL_MACHINE, OWN_KEY, L"ProcessPrincipal",
                                 RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, NULL, wanted, &size);
    if (error && error != ERROR_FILE_NOT_FOUND) {
        WARN("ProcessPrincipal cannot be read: error %ld\n", error);
        return SEC_E_OK; /* the host was not to say so */
    }
    status_t status = !error && *wanted ? named_find(wanted, principal, own)
                                        : host_find(principal, own);
    return status == SEC_E_INSUFFICIENT_MEMORY ? status : SEC_E_OK;
}
