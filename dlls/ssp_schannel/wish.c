/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a credential wishes for, held against the policy: the protocols, suites, groups and hashes
 * that are left, as a priority string. Wishes are those of SCHANNEL_CRED, which names what is
 * wanted by ALG_IDs, and of SCH_CREDENTIALS, which names what is not, by the names of CNG.
 *
 * TLS_PARAMETERS may be for certain application protocols only. Which one it will be is not known
 * when a handshake begins, so that they hold where the program names one of these.
 */
#include "schannel_package.h"

#include "ssp/trace.h"

#include <bcrypt.h>
#include <limits.h>
#include <string.h>

TRACE_CHANNEL("schannel");

#define ANY_BITS UINT_MAX

/* ---- names of algorithms ---- */

static bool cipher_is_aes(enum tls_cipher cipher)
{
    return cipher != TLS_CIPHER_3DES_CBC && cipher != TLS_CIPHER_CHACHA20_POLY1305;
}

/* The hash that belongs to the name of a suite. */
static enum tls_hash suite_hash(const struct tls_suite *suite)
{
    return suite->mac == TLS_HASH_NONE ? suite->prf : suite->mac;
}

static bool cipher_has_id(const struct tls_suite *suite, ALG_ID id)
{
    if (!cipher_is_aes(suite->cipher))
        return suite->cipher == TLS_CIPHER_3DES_CBC && id == CALG_3DES;
    return id == CALG_AES || id == (suite->key_bits == 128 ? CALG_AES_128 : CALG_AES_256);
}

static bool hash_has_id(const struct tls_suite *suite, ALG_ID id)
{
    switch (suite_hash(suite)) {
    case TLS_HASH_SHA1: return id == CALG_SHA1;
    case TLS_HASH_SHA256: return id == CALG_SHA_256;
    case TLS_HASH_SHA384: return id == CALG_SHA_384;
    default: return false;
    }
}

static bool exchange_has_id(const struct tls_suite *suite, ALG_ID id)
{
    switch (suite->exchange) {
    case TLS_EXCHANGE_RSA: return id == CALG_RSA_KEYX;
    case TLS_EXCHANGE_DHE: return id == CALG_DH_EPHEM;
    default: return id == CALG_ECDH_EPHEM || id == CALG_ECDH;
    }
}

static bool signature_has_id(const struct tls_suite *suite, ALG_ID id)
{
    return suite->authentication == TLS_AUTH_ANY ||
           id == (suite->authentication == TLS_AUTH_RSA ? CALG_RSA_SIGN : CALG_ECDSA);
}

/* ---- SCHANNEL_CRED ---- */

/* Who names an algorithm of a class wants no others of that class. */
static bool ids_allow(const struct tls_wish *wish, const struct tls_suite *suite)
{
    static const struct {
        ALG_ID class;
        bool (*has)(const struct tls_suite *suite, ALG_ID id);
    } kinds[] = {
        {ALG_CLASS_DATA_ENCRYPT, cipher_has_id},
        {ALG_CLASS_HASH, hash_has_id},
        {ALG_CLASS_KEY_EXCHANGE, exchange_has_id},
        {ALG_CLASS_SIGNATURE, signature_has_id},
    };
    for (size_t k = 0; k < ARRAYSIZE(kinds); k++) {
        bool named = false, has = false;
        for (size_t i = 0; i < wish->algorithm_count && !has; i++) {
            if (GET_ALG_CLASS(wish->algorithms[i]) != kinds[k].class) continue;
            named = true;
            has = kinds[k].has(suite, wish->algorithms[i]);
        }
        if (named && !has) return false;
    }
    return true;
}

static bool strength_allows(const struct tls_wish *wish, const struct tls_suite *suite)
{
    /* -1 allows, or wants, suites that do not encrypt: there are none. */
    DWORD minimum = wish->minimum_strength == ULONG_MAX ? 0 : wish->minimum_strength;
    DWORD maximum = wish->maximum_strength ? wish->maximum_strength : ULONG_MAX;
    if (wish->maximum_strength == ULONG_MAX) maximum = 0;
    return suite->key_bits >= minimum && suite->key_bits <= maximum;
}

