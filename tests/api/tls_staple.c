/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* OCSP responses that are stapled to certificates, see tls_pair.h. */
#include "tls_pair.h"

#include <string.h>

#define SEQUENCE 0x30
#define OCTETS 0x04
#define ROOM 512

/* Written from its end to its front, so that every length is known. */
struct der {
    BYTE bytes[ROOM];
    size_t at;
};

static void before(struct der *der, const void *bytes, size_t size)
{
    if (size > der->at) return;
    der->at -= size;
    memcpy(der->bytes + der->at, bytes, size);
}

/* The header of what lies from the present place to the one that is given, which is less than 64 KB
 * away. */
static void head(struct der *der, BYTE tag, size_t end)
{
    const size_t size = end - der->at;
    const BYTE small[] = {tag, (BYTE)size}, large[] = {tag, 0x82, (BYTE)(size >> 8), (BYTE)size};
    if (size < 0x80) before(der, small, sizeof(small));
    else before(der, large, sizeof(large));
}

static void element(struct der *der, BYTE tag, const void *bytes, size_t size)
{
    const size_t end = der->at;
    before(der, bytes, size);
    head(der, tag, end);
}

/* RFC 6960 4.2.1: the certificate is good from now on. Nothing vouches for that: a server passes it
 * on, and a client that judges by itself does not look. */
static void response_write(struct der *der, const CERT_CONTEXT *certificate)
{
    static const BYTE basic[] = {0x06, 9, 0x2b, 6, 1, 5, 5, 7, 48, 1, 1};
    static const BYTE ecdsa[] = {SEQUENCE, 10, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2};
    static const BYTE sha1[] = {SEQUENCE, 9, 0x06, 5, 0x2b, 14, 3, 2, 26, 5, 0};
    static const BYTE good[] = {0x80, 0}, successful[] = {0x0a, 1, 0}, nothing[20] = {0};
    const CERT_INFO *info = certificate->pCertInfo;
    BYTE issuer[20], serial[64];
    DWORD size = sizeof(issuer), count = info->SerialNumber.cbData;
    char now[16];
    SYSTEMTIME time;
    GetSystemTime(&time);
    wsprintfA(now, "%04d%02d%02d%02d%02d%02dZ", time.wYear, time.wMonth, time.wDay, time.wHour,
              time.wMinute, time.wSecond);
    CryptHashCertificate(0, CALG_SHA1, 0, info->Issuer.pbData, info->Issuer.cbData, issuer, &size);
    if (count > sizeof(serial)) count = sizeof(serial);
    for (DWORD i = 0; i < count; i++) serial[i] = info->SerialNumber.pbData[count - 1 - i];

    der->at = ROOM;
    element(der, 0x03, nothing, 2); /* the signature */
    before(der, ecdsa, sizeof(ecdsa));
    const size_t tbs = der->at;
    element(der, 0x18, now, 15);
    before(der, good, sizeof(good));
    const size_t id = der->at;
    element(der, 0x02, serial, count);
    element(der, OCTETS, nothing, sizeof(nothing));
    element(der, OCTETS, issuer, sizeof(issuer));
    before(der, sha1, sizeof(sha1));
    head(der, SEQUENCE, id);
    head(der, SEQUENCE, tbs);
    head(der, SEQUENCE, tbs);
    element(der, 0x18, now, 15);
    const size_t responder = der->at;
    element(der, OCTETS, nothing, sizeof(nothing));
    head(der, 0xa2, responder);
    head(der, SEQUENCE, tbs);
    head(der, SEQUENCE, ROOM);
    head(der, OCTETS, ROOM);
    before(der, basic, sizeof(basic));
    head(der, SEQUENCE, ROOM);
    head(der, 0xa0, ROOM);
    before(der, successful, sizeof(successful));
    head(der, SEQUENCE, ROOM);
}

bool tls_staple_put(const CERT_CONTEXT *certificate)
{
    struct der der;
    response_write(&der, certificate);
    CRYPT_DATA_BLOB response = {(DWORD)(ROOM - der.at), der.bytes + der.at};
    return CertSetCertificateContextProperty(certificate, CERT_OCSP_RESPONSE_PROP_ID, 0, &response);
}

bool tls_staple_seen(CtxtHandle *client)
{
    const CERT_CONTEXT *certificate = NULL;
    DWORD size = 0;
    if (QueryContextAttributesW(client, SECPKG_ATTR_REMOTE_CERT_CONTEXT, (void *)&certificate))
        return false;
    bool seen = CertGetCertificateContextProperty(certificate, CERT_OCSP_RESPONSE_PROP_ID, NULL,
                                                  &size);
    CertFreeCertificateContext(certificate);
    return seen && size;
}
