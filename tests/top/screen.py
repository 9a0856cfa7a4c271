#!/usr/bin/python3
"""Runs a program on a terminal of its own and looks at what a person would see there. Usage: screen.py COMMAND… with
steps on stdin, one a line:

  expect REGEX    until the screen (its lines joined by newlines) matches
  absent REGEX    until it does not
  send KEYS       press these; \\e is escape
  resize WxH      change the size of the window
  run COMMAND     in a shell; must succeed
  signal NAME     to the program
  save FILE       the screen as it is
  end STATUS      the program ends so, and leaves the terminal as it found it
  bare            nothing it wrote was coloured

Debian's python3-pyte is the terminal. Status 0 if every step held, 1 with the screen on stderr otherwise."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

import pyte

PATIENCE_S = 40


class Failed(Exception):
    pass


class Screen(pyte.Screen):
    """With "repeat the last character", which xterm has and pyte has not."""
    last = " "

    def draw(self, data):
        self.last = data[-1:] or self.last
        super().draw(data)

    def repeat(self, count=1, **_):
        super().draw(self.last * (count or 1))


class Stream(pyte.ByteStream):
    csi = {**pyte.ByteStream.csi, "b": "repeat"}
    events = pyte.ByteStream.events | {"repeat"}


class Terminal:
    def __init__(self, command, width=80, height=24):
        self.screen = Screen(width, height)
        self.stream = Stream(self.screen)
        self.written = b""
        self.master, slave = pty.openpty()
        self.slave = slave  # kept open: its settings are looked at in the end
        self.set_size(width, height)
        self.before = termios.tcgetattr(slave)
        self.program = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def set_size(self, width, height):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def resize(self, width, height):
        self.screen.resize(height, width)
        self.set_size(width, height)

    def listen(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            data = os.read(self.master, 65536)
            self.written += data
            self.stream.feed(data)

    def text(self):
        return "\n".join(line.rstrip() for line in self.screen.display)

    def until(self, what, holds):
        end = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > end:
                raise Failed(f"waited too long until {what}")
            self.listen(0.05)

    def end(self, status):
        self.until("the program ends", lambda: self.program.poll() is not None)
        while select.select([self.master], [], [], 0)[0]:
            self.listen(0)
        if self.program.returncode != status:
            raise Failed(f"status {self.program.returncode}, expected {status}")
        if termios.tcgetattr(self.slave) != self.before:
            raise Failed("the terminal's settings are not what they were")
        left, shown = self.written.rfind(b"\x1b[?1049l"), self.written.rfind(b"\x1b[?25h")
        if b"\x1b[?1049h" in self.written and (left < self.written.rfind(b"\x1b[?1049h") or shown < 0):
            raise Failed("the terminal was not given back")


def step(terminal, line):
    what, _, rest = line.partition(" ")
    if what == "expect":
        terminal.until(f"the screen shows {rest}", lambda: re.search(rest, terminal.text()))
    elif what == "absent":
        terminal.until(f"the screen does not show {rest}", lambda: not re.search(rest, terminal.text()))
    elif what == "send":
        os.write(terminal.master, rest.replace("\\e", "\x1b").encode())
    elif what == "resize":
        terminal.resize(*map(int, rest.split("x")))
    elif what == "run":
        subprocess.run(rest, shell=True, check=True)
    elif what == "signal":
        terminal.program.send_signal(getattr(signal, "SIG" + rest))
    elif what == "save":
        with open(rest, "w", encoding="utf-8") as file:
            file.write(terminal.text() + "\n")
    elif what == "end":
        terminal.end(int(rest))
    elif what == "bare":
        if found := re.search(rb"\x1b\[[0-9;]*[34][0-8](;[0-9;]*)?m", terminal.written):
            raise Failed(f"a colour: {found.group()}")
    else:
        raise Failed("no such step")


def main():
    terminal = Terminal(sys.argv[1:])
    line = ""
    try:
        for line in filter(None, map(str.strip, sys.stdin)):
            step(terminal, line)
    except (Failed, OSError, subprocess.CalledProcessError) as problem:
        print(f"screen.py: {line}: {problem}\n{terminal.text()}", file=sys.stderr)
        return 1
    finally:
        if terminal.program.poll() is None:
            terminal.program.kill()
            terminal.program.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
