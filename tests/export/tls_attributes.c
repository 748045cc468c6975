/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a TLS connection that has moved answers: every attribute as before. And what a blob does not
 * tell, and that a certificate that has expired does not keep a connection from moving. The choices
 * are ours where [D ExportSecurityContext, ImportSecurityContext] are silent.
 */
#include "../api/tls_records.h"
#include "support.h"

#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

#define DELETE_OLD SECPKG_CONTEXT_EXPORT_DELETE_OLD

static struct tls_pair pair;
static struct tls_bytes blob;

static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};

static bool connect_with(const struct tls_pair_options *options)
{
    SECURITY_STATUS status = tls_pair_make(&pair, options);
    if (status == SEC_E_NOT_SUPPORTED || status == SEC_E_SECPKG_NOT_FOUND) {
        skip_case("TLS, or the key of a certificate");
        return false;
    }
    return ok(status == SEC_E_OK && tls_pair_talk(&pair), "no connection: %08lx", status);
}

static bool export_end(CtxtHandle *context)
{
    SECURITY_STATUS status = tls_export(context, DELETE_OLD, &blob);
    if (!ok(status == SEC_E_OK, "export: %08lx", status)) return false;
    tls_handle_forget(context);
    return true;
}

static bool move(CtxtHandle *context)
{
    if (!export_end(context)) return false;
    SECURITY_STATUS status = tls_import(&blob, context);
    if (status) tls_handle_forget(context);
    return ok(status == SEC_E_OK, "import: %08lx", status);
}

/* ---- what an attribute says ---- */

#define TERMINATED (-1)  /* in place of the offset of a count: a terminated text */
#define CERTIFICATE (-2) /* a CERT_CONTEXT, whose store is told of, too */

/* A structure, and what it points to. */
struct row {
    ULONG id, size;
    struct {
        ULONG at;  /* the pointer */
        int count; /* offset of the count of what is there */
        ULONG unit;
    } parts[2]; /* unit 0: none */
};

#define FLAT(name, type)                  \
    {                                     \
        SECPKG_ATTR_##name, sizeof(type), \
        {                                 \
            {                             \
                0                         \
            }                             \
        }                                 \
    }
#define POINTED(name, type, member, count, unit)                   \
    {                                                              \
        SECPKG_ATTR_##name, sizeof(type),                          \
        {                                                          \
            {offsetof(type, member), offsetof(type, count), unit}, \
            {                                                      \
                0                                                  \
            }                                                      \
        }                                                          \
    }

static const struct row rows[] = {
    FLAT(STREAM_SIZES, SecPkgContext_StreamSizes),
    FLAT(SIZES, SecPkgContext_Sizes),
    FLAT(CONNECTION_INFO, SecPkgContext_ConnectionInfo),
    FLAT(CONNECTION_INFO_EX, SecPkgContext_ConnectionInfoEx),
    FLAT(CIPHER_INFO, SecPkgContext_CipherInfo),
    FLAT(SESSION_INFO, SecPkgContext_SessionInfo),
    FLAT(APPLICATION_PROTOCOL, SecPkgContext_ApplicationProtocol),
    FLAT(EAP_KEY_BLOCK, SecPkgContext_EapKeyBlock),
    FLAT(FLAGS, SecPkgContext_Flags),
    FLAT(LIFESPAN, SecPkgContext_Lifespan),
    FLAT(DTLS_MTU, ULONG),
    POINTED(APP_DATA, SecPkgContext_SessionAppData, pbAppData, cbAppData, 1),
    POINTED(SUPPORTED_SIGNATURES, SecPkgContext_SupportedSignatures, pSignatureAndHashAlgorithms,
            cSignatureAndHashAlgorithms, sizeof(WORD)),
    POINTED(NEGOTIATED_TLS_EXTENSIONS, SecPkgContext_NegotiatedTlsExtensions, Extensions,
            ExtensionsCount, sizeof(WORD)),
    POINTED(UNIQUE_BINDINGS, SecPkgContext_Bindings, Bindings, BindingsLength, 1),
    POINTED(ENDPOINT_BINDINGS, SecPkgContext_Bindings, Bindings, BindingsLength, 1),
    POINTED(KEYING_MATERIAL, SecPkgContext_KeyingMaterial, pbKeyingMaterial, cbKeyingMaterial, 1),
    POINTED(KEYING_MATERIAL_INPROC, SecPkgContext_KeyingMaterial_Inproc, pbKeyingMaterial,
            cbKeyingMaterial, 1),
    {SECPKG_ATTR_NAMES, sizeof(SecPkgContext_NamesW), {{0, TERMINATED, 2}}},
    {SECPKG_ATTR_AUTHORITY, sizeof(SecPkgContext_AuthorityW), {{0, TERMINATED, 2}}},
    {SECPKG_ATTR_KEY_INFO,
     sizeof(SecPkgContext_KeyInfoW),
     {{0, TERMINATED, 2}, {sizeof(void *), TERMINATED, 2}}},
    {SECPKG_ATTR_PROTO_INFO, sizeof(SecPkgContext_ProtoInfoW), {{0, TERMINATED, 2}}},
    {SECPKG_ATTR_REMOTE_CERT_CONTEXT, sizeof(void *), {{0, CERTIFICATE, 1}}},
    {SECPKG_ATTR_REMOTE_CERT_CHAIN, sizeof(void *), {{0, CERTIFICATE, 1}}},
    {SECPKG_ATTR_LOCAL_CERT_CONTEXT, sizeof(void *), {{0, CERTIFICATE, 1}}},
};

