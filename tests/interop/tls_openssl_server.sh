#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Our client against OpenSSL's s_server: every suite and group that both have, what is negotiated
# and attested, certificates that must be refused, client certificates, resumption, changes of keys
# in the middle of a connection, and moving it to another process.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_tls_openssl_server
# shellcheck source=tests/interop/tls.sh
. "${SRCDIR:?names the source folder}/tests/interop/tls.sh"

# serve CERTIFICATE OPTION...: s_server with that certificate, on a port of its own.
serve() {
    certificate=$1
    shift
    case $certificate in
    below) set -- -cert_chain "$certs/between.pem" "$@" ;;
    short) set -- -cert_chain "$certs/curve.pem" "$@" ;;
    esac
    start_peer openssl s_server -accept 127.0.0.1:0 -cert "$certs/$certificate.pem" \
        -key "$certs/$(key_of "$certificate").key" "$@"
    peer_says '^ACCEPT ' || {
        fail_case "s_server starts with $*" "$work/peer"
        finish
    }
    port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$work/peer")
}

# suite_options VERSION NAME
suite_options() {
    case $1 in
    1.3) echo "-tls1_3 -cipher ALL:@SECLEVEL=0 -ciphersuites $2" ;;
    *) echo "-tls1_2 -cipher $2:@SECLEVEL=0" ;;
    esac
}

# ---- suites and groups ----

# shellcheck disable=SC2046 # options are words
serve_suite() { serve "$1" -rev $(suite_options "$2" "$3"); }
visit_suites "$tls_suites" olleh
name_suites "$(names_of "$tls_named_suites")"
visit_suites "$tls_named_suites" olleh
unname_suites

for group in X25519 P-256 P-384 P-521; do
    serve rsa -rev -tls1_2 -cipher ECDHE -groups $group
    keep_peer "TLS 1.2, $group" '1.2 * olleh'
done
for group in X25519 P-256 P-384 P-521 ffdhe2048 ffdhe3072 ffdhe4096; do
    serve rsa -rev -tls1_3 -groups $group
    keep_peer "TLS 1.3, $group" '1.3 * olleh'
done
visit_kept say:hello hear:olleh close
serve rsa -rev -naccept 1 -tls1_3 -groups P-521
client_case 'a group that the first message has no share for' '1.3 ok' 'version result' \
    -- say:hello hear:olleh close
end_peer

# ---- what is negotiated ----

serve rsa -www
client_case 'by default' '1.3 new ok' 'version session result' -- close
client_case 'through the ANSI function' '1.3 localhost* new ok' 'version peer session result' \
    --ansi -- close
client_case 'through the ANSI function, another name' 'handshake SEC_E_WRONG_PRINCIPAL' result \
    --ansi --name other.test -- close
client_case 'SCHANNEL_CRED by default' '1.2 new ok' 'version session result' --old -- close
client_case 'SCHANNEL_CRED with 1.3 asked for' '1.2 new ok' 'version session result' \
    --old --versions 1.2,1.3 -- close
client_case 'SCHANNEL_CRED with 1.3 alone' 'AcquireCredentialsHandle SEC_E_ALGORITHM_MISMATCH *' \
    error --old --versions 1.3 -- close
client_case 'without 1.3' '1.2 new ok' 'version session result' --versions 1.2 -- close
client_case 'no protocol' 'none ok' 'alpn result' --alpn h2 -- close
for split in 1 7; do
    client_case "$split octets at a time" '1.3 new ok' 'version session result' --split $split \
        -- close
    client_case "$split octets at a time, TLS 1.2" '1.2 new ok' 'version session result' \
        --split $split --versions 1.2 -- close
done
end_peer

serve below -www -alpn http/1.1
client_case 'ALPN' 'http/1.1 ok' 'alpn result' --alpn h2,http/1.1 -- close
client_case 'ALPN, no common one' 'handshake SEC_E_APPLICATION_PROTOCOL_MISMATCH' result \
    --alpn h2 -- close
client_case "the chain of the server's certificate" 'localhost of 2 ok' 'peer result' -- close
end_peer

