#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Makes the conformance page: what the programs of tests/api state and see on Wine's own modules
# and on ours, beside the records of Windows machines that are in tests/conformance/records.
# "tools/check report" calls this with BUILD, SRCDIR and WINEPREFIX set, our modules installed in
# the prefix. Arguments: names of programs, or none for all.

set -u
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
conformance=$SRCDIR/tests/conformance
programs=$BUILD/x86_64-windows
folder=$BUILD/report
name=report
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
# shellcheck source=tests/include/cases.sh
. "$SRCDIR/tests/include/cases.sh"

[ $# -gt 0 ] || {
    # shellcheck disable=SC2046 # no name has a space
    set -- $(cd "$programs" && find . -name 'api_*.exe' ! -name 'api_core_*' |
        sed 's|^./||; s|.exe$||' | sort) export_context
}

# record FILE OVERRIDES PROGRAM...
record() {
    file=$folder/$1
    overrides=$2
    shift 2
    awk -f "$conformance/sources.awk" "$SRCDIR"/tests/api/*.c "$SRCDIR"/tests/export/context.c \
        >"$file" || return 1
    WINEDLLOVERRIDES=$overrides wine "$programs/conformance_record.exe" "Z:$file" "$@"
}

# write FILE COMMAND...
write() {
    file=$folder/$1
    shift
    "$@" >"$file"
}

# names_both FILE: the page has a column for either side.
names_both() {
    grep -q '>Wine [^,]*, 64-bit<' "$1" && grep -q '>winesspi on Wine [^,]*, 64-bit<' "$1"
}

mkdir -p "$folder" || exit 1
ok 'a record of the builtin modules' record builtin.txt 'secur32,sspicli=b' "$@"
ok 'a record of ours' record ours.txt '' "$@"
set --
for file in "$conformance"/records/*.txt; do [ ! -f "$file" ] || set -- "$@" "$file"; done
set -- "$@" "$folder/builtin.txt" "$folder/ours.txt"
ok 'the page' write index.html "$conformance/compare" --html "$@"
ok 'the text' write index.txt "$conformance/compare" "$@"
ok 'both sides are there' names_both "$folder/index.html"
sed -n '/^[A-Z]: /p' "$folder/index.txt"
printf 'The page is %s/index.html, the same as text index.txt.\n' "$folder"
finish
