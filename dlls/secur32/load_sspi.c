/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A package of an SSP module, one that gives a SecurityFunctionTableW of its own
 * (InitSecurityInterfaceW), behind struct package_ops. Such a module has no LSA half; handles are
 * its own two words. One that has InitSecurityInterfaceA only is served here too, but for the
 * functions that take or give text (load_sspi_ansi.c): the two tables are laid out alike.
 */
#include "load_sspi.h"

#include "exports.h"
#include "module.h"
#include "ssp/trace.h"

#include <wchar.h>

TRACE_CHANNEL("sspi");

static status_t sspi_acquire_credentials(struct package *package, WCHAR *principal, ULONG use,
                                         LUID *logon_id, void *auth_data, SEC_GET_KEY_FN get_key,
                                         void *get_key_argument, SecHandle *credential,
                                         TimeStamp *expiry)
{
    return package->sspi->AcquireCredentialsHandleW(principal, package->info.Name, use, logon_id,
                                                    auth_data, get_key, get_key_argument,
                                                    credential, expiry);
}

static status_t sspi_free_credentials(struct package *package, SecHandle *credential)
{
    return package->sspi->FreeCredentialsHandle(credential);
}

static status_t sspi_add_credentials(struct package *package, SecHandle *credential,
                                     WCHAR *principal, WCHAR *name, ULONG use, void *auth_data,
                                     SEC_GET_KEY_FN get_key, void *get_key_argument,
                                     TimeStamp *expiry)
{
    return package->sspi->AddCredentialsW(credential, principal, name, use, auth_data, get_key,
                                          get_key_argument, expiry);
}

static status_t sspi_query_credentials(struct package *package, SecHandle *credential,
                                       ULONG attribute, void *buffer)
{
    return package->sspi->QueryCredentialsAttributesW(credential, attribute, buffer);
}

SecHandle *sspi_handle_if_set(SecHandle *handle)
{
    return handle->dwLower || handle->dwUpper ? handle : NULL;
}

status_t sspi_leg_finish(struct package *package, struct provider_context *context, status_t status,
                         const SecHandle *handle)
{
    if (!status_ok(status)) return status;
    if (!handle->dwLower && !handle->dwUpper) {
        WARN("%ls promised a context and gave none\n", package->info.Name);
        return SEC_E_INTERNAL_ERROR;
    }
    context->handle = *handle;
    context->user_half = true;
    return status;
}

static status_t sspi_init_context(struct package *package, SecHandle *credential,
                                  struct provider_context *context, WCHAR *target,
                                  ULONG requirements, ULONG data_representation,
                                  SecBufferDesc *input, SecBufferDesc *output, ULONG *attributes,
                                  TimeStamp *expiry)
{
    SecHandle old = context->handle, new = context->handle;
    status_t status = package->sspi->InitializeSecurityContextW(
        sspi_handle_if_set(credential), sspi_handle_if_set(&old), target, requirements, 0,
        data_representation, input, 0, &new, output, attributes, expiry);
    return sspi_leg_finish(package, context, status, &new);
}

static status_t sspi_accept_context(struct package *package, SecHandle *credential,
                                    struct provider_context *context, SecBufferDesc *input,
                                    ULONG requirements, ULONG data_representation,
                                    SecBufferDesc *output, ULONG *attributes, TimeStamp *expiry)
{
    SecHandle old = context->handle, new = context->handle;
    status_t status = package->sspi->AcceptSecurityContext(
        sspi_handle_if_set(credential), sspi_handle_if_set(&old), input, requirements,
        data_representation, &new, output, attributes, expiry);
    return sspi_leg_finish(package, context, status, &new);
}

static void sspi_delete_context(struct package *package, struct provider_context *context)
{
    if (package->sspi->DeleteSecurityContext)
        package->sspi->DeleteSecurityContext(&context->handle);
}

static status_t sspi_complete_token(struct package *package, struct provider_context *context,
                                    SecBufferDesc *token)
{
    return package->sspi->CompleteAuthToken(&context->handle, token);
}

static status_t sspi_control_token(struct package *package, struct provider_context *context,
                                   SecBufferDesc *input)
{
    return package->sspi->ApplyControlToken(&context->handle, input);
}

static status_t sspi_query_context(struct package *package, struct provider_context *context,
                                   ULONG attribute, void *buffer)
{
    return package->sspi->QueryContextAttributesW(&context->handle, attribute, buffer);
}

