/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half of ssp_kerberos over a KDC: credentials, exchanges in all modes, what they have
 * settled, messages that stay with the library, and many threads. See kerberos.h for where it runs.
 */
#include "kerberos.h"

#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

extern unixcall_function *const __wine_unix_call_wow64_funcs[];

static void library(void)
{
    struct kerberos_call_library call = {0};
    snprintf(call.name, sizeof(call.name), "%s", getenv("GSS_LIBRARY"));
    ok(half(KERBEROS_CALL_LIBRARY, &call) == SEC_E_OK, "%s", call.why);
    ok(!strcmp(call.name, getenv("GSS_LIBRARY")), "%s", call.name);
    ok(call.tickets == is_mit(), "tickets %u", call.tickets);
    snprintf(call.name, sizeof(call.name), "libm.so.6");
    ok(half(KERBEROS_CALL_LIBRARY, &call) == SEC_E_OK, "%s", call.why);
    ok(!strcmp(call.name, getenv("GSS_LIBRARY")), "the first call settles it, not %s", call.name);
    for (int i = 0; i <= KERBEROS_CALL_PASSWORD; i++)
        ok(__wine_unix_call_wow64_funcs[i] == __wine_unix_call_funcs[i], "call %d", i);
}

/* ---- credentials ---- */

static bool soon(uint64_t when, uint64_t from, uint64_t to)
{
    uint64_t now = (uint64_t)time(NULL);
    return when >= now + from && when <= now + to;
}

static void credentials(void)
{
    static const struct {
        uint32_t use;
        const char *principal, *password, *name;
        bool expires;
    } table[] = {
        {CALL_USE_INITIATE, "", NULL, "alice" REALM, true},
        {CALL_USE_INITIATE, "alice", NULL, "alice" REALM, true},
        {CALL_USE_INITIATE, "bob", "bob's", "bob" REALM, true},
        {CALL_USE_INITIATE, "bob" REALM, "bob's", "bob" REALM, true},
        {CALL_USE_ACCEPT, "", NULL, "", false},
        {CALL_USE_ACCEPT, SERVICE, NULL, SERVICE REALM, false},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        status_t status;
        struct kerberos_call_credential_acquire call = acquire(table[i].use, table[i].principal,
                                                               table[i].password, &status);
        ok(status == SEC_E_OK && call.credential, "%zu: %#x %s", i, status, call.why);
        ok(is_text(call.name, call.name_size, table[i].name), "%zu: %.*s", i, (int)call.name_size,
           call.name);
        ok(table[i].expires ? soon(call.expiry, 35000, 36001) : !call.expiry, "%zu: expiry %llu", i,
           (unsigned long long)call.expiry);
        if (call.credential) credential_end(call.credential);
    }
}

/* ---- exchanges ---- */

static void sessions_agree(const struct pair *pair, uint32_t enctype)
{
    struct kerberos_call_session client = side_session(&pair->client),
                                 server = side_session(&pair->server);
    ok(client.enctype == enctype && server.enctype == enctype, "enctype %u", client.enctype);
    ok(client.key_size == server.key_size && client.key_size >= 16 &&
           !memcmp(client.key, server.key, CALL_KEY_MAX),
       "keys");
    ok(client.acceptor_subkey == server.acceptor_subkey, "subkeys");
    ok(client.send_sequence == server.receive_sequence, "to the server");
    ok(client.receive_sequence == server.send_sequence, "to the client");
}

static void facts_agree(const struct pair *pair, const char *client_name)
{
    struct kerberos_call_facts client = side_facts(&pair->client),
                               server = side_facts(&pair->server);
    ok(is_text(client.client, client.client_size, client_name), "client %.*s",
       (int)client.client_size, client.client);
    ok(is_text(server.client, server.client_size, client_name), "client %.*s",
       (int)server.client_size, server.client);
    ok(is_text(client.server, client.server_size, SERVICE REALM), "server %.*s",
       (int)client.server_size, client.server);
    ok(is_text(server.server, server.server_size, SERVICE REALM), "server %.*s",
       (int)server.server_size, server.server);
    ok(client.key_size && client.key_size == server.key_size &&
           client.key_enctype == server.key_enctype &&
           !memcmp(client.key, server.key, CALL_KEY_MAX),
       "session key");
    ok(client.expiry == server.expiry && soon(client.expiry, 34000, 36001), "expiry %llu %llu",
       (unsigned long long)client.expiry, (unsigned long long)server.expiry);
    ok(!server.start ||
           (server.start <= (uint64_t)time(NULL) && server.start + 600 > server.expiry - 36000),
       "start %llu", (unsigned long long)server.start);
}

