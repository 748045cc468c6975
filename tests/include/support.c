/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Helpers of the Windows test programs, see support.h. Uses only documented Win32 calls, so that
 * the programs run on Windows as they are.
 */
#include "support.h"

#include <stdio.h>
#include <wchar.h>

#define ACCOUNTS_KEY L"SOFTWARE\\winesspi\\Accounts"
#define CHILD_PATIENCE_MS 30000

bool running_under_wine(void)
{
    HMODULE ntdll = GetModuleHandleA("ntdll.dll");
    return ntdll && GetProcAddress(ntdll, "wine_get_version");
}

bool running_on_ours(void)
{
    /* The version data of the module that programs link to: Windows' and Wine's name others. */
    static const wchar_t product[] = L"winesspi";
    HMODULE module = LoadLibraryA("secur32.dll");
    HRSRC place = FindResourceW(module, MAKEINTRESOURCEW(VS_VERSION_INFO), (wchar_t *)RT_VERSION);
    if (!place) return false;
    const BYTE *data = LockResource(LoadResource(module, place));
    const DWORD size = SizeofResource(module, place);
    for (DWORD at = 0; data && at + sizeof(product) <= size; at += sizeof(*product))
        if (!memcmp(data + at, product, sizeof(product))) return true;
    return false;
}

static bool command_line(wchar_t *line, size_t capacity, const wchar_t *program,
                         const wchar_t *arguments)
{
    wchar_t self[MAX_PATH];
    DWORD length = GetModuleFileNameW(NULL, self, MAX_PATH);
    if (!length || length >= MAX_PATH) return false;
    if (!program) program = self;
    if (wcslen(program) + wcslen(arguments) + 4 > capacity) return false;
    wcscpy(line, L"\"");
    wcscat(line, program);
    wcscat(line, L"\" ");
    wcscat(line, arguments);
    return true;
}

static void close_handle(HANDLE *handle)
{
    if (*handle) CloseHandle(*handle);
    *handle = NULL;
}

/* A pipe of which only the end that goes to the child can be inherited. */
static bool make_pipe(HANDLE *read, HANDLE *write, bool child_reads)
{
    SECURITY_ATTRIBUTES inherit = {.nLength = sizeof(inherit), .bInheritHandle = TRUE};
    if (!CreatePipe(read, write, &inherit, 0)) return false;
    return SetHandleInformation(child_reads ? *write : *read, HANDLE_FLAG_INHERIT, 0);
}

bool child_start(struct child *child, const wchar_t *program, const wchar_t *arguments)
{
    HANDLE child_in = NULL, child_out = NULL, to = NULL, from = NULL;
    PROCESS_INFORMATION process = {0};
    wchar_t line[1024];
    bool started = false;

    if (!command_line(line, 1024, program, arguments)) goto done;
    if (!make_pipe(&child_in, &to, true) || !make_pipe(&from, &child_out, false)) goto done;
    STARTUPINFOW startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    startup.hStdInput = child_in;
    startup.hStdOutput = child_out;
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process)) goto done;
    *child = (struct child){process.hProcess, to, from, process.dwProcessId};
    to = from = NULL;
    started = true;

done:
    close_handle(&process.hThread);
    close_handle(&child_in);
    close_handle(&child_out);
    close_handle(&to);
    close_handle(&from);
    return started;
}

bool child_run(const wchar_t *arguments, DWORD *exit_code)
{
    wchar_t line[1024];
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;
    if (!command_line(line, 1024, NULL, arguments)) return false;
    fflush(stdout);
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &process))
        return false;
    bool ended = WaitForSingleObject(process.hProcess, 4 * CHILD_PATIENCE_MS) == WAIT_OBJECT_0;
    if (!ended) TerminateProcess(process.hProcess, 99);
    bool known = GetExitCodeProcess(process.hProcess, exit_code);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    return ended && known;
}

bool child_end(struct child *child, DWORD *exit_code)
{
    DWORD code = 0;
    close_handle(&child->to);
    bool ended = WaitForSingleObject(child->process, CHILD_PATIENCE_MS) == WAIT_OBJECT_0;
    if (!ended) TerminateProcess(child->process, 99);
    bool known = GetExitCodeProcess(child->process, &code);
    close_handle(&child->from);
    close_handle(&child->process);
    if (exit_code) *exit_code = code;
    return ended && known;
}

void child_kill(struct child *child)
{
    TerminateProcess(child->process, 9);
    WaitForSingleObject(child->process, CHILD_PATIENCE_MS);
    close_handle(&child->to);
    close_handle(&child->from);
    close_handle(&child->process);
}

bool pipe_write(HANDLE pipe, const void *bytes, DWORD size)
{
    const BYTE *next = bytes;
    while (size) {
        DWORD count = 0;
        if (!WriteFile(pipe, next, size, &count, NULL) || !count) return false;
        next += count;
        size -= count;
    }
    return true;
}

bool pipe_read(HANDLE pipe, void *bytes, DWORD size)
{
    BYTE *next = bytes;
    while (size) {
        DWORD count = 0;
        if (!ReadFile(pipe, next, size, &count, NULL) || !count) return false;
        next += count;
        size -= count;
    }
    return true;
}

