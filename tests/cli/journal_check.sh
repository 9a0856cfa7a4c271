#!/usr/bin/env bash
# tests/journal/check_journal.py accepts a good journal and its run.json, and rejects each way of cheating.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
check=$source_dir/tests/journal/check_journal.py

# Writes the journals, from JOURNAL.md alone: two batches of three and two samples, the second of which failed.
cat >"$scratch/write.py" <<'PYTHON'
import binascii, json, os, struct, sys

RUN = 0xF00DFACE12345678


def u32(value):
    return value.to_bytes(4, "little")


def packed(value):  # MessagePack; values in their longest forms
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, str):
        text = value.encode()
        return b"\xdb" + len(text).to_bytes(4, "big") + text
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    return b"\xcf" + value.to_bytes(8, "big") if value >= 0 else b"\xd3" + value.to_bytes(8, "big", signed=True)


def column(width, values):
    return u32(len(values)) + b"".join(v.to_bytes(width, "little", signed=v < 0) for v in values)


def record(type, *fields, columns=b""):
    body = bytes([0x90 + len(fields)]) + b"".join(map(packed, fields)) + columns
    rest = u32(len(body)) + u32(type) + body
    return u32(binascii.crc32(rest)) + rest


def opened(run=RUN, format=2):
    return record(0, format, run, "boot", 1_000, 1_700_000_000_000_000_000)


def run(plan="abc", batches=2, started=True):
    texts = ["rate", "1000"]
    options = u32(2) + b"".join(u32(len(t)) + t.encode() for t in texts)
    return record(1, batches, 5, plan, started, 2_000, 1000.5, 0, "synthetic", "digest", columns=options)


def announce(batches=(0, 1), ids=(7, 8, 9, 3, 4), counts=(3, 2)):
    n = len(batches)
    return record(2, columns=column(8, batches) + column(8, [-5] * n) + column(8, [6] * n) + column(4, counts) +
                  column(4, ids) + column(2, [65535] * len(ids)) + column(8, []))


def settled(batch, failed=False, predictions=3):
    return record(3, batch, failed, 1, "" if failed else "w0", "no" if failed else "", 1, 2, 3, 4, 5, 6,
                  columns=column(2, [] if failed else [1] * predictions))


def report():
    texts = u32(1) + u32(3) + b"w\0x"
    return record(7, "dynamic", 9, 1, 0, columns=u32(0) + texts + texts + column(8, [-7]) + column(4, [0, 1]) + column(8, [5]) +
                  texts + column(8, [3]))


happened, eos, ended = record(4, 5, "something"), record(5, 2), record(6)
head = [opened(), run(), announce()]
tail = [eos, report(), ended]
flipped = bytearray(b"".join([opened(), run(started=False), run()]))
flipped[len(opened()) + 20] ^= 1

journals = {
    "good": head + [settled(0), happened, opened(), settled(1, failed=True)] + tail,
    "announced-again": head + [settled(0), opened(), announce(), settled(1, failed=True)] + tail,
    "torn": head + [settled(0), settled(1, failed=True)] + tail + [opened()[:-3]],
    "open": head + [settled(0)],
    "empty": [],
    "lost": head + [settled(0)] + tail,
    "twice": head + [settled(0), settled(1, predictions=2), settled(0)] + tail,
    "twice-failed": head + [settled(0), settled(0, failed=True), settled(1, predictions=2)] + tail,
    "unannounced": [opened(), run(), announce((0,), (7, 8, 9), (3,)), settled(1, predictions=2)] + tail,
    "before-announced": [opened(), run(), settled(0), announce(), settled(1, failed=True)] + tail,
    "before-run": [opened(), run(started=False), announce(), settled(0), settled(1, failed=True)] + tail,
    "other-samples": head + [announce((1,), (3, 5), (2,)), settled(0), settled(1, failed=True)] + tail,
    "outside-the-plan": [opened(), run(batches=1), announce(), settled(0), settled(1, failed=True)] + tail,
    "predictions": head + [settled(0, predictions=2), settled(1, failed=True)] + tail,
    "other-run": head + [opened(RUN + 1), settled(0), settled(1, failed=True)] + tail,
    "other-plan": head + [run("abd"), settled(0), settled(1, failed=True)] + tail,
    "too-few": head[:2] + [announce((0,), (7, 8, 9), (3,)), settled(0)] + tail,
    "not-ended": head + [settled(0), settled(1, failed=True), eos],
    "ended-early": head + [settled(0), eos, ended, settled(1, failed=True)],
    "no-eos": head[:2] + [announce((0,), (7, 8, 9), (3,)), settled(0), ended],
    "whole-plan": head + [settled(0), settled(1, failed=True), ended],
    "further": head + [settled(0), record(5, 1), settled(1, failed=True)] + tail,
    "flipped": [bytes(flipped)],
    "headless": head[1:],
    "other-format": [opened(format=1)],
    "trailing": head + [record(5, 2, columns=b"x")],
    "text": [b"dear diary, " * 100],
}
for name, parts in journals.items():
    with open(os.path.join(sys.argv[1], name), "wb") as file:
        file.write(b"".join(parts))


