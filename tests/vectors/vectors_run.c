/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Runs files of test vectors (see vec.h): vectors_run FILE.vec... Each section is one case, and
 * its operation one of the functions below, which takes its inputs and compares its results by
 * name. A field that no operation looks at is a failure.
 */
#include "damage.h"
#include "fields.h"
#include "kerberos_operations.h"
#include "tls_operations.h"

#include "core/ntlm.h"
#include "core/secret.h"
#include "core/sasl.h"
#include "core/spnego.h"

/* ---- primitives ---- */

static void run_md4(void)
{
    uint8_t digest[16];
    succeed(md4(get("data", 0), digest), "md4");
    expect("digest", digest, sizeof(digest));
}

static void run_md5(void)
{
    struct slice data = get("data", 0);
    uint8_t digest[16];
    succeed(md5(&data, 1, digest), "md5");
    expect("digest", digest, sizeof(digest));
}

static void run_crc32(void)
{
    struct slice data = get("data", 0);
    uint32_t crc = crc32_update(0, data.data, data.size);
    uint8_t bytes[4] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16),
                        (uint8_t)(crc >> 24)};
    expect("crc", bytes, sizeof(bytes));
}

static void run_des(void)
{
    uint8_t out[8];
    succeed(des_block(get("key", 7).data, get("plain", 8).data, out), "des_block");
    expect("cipher", out, sizeof(out));
}

/* What is in the stream at_NUMBER. */
static void run_rc4(void)
{
    static const uint8_t zeros[4112];
    uint8_t stream[sizeof(zeros)];
    struct slice key = get("key", 0);
    struct rc4 rc4;
    if (!ok(key.size, "size")) return;
    rc4_init(&rc4, key.data, key.size);
    rc4_crypt(&rc4, zeros, stream, sizeof(stream));
    for (size_t i = 0; i < section->count; i++) {
        const char *name = section->fields[i].name;
        if (strncmp(name, "at_", 3)) continue;
        size_t at = strtoul(name + 3, NULL, 10), size = get(name, 0).size;
        if (ok(at <= sizeof(stream) && size <= sizeof(stream) - at, "%s", name))
            expect(name, stream + at, size);
    }
}

/* ---- hashes, responses, keys ---- */

static void run_password(void)
{
    uint8_t hash[16], padded[14] = {0};
    succeed(ntlm_nt_hash(get("password", 0), hash), "NT hash");
    expect("nt_hash", hash, sizeof(hash));
    if (!has("oem")) return;
    struct slice oem = get("oem", 0);
    if (oem.size <= sizeof(padded)) memcpy(padded, oem.data, oem.size);
    succeed(ntlm_lm_hash(padded, hash), "LM hash");
    expect("lm_hash", hash, sizeof(hash));
}

static void run_v2_hash(void)
{
    uint8_t hash[16];
    succeed(ntlm_v2_hash(get("nt_hash", 16).data, get("upper_user", 0), get("domain", 0), hash),
            "NTLMv2 hash");
    expect("hash", hash, sizeof(hash));
}

/* ExportedSessionKey enciphered under the exchange key, where the section has one. */
static void check_encrypted_key(const uint8_t exchange_key[16])
{
    uint8_t encrypted[16];
    struct rc4 rc4;
    if (!has("session_key")) return;
    rc4_init(&rc4, exchange_key, 16);
    rc4_crypt(&rc4, get("session_key", 16).data, encrypted, sizeof(encrypted));
    expect("encrypted_key", encrypted, sizeof(encrypted));
}

static void run_ntlm_v1(void)
{
    uint32_t flags = get_flags();
    const uint8_t *challenge = get("server_challenge", 8).data;
    const uint8_t *nt_hash = get("nt_hash", 16).data, *lm_hash = get("lm_hash", 16).data;
    uint8_t nt[24], lm[24] = {0}, base_key[16], key[16];
    if (flags & NTLM_ESS) {
        const uint8_t *client_challenge = get("client_challenge", 8).data;
        succeed(ntlm_v1_ess_response(nt_hash, challenge, client_challenge, nt), "NT response");
        memcpy(lm, client_challenge, 8);
    } else {
        succeed(ntlm_v1_response(nt_hash, challenge, nt), "NT response");
        succeed(ntlm_v1_response(lm_hash, challenge, lm), "LM response");
    }
    expect("nt_response", nt, sizeof(nt));
    expect("lm_response", lm, sizeof(lm));
    succeed(ntlm_v1_session_base_key(nt_hash, base_key), "base key");
    expect("base_key", base_key, sizeof(base_key));
    succeed(ntlm_v1_exchange_key(flags, base_key, lm_hash, challenge, lm, key), "exchange key");
    expect("exchange_key", key, sizeof(key));
    check_encrypted_key(key);
}

