"""`memorable fuzz`: hostile clients against a platform of its own, whose processes are watched."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from infra.checkout import become


def fuzz(
    minutes: Annotated[
        float, typer.Option(envvar="MINUTES", min=0, help="How long to go on, each round with another seed.")
    ] = 10,
    seed: Annotated[
        int | None, typer.Option(help="Hunt once, with this seed, as a finding tells it.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only attacks that have this in their name.")] = None,
    latency: Annotated[
        bool, typer.Option("--latency/--no-latency", help="Also compare how long another client waits.")
    ] = True,
) -> None:
    """Attack a platform of its own, and tell what gave way; exit code 1 when something did."""
    command = [sys.executable, "-m", "tests.fuzz", "--minutes", str(minutes)]
    command += [word for name in only or [] for word in ("--only", name)]
    command += [] if seed is None else ["--seed", str(seed)]
    command += ["--latency"] if latency else []
    become(command)
