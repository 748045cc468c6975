#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# sspictl as a user or a script calls it: every subcommand, its exit statuses, and that no password
# and no hash is ever shown. Environment: BUILD and SRCDIR, as tools/check sets them; WINEPREFIX
# has the modules installed.

set -u
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
work=$(mktemp -d) || exit 1
export WINEDEBUG=-all
sspictl=$BUILD/${ARCH:-x86_64}-windows/sspictl.exe
file=Z:$work/contexts
secret='Geheim-4711 ü'
user=sspictl-test-$$
end() {
    for mark in $marks; do wine "$sspictl" certificate remove "$mark" >/dev/null 2>&1; done
    wine "$sspictl" account remove "$user" >/dev/null 2>&1
    exec 9>&-
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM HUP
marks=
passed=0
failed=0
skipped=0

# case_is NAME STATUS PATTERN COMMAND...: a case that passes when the command ends with the status
# and prints a line that matches the pattern, and never the password.
case_is() {
    name=$1 status=$2 pattern=$3
    shift 3
    "$@" >"$work/output" 2>&1
    found=$?
    if [ "$found" = "$status" ] && grep -q -e "$pattern" "$work/output" &&
        ! grep -q -e "$secret" "$work/output"; then
        passed=$((passed + 1))
        printf 'ok   %s\n' "$name"
    else
        failed=$((failed + 1))
        printf 'FAIL %s: status %s\n' "$name" "$found"
        sed 's/^/  /' "$work/output"
    fi
}

run() { wine "$sspictl" "$@" </dev/null; }
with_password() { # PASSWORD ARGUMENT...
    password=$1
    shift
    printf '%s\n' "$password" | wine "$sspictl" "$@"
}
through_pipe() { wine "$sspictl" export NTLM - </dev/null 2>/dev/null | wine "$sspictl" import -; }
cut_short() { head -c 500 "$work/contexts" >"$work/short"; run import "Z:$work/short"; }
changed() { # one byte in the first blob, well behind its plain header
    head -c 300 "$work/contexts" >"$work/changed"
    printf '\377\377\377\377' >>"$work/changed"
    tail -c +305 "$work/contexts" >>"$work/changed"
    run import "Z:$work/changed"
}
no_hash() { run account list && ! run account list | grep -q -i -e '[0-9a-f]\{32\}'; }

# The exported contexts live as long as the prefix's server: it must not end between two commands.
mkfifo "$work/hold" || exit 1
wine cmd /c more <"$work/hold" >/dev/null 2>&1 &
exec 9>"$work/hold"

case_is 'packages shows NTLM' 0 '^NTLM ' run packages
case_is 'help' 0 '^Usage: sspictl' run --help
for command in packages handshake account certificate config export import winbind; do
    case_is "help of $command" 0 "^Usage: sspictl $command" run "$command" --help
done
case_is 'no command is wrong usage' 2 'a command is needed' run
case_is 'an unknown command is wrong usage' 2 'unknown command frob' run frob
case_is 'an unknown option is wrong usage' 2 'unknown option --frob' run handshake NTLM --frob
case_is 'an option without its value is wrong usage' 2 'needs a value' run handshake NTLM --user
case_is 'a domain alone is wrong usage' 2 'needs --user' run handshake NTLM --domain D

case_is 'no password, no account' 1 'no password' run account add "$user"
case_is 'account add' 0 'account added' with_password "$secret" account add "$user"
case_is 'account add again' 0 'password changed' with_password "$secret" account add "$user"
case_is 'account list' 0 "\\\\$user" run account list
case_is 'account list shows no hash' 0 . no_hash
case_is 'account list of one' 0 "\\\\$user" run account list "$user"
case_is 'a user name of 257 characters' 2 'longer than 256' \
    run account add "$(printf '%0257d' 0)"
case_is 'a domain of 16 characters' 2 'longer than 15' run account add 'D234567890123456\u'

case_is 'config lists the policies' 0 '^ForeignTokens  *0  (default)' run config
case_is 'config set' 0 '^TimestampWindow  *90$' run config set TimestampWindow 90
case_is 'config has every policy' 0 '^MinimumPasswordLength  *0  (default)' run config
case_is 'config get' 0 '^90$' run config get timestampwindow
case_is 'config set beyond the range' 2 'from 0 to 2' run config set ChannelBindings 3
case_is 'config set to no number' 2 'from 0 to 1' run config set ForeignTokens yes
case_is 'config left it alone' 0 '^ForeignTokens  *0  (default)' run config
case_is 'config set to the default' 0 '(default)' run config set TimestampWindow default
case_is 'config of an unknown policy' 2 'there is no policy Frob' run config get Frob
case_is 'config get without a name' 2 'needs a name' run config get

case_is 'handshake with default credentials' 0 'all arrived unchanged' run handshake NTLM
case_is 'handshake with an account' 0 "user .*\\\\$user" \
    with_password "$secret" handshake NTLM --user "$user"
case_is 'handshake with a wrong password' 1 SEC_E_LOGON_DENIED \
    with_password wrong handshake NTLM --user "$user"
case_is 'handshake without the account' 1 'there is no account' \
    with_password wrong handshake NTLM --user "$user-x"
case_is 'handshake of an unknown package' 1 SEC_E_SECPKG_NOT_FOUND run handshake Frob

case_is 'export' 0 'exported two contexts' run export NTLM "$file"
case_is 'import of a file cut short' 1 'cut short' cut_short
case_is 'import of a changed file' 1 SEC_E_MESSAGE_ALTERED changed
case_is 'import' 0 'The contexts live on' run import "$file"
case_is 'import again' 1 SEC_E_CONTEXT_EXPIRED run import "$file"
case_is 'import of a foreign file' 1 'not a file that sspictl export wrote' \
    run import "Z:$SRCDIR/COPYING"
case_is 'import of no file' 1 'cannot read' run import "Z:$work/none"
case_is 'export and import through a pipe' 0 'The contexts live on' through_pipe
case_is 'export with an account' 0 'exported two' \
    with_password "$secret" export NTLM "$file" --user "$user"
case_is 'import of it shows the account' 0 "user .*\\\\$user" run import "$file"

# Certificates. Wine's RSA containers have nothing to do with it: a key of a curve is as good.
# stored MARK: the certificate can be acquired with its key.
stored() { wine "$BUILD/${ARCH:-x86_64}-windows/api_tls_credentials.exe" "$1" && echo usable; }
if ! command -v openssl >/dev/null; then
    echo 'skip certificates: openssl is missing (Debian package openssl)'
    skipped=$((skipped + 1))
else
    for kind in rsa:2048 ec; do
        case $kind in ec) set -- -pkeyopt ec_paramgen_curve:P-256 ;; *) set -- ;; esac
        openssl req -x509 -newkey "$kind" "$@" -nodes -subj "/CN=sspictl test" -days 2 \
            -keyout "$work/key.pem" -out "$work/leaf.pem" 2>/dev/null
        cat "$work/leaf.pem" "$work/key.pem" >"$work/both.pem"
        mark=$(openssl x509 -in "$work/leaf.pem" -noout -fingerprint -sha1 | sed 's/.*=//; s/://g')
        marks="$marks $mark"
        case_is "certificate add, $kind" 0 'certificate added' \
            run certificate add "Z:$work/both.pem"
        case_is "certificate list, $kind" 0 "$mark  sspictl test" run certificate list
        case_is "it has its key, $kind" 0 usable stored "$mark"
        case_is "certificate without key, $kind" 1 'no private key' \
            run certificate add "Z:$work/leaf.pem"
        openssl genpkey -algorithm "${kind%:*}" "$@" -out "$work/other.pem" 2>/dev/null
        cat "$work/leaf.pem" "$work/other.pem" >"$work/both.pem"
        case_is "certificate with another key, $kind" 1 'not one for the first certificate' \
            run certificate add "Z:$work/both.pem"
        case_is "certificate remove, $kind" 0 'certificate removed' run certificate remove "$mark"
        case_is "certificate remove again, $kind" 1 'no certificate' run certificate remove "$mark"
    done
fi

case_is 'account remove' 0 'account removed' run account remove "$user"
case_is 'account remove again' 1 'there is no account' run account remove "$user"

printf 'sspictl: %d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
