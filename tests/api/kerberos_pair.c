/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See kerberos_pair.h. */
#include "kerberos_pair.h"

static const struct kerberos_kind kinds[] = {
    {"aes128-sha1", KERB_ETYPE_AES128_CTS_HMAC_SHA1_96, 16, 12, false},
    {"aes256-sha1", KERB_ETYPE_AES256_CTS_HMAC_SHA1_96, 32, 12, false},
    {"aes128-sha256", ETYPE_AES128_SHA256, 16, 16, false},
    {"aes256-sha384", ETYPE_AES256_SHA384, 32, 24, false},
    {"rc4", KERB_ETYPE_RC4_HMAC_NT, 16, 0, false},
    {"camellia256", ETYPE_CAMELLIA256, 32, 0, true},
};
static struct kerberos_kind asked;

const struct kerberos_kind *kerberos_kind;
struct kerberos_facts kerberos_facts;

static SECPKG_USER_FUNCTION_TABLE *user;
static struct kerberos_end ends[2];
static wchar_t target[256];

bool kerberos_has_module(void)
{
    return user != NULL;
}

SECPKG_USER_FUNCTION_TABLE *kerberos_module(void)
{
    return user;
}

/* A module that has no host takes its memory from the process heap. */
static bool module_open(void)
{
    ULONG version, count;
    HMODULE module = LoadLibraryW(L"ssp_kerberos.dll");
    SpUserModeInitializeFn get = module ? (void *)GetProcAddress(module, "SpUserModeInitialize")
                                        : NULL;
    return get && !get(SECPKG_INTERFACE_VERSION, &version, &user, &count) && count == 1;
}

/* The encryption type that the KDC gives, for a service of that name. */
static bool kind_find(const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        if (strcmp(kinds[i].name, name)) continue;
        asked = kinds[i];
        return true;
    }
    return false;
}

bool kerberos_begin(int argc, char **argv)
{
    if (argc > 2 && kind_find(argv[2]))
        return MultiByteToWideChar(CP_ACP, 0, argv[1], -1, target, 256) != 0;
    return kerberos_crypto() && running_on_ours() && module_open();
}

static void test_nothing(void)
{
    skip_case("the module ssp_kerberos");
}

int kerberos_nothing(const char *program)
{
    RUN(test_nothing);
    return test_end(program);
}

bool kerberos_next(void)
{
    const struct kerberos_kind *first = user ? kinds : &asked;
    const struct kerberos_kind *end = user ? kinds + sizeof(kinds) / sizeof(*kinds) : &asked + 1;
    const struct kerberos_kind *next = kerberos_kind ? kerberos_kind + 1 : first;
    while (user && next != end && next->library) next++;
    kerberos_kind = next == end ? NULL : next;
    return kerberos_kind;
}

/* ---- imported contexts ---- */

static SECURITY_STATUS import_end(struct kerberos_end *end, bool server, ULONG flags)
{
    BYTE room[4096];
    SecBuffer packed = {kerberos_body(server, flags, room, sizeof(room)), SECBUFFER_TOKEN, room};
    return user->ImportContext(&packed, NULL, &end->half);
}

/* ---- both forms ---- */

static struct loopback loop;

static SECURITY_STATUS loop_open(ULONG flags)
{
    SECURITY_STATUS status = loopback_open(&loop, L"Kerberos", NULL);
    if (status) return status;
    loop.target = target;
    loop.client_flags = flags;
    loop.server_flags = kerberos_server_flags(flags);
    return status;
}

SECURITY_STATUS pair_begin(ULONG flags)
{
    SECURITY_STATUS status = loop_open(flags);
    if (status) return status;
    status = loopback_client_leg(&loop);
    ends[0].context = loop.client;
    context_forget(&loop.client);
    loopback_close(&loop);
    return status;
}

static SECURITY_STATUS connect_ends(ULONG flags)
{
    SECURITY_STATUS status = loop_open(flags);
    if (status) return status;
    status = loopback_connect(&loop);
    if (!status) {
        ends[0].context = loop.client;
        ends[1].context = loop.server;
        context_forget(&loop.client);
        context_forget(&loop.server);
    }
    loopback_close(&loop);
    return status;
}

SECURITY_STATUS pair_connect(ULONG flags)
{
    context_forget(&ends[0].context);
    context_forget(&ends[1].context);
    ends[0].half = ends[1].half = 0;
    if (!user) return connect_ends(flags);
    SECURITY_STATUS status = import_end(&ends[0], false, flags);
    return status ? status : import_end(&ends[1], true, flags);
}

static void close_end(struct kerberos_end *end)
{
    if (end->half) user->DeleteUserModeContext(end->half);
    if (context_present(&end->context)) DeleteSecurityContext(&end->context);
    end->half = 0;
    context_forget(&end->context);
}

