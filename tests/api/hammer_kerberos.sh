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
work=$(mktemp -d) || exit 1
trap 'kdc_stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

prepare() {
    kdc_add HTTP/barn && kdc_keys HTTP/barn && kdc_add alice one && kdc_login alice one
}

kdc_found || skip_all "$no_kdc"
if kdc_start && prepare; then
    timeout 200 wine "$programs/api_hammer.exe" 10 HTTP/barn "$kdc_realm" alice one \
        >"$work/log" 2>&1 </dev/null
    tr -d '\r' <"$work/log" | sed '/^api_hammer: /d'
    # shellcheck disable=SC2046 # three numbers
    set -- $(tr -d '\r' <"$work/log" | sed -n \
        's/^api_hammer: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
    passed=$((passed + ${1:-0})) failed=$((failed + ${2:-1})) skipped=$((skipped + ${3:-0}))
else
    fail_case 'a KDC with a user and a service' "$kdc_dir"/*.log "$kdc_dir"/*.out
fi
finish