static status_t sspi_make_signature(struct package *package, struct provider_context *context,
                                    ULONG qop, SecBufferDesc *message, ULONG sequence)
{
    return package->sspi->MakeSignature(&context->handle, qop, message, sequence);
}

static status_t sspi_verify_signature(struct package *package, struct provider_context *context,
                                      SecBufferDesc *message, ULONG sequence, ULONG *qop)
{
    return package->sspi->VerifySignature(&context->handle, message, sequence, qop);
}

static status_t sspi_seal_message(struct package *package, struct provider_context *context,
                                  ULONG qop, SecBufferDesc *message, ULONG sequence)
{
    return package->sspi->EncryptMessage(&context->handle, qop, message, sequence);
}

static status_t sspi_unseal_message(struct package *package, struct provider_context *context,
                                    SecBufferDesc *message, ULONG sequence, ULONG *qop)
{
    return package->sspi->DecryptMessage(&context->handle, message, sequence, qop);
}

static status_t sspi_query_token(struct package *package, struct provider_context *context,
                                 HANDLE *token)
{
    return package->sspi->QuerySecurityContextToken(&context->handle, token);
}

static status_t sspi_impersonate(struct package *package, struct provider_context *context)
{
    return package->sspi->ImpersonateSecurityContext(&context->handle);
}

static status_t sspi_revert(struct package *package, struct provider_context *context)
{
    return package->sspi->RevertSecurityContext(&context->handle);
}

static status_t sspi_export_context(struct package *package, struct provider_context *context,
                                    ULONG flags, SecBuffer *body, HANDLE *token)
{
    /* The dispatcher deletes the context itself once the blob is sealed, and lets nobody in until
     * then. */
    flags &= ~(ULONG)SECPKG_CONTEXT_EXPORT_DELETE_OLD;
    return package->sspi->ExportSecurityContext(&context->handle, flags, body, token);
}

static void sspi_free_body(struct package *package, SecBuffer *body)
{
    if (!body->pvBuffer) return;
    SecureZeroMemory(body->pvBuffer, body->cbBuffer);
    if (package->sspi->FreeContextBuffer) package->sspi->FreeContextBuffer(body->pvBuffer);
    body->pvBuffer = NULL;
}

static status_t sspi_import_context(struct package *package, SecBuffer *body, HANDLE token,
                                    struct provider_context *context)
{
    SecHandle handle = {0, 0};
    status_t status = package->sspi->ImportSecurityContextW(package->info.Name, body, token,
                                                            &handle);
    return sspi_leg_finish(package, context, status, &handle);
}

static status_t sspi_set_context(struct package *package, struct provider_context *context,
                                 ULONG attribute, void *buffer, ULONG size)
{
    return package->sspi->SetContextAttributesW(&context->handle, attribute, buffer, size);
}

static status_t sspi_set_credentials(struct package *package, SecHandle *credential,
                                     ULONG attribute, void *buffer, ULONG size)
{
    return package->sspi->SetCredentialsAttributesW(credential, attribute, buffer, size);
}

/* What stands at the end of the table is there if its version says so. */
static void members_fill(const SecurityFunctionTableW *sspi, struct package_ops *ops)
{
    if (sspi->dwVersion >= SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_2 &&
        sspi->SetContextAttributesW)
        ops->set_context = sspi_set_context;
    if (sspi->dwVersion >= SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_3 &&
        sspi->SetCredentialsAttributesW)
        ops->set_credentials = sspi_set_credentials;
}

static status_t sspi_change_password(struct package *package, WCHAR *domain, WCHAR *account,
                                     WCHAR *old_password, WCHAR *new_password,
                                     BOOLEAN impersonating, SecBufferDesc *output)
{
    return package->sspi->ChangeAccountPasswordW(package->info.Name, domain, account, old_password,
                                                 new_password, impersonating, 0, output);
}

