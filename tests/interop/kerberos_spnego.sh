#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Negotiate of this project with Kerberos inside, against MIT's SPNEGO and MIT's bare Kerberos on
# loopback: as client and as server, in one process and moving, where one end lacks a ticket or a
# key and NTLM takes over, and what must be refused.

name=interop_kerberos_spnego
# shellcheck source=tests/interop/pairs.sh
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
peer=$BUILD/interop_gss_peer
user=$domain\\alice
password='Grün, with spaces'
rounds=40
few=6
use_gss_ntlmssp
# shellcheck source=tests/interop/kerberos.sh
. "$SRCDIR/tests/interop/kerberos.sh"
use_kdc
add_account "$user" "$password"
no_tickets=FILE:$work/no-tickets no_keys=FILE:$work/no-keys
tickets=$KRB5CCNAME keys=$KRB5_KTNAME

ok="ok after $rounds rounds"
closed="connection closed"
nego="--package Negotiate --rounds $rounds"
with="$nego --default"

# as_client CASE OPTIONS-OF-BOTH OPTIONS-OF-OURS OPTIONS-OF-THE-PEER: Kerberos is what it comes to.
as_client() {
    client_name=$principal
    check "client, $1" peer ours "$ok" "$ok" "$with $2 ${4-}" "$with $2 ${3-}"
}
as_server() {
    client_name=$our_name
    check "server, $1" ours peer "$ok" "$ok" "$with $2 ${3-}" "$with $2 ${4-}"
}

for inside in Kerberos both; do
    peers="--inside $inside"
    for moves in "" "--move"; do
        title="$inside inside, ${moves:-in one process}"
        as_client "$title" "" "$moves" "$peers"
        as_client "mutual, $title" "--ask mutual" "$moves" "$peers"
        as_server "$title" "" "$moves" "$peers"
        as_server "mutual, $title" "--ask mutual" "$moves" "$peers"
    done
done
# Tickets are given to services that the KDC has marked.
kdc_admin modprinc +ok_as_delegate test/localhost >>"$kdc_dir/kadmin.log" 2>&1
kdestroy -q && use_ticket
as_client "delegation" "--ask mutual,delegate" "" "--inside Kerberos"
ok "client, the delegated ticket is good" grep -qx "delegated: $principal" "$work/server"
as_client "bindings" "--ask mutual --bindings tls-unique:0123456789" "" "--inside Kerberos"
as_server "bindings" "--ask mutual --bindings tls-unique:0123456789" "" "--inside Kerberos"

as_server "DCE style" "--ask mutual,dce" "" "--inside Kerberos"
as_server "DCE style, moving" "--ask mutual,dce" "--move" "--inside Kerberos"

# Without SPNEGO, answered in kind. In DCE style, that is what a client begins with.
bare="--package Kerberos --rounds $rounds --default"
client_name=$our_name
for options in "" "--ask mutual" "--ask mutual,dce"; do
    for move in "" "--move"; do
        check "server, bare Kerberos $options $move" ours peer "$ok" "$ok" "$with $options $move" \
            "$bare $options"
    done
done
client_name=$principal
check "client, DCE style" peer ours "$ok" "$ok" "$bare --ask mutual,dce" "$with --ask mutual,dce"

# A password for the realm, with and without it; one that the KDC refuses is the end.
client_name=$principal
for account in "$kdc_realm\\alice" "\\$principal" "\\alice"; do
    client_user=$account
    check "client, password of $account" peer ours "$ok" "$ok" "$with --inside Kerberos" "$nego"
done
client_user=$kdc_realm\\alice given=wrong
check "client, wrong password" peer ours "$closed" "initiate SEC_E_LOGON_DENIED" \
    "$nego --inside both" "$nego"
given=$password

# ---- NTLM takes over ----

# The client has no ticket for an account that is not of the realm.
client_user=$user client_name=$user
KRB5CCNAME=$no_tickets
for move in "" "--move" "--move --move-after-leg 1" "--move-after-leg 2"; do
    check "client without a ticket $move" peer ours "$ok" "$ok" "$nego --inside both" "$nego $move"
done
check "client of MIT's without a ticket" ours peer "$ok" "$ok" "$nego" "$nego --inside NTLM"
KRB5CCNAME=$tickets
check "client for an unknown service" peer ours "$ok" "$ok" "$nego --inside both" \
    "$nego --target nobody/localhost"
check "client for an address" peer ours "$ok" "$ok" "$nego --inside both" \
    "$nego --target test/127.0.0.1"

# The server has no key, so that it takes the second of what the client prefers.
KRB5_KTNAME=$no_keys
check "server without a key" ours peer "$ok" "$ok" "$nego" "$nego --inside both"
check "server of MIT's without Kerberos" peer ours "$ok" "$ok" "$nego --inside NTLM" "$nego"
KRB5_KTNAME=$keys

# ---- what is refused ----

with="--package Negotiate --rounds $few --default"
inside="--inside Kerberos"
for moves in "" ",dce"; do
    peers="$with $inside"
    [ "$moves" ] && peers="--package Kerberos --default"
    check "client, half open $moves" peer ours "*" "export SEC_E_*" "$peers --ask mutual$moves" \
        "$with --ask mutual$moves --move-after-leg 1"
done
check "server, half open" ours peer "export SEC_E_*" "*" \
    "$with --ask mutual,dce --move-after-leg 1" "$with $inside --ask mutual,dce"
client_user=$kdc_realm\\alice
check "client, other bindings" peer ours "accept GSS_S_*" "*" \
    "$with $inside --bindings tls-unique:0123456789" "$with --bindings tls-unique:9876543210"
check "server, other bindings" ours peer "accept SEC_E_BAD_BINDINGS" "*" \
    "$with --bindings tls-unique:0123456789" "$with $inside --bindings tls-unique:9876543210"
check "client, another service" peer ours "accept GSS_S_*" "*" "$with $inside" \
    "$with --target other/localhost"
check "server, another service" ours peer "accept SEC_E_*" "*" "$with" \
    "$with $inside --target other/localhost"
check "client, changed token" peer ours "accept GSS_S_*" "*" "$with $inside" \
    "$with --tamper token"
check "server, changed token" ours peer "accept SEC_E_*" "*" "$with" \
    "$with $inside --tamper token"
check "client, changed answer" peer ours "*" "initiate SEC_E_*" \
    "$with $inside --ask mutual --tamper token" "$with --ask mutual"
# The list of mechanisms is protected by its signature alone, which there is where the server has
# not taken the first.
KRB5_KTNAME=$no_keys client_user=$user
for what in mechanisms mechlistmic; do
    check "server without a key, changed $what" ours peer "accept SEC_E_MESSAGE_ALTERED" "*" \
        "--package Negotiate" "--package Negotiate --inside both --tamper $what"
done
finish
