/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ChangeAccountPassword: the package of the given name changes the password and leaves its answer
 * in the caller's one buffer of type SECBUFFER_CHANGE_PASS_RESPONSE.
 */
#include "ansi.h"

#include "core/secret.h"
#include "lsa_caller.h"
#include "ssp/secbuf.h"
#include "ssp/trace.h"

#include <wchar.h>

TRACE_CHANNEL("sspi");

SECURITY_STATUS WINAPI ChangeAccountPasswordW(SEC_WCHAR *package_name, SEC_WCHAR *domain,
                                              SEC_WCHAR *account, SEC_WCHAR *old_password,
                                              SEC_WCHAR *new_password, BOOLEAN impersonating,
                                              ULONG reserved, SecBufferDesc *output)
{
    if (reserved || !account || !new_password || !secbuf_valid(output) || output->cBuffers != 1 ||
        secbuf_type(&output->pBuffers[0]) != SECBUFFER_CHANGE_PASS_RESPONSE)
        return SEC_E_INVALID_PARAMETER;
    struct package *package;
    status_t status = package_find_open(package_name, &package);
    if (!status_ok(status)) return status;
    if (!package->ops.change_password) return SEC_E_UNSUPPORTED_FUNCTION;
    status = package->ops.change_password(package, domain, account, old_password, new_password,
                                          impersonating, output);
    TRACE("%ls: account %ls: status %#lx\n", package->info.Name, account, (ULONG)status);
    return status;
}

static void secret_text_free(WCHAR *text)
{
    if (text) secret_wipe(text, wcslen(text) * sizeof(*text));
    HeapFree(GetProcessHeap(), 0, text);
}

SECURITY_STATUS WINAPI ChangeAccountPasswordA(SEC_CHAR *package_name, SEC_CHAR *domain,
                                              SEC_CHAR *account, SEC_CHAR *old_password,
                                              SEC_CHAR *new_password, BOOLEAN impersonating,
                                              ULONG reserved, SecBufferDesc *output)
{
    const char *const texts[] = {package_name, domain, account, old_password, new_password};
    WCHAR *wide[ARRAYSIZE(texts)] = {0};
    status_t status = SEC_E_OK;
    for (size_t i = 0; i < ARRAYSIZE(texts) && status_ok(status); i++)
        status = ansi_to_wide(texts[i], &wide[i]);
    if (status_ok(status)) {
        ULONG_PTR around = lsa_call_enter(NULL, SECPKG_CALL_ANSI);
        status = ChangeAccountPasswordW(wide[0], wide[1], wide[2], wide[3], wide[4], impersonating,
                                        reserved, output);
        lsa_call_leave(around);
    }
    for (size_t i = 0; i < ARRAYSIZE(texts); i++) secret_text_free(wide[i]);
    return status;
}
