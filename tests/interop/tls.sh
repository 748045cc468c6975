# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables that are set or used by the script that sources this
#
# TLS between interop_tls.exe (and with it Schannel) and a program of the host. The caller sets
# $name, then sources this file. Certificates are made for each script; the CA is among the roots
# that the prefix's user trusts until the script ends.

# shellcheck source=tests/interop/web.sh
. "${SRCDIR:?names the source folder}/tests/interop/web.sh"
# shellcheck source=tests/include/ports.sh
. "$SRCDIR/tests/include/ports.sh"
ours=$programs/interop_tls.exe
certs=$work/certs
# What ends badly says why, in what a failed case shows.
export WINEDEBUG="$WINEDEBUG,warn+sspi,warn+schannel"

command -v openssl >/dev/null || skip_all 'openssl (Debian package openssl)'
$limit "$WINE" "$BUILD/x86_64-windows/sspictl.exe" packages 2>/dev/null </dev/null |
    grep -q '^Schannel ' ||
    skip_all 'the package Schannel (GnuTLS for this architecture, Debian package libgnutls30)'

# ---- certificates ----

# make_key NAME ALGORITHM: rsa or the name of a curve.
make_key() {
    if [ "$2" = rsa ]; then
        openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$certs/$1.key"
    else
        openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$2" \
            -pkeyopt ec_param_enc:named_curve -out "$certs/$1.key"
    fi
}

# make_certificate NAME KEY ISSUER SUBJECT EXTENSIONS [START END]: NAME.pem, NAME.chain.pem with
# the issuers below the root, and for interop_tls NAME.pfx, or NAME.p7b and NAME.p7b.key.
make_certificate() {
    printf '%b\n' "$5" >"$certs/$1.ext"
    openssl req -new -key "$certs/$2.key" -subj "/CN=$4" -out "$certs/$1.csr" || return
    openssl ca -batch -notext -config "$certs/ca.conf" -cert "$certs/$3.pem" \
        -keyfile "$certs/$3.key" -in "$certs/$1.csr" -out "$certs/$1.pem" \
        -extfile "$certs/$1.ext" -startdate "${6:-20240101000000Z}" \
        -enddate "${7:-20490101000000Z}" || return
    cat "$certs/$1.pem" >"$certs/$1.chain.pem"
    [ "$3" = ca ] || [ "$3" = stranger ] || cat "$certs/$3.pem" >>"$certs/$1.chain.pem"
    case $2 in
    rsa) openssl pkcs12 -export -inkey "$certs/$2.key" -in "$certs/$1.chain.pem" \
        -passout pass:pfx -out "$certs/$1.pfx" ;;
    p*)
        openssl crl2pkcs7 -nocrl -certfile "$certs/$1.chain.pem" -outform DER -out "$certs/$1.p7b"
        curve_key "$2" >"$certs/$1.p7b.key"
        ;;
    esac
}

# hex_of NAME FIELD: pub or priv, in digits.
hex_of() {
    openssl pkey -in "$certs/$1.key" -noout -text |
        awk -v field="$2:" '$1 == field { on = 1; next } /^[^ ]/ { on = 0 } on' | tr -d ' :\n'
}

# curve_key NAME: as a BCRYPT_ECCPRIVATE_BLOB, for ECDSA on P-256 or P-384.
curve_key() {
    case $1 in
    *384) head=4543533430000000 digits=96 ;;
    *) head=4543533220000000 digits=64 ;;
    esac
    public=$(hex_of "$1" pub)
    private=$(hex_of "$1" priv)
    # The leading 04 says that both coordinates follow; the number may have a zero octet too many.
    printf '%s%s%s' "$head" "${public#04}" "$(printf '%s' "$private" | tail -c "$digits")" |
        perl -ne 'print pack("H*", $_)'
}

# make_root NAME: its key is there.
make_root() {
    openssl req -x509 -new -key "$certs/$1.key" -days 9000 -subj "/CN=winesspi test $1" \
        -addext 'keyUsage=critical,keyCertSign,cRLSign' -out "$certs/$1.pem" &&
        openssl x509 -in "$certs/$1.pem" -outform DER -out "$certs/$1.der"
}

# make_response CERTIFICATE FILE: of OCSP, without a responder.
make_response() {
    openssl ocsp -issuer "$certs/ca.pem" -cert "$certs/$1.pem" -no_nonce -reqout "$2.request" &&
        openssl ocsp -index "$certs/index" -CA "$certs/ca.pem" -rsigner "$certs/ca.pem" \
            -rkey "$certs/ca.key" -ndays 2 -reqin "$2.request" -respout "$2"
}

