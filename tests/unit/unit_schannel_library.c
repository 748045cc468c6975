/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half of ssp_schannel where something is missing: the library, one of its functions,
 * memory. Linked with --wrap for what is refused.
 */
#include "schannel.h"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

static struct call_identity rsa, client_rsa;

/* ---- what is refused ---- */

static const char *no_function;
static bool no_library, old_library;
static int allowed = -1; /* how many allocations still succeed; negative: all */

void *__real_dlopen(const char *name, int mode);
void *__real_dlsym(void *library, const char *name);
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_dlopen(const char *name, int mode);
void *__wrap_dlsym(void *library, const char *name);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

void *__wrap_dlopen(const char *name, int mode)
{
    return __real_dlopen(no_library ? "/nonexistent.so" : name, mode);
}

static const char *version_check(const char *wanted)
{
    return wanted ? NULL : "3.6.9";
}

void *__wrap_dlsym(void *library, const char *name)
{
    if (no_function && !strcmp(name, no_function)) return NULL;
    if (!old_library || strcmp(name, "gnutls_check_version")) return __real_dlsym(library, name);
    void *function = NULL;
    const char *(*const replacement)(const char *) = version_check;
    memcpy(&function, &replacement, sizeof(function));
    return function;
}

static bool refuse(void)
{
    return half_runs && allowed >= 0 && !allowed--;
}

void *__wrap_malloc(size_t size)
{
    return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refuse() ? NULL : __real_calloc(count, size);
}

/* ---- the library ---- */

/* Each in a process of its own, since the half looks only once. */
static bool says(const char *reason)
{
    pid_t child = fork();
    if (!child) {
        struct schannel_call_library call = {0};
        struct side side = {.priorities = PRIORITY_1_2};
        bool told = half(SCHANNEL_CALL_LIBRARY, &call) == SEC_E_SECPKG_NOT_FOUND &&
                    strstr(call.why, reason) && !side_credentials(&side, false) &&
                    side.status == SEC_E_SECPKG_NOT_FOUND && strstr(side.why, reason);
        if (!told) printf("  it says: %s\n", call.why);
        fflush(stdout);
        _exit(told ? 0 : 1);
    }
    int status = -1;
    return child > 0 && waitpid(child, &status, 0) == child && !status;
}

static void library(void)
{
    no_library = true;
    ok(says("nonexistent"), "no library");
    no_library = false;
    old_library = true;
    ok(says("3.6.9"), "a library that is too old");
    old_library = false;
    no_function = "gnutls_record_get_state";
    ok(says("gnutls_record_get_state"), "a library without a function");
    no_function = NULL;
}

/* ---- memory ---- */

/* What a failure says is looked at by the caller. */
static void ask_late(struct connection *c)
{
    struct schannel_call_post post = {.session = c->client.session};
    struct schannel_call_renegotiate begin = {.session = c->server.session};
    c->server.status = half(SCHANNEL_CALL_RENEGOTIATE, &begin);
    if (status_ok(c->server.status)) side_call(&c->server, &c->client, 0, 0);
    if (!status_ok(c->server.status)) return;
    post.record = unit_bytes(
        view(c->client.inbox.data + c->client.read, c->client.inbox.size - c->client.read));
    c->client.read = c->client.inbox.size;
    c->client.status = half(SCHANNEL_CALL_POST, &post);
    begin = (struct schannel_call_renegotiate){.session = c->client.session, .receive_sequence = 1};
    if (status_ok(c->client.status)) c->client.status = half(SCHANNEL_CALL_RENEGOTIATE, &begin);
    if (status_ok(c->client.status)) connection_run(c);
}

/* A connection with every allocation of the half but one: it fails and says so, or does without. */
static bool connect_without(bool late, int refused, int *failures)
{
    struct connection c = {
        .client = {.priorities = late ? PRIORITY_1_3 : PRIORITY_1_2,
                   .identities = &client_rsa,
                   .identity_count = 1,
                   .flags = late ? CALL_SESSION_LATE_CERTIFICATE : 0},
        .server = {.priorities = late ? PRIORITY_1_3 : PRIORITY_1_2,
                   .identities = &rsa,
                   .identity_count = 1,
                   .issuers = identity_chain(&rsa),
                   .flags = late ? CALL_SESSION_LATE_CERTIFICATE
                                 : CALL_SESSION_REQUEST_CERTIFICATE},
    };
    struct side *sides[] = {&c.client, &c.server};
    allowed = refused;
    bool started = connection_start(&c);
    if (started) connection_run(&c);
    if (late && started && connection_done(&c)) ask_late(&c);
    bool all = allowed >= 0;
    allowed = -1;
    if (!started || !connection_done(&c)) {
        bool told = false;
        for (size_t i = 0; i < 2; i++) told |= sides[i]->status == SEC_E_INSUFFICIENT_MEMORY;
        ok(told, "allocation %d: %#x %s, %#x %s", refused, c.client.status, c.client.why,
           c.server.status, c.server.why);
        ++*failures;
    }
    connection_end(&c);
    return all;
}

static void memory(void)
{
    for (int late = 0; late < 2; late++) {
        int refused = 0, failures = 0;
        while (refused < 500 && !connect_without(late, refused, &failures)) refused++;
        ok(refused > 10 && failures > 10 && refused < 500, "%d allocations, %d failures", refused,
           failures);
    }
}

/* ---- the environment ---- */

/* Secrets are not written where the environment wants them. */
static void no_keylog(void)
{
    char file[] = "/tmp/unit_schannel_XXXXXX";
    int fd = mkstemp(file);
    if (fd < 0) abort();
    pid_t child = fork();
    if (!child) {
        setenv("SSLKEYLOGFILE", file, 1);
        struct connection c = {
            .client = {.priorities = PRIORITY_1_3},
            .server = {.priorities = PRIORITY_1_3, .identities = &rsa, .identity_count = 1},
        };
        bool done = connection_start(&c);
        connection_run(&c);
        _exit(done && connection_done(&c) && !lseek(fd, 0, SEEK_END) ? 0 : 1);
    }
    int status = -1;
    ok(child > 0 && waitpid(child, &status, 0) == child && !status, "nothing is written");
    close(fd);
    unlink(file);
}

int main(void)
{
    rsa = unit_identity(CALL_KEY_RSA, "server.example");
    client_rsa = unit_identity(CALL_KEY_RSA, "client.example");
    RUN(library); /* first: this process has not looked yet */
    RUN(no_keylog);
    RUN(memory);
    return test_end("unit_schannel_library");
}
