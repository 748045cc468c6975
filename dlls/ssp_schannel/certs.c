/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Chains of certificates: those that are sent, put together from the stores without judging them
 * and without the network, and those that came, as the application wants to have them.
 */
#include "schannel_package.h"

#include <stdlib.h>

#define DEPTH_MAX 10u /* certificates of a chain that is sent */

/* ---- to be sent ---- */

static void certificate_write(struct writer *w, const CERT_CONTEXT *certificate)
{
    struct slice der = {certificate->pbCertEncoded, certificate->cbCertEncoded};
    if (der.size > 0xffffff) writer_fail(w);
    writer_u8(w, (uint8_t)(der.size >> 16));
    writer_u16be(w, (uint16_t)der.size);
    writer_slice(w, der);
}

static bool is_self_issued(const CERT_CONTEXT *certificate)
{
    CERT_INFO *info = certificate->pCertInfo;
    return CertCompareCertificateName(X509_ASN_ENCODING, &info->Subject, &info->Issuer);
}

/* Where issuers are looked for: beside the leaf, then where the user and the machine keep them. */
struct issuers {
    HCERTSTORE beside, intermediates, roots;
};

static HCERTSTORE store_open(const wchar_t *name)
{
    return CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
                         CERT_SYSTEM_STORE_CURRENT_USER | CERT_STORE_READONLY_FLAG |
                             CERT_STORE_OPEN_EXISTING_FLAG,
                         name);
}

static const CERT_CONTEXT *issuer_in(HCERTSTORE store, const CERT_CONTEXT *subject)
{
    DWORD flags = CERT_STORE_SIGNATURE_FLAG;
    const CERT_CONTEXT *issuer = NULL;
    if (!store) return NULL;
    /* What remains set in the flags is what was looked at and is wrong. */
    while ((issuer = CertGetIssuerCertificateFromStore(store, subject, issuer, &flags))) {
        if (!(flags & CERT_STORE_SIGNATURE_FLAG)) return issuer;
        flags = CERT_STORE_SIGNATURE_FLAG;
    }
    return NULL;
}

/* Stores are opened when they are needed. */
static const CERT_CONTEXT *issuer_find(struct issuers *from, const CERT_CONTEXT *subject,
                                       bool with_root)
{
    const CERT_CONTEXT *issuer = issuer_in(from->beside, subject);
    if (!issuer && !from->intermediates) from->intermediates = store_open(L"CA");
    if (!issuer) issuer = issuer_in(from->intermediates, subject);
    if (!with_root) return issuer;
    if (!issuer && !from->roots) from->roots = store_open(L"Root");
    return issuer ? issuer : issuer_in(from->roots, subject);
}

static void issuers_write(struct issuers *from, const CERT_CONTEXT *leaf, bool with_root,
                          struct writer *w)
{
    const CERT_CONTEXT *subject = CertDuplicateCertificateContext(leaf);
    for (unsigned depth = 1; depth < DEPTH_MAX && !is_self_issued(subject); depth++) {
        const CERT_CONTEXT *issuer = issuer_find(from, subject, with_root);
        if (!issuer) break;
        CertFreeCertificateContext(subject);
        subject = issuer;
        if (with_root || !is_self_issued(issuer)) certificate_write(w, issuer);
    }
    CertFreeCertificateContext(subject);
}

static void store_close(HCERTSTORE store)
{
    if (store) CertCloseStore(store, 0);
}

status_t chain_make(const CERT_CONTEXT *leaf, bool with_root, struct blob *out)
{
    struct issuers from = {.beside = leaf->hCertStore};
    struct blob chain;
    struct writer w;
    writer_init(&w);
    certificate_write(&w, leaf);
    issuers_write(&from, leaf, with_root, &w);
    store_close(from.intermediates);
    store_close(from.roots);
    status_t status = writer_take(&w, &chain.data, &chain.size);
    writer_free(&w);
    if (!status_ok(status)) return status;
    blob_clear(out);
    *out = chain;
    return SEC_E_OK;
}

status_t chain_of_store(HCERTSTORE store, struct blob *out)
{
    const CERT_CONTEXT *certificate = NULL;
    struct blob chain;
    struct writer w;
    writer_init(&w);
    while ((certificate = CertEnumCertificatesInStore(store, certificate)))
        certificate_write(&w, certificate);
    status_t status = writer_take(&w, &chain.data, &chain.size);
    writer_free(&w);
    if (!status_ok(status)) return status;
    blob_clear(out);
    *out = chain;
    return SEC_E_OK;
}

/* ---- properties ---- */

status_t certificate_property(const CERT_CONTEXT *certificate, DWORD id, struct blob *out)
{
    DWORD size = 0;
    if (!CertGetCertificateContextProperty(certificate, id, NULL, &size) || !size) return SEC_E_OK;
    out->data = malloc(size);
    if (!out->data) return SEC_E_INSUFFICIENT_MEMORY;
    out->size = size;
    if (!CertGetCertificateContextProperty(certificate, id, out->data, &size)) blob_clear(out);
    return SEC_E_OK;
}

/* ---- that came ---- */

struct slice chain_next(struct reader *chain)
{
    return reader_bytes(chain, reader_u24be(chain));
}

struct slice chain_leaf(struct slice chain)
{
    struct reader r;
    reader_init(&r, chain.data, chain.size);
    return chain_next(&r);
}

static status_t add_error(void)
{
    return GetLastError() == ERROR_OUTOFMEMORY || GetLastError() == ERROR_NOT_ENOUGH_MEMORY
               ? SEC_E_INSUFFICIENT_MEMORY
               : SEC_E_CERT_UNKNOWN;
}

/* Enumeration gives them in the order in which they are added: the leaf first. */
static status_t chain_put(struct slice chain, HCERTSTORE store, const CERT_CONTEXT **leaf)
{
    struct reader r;
    reader_init(&r, chain.data, chain.size);
    while (reader_left(&r)) {
        struct slice der = chain_next(&r);
        if (!reader_ok(&r) || der.size > MAXLONG) return SEC_E_CERT_UNKNOWN;
        if (!CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, der.data, (DWORD)der.size,
                                              CERT_STORE_ADD_ALWAYS, *leaf ? NULL : leaf))
            return add_error();
    }
    return SEC_E_OK;
}

static HCERTSTORE store_create(void)
{
    return CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, CERT_STORE_CREATE_NEW_FLAG, NULL);
}

status_t chain_store(struct slice chain, HCERTSTORE *out)
{
    const CERT_CONTEXT *first = NULL;
    HCERTSTORE store = store_create();
    if (!store) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = chain_put(chain, store, &first);
    if (first) CertFreeCertificateContext(first);
    if (status_ok(status)) *out = store;
    else CertCloseStore(store, 0);
    return status;
}

status_t chain_context(struct slice chain, struct slice staple, const CERT_CONTEXT **out)
{
    const CERT_CONTEXT *leaf = NULL;
    HCERTSTORE store = store_create();
    if (!store) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = chain_put(chain, store, &leaf);
    if (status_ok(status) && !leaf) status = SEC_E_CERT_UNKNOWN;
    CRYPT_DATA_BLOB response = {(DWORD)staple.size, (BYTE *)staple.data};
    if (status_ok(status) && staple.size &&
        !CertSetCertificateContextProperty(leaf, CERT_OCSP_RESPONSE_PROP_ID, 0, &response))
        status = SEC_E_INSUFFICIENT_MEMORY;
    CertCloseStore(store, 0); /* the certificate keeps it */
    if (status_ok(status)) *out = leaf;
    else if (leaf) CertFreeCertificateContext(leaf);
    return status;
}
