#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Our client against gnutls-serv, and our server against gnutls-cli: every suite and group, small
# records, certificates of the client, resumption.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_tls_gnutls
# shellcheck source=tests/interop/tls.sh
. "${SRCDIR:?names the source folder}/tests/interop/tls.sh"

command -v gnutls-serv >/dev/null || skip_all 'gnutls-serv (Debian package gnutls-bin)'

# serve OPTION...: gnutls-serv, which gives lines back.
serve() { serve_as rsa "$@"; }

# serve_as CERTIFICATE OPTION...
serve_as() {
    thrice start_serving "$@" && return
    fail_case "gnutls-serv starts with $*" "$work/peer"
    finish
}
start_serving() {
    certificate=$1
    shift
    port=$(free_port)
    start_peer gnutls-serv -p "$port" --echo --crlf \
        --x509certfile "$certs/$certificate.chain.pem" \
        --x509keyfile "$certs/$(key_of "$certificate").key" "$@"
    peer_says 'IPv4 .*\(done\|failed\)' && has_text 'IPv4 .*done' "$work/peer" && return
    end_peer
    return 1
}

# priority VERSION GROUP: a priority string.
priority() { echo "NORMAL:-VERS-ALL:+VERS-TLS$1:-GROUP-ALL:+GROUP-$2"; }

# ---- our client ----

serve_suite() { serve_as "$1" -a --priority "$(gnutls_priority "$2" "$3")"; }
visit_suites "$tls_suites" hello
name_suites "$(names_of "$tls_named_suites$tls_old_suites")"
visit_suites "$tls_named_suites$tls_old_suites" hello
unname_suites

for group in X25519 SECP256R1 SECP384R1 SECP521R1 FFDHE2048 FFDHE3072 FFDHE4096; do
    for version in 1.2 1.3; do
        serve -a --priority "$(priority $version $group)"
        keep_peer "TLS $version, $group" "$version * hello"
    done
done
visit_kept say:hello hear:hello close

serve -a
client_case 'many lines that come back' '1.3 ok' 'version result' -- echo:20000 close
client_case 'many lines that come back, TLS 1.2' '1.2 ok' 'version result' --versions 1.2 \
    -- echo:20000 close
for version in 1.2 1.3; do
    client_case "resumed, TLS $version" 'new resumed ok' 'session result' --versions $version \
        -- say:one hear:one close again say:two hear:two close
    client_case "lines that come back to three processes, TLS $version" 'ok ok ok' \
        'successor result' --versions $version \
        -- echo:3000 move echo:3000+3000 move echo:6000+3000 close
done
end_peer

# A peer may ask for small records (RFC 8449), also after the connection has moved.
for version in 1.2 1.3; do
    serve -a --recordsize 1024 --priority "NORMAL:-VERS-ALL:+VERS-TLS$version"
    client_case "small records, TLS $version" 'ok' result -- echo:20000 close
    client_case "small records, moved, TLS $version" 'ok ok ok' 'successor result' \
        -- echo:3000 move echo:3000+3000 move echo:6000+3000 close
    end_peer
done
serve -a --recordsize 1024 --priority 'NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC'
client_case 'small records, CBC' 'ok' result -- echo:20000 close
end_peer

serve -r --verify-client-cert --x509cafile "$certs/ca.pem"
for version in 1.2 1.3; do
    client_case "a client certificate, TLS $version" 'Alice of RSA* ok' 'own result' \
        --versions $version --certificate "$certs/client.pfx" -- say:hello hear:hello close
    client_case "a client certificate when it is asked for, TLS $version" \
        'the server asks for one Alice of EC* ok' 'certificate own result' \
        --versions $version --later "$certs/client-ec.p7b" -- say:hello hear:hello close
    client_case "no client certificate, TLS $version" 'the server asks for one [!o]*' \
        'certificate result' --versions $version -- say:hello hear:hello close
done
end_peer

# Behind its HelloRequest gnutls-serv says that the command was executed. It then takes nothing but
# the handshake, which the last `renegotiate` goes on with.
serve -a
client_case 'a server that renegotiates, with data in between' 'executed two ok' \
    'heard result' --versions 1.2 \
    -- 'say:**REHANDSHAKE**' hear:executed renegotiate say:two hear:two close
client_case 'both renegotiate' 'executed two ok' 'heard result' --versions 1.2 \
    -- 'say:**REHANDSHAKE**' renegotiate hear:executed renegotiate say:two hear:two close
end_peer
# It asks for a certificate in every handshake.
serve --x509cafile "$certs/ca.pem"
client_case 'a server that renegotiates and asks for a certificate again' \
    'the server asks for one the server asks for one ok' 'certificate result' --versions 1.2 \
    -- 'say:**REHANDSHAKE**' hear:executed renegotiate say:two hear:two close
end_peer

serve -a --x509cafile "$certs/ca.pem"
client_case 'TLS 1.3, a server that asks for a certificate' \
    'executed two SEC_E_NO_CREDENTIALS Alice of EC* ok' 'heard own result' \
    --certificate "$certs/client-ec.p7b" \
    -- 'say:**REAUTH**' hear:executed say:two hear:two facts close
end_peer

serve -a --alpn h2
client_case 'ALPN' 'h2 ok' 'alpn result' --alpn http/1.1,h2 -- echo:2000 close
end_peer

# ---- our server ----

# ask OPTION...: gnutls-cli, which says hello.
ask() {
    printf 'hello\n' | $limit gnutls-cli --x509cafile "$certs/ca.pem" -p "$port" "$@" localhost \
        >"$work/peer" 2>&1
}

# ask_case CASE OPTION...
ask_case() {
    ask_title=$1
    shift
    ask "$@"
    expect "$ask_title" "$(grep -c '^olleh$' "$work/peer")" 1 "$work/peer" "$work/server"
}

