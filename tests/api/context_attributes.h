/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The attributes that a server's context of NTLM answers, for the W functions. */
#pragma once

#include "loopback.h"

static const struct attribute {
    ULONG number, size;
    int pointers[2]; /* offsets of blocks that are to be freed, -1: none */
} attributes[] = {
    {SECPKG_ATTR_SIZES, sizeof(SecPkgContext_Sizes), {-1, -1}},
    {SECPKG_ATTR_NAMES, sizeof(SecPkgContext_NamesW), {0, -1}},
    {SECPKG_ATTR_LIFESPAN, sizeof(SecPkgContext_Lifespan), {-1, -1}},
    {SECPKG_ATTR_KEY_INFO, sizeof(SecPkgContext_KeyInfoW), {0, sizeof(void *)}},
    {SECPKG_ATTR_AUTHORITY, sizeof(SecPkgContext_AuthorityW), {0, -1}},
    {SECPKG_ATTR_PASSWORD_EXPIRY, sizeof(SecPkgContext_PasswordExpiry), {-1, -1}},
    {SECPKG_ATTR_SESSION_KEY,
     sizeof(SecPkgContext_SessionKey),
     {offsetof(SecPkgContext_SessionKey, SessionKey), -1}},
    {SECPKG_ATTR_PACKAGE_INFO, sizeof(SecPkgContext_PackageInfoW), {0, -1}},
    {SECPKG_ATTR_NEGOTIATION_INFO, sizeof(SecPkgContext_NegotiationInfoW), {0, -1}},
    {SECPKG_ATTR_NATIVE_NAMES, sizeof(SecPkgContext_NativeNamesW), {0, sizeof(void *)}},
    {SECPKG_ATTR_FLAGS, sizeof(SecPkgContext_Flags), {-1, -1}},
    {SECPKG_ATTR_ACCESS_TOKEN, sizeof(SecPkgContext_AccessToken), {-1, -1}},
    {SECPKG_ATTR_CLIENT_SPECIFIED_TARGET, sizeof(SecPkgContext_ClientSpecifiedTarget), {0, -1}},
};

/* Frees what a query has given; false when something is not there or cannot be freed. */
static inline bool attribute_free(const struct attribute *attribute, const BYTE *answer)
{
    for (int i = 0; i < 2; i++) {
        void *block;
        if (attribute->pointers[i] < 0) continue;
        memcpy(&block, answer + attribute->pointers[i], sizeof(block));
        if (!block || FreeContextBuffer(block)) return false;
    }
    return true;
}