static void run_ntlm_v2(void)
{
    const uint8_t *hash = get("v2_hash", 16).data, *challenge = get("server_challenge", 8).data;
    uint8_t proof[16], base_key[16], lm[24];
    succeed(ntlm_v2_proof(hash, challenge, get("temp", 0), proof), "proof");
    expect("proof", proof, sizeof(proof));
    succeed(ntlm_v2_session_base_key(hash, proof, base_key), "base key");
    expect("base_key", base_key, sizeof(base_key));
    check_encrypted_key(base_key);
    if (!has("lm_response")) return;
    succeed(ntlm_v2_lm_response(hash, challenge, get("client_challenge", 8).data, lm), "LMv2");
    expect("lm_response", lm, sizeof(lm));
}

static void run_keys(void)
{
    static const char *const names[2][2] = {{"sign_from_server", "seal_from_server"},
                                            {"sign_from_client", "seal_from_client"}};
    uint32_t flags = get_flags();
    const uint8_t *session_key = get("session_key", 16).data;
    for (int to_server = 0; to_server < 2; to_server++) {
        uint8_t key[16];
        succeed(ntlm_sign_key(session_key, to_server, key), "signing key");
        expect(names[to_server][0], key, sizeof(key));
        succeed(ntlm_seal_key(flags, session_key, to_server, key), "sealing key");
        expect(names[to_server][1], key, sizeof(key));
    }
}

static void run_mic(void)
{
    uint8_t mic[16];
    succeed(ntlm_mic(get("session_key", 16).data, get("negotiate", 0), get("challenge", 0),
                     get("authenticate", 0), mic),
            "MIC");
    expect("mic", mic, sizeof(mic));
}

/* An address is its type (4, big endian) and its bytes. */
static void get_address(const char *name, uint32_t *type, struct slice *address)
{
    struct reader r;
    if (!has(name)) return;
    struct slice bytes = get(name, 0);
    reader_init(&r, bytes.data, bytes.size);
    *type = reader_u32be(&r);
    *address = reader_bytes(&r, reader_left(&r));
}

static void run_channel_bindings(void)
{
    uint8_t hash[16];
    struct ntlm_channel_bindings bindings = {.application_data = get("data", 0)};
    get_address("initiator", &bindings.initiator_type, &bindings.initiator);
    get_address("acceptor", &bindings.acceptor_type, &bindings.acceptor);
    succeed(ntlm_channel_binding_hash(&bindings, hash), "hash");
    expect("hash", hash, sizeof(hash));
}

/* ---- sessions ---- */

#define PARTS_MAX 4

/* A step: "client_seal = [+]PART... > SEALED SIGNATURE", "client_sign = PART... > SIGNATURE", or
 * the same from the server. A part with + is covered by the signature only. In datagrams the
 * name ends with the message's number: "client_seal_7". */
struct step {
    struct message_part parts[PARTS_MAX];
    uint8_t *plain[PARTS_MAX];
    size_t count;
    struct slice sealed, signature;
};

static bool parse_step(struct step *step, char *value, bool seal)
{
    memset(step, 0, sizeof(*step));
    char *word = strtok(value, " ");
    for (; word && strcmp(word, ">"); word = strtok(NULL, " ")) {
        if (step->count == PARTS_MAX) return false;
        bool covered_only = *word == '+';
        struct slice part = decode(word + covered_only), plain = decode(word + covered_only);
        step->parts[step->count] = (struct message_part){(uint8_t *)part.data, part.size,
                                                         seal && !covered_only};
        step->plain[step->count++] = (uint8_t *)plain.data;
    }
    char *first = strtok(NULL, " "), *second = seal ? strtok(NULL, " ") : NULL;
    if (!first || (seal && !second) || strtok(NULL, " ")) return false;
    if (seal) step->sealed = decode(first);
    step->signature = decode(seal ? second : first);
    return step->signature.size == NTLM_SIGNATURE_SIZE;
}

static void check_sealed(const struct step *step)
{
    uint8_t joined[256];
    size_t size = 0;
    for (size_t i = 0; i < step->count; i++) {
        const struct message_part *part = &step->parts[i];
        if (!part->sealed || size + part->size > sizeof(joined)) continue;
        memcpy(joined + size, part->data, part->size);
        size += part->size;
    }
    if (!ok(equal((struct slice){joined, size}, step->sealed), "sealed data"))
        print_bytes((struct slice){joined, size});
}

