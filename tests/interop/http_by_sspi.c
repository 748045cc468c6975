/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kind of web client that calls SSPI itself, as curl and browsers do. */
#include "http_client.h"

#include "identities.h"

#include "../../tools/sspictl/names.h"
#include "../../tools/webworkers/client.h"

#include <stdio.h>
#include <string.h>

static SECURITY_STATUS open_initiator(const struct http_client *client, struct initiator *initiator)
{
    SEC_WINNT_AUTH_IDENTITY_W identity = wide_identity(client->user, client->domain,
                                                       client->password);
    SECURITY_STATUS status = initiator_open(
        initiator, client->package ? client->package : client->scheme, L"HTTP/localhost",
        client->explicit_login ? &identity : NULL);
    initiator->scheme = client->scheme;
    return status;
}

/* A first request without credentials, as a client that does not know the server sends it, and a
 * handshake when the server asks for one. */
static bool ask(const struct http_client *client, struct web *web, struct jar *jar,
                struct web_answer *answer)
{
    struct web_request request = {
        .method = client->post ? "POST" : "GET", .path = client->path, .jar = jar};
    if (client->post)
        request.body = (struct slice){(const uint8_t *)client->post, strlen(client->post)};
    if (!web_ask(web, &request, answer)) return http_client_fail("request", 0);
    jar_take(jar, answer);
    if (answer->head.status != 401) return true;
    struct initiator initiator;
    SECURITY_STATUS status = open_initiator(client, &initiator);
    bool result = status == SEC_E_OK ? initiator_run(&initiator, web, jar, &request, answer)
                                     : http_client_fail("AcquireCredentialsHandle", (ULONG)status);
    if (result && status == SEC_E_OK)
        printf("handshake: %.*s\n", (int)strcspn(status_text(initiator.status).text, " "),
               status_text(initiator.status).text);
    initiator_close(&initiator);
    return result;
}

bool http_by_sspi(const struct http_client *client)
{
    static struct jar jar;
    struct web web;
    struct web_answer answer;
    web_open(&web, client->port);
    web_answer_init(&answer);
    bool result = true;
    for (unsigned i = 0; result && i < client->requests; i++) {
        result = ask(client, &web, &jar, &answer);
        if (result) http_client_report(answer.head.status, answer.body.data, answer.body.size);
    }
    web_answer_clear(&answer);
    web_close(&web);
    return result;
}
