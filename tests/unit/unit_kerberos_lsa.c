/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers of the package Kerberos (ntsecapi.h): both widths, and parts out of bounds. What texts
 * may be is that of all such buffers, see unit_msv1_0.c. */
#include "kerb_message.h"

#define BASE 0x7ffd0000u

static bool is_session(struct kerb_session session)
{
    return session.low == 7 && session.high == 8;
}

static void tickets(void)
{
    for (unsigned i = 0; i < 2; i++) {
        struct msv_message m;
        struct kerb_retrieve retrieve;
        struct kerb_purge purge;
        kerb_retrieve(&m, i, BASE);
        ok(m.w.size == (i ? 64 : 40), "the structure has %zu bytes", m.w.size);
        struct lsa_buffer buffer = msv_close(&m);
        ok(kerb_retrieve_decode(&buffer, &retrieve) == SEC_E_OK && is_session(retrieve.session) &&
               same(retrieve.target, wide("HTTP/barn")) && retrieve.ticket_flags == 0x40000000 &&
               retrieve.options == 2 && retrieve.enctype == 18,
           "a ticket that is wanted");
        writer_free(&m.w);

        kerb_purge(&m, i, BASE);
        ok(m.w.size == (i ? 48 : 28), "the structure has %zu bytes", m.w.size);
        buffer = msv_close(&m);
        ok(kerb_purge_decode(&buffer, &purge) == SEC_E_OK && is_session(purge.session) &&
               same(purge.server, wide("HTTP/barn")) && same(purge.realm, wide("FARM")) &&
               !purge.flags && !purge.client.size,
           "one that is not wanted any more");
        writer_free(&m.w);

        kerb_purge_ex(&m, i, BASE);
        ok(m.w.size == (i ? 112 : 80), "the structure has %zu bytes", m.w.size);
        buffer = msv_close(&m);
        ok(kerb_purge_ex_decode(&buffer, &purge) == SEC_E_OK && is_session(purge.session) &&
               purge.flags == 1 && same(purge.client, wide("alice")) &&
               same(purge.client_realm, wide("FARM")) && same(purge.server, wide("HTTP/barn")) &&
               same(purge.realm, wide("FIELD")),
           "one of a client");
        writer_free(&m.w);
    }
}

static void session(void)
{
    struct lsa_buffer buffer = {hex("01000000 07000000 08000000"), 0, true};
    struct kerb_session id = {1, 1};
    ok(kerb_session_decode(&buffer, &id) == SEC_E_OK && is_session(id), "a log-on");
    buffer.bytes.size--;
    id = (struct kerb_session){1, 2};
    ok(kerb_session_decode(&buffer, &id) == SEC_E_INVALID_PARAMETER && id.low == 1 && id.high == 2,
       "less than one");
}