static void run_step(struct vec_field *field, struct ntlm_session *from, struct ntlm_session *to)
{
    struct step step;
    uint8_t signature[NTLM_SIGNATURE_SIZE];
    bool seal = strstr(field->name, "_seal") != NULL;
    uint32_t number = (uint32_t)strtoul(strrchr(field->name, '_') + 1, NULL, 10);
    field->used = true;
    if (!ok(parse_step(&step, field->value, seal), "step %s", field->name)) return;
    status_t status = seal ? ntlm_seal(from, number, step.parts, step.count, signature)
                           : ntlm_sign(from, number, step.parts, step.count, signature);
    succeed(status, field->name);
    if (seal) check_sealed(&step);
    if (!ok(!memcmp(signature, step.signature.data, sizeof(signature)), "signature"))
        print_bytes((struct slice){signature, sizeof(signature)});
    status = seal ? ntlm_unseal(to, number, step.parts, step.count, signature)
                  : ntlm_verify(to, number, step.parts, step.count, signature);
    succeed(status, "the other end");
    for (size_t i = 0; i < step.count; i++)
        ok(!memcmp(step.parts[i].data, step.plain[i], step.parts[i].size), "part %zu is back", i);
}

static void run_session(void)
{
    struct ntlm_session client, server;
    uint32_t flags = get_flags();
    const uint8_t *session_key = get("session_key", 16).data;
    succeed(ntlm_session_init(&client, flags, session_key, true), "client");
    succeed(ntlm_session_init(&server, flags, session_key, false), "server");
    for (size_t i = 0; i < section->count; i++) {
        struct vec_field *field = &section->fields[i];
        if (!strncmp(field->name, "client_", 7)) run_step(field, &client, &server);
        if (!strncmp(field->name, "server_", 7)) run_step(field, &server, &client);
    }
    ntlm_session_clear(&client);
    ntlm_session_clear(&server);
}

/* ---- messages ---- */

static status_t negotiate_again(struct slice token, struct writer *w)
{
    struct ntlm_negotiate message;
    status_t status = ntlm_negotiate_decode(token, &message);
    if (status_ok(status)) ntlm_negotiate_encode(w, &message);
    return status;
}

static status_t challenge_again(struct slice token, struct writer *w)
{
    struct ntlm_challenge message;
    status_t status = ntlm_challenge_decode(token, &message);
    if (status_ok(status)) ntlm_challenge_encode(w, &message);
    return status;
}

static status_t authenticate_again(struct slice token, struct writer *w)
{
    struct ntlm_authenticate message;
    status_t status = ntlm_authenticate_decode(token, &message);
    if (status_ok(status)) ntlm_authenticate_encode(w, &message);
    return status;
}

static void expect_flags(uint32_t flags)
{
    ok(flags == get_flags(), "flags are %08x", flags);
}

static void run_negotiate(void)
{
    struct ntlm_negotiate message;
    struct slice token = get("token", 0);
    memset(&message, 0, sizeof(message));
    succeed(ntlm_negotiate_decode(token, &message), "decode");
    expect_flags(message.flags);
    expect_if("domain", message.domain);
    expect_if("workstation", message.workstation);
    expect_if("version", (struct slice){message.version, 8});
    check_token(token, negotiate_again);
}

static void run_challenge(void)
{
    struct ntlm_challenge message;
    struct slice token = get("token", 0);
    memset(&message, 0, sizeof(message));
    succeed(ntlm_challenge_decode(token, &message), "decode");
    expect_flags(message.flags);
    expect("server_challenge", message.server_challenge, 8);
    expect("target_name", message.target_name.data, message.target_name.size);
    expect_if("target_info", message.target_info);
    expect_if("version", (struct slice){message.version, 8});
    check_token(token, challenge_again);
}

static void run_authenticate(void)
{
    struct ntlm_authenticate message;
    struct slice token = get("token", 0);
    memset(&message, 0, sizeof(message));
    succeed(ntlm_authenticate_decode(token, &message), "decode");
    expect_flags(message.flags);
    expect("domain", message.domain.data, message.domain.size);
    expect("user", message.user.data, message.user.size);
    expect("workstation", message.workstation.data, message.workstation.size);
    expect("lm_response", message.lm_response.data, message.lm_response.size);
    expect("nt_response", message.nt_response.data, message.nt_response.size);
    expect("encrypted_key", message.encrypted_key.data, message.encrypted_key.size);
    ok(message.has_mic == has("mic"), "MIC");
    expect_if("mic", (struct slice){message.mic, 16});
    check_token(token, authenticate_again);
}

