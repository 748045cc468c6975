/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The web client on WinHTTP. As on Windows, the program asks which schemes the server offers, picks
 * one, and repeats the request; the tokens are WinHTTP's own affair.
 */
#include "http_client.h"

#include <winhttp.h>

#include <string.h>

static DWORD scheme_of(const char *name)
{
    return !strcmp(name, "NTLM") ? WINHTTP_AUTH_SCHEME_NTLM : WINHTTP_AUTH_SCHEME_NEGOTIATE;
}

static bool query_status(HINTERNET request, DWORD *status)
{
    DWORD size = sizeof(*status);
    return WinHttpQueryHeaders(request, WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER,
                               WINHTTP_HEADER_NAME_BY_INDEX, status, &size,
                               WINHTTP_NO_HEADER_INDEX);
}

static bool send_once(const struct http_client *client, HINTERNET request, DWORD *status)
{
    DWORD size = client->post ? (DWORD)strlen(client->post) : 0;
    if (!WinHttpSendRequest(request, WINHTTP_NO_ADDITIONAL_HEADERS, 0, (void *)client->post, size,
                            size, 0))
        return http_client_fail("WinHttpSendRequest", GetLastError());
    if (!WinHttpReceiveResponse(request, NULL))
        return http_client_fail("WinHttpReceiveResponse", GetLastError());
    return query_status(request, status) || http_client_fail("the status", GetLastError());
}

static bool authenticate(const struct http_client *client, HINTERNET request)
{
    DWORD supported = 0, first = 0, target = 0;
    if (!WinHttpQueryAuthSchemes(request, &supported, &first, &target))
        return http_client_fail("WinHttpQueryAuthSchemes", GetLastError());
    if (!(supported & scheme_of(client->scheme))) return http_client_fail("the offer", supported);
    return WinHttpSetCredentials(request, target, scheme_of(client->scheme), client->account,
                                 client->password, NULL) ||
           http_client_fail("WinHttpSetCredentials", GetLastError());
}

static bool report(HINTERNET request, DWORD status)
{
    char body[4096];
    DWORD size = 0, part;
    while (size < sizeof(body)) {
        if (!WinHttpReadData(request, body + size, (DWORD)sizeof(body) - size, &part))
            return http_client_fail("WinHttpReadData", GetLastError());
        if (!part) break;
        size += part;
    }
    http_client_report(status, body, size);
    return true;
}

static bool ask(const struct http_client *client, HINTERNET connection, const wchar_t *path)
{
    DWORD status = 0;
    DWORD ignored = client->ignored;
    HINTERNET request = WinHttpOpenRequest(connection, client->post ? L"POST" : L"GET", path, NULL,
                                           WINHTTP_NO_REFERER, WINHTTP_DEFAULT_ACCEPT_TYPES,
                                           client->secure ? WINHTTP_FLAG_SECURE : 0);
    if (!request) return http_client_fail("WinHttpOpenRequest", GetLastError());
    if (ignored)
        WinHttpSetOption(request, WINHTTP_OPTION_SECURITY_FLAGS, &ignored, sizeof(ignored));
    const CERT_CONTEXT *certificate = http_client_certificate(client);
    if (certificate && !WinHttpSetOption(request, WINHTTP_OPTION_CLIENT_CERT_CONTEXT,
                                         (void *)certificate, sizeof(*certificate)))
        http_client_fail("the certificate", GetLastError());
    /* Without an account, those of the user are used at once, to any server. */
    DWORD policy = WINHTTP_AUTOLOGON_SECURITY_LEVEL_LOW;
    if (!client->explicit_login)
        WinHttpSetOption(request, WINHTTP_OPTION_AUTOLOGON_POLICY, &policy, sizeof(policy));
    bool result = send_once(client, request, &status);
    if (result && status == 401 && client->explicit_login)
        result = authenticate(client, request) && send_once(client, request, &status);
    result = result && report(request, status);
    WinHttpCloseHandle(request);
    return result;
}

bool http_by_winhttp(const struct http_client *client)
{
    wchar_t path[HTTP_CLIENT_TEXT_MAX];
    if (!MultiByteToWideChar(CP_UTF8, 0, client->path, -1, path, HTTP_CLIENT_TEXT_MAX))
        return http_client_fail("the path", GetLastError());
    HINTERNET session = WinHttpOpen(L"winesspi test", WINHTTP_ACCESS_TYPE_NO_PROXY,
                                    WINHTTP_NO_PROXY_NAME, WINHTTP_NO_PROXY_BYPASS, 0);
    HINTERNET connection = session ? WinHttpConnect(session, L"localhost",
                                                    (INTERNET_PORT)client->port, 0)
                                   : NULL;
    bool result = connection || http_client_fail("WinHttpConnect", GetLastError());
    for (unsigned i = 0; result && i < client->requests; i++)
        result = ask(client, connection, path);
    if (connection) WinHttpCloseHandle(connection);
    if (session) WinHttpCloseHandle(session);
    return result;
}
