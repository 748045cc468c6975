/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The body of an exported Kerberos context, inside its seal: the module is called as its host does
 * it, since no program gets at one. That it is read as it was written, that nothing else is read,
 * and that whatever is read at all makes a context that can be used.
 */
#include "../api/kerberos_pair.h"

#define BODY_ROOM 4096

static NTSTATUS import_bytes(const BYTE *bytes, ULONG size, LSA_SEC_HANDLE *out)
{
    SecBuffer packed = {size, SECBUFFER_TOKEN, (void *)bytes};
    return kerberos_module()->ImportContext(&packed, NULL, out);
}

/* The size of what comes out; 0 when that fails. */
static ULONG export_bytes(LSA_SEC_HANDLE context, ULONG flags, BYTE *bytes, ULONG room)
{
    SecBuffer packed = {0, SECBUFFER_EMPTY, NULL};
    NTSTATUS status = kerberos_module()->ExportContext(context, flags, &packed, NULL);
    if (!ok(!status && packed.BufferType == SECBUFFER_TOKEN, "export: %08lx", status)) return 0;
    if (!ok(packed.cbBuffer <= room, "a body of %lu bytes", packed.cbBuffer)) return 0;
    memcpy(bytes, packed.pvBuffer, packed.cbBuffer);
    ok(!FreeContextBuffer(packed.pvBuffer), "not freed");
    return packed.cbBuffer;
}

/* One message of each kind. */
static void use(LSA_SEC_HANDLE context)
{
    struct kerberos_end end = {.half = context};
    struct text text;
    text_set(&text, "text", 4);
    text_call(SEAL, &end, &text);
    text_set(&text, "text", 4);
    text_call(SIGN, &end, &text);
    text.padding_size = 0;
    text_call(VERIFY, &end, &text);
    text_call(OPEN, &end, &text);
}

static void query_all(LSA_SEC_HANDLE context)
{
    for (ULONG id = 0; id < 0x90; id++) {
        BYTE room[64] = {0};
        NTSTATUS status = kerberos_module()->QueryContextAttributes(context, id, room);
        void *block;
        memcpy(&block, room, sizeof(block));
        /* those that have one block, and nothing before it */
        if (!status && (id == SECPKG_ATTR_NAMES || id == SECPKG_ATTR_AUTHORITY ||
                        id == SECPKG_ATTR_PACKAGE_INFO || id == SECPKG_ATTR_NEGOTIATION_INFO ||
                        id == SECPKG_ATTR_CLIENT_SPECIFIED_TARGET))
            FreeContextBuffer(block);
    }
}

/* [D ExportSecurityContext] RESET_NEW gives what the context was at first */
static void test_round_trip(void)
{
    for (int server = 0; server < 2; server++) {
        BYTE made[BODY_ROOM], copy[BODY_ROOM];
        LSA_SEC_HANDLE context;
        ULONG size = kerberos_body(server, KERBEROS_USUAL, made, sizeof(made));
        NTSTATUS status = import_bytes(made, size, &context);
        if (!ok(!status, "import: %08lx", status)) return;
        ok(export_bytes(context, 0, copy, sizeof(copy)) == size && !memcmp(made, copy, size),
           "another body");
        use(context);
        ok(export_bytes(context, 0, copy, sizeof(copy)) == size && memcmp(made, copy, size),
           "the same body behind messages");
        ULONG flags = SECPKG_CONTEXT_EXPORT_RESET_NEW | SECPKG_CONTEXT_EXPORT_DELETE_OLD;
        ok(export_bytes(context, flags, copy, sizeof(copy)) == size && !memcmp(made, copy, size),
           "another body to begin anew");
        SecBuffer packed;
        status = kerberos_module()->ExportContext(context, 0, &packed, NULL);
        ok(status == SEC_E_INVALID_HANDLE, "once more: %08lx", status);
        SecPkgContext_Flags told;
        status = kerberos_module()->QueryContextAttributes(context, SECPKG_ATTR_FLAGS, &told);
        ok(status == SEC_E_INVALID_HANDLE, "a query: %08lx", status);
        kerberos_module()->DeleteUserModeContext(context);
    }
}

/* Names as long as they may be and a PAC of many groups. */
static void test_large(void)
{
    static wchar_t name[1025];
    static BYTE pac[20000], made[40000], copy[40000];
    LSA_SEC_HANDLE context;
    for (int i = 0; i < 1024; i++) name[i] = (wchar_t)('a' + i % 26);
    memset(pac, 3, sizeof(pac));
    kerberos_facts = (struct kerberos_facts){name, name, pac, sizeof(pac)};
    ULONG size = kerberos_body(true, KERBEROS_USUAL, made, sizeof(made));
    kerberos_facts = (struct kerberos_facts){0};
    ok(size > sizeof(pac) + 2 * 2048, "a body of %lu bytes", size);
    NTSTATUS status = import_bytes(made, size, &context);
    if (!ok(!status, "import: %08lx", status)) return;
    ok(export_bytes(context, 0, copy, sizeof(copy)) == size && !memcmp(made, copy, size),
       "another body");
    kerberos_module()->DeleteUserModeContext(context);
}

static void test_arguments(void)
{
    LSA_SEC_HANDLE context;
    SecBuffer packed = {16, SECBUFFER_TOKEN, NULL};
    NTSTATUS status = kerberos_module()->ImportContext(NULL, NULL, &context);
    ok(status == SEC_E_INVALID_TOKEN, "nothing: %08lx", status);
    status = kerberos_module()->ImportContext(&packed, NULL, &context);
    ok(status == SEC_E_INVALID_TOKEN, "no memory: %08lx", status);
}

static void test_prefixes(void)
{
    BYTE made[BODY_ROOM];
    LSA_SEC_HANDLE context;
    ULONG size = kerberos_body(true, KERBEROS_USUAL, made, sizeof(made));
    made[size] = 0;
    for (ULONG i = 0; i <= size + 1; i++) {
        if (i == size) continue;
        NTSTATUS status = import_bytes(made, i, &context);
        ok(status == SEC_E_INVALID_TOKEN, "%lu of %lu bytes: %08lx", i, size, status);
    }
}

/* Some bytes are a key, a name or a number, of which any will do. */
static void test_bytes(void)
{
    for (int server = 0; server < 2; server++) {
        BYTE made[BODY_ROOM];
        ULONG size = kerberos_body(server, KERBEROS_USUAL, made, sizeof(made)), taken = 0;
        for (ULONG i = 0; i < size * 8; i++) {
            LSA_SEC_HANDLE context;
            made[i / 8] ^= (BYTE)(1 << i % 8);
            NTSTATUS status = import_bytes(made, size, &context);
            made[i / 8] ^= (BYTE)(1 << i % 8);
            ok(!status || status == SEC_E_INVALID_TOKEN, "bit %lu: %08lx", i, status);
            if (status) continue;
            taken++;
            query_all(context);
            use(context);
            kerberos_module()->DeleteUserModeContext(context);
        }
        ok(taken && taken < size * 8, "%lu of %lu bits mean nothing", taken, size * 8);
    }
}

int main(int argc, char **argv)
{
    if (!kerberos_begin(argc, argv) || !kerberos_has_module())
        return kerberos_nothing("export_kerberos_bodies");
    RUN_KINDS(test_round_trip);
    RUN_KINDS(test_large);
    RUN_KINDS(test_arguments);
    RUN_KINDS(test_prefixes);
    RUN_KINDS(test_bytes);
    return test_end("export_kerberos_bodies");
}
