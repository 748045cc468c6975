/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SSP modules that speak the ANSI code page only (InitSecurityInterfaceA without its W form):
 * names, targets, identities and the attributes that carry text are converted between them and the
 * rest of the dispatcher, which is wide throughout. Text that the module gives is freed with the
 * module's own FreeContextBuffer, what the application gets comes from the process heap. Omitted:
 * attributes with text that belong to one package only, and auth data that is no identity, which
 * goes through as it is.
 */
#include "load_sspi.h"

#include "ansi.h"
#include "core/secret.h"
#include "module.h"
#include "ssp/authdata.h"
#include "ssp/trace.h"

#include <stddef.h>
#include <string.h>

TRACE_CHANNEL("sspi");

/* What load_sspi.c relies on. */
_Static_assert(sizeof(SecurityFunctionTableA) == sizeof(SecurityFunctionTableW) &&
                   offsetof(SecurityFunctionTableA, FreeContextBuffer) ==
                       offsetof(SecurityFunctionTableW, FreeContextBuffer) &&
                   offsetof(SecurityFunctionTableA, DecryptMessage) ==
                       offsetof(SecurityFunctionTableW, DecryptMessage),
               "the A and the W table differ in their functions only");

static const SecurityFunctionTableA *table_of(const struct package *package)
{
    return (const SecurityFunctionTableA *)(const void *)package->sspi;
}

static void module_free(const struct package *package, void *block)
{
    if (block && package->sspi->FreeContextBuffer) package->sspi->FreeContextBuffer(block);
}

static void text_free(void *text)
{
    HeapFree(GetProcessHeap(), 0, text);
}

/* Takes a text of the module over: *out in the process heap, the module's freed in any case. */
static status_t text_take(const struct package *package, char *text, WCHAR **out)
{
    status_t status = ansi_to_wide(text, out);
    module_free(package, text);
    return status;
}

/* ---- packages ---- */

static status_t info_convert(const SecPkgInfoA *from, SecPkgInfoW *info)
{
    WCHAR *name = NULL, *comment = NULL;
    status_t status = ansi_to_wide(from->Name, &name);
    if (status_ok(status)) status = ansi_to_wide(from->Comment, &comment);
    if (!status_ok(status) || !name) {
        text_free(name);
        text_free(comment);
        return status_ok(status) ? SEC_E_SECPKG_NOT_FOUND : status;
    }
    *info = (SecPkgInfoW){from->fCapabilities, from->wVersion, from->wRPCID,
                          from->cbMaxToken,    name,           comment};
    return SEC_E_OK;
}

static void infos_clear(SecPkgInfoW *infos, ULONG count)
{
    for (ULONG i = 0; i < count; i++) {
        text_free(infos[i].Name);
        text_free(infos[i].Comment);
    }
}

static status_t infos_convert(const SecPkgInfoA *from, ULONG count, SecPkgInfoW **out)
{
    SecPkgInfoW wide[MODULE_PACKAGES_MAX] = {{0}};
    ULONG done = 0;
    if (!count || count > MODULE_PACKAGES_MAX) return SEC_E_SECPKG_NOT_FOUND;
    status_t status = SEC_E_OK;
    while (status_ok(status) && done < count) {
        status = info_convert(&from[done], &wide[done]);
        if (status_ok(status)) done++;
    }
    SecPkgInfoW *copy = status_ok(status) ? package_info_copy(wide, count) : NULL;
    if (status_ok(status) && !copy) status = SEC_E_INSUFFICIENT_MEMORY;
    infos_clear(wide, done);
    if (copy) *out = copy;
    return status;
}

status_t sspi_ansi_enumerate(struct module *module, const SecurityFunctionTableA *table,
                             ULONG *count, SecPkgInfoW **infos)
{
    ULONG found = 0;
    SecPkgInfoA *list = NULL;
    status_t status = table->EnumerateSecurityPackagesA(&found, &list);
    if (!status_ok(status) || !list) {
        WARN("EnumerateSecurityPackagesA gave %#lx\n", (ULONG)status);
        return module_complains(module, status) ? status : SEC_E_SECPKG_NOT_FOUND;
    }
    status = infos_convert(list, found, infos);
    if (status_ok(status)) *count = found;
    if (table->FreeContextBuffer) table->FreeContextBuffer(list);
    return status;
}

/* ---- credentials ---- */

/* An identity in ANSI form, with room for its texts: user, domain, password, list of packages. */
struct ansi_identity {
    SEC_WINNT_AUTH_IDENTITY_EXA identity;
    char *texts[4];
    ULONG sizes[4];
};

