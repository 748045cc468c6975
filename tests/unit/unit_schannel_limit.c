/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half of ssp_schannel and peers that want small records (RFC 8449): what it reports for
 * all kinds of records, and that the library's own keep to it.
 */
#include "schannel.h"

#include "../../dlls/ssp_schannel/unix.h"

static struct call_identity rsa;

static const struct {
    const char *priorities;
    uint32_t flags;
    bool library;
} kinds[] = {
    {PRIORITY_1_2, 0, false},
    {PRIORITY_1_3, 0, false},
    {PRIORITY_CBC, 0, true},
    {PRIORITY_1_0, 0, true},
    {PRIORITY_DTLS, CALL_SESSION_DATAGRAM, true},
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static struct connection make(size_t kind)
{
    const char *priorities = kinds[kind].priorities;
    return (struct connection){
        .client = {.priorities = priorities, .flags = kinds[kind].flags, .mtu = 16000},
        .server = {.priorities = priorities,
                   .identities = &rsa,
                   .identity_count = 1,
                   .flags = kinds[kind].flags,
                   .mtu = 16000},
    };
}

/* What the side says that it takes. */
static void want(const struct side *side, size_t size)
{
    const struct session *session = unixcall_pointer(side->session);
    ok(!gnutls_record_set_max_recv_size(session->library, size), "%zu", size);
}

static uint32_t limit_of(const struct side *side)
{
    return side_facts(side).record_limit;
}

static status_t send(const struct side *side, size_t size)
{
    static uint8_t data[TLS_PLAIN_MAX + 1], wire[20000];
    struct schannel_call_records call = {.session = side->session,
                                         .input = {unixcall_address(data), size},
                                         .output = unixcall_address(wire),
                                         .output_room = sizeof(wire),
                                         .type = TLS_APPLICATION_DATA};
    status_t status = half(SCHANNEL_CALL_SEND, &call);
    ok(!status_ok(status) || call.output_size > size, "%zu bytes become %u", size,
       (unsigned)call.output_size);
    return status;
}

static void library_keeps(const struct side *side, size_t limit)
{
    ok(send(side, limit + 1) == SEC_E_INVALID_PARAMETER, "more than %zu", limit);
    ok(send(side, limit) == SEC_E_OK, "%zu bytes", limit);
}

static void none(void)
{
    for (size_t kind = 0; kind < KINDS; kind++) {
        struct connection c = make(kind);
        ok(connection_start(&c) && !limit_of(&c.client), "start");
        connection_run(&c);
        ok(connection_done(&c), "client %s, server %s", c.client.why, c.server.why);
        ok(limit_of(&c.client) == TLS_PLAIN_MAX && limit_of(&c.server) == TLS_PLAIN_MAX,
           "kind %zu: client %u, server %u", kind, limit_of(&c.client), limit_of(&c.server));
        connection_end(&c);
    }
}

/* Each side has a limit of its own. */
static void of_both(void)
{
    for (size_t kind = 0; kind < KINDS; kind++) {
        struct connection c = make(kind);
        ok(connection_start(&c), "start");
        want(&c.client, 777);
        want(&c.server, 2345);
        connection_run(&c);
        ok(connection_done(&c), "client %s, server %s", c.client.why, c.server.why);
        ok(limit_of(&c.client) == 2345 && limit_of(&c.server) == 777,
           "kind %zu: client %u, server %u", kind, limit_of(&c.client), limit_of(&c.server));
        if (kinds[kind].library) {
            library_keeps(&c.client, 2345);
            library_keeps(&c.server, 777);
        }
        connection_end(&c);
    }
}

int main(void)
{
    struct schannel_call_library library = {{0}, {0}};
    if (half(SCHANNEL_CALL_LIBRARY, &library) != SEC_E_OK) abort();
    rsa = unit_identity(CALL_KEY_RSA, "server.example");
    RUN(none);
    RUN(of_both);
    return test_end("unit_schannel_limit");
}
