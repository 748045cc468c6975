/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The life of a session, the numbers of its messages, and the session as bytes, little endian:
 *   version 1, flags 1 (1: initiator, 2: acceptor's subkey), GSS-API flags 2, encryption type 2,
 *   key (its size), sending: first 8, next 8, receiving: first 8, next 8, received 8
 * Derived keys are not there: a message asks for those that it needs.
 */
#include "kerberos_private.h"

#include <string.h>

#define VERSION 1u
#define FLAG_INITIATOR 0x01u
#define FLAG_ACCEPTOR_SUBKEY 0x02u
#define FLAGS (FLAG_INITIATOR | FLAG_ACCEPTOR_SUBKEY)
#define GSS_FLAGS (KERBEROS_REPLAY | KERBEROS_SEQUENCE | KERBEROS_DCE_STYLE)

#define WINDOW 64u /* bits of `received` */

static void direction_start(struct kerberos_direction *direction, uint64_t first)
{
    direction->first = direction->next = first;
    direction->received = 0;
}

status_t kerberos_session_init(struct kerberos_session *session, const struct kerberos_start *start)
{
    size_t size = kerberos_key_size(start->enctype);
    if (!size) return SEC_E_UNSUPPORTED_FUNCTION;
    if (start->key.size != size) return SEC_E_INVALID_PARAMETER;
    memset(session, 0, sizeof(*session));
    session->initiator = start->initiator;
    session->acceptor_subkey = start->acceptor_subkey;
    session->flags = start->flags & GSS_FLAGS;
    session->enctype = (enum kerberos_enctype)start->enctype;
    memcpy(session->key, start->key.data, size);
    direction_start(&session->send, start->send_first);
    direction_start(&session->receive, start->receive_first);
    return SEC_E_OK;
}

void kerberos_session_rewind(struct kerberos_session *session)
{
    direction_start(&session->send, session->send.first);
    direction_start(&session->receive, session->receive.first);
}

void kerberos_session_clear(struct kerberos_session *session)
{
    kerberos_keys_free(session->send.keys);
    kerberos_keys_free(session->receive.keys);
    secret_wipe(session, sizeof(*session));
}

/* ---- numbers ---- */

/*
 * Numbers start from 32 bits (RFC 4120 5.5.1) and have 64 in tokens, but some count on in 32: what
 * is below the first and has none of the higher bits comes from behind their end, if that is near.
 * It cannot be an old message, since there is none below the first.
 */
uint64_t kerberos_number_extend(const struct kerberos_direction *direction, uint64_t number)
{
    uint64_t whole = number + UINT32_MAX + 1, next = direction->next;
    if (number >= direction->first || direction->first > UINT32_MAX) return number;
    return (whole > next ? whole - next : next - whole) <= INT32_MAX ? whole : number;
}

status_t kerberos_number_check(const struct kerberos_session *session, uint64_t number)
{
    const struct kerberos_direction *direction = &session->receive;
    if (number == UINT64_MAX) return SEC_E_OUT_OF_SEQUENCE; /* there is none behind it */
    if (session->flags & KERBEROS_SEQUENCE)
        return number == direction->next ? SEC_E_OK : SEC_E_OUT_OF_SEQUENCE;
    if (!(session->flags & KERBEROS_REPLAY) || number >= direction->next) return SEC_E_OK;
    uint64_t back = direction->next - 1 - number;
    if (number < direction->first || back >= WINDOW) return SEC_E_OUT_OF_SEQUENCE;
    return direction->received >> back & 1 ? SEC_E_OUT_OF_SEQUENCE : SEC_E_OK;
}

void kerberos_number_take(struct kerberos_session *session, uint64_t number)
{
    struct kerberos_direction *direction = &session->receive;
    if (number >= direction->next) {
        uint64_t ahead = number - direction->next + 1;
        direction->received = ahead < WINDOW ? direction->received << ahead : 0;
        direction->received |= 1;
        direction->next = number + 1;
    } else if (number >= direction->first && direction->next - 1 - number < WINDOW) {
        direction->received |= (uint64_t)1 << (direction->next - 1 - number);
    }
}

/* ---- as bytes ---- */

static void write_direction(const struct kerberos_direction *direction, bool reset,
                            struct writer *w)
{
    writer_u64le(w, direction->first);
    writer_u64le(w, reset ? direction->first : direction->next);
}

void kerberos_session_write(const struct kerberos_session *session, bool reset, struct writer *w)
{
    unsigned flags = session->initiator ? FLAG_INITIATOR : 0;
    if (session->acceptor_subkey) flags |= FLAG_ACCEPTOR_SUBKEY;
    writer_u8(w, VERSION);
    writer_u8(w, (uint8_t)flags);
    writer_u16le(w, (uint16_t)session->flags);
    writer_u16le(w, (uint16_t)session->enctype);
    writer_bytes(w, session->key, kerberos_key_size(session->enctype));
    write_direction(&session->send, reset, w);
    write_direction(&session->receive, reset, w);
    writer_u64le(w, reset ? 0 : session->receive.received);
}

static void read_direction(struct reader *r, struct kerberos_direction *direction)
{
    direction->first = reader_u64le(r);
    direction->next = reader_u64le(r);
    if (direction->next < direction->first) reader_fail(r);
}

/* No bit for a message before the first, and one for the highest as soon as there is any. */
static bool window_fits(const struct kerberos_direction *direction)
{
    uint64_t count = direction->next - direction->first;
    if (count < WINDOW && direction->received >> count) return false;
    return !count || direction->received & 1;
}

status_t kerberos_session_read(struct kerberos_session *session, struct reader *r)
{
    struct kerberos_session made;
    memset(&made, 0, sizeof(made));
    uint8_t version = reader_u8(r), flags = reader_u8(r);
    made.flags = reader_u16le(r);
    uint16_t enctype = reader_u16le(r);
    reader_copy(r, made.key, kerberos_key_size(enctype));
    read_direction(r, &made.send);
    read_direction(r, &made.receive);
    made.receive.received = reader_u64le(r);
    made.initiator = flags & FLAG_INITIATOR;
    made.acceptor_subkey = flags & FLAG_ACCEPTOR_SUBKEY;
    made.enctype = (enum kerberos_enctype)enctype;
    bool fits = reader_ok(r) && version == VERSION && !(flags & ~FLAGS) &&
                !(made.flags & ~GSS_FLAGS) && kerberos_key_size(enctype) &&
                window_fits(&made.receive);
    if (fits) *session = made;
    secret_wipe(&made, sizeof(made));
    return fits ? SEC_E_OK : SEC_E_INVALID_TOKEN;
}
