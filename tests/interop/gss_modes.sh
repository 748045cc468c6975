#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The portable library against the GSS-API mechanism gss-ntlmssp, natively: each kind of session
# and proof, at each level of compatibility. Environment: BUILD (build folder).

name=interop_gss_modes
: "${BUILD:?names the build folder}"
program=$BUILD/interop_core_gss
passed=0 failed=0 skipped=0

finish() {
    echo "$name: $passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

skip_all() {
    echo "skip $name: $1"
    skipped=1
    finish
}

mechanism=
for file in /usr/lib/*/gssntlmssp/gssntlmssp.so /usr/lib*/gssntlmssp/gssntlmssp.so; do
    [ -e "$file" ] && mechanism=$file
done
[ -x "$program" ] || skip_all "the GSS-API headers at build time (Debian package libkrb5-dev)"
[ "$mechanism" ] || skip_all "the NTLM mechanism for GSS-API (Debian package gss-ntlmssp)"

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

# The mechanism's configuration and accounts are the test's own.
echo "gssntlmssp_v1 1.3.6.1.4.1.311.2.2.10 $mechanism" >"$work/mech"
echo 'INTEROP:alice:Password' >"$work/users"
export GSS_MECH_CONFIG="$work/mech" NTLM_USER_FILE="$work/users"
export NETBIOS_DOMAIN_NAME=INTEROP NETBIOS_COMPUTER_NAME=SERVER
unset NTLMUSER

for level in 0 1 2 3 4 5; do
    LM_COMPAT_LEVEL=$level timeout 120 "$program" >"$work/out" 2>&1
    sed "s/^/level $level: /" "$work/out"
    counted=$(sed -n 's/^interop_core_gss: \([0-9]*\) passed, \([0-9]*\) failed, .*/\1 \2/p' \
        "$work/out")
    [ "$counted" ] || counted='0 1'
    passed=$((passed + ${counted% *}))
    failed=$((failed + ${counted#* }))
done
finish
