#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Kerberos of this project against MIT's GSS-API on loopback: as client and as server, with signing
# and sealing both ways, with the context staying where it is and moving to another process and
# back, with each encryption type, and with everything that must be refused.

name=interop_kerberos_gss
# shellcheck source=tests/interop/pairs.sh
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
# shellcheck source=tests/interop/kerberos.sh
. "$SRCDIR/tests/interop/kerberos.sh"
peer=$BUILD/interop_gss_peer
rounds=40
few=6
[ -x "$peer" ] || skip_all "the GSS-API headers at build time (Debian package libkrb5-dev)"
use_kdc

ok="ok after $rounds rounds"
closed="connection closed"
krb="--package Kerberos"
with="$krb --default --rounds $rounds"

# Both ends take and accept the same options; what the client is called is the server's to say.
# as_client CASE OPTIONS OPTIONS-OF-OURS; as_server likewise; both does both.
as_client() {
    client_name=$principal
    check "client, $1" peer ours "$ok" "$ok" "$with $2" "$with $2 ${3-}"
}
as_server() {
    client_name=$our_name
    check "server, $1" ours peer "$ok" "$ok" "$with $2 ${3-}" "$with $2"
}
both() {
    as_client "$@"
    as_server "$@"
}

for moves in "" "--move"; do
    title=${moves:-in one process}
    both "$title" "" "$moves"
    both "mutual, $title" "--ask mutual" "$moves"
    both "DCE style, $title" "--ask mutual,dce" "$moves"
    both "integrity, $title" "--ask mutual --layer integrity" "$moves"
done

