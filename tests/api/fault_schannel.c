/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The packages of Schannel short of memory: the legs of handshakes of every kind and those after
 * them, records, attributes, and connections that move. The library of the host has its memory; a
 * leg that fails after it has been given something ends the handshake, and another one with the
 * same credentials succeeds.
 */
#include "tls_records.h"

#include "fault.h"

#include "context_attributes.h"

#include <stddef.h>
#include <stdio.h>

#define SERVER .server_cert = TLS_CERT_SERVER_EC /* whose container leaves nothing behind */

static struct tls_pair pair;

/* ---- legs ---- */

#define LEGS 12 /* more than any handshake has */

static const struct variant {
    const char *name;
    struct tls_pair_options options;
    bool resumed; /* the second handshake of these credentials */
    bool again;   /* another handshake in the connection, or the late question of TLS 1.3 */
    bool kind;    /* of connections: not the legs alone are tried */
} variants[] = {
    {.name = "TLS 1.2", .options = {SERVER, .client_version = TLS_PAIR_1_2}, .kind = true},
    {.name = "TLS 1.3", .options = {SERVER, .client_version = TLS_PAIR_1_3}},
    {.name = "memory of the caller's",
     .options = {SERVER, .caller_memory = true, .want_secrets = true}},
    {.name = "secrets",
     .options = {SERVER, .client_version = TLS_PAIR_1_3, .server_version = TLS_PAIR_1_3,
                 .want_secrets = true}},
    {.name = "an OCSP response", .options = {SERVER, .staple = true}},
    {.name = "a client's certificate",
     .options = {SERVER, .client_cert = TLS_CERT_CLIENT_EC, .server_flags = ASC_REQ_MUTUAL_AUTH,
                 .client_alpn = "\2h2", .server_alpn = "\2h2"},
     .kind = true},
    {.name = "TLS 1.2, without a client's certificate",
     .options = {SERVER, .client_version = TLS_PAIR_1_2, .server_flags = ASC_REQ_MUTUAL_AUTH}},
    {.name = "TLS 1.3, without a client's certificate",
     .options = {SERVER, .server_flags = ASC_REQ_MUTUAL_AUTH}},
    {.name = "CBC",
     .options = {SERVER, .client_version = TLS_PAIR_1_2, .server_version = TLS_PAIR_1_2,
                 .without_aead = true},
     .kind = true},
    {.name = "datagrams", .options = {SERVER, .datagram = true}, .kind = true},
    {.name = "a judged server", .options = {SERVER, .automatic = true}},
    {.name = "TLS 1.2, resumed",
     .options = {SERVER, .client_version = TLS_PAIR_1_2},
     .resumed = true},
    {.name = "TLS 1.3, resumed",
     .options = {SERVER, .client_version = TLS_PAIR_1_3},
     .resumed = true},
    {.name = "a late certificate",
     .options = {SERVER, .client_version = TLS_PAIR_1_3, .client_cert = TLS_CERT_CLIENT_EC},
     .again = true},
    {.name = "another handshake",
     .options = {SERVER, .client_version = TLS_PAIR_1_2},
     .again = true},
};
static const struct variant *variant;

enum turn { TURN_NONE, TURN_CLIENT, TURN_SERVER };

static int legs_before;
static bool begun; /* another handshake */
static bool leg_failed;

static enum turn turn_next(void)
{
    if (!tls_handle_present(&pair.client)) return TURN_CLIENT;
    if (pair.client_status == SEC_I_INCOMPLETE_CREDENTIALS) return TURN_CLIENT;
    if (pair.to_server.size) return TURN_SERVER;
    if (pair.to_client.size) return TURN_CLIENT;
    if (pair.client_status == SEC_I_MESSAGE_FRAGMENT) return TURN_CLIENT;
    if (pair.server_status == SEC_I_MESSAGE_FRAGMENT) return TURN_SERVER;
    return TURN_NONE;
}

