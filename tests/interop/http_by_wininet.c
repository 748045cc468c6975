/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The web client on WinINet, which picks the first scheme of the server's that it knows. The
 * program names the account beforehand, or asks for none and gives the one of its user.
 */
#include "http_client.h"

#include <wininet.h>

#include <string.h>

#define REQUEST_FLAGS                                                                      \
    (INTERNET_FLAG_RELOAD | INTERNET_FLAG_NO_CACHE_WRITE | INTERNET_FLAG_KEEP_CONNECTION | \
     INTERNET_FLAG_NO_UI)

static bool report(HINTERNET request)
{
    char body[4096];
    DWORD size = 0, part, status = 0, status_size = sizeof(status);
    if (!HttpQueryInfoW(request, HTTP_QUERY_STATUS_CODE | HTTP_QUERY_FLAG_NUMBER, &status,
                        &status_size, NULL))
        return http_client_fail("HttpQueryInfo", GetLastError());
    while (size < sizeof(body)) {
        if (!InternetReadFile(request, body + size, (DWORD)sizeof(body) - size, &part))
            return http_client_fail("InternetReadFile", GetLastError());
        if (!part) break;
        size += part;
    }
    http_client_report(status, body, size);
    return true;
}

static bool ask(const struct http_client *client, HINTERNET connection, const wchar_t *path)
{
    DWORD size = client->post ? (DWORD)strlen(client->post) : 0;
    DWORD ignored = client->ignored;
    /* Wine's WinINet looks for revocation, in vain where it does not know the issuer. */
    if (ignored & SECURITY_FLAG_IGNORE_UNKNOWN_CA) ignored |= SECURITY_FLAG_IGNORE_REVOCATION;
    HINTERNET request = HttpOpenRequestW(
        connection, client->post ? L"POST" : L"GET", path, NULL, NULL, NULL,
        REQUEST_FLAGS | (client->secure ? INTERNET_FLAG_SECURE : 0), 0);
    if (!request) return http_client_fail("HttpOpenRequest", GetLastError());
    if (ignored)
        InternetSetOptionW(request, INTERNET_OPTION_SECURITY_FLAGS, &ignored, sizeof(ignored));
    bool result = HttpSendRequestW(request, NULL, 0, (void *)client->post, size) ||
                  http_client_fail("HttpSendRequest", GetLastError());
    result = result && report(request);
    InternetCloseHandle(request);
    return result;
}

bool http_by_wininet(const struct http_client *client)
{
    wchar_t path[HTTP_CLIENT_TEXT_MAX];
    if (!MultiByteToWideChar(CP_UTF8, 0, client->path, -1, path, HTTP_CLIENT_TEXT_MAX))
        return http_client_fail("the path", GetLastError());
    const wchar_t *account = client->explicit_login ? client->account : NULL;
    HINTERNET connection = NULL;
    HINTERNET session = InternetOpenW(L"winesspi test", INTERNET_OPEN_TYPE_DIRECT, NULL, NULL, 0);
    if (session)
        connection = InternetConnectW(session, L"localhost", (INTERNET_PORT)client->port, account,
                                      account ? client->password : NULL, INTERNET_SERVICE_HTTP, 0,
                                      0);
    bool result = connection || http_client_fail("InternetConnect", GetLastError());
    for (unsigned i = 0; result && i < client->requests; i++)
        result = ask(client, connection, path);
    if (connection) InternetCloseHandle(connection);
    if (session) InternetCloseHandle(session);
    return result;
}
