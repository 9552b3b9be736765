"""`python -m tests.fuzz`: run attacks for a given time and report findings."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import time
from collections.abc import Iterator, Sequence

from infra.console import console, print_status
from tests.fuzz.attacks import Attack, create_random
from tests.fuzz.campaign import Campaign, open_campaign
from tests.fuzz.latency import compare
from tests.fuzz.oracle import Finding
from tests.fuzz.selection import list_attacks

NAME = "fuzz"
# Attacks per round; each comparison takes several seconds.
MAX_COMPARED = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the attacks; return 1 if there are findings, 2 if no attack matches."""
    options = _build_parser().parse_args(arguments)
    chosen = [
        each
        for each in list_attacks()
        if not options.only or any(part in each.full_name for part in options.only)
    ]
    if not chosen:
        print_status(NAME, f"no attack matches {' or '.join(options.only)}")
        return 2
    found = asyncio.run(_run(chosen, options.seed, options.minutes, options.latency))
    return _report(found)


async def _run(chosen: Sequence[Attack], seed: int | None, minutes: float, latency: bool) -> list[Finding]:
    found: list[Finding] = []
    async with open_campaign(lambda text: print_status(NAME, text)) as campaign:
        deadline = time.monotonic() + 60 * minutes
        for round_seed in _generate_seeds(seed, deadline):
            print_status(NAME, f"seed {round_seed}: running {len(chosen)} attacks")
            found += await _run_round(campaign, chosen, round_seed)
            if latency:
                found += await _compare(campaign, chosen, round_seed)
        print_status(NAME, "stopping the platform")
        found += await campaign.finish()
    return found


def _generate_seeds(seed: int | None, deadline: float) -> Iterator[int]:
    """Generate the given seed once, or else random seeds until the deadline."""
    yield seed if seed is not None else secrets.randbelow(1 << 32)
    while seed is None and time.monotonic() < deadline:
        yield secrets.randbelow(1 << 32)


async def _run_round(campaign: Campaign, chosen: Sequence[Attack], seed: int) -> list[Finding]:
    order = list(chosen)
    create_random(seed, "order").shuffle(order)
    found = []
    for attack in order:
        with console.status(attack.full_name):
            found += _print_findings(await campaign.run_attack(attack, seed))
    return found + _print_findings(await campaign.find_open_connections())


async def _compare(campaign: Campaign, chosen: Sequence[Attack], seed: int) -> list[Finding]:
    """Compare another client's latency beside a random sample of the attacks."""
    print_status(NAME, f"comparing another client's latency beside {MAX_COMPARED} attacks")
    found = []
    for attack in create_random(seed, "latency").sample(chosen, min(MAX_COMPARED, len(chosen))):
        with console.status(attack.full_name):
            found += _print_findings(await compare(campaign, attack, seed))
    return found


def _print_findings(found: list[Finding]) -> list[Finding]:
    for finding in found:
        print_status(NAME, str(finding))
    return found


def _report(found: Sequence[Finding]) -> int:
    """Print each distinct finding once, with the first seed that produced it."""
    distinct = {(each.attack, each.kind, each.process): each for each in reversed(found)}
    console.rule("Findings")
    for finding in sorted(distinct.values(), key=lambda each: (each.process, each.kind, each.attack)):
        console.print(str(finding), markup=False, soft_wrap=True)
    print_status(
        NAME, f"{len(distinct)} distinct findings, {len(found)} in total" if found else "no findings"
    )
    return 1 if found else 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="memorable fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long to run")
    parser.add_argument("--seed", type=int, help="run one round with this seed")
    parser.add_argument(
        "--only", action="append", default=[], help="run only attacks whose name contains this"
    )
    parser.add_argument("--latency", action="store_true", help="also compare another client's latency")
    return parser


if __name__ == "__main__":
    sys.exit(main())
