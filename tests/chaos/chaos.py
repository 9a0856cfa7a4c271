#!/usr/bin/python3
"""Real faults against real processes: kills, stops, cuts, disks that fail, torn journals, all start orders. Proves
after each run that every announced batch is settled exactly once, and times how soon the pipeline goes on.

SPDX-License-Identifier: MIT
"""
import argparse
import datetime
import functools
import json
import os
import platform
import selectors
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import cuts  # noqa: E402
import disk  # noqa: E402
import hosts  # noqa: E402
import kills  # noqa: E402
import orders  # noqa: E402
import stops  # noqa: E402
import torn  # noqa: E402
import unit  # noqa: E402
from table import Table  # noqa: E402

TOOLS = ("dp-stream", "dp-route", "dp-infer", "dp-collect")
NEWLINE = "\n"
ENOUGH = 3  # failures: then nothing more is tried
NEEDED = ("unshare", "nsenter", "setpriv", "ip", "mount", "cc")


@functools.cache
def strategies(tools):
    """The names of all that dp-route has."""
    listed = subprocess.run([os.path.join(tools, "dp-route"), "--list-strategies"], capture_output=True, text=True, check=True)
    return [line.split("\t")[0] for line in listed.stdout.splitlines()]


def plan(options):
    """Every unit of the round: {family, step, arguments, title}. One with many faults is cut into several."""
    units = []

    def add(family, title, total, at_once, step="run", **arguments):
        while total > 0:
            units.append({"family": family.__name__, "step": step, "title": title,
                          "arguments": dict(arguments, count=min(total, at_once))})
            total -= at_once

    for role in ("stream", "route", "infer", "collect"):
        add(kills, kills.label(role), options.kills, 10, fault=role)
    for together in kills.TOGETHER:
        add(kills, kills.label(together), options.double, 10, fault=together)
    add(kills, kills.ANY, options.kills, 10, step="short_runs")
    for role in ("infer", "route", "collect", "stream"):
        add(stops, stops.label(role), options.cuts, 5, role=role)
    for way in (hosts.TO_FAR, hosts.FROM_FAR, hosts.BOTH):
        add(cuts, cuts.label(way), options.cuts, 5, way=way)
    for fault in (disk.FULL, disk.SYNC):
        add(disk, fault, (options.cuts + 1) // 2, 5, fault=fault)
    for kind in (torn.UNDERWAY, torn.ENDED):
        units.append({"family": "torn", "step": "make", "title": torn.label(kind),
                      "arguments": {"kind": kind, "slices": 2 * options.lanes, "whole": options.torn == "all"}})
    add(torn, torn.DAMAGED, options.cuts, 25, step="damage")
    for first in range(0, len(orders.ORDERS), 6):
        units.append({"family": "orders", "step": "run", "title": orders.LABEL,
                      "arguments": {"numbers": list(range(first, first + 6))}})
    for number, spec in enumerate(units, 1):
        spec["number"] = str(number)
    return units


class Lane:
    """One unit at work."""

    def __init__(self, spec):
        self.spec, self.ended, self.text = spec, None, b""
        self.child = subprocess.Popen(unit.command(spec), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                      start_new_session=True)

    def read(self):
        """What it has told since; [] once it is gone."""
        data = os.read(self.child.stdout.fileno(), 65536)
        *lines, self.text = (self.text + data).split(b"\n")
        return [json.loads(line) for line in lines], bool(data)

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        self.child.stdout.close()


class Round:
    """Runs the units side by side and keeps the table."""

    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.table, self.failures = Table(), []
        self.waiting = plan(options)
        if options.only:
            self.waiting = [spec for spec in self.waiting if spec["number"] in options.only.split(",")]
        self.open = {}  # units that are not over, by title
        for spec in self.waiting:
            self.open[spec["title"]] = self.open.get(spec["title"], 0) + 1
            self.table.row(spec["title"])  # in the plan's order
        self.selector = selectors.DefaultSelector()
        self.began = time.monotonic()

    def run(self):
        lanes = set()
        try:
            while lanes or self.waiting and len(self.failures) < ENOUGH:
                while self.waiting and len(lanes) < self.options.lanes and len(self.failures) < ENOUGH:
                    lanes.add(self._start(self.waiting.pop(0)))
                for key, _ in self.selector.select(1):
                    if not self._hear(key.data):
                        lanes.remove(key.data)
                self._progress()
        finally:
            for lane in lanes:
                lane.close()
            self._clear()

    def _start(self, spec):
        spec = dict(spec, seed=f"{self.options.seed}/{spec['number']}", tools=self.options.tools,
                    strategies=strategies(self.options.tools), folder=os.path.join(self.folder, spec["number"]))
        lane = Lane(spec)
        self.selector.register(lane.child.stdout, selectors.EVENT_READ, lane)
        return lane

    def _hear(self, lane):
        """Takes in what a lane told; False when it is over."""
        messages, more = lane.read()
        for said in messages:
            self.table.take(said)
            if "then" in said:
                self._propose(lane.spec, said["then"])
            if "done" in said or "failed" in said:
                lane.ended = said
        if more:
            return True
        self.selector.unregister(lane.child.stdout)
        lane.close()
        self._over(lane)
        return False

    def _propose(self, spec, units):
        for number, proposed in enumerate(units, 1):
            self.waiting.append(dict(proposed, number=f"{spec['number']}.{number}"))
            self.open[proposed["title"]] += 1

    def _over(self, lane):
        spec, ended = lane.spec, lane.ended or {"failed": f"the unit ended with status {lane.child.returncode}"}
        if "failed" in ended:
            self._clear()
            self.failures.append(spec["title"])
            replay = self.options.command + ["--only", spec["number"].split(".")[0]]
            print(f"FAILED: {spec['title']} (unit {spec['number']}): {ended['failed']}\n{ended.get('logs', '')}\n"
                  f"  again: {shlex.join(replay)}", file=sys.stderr, flush=True)
        elif spec["step"] != "make":
            shutil.rmtree(spec["folder"], ignore_errors=True)
        self.open[spec["title"]] -= 1
        if self.open[spec["title"]] == 0 and not sys.stderr.isatty():
            print(f"{self._elapsed()}  {spec['title']}: {self.table.row(spec['title']).summary()}", file=sys.stderr,
                  flush=True)

    def _elapsed(self):
        return str(datetime.timedelta(seconds=int(time.monotonic() - self.began)))

    def _progress(self):
        if sys.stderr.isatty():
            rows = self.table.rows.values()
            seconds = [second for row in rows for second in row.seconds]
            print(f"\r{self._elapsed()}  {sum(row.times for row in rows)} faults  {len(self.waiting)} units to go  "
                  f"worst {max(seconds, default=0):.2f} s  {len(self.failures)} failed\x1b[K", end="", file=sys.stderr,
                  flush=True)

    def _clear(self):
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr)


