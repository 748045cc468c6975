/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers of MSV1_0 as callers of either width lay them out (ntsecapi.h). */
#pragma once

#include "core/msv1_0.h"
#include "core/writer.h"

#include "unit.h"

#define MSV_TEXTS_MAX 8

struct msv_message {
    struct writer w;
    bool wide, offsets; /* offsets: texts are named by their place in the buffer */
    uint64_t base;
    struct slice texts[MSV_TEXTS_MAX];
    size_t pointers[MSV_TEXTS_MAX], count;
};

static inline void msv_open(struct msv_message *m, bool wide_pointers, uint64_t base, uint32_t kind)
{
    *m = (struct msv_message){.wide = wide_pointers, .base = base};
    writer_init(&m->w);
    writer_u32le(&m->w, kind);
}

static inline void msv_align(struct msv_message *m)
{
    if (m->wide && m->w.size % 8) writer_zero(&m->w, 8 - m->w.size % 8);
}

static inline void msv_text(struct msv_message *m, struct slice text)
{
    msv_align(m);
    writer_u16le(&m->w, (uint16_t)text.size);
    writer_u16le(&m->w, (uint16_t)text.size);
    msv_align(m);
    m->texts[m->count] = text;
    m->pointers[m->count++] = writer_reserve(&m->w, m->wide ? 8 : 4);
}

/* The texts behind the structure, and where they are. */
static inline struct lsa_buffer msv_close(struct msv_message *m)
{
    for (size_t i = 0; i < m->count; i++) {
        uint64_t place = m->w.size + (m->offsets ? 0 : m->base);
        writer_patch_u32le(&m->w, m->pointers[i], (uint32_t)place);
        if (m->wide) writer_patch_u32le(&m->w, m->pointers[i] + 4, (uint32_t)(place >> 32));
        writer_slice(&m->w, m->texts[i]);
    }
    return (struct lsa_buffer){writer_view(&m->w), m->base, m->wide};
}

static inline void msv_interactive(struct msv_message *m, bool wide_pointers, uint64_t base)
{
    msv_open(m, wide_pointers, base, MSV_LOGON_INTERACTIVE);
    msv_text(m, wide("FARM"));
    msv_text(m, wide("alice"));
    msv_text(m, wide("Password"));
}

static inline void msv_network(struct msv_message *m, bool wide_pointers, uint64_t base)
{
    msv_open(m, wide_pointers, base, MSV_LOGON_NETWORK);
    msv_text(m, wide("FARM"));
    msv_text(m, wide("alice"));
    msv_text(m, wide("BARN"));
    writer_slice(&m->w, hex("0123456789abcdef"));
    msv_text(m, view(unit_room(24), 24));
    msv_text(m, ascii("odd"));
    writer_u32le(&m->w, 0x80);
}

static inline void msv_change(struct msv_message *m, bool wide_pointers, uint64_t base)
{
    msv_open(m, wide_pointers, base, 5);
    msv_text(m, wide("FARM"));
    msv_text(m, wide("alice"));
    msv_text(m, wide("old"));
    msv_text(m, wide("newer"));
    writer_u8(&m->w, 0);
}

static inline void msv_request(struct msv_message *m, bool wide_pointers, uint64_t base,
                               uint32_t control)
{
    msv_open(m, wide_pointers, base, 1);
    writer_u32le(&m->w, control);
    writer_u32le(&m->w, 7);
    writer_u32le(&m->w, 8);
    msv_text(m, wide("Password"));
    writer_slice(&m->w, hex("0123456789abcdef"));
    if (!(control & MSV_HAS_NAMES)) return;
    msv_text(m, wide("alice"));
    msv_text(m, wide("FARM"));
    msv_text(m, control & MSV_TARGET_INFO ? hex("00000000ff") : wide("BARN"));
}

static inline void msv_pass(struct msv_message *m, bool wide_pointers, uint64_t base)
{
    static const uint8_t data[] = {1, 2, 3};
    msv_open(m, wide_pointers, base, 7);
    msv_text(m, wide("FARM"));
    msv_text(m, wide("Some"));
    writer_u32le(&m->w, sizeof(data));
    msv_align(m);
    m->texts[m->count] = view(data, sizeof(data));
    m->pointers[m->count++] = writer_reserve(&m->w, wide_pointers ? 8 : 4);
    writer_zero(&m->w, 4);
}
