#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Apache with mod_auth_gssapi and gss-ntlmssp authenticates Windows programs whose SSPI is this
# project's: one that calls SSPI itself, WinHTTP and WinINet, with NTLM and with Negotiate.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_apache
# shellcheck source=tests/interop/web.sh
. "${SRCDIR:?names the source folder}/tests/interop/web.sh"
# shellcheck source=tests/interop/apache_server.sh
. "$SRCDIR/tests/interop/apache_server.sh"
user=$domain\\alice
slashed=$domain/alice
password='Grün, with spaces'
need_apache
find_gss_ntlmssp || skip_all "$no_gss_ntlmssp"

set_gss_ntlmssp "${user#*\\}" "$password"
chmod 644 "$work/users" "$work/mech" "$work/krb5.conf"
apache_directives='GssapiAllowedMech ntlmssp
    GssapiConnectionBound On'
apache_up

for kind in sspi winhttp wininet; do
    for scheme in NTLM Negotiate; do
        done='' refused=''
        if [ $kind = sspi ]; then
            # SPNEGO's refusal is a token; with bare NTLM the client is done when it has answered.
            done='SEC_E_OK ' refused='SEC_E_OK '
            [ $scheme = NTLM ] || refused='SEC_E_LOGON_DENIED '
        fi
        client_user=$user given=$password
        run_client $kind $scheme --path /page.txt
        expect "$kind, $scheme" \
            "$(grep -c "^body: $page" "$work/client") $(client_verdict)$(answers 1)" \
            "1 ${done}200 winesspi 200 $slashed 401 - " "$work/client" "$work/error.log"
        # The connection stays that client's.
        run_client $kind $scheme --path /page.txt --requests 3
        expect "$kind, $scheme, three requests" \
            "$(grep -c "^body: $page" "$work/client") $(client_verdict)$(answers 3)" \
            "3 ${done}200 200 200 winesspi 200 $slashed 401 - " "$work/client" "$work/error.log"
        given=wrong
        run_client $kind $scheme --path /page.txt
        expect "$kind, $scheme, wrong password" \
            "$(grep -c "^body: $page" "$work/client") $(client_verdict)$(answers 0)" \
            "0 ${refused}401 winesspi 401 - " "$work/client" "$work/error.log"
        client_user=$domain\\nobody
        run_client $kind $scheme --path /page.txt
        expect "$kind, $scheme, unknown user" \
            "$(grep -c "^body: $page" "$work/client") $(client_verdict)$(answers 0)" \
            "0 ${refused}401 winesspi 401 - " "$work/client" "$work/error.log"
    done
done

# That the clients use this project's SSPI would not be worth saying if they could not do without.
client_user=$user given=$password
(
    export WINEDLLOVERRIDES='secur32,sspicli=b'
    run_client winhttp NTLM --path /page.txt
)
expect 'Wine'\''s own SSPI is told apart' "$(client_verdict)" '* somebody else ' "$work/client"
finish
