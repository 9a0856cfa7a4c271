"""A torn tail at every offset of the last three records: the tool reads it, and the run completes from there.

SPDX-License-Identifier: MIT
"""
import os
import shutil
import signal

from ledger import journal
from pipeline import TOO_LONG, Failure, Setting

SETTING = Setting(batches=12, workers=1, batch_size=2)
DAMAGED = "journal damaged before its last record: refused"
UNDERWAY, ENDED = "of a killed run", "of a run that had ended"


def label(kind):
    return f"journal {kind}, torn"


def make(unit, kind, slices, whole):
    """Makes a journal and proposes the units that tear it; `whole`: at each offset the run is completed."""
    pipeline = unit.pipeline(SETTING)
    pipeline.start()
    if kind == UNDERWAY:
        pipeline.settle(SETTING.batches // 2)
        pipeline.kill(list(pipeline.processes))
    else:
        pipeline.finish()
    records, torn = journal.read(pipeline.journal)
    end = os.path.getsize(pipeline.journal) - torn
    if kind == ENDED:  # the last one says that the report is written; without it the run has ended all the same
        end = records.pop().offset
    offsets = list(range(records[-3].offset, end))
    unit.tell(then=[{"family": "torn", "step": "tear", "title": label(kind),
                     "arguments": {"kind": kind, "path": pipeline.journal, "offsets": offsets[i::slices],
                                   "whole": whole}} for i in range(slices)])


def tear(unit, kind, path, offsets, whole):
    """The journal is read at every offset, and the run completed at every one (`whole`) or one a unit."""
    chosen = unit.rng.choice(offsets)
    for offset in offsets:
        pipeline = unit.pipeline(SETTING)
        shutil.copyfile(path, pipeline.journal)
        os.truncate(pipeline.journal, offset)
        if whole or offset == chosen:
            seconds = pipeline.restart(list(pipeline.processes))
            outcome = pipeline.finish()
            unit.tried(label(kind), seconds)
            unit.ran(label(kind), outcome)
        else:
            read_only(pipeline, offset)
            unit.tried(label(kind))


def read_only(pipeline, offset):
    """dp-collect opens the journal, cuts the torn tail off, and leaves: interrupted, or because nothing is open."""
    pipeline.start(["collect"])
    collect = pipeline.processes["collect"]
    pipeline.wait(f"dp-collect to read a journal cut at {offset}", lambda: "READY" in collect.said())
    pipeline.killed.add("collect")
    collect.signal(signal.SIGINT)
    collect.child.wait()
    if collect.status() not in ((0, 3) if pipeline.ledger.poll().ended else (130,)):
        raise Failure(f"dp-collect, interrupted with a journal cut at {offset}, ended with status {collect.status()}")
    if torn := journal.read(pipeline.journal)[1]:
        raise Failure(f"dp-collect left a torn tail of {torn} bytes in a journal cut at {offset}")


def damage(unit, count):
    """A byte of any record but the last is changed: dp-collect refuses the journal, and leaves it as it is."""
    pipeline = unit.pipeline(SETTING)
    pipeline.start()
    pipeline.settle(SETTING.batches // 2)
    pipeline.kill(list(pipeline.processes))
    records, torn = journal.read(pipeline.journal)
    with open(pipeline.journal, "rb") as file:
        good = file.read()[:-torn or None]
    for _ in range(count):
        at = unit.rng.randrange(records[-1].offset)
        bad = good[:at] + bytes([good[at] ^ unit.rng.randrange(1, 256)]) + good[at + 1:]
        with open(pipeline.journal, "wb") as file:
            file.write(bad)
        refused(pipeline, bad, at)
        unit.tried(DAMAGED)


def refused(pipeline, bad, at):
    collect = pipeline.processes["collect"]
    collect.start()
    collect.child.wait(TOO_LONG)
    with open(pipeline.journal, "rb") as file:
        unchanged = file.read() == bad
    if collect.status() != 1 or pipeline.journal not in collect.said() or not unchanged:
        raise Failure(f"a journal damaged at byte {at}: dp-collect ended with status {collect.status()}; expected 1, "
                      f"words that name the journal{'' if unchanged else ', and the journal unchanged'}")
