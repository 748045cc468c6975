# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables that are set or used by the script that sources this
#
# A KDC of MIT's for a script: of a realm of its own, on loopback, in the folder $work/kdc. After
# kdc_start the environment has the libraries of the host use it and nothing else. Needs the Debian
# packages krb5-kdc, krb5-admin-server (for kadmin.local) and krb5-user. The caller sets $SRCDIR,
# the source folder.

# shellcheck source=tests/include/ports.sh
. "$SRCDIR/tests/include/ports.sh"

no_kdc='a KDC of MIT Kerberos (Debian packages krb5-kdc, krb5-admin-server, krb5-user)'
kdc_realm=WINESSPI.TEST
kdc_pid='' kadmind_pid=''
kdc_enctypes='aes256-cts:normal aes128-cts:normal aes256-sha2:normal aes128-sha2:normal'
kdc_enctypes="$kdc_enctypes rc4-hmac:normal camellia256-cts:normal"

# The programs are where only root's PATH looks.
kdc_program() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1"; }

kdc_found() {
    kdc_program krb5kdc >/dev/null && kdc_program kdb5_util >/dev/null &&
        kdc_program kadmin.local >/dev/null && kdc_program kinit >/dev/null
}

# kdc_script: $work, a folder that goes away with the script and the KDC; without a KDC the script's
# cases are skipped. For scripts that have started nothing else.
kdc_script() {
    kdc_found || skip_all "$no_kdc"
    work=$(mktemp -d) || exit 1
    trap 'kdc_stop; rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM HUP
}

kdc_find_ports() {
    read -r kdc_port kadmin_port kpasswd_port <<END
$(free_port tcp 3)
END
}

# kdc_configure: writes both configurations for $kdc_port and $kadmin_port; what $kdc_libdefaults
# and $kdc_realm_lines hold goes along. The host localhost and those of winesspi.test belong to it.
kdc_configure() {
    cat >"$kdc_dir/krb5.conf" <<END
[libdefaults]
 default_realm = $kdc_realm
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 forwardable = true
 udp_preference_limit = 1
 ${kdc_libdefaults-}
[realms]
 $kdc_realm = {
  kdc = 127.0.0.1:$kdc_port
  admin_server = 127.0.0.1:$kadmin_port
  kpasswd_server = 127.0.0.1:$kpasswd_port
 }
[domain_realm]
 .winesspi.test = $kdc_realm
 localhost = $kdc_realm
END
    cat >"$kdc_dir/kdc.conf" <<END
[kdcdefaults]
 kdc_listen = ""
 kdc_tcp_listen = 127.0.0.1:$kdc_port
[realms]
 $kdc_realm = {
  database_name = $kdc_dir/principals
  key_stash_file = $kdc_dir/stash
  acl_file = $kdc_dir/kadm5.acl
  dict_file = $kdc_dir/dictionary
  kadmind_listen = 127.0.0.1:$kadmin_port
  kpasswd_listen = 127.0.0.1:$kpasswd_port
  max_life = 10h
  max_renewable_life = 7d
  supported_enctypes = $kdc_enctypes
  ${kdc_realm_lines-}
 }
[logging]
 kdc = FILE:$kdc_dir/kdc.log
 admin_server = FILE:$kdc_dir/kadmind.log
END
    : >"$kdc_dir/dictionary"
    echo "*/admin@$kdc_realm *" >"$kdc_dir/kadm5.acl"
}

# kdc_admin ARGUMENT...: in the database itself.
kdc_admin() { "$(kdc_program kadmin.local)" -r "$kdc_realm" "$@"; }

# kdc_start: false when it does not come up. Three times, since a port that is free may be taken by
# the time that it is asked for.
kdc_start() {
    kdc_dir=$work/kdc
    for _ in 1 2 3; do
        rm -rf "$kdc_dir"
        mkdir -p "$kdc_dir/tmp" || return 1
        kdc_find_ports
        kdc_configure
        export KRB5_CONFIG="$kdc_dir/krb5.conf" KRB5_KDC_PROFILE="$kdc_dir/kdc.conf"
        export KRB5CCNAME="FILE:$kdc_dir/tickets" KRB5_KTNAME="FILE:$kdc_dir/keytab"
        export KRB5_CLIENT_KTNAME="FILE:$kdc_dir/no-keys" KRB5RCACHENAME="dfl:"
        export KRB5RCACHEDIR="$kdc_dir/tmp"
        "$(kdc_program kdb5_util)" -r "$kdc_realm" create -s -P master \
            >"$kdc_dir/create.log" 2>&1 || return 1
        "$(kdc_program krb5kdc)" -n -r "$kdc_realm" >"$kdc_dir/krb5kdc.out" 2>&1 &
        kdc_pid=$!
        wait_listening "$kdc_pid" "$kdc_port" && return 0
        kdc_stop
    done
    return 1
}

# kdc_start_kadmind: for changes of passwords.
kdc_start_kadmind() {
    "$(kdc_program kadmind)" -nofork -r "$kdc_realm" >"$kdc_dir/kadmind.out" 2>&1 &
    kadmind_pid=$!
    wait_listening "$kadmind_pid" "$kadmin_port"
}

# kdc_add PRINCIPAL [PASSWORD]: with a random key when there is no password.
kdc_add() {
    if [ "${2-}" ]; then kdc_admin addprinc -pw "$2" "$1" >>"$kdc_dir/kadmin.log" 2>&1
    else kdc_admin addprinc -randkey "$1" >>"$kdc_dir/kadmin.log" 2>&1; fi
}

# kdc_keys PRINCIPAL...: into the keytab of the environment.
kdc_keys() { kdc_admin -q "ktadd -k $kdc_dir/keytab -norandkey $*" >>"$kdc_dir/kadmin.log" 2>&1; }

# kdc_login PRINCIPAL PASSWORD: into the cache of the environment.
kdc_login() { printf '%s\n' "$2" | kinit "$1" >"$kdc_dir/kinit.log" 2>&1; }

# kdc_enctype TYPE PRINCIPAL PASSWORD: from now on the libraries of the host have keys of that type
# only, and the principal a ticket with one for the service TYPE/localhost, of which the keytab has
# the key. RC4 needs $kdc_weak in kdc_libdefaults from the start.
kdc_weak='allow_weak_crypto = true
 allow_rc4 = true'
kdc_enctype() {
    export KRB5_CONFIG="$kdc_dir/krb5-$1.conf" KRB5CCNAME="FILE:$kdc_dir/tickets-$1"
    [ -f "$KRB5_CONFIG" ] || {
        sed "s/^\[libdefaults\]/&\n permitted_enctypes = $1/" \
            "$kdc_dir/krb5.conf" >"$KRB5_CONFIG"
        kdc_admin addprinc -randkey -e "$1:normal" "$1/localhost" >>"$kdc_dir/kadmin.log" 2>&1
        kdc_keys "$1/localhost"
    }
    kdc_login "$2" "$3"
}

# For the way out, whatever has been started.
kdc_stop() {
    for pid in $kdc_pid $kadmind_pid; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    kdc_pid='' kadmind_pid=''
}
