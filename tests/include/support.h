/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the Windows test programs share beside SSPI itself: which system they run on, child
 * processes connected by pipes, temporary accounts and registry values. The functions report
 * through their result and never through test.h, whose state belongs to the program's own file.
 */
#pragma once

#include <stdint.h>
#include <windows.h>

#include "test.h"
#include "wine/test.h"

bool running_under_wine(void);

/* Whether the modules that are tested are those of this project. */
bool running_on_ours(void);

/* For cases that state a choice of this project. On Windows, and on the modules that Wine has of
 * its own, such a case is skipped. */
static inline bool ours_only(void)
{
    if (running_on_ours()) return true;
    skip_case("states a choice of this project, not Windows behaviour");
    return false;
}

struct child {
    HANDLE process;
    HANDLE to;   /* its standard input */
    HANDLE from; /* its standard output */
    DWORD pid;
};

/* Starts a program (NULL: this one again), both of its standard streams connected to us. */
bool child_start(struct child *child, const wchar_t *program, const wchar_t *arguments);

/* Starts this program again on our own standard streams and waits for its exit status. */
bool child_run(const wchar_t *arguments, DWORD *exit_code);

/* Closes our ends, waits (at most 30 s, then kills) and gives the exit status; NULL is allowed. */
bool child_end(struct child *child, DWORD *exit_code);
void child_kill(struct child *child);

/* Exactly this many bytes, or false. */
bool pipe_write(HANDLE pipe, const void *bytes, DWORD size);
bool pipe_read(HANDLE pipe, void *bytes, DWORD size);

/* A block is a length of four bytes and that many bytes. */
bool block_write(HANDLE pipe, const void *bytes, DWORD size);
bool block_read(HANDLE pipe, void *bytes, DWORD capacity, DWORD *size);

/* A registry value as it was, for putting it back: one of the 64-bit registry, in 32-bit programs
 * too. */
struct saved_value {
    const wchar_t *key, *name;
    bool existed;
    DWORD type, size;
    BYTE data[8192];
};

bool value_save(struct saved_value *saved, const wchar_t *key, const wchar_t *name);
bool value_set(const struct saved_value *saved, DWORD type, const void *data, DWORD size);
bool value_restore(const struct saved_value *saved);

/* Accounts that our NTLM server knows. The password of each is "Password". */
struct account {
    wchar_t domain[16], user[64], password[64];
};

/* Makes an account of its own for the calling process. False where such accounts do not exist. */
bool account_create(struct account *account);
void account_remove(const struct account *account);

/* DOMAIN\User of the process, from its token. */
bool process_user(wchar_t *name, DWORD capacity);

/* The folder of the running program, with a backslash at the end. */
bool program_folder(wchar_t *path, DWORD capacity);

/* An export by name, the module loaded for it; NULL when there is none. */
void *function_find(const char *module, const char *name);

/* Waits until what modules keep for a second, policies and accounts, is read again: a second of the
 * tick count, by which they keep it and which may lag behind on a loaded machine. */
void second_pass(void);

/* Milliseconds with a fraction. */
double time_ms(void);

/* xorshift64*, for choices in tests that must be the same in every run. */
uint64_t random_next(uint64_t *state);
