# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables that are set or used by the script that sources this
#
# Web clients and web servers on loopback, one of them ours. The caller sets $name, then sources
# this file.

# shellcheck source=tests/interop/common.sh
. "${SRCDIR:?names the source folder}/tests/interop/common.sh"
client=$programs/http_client.exe
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY

# expect CASE WHAT-IS WHAT-IT-MUST-BE FILE...: a pattern; the files are shown when it is not.
expect() {
    case_name=$1
    is=$2
    must_be=$3
    shift 3
    # shellcheck disable=SC2254 # a pattern is meant
    case $is in
    $must_be) pass_case "$case_name" ;;
    *)
        fail_case "$case_name" "$@"
        printf '  is: %s\n  must be: %s\n' "$is" "$must_be"
        ;;
    esac
}

# run_client KIND SCHEME ARGUMENT...: our client with $client_user and $given, or without a login
# when $client_user is empty. Its output is in $work/client. Descriptor 3 keeps a server alive, and
# is not for what the client may start that outlives it.
run_client() {
    kind=$1
    scheme=$2
    shift 2
    if [ "$client_user" ]; then
        printf '%s\n' "$client_user" "$given" >"$work/login"
    else
        : >"$work/login"
    fi
    $limit "$WINE" "$client" "$kind" --port "$port" --scheme "$scheme" "$@" <"$work/login" \
        >"$work/client.crlf" 2>&1 3>&-
    tr -d '\r' <"$work/client.crlf" >"$work/client"
}

# What a client that has run says, on one line: the statuses, what the bodies say of the user,
# and whose SSPI it was. A slash stands for a name's backslash, which means something in patterns.
client_verdict() {
    sed -n -e 's/^status: //p' -e 's/^body: user: //p' -e 's/^error: /error /p' \
        -e 's/^handshake: //p' -e 's/^secur32.dll: //p' "$work/client" | tr '\\\n' '/ '
}

# start_workers: our web server of three processes that share nothing (tools/webworkers) serves at
# $at, or there is nothing more to do. It ends when its input does, which is when stop_workers
# closes descriptor 3.
start_workers() {
    mkfifo "$work/hold" || exit 1
    : >"$work/server"
    "$WINE" "$programs/webworkers.exe" serve <"$work/hold" >"$work/server" 2>&1 &
    server_pid=$!
    exec 3>"$work/hold"
    wait_for_port || {
        fail_case 'the web server starts' "$work/server"
        finish
    }
    at=http://localhost:$port
}

# stop_workers: its status is in $ended.
stop_workers() {
    exec 3>&-
    wait "$server_pid"
    ended=$?
    server_pid=
    rm "$work/hold"
}

# curl_run ARGUMENT...: "code" of each answer and how many connections were made is in
# $work/codes, the bodies in $work/body.
curl_run() {
    : >"$work/body"
    $limit curl -q -sS --noproxy '*' -D "$work/heads" -w '%{stderr}%{http_code} %{num_connects}\n' \
        "$@" >"$work/body" 2>"$work/codes"
    tr '\n' ' ' <"$work/codes"
}

# Who the bodies say the client is.
users() { sed -n 's/.*user: //p' "$work/body" | tr '\\\n' '/ '; }
