/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * User-to-user (RFC 4120 3.7, draft-swift-win2k-krb-user2user-03): GSS-API has no such exchange, so
 * it is made with libkrb5, and the frames around its messages by core. The client asks for the
 * ticket-granting ticket of the server's user (KERB-TGT-REQUEST), and has the KDC make a ticket
 * under its session key; AP-REQ and AP-REP are those of RFC 4121 4.1. Who knows that ticket already
 * may begin with the AP-REQ. There is no delegation, and no form for DCE style.
 *
 * Tickets of this kind are good for the server's present log-on only and go to no cache.
 */
#include "unix.h"

#include "core/kerberos.h"
#include "core/kerberos_user.h"
#include "core/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a checksum says to a server; the rest is nobody's or not for this exchange. */
#define TOLD                                                                             \
    (CALL_MUTUAL | CALL_REPLAY | CALL_SEQUENCE | CALL_CONFIDENTIALITY | CALL_INTEGRITY | \
     CALL_IDENTIFY | CALL_EXTENDED_ERROR)

struct user {
    struct tickets tickets; /* whose they are, and from where */
    krb5_principal target;  /* client */
    krb5_creds own;         /* server: its ticket-granting ticket, empty before it is asked for */
    uint8_t bindings[16];
    bool bound; /* there are some */
    krb5_auth_context auth;
    krb5_creds *service; /* client: the ticket */
    krb5_ticket *ticket; /* server: the client's */
    krb5_keyblock *subkey, *acceptor_subkey;
};

void user_free(struct user *user)
{
    if (!user) return;
    krb5_context context = user->tickets.context;
    krb5.free_keyblock(context, user->subkey);
    krb5.free_keyblock(context, user->acceptor_subkey);
    if (user->ticket) krb5.free_ticket(context, user->ticket);
    if (user->service) krb5.free_creds(context, user->service);
    if (user->auth) krb5.auth_con_free(context, user->auth);
    krb5.free_cred_contents(context, &user->own);
    if (user->target) krb5.free_principal(context, user->target);
    tickets_close(&user->tickets);
    free(user);
}

static enum error_of error_of_side(const struct context *context)
{
    return context->server ? ERROR_OF_ACCEPT : ERROR_OF_INITIATE;
}

static status_t failed(const struct context *context, krb5_error_code error)
{
    const struct tickets *tickets = &context->user->tickets;
    return error_krb5(error_of_side(context), tickets->context, error, tickets->why);
}

static status_t refuse(const struct context *context, status_t status, const char *text)
{
    return error_say(status, context->user->tickets.why, "%s", text);
}

static bool same(struct slice a, struct slice b)
{
    return a.size == b.size && (!a.size || !memcmp(a.data, b.data, a.size));
}

/* ---- beginning ---- */

static void bindings_keep(struct user *user, const struct call_bindings *bindings)
{
    if (!bindings->given) return;
    memcpy(user->bindings, bindings->digest, sizeof(user->bindings));
    user->bound = true;
}

static status_t target_make(struct context *context, const struct kerberos_call_leg *call)
{
    struct user *user = context->user;
    char *text;
    status_t status = text_copy(bytes_of(call->target), &text);
    if (!status_ok(status)) return status;
    krb5_error_code error = krb5.parse_name(user->tickets.context, text, &user->target);
    free(text);
    return error ? failed(context, error) : SEC_E_OK;
}

static status_t user_make(struct context *context, struct kerberos_call_leg *call)
{
    struct user *user = calloc(1, sizeof(*user));
    if (!user) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = tickets_open(call->credential, call->why, &user->tickets);
    if (!status_ok(status)) {
        free(user);
        return status;
    }
    context->user = user;
    if (!user->tickets.client) return refuse(context, SEC_E_NO_CREDENTIALS, "there are no tickets");
    return context->server ? SEC_E_OK : target_make(context, call);
}

/* ---- tokens ---- */

static status_t token_queue(struct context *context, enum kerberos_user_kind kind,
                            struct slice message)
{
    struct writer w;
    writer_init(&w);
    kerberos_user_token_write(&w, kind, message);
    status_t status = writer_status(&w);
    if (status_ok(status)) status = queue_set(context, writer_view(&w));
    writer_free(&w);
    return status;
}

/* What the library has made, which is freed. */
static status_t data_queue(struct context *context, enum kerberos_user_kind kind, krb5_data *made)
{
    status_t status = token_queue(context, kind, slice_of(made));
    krb5.free_data_contents(context->user->tickets.context, made);
    return status;
}

