# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables that are set or used by the script that sources this
#
# Set-up that tools/check, tools/demo and tools/bench share: packages, build, private prefixes.
# The caller sets $name (its own name, for messages) and $source_dir, then sources this file.

# A Wine without preloader, as Debian's is, needs one fixed address that nothing reserves for it:
# where addresses are random, one start in some thousands ends at once with status 1 because
# something is there already. So the command starts itself again with addresses that are not.
if [ -z "${WINESSPI_FIXED_ADDRESSES:-}" ] && setarch -R true 2>/dev/null; then
    export WINESSPI_FIXED_ADDRESSES=1
    exec setarch -R "$0" "$@"
fi

build=$source_dir/build
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)

build_packages='autoconf automake make gcc libc6-dev pkg-config
    gcc-mingw-w64-x86-64-win32 gcc-mingw-w64-i686-win32
    libgcrypt-mingw-w64-dev libgpg-error-mingw-w64-dev
    wine wine64 wine64-tools libgcrypt20-dev libgpg-error-dev libwbclient-dev
    libgnutls28-dev libkrb5-dev'

step() { printf '%s: %s\n' "$name" "$*"; }
die() { printf '%s: %s\n' "$name" "$*" >&2; exit 1; }

# missing_packages PACKAGE...: those that are not installed.
missing_packages() {
    for package; do
        case $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) in
        installed) ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

# need_packages PACKAGE...: installs what is missing, as root or through sudo. On a machine
# without apt-get, configure says what it does not find.
need_packages() {
    command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || return 0
    missing=$(missing_packages "$@")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        as_root=sudo
    else
        die "these packages are missing, and only root can install them:
  apt-get install --no-install-recommends $missing"
    fi
    step "installing packages: $missing"
    $as_root apt-get -q update || step 'apt-get update failed; trying with the lists that are there'
    # shellcheck disable=SC2086 # the words are package names
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends \
        $missing || die "the packages could not be installed: $missing"
}

# run_quietly WHAT LOG COMMAND...: shows the output only when the command fails.
run_quietly() {
    what=$1
    log=$2
    shift 2
    step "$what"
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        die "failed: $what (the output is above and in $log)"
    fi
}

# configure_build FOLDER ARGUMENT...: configures FOLDER if that has not been done with these
# arguments; objects made with others are thrown away.
configure_build() {
    folder=$1
    shift
    [ ! -f "$source_dir/config.status" ] ||
        die "$source_dir was configured for building in the source folder; run make distclean there"
    mkdir -p "$folder" || die "cannot make $folder"
    if [ ! -x "$source_dir/configure" ] || [ ! -f "$source_dir/Makefile.in" ]; then
        run_quietly 'making configure' "$folder/autoreconf.log" autoreconf -i "$source_dir"
    fi
    arguments="$*"
    if [ -f "$folder/Makefile" ]; then
        [ "$(cat "$folder/configured-with" 2>/dev/null)" != "$arguments" ] || return 0
    fi
    run_quietly "configuring $folder" "$folder/configure.log" \
        env -C "$folder" "$source_dir/configure" "$@"
    if [ -f "$folder/configured-with" ]; then make -C "$folder" clean >/dev/null 2>&1; fi
    printf '%s\n' "$arguments" >"$folder/configured-with"
}

# make_build FOLDER TARGET...
make_build() {
    folder=$1
    shift
    step "building in $folder (output in $folder/make.log)"
    if ! make -C "$folder" -j"$jobs" "$@" >"$folder/make.log" 2>&1; then
        cat "$folder/make.log" >&2
        die "the build failed (the output is above and in $folder/make.log)"
    fi
}

# Prefixes. Programs in them see neither a display nor Wine settings of the user, and Wine's
# kerberos.dll asks no name server for the realm of every account that there is.

clean_environment() {
    unset DISPLAY WAYLAND_DISPLAY WINEARCH WINEDLLPATH WINEDLLOVERRIDES WINEPATH WINESERVER WINE
    unset WINESSPI_MODULES
    mkdir -p "$build" || die "cannot make $build"
    printf '[libdefaults]\n dns_lookup_kdc = false\n dns_lookup_realm = false\n' >"$build/krb5.conf"
    export KRB5_CONFIG="$build/krb5.conf" KRB5CCNAME="FILE:$build/no-tickets"
    export WINEDEBUG="${WINEDEBUG--all}"
}

prefixes=
end_prefixes() {
    printf '%s' "$prefixes" | while IFS= read -r one; do
        WINEPREFIX=$one wineserver -k >/dev/null 2>&1
    done
}

# make_prefix FOLDER: a new prefix with a server of its own that runs until end_prefixes.
make_prefix() {
    export WINEPREFIX="$1"
    if [ -d "$1" ]; then
        wineserver -k >/dev/null 2>&1
        rm -rf "$1" || die "cannot remove the earlier prefix $1"
    fi
    mkdir -p "$1" || die "cannot make $1"
    prefixes="$prefixes$1
"
    step "making the prefix $1"
    WINEDLLOVERRIDES='mscoree,mshtml=' timeout 300 wine wineboot -i >"$1/wineboot.log" 2>&1 \
        </dev/null
    [ -f "$1/drive_c/windows/system32/kernel32.dll" ] || {
        cat "$1/wineboot.log" >&2
        die "the prefix $1 could not be made"
    }
    # Only now: a server that is there before the prefix keeps Wine from making syswow64.
    timeout 300 wineserver -w
    wineserver -p || die "the server of $1 does not start"
}

# install_modules: puts the build into $WINEPREFIX. Wine's own packages leave the list: what its
# Kerberos does depends on the host. Programs that start from now on find Unix halves.
install_modules() {
    run_quietly "installing winesspi into $WINEPREFIX" "$WINEPREFIX/install.log" \
        "$source_dir/tools/winesspi" install
    wine reg add 'HKLM\System\CurrentControlSet\Control\Lsa' /f /v 'Security Packages' \
        /t REG_MULTI_SZ /d 'ssp_negotiate\0ssp_kerberos\0ssp_ntlm\0ssp_schannel' \
        >>"$WINEPREFIX/install.log" 2>&1 ||
        die "the list of packages in $WINEPREFIX cannot be set"
    export WINEDLLPATH="$build"
}

# On every way out, the servers that were started here end.
end_on_exit() {
    trap end_prefixes EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}
