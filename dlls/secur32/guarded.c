/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The functions of a package that came from elsewhere, called under guard: one that raises an
 * exception has failed with SEC_E_INTERNAL_ERROR, and neither the application nor the other
 * packages go with it. A lock or memory of the module may be left behind; that is the module's
 * affair. Our own packages are called directly.
 */
#include "guard.h"
#include "lsa_caller.h"
#include "ssp/trace.h"

TRACE_CHANNEL("sspi");

/* The arguments of any one function of struct package_ops. */
struct call {
    const char *name;
    struct package *package;
    SecHandle *credential;
    struct provider_context *context;
    WCHAR *text; /* principal, target or domain */
    WCHAR *name_wanted, *account, *old_password, *new_password;
    BOOLEAN impersonating;
    const SecBuffer *packed;
    struct provider_context *former;
    LUID *logon_id;
    void *auth_data, *get_key_argument, *data;
    SEC_GET_KEY_FN get_key;
    SecBufferDesc *input, *output; /* a message is the input */
    SecBuffer *body;
    HANDLE token, *token_out;
    ULONG number, data_representation, size; /* use, requirements, attribute, flags or quality */
    ULONG *number_out;
    TimeStamp *expiry;
    status_t status;
};

static status_t call_run(void (*function)(void *argument), struct call *call)
{
    ULONG_PTR around = lsa_call_mark();
    if (guard_call(function, call)) return call->status;
    lsa_call_leave(around);
    ERR("%ls raised an exception in %s\n", call->package->info.Name, call->name);
    return SEC_E_INTERNAL_ERROR;
}

/* ---- credentials ---- */

static void acquire_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.acquire_credentials(c->package, c->text, c->number, c->logon_id,
                                                    c->auth_data, c->get_key, c->get_key_argument,
                                                    c->credential, c->expiry);
}

static status_t guarded_acquire(struct package *package, WCHAR *principal, ULONG use,
                                LUID *logon_id, void *auth_data, SEC_GET_KEY_FN get_key,
                                void *get_key_argument, SecHandle *credential, TimeStamp *expiry)
{
    struct call call = {.name = "AcquireCredentialsHandle",
                        .package = package,
                        .text = principal,
                        .number = use,
                        .logon_id = logon_id,
                        .auth_data = auth_data,
                        .get_key = get_key,
                        .get_key_argument = get_key_argument,
                        .credential = credential,
                        .expiry = expiry};
    return call_run(acquire_call, &call);
}

static void free_credentials_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.free_credentials(c->package, c->credential);
}

static status_t guarded_free_credentials(struct package *package, SecHandle *credential)
{
    struct call call = {
        .name = "FreeCredentialsHandle", .package = package, .credential = credential};
    return call_run(free_credentials_call, &call);
}

static void add_credentials_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.add_credentials(c->package, c->credential, c->text, c->name_wanted,
                                                c->number, c->auth_data, c->get_key,
                                                c->get_key_argument, c->expiry);
}

static status_t guarded_add_credentials(struct package *package, SecHandle *credential,
                                        WCHAR *principal, WCHAR *name, ULONG use, void *auth_data,
                                        SEC_GET_KEY_FN get_key, void *get_key_argument,
                                        TimeStamp *expiry)
{
    struct call call = {.name = "AddCredentials",
                        .package = package,
                        .credential = credential,
                        .text = principal,
                        .name_wanted = name,
                        .number = use,
                        .auth_data = auth_data,
                        .get_key = get_key,
                        .get_key_argument = get_key_argument,
                        .expiry = expiry};
    return call_run(add_credentials_call, &call);
}

static void query_credentials_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.query_credentials(c->package, c->credential, c->number, c->data);
}

static status_t guarded_query_credentials(struct package *package, SecHandle *credential,
                                          ULONG attribute, void *buffer)
{
    struct call call = {.name = "QueryCredentialsAttributes",
                        .package = package,
                        .credential = credential,
                        .number = attribute,
                        .data = buffer};
    return call_run(query_credentials_call, &call);
}

