#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The Sasl functions against Cyrus SASL on loopback: its mechanism GSS-SPNEGO with MIT's SPNEGO and
# gss-ntlmssp, as client and as server, without a security layer, with integrity and with privacy.

name=interop_sasl
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
ours=$BUILD/x86_64-windows/interop_sasl.exe
peer=$BUILD/interop_cyrus_peer
user=$domain\\alice
password='Grün, with spaces'
rounds=40
few=6
[ -x "$peer" ] || skip_all "Cyrus SASL at build time (Debian package libsasl2-dev)"
plugin=
for file in /usr/lib/*/sasl2/libgssapiv2.so /usr/lib*/sasl2/libgssapiv2.so; do
    [ -e "$file" ] && plugin=$file
done
[ "$plugin" ] ||
    skip_all "the mechanism GSS-SPNEGO of Cyrus SASL (Debian package libsasl2-modules-gssapi-mit)"
find_gss_ntlmssp || skip_all "$no_gss_ntlmssp"
set_gss_ntlmssp alice "$password"
# No key table but the test's own, which has no key.
export KRB5_KTNAME="FILE:$work/no-keys"

client_user=$user
given=$password
add_account "$user" "$password"

ok="ok after $rounds rounds"
closed="connection closed"
base="--package Negotiate --rounds $rounds"
for layer in privacy integrity none; do
    with="$base --layer $layer"
    check "client, $layer" peer ours "$ok" "$ok" "$with" "$with"
    # For a client without a layer, Cyrus asks gss-ntlmssp for what it does not have.
    [ $layer = none ] || check "server, $layer" ours peer "$ok" "$ok" "$with" "$with"
done

given=wrong
with="--package Negotiate"
check "client, wrong password" peer ours "accept SASL_*" "*" "$with" "$with"
check "server, wrong password" ours peer "accept SEC_E_LOGON_DENIED" "$closed" "$with" "$with"
given=$password

# The last message changed on the way.
for layer in privacy integrity; do
    plain="--package Negotiate --rounds $few --layer $layer"
    for what in ciphertext checksum sequence replay; do
        tamper="$plain --tamper $what"
        check "client sends changed $what, $layer" peer ours "unseal SASL_*" "$closed" "$plain" \
            "$tamper"
        check "client gets changed $what, $layer" peer ours "*" "unseal SEC_E_MESSAGE_ALTERED" \
            "$tamper" "$plain"
        check "server sends changed $what, $layer" ours peer "*" "unseal SASL_*" "$tamper" "$plain"
        check "server gets changed $what, $layer" ours peer "unseal SEC_E_MESSAGE_ALTERED" \
            "$closed" "$plain" "$tamper"
    done
done
finish