#define PROTECTION (CALL_CONFIDENTIALITY | CALL_INTEGRITY)

static void exchanges(void)
{
    static const struct {
        const char *target;
        uint32_t asked, granted;
        unsigned client_legs, server_legs;
    } table[] = {
        {SERVICE, USUAL_FLAGS, USUAL_FLAGS, 2, 1},
        {SERVICE REALM, USUAL_FLAGS, USUAL_FLAGS, 2, 1},
        {SERVICE, CALL_INTEGRITY, CALL_INTEGRITY, 1, 1},
        {SERVICE, CALL_MUTUAL, CALL_MUTUAL, 2, 1},
        {SERVICE, USUAL_FLAGS | CALL_DCE_STYLE, USUAL_FLAGS | CALL_DCE_STYLE, 2, 2},
        {SERVICE, USUAL_FLAGS | CALL_IDENTIFY | CALL_EXTENDED_ERROR,
         USUAL_FLAGS | CALL_IDENTIFY | CALL_EXTENDED_ERROR, 2, 1},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
        struct pair *pair = pair_make(table[i].target, table[i].asked, 0);
        ok((pair->client.flags & table[i].granted) == table[i].granted, "%zu: client %#x", i,
           pair->client.flags);
        ok((pair->server.flags & table[i].granted) == table[i].granted, "%zu: server %#x", i,
           pair->server.flags);
        ok(!((pair->client.flags | pair->server.flags) & PROTECTION & ~table[i].asked),
           "%zu: no protection that was not asked for: client %#x, server %#x", i,
           pair->client.flags, pair->server.flags);
        ok(pair->client.legs == table[i].client_legs && pair->server.legs == table[i].server_legs,
           "%zu: legs %u %u", i, pair->client.legs, pair->server.legs);
        ok(!pair->server.delegated, "%zu: nothing is delegated", i);
        facts_agree(pair, "alice" REALM);
        sessions_agree(pair, 18);
        pair_free(pair);
    }
}

static void rooms(void)
{
    for (size_t room = 1; room < 100; room += 90) {
        struct pair *pair = pair_new(SERVICE, USUAL_FLAGS | CALL_DCE_STYLE);
        pair->room = room;
        ok(pair_run(pair), "client %#x %s, server %#x %s", pair->client.status, pair->client.why,
           pair->server.status, pair->server.why);
        sessions_agree(pair, 18);
        pair_free(pair);
    }
}

static void explicit_credentials(void)
{
    uint64_t bob = acquired(CALL_USE_INITIATE, "bob", "bob's");
    uint64_t service = acquired(CALL_USE_ACCEPT, SERVICE, NULL);
    for (int i = 0; i < 3; i++) {
        struct pair *pair = pair_new(SERVICE, USUAL_FLAGS);
        pair->client.credential = bob;
        pair->server.credential = service;
        ok(pair_run(pair), "client %#x %s, server %#x %s", pair->client.status, pair->client.why,
           pair->server.status, pair->server.why);
        facts_agree(pair, "bob" REALM);
        pair_free(pair);
    }
    credential_end(bob);
    credential_end(service);
}

/* Puts a copy of a cache into the place of another, as kinit does. */
static void cache_replace(const char *from, const char *to)
{
    char bytes[8192];
    FILE *in = fopen(kdc_file("", from), "rb"), *out = fopen(kdc_file("", "new"), "wb");
    size_t size = in ? fread(bytes, 1, sizeof(bytes), in) : 0;
    ok(size && size < sizeof(bytes) && out && fwrite(bytes, 1, size, out) == size, "copy %s", from);
    if (in) fclose(in);
    if (out) fclose(out);
    ok(!chmod(kdc_file("", "new"), 0600), "as private as Heimdal wants it");
    ok(!rename(kdc_file("", "new"), kdc_file("", to)), "put %s", to);
}

/* Several, so that what is remembered is used. */
static void exchange_as(const char *name)
{
    for (int i = 0; i < 4; i++) {
        struct pair *pair = pair_make(SERVICE, USUAL_FLAGS, 0);
        facts_agree(pair, name);
        pair_free(pair);
    }
}

/* The one who logs on later is the one who is meant, and the one who logs off is not. */
static void new_tickets(void)
{
    environment("KRB5CCNAME", "FILE:", "tickets-bob");
    exchange_as("bob" REALM);
    environment_usual();
    exchange_as("alice" REALM);
    environment("KRB5CCNAME", "", "moving"); /* a file's name alone serves, too */
    for (int i = 0; i < 2; i++) {
        cache_replace("tickets", "moving");
        exchange_as("alice" REALM);
        cache_replace("tickets-bob", "moving");
        exchange_as("bob" REALM);
    }
    ok(!remove(kdc_file("", "moving")), "log off");
    struct pair *pair = pair_new(SERVICE, USUAL_FLAGS);
    pair_run(pair);
    ok(pair->client.status == SEC_E_NO_CREDENTIALS, "%#x", pair->client.status);
    pair_free(pair);
    environment_usual();
}

