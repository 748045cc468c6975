/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The body of a session: what is read is written to the same bytes, and can be used. */
#include "../unit/tls_pair.h"
#include "fuzz.h"

static void use(struct tls_session *session)
{
    uint8_t header[TLS_HEADER_MAX], trailer[TLS_TRAILER_MAX], data[20] = "text", out[40];
    struct tls_record record;
    size_t missing;
    status_t expected = session->send.sequence == UINT64_MAX ? SEC_E_CONTEXT_EXPIRED : SEC_E_OK;
    must(tls_record_seal(session, TLS_APPLICATION_DATA, header, data, sizeof(data), trailer) ==
         expected);
    must(tls_record_open(session, data, sizeof(data), &record, &missing) != SEC_E_OK);
    must(tls_export_keys(session, ascii("EXPERIMENTAL"), NULL, out, sizeof(out)) == SEC_E_OK);
    must(status_ok(tls_key_update(session, &session->receive)) == (session->version == TLS_1_3));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_session session;
    struct writer w;
    struct reader r;
    if (crypto_init() != SEC_E_OK) abort();
    reader_init(&r, data, size);
    status_t status = tls_session_read(&r, &session);
    must(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN);
    if (!status_ok(status)) return 0;
    writer_init(&w);
    tls_session_write(&session, &w);
    must(slices_equal(writer_view(&w), (struct slice){data, r.pos}));
    writer_free(&w);
    use(&session);
    tls_session_clear(&session);
    return 0;
}
