/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NTLM, Kerberos and Negotiate by SSPI for an interoperability test; see sspi_side.h. */
#include "sspi_side.h"

#include "identities.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_LIMIT = 48000, NTLM_SIGNATURE = 16 };

static const struct {
    SECURITY_STATUS status;
    const char *name;
} status_names[] = {
    {SEC_E_BAD_BINDINGS, "SEC_E_BAD_BINDINGS"},
    {SEC_E_CONTEXT_EXPIRED, "SEC_E_CONTEXT_EXPIRED"},
    {SEC_E_INSUFFICIENT_MEMORY, "SEC_E_INSUFFICIENT_MEMORY"},
    {SEC_E_INTERNAL_ERROR, "SEC_E_INTERNAL_ERROR"},
    {SEC_E_INVALID_HANDLE, "SEC_E_INVALID_HANDLE"},
    {SEC_E_INVALID_TOKEN, "SEC_E_INVALID_TOKEN"},
    {SEC_E_LOGON_DENIED, "SEC_E_LOGON_DENIED"},
    {SEC_E_MESSAGE_ALTERED, "SEC_E_MESSAGE_ALTERED"},
    {SEC_E_NO_CREDENTIALS, "SEC_E_NO_CREDENTIALS"},
    {SEC_E_NO_AUTHENTICATING_AUTHORITY, "SEC_E_NO_AUTHENTICATING_AUTHORITY"},
    {SEC_E_NOT_OWNER, "SEC_E_NOT_OWNER"},
    {SEC_E_OUT_OF_SEQUENCE, "SEC_E_OUT_OF_SEQUENCE"},
    {SEC_E_QOP_NOT_SUPPORTED, "SEC_E_QOP_NOT_SUPPORTED"},
    {SEC_E_SECPKG_NOT_FOUND, "SEC_E_SECPKG_NOT_FOUND"},
    {SEC_E_TARGET_UNKNOWN, "SEC_E_TARGET_UNKNOWN"},
    {SEC_E_TIME_SKEW, "SEC_E_TIME_SKEW"},
    {SEC_E_UNSUPPORTED_FUNCTION, "SEC_E_UNSUPPORTED_FUNCTION"},
    {SEC_E_WRONG_PRINCIPAL, "SEC_E_WRONG_PRINCIPAL"},
};

static const char *sspi_status_name(uint32_t status)
{
    static char number[16];
    for (unsigned i = 0; i < sizeof(status_names) / sizeof(status_names[0]); i++) {
        if (status_names[i].status == (SECURITY_STATUS)status) return status_names[i].name;
    }
    snprintf(number, sizeof(number), "0x%08x", (unsigned)status);
    return number;
}

bool sspi_side_fail(struct dialogue *dialogue, const char *step, SECURITY_STATUS status)
{
    return dialogue_fail(dialogue, step, sspi_status_name((uint32_t)status));
}

void sspi_side_clear(struct sspi_side *side)
{
    if (side->have_context) DeleteSecurityContext(&side->context);
    if (side->have_credential) FreeCredentialsHandle(&side->credential);
    memset(side, 0, sizeof(*side));
}

/* What EncryptMessage gives is a token in front, the data in its place and perhaps padding behind;
 * side by side they are what the peer calls a wrap token. */
static uint32_t side_seal(void *context, const struct octets *text, struct octets *sealed)
{
    struct sspi_side *side = context;
    SecPkgContext_Sizes sizes;
    struct octets work = {0};
    SECURITY_STATUS status = QueryContextAttributesW(&side->context, SECPKG_ATTR_SIZES, &sizes);
    if (status != SEC_E_OK) return (uint32_t)status;
    const size_t trailer = sizes.cbSecurityTrailer, block = sizes.cbBlockSize;
    if (!octets_alloc(&work, trailer + text->size + block)) {
        return (uint32_t)SEC_E_INSUFFICIENT_MEMORY;
    }
    memcpy(work.data + trailer, text->data, text->size);
    SecBuffer buffers[3] = {
        {(ULONG)trailer, SECBUFFER_TOKEN, work.data},
        {(ULONG)text->size, SECBUFFER_DATA, work.data + trailer},
        {(ULONG)block, SECBUFFER_PADDING, work.data + trailer + text->size},
    };
    SecBufferDesc desc = {SECBUFFER_VERSION, block ? 3 : 2, buffers};
    status = EncryptMessage(&side->context, side->qop, &desc, 0);
    if (status == SEC_E_OK) {
        const struct dialogue_parts parts = {
            .token = {buffers[0].pvBuffer, buffers[0].cbBuffer},
            .data = {buffers[1].pvBuffer, buffers[1].cbBuffer},
            .padding = {buffers[2].pvBuffer, buffers[2].cbBuffer},
        };
        const bool joined = side->ask & ASK_DCE_STYLE ? dialogue_join(&parts, sealed)
                                                      : dialogue_concatenate(&parts, sealed);
        if (!joined) status = SEC_E_INSUFFICIENT_MEMORY;
    }
    octets_clear(&work);
    return (uint32_t)status;
}

