/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See exchange.h. The content differs from message to message, so that one taken for another would
 * be seen, and so do the sizes, from one byte to several thousand. Sealed text is compared with the
 * plain text: a package that only pretends to encrypt does not pass.
 */
#include "exchange.h"

#include "message.h"

#include <string.h>

#define EXCHANGE_TEXT_MAX 3000

/* Always false, so that a caller can fail and say why in one statement. */
static bool exchange_fail(struct exchange *exchange, const char *problem, SECURITY_STATUS status)
{
    exchange->problem = problem;
    exchange->status = status;
    return false;
}

static size_t exchange_text(unsigned number, uint8_t text[EXCHANGE_TEXT_MAX])
{
    size_t size = 1 + number * 397u % EXCHANGE_TEXT_MAX;
    for (size_t i = 0; i < size; i++) text[i] = (uint8_t)(i * 7u + number * 31u + (i >> 8));
    return size;
}

static bool exchange_same(struct slice a, struct slice b)
{
    return a.size == b.size && !memcmp(a.data, b.data, a.size);
}

static bool exchange_sealed(CtxtHandle *from, CtxtHandle *to, const SecPkgContext_Sizes *sizes,
                            struct slice plain, struct exchange *exchange)
{
    bool result = false;
    struct writer w;
    writer_init(&w);
    struct slice opened;
    SECURITY_STATUS status = message_seal(from, sizes, plain, &w);
    if (status != SEC_E_OK) {
        exchange_fail(exchange, "sealing", status);
        goto done;
    }
    /* A short message may look like its plain text by chance. */
    if (plain.size >= 16 && !memcmp(w.data + w.size - plain.size, plain.data, plain.size)) {
        exchange_fail(exchange, "sealing left the text readable", SEC_E_OK);
        goto done;
    }
    status = message_open(to, w.data, w.size, &opened);
    if (status != SEC_E_OK) {
        exchange_fail(exchange, "opening a sealed message", status);
        goto done;
    }
    result = exchange_same(opened, plain) ||
             exchange_fail(exchange, "the opened text is not what was sealed", SEC_E_OK);
done:
    writer_free(&w);
    return result;
}

static bool exchange_signed(CtxtHandle *from, CtxtHandle *to, const SecPkgContext_Sizes *sizes,
                            struct slice plain, struct exchange *exchange)
{
    bool result = false;
    struct writer w;
    writer_init(&w);
    struct slice verified;
    SECURITY_STATUS status = message_sign(from, sizes, plain, &w);
    if (status != SEC_E_OK) {
        exchange_fail(exchange, "signing", status);
        goto done;
    }
    status = message_verify(to, w.data, w.size, &verified);
    if (status != SEC_E_OK) {
        exchange_fail(exchange, "verifying a signature", status);
        goto done;
    }
    result = exchange_same(verified, plain) ||
             exchange_fail(exchange, "the signed text has changed", SEC_E_OK);
done:
    writer_free(&w);
    return result;
}

/* Sealing and signing take turns: with NTLM both advance the same counters and streams. */
static bool exchange_one_way(CtxtHandle *from, CtxtHandle *to, struct exchange *exchange)
{
    SecPkgContext_Sizes sizes;
    SECURITY_STATUS status = QueryContextAttributesW(from, SECPKG_ATTR_SIZES, &sizes);
    if (status != SEC_E_OK) return exchange_fail(exchange, "asking for the sizes", status);
    uint8_t text[EXCHANGE_TEXT_MAX];
    struct slice plain = {text, exchange_text(exchange->sealed + exchange->verified, text)};
    if (!exchange_sealed(from, to, &sizes, plain, exchange)) return false;
    exchange->sealed++;
    if (!exchange_signed(from, to, &sizes, plain, exchange)) return false;
    exchange->verified++;
    return true;
}

bool exchange_run(CtxtHandle *client, CtxtHandle *server, unsigned rounds,
                  struct exchange *exchange)
{
    for (unsigned i = 0; i < rounds; i++) {
        if (!exchange_one_way(client, server, exchange)) return false;
        if (!exchange_one_way(server, client, exchange)) return false;
    }
    return true;
}
