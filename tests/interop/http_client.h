/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the kinds of web client have in common. */
#pragma once

#include <winsock2.h>

#include <windows.h>

#include <wincrypt.h>

#include <stdbool.h>

#define HTTP_CLIENT_TEXT_MAX 128

struct http_client {
    unsigned port, requests;
    const char *scheme, *path;
    const char *package; /* for the kind "sspi"; NULL: the scheme's name is the package's */
    const char *post;    /* the body of a POST request; NULL: GET */
    bool secure;         /* HTTPS; not for the kind "sspi" */
    DWORD ignored; /* SECURITY_FLAG_IGNORE_: what may be wrong with the server's certificate */
    const char *certificate; /* PFX file, for the kind "winhttp"; NULL: none */
    bool explicit_login;
    wchar_t account[HTTP_CLIENT_TEXT_MAX]; /* DOMAIN\user */
    wchar_t domain[HTTP_CLIENT_TEXT_MAX], user[HTTP_CLIENT_TEXT_MAX];
    wchar_t password[HTTP_CLIENT_TEXT_MAX];
};

/* Each sends the requests, one after the other, over one connection where the server allows it.
 * False after a failure, which is printed; an answer of whatever status is none. */
bool http_by_sspi(const struct http_client *client);
bool http_by_winhttp(const struct http_client *client);
bool http_by_wininet(const struct http_client *client);

/* The client's certificate with its key; NULL when there is none. */
const CERT_CONTEXT *http_client_certificate(const struct http_client *client);

void http_client_report(unsigned status, const void *body, size_t size);
bool http_client_fail(const char *call, unsigned long error);
