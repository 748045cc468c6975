#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# NTLM and Negotiate of this project against Samba's ntlm_auth on loopback, as client and as
# server, with the context staying where it is and moving to another process and back. ntlm_auth
# protects no messages; that both ends have the same session key is what can be seen. As a server
# it takes the password that it is told for everybody's.

name=interop_samba
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
peer=$BUILD/interop_samba_peer
user=$domain\\alice
other=$domain\\jürgen
password='Grün, with spaces'

command -v ntlm_auth >/dev/null || skip_all "ntlm_auth (Debian package winbind)"
for folder in private lock state cache pid; do mkdir "$work/$folder"; done
cat >"$work/smb.conf" <<CONFIGURATION
[global]
netbios name = $domain
workgroup = $domain
private dir = $work/private
lock directory = $work/lock
state directory = $work/state
cache directory = $work/cache
pid directory = $work/pid
CONFIGURATION
export NTLM_AUTH_CONFIG="$work/smb.conf"

key_of() { tr -d '\r' <"$work/$1" | sed -n 's/^key: //p'; }

# check_key CASE SERVER CLIENT OPTIONS-OF-OURS PACKAGE-OF-PEER
check_key() {
    server_options="--rounds 0 --package $5" client_options=$server_options
    [ "$2" = peer ] || server_options="--key $4"
    [ "$3" = peer ] || client_options="--key $4"
    check "$1" "$2" "$3" "ok after 0 rounds" "ok after 0 rounds" "$server_options" \
        "$client_options"
    [ $good = no ] || same_key || {
        fail_case "$1: the session key"
        echo "  server: $(key_of server)"
        echo "  client: $(key_of client)"
    }
}

same_key() {
    key=$(key_of server)
    [ ${#key} -eq 32 ] && [ "$key" = "$(key_of client)" ]
}

client_user=$user
given=$password
add_account "$user" "$password"
add_account "$other" "$password"

ok="ok after 0 rounds"
closed="connection closed"
for package in NTLM Negotiate; do
    with="--rounds 0 --package $package"
    # A client of bare NTLM has nothing to wait for after its last message.
    refused=$ok
    [ $package = NTLM ] || refused=$closed
    for moves in "" "--move" "--move-after-leg 1" "--move --move-after-leg 1"; do
        check_key "$package, client ${moves:-in one process}" peer ours "$with $moves" $package
        check_key "$package, server ${moves:-in one process}" ours peer "$with $moves" $package
    done
    client_user=$other
    check_key "$package, client as $other" peer ours "$with" $package
    check_key "$package, server as $other" ours peer "$with" $package
    client_user=$user

    given=wrong
    check "$package, client, wrong password" peer ours "accept NA *NT_STATUS_*" "*" "$with" "$with"
    check "$package, server, wrong password" ours peer "accept SEC_E_LOGON_DENIED" "$refused" \
        "$with" "$with"
    given=$password
    client_user=$domain\\nobody
    check "$package, server, unknown user" ours peer "accept SEC_E_LOGON_DENIED" "$refused" \
        "$with" "$with"
    client_user=$user
    for message in negotiate authenticate; do
        check "$package, client, changed $message" peer ours "accept NA *NT_STATUS_*" "*" \
            "$with" "$with --tamper $message"
    done
    check "$package, client, changed challenge" peer ours "accept NA *NT_STATUS_*" "*" \
        "$with --tamper challenge" "$with"
    check "$package, server, changed authenticate" ours peer "accept SEC_E_LOGON_DENIED" \
        "$refused" "$with" "$with --tamper authenticate"
done

# The client's second leg of SPNEGO leaves the server's last token to be verified; a client of bare
# NTLM is answered in kind; and SPNEGO's own integrity code stands for its list of mechanisms.
with="--rounds 0 --package Negotiate"
check_key "Negotiate, client --move-after-leg 2" peer ours "$with --move-after-leg 2" Negotiate
check_key "Negotiate, server, bare NTLM" ours peer "$with" NTLM
check_key "Negotiate, server, bare NTLM --move-after-leg 1" ours peer \
    "$with --move-after-leg 1" NTLM
for message in mechanisms mechlistmic; do
    check "Negotiate, client, changed $message" peer ours "accept BH NT_STATUS_ACCESS_DENIED*" "*" \
        "$with" "$with --tamper $message"
    check "Negotiate, server, changed $message" ours peer "accept SEC_E_MESSAGE_ALTERED" "*" \
        "$with" "$with --tamper $message"
done
check "Negotiate, client, changed answer" peer ours "*" "initiate SEC_E_MESSAGE_ALTERED" \
    "$with --tamper mechlistmic" "$with"
finish
