/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a context of the package Negotiate can do once NTLM was negotiated: attributes, token and
 * messages are those of NTLM, for which api_attributes and api_message say more.
 */
#include "context_attributes.h"

static struct account account;
static bool have_account;
static struct loopback loop;

static const struct account *usual(void)
{
    return have_account ? &account : NULL;
}

static bool connect_loop(const struct account *as)
{
    SECURITY_STATUS status = loopback_make(&loop, L"Negotiate", as);
    return ok(!status, "no contexts: %08lx", status);
}

/* [W8 negotiate.c:278-283] as NTLM; [W8 negotiate.c:287-317] the package that was chosen, in one
 * block */
static void test_attributes(void)
{
    if (!connect_loop(usual())) return;
    for (int i = 0; i < 2; i++) {
        CtxtHandle *context = i ? &loop.server : &loop.client;
        SecPkgContext_Sizes sizes;
        SecPkgContext_NegotiationInfoA info;
        SecPkgContext_PackageInfoW package;
        SecPkgContext_LastClientTokenStatus last;
        SECURITY_STATUS status = QueryContextAttributesA(context, SECPKG_ATTR_SIZES, &sizes);
        ok(!status, "sizes: %08lx", status);
        ok(sizes.cbMaxToken == 2888 || sizes.cbMaxToken == 1904, "tokens: %lu", sizes.cbMaxToken);
        ok(sizes.cbMaxSignature == 16 && sizes.cbSecurityTrailer == 16 && !sizes.cbBlockSize,
           "signature %lu, trailer %lu, block %lu", sizes.cbMaxSignature, sizes.cbSecurityTrailer,
           sizes.cbBlockSize);
        status = QueryContextAttributesA(context, SECPKG_ATTR_NEGOTIATION_INFO, &info);
        if (ok(!status, "negotiation info: %08lx", status)) {
            ok(info.NegotiationState == SECPKG_NEGOTIATION_COMPLETE, "state %lu",
               info.NegotiationState);
            ok(!strcmp(info.PackageInfo->Name, "NTLM"), "package %s", info.PackageInfo->Name);
            ok(!strcmp(info.PackageInfo->Comment, "NTLM Security Package"), "comment");
            SIZE_T size = sizeof(*info.PackageInfo) + strlen(info.PackageInfo->Name) +
                          strlen(info.PackageInfo->Comment) + 2;
            ok(HeapSize(GetProcessHeap(), 0, info.PackageInfo) == size, "not one block");
            FreeContextBuffer(info.PackageInfo);
        }
        status = QueryContextAttributesW(context, SECPKG_ATTR_PACKAGE_INFO, &package);
        if (ok(!status, "package info: %08lx", status)) {
            ok(!lstrcmpW(package.PackageInfo->Name, L"NTLM"), "package");
            FreeContextBuffer(package.PackageInfo);
        }
        BYTE room[64];
        status = QueryContextAttributesW(context, SECPKG_ATTR_STREAM_SIZES, room);
        ok(status == SEC_E_UNSUPPORTED_FUNCTION, "stream sizes: %08lx", status);
        /* [D] SecPkgContext_LastClientTokenStatus */
        if (!running_on_ours()) continue;
        status = QueryContextAttributesW(context, SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS, &last);
        ok(!status && last.LastClientTokenStatus == SecPkgAttrLastClientTokenYes, "last token");
    }
    loopback_close(&loop);
}

/* The client's name on both sides, and the same session key */
/* Where the two packages say the same; NEGOTIATION_INFO and its like have cases of their own. */
static void expect_as_ntlm(const struct attribute *attribute, CtxtHandle *ntlm, CtxtHandle *context)
{
    union {
        BYTE bytes[64];
        void *alignment;
    } alone = {{0}}, inside = {{0}};
    SECURITY_STATUS status = QueryContextAttributesW(ntlm, attribute->number, &alone);
    SECURITY_STATUS same = QueryContextAttributesW(context, attribute->number, &inside);
    ok(same == status, "attribute %lu: %08lx, and %08lx", attribute->number, same, status);
    if (!status) ok(attribute_free(attribute, alone.bytes), "attribute %lu", attribute->number);
    if (!same) ok(attribute_free(attribute, inside.bytes), "attribute %lu", attribute->number);
}

