/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every allocation of the library fails once: each operation then says so, leaves its objects as
 * they were, and succeeds when it is tried again. Linked with --wrap for malloc and calloc.
 */
#include "core/identity.h"
#include "core/packed.h"
#include "core/target.h"
#include "handshake.h"
#include "kerberos_pair.h"
#include "tls_pair.h"

/* How many allocations still succeed; negative when none is to fail. */
static int allowed = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool refuse(void)
{
    return allowed >= 0 && !allowed--;
}

void *__wrap_malloc(size_t size)
{
    return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refuse() ? NULL : __real_calloc(count, size);
}

/* Runs one step with each of its allocations failing in turn, then with none. */
#define WITH_FAILURES(name, step, unchanged)                                                   \
    do {                                                                                       \
        status_t with_failures_status = SEC_E_INSUFFICIENT_MEMORY;                             \
        int with_failures_count = 0;                                                           \
        for (; with_failures_count < 100; with_failures_count++) {                             \
            allowed = with_failures_count;                                                     \
            with_failures_status = (step);                                                     \
            bool with_failures_all = allowed >= 0;                                             \
            allowed = -1;                                                                      \
            if (with_failures_all) break;                                                      \
            ok(with_failures_status == SEC_E_INSUFFICIENT_MEMORY, name ": failure %d is told", \
               with_failures_count);                                                           \
            ok((unchanged), name ": failure %d leaves no trace", with_failures_count);         \
        }                                                                                      \
        ok(with_failures_status == SEC_E_OK, name ": works in the end");                       \
        ok(with_failures_count > 0, name ": %d allocations", with_failures_count);             \
    } while (0)

static status_t start(struct handshake *h)
{
    writer_free(&h->negotiate);
    return handshake_start(h);
}

static status_t challenge(struct handshake *h)
{
    writer_free(&h->challenge);
    return handshake_challenge(h);
}

static status_t answer(struct handshake *h)
{
    writer_free(&h->authenticate);
    return handshake_answer(h);
}

/* The modes that allocate differently. */
static void set_mode(struct handshake *h, int mode)
{
    if (mode == 0) return;
    h->client_finish.proof = h->server_finish.proof = NTLM_PROOF_V1;
    h->client_start.flags = NTLM_OEM | NTLM_SIGN;
    h->server_finish.user = wide("User");
    if (mode == 1) h->client_start.flags |= NTLM_ESS;
}

static void steps(int mode)
{
    struct handshake h;
    handshake_init(&h);
    set_mode(&h, mode);
    WITH_FAILURES("start", start(&h),
                  h.client.stage == NTLM_STAGE_START && !h.client.negotiate.data &&
                      !h.client.target_name.data);
    WITH_FAILURES("challenge", challenge(&h),
                  h.server.stage == NTLM_STAGE_START && !h.server.negotiate.data &&
                      !h.server.challenge.data);
    WITH_FAILURES("answer", answer(&h),
                  h.client.stage == NTLM_STAGE_NEGOTIATE_SENT && h.client.negotiate.data &&
                      !h.client.user.data);
    WITH_FAILURES("accept", handshake_accept(&h),
                  h.server.stage == NTLM_STAGE_CHALLENGE_SENT && h.server.challenge.data &&
                      !h.server.user.data);
    ok(handshake_works(&h), "both ends talk");
    handshake_clear(&h);
}

static void steps_v2(void)
{
    steps(0);
}

static void steps_v1(void)
{
    steps(1);
    steps(2);
}

static status_t copy_of(struct ntlm_context *copy, const struct ntlm_context *ctx)
{
    struct writer w;
    writer_init(&w);
    ntlm_context_write(ctx, false, &w);
    status_t status = writer_status(&w);
    if (status_ok(status)) status = ntlm_context_read(copy, writer_view(&w));
    writer_free(&w);
    return status;
}

static void moving(void)
{
    struct handshake h;
    struct ntlm_context copy;
    handshake_init(&h);
    ok(!handshake_start(&h) && !handshake_challenge(&h), "half way");
    WITH_FAILURES("move half-open", copy_of(&copy, &h.server), h.server.challenge.data);
    ntlm_context_clear(&copy);
    ok(!handshake_answer(&h) && !handshake_accept(&h), "established");
    WITH_FAILURES("move established", copy_of(&copy, &h.server), h.server.user.data);
    ntlm_context_clear(&copy);
    ok(handshake_works(&h), "the original is whole");
    handshake_clear(&h);
}

