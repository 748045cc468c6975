/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the parts of the package NTLM share. Text is UTF-16, names are at most NAME_CHARS long. */
#pragma once

#include "core/ntlm.h"
#include "ssp/answer.h"
#include "ssp/authdata.h"
#include "ssp/halves.h"
#include "ssp/leg.h"
#include "ssp/lock.h"
#include "ssp/package.h"
#include "ssp/provider.h"

#define NAME_CHARS 256u
#define MAX_TOKEN 2888u

/* ---- package.c ---- */

extern const uint8_t package_version[8]; /* what our messages say, MS-NLMP 2.2.2.10 */

/* ---- names.c ---- */

/* A name with its terminator. */
struct name {
    wchar_t text[NAME_CHARS + 1];
    size_t length;
};

struct host {
    struct name computer; /* NetBIOS, also the name of the domain of local accounts */
    struct name dns_computer, dns_domain;
    struct name user; /* who this process runs as */
    char oem_computer[64];
};

/* Found out once per process; NULL when that fails. */
const struct host *host_get(void);

/* The same for all processes of the prefix while its server runs (MS-NLMP 2.2.2.2). */
status_t machine_id_get(uint8_t out[NTLM_MACHINE_ID_SIZE]);

/* The host in a target name (an SPN or a plain host name); false when there is none. */
bool target_host_name(struct slice target_name, struct name *host);

/* Whether a target name means this machine. False, and *status a failure, when that cannot be told,
 * as the registry cannot be read; *status stays as it was otherwise. */
bool host_is_target(const struct host *host, struct slice target_name, status_t *status);

static inline struct slice name_slice(const struct name *name)
{
    return text_slice(name->text, name->length);
}

/* False when the text is too long or no valid UTF-16; *out is then untouched. */
bool name_set(struct name *out, struct slice text);
bool name_equal(const struct name *a, const struct name *b); /* case aside */
void name_upper(struct name *name);

/* ---- policy.c ---- */

enum { POLICY_OFF, POLICY_CHECKED, POLICY_REQUIRED };

struct ntlm_policy {
    DWORD client_level, server_level;     /* LmCompatibilityLevel, 0 to 5 */
    DWORD client_minimum, server_minimum; /* NTLM_ flags, see policy_required */
    DWORD restrict_sending, restrict_receiving;
    /* A client names neither its channel nor its target, except in a local call. */
    bool no_extended_protection;
    /* of a server, one of the three above */
    DWORD channel_bindings, target_names;
    bool require_mic;
    bool loopback_check;   /* a client of this prefix has to mean this machine */
    DWORD password_length; /* the shortest new password */
    bool winbind; /* accounts that are not of this machine are asked for at the host's winbind */
    uint64_t timestamp_window; /* FILETIME units; 0: only a time that the server told is checked */
};

#define RECEIVING_LOCAL 1u /* restrict_receiving: accounts of this machine only */
#define RECEIVING_NONE 2u

/* As it was a second ago at the most, or as it could last be read. A failure before it ever could
 * be: nothing is then allowed. Any thread. */
status_t policy_get(struct ntlm_policy *out);

/* The flags without which a session of these flags is refused. */
uint32_t policy_required(uint32_t minimum, bool v2_only, uint32_t flags);

/* The levels from which on a client sends no LM responses, a client sends nothing but NTLMv2 and
 * a server takes nothing else. Between the last two a Windows server still takes LM responses at
 * first; here no account has what they are checked against. */
#define LEVEL_CLIENT_NO_LM 2u
#define LEVEL_CLIENT_V2 3u
#define LEVEL_SERVER_V2 5u

/* Whether passwords are kept in the form that LM responses are made of. */
bool policy_may_send_lm(void);

/* Whether an administrator calls this machine so, too (BackConnectionHostNames, KB896861). *status
 * as host_is_target has it. */
bool policy_is_own_name(const struct name *host, status_t *status);

