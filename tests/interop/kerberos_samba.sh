#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Kerberos of this project with the KDC of a Samba domain controller, whose tickets have PACs
# as Windows' do, against MIT's GSS-API on loopback. Samba is not installed by tools/check, since
# Debian starts it at once for everybody.

name=interop_kerberos_samba
# shellcheck source=tests/interop/pairs.sh
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
# shellcheck source=tests/interop/kerberos.sh
. "$SRCDIR/tests/interop/kerberos.sh"
peer=$BUILD/interop_gss_peer
rounds=30
directory=$work/ad
packages='samba, samba-dsdb-modules, samba-vfs-modules, samba-ad-provision, krb5-user'

[ -x "$peer" ] || skip_all "the GSS-API headers at build time (Debian package libkrb5-dev)"
samba=$(PATH=$PATH:/usr/sbin command -v samba)
samba_folder=$(find /usr/lib/*/samba/vfs/posix_eadb.so 2>/dev/null)
dsdb=$(find /usr/lib/*/samba/ldb/samba_dsdb.so 2>/dev/null)
[ "$samba" ] && [ "$samba_folder" ] && [ "$dsdb" ] && command -v kinit >/dev/null &&
    [ -f /usr/share/samba/setup/provision.ldif ] ||
    skip_all "Samba's domain controller (Debian packages $packages)"
need_kerberos

tool() { samba-tool "$@" >>"$work/samba-tool" 2>&1 </dev/null; }

provision() {
    timeout 180 samba-tool domain provision --realm=$kdc_realm --domain=WINESSPI --host-name=dc \
        --host-ip=127.0.0.1 --adminpass='Passw0rd,of-nobody' --server-role=dc --dns-backend=NONE \
        --targetdir="$directory" --option="posix:eadb=$directory/eadb.tdb" \
        >"$work/provision" 2>&1 </dev/null || return 1
    configuration=$directory/etc/smb.conf
    {
        cat <<END
[global]
server services = kdc
krb5 port = $kdc_port
kpasswd port = $kpasswd_port
bind interfaces only = yes
interfaces = 127.0.0.1/8
log file = $work/log.samba
pid directory = $directory
ncalrpc dir = $directory/ncalrpc
END
        grep -v 'server services = \|interfaces = \|log file = \|^\[global\]' "$configuration"
    } >"$work/smb.conf"
    mv "$work/smb.conf" "$configuration"
}

start_samba() {
    kdc_dir=$work/kdc
    mkdir -p "$kdc_dir/tmp"
    kdc_find_ports
    kdc_configure
    export KRB5_CONFIG="$kdc_dir/krb5.conf" KRB5CCNAME="FILE:$kdc_dir/tickets"
    export KRB5_KTNAME="FILE:$kdc_dir/keytab" KRB5RCACHENAME="dfl:" KRB5RCACHEDIR="$kdc_dir/tmp"
    provision || return 1
    KRB5_CONFIG=$directory/private/krb5.conf "$samba" -s "$directory/etc/smb.conf" -i -M single \
        </dev/null >"$work/samba" 2>&1 &
    kdc_pid=$!
    with="-s $directory/etc/smb.conf -H $directory/private/sam.ldb"
    # shellcheck disable=SC2086 # options are words
    tool user create $with alice "$password" && tool user create $with service 'Passw0rd,of-it' &&
        tool spn add $with test/localhost service && keys test/localhost &&
        wait_listening "$kdc_pid" "$kdc_port" && kdc_login alice "$password"
}

# keys PRINCIPAL: into the keytab.
keys() {
    tool domain exportkeytab -s "$directory/etc/smb.conf" --principal="$1" "$kdc_dir/keytab"
}

# start_back: other services, and the right to act for clients at one of them.
start_back() {
    # shellcheck disable=SC2086 # options are words
    tool user create $with backend 'Passw0rd,of-the-other' &&
        tool spn add $with back/localhost backend && keys back/localhost &&
        tool spn add $with closed/localhost backend && keys closed/localhost &&
        tool delegation add-service $with service back/localhost
}

# acting CASE OUTCOME TICKETS [PASSWORD]: a server of test/localhost that acts for its client, in a
# process with those tickets.
acting() {
    what=$1 outcome=$2 tickets=$3
    shift 3
    ok "server that acts for its client, $what" env KRB5CCNAME="FILE:$kdc_dir/$tickets" \
        timeout 120 "$WINE" "$programs/api_kerberos_proxy.exe" "$outcome" test/localhost \
        back/localhost closed/localhost "$principal" 'WINESSPI\alice' "$@"
}

password='Passw0rd, Grün'
given=$password
start_samba || {
    fail_case "Samba's KDC serves" "$work/provision" "$work/samba" "$work/samba-tool"
    finish
}

ok="ok after $rounds rounds"
for options in "" "--ask mutual" "--ask mutual,dce" "--ask mutual --bindings tls-unique:0123456789"
do
    with="--package Kerberos --default --rounds $rounds $options"
    client_name=$principal
    check "client ${options#--ask }" peer ours "$ok" "$ok" "$with" "$with --move"
    client_name=WINESSPI\\alice # as the PAC has it
    check "server ${options#--ask }" ours peer "$ok" "$ok" "$with --move" "$with"
done
with="--package Kerberos --rounds $rounds --ask mutual"
client_name=$principal
for client_user in "$kdc_realm\\alice" "WINESSPI\\alice" "\\$principal"; do
    check "client, a password of $client_user" peer ours "$ok" "$ok" "$with --default" "$with"
done
given=wrong
check "client, a wrong password" peer ours "*" "* SEC_E_LOGON_DENIED" "$with --default" "$with"
check "client, unknown service" peer ours "*" "initiate SEC_E_TARGET_UNKNOWN" "$with --default" \
    "$with --default --target nobody/localhost"

with="-s $directory/etc/smb.conf -H $directory/private/sam.ldb"
start_back || fail_case 'services of other accounts' "$work/samba-tool"
# A directory gives tickets to accounts, not to names of services.
acting "without a ticket of its own" refused tickets
echo 'Passw0rd,of-it' | kinit -c "FILE:$kdc_dir/service" service >"$work/kinit" 2>&1
acting "a ticket from the cache" allowed service "$password"
# shellcheck disable=SC2086 # options are words
tool delegation for-any-protocol $with service on
acting "a client that it vouches for" transition service
keys service
acting "a ticket by the account's key" allowed tickets
printf '%s\n' "$password" | kinit -F -c "FILE:$kdc_dir/plain" alice >>"$work/kinit" 2>&1
acting "a client whose ticket is not forwardable" refused plain
finish
