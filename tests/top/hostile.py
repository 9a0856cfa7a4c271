#!/usr/bin/python3
"""Somebody who means no good at the ports for watching: http HOST:PORT, or live HOST:PORT. Goes on until hung up on or
for the seconds given as third argument, and prints what was sent, bytes."""

import selectors
import socket
import struct
import sys
import time


def connect(address):
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=5)


def pour(sockets, chunk, seconds):
    """Sends to all that take it, as fast as they do."""
    sent, end = 0, time.monotonic() + seconds
    open_ones = selectors.DefaultSelector()
    for one in sockets:
        one.setblocking(False)
        open_ones.register(one, selectors.EVENT_WRITE, bytearray())
    while open_ones.get_map() and time.monotonic() < end:
        for key, _ in open_ones.select(0.1):
            try:
                if not key.data:
                    key.data.extend(chunk())
                taken = key.fileobj.send(key.data)
                del key.data[:taken]
                sent += taken
            except BlockingIOError:
                continue
            except OSError:
                open_ones.unregister(key.fileobj)
    return sent


def http(address, seconds):
    """Requests that never end, headers without end, and a body nobody wants."""
    heads = [b"GET /metrics HTTP/1.1\r\nA: ", b"GET /metrics HTTP/1.1\r\n",
             b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n", b""]
    sockets = []
    for n in range(40):
        one = connect(address)
        one.sendall(heads[n % len(heads)])
        sockets.append(one)
    return pour(sockets, lambda: b"X-Y: z\r\n" * 100, seconds)


def live(address, seconds):
    """A subscriber that wants ever more: ZMTP 3.0 without keys, then a new subscription with each frame."""
    def greeted():
        one = connect(address)
        one.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32))
        ready = b"\x05READY\x0bSocket-Type" + struct.pack(">I", 3) + b"SUB"
        one.sendall(b"\x04" + bytes([len(ready)]) + ready)
        heard = b""
        while b"READY" not in heard:
            heard += one.recv(256) or sys.exit("hung up on before the handshake was over")
        return one
    number = 0
    def subscriptions():
        nonlocal number
        frames = b""
        for _ in range(500):
            number += 1
            frames += b"\x00\x09\x01" + struct.pack(">Q", number * 0x9E3779B97F4A7C15 & (2**64 - 1))
        return frames
    end, sent = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        try:
            sent += pour([greeted() for _ in range(4)], subscriptions, min(2, end - time.monotonic()))
        except OSError:
            pass
    return sent


if __name__ == "__main__":
    print({"http": http, "live": live}[sys.argv[1]](sys.argv[2], float(sys.argv[3])))
