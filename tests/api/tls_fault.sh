#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs the program fault for the packages of Schannel, in a folder with modules whose every block
# comes from the system. Wine takes a module that has a Unix half from WINEDLLPATH, where these are,
# too. Environment: BUILD and ARCH, as tools/check sets them; WINEPREFIX has the modules installed.

set -u
: "${BUILD:?}" "${WINEPREFIX:?}"
arch=${ARCH:-x86_64}
programs=$BUILD/$arch-windows
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
cp "$programs/fault.exe" "$programs/plain"/*.dll "$work" || exit 1
mkdir "$work/$arch-windows" && cp "$programs/plain"/*.dll "$work/$arch-windows" || exit 1
ln -s "$BUILD/$arch-unix" "$work/$arch-unix" || exit 1
export WINEDLLPATH="$work"
wine "$work/fault.exe" schannel
