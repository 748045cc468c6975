/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credentials and contexts, W forms. Every export here does the same: find and pin what the
 * handles name, see whether the package has the function, call it with no lock held, and let go.
 * The one exception are contexts of SSPs, see pin_finish.
 */
#include "call_context.h"
#include "module.h"
#include "sasl.h"
#include "ssp/authdata.h"
#include "ssp/foreign.h"
#include "ssp/secbuf.h"
#include "ssp/trace.h"

#include <stdlib.h>

TRACE_CHANNEL("sspi");

/* From here on attributes belong to a package, which knows what they need. */
#define OWN_ATTRIBUTES 0x50u

/* ---- objects ---- */

static void credential_release(void *object)
{
    struct credential *credential = object;
    if (credential->package->ops.free_credentials)
        credential->package->ops.free_credentials(credential->package, &credential->handle);
    HeapFree(GetProcessHeap(), 0, credential);
}

static void context_release(void *object)
{
    struct context *context = object;
    context->package->ops.delete_context(context->package, &context->provider);
    while (context->former) {
        struct former_context *former = context->former;
        context->former = former->next;
        context->package->ops.delete_context(context->package, &former->provider);
        free(former);
    }
    sasl_free(context->sasl);
    free(context);
}

/* The rest of it, when the object has been looked for. */
static status_t pin_finish(struct pinned_context *out)
{
    if (!out->context) return SEC_E_INVALID_HANDLE;
    if (!out->context->package->sspi) return SEC_E_OK;
    if (out->alone) AcquireSRWLockExclusive(&out->context->use);
    else AcquireSRWLockShared(&out->context->use);
    if (!out->context->handed_over) return SEC_E_OK;
    context_unpin(out);
    out->context = NULL;
    return SEC_E_INVALID_HANDLE;
}

status_t context_pin_export(const CtxtHandle *handle, bool alone, struct pinned_context *out)
{
    if (!handle) return SEC_E_INVALID_HANDLE;
    *out = (struct pinned_context){NULL, *handle, alone};
    out->context = handle_pin(HANDLE_CONTEXT, &out->handle);
    return pin_finish(out);
}

status_t context_pin(const CtxtHandle *handle, struct pinned_context *out)
{
    return context_pin_export(handle, false, out);
}

status_t context_pin_inner(const CtxtHandle *handle, struct pinned_context *out)
{
    if (!handle) return SEC_E_INVALID_HANDLE;
    const CtxtHandle own = *handle;
    *out = (struct pinned_context){NULL, own, false};
    out->context = handle_pin_inner(&out->handle);
    status_t status = pin_finish(out);
    /* One of an SSP that is there may have been handed over. */
    return status_ok(status) ? status : context_pin(&own, out);
}

void context_unpin(const struct pinned_context *pinned)
{
    struct context *context = pinned->context;
    if (context->package->sspi) {
        if (pinned->alone) ReleaseSRWLockExclusive(&context->use);
        else ReleaseSRWLockShared(&context->use);
    }
    handle_unpin(&pinned->handle);
}

status_t context_prepare(struct package *package, bool acceptor, struct new_context *out)
{
    out->context = malloc(sizeof(*out->context));
    if (!out->context) return SEC_E_INSUFFICIENT_MEMORY;
    *out->context = (struct context){.package = package, .acceptor = acceptor};
    status_t status = handle_reserve(&out->place);
    if (status_ok(status)) out->context->place = out->place;
    else free(out->context);
    return status;
}

void context_publish(const struct new_context *made, CtxtHandle *out)
{
    handle_fill(made->place, made->context, context_release, out);
}

void context_abandon(const struct new_context *made)
{
    handle_give_back(made->place);
    free(made->context);
}

struct pinned_credential {
    struct credential *credential;
    SecHandle handle;
};