/* Whether a client may use NTLM towards this target. *status as above. */
bool policy_may_send(const struct ntlm_policy *policy, struct slice target_name, status_t *status);

/* ---- mask.c ---- */

/* The hash of a password as it is kept, not to be read from memory by accident. */
struct masked_hash {
    uint8_t nonce[16], bytes[16];
};

status_t hash_mask(const uint8_t hash[16], struct masked_hash *out);
status_t hash_unmask(const struct masked_hash *masked, uint8_t hash[16]);

/* ---- identity.c ---- */

/* Who an application says it is: the user of this process (is_default), nobody (anonymous), or a
 * named user. The rest is empty for the first two. */
struct identity {
    bool is_default, anonymous;
    bool is_saved; /* the named user comes from the credential manager */
    struct name user, domain;
    uint8_t nt_hash[16], lm_hash[16]; /* of the password, which is not kept */
    bool has_lm;                      /* by policy, and only for a password that has such a hash */
};

/* Auth data of AcquireCredentialsHandle. SEC_E_UNKNOWN_CREDENTIALS for what is none, and
 * SEC_E_NO_CREDENTIALS for a reference to a saved credential that is not there. */
status_t identity_parse(const void *auth_data, struct identity *out);
/* The same without references. */
status_t identity_set(const struct authdata *given, struct identity *out);

/* DOMAIN\user in the place of the user alone. user@REALM stays whole, as NTLM sends it. */
void user_split(struct name *user, struct name *domain);

/* ---- saved.c ---- */

/* The credential that the user has saved for a target, SEC_E_NO_CREDENTIALS without one. Asks
 * the credential manager: not for every handshake. */
status_t saved_for_target(struct slice target, struct identity *out);

/* User names made by CredMarshalCredential. */
bool saved_is_reference(const struct name *user);
status_t saved_for_reference(const struct name *user, struct identity *out);

/* ---- cred.c ---- */

/* The references stand away from what all threads read. */
struct credential {
    ULONG use;
    struct identity identity; /* its hashes are wiped; credential_for_target has them */
    struct masked_hash nt_hash, lm_hash;
    BYTE apart[CACHE_LINE]; /* what many threads read from what many threads write */
    volatile LONG references;
};

struct credential *credential_hold(struct credential *credential);
void credential_release(struct credential *credential); /* NULL is fine */

/* The named user to prove to that target, with hashes; the caller wipes *out. For default
 * credentials it is what the user has saved for the target. SEC_E_NO_CREDENTIALS when there is
 * nobody. */
status_t credential_for_target(const struct credential *credential, struct slice target,
                               struct identity *out);

SpAcquireCredentialsHandleFn credentials_acquire;
SpFreeCredentialsHandleFn credentials_free;
SpQueryCredentialsAttributesFn credentials_query;

/* ---- account.c ---- */

struct account {
    bool known;
    bool is_named;            /* of the domain that the client named, if it named one */
    struct name user, domain; /* where it was found */
    uint8_t nt_hash[16];      /* random for an unknown account */
};

/* The account that a client means by these names. An unknown one is no failure. */
status_t account_find(struct slice user, struct slice domain, struct account *out);
void account_forget_all(void);
/* Gives a known account another hash. */
status_t account_store(const struct account *account, const uint8_t nt_hash[16]);

/* ---- authority.c ---- */

/* A log-on for somebody else to judge; the names are those of the message, as UTF-16. */
struct authority_request {
    const struct name *user, *domain, *workstation;
    const uint8_t *challenge; /* 8 bytes */
    struct slice nt_response;
};

struct authority_result {
    struct name user, domain; /* as the authority calls the account */
    uint8_t session_base_key[16];
};

/* Whether somebody else is to judge: of an account that this machine does not have by the name that
 * was given. Without that choice a local one would do whose user has the same name. */
bool account_is_elsewhere(const struct account *account, const struct ntlm_policy *policy);

