#!/usr/bin/env bash
# The example at the end of the --help of each command of an installation runs as pasted in an empty folder, ends with
# status 0 and makes what it says. Commands that fetch get stand-ins for curl and npm.
# SPDX-License-Identifier: MIT
# The examples use the default ports: where it can be had, they get a loopback of their own.
if [[ -z ${DP_OWN_LOOPBACK:-} ]] && unshare -rn ip link set lo up 2>/dev/null; then
  # shellcheck disable=SC2016  # for the inner shell
  DP_OWN_LOOPBACK=1 exec unshare -rn bash -c 'ip link set lo up && exec bash "$0"' "${BASH_SOURCE[0]}"
fi
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
# shellcheck source=tests/cli/data/made_by_examples.bash
. "$(dirname "${BASH_SOURCE[0]}")/data/made_by_examples.bash"

vega=$(realpath "${DP_VEGA:-$bin/../vega}")
prefix=$scratch/prefix
run cmake --install "$bin/.." --prefix "$prefix"
expect_status 0
# No example needs LibTorch, with which a worker takes most of a second to start; install.sh has the installed ones.
cp "$bin"/dp-{infer,doctor} "$prefix/bin/"
unset DP_BIN DP_VEGA XDG_DATA_HOME
export PATH=$scratch/stand-ins:$prefix/bin:$PATH HOME=$scratch/home
mkdir "$scratch/tmp" && export TMPDIR=$scratch/tmp  # where dp-top looks for runs

# CIFAR-10 of this test is the fixture; curl brings it, and npm brings the Vega that is there already.
fixture=$source_dir/data/fixture/test_512.bin
mkdir -p "$scratch/stand-ins" "$scratch/cifar-10-batches-bin"
ln -s "$fixture" "$scratch/cifar-10-batches-bin/test_batch.bin"
sed "s/.*/$(sha256sum <"$fixture" | cut -d ' ' -f 1)  test_batch.bin/;q" "$source_dir/data/cifar10.sha256" \
  >"$prefix/share/dataparallel/data/cifar10.sha256"
stand_in() { printf '#!/bin/sh\n%s\n' "$2" >"$scratch/stand-ins/$1" && chmod +x "$scratch/stand-ins/$1"; }
# shellcheck disable=SC2016  # for the stand-ins
{
  stand_in curl 'while [ "$1" != --output ]; do shift; done; exec tar -chzf "$2" -C '"'$scratch'"' cifar-10-batches-bin'
  stand_in npm 'while [ "$1" != --prefix ]; do shift; done; exec ln -s '"'$vega/node_modules'"' "$2/node_modules"'
}

# example_of COMMAND: what follows "Example:", up to a heading of its own.
example_of() { "$1" --help | sed -n '/^Example:$/,$p' | sed '1d' | sed '/^[^ ].*:$/,$d'; }

# Stderr of a good run: READY lines, and what is said of work. A busy machine may make dp-stream late, and dp-collect say
# so: that is the machine's doing.
late='the generator kept to its schedule'
expect_quiet_stderr() {
  grep -v -e ': READY' -e "INVALID: $late" -e ' is left out: it needs ' -e '^fetch-cifar10: .*\(fetching\|verified\)' -e '^Installing Vega' err >rest
  [[ ! -s rest ]] || fail "unexpected on stderr of $tool's example: $(head -n 3 rest)"
}

for path in "$prefix"/bin/*; do
  tool=$(basename "$path")
  folder=$scratch/here/$tool
  mkdir -p "$folder" && cd "$folder" || exit 1
  example_of "$tool" >"$scratch/example"
  grep -q "^  .*\b$tool\b" "$scratch/example" || fail "$tool --help ends with no example of $tool"
  [[ $tool != dp-plot ]] || export DP_VEGA=$vega
  run bash "$scratch/example"
  unset DP_VEGA
  cp "$scratch/out" "$scratch/err" .
  # What was measured too late on a busy machine is left out, and theory not met then.
  [[ $tool != dp-calibrate ]] || ! grep -q 'the generator was' out || status=0
  expect_status 0
  wait_until 15 "everything that $tool's example started has ended" nothing_left
  expect_quiet_stderr
  declare -F "made_by_$tool" >/dev/null || fail "this test does not know what $tool's example makes"
  "made_by_$tool" || fail "$tool's example does not make what it says"
done
echo "ok"
