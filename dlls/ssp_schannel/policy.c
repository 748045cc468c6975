/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What this machine allows, as its administrator has set it in the registry, with the names and
 * meanings that Windows documents ("Transport Layer Security (TLS) registry settings"): SCHANNEL
 * under Control\SecurityProviders, the order of suites and curves under
 * Control\Cryptography\Configuration, and WinHTTP's DefaultSecureProtocols. Read at most once a
 * second. Left out: EventLogging, CertificateMappingMethods, the cache of issuers, limits of
 * handshake messages, which are the library's, and upper limits of keys.
 *
 * TLS 1.2 and 1.3 are on, as are their likes for datagrams; 1.0 and 1.1 have to be enabled. SSL is
 * not to be had.
 */
#include "schannel_package.h"

#include "ssp/policy.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <wchar.h>

TRACE_CHANNEL("schannel");

#define SCHANNEL_KEY L"SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SCHANNEL"
#define ORDER_KEY \
    L"SYSTEM\\CurrentControlSet\\Control\\Cryptography\\Configuration\\Local\\SSL\\00010002"
#define ORDER_POLICY_KEY \
    L"SOFTWARE\\Policies\\Microsoft\\Cryptography\\Configuration\\SSL\\00010002"
#define WINHTTP_KEY L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\WinHttp"

#define DEFAULT_CACHE_TIME 36000000u /* ten hours */

/* ---- protocols ---- */

struct protocol {
    const wchar_t *name;
    DWORD client; /* the server's bit is the one below */
    bool on;      /* without being asked for in the registry */
};

static const struct protocol protocols[] = {
    {L"TLS 1.0", SP_PROT_TLS1_CLIENT, false},     {L"TLS 1.1", SP_PROT_TLS1_1_CLIENT, false},
    {L"TLS 1.2", SP_PROT_TLS1_2_CLIENT, true},    {L"TLS 1.3", SP_PROT_TLS1_3_CLIENT, true},
    {L"DTLS 1.0", SP_PROT_DTLS1_0_CLIENT, false}, {L"DTLS 1.2", SP_PROT_DTLS1_2_CLIENT, true},
};

/* Enabled says whether a protocol may be asked for, DisabledByDefault whether it has to be. */
static void read_protocol(HKEY schannel, const struct protocol *protocol, bool server,
                          struct tls_policy *policy, status_t *status)
{
    wchar_t path[64];
    DWORD enabled = protocol->on, by_request = !protocol->on;
    DWORD bit = server ? protocol->client >> 1 : protocol->client;
    swprintf(path, ARRAYSIZE(path), L"Protocols\\%ls\\%ls", protocol->name,
             server ? L"Server" : L"Client");
    HKEY key = schannel ? policy_key_open(schannel, path, status) : NULL;
    if (key) {
        policy_value_get(key, L"Enabled", &enabled, status);
        policy_value_get(key, L"DisabledByDefault", &by_request, status);
        RegCloseKey(key);
    }
    if (!enabled) return;
    *(server ? &policy->server_enabled : &policy->client_enabled) |= bit;
    if (!by_request) *(server ? &policy->server_default : &policy->client_default) |= bit;
}

static void read_protocols(HKEY schannel, struct tls_policy *policy, status_t *status)
{
    DWORD defaults;
    for (size_t i = 0; i < ARRAYSIZE(protocols); i++) {
        read_protocol(schannel, &protocols[i], false, policy, status);
        read_protocol(schannel, &protocols[i], true, policy, status);
    }
    /* It knows nothing of datagrams. */
    DWORD streams = policy->client_enabled & ~(DWORD)SP_PROT_DTLS1_X_CLIENT;
    bool found = policy_value_below(HKEY_LOCAL_MACHINE, WINHTTP_KEY, L"DefaultSecureProtocols",
                                    &defaults, status);
    if (found && defaults & streams)
        policy->client_default = (defaults & streams) |
                                 (policy->client_default & SP_PROT_DTLS1_X_CLIENT);
}

/* ---- algorithms ---- */

/* Algorithms that are switched off. */
struct refusals {
    bool aes_128, aes_256, triple_des, sha1, sha256, sha384, sha512, finite_field, rsa, curves;
};

static bool is_refused(HKEY schannel, const wchar_t *path, status_t *status)
{
    DWORD enabled = 1;
    return policy_value_below(schannel, path, L"Enabled", &enabled, status) && !enabled;
}

