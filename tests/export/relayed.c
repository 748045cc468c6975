/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One side of a local call of NTLM, its messages being files of a folder, so that a script can have
 * the other side elsewhere, or messages of another time:
 *
 *   ntlm_relayed client FOLDER   writes negotiate, and authenticate when there is a challenge
 *   ntlm_relayed server FOLDER   writes the challenge
 *
 * Both say on one line what each leg gave.
 */
#include "loopback.h"

#define PATIENCE 20000 /* ms */

static CredHandle credential;
static CtxtHandle context;

static void path_make(char path[MAX_PATH], const char *folder, const char *name)
{
    snprintf(path, MAX_PATH, "%s/%s", folder, name);
}

/* Whole or not at all: others wait for the name. */
static bool message_write(const char *folder, const char *name, const void *bytes, ULONG size)
{
    char part[MAX_PATH], path[MAX_PATH];
    path_make(part, folder, "part");
    path_make(path, folder, name);
    FILE *file = fopen(part, "wb");
    if (!file) return false;
    bool whole = fwrite(bytes, 1, size, file) == size;
    return !fclose(file) && whole && MoveFileExA(part, path, MOVEFILE_REPLACE_EXISTING);
}

static ULONG message_read(const char *folder, const char *name, void *bytes, ULONG room)
{
    char path[MAX_PATH];
    const ULONGLONG end = GetTickCount64() + PATIENCE;
    FILE *file = NULL;
    path_make(path, folder, name);
    while (!(file = fopen(path, "rb")) && GetTickCount64() < end) Sleep(10);
    if (!file) return 0;
    ULONG size = (ULONG)fread(bytes, 1, room, file);
    fclose(file);
    return size;
}

/* A leg of the client or the server with the message of that name, if any; its answer gets one. */
static SECURITY_STATUS leg(bool server, const char *folder, const char *from, const char *to)
{
    BYTE given[4096], made[4096];
    ULONG attributes;
    bool first = !context_present(&context);
    SecBuffer in = {from ? message_read(folder, from, given, sizeof(given)) : 0, SECBUFFER_TOKEN,
                    given};
    SecBuffer out = {sizeof(made), SECBUFFER_TOKEN, made};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 1, &in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    if (from && !in.cbBuffer) return SEC_E_INCOMPLETE_MESSAGE;
    SECURITY_STATUS status = server
                                 ? AcceptSecurityContext(&credential, first ? NULL : &context,
                                                         &in_desc, 0, SECURITY_NATIVE_DREP,
                                                         &context, &out_desc, &attributes, NULL)
                                 : InitializeSecurityContextW(&credential, first ? NULL : &context,
                                                              NULL, ISC_REQ_CONFIDENTIALITY, 0,
                                                              SECURITY_NATIVE_DREP,
                                                              from ? &in_desc : NULL, 0, &context,
                                                              &out_desc, &attributes, NULL);
    if (status >= 0 && to && !message_write(folder, to, made, out.cbBuffer))
        return SEC_E_INTERNAL_ERROR;
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    bool server = !strcmp(argv[1], "server");
    context_forget(&context);
    SECURITY_STATUS first, second = SEC_E_INTERNAL_ERROR;
    SECURITY_STATUS status = AcquireCredentialsHandleW(
        NULL, (wchar_t *)L"NTLM", server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL, NULL,
        NULL, NULL, &credential, NULL);
    if (status) return 1;
    first = leg(server, argv[2], server ? "negotiate" : NULL, server ? "challenge" : "negotiate");
    if (first >= 0)
        second = leg(server, argv[2], server ? "authenticate" : "challenge",
                     server ? NULL : "authenticate");
    printf("%08lx %08lx\n", first, second);
    if (context_present(&context)) DeleteSecurityContext(&context);
    FreeCredentialsHandle(&credential);
    return 0;
}
