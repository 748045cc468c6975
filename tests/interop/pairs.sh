# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables that are set or used by the script that sources this
#
# Conversations between two programs on loopback, one of them ours: what the scripts of this
# folder share. The caller sets $name, then sources this file, then sets $peer (the other program),
# $client_user and $given (what the client says), and $password (what is right).
# Environment: BUILD (build folder), WINEPREFIX (with the modules installed).

: "${BUILD:?names the build folder}" "${WINEPREFIX:?names the prefix to run in}"
: "${WINE:=wine}"
passed=0 failed=0 skipped=0
domain=INTEROP
ours=$BUILD/x86_64-windows/interop_ntlm.exe
# The programs give up when the other end is silent for 20 s (DIALOGUE_PATIENCE_SECONDS); this is
# for a program that does not even start or end.
limit='timeout --foreground --kill-after=2 28'

finish() {
    echo "$name: $passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

skip_all() {
    echo "skip $name: $1"
    skipped=1
    finish
}

# skip_cases NUMBER WHAT-IS-MISSING
skip_cases() {
    skipped=$((skipped + $1))
    echo "skip $2"
}

pass_case() {
    passed=$((passed + 1))
    echo "ok   $1"
}

fail_case() {
    failed=$((failed + 1))
    echo "FAIL $1"
}

work=$(mktemp -d) || exit 1
server_pid=
accounts=
account() { $limit "$WINE" "$BUILD/x86_64-windows/sspictl.exe" account "$@"; }
# shellcheck disable=SC2317 # called by the trap
clean_up() {
    [ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null
    printf '%s' "$accounts" | while IFS= read -r one; do
        account remove "$one" >/dev/null 2>&1 </dev/null
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP
# Wine reads names in arguments as the locale says.
export LC_ALL=C.UTF-8

# add_account DOMAIN\USER PASSWORD: until the script ends.
add_account() {
    account remove "$1" >/dev/null 2>&1
    accounts="$accounts$1
"
    printf '%s\n' "$2" | account add "$1" >"$work/account" 2>&1 && return
    fail_case "adding the account $1"
    cat "$work/account"
    finish
}

# use_gss_ntlmssp: the mechanism for GSS-API with a configuration of the test's own and the account
# $user, or everything is skipped.
use_gss_ntlmssp() {
    mechanism=
    for file in /usr/lib/*/gssntlmssp/gssntlmssp.so /usr/lib*/gssntlmssp/gssntlmssp.so; do
        [ -e "$file" ] && mechanism=$file
    done
    [ -x "$BUILD/interop_gss_peer" ] ||
        skip_all "the GSS-API headers at build time (Debian package libkrb5-dev)"
    [ "$mechanism" ] || skip_all "the NTLM mechanism for GSS-API (Debian package gss-ntlmssp)"
    echo "gssntlmssp_v1 1.3.6.1.4.1.311.2.2.10 $mechanism" >"$work/mech"
    printf '%s:%s:%s\n' $domain "${user#*\\}" "$password" >"$work/users"
    # No question to a name server about anybody's realm.
    printf '[libdefaults]\n dns_lookup_kdc = false\n dns_lookup_realm = false\n' >"$work/krb5.conf"
    export GSS_MECH_CONFIG="$work/mech" NTLM_USER_FILE="$work/users" NETBIOS_DOMAIN_NAME=$domain
    export KRB5_CONFIG="$work/krb5.conf" KRB5CCNAME="FILE:$work/no-tickets"
    unset LM_COMPAT_LEVEL NTLMUSER KRB5_KTNAME
}

# The port that the server prints, in a line that is complete.
wait_for_port() {
    tries=0
    port=
    while [ -z "$port" ] && [ $tries -lt 200 ]; do
        port=$(tr -d '\r' <"$work/server" | sed -n 's/^port: \([0-9][0-9]*\)$/\1/p')
        [ "$port" ] || sleep 0.1
        tries=$((tries + 1))
    done
    [ "$port" ]
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
# $client_user.
check() {
    converse "$2" "$3" "$6" "$7"
    good=yes
    matches "$at_server" "$4" && matches "$at_client" "$5" || good=no
    case $4 in
    ok*) tr -d '\r' <"$work/server" | grep -Fqx "client: $client_user" || good=no ;;
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
