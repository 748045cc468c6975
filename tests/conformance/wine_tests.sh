#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Wine's own tests of secur32, as they stand in the source of the Wine that is installed, compiled
# against tests/include/wine/test.h and run on Wine's own modules and on ours. The source is
# Debian's and is fetched once (25 MB); where it cannot be had this is skipped. A test passes when
# nothing fails on ours: a statement that Wine marks as todo and that holds on ours is no failure.
# Wine's kerberos.dll is among our packages meanwhile, since the tests take it that there is one.
# The test of Schannel is left out: it talks to a server on the Internet.
# Environment: BUILD, SRCDIR and WINEPREFIX, as tools/check sets them, with our modules installed.

set -u
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
folder=$BUILD/wine-tests
tarball=wine_8.0~repack.orig.tar.xz
address=http://deb.debian.org/debian/pool/main/w/wine/$tarball
checksum=537c6889647a528ee9092b109e65b0fde288ba55d535044907cf168ca6f6e745
tests=$folder/wine-8.0/dlls/secur32/tests
lsa='HKLM\System\CurrentControlSet\Control\Lsa'
passed=0
failed=0

end() {
    printf 'wine_tests: %d passed, %d failed, %d skipped\n' "$passed" "$failed" "$1"
    [ "$failed" = 0 ]
    exit
}

skip() {
    printf 'skip wine_tests: %s\n' "$1"
    end 1
}

# The source in the wanted version, or nothing.
fetch() {
    command -v curl >/dev/null || skip 'curl (Debian package curl)'
    curl -sS -f -m 300 -o "$folder/$tarball" "$address" || skip 'the source of Wine (no network?)'
    echo "$checksum  $folder/$tarball" | sha256sum -c - >/dev/null || skip "another $tarball"
    tar -xf "$folder/$tarball" -C "$folder" wine-8.0/dlls/secur32/tests || skip 'tar with xz'
    rm -f "$folder/$tarball"
}

# run TEST SIDE OVERRIDES: what fails goes to TEST-SIDE.failures, all output to TEST-SIDE.log. A
# program that does not get to its end fails with that.
run() {
    out=$folder/$1-$2
    WINEDLLOVERRIDES=$3 timeout 120 wine "$folder/$1.exe" >"$out.log" 2>/dev/null
    tr -d '\r' <"$out.log" | grep '^  ' | grep -v '^  todo succeeded' >"$out.failures"
    tr -d '\r' <"$out.log" | grep -q "^$1: [0-9]* passed" ||
        printf '  the program did not come to its end\n' >>"$out.failures"
    summary=$(tr -d '\r' <"$out.log" | sed -n "s/^$1: \([0-9]* passed.*\)/\1/p")
    printf '     %-10s %-8s %s\n' "$1" "$2" "$summary"
}

# use_packages MODULE...: for programs that start from now on.
use_packages() {
    list=$(printf '%s\\0' "$@")
    wine reg add "$lsa" /f /v 'Security Packages' /t REG_MULTI_SZ /d "${list%??}" >/dev/null 2>&1
}

# one TEST
one() {
    if ! x86_64-w64-mingw32-gcc -O1 -w -D_WIN32_WINNT=0x0A00 -I"$SRCDIR/tests/include" \
        -o "$folder/$1.exe" "$tests/$1.c" -lsecur32 -ladvapi32 -lntdll; then
        printf 'FAIL %s: does not compile\n' "$1"
        failed=$((failed + 1))
        return
    fi
    run "$1" builtin 'secur32,sspicli=b'
    run "$1" ours ''
    if [ -s "$folder/$1-ours.failures" ]; then
        printf 'FAIL %s: %s statements, %s on the builtin modules\n' "$1" \
            "$(wc -l <"$folder/$1-ours.failures")" "$(wc -l <"$folder/$1-builtin.failures")"
        cat "$folder/$1-ours.failures"
        failed=$((failed + 1))
    else
        printf 'ok   %s\n' "$1"
        passed=$((passed + 1))
    fi
}

mkdir -p "$folder" || exit 1
case $(wine --version) in wine-8.0*) ;; *) skip 'Wine 8.0' ;; esac
[ -f "$tests/secur32.c" ] || fetch
trap 'use_packages ssp_negotiate ssp_kerberos ssp_ntlm ssp_schannel' EXIT
trap 'exit 130' INT TERM HUP
use_packages ssp_negotiate ssp_ntlm ssp_schannel kerberos ||
    skip 'a list of packages that can be set'
one main
one negotiate
one ntlm
one secur32
end 0
