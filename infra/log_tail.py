"""The tail of a log file: the lines that a process has written since the last look."""

from __future__ import annotations

from pathlib import Path


class Tail:
    """Reads new complete lines of a log file, and follows it across rotation and truncation."""

    def __init__(self, path: Path, *, from_start: bool) -> None:
        self._path = path
        self._offset = 0 if from_start or not path.exists() else path.stat().st_size
        self._inode = path.stat().st_ino if path.exists() else 0
        self._partial = b""

    def read_lines(self) -> list[str]:
        """Read the complete lines written since the last call."""
        try:
            with self._path.open("rb") as file:
                status = self._path.stat()
                if status.st_ino != self._inode or status.st_size < self._offset:
                    self._inode, self._offset, self._partial = status.st_ino, 0, b""
                file.seek(self._offset)
                content = file.read()
        except FileNotFoundError:
            return []
        self._offset += len(content)
        *complete, self._partial = (self._partial + content).split(b"\n")
        return [line.decode(errors="replace") for line in complete]
