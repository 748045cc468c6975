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

# The library asks for TLS 1.3 where Windows is new enough, which are numbers in the registry;
# a prefix of Wine 8.0 is Windows 7.
library_key='HKCU\Software\Wine\AppDefaults\windows_libraries.exe'
version_key='HKLM\Software\Microsoft\Windows NT\CurrentVersion'
library=$(windows_path "$postgres/libcurl.dll")
reg() { $limit "$WINE" reg "$@" 2>/dev/null </dev/null; }
use_build() { reg add "$version_key" /v CurrentBuildNumber /d "$1" /f >/dev/null; }
# shellcheck disable=SC2317 # called by the trap
forget_windows() {
    reg delete "$library_key" /f >/dev/null
    $limit "$WINE" winecfg -v win7 >/dev/null 2>&1 </dev/null
    tls_clean_up
}
trap forget_windows EXIT
$limit "$WINE" winecfg -v win10 >/dev/null 2>&1 </dev/null

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

use_build 19043
serve rsa
curl_case 'TLS 1.2' '200 * TLSv1.2'
curl_case 'TLS 1.2 asked for' '200 * TLSv1.2' 1.2
use_build 22000
curl_case 'TLS 1.3' '200 * TLSv1.3'
curl_case 'TLS 1.3 asked for' '200 * TLSv1.3' 1.3
end_peer

for number in 19043 22000; do
    use_build $number
    for certificate in unknown other expired; do
        serve $certificate
        curl_case "build $number, the certificate $certificate" 'SSL *'
        curl_case "build $number, the certificate $certificate that does not matter" '200 *' \
            lenient
        end_peer
    done
    serve rsa -CAfile "$certs/ca.pem" -verify 3
    curl_case "build $number, a client certificate that is welcome" '200 *'
    end_peer
done

# Where Windows is newer than 7 the library looks for the certificate with the key, which is not in
# Wine 8.0's CertFindCertificateInStore.
reg add "$library_key" /v Version /d win7 /f >/dev/null
serve rsa -CAfile "$certs/ca.pem" -Verify 3
curl_case 'a client certificate' '200 *' "$(windows_path "$certs/client.pfx")"
end_peer
finish
