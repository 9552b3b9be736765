"""Choice: one path for each leaf, so that all together need the fewest sequential fetches, then requests.

In `{ me { name nick } }`, where `b` and `c` have `User.name` and only `c` has `User.nick`, the path of `nick`
is certain, and the one of `name` through `c` adds no request to it. Leaves whose paths differ in nothing but
the leaf's name are one decision: if `b` had `nick` too, fetching the two from different subgraphs could gain
nothing. A greedy pass takes, decision by decision, the option that adds least. Branch and bound then looks
for something better within a budget, so that a query with very many options gets at least the greedy plan.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from router.operation.deadline import Deadline
from router.operation.deferral import ExecutionGroup
from router.planner.moves import DeferMove, EntityMove, FieldMove, Moves, NarrowMove
from router.planner.paths import GraphPath, Leaf

# How many options branch and bound may look at.
MAX_OPTIONS = 2000

PlanCost: TypeAlias = tuple[int, int, int, int]
# Requests by subgraph, depth and execution group; fetches and fields by their response path as well.
_Request: TypeAlias = tuple[str, int, ExecutionGroup | None]
_Site: TypeAlias = tuple[str, int, tuple[str, ...], ExecutionGroup | None]
# The depth and the response path of an object that sets a context.
_ContextOrigin: TypeAlias = tuple[int, tuple[str, ...]]
_NO_ORIGINS: Mapping[str, _ContextOrigin] = {}
_NO_SITES: frozenset[_Site] = frozenset()


@dataclass(frozen=True, slots=True)
class Footprint:
    """What graph paths need of the subgraphs; `leaf` is the last field of a single path.

    Entity fetches for several response paths that go to one subgraph at one depth are sent in one request.
    """

    depth: int
    requests: frozenset[_Request]
    fetches: frozenset[_Site]
    fields: frozenset[_Site]
    leaf: _Site | None = None

    @classmethod
    def intersect(cls, footprints: Sequence[Footprint]) -> Footprint:
        """What is needed whichever of some paths is chosen."""
        return cls(
            min(each.depth for each in footprints),
            frozenset.intersection(*(each.requests for each in footprints)),
            frozenset.intersection(*(each.fetches for each in footprints)),
            frozenset.intersection(*(each.fields for each in footprints)),
        )

    @classmethod
    def unite(cls, footprints: Sequence[Footprint]) -> Footprint:
        """What is needed if all of some paths are chosen."""
        return cls(
            max(each.depth for each in footprints),
            frozenset().union(*(each.requests for each in footprints)),
            frozenset().union(*(each.fetches for each in footprints)),
            frozenset().union(*(each.fields for each in footprints)),
        )

    @property
    def decision_key(self) -> Hashable:
        """The footprint without the leaf's name, equal for leaves that can be decided together."""
        assert self.leaf is not None, "the footprint of a single path has a leaf"
        graph, depth, path, group = self.leaf
        rest = self.fields - {self.leaf}
        return self.depth, self.requests, self.fetches, rest, graph, depth, path[:-1], group


# One way to decide: the paths of all leaves that are decided together, and their footprint.
_Option: TypeAlias = tuple[Footprint, tuple[GraphPath, ...]]


def choose_paths(leaves: Sequence[Leaf], deadline: Deadline) -> tuple[GraphPath, ...]:
    """The best path found for each leaf, in the leaves' order."""
    footprints = [[_trace_footprint(path, deadline) for path in leaf.options] for leaf in leaves]
    alike: dict[Hashable, list[int]] = {}
    for index, options in enumerate(footprints):
        kind = tuple(each.decision_key for each in options) if len(options) > 1 else index
        alike.setdefault(kind, []).append(index)
    decisions = sorted(alike.values(), key=lambda indexes: len(leaves[indexes[0]].options))
    choices = [
        [
            (
                Footprint.unite([footprints[index][number] for index in indexes]),
                tuple(leaves[index].options[number] for index in indexes),
            )
            for number in range(len(leaves[indexes[0]].options))
        ]
        for indexes in decisions
    ]
    picked = _Search(choices, deadline).find_best()
    chosen = {
        index: path
        for indexes, paths in zip(decisions, picked, strict=True)
        for index, path in zip(indexes, paths, strict=True)
    }
    return tuple(chosen[index] for index in range(len(leaves)))


def measure_cost(paths: Iterable[GraphPath], deadline: Deadline) -> PlanCost:
    """The cost of some paths together."""
    total = _RunningTotal()
    for path in paths:
        total.add(_trace_footprint(path, deadline))
    return total.cost


