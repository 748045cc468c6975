# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables that are set or used by the script that sources this
#
# Apache on loopback, with mod_auth_gssapi unless the caller has a write_configuration of its own.
# The caller has sourced web.sh before, and sets $apache_directives, which go into the location that
# is protected.

# shellcheck source=tests/include/ports.sh
. "$SRCDIR/tests/include/ports.sh"
apache_modules=/usr/lib/apache2/modules
page='the secret page'

need_apache() {
    command -v apache2 >/dev/null || skip_all 'the web server (Debian package apache2-bin)'
    [ -e $apache_modules/mod_auth_gssapi.so ] ||
        skip_all 'GSS-API for the web server (Debian package libapache2-mod-auth-gssapi)'
}

# configure_apache MODULE...: with these besides the usual ones, and what standard input says.
configure_apache() {
    for module in mpm_prefork authz_core "$@"; do
        echo "LoadModule ${module}_module $apache_modules/mod_$module.so"
    done >"$work/apache.conf"
    # User and Group hold only when root starts it. Several processes, so that an NTLM handshake
    # depends on its connection as it does in a real server.
    cat >>"$work/apache.conf" <<END
ServerRoot $work
ServerName localhost
Listen 127.0.0.1:$port
PidFile $work/apache.pid
DefaultRuntimeDir $work
User www-data
Group www-data
StartServers 3
ErrorLog $work/error.log
DocumentRoot $work/www
END
    cat >>"$work/apache.conf"
}

write_configuration() {
    mkdir -p "$work/www"
    echo "$page" >"$work/www/page.txt"
    configure_apache authn_core authz_user auth_gssapi <<END
LogFormat "%>s %u" plain
CustomLog $work/access.log plain
<Location />
    AuthType GSSAPI
    AuthName test
    $apache_directives
    Require valid-user
</Location>
END
}

# True when Apache serves on $port, which it has when it makes the file. One that finds the port
# taken ends at once.
apache_serves() { has_ended "$server_pid" || [ -s "$work/apache.pid" ]; }
start_apache() {
    port=$(free_port) || return 1
    write_configuration
    rm -f "$work/apache.pid"
    # In a group of its own, which Apache ends when it ends.
    setsid apache2 -f "$work/apache.conf" -D FOREGROUND >"$work/apache" 2>&1 </dev/null &
    server_pid=$!
    wait_until apache_serves
    ! has_ended "$server_pid" && [ -s "$work/apache.pid" ] && return
    kill "$server_pid" 2>/dev/null
    server_pid=
    return 1
}

# apache_up: or there is nothing more to do.
apache_up() {
    # It may run as another user.
    chmod 755 "$work"
    thrice start_apache && return
    fail_case 'Apache starts' "$work/apache" "$work/error.log"
    finish
}

# has_answered NUMBER: of them with success, which are in $work/new.
has_answered() {
    tail -n +$(($(wc -l <"$work/before") + 1)) "$work/access.log" >"$work/new"
    [ "$(grep -c '^200 ' "$work/new")" -ge "$1" ]
}

# answers NUMBER: how the requests that Apache has answered since the last time ended, and for whom.
# It writes a line only after it has answered, so this waits for that many successes.
answers() {
    [ -f "$work/before" ] || : >"$work/before"
    wait_until has_answered "$1"
    sort -u "$work/new" | sed 's/\\\\/\//' | tr '\n' ' '
    cat "$work/new" >>"$work/before"
}
