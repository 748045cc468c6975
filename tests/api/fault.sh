#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs the program fault in a folder of its own: beside modules that are made for it, and beside
# those that are installed, whose heap asks the system for less. Environment: BUILD, as tools/check
# sets it; WINEPREFIX has the modules installed.

set -u
: "${BUILD:?}" "${WINEPREFIX:?}"
programs=$BUILD/${ARCH:-x86_64}-windows
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
cp "$programs/fault.exe" "$programs/prov_logon.dll" "$programs/prov_lsa.dll" "$work" || exit 1

passed=0
failed=0
skipped=0

# run FOLDER [cold]: what the program counted is added up; no count is a failure.
run() {
    for module in secur32 ssp_ntlm ssp_negotiate; do
        cp "$1/$module.dll" "$work" || exit 1
    done
    wine "$work/fault.exe" ${2:+"$2"} >"$work/output" 2>&1
    tr -d '\r' <"$work/output" | sed '/^fault: /d'
    # shellcheck disable=SC2046 # three numbers
    set -- $(tr -d '\r' <"$work/output" |
        sed -n 's/^fault: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
    passed=$((passed + ${1:-0}))
    failed=$((failed + ${2:-1}))
    skipped=$((skipped + ${3:-0}))
}

run "$programs/plain"
run "$programs" cold # libgcrypt begins with what their heap has to spare
printf 'fault: %d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
