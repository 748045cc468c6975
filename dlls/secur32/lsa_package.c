/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A package of an SSP/AP behind struct package_ops. Its LSA-mode and its user-mode half both run
 * in this process; the dispatcher plays the LSA between them (Microsoft: User Mode Initialization).
 */
#include "load_lsa.h"
#include "lsa_session.h"
#include "module.h"
#include "ssp/trace.h"

#include <wchar.h>

TRACE_CHANNEL("sspi");

/* *out is NULL for no text; false for text that a UNICODE_STRING cannot hold. */
static bool text_wrap(WCHAR *text, UNICODE_STRING *room, UNICODE_STRING **out)
{
    size_t length = text ? wcslen(text) : 0;
    if (length > UNICODE_STRING_MAX_CHARS) return false;
    room->Length = (USHORT)(length * sizeof(WCHAR));
    room->MaximumLength = room->Length;
    room->Buffer = text;
    *out = text ? room : NULL;
    return true;
}

/* ---- credentials ---- */

/* Providers are always told whose credentials are asked for: the caller's. Those of another logon
 * session are for callers with SE_TCB_NAME, which none has in a process of its own. */
static status_t logon_id_find(const LUID *given, LUID *own)
{
    *own = session_own_id();
    if (!given || SecIsZeroLuid(given)) return SEC_E_OK;
    return SecEqualLuid(given, own) ? SEC_E_OK : SEC_E_NOT_OWNER;
}

static status_t lsa_acquire_credentials(struct package *package, WCHAR *principal, ULONG use,
                                        LUID *logon_id, void *auth_data, SEC_GET_KEY_FN get_key,
                                        void *get_key_argument, SecHandle *credential,
                                        TimeStamp *expiry)
{
    UNICODE_STRING room, *name;
    LSA_SEC_HANDLE handle = 0;
    LUID own;
    if (!text_wrap(principal, &room, &name)) return SEC_E_INVALID_PARAMETER;
    status_t status = logon_id_find(logon_id, &own);
    if (!status_ok(status)) return status;
    status = lsa_status(package->lsa->AcquireCredentialsHandle(
        name, use, &own, auth_data, (void *)get_key, get_key_argument, &handle, expiry));
    if (status_ok(status)) credential->dwLower = handle;
    return status;
}

static status_t lsa_free_credentials(struct package *package, SecHandle *credential)
{
    return lsa_status(package->lsa->FreeCredentialsHandle(credential->dwLower));
}

static status_t lsa_add_credentials(struct package *package, SecHandle *credential,
                                    WCHAR *principal, WCHAR *name, ULONG use, void *auth_data,
                                    SEC_GET_KEY_FN get_key, void *get_key_argument,
                                    TimeStamp *expiry)
{
    UNICODE_STRING principal_room, package_room, *principal_name, *package_name;
    if (!text_wrap(principal, &principal_room, &principal_name) ||
        !text_wrap(name, &package_room, &package_name))
        return SEC_E_INVALID_PARAMETER;
    return lsa_status(package->lsa->AddCredentials(credential->dwLower, principal_name,
                                                   package_name, use, auth_data, (void *)get_key,
                                                   get_key_argument, expiry));
}

static status_t lsa_query_credentials(struct package *package, SecHandle *credential,
                                      ULONG attribute, void *buffer)
{
    return lsa_status(
        package->lsa->QueryCredentialsAttributes(credential->dwLower, attribute, buffer));
}

static status_t lsa_set_credentials(struct package *package, SecHandle *credential, ULONG attribute,
                                    void *buffer, ULONG size)
{
    return lsa_status(
        package->lsa->SetCredentialsAttributes(credential->dwLower, attribute, buffer, size));
}

