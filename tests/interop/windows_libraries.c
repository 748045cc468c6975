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
    CURLOPT_COOKIEFILE = 10031,
    CURLOPT_WRITEFUNCTION = 20011,
    CURLOPT_HTTPAUTH = 107,
    CURLOPT_TIMEOUT = 13,
    CURLINFO_RESPONSE_CODE = 0x200002,
    CURLAUTH_NEGOTIATE = 4,
    TIMEOUT_SECONDS = 30,
};

struct page {
    char text[4096];
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

static int run_curl(const char *path, const char *url, const char *user)
{
    HMODULE library = load(path);
    void *(*init)(void) = find(library, "curl_easy_init");
    int (*set)(void *, int, ...) = find(library, "curl_easy_setopt");
    int (*perform)(void *) = find(library, "curl_easy_perform");
    int (*info)(void *, int, ...) = find(library, "curl_easy_getinfo");
    const char *(*describe)(int) = find(library, "curl_easy_strerror");
    void (*cleanup)(void *) = find(library, "curl_easy_cleanup");

    static struct page page;
    long status = 0;
    void *transfer = init();
    set(transfer, CURLOPT_URL, url);
    set(transfer, CURLOPT_USERPWD, user);
    set(transfer, CURLOPT_COOKIEFILE, "");
    if (set(transfer, CURLOPT_HTTPAUTH, CURLAUTH_NEGOTIATE)) {
        printf("result: the library has no Negotiate\n");
        cleanup(transfer);
        return EXIT_FAILURE;
    }
    set(transfer, CURLOPT_TIMEOUT, TIMEOUT_SECONDS);
    set(transfer, CURLOPT_WRITEFUNCTION, keep);
    set(transfer, CURLOPT_WRITEDATA, &page);
    int error = perform(transfer);
    info(transfer, CURLINFO_RESPONSE_CODE, &status);
    cleanup(transfer);
    if (error) {
        printf("result: %s\n", describe(error));
        return EXIT_FAILURE;
    }
    printf("result: %ld %s\n", status, page.text);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "pq")) return run_pq(argv[2], argv[3]);
    if (argc == 5 && !strcmp(argv[1], "curl")) return run_curl(argv[2], argv[3], argv[4]);
    fprintf(stderr, "usage: windows_libraries pq LIBPQ.DLL CONNINFO\n"
                    "       windows_libraries curl LIBCURL.DLL URL USER:PASSWORD\n");
    return 2;
}
