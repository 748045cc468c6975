/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Blobs that are not what was exported: every bit flipped, every truncation, bytes appended,
 * another package's name, pieces of two blobs; for the packages NTLM and Negotiate. All must be
 * refused, nothing may be used up by the attempt, and nothing secret may be read in a blob. The
 * statuses are ours.
 */
#include "loopback.h"

#define DELETE_OLD SECPKG_CONTEXT_EXPORT_DELETE_OLD
#define UNTOUCHED ((ULONG_PTR)0x5ec5ec5e)

static const wchar_t *package; /* of the running cases */
static struct account account;
static struct loopback loop;
static struct blob blob, changed;

/* A connected pair whose client is in the blob, as a copy or for one use. */
static bool export_client(ULONG flags)
{
    SECURITY_STATUS status = loopback_make(&loop, package, &account);
    if (!ok(!status, "no contexts: %08lx", status)) return false;
    ok(contexts_talk(&loop.client, &loop.server), "no talk");
    status = context_export(&loop.client, flags, &blob, NULL);
    if (flags & DELETE_OLD) context_forget(&loop.client);
    return ok(!status && blob.size, "export: %08lx", status);
}

static bool is_refusal(SECURITY_STATUS status)
{
    return status == SEC_E_INVALID_TOKEN || status == SEC_E_MESSAGE_ALTERED ||
           status == SEC_E_NOT_OWNER;
}

/* In a block of exactly its size, so that reading behind it has a chance to crash. */
static SECURITY_STATUS try_import(const wchar_t *name, const void *bytes, ULONG size)
{
    BYTE *block = HeapAlloc(GetProcessHeap(), 0, size);
    if (!block) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(block, bytes, size);
    CtxtHandle made = {UNTOUCHED, UNTOUCHED};
    SECURITY_STATUS status = context_import(name, block, size, &made);
    if (status >= 0) DeleteSecurityContext(&made);
    else ok(made.dwLower == UNTOUCHED && made.dwUpper == UNTOUCHED, "the handle was written");
    HeapFree(GetProcessHeap(), 0, block);
    return status;
}

/* After all attempts the blob itself still works, and only once if it is for one use. */
static void expect_still_good(bool single)
{
    CtxtHandle made;
    SECURITY_STATUS status = context_import(package, blob.bytes, blob.size, &made);
    if (!ok(status == SEC_E_OK, "the blob itself: %08lx", status)) return;
    ok(contexts_talk(&made, &loop.server), "the imported context does not talk");
    DeleteSecurityContext(&made);
    if (!single) return;
    status = context_import(package, blob.bytes, blob.size, &made);
    ok(status == SEC_E_CONTEXT_EXPIRED, "the blob again: %08lx", status);
}

/* Every bit, for itself. */
static void flip_bits(ULONG flags)
{
    if (!export_client(flags)) return;
    ULONG altered = 0, sealed_from = 0;
    for (ULONG byte = 0; byte < blob.size; byte++) {
        for (int bit = 0; bit < 8; bit++) {
            changed = blob;
            changed.bytes[byte] ^= (BYTE)(1 << bit);
            SECURITY_STATUS status = try_import(package, changed.bytes, changed.size);
            ok(is_refusal(status), "byte %lu, bit %d: %08lx", byte, bit, status);
            if (status == SEC_E_MESSAGE_ALTERED) altered++;
            else sealed_from = byte + 1;
        }
    }
    /* Most of a blob is under the seal, down to its last byte. */
    ok(sealed_from < blob.size / 2, "byte %lu of %lu is not sealed", sealed_from - 1, blob.size);
    ok(altered >= (blob.size - sealed_from) * 8, "only %lu changes were seen by the seal", altered);
    expect_still_good(flags & DELETE_OLD);
    loopback_close(&loop);
}

static void test_bits_of_copy(void)
{
    flip_bits(0);
}

static void test_bits_of_single_use(void)
{
    flip_bits(DELETE_OLD);
}

