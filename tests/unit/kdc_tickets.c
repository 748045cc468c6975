/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tickets and passwords in the Unix half of ssp_kerberos, with a KDC that unit_kerberos_tickets.sh
 * has started: alice has tickets in the cache of the environment, her password is "one", bob's is
 * "two", barn is a service. Bob's new passwords need eight characters.
 */
#include "unix.h"

#include "core/kerberos_ticket.h"
#include "unit.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static status_t call(enum kerberos_call number, void *params)
{
    return __wine_unix_call_funcs[number](params);
}

static struct unixcall_bytes bytes(const char *text)
{
    return unixcall_slice(ascii(text));
}

#define REALM "WINESSPI.TEST"

/* ---- what there is ---- */

static uint8_t room[65536], list_room[65536];

static uint32_t count(uint64_t credential)
{
    struct kerberos_call_tickets list = {
        .credential = credential, .output = unixcall_address(list_room), .room = sizeof(list_room)};
    ok(call(KERBEROS_CALL_TICKETS, &list) == SEC_E_OK, "list: %s", list.why);
    return list.count;
}

static void listed(void)
{
    struct kerberos_call_tickets list = {.output = unixcall_address(room)};
    struct kerberos_ticket ticket;
    struct reader r;
    ok(call(KERBEROS_CALL_TICKETS, &list) == SEC_E_BUFFER_TOO_SMALL && list.count == 1 && list.size,
       "its size");
    list.room = list.size;
    ok(call(KERBEROS_CALL_TICKETS, &list) == SEC_E_OK && list.size == list.room, "%s", list.why);
    reader_init(&r, room, list.size);
    ok(kerberos_ticket_read(&r, &ticket) && reader_end(&r), "one ticket");
    ok(ticket.client.count == 1 && same(ticket.client.realm, ascii(REALM)) &&
           same(ticket.server.realm, ascii(REALM)) && ticket.server.count == 2,
       "of the granting service");
    ok(ticket.enctype == 18 && ticket.key_enctype == 18 && ticket.end > ticket.start &&
           ticket.flags & 0x00400000,
       "an initial one: types %u, %u, flags %#x", ticket.enctype, ticket.key_enctype, ticket.flags);
    ok(!ticket.encoded.size && !ticket.key.size, "no secret");
}

/* ---- tickets for services ---- */

static status_t retrieve(const char *target, uint32_t flags, uint32_t enctype,
                         struct kerberos_ticket *out)
{
    struct kerberos_call_ticket_retrieve c = {.target = bytes(target),
                                              .output = unixcall_address(room),
                                              .room = sizeof(room),
                                              .flags = flags,
                                              .enctype = enctype};
    struct reader r;
    status_t status = call(KERBEROS_CALL_TICKET_RETRIEVE, &c);
    reader_init(&r, room, c.size);
    if (status_ok(status)) ok(kerberos_ticket_read(&r, out) && reader_end(&r), "a record");
    else ok(!c.size && c.why[0], "said why: %s", c.why);
    return status;
}

static void retrieved(void)
{
    struct kerberos_ticket ticket;
    ok(retrieve("HTTP/barn", CALL_RETRIEVE_CACHED, 0, &ticket) == SEC_E_NO_CREDENTIALS, "not yet");
    ok(retrieve("HTTP/barn", CALL_RETRIEVE_FRESH, 0, &ticket) == SEC_E_OK && count(0) == 1,
       "not kept");
    ok(retrieve("HTTP/barn", 0, 0, &ticket) == SEC_E_OK && count(0) == 2, "kept");
    ok(ticket.encoded.size && ticket.encoded.data[0] == 0x61 && ticket.key.size == 32, "whole");
    ok(retrieve("HTTP/barn", CALL_RETRIEVE_CACHED, 0, &ticket) == SEC_E_OK, "kept");
    ok(retrieve("HTTP/barn", CALL_RETRIEVE_CACHED, 17, &ticket) == SEC_E_NO_CREDENTIALS,
       "none of that type");
    ok(retrieve("HTTP/barn@" REALM, 0, 17, &ticket) == SEC_E_OK && ticket.key_enctype == 17 &&
           ticket.key.size == 16,
       "of that type");
    ok(retrieve("", 0, 0, &ticket) == SEC_E_OK && ticket.flags & 0x00400000, "the granting one");
    ok(retrieve("HTTP/nowhere", 0, 0, &ticket) == SEC_E_TARGET_UNKNOWN, "an unknown service");
    ok(retrieve("a/b@c@d", 0, 0, &ticket) == SEC_E_TARGET_UNKNOWN, "no name at all");
}