serve rsa -servername localhost -cert2 "$certs/p256.pem" -key2 "$certs/p256.key" -www
client_case 'the name reaches the server' "$(digest_of p256)" endpoint --versions 1.2 -- close
client_case 'another name reaches the server' "$(digest_of rsa)" endpoint --versions 1.2 \
    --name 127.0.0.1 --manual -- close
end_peer

for version in 1.2 1.3; do
    serve rsa -naccept 1 -keymatexport 'EXPERIMENTAL test' -keymatexportlen 20
    client_case "keying material, TLS $version" '*[0-9A-F] ok' 'keying result' \
        --versions $version --label 'EXPERIMENTAL test' -- say:hello close
    keying=$(sed -n 's/.*Keying material: //p' "$work/peer")
    expect "keying material is the server's, TLS $version" "$(lines_of "$work/client" keying)" \
        "${keying:-none of the server}" "$work/client" "$work/peer"
    expect "the binding to the server's certificate, TLS $version" \
        "$(lines_of "$work/client" endpoint)" "$(digest_of rsa)" "$work/client"
    end_peer
done

make_response rsa "$work/ocsp" >"$work/made" 2>&1 || fail_case 'a response is made' "$work/made"
serve rsa -www -status_file "$work/ocsp"
size=$(wc -c <"$work/ocsp")
client_case 'a stapled response' "$size bytes ok" 'staple result' -- close
client_case 'a stapled response, TLS 1.2' "$size bytes ok" 'staple result' --versions 1.2 -- close
end_peer

# ---- certificates that are refused ----

# refuse CASE CERTIFICATE STATUS ALERT OPTION...
refuse() {
    refuse_case=$1 refuse_certificate=$2 refuse_status=$3 refuse_alert=$4
    shift 4
    for version in 1.2 1.3; do
        serve "$refuse_certificate" -naccept 1
        client_case "$refuse_case, TLS $version" "handshake $refuse_status" result \
            --versions $version "$@" -- close
        peer_ends
        expect "$refuse_case, TLS $version: the server knows why" \
            "$(sed -n 's/.*alert \([a-z ]*[a-z]\):.*SSL alert number.*/\1/p' "$work/peer")" \
            "$refuse_alert" "$work/peer"
        end_peer
        serve "$refuse_certificate" -naccept 1 -rev
        client_case "$refuse_case, TLS $version: if the program judges" ok result \
            --versions $version --manual "$@" -- say:hello hear:olleh close
        end_peer
    done
}

refuse 'an unknown issuer' unknown SEC_E_UNTRUSTED_ROOT 'unknown ca'
refuse 'a certificate that has expired' expired SEC_E_CERT_EXPIRED 'certificate expired'
refuse 'a certificate for another name' other SEC_E_WRONG_PRINCIPAL '*'
refuse 'a certificate for clients' usage SEC_E_CERT_WRONG_USAGE '*'

# make_short: a certificate whose ECDSA signature has a number that would begin with a zero octet.
make_short() {
    make_key curve P-256 &&
        make_certificate curve curve ca 'winesspi test curve' 'basicConstraints=CA:TRUE' &&
        openssl req -new -key "$certs/p256.key" -subj /CN=localhost -out "$certs/short.csr" &&
        printf '%b\n' "$for_servers" >"$certs/short.ext" || return
    for serial in $(seq 3000); do
        openssl x509 -req -in "$certs/short.csr" -CA "$certs/curve.pem" -CAkey "$certs/curve.key" \
            -set_serial "$serial" -days 9000 -extfile "$certs/short.ext" \
            -out "$certs/short.pem" || return
        signature=$(openssl asn1parse -in "$certs/short.pem" |
            awk -F: '/BIT STRING/ { at = $1 } END { print at + 0 }')
        openssl asn1parse -in "$certs/short.pem" -strparse "$signature" |
            awk -F: '/INTEGER/ && length($NF) <= 62 { found = 1 } END { exit !found }' && return
    done
    return 1
}

if make_short >"$work/made" 2>&1; then
    serve short -rev -naccept 1
    client_case 'a certificate whose signature is short' ok result -- say:hello hear:olleh close
    end_peer
else
    fail_case 'a certificate whose signature is short is made' "$work/made"
fi

# ---- certificates of the client ----

