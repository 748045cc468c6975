/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An export with DELETE_OLD for whose blob there is no memory, after the package has let go of the
 * context: the context goes on ([D ExportSecurityContext] deletes it on success only). The memory
 * is refused in the import table of secur32.dll, and asked for when the blob is larger than usual.
 */
#include "loopback.h"

#include <wchar.h>

static struct loopback loop;
static struct blob blob;
static struct account account;
static struct saved_value check;
static wchar_t target[2500];

/* ---- refusing memory ---- */

typedef void *(WINAPI *realloc_function)(HANDLE, DWORD, void *, SIZE_T);

static realloc_function real_realloc;
static int refuse_at; /* this call of those to come; 0: none */
static int calls;

static void *WINAPI refusing_realloc(HANDLE heap, DWORD flags, void *block, SIZE_T size)
{
    if (++calls == refuse_at) return NULL;
    return real_realloc(heap, flags, block, size);
}

static realloc_function *import_find(BYTE *base, const char *name)
{
    const IMAGE_NT_HEADERS *headers =
        (const IMAGE_NT_HEADERS *)(base + ((const IMAGE_DOS_HEADER *)base)->e_lfanew);
    const IMAGE_IMPORT_DESCRIPTOR *import =
        (const IMAGE_IMPORT_DESCRIPTOR *)(base +
                                          headers->OptionalHeader.DataDirectory[1].VirtualAddress);
    for (; import->Name; import++) {
        const IMAGE_THUNK_DATA *names = (const IMAGE_THUNK_DATA *)(base +
                                                                   import->OriginalFirstThunk);
        IMAGE_THUNK_DATA *addresses = (IMAGE_THUNK_DATA *)(base + import->FirstThunk);
        for (; names->u1.AddressOfData; names++, addresses++) {
            if (IMAGE_SNAP_BY_ORDINAL(names->u1.Ordinal)) continue;
            const IMAGE_IMPORT_BY_NAME *found =
                (const IMAGE_IMPORT_BY_NAME *)(base + names->u1.AddressOfData);
            if (!strcmp((const char *)found->Name, name))
                return (realloc_function *)&addresses->u1.Function;
        }
    }
    return NULL;
}

static bool refusal_install(void)
{
    BYTE *base = (BYTE *)GetModuleHandleA("secur32.dll");
    realloc_function *import = base ? import_find(base, "HeapReAlloc") : NULL;
    DWORD before;
    if (!import || !VirtualProtect(import, sizeof(*import), PAGE_READWRITE, &before)) return false;
    real_realloc = *import;
    *import = refusing_realloc;
    return VirtualProtect(import, sizeof(*import), before, &before);
}

static void refuse(int call)
{
    calls = 0;
    refuse_at = call;
}

/* ---- cases ---- */

/* The target makes both sides' bodies larger than usual. */
static bool connected(const wchar_t *package)
{
    SECURITY_STATUS status = loopback_open(&loop, package, &account);
    if (!ok(!status, "%ls: %08lx", package, status)) return false;
    loop.target = target;
    status = loopback_connect(&loop);
    if (ok(!status, "%ls: connect: %08lx", package, status)) return true;
    loopback_close(&loop);
    return false;
}

static void expect_names(const wchar_t *user)
{
    SecPkgContext_NamesW names = {NULL};
    SECURITY_STATUS status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_NAMES, &names);
    ok(!status && wcsstr(names.sUserName, user), "names: %08lx", status);
    FreeContextBuffer(names.sUserName);
}

