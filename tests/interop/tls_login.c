/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * See tls_login.h. Each token is a line of hexadecimal digits; "+" and "-" are the server's
 * verdict, and "-" is what either end says when it gives up. The bindings are handed on as they
 * come from Schannel (RFC 5929).
 */
#include "tls_login.h"

#include "../../tools/sspictl/names.h"

#include "identities.h"

#include <ntsecapi.h>
#include <schannel.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_MAX 8192u
#define TEXT_MAX 128

struct login {
    struct tls_link *link;
    wchar_t package[16];
    ULONG binding; /* SECPKG_ATTR_ of it; 0: none */
    SecPkgContext_Bindings bindings;
    CredHandle credential;
    CtxtHandle context;
    bool have_context;
    SECURITY_STATUS status;
    uint8_t token[TOKEN_MAX]; /* the last one */
    size_t size;
};

/* ---- lines ---- */

static bool send_token(struct login *login)
{
    static char line[2 * TOKEN_MAX + 2];
    size_t at = 0;
    for (size_t i = 0; i < login->size; i++)
        at += (size_t)snprintf(line + at, 3, "%02x", login->token[i]);
    line[at++] = '\n';
    return tls_link_send(login->link, line, at);
}

static bool send_word(struct login *login, const char *word)
{
    return tls_link_send(login->link, word, strlen(word));
}

