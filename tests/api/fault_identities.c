/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Identities and targets short of memory. */
#include "fault.h"

#include "identities.h"

#include <sspi.h>
#include <stdio.h>
#include <wincred.h>

typedef PSEC_WINNT_AUTH_IDENTITY_OPAQUE identity_t;

static identity_t identity;
static char *marshalled;
static ULONG marshalled_size;
static ULONG option; /* of encryption */

static SECURITY_STATUS(WINAPI *encrypt_ex)(ULONG options, identity_t identity);
static SECURITY_STATUS(WINAPI *decrypt_ex)(ULONG options, identity_t identity);

static bool opened(void)
{
    return !SspiEncodeStringsAsAuthIdentity(L"user", L"DOMAIN", L"a secret password", &identity);
}

static bool opened_encrypted(void)
{
    return opened() && !encrypt_ex(option, identity);
}

static void closed(void)
{
    SspiFreeAuthIdentity(identity);
}

/* ---- making and taking apart ---- */

static LONG encode_call(void)
{
    return SspiEncodeStringsAsAuthIdentity(L"user", L"DOMAIN", L"secret",
                                           (identity_t *)&answers.pointers[0]);
}

static bool made_check(void)
{
    bool valid = !SspiValidateAuthIdentity(answers.pointers[0]);
    SspiFreeAuthIdentity(answers.pointers[0]);
    return valid;
}

static LONG strings_call(void)
{
    return SspiEncodeAuthIdentityAsStrings(identity, (PCWSTR *)&answers.pointers[0],
                                           (PCWSTR *)&answers.pointers[1],
                                           (PCWSTR *)&answers.pointers[2]);
}

static bool strings_check(void)
{
    bool right = !lstrcmpW(answers.pointers[0], L"user") &&
                 !lstrcmpW(answers.pointers[1], L"DOMAIN");
    for (int i = 0; i < 3; i++) SspiLocalFree(answers.pointers[i]);
    return right;
}

static LONG copy_call(void)
{
    return SspiCopyAuthIdentity(identity, (identity_t *)&answers.pointers[0]);
}

static LONG exclude_call(void)
{
    return SspiExcludePackage(identity, L"Kerberos", (identity_t *)&answers.pointers[0]);
}

static LONG compare_call(void)
{
    return SspiCompareAuthIdentities(identity, identity, &answers.bytes[0], &answers.bytes[1]);
}

static LONG validate_call(void)
{
    return SspiValidateAuthIdentity(identity);
}

static LONG marshal_call(void)
{
    return SspiMarshalAuthIdentity(identity, &answers.numbers[0], (char **)&answers.pointers[0]);
}

static bool local_check(void)
{
    SspiLocalFree(answers.pointers[0]);
    return true;
}

static bool opened_marshalled(void)
{
    if (!opened()) return false;
    return !SspiMarshalAuthIdentity(identity, &marshalled_size, &marshalled);
}

static void closed_marshalled(void)
{
    SspiLocalFree(marshalled);
    closed();
}

static LONG unmarshal_call(void)
{
    return SspiUnmarshalAuthIdentity(marshalled_size, marshalled,
                                     (identity_t *)&answers.pointers[0]);
}

static LONG read_call(void)
{
    return SspiPrepareForCredRead(identity, L"HTTP/server", &answers.numbers[0],
                                  (PCWSTR *)&answers.pointers[0]);
}

static LONG write_call(void)
{
    return SspiPrepareForCredWrite(identity, L"HTTP/server", &answers.numbers[0],
                                   (PCWSTR *)&answers.pointers[0], (PCWSTR *)&answers.pointers[1],
                                   (PUCHAR *)&answers.pointers[2], &answers.numbers[1]);
}

static bool write_check(void)
{
    for (int i = 0; i < 3; i++) SspiLocalFree(answers.pointers[i]);
    return true;
}

/* ---- encryption, in place ---- */

static BYTE before[4096];

static bool identity_same(void)
{
    return !memcmp(before, identity,
                   ((const SEC_WINNT_AUTH_IDENTITY_EX2 *)identity)->cbStructureLength);
}

static void identity_note(void)
{
    memcpy(before, identity, ((const SEC_WINNT_AUTH_IDENTITY_EX2 *)identity)->cbStructureLength);
}

static LONG encrypt_call(void)
{
    identity_note();
    LONG status = encrypt_ex(option, identity);
    if (status < 0) expect_kept(identity_same());
    return status;
}

static bool encrypt_check(void)
{
    if (!SspiIsAuthIdentityEncrypted(identity)) return false;
    return option == SEC_WINNT_AUTH_IDENTITY_ENCRYPT_FOR_SYSTEM || !decrypt_ex(option, identity);
}

static LONG decrypt_call(void)
{
    identity_note();
    LONG status = decrypt_ex(option, identity);
    if (status < 0) expect_kept(identity_same());
    return status;
}

