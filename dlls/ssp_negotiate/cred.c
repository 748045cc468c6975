/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Credentials: one of each mechanism, made of what the application gave for all of them, or for one
 * of them later (AddCredentials). Those that cannot be had are left out. They are counted: a
 * context keeps its credential until its handshake is complete.
 */
#include "negotiate_package.h"

#include "ssp/authdata.h"
#include "ssp/trace.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("negotiate");

static struct credential *credential_hold(struct credential *credential)
{
    if (credential) InterlockedIncrement(&credential->references);
    return credential;
}

static void member_release(struct member *member)
{
    if (InterlockedDecrement(member->references)) return;
    FreeCredentialsHandle(&member->handle);
    free((void *)member->references);
}

void credential_release(struct credential *credential)
{
    if (!credential || InterlockedDecrement(&credential->references)) return;
    for (size_t i = 0; i < credential->count; i++) member_release(&credential->members[i]);
    free(credential);
}

/* What a handle is: credentials are added to it, and legs take what it has then. */
struct slot {
    struct shared_lock lock;
    struct credential *current;
};

struct credential *credential_of(LSA_SEC_HANDLE handle)
{
    struct slot *slot = (struct slot *)handle;
    if (!slot) return NULL;
    struct lock *lock = shared_lock_read(&slot->lock);
    struct credential *credential = credential_hold(slot->current);
    lock_give(lock);
    return credential;
}

struct member *credential_find(struct credential *credential, struct slice oid)
{
    for (size_t i = 0; credential && i < credential->count; i++) {
        struct member *member = &credential->members[i];
        for (size_t j = 0; j < member->mech.oid_count; j++)
            if (oid_is(&member->mech.oids[j], oid)) return member;
    }
    return NULL;
}

struct member *credential_find_name(struct credential *credential, const wchar_t *name)
{
    for (size_t i = 0; credential && i < credential->count; i++)
        if (!wcscmp(credential->members[i].mech.name, name)) return &credential->members[i];
    return NULL;
}

/* ---- acquiring ---- */

/* What the application asked for, for every mechanism the same. */
struct request {
    wchar_t *principal;
    ULONG use;
    LUID *logon_id;
    void *auth_data, *get_key, *get_key_argument;
    bool of_realm;
};

/* What the application gave, read. What is given to a mere acceptor need not be an identity: what
 * cannot be read says nothing. */
static status_t request_read(const struct request *request, struct authdata *out)
{
    struct authdata data = {0};
    status_t status = authdata_parse(request->auth_data, &data);
    if (!(request->use & SECPKG_CRED_OUTBOUND) && status == SEC_E_UNKNOWN_CREDENTIALS)
        status = SEC_E_OK;
    if (status_ok(status)) *out = data;
    return status;
}

/* Whether an account was named together with where it is: by a domain, as name@realm or as
 * domain\\name. */
static bool names_realm(const struct authdata *data)
{
    const size_t unit = data->ansi ? 1 : sizeof(wchar_t);
    if (data->domain.size) return data->user.size > 0;
    for (size_t i = 0; i + unit <= data->user.size; i += unit) {
        const uint8_t *letter = data->user.data + i;
        if ((unit == 1 || !letter[1]) && (*letter == '@' || *letter == '\\')) return true;
    }
    return false;
}

/* The mechanisms that the application's package list leaves. */
static status_t mechs_wanted(const struct authdata *data, struct mechs *mechs, bool *sole)
{
    wchar_t *package_list;
    status_t status = authdata_package_list(data, &package_list);
    if (status_ok(status)) status = mechs_find(mechs);
    if (status_ok(status)) mechs_select(mechs, package_list, sole);
    free(package_list);
    return status;
}

/* The mechanisms get the form that every package knows: some, Wine's Kerberos among them, know no
 * other, and take the version of an extended one for an address. */
