/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the Unix half of ssp_kerberos says when something goes wrong: no tickets, no KDC, passwords,
 * names, keys, clocks, replays and damaged tokens. See kerberos.h for where it runs.
 */
#include "kerberos.h"

#include <time.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>

static void leaks_ignore(bool ignore)
{
    if (ignore) __lsan_disable();
    else __lsan_enable();
}
#else
static void leaks_ignore(bool ignore)
{
    (void)ignore;
}
#endif

static void acquire_fails(uint32_t use, const char *principal, const char *password,
                          status_t expected)
{
    status_t status;
    time_t started = time(NULL);
    struct kerberos_call_credential_acquire call = acquire(use, principal, password, &status);
    ok(status == expected && !call.credential, "%s %s: %#x, not %#x: %s", principal,
       password ? password : "", status, expected, call.why);
    ok(call.why[0], "and says why");
    ok(!is_mit() || time(NULL) - started <= 2, "soon");
}

static void first_leg_fails(const char *target, status_t expected)
{
    struct pair *pair = pair_new(target, USUAL_FLAGS);
    time_t started = time(NULL);
    pair_run(pair);
    ok(pair->client.status == expected, "%s: %#x, not %#x: %s", target, pair->client.status,
       expected, pair->client.why);
    ok(pair->client.why[0] && !pair->client.token_size && !pair->client.done, "nothing else");
    ok(time(NULL) - started <= 2, "soon");
    pair_free(pair);
}

static void no_tickets(void)
{
    environment("KRB5CCNAME", "FILE:", "none");
    acquire_fails(CALL_USE_INITIATE, "", NULL, SEC_E_NO_CREDENTIALS);
    acquire_fails(CALL_USE_INITIATE, "alice", NULL, SEC_E_NO_CREDENTIALS);
    first_leg_fails(SERVICE, SEC_E_NO_CREDENTIALS);
    environment_usual();
    acquire_fails(CALL_USE_INITIATE, "carol", NULL, SEC_E_NO_CREDENTIALS);
}

static void expired_tickets(void)
{
    environment("KRB5CCNAME", "FILE:", "tickets-expired");
    first_leg_fails(SERVICE, SEC_E_CONTEXT_EXPIRED);
    environment_usual();
}

static void passwords(void)
{
    acquire_fails(CALL_USE_INITIATE, "bob", "wrong", SEC_E_LOGON_DENIED);
    acquire_fails(CALL_USE_INITIATE, "bob", "", SEC_E_LOGON_DENIED);
    acquire_fails(CALL_USE_INITIATE, "nobody", "bob's", SEC_E_LOGON_DENIED);
    acquire_fails(CALL_USE_INITIATE, "bob@a@b", "bob's", SEC_E_LOGON_DENIED);
    acquire_fails(CALL_USE_INITIATE, "", "bob's", SEC_E_LOGON_DENIED);
}

static void no_kdc(void)
{
    environment("KRB5_CONFIG", "", "no-kdc.conf");
    acquire_fails(CALL_USE_INITIATE, "bob", "bob's", SEC_E_NO_AUTHENTICATING_AUTHORITY);
    first_leg_fails("host/never.winesspi.test", SEC_E_NO_AUTHENTICATING_AUTHORITY);
    environment("KRB5_CONFIG", "", "no-realm.conf");
    acquire_fails(CALL_USE_INITIATE, "bob@OTHER.TEST", "bob's", SEC_E_NO_AUTHENTICATING_AUTHORITY);
    environment_usual();
}

static void targets(void)
{
    first_leg_fails("nobody/localhost", SEC_E_TARGET_UNKNOWN);
    first_leg_fails("HTTP/elsewhere.example", SEC_E_TARGET_UNKNOWN);
    first_leg_fails("HTTP/localhost@OTHER.TEST", SEC_E_TARGET_UNKNOWN);
    first_leg_fails("a@b@c", SEC_E_TARGET_UNKNOWN);
}

/* ---- servers ---- */

