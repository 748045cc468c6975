#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# An LDAP client on the Sasl functions against OpenLDAP's server on loopback: it binds with
# GSS-SPNEGO and with GSSAPI, and talks on in each security layer.

name=interop_ldap
. "${SRCDIR:?names the source folder}/tests/interop/common.sh"
# shellcheck source=tests/interop/ldap_server.sh
. "$SRCDIR/tests/interop/ldap_server.sh"
client=$programs/ldap_client.exe
user=$domain\\alice
password='Grün, with spaces'
need_slapd
find_gss_ntlmssp || skip_all "$no_gss_ntlmssp"
set_gss_ntlmssp alice "$password"
export KRB5_KTNAME="FILE:$work/no-keys"

# check CASE PACKAGE LAYER PASSWORD PATTERN: what the client reports, and whom the server knows.
check() {
    printf '%s\n' "$user" "$4" >"$work/login"
    $limit "$WINE" "$client" client --port "$port" --package "$2" --layer "$3" <"$work/login" \
        >"$work/client" 2>&1
    tr -d '\r' <"$work/client" >"$work/lines"
    result=$(sed -n 's/^result: //p' "$work/lines")
    good=no
    # shellcheck disable=SC2254 # a pattern is meant
    case $result in $5) good=yes ;; esac
    case $5 in ok*) grep -qi '^identity: dn:uid=interop\\5Calice,' "$work/lines" || good=no ;; esac
    if [ $good = yes ]; then
        pass_case "$1"
    else
        fail_case "$1" "$work/client" "$work/slapd"
    fi
}

slapd_up
for layer in privacy integrity none; do
    check "GSS-SPNEGO, $layer" Negotiate $layer "$password" "ok after 30 rounds"
done
check "GSS-SPNEGO, wrong password" Negotiate privacy wrong "bind refused"

profiles='HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SaslProfiles'
if $limit "$WINE" reg add "$profiles" /f /v GSSAPI /d NTLM >"$work/registry" 2>&1 </dev/null; then
    for layer in privacy integrity none; do
        check "GSSAPI, $layer" NTLM $layer "$password" "ok after 30 rounds"
    done
    check "GSSAPI, wrong password" NTLM privacy wrong "bind refused"
    $limit "$WINE" reg delete "$profiles" /f >"$work/registry" 2>&1 </dev/null
else
    fail_case "setting the profiles" "$work/registry"
fi
finish
