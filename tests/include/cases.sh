# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables that the script sets that sources this
#
# The cases of a script: what passes and fails is counted and said, as tools/check reads it. The
# caller sets $name, sources this file and ends with finish.

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

pass_case() {
    passed=$((passed + 1))
    echo "ok   $1"
}

# fail_case NAME FILE...: with what the files say.
fail_case() {
    failed=$((failed + 1))
    echo "FAIL $1"
    shift
    for file; do
        [ ! -f "$file" ] || sed "s|^|  $(basename "$file"): |" "$file"
    done
}

# ok NAME COMMAND...: a case that passes when the command succeeds. Its output goes to the folder
# $work, and is shown when it fails.
ok() {
    case_name=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        pass_case "$case_name"
    else
        fail_case "$case_name" "$work/output"
    fi
}
