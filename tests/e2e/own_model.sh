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
open(f"{folder}/brightest", "wb").write(bytes(brightest))  # the old format of predictions

def npy(name, descr, shape, data):
    head = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, shape)
    head += " " * (-(len(head) + 11) % 64) + "\n"
    open(f"{folder}/{name}", "wb").write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data)

npy("first.npy", "|u1", "(300, 3, 6, 5)", b"".join(bytes(p) for s in samples for p in s))
npy("last.npy", "|u1", "(300, 6, 5, 3)", b"".join(bytes(s[c][i] for i in range(30) for c in range(3)) for s in samples))
npy("float.npy", "<f4", "(300, 3, 6, 5)", b"".join(struct.pack("<30f", *(v / 255 for v in p)) for s in samples for p in s))
npy("brightest.npy", "<u2", "(300,)", struct.pack("<300H", *brightest))
npy("wide.npy", "<u2", "(300,)", struct.pack("<300H", *(300 + b for b in brightest)))
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

# The same model with 300 classes before its own, none of which is ever the answer; and one that fails on a pixel of
# more than 250, which some have in every batch of the data, and none in the warm-up.
python3 - "$model" "$work" <<'PY' || die "the models could not be made"
import sys, zipfile
source, folder = sys.argv[1:]
means = "    return torch.mean(x, [2, 3])\n"
bodies = {
    "wide": "    none = torch.sub(torch.zeros([torch.size(x, 0), 300]), 1)\n"
            "    return torch.cat([none, torch.mean(x, [2, 3])], 1)\n",
    "failing": "    if bool(torch.gt(torch.max(x), 0.982)):\n"
               "      ops.prim.RaiseException(\"too bright\", \"builtins.RuntimeError\")\n"
               "    else:\n      pass\n" + means}
for name, body in bodies.items():
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(f"{folder}/{name}.pt", "w") as new:
        for entry in old.namelist():
            data = old.read(entry)
            if entry.endswith("__torch__.py"):
                assert means.encode().rstrip() in data
                data = data.replace(means.encode().rstrip(), body.encode().rstrip())
            if not entry.endswith("debug_pkl"):
                new.writestr(entry.replace("brightest/", f"{name}/"), data)
PY

# own NAME SPEC OPTIONS…: 600 samples, so that each comes twice, on two workers.
own() {
  local name=$1 spec=$2
  shift 2
  run "$name" --model "$model" --rate max --samples 600 --data "$spec" --predictions "$work/$name.made" "$@"
  ((status == 0)) || die "$name: status $status"
  check "$name" "$accounted" '.weights.name == "brightest.pt"' '.weights.digest | length == 32'
}
as_worked_out() { cmp "$work/$1.made" "$work/${2:-brightest.npy}" || die "$1: predictions are not those worked out"; }

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

# Classes beyond a byte are saved, and compared; an array of them is what --expected takes as well as the bytes above.
run wide --model "$work/wide.pt" --workers 2 --rate max --samples 600 --data "npy:$work/first.npy" --predictions "$work/wide.made"
((status == 0)) || die "wide: status $status"
as_worked_out wide wide.npy
run again --model "$work/wide.pt" --workers 2 --rate max --samples 600 --data "npy:$work/first.npy" --expected "$work/wide.made"
((status == 0)) || die "wide, compared with itself: status $status"
check again '.accuracy.compared == 600' '.accuracy.agreement == 1'

# Two workers on one core are too many, however many the host has.
cpu=$(python3 -c 'import os; print(min(os.sched_getaffinity(0)))')
status=0
taskset -c "$cpu" "$root/pipelines/run-local.sh" --out "$work/pinned.json" --model "$model" --workers 2 --rate max --samples 64 \
  --data "npy:$work/first.npy" 2>"$work/pinned.err" || status=$?
((status == 0)) || die "on one core: status $status"
check pinned '.oversubscribed' '.host.usable_cores <= 1' '[.workers[].cores <= 1] == [true, true]'

# A worker that fails all that it is given costs the others time, and is not to be taken for one that helps.
ready() { grep -q READY "$1" 2>/dev/null; }
start "$DP_BIN/dp-collect" --bind tcp://127.0.0.1:0 --out "$work/failing.json" --journal none
collector=$! log=$work/$extra.err run_pid=$!
wait_for "dp-collect to be ready" ready "$log"
collect=(--collect "$(sed -n 's/.*bind=\([^ ]*\).*/\1/p' "$log")")
start "$DP_BIN/dp-route" --workers 2 --stream-bind tcp://127.0.0.1:0 --worker-bind tcp://127.0.0.1:0 "${collect[@]}"
log=$work/$extra.err
wait_for "dp-route to be ready" ready "$log"
stream_at=$(sed -n 's/.*stream=\([^ ]*\).*/\1/p' "$log") worker_at=$(sed -n 's/.*worker=\([^ ]*\).*/\1/p' "$log")
start "$DP_BIN/dp-infer" --name good --model "$model" --route "$worker_at" "${collect[@]}"
start "$DP_BIN/dp-infer" --name bad --model "$work/failing.pt" --route "$worker_at" "${collect[@]}"
start "$DP_BIN/dp-stream" --data "npy:$work/first.npy" --samples 2000 --batch-size 10 --rate max --route "$stream_at" "${collect[@]}"
run_pid='' status=0
wait "$collector" || status=$?
((status == 3)) || die "a worker that fails everything: status $status"
check failing "$accounted" '.nodes == 2' '[.workers[] | select(.name == "good")][0] | .failed == 0 and .samples == 2000' \
  '[.workers[] | select(.name == "bad")][0] | .failed > 0 and .samples == 0 and .lost == false' \
  '[.verdicts[] | select(.ok | not)] | length == 1 and (.[0].criterion | test("failed every batch")) and (.[0].remedy | length > 0)'

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
[[ $(tail -c 600 "$work/shifted.made" | od -An -v -tu2 | tr -s ' ' '\n' | sort -u | tr -d '\n') == 2 ]] ||
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
