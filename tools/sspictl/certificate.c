/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sspictl certificate: certificates with their keys, for TLS. Wine 8.0 keeps no keys of elliptic
 * curves, and reads no files of text; this command puts both where programs look for a certificate,
 * the user's store MY, and where the TLS packages look for its key, Software\winesspi\Keys.
 */
#include "commands.h"
#include "files.h"
#include "options.h"
#include "pem.h"
#include "text.h"

#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

#define KEYS L"Software\\winesspi\\Keys"
#define STORE L"Software\\Microsoft\\SystemCertificates\\My\\Certificates\\"
#define PROVIDER L"Microsoft Software Key Storage Provider"
#define FILE_MAX (1u << 20)
#define NAME_CHARS 64 /* "winesspi-" and a thumbprint */
#define SHOWN_CHARS 256

static void certificate_help(void)
{
    printf("Usage: sspictl certificate add FILE\n"
           "       sspictl certificate remove THUMBPRINT\n"
           "       sspictl certificate list\n"
           "Certificates of the user with their private keys, for TLS clients and servers.\n\n"
           "  add     takes the first certificate of a PEM file and the private key, RSA or a\n"
           "          curve, that is in the same file and not encrypted; further certificates\n"
           "          are taken for those of its issuers. - is standard input\n"
           "  remove  forgets certificate and key\n"
           "  list    prints the certificates that were added here\n");
}

/* ---- names ---- */

static bool container_name(const CERT_CONTEXT *certificate, wchar_t name[NAME_CHARS])
{
    BYTE hash[20];
    DWORD size = sizeof(hash);
    if (!CertGetCertificateContextProperty(certificate, CERT_HASH_PROP_ID, hash, &size))
        return false;
    wcscpy(name, L"winesspi-");
    for (DWORD i = 0; i < size; i++) swprintf(name + 9 + 2 * i, 3, L"%02X", hash[i]);
    return true;
}

static void certificate_print(const CERT_CONTEXT *certificate, const wchar_t *name)
{
    wchar_t subject[SHOWN_CHARS] = L"";
    CertGetNameStringW(certificate, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, subject, SHOWN_CHARS);
    text_print_wide(stdout, name + 9);
    printf("  ");
    text_print_wide(stdout, subject);
}

/* ---- adding ---- */

/* What a file holds; certificates are in a store of their own. */
struct content {
    HCERTSTORE store;
    const CERT_CONTEXT *leaf;
    enum pem_kind kind; /* of the key; PEM_NONE without */
    struct writer key;
};

static void content_free(struct content *content)
{
    if (content->leaf) CertFreeCertificateContext(content->leaf);
    if (content->store) CertCloseStore(content->store, 0);
    writer_free(&content->key);
}

static const char *block_take(struct content *content, enum pem_kind kind, struct slice der)
{
    if (kind == PEM_CERTIFICATE)
        return CertAddEncodedCertificateToStore(content->store, X509_ASN_ENCODING, der.data,
                                                (DWORD)der.size, CERT_STORE_ADD_REPLACE_EXISTING,
                                                content->leaf ? NULL : &content->leaf)
                   ? NULL
                   : "a certificate in it is damaged";
    if (kind == PEM_OTHER) return NULL;
    if (content->kind) return "there are two private keys in it";
    content->kind = kind;
    writer_slice(&content->key, der);
    return NULL;
}

static const char *content_read(const char *text, struct content *out)
{
    const char *problem = NULL;
    *out = (struct content){
        .store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG, NULL)};
    writer_init(&out->key);
    if (!out->store) return "out of memory";
    while (!problem) {
        struct writer der;
        writer_init(&der);
        enum pem_kind kind = pem_next(&text, &der);
        if (kind) problem = block_take(out, kind, writer_view(&der));
        writer_free(&der);
        if (!kind) break;
    }
    if (problem) return problem;
    if (!out->leaf) return "there is no certificate in it";
    return out->kind ? NULL : "there is no private key in it, or an encrypted one";
}

static long key_keep(const wchar_t *name, struct slice blob)
{
    DATA_BLOB plain = {(DWORD)blob.size, (BYTE *)blob.data}, sealed;
    HKEY key;
    if (!CryptProtectData(&plain, NULL, NULL, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN, &sealed))
        return (long)GetLastError();
    long error = RegCreateKeyExW(HKEY_CURRENT_USER, KEYS, 0, NULL, 0,
                                 KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, NULL);
    if (!error) {
        error = RegSetValueExW(key, name, 0, REG_BINARY, sealed.pbData, sealed.cbData);
        RegCloseKey(key);
    }
    LocalFree(sealed.pbData);
    return error;
}

static long certificate_keep(const wchar_t *store_name, const CERT_CONTEXT *certificate)
{
    HCERTSTORE store = CertOpenSystemStoreW(0, store_name);
    long error = store && CertAddCertificateContextToStore(store, certificate,
                                                           CERT_STORE_ADD_REPLACE_EXISTING, NULL)
                     ? ERROR_SUCCESS
                     : (long)GetLastError();
    if (store) CertCloseStore(store, 0);
    return error;
}