#define PROTOCOL_ERRORS 128u /* KRB5KDC_ERR_NONE and what follows it */

/* What the peer says is wrong. A number that is none of the protocol's must not become an error of
 * another kind. */
static status_t error_read(struct context *context, struct slice message)
{
    krb5_context library = context->user->tickets.context;
    krb5_data data = data_of(message);
    krb5_error *said;
    krb5_error_code error = krb5.rd_error(library, &data, &said);
    if (error) return failed(context, error);
    error = said->error && said->error < PROTOCOL_ERRORS
                ? KRB5KDC_ERR_NONE + (krb5_error_code)said->error
                : KRB5KRB_ERR_GENERIC;
    krb5.free_error(library, said);
    return failed(context, error);
}

/* A message of that kind; an error of the peer's is one's own. */
static status_t message_read(struct context *context, struct slice token,
                             enum kerberos_user_kind wanted, struct slice *out)
{
    enum kerberos_user_kind kind;
    status_t status = kerberos_user_token_read(token, &kind, out);
    if (!status_ok(status)) return refuse(context, status, "this is no token of user-to-user");
    if (kind == KERBEROS_USER_ERROR) return error_read(context, *out);
    if (kind != wanted) return refuse(context, SEC_E_INVALID_TOKEN, "a token out of turn");
    return SEC_E_OK;
}

/* ---- the end ---- */

static status_t principal_tell(krb5_context library, krb5_const_principal principal,
                               struct blob *out)
{
    char *text;
    if (krb5.unparse_name(library, principal, &text)) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = blob_set(out, (struct slice){(const uint8_t *)text, strlen(text)});
    krb5.free_unparsed_name(library, text);
    return status;
}

/* The acceptor's key is the one of RFC 4121 2; RFC 4757 knows no such key. */
static status_t key_tell(const struct context *context, struct outcome *outcome)
{
    struct user *user = context->user;
    krb5_keyblock *session = NULL;
    const krb5_keyblock *key = user->subkey;
    bool weak = key && key->enctype == KERBEROS_RC4;
    outcome->acceptor_subkey = user->acceptor_subkey && !weak;
    if (outcome->acceptor_subkey) key = user->acceptor_subkey;
    if (!key && krb5.auth_con_getkey(user->tickets.context, user->auth, &session))
        return SEC_E_INSUFFICIENT_MEMORY;
    if (!key) key = session;
    status_t status = SEC_E_OK;
    if (!key || !enctype_is_carried((uint32_t)key->enctype) || key->length > CALL_KEY_MAX)
        status = refuse(context, SEC_E_ALGORITHM_MISMATCH, "an unknown encryption type");
    if (status_ok(status)) {
        outcome->enctype = (uint32_t)key->enctype;
        outcome->key_size = key->length;
        memcpy(outcome->key, key->contents, key->length);
    }
    krb5.free_keyblock(user->tickets.context, session);
    return status;
}

/* Numbers are of 32 bits. Who has said nothing counts from the other's number on. */
static status_t numbers_tell(const struct context *context, struct outcome *outcome)
{
    const struct user *user = context->user;
    krb5_int32 own = 0, peer = 0;
    krb5_error_code error = 0;
    bool answered = context->flags & CALL_MUTUAL;
    if (answered || !context->server)
        error = krb5.auth_con_getlocalseqnumber(user->tickets.context, user->auth, &own);
    if (!error && (answered || context->server))
        error = krb5.auth_con_getremoteseqnumber(user->tickets.context, user->auth, &peer);
    if (error) return failed(context, error);
    if (!answered && context->server) own = peer;
    else if (!answered) peer = own;
    outcome->send_sequence = (uint32_t)own;
    outcome->receive_sequence = (uint32_t)peer;
    outcome->carried = true;
    return SEC_E_OK;
}

static status_t client_tell(const struct user *user, struct outcome *outcome)
{
    krb5_context library = user->tickets.context;
    krb5_ticket *ticket;
    if (krb5.decode_ticket(&user->service->ticket, &ticket)) return SEC_E_INTERNAL_ERROR;
    status_t status = principal_tell(library, user->service->client, &outcome->client);
    if (status_ok(status)) status = principal_tell(library, ticket->server, &outcome->server);
    krb5.free_ticket(library, ticket);
    outcome->start = (uint32_t)user->service->times.authtime;
    outcome->expiry = (uint32_t)user->service->times.endtime;
    return status;
}

