"""`memorable fake`: run a fake of a provider, which the platform uses instead of an account."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from infra.checkout import replace_process


def fake(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="The provider, such as openai.")],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")
    ] = 0,
    scenario: Annotated[
        str | None, typer.Option(help="How it behaves, as JSON; PUT /_scenario changes it later.")
    ] = None,
) -> None:
    """Run a fake of a provider until Ctrl-C; it prints how the platform uses it."""
    command = [sys.executable, "-m", "tests.support.fakes", provider, "--port", str(port)]
    command += [] if scenario is None else ["--scenario", scenario]
    replace_process(command)