static SECURITY_STATUS turn_take(enum turn turn)
{
    if (turn == TURN_SERVER) {
        pair.to_server.arrived = pair.to_server.size;
        SECURITY_STATUS status = tls_pair_server_leg(&pair);
        if (!status && pair.options.datagram) pair.to_server.size = 0; /* what is there twice */
        return status;
    }
    if (pair.client_status == SEC_I_INCOMPLETE_CREDENTIALS)
        pair.options.client_flags |= ISC_REQ_USE_SUPPLIED_CREDS;
    pair.to_client.arrived = pair.to_client.size;
    return tls_pair_client_leg(&pair);
}

/* At the most so many legs; false when one fails or there are fewer. */
static bool turns_take(int count)
{
    for (int i = 0; i < count; i++) {
        enum turn turn = turn_next();
        if (turn == TURN_NONE || turn_take(turn) < 0) return false;
    }
    return true;
}

static bool turns_end(void)
{
    for (int i = 0; i < LEGS && turn_next() != TURN_NONE; i++)
        if (turn_take(turn_next()) < 0) return false;
    return !pair.client_status && !pair.server_status;
}

/* Before the handshake that is tried: tickets are read, too. */
static bool handshake_prepare(void)
{
    begun = false;
    pair.options = variant->options;
    pair.client_status = pair.server_status = SEC_I_CONTINUE_NEEDED;
    if (!variant->resumed && !variant->again) return true;
    if (!turns_end() || !tls_pair_talk(&pair)) return false;
    if (variant->options.staple && !tls_staple_seen(&pair.client)) return false;
    if (variant->again) {
        pair.options.server_flags |= ASC_REQ_MUTUAL_AUTH;
        return true;
    }
    tls_pair_delete(&pair);
    pair.client_status = pair.server_status = SEC_I_CONTINUE_NEEDED;
    return true;
}

/* Another handshake begins with the server's wish, a leg without input. */
static bool first_turn(void)
{
    if (!variant->again || begun) return turns_take(1);
    begun = true;
    return turn_take(TURN_SERVER) >= 0;
}

static bool legs_take(int count)
{
    return !count || (first_turn() && turns_take(count - 1));
}

static bool legs_open(void)
{
    leg_failed = false;
    if (tls_pair_open(&pair, &variant->options)) return false;
    if (handshake_prepare() && legs_take(legs_before) &&
        (turn_next() != TURN_NONE || (variant->again && !begun)))
        return true;
    tls_pair_close(&pair);
    return false;
}

static void legs_close(void)
{
    tls_pair_close(&pair);
}

static SECURITY_STATUS leg_take(void)
{
    bool beginning = variant->again && !legs_before;
    begun = begun || beginning;
    return turn_take(beginning ? TURN_SERVER : turn_next());
}

/* The second time: what the leg came to, or, where that is a lack of memory for good, what another
 * handshake comes to, which may be shorter: with a ticket. */
static LONG leg_again(enum turn turn)
{
    LONG status = turn_take(turn);
    if (status != SEC_E_INSUFFICIENT_MEMORY) return status;
    tls_pair_delete(&pair);
    return handshake_prepare() && first_turn() && turns_end() ? SEC_E_OK : SEC_E_INTERNAL_ERROR;
}

static LONG leg_call(void)
{
    static enum turn turn;
    const CtxtHandle client = pair.client, server = pair.server;
    if (leg_failed) return leg_again(turn);
    const DWORD to_client = pair.to_client.size, to_server = pair.to_server.size;
    turn = variant->again && !legs_before ? TURN_SERVER : turn_next();
    LONG status = leg_take();
    leg_failed = status < 0;
    if (!leg_failed) return status;
    pair.to_client.size = to_client; /* the caller's buffer is as it was: nothing to be sent */
    pair.to_server.size = to_server;
    expect_kept(!memcmp(&client, &pair.client, sizeof(client)) &&
                !memcmp(&server, &pair.server, sizeof(server)));
    return status;
}