static void set_credentials_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.set_credentials(c->package, c->credential, c->number, c->data,
                                                c->size);
}

static status_t guarded_set_credentials(struct package *package, SecHandle *credential,
                                        ULONG attribute, void *buffer, ULONG size)
{
    struct call call = {.name = "SetCredentialsAttributes",
                        .package = package,
                        .credential = credential,
                        .number = attribute,
                        .data = buffer,
                        .size = size};
    return call_run(set_credentials_call, &call);
}

/* ---- contexts ---- */

static void init_context_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.init_context(c->package, c->credential, c->context, c->text,
                                             c->number, c->data_representation, c->input, c->output,
                                             c->number_out, c->expiry);
}

static status_t guarded_init_context(struct package *package, SecHandle *credential,
                                     struct provider_context *context, WCHAR *target,
                                     ULONG requirements, ULONG data_representation,
                                     SecBufferDesc *input, SecBufferDesc *output, ULONG *attributes,
                                     TimeStamp *expiry)
{
    struct call call = {.name = "InitializeSecurityContext",
                        .package = package,
                        .credential = credential,
                        .context = context,
                        .text = target,
                        .number = requirements,
                        .data_representation = data_representation,
                        .input = input,
                        .output = output,
                        .number_out = attributes,
                        .expiry = expiry};
    return call_run(init_context_call, &call);
}

static void accept_context_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.accept_context(c->package, c->credential, c->context, c->input,
                                               c->number, c->data_representation, c->output,
                                               c->number_out, c->expiry);
}

static status_t guarded_accept_context(struct package *package, SecHandle *credential,
                                       struct provider_context *context, SecBufferDesc *input,
                                       ULONG requirements, ULONG data_representation,
                                       SecBufferDesc *output, ULONG *attributes, TimeStamp *expiry)
{
    struct call call = {.name = "AcceptSecurityContext",
                        .package = package,
                        .credential = credential,
                        .context = context,
                        .input = input,
                        .number = requirements,
                        .data_representation = data_representation,
                        .output = output,
                        .number_out = attributes,
                        .expiry = expiry};
    return call_run(accept_context_call, &call);
}

static void delete_context_call(void *argument)
{
    struct call *c = argument;
    c->package->raw.delete_context(c->package, c->context);
}

static void guarded_delete_context(struct package *package, struct provider_context *context)
{
    struct call call = {.name = "DeleteSecurityContext", .package = package, .context = context};
    call_run(delete_context_call, &call);
}

static void init_user_half_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.init_user_half(c->package, c->context, c->packed);
}

static status_t guarded_init_user_half(struct package *package, struct provider_context *context,
                                       const SecBuffer *packed)
{
    struct call call = {
        .name = "InitUserModeContext", .package = package, .context = context, .packed = packed};
    return call_run(init_user_half_call, &call);
}

static void close_user_half_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.close_user_half(c->package, c->context);
}

static status_t guarded_close_user_half(struct package *package, struct provider_context *context)
{
    struct call call = {.name = "DeleteUserModeContext", .package = package, .context = context};
    return call_run(close_user_half_call, &call);
}

static void complete_token_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.complete_token(c->package, c->context, c->input);
}

static status_t guarded_complete_token(struct package *package, struct provider_context *context,
                                       SecBufferDesc *token)
{
    struct call call = {
        .name = "CompleteAuthToken", .package = package, .context = context, .input = token};
    return call_run(complete_token_call, &call);
}

static void control_token_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.control_token(c->package, c->context, c->input);
}

static status_t guarded_control_token(struct package *package, struct provider_context *context,
                                      SecBufferDesc *input)
{
    struct call call = {
        .name = "ApplyControlToken", .package = package, .context = context, .input = input};
    return call_run(control_token_call, &call);
}

static void query_context_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.query_context(c->package, c->context, c->number, c->data);
}