struct answer {
    SECURITY_STATUS status;
    ULONG size;
    BYTE bytes[16384];
};

static void answer_add(struct answer *answer, const void *bytes, ULONG size)
{
    if (size > sizeof(answer->bytes) - answer->size) size = sizeof(answer->bytes) - answer->size;
    memcpy(answer->bytes + answer->size, bytes, size);
    answer->size += size;
}

static void answer_add_certificate(struct answer *answer, const CERT_CONTEXT *certificate)
{
    const CERT_CONTEXT *each = NULL;
    answer_add(answer, certificate->pbCertEncoded, certificate->cbCertEncoded);
    while ((each = CertEnumCertificatesInStore(certificate->hCertStore, each)))
        answer_add(answer, each->pbCertEncoded, each->cbCertEncoded);
    CertFreeCertificateContext(certificate);
}

/* What a pointer points to takes its place. */
static void answer_add_part(struct answer *answer, const struct row *row, int part, BYTE *room)
{
    const int count_at = row->parts[part].count;
    BYTE *slot = room + row->parts[part].at;
    ULONG count = 0;
    void *pointer;
    memcpy(&pointer, slot, sizeof(pointer));
    memset(slot, 0, sizeof(pointer));
    if (!pointer) return;
    if (count_at == CERTIFICATE) {
        answer_add_certificate(answer, pointer);
        return;
    }
    if (count_at == TERMINATED) count = (ULONG)wcslen(pointer) + 1;
    else memcpy(&count, room + count_at, sizeof(count));
    answer_add(answer, pointer, count * row->parts[part].unit);
    FreeContextBuffer(pointer);
}

static void answer_get(CtxtHandle *context, const struct row *row, struct answer *answer)
{
    union {
        BYTE bytes[2048];
        SecPkgContext_KeyingMaterial_Inproc keying;
    } room;
    const SecPkgContext_KeyingMaterial_Inproc wish = {6, (char *)"label", 1, (BYTE *)"c", 24, NULL};
    memset(answer, 0, sizeof(*answer));
    memset(&room, 0, sizeof(room));
    if (row->id == SECPKG_ATTR_KEYING_MATERIAL_INPROC) room.keying = wish;
    answer->status = QueryContextAttributesW(context, row->id, &room);
    for (int part = 0; part < 2 && !answer->status; part++)
        if (row->parts[part].unit) answer_add_part(answer, row, part, room.bytes);
    answer_add(answer, &room, row->size);
}

/* TLS 1.3 has no unique binding, and a stream no size of datagrams. */
static bool is_answered(ULONG id, int v)
{
    return id != SECPKG_ATTR_DTLS_MTU && !(v && id == SECPKG_ATTR_UNIQUE_BINDINGS);
}

