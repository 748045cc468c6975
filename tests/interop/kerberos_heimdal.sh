#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Kerberos of this project on Heimdal's library, and with Heimdal's KDC, against MIT's GSS-API on
# loopback: as client and as server, with signing and sealing, in one process and moving.

name=interop_kerberos_heimdal
# shellcheck source=tests/interop/pairs.sh
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
# shellcheck source=tests/interop/heimdal.sh
. "$SRCDIR/tests/interop/heimdal.sh"
peer=$BUILD/interop_gss_peer
rounds=30
key='HKLM\SOFTWARE\winesspi\Kerberos'
password=Password
principal=alice@$kdc_realm
client_user=$kdc_realm\\alice
given=$password

[ -x "$peer" ] || skip_all "the GSS-API headers at build time (Debian package libkrb5-dev)"
[ "$ARCH" = x86_64 ] || skip_all "Heimdal's libraries for $ARCH"
unpack_heimdal || skip_all "Heimdal's KDC (Debian packages heimdal-kdc, heimdal-clients)"

library() {
    if [ "$1" ]; then
        $limit "$WINE" reg add "$key" /v Library /d "$1" /f >/dev/null 2>&1 </dev/null
    else
        $limit "$WINE" reg delete "$key" /v Library /f >/dev/null 2>&1 </dev/null
    fi
}
trap 'library ""; kdc_stop; clean_up' EXIT

# alice has a ticket from her password.
start_heimdal &&
    heimdal_admin add -p "$password" --use-defaults alice &&
    heimdal_admin add -r --use-defaults test/localhost other/localhost &&
    heimdal_admin ext_keytab -k "$kdc_dir/keytab" test/localhost &&
    printf '%s\n' "$password" >"$work/password" &&
    KRB5_CONFIG=$kdc_dir/heimdal.conf in_heimdal "$heimdal_kinit" -f --password-file="$work/password" \
        alice >"$work/kinit" 2>&1 || {
    fail_case "Heimdal's KDC serves" "$kdc_dir"/*.log "$kdc_dir"/*.out "$work/kinit"
    finish
}

ok="ok after $rounds rounds"
krb="--package Kerberos"
bound="--bindings tls-unique:0123456789"
# all LIBRARY: those of client and server that it is the same for.
all() {
    for options in "" "--ask mutual" "--ask mutual,dce --move" "--layer integrity --move"; do
        with="$krb --rounds $rounds --default ${options%--move}"
        client_name=$principal
        check "client, $1 ${options#--}" peer ours "$ok" "$ok" "$with" "$with $options"
        client_name=$client_user
        check "server, $1 ${options#--}" ours peer "$ok" "$ok" "$with $options" "$with"
    done
    with="$krb --rounds $rounds --ask mutual"
    client_name=$principal
    check "client, $1, bindings" peer ours "$ok" "$ok" "$with --default $bound" \
        "$with --default $bound"
    check "client, $1, a password" peer ours "$ok" "$ok" "$with" "$with"
    given=wrong
    check "client, $1, a wrong password" peer ours "*" "* SEC_E_LOGON_DENIED" "$with" "$with"
    given=$password
    check "client, $1, unknown service" peer ours "*" "initiate SEC_E_TARGET_UNKNOWN" "$with" \
        "$with --default --target nobody/localhost"
    check "server, $1, other bindings" ours peer "accept SEC_E_BAD_BINDINGS" "*" \
        "$with --default --bindings tls-unique:9876543210" "$with --default $bound"
}

# MIT's library, with that KDC.
all "Heimdal's KDC"
client_name=$client_user
check "server, Heimdal's KDC, bindings" ours peer "$ok" "$ok" "$with --default $bound" \
    "$with --default $bound"
library libgssapi.so.3
# The peer goes on with MIT's: the path is for libraries that it does not ask for.
export LD_LIBRARY_PATH="$heimdal_libraries"
KRB5_CONFIG=$kdc_dir/heimdal.conf
all "Heimdal's library"
# Heimdal 7.8 does not tell whether a client has sent bindings at all.
check "server, Heimdal's library, bindings" ours peer "accept SEC_E_BAD_BINDINGS" "*" \
    "$with --default $bound" "$with --default $bound"
finish
