#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Apache with mod_auth_gssapi authenticates Windows programs whose SSPI is this project's by
# Kerberos: one that calls SSPI itself, WinHTTP and WinINet, with the user's ticket, with a
# password, and with neither. Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX
# (with the modules installed).

name=interop_kerberos_apache
# shellcheck source=tests/interop/web.sh
. "${SRCDIR:?names the source folder}/tests/interop/web.sh"
# shellcheck source=tests/interop/apache_server.sh
. "$SRCDIR/tests/interop/apache_server.sh"
# shellcheck source=tests/interop/kerberos.sh
. "$SRCDIR/tests/interop/kerberos.sh"

need_apache
use_kdc
use_bare_names HTTP
share_kdc
# Wine's libraries ask for DCE style, whose handshake takes one request more.
apache_directives='GssapiAllowedMech krb5
    GssapiConnectionBound On'
apache_up
with_ticket=$KRB5CCNAME
without=FILE:$work/no-tickets

# refusal_case CASE REASON ARGUMENT...: the client does not come to a first token.
refusal_case() {
    title=$1 reason=$2
    shift 2
    run_client sspi Negotiate --path /page.txt "$@"
    is=$(sed -n 's/.*FAILED: the first token: \([A-Z_]*\).*/\1/p' "$work/client")
    expect "sspi, $title" "$is" "$reason" "$work/client"
}

# page_case CASE KIND SCHEME STATUS ARGUMENT...: three requests; alice is known where STATUS is 200.
page_case() {
    title=$1 kind=$2 scheme=$3 status=$4
    shift 4
    done='' count=0 seen='401 - '
    if [ "$status" = 200 ]; then count=3 seen="200 $principal $seen"; fi
    [ "$kind$count" != sspi3 ] || done='SEC_E_OK '
    run_client "$kind" "$scheme" --path /page.txt --requests 3 "$@"
    is="$(grep -c "^body: $page" "$work/client") $(client_verdict | tr -s '/ ' ' ')"
    expect "$kind, $title" "$is$(answers $count)" \
        "$count $done*$status winesspi $seen" "$work/client" "$work/error.log"
}

for package in Kerberos Negotiate; do
    KRB5CCNAME=$with_ticket client_user=''
    page_case "$package, the user's ticket" sspi Negotiate 200 --package $package
    KRB5CCNAME=$without client_user=$kdc_realm\\alice given=$password
    page_case "$package, a password" sspi Negotiate 200 --package $package
    given=wrong
    refusal_case "$package, a wrong password" SEC_E_LOGON_DENIED --package $package
done
client_user=''
refusal_case "Kerberos, neither" SEC_E_NO_CREDENTIALS --package Kerberos
# There is NTLM, which the server does not take.
page_case "Negotiate, neither" sspi Negotiate 401
# WinHTTP of Wine 8.0 does not use the user's own credentials.
KRB5CCNAME=$with_ticket
page_case "the user's ticket" wininet Negotiate 200
KRB5CCNAME=$without client_user=$kdc_realm\\alice
for kind in winhttp wininet; do
    given=$password
    page_case "a password" $kind Negotiate 200
    given=wrong
    page_case "a wrong password" $kind Negotiate 401
done
client_user=''
page_case "neither" wininet Negotiate 401
finish
