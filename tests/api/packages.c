/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The list of packages: EnumerateSecurityPackages, QuerySecurityPackageInfo, AddSecurityPackage,
 * DeleteSecurityPackage, in both character forms. Tags in brackets name the source of an
 * expectation: [D page] Microsoft's documentation, [W8 file:line] a test of Wine 8.0 that runs on
 * Windows, [OBS] a published listing of a Windows machine. What providers do when they are
 * loaded is the matter of api_providers.
 */
#include <windows.h>
#include <security.h>
#include <rpc.h>

#include "support.h"

#define UNTOUCHED ((void *)(ULONG_PTR)0x5ec5ec)

static void test_enumerate(void)
{
    ULONG count_w = 0, count_a = 0;
    SecPkgInfoW *list_w = NULL;
    SecPkgInfoA *list_a = NULL;

    /* [W8 main.c:143-159] success, a count above zero and an array */
    ok(EnumerateSecurityPackagesW(&count_w, &list_w) == SEC_E_OK, "W failed");
    ok(EnumerateSecurityPackagesA(&count_a, &list_a) == SEC_E_OK, "A failed");
    if (!ok(count_w > 0 && list_w, "W gave no list")) return;
    if (!ok(count_a > 0 && list_a, "A gave no list")) return;

    /* Both forms describe the same packages in the same order. */
    ok(count_a == count_w, "%lu packages in A, %lu in W", count_a, count_w);
    for (ULONG i = 0; i < count_w && i < count_a; i++) {
        char name[256], comment[256];
        WideCharToMultiByte(CP_ACP, 0, list_w[i].Name, -1, name, 256, NULL, NULL);
        WideCharToMultiByte(CP_ACP, 0, list_w[i].Comment, -1, comment, 256, NULL, NULL);
        ok(!strcmp(list_a[i].Name, name), "name %lu: %s, %s", i, list_a[i].Name, name);
        ok(!strcmp(list_a[i].Comment, comment), "comment %lu differs", i);
        ok(list_a[i].fCapabilities == list_w[i].fCapabilities, "capabilities of %s differ", name);
        ok(list_a[i].wRPCID == list_w[i].wRPCID, "RPC id of %s differs", name);
        ok(list_a[i].cbMaxToken == list_w[i].cbMaxToken, "token size of %s differs", name);
        /* [W8 main.c:225], [OBS] wVersion is 1 for every package */
        ok(list_w[i].wVersion == 1 && list_a[i].wVersion == 1, "%s: version %u", name,
           list_w[i].wVersion);
    }
    ok(FreeContextBuffer(list_w) == SEC_E_OK, "the W list was not freed");
    ok(FreeContextBuffer(list_a) == SEC_E_OK, "the A list was not freed");
}

/* Bytes that the strings and structs of a list need at least. */
static SIZE_T needed_w(const SecPkgInfoW *list, ULONG count)
{
    SIZE_T size = count * sizeof(*list);
    for (ULONG i = 0; i < count; i++)
        size += (lstrlenW(list[i].Name) + lstrlenW(list[i].Comment) + 2) * sizeof(WCHAR);
    return size;
}

/* [W8 ntlm.c:955-963] the list is one block of the process heap, strings behind the structs */
static void test_one_block(void)
{
    ULONG count = 0;
    SecPkgInfoW *list = NULL;
    if (!ok(EnumerateSecurityPackagesW(&count, &list) == SEC_E_OK, "enumeration failed")) return;
    SIZE_T size = HeapSize(GetProcessHeap(), 0, list);
    ok(size != (SIZE_T)-1 && size >= needed_w(list, count), "heap block of %lu bytes, needed %lu",
       (unsigned long)size, (unsigned long)needed_w(list, count));
    const BYTE *start = (const BYTE *)list, *end = start + size;
    for (ULONG i = 0; size != (SIZE_T)-1 && i < count; i++) {
        const BYTE *name = (const BYTE *)list[i].Name, *comment = (const BYTE *)list[i].Comment;
        ok(name > start && name < end, "name %lu lies outside of the block", i);
        ok(comment > start && comment < end, "comment %lu lies outside of the block", i);
    }
    FreeContextBuffer(list);

    SecPkgInfoA *info = NULL;
    if (!ok(QuerySecurityPackageInfoA((char *)"NTLM", &info) == SEC_E_OK, "no NTLM")) return;
    SIZE_T expected = sizeof(*info) + strlen(info->Name) + strlen(info->Comment) + 2;
    ok(HeapSize(GetProcessHeap(), 0, info) == expected, "block of %lu bytes, not %lu",
       (unsigned long)HeapSize(GetProcessHeap(), 0, info), (unsigned long)expected);
    ok(FreeContextBuffer(info) == SEC_E_OK, "the info was not freed");
}

