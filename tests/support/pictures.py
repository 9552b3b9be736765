"""Small PNG files for tests."""

import struct
import zlib


def build_png(shade: int = 0, side: int = 8) -> bytes:
    """Encode a single-colour square of `side` pixels; each shade gives different bytes."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = (b"\x00" + _build_colour(shade) * side) * side
    return _build_file((b"IHDR", header), (b"IDAT", zlib.compress(rows)))


def build_indexed_png(shade: int, width: int, height: int) -> bytes:
    """Encode a single-colour rectangle with one bit for each pixel, which takes little time at any size."""
    header = struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)
    rows = bytes(1 + (width + 7) // 8) * height
    return _build_file((b"IHDR", header), (b"PLTE", _build_colour(shade)), (b"IDAT", zlib.compress(rows)))


def _build_colour(shade: int) -> bytes:
    return bytes(((shade * 37) % 256, (shade * 91) % 256, 180))


def _build_file(*chunks: tuple[bytes, bytes]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _build_chunk(kind, data) for kind, data in (*chunks, (b"IEND", b""))
    )


def _build_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
