#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# NTLM of this project against the GSS-API mechanism gss-ntlmssp on loopback: as client and as
# server, with signing and sealing both ways, with the context staying where it is and with the
# context moving to another process and back, and with everything that must be refused.

name=interop_gss_ntlmssp
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
peer=$BUILD/interop_gss_peer
user=$domain\\alice
other=$domain\\jürgen
password='Grün, with spaces'
rounds=60
few=6

use_gss_ntlmssp

client_user=$user
given=$password
add_account "$user" "$password"
add_account "$other" "$password"

ok="ok after $rounds rounds"
closed="connection closed"
for moves in "" "--move" "--move-after-leg 1" "--move --move-after-leg 1"; do
    title=${moves:-in one process}
    check "client, $title" peer ours "$ok" "$ok" "--rounds $rounds" "--rounds $rounds $moves"
    check "server, $title" ours peer "$ok" "$ok" "--rounds $rounds $moves" "--rounds $rounds"
done

# The user's name goes into the keys in capitals, the domain as it is written. (As a server, the
# peer does not find a name with other than ASCII letters, not even for its own client.)
for client_user in "$domain\\Alice" "$other" "$domain\\JÜRGEN"; do
    check "server, as $client_user" ours peer "$ok" "$ok" "--rounds $rounds" "--rounds $rounds"
done
client_user=$domain\\Alice
check "client, as $client_user" peer ours "$ok" "$ok" "--rounds $rounds" "--rounds $rounds"
client_user=$user

# The successor is the program of the other width, where such programs run at all.
width=32 successor=$BUILD/i386-windows/interop_sspi.exe
[ "$ARCH" = x86_64 ] || width=64 successor=$BUILD/x86_64-windows/interop_sspi.exe
if [ -e "$successor" ] && "$WINE" "$successor" --help 2>&1 | grep -q '^usage:'; then
    moves="--move --move-after-leg 1 --successor $("$WINE" winepath -w "$successor" | tr -d '\r')"
    check "client, moving to $width bit" peer ours "$ok" "$ok" "--rounds $rounds" \
        "--rounds $rounds $moves"
    check "server, moving to $width bit" ours peer "$ok" "$ok" "--rounds $rounds $moves" \
        "--rounds $rounds"
else
    skip_cases 2 "moving to $width bit: Wine for both widths (Debian packages wine64, wine32:i386)"
fi

given=wrong
check "client, wrong password" peer ours "accept GSS_S_FAILURE" "$closed" "" ""
check "server, wrong password" ours peer "accept SEC_E_LOGON_DENIED" "$closed" "" ""
check "server, wrong password after a move" ours peer "successor: accept SEC_E_LOGON_DENIED" \
    "$closed" "--move-after-leg 1" ""
given=$password
client_user=$domain\\nobody
check "client, unknown user" peer ours "accept GSS_S_FAILURE" "$closed" "" ""
check "server, unknown user" ours peer "accept SEC_E_LOGON_DENIED" "$closed" "" ""
client_user=$user

# What the peer may still do by its level of compatibility: 1 is NTLMv1, 5 is nothing but NTLMv2.
export LM_COMPAT_LEVEL=1
check "server, NTLMv1" ours peer "accept SEC_E_LOGON_DENIED" "$closed" "" ""
LM_COMPAT_LEVEL=5
check "client, only NTLMv2" peer ours "$ok" "$ok" "--rounds $rounds" "--rounds $rounds"
check "server, only NTLMv2" ours peer "$ok" "$ok" "--rounds $rounds" "--rounds $rounds"
unset LM_COMPAT_LEVEL

# Channel bindings, which the peer makes and compares too. It lets a client without any in.
one="--bindings tls-server-end-point:one" two="--bindings tls-server-end-point:two"
check "client, the same channel" peer ours "$ok" "$ok" "--rounds $rounds $one" \
    "--rounds $rounds $one"
check "server, the same channel" ours peer "$ok" "$ok" "--rounds $rounds $one" \
    "--rounds $rounds $one"
check "server, the same channel after a move" ours peer "$ok" "$ok" \
    "--rounds $rounds $one --move-after-leg 1" "--rounds $rounds $one"
check "client, another channel" peer ours "accept GSS_S_DEFECTIVE_TOKEN" "$closed" "$one" "$two"
check "client, no channel" peer ours "$ok" "$ok" "--rounds $rounds $one" "--rounds $rounds"
check "server, another channel" ours peer "accept SEC_E_BAD_BINDINGS" "$closed" "$one" "$two"
check "server, no channel" ours peer "accept SEC_E_BAD_BINDINGS" "$closed" "$one" ""

# A handshake message changed on the way: the third one carries a code over all three.
for message in negotiate authenticate; do
    check "client, changed $message" peer ours "accept GSS_S_DEFECTIVE_TOKEN" "$closed" "" \
        "--tamper $message"
    check "client, changed $message after a move" peer ours "accept GSS_S_DEFECTIVE_TOKEN" \
        "$closed" "" "--tamper $message --move-after-leg 1"
done
check "client, changed challenge" peer ours "accept GSS_S_DEFECTIVE_TOKEN" "$closed" \
    "--tamper challenge" ""
check "server, changed authenticate" ours peer "accept SEC_E_LOGON_DENIED" "$closed" "" \
    "--tamper authenticate"

# The last message changed on the way, in each direction, before and after moves.
for what in ciphertext checksum sequence replay text; do
    step=unseal
    [ $what = text ] && step=verify
    tamper="--rounds $few --tamper $what"
    refused="$step SEC_E_MESSAGE_ALTERED"
    for move in "" "--move"; do
        plain="--rounds $few"
        check "client sends changed $what $move" peer ours "$step GSS_S_BAD_SIG" "$closed" \
            "$plain" "$tamper $move"
        check "client gets changed $what $move" peer ours "*" "$refused" \
            "$tamper" "$plain $move"
        check "server sends changed $what $move" ours peer "*" "$step GSS_S_BAD_SIG" \
            "$tamper $move" "$plain"
        check "server gets changed $what $move" ours peer "$refused" "$closed" \
            "$plain $move" "$tamper"
    done
done
finish
