/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lines of sspictl check-provider, and the exceptions that belong to them. The dispatcher turns an
 * exception of a package into an error, so it is seen here before anybody handles it.
 */
#include "provider_check.h"

#include <stdarg.h>

static const char *current = "start";
static unsigned kept, breaches, absent;
static volatile LONG exceptions, last_exception;

/* Breakpoints and names of threads, which debuggers handle, and C++'s own. */
static bool is_harmless(DWORD code)
{
    return code < 0xc0000000 || code == 0xe06d7363;
}

static LONG CALLBACK exception_note(EXCEPTION_POINTERS *pointers)
{
    DWORD code = pointers->ExceptionRecord->ExceptionCode;
    if (!is_harmless(code)) {
        InterlockedIncrement(&exceptions);
        InterlockedExchange(&last_exception, (LONG)code);
    }
    return EXCEPTION_CONTINUE_SEARCH;
}

/* The system's own would start a debugger, which takes its time. */
static LONG WINAPI exception_end(EXCEPTION_POINTERS *pointers)
{
    TerminateProcess(GetCurrentProcess(), pointers->ExceptionRecord->ExceptionCode);
    return EXCEPTION_EXECUTE_HANDLER;
}

void provider_exceptions_watch(void)
{
    SetUnhandledExceptionFilter(exception_end);
    AddVectoredExceptionHandler(1, exception_note);
}

unsigned provider_exceptions(ULONG *last)
{
    *last = (ULONG)last_exception;
    return (unsigned)InterlockedExchange(&exceptions, 0);
}

void provider_begin(const char *check)
{
    current = check;
    printf("%c%s\n", PROVIDER_MARK, check);
    fflush(stdout);
}

static void line_print(const char *verdict, const char *format, va_list arguments)
{
    printf("%-7s %-18s ", verdict, current);
    vprintf(format, arguments);
    printf("\n");
    fflush(stdout);
}

static void breach_print(const char *format, va_list arguments)
{
    breaches++;
    line_print("BREACH", format, arguments);
}

void provider_breach(const char *format, ...)
{
    ULONG code;
    va_list arguments;
    va_start(arguments, format);
    breach_print(format, arguments);
    va_end(arguments);
    provider_exceptions(&code);
}

static bool raised(void)
{
    ULONG code;
    unsigned count = provider_exceptions(&code);
    if (count) provider_breach("%u exceptions were raised, last 0x%08lx", count, code);
    return count;
}

void provider_kept(const char *format, ...)
{
    va_list arguments;
    if (raised()) return;
    va_start(arguments, format);
    line_print("kept", format, arguments);
    va_end(arguments);
    kept++;
}

void provider_absent(const char *format, ...)
{
    va_list arguments;
    if (raised()) return;
    va_start(arguments, format);
    line_print("absent", format, arguments);
    va_end(arguments);
    absent++;
}

int provider_sum(void)
{
    provider_begin(PROVIDER_SUM);
    printf("%u checks kept, %u breaches, %u things that the module does not offer\n", kept,
           breaches, absent);
    fflush(stdout);
    return breaches ? EXIT_FAILED : EXIT_OK;
}