static bool leg_check(void)
{
    if (!turns_end() || !tls_pair_talk(&pair)) return false;
    if (variant->options.staple && !tls_staple_seen(&pair.client)) return false;
    const bool wanted = variant->options.want_secrets &&
                        variant->options.client_version == TLS_PAIR_1_3;
    return !wanted || (pair.client_secrets.size && pair.server_secrets.size);
}

static void run_legs(void)
{
    static const struct scenario scenario = {"leg",    KIND_SSPI, legs_open,
                                             leg_call, leg_check, legs_close};
    char text[80];
    for (size_t i = 0; i < ARRAYSIZE(variants); i++) {
        variant = &variants[i];
        for (legs_before = 0; legs_before < LEGS; legs_before++) {
            snprintf(text, sizeof(text), "%s, %d before", variant->name, legs_before);
            scenario_run(&scenario, text);
        }
    }
}

/* ---- connections ---- */

static bool connected(void)
{
    if (tls_pair_open(&pair, &variant->options)) return false;
    pair.client_status = pair.server_status = SEC_I_CONTINUE_NEEDED;
    if (turns_end()) return true;
    tls_pair_close(&pair);
    return false;
}

/* ---- records ---- */

static bool from_server;

static LONG send_call(void)
{
    return tls_pair_send(&pair, from_server, "some text", 9);
}

static bool receive_check(void)
{
    return tls_pair_talk(&pair);
}

static LONG receive_call(void)
{
    BYTE heard[64];
    DWORD size;
    LONG status = tls_pair_receive(&pair, !from_server, heard, sizeof(heard), &size);
    return status || size == 9 ? status : SEC_E_INTERNAL_ERROR;
}

static bool send_check(void)
{
    return !receive_call() && receive_check();
}

static bool sent(void)
{
    if (!connected()) return false;
    if (!send_call()) return true;
    tls_pair_close(&pair);
    return false;
}

static void run_records(const char *text)
{
    static const struct scenario ways[] = {
        {"EncryptMessage", KIND_SSPI, connected, send_call, send_check, legs_close},
        {"DecryptMessage", KIND_SSPI, sent, receive_call, receive_check, legs_close},
    };
    scenario_run(&ways[0], text);
    scenario_run(&ways[1], text);
}

/* ---- the end ---- */

static bool shutdown_open(void)
{
    static const DWORD token[] = {SCHANNEL_SHUTDOWN};
    if (!connected()) return false;
    if (!tls_control(from_server ? &pair.server : &pair.client, token, 1)) return true;
    tls_pair_close(&pair);
    return false;
}

static LONG shutdown_call(void)
{
    return from_server ? tls_pair_server_leg(&pair) : tls_pair_client_leg(&pair);
}

static bool shutdown_check(void)
{
    BYTE heard[64];
    DWORD size;
    return tls_pair_receive(&pair, !from_server, heard, sizeof(heard), &size) ==
           SEC_I_CONTEXT_EXPIRED;
}

static void run_shutdown(const char *text)
{
    static const struct scenario scenario = {"shutdown",    KIND_SSPI,      shutdown_open,
                                             shutdown_call, shutdown_check, legs_close};
    scenario_run(&scenario, text);
}

/* ---- attributes ---- */

#define CERTIFICATE (-2) /* a CERT_CONTEXT, in place of a block */

