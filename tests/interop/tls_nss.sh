#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Our client against NSS' selfserv, and our server against its tstclnt: every suite and group,
# certificates of the client, resumption, and moving.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_tls_nss
# shellcheck source=tests/interop/tls.sh
. "${SRCDIR:?names the source folder}/tests/interop/tls.sh"

for program in selfserv tstclnt certutil pk12util; do
    command -v $program >/dev/null || skip_all "$program of NSS (Debian package libnss3-tools)"
done

# make_database NAME CERTIFICATE...: with the CA, and the certificates under their names. NSS has
# one name for all of one subject, so what is localhost with another key needs another database.
make_database() {
    database=sql:$work/$1
    mkdir "$work/$1"
    shift
    certutil -N -d "$database" --empty-password || return
    for one in ca "$@"; do
        openssl pkcs12 -export -inkey "$certs/$(key_of "$one").key" -in "$certs/$one.pem" \
            -name "$one" -passout pass:pfx -out "$work/one.p12" &&
            pk12util -d "$database" -i "$work/one.p12" -W pfx || return
    done
    certutil -M -d "$database" -n ca -t CT,C,C
}
{ make_database curves p256 client-ec && make_database nss rsa client; } >"$work/made" 2>&1 \
    </dev/null || {
    fail_case "NSS' databases are made" "$work/made"
    finish
}

# serve OPTION...: selfserv, a web server.
serve() {
    thrice start_serving "$@" && return
    fail_case "selfserv starts with $*" "$work/peer"
    finish
}
start_serving() {
    port=$(free_port)
    start_peer selfserv -p "$port" -v "$@"
    wait_listening "$peer_pid" "$port" && return
    end_peer
    return 1
}

# Numbers of suites, as they are written in NSS.
nss_suites=$(echo "$tls_suites" | awk '{ print toupper($1) }')
nss_groups='x25519 P256 P384 P521 FF2048 FF3072 FF4096'

# certificate_options SUITE
certificate_options() {
    case $1 in
    C02[BC] | C0[02][9A34] | CCA9) echo "-d sql:$work/curves -e p256" ;;
    *) echo "-d sql:$work/nss -n rsa" ;;
    esac
}

# suite_options NUMBER
suite_options() {
    case $1 in
    13*) echo "-V tls1.3:tls1.3 -c :$1" ;;
    *) echo "-V tls1.2:tls1.2 -c :$1" ;;
    esac
}

lower() { echo "$1" | tr A-F a-f; }

# ---- our client ----

for suite in $nss_suites; do
    # shellcheck disable=SC2046 # options are words
    serve $(certificate_options "$suite") $(suite_options "$suite")
    keep_peer "suite $suite" "* $(lower "$suite") * 200"
done
visit_kept ask:/ hear:200 end

# NSS knows finite fields by DHE in TLS 1.2, and by their group in TLS 1.3.
for group in $nss_groups; do
    for version in 1.2 1.3; do
        suite=C02F
        case $version$group in
        1.3*) suite=1301 ;;
        1.2FF*) suite=009E ;;
        esac
        # shellcheck disable=SC2046
        serve $(certificate_options $suite) $(suite_options $suite) -I "$group"
        keep_peer "TLS $version, $group" "$version $(lower $suite) * 200"
    done
done
visit_kept ask:/ hear:200 end

# shellcheck disable=SC2046
serve $(certificate_options 1301) -V tls1.2:tls1.3 -u -r -r
for version in 1.2 1.3; do
    client_case "a client certificate, TLS $version" 'Alice of RSA* ok' 'own result' \
        --versions $version --certificate "$certs/client.pfx" -- ask:/ hear:200 end
    client_case "no client certificate, TLS $version" \
        'the server asks for one [!o]*' 'certificate result' --versions $version \
        -- ask:/ hear:200 end
done
end_peer

# shellcheck disable=SC2046
serve $(certificate_options 1301) -V tls1.2:tls1.3 -u -T good -A ca -Q
for version in 1.2 1.3; do
    client_case "resumed, TLS $version" 'new resumed ok' 'session result' --versions $version \
        -- ask:/ hear:200 end again ask:/ hear:200 end
    client_case "moved, TLS $version" '200 ok ok' 'heard successor result' \
        --versions $version --alpn http/1.1 -- ask:/ move hear:200 end
    client_case "ALPN, TLS $version" 'http/1.1 ok' 'alpn result' --versions $version \
        --alpn http/1.1 -- ask:/ hear:200 end
done
end_peer

# ---- our server ----

# ask OPTION...: tstclnt, which says hello.
ask() {
    printf 'hello\n' >"$work/said"
    $limit tstclnt -h localhost -4 -p "$port" -d "$database" -A "$work/said" -v "$@" \
        >"$work/peer" 2>&1 </dev/null
}

# server_suites CERTIFICATE SUITE...
server_suites() {
    file=$1
    shift
    expected=
    start_answering --certificate "$file" --connections $#
    for suite; do
        # shellcheck disable=SC2046 # options are words
        ask $(suite_options "$suite")
        expect "server, suite $suite" "$(grep -c olleh "$work/peer")" 1 "$work/peer"
        expected="$expected$(lower "$suite") * "
    done
    server_case 'server, all these suites' "${expected% }" suite
}

curves='' others=''
for suite in $nss_suites; do
    case $(certificate_options "$suite") in
    *p256) curves="$curves $suite" ;;
    *) others="$others $suite" ;;
    esac
done
# shellcheck disable=SC2086 # suites are words
server_suites "$certs/p256.p7b" $curves
# shellcheck disable=SC2086
server_suites "$certs/rsa.pfx" $others

start_answering --certificate "$certs/rsa.pfx" --connections 14
for group in $nss_groups; do
    for version in 1.2 1.3; do
        ask -V tls$version:tls$version -I "$group"
        expect "server, TLS $version, $group" "$(grep -c olleh "$work/peer")" 1 "$work/peer"
    done
done
server_case 'server, groups' "$(yes ok | head -n 14 | tr '\n' ' ' | sed 's/ $//')" result

start_answering --certificate "$certs/rsa.pfx" --ask --issuers "$certs/ca.der" --connections 3
ask -V tls1.3:tls1.3 -n client
database=sql:$work/curves
ask -V tls1.2:tls1.2 -n client-ec
database=sql:$work/nss
ask -V tls1.2:tls1.3 -n none
server_case 'server, client certificates' \
    'Alice of RSA* Alice of EC* SEC_E_NO_CREDENTIALS ok ok ok' 'peer result'

start_answering --certificate "$certs/rsa.pfx" --connections 2
ask -V tls1.2:tls1.2 -u -L 2
server_case 'server, resumed' 'new resumed ok ok' 'session result'
finish
