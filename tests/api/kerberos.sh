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
work=$(mktemp -d) || exit 1
trap 'kdc_stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

prepare() {
    for service in HTTP/barn HTTP/barn:8080 HTTP/silo keeper; do kdc_add "$service"; done
    kdc_admin -q 'addprinc -randkey +ok_as_delegate HTTP/loft' >>"$kdc_dir/kadmin.log" 2>&1
    kdc_add alice one
    kdc_keys HTTP/barn HTTP/loft
    kdc_login alice one
}

# run PROGRAM ARGUMENT...: what it has counted is ours.
run() {
    program=$1
    shift
    timeout 300 wine "$programs/$program.exe" "$@" >"$work/log" 2>&1 </dev/null
    tr -d '\r' <"$work/log"
    counts=$(tr -d '\r' <"$work/log" | sed -n \
        "s/^$program: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped\$/\1 \2 \3/p")
    # shellcheck disable=SC2086 # three numbers
    set -- ${counts:-0 1 0}
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

# fails WHAT STATUS SERVICE [VARIABLE=VALUE...]: the client's first leg in other circumstances.
fails() {
    what=$1 status=$2 service=$3
    shift 3
    ok "$what: $status" timeout 60 env "$@" wine "$programs/api_kerberos_errors.exe" \
        client "$status" "$service"
}

circumstances() {
    fails 'no tickets' 8009030e HTTP/barn KRB5CCNAME="FILE:$work/none"
    fails 'an unknown service' 80090303 HTTP/shed
    printf '[libdefaults]\n dns_lookup_kdc = false\n' >"$work/nothing.conf"
    fails 'no tickets and no realm' 8009030e HTTP/barn KRB5CCNAME="FILE:$work/none" \
        KRB5_CONFIG="$work/nothing.conf"
    sed "s/127.0.0.1:$kdc_port/127.0.0.1:1/" "$kdc_dir/krb5.conf" >"$work/dead.conf"
    fails 'a KDC that does not answer' 80090311 HTTP/silo KRB5_CONFIG="$work/dead.conf"
}

kdc_found || skip_all "$no_kdc"
if kdc_start && prepare; then
    run api_kerberos_legs HTTP/barn
    run api_kerberos_errors service HTTP/barn
    run api_kerberos_credentials "$kdc_realm" alice one HTTP/barn
    run api_kerberos_delegation HTTP/loft HTTP/barn "alice@$kdc_realm"
    circumstances
else
    fail_case "a KDC with a user and services" "$kdc_dir"/*.log "$kdc_dir"/*.out
fi
finish