# Both have the same session key.
key_of() { tr -d '\r' <"$work/$1" | sed -n 's/^key: //p'; }
same_key() {
    key=$(key_of server)
    [ ${#key} -eq 64 ] && [ "$key" = "$(key_of client)" ]
}
for options in "" "--ask mutual" "--ask mutual,dce"; do
    as_client "session key ${options#--ask }" "$options --key" "--move"
    ok "client, the same session key ${options#--ask }" same_key
    as_server "session key ${options#--ask }" "$options --key" "--move"
    ok "server, the same session key ${options#--ask }" same_key
done

# Channel bindings, and a ticket-granting ticket that comes along.
both "channel bindings" "--ask mutual --bindings tls-unique:0123456789"
as_client "bindings that the server does not ask for" "" "--bindings tls-unique:0123456789"
# A client delegates to whom the KDC calls fit for it.
kdc_admin addprinc -randkey +ok_as_delegate trusted/localhost >>"$kdc_dir/kadmin.log" 2>&1
kdc_keys trusted/localhost
as_client "delegation" "--ask mutual,delegate --target trusted/localhost"
ok "client, the delegated ticket is good" grep -qx "delegated: $principal" "$work/server"
check "client, delegation to anybody" peer ours "*" "flags not those that were asked for" \
    "$with --ask mutual,delegate" "$with --ask mutual,delegate"
# Who the client is in this prefix, its policy says: nobody in particular.
policy() {
    $limit "$WINE" "$programs/sspictl.exe" config set ForeignTokens "$1" >/dev/null 2>&1 </dev/null
}
policy 1
as_server "delegation" "--ask mutual,delegate"
ok "server, the delegated ticket is good" grep -q "^delegated: $principal" "$work/server"
policy default

# A password instead of a ticket.
with="$krb --rounds $rounds"
as_client "a password" "--ask mutual"
as_server "a password" "--ask mutual"
client_user=\\$principal
as_client "a password, user@REALM" "--ask mutual" "--move"
client_user=$kdc_realm\\alice

# ---- encryption types ----

configuration=$KRB5_CONFIG tickets=$KRB5CCNAME

ok="ok after $few rounds"
for type in $kdc_known_enctypes; do
    kdc_enctype "$type" alice "$password"
    with="$krb --default --rounds $few --ask mutual --target $type/localhost"
    both "$type" "" "--move"
    both "$type, DCE style" "--ask dce" "--move"
    both "$type, integrity" "--layer integrity" "--move"
    ok "$type is what the ticket has" has_enctype "$type"
done
kdc_enctype $kdc_foreign_enctype alice "$password"
with="$krb --default --rounds $few --ask mutual --target $kdc_foreign_enctype/localhost"
for options in "" "--ask dce" "--layer integrity"; do
    both "$kdc_foreign_enctype ${options#--}" "$options"
done
ok "$kdc_foreign_enctype is what the ticket has" has_enctype $kdc_foreign_enctype
check "client, $kdc_foreign_enctype does not move" peer ours "*" \
    "export SEC_E_UNSUPPORTED_FUNCTION" "$with" "$with --move"
check "server, $kdc_foreign_enctype does not move" ours peer "export SEC_E_UNSUPPORTED_FUNCTION" \
    "*" "$with --move" "$with"
KRB5_CONFIG=$configuration KRB5CCNAME=$tickets

# ---- what is refused ----

with="$krb --default --rounds $few --ask mutual"
for options in "--ask mutual" "--ask mutual,dce"; do
    check "client, ${options#--ask } half open" peer ours "*" "export SEC_E_*" "$with $options" \
        "$with $options --move-after-leg 1"
done
check "server, DCE style half open" ours peer "export SEC_E_*" "*" \
    "$with --ask dce --move-after-leg 1" "$with --ask dce"

bound="$with --bindings tls-unique:0123456789" other="$with --bindings tls-unique:9876543210"
check "client, other bindings" peer ours "accept GSS_S_BAD_BINDINGS" "*" "$bound" "$other"
check "server, other bindings" ours peer "accept SEC_E_BAD_BINDINGS" "*" "$bound" "$other"

tamper="$with --tamper token"
check "client, changed first token" peer ours "accept GSS_S_*" "*" "$with" "$tamper"
check "client, changed answer" peer ours "*" "initiate SEC_E_*" "$tamper" "$with"
check "client, changed answer, DCE style" peer ours "*" "initiate SEC_E_*" "$tamper --ask dce" \
    "$with --ask dce"
check "server, changed first token" ours peer "accept SEC_E_*" "$closed" "$with" "$tamper"
check "server, changed answer" ours peer "*" "initiate GSS_S_*" "$tamper" "$with"

check "client, unknown service" peer ours "*" "initiate SEC_E_TARGET_UNKNOWN" "$with" \
    "$with --target nobody/localhost"
check "client, another service" peer ours "accept GSS_S_*" "*" "$with" \
    "$with --target other/localhost"
check "server, another service" ours peer "accept SEC_E_*" "*" "$with" \
    "$with --target other/localhost"

without="$krb --rounds $few --ask mutual"
given=wrong
check "client, wrong password" peer ours "$closed" "* SEC_E_LOGON_DENIED" "$with" "$without"
given=$password
client_user=$kdc_realm\\nobody
check "client, unknown user" peer ours "$closed" "* SEC_E_LOGON_DENIED" "$with" "$without"
client_user=$kdc_realm\\alice
KRB5CCNAME=FILE:$work/no-tickets
check "client, no ticket" peer ours "$closed" "* SEC_E_NO_CREDENTIALS" "$with" "$with"
KRB5CCNAME=$tickets
keys=$KRB5_KTNAME
KRB5_KTNAME=FILE:$work/no-keys
check "server, no keys" ours peer "* SEC_E_NO_CREDENTIALS" "*" "$with" "$with"
KRB5_KTNAME=$keys

# The last message changed on the way, in each direction, before and after moves.
for what in ciphertext checksum sequence replay text; do
    step=unseal
    [ $what = text ] && step=verify
    at_ours="$step SEC_E_MESSAGE_ALTERED" at_peer="$step GSS_S_BAD_SIG"
    [ $what = replay ] && at_ours="$step SEC_E_OUT_OF_SEQUENCE" at_peer="$step GSS_S_DUPLICATE_TOKEN"
    [ $what = sequence ] && at_peer="$step GSS_S_DEFECTIVE_TOKEN"
    [ $what = checksum ] && at_ours="$step SEC_E_*" at_peer="$step GSS_S_*"
    tamper="$with --tamper $what"
    for move in "" "--move"; do
        check "client sends changed $what $move" peer ours "$at_peer" "$closed" "$with" \
            "$tamper $move"
        check "client gets changed $what $move" peer ours "*" "$at_ours" "$tamper" "$with $move"
        check "server sends changed $what $move" ours peer "*" "$at_peer" "$tamper $move" "$with"
        check "server gets changed $what $move" ours peer "$at_ours" "$closed" "$with $move" \
            "$tamper"
    done
done
finish
