/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half of ssp_kerberos on both sides of an exchange, in one process. The program runs in
 * the environment of unit_kerberos.sh, which has started a KDC: KDC_DIR is its folder, GSS_LIBRARY
 * names the library to use.
 */
#pragma once

#include "unit.h"

#include "../../dlls/ssp_kerberos/call.h"

#include <stdio.h>

#define REALM "@WINESSPI.TEST"
#define SERVICE "HTTP/localhost"

#define USUAL_FLAGS \
    (CALL_MUTUAL | CALL_REPLAY | CALL_SEQUENCE | CALL_CONFIDENTIALITY | CALL_INTEGRITY)

static inline status_t half(enum kerberos_call number, void *params)
{
    return __wine_unix_call_funcs[number](params);
}

/* A file of the KDC's folder, as a name with a prefix. */
static inline const char *kdc_file(const char *prefix, const char *name)
{
    const char *folder = getenv("KDC_DIR");
    size_t room = strlen(folder) + strlen(prefix) + strlen(name) + 2;
    char *out = (char *)unit_room(room);
    snprintf(out, room, "%s%s/%s", prefix, folder, name);
    return out;
}

static inline void environment(const char *variable, const char *prefix, const char *file)
{
    setenv(variable, kdc_file(prefix, file), 1);
}

/* As unit_kerberos.sh has set it. */
static inline void environment_usual(void)
{
    environment("KRB5_CONFIG", "", "krb5.conf");
    environment("KRB5CCNAME", "FILE:", "tickets");
    environment("KRB5_KTNAME", "FILE:", "keytab");
}

static inline bool is_mit(void)
{
    return strstr(getenv("GSS_LIBRARY"), "gssapi_krb5") != NULL;
}

/* ---- credentials ---- */

static inline struct kerberos_call_credential_acquire acquire(uint32_t use, const char *principal,
                                                              const char *password,
                                                              status_t *status)
{
    struct kerberos_call_credential_acquire call = {
        .principal = unixcall_slice(ascii(principal)),
        .use = use,
    };
    if (password) call.password = unixcall_slice(ascii(password));
    *status = half(KERBEROS_CALL_CREDENTIAL_ACQUIRE, &call);
    return call;
}

static inline uint64_t acquired(uint32_t use, const char *principal, const char *password)
{
    status_t status;
    struct kerberos_call_credential_acquire call = acquire(use, principal, password, &status);
    ok(status == SEC_E_OK && call.credential, "%s: %#x %s", principal, status, call.why);
    return call.credential;
}

static inline void credential_end(uint64_t credential)
{
    struct kerberos_call_free call = {credential};
    ok(half(KERBEROS_CALL_CREDENTIAL_FREE, &call) == SEC_E_OK, "free a credential");
}

/* ---- an exchange ---- */

struct side {
    uint64_t credential;
    struct call_bindings bindings;
    uint32_t asked; /* client */

    uint64_t context, delegated;
    status_t status;
    uint32_t flags, done;
    size_t queued;
    unsigned legs;
    uint8_t token[1 << 16];
    size_t token_size;
    char why[CALL_WHY_SIZE];
};

struct pair {
    const char *target;
    size_t room; /* for tokens; 0: enough */
    struct side client, server;
};

static inline struct pair *pair_new(const char *target, uint32_t asked)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    if (!pair) abort();
    pair->target = target;
    pair->client.asked = asked;
    return pair;
}

/* One leg, with a copy of the input of exactly its size. */
static inline void side_leg(struct side *side, enum kerberos_call number, const char *target,
                            const uint8_t *token, size_t size, size_t room)
{
    uint8_t *input = exact_copy(token, size);
    struct kerberos_call_leg call = {
        .credential = side->credential,
        .context = side->context,
        .target = unixcall_slice(ascii(target)),
        .input = {unixcall_address(input), size},
        .bindings = side->bindings,
        .output = unixcall_address(side->token),
        .output_room = room ? room : sizeof(side->token),
        .flags = side->asked,
    };
    side->status = half(number, &call);
    side->context = call.context;
    side->flags = call.flags;
    side->done = call.done;
    side->queued = (size_t)call.queued;
    side->token_size = (size_t)call.output_size;
    if (call.delegated) side->delegated = call.delegated;
    memcpy(side->why, call.why, sizeof(side->why));
    side->legs++;
    free(input);
}

/* With the room that it has said it needs. */
static inline void side_run(struct side *side, enum kerberos_call number, const char *target,
                            const struct side *from, size_t room)
{
    side_leg(side, number, target, from->token, from->token_size, room);
    if (!side->queued) return;
    status_t status = side->status;
    uint32_t done = side->done;
    ok(side->queued > room && !side->token_size, "%zu bytes wait", side->queued);
    side_leg(side, number, target, NULL, 0, side->queued - 1);
    ok(side->queued && !side->token_size, "one byte is missing");
    side_leg(side, number, target, NULL, 0, side->queued);
    ok(!side->queued && side->token_size, "then the token comes");
    ok(side->status == status && side->done == done, "with the same status");
    side->legs -= 2;
}

/* Until one side fails, or has nothing to send. */
static inline bool pair_run(struct pair *pair)
{
    struct side *client = &pair->client, *server = &pair->server;
    for (;;) {
        side_run(client, KERBEROS_CALL_INITIATE, pair->target, server, pair->room);
        if (!status_ok(client->status) || !client->token_size) break;
        side_run(server, KERBEROS_CALL_ACCEPT, "", client, pair->room);
        if (!server->token_size || !status_ok(server->status) || client->done) break;
    }
    return status_ok(client->status) && status_ok(server->status) && client->done && server->done;
}

/* The same, which must succeed. */
static inline struct pair *pair_make(const char *target, uint32_t asked, uint64_t credential)
{
    struct pair *pair = pair_new(target, asked);
    pair->client.credential = credential;
    ok(pair_run(pair), "client %#x %s, server %#x %s", pair->client.status, pair->client.why,
       pair->server.status, pair->server.why);
    return pair;
}

static inline void side_end(struct side *side)
{
    struct kerberos_call_free call = {side->context};
    ok(half(KERBEROS_CALL_CONTEXT_FREE, &call) == SEC_E_OK, "free a context");
    if (side->delegated) credential_end(side->delegated);
}

static inline void pair_free(struct pair *pair)
{
    side_end(&pair->client);
    side_end(&pair->server);
    free(pair);
}

/* ---- what has become of it ---- */

static inline struct kerberos_call_facts side_facts(const struct side *side)
{
    struct kerberos_call_facts call = {.context = side->context};
    ok(half(KERBEROS_CALL_FACTS, &call) == SEC_E_OK, "facts");
    return call;
}

static inline struct kerberos_call_session side_session(const struct side *side)
{
    struct kerberos_call_session call = {.context = side->context};
    status_t status = half(KERBEROS_CALL_SESSION, &call);
    ok(status == SEC_E_OK, "session: %#x %s", status, call.why);
    return call;
}

/* Whether a text of a call is that one. */
static inline bool is_text(const char *text, uint32_t size, const char *expected)
{
    return same(view(text, size), ascii(expected));
}