for version in 1.2 1.3; do
    serve rsa -naccept 1 -CAfile "$certs/ca.pem" -Verify 3 -rev
    client_case "a client certificate, TLS $version" 'Alice of RSA* ok' 'own result' \
        --versions $version --certificate "$certs/client.pfx" -- say:hello hear:olleh close
    wait_for 'CN = Alice of RSA' "$work/peer"
    expect "a client certificate, TLS $version: the server has it" "$(grep -c \
        '^depth=0 CN = Alice of RSA' "$work/peer")" 1 "$work/peer"
    end_peer
    serve rsa -naccept 1 -CAfile "$certs/ca.pem" -Verify 3 -rev
    client_case "a client certificate on a curve, TLS $version" 'Alice of EC* ok' 'own result' \
        --versions $version --certificate "$certs/client-ec.p7b" -- say:hello hear:olleh close
    end_peer
    serve rsa -naccept 1 -CAfile "$certs/ca.pem" -Verify 3 -rev
    client_case "a client certificate with its issuer, TLS $version" 'Alice below* ok' \
        'own result' --versions $version --certificate "$certs/client-below.pfx" \
        -- say:hello hear:olleh close
    end_peer
    serve rsa -naccept 1 -CAfile "$certs/ca.pem" -Verify 3 -rev
    client_case "a client certificate when it is asked for, TLS $version" \
        'the server asks for one Alice of RSA* ok' 'certificate own result' \
        --versions $version --later "$certs/client.pfx" -- say:hello hear:olleh close
    end_peer
    serve rsa -naccept 1 -CAfile "$certs/ca.pem" -verify 3 -rev
    client_case "no client certificate where one is welcome, TLS $version" \
        'the server asks for one ok' 'certificate result' \
        --versions $version -- say:hello hear:olleh close
    end_peer
    serve rsa -naccept 1 -CAfile "$certs/ca.pem" -Verify 3 -rev
    client_case "no client certificate where one is required, TLS $version" \
        'the server asks for one *SEC_E_*' 'certificate result' \
        --versions $version -- say:hello hear:olleh close
    end_peer
done

# ---- resumption ----

for version in 1.2 1.3; do
    serve rsa -rev
    client_case "three connections, TLS $version" 'new resumed resumed ok' 'session result' \
        --versions $version -- say:one hear:eno close again say:two hear:owt close \
        again say:three hear:eerht close
    end_peer
done
serve rsa -rev -no_ticket
client_case 'sessions by their number' 'new resumed ok' 'session result' --versions 1.2 \
    -- say:one hear:eno close again say:two hear:owt close
end_peer
serve rsa -rev -no_ticket -no_cache
client_case 'a server without sessions' 'new new ok' 'session result' --versions 1.2 \
    -- say:one hear:eno close again say:two hear:owt close
end_peer

# ---- much data ----

# lines_arrive CASE NUMBER: so many numbered lines have, as s_server says, which has ended.
lines_arrive() {
    peer_ends
    numbered_lines "$2" >"$work/lines-sent"
    grep '^[0-9]*$' "$work/peer" | cmp -s - "$work/lines-sent"
    expect "$1: have arrived" $? 0
    end_peer
}

mkdir "$work/www"
head -c 3000000 /dev/urandom >"$work/www/file"
big_file() { perl -0777 -ne 'print substr($_, index($_, "\r\n\r\n") + 4)' "$work/saved"; }
cd "$work/www" || exit 1
for version in 1.2 1.3; do
    serve rsa -WWW -http_server_binmode
    rm -f "$work/saved"
    client_case "a large file, TLS $version" ok result --versions $version \
        --save "$work/saved" -- ask:/file body:0 end
    big_file | cmp -s - "$work/www/file"
    expect "a large file, TLS $version: is the file" $? 0 "$work/client"
    end_peer
    serve rsa -naccept 1
    client_case "many lines, TLS $version" ok result --versions $version \
        -- send:100000 close
    lines_arrive "many lines, TLS $version" 100000
    serve rsa -naccept 1
    client_case "small messages, TLS $version" ok result --versions $version --record 1 \
        -- send:64 close
    lines_arrive "small messages, TLS $version" 64
done

# ---- later in the connection ----

# serve_later OPTION...: one that says at once what happens in its handshakes.
serve_later() { serve rsa -state "$@"; }

