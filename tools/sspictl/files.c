/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See files.h: reading and writing by handle, so that a pipe is as good as a file, and without the
 * text mode of the C library. Reading stops at a limit: an endless pipe cannot fill the memory.
 */
#include "files.h"

#include "text.h"

#include <windows.h>

#include <stdlib.h>
#include <string.h>

static bool file_is_standard(const char *path)
{
    return !strcmp(path, "-");
}

static long file_open(const char *path, DWORD access, DWORD disposition, HANDLE *out)
{
    wchar_t *wide = text_to_wide(path);
    if (!wide) return ERROR_INVALID_NAME;
    *out = CreateFileW(wide, access, FILE_SHARE_READ, NULL, disposition, FILE_ATTRIBUTE_NORMAL,
                       NULL);
    long error = *out == INVALID_HANDLE_VALUE ? (long)GetLastError() : ERROR_SUCCESS;
    free(wide);
    return error;
}

static long file_read_handle(HANDLE file, size_t max, struct writer *out)
{
    for (;;) {
        uint8_t block[16384];
        DWORD got = 0;
        if (!ReadFile(file, block, sizeof(block), &got, NULL)) {
            /* The end of a pipe whose writer has gone. */
            long error = (long)GetLastError();
            return error == ERROR_BROKEN_PIPE ? ERROR_SUCCESS : error;
        }
        if (!got) return ERROR_SUCCESS;
        if (out->size + got > max) return ERROR_FILE_TOO_LARGE;
        writer_bytes(out, block, got);
        if (writer_status(out) != SEC_E_OK) return ERROR_NOT_ENOUGH_MEMORY;
    }
}

long file_read(const char *path, size_t max, struct writer *out)
{
    if (file_is_standard(path)) return file_read_handle(GetStdHandle(STD_INPUT_HANDLE), max, out);
    HANDLE file;
    long error = file_open(path, GENERIC_READ, OPEN_EXISTING, &file);
    if (error) return error;
    error = file_read_handle(file, max, out);
    CloseHandle(file);
    return error;
}

/* In parts of a size that every kind of handle takes. */
static long file_write_handle(HANDLE file, struct slice content)
{
    while (content.size) {
        DWORD part = content.size > (1u << 20) ? (1u << 20) : (DWORD)content.size, done = 0;
        if (!WriteFile(file, content.data, part, &done, NULL)) return (long)GetLastError();
        content.data += done;
        content.size -= done;
    }
    return ERROR_SUCCESS;
}

static void file_delete(const char *path)
{
    wchar_t *wide = text_to_wide(path);
    if (wide) DeleteFileW(wide);
    free(wide);
}

long file_write(const char *path, struct slice content)
{
    if (file_is_standard(path)) return file_write_handle(GetStdHandle(STD_OUTPUT_HANDLE), content);
    HANDLE file;
    long error = file_open(path, GENERIC_WRITE, CREATE_ALWAYS, &file);
    if (error) return error;
    error = file_write_handle(file, content);
    CloseHandle(file);
    if (error) file_delete(path);
    return error;
}

bool file_is_console(const char *path)
{
    DWORD mode;
    return file_is_standard(path) && GetConsoleMode(GetStdHandle(STD_OUTPUT_HANDLE), &mode);
}