/* ---- out and in ---- */

static status_t submit(struct slice message)
{
    struct kerberos_call_ticket_submit c = {.message = unixcall_slice(message)};
    return call(KERBEROS_CALL_TICKET_SUBMIT, &c);
}

static uint32_t purge(const char *server, const char *realm)
{
    struct kerberos_call_tickets_purge c = {.server = bytes(server), .realm = bytes(realm)};
    ok(call(KERBEROS_CALL_TICKETS_PURGE, &c) == SEC_E_OK, "purge: %s", c.why);
    return c.count;
}

static void moved(void)
{
    struct kerberos_ticket ticket;
    struct writer cred;
    ok(retrieve("HTTP/barn", 0, 0, &ticket) == SEC_E_OK, "a ticket");
    writer_init(&cred);
    kerberos_cred_write(&cred, &ticket);
    ok(purge("HTTP/barn", "ELSEWHERE") == 0 && purge("HTTP/barn", "") == 0, "another's");
    ok(purge("http/BARN", REALM) == 2, "both of them, whatever the case");
    ok(count(0) == 1 &&
           retrieve("HTTP/barn", CALL_RETRIEVE_CACHED, 0, &ticket) == SEC_E_NO_CREDENTIALS,
       "it is gone");
    ok(submit(writer_view(&cred)) == SEC_E_OK && count(0) == 2, "it is back");
    ok(retrieve("HTTP/barn", CALL_RETRIEVE_CACHED, 0, &ticket) == SEC_E_OK && ticket.key.size == 32,
       "as good as new");

    for (size_t size = 0; size < cred.size; size += 7) {
        uint8_t *block = exact_copy(cred.data, size);
        ok(submit(view(block, size)) == SEC_E_INVALID_TOKEN, "%zu bytes", size);
        free(block);
    }
    writer_free(&cred);
}

/* Alice's granting ticket leaves, and founds a cache again; bob's does not go there. */
static void whole(void)
{
    struct kerberos_call_credential_acquire bob = {
        .principal = bytes("bob"), .password = bytes("two"), .use = CALL_USE_INITIATE};
    struct kerberos_call_ticket_retrieve c = {.output = unixcall_address(room),
                                              .room = sizeof(room)};
    struct kerberos_ticket ticket;
    struct writer alices, bobs;
    struct reader r;
    writer_init(&alices);
    writer_init(&bobs);
    ok(retrieve("", 0, 0, &ticket) == SEC_E_OK, "alice's");
    kerberos_cred_write(&alices, &ticket);
    ok(call(KERBEROS_CALL_CREDENTIAL_ACQUIRE, &bob) == SEC_E_OK, "bob: %s", bob.why);
    c.credential = bob.credential;
    ok(call(KERBEROS_CALL_TICKET_RETRIEVE, &c) == SEC_E_OK && count(bob.credential) == 1, "bob's");
    reader_init(&r, room, c.size);
    ok(kerberos_ticket_read(&r, &ticket) && same(ticket.client.parts, hex("0300 626f62")), "his");
    kerberos_cred_write(&bobs, &ticket);

    ok(submit(writer_view(&bobs)) == SEC_E_WRONG_PRINCIPAL && count(0) == 2, "not into alice's");
    ok(purge("", "") == 2 && count(0) == 0 && purge("", "") == 0, "nothing is left");
    ok(retrieve("HTTP/barn", 0, 0, &ticket) == SEC_E_NO_CREDENTIALS, "nothing to ask with");
    ok(submit(writer_view(&alices)) == SEC_E_OK && count(0) == 1, "back");
    ok(retrieve("HTTP/barn", 0, 0, &ticket) == SEC_E_OK && count(0) == 2, "as before");
    struct kerberos_call_free f = {bob.credential};
    call(KERBEROS_CALL_CREDENTIAL_FREE, &f);
    writer_free(&alices);
    writer_free(&bobs);
}

static void nowhere(void)
{
    char *kept = strdup(getenv("KRB5CCNAME"));
    struct kerberos_ticket ticket;
    setenv("KRB5CCNAME", "FILE:/nonexistent/cache", 1);
    ok(count(0) == 0 && purge("", "") == 0, "no cache is an empty one");
    ok(retrieve("HTTP/barn", 0, 0, &ticket) == SEC_E_NO_CREDENTIALS, "no ticket");
    setenv("KRB5CCNAME", kept, 1);
    free(kept);
}

