/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes the inputs from which fuzzing starts: make_seeds FOLDER writes FOLDER/TARGET/NAME. They
 * are the same at each run, and those under tests/fuzz/seeds were made by it.
 */
#define _POSIX_C_SOURCE 200809L
#include "../unit/handshake.h"
#include "../unit/kerb_message.h"
#include "../unit/msv_message.h"
#include "../unit/pac_sample.h"
#include "../unit/tls_pair.h"
#include "fuzz.h"
#include "seeds.h"

#include "core/kerberos_ticket.h"
#include "core/spnego_body.h"
#include "core/target.h"
#include "core/tls_body.h"

#include <sys/stat.h>

static const char *folder;

static void save(const char *target, const char *name, struct slice bytes)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder, target);
    mkdir(path, 0777);
    snprintf(path, sizeof(path), "%s/%s/%s", folder, target, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes.data, 1, bytes.size, file) != bytes.size || fclose(file)) {
        fprintf(stderr, "cannot write %s\n", path);
        exit(EXIT_FAILURE);
    }
}

void seeds_save(const char *target, const char *name, struct slice bytes)
{
    save(target, name, bytes);
}

static void save_context(const char *name, const struct ntlm_context *ctx)
{
    struct writer w;
    writer_init(&w);
    ntlm_context_write(ctx, false, &w);
    save("body", name, writer_view(&w));
    writer_free(&w);
}

static void save_av(const struct handshake *h)
{
    struct ntlm_challenge challenge;
    struct ntlm_authenticate answer;
    must(!ntlm_challenge_decode(writer_view(&h->challenge), &challenge));
    must(!ntlm_authenticate_decode(writer_view(&h->authenticate), &answer));
    save("av", "challenge", challenge.target_info);
    save("av", "response", view(answer.nt_response.data + 44, answer.nt_response.size - 44));
    save("av", "empty", hex("00000000"));
    save("av", "unknown", hex("0b000300414243ffff000000000000"));
}

/* Messages and bodies of all stages. */
static void handshakes(bool local)
{
    static const uint8_t bindings[16] = "channel binding";
    struct handshake h;
    handshake_init(&h);
    h.client_start.offer_local = local;
    h.client_finish.proof = h.server_finish.proof = local ? NTLM_PROOF_LOCAL : NTLM_PROOF_V2;
    h.server_start.local_ticket = local ? 42 : 0;
    h.client_finish.channel_bindings = local ? NULL : bindings;
    save_context(local ? "client-start" : "server-start", local ? &h.client : &h.server);
    must(!handshake_start(&h));
    save_context(local ? "client-local-1" : "client-1", &h.client);
    must(!handshake_challenge(&h));
    save_context(local ? "server-local-2" : "server-2", &h.server);
    must(!handshake_answer(&h) && !handshake_accept(&h) && handshake_works(&h));
    save_context(local ? "client-local-3" : "client-3", &h.client);
    save_context(local ? "server-local-3" : "server-3", &h.server);
    save("negotiate", local ? "local" : "version", writer_view(&h.negotiate));
    save("challenge", local ? "local" : "plain", writer_view(&h.challenge));
    save("authenticate", local ? "local" : "mic", writer_view(&h.authenticate));
    if (!local) save_av(&h);
    handshake_clear(&h);
}

/* Messages and bodies of the other modes. */
static void other_handshakes(void)
{
    static const uint8_t machine_id[NTLM_MACHINE_ID_SIZE] = "machine";
    struct handshake h;
    handshake_init(&h);
    h.client_start.flags = NTLM_STRONG | NTLM_SIGN | NTLM_DATAGRAM;
    h.server_start.flags |= NTLM_DATAGRAM;
    h.server_start.required = NTLM_SIGN;
    h.server_start.challenge_ticket = 9;
    h.client_finish.machine_id = machine_id;
    must(!handshake_start(&h));
    save_context("client-datagram-1", &h.client);
    must(!handshake_challenge(&h));
    save_context("server-datagram-2", &h.server);
    must(!handshake_answer(&h) && !handshake_accept(&h) && handshake_works(&h));
    save_context("server-datagram-3", &h.server);
    save("challenge", "datagram", writer_view(&h.challenge));
    save("authenticate", "datagram", writer_view(&h.authenticate));
    handshake_clear(&h);

    handshake_init(&h);
    h.client_start.flags = NTLM_OEM | NTLM_ESS;
    h.client_finish.proof = h.server_finish.proof = NTLM_PROOF_V1;
    must(!handshake_start(&h) && !handshake_challenge(&h));
    save_context("server-oem-2", &h.server);
    must(!handshake_answer(&h) && !handshake_accept(&h) && handshake_works(&h));
    save("negotiate", "oem", writer_view(&h.negotiate));
    save("challenge", "oem", writer_view(&h.challenge));
    save("authenticate", "oem-ess", writer_view(&h.authenticate));
    handshake_clear(&h);
}