for_servers='extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost'
for_clients='extendedKeyUsage=clientAuth'

make_certificates() {
    mkdir "$certs"
    : >"$certs/index"
    cat >"$certs/ca.conf" <<END
[ca]
default_ca = this
[this]
database = $certs/index
new_certs_dir = $certs
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
END
    export OPENSSL_CONF="$certs/ca.conf"
    # Issuers sign with RSA: crypt32 of Wine 8.0 does not pad the numbers of an ECDSA signature, and
    # so finds one certificate in a hundred altered.
    for name_of_key in rsa ca:rsa stranger:rsa between:rsa p256:P-256 p384:P-384; do
        make_key "${name_of_key%:*}" "${name_of_key#*:}" || return
    done
    make_root ca && make_root stranger &&
        make_certificate between between ca 'winesspi test issuer' 'basicConstraints=CA:TRUE' &&
        make_certificate rsa rsa ca localhost "$for_servers" &&
        make_certificate p256 p256 ca localhost "$for_servers" &&
        make_certificate p384 p384 ca localhost "$for_servers" &&
        make_certificate below p256 between localhost "$for_servers" &&
        make_certificate client rsa ca 'Alice of RSA' "$for_clients" &&
        make_certificate client-ec p256 ca 'Alice of EC' "$for_clients" &&
        make_certificate client-below rsa between 'Alice below' "$for_clients" &&
        make_certificate expired p256 ca localhost "$for_servers" 20200101000000Z 20200201000000Z &&
        make_certificate other p256 ca other.test \
            'extendedKeyUsage=serverAuth\nsubjectAltName=DNS:other.test' &&
        make_certificate unknown p256 stranger localhost "$for_servers" &&
        make_certificate usage p256 ca localhost \
            'extendedKeyUsage=clientAuth\nsubjectAltName=DNS:localhost'
}

(make_certificates) >"$work/made" 2>&1 || {
    fail_case 'the certificates are made' "$work/made"
    finish
}

thumbprint=$(openssl x509 -in "$certs/ca.pem" -noout -fingerprint -sha1 | tr -d ':' | sed 's/.*=//')
roots='HKCU\Software\Microsoft\SystemCertificates\Root\Certificates'
peer_pid=
kept=
old_roles=
suites_named=
# shellcheck disable=SC2317 # called by the trap
tls_clean_up() {
    end_peer
    end_kept
    switch_off_old
    unname_suites
    $limit "$WINE" reg delete "$roots\\$thumbprint" /f >/dev/null 2>&1 </dev/null
    clean_up
}
trap tls_clean_up EXIT
# A program of the host may have ended before it is told something.
trap '' PIPE
# The first program that opens the store of roots fills it with those of the host.
timeout 120 "$WINE" "$ours" trust "$certs/ca.der" >"$work/trust" 2>&1 </dev/null || {
    fail_case 'the CA becomes trusted' "$work/trust"
    finish
}

# ---- ours ----

# The lines of FILE with these labels, in the order of the labels, on one line.
lines_of() {
    tr -d '\r' <"$1" >"$work/lines"
    shift
    for label; do
        sed -n "s/^$label: //p" "$work/lines"
    done | tr '\n' ' ' | sed 's/ $//'
}

# run_ours ARGUMENT...: as a client; its output is in $work/client.
run_ours() {
    $limit "$WINE" "$ours" client --port "$port" "$@" >"$work/client" 2>&1 </dev/null 3>&-
}

# client_case CASE EXPECTED LABELS ARGUMENT...
client_case() {
    case_title=$1
    case_expected=$2
    case_labels=$3
    shift 3
    run_ours "$@"
    # shellcheck disable=SC2086 # labels are words
    expect "$case_title" "$(lines_of "$work/client" $case_labels)" "$case_expected" \
        "$work/client" "$work/peer"
}

# web_case CASE EXPECTED KIND ARGUMENT...: of WinHTTP or WinINet, with the server whose errors are
# in $work/error.log. The lines of its output are those that $web_lines lets through.
web_lines='s/^status: //p; s/^error: /error /p'
web_case() {
    web_title=$1 web_expected=$2 kind=$3
    shift 3
    run_client "$kind" none --secure "$@"
    expect "$kind, $web_title" "$(sed -n "$web_lines" "$work/client" | tr '\n' ' ')" \
        "$web_expected" "$work/client" "$work/error.log"
}

