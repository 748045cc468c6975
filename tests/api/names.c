/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GetUserNameEx, GetComputerObjectName and TranslateName (secext.h). On a machine of a domain more
 * formats have answers; what is stated here without a condition holds there, too.
 */
#include <windows.h>
#include <security.h>

#include "support.h"

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/* [H secext.h] all but NameUnknown; 4, 5 and 11 are no formats */
static const int formats[] = {1, 2, 3, 6, 7, 8, 9, 10, 12, 13, 14};

static wchar_t own[512];
static char own_a[512];

static DWORD user_error(int format, wchar_t *name, ULONG *size)
{
    SetLastError(0xdeadbeef);
    return GetUserNameExW((EXTENDED_NAME_FORMAT)format, name, size) ? 0 : GetLastError();
}

static DWORD translate(const wchar_t *account, int from, int to, wchar_t *name, ULONG *size)
{
    SetLastError(0xdeadbeef);
    return TranslateNameW(account, (EXTENDED_NAME_FORMAT)from, (EXTENDED_NAME_FORMAT)to, name, size)
               ? 0
               : GetLastError();
}

/* [D GetUserNameEx] */
static void test_user(void)
{
    wchar_t name[512] = L"";
    ULONG size = 512;
    DWORD error = user_error(NameSamCompatible, name, &size);
    ok(!error, "error %lu", error);
    ok(!lstrcmpiW(name, own), "%ls, not %ls", name, own);
    ok(size == (ULONG)lstrlenW(own), "size %lu", size);

    char narrow[512] = "";
    size = 512;
    ok(GetUserNameExA(NameSamCompatible, narrow, &size), "A: error %lu", GetLastError());
    ok(!lstrcmpiA(narrow, own_a), "%s, not %s", narrow, own_a);
    ok(size == strlen(own_a), "A: size %lu", size);
}

/* [W8 secur32.c:180-200,227-247] sizes count characters, and the terminator where one is missing */
static void test_user_sizes(void)
{
    wchar_t name[512];
    char narrow[512];
    ULONG needed = (ULONG)lstrlenW(own) + 1;
    const ULONG small[] = {0, 1, needed - 1};
    for (unsigned i = 0; i < COUNT(small); i++) {
        memset(name, 0x55, sizeof(name));
        ULONG size = small[i];
        DWORD error = user_error(NameSamCompatible, name, &size);
        ok(error == ERROR_MORE_DATA, "size %lu: error %lu", small[i], error);
        ok(size == needed, "size %lu became %lu, not %lu", small[i], size, needed);
        ok(name[0] == 0x5555, "size %lu: the buffer was written to", small[i]);

        memset(narrow, 0x55, sizeof(narrow));
        size = small[i];
        ok(!GetUserNameExA(NameSamCompatible, narrow, &size), "A: size %lu", small[i]);
        ok(GetLastError() == ERROR_MORE_DATA, "A: error %lu", GetLastError());
        ok(size == strlen(own_a) + 1, "A: size %lu became %lu", small[i], size);
        ok(narrow[0] == 0x55, "A: the buffer was written to");
    }
    ULONG size = 0;
    DWORD error = user_error(NameSamCompatible, NULL, &size);
    ok(error == ERROR_MORE_DATA && size == needed, "no buffer: error %lu, size %lu", error, size);
    error = user_error(NameSamCompatible, name, &size);
    ok(!error && size == needed - 1, "just enough: error %lu, size %lu", error, size);
    ok(name[needed - 1] == 0 && name[needed] == 0x5555, "not exactly the name was written");
}

/* [W8 secur32.c:164-175]; [D GetUserNameEx] off a domain there is only NameSamCompatible */
static void test_user_formats(void)
{
    wchar_t name[512];
    ULONG size = 512;
    DWORD error = user_error(NameUnknown, name, &size);
    ok(error == ERROR_NO_SUCH_USER, "NameUnknown: error %lu", error);
    ok(size == 512, "NameUnknown: size %lu", size);
    for (unsigned i = 0; i < COUNT(formats); i++) {
        if (formats[i] == NameSamCompatible) continue;
        size = 512;
        error = user_error(formats[i], name, &size);
        ok(!error || error == ERROR_NONE_MAPPED ||
               (formats[i] == NameDnsDomain && error == ERROR_INVALID_PARAMETER),
           "format %d: error %lu", formats[i], error);
    }
}

