/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The package Negotiate where the choice of a mechanism comes late: what the application gave in a
 * leg before it, and tokens that were for another choice (RFC 4178 4.2.1 and 5). TestMech of
 * tests/providers, or a copy of it that calls itself Kerberos, is preferred to NTLM: all cases are
 * ours. Each runs in a child of this program, see api_providers.
 */
#include "../providers/prov_mech.h"
#include "hosting.h"
#include "spnego_peer.h"

#define MECHANISMS_KEY L"SOFTWARE\\winesspi\\Mechanisms"

static struct side client, server;

/* ---- channel bindings of an acceptor's first leg ---- */

enum first { FIRST_HINTS, FIRST_OTHER_MECHANISM, FIRST_HINTS_RAW, FIRSTS };

static const char *const first_names[FIRSTS] = {"hints", "another mechanism", "hints, then NTLM"};

/* The client's part of a handshake in which the acceptor gives its channel in a first leg that
 * calls no mechanism: as far as the acceptor's second leg is to come. */
static bool begin_bound(enum first first, const char *channel, bool moved)
{
    bool hints = first != FIRST_OTHER_MECHANISM;
    if (!hints) side_leg(&client, NONE);
    server.channel = channel;
    SECURITY_STATUS status = side_leg(&server, hints ? NONE : side_token(&client));
    server.channel = NULL;
    if (!ok(status == SEC_I_CONTINUE_NEEDED, "%s: %08lx", first_names[first], status)) return false;
    if (moved && !ok(side_move(&server, L"Negotiate"), "%s: not moved", first_names[first]))
        return false;
    if (first == FIRST_HINTS_RAW) server.size = 0;
    status = side_leg(&client, side_token(&server));
    return ok(status == SEC_I_CONTINUE_NEEDED, "%s, client: %08lx", first_names[first], status);
}

/* later: what the acceptor gives with the other legs, which may be bindings that name nothing. */
static SECURITY_STATUS connect_bound(enum first first, const char *server_channel,
                                     const char *later, bool moved)
{
    SECURITY_STATUS status = SEC_E_INTERNAL_ERROR;
    const struct sides_options options = {
        .server_list = first == FIRST_OTHER_MECHANISM ? L"!TestMech" : NULL};
    if (!sides_open(&client, &server, &options)) return status;
    side_close(&client);
    const wchar_t *package = first == FIRST_HINTS_RAW ? L"NTLM" : L"Negotiate";
    const wchar_t *list = first == FIRST_HINTS ? L"!TestMech" : NULL;
    status = side_open(&client, package, false, NULL, list);
    client.channel = "the client's channel";
    if (ok(!status, "client's credential: %08lx", status) &&
        begin_bound(first, server_channel, moved)) {
        server.channel = later;
        for (int leg = 0; leg < 8 && status >= 0; leg++) {
            struct side *to = leg % 2 ? &client : &server, *from = leg % 2 ? &server : &client;
            if (!from->size) break;
            status = side_leg(to, side_token(from));
        }
    }
    sides_close(&client, &server);
    return status;
}

/* [D epa-support-in-service] An application may give its channel once; that no mechanism has been
 * called by then is no reason to let other channels pass. */
static void child_bindings(void)
{
    for (enum first first = FIRST_HINTS; first < FIRSTS; first++)
        for (int moved = 0; moved < 2; moved++) {
            SECURITY_STATUS status = connect_bound(first, "the client's channel", NULL, moved);
            ok(status == SEC_E_OK, "%s: the same: %08lx", first_names[first], status);
            for (int i = 0; i < 2; i++) {
                status = connect_bound(first, "another channel", i ? "" : NULL, moved);
                ok(status == SEC_E_BAD_BINDINGS, "%s: another: %08lx", first_names[first], status);
            }
        }
}

/* ---- Kerberos under its second identifier ---- */

