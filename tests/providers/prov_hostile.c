/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A security package module that misbehaves while it is loaded. What it does wrong follows from
 * the name under which the file was copied, so that one build serves all cases of api_providers:
 * hostile_null.dll returns no tables, hostile_many.dll claims a thousand, and so on. A host must
 * skip it and go on.
 */
#include "prov_hostile.h"

#include <string.h>
#include <wchar.h>

enum fault {
    FAULT_NULL,    /* success, tables NULL, count 1 */
    FAULT_ZERO,    /* success, count 0 */
    FAULT_MANY,    /* success, count 1000 with one table */
    FAULT_MILLION, /* success, count 1000000 with one table */
    FAULT_TEN,     /* success, count 10 with one table */
    FAULT_WILD,    /* tables point into nowhere */
    FAULT_VERSION, /* an interface version that never was */
    FAULT_FAIL,    /* an error status */
    FAULT_RAISE,   /* raises an exception in SpLsaModeInitialize */
    FAULT_CRASH,   /* writes through NULL in SpLsaModeInitialize */
    FAULT_EXIT,    /* ends the process as if all were well */
    FAULT_HANG,    /* never comes back from SpLsaModeInitialize */
    FAULT_INIT,    /* Initialize fails */
    FAULT_INFO,    /* GetInfo fails */
    FAULT_NOINFO,  /* no GetInfo */
    FAULT_NONAME,  /* GetInfo gives no name */
    FAULT_THROW,   /* GetInfo raises an exception */
    FAULT_EMPTY,   /* a name without characters */
    FAULT_USER,    /* SpUserModeInitialize fails */
    FAULT_ENDLESS, /* GetInfo gives a name without an end */
    FAULT_LENGTHY, /* a comment without an end */
    FAULT_SHORT,   /* a table that ends before its time, at the end of all memory */
    FAULT_UNLOAD,  /* InstanceInit unloads the module */
    FAULT_CALLS,   /* loads; see prov_hostile_calls.c */
    FAULT_REENTER, /* asks for the list of packages while it is being loaded for that list */
    FAULT_COUNT
};

static const wchar_t *const fault_names[FAULT_COUNT] = {
    [FAULT_NULL] = L"null",       [FAULT_ZERO] = L"zero",       [FAULT_MANY] = L"many",
    [FAULT_TEN] = L"ten",         [FAULT_WILD] = L"wild",       [FAULT_VERSION] = L"version",
    [FAULT_FAIL] = L"fail",       [FAULT_RAISE] = L"raise",     [FAULT_CRASH] = L"crash",
    [FAULT_INIT] = L"init",       [FAULT_INFO] = L"info",       [FAULT_NOINFO] = L"noinfo",
    [FAULT_NONAME] = L"noname",   [FAULT_THROW] = L"throw",     [FAULT_EMPTY] = L"empty",
    [FAULT_USER] = L"user",       [FAULT_REENTER] = L"reenter", [FAULT_MILLION] = L"million",
    [FAULT_ENDLESS] = L"endless", [FAULT_LENGTHY] = L"lengthy", [FAULT_SHORT] = L"short",
    [FAULT_UNLOAD] = L"unload",   [FAULT_CALLS] = L"calls",     [FAULT_HANG] = L"hang",
    [FAULT_EXIT] = L"exit",
};

static enum fault fault = FAULT_COUNT;

/* `size` bytes of a character, or of something that looks like functions, before memory that
 * nobody may touch. */
static void *cliff_make(size_t size, BYTE with)
{
    BYTE *pages = VirtualAlloc(NULL, 2 * 65536, MEM_RESERVE, PAGE_NOACCESS);
    if (!pages || !VirtualAlloc(pages, 65536, MEM_COMMIT, PAGE_READWRITE)) return NULL;
    return memset(pages + 65536 - size, with, size);
}