/* The server refuses, and what it sends tells the client why. */
static void server_fails(const char *target, uint64_t credential, status_t expected,
                         status_t client)
{
    struct pair *pair = pair_new(target, USUAL_FLAGS);
    pair->server.credential = credential;
    pair_run(pair);
    ok(pair->server.status == expected, "%s: %#x, not %#x: %s", target, pair->server.status,
       expected, pair->server.why);
    ok(pair->server.why[0] && !pair->server.done, "why");
    if (client) {
        ok(pair->server.token_size, "a KRB-ERROR");
        side_run(&pair->client, KERBEROS_CALL_INITIATE, target, &pair->server, 0);
        ok(pair->client.status == client, "client %#x, not %#x: %s", pair->client.status, client,
           pair->client.why);
    }
    side_leg(&pair->server, KERBEROS_CALL_ACCEPT, "", (const uint8_t *)"more", 4, 0);
    ok(pair->server.status == SEC_E_INVALID_HANDLE, "no further leg");
    struct kerberos_call_facts facts = {.context = pair->server.context};
    ok(half(KERBEROS_CALL_FACTS, &facts) == SEC_E_INVALID_HANDLE, "no facts");
    pair_free(pair);
}

static void keys(void)
{
    const status_t client = SEC_E_WRONG_PRINCIPAL;
    server_fails("nokey/localhost", 0, SEC_E_LOGON_DENIED, client);
    uint64_t host = acquired(CALL_USE_ACCEPT, "host/localhost", NULL);
    server_fails(SERVICE, host, SEC_E_LOGON_DENIED, client);
    credential_end(host);
    environment("KRB5_KTNAME", "FILE:", "wrong-keytab");
    server_fails(SERVICE, 0, SEC_E_LOGON_DENIED, client);
    environment("KRB5_KTNAME", "FILE:", "none");
    server_fails(SERVICE, 0, SEC_E_NO_CREDENTIALS, 0);
    acquire_fails(CALL_USE_ACCEPT, "", NULL, SEC_E_NO_CREDENTIALS);
    environment_usual();
    leaks_ignore(true); /* the library forgets the name */
    acquire_fails(CALL_USE_ACCEPT, "nokey/localhost", NULL, SEC_E_NO_CREDENTIALS);
    leaks_ignore(false);
    acquire_fails(CALL_USE_ACCEPT, SERVICE, "password", SEC_E_NO_CREDENTIALS);
}

static void other_side(void)
{
    uint64_t server = acquired(CALL_USE_ACCEPT, "", NULL);
    struct pair *pair = pair_new(SERVICE, USUAL_FLAGS);
    pair->client.credential = server;
    pair_run(pair);
    ok(pair->client.status == SEC_E_NO_CREDENTIALS, "%#x", pair->client.status);
    pair_free(pair);
    credential_end(server);
}

/* A server's first leg with a token; the status. */
static status_t accepted(const uint8_t *token, size_t size, char why[CALL_WHY_SIZE])
{
    static struct side server;
    memset(&server, 0, sizeof(server));
    side_leg(&server, KERBEROS_CALL_ACCEPT, "", token, size, 0);
    memcpy(why, server.why, CALL_WHY_SIZE);
    status_t status = server.status;
    side_end(&server);
    return status;
}

static void replays(void)
{
    char why[CALL_WHY_SIZE];
    struct pair *pair = pair_make(SERVICE, CALL_INTEGRITY, 0);
    status_t status = accepted(pair->client.token, pair->client.token_size, why);
    ok(status == SEC_E_LOGON_DENIED, "%#x %s", status, why);
    pair_free(pair);
}

static void clocks(void)
{
    char why[CALL_WHY_SIZE];
    struct pair *pair = pair_new(SERVICE, CALL_INTEGRITY);
    side_leg(&pair->client, KERBEROS_CALL_INITIATE, SERVICE, NULL, 0, 0);
    environment("KRB5_CONFIG", "", "skew.conf");
    usleep(3100000);
    status_t status = accepted(pair->client.token, pair->client.token_size, why);
    ok(status == SEC_E_TIME_SKEW, "%#x %s", status, why);
    environment_usual();
    pair_free(pair);
}

/* ---- damaged tokens ---- */

static bool is_refusal(status_t status)
{
    return status == SEC_E_INVALID_TOKEN || status == SEC_E_LOGON_DENIED ||
           status == SEC_E_MESSAGE_ALTERED || status == SEC_E_BAD_BINDINGS;
}

