"""Merges: steps that enter one subgraph with the same objects become one fetch, where nothing waits longer.

Paths with different inputs make different steps. Where `b` has `User.email` and `User.fee`, which requires
`size`, and `c` has `User.size`, the query `{ me { email fee } }` has the steps

    [0] A { me { id } }
    [1] B at me after 0 { email }
    [2] C at me after 0 { size }
    [3] B at me after 0, 2 { fee }

Nothing waits for step 1, so `email` is fetched with step 3: one fetch less, and as many in sequence.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import permutations, product

from router.operation.conditions import ALWAYS
from router.operation.deadline import Deadline
from router.planner.fetch_graph import FetchGraph
from router.planner.steps import FetchStep, StepRepresentation


def merge_steps(graph: FetchGraph, deadline: Deadline) -> FetchGraph:
    """Merges steps, as long as that makes fewer fetches and no longer sequences."""
    steps = list(graph.steps)
    # A merge changes the depth neither of the step that stays nor of any other.
    depth = compute_depths(steps)
    for group in _group_steps(steps):
        while pair := _find_mergeable(group, depth, steps, deadline):
            kept, other = pair
            _merge_into(kept, other, steps)
            steps.remove(other)
            group.remove(other)
    return FetchGraph(tuple(steps))


def compute_depths(steps: Iterable[FetchStep]) -> dict[FetchStep, int]:
    """The depth of each step: the length of the longest sequence of steps that it waits for."""
    own = frozenset(steps)
    found: dict[FetchStep, int] = {}

    def depth(step: FetchStep) -> int:
        if step not in found:
            found[step] = max((depth(parent) + 1 for parent in step.parents & own), default=0)
        return found[step]

    for step in own:
        depth(step)
    return found


def _group_steps(steps: list[FetchStep]) -> list[list[FetchStep]]:
    """Groups of steps that send the same subgraph objects at the same path."""
    groups: dict[object, list[FetchStep]] = defaultdict(list)
    for step in steps:
        if step.path:
            # Contextual arguments are given for a whole fetch, so all its fields must have the same.
            field_conditions = step.field_conditions if step.contexts else None
            groups[step.graph, step.kind, step.path, step.group, step.contexts, field_conditions].append(step)
    return [group for group in groups.values() if len(group) > 1]


def _find_mergeable(
    group: list[FetchStep], depth: dict[FetchStep, int], steps: list[FetchStep], deadline: Deadline
) -> tuple[FetchStep, FetchStep] | None:
    """A step, and another one that can be merged into it.

    They run at the same depth, or the other one runs earlier and nothing waits for it.
    """
    awaited = {parent for step in steps for parent in step.parents}
    for kept, other in permutations(group, 2):
        deadline.check()
        is_same_wave = depth[kept] == depth[other] and kept.number < other.number
        if (is_same_wave or (depth[other] < depth[kept] and other not in awaited)) and _are_compatible(
            kept, other
        ):
            return kept, other
    return None


def _are_compatible(one: FetchStep, other: FetchStep) -> bool:
    """Whether one set of representations can serve both steps."""
    pairs = product(one.representations.values(), other.representations.values())
    return not any(_are_conflicting(mine, theirs) for mine, theirs in pairs)


def _are_conflicting(one: StepRepresentation, other: StepRepresentation) -> bool:
    """Whether two representations cannot be in one fetch."""
    return (
        one.conflicts_with(other)
        or one.has_requirements_unmet_by(other)
        or other.has_requirements_unmet_by(one)
    )


def _merge_into(kept: FetchStep, other: FetchStep, steps: list[FetchStep]) -> None:
    kept.selection.merge_from(other.selection)
    kept.parents |= other.parents
    kept.field_conditions = ALWAYS
    for key, representation in other.representations.items():
        existing = kept.representations.get(key)
        kept.representations[key] = existing.merge(representation) if existing else representation
    for step in steps:
        if other in step.parents:
            step.parents.remove(other)
            step.parents.add(kept)
