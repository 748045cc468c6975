#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# What "tools/demo tls" shows: a server whose worker is replaced every second, while curl downloads
# and uploads and openssl s_client asks again and again.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_tls_demo
# shellcheck source=tests/interop/tls.sh
. "${SRCDIR:?names the source folder}/tests/interop/tls.sh"

command -v curl >/dev/null || skip_all 'curl (Debian package curl)'

# What the demonstration takes of tools/lib.sh.
build=$BUILD
program=$programs/tlsworkers.exe
step() { echo "$*"; }
die() {
    echo "$*"
    exit 1
}
wine() { command "$WINE" "$@"; }
# shellcheck source=tools/tlsworkers/show.sh
. "$SRCDIR/tools/tlsworkers/show.sh"
tls=$work/demo
tls_file_size=64M

# The certificate of the demonstration leaves the user's store with the script.
# shellcheck disable=SC2317 # called by the trap
end_all() {
    thumbprint_of_demo=$(openssl x509 -in "$tls/certificate.pem" -noout -fingerprint -sha1 |
        tr -d ':' | sed 's/.*=//')
    $limit "$WINE" reg delete "${roots%Root*}MY\\Certificates\\$thumbprint_of_demo" /f \
        >/dev/null 2>&1 </dev/null
    tls_clean_up
}
trap end_all EXIT

unset OPENSSL_CONF
(
    tls_demonstrate
    exit "$status"
) >"$work/demonstrated" 2>&1
ended=$?
sed 's/^/  /' "$work/demonstrated"
verdicts() { grep -c " $1\$" "$work/demonstrated"; }
expect 'the demonstration: what was shown' "$(verdicts ok)" 10 "$tls/server.log"
expect 'the demonstration: what has failed' "$(verdicts FAILED) $ended" '0 0' "$tls/server.log"
finish
