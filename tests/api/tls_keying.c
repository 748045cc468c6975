/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What others take from a TLS context: channel bindings, and keys for protocols above and beside
 * it. Sources in brackets, as in api_packages.
 */
#include "support.h"
#include "tls_pair.h"

#include <bcrypt.h>

static struct tls_pair pair;

static bool connect_with(const struct tls_pair_options *options)
{
    SECURITY_STATUS status = tls_pair_make(&pair, options);
    if (status == SEC_E_NOT_SUPPORTED || status == SEC_E_SECPKG_NOT_FOUND) {
        skip_case("TLS, or the key of a certificate");
        return false;
    }
    return ok(status == SEC_E_OK, "no connection: %08lx", status);
}

static bool connect_version(enum tls_pair_version version)
{
    const struct tls_pair_options options = {.client_version = version, .server_version = version};
    return connect_with(&options);
}

static const enum tls_pair_version versions[] = {TLS_PAIR_1_2, TLS_PAIR_1_3};

static SECURITY_STATUS query(CtxtHandle *context, ULONG attribute, void *buffer)
{
    return QueryContextAttributesW(context, attribute, buffer);
}

/* ---- bindings ---- */

static bool sha256(const BYTE *data, ULONG size, BYTE out[32])
{
    BCRYPT_ALG_HANDLE algorithm;
    BCRYPT_HASH_HANDLE hash;
    if (BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_SHA256_ALGORITHM, NULL, 0)) return false;
    bool done = !BCryptCreateHash(algorithm, &hash, NULL, 0, NULL, 0, 0);
    if (done) {
        done = !BCryptHashData(hash, (BYTE *)data, size, 0) && !BCryptFinishHash(hash, out, 32, 0);
        BCryptDestroyHash(hash);
    }
    BCryptCloseAlgorithmProvider(algorithm, 0);
    return done;
}

/* [W8 schannel.c:1250-1309] the structure: zeros, size and offset of the data, the data */
static bool check_bindings(const SecPkgContext_Bindings *bindings, const char *prefix,
                           const BYTE *data, ULONG size)
{
    const SEC_CHANNEL_BINDINGS *b = bindings->Bindings;
    ULONG length = (ULONG)strlen(prefix), whole = length + size;
    static const BYTE zeros[24];
    if (!ok(b != NULL, "no bindings")) return false;
    ok(!memcmp(b, zeros, sizeof(zeros)), "an address");
    ok(bindings->BindingsLength == sizeof(*b) + whole, "length %lu", bindings->BindingsLength);
    ok(b->cbApplicationDataLength == whole, "%lu bytes of data", b->cbApplicationDataLength);
    ok(b->dwApplicationDataOffset == sizeof(*b), "offset %lu", b->dwApplicationDataOffset);
    const BYTE *at = (const BYTE *)b + sizeof(*b);
    return ok(!memcmp(at, prefix, length), "prefix") &&
           ok(!data || !memcmp(at + length, data, size), "data");
}

static void check_endpoints(enum tls_cert which)
{
    BYTE digest[32];
    const CERT_CONTEXT *cert = tls_cert(which);
    ok(sha256(cert->pbCertEncoded, cert->cbCertEncoded, digest), "no digest");
    CertFreeCertificateContext(cert);
    for (int side = 0; side < 2; side++) {
        SecPkgContext_Bindings bindings = {0};
        SECURITY_STATUS status = query(side ? &pair.server : &pair.client,
                                       SECPKG_ATTR_ENDPOINT_BINDINGS, &bindings);
        if (!ok(status == SEC_E_OK, "side %d: %08lx", side, status)) continue;
        check_bindings(&bindings, "tls-server-end-point:", digest, 32);
        FreeContextBuffer(bindings.Bindings);
        SecPkgContext_KeyInfoW key = {0};
        status = query(side ? &pair.server : &pair.client, SECPKG_ATTR_KEY_INFO, &key);
        const ALG_ID signature = which == TLS_CERT_SERVER_EC ? CALG_ECDSA : CALG_RSA_SIGN;
        ok(status == SEC_E_OK && key.SignatureAlgorithm == signature, "side %d: %08lx, %#lx", side,
           status, key.SignatureAlgorithm);
        FreeContextBuffer(key.sSignatureAlgorithmName);
        FreeContextBuffer(key.sEncryptAlgorithmName);
    }
}

