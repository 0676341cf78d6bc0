#!/usr/bin/env bash
# Sets up Neovim 0.10 for the tests on Debian 12, whose own is too old: Debian 13's packages, unpacked into a folder and started
# with their own loader and libraries, so that the system stays as it is.
# usage: setup.sh FOLDER [SUITE] — made once; FOLDER/nvim is the executable. SUITE is trixie, or forky for a Neovim of today
# (0.12.4 in November 2026), whose libraries change names now and then.
set -euo pipefail

folder=$(realpath -m "$1")
suite=${2:-trixie}
if [ -f "$folder/ready" ]; then exit 0; fi
rm -rf "$folder"
mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/root"

# The mirror is the one the machine's own sources name.
mirror=$(grep -hEo '^[^#]*https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null |
    grep -Eo 'https?://[^ ]+' | sed -n 1p || true)
if [ -z "$mirror" ]; then
    echo "no Debian mirror among the sources of apt" >&2
    exit 1
fi
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$folder/apt/sources.list"
options=(
    -o "Dir::Etc::sourcelist=$folder/apt/sources.list" -o "Dir::Etc::sourceparts=-"
    -o "Dir::State::lists=$folder/apt/lists" -o "Dir::Cache=$folder/apt/cache" -o "APT::Sandbox::User=root"
)
apt-get "${options[@]}" update -qq
cd "$folder/apt"
packages=(neovim neovim-runtime libc6 libluajit-5.1-2 libunibilium4 libuv1t64 lua-lpeg lua-luv libgcc-s1)
if [ "$suite" = trixie ]; then
    packages+=(libmsgpack-c2 libtree-sitter0.22 libvterm0)
else
    packages+=(libtree-sitter0.26 libutf8proc3)
fi
apt-get "${options[@]}" download -qq "${packages[@]}"
for package in *.deb; do dpkg -x "$package" "$folder/root"; done
rm -f -- *.deb

libraries=$folder/root/usr/lib/x86_64-linux-gnu
cat >"$folder/nvim" <<END
#!/bin/sh
VIMRUNTIME=$folder/root/usr/share/nvim/runtime exec $libraries/ld-linux-x86-64.so.2 \\
    --library-path $libraries $folder/root/usr/bin/nvim "\$@"
END
chmod +x "$folder/nvim"
"$folder/nvim" --version | head -n 1
touch "$folder/ready"