static status_t lsa_change_password(struct package *package, WCHAR *domain, WCHAR *account,
                                    WCHAR *old_password, WCHAR *new_password, BOOLEAN impersonating,
                                    SecBufferDesc *output)
{
    UNICODE_STRING room[4], *texts[4];
    if (!text_wrap(domain, &room[0], &texts[0]) || !text_wrap(account, &room[1], &texts[1]) ||
        !text_wrap(old_password, &room[2], &texts[2]) ||
        !text_wrap(new_password, &room[3], &texts[3]))
        return SEC_E_INVALID_PARAMETER;
    return lsa_status(
        package->change_password(texts[0], texts[1], texts[2], texts[3], impersonating, output));
}

/* ---- contexts ---- */

static bool has_user_half(const struct provider_context *context)
{
    return context->user_half && !context->user_closed;
}

static void lsa_delete_context(struct package *package, struct provider_context *context)
{
    if (context->user_half && package->user && package->user->DeleteUserModeContext)
        package->user->DeleteUserModeContext(context->handle.dwLower);
    if (context->lsa_half && package->lsa->DeleteContext)
        package->lsa->DeleteContext(context->handle.dwLower);
    context->user_half = context->lsa_half = false;
}

/* Takes what the LSA half packed for the user half to it. The user half frees its copy with
 * FreeContextBuffer; the original came from the LSA's heap and is ours to free. */
static status_t user_half_init(struct package *package, struct provider_context *context,
                               const SecBuffer *data)
{
    if (!package->user || !package->user->InitUserModeContext) {
        WARN("%ls maps a context and has no user half\n", package->info.Name);
        return SEC_E_UNSUPPORTED_FUNCTION;
    }
    SecBuffer packed = {data->cbBuffer, SECBUFFER_TOKEN, NULL};
    if (data->cbBuffer && data->pvBuffer) {
        packed.pvBuffer = HeapAlloc(GetProcessHeap(), 0, data->cbBuffer);
        if (!packed.pvBuffer) return SEC_E_INSUFFICIENT_MEMORY;
        memcpy(packed.pvBuffer, data->pvBuffer, data->cbBuffer);
    }
    status_t status = lsa_status(
        package->user->InitUserModeContext(context->handle.dwLower, &packed));
    if (status_ok(status)) context->user_half = true;
    return status;
}

/* After a leg that has gone well. The two halves of Wine's own modules know a context by one
 * handle: their user half is told nothing, whether the LSA half says that it maps the context, with
 * nothing to tell, or not. A package that is written for Windows cannot be like that. */
static status_t user_half_follow(struct package *package, struct provider_context *context,
                                 status_t leg_status, bool mapped, const SecBuffer *data)
{
    bool halves_share = package->user && !package->user->InitUserModeContext && !data->cbBuffer;
    if (!halves_share) return mapped ? user_half_init(package, context, data) : SEC_E_OK;
    if (mapped || leg_status == SEC_E_OK) context->user_half = true;
    return SEC_E_OK;
}

/* Ends a leg that the LSA half has made: found is what it returned. */
static status_t leg_finish(struct package *package, struct provider_context *context,
                           bool first_leg, NTSTATUS found, LSA_SEC_HANDLE handle, BOOLEAN mapped,
                           SecBuffer *data)
{
    status_t status = lsa_status(found);
    if (status_ok(status) && first_leg && !handle) {
        WARN("%ls promised a context and gave none\n", package->info.Name);
        status = SEC_E_INTERNAL_ERROR;
    }
    if (status_ok(status)) {
        if (handle) context->handle.dwLower = handle;
        if (first_leg) context->lsa_half = true;
        status_t user_status = user_half_follow(package, context, status, mapped, data);
        if (!status_ok(user_status)) {
            if (first_leg) lsa_delete_context(package, context);
            status = user_status;
        }
    }
    /* What a leg that failed has left in data is not known to be a block. */
    if (found >= 0 && data->pvBuffer) {
        SecureZeroMemory(data->pvBuffer, data->cbBuffer);
        HeapFree(GetProcessHeap(), 0, data->pvBuffer);
    }
    return status;
}

/* Whether a function of the LSA half may be called for a context. An imported one has no such half,
 * but in our own packages for streams both know it by the same handle: until its end there are
 * messages that need a leg, and the end is one. */
