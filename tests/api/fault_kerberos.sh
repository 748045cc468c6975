#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs the program fault for the package Kerberos, over a KDC of its own, in a folder with modules
# whose every block comes from the system. Environment: BUILD, SRCDIR and ARCH, as tools/check sets
# them; WINEPREFIX has the modules installed.

set -u
name=fault_kerberos
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
# shellcheck source=tests/include/cases.sh
. "$SRCDIR/tests/include/cases.sh"
# shellcheck source=tests/include/kdc.sh
. "$SRCDIR/tests/include/kdc.sh"

programs=$BUILD/${ARCH:-x86_64}-windows
work=$(mktemp -d) || exit 1
trap 'kdc_stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

# The process's user is a principal, too.
prepare() {
    user=$(id -un)
    kdc_add "$user" four && kdc_login "$user" four &&
        cp "$programs/fault.exe" "$programs/plain"/*.dll "$work"
}

# run TYPE DIGEST: with that encryption type, and the size of its digests.
run() {
    echo "$1"
    if ! kdc_enctype "$1" "$user" four; then
        fail_case "a ticket of $1" "$kdc_dir/kinit.log"
        return
    fi
    timeout 250 wine "$work/fault.exe" kerberos "$1/localhost" "$2" >"$work/log" 2>&1 </dev/null
    tr -d '\r' <"$work/log" | sed '/^fault: /d'
    # shellcheck disable=SC2046 # three numbers
    set -- $(tr -d '\r' <"$work/log" |
        sed -n 's/^fault: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
    passed=$((passed + ${1:-0})) failed=$((failed + ${2:-1})) skipped=$((skipped + ${3:-0}))
}

kdc_found || skip_all "$no_kdc"
if kdc_start && prepare; then
    run aes256-cts-hmac-sha1-96 20
else
    fail_case 'a KDC with users' "$kdc_dir"/*.log "$kdc_dir"/*.out
fi
finish
