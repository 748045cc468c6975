/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Passwords (RFC 3244), and whom the host takes a principal for. By MIT's libkrb5. Of what a KDC of
 * Windows says of its rules, the form is that which MIT's library reads, too.
 */
#include "unix.h"

#include "core/secret.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- a change ---- */

/* Texts with zeros for the library. */
struct texts {
    char *principal, *old_password, *new_password, *target;
};

static void texts_free(struct texts *texts)
{
    char *const secrets[] = {texts->old_password, texts->new_password};
    for (size_t i = 0; i < 2; i++)
        if (secrets[i]) secret_wipe(secrets[i], strlen(secrets[i]));
    free(texts->principal);
    free(texts->old_password);
    free(texts->new_password);
    free(texts->target);
}

static status_t texts_make(const struct kerberos_call_password *call, struct texts *out)
{
    *out = (struct texts){NULL, NULL, NULL, NULL};
    status_t status = text_copy(bytes_of(call->principal), &out->principal);
    if (status_ok(status)) status = text_copy(bytes_of(call->old_password), &out->old_password);
    if (status_ok(status)) status = text_copy(bytes_of(call->new_password), &out->new_password);
    if (status_ok(status)) status = text_copy(bytes_of(call->target), &out->target);
    if (!status_ok(status)) texts_free(out);
    return status;
}

/* A ticket for the service that changes passwords, which needs to be a first one. */
static krb5_error_code ticket_get(krb5_context context, const struct texts *texts, krb5_creds *out)
{
    krb5_get_init_creds_opt *options = NULL;
    krb5_principal principal = NULL;
    krb5_error_code error = krb5.parse_name(context, texts->principal, &principal);
    if (!error) error = krb5.get_init_creds_opt_alloc(context, &options);
    if (!error) {
        krb5.get_init_creds_opt_set_tkt_life(options, 5 * 60);
        krb5.get_init_creds_opt_set_renew_life(options, 0);
        krb5.get_init_creds_opt_set_forwardable(options, 0);
        krb5.get_init_creds_opt_set_proxiable(options, 0);
        error = krb5.get_init_creds_password(context, out, principal, texts->old_password, NULL,
                                             NULL, 0, "kadmin/changepw", options);
    }
    if (options) krb5.get_init_creds_opt_free(context, options);
    if (principal) krb5.free_principal(context, principal);
    return error;
}

/* What came back: a code, and texts to be freed. */
struct answer {
    int code;
    krb5_data code_text, text;
};

static krb5_error_code change_own(krb5_context context, const struct texts *texts,
                                  krb5_principal target, struct answer *answer, bool *logged_on)
{
    krb5_creds creds = {0};
    krb5_error_code error = ticket_get(context, texts, &creds);
    if (error) return error;
    *logged_on = true;
    error = krb5.set_password(context, &creds, texts->new_password, target, &answer->code,
                              &answer->code_text, &answer->text);
    krb5.free_cred_contents(context, &creds);
    return error;
}

/* The rules: zero (u16be), shortest length, history, properties (u32be each), greatest and least
 * age (u64be each). */
static bool policy_read(const krb5_data *text, struct kerberos_call_password *call)
{
    struct reader r;
    reader_init(&r, text->data, text->length);
    if (reader_u16be(&r) || text->length != 30) return false;
    call->least_length = reader_u32be(&r);
    call->history = reader_u32be(&r);
    call->properties = reader_u32be(&r);
    call->most_age = reader_u64be(&r);
    call->least_age = reader_u64be(&r);
    call->has_policy = reader_end(&r);
    return call->has_policy;
}

static void refusal_say(krb5_context context, const struct answer *answer,
                        struct kerberos_call_password *call)
{
    char *words = NULL;
    call->refused = (uint32_t)answer->code;
    policy_read(&answer->text, call);
    if (krb5.chpw_message(context, &answer->text, &words)) words = NULL;
    error_say(SEC_E_OK, call->why, "%.*s: %s", (int)answer->code_text.length,
              answer->code_text.data ? answer->code_text.data : "", words ? words : "");
    if (words) krb5.free_string(context, words);
}

