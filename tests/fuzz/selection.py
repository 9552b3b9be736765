"""The selection of attacks: all of them, or a sample for each test run."""

from __future__ import annotations

from tests.fuzz import surfaces  # noqa: F401 - importing them registers their attacks
from tests.fuzz.attacks import Attack, create_random
from tests.fuzz.registry import REGISTRY


def list_attacks() -> list[Attack]:
    """List every attack on each of its targets."""
    return list(REGISTRY)


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
