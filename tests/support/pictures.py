"""Small PNG files for tests."""

import struct
import zlib


def build_png(shade: int = 0, side: int = 8) -> bytes:
    """Encodes a single-colour square of `side` pixels; each shade gives different bytes."""
    pixel = bytes(((shade * 37) % 256, (shade * 91) % 256, 180))
    rows = (b"\x00" + pixel * side) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _build_chunk(kind, data)
        for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    )


def _build_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
