#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Wine's own tests of secur32, and those of other modules that call it and need nobody else, as they
# stand in the source of the Wine that is installed, compiled against tests/include/wine/test.h and
# run on Wine's own modules and on ours. The source is Debian's and is fetched once (25 MB); where
# it cannot be had this is skipped. A test passes when nothing fails on ours and no more is left out
# than is said below: a statement that Wine marks as todo and that holds on ours is no failure.
#
# Wine's kerberos.dll is among our packages meanwhile, since the tests take it that there is one.
# The test of Schannel talks to test.winehq.org: local_server.h leads it to OpenSSL's s_server,
# which has what the test says of that server; and TLS 1.0, the only version that the test asks for,
# is enabled for clients. Not here: tests of WinHTTP and WinINet, which talk to many servers, that
# of schannel.dll, which is none of our modules, and those of RPC that need more of Wine's source.
# Environment: BUILD, SRCDIR and WINEPREFIX, as tools/check sets them, with our modules installed.

set -u
: "${BUILD:?}" "${SRCDIR:?}" "${WINEPREFIX:?}"
folder=$BUILD/wine-tests
tarball=wine_8.0~repack.orig.tar.xz
address=http://deb.debian.org/debian/pool/main/w/wine/$tarball
checksum=537c6889647a528ee9092b109e65b0fde288ba55d535044907cf168ca6f6e745
source=$folder/wine-8.0/dlls
modules='secur32 rpcrt4 adsldp'
local_server=$SRCDIR/tests/conformance/local_server.h
lsa='HKLM\System\CurrentControlSet\Control\Lsa'
tls='HKLM\System\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.0\Client'
passed=0
failed=0
skipped=0

end() {
    printf 'wine_tests: %d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" = 0 ]
    exit
}

skip() {
    printf 'skip wine_tests: %s\n' "$1"
    skipped=$((skipped + 1))
}

# The source in the wanted version; fails, having said why.
fetch() {
    # shellcheck disable=SC2086 # names of modules
    wanted=$(printf 'wine-8.0/dlls/%s/tests ' $modules)
    # shellcheck disable=SC2086 # names of folders
    if (cd "$folder" && ls -d $wanted) >/dev/null 2>&1; then return 0; fi
    if ! command -v curl >/dev/null; then
        skip 'curl (Debian package curl)'
    elif ! curl -sS -f -m 300 -o "$folder/$tarball" "$address"; then
        skip 'the source of Wine (no network?)'
    elif ! echo "$checksum  $folder/$tarball" | sha256sum -c - >/dev/null; then
        skip "another $tarball"
    elif ! tar -xf "$folder/$tarball" -C "$folder" $wanted; then
        skip 'tar with xz'
    else
        rm -f "$folder/$tarball"
        return 0
    fi
    return 1
}

# summary TEST LOG: what the test has counted. Failures of statements that are todo, which hold,
# are counted apart.
summary() {
    tr -d '\r' <"$2" | awk -v test="$1:" '
        $1 == test && /known not to hold/ { todo = $2; held = $7 }
        $1 == test && / passed, / {
            printf "%d passed, %d failed, %d skipped; %d of %d todo hold\n",
                $2, $4 - held, $6, held, todo
        }'
}

# run TEST SIDE OVERRIDES: what fails goes to TEST-SIDE.failures, all output to TEST-SIDE.log. A
# program that does not get to its end fails with that.
run() {
    out=$folder/$1-$2
    WINEDLLOVERRIDES=$3 timeout 120 wine "$folder/$1.exe" >"$out.log" 2>/dev/null 3>&-
    tr -d '\r' <"$out.log" |
        awk '/^  todo succeeded/ { getline; next } /^  /' >"$out.failures"
    counted=$(summary "$1" "$out.log")
    [ "$counted" ] || printf '  the program did not come to its end\n' >>"$out.failures"
    printf '     %-10s %-8s %s\n' "$1" "$2" "$counted"
}

# use_packages MODULE...: for programs that start from now on.
use_packages() {
    list=$(printf '%s\\0' "$@")
    wine reg add "$lsa" /f /v 'Security Packages' /t REG_MULTI_SZ /d "${list%??}" >/dev/null 2>&1
}

# one MODULE TEST SKIPS ARGUMENT...: what the test leaves out on ours is SKIPS things. The arguments
# are for the compiler.
one() {
    code=$source/$1/tests/$2.c
    test=$2
    skips=$3
    shift 3
    if ! x86_64-w64-mingw32-gcc -O1 -w -D_WIN32_WINNT=0x0A00 -DSECURITY_WIN32 \
        -I"$SRCDIR/tests/include" -o "$folder/$test.exe" "$code" "$@" \
        -lsecur32 -ladvapi32 -lntdll; then
        printf 'FAIL %s: does not compile\n' "$test"
        failed=$((failed + 1))
        return
    fi
    run "$test" builtin 'secur32,sspicli=b'
    run "$test" ours ''
    if [ "$(grep -c '^skip ' "$folder/$test-ours.log")" != "$skips" ]; then
        sed -n 's/^skip /  left out: /p' "$folder/$test-ours.log" >>"$folder/$test-ours.failures"
        printf '  %s things should be left out\n' "$skips" >>"$folder/$test-ours.failures"
    fi
    if [ -s "$folder/$test-ours.failures" ]; then
        printf 'FAIL %s\n' "$test"
        cat "$folder/$test-ours.failures"
        failed=$((failed + 1))
    else
        printf 'ok   %s\n' "$test"
        passed=$((passed + 1))
    fi
}

