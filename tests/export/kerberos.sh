#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Contexts of Kerberos that move: in one process, between processes, and to programs that find no
# library of the host, or not even the Unix half; of each encryption type. With a KDC of the
# script's own. Environment: BUILD, SRCDIR, WINEPREFIX, as tools/check sets them.

set -u
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
name=export_kerberos
work=$(mktemp -d) || exit 1
# shellcheck source=tests/include/cases.sh
. "$SRCDIR/tests/include/cases.sh"
# shellcheck source=tests/include/kdc.sh
. "$SRCDIR/tests/include/kdc.sh"
listed=
trap 'kdc_stop; [ ! "$listed" ] || packages "$listed"; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
programs=$BUILD/${ARCH:-x86_64}-windows

kdc_libdefaults=$kdc_weak
kdc_found || skip_all "$no_kdc"
kdc_start || {
    fail_case 'the KDC starts' "$work"/kdc/*.log
    finish
}
kdc_add client secret

# run PROGRAM ARGUMENT...
# shellcheck disable=SC2317 # called by ok
run() {
    program=$1
    shift
    timeout 100 wine "$programs/kerberos_$program.exe" "$@"
}

lsa='HKLM\System\CurrentControlSet\Control\Lsa'
listed=$(wine reg query "$lsa" /v 'Security Packages' | tr -d '\r' |
    sed -n 's/.*REG_MULTI_SZ *//p')

ours='ssp_negotiate\0ssp_kerberos\0ssp_ntlm'

# packages LIST: what later programs find.
packages() {
    wine reg add "$lsa" /f /v 'Security Packages' /t REG_MULTI_SZ /d "$1" >"$work/reg" 2>&1
}

# step CASE WHAT: what the program says of the package is left in $said.
step() {
    said=$work/said-$2-$step
    step=$((step + 1))
    ok "$1, $type" run processes "$type/localhost" "$2" "Z:$work/client" "Z:$work/server"
    cp "$work/output" "$said"
}

# says CASE TEXT
says() { ok "$1, $type" grep -q "$2" "$said"; }

# Neither with a library that cannot be loaded nor without the half there are credentials, but what
# was established before goes on, and comes back.
run_steps() {
    step=0
    step 'contexts are made' begin
    says 'there are credentials' 'credentials 00000000 00000000, listed 1'
    (
        unset WINEDLLPATH
        export KRB5_CONFIG=/nonexistent
        step 'they go on without the Unix half' go-on
        says 'which has no credentials' 'credentials 80090305 80090305, listed 0'
        packages 'ssp_negotiate\0ssp_kerberos\0kerberos'
        step "and where Wine's package has the name" go-on
        packages "$ours"
        echo "$passed $failed" >"$work/counted"
    )
    read -r passed failed <"$work/counted"
    step 'they come back' go-on
    says 'to where there are credentials' 'credentials 00000000 00000000, listed 1'
    (
        unset WINEDLLPATH
        packages 'ssp_negotiate\0ssp_kerberos\0kerberos'
        step "and go on where ours is known and Wine's has its place" go-on
        says "which is the first call's, too" 'credentials \([0-9a-f]*\) \1, listed 1'
        packages "$ours"
        echo "$passed $failed" >"$work/counted"
    )
    read -r passed failed <"$work/counted"
}

# run_type NAME: as the library of the host calls it.
run_type() {
    type=$1
    if ! kdc_enctype "$type" client secret; then
        fail_case "a ticket of $type" "$kdc_dir/kinit.log"
        return
    fi
    ok "in one process, $type" run context "$type/localhost"
    ok "between processes, $type" run processes "$type/localhost"
    run_steps
}

packages "$ours"
for type in aes128-cts-hmac-sha1-96 aes256-cts-hmac-sha1-96 aes128-cts-hmac-sha256-128 \
    aes256-cts-hmac-sha384-192 arcfour-hmac; do
    run_type "$type"
done
type=camellia256-cts-cmac
kdc_enctype "$type" client secret
ok 'what the library keeps stays where it is' run context "$type/localhost" library
finish
