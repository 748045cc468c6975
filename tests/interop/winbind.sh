#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# NTLM servers of this project whose clients have accounts elsewhere: with Samba, asked through the
# host's winbind. The winbindd is the test's own, a stand-alone one with accounts of its own in a
# scratch folder, and known to this test's programs only: libnss_wrapper lets its clients look for
# it in another folder, as Samba's own tests do, and gives it the Unix users that it wants.
# Environment: BUILD (build folder), SRCDIR, WINEPREFIX (with the modules installed), ARCH (x86_64,
# which it is if not set, or i386).

name=interop_winbind
: "${BUILD:?names the build folder}" "${WINEPREFIX:?names the prefix to run in}"
: "${WINE:=wine}" "${ARCH:=x86_64}"
programs=$BUILD/$ARCH-windows
ours=$programs/interop_ntlm.exe
peer=$BUILD/interop_gss_peer
key='HKLM\SOFTWARE\winesspi\NTLM'
lsa='HKLM\SYSTEM\CurrentControlSet\Control\Lsa'
domain=AUTHORITY
user=$domain\\wilma
other=$domain\\jürgen
local=LOCALPC\\wanda
password='Grün, with spaces'
nt_hash=3358b5e5e7ef7da4f1b7b4519948093f # NTOWFv1 of it, MS-NLMP 3.3.1
rounds=20
passed=0 failed=0 skipped=0

finish() {
    echo "$name: $passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

skip_all() {
    echo "skip $name: $1"
    skipped=1
    finish
}

wrapper=
for file in /usr/lib/*/libnss_wrapper.so /usr/lib*/libnss_wrapper.so; do
    [ -e "$file" ] && wrapper=$file
done
[ "$(id -u)" = 0 ] || skip_all 'root, as whom winbindd runs'
[ -e "$BUILD/$ARCH-unix/ssp_winbind.so" ] ||
    skip_all "the Unix half for $ARCH at build time (Debian packages libwbclient-dev, gcc-multilib)"
command -v winbindd >/dev/null || skip_all 'winbindd (Debian package winbind)'
command -v smbpasswd >/dev/null || skip_all 'smbpasswd (Debian package samba-common-bin)'
[ "$wrapper" ] || skip_all 'libnss_wrapper (Debian package libnss-wrapper)'

work=$(mktemp -d) || exit 1
# Wine reads names in arguments as the locale says.
export LC_ALL=C.UTF-8
server_pid=''
winbindd_pid=''
sspictl() { "$WINE" "$programs/sspictl.exe" "$@"; }
set_value() { "$WINE" reg add "$1" /v "$2" /t REG_DWORD /d "$3" /f /reg:64 >/dev/null 2>&1; }
unset_value() { "$WINE" reg delete "$1" /v "$2" /f /reg:64 >/dev/null 2>&1; }
set_winbind() { set_value "$key" Winbind "$1"; }
# shellcheck disable=SC2317 # called by the trap
clean_up() {
    [ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null
    stop_winbindd
    unset_value "$key" Winbind
    unset_value "$lsa" LmCompatibilityLevel
    unset_value "$lsa\\MSV1_0" RestrictReceivingNTLMTraffic
    for one in "$local" "${user#*\\}"; do sspictl account remove "$one" >/dev/null 2>&1; done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# ---- the private authority ----

mkdir "$work/private" "$work/state" "$work/lock" "$work/cache" "$work/pid" "$work/rpc" \
    "$work/socket" || exit 1
chmod 755 "$work" "$work/socket"
cat >"$work/smb.conf" <<EOF
[global]
    netbios name = $domain
    workgroup = NOBODY
    server role = standalone server
    passdb backend = tdbsam:$work/private/passdb.tdb
    private dir = $work/private
    state directory = $work/state
    lock directory = $work/lock
    cache directory = $work/cache
    pid directory = $work/pid
    ncalrpc dir = $work/rpc
    winbindd socket directory = $work/socket
    rpc start on demand helpers = no
    ntlm auth = ntlmv1-permitted
    interfaces = lo
    bind interfaces only = yes
    disable netbios = yes
EOF
cp /etc/passwd /etc/group "$work/" || exit 1
for one in "$user" "$other"; do
    echo "${one#*\\}:x:61234:61234::/nonexistent:/bin/false" >>"$work/passwd"
done

# Becomes a program in Samba's private world.
be_private() {
    exec env LD_PRELOAD="$wrapper" NSS_WRAPPER_PASSWD="$work/passwd" \
        NSS_WRAPPER_GROUP="$work/group" SELFTEST_WINBINDD_SOCKET_DIR="$work/socket" "$@"
}
in_private() { (be_private "$@"); }

add_account() {
    printf '%s\n%s\n' "$password" "$password" |
        in_private smbpasswd -c "$work/smb.conf" -s -a "$1" >"$work/smbpasswd" 2>&1
}

start_winbindd() {
    be_private winbindd --configfile="$work/smb.conf" --foreground --no-process-group \
        --log-basename="$work" >"$work/winbindd" 2>&1 &
    winbindd_pid=$!
    tries=0
    until in_private wbinfo --ping >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || return 1
        sleep 0.1
    done
}

stop_winbindd() {
    [ "$winbindd_pid" ] || return 0
    kill "$winbindd_pid" 2>/dev/null
    wait "$winbindd_pid" 2>/dev/null
    winbindd_pid=
}

# ---- one conversation ----

# start SIDE ARGUMENTS...: becomes a program, with account and password on its input. The server is
# the one that looks for winbind.
start() {
    side=$1
    shift
    exec <"$work/input"
    case $side in
    server) be_private env WINEDLLPATH="$unix_halves" WINEDEBUG=-all,warn+ntlm \
        timeout --foreground 120 "$WINE" "$ours" "$@" ;;
    ours) exec timeout --foreground 120 "$WINE" "$ours" "$@" ;;
    peer) exec timeout --foreground 120 "$peer" "$@" ;;
    esac
}

