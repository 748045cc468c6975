#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs that were built for Windows and know nothing of this project authenticate by Kerberos
# with its modules: libcurl.dll to Apache; node.exe with two add-ons that call SSPI, also as a web
# server for curl of the host. Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX
# (with the modules installed).

name=interop_kerberos_windows_programs
# shellcheck source=tests/interop/web.sh
. "${SRCDIR:?names the source folder}/tests/interop/web.sh"
# shellcheck source=tests/interop/npm.sh
. "$SRCDIR/tests/interop/npm.sh"
# shellcheck source=tests/interop/apache_server.sh
. "$SRCDIR/tests/interop/apache_server.sh"
# shellcheck source=tests/interop/kerberos.sh
. "$SRCDIR/tests/interop/kerberos.sh"

use_kdc HTTP
with_ticket=$KRB5CCNAME
without=FILE:$work/no-tickets
share_kdc

# ---- libcurl.dll and Apache ----

# curl_case CASE EXPECTED USER:PASSWORD
curl_case() {
    timeout 25 "$WINE" "$libraries" curl "$(windows_path "$postgres/libcurl.dll")" \
        "http://localhost:$port/page.txt" "$3" >"$work/result" 2>&1 </dev/null
    expect "$1" "$(result_of)$(tail -n +$(($(wc -l <"$work/before") + 1)) "$work/access.log" |
        grep '^200')" "$2" "$work/result" "$work/error.log"
    cp "$work/access.log" "$work/before"
}

if command -v apache2 >/dev/null && [ -e $apache_modules/mod_auth_gssapi.so ]; then
    apache_directives='GssapiAllowedMech krb5'
    apache_up
    : >"$work/before"
    curl_case 'libcurl.dll, the user'\''s ticket' "200 ${page}200 $principal" :
    KRB5CCNAME=$without
    curl_case 'libcurl.dll, no ticket' '401 *' :
    curl_case 'libcurl.dll, a password' "200 ${page}200 $principal" "$kdc_realm\\alice:$password"
    curl_case 'libcurl.dll, a wrong password' '401 *' "$kdc_realm\\alice:wrong"
    KRB5CCNAME=$with_ticket
    kill "$server_pid"
    wait "$server_pid"
    server_pid=
else
    skip_cases 4 'Apache (Debian packages apache2-bin, libapache2-mod-auth-gssapi)'
fi
# ---- node.exe ----

run_node "$kdc_realm" alice "$password" ticket

# Its web server, and a client of the host.
# node_case CASE EXPECTED ARGUMENT...: status, connections and what the server says of the client.
node_case() {
    title=$1 pattern=$2
    shift 2
    is=$(curl_run --negotiate -u : "$@" "http://localhost:$port/")
    expect "node.exe as a web server, $title" "$is$(cat "$work/body")" "$pattern" "$work/codes" \
        "$work/heads" "$work/body" "$work/server" "$work/server.err"
}

if curl --version | grep -q SPNEGO; then
    start_node "$work/server" serve
    if wait_for_port; then
        node_case 'a ticket' '200 1 *"Kerberos"*"'$kdc_realm'","name":"alice"*' -b ''
        node_case 'a ticket for another service' "401 1 *" --service-name other
        KRB5CCNAME=$without
        node_case 'no ticket' "401 1 "
        KRB5CCNAME=$with_ticket
        curl_run "http://localhost:$port/end" >/dev/null
    else
        fail_case 'node.exe serves' "$work/server" "$work/server.err"
    fi
    end_node
else
    skip_cases 3 'curl with SPNEGO (Debian package curl)'
fi
finish
