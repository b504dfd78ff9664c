#!/usr/bin/env bash
# Makes a Debian 12 base image from the distribution's packages, for machines that
# reach no registry. Needs debootstrap, podman and root. It stands in for the
# registry's `debian:bookworm-slim`, which leaves out documentation as well.
#
#   MIRROR  of Debian (default http://deb.debian.org/debian)
set -euo pipefail

mirror=${MIRROR:-http://deb.debian.org/debian}
name=docker.io/library/debian:bookworm-slim
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

debootstrap --variant=minbase bookworm "$root" "$mirror"
cat >"$root/etc/apt/sources.list" <<SOURCES
deb $mirror bookworm main
deb $mirror bookworm-updates main
deb $mirror-security bookworm-security main
SOURCES
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/archives/*.deb
tar -C "$root" -c . | podman import - "$name"