/* [OS RFC 5929 4.1] the hash of the certificate, SHA-256 for one that is signed with SHA-1; also
 * where the certificate is that of the session that was resumed */
static void test_endpoint_bindings(void)
{
    static const enum tls_cert certs[] = {TLS_CERT_SERVER_RSA, TLS_CERT_SERVER_EC,
                                          TLS_CERT_WEAK_HASH};
    for (size_t i = 0; i < 2 * ARRAYSIZE(certs); i++) {
        const struct tls_pair_options options = {.client_version = versions[i % 2],
                                                 .server_version = versions[i % 2],
                                                 .server_cert = certs[i / 2]};
        if (!connect_with(&options)) return;
        winetest_push_context("certificate %u, version %u", (unsigned)i / 2, (unsigned)i % 2);
        for (unsigned resumed = 0; resumed < 2; resumed++) {
            SecPkgContext_SessionInfo info = {0};
            query(&pair.server, SECPKG_ATTR_SESSION_INFO, &info);
            ok(!(info.dwFlags & SSL_SESSION_RECONNECT) == !resumed, "flags %#lx", info.dwFlags);
            check_endpoints(certs[i / 2]);
            ok(tls_pair_talk(&pair), "no talk");
            tls_pair_delete(&pair);
            SECURITY_STATUS status = resumed ? SEC_E_OK : tls_pair_connect(&pair);
            ok(status == SEC_E_OK, "again: %08lx", status);
        }
        winetest_pop_context();
        tls_pair_close(&pair);
    }
}

/* [W8 schannel.c:1289-1309], [OS RFC 5929 3.1] the same on both sides; ours: TLS 1.3 has no such
 * binding (RFC 8446 C.5) */
static void test_unique_bindings(void)
{
    SecPkgContext_Bindings ends[2] = {{0}};
    if (!connect_version(TLS_PAIR_1_2)) return;
    for (int side = 0; side < 2; side++) {
        SECURITY_STATUS status = query(side ? &pair.server : &pair.client,
                                       SECPKG_ATTR_UNIQUE_BINDINGS, &ends[side]);
        if (ok(status == SEC_E_OK, "%d: %08lx", side, status))
            check_bindings(&ends[side], "tls-unique:", NULL, 12);
    }
    if (ends[0].Bindings && ends[1].Bindings)
        ok(!memcmp(ends[0].Bindings, ends[1].Bindings, ends[0].BindingsLength), "not the same");
    FreeContextBuffer(ends[0].Bindings);
    FreeContextBuffer(ends[1].Bindings);
    tls_pair_close(&pair);
    if (!ours_only() || !connect_version(TLS_PAIR_1_3)) return;
    SECURITY_STATUS status = query(&pair.client, SECPKG_ATTR_UNIQUE_BINDINGS, &ends[0]);
    ok(status == SEC_E_UNSUPPORTED_FUNCTION, "TLS 1.3: %08lx", status);
    tls_pair_close(&pair);
}

/* ---- keys ---- */

static SECURITY_STATUS set_keying(CtxtHandle *context, const char *label, WORD label_size,
                                  const void *value, WORD value_size, DWORD size)
{
    SecPkgContext_KeyingMaterialInfo info = {label_size, (char *)label, value_size, (BYTE *)value,
                                             size};
    return SetContextAttributesW(context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &info, sizeof(info));
}

/* Both ends, set and asked for, or in one call: the same, which goes to out. */
static bool keying(const char *label, const void *value, WORD value_size, BYTE out[32])
{
    WORD label_size = (WORD)(strlen(label) + 1);
    for (int side = 0; side < 2; side++) {
        CtxtHandle *context = side ? &pair.server : &pair.client;
        SecPkgContext_KeyingMaterial made = {0};
        SecPkgContext_KeyingMaterial_Inproc now = {
            label_size, (char *)label, value_size, (BYTE *)value, 32, NULL};
        SECURITY_STATUS status = set_keying(context, label, label_size, value, value_size, 32);
        if (!ok(status == SEC_E_OK, "set: %08lx", status)) return false;
        status = query(context, SECPKG_ATTR_KEYING_MATERIAL, &made);
        if (!ok(status == SEC_E_OK && made.cbKeyingMaterial == 32, "%08lx", status)) return false;
        if (side) ok(!memcmp(out, made.pbKeyingMaterial, 32), "the ends differ");
        memcpy(out, made.pbKeyingMaterial, 32);
        FreeContextBuffer(made.pbKeyingMaterial);
        status = query(context, SECPKG_ATTR_KEYING_MATERIAL_INPROC, &now);
        if (!ok(status == SEC_E_OK, "in one call: %08lx", status)) return false;
        ok(!memcmp(out, now.pbKeyingMaterial, 32), "in one call: other bytes");
        FreeContextBuffer(now.pbKeyingMaterial);
    }
    return true;
}

