#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# An LDAP client on the Sasl functions against OpenLDAP's server on loopback: it binds with
# GSS-SPNEGO and with GSSAPI, and talks on in each security layer. The server is not installed by
# tools/check, since Debian starts it at once for everybody.

name=interop_ldap
. "${SRCDIR:?names the source folder}/tests/interop/common.sh"
client=$programs/ldap_client.exe
user=$domain\\alice
password='Grün, with spaces'
slapd=$(PATH=$PATH:/usr/sbin command -v slapd) ||
    skip_all "OpenLDAP's server (Debian packages slapd and libsasl2-modules-gssapi-mit)"
find_gss_ntlmssp || skip_all "$no_gss_ntlmssp"
set_gss_ntlmssp alice "$password"
export KRB5_KTNAME="FILE:$work/no-keys"

cat >"$work/slapd.conf" <<END
pidfile $work/slapd.pid
sasl-host localhost
sasl-secprops none
database monitor
access to * by * read
END

# A port that the kernel finds free now; slapd ends at once when somebody else has it by then.
start_slapd() {
    port=$(perl -MIO::Socket::INET -e \
        'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport') || return 1
    "$slapd" -d 0 -f "$work/slapd.conf" -h "ldap://127.0.0.1:$port/" >"$work/slapd" 2>&1 &
    server_pid=$!
    tries=0
    while kill -0 "$server_pid" 2>/dev/null && [ $tries -lt 100 ]; do
        perl -MIO::Socket::INET -e \
            'exit !IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => shift)' "$port" &&
            return
        sleep 0.1
        tries=$((tries + 1))
    done
    return 1
}

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

start_slapd || start_slapd || {
    fail_case "starting slapd" "$work/slapd"
    finish
}
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
