# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables that are set or used by the script that sources this
#
# What all scripts of this folder share: counting, accounts, the NTLM mechanism for GSS-API, and
# a folder of their own, $work, that goes away with them. The caller sets $name, then sources this
# file. Environment: BUILD (build folder), SRCDIR, WINEPREFIX (with the modules installed), ARCH
# (which of our programs run: x86_64, which it is if not set, or i386).

: "${BUILD:?names the build folder}" "${WINEPREFIX:?names the prefix to run in}"
# shellcheck source=tests/include/cases.sh
. "${SRCDIR:?names the source folder}/tests/include/cases.sh"
: "${WINE:=wine}" "${ARCH:=x86_64}"
programs=$BUILD/$ARCH-windows
domain=INTEROP
# The programs give up when the other end is silent for 20 s (DIALOGUE_PATIENCE_SECONDS); this is
# for a program that does not even start or end.
limit='timeout --foreground --kill-after=2 28'

# skip_cases NUMBER WHAT-IS-MISSING
skip_cases() {
    skipped=$((skipped + $1))
    echo "skip $2"
}

work=$(mktemp -d) || exit 1
server_pid=
accounts=
account() { $limit "$WINE" "$programs/sspictl.exe" account "$@"; }
# shellcheck disable=SC2317 # called by the trap
clean_up() {
    if [ "$server_pid" ]; then
        kill "$server_pid" 2>/dev/null
        wait "$server_pid" 2>/dev/null
    fi
    printf '%s' "$accounts" | while IFS= read -r one; do
        account remove "$one" >/dev/null 2>&1 </dev/null
    done
    rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP
# Wine reads names in arguments as the locale says.
export LC_ALL=C.UTF-8

# add_account DOMAIN\USER PASSWORD: until the script ends.
add_account() {
    account remove "$1" >/dev/null 2>&1 </dev/null
    accounts="$accounts$1
"
    printf '%s\n' "$2" | account add "$1" >"$work/account" 2>&1 && return
    fail_case "adding the account $1" "$work/account"
    finish
}

# find_gss_ntlmssp: the NTLM mechanism for GSS-API, or nothing, in $mechanism.
find_gss_ntlmssp() {
    mechanism=
    for file in /usr/lib/*/gssntlmssp/gssntlmssp.so /usr/lib*/gssntlmssp/gssntlmssp.so; do
        [ -e "$file" ] && mechanism=$file
    done
    [ "$mechanism" ]
}

# set_gss_ntlmssp USER PASSWORD: a configuration of the test's own, with that account in $domain.
set_gss_ntlmssp() {
    echo "gssntlmssp_v1 1.3.6.1.4.1.311.2.2.10 $mechanism" >"$work/mech"
    printf '%s:%s:%s\n' $domain "$1" "$2" >"$work/users"
    # No question to a name server about anybody's realm.
    printf '[libdefaults]\n dns_lookup_kdc = false\n dns_lookup_realm = false\n' >"$work/krb5.conf"
    export GSS_MECH_CONFIG="$work/mech" NTLM_USER_FILE="$work/users" NETBIOS_DOMAIN_NAME=$domain
    export KRB5_CONFIG="$work/krb5.conf" KRB5CCNAME="FILE:$work/no-tickets"
    unset LM_COMPAT_LEVEL NTLMUSER KRB5_KTNAME
}
no_gss_ntlmssp='the NTLM mechanism for GSS-API (Debian package gss-ntlmssp)'

# The port that the server prints, in a line that is complete; false when it ends without.
wait_for_port() {
    wait_until port_is_known
    [ "$port" ]
}
port_is_known() {
    port=$(tr -d '\r' <"$work/server" | sed -n 's/^port: \([0-9][0-9]*\)$/\1/p')
    [ "$port" ] || has_ended "$server_pid"
}

# as_nobody COMMAND...: what does not run as root, or not as it should.
as_nobody() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups "$@"
    else
        "$@"
    fi
}
