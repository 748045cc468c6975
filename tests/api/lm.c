/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The responses of the oldest kind, which LmCompatibilityLevel can bring back: what passwords
 * have an LM hash, and that it is sent at the two lowest levels only. The challenge and the
 * responses are those of MS-NLMP 4.2.2. The level is put back at the end; the package looks at it
 * once a second. ours where not said otherwise: Windows may be told by policy to refuse all this.
 */
#include "identities.h"
#include "loopback.h"

#define LSA L"SYSTEM\\CurrentControlSet\\Control\\Lsa"
#define RESPONSE 24

/* [OS MS-NLMP 4.2.2.2.1, 4.2.2.2.2] of the password "Password" */
static const BYTE nt_response[RESPONSE] = {0x67, 0xc4, 0x30, 0x11, 0xf3, 0x02, 0x98, 0xa2,
                                           0xad, 0x35, 0xec, 0xe6, 0x4f, 0x16, 0x33, 0x1c,
                                           0x44, 0xbd, 0xbe, 0xd9, 0x27, 0x84, 0x1f, 0x94};
static const BYTE lm_response[RESPONSE] = {0x98, 0xde, 0xf7, 0xb8, 0x7f, 0x88, 0xaa, 0x5d,
                                           0xaf, 0xe2, 0xdf, 0x77, 0x96, 0x88, 0xa1, 0x72,
                                           0xde, 0xf1, 0x1c, 0x7d, 0x5c, 0xcd, 0xef, 0x13};

/* MS-NLMP 2.2.1.2: UNICODE, NTLM, ALWAYS_SIGN, TARGET_TYPE_SERVER, 128, 56; no names */
static const BYTE challenge[48] = {
    'N', 'T', 'L', 'M', 'S',  'S',  'P',  0,    2,    0,    0,    0,    0,    0,    0,    0,
    48,  0,   0,   0,   0x01, 0x82, 0x02, 0xa0, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
    0,   0,   0,   0,   0,    0,    0,    0,    0,    0,    0,    0,    48,   0,    0,    0};

static BYTE lm[RESPONSE], nt[RESPONSE]; /* as they were sent last */

static bool response_take(const BYTE *token, ULONG token_size, ULONG field, BYTE out[RESPONSE])
{
    WORD size;
    DWORD offset;
    if (token_size < field + 8) return false;
    memcpy(&size, token + field, 2);
    memcpy(&offset, token + field + 4, 4);
    if (size != RESPONSE || offset > token_size - RESPONSE) return false;
    memcpy(out, token + offset, RESPONSE);
    return true;
}

static bool respond(void *identity)
{
    CredHandle credential;
    CtxtHandle context;
    BYTE token[4096], given[sizeof(challenge)];
    SecBuffer in = {sizeof(given), SECBUFFER_TOKEN, given};
    SecBuffer out = {sizeof(token), SECBUFFER_TOKEN, token};
    SecBufferDesc input = {SECBUFFER_VERSION, 1, &in}, output = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes;
    memcpy(given, challenge, sizeof(given));
    SECURITY_STATUS status = AcquireCredentialsHandleW(NULL, (wchar_t *)L"NTLM",
                                                       SECPKG_CRED_OUTBOUND, NULL, identity, NULL,
                                                       NULL, &credential, NULL);
    if (!ok(!status, "not acquired: %08lx", status)) return false;
    status = InitializeSecurityContextW(&credential, NULL, NULL, 0, 0, SECURITY_NATIVE_DREP, NULL,
                                        0, &context, &output, &attributes, NULL);
    if (ok(status == SEC_I_CONTINUE_NEEDED, "first leg: %08lx", status)) {
        out.cbBuffer = sizeof(token);
        status = InitializeSecurityContextW(&credential, &context, NULL, 0, 0, SECURITY_NATIVE_DREP,
                                            &input, 0, &context, &output, &attributes, NULL);
        DeleteSecurityContext(&context);
    }
    FreeCredentialsHandle(&credential);
    return ok(!status, "second leg: %08lx", status) &&
           ok(response_take(token, out.cbBuffer, 12, lm), "no short LM response") &&
           ok(response_take(token, out.cbBuffer, 20, nt), "no short NT response");
}

static bool respond_wide(const wchar_t *password)
{
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(L"User", L"Domain", password);
    return respond(&identity);
}

static struct saved_value level;

static bool level_set(DWORD number)
{
    if (!ours_only()) return false;
    if (!ok(value_set(&level, REG_DWORD, &number, sizeof(number)), "level not set")) return false;
    second_pass();
    return true;
}

static void test_published(void)
{
    if (!level_set(0) || !respond_wide(L"Password")) return;
    ok(!memcmp(nt, nt_response, RESPONSE), "NT response");
    ok(!memcmp(lm, lm_response, RESPONSE), "LM response");
}

/* MS-NLMP 3.3.1, LMOWFv1: in upper case */
static void test_case(void)
{
    static const wchar_t *const passwords[] = {L"PASSWORD", L"password", L"pASSWORD"};
    if (!level_set(0)) return;
    for (int i = 0; i < 3; i++)
        if (respond_wide(passwords[i])) {
            ok(!memcmp(lm, lm_response, RESPONSE), "%ls: LM response", passwords[i]);
            ok(memcmp(nt, nt_response, RESPONSE), "%ls: NT response", passwords[i]);
        }
    SEC_WINNT_AUTH_IDENTITY_A narrow = narrow_identity("User", "Domain", "PassWord");
    if (respond(&narrow)) ok(!memcmp(lm, lm_response, RESPONSE), "narrow: LM response");
}

/* Without such a hash the NT response stands in both places, as with NoLMResponseNTLMv1 of
 * MS-NLMP 3.3.1. */
static void test_none(void)
{
    static const wchar_t *const passwords[] = {L"Password1234567", L"Password\x4e2d"};
    if (!level_set(0)) return;
    for (int i = 0; i < 2; i++)
        if (respond_wide(passwords[i]))
            ok(!memcmp(lm, nt, RESPONSE), "password %d has an LM response", i);
    if (respond_wide(L"Password123456"))
        ok(memcmp(lm, nt, RESPONSE), "14 characters have no LM response");
    if (respond_wide(L"")) ok(memcmp(lm, nt, RESPONSE), "no characters have no LM response");
}

/* [D network-security-lan-manager-authentication-level] 2: NTLM only */
static void test_level(void)
{
    if (!level_set(2) || !respond_wide(L"Password")) return;
    ok(!memcmp(nt, nt_response, RESPONSE), "NT response");
    ok(!memcmp(lm, nt_response, RESPONSE), "LM response");
}

int main(void)
{
    bool saved = running_on_ours() && value_save(&level, LSA, L"LmCompatibilityLevel");
    RUN(test_published);
    RUN(test_case);
    RUN(test_none);
    RUN(test_level);
    if (saved) value_restore(&level);
    return test_end("api_lm");
}
