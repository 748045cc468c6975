/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Drives two libraries that were built for Windows and use SSPI by themselves: libpq.dll
 * (PostgreSQL's client) and libcurl.dll. They are loaded by path, and what they find of SSPI is
 * what Wine's overrides give them. Prints one line "result: ..." for the script.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static void *find(HMODULE library, const char *name)
{
    void *function = (void *)(ULONG_PTR)GetProcAddress(library, name);
    if (function) return function;
    printf("result: no function %s\n", name);
    exit(EXIT_FAILURE);
}

static HMODULE load(const char *path)
{
    HMODULE library = LoadLibraryExA(path, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
    if (library) return library;
    printf("result: %s does not load, error %lu\n", path, GetLastError());
    exit(EXIT_FAILURE);
}

/* ---- libpq: who the server says we are ---- */

enum { CONNECTION_OK = 0, PGRES_TUPLES_OK = 2 };

static int run_pq(const char *path, const char *info)
{
    HMODULE library = load(path);
    void *(*connect)(const char *) = find(library, "PQconnectdb");
    int (*connection_status)(void *) = find(library, "PQstatus");
    char *(*message)(void *) = find(library, "PQerrorMessage");
    void *(*exec)(void *, const char *) = find(library, "PQexec");
    int (*result_status)(void *) = find(library, "PQresultStatus");
    char *(*value)(void *, int, int) = find(library, "PQgetvalue");
    void (*clear)(void *) = find(library, "PQclear");
    void (*finish)(void *) = find(library, "PQfinish");

    void *connection = connect(info);
    int status = connection_status(connection);
    if (status != CONNECTION_OK) {
        printf("result: %s\n", message(connection));
        finish(connection);
        return EXIT_FAILURE;
    }
    void *result = exec(connection, "select session_user");
    bool good = result_status(result) == PGRES_TUPLES_OK;
    printf("result: %s\n", good ? value(result, 0, 0) : message(connection));
    clear(result);
    finish(connection);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- libcurl: the status and body of one page ---- */

/* curl/curl.h */
enum {
    CURLOPT_WRITEDATA = 10001,
    CURLOPT_URL = 10002,
    CURLOPT_USERPWD = 10005,
    CURLOPT_ERRORBUFFER = 10010,
    CURLOPT_SSLCERT = 10025,
    CURLOPT_KEYPASSWD = 10026,
    CURLOPT_COOKIEFILE = 10031,
    CURLOPT_SSLCERTTYPE = 10086,
    CURLOPT_WRITEFUNCTION = 20011,
    CURLOPT_HTTPAUTH = 107,
    CURLOPT_TIMEOUT = 13,
    CURLOPT_SSLVERSION = 32,
    CURLOPT_SSL_VERIFYPEER = 64,
    CURLOPT_SSL_VERIFYHOST = 81,
    CURL_SSLVERSION_TLSV1_2 = 6,
    CURL_SSLVERSION_TLSV1_3 = 7,
    CURLOPT_SSL_OPTIONS = 216,
    CURLSSLOPT_NO_REVOKE = 2,
    CURL_ERROR_SIZE = 256,
    CURLINFO_RESPONSE_CODE = 0x200002,
    CURLAUTH_NEGOTIATE = 4,
    TIMEOUT_SECONDS = 30,
};

struct page {
    char text[16384];
    size_t size;
};

static size_t keep(char *bytes, size_t size, size_t count, void *data)
{
    struct page *page = data;
    size_t room = sizeof(page->text) - 1 - page->size;
    size_t taken = size * count < room ? size * count : room;
    memcpy(page->text + page->size, bytes, taken);
    page->size += taken;
    return size * count;
}

struct curl {
    void *(*init)(void);
    int (*set)(void *, int, ...);
    int (*perform)(void *);
    int (*info)(void *, int, ...);
    const char *(*describe)(int);
    void (*cleanup)(void *);
};

static struct curl curl_load(const char *path)
{
    HMODULE library = load(path);
    return (struct curl){.init = find(library, "curl_easy_init"),
                         .set = find(library, "curl_easy_setopt"),
                         .perform = find(library, "curl_easy_perform"),
                         .info = find(library, "curl_easy_getinfo"),
                         .describe = find(library, "curl_easy_strerror"),
                         .cleanup = find(library, "curl_easy_cleanup")};
}

/* Also cleans the transfer up. */
static int fetch(const struct curl *curl, void *transfer, const char *url)
{
    static struct page page;
    char message[CURL_ERROR_SIZE] = "";
    long status = 0;
    memset(&page, 0, sizeof(page));
    curl->set(transfer, CURLOPT_ERRORBUFFER, message);
    curl->set(transfer, CURLOPT_URL, url);
    curl->set(transfer, CURLOPT_TIMEOUT, TIMEOUT_SECONDS);
    curl->set(transfer, CURLOPT_WRITEFUNCTION, keep);
    curl->set(transfer, CURLOPT_WRITEDATA, &page);
    int error = curl->perform(transfer);
    curl->info(transfer, CURLINFO_RESPONSE_CODE, &status);
    curl->cleanup(transfer);
    if (error) {
        printf("result: %s\n", message[0] ? message : curl->describe(error));
        return EXIT_FAILURE;
    }
    printf("result: %ld %s\n", status, page.text);
    return EXIT_SUCCESS;
}

static int run_curl(const char *path, const char *url, const char *user)
{
    struct curl curl = curl_load(path);
    void *transfer = curl.init();
    curl.set(transfer, CURLOPT_USERPWD, user);
    curl.set(transfer, CURLOPT_COOKIEFILE, "");
    if (curl.set(transfer, CURLOPT_HTTPAUTH, CURLAUTH_NEGOTIATE)) {
        printf("result: the library has no Negotiate\n");
        curl.cleanup(transfer);
        return EXIT_FAILURE;
    }
    return fetch(&curl, transfer, url);
}

/* TLS: options are "1.2" or "1.3" for the lowest version, "lenient" for any certificate, "revoke"
 * to have revocation looked for, as the library does unless told otherwise, and the path of a PFX
 * file with the client's. */
static int run_tls(const char *path, const char *url, int count, char **options)
{
    struct curl curl = curl_load(path);
    void *transfer = curl.init();
    curl.set(transfer, CURLOPT_SSL_OPTIONS, (long)CURLSSLOPT_NO_REVOKE);
    for (int i = 0; i < count; i++) {
        if (!strcmp(options[i], "revoke")) {
            curl.set(transfer, CURLOPT_SSL_OPTIONS, 0L);
            continue;
        }
        if (!strcmp(options[i], "1.2") || !strcmp(options[i], "1.3")) {
            curl.set(
                transfer, CURLOPT_SSLVERSION,
                (long)(options[i][2] == '2' ? CURL_SSLVERSION_TLSV1_2 : CURL_SSLVERSION_TLSV1_3));
        } else if (!strcmp(options[i], "lenient")) {
            curl.set(transfer, CURLOPT_SSL_VERIFYPEER, 0L);
            curl.set(transfer, CURLOPT_SSL_VERIFYHOST, 0L);
        } else {
            curl.set(transfer, CURLOPT_SSLCERTTYPE, "P12");
            curl.set(transfer, CURLOPT_SSLCERT, options[i]);
            curl.set(transfer, CURLOPT_KEYPASSWD, "pfx");
        }
    }
    return fetch(&curl, transfer, url);
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "pq")) return run_pq(argv[2], argv[3]);
    if (argc == 5 && !strcmp(argv[1], "curl")) return run_curl(argv[2], argv[3], argv[4]);
    if (argc >= 4 && !strcmp(argv[1], "tls")) return run_tls(argv[2], argv[3], argc - 4, argv + 4);
    fprintf(stderr, "usage: windows_libraries pq LIBPQ.DLL CONNINFO\n"
                    "       windows_libraries curl LIBCURL.DLL URL USER:PASSWORD\n"
                    "       windows_libraries tls LIBCURL.DLL URL [1.2|1.3] [lenient]\n"
                    "           [revoke] [PFX]\n");
    return 2;
}