static void test_attributes_of_ntlm(void)
{
    static struct loopback ntlm;
    SECURITY_STATUS status = loopback_make(&ntlm, L"NTLM", usual());
    if (!ok(!status, "no contexts of NTLM: %08lx", status)) return;
    if (connect_loop(usual())) {
        for (unsigned i = 0; i < ARRAYSIZE(attributes); i++) {
            expect_as_ntlm(&attributes[i], &ntlm.client, &loop.client);
            expect_as_ntlm(&attributes[i], &ntlm.server, &loop.server);
        }
        loopback_close(&loop);
    }
    loopback_close(&ntlm);
}

static void test_names_and_keys(void)
{
    if (!connect_loop(usual())) return;
    SecPkgContext_NamesW names[2];
    SecPkgContext_SessionKey keys[2];
    bool got = true;
    for (int i = 0; i < 2; i++) {
        CtxtHandle *context = i ? &loop.server : &loop.client;
        got &= ok(!QueryContextAttributesW(context, SECPKG_ATTR_NAMES, &names[i]), "names");
        got &= ok(!QueryContextAttributesW(context, SECPKG_ATTR_SESSION_KEY, &keys[i]), "key");
    }
    if (got) {
        ok(!lstrcmpiW(names[0].sUserName, names[1].sUserName), "names %ls, %ls", names[0].sUserName,
           names[1].sUserName);
        ok(keys[0].SessionKeyLength == 16 && keys[1].SessionKeyLength == 16 &&
               !memcmp(keys[0].SessionKey, keys[1].SessionKey, 16),
           "the keys differ");
        for (int i = 0; i < 2; i++) FreeContextBuffer(names[i].sUserName);
        for (int i = 0; i < 2; i++) FreeContextBuffer(keys[i].SessionKey);
    }
    loopback_close(&loop);
}

/* [D QuerySecurityContextToken], [D ImpersonateSecurityContext]: the user of the process itself */
static void test_token(void)
{
    if (!connect_loop(NULL)) return;
    HANDLE token = NULL, thread = NULL;
    SECURITY_STATUS status = QuerySecurityContextToken(&loop.server, &token);
    ok(!status && token, "token: %08lx", status);
    if (token) CloseHandle(token);
    status = ImpersonateSecurityContext(&loop.server);
    ok(!status, "impersonate: %08lx", status);
    ok(OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &thread), "no thread token");
    if (thread) CloseHandle(thread);
    status = RevertSecurityContext(&loop.server);
    ok(!status, "revert: %08lx", status);
    ok(!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &thread), "not reverted");
    loopback_close(&loop);
}

static SECURITY_IMPERSONATION_LEVEL token_level(CtxtHandle *context)
{
    SECURITY_IMPERSONATION_LEVEL level = SecurityAnonymous;
    HANDLE token;
    DWORD size;
    if (QuerySecurityContextToken(context, &token)) return SecurityAnonymous;
    GetTokenInformation(token, TokenImpersonationLevel, &level, sizeof(level), &size);
    CloseHandle(token);
    return level;
}

/* [D context-requirements] who may only be identified cannot be impersonated */
static void test_identify(void)
{
    for (int identify = 0; identify < 2; identify++) {
        SECURITY_STATUS status = loopback_open(&loop, L"Negotiate", NULL);
        if (!ok(!status, "no credentials: %08lx", status)) return;
        if (identify) loop.client_flags |= ISC_REQ_IDENTIFY;
        ok(!loopback_connect(&loop), "no contexts");
        ok(!(loop.client_attrs & ISC_RET_IDENTIFY) == !identify, "client: attributes %08lx",
           loop.client_attrs);
        ok(!(loop.server_attrs & ASC_RET_IDENTIFY) == !identify, "server: attributes %08lx",
           loop.server_attrs);
        SECURITY_IMPERSONATION_LEVEL level = token_level(&loop.server);
        ok(level == (identify ? SecurityIdentification : SecurityImpersonation), "level %d", level);
        loopback_close(&loop);
    }
}

/* ours, as with NTLM alone: nobody is let in where the application says so. His session's key is
 * everybody's, so that no mechListMIC can vouch for the choice of a mechanism. */
