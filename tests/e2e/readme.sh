#!/usr/bin/env bash
# The pipeline of the README runs as pasted.
# SPDX-License-Identifier: MIT
# It uses the default ports: a loopback of its own keeps other runs on this machine apart.
((EUID == 0)) && own=(unshare -n) || own=(unshare -rn)
if [[ -z ${DP_OWN_LOOPBACK:-} ]] && "${own[@]}" ip link set lo up 2>/dev/null; then
  # shellcheck disable=SC2016  # for the inner shell
  DP_OWN_LOOPBACK=1 exec "${own[@]}" bash -c 'ip link set lo up && exec bash "$0"' "${BASH_SOURCE[0]}"
fi
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"

awk '/^export PATH=/ { inside = 1 } /^```/ && inside { exit } inside' "$root/README.md" >"$work/pasted"
grep -q dp-stream "$work/pasted" || die "the pipeline was not found in README.md"
mkdir -p "$work/checkout/build"
ln -s "$root/data" "$work/checkout/data"
ln -s "$DP_BIN" "$work/checkout/build/bin"
cd "$work/checkout" || exit 1
status=0
bash "$work/pasted" >"$work/printed" 2>"$work/pasted.err" || status=$?
((status == 0)) || die "status $status"
grep -v -e READY -e 'INVALID: the generator' "$work/pasted.err" && die "unexpected stderr"
cp run.json "$work/readme.json"
check readme "$accounted" '.valid or (.verdicts | map(select(.ok | not) | .criterion) | . == ["the generator kept to its schedule"])' \
  '.accuracy.agreement >= 0.999' '.samples.completed == 4000'
jq -e '.accuracy' "$work/printed" >/dev/null || die "the README's jq prints no accuracy"
echo ok
