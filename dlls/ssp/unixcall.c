/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way into a module's Unix half. What Wine offers for it is not published as an interface and
 * has changed once: up to some version ntdll exports the function __wine_unix_call, later ones a
 * pointer to such a function. Whichever is there is resolved at run time, so that one module serves
 * all, and loads, without a half, on real Windows.
 */
#include "ssp/unixcall.h"

#include "ssp/abi.h"
#include "ssp/trace.h"

TRACE_CHANNEL("sspi");

/* Wine's own class of NtQueryVirtualMemory: the table of functions of a builtin's Unix half. The
 * 32-bit ntdll of a 64-bit Wine passes it on as the class of the other table. */
#define MEMORY_WINE_UNIX_FUNCS 1000

typedef NTSTATUS(NTAPI *query_fn)(HANDLE process, const void *address, ULONG info_class,
                                  void *buffer, SIZE_T size, SIZE_T *length);
typedef NTSTATUS(NTAPI *call_fn)(uint64_t table, unsigned number, void *params);

/* This file is a part of each module that has a half, so these are the module's own. */
static call_fn call;
static uint64_t half; /* its table of functions; 0 when there is none */

static FARPROC ntdll_find(const char *name)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    return ntdll ? GetProcAddress(ntdll, name) : NULL;
}

static void call_find(void)
{
    call = (call_fn)(void *)ntdll_find("__wine_unix_call");
    if (call) return;
    call_fn *dispatcher = (call_fn *)(void *)ntdll_find("__wine_unix_call_dispatcher");
    if (dispatcher) call = *dispatcher;
}

static BOOL CALLBACK half_find(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)parameter;
    (void)context;
    HMODULE module = NULL;
    query_fn query = (query_fn)(void *)ntdll_find("NtQueryVirtualMemory");
    call_find();
    if (!call || !query) return TRUE;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                           GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                       (const wchar_t *)(const void *)&half, &module);
    NTSTATUS status = query(GetCurrentProcess(), module, MEMORY_WINE_UNIX_FUNCS, &half,
                            sizeof(half), NULL);
    TRACE("the Unix half of %p: status %#lx\n", (void *)module, status);
    if (status < 0) half = 0;
    return TRUE;
}

status_t unixcall_ready(void)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    InitOnceExecuteOnce(&once, half_find, NULL, NULL);
    return half ? SEC_E_OK : SEC_E_NOT_SUPPORTED;
}

/* A half answers with statuses of SSPI. Wine answers for one that has touched what is not there. */
status_t unixcall_call(unsigned number, void *params)
{
    status_t status = call(half, number, params);
    if ((ULONG)status >> 28 == 0xc) WARN("call %u has crashed: %#lx\n", number, (ULONG)status);
    return status;
}
