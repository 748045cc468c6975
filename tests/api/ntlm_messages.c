/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages of package NTLM at their edges: no buffers and many, both forms of a received message,
 * the wrong direction, the wrong function; what is left after each of these; and sessions with
 * the older signing and short keys, which only a policy of one's own allows. Sources in brackets,
 * as in api_packages.
 */
#include "loopback.h"

#define LSA L"SYSTEM\\CurrentControlSet\\Control\\Lsa"
#define MSV LSA L"\\MSV1_0"

#define NEGOTIATE_FLAGS 12
#define FLAG_UNICODE 0x1u
#define FLAG_128 0x20000000u
#define FLAG_56 0x80000000u

static struct account account;
static bool have_account;
static struct loopback loop;

static bool connect_loop(void)
{
    SECURITY_STATUS status = loopback_make(&loop, L"NTLM", have_account ? &account : NULL);
    return ok(!status, "no contexts: %08lx", status);
}

enum call { SIGN, VERIFY, SEAL, OPEN };

static SECURITY_STATUS call(enum call what, CtxtHandle *context, SecBuffer *parts, ULONG count)
{
    SecBufferDesc desc = {SECBUFFER_VERSION, count, parts};
    switch (what) {
    case SIGN: return MakeSignature(context, 0, &desc, 0);
    case VERIFY: return VerifySignature(context, &desc, 0, NULL);
    case SEAL: return EncryptMessage(context, 0, &desc, 0);
    case OPEN: return DecryptMessage(context, &desc, 0, NULL);
    }
    return SEC_E_INTERNAL_ERROR;
}

/* ---- buffers ---- */

/* [OS MS-NLMP 3.4.4] a message of nothing is a message: it has its place in the sequence */
static void test_no_data(void)
{
    if (!connect_loop()) return;
    for (int way = 0; way < 2; way++) {
        CtxtHandle *from = way ? &loop.server : &loop.client;
        CtxtHandle *to = way ? &loop.client : &loop.server;
        for (int sealed = 0; sealed < 2; sealed++) {
            BYTE first[16], second[16];
            SecBuffer one = {16, SECBUFFER_TOKEN, first}, two = {16, SECBUFFER_TOKEN, second};
            SECURITY_STATUS status = call(sealed ? SEAL : SIGN, from, &one, 1);
            ok(status == SEC_E_OK, "%d, %d: %08lx", way, sealed, status);
            status = call(sealed ? SEAL : SIGN, from, &two, 1);
            ok(status == SEC_E_OK && memcmp(first, second, 16), "%d, %d: %08lx", way, sealed,
               status);
            status = call(sealed ? OPEN : VERIFY, to, &two, 1);
            ok(status == SEC_E_MESSAGE_ALTERED || status == SEC_E_OUT_OF_SEQUENCE,
               "%d, %d, the second first: %08lx", way, sealed, status);
            ok(!call(sealed ? OPEN : VERIFY, to, &one, 1), "%d, %d: the first", way, sealed);
            ok(!call(sealed ? OPEN : VERIFY, to, &two, 1), "%d, %d: the second", way, sealed);
        }
    }
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

#define MANY 50

/* Any number of parts; every third is covered only, every fifth is not even that. */
static void test_many_buffers(void)
{
    if (!connect_loop()) return;
    for (ULONG count = 1; count <= MANY; count += 7) {
        BYTE data[MANY][4], plain[MANY][4], token[16];
        SecBuffer parts[MANY + 1];
        for (ULONG i = 0; i < count; i++) {
            ULONG more = i % 3 == 2 ? SECBUFFER_READONLY_WITH_CHECKSUM : 0;
            if (i % 5 == 4) more = SECBUFFER_READONLY;
            memset(data[i], (int)i, 4);
            memcpy(plain[i], data[i], 4);
            parts[i] = (SecBuffer){4, SECBUFFER_DATA | more, data[i]};
        }
        parts[count] = (SecBuffer){16, SECBUFFER_TOKEN, token};
        SECURITY_STATUS status = call(SEAL, &loop.client, parts, count + 1);
        ok(status == SEC_E_OK, "%lu: seal: %08lx", count, status);
        for (ULONG i = 0; i < count; i++) {
            bool kept = i % 3 == 2 || i % 5 == 4;
            ok(!memcmp(data[i], plain[i], 4) == kept, "%lu: part %lu", count, i);
        }
        status = call(OPEN, &loop.server, parts, count + 1);
        ok(status == SEC_E_OK, "%lu: open: %08lx", count, status);
        ok(!memcmp(data, plain, sizeof(data[0]) * count), "%lu: other data", count);
    }
    loopback_close(&loop);
}

/* [CI sspilib] the form with a STREAM, its two buffers in either order; what is refused stays as it
 * was, and the DATA buffer too */
static void test_stream(void)
{
    if (!connect_loop()) return;
    for (int order = 0; order < 2; order++) {
        BYTE wire[16 + 13], before[sizeof(wire)];
        memcpy(wire + 16, "Hello, world!", 13);
        SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, wire}, {13, SECBUFFER_DATA, wire + 16}};
        ok(!call(SEAL, &loop.client, parts, 2), "not sealed");
        memcpy(before, wire, sizeof(wire));
        SecBuffer stream[2];
        stream[order] = (SecBuffer){sizeof(wire), SECBUFFER_STREAM, wire};
        stream[!order] = (SecBuffer){7, SECBUFFER_DATA, before};
        wire[20] ^= 1;
        SECURITY_STATUS status = call(OPEN, &loop.server, stream, 2);
        ok(status == SEC_E_MESSAGE_ALTERED, "changed: %08lx", status);
        ok(stream[!order].cbBuffer == 7 && stream[!order].pvBuffer == before, "DATA was set");
        wire[20] ^= 1;
        ok(!memcmp(wire, before, sizeof(wire)), "the refused stream was changed");
        status = call(OPEN, &loop.server, &stream[order], 1);
        ok(status == SEC_E_INVALID_TOKEN, "no DATA: %08lx", status);
        status = call(OPEN, &loop.server, stream, 2);
        ok(status == SEC_E_OK, "order %d: %08lx", order, status);
        ok(stream[!order].cbBuffer == 13 && !memcmp(stream[!order].pvBuffer, "Hello, world!", 13),
           "other data");
    }
    loopback_close(&loop);
}

