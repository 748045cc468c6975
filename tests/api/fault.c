/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every export that allocates, short of memory: the runner of the scenarios (fault.h). In the
 * modules of the folder plain every block comes from the system's functions, while the heap of the
 * others keeps blocks for itself and does not ask again. fault.sh puts both beside this program in
 * turn.
 */
#include "fault.h"

#include "fault_memory.h"
#include "context_attributes.h"
#include "heap_use.h"
#include "hosting.h"

union answers answers;
wchar_t fault_target[256] = L"localhost";
char fault_target_ansi[256] = "localhost";
const struct account *fault_account;

static struct account account;
static bool kept;
static unsigned scenarios, refusals; /* of the running case */

#define PATTERN 0x5a
#define MAX_REQUESTS 2000 /* of one call; more is a mistake in the runner */

void expect_kept(bool condition)
{
    kept = kept && condition;
}

SECURITY_STATUS fault_open(struct loopback *loop, const wchar_t *package, const struct account *as)
{
    SECURITY_STATUS status = loopback_open(loop, package, as);
    loop->target = fault_target;
    return status;
}

SECURITY_STATUS fault_make(struct loopback *loop, const wchar_t *package, const struct account *as)
{
    SECURITY_STATUS status = fault_open(loop, package, as);
    if (status) return status;
    status = loopback_connect(loop);
    if (status) loopback_close(loop);
    return status;
}

LONG win32_answer(BOOL result)
{
    return result ? 0 : HRESULT_FROM_WIN32(GetLastError());
}

typedef SECURITY_STATUS(WINAPI *query_fn)(CtxtHandle *, ULONG, void *);
typedef SECURITY_STATUS(WINAPI *query_ex_fn)(CtxtHandle *, ULONG, void *, ULONG);

LONG fault_query(CtxtHandle *context, const struct attribute *attribute, int way)
{
    static const char *const names[] = {"QueryContextAttributesW", "QueryContextAttributesA",
                                        "QueryContextAttributesExW", "QueryContextAttributesExA"};
    void *function = function_find(way < 2 ? "secur32.dll" : "sspicli.dll", names[way]);
    if (way < 2) return ((query_fn)function)(context, attribute->number, &answers);
    return ((query_ex_fn)function)(context, attribute->number, &answers, attribute->size);
}

static bool answers_kept(void)
{
    for (size_t i = 0; i < sizeof(answers); i++)
        if (answers.bytes[i] != PATTERN) return false;
    return kept;
}

/* [D] sspi.h's functions name SEC_E_INSUFFICIENT_MEMORY; those of the LSA answer with an NTSTATUS,
 * [D lsalogonuser] with a quota's where it is the package's answer, and [D LsaNtStatusToWinError]
 * translates it for the functions that set the last error. */
static bool status_is_of_memory(LONG status, enum kind kind)
{
    switch (kind) {
    case KIND_SSPI: return status == SEC_E_INSUFFICIENT_MEMORY;
    case KIND_NT:
        return status == (LONG)0xC0000017 /* STATUS_NO_MEMORY */ ||
               status == (LONG)0xC000009A /* STATUS_INSUFFICIENT_RESOURCES */ ||
               status == (LONG)0xC0000044 /* STATUS_QUOTA_EXCEEDED */;
    case KIND_WIN32:
        return status == HRESULT_FROM_WIN32(ERROR_NOT_ENOUGH_MEMORY) ||
               status == HRESULT_FROM_WIN32(ERROR_NO_SYSTEM_RESOURCES) ||
               status == HRESULT_FROM_WIN32(ERROR_NOT_ENOUGH_QUOTA);
    }
    return false;
}

struct attempt {
    const struct scenario *scenario;
    const char *variant;
    unsigned nth;
    bool refused, well; /* a call was refused; nothing is wrong but what may be left over */
};

static bool attempt_ok(struct attempt *attempt, bool condition, const char *what, LONG status)
{
    if (condition) return true;
    ok(false, "%s, %s, request %u: %s, status %08lx", attempt->scenario->name, attempt->variant,
       attempt->nth, what, status);
    memory_print_refused();
    attempt->well = false;
    return false;
}

static LONG call_once(const struct scenario *scenario, unsigned nth)
{
    memset(&answers, PATTERN, sizeof(answers));
    kept = true;
    if (nth) memory_refuse(nth);
    LONG status = scenario->call();
    memory_give();
    return status;
}

static void attempt_call(struct attempt *attempt)
{
    const struct scenario *scenario = attempt->scenario;
    LONG status = call_once(scenario, attempt->nth);
    attempt->refused = memory_was_refused();
    if (status < 0) {
        attempt_ok(attempt, attempt->refused, "it fails", status);
        attempt_ok(attempt, status_is_of_memory(status, scenario->kind), "another status", status);
        attempt_ok(attempt, answers_kept(), "the answers are not as they were", status);
        status = call_once(scenario, 0);
        if (!attempt_ok(attempt, status >= 0, "it fails afterwards", status)) return;
    }
    attempt_ok(attempt, !scenario->check || scenario->check(), "the result is not right", status);
}

/* False when there is nothing to try. */
static bool attempt_run(struct attempt *attempt)
{
    if (attempt->scenario->open && !attempt->scenario->open()) return false;
    attempt_call(attempt);
    if (attempt->scenario->close) attempt->scenario->close();
    return true;
}

