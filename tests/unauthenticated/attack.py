#!/usr/bin/env python3
# What unauthenticated peers do to an open port, with plain sockets: garbage, ZMTP by hand, recorded bytes. Shares no code with the
# tools. Usage: attack.py ATTACK tcp://HOST:PORT [ARGUMENT…]; says on stdout what became of it, as one JSON object.
# SPDX-License-Identifier: MIT
import json
import os
import random
import select
import socket
import struct
import sys
import time

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" + bytes(31)
READY = b"\x05READY\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
MORE, LONG, COMMAND = 1, 2, 4
VERSION = 2  # of FORMAT.md


def address(endpoint):
    host, port = endpoint.removeprefix("tcp://").rsplit(":", 1)
    return host, int(port)


def frame(body, flags=0):
    if len(body) > 255:
        return struct.pack(">BQ", flags | LONG, len(body)) + body
    return struct.pack(">BB", flags, len(body)) + body


def connect(endpoint):
    return socket.create_connection(address(endpoint), timeout=10)


def introduced(endpoint):
    """A connection that has shaken hands without keys."""
    s = connect(endpoint)
    s.sendall(GREETING + frame(READY, COMMAND))
    got = b""
    while len(got) < len(GREETING) + 10:
        part = s.recv(4096)
        if not part:
            raise ConnectionError("hung up during the handshake")
        got += part
    return s


def pack(value):
    """MessagePack, as much of it as headers need."""
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack(">BQ", 0xCF, value) if value >= 0 else struct.pack(">Bq", 0xD3, value)
    if isinstance(value, str):
        text = value.encode()
        return struct.pack(">BH", 0xDA, len(text)) + text
    return struct.pack(">BH", 0xDC, len(value)) + b"".join(pack(v) for v in value)


def hello(role, session, name, held=()):
    """HELLO as in FORMAT.md."""
    header = pack([VERSION, 0, session, 0, role, name, "elsewhere", 0, False, 0, 3, 32, 32, 32, 0, "none", []])
    columns = struct.pack("<I", 0) + struct.pack(f"<I{len(held)}Q", len(held), *held) + struct.pack("<I", 0)
    return frame(header, MORE) + frame(columns)


def push(s, data):
    """True until the other side hangs up."""
    try:
        s.sendall(data)
        return True
    except OSError:
        return False


def hung_up(s, patience):
    """Reads until the other side hangs up, or patience ends."""
    end = time.monotonic() + patience
    while (left := end - time.monotonic()) > 0:
        if select.select([s], [], [], left)[0]:
            try:
                if not s.recv(65536):
                    return True
            except OSError:
                return True
    return False


def garbage(endpoint, count="200"):
    draw = random.Random(1)
    shapes = [
        lambda: draw.randbytes(draw.randrange(1, 5000)),
        lambda: GREETING + draw.randbytes(draw.randrange(1, 2000)),
        lambda: GREETING[: draw.randrange(1, 64)],
        lambda: GREETING + frame(READY, COMMAND) + draw.randbytes(draw.randrange(1, 5000)),
        lambda: GREETING + frame(READY, COMMAND) + frame(draw.randbytes(draw.randrange(300))),
        lambda: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        lambda: b"\xff" * draw.randrange(1, 5000),
    ]
    for n in range(int(count)):
        s = connect(endpoint)
        push(s, shapes[n % len(shapes)]())
        s.close()
    return {"connections": int(count)}


def oversize(endpoint, announced=str(1 << 40)):
    """Announces a frame, and sends as much of it as is taken (at most 1 GiB)."""
    s = introduced(endpoint)
    sent, chunk = 0, bytes(1 << 20)
    alive = push(s, struct.pack(">BQ", LONG, int(announced)))
    while alive and sent < 1 << 30:
        alive = push(s, chunk)
        sent += len(chunk)
    return {"sent": sent, "hung_up": not alive}


