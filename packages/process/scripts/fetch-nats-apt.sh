#!/bin/bash
# Fetches nats-server from Debian forky into the folder $1 without root and without touching the system's apt: lists,
# cache and sources are private to a folder in $1. apt itself checks the signatures against Debian's own keyring. The package
# needs only libc and runs on Debian 12, whose own nats-server (2.9) lacks what Sluice needs.
set -e
dest=$1; root=$(mktemp -d "$dest/apt.XXXXXX")   # two starts may fetch at once
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{lists/partial,cache/archives/partial,etc}
site=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian$' | head -n 1)   # the mirror in use
[ -n "$site" ] || { echo "apt knows no Debian mirror" >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site forky main" > "$root/etc/sources.list"
o=(-qq -o Dir::Etc::SourceList="$root/etc/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$root/lists"
   -o Dir::Cache="$root/cache" -o Acquire::Languages=none -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1)
apt-get "${o[@]}" update
cd "$root/cache"
apt-get "${o[@]}" download nats-server
dpkg-deb -x nats-server_*.deb x
install -m755 x/usr/sbin/nats-server "$root/nats-server"
mv "$root/nats-server" "$dest/nats-server"   # whole or not at all
cd /