/* What is kept for later, a policy that was read again, may come once; a leak comes each time. */
static bool attempt_judge(struct attempt *attempt)
{
    unsigned mark = 0, left = 0;
    ULONG handles = 0, more = 0;
    attempt->well = true;
    for (int again = 0; again < 3; again++) {
        unsigned before = memory_live();
        mark = memory_mark();
        handles = handles_now();
        if (!attempt_run(attempt)) return false;
        ULONG now = handles_now();
        more = now > handles ? now - handles : 0;
        left = memory_live() > before ? memory_live() - before : 0;
        if (!attempt->well || (!left && !more)) return true;
    }
    attempt_ok(attempt, !left, "blocks are left", (LONG)left);
    if (left) memory_print_since(mark);
    attempt_ok(attempt, !more, "handles are left", (LONG)more);
    return true;
}

void scenario_run(const struct scenario *scenario, const char *variant)
{
    struct attempt attempt = {.scenario = scenario, .variant = variant, .well = true};
    memory_refuse(0);
    for (int warm = 0; warm < 2; warm++) {
        if (!attempt_run(&attempt)) return;
        if (!attempt.well) return;
    }
    memory_watch(); /* the modules that were loaded meanwhile */
    scenarios++;
    for (attempt.nth = 1; attempt.nth < MAX_REQUESTS; attempt.nth++) {
        if (!attempt_judge(&attempt) || !attempt.well) return;
        if (!attempt.refused) return;
        refusals++;
    }
    attempt_ok(&attempt, false, "there is no end", 0);
}

/* A case without a scenario, or without a request for memory, tests nothing. */
static void run_area(void (*area)(void))
{
    scenarios = refusals = 0;
    area();
    ok(scenarios && refusals, "%u scenarios, %u refusals", scenarios, refusals);
    printf("  %u scenarios, %u requests for memory refused\n", scenarios, refusals);
}

#define AREA(name)                \
    static void test_##name(void) \
    {                             \
        run_area(fault_##name);   \
    }

AREA(contexts)
AREA(transfers)
AREA(sasl)
AREA(credentials)
AREA(identities)
AREA(names)
AREA(lsa)
AREA(accounts)
AREA(providers)
AREA(kerberos_contexts)
AREA(kerberos_transfers)
AREA(kerberos_credentials)
AREA(kerberos_calls)
AREA(schannel_credentials)
AREA(schannel_legs)
AREA(schannel_connections)

/* Each time in a process of its own; uncached: one that knows no package before it has loaded its
 * module. */
static void run_cold(bool cached)
{
    static struct hosting_names names;
    if (!ok(hosting_begin(), "no folder for modules")) return;
    memset(&names, 0, sizeof(names));
    hosting_names_add(&names, hosting_folder, L"prov_lsa");
    DWORD code = COLD_SURVIVED;
    unsigned nth = 0;
    while (nth < MAX_REQUESTS && code != COLD_OVER) {
        wchar_t arguments[32];
        if (!cached) RegDeleteKeyW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\winesspi\\PackageCache");
        wsprintfW(arguments, L"cold %u", ++nth);
        bool well = hosting_run(arguments, &names, NULL, &code) &&
                    (code == COLD_SURVIVED || code == COLD_OVER);
        if (!ok(well, "request %u: status %lu", nth, code)) break;
    }
    hosting_end();
    ok(nth > 1 && nth < MAX_REQUESTS, "%u requests", nth);
    printf("  %u requests for memory refused\n", nth - 1);
}

static void test_cold(void)
{
    run_cold(true);
}

static void test_cold_uncached(void)
{
    run_cold(false);
}

/* With the installed module most requests are not seen. */
static void test_kerberos_module(void)
{
    ok(memory_is_plain("ssp_kerberos.dll"), "another ssp_kerberos.dll was loaded");
}

static void test_schannel_module(void)
{
    ok(memory_is_plain("ssp_schannel.dll"), "another ssp_schannel.dll was loaded");
}

/* kerberos TARGET DIGEST: where there are tickets for the target, and its key; the digest is that
 * of their encryption type. */
static int kerberos_main(char **arguments)
{
    lstrcpynA(fault_target_ansi, arguments[2], sizeof(fault_target_ansi));
    MultiByteToWideChar(CP_ACP, 0, arguments[2], -1, fault_target, 256);
    memory_digest((size_t)atoi(arguments[3]));
    RUN(test_kerberos_contexts);
    RUN(test_kerberos_transfers);
    RUN(test_kerberos_credentials);
    RUN(test_kerberos_calls);
    RUN(test_kerberos_module);
    return test_end("fault");
}

static int schannel_main(void)
{
    RUN(test_schannel_credentials);
    RUN(test_schannel_legs);
    RUN(test_schannel_connections);
    RUN(test_schannel_module);
    return test_end("fault");
}

int main(int argc, char **argv)
{
    bool of_kerberos = argc == 4 && !strcmp(argv[1], "kerberos");
    bool of_schannel = argc == 2 && !strcmp(argv[1], "schannel");
    if (argc > 2 && !of_kerberos) return cold_main((unsigned)atoi(argv[2]));

    if (!running_under_wine() || !memory_watch()) {
        printf("skip all: looks inside this project's modules\n");
        printf("fault: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    setvbuf(stdout, NULL, _IONBF, 0); /* what was found is to be seen after a crash, too */
    if (of_kerberos) return kerberos_main(argv);
    if (of_schannel) return schannel_main();
    if (account_create(&account)) fault_account = &account;
    second_pass();
    if (argc > 1) {
        RUN(test_cold);
        RUN(test_cold_uncached);
    }
    RUN(test_contexts);
    RUN(test_transfers);
    RUN(test_sasl);
    RUN(test_credentials);
    RUN(test_identities);
    RUN(test_names);
    RUN(test_lsa);
    RUN(test_accounts);
    RUN(test_providers);
    account_remove(&account);
    return test_end("fault");
}
