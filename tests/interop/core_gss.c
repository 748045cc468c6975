/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The portable library against the GSS-API mechanism gss-ntlmssp in one process: every kind of
 * session and proof that both know. LM_COMPAT_LEVEL, which the mechanism reads, says what it sends
 * and takes; the accounts are those of the file that NTLM_USER_FILE names.
 */
#include "core/ntlm.h"
#include "core/utf16.h"
#include "test.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <time.h>

/* 1.3.6.1.4.1.311.2.2.10, and what gss-ntlmssp adds to the interface: a flag, and an option that
 * sets the number of the next datagram. */
static gss_OID_desc ntlm_oid = {10, (void *)"\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
static gss_OID_set_desc ntlm_set = {1, &ntlm_oid};
static gss_OID_desc sequence_oid = {11, (void *)"\x2b\x06\x01\x04\x01\xb7\x7d\x85\x0f\x01\x01"};
#define DATAGRAM_FLAG 0x10000u

#define PROTECTION (NTLM_SIGN | NTLM_SEAL)
#define PROTECTED (GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG)

static int level; /* LM_COMPAT_LEVEL */

/* ---- one end of each kind ---- */

struct ends {
    struct ntlm_context core;
    gss_ctx_id_t gss;
    gss_cred_id_t cred;
    struct writer sent;       /* by core */
    gss_buffer_desc received; /* by core */
    uint8_t nt_hash[16], lm_hash[16], v2_hash[16];
};

static struct slice text(const char *ascii)
{
    static uint8_t pool[4096];
    static size_t used;
    struct writer w;
    writer_init_fixed(&w, pool + used, sizeof(pool) - used);
    utf16_from_utf8(&w, ascii);
    used = (used + w.size) % 2048;
    return writer_view(&w);
}

static struct slice bytes(const char *ascii)
{
    return (struct slice){(const uint8_t *)ascii, strlen(ascii)};
}

static void ends_init(struct ends *ends, enum ntlm_role role, bool wrong)
{
    memset(ends, 0, sizeof(*ends));
    ntlm_context_init(&ends->core, role);
    writer_init(&ends->sent);
    ok(!ntlm_nt_hash(text(wrong ? "Passwort" : "Password"), ends->nt_hash), "NT hash");
    ok(!ntlm_lm_hash((const uint8_t *)"PASSWORD\0\0\0\0\0", ends->lm_hash), "LM hash");
    ok(!ntlm_v2_hash(ends->nt_hash, text("ALICE"), text("INTEROP"), ends->v2_hash), "NTLMv2 hash");
    if (wrong) ends->lm_hash[0] ^= 1;
}

static void ends_clear(struct ends *ends)
{
    uint32_t minor;
    ntlm_context_clear(&ends->core);
    writer_free(&ends->sent);
    gss_release_buffer(&minor, &ends->received);
    gss_release_cred(&minor, &ends->cred);
    gss_delete_sec_context(&minor, &ends->gss, GSS_C_NO_BUFFER);
}

static struct slice received(const struct ends *ends)
{
    return (struct slice){ends->received.value, ends->received.length};
}

static uint64_t now(void)
{
    return (uint64_t)time(NULL) * 10000000 + 116444736000000000;
}

/* ---- messages ---- */

static bool same_key(struct ends *ends)
{
    gss_buffer_set_t keys = GSS_C_NO_BUFFER_SET;
    uint32_t minor;
    if (gss_inquire_sec_context_by_oid(&minor, ends->gss, GSS_C_INQ_SSPI_SESSION_KEY, &keys))
        return false;
    bool same = keys->count && keys->elements[0].length == 16 &&
                !memcmp(keys->elements[0].value, ends->core.session.session_key, 16);
    gss_release_buffer_set(&minor, &keys);
    return same;
}

static void talk_sealed(struct ends *ends)
{
    uint8_t wire[16 + 14] = "";
    gss_buffer_desc in = {sizeof(wire), wire}, out = GSS_C_EMPTY_BUFFER;
    struct message_part part = {wire + 16, 14, true};
    uint32_t minor;
    int sealed;
    memcpy(part.data, "from this side", 14);
    ok(!ntlm_seal(&ends->core.session, 0, &part, 1, wire), "seal");
    ok(!gss_unwrap(&minor, ends->gss, &in, &out, &sealed, NULL), "unwrap");
    ok(out.length == 14 && !memcmp(out.value, "from this side", 14), "and read");
    gss_release_buffer(&minor, &out);

    gss_buffer_desc answer = {15, (void *)"from the mech.."};
    if (!ok(!gss_wrap(&minor, ends->gss, 1, 0, &answer, &sealed, &out), "wrap")) return;
    part = (struct message_part){(uint8_t *)out.value + 16, out.length - 16, true};
    ok(!ntlm_unseal(&ends->core.session, 0, &part, 1, out.value), "unseal");
    ok(part.size == 15 && !memcmp(part.data, "from the mech..", 15), "and read");
    gss_release_buffer(&minor, &out);
}

/* number: of datagrams; others count themselves. */
static void talk_signed(struct ends *ends, uint32_t number)
{
    uint8_t signature[16], data[6] = "signed";
    struct message_part part = {data, sizeof(data), false};
    gss_buffer_desc message = {sizeof(data), data}, mic = {sizeof(signature), signature};
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER, value = {sizeof(number), &number};
    bool datagram = ends->core.session.flags & NTLM_DATAGRAM;
    uint32_t minor;
    if (datagram)
        ok(!gss_set_sec_context_option(&minor, &ends->gss, &sequence_oid, &value), "number");
    ok(!ntlm_sign(&ends->core.session, number, &part, 1, signature), "sign");
    ok(!gss_verify_mic(&minor, ends->gss, &message, &mic, NULL), "verified there");
    if (datagram)
        ok(!gss_set_sec_context_option(&minor, &ends->gss, &sequence_oid, &value), "number");
    if (!ok(!gss_get_mic(&minor, ends->gss, 0, &message, &out), "signed there")) return;
    ok(out.length == 16 && !ntlm_verify(&ends->core.session, number, &part, 1, out.value),
       "verify");
    gss_release_buffer(&minor, &out);
}

/* gss-ntlmssp 1.2.0 enciphers a datagram before it makes the stream of it, so those are signed
 * only. */
static void talk(struct ends *ends)
{
    uint32_t flags = ends->core.session.flags;
    ok(same_key(ends), "the same key");
    for (uint32_t i = 0; i < 4; i++) {
        if (flags & NTLM_SEAL && !(flags & NTLM_DATAGRAM)) talk_sealed(ends);
        if (flags & PROTECTION) talk_signed(ends, 3 * i);
    }
}

/* ---- this library's client ---- */

struct client_case {
    const char *name;
    uint32_t flags;
    enum ntlm_proof proof;
    bool send_lm, wrong;
    int highest_level; /* at which the mechanism knows what it needs */
};

#define STRONG (NTLM_STRONG | PROTECTION)
static const struct client_case client_cases[] = {
    {"client, NTLMv2", STRONG, NTLM_PROOF_V2, false, false, 5},
    {"client, NTLMv2, signing", NTLM_STRONG | NTLM_SIGN, NTLM_PROOF_V2, false, false, 5},
    {"client, NTLMv2, neither", NTLM_STRONG, NTLM_PROOF_V2, false, false, 5},
    {"client, NTLMv2, no key exchange", STRONG & ~NTLM_KEY_EXCH, NTLM_PROOF_V2, false, false, 5},
    {"client, NTLMv2, 56 bits", STRONG & ~NTLM_128, NTLM_PROOF_V2, false, false, 5},
    {"client, NTLMv2, 40 bits", STRONG & ~(NTLM_128 | NTLM_56), NTLM_PROOF_V2, false, false, 5},
    {"client, NTLMv2, no ESS", STRONG & ~NTLM_ESS, NTLM_PROOF_V2, false, false, 5},
    {"client, NTLMv2, OEM", (STRONG & ~NTLM_UNICODE) | NTLM_OEM, NTLM_PROOF_V2, false, false, 5},
    {"client, NTLMv2, wrong password", STRONG, NTLM_PROOF_V2, false, true, 5},
    {"client, NTLMv1 with ESS", STRONG, NTLM_PROOF_V1, false, false, 4},
    {"client, NTLMv1", STRONG & ~NTLM_ESS, NTLM_PROOF_V1, false, false, 4},
    {"client, NTLMv1 and LM", STRONG & ~NTLM_ESS, NTLM_PROOF_V1, true, false, 4},
    {"client, NTLMv1, LM key of 56 bits", (STRONG & ~(NTLM_ESS | NTLM_128)) | NTLM_LM_KEY,
     NTLM_PROOF_V1, true, false, 1},
    {"client, NTLMv1, LM key of 40 bits", NTLM_UNICODE | NTLM_LM_KEY | NTLM_KEY_EXCH | PROTECTION,
     NTLM_PROOF_V1, true, false, 1},
    {"client, NTLMv1, LM key, no key exchange", NTLM_UNICODE | NTLM_LM_KEY | PROTECTION,
     NTLM_PROOF_V1, true, false, 1},
    {"client, NTLMv1, a key that is no NT key", (STRONG & ~NTLM_ESS) | NTLM_NON_NT_SESSION_KEY,
     NTLM_PROOF_V1, true, false, 1},
    /* With ESS gss-ntlmssp 1.2.0 takes any. */
    {"client, NTLMv1, wrong password", STRONG & ~NTLM_ESS, NTLM_PROOF_V1, false, true, 4},
};
static const struct client_case *client_case;

static uint32_t accept_step(struct ends *ends)
{
    gss_buffer_desc in = {ends->sent.size, ends->sent.data}, out = GSS_C_EMPTY_BUFFER;
    gss_name_t name = GSS_C_NO_NAME;
    uint32_t minor, major = gss_accept_sec_context(&minor, &ends->gss, ends->cred, &in, NULL, &name,
                                                   NULL, &out, NULL, NULL, NULL);
    gss_release_name(&minor, &name);
    gss_release_buffer(&minor, &ends->received);
    ends->received = out;
    writer_free(&ends->sent);
    return major;
}

static status_t answer(struct ends *ends)
{
    struct ntlm_challenge challenge;
    struct ntlm_client_finish finish = {.proof = client_case->proof,
                                        .send_lm = client_case->send_lm,
                                        .user = text("alice"),
                                        .domain = text("INTEROP"),
                                        .workstation = text("WS"),
                                        .oem_user = bytes("alice"),
                                        .oem_domain = bytes("INTEROP"),
                                        .oem_workstation = bytes("WS"),
                                        .now = now()};
    memcpy(finish.nt_hash, ends->nt_hash, 16);
    memcpy(finish.lm_hash, ends->lm_hash, 16);
    memcpy(finish.v2_hash, ends->v2_hash, 16);
    memset(finish.client_challenge, 0xAA, 8);
    memset(finish.random_session_key, 0x37, 16);
    status_t status = ntlm_challenge_decode(received(ends), &challenge);
    if (!status_ok(status)) return status;
    return ntlm_client_finish(&ends->core, received(ends), &challenge, &finish, &ends->sent);
}

static void run_client(void)
{
    struct ends ends;
    struct ntlm_client_start start = {.flags = client_case->flags,
                                      .target_name = text("HOST/server")};
    uint32_t minor;
    ends_init(&ends, NTLM_CLIENT, client_case->wrong);
    ok(!gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, &ntlm_set, GSS_C_ACCEPT, &ends.cred, NULL, NULL),
       "credential");
    ok(!ntlm_client_start(&ends.core, &start, &ends.sent), "start");
    ok(accept_step(&ends) == GSS_S_CONTINUE_NEEDED, "challenge");
    ok(!answer(&ends), "answer");
    uint32_t major = accept_step(&ends);
    ok((major == GSS_S_COMPLETE) == !client_case->wrong, "accept: %08x", (unsigned)major);
    if (major == GSS_S_COMPLETE) talk(&ends);
    ends_clear(&ends);
}