static const struct attribute tls_attributes[] = {
    {SECPKG_ATTR_NAMES, sizeof(SecPkgContext_NamesW), {0, -1}},
    {SECPKG_ATTR_AUTHORITY, sizeof(SecPkgContext_AuthorityW), {0, -1}},
    {SECPKG_ATTR_LIFESPAN, sizeof(SecPkgContext_Lifespan), {-1, -1}},
    {SECPKG_ATTR_KEY_INFO, sizeof(SecPkgContext_KeyInfoW), {0, sizeof(void *)}},
    {SECPKG_ATTR_PROTO_INFO, sizeof(SecPkgContext_ProtoInfoW), {0, -1}},
    {SECPKG_ATTR_PACKAGE_INFO, sizeof(SecPkgContext_PackageInfoW), {0, -1}},
    {SECPKG_ATTR_STREAM_SIZES, sizeof(SecPkgContext_StreamSizes), {-1, -1}},
    {SECPKG_ATTR_CIPHER_INFO, sizeof(SecPkgContext_CipherInfo), {-1, -1}},
    {SECPKG_ATTR_CONNECTION_INFO, sizeof(SecPkgContext_ConnectionInfo), {-1, -1}},
    {SECPKG_ATTR_APP_DATA,
     sizeof(SecPkgContext_SessionAppData),
     {offsetof(SecPkgContext_SessionAppData, pbAppData), -1}},
    {SECPKG_ATTR_SUPPORTED_SIGNATURES,
     sizeof(SecPkgContext_SupportedSignatures),
     {offsetof(SecPkgContext_SupportedSignatures, pSignatureAndHashAlgorithms), -1}},
    {SECPKG_ATTR_NEGOTIATED_TLS_EXTENSIONS,
     sizeof(SecPkgContext_NegotiatedTlsExtensions),
     {offsetof(SecPkgContext_NegotiatedTlsExtensions, Extensions), -1}},
    {SECPKG_ATTR_UNIQUE_BINDINGS,
     sizeof(SecPkgContext_Bindings),
     {offsetof(SecPkgContext_Bindings, Bindings), -1}},
    {SECPKG_ATTR_ENDPOINT_BINDINGS,
     sizeof(SecPkgContext_Bindings),
     {offsetof(SecPkgContext_Bindings, Bindings), -1}},
    {SECPKG_ATTR_KEYING_MATERIAL,
     sizeof(SecPkgContext_KeyingMaterial),
     {offsetof(SecPkgContext_KeyingMaterial, pbKeyingMaterial), -1}},
    {SECPKG_ATTR_ISSUER_LIST_EX, sizeof(SecPkgContext_IssuerListInfoEx), {-1, -1}},
    {SECPKG_ATTR_REMOTE_CERT_CONTEXT, sizeof(void *), {CERTIFICATE, -1}},
    {SECPKG_ATTR_LOCAL_CERT_CONTEXT, sizeof(void *), {CERTIFICATE, -1}},
};

static const struct attribute *attribute;
static int attribute_way; /* as of fault_query; 4 more: of the server */
static bool attribute_refused;

static LONG attribute_call(void)
{
    LONG status = fault_query(attribute_way & 4 ? &pair.server : &pair.client, attribute,
                              attribute_way & 3);
    attribute_refused = status < 0 && status != SEC_E_INSUFFICIENT_MEMORY;
    return attribute_refused ? SEC_E_OK : status;
}

static bool attribute_check(void)
{
    if (attribute_refused) return true;
    if (attribute->pointers[0] == CERTIFICATE)
        return CertFreeCertificateContext(*(const CERT_CONTEXT **)&answers);
    return attribute_free(attribute, answers.bytes);
}

/* Of one connection, which nothing of this changes. */
static void run_attributes(const char *name)
{
    static const struct scenario scenario = {"QueryContextAttributes", KIND_SSPI,       NULL,
                                             attribute_call,           attribute_check, NULL};
    SecPkgContext_KeyingMaterialInfo keying = {6, (char *)"label", 1, (BYTE *)"c", 24};
    SecPkgContext_SessionAppData data = {1, 3, (BYTE *)"app"};
    char text[96];
    if (!ok(connected(), "%s: no connection", name)) return;
    for (int side = 0; side < 2; side++) {
        CtxtHandle *context = side ? &pair.server : &pair.client;
        SetContextAttributesW(context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &keying, sizeof(keying));
        SetContextAttributesW(context, SECPKG_ATTR_APP_DATA, &data, sizeof(data));
    }
    for (size_t i = 0; i < ARRAYSIZE(tls_attributes); i++) {
        attribute = &tls_attributes[i];
        for (attribute_way = 0; attribute_way < 8; attribute_way++) {
            snprintf(text, sizeof(text), "%s, attribute %lu, way %d", name, attribute->number,
                     attribute_way);
            scenario_run(&scenario, text);
        }
    }
    tls_pair_close(&pair);
}

