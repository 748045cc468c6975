/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What sspictl check-provider asks of a package: information, credentials, handshakes good and
 * damaged, messages, attributes, and that nothing is left of any of it. Export and import:
 * provider_move.c.
 */
#include "provider_talk.h"

#include "exchange.h"
#include "names.h"
#include "provider_check.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define DAMAGES_MAX 256u
#define LEAK_ROUNDS 40u

static bool info_check(struct check *check)
{
    SecPkgInfoW *info;
    provider_begin("information");
    SECURITY_STATUS status = QuerySecurityPackageInfoW(check->name, &info);
    if (status != SEC_E_OK) {
        provider_breach("%s", status_text(status).text);
        return false;
    }
    check->capabilities = info->fCapabilities;
    check->token_max = info->cbMaxToken;
    if (wcsspn(info->Name, L" \t") || !info->Comment[0])
        provider_breach("a name with blanks in front, or no comment");
    else
        provider_kept("version %u, RPC id %u, tokens of at most %lu bytes, capabilities 0x%08lx",
                      info->wVersion, info->wRPCID, info->cbMaxToken, info->fCapabilities);
    FreeContextBuffer(info);
    return true;
}

static bool credentials_check(struct check *check)
{
    static const ULONG uses[] = {SECPKG_CRED_OUTBOUND, SECPKG_CRED_INBOUND};
    provider_begin("credentials");
    for (int i = 0; i < 2; i++) {
        CredHandle made;
        TimeStamp expiry;
        SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, check->name, uses[i], NULL,
                                                           i ? NULL : check->identity, NULL, NULL,
                                                           &made, &expiry);
        if (status == SEC_E_OK) status = FreeCredentialsHandle(&made);
        if (status == SEC_E_OK) continue;
        const char *whose = i ? "the server's" : "the client's";
        if (status == SEC_E_UNSUPPORTED_FUNCTION) provider_absent("%s: for log-ons only", whose);
        else provider_breach("%s: %s", whose, status_text(status).text);
        return false;
    }
    provider_kept("of client and server");
    return true;
}

static bool handshake_check(struct check *check)
{
    struct pair pair;
    provider_begin("handshake");
    SECURITY_STATUS status = check_open(check, &pair);
    if (status == SEC_E_OK) status = pair_finish(&pair);
    check->legs = pair.legs;
    if (status != SEC_E_OK) provider_breach("leg %u: %s", pair.legs + 1, status_text(status).text);
    else provider_kept("%u legs, the longest token has %lu bytes", pair.legs, pair.token_longest);
    pair_close(&pair);
    return status == SEC_E_OK;
}

/* Room that is too small is told, and nothing is written beyond it. */
static void small_room_check(struct check *check)
{
    struct pair pair;
    BYTE room[16];
    SecBuffer out = {1, SECBUFFER_TOKEN, room};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &out};
    CtxtHandle context;
    ULONG attributes;
    TimeStamp expiry;
    provider_begin("too little room");
    SECURITY_STATUS status = check_open(check, &pair);
    if (status != SEC_E_OK) return provider_breach("%s", status_text(status).text);
    memset(room, 0x5a, sizeof(room));
    status = InitializeSecurityContextW(&pair.credentials[CLIENT], NULL, check->target, 0, 0,
                                        SECURITY_NATIVE_DREP, NULL, 0, &context, &desc, &attributes,
                                        &expiry);
    bool beyond = false;
    for (size_t i = 1; i < sizeof(room); i++) beyond = beyond || room[i] != 0x5a;
    if (beyond) provider_breach("it writes behind the buffer");
    else if (status >= 0) provider_breach("it has success with a token for which there is no room");
    else provider_kept("%s", status_text(status).text);
    if (status >= 0) DeleteSecurityContext(&context);
    pair_close(&pair);
}

/* Each token in turn changed in every byte, and cut to every length: accepted or refused, but
 * refused without an exception and without harm to the next handshake. */
static bool damage_one(struct check *check, unsigned leg, unsigned *accepted)
{
    for (unsigned i = 0; i < DAMAGES_MAX; i++) {
        struct pair pair;
        SECURITY_STATUS status = check_open(check, &pair);
        while (status >= 0 && pair.legs < leg) status = pair_leg(&pair);
        if (status < 0) {
            pair_close(&pair);
            return false;
        }
        bool end = i / 2 >= pair.token_size;
        if (!end && i % 2) pair.token[i / 2] ^= 0xff;
        else if (!end) pair.token_size = i / 2;
        status = end ? SEC_E_INVALID_TOKEN : pair_leg(&pair);
        if (status == SEC_E_OK && pair_done(&pair)) ++*accepted;
        pair_close(&pair);
        if (end) break;
    }
    return true;
}

