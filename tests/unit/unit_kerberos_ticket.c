/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tickets as records, and as KRB-CRED (RFC 4120 5.8.1). */
#include "core/kerberos_ticket.h"

#include "unit.h"

/* "HTTP", "barn" */
static struct kerberos_ticket sample(void)
{
    return (struct kerberos_ticket){
        .client = {1, 1, hex("0500 616c696365"), ascii("FARM")},
        .server = {2, 2, hex("0400 48545450 0400 6261726e"), ascii("FIELD")},
        .authenticated = 1,
        .start = 951782400,
        .end = 4107542400,
        .flags = 0x40e10000,
        .enctype = 18,
        .key_enctype = 17,
        .encoded = hex("6103020105"),
        .key = hex("000102030405060708090a0b0c0d0e0f"),
    };
}

static void records(void)
{
    struct kerberos_ticket ticket = sample(), again;
    struct writer w;
    struct reader r;
    writer_init(&w);
    kerberos_ticket_write(&w, &ticket);
    kerberos_ticket_write(&w, &ticket);
    reader_init(&r, w.data, w.size);
    for (int i = 0; i < 2; i++)
        ok(kerberos_ticket_read(&r, &again) && same(again.client.parts, ticket.client.parts) &&
               same(again.server.realm, ascii("FIELD")) && again.server.count == 2 &&
               again.end == 4107542400 && again.flags == 0x40e10000 && again.key_enctype == 17 &&
               same(again.encoded, ticket.encoded) && same(again.key, ticket.key),
           "ticket %d", i);
    ok(!kerberos_ticket_read(&r, &again) && reader_end(&r), "two of them");

    for (size_t size = 1; size < w.size / 2; size++) {
        uint8_t *block = exact_copy(w.data, size);
        reader_init(&r, block, size);
        ok(!kerberos_ticket_read(&r, &again) && !reader_end(&r), "%zu bytes", size);
        free(block);
    }
    writer_free(&w);
}

/* The parts have to be as many as there are said to be. */
static void counts(void)
{
    for (uint32_t count = 0; count < 5; count++) {
        struct kerberos_ticket ticket = sample(), again;
        struct writer w;
        struct reader r;
        ticket.server.count = count;
        writer_init(&w);
        kerberos_ticket_write(&w, &ticket);
        reader_init(&r, w.data, w.size);
        ok(kerberos_ticket_read(&r, &again) == (count == 2), "%u parts", count);
        writer_free(&w);
    }
}

static void names(void)
{
    struct kerberos_ticket ticket = sample();
    struct writer w;
    writer_init(&w);
    kerberos_name_text(&w, &ticket.server);
    ok(same(writer_view(&w), ascii("HTTP/barn")), "with slashes");
    writer_free(&w);
}

/* Put together by hand from the RFC's definitions. */
static const char cred[] = "7681d3 3081d0"
                           "  a003020105 a103020116"
                           "  a207 3005 6103020105"
                           "  a381ba 3081b7 a003020100"
                           "    a281af 0481ac 7d81a9 3081a6 a081a3 3081a0 30819d"
                           "      a01b 3019 a003020111 a112 0410 000102030405060708090a0b0c0d0e0f"
                           "      a106 1b04 4641524d"
                           "      a212 3010 a003020101 a109 3007 1b05 616c696365"
                           "      a307 0305 0040e10000"
                           "      a411 180f 31393730303130313030303030315a"
                           "      a511 180f 32303030303232393030303030305a"
                           "      a611 180f 32313030303330313030303030305a"
                           "      a807 1b05 4649454c44"
                           "      a917 3015 a003020102 a10e 300c 1b04 48545450 1b04 6261726e";

static void krb_cred(void)
{
    struct kerberos_ticket ticket = sample();
    struct writer w;
    struct slice expected = hex(cred);
    writer_init(&w);
    kerberos_cred_write(&w, &ticket);
    ok(same(writer_view(&w), expected), "%zu bytes of %zu", w.size, expected.size);
    writer_free(&w);

    ticket.end = 253402300800; /* the year 10000 */
    writer_init(&w);
    kerberos_cred_write(&w, &ticket);
    ok(!status_ok(writer_status(&w)), "a time that has no form");
    writer_free(&w);
}

/* The shortest forms of whole numbers, by the type of the key. */
static void integers(void)
{
    static const struct {
        uint32_t value;
        const char *form;
    } rows[] = {
        {0, "020100"},
        {127, "02017f"},
        {128, "02020080"},
        {32767, "02027fff"},
        {32768, "0203008000"},
        {~0u, "0201ff"},
        {(uint32_t)-128, "020180"},
        {(uint32_t)-129, "0202ff7f"},
        {0x7fffffff, "02047fffffff"},
        {0x80000000, "020480000000"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct kerberos_ticket ticket = sample();
        struct slice form = hex(rows[i].form);
        struct writer w;
        bool found = false;
        ticket.key_enctype = rows[i].value;
        writer_init(&w);
        kerberos_cred_write(&w, &ticket);
        for (size_t at = 0; at + form.size + 4 < w.size && !found; at++)
            found = w.data[at] == 0xa0 && w.data[at + 1] == form.size &&
                    same(view(w.data + at + 2, form.size), form) &&
                    w.data[at + 2 + form.size] == 0xa1 && w.data[at + 3 + form.size] == 0x12;
        ok(found, "the form of %#x", rows[i].value);
        writer_free(&w);
    }
}

int main(void)
{
    RUN(records);
    RUN(counts);
    RUN(names);
    RUN(krb_cred);
    RUN(integers);
    return test_end("unit_kerberos_ticket");
}
