/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Run by traces.sh: uses TLS in every way and says what is secret about it, as hexadecimal digits,
 * so that the script can look for that in the traces.
 */
#include "support.h"
#include "tls_records.h"

#include <stdio.h>

static struct tls_pair pair;
static struct tls_bytes blob;

static void say(const void *bytes, size_t size)
{
    printf("secret ");
    for (size_t i = 0; i < size; i++) printf("%02x", ((const BYTE *)bytes)[i]);
    printf("\n");
}

/* The end of a private key, where its last number is, and its middle. */
static void say_private_key(enum tls_cert which)
{
    DWORD size;
    BYTE *blob_bytes = tls_cert_key(which, &size);
    if (!ok(blob_bytes != NULL, "no key")) return;
    say(blob_bytes + size - 32, 32);
    say(blob_bytes + size / 2, 32);
    LocalFree(blob_bytes);
}

static void say_material(CtxtHandle *context)
{
    SecPkgContext_KeyingMaterialInfo info = {6, (char *)"label", 0, NULL, 32};
    SecPkgContext_KeyingMaterial made = {0};
    SecPkgContext_EapKeyBlock block;
    ok(!SetContextAttributesW(context, SECPKG_ATTR_KEYING_MATERIAL_INFO, &info, sizeof(info)) &&
           !QueryContextAttributesW(context, SECPKG_ATTR_KEYING_MATERIAL, &made),
       "no keying material");
    if (made.pbKeyingMaterial) say(made.pbKeyingMaterial, made.cbKeyingMaterial);
    if (made.pbKeyingMaterial) FreeContextBuffer(made.pbKeyingMaterial);
    ok(!QueryContextAttributesW(context, SECPKG_ATTR_EAP_KEY_BLOCK, &block), "no keys for EAP");
    say(block.rgbKeys, 32);
}

static void say_direction(const struct tls_direction *direction)
{
    say(direction->secret, 32);
    say(direction->key, 16);
    say(direction->iv, 12);
}

static void move(CtxtHandle *context)
{
    SECURITY_STATUS status = tls_export(context, SECPKG_CONTEXT_EXPORT_DELETE_OLD, &blob);
    if (!ok(status == SEC_E_OK, "export: %08lx", status)) return;
    tls_handle_forget(context);
    status = tls_import(&blob, context);
    if (!ok(status == SEC_E_OK, "import: %08lx", status)) tls_handle_forget(context);
}

/* Twice with the same credentials: the second time from a ticket. */
static void use(enum tls_pair_version version)
{
    static const DWORD shutdown[] = {SCHANNEL_SHUTDOWN};
    const struct tls_pair_options options = {.client_version = version,
                                             .server_version = version,
                                             .client_cert = TLS_CERT_CLIENT_RSA,
                                             .server_flags = ASC_REQ_MUTUAL_AUTH,
                                             .want_secrets = version == TLS_PAIR_1_3};
    struct forger forger;
    if (!ok(!tls_pair_open(&pair, &options), "no credentials")) return;
    for (int again = 0; again < 2; again++) {
        SECURITY_STATUS status = tls_pair_connect(&pair);
        if (!ok(status == SEC_E_OK, "no connection: %08lx", status)) break;
        if (options.want_secrets && ok(forger_start(&forger, &pair, true), "no secrets")) {
            say_direction(&forger.session.send);
            say_direction(&forger.session.receive);
            forger_end(&forger);
        }
        say_material(&pair.client);
        ok(tls_pair_talk(&pair), "no talk");
        move(&pair.server);
        move(&pair.client);
        ok(tls_pair_talk(&pair), "no talk after the move");
        ok(!tls_control(&pair.client, shutdown, 1) && !tls_pair_client_leg(&pair), "no end");
        tls_pair_delete(&pair);
    }
    tls_pair_close(&pair);
}

static void test_uses(void)
{
    say_private_key(TLS_CERT_SERVER_RSA);
    say_private_key(TLS_CERT_CLIENT_RSA);
    use(TLS_PAIR_1_2);
    use(TLS_PAIR_1_3);
}

int main(void)
{
    RUN(test_uses);
    tls_certs_end();
    return test_end("tls_secrets");
}