/* Offsets, in the same layout for both widths. */
static void submission(void)
{
    static const struct {
        uint32_t key_size, key_offset, size, offset;
        bool valid;
    } rows[] = {
        {2, 36, 3, 38, true},           {0, 0, 5, 36, true},           {0, ~0u, 0, ~0u, true},
        {2, 35, 3, 38, false},          {2, 36, 3, 35, false},         {2, 36, 3, 39, false},
        {2, 40, 3, 38, false},          {~0u, 36, 3, 38, false},       {2, 36, ~0u, 38, false},
        {2, ~0u, 3, 38, false},         {2, 36, 3, ~0u, false},        {2, ~0u - 1, 3, 38, false},
        {0x80000000, 36, 3, 38, false}, {2, 0x80000000, 3, 38, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct msv_message m;
        struct kerb_submit submit = {.flags = 99};
        kerb_submit(&m);
        writer_patch_u32le(&m.w, 20, rows[i].key_size);
        writer_patch_u32le(&m.w, 24, rows[i].key_offset);
        writer_patch_u32le(&m.w, 28, rows[i].size);
        writer_patch_u32le(&m.w, 32, rows[i].offset);
        const struct lsa_buffer buffer = {writer_view(&m.w), 0, i & 1};
        status_t status = kerb_submit_decode(&buffer, &submit);
        ok(status == (rows[i].valid ? SEC_E_OK : SEC_E_INVALID_PARAMETER), "row %zu: %#x", i,
           (unsigned)status);
        if (rows[i].valid)
            ok(submit.key.size == rows[i].key_size && submit.message.size == rows[i].size &&
                   submit.key_enctype == 18 && is_session(submit.session),
               "parts of row %zu", i);
        else ok(submit.flags == 99, "untouched in row %zu", i);
        writer_free(&m.w);
    }
}

static void passwords(void)
{
    for (unsigned i = 0; i < 2; i++) {
        struct msv_message m;
        struct lsa_password_change change;
        struct kerb_password_set set;
        kerb_change(&m, i, BASE);
        struct lsa_buffer buffer = msv_close(&m);
        ok(lsa_password_change_decode(&buffer, &change) == SEC_E_OK &&
               same(change.domain, wide("FARM")) && same(change.user, wide("alice")) &&
               same(change.old_password, wide("old")) && same(change.new_password, wide("newer")),
           "a change");
        writer_free(&m.w);

        kerb_set(&m, i, BASE, false);
        ok(m.w.size == (i ? 88 : 48), "the structure has %zu bytes", m.w.size);
        buffer = msv_close(&m);
        ok(kerb_password_set_decode(&buffer, &set) == SEC_E_OK && is_session(set.session) &&
               set.flags == 1 && same(set.realm, wide("FARM")) && same(set.user, wide("alice")) &&
               same(set.password, wide("newer")) && !set.client.size,
           "another's");
        writer_free(&m.w);

        kerb_set(&m, i, BASE, true);
        ok(m.w.size == (i ? 148 : 80), "the structure has %zu bytes", m.w.size);
        buffer = msv_close(&m);
        ok(kerb_password_set_ex_decode(&buffer, &set) == SEC_E_OK &&
               same(set.password, wide("newer")) && same(set.client, wide("admin")) &&
               same(set.client_realm, wide("FIELD")),
           "another's, by a third");
        writer_free(&m.w);
    }
}

static void log_ons(void)
{
    for (unsigned i = 0; i < 2; i++) {
        struct msv_message m;
        struct kerb_logon logon;
        msv_interactive(&m, i, BASE);
        struct lsa_buffer buffer = msv_close(&m);
        ok(kerb_logon_decode(&buffer, &logon) == SEC_E_OK && same(logon.user, wide("alice")) &&
               same(logon.domain, wide("FARM")) && same(logon.password, wide("Password")),
           "with a password");
        m.w.data[0] = KERB_LOGON_UNLOCK; /* its texts are where the log-on's id has to be */
        buffer.bytes = writer_view(&m.w);
        ok(kerb_logon_decode(&buffer, &logon) == SEC_E_INVALID_PARAMETER, "without an id");
        m.w.data[0] = 10; /* KerbTicketLogon */
        ok(kerb_logon_decode(&buffer, &logon) == SEC_E_UNSUPPORTED_FUNCTION, "with a ticket");
        writer_free(&m.w);

        kerb_s4u(&m, i, BASE);
        buffer = msv_close(&m);
        ok(kerb_logon_decode(&buffer, &logon) == SEC_E_OK && logon.kind == KERB_LOGON_S4U &&
               logon.flags == 8 && same(logon.user, wide("alice@FARM")) &&
               same(logon.domain, wide("FARM")) && !logon.password.size,
           "without a password");
        writer_free(&m.w);
    }
}

/* ---- every proper part of a buffer is refused ---- */

static status_t any_decode(unsigned which, const struct lsa_buffer *buffer)
{
    union {
        struct kerb_retrieve retrieve;
        struct kerb_purge purge;
        struct kerb_submit submit;
        struct lsa_password_change change;
        struct kerb_password_set set;
        struct kerb_logon logon;
    } out;
    switch (which) {
    case 0: return kerb_retrieve_decode(buffer, &out.retrieve);
    case 1: return kerb_purge_decode(buffer, &out.purge);
    case 2: return kerb_purge_ex_decode(buffer, &out.purge);
    case 3: return kerb_submit_decode(buffer, &out.submit);
    case 4: return lsa_password_change_decode(buffer, &out.change);
    case 5: return kerb_password_set_decode(buffer, &out.set);
    case 6: return kerb_password_set_ex_decode(buffer, &out.set);
    default: return kerb_logon_decode(buffer, &out.logon);
    }
}

static void any_make(unsigned which, bool is_wide, struct msv_message *m)
{
    switch (which) {
    case 0: kerb_retrieve(m, is_wide, BASE); break;
    case 1: kerb_purge(m, is_wide, BASE); break;
    case 2: kerb_purge_ex(m, is_wide, BASE); break;
    case 3: kerb_submit(m); break;
    case 4: kerb_change(m, is_wide, BASE); break;
    case 5: kerb_set(m, is_wide, BASE, false); break;
    case 6: kerb_set(m, is_wide, BASE, true); break;
    default: kerb_s4u(m, is_wide, BASE); break;
    }
}

static void cut_off(void)
{
    for (unsigned i = 0; i < 16; i++) {
        struct msv_message m;
        any_make(i / 2, i & 1, &m);
        struct lsa_buffer buffer = msv_close(&m);
        ok(any_decode(i / 2, &buffer) == SEC_E_OK, "message %u", i);
        for (size_t size = 0; size < m.w.size; size++) {
            uint8_t *block = exact_copy(m.w.data, size);
            buffer.bytes = view(block, size);
            ok(any_decode(i / 2, &buffer) == SEC_E_INVALID_PARAMETER, "message %u, %zu bytes", i,
               size);
            free(block);
        }
        writer_free(&m.w);
    }
}

int main(void)
{
    RUN(tickets);
    RUN(session);
    RUN(submission);
    RUN(passwords);
    RUN(log_ons);
    RUN(cut_off);
    return test_end("unit_kerberos_lsa");
}
