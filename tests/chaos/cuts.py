"""The link between two hosts cut, one way or both, and healed after a time below or above the heartbeat limit.

SPDX-License-Identifier: MIT
"""
import contextlib
import time

from hosts import Hosts
from pipeline import HEARTBEAT, LOST_AFTER, SERVICE, drawn

LONGEST = 2.0
FAR = ("infer", "infer", "infer", "collect", "route", "stream")  # mostly the worker, as in a cluster


def label(way):
    return f"link cut {way}"


def run(unit, way, count):
    left = count
    while left:
        setting = drawn(unit.rng)
        margin = int(setting.workers * (LONGEST + 1) / SERVICE)
        setting = setting._replace(batches=margin * (left + 1))
        role = unit.rng.choice(FAR)
        with contextlib.closing(Hosts({role})) as hosts:
            pipeline = unit.pipeline(setting, hosts=hosts)
            pipeline.start()
            pipeline.settle(1)
            while left and pipeline.open_batches() > margin:
                strike(unit, pipeline, hosts, way, pipeline.names(role))
                left -= 1
            unit.ran(label(way), pipeline.finish())


def strike(unit, pipeline, hosts, way, far):
    rng = unit.rng
    time.sleep(rng.uniform(0, HEARTBEAT))
    hosts.cut(way)
    time.sleep(rng.uniform(*rng.choice(((0, LOST_AFTER), (LOST_AFTER, LONGEST)))))
    pipeline.ledger.poll()
    hosts.heal(way)
    unit.tried(label(way), pipeline.next_settlement(time.monotonic(), far))
