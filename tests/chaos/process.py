"""One tool of a run: its command line, its log, and the process that runs it now.

SPDX-License-Identifier: MIT
"""
import os
import signal
import subprocess
import time


class Process:
    """Started, signalled and killed by its id, any number of times."""

    def __init__(self, name, command, folder, env=None):
        self.name, self.command, self.env = name, command, env
        self.log = os.path.join(folder, f"{name}.log")
        self.started = 0.0
        self.child = None

    def start(self):
        self.started = time.monotonic()
        with open(self.log, "ab") as log:
            log.write(f"-- {' '.join(self.command)}\n".encode())
            log.flush()
            self.log_from = log.tell()
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          env=os.environ | (self.env or {}))

    def alive(self):
        return self.child is not None and self.child.poll() is None

    def status(self):
        return self.child.returncode

    def signal(self, number):
        if self.alive():
            self.child.send_signal(number)

    def kill(self):
        """Gone when this returns."""
        self.signal(signal.SIGKILL)
        self.child.wait()

    def said(self):
        """What it has written since it was started."""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            log.seek(self.log_from)
            return log.read()
