/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages inside a session, and alerts: what a peer says after the handshake. */
#include "core/tls.h"
#include "fuzz.h"

static void take(const struct tls_handshake_message *message)
{
    bool requested = false;
    uint8_t again[TLS_KEY_UPDATE_SIZE];
    status_t status = tls_key_update_read(message->body, &requested);
    must(status == SEC_E_OK || status == SEC_E_ILLEGAL_MESSAGE);
    if (!status_ok(status)) return;
    tls_key_update_write(requested, again);
    must(slices_equal(message->body, (struct slice){again + 4, 1}));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tls_handshake_message message;
    struct reader r;
    size_t used = 0;
    reader_init(&r, data, size);
    while (tls_message_next(&r, &message)) {
        must(message.body.size + 4 <= size - used);
        used += message.body.size + 4;
        take(&message);
    }
    must(used == size || !reader_ok(&r));
    if (size)
        must(tls_alert_status(tls_alert_of(tls_alert_status(data[0]))) ==
             tls_alert_status(data[0]));
    return 0;
}
