#!/usr/bin/env bash
# Installs Vega, which draws the pictures, from npm: into build/vega of a checkout, or for the tools of an installation
# into the user's data folder. The lock file pins it; installed.json is the lock file it was installed from.
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

self=${BASH_SOURCE[0]}
[[ ! -L $self ]] || self=$(readlink -f "$self")
here=$(cd "$(dirname "$self")" && pwd)
from=$here/../lib/plot
if [[ -e $here/../CMakeLists.txt ]]; then
  cd "$here/.."
  to=build/vega log=build/logs/npm.log hint='make -f Makefile.bench deps'
else
  to=${XDG_DATA_HOME:-$HOME/.local/share}/dataparallel/vega log=$to/npm.log
  # What canvas is compiled from; node brings the rest.
  hint='apt-get install --no-install-recommends nodejs npm g++ make python3 pkg-config libcairo2-dev libpango1.0-dev
  libjpeg-dev libgif-dev librsvg2-dev libpixman-1-dev fonts-dejavu-core'
fi
from=$(realpath --relative-to=. "$from")

usage() {
  cat <<EOF
dp-install-vega - install Vega, with which dp-plot draws, from npm

Usage: dp-install-vega

It goes into $to; what is there already is not fetched again. Canvas is compiled, which needs
  $hint

Exit status: 0 done, 1 failed, 2 usage.

Example:
  dp-install-vega && dp-doctor | grep vega
EOF
}
if (($#)); then
  [[ $1 == --help ]] && usage && exit 0
  usage >&2
  exit 2
fi
if cmp -s "$from/package-lock.json" "$to/installed.json"; then exit 0; fi
command -v npm >/dev/null || { echo "install-vega.sh: no npm command, so no Vega and no pictures (run: $hint)" >&2; exit 1; }
mkdir -p "$to"
cp "$from/package.json" "$from/package-lock.json" "$to/"
echo "Installing Vega from npm into $to (27 MB to fetch, 62 MB on disk; canvas is compiled)" >&2
"$here/quietly.sh" "Installing Vega" "$log" npm ci --prefix "$to" --no-audit --no-fund --no-update-notifier || {
  if grep -qE 'SELF_SIGNED_CERT|DEPTH_ZERO_SELF|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)' "$log"; then
    echo "install-vega.sh: npm does not trust a certificate; behind a proxy that intercepts TLS, let it use the system's:" \
      "set NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt" >&2
  else
    echo "install-vega.sh: is all there that canvas is compiled from? (run: $hint)" >&2
  fi
  exit 1
}
cp "$from/package-lock.json" "$to/installed.json"