/* ---- this library's server ---- */

struct server_case {
    const char *name;
    uint32_t withheld, added; /* of the flags that may be granted */
    uint32_t request;         /* of the mechanism */
    bool wrong;
};
static const struct server_case server_cases[] = {
    {"server", 0, 0, PROTECTED, false},
    {"server, signing", 0, 0, GSS_C_INTEG_FLAG, false},
    {"server, neither", 0, 0, 0, false},
    {"server, no key exchange", NTLM_KEY_EXCH, 0, PROTECTED, false},
    {"server, 56 bits", NTLM_128, 0, PROTECTED, false},
    {"server, no ESS", NTLM_ESS, 0, PROTECTED, false},
    {"server, OEM", NTLM_UNICODE, NTLM_OEM, PROTECTED, false},
    {"server, LM key", NTLM_ESS, NTLM_LM_KEY, PROTECTED, false},
    {"server, datagrams", 0, NTLM_DATAGRAM, PROTECTED | DATAGRAM_FLAG, false},
    {"server, wrong password", 0, 0, PROTECTED, true},
};
static const struct server_case *server_case;

static uint32_t init_step(struct ends *ends, gss_name_t target)
{
    gss_buffer_desc in = {ends->sent.size, ends->sent.data}, out = GSS_C_EMPTY_BUFFER;
    uint32_t minor,
        major = gss_init_sec_context(&minor, ends->cred, &ends->gss, target, &ntlm_oid,
                                     server_case->request, 0, NULL, &in, NULL, &out, NULL, NULL);
    gss_release_buffer(&minor, &ends->received);
    ends->received = out;
    writer_free(&ends->sent);
    return major;
}