/* ---- wrong use ---- */

/* A message of one kind given to the function for the other, or to the end that made it: refused,
 * with buffers and counters as they were. */
static void test_wrong_ends(void)
{
    static const struct {
        enum call made, taken;
        bool back;
    } rows[] = {{SIGN, OPEN, false}, {SEAL, VERIFY, false}, {SIGN, VERIFY, true},
                {SEAL, OPEN, true},  {SIGN, OPEN, true},    {SEAL, VERIFY, true}};
    if (!connect_loop()) return;
    for (int way = 0; way < 2; way++) {
        CtxtHandle *from = way ? &loop.server : &loop.client;
        CtxtHandle *to = way ? &loop.client : &loop.server;
        for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
            BYTE token[16], data[] = "Hello, world!", before[sizeof(data)], token_before[16];
            SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, token}, {13, SECBUFFER_DATA, data}};
            ok(!call(rows[i].made, from, parts, 2), "way %d, row %u: not made", way, i);
            memcpy(before, data, sizeof(data));
            memcpy(token_before, token, 16);
            for (int times = 0; times < 2; times++) {
                SECURITY_STATUS status = call(rows[i].taken, rows[i].back ? from : to, parts, 2);
                ok(status == SEC_E_MESSAGE_ALTERED || status == SEC_E_OUT_OF_SEQUENCE,
                   "way %d, row %u: %08lx", way, i, status);
                ok(!memcmp(before, data, sizeof(data)) && !memcmp(token_before, token, 16),
                   "way %d, row %u: the buffers were changed", way, i);
            }
            ok(!call(rows[i].made == SIGN ? VERIFY : OPEN, to, parts, 2),
               "way %d, row %u: the true use", way, i);
            ok(!memcmp(data, "Hello, world!", 13), "way %d, row %u: other data", way, i);
        }
    }
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

/* [D makesignature, encryptmessage] the one quality that NTLM knows */
static void test_qualities(void)
{
    if (!connect_loop()) return;
    BYTE token[16], data[] = "Hello, world!";
    SecBuffer parts[2] = {{16, SECBUFFER_TOKEN, token}, {13, SECBUFFER_DATA, data}};
    SecBufferDesc desc = {SECBUFFER_VERSION, 2, parts};
    SECURITY_STATUS status = MakeSignature(&loop.client, 1, &desc, 0);
    ok(status == SEC_E_QOP_NOT_SUPPORTED, "sign: %08lx", status);
    status = EncryptMessage(&loop.client, 1, &desc, 0);
    ok(status == SEC_E_QOP_NOT_SUPPORTED, "seal: %08lx", status);
    ok(!memcmp(data, "Hello, world!", 13), "the data was changed");
    status = EncryptMessage(&loop.client, SECQOP_WRAP_NO_ENCRYPT, &desc, 0);
    ok(status == SEC_E_OK, "seal without encryption: %08lx", status);
    ok(!memcmp(data, "Hello, world!", 13), "the data was encrypted");
    ok(!call(VERIFY, &loop.server, parts, 2), "not verified");
    ok(contexts_talk(&loop.client, &loop.server), "the contexts were hurt");
    loopback_close(&loop);
}

