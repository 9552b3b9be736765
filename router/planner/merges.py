"""Merge steps that can travel as one fetch without making anything wait longer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import permutations, product

from router.operation.deadline import Deadline
from router.operation.selections import ALWAYS
from router.planner.fetches import FetchGraph
from router.planner.steps import Presented, Step


def merged(graph: FetchGraph, deadline: Deadline) -> FetchGraph:
    """The graph with fewer fetches and no more steps in sequence."""
    steps = list(graph.steps)
    # Joining two steps changes the depth of no other, nor of the one that stays.
    depth = depths(steps)
    for group in _groups(steps):
        while pair := _mergeable(group, depth, steps, deadline):
            kept, absorbed = pair
            _absorb(kept, absorbed, steps)
            steps.remove(absorbed)
            group.remove(absorbed)
    return FetchGraph(tuple(steps))


def depths(steps: Iterable[Step]) -> dict[Step, int]:
    """How many of these steps each of them waits for at least, one after the other."""
    own = frozenset(steps)
    found: dict[Step, int] = {}

    def depth(step: Step) -> int:
        if step not in found:
            found[step] = max((depth(parent) + 1 for parent in step.parents & own), default=0)
        return found[step]

    for step in own:
        depth(step)
    return found


def _groups(steps: list[Step]) -> list[list[Step]]:
    """The steps that ask one subgraph about the same objects."""
    groups: dict[object, list[Step]] = defaultdict(list)
    for step in steps:
        if step.path:
            # What contexts give is given to all that is asked.
            reason = step.reason if step.contexts else None
            groups[step.graph, step.kind, step.path, step.group, step.contexts, reason].append(step)
    return [group for group in groups.values() if len(group) > 1]


def _mergeable(
    group: list[Step], depth: dict[Step, int], steps: list[Step], deadline: Deadline
) -> tuple[Step, Step] | None:
    """Two steps of which the second can join the first."""
    awaited = {parent for step in steps for parent in step.parents}
    for kept, other in permutations(group, 2):
        deadline.check()
        together = depth[kept] == depth[other] and kept.number < other.number
        if (together or (depth[other] < depth[kept] and other not in awaited)) and _fit(kept, other):
            return kept, other
    return None


def _fit(one: Step, other: Step) -> bool:
    """Whether the objects of both can be presented in one way."""
    pairs = product(one.presented.values(), other.presented.values())
    return not any(_part(mine, theirs) for mine, theirs in pairs)


def _part(one: Presented, other: Presented) -> bool:
    """Whether what two steps present keeps them apart."""
    return one.conflicts(other) or one.misses(other) or other.misses(one)


def _absorb(kept: Step, absorbed: Step, steps: list[Step]) -> None:
    kept.selection.absorb(absorbed.selection)
    kept.parents |= absorbed.parents
    kept.reason = ALWAYS
    for key, presented in absorbed.presented.items():
        mine = kept.presented.get(key)
        kept.presented[key] = mine.joined(presented) if mine else presented
    for step in steps:
        if absorbed in step.parents:
            step.parents.remove(absorbed)
            step.parents.add(kept)