/* [D ns-schannel-secpkgcontext_keyingmaterialinfo], [OS RFC 5705 4, RFC 8446 7.5] TLS 1.2 tells no
 * context from an empty one, TLS 1.3 does not; [OS RFC 9266 4.2] the label of its bindings */
static void test_keying_material(void)
{
    for (int v = 0; v < 2; v++) {
        BYTE first[32], other[32];
        if (!connect_version(versions[v])) return;
        if (keying("EXPERIMENTAL label", NULL, 0, first) &&
            keying("EXPERIMENTAL label", "value", 5, other))
            ok(memcmp(first, other, 32) != 0, "%d: the context does not count", v);
        if (keying("EXPERIMENTAL labe", NULL, 0, other))
            ok(memcmp(first, other, 32) != 0, "%d: the label does not count", v);
        if (keying("EXPERIMENTAL label", "", 0, other))
            ok(memcmp(first, other, 32) ? !v : v, "%d: an empty context", v);
        keying("EXPORTER-Channel-Binding", "", 0, other);
        tls_pair_close(&pair);
    }
}

/* [D] an error before it was set, a label with its terminator, a size above zero */
static void test_keying_errors(void)
{
    SecPkgContext_KeyingMaterial made = {0};
    if (!connect_version(TLS_PAIR_1_3)) return;
    SECURITY_STATUS status = query(&pair.client, SECPKG_ATTR_KEYING_MATERIAL, &made);
    ok(status < 0, "without its INFO: %08lx", status);
    if (!ours_only()) goto done; /* the statuses */
    ok(status == SEC_E_INVALID_PARAMETER, "without its INFO: %08lx", status);
    status = set_keying(&pair.client, "label", 5, NULL, 0, 32);
    ok(status == SEC_E_INVALID_PARAMETER, "a label without its end: %08lx", status);
    status = set_keying(&pair.client, NULL, 6, NULL, 0, 32);
    ok(status == SEC_E_INVALID_PARAMETER, "no label: %08lx", status);
    status = set_keying(&pair.client, "label", 6, NULL, 0, 0);
    ok(status == SEC_E_INVALID_PARAMETER, "no bytes: %08lx", status);
    status = set_keying(&pair.client, "label", 6, NULL, 3, 32);
    ok(status == SEC_E_INVALID_PARAMETER, "no context: %08lx", status);
    status = SetContextAttributesW(&pair.client, SECPKG_ATTR_KEYING_MATERIAL_INFO, &made, 3);
    ok(status == SEC_E_BUFFER_TOO_SMALL, "a small structure: %08lx", status);
done:
    tls_pair_close(&pair);
}

/* [OS RFC 5216 2.3] 128 bytes that the exporter of TLS 1.2 gives as well; IVs without a secret, so
 * the same for all who know the randoms; [OS RFC 9190 2.3] TLS 1.3: its exporter, for type 13 */
static void test_eap_keys(void)
{
    for (int v = 0; v < 2; v++) {
        SecPkgContext_EapKeyBlock ends[2];
        BYTE exported[32];
        if (!connect_version(versions[v])) return;
        memset(ends, 0x55, sizeof(ends));
        for (int side = 0; side < 2; side++) {
            SECURITY_STATUS status = query(side ? &pair.server : &pair.client,
                                           SECPKG_ATTR_EAP_KEY_BLOCK, &ends[side]);
            ok(status == SEC_E_OK, "%d, %d: %08lx", v, side, status);
        }
        ok(!memcmp(&ends[0], &ends[1], sizeof(ends[0])), "the ends differ");
        ok(memcmp(ends[0].rgbKeys, ends[0].rgbIVs, 64) != 0, "keys are IVs");
        if (!v && keying("client EAP encryption", NULL, 0, exported))
            ok(!memcmp(exported, ends[0].rgbKeys, 32), "not the exporter's");
        tls_pair_close(&pair);
    }
}