# start_client ARGUMENT...: run_ours in the background.
start_client() {
    run_ours "$@" &
    client_pid=$!
}

# hear_peer TEXT [NUMBER]: until s_server has said it, unless our client has ended.
hear_peer() { wait_until has_text_or_ended "$client_pid" "$1" "$work/peer" "${2-}"; }

# command_peer COMMAND: s_server begins nothing new before a handshake that the command begins is
# done, in which each Finished is told of.
command_peer() {
    finished='read finished'
    done_before=$(grep -c "$finished" "$work/peer")
    tell_peer "$1"
    case $1 in
    [Rrc]) hear_peer "$finished" $((done_before + 1)) ;;
    esac
}

# later_case CASE EXPECTED LABELS COMMANDS ARGUMENT...: the client says one, s_server gets the
# commands and then says two, the client says three, and s_server ends.
later_case() {
    later_title=$1 later_expected=$2 later_labels=$3 later_commands=$4
    shift 4
    start_client "$@"
    hear_peer '^one'
    for one in $later_commands; do command_peer "$one"; done
    tell_peer two
    hear_peer '^three'
    end_later "$later_title" "$later_expected" "$later_labels"
}

# end_later CASE EXPECTED LABELS
end_later() {
    has_ended "$client_pid" || tell_peer Q
    wait "$client_pid"
    # shellcheck disable=SC2086 # labels are words
    expect "$1" "$(lines_of "$work/client" $3)" "$2" "$work/client" "$work/peer"
    end_peer
}

serve_later -tls1_3
later_case 'other keys of the server' 'two closed* ok' 'heard end result' 'k k' \
    -- say:one hear:two say:three end
serve_later -tls1_3
later_case 'other keys of both' 'two closed* ok' 'heard end result' 'K K' \
    -- say:one hear:two say:three end
serve_later -tls1_2
later_case 'a server that renegotiates' 'two closed* 1 renegotiations ok' \
    'heard end result' r -- say:one hear:two say:three end
serve_later -tls1_2
later_case 'a server that renegotiates twice' 'two closed* 2 renegotiations ok' \
    'heard end result' 'r r' -- say:one hear:two say:three end
serve_later -tls1_2 -CAfile "$certs/ca.pem"
later_case 'a server that renegotiates for a certificate' \
    'two closed* SEC_E_NO_CREDENTIALS Alice of RSA* ok' 'heard end own result' R \
    --certificate "$certs/client.pfx" -- say:one hear:two facts say:three end
serve_later -tls1_2 -CAfile "$certs/ca.pem"
later_case 'a server that renegotiates for a certificate, which comes when it is asked for' \
    'two closed* 1 renegotiations the server asks for one * Alice of RSA* ok' \
    'heard end certificate own result' R --later "$certs/client.pfx" \
    -- say:one hear:two facts say:three end
serve_later -tls1_2 -CAfile "$certs/ca.pem"
later_case 'a server that renegotiates for a certificate in vain' \
    'two closed* 1 renegotiations the server asks for one ok' 'heard end certificate result' R \
    -- say:one hear:two say:three end
# s_server takes up the same session again, in which nobody shows anything.
serve_later -tls1_2 -CAfile "$certs/ca.pem" -verify 1
alice='Alice of RSA of 1'
later_case 'a server that renegotiates with a resumed client' \
    "two close_notify* closed* 1 renegotiations new resumed resumed $alice $alice $alice ok" \
    'heard end session own result' r --certificate "$certs/client.pfx" \
    -- say:zero close again say:one hear:two facts say:three end
# s_server asks, and says two before it reads the answer; it takes no data in between itself.
serve_later -tls1_2 -CAfile "$certs/ca.pem"
start_client --later "$certs/client.pfx" -- say:one "await:$work/said" hear:two hear:three facts \
    say:four end
hear_peer '^one'
tell_peer R
tell_peer two
wait_until peer_has_read
: >"$work/said"
hear_peer '^depth=0'
tell_peer three
hear_peer '^four'
end_later 'data in the middle of a renegotiation' \
    'two three closed* 2 renegotiations the server asks for one * Alice of RSA* ok' \
    'heard end certificate own result'
