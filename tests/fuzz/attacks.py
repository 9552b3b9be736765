"""Attacks: each a small named piece of hostility, found by its name and replayed by its seed."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from subgraphs.domains import DOMAINS

if TYPE_CHECKING:
    from tests.fuzz.arena import Arena

ROUTER = ("router",)
SERVERS = ("router", *DOMAINS)

Launch = Callable[["Arena"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Attack:
    """What one client does to one process.

    A burst is many requests at one time: of it the loop's time for each is asked, not the longest hold.
    A breach of HTTP or of a protocol may be answered by hanging up; anything else is answered.
    """

    name: str
    target: str
    launch: Launch
    is_burst: bool
    may_hang_up: bool

    @property
    def full_name(self) -> str:
        """Its name and whom it is aimed at."""
        return f"{self.name}@{self.target}"

    @property
    def surface(self) -> str:
        """What it attacks: the first word of the name."""
        return self.name.partition(".")[0]


_ATTACKS: dict[str, Attack] = {}


def attack(
    name: str, targets: Iterable[str] = ROUTER, *, burst: bool = False, may_hang_up: bool = False
) -> Callable[[Launch], Launch]:
    """Register what launches an attack, for each process it can be aimed at."""

    def register(launch: Launch) -> Launch:
        for target in targets:
            each = Attack(name, target, launch, burst, may_hang_up)
            assert each.full_name not in _ATTACKS, each.full_name
            _ATTACKS[each.full_name] = each
        return launch

    return register


def every_attack() -> list[Attack]:
    """All attacks, on all their targets."""
    from tests.fuzz import surfaces  # noqa: F401 - its import registers them

    return list(_ATTACKS.values())


def some_attacks(seed: int) -> list[Attack]:
    """Every attack once on the router, and once on one of the subgraphs that it can be aimed at.

    What is asked of the graph reaches its subgraph by the router anyway.
    """
    chosen: dict[tuple[str, bool], list[Attack]] = {}
    for each in every_attack():
        chosen.setdefault((each.name, each.target == "router"), []).append(each)
    return [
        source(seed, name).choice(attacks)
        for (name, on_router), attacks in chosen.items()
        if on_router or not (name.startswith("graph.") and (name, True) in chosen)
    ]


def source(seed: int, name: str) -> random.Random:
    """The chance of one attack: the same for the same seed, whatever ran before."""
    return random.Random(f"{seed}/{name}")  # noqa: S311 - it is to be foreseen