static status_t spnego_init_again(struct slice token, struct writer *w)
{
    struct spnego_init message;
    status_t status = spnego_init_decode(token, &message);
    if (status_ok(status)) spnego_init_encode(w, &message);
    return status;
}

static status_t spnego_response_again(struct slice token, struct writer *w)
{
    struct spnego_response message;
    status_t status = spnego_response_decode(token, &message);
    if (status_ok(status)) spnego_response_encode(w, &message);
    return status;
}

/* An element that the section does not name is not there. */
static void expect_element(const char *name, struct slice found)
{
    ok(has(name) == (found.data != NULL), "%s: %zu bytes", name, found.size);
    expect_if(name, found);
}

static void run_spnego_init(void)
{
    struct spnego_init message;
    struct slice token = get("token", 0);
    memset(&message, 0, sizeof(message));
    ok(spnego_kind(token, NULL) == SPNEGO_INIT, "kind");
    succeed(spnego_init_decode(token, &message), "decode");
    expect("mech_list", message.mech_list.data, message.mech_list.size);
    expect_element("mech_token", message.token);
    expect_element("mic", message.mic);
    expect_element("hint_name", message.hint_name);
    check_token(token, spnego_init_again);
}

static void run_spnego_response(void)
{
    struct spnego_response message;
    struct slice token = get("token", 0);
    memset(&message, 0, sizeof(message));
    ok(spnego_kind(token, NULL) == SPNEGO_RESPONSE, "kind");
    succeed(spnego_response_decode(token, &message), "decode");
    const uint8_t state = (uint8_t)message.state;
    expect("state", &state, 1);
    expect_element("mech", message.mech);
    expect_element("response_token", message.token);
    expect_element("mic", message.mic);
    check_token(token, spnego_response_again);
}

static status_t sasl_offer_again(struct slice token, struct writer *w)
{
    struct sasl_offer message;
    status_t status = sasl_offer_decode(token, &message);
    if (status_ok(status)) sasl_offer_encode(w, &message);
    return status;
}

static status_t sasl_choice_again(struct slice token, struct writer *w)
{
    struct sasl_choice message;
    status_t status = sasl_choice_decode(token, &message);
    if (status_ok(status)) sasl_choice_encode(w, &message);
    return status;
}

