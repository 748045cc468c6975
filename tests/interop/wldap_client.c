/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An LDAP client on Wine's wldap32, which binds with GSS-SPNEGO by SSPI and protects what follows:
 * it asks the server over and over who it is (RFC 4532).
 */
#include "identities.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include <sspi.h>
#include <winldap.h>

static void widen(WCHAR *to, int capacity, const char *from)
{
    if (!MultiByteToWideChar(CP_UTF8, 0, from, -1, to, capacity)) to[0] = 0;
}

static bool fail(struct dialogue *dialogue, const char *step, ULONG error)
{
    char number[32];
    snprintf(number, sizeof(number), "error 0x%lx", error);
    return dialogue_fail(dialogue, step, number);
}

static ULONG bind_to(LDAP *ldap, const struct options *options)
{
    WCHAR user[sizeof(options->user)], domain[sizeof(options->domain)];
    WCHAR password[sizeof(options->password)];
    widen(user, sizeof(options->user), options->user);
    widen(domain, sizeof(options->domain), options->domain);
    widen(password, sizeof(options->password), options->password);
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(user, domain, password);
    return ldap_bind_sW(ldap, NULL, options->by_default ? NULL : (WCHAR *)&identity,
                        LDAP_AUTH_NEGOTIATE);
}

static bool who_am_i(struct dialogue *dialogue, LDAP *ldap, bool print)
{
    WCHAR operation[] = L"1.3.6.1.4.1.4203.1.11.3";
    WCHAR *name = NULL;
    struct berval *value = NULL;
    ULONG error = ldap_extended_operation_sW(ldap, operation, NULL, NULL, NULL, &name, &value);
    if (error) return fail(dialogue, "who am I", error);
    if (print && value) printf("identity: %.*s\n", (int)value->bv_len, value->bv_val);
    if (value) ber_bvfree((BERVAL *)value);
    if (name) ldap_memfreeW(name);
    return true;
}

static const char *maker_of(const WCHAR *module)
{
    return GetModuleHandleW(module) ? "loaded" : "not loaded";
}

static int run(const struct options *options)
{
    struct dialogue dialogue = {.failure = ""};
    WCHAR host[] = L"localhost";
    ULONG version = LDAP_VERSION3;
    LDAP *ldap = ldap_initW(host, options->port);
    if (!ldap) return EXIT_FAILURE;
    ldap_set_optionW(ldap, LDAP_OPT_PROTOCOL_VERSION, &version);
    ULONG error = bind_to(ldap, options);
    bool good = !error || fail(&dialogue, "bind", error);
    for (uint32_t i = 0; good && i < options->rounds; i++) good = who_am_i(&dialogue, ldap, !i);
    printf("ssp_negotiate.dll: %s\n", maker_of(L"ssp_negotiate.dll"));
    ldap_unbind(ldap);
    return options_report(&dialogue, options);
}

int main(int argc, char **argv)
{
    struct options options;
    return options_parse(&options, argc, argv) && !options.server ? run(&options) : 2;
}