static void test_null_session(void)
{
    if (!ours_only()) return;
    for (int allowed = 0; allowed < 2; allowed++) {
        SecPkgContext_NamesW names;
        SECURITY_STATUS status = loopback_open(&loop, L"Negotiate", NULL);
        if (!ok(!status, "no credentials: %08lx", status)) return;
        loop.client_flags |= ISC_REQ_NULL_SESSION;
        if (allowed) loop.server_flags |= ASC_REQ_ALLOW_NULL_SESSION;
        status = loopback_connect(&loop);
        ok(status == (allowed ? SEC_E_OK : SEC_E_LOGON_DENIED), "allowed %d: %08lx", allowed,
           status);
        if (!status) {
            ok(loop.client_attrs == ISC_RET_NULL_SESSION, "client: %08lx", loop.client_attrs);
            ok(loop.server_attrs == ASC_RET_NULL_SESSION, "server: %08lx", loop.server_attrs);
            ok(contexts_talk(&loop.client, &loop.server), "messages fail");
            status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_NAMES, &names);
        }
        if (!status) {
            ok(!lstrcmpW(names.sUserName, L"NT AUTHORITY\\ANONYMOUS LOGON"), "called %ls",
               names.sUserName);
            FreeContextBuffer(names.sUserName);
        }
        loopback_close(&loop);
    }
}

/* The user half of a context has the messages, whichever context they are for. */
static void test_user_half(void)
{
    SECURITY_STATUS(WINAPI * delete_user)(CtxtHandle *);
    SECURITY_STATUS(WINAPI * init_user)(CtxtHandle *, SecBuffer *);
    struct message message;
    SecBuffer nothing = {0, SECBUFFER_EMPTY, NULL};
    if (!running_on_ours() || !connect_loop(usual())) return;
    delete_user = function_find("sspicli.dll", "SecDeleteUserModeContext");
    init_user = function_find("sspicli.dll", "SecInitUserModeContext");
    ok(!delete_user(&loop.client), "not deleted");
    message_set(&message, "a text", 6);
    SECURITY_STATUS status = message_sign(&loop.client, &message);
    ok(status == SEC_E_INVALID_HANDLE, "without user half: %08lx", status);
    status = init_user(&loop.client, &nothing);
    ok(!status, "a new user half: %08lx", status);
    ok(contexts_talk(&loop.client, &loop.server), "no talk");
    loopback_close(&loop);
}

/* What NTLM says of messages, Negotiate says */
static void test_messages(void)
{
    struct message message;
    if (!connect_loop(usual())) return;
    message_set(&message, "a text", 6);
    ok(!message_seal(&loop.client, &message), "not sealed");
    message.data[0] ^= 1;
    SECURITY_STATUS status = message_open(&loop.server, &message);
    ok(status == SEC_E_MESSAGE_ALTERED, "changed: %08lx", status); /* [CI sspilib] */
    message.data[0] ^= 1;
    status = message_open(&loop.server, &message);
    ok(status == SEC_E_OK && !memcmp(message.data, "a text", 6), "as it was: %08lx", status);

    SecBuffer data = {6, SECBUFFER_DATA, message.data};
    SecBufferDesc desc = {SECBUFFER_VERSION, 1, &data};
    status = EncryptMessage(&loop.client, 0, &desc, 0);
    ok(status == SEC_E_INVALID_TOKEN, "no token: %08lx", status); /* [CI sspilib] */

    /* [CI sspilib] a stream, and an empty buffer for the text */
    BYTE whole[22];
    message_set(&message, "a text", 6);
    ok(!message_seal(&loop.client, &message), "not sealed");
    memcpy(whole, message.token, 16);
    memcpy(whole + 16, message.data, 6);
    SecBuffer parts[] = {{22, SECBUFFER_STREAM, whole}, {0, SECBUFFER_DATA, NULL}};
    desc = (SecBufferDesc){SECBUFFER_VERSION, 2, parts};
    status = DecryptMessage(&loop.server, &desc, 0, NULL);
    ok(!status && parts[1].cbBuffer == 6 && !memcmp(parts[1].pvBuffer, "a text", 6),
       "stream: %08lx", status);
    loopback_close(&loop);
}

int main(void)
{
    have_account = account_create(&account);
    RUN(test_attributes);
    RUN(test_attributes_of_ntlm);
    RUN(test_names_and_keys);
    RUN(test_token);
    RUN(test_identify);
    RUN(test_null_session);
    RUN(test_messages);
    RUN(test_user_half);
    if (have_account) account_remove(&account);
    return test_end("api_negotiated");
}