static bool decrypt_check(void)
{
    return !SspiIsAuthIdentityEncrypted(identity) && !SspiValidateAuthIdentity(identity);
}

/* ---- targets ---- */

typedef LONG NTAPI marshal_t(CREDENTIAL_TARGET_INFORMATIONW *info, USHORT **bytes, ULONG *size);
typedef LONG NTAPI unmarshal_t(USHORT *bytes, ULONG size, CREDENTIAL_TARGET_INFORMATIONW **info,
                               ULONG *used);
static marshal_t *target_marshal;
static unmarshal_t *target_unmarshal;
static USHORT *target_text;
static ULONG target_size;

static LONG host_call(void)
{
    return SspiGetTargetHostName(L"HTTP/www.farm.test", (PWSTR *)&answers.pointers[0]);
}

static LONG target_call(void)
{
    CREDENTIAL_TARGET_INFORMATIONW info = {.TargetName = (wchar_t *)L"server",
                                           .DnsServerName = (wchar_t *)L"server.farm.test"};
    return target_marshal(&info, (USHORT **)&answers.pointers[0], &answers.numbers[0]);
}

static bool target_check(void)
{
    return !LocalFree(answers.pointers[0]);
}

static bool target_open(void)
{
    target_call();
    target_text = answers.pointers[0];
    target_size = answers.numbers[0];
    return true;
}

static void target_close(void)
{
    LocalFree(target_text);
}

static LONG untarget_call(void)
{
    return target_unmarshal(target_text, target_size,
                            (CREDENTIAL_TARGET_INFORMATIONW **)&answers.pointers[0],
                            &answers.numbers[0]);
}

void fault_identities(void)
{
    static const struct scenario scenarios[] = {
        {"SspiEncodeStringsAsAuthIdentity", KIND_SSPI, NULL, encode_call, made_check, NULL},
        {"SspiEncodeAuthIdentityAsStrings", KIND_SSPI, opened, strings_call, strings_check, closed},
        {"SspiCopyAuthIdentity", KIND_SSPI, opened, copy_call, made_check, closed},
        {"SspiExcludePackage", KIND_SSPI, opened, exclude_call, made_check, closed},
        {"SspiCompareAuthIdentities", KIND_SSPI, opened, compare_call, NULL, closed},
        {"SspiValidateAuthIdentity", KIND_SSPI, opened, validate_call, NULL, closed},
        {"SspiMarshalAuthIdentity", KIND_SSPI, opened, marshal_call, local_check, closed},
        {"SspiUnmarshalAuthIdentity", KIND_SSPI, opened_marshalled, unmarshal_call, made_check,
         closed_marshalled},
        {"SspiPrepareForCredRead", KIND_SSPI, opened, read_call, local_check, closed},
        {"SspiPrepareForCredWrite", KIND_SSPI, opened, write_call, write_check, closed},
        {"SspiGetTargetHostName", KIND_SSPI, NULL, host_call, local_check, NULL},
        {"CredMarshalTargetInfo", KIND_NT, NULL, target_call, target_check, NULL},
        {"CredUnmarshalTargetInfo", KIND_NT, target_open, untarget_call, target_check,
         target_close},
    };
    static const struct scenario encrypted[] = {
        {"SspiEncryptAuthIdentityEx", KIND_SSPI, opened, encrypt_call, encrypt_check, closed},
        {"SspiDecryptAuthIdentityEx", KIND_SSPI, opened_encrypted, decrypt_call, decrypt_check,
         closed},
        {"SspiCopyAuthIdentity", KIND_SSPI, opened_encrypted, copy_call, made_check, closed},
        {"SspiCompareAuthIdentities", KIND_SSPI, opened_encrypted, compare_call, NULL, closed},
        {"SspiMarshalAuthIdentity", KIND_SSPI, opened_encrypted, marshal_call, local_check, closed},
    };
    char text[32];
    encrypt_ex = function_find("sspicli.dll", "SspiEncryptAuthIdentityEx");
    decrypt_ex = function_find("sspicli.dll", "SspiDecryptAuthIdentityEx");
    target_marshal = function_find("secur32.dll", "CredMarshalTargetInfo");
    target_unmarshal = function_find("secur32.dll", "CredUnmarshalTargetInfo");
    for (size_t i = 0; i < ARRAYSIZE(scenarios); i++) scenario_run(&scenarios[i], "plain");
    for (option = 1; option <= 4; option *= 2) {
        snprintf(text, sizeof(text), "option %lu", option);
        /* What is for the system is not decrypted here. */
        bool for_system = option == SEC_WINNT_AUTH_IDENTITY_ENCRYPT_FOR_SYSTEM;
        for (size_t i = 0; i < (for_system ? 1 : ARRAYSIZE(encrypted)); i++)
            scenario_run(&encrypted[i], text);
    }
}
