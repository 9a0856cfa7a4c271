"""The processes of one run: started, killed by id, stopped, continued, restarted with the same flags, and judged.

Everything happens on the fixed ports of a loopback of its own (see unit.py), so that a restarted tool finds its place.
SPDX-License-Identifier: MIT
"""
import json
import os
import signal
import subprocess
import sys
import time
from typing import NamedTuple

from ledger import Ledger
from process import Process

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
HEARTBEAT = 0.2
LOST_AFTER = 3 * HEARTBEAT  # a peer that misses three heartbeats is gone
SERVICE = 0.005
TOO_LONG = 30.0  # for whatever is waited for: far beyond what is judged


class Failure(Exception):
    """What the tools must never do."""


class Outcome(NamedTuple):
    status: int
    lost: int
    doubled: int
    failed: int
    verdicts: list


class Setting(NamedTuple):
    """What a run is made of; the defaults suit most faults."""
    batches: int = 3000
    workers: int = 2
    strategy: str = "dynamic"
    buffer: int = 0
    lease: str = "10s"
    credit: int = 2
    batch_size: int = 4
    rate: str = "max"


def drawn(unit, **fixed):
    """A setting at random. With one worker and a small buffer the next settlement needs every role."""
    rng = unit.rng
    workers = rng.choice((1, 1, 2, 3))
    on_schedule = str(round(0.7 * workers * Setting().batch_size / SERVICE))
    values = {"workers": workers, "rate": rng.choice(("max", "max", on_schedule)), "buffer": rng.choice((0, 8)),
              "strategy": rng.choice(unit.spec["strategies"]), "credit": rng.choice((2, 2, 8))}
    return Setting(**values | fixed)


def short_queue(role):
    """Without it, what the stream sends next would wait for what it sent before the fault."""
    return {"buffer": 8} if role == "stream" else {}


