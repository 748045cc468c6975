/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages of NTLM made by the test itself, see ntlm_peer.h. */
#include "ntlm_peer.h"

#include "core/ntlm.h"

#include <stdlib.h>

struct peer_session {
    struct ntlm_session ntlm;
};

struct peer_session *peer_session_create(CtxtHandle *ntlm, bool server, struct slice authenticate)
{
    struct ntlm_authenticate message;
    SecPkgContext_SessionKey key;
    if (ntlm_authenticate_decode(authenticate, &message) != SEC_E_OK) return NULL;
    if (QueryContextAttributesW(ntlm, SECPKG_ATTR_SESSION_KEY, &key)) return NULL;
    struct peer_session *made = key.SessionKeyLength == 16 ? calloc(1, sizeof(*made)) : NULL;
    if (made && ntlm_session_init(&made->ntlm, message.flags, key.SessionKey, !server)) {
        free(made);
        made = NULL;
    }
    FreeContextBuffer(key.SessionKey);
    return made;
}

void peer_session_free(struct peer_session *session)
{
    if (session) ntlm_session_clear(&session->ntlm);
    free(session);
}

bool peer_mic_make(struct peer_session *session, struct slice mech_list, uint8_t mic[16])
{
    const struct message_part part = {(uint8_t *)mech_list.data, mech_list.size, false};
    if (ntlm_sign(&session->ntlm, 0, &part, 1, mic) != SEC_E_OK) return false;
    ntlm_session_restart_stream(&session->ntlm, true);
    return true;
}

bool peer_mic_check(struct peer_session *session, struct slice mech_list, struct slice mic)
{
    const struct message_part part = {(uint8_t *)mech_list.data, mech_list.size, false};
    if (mic.size != 16) return false;
    if (ntlm_verify(&session->ntlm, 0, &part, 1, mic.data) != SEC_E_OK) return false;
    ntlm_session_restart_stream(&session->ntlm, false);
    return true;
}

bool peer_seal(struct peer_session *session, void *data, size_t size, uint8_t signature[16])
{
    struct message_part part = {data, size, true};
    return ntlm_seal(&session->ntlm, 0, &part, 1, signature) == SEC_E_OK;
}

bool peer_unseal(struct peer_session *session, void *data, size_t size, const uint8_t signature[16])
{
    struct message_part part = {data, size, true};
    return ntlm_unseal(&session->ntlm, 0, &part, 1, signature) == SEC_E_OK;
}
