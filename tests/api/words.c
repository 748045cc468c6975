/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The words of wine/test.h and what they write into a record, as the chapter on tests in Wine's
 * Developer's Guide has it: todo, broken, skip, contexts, other places. A child process says the
 * words, this one reads its record and its exit status.
 */
#include <windows.h>

#include <wchar.h>

#include "support.h"

static void say_plain(void)
{
    ok(1 + 1 == 2, "sum %d\n", 2);
    ok(1 == 2, "a\ttab and a \\");
    ok_("elsewhere/there.c", 7)(1, "there");
    probe("size", "%u", 5u);
}

static void say_todo(void)
{
    todo_wine ok(0, "known");
    todo_wine ok(1, "better");
    todo_wine_if(FALSE) ok(1, "as expected");
    todo_wine
    {
        todo_wine_if(FALSE) ok(0, "within");
        ok(0, "after");
    }
    ok(1, "outside");
}

static void say_luck(void)
{
    flaky ok(0, "bad luck");
    flaky_wine ok(1, "luck");
    flaky todo_wine ok(1, "good luck");
    flaky_if(FALSE) ok(0, "no luck");
    ok(1, "outside");
}

static void say_places(void)
{
    winetest_push_context("row %d", 3);
    winetest_push_context("%s", "inner");
    ok(1, "x");
    winetest_pop_context();
    ok(1, "y");
    winetest_pop_context();
    ok(1, "z");
}

static void say_platform(void)
{
    ok(broken(1) == !winetest_platform_is_wine, "broken on Windows alone");
    ok(!broken(0), "broken is not");
    skip("nothing to do with %s", "it");
    win_skip("no such thing");
}

/* More often than a statement is written down, then a failure. */
static void say_often(void)
{
    for (int i = 0; i < STATEMENT_TIMES + 5; i++) ok(i != STATEMENT_TIMES + 4, "%d", i);
}

static const struct says {
    const char *name;
    void (*function)(void);
    const char *platform;
    int failures;
    const char
        *record; /* with the line's number left out; of the last line when it begins with $ */
} all[] = {
    {"plain", say_plain, "wine", 1,
     "check api_words plain api/words.c passed|1 + 1 == 2|sum %d\\n|sum 2\n"
     "check api_words plain api/words.c failed|1 == 2|a\\ttab and a \\\\|a\\ttab and a \\\\\n"
     "check api_words plain elsewhere/there.c passed|1|there|there\n"
     "probe api_words plain api/words.c -|size|%u|5\n"},
    {"todo", say_todo, "wine", 1,
     "check api_words todo api/words.c todo|0|known|known\n"
     "check api_words todo api/words.c todo-passed|1|better|better\n"
     "check api_words todo api/words.c passed|1|as expected|as expected\n"
     "check api_words todo api/words.c todo|0|within|within\n"
     "check api_words todo api/words.c todo|0|after|after\n"
     "check api_words todo api/words.c passed|1|outside|outside\n"},
    {"luck", say_luck, "wine", 1,
     "check api_words luck api/words.c todo|0|bad luck|bad luck\n"
     "check api_words luck api/words.c passed|1|luck|luck\n"
     "check api_words luck api/words.c passed|1|good luck|good luck\n"
     "check api_words luck api/words.c failed|0|no luck|no luck\n"
     "check api_words luck api/words.c passed|1|outside|outside\n"},
    {"places", say_places, "wine", 0,
     "check api_words places api/words.c passed|1|x|row 3: inner: x\n"
     "check api_words places api/words.c passed|1|y|row 3: y\n"
     "check api_words places api/words.c passed|1|z|z\n"},
    {"platform", say_platform, "wine", 1,
     "check api_words platform api/words.c passed|broken(1) == !winetest_platform_is_wine|"
     "broken on Windows alone|broken on Windows alone\n"
     "check api_words platform api/words.c passed|!broken(0)|broken is not|broken is not\n"
     "skip api_words platform api/words.c -|-|-|nothing to do with it\n"
     "check api_words platform api/words.c failed|nothing is missing|"
     "no such thing|no such thing\n"},
    {"platform", say_platform, "windows", 0,
     "check api_words platform api/words.c passed|broken(1) == !winetest_platform_is_wine|"
     "broken on Windows alone|broken on Windows alone\n"
     "check api_words platform api/words.c passed|!broken(0)|broken is not|broken is not\n"
     "skip api_words platform api/words.c -|-|-|nothing to do with it\n"
     "skip api_words platform api/words.c -|-|-|no such thing\n"},
    {"often", say_often, "wine", 1,
     "$check api_words often api/words.c failed|i != STATEMENT_TIMES + 4|%d|44\n"},
};

static char seen[16384];

/* The file with blanks for tabs in the first fields, bars for the others, and no line numbers. */
static bool read_record(const wchar_t *path)
{
    FILE *file = _wfopen(path, L"rb");
    char line[2048];
    if (!file) return false;
    seen[0] = 0;
    while (fgets(line, sizeof(line), file)) {
        char place[128], *field = strtok(line, "\t");
        for (int i = 0; field; i++, field = strtok(NULL, "\t")) {
            snprintf(place, sizeof(place), "%s", field);
            if (i == 3 && strchr(place, ':')) *strchr(place, ':') = 0;
            if (i) strcat(seen, i < 5 ? " " : "|");
            strcat(seen, i == 3 ? place : field);
        }
    }
    fclose(file);
    return true;
}

static void check_words(const struct says *says, unsigned index)
{
    wchar_t folder[MAX_PATH], path[MAX_PATH], argument[16];
    wchar_t kept[MAX_PATH] = L"";
    DWORD code = 99;
    GetTempPathW(MAX_PATH, folder);
    swprintf(path, MAX_PATH, L"%lswinesspi-words-%lu", folder, GetCurrentProcessId());
    swprintf(argument, ARRAY_SIZE(argument), L"%u", index);
    DeleteFileW(path);
    GetEnvironmentVariableW(L"WINESSPI_RECORD", kept, MAX_PATH);
    SetEnvironmentVariableW(L"WINESSPI_RECORD", path);
    SetEnvironmentVariableA("WINETEST_PLATFORM", says->platform);
    bool ran = child_run(argument, &code);
    SetEnvironmentVariableA("WINETEST_PLATFORM", NULL);
    SetEnvironmentVariableW(L"WINESSPI_RECORD", *kept ? kept : NULL);

    ok(ran && code == (DWORD)says->failures, "%s, %s: ended with %lu", says->name, says->platform,
       code);
    if (ok(read_record(path), "%s: no record", says->name)) {
        const char *expected = says->record, *found = seen;
        if (*expected == '$') {
            const size_t length = strlen(++expected), have = strlen(seen);
            if (have > length) found = seen + have - length;
        }
        ok(!strcmp(found, expected), "%s: not as expected:\n%s", says->name, found);
    }
    DeleteFileW(path);
}

static void test_words(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++) check_words(&all[i], i);
}

/* In the child: what fails there is meant to. */
static int run_child(const char *number)
{
    const unsigned index = (unsigned)atoi(number);
    if (index >= ARRAY_SIZE(all)) return 98;
    freopen("NUL", "w", stdout);
    statement_case(__FILE__, all[index].name);
    all[index].function();
    return statements.failed;
}

int main(int argc, char **argv)
{
    if (argc > 1) return run_child(argv[1]);
    RUN(test_words);
    return test_end("api_words");
}