/* ---- SCH_CREDENTIALS ---- */

static bool text_is(const UNICODE_STRING *text, const wchar_t *name)
{
    return text->Buffer &&
           CompareStringOrdinal(text->Buffer, text->Length / 2, name, -1, TRUE) == CSTR_EQUAL;
}

/* A range of lengths; 0 at either end sets no limit. */
static bool bits_are_meant(const CRYPTO_SETTINGS *setting, unsigned bits)
{
    if (bits == ANY_BITS) return true;
    return bits >= setting->dwMinBitLength &&
           (!setting->dwMaxBitLength || bits <= setting->dwMaxBitLength);
}

static bool mode_is_meant(const CRYPTO_SETTINGS *setting, const wchar_t *mode)
{
    for (DWORD i = 0; i < setting->cChainingModes; i++)
        if (text_is(&setting->rgstrChainingModes[i], mode)) return true;
    return !setting->cChainingModes;
}

static const wchar_t *cipher_mode(enum tls_cipher cipher)
{
    switch (cipher) {
    case TLS_CIPHER_AES_128_GCM:
    case TLS_CIPHER_AES_256_GCM: return BCRYPT_CHAIN_MODE_GCM;
    case TLS_CIPHER_AES_128_CCM:
    case TLS_CIPHER_AES_256_CCM:
    case TLS_CIPHER_AES_128_CCM_8:
    case TLS_CIPHER_AES_256_CCM_8: return BCRYPT_CHAIN_MODE_CCM;
    case TLS_CIPHER_CHACHA20_POLY1305: return L"";
    default: return BCRYPT_CHAIN_MODE_CBC;
    }
}

static bool cipher_is_meant(const CRYPTO_SETTINGS *setting, const struct tls_suite *suite)
{
    const wchar_t *name = BCRYPT_AES_ALGORITHM;
    if (suite->cipher == TLS_CIPHER_3DES_CBC) name = BCRYPT_3DES_ALGORITHM;
    if (suite->cipher == TLS_CIPHER_CHACHA20_POLY1305) name = L"CHACHA20_POLY1305";
    return text_is(&setting->strCngAlgId, name) && bits_are_meant(setting, suite->key_bits) &&
           mode_is_meant(setting, cipher_mode(suite->cipher));
}

static bool hash_is_meant(const CRYPTO_SETTINGS *setting, const struct tls_suite *suite)
{
    switch (suite_hash(suite)) {
    case TLS_HASH_SHA1: return text_is(&setting->strCngAlgId, BCRYPT_SHA1_ALGORITHM);
    case TLS_HASH_SHA256: return text_is(&setting->strCngAlgId, BCRYPT_SHA256_ALGORITHM);
    case TLS_HASH_SHA384: return text_is(&setting->strCngAlgId, BCRYPT_SHA384_ALGORITHM);
    default: return false;
    }
}

/* A curve alone is no reason to do without the suites that may use others. */
static bool exchange_is_meant(const CRYPTO_SETTINGS *setting, const struct tls_suite *suite)
{
    bool all = !setting->dwMinBitLength && !setting->dwMaxBitLength;
    switch (suite->exchange) {
    case TLS_EXCHANGE_RSA: return all && text_is(&setting->strCngAlgId, BCRYPT_RSA_ALGORITHM);
    case TLS_EXCHANGE_DHE: return all && text_is(&setting->strCngAlgId, BCRYPT_DH_ALGORITHM);
    default: return all && text_is(&setting->strCngAlgId, L"ECDH");
    }
}

