/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NTLM and Negotiate by SSPI for an interoperability test; see sspi_side.h. */
#include "sspi_side.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOKEN_LIMIT = 8192 };

static const struct {
    SECURITY_STATUS status;
    const char *name;
} status_names[] = {
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
    {SEC_E_UNSUPPORTED_FUNCTION, "SEC_E_UNSUPPORTED_FUNCTION"},
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

static uint32_t side_seal(void *context, const struct octets *text, struct octets *sealed)
{
    struct sspi_side *side = context;
    SecPkgContext_Sizes sizes;
    SECURITY_STATUS status = QueryContextAttributesW(&side->context, SECPKG_ATTR_SIZES, &sizes);
    if (status != SEC_E_OK) return (uint32_t)status;
    if (!octets_alloc(sealed, sizes.cbSecurityTrailer + text->size)) {
        return (uint32_t)SEC_E_INSUFFICIENT_MEMORY;
    }
    memcpy(sealed->data + sizes.cbSecurityTrailer, text->data, text->size);
    SecBuffer buffers[2] = {
        {sizes.cbSecurityTrailer, SECBUFFER_TOKEN, sealed->data},
        {(ULONG)text->size, SECBUFFER_DATA, sealed->data + sizes.cbSecurityTrailer},
    };
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    status = EncryptMessage(&side->context, side->qop, &desc, 0);
    if (status == SEC_E_OK && buffers[0].cbBuffer != sizes.cbSecurityTrailer) {
        status = SEC_E_INTERNAL_ERROR; /* the peer expects the two side by side */
    }
    if (status != SEC_E_OK) octets_clear(sealed);
    return (uint32_t)status;
}

static uint32_t side_unseal(void *context, const struct octets *sealed, struct octets *text)
{
    struct sspi_side *side = context;
    SecPkgContext_Sizes sizes;
    SECURITY_STATUS status = QueryContextAttributesW(&side->context, SECPKG_ATTR_SIZES, &sizes);
    if (status != SEC_E_OK) return (uint32_t)status;
    if (sealed->size < sizes.cbSecurityTrailer) return (uint32_t)SEC_E_INVALID_TOKEN;
    struct octets work = {0};
    if (!octets_alloc(&work, sealed->size)) return (uint32_t)SEC_E_INSUFFICIENT_MEMORY;
    memcpy(work.data, sealed->data, sealed->size);
    const ULONG size = (ULONG)(sealed->size - sizes.cbSecurityTrailer);
    SecBuffer whole[2] = {{(ULONG)work.size, SECBUFFER_STREAM, work.data},
                          {0, SECBUFFER_DATA, NULL}};
    SecBuffer split[2] = {{sizes.cbSecurityTrailer, SECBUFFER_TOKEN, work.data},
                          {size, SECBUFFER_DATA, work.data + sizes.cbSecurityTrailer}};
    SecBuffer *buffers = side->opened++ % 2 ? whole : split;
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, buffers};
    status = DecryptMessage(&side->context, &desc, 0, NULL);
    if (status == SEC_E_OK && !octets_alloc(text, buffers[1].cbBuffer)) {
        status = SEC_E_INSUFFICIENT_MEMORY;
    }
    if (status == SEC_E_OK) memcpy(text->data, buffers[1].pvBuffer, text->size);
    octets_clear(&work);
    return (uint32_t)status;
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
    widen(package, sizeof(side->package), side->package);
    widen(user, sizeof(options->user), options->user);
    widen(domain, sizeof(options->domain), options->domain);
    widen(password, sizeof(options->password), options->password);
    SEC_WINNT_AUTH_IDENTITY_W identity = {
        .User = (unsigned short *)user,
        .UserLength = (ULONG)wcslen(user),
        .Domain = (unsigned short *)domain,
        .DomainLength = (ULONG)wcslen(domain),
        .Password = (unsigned short *)password,
        .PasswordLength = (ULONG)wcslen(password),
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
    };
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, package, options->server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL,
        options->server ? NULL : &identity, NULL, NULL, &side->credential, NULL);
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

/* One call to the package: takes the peer's token, sends ours. */
static bool side_step(struct dialogue *dialogue, const struct octets *in)
{
    struct sspi_side *side = dialogue->context;
    WCHAR target[] = L"test/localhost";
    static uint8_t token[TOKEN_LIMIT];
    SecBuffer in_buffer = {(ULONG)in->size, SECBUFFER_TOKEN, in->data};
    SecBuffer out_buffer = {sizeof(token), SECBUFFER_TOKEN, token};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in_buffer};
    SecBufferDesc out_desc = {SECBUFFER_VERSION, 1, &out_buffer};
    SecBufferDesc *input = in->data ? &in_desc : NULL;
    CtxtHandle *context = side->have_context ? &side->context : NULL;
    SECURITY_STATUS status;
    ULONG attributes;
    if (dialogue->server) {
        status = AcceptSecurityContext(
            &side->credential, context, input, ASC_REQ_CONFIDENTIALITY | ASC_REQ_INTEGRITY,
            SECURITY_NATIVE_DREP, &side->context, &out_desc, &attributes, NULL);
    } else {
        status = InitializeSecurityContextW(&side->credential, context, target,
                                            ISC_REQ_CONFIDENTIALITY | ISC_REQ_INTEGRITY |
                                                ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT,
                                            0, SECURITY_NATIVE_DREP, input, 0, &side->context,
                                            &out_desc, &attributes, NULL);
    }
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

static bool side_is_protected(struct dialogue *dialogue)
{
    struct sspi_side *side = dialogue->context;
    SecPkgContext_Flags flags = {0};
    SECURITY_STATUS status = QueryContextAttributesW(&side->context, SECPKG_ATTR_FLAGS, &flags);
    if (status != SEC_E_OK) return sspi_side_fail(dialogue, "flags", status);
    const ULONG wanted = dialogue->server ? ASC_RET_CONFIDENTIALITY | ASC_RET_INTEGRITY
                                          : ISC_RET_CONFIDENTIALITY | ISC_RET_INTEGRITY;
    if ((flags.Flags & wanted) == wanted) return true;
    return dialogue_fail(dialogue, "flags", "no sealing or no signing");
}

bool sspi_side_authenticate(struct dialogue *dialogue, uint32_t legs)
{
    const struct sspi_side *side = dialogue->context;
    while (!side->complete && (!legs || side->legs < legs)) {
        if (!side_leg(dialogue)) return false;
    }
    return !side->complete || side_is_protected(dialogue);
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