class _RunningTotal:
    """The footprint of all chosen paths; what was added last can be removed again.

    A field weighs more the deeper its fetch is: of otherwise equal plans, the one that has data earlier wins.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._requests: set[_Request] = set()
        self._fetches: set[_Site] = set()
        self._fields: set[_Site] = set()
        self._weight = 0

    @property
    def cost(self) -> PlanCost:
        """Sequential fetches, then requests, then fetches, then the weight of all fields."""
        return (self._depth, len(self._requests), len(self._fetches), self._weight)

    def compute_cost_with(self, other: Footprint) -> PlanCost:
        """The cost if a footprint were added."""
        return (
            max(self._depth, other.depth),
            len(self._requests) + sum(each not in self._requests for each in other.requests),
            len(self._fetches) + sum(each not in self._fetches for each in other.fetches),
            self._weight + _weigh(each for each in other.fields if each not in self._fields),
        )

    def add(self, other: Footprint) -> Footprint:
        """Adds a footprint; returns, for `remove`, what was new in it and the depth before."""
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
        self._weight += _weigh(added.fields)
        return added

    def remove(self, added: Footprint) -> None:
        """Removes what was added last."""
        self._depth = added.depth
        self._requests -= added.requests
        self._fetches -= added.fetches
        self._fields -= added.fields
        self._weight -= _weigh(added.fields)


class _Search:
    """The search over all decisions, those with a single option first.

    Branch and bound keeps its own stack: decisions may outnumber the nested calls that Python allows.
    """

    def __init__(self, options: list[list[_Option]], deadline: Deadline) -> None:
        self._options = options
        self._deadline = deadline
        self._budget = MAX_OPTIONS
        self._total = _RunningTotal()
        self._best: list[tuple[GraphPath, ...]] = []
        self._bound: PlanCost = (0, 0, 0, 0)
        self._first_open = next((index for index, each in enumerate(options) if len(each) > 1), len(options))
        self._bounds = self._compute_lower_bounds()

    def find_best(self) -> list[tuple[GraphPath, ...]]:
        added = self._choose_greedily()
        self._bound = self._total.cost
        for each in reversed(added[self._first_open :]):
            self._total.remove(each)
        if self._first_open < len(self._options):
            self._branch_and_bound()
        return self._best

    def _choose_greedily(self) -> list[Footprint]:
        added = []
        for options in self._options:
            self._deadline.check()
            footprint, paths = min(options, key=lambda option: self._total.compute_cost_with(option[0]))
            added.append(self._total.add(footprint))
            self._best.append(paths)
        return added

    def _branch_and_bound(self) -> None:
        """Tries combinations of the open decisions, depth first; cuts off what cannot become better."""
        certain = self._best[: self._first_open]
        chosen: list[_Option] = []
        branches = [self._branch(self._first_open)]
        while branches and self._budget > 0:
            self._deadline.check()
            if option := next(branches[-1], None):
                footprint, paths = option
                chosen.append((self._total.add(footprint), paths))
                reached = self._first_open + len(chosen)
                if self._total.compute_cost_with(self._bounds[reached]) < self._bound:
                    if reached < len(self._options):
                        branches.append(self._branch(reached))
                        continue
                    self._best, self._bound = [*certain, *(each for _, each in chosen)], self._total.cost
            else:
                branches.pop()
            if chosen:
                added, _ = chosen.pop()
                self._total.remove(added)

    def _branch(self, index: int) -> Iterator[_Option]:
        """The options of a decision, those that add least first."""
        self._budget -= len(self._options[index])
        return iter(sorted(self._options[index], key=lambda option: self._total.compute_cost_with(option[0])))

    def _compute_lower_bounds(self) -> list[Footprint]:
        """For each decision, what it and all later ones need at least, whatever is chosen."""
        rest = [Footprint(0, frozenset(), _NO_SITES, _NO_SITES)]
        for options in reversed(self._options[self._first_open :]):
            own, after = Footprint.intersect([footprint for footprint, _ in options]), rest[-1]
            rest.append(
                Footprint(
                    max(own.depth, after.depth),
                    own.requests | after.requests,
                    own.fetches | after.fetches,
                    own.fields | after.fields,
                )
            )
        return [*[rest[-1]] * self._first_open, *reversed(rest)]


@dataclass(slots=True)
class _FootprintTracer:
    """Follows moves and notes the fetches and fields that they need."""

    depth: int = 0
    group: ExecutionGroup | None = None
    fetches: set[_Site] = field(default_factory=set)
    fields: set[_Site] = field(default_factory=set)
    last_site: _Site | None = None

    def follow(
        self,
        moves: Moves,
        depth: int,
        path: tuple[str, ...],
        origins: Mapping[str, _ContextOrigin] = _NO_ORIGINS,
    ) -> int:
        origin_depth = depth
        for move in moves:
            match move:
                case FieldMove():
                    self._note_root_fetch(move, depth, path)
                    if move.contexts:
                        origins = {**origins, **dict.fromkeys(move.contexts, (origin_depth, path))}
                    path = (*path, move.selection.response_name)
                    self.last_site = (move.edge.source.graph, depth, path, self.group)
                    self.fields.add(self.last_site)
                    origin_depth = depth
                case NarrowMove(type=name):
                    path = (*path, f"|{name}")
                    origin_depth = depth
                case DeferMove(group=group):
                    self.group = group
                case _:
                    depth = self._enter_subgraph(move, depth, path, origins)
        self.depth = max(self.depth, depth)
        return depth

    def _note_root_fetch(self, move: FieldMove, depth: int, path: tuple[str, ...]) -> None:
        if not path and depth == 0:
            self.fetches.add((move.edge.source.graph, 0, (), self.group))

    def _enter_subgraph(
        self, move: EntityMove, depth: int, path: tuple[str, ...], origins: Mapping[str, _ContextOrigin]
    ) -> int:
        ends = [self.follow(moves, depth, path) for moves in move.inputs]
        for value in move.values:
            # A context is read from the object that sets it, at the depth at which that was fetched.
            ends += (self.follow(moves, *origins[value.argument.context]) for moves in value.inputs)
        entered = max(depth, *ends) + 1 if ends else depth + 1
        at = tuple(name for name in path if not name.startswith("|"))
        self.fetches.add((move.target.graph, entered, at, self.group))
        return entered


def _trace_footprint(path: GraphPath, deadline: Deadline) -> Footprint:
    deadline.check()
    tracer = _FootprintTracer()
    tracer.follow(path.moves, 0, ())
    requests = frozenset((graph, depth, group) for graph, depth, _, group in tracer.fetches)
    fetches, fields = frozenset(tracer.fetches), frozenset(tracer.fields)
    return Footprint(tracer.depth, requests, fetches, fields, tracer.last_site)


def _weigh(fields: Iterable[_Site]) -> int:
    return sum(1 + depth for _, depth, _, _ in fields)
