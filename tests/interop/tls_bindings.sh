#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# NTLM and Negotiate inside TLS, bound to it by what Schannel says of the connection at either end:
# straight, through somebody in the middle who ends TLS with a certificate of his own, and over a
# connection that has moved.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_tls_bindings
# shellcheck source=tests/interop/tls.sh
. "${SRCDIR:?names the source folder}/tests/interop/tls.sh"

user=$domain\\alice
add_account "$user" 'Secret, with spaces'
printf '%s\n' "$user" 'Secret, with spaces' >"$work/login"

middle=
# shellcheck disable=SC2317 # called by the trap
end_all() {
    end_middle
    tls_clean_up
}
trap end_all EXIT
end_middle() {
    for one in $middle; do
        kill "$one" 2>/dev/null
        wait "$one" 2>/dev/null
    done
    middle=
}

# stand_in_the_middle: of what goes to $port, which is his afterwards. He has a certificate that the
# client trusts, and reads and writes everything in clear.
stand_in_the_middle() {
    rm -f "$work/there" "$work/back"
    mkfifo "$work/there" "$work/back" || exit 1
    openssl s_client -quiet -connect "localhost:$port" -4 <>"$work/there" >"$work/back" \
        2>"$work/middle.client" &
    middle=$!
    port=$(free_port)
    openssl s_server -quiet -accept "127.0.0.1:$port" -cert "$certs/p256.pem" \
        -key "$certs/p256.key" <>"$work/back" >"$work/there" 2>"$work/middle.server" &
    middle="$middle $!"
    wait_listening "${middle#* }" "$port"
}

# A backslash means something in patterns.
slashes() { tr '\\' '/'; }

# login_case CASE CLIENT SERVER VERSION EXPECTED: what client and server say.
login_case() {
    login_title=$1 login_client=$2 login_server=$3 login_version=$4 login_expected=$5
    start_ours --versions "$login_version" --certificate "$certs/rsa.pfx" \
        -- "login:$login_server" close
    [ ! "$through" ] || stand_in_the_middle
    run_ours --versions "$login_version" --login "$work/login" -- "login:$login_client" close
    end_middle
    end_ours
    expect "$login_title, TLS $login_version: $login_client to $login_server" \
        "$(lines_of "$work/client" login), $(lines_of "$work/server" login | slashes)" \
        "$login_expected" "$work/client" "$work/server" "$work"/middle.*
}

slashed=$domain/alice
refused='SEC_E_LOGON_DENIED, SEC_E_BAD_BINDINGS'
for package in NTLM Negotiate; do
    through=
    for version in 1.2 1.3; do
        login_case 'straight' $package+endpoint $package+endpoint $version "*alice, $slashed"
    done
    login_case 'straight' $package+unique $package+unique 1.2 "*alice, $slashed"
    login_case 'not what is wanted' $package+unique $package+endpoint 1.2 "$refused"
    login_case 'nothing where something is wanted' $package+none $package+endpoint 1.3 "$refused"
    login_case 'something where nothing is wanted' $package+endpoint $package+none 1.3 \
        "*alice, $slashed"
    through=yes
    for version in 1.2 1.3; do
        login_case 'with a man in the middle' $package+endpoint $package+endpoint $version \
            "$refused"
    done
    login_case 'with a man in the middle' $package+unique $package+unique 1.2 "$refused"
    # Which is what the bindings are for.
    login_case 'with a man in the middle' $package+none $package+none 1.3 "*alice, $slashed"
done

start_ours --certificate "$certs/rsa.pfx" -- say:ready move hear:go login:NTLM+endpoint close
run_ours --login "$work/login" -- hear:ready say:go login:NTLM+endpoint close
end_ours
expect 'a server that has moved' \
    "$(lines_of "$work/client" login), $(lines_of "$work/server" login successor | slashes)" \
    "*alice, $slashed ok" "$work/client" "$work/server"
finish