/* Tickets are not put in the place of what may be somebody's. */
static void unreadable(void)
{
    static const char text[] = "this is no cache of tickets";
    char *kept = strdup(getenv("KRB5CCNAME")), path[] = "/tmp/kdc_tickets.XXXXXX", name[64];
    char found[sizeof(text)] = "";
    struct kerberos_call_tickets list = {.output = unixcall_address(list_room),
                                         .room = sizeof(list_room)};
    struct kerberos_ticket ticket;
    struct writer cred;
    int file = mkstemp(path);
    ok(file >= 0 && write(file, text, sizeof(text)) == sizeof(text), "a file");
    ok(retrieve("HTTP/barn", 0, 0, &ticket) == SEC_E_OK, "a ticket");
    writer_init(&cred);
    kerberos_cred_write(&cred, &ticket);
    snprintf(name, sizeof(name), "FILE:%s", path);
    setenv("KRB5CCNAME", name, 1);
    ok(call(KERBEROS_CALL_TICKETS, &list) == SEC_E_NO_CREDENTIALS && list.why[0], "no list");
    ok(submit(writer_view(&cred)) == SEC_E_NO_CREDENTIALS, "no place for a ticket");
    ok(pread(file, found, sizeof(found), 0) == sizeof(text) && !strcmp(found, text), "as it was");
    setenv("KRB5CCNAME", "NOSUCH:cache", 1);
    ok(call(KERBEROS_CALL_TICKETS, &list) == SEC_E_NO_CREDENTIALS, "no such kind of cache");
    setenv("KRB5CCNAME", kept, 1);
    close(file);
    unlink(path);
    writer_free(&cred);
    free(kept);
}

static unsigned stores, stores_allowed;

/* What a full disk does: the last one is there in part. */
static krb5_error_code store_limited(krb5_context context, krb5_ccache cache, krb5_creds *creds)
{
    static __typeof__(krb5.cc_store_cred) real;
    if (!real) real = dlsym(dlopen("libkrb5.so.3", RTLD_NOW | RTLD_NOLOAD), "krb5_cc_store_cred");
    krb5_error_code error = real(context, cache, creds);
    return stores++ < stores_allowed ? error : KRB5_CC_WRITE;
}

/* A submission that fails leaves the cache as it was, or none where none was. */
static void half_way(void)
{
    char *kept = strdup(getenv("KRB5CCNAME")), folder[] = "/tmp/kdc_tickets.XXXXXX", name[64];
    __typeof__(krb5.cc_store_cred) real = krb5.cc_store_cred;
    struct kerberos_ticket ticket;
    struct writer cred;
    uint32_t before = count(0);
    ok(retrieve("", 0, 0, &ticket) == SEC_E_OK && mkdtemp(folder), "a ticket and a folder");
    writer_init(&cred);
    kerberos_cred_write(&cred, &ticket);
    stores = stores_allowed = 0;
    krb5.cc_store_cred = store_limited;
    ok(!status_ok(submit(writer_view(&cred))) && stores == 1, "it is not stored");
    ok(count(0) == before, "%u tickets, not %u", count(0), before);
    snprintf(name, sizeof(name), "FILE:%s/cache", folder);
    setenv("KRB5CCNAME", name, 1);
    ok(!status_ok(submit(writer_view(&cred))) && stores == 2, "nor elsewhere");
    ok(access(name + 5, F_OK) != 0, "a cache has come");
    krb5.cc_store_cred = real;
    ok(submit(writer_view(&cred)) == SEC_E_OK && count(0) == 1, "with room it is");
    unlink(name + 5);
    setenv("KRB5CCNAME", kept, 1);
    ok(submit(writer_view(&cred)) == SEC_E_OK && count(0) == before + 1, "here, too");
    rmdir(folder);
    writer_free(&cred);
    free(kept);
}

