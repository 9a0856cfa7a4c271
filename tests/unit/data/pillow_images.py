#!/usr/bin/python3
"""Writes images of every kind into a folder, and what Pillow makes of each: `NAME.rgb`, the bytes of
Image.open(NAME).convert("RGB"), or `NAME.refused`. PNG files are made here, so that none needs Pillow to write it.
Usage: pillow_images.py FOLDER   (Debian's python3-pil; of PNG, Pillow 9.4 and 13.0 make the same)
SPDX-License-Identifier: MIT"""
import io
import itertools
import random
import struct
import sys
import warnings
import zlib

from PIL import Image

warnings.simplefilter("ignore")  # Pillow's, about transparent palettes
folder = sys.argv[1]
draw = random.Random(11)

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
KINDS = [(GREY, d) for d in (1, 2, 4, 8, 16)] + [(PALETTE, d) for d in (1, 2, 4, 8)] + [
    (kind, depth) for kind in (RGB, GREY_ALPHA, RGBA) for depth in (8, 16)]
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]  # Adam7


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def row_bytes(samples, depth):
    if depth == 16:
        return struct.pack(f">{len(samples)}H", *samples)
    bits = "".join(f"{s:0{depth}b}" for s in samples)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def rows(pixels, depth):
    return b"".join(b"\0" + row_bytes([s for pixel in row for s in pixel], depth) for row in pixels if row)


def png(pixels, kind, depth, interlaced=False, chunks=b"", stream=None):
    height, width = len(pixels), len(pixels[0])
    if stream is None:
        parts = [[row[x::dx] for row in pixels[y::dy]] for x, y, dx, dy in PASSES] if interlaced else [pixels]
        stream = zlib.compress(b"".join(rows(part, depth) for part in parts))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced))
            + chunks + chunk(b"IDAT", stream) + chunk(b"IEND", b""))


def drawn(kind, depth, width=11, height=9):
    most = (1 << depth) - 1
    return [[tuple(draw.randint(0, most) for _ in range(CHANNELS[kind])) for _ in range(width)] for _ in range(height)]


COLOURS = {
    "plain": b"",
    "gamma": chunk(b"gAMA", struct.pack(">I", 100000)),
    "srgb": chunk(b"sRGB", b"\0"),
    "chroma": chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"cHRM", struct.pack(
        ">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
    "profile": chunk(b"iCCP", b"no profile\0\0" + zlib.compress(b"nonsense")),
}


def pngs():
    for (kind, depth), interlaced, (colour, chunks) in itertools.product(KINDS, (False, True), COLOURS.items()):
        pixels = drawn(kind, depth)
        palette = b""
        if kind == PALETTE:
            palette = chunk(b"PLTE", bytes(draw.randrange(256) for _ in range(3 << depth)))
        name = f"{kind}-{depth}-{colour}{'-interlaced' if interlaced else ''}"
        yield name, png(pixels, kind, depth, interlaced, chunks + palette)
        if colour != "plain" or kind in (GREY_ALPHA, RGBA):
            continue
        clear = bytes([0, 128]) if kind == PALETTE else struct.pack(f">{CHANNELS[kind]}H", *pixels[0][0])
        yield name + "-clear", png(pixels, kind, depth, interlaced, palette + chunk(b"tRNS", clear))
    # 76 of 255 in 16 bits is 76 x 257; grey that fits into 8 bits is not cut off.
    yield "rgb-76", png([[(76 * 257, 76 * 257 + 200, 0x4CFF)]], RGB, 16)
    yield "grey-low", png([[(v,) for v in range(256)]], GREY, 16)
    pixels = drawn(RGB, 8)
    whole = png(pixels, RGB, 8)
    start = whole.index(b"IDAT") + 4
    size = struct.unpack(">I", whole[start - 8:start - 4])[0]
    yield "bad-idat-sum", whole[:start + size] + b"\1\2\3\4" + whole[start + size + 4:]
    yield "junk-behind", whole + b"junk"
    yield "no-iend", whole[:-12]
    yield "rows-too-many", png(pixels, RGB, 8, stream=zlib.compress(rows(pixels + pixels, 8)))
    yield "cut-in-data", whole[:start + size // 2]
    yield "bad-filter", png(pixels, RGB, 8, stream=zlib.compress(b"\7" + rows(pixels, 8)[1:]))
    yield "bad-ihdr-sum", whole[:29] + b"\1\2\3\4" + whole[33:]


def encoded(mode, **how):
    image = Image.frombytes("RGB", (40, 33), bytes(draw.randrange(256) for _ in range(3 * 40 * 33))).convert(mode)
    out = io.BytesIO()
    image.save(out, "JPEG", **how)
    return out.getvalue()


def jpegs():
    kinds = {"grey": encoded("L"), "colour": encoded("RGB", quality=90, subsampling=0), "half": encoded("RGB", subsampling=2),
             "progressive": encoded("RGB", progressive=True), "restarts": encoded("RGB", restart_marker_blocks=2),
             "smooth": encoded("RGB", quality=10)}
    for name, whole in kinds.items():
        yield name, whole
        yield name + "-stray", whole[:-2] + b"\x11\x22\x33" + whole[-2:]
        yield name + "-no-eoi", whole[:-2]
        yield name + "-half", whole[:len(whole) // 2]
        yield name + "-nearly", whole[:-20]
        yield name + "-junk", whole + b"junk"
        first = whole.index(b"\xff\xda") + 16  # in the data of the first scan
        for i in range(12):
            at = draw.randrange(first, len(whole) - 2)
            yield f"{name}-hit-{i}", whole[:at] + bytes([draw.randrange(255)]) + whole[at + 1:]
    # An encoder that is too old for restart_marker_blocks gives none, and this nothing to try.
    with_restarts = open(sys.argv[2], "rb").read()
    at = with_restarts.index(b"\xff\xd1")
    yield "stray-before-rst1", with_restarts[:at] + b"\x11\x22\x33" + with_restarts[at:]


for ending, files in (("png", pngs()), ("jpg", jpegs())):
    for name, data in files:
        path = f"{folder}/{name}.{ending}"
        open(path, "wb").write(data)
        try:
            pixels = Image.open(path).convert("RGB").tobytes()
        except (OSError, SyntaxError, ValueError):
            open(path + ".refused", "wb").close()
        else:
            open(path + ".rgb", "wb").write(pixels)
