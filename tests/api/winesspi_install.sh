#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# tools/winesspi on a prefix of its own, with a space in its path: install, upgrade, status, doctor,
# run, uninstall. Afterwards the prefix's files and registry must be as before. Environment: BUILD
# and SRCDIR, as tools/check sets them.

set -u
name=winesspi_install
: "${BUILD:?}" "${SRCDIR:?}"
winesspi=$SRCDIR/tools/winesspi
work=$(mktemp -d) || exit 1
export WINEPREFIX="$work/a prefix" WINESSPI_MODULES="$BUILD" WINEDEBUG=-all
unset WINEDLLOVERRIDES WINEDLLPATH WINEPATH WINEARCH DISPLAY
[ "${ARCH:=x86_64}" = x86_64 ] || export WINEARCH=win32
trap 'wineserver -k >/dev/null 2>&1; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
# shellcheck source=tests/include/cases.sh
. "$SRCDIR/tests/include/cases.sh"

refuses() { ! "$@"; }

overrides='HKCU\Software\Wine\DllOverrides'
lsa='HKLM\SYSTEM\CurrentControlSet\Control\Lsa'

# snapshot FOLDER: the files with their sizes and times, and the registry as its server writes it
# when it ends, without the times and without what Wine writes anew at each start.
snapshot() {
    mkdir -p "$1"
    wineserver -k
    wineserver -w
    (cd "$WINEPREFIX" && find . ! -type d ! -name '*.reg' ! -name .update-timestamp \
        ! -path './dosdevices/*' -printf '%p %l %s %T@\n' | sort) >"$1/files"
    (cd "$WINEPREFIX" && find . -type d | sort) >"$1/folders"
    for file in system.reg user.reg; do
        awk '/^\[/ { sub(/ [0-9]+$/, ""); key = $0; print; next }
            /^#time=/ || /^"DriverDateData"=/ || NF == 0 { next }
            key ~ /Control\\\\Class\\\\/ && /^@=/ { next }
            { print key, $0 }' "$WINEPREFIX/$file" | grep -v 'NetworkCards\]$' | sort >"$1/$file"
    done
}

same_as_before() { diff -r "$work/before" "$1"; }

WINEDLLOVERRIDES='mscoree,mshtml=' wine wineboot -i >/dev/null 2>&1
wineserver -w
wine reg add "$overrides" /v sspicli /d builtin /f >/dev/null 2>&1
snapshot "$work/before"

status_says() {
    "$winesspi" status >"$work/status"
    [ $? = "$1" ] && grep -q "$2" "$work/status"
}
registry_says() { wine reg query "$1" /v "$2" | tr -d '\r' | grep -q " $3\$"; }
packages_are() { registry_says "$lsa" 'Security Packages' "$1"; }
override_is() { registry_says "$overrides" "$1" "$2"; }
installed_file() { cmp "$BUILD/$1-windows/$3" "$WINEPREFIX/drive_c/windows/$2/$3"; }

ok status_before status_says 1 'winesspi is not installed'
ok uninstall_nothing refuses "$winesspi" uninstall
ok install "$winesspi" install
ok status_installed status_says 0 'winesspi is installed'
for dll in secur32 sspicli ssp_negotiate ssp_kerberos ssp_ntlm ssp_schannel ssp_winbind; do
    ok "file_$dll" installed_file "$ARCH" system32 "$dll.dll"
    if [ "$ARCH" = x86_64 ] && [ -f "$BUILD/i386-windows/$dll.dll" ]; then
        ok "file32_$dll" installed_file i386 syswow64 "$dll.dll"
    fi
done
ok override_secur32 override_is secur32 native,builtin
ok override_sspicli override_is sspicli native,builtin
ok packages packages_are 'ssp_negotiate\\0ssp_kerberos\\0ssp_ntlm\\0ssp_schannel\\0.*'
ok doctor "$winesspi" doctor
ok install_again "$winesspi" install
own='ssp_negotiate\\0ssp_kerberos\\0ssp_ntlm\\0ssp_schannel'
ok packages_once packages_are "$own"'\\0kerberos\\0schannel.*'

doctor_says() {
    "$winesspi" doctor >"$work/doctor"
    for line; do grep -q "$line" "$work/doctor" || { cat "$work/doctor"; return 1; }; done
}