/* What is in memory only goes with its credential, whatever has become of the configuration. */
static void ended(void)
{
    struct kerberos_call_credential_acquire bob = {
        .principal = bytes("bob"), .password = bytes("two"), .use = CALL_USE_INITIATE};
    char *kept = strdup(getenv("KRB5_CONFIG")), *name, path[] = "/tmp/kdc_tickets.XXXXXX";
    int file = mkstemp(path);
    krb5_context context;
    krb5_ccache cache;
    krb5_principal client = NULL;
    OM_uint32 minor;
    ok(file >= 0 && write(file, "[", 1) == 1, "a file");
    ok(call(KERBEROS_CALL_CREDENTIAL_ACQUIRE, &bob) == SEC_E_OK, "bob: %s", bob.why);
    struct credential *credential = unixcall_pointer(bob.credential);
    name = strdup(credential->cache);
    gss.release_name(&minor, &credential->name);
    /* GSS-API's own do not end without the configuration. */
    while (credential->spare_count) {
        struct lease *spare = &credential->spare[--credential->spare_count];
        gss.release_cred(&minor, &spare->library);
        blob_clear(&spare->principal);
    }
    setenv("KRB5_CONFIG", path, 1);
    ok(krb5.init_context(&context) != 0, "the configuration can be read");
    struct kerberos_call_free f = {bob.credential};
    call(KERBEROS_CALL_CREDENTIAL_FREE, &f);
    setenv("KRB5_CONFIG", kept, 1);
    ok(!krb5.init_context(&context) && !krb5.cc_resolve(context, name, &cache), "%s", name);
    ok(krb5.cc_get_principal(context, cache, &client) != 0, "the tickets are still there");
    krb5.free_principal(context, client);
    krb5.cc_destroy(context, cache);
    krb5.free_context(context);
    close(file);
    unlink(path);
    free(name);
    free(kept);
}

/* ---- names ---- */

/* What does not fit into a call is refused in so many words: LONG_NAME is somebody. */
static void long_names(void)
{
    struct kerberos_call_credential_acquire c = {.principal = bytes(getenv("LONG_NAME")),
                                                 .password = bytes("five"),
                                                 .use = CALL_USE_INITIATE};
    status_t status = call(KERBEROS_CALL_CREDENTIAL_ACQUIRE, &c);
    ok(status == SEC_E_UNKNOWN_CREDENTIALS && strstr(c.why, "too long"), "%#x %s", status, c.why);
}

/* ---- passwords ---- */

static status_t change(const char *principal, const char *old_password, const char *new_password,
                       const char *target, struct kerberos_call_password *c)
{
    *c = (struct kerberos_call_password){.principal = bytes(principal),
                                         .old_password = bytes(old_password),
                                         .new_password = bytes(new_password),
                                         .target = bytes(target)};
    return call(KERBEROS_CALL_PASSWORD, c);
}

static bool logs_on(const char *principal, const char *password)
{
    struct kerberos_call_credential_acquire c = {
        .principal = bytes(principal), .password = bytes(password), .use = CALL_USE_INITIATE};
    bool done = status_ok(call(KERBEROS_CALL_CREDENTIAL_ACQUIRE, &c));
    struct kerberos_call_free f = {c.credential};
    if (done) call(KERBEROS_CALL_CREDENTIAL_FREE, &f);
    return done;
}

static void passwords(void)
{
    struct kerberos_call_password c;
    ok(change("bob", "wrong", "long enough", "", &c) == SEC_E_LOGON_DENIED && !c.refused,
       "the old one is wrong: %s", c.why);
    ok(change("no-such-user", "two", "long enough", "", &c) == SEC_E_LOGON_DENIED, "nobody: %s",
       c.why);
    ok(change("bob", "two", "short", "", &c) == SEC_E_OK && c.refused == 4 && c.why[0] &&
           !c.has_policy,
       "too short: %u, %s", c.refused, c.why);
    ok(strstr(c.why, "too short") != NULL, "the KDC's words: %s", c.why);
    ok(logs_on("bob", "two") && !logs_on("bob", "short"), "as before");
    ok(change("bob", "two", "long enough", "", &c) == SEC_E_OK && !c.refused, "changed: %s", c.why);
    ok(logs_on("bob", "long enough") && !logs_on("bob", "two"), "the new one counts");
    ok(change("bob", "long enough", "another one", "alice", &c) == SEC_E_OK && c.refused,
       "bob may not set alice's: %u, %s", c.refused, c.why);
    ok(change("boss/admin", "three", "from above", "bob", &c) == SEC_E_OK && !c.refused,
       "who may: %u, %s", c.refused, c.why);
    ok(logs_on("bob", "from above"), "it is set");
    ok(change("", "", "something", "", &c) == SEC_E_INVALID_PARAMETER, "whose?");
}