/* Every value of every byte in the part that is read before the seal is checked. */
static void test_bytes_of_header(void)
{
    if (!export_client(DELETE_OLD)) return;
    for (ULONG byte = 0; byte < 64 && byte < blob.size; byte++) {
        for (int value = 0; value < 256; value++) {
            changed = blob;
            if (changed.bytes[byte] == value) continue;
            changed.bytes[byte] = (BYTE)value;
            SECURITY_STATUS status = try_import(package, changed.bytes, changed.size);
            ok(is_refusal(status), "byte %lu is %02x: %08lx", byte, value, status);
        }
    }
    expect_still_good(true);
    loopback_close(&loop);
}

/* Every length short of the whole. */
static void test_truncation(void)
{
    if (!export_client(DELETE_OLD)) return;
    for (ULONG size = 0; size < blob.size; size++) {
        SECURITY_STATUS status = try_import(package, blob.bytes, size);
        ok(status == SEC_E_INVALID_TOKEN, "%lu of %lu bytes: %08lx", size, blob.size, status);
    }
    expect_still_good(true);
    loopback_close(&loop);
}

static void test_tail_only(void)
{
    if (!export_client(DELETE_OLD)) return;
    for (ULONG start = 1; start < blob.size; start++) {
        SECURITY_STATUS status = try_import(package, blob.bytes + start, blob.size - start);
        ok(status == SEC_E_INVALID_TOKEN, "from byte %lu: %08lx", start, status);
    }
    expect_still_good(true);
    loopback_close(&loop);
}

static void test_appended(void)
{
    if (!export_client(DELETE_OLD)) return;
    for (ULONG more = 1; more < 600; more += more < 40 ? 1 : 50) {
        changed = blob;
        memset(changed.bytes + blob.size, (int)more, more);
        SECURITY_STATUS status = try_import(package, changed.bytes, blob.size + more);
        ok(status == SEC_E_INVALID_TOKEN, "%lu bytes more: %08lx", more, status);
    }
    changed = blob;
    memcpy(changed.bytes + blob.size, blob.bytes, blob.size);
    SECURITY_STATUS status = try_import(package, changed.bytes, 2 * blob.size);
    ok(status == SEC_E_INVALID_TOKEN, "twice: %08lx", status);
    expect_still_good(true);
    loopback_close(&loop);
}

/* The head of one blob on the body of another, cut at every place. */
static void test_spliced(void)
{
    if (!export_client(0)) return;
    struct blob first = blob;
    loopback_close(&loop);
    if (!export_client(DELETE_OLD)) return;
    if (ok(first.size == blob.size, "blobs of %lu and %lu bytes", first.size, blob.size)) {
        for (ULONG cut = 1; cut < blob.size; cut++) {
            changed = blob;
            memcpy(changed.bytes, first.bytes, cut);
            bool head = !memcmp(changed.bytes, blob.bytes, blob.size);
            bool tail = !memcmp(changed.bytes, first.bytes, first.size);
            if (head || tail) continue;
            SECURITY_STATUS status = try_import(package, changed.bytes, changed.size);
            ok(is_refusal(status), "cut at %lu: %08lx", cut, status);
        }
    }
    expect_still_good(true);
    loopback_close(&loop);
}

static void test_garbage(void)
{
    uint64_t random = 42;
    if (!export_client(DELETE_OLD)) return;
    for (int i = 0; i < 2000; i++) {
        ULONG size = (ULONG)(random_next(&random) % 1000);
        for (ULONG j = 0; j < size; j++) changed.bytes[j] = (BYTE)random_next(&random);
        /* Half of them begin as a blob does. */
        if (i % 2) memcpy(changed.bytes, blob.bytes, size < 60 ? size : (ULONG)i % 60);
        SECURITY_STATUS status = try_import(package, changed.bytes, size);
        ok(is_refusal(status), "garbage %d of %lu bytes: %08lx", i, size, status);
    }
    expect_still_good(true);
    loopback_close(&loop);
}

