#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Our server against OpenSSL's s_client: every suite and group that both have, choice of the
# certificate, what is negotiated, client certificates, resumption, changes of keys in the middle of
# a connection, and moving it to another process.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_tls_openssl_client
# shellcheck source=tests/interop/tls.sh
. "${SRCDIR:?names the source folder}/tests/interop/tls.sh"

# ask OPTION...: s_client, which says hello and hears until the end; its output is in $work/peer.
ask() {
    printf 'hello\n' | $limit openssl s_client -connect "localhost:$port" -4 -ign_eof -nocommands \
        -CAfile "$certs/ca.pem" -verify_return_error -verify_hostname localhost "$@" \
        >"$work/peer" 2>&1
}

# What s_client says: version, suite, what it has heard (which may stand behind something else of
# its), and what went wrong.
heard() {
    sed -n -e 's/^New, TLSv\([0-9.]*\), Cipher is .*/\1/p' -e 's/^    Cipher    : //p' \
        -e 's/^New, TLSv1.3, Cipher is //p' -e 's/.*\(olleh\)$/\1/p' \
        -e 's/.* alert \([a-z ]*\):.*SSL alert number.*/\1/p' "$work/peer" | sort -u | tr '\n' ' ' |
        sed 's/ $//'
}

# ask_case CASE PATTERN OPTION...
ask_case() {
    ask_title=$1 ask_pattern=$2
    shift 2
    ask "$@"
    expect "$ask_title" "$(heard)" "$ask_pattern" "$work/peer" "$work/server"
}

# ---- suites and groups ----

ask_suite() {
    case $1 in
    1.3) ask_case "$2" "1.3 $2 olleh" -tls1_3 -cipher ALL:@SECLEVEL=0 -ciphersuites "$2" ;;
    *) ask_case "$2" "*$2 olleh" -tls1_2 -cipher "$2:@SECLEVEL=0" ;;
    esac
}

ask_suites "$tls_suites"
name_suites "$(names_of "$tls_named_suites")"
ask_suites "$tls_named_suites"
unname_suites

start_answering --certificate "$certs/rsa.pfx" --connections 12
for group in X25519 P-256 P-384 P-521; do
    ask_case "TLS 1.2, $group" '*olleh' -tls1_2 -cipher ECDHE -groups $group
done
for group in X25519 P-256 P-384 P-521 ffdhe2048 ffdhe3072 ffdhe4096; do
    ask_case "TLS 1.3, $group" '*olleh' -tls1_3 -groups $group
done
ask_case 'a share for the second group only' '*olleh' -tls1_3 -groups P-384:X25519
server_case groups 'ok ok ok ok ok ok ok ok ok ok ok ok' result

# ---- versions ----

start_answering --certificate "$certs/rsa.pfx" --connections 3
ask_case 'by default' '1.3*olleh'
ask_case 'up to 1.2' '1.2*olleh' -no_tls1_3
ask_case 'not 1.1' '*protocol version' -tls1_1 -cipher DEFAULT@SECLEVEL=0
server_case 'versions' '1.3 1.2 ok ok handshake SEC_E_*' 'version result'
start_answering --old --certificate "$certs/rsa.pfx" --connections 2
ask_case 'SCHANNEL_CRED by default' '1.2*olleh'
ask_case 'SCHANNEL_CRED, not 1.3' '*handshake failure' -tls1_3
server_case 'SCHANNEL_CRED' '1.2 ok handshake SEC_E_*' 'version result'

# ---- what is negotiated ----

start_answering --certificate "$certs/rsa.pfx" --alpn h2,http/1.1 --connections 4
ask_case 'ALPN' '1.3*olleh' -alpn http/1.1,spdy
ask_case 'ALPN in TLS 1.2' '1.2*olleh' -alpn h2 -tls1_2
ask_case 'ALPN, no common one' '*no application protocol' -alpn spdy
ask_case 'ALPN, not asked for' '1.3*olleh'
server_case 'ALPN of the server' \
    'http/1.1 h2 none ok ok handshake SEC_E_APPLICATION_PROTOCOL_MISMATCH ok' 'alpn result'

start_answering --certificate "$certs/rsa.pfx" --certificate "$certs/other.p7b" --connections 3
ask_case 'the first certificate by its name' '*olleh'
ask_case 'the second certificate by its name' '*olleh' -servername other.test \
    -verify_hostname other.test
