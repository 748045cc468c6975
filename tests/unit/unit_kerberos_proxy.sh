#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The Unix half of ssp_kerberos where services act for their clients, natively. MIT's KDC has no
# place in its usual database for who may; Heimdal's has. Environment: NATIVE (folder of the native
# programs), SRCDIR, and BUILD, the folder that Heimdal is unpacked in, if not NATIVE.

set -u
name=unit_kerberos_proxy
: "${NATIVE:?}"
# shellcheck source=tests/include/cases.sh
. "${SRCDIR:?}/tests/include/cases.sh"
: "${BUILD:=$NATIVE}"
# shellcheck source=tests/interop/heimdal.sh
. "$SRCDIR/tests/interop/heimdal.sh"

work=$(mktemp -d) || exit 1
trap 'kdc_stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

add_principals() {
    heimdal_admin add -p "alice's" --use-defaults alice &&
        heimdal_admin add -p "bob's" --use-defaults bob &&
        heimdal_admin add -r --use-defaults HTTP/localhost back/localhost closed/localhost &&
        heimdal_admin modify --constrained-delegation="back/localhost@$kdc_realm" \
            --attributes=+trusted-for-delegation HTTP/localhost &&
        heimdal_admin ext_keytab -k "$kdc_dir/keytab" HTTP/localhost back/localhost \
            closed/localhost
}

# login CACHE ARGUMENT...
login() {
    cache=$1
    shift
    kinit -c "FILE:$kdc_dir/$cache" "$@" >>"$kdc_dir/kinit.log" 2>&1
}

# run LIBRARY
run() {
    echo "kdc_proxy with $1"
    GSS_LIBRARY=$1 timeout 120 "$NATIVE/kdc_proxy" >"$work/log" 2>&1
    count_log kdc_proxy $?
    cat "$work/log"
}

[ -x "$NATIVE/kdc_proxy" ] || skip_all 'the headers of MIT Kerberos (Debian package libkrb5-dev)'
command -v kinit >/dev/null || skip_all 'the programs of MIT Kerberos (Debian package krb5-user)'
unpack_heimdal || skip_all "Heimdal's KDC (Debian packages heimdal-kdc, heimdal-clients)"
if start_heimdal && add_principals && echo "alice's" | login tickets alice &&
    echo "alice's" | login tickets-plain -F alice &&
    login tickets-service -k -t "$kdc_dir/keytab" HTTP/localhost; then
    export KDC_DIR="$kdc_dir"
    run libgssapi_krb5.so.2
    cp "$kdc_dir/heimdal.conf" "$kdc_dir/krb5.conf"
    printf 'leak:libkrb5.so.26\nleak:libgssapi.so.3\n' >"$work/leaks"
    export LSAN_OPTIONS="suppressions=$work/leaks:print_suppressions=0"
    export LD_LIBRARY_PATH="$heimdal_libraries"
    run libgssapi.so.3
else
    fail_case "a KDC with users" "$kdc_dir"/*.log "$kdc_dir"/*.out
fi
finish