# What doctor says of TLS where all is there, where GnuTLS cannot be loaded, and where the Unix half
# was not built.
# shellcheck disable=SC2317 # called by ok
doctor_without_gnutls() {
    export LD_LIBRARY_PATH="$work/broken${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
    doctor_says "^BAD   TLS: not in $width programs: .*libgnutls.*(Debian package libgnutls30"
}
# shellcheck disable=SC2317 # called by ok
doctor_without_half() {
    export WINESSPI_MODULES="$work/modules"
    doctor_says "^note  TLS: not in $width programs, $ARCH-unix/ssp_schannel.so was not built"
}
width=64-bit
[ "$ARCH" = x86_64 ] || width=32-bit
mkdir -p "$work/broken" "$work/modules"
: >"$work/broken/libgnutls.so.30"
ln -s "$BUILD"/*-windows "$work/modules/"
for folder in "$BUILD"/*-unix; do
    mkdir "$work/modules/$(basename "$folder")"
    for file in "$folder"/*.so; do
        case $file in
        *ssp_schannel.so) ;;
        *) ln -s "$file" "$work/modules/$(basename "$folder")/" ;;
        esac
    done
done
if [ -f "$BUILD/$ARCH-unix/ssp_schannel.so" ]; then
    ok doctor_tls doctor_says "^ok    TLS: $width programs have GnuTLS 3" \
        "^note  TLS: .* WINEDLLPATH=$BUILD"
    # The one that tools/check unpacks has places of its own, which come before the environment's.
    case $(command -v wine) in
    "$BUILD"/wine32/*)
        skipped=$((skipped + 1))
        echo 'skip doctor_no_gnutls: 32-bit Wine (Debian package wine32:i386)'
        ;;
    *) ok doctor_no_gnutls eval '(doctor_without_gnutls)' ;;
    esac
else
    skipped=$((skipped + 2))
    echo "skip doctor_tls: the Unix half for $ARCH (Debian: libgnutls28-dev)"
fi
ok doctor_no_half eval '(doctor_without_half)'

# What doctor says of Kerberos on a host that has all of it, and on one that has nothing.
if [ -f "$BUILD/$ARCH-unix/ssp_kerberos.so" ]; then
    cat >"$work/krb5.conf" <<END
[libdefaults]
 default_realm = DOCTOR.TEST
[realms]
 OTHER.TEST = {
 }
 DOCTOR.TEST = {
  kdc = 127.0.0.1:1
 }
END
    : >"$work/keytab"
    export KRB5_CONFIG="$work/krb5.conf" KRB5_KTNAME="FILE:$work/keytab"
    export KRB5CCNAME="FILE:$work/none"
    ok doctor_kerberos doctor_says '^ok    Kerberos: .*-bit programs have libgssapi' \
        '^ok    Kerberos: the realm is DOCTOR.TEST, with a KDC' '^note  Kerberos: .*kinit' \
        "^ok    Kerberos: servers have the keytab $work/keytab"
    sed -i 's/kdc =/admin_server =/' "$work/krb5.conf"
    ok doctor_no_kdc doctor_says '^note  Kerberos: the realm is DOCTOR.TEST; .* DNS'
    sed -i '/default_realm/d' "$work/krb5.conf"
    export KRB5_KTNAME="$work/none"
    ok doctor_no_realm doctor_says "^note  Kerberos: no realm: .*$work/krb5.conf" \
        "^note  Kerberos: no keytab $work/none"
    unset KRB5_KTNAME
else
    skipped=$((skipped + 3))
    echo "skip doctor_kerberos: the Unix half for $ARCH (Debian: libkrb5-dev)"
fi

ok handshake "$winesspi" run sspictl.exe handshake NTLM
ok handshake_negotiate "$winesspi" run sspictl.exe handshake Negotiate
ok run_by_bare_name "$winesspi" run sspictl.exe --help
exit_status_passes() { "$winesspi" run cmd /c 'exit 7'; [ $? = 7 ]; }
ok run_exit_status exit_status_passes
streams_pass() { echo 'echo one more' | "$winesspi" run cmd 2>/dev/null | grep -q 'one more'; }
ok run_streams streams_pass
ok uninstall "$winesspi" uninstall
snapshot "$work/after"
ok as_before same_as_before "$work/after"
ok status_after status_says 1 'winesspi is not installed'

# Accounts and private keys stay when asked for, and go otherwise.
account='HKLM\SOFTWARE\winesspi\Accounts'
own_keys='HKCU\Software\winesspi\Keys'
own_key=$(printf '%02000d' 7)
"$winesspi" install >/dev/null
set_value() { wine reg add "$@" /f /reg:64 >/dev/null 2>&1; }
set_value "$account" /v 'PC\Zoë' /t REG_BINARY /d 00112233445566778899aabbccddeeff
set_value 'HKLM\SOFTWARE\winesspi' /v Other /d x
set_value "$own_keys" /v winesspi-AB /t REG_BINARY /d "$own_key"
ok uninstall_keeping "$winesspi" uninstall --keep-accounts
has_value() { wine reg query "$1" /v "$2" /reg:64; }
ok account_stays has_value "$account" 'PC\Zoë'
key_is_whole() { has_value "$own_keys" winesspi-AB | grep -q "$own_key"; }
ok key_stays key_is_whole
ok rest_goes refuses has_value 'HKLM\SOFTWARE\winesspi' Other
"$winesspi" install >/dev/null
ok uninstall_all "$winesspi" uninstall
ok account_goes refuses has_value "$account" 'PC\Zoë'
ok key_goes refuses has_value "$own_keys" winesspi-AB

# What the user has changed after the installation is not undone.
"$winesspi" install >/dev/null
set_value "$overrides" /v secur32 /d native
set_value "$lsa" /v 'Security Packages' /t REG_MULTI_SZ \
    /d 'mine\0ssp_ntlm\0ssp_schannel\0ssp_negotiate\0kerberos'
ok uninstall_changed "$winesspi" uninstall
ok users_override override_is secur32 native
ok users_packages packages_are 'mine\\0kerberos.*'
# What was not there is not there again.
wine reg delete "$overrides" /f >/dev/null 2>&1
wine reg delete "$lsa" /v 'Security Packages' /f >/dev/null 2>&1
snapshot "$work/before"
"$winesspi" install >/dev/null
ok packages_alone packages_are 'ssp_negotiate\\0ssp_kerberos\\0ssp_ntlm\\0ssp_schannel.*'
ok uninstall_alone "$winesspi" uninstall
snapshot "$work/after"
ok as_before_alone same_as_before "$work/after"

# An installation that was killed can be undone, whenever that was: here, when it copies its Nth
# file, and after it has changed the registry.
mkdir "$work/bin"
cat >"$work/bin/cp" <<'EOF'
#!/bin/sh
echo >>"$CP_COUNT"
if [ "$(wc -l <"$CP_COUNT")" = "$CP_KILL" ]; then kill -KILL "$PPID"; exit 1; fi
exec /bin/cp "$@"
EOF
cat >"$work/bin/wine" <<'EOF'
#!/bin/sh
PATH=${PATH#*:}
wine "$@"
status=$?
if [ "$CP_KILL" = registry ] && [ "$2" = import ]; then kill -KILL "$PPID"; fi
exit $status
EOF
chmod +x "$work/bin/cp" "$work/bin/wine"
killed_at() {
    : >"$work/count"
    PATH="$work/bin:$PATH" CP_COUNT="$work/count" CP_KILL=$1 "$winesspi" install
    [ $? = 137 ] || return 1
    if [ -d "$WINEPREFIX/winesspi-backup" ]; then "$winesspi" uninstall || return 1; fi
    rm -rf "$WINEPREFIX"/winesspi-??????
    snapshot "$work/after"
    same_as_before "$work/after"
}
for step in 1 2 3 4 5 8 registry; do ok "killed_at_$step" killed_at $step; done

ok unknown_command refuses "$winesspi" frobnicate
ok unknown_argument refuses "$winesspi" install --now
no_prefix() { WINEPREFIX="$work/none" "$winesspi" install; }
ok no_prefix refuses no_prefix
for command in '' install uninstall status doctor run; do
    # shellcheck disable=SC2086 # no argument at all, the first time
    ok "help_$command" "$winesspi" $command --help
done

finish
