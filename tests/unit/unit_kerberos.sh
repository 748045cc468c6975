#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The Unix half of ssp_kerberos over a KDC of its own, natively, with MIT's library and with
# Heimdal's where that is. Environment: NATIVE (folder of the native programs) and SRCDIR.

set -u
name=unit_kerberos
: "${NATIVE:?}"
# shellcheck source=tests/include/cases.sh
. "${SRCDIR:?}/tests/include/cases.sh"
# shellcheck source=tests/include/kdc.sh
. "$SRCDIR/tests/include/kdc.sh"

kdc_script
kdc_libdefaults='allow_rc4 = true'

# run LIBRARY PROGRAM: what it has counted is ours.
run() {
    echo "$2 with $1"
    GSS_LIBRARY=$1 timeout 120 "$NATIVE/$2" >"$work/log" 2>&1
    count_log "$2" $?
    cat "$work/log"
}

# has_library NAME
has_library() { PATH=$PATH:/sbin:/usr/sbin ldconfig -p | grep -q "$1 "; }

add_users() {
    kdc_add alice "alice's"
    kdc_add bob "bob's"
    kdc_add HTTP/localhost
    kdc_add host/localhost
    kdc_add nokey/localhost
    for enctype in rc4-hmac camellia256-cts; do
        kdc_admin -q "addprinc -randkey -e $enctype:normal $enctype/localhost"
    done >>"$kdc_dir/kadmin.log" 2>&1
    kdc_keys HTTP/localhost host/localhost rc4-hmac/localhost camellia256-cts/localhost
}

# login CACHE CONFIGURATION ARGUMENT...: a cache of tickets beside the usual one.
login() {
    cache=$1 configuration=$2
    shift 2
    KRB5_CONFIG=$kdc_dir/$configuration kinit -c "FILE:$kdc_dir/$cache" "$@" \
        >>"$kdc_dir/kinit.log" 2>&1
}

prepare() {
    for enctype in rc4-hmac camellia256-cts; do
        sed "s/^\[libdefaults\]/&\n permitted_enctypes = $enctype/" "$kdc_dir/krb5.conf" \
            >"$kdc_dir/$enctype.conf"
        echo "alice's" | login "tickets-$enctype" "$enctype.conf" alice || return 1
    done
    sed "s/127.0.0.1:$kdc_port/127.0.0.1:1/" "$kdc_dir/krb5.conf" >"$kdc_dir/no-kdc.conf"
    sed '/default_realm/d' "$kdc_dir/krb5.conf" >"$kdc_dir/no-realm.conf"
    sed 's/^\[libdefaults\]/&\n clockskew = 1/' "$kdc_dir/krb5.conf" >"$kdc_dir/skew.conf"
    kdc_login alice "alice's" &&
        echo "bob's" | login tickets-bob krb5.conf bob &&
        echo "alice's" | login tickets-expired krb5.conf -l 1s alice &&
        login tickets-service krb5.conf -k -f HTTP/localhost &&
        printf 'addent -password -p %s -k 1 -e aes256-cts\nwrong\nwkt %s\n' \
            HTTP/localhost "$kdc_dir/wrong-keytab" | ktutil >>"$kdc_dir/kinit.log" 2>&1
}

[ -x "$NATIVE/kdc_exchange" ] || skip_all 'the headers of MIT Kerberos (Debian package libkrb5-dev)'
if kdc_start && add_users && prepare; then
    export KDC_DIR="$kdc_dir"
    run libgssapi_krb5.so.2 kdc_exchange
    run libgssapi_krb5.so.2 kdc_errors
    run libgssapi_krb5.so.2 kdc_user
    if has_library libgssapi.so.3; then
        # Heimdal asks over UDP unless it is told.
        sed -i 's|kdc = 127|kdc = tcp/127|' "$kdc_dir"/*.conf
        # It has leaks of its own.
        printf 'leak:libkrb5.so.26\nleak:libgssapi.so.3\n' >"$work/leaks"
        export LSAN_OPTIONS="suppressions=$work/leaks:print_suppressions=0"
        run libgssapi.so.3 kdc_exchange
        run libgssapi.so.3 kdc_errors
        run libgssapi.so.3 kdc_user
    else
        skipped=$((skipped + 1))
        echo "skip $name: Heimdal's library (Debian package libgssapi3-heimdal)"
    fi
else
    fail_case "a KDC with users" "$kdc_dir"/*.log "$kdc_dir"/*.out
fi
finish