def document(table, options, elapsed):
    """docs/faults.md"""
    return f"""# Real faults

Processes killed, stopped, cut off from each other, their disk full or failing, their journal torn: every announced
batch is settled exactly once, and the pipeline goes on by itself. Made by

    {options.made_by}

in {elapsed / 60:.0f} minutes on {datetime.date.today()} ({os.cpu_count()} cores, Linux {platform.release().split("-")[0]}; \
{options.lanes} runs side by side).

{NEWLINE.join(table.lines())}

*Lost*, *counted twice* and *failed batches* are those of all runs, read from their journals; `check_journal.py` proved
each. *Seconds to next settled* are counted from the restart (the continuation, the healing) until a batch that passed
what was restarted is settled in the journal. Who misses three heartbeats of 200 ms is taken for gone; cuts last up to
10 s. Status 3: everything is accounted for, but the timing is not honest, and the report says why.
"""


def check_needs(options):
    """Says what is missing; nothing is skipped."""
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        sys.exit(f"chaos.py: {', '.join(missing)}: not found (Debian: util-linux, iproute2, gcc)")
    for tool in TOOLS:
        if not os.access(os.path.join(options.tools, tool), os.X_OK):
            sys.exit(f"chaos.py: {options.tools}/{tool} is not there (run: make -f Makefile.bench build)")
    probe = unit.command({})
    probe[probe.index(sys.executable):] = ["mount", "-t", "tmpfs", "chaos", "/mnt"]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        who = "not even root can" if os.geteuid() == 0 else "only root can"
        sys.exit(f"chaos.py: {who} make network, mount and process namespaces here: {done.stderr.strip()}")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--tools", required=True, help="folder of the built tools")
    parser.add_argument("--seed", type=int, default=1, help="of every choice")
    parser.add_argument("--kills", type=int, default=200, help="of each role")
    parser.add_argument("--double", type=int, default=100, help="kills of several processes together, of each kind")
    parser.add_argument("--cuts", type=int, default=50,
                        help="each way; as many stops of each role, half as many failures of the disk")
    parser.add_argument("--torn", choices=("all", "some"), default="all",
                        help="complete the run from every torn journal, or from some; every one is read")
    parser.add_argument("--limit", type=float, default=3, help="seconds until the next settled batch, at most")
    parser.add_argument("--lanes", type=int, default=6, help="runs side by side")
    parser.add_argument("--markdown", help="write the table there")
    parser.add_argument("--made-by", help="the command that the document names")
    parser.add_argument("--only", help="numbers of the units to run")
    parser.add_argument("--keep", action="store_true", help="leave what failing units wrote")
    options = parser.parse_args()
    options.tools = os.path.abspath(options.tools)
    options.command = [sys.argv[0], *sys.argv[1:]]
    options.made_by = options.made_by or shlex.join(options.command)
    return options


def main():
    options = parse()
    check_needs(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    folder = tempfile.mkdtemp(prefix="chaos-")
    print(f"chaos: SEED={options.seed}, {options.lanes} runs side by side", file=sys.stderr)
    round_ = Round(options, folder)
    try:
        round_.run()
    except KeyboardInterrupt:
        print("chaos: interrupted", file=sys.stderr)
        return 130
    finally:
        if options.keep and round_.failures:
            print(f"chaos: kept {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(round_.table.lines()))
    slow = round_.table.slow(options.limit)
    for fault, seconds in slow:
        print(f"FAILED: {fault}: {seconds:.2f} s until the next settled batch, over {options.limit:g} s",
              file=sys.stderr)
    if options.markdown and not round_.failures and not slow:
        with open(options.markdown, "w", encoding="utf-8") as file:
            file.write(document(round_.table, options, time.monotonic() - round_.began))
    return 1 if round_.failures or slow else 0


if __name__ == "__main__":
    sys.exit(main())