/* A token, or *word of one letter. */
static bool receive_line(struct login *login, char *word)
{
    struct tls_link *link = login->link;
    uint8_t *end;
    while (!(end = memchr(link->plain, '\n', link->plain_size))) {
        if (link->end != TLS_LINK_OPEN) return tls_link_fail(link, "login", "the peer has ended");
        if (!tls_link_receive(link)) return false;
    }
    size_t length = (size_t)(end - link->plain);
    *word = length == 1 ? (char)link->plain[0] : 0;
    login->size = 0;
    for (size_t i = 0; i + 1 < length && login->size < TOKEN_MAX; i += 2) {
        const char digits[3] = {(char)link->plain[i], (char)link->plain[i + 1], 0};
        login->token[login->size++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    tls_link_take(link, length + 1);
    return true;
}

/* ---- the package ---- */

static bool fail(struct login *login, const char *step, SECURITY_STATUS status)
{
    return status == SEC_E_OK || tls_link_fail_status(login->link, step, status);
}

static bool read_line(FILE *file, wchar_t line[TEXT_MAX])
{
    char text[TEXT_MAX];
    if (!fgets(text, sizeof(text), file)) return false;
    text[strcspn(text, "\r\n")] = 0;
    return MultiByteToWideChar(CP_UTF8, 0, text, -1, line, TEXT_MAX) > 0;
}

/* The file has "DOMAIN\user" and the password. */
static bool read_identity(struct login *login, wchar_t account[TEXT_MAX],
                          wchar_t password[TEXT_MAX])
{
    const char *name = login->link->options->login;
    FILE *file = name ? fopen(name, "r") : NULL;
    bool good = file && read_line(file, account) && read_line(file, password) &&
                wcschr(account, '\\');
    if (file) fclose(file);
    return good || tls_link_fail(login->link, "login", "has no account");
}

static bool acquire(struct login *login)
{
    wchar_t account[TEXT_MAX], password[TEXT_MAX];
    const bool server = login->link->options->server;
    SEC_WINNT_AUTH_IDENTITY_W identity;
    if (!server) {
        if (!read_identity(login, account, password)) return false;
        wchar_t *user = wcschr(account, '\\');
        *user++ = 0;
        identity = wide_identity(user, account, password);
    }
    return fail(login, "login",
                AcquireCredentialsHandleW(
                    NULL, login->package, server ? SECPKG_CRED_INBOUND : SECPKG_CRED_OUTBOUND, NULL,
                    server ? NULL : &identity, NULL, NULL, &login->credential, NULL));
}

/* Takes the token that has come, if one has, and leaves ours. */
static void step(struct login *login)
{
    static uint8_t reply[TOKEN_MAX];
    CtxtHandle *context = login->have_context ? &login->context : NULL;
    SecBuffer in[2], out = {sizeof(reply), SECBUFFER_TOKEN, reply};
    SecBufferDesc in_desc = {SECBUFFER_VERSION, 0, in}, out_desc = {SECBUFFER_VERSION, 1, &out};
    ULONG attributes;
    if (login->size)
        in[in_desc.cBuffers++] = (SecBuffer){(ULONG)login->size, SECBUFFER_TOKEN, login->token};
    if (login->binding)
        in[in_desc.cBuffers++] = (SecBuffer){login->bindings.BindingsLength,
                                             SECBUFFER_CHANNEL_BINDINGS, login->bindings.Bindings};
    SecBufferDesc *given = in_desc.cBuffers ? &in_desc : NULL;
    if (login->link->options->server)
        login->status = AcceptSecurityContext(&login->credential, context, given, ASC_REQ_INTEGRITY,
                                              0, &login->context, &out_desc, &attributes, NULL);
    else
        login->status = InitializeSecurityContextW(
            &login->credential, context, (wchar_t *)L"test/localhost", ISC_REQ_INTEGRITY, 0, 0,
            given, 0, &login->context, &out_desc, &attributes, NULL);
    login->size = 0;
    if (login->status < 0) return;
    login->have_context = true;
    login->size = out.cbBuffer;
    memcpy(login->token, reply, out.cbBuffer);
}

/* ---- both ends ---- */

static bool run_client(struct login *login)
{
    char word = 0;
    do {
        step(login);
        if (login->status < 0) return send_word(login, "-\n");
        if (login->size && !send_token(login)) return false;
        if (!receive_line(login, &word)) return false;
    } while (!word && login->status != SEC_E_OK);
    if (word != '+' || login->status != SEC_E_OK) login->status = SEC_E_LOGON_DENIED;
    return true;
}

static bool run_server(struct login *login)
{
    char word;
    do {
        if (!receive_line(login, &word)) return false;
        if (word) login->status = SEC_E_LOGON_DENIED;
        else step(login);
        if (login->status < 0) return send_word(login, "-\n");
        if (login->size && !send_token(login)) return false;
    } while (login->status != SEC_E_OK);
    return send_word(login, "+\n");
}

static void report(struct login *login)
{
    SecPkgContext_NamesW names;
    struct status_text text = status_text(login->status);
    if (login->status != SEC_E_OK) {
        printf("login: %.*s\n", (int)strcspn(text.text, " "), text.text);
    } else if (QueryContextAttributesW(&login->context, SECPKG_ATTR_NAMES, &names) == SEC_E_OK) {
        printf("login: %ls\n", names.sUserName);
        FreeContextBuffer(names.sUserName);
    } else {
        printf("login: nobody\n");
    }
}

static bool parse(struct login *login, const char *what)
{
    size_t length = strcspn(what, "+");
    if (length >= sizeof(login->package) / 2 || !what[length])
        return tls_link_fail(login->link, "login", "of no such kind");
    for (size_t i = 0; i < length; i++) login->package[i] = (wchar_t)what[i];
    if (!strcmp(what + length, "+endpoint")) login->binding = SECPKG_ATTR_ENDPOINT_BINDINGS;
    else if (!strcmp(what + length, "+unique")) login->binding = SECPKG_ATTR_UNIQUE_BINDINGS;
    else if (strcmp(what + length, "+none") != 0)
        return tls_link_fail(login->link, "login", "with no such bindings");
    return true;
}

bool tls_login_run(struct tls_link *link, const char *what)
{
    static struct login login;
    login = (struct login){.link = link};
    if (!parse(&login, what) ||
        (login.binding &&
         !fail(&login, "bindings",
               QueryContextAttributesW(&link->context, login.binding, &login.bindings))))
        return false;
    bool result = acquire(&login);
    if (result) {
        result = link->options->server ? run_server(&login) : run_client(&login);
        if (result) report(&login);
        if (login.have_context) DeleteSecurityContext(&login.context);
        FreeCredentialsHandle(&login.credential);
    }
    if (login.bindings.Bindings) FreeContextBuffer(login.bindings.Bindings);
    return result;
}
