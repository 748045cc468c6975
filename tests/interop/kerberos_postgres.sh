#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# PostgreSQL by Kerberos: its library for Windows (libpq.dll) with the host's server, whose method
# is GSS, and with the server for Windows, whose method is SSPI; the host's psql with the latter.
# Debian's PostgreSQL is not installed by tools/check, since Debian starts it at once for everybody.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_kerberos_postgres
# shellcheck source=tests/interop/web.sh
. "${SRCDIR:?names the source folder}/tests/interop/web.sh"
# shellcheck source=tests/interop/npm.sh
. "$SRCDIR/tests/interop/npm.sh"
# shellcheck source=tests/interop/postgres.sh
. "$SRCDIR/tests/interop/postgres.sh"
# shellcheck source=tests/interop/kerberos.sh
. "$SRCDIR/tests/interop/kerberos.sh"
host_data='' windows_server=''
key='HKLM\SOFTWARE\winesspi\Kerberos'

end_servers() {
    if [ "$host_data" ]; then
        as_nobody "$host_postgres/pg_ctl" -D "$host_data" stop -m immediate >/dev/null 2>&1
    fi
    if [ "$windows_server" ]; then
        end_windows_postgres
        $limit "$WINE" reg delete "$key" /v ProcessPrincipal /f /reg:64 >/dev/null 2>&1 </dev/null
    fi
    host_data='' windows_server=''
}
trap 'end_servers; kdc_stop; clean_up' EXIT

use_kdc postgres
with_ticket=$KRB5CCNAME
without=FILE:$work/no-tickets
share_kdc

# ---- the host's server ----

host_postgres=$(find /usr/lib/postgresql/*/bin /usr/bin /usr/pgsql-*/bin -name initdb 2>/dev/null |
    sed 's|/initdb$||' | tail -n 1)

# start_postgres: with a port that the kernel finds free now.
start_postgres() {
    host_data=$work/host-data
    mkdir "$host_data" && chmod 700 "$host_data" || return 1
    [ "$(id -u)" != 0 ] || chown nobody "$host_data"
    (cd / && as_nobody "$host_postgres/initdb" -D "$host_data" -U owner -A reject --no-sync \
        --no-instructions -E UTF8 --locale=C) >"$work/initdb" 2>&1 || return 1
    printf '%s\n' 'local all owner trust' 'host all all 127.0.0.1/32 gss include_realm=0' |
        as_nobody tee "$host_data/pg_hba.conf" >/dev/null
    settings="-k $host_data -c listen_addresses=127.0.0.1 -c krb_server_keyfile=$kdc_dir/keytab"
    : >"$work/log"
    chmod 666 "$work/log"
    for _ in 1 2 3; do
        port=$(free_port)
        (cd / && as_nobody "$host_postgres/pg_ctl" -D "$host_data" -l "$work/log" -w -t 20 \
            -o "-p $port $settings" start) >"$work/start" 2>&1 </dev/null && break
    done
    (cd / && as_nobody "$host_postgres/psql" -h "$host_data" -p "$port" -U owner -d postgres \
        -c 'create role alice login' -c 'create role bob login') >>"$work/start" 2>&1
}

if [ ! "$host_postgres" ]; then
    skip_cases 4 'the PostgreSQL server (Debian package postgresql)'
elif start_postgres; then
    postgres_case 'libpq.dll, the user'\''s ticket' alice 'user=alice'
    postgres_case 'libpq.dll, another user'\''s name' '*GSSAPI authentication failed*' 'user=bob'
    postgres_case 'libpq.dll, a service that is not' '*SSPI error*' 'user=alice krbsrvname=nobody'
    KRB5CCNAME=$without
    postgres_case 'libpq.dll, no ticket' '*SSPI error*' 'user=alice'
    KRB5CCNAME=$with_ticket
else
    fail_case 'the PostgreSQL server starts' "$work/initdb" "$work/start" "$work/log"
fi
end_servers

# ---- the server for Windows ----

# psql_case CASE EXPECTED CONNINFO
psql_case() {
    is=$(PGPASSWORD='' timeout 20 psql -X -A -t -c 'select session_user' "host=localhost \
        hostaddr=127.0.0.1 port=$port dbname=postgres connect_timeout=15 $3" 2>&1 </dev/null)
    expect "$1" "$is" "$2" "$work/log"
}

# process_is PRINCIPAL: which client has the token of the prefix's user.
process_is() {
    $limit "$WINE" reg add "$key" /v ProcessPrincipal /d "$1" /f /reg:64 >"$work/reg" 2>&1 \
        </dev/null
}

# The server takes the client's name from a token, which there is for the user of the process only.
windows_server=yes
if start_windows_postgres; then
    process_is "nobody@$kdc_realm"
    postgres_case 'the server for Windows, libpq.dll, a ticket of nobody here' \
        '*could not get token*' "user=$owner"
    process_is "$principal"
    postgres_case 'the server for Windows, libpq.dll, a ticket' "$owner" "user=$owner"
    postgres_case 'the server for Windows, libpq.dll, another user'\''s name' \
        '*SSPI authentication failed*' 'user=somebody'
    if command -v psql >/dev/null; then
        psql_case 'the server for Windows, psql of the host, a ticket' "$owner" "user=$owner"
        psql_case 'the server for Windows, psql, another user'\''s name' \
            '*SSPI authentication failed*' 'user=somebody'
        KRB5CCNAME=$without
        psql_case 'the server for Windows, psql, no ticket' '*GSSAPI*' "user=$owner"
    else
        skip_cases 3 'psql (Debian package postgresql-client)'
    fi
else
    fail_case 'the PostgreSQL server for Windows starts' "$work/initdb" "$work/start" "$work/log"
fi
finish
