#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tickets and passwords in the Unix half of ssp_kerberos over a KDC of its own, natively.
# Environment: NATIVE (folder of the native programs) and SRCDIR.

set -u
name=unit_kerberos_tickets
: "${NATIVE:?}"
# shellcheck source=tests/include/cases.sh
. "${SRCDIR:?}/tests/include/cases.sh"
# shellcheck source=tests/include/kdc.sh
. "$SRCDIR/tests/include/kdc.sh"

work=$(mktemp -d) || exit 1
trap 'kdc_stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

quietly() { kdc_admin -q "$*" >>"$kdc_dir/kadmin.log" 2>&1; }

# The host's key is changed after a copy of its keytab has been taken.
prepare() {
    user=$(id -un)
    quietly addpol -minlength 8 long
    kdc_add alice one
    kdc_add bob two
    quietly modprinc -policy long bob
    kdc_add boss/admin three
    LONG_NAME=$(printf '%01015d' 5)
    export LONG_NAME
    kdc_add "$LONG_NAME" five
    kdc_add HTTP/barn
    kdc_add host/localhost
    case $user in alice | bob) ;; *) kdc_add "$user" four ;; esac
    kdc_keys host/localhost
    mv "$kdc_dir/keytab" "$kdc_dir/old-keytab"
    quietly cpw -randkey host/localhost
    kdc_keys host/localhost
    export OLD_KEYTAB="FILE:$kdc_dir/old-keytab" OWN_PRINCIPAL="$user@$kdc_realm"
    kdc_start_kadmind && kdc_login alice one
}

kdc_found || skip_all "$no_kdc"
[ -x "$NATIVE/kdc_tickets" ] || skip_all 'the headers of MIT Kerberos (Debian package libkrb5-dev)'
if kdc_start && prepare; then
    timeout 60 "$NATIVE/kdc_tickets" >"$work/log" 2>&1
    status=$?
    cat "$work/log"
    counts=$(sed -n \
        "s/^kdc_tickets: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) .*/\1 \2 \3/p" \
        "$work/log")
    # shellcheck disable=SC2086 # three numbers
    set -- ${counts:-0 1 0}
    [ "$status" = 0 ] || [ "$2" != 0 ] || set -- "$1" 1 "$3"
    passed=$1 failed=$2 skipped=$3
else
    fail_case "a KDC with users" "$kdc_dir"/*.log "$kdc_dir"/*.out
fi
finish
