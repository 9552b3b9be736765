"""Choice: one path per leaf, so that together they need the fewest steps, then the fewest requests.

Leaves that differ in their names alone take the same way, as nothing could be gained by two: of
`{ user { name nick } }`, where two subgraphs have both fields, there is one decision. A greedy pass takes,
decision by decision, the paths that add least. Branch and bound then looks for something better, within a
budget of combinations: a query with more candidates keeps what greed has found so far.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from router.operation.deadline import Deadline
from router.operation.deferral import ExecutionGroup
from router.planner.moves import Defer, EntityMove, Narrow, Select, Way
from router.planner.paths import Leaf, Path

BUDGET = 2000

Cost: TypeAlias = tuple[int, int, int, int]
Request: TypeAlias = tuple[str, int, ExecutionGroup | None]
Place: TypeAlias = tuple[str, int, tuple[str, ...], ExecutionGroup | None]
_Held: TypeAlias = tuple[int, tuple[str, ...]]
NOWHERE: Mapping[str, _Held] = {}
NOTHING: frozenset[Place] = frozenset()


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a path asks of subgraphs: fetches and fields, each by subgraph, step, place and group.

    Fetches of several places that go to one subgraph in one step travel as one request.
    """

    depth: int
    requests: frozenset[Request]
    fetches: frozenset[Place]
    fields: frozenset[Place]
    leaf: Place | None = None

    @classmethod
    def shared(cls, footprints: Sequence[Footprint]) -> Footprint:
        """What is asked whichever of some paths is taken."""
        return cls(
            min(each.depth for each in footprints),
            frozenset.intersection(*(each.requests for each in footprints)),
            frozenset.intersection(*(each.fetches for each in footprints)),
            frozenset.intersection(*(each.fields for each in footprints)),
        )

    @classmethod
    def union(cls, footprints: Sequence[Footprint]) -> Footprint:
        """What is asked when all of some paths are taken."""
        return cls(
            max(each.depth for each in footprints),
            frozenset().union(*(each.requests for each in footprints)),
            frozenset().union(*(each.fetches for each in footprints)),
            frozenset().union(*(each.fields for each in footprints)),
        )

    @property
    def unnamed(self) -> Hashable:
        """What it has in common with that of another leaf of the same object."""
        assert self.leaf is not None, "what one path asks has its leaf"
        graph, step, place, group = self.leaf
        rest = self.fields - {self.leaf}
        return self.depth, self.requests, self.fetches, rest, graph, step, place[:-1], group


# What is asked, and the paths of all leaves that are decided about together.
_Option: TypeAlias = tuple[Footprint, tuple[Path, ...]]


def choose(leaves: Sequence[Leaf], deadline: Deadline) -> tuple[Path, ...]:
    """The best path found for each leaf, in the leaves' order."""
    footprints = [[_footprint(path, deadline) for path in leaf.options] for leaf in leaves]
    alike: dict[Hashable, list[int]] = {}
    for index, options in enumerate(footprints):
        kind = tuple(each.unnamed for each in options) if len(options) > 1 else index
        alike.setdefault(kind, []).append(index)
    decisions = sorted(alike.values(), key=lambda indexes: len(leaves[indexes[0]].options))
    choices = [
        [
            (
                Footprint.union([footprints[index][number] for index in indexes]),
                tuple(leaves[index].options[number] for index in indexes),
            )
            for number in range(len(leaves[indexes[0]].options))
        ]
        for indexes in decisions
    ]
    picked = _Search(choices, deadline).best()
    chosen = {
        index: path
        for indexes, paths in zip(decisions, picked, strict=True)
        for index, path in zip(indexes, paths, strict=True)
    }
    return tuple(chosen[index] for index in range(len(leaves)))


def cost_of(paths: Iterable[Path], deadline: Deadline) -> Cost:
    """What paths cost together."""
    total = _Total()
    for path in paths:
        total.add(_footprint(path, deadline))
    return total.cost


