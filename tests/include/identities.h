/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The structures in which a program says who it is (sspi.h), from strings; NULL leaves one out. */
#pragma once

#include <windows.h>

#include <security.h>

static inline SEC_WINNT_AUTH_IDENTITY_W wide_identity(const wchar_t *user, const wchar_t *domain,
                                                      const wchar_t *password)
{
    return (SEC_WINNT_AUTH_IDENTITY_W){
        .User = (unsigned short *)user,
        .UserLength = user ? lstrlenW(user) : 0,
        .Domain = (unsigned short *)domain,
        .DomainLength = domain ? lstrlenW(domain) : 0,
        .Password = (unsigned short *)password,
        .PasswordLength = password ? lstrlenW(password) : 0,
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
    };
}

static inline SEC_WINNT_AUTH_IDENTITY_A narrow_identity(const char *user, const char *domain,
                                                        const char *password)
{
    return (SEC_WINNT_AUTH_IDENTITY_A){
        .User = (unsigned char *)user,
        .UserLength = user ? lstrlenA(user) : 0,
        .Domain = (unsigned char *)domain,
        .DomainLength = domain ? lstrlenA(domain) : 0,
        .Password = (unsigned char *)password,
        .PasswordLength = password ? lstrlenA(password) : 0,
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
    };
}

static inline SEC_WINNT_AUTH_IDENTITY_EXW wide_identity_ex(const wchar_t *user,
                                                           const wchar_t *domain,
                                                           const wchar_t *password)
{
    return (SEC_WINNT_AUTH_IDENTITY_EXW){
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
        .Length = sizeof(SEC_WINNT_AUTH_IDENTITY_EXW),
        .User = (unsigned short *)user,
        .UserLength = user ? lstrlenW(user) : 0,
        .Domain = (unsigned short *)domain,
        .DomainLength = domain ? lstrlenW(domain) : 0,
        .Password = (unsigned short *)password,
        .PasswordLength = password ? lstrlenW(password) : 0,
        .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE,
    };
}

static inline SEC_WINNT_AUTH_IDENTITY_EXA narrow_identity_ex(const char *user, const char *domain,
                                                             const char *password)
{
    return (SEC_WINNT_AUTH_IDENTITY_EXA){
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
        .Length = sizeof(SEC_WINNT_AUTH_IDENTITY_EXA),
        .User = (unsigned char *)user,
        .UserLength = user ? lstrlenA(user) : 0,
        .Domain = (unsigned char *)domain,
        .DomainLength = domain ? lstrlenA(domain) : 0,
        .Password = (unsigned char *)password,
        .PasswordLength = password ? lstrlenA(password) : 0,
        .Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
    };
}
