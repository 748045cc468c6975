/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The attribute functions that are told the size of a buffer: QueryContextAttributesEx,
 * QueryCredentialsAttributesEx ([H sspi.h]; older libraries lack them), SetContextAttributes and
 * SetCredentialsAttributes. The documentation names no error for a buffer that is too small;
 * SEC_E_BUFFER_TOO_SMALL is ours.
 */
#include "context_attributes.h"

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

typedef SECURITY_STATUS(WINAPI *query_function)(SecHandle *, ULONG, void *, ULONG);

static query_function context_w, context_a, credentials_w, credentials_a, set_w, set_a;
static struct loopback loop;

static bool find_all(void)
{
    context_w = function_find("sspicli.dll", "QueryContextAttributesExW");
    context_a = function_find("sspicli.dll", "QueryContextAttributesExA");
    credentials_w = function_find("sspicli.dll", "QueryCredentialsAttributesExW");
    credentials_a = function_find("sspicli.dll", "QueryCredentialsAttributesExA");
    set_w = function_find("sspicli.dll", "SetCredentialsAttributesW");
    set_a = function_find("sspicli.dll", "SetCredentialsAttributesA");
    return context_w && context_a && credentials_w && credentials_a && set_w && set_a;
}

static bool untouched(const BYTE *room, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (room[i] != 0x55) return false;
    return true;
}

/* [H sspi.h] a structure that fits is filled in and nothing behind it */
static void test_context_sizes(void)
{
    BYTE room[128];
    for (unsigned i = 0; i < 2 * COUNT(attributes); i++) {
        const struct attribute *row = &attributes[i / 2];
        query_function query = i % 2 ? context_a : context_w;
        memset(room, 0x55, sizeof(room));
        SECURITY_STATUS status = query(&loop.server, row->number, room, row->size);
        ok(!status, "attribute %lu: %08lx", row->number, status);
        ok(untouched(room + row->size, sizeof(room) - row->size), "attribute %lu: written beyond",
           row->number);
        if (!status) ok(attribute_free(row, room), "attribute %lu: its blocks", row->number);
    }
}

static void test_context_too_small(void)
{
    BYTE room[128];
    if (!ours_only()) return;
    for (unsigned i = 0; i < 2 * COUNT(attributes); i++) {
        const struct attribute *row = &attributes[i / 2];
        query_function query = i % 2 ? context_a : context_w;
        const ULONG sizes[] = {row->size - 1, 0};
        memset(room, 0x55, sizeof(room));
        for (int j = 0; j < 2; j++) {
            SECURITY_STATUS status = query(&loop.server, row->number, room, sizes[j]);
            ok(status == SEC_E_BUFFER_TOO_SMALL, "attribute %lu, size %lu: %08lx", row->number,
               sizes[j], status);
            ok(untouched(room, sizeof(room)), "attribute %lu: written to", row->number);
        }
    }
    ok(context_w(&loop.server, SECPKG_ATTR_SIZES, NULL, 64) == SEC_E_INVALID_PARAMETER, "NULL");
    ok(context_w(&loop.server, 0x1234, room, 0) == SEC_E_UNSUPPORTED_FUNCTION, "no attribute");
}

/* [W8T] the handle counts first: an error for none whatever the size */
static void test_bad_handles(void)
{
    BYTE room[64];
    SecHandle none = {0, 0};
    SecHandle *const handles[] = {NULL, &none, &loop.client_cred};
    for (unsigned i = 0; i < COUNT(handles); i++) {
        if (!handles[i] && !running_on_ours()) continue;
        ok(context_w(handles[i], SECPKG_ATTR_SIZES, room, 0) == SEC_E_INVALID_HANDLE, "W %u", i);
        ok(context_a(handles[i], SECPKG_ATTR_SIZES, room, 64) == SEC_E_INVALID_HANDLE, "A %u", i);
        if (i == 2) continue;
        ok(credentials_w(handles[i], SECPKG_CRED_ATTR_NAMES, room, 0) == SEC_E_INVALID_HANDLE,
           "credentials W %u", i);
        ok(credentials_a(handles[i], SECPKG_CRED_ATTR_NAMES, room, 64) == SEC_E_INVALID_HANDLE,
           "credentials A %u", i);
    }
}

