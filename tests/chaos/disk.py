"""The disk under the journal is full, or fsync fails: dp-collect ends with status 1 and says why, has promised nothing
that is not durable, and goes on where it was once the disk is well again.

SPDX-License-Identifier: MIT
"""
import os
import subprocess

import wire_log
from pipeline import Failure, drawn

FULL, SYNC = "disk full under the journal", "failing fsync of the journal"
PAGE = 4096


def run(unit, fault, count):
    shim = os.path.join(unit.folder, "disk_shim.so")
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "disk_shim.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", shim, source, "-ldl"], check=True)
    for _ in range(count):
        (full if fault == FULL else sync)(unit, shim)


def preloaded(unit, shim, path, fail_from=0):
    return {"LD_PRELOAD": shim, "DP_SHIM_JOURNAL": path, "DP_SHIM_FAIL_FROM": str(fail_from),
            "DP_SHIM_LOG": os.path.join(unit.folder, "shim.log")}


def full(unit, shim):
    """The journal is on a small file system, which grows after dp-collect has ended."""
    disk = os.path.join(unit.folder, "disk")
    os.makedirs(disk, exist_ok=True)
    size = unit.rng.randint(1, 15) * PAGE
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "chaos", disk], check=True)
    path = os.path.join(disk, "journal")
    pipeline = unit.pipeline(drawn(unit, batches=600), journal=path,
                             env={"collect": preloaded(unit, shim, path)})
    pipeline.start()
    for _ in range(unit.rng.choice((1, 2))):  # the second time it is started on a disk that is full
        if not pipeline.processes["collect"].alive():
            pipeline.start(["collect"])
        gives_up(unit, pipeline, "No space left on device")
    subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
    goes_on(unit, pipeline, FULL)
    subprocess.run(["umount", disk], check=True)


def sync(unit, shim):
    """fsync fails from the k-th call on. What it did not confirm is gone, in whole or in part."""
    path = os.path.join(unit.folder, "journal")
    if os.path.exists(path):
        os.unlink(path)
    environment = preloaded(unit, shim, path, fail_from=unit.rng.randint(1, 80))
    pipeline = unit.pipeline(drawn(unit, batches=600), journal=path, env={"collect": environment})
    pipeline.start()
    durable = gives_up(unit, pipeline, "Input/output error")
    os.truncate(path, unit.rng.randint(durable, os.path.getsize(path)))
    environment["DP_SHIM_FAIL_FROM"] = "0"
    pipeline.processes["collect"].env = environment
    goes_on(unit, pipeline, SYNC)


def gives_up(unit, pipeline, why):
    """dp-collect ends with status 1, naming the journal and the reason. Returns what is durable, in bytes."""
    collect = pipeline.processes["collect"]
    pipeline.killed.add("collect")
    pipeline.wait("dp-collect to end", lambda: not collect.alive())
    said = collect.said()
    if collect.status() != 1 or why not in said or pipeline.journal not in said:
        raise Failure(f"dp-collect ended with status {collect.status()}; expected 1, and words that name the journal "
                      f"and '{why}'")
    return promises_kept(unit, pipeline)


def goes_on(unit, pipeline, fault):
    pipeline.ledger = type(pipeline.ledger)(pipeline.journal)
    seconds = pipeline.restart(["collect"])
    outcome = pipeline.finish()
    promises_kept(unit, pipeline)
    unit.tried(fault, seconds)
    unit.ran(fault, outcome)


def promises_kept(unit, pipeline):
    log = os.path.join(unit.folder, "shim.log")
    if not os.path.exists(pipeline.journal) or not os.path.getsize(pipeline.journal):
        return 0
    durable, told, early = wire_log.examine(log, pipeline.journal)
    if early:
        raise Failure(f"dp-collect called {len(early)} of {len(told)} batches settled before they were durable: "
                      f"{sorted(early)[:10]}")
    return durable
