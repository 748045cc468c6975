#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The web over TLS: nginx with TLS 1.2 and 1.3 and with certificates of its clients, asked by
# interop_tls, by WinHTTP and by WinINet, which use Schannel by themselves; and our server asked by
# curl.
# Environment: BUILD (build folder), SRCDIR (source folder), WINEPREFIX (with the modules
# installed).

name=interop_tls_web
# shellcheck source=tests/interop/tls.sh
. "${SRCDIR:?names the source folder}/tests/interop/tls.sh"

[ -x /usr/sbin/nginx ] || skip_all 'the web server nginx (Debian package nginx-light)'

said='[$ssl_client_verify $ssl_client_s_dn]'

# server_block PORT NAME CERTIFICATE DIRECTIVE: of the configuration.
server_block() {
    cat <<END
    server {
        listen 127.0.0.1:$1 ssl;
        server_name $2;
        ssl_certificate $certs/$3.chain.pem;
        ssl_certificate_key $certs/$(key_of "$3").key;
        $4
        root $work/www;
        location /who {
            return 200 "\$ssl_protocol \$ssl_cipher \$ssl_session_reused \$ssl_server_name $said";
        }
    }
END
}

write_configuration() {
    read -r plain_port old_port asking_port wanting_port bad_port other_port expired_port <<END
$(free_port tcp 7)
END
    {
        echo "user $(id -un); pid $work/nginx.pid; error_log $work/error.log; daemon off;"
        echo 'worker_processes 2; events {}'
        echo "http { access_log off; default_type text/plain;"
        for kind in client_body proxy fastcgi uwsgi scgi; do
            echo "    ${kind}_temp_path $work/$kind;"
        done
        echo '    ssl_session_cache shared:sessions:1m; ssl_protocols TLSv1.2 TLSv1.3;'
        server_block "$plain_port" localhost rsa ''
        server_block "$plain_port" other.test other ''
        server_block "$old_port" localhost below 'ssl_protocols TLSv1.2;'
        server_block "$asking_port" localhost p256 \
            "ssl_verify_client optional; ssl_client_certificate $certs/ca.pem;"
        server_block "$wanting_port" localhost p256 \
            "ssl_verify_client on; ssl_verify_depth 3; ssl_client_certificate $certs/ca.pem;"
        server_block "$bad_port" localhost unknown ''
        server_block "$other_port" localhost other ''
        server_block "$expired_port" localhost expired ''
        echo '}'
    } >"$work/nginx.conf"
}

# It makes the file once it has all ports. One that finds a port taken ends at once.
nginx_serves() { has_ended "$peer_pid" || [ -s "$work/nginx.pid" ]; }
start_nginx() {
    write_configuration
    rm -f "$work/nginx.pid"
    start_peer /usr/sbin/nginx -p "$work" -c "$work/nginx.conf"
    wait_until nginx_serves
    ! has_ended "$peer_pid" && [ -s "$work/nginx.pid" ] && return
    end_peer
    return 1
}

mkdir "$work/www"
numbered_lines 200000 >"$work/www/lines"
thrice start_nginx || {
    fail_case 'nginx starts' "$work/peer" "$work/error.log"
    finish
}

# ---- interop_tls ----

# who CASE PATTERN ARGUMENT...: what nginx says of us.
who() {
    who_title=$1 who_pattern=$2
    shift 2
    rm -f "$work/saved"
    run_ours --save "$work/saved" "$@" -- ask:/who body:0 end
    expect "$who_title" "$(sed '1,/^.$/d' "$work/saved" 2>/dev/null) $(lines_of "$work/client" \
        result)" "$who_pattern" "$work/client" "$work/error.log"
}

port=$plain_port
who 'TLS 1.3' 'TLSv1.3 TLS_AES_256_GCM_SHA384 . localhost ?NONE ? ok'
who 'TLS 1.2' 'TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384 . localhost ?NONE ? ok' --versions 1.2
who 'another name' 'TLSv1.3 * other.test ?NONE ? ok' --name other.test
port=$old_port
who 'a server without 1.3' 'TLSv1.2 ECDHE-ECDSA-* . localhost ?NONE ? ok'
port=$asking_port
who 'a certificate may be shown' 'TLSv1.3 * localhost ?SUCCESS CN=Alice of RSA? ok' \
    --certificate "$certs/client.pfx"
