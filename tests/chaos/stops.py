"""SIGSTOP, and SIGCONT after a while: a worker past its lease; router, collector and stream for some heartbeats.

SPDX-License-Identifier: MIT
"""
import signal
import time

from pipeline import HEARTBEAT, SERVICE, drawn, short_queue

LEASE = 1.0
LONGEST = 2.0


def label(role):
    return "SIGSTOP of a worker past its lease" if role == "infer" else f"SIGSTOP of dp-{role}"


def pause(role, rng):
    return rng.uniform(LEASE + HEARTBEAT, LONGEST) if role == "infer" else rng.uniform(HEARTBEAT, 6 * HEARTBEAT)


def run(unit, role, count):
    left = count
    while left:
        setting = drawn(unit, lease=f"{LEASE:.0f}s", **short_queue(role))
        margin = int(setting.workers * (LONGEST + 1) / SERVICE)
        setting = setting._replace(batches=margin * (left + 1))
        pipeline = unit.pipeline(setting)
        pipeline.start()
        pipeline.settle(1)
        while left and pipeline.open_batches() > margin:
            name = unit.rng.choice(pipeline.names(role))
            time.sleep(unit.rng.uniform(0, HEARTBEAT))
            pipeline.signal([name], signal.SIGSTOP)
            time.sleep(pause(role, unit.rng))
            pipeline.ledger.poll()
            since = time.monotonic()
            pipeline.signal([name], signal.SIGCONT)
            unit.tried(label(role), pipeline.next_settlement(since, [name]))
            left -= 1
        unit.ran(label(role), pipeline.finish())
