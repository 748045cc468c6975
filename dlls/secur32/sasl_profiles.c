/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SASL profiles (documentation of SaslEnumerateProfiles): the values of the registry's SaslProfiles
 * key, a mechanism's name and the name of a package each. Where there is no such key, a built-in
 * list serves. A profile whose package is not listed is none. The key is read at each call: its
 * callers open connections.
 */
#include "ansi.h"
#include "sasl.h"
#include "ssp/secbuf.h"
#include "ssp/trace.h"

#include <wchar.h>

TRACE_CHANNEL("sspi");

#define PROFILES_KEY L"SYSTEM\\CurrentControlSet\\Control\\SecurityProviders\\SaslProfiles"
#define PACKAGE_NAME_MAX 64u

static const WCHAR *const default_profiles[][2] = {
    {L"GSSAPI", L"Kerberos"},
    {L"GSS-SPNEGO", L"Negotiate"},
    {L"DIGEST-MD5", L"WDigest"},
    {L"EXTERNAL", L"Schannel"},
};

static bool is_name(const WCHAR *text)
{
    size_t length = wcslen(text);
    if (!length || length > SASL_NAME_MAX) return false;
    for (; *text; text++) {
        bool letter = (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z');
        bool digit = *text >= '0' && *text <= '9';
        if (!letter && !digit && *text != '-' && *text != '_') return false;
    }
    return true;
}

static enum sasl_mechanism mechanism_of(const WCHAR *name)
{
    if (package_name_equal(name, L"GSSAPI")) return SASL_GSSAPI;
    if (package_name_equal(name, L"GSS-SPNEGO")) return SASL_SPNEGO;
    if (package_name_equal(name, L"EXTERNAL")) return SASL_EXTERNAL;
    return SASL_PLAIN;
}

/* What cannot be a profile is left out. */
static status_t profile_add(struct sasl_profile *profiles, ULONG *count, const WCHAR *name,
                            const WCHAR *package_name)
{
    struct package *package;
    if (!is_name(name)) {
        WARN("%ls is no name of a SASL mechanism\n", name);
        return SEC_E_OK;
    }
    status_t status = package_find(package_name, &package);
    if (status == SEC_E_INSUFFICIENT_MEMORY) return status;
    if (!status_ok(status)) {
        TRACE("%ls: no package %ls\n", name, package_name);
        return SEC_E_OK;
    }
    struct sasl_profile *profile = &profiles[(*count)++];
    wcscpy(profile->name, name);
    profile->mechanism = mechanism_of(name);
    profile->package = package;
    return SEC_E_OK;
}

static status_t read_values(HKEY key, DWORD values, struct sasl_profile *profiles, ULONG *count)
{
    status_t status = SEC_E_OK;
    for (DWORD i = 0; i < values && status_ok(status); i++) {
        WCHAR name[SASL_NAME_MAX + 1], data[PACKAGE_NAME_MAX + 1];
        DWORD length = ARRAYSIZE(name), size = PACKAGE_NAME_MAX * sizeof(WCHAR), type;
        LSTATUS error = RegEnumValueW(key, i, name, &length, NULL, &type, (BYTE *)data, &size);
        if (error || type != REG_SZ) {
            WARN("profile %lu is left out: error %ld\n", i, error);
            continue;
        }
        data[size / sizeof(WCHAR)] = 0;
        status = profile_add(profiles, count, name, data);
    }
    return status;
}

/* key NULL: the profiles that there are without any in the registry. */
static status_t profiles_fill(HKEY key, DWORD values, struct sasl_profile *profiles, ULONG *count)
{
    status_t status = SEC_E_OK;
    *count = 0;
    if (key) return read_values(key, values, profiles, count);
    for (size_t i = 0; i < ARRAYSIZE(default_profiles) && status_ok(status); i++)
        status = profile_add(profiles, count, default_profiles[i][0], default_profiles[i][1]);
    return status;
}

status_t sasl_profiles_get(struct sasl_profile **out, ULONG *count)
{
    HKEY key;
    DWORD values = ARRAYSIZE(default_profiles);
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, PROFILES_KEY, 0, KEY_QUERY_VALUE, &key)) key = NULL;
    if (key &&
        RegQueryInfoKeyW(key, NULL, NULL, NULL, NULL, NULL, NULL, &values, NULL, NULL, NULL, NULL))
        values = 0;
    struct sasl_profile *profiles = HeapAlloc(GetProcessHeap(), 0,
                                              (values + 1) * sizeof(*profiles));
    status_t status = profiles ? profiles_fill(key, values, profiles, count)
                               : SEC_E_INSUFFICIENT_MEMORY;
    if (key) RegCloseKey(key);
    if (status_ok(status)) *out = profiles;
    else HeapFree(GetProcessHeap(), 0, profiles);
    return status;
}

status_t sasl_mechanism_find(const struct package *package, bool external,
                             enum sasl_mechanism *mechanism)
{
    struct sasl_profile *profiles;
    ULONG count;
    status_t status = sasl_profiles_get(&profiles, &count);
    if (!status_ok(status)) return status;
    status = SEC_E_SECPKG_NOT_FOUND;
    for (ULONG i = 0; i < count && !status_ok(status); i++) {
        if (profiles[i].package != package) continue;
        if ((profiles[i].mechanism == SASL_EXTERNAL) != external) continue;
        *mechanism = profiles[i].mechanism;
        status = SEC_E_OK;
    }
    HeapFree(GetProcessHeap(), 0, profiles);
    return status;
}