static bool lsa_half_serves(const struct package *package, const struct provider_context *context)
{
    return context->lsa_half || (package->info.fCapabilities & SECPKG_FLAG_STREAM &&
                                 has_user_half(context) && package->module->own);
}

static status_t lsa_init_context(struct package *package, SecHandle *credential,
                                 struct provider_context *context, WCHAR *target,
                                 ULONG requirements, ULONG data_representation,
                                 SecBufferDesc *input, SecBufferDesc *output, ULONG *attributes,
                                 TimeStamp *expiry)
{
    bool first_leg = !context->lsa_half && !context->user_half;
    UNICODE_STRING room, *name;
    LSA_SEC_HANDLE handle = context->handle.dwLower;
    if (!text_wrap(target, &room, &name)) return SEC_E_TARGET_UNKNOWN;
    BOOLEAN mapped = FALSE;
    SecBuffer data = {0, SECBUFFER_EMPTY, NULL};
    NTSTATUS found = package->lsa->InitLsaModeContext(
        credential->dwLower, context->handle.dwLower, name, requirements, data_representation,
        input, &handle, output, attributes, expiry, &mapped, &data);
    return leg_finish(package, context, first_leg, found, handle, mapped, &data);
}

static status_t lsa_accept_context(struct package *package, SecHandle *credential,
                                   struct provider_context *context, SecBufferDesc *input,
                                   ULONG requirements, ULONG data_representation,
                                   SecBufferDesc *output, ULONG *attributes, TimeStamp *expiry)
{
    bool first_leg = !context->lsa_half && !context->user_half;
    LSA_SEC_HANDLE handle = context->handle.dwLower;
    BOOLEAN mapped = FALSE;
    SecBuffer data = {0, SECBUFFER_EMPTY, NULL};
    NTSTATUS found = package->lsa->AcceptLsaModeContext(
        credential->dwLower, context->handle.dwLower, input, requirements, data_representation,
        &handle, output, attributes, expiry, &mapped, &data);
    return leg_finish(package, context, first_leg, found, handle, mapped, &data);
}

static bool lsa_is_thunked(const struct package *package, ULONG attribute)
{
    for (ULONG i = 0; i < package->thunk_count; i++)
        if (package->thunks[i] == attribute || package->thunks[i] == SECPKG_ATTR_THUNK_ALL)
            return true;
    return false;
}

/* The user half answers, except for the attributes that the package leaves to its LSA half. */
static status_t lsa_query_context(struct package *package, struct provider_context *context,
                                  ULONG attribute, void *buffer)
{
    bool user = has_user_half(context) && package->user && package->user->QueryContextAttributes;
    bool lsa = context->lsa_half && package->lsa->QueryContextAttributes;
    LSA_SEC_HANDLE handle = context->handle.dwLower;
    if (user && !(lsa && lsa_is_thunked(package, attribute)))
        return lsa_status(package->user->QueryContextAttributes(handle, attribute, buffer));
    if (lsa) return lsa_status(package->lsa->QueryContextAttributes(handle, attribute, buffer));
    return context->user_closed ? SEC_E_INVALID_HANDLE : SEC_E_UNSUPPORTED_FUNCTION;
}

static status_t lsa_set_context(struct package *package, struct provider_context *context,
                                ULONG attribute, void *buffer, ULONG size)
{
    if (!lsa_half_serves(package, context)) return SEC_E_UNSUPPORTED_FUNCTION;
    return lsa_status(
        package->lsa->SetContextAttributes(context->handle.dwLower, attribute, buffer, size));
}

static status_t lsa_control_token(struct package *package, struct provider_context *context,
                                  SecBufferDesc *input)
{
    if (!lsa_half_serves(package, context)) return SEC_E_UNSUPPORTED_FUNCTION;
    return lsa_status(package->lsa->ApplyControlToken(context->handle.dwLower, input));
}

/* ---- the user half ---- */

