#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Handshakes, credentials and errors of the package Kerberos over a KDC of its own. Environment:
# BUILD, SRCDIR and ARCH, as tools/check sets them; WINEPREFIX has the modules installed.

set -u
name=kerberos
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
# shellcheck source=tests/include/cases.sh
. "$SRCDIR/tests/include/cases.sh"
# shellcheck source=tests/include/kdc.sh
. "$SRCDIR/tests/include/kdc.sh"

programs=$BUILD/${ARCH:-x86_64}-windows
kdc_script

prepare() {
    for service in HTTP/barn HTTP/barn:8080 HTTP/silo HTTP/hay keeper; do kdc_add "$service"; done
    kdc_admin -q 'addprinc -randkey +ok_as_delegate HTTP/loft' >>"$kdc_dir/kadmin.log" 2>&1
    # Its messages are the library's: no encryption type that is known here.
    kdc_admin -q 'addprinc -randkey -e camellia256-cts:normal HTTP/hut' >>"$kdc_dir/kadmin.log" 2>&1
    kdc_admin -q 'setstr HTTP/hut session_enctypes camellia256-cts' >>"$kdc_dir/kadmin.log" 2>&1
    kdc_add alice one
    kdc_keys HTTP/barn HTTP/loft HTTP/hay HTTP/hut
    kdc_login alice one
}

# run PROGRAM ARGUMENT...: what it has counted is ours.
run() {
    program=$1
    shift
    timeout 300 wine "$programs/$program.exe" "$@" >"$work/log" 2>&1 </dev/null
    count_log "$program" $?
    tr -d '\r' <"$work/log"
}

# case_of NAME ARGUMENT... -- VARIABLE=VALUE...: one of the circumstances that the program is told.
case_of() {
    what=$1 arguments=
    shift
    while [ "$1" != -- ]; do
        arguments="$arguments $1"
        shift
    done
    shift
    # shellcheck disable=SC2086 # words without blanks
    ok "$what:$arguments" timeout 60 env "$@" wine "$programs/api_kerberos_errors.exe" $arguments
}

# What keeps a client from its first leg.
client_circumstances() {
    case_of 'no tickets' client 8009030e HTTP/barn -- KRB5CCNAME="FILE:$work/none"
    case_of 'an unknown service' client 80090303 HTTP/shed --
    printf '[libdefaults]\n dns_lookup_kdc = false\n' >"$work/nothing.conf"
    case_of 'no tickets and no realm' client 8009030e HTTP/barn -- \
        KRB5CCNAME="FILE:$work/none" KRB5_CONFIG="$work/nothing.conf"
    ok 'no realm, and no questions' asked_seldom
    sed "s/127.0.0.1:$kdc_port/127.0.0.1:1/" "$kdc_dir/krb5.conf" >"$work/dead.conf"
    case_of 'no KDC' client 80090311 HTTP/silo -- KRB5_CONFIG="$work/dead.conf"
    echo one | kinit -l 1s -c "FILE:$work/short" alice >>"$kdc_dir/kinit.log" 2>&1
    sleep 2
    case_of 'tickets that have run out' client 80090317 HTTP/silo -- KRB5CCNAME="FILE:$work/short"
}

# An account of no realm costs a handshake next to nothing: the host is not asked each time.
asked_seldom() {
    env KRB5_CONFIG="$work/nothing.conf" WINEDEBUG=trace+kerberos timeout 60 wine \
        "$programs/api_kerberos_credentials.exe" no-realm >"$work/trace" 2>&1 || return 1
    asked=$(grep -c 'to initiate: status 0x80090311' "$work/trace")
    echo "asked $asked times"
    [ "$asked" -ge 1 ] && [ "$asked" -le 6 ]
}

# What keeps a server from opening a token.
server_circumstances() {
    case_of 'neither keys nor tickets' acquire 8009030e HTTP/barn -- \
        KRB5_KTNAME="FILE:$work/none" KRB5CCNAME="FILE:$work/none"
    case_of 'tickets, but no keys' acquire 00000000 HTTP/barn -- KRB5_KTNAME="FILE:$work/none"
    case_of 'no key of that service' server 8009030c 80090322 HTTP/silo --
    kdc_admin -q 'cpw -randkey HTTP/hay' >>"$kdc_dir/kadmin.log" 2>&1
    case_of 'an older key' server 8009030c 80090322 HTTP/hay --
    sed 's/^\[libdefaults\]/&\n clockskew = 1/' "$kdc_dir/krb5.conf" >"$work/skew.conf"
    case_of 'clocks' server 80090324 80090324 3000 HTTP/barn -- KRB5_CONFIG="$work/skew.conf"
}

if kdc_start && prepare; then
    run api_kerberos_legs HTTP/barn
    run api_kerberos_legs HTTP/hut
    run api_channel_results Kerberos HTTP/barn unaware
    sed 's/^\[libdefaults\]/&\n client_aware_channel_bindings = true/' "$kdc_dir/krb5.conf" \
        >"$work/aware.conf"
    config=$KRB5_CONFIG KRB5_CONFIG=$work/aware.conf
    run api_channel_results Kerberos HTTP/barn aware
    KRB5_CONFIG=$config
    run api_kerberos_errors service HTTP/barn
    run api_kerberos_credentials "$kdc_realm" alice one HTTP/barn
    run api_kerberos_delegation HTTP/loft HTTP/barn "alice@$kdc_realm"
    # MIT's usual database has no place for who may act for clients: nobody may.
    run api_kerberos_proxy refused HTTP/barn HTTP/loft HTTP/hut "alice@$kdc_realm" \
        "$kdc_realm\\alice"
    client_circumstances
    server_circumstances
else
    fail_case "a KDC with a user and services" "$kdc_dir"/*.log "$kdc_dir"/*.out
fi
finish