static void test_ntlm_info(void)
{
    SecPkgInfoW *info = NULL;
    if (!ok(QuerySecurityPackageInfoW((wchar_t *)L"NTLM", &info) == SEC_E_OK, "no NTLM")) return;

    /* [W8 ntlm.c:943-953] base capabilities, optional ones beside them; RPC id; token size */
    ULONG optional = SECPKG_FLAG_RESTRICTED_TOKENS | SECPKG_FLAG_READONLY_WITH_CHECKSUM |
                     0x00800000 /* APPCONTAINER_CHECKS */ | 0x02000000 /* APPLY_LOOPBACK */;
    ok((info->fCapabilities & ~optional) == 0x2b37, "capabilities %08lx", info->fCapabilities);
    ok(info->wRPCID == RPC_C_AUTHN_WINNT, "RPC id %u", info->wRPCID);
    ok(info->cbMaxToken == 2888 || info->cbMaxToken == 1904, "max token %lu", info->cbMaxToken);
    ok(info->wVersion == 1, "version %u", info->wVersion);
    /* [OBS] listings of Windows 10 and 11 */
    ok(!lstrcmpW(info->Name, L"NTLM"), "name %ls", info->Name);
    ok(!lstrcmpW(info->Comment, L"NTLM Security Package"), "comment %ls", info->Comment);
    FreeContextBuffer(info);
}

/* The value that Windows 10 and 11 report [OBS]; older systems have fewer bits. */
static void test_ntlm_info_exact(void)
{
    if (!ours_only()) return;
    SecPkgInfoW *info = NULL;
    if (!ok(QuerySecurityPackageInfoW((wchar_t *)L"NTLM", &info) == SEC_E_OK, "no NTLM")) return;
    ok(info->fCapabilities == 0x02882b37, "capabilities %08lx", info->fCapabilities);
    ok(info->cbMaxToken == 2888, "max token %lu", info->cbMaxToken);
    FreeContextBuffer(info);
}

static void test_query_equals_list(void)
{
    ULONG count = 0;
    SecPkgInfoW *list = NULL;
    if (!ok(EnumerateSecurityPackagesW(&count, &list) == SEC_E_OK, "enumeration failed")) return;
    for (ULONG i = 0; i < count; i++) {
        SecPkgInfoW *info = NULL;
        SECURITY_STATUS status = QuerySecurityPackageInfoW(list[i].Name, &info);
        if (!ok(!status && info, "%ls: %08lx", list[i].Name, status)) continue;
        ok(!lstrcmpW(info->Name, list[i].Name), "asked %ls, got %ls", list[i].Name, info->Name);
        ok(info->fCapabilities == list[i].fCapabilities && info->cbMaxToken == list[i].cbMaxToken,
           "%ls: not what the list says", list[i].Name);
        FreeContextBuffer(info);
    }
    FreeContextBuffer(list);
}

static void test_unknown_names(void)
{
    static const wchar_t *const unknown[] = {L"Winetest", L"", L"NTLM ", L"ntl", L"NTLMx"};
    for (unsigned i = 0; i < sizeof(unknown) / sizeof(*unknown); i++) {
        SecPkgInfoW *info = UNTOUCHED;
        /* [W8 main.c:241-245] not found, and the result pointer is left alone */
        SECURITY_STATUS status = QuerySecurityPackageInfoW((wchar_t *)unknown[i], &info);
        ok(status == SEC_E_SECPKG_NOT_FOUND, "\"%ls\": %08lx", unknown[i], status);
        ok(info == UNTOUCHED, "\"%ls\": result pointer changed", unknown[i]);
    }
    SecPkgInfoA *info = UNTOUCHED;
    SECURITY_STATUS status = QuerySecurityPackageInfoA((char *)"Winetest", &info);
    ok(status == SEC_E_SECPKG_NOT_FOUND, "A: %08lx", status);
    ok(info == UNTOUCHED, "A: result pointer changed");
}

/* Wine 8.0 and Windows programs in the field: "ntlm" and "NTLM" are the same package. */
static void test_name_case(void)
{
    SecPkgInfoW *info = NULL;
    SECURITY_STATUS status = QuerySecurityPackageInfoW((wchar_t *)L"ntLm", &info);
    if (!ok(!status && info, "\"ntLm\": %08lx", status)) return;
    ok(!lstrcmpW(info->Name, L"NTLM"), "name %ls", info->Name);
    FreeContextBuffer(info);
}