bool block_write(HANDLE pipe, const void *bytes, DWORD size)
{
    BYTE length[4] = {(BYTE)size, (BYTE)(size >> 8), (BYTE)(size >> 16), (BYTE)(size >> 24)};
    return pipe_write(pipe, length, 4) && pipe_write(pipe, bytes, size);
}

bool block_read(HANDLE pipe, void *bytes, DWORD capacity, DWORD *size)
{
    BYTE length[4];
    if (!pipe_read(pipe, length, 4)) return false;
    DWORD count = length[0] | (DWORD)length[1] << 8 | (DWORD)length[2] << 16 |
                  (DWORD)length[3] << 24;
    if (count > capacity || !pipe_read(pipe, bytes, count)) return false;
    *size = count;
    return true;
}

bool value_save(struct saved_value *saved, const wchar_t *key, const wchar_t *name)
{
    *saved = (struct saved_value){.key = key, .name = name, .size = sizeof(saved->data)};
    HKEY handle;
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, key, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &handle))
        return true;
    LSTATUS status = RegQueryValueExW(handle, name, NULL, &saved->type, saved->data, &saved->size);
    RegCloseKey(handle);
    saved->existed = !status;
    return !status || status == ERROR_FILE_NOT_FOUND;
}

bool value_set(const struct saved_value *saved, DWORD type, const void *data, DWORD size)
{
    HKEY handle;
    if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, saved->key, 0, NULL, 0, KEY_SET_VALUE | KEY_WOW64_64KEY,
                        NULL, &handle, NULL))
        return false;
    LSTATUS status = RegSetValueExW(handle, saved->name, 0, type, data, size);
    RegCloseKey(handle);
    return !status;
}

bool value_restore(const struct saved_value *saved)
{
    if (saved->existed) return value_set(saved, saved->type, saved->data, saved->size);
    HKEY handle;
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, saved->key, 0, KEY_SET_VALUE | KEY_WOW64_64KEY, &handle))
        return true;
    LSTATUS status = RegDeleteValueW(handle, saved->name);
    RegCloseKey(handle);
    return !status || status == ERROR_FILE_NOT_FOUND;
}

static void account_value_name(const struct account *account, wchar_t *name)
{
    wcscpy(name, account->domain);
    wcscat(name, L"\\");
    wcscat(name, account->user);
}

bool account_create(struct account *account)
{
    /* MS-NLMP 4.2.2.1.2: the hash of "Password", as that document's examples have it. */
    static const BYTE hash[16] = {0xa4, 0xf4, 0x9c, 0x40, 0x65, 0x10, 0xbd, 0xca,
                                  0xb6, 0x82, 0x4e, 0xe7, 0xc3, 0x0f, 0xd8, 0x52};
    if (!running_on_ours()) return false;
    struct account made = {.domain = L"APITEST", .password = L"Password"};
    wsprintfW(made.user, L"test%u", GetCurrentProcessId());

    HKEY key;
    if (RegCreateKeyExW(HKEY_LOCAL_MACHINE, ACCOUNTS_KEY, 0, NULL, 0,
                        KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, NULL))
        return false;
    wchar_t name[96];
    account_value_name(&made, name);
    LSTATUS status = RegSetValueExW(key, name, 0, REG_BINARY, hash, sizeof(hash));
    RegCloseKey(key);
    if (status) return false;
    *account = made;
    return true;
}

void account_remove(const struct account *account)
{
    HKEY key;
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, ACCOUNTS_KEY, 0, KEY_SET_VALUE | KEY_WOW64_64KEY, &key))
        return;
    wchar_t name[96];
    account_value_name(account, name);
    RegDeleteValueW(key, name);
    RegCloseKey(key);
}

bool process_user(wchar_t *name, DWORD capacity)
{
    HANDLE token;
    BYTE user[256];
    DWORD size;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return false;
    bool got = GetTokenInformation(token, TokenUser, user, sizeof(user), &size);
    CloseHandle(token);
    if (!got) return false;

    wchar_t account[128], domain[128];
    DWORD account_size = 128, domain_size = 128;
    SID_NAME_USE use;
    if (!LookupAccountSidW(NULL, ((TOKEN_USER *)user)->User.Sid, account, &account_size, domain,
                           &domain_size, &use))
        return false;
    if (account_size + domain_size + 2 > capacity) return false;
    wsprintfW(name, L"%s\\%s", domain, account);
    return true;
}

bool program_folder(wchar_t *path, DWORD capacity)
{
    DWORD length = GetModuleFileNameW(NULL, path, capacity);
    if (!length || length >= capacity) return false;
    wchar_t *slash = wcsrchr(path, L'\\');
    if (!slash) return false;
    slash[1] = 0;
    return true;
}

void *function_find(const char *module, const char *name)
{
    HMODULE dll = LoadLibraryA(module);
    return dll ? (void *)(ULONG_PTR)GetProcAddress(dll, name) : NULL;
}

void second_pass(void)
{
    const ULONGLONG start = GetTickCount64();
    while (GetTickCount64() - start <= 1000) Sleep(20);
}

double time_ms(void)
{
    LARGE_INTEGER now, frequency;
    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&frequency);
    return 1e3 * (double)now.QuadPart / (double)frequency.QuadPart;
}

uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dull;
}
