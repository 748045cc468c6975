/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The Unix half: makes exchanges with the host's GSS-API, and with its Kerberos library what that
 * has no function for. Both are loaded by name at the first call, so that a host without them
 * misses nothing but this package. MIT's are the ones that Wine itself uses; Heimdal's GSS-API has
 * the same binary interface, its libkrb5 has not, so that without MIT's there are no calls about
 * tickets and passwords. Here are the libraries and the table of calls.
 */
#include "unix.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIT_KRB5 "libkrb5.so.3"

struct gss_library gss;
struct krb5_library krb5;
bool krb5_found;

gss_OID_desc mech_krb5 = {9, (void *)"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};
gss_OID_desc name_principal = {10, (void *)"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x01"};

/* Contexts share the configuration for as long as there is one, so that the next one need not read
 * it again. The library still looks whether the files have changed. */
static krb5_context keeper;
static pthread_mutex_t keeper_lock = PTHREAD_MUTEX_INITIALIZER;

struct function {
    void *slot;
    const char *name;
};

static char library_name[sizeof(((struct kerberos_call_library *)0)->name)];
static char library_why[CALL_WHY_SIZE]; /* empty when the library is there */

/* The name of the first one that is missing, or NULL. */
static const char *functions_find(void *library, const struct function *functions, size_t count)
{
    const char *missing = NULL;
    for (size_t i = 0; i < count; i++) {
        void *function = dlsym(library, functions[i].name);
        memcpy(functions[i].slot, &function, sizeof(function));
        if (!function && !missing) missing = functions[i].name;
    }
    return missing;
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define GSS_NAME(function) {&gss.function, "gss_" #function},
#define KRB5_NAME(function) {&krb5.function, "krb5_" #function},

/* MIT's, if it is the one that the GSS-API itself uses. */
static bool krb5_find(void *library)
{
    const struct function functions[] = {KRB5_ALL_FUNCTIONS(KRB5_NAME)};
    void *mit = dlopen(MIT_KRB5, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD);
    void *same = dlsym(library, "krb5_init_context");
    if (!mit) return false;
    if (same && dlsym(mit, "krb5_init_context") == same &&
        !functions_find(mit, functions, COUNT(functions)))
        return true;
    memset(&krb5, 0, sizeof(krb5));
    dlclose(mit);
    return false;
}

static bool gss_find(void *library)
{
    const struct function needed[] = {GSS_FUNCTIONS(GSS_NAME)};
    const struct function more[] = {
        GSS_MORE_FUNCTIONS(GSS_NAME){&gss.extract_authtime,
                                     "gsskrb5_extract_authtime_from_sec_context"},
        {&gss.extract_authz_data, "gsskrb5_extract_authz_data_from_sec_context"},
    };
    const char *missing = functions_find(library, needed, COUNT(needed));
    if (missing) {
        snprintf(library_why, sizeof(library_why), "%s has no %s", library_name, missing);
        return false;
    }
    functions_find(library, more, COUNT(more));
    return true;
}

static void *library_open(void)
{
    static const char *const names[] = {"libgssapi_krb5.so.2", "libgssapi.so.3"};
    if (library_name[0]) return dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
    void *library = NULL;
    for (size_t i = 0; !library && i < COUNT(names); i++) {
        library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
        if (library) snprintf(library_name, sizeof(library_name), "%s", names[i]);
    }
    return library;
}

static void library_find(void)
{
    void *library = library_open();
    if (!library) {
        snprintf(library_why, sizeof(library_why), "%s", dlerror());
        return;
    }
    if (gss_find(library)) krb5_found = krb5_find(library);
    else dlclose(library);
    if (krb5_found) keeper_take();
    if (krb5_found) keeper_give();
}

krb5_context keeper_take(void)
{
    pthread_mutex_lock(&keeper_lock);
    if (!keeper && krb5.init_context(&keeper)) keeper = NULL;
    return keeper;
}

void keeper_give(void)
{
    pthread_mutex_unlock(&keeper_lock);
}

status_t library_load(const char *name, char why[CALL_WHY_SIZE])
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static bool tried;
    pthread_mutex_lock(&lock);
    if (!tried) snprintf(library_name, sizeof(library_name), "%s", name);
    if (!tried) library_find();
    tried = true;
    pthread_mutex_unlock(&lock);
    memcpy(why, library_why, CALL_WHY_SIZE);
    return library_why[0] ? SEC_E_SECPKG_NOT_FOUND : SEC_E_OK;
}

/* Read each time: the configuration may change. */
static void realm_get(char *out, size_t room)
{
    krb5_context context;
    char *realm = NULL;
    *out = 0;
    if (!krb5_found || krb5.init_context(&context)) return;
    if (!krb5.get_default_realm(context, &realm) && strlen(realm) < room) strcpy(out, realm);
    if (realm) krb5.free_default_realm(context, realm);
    krb5.free_context(context);
}

static status_t library(void *params)
{
    struct kerberos_call_library *call = params;
    call->name[sizeof(call->name) - 1] = 0;
    status_t status = library_load(call->name, call->why);
    memcpy(call->name, library_name, sizeof(call->name));
    call->tickets = krb5_found;
    realm_get(call->realm, sizeof(call->realm));
    return status;
}

status_t text_copy(struct slice text, char **out)
{
    if (text.size && memchr(text.data, 0, text.size)) return SEC_E_INVALID_PARAMETER;
    char *copy = malloc(text.size + 1);
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    if (text.size) memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    *out = copy;
    return SEC_E_OK;
}

UNIXCALL_TABLE(library, credential_acquire, credential_free, exchange_initiate, exchange_accept,
               context_facts, context_session, context_free, message_protect, tickets_list,
               ticket_retrieve, ticket_submit, tickets_purge, password_change, account_of);