static struct refusals read_refusals(HKEY schannel, status_t *status)
{
    return (struct refusals){
        .aes_128 = is_refused(schannel, L"Ciphers\\AES 128/128", status),
        .aes_256 = is_refused(schannel, L"Ciphers\\AES 256/256", status),
        .triple_des = is_refused(schannel, L"Ciphers\\Triple DES 168", status) ||
                      is_refused(schannel, L"Ciphers\\Triple DES 168/168", status),
        .sha1 = is_refused(schannel, L"Hashes\\SHA", status),
        .sha256 = is_refused(schannel, L"Hashes\\SHA256", status),
        .sha384 = is_refused(schannel, L"Hashes\\SHA384", status),
        .sha512 = is_refused(schannel, L"Hashes\\SHA512", status),
        .finite_field = is_refused(schannel, L"KeyExchangeAlgorithms\\Diffie-Hellman", status),
        .rsa = is_refused(schannel, L"KeyExchangeAlgorithms\\PKCS", status),
        .curves = is_refused(schannel, L"KeyExchangeAlgorithms\\ECDH", status),
    };
}

static bool cipher_is_refused(const struct refusals *refusals, enum tls_cipher cipher)
{
    switch (cipher) {
    case TLS_CIPHER_AES_128_GCM:
    case TLS_CIPHER_AES_128_CCM:
    case TLS_CIPHER_AES_128_CCM_8:
    case TLS_CIPHER_AES_128_CBC: return refusals->aes_128;
    case TLS_CIPHER_AES_256_GCM:
    case TLS_CIPHER_AES_256_CCM:
    case TLS_CIPHER_AES_256_CCM_8:
    case TLS_CIPHER_AES_256_CBC: return refusals->aes_256;
    case TLS_CIPHER_3DES_CBC: return refusals->triple_des;
    default: return false;
    }
}

static bool suite_is_refused(const struct refusals *refusals, const struct tls_suite *suite)
{
    enum tls_hash hash = suite->mac == TLS_HASH_NONE ? suite->prf : suite->mac;
    if (cipher_is_refused(refusals, suite->cipher)) return true;
    if (hash == TLS_HASH_SHA1 && refusals->sha1) return true;
    if (hash == TLS_HASH_SHA256 && refusals->sha256) return true;
    if (hash == TLS_HASH_SHA384 && refusals->sha384) return true;
    switch (suite->exchange) {
    case TLS_EXCHANGE_RSA: return refusals->rsa;
    case TLS_EXCHANGE_DHE: return refusals->finite_field;
    default: return refusals->curves;
    }
}

/* Suites that are to be had only by naming them: blocks of 64 bits (RFC 9325 4.1), and a mode that
 * few have. */
static bool suite_is_default(const struct tls_suite *suite)
{
    switch (suite->cipher) {
    case TLS_CIPHER_3DES_CBC:
    case TLS_CIPHER_AES_128_CCM:
    case TLS_CIPHER_AES_256_CCM:
    case TLS_CIPHER_AES_128_CCM_8:
    case TLS_CIPHER_AES_256_CCM_8: return false;
    default: return true;
    }
}

static void suite_add(struct tls_policy *policy, const struct refusals *refusals,
                      const struct tls_suite *suite)
{
    if (suite_is_refused(refusals, suite)) return;
    if (policy->suite_count < ARRAYSIZE(policy->suites))
        policy->suites[policy->suite_count++] = suite->id;
}

/* ---- lists in order ---- */

/* A list as policy_strings_get gives it: an administrator's before the system's. One in a single
 * string has commas. NULL when there is none. */
static wchar_t *read_list(const wchar_t *name, status_t *status)
{
    static const wchar_t *const paths[] = {ORDER_POLICY_KEY, ORDER_KEY};
    wchar_t *list = NULL;
    for (size_t i = 0; i < ARRAYSIZE(paths) && !list; i++) {
        DWORD type;
        HKEY key = policy_key_open(HKEY_LOCAL_MACHINE, paths[i], status);
        list = policy_strings_get(key, name, &type, status);
        if (key) RegCloseKey(key);
        for (wchar_t *at = list; at && type == REG_SZ && *at; at++)
            if (*at == ',') *at = 0;
        if (list && !*list) {
            free(list);
            list = NULL;
        }
    }
    return list;
}

/* Names of older systems end with a curve. */
static bool suite_is_named(const struct tls_suite *suite, const wchar_t *name)
{
    size_t length = 0;
    while (suite->name[length] && name[length] == (wchar_t)suite->name[length]) length++;
    return !suite->name[length] && (!name[length] || !wcsncmp(name + length, L"_P", 2));
}