# start_ours ARGUMENT...: as a server; its output is in $work/server.
start_ours() {
    : >"$work/server"
    $limit "$WINE" "$ours" server "$@" >"$work/server" 2>&1 </dev/null &
    server_pid=$!
    wait_for_port && return
    fail_case 'our server starts' "$work/server"
    finish
}

# start_answering ARGUMENT...: a server that answers each client's hello.
start_answering() { start_ours "$@" -- hear:hello say:olleh close; }

end_ours() {
    wait "$server_pid"
    server_pid=
}

# server_case CASE EXPECTED LABELS: of the server, which has ended.
server_case() {
    end_ours
    # shellcheck disable=SC2086 # labels are words
    expect "$1" "$(lines_of "$work/server" $3)" "$2" "$work/server" "$work/peer"
}

# ask_suites SUITES: ask_suite VERSION NAME of the script is a client that has that suite; each
# certificate's are in one server.
ask_suites() {
    for certificate in rsa p256 p384; do
        echo "$1" | awk -v c=$certificate '$3 == c' >"$work/suites"
        start_answering --certificate "$(certificate_file $certificate)" \
            --connections "$(wc -l <"$work/suites")"
        while read -r _ version _ suite _; do
            ask_suite "$version" "$suite"
        done <"$work/suites"
        suites=$(awk '{ printf "%s * ", $1 }' "$work/suites")
        server_case "server, all these suites: $certificate" "${suites% }" suite
    done
}

# ---- the peer ----

# start_peer COMMAND...: a server of the host, which reads from descriptor 3 and writes to
# $work/peer.
start_peer() {
    rm -f "$work/commands"
    mkfifo "$work/commands" || exit 1
    : >"$work/peer"
    "$@" <"$work/commands" >"$work/peer" 2>&1 &
    peer_pid=$!
    exec 3>"$work/commands"
}

end_peer() {
    exec 3>&-
    if [ "$peer_pid" ]; then
        kill "$peer_pid" 2>/dev/null
        wait "$peer_pid" 2>/dev/null
    fi
    peer_pid=
}

# has_text TEXT FILE [NUMBER]: in so many lines of it.
has_text() {
    found=$(grep -c -e "$1" "$2" 2>/dev/null)
    [ "${found:-0}" -ge "${3:-1}" ]
}

# has_text_or_ended PID TEXT FILE [NUMBER]
has_text_or_ended() {
    has_ended "$1" && return
    shift
    has_text "$@"
}

# wait_for TEXT FILE [NUMBER]
wait_for() { wait_until has_text "$@"; }

# peer_says TEXT: false when it ends before it does.
peer_says() {
    wait_until has_text_or_ended "$peer_pid" "$1" "$work/peer"
    has_text "$1" "$work/peer"
}

# peer_ends: by itself, after the connections that it is for.
peer_ends() {
    wait_until has_ended "$peer_pid" || return
    wait "$peer_pid"
    peer_pid=
}

# tell_peer TEXT: a line that the peer reads by itself, since what came earlier has been read.
tell_peer() {
    wait_until peer_has_read
    printf '%s\n' "$1" >&3
}
peer_has_read() { has_ended "$peer_pid" || no_unread; }
# FIONREAD, which perl alone does not know by its name.
no_unread() {
    perl -e 'ioctl(STDIN, 0x541b, my $n = pack("i", 0)) or exit 1; exit !!unpack("i", $n)' <&3
}

# Starting one of our programs takes longer than a handshake, so that one client visits many peers.

# keep_peer CASE EXPECTED: the peer that was started last is to be visited. The pattern is for the
# version, the suite and what is heard.
keep_peer() {
    mv "$work/peer" "$work/peer.$port"
    kept="$kept$peer_pid;$port;$2;$1
"
    peer_pid=
    exec 3>&-
}

# visit_kept ACTION...: a case for each kept peer; the peers end. Our client's options are in
# $visit_options.
visit_options=
visit_kept() {
    printf '%s' "$kept" >"$work/kept"
    port=$(sed 's/^[0-9]*;//; s/;.*//; q' "$work/kept")
    rest=$(sed "1d; s/^[0-9]*;/again:/; s/;.*//; s,\$, $*," "$work/kept")
    # shellcheck disable=SC2086 # options and actions are words
    run_ours $visit_options -- "$@" $rest
    visited=0
    while IFS=';' read -r _ port pattern kept_case; do
        visited=$((visited + 1))
        awk -v n="$visited" '/^version: / { at++ } at == n' "$work/client" >"$work/visit"
        expect "$kept_case" "$(lines_of "$work/visit" version suite heard)" "$pattern" \
            "$work/client" "$work/peer.$port"
    done <"$work/kept"
    end_kept
}

