/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The words in which Wine's conformance tests are written, as the chapter on them in Wine's
 * Developer's Guide describes them, so that a file of those tests compiles as it stands and a test
 * of ours can be given to Wine. One file with START_TEST is one program. The counting is that of
 * statement.h. The environment variables are those of the guide: WINETEST_PLATFORM,
 * WINETEST_DEBUG, WINETEST_INTERACTIVE, WINETEST_REPORT_SUCCESS.
 *
 * Left out: what needs a host that runs the tests of many modules, colours and times.
 */
#pragma once

#include <windows.h>

#include "statement.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

#define WINETEST_UNUSED static __attribute__((unused))

/* ---- where it runs ---- */

WINETEST_UNUSED const char *winetest_platform_name(void)
{
    const char *named = getenv("WINETEST_PLATFORM");
    if (named && *named) return named;
    HMODULE ntdll = GetModuleHandleA("ntdll.dll");
    return ntdll && GetProcAddress(ntdll, "wine_get_version") ? "wine" : "windows";
}

WINETEST_UNUSED int winetest_number(const char *variable, int otherwise)
{
    const char *value = getenv(variable);
    return value && *value ? atoi(value) : otherwise;
}

#define winetest_platform winetest_platform_name()
#define winetest_platform_is_wine (!strcmp(winetest_platform_name(), "wine"))
#define winetest_debug winetest_number("WINETEST_DEBUG", 1)
#define winetest_interactive winetest_number("WINETEST_INTERACTIVE", 0)
#define winetest_report_success winetest_number("WINETEST_REPORT_SUCCESS", 0)

/* What some version of Windows does, and what Wine must not do. */
WINETEST_UNUSED int broken(int condition)
{
    return condition && !winetest_platform_is_wine;
}

/* ---- statements ---- */

/* ok_(file, line)(condition, ...) speaks for another place than where it stands. */
WINETEST_UNUSED void winetest_set_location(const char *file, int line)
{
    statements.file = file;
    statements.line = line;
}