static void test_user_ours(void)
{
    static const int none[] = {-1, 4, 5, 11, 15, 32, 34};
    wchar_t name[512];
    if (!ours_only()) return;
    for (unsigned i = 0; i < COUNT(none); i++) {
        ULONG size = 512;
        DWORD error = user_error(none[i], name, &size);
        ok(error == ERROR_INVALID_PARAMETER, "format %d: error %lu", none[i], error);
    }
    DWORD error = user_error(NameSamCompatible, name, NULL);
    ok(error == ERROR_INVALID_PARAMETER, "no size: error %lu", error);
    ULONG size = 512;
    error = user_error(NameSamCompatible, NULL, &size);
    ok(error == ERROR_MORE_DATA, "no buffer for all its size: error %lu", error);
}

/* [D GetUserNameEx] an impersonating thread is told the name of its client */
static void test_user_impersonated(void)
{
    wchar_t name[512] = L"";
    ULONG size = 512;
    if (!ImpersonateAnonymousToken(GetCurrentThread())) {
        skip_case("a token of nobody");
        return;
    }
    DWORD error = user_error(NameSamCompatible, name, &size);
    RevertToSelf();
    ok(!error, "error %lu", error);
    ok(!lstrcmpiW(name, L"NT AUTHORITY\\ANONYMOUS LOGON"), "the name is %ls", name);
}

static void test_user_as_self(void)
{
    wchar_t name[512] = L"";
    ULONG size = 512;
    ok(ImpersonateSelf(SecurityIdentification), "cannot impersonate myself");
    DWORD error = user_error(NameSamCompatible, name, &size);
    RevertToSelf();
    ok(!error && !lstrcmpiW(name, own), "myself: error %lu, %ls", error, name);
}

/* [W8 secur32.c:73-103] */
static void test_computer(void)
{
    wchar_t name[512];
    char narrow[512];
    ULONG size = 512;
    SetLastError(0xdeadbeef);
    ok(!GetComputerObjectNameW(NameUnknown, name, &size), "NameUnknown has an answer");
    ok(GetLastError() == ERROR_INVALID_PARAMETER, "NameUnknown: error %lu", GetLastError());
    for (unsigned i = 0; i < COUNT(formats); i++) {
        EXTENDED_NAME_FORMAT format = (EXTENDED_NAME_FORMAT)formats[i];
        for (int ansi = 0; ansi < 2; ansi++) {
            size = 512;
            SetLastError(0xdeadbeef);
            bool done = ansi ? GetComputerObjectNameA(format, narrow, &size)
                             : GetComputerObjectNameW(format, name, &size);
            DWORD error = GetLastError();
            ok(done || error == ERROR_NONE_MAPPED || error == ERROR_NO_SUCH_USER ||
                   error == ERROR_CANT_ACCESS_DOMAIN_INFO,
               "format %d: error %lu", format, error);
        }
    }
}

/* [D TranslateName] what it says of sizes and formats */
static void test_translation_parameters(void)
{
    wchar_t name[512];
    if (!ours_only()) return; /* the errors are not documented */
    static const struct {
        const wchar_t *account;
        int from, to;
        DWORD error;
    } rows[] = {
        {NULL, NameSamCompatible, NameSamCompatible, ERROR_INVALID_PARAMETER},
        {L"", NameSamCompatible, NameSamCompatible, ERROR_INVALID_PARAMETER},
        {own, NameSamCompatible, NameUnknown, ERROR_INVALID_PARAMETER},
        {own, NameSamCompatible, 4, ERROR_INVALID_PARAMETER},
        {own, 99, NameSamCompatible, ERROR_INVALID_PARAMETER},
        {own, NameSamCompatible, NameUserPrincipal, ERROR_NONE_MAPPED},
        {own, NameSamCompatible, NameDisplay, ERROR_NONE_MAPPED},
        {L"nobody-of-this-name", NameSamCompatible, NameSamCompatible, ERROR_NONE_MAPPED},
        {L"BUILTIN\\nobody-of-this-name", NameSamCompatible, NameSamCompatible, ERROR_NONE_MAPPED},
        {L"NO-SUCH-DOMAIN\\root", NameSamCompatible, NameSamCompatible, ERROR_NO_SUCH_DOMAIN},
        {L"user@example.com", NameUserPrincipal, NameSamCompatible, ERROR_NO_SUCH_DOMAIN},
        {L"CN=user,DC=example,DC=com", NameFullyQualifiedDN, NameSamCompatible,
         ERROR_NO_SUCH_DOMAIN},
    };
    for (unsigned i = 0; i < COUNT(rows); i++) {
        ULONG size = 512;
        DWORD error = translate(rows[i].account, rows[i].from, rows[i].to, name, &size);
        ok(error == rows[i].error, "row %u: error %lu, not %lu", i, error, rows[i].error);
        ok(size == 512, "row %u: size %lu", i, size);
    }
    ok(translate(own, NameSamCompatible, NameSamCompatible, name, NULL) == ERROR_INVALID_PARAMETER,
       "no size");
}

