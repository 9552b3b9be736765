"""Small PNG files for tests."""

import struct
import zlib


def build_png(shade: int = 0, side: int = 8) -> bytes:
    """Encode a single-colour square of `side` pixels; each shade gives different bytes."""
    pixel = bytes(((shade * 37) % 256, (shade * 91) % 256, 180))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return _build_file(header, (b"\x00" + pixel * side) * side)


def build_white_png(width: int, height: int) -> bytes:
    """Encode a white rectangle with one bit for each pixel, which takes little time at any size."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return _build_file(header, (b"\x00" + b"\xff" * ((width + 7) // 8)) * height)


def _build_file(header: bytes, rows: bytes) -> bytes:
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_build_chunk(kind, data) for kind, data in chunks)


def _build_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