static status_t change(krb5_context context, const struct texts *texts,
                       struct kerberos_call_password *call)
{
    struct answer answer = {0};
    krb5_principal target = NULL;
    krb5_ccache cache = NULL;
    bool logged_on = false;
    krb5_error_code error = 0;
    status_t status = SEC_E_OK;
    if (call->target.size) error = krb5.parse_name(context, texts->target, &target);
    if (!error && call->principal.size) {
        error = change_own(context, texts, target, &answer, &logged_on);
    } else if (!error) {
        status = credential_cache(call->credential, context, &cache, call->why);
        if (status_ok(status))
            error = krb5.set_password_using_ccache(context, cache, texts->new_password, target,
                                                   &answer.code, &answer.code_text, &answer.text);
        logged_on = true;
    }
    if (error)
        status = error_krb5(logged_on ? ERROR_OF_INITIATE : ERROR_OF_LOGON, context, error,
                            call->why);
    else if (status_ok(status) && answer.code) refusal_say(context, &answer, call);
    krb5.free_data_contents(context, &answer.code_text);
    krb5.free_data_contents(context, &answer.text);
    if (cache) krb5.cc_close(context, cache);
    if (target) krb5.free_principal(context, target);
    return status;
}

status_t password_change(void *params)
{
    struct kerberos_call_password *call = params;
    krb5_context context;
    struct texts texts;
    call->refused = call->has_policy = call->least_length = call->history = call->properties = 0;
    call->most_age = call->least_age = 0;
    if (!krb5_found)
        return error_say(SEC_E_UNSUPPORTED_FUNCTION, call->why, "there is no libkrb5 of MIT");
    if (!call->principal.size && !call->target.size) return SEC_E_INVALID_PARAMETER;
    status_t status = texts_make(call, &texts);
    if (!status_ok(status)) return status;
    if (krb5.init_context(&context)) {
        texts_free(&texts);
        return error_say(SEC_E_INSUFFICIENT_MEMORY, call->why, "no context of the library");
    }
    status = change(context, &texts, call);
    krb5.free_context(context);
    texts_free(&texts);
    return status;
}

/* ---- whose account ---- */

/* By its name, and unless the user's .k5login lets only others in. */
static bool is_process_user(krb5_context context, krb5_principal principal)
{
    char room[4096], name[256];
    struct passwd entry, *found;
    return !krb5.aname_to_localname(context, principal, sizeof(name), name) &&
           !getpwuid_r(getuid(), &entry, room, sizeof(room), &found) && found &&
           !strcmp(found->pw_name, name) && krb5.kuserok(context, principal, name);
}

/* The first ticket of a credential, with which the host's key is asked for. */
static krb5_error_code verify(krb5_context context, krb5_ccache cache, krb5_principal client)
{
    krb5_creds wanted = {.client = client}, found = {0};
    krb5_error_code error = krb5.build_principal_ext(context, &wanted.server, client->realm.length,
                                                     client->realm.data, 6, "krbtgt",
                                                     client->realm.length, client->realm.data, 0);
    if (error) return error;
    error = krb5.cc_retrieve_cred(context, cache, 0, &wanted, &found);
    krb5.free_principal(context, wanted.server);
    if (error) return error;
    error = krb5.verify_init_creds(context, &found, NULL, NULL, NULL, NULL);
    krb5.free_cred_contents(context, &found);
    return error;
}

static status_t account(krb5_context context, const char *name, struct kerberos_call_account *call)
{
    krb5_ccache cache = NULL;
    krb5_principal principal = NULL;
    status_t status = SEC_E_OK;
    krb5_error_code error = krb5.parse_name(context, name, &principal);
    if (!error && call->credential)
        status = credential_cache(call->credential, context, &cache, call->why);
    if (!error && cache) error = verify(context, cache, principal);
    if (error) {
        error_krb5(ERROR_OF_LOGON, context, error, call->why); /* for its words */
        status = error == ENOMEM ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_LOGON_DENIED;
    }
    if (status_ok(status)) call->own = is_process_user(context, principal);
    if (cache) krb5.cc_close(context, cache);
    if (principal) krb5.free_principal(context, principal);
    return status;
}

status_t account_of(void *params)
{
    struct kerberos_call_account *call = params;
    krb5_context context;
    char *name;
    call->own = 0;
    if (!krb5_found)
        return error_say(SEC_E_UNSUPPORTED_FUNCTION, call->why, "there is no libkrb5 of MIT");
    status_t status = text_copy(bytes_of(call->principal), &name);
    if (!status_ok(status)) return status;
    status = error_say(SEC_E_INSUFFICIENT_MEMORY, call->why, "no context of the library");
    if (!krb5.init_context(&context)) {
        call->why[0] = 0;
        status = account(context, name, call);
        krb5.free_context(context);
    }
    free(name);
    return status;
}
