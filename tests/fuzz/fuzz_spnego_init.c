/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NegTokenInit and NegTokenInit2: what decodes is encoded to something that decodes to the same,
 * and is taken for what it is. */
#include "fuzz.h"

#include "core/spnego.h"

/* What mechListMIC covers is what an encoder makes of the mechanisms: DER has one form only. */
static void check_list(const struct spnego_init *message)
{
    struct writer w;
    writer_init(&w);
    spnego_mech_list_encode(&w, message->mechs, message->mech_count);
    must(slices_equal(writer_view(&w), message->mech_list));
    writer_free(&w);
}

static void check_again(const struct spnego_init *message)
{
    struct spnego_init again;
    struct writer w;
    writer_init(&w);
    spnego_init_encode(&w, message);
    must(writer_status(&w) == SEC_E_OK);
    must(spnego_init_decode(writer_view(&w), &again) == SEC_E_OK);
    must(again.mech_count == message->mech_count);
    must(slices_equal(again.mech_list, message->mech_list));
    must(slices_equal(again.token, message->token) && !again.token.data == !message->token.data);
    must(slices_equal(again.mic, message->mic) && !again.mic.data == !message->mic.data);
    must(slices_equal(again.hint_name, message->hint_name));
    must(!again.hint_name.data == !message->hint_name.data);
    writer_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice token = {data, size}, mech = {NULL, 0};
    struct spnego_init message;
    enum spnego_kind kind = spnego_kind(token, &mech);
    must((kind == SPNEGO_RAW_MECH) == (mech.size != 0));
    if (!status_ok(spnego_init_decode(token, &message))) return 0;
    must(kind == SPNEGO_INIT);
    must(message.mech_count && message.mech_count <= SPNEGO_MECHS_MAX);
    check_list(&message);
    check_again(&message);
    return 0;
}
