# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
#
# Ports of loopback for the servers of a script.

# free_port [tcp|udp [NUMBER]]: one that is free now, or so many, with blanks. They are below those
# that the kernel gives to whoever asks for any (from 32768 on, unless the administrator says
# otherwise), and each architecture has its own, since both are tested at once: so it is rare that
# somebody else has one before the server does.
free_port() {
    perl -MIO::Socket::INET -e '
        my ($protocol, $wanted) = @ARGV;
        my $first = ($ENV{ARCH} // "") eq "i386" ? 21000 : 10000;
        my (@held, @ports);
        my @listen = $protocol eq "tcp" ? (Listen => 1) : ();
        for (1 .. 100) {
            my $port = $first + int rand 11000;
            push @held, IO::Socket::INET->new(Proto => $protocol, LocalAddr => "127.0.0.1",
                LocalPort => $port, @listen) || next;
            push @ports, $port;
            last if @ports == $wanted;
        }
        print "@ports";
        exit(@ports != $wanted)' "${1-tcp}" "${2-1}"
}

# thrice COMMAND...: until it succeeds. For what starts a server and finds a port for it.
thrice() { "$@" || "$@" || "$@"; }

# listening PORT: whether somebody is.
listening() {
    perl -MIO::Socket::INET -e \
        'exit !IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => shift)' "$1"
}

# wait_listening PID PORT: until the port answers, for half a minute; false when the program has
# ended, since it is somebody else's port then.
wait_listening() {
    tries=0
    while [ $tries -lt 600 ]; do
        kill -0 "$1" 2>/dev/null || return 1
        listening "$2" && kill -0 "$1" 2>/dev/null && return
        sleep 0.05
        tries=$((tries + 1))
    done
    return 1
}