static void damage_check(struct check *check)
{
    unsigned accepted = 0;
    provider_begin("damaged tokens");
    for (unsigned leg = 1; leg < check->legs; leg++) {
        if (damage_one(check, leg, &accepted)) continue;
        return provider_breach("after them, leg %u fails", leg);
    }
    struct pair pair;
    SECURITY_STATUS status = check_open(check, &pair);
    if (status == SEC_E_OK) status = pair_finish(&pair);
    if (status != SEC_E_OK)
        provider_breach("after them, handshakes fail: %s", status_text(status).text);
    else provider_kept("no harm; %u of them went unnoticed by the last leg", accepted);
    pair_close(&pair);
}

static void messages_check(struct check *check)
{
    const ULONG both = SECPKG_FLAG_INTEGRITY | SECPKG_FLAG_PRIVACY;
    struct exchange exchange = {0, 0, NULL, SEC_E_OK};
    struct pair pair;
    provider_begin("messages");
    if ((check->capabilities & both) != both)
        return provider_absent("the package does not say that it signs and seals");
    SECURITY_STATUS status = check_connect(check, &pair);
    if (status != SEC_E_OK) return provider_breach("%s", status_text(status).text);
    if (exchange_run(&pair.contexts[CLIENT], &pair.contexts[SERVER], 5, &exchange))
        provider_kept("%u sealed and %u signed arrived unchanged", exchange.sealed,
                      exchange.verified);
    else provider_breach("%s: %s", exchange.problem, status_text(exchange.status).text);
    pair_close(&pair);
}

struct small_message {
    BYTE token[256], data[32];
    SecBuffer buffers[2];
    SecBufferDesc desc;
};

static SECURITY_STATUS small_seal(CtxtHandle *context, struct small_message *message)
{
    SecPkgContext_Sizes sizes;
    SECURITY_STATUS status = QueryContextAttributesW(context, SECPKG_ATTR_SIZES, &sizes);
    if (status != SEC_E_OK) return status;
    if (sizes.cbSecurityTrailer > sizeof(message->token)) return SEC_E_UNSUPPORTED_FUNCTION;
    memset(message->data, 'm', sizeof(message->data));
    message->buffers[0] = (SecBuffer){sizes.cbSecurityTrailer, SECBUFFER_TOKEN, message->token};
    message->buffers[1] = (SecBuffer){sizeof(message->data), SECBUFFER_DATA, message->data};
    message->desc = (SecBufferDesc){SECBUFFER_VERSION, 2, message->buffers};
    return EncryptMessage(context, 0, &message->desc, 0);
}

/* What was changed on the way is refused. */
static void altered_check(struct check *check)
{
    struct small_message message;
    struct pair pair;
    provider_begin("changed messages");
    if (!(check->capabilities & SECPKG_FLAG_PRIVACY)) return provider_absent("nothing is sealed");
    SECURITY_STATUS status = check_connect(check, &pair);
    if (status != SEC_E_OK) return provider_breach("%s", status_text(status).text);
    status = small_seal(&pair.contexts[CLIENT], &message);
    if (status != SEC_E_OK) {
        provider_breach("sealing: %s", status_text(status).text);
    } else {
        bool plain = message.data[0] == 'm' && message.data[31] == 'm';
        message.data[7] ^= 1;
        status = DecryptMessage(&pair.contexts[SERVER], &message.desc, 0, NULL);
        if (plain) provider_breach("what is sealed can be read");
        else if (status >= 0) provider_breach("accepted");
        else provider_kept("%s", status_text(status).text);
    }
    pair_close(&pair);
}

