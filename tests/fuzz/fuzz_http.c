/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Heads of HTTP messages, credentials and cookies, and base64 that is decoded and made again. */
#include "../../tools/webworkers/http.h"

#include "fuzz.h"

static void check_inside(struct slice whole, struct slice part)
{
    must(!part.size || (part.data >= whole.data && part.size <= whole.size &&
                        (size_t)(part.data - whole.data) <= whole.size - part.size));
}

static void check_base64(struct slice text)
{
    struct writer bytes, again;
    writer_init(&bytes);
    writer_init(&again);
    if (base64_read(text, &bytes)) {
        base64_write(&again, writer_view(&bytes));
        must(slices_equal(writer_view(&again), text));
    }
    writer_free(&bytes);
    writer_free(&again);
}

static void check_head(struct slice whole, const struct http_head *head)
{
    struct slice value, scheme, token;
    must(head->field_count <= HTTP_FIELDS_MAX && head->body_size <= HTTP_BODY_MAX);
    check_inside(whole, head->method);
    check_inside(whole, head->target);
    for (size_t i = 0; i < head->field_count; i++) {
        check_inside(whole, head->fields[i].name);
        check_inside(whole, head->fields[i].value);
        if (!http_credentials_parse(head->fields[i].value, &scheme, &token)) continue;
        check_inside(whole, token);
        check_base64(token);
    }
    if (http_cookie_get(head, "c", &value)) check_inside(whole, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice whole = {data, size};
    struct http_head head;
    size_t head_size = http_head_size(whole);
    must(head_size <= size);
    if (!http_request_parse((struct slice){data, head_size}, HTTP_BODY_MAX, &head)) {
        check_head(whole, &head);
        must(head.method.size && head.target.size);
    }
    if (http_answer_parse((struct slice){data, head_size}, &head)) check_head(whole, &head);
    check_base64(whole);
    return 0;
}
