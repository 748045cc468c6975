/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See site.h. HTTP/1.1 as tools/webworkers reads it, without chunked bodies. */
#include "site.h"

#include "cksum.h"

#include "../handover/narrate.h"
#include "../webworkers/answer.h"

#include <stdio.h>
#include <string.h>

#define UPLOAD_MAX (1u << 28)

void site_init(struct site *site)
{
    *site = (struct site){.stage = SITE_HEAD, .persistent = true};
}

/* ---- answers ---- */

static bool method_is(const struct http_head *request, const char *method)
{
    return request->method.size == strlen(method) &&
           !memcmp(request->method.data, method, request->method.size);
}

static bool target_is(const struct http_head *request, const char *target)
{
    return request->target.size == strlen(target) &&
           !memcmp(request->target.data, target, request->target.size);
}

/* An answer that is there at once. Without room for it, which does not happen, it is empty, and the
 * client is told nothing rather than half of it. */
static size_t site_say(struct site *site, unsigned status, const char *text, uint8_t *out,
                       size_t most)
{
    struct writer w;
    writer_init_fixed(&w, out, most);
    if (!site->persistent) site->stage = SITE_OVER;
    struct slice body = {(const uint8_t *)text, strlen(text)};
    answer_write(&w, &(struct answer){.status = status, .close = !site->persistent, .body = body});
    return writer_view(&w).size;
}

static size_t site_refuse(struct site *site, unsigned status, uint8_t *out, size_t most)
{
    narrate("a request is refused: %u %s", status, http_reason(status));
    site->persistent = false;
    return site_say(site, status, "", out, most);
}

static size_t site_tell(struct site *site, const struct site_surroundings *around, uint8_t *out,
                        size_t most)
{
    char text[160];
    snprintf(text, sizeof(text),
             "worker %u (pid %lu) answers request %u of this %s connection, its process %u\n",
             around->worker, GetCurrentProcessId(), (unsigned)site->requests, around->protocol,
             around->workers);
    return site_say(site, 200, text, out, most);
}

static size_t site_offer_file(struct site *site, const struct site_surroundings *around,
                              uint8_t *out, size_t most)
{
    int size = snprintf((char *)out, most,
                        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                        "Content-Length: %llu\r\nCache-Control: no-store\r\n%s\r\n",
                        (unsigned long long)around->file_size,
                        site->persistent ? "" : "Connection: close\r\n");
    site->stage = SITE_FILE;
    site->left = around->file_size;
    site->done = 0;
    return (size_t)size;
}

static size_t site_begin_body(struct site *site, const struct http_head *request, uint8_t *out,
                              size_t most)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    site->stage = SITE_BODY;
    site->left = request->body_size;
    site->done = 0;
    site->cksum = 0;
    if (!request->expects_continue || most < sizeof(go_on)) return 0;
    memcpy(out, go_on, sizeof(go_on) - 1);
    return sizeof(go_on) - 1;
}

/* ---- the three stages ---- */

static size_t site_answer(struct site *site, const struct site_surroundings *around,
                          const struct http_head *request, uint8_t *out, size_t most)
{
    site->requests++;
    site->persistent = request->persistent;
    if (method_is(request, "PUT") || method_is(request, "POST"))
        return site_begin_body(site, request, out, most);
    if (request->body_size || !method_is(request, "GET")) return site_refuse(site, 501, out, most);
    if (target_is(request, "/download")) return site_offer_file(site, around, out, most);
    if (target_is(request, "/")) return site_tell(site, around, out, most);
    return site_say(site, 404, "", out, most);
}

static size_t site_take_head(struct site *site, const struct site_surroundings *around,
                             struct queue *said, uint8_t *out, size_t most)
{
    struct slice have = queue_view(said);
    if (have.size > HTTP_HEAD_MAX) have.size = HTTP_HEAD_MAX;
    size_t head_size = http_head_size(have);
    if (!head_size) return have.size == HTTP_HEAD_MAX ? site_refuse(site, 431, out, most) : 0;
    struct http_head request;
    unsigned refusal = http_request_parse((struct slice){have.data, head_size}, UPLOAD_MAX,
                                          &request);
    size_t size = refusal ? site_refuse(site, refusal, out, most)
                          : site_answer(site, around, &request, out, most);
    queue_drop(said, head_size);
    return size;
}

static size_t site_take_body(struct site *site, struct queue *said, uint8_t *out, size_t most)
{
    struct slice part = queue_view(said);
    if (part.size > site->left) part.size = (size_t)site->left;
    site->cksum = cksum_add(site->cksum, part);
    site->left -= part.size;
    site->done += part.size;
    queue_drop(said, part.size);
    if (site->left) return 0;
    char text[64];
    snprintf(text, sizeof(text), "%lu %llu\n", (unsigned long)cksum_end(site->cksum, site->done),
             (unsigned long long)site->done);
    site->stage = SITE_HEAD;
    return site_say(site, 200, text, out, most);
}

static size_t site_give_file(struct site *site, const struct site_surroundings *around,
                             uint8_t *out, size_t most)
{
    DWORD got = 0, wanted = (DWORD)(site->left < most ? site->left : most);
    OVERLAPPED place = {.Offset = (DWORD)site->done, .OffsetHigh = (DWORD)(site->done >> 32)};
    if (wanted && (!ReadFile(around->file, out, wanted, &got, &place) || !got)) {
        narrate_failure("cannot read the file: error %lu", GetLastError());
        site->stage = SITE_OVER;
        return 0;
    }
    site->left -= got;
    site->done += got;
    if (!site->left) site->stage = site->persistent ? SITE_HEAD : SITE_OVER;
    return got;
}

size_t site_run(struct site *site, const struct site_surroundings *around, struct queue *said,
                uint8_t *out, size_t most)
{
    size_t size = 0;
    enum site_stage before;
    do {
        before = site->stage;
        switch (site->stage) {
        case SITE_HEAD: size = site_take_head(site, around, said, out, most); break;
        case SITE_BODY: size = site_take_body(site, said, out, most); break;
        case SITE_FILE: size = site_give_file(site, around, out, most); break;
        case SITE_OVER: break;
        }
    } while (!size && site->stage != before);
    return size;
}