ask_case 'no name' '*olleh' -noservername
server_case 'certificates by name' 'localhost* other.test* localhost* ok ok ok' 'own result'

start_answering --certificate "$certs/below.p7b" --connections 1
ask_case 'the chain is sent' '*olleh' -showcerts
expect 'the chain has two' "$(grep -c '^-----BEGIN CERT' "$work/peer")" 2 "$work/peer"
end_ours

for version in 1.2 1.3; do
    start_answering --certificate "$certs/rsa.pfx" --label 'EXPERIMENTAL test'
    ask -keymatexport 'EXPERIMENTAL test' -keymatexportlen 20 "-tls$(echo $version | tr . _)"
    end_ours
    keying=$(sed -n 's/.*Keying material: //p' "$work/peer")
    expect "keying material, TLS $version" "$(lines_of "$work/server" keying)" \
        "${keying:-none of the client}" "$work/server" "$work/peer"
    expect "the binding to our certificate, TLS $version" \
        "$(lines_of "$work/server" endpoint)" "$(digest_of rsa)" "$work/server"
done

# ---- the server's OCSP response ----

# stapled: what s_client says of it.
stapled() {
    sed -n -e 's/^OCSP response: \(no response sent\)/\1/p' -e 's/.*OCSP Response Status: //p' \
        -e 's/.*Cert Status: //p' -e 's/.*\(olleh\)$/\1/p' "$work/peer" | tr '\n' ' '
}
make_response rsa "$work/ocsp" >"$work/made" 2>&1 || fail_case 'a response is made' "$work/made"
for version in 1_2 1_3; do
    start_answering --certificate "$certs/rsa.pfx" --staple "$work/ocsp" --connections 2
    ask -tls$version -status
    expect "a stapled response, TLS $version" "$(stapled)" 'successful (0x0) good olleh ' \
        "$work/peer" "$work/server"
    ask -tls$version
    expect "a stapled response, not asked for, TLS $version" "$(stapled)" 'olleh ' "$work/peer"
    end_ours
    start_answering --certificate "$certs/rsa.pfx"
    ask -tls$version -status
    expect "no stapled response, TLS $version" "$(stapled)" 'no response sent olleh ' \
        "$work/peer" "$work/server"
    end_ours
done

# ---- certificates of the client ----

for version in 1.2 1.3; do
    dashed=-tls$(echo $version | tr . _)
    start_answering --certificate "$certs/rsa.pfx" --ask --issuers "$certs/ca.der" --connections 4
    ask_case "a client certificate, TLS $version" '*olleh' "$dashed" -cert "$certs/client.pem" \
        -key "$certs/rsa.key"
    ask_case "a client certificate on a curve, TLS $version" '*olleh' "$dashed" \
        -cert "$certs/client-ec.pem" -key "$certs/p256.key"
    ask_case "a client certificate with its issuer, TLS $version" '*olleh' "$dashed" \
        -cert "$certs/client-below.pem" -key "$certs/rsa.key" -cert_chain "$certs/between.pem"
    ask_case "no client certificate, TLS $version" '*olleh' "$dashed"
    server_case "client certificates, TLS $version" \
        'Alice of RSA of 2 Alice of EC of 2 Alice below of 2 SEC_E_NO_CREDENTIALS ok ok ok ok' \
        'peer result'
    start_answering --certificate "$certs/rsa.pfx"
    ask_case "a client certificate that nobody wants, TLS $version" '*olleh' "$dashed" \
        -cert "$certs/client.pem" -key "$certs/rsa.key"
    server_case "nobody wants it, TLS $version" 'SEC_E_NO_CREDENTIALS ok' 'peer result'
done

# ---- resumption ----

for version in 1_2 1_3; do
    start_answering --certificate "$certs/rsa.pfx" --connections 3
    ask -tls$version -sess_out "$work/session"
    ask_case "resumed, TLS $version" '*olleh' -tls$version -sess_in "$work/session"
    expect "resumed, TLS $version: the client says so" \
        "$(grep -c '^Reused, ' "$work/peer")" 1 "$work/peer"
    ask -tls$version
    server_case "resumed, TLS $version: the server says so" 'new resumed new ok ok ok' \
        'session result'
done

# ---- much data ----