/* A ticket that is fetched goes to the cache of the user, where others find it. */
static void fetched_tickets(void)
{
    cache_replace("tickets-bob", "moving");
    environment("KRB5CCNAME", "FILE:", "moving");
    struct pair *pair = pair_make(SERVICE, USUAL_FLAGS, 0);
    pair_free(pair);
    struct stat before, after;
    ok(!stat(kdc_file("", "moving"), &before), "a cache");
    exchange_as("bob" REALM);
    pair = pair_make("host/localhost", USUAL_FLAGS, 0);
    pair_free(pair);
    ok(!stat(kdc_file("", "moving"), &after) && after.st_size > before.st_size, "a ticket more");
    environment_usual();
}

/* Who is meant by name is looked for again when the cache that was found is gone. */
static void moved_tickets(void)
{
    char name[256];
    ok(!mkdir(kdc_file("", "caches"), 0700), "a collection");
    cache_replace("tickets", "caches/tkt1");
    environment("KRB5CCNAME", "DIR:", "caches");
    uint64_t alice = acquired(CALL_USE_INITIATE, "alice", NULL);
    struct pair *pair = pair_make(SERVICE, USUAL_FLAGS, alice);
    pair_free(pair);
    snprintf(name, sizeof(name), "%s", kdc_file("", "caches/tkt2"));
    ok(!rename(kdc_file("", "caches/tkt1"), name), "log off and on");
    pair = pair_new(SERVICE, USUAL_FLAGS);
    pair->client.credential = alice;
    pair_run(pair);
    pair_free(pair);
    pair = pair_make(SERVICE, USUAL_FLAGS, alice);
    pair_free(pair);
    credential_end(alice);
    environment_usual();
}

static void delegation(void)
{
    struct pair *pair = pair_make(SERVICE, USUAL_FLAGS | CALL_DELEGATE, 0);
    ok(pair->server.flags & CALL_DELEGATE, "flags %#x", pair->server.flags);
    ok(pair->server.delegated, "a credential came along");
    struct pair *second = pair_make("host/localhost", USUAL_FLAGS, pair->server.delegated);
    struct kerberos_call_facts facts = side_facts(&second->server);
    /* MIT's are tickets in a cache of ours, which several threads can use at a time. */
    struct kerberos_call_tickets tickets = {.credential = pair->server.delegated};
    status_t status = half(KERBEROS_CALL_TICKETS, &tickets);
    ok(status == (is_mit() ? SEC_E_BUFFER_TOO_SMALL : SEC_E_UNSUPPORTED_FUNCTION), "tickets: %#x",
       status);
    ok(is_text(facts.client, facts.client_size, "alice" REALM), "client %.*s",
       (int)facts.client_size, facts.client);
    pair_free(second);
    pair_free(pair);
}

static void impersonation(void)
{
    environment("KRB5CCNAME", "FILE:", "tickets-service");
    struct kerberos_call_credential_acquire call = {
        .principal = unixcall_slice(ascii("bob")),
        .impersonator = acquired(CALL_USE_INITIATE, "", NULL),
        .use = CALL_USE_INITIATE,
    };
    status_t status = half(KERBEROS_CALL_CREDENTIAL_ACQUIRE, &call);
    ok(status == SEC_E_OK, "%#x %s", status, call.why);
    ok(is_text(call.name, call.name_size, "bob" REALM), "%.*s", (int)call.name_size, call.name);
    credential_end(call.impersonator);
    if (call.credential) {
        struct pair *pair = pair_make(SERVICE, USUAL_FLAGS, call.credential);
        facts_agree(pair, "bob" REALM);
        pair_free(pair);
        credential_end(call.credential);
    }
    environment_usual();
}

static void other_keys(void)
{
    environment("KRB5_CONFIG", "", "rc4-hmac.conf");
    environment("KRB5CCNAME", "FILE:", "tickets-rc4-hmac");
    struct pair *pair = pair_make("rc4-hmac/localhost", USUAL_FLAGS, 0);
    ok(side_facts(&pair->client).key_enctype == 23, "a key of RC4");
    sessions_agree(pair, 23);
    pair_free(pair);
    environment_usual();
}

/* ---- channel bindings ---- */