/* What a KDC of Windows says of its rules comes in 30 bytes, which MIT's kadmind does not send: the
 * library's answer is put in its place. */
static struct slice said;

static krb5_data data_make(struct slice bytes)
{
    return (krb5_data){.length = (unsigned)bytes.size,
                       .data = (char *)exact_copy(bytes.data, bytes.size)};
}

static krb5_error_code set_as_windows(krb5_context context, krb5_creds *creds, const char *password,
                                      krb5_principal target, int *code, krb5_data *code_text,
                                      krb5_data *text)
{
    (void)context;
    (void)creds;
    (void)password;
    (void)target;
    *code = 4;
    *code_text = data_make(ascii("Refused"));
    *text = data_make(said);
    return 0;
}

static void rules(void)
{
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"0000 00000007 00000018 00000001 0000254b57b48000 000000c92a69c000", true},
        {"0001 00000007 00000018 00000001 0000254b57b48000 000000c92a69c000", false},
        {"0000 00000007 00000018 00000001 0000254b57b48000 000000c92a69c0", false},
        {"0000 00000007 00000018 00000001 0000254b57b48000 000000c92a69c00000", false},
        {"", false},
    };
    struct kerberos_call_password c;
    __typeof__(krb5.set_password) kept = krb5.set_password;
    krb5.set_password = set_as_windows;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        said = hex(rows[i].text);
        ok(change("bob", "from above", "short", "", &c) == SEC_E_OK && c.refused == 4 && c.why[0],
           "row %zu: %s", i, c.why);
        ok(c.has_policy == rows[i].valid, "rules of row %zu", i);
        if (rows[i].valid)
            ok(c.least_length == 7 && c.history == 24 && c.properties == 1 &&
                   c.most_age == 0x254b57b48000 && c.least_age == 864000000000,
               "length %u, history %u, properties %u", c.least_length, c.history, c.properties);
    }
    krb5.set_password = kept;
}

static void accounts(void)
{
    struct kerberos_call_credential_acquire bob = {
        .principal = bytes("bob"), .password = bytes("from above"), .use = CALL_USE_INITIATE};
    struct kerberos_call_account c = {.principal = bytes(getenv("OWN_PRINCIPAL"))};
    ok(call(KERBEROS_CALL_ACCOUNT, &c) == SEC_E_OK && c.own == 1, "the user: %s", c.why);
    c = (struct kerberos_call_account){.principal = bytes("bob@" REALM)};
    ok(call(KERBEROS_CALL_ACCOUNT, &c) == SEC_E_OK && c.own == 0, "another: %s", c.why);

    /* With a key of the host's that the KDC does not know any more, it might be anybody's KDC. */
    ok(call(KERBEROS_CALL_CREDENTIAL_ACQUIRE, &bob) == SEC_E_OK, "bob");
    c.credential = bob.credential;
    ok(call(KERBEROS_CALL_ACCOUNT, &c) == SEC_E_OK, "the host's key agrees: %s", c.why);
    char *kept = strdup(getenv("KRB5_KTNAME"));
    setenv("KRB5_KTNAME", getenv("OLD_KEYTAB"), 1);
    ok(call(KERBEROS_CALL_ACCOUNT, &c) == SEC_E_LOGON_DENIED, "it does not: %s", c.why);
    setenv("KRB5_KTNAME", "FILE:/nonexistent/keytab", 1);
    ok(call(KERBEROS_CALL_ACCOUNT, &c) == SEC_E_OK, "there is none: %s", c.why);
    setenv("KRB5_KTNAME", kept, 1);
    free(kept);
    struct kerberos_call_free f = {bob.credential};
    call(KERBEROS_CALL_CREDENTIAL_FREE, &f);
}

int main(void)
{
    struct kerberos_call_library library = {.name = ""};
    if (!status_ok(call(KERBEROS_CALL_LIBRARY, &library)) || !library.tickets) {
        printf("%s\nkdc_tickets: 0 passed, 0 failed, 1 skipped\n", library.why);
        return 0;
    }
    RUN(listed);
    RUN(retrieved);
    RUN(moved);
    RUN(whole);
    RUN(nowhere);
    RUN(unreadable);
    RUN(half_way);
    RUN(ended);
    RUN(long_names);
    RUN(passwords);
    RUN(rules);
    RUN(accounts);
    return test_end("kdc_tickets");
}