static status_t credential_pin(const CredHandle *handle, struct pinned_credential *out)
{
    if (!handle) return SEC_E_INVALID_HANDLE;
    out->handle = *handle;
    out->credential = handle_pin(HANDLE_CREDENTIAL, &out->handle);
    return out->credential ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

status_t package_find_open(const WCHAR *name, struct package **out)
{
    struct package *package;
    status_t status;
    /* One that turns out to be there for imports alone has left the list to the next of its
     * name. */
    do {
        package = NULL;
        status = package_find(name, &package);
        if (status_ok(status)) status = package_open(package);
    } while (status == SEC_E_SECPKG_NOT_FOUND && package && package->module->imports_only);
    if (status_ok(status)) *out = package;
    return status;
}

/* ---- credentials ---- */

/* An identity without anything in it means the user of this process, as none at all does; and what
 * a package has for a name without a password, that user has left there. */
static bool proves_nothing(const void *auth_data)
{
    struct authdata data;
    return status_ok(authdata_read(auth_data, &data)) && !data.password.data && !data.packed.data;
}

/* Whether what is asked for belongs to the user of this process, for whom the thread does not act.
 * Packages for streams name nobody by default, and have auth data of their own. Our own packages
 * look for themselves: a client may have sent along what the thread can use. */
static bool credential_is_withheld(const struct package *package, ULONG use, const void *auth_data)
{
    if (!(use & SECPKG_CRED_OUTBOUND) || package->info.fCapabilities & SECPKG_FLAG_STREAM)
        return false;
    return !package->module->own && foreign_caller() && proves_nothing(auth_data);
}

SECURITY_STATUS WINAPI AcquireCredentialsHandleW(SEC_WCHAR *principal, SEC_WCHAR *package_name,
                                                 ULONG use, void *logon_id, void *auth_data,
                                                 SEC_GET_KEY_FN get_key, void *get_key_argument,
                                                 CredHandle *out, TimeStamp *expiry)
{
    TRACE("package %ls, use %#lx\n", package_name ? package_name : L"(null)", use);
    struct package *package;
    status_t status = package_find_open(package_name, &package);
    if (!status_ok(status)) return status;
    if (!package->ops.acquire_credentials) return SEC_E_UNSUPPORTED_FUNCTION;
    if (credential_is_withheld(package, use, auth_data)) return SEC_E_NO_CREDENTIALS;

    struct credential *credential = HeapAlloc(GetProcessHeap(), 0, sizeof(*credential));
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    *credential = (struct credential){package, {0, 0}};
    TimeStamp end = {0};
    status = package->ops.acquire_credentials(package, principal, use, logon_id, auth_data, get_key,
                                              get_key_argument, &credential->handle, &end);
    if (!status_ok(status)) {
        HeapFree(GetProcessHeap(), 0, credential);
        return status;
    }
    /* A package has its say also where the handle would have nowhere to go. */
    status_t handle_status = SEC_E_INVALID_HANDLE;
    if (out) handle_status = handle_create_credential(credential, credential_release, out);
    if (!status_ok(handle_status)) {
        credential_release(credential);
        return handle_status;
    }
    if (expiry) *expiry = end;
    return status;
}

SECURITY_STATUS WINAPI FreeCredentialsHandle(CredHandle *handle)
{
    if (!handle) return SEC_E_INVALID_HANDLE;
    SecHandle copy = *handle;
    return handle_close(HANDLE_CREDENTIAL, &copy) ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

SECURITY_STATUS WINAPI AddCredentialsW(CredHandle *handle, SEC_WCHAR *principal,
                                       SEC_WCHAR *package_name, ULONG use, void *auth_data,
                                       SEC_GET_KEY_FN get_key, void *get_key_argument,
                                       TimeStamp *expiry)
{
    struct pinned_credential pinned;
    status_t status = credential_pin(handle, &pinned);
    if (!status_ok(status)) return status;
    struct package *package = pinned.credential->package;
    TimeStamp end = {0};
    struct package *user = package;
    if (package_name) status = package_find(package_name, &user);
    if (!status_ok(status)) goto done;
    if (!package->ops.add_credentials) status = SEC_E_UNSUPPORTED_FUNCTION;
    else if (credential_is_withheld(package, use, auth_data)) status = SEC_E_NO_CREDENTIALS;
    else
        status = package->ops.add_credentials(package, &pinned.credential->handle, principal,
                                              user->info.Name, use, auth_data, get_key,
                                              get_key_argument, &end);
    if (status_ok(status) && expiry) *expiry = end;
done:
    handle_unpin(&pinned.handle);
    return status;
}

SECURITY_STATUS WINAPI QueryCredentialsAttributesW(CredHandle *handle, ULONG attribute,
                                                   void *buffer)
{
    struct pinned_credential pinned;
    status_t status = credential_pin(handle, &pinned);
    if (!status_ok(status)) return status;
    struct package *package = pinned.credential->package;
    if (!buffer && attribute < OWN_ATTRIBUTES) status = SEC_E_INVALID_PARAMETER;
    else if (!package->ops.query_credentials) status = SEC_E_UNSUPPORTED_FUNCTION;
    else
        status = package->ops.query_credentials(package, &pinned.credential->handle, attribute,
                                                buffer);
    handle_unpin(&pinned.handle);
    return status;
}

SECURITY_STATUS WINAPI SetCredentialsAttributesW(CredHandle *handle, ULONG attribute, void *buffer,
                                                 ULONG size)
{
    struct pinned_credential pinned;
    status_t status = credential_pin(handle, &pinned);
    if (!status_ok(status)) return status;
    struct package *package = pinned.credential->package;
    if (!buffer) status = SEC_E_INVALID_PARAMETER;
    else if (!package->ops.set_credentials) status = SEC_E_UNSUPPORTED_FUNCTION;
    else
        status = package->ops.set_credentials(package, &pinned.credential->handle, attribute,
                                              buffer, size);
    handle_unpin(&pinned.handle);
    return status;
}

/* ---- legs ---- */

static bool leg_possible(const struct leg *leg, const struct package *package)
{
    return leg->acceptor ? package->ops.accept_context != NULL : package->ops.init_context != NULL;
}

static status_t leg_call(struct leg *leg, struct package *package, SecHandle *credential,
                         struct provider_context *provider)
{
    TimeStamp expiry = {.QuadPart = MINLONGLONG};
    status_t status;
    if (leg->acceptor)
        status = package->ops.accept_context(package, credential, provider, leg->input,
                                             leg->requirements, leg->data_representation,
                                             leg->output, &leg->attributes, &expiry);
    else
        status = package->ops.init_context(package, credential, provider, leg->target,
                                           leg->requirements, leg->data_representation, leg->input,
                                           leg->output, &leg->attributes, &expiry);
    leg->expiry_told = expiry.QuadPart != MINLONGLONG;
    if (leg->expiry_told) leg->expiry = expiry;
    return status;
}

static bool leg_completes(status_t status)
{
    return status == SEC_E_OK || status == SEC_I_COMPLETE_NEEDED;
}

static status_t leg_first(struct leg *leg, struct credential *credential, CtxtHandle *out)
{
    struct package *package = credential->package;
    struct new_context made;
    if (!leg_possible(leg, package)) return SEC_E_UNSUPPORTED_FUNCTION;
    if (!out) return SEC_E_INVALID_HANDLE;
    status_t status = context_prepare(package, leg->acceptor, &made);
    if (!status_ok(status)) return status;
    status = leg_call(leg, package, &credential->handle, &made.context->provider);
    if (status_ok(status)) {
        made.context->complete = leg_completes(status);
        if (made.context->complete && !leg->sasl) context_follow(made.context);
        context_publish(&made, out);
    } else {
        /* A package that raised an exception may have left one of its halves behind. */
        struct provider_context *provider = &made.context->provider;
        if (provider->lsa_half || provider->user_half)
            package->ops.delete_context(package, provider);
        context_abandon(&made);
    }
    return status;
}

/* A handshake that is over has no more legs, and an imported context has no LSA half that could say
 * so. Only a peer that negotiates may send one more token, which says nothing (Negotiate is the
 * package of the number 0), and in our own packages the legs of a stream go on while it does. */
static bool leg_too_late(const struct context *context)
{
    const struct package *package = context->package;
    bool negotiates = package->lsa && !package->id;
    bool streams = package->info.fCapabilities & SECPKG_FLAG_STREAM && package->module->own;
    return context->imported && context->complete && !negotiates && !streams;
}

/* The credential may be left out from the second leg on. */
static status_t leg_next(struct leg *leg, struct credential *credential, struct context *context)
{
    struct package *package = context->package;
    SecHandle none = {0, 0};
    if (credential && credential->package != package) return SEC_E_INVALID_HANDLE;
    if (context->acceptor != leg->acceptor) return SEC_E_INVALID_HANDLE;
    if (sasl_owns_handshake(context) != leg->sasl) return SEC_E_INVALID_HANDLE;
    if (leg_too_late(context)) {
        TRACE("an imported context has no handshake to go on with\n");
        return SEC_E_UNSUPPORTED_FUNCTION;
    }
    if (!leg_possible(leg, package)) return SEC_E_UNSUPPORTED_FUNCTION;
    status_t status = leg_call(leg, package, credential ? &credential->handle : &none,
                               &context->provider);
    if (leg_completes(status)) {
        context->complete = true;
        context_follow(context);
    }
    return status;
}

status_t leg_check(const struct leg *leg)
{
    if (leg->input && !secbuf_valid(leg->input)) return SEC_E_INVALID_TOKEN;
    if (leg->output && !secbuf_valid(leg->output)) return SEC_E_INVALID_TOKEN;
    return SEC_E_OK;
}

status_t leg_run_pinned(struct leg *leg, const CredHandle *credential_handle,
                        const struct pinned_context *context)
{
    struct pinned_credential credential = {NULL, {0, 0}};
    status_t status = leg_check(leg);
    if (!status_ok(status)) return status;
    if (credential_handle) {
        status = credential_pin(credential_handle, &credential);
        if (!status_ok(status)) return status;
    }
    status = leg_next(leg, credential.credential, context->context);
    if (credential.credential) handle_unpin(&credential.handle);
    return status;
}

static status_t leg_run_first(struct leg *leg, const CredHandle *credential_handle, CtxtHandle *out)
{
    struct pinned_credential credential;
    status_t status = leg_check(leg);
    if (!status_ok(status)) return status;
    status = credential_pin(credential_handle, &credential);
    if (!status_ok(status)) return status;
    status = leg_first(leg, credential.credential, out);
    handle_unpin(&credential.handle);
    return status;
}

status_t leg_run(struct leg *leg, const CredHandle *credential, const CtxtHandle *context_handle,
                 CtxtHandle *out)
{
    struct pinned_context context;
    if (!context_handle) return leg_run_first(leg, credential, out);
    status_t status = context_pin(context_handle, &context);
    if (!status_ok(status)) return status;
    status = leg_run_pinned(leg, credential, &context);
    if (status_ok(status) && out) *out = context.handle;
    context_unpin(&context);
    return status;
}

void leg_report(const struct leg *leg, status_t status, ULONG *attributes, TimeStamp *expiry)
{
    if (expiry && (status_ok(status) || leg->expiry_told)) *expiry = leg->expiry;
    if (attributes && status_ok(status)) *attributes = leg->attributes;
}

SECURITY_STATUS WINAPI InitializeSecurityContextW(CredHandle *credential, CtxtHandle *context,
                                                  SEC_WCHAR *target, ULONG requirements,
                                                  ULONG reserved1, ULONG data_representation,
                                                  SecBufferDesc *input, ULONG reserved2,
                                                  CtxtHandle *new_context, SecBufferDesc *output,
                                                  ULONG *attributes, TimeStamp *expiry)
{
    (void)reserved1;
    (void)reserved2;
    struct leg leg = {.acceptor = false,
                      .target = target,
                      .requirements = requirements,
                      .data_representation = data_representation,
                      .input = input,
                      .output = output};
    status_t status = leg_run(&leg, credential, context, new_context);
    TRACE("requirements %#lx: status %#lx, attributes %#lx\n", requirements, (ULONG)status,
          leg.attributes);
    leg_report(&leg, status, attributes, expiry);
    return status;
}

SECURITY_STATUS WINAPI AcceptSecurityContext(CredHandle *credential, CtxtHandle *context,
                                             SecBufferDesc *input, ULONG requirements,
                                             ULONG data_representation, CtxtHandle *new_context,
                                             SecBufferDesc *output, ULONG *attributes,
                                             TimeStamp *expiry)
{
    struct leg leg = {.acceptor = true,
                      .requirements = requirements,
                      .data_representation = data_representation,
                      .input = input,
                      .output = output};
    status_t status = leg_run(&leg, credential, context, new_context);
    TRACE("requirements %#lx: status %#lx, attributes %#lx\n", requirements, (ULONG)status,
          leg.attributes);
    call_context_audit(status);
    leg_report(&leg, status, attributes, expiry);
    return status;
}

SECURITY_STATUS WINAPI DeleteSecurityContext(CtxtHandle *handle)
{
    if (!handle) return SEC_E_INVALID_HANDLE;
    SecHandle copy = *handle;
    return handle_close(HANDLE_CONTEXT, &copy) ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}
