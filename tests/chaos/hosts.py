"""Two hosts and the switch between them, as network namespaces: this one, a far one, and one with a bridge.

A cut is silent, as on a real network: nobody's interface goes down. Both ways: the switch's port to the far host goes
down. One way: frames are addressed to a station that is not there.
SPDX-License-Identifier: MIT
"""
import json
import subprocess

ADDRESS = {"here": "10.77.9.1", "far": "10.77.9.2"}
NOBODY = "02:00:00:00:99:99"
TO_FAR, FROM_FAR, BOTH = "towards the far host", "from the far host", "both ways"


def _ip(*arguments, enter=()):
    done = subprocess.run([*enter, "ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


class Namespace:
    """A network namespace, held open by a process that ends when its stdin does."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec cat"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        self.enter = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments):
        return _ip(*arguments, enter=self.enter)

    def close(self):
        self.holder.communicate()


class Hosts:
    """The processes named are on the far host, the others on this one."""

    def __init__(self, names):
        self.names = names
        self.far, self.switch = Namespace(), Namespace()
        self.switch.ip("link", "add", "bridge", "type", "bridge")
        self.switch.ip("link", "set", "bridge", "up")
        for name in ADDRESS:
            self.switch.ip("link", "add", name, "type", "veth", "peer", "name", f"to-{name}")
            self.switch.ip("link", "set", name, "master", "bridge", "up")
        _ip("link", "set", "to-here", "netns", "1", enter=self.switch.enter)
        self.switch.ip("link", "set", "to-far", "netns", str(self.far.holder.pid))
        hosts = {"here": _ip, "far": self.far.ip}
        for name, host in hosts.items():
            host("link", "set", f"to-{name}", "name", "eth0")
            host("addr", "add", f"{ADDRESS[name]}/24", "dev", "eth0")
            host("link", "set", "eth0", "up")
        self.stations = {name: json.loads(host("-j", "link", "show", "eth0"))[0]["address"]
                         for name, host in hosts.items()}

    def address(self, name):
        return ADDRESS["far" if name in self.names else "here"]

    def enter(self, name):
        """What to put before a command so that it runs where it belongs."""
        return self.far.enter if name in self.names else []

    def _speak_to(self, host, other, station):
        host("neigh", "replace", ADDRESS[other], "lladdr", station, "dev", "eth0", "nud", "permanent")

    def cut(self, way):
        if way == BOTH:
            self.switch.ip("link", "set", "far", "down")
        elif way == TO_FAR:
            self._speak_to(_ip, "far", NOBODY)
        else:
            self._speak_to(self.far.ip, "here", NOBODY)

    def heal(self, way):
        if way == BOTH:
            self.switch.ip("link", "set", "far", "up")
        elif way == TO_FAR:
            self._speak_to(_ip, "far", self.stations["far"])
        else:
            self._speak_to(self.far.ip, "here", self.stations["here"])

    def close(self):
        self.far.close()
        self.switch.close()
