/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations on what TLS is made of. A record is sealed, opened and put back, cut to every shorter
 * length, and changed in every bit. `suite` is IANA's number; TLS 1.3 has a `secret`, TLS 1.2 has a
 * `key` and an `iv`.
 */
#pragma once

#include "fields.h"

#include "core/kdf.h"
#include "core/tls.h"

static void run_aead(enum aead_algorithm algorithm)
{
    struct slice plain = get("plain", 0), clear = get("associated", 0), nonce = get("nonce", 12);
    uint8_t data[256], tag[AEAD_TAG_SIZE];
    struct aead *aead = NULL;
    if (!ok(plain.size <= sizeof(data), "size")) return;
    if (plain.size) memcpy(data, plain.data, plain.size);
    succeed(aead_create(algorithm, get("key", aead_key_size(algorithm)).data, &aead), "create");
    if (!aead) return;
    succeed(aead_seal(aead, nonce.data, clear, data, plain.size, tag), "aead_seal");
    expect("cipher", data, plain.size);
    expect("tag", tag, sizeof(tag));
    succeed(aead_open(aead, nonce.data, clear, data, plain.size, tag), "aead_open");
    expect("plain", data, plain.size);
    aead_free(aead);
}

static void run_aes_128_gcm(void)
{
    run_aead(AEAD_AES_128_GCM);
}

static void run_aes_256_gcm(void)
{
    run_aead(AEAD_AES_256_GCM);
}

static void run_chacha20_poly1305(void)
{
    run_aead(AEAD_CHACHA20_POLY1305);
}

/* ---- key derivation ---- */

static void run_digest(void)
{
    enum crypto_hash hash = get_hash();
    struct slice data = get("data", 0);
    uint8_t digest[HASH_SIZE_MAX];
    succeed(hash_digest(hash, &data, 1, digest), "digest");
    expect("digest", digest, hash_size(hash));
}

static void run_hmac(void)
{
    enum crypto_hash hash = get_hash();
    struct slice data = get("data", 0);
    uint8_t mac[HASH_SIZE_MAX];
    succeed(hash_mac(hash, get("key", 0), &data, 1, mac), "HMAC");
    expect("mac", mac, hash_size(hash));
}

static void run_hkdf_expand(void)
{
    uint8_t out[256];
    size_t size = get("out", 0).size;
    if (!ok(size <= sizeof(out), "size")) return;
    succeed(hkdf_expand(get_hash(), get("secret", 0), get("info", 0), out, size), "expand");
    expect("out", out, size);
}

static void run_hkdf_expand_label(void)
{
    uint8_t out[256];
    size_t size = get("out", 0).size;
    if (!ok(size <= sizeof(out), "size")) return;
    succeed(hkdf_expand_label(get_hash(), get("secret", 0), get_text("label"), get("context", 0),
                              out, size),
            "expand");
    expect("out", out, size);
}

static void run_tls12_prf(void)
{
    uint8_t out[256];
    size_t size = get("out", 0).size;
    if (!ok(size <= sizeof(out), "size")) return;
    succeed(tls12_prf(get_hash(), get("secret", 0), get_text("label"), get("seed", 0), out, size),
            "PRF");
    expect("out", out, size);
}

/* ---- sessions ---- */

static void copy_field(const char *name, uint8_t *to, size_t room)
{
    struct slice bytes = get(name, 0);
    if (ok(bytes.size <= room, "%s has %zu bytes", name, bytes.size) && bytes.size)
        memcpy(to, bytes.data, bytes.size);
}

/* One direction of the section, as ours and as the peer's. */
static bool make_session(struct tls_session *session)
{
    memset(session, 0, sizeof(*session));
    session->suite = tls_suite_find((uint16_t)get_big("suite", 2));
    if (!ok(session->suite != NULL, "suite")) return false;
    session->version = has("secret") ? TLS_1_3 : TLS_1_2;
    if (has("secret")) {
        copy_field("secret", session->send.secret, sizeof(session->send.secret));
    } else {
        copy_field("key", session->send.key, sizeof(session->send.key));
        copy_field("iv", session->send.iv, sizeof(session->send.iv));
    }
    if (has("sequence")) session->send.sequence = get_big("sequence", 8);
    session->receive = session->send;
    succeed(tls_session_start(session), "start");
    if (!session->receive.aead) return false;
    if (session->version == TLS_1_2) return true;
    expect_if("key", (struct slice){session->send.key,
                                    aead_key_size(session->suite->cipher == TLS_CIPHER_AES_128_GCM
                                                      ? AEAD_AES_128_GCM
                                                      : AEAD_AES_256_GCM)});
    expect_if("iv", (struct slice){session->send.iv, sizeof(session->send.iv)});
    return true;
}

