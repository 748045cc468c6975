#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# A web server of three worker processes that share nothing (tools/webworkers) authenticates curl,
# WinHTTP, WinINet and a client of our own, with NTLM and with Negotiate. Every leg of a handshake
# is another worker's, so that each half-open context travels in a sealed cookie.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_http_acceptor
# shellcheck source=tests/interop/web.sh
. "${SRCDIR:?names the source folder}/tests/interop/web.sh"
command -v curl >/dev/null || skip_all 'curl (Debian package curl)'
user=$domain\\alice
slashed=$domain/alice
# Letters of curl's NTLM stand for their bytes, so it has no passwords beyond ASCII.
password='Secret, with spaces'

add_account "$user" "$password"
start_workers
as() { printf '%s:%s' "$user" "$password"; }

# Without anything

is=$(curl_run "$at/")
expect 'a stranger is asked who he is' "$is$(sed -n 's/^WWW-Auth.*: //p' "$work/heads" |
    tr '\r\n' '  ')" '401 1 Negotiate  NTLM  ' "$work/heads" "$work/codes"

# curl's NTLM is curl's own. It asks for neither Unicode, signing, sealing nor 128 bits.

is=$(curl_run --ntlm -u "$(as)" -b '' "$at/")
expect 'curl, NTLM' "$is$(users)" "200 1 $slashed " "$work/codes" "$work/body" "$work/heads"
is=$(curl_run --ntlm -u "$user:wrong" -b '' "$at/")
expect 'curl, NTLM, wrong password' "$is$(users)" '401 1 ' "$work/codes" "$work/body"
is=$(curl_run --ntlm -u "$domain\\nobody:wrong" -b '' "$at/")
expect 'curl, NTLM, unknown user' "$is$(users)" '401 1 ' "$work/codes" "$work/body"
is=$(curl_run --ntlm -u "$(as)" "$at/")
expect 'curl, NTLM, without cookies' "$is$(users)" '40[01] 1 ' "$work/codes" "$work/body"
is=$(curl_run --ntlm -u "$(as)" -b '' "$at/1" "$at/2" "$at/3")
expect 'curl, NTLM, one connection' "$is$(users)" "200 1 200 0 200 0 $slashed $slashed $slashed " \
    "$work/codes" "$work/body"
# Other connections, the same cookies.
is=$(curl_run --ntlm -u "$(as)" -c "$work/jar" "$at/")
cp "$work/jar" "$work/used"
is=$is$(curl_run -b "$work/jar" -c "$work/jar" "$at/")
expect 'curl, a session on another connection' "$is$(users)" "200 1 200 1 $slashed " "$work/codes"
is=$(curl_run -b "$work/used" "$at/")
expect 'curl, a session that was used' "$is$(users)" '401 1 ' "$work/codes" "$work/body"
is=$(curl_run -b "$work/jar" "$at/")
expect 'curl, the session that took its place' "$is$(users)" "200 1 $slashed " "$work/codes"

head -c 150000 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$work/posted"
is=$(curl_run --ntlm -u "$(as)" -b '' --data-binary @"$work/posted" "$at/")
tail -n 1 "$work/body" | cmp -s - "$work/posted" && is="${is}the same"
expect 'curl, NTLM, a body of 300,000 bytes' "$is" '200 1 the same' "$work/codes" "$work/heads"

is=$(curl_run -H 'Expect: 100-continue' --data-binary @"$work/posted" "$at/")
statuses=$(sed -n 's/^HTTP.1.1 \([0-9]*\).*/\1/p' "$work/heads" | tr '\n' ' ')
expect 'curl, a body that waits to be let in' "$is$statuses" '401 1 100 401 ' "$work/codes" \
    "$work/heads"

# curl's Negotiate is MIT's SPNEGO, here with gss-ntlmssp inside.

if ! curl --version | grep -q SPNEGO; then
    skip_cases 4 'curl, Negotiate: a curl with SPNEGO (Debian package curl)'
