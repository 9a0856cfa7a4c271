#!/usr/bin/env bash
# The README's five lines for a model and data of one's own run as pasted, given such files.
# SPDX-License-Identifier: MIT
# It uses the default ports: a loopback of its own keeps other runs on this machine apart.
((EUID == 0)) && own=(unshare -n) || own=(unshare -rn)
if [[ -z ${DP_OWN_LOOPBACK:-} ]] && "${own[@]}" ip link set lo up 2>/dev/null; then
  # shellcheck disable=SC2016  # for the inner shell
  DP_OWN_LOOPBACK=1 exec "${own[@]}" bash -c 'ip link set lo up && exec bash "$0"' "${BASH_SOURCE[0]}"
fi
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"

# The block that names own.json.
awk '/^```sh/ { block = ""; inside = 1; next } /^```/ { if (block ~ /own\.json/) printf "%s", block; inside = 0 } inside { block = block $0 "\n" }' \
  "$root/README.md" >"$work/pasted"
(($(grep -c . "$work/pasted") == 5)) || die "README.md has no block of five lines for a model of one's own"
mkdir -p "$work/checkout/build"
ln -s "$DP_BIN" "$work/checkout/build/bin"
cd "$work/checkout" || exit 1
cp "$root/tests/e2e/data/brightest.pt" model.pt
# Fifty 3 x 8 x 8 images, one channel of each white; channel 0 is the label of all, and right for 17 of the 50.
python3 - <<'PY' || die "the data could not be written"
import struct
def npy(name, descr, shape, data):
    head = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n" % (descr, shape)
    open(name, "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data)
npy("images.npy", "|u1", "(50, 3, 8, 8)", b"".join(bytes([255 * (i % 3 == c)] * 64) for i in range(50) for c in range(3)))
npy("labels.npy", "|u1", "(50,)", bytes(50))
PY
status=0
bash "$work/pasted" >"$work/printed" 2>"$work/pasted.err" || status=$?
((status == 0)) || die "status $status"
grep -v -e READY -e 'INVALID: the generator' "$work/pasted.err" && die "unexpected stderr"
cp own.json "$work/own.json"
check own "$accounted" '.samples.completed == 4000' '.accuracy.labelled == 4000' '.accuracy.top1 == 0.34' '.weights.name == "model.pt"'
jq -e '.accuracy.top1 == 0.34' "$work/printed" >/dev/null || die "the README's jq prints no accuracy"
echo ok