wait_for_port() {
    tries=0
    port=
    while [ -z "$port" ] && [ $tries -lt 300 ]; do
        port=$(sed -n 's/^port: \([0-9]*\).*/\1/p' "$work/server")
        [ "$port" ] || sleep 0.1
        tries=$((tries + 1))
    done
    [ "$port" ]
}

result_of() { tr -d '\r' <"$work/$1" | sed -n 's/^result: //p'; }

good_case() {
    passed=$((passed + 1))
    echo "ok   $1"
}

bad_case() {
    failed=$((failed + 1))
    echo "FAIL $1"
    shift
    for line; do echo "  $line"; done
}

# check CASE CLIENT EXPECTED-AT-SERVER EXPECTED-AT-CLIENT [OPTIONS [SERVER-OPTIONS]]
# CLIENT is "ours" or "peer"; where the server accepts, it has to call the client $client_name.
check() {
    : >"$work/server"
    printf '%s\n' "$client_user" "$given" >"$work/input"
    # shellcheck disable=SC2086 # options are words
    start server server --rounds $rounds ${6-} >"$work/server" 2>"$work/server.err" &
    server_pid=$!
    if wait_for_port; then
        # shellcheck disable=SC2086
        (start "$2" client --port "$port" --rounds $rounds ${5-} \
            >"$work/client" 2>"$work/client.err")
        wait "$server_pid"
    else
        kill "$server_pid" 2>/dev/null
        echo "result: no server" >"$work/client"
    fi
    server_pid=
    at_server=$(result_of server) at_client=$(result_of client)
    good=yes
    [ "$at_server" = "$3" ] && [ "$at_client" = "$4" ] || good=no
    tr -d '\r' <"$work/server" >"$work/names"
    case $3 in ok*) grep -Fqx "client: $client_name" "$work/names" || good=no ;; esac
    if [ $good = yes ]; then
        good_case "$1"
    else
        bad_case "$1" "server: $at_server (expected: $3)" "client: $at_client (expected: $4)"
        sed 's/^/  server output: /' "$work/server" "$work/server.err"
        sed 's/^/  client output: /' "$work/client" "$work/client.err"
    fi
}

# traced CASE TEXT: what the last server said in its trace.
traced() {
    if grep -Fq "$2" "$work/server.err"; then good_case "$1"; else
        bad_case "$1" "expected in the trace: $2"
        sed 's/^/  /' "$work/server.err"
    fi
}

# The challenge that the server answers a NEGOTIATE with (MS-NLMP 2.2.1.1) whose flags are those of
# Windows; the frames are those of the other programs.
get_challenge() {
    perl -MIO::Socket::INET -e '
        my $server = IO::Socket::INET->new("127.0.0.1:$ARGV[0]") or die "connect: $!";
        print $server pack("V/a*", "NTLMSSP\0" . pack("VVx16", 1, 0xe0088235));
        read($server, my $size, 4);
        read($server, my $challenge, unpack("V", $size));
        print $challenge' "$port"
}

