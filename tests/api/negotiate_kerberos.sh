#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs negotiate_kerberos.exe with a KDC of its own, with and without what a client and a server
# need. Environment: BUILD, SRCDIR, ARCH, WINEPREFIX (with the modules installed), as tools/check
# sets them.

set -u
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
name=api_negotiate_kerberos
# shellcheck source=tests/include/cases.sh
. "$SRCDIR/tests/include/cases.sh"
# shellcheck source=tests/include/kdc.sh
. "$SRCDIR/tests/include/kdc.sh"
program=$BUILD/${ARCH:-x86_64}-windows/negotiate_kerberos.exe
work=$(mktemp -d) || exit 1
silent_pid=
# shellcheck disable=SC2317 # called by the trap
clean_up() {
    [ -z "$silent_pid" ] || kill "$silent_pid" 2>/dev/null
    kdc_stop
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# run_program WHAT USER: its cases are counted as ours.
run_program() {
    timeout 120 wine "$program" "$1" test/localhost "$kdc_realm" "$2" >"$work/log" 2>&1 </dev/null
    count_log negotiate_kerberos $?
    tr -d '\r' <"$work/log" | sed "s/^\(ok  *\|FAIL \|skip \)/&$1: /; /passed, .* skipped$/d"
}

kdc_found || skip_all "$no_kdc"
kdc_start || {
    fail_case 'the KDC starts' "$kdc_dir"/*.log "$kdc_dir"/*.out
    finish
}
for principal in alice carol; do kdc_add $principal Password; done
kdc_add test/localhost
kdc_keys test/localhost
kdc_login alice Password || fail_case 'alice gets a ticket' "$kdc_dir/kinit.log"
tickets=$KRB5CCNAME keys=$KRB5_KTNAME config=$KRB5_CONFIG

run_program tickets alice
KRB5CCNAME=FILE:$work/no-tickets
run_program no-ticket alice
KRB5CCNAME=$tickets KRB5_KTNAME=FILE:$work/no-keys
run_program no-key alice
KRB5_KTNAME=$keys
kdc_start_kadmind || fail_case 'kadmind starts' "$kdc_dir"/*.log "$kdc_dir"/*.out
run_program password carol

# Another port answers nothing, and then one takes questions and says nothing.
KRB5_CONFIG=$work/krb5.conf
sed "s/^  kdc = .*/  kdc = 127.0.0.1:$(free_port)/" "$config" >"$KRB5_CONFIG"
run_program no-kdc alice
perl -MIO::Socket::INET -e '$| = 1;
    my $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1");
    print $listener->sockport, "\n"; push @all, $listener->accept while 1;' >"$work/port" &
silent_pid=$!
wait_until test -s "$work/port"
sed "s/^  kdc = .*/  kdc = 127.0.0.1:$(cat "$work/port")/" "$config" >"$KRB5_CONFIG"
run_program silent-kdc alice
finish
