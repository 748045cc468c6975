/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Security layers: the first byte says what the rest is, and what is read is written again. */
#include "fuzz.h"

#include "core/sasl.h"

static void try_offer(struct slice text, struct writer *w)
{
    struct sasl_offer offer;
    uint8_t layer;
    if (!status_ok(sasl_offer_decode(text, &offer))) return;
    sasl_offer_encode(w, &offer);
    must(w->size == SASL_OFFER_SIZE && !memcmp(w->data + 1, text.data + 1, 3));
    must(offer.layers == (text.data[0] & SASL_LAYERS));
    if (!status_ok(sasl_layer_choose(offer.layers, &layer))) must(!offer.layers);
    else must(layer & offer.layers && !(layer & (layer - 1)));
}

static void try_choice(struct slice text, struct writer *w)
{
    struct sasl_choice choice;
    if (!status_ok(sasl_choice_decode(text, &choice))) return;
    must(sasl_authzid_valid(choice.authzid));
    sasl_choice_encode(w, &choice);
    must(slices_equal(writer_view(w), text));
}

static void try_body(struct slice text, struct writer *w)
{
    struct reader r;
    struct sasl_body body;
    reader_init(&r, text.data, text.size);
    if (!status_ok(sasl_body_read(&r, &body))) return;
    sasl_body_write(&body, w);
    must(slices_equal(writer_view(w), (struct slice){text.data, r.pos}));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const tries[])(struct slice text, struct writer * w) = {try_offer, try_choice,
                                                                          try_body};
    struct writer w;
    if (!size) return 0;
    writer_init(&w);
    tries[data[0] % 3]((struct slice){data + 1, size - 1}, &w);
    writer_free(&w);
    return 0;
}
