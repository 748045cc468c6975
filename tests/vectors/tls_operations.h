/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Operations on what TLS is made of. A record is sealed, opened and put back, cut to every shorter
 * length, and changed in every bit; so are those of a flight. `suite` is IANA's number; TLS 1.3 has
 * a `secret`, TLS 1.2 has a `key` and an `iv`.
 */
#pragma once

#include "fields.h"

#include "core/kdf.h"
#include "core/tls.h"
#include "core/tls_binding.h"

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
    expect("tag", tag, aead_tag_size(algorithm));
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

static void run_aes_128_ccm(void)
{
    run_aead(AEAD_AES_128_CCM);
}

static void run_aes_256_ccm(void)
{
    run_aead(AEAD_AES_256_CCM);
}

static void run_aes_128_ccm_8(void)
{
    run_aead(AEAD_AES_128_CCM_8);
}

static void run_aes_256_ccm_8(void)
{
    run_aead(AEAD_AES_256_CCM_8);
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

/* With what serves many messages, of which each comes in two parts. */
static void hmac_in_parts(enum crypto_hash hash, struct slice key, struct slice data,
                          struct slice mac)
{
    struct hasher *hasher = NULL;
    uint8_t made[HASH_SIZE_MAX];
    succeed(hasher_create(hash, &key, &hasher), "create");
    if (!hasher) return;
    for (size_t at = 0; at <= data.size; at++) {
        hasher_start(hasher);
        hasher_update(hasher, data.data, at);
        hasher_update(hasher, data.data + at, data.size - at);
        hasher_finish(hasher, made, mac.size);
        ok(equal((struct slice){made, mac.size}, mac), "in two parts, at %zu", at);
    }
    hasher_free(hasher);
}

/* Two have functions of their own. */
static status_t hmac_by_name(enum crypto_hash hash, struct slice key, struct slice data,
                             uint8_t *mac)
{
    if (hash == CRYPTO_MD5) return hmac_md5(key, &data, 1, mac);
    if (hash == CRYPTO_SHA256) return hmac_sha256(key, &data, 1, mac);
    return hash_mac(hash, key, &data, 1, mac);
}

/* As much of it as there is. */
static void run_hmac(void)
{
    enum crypto_hash hash = get_hash();
    struct slice key = get("key", 0), data = get("data", 0), mac = get("mac", 0);
    uint8_t made[HASH_SIZE_MAX], again[HASH_SIZE_MAX];
    if (!ok(mac.size && mac.size <= hash_size(hash), "size")) return;
    succeed(hash_mac(hash, key, &data, 1, made), "HMAC");
    expect("mac", made, mac.size);
    succeed(hmac_by_name(hash, key, data, again), "HMAC by its name");
    expect("mac", again, mac.size);
    hmac_in_parts(hash, key, data, mac);
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

static size_t key_size(const struct tls_session *session)
{
    return session->suite->key_bits / 8u;
}

/* One direction of the section, as ours and as the peer's. */
static bool make_session(struct tls_session *session)
{
    memset(session, 0, sizeof(*session));
    session->suite = tls_suite_find((uint16_t)get_big("suite", 2));
    if (!ok(session->suite != NULL, "suite")) return false;
    session->version = has("secret") ? TLS_1_3 : TLS_1_2;
    if (has("secret")) {
        copy_field("secret", session->send.secret, hash_size(tls_suite_hash(session->suite)));
    } else {
        copy_field("key", session->send.key, sizeof(session->send.key));
        copy_field("iv", session->send.iv, sizeof(session->send.iv));
    }
    if (has("sequence")) session->send.sequence = get_big("sequence", 8);
    session->receive = session->send;
    succeed(tls_session_start(session), "start");
    if (!session->receive.aead) return false;
    if (session->version == TLS_1_2) return true;
    expect_if("key", (struct slice){session->send.key, key_size(session)});
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
        uint8_t *block = copy_of(record, size);
        status_t status = tls_record_open(session, block, size, &out, &missing);
        ok(status == SEC_E_INCOMPLETE_MESSAGE && missing == whole - size, "%zu bytes: %x, %zu",
           size, (unsigned)status, missing);
        ok(!memcmp(block, record.data, size), "%zu bytes are as they were", size);
        free(block);
    }
}

/* The types of the messages in it, all of them whole. */
static void check_messages(struct slice text)
{
    struct tls_handshake_message message;
    struct reader r;
    struct slice types = get("messages", 0);
    size_t count = 0;
    reader_init(&r, text.data, text.size);
    for (; tls_message_next(&r, &message); count++)
        ok(count < types.size && message.type == types.data[count], "message %zu", count);
    ok(count == types.size && reader_end(&r), "%zu messages", count);
}

static void open_record(struct tls_session *session, struct slice record, uint8_t type)
{
    struct tls_record out = {0};
    size_t missing;
    uint64_t number = session->receive.sequence, next = number + (type != TLS_CHANGE_CIPHER_SPEC);
    uint8_t *block = copy_of(record, record.size);
    succeed(tls_record_open(session, block, record.size, &out, &missing), "open");
    ok(out.type == type && out.whole == record.size, "type %u, %zu bytes", out.type, out.whole);
    ok(session->receive.sequence == next, "sequence");
    expect("plain", out.data, out.size);
    if (has("messages")) check_messages((struct slice){out.data, out.size});
    succeed(tls_record_restore(session, block, &out), "restore");
    ok(!memcmp(block, record.data, record.size), "restored bytes");
    ok(session->receive.sequence == number, "restored sequence");
    succeed(tls_record_open(session, block, record.size, &out, &missing), "open again");
    free(block);
}

static void seal_record(struct tls_session *session, struct slice plain, uint8_t type)
{
    size_t head = tls_header_size(session);
    size_t whole = head + plain.size + tls_trailer_size(session);
    uint8_t *block = malloc(whole);
    if (!block) abort();
    if (plain.size) memcpy(block + head, plain.data, plain.size);
    succeed(tls_record_seal(session, (enum tls_type)type, block, block + head, plain.size,
                            block + head + plain.size),
            "seal");
    expect("record", block, whole);
    free(block);
}

static void run_tls_record(void)
{
    struct tls_session session;
    struct slice plain = get("plain", 0), record = get("record", 0);
    uint8_t type = get("type", 1).data[0];
    if (make_session(&session)) {
        /* TLS 1.3 has this one in clear, and a session makes none. */
        if (type != TLS_CHANGE_CIPHER_SPEC) seal_record(&session, plain, type);
        change_record(&session, record);
        cut_record(&session, record);
        open_record(&session, record, type);
    }
    tls_session_clear(&session);
}

static void run_tls_key_update(void)
{
    struct tls_session session;
    if (make_session(&session)) {
        succeed(tls_key_update(&session, &session.send), "update");
        ok(!session.send.sequence, "sequence");
        expect("next_secret", session.send.secret, get("secret", 0).size);
        expect("next_key", session.send.key, key_size(&session));
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

/* A record that is changed or cut is refused, and nothing of it is taken. */
static void damage_flight(struct tls_flight *flight, struct slice record)
{
    bool requested = false;
    for (size_t bit = 0; bit < 8 * record.size; bit++) {
        uint8_t *block = copy_of(record, record.size);
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
        status_t status = tls_flight_record(flight, (struct slice){block, record.size}, &requested);
        ok(status == SEC_E_INVALID_TOKEN && !requested, "bit %zu: %x", bit, (unsigned)status);
        free(block);
    }
    for (size_t size = 0; size < record.size; size++) {
        uint8_t *block = copy_of(record, size);
        status_t status = tls_flight_record(flight, (struct slice){block, size}, &requested);
        ok(status == SEC_E_INVALID_TOKEN && !requested, "%zu bytes: %x", size, (unsigned)status);
        free(block);
    }
}

/* One record after the other. */
static bool look_at(struct tls_flight *flight, struct slice records)
{
    bool requested = false;
    struct reader r;
    reader_init(&r, records.data, records.size);
    while (reader_left(&r)) {
        bool found = false;
        size_t start = r.pos;
        reader_skip(&r, TLS_RECORD_HEADER - 2);
        reader_skip(&r, reader_u16be(&r));
        if (!ok(reader_ok(&r), "whole records")) break;
        struct slice record = {records.data + start, r.pos - start};
        if (flight->encrypted) damage_flight(flight, record);
        succeed(tls_flight_record(flight, record, &found), "record");
        requested = requested || found;
    }
    ok(!flight->head_size, "the last message is whole");
    return requested;
}

/* The records of a flight: those in clear, if they are there, then the others. */
static void run_tls_flight(void)
{
    struct tls_flight flight;
    const struct tls_suite *suite = tls_suite_find((uint16_t)get_big("suite", 2));
    tls_flight_init(&flight);
    if (has("clear")) ok(!look_at(&flight, get("clear", 0)), "requested in clear");
    succeed(tls_flight_decrypt(&flight, suite, get("secret", 0)), "secret");
    bool requested = look_at(&flight, get("record", 0));
    ok(requested == has("issuers"), "requested");
    if (requested) {
        struct slice issuers = {NULL, 0};
        succeed(tls_flight_issuers(&flight, TLS_1_3, &issuers), "issuers");
        expect("issuers", issuers.data, issuers.size);
    }
    tls_flight_clear(&flight);
}

/* ---- certificates ---- */

/* What is cut is read no further, and what is changed may be anything. */
static void damage_certificate(struct slice certificate)
{
    for (size_t size = 0; size < certificate.size; size++) {
        uint8_t *block = copy_of(certificate, size);
        const struct slice part = {block, size};
        ok(tls_binding_hash(part) == CRYPTO_SHA256, "hash of %zu bytes", size);
        ok(!tls_certificate_is_ecdsa(part), "key of %zu bytes", size);
        free(block);
    }
    uint8_t *block = copy_of(certificate, certificate.size);
    const struct slice changed = {block, certificate.size};
    for (size_t bit = 0; bit < 8 * certificate.size; bit++) {
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ok(tls_binding_hash(changed) <= CRYPTO_SHA512, "bit %zu", bit);
        tls_certificate_is_ecdsa(changed);
        block[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(block);
}

/* What tls-server-end-point takes of it. */
static void run_tls_binding(void)
{
    struct slice certificate = get("certificate", 0);
    uint8_t digest[HASH_SIZE_MAX];
    enum crypto_hash hash = tls_binding_hash(certificate);
    ok(hash == get_hash(), "hash");
    ok(tls_certificate_is_ecdsa(certificate) == get("ecdsa", 1).data[0], "ecdsa");
    succeed(hash_digest(hash, &certificate, 1, digest), "digest");
    expect("digest", digest, hash_size(hash));
    damage_certificate(certificate);
}
