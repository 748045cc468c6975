/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half: makes handshakes of TLS and DTLS with GnuTLS, which is loaded by name at the first
 * call, so that a host without it misses nothing but these packages. The library reads no file, no
 * socket and no list of trusted certificates for a session; the system's configuration of its
 * priorities is honoured. Here are the library and the table of calls.
 */
#include "unix.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define LIBRARY "libgnutls.so.30"
#define LIBRARY_MINIMUM "3.7.0"

struct library gnutls;

static char library_why[CALL_WHY_SIZE]; /* empty when the library is there */
static pthread_once_t library_once = PTHREAD_ONCE_INIT;

static bool functions_find(void *library)
{
#define LIBRARY_NAME(function) {&gnutls.function, "gnutls_" #function},
    const struct {
        void *slot;
        const char *name;
    } functions[] = {LIBRARY_FUNCTIONS(LIBRARY_NAME)};
#undef LIBRARY_NAME
    for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
        void *function = dlsym(library, functions[i].name);
        memcpy(functions[i].slot, &function, sizeof(function));
        if (function) continue;
        snprintf(library_why, sizeof(library_why), LIBRARY " has no %s", functions[i].name);
        return false;
    }
    return true;
}

static void library_find(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(library_why, sizeof(library_why), "%s", dlerror());
        return;
    }
    if (functions_find(library) && !gnutls.check_version(LIBRARY_MINIMUM))
        snprintf(library_why, sizeof(library_why),
                 LIBRARY " is version %s, and " LIBRARY_MINIMUM " is the first that serves",
                 gnutls.check_version(NULL));
    if (library_why[0]) dlclose(library);
}

status_t library_load(char why[CALL_WHY_SIZE])
{
    pthread_once(&library_once, library_find);
    memcpy(why, library_why, CALL_WHY_SIZE);
    return library_why[0] ? SEC_E_SECPKG_NOT_FOUND : SEC_E_OK;
}

static status_t library(void *params)
{
    struct schannel_call_library *call = params;
    status_t status = library_load(call->why);
    if (status_ok(status))
        snprintf(call->version, sizeof(call->version), "%s", gnutls.check_version(NULL));
    return status;
}

UNIXCALL_TABLE(library, credentials_create, credentials_free, session_create, session_free,
               handshake, secrets, facts, session_read, records_send, records_receive, post,
               key_update, renegotiate, session_set_credentials);