/* What no change of a record may be taken for; a wrong length may ask for more. */
static void change_record(struct tls_session *session, struct slice record)
{
    struct tls_record out;
    size_t missing;
    uint64_t sequence = session->receive.sequence;
    uint8_t *block = malloc(record.size);
    if (!block) abort();
    for (size_t bit = 0; bit < 8 * record.size; bit++) {
        memcpy(block, record.data, record.size);
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
        status_t status = tls_record_open(session, block, record.size, &out, &missing);
        bool longer = status == SEC_E_INCOMPLETE_MESSAGE && (bit / 8 == 3 || bit / 8 == 4);
        ok(longer || status == SEC_E_MESSAGE_ALTERED || status == SEC_E_INVALID_TOKEN,
           "bit %zu: %x", bit, (unsigned)status);
        ok(session->receive.sequence == sequence, "bit %zu advances nothing", bit);
    }
    free(block);
}

static void cut_record(struct tls_session *session, struct slice record)
{
    struct tls_record out;
    for (size_t size = 0; size < record.size; size++) {
        size_t missing = 0, whole = size < 5 ? 5 : record.size;
        uint8_t *block = malloc(size ? size : 1);
        if (!block) abort();
        memcpy(block, record.data, size);
        status_t status = tls_record_open(session, block, size, &out, &missing);
        ok(status == SEC_E_INCOMPLETE_MESSAGE && missing == whole - size, "%zu bytes: %x, %zu",
           size, (unsigned)status, missing);
        ok(!memcmp(block, record.data, size), "%zu bytes are as they were", size);
        free(block);
    }
}

static void open_record(struct tls_session *session, struct slice record, uint8_t type)
{
    struct tls_record out = {0};
    size_t missing;
    uint8_t *block = malloc(record.size);
    if (!block) abort();
    memcpy(block, record.data, record.size);
    succeed(tls_record_open(session, block, record.size, &out, &missing), "open");
    ok(out.type == type && out.whole == record.size, "type %u, %zu bytes", out.type, out.whole);
    expect("plain", out.data, out.size);
    succeed(tls_record_restore(session, block, &out), "restore");
    ok(!memcmp(block, record.data, record.size), "restored bytes");
    succeed(tls_record_open(session, block, record.size, &out, &missing), "open again");
    free(block);
}

static void run_tls_record(void)
{
    struct tls_session session;
    struct slice plain = get("plain", 0), record = get("record", 0);
    uint8_t type = get("type", 1).data[0];
    bool made = make_session(&session);
    size_t head = made ? tls_header_size(&session) : 0;
    size_t whole = made ? head + plain.size + tls_trailer_size(&session) : 0;
    uint8_t *block = malloc(whole + 1);
    if (!block) abort();
    if (made && ok(whole == record.size, "size")) {
        if (plain.size) memcpy(block + head, plain.data, plain.size);
        succeed(tls_record_seal(&session, (enum tls_type)type, block, block + head, plain.size,
                                block + head + plain.size),
                "seal");
        expect("record", block, whole);
        change_record(&session, record);
        cut_record(&session, record);
        open_record(&session, record, type);
    }
    free(block);
    tls_session_clear(&session);
}

static void run_tls_key_update(void)
{
    struct tls_session session;
    if (make_session(&session)) {
        succeed(tls_key_update(&session, &session.send), "update");
        ok(!session.send.sequence, "sequence");
        expect("next_secret", session.send.secret, get("secret", 0).size);
        expect("next_key", session.send.key, get("next_key", 0).size);
        expect("next_iv", session.send.iv, sizeof(session.send.iv));
    }
    tls_session_clear(&session);
}

static void run_tls_export(void)
{
    struct tls_session session;
    uint8_t out[256];
    size_t size = get("out", 0).size;
    memset(&session, 0, sizeof(session));
    session.suite = tls_suite_find((uint16_t)get_big("suite", 2));
    session.version = has("client_random") ? TLS_1_2 : TLS_1_3;
    copy_field("master", session.master, sizeof(session.master));
    if (has("client_random")) {
        copy_field("client_random", session.client_random, sizeof(session.client_random));
        copy_field("server_random", session.server_random, sizeof(session.server_random));
    }
    struct slice context = has("context") ? get("context", 0) : (struct slice){NULL, 0};
    if (!ok(session.suite && size <= sizeof(out), "suite, size")) return;
    succeed(
        tls_export_keys(&session, get_text("label"), has("context") ? &context : NULL, out, size),
        "export");
    expect("out", out, size);
}

/* ---- messages ---- */

/* One encrypted record of a flight. */
static void run_tls_flight(void)
{
    struct tls_flight flight;
    bool requested = false;
    const struct tls_suite *suite = tls_suite_find((uint16_t)get_big("suite", 2));
    tls_flight_init(&flight);
    succeed(tls_flight_decrypt(&flight, suite, get("secret", 0)), "secret");
    succeed(tls_flight_record(&flight, get("record", 0), &requested), "record");
    ok(requested == has("issuers"), "requested");
    if (requested) {
        struct slice issuers = {NULL, 0};
        succeed(tls_flight_issuers(&flight, TLS_1_3, &issuers), "issuers");
        expect("issuers", issuers.data, issuers.size);
    }
    tls_flight_clear(&flight);
}
