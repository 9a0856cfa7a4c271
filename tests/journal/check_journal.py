#!/usr/bin/python3
"""Proves a run's accounting from its journal: every batch announced is settled once, as OK or as FAILED; and, given
run.json, that it says the same.

usage: check_journal.py [--unfinished] JOURNAL [RUN_JSON]

--unfinished: the run was stopped, or still goes on: batches may be open. Exit status: 0 proven, 1 not.
SPDX-License-Identifier: MIT
"""
import argparse
import json
import sys

from journal import Damaged, read


class NotProven(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise NotProven(what)


class Ledger:
    """Takes the records in order and refuses the first that breaks the accounting."""

    def __init__(self):
        self.run_id = self.plan = self.started = self.announced_in_all = None
        self.samples = {}  # sample ids and labels by announced batch
        self.settled = {}  # failed or not, by batch
        self.openings = 0
        self.complete = False

    def take(self, record):
        getattr(self, record.type)(record.fields, record.columns)

    def opened(self, fields, _):
        expect(self.run_id in (None, fields["run"]),
               f"two runs in one journal: {self.run_id or 0:016x} and {fields['run']:016x}")
        self.run_id = fields["run"]
        self.openings += 1

    def run(self, fields, _):
        plan = {key: fields[key] for key in ("batches", "samples", "plan")}
        expect(self.plan in (None, plan) or not self.samples, f"the plan changed from {self.plan} to {plan}")
        self.plan = plan
        self.started = fields["started"]

    def announce(self, _, columns):
        expect(self.plan and self.started, "batches announced before the run and its t0 were stored")
        expect(len(columns["counts"]) == len(columns["batches"]), "an announcement's columns differ in length")
        expect(len(columns["ids"]) == len(columns["labels"]) == sum(columns["counts"]),
               "an announcement's columns differ in length")
        at = 0
        for batch, count in zip(columns["batches"], columns["counts"]):
            samples = columns["ids"][at:at + count], columns["labels"][at:at + count]
            at += count
            expect(batch < self.plan["batches"], f"batch {batch} announced, but the plan has {self.plan['batches']}")
            expect(self.samples.setdefault(batch, samples) == samples,
                   f"batch {batch} announced again with other samples")

    def settlement(self, fields, columns):
        batch, failed = fields["batch"], fields["failed"]
        expect(batch in self.samples, f"batch {batch} settled, but not announced before")
        expect(batch not in self.settled, f"batch {batch} settled twice")
        wanted = 0 if failed else len(self.samples[batch][0])
        found = len(columns["predictions"])
        expect(found == wanted, f"batch {batch} settled with {found} predictions, not {wanted}")
        self.settled[batch] = failed

    def eos(self, fields, _):
        # A restarted dp-stream may get further than one that was interrupted; the latest counts.
        self.announced_in_all = fields["batches"]

    def ended(self, *_):
        missing = sorted(set(self.samples) - set(self.settled))
        expect(not missing, f"{len(missing)} announced batches are not settled, the first {missing[:1]}")
        whole_plan = len(self.samples) == self.plan["batches"]  # needs no word of dp-stream
        expect(whole_plan or self.announced_in_all == len(self.samples),
               f"{len(self.samples)} batches announced, but in all they should be {self.announced_in_all}")
        self.complete = True

    def happened(self, *_):
        """Tells no batch."""

    report = happened

    def accounts(self):
        """Samples and batches, counted as in run.json."""
        def count(size):
            done = {False: 0, True: 0}
            for batch, failed in self.settled.items():
                done[failed] += size(batch)
            announced = sum(size(batch) for batch in self.samples)
            return {"announced": announced, "completed": done[False], "failed": done[True],
                    "lost": announced - done[False] - done[True], "double_counted": 0}
        return {"samples": count(lambda batch: len(self.samples[batch][0])), "batches": count(lambda _: 1)}


def check_report(ledger, path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    expect(int(report["run_id"], 16) == ledger.run_id, f"{path} is of run {report['run_id']}")
    for kind, account in ledger.accounts().items():
        for key, value in account.items():
            expect(report[kind][key] == value, f"{path} says {kind}.{key} = {report[kind][key]}, the journal {value}")


def main():
    parser = argparse.ArgumentParser(usage="%(prog)s [--unfinished] JOURNAL [RUN_JSON]")
    parser.add_argument("--unfinished", action="store_true")
    parser.add_argument("journal")
    parser.add_argument("run_json", nargs="?")
    options = parser.parse_args()
    ledger = Ledger()
    try:
        found, torn = read(options.journal)
        expect(found, "no record")
        for record in found:
            try:
                ledger.take(record)
            except NotProven as problem:
                raise NotProven(f"byte {record.offset}: {problem}") from problem
        if not options.unfinished:
            expect(ledger.complete, "the run has not ended")
        if options.run_json:
            check_report(ledger, options.run_json)
    except (NotProven, Damaged, OSError, KeyError, ValueError) as problem:
        print(f"NOT PROVEN: {options.journal}: {problem}")
        return 1
    batches = ledger.accounts()["batches"]
    print(f"proven: run {ledger.run_id:016x}, opened {ledger.openings} times: {batches['announced']} batches announced = "
          f"{batches['completed']} OK + {batches['failed']} FAILED + {batches['lost']} open, none twice; "
          f"{torn} bytes torn")
    return 0


if __name__ == "__main__":
    sys.exit(main())
