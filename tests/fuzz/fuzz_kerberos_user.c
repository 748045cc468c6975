/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tokens of user-to-user: what is read lies within the token, and a ticket is written back to the
 * same bytes. The checksum, which comes out of an encrypted part, is tried on all of them, too. */
#include "fuzz.h"

#include "core/kerberos_user.h"

static void must_lie_in(struct slice part, struct slice whole)
{
    must(!part.size ||
         (part.data >= whole.data && part.data + part.size <= whole.data + whole.size));
}

static void reply_again(struct slice message, struct slice ticket)
{
    struct writer w;
    writer_init(&w);
    kerberos_user_reply_write(&w, ticket);
    must(slices_equal(writer_view(&w), message));
    writer_free(&w);
}

static void message_try(struct slice message)
{
    struct slice realm = {NULL, 0};
    struct kerberos_user_reply reply;
    if (status_ok(kerberos_user_request_read(message, &realm))) must_lie_in(realm, message);
    if (!status_ok(kerberos_user_reply_read(message, &reply))) return;
    must_lie_in(reply.ticket, message);
    must_lie_in(reply.realm, reply.ticket);
    must_lie_in(reply.granting, reply.ticket);
    reply_again(message, reply.ticket);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice token = {data, size}, message;
    struct kerberos_user_checksum checksum;
    enum kerberos_user_kind kind;
    struct writer w;
    must(status_ok(kerberos_user_checksum_read(token, &checksum)) ==
         (size >= 24 && data[0] == 16 && !data[1] && !data[2] && !data[3]));
    message_try(token);
    if (!status_ok(kerberos_user_token_read(token, &kind, &message))) return 0;
    must(kerberos_user_is_token(token));
    must_lie_in(message, token);
    message_try(message);
    writer_init(&w);
    kerberos_user_token_write(&w, kind, message);
    must(slices_equal(writer_view(&w), token));
    writer_free(&w);
    return 0;
}
