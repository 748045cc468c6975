/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way to the Unix half, which has the libraries that make exchanges. The value Library of
 * HKLM\SOFTWARE\winesspi\Kerberos names the GSS-API library to use in the place of the first of
 * those that are known.
 */
#include "kerberos_package.h"

#include "ssp/prefix.h"
#include "ssp/trace.h"

TRACE_CHANNEL("kerberos");

#define OWN_KEY PREFIX_REGISTRY_KEY L"\\Kerberos"

status_t library_call(enum kerberos_call number, void *params)
{
    return status_ok(unixcall_ready()) ? unixcall_call(number, params) : SEC_E_SECPKG_NOT_FOUND;
}

void library_free(uint64_t credential)
{
    struct kerberos_call_free call = {.object = credential};
    if (credential) library_call(KERBEROS_CALL_CREDENTIAL_FREE, &call);
}

/* Empty without one. */
static void name_read(char *out, size_t room)
{
    wchar_t name[64];
    DWORD size = sizeof(name);
    LSTATUS error = RegGetValueW(HKEY_LOCAL_MACHINE, OWN_KEY, L"Library",
                                 RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, NULL, name, &size);
    if (error == ERROR_MORE_DATA) WARN("the value Library is too long: it is left out\n");
    if (error || !WideCharToMultiByte(CP_UTF8, 0, name, -1, out, (int)room, NULL, NULL)) *out = 0;
}

status_t library_ready(void)
{
    struct kerberos_call_library call = {
        .why = "Wine finds no Unix half of ssp_kerberos (is WINEDLLPATH set?)"};
    name_read(call.name, sizeof(call.name));
    status_t status = library_call(KERBEROS_CALL_LIBRARY, &call);
    if (status_ok(status))
        TRACE("%s, tickets %u, realm %s\n", call.name, (unsigned)call.tickets, call.realm);
    else WARN("no exchanges without GSS-API: %s\n", call.why);
    return status;
}
