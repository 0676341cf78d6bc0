#!/usr/bin/env bash
# Sets up VS Code's real workbench and extension host (code-server, from the npm registry) for the tests.
# usage: setup.sh FOLDER — made once; nothing is done when FOLDER/ready holds this version.
# What is unusual here: every post-install step of code-server wants a download site that a test machine need not reach,
# so they are switched off and their work is done from registries alone.
set -euo pipefail

version=4.100.3 # VS Code 1.100, the last that runs on Node 20
folder=$(realpath -m "$1")
if [ "$(cat "$folder/ready" 2>/dev/null)" = "$version" ]; then exit 0; fi

missing=()
for package in libkrb5-dev libx11-dev libxkbfile-dev libsecret-1-dev ripgrep chromium; do
    dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}"
fi

rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
npm init --yes >/dev/null
npm install "code-server@$version" --ignore-scripts --no-audit --no-fund --loglevel=error
cd node_modules/code-server/lib/vscode
npm install --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error
(cd extensions && npm install --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error)
# node-pty's own rebuild ends in an error after the library is made.
npm rebuild @vscode/spdlog native-watchdog @parcel/watcher node-pty --loglevel=error || true
test -f node_modules/node-pty/build/Release/pty.node
ln -sfn node_modules node_modules.asar
mkdir -p node_modules/@vscode/ripgrep/bin
cp /usr/bin/rg node_modules/@vscode/ripgrep/bin/rg
cd ../../node_modules/argon2 2>/dev/null || cd "$folder/node_modules/argon2"
npx --yes node-pre-gyp rebuild --build-from-source
printf '%s' "$version" >"$folder/ready"
