#!/usr/bin/env bash
# A Debian package on a bare Debian: it installs with what it depends on, runs, and leaves nothing behind. The Debian is
# made by debootstrap in a folder of its own, as this one is (same release, sources and certificates), in two minutes.
# Usage: deb.sh PACKAGE.deb    (needs root, debootstrap and Debian's mirror)
# SPDX-License-Identifier: MIT
set -uo pipefail

package=$(realpath "${1:?PACKAGE.deb}")
cannot() { echo "deb.sh: the package was NOT tried: $1" >&2; exit 1; }
((EUID == 0)) || cannot "a bare Debian is entered by chroot, which only root may"
command -v debootstrap >/dev/null || cannot "no debootstrap (run: apt-get install debootstrap)"
unshare --mount true 2>/dev/null || cannot "no mount namespaces here"

work=$(mktemp -d) || exit 1
bare=$work/bare
trap 'rm -rf --one-file-system "$work"' EXIT
die() {
  echo "FAILED: $1" >&2
  tail -n 20 "$work/log" >&2
  exit 1
}
say() { printf '%4d s  %s\n' "$SECONDS" "$1" >&2; }

# in_bare COMMAND…: in the bare Debian; what it needs of the kernel is mounted for this command only.
in_bare() {
  # shellcheck disable=SC2016  # for the inner shell
  unshare --mount --pid --fork --kill-child sh -c '
    mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount --rbind /sys "$0/sys" && exec chroot "$0" "$@"' \
    "$bare" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@" \
    >"$work/log" 2>&1 </dev/null
}

make_bare() {
  local release mirror
  release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
  mirror=$(apt-get indextargets --format "\$(RELEASE) \$(REPO_URI)" 'Created-By: Packages' | awk -v release="$release" '$1 == release && !n++ { print $2 }')
  [[ -n $release && -n $mirror ]] || cannot "apt's sources name no mirror for '$release'"
  unshare --mount debootstrap --variant=minbase --include=ca-certificates "$release" "$bare" "$mirror" >"$work/log" 2>&1 ||
    die "debootstrap $release from $mirror"
  rm -rf "$bare/etc/apt" "$bare/etc/ssl/certs"
  cp -a /etc/apt "$bare/etc/apt"
  cp -aL /etc/ssl/certs "$bare/etc/ssl/certs"
  cp -L /etc/resolv.conf /etc/hosts "$bare/etc/"
  in_bare apt-get update || die "apt-get update"
}

# files: all of the bare Debian but what apt, dpkg and man keep for themselves.
files() {
  (cd "$bare" && find . -xdev \( -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/cache -o -path ./var/log -o -path ./tmp \
    -o -path ./etc/ld.so.cache \) -prune -o -print | sort)
}

if command -v lintian >/dev/null; then
  lintian --allow-root --fail-on error --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog "$package" >"$work/log" 2>&1 || die "lintian"
  say "lintian finds no error"
else
  echo "deb.sh: lintian did NOT look at the package (run: apt-get install lintian)" >&2
fi

make_bare
say "a bare Debian is there"
cp "$package" "$bare/tmp/dataparallel.deb"
in_bare apt-get install -y --no-install-recommends jq man-db /tmp/dataparallel.deb || die "apt-get install"
say "the package is installed with what it depends on"
files >"$work/before"

in_bare dp-doctor || die "dp-doctor"
grep -q '^ok    resnet18 ' "$work/log" || die "dp-doctor did not try ResNet-18 (a build without LibTorch?)"
# shellcheck disable=SC2016  # for the shell in there
in_bare sh -c 'cd /tmp && for tool in /usr/bin/dp-* /usr/bin/cifar10-from-png; do $tool --help >/dev/null || exit 1; done
  dp-run-local --workers 2 --data data/fixture/test_512.bin --rate max --samples 2048 \
    --expected data/weights/resnet18.predictions.bin --out run.json &&
  jq -e ".valid and .samples.completed == 2048 and .accuracy.agreement >= 0.998" run.json' || die "dp-run-local with ResNet-18"
in_bare sh -c 'test "$(man dp-stream | grep "batches of a data set")" && test "$(man dataparallel | grep dp-route)"' || die "man"
# shellcheck disable=SC2016  # for the shell in there
in_bare bash -c '. /usr/share/bash-completion/completions/dp-route && COMP_WORDS=(dp-route --strategy u) COMP_CWORD=2 &&
  _dataparallel dp-route u --strategy && [[ ${COMPREPLY[*]} == uniform ]]' || die "completion"
in_bare sh -c 'cd /tmp && ! dp-plot --out pictures run.json' || die "dp-plot draws without Vega"
grep -q dp-install-vega "$work/log" || die "dp-plot does not name dp-install-vega"
say "it runs"

in_bare dpkg -L dataparallel || die "dpkg -L"
sed 's/^/./' "$work/log" | sort >"$work/owned"
in_bare dpkg --purge dataparallel || die "dpkg --purge"
files >"$work/after"
added=$(comm -13 "$work/before" "$work/after")
[[ -z $added ]] || die "new files after the purge: $added"
left=$(cd "$bare" && xargs -a "$work/owned" -d '\n' sh -c 'for path; do [ -d "$path" ] && [ ! -L "$path" ] || ls -d "$path" 2>/dev/null; done' sh)
left+=$(find "$bare/usr" "$bare/etc" "$bare/var" -xdev -iname '*dataparallel*' -not -path '*/var/log/*' -not -path '*/var/cache/man/*' -o -xdev -path '*/bin/dp-*')
[[ -z $left ]] || die "left after the purge: $left"
say "purged, nothing is left"
