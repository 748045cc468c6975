#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Negotiate of this project against MIT's SPNEGO with gss-ntlmssp inside on loopback: as client and
# as server, with signing and sealing both ways, with the context staying where it is and moving
# to another process and back, and with everything that must be refused.

name=interop_gss_spnego
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
peer=$BUILD/interop_gss_peer
user=$domain\\alice
password='Grün, with spaces'
rounds=60
few=6
use_gss_ntlmssp

client_user=$user
given=$password
add_account "$user" "$password"

both="--package Negotiate --rounds $rounds"
ok="ok after $rounds rounds"
closed="connection closed"
# The client's second leg sends AUTHENTICATE and leaves the server's last token to be verified.
for moves in "" "--move" "--move-after-leg 1" "--move --move-after-leg 1" "--move-after-leg 2" \
    "--move --move-after-leg 2"; do
    check "client, ${moves:-in one process}" peer ours "$ok" "$ok" "$both" "$both $moves"
done
for moves in "" "--move" "--move-after-leg 1" "--move --move-after-leg 1"; do
    check "server, ${moves:-in one process}" ours peer "$ok" "$ok" "$both $moves" "$both"
done

# A client of bare NTLM is answered in kind.
for moves in "" "--move" "--move-after-leg 1"; do
    check "server, bare NTLM, ${moves:-in one process}" ours peer "$ok" "$ok" "$both $moves" \
        "--package NTLM --rounds $rounds"
done

given=wrong
with="--package Negotiate"
check "client, wrong password" peer ours "accept GSS_S_*" "*" "$with" "$with"
check "server, wrong password" ours peer "accept SEC_E_LOGON_DENIED" "$closed" "$with" "$with"
check "server, wrong password after a move" ours peer "successor: accept SEC_E_LOGON_DENIED" \
    "$closed" "$with --move-after-leg 1" "$with"
given=$password
client_user=$domain\\nobody
check "server, unknown user" ours peer "accept SEC_E_LOGON_DENIED" "$closed" "$with" "$with"
client_user=$user

# Channel bindings, of the mechanism inside.
one="--bindings tls-server-end-point:one" two="--bindings tls-server-end-point:two"
check "client, the same channel" peer ours "$ok" "$ok" "$both $one" "$both $one"
check "server, the same channel" ours peer "$ok" "$ok" "$both $one" "$both $one"
check "client, another channel" peer ours "accept GSS_S_DEFECTIVE_TOKEN" "*" "$with $one" \
    "$with $two"
check "server, another channel" ours peer "accept SEC_E_BAD_BINDINGS" "$closed" "$with $one" \
    "$with $two"
check "server, no channel" ours peer "accept SEC_E_BAD_BINDINGS" "$closed" "$with $one" "$with"

# A token changed on the way. The list of mechanisms is protected by its signature alone.
for message in negotiate authenticate mechanisms mechlistmic; do
    for move in "" "--move-after-leg 1"; do
        check "client, changed $message $move" peer ours "accept GSS_S_*" "*" "$with" \
            "$with --tamper $message $move"
    done
done
check "client, changed challenge" peer ours "accept GSS_S_DEFECTIVE_TOKEN" "*" \
    "$with --tamper challenge" "$with"
check "client, changed answer" peer ours "*" "initiate SEC_E_MESSAGE_ALTERED" \
    "$with --tamper mechlistmic" "$with"
check "server, changed negotiate" ours peer "accept SEC_E_*" "*" "$with" \
    "$with --tamper negotiate"
check "server, changed authenticate" ours peer "accept SEC_E_LOGON_DENIED" "*" "$with" \
    "$with --tamper authenticate"
for message in mechanisms mechlistmic; do
    check "server, changed $message" ours peer "accept SEC_E_MESSAGE_ALTERED" "*" "$with" \
        "$with --tamper $message"
done
check "server, changed answer" ours peer "*" "initiate GSS_S_BAD_SIG" \
    "$with --tamper mechlistmic" "$with"

# The last message changed on the way, in each direction, before and after moves.
for what in ciphertext checksum sequence replay text; do
    step=unseal
    [ $what = text ] && step=verify
    plain="$with --rounds $few"
    tamper="$plain --tamper $what"
    for move in "" "--move"; do
        check "client sends changed $what $move" peer ours "$step GSS_S_BAD_SIG" "$closed" \
            "$plain" "$tamper $move"
        check "client gets changed $what $move" peer ours "*" "$step SEC_E_MESSAGE_ALTERED" \
            "$tamper" "$plain $move"
        check "server sends changed $what $move" ours peer "*" "$step GSS_S_BAD_SIG" \
            "$tamper $move" "$plain"
        check "server gets changed $what $move" ours peer "$step SEC_E_MESSAGE_ALTERED" "$closed" \
            "$plain $move" "$tamper"
    done
done
finish
