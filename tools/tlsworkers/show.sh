# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables of the script that sources this
#
# "tools/demo tls": the server tlsworkers in $WINEPREFIX, whose worker is replaced every second, and
# this machine's curl and openssl as its clients, over TLS 1.2 and 1.3 at once. Everything is in
# $build/demo-tls.

tls=$build/demo-tls
tls_file_size=128M
tls_rate=16M # of each transfer, so that it takes long enough to see some workers
tls_requests=20
tls_fewest_workers=4

tls_make_certificate() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$tls/key.pem" -out "$tls/certificate.pem" \
        -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
        >"$tls/openssl.log" 2>&1 &&
        openssl pkcs12 -export -passout pass: -inkey "$tls/key.pem" -in "$tls/certificate.pem" \
            -out "$tls/server.pfx" >>"$tls/openssl.log" 2>&1
}

# The server runs until descriptor 9 is closed.
tls_start_server() {
    mkfifo "$tls/input" || return 1
    wine "$program" serve --every 1000 --file "$tls/file" <"$tls/input" >"$tls/server.log" 2>&1 &
    server=$!
    exec 9>"$tls/input"
    tries=0
    while [ "$tries" -lt 300 ]; do
        port=$(tr -d '\r' <"$tls/server.log" | sed -n 's/^port: //p')
        [ -z "$port" ] || break
        sleep 0.1
        tries=$((tries + 1))
    done
    [ -n "$port" ] || return 1
    tail -n +1 -f --pid="$server" "$tls/server.log" 9>&- &
    story=$!
}

tls_stop_server() {
    exec 9>&-
    wait "$server"
    server_status=$?
    wait "$story"
}

# tls_curl VERSION ARGUMENT...
tls_curl() {
    version=$1
    shift
    curl --silent --show-error --ipv4 --max-time 60 --cacert "$tls/certificate.pem" \
        --tlsv"$version" --tls-max "$version" --limit-rate "$tls_rate" "$@" 9>&-
}

# Requests over one connection, one after the other. Over TLS 1.3 the client asks for new keys half
# way, which is what its command K does.
tls_talk() {
    {
        i=0
        while [ "$i" -lt "$tls_requests" ]; do
            printf 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
            sleep 0.4
            i=$((i + 1))
            [ "$1 $i" != "1.3 $((tls_requests / 2))" ] || { printf 'K\n' && sleep 0.2; }
        done
        printf 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'
        sleep 1
    } | timeout 60 openssl s_client -connect "127.0.0.1:$port" -servername localhost \
        -CAfile "$tls/certificate.pem" -verify_return_error -verify_hostname localhost \
        "-tls$(echo "$1" | tr . _)" >"$tls/talk-$1" 2>&1 9>&-
}

tls_run_clients() {
    clients=
    for version in 1.2 1.3; do
        tls_curl "$version" --output "$tls/got-$version" "https://localhost:$port/download" &
        clients="$clients $!"
        tls_curl "$version" --upload-file "$tls/file" "https://localhost:$port/upload" \
            >"$tls/sum-$version" &
        clients="$clients $!"
        tls_talk "$version" &
        clients="$clients $!"
    done
    for client in $clients; do wait "$client" || clients_failed=1; done
}

# verdict WHAT COMMAND...
verdict() {
    what=$1
    shift
    if "$@"; then
        printf '%-58s ok\n' "$what"
    else
        printf '%-58s FAILED\n' "$what"
        status=1
    fi
}

tls_same_sum() {
    [ "$(cksum <"$tls/file")" = "$(tr '\t' ' ' <"$tls/sum-$1")" ]
}

# Each request of the connection was answered, in order, and by several workers.
tls_talked() {
    sed -n 's/^worker \([0-9]*\) .* request \([0-9]*\) of this TLS .*/\2 \1/p' "$tls/talk-$1" |
        awk -v requests="$tls_requests" -v fewest="$tls_fewest_workers" '
            $1 != NR { exit wrong = 1 }
            !($2 in seen) { seen[$2] = 1; workers++ }
            END { exit wrong || NR != requests + 1 || workers < fewest }'
}

tls_judge() {
    replaced=$(grep -c 'is replaced by' "$tls/server.log")
    printf '\nThe worker was replaced %s times. What the clients have:\n\n' "$replaced"
    verdict 'several replacements while they were connected' \
        [ "$replaced" -ge "$tls_fewest_workers" ]
    for version in 1.2 1.3; do
        verdict "TLS $version: a download of $tls_file_size is the file, byte for byte" \
            cmp -s "$tls/file" "$tls/got-$version"
        verdict "TLS $version: an upload of $tls_file_size has the checksum of the file" \
            tls_same_sum "$version"
        verdict "TLS $version: one connection was answered by several workers" \
            tls_talked "$version"
    done
    verdict 'no client saw an error' [ "$clients_failed" = 0 ]
    verdict 'no process of the server saw one' grep_nothing FAILED "$tls/server.log"
    verdict 'the server ended well' [ "$server_status" = 0 ]
}

grep_nothing() {
    ! grep -q "$1" "$2"
}

# In $WINEPREFIX. The verdict is in $status.
tls_demonstrate() {
    status=0
    clients_failed=0
    rm -rf "$tls"
    mkdir -p "$tls" || die "cannot make $tls"
    tls_make_certificate || die "no certificate could be made, see $tls/openssl.log"
    wine "$program" certificate "$tls/server.pfx" || die 'the certificate could not be imported'
    head -c "$tls_file_size" /dev/urandom >"$tls/file" || die "cannot write $tls/file"
    step 'running the demonstration'
    printf '\nA server whose worker is replaced every second. Over TLS 1.2 and over TLS 1.3 curl\n'
    printf 'downloads %s and uploads them, and openssl s_client asks again and again who\n' \
        "$tls_file_size"
    printf 'answers.\n\n'
    tls_start_server || die "the server does not start, see $tls/server.log"
    tls_run_clients
    tls_stop_server
    tls_judge
    if [ "$status" = 0 ]; then
        printf '\nVerdict: all is well\n'
        rm -f "$tls/got-1.2" "$tls/got-1.3" "$tls/file"
    else
        printf '\nVerdict: FAILED (what they saw is in %s)\n' "$tls"
    fi
}

show_tlsworkers() {
    make_prefix "$build/demo-prefix"
    install_modules
    tls_demonstrate
}
