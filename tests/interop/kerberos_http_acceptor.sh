#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The web server of three worker processes that share nothing (tools/webworkers) authenticates curl
# of the host and a client of our own by Kerberos. The client is known after one token, so that its
# established context is what travels from worker to worker, in a sealed cookie.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_kerberos_http_acceptor
# shellcheck source=tests/interop/web.sh
. "${SRCDIR:?names the source folder}/tests/interop/web.sh"
# shellcheck source=tests/interop/kerberos.sh
. "$SRCDIR/tests/interop/kerberos.sh"
slashed=$kdc_realm/alice

use_kdc
use_bare_names HTTP
with_ticket=$KRB5CCNAME
without=FILE:$work/no-tickets
start_workers

# curl_case CASE EXPECTED ARGUMENT...: codes, connections, and who the bodies say the client is.
curl_case() {
    title=$1 pattern=$2
    shift 2
    is=$(curl_run --negotiate -u : "$@")
    expect "curl, $title" "$is$(users)" "$pattern" "$work/codes" "$work/heads" "$work/server"
}

if curl --version | grep -q SPNEGO; then
    curl_case 'a ticket' "200 1 $slashed " -b '' "$at/"
    curl_case 'a ticket, without cookies' "200 1 $slashed " "$at/"
    curl_case 'three requests' "200 1 200 0 200 0 $slashed $slashed $slashed " -b '' \
        "$at/1" "$at/2" "$at/3"
    head -c 150000 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$work/posted"
    curl_case 'a body' "200 1 $slashed " -b '' --data-binary @"$work/posted" "$at/"
    ok 'curl, the same body' eval 'tail -n 1 "$work/body" | cmp - "$work/posted"'
    # The session without the ticket, on other connections.
    curl_run --negotiate -u : -c "$work/jar" "$at/" >/dev/null
    cp "$work/jar" "$work/used"
    KRB5CCNAME=$without
    is=$(curl_run -b "$work/jar" -c "$work/jar" "$at/")
    expect 'curl, a session on another connection' "$is$(users)" "200 1 $slashed " "$work/codes"
    is=$(curl_run -b "$work/used" "$at/")
    expect 'curl, a session that was used' "$is$(users)" '401 1 ' "$work/codes"
    curl_case 'no ticket' '401 1 ' -b '' "$at/"
    KRB5CCNAME=$with_ticket
    curl_case 'a ticket for another service' '401 1 ' --service-name other "$at/"
else
    skip_cases 9 'curl with SPNEGO (Debian package curl)'
fi

# client_case CASE KIND EXPECTED ARGUMENT...: three requests of a Windows client in this prefix.
client_case() {
    title=$1 kind=$2 pattern=$3
    shift 3
    run_client "$kind" Negotiate --requests 3 "$@"
    expect "$kind, $title" "$(client_verdict)" "$pattern" "$work/client" "$work/server"
}

three="200 $slashed 200 $slashed 200 $slashed winesspi "
for package in Kerberos Negotiate; do
    KRB5CCNAME=$with_ticket client_user=
    client_case "$package, a ticket" sspi "SEC_E_OK $three" --package $package
    KRB5CCNAME=$without client_user=$kdc_realm\\alice given=$password
    client_case "$package, a password" sspi "SEC_E_OK $three" --package $package
done
# Wine's libraries ask for DCE style, whose half-open context no worker can hand to the next.
refusal='the token is refused: SEC_E_UNSUPPORTED_FUNCTION'
for kind in winhttp wininet; do
    said=$(grep -c "$refusal" "$work/server")
    client_case 'DCE style' $kind '40[01] 40[01] 40[01] winesspi '
    ok "$kind, the server says why" test "$(grep -c "$refusal" "$work/server")" -gt "$said"
done

stop_workers
expect 'the server and its workers end well' "$ended" 0 "$work/server"
finish
