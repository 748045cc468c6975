/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The function tables of InitSecurityInterfaceA and InitSecurityInterfaceW, member by member:
 * each must be the export of that name, the reserved ones what Windows puts there. Programs such
 * as the remote desktop client call through the reserved members.
 */
#include <windows.h>
#include <security.h>

#include "support.h"

/* Members as an array of pointers: sspi.h of older kits ends at SetContextAttributes. */
struct table {
    ULONG version;
    void *member[31];
};

/* Forwarded exports have one address whatever module is asked, on Windows and on Wine. */
static void check_member(const struct table *table, int index, const char *name, char form)
{
    char full[64];
    wsprintfA(full, form ? "%s%c" : "%s", name, form);
    void *expected = function_find("secur32.dll", full);
    ok(expected != NULL, "no export %s", full);
    ok(table->member[index - 1] == expected, "member %d is %p, %s is at %p", index,
       table->member[index - 1], full, expected);
}

static void check_table(const struct table *table, char form)
{
    static const struct {
        int index;
        bool has_forms;
        const char *name;
    } members[] = {
        {1, true, "EnumerateSecurityPackages"},
        {2, true, "QueryCredentialsAttributes"},
        {3, true, "AcquireCredentialsHandle"},
        {4, false, "FreeCredentialsHandle"},
        {6, true, "InitializeSecurityContext"},
        {7, false, "AcceptSecurityContext"},
        {8, false, "CompleteAuthToken"},
        {9, false, "DeleteSecurityContext"},
        {10, false, "ApplyControlToken"},
        {11, true, "QueryContextAttributes"},
        {12, false, "ImpersonateSecurityContext"},
        {13, false, "RevertSecurityContext"},
        {14, false, "MakeSignature"},
        {15, false, "VerifySignature"},
        {16, false, "FreeContextBuffer"},
        {17, true, "QuerySecurityPackageInfo"},
        {18, false, "EncryptMessage"}, /* Reserved3 [W8 secur32.c:260,262] */
        {19, false, "DecryptMessage"}, /* Reserved4 [W8 secur32.c:261,263] */
        {20, false, "ExportSecurityContext"},
        {21, true, "ImportSecurityContext"},
        {22, true, "AddCredentials"},
        {24, false, "QuerySecurityContextToken"},
        {25, false, "EncryptMessage"},
        {26, false, "DecryptMessage"},
        {27, true, "SetContextAttributes"},
    };
    /* [H sspi.h] order of the members */
    for (unsigned i = 0; i < sizeof(members) / sizeof(*members); i++)
        check_member(table, members[i].index, members[i].name, members[i].has_forms ? form : 0);
}

static void test_wide_table(void)
{
    const struct table *table = (const struct table *)InitSecurityInterfaceW();
    if (!ok(table != NULL, "no table")) return;             /* [W8 secur32.c:256] */
    ok(table->version == 1, "version %lu", table->version); /* [W8 secur32.c:257] */
    ok(!table->member[5 - 1], "Reserved2 is not NULL");     /* [W8 secur32.c:258] */
    check_table(table, 'W');
}

static void test_narrow_table(void)
{
    const struct table *table = (const struct table *)InitSecurityInterfaceA();
    if (!ok(table != NULL, "no table")) return;             /* [W8 secur32.c:273] */
    ok(table->version == 1, "version %lu", table->version); /* [W8 secur32.c:274] */
    ok(!table->member[5 - 1], "Reserved2 is not NULL");     /* [W8 secur32.c:275] */
    check_table(table, 'A');
}

/* [INF] Reserved8; members after version 4 of the table are there on Windows 10 */
static void test_later_members(void)
{
    if (!ours_only()) return;
    const struct table *wide = (const struct table *)InitSecurityInterfaceW();
    const struct table *narrow = (const struct table *)InitSecurityInterfaceA();
    ok(!wide->member[23 - 1] && !narrow->member[23 - 1], "Reserved8 is not NULL");
    check_member(wide, 28, "SetCredentialsAttributes", 'W');
    check_member(narrow, 28, "SetCredentialsAttributes", 'A');
    check_member(wide, 29, "ChangeAccountPassword", 'W');
    check_member(narrow, 29, "ChangeAccountPassword", 'A');
    void *query_w = function_find("sspicli.dll", "QueryContextAttributesExW");
    void *query_a = function_find("sspicli.dll", "QueryCredentialsAttributesExA");
    ok(query_w && wide->member[30 - 1] == query_w, "member 30 of W");
    ok(query_a && narrow->member[31 - 1] == query_a, "member 31 of A");
}

/* The table is the same one each time: programs keep the pointer. */
static void test_same_table(void)
{
    ok(InitSecurityInterfaceW() == InitSecurityInterfaceW(), "W differs");
    ok(InitSecurityInterfaceA() == InitSecurityInterfaceA(), "A differs");
    ok((void *)InitSecurityInterfaceW() != (void *)InitSecurityInterfaceA(), "A is W");
}

/* A call through the table does what the export does. */
static void test_calls_through_table(void)
{
    SecurityFunctionTableW *wide = InitSecurityInterfaceW();
    SecurityFunctionTableA *narrow = InitSecurityInterfaceA();
    SecPkgInfoW *info_w = NULL;
    SecPkgInfoA *info_a = NULL;
    SECURITY_STATUS status = wide->QuerySecurityPackageInfoW((wchar_t *)L"NTLM", &info_w);
    ok(!status && info_w && !lstrcmpW(info_w->Name, L"NTLM"), "W: %08lx", status);
    status = narrow->QuerySecurityPackageInfoA((char *)"NTLM", &info_a);
    ok(!status && info_a && !lstrcmpA(info_a->Name, "NTLM"), "A: %08lx", status);
    ok(wide->FreeContextBuffer(info_w) == SEC_E_OK, "W info not freed");
    ok(narrow->FreeContextBuffer(info_a) == SEC_E_OK, "A info not freed");
}

int main(void)
{
    RUN(test_wide_table);
    RUN(test_narrow_table);
    RUN(test_later_members);
    RUN(test_same_table);
    RUN(test_calls_through_table);
    return test_end("api_table");
}
