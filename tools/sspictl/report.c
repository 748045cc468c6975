/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The attributes of a context, one line each, in the order of their usefulness. Session keys are
 * compared and measured and never printed. Attributes that only one package has are left out.
 */
#include "report.h"

#include "names.h"
#include "text.h"

#include "core/secret.h"

static void report_label(FILE *to, const char *label)
{
    fprintf(to, "  %-13s ", label);
}

/* Asks for an attribute; false, and a line that says so, when the context does not have it. */
static bool report_query(FILE *to, CtxtHandle *context, ULONG attribute, const char *label,
                         void *out)
{
    SECURITY_STATUS status = QueryContextAttributesW(context, attribute, out);
    report_label(to, label);
    if (status == SEC_E_OK) return true;
    fprintf(to, "not available: %s\n", status_text(status).text);
    return false;
}

static void report_text(FILE *to, wchar_t *text)
{
    if (text) text_print_wide(to, text);
}

static void report_flags(FILE *to, CtxtHandle *context, bool client)
{
    SecPkgContext_Flags flags;
    if (!report_query(to, context, SECPKG_ATTR_FLAGS, "flags", &flags)) return;
    fprintf(to, "0x%08lx ", flags.Flags);
    if (client) names_print_client_flags(to, flags.Flags);
    else names_print_server_flags(to, flags.Flags);
    fprintf(to, "\n");
}

static void report_names(FILE *to, CtxtHandle *context)
{
    SecPkgContext_NamesW names;
    if (!report_query(to, context, SECPKG_ATTR_NAMES, "user", &names)) return;
    report_text(to, names.sUserName);
    fprintf(to, "\n");
    FreeContextBuffer(names.sUserName);
}

static void report_sizes(FILE *to, CtxtHandle *context)
{
    SecPkgContext_Sizes sizes;
    if (!report_query(to, context, SECPKG_ATTR_SIZES, "sizes", &sizes)) return;
    fprintf(to, "max token %lu, max signature %lu, security trailer %lu, block %lu bytes\n",
            sizes.cbMaxToken, sizes.cbMaxSignature, sizes.cbSecurityTrailer, sizes.cbBlockSize);
}

static void report_key(FILE *to, CtxtHandle *context)
{
    SecPkgContext_KeyInfoW key;
    if (!report_query(to, context, SECPKG_ATTR_KEY_INFO, "key", &key)) return;
    fprintf(to, "%lu bits; sealing ", key.KeySize);
    report_text(to, key.sEncryptAlgorithmName);
    fprintf(to, " (0x%lx), signing ", key.EncryptAlgorithm);
    report_text(to, key.sSignatureAlgorithmName);
    fprintf(to, " (0x%lx)\n", key.SignatureAlgorithm);
    FreeContextBuffer(key.sEncryptAlgorithmName);
    FreeContextBuffer(key.sSignatureAlgorithmName);
}

/* The length is worth showing: programs derive keys of their own from it. */
static void report_session_key(FILE *to, CtxtHandle *context)
{
    SecPkgContext_SessionKey key;
    if (!report_query(to, context, SECPKG_ATTR_SESSION_KEY, "session key", &key)) return;
    fprintf(to, "%lu bytes\n", key.SessionKeyLength);
    /* The block is ours until it is freed, and the heap would keep the key. */
    if (key.SessionKey) secret_wipe(key.SessionKey, key.SessionKeyLength);
    FreeContextBuffer(key.SessionKey);
}

/* SSPI counts in local time; a time beyond the year 9999 stands for "never". */
static void report_time(FILE *to, const TimeStamp *time)
{
    FILETIME file = {time->LowPart, (DWORD)time->HighPart};
    SYSTEMTIME system;
    if (!time->HighPart && !time->LowPart) fprintf(to, "not said");
    else if (time->HighPart < 0 || !FileTimeToSystemTime(&file, &system) || system.wYear > 9999)
        fprintf(to, "never");
    else
        fprintf(to, "%04u-%02u-%02u %02u:%02u:%02u", system.wYear, system.wMonth, system.wDay,
                system.wHour, system.wMinute, system.wSecond);
}

static void report_lifespan(FILE *to, CtxtHandle *context)
{
    SecPkgContext_Lifespan lifespan;
    if (!report_query(to, context, SECPKG_ATTR_LIFESPAN, "lifespan", &lifespan)) return;
    fprintf(to, "start ");
    report_time(to, &lifespan.tsStart);
    fprintf(to, ", end ");
    report_time(to, &lifespan.tsExpiry);
    fprintf(to, " (local time)\n");
}

static void report_package_info(FILE *to, const SecPkgInfoW *info)
{
    report_text(to, info->Name);
    fprintf(to, " (");
    report_text(to, info->Comment);
    fprintf(to, "), version %u, RPC id %u, max token %lu, capabilities 0x%08lx", info->wVersion,
            info->wRPCID, info->cbMaxToken, info->fCapabilities);
}

static void report_package(FILE *to, CtxtHandle *context)
{
    SecPkgContext_PackageInfoW package;
    if (!report_query(to, context, SECPKG_ATTR_PACKAGE_INFO, "package", &package)) return;
    report_package_info(to, package.PackageInfo);
    fprintf(to, "\n");
    FreeContextBuffer(package.PackageInfo);
}

static void report_negotiation(FILE *to, CtxtHandle *context)
{
    static const char *const states[] = {"complete", "optimistic", "in progress", "direct",
                                         "several credentials to try"};
    SecPkgContext_NegotiationInfoW info;
    if (!report_query(to, context, SECPKG_ATTR_NEGOTIATION_INFO, "negotiated", &info)) return;
    report_text(to, info.PackageInfo->Name);
    bool known = info.NegotiationState < sizeof(states) / sizeof(*states);
    fprintf(to, ", %s\n", known ? states[info.NegotiationState] : "unknown state");
    FreeContextBuffer(info.PackageInfo);
}

void report_context(FILE *to, CtxtHandle *context, bool client)
{
    fprintf(to, client ? "Client\n" : "Server\n");
    report_flags(to, context, client);
    report_names(to, context);
    report_sizes(to, context);
    report_key(to, context);
    report_session_key(to, context);
    report_lifespan(to, context);
    report_package(to, context);
    report_negotiation(to, context);
}

bool report_same_key(CtxtHandle *client, CtxtHandle *server)
{
    SecPkgContext_SessionKey a, b;
    if (QueryContextAttributesW(client, SECPKG_ATTR_SESSION_KEY, &a) != SEC_E_OK) return false;
    if (QueryContextAttributesW(server, SECPKG_ATTR_SESSION_KEY, &b) != SEC_E_OK) {
        FreeContextBuffer(a.SessionKey);
        return false;
    }
    bool same = a.SessionKeyLength && a.SessionKeyLength == b.SessionKeyLength &&
                secret_equal(a.SessionKey, b.SessionKey, a.SessionKeyLength);
    if (a.SessionKey) secret_wipe(a.SessionKey, a.SessionKeyLength);
    if (b.SessionKey) secret_wipe(b.SessionKey, b.SessionKeyLength);
    FreeContextBuffer(a.SessionKey);
    FreeContextBuffer(b.SessionKey);
    return same;
}