static void *identity_for_mechs(const struct request *request, const struct authdata *data,
                                SEC_WINNT_AUTH_IDENTITY_W *plain)
{
    if (!data->extended) return request->auth_data;
    const size_t unit = data->ansi ? 1 : sizeof(wchar_t);
    *plain = (SEC_WINNT_AUTH_IDENTITY_W){
        .User = (unsigned short *)data->user.data,
        .UserLength = (ULONG)(data->user.size / unit),
        .Domain = (unsigned short *)data->domain.data,
        .DomainLength = (ULONG)(data->domain.size / unit),
        .Password = (unsigned short *)data->password.data,
        .PasswordLength = (ULONG)(data->password.size / unit),
        .Flags = data->ansi ? SEC_WINNT_AUTH_IDENTITY_ANSI : SEC_WINNT_AUTH_IDENTITY_UNICODE,
    };
    plain->Flags |= data->flags & SEC_WINNT_AUTH_IDENTITY_ONLY;
    return plain;
}

/* A server of Kerberos without a keytab has credentials for user-to-user only, which is not offered
 * here: to be asked for anything else it would fail. */
static status_t keytab_check(const struct request *request, const struct mech *mech,
                             CredHandle *handle)
{
    SecPkgCredentials_NamesW names = {NULL};
    bool accepts = (request->use & SECPKG_CRED_BOTH) == SECPKG_CRED_INBOUND;
    if (!accepts || !oid_is(&mech->oids[0], spnego_oid_ms_kerberos)) return SEC_E_OK;
    status_t status = QueryCredentialsAttributesW(handle, SECPKG_CRED_ATTR_NAMES, &names);
    if (status_ok(status)) FreeContextBuffer(names.sUserName);
    return status == SEC_E_NO_CREDENTIALS ? status : SEC_E_OK;
}

static status_t member_acquire(const struct request *request, const struct mech *mech,
                               struct member *member, TimeStamp *expiry)
{
    volatile LONG *references = calloc(1, sizeof(*references));
    if (!references) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = AcquireCredentialsHandleW(request->principal, (wchar_t *)mech->name,
                                                request->use, request->logon_id, request->auth_data,
                                                (SEC_GET_KEY_FN)request->get_key,
                                                request->get_key_argument, &member->handle, expiry);
    if (status_ok(status)) {
        status = keytab_check(request, mech, &member->handle);
        if (!status_ok(status)) FreeCredentialsHandle(&member->handle);
    }
    TRACE("%ls: status %#lx\n", mech->name, (ULONG)status);
    if (!status_ok(status)) {
        free((void *)references);
        return status;
    }
    *references = 1;
    member->references = references;
    member->of_realm = request->of_realm;
    member->mech = *mech;
    return SEC_E_OK;
}

/* A mechanism without credentials is left out. One that is short of memory is not: the other side
 * may have no other. */
static status_t members_acquire(const struct request *request, const struct mechs *mechs,
                                struct credential *credential, TimeStamp *expiry)
{
    status_t last = SEC_E_NO_CREDENTIALS;
    expiry->QuadPart = INT64_MAX;
    for (size_t i = 0; i < mechs->count; i++) {
        struct member *member = &credential->members[credential->count];
        TimeStamp end = {.QuadPart = INT64_MAX};
        status_t status = member_acquire(request, &mechs->items[i], member, &end);
        if (status == SEC_E_INSUFFICIENT_MEMORY) return status;
        if (!status_ok(status)) {
            last = status;
            continue;
        }
        credential->count++;
        if (end.QuadPart < expiry->QuadPart) *expiry = end;
    }
    return credential->count ? SEC_E_OK : last;
}

static status_t credential_fill(const struct request *request, const struct authdata *data,
                                struct credential **out, TimeStamp *expiry)
{
    struct mechs mechs;
    bool sole = false;
    status_t status = mechs_wanted(data, &mechs, &sole);
    if (!status_ok(status)) return status;
    struct credential *credential = calloc(1, sizeof(*credential));
    if (!credential) return SEC_E_INSUFFICIENT_MEMORY;
    credential->references = 1;
    credential->raw = sole;
    status = members_acquire(request, &mechs, credential, expiry);
    if (!status_ok(status)) {
        credential_release(credential);
        return status;
    }
    *out = credential;
    return SEC_E_OK;
}

