/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Traces through the three functions that Wine's ntdll exports for its own debug channels. They
 * are looked up at run time, so that the same module loads where they are missing; there every
 * channel resolves to silence.
 */
#include "ssp/trace.h"

#include "ssp/abi.h"

#include <stdarg.h>
#include <stdio.h>

#define UNRESOLVED 0x80 /* the bit that says that a channel's flags were not asked for yet */

struct wine_debug {
    unsigned char(__cdecl *get_channel_flags)(struct trace_channel *channel);
    int(__cdecl *header)(int level, struct trace_channel *channel, const char *function);
    int(__cdecl *output)(const char *text);
};

/* Asked for at each use: traces are rare enough, and so nothing has to be kept or guarded. */
static bool wine_debug_find(struct wine_debug *debug)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    if (!ntdll) return false;
    FARPROC flags = GetProcAddress(ntdll, "__wine_dbg_get_channel_flags");
    FARPROC header = GetProcAddress(ntdll, "__wine_dbg_header");
    FARPROC output = GetProcAddress(ntdll, "__wine_dbg_output");
    if (!flags || !header || !output) return false;
    debug->get_channel_flags = (void *)flags;
    debug->header = (void *)header;
    debug->output = (void *)output;
    return true;
}

bool trace_resolve(struct trace_channel *channel, enum trace_class level)
{
    struct wine_debug debug;
    unsigned char flags = 0;
    if (wine_debug_find(&debug)) flags = debug.get_channel_flags(channel) & ~UNRESOLVED;
    channel->flags = flags;
    return flags >> level & 1;
}

void trace_print(struct trace_channel *channel, enum trace_class level, const char *function,
                 const char *format, ...)
{
    struct wine_debug debug;
    char text[1024];
    if (!wine_debug_find(&debug)) return;

    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    text[sizeof(text) - 1] = 0;
    if (debug.header(level, channel, function) >= 0) debug.output(text);
}

const char *trace_wide(char out[TRACE_TEXT_MAX], const wchar_t *text, int length)
{
    static const char hex[] = "0123456789abcdef";
    const size_t longest = 5; /* an escaped character */
    size_t used = 0;

    if (!text) {
        snprintf(out, TRACE_TEXT_MAX, "(null)");
        return out;
    }
    size_t left = length < 0 ? wcslen(text) : (size_t)length;
    out[used++] = 'L';
    out[used++] = '"';
    while (left && used + longest < TRACE_TEXT_MAX - sizeof("\"...")) {
        wchar_t c = *text++;
        left--;
        if (c == '"' || c == '\\') out[used++] = '\\';
        if (c >= ' ' && c < 0x7f) {
            out[used++] = (char)c;
            continue;
        }
        out[used++] = '\\';
        for (int shift = 12; shift >= 0; shift -= 4) out[used++] = hex[c >> shift & 15];
    }
    snprintf(out + used, TRACE_TEXT_MAX - used, left ? "\"..." : "\"");
    return out;
}