static void test_credentials(void)
{
    struct {
        void *name, *behind;
    } room = {NULL, (void *)(ULONG_PTR)0x55};
    wchar_t expected[256];
    char expected_a[256];
    ok(process_user(expected, 256), "the process has no user");
    WideCharToMultiByte(CP_ACP, 0, expected, -1, expected_a, 256, NULL, NULL);
    SECURITY_STATUS status = credentials_w(&loop.client_cred, SECPKG_CRED_ATTR_NAMES, &room,
                                           sizeof(room.name));
    if (ok(!status, "W: %08lx", status)) {
        ok(!lstrcmpiW(room.name, expected), "W: %ls", (wchar_t *)room.name);
        FreeContextBuffer(room.name);
    }
    status = credentials_a(&loop.client_cred, SECPKG_CRED_ATTR_NAMES, &room, sizeof(room.name));
    if (ok(!status, "A: %08lx", status)) {
        ok(!lstrcmpiA(room.name, expected_a), "A: %s", (char *)room.name);
        FreeContextBuffer(room.name);
    }
    ok(room.behind == (void *)(ULONG_PTR)0x55, "written beyond");
    if (!running_on_ours()) return;
    room.name = (void *)(ULONG_PTR)0x55;
    for (ULONG size = 0; size < sizeof(void *); size += sizeof(void *) - 1) {
        status = credentials_w(&loop.client_cred, SECPKG_CRED_ATTR_NAMES, &room, size);
        ok(status == SEC_E_BUFFER_TOO_SMALL, "W, size %lu: %08lx", size, status);
        status = credentials_a(&loop.client_cred, SECPKG_CRED_ATTR_NAMES, &room, size);
        ok(status == SEC_E_BUFFER_TOO_SMALL, "A, size %lu: %08lx", size, status);
    }
    ok(room.name == (void *)(ULONG_PTR)0x55, "too small, and written to");
    status = credentials_w(&loop.client_cred, SECPKG_CRED_ATTR_NAMES, NULL, 64);
    ok(status == SEC_E_INVALID_PARAMETER, "NULL: %08lx", status);
}

/* [D SetContextAttributes, SetCredentialsAttributes] NTLM has nothing to set: the attributes are
 * those of Schannel and of Kerberos. */
static void test_set(void)
{
    BYTE room[64] = {0};
    SecPkgCredentials_NamesA names = {(char *)"name"};
    if (!ours_only()) return;
    for (int i = 0; i < 2; i++) {
        query_function set = i ? set_a : set_w;
        SECURITY_STATUS status = i ? SetContextAttributesA(&loop.server, 0x5e, room, sizeof(room))
                                   : SetContextAttributesW(&loop.server, 0x5e, room, sizeof(room));
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "context %d: %08lx", i, status);
        status = i ? SetContextAttributesA(&loop.server, 0x5e, NULL, 0)
                   : SetContextAttributesW(&loop.server, 0x5e, NULL, 0);
        ok(status == SEC_E_INVALID_PARAMETER, "context %d, NULL: %08lx", i, status);
        status = set(&loop.client_cred, SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS, room, sizeof(room));
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "credentials %d: %08lx", i, status);
        status = set(&loop.client_cred, SECPKG_CRED_ATTR_NAMES, &names, sizeof(names));
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "name %d: %08lx", i, status);
        status = set(&loop.client_cred, SECPKG_CRED_ATTR_NAMES, NULL, sizeof(names));
        ok(status == SEC_E_INVALID_PARAMETER, "name %d, NULL: %08lx", i, status);
        status = set(NULL, SECPKG_CRED_ATTR_NAMES, &names, sizeof(names));
        ok(status == SEC_E_INVALID_HANDLE, "no credentials %d: %08lx", i, status);
    }
}

int main(void)
{
    if (!find_all()) {
        printf("skip all: this Windows has no Ex functions\n");
        printf("api_ex_queries: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", NULL);
    loop.target = L"HTTP/localhost";
    if (!status) status = loopback_connect(&loop);
    if (status) {
        printf("no contexts: %08lx\n", status);
        return 99;
    }
    RUN(test_context_sizes);
    RUN(test_context_too_small);
    RUN(test_bad_handles);
    RUN(test_credentials);
    RUN(test_set);
    loopback_close(&loop);
    return test_end("api_ex_queries");
}
