/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory of the modules under test, seen and refused in their import tables. Blocks are counted
 * from the moment they are asked for until anybody gives them back; calls are refused on the thread
 * that says so, one at a time. And their registry, which is refused altogether.
 */
#pragma once

#include <stdbool.h>
#include <windows.h>

/* Patches every module that is there by now; once each. False when one cannot be patched. */
bool memory_watch(void);

/* Whether a module that was patched is one of those whose every block comes from the system. */
bool memory_is_plain(const char *module);

/* Patches modules as secur32.dll loads them. */
bool memory_watch_loading(void);

/* Bytes of the digests that the running packages make MACs of; 16 unless said. */
void memory_digest(size_t size);

/* The nth of the calls for memory that this thread makes from now on is refused; 0: none. */
void memory_refuse(unsigned nth);
void memory_give(void); /* none from here on */

/* Whether one was refused since memory_refuse. */
bool memory_was_refused(void);

/* Every key and value that the modules ask the registry for is answered so; ERROR_SUCCESS: no
 * longer. */
void registry_refuse(LSTATUS error);

/* Where the refused call was made from. */
void memory_print_refused(void);

/* Blocks in use, and a mark; what has come since the mark and is in use can be printed. */
unsigned memory_live(void);
unsigned memory_mark(void);
void memory_print_since(unsigned mark);
