/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers of MSV1_0 (ntsecapi.h): both widths, addresses and offsets, and texts out of bounds. */
#include "msv_message.h"

#define BASE 0x12345678000u
#define BASE32 0x7ffd0000u

static const uint64_t bases[] = {BASE32, BASE, 0};

/* In a block of exactly its size. */
static status_t decode(struct lsa_buffer buffer, struct msv_logon *out)
{
    uint8_t *block = exact_copy(buffer.bytes.data, buffer.bytes.size);
    struct lsa_buffer exact = {{block, buffer.bytes.size}, buffer.base, buffer.wide};
    status_t status = msv_logon_decode(&exact, out);
    free(block);
    return status;
}

static void interactive(void)
{
    for (unsigned i = 0; i < 12; i++) {
        struct msv_message m;
        struct msv_logon logon;
        bool is_wide = i & 1;
        msv_interactive(&m, is_wide, bases[i / 4] & (is_wide ? ~0ull : 0xffffffff));
        m.offsets = i & 2;
        ok(m.w.size == (is_wide ? 56 : 28), "the structure has %zu bytes", m.w.size);
        struct lsa_buffer buffer = msv_close(&m);
        ok(msv_logon_decode(&buffer, &logon) == SEC_E_OK, "form %u", i);
        ok(logon.kind == MSV_LOGON_INTERACTIVE && same(logon.domain, wide("FARM")) &&
               same(logon.user, wide("alice")) && same(logon.password, wide("Password")),
           "texts of form %u", i);
        writer_free(&m.w);
    }
}

static void network(void)
{
    for (unsigned i = 0; i < 4; i++) {
        struct msv_message m;
        struct msv_logon logon;
        msv_network(&m, i & 1, BASE32);
        if (i & 2) m.w.data[0] = MSV_LOGON_LM20;
        struct lsa_buffer buffer = msv_close(&m);
        ok(msv_logon_decode(&buffer, &logon) == SEC_E_OK, "form %u", i);
        ok(same(logon.workstation, wide("BARN")) && logon.nt_response.size == 24 &&
               same(logon.lm_response, ascii("odd")) &&
               same(view(logon.challenge, 8), hex("0123456789abcdef")),
           "parts of form %u", i);
        ok(logon.control == (i & 2 ? 0 : 0x80), "control %#x", logon.control);
        writer_free(&m.w);
    }
}

static void messages(void)
{
    for (unsigned i = 0; i < 2; i++) {
        struct msv_message m;
        struct lsa_password_change change;
        struct msv_passthrough pass;
        uint32_t low, high, kind;
        msv_change(&m, i, BASE32);
        struct lsa_buffer buffer = msv_close(&m);
        ok(lsa_password_change_decode(&buffer, &change) == SEC_E_OK &&
               same(change.domain, wide("FARM")) && same(change.user, wide("alice")) &&
               same(change.old_password, wide("old")) && same(change.new_password, wide("newer")),
           "a change of password");
        ok(lsa_buffer_kind(&buffer, &kind) && kind == 5, "its kind");
        writer_free(&m.w);

        msv_pass(&m, i, BASE32);
        buffer = msv_close(&m);
        ok(msv_passthrough_decode(&buffer, &pass) == SEC_E_OK && same(pass.package, wide("Some")) &&
               pass.data_size == 3 && buffer.bytes.data[pass.data_offset] == 1,
           "something to pass on");
        writer_free(&m.w);

        buffer = (struct lsa_buffer){hex("03000000 01000000 02000000"), 0, i};
        ok(msv_logon_id_decode(&buffer, &low, &high) == SEC_E_OK && low == 1 && high == 2,
           "a log-on's id");
        buffer.bytes.size = 11;
        ok(msv_logon_id_decode(&buffer, &low, &high) == SEC_E_INVALID_PARAMETER, "cut off");
        buffer.bytes.size = 3;
        ok(!lsa_buffer_kind(&buffer, &kind), "no kind");
    }
}

static void requests(void)
{
    static const uint32_t controls[] = {0, 0x20, 0x60}; /* GCR_NTLM3_PARMS, GCR_TARGET_INFO */
    for (unsigned i = 0; i < 6; i++) {
        struct msv_message m;
        struct msv_response_request request;
        uint32_t control = controls[i / 2];
        msv_request(&m, i & 1, BASE32, control);
        ok(control || m.w.size == (i & 1 ? 40 : 32), "the first form has %zu bytes", m.w.size);
        struct lsa_buffer buffer = msv_close(&m);
        ok(msv_response_request_decode(&buffer, &request) == SEC_E_OK, "form %u", i);
        ok(request.control == control && request.logon_id_low == 7 && request.logon_id_high == 8 &&
               same(request.password, wide("Password")),
           "parts of form %u", i);
        if (control)
            ok(same(request.user, wide("alice")) && same(request.domain, wide("FARM")) &&
                   request.server.size == (control & MSV_TARGET_INFO ? 5 : 8),
               "names of form %u", i);
        writer_free(&m.w);
    }
}

