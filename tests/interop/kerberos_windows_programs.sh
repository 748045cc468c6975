#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs that were built for Windows and know nothing of this project authenticate by Kerberos
# with its modules: libpq.dll to a PostgreSQL server of the host's, whose method is GSS, and to one
# of Windows', whose method is SSPI; libcurl.dll to Apache; node.exe with two add-ons that call
# SSPI. Debian's PostgreSQL is not installed by tools/check, since Debian starts it at once for
# everybody. Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_kerberos_windows_programs
# shellcheck source=tests/interop/web.sh
. "${SRCDIR:?names the source folder}/tests/interop/web.sh"
# shellcheck source=tests/interop/npm.sh
. "$SRCDIR/tests/interop/npm.sh"
# shellcheck source=tests/interop/apache_server.sh
. "$SRCDIR/tests/interop/apache_server.sh"
# shellcheck source=tests/interop/kerberos.sh
. "$SRCDIR/tests/interop/kerberos.sh"
data=

# shellcheck disable=SC2317 # called by the trap
end_postgres() {
    [ ! "$data" ] || as_nobody "$host_postgres/pg_ctl" -D "$data" stop -m immediate >/dev/null 2>&1
}
trap 'end_postgres; kdc_stop; clean_up' EXIT

use_kdc HTTP postgres
with_ticket=$KRB5CCNAME
without=FILE:$work/no-tickets
# Servers may run as other users.
chmod 755 "$work" "$kdc_dir"
chmod 644 "$kdc_dir/keytab" "$kdc_dir/krb5.conf"
chmod 1777 "$kdc_dir/tmp"

# ---- PostgreSQL of the host ----

host_postgres=$(find /usr/lib/postgresql/*/bin /usr/bin /usr/pgsql-*/bin -name initdb 2>/dev/null |
    sed 's|/initdb$||' | tail -n 1)

# PostgreSQL does not run as root.
as_nobody() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"
    else
        "$@"
    fi
}

# start_postgres: with a port that the kernel finds free now.
start_postgres() {
    data=$work/data
    mkdir "$data" && chmod 700 "$data" || return 1
    [ "$(id -u)" != 0 ] || chown nobody "$data"
    (cd / && as_nobody "$host_postgres/initdb" -D "$data" -U owner -A reject --no-sync \
        --no-instructions -E UTF8 --locale=C) >"$work/initdb" 2>&1 || return 1
    printf '%s\n' 'local all owner trust' 'host all all 127.0.0.1/32 gss include_realm=0' |
        as_nobody tee "$data/pg_hba.conf" >/dev/null
    for _ in 1 2 3; do
        port=$(free_port)
        (cd / && as_nobody "$host_postgres/pg_ctl" -D "$data" -l "$data/log" -w -t 20 -o \
            "-p $port -k $data -c listen_addresses=127.0.0.1 -c krb_server_keyfile=$kdc_dir/keytab" \
            start) >"$work/start" 2>&1 </dev/null && break
    done
    (cd / && as_nobody "$host_postgres/psql" -h "$data" -p "$port" -U owner -d postgres \
        -c 'create role alice login' -c 'create role bob login') >>"$work/start" 2>&1
}

# postgres_case CASE EXPECTED CONNINFO: the session's user, or the error.
postgres_case() {
    timeout 25 "$WINE" "$libraries" pq "$(windows_path "$postgres/libpq.dll")" \
        "host=localhost hostaddr=127.0.0.1 port=$port dbname=postgres connect_timeout=20 $3" \
        >"$work/result" 2>&1 </dev/null
    expect "$1" "$(result_of)" "$2" "$work/result" "$data/log" "$work/log"
}

if [ ! "$host_postgres" ]; then
    skip_cases 4 'the PostgreSQL server (Debian package postgresql)'
elif start_postgres; then
    postgres_case 'libpq.dll, the user'\''s ticket' alice 'user=alice'
    postgres_case 'libpq.dll, another user'\''s name' '*GSSAPI authentication failed*' 'user=bob'
    postgres_case 'libpq.dll, a service that is not' '*' 'user=alice krbsrvname=nobody'
    KRB5CCNAME=$without
    postgres_case 'libpq.dll, no ticket' '*' 'user=alice'
    KRB5CCNAME=$with_ticket
    end_postgres
    data=
else
    fail_case 'the PostgreSQL server starts' "$work/initdb" "$work/start" "$data/log"
fi

# ---- libcurl.dll and Apache ----

# curl_case CASE EXPECTED USER:PASSWORD
curl_case() {
    timeout 25 "$WINE" "$libraries" curl "$(windows_path "$postgres/libcurl.dll")" \
        "http://localhost:$port/page.txt" "$3" >"$work/result" 2>&1 </dev/null
    expect "$1" "$(result_of)$(tail -n +$(($(wc -l <"$work/before") + 1)) "$work/access.log" |
        grep '^200')" "$2" "$work/result" "$work/error.log"
    cp "$work/access.log" "$work/before"
}

if command -v apache2 >/dev/null && [ -e $apache_modules/mod_auth_gssapi.so ]; then
    apache_directives='GssapiAllowedMech krb5'
    apache_up
    : >"$work/before"
    curl_case 'libcurl.dll, the user'\''s ticket' "200 ${page}200 $principal" :
    KRB5CCNAME=$without
    curl_case 'libcurl.dll, no ticket' '401 *' :
    curl_case 'libcurl.dll, a password' "200 ${page}200 $principal" "$kdc_realm\\alice:$password"
    curl_case 'libcurl.dll, a wrong password' '401 *' "$kdc_realm\\alice:wrong"
    KRB5CCNAME=$with_ticket
    kill "$server_pid"
    wait "$server_pid"
    server_pid=
else
    skip_cases 4 'Apache (Debian packages apache2-bin, libapache2-mod-auth-gssapi)'
fi
# ---- node.exe ----

run_node "$kdc_realm" alice "$password" ticket
finish
