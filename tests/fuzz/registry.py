"""The registry of attacks and the functions that launch them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from tests.fuzz.attacks import ROUTER, Attack
from tests.fuzz.context import AttackContext

Launch = Callable[[AttackContext], Awaitable[None]]

REGISTRY: dict[Attack, Launch] = {}


def attack(
    name: str, targets: Iterable[str] = ROUTER, *, burst: bool = False, may_close: bool = False
) -> Callable[[Launch], Launch]:
    """Register an attack on each of these processes."""

    def register(launch: Launch) -> Launch:
        for target in targets:
            each = Attack(name, target, burst, may_close)
            assert each.full_name not in {other.full_name for other in REGISTRY}, each.full_name
            REGISTRY[each] = launch
        return launch

    return register
