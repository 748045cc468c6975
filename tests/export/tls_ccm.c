/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Connections with suites of CCM (RFC 6655, RFC 8446 B.4), which are to be had by naming them in
 * the registry only [D tls-registry-settings]: records, new keys, moves, and the question of a
 * certificate. Values of the registry hold for the whole system: all is ours.
 */
#include "support.h"
#include "../api/tls_records.h"

#define ORDER \
    L"SYSTEM\\CurrentControlSet\\Control\\Cryptography\\Configuration\\Local\\SSL\\00010002"

static struct tls_pair pair;
static struct tls_bytes blob, bytes;
static struct opened opened;

/* What the registry names. The server's certificate is of an RSA key. */
static const struct {
    wchar_t names[96];
    DWORD suites[2]; /* of TLS 1.2, of TLS 1.3 */
    DWORD tag;
} lists[] = {
    {L"TLS_RSA_WITH_AES_256_CCM\0TLS_AES_128_CCM_SHA256\0", {0xc09d, 0x1304}, 16},
    {L"TLS_RSA_WITH_AES_128_CCM_8\0TLS_AES_128_CCM_8_SHA256\0", {0xc0a0, 0x1305}, 8},
};

static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};

static bool connect_with(const struct tls_pair_options *options, DWORD suite)
{
    SecPkgContext_CipherInfo info = {.dwVersion = SECPKGCONTEXT_CIPHERINFO_V1};
    SECURITY_STATUS status = tls_pair_make(&pair, options);
    bytes.size = 0;
    if (!ok(status == SEC_E_OK, "no connection: %08lx", status)) return false;
    status = QueryContextAttributesW(&pair.client, SECPKG_ATTR_CIPHER_INFO, &info);
    return ok(!status && info.dwCipherSuite == suite, "%08lx, suite %#lx", status,
              info.dwCipherSuite);
}

static void expect_sizes(int v, DWORD tag)
{
    SecPkgContext_StreamSizes sizes = {0};
    SECURITY_STATUS status = QueryContextAttributesW(&pair.server, SECPKG_ATTR_STREAM_SIZES,
                                                     &sizes);
    ok(!status && sizes.cbHeader == (v ? 5 : 13) && sizes.cbTrailer == (v ? tag + 1 : tag),
       "%08lx, header %lu, trailer %lu", status, sizes.cbHeader, sizes.cbTrailer);
}

static void expect_nothing_sent(void)
{
    bytes.size = 0;
    SECURITY_STATUS status = record_seal(&pair.server, 0, NULL, 0, &bytes);
    ok(status == SEC_E_OK, "a record of nothing: %08lx", status);
    record_open(&pair.client, &bytes, 0, &opened);
    ok(!opened.status && !opened_part(&opened, SECBUFFER_DATA).cbBuffer, "opened: %08lx",
       opened.status);
}

static void move(CtxtHandle *context)
{
    SECURITY_STATUS status = tls_export(context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob);
    ok(status == SEC_E_OK, "export: %08lx", status);
    if (status) return;
    status = tls_import(&blob, context);
    ok(status == SEC_E_OK, "import: %08lx", status);
    if (status) tls_handle_forget(context);
}

/* The client, played, asks for new keys (RFC 8446 4.6.3). */
static void expect_new_keys(void)
{
    struct forger forger;
    BYTE update[TLS_KEY_UPDATE_SIZE], answer[TLS_KEY_UPDATE_SIZE];
    const uint64_t tickets = records_on(&pair.to_client);
    if (!ok(forger_start(&forger, &pair, false), "no peer")) return;
    forger.session.receive.sequence = tickets;
    tls_key_update_write(true, update);
    tls_key_update_write(false, answer);
    pair.to_client.size = pair.to_client.arrived = bytes.size = 0;
    forger_put(&forger, TLS_HANDSHAKE, update, sizeof(update), &bytes);
    wire_put(&pair.to_server, bytes.data, bytes.size);
    pair.to_server.arrived = pair.to_server.size;
    SECURITY_STATUS status = tls_pair_server_leg(&pair);
    ok(status == SEC_E_OK && !pair.to_server.size, "leg: %08lx", status);
    memcpy(bytes.data, pair.to_client.bytes, bytes.size = pair.to_client.size);
    ok(forger_get(&forger, &bytes, TLS_HANDSHAKE, answer, sizeof(answer)), "answer");
    ok(forger_update(&forger, true) && forger_update(&forger, false), "no keys");
    for (unsigned i = 0; i < 2; i++) {
        bytes.size = 0;
        ok(!record_seal(&pair.server, 0, "reply", 5, &bytes), "seal");
        ok(forger_get(&forger, &bytes, TLS_APPLICATION_DATA, "reply", 5), "reply %u", i);
    }
    forger_end(&forger);
}

static void run_list(size_t i)
{
    for (int v = 0; v < 2; v++) {
        const struct tls_pair_options options = {.client_version = versions[v],
                                                 .server_version = versions[v],
                                                 .server_flags = ASC_REQ_MUTUAL_AUTH,
                                                 .want_secrets = true};
        if (!connect_with(&options, lists[i].suites[v])) continue;
        ok(pair.options.client_flags & ISC_REQ_USE_SUPPLIED_CREDS, "was not asked");
        if (v) expect_new_keys();
        tls_pair_close(&pair);
        if (!connect_with(&options, lists[i].suites[v])) continue;
        expect_sizes(v, lists[i].tag);
        ok(tls_pair_talk(&pair), "no talk");
        expect_nothing_sent();
        for (unsigned times = 0; times < 2; times++) {
            move(&pair.client);
            move(&pair.server);
            ok(records_talk(&pair.client, &pair.server), "no talk after %u moves", times + 1);
        }
        tls_pair_close(&pair);
    }
}

static void test_suites(void)
{
    struct saved_value saved;
    if (!ours_only()) return;
    for (size_t i = 0; i < ARRAYSIZE(lists); i++) {
        if (ok(value_save(&saved, ORDER, L"Functions") &&
                   value_set(&saved, REG_MULTI_SZ, lists[i].names, sizeof(lists[i].names)),
               "the list cannot be set")) {
            second_pass();
            winetest_push_context("list %u", (unsigned)i);
            run_list(i);
            winetest_pop_context();
        }
        value_restore(&saved);
    }
}

int main(void)
{
    RUN(test_suites);
    tls_certs_end();
    return test_end("export_tls_ccm");
}
