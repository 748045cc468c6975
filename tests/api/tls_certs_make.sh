#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Makes tls_certs_data.c: the certificates of the TLS tests, which are good until the end of 2049,
# and their keys. They are made once and kept, so that a test needs no OpenSSL and runs on Windows.
#
#   sh tests/api/tls_certs_make.sh >tests/api/tls_certs_data.c
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

START=20200101000000Z
END=20491231235959Z

cat >conf <<CONF
[ca]
default_ca = root
[root]
database = index
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
serial = serial
unique_subject = no
default_md = sha256
default_crl_days = 8000
policy = any
copy_extensions = none
[intermediate]
database = index
new_certs_dir = .
certificate = intermediate.pem
private_key = intermediate.key
serial = serial
unique_subject = no
default_md = sha256
policy = any
[any]
organizationName = optional
commonName = supplied
[x_ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[x_server]
basicConstraints = CA:FALSE
keyUsage = digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost,DNS:*.wild.test,IP:127.0.0.1,IP:::1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[x_other]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
subjectAltName = DNS:other.test
[x_usage]
basicConstraints = CA:FALSE
extendedKeyUsage = codeSigning
subjectAltName = DNS:localhost
[x_zero]
basicConstraints = CA:FALSE
subjectAltName = DNS:localhost_.other.test
[x_plain]
basicConstraints = CA:FALSE
[x_client]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
extendedKeyUsage = clientAuth
CONF
: >index
echo 1000 >serial

rsa() { openssl genrsa -traditional -out "$1.key" "$2" 2>/dev/null; }
ec() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key" 2>/dev/null; }


# sign NAME EXTENSIONS [OPTION...]
sign() {
    name=$1 extensions=$2
    shift 2
    openssl ca -batch -notext -config conf -startdate "$START" -extensions "$extensions" \
        -in "$name.csr" -out "$name.pem" "$@" 2>/dev/null
}

rsa ca 2048
rsa intermediate 2048
rsa rsa 2048
rsa client 2048
rsa small 1024
ec ec

printf "[req]\ndistinguished_name = dn\n[dn]\n" >req
# NAME KEY SUBJECT
request() { openssl req -new -key "$2.key" -subj "$3" -config req -out "$1.csr"; }

request ca ca '/O=winesspi/CN=winesspi test root'
sign ca x_ca -enddate "$END" -selfsign -keyfile ca.key
request intermediate intermediate '/O=winesspi/CN=winesspi test intermediate'
sign intermediate x_ca -enddate "$END"

one() { # NAME KEY SUBJECT EXTENSIONS [OPTION...]
    name=$1 key=$2 subject=$3 extensions=$4
    shift 4
    request "$name" "$key" "$subject"
    sign "$name" "$extensions" "$@"
}

one server_rsa rsa /CN=localhost x_server -enddate "$END"
one server_ec ec /CN=localhost x_server -enddate "$END"
one server_chained rsa /CN=localhost x_server -enddate "$END" -name intermediate
one other_name rsa /CN=localhost x_other -enddate "$END"
one common_name rsa /CN=localhost x_plain -enddate "$END"
one expired rsa /CN=localhost x_server -enddate 20210101000000Z
one revoked rsa /CN=localhost x_server -enddate "$END"
one wrong_usage rsa /CN=localhost x_usage -enddate "$END"
one weak_hash rsa /CN=localhost x_server -enddate "$END" -md sha1
one weak_key small /CN=localhost x_server -enddate "$END"
one stranger rsa /CN=localhost x_server -enddate "$END" -selfsign -keyfile rsa.key
one zero_name rsa /CN=other.test x_zero -enddate "$END"
one zero_common rsa /CN=localhost_.other.test x_plain -enddate "$END"
one client_rsa client '/O=winesspi/CN=Alice' x_client -enddate "$END"
one client_ec ec '/O=winesspi/CN=Bob' x_client -enddate "$END"

# zero NAME: what is behind localhost is a zero, as no tool would write it; signed again. The
# signature is the end.
zero() {
    openssl x509 -in "$1.pem" -outform DER | LC_ALL=C sed 's/localhost_/localhost\x00/g' >zero.der
    openssl asn1parse -inform DER -in zero.der -strparse 4 -out zero.tbs -noout
    openssl dgst -sha256 -sign ca.key -out zero.sig zero.tbs
    { head -c -256 zero.der && cat zero.sig; } | openssl x509 -inform DER -out "$1.pem"
}
zero zero_name
zero zero_common

openssl ca -config conf -revoke revoked.pem 2>/dev/null
openssl ca -config conf -gencrl -crl_lastupdate "$START" -crl_nextupdate "$END" -out crl.pem \
    2>/dev/null

text() { # NAME FILE: DER as base64 in a string
    printf '\nconst char %s[] =\n' "$1"
    openssl base64 -in "$2" | sed 's/.*/    "&"/; $s/$/;/'
}

cat <<HEAD
/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Made by tls_certs_make.sh: certificates (DER), RSA keys (PRIVATEKEYBLOB) and an EC key
 * (BCRYPT_ECCPRIVATE_BLOB), all as base64. */
#include "tls_certs_data.h"
HEAD
for name in ca intermediate server_rsa server_ec server_chained other_name common_name expired \
    revoked wrong_usage weak_hash weak_key stranger zero_name zero_common client_rsa client_ec; do
    openssl x509 -in "$name.pem" -outform DER -out "$name.der"
    text "tls_data_$name" "$name.der"
done
openssl crl -in crl.pem -outform DER -out crl.der
text tls_data_crl crl.der
for name in rsa client small; do
    openssl rsa -in "$name.key" -outform MSBLOB -out "$name.blob" 2>/dev/null
    text "tls_data_key_$name" "$name.blob"
done
# RFC 5915: 30 77, version, OCTET STRING at 5; the public point is the end.
openssl ec -in ec.key -outform DER -out ec.der 2>/dev/null
{
    printf 'ECS2\040\000\000\000'
    tail -c 64 ec.der
    tail -c +8 ec.der | head -c 32
} >ec.blob
text tls_data_key_ec ec.blob