/* A name of many characters must neither match nor crash. */
static void test_long_names(void)
{
    static wchar_t wide[70000];
    static char narrow[70000];
    for (int i = 0; i < 69999; i++) {
        wide[i] = i < 4 ? L"NTLM"[i] : L'x';
        narrow[i] = i < 4 ? "NTLM"[i] : 'x';
    }
    SecPkgInfoW *info_w = UNTOUCHED;
    SecPkgInfoA *info_a = UNTOUCHED;
    SECURITY_STATUS status = QuerySecurityPackageInfoW(wide, &info_w);
    ok(status == SEC_E_SECPKG_NOT_FOUND, "W: %08lx", status);
    status = QuerySecurityPackageInfoA(narrow, &info_a);
    ok(status == SEC_E_SECPKG_NOT_FOUND, "A: %08lx", status);
    ok(info_w == UNTOUCHED && info_a == UNTOUCHED, "a result pointer changed");
}

/* ours: what is NULL is refused, it does not crash */
static void test_null_arguments(void)
{
    if (!ours_only()) return;
    ULONG count = 7;
    SecPkgInfoW *info = UNTOUCHED;
    SECURITY_STATUS status = QuerySecurityPackageInfoW(NULL, &info);
    ok(status == SEC_E_SECPKG_NOT_FOUND, "no name: %08lx", status);
    ok(info == UNTOUCHED, "no name: result pointer changed");
    status = QuerySecurityPackageInfoW((wchar_t *)L"NTLM", NULL);
    ok(status < 0, "no result pointer: %08lx", status);
    status = EnumerateSecurityPackagesW(&count, NULL);
    ok(status < 0, "no list pointer: %08lx", status);
    ok(count == 7, "no list pointer: count changed to %lu", count);
    status = EnumerateSecurityPackagesA(NULL, (SecPkgInfoA **)&info);
    ok(status < 0 && info == UNTOUCHED, "no count pointer: %08lx", status);
    ok(FreeContextBuffer(NULL) == SEC_E_OK, "freeing nothing failed");
}

static DWORD WINAPI enumerate_often(void *context)
{
    LONG *failures = context;
    for (int i = 0; i < 200; i++) {
        ULONG count;
        SecPkgInfoW *list, *info;
        if (EnumerateSecurityPackagesW(&count, &list)) {
            InterlockedIncrement(failures);
            continue;
        }
        if (QuerySecurityPackageInfoW(list[count - 1].Name, &info)) InterlockedIncrement(failures);
        else FreeContextBuffer(info);
        FreeContextBuffer(list);
    }
    return 0;
}

static void test_many_threads(void)
{
    HANDLE threads[8];
    LONG failures = 0;
    for (int i = 0; i < 8; i++)
        threads[i] = CreateThread(NULL, 0, enumerate_often, &failures, 0, NULL);
    WaitForMultipleObjects(8, threads, TRUE, INFINITE);
    for (int i = 0; i < 8; i++) CloseHandle(threads[i]);
    ok(failures == 0, "%ld calls failed in threads", failures);
}

static bool is_listed(const wchar_t *name)
{
    SecPkgInfoW *info;
    if (QuerySecurityPackageInfoW((wchar_t *)name, &info)) return false;
    FreeContextBuffer(info);
    return true;
}

/* ours: which errors; that the call exists and what it is for: [D addsecuritypackagew] */
static void test_add_and_delete(void)
{
    if (!ours_only()) return;
    SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof(options)};
    wchar_t path[MAX_PATH];
    if (!ok(program_folder(path, MAX_PATH - 16), "no program folder")) return;
    lstrcatW(path, L"prov_sspi.dll");

    SECURITY_STATUS status = AddSecurityPackageW((wchar_t *)L"no-such-module.dll", &options);
    ok(status < 0, "a missing module was added: %08lx", status);
    status = AddSecurityPackageW(NULL, &options);
    ok(status < 0, "no name: %08lx", status);
    status = DeleteSecurityPackageW((wchar_t *)L"Winetest");
    ok(status < 0, "an unknown package was deleted: %08lx", status);

    ok(!is_listed(L"TestSspi"), "TestSspi is there before it was added");
    status = AddSecurityPackageW(path, &options);
    if (!ok(status == SEC_E_OK, "adding %ls: %08lx", path, status)) return;
    ok(is_listed(L"TestSspi"), "TestSspi is not listed after it was added");
    status = DeleteSecurityPackageW((wchar_t *)L"TestSspi");
    ok(status == SEC_E_OK, "deleting TestSspi: %08lx", status);
    ok(!is_listed(L"TestSspi"), "TestSspi is still listed");
    ok(is_listed(L"NTLM"), "NTLM went with it");
    status = DeleteSecurityPackageW((wchar_t *)L"TestSspi");
    ok(status < 0, "deleted twice: %08lx", status);
}

int main(void)
{
    RUN(test_enumerate);
    RUN(test_one_block);
    RUN(test_ntlm_info);
    RUN(test_ntlm_info_exact);
    RUN(test_query_equals_list);
    RUN(test_unknown_names);
    RUN(test_name_case);
    RUN(test_long_names);
    RUN(test_null_arguments);
    RUN(test_many_threads);
    RUN(test_add_and_delete);
    return test_end("api_packages");
}
