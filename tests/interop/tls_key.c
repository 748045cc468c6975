/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keys of certificates, see tls_key.h. */
#include "tls_key.h"

#include "curve_key.h"

#include <ncrypt.h>
#include <wchar.h>

static unsigned keys_made;

static void container_name(wchar_t name[64], unsigned number)
{
    swprintf(name, 64, L"winesspi-interop-%lu-%u", GetCurrentProcessId(), number);
}

bool tls_key_attach(const CERT_CONTEXT *certificate, BYTE *blob, DWORD size)
{
    wchar_t name[64], provider[] = MS_KEY_STORAGE_PROVIDER;
    CRYPT_KEY_PROV_INFO info = {.pwszContainerName = name, .pwszProvName = provider};
    container_name(name, keys_made);
    if (!curve_key_import(name, blob, size) && !curve_key_seal(name, blob, size)) return false;
    keys_made++;
    return CertSetCertificateContextProperty(certificate, CERT_KEY_PROV_INFO_PROP_ID, 0, &info);
}

void tls_key_end(void)
{
    for (; keys_made; keys_made--) {
        wchar_t name[64];
        container_name(name, keys_made - 1);
        curve_key_remove(name);
    }
}
