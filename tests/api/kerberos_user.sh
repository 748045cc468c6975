#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# User-to-user of the package Kerberos, over a KDC of its own in which nobody has a keytab.
# Environment: BUILD, SRCDIR and ARCH, as tools/check sets them; WINEPREFIX has the modules
# installed.

set -u
name=kerberos_user
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
# shellcheck source=tests/include/cases.sh
. "$SRCDIR/tests/include/cases.sh"
# shellcheck source=tests/include/kdc.sh
. "$SRCDIR/tests/include/kdc.sh"

programs=$BUILD/${ARCH:-x86_64}-windows
kdc_script

prepare() {
    kdc_add alice one && kdc_add bob two && kdc_add carol three
    for user in 'alice one' 'bob two'; do
        export KRB5CCNAME="FILE:$work/${user% *}"
        kdc_login "${user% *}" "${user#* }" || return 1
    done
}

# run NAME SIDE [aware]: as the user whose tickets that side has.
run() {
    export KRB5CCNAME="FILE:$work/$1"
    user=$1
    shift
    ok "$*: tickets are those of $user" \
        timeout 300 wine "$programs/api_kerberos_user.exe" "$kdc_realm" "$@"
}

if kdc_start && prepare; then
    run bob server
    run alice client
    run nobody nobody
    sed 's/^\[libdefaults\]/&\n client_aware_channel_bindings = true/' "$kdc_dir/krb5.conf" \
        >"$work/aware.conf"
    KRB5_CONFIG=$work/aware.conf
    run alice client aware
else
    fail_case "a KDC with users" "$kdc_dir"/*.log "$kdc_dir"/*.out
fi
finish
