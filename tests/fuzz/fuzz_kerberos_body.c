/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The body of an exported Kerberos context: what is read is written to the same bytes, and the
 * session in it makes messages. */
#include "../unit/kerberos_pair.h"
#include "fuzz.h"

#include "core/kerberos_body.h"

/* What is left of the numbers is the body's choice. */
static void use_session(struct kerberos_session *session)
{
    struct kerberos_sent sent;
    uint8_t token[KERBEROS_TOKEN_MAX];
    bool encrypted;
    size_t size;
    status_t status = kerberos_send(session, ascii("some text"), true, &sent);
    must(status == SEC_E_OK || status == SEC_E_CONTEXT_EXPIRED);
    /* It is nobody's message to its own sender. */
    must(!status_ok(kerberos_receive(session, &sent, &encrypted)));
    kerberos_sent_free(&sent);
    status = kerberos_sign(session, NULL, 0, token, sizeof(token), &size);
    must(status == SEC_E_OK || status == SEC_E_CONTEXT_EXPIRED);
    if (status_ok(status)) must(!status_ok(kerberos_verify(session, NULL, 0, view(token, size))));
}

static void write_again(const struct kerberos_body *body, const struct kerberos_session *session,
                        struct slice bytes)
{
    struct writer w;
    writer_init(&w);
    kerberos_body_write(body, session, false, &w);
    must(slices_equal(writer_view(&w), bytes));
    writer_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct kerberos_body body;
    struct kerberos_session session;
    if (crypto_init() != SEC_E_OK) abort();
    unit_pool_used = 0;
    status_t status = kerberos_body_read(view(data, size), &body, &session);
    must(status == SEC_E_OK || status == SEC_E_INVALID_TOKEN);
    if (!status_ok(status)) return 0;
    write_again(&body, &session, view(data, size));
    use_session(&session);
    kerberos_session_rewind(&session);
    use_session(&session);
    kerberos_session_clear(&session);
    return 0;
}
