/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of the two forms of tokens a session has: RFC 4121's, or for RC4 those of RFC 4757. */
#include "kerberos_private.h"

static bool is_rc4(const struct kerberos_session *session)
{
    return session->enctype == KERBEROS_RC4;
}

void kerberos_sizes(const struct kerberos_session *session, struct kerberos_sizes *out)
{
    if (is_rc4(session)) arcfour_sizes(session, out);
    else cfx_sizes(session, out);
}

status_t kerberos_sign(struct kerberos_session *session, const struct message_part *parts,
                       size_t count, uint8_t *token, size_t room, size_t *size)
{
    return is_rc4(session) ? arcfour_sign(session, parts, count, token, room, size)
                           : cfx_sign(session, parts, count, token, room, size);
}

status_t kerberos_verify(struct kerberos_session *session, const struct message_part *parts,
                         size_t count, struct slice token)
{
    return is_rc4(session) ? arcfour_verify(session, parts, count, token)
                           : cfx_verify(session, parts, count, token);
}

status_t kerberos_wrap(struct kerberos_session *session,
                       const uint8_t confounder[KERBEROS_CONFOUNDER], struct message_part *parts,
                       size_t count, struct kerberos_wrapping *wrapping)
{
    return is_rc4(session) ? arcfour_wrap(session, confounder, parts, count, wrapping)
                           : cfx_wrap(session, confounder, parts, count, wrapping);
}

status_t kerberos_unwrap(struct kerberos_session *session, struct message_part *parts, size_t count,
                         struct kerberos_wrapping *wrapping)
{
    return is_rc4(session) ? arcfour_unwrap(session, parts, count, wrapping)
                           : cfx_unwrap(session, parts, count, wrapping);
}

status_t kerberos_unwrap_stream(struct kerberos_session *session, uint8_t *token, size_t size,
                                bool *encrypted, struct slice *plain)
{
    return is_rc4(session) ? arcfour_unwrap_stream(session, token, size, encrypted, plain)
                           : cfx_unwrap_stream(session, token, size, encrypted, plain);
}
