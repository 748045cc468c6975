/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory counted and refused, see fault_memory.h. */
#include "fault_memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- blocks ---- */

#define BLOCKS 65536u /* places, most of them empty */
#define CALLERS 12

/* libgcrypt ends the process when there is no room for the digest of a MAC that it ends. The
 * library heap always has some, which is not here: so a block of that size is never refused. */
static size_t digest = 16; /* MD5's */

struct block {
    void *address; /* NULL: nothing is here */
    void *caller;
    size_t size;
    unsigned serial;
};

static struct block blocks[BLOCKS];
static unsigned live, serial;
static SRWLOCK blocks_lock = SRWLOCK_INIT;

static DWORD watched_thread;
static unsigned refuse_nth, calls;
static void *refused_callers[CALLERS]; /* the nearest first; NULL: nothing was refused */

static struct block *block_place(const void *address)
{
    size_t at = (size_t)((uintptr_t)address >> 4) * 2654435761u % BLOCKS;
    while (blocks[at].address && blocks[at].address != address) at = (at + 1) % BLOCKS;
    return &blocks[at];
}

static void block_add(void *address, size_t size, void *caller)
{
    if (!address) return;
    AcquireSRWLockExclusive(&blocks_lock);
    struct block *block = block_place(address);
    if (!block->address && ++live > BLOCKS / 2) abort();
    *block = (struct block){address, caller, size, ++serial};
    ReleaseSRWLockExclusive(&blocks_lock);
}

/* The places behind it move up, so that none is lost to those who look for it. */
static void block_close_gap(size_t gap)
{
    for (size_t at = (gap + 1) % BLOCKS; blocks[at].address; at = (at + 1) % BLOCKS) {
        struct block moved = blocks[at];
        blocks[at].address = NULL;
        *block_place(moved.address) = moved;
    }
}

static void block_remove(const void *address)
{
    if (!address) return;
    AcquireSRWLockExclusive(&blocks_lock);
    struct block *block = block_place(address);
    if (block->address) {
        block->address = NULL;
        live--;
        block_close_gap((size_t)(block - blocks));
    }
    ReleaseSRWLockExclusive(&blocks_lock);
}

/* The C library sets errno as well, and leaves the last error alone. */
static bool refused(int error_number)
{
    if (GetCurrentThreadId() != watched_thread || ++calls != refuse_nth) return false;
    RtlCaptureStackBackTrace(2, CALLERS, refused_callers, NULL);
    if (!refused_callers[0]) refused_callers[0] = __builtin_return_address(0);
    errno = error_number;
    if (!error_number) SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    return true;
}

#define CALLER __builtin_return_address(0)

/* ---- in place of the system's functions ---- */

enum {
    HEAP_ALLOC,
    HEAP_REALLOC,
    HEAP_FREE,
    LOCAL_ALLOC,
    LOCAL_FREE,
    MALLOC,
    CALLOC,
    REALLOC,
    FREE,
    LOAD,
    OPEN_KEY,
    QUERY_VALUE
};

static LPVOID WINAPI our_heap_alloc(HANDLE heap, DWORD flags, SIZE_T size);
static LPVOID WINAPI our_heap_realloc(HANDLE heap, DWORD flags, LPVOID block, SIZE_T size);
static BOOL WINAPI our_heap_free(HANDLE heap, DWORD flags, LPVOID block);
static HLOCAL WINAPI our_local_alloc(UINT flags, SIZE_T size);
static HLOCAL WINAPI our_local_free(HLOCAL block);
static void *our_malloc(size_t size);
static void *our_calloc(size_t count, size_t size);
static void *our_realloc(void *block, size_t size);
static void our_free(void *block);
static HMODULE WINAPI our_load(const WCHAR *path, HANDLE file, DWORD flags);
static LSTATUS WINAPI our_open_key(HKEY parent, const WCHAR *path, DWORD options, REGSAM access,
                                   HKEY *key);
static LSTATUS WINAPI our_query_value(HKEY key, const WCHAR *name, DWORD *reserved, DWORD *type,
                                      BYTE *data, DWORD *size);

typedef void function(void);