static void strangers(void)
{
    static const char *const tokens[] = {
        "",
        "60",
        "4e544c4d53535000 01000000 00000000",
        "6028 0606 2b0601050502 a01e301c a00d300b 06092a864886f712010202 a20b0409 "
        "4e544c4d5353500001",
        "600b 0609 2a864886f712010203",
        "600f 060a 2a864886f71201020203 0400 00",
        "6e03 020105",
        "6084 ffffffff 0609 2a864886f712010202 0100",
    };
    char why[CALL_WHY_SIZE];
    for (size_t i = 0; i < sizeof(tokens) / sizeof(*tokens); i++) {
        struct slice token = hex(tokens[i]);
        status_t status = accepted(token.data, token.size, why);
        ok(status == SEC_E_INVALID_TOKEN, "%s: %#x %s", tokens[i], status, why);
    }
}

/* Bits that nobody protects make no difference, so what comes through is few. */
static void damaged_requests(void)
{
    char why[CALL_WHY_SIZE];
    unsigned through = 0;
    struct pair *pair = pair_new(SERVICE, CALL_INTEGRITY);
    side_leg(&pair->client, KERBEROS_CALL_INITIATE, SERVICE, NULL, 0, 0);
    size_t size = pair->client.token_size;
    for (size_t i = 0; i < size; i++) {
        status_t status = accepted(pair->client.token, i, why);
        ok(is_refusal(status), "%zu bytes: %#x %s", i, status, why);
        pair->client.token[i] ^= 0x11;
        status = accepted(pair->client.token, size, why);
        pair->client.token[i] ^= 0x11;
        through += status_ok(status);
        ok(status_ok(status) || is_refusal(status) || status == SEC_E_NO_CREDENTIALS,
           "byte %zu: %#x %s", i, status, why);
    }
    ok(through <= 8, "%u changed tokens were accepted", through);
    pair_free(pair);
}

static void damaged_answers(void)
{
    struct pair *pair = pair_make(SERVICE, USUAL_FLAGS, 0);
    size_t size = pair->server.token_size;
    uint8_t *token = pair->server.token;
    for (size_t i = 0; i < size; i += 4) {
        struct pair *other = pair_new(SERVICE, USUAL_FLAGS);
        side_leg(&other->client, KERBEROS_CALL_INITIATE, SERVICE, NULL, 0, 0);
        side_leg(&other->server, KERBEROS_CALL_ACCEPT, "", other->client.token,
                 other->client.token_size, 0);
        other->server.token[i % other->server.token_size] ^= 0x11;
        side_leg(&other->client, KERBEROS_CALL_INITIATE, SERVICE, other->server.token,
                 other->server.token_size, 0);
        ok(!status_ok(other->client.status), "byte %zu: %#x", i, other->client.status);
        pair_free(other);
    }
    /* One that belongs to another exchange. */
    struct pair *other = pair_new(SERVICE, USUAL_FLAGS);
    side_leg(&other->client, KERBEROS_CALL_INITIATE, SERVICE, NULL, 0, 0);
    side_leg(&other->client, KERBEROS_CALL_INITIATE, SERVICE, token, size, 0);
    ok(other->client.status == SEC_E_MUTUAL_AUTH_FAILED ||
           other->client.status == SEC_E_WRONG_PRINCIPAL,
       "%#x %s", other->client.status, other->client.why);
    pair_free(other);
    pair_free(pair);
}

int main(void)
{
    struct kerberos_call_library call = {0};
    snprintf(call.name, sizeof(call.name), "%s", getenv("GSS_LIBRARY"));
    if (half(KERBEROS_CALL_LIBRARY, &call)) printf("%s\n", call.why);
    RUN(no_tickets);
    RUN(passwords);
    RUN(other_side);
    RUN(strangers);
    /* Heimdal reads its configuration once, guesses realms, keeps no record of replays, and leaves
     * more of an answer to chance. */
    if (is_mit()) {
        RUN(no_kdc);
        RUN(targets);
        RUN(keys);
        RUN(replays);
        RUN(clocks); /* which waits until those tickets have run out */
        RUN(expired_tickets);
        RUN(damaged_requests);
        RUN(damaged_answers);
    }
    return test_end("kdc_errors");
}