static void other_bodies(void)
{
    struct ntlm_context ctx;
    ntlm_context_init(&ctx, NTLM_SERVER);
    ctx.stage = NTLM_STAGE_ESTABLISHED;
    must(!ntlm_session_init(&ctx.session, NTLM_SIGN | NTLM_LM_KEY, unit_pool, false));
    save_context("server-3-plain", &ctx);
    ntlm_context_clear(&ctx);
}

static void other_messages(void)
{
    save("negotiate", "short", hex("4e544c4d53535000 01000000 07820800"));
    save("challenge", "bare",
         hex("4e544c4d53535000 02000000 0000000000000000 05820820 0123456789abcdef"
             "0000000000000000 0000000000000000"));
    save("authenticate", "v1",
         hex("4e544c4d53535000 03000000 1800180060000000 1800180078000000 0200020048000000"
             "020002004a000000 0200020058000000 0000000090000000 01820822 0a00000000000000"
             "44005500 000000000000000000000000 57000000 00000000"
             "000102030405060708090a0b0c0d0e0f1011121314151617"
             "000102030405060708090a0b0c0d0e0f1011121314151617"));
    save("authenticate", "anonymous",
         hex("4e544c4d53535000 03000000 0100010040000000 0000000041000000 0000000041000000"
             "0000000041000000 0000000041000000 0000000041000000 010a0820 00"));
}

static void save_packed(const char *name, const struct packed *packed)
{
    struct aead *aead = NULL;
    struct writer w;
    writer_init(&w);
    must(!aead_create(AEAD_AES_256_GCM, (const uint8_t *)FUZZ_PACKED_KEY, &aead));
    must(!packed_encode(packed, aead, &w));
    save("packed", name, writer_view(&w));
    writer_free(&w);
    aead_free(aead);
}

static void envelopes(void)
{
    struct packed packed = {.epoch = 1, .package = wide("NTLM"), .body = ascii("a body")};
    save_packed("copy", &packed);
    packed.flags = PACKED_SINGLE_USE | PACKED_HALF_OPEN;
    packed.ticket = 9;
    save_packed("single-use", &packed);
    packed.body.size = 0;
    save_packed("empty", &packed);
}

static void save_init(const char *name, const struct spnego_init *message)
{
    struct writer w;
    writer_init(&w);
    spnego_init_encode(&w, message);
    save("spnego_init", name, writer_view(&w));
    writer_free(&w);
}

static void save_response(const char *name, const struct spnego_response *message)
{
    struct writer w;
    writer_init(&w);
    spnego_response_encode(&w, message);
    save("spnego_response", name, writer_view(&w));
    writer_free(&w);
}

/* Elements that the encoders leave out are written by hand. */
static void negotiations(void)
{
    struct spnego_init init = {.mechs = {spnego_oid_ms_kerberos, spnego_oid_kerberos},
                               .mech_count = 2};
    save_init("list", &init);
    init.mechs[init.mech_count++] = spnego_oid_ntlm;
    init.mic = ascii("a MIC");
    init.token = view(unit_pool, 300);
    save_init("token-mic", &init);
    init.token = view(NULL, 0);
    init.hint_name = ascii("not_defined_in_RFC4178@please_ignore");
    save_init("hints-mic", &init);
    save("spnego_init", "flags",
         hex("602106062b0601050502a0173015a00d300b06092a864886f712010202a10403020106"));
    save("spnego_init", "address",
         hex("602e06062b0601050502a0243022a00d300b06092a864886f712010202a311300fa0031b0168"
             "a10804067f0000010000"));
    save("spnego_init", "raw", hex("600d06092a864886f7120102020100"));

    struct spnego_response response = {.state = SPNEGO_ACCEPT_INCOMPLETE, .mech = spnego_oid_ntlm};
    response.token = ascii("a token");
    save_response("choice", &response);
    response.mech = view(NULL, 0);
    response.mic = ascii("a MIC");
    save_response("mic", &response);
    response = (struct spnego_response){.state = SPNEGO_STATE_ABSENT};
    save_response("empty", &response);
    response.token = view(unit_pool, 300);
    save_response("large", &response);
}