static struct {
    const char *name;
    function *ours, *real;
    bool gives; /* memory, or takes it back */
} hooks[] = {
    [HEAP_ALLOC] = {"HeapAlloc", (function *)our_heap_alloc, NULL, true},
    [HEAP_REALLOC] = {"HeapReAlloc", (function *)our_heap_realloc, NULL, true},
    [HEAP_FREE] = {"HeapFree", (function *)our_heap_free, NULL, false},
    [LOCAL_ALLOC] = {"LocalAlloc", (function *)our_local_alloc, NULL, true},
    [LOCAL_FREE] = {"LocalFree", (function *)our_local_free, NULL, false},
    [MALLOC] = {"malloc", (function *)our_malloc, NULL, true},
    [CALLOC] = {"calloc", (function *)our_calloc, NULL, true},
    [REALLOC] = {"realloc", (function *)our_realloc, NULL, true},
    [FREE] = {"free", (function *)our_free, NULL, false},
    [LOAD] = {"LoadLibraryExW", (function *)our_load, NULL, true},
    [OPEN_KEY] = {"RegOpenKeyExW", (function *)our_open_key, NULL, true},
    [QUERY_VALUE] = {"RegQueryValueExW", (function *)our_query_value, NULL, true},
};

static LPVOID WINAPI our_heap_alloc(HANDLE heap, DWORD flags, SIZE_T size)
{
    if (refused(0)) return NULL;
    void *block = ((LPVOID(WINAPI *)(HANDLE, DWORD, SIZE_T))hooks[HEAP_ALLOC].real)(heap, flags,
                                                                                    size);
    block_add(block, size, CALLER);
    return block;
}

static LPVOID WINAPI our_heap_realloc(HANDLE heap, DWORD flags, LPVOID block, SIZE_T size)
{
    if (refused(0)) return NULL;
    void *moved = ((LPVOID(WINAPI *)(HANDLE, DWORD, LPVOID, SIZE_T))hooks[HEAP_REALLOC].real)(
        heap, flags, block, size);
    if (!moved) return NULL;
    block_remove(block);
    block_add(moved, size, CALLER);
    return moved;
}

static BOOL WINAPI our_heap_free(HANDLE heap, DWORD flags, LPVOID block)
{
    block_remove(block);
    return ((BOOL(WINAPI *)(HANDLE, DWORD, LPVOID))hooks[HEAP_FREE].real)(heap, flags, block);
}

static HLOCAL WINAPI our_local_alloc(UINT flags, SIZE_T size)
{
    if (refused(0)) return NULL;
    void *block = ((HLOCAL(WINAPI *)(UINT, SIZE_T))hooks[LOCAL_ALLOC].real)(flags, size);
    block_add(block, size, CALLER);
    return block;
}

static HLOCAL WINAPI our_local_free(HLOCAL block)
{
    block_remove(block);
    return ((HLOCAL(WINAPI *)(HLOCAL))hooks[LOCAL_FREE].real)(block);
}

static void *our_malloc(size_t size)
{
    if (size != digest && refused(ENOMEM)) return NULL;
    void *block = ((void *(*)(size_t))hooks[MALLOC].real)(size);
    block_add(block, size, CALLER);
    return block;
}

static void *our_calloc(size_t count, size_t size)
{
    if (refused(ENOMEM)) return NULL;
    void *block = ((void *(*)(size_t, size_t))hooks[CALLOC].real)(count, size);
    block_add(block, count * size, CALLER);
    return block;
}

static void *our_realloc(void *block, size_t size)
{
    if (refused(ENOMEM)) return NULL;
    void *moved = ((void *(*)(void *, size_t))hooks[REALLOC].real)(block, size);
    if (!moved) return NULL;
    block_remove(block);
    block_add(moved, size, CALLER);
    return moved;
}

static void our_free(void *block)
{
    block_remove(block);
    ((void (*)(void *))hooks[FREE].real)(block);
}

static HMODULE WINAPI our_load(const WCHAR *path, HANDLE file, DWORD flags)
{
    if (refused(0)) return NULL;
    HMODULE module = ((HMODULE(WINAPI *)(const WCHAR *, HANDLE, DWORD))hooks[LOAD].real)(path, file,
                                                                                         flags);
    memory_watch();
    return module;
}

static LSTATUS registry_error;

static LSTATUS WINAPI our_open_key(HKEY parent, const WCHAR *path, DWORD options, REGSAM access,
                                   HKEY *key)
{
    if (registry_error) return registry_error;
    return ((LSTATUS(WINAPI *)(HKEY, const WCHAR *, DWORD, REGSAM, HKEY *))hooks[OPEN_KEY].real)(
        parent, path, options, access, key);
}

static LSTATUS WINAPI our_query_value(HKEY key, const WCHAR *name, DWORD *reserved, DWORD *type,
                                      BYTE *data, DWORD *size)
{
    if (registry_error) return registry_error;
    return ((LSTATUS(WINAPI *)(HKEY, const WCHAR *, DWORD *, DWORD *, BYTE *,
                               DWORD *))hooks[QUERY_VALUE]
                .real)(key, name, reserved, type, data, size);
}

void registry_refuse(LSTATUS error)
{
    registry_error = error;
}

