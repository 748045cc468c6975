#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Kerberos of this project against MIT's GSS-API on loopback: as client and as server, with signing
# and sealing both ways, with the context staying where it is and moving to another process and
# back, with each encryption type, and with everything that must be refused.

name=interop_kerberos_gss
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
. "$SRCDIR/tests/interop/kerberos.sh"
peer=$BUILD/interop_gss_peer
rounds=60
few=6
[ -x "$peer" ] || skip_all "the GSS-API headers at build time (Debian package libkrb5-dev)"
use_kdc

ok="ok after $rounds rounds"
closed="connection closed"
krb="--package Kerberos"
with="$krb --default --rounds $rounds"
# Both ends take and accept the same options; the client's name is the server's to say.
# both CASE OPTIONS OURS-MORE: as client and as server.
both() {
    client_name=$principal
    check "client, $1" peer ours "$ok" "$ok" "$with $2" "$with $2 ${3-}"
    client_name=$our_name
    check "server, $1" ours peer "$ok" "$ok" "$with $2 ${3-}" "$with $2"
}

for moves in "" "--move"; do
    title=${moves:-in one process}
    both "$title" "" "$moves"
    both "mutual, $title" "--ask mutual" "$moves"
    both "DCE style, $title" "--ask mutual,dce" "$moves"
    both "integrity, $title" "--layer integrity" "$moves"
done
both "mutual, channel bindings" "--ask mutual --bindings tls-unique:0123456789"
both "delegation" "--ask mutual,delegate"

# Nothing is half open that could be taken along.
finish