static void save_spnego_body(const char *name, const struct spnego_body *body)
{
    struct writer w;
    writer_init(&w);
    spnego_body_write(body, &w);
    save("spnego_body", name, writer_view(&w));
    writer_free(&w);
}

/* Exported negotiations; what the mechanism exports is not looked at. */
static void spnego_bodies(void)
{
    struct spnego_body body = {.stage = SPNEGO_STAGE_HINTED, .acceptor = true};
    save_spnego_body("hinted", &body);
    body = (struct spnego_body){.stage = SPNEGO_STAGE_OFFERED,
                                .package = wide("NTLM"),
                                .oid = spnego_oid_ntlm,
                                .mech_list = hex("300c060a2b06010401823702020a"),
                                .target = hex("480054000000"),
                                .bindings = ascii("channel bindings"),
                                .inner = ascii("of the mechanism")};
    save_spnego_body("offered", &body);
    body.stage = SPNEGO_STAGE_CHOSEN;
    body.inner_done = body.mic_sent = true;
    body.pending = ascii("a token");
    save_spnego_body("chosen", &body);
    body = (struct spnego_body){.stage = SPNEGO_STAGE_ESTABLISHED,
                                .acceptor = true,
                                .inner_done = true,
                                .package = wide("NTLM"),
                                .oid = spnego_oid_ntlm,
                                .inner = ascii("of the mechanism")};
    save_spnego_body("established", &body);
}

/* See fuzz_sasl.c. */
static void security_layers(void)
{
    save("sasl", "offer", hex("00 0700ffff"));
    save("sasl", "offer-none", hex("00 01000000"));
    save("sasl", "choice", hex("01 0400ffff"));
    save("sasl", "choice-name", hex("01 02001000 4772c3bc6e"));
    save("sasl", "body", hex("02 04 01 00100000 ffff0000 0300 626f62"));
}

/* Scripts; see fuzz_handshake.c and fuzz_session.c. */
static void scripts(void)
{
    save("handshake", "intact", hex("01 00 00 00 00"));
    save("handshake", "moved", hex("13 07 06 06 06"));
    save("handshake", "local", hex("07 00 06 00 06"));
    save("handshake", "wrong-hash", hex("09 00 00 00 00"));
    save("handshake", "changed", hex("01 00 01 00 0c00 10 01 00 1400 04 01 00 4800 01"));
    save("handshake", "changed-last", hex("01 00 00 00 01 00 4800 01"));
    save("handshake", "cut", hex("00 00 00 00 02 4000"));
    save("handshake", "another", hex("00 00 00 05 00"));
    save("handshake", "replaced", hex("00 00 04 4e544c4d5353500001000000058208a0000000000000"));
    save("handshake", "v1", hex("21 07 00 00 00"));
    save("handshake", "v1-no-ess", hex("a1 00 06 06 06"));
    save("handshake", "v1-wrong-hash", hex("29 00 00 00 00"));
    save("handshake", "v1-changed", hex("21 00 00 00 01 00 4800 01"));
    save("handshake", "datagram", hex("41 07 06 06 06"));
    save("handshake", "datagram-changed", hex("41 00 00 01 00 1800 01 00"));
    save("handshake", "datagram-v1-no-ess", hex("e1 00 00 00 00"));
    save("handshake", "oem", hex("01 08 00 00 00"));
    save("handshake", "anonymous", hex("01 10 00 06 00"));
    save("handshake", "required", hex("01 20 00 00 00"));
    save("handshake", "required-changed", hex("01 20 00 00 01 00 3e00 08"));
    save("handshake", "mic-required", hex("01 40 00 00 00"));
    save("handshake", "mic-missing", hex("21 40 00 00 00"));
    for (uint8_t kind = 0; kind < 7; kind++) {
        char name[] = "kind-0";
        uint8_t script[] = {kind, 1, 1,  100, 0, 3, 0,    0, 0, 0, 20, 0, 9, 0, 1,
                            1,    1, 40, 0,   7, 0, 0x80, 1, 0, 7, 1,  0, 0, 0};
        name[5] = (char)('0' + kind);
        save("session", name, view(script, sizeof(script)));
    }
}