static status_t credential_make(const struct request *request, struct credential **out,
                                TimeStamp *expiry)
{
    SEC_WINNT_AUTH_IDENTITY_W plain;
    struct request for_mechs = *request;
    struct authdata data = {0};
    status_t status = request_read(request, &data);
    if (!status_ok(status)) return status;
    for_mechs.auth_data = identity_for_mechs(request, &data, &plain);
    for_mechs.of_realm = names_realm(&data);
    status = credential_fill(&for_mechs, &data, out, expiry);
    authdata_clear(&data);
    return status;
}

/* *out is NULL for no text. */
static status_t text_terminate(const UNICODE_STRING *text, wchar_t **out)
{
    *out = NULL;
    if (!text || !text->Buffer) return SEC_E_OK;
    wchar_t *copy = malloc(text->Length + sizeof(wchar_t));
    if (!copy) return SEC_E_INSUFFICIENT_MEMORY;
    memcpy(copy, text->Buffer, text->Length);
    copy[text->Length / sizeof(wchar_t)] = 0;
    *out = copy;
    return SEC_E_OK;
}

NTSTATUS NTAPI credentials_acquire(UNICODE_STRING *principal, ULONG use, LUID *logon_id,
                                   void *auth_data, void *get_key, void *get_key_argument,
                                   LSA_SEC_HANDLE *handle, TimeStamp *expiry)
{
    struct request request = {.use = use,
                              .logon_id = logon_id,
                              .auth_data = auth_data,
                              .get_key = get_key,
                              .get_key_argument = get_key_argument};
    TimeStamp end;
    struct slot *slot = calloc(1, sizeof(*slot));
    if (!slot) return SEC_E_INSUFFICIENT_MEMORY;
    status_t status = text_terminate(principal, &request.principal);
    if (status_ok(status)) status = credential_make(&request, &slot->current, &end);
    free(request.principal);
    TRACE("use %#lx: status %#lx\n", use, (ULONG)status);
    if (!status_ok(status)) {
        free(slot);
        return status;
    }
    *handle = (LSA_SEC_HANDLE)slot;
    if (expiry) *expiry = end;
    return SEC_E_OK;
}

NTSTATUS NTAPI credentials_free(LSA_SEC_HANDLE handle)
{
    struct slot *slot = (struct slot *)handle;
    credential_release(slot->current);
    free(slot);
    return SEC_E_OK;
}

/* ---- adding ---- */

/* The set with one more member, or with this one in the place of that of the same mechanism; in the
 * order of mechs. With more than one there is something to negotiate. */
static struct credential *set_with(const struct credential *old, const struct mechs *mechs,
                                   const struct member *added)
{
    struct credential *set = calloc(1, sizeof(*set));
    if (!set) return NULL;
    set->references = 1;
    for (size_t i = 0; i < mechs->count; i++) {
        const wchar_t *name = mechs->items[i].name;
        const struct member *member = wcscmp(name, added->mech.name) ? NULL : added;
        for (size_t j = 0; j < old->count && !member; j++)
            if (!wcscmp(old->members[j].mech.name, name)) member = &old->members[j];
        if (!member) continue;
        InterlockedIncrement(member->references);
        set->members[set->count++] = *member;
    }
    set->raw = old->raw && set->count == 1;
    return set;
}

static const struct mech *mech_named(const struct mechs *mechs, const UNICODE_STRING *name)
{
    for (size_t i = 0; i < mechs->count; i++)
        if (CompareStringOrdinal(mechs->items[i].name, -1, name->Buffer,
                                 name->Length / (int)sizeof(wchar_t), TRUE) == CSTR_EQUAL)
            return &mechs->items[i];
    return NULL;
}

