"""The link between two hosts cut, one way or both, and healed after a time below or above the heartbeat limit.

SPDX-License-Identifier: MIT
"""
import contextlib
import time

from hosts import Hosts
from pipeline import HEARTBEAT, LOST_AFTER, SERVICE, drawn

FAR = ("infer", "infer", "one worker", "collect", "route", "stream")  # who is beyond the link: mostly workers
TIMES = ((0, LOST_AFTER), (LOST_AFTER, 2))  # of a cut, in seconds
LONG_TIMES = (*TIMES, (LOST_AFTER, 2), (2, 10))  # where nothing, or little, is settled meanwhile


def label(way):
    return f"link cut {way}"


def far_of(who, setting):
    if who == "infer":
        return [f"w{w}" for w in range(setting.workers)]
    return ["w0"] if who == "one worker" else [who]


def run(unit, way, count):
    left = count
    while left:
        who = unit.rng.choice(FAR)
        setting = drawn(unit, **({"workers": 2} if who == "one worker" else {}))
        margin = int(setting.workers * 3 / SERVICE)
        setting = setting._replace(batches=margin * (left + 1))
        far = far_of(who, setting)
        with contextlib.closing(Hosts(far)) as hosts:
            pipeline = unit.pipeline(setting, hosts=hosts)
            pipeline.start()
            pipeline.settle(1)
            while left and pipeline.open_batches() > margin:
                strike(unit, pipeline, way, far, TIMES if who == "one worker" else LONG_TIMES)
                left -= 1
            unit.ran(label(way), pipeline.finish())


def strike(unit, pipeline, way, far, times):
    rng = unit.rng
    time.sleep(rng.uniform(0, HEARTBEAT))
    pipeline.hosts.cut(way)
    time.sleep(rng.uniform(*rng.choice(times)))
    pipeline.ledger.poll()
    pipeline.hosts.heal(way)
    unit.tried(label(way), pipeline.next_settlement(time.monotonic(), far))