static status_t guarded_query_context(struct package *package, struct provider_context *context,
                                      ULONG attribute, void *buffer)
{
    struct call call = {.name = "QueryContextAttributes",
                        .package = package,
                        .context = context,
                        .number = attribute,
                        .data = buffer};
    return call_run(query_context_call, &call);
}

static void set_context_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.set_context(c->package, c->context, c->number, c->data, c->size);
}

static status_t guarded_set_context(struct package *package, struct provider_context *context,
                                    ULONG attribute, void *buffer, ULONG size)
{
    struct call call = {.name = "SetContextAttributes",
                        .package = package,
                        .context = context,
                        .number = attribute,
                        .data = buffer,
                        .size = size};
    return call_run(set_context_call, &call);
}

/* ---- messages ---- */

static void make_signature_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.make_signature(c->package, c->context, c->number, c->input,
                                               c->size);
}

static void seal_message_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.seal_message(c->package, c->context, c->number, c->input, c->size);
}

static void verify_signature_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.verify_signature(c->package, c->context, c->input, c->size,
                                                 c->number_out);
}

static void unseal_message_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.unseal_message(c->package, c->context, c->input, c->size,
                                               c->number_out);
}

static status_t guarded_make_signature(struct package *package, struct provider_context *context,
                                       ULONG qop, SecBufferDesc *message, ULONG sequence)
{
    struct call call = {.name = "MakeSignature",
                        .package = package,
                        .context = context,
                        .number = qop,
                        .input = message,
                        .size = sequence};
    return call_run(make_signature_call, &call);
}

static status_t guarded_seal_message(struct package *package, struct provider_context *context,
                                     ULONG qop, SecBufferDesc *message, ULONG sequence)
{
    struct call call = {.name = "EncryptMessage",
                        .package = package,
                        .context = context,
                        .number = qop,
                        .input = message,
                        .size = sequence};
    return call_run(seal_message_call, &call);
}

static status_t guarded_verify_signature(struct package *package, struct provider_context *context,
                                         SecBufferDesc *message, ULONG sequence, ULONG *qop)
{
    struct call call = {.name = "VerifySignature",
                        .package = package,
                        .context = context,
                        .input = message,
                        .size = sequence,
                        .number_out = qop};
    return call_run(verify_signature_call, &call);
}

static status_t guarded_unseal_message(struct package *package, struct provider_context *context,
                                       SecBufferDesc *message, ULONG sequence, ULONG *qop)
{
    struct call call = {.name = "DecryptMessage",
                        .package = package,
                        .context = context,
                        .input = message,
                        .size = sequence,
                        .number_out = qop};
    return call_run(unseal_message_call, &call);
}

/* ---- tokens ---- */

static void query_token_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.query_token(c->package, c->context, c->token_out);
}

static status_t guarded_query_token(struct package *package, struct provider_context *context,
                                    HANDLE *token)
{
    struct call call = {.name = "QuerySecurityContextToken",
                        .package = package,
                        .context = context,
                        .token_out = token};
    return call_run(query_token_call, &call);
}

static void impersonate_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.impersonate(c->package, c->context);
}

static status_t guarded_impersonate(struct package *package, struct provider_context *context)
{
    struct call call = {
        .name = "ImpersonateSecurityContext", .package = package, .context = context};
    return call_run(impersonate_call, &call);
}

static void revert_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.revert(c->package, c->context);
}

static status_t guarded_revert(struct package *package, struct provider_context *context)
{
    struct call call = {.name = "RevertSecurityContext", .package = package, .context = context};
    return call_run(revert_call, &call);
}

/* ---- export and import ---- */

static void export_context_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.export_context(c->package, c->context, c->number, c->body,
                                               c->token_out);
}

static status_t guarded_export_context(struct package *package, struct provider_context *context,
                                       ULONG flags, SecBuffer *body, HANDLE *token)
{
    struct call call = {.name = "ExportSecurityContext",
                        .package = package,
                        .context = context,
                        .number = flags,
                        .body = body,
                        .token_out = token};
    return call_run(export_context_call, &call);
}