static uint32_t unseal_stream(struct sspi_side *side, const struct octets *sealed,
                              struct octets *text)
{
    SecBuffer buffers[2] = {{(ULONG)sealed->size, SECBUFFER_STREAM, sealed->data},
                            {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    SECURITY_STATUS status = DecryptMessage(&side->context, &desc, 0, NULL);
    if (status != SEC_E_OK) return (uint32_t)status;
    if (!octets_alloc(text, buffers[1].cbBuffer)) return (uint32_t)SEC_E_INSUFFICIENT_MEMORY;
    memcpy(text->data, buffers[1].pvBuffer, text->size);
    return 0;
}

static uint32_t unseal_parts(struct sspi_side *side, const struct dialogue_parts *parts,
                             struct octets *text)
{
    SecBuffer buffers[3] = {
        {(ULONG)parts->token.size, SECBUFFER_TOKEN, parts->token.data},
        {(ULONG)parts->data.size, SECBUFFER_DATA, parts->data.data},
        {(ULONG)parts->padding.size, SECBUFFER_PADDING, parts->padding.data},
    };
    SecBufferDesc desc = {SECBUFFER_VERSION, parts->padding.size ? 3 : 2, buffers};
    SECURITY_STATUS status = DecryptMessage(&side->context, &desc, 0, NULL);
    if (status != SEC_E_OK) return (uint32_t)status;
    if (!octets_alloc(text, buffers[1].cbBuffer)) return (uint32_t)SEC_E_INSUFFICIENT_MEMORY;
    memcpy(text->data, buffers[1].pvBuffer, text->size);
    return 0;
}

/* NTLM's token is always in front; a token of Kerberos as GSS-API makes it has an end as well. */
static uint32_t side_unseal(void *context, const struct octets *sealed, struct octets *text)
{
    struct sspi_side *side = context;
    SecPkgContext_Sizes sizes;
    struct dialogue_parts parts = {.padding = {0}};
    struct octets work = {0};
    SECURITY_STATUS status = QueryContextAttributesW(&side->context, SECPKG_ATTR_SIZES, &sizes);
    if (status != SEC_E_OK) return (uint32_t)status;
    if (!octets_alloc(&work, sealed->size)) return (uint32_t)SEC_E_INSUFFICIENT_MEMORY;
    memcpy(work.data, sealed->data, sealed->size);
    const size_t trailer = sizes.cbSecurityTrailer;
    const bool split = trailer == NTLM_SIGNATURE && side->opened++ % 2 == 0;
    uint32_t result = (uint32_t)SEC_E_INVALID_TOKEN;
    if (side->ask & ASK_DCE_STYLE) {
        if (dialogue_split(&work, &parts)) result = unseal_parts(side, &parts, text);
    } else if (!split) {
        result = unseal_stream(side, &work, text);
    } else if (work.size >= trailer) {
        parts.token = (struct octets){work.data, trailer};
        parts.data = (struct octets){work.data + trailer, work.size - trailer};
        result = unseal_parts(side, &parts, text);
    }
    octets_clear(&work);
    return result;
}

static uint32_t side_sign(void *context, const struct octets *text, struct octets *signature)
{
    struct sspi_side *side = context;
    SecPkgContext_Sizes sizes;
    SECURITY_STATUS status = QueryContextAttributesW(&side->context, SECPKG_ATTR_SIZES, &sizes);
    if (status != SEC_E_OK) return (uint32_t)status;
    if (!octets_alloc(signature, sizes.cbMaxSignature)) return (uint32_t)SEC_E_INSUFFICIENT_MEMORY;
    SecBuffer buffers[2] = {
        {(ULONG)text->size, SECBUFFER_DATA, text->data},
        {(ULONG)signature->size, SECBUFFER_TOKEN, signature->data},
    };
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    status = MakeSignature(&side->context, 0, &desc, 0);
    signature->size = buffers[1].cbBuffer;
    if (status != SEC_E_OK) octets_clear(signature);
    return (uint32_t)status;
}

static uint32_t side_verify(void *context, const struct octets *text,
                            const struct octets *signature)
{
    struct sspi_side *side = context;
    SecBuffer buffers[2] = {
        {(ULONG)text->size, SECBUFFER_DATA, text->data},
        {(ULONG)signature->size, SECBUFFER_TOKEN, signature->data},
    };
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    return (uint32_t)VerifySignature(&side->context, &desc, 0, NULL);
}

/* result: what send or recv gave. */
static const char *channel_failure(int result)
{
    return result < 0 && WSAGetLastError() == WSAETIMEDOUT ? dialogue_silent : dialogue_closed;
}

static const char *side_write(intptr_t channel, const uint8_t *bytes, size_t count)
{
    while (count) {
        int done = send((SOCKET)channel, (const char *)bytes, (int)count, 0);
        if (done <= 0) return channel_failure(done);
        bytes += done;
        count -= (size_t)done;
    }
    return NULL;
}

static const char *side_read(intptr_t channel, uint8_t *bytes, size_t count)
{
    while (count) {
        int done = recv((SOCKET)channel, (char *)bytes, (int)count, 0);
        if (done <= 0) return channel_failure(done);
        bytes += done;
        count -= (size_t)done;
    }
    return NULL;
}

const struct dialogue_ops sspi_side_ops = {
    .seal = side_seal,
    .unseal = side_unseal,
    .sign = side_sign,
    .verify = side_verify,
    .status_name = sspi_status_name,
    .write = side_write,
    .read = side_read,
};

static void widen(WCHAR *to, int capacity, const char *from)
{
    if (!MultiByteToWideChar(CP_UTF8, 0, from, -1, to, capacity)) to[0] = 0;
}

bool sspi_side_acquire(struct dialogue *dialogue, const struct options *options)
{
    struct sspi_side *side = dialogue->context;
    WCHAR package[sizeof(side->package)];
    WCHAR user[sizeof(options->user)], domain[sizeof(options->domain)];
    WCHAR password[sizeof(options->password)];
    memcpy(side->package, options->package, sizeof(side->package));
    memcpy(side->target, options->target, sizeof(side->target));
    memcpy(side->bindings, options->bindings, sizeof(side->bindings));
    side->ask = options->ask;
    widen(package, sizeof(side->package), side->package);
    widen(user, sizeof(options->user), options->user);
    widen(domain, sizeof(options->domain), options->domain);
    widen(password, sizeof(options->password), options->password);
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(user, domain, password);
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, package, options->server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL,
        options->server || options->by_default ? NULL : &identity, NULL, NULL, &side->credential,
        NULL);
    if (status != SEC_E_OK) return sspi_side_fail(dialogue, "acquire", status);
    side->have_credential = true;
    return true;
}

SECURITY_STATUS sspi_side_import(const struct sspi_side *side, const struct octets *blob,
                                 CtxtHandle *context)
{
    WCHAR package[sizeof(side->package)];
    SecBuffer packed = {(ULONG)blob->size, SECBUFFER_TOKEN, blob->data};
    widen(package, sizeof(side->package), side->package);
    return ImportSecurityContextW(package, &packed, NULL, context);
}

struct bindings {
    SEC_CHANNEL_BINDINGS head;
    char data[64];
};

/* False without. */
static bool fill_bindings(const struct sspi_side *side, struct bindings *bindings,
                          SecBuffer *buffer)
{
    const size_t size = strlen(side->bindings);
    memset(bindings, 0, sizeof(*bindings));
    bindings->head.cbApplicationDataLength = (ULONG)size;
    bindings->head.dwApplicationDataOffset = offsetof(struct bindings, data);
    memcpy(bindings->data, side->bindings, size);
    *buffer = (SecBuffer){(ULONG)(sizeof(bindings->head) + size), SECBUFFER_CHANNEL_BINDINGS,
                          bindings};
    return size != 0;
}

static SECURITY_STATUS client_call(struct sspi_side *side, SecBufferDesc *in, SecBufferDesc *out)
{
    WCHAR target[sizeof(side->target)];
    ULONG wanted = ISC_REQ_INTEGRITY | ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT, attributes;
    if (side->qop != SECQOP_WRAP_NO_ENCRYPT) wanted |= ISC_REQ_CONFIDENTIALITY;
    if (side->ask & ASK_MUTUAL) wanted |= ISC_REQ_MUTUAL_AUTH;
    if (side->ask & ASK_DELEGATE) wanted |= ISC_REQ_DELEGATE | ISC_REQ_MUTUAL_AUTH;
    if (side->ask & ASK_DCE_STYLE) wanted |= ISC_REQ_USE_DCE_STYLE;
    widen(target, sizeof(side->target), side->target);
    return InitializeSecurityContextW(
        &side->credential, side->have_context ? &side->context : NULL, target, wanted, 0,
        SECURITY_NATIVE_DREP, in->cBuffers ? in : NULL, 0, &side->context, out, &attributes, NULL);
}

static SECURITY_STATUS server_call(struct sspi_side *side, SecBufferDesc *in, SecBufferDesc *out)
{
    ULONG wanted = ASC_REQ_INTEGRITY, attributes;
    if (side->qop != SECQOP_WRAP_NO_ENCRYPT) wanted |= ASC_REQ_CONFIDENTIALITY;
    if (side->ask & ASK_MUTUAL) wanted |= ASC_REQ_MUTUAL_AUTH;
    if (side->ask & ASK_DELEGATE) wanted |= ASC_REQ_DELEGATE;
    if (side->ask & ASK_DCE_STYLE) wanted |= ASC_REQ_USE_DCE_STYLE;
    return AcceptSecurityContext(&side->credential, side->have_context ? &side->context : NULL, in,
                                 wanted, SECURITY_NATIVE_DREP, &side->context, out, &attributes,
                                 NULL);
}

/* One call to the package: takes the peer's token, sends ours. */
static bool side_step(struct dialogue *dialogue, const struct octets *in)
{
    struct sspi_side *side = dialogue->context;
    static uint8_t token[TOKEN_LIMIT];
    struct bindings bindings;
    SecBuffer in_buffers[2], out_buffer = {sizeof(token), SECBUFFER_TOKEN, token};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 0, in_buffers};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out_buffer};
    if (in->data) {
        in_buffers[in_desc.cBuffers++] = (SecBuffer){(ULONG)in->size, SECBUFFER_TOKEN, in->data};
    }
    if (fill_bindings(side, &bindings, &in_buffers[in_desc.cBuffers])) in_desc.cBuffers++;
    SECURITY_STATUS status = dialogue->server ? server_call(side, &in_desc, &out_desc)
                                              : client_call(side, &in_desc, &out_desc);
    if (status != SEC_E_OK && status != SEC_I_CONTINUE_NEEDED) {
        return sspi_side_fail(dialogue, dialogue->server ? "accept" : "initiate", status);
    }
    side->have_context = true;
    side->complete = status == SEC_E_OK;
    side->legs++;
    if (!out_buffer.cbBuffer) return true;
    return dialogue_send_token(dialogue, token, out_buffer.cbBuffer);
}

