"""What a person sees in the terminal: messages, and log lines with their process in colour."""

from __future__ import annotations

import json
from itertools import cycle
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from subgraphs.domains import DOMAINS

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

COLOURS = {
    "platform": "bold",
    "postgres": "blue",
    "valkey": "blue",
    "router": "magenta",
    **dict(zip(DOMAINS, cycle(("yellow", "green", "cyan", "bright_red", "bright_blue")), strict=False)),
}
LEVELS = {"warn": "yellow", "error": "red", "debug": "dim"}
NAME_WIDTH = 9


def complain(message: str) -> None:
    """State a failure on standard error."""
    errors.print(Text.assemble(("error: ", "bold red"), message), soft_wrap=True)


def say(name: str, message: str) -> None:
    """Tell what happens to a process."""
    console.print(Text.assemble(_prefix(name), message), soft_wrap=True)


def log_line(name: str, line: str) -> Text:
    """A line of a process's log: JSON ones in short, others as they are."""
    record = _record(line)
    if record is None:
        return Text.assemble(_prefix(name), (harmless(line), "dim"))
    level, metadata = record.get("level", "info"), dict(record.get("metadata") or {})
    trace = metadata.pop("exception", None)
    trace = "\n".join(map(str, trace)) if isinstance(trace, list) else trace or ""
    details = "".join(f"  {key}={_short(value)}" for key, value in metadata.items())
    return Text.assemble(
        _prefix(name),
        (f"{harmless(str(record.get('timestamp', ''))[11:19])} ", "dim"),
        (harmless(str(record["message"])), LEVELS.get(level, "")),
        (harmless(details), "dim"),
        ("\n" + harmless(str(trace), kept="\t\n") if trace else "", "dim"),
    )


def harmless(text: str, *, kept: str = "\t") -> str:
    """The text with every character written out that would steer the terminal instead of showing in it."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in kept else char.encode("unicode_escape").decode()
        for char in text
    )


def _prefix(name: str) -> tuple[str, str]:
    return f"{name:<{NAME_WIDTH}} ", COLOURS.get(name, "cyan")


def _record(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and "message" in record else None


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}…"


class Tail:
    """New whole lines of a log file, also when the file is replaced by the next run's."""

    def __init__(self, path: Path, *, from_start: bool) -> None:
        self._path = path
        self._read = 0 if from_start or not path.exists() else path.stat().st_size
        self._inode = path.stat().st_ino if path.exists() else 0
        self._partial = b""

    def lines(self) -> list[str]:
        """What has been written since the last call."""
        try:
            with self._path.open("rb") as file:
                status = self._path.stat()
                if status.st_ino != self._inode or status.st_size < self._read:
                    self._inode, self._read, self._partial = status.st_ino, 0, b""
                file.seek(self._read)
                content = file.read()
        except FileNotFoundError:
            return []
        self._read += len(content)
        *whole, self._partial = (self._partial + content).split(b"\n")
        return [line.decode(errors="replace") for line in whole]
