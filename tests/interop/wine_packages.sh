#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Wine's own modules of packages, msv1_0.dll and kerberos.dll, through our dispatcher: named in the
# registry in front of ours they take our place. NTLM then works as far as Samba's ntlm_auth lets
# it: as a client with a password. The peers are gss-ntlmssp and programs of ours.

name=interop_wine_packages
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
lsa='HKLM\SYSTEM\CurrentControlSet\Control\Lsa'
peer=$BUILD/interop_gss_peer
sspictl=$BUILD/x86_64-windows/sspictl.exe
user=$domain\\alice
password='Grün, with spaces'
client_user=$user
given=$password
rounds=20
ok="ok after $rounds rounds"
closed="connection closed"

command -v ntlm_auth >/dev/null || skip_all "ntlm_auth (Debian package winbind)"
use_gss_ntlmssp

reg() { $limit "$WINE" reg "$@" >"$work/reg" 2>&1 </dev/null; }

# The list as it was comes back, whatever happens.
reg export "$lsa" "Z:$work/lsa.reg" /y || skip_all "the registry's list of packages"
# shellcheck disable=SC2317 # called by the trap
put_back() {
    reg delete "$lsa" /v 'Security Packages' /f
    reg import "Z:$work/lsa.reg"
    clean_up
}
trap put_back EXIT

# use_packages MODULE...: for programs that start from now on.
use_packages() {
    list=$(printf '%s\\0' "$@")
    reg add "$lsa" /v 'Security Packages' /t REG_MULTI_SZ /d "${list%??}" /f
}

# sspictl_says CASE STATUS PATTERN ARGUMENT...
sspictl_says() {
    title=$1 status=$2 pattern=$3
    shift 3
    $limit "$WINE" "$sspictl" "$@" >"$work/sspictl" 2>&1 </dev/null
    if [ $? = "$status" ] && tr -d '\r' <"$work/sspictl" | grep -q -e "$pattern"; then
        pass_case "$title"
    else
        fail_case "$title" "$work/sspictl"
    fi
}

wine_module() { # NAME: the module of Wine's in the prefix
    printf 'C:\\windows\\system32\\%s.dll' "$1"
}

use_packages msv1_0 kerberos ssp_negotiate ssp_ntlm
# Its RPC id and longest token are those that we give, its capabilities are not.
sspictl_says "msv1_0 is NTLM" 0 '^ *0x00082b37 ' packages
sspictl_says "kerberos is Kerberos" 0 '^Kerberos  *1  *16 ' packages

# One round: the second opens a message in one SECBUFFER_STREAM, which msv1_0 does not know.
check "msv1_0 as client, in one process" peer ours "ok after 1 rounds" "ok after 1 rounds" \
    "--rounds 1" "--rounds 1"
given=wrong
check "msv1_0 as client, wrong password" peer ours "accept GSS_S_FAILURE" "$closed" "" ""
given=$password
# It has no export: what is refused is refused before anything has happened to the context.
check "msv1_0 as client, moving" peer ours "*" "export SEC_E_UNSUPPORTED_FUNCTION" "--rounds 2" \
    "--rounds 2 --move"

# What check-provider sees of them. Without a ticket and without winbind that is not all.
sspictl_says "msv1_0's tables" 1 '^kept *user-mode tables ' \
    check-provider "$(wine_module msv1_0)"
sspictl_says "msv1_0's registration" 1 '^kept *registration ' \
    check-provider "$(wine_module msv1_0)"
sspictl_says "kerberos' tables" 1 '^kept *registration ' check-provider "$(wine_module kerberos)"
sspictl_says "kerberos without a ticket" 1 "failed at the client's" \
    handshake Kerberos --target host/localhost

use_packages ssp_negotiate ssp_ntlm msv1_0 kerberos
sspictl_says "ours in front is ours" 0 '^ *0x02882b37 ' packages
add_account "$user" "$password"
check "ours again as client" peer ours "$ok" "$ok" "--rounds $rounds" "--rounds $rounds"
check "ours again as server" ours peer "$ok" "$ok" "--rounds $rounds" "--rounds $rounds"
finish
