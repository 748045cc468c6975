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
realm_clean_up=clean_up
trap 'kdc_stop; $realm_clean_up' EXIT

# use_kdc: a KDC that knows alice, who has a ticket, and the services test, other, HTTP and ldap of
# localhost, of which the keytab has all but other.
use_kdc() {
    kdc_found || skip_all "$no_kdc"
    kdc_start || {
        fail_case 'the KDC starts' "$kdc_dir"/*.log "$kdc_dir"/*.out
        finish
    }
    kdc_add alice "$password"
    for service in test other ${services-}; do kdc_add "$service/localhost"; done
    for service in test ${services-}; do kdc_keys "$service/localhost"; done
    kdc_login alice "$password" || {
        fail_case 'alice gets a ticket' "$kdc_dir/kinit.log"
        finish
    }
}
