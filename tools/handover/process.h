/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting this program again in another role. */
#pragma once

#include <winsock2.h>

#include <windows.h>

#include <stdbool.h>
#include <stddef.h>

struct process_request {
    const char *arguments; /* after the program's name */
    const HANDLE *inherit; /* handles that the child gets, besides standard output and error */
    size_t inherit_count;
    HANDLE job; /* NULL: that of this process */
};

struct process {
    HANDLE handle;
    DWORD id;
    HANDLE input; /* our end of the child's standard input */
};

/* A failure is narrated. */
bool process_start(const struct process_request *request, struct process *out);

/* Waits for its end; false when it takes longer or ends with another status than 0, which is
 * narrated with the name. */
bool process_wait(const struct process *process, const char *name, DWORD timeout_ms);

/* Closes the handles; the process runs on. */
void process_close(struct process *process);

/* A pipe whose ends no child inherits unless told so. A failure is narrated. */
bool process_pipe(HANDLE *reading, HANDLE *writing);

void process_close_handle(HANDLE *handle);