static struct call_bindings binding_of(const char *text)
{
    return (struct call_bindings){.application_data = unixcall_slice(ascii(text)), .given = 1};
}

static void bindings(void)
{
    static const struct {
        const char *client, *server; /* NULL for none */
        status_t status;
        bool bound;
    } table[] = {
        {"tls-endpoint", "tls-endpoint", SEC_E_OK, true},
        {"tls-endpoint", "tls-other", SEC_E_BAD_BINDINGS, false},
        {NULL, "tls-endpoint", SEC_E_OK, false},
        {"tls-endpoint", NULL, SEC_E_OK, false},
        {"", "tls-endpoint", SEC_E_BAD_BINDINGS, false},
        {"", "", SEC_E_OK, true},
        {NULL, "", SEC_E_OK, false},
    };
    for (size_t row = 0; row < 2 * sizeof(table) / sizeof(*table); row++) {
        struct pair *pair = pair_new(SERVICE, USUAL_FLAGS);
        size_t i = row / 2;
        bool told = row % 2;
        if (table[i].client) pair->client.bindings = binding_of(table[i].client);
        if (table[i].server) pair->server.bindings = binding_of(table[i].server);
        if (told) pair->server.asked = CALL_CHANNEL_TOLD;
        pair_run(pair);
        ok(pair->server.status == table[i].status, "%zu: %#x %s", i, pair->server.status,
           pair->server.why);
        if (is_mit())
            ok(!!(pair->server.flags & 0x800) == table[i].bound, "%zu: flags %#x", i,
               pair->server.flags);
        ok(!!(pair->server.flags & CALL_CHANNEL_TOLD) == (told && is_mit()), "%zu: told %#x", i,
           pair->server.flags);
        pair_free(pair);
    }
}

/* ---- messages of the library ---- */

static status_t protect(const struct side *side, enum call_protect operation,
                        struct call_buffer *buffers, uint32_t count, uint32_t *encrypt)
{
    struct kerberos_call_protect call = {
        .context = side->context,
        .buffers = unixcall_address(buffers),
        .count = count,
        .operation = operation,
        .encrypt = *encrypt,
    };
    status_t status = half(KERBEROS_CALL_PROTECT, &call);
    *encrypt = call.encrypt;
    return status;
}

static struct call_buffer buffer(enum call_buffer_kind kind, void *data, size_t size)
{
    return (struct call_buffer){unixcall_address(data), size, kind, 0};
}

static void wrapped(const struct side *from, const struct side *to, uint32_t encrypt, bool stream)
{
    uint8_t message[512], text[] = "some text", header[] = "signed";
    uint32_t back = 0;
    struct call_buffer sizes[] = {
        buffer(CALL_BUFFER_TOKEN, NULL, 0),
        buffer(CALL_BUFFER_SIGNED, header, sizeof(header)),
        buffer(CALL_BUFFER_DATA, text, sizeof(text)),
        buffer(CALL_BUFFER_PADDING, NULL, 0),
    };
    ok(protect(from, CALL_WRAP, sizes, 4, &encrypt) == SEC_E_OK, "sizes");
    ok(sizes[0].size >= 16 && sizes[0].size < 128 && sizes[3].size < 32, "%llu, %llu",
       (unsigned long long)sizes[0].size, (unsigned long long)sizes[3].size);
    size_t token = (size_t)sizes[0].size;
    memcpy(message + token, text, sizeof(text));
    struct call_buffer parts[] = {
        buffer(CALL_BUFFER_TOKEN, message, token - 1),
        buffer(CALL_BUFFER_DATA, message + token, sizeof(text)),
        buffer(CALL_BUFFER_PADDING, message + token + sizeof(text), (size_t)sizes[3].size),
        buffer(CALL_BUFFER_SIGNED, header, sizeof(header)),
    };
    uint32_t count = stream ? 3 : 4;
    ok(protect(from, CALL_WRAP, parts, count, &encrypt) == SEC_E_BUFFER_TOO_SMALL, "too small");
    ok(parts[0].size == token, "and says so: %llu", (unsigned long long)parts[0].size);
    ok(protect(from, CALL_WRAP, parts, count, &encrypt) == SEC_E_OK, "wrap");
    ok(encrypt == !!memcmp(message + token, text, sizeof(text)), "encrypted");
    if (!stream) {
        ok(protect(to, CALL_UNWRAP, parts, count, &back) == SEC_E_OK, "unwrap");
        ok(!memcmp(message + token, text, sizeof(text)), "the text is back");
    } else {
        struct call_buffer whole[] = {
            buffer(CALL_BUFFER_STREAM, message, token + sizeof(text) + (size_t)parts[2].size),
            buffer(CALL_BUFFER_DATA, NULL, 0),
        };
        ok(protect(to, CALL_UNWRAP, whole, 2, &back) == SEC_E_OK, "unwrap a stream");
        ok(same(view(unixcall_pointer(whole[1].data), (size_t)whole[1].size),
                view(text, sizeof(text))),
           "the text is back");
    }
    ok(back == encrypt, "encrypted: %u", back);
}

