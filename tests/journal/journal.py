"""Reads dp-collect's journal as lib/collect/JOURNAL.md describes it; shares no code with the tools.

records(path) yields every record of a file; Tail(path).poll() returns those that came since it was last asked.
SPDX-License-Identifier: MIT
"""
import struct
import zlib
from typing import Iterator, NamedTuple

import msgpack

HEAD = struct.Struct("<III")
LONGEST_BODY = 32 << 20

# Type number: name, fields, columns and the element each holds.
TYPES = [
    ("opened", "format run boot_id at wall_ns", {}),
    ("run", "batches samples plan started t0 rate concurrency data_name data_digest", {"options": "text"}),
    ("announce", "", {"batches": "Q", "scheduled": "q", "released": "q", "counts": "I", "ids": "I", "labels": "H",
                      "arrivals": "q"}),
    ("settlement", "batch failed attempt worker why sent routed received started done collected",
     {"predictions": "H"}),
    ("happened", "at what", {}),
    ("eos", "batches", {}),
    ("ended", "", {}),
    ("report", "strategy decisions retries full", {"options": "text", "slots": "text", "events": "text",
                                                   "event_times": "q", "shard_map": "I", "shard_load": "Q",
                                                   "failing": "text", "failures": "Q"}),
]


class Damaged(Exception):
    """The file is no journal, or one that no crash leaves behind."""


class Record(NamedTuple):
    offset: int  # of its first byte in the file
    type: str
    fields: dict
    columns: dict  # of lists


def good_at(data, offset):
    """The length of the record that begins there, or 0 if none does."""
    if offset + HEAD.size > len(data):
        return 0
    crc, length, kind = HEAD.unpack_from(data, offset)
    end = offset + HEAD.size + length
    if kind >= len(TYPES) or not 1 <= length <= LONGEST_BODY or end > len(data):
        return 0
    return end - offset if zlib.crc32(data[offset + 4:end]) == crc else 0


def _array(body):
    """The MessagePack array at the start of the body, and where it ends."""
    unpacker = msgpack.Unpacker(max_buffer_size=LONGEST_BODY + 1)
    unpacker.feed(body)
    values = unpacker.unpack()
    if not isinstance(values, list):
        raise Damaged("a body does not begin with an array")
    return values, unpacker.tell()


def _columns(body, layout):
    columns, at = {}, 0

    def number():
        nonlocal at
        value, = struct.unpack_from("<I", body, at)
        at += 4
        return value

    for name, element in layout.items():
        count = number()
        if element == "text":
            texts = []
            for _ in range(count):
                size = number()
                texts.append(bytes(body[at:at + size]).decode(errors="replace"))
                at += size
            columns[name] = texts
        else:
            column = struct.Struct(f"<{count}{element}")
            columns[name] = list(column.unpack_from(body, at))
            at += column.size
    if at != len(body):
        raise Damaged(f"{len(body) - at} bytes after the last column")
    return columns


def decode(data, offset, size):
    """The record of `size` bytes at `offset`, whose checksum is right."""
    name, fields, layout = TYPES[HEAD.unpack_from(data, offset)[2]]
    fields = fields.split()
    body = data[offset + HEAD.size:offset + size]
    try:
        values, end = _array(body)
        if name == "opened" and values[:1] != [2]:
            raise Damaged(f"format {values[:1]}, not 2")
        if len(values) != len(fields):
            raise Damaged(f"{name} with {len(values)} fields")
        return Record(offset, name, dict(zip(fields, values)), _columns(body[end:], layout))
    except (Damaged, ValueError, struct.error, msgpack.UnpackException) as problem:
        raise Damaged(f"byte {offset}: {problem}") from problem


def parse(data, base=0):
    """The good records at the start of `data`, which stands at byte `base` of the file, and how many bytes they take."""
    data = memoryview(data)
    found, at = [], 0
    while size := good_at(data, at):
        record = decode(data, at, size)
        found.append(record._replace(offset=base + at))
        at += size
    if found and found[0].offset == 0 and found[0].type != "opened":
        raise Damaged("the first record is not OPENED")
    return found, at


def maybe_torn_opened(data):
    """As short as a first record, and beginning like one: a body below 256 bytes, type 0, an array of five."""
    return len(data) <= HEAD.size + 255 and not any(data[5:12]) and data[12:13] in (b"", b"\0", b"\x95")


def read(path):
    """(records, bytes of the torn tail behind them). Raises Damaged."""
    with open(path, "rb") as file:
        data = file.read()
    found, end = parse(data)
    later = next((at for at in range(end + 1, len(data)) if good_at(data, at)), None)
    if later is not None:
        raise Damaged(f"byte {end}: a bad record, and a good one after it at byte {later}")
    if not found and not maybe_torn_opened(data):
        raise Damaged("not a journal")
    return found, len(data) - end


def records(path) -> Iterator[Record]:
    """Every record of a journal in order; a torn tail is left out. Raises Damaged."""
    yield from read(path)[0]


class Tail:
    """Follows a journal that is being written; the file need not exist yet."""

    def __init__(self, path):
        self.path = path
        self.offset = 0  # all records before it have been returned

    def poll(self):
        """The records completed since the last call, in order; [] if there are none. Raises Damaged."""
        try:
            with open(self.path, "rb") as file:
                size = file.seek(0, 2)
                if size < self.offset:
                    raise Damaged(f"cut off at byte {size}, within records that were complete")
                file.seek(self.offset)
                data = file.read()
        except FileNotFoundError:
            return []
        found, taken = parse(data, self.offset)
        self.offset += taken
        return found
