"""SIGKILL at random moments, restarted at once with the same flags: one process, or several together.

SPDX-License-Identifier: MIT
"""
import time

from pipeline import HEARTBEAT, SERVICE, drawn, short_queue

MARGIN = 250  # batches that stay for the last restart
STARTING, ENDING = 0.2, 0.2  # seconds that a run takes beside its batches
A_KILL = 100  # batches a worker settles from one kill to the next, or more: then another run begins
DURING_START = 0.2  # share of restarts that are killed while they start

ANY = "SIGKILL of any role in a short run"

TOGETHER = {
    "router and collector": ("route", "collect"),
    "all workers": ("infer",),
    "all processes": ("collect", "route", "infer", "stream"),
}


def victims_of(pipeline, fault, rng):
    if fault in TOGETHER:
        names = [name for role in TOGETHER[fault] for name in pipeline.names(role)]
    else:
        names = [rng.choice(pipeline.names(fault))]
    rng.shuffle(names)
    return names


def label(fault):
    return f"SIGKILL of {fault} together" if fault in TOGETHER else f"SIGKILL of dp-{fault}"


def run(unit, fault, count):
    """Kills until `count` were survived; when most batches of a run are settled, another begins."""
    left = count
    while left:
        setting = drawn(unit, **short_queue(fault))
        pipeline = unit.pipeline(setting._replace(batches=MARGIN + A_KILL * setting.workers * left))
        pipeline.start()
        pipeline.settle(1)
        while left and pipeline.open_batches() > MARGIN:
            left -= strike(unit, pipeline, fault, left)
        unit.ran(label(fault), pipeline.finish())


def strike(unit, pipeline, fault, left):
    """Kills and restarts once; sometimes again while what was restarted is starting. Returns how often."""
    rng, times = unit.rng, 1
    victims = victims_of(pipeline, fault, rng)
    time.sleep(rng.uniform(0, HEARTBEAT))
    pipeline.kill(victims)
    while times < left and rng.random() < DURING_START:
        pipeline.start(victims)
        time.sleep(rng.uniform(0, 0.05))
        pipeline.kill(victims)
        times += 1
        unit.tried(label(fault))
    unit.tried(label(fault), pipeline.restart(victims))
    return times


def short_runs(unit, count):
    """Kills one process at any moment of a run of some hundred milliseconds: its start and its end too."""
    left = count
    while left:
        setting = drawn(unit, batches=unit.rng.choice((20, 60, 120)))
        pipeline = unit.pipeline(setting)
        names = list(pipeline.processes)
        unit.rng.shuffle(names)
        pipeline.start(names)
        time.sleep(unit.rng.uniform(0, STARTING + setting.batches * SERVICE / setting.workers + ENDING))
        name = unit.rng.choice(names)
        if pipeline.processes[name].alive():
            left -= 1
            pipeline.kill([name])
            unit.tried(ANY, None if pipeline.over() else pipeline.restart([name]))
        unit.ran(ANY, pipeline.finish())
