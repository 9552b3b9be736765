"""`python -m tests.support.fakes`: run a fake of a provider, for a platform that runs on this machine."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from infra.console import console, print_error, print_status
from infra.signals import stop_on_signals
from tests.support.fakes.openai.server import FakeOpenAI
from tests.support.fakes.server import FakeServer, describe_problems

FAKES: Final[Mapping[str, Callable[[], FakeServer[Any]]]] = {FakeOpenAI.name: FakeOpenAI}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a fake until it is stopped; return 1 if it could not start."""
    options = _build_parser().parse_args(arguments)
    fake = FAKES[options.provider]()
    try:
        if options.scenario:
            fake.apply_scenario_json(options.scenario)
        asyncio.run(_run(fake, options.port))
    except ValidationError as error:
        print_error(f"The scenario is not valid: {'; '.join(describe_problems(error))}")
    except OSError as error:
        print_error(f"Port {options.port} cannot be used: {os.strerror(error.errno or 0)}.")
    else:
        return 0
    return 1


async def _run(fake: FakeServer[Any], port: int) -> None:
    async with stop_on_signals() as stopped, fake.serve(port):
        print_status(fake.name, "is running, and the platform uses it with these settings in .env:")
        for name, value in fake.environ.items():
            console.print(f"{name}={value}", soft_wrap=True)
        print_status(fake.name, f"its scenario: GET and PUT {fake.address}/_scenario")
        print_status(fake.name, f"the requests it received: GET {fake.address}/_calls; press Ctrl-C to stop")
        await stopped.wait()


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="memorable fake", description=__doc__)
    parser.add_argument("provider", choices=sorted(FAKES))
    parser.add_argument("--port", type=int, default=0, help="the port to listen on; 0 takes a free one")
    parser.add_argument("--scenario", help="the scenario that it follows, as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