static LONG set_keying_call(void)
{
    SecPkgContext_KeyingMaterialInfo keying = {6, (char *)"label", 1, (BYTE *)"c", 24};
    return SetContextAttributesW(&pair.client, SECPKG_ATTR_KEYING_MATERIAL_INFO, &keying,
                                 sizeof(keying));
}

static LONG set_data_call(void)
{
    SecPkgContext_SessionAppData data = {1, 3, (BYTE *)"app"};
    return SetContextAttributesW(&pair.client, SECPKG_ATTR_APP_DATA, &data, sizeof(data));
}

static void run_setting(const char *text)
{
    static const struct scenario ways[] = {
        {"keying material", KIND_SSPI, connected, set_keying_call, receive_check, legs_close},
        {"application data", KIND_SSPI, connected, set_data_call, receive_check, legs_close},
    };
    scenario_run(&ways[0], text);
    scenario_run(&ways[1], text);
}

/* ---- moves ---- */

static struct tls_bytes blob;

static CtxtHandle *moved(void)
{
    return from_server ? &pair.server : &pair.client;
}

static LONG export_call(void)
{
    const CtxtHandle before = *moved();
    LONG status = ExportSecurityContext(moved(), SECPKG_CONTEXT_EXPORT_DELETE_OLD,
                                        (SecBuffer *)&answers, NULL);
    if (status < 0) expect_kept(!memcmp(&before, moved(), sizeof(before)));
    return status;
}

static bool export_check(void)
{
    SecBuffer packed = *(SecBuffer *)&answers;
    blob.size = packed.cbBuffer;
    memcpy(blob.data, packed.pvBuffer, packed.cbBuffer);
    FreeContextBuffer(packed.pvBuffer);
    tls_handle_forget(moved());
    return !tls_import(&blob, moved()) && tls_pair_talk(&pair);
}

static bool import_open(void)
{
    if (!connected()) return false;
    if (!tls_export(moved(), SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob)) {
        tls_handle_forget(moved());
        return true;
    }
    tls_pair_close(&pair);
    return false;
}

static LONG import_call(void)
{
    const CtxtHandle before = *moved();
    LONG status = tls_import(&blob, moved());
    if (status < 0) expect_kept(!memcmp(&before, moved(), sizeof(before)));
    return status;
}

static void run_moves(const char *text)
{
    static const struct scenario ways[] = {
        {"ExportSecurityContext", KIND_SSPI, connected, export_call, export_check, legs_close},
        {"ImportSecurityContext", KIND_SSPI, import_open, import_call, receive_check, legs_close},
    };
    scenario_run(&ways[0], text);
    scenario_run(&ways[1], text);
}

/* ---- all ---- */

void fault_schannel_legs(void)
{
    ok(tls_root_trust(), "no root");
    run_legs();
    tls_root_distrust();
}

void fault_schannel_connections(void)
{
    char text[80];
    for (size_t i = 0; i < ARRAYSIZE(variants); i++) {
        variant = &variants[i];
        if (!variant->kind) continue;
        const bool movable = !variant->options.without_aead && !variant->options.datagram;
        for (int side = 0; side < 2; side++) {
            from_server = side;
            snprintf(text, sizeof(text), "%s, %s", variant->name, side ? "server" : "client");
            run_records(text);
            run_shutdown(text);
            if (movable) run_moves(text);
        }
        run_setting(variant->name);
        run_attributes(variant->name);
    }
    tls_certs_end();
}
