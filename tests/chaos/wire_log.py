"""Reads the log of disk_shim.c: was anything acknowledged or committed before it was durable in the journal?

SPDX-License-Identifier: MIT
"""
import struct

import msgpack

from ledger import journal

ENTRY = struct.Struct("=QQQ")
GREETING = 64  # bytes of a ZMTP greeting
MORE, LONG, COMMAND = 1, 2, 4  # flags of a ZMTP frame
ACK, COMMIT = 11, 13  # lib/wire/FORMAT.md


class Stream:
    """What was sent on one connection, as messages of frames."""

    def __init__(self):
        self.data, self.greeted, self.frames = b"", False, []

    def messages(self, data):
        self.data += data
        if not self.greeted and len(self.data) >= GREETING:
            self.data, self.greeted = self.data[GREETING:], True
        while self.greeted and (frame := self._frame()):
            flags, body = frame
            if flags & COMMAND:
                continue
            self.frames.append(body)
            if not flags & MORE:
                yield self.frames
                self.frames = []

    def _frame(self):
        head = 9 if self.data and self.data[0] & LONG else 2
        if len(self.data) < head:
            return None
        size = int.from_bytes(self.data[1:head], "big")
        if len(self.data) < head + size:
            return None
        flags, body = self.data[0], self.data[head:head + size]
        self.data = self.data[head + size:]
        return flags, body


def column(body):
    count, = struct.unpack_from("<I", body)
    return struct.unpack_from(f"<{count}Q", body, 4)


def promised(frames):
    """The batches a message calls settled."""
    fields = msgpack.unpackb(frames[0])
    if fields[1] == ACK:
        yield from column(frames[1])
    elif fields[1] == COMMIT:
        watermark = fields[5]
        yield from range(watermark)
        base = watermark // 64 * 64
        for i, word in enumerate(column(frames[1])):
            yield from (base + 64 * i + bit for bit in range(64) if word >> bit & 1)


def entries(path):
    with open(path, "rb") as file:
        while head := file.read(ENTRY.size):
            kind, descriptor, length = ENTRY.unpack(head)
            yield chr(kind), descriptor, length, file.read(length) if kind == ord("S") else b""


def examine(log, path):
    """(bytes of the journal that are durable, batches that were promised, those promised too early)."""
    records, torn = journal.read(path)
    ends = [record.offset for record in records[1:]] + [journal_end(path, torn)]
    written = {record.fields["batch"]: end for record, end in zip(records, ends) if record.type == "settlement"}
    durable, streams, told, early = 0, {}, set(), set()
    for kind, descriptor, length, data in entries(log):
        if kind == "D":
            durable = max(durable, length)
        elif kind == "A":
            streams[descriptor] = Stream()
        elif descriptor in streams:
            for frames in streams[descriptor].messages(data):
                now = set(promised(frames)) - told
                told |= now
                early |= {batch for batch in now if batch not in written or written[batch] > durable}
    return durable, told, early


def journal_end(path, torn):
    with open(path, "rb") as file:
        return file.seek(0, 2) - torn
