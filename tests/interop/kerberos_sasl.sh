#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The Sasl functions with Kerberos against Cyrus SASL on loopback: its mechanisms GSSAPI (RFC 4752)
# and GSS-SPNEGO with MIT's library, as client and as server, without a security layer, with
# integrity and with privacy.

name=interop_kerberos_sasl
# shellcheck source=tests/interop/pairs.sh
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
# shellcheck source=tests/interop/kerberos.sh
. "$SRCDIR/tests/interop/kerberos.sh"
rounds=40
few=6
use_cyrus GSSAPI
use_kdc

ok="ok after $rounds rounds"
closed="connection closed"
# as MECHANISM PACKAGE LAYER OPTIONS: the options of both ends.
as() {
    at_peer="--package $1 --layer $3 --default $4"
    at_ours="--package $2 --layer $3 --default $4"
}
# A server of Cyrus says the name without the realm that is its own.
for mechanism in GSSAPI GSS-SPNEGO; do
    package=Kerberos
    [ $mechanism = GSSAPI ] || package=Negotiate
    for layer in privacy integrity none; do
        as $mechanism $package $layer "--rounds $rounds"
        client_name=alice
        check "$mechanism, client, $layer" peer ours "$ok" "$ok" "$at_peer" "$at_ours"
        client_name=$our_name
        check "$mechanism, server, $layer" ours peer "$ok" "$ok" "$at_ours" "$at_peer"
    done
done

# Who wants more than the other end has.
with="--default --rounds $few"
check "the server wants more" peer ours "*" "initiate SEC_E_QOP_NOT_SUPPORTED" \
    "--package GSSAPI --layer privacy $with" "--package Kerberos --layer none $with"
check "the client wants more" peer ours "*" "initiate SEC_E_QOP_NOT_SUPPORTED" \
    "--package GSSAPI --layer none $with" "--package Kerberos --layer privacy $with"

tickets=$KRB5CCNAME
KRB5CCNAME=FILE:$work/no-tickets
as GSSAPI Kerberos privacy "--rounds $few"
check "client without a ticket" peer ours "*" "initiate SEC_E_NO_CREDENTIALS" "$at_peer" "$at_ours"
KRB5CCNAME=$tickets

# The last message changed on the way.
for layer in privacy integrity; do
    as GSSAPI Kerberos $layer "--rounds $few"
    for what in ciphertext replay; do
        with="--tamper $what"
        altered=SEC_E_MESSAGE_ALTERED at_other="unseal SASL_*"
        # Cyrus opens what MIT's library says is old.
        [ $what = replay ] && altered=SEC_E_OUT_OF_SEQUENCE at_other="unseal *"
        check "client sends changed $what, $layer" peer ours "$at_other" "$closed" \
            "$at_peer" "$at_ours $with"
        check "client gets changed $what, $layer" peer ours "*" "unseal $altered" \
            "$at_peer $with" "$at_ours"
        check "server sends changed $what, $layer" ours peer "*" "$at_other" \
            "$at_ours $with" "$at_peer"
        check "server gets changed $what, $layer" ours peer "unseal $altered" \
            "$closed" "$at_ours" "$at_peer $with"
    done
done
finish
