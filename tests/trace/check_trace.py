#!/usr/bin/env python3
# Checks a trace of dp-collect --trace against the Trace Event Format (array form) as its documentation has it, and
# against the events file of the same run. Shares no code with the tools.
# SPDX-License-Identifier: MIT
"""check_trace.py TRACE.json [EVENTS.ndjson]: exit status 1 and a line on stderr for the first thing that is wrong."""
import collections
import json
import numbers
import sys

STAGES = {  # stage: from, to, as the events file calls them
    "generator": ("scheduled_ms", "released_ms"),
    "admission": ("released_ms", "sent_ms"),
    "router": ("sent_ms", "routed_ms"),
    "queue": ("routed_ms", "started_ms"),
    "return": ("done_ms", "collected_ms"),
}
NEEDED = {"M": ("name", "pid", "args"), "X": ("name", "cat", "pid", "tid", "ts", "dur"),
          "b": ("name", "cat", "id", "pid", "tid", "ts"), "e": ("name", "cat", "id", "pid", "tid", "ts"),
          "i": ("name", "cat", "pid", "tid", "ts", "s")}
TYPES = {"name": str, "cat": str, "id": str, "s": str, "args": dict, "pid": int, "tid": int,
         "ts": numbers.Real, "dur": numbers.Real}
TOLERANCE_US = 0.002  # two roundings to whole ns


class Wrong(Exception):
    pass


def require(ok, *what):
    if not ok:
        raise Wrong(" ".join(str(w) for w in what))


def no_constant(text):
    raise Wrong(f"{text} is no JSON")


def check_fields(event):
    require(isinstance(event, dict), "not an object:", event)
    require(event.get("ph") in NEEDED, "unknown phase:", event)
    for field in NEEDED[event["ph"]]:
        require(field in event, f"no {field}:", event)
    for field, kind in TYPES.items():
        value = event.get(field)
        require(field not in event or (isinstance(value, kind) and not isinstance(value, bool)), f"{field} is wrong:", event)
    require(event.get("dur", 0) >= 0, "a negative duration:", event)
    require(event["ph"] != "i" or event["s"] in "gpt", "an instant of unknown scope:", event)


def check_named(events):
    named = {(e["name"], e["pid"], e.get("tid") if e["name"] == "thread_name" else None) for e in events if e["ph"] == "M"}
    for e in events:
        if e["ph"] == "M":
            continue
        require(("process_name", e["pid"], None) in named, "a process without a name:", e)
        require(("thread_name", e["pid"], e["tid"]) in named, "a thread without a name:", e)


def waits_of(events):
    """Every b has its e, of the same category, id, name and process, not before it."""
    opened, waits = {}, {}
    for e in events:
        if e["ph"] not in "be":
            continue
        key = (e["cat"], e["id"])
        if e["ph"] == "b":
            require(key not in opened and key not in waits, "begun twice:", e)
            opened[key] = e
            continue
        begin = opened.pop(key, None)
        require(begin is not None, "ends and has not begun:", e)
        require((begin["pid"], begin["name"]) == (e["pid"], e["name"]), "ends elsewhere:", e)
        require(begin["ts"] <= e["ts"], "ends before it begins:", e)
        waits[key] = (begin, e)
    require(not opened, "never ends:", next(iter(opened.values()), None))
    return waits


def check_tracks(slices):
    """Slices of a thread follow one another: each begins where the one before has ended, or later."""
    tracks = collections.defaultdict(list)
    for e in slices:
        tracks[e["pid"], e["tid"]].append(e)
    for track in tracks.values():
        track.sort(key=lambda e: e["ts"])
        for before, after in zip(track, track[1:]):
            require(before["ts"] + before["dur"] <= after["ts"] + TOLERANCE_US, "overlap:", before, after)


def same(measured_us, wanted_ms, what):
    require(abs(measured_us - 1000 * wanted_ms) <= TOLERANCE_US, what, measured_us, "us, in the events", wanted_ms, "ms")


def check_against(events, waits, slices, path):
    with open(path, encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    batches = {r["id"]: r for r in records if r["type"] == "batch"}
    done = {i: r for i, r in batches.items() if r["status"] == "ok"}
    by_batch = {e["args"]["batch"]: e for e in slices}
    require(len(by_batch) == len(slices), "a batch was computed twice")
    require(by_batch.keys() == done.keys(), len(by_batch), "batches computed,", len(done), "in the events")
    workers = {e["tid"]: e["args"]["name"] for e in events
               if e["ph"] == "M" and e["name"] == "thread_name" and any(s["pid"] == e["pid"] for s in slices)}
    for i, record in done.items():
        same(by_batch[i]["ts"], record["started_ms"], f"batch {i} started at")
        same(by_batch[i]["dur"], record["done_ms"] - record["started_ms"], f"batch {i} took")
        require(workers[by_batch[i]["tid"]] == record["worker"], f"batch {i} is on the track of another worker")
        for stage, (begin, end) in STAGES.items():
            key = (stage, hex(i))
            require(key in waits, f"batch {i} has no {stage}")
            same(waits[key][0]["ts"], record[begin], f"{stage} of batch {i} begins at")
            same(waits[key][1]["ts"], record[end], f"{stage} of batch {i} ends at")
    failed = {i for i, r in batches.items() if r["status"] == "failed"}
    told = {e["args"]["batch"] for e in events if e["ph"] == "i" and e["cat"] == "failed"}
    require(failed == told, "failed in the events:", sorted(failed), "in the trace:", sorted(told))
    return len(done)


def main(trace, events_file=None):
    with open(trace, encoding="utf-8") as text:
        events = json.load(text, parse_constant=no_constant)
    require(isinstance(events, list) and events, "not an array of events")
    for event in events:
        check_fields(event)
    check_named(events)
    waits = waits_of(events)
    slices = [e for e in events if e["ph"] == "X"]
    check_tracks(slices)
    if events_file:
        check_against(events, waits, slices, events_file)
    print(f"ok: {len(slices)} slices, {len(waits)} waits")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (Wrong, ValueError, KeyError, OSError) as problem:
        sys.exit(f"{sys.argv[1]}: {type(problem).__name__ + ': ' if not isinstance(problem, Wrong) else ''}{problem}")
