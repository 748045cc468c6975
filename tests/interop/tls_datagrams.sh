#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# DTLS 1.2: our client against OpenSSL's s_server and gnutls-serv, and our server against their
# clients: every suite, flights of many datagrams and of lost ones, certificates of both sides.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_tls_datagrams
# shellcheck source=tests/interop/tls.sh
. "${SRCDIR:?names the source folder}/tests/interop/tls.sh"

relay_pid=
# shellcheck disable=SC2317 # called by the trap
end_all() {
    [ -z "$relay_pid" ] || kill "$relay_pid" 2>/dev/null
    tls_clean_up
}
trap end_all EXIT

# serve CERTIFICATE OPTION...: s_server, which hears lines and says those of descriptor 3.
serve() {
    certificate=$1
    shift
    start_peer openssl s_server -dtls1_2 -4 -accept 127.0.0.1:0 -cert "$certs/$certificate.pem" \
        -key "$certs/$(key_of "$certificate").key" "$@"
    peer_says '^ACCEPT ' || {
        fail_case "s_server starts with $*" "$work/peer"
        finish
    }
    port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$work/peer")
}

# openssl_case CASE EXPECTED LABELS ARGUMENT...: s_server answers hello.
openssl_case() {
    openssl_title=$1 openssl_expected=$2 openssl_labels=$3
    shift 3
    run_ours --datagram "$@" -- say:hello hear:olleh close &
    client_pid=$!
    wait_for '^hello' "$work/peer"
    echo olleh >&3
    wait "$client_pid"
    # shellcheck disable=SC2086 # labels are words
    expect "$openssl_title" "$(lines_of "$work/client" $openssl_labels)" "$openssl_expected" \
        "$work/client" "$work/peer"
    end_peer
}

serve rsa
openssl_case 'DTLS 1.2' 'DTLS 1.2 olleh ok' 'version heard result'
# s_server says how much fits a datagram, which goes for its flight.
serve rsa -mtu 300 -cert_chain "$certs/between.pem"
openssl_case 'a flight of many datagrams' 'DTLS 1.2 olleh ok' 'version heard result'
serve p256
openssl_case 'the name of the ANSI call' 'localhost* olleh ok' 'peer heard result' --ansi
serve rsa -CAfile "$certs/ca.pem" -Verify 3
openssl_case 'a client certificate' 'Alice of RSA* olleh ok' 'own heard result' \
    --certificate "$certs/client.pfx"
serve p256 -CAfile "$certs/ca.pem" -Verify 3
openssl_case 'a client certificate on a curve' 'Alice of EC* olleh ok' 'own heard result' \
    --certificate "$certs/client-ec.p7b"

# refuse CASE CERTIFICATE STATUS
refuse() {
    serve "$2"
    client_case "$1" "handshake $3" result --datagram -- close
    end_peer
}
refuse 'an unknown issuer' unknown SEC_E_UNTRUSTED_ROOT
refuse 'a certificate that has expired' expired SEC_E_CERT_EXPIRED
refuse 'a certificate for another name' other SEC_E_WRONG_PRINCIPAL

# ---- our server, s_client ----

tls_12=$(echo "$tls_suites" | grep ' 1\.2 ')

# asked CASE EXPECTED LABELS: our server has ended, and the client has heard it.
asked() {
    end_ours
    # shellcheck disable=SC2086 # labels are words
    expect "$1" "$(grep -c 'olleh' "$work/peer") $(lines_of "$work/server" $3)" "1 $2" \
        "$work/server" "$work/peer"
}

# ask OPTION...: s_client, which says hello. With a socket that waits it would not, where something
# in the handshake was late: the call that ends the handshake then waits for data.
ask() {
    printf 'hello\n' | $limit openssl s_client -dtls1_2 -connect "localhost:$port" -4 -nbio \
        -ign_eof -nocommands -CAfile "$certs/ca.pem" -verify_return_error \
        -verify_hostname localhost "$@" >"$work/peer" 2>&1
}

start_answering --datagram --certificate "$certs/rsa.pfx"
ask
asked 'server' 'DTLS 1.2 ok' 'version result'
start_answering --datagram --certificate "$certs/below.p7b"
ask -mtu 300
asked 'server, many datagrams' 'DTLS 1.2 ok' 'version result'
start_answering --datagram --ask --issuers "$certs/ca.der" --certificate "$certs/rsa.pfx"
ask -cert "$certs/client.pem" -key "$certs/rsa.key"
asked 'server, a client certificate' 'Alice of RSA* ok' 'peer result'
start_answering --datagram --certificate "$certs/rsa.pfx" --label 'EXPERIMENTAL test'
ask -keymatexport 'EXPERIMENTAL test' -keymatexportlen 20
keying=$(sed -n 's/.*Keying material: //p' "$work/peer")
asked 'server, keying material' "${keying:-none of the client} ok" 'keying result'

