/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * webworkers demo: makes a temporary account, starts the server, authenticates with each scheme
 * that it offers, and then tries what must be refused. At the end the server has to be alive and
 * its workers have to end well.
 */
#include "roles.h"
#include "trials.h"

#include "../handover/guest.h"
#include "../handover/narrate.h"
#include "../handover/process.h"
#include "../handover/reports.h"
#include "../sspictl/options.h"

#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

#define FRONT_END_MS 60000
#define WATCHDOG_MS 400000

struct demo {
    HANDLE job, watchdog;
    struct process front;
    struct guest guest;
    struct trials trials;
    wchar_t password[GUEST_PASSWORD_DIGITS + 1];
};

/* Every wait has its own limit; this one is for a process that hangs inside a call. */
static VOID CALLBACK demo_overdue(PVOID job, BOOLEAN fired)
{
    (void)fired;
    narrate_failure("it takes too long; ends all processes");
    TerminateJobObject(job, EXIT_FAILED);
    ExitProcess(EXIT_FAILED);
}

static bool demo_open(struct demo *demo)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;
    memset(&limits, 0, sizeof(limits));
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    demo->job = CreateJobObjectW(NULL, NULL);
    if (!demo->job || !SetInformationJobObject(demo->job, JobObjectExtendedLimitInformation,
                                               &limits, sizeof(limits)))
        return narrate_failure("cannot make a job object: error %lu", GetLastError());
    return CreateTimerQueueTimer(&demo->watchdog, NULL, demo_overdue, demo->job, WATCHDOG_MS, 0,
                                 WT_EXECUTEONLYONCE) ||
           narrate_failure("cannot start a timer: error %lu", GetLastError());
}

static bool demo_start(struct demo *demo)
{
    HANDLE reading = NULL, writing = NULL;
    char arguments[64];
    if (!process_pipe(&reading, &writing)) return false;
    snprintf(arguments, sizeof(arguments), "serve --report %lu", (unsigned long)(uintptr_t)writing);
    struct process_request request = {arguments, &writing, 1, demo->job};
    bool result = process_start(&request, &demo->front);
    process_close_handle(&writing);
    result = result && report_read_port(reading, &demo->trials.port);
    process_close_handle(&reading);
    return result;
}

/* The server ends when its input does. */
static bool demo_stop(struct demo *demo)
{
    if (!demo->front.handle) return false;
    process_close_handle(&demo->front.input);
    bool result = process_wait(&demo->front, "the server", FRONT_END_MS);
    if (result) narrate("the server and its workers have ended well");
    return result;
}

static void demo_identity(struct demo *demo)
{
    const struct account *account = &demo->guest.account;
    for (size_t i = 0; i <= GUEST_PASSWORD_DIGITS; i++)
        demo->password[i] = (wchar_t)demo->guest.password[i];
    demo->trials.identity = (SEC_WINNT_AUTH_IDENTITY_W){
        .User = (unsigned short *)account->user,
        .UserLength = (unsigned long)wcslen(account->user),
        .Domain = (unsigned short *)account->domain,
        .DomainLength = (unsigned long)wcslen(account->domain),
        .Password = (unsigned short *)demo->password,
        .PasswordLength = GUEST_PASSWORD_DIGITS,
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
    };
}

static void demo_title(const char *text)
{
    printf("\n%s\n\n", text);
    fflush(stdout);
}

static bool demo_schemes(struct demo *demo, bool (*trial)(const struct trials *, const char *))
{
    static const char *const schemes[] = {"NTLM", "Negotiate"};
    bool result = true, any = false;
    for (unsigned i = 0; i < 2; i++) {
        if (!trials_offered(&demo->trials, schemes[i])) continue;
        any = true;
        narrate("with %s:", schemes[i]);
        result &= trial(&demo->trials, schemes[i]);
    }
    return any ? result : narrate_failure("the server offers nothing");
}

static bool demo_trials(struct demo *demo)
{
    demo_title("A client authenticates. Each request is another worker's; they share nothing.");
    bool result = demo_schemes(demo, trials_authenticate);
    demo_title("Handshakes that must be refused.");
    result &= demo_schemes(demo, trials_handshakes);
    demo_title("Sessions that must be refused.");
    result &= demo_schemes(demo, trials_sessions);
    demo_title("Requests that must be refused.");
    result &= trials_requests(&demo->trials);
    demo_title("And the server is as it was.");
    result &= demo_schemes(demo, trials_authenticate);
    return result;
}

static bool demo_run(struct demo *demo)
{
    char *user = NULL;
    bool result = demo_open(demo) && guest_make(&demo->guest);
    if (result) {
        user = text_from_wide(demo->guest.account.text);
        demo->trials.user = user ? user : "";
        demo_identity(demo);
        result = demo_start(demo) && demo_trials(demo);
        result &= demo_stop(demo);
    }
    guest_remove(&demo->guest);
    process_close(&demo->front);
    if (demo->watchdog) DeleteTimerQueueTimer(NULL, demo->watchdog, INVALID_HANDLE_VALUE);
    process_close_handle(&demo->job);
    secret_wipe(demo->password, sizeof(demo->password));
    free(user);
    demo_title(result ? "Each request was answered as it must be.\nVerdict: all is well"
                      : "Something was NOT as it must be: see above.\nVerdict: FAILED");
    return result;
}

int role_demo(char **arguments)
{
    static const struct option options[] = {{NULL, NULL, NULL}};
    struct operands operands = {"no arguments", 0, 0, NULL, 0};
    switch (options_parse("demo", arguments, options, &operands)) {
    case OPTIONS_HELP:
        printf("Usage: webworkers demo\n"
               "Starts a server of three workers and authenticates to it with NTLM and, where it\n"
               "is installed, with Negotiate. Then tries what must be refused. Makes an account\n"
               "for itself and removes it.\n");
        return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    static struct demo demo;
    narrate_start("client");
    return demo_run(&demo) ? EXIT_OK : EXIT_FAILED;
}
