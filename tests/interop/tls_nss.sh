#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Our client against NSS' selfserv, and our server against its tstclnt.
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
    port=$(free_port)
    start_peer selfserv -p "$port" -v "$@"
    wait_listening "$peer_pid" "$port"
}

# Numbers of suites, and how TLS 1.2's are written in NSS.
nss_suites='1301 1302 1303 C02B C02C C02F C030 009E 009F C009 C00A C013 C014 C023 C024 C027 C028
    009C 009D 003C 003D 002F 0035'

# certificate_options SUITE
certificate_options() {
    case $1 in
    C02[BC] | C0[02][9A34]) echo "-d sql:$work/curves -e p256" ;;
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
    client_case "suite $suite" "$(lower "$suite") * ok" 'suite result' \
        -- ask:/ hear:200 end
    end_peer
done

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

server_case() { # CASE EXPECTED LABELS
    end_ours
    # shellcheck disable=SC2086 # labels are words
    expect "$1" "$(lines_of "$work/server" $3)" "$2" "$work/server" "$work/peer"
}

answer='hear:hello say:olleh close'
# server_suites CERTIFICATE SUITE...
server_suites() {
    file=$1
    shift
    expected=
    # shellcheck disable=SC2086 # actions are words
    start_ours --certificate "$file" --connections $# -- $answer
    for suite; do
        # shellcheck disable=SC2046 # options are words
        ask $(suite_options "$suite")
        expect "server, suite $suite" "$(grep -c olleh "$work/peer")" 1 "$work/peer"
        expected="$expected$(lower "$suite") * "
    done
    server_case 'server, all these suites' "${expected% }" suite
}

server_suites "$certs/p256.p7b" C02B C02C C009 C00A C023 C024
server_suites "$certs/rsa.pfx" 1301 1302 1303 C02F C030 009E 009F C013 C014 C027 C028 009C 009D \
    003C 003D 002F 0035

# shellcheck disable=SC2086
start_ours --certificate "$certs/rsa.pfx" --ask --issuers "$certs/ca.der" --connections 3 -- $answer
ask -V tls1.3:tls1.3 -n client
database=sql:$work/curves
ask -V tls1.2:tls1.2 -n client-ec
database=sql:$work/nss
ask -V tls1.2:tls1.3 -n none
server_case 'server, client certificates' \
    'Alice of RSA* Alice of EC* SEC_E_NO_CREDENTIALS ok ok ok' 'peer result'

# shellcheck disable=SC2086
start_ours --certificate "$certs/rsa.pfx" --connections 2 -- $answer
ask -V tls1.2:tls1.2 -u -L 2
server_case 'server, resumed' 'new resumed ok ok' 'session result'
finish