class Pipeline:
    """One run. `hosts` says where the processes are, if not all on this host."""

    def __init__(self, folder, tools, setting, journal=None, env=None, hosts=None):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.tools, self.setting = folder, tools, setting
        self.journal = journal or os.path.join(folder, "journal")
        self.report = os.path.join(folder, "run.json")
        self.ledger = Ledger(self.journal)
        self.hosts = hosts
        self.processes = {name: Process(name, command, folder, (env or {}).get(name))
                          for name, command in self._commands().items()}
        self.killed = set()  # down on purpose

    # ── Command lines ──
    def _endpoint(self, name, port):
        return f"tcp://{self.hosts.address(name) if self.hosts else '127.0.0.1'}:{port}"

    def _commands(self):
        s = self.setting
        links = ["--heartbeat", f"{HEARTBEAT * 1000:.0f}ms", "--wait", f"{TOO_LONG:.0f}s"]
        if self.hosts:
            links.append("--insecure")
        collect = ["--collect", self._endpoint("collect", 5603)]
        workers = self._endpoint("route", 5602)
        streams = self._endpoint("route", 5601)
        commands = {
            "collect": ["--bind", self._endpoint("collect", 5603), "--journal", self.journal, "--out", self.report],
            "route": ["--stream-bind", streams, "--worker-bind", workers, *collect, "--strategy", s.strategy,
                      "--workers", str(s.workers), "--buffer", str(s.buffer), "--lease", s.lease],
            "stream": ["--data", "synthetic:1x4x4", "--rate", s.rate, "--samples", str(s.batches * s.batch_size),
                       "--batch-size", str(s.batch_size), "--route", streams, *collect],
        }
        for w in range(s.workers):
            commands[f"w{w}"] = ["--name", f"w{w}", "--backend", "synthetic", "--service",
                                 f"fixed:{SERVICE * 1000:.0f}ms", "--credit", str(s.credit), "--route", workers,
                                 *collect]
        for name, flags in commands.items():
            role = role_of(name)
            where = self.hosts.enter(name) if self.hosts else []
            commands[name] = [*where, os.path.join(self.tools, f"dp-{role}"), *flags, *links]
        return commands

    # ── What is done to them ──
    def names(self, role):
        return [name for name in self.processes if role_of(name) == role]

    def start(self, names=None):
        for name in names or self.processes:
            self.processes[name].start()
            self.killed.discard(name)

    def kill(self, names):
        self.killed.update(names)
        for name in names:
            self.processes[name].signal(signal.SIGKILL)
        for name in names:
            self.processes[name].child.wait()

    def signal(self, names, number):
        for name in names:
            self.processes[name].signal(number)

    # ── What is waited for ──
    def wait(self, what, condition, longest=TOO_LONG):
        """Until the condition holds; fails if a process ends that was not killed, or it takes too long."""
        deadline = time.monotonic() + longest
        while not condition():
            self.unhurt()
            if time.monotonic() > deadline:
                raise Failure(f"waited {longest:.0f} s for {what}")
            time.sleep(0.002)

    def unhurt(self):
        """Nobody leaves before the journal says that the run is over."""
        ended = [p for p in self.processes.values() if p.child and p.name not in self.killed and not p.alive()]
        if not ended or self.ledger.poll().ended or not self.open_batches():
            return
        raise Failure(f"{ended[0].name} ended by itself with status {ended[0].status()}, "
                      f"and {self.open_batches()} batches open")

    def open_batches(self):
        """Batches that are not settled yet; about as many as were asked for while the journal does not say."""
        return (self.ledger.planned or self.setting.batches) - len(self.ledger.settled)

    def over(self):
        return not self.processes["collect"].alive() and "collect" not in self.killed

    def next_settlement(self, since, through=()):
        """Seconds from `since` until a batch that passed `through` after it (see Ledger.watch) is in the journal; None
        if the run ended first."""
        self.ledger.watch(since * 1e9, through)
        self.wait("the next settled batch",
                  lambda: self.ledger.poll().seen or self.ledger.ended or not self.open_batches())
        return time.monotonic() - since if self.ledger.seen else None

    def restart(self, names):
        """Seconds from the restart until the next settled batch that passed what was restarted, or None if none was
        left to settle."""
        self.ledger.poll()
        since = time.monotonic()
        self.start(names)
        return self.next_settlement(since, names)

    def settle(self, count):
        """Waits until `count` batches are settled."""
        self.wait(f"{count} settled batches", lambda: len(self.ledger.poll().settled) >= count)

    # ── The end ──
    def finish(self):
        """Waits for everybody to leave by themselves and judges the run."""
        self.wait("the end of the run", lambda: self.ledger.poll().ended or not self.open_batches() or self.over(),
                  TOO_LONG + self.setting.batches * SERVICE)
        self.wait("dp-collect to leave", self.over)
        others = [p for p in self.processes.values() if p.name not in self.killed and p.name != "collect"]
        self._wait_for_leaving([p for p in others if not self._late(p)], 10)
        self._wait_for_leaving([p for p in others if self._late(p)], 1)
        return self.judge()

    def _late(self, process):
        """Who was started when all, or nearly all, was settled may find nobody to talk to."""
        return process.started > self.ledger.latest / 1e9 - 1

    def _wait_for_leaving(self, processes, longest):
        deadline = time.monotonic() + longest
        while any(p.alive() for p in processes) and time.monotonic() < deadline:
            time.sleep(0.002)
        for process in processes:
            if not process.alive():
                if process.status() != 0 and not self._late(process):
                    raise Failure(f"{process.name} ended with status {process.status()}")
            elif self._late(process):
                process.kill()
            else:
                raise Failure(f"{process.name} was still there {longest} s after dp-collect had left")

    def judge(self):
        status = self.processes["collect"].status()
        if status not in (0, 3):
            raise Failure(f"dp-collect ended with status {status}")
        with open(self.report, encoding="utf-8") as file:
            report = json.load(file)
        bad = [verdict["criterion"] for verdict in report["verdicts"] if not verdict["ok"]]
        if (status == 3) != bool(bad):
            raise Failure(f"dp-collect ended with status {status}, but the verdicts that fail are {bad}")
        ledger, samples = self.ledger.poll(), report["samples"]
        lost = max(ledger.lost, self.open_batches())
        doubled = max(ledger.doubled, samples["double_counted"])
        if lost or doubled or samples["lost"] or samples["announced"] != samples["completed"] + samples["failed"]:
            raise Failure(f"{lost} batches lost, {doubled} counted twice; run.json: {samples}")
        self._check_journal()
        return Outcome(status, lost, doubled, len(ledger.failed), bad)

    def _check_journal(self):
        checker = os.path.join(ROOT, "tests", "journal", "check_journal.py")
        done = subprocess.run([sys.executable, checker, self.journal, self.report], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"check_journal.py: {done.stdout}{done.stderr}")

    def end(self):
        """Whatever happened, nothing is left running."""
        for process in self.processes.values():
            if process.alive():
                process.kill()

    def logs(self, lines=25):
        """The last lines of what everybody said."""
        told = []
        for process in self.processes.values():
            if os.path.exists(process.log):
                with open(process.log, encoding="utf-8", errors="replace") as log:
                    told += [f"  {process.name}: {line}" for line in log.read().splitlines()[-lines:]]
        return "\n".join(told)


def role_of(name):
    return name if name in ("stream", "route", "collect") else "infer"
