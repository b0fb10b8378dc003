#!/bin/sh
# Brings what boots systemd as the first process, with control groups of version 2, and needs no
# virtual machine: a kernel that is a program (User-Mode Linux), and packages of Debian, unpacked.
# They come from a mirror that apt knows, by apt, which checks their signatures; some 70 MB, once.
# Nothing of the system changes: all of it lies in .tools/uml, as `kernel` and `root-SUITE`. Prints
# where that is; without apt, what is missing.
#
#     usage: uml.sh [SUITE...]      bookworm has systemd 252, trixie 257
set -eu
cd "$(dirname "$0")/.."
place=$PWD/.tools/uml
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
scratch=
trap 'rm -rf "$scratch"' EXIT

fail() {
  echo "$*" >&2
  exit 1
}

own_apt() {
  apt-get -qq \
    -o Dir::Etc="$scratch/etc" -o Dir::Etc::sourceparts=- -o Dir::State="$scratch/state" \
    -o Dir::State::status="$scratch/status" -o Dir::Cache="$scratch/cache" \
    -o APT::Install-Recommends=0 -o APT::Sandbox::User= -o Acquire::Languages=none \
    -o Debug::NoLocking=1 "$@" >/dev/null
}

# unpack SUITE PACKAGE...: these, and what they depend on, with lists and caches of their own.
unpack() {
  suite=$1
  shift
  rm -rf "$scratch"
  scratch=$(mktemp -d)
  mkdir -p "$scratch/root" "$scratch/state/lists/partial" "$scratch/cache/archives/partial"
  mkdir -p "$scratch/etc/apt.conf.d" "$scratch/etc/preferences.d" "$scratch/etc/trusted.gpg.d"
  : >"$scratch/status"
  echo "deb [signed-by=$keyring] $site $suite main" >"$scratch/etc/sources.list"
  own_apt update
  own_apt -y --download-only install "$@"
  for file in "$scratch"/cache/archives/*.deb; do dpkg -x "$file" "$scratch/root"; done
}

# Does what the scripts of the packages would have done.
furnish() {
  mkdir -p "$1/proc" "$1/sys" "$1/dev" "$1/run" "$1/tmp"
  for file in passwd group; do cp "$1/usr/share/base-passwd/$file.master" "$1/etc/$file"; done
  echo 'messagebus:x:990:990::/nonexistent:/usr/sbin/nologin' >>"$1/etc/passwd"
  echo 'messagebus:x:990:' >>"$1/etc/group"
  ln -sf mawk "$1/usr/bin/awk"
  : >"$1/etc/machine-id"
}

[ $# -gt 0 ] || set -- bookworm trixie
command -v apt-get >/dev/null && command -v dpkg >/dev/null && [ -r "$keyring" ] ||
  fail 'apt, dpkg and the keyring of the archive of Debian are needed'
# shellcheck disable=SC2016 # apt fills in the placeholder
site=$(apt-get indextargets --format '$(SITE)' 'Identifier: Packages' 2>/dev/null | head -n 1)
[ -n "$site" ] || fail 'apt knows no mirror'
mkdir -p "$place"
if [ ! -x "$place/kernel" ]; then
  unpack "$1" user-mode-linux
  mv "$scratch/root/usr/bin/linux.uml" "$place/kernel"
fi
for suite; do
  if [ ! -d "$place/root-$suite" ]; then
    # What a bundle needs of a host, with the programs of its own that ask.
    unpack "$suite" systemd systemd-sysv dbus base-files base-passwd bash dash coreutils grep sed \
      mawk util-linux libc-bin diffutils python3
    furnish "$scratch/root"
    mv "$scratch/root" "$place/root-$suite"
  fi
done
echo "$place"