static void refused_export(const wchar_t *package, bool server, int call)
{
    CtxtHandle *side = server ? &loop.server : &loop.client;
    CtxtHandle imported;
    const CtxtHandle before = *side;
    HANDLE token = (HANDLE)(ULONG_PTR)0x55;
    SecBuffer packed = {7, 77, (void *)(ULONG_PTR)0x777};
    refuse(call);
    SECURITY_STATUS status = ExportSecurityContext(side, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &packed,
                                                   &token);
    ok(status == SEC_E_INSUFFICIENT_MEMORY, "%ls: %08lx after %d calls", package, status, calls);
    refuse(0);
    ok(packed.cbBuffer == 7 && packed.BufferType == 77 &&
           packed.pvBuffer == (void *)(ULONG_PTR)0x777 && token == (HANDLE)(ULONG_PTR)0x55,
       "outputs were written");
    ok(!memcmp(side, &before, sizeof(before)), "the handle has changed");
    ok(contexts_talk(&loop.client, &loop.server), "%ls: the context is lost", package);

    status = context_export(side, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL);
    ok(!status && blob.size > 4096, "%ls: then: %08lx, %lu bytes", package, status, blob.size);
    status = context_import(package, blob.bytes, blob.size, &imported);
    if (!ok(!status, "%ls: import: %08lx", package, status)) return;
    ok(DeleteSecurityContext(side) == SEC_E_INVALID_HANDLE, "the old context is alive");
    *side = imported;
    ok(contexts_talk(&loop.client, &loop.server), "%ls: after the import", package);
}

static void test_established(void)
{
    for (int row = 0; row < 6; row++) { /* Negotiate asks for its mechanism's blob and its own */
        const wchar_t *package = row < 2 ? L"NTLM" : L"Negotiate";
        if (!connected(package)) continue;
        ok(contexts_talk(&loop.client, &loop.server), "%ls: before", package);
        refused_export(package, row & 1, row < 4 ? 1 : 2);
        expect_names(account.user);
        loopback_close(&loop);
    }
}

/* Again and again, as somebody may who is short of memory. */
static void test_again(void)
{
    if (!connected(L"NTLM")) return;
    for (int i = 0; i < 3; i++) {
        refuse(1);
        SECURITY_STATUS status = context_export(&loop.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD,
                                                &blob, NULL);
        ok(status == SEC_E_INSUFFICIENT_MEMORY, "%d: %08lx", i, status);
        refuse(0);
        ok(contexts_talk(&loop.client, &loop.server), "%d: the context is lost", i);
    }
    loopback_close(&loop);
}

/* A copy is refused, too, and nobody has let go of anything. */
static void test_copy(void)
{
    if (!connected(L"NTLM")) return;
    refuse(1);
    SECURITY_STATUS status = context_export(&loop.client, 0, &blob, NULL);
    ok(status == SEC_E_INSUFFICIENT_MEMORY, "%08lx", status);
    refuse(0);
    ok(contexts_talk(&loop.client, &loop.server), "the context is lost");
    loopback_close(&loop);
}

/* A handshake goes on where it was. */
static void test_half_open(void)
{
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", &account);
    if (!ok(!status, "%08lx", status)) return;
    loop.target = target;
    ok(loopback_client_leg(&loop) == SEC_I_CONTINUE_NEEDED, "first leg");
    refuse(1);
    status = context_export(&loop.client, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob, NULL);
    ok(status == SEC_E_INSUFFICIENT_MEMORY, "%08lx", status);
    refuse(0);
    ok(loopback_server_leg(&loop) == SEC_I_CONTINUE_NEEDED, "the server's first leg");
    ok(loopback_client_leg(&loop) == SEC_E_OK, "second leg");
    ok(loopback_server_leg(&loop) == SEC_E_OK, "the server's second leg");
    ok(contexts_talk(&loop.client, &loop.server), "messages fail");
    loopback_close(&loop);
}

int main(void)
{
    static const DWORD off = 1;
    if (!running_on_ours() || !refusal_install()) {
        printf("skip all: looks inside this project's secur32.dll\n");
        printf("export_undo: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    wcscpy(target, L"HTTP/");
    for (int i = 5; i < 2400; i++) target[i] = 'a';
    /* Such a target is not this machine. */
    if (!account_create(&account) ||
        !value_save(&check, L"SYSTEM\\CurrentControlSet\\Control\\Lsa", L"DisableLoopbackCheck") ||
        !value_set(&check, REG_DWORD, &off, sizeof(off)))
        return 99;
    second_pass();
    RUN(test_established);
    RUN(test_again);
    RUN(test_copy);
    RUN(test_half_open);
    value_restore(&check);
    account_remove(&account);
    return test_end("export_undo");
}
