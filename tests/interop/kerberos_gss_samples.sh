#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Kerberos and Negotiate of this project against the sample programs of MIT Kerberos, gss-client and
# gss-server, on loopback: as client and as server, with a context that stays where it is or moves
# to another process and back.

name=interop_kerberos_gss_samples
# shellcheck source=tests/interop/pairs.sh
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
# shellcheck source=tests/interop/kerberos.sh
. "$SRCDIR/tests/interop/kerberos.sh"
rounds=12
command -v gss-server >/dev/null ||
    skip_all "MIT's sample programs (Debian package krb5-gss-samples)"
use_kdc
log=$work/sample

# sample_server OPTION...: gss-server for one connection, on a port of loopback only. Its report is
# made of its log. Who the client is it says where nobody hears it.
sample_server() {
    perl -MIO::Socket::INET -e 'alarm 28; $| = 1;
        $listener = IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1") or die;
        print "port: ", $listener->sockport, "\n";
        $client = $listener->accept or die;
        open STDIN, "+<&", $client or die;
        exec "gss-server", "-inetd", @ARGV' -- "$@" -logfile "$log" test@localhost
    # All messages came, and then the one that says so.
    if tail -n 1 "$log" | grep -q 'NOOP token'; then
        echo "result: $(grep -c '^Received message' "$log") messages"
    else
        echo "result: $(tail -n 1 "$log")"
    fi
}

# sample_client --port PORT OPTION...: gss-client likewise, in the words of our programs.
sample_client() {
    port=$2
    shift 2
    echo 'at: connected'
    $limit gss-client -port "$port" -mcount $rounds "$@" localhost test@localhost \
        'a message of the sample' >"$log" 2>&1
    if [ "$(grep -c '^Signature verified' "$log")" = $rounds ]; then
        echo "result: ok after $rounds rounds"
    else
        echo "result: $(tail -n 1 "$log")"
    fi
}

# For converse.
start() {
    side=$1 role=$2
    shift 2
    rm -f "$log"
    case $side in
    ours) exec $limit "$WINE" "$ours" "$role" --sample "$@" <"$work/$role-input" ;;
    sample) "sample_$role" "$@" ;;
    esac
}

ok="ok after $rounds rounds" served="$rounds messages"
client_name=$our_name
for package in Kerberos Negotiate; do
    with="--package $package --default --rounds $rounds"
    client_mechanism=
    [ $package = Kerberos ] || client_mechanism=-spnego
    for move in '' --move; do
        title="$package ${move:-in one process}"
        for options in '' '--ask mutual' '--layer integrity'; do
            check "client, $title $options" sample ours "$served" "$ok" '' "$with $options $move"
        done
        check "client, $title, an exporting server" sample ours "$served" "$ok" -export \
            "$with $move"
        check "server, $title, not mutual" ours sample "$ok" "$ok" "$with $move" \
            "$client_mechanism -nomutual"
        for options in '' '-nx' '-nw' '-seq'; do
            check "server, $title $options" ours sample "$ok" "$ok" "$with $move --ask mutual" \
                "$client_mechanism $options"
        done
    done
done
check "client, another service" sample ours "*" "*SEC_E_*" '' "$with --target other/localhost"
KRB5CCNAME=FILE:$work/no-tickets
check "server, a client without a ticket" ours sample "connection closed" "*" "$with" ''
finish
