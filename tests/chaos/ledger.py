"""What a run's journal says, followed while it is written.

SPDX-License-Identifier: MIT
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "journal"))
import journal  # noqa: E402


class Ledger:
    """Counts what was announced and what was settled; `poll` reads on."""

    def __init__(self, path):
        self.tail = journal.Tail(path)
        self.planned = None  # batches, once the run is known
        self.announced, self.settled, self.failed = set(), set(), set()
        self.doubled = 0
        self.latest = 0  # when the newest settlement was collected: ns on the monotonic clock
        self.ended = False
        self.watch(0, ())

    def watch(self, since, through):
        """`seen` becomes true with the next settlement that was collected after `since` and passed, after it, those of
        stream, route and collect that `through` names, and one of the workers that it names."""
        self.since, self.through, self.seen = since, through, False

    def poll(self):
        for record in self.tail.poll():
            if record.type == "run":
                self.planned = record.fields["batches"]
            elif record.type == "announce":
                self.announced.update(record.columns["batches"])
            elif record.type == "settlement":
                batch = record.fields["batch"]
                self.doubled += batch in self.settled
                self.settled.add(batch)
                if record.fields["failed"]:
                    self.failed.add(batch)
                self.latest = max(self.latest, record.fields["collected"])
                self.seen = self.seen or self._passed(record.fields)
            elif record.type == "ended":
                self.ended = True
        return self

    def _passed(self, settlement):
        at = {"stream": settlement["sent"], "route": settlement["routed"], "collect": settlement["collected"]}
        workers = [name for name in self.through if name not in at]
        return (all(at[name] >= self.since for name in {"collect", *self.through} - set(workers)) and
                (not workers or settlement["worker"] in workers and settlement["received"] >= self.since))

    @property
    def lost(self):
        return len(self.announced - self.settled)
