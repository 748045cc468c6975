/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and the contexts of calls short of memory. */
#include "fault.h"

#include <stdio.h>

static wchar_t own[512];
static char own_a[512];

/* The size is both an input and an answer. */
static LONG sized(BOOL result, ULONG size)
{
    LONG status = win32_answer(result);
    if (status < 0) expect_kept(size == 512);
    return status;
}

static LONG user_w(void)
{
    ULONG size = 512;
    return sized(GetUserNameExW(NameSamCompatible, (wchar_t *)&answers, &size), size);
}

static LONG user_a(void)
{
    ULONG size = 512;
    return sized(GetUserNameExA(NameSamCompatible, (char *)&answers, &size), size);
}

static bool wide_check(void)
{
    return !lstrcmpiW((wchar_t *)&answers, own);
}

static bool narrow_check(void)
{
    return !lstrcmpiA((char *)&answers, own_a);
}

static LONG translate_w(void)
{
    ULONG size = 512;
    return sized(
        TranslateNameW(own, NameSamCompatible, NameSamCompatible, (wchar_t *)&answers, &size),
        size);
}

static LONG translate_a(void)
{
    ULONG size = 512;
    return sized(
        TranslateNameA(own_a, NameSamCompatible, NameSamCompatible, (char *)&answers, &size), size);
}

/* There is no such name, for which no memory is asked. */
static LONG computer(BOOLEAN found, ULONG size)
{
    DWORD error = GetLastError();
    expect_kept(size == 512);
    if (!found && error == ERROR_CANT_ACCESS_DOMAIN_INFO) return 0;
    return found ? HRESULT_FROM_WIN32(ERROR_INTERNAL_ERROR) : HRESULT_FROM_WIN32(error);
}

static LONG computer_w(void)
{
    ULONG size = 512;
    BOOLEAN found = GetComputerObjectNameW(NameSamCompatible, (wchar_t *)&answers, &size);
    return computer(found, size);
}

static LONG computer_a(void)
{
    ULONG size = 512;
    BOOLEAN found = GetComputerObjectNameA(NameSamCompatible, (char *)&answers, &size);
    return computer(found, size);
}

/* ---- contexts of calls ---- */

static BYTE address[16] = {2, 0, 0x1f, 0x90, 127, 0, 0, 1}; /* a SOCKADDR_IN */
static LONG(WINAPI *set_address)(BYTE *, ULONG, BOOL *);
static LONG(WINAPI *set_target)(BYTE *, ULONG, wchar_t *, BOOL *);
static void(WINAPI *free_context)(void);

static LONG address_call(void)
{
    return set_address(address, sizeof(address), (BOOL *)&answers);
}

static LONG target_call(void)
{
    return set_target(address, sizeof(address), (wchar_t *)L"HTTP/server", (BOOL *)&answers);
}

static bool context_check(void)
{
    bool to_free = *(BOOL *)&answers;
    free_context();
    return to_free;
}

static struct loopback loop;
static LONG(WINAPI *init_user)(CtxtHandle *, SecBuffer *);
static LONG(WINAPI *delete_user)(CtxtHandle *);

static bool user_open(void)
{
    return !loopback_make(&loop, L"NTLM", NULL);
}

static LONG user_call(void)
{
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    return init_user(&loop.client, &packed);
}

static bool user_check(void)
{
    return delete_user(&loop.client) >= 0;
}

static void user_close(void)
{
    loopback_close(&loop);
}

void fault_names(void)
{
    static const struct scenario scenarios[] = {
        {"GetUserNameExW", KIND_WIN32, NULL, user_w, wide_check, NULL},
        {"GetUserNameExA", KIND_WIN32, NULL, user_a, narrow_check, NULL},
        {"TranslateNameW", KIND_WIN32, NULL, translate_w, wide_check, NULL},
        {"TranslateNameA", KIND_WIN32, NULL, translate_a, narrow_check, NULL},
        {"GetComputerObjectNameW", KIND_WIN32, NULL, computer_w, NULL, NULL},
        {"GetComputerObjectNameA", KIND_WIN32, NULL, computer_a, NULL, NULL},
        {"SeciAllocateAndSetIPAddress", KIND_SSPI, NULL, address_call, context_check, NULL},
        {"SeciAllocateAndSetCallTarget", KIND_SSPI, NULL, target_call, context_check, NULL},
    };
    static const struct scenario user_half = {
        "SecInitUserModeContext", KIND_SSPI, user_open, user_call, user_check, user_close};
    set_address = function_find("sspicli.dll", "SeciAllocateAndSetIPAddress");
    set_target = function_find("sspicli.dll", "SeciAllocateAndSetCallTarget");
    free_context = function_find("sspicli.dll", "SeciFreeCallContext");
    init_user = function_find("sspicli.dll", "SecInitUserModeContext");
    delete_user = function_find("sspicli.dll", "SecDeleteUserModeContext");
    process_user(own, 512);
    WideCharToMultiByte(CP_ACP, 0, own, -1, own_a, sizeof(own_a), NULL, NULL);
    for (size_t i = 0; i < ARRAYSIZE(scenarios); i++) scenario_run(&scenarios[i], "this user");
    scenario_run(&user_half, "NTLM");
}
