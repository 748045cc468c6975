/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Saved credentials: those that the user has put into the credential manager for a server, which
 * stand in for default credentials there (documentation of CREDENTIAL). NTLM uses credentials of
 * type CRED_TYPE_DOMAIN_PASSWORD and no others; generic ones belong to the applications that
 * wrote them. Of several the most specific one counts: the host itself, *.suffix from the longest
 * to the shortest, the one for this session, the one for every server.
 *
 * Only the target that the application named is looked for. What a server says of itself in its
 * challenge is no evidence, and must not choose the password it gets a response for. Omitted for
 * that reason: credentials for the members of a domain (DOMAIN\*); and aliases of targets.
 *
 * An application may also refer to a saved credential by a user name that CredMarshalCredential
 * has made of its name.
 */
#include "ntlm_package.h"

#include "core/secret.h"
#include "ssp/trace.h"

#include <string.h>
#include <wchar.h>

TRACE_CHANNEL("ntlm");

static struct slice string_slice(const wchar_t *text)
{
    return text ? text_slice(text, wcslen(text)) : (struct slice){NULL, 0};
}

/* The answer of a search: found says whether there is a credential, status whether it is of use. */
struct answer {
    bool found;
    status_t status;
};

/* The documentation has an attempt fail whose credential asks for a prompt first. */
static status_t credential_use(const CREDENTIALW *saved, struct identity *out)
{
    struct authdata given = {
        .user = string_slice(saved->UserName),
        .password = {saved->CredentialBlob, saved->CredentialBlobSize},
    };
    if (saved->Flags & CRED_FLAGS_PROMPT_NOW || !given.user.size) return SEC_E_NO_CREDENTIALS;
    status_t status = identity_set(&given, out);
    if (status_ok(status)) out->is_saved = true;
    return status;
}

static struct answer saved_read(const wchar_t *name, bool session_only, struct identity *out)
{
    struct answer answer = {false, SEC_E_NO_CREDENTIALS};
    CREDENTIALW *saved;
    char text[TRACE_TEXT_MAX];
    if (!CredReadW(name, CRED_TYPE_DOMAIN_PASSWORD, 0, &saved)) return answer;
    answer.found = !session_only || saved->Persist == CRED_PERSIST_SESSION;
    if (answer.found) answer.status = credential_use(saved, out);
    TRACE("saved for %s: status %#lx\n", trace_wide(text, name, -1), (ULONG)answer.status);
    if (saved->CredentialBlob) secret_wipe(saved->CredentialBlob, saved->CredentialBlobSize);
    CredFree(saved);
    return answer;
}

/* Addresses have no suffixes. */
static bool has_suffixes(const struct name *host)
{
    return !wcschr(host->text, ':') && wcsspn(host->text, L"0123456789.") != host->length;
}

static struct answer saved_for_suffixes(const struct name *host, struct identity *out)
{
    struct answer answer = {false, SEC_E_NO_CREDENTIALS};
    wchar_t name[NAME_CHARS + 2] = L"*";
    const wchar_t *dot = has_suffixes(host) ? wcschr(host->text, '.') : NULL;
    for (; dot && !answer.found; dot = wcschr(dot + 1, '.')) {
        wcscpy(name + 1, dot);
        answer = saved_read(name, false, out);
    }
    return answer;
}

status_t saved_for_target(struct slice target, struct identity *out)
{
    struct answer answer = {false, SEC_E_NO_CREDENTIALS};
    struct name host;
    if (target_host_name(target, &host)) {
        answer = saved_read(host.text, false, out);
        if (!answer.found) answer = saved_for_suffixes(&host, out);
    }
    if (!answer.found) answer = saved_read(CRED_SESSION_WILDCARD_NAME_W, true, out);
    if (!answer.found) answer = saved_read(L"*", false, out);
    return answer.status;
}

bool saved_is_reference(const struct name *user)
{
    return user->text[0] == '@' && user->text[1] == '@' && CredIsMarshaledCredentialW(user->text);
}

/* A reference to a certificate is of no use to NTLM. */
status_t saved_for_reference(const struct name *user, struct identity *out)
{
    CRED_MARSHAL_TYPE type;
    void *reference;
    if (!CredUnmarshalCredentialW(user->text, &type, &reference)) return SEC_E_UNKNOWN_CREDENTIALS;
    status_t status = SEC_E_UNKNOWN_CREDENTIALS;
    if (type == UsernameTargetCredential) {
        const USERNAME_TARGET_CREDENTIAL_INFO *named = reference;
        status = saved_read(named->UserName, false, out).status;
    }
    CredFree(reference);
    return status;
}
