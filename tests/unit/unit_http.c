/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The HTTP of the demonstration's web server: heads, credentials, cookies, base64. */
#include "../../tools/webworkers/http.h"

#include "unit.h"

#define HOST "Host: h\r\n"

/* In a block of exactly its size, so that reading beyond it is noticed. */
static unsigned parse_request(const char *text, size_t size)
{
    struct http_head head;
    uint8_t *block = exact_copy(text, size);
    unsigned refusal = http_request_parse(view(block, size), HTTP_BODY_MAX, &head);
    free(block);
    return refusal;
}

static void requests(void)
{
    static const struct {
        const char *text;
        unsigned refusal;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", 0},
        {"GET / HTTP/1.0\r\n\r\n", 0},
        {"POST /a?b=c HTTP/1.1\r\n" HOST "Content-Length: 1048576\r\n\r\n", 0},
        {"GET / HTTP/1.1\r\n" HOST "A:\tb \t\r\nC:\r\n\r\n", 0},
        {"GET / HTTP/1.1\r\n" HOST "A: \xc3\xbc\r\n\r\n", 0},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
        {"GET / HTTP/1.0\r\n" HOST HOST "\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST, 400},
        {"GET / HTTP/1.1\r\n" HOST "\r\nA: b\r\n\r\n", 400},
        {"\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /\r\n" HOST "\r\n", 400},
        {"GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET / HTTP/1.1 \r\n" HOST "\r\n", 400},
        {"GET / http/1.1\r\n" HOST "\r\n", 400},
        {"GET / HTTP/1.2\r\n" HOST "\r\n", 400},
        {"G(T / HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /\x7f HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET / HTTP/1.1\n" HOST "\n", 400},
        {"GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST " a: b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 1a\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\ncontent-length: 1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 1048577\r\n\r\n", 413},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551617\r\n\r\n", 413},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 501},
        {"GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: x\r\nContent-Length: 1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "Authorization: A\r\nAuthorization: B\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n\r\n", 0},
        {"GET / HTTP/1.1\r\n" HOST "Expect: other\r\n\r\n", 417},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        unsigned refusal = parse_request(cases[i].text, strlen(cases[i].text));
        ok(refusal == cases[i].refusal, "%u, not %u: %s", refusal, cases[i].refusal, cases[i].text);
    }
    static const char zero[] = "GET / HTTP/1.1\r\nHost: \0\r\n\r\n";
    ok(parse_request(zero, sizeof(zero) - 1) == 400, "a zero in a value");
}

static const char example[] = "POST /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\n"
                              "Cookie: a=1; bb=22;c; d=\r\nCookie: e=5=6\r\n"
                              "Authorization: NTLM YWJj\r\nExpect: 100-continue\r\n"
                              "Connection: x, Close\r\n\r\n";

static void prefixes(void)
{
    struct http_head head;
    size_t whole = sizeof(example) - 1;
    for (size_t size = 0; size < whole; size++) {
        ok(parse_request(example, size) == 400, "the first %zu bytes", size);
        ok(!http_head_size(view(example, size)), "the first %zu bytes have no end", size);
    }
    ok(http_head_size(ascii(example)) == whole, "the size of the whole");
    ok(!http_request_parse(ascii(example), HTTP_BODY_MAX, &head), "the whole");
    ok(same(head.method, ascii("POST")) && same(head.target, ascii("/x")), "the first line");
    ok(head.body_size == 5 && head.expects_continue && !head.persistent, "the framing");
}

static void too_many_fields(void)
{
    char text[4096] = "GET / HTTP/1.1\r\n" HOST;
    for (unsigned i = 1; i < HTTP_FIELDS_MAX; i++) strcat(text, "A: b\r\n");
    size_t size = strlen(text);
    strcpy(text + size, "\r\n");
    ok(parse_request(text, size + 2) == 0, "as many as there may be");
    strcpy(text + size, "A: b\r\n\r\n");
    ok(parse_request(text, size + 8) == 431, "one more");
}

static void contents(void)
{
    static const struct {
        const char *name, *value; /* NULL: there is none */
    } cookies[] = {{"a", "1"},  {"bb", "22"}, {"d", ""},   {"e", "5=6"},  {"A", NULL},
                   {"b", NULL}, {"c", NULL},  {"f", NULL}, {"bb=2", NULL}};
    struct http_head head;
    struct slice value, scheme, token;
    if (!ok(!http_request_parse(ascii(example), HTTP_BODY_MAX, &head), "parses")) return;
    for (size_t i = 0; i < sizeof(cookies) / sizeof(*cookies); i++) {
        bool found = http_cookie_get(&head, cookies[i].name, &value);
        ok(found == (cookies[i].value != NULL), "whether there is %s", cookies[i].name);
        if (found && cookies[i].value)
            ok(same(value, ascii(cookies[i].value)), "the value of %s", cookies[i].name);
    }
    size_t index = 0;
    ok(http_field_next(&head, "AUTHORIZATION", &index, &value), "a name without regard to case");
    ok(!http_field_next(&head, "Authorization", &index, &value), "there is one only");
    ok(http_credentials_parse(value, &scheme, &token), "the credentials");
    ok(http_text_is(scheme, "ntlm") && same(token, ascii("YWJj")), "their parts");
    ok(http_credentials_parse(ascii("Negotiate"), &scheme, &token) && !token.size, "no token");
    ok(!http_credentials_parse(ascii("NTLM a b"), &scheme, &token), "two tokens");
    ok(!http_credentials_parse(ascii(""), &scheme, &token), "nothing");
}

static void answers(void)
{
    struct http_head head;
    ok(http_answer_parse(ascii("HTTP/1.1 401 No way\r\nContent-Length: 7\r\n\r\n"), &head),
       "an answer");
    ok(head.status == 401 && head.body_size == 7 && head.persistent, "what it says");
    ok(http_answer_parse(ascii("HTTP/1.0 200\r\n\r\n"), &head) && !head.persistent, "a short one");
    ok(!http_answer_parse(ascii("HTTP/1.1 20 OK\r\n\r\n"), &head), "a short code");
    ok(!http_answer_parse(ascii("HTTP/1.1 2x0 OK\r\n\r\n"), &head), "a code that is none");
    ok(!http_answer_parse(ascii("ICY 200 OK\r\n\r\n"), &head), "another protocol");
    ok(!http_answer_parse(ascii("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), &head),
       "chunks");
}

static bool decodes(const char *text, const char *expected)
{
    struct writer w;
    writer_init(&w);
    uint8_t *block = exact_copy(text, strlen(text));
    bool result = base64_read(view(block, strlen(text)), &w);
    if (result && expected) result = same(writer_view(&w), ascii(expected));
    free(block);
    writer_free(&w);
    return result;
}

/* The pairs are those of RFC 4648 10. */
static void base64(void)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    static const char *const wrong[] = {"Z",    "Zg",   "Zg=",      "Zh==",  "Zm9=",
                                        "====", "Z===", "Zg==Zg==", "Zm 9v", "Zm9v\n",
                                        "Zm-v", "Z=g=", "Zm9vZ"};
    for (size_t i = 0; i < 7; i++) {
        struct writer w;
        writer_init(&w);
        base64_write(&w, ascii(pairs[i][0]));
        ok(same(writer_view(&w), ascii(pairs[i][1])), "%s is encoded", pairs[i][0]);
        ok(decodes(pairs[i][1], pairs[i][0]), "%s is decoded", pairs[i][1]);
        writer_free(&w);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        ok(!decodes(wrong[i], NULL), "%s is refused", wrong[i]);
}

int main(void)
{
    RUN(requests);
    RUN(prefixes);
    RUN(too_many_fields);
    RUN(contents);
    RUN(answers);
    RUN(base64);
    return test_end("unit_http");
}