numbered_lines 100000 >"$work/many"
for version in 1_2 1_3; do
    start_ours --certificate "$certs/rsa.pfx" --connections 3 -- take:100000 say:olleh close
    $limit openssl s_client -connect "localhost:$port" -4 -quiet -tls$version <"$work/many" \
        >"$work/peer" 2>&1
    $limit openssl s_client -connect "localhost:$port" -4 -quiet -tls$version -max_send_frag 512 \
        <"$work/many" >"$work/peer" 2>&1
    $limit openssl s_client -connect "localhost:$port" -4 -quiet -tls$version -no_etm \
        <"$work/many" >"$work/peer" 2>&1
    server_case "many lines, TLS $version" 'ok ok ok' result
    start_ours --certificate "$certs/rsa.pfx" --connections 1 -- send:100000 close
    $limit openssl s_client -connect "localhost:$port" -4 -quiet -tls$version </dev/null \
        >"$work/peer" 2>"$work/peer.err"
    cmp -s "$work/peer" "$work/many"
    expect "many lines to the client, TLS $version" $? 0 "$work/peer.err"
    end_ours
done

# ---- later in the connection ----

# talk CASE EXPECTED LABELS COMMANDS OPTION...: s_client says one, gets the commands, and says two.
# The command =NUMBER:TEXT waits until it has printed so many lines with that. Data in the middle of
# another handshake has it look at its input no more.
talk() {
    talk_title=$1 talk_expected=$2 talk_labels=$3 talk_commands=$4
    shift 4
    start_peer $limit openssl s_client -connect "localhost:$port" -4 -state \
        -CAfile "$certs/ca.pem" "$@"
    wait_for '^ready' "$work/peer"
    for one in one $talk_commands two; do
        case $one in
        =*)
            one=${one#=}
            wait_for "${one#*:}" "$work/peer" "${one%%:*}"
            ;;
        *) tell_peer "$one" ;;
        esac
    done
    server_case "$talk_title" "$talk_expected" "$talk_labels"
    end_peer
}

start_ours --certificate "$certs/rsa.pfx" -- say:ready hear:one hear:two say:three close
talk 'other keys of the client' 'one two ok' 'heard result' 'k k' -tls1_3
start_ours --certificate "$certs/rsa.pfx" -- say:ready hear:one hear:two say:three close
talk 'other keys of both' 'one two ok' 'heard result' 'K K' -tls1_3

# late CASE EXPECTED ACTION OPTION...: our server renegotiates between one and two.
late() {
    late_case=$1 late_expected=$2 late_action=$3
    shift 3
    start_ours --certificate "$certs/rsa.pfx" -- say:ready hear:one "$late_action" hear:two facts \
        say:three close
    case $1 in
    -no_renegotiation) late_answer='=1:no.renegotiation' ;;
    *) late_answer='=2:read.finished' ;;
    esac
    talk "$late_case" "$late_expected" 'heard peer declined result' "$late_answer" -tls1_2 "$@"
}
alice="-cert $certs/client.pem -key $certs/rsa.key"
for suite in AES128-GCM-SHA256 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-CHACHA20-POLY1305; do
    # shellcheck disable=SC2086
    late "a server that asks for a certificate later, $suite" \
        'one two SEC_E_NO_CREDENTIALS Alice of RSA* ok' renegotiate:ask -cipher $suite $alice
done
late 'a server that asks for a certificate later, of a client without one' \
    'one two SEC_E_NO_CREDENTIALS SEC_E_NO_CREDENTIALS ok' renegotiate:ask
# shellcheck disable=SC2086
late 'a server that renegotiates' 'one two SEC_E_NO_CREDENTIALS SEC_E_NO_CREDENTIALS ok' \
    renegotiate $alice
late 'a server whose client does not renegotiate' \
    'one two SEC_E_NO_CREDENTIALS SEC_E_NO_CREDENTIALS by the peer ok' renegotiate:ask \
    -no_renegotiation
# shellcheck disable=SC2086
start_ours --certificate "$certs/rsa.pfx" -- say:ready hear:one renegotiate:ask hear:between \
    renegotiate hear:two move facts say:three close
# shellcheck disable=SC2086
talk 'a server that renegotiates twice, and moves' \
    'one between two SEC_E_NO_CREDENTIALS Alice of RSA* ok ok' \
    'heard peer successor result' '=2:read.finished between =3:read.finished' -tls1_2 $alice
start_ours --certificate "$certs/rsa.pfx" -- say:ready hear:one renegotiate:ask say:asked \
    hear:two
