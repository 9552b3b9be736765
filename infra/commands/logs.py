"""`memorable logs`: read what a process has logged."""

from __future__ import annotations

import time
from collections import deque
from typing import Annotated

import typer

from infra.checkout import DATA_DIR
from infra.console import Tail, console, harmless, log_line
from infra.errors import InfraError
from infra.local.folder import DataFolder
from infra.local.process import log_file

LOOK_EVERY = 0.2


def logs(
    service: Annotated[str, typer.Argument(help="A process: router, auth, books, worker, postgres, …")],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is logged from now.")
    ] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How much of the past to show.")] = 50,
    raw: Annotated[bool, typer.Option("--raw", help="The lines as they were written.")] = False,
) -> None:
    """Show the log of a process of this checkout's platform."""
    folder = DataFolder(DATA_DIR).logs
    path = log_file(folder, service)
    if not path.exists():
        known = sorted(
            file.stem for file in folder.glob("*.log") if not file.stem.rpartition(".")[2].isdigit()
        )
        raise InfraError(f"There is no log of {service!r}; there are {', '.join(known) or 'none yet'}.")
    tail = Tail(path, from_start=True)
    for line in deque(tail.lines(), maxlen=lines):
        _show(service, line, raw)
    while follow:
        time.sleep(LOOK_EVERY)
        for line in tail.lines():
            _show(service, line, raw)


def _show(service: str, line: str, raw: bool) -> None:
    if raw:
        typer.echo(harmless(line))
    else:
        console.print(log_line(service, line), soft_wrap=True)