static void ops_fill(struct package *package)
{
    const SecurityFunctionTableW *sspi = package->sspi;
    struct package_ops *ops = &package->ops;
    if (sspi->AcquireCredentialsHandleW) ops->acquire_credentials = sspi_acquire_credentials;
    if (sspi->FreeCredentialsHandle) ops->free_credentials = sspi_free_credentials;
    if (sspi->AddCredentialsW) ops->add_credentials = sspi_add_credentials;
    if (sspi->QueryCredentialsAttributesW) ops->query_credentials = sspi_query_credentials;
    if (sspi->InitializeSecurityContextW) ops->init_context = sspi_init_context;
    if (sspi->AcceptSecurityContext) ops->accept_context = sspi_accept_context;
    ops->delete_context = sspi_delete_context;
    if (sspi->CompleteAuthToken) ops->complete_token = sspi_complete_token;
    if (sspi->ApplyControlToken) ops->control_token = sspi_control_token;
    if (sspi->QueryContextAttributesW) ops->query_context = sspi_query_context;
    if (sspi->MakeSignature) ops->make_signature = sspi_make_signature;
    if (sspi->VerifySignature) ops->verify_signature = sspi_verify_signature;
    if (sspi->EncryptMessage) ops->seal_message = sspi_seal_message;
    if (sspi->DecryptMessage) ops->unseal_message = sspi_unseal_message;
    if (sspi->QuerySecurityContextToken) ops->query_token = sspi_query_token;
    if (sspi->ImpersonateSecurityContext) ops->impersonate = sspi_impersonate;
    if (sspi->RevertSecurityContext) ops->revert = sspi_revert;
    if (sspi->ExportSecurityContext) ops->export_context = sspi_export_context;
    if (sspi->dwVersion >= SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION_4 &&
        sspi->ChangeAccountPasswordW)
        ops->change_password = sspi_change_password;
    ops->free_body = sspi_free_body;
    if (sspi->ImportSecurityContextW) ops->import_context = sspi_import_context;
    members_fill(sspi, ops);
}

/* schannel.dll and security.dll forward to this very DLL: their packages are those listed already,
 * and calling them would come back here without end. */
static bool leads_back(const void *table)
{
    return table == InitSecurityInterfaceW() || table == InitSecurityInterfaceA();
}

static status_t packages_take(struct module *module, const SecurityFunctionTableW *table, bool ansi,
                              const SecPkgInfoW *infos, ULONG count)
{
    status_t status = module_set_package_count(module, count);
    for (ULONG i = 0; status_ok(status) && i < count; i++) {
        struct package *package = &module->packages[i];
        status = module_set_package_info(module, i, &infos[i]);
        if (!status_ok(status)) break;
        package->sspi = table;
        ops_fill(package);
        if (ansi) sspi_ansi_fill(package);
    }
    return status;
}

static status_t module_load_ansi(struct module *module)
{
    INIT_SECURITY_INTERFACE_A initialize = (INIT_SECURITY_INTERFACE_A)(void *)GetProcAddress(
        module->dll, "InitSecurityInterfaceA");
    const SecurityFunctionTableA *table = initialize ? initialize() : NULL;
    if (!table || !table->EnumerateSecurityPackagesA || leads_back(table)) {
        WARN("%ls has no usable InitSecurityInterface\n", module->path);
        return SEC_E_SECPKG_NOT_FOUND;
    }
    ULONG count;
    SecPkgInfoW *infos;
    status_t status = sspi_ansi_enumerate(module, table, &count, &infos);
    if (!status_ok(status)) return status;
    /* Members that are not text have the same type in both tables. */
    status = packages_take(module, (const SecurityFunctionTableW *)(const void *)table, true, infos,
                           count);
    HeapFree(GetProcessHeap(), 0, infos);
    return status;
}

status_t module_load_sspi(struct module *module)
{
    INIT_SECURITY_INTERFACE_W initialize = (INIT_SECURITY_INTERFACE_W)(void *)GetProcAddress(
        module->dll, "InitSecurityInterfaceW");
    const SecurityFunctionTableW *table = initialize ? initialize() : NULL;
    if (leads_back(table)) {
        TRACE("%ls leads back here\n", module->path);
        return SEC_E_SECPKG_NOT_FOUND;
    }
    if (!table || !table->EnumerateSecurityPackagesW) return module_load_ansi(module);
    ULONG count = 0;
    SecPkgInfoW *infos = NULL;
    status_t status = table->EnumerateSecurityPackagesW(&count, &infos);
    if (!status_ok(status) || !infos) {
        WARN("%ls: EnumerateSecurityPackagesW gave %#lx\n", module->path, (ULONG)status);
        return module_complains(module, status) ? status : SEC_E_SECPKG_NOT_FOUND;
    }
    status = packages_take(module, table, false, infos, count);
    if (table->FreeContextBuffer) table->FreeContextBuffer(infos);
    return status;
}
