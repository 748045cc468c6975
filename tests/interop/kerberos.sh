# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables that are set or used by the script that sources this
#
# A realm for the scripts about Kerberos. The caller has sourced common.sh before.

# shellcheck source=tests/include/kdc.sh
. "$SRCDIR/tests/include/kdc.sh"
password='Grün, with spaces'
principal=alice@$kdc_realm
client_user=$kdc_realm\\alice
given=$password
# What a server of ours calls the client.
our_name=$kdc_realm\\alice
trap 'kdc_stop; clean_up' EXIT

# Types that the project makes messages of, and one that it leaves to the library.
kdc_known_enctypes='aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha1-96 aes256-cts-hmac-sha384-192
    aes128-cts-hmac-sha256-128 arcfour-hmac'
kdc_foreign_enctype=camellia256-cts-cmac
kdc_libdefaults=$kdc_weak

need_kerberos() {
    [ -f "$BUILD/$ARCH-unix/ssp_kerberos.so" ] ||
        skip_all "the Unix half of Kerberos for $ARCH (Debian packages libkrb5-dev, gcc-multilib)"
}

# use_kdc SERVICE...: a KDC that knows alice, who has a ticket, and the services test, other and
# those named, of localhost. The keytab has all of them but other.
use_kdc() {
    kdc_found || skip_all "$no_kdc"
    need_kerberos
    kdc_start || {
        fail_case 'the KDC starts' "$kdc_dir"/*.log "$kdc_dir"/*.out
        finish
    }
    kdc_add alice "$password"
    kdc_add other/localhost
    for service in test "$@"; do
        kdc_add "$service/localhost"
        kdc_keys "$service/localhost"
    done
    use_ticket
}

# use_bare_names SERVICE: that service of localhost by this machine's names without a kind, which is
# how some of Wine 8.0's libraries call their servers. They have its key, as other names of one
# account in a directory have: what is added to their password does not say whose it is.
use_bare_names() {
    for alias in "$1/localhost" localhost "$(uname -n)" \
        $(getent hosts 127.0.0.1 | sed 's/^[^ ]* *//'); do
        kdc_admin addprinc -pw alias -e aes256-cts:onlyrealm "$alias" >>"$kdc_dir/kadmin.log" 2>&1
    done
    kdc_keys "$1/localhost"
}

# share_kdc: with servers that run as another user.
share_kdc() {
    chmod 755 "$work" "$kdc_dir"
    chmod 644 "$kdc_dir/keytab" "$kdc_dir/krb5.conf"
    chmod 1777 "$kdc_dir/tmp"
}

use_ticket() {
    kdc_login alice "$password" && return
    fail_case 'alice gets a ticket' "$kdc_dir/kinit.log"
    finish
}

# has_enctype NAME: the service's ticket has it, and its key.
has_enctype() {
    case $1 in arcfour-hmac) type='\(DEPRECATED:\)*arcfour-hmac' ;; *) type=$1 ;; esac
    klist -e | tee "$work/klist" | grep -A 1 " $1/localhost@" |
        grep -q "Etype (skey, tkt): $type, $type"
}