static void read_suites(const struct refusals *refusals, struct tls_policy *policy,
                        status_t *status)
{
    wchar_t *list = read_list(L"Functions", status);
    for (const wchar_t *name = list; name && *name; name += wcslen(name) + 1)
        for (size_t i = 0; i < tls_suite_count; i++)
            if (suite_is_named(&tls_suites[i], name)) suite_add(policy, refusals, &tls_suites[i]);
    for (size_t i = 0; !list && i < tls_suite_count; i++)
        if (suite_is_default(&tls_suites[i])) suite_add(policy, refusals, &tls_suites[i]);
    free(list);
}

static void read_groups(const struct refusals *refusals, struct tls_policy *policy,
                        status_t *status)
{
    static const struct {
        const wchar_t *name;
        uint16_t group; /* IANA's number */
    } curves[] = {{L"curve25519", 29}, {L"NistP256", 23}, {L"NistP384", 24}, {L"NistP521", 25}};
    if (refusals->curves) return;
    wchar_t *list = read_list(L"EccCurves", status);
    for (const wchar_t *name = list; name && *name; name += wcslen(name) + 1)
        for (size_t i = 0; i < ARRAYSIZE(curves); i++)
            if (!_wcsicmp(curves[i].name, name) && policy->group_count < ARRAYSIZE(policy->groups))
                policy->groups[policy->group_count++] = curves[i].group;
    for (size_t i = 0; !list && i < ARRAYSIZE(curves); i++)
        policy->groups[policy->group_count++] = curves[i].group;
    free(list);
}

static void read_algorithms(HKEY schannel, struct tls_policy *policy, status_t *status)
{
    const struct refusals refusals = read_refusals(schannel, status);
    read_suites(&refusals, policy, status);
    read_groups(&refusals, policy, status);
    policy->hashes = (refusals.sha1 ? 0u : SIGNED_SHA1) | (refusals.sha256 ? 0u : SIGNED_SHA256) |
                     (refusals.sha384 ? 0u : SIGNED_SHA384) |
                     (refusals.sha512 ? 0u : SIGNED_SHA512);
}

/* ---- the whole ---- */

static void read_values(HKEY schannel, struct tls_policy *policy, status_t *status)
{
    DWORD send_issuers = 0, elements = 1, client_refuses = 0, server_refuses = 0;
    policy->client_cache_time = policy->server_cache_time = DEFAULT_CACHE_TIME;
    policy->rsa_minimum = policy->dh_client_minimum = 1024;
    policy->dh_server_minimum = 2048;
    policy_value_get(schannel, L"ClientCacheTime", &policy->client_cache_time, status);
    policy_value_get(schannel, L"ServerCacheTime", &policy->server_cache_time, status);
    if (policy_value_get(schannel, L"MaximumCacheSize", &elements, status) && !elements)
        policy->client_cache_time = policy->server_cache_time = 0;
    policy_value_get(schannel, L"SendTrustedIssuerList", &send_issuers, status);
    policy->send_issuers = send_issuers;
    policy_value_get(schannel, L"DisableRenegoOnClient", &client_refuses, status);
    policy_value_get(schannel, L"DisableRenegoOnServer", &server_refuses, status);
    policy->client_renegotiates = !client_refuses;
    policy->server_renegotiates = !server_refuses;
    policy_value_below(schannel, L"KeyExchangeAlgorithms\\PKCS", L"ClientMinKeyBitLength",
                       &policy->rsa_minimum, status);
    policy_value_below(schannel, L"KeyExchangeAlgorithms\\Diffie-Hellman", L"ClientMinKeyBitLength",
                       &policy->dh_client_minimum, status);
    policy_value_below(schannel, L"KeyExchangeAlgorithms\\Diffie-Hellman", L"ServerMinKeyBitLength",
                       &policy->dh_server_minimum, status);
}

static status_t read_policy(void *out)
{
    struct tls_policy *policy = out;
    status_t status = SEC_E_OK;
    HKEY schannel = policy_key_open(HKEY_LOCAL_MACHINE, SCHANNEL_KEY, &status);
    read_protocols(schannel, policy, &status);
    read_algorithms(schannel, policy, &status);
    read_values(schannel, policy, &status);
    if (schannel) RegCloseKey(schannel);
    TRACE("clients %#lx of %#lx, servers %#lx of %#lx, %u suites, %u curves\n",
          policy->client_default, policy->client_enabled, policy->server_default,
          policy->server_enabled, (unsigned)policy->suite_count, (unsigned)policy->group_count);
    return status;
}

status_t policy_get(struct tls_policy *out)
{
    static struct tls_policy kept;
    static struct policy_cache cache = {.kept = &kept, .size = sizeof(kept), .read = read_policy};
    return policy_cache_get(&cache, out);
}
