/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half of ssp_kerberos where a service acts for its client (MS-SFU): over a KDC that lets
 * HTTP/localhost do so at back/localhost, and at no other. See kerberos.h for where it runs.
 *
 * Heimdal's KDC takes no other evidence than tickets that the service has got itself (S4U2self).
 * Here a client comes with one: to the half it is a client's ticket like another.
 */
#include "kerberos.h"

#include <pthread.h>

#define BACK "back/localhost"
#define CLOSED "closed/localhost"

/* Somebody who is not there at all (S4U2self), by whatever the service has. The environment is the
 * usual one afterwards. */
static uint64_t impersonated(const char *principal)
{
    struct kerberos_call_credential_acquire call = {
        .principal = unixcall_slice(ascii(principal)),
        .impersonator = acquired(CALL_USE_INITIATE, "", NULL),
        .use = CALL_USE_INITIATE,
    };
    status_t status = half(KERBEROS_CALL_CREDENTIAL_ACQUIRE, &call);
    ok(status == SEC_E_OK && call.credential, "%#x %s", status, call.why);
    credential_end(call.impersonator);
    environment_usual();
    return call.credential;
}

/* The same by the service's tickets. */
static uint64_t absent(const char *principal)
{
    environment("KRB5CCNAME", "FILE:", "tickets-service");
    return impersonated(principal);
}

/* A client's first token, once the service has accepted it; free it. */
static uint8_t *evidence_of(uint64_t credential, size_t *size)
{
    struct pair *pair = pair_new(SERVICE, USUAL_FLAGS);
    pair->client.credential = credential;
    side_run(&pair->client, KERBEROS_CALL_INITIATE, SERVICE, &pair->server, 0);
    *size = pair->client.token_size;
    uint8_t *token = exact_copy(pair->client.token, *size);
    side_run(&pair->server, KERBEROS_CALL_ACCEPT, "", &pair->client, 0);
    ok(status_ok(pair->server.status) && *size, "%#x %s", pair->server.status, pair->server.why);
    ok(!pair->server.delegated && !(pair->server.flags & CALL_DELEGATE), "nothing came along");
    pair_free(pair);
    return token;
}

static uint8_t *evidence_of_bob(size_t *size)
{
    uint64_t bob = absent("bob");
    uint8_t *token = evidence_of(bob, size);
    credential_end(bob);
    return token;
}

static struct kerberos_call_credential_acquire act(struct slice evidence, status_t *status)
{
    struct kerberos_call_credential_acquire call = {
        .evidence = unixcall_slice(evidence),
        .use = CALL_USE_INITIATE,
    };
    *status = half(KERBEROS_CALL_CREDENTIAL_ACQUIRE, &call);
    return call;
}

static status_t reach(uint64_t credential, const char *target, const char *client)
{
    struct pair *pair = pair_new(target, USUAL_FLAGS);
    pair->client.credential = credential;
    pair_run(pair);
    status_t status = pair->client.status;
    if (status_ok(status)) {
        struct kerberos_call_facts facts = side_facts(&pair->server);
        ok(is_text(facts.client, facts.client_size, client), "client %.*s", (int)facts.client_size,
           facts.client);
    } else {
        ok(pair->client.why[0], "it says why");
    }
    pair_free(pair);
    return status;
}

static void proxy(void)
{
    size_t size;
    status_t status;
    uint8_t *token = evidence_of_bob(&size);
    struct kerberos_call_credential_acquire call = act(view(token, size), &status);
    free(token);
    if (!ok(status == SEC_E_OK && call.credential, "%#x %s", status, call.why)) return;
    ok(is_text(call.name, call.name_size, "bob" REALM), "%.*s", (int)call.name_size, call.name);
    ok(call.expiry, "it runs out");
    for (int i = 0; i < 3; i++) {
        status = reach(call.credential, BACK, "bob" REALM);
        ok(status == SEC_E_OK, "%d: %#x", i, status);
        status = reach(call.credential, CLOSED, "bob" REALM);
        ok(status == SEC_E_NO_CREDENTIALS, "%d: not allowed: %#x", i, status);
    }
    ok(reach(call.credential, "nobody/localhost", "") == SEC_E_TARGET_UNKNOWN, "unknown service");
    credential_end(call.credential);
}

