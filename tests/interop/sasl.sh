#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The Sasl functions against Cyrus SASL on loopback: its mechanism GSS-SPNEGO with MIT's SPNEGO and
# gss-ntlmssp, as client and as server, and its server of GSSAPI; without a security layer, with
# integrity and with privacy.

name=interop_sasl
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
user=$domain\\alice
password='Grün, with spaces'
rounds=40
few=6
use_cyrus GSS-SPNEGO
find_gss_ntlmssp || skip_all "$no_gss_ntlmssp"
set_gss_ntlmssp alice "$password"
# No key table but the test's own, which has no key.
export KRB5_KTNAME="FILE:$work/no-keys"

client_user=$user
given=$password
add_account "$user" "$password"

ok="ok after $rounds rounds"
closed="connection closed"
at_peer="--package GSS-SPNEGO --rounds $rounds"
at_ours="--package Negotiate --rounds $rounds"
for layer in privacy integrity none; do
    with="--layer $layer"
    check "client, $layer" peer ours "$ok" "$ok" "$at_peer $with" "$at_ours $with"
    # For a client without a layer, Cyrus asks gss-ntlmssp for what it does not have.
    [ $layer = none ] ||
        check "server, $layer" ours peer "$ok" "$ok" "$at_ours $with" "$at_peer $with"
done

given=wrong
check "client, wrong password" peer ours "accept SASL_*" "*" "$at_peer" "$at_ours"
check "server, wrong password" ours peer "accept SEC_E_LOGON_DENIED" "$closed" "$at_ours" "$at_peer"
given=$password

# The last message changed on the way.
for layer in privacy integrity; do
    at_peer="--package GSS-SPNEGO --rounds $few --layer $layer"
    at_ours="--package Negotiate --rounds $few --layer $layer"
    for what in ciphertext checksum sequence replay; do
        with="--tamper $what"
        check "client sends changed $what, $layer" peer ours "unseal SASL_*" "$closed" \
            "$at_peer" "$at_ours $with"
        check "client gets changed $what, $layer" peer ours "*" "unseal SEC_E_MESSAGE_ALTERED" \
            "$at_peer $with" "$at_ours"
        check "server sends changed $what, $layer" ours peer "*" "unseal SASL_*" \
            "$at_ours $with" "$at_peer"
        check "server gets changed $what, $layer" ours peer "unseal SEC_E_MESSAGE_ALTERED" \
            "$closed" "$at_ours" "$at_peer $with"
    done
done

# GSSAPI, whose last two messages agree on the layer. The server takes NTLM in it, the client of
# Cyrus would take Kerberos only.
profiles='HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SaslProfiles'
if $limit "$WINE" reg add "$profiles" /f /v GSSAPI /d NTLM >"$work/registry" 2>&1 </dev/null; then
    at_peer="--package GSSAPI --rounds $rounds"
    at_ours="--package NTLM --rounds $rounds"
    for layer in privacy integrity none; do
        with="--layer $layer"
        check "GSSAPI, $layer" peer ours "$ok" "$ok" "$at_peer $with" "$at_ours $with"
    done
    check "GSSAPI, the server wants more" peer ours "*" "initiate SEC_E_QOP_NOT_SUPPORTED" \
        "$at_peer --layer privacy" "$at_ours --layer none"
    check "GSSAPI, the client wants more" peer ours "*" "initiate SEC_E_QOP_NOT_SUPPORTED" \
        "$at_peer --layer none" "$at_ours --layer privacy"
    $limit "$WINE" reg delete "$profiles" /f >"$work/registry" 2>&1 </dev/null
else
    fail_case "setting the profiles" "$work/registry"
fi
finish
