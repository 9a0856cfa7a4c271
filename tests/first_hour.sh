#!/usr/bin/env bash
# A newcomer's first hour: the ten steps of the README, pasted in order into a clean clone, each checked. Only the size of
# the sweep and its data are smaller. `worker` is a network namespace, reached by stand-ins for ssh and scp.
# Usage: tests/first_hour.sh [FOLDER]    the clone and what the steps made stay in FOLDER (default: a temporary one)
# SPDX-License-Identifier: MIT
# shellcheck disable=SC1090  # the steps are read from the README
set -uo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
say() { printf '\n── %s ──\n' "$*" >&2; }
die() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

# Clone, and take the steps out of the README: $hour/step-1.sh and so on.
prepare() {
  printf '[safe]\n\tdirectory = *\n' >"$hour/gitconfig"
  GIT_CONFIG_GLOBAL=$hour/gitconfig git clone -q "$root" "$hour/clone" || die "no clone: is $root a git checkout?"
  awk -v to="$hour/step-" '
    /^## / { inside = $0 == "## The first hour" }
    inside && match($0, /^[0-9]+\. /) { number = $1 + 0 }
    inside && /^ +```/ { if (block) { block = 0 } else { block = 1; indent = match($0, /`/) }; next }
    inside && block { print substr($0, indent) > (to number ".sh") }' "$hour/clone/README.md"
  local n
  for n in {1..10}; do [[ -s $hour/step-$n.sh ]] || die "step $n is not in the README"; done
  [[ ! -e $hour/step-11.sh ]] || die "the README has more than ten steps"
}

# paste N: runs step N in this shell, as a user would; what it prints goes to $hour/printed-N.
paste_step() {
  say "$1: $(head -1 "$hour/step-$1.sh")"
  SECONDS=0
  source "$hour/step-$1.sh" >"$hour/printed-$1" || die "step $1: status $?"
  printf 'step %2d  %4d s\n' "$1" "$SECONDS" >>"$hour/times"
}
# watch_step N: the same on a terminal, until the view is seen to follow the run and its end, and is ended by its key.
watch_step() {
  say "$1: $(head -1 "$hour/step-$1.sh")"
  SECONDS=0
  TERM=xterm /usr/bin/python3 tests/top/screen.py bash "$hour/step-$1.sh" <<'END' || die "step $1"
expect running  0:00:[0-9]+  dynamic
expect w0 +\S+ +up [\s\S]*w1 +\S+ +up
expect offered (9[0-9][0-9]|10[0-9][0-9])
expect the run is over
send q
end 0
END
  printf 'step %2d  %4d s\n' "$1" "$SECONDS" >>"$hour/times"
}
# check N FILE FILTER…: every jq filter is true of the file that step N made.
check() {
  local number=$1 file=$2 filter
  shift 2
  for filter; do jq -e "$filter" "$file" >/dev/null || die "step $number: $file: not so: $filter"; done
}
accounted='.samples | .lost == 0 and .failed == 0 and .double_counted == 0 and .completed == .announced'
# A busy machine may spoil the timing of a run, which then says so; nothing else may be wrong with it.
sound='[.verdicts[] | select(.ok | not) | .criterion] - ["the generator kept to its schedule"] == []'

outdoors() { # steps that may need the network: Debian's packages, npm
  cd "$hour/clone" || exit 1
  paste_step 1
  MAKEFLAGS="-- SAMPLES=640 ITERATIONS=2 DATA=data/fixture/test_512.bin" paste_step 2
  (($(wc -l <results/streaming/averaged_results.csv) == 7)) || die "step 2: not six rows and a header"
  [[ -s results/report.html && -s results/plots/streaming_throughput_comparison.png ]] || die "step 2: no page or picture"
}

