/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From options to a loopback handshake. A user that is named needs a password, which is read here,
 * kept in one place and wiped; without one, default credentials are used, and the package decides
 * what they are.
 */
#include "login.h"

#include "names.h"
#include "text.h"

#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

const char login_help[] =
    "  --user USER      authenticate as this user (or DOMAIN\\USER); the password is asked for on\n"
    "                   the console, or read from standard input, one line, when that is no\n"
    "                   console. The account must exist: see sspictl account --help\n"
    "  --domain DOMAIN  the user's domain; otherwise this computer's name\n"
    "Without --user: the default credentials, that is the user who runs the program.\n";

static int login_identity(const char *command, const struct login_options *options,
                          struct login *login)
{
    wchar_t *user = text_to_wide(options->user);
    wchar_t *domain = options->domain ? text_to_wide(options->domain) : NULL;
    bool converted = user && (domain || !options->domain);
    const char *problem = converted ? account_parse(user, domain, &login->account)
                                    : "out of memory";
    free(user);
    free(domain);
    if (problem) return text_usage(command, "%s: %s", options->user, problem);
    problem = password_read("Password", false, &login->password);
    if (problem) return text_fail("%s", problem);
    login->explicit_user = true;
    login->identity = (SEC_WINNT_AUTH_IDENTITY_W){
        .User = (unsigned short *)login->account.user,
        .UserLength = (unsigned long)wcslen(login->account.user),
        .Domain = (unsigned short *)login->account.domain,
        .DomainLength = (unsigned long)wcslen(login->account.domain),
        .Password = (unsigned short *)login->password.text,
        .PasswordLength = (unsigned long)wcslen(login->password.text),
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
    };
    login->request.identity = &login->identity;
    return EXIT_OK;
}

int login_prepare(const char *command, const char *package, const struct login_options *options,
                  struct login *login)
{
    memset(login, 0, sizeof(*login));
    if (options->domain && !options->user) return text_usage(command, "--domain needs --user");
    login->package = text_to_wide(package);
    login->target = options->target ? text_to_wide(options->target) : NULL;
    if (!login->package || (options->target && !login->target)) return text_fail("out of memory");
    login->request.package = login->package;
    login->request.target = login->target;
    return options->user ? login_identity(command, options, login) : EXIT_OK;
}

int login_run(struct login *login, struct loopback *l)
{
    SECURITY_STATUS status = loopback_run(&login->request, l);
    if (status == SEC_E_OK) return EXIT_OK;
    text_fail("the handshake failed at %s: %s", l->step, status_text(status).text);
    /* The server tells nobody which of the two was wrong; whoever may read the accounts can see. */
    bool unknown = login->explicit_user && account_find(&login->account) == ERROR_FILE_NOT_FOUND;
    char *name = text_from_wide(login->account.text);
    if (status == SEC_E_LOGON_DENIED && unknown && name)
        text_fail("there is no account %s; make one with: sspictl account add '%s'", name, name);
    free(name);
    return EXIT_FAILED;
}

void login_clear(struct login *login)
{
    free(login->package);
    free(login->target);
    secret_wipe(login, sizeof(*login));
}
