#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Authenticated RPC by the client half of Wine's rpcrt4 on this project's secur32, to a server in
# another process that uses secur32 itself: over TCP and named pipes, NTLM and Negotiate, each
# level, with the process's own identity, an explicit one, and a wrong password.

name=interop_rpc
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
user=$domain\\alice
password='Grün, with spaces'
add_account "$user" "$password"

: >"$work/server"
$limit "$WINE" "$programs/interop_rpc_server.exe" \
    >"$work/server" 2>"$work/server.err" &
server_pid=$!
: >"$work/client"
if wait_for_port; then
    pipe=$(tr -d '\r' <"$work/server" | sed -n 's/^pipe: //p')
    printf '%s\n' "$user" "$password" >"$work/input"
    $limit "$WINE" \
        "$programs/interop_rpc_client.exe" "$port" "$pipe" <"$work/input" \
        >"$work/client" 2>&1
    wait "$server_pid"
    server_pid=
fi
summary=$(tr -d '\r' <"$work/client" |
    sed -n 's/^interop_rpc: \([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p')
grep -v '^interop_rpc: ' "$work/client"
if [ -n "$summary" ]; then
    passed=$((passed + ${summary% *}))
    failed=$((failed + ${summary#* }))
else
    fail_case "the client has no result"
    sed 's/^/  server output: /' "$work/server" "$work/server.err"
fi
finish
