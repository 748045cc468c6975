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
# shellcheck source=tests/interop/postgres.sh
. "$SRCDIR/tests/interop/postgres.sh"
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

if start_windows_postgres; then
    postgres_case "PostgreSQL's server and libpq.dll, default credentials" "$owner" "user=$owner"
    postgres_case "PostgreSQL, another user's name" '*SSPI authentication failed*' user=somebody
    end_windows_postgres
else
    fail_case 'the PostgreSQL server starts' "$work/initdb" "$work/start" "$work/log"
fi
finish
