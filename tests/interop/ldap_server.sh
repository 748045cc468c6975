# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables that are set or used by the script that sources this
#
# OpenLDAP's server on loopback. It is not installed by tools/check, since Debian starts it at once
# for everybody. The caller has sourced common.sh before.

# shellcheck source=tests/include/ports.sh
. "$SRCDIR/tests/include/ports.sh"

need_slapd() {
    slapd=$(PATH=$PATH:/usr/sbin command -v slapd) ||
        skip_all "OpenLDAP's server (Debian packages slapd and libsasl2-modules-gssapi-mit)"
}

configure_slapd() {
    cat >"$work/slapd.conf" <<END
pidfile $work/slapd.pid
sasl-host localhost
sasl-secprops none
database monitor
access to * by * read
END
}

# slapd ends at once when somebody else has the port by then.
start_slapd() {
    configure_slapd
    port=$(free_port) || return 1
    "$slapd" -d 0 -f "$work/slapd.conf" -h "ldap://127.0.0.1:$port/" >"$work/slapd" 2>&1 &
    server_pid=$!
    wait_listening "$server_pid" "$port" && return
    kill "$server_pid" 2>/dev/null
    return 1
}

# slapd_up: it serves on $port, or there is nothing more to do.
slapd_up() {
    thrice start_slapd && return
    fail_case "starting slapd" "$work/slapd"
    finish
}
