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

kdc_script
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

[ -x "$NATIVE/kdc_tickets" ] || skip_all 'the headers of MIT Kerberos (Debian package libkrb5-dev)'
if kdc_start && prepare; then
    timeout 60 "$NATIVE/kdc_tickets" >"$work/log" 2>&1
    count_log kdc_tickets $?
    cat "$work/log"
else
    fail_case "a KDC with users" "$kdc_dir"/*.log "$kdc_dir"/*.out
fi
finish