/* ---- import tables ---- */

static bool slot_patch(function **slot, size_t hook)
{
    DWORD before;
    if (*slot == hooks[hook].ours) return true;
    if (!VirtualProtect(slot, sizeof(*slot), PAGE_READWRITE, &before)) return false;
    if (!hooks[hook].real) hooks[hook].real = *slot;
    *slot = hooks[hook].ours;
    return VirtualProtect(slot, sizeof(*slot), before, &before);
}

static bool watch_loading;

static bool name_patch(const char *name, function **slot, bool frees_only)
{
    for (size_t i = 0; i < ARRAYSIZE(hooks); i++)
        if (!strcmp(hooks[i].name, name) && !(frees_only && hooks[i].gives) &&
            (i != LOAD || watch_loading))
            return slot_patch(slot, i);
    return true;
}

/* *plain becomes true when malloc is not the module's own. */
static bool module_patch(BYTE *base, bool frees_only, bool *plain)
{
    const IMAGE_NT_HEADERS *headers =
        (const IMAGE_NT_HEADERS *)(base + ((const IMAGE_DOS_HEADER *)base)->e_lfanew);
    const IMAGE_IMPORT_DESCRIPTOR *import =
        (const IMAGE_IMPORT_DESCRIPTOR *)(base +
                                          headers->OptionalHeader.DataDirectory[1].VirtualAddress);
    for (; import->Name; import++) {
        const IMAGE_THUNK_DATA *name = (const IMAGE_THUNK_DATA *)(base +
                                                                  import->OriginalFirstThunk);
        IMAGE_THUNK_DATA *slot = (IMAGE_THUNK_DATA *)(base + import->FirstThunk);
        for (; name->u1.AddressOfData; name++, slot++) {
            if (IMAGE_SNAP_BY_ORDINAL(name->u1.Ordinal)) continue;
            const IMAGE_IMPORT_BY_NAME *found =
                (const IMAGE_IMPORT_BY_NAME *)(base + name->u1.AddressOfData);
            if (!strcmp((const char *)found->Name, hooks[MALLOC].name)) *plain = true;
            if (!name_patch((const char *)found->Name, (function **)&slot->u1.Function, frees_only))
                return false;
        }
    }
    return true;
}

static struct {
    const char *name;
    bool plain;
} modules[] = {{"secur32.dll", false},
               {"ssp_ntlm.dll", false},
               {"ssp_negotiate.dll", false},
               {"ssp_kerberos.dll", false},
               {"ssp_schannel.dll", false}};

bool memory_watch(void)
{
    bool patched = true, own;
    for (size_t i = 0; i < ARRAYSIZE(modules); i++) {
        BYTE *base = (BYTE *)GetModuleHandleA(modules[i].name);
        if (base) patched = patched && module_patch(base, false, &modules[i].plain);
    }
    /* What the application is to free. */
    return patched && module_patch((BYTE *)GetModuleHandleA(NULL), true, &own);
}

bool memory_is_plain(const char *module)
{
    for (size_t i = 0; i < ARRAYSIZE(modules); i++)
        if (!strcmp(modules[i].name, module)) return modules[i].plain;
    return false;
}

bool memory_watch_loading(void)
{
    watch_loading = true;
    return memory_watch() && hooks[LOAD].real;
}

void memory_digest(size_t size)
{
    digest = size;
}

void memory_refuse(unsigned nth)
{
    watched_thread = GetCurrentThreadId();
    refuse_nth = nth;
    calls = 0;
    memset(refused_callers, 0, sizeof(refused_callers));
}

void memory_give(void)
{
    watched_thread = 0;
}

bool memory_was_refused(void)
{
    return refused_callers[0] != NULL;
}

static void print_place(const char *what, void *place)
{
    HMODULE module = NULL;
    char path[MAX_PATH] = "?";
    GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                           GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                       place, &module);
    GetModuleFileNameA(module, path, MAX_PATH);
    const char *name = strrchr(path, '\\');
    printf("    %s %s+%#tx\n", what, name ? name + 1 : path, (char *)place - (char *)module);
}

void memory_print_refused(void)
{
    for (int i = 0; i < CALLERS && refused_callers[i]; i++)
        print_place(i ? "for" : "refused to", refused_callers[i]);
}

unsigned memory_live(void)
{
    return live;
}

unsigned memory_mark(void)
{
    return serial;
}

void memory_print_since(unsigned mark)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        if (!blocks[i].address || blocks[i].serial <= mark) continue;
        char what[48];
        snprintf(what, sizeof(what), "%zu bytes are left of", blocks[i].size);
        print_place(what, blocks[i].caller);
    }
}