/* SecInitUserModeContext: what a leg does with the data that it got. */
static status_t lsa_init_user_half(struct package *package, struct provider_context *context,
                                   const SecBuffer *packed)
{
    if (!context->lsa_half) return SEC_E_INVALID_HANDLE;
    status_t status = user_half_init(package, context, packed);
    if (status_ok(status)) InterlockedExchange(&context->user_closed, 0);
    return status;
}

/* SecDeleteUserModeContext. Another thread may be inside the provider, which therefore is told
 * when the context as a whole goes. */
static status_t lsa_close_user_half(struct package *package, struct provider_context *context)
{
    (void)package;
    if (!context->user_half) return SEC_E_INVALID_HANDLE;
    return InterlockedExchange(&context->user_closed, 1) ? SEC_E_INVALID_HANDLE : SEC_E_OK;
}

static status_t lsa_complete_token(struct package *package, struct provider_context *context,
                                   SecBufferDesc *token)
{
    if (!has_user_half(context)) return SEC_E_INVALID_HANDLE;
    return lsa_status(package->user->CompleteAuthToken(context->handle.dwLower, token));
}

static status_t lsa_make_signature(struct package *package, struct provider_context *context,
                                   ULONG qop, SecBufferDesc *message, ULONG sequence)
{
    if (!has_user_half(context)) return SEC_E_INVALID_HANDLE;
    return lsa_status(
        package->user->MakeSignature(context->handle.dwLower, qop, message, sequence));
}

static status_t lsa_verify_signature(struct package *package, struct provider_context *context,
                                     SecBufferDesc *message, ULONG sequence, ULONG *qop)
{
    if (!has_user_half(context)) return SEC_E_INVALID_HANDLE;
    return lsa_status(
        package->user->VerifySignature(context->handle.dwLower, message, sequence, qop));
}

static status_t lsa_seal_message(struct package *package, struct provider_context *context,
                                 ULONG qop, SecBufferDesc *message, ULONG sequence)
{
    if (!has_user_half(context)) return SEC_E_INVALID_HANDLE;
    return lsa_status(package->user->SealMessage(context->handle.dwLower, qop, message, sequence));
}

static status_t lsa_unseal_message(struct package *package, struct provider_context *context,
                                   SecBufferDesc *message, ULONG sequence, ULONG *qop)
{
    if (!has_user_half(context)) return SEC_E_INVALID_HANDLE;
    return lsa_status(
        package->user->UnsealMessage(context->handle.dwLower, message, sequence, qop));
}

/* The provider keeps its token; the caller gets a duplicate. */
static status_t lsa_query_token(struct package *package, struct provider_context *context,
                                HANDLE *token)
{
    if (!has_user_half(context)) return SEC_E_INVALID_HANDLE;
    HANDLE own = NULL, duplicate = NULL;
    status_t status = lsa_status(package->user->GetContextToken(context->handle.dwLower, &own));
    if (!status_ok(status)) return status;
    if (!own) return SEC_E_NO_IMPERSONATION;
    if (!DuplicateHandle(GetCurrentProcess(), own, GetCurrentProcess(), &duplicate, 0, FALSE,
                         DUPLICATE_SAME_ACCESS))
        return SEC_E_INTERNAL_ERROR;
    *token = duplicate;
    return SEC_E_OK;
}

static status_t lsa_impersonate(struct package *package, struct provider_context *context)
{
    if (!has_user_half(context)) return SEC_E_INVALID_HANDLE;
    HANDLE own = NULL;
    status_t status = lsa_status(package->user->GetContextToken(context->handle.dwLower, &own));
    if (!status_ok(status)) return status;
    return own && SetThreadToken(NULL, own) ? SEC_E_OK : SEC_E_NO_IMPERSONATION;
}

static status_t lsa_revert(struct package *package, struct provider_context *context)
{
    (void)package;
    (void)context;
    return RevertToSelf() ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}