# visit_suites SUITES HEARD: our client says hello to a server for each suite, which serve_suite
# CERTIFICATE VERSION NAME of the script starts.
visit_suites() {
    while read -r number version certificate suite _; do
        [ "$number" ] || continue
        serve_suite "$certificate" "$version" "$suite"
        keep_peer "$suite" "$version $number * $2"
    done <<END
$1
END
    visit_kept say:hello "hear:$2" close
}

end_kept() {
    for one in $(printf '%s' "$kept" | sed 's/;.*//'); do
        kill "$one" 2>/dev/null
        wait "$one" 2>/dev/null
    done
    kept=
}

# TLS 1.0 and 1.1 are off until the registry says otherwise.
protocols='HKLM\System\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols'

# switch_on_old ROLE: Client or Server; until the script ends.
switch_on_old() {
    old_roles="$old_roles $1"
    for old in 1.0 1.1; do
        for setting in 'Enabled 1' 'DisabledByDefault 0'; do
            $limit "$WINE" reg add "$protocols\\TLS $old\\$1" /v "${setting% *}" /t REG_DWORD \
                /d "${setting#* }" /f >"$work/registry" 2>&1 </dev/null && continue
            fail_case "TLS $old is switched on" "$work/registry"
            finish
        done
    done
}

# shellcheck disable=SC2317 # called by the trap
switch_off_old() {
    for role in $old_roles; do
        for old in 1.0 1.1; do
            $limit "$WINE" reg delete "$protocols\\TLS $old\\$role" /f >/dev/null 2>&1 </dev/null
        done
    done
}

suites_policy='HKLM\SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010002'

# name_suites NAMES: the only suites, with commas, until unname_suites or the script's end.
name_suites() {
    suites_named=yes
    $limit "$WINE" reg add "$suites_policy" /v Functions /t REG_SZ /d "$1" /f >"$work/registry" \
        2>&1 </dev/null && return
    fail_case "the policy names $1" "$work/registry"
    finish
}

unname_suites() {
    [ -z "$suites_named" ] ||
        $limit "$WINE" reg delete "$suites_policy" /v Functions /f >/dev/null 2>&1 </dev/null
    suites_named=
}

# key_of CERTIFICATE: the name of its key.
key_of() {
    case $1 in
    ca | stranger | between) echo "$1" ;;
    rsa | client | client-below) echo rsa ;;
    p384) echo p384 ;;
    *) echo p256 ;;
    esac
}

# Numbered lines, as interop_tls makes them.
numbered_lines() { seq -f '%015.0f' 0 $(($1 - 1)); }

# digest_of CERTIFICATE: what tls-server-end-point is for it.
digest_of() {
    openssl x509 -in "$certs/$1.pem" -noout -fingerprint -sha256 | tr -d ':' | sed 's/.*=//'
}

# The suites that are on by themselves: number, version, certificate, and the name of OpenSSL.
tls_suites='
1302 1.3 rsa TLS_AES_256_GCM_SHA384
1301 1.3 rsa TLS_AES_128_GCM_SHA256
1303 1.3 rsa TLS_CHACHA20_POLY1305_SHA256
c02c 1.2 p384 ECDHE-ECDSA-AES256-GCM-SHA384
c02b 1.2 p256 ECDHE-ECDSA-AES128-GCM-SHA256
c030 1.2 rsa ECDHE-RSA-AES256-GCM-SHA384
c02f 1.2 rsa ECDHE-RSA-AES128-GCM-SHA256
009f 1.2 rsa DHE-RSA-AES256-GCM-SHA384
009e 1.2 rsa DHE-RSA-AES128-GCM-SHA256
c024 1.2 p384 ECDHE-ECDSA-AES256-SHA384
c023 1.2 p256 ECDHE-ECDSA-AES128-SHA256
c028 1.2 rsa ECDHE-RSA-AES256-SHA384
c027 1.2 rsa ECDHE-RSA-AES128-SHA256
c00a 1.2 p256 ECDHE-ECDSA-AES256-SHA
c009 1.2 p256 ECDHE-ECDSA-AES128-SHA
c014 1.2 rsa ECDHE-RSA-AES256-SHA
c013 1.2 rsa ECDHE-RSA-AES128-SHA
009d 1.2 rsa AES256-GCM-SHA384
009c 1.2 rsa AES128-GCM-SHA256
003d 1.2 rsa AES256-SHA256
003c 1.2 rsa AES128-SHA256
0035 1.2 rsa AES256-SHA
002f 1.2 rsa AES128-SHA
cca9 1.2 p256 ECDHE-ECDSA-CHACHA20-POLY1305
cca8 1.2 rsa ECDHE-RSA-CHACHA20-POLY1305
ccaa 1.2 rsa DHE-RSA-CHACHA20-POLY1305
006b 1.2 rsa DHE-RSA-AES256-SHA256
0067 1.2 rsa DHE-RSA-AES128-SHA256
0039 1.2 rsa DHE-RSA-AES256-SHA
0033 1.2 rsa DHE-RSA-AES128-SHA'

