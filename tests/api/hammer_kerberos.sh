#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs the program api_hammer with Kerberos among its packages, over a KDC of its own. Environment:
# BUILD, SRCDIR and ARCH, as tools/check sets them; WINEPREFIX has the modules installed.

set -u
name=hammer_kerberos
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
# shellcheck source=tests/include/cases.sh
. "$SRCDIR/tests/include/cases.sh"
# shellcheck source=tests/include/kdc.sh
. "$SRCDIR/tests/include/kdc.sh"

programs=$BUILD/${ARCH:-x86_64}-windows
kdc_script

prepare() {
    kdc_add HTTP/barn && kdc_keys HTTP/barn && kdc_add alice one && kdc_login alice one
}

if kdc_start && prepare; then
    timeout 200 wine "$programs/api_hammer.exe" 10 HTTP/barn "$kdc_realm" alice one \
        >"$work/log" 2>&1 </dev/null
    count_log api_hammer $?
    tr -d '\r' <"$work/log" | sed '/^api_hammer: /d'
else
    fail_case 'a KDC with a user and a service' "$kdc_dir"/*.log "$kdc_dir"/*.out
fi
finish