static void resume_context_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.resume_context(c->package, c->context, c->body, c->former);
}

static status_t guarded_resume_context(struct package *package, struct provider_context *context,
                                       SecBuffer *body, struct provider_context *former)
{
    struct call call = {.name = "ImportSecurityContext",
                        .package = package,
                        .context = context,
                        .body = body,
                        .former = former};
    return call_run(resume_context_call, &call);
}

static void free_body_call(void *argument)
{
    struct call *c = argument;
    c->package->raw.free_body(c->package, c->body);
}

static void guarded_free_body(struct package *package, SecBuffer *body)
{
    struct call call = {.name = "FreeContextBuffer", .package = package, .body = body};
    call_run(free_body_call, &call);
}

static void import_context_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.import_context(c->package, c->body, c->token, c->context);
}

static status_t guarded_import_context(struct package *package, SecBuffer *body, HANDLE token,
                                       struct provider_context *context)
{
    struct call call = {.name = "ImportSecurityContext",
                        .package = package,
                        .body = body,
                        .token = token,
                        .context = context};
    return call_run(import_context_call, &call);
}

static void change_password_call(void *argument)
{
    struct call *c = argument;
    c->status = c->package->raw.change_password(c->package, c->text, c->account, c->old_password,
                                                c->new_password, c->impersonating, c->output);
}

static status_t guarded_change_password(struct package *package, WCHAR *domain, WCHAR *account,
                                        WCHAR *old_password, WCHAR *new_password,
                                        BOOLEAN impersonating, SecBufferDesc *output)
{
    struct call call = {.name = "ChangeAccountPassword",
                        .package = package,
                        .text = domain,
                        .account = account,
                        .old_password = old_password,
                        .new_password = new_password,
                        .impersonating = impersonating,
                        .output = output};
    return call_run(change_password_call, &call);
}

static const struct package_ops guarded_ops = {
    .acquire_credentials = guarded_acquire,
    .free_credentials = guarded_free_credentials,
    .add_credentials = guarded_add_credentials,
    .query_credentials = guarded_query_credentials,
    .set_credentials = guarded_set_credentials,
    .init_context = guarded_init_context,
    .accept_context = guarded_accept_context,
    .delete_context = guarded_delete_context,
    .init_user_half = guarded_init_user_half,
    .close_user_half = guarded_close_user_half,
    .complete_token = guarded_complete_token,
    .control_token = guarded_control_token,
    .query_context = guarded_query_context,
    .set_context = guarded_set_context,
    .make_signature = guarded_make_signature,
    .verify_signature = guarded_verify_signature,
    .seal_message = guarded_seal_message,
    .unseal_message = guarded_unseal_message,
    .change_password = guarded_change_password,
    .query_token = guarded_query_token,
    .impersonate = guarded_impersonate,
    .revert = guarded_revert,
    .export_context = guarded_export_context,
    .resume_context = guarded_resume_context,
    .free_body = guarded_free_body,
    .import_context = guarded_import_context,
};

#define GUARD(slot) package->ops.slot = package->raw.slot ? guarded_ops.slot : NULL

void package_guard(struct package *package)
{
    package->raw = package->ops;
    GUARD(acquire_credentials);
    GUARD(free_credentials);
    GUARD(add_credentials);
    GUARD(query_credentials);
    GUARD(set_credentials);
    GUARD(init_context);
    GUARD(accept_context);
    GUARD(delete_context);
    GUARD(init_user_half);
    GUARD(close_user_half);
    GUARD(complete_token);
    GUARD(control_token);
    GUARD(query_context);
    GUARD(set_context);
    GUARD(make_signature);
    GUARD(verify_signature);
    GUARD(seal_message);
    GUARD(unseal_message);
    GUARD(change_password);
    GUARD(query_token);
    GUARD(impersonate);
    GUARD(revert);
    GUARD(export_context);
    GUARD(resume_context);
    GUARD(free_body);
    GUARD(import_context);
}
