"""One unit of a round: some faults of one family, in network, mount and process namespaces of its own, so that its
ports are its own and nothing can outlive it. Tells what happened as JSON lines on stdout. Started by chaos.py.

SPDX-License-Identifier: MIT
"""
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import traceback

from pipeline import Failure, Pipeline


def command(spec):
    """How to run a unit: the kernel ends all of its processes and namespaces when it ends or its starter does."""
    own = ["unshare", *(["--map-root-user"] if os.geteuid() else []), "--net", "--mount", "--pid", "--fork",
           "--kill-child", "--mount-proc"]
    return ["setpriv", "--pdeathsig", "KILL", *own, sys.executable, os.path.abspath(__file__), json.dumps(spec)]


class Unit:
    """What a family of faults works with."""

    def __init__(self, spec):
        self.spec = spec
        self.rng = random.Random(spec["seed"])
        self.folder = spec["folder"]
        self.pipelines = []

    def tell(self, **what):
        print(json.dumps(what), flush=True)

    def tried(self, fault, seconds=None):
        """One fault was survived; `seconds` until the next settled batch."""
        self.tell(fault=fault, seconds=seconds)

    def ran(self, fault, outcome):
        """One run came to its end."""
        self.tell(run=fault, **outcome._asdict())

    def pipeline(self, setting, **options):
        """A new run; the one before it must be over."""
        self.close()
        folder = os.path.join(self.folder, f"run{len(self.pipelines)}")
        self.pipelines.append(Pipeline(folder, self.spec["tools"], setting, **options))
        return self.pipelines[-1]

    def close(self):
        if self.pipelines:
            self.pipelines[-1].end()

    def left_behind(self):
        """Processes of this namespace beside this one."""
        return [pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid()]


def main():
    # A round started in the background of a script ignores SIGINT, and so would the tools.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    spec = json.loads(sys.argv[1])
    os.makedirs(spec["folder"], exist_ok=True)
    unit = Unit(spec)
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        getattr(importlib.import_module(spec["family"]), spec["step"])(unit, **spec["arguments"])
        if left := unit.left_behind():
            raise Failure(f"processes {left} were left behind")
        unit.tell(done=True)
    except Exception as problem:  # told to the parent, whatever it is
        what = str(problem) if isinstance(problem, Failure) else traceback.format_exc()
        unit.tell(failed=what, logs=unit.pipelines[-1].logs() if unit.pipelines else "")
    finally:
        unit.close()


if __name__ == "__main__":
    main()