/* The KDC is asked, and says no. */
static void not_forwardable(void)
{
    size_t size;
    status_t status;
    environment("KRB5CCNAME", "FILE:", "tickets-plain");
    uint8_t *token = evidence_of(0, &size);
    environment_usual();
    struct kerberos_call_credential_acquire call = act(view(token, size), &status);
    free(token);
    if (!ok(status == SEC_E_OK && call.credential, "%#x %s", status, call.why)) return;
    status = reach(call.credential, BACK, "alice" REALM);
    ok(status == SEC_E_NO_CREDENTIALS, "%#x", status);
    credential_end(call.credential);
}

static void no_evidence(void)
{
    static const char *const texts[] = {"x", "\x60\x02\x06\x00", "n\x82"};
    size_t size;
    status_t status;
    uint8_t *token = evidence_of(0, &size);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        act(ascii(texts[i]), &status);
        ok(status == SEC_E_INVALID_TOKEN, "%zu: %#x", i, status);
    }
    for (size_t left = 1; left < size; left += 37) {
        uint8_t *part = exact_copy(token, left);
        struct kerberos_call_credential_acquire call = act(view(part, left), &status);
        ok(left > 600 ? call.credential || status == SEC_E_INVALID_TOKEN
                      : status == SEC_E_INVALID_TOKEN,
           "%zu: %#x", left, status);
        if (call.credential) credential_end(call.credential);
        free(part);
    }
    environment("KRB5_KTNAME", "FILE:", "no-keys");
    struct kerberos_call_credential_acquire call = act(view(token, size), &status);
    ok(status == SEC_E_NO_CREDENTIALS && call.why[0], "no key: %#x", status);
    environment_usual();
    free(token);
}

/* A service without a cache: what its keys give is the library's to get. */
static void client_keytab(void)
{
    environment("KRB5CCNAME", "MEMORY:", "none");
    environment("KRB5_CLIENT_KTNAME", "FILE:", "keytab");
    uint64_t bob = impersonated("bob");
    if (!bob) return;
    status_t status = reach(bob, BACK, "bob" REALM);
    ok(status == SEC_E_OK, "%#x", status);
    credential_end(bob);
}

/* The same without another ticket of the client's in between. */
static void transition(void)
{
    uint64_t bob = absent("bob");
    status_t status = reach(bob, BACK, "bob" REALM);
    ok(status == SEC_E_OK, "%#x", status);
    status = reach(bob, CLOSED, "bob" REALM);
    ok(status == SEC_E_NO_CREDENTIALS, "not allowed: %#x", status);
    credential_end(bob);
}

static void *act_many(void *argument)
{
    struct slice *evidence = argument;
    void *failed = NULL;
    for (int i = 0; i < 4; i++) {
        status_t status;
        struct kerberos_call_credential_acquire call = act(*evidence, &status);
        if (!call.credential) failed = argument;
        else credential_end(call.credential);
    }
    return failed;
}

static void threads(void)
{
    pthread_t all[6];
    size_t size;
    uint8_t *token = evidence_of_bob(&size);
    struct slice evidence = view(token, size);
    for (int i = 0; i < 6; i++) pthread_create(&all[i], NULL, act_many, &evidence);
    for (int i = 0; i < 6; i++) {
        void *failed;
        pthread_join(all[i], &failed);
        ok(!failed, "thread %d", i);
    }
    free(token);
}

static void other_library(void)
{
    size_t size;
    status_t status;
    uint8_t *token = evidence_of(0, &size);
    struct kerberos_call_credential_acquire call = act(view(token, size), &status);
    ok(status == SEC_E_NO_CREDENTIALS && call.why[0], "%#x", status);
    free(token);
}

int main(void)
{
    struct kerberos_call_library call = {0};
    snprintf(call.name, sizeof(call.name), "%s", getenv("GSS_LIBRARY"));
    ok(half(KERBEROS_CALL_LIBRARY, &call) == SEC_E_OK, "%s", call.why);
    if (is_mit()) {
        RUN(threads);
        RUN(proxy);
        RUN(not_forwardable);
        RUN(no_evidence);
        RUN(transition);
        RUN(client_keytab);
    } else {
        RUN(other_library);
    }
    return test_end("kdc_proxy");
}