/* Every proper part of a buffer that lacks a byte of the structure or of a text is refused. */
static void cut_off(void)
{
    for (unsigned i = 0; i < 4; i++) {
        struct msv_message m;
        struct msv_logon logon;
        if (i & 2) msv_network(&m, i & 1, BASE32);
        else msv_interactive(&m, i & 1, BASE32);
        struct lsa_buffer buffer = msv_close(&m);
        size_t whole = buffer.bytes.size;
        memset(&logon, 0x55, sizeof(logon));
        struct msv_logon before = logon;
        for (buffer.bytes.size = 0; buffer.bytes.size < whole; buffer.bytes.size++)
            ok(decode(buffer, &logon) == SEC_E_INVALID_PARAMETER, "%zu bytes of %zu",
               buffer.bytes.size, whole);
        ok(!memcmp(&logon, &before, sizeof(logon)), "untouched");
        ok(decode(buffer, &logon) == SEC_E_OK, "whole");
        writer_free(&m.w);
    }
}

/* The first text's address and size. */
static status_t with_text(bool is_wide, uint64_t address, uint16_t size)
{
    struct msv_message m;
    struct msv_logon logon;
    msv_interactive(&m, is_wide, BASE32);
    struct lsa_buffer buffer = msv_close(&m);
    size_t at = is_wide ? 8 : 4;
    writer_patch_u16le(&m.w, at, size);
    writer_patch_u32le(&m.w, m.pointers[0], (uint32_t)address);
    if (is_wide) writer_patch_u32le(&m.w, m.pointers[0] + 4, (uint32_t)(address >> 32));
    status_t status = decode(buffer, &logon);
    writer_free(&m.w);
    return status;
}

static void out_of_bounds(void)
{
    for (unsigned i = 0; i < 2; i++) {
        const size_t head = i ? 56 : 28, all = head + 2 * (4 + 5 + 8);
        ok(with_text(i, BASE32 + head, 8) == SEC_E_OK, "behind the structure");
        ok(with_text(i, head, 8) == SEC_E_OK, "by its offset");
        ok(with_text(i, BASE32 + all - 8, 8) == SEC_E_OK, "the last bytes");
        ok(with_text(i, BASE32 + all - 8, 10) != SEC_E_OK, "beyond the end");
        ok(with_text(i, BASE32 + head - 2, 8) != SEC_E_OK, "inside the structure");
        ok(with_text(i, BASE32, 8) != SEC_E_OK && with_text(i, 0, 8) != SEC_E_OK, "the structure");
        ok(with_text(i, BASE32 + all, 2) != SEC_E_OK, "at the end");
        ok(with_text(i, BASE32 - 8, 8) != SEC_E_OK, "before the buffer");
        ok(with_text(i, 0xfffffffe, 8) != SEC_E_OK, "at the end of memory");
        ok(with_text(i, BASE32 + head, 7) != SEC_E_OK, "half a unit");
        ok(with_text(i, 0xdead0000, 0) == SEC_E_OK, "nothing is nowhere");
        ok(!i || with_text(i, ~0ull - 6, 8) != SEC_E_OK, "around the end of memory");
    }
}

static void other_kinds(void)
{
    for (uint32_t kind = 0; kind < 90; kind++) {
        struct msv_message m;
        struct msv_logon logon;
        msv_interactive(&m, true, BASE);
        m.w.data[0] = (uint8_t)kind;
        struct lsa_buffer buffer = msv_close(&m);
        bool known = kind == 2 || kind == 7, network_kind = kind == 3 || kind == 4;
        status_t status = msv_logon_decode(&buffer, &logon);
        if (known) ok(status == SEC_E_OK, "kind %u", kind);
        else if (!network_kind) ok(status == SEC_E_UNSUPPORTED_FUNCTION, "kind %u", kind);
        writer_free(&m.w);
    }
}

int main(void)
{
    RUN(interactive);
    RUN(network);
    RUN(messages);
    RUN(requests);
    RUN(cut_off);
    RUN(out_of_bounds);
    RUN(other_kinds);
    return test_end("unit_msv1_0");
}