static SECURITY_STATUS set_eap(CtxtHandle *context, DWORD version, DWORD size, DWORD number)
{
    SecPkgContext_EapPrfInfo info = {version, size, (BYTE *)&number};
    return SetContextAttributesW(context, SECPKG_ATTR_EAP_PRF_INFO, &info, sizeof(info));
}

/* [D SecPkgContext_EapPrfInfo] which label; [OS RFC 5281 8, 11.1] in which order of randoms,
 * against that page; [OS RFC 9427 2.1] the type of TTLS in TLS 1.3 */
static void test_eap_methods(void)
{
    static const struct {
        DWORD number;
        const char *labels[2];
        const char *modern_context;
    } rows[] = {
        {1, {"ttls keying material", "EXPORTER_EAP_TLS_Key_Material"}, "\x15"},
        {2, {"ttls challenge", "ttls challenge"}, NULL},
        {0, {"client EAP encryption", "EXPORTER_EAP_TLS_Key_Material"}, "\x0d"},
    };
    if (!ours_only()) return;
    for (unsigned i = 0; i < 2 * ARRAYSIZE(rows); i++) {
        const unsigned v = i & 1;
        const char *context = v ? rows[i / 2].modern_context : NULL;
        SecPkgContext_EapKeyBlock block;
        if (!connect_version(versions[v])) return;
        SECURITY_STATUS status = set_eap(&pair.client, 0, sizeof(DWORD), rows[i / 2].number);
        ok(status == SEC_E_OK, "set %u: %08lx", i, status);
        status = query(&pair.client, SECPKG_ATTR_EAP_KEY_BLOCK, &block);
        ok(status == SEC_E_OK, "%u: %08lx", i, status);
        SecPkgContext_KeyingMaterial_Inproc made = {
            .cbLabel = (WORD)(strlen(rows[i / 2].labels[v]) + 1),
            .pszLabel = (char *)rows[i / 2].labels[v],
            .cbContextValue = context ? 1 : 0,
            .pbContextValue = (BYTE *)context,
            .cbKeyingMaterial = sizeof(block.rgbKeys),
        };
        status = query(&pair.client, SECPKG_ATTR_KEYING_MATERIAL_INPROC, &made);
        if (ok(status == SEC_E_OK, "%u: %08lx", i, status)) {
            ok(!memcmp(made.pbKeyingMaterial, block.rgbKeys, sizeof(block.rgbKeys)),
               "%u: other keys", i);
            FreeContextBuffer(made.pbKeyingMaterial);
        }
        tls_pair_close(&pair);
    }
    if (!connect_version(TLS_PAIR_1_2)) return;
    ok(set_eap(&pair.client, 1, sizeof(DWORD), 0) == SEC_E_INVALID_PARAMETER, "another version");
    ok(set_eap(&pair.client, 0, 2, 0) == SEC_E_INVALID_PARAMETER, "half a number");
    ok(set_eap(&pair.client, 0, sizeof(DWORD), 4) == SEC_E_INVALID_PARAMETER, "no such thing");
    ok(set_eap(&pair.client, 0, sizeof(DWORD), 3) == SEC_E_UNSUPPORTED_FUNCTION, "EAP-FAST");
    SECURITY_STATUS status = SetContextAttributesW(&pair.client, SECPKG_ATTR_EAP_PRF_INFO, &status,
                                                   sizeof(status));
    ok(status == SEC_E_BUFFER_TOO_SMALL, "a small structure: %08lx", status);
    tls_pair_close(&pair);
}

int main(void)
{
    RUN(test_endpoint_bindings);
    RUN(test_unique_bindings);
    RUN(test_keying_material);
    RUN(test_keying_errors);
    RUN(test_eap_keys);
    RUN(test_eap_methods);
    tls_certs_end();
    return test_end("api_tls_keying");
}