static bool suite_is_meant(const CRYPTO_SETTINGS *setting, const struct tls_suite *suite)
{
    switch (setting->eAlgorithmUsage) {
    case TlsParametersCngAlgUsageCipher: return cipher_is_meant(setting, suite);
    case TlsParametersCngAlgUsageDigest: return hash_is_meant(setting, suite);
    case TlsParametersCngAlgUsageKeyExchange: return exchange_is_meant(setting, suite);
    default: return false;
    }
}

static const struct {
    uint16_t group; /* IANA's number */
    unsigned bits;
    const wchar_t *algorithm, *curve; /* names */
} curves[] = {
    {23, 256, BCRYPT_ECDH_P256_ALGORITHM, L"nistP256"},
    {24, 384, BCRYPT_ECDH_P384_ALGORITHM, L"nistP384"},
    {25, 521, BCRYPT_ECDH_P521_ALGORITHM, L"nistP521"},
    {29, 255, L"ECDH_CURVE25519", L"curve25519"},
};

static bool group_is_meant(const CRYPTO_SETTINGS *setting, uint16_t group)
{
    if (setting->eAlgorithmUsage != TlsParametersCngAlgUsageKeyExchange) return false;
    for (size_t i = 0; i < ARRAYSIZE(curves); i++) {
        if (curves[i].group != group) continue;
        return text_is(&setting->strCngAlgId, curves[i].algorithm) ||
               text_is(&setting->strCngAlgId, curves[i].curve) ||
               (text_is(&setting->strCngAlgId, L"ECDH") && bits_are_meant(setting, curves[i].bits));
    }
    return false;
}

/* What a setting takes away from signatures: hashes, or a whole algorithm. */
static void signatures_narrow(const CRYPTO_SETTINGS *setting, struct priority_wish *out)
{
    static const struct {
        const wchar_t *name;
        unsigned hash;
    } hashes[] = {
        {BCRYPT_SHA1_ALGORITHM, SIGNED_SHA1},
        {BCRYPT_SHA256_ALGORITHM, SIGNED_SHA256},
        {BCRYPT_SHA384_ALGORITHM, SIGNED_SHA384},
        {BCRYPT_SHA512_ALGORITHM, SIGNED_SHA512},
    };
    bool all = !setting->dwMinBitLength && !setting->dwMaxBitLength;
    if (setting->eAlgorithmUsage != TlsParametersCngAlgUsageSignature) return;
    for (size_t i = 0; i < ARRAYSIZE(hashes); i++)
        if (text_is(&setting->strCngAlgId, hashes[i].name)) out->hashes &= ~hashes[i].hash;
    if (!all) return;
    if (text_is(&setting->strCngAlgId, BCRYPT_RSA_ALGORITHM) ||
        text_is(&setting->strCngAlgId, BCRYPT_RSA_SIGN_ALGORITHM))
        out->no_rsa = true;
    if (text_is(&setting->strCngAlgId, L"ECDSA")) out->no_ecdsa = true;
}

static void setting_apply(const CRYPTO_SETTINGS *setting, struct priority_wish *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < out->suite_count; i++)
        if (!suite_is_meant(setting, out->suites[i])) out->suites[kept++] = out->suites[i];
    out->suite_count = kept;
    kept = 0;
    for (size_t i = 0; i < out->group_count; i++)
        if (!group_is_meant(setting, out->groups[i])) out->groups[kept++] = out->groups[i];
    out->group_count = kept;
    signatures_narrow(setting, out);
}

/* ---- protocols ---- */

static const struct {
    DWORD client;
    bool datagram;
    unsigned version;
} versions[] = {
    {SP_PROT_TLS1_0_CLIENT, false, VERSION_1_0}, {SP_PROT_TLS1_1_CLIENT, false, VERSION_1_1},
    {SP_PROT_TLS1_2_CLIENT, false, VERSION_1_2}, {SP_PROT_TLS1_3_CLIENT, false, VERSION_1_3},
    {SP_PROT_DTLS1_0_CLIENT, true, VERSION_1_1}, {SP_PROT_DTLS1_2_CLIENT, true, VERSION_1_2},
};