/* [D TranslateName]: sizes include the terminator, no buffer of size 0 asks for the size. That a
 * local account is itself is ours: Windows asks a domain controller. */
static void test_translation(void)
{
    wchar_t name[512] = L"", dotted[512];
    char narrow[512] = "";
    const wchar_t *alone = wcschr(own, '\\') + 1;
    if (!ours_only()) return;
    ULONG needed = (ULONG)lstrlenW(own) + 1, size = 0;
    DWORD error = translate(own, NameSamCompatible, NameSamCompatible, NULL, &size);
    ok(!error && size == needed, "asked for the size: error %lu, %lu", error, size);
    size = needed - 1;
    error = translate(own, NameSamCompatible, NameSamCompatible, name, &size);
    ok(error == ERROR_INSUFFICIENT_BUFFER && size == needed, "too small: %lu, %lu", error, size);
    ok(!name[0], "too small, and written to");
    size = 0;
    wsprintfW(dotted, L".\\%ls", alone);
    ok(!translate(dotted, NameSamCompatible, NameSamCompatible, NULL, &size), "%ls", dotted);
    ok(size == needed, "%ls: size %lu", dotted, size);
    error = translate(alone, NameUnknown, NameSamCompatible, name, &size);
    ok(!error && size == needed, "error %lu, size %lu", error, size);
    ok(!lstrcmpiW(name, own), "%ls, not %ls", name, own);

    size = sizeof(narrow);
    ok(TranslateNameA(own_a, NameSamCompatible, NameSamCompatible, narrow, &size), "A: error %lu",
       GetLastError());
    ok(size == strlen(own_a) + 1 && !lstrcmpiA(narrow, own_a), "A: %s, size %lu", narrow, size);
    size = 512;
    error = translate(L"system", NameSamCompatible, NameSamCompatible, name, &size);
    ok(!error && !lstrcmpiW(name, L"NT AUTHORITY\\SYSTEM"), "system: error %lu, %ls", error, name);
}

/* The insides of TranslateName have a name and nothing else. */
static void test_insides(void)
{
    if (!ours_only()) return;
    BOOLEAN(WINAPI * inside)
    (const wchar_t *, ULONG, ULONG, void *, ULONG *) = function_find("secur32.dll",
                                                                     "SecpTranslateName");
    LONG(WINAPI * release)(void *) = function_find("secur32.dll", "SecpFreeMemory");
    wchar_t name[16] = L"";
    ULONG size = 16;
    SetLastError(0xdeadbeef);
    ok(!inside(own, 2, 2, name, &size) && size == 16 && !name[0], "something was translated");
    ok(GetLastError() == ERROR_NOT_SUPPORTED, "error %lu", GetLastError());
    ok(release(name) == SEC_E_UNSUPPORTED_FUNCTION, "something was freed");
}

int main(void)
{
    if (!process_user(own, 512) || !wcschr(own, '\\')) return 99;
    WideCharToMultiByte(CP_ACP, 0, own, -1, own_a, sizeof(own_a), NULL, NULL);
    RUN(test_user);
    RUN(test_user_sizes);
    RUN(test_user_formats);
    RUN(test_user_ours);
    RUN(test_user_impersonated);
    RUN(test_user_as_self);
    RUN(test_computer);
    RUN(test_translation_parameters);
    RUN(test_translation);
    RUN(test_insides);
    return test_end("api_names");
}