class _Total:
    """What chosen paths ask of subgraphs together; what was added last can be taken away again.

    The weight of a field grows with the step in which it is asked for: what comes along early comes cheap.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._requests: set[Request] = set()
        self._fetches: set[Place] = set()
        self._fields: set[Place] = set()
        self._weight = 0

    @property
    def cost(self) -> Cost:
        """Sequential steps, then requests, then fetches, then fields."""
        return (self._depth, len(self._requests), len(self._fetches), self._weight)

    def cost_with(self, other: Footprint) -> Cost:
        """The cost if one more path were taken."""
        return (
            max(self._depth, other.depth),
            len(self._requests) + sum(each not in self._requests for each in other.requests),
            len(self._fetches) + sum(each not in self._fetches for each in other.fetches),
            self._weight + _weight(each for each in other.fields if each not in self._fields),
        )

    def add(self, other: Footprint) -> Footprint:
        """Takes one more path; what is new by it, and the depth before."""
        added = Footprint(
            self._depth,
            other.requests - self._requests,
            other.fetches - self._fetches,
            other.fields - self._fields,
        )
        self._depth = max(self._depth, other.depth)
        self._requests |= added.requests
        self._fetches |= added.fetches
        self._fields |= added.fields
        self._weight += _weight(added.fields)
        return added

    def remove(self, added: Footprint) -> None:
        """Takes away what was added last."""
        self._depth = added.depth
        self._requests -= added.requests
        self._fetches -= added.fetches
        self._fields -= added.fields
        self._weight -= _weight(added.fields)


class _Search:
    """Branch and bound over the options of each leaf, on a stack of its own."""

    def __init__(self, options: list[list[_Option]], deadline: Deadline) -> None:
        self._options = options
        self._deadline = deadline
        self._budget = BUDGET
        self._total = _Total()
        self._best: list[tuple[Path, ...]] = []
        self._bound: Cost = (0, 0, 0, 0)
        self._open = next((index for index, each in enumerate(options) if len(each) > 1), len(options))
        self._rest = self._shared_rest()

    def best(self) -> list[tuple[Path, ...]]:
        added = self._greedy()
        self._bound = self._total.cost
        for each in reversed(added[self._open :]):
            self._total.remove(each)
        if self._open < len(self._options):
            self._improve()
        return self._best

    def _greedy(self) -> list[Footprint]:
        added = []
        for options in self._options:
            self._deadline.check()
            footprint, paths = min(options, key=lambda option: self._total.cost_with(option[0]))
            added.append(self._total.add(footprint))
            self._best.append(paths)
        return added

    def _improve(self) -> None:
        """Tries combinations of the leaves that have several options."""
        certain = self._best[: self._open]
        taken: list[_Option] = []
        branches = [self._branch(self._open)]
        while branches and self._budget > 0:
            self._deadline.check()
            if option := next(branches[-1], None):
                footprint, paths = option
                taken.append((self._total.add(footprint), paths))
                reached = self._open + len(taken)
                if self._total.cost_with(self._rest[reached]) < self._bound:
                    if reached < len(self._options):
                        branches.append(self._branch(reached))
                        continue
                    self._best, self._bound = [*certain, *(each for _, each in taken)], self._total.cost
            else:
                branches.pop()
            if taken:
                added, _ = taken.pop()
                self._total.remove(added)

    def _branch(self, index: int) -> Iterator[_Option]:
        """The options of a leaf, those that add least first."""
        self._budget -= len(self._options[index])
        return iter(sorted(self._options[index], key=lambda option: self._total.cost_with(option[0])))

    def _shared_rest(self) -> list[Footprint]:
        """What the leaves from each one on ask at least, whatever is chosen for them: it bounds the cost."""
        rest = [Footprint(0, frozenset(), NOTHING, NOTHING)]
        for options in reversed(self._options[self._open :]):
            own, after = Footprint.shared([footprint for footprint, _ in options]), rest[-1]
            rest.append(
                Footprint(
                    max(own.depth, after.depth),
                    own.requests | after.requests,
                    own.fetches | after.fetches,
                    own.fields | after.fields,
                )
            )
        return [*[rest[-1]] * self._open, *reversed(rest)]


@dataclass(slots=True)
class _Tracer:
    """Follows moves and notes fetches and fields by subgraph, step, place and group."""

    depth: int = 0
    group: ExecutionGroup | None = None
    fetches: set[Place] = field(default_factory=set)
    fields: set[Place] = field(default_factory=set)
    last: Place | None = None

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
                    self.last = (move.move.source.graph, depth, place, self.group)
                    self.fields.add(self.last)
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


def _footprint(path: Path, deadline: Deadline) -> Footprint:
    deadline.check()
    tracer = _Tracer()
    tracer.follow(path.moves, 0, ())
    requests = frozenset((graph, step, group) for graph, step, _, group in tracer.fetches)
    fetches, fields = frozenset(tracer.fetches), frozenset(tracer.fields)
    return Footprint(tracer.depth, requests, fetches, fields, tracer.last)


def _weight(fields: Iterable[Place]) -> int:
    return sum(1 + step for _, step, _, _ in fields)
