#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# PuTTY's plink.exe logs in to OpenSSH's server on loopback by Kerberos: it calls SSPI's ANSI
# functions, signs with the context (gssapi-with-mic), and where the server has it exchanges SSH's
# own keys by the context (GSS key exchange). OpenSSH's server is not installed by tools/check,
# since Debian starts it at once for everybody. This one runs without root, and alice and bob are
# the user who runs it: libnss_wrapper says so. Environment: that of common.sh.

name=interop_kerberos_ssh
# shellcheck source=tests/interop/web.sh
. "${SRCDIR:?names the source folder}/tests/interop/web.sh"
# shellcheck source=tests/interop/kerberos.sh
. "$SRCDIR/tests/interop/kerberos.sh"
# shellcheck source=tests/interop/plink.sh
. "$SRCDIR/tests/interop/plink.sh"
sessions='HKCU\Software\SimonTatham\PuTTY\Sessions'

sshd=$(PATH=$PATH:/usr/sbin command -v sshd) ||
    skip_all "OpenSSH's server (Debian package openssh-server)"
wrapper=$(find /usr/lib/*/libnss_wrapper.so /usr/lib*/libnss_wrapper.so 2>/dev/null | tail -n 1)
[ "$wrapper" ] || skip_all 'libnss_wrapper (Debian package libnss-wrapper)'
need_plink
use_kdc host
share_kdc
with_ticket=$KRB5CCNAME
without=FILE:$work/no-tickets

# ---- the server ----

mkdir "$work/sshd" "$work/sshd/home" || exit 1
ids=$(as_nobody sh -c 'echo "$(id -u):$(id -g)"')
for one in alice bob; do
    echo "$one:x:$ids::$work/sshd/home:/bin/sh"
done >"$work/passwd"
ssh-keygen -q -t ed25519 -N '' -f "$work/sshd/key"
[ "$(id -u)" != 0 ] || chown -R nobody "$work/sshd"

configure_sshd() {
    cat <<END
ListenAddress 127.0.0.1:$port
HostKey $work/sshd/key
PidFile none
UsePAM no
StrictModes no
LogLevel DEBUG1
PubkeyAuthentication no
PasswordAuthentication no
KbdInteractiveAuthentication no
GSSAPIAuthentication yes
GSSAPIStrictAcceptorCheck no
END
    [ ! "$key_exchange" ] || echo GSSAPIKeyExchange yes
}

start_sshd() {
    port=$(free_port)
    key_exchange=yes
    configure_sshd >"$work/sshd.conf"
    as_nobody "$sshd" -t -f "$work/sshd.conf" >/dev/null 2>&1 || key_exchange=
    configure_sshd >"$work/sshd.conf"
    # The process of as_nobody is not the server's, which outlives it.
    # shellcheck disable=SC2016 # for that shell
    as_nobody env LD_PRELOAD="$wrapper" NSS_WRAPPER_PASSWD="$work/passwd" \
        NSS_WRAPPER_GROUP=/etc/group sh -c 'echo $$ >"$1" && shift && exec "$@"' sh \
        "$work/sshd/pid" "$sshd" -D -e -f "$work/sshd.conf" >"$work/log" 2>&1 </dev/null &
    server_pid=$!
    wait_listening "$server_pid" "$port"
    listens=$?
    server_pid=$(cat "$work/sshd/pid")
    [ "$listens" = 0 ] || kill "$server_pid" 2>/dev/null
    return $listens
}

thrice start_sshd || {
    fail_case 'sshd starts' "$work/log"
    finish
}

# ---- the client ----

set_session() { "$WINE" reg add "$sessions\\$1" /v "$2" /t "$3" /d "$4" /f >/dev/null 2>&1; }
# shellcheck disable=SC2317 # called by the trap
end_sessions() {
    for one in mic keyex; do
        "$WINE" reg delete "$sessions\\$one" /f >/dev/null 2>&1 </dev/null
    done
}
trap 'end_sessions; kdc_stop; clean_up' EXIT
for one in mic keyex; do
    set_session $one AuthGSSAPI REG_DWORD 1
    set_session $one AuthGSSAPIKEX REG_DWORD "$([ $one = mic ] && echo 0 || echo 1)"
    set_session $one GssapiFwd REG_DWORD 1
    set_session $one RekeyBytes REG_SZ 40K
done
key=$(ssh-keygen -lf "$work/sshd/key.pub" | cut -d ' ' -f 2)

# ssh_run SESSION USER@HOST COMMAND: what the command says, to which $work/input goes. What the
# server says of this is $work/said.
: >"$work/input"
ssh_run() {
    before=$(wc -c <"$work/log")
    $limit "$WINE" "$plink" -batch -v -load "$1" -P "$port" -hostkey "$key" "$2" "$3" \
        >"$work/out" 2>"$work/plink" <"$work/input"
    tail -c +"$((before + 1))" "$work/log" >"$work/said"
    tr -d '\r' <"$work/out"
}

# login_case CASE EXPECTED SESSION USER@HOST [COMMAND]: what the command says, by which method the
# server let whom in, and why the client had no token.
login_case() {
    is=$(ssh_run "$3" "$4" "${5-echo hello}")
    is="$is, $(sed -n 's/^Accepted \([^ ]*\) for \([^ ]*\).*/\1 \2/p' "$work/said")"
    why=$(grep -A 1 'GSSAPI authentication initialisation failed' "$work/plink" | tail -n 1)
    expect "$1" "$is, $(echo "$why" | tr -d '\r')" "$2" "$work/plink" "$work/said"
}

for session in mic keyex; do
    accepted='gssapi-with-mic alice'
    [ $session = mic ] || accepted='gssapi-keyex alice'
    if [ $session = keyex ] && [ ! "$key_exchange" ]; then
        skip_cases 8 'GSS key exchange (Debian package openssh-server)'
        continue
    fi
    login_case "$session, a ticket" "hello, $accepted, " $session alice@localhost
    login_case "$session, another user's name" ', , ' $session bob@localhost
    login_case "$session, a host that the KDC does not know" ', , The target was not recognized.' \
        $session alice@127.0.0.1
    KRB5CCNAME=$without
    login_case "$session, no ticket" ', , No credentials are available*' $session alice@localhost
    KRB5CCNAME=$with_ticket
    # New keys after 40 KB.
    head -c 200000 /dev/zero >"$work/input"
    login_case "$session, new keys on the way" "200000, $accepted, " $session alice@localhost \
        'wc -c'
    : >"$work/input"
    by_context=$(grep -c '^GSSAPI Key Exchange complete' "$work/plink")
    if [ $session = keyex ]; then
        ok 'keyex, the context makes keys again' test "$by_context" -gt 1
    else
        ok 'mic, the context makes no keys' test "$by_context" = 0
    fi
    ok "$session, there were new keys" grep -q 'key re-exchange (too much' "$work/plink"
done

# The client delegates to whom the KDC calls fit for it.
show='klist 2>/dev/null | sed -n "s/^Default principal: //p"'
login_case 'delegation to anybody' ', gssapi-with-mic alice, ' mic alice@localhost "$show"
kdc_admin modprinc +ok_as_delegate host/localhost >>"$kdc_dir/kadmin.log" 2>&1
kdestroy -q && use_ticket
for session in mic ${key_exchange:+keyex}; do
    login_case "$session, delegation" "$principal, gssapi-* alice, " $session alice@localhost \
        "$show"
done
finish