static void expect_layers(uint8_t layers, const char *name, uint32_t size)
{
    const uint8_t octets[3] = {(uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size};
    expect(name, &layers, 1);
    expect("size", octets, sizeof(octets));
}

static void run_sasl_offer(void)
{
    struct sasl_offer message = {0, 0};
    struct slice token = get("token", 0);
    succeed(sasl_offer_decode(token, &message), "decode");
    expect_layers(message.layers, "layers", message.size);
    check_token(token, sasl_offer_again);
}

static void run_sasl_choice(void)
{
    struct sasl_choice message = {0};
    struct slice token = get("token", 0);
    succeed(sasl_choice_decode(token, &message), "decode");
    expect_layers(message.layer, "layer", message.size);
    expect("authzid", message.authzid.data, message.authzid.size);
    check_token(token, sasl_choice_again);
}

/* A server that sent this challenge; the context comes from a body written by hand. */
static status_t waiting_server(struct ntlm_context *ctx)
{
    static const uint8_t head[] = {2, NTLM_SERVER, NTLM_STAGE_CHALLENGE_SENT};
    struct ntlm_challenge challenge;
    status_t status = ntlm_challenge_decode(get("challenge", 0), &challenge);
    if (!status_ok(status)) return status;
    struct writer w;
    writer_init(&w);
    writer_bytes(&w, head, sizeof(head));
    writer_zero(&w, 1 + 4 + 4 + 8 + 2 + 2 + 2);
    writer_u32le(&w, challenge.flags);
    writer_zero(&w, 4 + 8);
    size_t mark = writer_open_u16le(&w);
    writer_slice(&w, get("negotiate", 0));
    writer_close_u16le(&w, mark);
    mark = writer_open_u16le(&w);
    writer_slice(&w, get("challenge", 0));
    writer_close_u16le(&w, mark);
    status = ntlm_context_read(ctx, writer_view(&w));
    writer_free(&w);
    return status;
}

static status_t accept_answer(struct ntlm_context *ctx, struct slice token)
{
    struct ntlm_authenticate message;
    struct ntlm_server_finish params;
    memset(&params, 0, sizeof(params));
    if (has("nt_hash")) {
        params.proof = NTLM_PROOF_V1;
        memcpy(params.nt_hash, get("nt_hash", 16).data, 16);
    } else {
        memcpy(params.v2_hash, get("v2_hash", 16).data, 16);
    }
    status_t status = ntlm_authenticate_decode(token, &message);
    return status_ok(status) ? ntlm_server_finish(ctx, token, &message, &params) : status;
}

/* A server accepts this exchange and finds this key; with one bit of it changed it does not. */
static void run_accept(void)
{
    struct ntlm_context ctx;
    struct slice token = get("authenticate", 0);
    status_t status = waiting_server(&ctx);
    succeed(status, "context");
    if (!status_ok(status)) return;
    uint8_t *changed = (uint8_t *)decode(vec_find(section, "authenticate")->value).data;
    for (size_t bit = 0; has("mic") && bit < 8 * token.size; bit++) {
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        status = accept_answer(&ctx, (struct slice){changed, token.size});
        ok(status == SEC_E_LOGON_DENIED || status == SEC_E_INVALID_TOKEN, "bit %zu: %x", bit,
           (unsigned)status);
        changed[bit / 8] ^= (uint8_t)(1 << bit % 8);
        free(blocks[--block_count]); /* the hash, decoded each time */
    }
    succeed(accept_answer(&ctx, token), "accept");
    expect("session_key", ctx.session.session_key, 16);
    ntlm_context_clear(&ctx);
}

/* ---- the runner ---- */

static const struct {
    const char *name;
    void (*run)(void);
} operations[] = {
    {"md4", run_md4},
    {"md5", run_md5},
    {"crc32", run_crc32},
    {"des", run_des},
    {"rc4", run_rc4},
    {"aes_128_gcm", run_aes_128_gcm},
    {"aes_256_gcm", run_aes_256_gcm},
    {"chacha20_poly1305", run_chacha20_poly1305},
    {"aes_128_ccm", run_aes_128_ccm},
    {"aes_256_ccm", run_aes_256_ccm},
    {"aes_128_ccm_8", run_aes_128_ccm_8},
    {"aes_256_ccm_8", run_aes_256_ccm_8},
    {"digest", run_digest},
    {"hmac", run_hmac},
    {"hkdf_expand", run_hkdf_expand},
    {"hkdf_expand_label", run_hkdf_expand_label},
    {"tls12_prf", run_tls12_prf},
    {"tls_record", run_tls_record},
    {"tls_key_update", run_tls_key_update},
    {"tls_export", run_tls_export},
    {"tls_flight", run_tls_flight},
    {"tls_binding", run_tls_binding},
    {"kerberos_fold", run_kerberos_fold},
    {"kerberos_derive", run_kerberos_derive},
    {"kerberos_crypt", run_kerberos_crypt},
    {"kerberos_mic", run_kerberos_mic},
    {"kerberos_stream", run_kerberos_stream},
    {"kerberos_parts", run_kerberos_parts},
    {"password", run_password},
    {"v2_hash", run_v2_hash},
    {"ntlm_v1", run_ntlm_v1},
    {"ntlm_v2", run_ntlm_v2},
    {"keys", run_keys},
    {"mic", run_mic},
    {"channel_bindings", run_channel_bindings},
    {"session", run_session},
    {"negotiate", run_negotiate},
    {"challenge", run_challenge},
    {"authenticate", run_authenticate},
    {"accept", run_accept},
    {"spnego_init", run_spnego_init},
    {"spnego_response", run_spnego_response},
    {"sasl_offer", run_sasl_offer},
    {"sasl_choice", run_sasl_choice},
};

static void run_section(void)
{
    size_t i = 0, count = sizeof(operations) / sizeof(*operations);
    while (i < count && strcmp(operations[i].name, section->operation)) i++;
    if (!ok(i < count, "no operation %s", section->operation)) return;
    operations[i].run();
    for (i = 0; i < section->count; i++)
        ok(section->fields[i].used, "nobody looked at %s", section->fields[i].name);
}

static void take_section(struct vec_section *seen)
{
    section = seen;
    test_run(seen->title, run_section);
    while (block_count) free(blocks[--block_count]);
}

static void file_not_read(void)
{
    ok(false, "cannot be used");
}

int main(int argc, char **argv)
{
    if (crypto_init() != SEC_E_OK) return EXIT_FAILURE;
    if (argc < 2) {
        printf("usage: vectors_run FILE.vec...\n");
        return EXIT_FAILURE;
    }
    for (int i = 1; i < argc; i++) {
        if (!vec_read(argv[i], take_section)) test_run(argv[i], file_not_read);
    }
    return test_end("vectors_run");
}
