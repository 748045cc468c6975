/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See kerberos_pair.h. */
#include "kerberos_pair.h"

#include <stdio.h>

static const struct kerberos_kind kinds[] = {
    {"aes128-sha1", KERBEROS_AES128_SHA1, 12},
    {"aes256-sha1", KERBEROS_AES256_SHA1, 12},
    {"aes128-sha256", KERBEROS_AES128_SHA256, 16},
    {"aes256-sha384", KERBEROS_AES256_SHA384, 24},
    {"rc4", KERBEROS_RC4, 0},
};
static struct kerberos_kind asked;

const struct kerberos_kind *kerberos_kind = kinds;
struct kerberos_facts kerberos_facts;

static SECPKG_USER_FUNCTION_TABLE *user;
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
        kerberos_kind = &asked;
        return true;
    }
    return false;
}

bool kerberos_begin(int argc, char **argv)
{
    if (argc > 2 && kind_find(argv[2]))
        return MultiByteToWideChar(CP_ACP, 0, argv[1], -1, target, 256) != 0;
    if (crypto_init()) return false;
    return running_on_ours() && module_open();
}

void kerberos_run(const char *name, void (*function)(void))
{
    char full[128];
    size_t count = user ? sizeof(kinds) / sizeof(*kinds) : 1;
    for (size_t i = 0; i < count; i++) {
        if (user) kerberos_kind = &kinds[i];
        snprintf(full, sizeof(full), "%s, %s", name, kerberos_kind->name);
        winetest_push_context("%s", kerberos_kind->name);
        test_run(full, function);
        winetest_pop_context();
    }
}

/* ---- imported contexts ---- */

static struct slice wide(const wchar_t *text)
{
    if (!text) return (struct slice){NULL, 0};
    return (struct slice){(const uint8_t *)text, (size_t)lstrlenW(text) * sizeof(*text)};
}

/* Those that both ends call alike are the same bits. */
static ULONG server_flags(ULONG flags)
{
    ULONG same = flags & 0x7ffu;
    return same | (flags & ISC_REQ_INTEGRITY ? ASC_REQ_INTEGRITY : 0);
}

ULONG kerberos_body(bool server, ULONG flags, BYTE *room, ULONG size)
{
    static const uint8_t key[KERBEROS_KEY_MAX] = "a key that both of the ends know";
    const struct kerberos_body body = {
        .attributes = server ? server_flags(flags) : flags,
        .ticket_enctype = kerberos_kind->enctype,
        .session_key = {key, kerberos_key_size(kerberos_kind->enctype)},
        .start = 132000000000000000,
        .expiry = 152000000000000000,
        .client = wide(L"client@WINESSPI.TEST"),
        .server = wide(L"HTTP/server.winesspi.test@WINESSPI.TEST"),
        .target = server ? wide(NULL) : wide(L"HTTP/server.winesspi.test"),
        .account = server ? wide(kerberos_facts.account) : wide(NULL),
        .domain = server ? wide(kerberos_facts.domain) : wide(NULL),
        .pac = {server ? kerberos_facts.pac : NULL, server ? kerberos_facts.pac_size : 0},
    };
    const struct kerberos_start start = {
        .initiator = !server,
        .acceptor_subkey = true,
        .flags = (flags & (ISC_REQ_REPLAY_DETECT | ISC_REQ_SEQUENCE_DETECT)) |
                 (flags & ISC_REQ_USE_DCE_STYLE ? KERBEROS_DCE_STYLE : 0),
        .enctype = kerberos_kind->enctype,
        .key = body.session_key,
        .send_first = server ? 0xfffffffe : 1000,
        .receive_first = server ? 1000 : 0xfffffffe,
    };
    struct kerberos_session session;
    struct writer w;
    if (kerberos_session_init(&session, &start)) return 0;
    writer_init_fixed(&w, room, size);
    kerberos_body_write(&body, &session, false, &w);
    kerberos_session_clear(&session);
    return (ULONG)w.size;
}

static bool import_end(struct kerberos_end *end, bool server, ULONG flags)
{
    BYTE room[4096];
    SecBuffer packed = {kerberos_body(server, flags, room, sizeof(room)), SECBUFFER_TOKEN, room};
    SECURITY_STATUS status = user->ImportContext(&packed, NULL, &end->half);
    return ok(!status, "import of %lu bytes: %08lx", packed.cbBuffer, status);
}

/* ---- both forms ---- */

static bool connect_pair(struct kerberos_pair *pair, ULONG flags)
{
    static struct loopback loop;
    SECURITY_STATUS status = loopback_open(&loop, L"Kerberos", NULL);
    if (!ok(!status, "no credentials: %08lx", status)) return false;
    loop.target = target;
    loop.client_flags = flags;
    loop.server_flags = server_flags(flags);
    status = loopback_connect(&loop);
    ok(!status, "no contexts: %08lx", status);
    if (!status) {
        pair->client.context = loop.client;
        pair->server.context = loop.server;
        context_forget(&loop.client);
        context_forget(&loop.server);
    }
    loopback_close(&loop);
    return !status;
}

bool kerberos_make(struct kerberos_pair *pair, ULONG flags)
{
    context_forget(&pair->client.context);
    context_forget(&pair->server.context);
    pair->client.half = pair->server.half = 0;
    if (!user) return connect_pair(pair, flags);
    return import_end(&pair->client, false, flags) && import_end(&pair->server, true, flags);
}

static void close_end(struct kerberos_end *end)
{
    if (end->half) user->DeleteUserModeContext(end->half);
    if (context_present(&end->context)) DeleteSecurityContext(&end->context);
    end->half = 0;
    context_forget(&end->context);
}

void kerberos_close(struct kerberos_pair *pair)
{
    close_end(&pair->client);
    close_end(&pair->server);
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