# Answers the challenge with a true LMv2 response (MS-NLMP 3.3.2) beside an NTLMv2 response that
# proves nothing and names no integrity code, which is what somebody between a client and a server
# could make of a client's answer. $1: NTOWFv1, $2: domain, $3: user in upper case.
half_right_answer() {
    perl -MIO::Socket::INET -MDigest::MD5=md5 -e '
        sub wide { pack("v*", unpack("C*", $_[0])) }
        sub hmac {
            my ($key, $text) = ($_[0] . "\0" x 48, $_[1]);
            md5(($key ^ "\x5c" x 64) . md5(($key ^ "\x36" x 64) . $text)) }
        my ($port, $hash, $domain, $user) = @ARGV;
        my $server = IO::Socket::INET->new("127.0.0.1:$port") or die "connect: $!";
        print $server pack("V/a*", "NTLMSSP\0" . pack("VVx16", 1, 0xe0088235));
        read($server, my $size, 4);
        read($server, my $challenge, unpack("V", $size));
        my $key = hmac(pack("H*", $hash), wide($user . $domain));
        my $lm = hmac($key, substr($challenge, 24, 8) . "a" x 8) . "a" x 8;
        my $nt = "\0" x 16 . "\1\1" . "\0" x 6 . "\0" x 20 . "\0" x 8;
        my ($head, $payload) = ("NTLMSSP\0" . pack("V", 3), "");
        for my $part ($lm, $nt, wide($domain), wide($user), "", "k" x 16) {
            $head .= pack("vvV", length $part, length $part, 64 + length $payload);
            $payload .= $part;
        }
        my $flags = unpack("V", substr($challenge, 20, 4)) & ~0x02000000;
        print $server pack("V/a*", $head . pack("V", $flags) . $payload);
        read($server, $size, 4)' "$port" "$@"
}

# refuses_lmv2 CASE: what counts is the NTLMv2 response, whatever else the authority would take.
refuses_lmv2() {
    : >"$work/server"
    printf '%s\n' "$user" "$given" >"$work/input"
    start server server >"$work/server" 2>"$work/server.err" &
    server_pid=$!
    wait_for_port && half_right_answer "$nt_hash" "$domain" WILMA 2>"$work/client.err"
    wait "$server_pid"
    server_pid=
    if [ "$(result_of server)" = "$denied" ]; then good_case "$1"; else
        bad_case "$1" "server: $(result_of server) (expected: $denied)" "$(cat "$work/client.err")"
        sed 's/^/  /' "$work/server" "$work/server.err"
    fi
}

# challenge_names CASE NAME: the computer, its domain and the target of the challenge.
challenge_names() {
    : >"$work/server"
    printf '%s\n' "$user" "$given" >"$work/input"
    start server server >"$work/server" 2>"$work/server.err" &
    server_pid=$!
    wait_for_port && get_challenge | tr -d '\000' | grep -ao "$2" >"$work/names"
    wait "$server_pid"
    server_pid=
    if [ "$(wc -l <"$work/names")" = 3 ]; then good_case "$1"; else
        bad_case "$1" "expected three times: $2" "$(cat "$work/names")"
    fi
}

# says CASE STATUS TEXT COMMAND...
says() {
    case_name=$1 expected=$2 text=$3
    shift 3
    output=$("$@" 2>&1)
    found=$?
    if [ $found = "$expected" ] && printf '%s\n' "$output" | grep -Fq "$text"; then
        good_case "$case_name"
    else
        bad_case "$case_name" "status: $found (expected: $expected, with: $text)" "$output"
    fi
}

for one in "$user" "$other"; do
    add_account "${one#*\\}" && continue
    bad_case "adding the account $one to Samba" "$(cat "$work/smbpasswd")"
    finish
done
start_winbindd || { bad_case 'starting winbindd' "$(cat "$work/winbindd")"; finish; }
sspictl account remove "$local" >/dev/null 2>&1
printf '%s\n' "$password" | sspictl account add "$local" >/dev/null 2>&1
set_winbind 1

ok="ok after $rounds rounds"
closed='connection closed'
denied='accept SEC_E_LOGON_DENIED'
nobody='accept SEC_E_NO_AUTHENTICATING_AUTHORITY'
unix_halves=$BUILD
given=$password

