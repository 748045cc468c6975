/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sspictl config: the policies of this project, which are numbers in the registry under
 * HKLM\SOFTWARE\winesspi (64-bit view). Windows' own policies stay with the tools that set those.
 */
#include "commands.h"
#include "options.h"
#include "text.h"

#include <windows.h>

#include "ssp/foreign.h"
#include "ssp/prefix.h"
#include "ssp/winbind.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NTLM_KEY PREFIX_REGISTRY_KEY L"\\NTLM"
#define ULONG_LIMIT 4294967295ul

struct policy {
    const char *name;
    const wchar_t *key, *value;
    unsigned long max, initial;
    const char *meaning; /* of its numbers; lines are indented by two */
};

static const struct policy policies[] = {
    {"ForeignTokens", PREFIX_REGISTRY_KEY, FOREIGN_TOKENS_VALUE, 1, 0,
     "  0  a server can act only for a client that is the user of this prefix\n"
     "  1  for other clients, too: with a token that says little and can do little. Wine does not\n"
     "     keep such a thread from files; read the README before you set it\n"},
    {"ChannelBindings", NTLM_KEY, L"ChannelBindings", 2, 1,
     "  0  NTLM servers do not look at them\n"
     "  1  what the client sends has to match\n"
     "  2  and may not be missing\n"},
    {"TargetNames", NTLM_KEY, L"TargetNames", 2, 0,
     "  0  NTLM servers do not look at them\n"
     "  1  a target that the client names has to be this machine\n"
     "  2  and the client has to name one\n"},
    {"RequireMic", NTLM_KEY, L"RequireMic", 1, 0,
     "  1  NTLM servers refuse clients without a message integrity code\n"},
    {"TimestampWindow", NTLM_KEY, L"TimestampWindow", ULONG_LIMIT, 0,
     "  NTLM servers: seconds by which a response may be off; 0 is not checked\n"},
    {"MinimumPasswordLength", NTLM_KEY, L"MinimumPasswordLength", 256, 0,
     "  characters of a new password that its owner changes; 0 takes any\n"},
    {"Winbind", WINBIND_KEY, WINBIND_VALUE, 1, 0,
     "  1  NTLM servers ask the host's winbind about accounts that they do not know\n"},
};

#define POLICY_COUNT (sizeof(policies) / sizeof(*policies))

static void config_help(void)
{
    printf("Usage: sspictl config\n"
           "       sspictl config get NAME\n"
           "       sspictl config set NAME NUMBER|default\n"
           "The policies of this Wine prefix. Without arguments all are listed; get prints the\n"
           "number of one; set changes it, which running programs notice within a second.\n");
    for (size_t i = 0; i < POLICY_COUNT; i++)
        printf("\n%s, from 0 to %lu, by default %lu\n%s", policies[i].name, policies[i].max,
               policies[i].initial, policies[i].meaning);
}

static const struct policy *policy_find(const char *name)
{
    for (size_t i = 0; i < POLICY_COUNT; i++)
        if (!_stricmp(policies[i].name, name)) return &policies[i];
    return NULL;
}

/* False when there is no number, so that the policy has its default. */
static bool policy_read(const struct policy *policy, DWORD *number)
{
    DWORD size = sizeof(*number);
    return !RegGetValueW(HKEY_LOCAL_MACHINE, policy->key, policy->value,
                         RRF_RT_REG_DWORD | RRF_SUBKEY_WOW6464KEY, NULL, number, &size);
}

static void policy_show(const struct policy *policy)
{
    DWORD number;
    if (policy_read(policy, &number)) printf("%-22s %lu\n", policy->name, number);
    else printf("%-22s %lu  (default)\n", policy->name, policy->initial);
}

static int policy_get(const struct policy *policy)
{
    DWORD number;
    printf("%lu\n", policy_read(policy, &number) ? number : policy->initial);
    return EXIT_OK;
}

static bool number_read(const char *text, unsigned long max, unsigned long *number)
{
    char *end;
    errno = 0;
    *number = strtoul(text, &end, 10);
    /* strtoul takes signs and blanks, too. */
    return *text >= '0' && *text <= '9' && !*end && !errno && *number <= max;
}

static int policy_set(const struct policy *policy, const char *text)
{
    HKEY key;
    unsigned long wanted = 0;
    bool initial = !strcmp(text, "default");
    if (!initial && !number_read(text, policy->max, &wanted))
        return text_usage("config", "%s is a number from 0 to %lu", policy->name, policy->max);
    LSTATUS error = RegCreateKeyExW(HKEY_LOCAL_MACHINE, policy->key, 0, NULL, 0,
                                    KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, NULL);
    if (!error) {
        DWORD number = wanted;
        if (initial) error = RegDeleteValueW(key, policy->value);
        else error = RegSetValueExW(key, policy->value, 0, REG_DWORD, (BYTE *)&number, 4);
        if (initial && error == ERROR_FILE_NOT_FOUND) error = ERROR_SUCCESS;
        RegCloseKey(key);
    }
    if (error) return text_fail_windows(error, "cannot write %s", policy->name);
    policy_show(policy);
    return EXIT_OK;
}

int command_config(char **arguments)
{
    static const struct option options[] = {{NULL, NULL, NULL}};
    const char *values[3] = {NULL, NULL, NULL};
    struct operands operands = {"[get|set NAME [NUMBER]]", 0, 3, values, 0};
    switch (options_parse("config", arguments, options, &operands)) {
    case OPTIONS_HELP: config_help(); return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    if (!operands.count) {
        for (size_t i = 0; i < POLICY_COUNT; i++) policy_show(&policies[i]);
        return EXIT_OK;
    }
    bool set = !strcmp(values[0], "set");
    if (!set && strcmp(values[0], "get"))
        return text_usage("config", "%s is neither get nor set", values[0]);
    if (operands.count != (set ? 3 : 2))
        return text_usage("config", set ? "set needs a name and a number" : "get needs a name");
    const struct policy *policy = policy_find(values[1]);
    if (!policy) return text_usage("config", "there is no policy %s", values[1]);
    return set ? policy_set(policy, values[2]) : policy_get(policy);
}
