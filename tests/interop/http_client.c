/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A web client of an interoperability test in three kinds: SSPI on a socket, WinHTTP and WinINet.
 * The latter two bring their own HTTP and call SSPI themselves. Prints the last answer's status
 * and body of each request, and whose SSPI the process has loaded.
 */
#include "http_client.h"

#include "../../tools/handover/narrate.h"

#include <wininet.h>

#include <stdlib.h>
#include <string.h>

static bool read_line(wchar_t *line, int capacity)
{
    char text[HTTP_CLIENT_TEXT_MAX];
    if (!fgets(text, sizeof(text), stdin)) return false;
    text[strcspn(text, "\r\n")] = 0;
    return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, line, capacity) > 0;
}

/* "DOMAIN\user" and the password on two lines; no input means default credentials. */
static bool read_login(struct http_client *client)
{
    if (!read_line(client->account, HTTP_CLIENT_TEXT_MAX)) return true;
    wchar_t *backslash = wcschr(client->account, '\\');
    if (!backslash || !read_line(client->password, HTTP_CLIENT_TEXT_MAX)) return false;
    wcscpy(client->domain, client->account);
    client->domain[backslash - client->account] = 0;
    wcscpy(client->user, backslash + 1);
    client->explicit_login = true;
    return true;
}

static bool parse_number(const char *text, unsigned long max, unsigned *out)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    *out = (unsigned)number;
    return *text && !*end && number && number <= max;
}

/* The flags of WinINet and of WinHTTP are the same. */
static bool parse_ignored(struct http_client *client, const char *what)
{
    if (!strcmp(what, "issuer")) client->ignored = SECURITY_FLAG_IGNORE_UNKNOWN_CA;
    else if (!strcmp(what, "name")) client->ignored = SECURITY_FLAG_IGNORE_CERT_CN_INVALID;
    else if (!strcmp(what, "date")) client->ignored = SECURITY_FLAG_IGNORE_CERT_DATE_INVALID;
    return client->ignored != 0;
}

static bool parse_option(struct http_client *client, const char *name, const char *value)
{
    if (!strcmp(name, "--port")) return parse_number(value, 65535, &client->port);
    if (!strcmp(name, "--requests")) return parse_number(value, 100, &client->requests);
    if (!strcmp(name, "--scheme")) return (client->scheme = value) != NULL;
    if (!strcmp(name, "--package")) return (client->package = value) != NULL;
    if (!strcmp(name, "--path")) return (client->path = value) != NULL;
    if (!strcmp(name, "--post")) return (client->post = value) != NULL;
    if (!strcmp(name, "--ignore")) return parse_ignored(client, value);
    if (!strcmp(name, "--certificate")) return (client->certificate = value) != NULL;
    return false;
}

static bool parse_switch(struct http_client *client, const char *name)
{
    if (!strcmp(name, "--secure")) return (client->secure = true);
    return false;
}

/* From the third argument on. */
static bool parse_all(struct http_client *client, int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        if (parse_switch(client, argv[i])) continue;
        if (i + 1 == argc || !parse_option(client, argv[i], argv[i + 1])) return false;
        i++;
    }
    return client->port != 0;
}

static bool (*parse_kind(const char *name))(const struct http_client *client)
{
    if (!strcmp(name, "sspi")) return http_by_sspi;
    if (!strcmp(name, "winhttp")) return http_by_winhttp;
    if (!strcmp(name, "wininet")) return http_by_wininet;
    return NULL;
}

const CERT_CONTEXT *http_client_certificate(const struct http_client *client)
{
    static BYTE bytes[16384];
    CRYPT_DATA_BLOB blob = {0, bytes};
    FILE *file = client->certificate ? fopen(client->certificate, "rb") : NULL;
    if (!file) return NULL;
    blob.cbData = (DWORD)fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    HCERTSTORE store = PFXImportCertStore(&blob, L"pfx", CRYPT_EXPORTABLE);
    return store ? CertEnumCertificatesInStore(store, NULL) : NULL;
}

void http_client_report(unsigned status, const void *body, size_t size)
{
    printf("status: %u\n", status);
    fwrite("body: ", 1, 6, stdout);
    fwrite(body, 1, size, stdout);
    printf("\n");
    fflush(stdout);
}

bool http_client_fail(const char *call, unsigned long error)
{
    printf("error: %s %lu\n", call, error);
    fflush(stdout);
    return false;
}

/* What is in memory says it, not what lies in the folder: the file may be the one and the module
 * the other. */
static const char *maker_of(const wchar_t *module)
{
    static const wchar_t ours[] = L"winesspi";
    HMODULE handle = GetModuleHandleW(module);
    if (!handle) return "not loaded";
    HRSRC found = FindResourceW(handle, MAKEINTRESOURCEW(1), MAKEINTRESOURCEW(16)); /* version */
    HGLOBAL loaded = found ? LoadResource(handle, found) : NULL;
    const char *data = loaded ? LockResource(loaded) : NULL;
    DWORD size = data ? SizeofResource(handle, found) : 0;
    for (DWORD i = 0; i + sizeof(ours) <= size; i += 2)
        if (!memcmp(data + i, ours, sizeof(ours))) return "winesspi";
    return "somebody else";
}

static void report_modules(void)
{
    static const wchar_t *const modules[] = {L"secur32.dll", L"ssp_ntlm.dll", L"ssp_negotiate.dll"};
    for (unsigned i = 0; i < 3; i++) printf("%ls: %s\n", modules[i], maker_of(modules[i]));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct http_client client = {.requests = 1, .scheme = "NTLM", .path = "/"};
    WSADATA data;
    bool (*run)(const struct http_client *) = argc > 1 ? parse_kind(argv[1]) : NULL;
    if (!run || !parse_all(&client, argc, argv) || !read_login(&client)) {
        fprintf(stderr,
                "usage: %s sspi|winhttp|wininet --port PORT [--scheme SCHEME] [--package PACKAGE]\n"
                "       [--path PATH] [--post TEXT] [--requests N] [--secure]\n"
                "       [--ignore issuer|name|date] [--certificate PFX] <LINES\n"
                "The input is empty, or DOMAIN\\USER and the password.\n",
                argv[0]);
        return 2;
    }
    text_start("http_client");
    narrate_start("client");
    if (WSAStartup(MAKEWORD(2, 2), &data)) return EXIT_FAILURE;
    bool good = run(&client);
    report_modules();
    WSACleanup();
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
