# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables that are set or used by the script that sources this
#
# Web clients and web servers on loopback, one of them ours: what the scripts of this folder share.
# The caller sets $name, then sources this file.
# Environment: BUILD (build folder), WINEPREFIX (with the modules installed).

: "${BUILD:?names the build folder}" "${WINEPREFIX:?names the prefix to run in}"
: "${WINE:=wine}"
passed=0 failed=0 skipped=0
domain=INTEROP
client=$BUILD/x86_64-windows/http_client.exe
limit='timeout --foreground --kill-after=2 60'

finish() {
    echo "$name: $passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
    exit
}

skip_all() {
    echo "skip $name: $1"
    skipped=1
    finish
}

# skip_cases NUMBER WHAT-IS-MISSING
skip_cases() {
    skipped=$((skipped + $1))
    echo "skip $2"
}

pass_case() {
    passed=$((passed + 1))
    echo "ok   $1"
}

# fail_case NAME FILE...: with what the files say.
fail_case() {
    failed=$((failed + 1))
    echo "FAIL $1"
    shift
    for file; do
        [ ! -f "$file" ] || sed "s|^|  $(basename "$file"): |" "$file"
    done
}

# expect CASE WHAT-IS WHAT-IT-MUST-BE FILE...: a pattern; the files are shown when it is not.
expect() {
    case_name=$1
    is=$2
    must_be=$3
    shift 3
    # shellcheck disable=SC2254 # a pattern is meant
    case $is in
    $must_be) pass_case "$case_name" ;;
    *)
        fail_case "$case_name" "$@"
        printf '  is: %s\n  must be: %s\n' "$is" "$must_be"
        ;;
    esac
}

work=$(mktemp -d) || exit 1
# A server may run as another user and has to read its configuration.
chmod 755 "$work"
server_pid=
accounts=
account() { $limit "$WINE" "$BUILD/x86_64-windows/sspictl.exe" account "$@"; }
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
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY

# add_account DOMAIN\USER PASSWORD: until the script ends.
add_account() {
    account remove "$1" >/dev/null 2>&1 </dev/null
    accounts="$accounts$1
"
    printf '%s\n' "$2" | account add "$1" >"$work/account" 2>&1 && return
    fail_case "adding the account $1" "$work/account"
    finish
}

# find_mechanism: the NTLM mechanism for GSS-API, or nothing, in $mechanism.
find_mechanism() {
    mechanism=
    for file in /usr/lib/*/gssntlmssp/gssntlmssp.so /usr/lib*/gssntlmssp/gssntlmssp.so; do
        [ -e "$file" ] && mechanism=$file
    done
}

# use_mechanism USER PASSWORD: a configuration of the test's own for GSS-API, with NTLM alone and
# one account.
use_mechanism() {
    echo "gssntlmssp_v1 1.3.6.1.4.1.311.2.2.10 $mechanism" >"$work/mech"
    printf '%s:%s:%s\n' $domain "$1" "$2" >"$work/users"
    # No question to a name server about anybody's realm.
    printf '[libdefaults]\n dns_lookup_kdc = false\n dns_lookup_realm = false\n' >"$work/krb5.conf"
    export GSS_MECH_CONFIG="$work/mech" NTLM_USER_FILE="$work/users" NETBIOS_DOMAIN_NAME=$domain
    export KRB5_CONFIG="$work/krb5.conf" KRB5CCNAME="FILE:$work/no-tickets"
    unset LM_COMPAT_LEVEL NTLMUSER KRB5_KTNAME
}

# run_client KIND SCHEME ARGUMENT...: our client with $client_user and $given, or without a login
# when $client_user is empty. Its output is in $work/client.
run_client() {
    kind=$1
    scheme=$2
    shift 2
    if [ "$client_user" ]; then
        printf '%s\n' "$client_user" "$given" >"$work/login"
    else
        : >"$work/login"
    fi
    $limit "$WINE" "$client" "$kind" --port "$port" --scheme "$scheme" "$@" <"$work/login" \
        >"$work/client.crlf" 2>&1
    tr -d '\r' <"$work/client.crlf" >"$work/client"
}

# What a client that has run says, on one line: the statuses, what the bodies say of the user,
# and whose SSPI it was. A slash stands for a name's backslash, which means something in patterns.
client_verdict() {
    sed -n -e 's/^status: //p' -e 's/^body: user: //p' -e 's/^error: /error /p' \
        -e 's/^handshake: //p' -e 's/^secur32.dll: //p' "$work/client" | tr '\\\n' '/ '
}
