"""Shared memory in which an instrumented process reports how long its event loop was blocked."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

PAGE_SIZE = 4096
NUMBERS = struct.Struct("<ddd")
TEXT_LENGTH = struct.Struct("<H")
TEXT_OFFSET = NUMBERS.size + TEXT_LENGTH.size


class Meter:
    """The longest block of the loop since the last clear, in CPU seconds, and the stack during it.

    `blocked` is the CPU time of the loop's thread between two ticks, excluding garbage collection, which `gc`
    counts. `starved` is the CPU time of all threads between two ticks: a thread that keeps the GIL blocks the
    loop too.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(PAGE_SIZE))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), PAGE_SIZE)

    @property
    def blocked(self) -> float:
        """CPU seconds of the loop's thread, without garbage collection."""
        return float(NUMBERS.unpack_from(self._page)[0])

    @property
    def starved(self) -> float:
        """CPU seconds of all threads, without garbage collection in the loop's thread."""
        return float(NUMBERS.unpack_from(self._page)[1])

    @property
    def gc(self) -> float:
        """CPU seconds of garbage collection in the loop's thread."""
        return float(NUMBERS.unpack_from(self._page)[2])

    @property
    def stack(self) -> str:
        """The innermost frames of the loop's thread during its longest block."""
        (length,) = TEXT_LENGTH.unpack_from(self._page, NUMBERS.size)
        return bytes(self._page[TEXT_OFFSET : TEXT_OFFSET + length]).decode(errors="replace")

    def clear(self) -> None:
        """Reset all values."""
        self._page[:TEXT_OFFSET] = bytes(TEXT_OFFSET)

    def record(self, blocked: float, starved: float, gc: float, stack: str) -> None:
        """Record a tick, keeping the maximum of each value."""
        maxima = NUMBERS.unpack_from(self._page)
        values = (blocked, starved, gc)
        if any(value > maximum for value, maximum in zip(values, maxima, strict=True)):
            NUMBERS.pack_into(self._page, 0, *map(max, maxima, values))
        if blocked > maxima[0] and stack:
            text = stack.encode()[: PAGE_SIZE - TEXT_OFFSET]
            TEXT_LENGTH.pack_into(self._page, NUMBERS.size, len(text))
            self._page[TEXT_OFFSET : TEXT_OFFSET + len(text)] = text