/* The acceptor's part is made here, with the mechanism's token and mechListMIC from its package. */
static void answer_second(struct slice list, struct slice token)
{
    struct side mechanism;
    struct spnego_response said;
    BYTE room[64], answer[256];
    SecBuffer buffers[2] = {{(ULONG)list.size, SECBUFFER_DATA, (void *)list.data},
                            {sizeof(room), SECBUFFER_TOKEN, room}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    if (side_open(&mechanism, L"Kerberos", true, NULL, NULL)) return;
    SECURITY_STATUS status = side_leg(&mechanism, token);
    ok(!status && mechanism.size <= sizeof(answer), "the mechanism: %08lx", status);
    memcpy(answer, mechanism.token, mechanism.size);
    status = MakeSignature(&mechanism.context, 0, &desc, 0);
    ok(!status, "MakeSignature: %08lx", status);
    status = side_leg(&client, wire_response(SPNEGO_ACCEPT_INCOMPLETE, NONE,
                                             (struct slice){answer, mechanism.size},
                                             (struct slice){room, buffers[1].cbBuffer}));
    ok(!status, "client 3: %08lx", status);
    bool decoded = !spnego_response_decode(side_token(&client), &said);
    if (ok(decoded && said.mic.size, "no mechListMIC")) {
        buffers[1] = (SecBuffer){(ULONG)said.mic.size, SECBUFFER_TOKEN, (void *)said.mic.data};
        ok(!VerifySignature(&mechanism.context, &desc, 0, NULL), "a wrong mechListMIC");
    }
    ok(contexts_talk(&client.context, &mechanism.context), "no talk");
    side_close(&mechanism);
}

/* [OS RFC 4178 4.2.1, 5] The optimistic token is for the first identifier alone: an acceptor that
 * picks the second one has left it, and gets another. There has to be a mechListMIC then. */
static void child_other_identifier(void)
{
    static BYTE list_room[256], first[1024];
    struct spnego_init offer;
    struct spnego_response said;
    struct writer w;
    SECURITY_STATUS status = side_open(&client, L"Negotiate", false, NULL, NULL);
    if (!ok(!status, "client's credential: %08lx", status)) return;
    client.target = L"test/localhost";
    status = side_leg(&client, NONE);
    bool offered = status == SEC_I_CONTINUE_NEEDED &&
                   !spnego_init_decode(side_token(&client), &offer);
    if (ok(offered && offer.mech_count >= 2 && offer.token.size <= sizeof(first), "no offer")) {
        writer_init_fixed(&w, list_room, sizeof(list_room));
        spnego_mech_list_encode(&w, offer.mechs, offer.mech_count);
        struct slice sent = {first, offer.token.size};
        memcpy(first, offer.token.data, offer.token.size);
        status = side_leg(&client,
                          wire_response(SPNEGO_REQUEST_MIC, spnego_oid_kerberos, NONE, NONE));
        ok(status == SEC_I_CONTINUE_NEEDED, "client 2: %08lx", status);
        bool decoded = !spnego_response_decode(side_token(&client), &said);
        if (ok(decoded && said.token.size, "no token")) {
            bool again = said.token.size == sent.size &&
                         !memcmp(said.token.data, sent.data, sent.size);
            ok(!again, "the first token again");
            answer_second(writer_view(&w), said.token);
        }
    }
    side_close(&client);
}

/* ---- in the parent ---- */

static const struct hosting_case child_cases[] = {
    CHILD(bindings),
    CHILD(other_identifier),
};

static void test_bindings(void)
{
    static struct hosting_names lsa;
    static struct saved_value value;
    DWORD failures = 99;
    hosting_names_add(&lsa, hosting_folder, L"prov_mech");
    if (!ok(value_save(&value, MECHANISMS_KEY, MECH_PACKAGE), "the registry cannot be read"))
        return;
    bool done = value_set(&value, REG_SZ, MECH_OID_TEXT, sizeof(MECH_OID_TEXT)) &&
                hosting_run(L"bindings", &lsa, NULL, &failures);
    ok(value_restore(&value), "the registry was not put back");
    ok(done && !failures, "child bindings: exit status %lu", failures);
}

static void test_other_identifier(void)
{
    static struct hosting_names lsa;
    DWORD failures = 99;
    hosting_names_add(&lsa, hosting_scratch, MECH_KERBEROS_MODULE);
    bool done = ok(hosting_copy(L"prov_mech", hosting_scratch, MECH_KERBEROS_MODULE), "no copy") &&
                hosting_run(L"other_identifier", &lsa, NULL, &failures);
    ok(done && !failures, "child other_identifier: exit status %lu", failures);
}

int main(int argc, char **argv)
{
    if (argc == 2) return hosting_case_run(child_cases, ARRAYSIZE(child_cases), argv[1], NULL);
    if (!hosting_begin()) {
        printf("skip api_late_choice: a Wine prefix with a writable temporary folder\n");
        printf("api_late_choice: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    RUN(test_bindings);
    RUN(test_other_identifier);
    hosting_end();
    return test_end("api_late_choice");
}
