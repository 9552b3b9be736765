"""`memorable fuzz`: start a separate platform, attack it and watch its processes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from infra.checkout import replace_process


def fuzz(
    minutes: Annotated[
        float, typer.Option(envvar="MINUTES", min=0, help="How long to run; each round uses a new seed.")
    ] = 10,
    seed: Annotated[
        int | None, typer.Option(help="Run one round with this seed, to reproduce a finding.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Run only attacks whose name contains this; repeatable.")
    ] = None,
    latency: Annotated[
        bool, typer.Option("--latency/--no-latency", help="Also compare the latency of another client.")
    ] = True,
) -> None:
    """Start a separate platform, attack it and report findings; exit code 1 if there are any."""
    command = [sys.executable, "-m", "tests.fuzz", "--minutes", str(minutes)]
    command += [word for name in only or [] for word in ("--only", name)]
    command += [] if seed is None else ["--seed", str(seed)]
    command += ["--latency"] if latency else []
    replace_process(command)