/* The first message of a direction makes its HMAC. */
static void first_messages(void)
{
    struct handshake h;
    uint8_t data[8] = "message", signature[16];
    struct message_part part = {data, 8, true};
    handshake_init(&h);
    ok(!handshake_run(&h), "run");
    WITH_FAILURES("seal", ntlm_seal(&h.client.session, 0, &part, 1, signature),
                  !memcmp(data, "message", 8) && !h.client.session.send.sequence);
    uint8_t sealed[8];
    memcpy(sealed, data, 8);
    WITH_FAILURES("unseal", ntlm_unseal(&h.server.session, 0, &part, 1, signature),
                  !memcmp(data, sealed, 8) && !h.server.session.receive.sequence);
    ok(!memcmp(data, "message", 8), "data");
    WITH_FAILURES("sign", ntlm_sign(&h.server.session, 0, &part, 1, signature),
                  !h.server.session.send.sequence);
    WITH_FAILURES("verify", ntlm_verify(&h.client.session, 0, &part, 1, signature),
                  !h.client.session.receive.sequence);
    allowed = 0;
    ok(!ntlm_sign(&h.server.session, 0, &part, 1, signature), "no allocation after the first");
    ok(!ntlm_verify(&h.client.session, 0, &part, 1, signature), "nor for verifying");
    allowed = -1;
    handshake_clear(&h);
}

static status_t pack(struct aead *aead, struct writer *w)
{
    struct packed packed = {.package = wide("NTLM"), .body = ascii("body")};
    writer_free(w);
    return packed_encode(&packed, aead, w);
}

static status_t create_aead(struct aead **out)
{
    static const uint8_t key[32];
    return aead_create(AEAD_AES_256_GCM, key, out);
}

static void envelope(void)
{
    struct aead *aead = NULL;
    struct writer w;
    writer_init(&w);
    WITH_FAILURES("aead", create_aead(&aead), !aead);
    WITH_FAILURES("pack", pack(aead, &w), !writer_view(&w).size);
    writer_free(&w);
    aead_free(aead);
}

static status_t encode_target(const struct target_info *info, struct writer *w)
{
    writer_free(w);
    return target_info_encode(info, w);
}

static status_t decode_target(struct slice text, struct target_info *out, size_t *used)
{
    struct writer room;
    writer_init(&room);
    status_t status = target_info_decode(text, &room, out, used);
    writer_free(&room);
    return status;
}

static void identities(void)
{
    static const struct identity_key key = {0x10, {1}};
    static const uint8_t nonce[12];
    struct identity_parts parts = {.user = wide("user"), .packed = ascii("packed")};
    struct writer plain, block;
    size_t room = identity_room(&parts);
    writer_init(&plain);
    writer_init(&block);
    ok(!identity_encode(&parts, room, &plain) && !identity_encode(&parts, room, &block), "encode");
    WITH_FAILURES("seal", identity_seal_block(block.data, room, &key, nonce),
                  !memcmp(block.data, plain.data, room));
    uint8_t *sealed = exact_copy(block.data, room);
    WITH_FAILURES("open", identity_open_block(block.data, room, &key),
                  !memcmp(block.data, sealed, room));
    ok(!memcmp(block.data, plain.data, room), "as it was");
    free(sealed);
    writer_free(&block);
    writer_free(&plain);
}

static void targets(void)
{
    struct target_info info = {.flags = 1}, out = {.flags = 77};
    struct writer w;
    size_t used = 5;
    info.names[TARGET_NAME] = wide("server");
    writer_init(&w);
    WITH_FAILURES("encode", encode_target(&info, &w), !writer_view(&w).size);
    WITH_FAILURES("decode", decode_target(writer_view(&w), &out, &used),
                  out.flags == 77 && used == 5);
    writer_free(&w);
}

static status_t start_tls(struct tls_session *session, size_t kind)
{
    tls_session_clear(session);
    tls_session_fill(session, kind, false);
    return tls_session_start(session);
}

static status_t read_tls(struct slice body, struct tls_session *out)
{
    struct reader r;
    reader_init(&r, body.data, body.size);
    return tls_session_read(&r, out);
}

static status_t write_tls(const struct tls_session *session, struct writer *w)
{
    writer_free(w);
    tls_session_write(session, w);
    return writer_status(w);
}

static void tls_sessions(void)
{
    static const struct slice text = {(const uint8_t *)"text", 4};
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        struct tls_session made;
        struct writer w;
        uint8_t out[32];
        memset(&made, 0, sizeof(made));
        if (!tls_pair_init(&pair, kind)) continue;
        WITH_FAILURES("start", start_tls(&made, kind), true);
        tls_session_clear(&made);
        if (pair.client.version == TLS_1_2)
            WITH_FAILURES("export", tls_export_keys(&pair.client, text, NULL, out, 32), true);
        writer_init(&w);
        WITH_FAILURES("write", write_tls(&pair.client, &w), !w.size);
        WITH_FAILURES("read", read_tls(writer_view(&w), &made), !made.version && !made.send.aead);
        ok(tls_moves(&made, &pair.server, text), "the copy works");
        if (pair.client.version == TLS_1_3) {
            WITH_FAILURES("update", tls_key_update(&made, &made.send),
                          tls_moves(&made, &pair.server, text));
            ok(!tls_key_update(&pair.server, &pair.server.receive) &&
                   tls_moves(&made, &pair.server, text),
               "the new key works");
        }
        writer_free(&w);
        tls_session_clear(&made);
        tls_pair_clear(&pair);
    }
}