/* Two requests and an answer of a handshake over HTTP. */
static void web_messages(void)
{
    static const char *const messages[][2] = {
        {"request", "POST /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n"
                    "Cookie: a=1; c=NTLM.AAECAw==\r\nAuthorization: NTLM TlRMTVNTUAAB\r\n\r\n"},
        {"old", "HEAD * HTTP/1.0\r\nConnection: x, close\r\nAuthorization: Negotiate YA==\r\n\r\n"},
        {"answer", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 12\r\nWWW-Authenticate: NTLM\r\n"
                   "Set-Cookie: c=; Max-Age=0\r\n\r\n"},
        {"token", "TlRMTVNTUAABAAA="},
    };
    for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
        save("http", messages[i][0], view(messages[i][1], strlen(messages[i][1])));
}

static void save_identity(const char *name, struct identity_parts parts, bool sealed)
{
    struct writer password, w;
    writer_init(&password);
    writer_init(&w);
    identity_password_write(wide("secret"), &password);
    if (!parts.packed.data) parts.packed = writer_view(&password);
    must(!identity_encode(&parts, identity_room(&parts), &w));
    if (sealed) must(!identity_seal_block(w.data, w.size, &fuzz_identity_key, unit_pool));
    save("identity", name, writer_view(&w));
    writer_free(&w);
    writer_free(&password);
}

static void identities(void)
{
    struct identity_parts parts = {.user = wide("user"), .domain = wide("FARM")};
    save_identity("password", parts, false);
    save_identity("sealed", parts, true);
    parts.package_list = wide("Kerberos,!NTLM");
    parts.domain = view(NULL, 0);
    save_identity("list", parts, false);
    parts.packed = ascii("of another type");
    save_identity("other", parts, true);
}

static void targets(void)
{
    struct target_info info = {.flags = 1, .types = {2, 3}, .type_count = 2};
    struct writer w;
    writer_init(&w);
    must(!target_info_encode(&info, &w));
    save("target", "bare", writer_view(&w));
    writer_free(&w);
    for (size_t i = 0; i < TARGET_NAMES; i++) info.names[i] = wide("a name");
    writer_init(&w);
    writer_slice(&w, wide("cifs/server"));
    must(!target_info_encode(&info, &w));
    save("target", "whole", writer_view(&w));
    writer_free(&w);
    save("target", "size-only", wide("AAAAAM"));
    save("target", "address", wide("HTTP/[fe80::1]:80"));
    save("target", "realm", wide("ldap/dc.farm.test:389/farm.test@FARM.TEST"));
}

/* Behind the byte that the target takes for the form. */
static void save_lsa(const char *target, const char *name, uint8_t form,
                     struct msv_message *message)
{
    struct lsa_buffer buffer = msv_close(message);
    uint8_t *at = unit_room(buffer.bytes.size + 1);
    at[0] = form;
    memcpy(at + 1, buffer.bytes.data, buffer.bytes.size);
    save(target, name, view(at, buffer.bytes.size + 1));
    writer_free(&message->w);
}

static void msv_messages(void)
{
    struct msv_message m;
    msv_interactive(&m, true, 0x7ffd0000);
    save_lsa("msv1_0", "interactive", 3, &m);
    msv_interactive(&m, false, 0);
    save_lsa("msv1_0", "interactive32", 0, &m);
    msv_network(&m, true, 0x7ffd0000);
    save_lsa("msv1_0", "network", 3, &m);
    msv_network(&m, false, 0x7ffd0000);
    save_lsa("msv1_0", "network32", 2, &m);
    msv_change(&m, true, 0);
    save_lsa("msv1_0", "password", 1, &m);
    msv_request(&m, true, 0, MSV_HAS_NAMES | MSV_TARGET_INFO);
    save_lsa("msv1_0", "response", 1, &m);
    msv_pass(&m, true, 0);
    save_lsa("msv1_0", "passthrough", 1, &m);
}

