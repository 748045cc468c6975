# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables that are set or used by the script that sources this
#
# PostgreSQL for Windows: its client library, and its server, whose method of authentication is
# SSPI. The caller has sourced npm.sh before.

# shellcheck source=tests/include/ports.sh
. "$SRCDIR/tests/include/ports.sh"

# postgres_case CASE EXPECTED CONNINFO: libpq.dll: the session's user, or the error.
postgres_case() {
    $limit "$WINE" "$libraries" pq "$(windows_path "$postgres/libpq.dll")" \
        "host=localhost hostaddr=127.0.0.1 port=$port dbname=postgres connect_timeout=20 $3" \
        >"$work/result" 2>&1 </dev/null
    expect "$1" "$(result_of)" "$2" "$work/result" "$work/log"
}

pg_ctl() { timeout 60 "$WINE" "$postgres/pg_ctl.exe" -D "$data" "$@" </dev/null; }

# start_windows_postgres: on $port. initdb makes the user of the prefix, $owner, that of everything;
# the server believes nobody but SSPI, and takes the user's name from the context's token. It wants
# to be told its port: one that is taken makes it end, and another is tried.
start_windows_postgres() {
    owner=$($limit "$WINE" cmd /c 'echo %USERNAME%' 2>/dev/null </dev/null | tr -d '\r')
    data=$(windows_path "$work")\\data
    timeout 180 "$WINE" "$postgres/initdb.exe" -D "$data" -U "$owner" -A reject --no-sync \
        --no-instructions -E UTF8 --locale=C >"$work/initdb" 2>&1 </dev/null
    printf 'host all all 127.0.0.1/32 sspi include_realm=0\n' >"$work/data/pg_hba.conf"
    for _ in 1 2 3; do
        port=$(free_port)
        pg_ctl -l "$(windows_path "$work")\\log" -w -t 50 \
            -o "-p $port -c listen_addresses=127.0.0.1" start >"$work/start" 2>&1 && return
    done
    return 1
}
end_windows_postgres() { pg_ctl stop -m immediate >/dev/null 2>&1; }
