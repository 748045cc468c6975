#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# NTLM servers of this project whose clients have accounts elsewhere: with Samba, asked through the
# host's winbind. The winbindd is the test's own, a stand-alone one with accounts of its own in a
# scratch folder, and known to this test's programs only: libnss_wrapper lets its clients look for
# it in another folder, as Samba's own tests do, and gives it the Unix users that it wants.
# Environment: that of common.sh.

name=interop_winbind
# shellcheck source=tests/interop/pairs.sh
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
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
wrapper=
for file in /usr/lib/*/libnss_wrapper.so /usr/lib*/libnss_wrapper.so; do
    [ -e "$file" ] && wrapper=$file
done
[ "$(id -u)" = 0 ] || skip_all 'root, as whom winbindd runs'
[ -e "$BUILD/$ARCH-unix/ssp_winbind.so" ] ||
    skip_all "the Unix half for $ARCH at build time (Debian packages libwbclient-dev, gcc-multilib)"
[ "$ARCH" != i386 ] || [ -e /usr/lib/i386-linux-gnu/libwbclient.so.0 ] ||
    skip_all "32-bit libraries of Samba (Debian packages libwbclient0:i386, libnss-wrapper:i386)"
command -v winbindd >/dev/null || skip_all 'winbindd (Debian package winbind)'
command -v smbpasswd >/dev/null || skip_all 'smbpasswd (Debian package samba-common-bin)'
[ "$wrapper" ] || skip_all 'libnss_wrapper (Debian package libnss-wrapper)'

winbindd_pid=''
set_value() { "$WINE" reg add "$1" /v "$2" /t REG_DWORD /d "$3" /f /reg:64 >/dev/null 2>&1; }
unset_value() { "$WINE" reg delete "$1" /v "$2" /f /reg:64 >/dev/null 2>&1; }
set_winbind() { set_value "$key" Winbind "$1"; }
# shellcheck disable=SC2317 # called by the trap
end_authority() {
    stop_winbindd
    unset_value "$key" Winbind
    unset_value "$lsa" LmCompatibilityLevel
    unset_value "$lsa\\MSV1_0" RestrictReceivingNTLMTraffic
    clean_up
}
trap end_authority EXIT

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

add_member() {
    printf '%s\n%s\n' "$password" "$password" |
        in_private smbpasswd -c "$work/smb.conf" -s -a "$1" >"$work/smbpasswd" 2>&1
}

start_winbindd() {
    be_private winbindd --configfile="$work/smb.conf" --foreground --no-process-group \
        --log-basename="$work" >"$work/winbindd" 2>&1 &
    winbindd_pid=$!
    wait_until in_private wbinfo --ping >/dev/null 2>&1
}

stop_winbindd() {
    [ "$winbindd_pid" ] || return 0
    kill "$winbindd_pid" 2>/dev/null
    wait "$winbindd_pid" 2>/dev/null
    winbindd_pid=
}

# ---- conversations ----

# start SIDE ROLE ARGUMENT...: becomes a program, with account and password on its input. "private"
# is the side that looks for winbind.
start() {
    side=$1
    shift
    exec <"$work/$1-input"
    case $side in
    private) be_private env WINEDLLPATH="$unix_halves" WINEDEBUG=-all,warn+ntlm \
        $limit "$WINE" "$ours" "$@" ;;
    ours) exec $limit "$WINE" "$ours" "$@" ;;
    peer) exec $limit "$peer" "$@" ;;
    esac
}

# judged CASE CLIENT EXPECTED-AT-SERVER EXPECTED-AT-CLIENT [OPTIONS [SERVER-OPTIONS]]
# OPTIONS are those of the client and of the server.
judged() {
    check "$1" private "$2" "$3" "$4" "--rounds $rounds ${5-} ${6-}" "--rounds $rounds ${5-}"
}

