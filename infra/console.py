"""Terminal output: errors, status messages, and formatted log lines."""

from __future__ import annotations

import json
from itertools import cycle
from typing import Any

from rich.console import Console
from rich.text import Text

from subgraphs.domains import DOMAINS

console = Console(highlight=False)
error_console = Console(stderr=True, highlight=False)

PROCESS_STYLES = {
    "platform": "bold",
    "postgres": "blue",
    "valkey": "blue",
    "router": "magenta",
    **dict(zip(DOMAINS, cycle(("yellow", "green", "cyan", "bright_red", "bright_blue")), strict=False)),
}
LEVEL_STYLES = {"warn": "yellow", "error": "red", "debug": "dim"}
NAME_WIDTH = 9


def print_error(message: str) -> None:
    """Print an error message to standard error."""
    error_console.print(Text.assemble(("error: ", "bold red"), message), soft_wrap=True)


def print_status(name: str, message: str) -> None:
    """Print a status message about a process."""
    console.print(Text.assemble(_format_prefix(name), message), soft_wrap=True)


def format_log_line(name: str, line: str) -> Text:
    """Format a line of a process's log: JSON records in brief, other lines unchanged."""
    record = _parse_record(line)
    if record is None:
        return Text.assemble(_format_prefix(name), (escape_control_chars(line), "dim"))
    level, metadata = record.get("level", "info"), dict(record.get("metadata") or {})
    exception = metadata.pop("exception", None)
    traceback = "\n".join(map(str, exception)) if isinstance(exception, list) else exception or ""
    details = "".join(f"  {key}={_abbreviate(value)}" for key, value in metadata.items())
    return Text.assemble(
        _format_prefix(name),
        (f"{escape_control_chars(str(record.get('timestamp', ''))[11:19])} ", "dim"),
        (escape_control_chars(str(record["message"])), LEVEL_STYLES.get(level, "")),
        (escape_control_chars(details), "dim"),
        ("\n" + escape_control_chars(str(traceback), keep="\t\n") if traceback else "", "dim"),
    )


def escape_control_chars(text: str, *, keep: str = "\t") -> str:
    """Escape characters that would control the terminal instead of being shown in it."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode_escape").decode()
        for char in text
    )


def _format_prefix(name: str) -> tuple[str, str]:
    return f"{name:<{NAME_WIDTH}} ", PROCESS_STYLES.get(name, "cyan")


def _parse_record(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return None
    return record if isinstance(record, dict) and "message" in record else None


def _abbreviate(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:200]}…"
