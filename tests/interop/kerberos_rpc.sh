#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Authenticated RPC by the client half of Wine's rpcrt4 on this project's secur32 by Kerberos, in
# DCE style, to a server in another process that uses secur32 itself: over TCP and named pipes,
# Kerberos and Negotiate, each level, with the user's ticket, a password, and a wrong one.

name=interop_kerberos_rpc
# shellcheck source=tests/interop/pairs.sh
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
# shellcheck source=tests/interop/rpc_pair.sh
. "$SRCDIR/tests/interop/rpc_pair.sh"
# shellcheck source=tests/interop/kerberos.sh
. "$SRCDIR/tests/interop/kerberos.sh"
use_kdc
user=$client_user
run_rpc Kerberos
finish