def endless(endpoint, size="0", most=str(1 << 33)):
    """One message that never ends: frames with the MORE flag."""
    s = introduced(endpoint)
    sent, chunk = 0, frame(bytes(int(size)), MORE) * max(1, 65536 // (int(size) + 2))
    alive = True
    while alive and sent < int(most):
        alive = push(s, chunk)
        sent += len(chunk)
    return {"sent": sent, "hung_up": not alive}


def idle(endpoint, count="1000", seconds="8", said="0"):
    """Many connections that say nothing, or only the first `said` bytes of a handshake, and stay."""
    script = GREETING + frame(READY, COMMAND)
    open_ones, failed, end = [], 0, time.monotonic() + float(seconds)
    for _ in range(int(count)):
        try:
            s = connect(endpoint)
            s.sendall(script[: int(said)])
            s.setblocking(False)
            open_ones.append(s)
        except OSError:
            failed += 1
    while time.monotonic() < end:
        time.sleep(0.05)
    ended = 0
    for s in open_ones:
        try:
            while s.recv(4096):
                pass
            ended += 1
        except BlockingIOError:
            pass
        except OSError:
            ended += 1
    return {"connected": len(open_ones), "failed": failed, "hung_up": ended}


def hellos(endpoint, role="2", count="500", per_connection="20"):
    """HELLOs under ever new names and sessions, the answers unread."""
    draw = random.Random(2)
    held = []
    for n in range(int(count)):
        try:
            s = introduced(endpoint)
        except OSError:
            continue
        for k in range(int(per_connection)):
            held_batches = [draw.getrandbits(64) for _ in range(8)]
            if not push(s, hello(int(role), draw.getrandbits(64) | 1, f"intruder-{n}-{k}", held_batches)):
                break
        held.append(s)
        if len(held) > 50:
            held.pop(0).close()
    return {"connections": int(count)}


def unread(endpoint, seconds="5"):
    """Messages that call for an answer, and never reads one."""
    s = introduced(endpoint)
    s.setblocking(True)
    s.settimeout(1)
    message = frame(pack([VERSION, 20, 77, 1, 0, 0, 0, 0]))
    sent, end = 0, time.monotonic() + float(seconds)
    while time.monotonic() < end and push(s, message * 500):
        sent += 500
    return {"messages": sent}


def record(endpoint, folder):
    """A proxy: passes connections on to the endpoint and keeps what the connecting sides said, one file each."""
    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"endpoint": f"tcp://127.0.0.1:{listener.getsockname()[1]}"}), flush=True)
    pairs, logs = {}, {}
    while True:
        for s in select.select([listener, *pairs], [], [])[0]:
            if s is listener:
                near, _ = listener.accept()
                try:
                    far = connect(endpoint)
                except OSError:
                    near.close()
                    continue
                pairs[near], pairs[far] = far, near
                logs[near] = open(os.path.join(folder, f"{len(logs)}.bytes"), "wb", buffering=0)
                continue
            if s not in pairs:
                continue
            try:
                data = s.recv(1 << 16)
            except OSError:
                data = b""
            other = pairs[s]
            if s in logs:
                logs[s].write(data)
            if not data or not push(other, data):
                for end in (s, other):
                    pairs.pop(end, None)
                    end.close()


def replay(endpoint, *files):
    """Says what was recorded once more, twice over, each on a new connection."""
    sent = 0
    for name in files * 2:
        with open(name, "rb") as f:
            data = f.read()
        s = connect(endpoint)
        for at in range(0, len(data), 4096):
            if not push(s, data[at : at + 4096]):
                break
            sent += len(data[at : at + 4096])
        hung_up(s, 0.3)
        s.close()
    return {"sent": sent}


attacks = {f.__name__: f for f in (garbage, oversize, endless, idle, hellos, unread, record, replay)}
if __name__ == "__main__":
    try:
        print(json.dumps(attacks[sys.argv[1]](*sys.argv[2:])))
    except ConnectionError as refused:
        print(json.dumps({"refused": str(refused)}))
