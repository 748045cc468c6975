/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a certificate is for a host: its alternative names, or without any its common name (RFC
 * 6125 6.4, RFC 2818 3.1). In a name the first label may be a star, which stands for one label. An
 * address is compared as a number. crypt32 of Wine 8.0 compares no addresses.
 */
#include "schannel_package.h"

#include <string.h>
#include <wchar.h>

#include <winsock2.h>
#include <ws2tcpip.h>
#include <mstcpip.h>

#define HOST_CHARS 256u /* RFC 1035 2.3.4, with a terminator */

struct host {
    wchar_t name[HOST_CHARS]; /* as DNS has it: no dot at the end, A-labels */
    BYTE address[16];
    DWORD address_size; /* 0: it is a name */
};

/* ---- the host ---- */

static void host_parse_address(struct host *host)
{
    USHORT port = 0; /* Wine leaves it alone where there is none */
    ULONG scope = 0;
    struct in_addr four;
    struct in6_addr six;
    if (RtlIpv4StringToAddressExW(host->name, TRUE, &four, &port) >= 0 && !port) {
        host->address_size = sizeof(four);
        memcpy(host->address, &four, sizeof(four));
    } else if (RtlIpv6StringToAddressExW(host->name, &six, &scope, &port) >= 0 && !port) {
        host->address_size = sizeof(six);
        memcpy(host->address, &six, sizeof(six));
    }
}

static bool is_ascii(const wchar_t *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] > 0x7f) return false;
    return true;
}

/* An IPv6 address may come in brackets. */
static bool host_set(struct host *host, const wchar_t *text)
{
    size_t length = wcslen(text);
    memset(host, 0, sizeof(*host));
    if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    if (length && text[length - 1] == '.') length--;
    if (!length || length >= HOST_CHARS) return false;
    if (is_ascii(text, length)) memcpy(host->name, text, length * sizeof(*text));
    else if (!IdnToAscii(0, text, (int)length, host->name, HOST_CHARS - 1)) return false;
    host_parse_address(host);
    return true;
}

/* ---- names of certificates ---- */

static bool text_equal(const wchar_t *a, const wchar_t *b)
{
    return CompareStringOrdinal(a, -1, b, -1, TRUE) == CSTR_EQUAL;
}

/* Stars stand before two labels at least: nobody owns all of a top-level domain. */
static bool name_matches(const wchar_t *pattern, const wchar_t *name)
{
    wchar_t trimmed[HOST_CHARS];
    size_t length = wcslen(pattern);
    if (length && pattern[length - 1] == '.') length--;
    if (!length || length >= HOST_CHARS) return false;
    memcpy(trimmed, pattern, length * sizeof(*pattern));
    trimmed[length] = 0;
    if (wcsncmp(trimmed, L"*.", 2)) return !wcschr(trimmed, '*') && text_equal(trimmed, name);

    const wchar_t *rest = trimmed + 1, *dot = wcschr(name, '.');
    return dot && dot != name && wcschr(rest + 1, '.') && !wcschr(rest, '*') &&
           text_equal(rest, dot);
}

static bool entry_matches(const CERT_ALT_NAME_ENTRY *entry, const struct host *host)
{
    if (host->address_size)
        return entry->dwAltNameChoice == CERT_ALT_NAME_IP_ADDRESS &&
               entry->IPAddress.cbData == host->address_size &&
               !memcmp(entry->IPAddress.pbData, host->address, host->address_size);
    return entry->dwAltNameChoice == CERT_ALT_NAME_DNS_NAME &&
           name_matches(entry->pwszDNSName, host->name);
}

enum answer { ANSWER_NONE, ANSWER_NO, ANSWER_YES };

/* None when the names are of other kinds only. */
static enum answer alternative_names(const CERT_INFO *info, const struct host *host)
{
    CERT_ALT_NAME_INFO *names;
    DWORD size;
    enum answer answer = ANSWER_NONE;
    const CERT_EXTENSION *extension = CertFindExtension(szOID_SUBJECT_ALT_NAME2, info->cExtension,
                                                        info->rgExtension);
    if (!extension) return ANSWER_NONE;
    if (!CryptDecodeObjectEx(X509_ASN_ENCODING, X509_ALTERNATE_NAME, extension->Value.pbData,
                             extension->Value.cbData, CRYPT_DECODE_ALLOC_FLAG, NULL, &names, &size))
        return ANSWER_NO;
    for (DWORD i = 0; i < names->cAltEntry && answer != ANSWER_YES; i++) {
        const CERT_ALT_NAME_ENTRY *entry = &names->rgAltEntry[i];
        if (entry_matches(entry, host)) answer = ANSWER_YES;
        else if (entry->dwAltNameChoice == CERT_ALT_NAME_DNS_NAME ||
                 entry->dwAltNameChoice == CERT_ALT_NAME_IP_ADDRESS)
            answer = ANSWER_NO;
    }
    LocalFree(names);
    return answer;
}

bool certificate_is_for(const CERT_CONTEXT *certificate, const wchar_t *name)
{
    static char common_name[] = szOID_COMMON_NAME;
    wchar_t subject[HOST_CHARS] = L"";
    struct host host;
    if (!host_set(&host, name)) return false;
    enum answer answer = alternative_names(certificate->pCertInfo, &host);
    if (answer != ANSWER_NONE) return answer == ANSWER_YES;
    DWORD size = CertGetNameStringW(certificate, CERT_NAME_ATTR_TYPE, 0, common_name, subject,
                                    HOST_CHARS);
    /* A zero in it would end it too early; in alternative names crypt32 takes none. */
    if (size != wcslen(subject) + 1) return false;
    return host.address_size ? text_equal(subject, host.name) : name_matches(subject, host.name);
}
