/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Packages and the modules they come from. The list is read from the registry at the first use,
 * and a module is loaded at the first use of one of its packages: what a listing needs is kept
 * in a cache of ours that is checked against the file.
 */
#pragma once

#include "ssp/abi.h"

struct package;

/* A context as its provider knows it. lsa_half and user_half tell which of the tables of an
 * SSP/AP have it: an imported context has no LSA half. */
struct provider_context {
    SecHandle handle;
    bool lsa_half, user_half;
    volatile LONG user_closed; /* the application has deleted the user half */
};

/* What a provider can be asked, in W form only; a slot that the provider leaves out is NULL.
 * Credentials and contexts are the provider's own two words. lsa_package.c, load_sspi.c and
 * load_sspi_ansi.c are the only ones that fill such a table. */
struct package_ops {
    status_t (*acquire_credentials)(struct package *package, WCHAR *principal, ULONG use,
                                    LUID *logon_id, void *auth_data, SEC_GET_KEY_FN get_key,
                                    void *get_key_argument, SecHandle *credential,
                                    TimeStamp *expiry);
    status_t (*free_credentials)(struct package *package, SecHandle *credential);
    /* name: the package that is to use them, which only a package that negotiates may not be. */
    status_t (*add_credentials)(struct package *package, SecHandle *credential, WCHAR *principal,
                                WCHAR *name, ULONG use, void *auth_data, SEC_GET_KEY_FN get_key,
                                void *get_key_argument, TimeStamp *expiry);
    status_t (*query_credentials)(struct package *package, SecHandle *credential, ULONG attribute,
                                  void *buffer);
    status_t (*set_credentials)(struct package *package, SecHandle *credential, ULONG attribute,
                                void *buffer, ULONG size);

    /* One leg. credential and the provider's words in context may be zero; context is filled in
     * by the first leg and may be changed by later ones. */
    status_t (*init_context)(struct package *package, SecHandle *credential,
                             struct provider_context *context, WCHAR *target, ULONG requirements,
                             ULONG data_representation, SecBufferDesc *input, SecBufferDesc *output,
                             ULONG *attributes, TimeStamp *expiry);
    status_t (*accept_context)(struct package *package, SecHandle *credential,
                               struct provider_context *context, SecBufferDesc *input,
                               ULONG requirements, ULONG data_representation, SecBufferDesc *output,
                               ULONG *attributes, TimeStamp *expiry);
    void (*delete_context)(struct package *package, struct provider_context *context);
    status_t (*init_user_half)(struct package *package, struct provider_context *context,
                               const SecBuffer *packed);
    status_t (*close_user_half)(struct package *package, struct provider_context *context);
    status_t (*complete_token)(struct package *package, struct provider_context *context,
                               SecBufferDesc *token);
    status_t (*control_token)(struct package *package, struct provider_context *context,
                              SecBufferDesc *input);
    status_t (*query_context)(struct package *package, struct provider_context *context,
                              ULONG attribute, void *buffer);
    status_t (*set_context)(struct package *package, struct provider_context *context,
                            ULONG attribute, void *buffer, ULONG size);

    status_t (*make_signature)(struct package *package, struct provider_context *context, ULONG qop,
                               SecBufferDesc *message, ULONG sequence);
    status_t (*verify_signature)(struct package *package, struct provider_context *context,
                                 SecBufferDesc *message, ULONG sequence, ULONG *qop);
    status_t (*seal_message)(struct package *package, struct provider_context *context, ULONG qop,
                             SecBufferDesc *message, ULONG sequence);
    status_t (*unseal_message)(struct package *package, struct provider_context *context,
                               SecBufferDesc *message, ULONG sequence, ULONG *qop);

    /* output has the one buffer that the answer goes to. */
    status_t (*change_password)(struct package *package, WCHAR *domain, WCHAR *account,
                                WCHAR *old_password, WCHAR *new_password, BOOLEAN impersonating,
                                SecBufferDesc *output);

    /* A token for the caller to close. */
    status_t (*query_token)(struct package *package, struct provider_context *context,
                            HANDLE *token);
    status_t (*impersonate)(struct package *package, struct provider_context *context);
    status_t (*revert)(struct package *package, struct provider_context *context);

    /* The body is released with free_body, whatever heap it came from.
     * With DELETE_OLD an SSP/AP must see to it that the old context seals nothing any more, and
     * leave its deletion to the dispatcher, which deletes it when the blob is made. An SSP is asked
     * for a copy: nobody else is let into the context until it is deleted. */
    status_t (*export_context)(struct package *package, struct provider_context *context,
                               ULONG flags, SecBuffer *body, HANDLE *token);
    /* Has the context go on, from the body, when the blob could not be made: there only where the
     * provider lets go of it. *former is then what it was, to be deleted along with it. */
    status_t (*resume_context)(struct package *package, struct provider_context *context,
                               SecBuffer *body, struct provider_context *former);
    void (*free_body)(struct package *package, SecBuffer *body);
    status_t (*import_context)(struct package *package, SecBuffer *body, HANDLE token,
                               struct provider_context *context);
};

struct module;

struct package {
    SecPkgInfoW info; /* never changed once listed; its strings are in info_block */
    void *info_block;
    struct module *module;
    ULONG index;                  /* of its table in the module */
    ULONG_PTR id;                 /* what the LSA calls a package id */
    const LSA_STRING *logon_name; /* as an authentication package, or NULL */
    volatile LONG removed;
    bool registered, named, initialized; /* how far a load has come */

    /* Set when the module is loaded, and only then to be looked at (package_open). */
    struct package_ops ops;
    struct package_ops raw; /* of a package of others: what ops calls under guard */
    const SECPKG_FUNCTION_TABLE *lsa;
    const SECPKG_USER_FUNCTION_TABLE *user;
    bool has_set_context, has_set_credentials;  /* the LSA table reaches that far and has them */
    SpChangeAccountPasswordFn *change_password; /* of the LSA table, likewise, or NULL */
    const SecurityFunctionTableW *sspi;
    ULONG thunks[16]; /* attributes that the LSA half answers (SECPKG_CONTEXT_THUNKS) */
    ULONG thunk_count;
    bool has_inner; /* one of them is WINESSPI_ATTR_MESSAGE_CONTEXT */
};

bool package_name_equal(const WCHAR *left, const WCHAR *right); /* case aside */

/* The listed package of that name, case aside; loads nothing that is in the cache. This and what
 * follows: SEC_E_SECPKG_NOT_FOUND when there is none, SEC_E_INSUFFICIENT_MEMORY when there was no
 * memory to see whether there is one. Whoever asks next goes on from there. */
status_t package_find(const WCHAR *name, struct package **out);

/* The package that log-ons call by that name, case aside (LSA_AP_INITIALIZE_PACKAGE), listed or
 * not; loads modules until it is found. */
status_t package_find_logon(const LSA_STRING *name, struct package **out);

/* Makes the package's functions available. Its module may be gone or have turned bad. Called
 * without any lock held. */
status_t package_open(struct package *package);

/* The package of that name with its functions, for an import: also one that can do nothing else. */
status_t package_find_import(const WCHAR *name, struct package **out);

/* A snapshot of the list in one block of the process heap. */
status_t package_list(struct package ***packages, ULONG *count);

status_t package_add_module(const WCHAR *name, ULONG type, bool permanent);
status_t package_remove(const WCHAR *name);

/* One block of the process heap: the structure, then its strings. */
SecPkgInfoW *package_info_copy(const SecPkgInfoW *infos, ULONG count);

/* Puts a guard around each of the package's functions. */
void package_guard(struct package *package);
