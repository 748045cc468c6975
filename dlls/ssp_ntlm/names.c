/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names: those of this machine and of the process's user, how names are compared, and which
 * target names mean this machine. The machine is taken not to be a member of a domain: its
 * NetBIOS name stands for the domain of its accounts.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "core/target.h"
#include "core/utf16.h"
#include "ssp/prefix.h"

#include <string.h>
#include <wchar.h>

WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR c);

bool name_set(struct name *out, struct slice text)
{
    if (text.size > NAME_CHARS * sizeof(wchar_t) || !utf16_valid(text)) return false;
    if (text.size) memmove(out->text, text.data, text.size);
    out->length = text.size / sizeof(wchar_t);
    out->text[out->length] = 0;
    return true;
}

bool name_equal(const struct name *a, const struct name *b)
{
    return CompareStringOrdinal(a->text, (int)a->length, b->text, (int)b->length, TRUE) ==
           CSTR_EQUAL;
}

void name_upper(struct name *name)
{
    for (size_t i = 0; i < name->length; i++) name->text[i] = RtlUpcaseUnicodeChar(name->text[i]);
}

/* ---- this machine ---- */

static bool computer_name(COMPUTER_NAME_FORMAT format, struct name *out)
{
    DWORD length = ARRAYSIZE(out->text);
    if (!GetComputerNameExW(format, out->text, &length)) return false;
    out->length = length;
    return true;
}

static BOOL CALLBACK host_load(INIT_ONCE *once, void *parameter, void **context)
{
    static struct host host;
    (void)once;
    (void)parameter;

    DWORD size = ARRAYSIZE(host.user.text);
    /* Wine takes it from the environment, which a parent may have emptied. Without a name there
     * are no default credentials; accounts do not need it. */
    bool named = GetUserNameW(host.user.text, &size) && size;
    host.user.length = named ? size - 1 : 0; /* size counts the terminator */
    host.user.text[host.user.length] = 0;
    if (!computer_name(ComputerNameNetBIOS, &host.computer)) return FALSE;
    if (!computer_name(ComputerNameDnsFullyQualified, &host.dns_computer))
        host.dns_computer = host.computer;
    if (!computer_name(ComputerNameDnsDomain, &host.dns_domain) || !host.dns_domain.length)
        host.dns_domain = host.dns_computer;
    int written = WideCharToMultiByte(CP_OEMCP, 0, host.computer.text, -1, host.oem_computer,
                                      sizeof(host.oem_computer), NULL, NULL);
    if (!written) return FALSE;
    *context = &host;
    return TRUE;
}

const struct host *host_get(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    void *host = NULL;
    return InitOnceExecuteOnce(&once, host_load, NULL, &host) ? host : NULL;
}

status_t machine_id_get(uint8_t out[NTLM_MACHINE_ID_SIZE])
{
    struct prefix_secret secret;
    status_t status = prefix_secret_get(&secret);
    if (!status_ok(status)) return status;
    memcpy(out, secret.machine_id, NTLM_MACHINE_ID_SIZE);
    secret_wipe(&secret, sizeof(secret));
    return SEC_E_OK;
}

/* ---- targets ---- */

bool target_host_name(struct slice target_name, struct name *host)
{
    struct slice found = target_host(target_name);
    return found.size && name_set(host, found);
}

bool host_is_target(const struct host *host, struct slice target_name, status_t *status)
{
    static const struct name aliases[] = {
        {L"localhost", 9},
        {L"127.0.0.1", 9},
        {L"::1", 3},
    };
    struct name named;
    if (!target_host_name(target_name, &named)) return false;
    if (name_equal(&named, &host->computer) || name_equal(&named, &host->dns_computer)) return true;

    /* The first label of the DNS name is a name of the machine, too. */
    struct name label = host->dns_computer;
    label.length = wcscspn(label.text, L".");
    if (name_equal(&named, &label)) return true;
    for (size_t i = 0; i < ARRAYSIZE(aliases); i++)
        if (name_equal(&named, &aliases[i])) return true;
    return policy_is_own_name(&named, status);
}