def run_json(name, run_id=f"{RUN:016x}", **samples):
    account = lambda *counts: dict(zip(("announced", "completed", "failed", "lost", "double_counted"), counts))
    with open(os.path.join(sys.argv[1], name + ".json"), "w") as file:
        json.dump({"run_id": run_id, "samples": account(5, 3, 2, 0, 0) | samples, "batches": account(2, 1, 1, 0, 0)}, file)


run_json("same")
run_json("another", run_id="1")
for key in ("announced", "completed", "failed", "lost", "double_counted"):
    run_json(key, **{key: 6})
PYTHON
run /usr/bin/python3 "$scratch/write.py" "$scratch"
expect_status 0

proves() {
  run "$check" "$@"
  expect_status 0
  expect_empty err
  expect_line out "proven:" "run f00dface12345678"
}
# refuses JOURNAL WHY [OPTION…]
refuses() {
  local journal=$1 why=$2
  shift 2
  run "$check" "$@" "$scratch/$journal"
  expect_status 1
  expect_empty err
  expect_line out "NOT PROVEN" "$why"
}

proves "$scratch/good"
expect_line out "opened 2 times" "2 batches announced = 1 OK + 1 FAILED + 0 open" "0 bytes torn"
proves "$scratch/good" "$scratch/same.json"
proves "$scratch/announced-again" "$scratch/same.json"
proves "$scratch/whole-plan"
proves "$scratch/further"
proves "$scratch/torn" "$scratch/same.json"
proves --unfinished "$scratch/open"
expect_line out "1 OK + 0 FAILED + 1 open"

refuses empty "no record"
refuses open "the run has not ended"
refuses lost "1 announced batches are not settled"
for journal in twice twice-failed; do
  refuses "$journal" "batch 0 settled twice"
  refuses "$journal" "batch 0 settled twice" --unfinished
done
refuses unannounced "batch 1 settled, but not announced"
refuses before-announced "batch 0 settled, but not announced"
refuses before-run "before the run"
refuses other-samples "batch 1 announced again with other samples"
refuses outside-the-plan "batch 1 announced, but the plan has 1"
refuses predictions "batch 0 settled with 2 predictions, not 3"
refuses other-run "two runs"
refuses other-plan "the plan changed"
refuses too-few "1 batches announced, but in all they should be 2"
refuses not-ended "the run has not ended"
refuses ended-early "1 announced batches are not settled"
refuses no-eos "in all they should be None"
refuses flipped "a bad record, and a good one after it"
refuses headless "the first record is not OPENED"
refuses other-format "format"
refuses trailing "after the last column"
refuses text "not a journal"
refuses nowhere "No such file"

for report in announced completed failed lost double_counted; do
  run "$check" "$scratch/good" "$scratch/$report.json"
  expect_status 1
  expect_line out "NOT PROVEN" "samples.$report = 6"
done
run "$check" "$scratch/good" "$scratch/another.json"
expect_status 1
expect_line out "is of run 1"

# Followed while it is being written, a journal gives each record once.
cat >"$scratch/follow.py" <<'PYTHON'
import sys

sys.path.insert(0, sys.argv[1])
from journal import Tail, records

good, growing = sys.argv[2:]
whole = list(records(good))
assert [r.type for r in whole] == "opened run announce settlement happened opened settlement eos report ended".split(), whole
assert whole[1].columns == {"options": ["rate", "1000"]} and whole[1].fields["rate"] == 1000.5
assert whole[2].columns["scheduled"] == [-5, -5] and whole[2].columns["ids"] == [7, 8, 9, 3, 4]
assert whole[8].columns["event_times"] == [-7] and whole[8].columns["slots"] == ["w\0x"], whole[8]
tail = Tail(growing)
assert tail.poll() == []
seen, ends = [], [r.offset for r in whole[1:]]
data = open(good, "rb").read()
with open(growing, "wb", buffering=0) as file:
    for at, byte in enumerate(data):
        file.write(bytes([byte]))
        seen += tail.poll()
        complete = sum(end <= at + 1 for end in ends) + (at + 1 == len(data))
        assert len(seen) == len(list(records(growing))) == complete, at
assert seen == whole and tail.poll() == []
PYTHON
run /usr/bin/python3 "$scratch/follow.py" "$source_dir/tests/journal" "$scratch/good" "$scratch/growing"
expect_status 0
echo ok
