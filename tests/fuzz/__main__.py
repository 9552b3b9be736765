"""`python -m tests.fuzz`: hunts for as long as it is told, and reports what it found."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import time
from collections.abc import Iterator, Sequence

from infra.console import console, print_status
from tests.fuzz.attacks import Attack, every_attack, source
from tests.fuzz.hunt import Hunt, hunting
from tests.fuzz.judge import Finding
from tests.fuzz.latency import compare

NAME = "fuzz"
# Of each round; a comparison takes some seconds.
COMPARED = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 1 when something was found, 2 when no attack has the name."""
    options = _parser().parse_args(arguments)
    chosen = [
        each
        for each in every_attack()
        if not options.only or any(part in each.full_name for part in options.only)
    ]
    if not chosen:
        print_status(NAME, f"no attack has {' or '.join(options.only)} in its name")
        return 2
    found = asyncio.run(_hunt(chosen, options.seed, options.minutes, options.latency))
    return _report(found)


async def _hunt(chosen: Sequence[Attack], seed: int | None, minutes: float, latency: bool) -> list[Finding]:
    found: list[Finding] = []
    async with hunting(lambda text: print_status(NAME, text)) as hunt:
        deadline = time.monotonic() + 60 * minutes
        for round_seed in _seeds(seed, deadline):
            print_status(NAME, f"seed {round_seed}, {len(chosen)} attacks")
            found += await _round(hunt, chosen, round_seed)
            if latency:
                found += await _compare(hunt, chosen, round_seed)
        print_status(NAME, "ending")
        found += await hunt.finish()
    return found


def _seeds(seed: int | None, deadline: float) -> Iterator[int]:
    """The seed that is given, once; else one after the other until the time is over."""
    yield seed if seed is not None else secrets.randbelow(1 << 32)
    while seed is None and time.monotonic() < deadline:
        yield secrets.randbelow(1 << 32)


async def _round(hunt: Hunt, chosen: Sequence[Attack], seed: int) -> list[Finding]:
    order = list(chosen)
    source(seed, "order").shuffle(order)
    found = []
    for attack in order:
        with console.status(attack.full_name):
            found += _told(await hunt.strike(attack, seed))
    return found + _told(await hunt.still_open())


async def _compare(hunt: Hunt, chosen: Sequence[Attack], seed: int) -> list[Finding]:
    """The waiting of another client beside some of the attacks, others each time."""
    print_status(NAME, f"how long another client waits beside {COMPARED} of the attacks")
    found = []
    for attack in source(seed, "latency").sample(chosen, min(COMPARED, len(chosen))):
        with console.status(attack.full_name):
            found += _told(await compare(hunt, attack, seed))
    return found


def _told(found: list[Finding]) -> list[Finding]:
    for finding in found:
        print_status(NAME, str(finding))
    return found


def _report(found: Sequence[Finding]) -> int:
    """Each kind of finding of an attack once, with the seed that showed it first."""
    different = {(each.attack, each.kind, each.process): each for each in reversed(found)}
    console.rule("Findings")
    for finding in sorted(different.values(), key=lambda each: (each.process, each.kind, each.attack)):
        console.print(str(finding), markup=False, soft_wrap=True)
    print_status(
        NAME, f"{len(different)} different findings, {len(found)} in all" if found else "nothing was found"
    )
    return 1 if found else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="memorable fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long to go on")
    parser.add_argument("--seed", type=int, help="hunt once, with this seed")
    parser.add_argument("--only", action="append", default=[], help="only attacks with this in their name")
    parser.add_argument("--latency", action="store_true", help="also compare how long another client waits")
    return parser


if __name__ == "__main__":
    sys.exit(main())
