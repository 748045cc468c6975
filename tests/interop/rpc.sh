#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Authenticated RPC by the client half of Wine's rpcrt4 on this project's secur32, to a server in
# another process that uses secur32 itself: over TCP and named pipes, NTLM and Negotiate, each
# level, with the process's own identity, an explicit one, and a wrong password.

name=interop_rpc
# shellcheck source=tests/interop/pairs.sh
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
# shellcheck source=tests/interop/rpc_pair.sh
. "$SRCDIR/tests/interop/rpc_pair.sh"
user=$domain\\alice
password='Grün, with spaces'
add_account "$user" "$password"

run_rpc
finish
