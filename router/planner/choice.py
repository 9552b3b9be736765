"""Choice: one path per leaf, so that together they need the fewest steps, then the fewest fetches.

A greedy pass takes, leaf by leaf, the path that adds least. Branch and bound then looks for something better,
within a budget of combinations: a query with more candidates keeps what greed has found so far.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from router.deferral import ExecutionGroup
from router.planner.moves import Defer, EntityMove, Narrow, Select, Way
from router.planner.paths import Leaf, Path

BUDGET = 2000

Cost: TypeAlias = tuple[int, int, int]
Place: TypeAlias = tuple[str, int, tuple[str, ...], ExecutionGroup | None]
_Held: TypeAlias = tuple[int, tuple[str, ...]]
NOWHERE: Mapping[str, _Held] = {}


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a path asks of subgraphs: fetches and fields, each by subgraph, step, place and group.

    The `weight` of a field grows with the step in which it is asked for: what comes along early comes cheap.
    """

    depth: int
    fetches: frozenset[Place]
    fields: frozenset[Place]
    weight: int

    def joined(self, other: Footprint) -> Footprint:
        """The footprint of both together."""
        added = other.fields - self.fields
        return Footprint(
            max(self.depth, other.depth),
            self.fetches | other.fetches,
            self.fields | added,
            self.weight + _weight(added),
        )

    def cost_with(self, other: Footprint) -> Cost:
        """The cost of both together, without joining them."""
        return (
            max(self.depth, other.depth),
            len(self.fetches) + len(other.fetches - self.fetches),
            self.weight + _weight(other.fields - self.fields),
        )

    @property
    def cost(self) -> Cost:
        """Sequential steps, then fetches, then fields."""
        return (self.depth, len(self.fetches), self.weight)


NOTHING = Footprint(0, frozenset(), frozenset(), 0)


def choose(leaves: Sequence[Leaf]) -> tuple[Path, ...]:
    """The best path found for each leaf, in the leaves' order."""
    order = sorted(range(len(leaves)), key=lambda index: len(leaves[index].options))
    options = [[(_footprint(path), path) for path in leaves[index].options] for index in order]
    search = _Search(options)
    picked = search.best()
    chosen = dict(zip(order, picked, strict=True))
    return tuple(chosen[index] for index in range(len(leaves)))


def cost_of(paths: Iterable[Path]) -> Cost:
    """What paths cost together."""
    total = NOTHING
    for path in paths:
        total = total.joined(_footprint(path))
    return total.cost


class _Search:
    """Branch and bound over the options of each leaf."""

    def __init__(self, options: list[list[tuple[Footprint, Path]]]) -> None:
        self._options = options
        self._budget = BUDGET
        self._best: list[Path] = []
        self._bound: Cost = (0, 0, 0)

    def best(self) -> list[Path]:
        self._best, self._bound = self._greedy()
        if any(len(each) > 1 for each in self._options):
            self._branch(NOTHING, [])
        return self._best

    def _greedy(self) -> tuple[list[Path], Cost]:
        total, picked = NOTHING, []
        for options in self._options:
            footprint, path = min(options, key=lambda option: total.cost_with(option[0]))
            total = total.joined(footprint)
            picked.append(path)
        return picked, total.cost

    def _branch(self, total: Footprint, picked: list[Path]) -> None:
        if len(picked) == len(self._options):
            self._best, self._bound = picked, total.cost
            return
        self._budget -= len(self._options[len(picked)])
        options = [(total.cost_with(option[0]), *option) for option in self._options[len(picked)]]
        for cost, footprint, path in sorted(options, key=lambda option: option[0]):
            if self._budget <= 0 or cost >= self._bound:
                return
            self._branch(total.joined(footprint), [*picked, path])


@dataclass(slots=True)
class _Tracer:
    """Follows moves and notes fetches and fields by subgraph, step, place and group."""

    depth: int = 0
    group: ExecutionGroup | None = None
    fetches: set[Place] = field(default_factory=set)
    fields: set[Place] = field(default_factory=set)

    def follow(
        self, way: Way, depth: int, place: tuple[str, ...], enclosing: Mapping[str, _Held] = NOWHERE
    ) -> int:
        held = depth
        for move in way:
            match move:
                case Select():
                    self._enter_root(move, depth, place)
                    if move.sets:
                        enclosing = {**enclosing, **dict.fromkeys(move.sets, (held, place))}
                    place = (*place, move.selection.response_name)
                    self.fields.add((move.move.source.graph, depth, place, self.group))
                    held = depth
                case Narrow(type=name):
                    place = (*place, f"|{name}")
                    held = depth
                case Defer(group=group):
                    self.group = group
                case _:
                    depth = self._enter(move, depth, place, enclosing)
        self.depth = max(self.depth, depth)
        return depth

    def _enter_root(self, move: Select, depth: int, place: tuple[str, ...]) -> None:
        if not place and depth == 0:
            self.fetches.add((move.move.source.graph, 0, (), self.group))

    def _enter(
        self, move: EntityMove, depth: int, place: tuple[str, ...], enclosing: Mapping[str, _Held]
    ) -> int:
        ends = [self.follow(leaf, depth, place) for leaf in move.leaves]
        for value in move.values:
            ends += (self.follow(leaf, *enclosing[value.argument.context]) for leaf in value.leaves)
        entered = max(depth, *ends) + 1 if ends else depth + 1
        at = tuple(name for name in place if not name.startswith("|"))
        self.fetches.add((move.target.graph, entered, at, self.group))
        return entered


def _footprint(path: Path) -> Footprint:
    tracer = _Tracer()
    tracer.follow(path.moves, 0, ())
    fields = frozenset(tracer.fields)
    return Footprint(tracer.depth, frozenset(tracer.fetches), fields, _weight(fields))


def _weight(fields: Iterable[Place]) -> int:
    return sum(1 + step for _, step, _, _ in fields)