static void signed_message(const struct side *from, const struct side *to)
{
    uint8_t first[] = "one", second[] = "two", token[128];
    uint32_t none = 0;
    struct call_buffer parts[] = {
        buffer(CALL_BUFFER_DATA, first, sizeof(first)),
        buffer(CALL_BUFFER_TOKEN, token, 4),
        buffer(CALL_BUFFER_SIGNED, second, sizeof(second)),
    };
    ok(protect(from, CALL_SIGN, parts, 3, &none) == SEC_E_BUFFER_TOO_SMALL, "too small");
    parts[1].size = sizeof(token);
    ok(protect(from, CALL_SIGN, parts, 3, &none) == SEC_E_OK, "sign");
    second[0] ^= 1;
    ok(protect(to, CALL_VERIFY, parts, 3, &none) == SEC_E_MESSAGE_ALTERED, "altered");
    second[0] ^= 1;
}

static void camellia_messages(const struct pair *pair)
{
    uint8_t text[] = "some text", token[128];
    uint32_t none = 0;
    struct call_buffer parts[] = {
        buffer(CALL_BUFFER_DATA, text, sizeof(text)),
        buffer(CALL_BUFFER_TOKEN, token, sizeof(token)),
    };
    for (int i = 0; i < 2; i++) {
        wrapped(&pair->client, &pair->server, 1, i);
        wrapped(&pair->server, &pair->client, 1, i);
        wrapped(&pair->client, &pair->server, 0, i);
    }
    ok(protect(&pair->client, CALL_SIGN, parts, 2, &none) == SEC_E_OK, "sign");
    ok(protect(&pair->server, CALL_VERIFY, parts, 2, &none) == SEC_E_OK, "verify");
    ok(protect(&pair->server, CALL_VERIFY, parts, 2, &none) == SEC_E_OUT_OF_SEQUENCE, "again");
    signed_message(&pair->client, &pair->server);
}

static void camellia(void)
{
    environment("KRB5_CONFIG", "", "camellia256-cts.conf");
    environment("KRB5CCNAME", "FILE:", "tickets-camellia256-cts");
    struct pair *pair = pair_make("camellia256-cts/localhost", USUAL_FLAGS, 0);
    struct kerberos_call_session call = {.context = pair->client.context};
    ok(half(KERBEROS_CALL_SESSION, &call) == SEC_E_UNSUPPORTED_FUNCTION, "keys stay: %s", call.why);
    ok(side_facts(&pair->client).key_enctype == 26, "enctype %u",
       side_facts(&pair->client).key_enctype);
    camellia_messages(pair);
    pair_free(pair);
    environment_usual();
}

/* ---- threads ---- */

static void *exchange_many(void *credential)
{
    for (int i = 0; i < 20; i++) {
        struct pair *pair = pair_new(SERVICE, USUAL_FLAGS);
        pair->client.credential = *(uint64_t *)credential;
        if (!pair_run(pair)) return pair;
        side_session(&pair->client);
        side_session(&pair->server);
        pair_free(pair);
    }
    return NULL;
}

static void threads(void)
{
    pthread_t all[8];
    uint64_t credential[2] = {0, acquired(CALL_USE_INITIATE, "bob", "bob's")};
    for (int i = 0; i < 8; i++) pthread_create(&all[i], NULL, exchange_many, &credential[i % 2]);
    for (int i = 0; i < 8; i++) {
        void *failed;
        pthread_join(all[i], &failed);
        struct pair *pair = failed;
        if (!pair) continue;
        ok(false, "client %#x %s, server %#x %s", pair->client.status, pair->client.why,
           pair->server.status, pair->server.why);
        pair_free(pair);
    }
    credential_end(credential[1]);
}

int main(void)
{
    RUN(library);
    RUN(credentials);
    RUN(exchanges);
    RUN(rooms);
    RUN(explicit_credentials);
    RUN(new_tickets);
    RUN(fetched_tickets);
    RUN(delegation);
    RUN(bindings);
    RUN(threads);
    if (is_mit()) { /* Heimdal has none of these, or other keys and collections */
        RUN(moved_tickets);
        RUN(impersonation);
        RUN(other_keys);
        RUN(camellia);
    }
    return test_end("kdc_exchange");
}
