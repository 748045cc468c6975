/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * handover demo: makes a temporary account, starts a listener and a client, watches the connection
 * move through three server processes, and then tries what must be refused. It takes part in
 * nothing: it only starts, waits, and checks the reports.
 */
#include "guest.h"
#include "narrate.h"
#include "process.h"
#include "refusals.h"
#include "reports.h"
#include "roles.h"

#include "../sspictl/files.h"
#include "../sspictl/options.h"

#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

#define SERVERS 3
#define LISTENER_MS 60000
#define CLIENT_MS 300000
#define WATCHDOG_MS 400000
#define FOREIGN_MAX (1u << 20)

struct demo {
    unsigned requests; /* after the first one */
    HANDLE job;        /* ends all processes of the demonstration when this one ends */
    HANDLE watchdog;
    HANDLE report_read, report_write;
    struct guest guest;
    struct refusals refusals;
};

/* Every wait has its own limit; this one is for a process that hangs inside a call. */
static VOID CALLBACK demo_overdue(PVOID job, BOOLEAN fired)
{
    (void)fired;
    narrate_failure("it takes too long; ends all processes");
    TerminateJobObject(job, EXIT_FAILED);
}

/* ---- the processes ---- */

static bool demo_open(struct demo *demo)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits;
    memset(&limits, 0, sizeof(limits));
    limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    demo->job = CreateJobObjectW(NULL, NULL);
    if (!demo->job || !SetInformationJobObject(demo->job, JobObjectExtendedLimitInformation,
                                               &limits, sizeof(limits)))
        return narrate_failure("cannot make a job object: error %lu", GetLastError());
    if (!CreateTimerQueueTimer(&demo->watchdog, NULL, demo_overdue, demo->job, WATCHDOG_MS, 0,
                               WT_EXECUTEONLYONCE))
        return narrate_failure("cannot start a timer: error %lu", GetLastError());
    return process_pipe(&demo->report_read, &demo->report_write);
}

static void demo_close(struct demo *demo)
{
    if (demo->watchdog) DeleteTimerQueueTimer(NULL, demo->watchdog, INVALID_HANDLE_VALUE);
    process_close_handle(&demo->job);
    process_close_handle(&demo->report_read);
    process_close_handle(&demo->report_write);
    for (size_t i = 0; i < REFUSALS_USED_MAX; i++) writer_free(&demo->refusals.used[i]);
    writer_free(&demo->refusals.foreign);
}

static bool demo_start_listener(struct demo *demo, struct process *listener, unsigned *port)
{
    char arguments[128];
    snprintf(arguments, sizeof(arguments), "listener --report %lu --move-after %u",
             (unsigned long)(uintptr_t)demo->report_write, demo->requests / 2);
    struct process_request request = {arguments, &demo->report_write, 1, demo->job};
    if (!process_start(&request, listener)) return false;
    /* The pipe has to end when the last server process ends. */
    process_close_handle(&demo->report_write);
    narrate("started the listener (pid %lu)", listener->id);
    return report_read_port(demo->report_read, port);
}

static bool demo_start_client(struct demo *demo, unsigned port, struct process *client)
{
    char *user = text_from_wide(demo->guest.account.text);
    char arguments[256];
    snprintf(arguments, sizeof(arguments),
             "client --port %u --user \"%s\" --requests %u --processes %u", port, user ? user : "",
             demo->requests, SERVERS);
    free(user);
    struct process_request request = {arguments, NULL, 0, demo->job};
    if (!process_start(&request, client)) return false;
    narrate("started the client (pid %lu), gives it the password through a pipe", client->id);
    char line[GUEST_PASSWORD_DIGITS + 2];
    DWORD done;
    snprintf(line, sizeof(line), "%s\n", demo->guest.password);
    BOOL written = WriteFile(client->input, line, (DWORD)strlen(line), &done, NULL);
    secret_wipe(line, sizeof(line));
    if (!written)
        return narrate_failure("the password does not reach the client: error %lu", GetLastError());
    process_close_handle(&client->input);
    return true;
}

/* What the server processes say must fit together: who, how many requests, for which client, and
 * that each but the last kept a copy of what it gave away. */
static bool demo_check_served(struct demo *demo, const struct served *served, const char *user,
                              unsigned *hop)
{
    unsigned half = demo->requests / 2;
    const unsigned expected[SERVERS] = {1, half, demo->requests - half};
    if (*hop == SERVERS || served->hop != *hop)
        return narrate_failure("pid %lu reports out of turn", (unsigned long)served->process);
    if (served->answered != expected[*hop])
        return narrate_failure("pid %lu answered %u requests, not %u",
                               (unsigned long)served->process, served->answered, expected[*hop]);
    if (_stricmp(served->user, user))
        return narrate_failure("pid %lu took the client for %s", (unsigned long)served->process,
                               served->user);
    bool hands_over = *hop + 1 < SERVERS;
    if (hands_over != (served->blob.size != 0))
        return narrate_failure("pid %lu reports no hand-over, or one too many",
                               (unsigned long)served->process);
    if (hands_over) writer_slice(&demo->refusals.used[demo->refusals.used_count++], served->blob);
    ++*hop;
    return true;
}

