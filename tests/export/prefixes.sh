#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What an exported context is not good for: another prefix, even a copy of its own, and the time
# after its prefix's server has ended. And what is left of one whose process is killed with
# SIGKILL, by which no program can do anything more: it can be imported once or not at all. And that
# the local call of NTLM ends at its prefix: one that somebody passes on to another or sends again.
# Environment: BUILD and SRCDIR, as tools/check sets them.

set -u
: "${BUILD:?}" "${SRCDIR:?}"
program=$BUILD/${ARCH:-x86_64}-windows/export_process.exe
relayed=$BUILD/${ARCH:-x86_64}-windows/ntlm_relayed.exe
work=$(mktemp -d) || exit 1
one=$work/one two=$work/two
export WINEPREFIX="$one" WINESSPI_MODULES="$BUILD" WINEDEBUG=-all
unset WINEDLLOVERRIDES WINEDLLPATH WINEPATH WINEARCH DISPLAY
end() {
    for prefix in "$one" "$two"; do
        [ ! -d "$prefix" ] || WINEPREFIX=$prefix wineserver -k >/dev/null 2>&1
    done
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM HUP

passed=0
failed=0
ok=00000000 used=80090317 not_owner=80090306 more=00090312 denied=8009030c

# expect NAME STATUSES-OR-STATUSES: the last line of $work/output, without the count before them.
expect() {
    found=$(tail -n 1 "$work/output" | tr -d '\r' | sed 's/^[0-9]* //')
    case "|$2|" in
    *"|$found|"*) passed=$((passed + 1)); printf 'ok   %s\n' "$1" ;;
    *) failed=$((failed + 1)); printf 'FAIL %s: %s, not %s\n' "$1" "$found" "$2" ;;
    esac
}

export_blob() { wine "$program" export "Z:$work/blob" >"$work/output" 2>&1; }
import_blob() { WINEPREFIX=$1 wine "$program" import "Z:$work/blob" >"$work/output" 2>&1; }

# serve PREFIX: a server; its statuses are the output, with a number before them like others.
serve() {
    WINEPREFIX=$1 wine "$relayed" server "Z:$work/talk" 2>&1 | sed 's/^/0 /' >"$work/output"
}

# talk SERVER-PREFIX CLIENT-PREFIX: a handshake of two prefixes, or of one.
talk() {
    rm -rf "$work/talk"
    mkdir "$work/talk"
    WINEPREFIX=$2 wine "$relayed" client "Z:$work/talk" >"$work/client" 2>&1 &
    client=$!
    serve "$1"
    wait "$client"
}

# What the client said last time, to a server with a new challenge.
say_again() {
    rm "$work/talk/challenge"
    serve "$1"
}

WINEDLLOVERRIDES='mscoree,mshtml=' wine wineboot -i >/dev/null 2>&1
"$SRCDIR/tools/winesspi" install >"$work/output" 2>&1 || { cat "$work/output"; exit 1; }
wineserver -k
wineserver -w
cp -a "$one" "$two"
WINEPREFIX=$one wineserver -p
WINEPREFIX=$two wineserver -p

export_blob
import_blob "$two"
expect other_prefix "$not_owner $not_owner"
import_blob "$one"
expect own_prefix "$ok $used"

# The other prefix has had a life of its own by now, with as many blobs.
(export WINEPREFIX="$two"; export_blob)
import_blob "$one"
expect blob_of_the_copy "$not_owner $not_owner"
import_blob "$two"
expect copy_itself "$ok $used"

talk "$one" "$two"
expect call_from_the_copy "$more $denied"
talk "$two" "$one"
expect call_to_the_copy "$more $denied"
talk "$one" "$one"
expect call_at_home "$more $ok"
say_again "$one"
expect call_again "$more $denied"
say_again "$two"
expect call_again_elsewhere "$more $denied"

export_blob
wineserver -k
wineserver -w
wineserver -p
import_blob "$one"
expect server_ended "$not_owner $not_owner"
say_again "$one"
expect call_again_at_the_next_server "$more $denied"
export_blob
import_blob "$one"
expect next_server "$ok $used"

# Each round: a process moves its context out and in without end, until it is killed.
left=0
bad=0
for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    rm -f "$work/blob"
    wine "$program" churn "Z:$work/blob" >/dev/null 2>&1 &
    churning=$!
    while [ ! -s "$work/blob" ] && kill -0 "$churning" 2>/dev/null; do sleep 0.02; done
    sleep "0.0$((round * 37 % 90 + 10))"
    kill -KILL "$churning"
    wait "$churning" 2>/dev/null
    import_blob "$one"
    case $(tail -n 1 "$work/output" | tr -d '\r' | sed 's/^[0-9]* //') in
    "$ok $used") left=$((left + 1)) ;;
    "$used $used") ;;
    *) bad=$((bad + 1)); cat "$work/output" ;;
    esac
done
printf '  killed with SIGKILL: %s of 20 blobs were left to import\n' "$left"
printf '0 %s\n' "$bad" >"$work/output"
expect killed 0

printf 'export_prefixes: %s passed, %s failed, 0 skipped\n' "$passed" "$failed"
[ "$failed" = 0 ]
