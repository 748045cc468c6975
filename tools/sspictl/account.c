/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sspictl account: the accounts against which the NTLM server of this Wine prefix checks a client.
 * A domain's accounts are not its business: they come from a domain controller. Neither passwords
 * nor their hashes are ever printed.
 */
#include "accounts.h"
#include "commands.h"
#include "options.h"
#include "password.h"
#include "text.h"

#include "core/secret.h"

#include <windows.h>

#include <stdlib.h>
#include <string.h>

static void account_help(void)
{
    printf("Usage: sspictl account add [DOMAIN\\]USER\n"
           "       sspictl account remove [DOMAIN\\]USER\n"
           "       sspictl account list [[DOMAIN\\]USER]\n"
           "The local accounts against which NTLM servers in this Wine prefix check a client. The\n"
           "domain is this computer's name unless it is given. USER has up to 256 characters,\n"
           "DOMAIN up to 15; upper and lower case are the same.\n\n"
           "  add     asks for a password and keeps its NT hash; an account that exists gets the\n"
           "          new password\n"
           "  remove  forgets the account\n"
           "  list    prints all accounts, or the one named if it exists\n\n"
           "The password is asked for on the console; when standard input is no console, it is\n"
           "read from there, one line of UTF-8 text.\n");
}

static int account_add(const struct account *account)
{
    struct password password;
    const char *problem = password_read("Password", true, &password);
    if (problem) return text_fail("%s", problem);
    /* Only for the words of the answer: adding and replacing are the same act. */
    bool replaced = account_find(account) == ERROR_SUCCESS;
    long error = account_set(account, password.text);
    secret_wipe(&password, sizeof(password));
    if (error) return text_fail_windows(error, "cannot write the account");
    text_print_wide(stdout, account->text);
    printf(replaced ? ": password changed\n" : ": account added\n");
    return EXIT_OK;
}

/* One sentence for all verbs; the name is shown with its domain, which may be the default one. */
static int account_missing(const struct account *account)
{
    char *name = text_from_wide(account->text);
    text_fail("there is no account %s", name ? name : "");
    free(name);
    return EXIT_FAILED;
}

static int account_drop(const struct account *account)
{
    long error = account_remove(account);
    if (error == ERROR_FILE_NOT_FOUND) return account_missing(account);
    if (error) return text_fail_windows(error, "cannot remove the account");
    text_print_wide(stdout, account->text);
    printf(": account removed\n");
    return EXIT_OK;
}

struct account_listing {
    const struct account *only; /* NULL: all */
    unsigned shown, damaged;
};

static void account_show(void *closure, const wchar_t *text, bool valid)
{
    struct account_listing *listing = closure;
    /* The registry does not tell upper from lower case either. */
    if (listing->only && _wcsicmp(text, listing->only->text)) return;
    text_print_wide(stdout, text);
    printf(valid ? "\n" : "  (damaged: not the value of an account)\n");
    listing->shown++;
    if (!valid) listing->damaged++;
}

static int account_list(const struct account *only)
{
    struct account_listing listing = {only, 0, 0};
    long error = account_each(account_show, &listing);
    if (error) return text_fail_windows(error, "cannot read the accounts");
    if (only && !listing.shown) return account_missing(only);
    return listing.damaged ? EXIT_FAILED : EXIT_OK;
}

static int account_run(const char *verb, const struct account *account)
{
    if (!strcmp(verb, "list")) return account_list(account);
    if (!account) return text_usage("account", "%s needs the name of an account", verb);
    return !strcmp(verb, "add") ? account_add(account) : account_drop(account);
}

int command_account(char **arguments)
{
    static const struct option options[] = {{NULL, NULL, NULL}};
    const char *values[2] = {NULL, NULL};
    struct operands operands = {"add|remove|list [DOMAIN\\]USER", 1, 2, values, 0};
    switch (options_parse("account", arguments, options, &operands)) {
    case OPTIONS_HELP: account_help(); return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    if (strcmp(values[0], "add") && strcmp(values[0], "remove") && strcmp(values[0], "list"))
        return text_usage("account", "%s is none of add, remove and list", values[0]);
    if (!values[1]) return account_run(values[0], NULL);
    struct account account;
    wchar_t *name = text_to_wide(values[1]);
    const char *problem = name ? account_parse(name, NULL, &account) : "out of memory";
    free(name);
    if (problem) return text_usage("account", "%s: %s", values[1], problem);
    return account_run(values[0], &account);
}