static status_t server_tell(const struct user *user, struct outcome *outcome)
{
    krb5_context library = user->tickets.context;
    const krb5_enc_tkt_part *part = user->ticket->enc_part2;
    status_t status = principal_tell(library, part->client, &outcome->client);
    if (status_ok(status)) status = principal_tell(library, user->ticket->server, &outcome->server);
    outcome->start = (uint32_t)part->times.authtime;
    outcome->expiry = (uint32_t)part->times.endtime;
    return status;
}

static status_t finish(struct context *context)
{
    struct outcome *outcome = calloc(1, sizeof(*outcome));
    if (!outcome) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = context->server ? server_tell(context->user, outcome)
                                      : client_tell(context->user, outcome);
    if (status_ok(status)) status = key_tell(context, outcome);
    if (status_ok(status)) status = numbers_tell(context, outcome);
    if (!status_ok(status)) {
        outcome_free(outcome);
        return status;
    }
    context->outcome = outcome;
    context->done = true;
    return SEC_E_OK;
}

/* ---- client ---- */

static status_t client_request(struct context *context)
{
    struct kerberos_name server;
    struct writer parts, request;
    writer_init(&parts);
    writer_init(&request);
    status_t status = tickets_name(&parts, context->user->target, &server);
    if (status_ok(status)) kerberos_user_request_write(&request, &server);
    if (status_ok(status)) status = writer_status(&request);
    if (status_ok(status))
        status = token_queue(context, KERBEROS_USER_TGT_REQUEST, writer_view(&request));
    writer_free(&parts);
    writer_free(&request);
    return status;
}

/* The server's ticket must be one that its KDC makes others for; whether it is that of the target's
 * user only the KDC can read. */
static status_t ticket_get(struct context *context, struct slice message)
{
    struct user *user = context->user;
    struct kerberos_user_reply reply;
    status_t status = kerberos_user_reply_read(message, &reply);
    if (!status_ok(status)) return refuse(context, status, "the server's reply is damaged");
    struct slice realm = slice_of(&user->target->realm);
    if (!reply.granting.size)
        return refuse(context, SEC_E_WRONG_PRINCIPAL, "the server's ticket grants no tickets");
    if (realm.size && !same(realm, reply.granting))
        return refuse(context, SEC_E_WRONG_PRINCIPAL, "the server's ticket is of another realm");
    krb5_creds wanted = {.client = user->tickets.client,
                         .server = user->target,
                         .second_ticket = data_of(reply.ticket)};
    krb5_error_code error = krb5.get_credentials(user->tickets.context,
                                                 KRB5_GC_USER_USER | KRB5_GC_NO_STORE,
                                                 user->tickets.cache, &wanted, &user->service);
    return error ? failed(context, error) : SEC_E_OK;
}

static krb5_error_code request_make(struct context *context, struct slice checksum, krb5_data *out)
{
    struct user *user = context->user;
    krb5_context library = user->tickets.context;
    krb5_flags options = AP_OPTS_USE_SESSION_KEY | AP_OPTS_USE_SUBKEY;
    krb5_data data = data_of(checksum);
    if (context->asked & CALL_MUTUAL) options |= AP_OPTS_MUTUAL_REQUIRED;
    krb5_error_code error = krb5.auth_con_init(library, &user->auth);
    if (!error)
        error = krb5.auth_con_setflags(library, user->auth,
                                       KRB5_AUTH_CONTEXT_DO_TIME | KRB5_AUTH_CONTEXT_DO_SEQUENCE);
    if (!error) error = krb5.auth_con_set_req_cksumtype(library, user->auth, KERBEROS_CHECKSUM);
    if (!error)
        error = krb5.mk_req_extended(library, &user->auth, options, &data, user->service, out);
    if (!error) error = krb5.auth_con_getsendsubkey(library, user->auth, &user->subkey);
    return error;
}

static status_t client_reply(struct context *context, struct slice message)
{
    struct user *user = context->user;
    struct kerberos_user_checksum checksum = {.flags = context->asked & TOLD};
    struct writer w;
    krb5_data made = {0};
    status_t status = ticket_get(context, message);
    if (!status_ok(status)) return status;
    memcpy(checksum.bindings, user->bindings, sizeof(checksum.bindings));
    writer_init(&w);
    kerberos_user_checksum_write(&w, &checksum);
    status = writer_status(&w);
    krb5_error_code error = status_ok(status) ? request_make(context, writer_view(&w), &made) : 0;
    if (error) status = failed(context, error);
    if (status_ok(status)) status = data_queue(context, KERBEROS_USER_AP_REQ, &made);
    else krb5.free_data_contents(user->tickets.context, &made);
    writer_free(&w);
    if (!status_ok(status) || context->asked & CALL_MUTUAL) return status;
    return finish(context);
}