/* Whatever could be asked before is answered as before, by either end, of either version. */
static void test_attributes(void)
{
    static struct answer before[ARRAYSIZE(rows)], after;
    if (!ours_only()) return;
    for (int i = 0; i < 4; i++) {
        const int v = i & 1;
        const struct tls_pair_options options = {
            .client_version = versions[v],
            .server_version = versions[v],
            .client_cert = TLS_CERT_CLIENT_EC,
            .server_cert = TLS_CERT_CHAINED,
            .server_flags = ASC_REQ_MUTUAL_AUTH,
            .client_alpn = "\2h2",
            .server_alpn = "\2h2",
        };
        SecPkgContext_KeyingMaterialInfo keying = {6, (char *)"label", 1, (BYTE *)"c", 24};
        SecPkgContext_SessionAppData data = {1, 3, (BYTE *)"app"};
        CtxtHandle *moved = i >> 1 ? &pair.server : &pair.client;
        if (!connect_with(&options)) return;
        ok(!SetContextAttributesW(moved, SECPKG_ATTR_KEYING_MATERIAL_INFO, &keying, sizeof(keying)),
           "keying");
        ok(!SetContextAttributesW(moved, SECPKG_ATTR_APP_DATA, &data, sizeof(data)), "data");
        for (size_t r = 0; r < ARRAYSIZE(rows); r++) {
            answer_get(moved, &rows[r], &before[r]);
            ok(!before[r].status == is_answered(rows[r].id, v), "%d, %#lx: %08lx", i, rows[r].id,
               before[r].status);
        }
        for (int times = 0; times < 2 && move(moved); times++) {
            for (size_t r = 0; r < ARRAYSIZE(rows); r++) {
                answer_get(moved, &rows[r], &after);
                ok(after.status == before[r].status, "%d, %#lx: %08lx, was %08lx", i, rows[r].id,
                   after.status, before[r].status);
                ok(after.size == before[r].size &&
                       !memcmp(after.bytes, before[r].bytes, after.size),
                   "%d, %#lx: other bytes, %lu, were %lu", i, rows[r].id, after.size,
                   before[r].size);
            }
        }
        tls_pair_close(&pair);
    }
}

/* ---- what a blob does not tell ---- */

static bool blob_has(const void *bytes, size_t size)
{
    for (ULONG at = 0; at + size <= blob.size; at++)
        if (!memcmp(blob.data + at, bytes, size)) return true;
    return false;
}

/* A key is known by its first bytes. */
#define ENOUGH 8

/* ours: of the two directions neither secret, key nor IV, and nothing that was given to be kept */
static void test_sealed(void)
{
    if (!ours_only()) return;
    for (int side = 0; side < 2; side++) {
        const struct tls_pair_options options = {
            .client_version = TLS_PAIR_1_3, .server_version = TLS_PAIR_1_3, .want_secrets = true};
        SecPkgContext_SessionAppData data = {1, 20, (BYTE *)"kept for the program"};
        struct forger forger;
        CtxtHandle *moved = side ? &pair.server : &pair.client;
        if (!connect_with(&options)) return;
        if (!ok(forger_start(&forger, &pair, !side), "no secrets")) return;
        ok(!SetContextAttributesW(moved, SECPKG_ATTR_APP_DATA, &data, sizeof(data)), "data");
        if (!export_end(moved)) return;
        const struct tls_direction *ways[] = {&forger.session.send, &forger.session.receive};
        for (int way = 0; way < 2; way++) {
            ok(!blob_has(ways[way]->secret, ENOUGH), "%d, %d: a secret is in clear", side, way);
            ok(!blob_has(ways[way]->key, ENOUGH), "%d, %d: a key is in clear", side, way);
            ok(!blob_has(ways[way]->iv, ENOUGH), "%d, %d: an IV is in clear", side, way);
        }
        ok(!blob_has(data.pbAppData, data.cbAppData), "%d: the program's data is in clear", side);
        ok(blob_has(UNISP_NAME_W, sizeof(UNISP_NAME_W) - 2), "%d: not even the package is found",
           side);
        forger_end(&forger);
        tls_pair_close(&pair);
    }
}

/* ---- expiry ---- */

/* ours: who goes on with a connection after its certificate's time can move it as well */
static void test_expired(void)
{
    if (!ours_only()) return;
    for (int v = 0; v < 2; v++) {
        const struct tls_pair_options options = {.client_version = versions[v],
                                                 .server_version = versions[v],
                                                 .server_cert = TLS_CERT_EXPIRED};
        SecPkgContext_Lifespan lives[2] = {{{{0}}, {{0}}}};
        FILETIME now;
        if (!connect_with(&options)) return;
        GetSystemTimeAsFileTime(&now);
        for (int i = 0; i < 2; i++) {
            SECURITY_STATUS status = QueryContextAttributesW(&pair.client, SECPKG_ATTR_LIFESPAN,
                                                             &lives[i]);
            ok(status == SEC_E_OK && lives[i].tsExpiry.HighPart < (LONG)now.dwHighDateTime,
               "%d, %d: %08lx, not expired", v, i, status);
            if (!i && !(move(&pair.client) && move(&pair.server))) return;
        }
        ok(!memcmp(&lives[0], &lives[1], sizeof(lives[0])), "%d: another life", v);
        ok(tls_pair_talk(&pair), "%d: no talk", v);
        tls_pair_close(&pair);
    }
}

int main(void)
{
    RUN(test_attributes);
    RUN(test_sealed);
    RUN(test_expired);
    tls_certs_end();
    return test_end("export_tls_attributes");
}
