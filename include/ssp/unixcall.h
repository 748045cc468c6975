/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Calls from a module into its Unix half: the part of a Wine builtin that is an ordinary shared
 * library of the host, found by Wine under the module's own name.
 *
 * A module declares its calls in its own call.h, which both halves include: the numbers of the
 * calls and one struct of parameters for each. One table of functions serves 64- and 32-bit
 * callers, with no conversion between them, because every such struct keeps three rules:
 *  - fields of 8 bytes come first, then those of 4, 2 and 1;
 *  - a pointer is a uint64_t, set by unixcall_address and read by unixcall_pointer;
 *  - the size is a multiple of 8, and UNIXCALL_LAYOUT states it.
 * tools/check-layout compiles these statements for all four ABIs. Like core/, this header is
 * compiled for both worlds and asks in which it is nowhere.
 */
#pragma once

#include "core/reader.h"
#include "core/status.h"

#include <stddef.h>

/* States what every compiler has to make of a struct: where its last field is, and its size. */
#define UNIXCALL_LAYOUT(type, last_field, last_offset, size)                         \
    _Static_assert(offsetof(type, last_field) == (last_offset), #type " has holes"); \
    _Static_assert(sizeof(type) == (size) && (size) % 8 == 0, #type " has a wrong size")

static inline uint64_t unixcall_address(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

static inline void *unixcall_pointer(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

/* Bytes of the caller's, as a field of such a struct. */
struct unixcall_bytes {
    uint64_t data; /* const uint8_t * */
    uint64_t size;
};

static inline struct unixcall_bytes unixcall_slice(struct slice slice)
{
    return (struct unixcall_bytes){unixcall_address(slice.data), slice.size};
}

/* ---- the Windows half: dlls/ssp/unixcall.c ---- */

/* Whether the calling module has a Unix half; found out once. SEC_E_NOT_SUPPORTED when there is
 * none: it is not installed, WINEDLLPATH does not name its folder, or this is not Wine. Any
 * thread. */
status_t unixcall_ready(void);

/* Calls entry `number` of that half's table with params, which it reads and writes; the answer is
 * the function's. The thread blocks for as long as the function does. Only for a module that is
 * ready. */
status_t unixcall_call(unsigned number, void *params);

/* ---- the Unix half ---- */

typedef status_t unixcall_function(void *params);

#define UNIXCALL_EXPORT __attribute__((visibility("default")))
#define UNIXCALL_ALIAS __attribute__((visibility("default"), alias("__wine_unix_call_funcs")))

extern UNIXCALL_EXPORT unixcall_function *const __wine_unix_call_funcs[];

/* Once per half: its functions, in the order of the numbers. The second name is the table that
 * Wine takes for 32-bit callers of a 64-bit half. */
#define UNIXCALL_TABLE(...)                                            \
    unixcall_function *const __wine_unix_call_funcs[] = {__VA_ARGS__}; \
    extern UNIXCALL_ALIAS __typeof__(__wine_unix_call_funcs) __wine_unix_call_wow64_funcs
