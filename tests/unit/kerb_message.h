/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers of the package Kerberos as callers of either width lay them out (ntsecapi.h). */
#pragma once

#include "core/kerberos_lsa.h"

#include "msv_message.h"

/* A message with the id of a log-on, 7 and 8. */
static inline void kerb_open(struct msv_message *m, bool wide_pointers, uint64_t base,
                             uint32_t kind)
{
    msv_open(m, wide_pointers, base, kind);
    writer_u32le(&m->w, 7);
    writer_u32le(&m->w, 8);
}

static inline void kerb_handle(struct msv_message *m)
{
    msv_align(m);
    writer_zero(&m->w, m->wide ? 16 : 8);
}

static inline void kerb_retrieve(struct msv_message *m, bool wide_pointers, uint64_t base)
{
    kerb_open(m, wide_pointers, base, 8);
    msv_text(m, wide("HTTP/barn"));
    writer_u32le(&m->w, 0x40000000);
    writer_u32le(&m->w, 2);
    writer_u32le(&m->w, 18);
    kerb_handle(m);
}

static inline void kerb_purge(struct msv_message *m, bool wide_pointers, uint64_t base)
{
    kerb_open(m, wide_pointers, base, 6);
    msv_text(m, wide("HTTP/barn"));
    msv_text(m, wide("FARM"));
}

static inline void kerb_purge_ex(struct msv_message *m, bool wide_pointers, uint64_t base)
{
    kerb_open(m, wide_pointers, base, 15);
    writer_u32le(&m->w, 1);
    msv_text(m, wide("alice"));
    msv_text(m, wide("FARM"));
    msv_text(m, wide("HTTP/barn"));
    msv_text(m, wide("FIELD"));
    writer_zero(&m->w, 32);
}

static inline void kerb_submit(struct msv_message *m)
{
    kerb_open(m, false, 0, 21);
    writer_u32le(&m->w, 0);
    writer_u32le(&m->w, 18);
    writer_u32le(&m->w, 2);
    writer_u32le(&m->w, 36);
    writer_u32le(&m->w, 3);
    writer_u32le(&m->w, 38);
    writer_bytes(&m->w, "key__", 5);
}

static inline void kerb_change(struct msv_message *m, bool wide_pointers, uint64_t base)
{
    msv_change(m, wide_pointers, base);
    m->w.data[0] = 7;
}

static inline void kerb_set(struct msv_message *m, bool wide_pointers, uint64_t base, bool ex)
{
    kerb_open(m, wide_pointers, base, ex ? 12 : 11);
    kerb_handle(m);
    writer_u32le(&m->w, 1);
    msv_text(m, wide("FARM"));
    msv_text(m, wide("alice"));
    msv_text(m, wide("newer"));
    if (!ex) return;
    msv_text(m, wide("FIELD"));
    msv_text(m, wide("admin"));
    writer_u8(&m->w, 0);
    if (!m->wide) writer_zero(&m->w, 3);
    msv_text(m, wide(""));
    writer_u32le(&m->w, 0);
}

static inline void kerb_s4u(struct msv_message *m, bool wide_pointers, uint64_t base)
{
    msv_open(m, wide_pointers, base, KERB_LOGON_S4U);
    writer_u32le(&m->w, 8);
    msv_text(m, wide("alice@FARM"));
    msv_text(m, wide("FARM"));
}