#define winetest_ok(condition, ...) \
    statement_check(statements.file, statements.line, (condition), #condition, __VA_ARGS__)
#define ok_(file, line) winetest_set_location(file, line), winetest_ok

/* todo_if(condition) statement: what does not hold yet, when the condition says so. These nest. */
WINETEST_UNUSED void winetest_start_todo(int is_todo)
{
    statements.todo_now = statements.todo_now << 1 | (is_todo != 0);
    statements.around_once = true;
}

WINETEST_UNUSED int winetest_loop(void)
{
    const bool once = statements.around_once;
    statements.around_once = false;
    return once;
}

WINETEST_UNUSED void winetest_end_todo(void)
{
    statements.todo_now >>= 1;
}

#define todo_if(condition) \
    for (winetest_start_todo(condition); winetest_loop(); winetest_end_todo())
#define todo_wine todo_if(winetest_platform_is_wine)
#define todo_wine_if(condition) todo_if((condition) && winetest_platform_is_wine)

/* What depends on the machine's luck, and may fail unless somebody looks. */
WINETEST_UNUSED void winetest_start_flaky(int is_flaky)
{
    const bool flaky = is_flaky && !winetest_number("WINETEST_REPORT_FLAKY", 0);
    statements.flaky_now = statements.flaky_now << 1 | flaky;
    statements.around_once = true;
}

WINETEST_UNUSED void winetest_end_flaky(void)
{
    statements.flaky_now >>= 1;
}

#define flaky_if(condition) \
    for (winetest_start_flaky(condition); winetest_loop(); winetest_end_flaky())
#define flaky flaky_if(TRUE)
#define flaky_wine flaky_if(winetest_platform_is_wine)
#define flaky_wine_if(condition) flaky_if((condition) && winetest_platform_is_wine)

/* ---- remarks ---- */

__attribute__((format(printf, 3, 4), unused)) static void winetest_say(const char *file, int line,
                                                                       const char *format, ...)
{
    char text[STATEMENT_TEXT];
    va_list args;
    va_start(args, format);
    statement_format(text, format, args);
    va_end(args);
    printf("%s:%d: %s\n", statement_base(file), line, text);
}

__attribute__((format(printf, 3, 4), unused)) static void winetest_leave(const char *file, int line,
                                                                         const char *format, ...)
{
    char text[STATEMENT_TEXT];
    va_list args;
    va_start(args, format);
    statement_format(text, format, args);
    va_end(args);
    statement_skip(file, line, text);
}

#define winetest_trace(...) \
    (winetest_debug > 0 ? winetest_say(statements.file, statements.line, __VA_ARGS__) : (void)0)
#define winetest_skip(...) winetest_leave(statements.file, statements.line, __VA_ARGS__)
/* What may be missing on Windows, and never in Wine. */
#define winetest_win_skip(...)                                                                  \
    (winetest_platform_is_wine ? (void)statement_check(statements.file, statements.line, false, \
                                                       "nothing is missing", __VA_ARGS__)       \
                               : winetest_leave(statements.file, statements.line, __VA_ARGS__))

#define trace_(file, line) winetest_set_location(file, line), winetest_trace
#define skip_(file, line) winetest_set_location(file, line), winetest_skip
#define win_skip_(file, line) winetest_set_location(file, line), winetest_win_skip
#define trace trace_(__FILE__, __LINE__)
#define skip skip_(__FILE__, __LINE__)
#define win_skip win_skip_(__FILE__, __LINE__)

/* ---- contexts: words before those of every statement within ---- */

__attribute__((format(printf, 1, 2), unused)) static void winetest_push_context(const char *format,
                                                                                ...)
{
    const size_t used = strlen(statements.context);
    va_list args;
    if (statements.depth == STATEMENT_CONTEXTS) abort();
    statements.context_ends[statements.depth++] = used;
    va_start(args, format);
    vsnprintf(statements.context + used, sizeof(statements.context) - used - 2, format, args);
    va_end(args);
    statements.context[sizeof(statements.context) - 3] = 0;
    strcat(statements.context, ": ");
}

WINETEST_UNUSED void winetest_pop_context(void)
{
    if (statements.depth) statements.context[statements.context_ends[--statements.depth]] = 0;
}

/* ---- text for messages: one of several buffers, which come round again ---- */

WINETEST_UNUSED char *winetest_text_room(void)
{
    static char rooms[16][300];
    static unsigned next;
    return rooms[next++ % ARRAY_SIZE(rooms)];
}

enum { WINETEST_TEXT_MOST = 280 };

/* One character as C would have it. */
WINETEST_UNUSED int winetest_text_put(char *out, unsigned c)
{
    static const char plain[] = "\n\r\t\"\\", letters[] = "nrt\"\\";
    const char *found = c && c < 0x80 ? strchr(plain, (int)c) : NULL;
    if (found) return sprintf(out, "\\%c", letters[found - plain]);
    if (c >= ' ' && c < 0x7f) return sprintf(out, "%c", (char)c);
    return sprintf(out, "\\x%04x", c);
}

WINETEST_UNUSED const char *wine_dbgstr_wn(const WCHAR *text, int count)
{
    char *room = winetest_text_room();
    if (!text) return "(null)";
    if (!((ULONG_PTR)text >> 16)) return sprintf(room, "#%04x", (unsigned)(ULONG_PTR)text), room;
    if (count < 0) count = lstrlenW(text);
    int used = sprintf(room, "L\"");
    int i = 0;
    for (; i < count && used < WINETEST_TEXT_MOST; i++)
        used += winetest_text_put(room + used, text[i]);
    strcpy(room + used, i < count ? "\"..." : "\"");
    return room;
}

WINETEST_UNUSED const char *wine_dbgstr_an(const char *text, int count)
{
    char *room = winetest_text_room();
    if (!text) return "(null)";
    if (!((ULONG_PTR)text >> 16)) return sprintf(room, "#%04x", (unsigned)(ULONG_PTR)text), room;
    if (count < 0) count = (int)strlen(text);
    int used = sprintf(room, "\"");
    int i = 0;
    for (; i < count && used < WINETEST_TEXT_MOST; i++)
        used += winetest_text_put(room + used, (unsigned char)text[i]);
    strcpy(room + used, i < count ? "\"..." : "\"");
    return room;
}

WINETEST_UNUSED const char *wine_dbgstr_guid(const GUID *id)
{
    char *room = winetest_text_room();
    if (!id) return "(null)";
    int used = sprintf(room, "{%08lx-%04x-%04x-%02x%02x-", id->Data1, id->Data2, id->Data3,
                       id->Data4[0], id->Data4[1]);
    for (int i = 2; i < 8; i++) used += sprintf(room + used, "%02x", id->Data4[i]);
    strcpy(room + used, "}");
    return room;
}

WINETEST_UNUSED const char *wine_dbgstr_rect(const RECT *rect)
{
    char *room = winetest_text_room();
    if (!rect) return "(null)";
    sprintf(room, "(%ld,%ld)-(%ld,%ld)", rect->left, rect->top, rect->right, rect->bottom);
    return room;
}

WINETEST_UNUSED const char *wine_dbgstr_longlong(ULONGLONG number)
{
    char *room = winetest_text_room();
    const unsigned high = (unsigned)(number >> 32), low = (unsigned)number;
    if (high) sprintf(room, "%x%08x", high, low);
    else sprintf(room, "%x", low);
    return room;
}

#define wine_dbgstr_w(text) wine_dbgstr_wn(text, -1)
#define wine_dbgstr_a(text) wine_dbgstr_an(text, -1)
#define debugstr_w(text) wine_dbgstr_wn(text, -1)
#define debugstr_wn wine_dbgstr_wn
#define debugstr_a(text) wine_dbgstr_an(text, -1)
#define debugstr_an wine_dbgstr_an
#define debugstr_guid wine_dbgstr_guid

/* ---- programs ---- */

static int winetest_argc;
static char **winetest_argv;

/* As on the command line: the program, the name of the test, what it was given. */
WINETEST_UNUSED int winetest_get_mainargs(char ***argv)
{
    *argv = winetest_argv;
    return winetest_argc;
}

WINETEST_UNUSED LONG winetest_get_failures(void)
{
    return statements.failed;
}

/* The child is a program of this kind, whose exit status counts its failures. */
WINETEST_UNUSED void winetest_wait_child_process(HANDLE process)
{
    DWORD code = 1;
    if (WaitForSingleObject(process, 30000) == WAIT_OBJECT_0) GetExitCodeProcess(process, &code);
    statement_check(__FILE__, __LINE__, !code, "the child ends without failures",
                    "child process: status %lu", code);
}

#define wait_child_process winetest_wait_child_process

WINETEST_UNUSED int winetest_main(const char *file, const char *name, void (*function)(void),
                                  int argc, char **argv)
{
    winetest_argc = argc;
    winetest_argv = argv;
    statement_case(file, name);
    function();
    if (winetest_debug > 0)
        printf("%s: %d known not to hold, %d of which do\n", name,
               statements.todo + statements.todo_passed, statements.todo_passed);
    printf("%s: %d passed, %d failed, %d skipped\n", name, statements.passed, statements.failed,
           statements.skipped);
    fflush(stdout);
    return statements.failed < 255 ? statements.failed : 255;
}

#define START_TEST(name)                                                \
    static void func_##name(void);                                      \
    int main(int argc, char **argv)                                     \
    {                                                                   \
        return winetest_main(__FILE__, #name, func_##name, argc, argv); \
    }                                                                   \
    static void func_##name(void)
