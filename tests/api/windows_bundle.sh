#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The archive of "make windows-bundle": unpacked, its batch file run by Wine's command interpreter,
# the record that comes out compared with one of Wine's own modules. A few programs stand for all.
# Environment: BUILD, SRCDIR and WINEPREFIX, as tools/check sets them.

set -u
name=windows_bundle
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
compare=$SRCDIR/tests/conformance/compare
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
# shellcheck source=tests/include/cases.sh
. "$SRCDIR/tests/include/cases.sh"

for tool in zip unzip; do
    command -v "$tool" >/dev/null || skip_all "$tool (Debian package $tool)"
done

# Into a folder whose name no code page of the West has.
unpack() {
    mkdir "$work/Запись" && make -C "$BUILD" windows-bundle bundle_folder="$work" &&
        unzip -q "$work"/*-windows-tests.zip -d "$work/Запись" || return 1
    folder=$(echo "$work"/Запись/*-windows-tests)
    cat "$folder/README.txt" "$folder/COPYING.txt" >/dev/null
}

# run RECORD OVERRIDES PROGRAM...: the batch file, and what it wrote. The locale is for the folder's
# name.
run() {
    kept=$work/$1
    overrides=$2
    shift 2
    (
        cd "$folder" && export LC_ALL=C.UTF-8 WINEDLLOVERRIDES="$overrides" &&
            timeout 120 wine cmd.exe /c run.cmd "$@"
    ) && mv "$folder/record.txt" "$kept"
}

# has RECORD PATTERN
has() { tr -d '\r' <"$work/$1" | grep -q "$2"; }
has_not() { ! has "$1" "$2"; }

# page_is_whole FILE: one page, nothing from elsewhere, as many tables begun as ended.
page_is_whole() {
    ! grep -E -i '(src|href)="?(https?:)?//|<script|<link|@import|url\(' "$1" &&
        [ "$(grep -o '<table' "$1" | wc -l)" = "$(grep -o '</table' "$1" | wc -l)" ] &&
        [ "$(grep -o '<details' "$1" | wc -l)" = "$(grep -o '</details' "$1" | wc -l)" ] &&
        [ "$(tail -n 1 "$1")" = '</html>' ] && grep -q '<html lang="en">' "$1"
}

# Two systems that disagree on a statement and on a probe, and agree on a statement.
differences() {
    {
        printf 'source\tx.c\t1\t9\t[D page]\nsystem\tOne\n'
        printf 'check\tx\tt\tx.c:1\tfailed\ta == 1\tw\tw 2\n'
        printf 'check\tx\tt\tx.c:2\tpassed\tb\tw\tw\nprobe\tx\tt\tx.c:3\t-\tsize\t%%u\t5\n'
    } >"$work/one"
    {
        printf 'system\tTwo\ncheck\tx\tt\tx.c:1\tpassed\ta == 1\tw\tw 1\n'
        printf 'check\tx\tt\tx.c:2\tpassed\tb\tw\tw\nprobe\tx\tt\tx.c:3\t-\tsize\t%%u\t6\n'
    } >"$work/two"
    cat >"$work/expected" <<'EOF'
A: One: 1 hold, 1 do not, 0 expected not to, 1 seen, 0 not stated
B: Two: 2 hold, 0 do not, 0 expected not to, 1 seen, 0 not stated

On these the systems differ

x t
    a == 1    [D page]
      A does not hold: w 2
      B holds
    size    [D page]
      A seen: 5
      B seen: 6
EOF
    "$compare" "$work/one" "$work/two" | diff "$work/expected" -
}

page() { "$compare" --html "$work/builtin" "$work/ours" >"$work/page.html"; }

# A program that ended in a crash, and one whose end nobody saw.
broken_record() {
    printf 'system\tA\nbegin\tapi_x\nend\tapi_x\tc0000005\nbegin\tapi_y\n' >"$work/broken"
    "$compare" "$work/broken" >"$work/text" && grep -q 'status c0000005' "$work/text" &&
        grep -q 'status unknown' "$work/text"
}

refuses() { ! "$compare" "$folder/statements.txt"; }

ok 'the archive is made and unpacks' unpack
ok 'the batch file runs on ours' run ours '' api_packages api_table api_probes
ok 'and on the builtin modules' run builtin 'secur32,sspicli=b' api_packages api_table api_probes
ok 'the record begins with the sources' has ours '^source.api/packages\.c.*\[W8 main\.c:143-159\]$'
ok 'it says what it is of' has ours '^system.winesspi on Wine .*, 64-bit$'
ok 'the other too' has builtin '^system.Wine .*, 64-bit$'
ok 'it has statements' has ours '^check.api_packages.test_ntlm_info.api/packages\.c:[0-9]*.passed'
ok 'and probes' has ours '^probe.api_probes.test_risky..*.-.export without a handle'
ok 'the programs end' has ours '^end.api_table.0$'
ok 'what is ours is not stated on others' has builtin '^skip.api_packages.test_null_arguments'
ok 'but on ours' has_not ours '^skip.api_packages.test_null_arguments'
ok 'compare shows what differs' differences
ok 'compare makes a page' page
ok 'the page is whole' page_is_whole "$work/page.html"
ok 'a crash is a row' broken_record
ok 'what is no record is refused' refuses
finish