# Those that a policy has to name, also with the name that it uses.
tls_named_suites='
1304 1.3 rsa TLS_AES_128_CCM_SHA256 TLS_AES_128_CCM_SHA256
1305 1.3 rsa TLS_AES_128_CCM_8_SHA256 TLS_AES_128_CCM_8_SHA256
c0ad 1.2 p384 ECDHE-ECDSA-AES256-CCM TLS_ECDHE_ECDSA_WITH_AES_256_CCM
c0ac 1.2 p256 ECDHE-ECDSA-AES128-CCM TLS_ECDHE_ECDSA_WITH_AES_128_CCM
c0af 1.2 p384 ECDHE-ECDSA-AES256-CCM8 TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8
c0ae 1.2 p256 ECDHE-ECDSA-AES128-CCM8 TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8
c09f 1.2 rsa DHE-RSA-AES256-CCM TLS_DHE_RSA_WITH_AES_256_CCM
c09e 1.2 rsa DHE-RSA-AES128-CCM TLS_DHE_RSA_WITH_AES_128_CCM
c0a3 1.2 rsa DHE-RSA-AES256-CCM8 TLS_DHE_RSA_WITH_AES_256_CCM_8
c0a2 1.2 rsa DHE-RSA-AES128-CCM8 TLS_DHE_RSA_WITH_AES_128_CCM_8
c09d 1.2 rsa AES256-CCM TLS_RSA_WITH_AES_256_CCM
c09c 1.2 rsa AES128-CCM TLS_RSA_WITH_AES_128_CCM
c0a1 1.2 rsa AES256-CCM8 TLS_RSA_WITH_AES_256_CCM_8
c0a0 1.2 rsa AES128-CCM8 TLS_RSA_WITH_AES_128_CCM_8'
# and those that OpenSSL is built without.
tls_old_suites='
c008 1.2 p256 ECDHE-ECDSA-DES-CBC3-SHA TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA
c012 1.2 rsa ECDHE-RSA-DES-CBC3-SHA TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA
0016 1.2 rsa DHE-RSA-DES-CBC3-SHA TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA
000a 1.2 rsa DES-CBC3-SHA TLS_RSA_WITH_3DES_EDE_CBC_SHA'

# names_of SUITES: as name_suites takes them.
names_of() { echo "$1" | awk 'NF { print $5 }' | paste -sd , -; }

# gnutls_priority VERSION NAME: of a suite, for GnuTLS.
gnutls_priority() {
    gnutls_cipher=$(echo "$2" | sed -E -e 's/.*CHACHA20.POLY1305.*/CHACHA20-POLY1305/' \
        -e 's/.*AES_?([0-9]+).([GC]CM)[-_]?(8?).*/AES-\1-\2-\3/' -e 's/.*AES(...)-.*/AES-\1-CBC/' \
        -e 's/.*DES-CBC3.*/3DES-CBC/' -e 's/-$//')
    case $2 in
    *GCM* | *CCM* | *CHACHA*) gnutls_mac=AEAD ;;
    *-SHA) gnutls_mac=SHA1 ;;
    *) gnutls_mac=${2##*-} ;;
    esac
    case $2 in
    TLS_*) gnutls_exchange= ;;
    ECDHE-ECDSA* | ECDHE-RSA* | DHE-RSA*) gnutls_exchange=+${2%%-*}-$(echo "$2" | cut -d - -f 2): ;;
    *) gnutls_exchange=+RSA: ;;
    esac
    echo "NORMAL:-VERS-ALL:+VERS-TLS$1:-KX-ALL:$gnutls_exchange-CIPHER-ALL:+$gnutls_cipher" \
        ":-MAC-ALL:+$gnutls_mac" | tr -d ' '
}

# certificate_file NAME: as interop_tls takes it.
certificate_file() {
    case $(key_of "$1") in
    rsa) echo "$certs/$1.pfx" ;;
    *) echo "$certs/$1.p7b" ;;
    esac
}