static DWORD version_bit(size_t i, bool server)
{
    return server ? versions[i].client >> 1 : versions[i].client;
}

static unsigned versions_of(const struct tls_wish *wish, DWORD protocols)
{
    unsigned result = 0;
    for (size_t i = 0; i < ARRAYSIZE(versions); i++)
        if (versions[i].datagram == wish->datagram && protocols & version_bit(i, wish->server))
            result |= versions[i].version;
    return result;
}

static DWORD protocols_of(const struct tls_wish *wish, unsigned left)
{
    DWORD result = 0;
    for (size_t i = 0; i < ARRAYSIZE(versions); i++)
        if (versions[i].datagram == wish->datagram && left & versions[i].version)
            result |= version_bit(i, wish->server);
    return result;
}

/* What was asked for, or else what is on by itself; TLS 1.3 is to be had with SCH_CREDENTIALS only,
 * as on Windows, also where it is asked for. */
static DWORD protocols_wished(const struct tls_policy *policy, const struct tls_wish *wish)
{
    DWORD enabled = wish->server ? policy->server_enabled : policy->client_enabled;
    DWORD result = wish->server ? policy->server_default : policy->client_default;
    if (wish->protocols) result = wish->protocols;
    if (!wish->modern && result & SP_PROT_TLS1_3) {
        if (wish->protocols) WARN("TLS 1.3 takes SCH_CREDENTIALS\n");
        result &= ~(DWORD)SP_PROT_TLS1_3;
    }
    return result & enabled;
}

/* ---- the whole ---- */

static void suites_narrow(const struct tls_policy *policy, const struct tls_wish *wish,
                          struct priority_wish *out)
{
    for (size_t i = 0; i < policy->suite_count; i++) {
        const struct tls_suite *suite = tls_suite_find(policy->suites[i]);
        if (suite && ids_allow(wish, suite) && strength_allows(wish, suite))
            out->suites[out->suite_count++] = suite;
    }
}

static void parameters_apply(const struct tls_wish *wish, bool optional_too,
                             struct priority_wish *out, DWORD *protocols)
{
    for (size_t i = 0; i < wish->parameter_count; i++) {
        const TLS_PARAMETERS *parameters = &wish->parameters[i];
        if (parameters->dwFlags & TLS_PARAMS_OPTIONAL && !optional_too) continue;
        if (parameters->cAlpnIds && !wish->named) continue;
        *protocols &= ~parameters->grbitDisabledProtocols;
        for (DWORD k = 0; k < parameters->cDisabledCrypto; k++)
            setting_apply(&parameters->pDisabledCrypto[k], out);
    }
}

static bool wish_make(const struct tls_policy *policy, const struct tls_wish *wish,
                      bool optional_too, char out[PRIORITY_MAX], DWORD *left)
{
    struct priority_wish result = {
        .server = wish->server,
        .datagram = wish->datagram,
        .group_count = policy->group_count,
        .hashes = policy->hashes,
        .dh_minimum = wish->server ? policy->dh_server_minimum : policy->dh_client_minimum,
    };
    DWORD protocols = protocols_wished(policy, wish);
    unsigned made;
    memcpy(result.groups, policy->groups, sizeof(result.groups));
    suites_narrow(policy, wish, &result);
    parameters_apply(wish, optional_too, &result, &protocols);
    result.versions = versions_of(wish, protocols);
    if (!priority_make(&result, out, &made)) return false;
    *left = protocols_of(wish, made);
    return true;
}

status_t policy_priorities(const struct tls_policy *policy, const struct tls_wish *wish,
                           char out[PRIORITY_MAX], DWORD *protocols)
{
    if (!wish_make(policy, wish, true, out, protocols) &&
        !wish_make(policy, wish, false, out, protocols))
        return SEC_E_ALGORITHM_MISMATCH;
    TRACE("protocols %#lx: %s\n", *protocols, out);
    return SEC_E_OK;
}
