"""All orders in which the four roles can be started, each when the one before it is ready.

SPDX-License-Identifier: MIT
"""
import itertools

from pipeline import Setting

LABEL = "start order"
ORDERS = list(itertools.permutations(("stream", "route", "infer", "collect")))


def run(unit, numbers):
    for number in numbers:
        pipeline = unit.pipeline(Setting(batches=40, workers=1))
        for role in ORDERS[number]:
            for name in pipeline.names(role):
                pipeline.start([name])
                pipeline.wait(f"dp-{role} to be ready", lambda: "READY" in pipeline.processes[name].said())
        outcome = pipeline.finish()
        unit.tried(LABEL)
        unit.ran(LABEL, outcome)