void pair_close(void)
{
    close_end(&ends[0]);
    close_end(&ends[1]);
}

static SECURITY_STATUS call_module(enum kerberos_call what, LSA_SEC_HANDLE half,
                                   SecBufferDesc *desc, ULONG *qop)
{
    switch (what) {
    case SIGN: return user->MakeSignature(half, qop ? *qop : 0, desc, 0);
    case VERIFY: return user->VerifySignature(half, desc, 0, qop);
    case SEAL: return user->SealMessage(half, qop ? *qop : 0, desc, 0);
    case OPEN: return user->UnsealMessage(half, desc, 0, qop);
    }
    return SEC_E_INTERNAL_ERROR;
}

SECURITY_STATUS kerberos_call_qop(enum kerberos_call what, struct kerberos_end *end,
                                  SecBufferDesc *desc, ULONG *qop)
{
    if (user) return call_module(what, end->half, desc, qop);
    switch (what) {
    case SIGN: return MakeSignature(&end->context, qop ? *qop : 0, desc, 0);
    case VERIFY: return VerifySignature(&end->context, desc, 0, qop);
    case SEAL: return EncryptMessage(&end->context, qop ? *qop : 0, desc, 0);
    case OPEN: return DecryptMessage(&end->context, desc, 0, qop);
    }
    return SEC_E_INTERNAL_ERROR;
}

SECURITY_STATUS kerberos_call(enum kerberos_call what, struct kerberos_end *end, SecBuffer *parts,
                              ULONG count)
{
    SecBufferDesc desc = {SECBUFFER_VERSION, count, parts};
    return kerberos_call_qop(what, end, &desc, NULL);
}

SECURITY_STATUS kerberos_query(struct kerberos_end *end, ULONG attribute, void *buffer)
{
    return user ? user->QueryContextAttributes(end->half, attribute, buffer)
                : QueryContextAttributesW(&end->context, attribute, buffer);
}

struct kerberos_end *pair_side(int i)
{
    return &ends[i % 2];
}

/* ---- messages ---- */

void text_fill(BYTE *bytes, ULONG size, BYTE seed)
{
    for (ULONG i = 0; i < size; i++) bytes[i] = (BYTE)(seed + i * 7 + i / 251);
}

void text_set(struct text *text, const void *bytes, ULONG size)
{
    memcpy(text->data, bytes, size);
    text->size = size;
    text->token_size = TOKEN_ROOM;
    text->padding_size = sizeof(text->padding);
}

SECURITY_STATUS text_call(enum kerberos_call what, struct kerberos_end *end, struct text *text)
{
    SecBuffer parts[3] = {{text->token_size, SECBUFFER_TOKEN, text->token},
                          {text->size, SECBUFFER_DATA, text->data},
                          {text->padding_size, SECBUFFER_PADDING, text->padding}};
    SECURITY_STATUS status = kerberos_call(what, end, parts, 3);
    text->token_size = parts[0].cbBuffer;
    text->padding_size = parts[2].cbBuffer;
    return status;
}

bool pair_talks(void)
{
    static const char words[] = "from the one to the other";
    for (int way = 0; way < 2; way++) {
        struct text text;
        text_set(&text, words, sizeof(words));
        if (text_call(SEAL, pair_side(way), &text) || text_call(OPEN, pair_side(way + 1), &text))
            return false;
        if (memcmp(text.data, words, sizeof(words))) return false;
        text_set(&text, words, sizeof(words));
        if (text_call(SIGN, pair_side(way), &text) || text_call(VERIFY, pair_side(way + 1), &text))
            return false;
    }
    return true;
}

ULONG wire_make(BYTE *wire, const void *plain, ULONG size, bool encrypt)
{
    struct text text;
    ULONG qop = encrypt ? 0 : SECQOP_WRAP_NO_ENCRYPT;
    text_set(&text, plain, size);
    SecBuffer parts[3] = {{text.token_size, SECBUFFER_TOKEN, text.token},
                          {size, SECBUFFER_DATA, text.data},
                          {text.padding_size, SECBUFFER_PADDING, text.padding}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 3, parts};
    if (kerberos_call_qop(SEAL, pair_side(0), &desc, &qop)) return 0;
    ULONG total = 0;
    for (int i = 0; i < 3; i++) {
        memcpy(wire + total, parts[i].pvBuffer, parts[i].cbBuffer);
        total += parts[i].cbBuffer;
    }
    return total;
}

SECURITY_STATUS wire_open(BYTE *wire, ULONG size, SecBuffer *data, ULONG *qop)
{
    SecBuffer stream[2] = {{size, SECBUFFER_STREAM, wire}, {0, SECBUFFER_DATA, NULL}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, stream};
    SECURITY_STATUS status = kerberos_call_qop(OPEN, pair_side(1), &desc, qop);
    *data = stream[1];
    return status;
}
