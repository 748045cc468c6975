# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables that are set by the script that sources this
#
# Apache over TLS on loopback, with the folder "named", for which it wants a certificate: it asks
# once it has read the request, in TLS 1.3 after the handshake, in TLS 1.2 by another one. The
# caller has sourced tls.sh before, and begins with apache_up.

# shellcheck source=tests/interop/apache_server.sh
. "$SRCDIR/tests/interop/apache_server.sh"

write_configuration() {
    mkdir -p "$work/www/named"
    numbered_lines 20000 | tee "$work/www/lines" >"$work/www/named/lines"
    echo 'the page' | tee "$work/www/page" >"$work/www/named/page"
    configure_apache headers ssl <<END
LogLevel ssl:info
LogFormat "%>s %{SSL_PROTOCOL}x %{SSL_CLIENT_S_DN}x" shown
CustomLog $work/access.log shown
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

# shown_last LINE: the status that Apache has given last, the version, and the certificate that it
# saw. It writes a line only after it has answered, so this waits for that line.
shown_last() {
    wait_until has_lines "$1" "$work/access.log"
    tail -n 1 "$work/access.log"
}
has_lines() { [ "$(wc -l <"$2")" -ge "$1" ]; }
