"""The registry of attacks, each selected by name and reproduced by a seed."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from subgraphs.domains import DOMAINS

if TYPE_CHECKING:
    from tests.fuzz.context import AttackContext

ROUTER = ("router",)
SERVERS = ("router", *DOMAINS)

Launch = Callable[["AttackContext"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Attack:
    """An attack on one process.

    A burst sends many requests at once, so the event loop's time per request is limited, not its longest
    block. `may_close` is for violations of HTTP or of another protocol, after which the server may close the
    connection; anything else must be answered.
    """

    name: str
    target: str
    launch: Launch
    is_burst: bool
    may_close: bool

    @property
    def full_name(self) -> str:
        """The name and the target process."""
        return f"{self.name}@{self.target}"

    @property
    def surface(self) -> str:
        """The attacked surface: the name's first part."""
        return self.name.partition(".")[0]


_ATTACKS: dict[str, Attack] = {}


def attack(
    name: str, targets: Iterable[str] = ROUTER, *, burst: bool = False, may_close: bool = False
) -> Callable[[Launch], Launch]:
    """Register an attack on each of these processes."""

    def register(launch: Launch) -> Launch:
        for target in targets:
            each = Attack(name, target, launch, burst, may_close)
            assert each.full_name not in _ATTACKS, each.full_name
            _ATTACKS[each.full_name] = each
        return launch

    return register


def list_attacks() -> list[Attack]:
    """List every attack on each of its targets."""
    from tests.fuzz import surfaces  # noqa: F401 - the import registers them

    return list(_ATTACKS.values())


def sample_attacks(seed: int) -> list[Attack]:
    """Choose each attack once on the router and once on one of its subgraphs.

    Attacks on root fields reach their subgraph through the router, so they are not repeated there.
    """
    chosen: dict[tuple[str, bool], list[Attack]] = {}
    for each in list_attacks():
        chosen.setdefault((each.name, each.target == "router"), []).append(each)
    return [
        create_random(seed, name).choice(attacks)
        for (name, on_router), attacks in chosen.items()
        if on_router or not (name.startswith("graph.") and (name, True) in chosen)
    ]


def create_random(seed: int, name: str) -> random.Random:
    """Create a random number generator for one attack, which does not depend on earlier attacks."""
    return random.Random(f"{seed}/{name}")  # noqa: S311 - it must be reproducible
