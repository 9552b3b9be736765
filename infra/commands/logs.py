"""`memorable logs`: show a process's log."""

from __future__ import annotations

import time
from collections import deque
from typing import Annotated

import typer

from infra.checkout import DATA_DIR
from infra.console import console, escape_control_chars, format_log_line
from infra.errors import InfraError
from infra.local.folder import DataFolder
from infra.local.process import get_log_file
from infra.log_tail import Tail

POLL_INTERVAL = 0.2


def logs(
    service: Annotated[
        str, typer.Argument(metavar="SERVICE", help="A process: router, auth, books, worker, postgres, …")
    ],
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Keep printing new lines.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="Number of earlier lines to show.")] = 50,
    raw: Annotated[bool, typer.Option("--raw", help="Print the lines unformatted.")] = False,
) -> None:
    """Show the log of one process of this checkout's platform."""
    folder = DataFolder(DATA_DIR).logs
    path = get_log_file(folder, service)
    if not path.exists():
        known = sorted(
            file.stem for file in folder.glob("*.log") if not file.stem.rpartition(".")[2].isdigit()
        )
        raise InfraError(f"There is no log of {service!r}. Available: {', '.join(known) or 'none yet'}.")
    tail = Tail(path, from_start=True)
    for line in deque(tail.read_lines(), maxlen=lines):
        _show(service, line, raw)
    while follow:
        time.sleep(POLL_INTERVAL)
        for line in tail.read_lines():
            _show(service, line, raw)


def _show(service: str, line: str, raw: bool) -> None:
    if raw:
        typer.echo(escape_control_chars(line))
    else:
        console.print(format_log_line(service, line), soft_wrap=True)
