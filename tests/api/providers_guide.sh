#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The commands of dlls/PROVIDERS.md, taken from it and run one block after the other, in a copy of
# nothing but what they name. Environment: BUILD and SRCDIR, as tools/check sets them; WINEPREFIX
# has the modules installed.

set -u
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
work=$(mktemp -d) || exit 1
export WINEDEBUG=-all WINESSPI_MODULES="$BUILD"
guide=$SRCDIR/dlls/PROVIDERS.md
lsa='HKLM\SYSTEM\CurrentControlSet\Control\Lsa'
value='Security Packages'
# reg export gives the value in a form that reg import takes back.
wine reg export "$lsa" "Z:$work/lsa.reg" /y >"$work/saved" 2>&1 </dev/null || exit 1
end() {
    rm -f "$WINEPREFIX/drive_c/windows/system32/ssp_example.dll"
    wine reg delete "$lsa" /v "$value" /f >"$work/ended" 2>&1 </dev/null
    wine reg import "Z:$work/lsa.reg" >"$work/ended" 2>&1 </dev/null
    wine reg delete 'HKLM\SOFTWARE\Example' /f /reg:64 >"$work/ended" 2>&1 </dev/null
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM HUP
passed=0
failed=0

mkdir "$work/top" "$work/top/tools" "$work/top/tests" || exit 1
cp -R "$SRCDIR/tests/providers" "$work/top/tests/" || exit 1
printf '#!/bin/sh\nexec "%s/tools/winesspi" "$@"\n' "$SRCDIR" >"$work/top/tools/winesspi"
chmod +x "$work/top/tools/winesspi"

# block NUMBER: the commands of that block of the guide.
block() {
    awk -v wanted="$1" '/^```sh$/ { inside = 1; number++; next } /^```$/ { inside = 0 }
        inside && number == wanted' "$guide"
}

# block_is NUMBER NAME PATTERN...: it succeeds, command by command, and prints the patterns.
block_is() {
    number=$1 name=$2
    shift 2
    block "$number" >"$work/block.sh"
    (cd "$work/top" && sh -e "$work/block.sh") >"$work/output" 2>&1 </dev/null
    found=$?
    bad=
    [ "$found" = 0 ] || bad="status $found"
    [ -s "$work/block.sh" ] || bad='there is no such block'
    for pattern; do
        grep -q -e "$pattern" "$work/output" || bad="$bad; no $pattern"
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

block_is 1 'the build'
block_is 2 'the check' '^Package Example' ' 0 breaches'
block_is 3 'the registration' 'ssp_negotiate.*ssp_ntlm'
block_is 4 'its use' '^Example ' 'Handshake of package Example' 'exported two contexts' \
    'The contexts live on'
block_is 5 'the trace' 'no complaint'
name='no block is left out'
if [ -z "$(block 6)" ]; then
    passed=$((passed + 1))
    printf 'ok   %s\n' "$name"
else
    failed=$((failed + 1))
    printf 'FAIL %s\n' "$name"
fi

printf 'providers_guide: %d passed, %d failed, 0 skipped\n' "$passed" "$failed"
[ "$failed" = 0 ]
