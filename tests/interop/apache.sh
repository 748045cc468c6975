#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Apache with mod_auth_gssapi and gss-ntlmssp authenticates Windows programs whose SSPI is this
# project's: one that calls SSPI itself, WinHTTP and WinINet, with NTLM and with Negotiate.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_apache
# shellcheck source=tests/interop/web.sh
. "${SRCDIR:?names the source folder}/tests/interop/web.sh"
user=$domain\\alice
slashed=$domain/alice
password='Grün, with spaces'
modules=/usr/lib/apache2/modules

command -v apache2 >/dev/null || skip_all 'the web server (Debian package apache2-bin)'
[ -e $modules/mod_auth_gssapi.so ] ||
    skip_all 'GSS-API for the web server (Debian package libapache2-mod-auth-gssapi)'
find_gss_ntlmssp || skip_all "$no_gss_ntlmssp"

# A port that the kernel finds free now; somebody else may have it before Apache does.
free_port() {
    perl -MIO::Socket::INET -e \
        'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

write_configuration() {
    mkdir -p "$work/www"
    echo 'the secret page' >"$work/www/page.txt"
    # User and Group hold only when root starts it. Several processes, so that an NTLM handshake
    # depends on its connection as it does in a real server.
    cat >"$work/apache.conf" <<END
ServerRoot $work
ServerName localhost
Listen 127.0.0.1:$port
PidFile $work/apache.pid
DefaultRuntimeDir $work
User www-data
Group www-data
LoadModule mpm_prefork_module $modules/mod_mpm_prefork.so
LoadModule authn_core_module $modules/mod_authn_core.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule authz_user_module $modules/mod_authz_user.so
LoadModule auth_gssapi_module $modules/mod_auth_gssapi.so
StartServers 3
ErrorLog $work/error.log
LogFormat "%>s %u" plain
CustomLog $work/access.log plain
DocumentRoot $work/www
<Location />
    AuthType GSSAPI
    AuthName test
    GssapiAllowedMech ntlmssp
    GssapiConnectionBound On
    Require valid-user
</Location>
END
}

listening() {
    perl -MIO::Socket::INET -e \
        'exit !IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => shift)' "$port"
}

# True when Apache serves on $port. One that finds the port taken ends at once.
start_apache() {
    port=$(free_port) || return 1
    write_configuration
    # In a group of its own, which Apache ends when it ends.
    setsid apache2 -f "$work/apache.conf" -D FOREGROUND >"$work/apache" 2>&1 </dev/null &
    server_pid=$!
    tries=0
    while [ $tries -lt 100 ]; do
        kill -0 "$server_pid" 2>/dev/null || break
        [ -f "$work/apache.pid" ] && listening && return
        sleep 0.1
        tries=$((tries + 1))
    done
    kill "$server_pid" 2>/dev/null
    server_pid=
    return 1
}

set_gss_ntlmssp "${user#*\\}" "$password"
# Apache may run as another user.
chmod 755 "$work"
chmod 644 "$work/users" "$work/mech" "$work/krb5.conf"
start_apache || start_apache || start_apache || {
    fail_case 'Apache starts' "$work/apache" "$work/error.log"
    finish
}

# answers NUMBER: how the requests that Apache has answered since the last time ended, and for whom.
# It writes a line only after it has answered, so this waits for that many successes.
: >"$work/before"
answers() {
    tries=0
    while
        tail -n +$(($(wc -l <"$work/before") + 1)) "$work/access.log" >"$work/new"
        [ "$(grep -c '^200 ' "$work/new")" -lt "$1" ] && [ $tries -lt 100 ]
    do
        sleep 0.1
        tries=$((tries + 1))
    done
    sort -u "$work/new" | sed 's/\\\\/\//' | tr '\n' ' '
    cat "$work/new" >>"$work/before"
}

page='the secret page'
for kind in sspi winhttp wininet; do
    for scheme in NTLM Negotiate; do
        done='' refused=''
        if [ $kind = sspi ]; then
            # SPNEGO's refusal is a token; with bare NTLM the client is done when it has answered.
            done='SEC_E_OK ' refused='SEC_E_OK '
            [ $scheme = NTLM ] || refused='SEC_E_LOGON_DENIED '
        fi
        client_user=$user given=$password
        run_client $kind $scheme --path /page.txt
        expect "$kind, $scheme" \
            "$(grep -c "^body: $page" "$work/client") $(client_verdict)$(answers 1)" \
            "1 ${done}200 winesspi 200 $slashed 401 - " "$work/client" "$work/error.log"
        # The connection stays that client's.
        run_client $kind $scheme --path /page.txt --requests 3
        expect "$kind, $scheme, three requests" \
            "$(grep -c "^body: $page" "$work/client") $(client_verdict)$(answers 3)" \
            "3 ${done}200 200 200 winesspi 200 $slashed 401 - " "$work/client" "$work/error.log"
        given=wrong
        run_client $kind $scheme --path /page.txt
        expect "$kind, $scheme, wrong password" \
            "$(grep -c "^body: $page" "$work/client") $(client_verdict)$(answers 0)" \
            "0 ${refused}401 winesspi 401 - " "$work/client" "$work/error.log"
        client_user=$domain\\nobody
        run_client $kind $scheme --path /page.txt
        expect "$kind, $scheme, unknown user" \
            "$(grep -c "^body: $page" "$work/client") $(client_verdict)$(answers 0)" \
            "0 ${refused}401 winesspi 401 - " "$work/client" "$work/error.log"
    done
done

# That the clients use this project's SSPI would not be worth saying if they could not do without.
client_user=$user given=$password
(
    export WINEDLLOVERRIDES='secur32,sspicli=b'
    run_client winhttp NTLM --path /page.txt
)
expect 'Wine'\''s own SSPI is told apart' "$(client_verdict)" '* somebody else ' "$work/client"
finish