static status_t challenge(struct ends *ends)
{
    struct ntlm_server_start start = {
        .flags = ((NTLM_STRONG | PROTECTION) & ~server_case->withheld) | server_case->added,
        .server_challenge = "12345678",
        .now = now(),
        .nb_computer = text("SERVER"),
        .nb_domain = text("INTEROP"),
        .dns_computer = text("server.interop"),
        .dns_domain = text("interop"),
        .oem_target = bytes("SERVER"),
    };
    return ntlm_server_start(&ends->core, received(ends), &start, &ends->sent);
}

/* Below level 3 the mechanism sends NTLMv1. */
static status_t accept_answer(struct ends *ends)
{
    struct ntlm_authenticate message;
    struct ntlm_server_finish finish = {.proof = level < 3 ? NTLM_PROOF_V1 : NTLM_PROOF_V2,
                                        .has_lm = true,
                                        .timestamp_window = 600000000,
                                        .now = now()};
    memcpy(finish.nt_hash, ends->nt_hash, 16);
    memcpy(finish.lm_hash, ends->lm_hash, 16);
    memcpy(finish.v2_hash, ends->v2_hash, 16);
    status_t status = ntlm_authenticate_decode(received(ends), &message);
    if (!status_ok(status)) return status;
    return ntlm_server_finish(&ends->core, received(ends), &message, &finish);
}