static bool side_leg(struct dialogue *dialogue)
{
    const struct sspi_side *side = dialogue->context;
    const bool first = !dialogue->server && !side->legs;
    struct octets token = {0};
    if (!first && !dialogue_receive(dialogue, &token)) return false;
    bool good = side_step(dialogue, &token);
    octets_clear(&token);
    return good;
}

/* ASC_RET_ has the numbers of ISC_RET_ here, but for integrity. Kerberos grants what is asked for
 * and nothing else. */
static bool check_flags(struct dialogue *dialogue)
{
    struct sspi_side *side = dialogue->context;
    const ULONG mask = ISC_RET_MUTUAL_AUTH | ISC_RET_DELEGATE | ISC_RET_USED_DCE_STYLE;
    SecPkgContext_Flags flags = {0};
    SECURITY_STATUS status = QueryContextAttributesW(&side->context, SECPKG_ATTR_FLAGS, &flags);
    if (status != SEC_E_OK) return sspi_side_fail(dialogue, "flags", status);
    ULONG wanted = dialogue->server ? ASC_RET_INTEGRITY : ISC_RET_INTEGRITY, asked = 0;
    if (side->qop != SECQOP_WRAP_NO_ENCRYPT) wanted |= ISC_RET_CONFIDENTIALITY;
    if ((flags.Flags & wanted) != wanted) {
        return dialogue_fail(dialogue, "flags", "no sealing or no signing");
    }
    if (side->ask & ASK_MUTUAL) asked |= ISC_RET_MUTUAL_AUTH;
    if (side->ask & ASK_DELEGATE) asked |= ISC_RET_DELEGATE;
    if (side->ask & ASK_DCE_STYLE) asked |= ISC_RET_USED_DCE_STYLE;
    if (strcmp(side->package, "Kerberos") || (flags.Flags & mask) == asked) return true;
    printf("flags: 0x%lx\n", flags.Flags);
    return dialogue_fail(dialogue, "flags", "not those that were asked for");
}