static status_t client_answer(struct context *context, struct slice message)
{
    struct user *user = context->user;
    krb5_context library = user->tickets.context;
    krb5_data data = data_of(message);
    krb5_ap_rep_enc_part *part;
    krb5_error_code error = krb5.rd_rep(library, user->auth, &data, &part);
    if (error) return failed(context, error);
    if (part->subkey)
        error = krb5.auth_con_getrecvsubkey(library, user->auth, &user->acceptor_subkey);
    krb5.free_ap_rep_enc_part(library, part);
    return error ? failed(context, error) : finish(context);
}

static status_t client_leg(struct context *context, struct slice token, bool first)
{
    struct slice message;
    if (first) {
        context->flags = CALL_USER_TO_USER | (context->asked & TOLD);
        return client_request(context);
    }
    bool asked = context->user->service != NULL;
    status_t status = message_read(
        context, token, asked ? KERBEROS_USER_AP_REP : KERBEROS_USER_TGT_REPLY, &message);
    if (!status_ok(status)) return status;
    return asked ? client_answer(context, message) : client_reply(context, message);
}

/* ---- server ---- */

/* Its user's ticket-granting ticket that is good now. */
static status_t own_find(struct context *context)
{
    struct user *user = context->user;
    krb5_creds wanted = {.client = user->tickets.client,
                         .times.endtime = (krb5_timestamp)time(NULL)};
    if (user->own.ticket.length) return SEC_E_OK;
    krb5_error_code error = tickets_granting(&user->tickets, &wanted.server);
    if (error) return failed(context, error);
    error = krb5.cc_retrieve_cred(user->tickets.context, user->tickets.cache, KRB5_TC_MATCH_TIMES,
                                  &wanted, &user->own);
    krb5.free_principal(user->tickets.context, wanted.server);
    if (!error) return SEC_E_OK;
    failed(context, error); /* for its words */
    return error == ENOMEM ? SEC_E_INSUFFICIENT_MEMORY : SEC_E_NO_CREDENTIALS;
}

static status_t server_reply(struct context *context, struct slice message)
{
    struct user *user = context->user;
    struct slice realm;
    struct writer w;
    status_t status = kerberos_user_request_read(message, &realm);
    if (!status_ok(status)) return refuse(context, status, "the client's request is damaged");
    if (realm.size && !same(realm, slice_of(&user->tickets.client->realm)))
        return refuse(context, SEC_E_NO_CREDENTIALS, "the client wants a ticket of another realm");
    writer_init(&w);
    kerberos_user_reply_write(&w, slice_of(&user->own.ticket));
    status = writer_status(&w);
    if (status_ok(status)) status = token_queue(context, KERBEROS_USER_TGT_REPLY, writer_view(&w));
    writer_free(&w);
    return status;
}

/* The library takes the key that it is given for the ticket's, whatever the client's options. */
static krb5_error_code request_open(struct context *context, struct slice message,
                                    krb5_flags *options)
{
    struct user *user = context->user;
    krb5_context library = user->tickets.context;
    krb5_data data = data_of(message);
    krb5_error_code error = krb5.auth_con_init(library, &user->auth);
    if (!error)
        error = krb5.auth_con_setflags(library, user->auth,
                                       KRB5_AUTH_CONTEXT_DO_TIME | KRB5_AUTH_CONTEXT_DO_SEQUENCE);
    if (!error) error = krb5.auth_con_setuseruserkey(library, user->auth, &user->own.keyblock);
    if (!error)
        error = krb5.rd_req(library, &user->auth, &data, NULL, NULL, options, &user->ticket);
    if (!error) error = krb5.auth_con_getrecvsubkey(library, user->auth, &user->subkey);
    return error;
}

static status_t checksum_read(struct context *context, struct kerberos_user_checksum *out)
{
    struct user *user = context->user;
    krb5_authenticator *authenticator;
    status_t status = SEC_E_INVALID_TOKEN;
    krb5_error_code error = krb5.auth_con_getauthenticator(user->tickets.context, user->auth,
                                                           &authenticator);
    if (error) return failed(context, error);
    const krb5_checksum *checksum = authenticator->checksum;
    if (checksum && (uint16_t)checksum->checksum_type == KERBEROS_CHECKSUM)
        status = kerberos_user_checksum_read((struct slice){checksum->contents, checksum->length},
                                             out);
    channel_keep(context, user->tickets.context, authenticator);
    krb5.free_authenticator(user->tickets.context, authenticator);
    return status_ok(status) ? status : refuse(context, status, "no checksum of GSS-API");
}

