#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# sspictl check-provider on modules that keep the contract and on modules that break it, each in its
# own way. Environment: BUILD and SRCDIR, as tools/check sets them; WINEPREFIX has the modules
# installed.

set -u
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
work=$(mktemp -d) || exit 1
export WINEDEBUG=-all
modules=$BUILD/x86_64-windows
sspictl=$modules/sspictl.exe
example='HKLM\SOFTWARE\Example'
end() {
    wine reg delete "$example" /f /reg:64 >"$work/ended" 2>&1
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM HUP
passed=0
failed=0

# check_is NAME STATUS MODULE PATTERN...: the command ends with the status, and each pattern is in
# its output; "-" in front of one: it is not.
check_is() {
    name=$1 status=$2 module=$3
    shift 3
    wine "$sspictl" check-provider "Z:$module" --seconds "$seconds" \
        --target "$target" </dev/null >"$work/output" 2>&1
    found=$?
    bad=
    [ "$found" = "$status" ] || bad="status $found"
    for pattern; do
        if grep -q -e "${pattern#-}" "$work/output"; then
            [ "${pattern#-}" = "$pattern" ] || bad="$bad; there is ${pattern#-}"
        else
            [ "${pattern#-}" != "$pattern" ] || bad="$bad; no $pattern"
        fi
    done
    if [ -z "$bad" ]; then
        passed=$((passed + 1))
        printf 'ok   %s\n' "$name"
    else
        failed=$((failed + 1))
        printf 'FAIL %s: %s\n' "$name" "$bad"
        sed 's/^/  /' "$work/output"
    fi
}

hostile() { # FAULT PATTERN
    cp "$modules/prov_hostile.dll" "$work/hostile_$1.dll" || exit 1
    check_is "hostile: $1" 1 "$work/hostile_$1.dll" "$2"
}

seconds=100
target=RestrictedKrbHost/localhost # what NTLM takes for this machine
wine reg add "$example" /v Secret /d sesame /f /reg:64 >"$work/output" 2>&1 </dev/null
check_is 'the example keeps everything' 0 "$modules/ssp_example.dll" \
    '^Package Example' '^kept *messages ' '^kept *export and import ' '^kept *leaks ' \
    '^kept *damaged tokens ' '^absent *half-open export ' -BREACH
check_is 'NTLM keeps everything' 0 "$modules/ssp_ntlm.dll" \
    '^Package NTLM' '^kept *half-open export .*3 stages' -BREACH -absent
check_is 'Negotiate keeps everything' 0 "$modules/ssp_negotiate.dll" \
    '^Package Negotiate' '^kept *half-open export .*4 stages' -BREACH -absent
check_is 'a module for log-ons alone' 0 "$modules/prov_sparse.dll" '^absent *credentials' -BREACH
check_is 'an export of nothing' 1 "$modules/prov_lsa.dll" \
    '^Package TestEmptyExport' '^BREACH *export and import .*SEC_E_CANNOT_PACK'
check_is 'an authentication package' 1 "$modules/prov_ap.dll" '^BREACH *entry points .*log-ons'
cp "$SRCDIR/COPYING" "$work/text.dll"
check_is 'a text file' 1 "$work/text.dll" '^BREACH *file .*no DLL'
target=test/target
check_is 'a target' 1 "$modules/prov_sspi.dll" '^kept *entry points *InitSecurityInterfaceW' \
    '^kept *handshake ' '^BREACH *credentials .*SECPKG_NOT_FOUND'
check_is 'no file' 1 "$work/none.dll" '^BREACH *file '

hostile refuse '^BREACH *file .*DllMain'
hostile fail '^BREACH *LSA-mode tables .*0xc0000001'
hostile null '^BREACH *LSA-mode tables '
hostile wild '^BREACH *LSA-mode tables '
hostile million '^BREACH *LSA-mode tables *1000000'
hostile version '^BREACH *LSA-mode tables .*0x12345678'
hostile noinfo '^BREACH *LSA-mode tables .*GetInfo'
hostile crash '^BREACH *LSA-mode tables .*0xc0000005'
hostile exit '^BREACH *LSA-mode tables .*ended the process: 0x00000000'
hostile raise '^BREACH *LSA-mode tables .*0xe0000001'
hostile user '^BREACH *user-mode tables '
hostile throw '^BREACH *registration '
hostile init '^BREACH *registration '
hostile calls '^BREACH *credentials *2 exceptions were raised, last 0xe0000003'
seconds=3
hostile hang '^BREACH *LSA-mode tables *no end within 3 seconds'

printf 'check_provider: %d passed, %d failed, 0 skipped\n' "$passed" "$failed"
[ "$failed" = 0 ]