static void kerberos_messages(void)
{
    struct msv_message m;
    kerb_retrieve(&m, true, 0x7ffd0000);
    save_lsa("kerberos_lsa", "retrieve", 3, &m);
    kerb_retrieve(&m, false, 0);
    save_lsa("kerberos_lsa", "retrieve32", 0, &m);
    kerb_purge(&m, true, 0);
    save_lsa("kerberos_lsa", "purge", 1, &m);
    kerb_purge_ex(&m, true, 0);
    save_lsa("kerberos_lsa", "purge_ex", 1, &m);
    kerb_purge_ex(&m, false, 0x7ffd0000);
    save_lsa("kerberos_lsa", "purge_ex32", 2, &m);
    kerb_submit(&m);
    save_lsa("kerberos_lsa", "submit", 1, &m);
    kerb_change(&m, true, 0);
    save_lsa("kerberos_lsa", "change", 1, &m);
    kerb_set(&m, true, 0, false);
    save_lsa("kerberos_lsa", "set", 1, &m);
    kerb_set(&m, false, 0, true);
    save_lsa("kerberos_lsa", "set_ex32", 0, &m);
    kerb_s4u(&m, true, 0);
    save_lsa("kerberos_lsa", "s4u", 1, &m);
}

static void kerberos_records(void)
{
    const struct kerberos_ticket ticket = {
        .client = {1, 1, hex("0500 616c696365"), ascii("FARM")},
        .server = {2, 2, hex("0400 48545450 0400 6261726e"), ascii("FIELD")},
        .end = 4107542400,
        .encoded = hex("6103020105"),
        .key = hex("0001020304050607"),
    };
    struct writer w;
    writer_init(&w);
    writer_u8(&w, 0);
    kerberos_ticket_write(&w, &ticket);
    kerberos_ticket_write(&w, &ticket);
    save("kerberos_lsa", "records", writer_view(&w));
    writer_free(&w);
}

/* Behind the bytes that fuzz_tls_record.c takes for suite and type. */
static void tls_records(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        char name[] = "records-0";
        size_t one, two;
        must(tls_pair_init(&pair, kind));
        uint8_t *first = tls_seal(&pair.server, TLS_APPLICATION_DATA, ascii("text"), &one);
        uint8_t *second = tls_seal(&pair.server, TLS_ALERT, hex("0100"), &two);
        uint8_t *script = unit_room(2 + one + two);
        script[0] = (uint8_t)kind;
        script[1] = TLS_HANDSHAKE;
        memcpy(script + 2, first, one);
        memcpy(script + 2 + one, second, two);
        name[8] = (char)('0' + kind);
        save("tls_record", name, view(script, 2 + one + two));
        tls_pair_clear(&pair);
        free(first);
        free(second);
    }
    save("tls_record", "padded", hex("03 00 74657874 17 000000"));
    save("tls_record", "change", hex("04 14 140303000101"));
    save("tls_record", "short", hex("00 17 17030300"));
}

static void tls_sessions(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_session session;
        struct writer w;
        char name[] = "session-0";
        tls_session_fill(&session, kind, kind % 2);
        must(!tls_session_start(&session));
        session.has_finished = session.version == TLS_1_2;
        writer_init(&w);
        tls_session_write(&session, &w);
        name[8] = (char)('0' + kind);
        save("tls_session", name, writer_view(&w));
        writer_free(&w);
        tls_session_clear(&session);
    }
}

/* Exported sessions of either version, bare and with all that there can be. */
static void tls_bodies(void)
{
    for (uint16_t version = TLS_1_2; version <= TLS_1_3; version++) {
        struct tls_session session = {.version = version, .server = version == TLS_1_2};
        struct tls_body body = {.attributes = 0x811c, .group = 0x1d, .group_bits = 255};
        struct writer w;
        session.suite = tls_suite_find(version == TLS_1_3 ? 0x1302 : 0xc02f);
        must(!tls_session_start(&session));
        writer_init(&w);
        tls_body_write(&body, &session, &w);
        save("tls_body", version == TLS_1_3 ? "bare-1.3" : "bare-1.2", writer_view(&w));
        writer_free(&w);
        body.alpn = ascii("h2");
        body.session_id = view(unit_pool, 32);
        body.name = hex("680000 00");
        body.keying_label = ascii("label");
        body.keying_size = 32;
        body.app_data = ascii("app");
        body.peer_chain = hex("000002 3000 000001 ff");
        body.staple = hex("3001");
        body.issuers = hex("0002 3000");
        body.judge_flags = 0x2000;
        body.roots = hex("000002 3000");
        writer_init(&w);
        tls_body_write(&body, &session, &w);
        save("tls_body", version == TLS_1_3 ? "full-1.3" : "full-1.2", writer_view(&w));
        writer_free(&w);
        tls_session_clear(&session);
    }
}

