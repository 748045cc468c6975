/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See answer.h. Nothing may be kept by a cache: the answers belong to one client, once. */
#include "answer.h"

#include <stdio.h>
#include <string.h>

void answer_write(struct writer *w, const struct answer *answer)
{
    char line[160];
    const char *reason = http_reason(answer->status);
    struct slice body = answer->body;
    if (!body.size) body = (struct slice){(const uint8_t *)reason, strlen(reason)};
    snprintf(line, sizeof(line), "HTTP/1.1 %u %s\r\nContent-Length: %lu\r\n", answer->status,
             reason, (unsigned long)body.size);
    http_write_text(w, line);
    http_write_text(w, "Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n");
    if (answer->close) http_write_text(w, "Connection: close\r\n");
    writer_slice(w, answer->fields);
    http_write_text(w, "\r\n");
    if (!answer->bodiless) writer_slice(w, body);
}
