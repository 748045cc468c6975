/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The peer of the package Negotiate, see spnego_peer.h. */
#include "spnego_peer.h"

#include "identities.h"

static uint8_t wire[SPNEGO_TOKEN_MAX];

static void fill_identity(SEC_WINNT_AUTH_IDENTITY_EXW *identity, const struct account *account,
                          const wchar_t *package_list)
{
    if (account) *identity = wide_identity_ex(account->user, account->domain, account->password);
    else *identity = wide_identity_ex(NULL, NULL, NULL);
    if (package_list) {
        identity->PackageList = (unsigned short *)package_list;
        identity->PackageListLength = lstrlenW(package_list);
    }
}

SECURITY_STATUS side_open(struct side *side, const wchar_t *package, bool server,
                          const struct account *account, const wchar_t *package_list)
{
    SEC_WINNT_AUTH_IDENTITY_EXW identity;
    bool any = (account && !server) || package_list;
    if (any) fill_identity(&identity, server ? NULL : account, package_list);
    side->server = server;
    side->target = NULL;
    side->flags = server ? SERVER_SEAL_FLAGS : SEAL_FLAGS;
    side->size = 0;
    side->attributes = 0;
    side->channel = NULL;
    context_forget(&side->context);
    return AcquireCredentialsHandleW(NULL, (wchar_t *)package,
                                     server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL,
                                     any ? &identity : NULL, NULL, NULL, &side->credential, NULL);
}

void side_close(struct side *side)
{
    if (context_present(&side->context)) DeleteSecurityContext(&side->context);
    context_forget(&side->context);
    FreeCredentialsHandle(&side->credential);
}

bool sides_open(struct side *client, struct side *server, const struct sides_options *options)
{
    const wchar_t *one = options->client_package, *other = options->server_package;
    SECURITY_STATUS status = side_open(client, one ? one : L"Negotiate", false, options->account,
                                       options->client_list);
    if (!ok(!status, "client's credential: %08lx", status)) return false;
    status = side_open(server, other ? other : L"Negotiate", true, NULL, options->server_list);
    if (!ok(!status, "server's credential: %08lx", status)) side_close(client);
    return !status;
}

void sides_close(struct side *client, struct side *server)
{
    side_close(client);
    side_close(server);
}

SECURITY_STATUS side_leg(struct side *side, struct slice token)
{
    struct bindings bindings;
    SecBuffer in[2] = {{(ULONG)token.size, SECBUFFER_TOKEN, (void *)token.data}};
    ULONG given = side->channel ? 2 : 1;
    if (side->channel) in[1] = bindings_fill(&bindings, side->channel);
    SecBuffer out = {sizeof(side->token), SECBUFFER_TOKEN, side->token};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, given, in};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle *old = context_present(&side->context) ? &side->context : NULL;
    SECURITY_STATUS status;
    if (side->server)
        status = AcceptSecurityContext(&side->credential, old, &in_desc, side->flags,
                                       SECURITY_NATIVE_DREP, &side->context, &out_desc,
                                       &side->attributes, NULL);
    else
        status = InitializeSecurityContextW(&side->credential, old, (wchar_t *)side->target,
                                            side->flags, 0, SECURITY_NATIVE_DREP,
                                            token.size || given > 1 ? &in_desc : NULL, 0,
                                            &side->context, &out_desc, &side->attributes, NULL);
    side->size = status < 0 ? 0 : out.cbBuffer;
    return status;
}

SECURITY_STATUS sides_run(struct side *client, struct side *server, side_tamper *change, int *legs)
{
    SECURITY_STATUS status[2] = {SEC_I_CONTINUE_NEEDED, SEC_I_CONTINUE_NEEDED};
    for (*legs = 1; *legs < 12; ++*legs) {
        int side = *legs % 2 == 0;
        struct side *from = side ? server : client, *to = side ? client : server;
        if (status[side] == SEC_I_CONTINUE_NEEDED) status[side] = side_leg(from, side_token(to));
        if (status[side] < 0) return status[side];
        if (change) change(from, *legs);
        if (status[0] == SEC_E_OK && status[1] == SEC_E_OK) return SEC_E_OK;
    }
    return SEC_I_CONTINUE_NEEDED;
}

void side_expect_package(struct side *side, const wchar_t *name)
{
    SecPkgContext_NegotiationInfoW info;
    SECURITY_STATUS status = QueryContextAttributesW(&side->context, SECPKG_ATTR_NEGOTIATION_INFO,
                                                     &info);
    if (!ok(!status, "negotiation info: %08lx", status)) return;
    ok(info.NegotiationState == SECPKG_NEGOTIATION_COMPLETE, "state %lu", info.NegotiationState);
    ok(!lstrcmpW(info.PackageInfo->Name, name), "%ls was chosen", info.PackageInfo->Name);
    FreeContextBuffer(info.PackageInfo);
}

void sides_expect_agreement(struct side *client, struct side *server, const wchar_t *package,
                            int expected)
{
    int legs;
    SECURITY_STATUS status = sides_run(client, server, NULL, &legs);
    if (!ok(!status, "leg %d: %08lx", legs, status)) return;
    ok(legs == expected, "%d legs", legs);
    side_expect_package(client, package);
    side_expect_package(server, package);
    ok(contexts_talk(&client->context, &server->context), "no talk");
}

bool side_seals(struct side *side)
{
    struct message message;
    message_set(&message, "text", 4);
    return context_present(&side->context) && !message_seal(&side->context, &message);
}

bool side_move(struct side *side, const wchar_t *package)
{
    struct blob blob;
    if (context_export(&side->context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL)) return false;
    context_forget(&side->context);
    return !context_import(package, blob.bytes, blob.size, &side->context);
}

struct slice wire_init(const struct spnego_init *message)
{
    struct writer w;
    writer_init_fixed(&w, wire, sizeof(wire));
    spnego_init_encode(&w, message);
    return writer_view(&w);
}

struct slice wire_response(enum spnego_state state, struct slice mech, struct slice token,
                           struct slice mic)
{
    const struct spnego_response message = {state, mech, token, mic};
    struct writer w;
    writer_init_fixed(&w, wire, sizeof(wire));
    spnego_response_encode(&w, &message);
    return writer_view(&w);
}

bool peer_talks(struct peer_session *session, CtxtHandle *other)
{
    static const char there[] = "sealed by the test", back[] = "sealed by the package";
    struct message message;
    message_set(&message, there, sizeof(there));
    message.token_size = 16;
    if (!peer_seal(session, message.data, sizeof(there), message.token)) return false;
    if (message_open(other, &message) || memcmp(message.data, there, sizeof(there))) return false;

    message_set(&message, back, sizeof(back));
    if (message_seal(other, &message) || message.token_size != 16) return false;
    return peer_unseal(session, message.data, sizeof(back), message.token) &&
           !memcmp(message.data, back, sizeof(back));
}