static void identity_clear(struct ansi_identity *made)
{
    for (int i = 0; i < 4; i++) {
        if (made->texts[i]) secret_wipe(made->texts[i], made->sizes[i]);
        text_free(made->texts[i]);
    }
}

static status_t identity_text(struct slice text, char **out, ULONG *size)
{
    if (!text.data) return SEC_E_OK;
    int characters = (int)(text.size / sizeof(WCHAR));
    const WCHAR *wide = (const WCHAR *)(const void *)text.data;
    int needed = characters ? WideCharToMultiByte(CP_ACP, 0, wide, characters, NULL, 0, NULL, NULL)
                            : 0;
    char *made = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, (size_t)needed + 1);
    if (!made) return SEC_E_INSUFFICIENT_MEMORY;
    if (needed) WideCharToMultiByte(CP_ACP, 0, wide, characters, made, needed, NULL, NULL);
    *out = made;
    *size = (ULONG)needed;
    return SEC_E_OK;
}

/* Is this an identity with wide text? Anything else is the package's own business. */
static bool identity_is_wide(const void *auth_data, struct authdata *data)
{
    const ULONG known = SEC_WINNT_AUTH_IDENTITY_UNICODE | SEC_WINNT_AUTH_IDENTITY_MARSHALLED |
                        SEC_WINNT_AUTH_IDENTITY_ONLY | IDENTITY_ENCRYPTED;
    return auth_data && status_ok(authdata_parse(auth_data, data)) && !data->ansi &&
           data->flags & SEC_WINNT_AUTH_IDENTITY_UNICODE && !(data->flags & ~known);
}

static status_t identity_make(const struct authdata *data, struct ansi_identity *made)
{
    const struct slice texts[4] = {data->user, data->domain, data->password, data->package_list};
    for (int i = 0; i < 4; i++) {
        status_t status = identity_text(texts[i], &made->texts[i], &made->sizes[i]);
        if (!status_ok(status)) return status;
    }
    ULONG flags = SEC_WINNT_AUTH_IDENTITY_ANSI | (data->flags & SEC_WINNT_AUTH_IDENTITY_ONLY);
    made->identity = (SEC_WINNT_AUTH_IDENTITY_EXA){
        .Version = SEC_WINNT_AUTH_IDENTITY_VERSION,
        .Length = sizeof(made->identity),
        .User = (unsigned char *)made->texts[0],
        .UserLength = made->sizes[0],
        .Domain = (unsigned char *)made->texts[1],
        .DomainLength = made->sizes[1],
        .Password = (unsigned char *)made->texts[2],
        .PasswordLength = made->sizes[2],
        .Flags = flags,
        .PackageList = (unsigned char *)made->texts[3],
        .PackageListLength = made->sizes[3],
    };
    return SEC_E_OK;
}

/* The plain form unless there is a list of packages, which only the extended one has: modules of
 * this kind are old. */
static void *identity_form(struct ansi_identity *made, SEC_WINNT_AUTH_IDENTITY_A *plain)
{
    const SEC_WINNT_AUTH_IDENTITY_EXA *from = &made->identity;
    if (from->PackageList) return &made->identity;
    *plain = (SEC_WINNT_AUTH_IDENTITY_A){from->User,         from->UserLength, from->Domain,
                                         from->DomainLength, from->Password,   from->PasswordLength,
                                         from->Flags};
    return plain;
}

/* One of the two functions that are given an identity. */
struct acquire {
    WCHAR *principal;
    ULONG use;
    LUID *logon_id; /* not for adding */
    void *auth_data;
    SEC_GET_KEY_FN get_key;
    void *get_key_argument;
    SecHandle *credential;
    TimeStamp *expiry;
    bool add;
};

static status_t acquire_call(const struct package *package, const struct acquire *a,
                             char *principal, char *name, void *auth_data)
{
    const SecurityFunctionTableA *table = table_of(package);
    if (a->add)
        return table->AddCredentialsA(a->credential, principal, name, a->use, auth_data, a->get_key,
                                      a->get_key_argument, a->expiry);
    return table->AcquireCredentialsHandleA(principal, name, a->use, a->logon_id, auth_data,
                                            a->get_key, a->get_key_argument, a->credential,
                                            a->expiry);
}

static status_t acquire_ansi(const struct package *package, const struct acquire *a)
{
    struct ansi_identity made = {0};
    SEC_WINNT_AUTH_IDENTITY_A plain;
    struct authdata data = {0};
    char *principal = NULL, *name = NULL;
    void *auth_data = a->auth_data;
    status_t status = ansi_from_wide(a->principal, &principal);
    if (status_ok(status)) status = ansi_from_wide(package->info.Name, &name);
    if (status_ok(status) && identity_is_wide(auth_data, &data)) {
        status = identity_make(&data, &made);
        auth_data = identity_form(&made, &plain);
    }
    if (status_ok(status)) status = acquire_call(package, a, principal, name, auth_data);
    identity_clear(&made);
    authdata_clear(&data);
    text_free(principal);
    text_free(name);
    return status;
}