/* Issuers first, then the key, then what names the key. */
static long content_keep(const struct content *content, struct slice blob, wchar_t *name)
{
    CRYPT_KEY_PROV_INFO info = {.pwszContainerName = name, .pwszProvName = (wchar_t *)PROVIDER};
    const CERT_CONTEXT *each = NULL;
    long error = ERROR_SUCCESS;
    while ((each = CertEnumCertificatesInStore(content->store, each)))
        if (each != content->leaf && !error) error = certificate_keep(L"CA", each);
    if (!error) error = key_keep(name, blob);
    if (!error &&
        !CertSetCertificateContextProperty(content->leaf, CERT_KEY_PROV_INFO_PROP_ID, 0, &info))
        error = (long)GetLastError();
    return error ? error : certificate_keep(L"MY", content->leaf);
}

static int content_add(const char *path, const struct content *content)
{
    wchar_t name[NAME_CHARS];
    struct writer blob;
    writer_init(&blob);
    int code = EXIT_FAILED;
    if (!container_name(content->leaf, name)) text_fail("out of memory");
    else if (!pem_key_blob(content->kind, writer_view(&content->key), content->leaf, &blob))
        text_fail("%s: the key is not one for the first certificate", path);
    else {
        long error = content_keep(content, writer_view(&blob), name);
        if (error) text_fail_windows(error, "cannot keep the certificate");
        else code = EXIT_OK;
    }
    if (code == EXIT_OK) {
        certificate_print(content->leaf, name);
        printf(": certificate added\n");
    }
    writer_free(&blob);
    return code;
}

static int certificate_add(const char *path)
{
    struct writer file;
    struct content content;
    writer_init(&file);
    long error = file_read(path, FILE_MAX, &file);
    writer_u8(&file, 0);
    if (error || !status_ok(writer_status(&file))) {
        writer_free(&file);
        return text_fail_windows(error ? error : ERROR_NOT_ENOUGH_MEMORY, "cannot read %s", path);
    }
    const char *problem = content_read((const char *)file.data, &content);
    int code = problem ? text_fail("%s: %s", path, problem) : content_add(path, &content);
    content_free(&content);
    writer_free(&file);
    return code;
}

/* ---- those that are there ---- */

/* For a certificate whose container is one of ours; false when it is not the one that is wanted. */
typedef bool visitor(const CERT_CONTEXT *certificate, const wchar_t *name, const wchar_t *wanted);

static unsigned certificates_visit(visitor *visit, const wchar_t *wanted)
{
    HCERTSTORE store = CertOpenSystemStoreW(0, L"MY");
    const CERT_CONTEXT *each = NULL;
    HKEY keys;
    unsigned count = 0;
    if (!store) return 0;
    if (RegOpenKeyExW(HKEY_CURRENT_USER, KEYS, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY, &keys))
        keys = NULL;
    while (keys && (each = CertEnumCertificatesInStore(store, each))) {
        wchar_t name[NAME_CHARS];
        if (container_name(each, name) && !RegQueryValueExW(keys, name, NULL, NULL, NULL, NULL) &&
            visit(each, name, wanted)) {
            count++;
            if (!wanted) continue;
            RegDeleteValueW(keys, name);
            break; /* a store whose certificate is gone cannot be gone through */
        }
    }
    if (each) CertFreeCertificateContext(each);
    if (keys) RegCloseKey(keys);
    CertCloseStore(store, 0);
    return count;
}

static bool show(const CERT_CONTEXT *certificate, const wchar_t *name, const wchar_t *wanted)
{
    (void)wanted;
    certificate_print(certificate, name);
    printf("\n");
    return true;
}

/* The registry key goes: in Wine 8.0 what is deleted from a store alone comes back. */
static bool drop(const CERT_CONTEXT *certificate, const wchar_t *name, const wchar_t *wanted)
{
    wchar_t path[ARRAYSIZE(STORE) + NAME_CHARS] = STORE;
    if (_wcsicmp(name + 9, wanted)) return false;
    CertDeleteCertificateFromStore(CertDuplicateCertificateContext(certificate));
    RegDeleteKeyW(HKEY_CURRENT_USER, wcscat(path, name + 9));
    return true;
}

static int certificate_remove(const char *thumbprint)
{
    wchar_t *wanted = text_to_wide(thumbprint);
    unsigned count = wanted ? certificates_visit(drop, wanted) : 0;
    free(wanted);
    if (!count) return text_fail("there is no certificate %s", thumbprint);
    printf("%s: certificate removed\n", thumbprint);
    return EXIT_OK;
}

int command_certificate(char **arguments)
{
    static const struct option options[] = {{NULL, NULL, NULL}};
    const char *values[2] = {NULL, NULL};
    struct operands operands = {"add|remove|list [FILE|THUMBPRINT]", 1, 2, values, 0};
    switch (options_parse("certificate", arguments, options, &operands)) {
    case OPTIONS_HELP: certificate_help(); return EXIT_OK;
    case OPTIONS_WRONG: return EXIT_USAGE;
    case OPTIONS_OK: break;
    }
    bool list = !strcmp(values[0], "list"), add = !strcmp(values[0], "add");
    if (!list && !add && strcmp(values[0], "remove"))
        return text_usage("certificate", "%s is none of add, remove and list", values[0]);
    if (list && values[1]) return text_usage("certificate", "list takes no name");
    if (!list && !values[1])
        return text_usage("certificate", "%s needs a %s", values[0], add ? "file" : "thumbprint");
    if (list) {
        certificates_visit(show, NULL);
        return EXIT_OK;
    }
    return add ? certificate_add(values[1]) : certificate_remove(values[1]);
}