bool sspi_side_authenticate(struct dialogue *dialogue, uint32_t legs)
{
    const struct sspi_side *side = dialogue->context;
    while (!side->complete && (!legs || side->legs < legs)) {
        if (!side_leg(dialogue)) return false;
    }
    return !side->complete || check_flags(dialogue);
}

bool sspi_side_print_client(struct dialogue *dialogue)
{
    struct sspi_side *side = dialogue->context;
    SecPkgContext_NamesW names = {0};
    char text[128];
    SECURITY_STATUS status = QueryContextAttributesW(&side->context, SECPKG_ATTR_NAMES, &names);
    if (status != SEC_E_OK) return sspi_side_fail(dialogue, "names", status);
    if (!WideCharToMultiByte(CP_UTF8, 0, names.sUserName, -1, text, sizeof(text), NULL, NULL)) {
        text[0] = 0;
    }
    FreeContextBuffer(names.sUserName);
    printf("client: %s\n", text);
    return true;
}

bool sspi_side_print_key(struct dialogue *dialogue)
{
    struct sspi_side *side = dialogue->context;
    SecPkgContext_SessionKey key = {0};
    SECURITY_STATUS status = QueryContextAttributesW(&side->context, SECPKG_ATTR_SESSION_KEY, &key);
    if (status != SEC_E_OK) return sspi_side_fail(dialogue, "key", status);
    printf("key: ");
    for (ULONG i = 0; i < key.SessionKeyLength; i++) printf("%02x", key.SessionKey[i]);
    printf("\n");
    FreeContextBuffer(key.SessionKey);
    return true;
}