static status_t ansi_acquire_credentials(struct package *package, WCHAR *principal, ULONG use,
                                         LUID *logon_id, void *auth_data, SEC_GET_KEY_FN get_key,
                                         void *get_key_argument, SecHandle *credential,
                                         TimeStamp *expiry)
{
    struct acquire acquire = {principal,        use,        logon_id, auth_data, get_key,
                              get_key_argument, credential, expiry,   false};
    return acquire_ansi(package, &acquire);
}

static status_t ansi_add_credentials(struct package *package, SecHandle *credential,
                                     WCHAR *principal, WCHAR *name, ULONG use, void *auth_data,
                                     SEC_GET_KEY_FN get_key, void *get_key_argument,
                                     TimeStamp *expiry)
{
    (void)name; /* the module's own */
    struct acquire acquire = {principal,        use,        NULL,   auth_data, get_key,
                              get_key_argument, credential, expiry, true};
    return acquire_ansi(package, &acquire);
}

static void secret_free_text(char *text)
{
    if (text) SecureZeroMemory(text, strlen(text));
    text_free(text);
}

static status_t ansi_change_password(struct package *package, WCHAR *domain, WCHAR *account,
                                     WCHAR *old_password, WCHAR *new_password,
                                     BOOLEAN impersonating, SecBufferDesc *output)
{
    WCHAR *const wide[5] = {package->info.Name, domain, account, old_password, new_password};
    char *texts[5] = {NULL};
    status_t status = SEC_E_OK;
    for (int i = 0; i < 5 && status_ok(status); i++) status = ansi_from_wide(wide[i], &texts[i]);
    if (status_ok(status))
        status = table_of(package)->ChangeAccountPasswordA(texts[0], texts[1], texts[2], texts[3],
                                                           texts[4], impersonating, 0, output);
    for (int i = 0; i < 5; i++) secret_free_text(texts[i]);
    return status;
}

static status_t ansi_query_credentials(struct package *package, SecHandle *credential,
                                       ULONG attribute, void *buffer)
{
    const SecurityFunctionTableA *table = table_of(package);
    if (attribute != SECPKG_CRED_ATTR_NAMES)
        return table->QueryCredentialsAttributesA(credential, attribute, buffer);
    SecPkgCredentials_NamesA ansi = {NULL};
    SecPkgCredentials_NamesW wide = {NULL};
    status_t status = table->QueryCredentialsAttributesA(credential, attribute, &ansi);
    if (status_ok(status)) status = text_take(package, ansi.sUserName, &wide.sUserName);
    if (status_ok(status)) *(SecPkgCredentials_NamesW *)buffer = wide;
    return status;
}

/* ---- contexts ---- */

static status_t ansi_init_context(struct package *package, SecHandle *credential,
                                  struct provider_context *context, WCHAR *target,
                                  ULONG requirements, ULONG data_representation,
                                  SecBufferDesc *input, SecBufferDesc *output, ULONG *attributes,
                                  TimeStamp *expiry)
{
    SecHandle old = context->handle, new = context->handle;
    char *name;
    status_t status = ansi_from_wide(target, &name);
    if (!status_ok(status)) return status;
    status = table_of(package)->InitializeSecurityContextA(
        sspi_handle_if_set(credential), sspi_handle_if_set(&old), name, requirements, 0,
        data_representation, input, 0, &new, output, attributes, expiry);
    text_free(name);
    return sspi_leg_finish(package, context, status, &new);
}

static status_t ansi_import_context(struct package *package, SecBuffer *body, HANDLE token,
                                    struct provider_context *context)
{
    SecHandle handle = {0, 0};
    char *name;
    status_t status = ansi_from_wide(package->info.Name, &name);
    if (!status_ok(status)) return status;
    status = table_of(package)->ImportSecurityContextA(name, body, token, &handle);
    text_free(name);
    return sspi_leg_finish(package, context, status, &handle);
}

/* ---- attributes ---- */

union ansi_answer {
    SecPkgContext_NamesA names; /* and AUTHORITY */
    SecPkgContext_NativeNamesA native;
    SecPkgContext_KeyInfoA key;
    SecPkgContext_NegotiationInfoA negotiation; /* begins like PACKAGE_INFO */
    SecPkgContext_CredentialNameA credential;
};

static status_t names_convert(struct package *package, const union ansi_answer *from, void *to)
{
    return text_take(package, from->names.sUserName, &((SecPkgContext_NamesW *)to)->sUserName);
}