/* What an answer to a server's challenge is an answer to: extended session security, of which an
 * authority is not told, takes another challenge into account (MS-NLMP 3.3.1). */
status_t authority_challenge(const struct ntlm_context *ntlm,
                             const struct ntlm_authenticate *message, uint8_t challenge[8]);

/* SEC_E_LOGON_DENIED for whatever is wrong with the log-on, SEC_E_NO_AUTHENTICATING_AUTHORITY when
 * nobody could judge it. NTLMv1 is passed on too: the caller refuses it first where it will not
 * do. Blocks. */
status_t authority_verify(const struct authority_request *request, struct authority_result *out);

/* Puts the authority's names into a challenge: a domain controller compares those that the response
 * repeats with those of the machine that asks it. Changes nothing while there is no authority. */
void authority_names(struct ntlm_server_start *start);

/* ---- context.c ---- */

/* Channel bindings as NTLM compares them (MS-NLMP 3.1.1.2). */
struct bindings {
    bool given, audit;
    uint8_t hash[16];
};

/*
 * The context handle of both tables. Locks: with ESS a message takes the lock of its direction,
 * otherwise `send` for both, since one cipher stream serves both. Legs and exports take send,
 * then receive; queries take send.
 */
struct context {
    volatile LONG halves; /* HALF_ bits */
    struct lock send, receive;
    bool exported;                 /* handed over: all that is left is to delete it */
    bool answered;                 /* of a server: the answer that counts was given */
    struct bindings bindings;      /* from the first leg */
    struct credential *credential; /* until the handshake is complete; NULL after an import */
    HANDLE volatile token;         /* owned; made when first asked for */
    struct ntlm_context ntlm;
};
_Static_assert(!offsetof(struct context, halves), "see ssp/halves.h");

/* Takes ntlm over on success. */
status_t context_create(struct ntlm_context *ntlm, LONG halves, struct context **out);

/* Both directions. */
void context_lock(struct context *context);
void context_unlock(struct context *context);

static inline struct context *context_get(LSA_SEC_HANDLE handle)
{
    return (struct context *)handle;
}

/* SEC_E_OK for a complete context whose session is still here. */
static inline status_t context_check_session(const struct context *context)
{
    bool usable = !context->exported && context->ntlm.stage == NTLM_STAGE_ESTABLISHED;
    return usable ? SEC_E_OK : SEC_E_INVALID_HANDLE;
}

SpInitLsaModeContextFn context_initiate;
SpAcceptLsaModeContextFn context_accept;

/* ---- client.c, server.c ---- */

/* One call of InitializeSecurityContext or AcceptSecurityContext. */
struct leg {
    UNICODE_STRING *target;
    ULONG requirements;
    const SecBufferDesc *input, *output;
    struct writer token; /* what the leg sends; as large as the application's buffer */
};

/* The first legs create a context, the others advance it; a failed leg changes nothing. */
status_t client_start(struct leg *leg, struct credential *credential, struct context **out);
status_t client_finish(struct leg *leg, struct credential *credential, struct context *context);
status_t server_start(struct leg *leg, struct credential *credential, struct context **out);
status_t server_finish(struct leg *leg, struct context *context);

/* The channel bindings that the application gave for this leg, if it did. */
status_t bindings_read(const struct leg *leg, struct bindings *out);

/* ---- attrs.c, message.c, export.c, token.c ---- */

SpQueryContextAttributesFn context_query;

SpMakeSignatureFn message_sign;
SpVerifySignatureFn message_verify;
SpSealMessageFn message_seal;
SpUnsealMessageFn message_unseal;

SpExportSecurityContextFn context_export;
SpImportSecurityContextFn context_import;

/* The token of the authenticated client; the context keeps it. The caller holds a lock. */
status_t context_token(struct context *context, HANDLE *out);
SpGetContextTokenFn context_get_token;