/* See fuzz_tls_flight.c for how flights are written. */
static void tls_messages(void)
{
    save("tls_message", "updates", hex("1800000101 1800000100"));
    save("tls_message", "ticket", hex("0400000b 00000e10 00000001 00 0001 61"));
    save("tls_message", "request", hex("00000000"));
    save("tls_flight", "clear",
         hex("00 0010 16 0303 000b 02 000003 aabbcc 0d 000014"
             "0019 16 0303 0014 02 0140 0004 0401 0403 0009 0003 616263 0002 6465"
             "0009 16 0303 0004 0e 000000"));
    save("tls_flight", "old",
         hex("04 0017 16 0303 0012 0d 00000e 02 0140 0009 0003 616263 0002 6465"));
    save("tls_flight", "encrypted",
         hex("03 0006 08 000002 0000 001e 0d 00001a 01 ff 0016 000d 0004 0002 0403 002f 000a 0008"
             "0003 616263 0001 64"));
    save("tls_flight", "datagrams",
         hex("08 001c 16 fefd 0000 000000000001 000f 0d00000c 0003 000000 000003 010100"
             "0022 16 fefd 0000 000000000002 0015 0d00000c 0003 000003 000009"
             "02 0401 0004 0002 3000"));
    save("tls_flight", "none", hex("03 0006 08 000002 0000 0005 0b 000001 00"));
}

#define RANDOM "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* See fuzz_tls_hello.c and fuzz_tls_library.c for what a script is. */
static void tls_scripts(void)
{
    save("tls_hello", "server",
         hex("01 81 0035 0303" RANDOM "00 0002 1301 01 00 000a 001c 0002 4001 0031 0000"
             "02 002e 0303" RANDOM "00 1302 00 0006 001c 0002 0400"));
    save("tls_hello", "client",
         hex("00 01 0035 0303" RANDOM "00 0002 1301 01 00 000a 001c 0002 4001 0031 0000"
             "82 002e 0303" RANDOM "00 1302 00 0006 001c 0002 0400"
             "88 0008 0006 001c 0002 0800"));
    save("tls_hello", "datagram",
         hex("03 81 003a 0303" RANDOM "00 04 01020304 0002 1301 01 00 000a 001c 0002 4001 0031"
             "0000"));
    save("tls_library", "hello",
         hex("05 00 00 0044 16 0301 003f 01 00003b 0303" RANDOM "00 0002 c02b 01 00 0010"
             "000a 0004 0002 001d 000d 0004 0002 0403 00 0000"));
    save("tls_library", "alert", hex("05 02 00 0007 15 0303 0002 0228 00 0000"));
    save("tls_library", "ticket",
         hex("00 04 00 0000 03 000a 17 0303 0005 1122334455 02 0000 04 0000"));
    save("tls_library", "records",
         hex("2c 08 02 000a 17 0303 0005 1122334455 04 0000 00 0009 16 0303 0004 00 000000"));
    save("tls_library", "request", hex("11 03 01 0000 00 0003 16 0303 01 0000"));
    save("tls_library", "datagrams",
         hex("03 02 00 000d 16 fefd 0000000000000000 0000 00 0000 02 0001 17"));
}

int main(int argc, char **argv)
{
    if (argc != 2 || crypto_init() != SEC_E_OK) {
        fprintf(stderr, "usage: make_seeds FOLDER\n");
        return EXIT_FAILURE;
    }
    folder = argv[1];
    handshakes(false);
    handshakes(true);
    other_handshakes();
    other_bodies();
    other_messages();
    envelopes();
    negotiations();
    spnego_bodies();
    security_layers();
    scripts();
    web_messages();
    identities();
    targets();
    msv_messages();
    kerberos_messages();
    save("pac", "whole", pac_sample());
    kerberos_records();
    tls_records();
    tls_sessions();
    tls_messages();
    tls_scripts();
    tls_bodies();
    seeds_kerberos();
    return EXIT_SUCCESS;
}