indoors() { # the rest, on hosts of its own
  cd "$hour/clone" || exit 1
  far_away
  paste_step 3
  (($(grep -cE '^[12] nodes?: ' "$hour/printed-3") == 2)) || die "step 3: no answer for each number of nodes"
  paste_step 4
  (($(find pictures -name '*.png' -size +8k | wc -l) >= 9)) || die "step 4: fewer than nine pictures"
  grep -q 'a million' costs.html || die "step 4: no costs on the page"
  paste_step 5
  check 5 run.json "$accounted" "$sound" '.samples.completed == 4000' '.accuracy.agreement >= 0.999'
  watch_step 6
  check 6 live.json "$accounted" "$sound" '.samples.completed == 16000'
  paste_step 7
  check 7 traced/run.json "$accounted" "$sound"
  (($(grep -c latency_ms "$hour/printed-7") == 3)) || die "step 7: not the three slowest batches"
  [[ -s traced/latency_over_time.png && -s traced/worker_timeline.png ]] || die "step 7: no pictures of the run"
  paste_step 8
  check 8 by-file.json "$accounted" "$sound"
  "$PWD/build/bin/dp-stream" --config again.toml --print-config >/dev/null || die "step 8: again.toml is not read"
  own_files
  paste_step 9
  check 9 own.json "$accounted" "$sound" '.accuracy.labelled == 4000' '.accuracy.top1 == 0.34'
  paste_step 10
  check 10 remote.json "$accounted" "$sound" '.workers | map(.name) | sort == ["here", "there"]' '.workers | all(.samples > 0)'
  [[ $(wc -l <"$hour/by-ssh") == 1 ]] || die "step 10: the remote worker was not started through ssh"
}

# A second host: a namespace that a process holds open, the two names, and ways to copy and to run there.
far_away() {
  mkdir -p "$hour/worker" "$hour/ways"
  (unshare -n sleep infinity & echo $! >"$hour/holder")  # not a child of this shell, whose steps wait for all of theirs
  holder=$(<"$hour/holder")
  trap 'kill $holder $(jobs -p) 2>/dev/null' EXIT
  until [[ $(readlink "/proc/$holder/ns/net") != "$(readlink /proc/self/ns/net)" ]]; do read -rt 0.02 <> <(:); done
  ip link set lo up
  ip link add head type veth peer name worker netns "$holder" || die "no pair of interfaces"
  ip addr add 10.77.9.1/24 dev head && ip link set head up
  nsenter -t "$holder" -n sh -c 'ip link set lo up; ip addr add 10.77.9.2/24 dev worker && ip link set worker up'
  printf '127.0.0.1 localhost\n10.77.9.1 head\n10.77.9.2 worker\n' >"$hour/hosts"
  mount --bind "$hour/hosts" /etc/hosts || die "no names of hosts"
  # shellcheck disable=SC2016  # for the stand-ins
  printf '#!/bin/bash\n[[ $1 == -n && $2 == worker ]] || exit 255\necho "${@:3}" >>"%s"\ncd "%s" && exec nsenter -t %d -n "${@:3}" </dev/null\n' \
    "$hour/by-ssh" "$hour/worker" "$holder" >"$hour/ways/ssh"
  # shellcheck disable=SC2016
  printf '#!/bin/bash\n[[ ${!#} == worker: ]] || exit 255\nexec cp "${@:1:$#-1}" "%s"\n' "$hour/worker" >"$hour/ways/scp"
  chmod +x "$hour/ways"/*
  PATH=$hour/ways:$PATH
}

# Fifty 3 x 8 x 8 images, one channel of each white; the model takes the brightest channel for the class. Channel 0 is
# the label of all, and right for 17 of the 50.
own_files() {
  cp tests/e2e/data/brightest.pt model.pt
  python3 - <<'PY' || die "step 9: no data"
import struct
def npy(name, descr, shape, data):
    head = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n" % (descr, shape)
    open(name, "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data)
npy("images.npy", "|u1", "(50, 3, 8, 8)", b"".join(bytes([255 * (i % 3 == c)] * 64) for i in range(50) for c in range(3)))
npy("labels.npy", "|u1", "(50,)", bytes(50))
PY
}

if [[ ${1:-} == --indoors ]]; then
  hour=$2
  indoors
  exit
fi
hour=${1:-$(mktemp -d)} || exit 1
mkdir -p "$hour"
export DP_LOCK=$hour/lock  # neither this nor a measuring user is in the other's way
(($#)) || trap 'rm -rf "$hour"' EXIT
prepare
(outdoors) || exit 1
((EUID == 0)) && own=(unshare -nm) || own=(unshare -rnm)
"${own[@]}" bash "$0" --indoors "$hour" || exit 1
say "all ten steps"
cat "$hour/times" >&2
