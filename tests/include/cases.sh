# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables that the script sets that sources this
#
# The cases of a script: what passes and fails is counted and said, as tools/check reads it. The
# caller sets $name, sources this file and ends with finish. $work is a folder of its own.

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

# count_log PROGRAM STATUS: the cases of a program that has counted them, in $work/log, are the
# script's. One that ended badly without having counted a failure, or before it had counted, is one
# failure.
count_log() {
    counts=$(tr -d '\r' <"$work/log" |
        sed -n "s/^$1: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped\$/\1 \2 \3/p")
    ended=$2
    # shellcheck disable=SC2086 # three numbers
    set -- ${counts:-0 1 0}
    [ "$ended" = 0 ] || [ "$2" != 0 ] || set -- "$1" 1 "$3"
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
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

# wait_until COMMAND...: until it succeeds; false after half a minute, in which a slow machine has
# done what will be done at all.
wait_until() {
    tries=0
    until "$@"; do
        [ $tries -lt 1000 ] || return 1
        tries=$((tries + 1))
        sleep 0.03
    done
}

# has_ended PID: of a program that this shell has started.
has_ended() { ! kill -0 "$1" 2>/dev/null; }