/* ---- weaker sessions ---- */

/* The handshake of a client that offers all but these flags. */
static SECURITY_STATUS connect_without(ULONG without)
{
    SECURITY_STATUS status = loopback_open(&loop, L"NTLM", &account);
    if (status) return status;
    for (int leg = 0; leg < 4; leg++) {
        status = leg % 2 ? loopback_server_leg(&loop) : loopback_client_leg(&loop);
        if (status < 0) return status;
        ULONG flags;
        memcpy(&flags, loop.token + NEGOTIATE_FLAGS, sizeof(flags));
        flags &= ~without;
        if (!leg) memcpy(loop.token + NEGOTIATE_FLAGS, &flags, sizeof(flags));
    }
    return status;
}

/* Of a session without the newer signing the whole key is used, whatever the flags say. */
static void check_weak_session(DWORD level, ULONG without, ULONG bits_by_flags)
{
    ULONG key_bits = level ? bits_by_flags : 128;
    SECURITY_STATUS status = connect_without(without);
    if (ok(status == SEC_E_OK, "level %lu, %lu bits: %08lx", level, key_bits, status)) {
        SecPkgContext_KeyInfoW info;
        for (int i = 0; i < 3; i++)
            ok(contexts_talk(&loop.client, &loop.server), "level %lu, %lu bits: messages fail",
               level, key_bits);
        status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_KEY_INFO, &info);
        if (ok(!status, "key: %08lx", status)) {
            const wchar_t *name = level ? L"HMAC-MD5" : L"RSADSI RC4-CRC32";
            ok(info.KeySize == key_bits, "%lu bits became %lu", key_bits, info.KeySize);
            ok(!lstrcmpW(info.sSignatureAlgorithmName, name), "level %lu: %ls", level,
               info.sSignatureAlgorithmName);
            FreeContextBuffer(info.sSignatureAlgorithmName);
            FreeContextBuffer(info.sEncryptAlgorithmName);
        }
    }
    loopback_close(&loop);
}

/* [OS MS-NLMP 2.2.2.5] a client that does not know Unicode gets and sends names in its code page.
 * An NTLMv1 client's flags can be changed on the way, so ours can be made one. */
static void check_oem_names(DWORD level)
{
    SecPkgContext_NamesW names;
    wchar_t expected[128];
    SECURITY_STATUS status = connect_without(FLAG_UNICODE);
    if (ok(status == SEC_E_OK, "level %lu: %08lx", level, status)) {
        wsprintfW(expected, L"%s\\%s", account.domain, account.user);
        status = QueryContextAttributesW(&loop.server, SECPKG_ATTR_NAMES, &names);
        if (ok(!status, "names: %08lx", status)) {
            ok(!lstrcmpW(names.sUserName, expected), "level %lu: %ls", level, names.sUserName);
            FreeContextBuffer(names.sUserName);
        }
        ok(contexts_talk(&loop.client, &loop.server), "level %lu: messages fail", level);
    }
    loopback_close(&loop);
}

/* [OS MS-NLMP 3.4.5.3], [W8 ntlm.c:914-929]: level 0 has the older signing, level 1 the newer; a
 * client of either takes the keys that it gets, where the policy lets it */
static void test_weak_sessions(void)
{
    static struct saved_value level_value, client_value, server_value;
    const DWORD nothing = 0;
    if (!ours_only()) return;
    if (!have_account) {
        skip_case("accounts of our server");
        return;
    }
    value_save(&level_value, LSA, L"LmCompatibilityLevel");
    value_save(&client_value, MSV, L"NtlmMinClientSec");
    value_save(&server_value, MSV, L"NtlmMinServerSec");
    value_set(&client_value, REG_DWORD, &nothing, sizeof(nothing));
    value_set(&server_value, REG_DWORD, &nothing, sizeof(nothing));
    for (DWORD level = 0; level < 2; level++) {
        value_set(&level_value, REG_DWORD, &level, sizeof(level));
        second_pass();
        check_weak_session(level, 0, 128);
        check_weak_session(level, FLAG_128, 56);
        check_weak_session(level, FLAG_128 | FLAG_56, 40);
        check_oem_names(level);
    }
    ok(value_restore(&level_value) && value_restore(&client_value) && value_restore(&server_value),
       "the values stay");
    second_pass();
}

int main(void)
{
    have_account = account_create(&account);
    RUN(test_no_data);
    RUN(test_many_buffers);
    RUN(test_stream);
    RUN(test_wrong_ends);
    RUN(test_qualities);
    RUN(test_weak_sessions);
    if (have_account) account_remove(&account);
    return test_end("api_ntlm_messages");
}
