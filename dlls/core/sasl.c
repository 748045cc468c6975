/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The messages and rules of core/sasl.h (RFC 4752 3.1 to 3.3). */
#include "core/sasl.h"

#include "core/utf16.h"

#define PROTECTING (SASL_LAYER_INTEGRITY | SASL_LAYER_PRIVACY)

/* Layers of specifications to come are negotiated off, and say nothing of the size. A server that
 * cannot offer what it wants may offer nothing at all (Cyrus SASL). */
status_t sasl_offer_decode(struct slice text, struct sasl_offer *out)
{
    struct reader r;
    reader_init(&r, text.data, text.size);
    uint8_t layers = reader_u8(&r);
    uint32_t size = reader_u24be(&r);
    if (!reader_end(&r)) return SEC_E_INVALID_TOKEN;
    if (layers == SASL_LAYER_NONE && size) return SEC_E_INVALID_TOKEN;
    *out = (struct sasl_offer){layers & SASL_LAYERS, size};
    return SEC_E_OK;
}

static bool is_one_layer(uint8_t layer)
{
    return layer == SASL_LAYER_NONE || layer == SASL_LAYER_INTEGRITY || layer == SASL_LAYER_PRIVACY;
}

status_t sasl_choice_decode(struct slice text, struct sasl_choice *out)
{
    struct reader r;
    reader_init(&r, text.data, text.size);
    struct sasl_choice choice = {.layer = reader_u8(&r), .size = reader_u24be(&r)};
    choice.authzid = reader_bytes(&r, reader_left(&r));
    if (!reader_end(&r) || !is_one_layer(choice.layer)) return SEC_E_INVALID_TOKEN;
    if (choice.layer == SASL_LAYER_NONE && choice.size) return SEC_E_INVALID_TOKEN;
    if (!sasl_authzid_valid(choice.authzid)) return SEC_E_INVALID_TOKEN;
    *out = choice;
    return SEC_E_OK;
}

static void write_head(struct writer *w, uint8_t layers, uint32_t size)
{
    if (size > SASL_SIZE_MAX) writer_fail(w);
    writer_u8(w, layers);
    writer_u8(w, (uint8_t)(size >> 16));
    writer_u16be(w, (uint16_t)size);
}

void sasl_offer_encode(struct writer *w, const struct sasl_offer *offer)
{
    write_head(w, offer->layers, offer->size);
}

void sasl_choice_encode(struct writer *w, const struct sasl_choice *choice)
{
    write_head(w, choice->layer, choice->size);
    writer_slice(w, choice->authzid);
}

bool sasl_authzid_valid(struct slice authzid)
{
    char text[SASL_AUTHZ_MAX + 1];
    uint8_t wide[2 * SASL_AUTHZ_MAX];
    struct writer w;
    if (authzid.size > SASL_AUTHZ_MAX) return false;
    if (!authzid.size) return true;
    for (size_t i = 0; i < authzid.size; i++) {
        if (!authzid.data[i]) return false;
        text[i] = (char)authzid.data[i];
    }
    text[authzid.size] = 0;
    writer_init_fixed(&w, wide, sizeof(wide));
    utf16_from_utf8(&w, text);
    bool valid = status_ok(writer_status(&w));
    writer_free(&w);
    return valid;
}

uint8_t sasl_layers_from(bool integrity, bool privacy)
{
    if (privacy) return SASL_LAYER_PRIVACY;
    return integrity ? PROTECTING : SASL_LAYERS;
}

status_t sasl_layer_choose(uint8_t layers, uint8_t *layer)
{
    layers &= SASL_LAYERS;
    if (!layers) return SEC_E_QOP_NOT_SUPPORTED;
    *layer = (uint8_t)(layers & (0u - layers));
    return SEC_E_OK;
}

uint32_t sasl_text_size(uint32_t message_size, uint32_t overhead)
{
    return message_size > overhead ? message_size - overhead : 0;
}

/* ---- exported contexts ---- */

/* layer u8 | authz_forbidden u8 | send_size u32 | receive_size u32 | authzid behind its length u16;
 * little endian. */
void sasl_body_write(const struct sasl_body *body, struct writer *w)
{
    writer_u8(w, body->layer);
    writer_u8(w, body->authz_forbidden);
    writer_u32le(w, body->send_size);
    writer_u32le(w, body->receive_size);
    size_t mark = writer_open_u16le(w);
    writer_slice(w, body->authzid);
    writer_close_u16le(w, mark);
}

status_t sasl_body_read(struct reader *r, struct sasl_body *out)
{
    struct sasl_body body = {.layer = reader_u8(r)};
    uint8_t forbidden = reader_u8(r);
    body.authz_forbidden = forbidden;
    body.send_size = reader_u32le(r);
    body.receive_size = reader_u32le(r);
    body.authzid = reader_bytes(r, reader_u16le(r));
    bool good = reader_ok(r) && forbidden <= 1 && (!body.layer || is_one_layer(body.layer)) &&
                body.send_size <= SASL_SIZE_MAX && body.receive_size <= SASL_SIZE_MAX &&
                sasl_authzid_valid(body.authzid);
    if (!good) return SEC_E_INVALID_TOKEN;
    *out = body;
    return SEC_E_OK;
}