/* Both texts of the module are freed whatever happens. */
static status_t texts_take(struct package *package, char *from[2], WCHAR *to[2])
{
    WCHAR *second = NULL;
    status_t status = text_take(package, from[0], &to[0]);
    status_t other = text_take(package, from[1], &second);
    if (status_ok(status) && !status_ok(other)) text_free(to[0]);
    if (!status_ok(status)) text_free(second);
    to[1] = second;
    return status_ok(status) ? other : status;
}

static status_t native_convert(struct package *package, const union ansi_answer *from, void *to)
{
    char *texts[2] = {from->native.sClientName, from->native.sServerName};
    WCHAR *wide[2] = {NULL, NULL};
    status_t status = texts_take(package, texts, wide);
    if (status_ok(status))
        *(SecPkgContext_NativeNamesW *)to = (SecPkgContext_NativeNamesW){wide[0], wide[1]};
    return status;
}

static status_t key_convert(struct package *package, const union ansi_answer *from, void *to)
{
    const SecPkgContext_KeyInfoA *key = &from->key;
    char *texts[2] = {key->sSignatureAlgorithmName, key->sEncryptAlgorithmName};
    WCHAR *wide[2] = {NULL, NULL};
    status_t status = texts_take(package, texts, wide);
    if (status_ok(status))
        *(SecPkgContext_KeyInfoW *)to = (SecPkgContext_KeyInfoW){
            wide[0], wide[1], key->KeySize, key->SignatureAlgorithm, key->EncryptAlgorithm};
    return status;
}

static status_t info_take(struct package *package, SecPkgInfoA *ansi, SecPkgInfoW **out)
{
    status_t status = ansi ? infos_convert(ansi, 1, out) : SEC_E_INTERNAL_ERROR;
    module_free(package, ansi);
    return status;
}

static status_t package_convert(struct package *package, const union ansi_answer *from, void *to)
{
    SecPkgContext_PackageInfoW *wide = to;
    return info_take(package, from->negotiation.PackageInfo, &wide->PackageInfo);
}

static status_t negotiation_convert(struct package *package, const union ansi_answer *from,
                                    void *to)
{
    SecPkgContext_NegotiationInfoW *wide = to;
    status_t status = info_take(package, from->negotiation.PackageInfo, &wide->PackageInfo);
    if (status_ok(status)) wide->NegotiationState = from->negotiation.NegotiationState;
    return status;
}

static status_t credential_convert(struct package *package, const union ansi_answer *from, void *to)
{
    SecPkgContext_CredentialNameW *wide = to;
    status_t status = text_take(package, from->credential.sCredentialName, &wide->sCredentialName);
    if (status_ok(status)) wide->CredentialType = from->credential.CredentialType;
    return status;
}

struct text_attribute {
    ULONG attribute;
    status_t (*convert)(struct package *package, const union ansi_answer *from, void *to);
};

static const struct text_attribute text_attributes[] = {
    {SECPKG_ATTR_NAMES, names_convert},
    {SECPKG_ATTR_AUTHORITY, names_convert},
    {SECPKG_ATTR_NATIVE_NAMES, native_convert},
    {SECPKG_ATTR_KEY_INFO, key_convert},
    {SECPKG_ATTR_PACKAGE_INFO, package_convert},
    {SECPKG_ATTR_NEGOTIATION_INFO, negotiation_convert},
    {SECPKG_ATTR_CREDENTIAL_NAME, credential_convert},
};

static status_t ansi_query_context(struct package *package, struct provider_context *context,
                                   ULONG attribute, void *buffer)
{
    const SecurityFunctionTableA *table = table_of(package);
    for (size_t i = 0; i < ARRAYSIZE(text_attributes); i++) {
        if (text_attributes[i].attribute != attribute) continue;
        union ansi_answer answer = {0};
        status_t status = table->QueryContextAttributesA(&context->handle, attribute, &answer);
        if (!status_ok(status)) return status;
        return text_attributes[i].convert(package, &answer, buffer);
    }
    return table->QueryContextAttributesA(&context->handle, attribute, buffer);
}

void sspi_ansi_fill(struct package *package)
{
    struct package_ops *ops = &package->ops;
    if (ops->acquire_credentials) ops->acquire_credentials = ansi_acquire_credentials;
    if (ops->add_credentials) ops->add_credentials = ansi_add_credentials;
    if (ops->query_credentials) ops->query_credentials = ansi_query_credentials;
    if (ops->change_password) ops->change_password = ansi_change_password;
    if (ops->init_context) ops->init_context = ansi_init_context;
    if (ops->query_context) ops->query_context = ansi_query_context;
    if (ops->import_context) ops->import_context = ansi_import_context;
}