# A line c has it ask in TLS 1.3.
for commands in c 'c c' 'K c k' 'K k c K'; do
    serve_later -tls1_3 -CAfile "$certs/ca.pem"
    later_case "TLS 1.3, a server that asks for a certificate: $commands" \
        'two closed* SEC_E_NO_CREDENTIALS Alice of RSA* ok' 'heard end own result' "$commands" \
        --certificate "$certs/client.pfx" -- say:one hear:two facts say:three end
    expect "TLS 1.3, a server that asks for a certificate, has it: $commands" \
        "$(grep -c '^depth=0 CN = Alice of RSA' "$work/peer")" \
        "$(echo "$commands" | tr -cd c | wc -c)" "$work/peer"
done
serve_later -tls1_3 -CAfile "$certs/ca.pem"
later_case 'TLS 1.3, a server that asks a moved client' \
    '* SEC_E_ILLEGAL_MESSAGE*' 'heard end successor result' c \
    --certificate "$certs/client.pfx" -- move say:one hear:two
serve_later -tls1_2 -client_renegotiation
later_case 'a client that renegotiates' 'two closed* ok' 'heard end result' '' \
    -- renegotiate say:one hear:two renegotiate say:three end

# ---- moving ----

echo "$tls_suites" | grep -e GCM -e CHACHA >"$work/moving"
while read -r _ version certificate suite; do
    # shellcheck disable=SC2046
    serve "$certificate" -rev -naccept 1 $(suite_options "$version" "$suite")
    client_case "$suite, moved twice" 'eno owt eerht ok ok ok' 'heard successor result' \
        -- say:one hear:eno move say:two hear:owt move say:three hear:eerht close
    end_peer
done <"$work/moving"
for version in 1.2 1.3; do
    serve rsa -WWW -http_server_binmode
    rm -f "$work/saved"
    client_case "a file that arrives in three processes, TLS $version" 'ok ok ok' \
        'successor result' --versions $version --save "$work/saved" \
        -- ask:/file body:1000001 move body:1000001 move body:0 end
    big_file | cmp -s - "$work/www/file"
    expect "a file that arrives in three processes, TLS $version: is the file" $? 0 "$work/client"
    end_peer
    serve rsa -naccept 1
    client_case "lines from two processes, TLS $version" 'ok ok' 'successor result' \
        --versions $version -- send:5000 move send:5000+5000 close
    lines_arrive "lines from two processes, TLS $version" 10000
done
serve_later -tls1_3
later_case 'other keys after the move' 'two closed* ok ok' 'heard end successor result' \
    'K k K' -- move say:one hear:two say:three end
serve_later -tls1_3
later_case 'moved after other keys' 'two closed* ok ok' 'heard end successor result' \
    'K k K' -- say:one hear:two move say:three end
serve_later -tls1_2
later_case 'a moved client renegotiates no more' '*' 'heard end successor result' \
    'r' -- move say:one hear:two say:three end
serve rsa -rev -tls1_2 -naccept 1 -cipher AES256-SHA
client_case 'a suite that does not move' 'export SEC_E_UNSUPPORTED_FUNCTION' result \
    -- say:one hear:eno move
end_peer

# ---- suites that have to be named, and old versions ----

# CCM is offered where the policy of the machine names it.
ccm=TLS_AES_128_CCM_SHA256
serve rsa -rev -tls1_3 -ciphersuites $ccm
client_case "$ccm, not offered" 'handshake SEC_E_ILLEGAL_MESSAGE' result -- close
end_peer
name_suites $ccm
serve rsa -rev -tls1_3 -ciphersuites $ccm -verify 1
client_case "$ccm, the server asks for a certificate" \
    "1.3 1304 $ccm the server asks for one ok" 'version suite certificate result' \
    -- say:hello hear:olleh move say:more hear:erom close
end_peer
unname_suites

switch_on_old Client
for version in 1.0 1.1; do
    case $version in 1.0) option=-tls1 ;; *) option=-tls1_1 ;; esac
    serve rsa -rev $option -cipher DEFAULT@SECLEVEL=0
    client_case "TLS $version" "$version * ok" 'version suite result' --versions 1.0,1.1,1.2 \
        -- say:hello hear:olleh close
    client_case "TLS $version, not asked for" 'handshake SEC_E_*' result --versions 1.2 -- close
    end_peer
done
finish
