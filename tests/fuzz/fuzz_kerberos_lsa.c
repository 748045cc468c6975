/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Buffers of the package Kerberos, and records of tickets. */
#include "fuzz_lsa.h"

#include "core/kerberos_lsa.h"
#include "core/kerberos_ticket.h"

static void text(const struct lsa_buffer *buffer, struct slice part)
{
    inside(buffer, part);
    must(part.size % 2 == 0);
}

static void log_on(const struct lsa_buffer *buffer)
{
    struct kerb_logon logon;
    if (!status_ok(kerb_logon_decode(buffer, &logon))) return;
    text(buffer, logon.domain);
    text(buffer, logon.user);
    text(buffer, logon.password);
}

static void about_tickets(const struct lsa_buffer *buffer)
{
    struct kerb_retrieve retrieve;
    struct kerb_purge purge;
    struct kerb_submit submit;
    if (status_ok(kerb_retrieve_decode(buffer, &retrieve))) text(buffer, retrieve.target);
    if (status_ok(kerb_purge_decode(buffer, &purge))) {
        text(buffer, purge.server);
        text(buffer, purge.realm);
    }
    if (status_ok(kerb_purge_ex_decode(buffer, &purge))) {
        text(buffer, purge.client);
        text(buffer, purge.client_realm);
        text(buffer, purge.server);
        text(buffer, purge.realm);
    }
    if (status_ok(kerb_submit_decode(buffer, &submit))) {
        inside(buffer, submit.key);
        inside(buffer, submit.message);
    }
}

static void about_passwords(const struct lsa_buffer *buffer)
{
    struct lsa_password_change change;
    struct kerb_password_set set;
    if (status_ok(lsa_password_change_decode(buffer, &change))) {
        text(buffer, change.user);
        text(buffer, change.old_password);
        text(buffer, change.new_password);
    }
    if (status_ok(kerb_password_set_ex_decode(buffer, &set))) {
        text(buffer, set.user);
        text(buffer, set.password);
        text(buffer, set.client);
    }
    if (status_ok(kerb_password_set_decode(buffer, &set))) text(buffer, set.password);
}

/* A record that can be read is written as it was. */
static void records(const uint8_t *data, size_t size)
{
    struct kerberos_ticket ticket;
    struct reader r;
    reader_init(&r, data, size);
    while (reader_left(&r)) {
        struct writer w;
        size_t start = r.pos;
        if (!kerberos_ticket_read(&r, &ticket)) return;
        writer_init(&w);
        kerberos_ticket_write(&w, &ticket);
        must(w.size == r.pos - start && !memcmp(w.data, data + start, w.size));
        writer_free(&w);
        writer_init(&w);
        kerberos_cred_write(&w, &ticket); /* what it holds is the KDC's */
        writer_free(&w);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return 0;
    const struct lsa_buffer buffer = lsa_input(data, size);
    log_on(&buffer);
    about_tickets(&buffer);
    about_passwords(&buffer);
    records(data + 1, size - 1);
    return 0;
}