/* ---- exports ---- */

SECURITY_STATUS WINAPI SaslEnumerateProfilesW(WCHAR **list, ULONG *out_count)
{
    struct sasl_profile *profiles;
    ULONG count;
    if (!list || !out_count) return SEC_E_INVALID_PARAMETER;
    status_t status = sasl_profiles_get(&profiles, &count);
    if (!status_ok(status)) return status;
    WCHAR *names = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY,
                             (count * (SASL_NAME_MAX + 1) + 2) * sizeof(*names));
    if (names) {
        WCHAR *at = names;
        for (ULONG i = 0; i < count; i++) {
            wcscpy(at, profiles[i].name);
            at += wcslen(at) + 1;
        }
        *list = names;
        *out_count = count;
    }
    HeapFree(GetProcessHeap(), 0, profiles);
    return names ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

/* The names are ASCII, so the list of the A form is as long as the other. */
SECURITY_STATUS WINAPI SaslEnumerateProfilesA(char **list, ULONG *count)
{
    WCHAR *wide;
    if (!list || !count) return SEC_E_INVALID_PARAMETER;
    ULONG found;
    status_t status = SaslEnumerateProfilesW(&wide, &found);
    if (!status_ok(status)) return status;
    SIZE_T length = HeapSize(GetProcessHeap(), 0, wide) / sizeof(*wide);
    char *ansi = HeapAlloc(GetProcessHeap(), 0, length);
    if (ansi) {
        for (SIZE_T i = 0; i < length; i++) ansi[i] = (char)wide[i];
        *list = ansi;
        *count = found;
    }
    FreeContextBuffer(wide);
    return ansi ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

static status_t info_give(const struct package *package, SecPkgInfoW **out)
{
    SecPkgInfoW *info = package_info_copy(&package->info, 1);
    if (!info) return SEC_E_INSUFFICIENT_MEMORY;
    *out = info;
    return SEC_E_OK;
}

SECURITY_STATUS WINAPI SaslGetProfilePackageW(WCHAR *name, SecPkgInfoW **out)
{
    struct sasl_profile *profiles;
    ULONG count;
    if (!out) return SEC_E_INVALID_PARAMETER;
    if (!name) return SEC_E_SECPKG_NOT_FOUND;
    status_t status = sasl_profiles_get(&profiles, &count);
    if (!status_ok(status)) return status;
    ULONG i = 0;
    while (i < count && !package_name_equal(profiles[i].name, name)) i++;
    status = i < count ? info_give(profiles[i].package, out) : SEC_E_SECPKG_NOT_FOUND;
    HeapFree(GetProcessHeap(), 0, profiles);
    return status;
}

SECURITY_STATUS WINAPI SaslGetProfilePackageA(char *name, SecPkgInfoA **out)
{
    WCHAR *wide_name;
    SecPkgInfoW *wide;
    if (!out) return SEC_E_INVALID_PARAMETER;
    status_t status = ansi_to_wide(name, &wide_name);
    if (!status_ok(status)) return status;
    status = SaslGetProfilePackageW(wide_name, &wide);
    HeapFree(GetProcessHeap(), 0, wide_name);
    if (!status_ok(status)) return status;
    status = ansi_package_infos(wide, 1, out);
    FreeContextBuffer(wide);
    return status;
}

/* A buffer comes from the wire, where names are ASCII. */
static bool begins_with(const SecBuffer *buffer, const WCHAR *name)
{
    const BYTE *bytes = buffer->pvBuffer;
    size_t length = wcslen(name);
    if (buffer->cbBuffer < length) return false;
    for (size_t i = 0; i < length; i++)
        if (towupper(bytes[i]) != towupper(name[i])) return false;
    return true;
}

/* The longest name wins: one may be the beginning of another. */
SECURITY_STATUS WINAPI SaslIdentifyPackageW(SecBufferDesc *input, SecPkgInfoW **out)
{
    struct sasl_profile *profiles;
    ULONG count;
    if (!out) return SEC_E_INVALID_PARAMETER;
    if (!secbuf_valid(input)) return SEC_E_SECPKG_NOT_FOUND;
    const SecBuffer *token = secbuf_find(input, SECBUFFER_TOKEN);
    if (!token || !token->pvBuffer) return SEC_E_SECPKG_NOT_FOUND;
    status_t status = sasl_profiles_get(&profiles, &count);
    if (!status_ok(status)) return status;
    const struct sasl_profile *best = NULL;
    for (ULONG i = 0; i < count; i++) {
        if (!begins_with(token, profiles[i].name)) continue;
        if (!best || wcslen(profiles[i].name) > wcslen(best->name)) best = &profiles[i];
    }
    status = best ? info_give(best->package, out) : SEC_E_SECPKG_NOT_FOUND;
    HeapFree(GetProcessHeap(), 0, profiles);
    return status;
}

SECURITY_STATUS WINAPI SaslIdentifyPackageA(SecBufferDesc *input, SecPkgInfoA **out)
{
    SecPkgInfoW *wide;
    if (!out) return SEC_E_INVALID_PARAMETER;
    status_t status = SaslIdentifyPackageW(input, &wide);
    if (!status_ok(status)) return status;
    status = ansi_package_infos(wide, 1, out);
    FreeContextBuffer(wide);
    return status;
}