/* The package that is named is the one that the blob is of. */
static void test_package_names(void)
{
    if (!export_client(DELETE_OLD)) return;
    SECURITY_STATUS status = try_import(L"NTLMX", blob.bytes, blob.size);
    ok(status == SEC_E_SECPKG_NOT_FOUND, "a package that is none: %08lx", status);
    status = try_import(L"", blob.bytes, blob.size);
    ok(status == SEC_E_SECPKG_NOT_FOUND, "no name: %08lx", status);

    wchar_t path[MAX_PATH];
    SECURITY_PACKAGE_OPTIONS options = {.Size = sizeof(options)};
    program_folder(path, MAX_PATH - 16);
    lstrcatW(path, L"prov_lsa.dll");
    status = AddSecurityPackageW(path, &options);
    ok(status == SEC_E_OK, "adding %ls: %08lx", path, status);
    static const wchar_t *const names[] = {L"TestOne", L"NTLM", L"Negotiate"};
    for (int i = 0; i < 3; i++) {
        if (!lstrcmpW(names[i], package)) continue;
        status = try_import(names[i], blob.bytes, blob.size);
        ok(status == SEC_E_INVALID_TOKEN, "as %ls: %08lx", names[i], status);
    }
    expect_still_good(true);
    loopback_close(&loop);
}

static bool contains(const struct blob *in, const void *what, ULONG size)
{
    for (ULONG i = 0; i + size <= in->size; i++)
        if (!memcmp(in->bytes + i, what, size)) return true;
    return false;
}

/* Keys and names are under the seal only */
static void test_nothing_in_clear(void)
{
    if (!export_client(DELETE_OLD)) return;
    SecPkgContext_SessionKey key = {0, NULL};
    SecPkgContext_NamesW names = {NULL};
    QueryContextAttributesW(&loop.server, SECPKG_ATTR_SESSION_KEY, &key);
    QueryContextAttributesW(&loop.server, SECPKG_ATTR_NAMES, &names);
    if (ok(key.SessionKeyLength == 16 && names.sUserName, "no key or no name")) {
        for (ULONG i = 0; i + 4 <= 16; i++)
            ok(!contains(&blob, key.SessionKey + i, 4), "bytes %lu of the session key", i);
        for (int i = 0; names.sUserName[i + 2]; i++)
            ok(!contains(&blob, names.sUserName + i, 6), "characters %d of the name", i);
        ok(!contains(&blob, "Password", 8) && !contains(&blob, L"Password", 16), "the password");
        FreeContextBuffer(key.SessionKey);
        FreeContextBuffer(names.sUserName);
    }
    ok(contains(&blob, package, lstrlenW(package) * sizeof(*package)),
       "the package name is not in clear");
    expect_still_good(true);
    loopback_close(&loop);
}

/* The same state exported twice gives two blobs that have nothing in common behind the header. */
static void test_no_two_alike(void)
{
    if (!export_client(0)) return;
    struct blob first = blob;
    SECURITY_STATUS status = context_export(&loop.client, 0, &blob, NULL);
    ok(!status && blob.size == first.size, "export: %08lx", status);
    ULONG same = 0, tail = blob.size / 2;
    for (ULONG i = tail; i < blob.size; i++) same += blob.bytes[i] == first.bytes[i];
    ok(same < (blob.size - tail) / 8, "%lu of %lu bytes are the same", same, blob.size - tail);
    loopback_close(&loop);
}

/* A blob is passed through pipes and command channels: a kilobyte is what it may take. */
static void test_size(void)
{
    if (!export_client(DELETE_OLD)) return;
    ok(blob.size < 1000, "%lu bytes", blob.size);
    expect_still_good(true);
    loopback_close(&loop);
}

static void run_package(const wchar_t *name)
{
    package = name;
    printf("package %ls\n", package);
    RUN(test_bits_of_copy);
    RUN(test_bits_of_single_use);
    RUN(test_bytes_of_header);
    RUN(test_truncation);
    RUN(test_tail_only);
    RUN(test_appended);
    RUN(test_spliced);
    RUN(test_garbage);
    RUN(test_package_names);
    RUN(test_nothing_in_clear);
    RUN(test_no_two_alike);
    RUN(test_size);
}

int main(void)
{
    if (!running_on_ours() || !account_create(&account)) {
        printf("skip export_damage: accounts of our server, which are in a Wine prefix only\n");
        printf("export_damage: 0 passed, 0 failed, 1 skipped\n");
        return 0;
    }
    run_package(L"NTLM");
    run_package(L"Negotiate");
    account_remove(&account);
    return test_end("export_damage");
}
