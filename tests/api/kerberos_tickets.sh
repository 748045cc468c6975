#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tickets, log-ons and passwords through the LSA over a KDC of its own, with kadmind for the
# passwords. Environment: BUILD, SRCDIR and ARCH, as tools/check sets them; WINEPREFIX has the
# modules installed.

set -u
name=kerberos_tickets
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
# shellcheck source=tests/include/cases.sh
. "$SRCDIR/tests/include/cases.sh"
# shellcheck source=tests/include/kdc.sh
. "$SRCDIR/tests/include/kdc.sh"

programs=$BUILD/${ARCH:-x86_64}-windows
kdc_script

quietly() { kdc_admin -q "$*" >>"$kdc_dir/kadmin.log" 2>&1; }

# The process's user is a principal, too, unless it is one of the others anyway.
prepare() {
    user=$(id -un)
    quietly addpol -minlength 8 long
    kdc_add alice one
    kdc_add bob two
    kdc_add HTTP/barn
    case $user in alice | bob) ;; *) kdc_add "$user" four ;; esac
    quietly modprinc -policy long bob
    kdc_start_kadmind && kdc_login alice one
}

# run PROGRAM ARGUMENT...: what it has counted is ours.
run() {
    program=$1
    shift
    timeout 120 wine "$programs/$program.exe" "$@" >"$work/log" 2>&1 </dev/null
    count_log "$program" $?
    tr -d '\r' <"$work/log"
}

# shellcheck disable=SC2317 # called through ok
# sspictl_says STATUS PATTERN ARGUMENT...: how it ends, and a line that it prints.
sspictl_says() {
    wanted=$1 pattern=$2
    shift 2
    timeout 60 wine "$programs/sspictl.exe" tickets "$@" >"$work/said" 2>&1 </dev/null
    status=$?
    tr -d '\r' <"$work/said"
    [ "$status" = "$wanted" ] && grep -q -e "$pattern" "$work/said"
}

try_sspictl() {
    ok 'sspictl lists tickets' sspictl_says 0 "^krbtgt/$kdc_realm@$kdc_realm"
    ok 'sspictl gets one' sspictl_says 0 "^HTTP/barn@$kdc_realm" get HTTP/barn
    ok 'the host has it' sh -c 'klist | grep -q HTTP/barn'
    ok 'sspictl finds no other' sspictl_says 1 'no ticket' get HTTP/nowhere
    ok 'sspictl removes it' sspictl_says 0 '1 removed' purge http/barn
    ok 'the host has it no more' sh -c '! klist | grep -q HTTP/barn'
    ok 'it is not removed twice' sspictl_says 1 'no such' purge HTTP/barn
    ok 'sspictl removes all' sspictl_says 0 '1 removed' purge
    ok 'nothing is left' sspictl_says 0 'no tickets'
    ok 'get needs a name' sspictl_says 2 'needs the name' get
}

if kdc_start && prepare; then
    run api_kerberos_tickets "$kdc_realm"
    run api_kerberos_logon "$kdc_realm" "$user"
    try_sspictl
    printf '[libdefaults]\n dns_lookup_kdc = false\n' >"$kdc_dir/krb5.conf"
    run api_kerberos_logon without
else
    fail_case "a KDC with users" "$kdc_dir"/*.log "$kdc_dir"/*.out
fi
finish
