# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables that are set or used by the script that sources this
#
# Conversations between two programs on loopback, one of them ours. The caller sets $name, then
# sources this file, then sets $peer (the other program), $client_user and $given (what the client
# says), and $password (what is right).

# shellcheck source=tests/interop/common.sh
. "${SRCDIR:?names the source folder}/tests/interop/common.sh"
ours=$programs/interop_sspi.exe

# use_gss_ntlmssp: the mechanism for GSS-API with the account $user, or everything is skipped.
use_gss_ntlmssp() {
    [ -x "$BUILD/interop_gss_peer" ] ||
        skip_all "the GSS-API headers at build time (Debian package libkrb5-dev)"
    find_gss_ntlmssp || skip_all "$no_gss_ntlmssp"
    set_gss_ntlmssp "${user#*\\}" "$password"
}

# use_cyrus MECHANISM: Cyrus SASL with that mechanism and our Sasl functions, or everything is
# skipped.
use_cyrus() {
    ours=$programs/interop_sasl.exe
    peer=$BUILD/interop_cyrus_peer
    [ -x "$peer" ] || skip_all "Cyrus SASL at build time (Debian package libsasl2-dev)"
    for file in /usr/lib/*/sasl2/libgssapiv2.so /usr/lib*/sasl2/libgssapiv2.so; do
        [ ! -e "$file" ] || return 0
    done
    skip_all "the mechanism $1 of Cyrus SASL (Debian package libsasl2-modules-gssapi-mit)"
}

# result_of END STATUS: what it reports, or how far it came when it was ended without a report.
result_of() {
    tr -d '\r' <"$work/$1" >"$work/lines"
    result=$(sed -n 's/^result: //p' "$work/lines")
    [ -n "$result" ] ||
        result="no result, status $2, last step: $(sed -n 's/^at: //p' "$work/lines" | tail -n 1)"
    printf '%s\n' "$result"
}

# start SIDE ROLE ARGUMENT...: becomes the program "ours" or "peer", with an account and a password
# on its input.
start() {
    side=$1
    shift
    if [ "$side" = ours ]; then
        exec $limit "$WINE" "$ours" "$@" <"$work/$1-input"
    else
        exec $limit "$peer" "$@" <"$work/$1-input"
    fi
}

# converse SERVER CLIENT SERVER-OPTIONS CLIENT-OPTIONS: one conversation; the sides are names that
# "start" knows. Gives $at_server and $at_client.
converse() {
    server_status='' client_status=''
    : >"$work/server"
    : >"$work/client"
    : >"$work/client.err"
    printf '%s\n' "$client_user" "$password" >"$work/server-input"
    printf '%s\n' "$client_user" "$given" >"$work/client-input"
    # shellcheck disable=SC2086 # options are words
    start "$1" server $3 >"$work/server" 2>"$work/server.err" &
    server_pid=$!
    if wait_for_port; then
        # shellcheck disable=SC2086
        (start "$2" client --port "$port" $4 >"$work/client" 2>"$work/client.err")
        client_status=$?
        # A server without a client would wait for one.
        grep -q '^at: connected' "$work/client" || kill "$server_pid" 2>/dev/null
    else
        kill "$server_pid" 2>/dev/null
    fi
    wait "$server_pid"
    server_status=$?
    server_pid=
    at_server=$(result_of server "$server_status")
    at_client=$(result_of client "$client_status")
}

# matches TEXT PATTERN
matches() {
    # shellcheck disable=SC2254 # patterns are meant
    case $1 in $2) return 0 ;; esac
    return 1
}

# check CASE SERVER CLIENT EXPECTED-AT-SERVER EXPECTED-AT-CLIENT SERVER-OPTIONS CLIENT-OPTIONS
# Expectations are shell patterns. Where the server is content, it must know the client as
# $client_name, which is $client_user where it is not set.
check() {
    converse "$2" "$3" "$6" "$7"
    good=yes
    matches "$at_server" "$4" && matches "$at_client" "$5" || good=no
    case $4 in
    ok*) tr -d '\r' <"$work/server" | grep -Fqx "client: ${client_name:-$client_user}" || good=no ;;
    esac
    if [ $good = yes ]; then
        pass_case "$1"
        return
    fi
    fail_case "$1"
    echo "  server: $at_server (expected: $4)"
    echo "  client: $at_client (expected: $5)"
    sed 's/^/  server output: /' "$work/server" "$work/server.err"
    sed 's/^/  client output: /' "$work/client" "$work/client.err"
}
