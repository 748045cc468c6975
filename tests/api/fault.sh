#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs the program fault in a folder of its own, beside modules that are made for it. Environment:
# BUILD, as tools/check sets it; WINEPREFIX has the modules installed.

set -u
: "${BUILD:?}" "${WINEPREFIX:?}"
programs=$BUILD/${ARCH:-x86_64}-windows
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
cp "$programs/fault.exe" "$programs/prov_logon.dll" "$programs"/plain/*.dll "$work" || exit 1
wine "$work/fault.exe" "$@"
