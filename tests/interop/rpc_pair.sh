# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables that the script sets that sources this
#
# The RPC client and the RPC server of the tests. The caller has sourced pairs.sh before.

# run_rpc ARGUMENT...: the client with more arguments, as the account $user with $password.
run_rpc() {
    : >"$work/server"
    $limit "$WINE" "$programs/interop_rpc_server.exe" \
        >"$work/server" 2>"$work/server.err" &
    server_pid=$!
    : >"$work/client"
    if wait_for_port; then
        pipe=$(tr -d '\r' <"$work/server" | sed -n 's/^pipe: //p')
        printf '%s\n' "$user" "$password" >"$work/input"
        $limit "$WINE" \
            "$programs/interop_rpc_client.exe" "$port" "$pipe" "$@" <"$work/input" \
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
}