/* A client without bindings (RFC 4121 4.1.1.2 has zeros for none) is told of as one, unless it
 * knows of them (MS-KILE 3.4.5), or that cannot be read. */
static status_t bindings_check(struct context *context, const uint8_t sent[16])
{
    static const uint8_t none[16];
    const struct user *user = context->user;
    if (!user->bound) return SEC_E_OK;
    if (!memcmp(sent, none, sizeof(none))) {
        if (context->channel_told == CALL_CHANNEL_TOLD) return SEC_E_OK;
        return refuse(context, SEC_E_BAD_BINDINGS, "the client says that it has no channel");
    }
    if (!secret_equal(sent, user->bindings, sizeof(none)))
        return refuse(context, SEC_E_BAD_BINDINGS, "the client speaks through another channel");
    context->flags |= CALL_CHANNEL_BOUND;
    return SEC_E_OK;
}

static status_t request_read(struct context *context, struct slice message)
{
    struct kerberos_user_checksum checksum;
    krb5_flags options = 0;
    krb5_error_code error = request_open(context, message, &options);
    if (error) return failed(context, error);
    if (!(options & AP_OPTS_USE_SESSION_KEY))
        return refuse(context, SEC_E_INVALID_TOKEN, "a ticket that is not for user-to-user");
    status_t status = checksum_read(context, &checksum);
    if (!status_ok(status)) return status;
    if (checksum.flags & CALL_DCE_STYLE)
        return refuse(context, SEC_E_UNSUPPORTED_FUNCTION, "DCE style has no user-to-user");
    context->flags = CALL_USER_TO_USER | (checksum.flags & TOLD);
    return bindings_check(context, checksum.bindings);
}

static krb5_error_code answer_make(struct user *user, krb5_data *out)
{
    krb5_context library = user->tickets.context;
    krb5_int32 flags = KRB5_AUTH_CONTEXT_DO_TIME | KRB5_AUTH_CONTEXT_DO_SEQUENCE;
    bool weak = user->subkey && user->subkey->enctype == KERBEROS_RC4;
    if (!weak) flags |= KRB5_AUTH_CONTEXT_USE_SUBKEY;
    krb5_error_code error = krb5.auth_con_setflags(library, user->auth, flags);
    if (!error) error = krb5.mk_rep(library, user->auth, out);
    if (!error && !weak)
        error = krb5.auth_con_getsendsubkey(library, user->auth, &user->acceptor_subkey);
    return error;
}

static status_t server_request(struct context *context, struct slice message)
{
    struct user *user = context->user;
    krb5_data made = {0};
    status_t status = request_read(context, message);
    if (!status_ok(status) || !(context->flags & CALL_MUTUAL))
        return status_ok(status) ? finish(context) : status;
    krb5_error_code error = answer_make(user, &made);
    if (error) {
        krb5.free_data_contents(user->tickets.context, &made);
        return failed(context, error);
    }
    status = data_queue(context, KERBEROS_USER_AP_REP, &made);
    return status_ok(status) ? finish(context) : status;
}

static status_t server_leg(struct context *context, struct slice token)
{
    enum kerberos_user_kind kind;
    struct slice message;
    bool asked = context->user->own.ticket.length != 0;
    status_t status = kerberos_user_token_read(token, &kind, &message);
    if (!status_ok(status)) return refuse(context, status, "this is no token of user-to-user");
    context->flags = CALL_USER_TO_USER;
    status = own_find(context);
    if (!status_ok(status)) return status;
    if (kind == KERBEROS_USER_AP_REQ) return server_request(context, message);
    if (kind == KERBEROS_USER_TGT_REQUEST && !asked) return server_reply(context, message);
    return refuse(context, SEC_E_INVALID_TOKEN, "a token out of turn");
}

status_t user_leg(struct context *context, struct kerberos_call_leg *call)
{
    bool first = !context->user;
    status_t status = first ? user_make(context, call) : SEC_E_OK;
    if (!status_ok(status)) return status;
    context->user->tickets.why = call->why;
    bindings_keep(context->user, &call->bindings);
    return context->server ? server_leg(context, bytes_of(call->input))
                           : client_leg(context, bytes_of(call->input), first);
}