static gss_name_t import(const char *name, gss_OID type)
{
    gss_buffer_desc buffer = {strlen(name), (void *)name};
    gss_name_t imported = GSS_C_NO_NAME;
    uint32_t minor;
    ok(!gss_import_name(&minor, &buffer, type, &imported), "name %s", name);
    return imported;
}

static void run_server(void)
{
    struct ends ends;
    gss_buffer_desc password = {8, (void *)"Password"};
    gss_name_t user = import("INTEROP\\alice", GSS_C_NT_USER_NAME);
    gss_name_t target = import("host@server.interop", GSS_C_NT_HOSTBASED_SERVICE);
    uint32_t minor;
    ends_init(&ends, NTLM_SERVER, server_case->wrong);
    ok(!gss_acquire_cred_with_password(&minor, user, &password, 0, &ntlm_set, GSS_C_INITIATE,
                                       &ends.cred, NULL, NULL),
       "credential");
    ok(init_step(&ends, target) == GSS_S_CONTINUE_NEEDED, "negotiate");
    ok(!challenge(&ends), "challenge");
    ok(!GSS_ERROR(init_step(&ends, target)), "answer");
    status_t status = accept_answer(&ends);
    ok(status == (server_case->wrong ? SEC_E_LOGON_DENIED : SEC_E_OK), "accept: %x",
       (unsigned)status);
    if (status_ok(status)) talk(&ends);
    gss_release_name(&minor, &user);
    gss_release_name(&minor, &target);
    ends_clear(&ends);
}

int main(void)
{
    const char *value = getenv("LM_COMPAT_LEVEL");
    if (!value || crypto_init() != SEC_E_OK) return EXIT_FAILURE;
    level = atoi(value);
    for (size_t i = 0; i < sizeof(client_cases) / sizeof(*client_cases); i++) {
        client_case = &client_cases[i];
        if (level <= client_case->highest_level) test_run(client_case->name, run_client);
    }
    for (size_t i = 0; i < sizeof(server_cases) / sizeof(*server_cases); i++) {
        server_case = &server_cases[i];
        test_run(server_case->name, run_server);
    }
    return test_end("interop_core_gss");
}
