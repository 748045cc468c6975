#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Apache over TLS, with a folder for which it wants a certificate: it asks once it has read the
# request, in TLS 1.3 after the handshake, in TLS 1.2 by another one.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_tls_apache
# shellcheck source=tests/interop/tls.sh
. "${SRCDIR:?names the source folder}/tests/interop/tls.sh"
# shellcheck source=tests/interop/apache_server.sh
. "$SRCDIR/tests/interop/apache_server.sh"

command -v apache2 >/dev/null || skip_all 'the web server (Debian package apache2-bin)'

write_configuration() {
    mkdir -p "$work/www/named"
    numbered_lines 20000 | tee "$work/www/lines" >"$work/www/named/lines"
    cat >"$work/apache.conf" <<END
ServerRoot $work
ServerName localhost
Listen 127.0.0.1:$port
PidFile $work/apache.pid
DefaultRuntimeDir $work
User www-data
Group www-data
LoadModule mpm_prefork_module $apache_modules/mod_mpm_prefork.so
LoadModule authz_core_module $apache_modules/mod_authz_core.so
LoadModule headers_module $apache_modules/mod_headers.so
LoadModule ssl_module $apache_modules/mod_ssl.so
StartServers 2
ErrorLog $work/error.log
DocumentRoot $work/www
SSLEngine on
SSLSessionCache none
SSLCertificateFile $certs/rsa.chain.pem
SSLCertificateKeyFile $certs/rsa.key
SSLCACertificateFile $certs/ca.pem
Header set Shown "[%{SSL_PROTOCOL}s %{SSL_CLIENT_S_DN}s]"
<Location /named>
    SSLVerifyClient require
    SSLVerifyDepth 3
</Location>
END
}
apache_up

# shown CASE EXPECTED PATH ARGUMENT...: what the server says that it was shown, what the client has
# shown before and after, and how it went.
shown() {
    shown_case=$1 shown_expected=$2 shown_path=$3
    shift 3
    rm -f "$work/saved"
    run_ours --save "$work/saved" "$@" -- "ask:$shown_path" body:0 facts end
    expect "$shown_case" "$(tr -d '\r' <"$work/saved" | sed -n 's/^Shown: //p') $(lines_of \
        "$work/client" own result)" "$shown_expected" "$work/client" "$work/error.log"
    [ "${shown_expected#*ok}" = "$shown_expected" ] && return
    tr -d '\r' <"$work/saved" | sed '1,/^$/d' | cmp -s - "$work/www/lines"
    expect "$shown_case: all is there" $? 0 "$work/client"
}

none=SEC_E_NO_CREDENTIALS
alice="--certificate $certs/client.pfx"
# shellcheck disable=SC2086 # options are words
for version in 1.2 1.3; do
    shown "nobody asks, TLS $version" "?TLSv$version (null)? $none $none ok" /lines \
        --versions $version $alice
    shown "a certificate for a folder, TLS $version" \
        "?TLSv$version CN=Alice of RSA? $none Alice of RSA* ok" /named/lines \
        --versions $version $alice
    shown "a certificate on a curve for a folder, TLS $version" \
        "?TLSv$version CN=Alice of EC? $none Alice of EC* ok" /named/lines \
        --versions $version --certificate "$certs/client-ec.p7b"
    client_case "a folder again and again, TLS $version" 'new resumed resumed ok' 'session result' \
        --versions $version --save "$work/saved" $alice -- ask:/named/lines body:0 again \
        ask:/named/lines body:0 again ask:/named/lines body:0 end
done
finish
