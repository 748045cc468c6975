# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2154 # variables that are set by the script that sources this
#
# PuTTY's plink.exe, which logs in by SSPI. Debian has its source, which is fetched and compiled
# once (a minute) and stays in the build folder. The caller has sourced common.sh before.

putty=$BUILD/putty
plink=$putty/plink-$ARCH.exe

# need_plink: or the reason why it is not to be had.
need_plink() {
    [ ! -x "$plink" ] || return 0
    command -v cmake >/dev/null || skip_all 'plink.exe: cmake (Debian package cmake)'
    mkdir -p "$putty" || exit 1
    [ -f "$putty/source/CMakeLists.txt" ] || fetch_putty >"$putty/fetch.log" 2>&1 ||
        skip_all "plink.exe: the source of Debian's putty (no network? see $putty/fetch.log)"
    build_plink >"$putty/build.log" 2>&1 && return
    tail -n 5 "$putty/build.log"
    skip_all "plink.exe: its source does not compile (see $putty/build.log)"
}

# apt_private ARGUMENT...: apt-get with lists of its own, so that the machine's stay as they are.
apt_private() {
    timeout 120 apt-get -q -o Dir::Etc::SourceList="$putty/apt/sources" -o Dir::Etc::SourceParts=- \
        -o Dir::State::Lists="$putty/apt/lists" -o Dir::Cache="$putty/apt/cache" \
        -o APT::Sandbox::User=root "$@"
}

# The sources of what this machine has packages of.
fetch_putty() (
    mkdir -p "$putty/apt/lists/partial" "$putty/apt/cache/archives/partial" "$putty/source" &&
        cd "$putty/apt" || exit 1
    keys=/usr/share/keyrings/debian-archive-keyring.gpg
    # shellcheck disable=SC2016 # apt-get's own variables
    what='$(REPO_URI) $(RELEASE) $(COMPONENT)'
    apt-get indextargets --format "deb-src [signed-by=$keys] $what" \
        'Created-By: Packages' 'Origin: Debian' | sort -u >sources
    apt_private update && apt_private source --tar-only putty &&
        tar -xf putty_*.orig.tar.gz -C "$putty/source" --strip-components=1
    status=$?
    rm -rf "$putty/apt"
    exit $status
)

# Each of its files includes windows.h; one that is compiled beforehand makes this three times as
# fast. It serves where it was compiled with the same definitions.
build_plink() (
    compiler=x86_64-w64-mingw32
    [ "$ARCH" = x86_64 ] || compiler=i686-w64-mingw32
    rm -rf "$putty/build"
    mkdir "$putty/build" && cd "$putty/build" || exit 1
    options='-O0 -w -D__USE_MINGW_ANSI_STDIO -D_WINDOWS -D_CRT_SECURE_NO_WARNINGS'
    options="$options -D_ARM_WINAPI_PARTITION_DESKTOP_SDK_AVAILABLE"
    options="$options -D_WINSOCK_DEPRECATED_NO_WARNINGS"
    printf '#include <%s>\n' winsock2.h ws2tcpip.h windows.h >common.h
    # shellcheck disable=SC2086 # options
    $compiler-gcc $options -x c-header common.h -o common.h.gch &&
        cmake -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_SYSTEM_PROCESSOR="$ARCH" \
            -DCMAKE_C_COMPILER=$compiler-gcc -DCMAKE_RC_COMPILER=$compiler-windres \
            -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$options -include $PWD/common.h" \
            "$putty/source" &&
        timeout 400 make -j"$(getconf _NPROCESSORS_ONLN)" plink && cp plink.exe "$plink"
    status=$?
    rm -rf "$putty/build"
    exit $status
)