# ---- the server of the test of Schannel ----

# certificate NAME ISSUER SUBJECT: NAME.pem and NAME.key.
certificate() {
    certificate=$1
    subject=$3
    if [ "$1" = "$2" ]; then set --; else set -- -CA "$2.pem" -CAkey "$2.key"; fi
    openssl genpkey -quiet -algorithm RSA -out "$certificate.key" &&
        openssl req -x509 -key "$certificate.key" -out "$certificate.pem" -days 2 \
            -subj "/CN=$subject" "$@"
}

# The certificate that the test shows, which has expired, is the only one that the server believes.
certificates() {
    certificate root root 'winesspi test root' &&
        certificate issuer root 'winesspi test issuer' &&
        certificate server issuer test.winehq.org &&
        cat issuer.pem root.pem >chain.pem &&
        perl -0777 -ne 'print pack "C*", map hex, / pfxdata.*?\{(.*?)\}/s && $1 =~ /0x(..)/g' \
            "$source/secur32/tests/schannel.c" >client.pfx &&
        openssl pkcs12 -legacy -in client.pfx -passin pass: -nokeys -out client.pem
}

# Starts a server for the test: TLS 1.0 with the suite that Windows chooses, three certificates, no
# extension that Windows does not have. Who asks for a page is asked for a certificate in another
# handshake, which s_server does when it reads an R. Its port is in WINE_TESTS_PORT.
serve() {
    rm -f commands server.log
    mkfifo commands || return
    openssl s_server -accept 127.0.0.1:0 -tls1 -cipher ECDHE-RSA-AES256-SHA:@SECLEVEL=0 -no_etm \
        -alpn http/1.1 -cert server.pem -key server.key -cert_chain chain.pem \
        -CAfile client.pem -partial_chain -verify_return_error <commands >server.log 2>&1 &
    server=$!
    exec 3>commands
    tries=0
    while ! grep -q '^ACCEPT ' server.log && [ $tries -lt 600 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    WINE_TESTS_PORT=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' server.log)
    export WINE_TESTS_PORT
    ask_for_certificates &
    asker=$!
    [ "$WINE_TESTS_PORT" ]
}

# Once for each page, one after the other: s_server reads what has come as one command.
ask_for_certificates() {
    asked=0
    while sleep 0.05; do
        [ "$(grep -c '^GET ' server.log)" -gt $asked ] || continue
        echo R >&3
        asked=$((asked + 1))
    done
}

server=
asker=
# shellcheck disable=SC2086 # one number, or none
end_server() {
    exec 3>&-
    for one in $asker $server; do
        kill "$one" 2>/dev/null
        wait "$one" 2>/dev/null
    done
    server=
    asker=
}

schannel() {
    command -v openssl >/dev/null || {
        skip 'openssl (Debian package openssl)'
        return
    }
    mkdir -p "$folder/server"
    cd "$folder/server" || exit 1
    if ! certificates >made.log 2>&1 || ! serve >>made.log 2>&1; then
        printf 'FAIL schannel: the server does not start\n'
        cat made.log server.log
        failed=$((failed + 1))
        return
    fi
    wine reg add "$tls" /f /v Enabled /t REG_DWORD /d 1 >/dev/null 2>&1 3>&-
    wine reg add "$tls" /f /v DisabledByDefault /t REG_DWORD /d 0 >/dev/null 2>&1 3>&-
    one secur32 schannel 0 -include "$local_server" -lcrypt32 -lws2_32
    end_server
}

# ---- all of them ----

# shellcheck disable=SC2317 # called by the trap
clean_up() {
    end_server
    wine reg delete "${tls%?Client}" /f >/dev/null 2>&1
    use_packages ssp_negotiate ssp_kerberos ssp_ntlm ssp_schannel
}

mkdir -p "$folder" || exit 1
case $(wine --version) in
wine-8.0*) ;;
*)
    skip 'Wine 8.0'
    end
    ;;
esac
fetch || end
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
use_packages ssp_negotiate ssp_ntlm ssp_schannel kerberos || {
    skip 'a list of packages that can be set'
    end
}
one secur32 main 0
# Nobody knows the user whom the test makes up: what comes after the handshake is left out.
one secur32 negotiate 1
one secur32 ntlm 0
one secur32 secur32 0
schannel
one rpcrt4 rpc 0 -include "$local_server" -lrpcrt4 -lole32 -loleaut32 -luuid -lws2_32
# The computer is in no domain.
one adsldp sysinfo 1 -lole32 -loleaut32 -luuid -ladsiid
end
