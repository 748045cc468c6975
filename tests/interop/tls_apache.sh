#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Our client, WinHTTP and WinINet with an Apache that asks for a certificate once it has read the
# request.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_tls_apache
# shellcheck source=tests/interop/tls.sh
. "${SRCDIR:?names the source folder}/tests/interop/tls.sh"
# shellcheck source=tests/interop/tls_apache_server.sh
. "$SRCDIR/tests/interop/tls_apache_server.sh"

command -v apache2 >/dev/null || skip_all 'the web server (Debian package apache2-bin)'
apache_up

# shown CASE EXPECTED PATH ARGUMENT...: what the server says that it was shown, what the client has
# shown before and after, and how it went.
shown() {
    shown_case=$1 shown_expected=$2 shown_path=$3
    shift 3
    rm -f "$work/saved"
    run_ours --save "$work/saved" "$@" -- "ask:$shown_path" body:0 facts end
    expect "$shown_case" "$(tr -d '\r' <"$work/saved" | sed -n 's/^Shown: //p') $(lines_of \
        "$work/client" own result)" "$shown_expected" "$work/client" "$work/error.log"
    [ "${shown_expected#*ok}" = "$shown_expected" ] && return
    tr -d '\r' <"$work/saved" | sed '1,/^$/d' | cmp -s - "$work/www/lines"
    expect "$shown_case: all is there" $? 0 "$work/client"
}

none=SEC_E_NO_CREDENTIALS
alice="--certificate $certs/client.pfx"
# shellcheck disable=SC2086 # options are words
for version in 1.2 1.3; do
    shown "nobody asks, TLS $version" "?TLSv$version (null)? $none $none ok" /lines \
        --versions $version $alice
    shown "a certificate for a folder, TLS $version" \
        "?TLSv$version CN=Alice of RSA? $none Alice of RSA* ok" /named/lines \
        --versions $version $alice
    shown "a certificate on a curve for a folder, TLS $version" \
        "?TLSv$version CN=Alice of EC? $none Alice of EC* ok" /named/lines \
        --versions $version --certificate "$certs/client-ec.p7b"
    client_case "a folder again and again, TLS $version" 'new resumed resumed ok' 'session result' \
        --versions $version --save "$work/saved" $alice -- ask:/named/lines body:0 again \
        ask:/named/lines body:0 again ask:/named/lines body:0 end
done

# ---- WinHTTP and WinINet of Wine 8.0 ----

# They use TLS 1.2, which they have of SCHANNEL_CRED, and give up where the server renegotiates,
# which SSPI tells them of; with Wine's own secur32, too.
client_user=
web_case 'nobody asks' '200 200 ' winhttp --path /page --requests 2
web_case 'nobody asks' '200 200 ' wininet --path /page --requests 2
web_case 'a certificate for a folder' 'error WinHttpReceiveResponse 12044 ' winhttp \
    --path /named/page --certificate "$certs/client.pfx"
web_case 'no certificate for a folder' 'error WinHttpReceiveResponse 12044 ' winhttp \
    --path /named/page
web_case 'no certificate for a folder' 'error HttpSendRequest 120* ' wininet --path /named/page
finish
