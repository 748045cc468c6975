/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Traces through Wine's own debug channels (WINEDEBUG=+sspi,+ntlm...), resolved from ntdll at run
 * time; silent on real Windows. A file that traces says TRACE_CHANNEL("ntlm") once. No trace at
 * any level shows a password, a hash, a key or the secret part of a token.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The layout of Wine's struct __wine_debug_channel. */
struct trace_channel {
    unsigned char flags;
    char name[15];
};

enum trace_class { TRACE_FIXME, TRACE_ERR, TRACE_WARN, TRACE_TRACE };

#define TRACE_CHANNEL(name) static struct trace_channel trace_channel = {0xff, name}

bool trace_resolve(struct trace_channel *channel, enum trace_class level);
__attribute__((format(printf, 4, 5))) void trace_print(struct trace_channel *channel,
                                                       enum trace_class level, const char *function,
                                                       const char *format, ...);

/* Wide text for a trace, quoted and cut to a sane length; a ring of static buffers per thread is
 * not kept: the caller gives the room. */
#define TRACE_TEXT_MAX 128
const char *trace_wide(char out[TRACE_TEXT_MAX], const wchar_t *text, int length);

/* Cheap while the channel is off: one byte is looked at. */
static inline bool trace_on(struct trace_channel *channel, enum trace_class level)
{
    if (channel->flags & 0x80) return trace_resolve(channel, level);
    return channel->flags >> level & 1;
}

#define TRACE_AT(level, ...)                                           \
    do {                                                               \
        if (trace_on(&trace_channel, level))                           \
            trace_print(&trace_channel, level, __func__, __VA_ARGS__); \
    } while (0)
#define TRACE(...) TRACE_AT(TRACE_TRACE, __VA_ARGS__)
#define WARN(...) TRACE_AT(TRACE_WARN, __VA_ARGS__)
#define ERR(...) TRACE_AT(TRACE_ERR, __VA_ARGS__)
#define FIXME(...) TRACE_AT(TRACE_FIXME, __VA_ARGS__)
