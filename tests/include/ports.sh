# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Ports of loopback for the servers of a script.

# free_port: one that the kernel finds free now; somebody else may have it before the server does.
free_port() {
    perl -MIO::Socket::INET -e \
        'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

# listening PORT: whether somebody is.
listening() {
    perl -MIO::Socket::INET -e \
        'exit !IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => shift)' "$1"
}

# wait_listening PID PORT: until the port answers; false when the program has ended.
wait_listening() {
    tries=0
    while [ $tries -lt 200 ]; do
        kill -0 "$1" 2>/dev/null || return 1
        listening "$2" && return
        sleep 0.05
        tries=$((tries + 1))
    done
    return 1
}