bool sspi_side_use_delegated(struct dialogue *dialogue)
{
    struct sspi_side *side = dialogue->context, second = {0};
    struct options options = {
        .by_default = true, .package = "Kerberos", .target = "other/localhost"};
    struct dialogue for_client = {.context = &second};
    static uint8_t token[TOKEN_LIMIT];
    SecBuffer out_buffer = {sizeof(token), SECBUFFER_TOKEN, token};
    SecBufferDesc in = {SECBUFFER_VERSION, 0, NULL}, out = {SECBUFFER_VERSION, 1, &out_buffer};
    SecPkgCredentials_NamesW names = {0};
    SECURITY_STATUS status = ImpersonateSecurityContext(&side->context);
    if (status != SEC_E_OK) return sspi_side_fail(dialogue, "impersonate", status);
    bool good = sspi_side_acquire(&for_client, &options) ||
                dialogue_fail(dialogue, "delegated", for_client.failure);
    if (good) {
        status = client_call(&second, &in, &out);
        second.have_context = status == SEC_E_OK || status == SEC_I_CONTINUE_NEEDED;
        good = second.have_context || sspi_side_fail(dialogue, "delegated", status);
    }
    if (good && QueryCredentialsAttributesW(&second.credential, SECPKG_CRED_ATTR_NAMES, &names) ==
                    SEC_E_OK) {
        printf("delegated: %ls\n", names.sUserName);
        FreeContextBuffer(names.sUserName);
    }
    sspi_side_clear(&second);
    RevertSecurityContext(&side->context);
    return good;
}
