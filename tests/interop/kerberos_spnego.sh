#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Negotiate of this project with Kerberos inside against MIT's SPNEGO on loopback, and what becomes
# of it without a ticket: NTLM, by gss-ntlmssp.

name=interop_kerberos_spnego
# shellcheck source=tests/interop/pairs.sh
. "${SRCDIR:?names the source folder}/tests/interop/pairs.sh"
# shellcheck source=tests/interop/kerberos.sh
. "$SRCDIR/tests/interop/kerberos.sh"
peer=$BUILD/interop_gss_peer
rounds=20
few=6
[ -x "$peer" ] || skip_all "the GSS-API headers at build time (Debian package libkrb5-dev)"
find_gss_ntlmssp || skip_all "$no_gss_ntlmssp"
use_kdc
echo "gssntlmssp_v1 1.3.6.1.4.1.311.2.2.10 $mechanism" >"$work/mech"
printf '%s:%s:%s\n' $domain bob "$password" >"$work/users"
export GSS_MECH_CONFIG="$work/mech" NTLM_USER_FILE="$work/users" NETBIOS_DOMAIN_NAME=$domain
unset LM_COMPAT_LEVEL NTLMUSER
add_account "$domain\\bob" "$password"

ok="ok after $rounds rounds"
with="--package Negotiate --default --rounds $rounds --inside Kerberos"
for options in "" "--ask mutual"; do
    for moves in "" "--move"; do
        title="Kerberos ${options#--ask } ${moves:-in one process}"
        client_name=$principal
        check "client, $title" peer ours "$ok" "$ok" "$with" "$with $options $moves"
        client_name=$our_name
        check "server, $title" ours peer "$ok" "$ok" "$with $moves" "$with $options"
    done
done
# More is offered than what is used.
with="--package Negotiate --default --rounds $rounds --inside both"
client_name=$principal
check "client, Kerberos before NTLM" peer ours "$ok" "$ok" "$with" "$with --ask mutual --move"
client_name=$our_name
check "server, Kerberos before NTLM" ours peer "$ok" "$ok" "$with --move" "$with --ask mutual"
# A client of bare Kerberos is answered in kind.
bare="--package Kerberos --default --rounds $rounds"
for options in "" "--ask mutual" "--ask mutual,dce"; do
    check "server, bare Kerberos ${options#--ask }" ours peer "$ok" "$ok" "$with $options --move" \
        "$bare $options"
done

# Without a ticket, and with an account that no KDC knows of.
tickets=$KRB5CCNAME
KRB5CCNAME=FILE:$work/no-tickets
client_name='' client_user=$domain\\bob given=$password
with="--package Negotiate --rounds $rounds --inside both"
for moves in "" "--move" "--move-after-leg 1"; do
    check "client, NTLM instead, ${moves:-in one process}" peer ours "$ok" "$ok" "$with" \
        "$with $moves"
done
check "server, NTLM among both" ours peer "$ok" "$ok" "$with" "$with --inside NTLM"
given=wrong
check "client, NTLM instead, a wrong password" peer ours "accept GSS_S_*" "*" "$with" "$with"
given=$password
# A server that takes no NTLM.
check "client, NTLM instead is refused" peer ours "accept GSS_S_*" "*" "$with --inside Kerberos" \
    "$with"
KRB5CCNAME=$tickets

# A token changed on the way.
with="--package Negotiate --default --rounds $few --inside both --ask mutual"
tamper="$with --tamper token"
check "client, changed first token" peer ours "* GSS_S_*" "*" "$with" "$tamper"
check "server, changed first token" ours peer "accept SEC_E_*" "*" "$with" "$tamper"
check "client, changed answer" peer ours "*" "initiate SEC_E_*" "$tamper" "$with"
check "server, changed answer" ours peer "*" "initiate GSS_S_*" "$tamper" "$with"
finish
