/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The security layer of the SASL mechanism GSSAPI (RFC 4752 3.1 to 3.3): once the context is there,
 * the server offers layers and the client chooses one, each with the largest protected message that
 * it takes. Both messages travel wrapped by the context; here is what is inside the wrapping. Also
 * what an exported context remembers of it.
 */
#pragma once

#include "core/writer.h"

#define SASL_LAYER_NONE 0x01u
#define SASL_LAYER_INTEGRITY 0x02u
#define SASL_LAYER_PRIVACY 0x04u /* and integrity */
#define SASL_LAYERS (SASL_LAYER_NONE | SASL_LAYER_INTEGRITY | SASL_LAYER_PRIVACY)

#define SASL_SIZE_MAX 0xFFFFFFu /* three octets */
#define SASL_OFFER_SIZE 4u      /* of an offer, and of a choice without an authorization identity */
#define SASL_AUTHZ_MAX 1024u    /* ours: longer authorization identities are refused */

struct sasl_offer {
    uint8_t layers; /* those that are known of the server's */
    uint32_t size;  /* 0 where no layer protects anything */
};

struct sasl_choice {
    uint8_t layer;
    uint32_t size;
    struct slice authzid; /* UTF-8; borrowed, may be empty */
};

/* SEC_E_INVALID_TOKEN for what contradicts RFC 4752; *out is untouched on failure. */
status_t sasl_offer_decode(struct slice text, struct sasl_offer *out);
status_t sasl_choice_decode(struct slice text, struct sasl_choice *out);

void sasl_offer_encode(struct writer *w, const struct sasl_offer *offer);
void sasl_choice_encode(struct writer *w, const struct sasl_choice *choice);

/* What can carry an authorization identity: UTF-8 without U+0000 (RFC 4422 3.4.1), not too long. */
bool sasl_authzid_valid(struct slice authzid);

/* The layers that protect at least as much as the weakest one asked for. */
uint8_t sasl_layers_from(bool integrity, bool privacy);

/* The weakest of the layers; SEC_E_QOP_NOT_SUPPORTED where there is none. */
status_t sasl_layer_choose(uint8_t layers, uint8_t *layer);

/* How much text fits into a message of that size, 0 if none does. */
uint32_t sasl_text_size(uint32_t message_size, uint32_t overhead);

/* ---- exported contexts ---- */

struct sasl_body {
    uint8_t layer;        /* one, or 0 where the context itself knows what it protects */
    bool authz_forbidden; /* an authorization identity was not to be there */
    uint32_t send_size, receive_size;
    struct slice authzid;
};

void sasl_body_write(const struct sasl_body *body, struct writer *w);

/* From the cursor on; SEC_E_INVALID_TOKEN for what was never written. */
status_t sasl_body_read(struct reader *r, struct sasl_body *out);