/* The ones that programs ask for most; what is given must come from the heap that programs free. */
static void attributes_check(struct check *check)
{
    struct pair pair;
    SecPkgContext_Sizes sizes;
    SecPkgContext_NamesW names = {NULL};
    provider_begin("attributes");
    SECURITY_STATUS status = check_connect(check, &pair);
    if (status != SEC_E_OK) return provider_breach("%s", status_text(status).text);
    status = QueryContextAttributesW(&pair.contexts[CLIENT], SECPKG_ATTR_SIZES, &sizes);
    SECURITY_STATUS named = QueryContextAttributesW(&pair.contexts[SERVER], SECPKG_ATTR_NAMES,
                                                    &names);
    BYTE room[256];
    SECURITY_STATUS odd = QueryContextAttributesW(&pair.contexts[CLIENT], 0x7fff0000, room);
    if (status != SEC_E_OK) provider_breach("SIZES: %s", status_text(status).text);
    else if (sizes.cbMaxToken > check->token_max && check->token_max)
        provider_breach("SIZES names longer tokens than the package does");
    else if (named == SEC_E_OK && FreeContextBuffer(names.sUserName) != SEC_E_OK)
        provider_breach("NAMES is no memory that FreeContextBuffer frees");
    else if (odd >= 0) provider_breach("an attribute that there is not has a value");
    else
        provider_kept("signature %lu, trailer %lu bytes; the client's name is %s",
                      sizes.cbMaxSignature, sizes.cbSecurityTrailer,
                      named == SEC_E_OK ? "given" : status_text(named).text);
    pair_close(&pair);
}

/* Blocks in use in all heaps of the process. */
static size_t blocks_count(void)
{
    HANDLE heaps[64];
    size_t blocks = 0;
    DWORD count = GetProcessHeaps(64, heaps);
    for (DWORD i = 0; i < count && i < 64; i++) {
        PROCESS_HEAP_ENTRY entry = {.lpData = NULL};
        HeapLock(heaps[i]);
        while (HeapWalk(heaps[i], &entry))
            if (entry.wFlags & PROCESS_HEAP_ENTRY_BUSY) blocks++;
        HeapUnlock(heaps[i]);
    }
    return blocks;
}

static bool leak_rounds(struct check *check)
{
    for (unsigned i = 0; i < LEAK_ROUNDS; i++) {
        struct pair pair;
        SECURITY_STATUS status = i % 2 ? check_connect(check, &pair) : check_open(check, &pair);
        if (status != SEC_E_OK) return false;
        if (i % 2 == 0) pair_leg(&pair); /* half-open */
        pair_close(&pair);
    }
    return true;
}

/* The first rounds fill what packages keep on purpose. */
static void leak_check(struct check *check)
{
    DWORD handles[2] = {0, 0};
    size_t blocks[2] = {0, 0};
    provider_begin("leaks");
    bool good = leak_rounds(check);
    for (int i = 0; i < 2 && good; i++) {
        blocks[i] = blocks_count();
        GetProcessHandleCount(GetCurrentProcess(), &handles[i]);
        if (!i) good = leak_rounds(check);
    }
    if (!good) return provider_breach("handshakes fail after a while");
    if (blocks[1] >= blocks[0] + LEAK_ROUNDS / 2)
        provider_breach("%u handshakes leave %lu blocks of memory", LEAK_ROUNDS,
                        (unsigned long)(blocks[1] - blocks[0]));
    else if (handles[1] >= handles[0] + LEAK_ROUNDS / 2)
        provider_breach("%u handshakes leave %lu handles", LEAK_ROUNDS, handles[1] - handles[0]);
    else provider_kept("%u handshakes leave neither memory nor handles", LEAK_ROUNDS);
}

SECURITY_STATUS check_open(const struct check *check, struct pair *pair)
{
    return pair_open(pair, check->name, check->target, check->identity, check->token_max);
}

SECURITY_STATUS check_connect(const struct check *check, struct pair *pair)
{
    SECURITY_STATUS status = check_open(check, pair);
    if (status != SEC_E_OK) return status;
    status = pair_finish(pair);
    if (status != SEC_E_OK) pair_close(pair);
    return status;
}

void provider_package(wchar_t *name, const struct login *login)
{
    struct check check = {
        .name = name, .target = login->target, .identity = login->request.identity};
    printf("Package ");
    text_print_wide(stdout, name);
    printf("\n");
    if (!info_check(&check) || !credentials_check(&check) || !handshake_check(&check)) return;
    small_room_check(&check);
    damage_check(&check);
    messages_check(&check);
    altered_check(&check);
    attributes_check(&check);
    check_export(&check);
    check_half_open(&check);
    leak_check(&check);
}