/* Records ask for no memory. */
static void tls_records(void)
{
    for (size_t kind = 0; kind < TLS_KINDS; kind++) {
        struct tls_pair pair;
        struct tls_record record;
        uint8_t block[100] = {0};
        size_t missing;
        if (!tls_pair_init(&pair, kind)) continue;
        size_t head = tls_header_size(&pair.client),
               size = head + 20 + tls_trailer_size(&pair.client);
        allowed = 0;
        status_t sealed = tls_record_seal(&pair.client, TLS_APPLICATION_DATA, block, block + head,
                                          20, block + head + 20);
        status_t opened = tls_record_open(&pair.server, block, size, &record, &missing);
        status_t restored = tls_record_restore(&pair.server, block, &record);
        ok(allowed == 0, "nothing was asked for");
        allowed = -1;
        ok(!sealed && !opened && !restored, "seal, open, restore");
        tls_pair_clear(&pair);
    }
}

static status_t look_at(struct tls_flight *flight, struct slice record)
{
    bool requested;
    return tls_flight_record(flight, record, &requested);
}

static void tls_handshakes(void)
{
    struct tls_session server;
    struct tls_flight flight;
    size_t size;
    tls_session_fill(&server, 3, true);
    ok(!tls_session_start(&server), "start");
    uint8_t *block = tls_seal(&server, TLS_HANDSHAKE, hex("08000000"), &size);
    tls_flight_init(&flight);
    WITH_FAILURES("decrypt",
                  tls_flight_decrypt(&flight, server.suite, view(server.send.secret, 32)),
                  !flight.encrypted);
    WITH_FAILURES("look", look_at(&flight, view(block, size)), !flight.session.receive.sequence);
    tls_flight_clear(&flight);
    free(block);
    tls_session_clear(&server);
}

static status_t wrap_text(struct kerberos_session *from, bool encrypt, uint8_t *text,
                          struct kerberos_wrapping *wrapping, uint8_t *padding)
{
    static uint8_t token[KERBEROS_TOKEN_MAX];
    struct message_part part = {text, 8, true};
    *wrapping = (struct kerberos_wrapping){encrypt, token, sizeof(token), padding, 1};
    return kerberos_wrap(from, kerberos_confounder, &part, 1, wrapping);
}

static status_t unwrap_text(struct kerberos_session *to, uint8_t *text,
                            struct kerberos_wrapping *wrapping)
{
    struct message_part part = {text, 8, true};
    return kerberos_unwrap(to, &part, 1, wrapping);
}

/* The first message of its kind makes keys, and the others make none. */
static void kerberos_first(struct kerberos_pair *pair, bool encrypt)
{
    uint8_t text[8] = "message", sealed[8], padding;
    struct kerberos_wrapping wrapping = {0};
    uint64_t sent = pair->client.send.next, received = pair->server.receive.next;
    WITH_FAILURES("wrap", wrap_text(&pair->client, encrypt, text, &wrapping, &padding),
                  !memcmp(text, "message", 8) && pair->client.send.next == sent);
    memcpy(sealed, text, sizeof(sealed));
    WITH_FAILURES("unwrap", unwrap_text(&pair->server, text, &wrapping),
                  !memcmp(text, sealed, 8) && pair->server.receive.next == received);
    ok(!memcmp(text, "message", 8), "data");
    allowed = 0;
    status_t wrapped = wrap_text(&pair->client, encrypt, text, &wrapping, &padding);
    status_t unwrapped = unwrap_text(&pair->server, text, &wrapping);
    ok(allowed == 0 && !wrapped && !unwrapped, "nothing was asked for");
    allowed = -1;
}

static void kerberos_messages(void)
{
    for (size_t kind = 0; kind < KERBEROS_KINDS; kind++) {
        struct kerberos_pair pair;
        uint8_t token[KERBEROS_TOKEN_MAX];
        size_t size = 0;
        if (!kerberos_pair_init(&pair, kind)) continue;
        kerberos_first(&pair, false);
        kerberos_first(&pair, true);
        kerberos_pair_clear(&pair);
        if (!kerberos_pair_init(&pair, kind)) continue;
        WITH_FAILURES("sign", kerberos_sign(&pair.client, NULL, 0, token, sizeof(token), &size),
                      pair.client.send.next == KERBEROS_CLIENT_FIRST && !size);
        WITH_FAILURES("verify", kerberos_verify(&pair.server, NULL, 0, view(token, size)),
                      pair.server.receive.next == KERBEROS_CLIENT_FIRST);
        kerberos_pair_clear(&pair);
    }
}

int main(void)
{
    if (crypto_init() != SEC_E_OK) return EXIT_FAILURE;
    RUN(steps_v2);
    RUN(steps_v1);
    RUN(moving);
    RUN(first_messages);
    RUN(envelope);
    RUN(identities);
    RUN(targets);
    RUN(tls_sessions);
    RUN(tls_records);
    RUN(tls_handshakes);
    RUN(kerberos_messages);
    return test_end("unit_memory");
}