/* For one mechanism, which is named. */
static status_t add_one(struct slot *slot, const struct request *request,
                        const UNICODE_STRING *package, TimeStamp *expiry)
{
    struct mechs mechs;
    struct member member;
    status_t status = mechs_find(&mechs);
    if (!status_ok(status)) return status;
    const struct mech *mech = mech_named(&mechs, package);
    if (!mech) return SEC_E_SECPKG_NOT_FOUND;
    status = member_acquire(request, mech, &member, expiry);
    if (!status_ok(status)) return status;

    shared_lock_take(&slot->lock);
    struct credential *old = slot->current, *set = set_with(old, &mechs, &member);
    if (set) slot->current = set;
    shared_lock_give(&slot->lock);
    member_release(&member);
    if (!set) return SEC_E_INSUFFICIENT_MEMORY;
    credential_release(old);
    return SEC_E_OK;
}

/* For all of them, as far as they take any. */
static status_t add_all(struct slot *slot, const struct request *request, TimeStamp *expiry)
{
    status_t result = SEC_E_UNSUPPORTED_FUNCTION;
    struct credential *credential = credential_of((LSA_SEC_HANDLE)slot);
    for (size_t i = 0; i < credential->count; i++) {
        struct member *member = &credential->members[i];
        status_t status = AddCredentialsW(&member->handle, request->principal, member->mech.name,
                                          request->use, request->auth_data,
                                          (SEC_GET_KEY_FN)request->get_key,
                                          request->get_key_argument, expiry);
        if (!status_ok(result)) result = status;
    }
    credential_release(credential);
    return result;
}

static bool is_negotiate(const UNICODE_STRING *package)
{
    SecPkgInfoW info;
    package_info_get(&info);
    return !package || !package->Buffer ||
           CompareStringOrdinal(info.Name, -1, package->Buffer,
                                package->Length / (int)sizeof(wchar_t), TRUE) == CSTR_EQUAL;
}

NTSTATUS NTAPI credentials_add(LSA_SEC_HANDLE handle, UNICODE_STRING *principal,
                               UNICODE_STRING *package, ULONG use, void *auth_data, void *get_key,
                               void *get_key_argument, TimeStamp *expiry)
{
    struct slot *slot = (struct slot *)handle;
    struct request request = {.use = use,
                              .auth_data = auth_data,
                              .get_key = get_key,
                              .get_key_argument = get_key_argument};
    SEC_WINNT_AUTH_IDENTITY_W plain;
    struct authdata data = {0};
    status_t status = request_read(&request, &data);
    if (!status_ok(status)) return status;
    request.auth_data = identity_for_mechs(&request, &data, &plain);
    request.of_realm = names_realm(&data);
    status = text_terminate(principal, &request.principal);
    if (status_ok(status))
        status = is_negotiate(package) ? add_all(slot, &request, expiry)
                                       : add_one(slot, &request, package, expiry);
    free(request.principal);
    authdata_clear(&data);
    return status;
}

/* ---- attributes ---- */

/* The first mechanism that has an answer gives it. */
NTSTATUS NTAPI credentials_query(LSA_SEC_HANDLE handle, ULONG attribute, void *buffer)
{
    struct credential *credential = credential_of(handle);
    status_t status = SEC_E_UNSUPPORTED_FUNCTION;
    for (size_t i = 0; i < credential->count; i++) {
        status = QueryCredentialsAttributesW(&credential->members[i].handle, attribute, buffer);
        if (status_ok(status)) break;
    }
    credential_release(credential);
    return status;
}

/* A setting is made wherever there is one; it is refused when no mechanism takes it. */
NTSTATUS NTAPI credentials_set(LSA_SEC_HANDLE handle, ULONG attribute, void *buffer, ULONG size)
{
    struct credential *credential = credential_of(handle);
    status_t result = SEC_E_UNSUPPORTED_FUNCTION;
    for (size_t i = 0; i < credential->count; i++) {
        status_t status = SetCredentialsAttributesW(&credential->members[i].handle, attribute,
                                                    buffer, size);
        if (!status_ok(result)) result = status;
    }
    credential_release(credential);
    return result;
}
