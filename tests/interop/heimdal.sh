# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables that are set or used by the script that sources this
#
# Heimdal's KDC and libraries. Debian's package of the KDC cannot be installed beside MIT's; so they
# are unpacked in the build folder, and stay there for the next time. The caller has sourced
# common.sh before.

# shellcheck source=tests/include/kdc.sh
. "$SRCDIR/tests/include/kdc.sh"
heimdal=$BUILD/heimdal
heimdal_packages='heimdal-kdc heimdal-clients libasn1-8-heimdal libgssapi3-heimdal
    libhcrypto5-heimdal libhdb9-heimdal libheimbase1-heimdal libheimntlm0-heimdal libhx509-5-heimdal
    libkadm5clnt7-heimdal libkadm5srv8-heimdal libkafs0-heimdal libkdc2-heimdal libkrb5-26-heimdal
    libotp0-heimdal libroken19-heimdal libsl0-heimdal libwind0-heimdal libcap-ng0'

# The tests of another architecture may be doing the same.
unpack_heimdal() {
    (
        flock 9
        unpack_heimdal_once
    ) 9>"$heimdal.lock"
}
unpack_heimdal_once() {
    [ -f "$heimdal/unpacked" ] && return
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
    rm -rf "$heimdal"
    mkdir -p "$heimdal/packages" || return 1
    # shellcheck disable=SC2086 # package names
    (cd "$heimdal/packages" && timeout 120 apt-get -q download $heimdal_packages) \
        >"$work/download" 2>&1 || return 1
    for file in "$heimdal/packages"/*.deb; do
        dpkg-deb -x "$file" "$heimdal" >>"$work/download" 2>&1 || return 1
    done
    rm -rf "$heimdal/packages"
    : >"$heimdal/unpacked"
}

# in_heimdal COMMAND ARGUMENT...: with its libraries.
in_heimdal() { LD_LIBRARY_PATH=$heimdal_libraries "$@"; }

# start_heimdal: as kdc_start, for a KDC of Heimdal's.
start_heimdal() { thrice try_heimdal; }
try_heimdal() {
    kdc_stop
    heimdal_libraries=$(dirname "$(find "$heimdal" -name 'libgssapi.so.3' | head -n 1)")
    heimdal_kdc=$(find "$heimdal/usr" -path '*heimdal-servers/kdc' | head -n 1)
    heimdal_kadmin=$(find "$heimdal/usr" -name 'kadmin.heimdal' -o -name kadmin | head -n 1)
    heimdal_kinit=$(find "$heimdal/usr" -name 'kinit.heimdal' -o -name kinit | head -n 1)
    kdc_dir=$work/kdc
    rm -rf "$kdc_dir"
    mkdir -p "$kdc_dir/tmp"
    kdc_find_ports
    kdc_configure
    cat >>"$kdc_dir/krb5.conf" <<END
[kdc]
 database = {
  dbname = $kdc_dir/heimdal
  realm = $kdc_realm
  mkey_file = $kdc_dir/mkey
  acl_file = $kdc_dir/kadm5.acl
  log_file = $kdc_dir/log
 }
[logging]
 kdc = 0-/FILE:$kdc_dir/kdc.log
END
    # Its clients read of a KDC on which protocol it listens.
    sed -i "s|^  kdc = |  kdc = tcp/|" "$kdc_dir/krb5.conf"
    cp "$kdc_dir/krb5.conf" "$kdc_dir/heimdal.conf"
    sed -i "s|^  kdc = tcp/|  kdc = |" "$kdc_dir/krb5.conf"
    export KRB5_CONFIG="$kdc_dir/krb5.conf" KRB5CCNAME="FILE:$kdc_dir/tickets"
    export KRB5_KTNAME="FILE:$kdc_dir/keytab" KRB5RCACHENAME="dfl:" KRB5RCACHEDIR="$kdc_dir/tmp"
    heimdal_admin init --realm-max-ticket-life=1d --realm-max-renewable-life=1w $kdc_realm ||
        return 1
    KRB5_CONFIG=$kdc_dir/heimdal.conf LD_LIBRARY_PATH=$heimdal_libraries "$heimdal_kdc" \
        --addresses=127.0.0.1 --ports="$kdc_port/tcp" >"$kdc_dir/kdc.out" 2>&1 &
    kdc_pid=$!
    wait_listening "$kdc_pid" "$kdc_port"
}

# heimdal_admin ARGUMENT...: in the database itself.
heimdal_admin() {
    KRB5_CONFIG=$kdc_dir/heimdal.conf in_heimdal "$heimdal_kadmin" -l -r $kdc_realm "$@" \
        >>"$kdc_dir/kadmin.log" 2>&1
}
