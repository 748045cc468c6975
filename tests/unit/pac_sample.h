/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A KERB_VALIDATION_INFO as MS-PAC 2.5 and MS-RPCE 2.2.6 lay it out, with something everywhere. */
#pragma once

#include "core/writer.h"

#include "unit.h"

struct pac_text {
    struct slice text;
    size_t spare; /* characters of the maximum that are not used */
};

static inline void pac_text_head(struct writer *w, struct pac_text text)
{
    writer_u16le(w, (uint16_t)text.text.size);
    writer_u16le(w, (uint16_t)(text.text.size + 2 * text.spare));
    writer_u32le(w, 0x20004); /* any number that is not zero */
}

static inline void pac_align(struct writer *w)
{
    writer_zero(w, (4 - w->size % 4) % 4);
}

static inline void pac_text_body(struct writer *w, struct pac_text text)
{
    pac_align(w);
    writer_u32le(w, (uint32_t)(text.text.size / 2 + text.spare));
    writer_u32le(w, 0);
    writer_u32le(w, (uint32_t)(text.text.size / 2));
    writer_slice(w, text.text);
}

static inline void pac_sid(struct writer *w, uint32_t first, uint32_t second)
{
    pac_align(w);
    writer_u32le(w, 2);
    writer_slice(w, hex("0102 000000000005"));
    writer_u32le(w, first);
    writer_u32le(w, second);
}

static inline void pac_groups_body(struct writer *w, uint32_t count)
{
    pac_align(w);
    writer_u32le(w, count);
    for (uint32_t i = 0; i < count; i++) {
        writer_u32le(w, 513 + i);
        writer_u32le(w, 7);
    }
}

static inline void pac_fixed(struct writer *w, const struct pac_text texts[8])
{
    writer_u32le(w, 0x20000);
    for (uint64_t i = 1; i <= 6; i++) writer_u64le(w, i << 32 | i);
    for (int i = 0; i < 6; i++) pac_text_head(w, texts[i]);
    writer_u16le(w, 11); /* LogonCount, BadPasswordCount */
    writer_u16le(w, 12);
    writer_u32le(w, 1104); /* UserId, PrimaryGroupId */
    writer_u32le(w, 513);
    writer_u32le(w, 2); /* GroupCount, GroupIds */
    writer_u32le(w, 0x20008);
    writer_u32le(w, 0x220); /* UserFlags */
    writer_zero(w, 16);
    pac_text_head(w, texts[6]);
    pac_text_head(w, texts[7]);
    writer_u32le(w, 0x2000c); /* LogonDomainId */
    writer_zero(w, 8);
    writer_u32le(w, 0x210); /* UserAccountControl */
    writer_zero(w, 28);
    writer_u32le(w, 2); /* SidCount, ExtraSids */
    writer_u32le(w, 0x20010);
    writer_u32le(w, 0x20014); /* ResourceGroupDomainSid, ResourceGroupCount, ResourceGroupIds */
    writer_u32le(w, 3);
    writer_u32le(w, 0x20018);
}

static inline struct slice pac_sample(void)
{
    static uint8_t room[2048];
    const struct pac_text texts[8] = {
        {wide("alice"), 0}, {wide("Alice of the Farm"), 3},
        {wide(""), 0},      {wide(""), 0},
        {wide("home"), 0},  {wide("H:"), 1},
        {wide("BARN"), 1},  {wide("FARM"), 1},
    };
    struct writer w;
    writer_init_fixed(&w, room, sizeof(room));
    writer_slice(&w, hex("01100800 cccccccc"));
    size_t size = writer_reserve(&w, 4);
    writer_u32le(&w, 0);
    pac_fixed(&w, texts);
    for (int i = 0; i < 6; i++) pac_text_body(&w, texts[i]);
    pac_groups_body(&w, 2);
    pac_text_body(&w, texts[6]);
    pac_text_body(&w, texts[7]);
    pac_sid(&w, 21, 1000);
    writer_u32le(&w, 2);
    for (uint32_t i = 0; i < 2; i++) {
        writer_u32le(&w, 0x2001c + 4 * i);
        writer_u32le(&w, 7 + i);
    }
    pac_sid(&w, 18, 1);
    pac_sid(&w, 18, 2);
    pac_sid(&w, 21, 2000);
    pac_groups_body(&w, 3);
    writer_patch_u32le(&w, size, (uint32_t)(w.size - 16));
    return writer_view(&w);
}
