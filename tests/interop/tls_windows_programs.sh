#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A libcurl.dll that was built for Windows, whose TLS is Schannel, against OpenSSL's s_server: the
# certificates that Schannel judges by itself, TLS 1.3, the client's certificate, renegotiation.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_tls_windows_programs
# shellcheck source=tests/interop/tls.sh
. "${SRCDIR:?names the source folder}/tests/interop/tls.sh"
# shellcheck source=tests/interop/npm.sh
. "$SRCDIR/tests/interop/npm.sh"

# The library asks for TLS 1.3 where Windows is new enough.
library_key='HKCU\Software\Wine\AppDefaults\windows_libraries.exe'
library=$(windows_path "$postgres/libcurl.dll")
use_windows() {
    $limit "$WINE" reg add "$library_key" /v Version /d "$1" /f >/dev/null 2>&1 </dev/null
}
# shellcheck disable=SC2317 # called by the trap
forget_windows() {
    $limit "$WINE" reg delete "$library_key" /f >/dev/null 2>&1 </dev/null
    tls_clean_up
}
trap forget_windows EXIT

# serve CERTIFICATE OPTION...: s_server with a page about the connection.
serve() {
    certificate=$1
    shift
    start_peer openssl s_server -accept 127.0.0.1:0 -cert "$certs/$certificate.pem" \
        -key "$certs/$(key_of "$certificate").key" -www "$@"
    wait_for '^ACCEPT ' "$work/peer"
    port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$work/peer")
}

# curl_case CASE EXPECTED OPTION...: what the page says, or the library.
curl_case() {
    curl_title=$1 curl_expected=$2
    shift 2
    timeout 60 "$WINE" "$libraries" tls "$library" "https://localhost:$port/" "$@" \
        >"$work/result" 2>&1 </dev/null 3>&-
    said=$(result_of | cut -c1-60)
    protocol=$(sed -n 's/^New, \(TLSv[0-9.]*\), Cipher is .*/\1/p' "$work/result" | tr -d '\r')
    expect "libcurl.dll, $curl_title" "$said $protocol" "$curl_expected" "$work/result" \
        "$work/peer"
}

use_windows win10
serve rsa
curl_case 'TLS 1.2' '200 * TLSv1.2'
curl_case 'TLS 1.2 asked for' '200 * TLSv1.2' 1.2
use_windows win11
curl_case 'TLS 1.3' '200 * TLSv1.3'
curl_case 'TLS 1.3 asked for' '200 * TLSv1.3' 1.3
end_peer

for windows in win10 win11; do
    use_windows $windows
    for certificate in unknown other expired; do
        serve $certificate
        curl_case "$windows, the certificate $certificate" 'SSL *'
        curl_case "$windows, the certificate $certificate that does not matter" '200 *' lenient
        end_peer
    done
    serve rsa -CAfile "$certs/ca.pem" -Verify 3
    curl_case "$windows, a client certificate" '200 *' "$(windows_path "$certs/client.pfx")"
    end_peer
    serve rsa -CAfile "$certs/ca.pem" -verify 3
    curl_case "$windows, a client certificate that is welcome" '200 *'
    end_peer
done
finish
