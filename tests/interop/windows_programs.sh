#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs that were built for Windows and know nothing of this project, with its modules: node.exe
# with two add-ons that call SSPI, PostgreSQL's server and client library with its authentication
# method sspi, and a libcurl.dll that authenticates by SSPI. They come from the npm registry.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_windows_programs
# shellcheck source=tests/interop/web.sh
. "${SRCDIR:?names the source folder}/tests/interop/web.sh"
# shellcheck source=tests/interop/npm.sh
. "$SRCDIR/tests/interop/npm.sh"
user=$domain\\bob
password=Password

add_account "$user" "$password"

run_node "$domain" "${user#*\\}" "$password"

# libcurl: our web server, whose workers share nothing, says who the client is. This build of the
# library has Negotiate only.
# curl_case CASE EXPECTED PASSWORD
curl_case() {
    timeout 60 "$WINE" "$libraries" curl "$(windows_path "$postgres/libcurl.dll")" \
        "http://127.0.0.1:$port/" "$user:$3" >"$work/result" 2>&1 </dev/null 3>&-
    expect "$1" "$(result_of)" "$2" "$work/result" "$work/server"
}

start_workers
curl_case 'libcurl.dll' "200 user: $domain/bob*" "$password"
curl_case 'libcurl.dll, wrong password' '401 *' wrong
stop_workers

# PostgreSQL: initdb makes the user of the prefix the owner of everything; the server believes
# nobody but SSPI, and takes the user's name from the context's token.
pg_ctl() { timeout 60 "$WINE" "$postgres/pg_ctl.exe" -D "$data" "$@" </dev/null; }

# postgres_case CASE EXPECTED CONNINFO: the session's user, or the beginning of the error.
postgres_case() {
    timeout 60 "$WINE" "$libraries" pq "$(windows_path "$postgres/libpq.dll")" \
        "host=127.0.0.1 port=$port dbname=postgres connect_timeout=20 $3" \
        >"$work/result" 2>&1 </dev/null
    expect "$1" "$(result_of)" "$2" "$work/result" "$work/log"
}

owner=$($limit "$WINE" cmd /c 'echo %USERNAME%' 2>/dev/null </dev/null | tr -d '\r')
data=$(windows_path "$work")\\data
timeout 180 "$WINE" "$postgres/initdb.exe" -D "$data" -U "$owner" -A reject --no-sync \
    --no-instructions -E UTF8 --locale=C >"$work/initdb" 2>&1 </dev/null
printf 'host all all 127.0.0.1/32 sspi include_realm=0\n' >"$work/data/pg_hba.conf"
# It wants to be told its port: one that is taken makes it end, and another is tried.
started=
for attempt in 1 2 3 4 5; do
    port=$(awk -v seed="$$$attempt" 'BEGIN { srand(seed); print 20000 + int(rand() * 12000) }')
    if pg_ctl -l "$(windows_path "$work")\\log" -w -t 50 \
        -o "-p $port -c listen_addresses=127.0.0.1" start >"$work/start" 2>&1; then
        started=yes
        break
    fi
done
if [ "$started" ]; then
    postgres_case "PostgreSQL's server and libpq.dll, default credentials" "$owner" "user=$owner"
    postgres_case "PostgreSQL, another user's name" '*SSPI authentication failed*' user=somebody
    pg_ctl stop -m immediate >/dev/null 2>&1
else
    fail_case 'the PostgreSQL server starts' "$work/initdb" "$work/start" "$work/log"
fi
finish
