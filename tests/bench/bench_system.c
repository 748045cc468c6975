/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the benchmarks ask of Windows, or of the host; see bench.h. */
#include "bench.h"

#include <stdio.h>

#ifdef _WIN32

#include <windows.h>

#include <psapi.h>

double bench_now(void)
{
    static LARGE_INTEGER frequency;
    LARGE_INTEGER counter;
    if (!frequency.QuadPart) QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&counter);
    return (double)counter.QuadPart / (double)frequency.QuadPart;
}

uint64_t bench_private_bytes(void)
{
    PROCESS_MEMORY_COUNTERS counters = {.cb = sizeof(counters)};
    GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof(counters));
    return counters.PagefileUsage;
}

void bench_stay_on(unsigned processor)
{
    static DWORD_PTR allowed; /* before any thread stays somewhere */
    DWORD_PTR all;
    if (!allowed) GetProcessAffinityMask(GetCurrentProcess(), &allowed, &all);
    for (unsigned i = 0; i < sizeof(allowed) * 8; i++) {
        if (!(allowed >> i & 1) || processor--) continue;
        if (SetThreadAffinityMask(GetCurrentThread(), (DWORD_PTR)1 << i)) return;
        break;
    }
    fprintf(stderr, "a thread does not stay on one processor: error %lu\n", GetLastError());
}

#else

#include <sched.h>
#include <time.h>

double bench_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Anonymous resident memory: the same that Wine gives as the private bytes of a process. */
uint64_t bench_private_bytes(void)
{
    char line[256];
    unsigned long kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    if (!file) return 0;
    while (fgets(line, sizeof(line), file)) {
        if (sscanf(line, "RssAnon: %lu", &kilobytes) == 1) break;
    }
    fclose(file);
    return (uint64_t)kilobytes * 1024;
}

void bench_stay_on(unsigned processor)
{
    static cpu_set_t allowed; /* before any thread stays somewhere */
    if (!CPU_COUNT(&allowed)) sched_getaffinity(0, sizeof(allowed), &allowed);
    for (int i = 0; i < CPU_SETSIZE; i++) {
        cpu_set_t one;
        if (!CPU_ISSET(i, &allowed) || processor--) continue;
        CPU_ZERO(&one);
        CPU_SET(i, &one);
        if (!sched_setaffinity(0, sizeof(one), &one)) return;
        break;
    }
    perror("a thread does not stay on one processor");
}

#endif