static NTSTATUS NTAPI initialize(ULONG_PTR id, PSECPKG_PARAMETERS parameters,
                                 PLSA_SECPKG_FUNCTION_TABLE functions)
{
    (void)id, (void)parameters, (void)functions;
    if (fault == FAULT_REENTER) {
        ULONG count;
        SecPkgInfoW *list;
        if (!EnumerateSecurityPackagesW(&count, &list)) FreeContextBuffer(list);
    }
    return fault == FAULT_INIT ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

static NTSTATUS NTAPI get_info(PSecPkgInfo ansi_name)
{
    PSecPkgInfoW info = (PSecPkgInfoW)ansi_name;
    if (fault == FAULT_INFO) return STATUS_UNSUCCESSFUL;
    if (fault == FAULT_THROW) RaiseException(0xe0000002, 0, 0, NULL);
    *info = (SecPkgInfoW){
        SECPKG_FLAG_CONNECTION,         1, SECPKG_ID_NONE, 64, (wchar_t *)L"TestHostile",
        (wchar_t *)L"Not to be trusted"};
    if (fault == FAULT_ENDLESS) info->Name = cliff_make(64, 'e');
    if (fault == FAULT_LENGTHY) info->Comment = cliff_make(4096, 'l');
    if (fault == FAULT_NONAME) info->Name = NULL;
    if (fault == FAULT_EMPTY) info->Name = (wchar_t *)L"";
    return STATUS_SUCCESS;
}

static SECPKG_FUNCTION_TABLE table = {
    .Initialize = initialize, .GetInfo = get_info, .AcquireCredentialsHandle = hostile_acquire};

NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, PULONG package_version,
                                   PSECPKG_FUNCTION_TABLE *tables, PULONG count);
NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, PULONG package_version,
                                   PSECPKG_FUNCTION_TABLE *tables, PULONG count)
{
    (void)version;
    if (fault == FAULT_RAISE) RaiseException(0xe0000001, 0, 0, NULL);
    if (fault == FAULT_HANG) Sleep(INFINITE);
    if (fault == FAULT_EXIT) ExitProcess(0);
    if (fault == FAULT_CRASH) *(volatile int *)0 = 1;
    *package_version = SECPKG_INTERFACE_VERSION_3;
    *tables = &table;
    *count = 1;
    switch (fault) {
    case FAULT_NULL: *tables = NULL; break;
    case FAULT_ZERO: *count = 0; break;
    case FAULT_MANY: *count = 1000; break;
    case FAULT_MILLION: *count = 1000000; break;
    case FAULT_SHORT: *tables = cliff_make(3 * sizeof(void *), 0); break;
    case FAULT_CALLS: hostile_lsa_fill(&table); break;
    case FAULT_TEN: *count = 10; break;
    case FAULT_WILD: *tables = (SECPKG_FUNCTION_TABLE *)(ULONG_PTR)0x10; break;
    case FAULT_VERSION: *package_version = 0x12345678; break;
    case FAULT_FAIL: return STATUS_UNSUCCESSFUL;
    case FAULT_NOINFO: table.GetInfo = NULL; break;
    default: break;
    }
    return STATUS_SUCCESS;
}

static HINSTANCE self;

static NTSTATUS NTAPI instance_init(ULONG version, PSECPKG_DLL_FUNCTIONS functions,
                                    PVOID *user_functions)
{
    (void)version, (void)functions, (void)user_functions;
    if (fault == FAULT_UNLOAD) FreeLibrary(self);
    return STATUS_SUCCESS;
}

static SECPKG_USER_FUNCTION_TABLE user_table = {.InstanceInit = instance_init};

NTSTATUS NTAPI SpUserModeInitialize(ULONG version, PULONG package_version,
                                    PSECPKG_USER_FUNCTION_TABLE *tables, PULONG count);
NTSTATUS NTAPI SpUserModeInitialize(ULONG version, PULONG package_version,
                                    PSECPKG_USER_FUNCTION_TABLE *tables, PULONG count)
{
    (void)version;
    if (fault == FAULT_USER) return STATUS_UNSUCCESSFUL;
    if (fault == FAULT_CALLS) hostile_user_fill(&user_table);
    *package_version = SECPKG_INTERFACE_VERSION;
    *tables = &user_table;
    *count = 1;
    return STATUS_SUCCESS;
}

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved);
BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved)
{
    (void)reserved;
    if (reason != DLL_PROCESS_ATTACH) return TRUE;
    wchar_t path[MAX_PATH];
    self = module;
    if (!GetModuleFileNameW(module, path, MAX_PATH)) return FALSE;
    const wchar_t *name = wcsrchr(path, L'_');
    for (int i = 0; name && i < FAULT_COUNT; i++) {
        size_t length = wcslen(fault_names[i]);
        if (!_wcsnicmp(name + 1, fault_names[i], length) && name[1 + length] == L'.') fault = i;
    }
    /* The name of one of the host's own modules does not make it one. */
    if (name && !_wcsicmp(name, L"_ntlm.dll")) fault = FAULT_CALLS;
    /* Under any other name it refuses to be loaded, which is one more thing a module can do. */
    return fault != FAULT_COUNT;
}
