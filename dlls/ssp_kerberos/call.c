/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages to Kerberos (LsaCallAuthenticationPackage; ntsecapi.h declares them). The tickets of
 * this process's user are those of the host's default cache; those of a log-on that this package
 * has made are its own, and for trusted callers.
 *
 * Not answered are messages about what is not kept here (smart cards, extra credentials, proxies
 * and choices of KDCs, which are the host's to configure), and those that Microsoft calls reserved.
 */
#include "logon.h"

#include "core/utf16.h"
#include "ssp/foreign.h"
#include "ssp/trace.h"

TRACE_CHANNEL("kerberos");

/* What has no NTSTATUS of its own stays what it is. */
NTSTATUS protocol_status(status_t status)
{
    switch (status) {
    case SEC_E_OK: return STATUS_SUCCESS;
    case SEC_E_INSUFFICIENT_MEMORY: return STATUS_NO_MEMORY;
    case SEC_E_INVALID_PARAMETER: return STATUS_INVALID_PARAMETER;
    case SEC_E_LOGON_DENIED: return STATUS_LOGON_FAILURE;
    case SEC_E_UNKNOWN_CREDENTIALS: return STATUS_LOGON_FAILURE;
    case SEC_E_NO_AUTHENTICATING_AUTHORITY: return STATUS_NO_LOGON_SERVERS;
    case SEC_E_TARGET_UNKNOWN: return STATUS_NO_TRUST_SAM_ACCOUNT;
    case SEC_E_TIME_SKEW: return STATUS_TIME_DIFFERENCE_AT_DC;
    case SEC_E_KDC_UNKNOWN_ETYPE: return STATUS_KDC_UNKNOWN_ETYPE;
    case SEC_E_UNSUPPORTED_FUNCTION: return STATUS_NOT_SUPPORTED;
    case SEC_E_SECPKG_NOT_FOUND: return STATUS_NOT_SUPPORTED;
    case SEC_E_INTERNAL_ERROR: return STATUS_INTERNAL_ERROR;
    default: return status;
    }
}

/* ---- whose tickets ---- */

/* Of a log-on: *credential is held, and NULL for this process's own. denied is what a caller is
 * told who would have to be trusted. */
static NTSTATUS session_find(const struct call *call, const struct kerb_session *session,
                             NTSTATUS denied, struct credential **credential, uint64_t *library)
{
    LUID id = {session->low, (LONG)session->high};
    *credential = NULL;
    *library = 0;
    if (process_logon_is(&id)) return foreign_caller() ? denied : STATUS_SUCCESS;
    if (!call->trusted) return denied;
    *credential = session_credential(&id);
    if (!*credential) return STATUS_NO_SUCH_LOGON_SESSION;
    status_t status = credential_library(*credential, CALL_USE_INITIATE, library);
    if (status_ok(status)) return STATUS_SUCCESS;
    credential_release(*credential);
    *credential = NULL;
    return protocol_status(status);
}

/* ---- what there is ---- */

static NTSTATUS query(struct call *call, bool *read)
{
    struct kerb_session session;
    struct credential *credential;
    struct blob records;
    uint64_t library;
    uint32_t count;
    if (!status_ok(kerb_session_decode(&call->in, &session))) return call_unreadable(read);
    NTSTATUS status = session_find(call, &session, STATUS_PRIVILEGE_NOT_HELD, &credential,
                                   &library);
    if (status < 0) return status;
    status = protocol_status(tickets_read(library, &records, &count));
    if (status >= 0)
        status = answer_tickets(call->request, call->kind, &records, count, &call->out,
                                &call->out_size);
    blob_clear(&records);
    credential_release(credential);
    return status;
}

/* ---- one ticket ---- */

/* AllowTgtSessionKey (REG_DWORD, Lsa\Kerberos\Parameters): without it only trusted callers get the
 * key of a ticket-granting ticket, and the others zeros. */
static bool key_allowed(const struct call *call, const struct kerberos_ticket *ticket)
{
    static const uint8_t granting[] = {6, 0, 'k', 'r', 'b', 't', 'g', 't'};
    bool grants = ticket->server.parts.size >= sizeof(granting) &&
                  !memcmp(ticket->server.parts.data, granting, sizeof(granting));
    DWORD value = 0, size = sizeof(value);
    if (!grants || call->trusted) return true;
    LSTATUS error = RegGetValueW(HKEY_LOCAL_MACHINE,
                                 L"SYSTEM\\CurrentControlSet\\Control\\Lsa\\Kerberos\\Parameters",
                                 L"AllowTgtSessionKey", RRF_RT_REG_DWORD, NULL, &value, &size);
    return !error && value;
}

static NTSTATUS give_ticket(struct call *call, const struct blob *record, bool as_cred)
{
    static const uint8_t zeros[CALL_KEY_MAX];
    struct kerberos_ticket ticket;
    struct reader r;
    reader_init(&r, record->data, record->size);
    if (!kerberos_ticket_read(&r, &ticket) || ticket.key.size > sizeof(zeros))
        return STATUS_INTERNAL_ERROR;
    if (!key_allowed(call, &ticket)) ticket.key.data = zeros;
    return answer_ticket(call->request, &ticket, as_cred, &call->out, &call->out_size);
}

static NTSTATUS find_and_give(struct call *call, const struct kerb_session *session,
                              NTSTATUS denied, struct slice target,
                              const struct kerb_retrieve *request)
{
    struct credential *credential;
    struct blob record = {NULL, 0};
    uint64_t library;
    uint32_t flags = 0;
    NTSTATUS status = session_find(call, session, denied, &credential, &library);
    if (status < 0) return status;
    if (request->options & KERB_RETRIEVE_TICKET_USE_CACHE_ONLY) flags |= CALL_RETRIEVE_CACHED;
    /* A ticket of certain flags is not to be found among those that are kept. */
    else if (request->options & KERB_RETRIEVE_TICKET_DONT_USE_CACHE || request->ticket_flags)
        flags |= CALL_RETRIEVE_FRESH;
    status = protocol_status(
        ticket_get(library, target, flags, (uint32_t)request->enctype, &record));
    if (status >= 0)
        status = give_ticket(call, &record, request->options & KERB_RETRIEVE_TICKET_AS_KERB_CRED);
    blob_clear(&record);
    credential_release(credential);
    return status;
}

static NTSTATUS retrieve_granting(struct call *call, bool *read)
{
    struct kerb_retrieve request = {.options = KERB_RETRIEVE_TICKET_USE_CACHE_ONLY};
    if (!status_ok(kerb_session_decode(&call->in, &request.session))) return call_unreadable(read);
    return find_and_give(call, &request.session, STATUS_PRIVILEGE_NOT_HELD, (struct slice){NULL, 0},
                         &request);
}

#define OPTIONS_KNOWN                                                            \
    (KERB_RETRIEVE_TICKET_DONT_USE_CACHE | KERB_RETRIEVE_TICKET_USE_CACHE_ONLY | \
     KERB_RETRIEVE_TICKET_USE_CREDHANDLE | KERB_RETRIEVE_TICKET_AS_KERB_CRED |   \
     KERB_RETRIEVE_TICKET_WITH_SEC_CRED | KERB_RETRIEVE_TICKET_CACHE_TICKET |    \
     KERB_RETRIEVE_TICKET_MAX_LIFETIME)

/* An application's handle means nothing to a package: only the host knows it. */
static NTSTATUS options_check(uint32_t options)
{
    const uint32_t only = KERB_RETRIEVE_TICKET_USE_CACHE_ONLY;
    const uint32_t without = KERB_RETRIEVE_TICKET_DONT_USE_CACHE;
    const uint32_t keep = KERB_RETRIEVE_TICKET_CACHE_TICKET;
    if (options & ~(uint32_t)OPTIONS_KNOWN) return STATUS_INVALID_PARAMETER;
    if (options & without && options & (only | keep)) return STATUS_INVALID_PARAMETER;
    if (options & (KERB_RETRIEVE_TICKET_USE_CREDHANDLE | KERB_RETRIEVE_TICKET_WITH_SEC_CRED))
        return STATUS_NOT_SUPPORTED;
    return STATUS_SUCCESS;
}

/* The realms of ticket-granting services are no hosts; krbtgt alone is that of the client's. */
static status_t target_read(struct slice text, struct blob *out)
{
    static const wchar_t granting[] = L"krbtgt/";
    const struct slice whole = {(const uint8_t *)granting, sizeof(granting) - sizeof(*granting)};
    const struct slice alone = {whole.data, whole.size - sizeof(*granting)};
    if (utf16_equal_ascii_case(text, alone)) return SEC_E_OK;
    bool grants = text.size > whole.size &&
                  utf16_equal_ascii_case((struct slice){text.data, whole.size}, whole);
    return grants ? utf8_make(text, out) : target_principal(text, out);
}

static NTSTATUS retrieve(struct call *call, bool *read)
{
    struct kerb_retrieve request;
    struct blob target = {NULL, 0};
    if (!status_ok(kerb_retrieve_decode(&call->in, &request))) return call_unreadable(read);
    if (!request.target.size) return STATUS_INVALID_PARAMETER;
    NTSTATUS status = options_check(request.options);
    if (status >= 0) status = protocol_status(target_read(request.target, &target));
    if (status >= 0)
        status = find_and_give(call, &request.session, STATUS_ACCESS_DENIED, blob_slice(&target),
                               &request);
    blob_clear(&target);
    return status;
}

/* ---- tickets that come and go ---- */

static NTSTATUS submit(struct call *call, bool *read)
{
    struct kerb_submit request;
    struct credential *credential;
    struct kerberos_call_ticket_submit library = {.credential = 0};
    if (!status_ok(kerb_submit_decode(&call->in, &request))) return call_unreadable(read);
    NTSTATUS status = session_find(call, &request.session, STATUS_ACCESS_DENIED, &credential,
                                   &library.credential);
    if (status < 0) return status;
    library.message = unixcall_slice(request.message);
    if (request.key.size) {
        library.key = unixcall_slice(request.key);
        library.key_enctype = (uint32_t)request.key_enctype;
    }
    status = protocol_status(library_call(KERBEROS_CALL_TICKET_SUBMIT, &library));
    library.why[sizeof(library.why) - 1] = 0;
    TRACE("%s\n", library.why);
    credential_release(credential);
    return status;
}

static NTSTATUS remove_tickets(const struct call *call, const struct kerb_purge *request, bool all)
{
    struct kerberos_call_tickets_purge library = {.credential = 0};
    struct credential *credential;
    struct blob server = {NULL, 0}, realm = {NULL, 0};
    NTSTATUS status = session_find(call, &request->session, STATUS_ACCESS_DENIED, &credential,
                                   &library.credential);
    if (status < 0) return status;
    if (!all) {
        status = protocol_status(utf8_make(request->server, &server));
        if (status >= 0) status = protocol_status(utf8_make(request->realm, &realm));
        library.server = unixcall_slice(blob_slice(&server));
        library.realm = unixcall_slice(blob_slice(&realm));
    }
    if (status >= 0) status = protocol_status(library_call(KERBEROS_CALL_TICKETS_PURGE, &library));
    library.why[sizeof(library.why) - 1] = 0;
    TRACE("%u tickets %s\n", (unsigned)library.count, library.why);
    if (status >= 0 && !library.count) status = SEC_E_NO_CREDENTIALS;
    blob_clear(&server);
    blob_clear(&realm);
    credential_release(credential);
    return status;
}

static NTSTATUS purge(struct call *call, bool *read)
{
    struct kerb_purge request;
    if (!status_ok(kerb_purge_decode(&call->in, &request))) return call_unreadable(read);
    return remove_tickets(call, &request, !request.server.size && !request.realm.size);
}

/* All tickets of a cache have the one client. */
static NTSTATUS purge_ex(struct call *call, bool *read)
{
    struct kerb_purge request;
    if (!status_ok(kerb_purge_ex_decode(&call->in, &request))) return call_unreadable(read);
    if (request.flags & ~(uint32_t)KERB_PURGE_ALL_TICKETS) return STATUS_INVALID_PARAMETER;
    bool all = request.flags & KERB_PURGE_ALL_TICKETS;
    if (!all && !request.server.size && !request.realm.size) return STATUS_INVALID_PARAMETER;
    return remove_tickets(call, &request, all);
}

/* ---- passwords ---- */

static NTSTATUS change_password(struct call *call, bool *read)
{
    struct lsa_password_change change;
    struct password_answer answer;
    if (!status_ok(lsa_password_change_decode(&call->in, &change))) return call_unreadable(read);
    return password_change(&change, &answer);
}

/* By the right of a log-on: the caller's own, or with KERB_SETPASS_USE_LOGONID another. */
static NTSTATUS set_password(struct call *call, const struct kerb_password_set *request)
{
    const struct kerb_session own = {0, 0};
    bool named = request->flags & KERB_SETPASS_USE_LOGONID;
    struct credential *credential;
    uint64_t library;
    if (request->flags & ~(uint32_t)(KERB_SETPASS_USE_LOGONID | KERB_SETPASS_USE_CREDHANDLE))
        return STATUS_INVALID_PARAMETER;
    if (request->flags & KERB_SETPASS_USE_CREDHANDLE) return STATUS_NOT_SUPPORTED;
    if (request->client.size || request->client_realm.size) return STATUS_NOT_SUPPORTED;
    NTSTATUS status = session_find(call, named ? &request->session : &own, STATUS_ACCESS_DENIED,
                                   &credential, &library);
    if (status >= 0) status = password_set(credential, request);
    credential_release(credential);
    return status;
}

static NTSTATUS set_password_first(struct call *call, bool *read)
{
    struct kerb_password_set request;
    if (!status_ok(kerb_password_set_decode(&call->in, &request))) return call_unreadable(read);
    return set_password(call, &request);
}

static NTSTATUS set_password_ex(struct call *call, bool *read)
{
    struct kerb_password_set request;
    if (!status_ok(kerb_password_set_ex_decode(&call->in, &request))) return call_unreadable(read);
    return set_password(call, &request);
}

/* ---- all ---- */

static call_answer *const answers[] = {
    [KerbQueryTicketCacheMessage] = query,
    [KerbRetrieveTicketMessage] = retrieve_granting,
    [KerbPurgeTicketCacheMessage] = purge,
    [KerbChangePasswordMessage] = change_password,
    [KerbRetrieveEncodedTicketMessage] = retrieve,
    [KerbSetPasswordMessage] = set_password_first,
    [KerbSetPasswordExMessage] = set_password_ex,
    [KerbQueryTicketCacheExMessage] = query,
    [KerbPurgeTicketCacheExMessage] = purge_ex,
    [KerbQueryTicketCacheEx2Message] = query,
    [KerbSubmitTicketMessage] = submit,
    [KerbQueryTicketCacheEx3Message] = query,
};
#define KINDS 39u /* of KERB_PROTOCOL_MESSAGE_TYPE, as Microsoft's page has it */

NTSTATUS call_run(struct call *call, NTSTATUS *protocol)
{
    uint32_t kind;
    bool read = true;
    if (!lsa_buffer_kind(&call->in, &kind) || kind >= KINDS) return STATUS_INVALID_PARAMETER;
    if (kind >= ARRAYSIZE(answers) || !answers[kind]) return STATUS_NOT_SUPPORTED;
    call->kind = kind;
    NTSTATUS status = answers[kind](call, &read);
    TRACE("message %u: status %#lx\n", (unsigned)kind, (ULONG)status);
    if (!read) return status;
    *protocol = status;
    return STATUS_SUCCESS;
}
