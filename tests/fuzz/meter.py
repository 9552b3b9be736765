"""The page on which an observed process writes how long its event loop was held, for the harness to read."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

SIZE = 4096
NUMBERS = struct.Struct("<ddd")
TEXT_LENGTH = struct.Struct("<H")
TEXT_AT = NUMBERS.size + TEXT_LENGTH.size


class Meter:
    """The longest hold since the page was cleared, in CPU seconds, and where the program was in it.

    `held` counts the loop's own thread between two turns that a waiting client could have had, without the
    garbage it collected then, which `collecting` counts. `starved` counts all threads in that time: one that
    keeps the interpreter to itself holds the loop as well.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(SIZE))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), SIZE)

    @property
    def held(self) -> float:
        """CPU seconds of the loop's thread."""
        return float(NUMBERS.unpack_from(self._page)[0])

    @property
    def starved(self) -> float:
        """CPU seconds of all threads."""
        return float(NUMBERS.unpack_from(self._page)[1])

    @property
    def collecting(self) -> float:
        """CPU seconds of the loop's thread in which it collected garbage."""
        return float(NUMBERS.unpack_from(self._page)[2])

    @property
    def where(self) -> str:
        """The innermost frames of the loop's thread in its longest hold."""
        (length,) = TEXT_LENGTH.unpack_from(self._page, NUMBERS.size)
        return bytes(self._page[TEXT_AT : TEXT_AT + length]).decode(errors="replace")

    def clear(self) -> None:
        """Begin anew."""
        self._page[:TEXT_AT] = bytes(TEXT_AT)

    def note(self, held: float, starved: float, collecting: float, where: str) -> None:
        """Keep what is longer than what was."""
        was = NUMBERS.unpack_from(self._page)
        now = (held, starved, collecting)
        longest = was[0]
        if any(new > old for new, old in zip(now, was, strict=True)):
            NUMBERS.pack_into(self._page, 0, *map(max, was, now))
        if held > longest and where:
            text = where.encode()[: SIZE - TEXT_AT]
            TEXT_LENGTH.pack_into(self._page, NUMBERS.size, len(text))
            self._page[TEXT_AT : TEXT_AT + len(text)] = text
