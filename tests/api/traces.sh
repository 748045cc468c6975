#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the traces of our own channels show while test programs log on or use TLS: names and statuses,
# the peer that a program has named, but no password, no hash and no key. Environment: BUILD, as
# tools/check sets it; WINEPREFIX has the modules installed.

set -u
: "${BUILD:?}" "${WINEPREFIX:?}"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
export WINEDEBUG=-all,+sspi,+ntlm,+negotiate

# Passwords of the tests as words of their own, and the hash of the first (MS-NLMP 4.2.2.1.2).
word='(^|[^A-Za-z])'
secrets="$word(Password|secret|right|wrong)($|[^A-Za-z])|[aA]4[ ,:]*[fF]4[ ,:]*9[cC][ ,:]*40"
passed=0
failed=0
skipped=0

# traces_are_clean PROGRAM CHANNEL: it passes, traces there, and gives nothing away.
traces_are_clean() {
    wine "$BUILD/${ARCH:-x86_64}-windows/$1.exe" </dev/null >"$work/output" 2>"$work/traces"
    status=$?
    if [ "$status" = 0 ] && grep -q "trace:$2:" "$work/traces" &&
        ! grep -q -E -e "$secrets" "$work/traces"; then
        passed=$((passed + 1))
        printf 'ok   traces of %s\n' "$1"
    else
        failed=$((failed + 1))
        printf 'FAIL traces of %s: status %s\n' "$1" "$status"
        grep -E -e "$secrets" "$work/traces" | head -n 5 | sed 's/^/  /'
    fi
}

for program in api_credentials api_identities api_saved api_attributes api_accounts api_lm \
    api_auth_identity_crypt api_sasl_rounds; do
    traces_are_clean "$program" ntlm
done
for program in api_lsa api_lsa_logon api_sasl; do traces_are_clean "$program" sspi; done
traces_are_clean api_negotiate negotiate

# pieces: of each secret eight bytes at a time, as they are and the other way round.
pieces() {
    tr -d '\r' <"$work/output" | awk '$1 == "secret" {
        for (at = 1; at + 15 <= length($2); at += 16) {
            piece = substr($2, at, 16)
            turned = ""
            for (i = 1; i <= 16; i += 2) turned = substr(piece, i, 2) turned
            print piece "\n" turned
        }
    }'
}

# tls_traces_are_clean: whatever a program of TLS says to be secret is in no trace, however its
# bytes are written, and neither is what was sent.
tls_traces_are_clean() {
    WINEDEBUG=-all,+schannel,+sspi wine "$BUILD/${ARCH:-x86_64}-windows/tls_secrets.exe" \
        </dev/null >"$work/output" 2>"$work/traces"
    status=$?
    pieces >"$work/pieces"
    tr 'A-F' 'a-f' <"$work/traces" | sed 's/0x//g; s/[ ,:.-]//g' >"$work/digits"
    [ "$status" = 0 ] && [ -s "$work/pieces" ] && grep -q 'trace:schannel:' "$work/traces" &&
        ! grep -F -f "$work/pieces" "$work/digits" &&
        ! grep -F 'what one side says' "$work/traces"
}

if [ ! -f "$BUILD/${ARCH:-x86_64}-unix/ssp_schannel.so" ]; then
    skipped=1
    printf 'skip traces of TLS: the Unix half\n'
elif tls_traces_are_clean >"$work/found"; then
    passed=$((passed + 1))
    printf 'ok   traces of TLS\n'
else
    failed=$((failed + 1))
    printf 'FAIL traces of TLS: status %s\n' "$status"
    head -n 5 "$work/found" | sed 's/^/  /'
fi

# [D SeciAllocateAndSetIPAddress] audit records show the address; ours is a line of the trace.
WINEDEBUG=-all,warn+sspi wine "$BUILD/x86_64-windows/api_call_contexts.exe" </dev/null \
    >"$work/output" 2>"$work/traces"
if grep -q 'log-on refused .* peer 127\.0\.0\.1:8080' "$work/traces"; then
    passed=$((passed + 1))
    printf 'ok   a refused log-on names its peer\n'
else
    failed=$((failed + 1))
    printf 'FAIL a refused log-on names its peer\n'
fi
printf '%s: %d passed, %d failed, %d skipped\n' traces "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
