#!/usr/bin/env bash
# A model and data of one's own: a TorchScript file whose class is the brightest channel, over arrays and image folders
# that Python's standard library writes, the right answers worked out there too.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"

grep -q torch <(ldd "$DP_BIN/dp-infer") || die "dp-infer was built without LibTorch"
model=$root/tests/e2e/data/brightest.pt

# 300 samples of 3 x 6 x 5: random pixels; a label is the brightest channel, but every fourth is wrong on purpose.
python3 - "$work" <<'PY' || die "the data could not be written"
import os, random, struct, sys, zlib
folder, draw = sys.argv[1], random.Random(5)
samples = [[[draw.randrange(256) for _ in range(30)] for _ in range(3)] for _ in range(300)]
brightest = [max(range(3), key=lambda c: sum(s[c])) for s in samples]
labels = [b if i % 4 else (b + 1) % 3 for i, b in enumerate(brightest)]
open(f"{folder}/brightest", "wb").write(bytes(brightest))

def npy(name, descr, shape, data):
    head = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, shape)
    head += " " * (-(len(head) + 11) % 64) + "\n"
    open(f"{folder}/{name}", "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data)

npy("first.npy", "|u1", "(300, 3, 6, 5)", b"".join(bytes(p) for s in samples for p in s))
npy("last.npy", "|u1", "(300, 6, 5, 3)", b"".join(bytes(s[c][i] for i in range(30) for c in range(3)) for s in samples))
npy("float.npy", "<f4", "(300, 3, 6, 5)", b"".join(struct.pack("<30f", *(v / 255 for v in p)) for s in samples for p in s))
npy("labels.npy", "<i8", "(300,)", struct.pack("<300q", *labels))

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
for i, s in enumerate(samples):
    rows = b"".join(b"\0" + bytes(s[c][5 * y + x] for x in range(5) for c in range(3)) for y in range(6))
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 5, 6, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    for place in (f"{folder}/flat", f"{folder}/classes/{'abc'[labels[i]]}"):
        os.makedirs(place, exist_ok=True)
        open(f"{place}/{i:03}.png", "wb").write(png)
PY

# own NAME SPEC OPTIONS…: 600 samples, so that each comes twice.
own() {
  local name=$1 spec=$2
  shift 2
  run "$name" --model "$model" --rate max --samples 600 --data "$spec" --predictions "$work/$name.made" "$@"
  ((status == 0)) || die "$name: status $status"
  check "$name" "$accounted" '.weights.name == "brightest.pt"' '.weights.digest | length == 32'
}
as_worked_out() { cmp "$work/$1.made" "$work/brightest" || die "$1: predictions are not those worked out"; }

for kind in first last float; do
  own "$kind" "npy:$work/$kind.npy,$work/labels.npy"
  as_worked_out "$kind"
  check "$kind" '.accuracy.top1 == 0.75' '.accuracy.labelled == 600'
done
own reference "npy:$work/first.npy,$work/labels.npy" --payload reference --workers 2
as_worked_out reference
own unlabelled "npy:$work/first.npy" --expected "$work/brightest"
as_worked_out unlabelled
check unlabelled '.accuracy.top1 == null' '.accuracy.labelled == 0' '.accuracy.agreement == 1'
own flat "folder:$work/flat" --workers 2
as_worked_out flat
check flat '.accuracy.top1 == null'
own classes "folder:$work/classes"
check classes '.accuracy.top1 == 0.75'

# The tables of runs without labels have no top-1: nothing, or a dash, never a zero.
"$DP_BIN/dp-summarize" --streaming "$work/tables" "$work/unlabelled.json" >"$work/table" 2>"$work/summarize.err" ||
  die "dp-summarize: status $?"
python3 - "$work" <<'PY' || die "a top-1 is shown for unlabelled data: $(<"$work/table")"
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1] + "/tables/averaged_results.csv")))
assert len(rows) == 1 and rows[0]["top1"] == "", rows
assert "0.0000" not in open(sys.argv[1] + "/table").read()
PY

# Scaled by the worker; and a mean that makes the third channel the brightest of every image.
own scaled "npy:$work/first.npy" --input-size 64x48
own shifted "npy:$work/first.npy" --normalize 0,0,-9/1,1,1
[[ $(od -An -v -tu1 "$work/shifted.made" | tr -s ' ' '\n' | sort -u | tr -d '\n') == 2 ]] ||
  die "a mean of -9 does not make the third channel the brightest"

# What does not fit is told before anything is measured.
refused() {
  local said=$1
  shift
  run bad --workers 1 --samples 64 --rate max "$@"
  ((status == 1 || status == 2)) || die "$*: status $status"
  grep -q -e "$said" "$work/bad.err" || die "not said: $said"
}
refused "not_there.pt: no such file" --model "$work/not_there.pt" --data "npy:$work/first.npy"
refused "none.npy: no such file" --model "$model" --data "npy:$work/none.npy"
"$DP_BIN/dp-infer" --weights "$work/missing.safetensors" 2>"$work/bad.err" && die "started without weights"
grep -q 'missing.safetensors: ' "$work/bad.err" || die "missing weights: $(<"$work/bad.err")"
refused "dimensions" --model "$model" --data "npy:$work/labels.npy"
echo ok
