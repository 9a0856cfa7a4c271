#!/usr/bin/env bash
# Installs what this project needs, and only what is missing: Debian packages, and Vega from npm into build/vega.
# Usage: install-deps.sh [build|test|sanitizers|bench|deb|deb-test|vega]…   (default: build; a second call does nothing and needs no network)
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
logs=$root/build/logs

say() { printf '%s\n' "$@" >&2; }
die() { say "install-deps.sh: $*"; exit 1; }

# One package a line, and what it is for.
build_packages() {
  cat <<'EOF'
g++                  # compiler: C++20
cmake                # build
ninja-build          # build
help2man             # man pages
pkg-config           # finds libproc2 and xxHash
ca-certificates      # certificates for the downloads
curl                 # fetches CIFAR-10
jq                   # reads run.json in the scripts
libtorch-dev         # LibTorch: inference
libopenblas0-pthread # matrix products for LibTorch
libzmq3-dev          # ZeroMQ: transport
cppzmq-dev           # ZeroMQ for C++
libmsgpack-cxx-dev   # MessagePack: message headers
libcxxopts-dev       # command lines
libtomlplusplus-dev  # configuration files
libboost-dev         # Boost.Math (and MessagePack's preprocessor headers)
nlohmann-json3-dev   # JSON
libspdlog-dev        # logs
libfmt-dev           # text formatting
libproc2-dev         # CPU and memory of processes
libxxhash-dev        # checksums
libpng-dev           # reads PNG images
libjpeg-dev          # reads JPEG images; canvas: image formats
zlib1g-dev           # checksums of the journal
libncurses-dev       # dp-top's screen
libmicrohttpd-dev    # dp-collect --metrics
python3              # node-gyp, which builds Vega's canvas
make                 # same
libcairo2-dev        # canvas: drawing
libpango1.0-dev      # canvas: text
libgif-dev           # canvas: image formats
librsvg2-dev         # canvas: image formats
libpixman-1-dev      # canvas: pixels
fonts-dejavu-core    # letters in the pictures
EOF
  # NodeSource's nodejs contains npm and conflicts with Debian's npm: what counts is the command, not the package.
  command -v node >/dev/null || echo 'nodejs               # runs Vega'
  command -v npm >/dev/null || echo 'npm                  # fetches Vega'
}

test_packages() {
  cat <<'EOF'
libgtest-dev         # unit tests
libgmock-dev         # unit tests
shellcheck           # checks the scripts
ccache               # compiles once what several builds compile
xz-utils             # unpacks the runs of results/example
python3-msgpack      # reads the journal, independently
python3-jsonschema   # validates run files against their schema
chromium             # looks at dp-plot's page, headless
chromium-driver      # same
python3-selenium     # same
mandoc               # checks the man pages
man-db               # shows them
python3-pil          # reads images, independently
locales              # a locale with a decimal comma is made of its sources
python3-pyte         # a terminal to try dp-top on
python3-prometheus-client  # reads what --metrics tells
iproute2             # network namespaces: tests with a loopback, or a host, of their own
EOF
}

sanitizers_packages() {
  cat <<'EOF'
clang-14             # address sanitizer, libFuzzer
libclang-rt-14-dev   # their runtimes
llvm-14              # names and lines in what they find
EOF
}

deb_packages() {
  cat <<'EOF'
dpkg-dev             # finds which libraries a package depends on
file                 # same
EOF
}

deb-test_packages() {
  cat <<'EOF'
debootstrap          # a bare Debian to try a package on
lintian              # checks a package
EOF
}

bench_packages() { echo 'libbenchmark-dev     # micro-benchmarks'; }

# Lines of the wanted sets whose package is not there.
missing() {
  local set here
  here=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
  for set in "$@"; do "${set}_packages"; done | while read -r line; do
    grep -qxF "${line%% *}" <<<"$here" || printf '  %s\n' "$line"
  done
}

install_packages() {
  local lines packages plan prefix=()
  command -v dpkg-query >/dev/null ||
    die "this is no Debian system: install the packages named in $0 your own way, then say DEPS=skip"
  lines=$(missing "$@")
  [[ -n $lines ]] || return 0
  mapfile -t packages < <(awk '{print $1}' <<<"$lines")

  say "Debian packages that are missing and will be installed:" "$lines"
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      die "not root, and there is no sudo. As root: apt-get install --no-install-recommends ${packages[*]}"
    prefix=(sudo)
    sudo -v
  fi
  "$here/quietly.sh" "Updating the package lists" "$logs/apt-update.log" "${prefix[@]}" apt-get update
  plan=$(LC_ALL=C apt-get install --assume-no --no-install-recommends "${packages[@]}" 2>&1 || true)
  grep -q '^Need to get' <<<"$plan" || die "apt-get cannot install these packages:"$'\n'"$plan"
  say "$(grep -E '^[0-9]+ upgraded|^Need to get|^After this operation' <<<"$plan" | sed 's/^/  /')"
  "$here/quietly.sh" "Installing packages" "$logs/apt-install.log" \
    "${prefix[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"
}

(($#)) || set -- build
packages_of=() vega=no
for set in "$@"; do
  case $set in
    build | test | sanitizers | bench | deb | deb-test) packages_of+=("$set") ;;
    vega) vega=yes ;;
    *) say "install-deps.sh: '$set' is none of: build, test, sanitizers, bench, deb, deb-test, vega"; exit 2 ;;
  esac
done
if ((${#packages_of[@]})); then install_packages "${packages_of[@]}"; fi
if [[ $vega == yes ]]; then "$here/install-vega.sh"; fi
