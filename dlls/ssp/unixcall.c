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

static query_fn query;
static call_fn call;

static FARPROC ntdll_find(const char *name)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    return ntdll ? GetProcAddress(ntdll, name) : NULL;
}

static BOOL CALLBACK functions_find(INIT_ONCE *once, void *parameter, void **context)
{
    (void)once;
    (void)parameter;
    (void)context;
    call = (call_fn)(void *)ntdll_find("__wine_unix_call");
    if (!call) {
        call_fn *dispatcher = (call_fn *)(void *)ntdll_find("__wine_unix_call_dispatcher");
        if (dispatcher) call = *dispatcher;
    }
    query = (query_fn)(void *)ntdll_find("NtQueryVirtualMemory");
    return TRUE;
}

status_t unixcall_open(const void *module, struct unixcall *out)
{
    static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
    uint64_t table = 0;
    InitOnceExecuteOnce(&once, functions_find, NULL, NULL);
    if (!call || !query) return SEC_E_NOT_SUPPORTED;

    NTSTATUS status = query(GetCurrentProcess(), module, MEMORY_WINE_UNIX_FUNCS, &table,
                            sizeof(table), NULL);
    TRACE("the Unix half of %p: status %#lx\n", module, status);
    if (status < 0 || !table) return SEC_E_NOT_SUPPORTED;
    out->table = table;
    return SEC_E_OK;
}

status_t unixcall_call(const struct unixcall *half, unsigned number, void *params)
{
    return call(half->table, number, params);
}
