/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * tlsworkers certificate: a PKCS #12 file into the store MY of the user. The key goes to the
 * container that PFXImportCertStore chooses, where Schannel finds it by the certificate's property.
 */
#include "channel.h"
#include "roles.h"

#include "../sspictl/files.h"
#include "../sspictl/options.h"
#include "../sspictl/text.h"

#define FILE_MAX 65536u

/* Each certificate of one store into another; the one with the key, too. */
static long certificate_copy(HCERTSTORE from, HCERTSTORE to, unsigned *count)
{
    const CERT_CONTEXT *certificate = NULL;
    while ((certificate = CertEnumCertificatesInStore(from, certificate))) {
        if (!CertAddCertificateContextToStore(to, certificate, CERT_STORE_ADD_REPLACE_EXISTING,
                                              NULL)) {
            long error = (long)GetLastError();
            CertFreeCertificateContext(certificate);
            return error;
        }
        ++*count;
    }
    return 0;
}

static int certificate_import(struct slice file)
{
    CRYPT_DATA_BLOB blob = {(DWORD)file.size, (BYTE *)file.data};
    unsigned count = 0;
    HCERTSTORE to = NULL;
    HCERTSTORE from = PFXImportCertStore(&blob, L"", CRYPT_EXPORTABLE | CRYPT_USER_KEYSET);
    if (from)
        to = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_CURRENT_USER, L"MY");
    long error = to ? certificate_copy(from, to, &count) : (long)GetLastError();
    if (to) CertCloseStore(to, 0);
    if (from) CertCloseStore(from, 0);
    if (error) return text_fail_windows(error, "cannot import the certificate");
    printf("%u certificate%s imported\n", count, count == 1 ? "" : "s");
    return count ? EXIT_OK : EXIT_FAILED;
}

int role_certificate(char **arguments)
{
    const char *path = NULL;
    static const struct option options[] = {{NULL, NULL, NULL}};
    struct operands operands = {"FILE", 1, 1, &path, 0};
    switch (options_parse("certificate", arguments, options, &operands)) {
    case OPTIONS_HELP:
        printf("Usage: tlsworkers certificate FILE\n"
               "Puts the certificates of a PKCS #12 file without password, and the key, into the\n"
               "user's store MY.\n");
        return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    struct writer file;
    writer_init(&file);
    long error = file_read(path, FILE_MAX, &file);
    int code = error ? text_fail_windows(error, "cannot read %s", path)
                     : certificate_import(writer_view(&file));
    writer_free(&file);
    return code;
}
