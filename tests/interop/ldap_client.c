/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An LDAP client (RFC 4511) that binds with a SASL profile of this project and then asks the server
 * over and over, in the layer that was agreed on, who it is (RFC 4532). --package Negotiate means
 * GSS-SPNEGO, any other GSSAPI.
 */
#include "../../tools/handover/sockets.h"
#include "core/der.h"
#include "sspi_side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTEGER 0x02u
#define BIND_REQUEST DER_APPLICATION(0)
#define BIND_RESPONSE DER_APPLICATION(1)
#define EXTENDED_REQUEST DER_APPLICATION(23)
#define EXTENDED_RESPONSE DER_APPLICATION(24)
#define SASL_CREDENTIALS DER_CONTEXT(3)
#define SERVER_CREDENTIALS 0x87u
#define REQUEST_NAME 0x80u
#define RESPONSE_VALUE 0x8bu

enum { TOKEN_LIMIT = 16384, SUCCESS = 0, IN_PROGRESS = 14 };

struct ldap {
    struct dialogue dialogue;
    struct sspi_side side;
    const struct options *options;
    bool layered;
    uint8_t id;
};

struct answer {
    struct octets message;
    uint8_t code;
    struct slice extra; /* credentials or value */
};

static struct slice text_slice(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

/* ---- messages on the wire ---- */

static bool ldap_fail(struct ldap *ldap, const char *step, const char *reason)
{
    return dialogue_fail(&ldap->dialogue, step, reason);
}

static bool write_all(struct ldap *ldap, const void *bytes, size_t size)
{
    const char *failure = sspi_side_ops.write(ldap->dialogue.channel, bytes, size);
    return !failure || ldap_fail(ldap, "connection", failure);
}

static bool read_all(struct ldap *ldap, void *bytes, size_t size)
{
    const char *failure = sspi_side_ops.read(ldap->dialogue.channel, bytes, size);
    return !failure || ldap_fail(ldap, "connection", failure);
}

static bool send_message(struct ldap *ldap, const struct writer *w)
{
    if (!status_ok(writer_status(w))) return ldap_fail(ldap, "encode", "no room");
    if (!ldap->layered) return write_all(ldap, w->data, w->size);
    const struct octets text = {w->data, w->size};
    struct octets sealed = {0};
    uint32_t status = sspi_side_ops.seal(&ldap->side, &text, &sealed);
    if (status) return sspi_side_fail(&ldap->dialogue, "seal", (SECURITY_STATUS)status);
    const uint8_t length[] = {(uint8_t)(sealed.size >> 24), (uint8_t)(sealed.size >> 16),
                              (uint8_t)(sealed.size >> 8), (uint8_t)sealed.size};
    bool good = write_all(ldap, length, sizeof(length)) &&
                write_all(ldap, sealed.data, sealed.size);
    octets_clear(&sealed);
    return good;
}

static bool receive_sealed(struct ldap *ldap, struct octets *message)
{
    uint8_t length[4];
    struct octets sealed = {0};
    if (!read_all(ldap, length, sizeof(length))) return false;
    size_t size = (size_t)length[0] << 24 | length[1] << 16 | length[2] << 8 | length[3];
    if (size > DIALOGUE_MAX_FRAME || !octets_alloc(&sealed, size))
        return ldap_fail(ldap, "receive", "too long");
    bool good = read_all(ldap, sealed.data, size);
    if (good) {
        uint32_t status = sspi_side_ops.unseal(&ldap->side, &sealed, message);
        good = !status || sspi_side_fail(&ldap->dialogue, "unseal", (SECURITY_STATUS)status);
    }
    octets_clear(&sealed);
    return good;
}

/* Tag and length come first, the length in one to three octets. */
static bool receive_plain(struct ldap *ldap, struct octets *message)
{
    uint8_t head[4];
    if (!read_all(ldap, head, 2)) return false;
    size_t more = head[1] & 0x80 ? head[1] & 0x7Fu : 0, size = head[1];
    if (more > 2) return ldap_fail(ldap, "receive", "too long");
    if (!read_all(ldap, head + 2, more)) return false;
    if (more == 1) size = head[2];
    if (more == 2) size = (size_t)head[2] << 8 | head[3];
    if (!octets_alloc(message, 2 + more + size)) return ldap_fail(ldap, "receive", "no memory");
    memcpy(message->data, head, 2 + more);
    return read_all(ldap, message->data + 2 + more, size);
}

static bool receive_answer(struct ldap *ldap, uint8_t operation, uint8_t extra,
                           struct answer *answer)
{
    struct reader r, message, result;
    bool good = ldap->layered ? receive_sealed(ldap, &answer->message)
                              : receive_plain(ldap, &answer->message);
    if (!good) return false;
    reader_init(&r, answer->message.data, answer->message.size);
    der_enter(&r, DER_SEQUENCE, &message);
    struct slice id = der_bytes(&message, INTEGER);
    der_enter(&message, operation, &result);
    struct slice code = der_bytes(&result, DER_ENUMERATED);
    der_bytes(&result, DER_OCTET_STRING);
    struct slice text = der_bytes(&result, DER_OCTET_STRING);
    if (der_next_is(&result, extra)) answer->extra = der_bytes(&result, extra);
    if (!reader_ok(&result) || id.size != 1 || id.data[0] != ldap->id || code.size != 1)
        return ldap_fail(ldap, "receive", "not the answer");
    answer->code = code.data[0];
    if (answer->code) printf("code %u: %.*s\n", answer->code, (int)text.size, text.data);
    return true;
}

static size_t begin_message(struct ldap *ldap, struct writer *w)
{
    size_t mark = der_open(w, DER_SEQUENCE);
    ldap->id = ldap->id % 100 + 1;
    der_write(w, INTEGER, (struct slice){&ldap->id, 1});
    return mark;
}

/* ---- operations ---- */

static bool send_bind(struct ldap *ldap, struct slice token)
{
    static const uint8_t version = 3;
    bool spnego = !strcmp(ldap->options->package, "Negotiate");
    struct writer w;
    writer_init(&w);
    size_t whole = begin_message(ldap, &w), request = der_open(&w, BIND_REQUEST);
    der_write(&w, INTEGER, (struct slice){&version, 1});
    der_write(&w, DER_OCTET_STRING, text_slice(""));
    size_t credentials = der_open(&w, SASL_CREDENTIALS);
    der_write(&w, DER_OCTET_STRING, text_slice(spnego ? "GSS-SPNEGO" : "GSSAPI"));
    der_write(&w, DER_OCTET_STRING, token);
    der_close(&w, credentials);
    der_close(&w, request);
    der_close(&w, whole);
    bool good = send_message(ldap, &w);
    writer_free(&w);
    return good;
}

static ULONG requirements(const struct ldap *ldap)
{
    if (!strcmp(ldap->options->layer, "privacy"))
        return ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY;
    return strcmp(ldap->options->layer, "integrity") ? 0 : ISC_REQ_INTEGRITY;
}

static SECURITY_STATUS leg(struct ldap *ldap, struct slice input, uint8_t *made, size_t *size)
{
    struct sspi_side *side = &ldap->side;
    WCHAR target[] = L"ldap/localhost";
    SecBuffer in = {(ULONG)input.size, SECBUFFER_TOKEN, (void *)input.data};
    SecBuffer out = {TOKEN_LIMIT, SECBUFFER_TOKEN, made};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle *context = side->have_context ? &side->context : NULL;
    ULONG attributes;
    SECURITY_STATUS status = SaslInitializeSecurityContextW(
        &side->credential, context, target, requirements(ldap), 0, SECURITY_NATIVE_DREP,
        context ? &in_desc : NULL, 0, &side->context, &out_desc, &attributes, NULL);
    if (status < 0) {
        sspi_side_fail(&ldap->dialogue, "initiate", status);
        return status;
    }
    side->have_context = true;
    *size = out.cbBuffer;
    return status;
}

static bool bind_to(struct ldap *ldap)
{
    static uint8_t token[TOKEN_LIMIT];
    struct answer answer = {.code = IN_PROGRESS};
    SECURITY_STATUS status = SEC_I_CONTINUE_NEEDED;
    for (;;) {
        size_t size = 0;
        if (status != SEC_E_OK || answer.extra.size) status = leg(ldap, answer.extra, token, &size);
        octets_clear(&answer.message);
        if (status < 0) return false;
        if (answer.code == SUCCESS)
            return status == SEC_E_OK || ldap_fail(ldap, "bind", "the client is not done");
        answer = (struct answer){.code = 0};
        if (!send_bind(ldap, (struct slice){token, size})) return false;
        if (!receive_answer(ldap, BIND_RESPONSE, SERVER_CREDENTIALS, &answer)) return false;
        if (answer.code == SUCCESS || answer.code == IN_PROGRESS) continue;
        octets_clear(&answer.message);
        return ldap_fail(ldap, "bind", "refused");
    }
}

static bool who_am_i(struct ldap *ldap, bool print)
{
    struct answer answer = {.code = 0};
    struct writer w;
    writer_init(&w);
    size_t whole = begin_message(ldap, &w), request = der_open(&w, EXTENDED_REQUEST);
    der_write(&w, REQUEST_NAME, text_slice("1.3.6.1.4.1.4203.1.11.3"));
    der_close(&w, request);
    der_close(&w, whole);
    bool good = send_message(ldap, &w) &&
                receive_answer(ldap, EXTENDED_RESPONSE, RESPONSE_VALUE, &answer);
    writer_free(&w);
    if (good && answer.code) good = ldap_fail(ldap, "who am I", "refused");
    if (good && print)
        printf("identity: %.*s\n", (int)answer.extra.size, (const char *)answer.extra.data);
    octets_clear(&answer.message);
    return good;
}

static int run(const struct options *options)
{
    static struct ldap ldap;
    SOCKET channel = socket_connect(options->port);
    if (channel == INVALID_SOCKET) return EXIT_FAILURE;
    socket_prepare(channel, DIALOGUE_PATIENCE_SECONDS * 1000);
    bool integrity = !strcmp(options->layer, "integrity");
    ldap.options = options;
    ldap.dialogue = (struct dialogue){
        .ops = &sspi_side_ops, .context = &ldap.side, .channel = (intptr_t)channel};
    bool good = sspi_side_acquire(&ldap.dialogue, options) && bind_to(&ldap);
    ldap.layered = strcmp(options->layer, "none");
    /* With NTLM in GSS-SPNEGO, Cyrus seals whatever was agreed on. */
    if (integrity && (options->by_default || strcmp(options->package, "Negotiate")))
        ldap.side.qop = SECQOP_WRAP_NO_ENCRYPT;
    for (uint32_t i = 0; good && i < options->rounds; i++) good = who_am_i(&ldap, !i);
    closesocket(channel);
    sspi_side_clear(&ldap.side);
    return options_report(&ldap.dialogue, options);
}

int main(int argc, char **argv)
{
    WSADATA data;
    struct options options;
    if (WSAStartup(MAKEWORD(2, 2), &data)) return EXIT_FAILURE;
    int result = options_parse(&options, argc, argv) && !options.server ? run(&options) : 2;
    WSACleanup();
    return result;
}
