#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A libcurl.dll that was built for Windows, whose TLS is Schannel, against OpenSSL's s_server: the
# certificates that Schannel judges by itself, also by a list of what is revoked, TLS 1.3, the
# client's certificate, renegotiation; and against Apache, which asks for a certificate late.
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
list_pid=
alice=
certificate() {
    $limit "$WINE" "$programs/sspictl.exe" certificate "$@" >"$work/sspictl" 2>&1 </dev/null
}
# shellcheck disable=SC2317 # called by the trap
forget_windows() {
    [ -z "$list_pid" ] || kill "$list_pid" 2>/dev/null
    [ -z "$alice" ] || certificate remove "$alice"
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
    peer_says '^ACCEPT ' || {
        fail_case "s_server starts with $*" "$work/peer"
        finish
    }
    port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$work/peer")
}

# curl_case CASE EXPECTED OPTION...: what the page says, or the library. It asks for $page.
page=
curl_case() {
    curl_title=$1 curl_expected=$2
    shift 2
    timeout 60 "$WINE" "$libraries" tls "$library" "https://localhost:$port/$page" "$@" \
        >"$work/result" 2>&1 </dev/null 3>&-
    said=$(result_of | cut -c1-90)
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
    for refusal in unknown:UNTRUSTED_ROOT other:WRONG_PRINCIPAL expired:CERT_EXPIRED; do
        certificate=${refusal%:*}
        serve "$certificate"
        curl_case "build $number, the certificate $certificate" "*SEC_E_${refusal#*:} *"
        curl_case "build $number, the certificate $certificate that does not matter" '200 *' \
            lenient
        end_peer
    done
    serve rsa -CAfile "$certs/ca.pem" -verify 3
    curl_case "build $number, a client certificate that is welcome" '200 *'
    end_peer
done

# ---- revocation, for which the library asks unless told otherwise ----

# serve_list FILE: at the port $list_port.
serve_list() {
    : >"$work/list"
    perl -MIO::Socket::INET -e '
        $| = 1;
        my $listener = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1");
        print "port: ", $listener->sockport, "\n";
        while (my $one = $listener->accept) {
            while (<$one>) { print; last if /^\r?$/ }
            open my $file, "<", $ARGV[0];
            local $/;
            print $one "HTTP/1.0 200 OK\r\nContent-Type: application/pkix-crl\r\n\r\n", <$file>;
            close $one;
        }' "$1" >"$work/list" &
    list_pid=$!
    wait_for '^port:' "$work/list"
    list_port=$(lines_of "$work/list" port)
}

make_listed() {
    for_listed="$for_servers\ncrlDistributionPoints=URI:http://localhost:$list_port/list"
    authority="-config $certs/ca.conf -cert $certs/ca.pem -keyfile $certs/ca.key"
    # shellcheck disable=SC2086 # options are words
    make_certificate listed p256 ca localhost "$for_listed" &&
        make_certificate revoked p256 ca localhost "$for_listed" &&
        openssl ca $authority -revoke "$certs/revoked.pem" &&
        openssl ca $authority -gencrl -crldays 100 -out "$certs/list.pem" &&
        openssl crl -in "$certs/list.pem" -outform DER -out "$certs/list"
}

serve_list "$certs/list"
if make_listed >"$work/made" 2>&1; then
    serve listed
    curl_case 'a certificate that is not revoked' '200 *' revoke
    expect 'the list has been fetched' "$(grep -c '^GET /list ' "$work/list")" 1 "$work/list"
    end_peer
    serve revoked
    curl_case 'a certificate that is revoked' '*CRYPT_E_REVOKED *' revoke
    curl_case 'a certificate that is revoked, if nobody asks' '200 *'
    end_peer
    serve rsa
    curl_case 'a certificate without a list' '*CRYPT_E_*REVOCATION*' revoke
    end_peer
else
    fail_case 'the revocation list is made' "$work/made"
fi

# ---- renegotiation: s_server asks for it, and sends its page before it has the answer ----

# reneg_case CASE EXPECTED: how often s_server has asked.
reneg_case() {
    curl_case "$1" '200 * TLSv1.2'
    expect "$1: it has asked" "$(sed -n 's/.* \([0-9]*\) server renegotiates.*/\1/p' \
        "$work/result")" "$2" "$work/result"
}

serve rsa -tls1_2 -CAfile "$certs/ca.pem"
page=reneg
reneg_case 'a server that renegotiates' 1
page=renegcert
reneg_case 'a server that renegotiates for a certificate' 2
page=
end_peer

# ---- a certificate that Apache asks for once it has read the request ----

# late_case CASE EXPECTED SHOWN OPTION...: what the library says, and what Apache has seen.
late_case() {
    late_expected=$2 late_shown=$3 late_title=$1
    late_before=$(wc -l <"$work/access.log")
    shift 3
    curl_case "$late_title" "$late_expected" "$@"
    expect "$late_title: the server" "$(shown_last $((late_before + 1)))" "$late_shown" \
        "$work/result" "$work/error.log"
}

# The certificate is named by its place in the user's store, where the key is with it. A client
# without one does not offer any in TLS 1.3, and Apache does not ask; in TLS 1.2 it asks, and ends
# the connection.
late_cases() {
    # shellcheck source=tests/interop/tls_apache_server.sh
    . "$SRCDIR/tests/interop/tls_apache_server.sh"
    apache_up
    cat "$certs/client.pem" "$certs/rsa.key" >"$certs/client.both.pem"
    if certificate add "$certs/client.both.pem"; then
        alice=$(cut -d ' ' -f 1 "$work/sspictl")
    else
        fail_case 'the certificate is added' "$work/sspictl"
    fi
    in_store="CurrentUser\\MY\\$alice"
    for number in 19043:1.2 22000:1.3; do
        use_build "${number%:*}"
        late="TLS ${number#*:}, a late certificate"
        page=page
        late_case "$late, nobody asks" '200 the page*' "200 TLSv${number#*:} -" "$in_store"
        page=named/page
        late_case "$late" '200 the page*' "200 TLSv${number#*:} CN=Alice of RSA" "$in_store"
    done
    late_case "$late, none" '403 *' '403 TLSv1.3 -'
    use_build 19043
    curl_case 'TLS 1.2, a late certificate, none' '*SEC_E_ILLEGAL_MESSAGE *'
    page=
}
if command -v apache2 >/dev/null; then
    late_cases
else
    skip_cases 11 'the web server (Debian package apache2-bin)'
fi

# Where Windows is newer than 7 the library looks for the certificate with the key, which is not in
# Wine 8.0's CertFindCertificateInStore.
reg add "$library_key" /v Version /d win7 /f >/dev/null
serve rsa -CAfile "$certs/ca.pem" -Verify 3
curl_case 'a client certificate' '200 *' "$(windows_path "$certs/client.pfx")"
end_peer
finish
