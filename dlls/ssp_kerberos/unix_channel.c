/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a client says of its channel, in the authenticator of its first token: the digest of channel
 * bindings (RFC 4121 4.1.1), and that it knows of them although it has none (KERB_AP_OPTIONS_CBT,
 * MS-KILE 3.2.5.8 and 3.4.5). GSS-API compares bindings and tells no more than whether they are the
 * same, so that MIT's libkrb5 reads the token once more. Heimdal's has nothing for that: of such a
 * client nothing is told.
 */
#include "unix.h"

#include "core/kerberos_user.h"
#include "core/reader.h"

#include <string.h>

#define OPTIONS_CBT 0x4000u /* MS-KILE 2.2.5 */

static krb5_error_code aware_read(krb5_context library, const krb5_authenticator *authenticator,
                                  bool *aware)
{
    krb5_authdata **found = NULL;
    uint32_t options = 0;
    krb5_error_code error = krb5.find_authdata(library, NULL, authenticator->authorization_data,
                                               KRB5_AUTHDATA_AP_OPTIONS, &found);
    if (error) return error;
    for (size_t i = 0; found && found[i]; i++) {
        struct reader r;
        reader_init(&r, found[i]->contents, found[i]->length);
        uint32_t part = reader_u32le(&r);
        if (reader_ok(&r)) options |= part;
    }
    krb5.free_authdata(library, found);
    *aware = options & OPTIONS_CBT;
    return 0;
}

void channel_keep(struct context *context, krb5_context library,
                  const krb5_authenticator *authenticator)
{
    struct kerberos_user_checksum checksum = {0};
    const krb5_checksum *sum = authenticator->checksum;
    bool aware;
    if (aware_read(library, authenticator, &aware)) return;
    /* SMB's clients of other makers have a checksum of another kind, without a channel. */
    if (sum && (uint16_t)sum->checksum_type == KERBEROS_CHECKSUM) {
        struct slice bytes = {sum->contents, sum->length};
        if (!status_ok(kerberos_user_checksum_read(bytes, &checksum))) return;
    }
    memcpy(context->channel, checksum.bindings, sizeof(context->channel));
    context->channel_told = CALL_CHANNEL_TOLD | (aware ? CALL_CHANNEL_AWARE : 0);
}

void channel_read(struct context *context, struct slice request)
{
    krb5_context library;
    krb5_auth_context auth = NULL;
    krb5_authenticator *authenticator = NULL;
    krb5_data data = data_of(request);
    if (!krb5_found || krb5.init_context(&library)) return;
    krb5_error_code error = krb5.auth_con_init(library, &auth);
    /* Without DO_TIME it does not look for replays, of which this is one. */
    if (!error) error = krb5.auth_con_setflags(library, auth, 0);
    if (!error) error = krb5.rd_req(library, &auth, &data, NULL, NULL, NULL, NULL);
    if (!error) error = krb5.auth_con_getauthenticator(library, auth, &authenticator);
    if (!error) channel_keep(context, library, authenticator);
    if (authenticator) krb5.free_authenticator(library, authenticator);
    if (auth) krb5.auth_con_free(library, auth);
    krb5.free_context(library);
}
