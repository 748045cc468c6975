# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Ports of loopback for the servers of a script.

# free_port: one that nobody has now, of those that the kernel does not give to connections (below
# 32768, unless the administrator says otherwise). The clock says where to begin to look, so that
# two calls do not find the same one, and each architecture, whose tests run side by side, has its
# own.
free_port() {
    perl -MTime::HiRes=time -MIO::Socket::INET -e '
        my $first = ($ENV{ARCH} // "") eq "i386" ? 21000 : 10000;
        my $start = int(1000 * time);
        for my $port (map { $first + ($start + $_) % 11000 } 0 .. 999) {
            my $free = IO::Socket::INET->new(
                Listen => 1, LocalAddr => "127.0.0.1", LocalPort => $port) or next;
            print $port;
            exit;
        }
        exit 1'
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