/* Reads until the last process that holds the pipe has ended. */
static bool demo_reports(struct demo *demo)
{
    char *user = text_from_wide(demo->guest.account.text);
    struct writer frame;
    writer_init(&frame);
    struct served served;
    bool ended = false, result = user != NULL;
    unsigned hop = 0;
    while (result && report_read_served(demo->report_read, &frame, &served, &ended))
        result = demo_check_served(demo, &served, user, &hop);
    result = result && ended;
    if (result && hop != SERVERS)
        result = narrate_failure("%u of %u server processes reported", hop, SERVERS);
    if (result) narrate("all %u server processes report what they should", SERVERS);
    writer_free(&frame);
    free(user);
    return result;
}

static bool demo_conversation(struct demo *demo)
{
    struct process listener = {NULL, 0, NULL}, client = {NULL, 0, NULL};
    unsigned port = 0;
    bool result = demo_start_listener(demo, &listener, &port) &&
                  demo_start_client(demo, port, &client);
    if (result) {
        result = process_wait(&listener, "the listener", LISTENER_MS);
        if (result) narrate("the listener's process is gone; the conversation goes on");
        /* Waited for in any case, so that what it says comes before the verdict. */
        result &= process_wait(&client, "the client", CLIENT_MS);
    }
    result = result && demo_reports(demo);
    process_close(&listener);
    process_close(&client);
    return result;
}

/* ---- all of it ---- */

static bool demo_main_job(struct demo *demo)
{
    bool result = guest_make(&demo->guest) && demo_conversation(demo);
    guest_remove(&demo->guest);
    return result;
}

static bool demo_verdict(bool moved, bool refused, bool foreign)
{
    printf(moved ? "\nThe connection moved through %d processes, and each answer was right.\n"
                 : "\nThe connection did NOT move through %d processes as it must: see above.\n",
           SERVERS);
    printf(refused ? "What must be refused was refused%s.\n"
                   : "What must be refused was NOT refused as it must be%s: see above.\n",
           foreign ? "" : " (a blob from another prefix was not tried)");
    printf("Verdict: %s\n", moved && refused ? "all is well" : "FAILED");
    fflush(stdout);
    return moved && refused;
}

static bool demo_run(struct demo *demo)
{
    if (!demo_open(demo)) return false;
    printf("One client talks to a server, authenticated and sealed. The server's end moves, live,\n"
           "from the listener process to a worker process and on to another one.\n\n");
    fflush(stdout);
    /* The refusals are tried even when the move has failed: they do not depend on it. */
    bool moved = demo_main_job(demo);
    printf("\nNow imports that must be refused, and the status that says why.\n\n");
    fflush(stdout);
    bool refused = refusals_run(&demo->refusals);
    return demo_verdict(moved, refused, demo->refusals.foreign.size != 0);
}

static void demo_help(void)
{
    printf(
        "Usage: handover demo [--requests NUMBER] [--foreign-blob FILE]\n"
        "A client authenticates to a listener and sends NUMBER sealed requests (1000) after the\n"
        "first one; the connection moves to a second process at once and to a third half way.\n"
        "Then tries what must be refused. Makes an account for itself and removes it.\n\n"
        "  --foreign-blob FILE  what `handover make-blob FILE` wrote in another Wine prefix:\n"
        "                       must be refused here\n");
}

int role_demo(char **arguments)
{
    const char *requests_text = "1000", *foreign = NULL;
    const struct option options[] = {
        {"requests", &requests_text, NULL},
        {"foreign-blob", &foreign, NULL},
        {NULL, NULL, NULL},
    };
    struct operands operands = {"no arguments", 0, 0, NULL, 0};
    switch (options_parse("demo", arguments, options, &operands)) {
    case OPTIONS_HELP: demo_help(); return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    unsigned long requests;
    if (!options_number("demo", "requests", requests_text, 2, 1000000, &requests))
        return EXIT_USAGE;
    narrate_start("demo");
    struct demo demo;
    memset(&demo, 0, sizeof(demo));
    demo.requests = (unsigned)requests;
    for (size_t i = 0; i < REFUSALS_USED_MAX; i++) writer_init(&demo.refusals.used[i]);
    writer_init(&demo.refusals.foreign);
    long error = foreign ? file_read(foreign, FOREIGN_MAX, &demo.refusals.foreign) : 0;
    if (!error && foreign && !demo.refusals.foreign.size) error = ERROR_HANDLE_EOF;
    int code = error ? text_fail_windows(error, "cannot read %s", foreign)
                     : (demo_run(&demo) ? EXIT_OK : EXIT_FAILED);
    demo_close(&demo);
    return code;
}
