#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# LDAP clients against OpenLDAP's server on loopback by Kerberos: one on the Sasl functions, with
# GSSAPI and GSS-SPNEGO in each security layer, and one on Wine's wldap32.

name=interop_kerberos_ldap
# shellcheck source=tests/interop/common.sh
. "${SRCDIR:?names the source folder}/tests/interop/common.sh"
# shellcheck source=tests/interop/ldap_server.sh
. "$SRCDIR/tests/interop/ldap_server.sh"
# shellcheck source=tests/interop/kerberos.sh
. "$SRCDIR/tests/interop/kerberos.sh"
need_slapd
use_kdc
use_bare_names ldap
slapd_up
with_ticket=$KRB5CCNAME
without=FILE:$work/no-tickets

# check CASE PATTERN PROGRAM ARGUMENT...: what the client reports, and whom the server knows.
check() {
    title=$1 pattern=$2 program=$3
    shift 3
    printf '%s\n' "$client_user" "$given" >"$work/login"
    $limit "$WINE" "$programs/$program.exe" client --port "$port" --target ldap/localhost "$@" \
        <"$work/login" >"$work/client" 2>&1
    tr -d '\r' <"$work/client" >"$work/lines"
    result=$(sed -n 's/^result: //p' "$work/lines")
    good=no
    # shellcheck disable=SC2254 # a pattern is meant
    case $result in $pattern) good=yes ;; esac
    case $pattern in ok*) grep -qi '^identity: dn:uid=alice,' "$work/lines" || good=no ;; esac
    if [ $good = yes ]; then
        pass_case "$title"
    else
        fail_case "$title" "$work/client" "$work/slapd"
    fi
}

for package in Kerberos Negotiate; do
    mechanism=GSSAPI
    [ $package = Kerberos ] || mechanism=GSS-SPNEGO
    for layer in privacy integrity none; do
        check "$mechanism, $layer" "ok after 30 rounds" ldap_client --package $package \
            --layer $layer --default
    done
    KRB5CCNAME=$without
    check "$mechanism, a password" "ok after 30 rounds" ldap_client --package $package
    given=wrong
    check "$mechanism, a wrong password" "*SEC_E_LOGON_DENIED" ldap_client --package $package
    given=$password KRB5CCNAME=$with_ticket
done

# It takes no other credentials than a password, and names the server by what this machine calls
# itself.
KRB5CCNAME=$without
check "wldap32, a password" "ok after 30 rounds" wldap_client
given=wrong
check "wldap32, a wrong password" "bind error 0x*" wldap_client
finish