talk 'TLS 1.3, a client that would show none' 'one two by the peer ok' 'heard declined result' \
    =1:^asked -tls1_3
# shown CASE EXPECTED COMMANDS ACTIONS OPTION...: our server does these things in TLS 1.3.
shown() {
    shown_case=$1 shown_expected=$2 shown_commands=$3 shown_actions=$4
    shift 4
    # shellcheck disable=SC2086 # actions are words
    start_ours --certificate "$certs/rsa.pfx" -- say:ready hear:one $shown_actions facts \
        say:three close
    talk "$shown_case" "$shown_expected" 'heard peer declined successor result' "$shown_commands" \
        -tls1_3 -enable_pha "$@"
}
# shellcheck disable=SC2086 # options are words
for suite in TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256; do
    shown "TLS 1.3, a client that shows one, $suite" \
        'one two SEC_E_NO_CREDENTIALS Alice of RSA* ok' =1:^asked \
        'renegotiate:ask say:asked hear:two' \
        -ciphersuites $suite $alice
done
shown 'TLS 1.3, a client that shows one on a curve' \
    'one two SEC_E_NO_CREDENTIALS Alice of EC* ok' =1:^asked \
    'renegotiate:ask say:asked hear:two' \
    -cert "$certs/client-ec.pem" -key "$certs/p256.key"
shown 'TLS 1.3, a client that has none to show' \
    'one two SEC_E_NO_CREDENTIALS SEC_E_NO_CREDENTIALS ok' =1:^asked \
    'renegotiate:ask say:asked hear:two'
# shellcheck disable=SC2086
shown 'TLS 1.3, a client that shows one with other keys of both, twice, and the server moves' \
    'one between two SEC_E_NO_CREDENTIALS Alice of RSA* ok ok' 'k K between K =1:^asked' \
    'hear:between renegotiate:ask renegotiate:ask say:asked hear:two move' $alice
start_ours --certificate "$certs/rsa.pfx" -- say:ready hear:one move renegotiate
talk 'a moved server does not renegotiate' '*SEC_E_UNSUPPORTED_FUNCTION*' 'heard successor result' \
    '' -tls1_2

# ---- moving ----

for version in 1_2 1_3; do
    start_ours --certificate "$certs/rsa.pfx" -- take:30000 move take:30000+30000 move \
        take:60000+40000 say:olleh close
    $limit openssl s_client -connect "localhost:$port" -4 -quiet -tls$version <"$work/many" \
        >"$work/peer" 2>&1
    server_case "a server in three processes, TLS $version" 'ok ok ok' 'successor result'
    start_ours --certificate "$certs/rsa.pfx" -- send:40000 move send:40000+40000 move \
        send:80000+20000 close
    $limit openssl s_client -connect "localhost:$port" -4 -quiet -tls$version </dev/null \
        >"$work/peer" 2>"$work/peer.err"
    cmp -s "$work/peer" "$work/many"
    expect "lines from three processes, TLS $version" $? 0 "$work/peer.err" "$work/server"
    end_ours
done
start_ours --certificate "$certs/rsa.pfx" -- say:ready hear:one move hear:two say:three close
talk 'other keys before and after the move' 'one two ok ok' 'heard successor result' 'K k K' -tls1_3

# ---- small records and old versions ----

numbered_lines 20000 >"$work/many"
for version in 1_2 1_3; do
    # max_fragment_length is the library's affair in the handshake, and ours in each record.
    start_ours --certificate "$certs/rsa.pfx" -- send:10000 move send:10000+10000 close
    $limit openssl s_client -connect "localhost:$port" -4 -quiet -tls$version -maxfraglen 1024 \
        </dev/null >"$work/peer" 2>"$work/peer.err"
    cmp -s "$work/peer" "$work/many"
    expect "small records, TLS $version" $? 0 "$work/peer.err" "$work/server"
    end_ours
done

switch_on_old Server
start_answering --certificate "$certs/rsa.pfx" --versions 1.0,1.1,1.2 --connections 3
ask_case 'TLS 1.0' '*olleh' -tls1 -cipher DEFAULT@SECLEVEL=0
ask_case 'TLS 1.1' '*olleh' -tls1_1 -cipher DEFAULT@SECLEVEL=0
ask_case 'TLS 1.2 beside them' '1.2*olleh' -tls1_2
server_case 'old versions' '1.0 1.1 1.2 ok ok ok' 'version result'
finish