static status_t lsa_export_context(struct package *package, struct provider_context *context,
                                   ULONG flags, SecBuffer *body, HANDLE *token)
{
    if (!has_user_half(context)) return SEC_E_INVALID_HANDLE;
    return lsa_status(package->user->ExportContext(context->handle.dwLower, flags, body, token));
}

static void lsa_free_body(struct package *package, SecBuffer *body)
{
    (void)package;
    if (!body->pvBuffer) return;
    SecureZeroMemory(body->pvBuffer, body->cbBuffer);
    HeapFree(GetProcessHeap(), 0, body->pvBuffer);
    body->pvBuffer = NULL;
}

static status_t lsa_import_context(struct package *package, SecBuffer *body, HANDLE token,
                                   struct provider_context *context)
{
    LSA_SEC_HANDLE handle = 0;
    status_t status = lsa_status(package->user->ImportContext(body, token, &handle));
    if (!status_ok(status)) return status;
    if (!handle) return SEC_E_INTERNAL_ERROR;
    context->handle.dwLower = handle;
    context->user_half = true;
    return SEC_E_OK;
}

/* Other threads look at the context meanwhile, with no lock: they find the old handle, which the
 * provider has let go of, or the new one, which has no LSA half. */
static status_t lsa_resume_context(struct package *package, struct provider_context *context,
                                   SecBuffer *body, struct provider_context *former)
{
    struct provider_context resumed = {.handle = {0, 0}};
    status_t status = lsa_import_context(package, body, NULL, &resumed);
    if (!status_ok(status)) return status;
    *former = *context;
    context->lsa_half = false;
    InterlockedExchangePointer((void *volatile *)&context->handle.dwLower,
                               (void *)resumed.handle.dwLower);
    return SEC_E_OK;
}

/* A slot is filled when the provider has the function behind it. */
void lsa_package_fill(struct package *package)
{
    const SECPKG_FUNCTION_TABLE *lsa = package->lsa;
    const SECPKG_USER_FUNCTION_TABLE *user = package->user;
    struct package_ops *ops = &package->ops;
    if (lsa->AcquireCredentialsHandle) ops->acquire_credentials = lsa_acquire_credentials;
    if (lsa->FreeCredentialsHandle) ops->free_credentials = lsa_free_credentials;
    if (lsa->AddCredentials) ops->add_credentials = lsa_add_credentials;
    if (lsa->QueryCredentialsAttributes) ops->query_credentials = lsa_query_credentials;
    if (package->has_set_credentials) ops->set_credentials = lsa_set_credentials;
    if (lsa->InitLsaModeContext) ops->init_context = lsa_init_context;
    if (lsa->AcceptLsaModeContext) ops->accept_context = lsa_accept_context;
    ops->delete_context = lsa_delete_context;
    ops->query_context = lsa_query_context;
    if (package->has_set_context) ops->set_context = lsa_set_context;
    if (lsa->ApplyControlToken) ops->control_token = lsa_control_token;
    if (package->change_password) ops->change_password = lsa_change_password;
    ops->free_body = lsa_free_body;
    ops->revert = lsa_revert;
    if (!user) return;
    if (user->InitUserModeContext) ops->init_user_half = lsa_init_user_half;
    if (user->DeleteUserModeContext) ops->close_user_half = lsa_close_user_half;
    if (user->CompleteAuthToken) ops->complete_token = lsa_complete_token;
    if (user->MakeSignature) ops->make_signature = lsa_make_signature;
    if (user->VerifySignature) ops->verify_signature = lsa_verify_signature;
    if (user->SealMessage) ops->seal_message = lsa_seal_message;
    if (user->UnsealMessage) ops->unseal_message = lsa_unseal_message;
    if (user->GetContextToken) ops->query_token = lsa_query_token;
    if (user->GetContextToken) ops->impersonate = lsa_impersonate;
    if (user->ExportContext) ops->export_context = lsa_export_context;
    if (user->ImportContext) ops->import_context = lsa_import_context;
    if (user->ImportContext) ops->resume_context = lsa_resume_context;
}