who 'a certificate may be shown, TLS 1.2' 'TLSv1.2 * localhost ?SUCCESS CN=Alice of RSA? ok' \
    --certificate "$certs/client.pfx" --versions 1.2
who 'a certificate that is not shown' 'TLSv1.3 * localhost ?NONE ? ok'
port=$wanting_port
who 'a certificate must be shown' 'TLSv1.3 * localhost ?SUCCESS CN=Alice of EC? ok' \
    --later "$certs/client-ec.p7b"
who 'a certificate must be shown, TLS 1.2' 'TLSv1.2 * localhost ?SUCCESS CN=Alice below? ok' \
    --later "$certs/client-below.pfx" --versions 1.2
who 'a certificate of a stranger' '*400 Bad Request* ok' --certificate "$certs/unknown.p7b"

# nginx keeps sessions of TLS 1.2 and takes its tickets of 1.3 back.
port=$plain_port
for version in 1.2 1.3; do
    rm -f "$work/saved"
    client_case "nginx resumes, TLS $version" 'new resumed ok' 'session result' \
        --versions $version --save "$work/saved" -- ask:/who body:0 end again ask:/who body:0 end
    expect "nginx says so, TLS $version" "$(grep -c " r localhost" "$work/saved")" 1 "$work/saved"
    rm -f "$work/saved"
    client_case "a file in three processes, TLS $version" 'ok ok ok' 'successor result' \
        --versions $version --save "$work/saved" \
        -- ask:/lines body:1000001 move body:1000001 move body:0 end
    sed '1,/^.$/d' "$work/saved" | cmp -s - "$work/www/lines"
    expect "a file in three processes, TLS $version: is the file" $? 0 "$work/client"
done

# ---- WinHTTP and WinINet ----

client_user=
web_lines="$web_lines; s/^body: //p"
for kind in winhttp wininet; do
    port=$plain_port
    web_case 'TLS' '200 TLSv1.[23] * localhost ?NONE ? ' $kind --path /who
    web_case 'TLS, three requests' '200 TLSv1* 200 TLSv1* 200 TLSv1* ' $kind --path /who \
        --requests 3
    web_case 'TLS, a body' '200 TLSv1*' $kind --path /who --post text
    port=$asking_port
    web_case 'a certificate that is not shown' '200 TLSv1* localhost ?NONE ? ' $kind --path /who
    port=$wanting_port
    web_case 'a certificate that is wanted in vain' '400 *' $kind --path /who
    # Only the flag for what is wrong lets the certificate pass.
    for refusal in $bad_port:issuer:name $other_port:name:date $expired_port:date:issuer; do
        port=${refusal%%:*}
        wrong=${refusal#*:}
        web_case "a wrong ${wrong%:*}" 'error * 12[01][0-9][0-9] ' $kind --path /who
        web_case "a wrong ${wrong%:*}, something else ignored" 'error * 12[01][0-9][0-9] ' $kind \
            --path /who --ignore "${wrong#*:}"
        web_case "a wrong ${wrong%:*} that does not matter" '200 TLSv1* ' $kind --path /who \
            --ignore "${wrong%:*}"
    done
done
# Wine's WinINet takes no certificate from its program.
for port in $asking_port $wanting_port; do
    web_case 'a certificate that is shown' '200 TLSv1* localhost ?SUCCESS CN=Alice of RSA? ' \
        winhttp --path /who --certificate "$certs/client.pfx"
done
end_peer

# ---- curl ----

if command -v curl >/dev/null; then
    start_ours --certificate "$certs/rsa.pfx" --alpn http/1.1 --connections 4 -- http
    # curl_case CASE OPTION...
    curl_case() {
        curl_title=$1
        shift
        $limit curl -q -sS --noproxy '*' -4 --cacert "$certs/ca.pem" "$@" \
            "https://localhost:$port/1000" "https://localhost:$port/5000" >"$work/curl" 2>&1
        { numbered_lines 1000; numbered_lines 5000; } | cmp -s - "$work/curl"
        expect "curl, $curl_title" $? 0 "$work/server"
    }
    curl_case 'TLS 1.3' --tlsv1.3
    curl_case 'TLS 1.2' --tls-max 1.2
    curl_case 'by default'
    curl_case 'without ALPN' --no-alpn
    end_ours
    expect 'curl ends well' "$(lines_of "$work/server" result)" 'ok ok ok ok' "$work/server"
else
    skip_cases 5 'curl (Debian package curl)'
fi
finish
