#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The programs about messages and attributes of Kerberos, with contexts that the library of the host
# has established over a KDC of the script's own: of each encryption type that the project makes
# messages of, and of one whose messages it leaves to the library. Environment: BUILD, SRCDIR,
# WINEPREFIX, as tools/check sets them.

set -u
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
name=api_kerberos_messages
# shellcheck source=tests/include/cases.sh
. "$SRCDIR/tests/include/cases.sh"
# shellcheck source=tests/include/kdc.sh
. "$SRCDIR/tests/include/kdc.sh"
kdc_script
programs=$BUILD/${ARCH:-x86_64}-windows

kdc_libdefaults=$kdc_weak
kdc_start || {
    fail_case 'the KDC starts' "$work"/kdc/*.log
    finish
}
kdc_add client secret

# run_kind TYPE KIND: what the library of the host calls the type, and what the programs call it.
run_kind() {
    if ! kdc_enctype "$1" client secret; then
        fail_case "a ticket of $1" "$kdc_dir/kinit.log"
        return
    fi
    for program in message order attributes; do
        ok "$program, $2" timeout 100 wine "$programs/api_kerberos_$program.exe" "$1/localhost" "$2"
    done
}

run_kind aes128-cts-hmac-sha1-96 aes128-sha1
run_kind aes256-cts-hmac-sha1-96 aes256-sha1
run_kind aes128-cts-hmac-sha256-128 aes128-sha256
run_kind aes256-cts-hmac-sha384-192 aes256-sha384
run_kind arcfour-hmac rc4
run_kind camellia256-cts-cmac camellia256
finish