ask_suite() { ask_case "server, $2" --priority "$(gnutls_priority "$1" "$2")"; }
ask_suites "$tls_suites"
name_suites "$(names_of "$tls_named_suites$tls_old_suites")"
ask_suites "$tls_named_suites$tls_old_suites"
unname_suites

start_answering --certificate "$certs/rsa.pfx" --connections 14
for group in X25519 SECP256R1 SECP384R1 SECP521R1 FFDHE2048 FFDHE3072 FFDHE4096; do
    ask_case "server, TLS 1.2, $group" --priority "$(priority 1.2 $group)"
    ask_case "server, TLS 1.3, $group" --priority "$(priority 1.3 $group)"
done
server_case 'server, groups' "$(yes ok | head -n 14 | tr '\n' ' ' | sed 's/ $//')" result

start_answering --certificate "$certs/rsa.pfx" --ask --issuers "$certs/ca.der" --connections 4
for version in 1.2 1.3; do
    ask_case "server, a client certificate, TLS $version" \
        --priority "NORMAL:-VERS-ALL:+VERS-TLS$version" --x509certfile "$certs/client.chain.pem" \
        --x509keyfile "$certs/rsa.key"
    ask_case "server, no client certificate, TLS $version" \
        --priority "NORMAL:-VERS-ALL:+VERS-TLS$version"
done
server_case 'server, client certificates' \
    'Alice of RSA* SEC_E_NO_CREDENTIALS Alice of RSA* SEC_E_NO_CREDENTIALS ok ok ok ok' \
    'peer result'

# say_until LINE TEXT NUMBER: so many of it from gnutls-cli.
say_until() {
    printf '%s\n' "$1" >&3
    wait_for "$2" "$work/peer" "$3"
}

# late CASE EXPECTED OPTION...: our server asks for a certificate after the handshake of TLS 1.3.
late() {
    late_case=$1 late_expected=$2
    shift 2
    start_ours --certificate "$certs/rsa.pfx" -- say:ready hear:one renegotiate:ask say:asked \
        hear:two facts say:three close
    start_peer $limit gnutls-cli --x509cafile "$certs/ca.pem" -p "$port" "$@" localhost
    wait_for '^ready' "$work/peer"
    say_until one '^asked' 1
    printf 'two\n' >&3
    server_case "$late_case" "$late_expected" 'heard peer declined result'
    end_peer
}
late 'server, TLS 1.3, a client that shows a certificate' \
    'one two SEC_E_NO_CREDENTIALS Alice of RSA* ok' --post-handshake-auth \
    --x509certfile "$certs/client.chain.pem" --x509keyfile "$certs/rsa.key"
late 'server, TLS 1.3, a client that has none to show' \
    'one two SEC_E_NO_CREDENTIALS SEC_E_NO_CREDENTIALS ok' --post-handshake-auth
late 'server, TLS 1.3, a client that would show none' \
    'one two SEC_E_NO_CREDENTIALS SEC_E_NO_CREDENTIALS by the peer ok'

for version in 1.2 1.3; do
    # gnutls-cli makes a first connection on which it says nothing; with the ticket of TLS 1.3 it
    # may be gone before its Finished has come.
    first='new resumed h2 h2 ok ok'
    [ $version = 1.2 ] || first='*resumed *h2 * ok'
    start_ours --certificate "$certs/rsa.pfx" --alpn h2 --connections 2 -- mirror
    ask --resume --waitresumption --alpn h2 --priority "NORMAL:-VERS-ALL:+VERS-TLS$version"
    server_case "server, resumed, TLS $version" "$first" 'session alpn result'
    expect "server, resumed, TLS $version: the client says so" \
        "$(grep -c 'This is a resumed session' "$work/peer")" 1 "$work/peer"
done

# A client that has the ticket of another handshake comes back with it, and that is no good: the
# library would resume it in the next one. The second line is heard once there was one.
start_ours --certificate "$certs/rsa.pfx" --connections 2 -- say:ready hear:one renegotiate \
    hear:two renegotiate hear:three close
start_peer $limit gnutls-cli --x509cafile "$certs/ca.pem" --inline-commands -p "$port" \
    --priority NORMAL:-VERS-ALL:+VERS-TLS1.2 localhost
wait_for '^ready' "$work/peer"
performed='Rehandshake was performed'
say_until one "$performed" 1
say_until two "$performed" 2
say_until '^resume^' '^ready' 2
say_until one "$performed" 3
say_until two "$performed" 4
printf 'three\n' >&3
server_case 'server, TLS 1.2, the ticket of another handshake, and further ones' \
    'new new one two one two three hear the peer has ended ok' 'session heard result'
end_peer

numbered_lines 20000 >"$work/many"
mkfifo "$work/silence" # which has no end when it is opened for both directions
for priority in NORMAL:-VERS-ALL:+VERS-TLS1.2 NORMAL:-VERS-ALL:+VERS-TLS1.3 \
    NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC; do
    start_ours --certificate "$certs/rsa.pfx" -- send:20000 close
    $limit gnutls-cli --x509cafile "$certs/ca.pem" -p "$port" --recordsize 512 \
        --priority "$priority" --logfile "$work/log" localhost <>"$work/silence" >"$work/peer" 2>&1
    server_case "server, small records, $priority" ok result
    expect "server, small records, $priority: all lines" \
        "$(grep -c '^[0-9]\{15\}' "$work/peer")" 20000 "$work/log"
done

start_ours --certificate "$certs/rsa.pfx" -- mirror
$limit gnutls-cli --x509cafile "$certs/ca.pem" -p "$port" --recordsize 512 --logfile "$work/log" \
    localhost <"$work/many" >"$work/peer" 2>&1
server_case 'server, many lines' ok result
finish