# traced CASE TEXT: what the last server said in its trace.
traced() {
    if grep -Fq "$2" "$work/server.err"; then pass_case "$1"; else
        fail_case "$1: no $2 in the trace" "$work/server.err"
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

# raw_answer NTOWFv1 DOMAIN USER-IN-UPPER-CASE RESPONSE KEY-BYTES: answers the challenge by an LMv2
# and an NTLMv2 response (MS-NLMP 3.3.2), which names no integrity code. Where RESPONSE is "lm", the
# NTLMv2 response proves nothing, which is what somebody between a client and a server could make of
# a client's answer.
raw_answer() {
    perl -MIO::Socket::INET -MDigest::MD5=md5 -e '
        sub wide { pack("v*", unpack("C*", $_[0])) }
        sub hmac {
            my ($key, $text) = ($_[0] . "\0" x 48, $_[1]);
            md5(($key ^ "\x5c" x 64) . md5(($key ^ "\x36" x 64) . $text)) }
        my ($port, $hash, $domain, $user, $response, $key_size) = @ARGV;
        my $server = IO::Socket::INET->new("127.0.0.1:$port") or die "connect: $!";
        print $server pack("V/a*", "NTLMSSP\0" . pack("VVx16", 1, 0xe0088235));
        read($server, my $size, 4);
        read($server, my $challenge, unpack("V", $size));
        my $key = hmac(pack("H*", $hash), wide($user . $domain));
        my $server_challenge = substr($challenge, 24, 8);
        my $lm = hmac($key, $server_challenge . "a" x 8) . "a" x 8;
        my $blob = "\1\1" . "\0" x 6 . "\0" x 20 . "\0" x 8;
        my $proof = $response eq "lm" ? "\0" x 16 : hmac($key, $server_challenge . $blob);
        my $nt = $proof . $blob;
        my ($head, $payload) = ("NTLMSSP\0" . pack("V", 3), "");
        for my $part ($lm, $nt, wide($domain), wide($user), "", "k" x $key_size) {
            $head .= pack("vvV", length $part, length $part, 64 + length $payload);
            $payload .= $part;
        }
        my $flags = unpack("V", substr($challenge, 20, 4)) & ~0x02000000;
        print $server pack("V/a*", $head . pack("V", $flags) . $payload);
        read($server, $size, 4)' "$port" "$@"
}

# answered CASE EXPECTED NTOWFv1 RESPONSE KEY-BYTES
answered() {
    : >"$work/server"
    printf '%s\n' "$user" "$given" >"$work/server-input"
    start private server >"$work/server" 2>"$work/server.err" &
    server_pid=$!
    wait_for_port && raw_answer "$3" "$domain" WILMA "$4" "$5" 2>"$work/client.err"
    wait "$server_pid"
    at_server=$(result_of server $?)
    server_pid=
    if [ "$at_server" = "$2" ]; then pass_case "$1"; else
        fail_case "$1: $at_server" "$work/server" "$work/server.err" "$work/client.err"
    fi
}

# challenge_names CASE NAME: the computer, its domain and the target of the challenge.
challenge_names() {
    : >"$work/server"
    printf '%s\n' "$user" "$given" >"$work/server-input"
    start private server >"$work/server" 2>"$work/server.err" &
    server_pid=$!
    wait_for_port && get_challenge | tr -d '\000' | grep -ao "$2" >"$work/names"
    wait "$server_pid"
    server_pid=
    if [ "$(wc -l <"$work/names")" = 3 ]; then pass_case "$1"; else
        fail_case "$1: not three times $2" "$work/names"
    fi
}

# says CASE STATUS TEXT COMMAND...
says() {
    case_name=$1 expected=$2 text=$3
    shift 3
    "$@" >"$work/said" 2>&1
    found=$?
    if [ $found = "$expected" ] && grep -Fq "$text" "$work/said"; then
        pass_case "$case_name"
    else
        fail_case "$case_name: status $found" "$work/said"
    fi
}

for one in "$user" "$other"; do
    add_member "${one#*\\}" && continue
    fail_case "adding the account $one to Samba" "$work/smbpasswd"
    finish
done
start_winbindd || { fail_case 'starting winbindd' "$work/winbindd"; finish; }
add_account "$local" "$password"
set_winbind 1

ok="ok after $rounds rounds"
closed='connection closed'
denied='accept SEC_E_LOGON_DENIED'
nobody='accept SEC_E_NO_AUTHENTICATING_AUTHORITY'
unix_halves=$BUILD
given=$password

challenge_names 'the names of the challenge' "$domain"
client_user=$user client_name=$user
judged 'sign and seal' ours "$ok" "$ok"
judged 'sign and seal, moving' ours "$ok" "$ok" '' '--move --move-after-leg 1'
client_user=$other client_name=$other
judged 'a name beyond ASCII' ours "$ok" "$ok"
client_user=$domain\\WILMA client_name=$user
judged 'the name that the authority gives' ours "$ok" "$ok"
client_user=$user
if [ -x "$peer" ] && find_gss_ntlmssp; then
    echo "gssntlmssp_v1 1.3.6.1.4.1.311.2.2.10 $mechanism" >"$work/mech"
    export GSS_MECH_CONFIG="$work/mech"
    judged 'sign and seal, client of gss-ntlmssp' peer "$ok" "$ok"
    LM_COMPAT_LEVEL=1
    export LM_COMPAT_LEVEL
    judged 'NTLMv1 is refused' peer "$denied" "$closed"
    set_value "$lsa" LmCompatibilityLevel 3
    judged 'NTLMv1 where the policy allows it' peer "$ok" "$ok"
    LM_COMPAT_LEVEL=0
    judged 'NTLMv1 without extended session security' peer "$ok" "$ok"
    given=wrong
    judged 'NTLMv1 with a wrong password' peer "$denied" "$closed"
    given=$password
    unset_value "$lsa" LmCompatibilityLevel
    unset LM_COMPAT_LEVEL
else
    skip_cases 5 'client of gss-ntlmssp: gss-ntlmssp (Debian packages gss-ntlmssp, libkrb5-dev)'
fi

# What counts is the NTLMv2 response, whatever else the authority would take.
answered 'a true LMv2 response beside a false NTLMv2 response' "$denied" "$nt_hash" lm 16
# A message that will not do says nothing of the password.
invalid='accept SEC_E_INVALID_TOKEN'
answered 'a malformed key and the right password' "$invalid" "$nt_hash" nt 15
answered 'a malformed key and a wrong password' "$invalid" "0$nt_hash" nt 15
given=wrong
judged 'a wrong password' ours "$denied" "$closed"
traced 'the trace names the reason' NT_STATUS_WRONG_PASSWORD
judged 'a wrong password after a move' ours "successor: $denied" "$closed" '' '--move-after-leg 1'
given=$password
client_user=$domain\\fred
judged 'an unknown user' ours "$denied" "$closed"
client_user=NOWHERE\\wilma
judged 'a domain that nobody knows' ours "$nobody" "$closed"
client_user=$user
judged 'a changed message' ours "$denied" "$closed" '--tamper authenticate'
in_private smbpasswd -c "$work/smb.conf" -d "${user#*\\}" >/dev/null 2>&1
judged 'a disabled account' ours "$denied" "$closed"
in_private smbpasswd -c "$work/smb.conf" -e "${user#*\\}" >/dev/null 2>&1
judged 'the account enabled again' ours "$ok" "$ok"

add_account "${user#*\\}" another
judged 'an account of that name here' ours "$ok" "$ok"
account remove "${user#*\\}" >/dev/null 2>&1
set_value "$lsa\\MSV1_0" RestrictReceivingNTLMTraffic 1
judged 'accounts of this machine only' ours "$denied" "$closed"
unset_value "$lsa\\MSV1_0" RestrictReceivingNTLMTraffic
says 'default credentials' 0 'all arrived unchanged' \
    in_private env WINEDLLPATH="$BUILD" "$WINE" "$programs/sspictl.exe" handshake NTLM

# The accounts of this machine need nobody; the others need everything.
client_user=$local client_name=$local
judged 'a local account' ours "$ok" "$ok"
says 'sspictl winbind' 0 'are judged' \
    in_private env WINEDLLPATH="$BUILD" "$WINE" "$programs/sspictl.exe" winbind
stop_winbindd
says 'sspictl winbind without winbindd' 1 WBC_ERR_WINBIND_NOT_AVAILABLE \
    in_private env WINEDLLPATH="$BUILD" "$WINE" "$programs/sspictl.exe" winbind
judged 'a local account without winbindd' ours "$ok" "$ok"
client_user=$user client_name=$user
judged 'no winbindd' ours "$nobody" "$closed"
traced 'the trace names winbindd' WBC_ERR_WINBIND_NOT_AVAILABLE
start_winbindd || fail_case 'starting winbindd again' "$work/winbindd"
judged 'winbindd again' ours "$ok" "$ok"
unix_halves=/nonexistent
judged 'no Unix half' ours "$nobody" "$closed"
traced 'the trace names the half' 'no Unix half'
unix_halves=$BUILD
set_winbind 0
judged 'not configured' ours "$denied" "$closed"
finish