elif ! find_gss_ntlmssp; then
    skip_cases 4 "curl, Negotiate: $no_gss_ntlmssp"
else
    set_gss_ntlmssp "${user#*\\}" "$password"
    is=$(curl_run --negotiate -u : -b '' "$at/")
    expect 'curl, Negotiate' "$is$(users)" "200 1 $slashed " "$work/codes" "$work/heads"
    is=$(curl_run --negotiate -u : -b '' "$at/1" "$at/2" "$at/3")
    expect 'curl, Negotiate, one connection' "$is$(users)" \
        "200 1 200 0 200 0 $slashed $slashed $slashed " "$work/codes" "$work/body"
    is=$(curl_run --negotiate -u : -b '' --data-binary @"$work/posted" "$at/")
    tail -n 1 "$work/body" | cmp -s - "$work/posted" && is="${is}the same"
    expect 'curl, Negotiate, a body' "$is" '200 1 the same' "$work/codes" "$work/heads"
    set_gss_ntlmssp "${user#*\\}" wrong
    is=$(curl_run --negotiate -u : -b '' "$at/")
    expect 'curl, Negotiate, wrong password' "$is$(users)" '401 1 ' "$work/codes"
fi

# Windows clients in this prefix

client_user=$user
three="200 $slashed 200 $slashed 200 $slashed"
for kind in sspi winhttp wininet; do
    for scheme in NTLM Negotiate; do
        done='' refused=''
        if [ $kind = sspi ]; then
            # A client of Negotiate is not done before the server says so.
            done='SEC_E_OK ' refused='SEC_E_OK '
            [ $scheme = NTLM ] || refused='SEC_I_CONTINUE_NEEDED '
        fi
        given=$password
        run_client $kind $scheme
        expect "$kind, $scheme" "$(client_verdict)" "${done}200 $slashed winesspi " "$work/client"
        run_client $kind $scheme --post 'some text' --requests 3
        expect "$kind, $scheme, three POST requests" \
            "$(grep -c '^some text' "$work/client") $(client_verdict)" \
            "3 $done$three winesspi " "$work/client"
        given=wrong
        run_client $kind $scheme
        expect "$kind, $scheme, wrong password" "$(client_verdict)" "${refused}401 winesspi " \
            "$work/client"
    done
done

# The user of the prefix, without an account: the local call of NTLM.
client_user=
for scheme in NTLM Negotiate; do
    run_client sspi $scheme
    expect "sspi, $scheme, default credentials" "$(client_verdict)" 'SEC_E_OK 200 *?/?* winesspi ' \
        "$work/client"
done

# The same process cannot have answered two legs of one handshake.
tr -d '\r' <"$work/server" | awk '/ is half open/ { half = $6 }
    / took a half-open context/ { if ($6 == half) same++; else other++; half = "" }
    END { printf "%s %d", other ? "some" : "none", same }' >"$work/legs"
expect 'each leg is another worker'\''s' "$(cat "$work/legs")" 'some 0' "$work/legs" "$work/server"

# Eight clients at once, each with cookies of its own, and only three workers.
clients=
for number in 1 2 3 4 5 6 7 8; do
    $limit curl -q -sS --noproxy '*' --ntlm -u "$(as)" -b '' "$at/$number" "$at/again" \
        >"$work/at-once.$number" 2>&1 3>&- &
    clients="$clients $!"
done
# shellcheck disable=SC2086 # process ids
wait $clients
is=$(cat "$work"/at-once.* | grep -cFx "user: $user")
expect 'curl, eight clients at once' "$is" 16 "$work"/at-once.*

stop_workers
expect 'the server and its workers end well' "$ended" 0 "$work/server"

# It has its own limits; this one is for what they do not reach.
timeout --foreground --kill-after=2 450 "$WINE" "$programs/webworkers.exe" demo \
    >"$work/demo" 2>&1
expect 'the demonstration, with what must be refused' "$?" 0 "$work/demo"
finish