challenge_names 'the names of the challenge' "$domain"
client_user=$user client_name=$user
check 'sign and seal' ours "$ok" "$ok"
check 'sign and seal, moving' ours "$ok" "$ok" '' '--move --move-after-leg 1'
client_user=$other client_name=$other
check 'a name beyond ASCII' ours "$ok" "$ok"
client_user=$domain\\WILMA client_name=$user
check 'the name that the authority gives' ours "$ok" "$ok"
client_user=$user
if [ -x "$peer" ] && ls /usr/lib/*/gssntlmssp/gssntlmssp.so >"$work/mechanism" 2>/dev/null; then
    echo "gssntlmssp_v1 1.3.6.1.4.1.311.2.2.10 $(head -n 1 "$work/mechanism")" >"$work/mech"
    export GSS_MECH_CONFIG="$work/mech"
    check 'sign and seal, client of gss-ntlmssp' peer "$ok" "$ok"
    LM_COMPAT_LEVEL=1
    export LM_COMPAT_LEVEL
    check 'NTLMv1 is refused' peer "$denied" "$closed"
    set_value "$lsa" LmCompatibilityLevel 3
    check 'NTLMv1 where the policy allows it' peer "$ok" "$ok"
    LM_COMPAT_LEVEL=0
    check 'NTLMv1 without extended session security' peer "$ok" "$ok"
    given=wrong
    check 'NTLMv1 with a wrong password' peer "$denied" "$closed"
    given=$password
    unset_value "$lsa" LmCompatibilityLevel
    unset LM_COMPAT_LEVEL
else
    skipped=$((skipped + 5))
    echo 'skip client of gss-ntlmssp: gss-ntlmssp (Debian packages gss-ntlmssp, libkrb5-dev)'
fi

refuses_lmv2 'a true LMv2 response beside a false NTLMv2 response'
given=wrong
check 'a wrong password' ours "$denied" "$closed"
traced 'the trace names the reason' NT_STATUS_WRONG_PASSWORD
check 'a wrong password after a move' ours "successor: $denied" "$closed" '' '--move-after-leg 1'
given=$password
client_user=$domain\\fred
check 'an unknown user' ours "$denied" "$closed"
client_user=NOWHERE\\wilma
check 'a domain that nobody knows' ours "$nobody" "$closed"
client_user=$user
check 'a changed message' ours "$denied" "$closed" '--tamper authenticate'
in_private smbpasswd -c "$work/smb.conf" -d "${user#*\\}" >/dev/null 2>&1
check 'a disabled account' ours "$denied" "$closed"
in_private smbpasswd -c "$work/smb.conf" -e "${user#*\\}" >/dev/null 2>&1
check 'the account enabled again' ours "$ok" "$ok"

printf 'another\n' | sspictl account add "${user#*\\}" >/dev/null 2>&1
check 'an account of that name here' ours "$ok" "$ok"
sspictl account remove "${user#*\\}" >/dev/null 2>&1
set_value "$lsa\\MSV1_0" RestrictReceivingNTLMTraffic 1
check 'accounts of this machine only' ours "$denied" "$closed"
unset_value "$lsa\\MSV1_0" RestrictReceivingNTLMTraffic
says 'default credentials' 0 'all arrived unchanged' \
    in_private env WINEDLLPATH="$BUILD" "$WINE" "$programs/sspictl.exe" handshake NTLM

# The accounts of this machine need nobody; the others need everything.
client_user=$local client_name=$local
check 'a local account' ours "$ok" "$ok"
says 'sspictl winbind' 0 'are judged' \
    in_private env WINEDLLPATH="$BUILD" "$WINE" "$programs/sspictl.exe" winbind
stop_winbindd
says 'sspictl winbind without winbindd' 1 WBC_ERR_WINBIND_NOT_AVAILABLE \
    in_private env WINEDLLPATH="$BUILD" "$WINE" "$programs/sspictl.exe" winbind
check 'a local account without winbindd' ours "$ok" "$ok"
client_user=$user client_name=$user
check 'no winbindd' ours "$nobody" "$closed"
traced 'the trace names winbindd' WBC_ERR_WINBIND_NOT_AVAILABLE
start_winbindd || bad_case 'starting winbindd again' "$(cat "$work/winbindd")"
check 'winbindd again' ours "$ok" "$ok"
unix_halves=/nonexistent
check 'no Unix half' ours "$nobody" "$closed"
traced 'the trace names the half' 'no Unix half'
unix_halves=$BUILD
set_winbind 0
check 'not configured' ours "$denied" "$closed"
finish
