/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Several processes write to one output: each line is one write, with the time on a clock that they
 * share through an environment variable, and the process that speaks. The performance counter runs
 * for the whole machine, so its values can be compared between processes.
 */
#include "narrate.h"

#include <windows.h>

#include <stdarg.h>
#include <stdlib.h>

#define START_VARIABLE "NARRATE_START"

static char narrate_role[16];
static long long narrate_origin, narrate_frequency;

static long long narrate_ticks(void)
{
    LARGE_INTEGER ticks;
    QueryPerformanceCounter(&ticks);
    return ticks.QuadPart;
}

void narrate_start(const char *role)
{
    LARGE_INTEGER frequency;
    QueryPerformanceFrequency(&frequency);
    narrate_frequency = frequency.QuadPart;
    narrate_as("%s", role);
    char text[32];
    DWORD length = GetEnvironmentVariableA(START_VARIABLE, text, sizeof(text));
    narrate_origin = length && length < sizeof(text) ? atoll(text) : narrate_ticks();
    snprintf(text, sizeof(text), "%lld", narrate_origin);
    SetEnvironmentVariableA(START_VARIABLE, text);
}

void narrate_as(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(narrate_role, sizeof(narrate_role), format, args);
    va_end(args);
}

static void narrate_line(const char *mark, const char *format, va_list args)
{
    char text[1024], line[1200];
    vsnprintf(text, sizeof(text), format, args);
    double seconds = (double)(narrate_ticks() - narrate_origin) / (double)narrate_frequency;
    int size = snprintf(line, sizeof(line), "%8.3f s  %-9s pid %-5lu %s%s\n", seconds, narrate_role,
                        GetCurrentProcessId(), mark, text);
    fwrite(line, 1, (size_t)size, stdout);
    fflush(stdout);
}

void narrate(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    narrate_line("", format, args);
    va_end(args);
}

bool narrate_failure(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    narrate_line("FAILED: ", format, args);
    va_end(args);
    return false;
}

double narrate_clock(void)
{
    return (double)narrate_ticks() * 1000.0 / (double)narrate_frequency;
}
