/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The body of an exported TLS context: what is read is written to the same bytes, the session in it
 * makes records, and the certificates are looked at. */
#include "fuzz.h"

#include "core/tls_binding.h"
#include "core/tls_body.h"

static void use_session(struct tls_session *session)
{
    uint8_t header[TLS_HEADER_MAX], data[4] = "text", trailer[TLS_TRAILER_MAX];
    bool left = session->send.sequence != UINT64_MAX;
    status_t status = tls_record_seal(session, TLS_APPLICATION_DATA, header, data, sizeof(data),
                                      trailer);
    must(status == SEC_E_OK || (status == SEC_E_CONTEXT_EXPIRED && !left) ||
         session->send.sequence == UINT64_MAX);
}

static void use_chain(struct slice chain)
{
    struct reader r;
    struct slice certificate;
    reader_init(&r, chain.data, chain.size);
    while (reader_left(&r)) {
        must(tls_chain_next(&r, &certificate));
        tls_binding_hash(certificate);
        tls_certificate_is_ecdsa(certificate);
        struct slice end = tls_certificate_end(certificate);
        must(!end.size || (end.data > certificate.data &&
                           end.data + end.size <= certificate.data + certificate.size));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = {data, size};
    struct tls_body body;
    struct tls_session session;
    struct writer w;
    if (crypto_init() != SEC_E_OK) abort();
    status_t status = tls_body_read(bytes, &body, &session);
    must(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN);
    if (!status_ok(status)) return 0;
    writer_init(&w);
    tls_body_write(&body, &session, &w);
    must(slices_equal(writer_view(&w), bytes));
    writer_free(&w);
    use_chain(body.peer_chain);
    use_chain(body.local_chain);
    use_session(&session);
    tls_session_clear(&session);
    return 0;
}