# ---- a net that loses datagrams ----

# lose: relays to $port, which is the relay's afterwards, without the first, third and fifth
# datagram of either side's handshake. What was lost is in $work/relay.
lose() {
    : >"$work/relay"
    perl -MIO::Socket::INET -MIO::Select -e '
        $| = 1;
        my $in = IO::Socket::INET->new(Proto => "udp", LocalAddr => "127.0.0.1");
        my $out = IO::Socket::INET->new(Proto => "udp", PeerAddr => "127.0.0.1:" . shift);
        print "port: ", $in->sockport, "\n";
        my (%count, $client);
        while (my @ready = IO::Select->new($in, $out)->can_read(30)) {
            for my $socket (@ready) {
                my $from = $socket->recv(my $bytes, 65535);
                defined $from or next;
                $client = $from if $socket == $in;
                my $side = $socket == $in ? "client" : "server";
                my $type = ord $bytes;
                if (($type == 20 || $type == 22) && $count{$side}++ < 5 && $count{$side} % 2) {
                    print "lost: $side\n";
                } elsif ($side eq "client") {
                    $out->send($bytes);
                } else {
                    $in->send($bytes, 0, $client);
                }
            }
        }' "$port" >"$work/relay" &
    relay_pid=$!
    wait_for '^port:' "$work/relay"
    port=$(lines_of "$work/relay" port)
}

# lost_case CASE: at least two of each side were lost.
lost_case() {
    kill "$relay_pid"
    wait "$relay_pid" 2>/dev/null
    relay_pid=
    sides=$(sort "$work/relay" | uniq -c | awk '/lost:/ && $1 > 1' | wc -l)
    expect "$1: some are lost" "$sides" 2 "$work/relay"
}

serve rsa
lose
openssl_case 'a client that repeats what was lost' 'DTLS 1.2 olleh ok' 'version heard result'
lost_case 'a client that repeats what was lost'
start_answering --datagram --certificate "$certs/rsa.pfx"
lose
ask
asked 'a server that repeats what was lost' 'DTLS 1.2 ok' 'version result'
lost_case 'a server that repeats what was lost'

# ---- GnuTLS ----

if command -v gnutls-serv >/dev/null; then
    # datagram_priority SUITE
    datagram_priority() { gnutls_priority 1.2 "$1" | sed 's/VERS-TLS/VERS-DTLS/'; }

    # serve_gnutls CERTIFICATE OPTION...: which gives lines back.
    serve_gnutls() {
        thrice start_gnutls "$@" && return
        fail_case "gnutls-serv starts with $*" "$work/peer"
        finish
    }
    start_gnutls() {
        certificate=$1
        shift
        port=$(free_port udp)
        start_peer gnutls-serv --udp -p "$port" --echo --x509certfile "$certs/$certificate.pem" \
            --x509keyfile "$certs/$(key_of "$certificate").key" "$@"
        peer_says 'IPv4 .*\(done\|failed\)' && has_text 'IPv4 .*done' "$work/peer" && return
        end_peer
        return 1
    }

    visit_options=--datagram
    while read -r number _ certificate suite _; do
        serve_gnutls "$certificate" -a --priority "$(datagram_priority "$suite")"
        keep_peer "GnuTLS, $suite" "DTLS 1.2 $number * hello"
    done <<END
$tls_12
END
    visit_kept say:hello hear:hello close

    # ask_gnutls OPTION...: gnutls-cli, which says hello.
    ask_gnutls() {
        printf 'hello\n' | $limit gnutls-cli --udp --x509cafile "$certs/ca.pem" -p "$port" "$@" \
            localhost >"$work/peer" 2>&1
    }
    for suite in ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-CHACHA20-POLY1305 DHE-RSA-AES128-GCM-SHA256 \
        AES256-SHA256; do
        number=$(echo "$tls_12" | awk -v s=$suite '$4 == s { print $1 }')
        start_answering --datagram --certificate "$certs/rsa.pfx"
        ask_gnutls --priority "$(datagram_priority "$suite")"
        asked "server, GnuTLS, $suite" "DTLS 1.2 $number * ok" 'version suite result'
    done
    start_answering --datagram --ask --issuers "$certs/ca.der" --certificate "$certs/rsa.pfx"
    ask_gnutls --x509certfile "$certs/client.pem" --x509keyfile "$certs/rsa.key"
    asked 'server, GnuTLS, a client certificate' 'Alice of RSA* ok' 'peer result'
else
    skip_cases 31 'gnutls-serv (Debian package gnutls-bin)'
fi
finish
