#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs the program fault for the package Kerberos, over a KDC of its own, in a folder with modules
# whose every block comes from the system. Wine takes a module that has a Unix half from
# WINEDLLPATH, where these are, too. Environment: BUILD, SRCDIR and ARCH, as tools/check sets them;
# WINEPREFIX has the modules installed.

set -u
name=fault_kerberos
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
# shellcheck source=tests/include/cases.sh
. "$SRCDIR/tests/include/cases.sh"
# shellcheck source=tests/include/kdc.sh
. "$SRCDIR/tests/include/kdc.sh"

arch=${ARCH:-x86_64}
programs=$BUILD/$arch-windows
kdc_script

# The process's user is a principal, too.
prepare() {
    user=$(id -un)
    kdc_add "$user" four && kdc_login "$user" four && mkdir "$work/$arch-windows" &&
        cp "$programs/fault.exe" "$programs/plain"/*.dll "$work" &&
        cp "$programs/plain"/*.dll "$work/$arch-windows" &&
        ln -s "$BUILD/$arch-unix" "$work/$arch-unix" && export WINEDLLPATH="$work"
}

# run TYPE DIGEST: with that encryption type, and the size of its digests.
run() {
    echo "$1"
    if ! kdc_enctype "$1" "$user" four; then
        fail_case "a ticket of $1" "$kdc_dir/kinit.log"
        return
    fi
    timeout 250 wine "$work/fault.exe" kerberos "$1/localhost" "$2" >"$work/log" 2>&1 </dev/null
    count_log fault $?
    tr -d '\r' <"$work/log" | sed '/^fault: /d'
}

if kdc_start && prepare; then
    run aes256-cts-hmac-sha1-96 20
else
    fail_case 'a KDC with users' "$kdc_dir"/*.log "$kdc_dir"/*.out
fi
finish
