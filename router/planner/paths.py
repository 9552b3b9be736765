"""Path search: every way in which each leaf of an operation can be reached.

The search walks the operation level by level with a frontier: the places where the objects of this level can
be held. From each place a field is reached directly, or after one entity move; an entity move carries the
ways to its key and requirements with it, so a chain of hops is a requirement that hops itself. The frontier
keeps only the best few paths to each place, so the search grows with the number of subgraphs, never with the
product of choices.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute

from router.normalize import TYPENAME, FieldSelection, SelectionSet
from router.planner.contexts import NO_CONTEXTS
from router.planner.errors import UnplannableError
from router.planner.graph import QueryGraph
from router.planner.moves import (
    ContextValue,
    Defer,
    EntityMove,
    FieldMove,
    Move,
    Narrow,
    Node,
    Select,
    Way,
)
from router.supergraph import ContextArgument

PATHS_PER_PLACE = 3
MAX_FRONTIER = 24


@dataclass(frozen=True, slots=True)
class Path:
    """A way through the graph; `depth` counts its fetches in sequence, `jumps` its entity moves.

    `contexts` are those that the objects on the way set, each with the nearest of them.
    """

    node: Node | None
    moves: Way = ()
    depth: int = 0
    jumps: int = 0
    contexts: Mapping[str, Node] = attribute(default_factory=dict)

    @property
    def cost(self) -> tuple[int, int, int]:
        """Fewer sequential fetches, then fewer fetches, then fewer fields."""
        return (self.depth, self.jumps, len(self.moves))

    @property
    def is_start(self) -> bool:
        """Whether the path has not left the root."""
        return all(isinstance(move, Defer) for move in self.moves)

    @property
    def is_deferred(self) -> bool:
        """Whether what comes next is asked later of an object that earlier fetches have found."""
        last = next((move for move in reversed(self.moves) if not isinstance(move, Narrow)), None)
        return isinstance(last, Defer) and any(isinstance(move, Select) for move in self.moves)

    @property
    def holder(self) -> Node:
        """Where the object at the end was before it was entered by a key."""
        holder = self.node
        for move in reversed(self.moves):
            if isinstance(move, Select | Narrow):
                break
            holder = move.source if isinstance(move, EntityMove) else holder
        assert holder is not None
        return holder

    def then(self, move: Move, node: Node | None) -> Path:
        """The path with one more move."""
        moves, contexts = (*self.moves, move), self.contexts
        if isinstance(move, EntityMove):
            ways = (*move.leaves, *(way for value in move.values for way in value.leaves))
            hops = sum(isinstance(each, EntityMove) for way in ways for each in way)
            return Path(node, moves, self.depth + 1 + move.depth, self.jumps + 1 + hops, contexts)
        if isinstance(move, Select) and move.sets:
            contexts = {**contexts, **dict.fromkeys(move.sets, self.holder)}
        return Path(node, moves, self.depth, self.jumps, contexts)

    def __str__(self) -> str:
        return "".join(str(move) for move in self.moves)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of an operation, and every path that reaches it, best first."""

    place: tuple[str, ...]
    options: tuple[Path, ...]

    def __str__(self) -> str:
        options = "".join(f"\n  {option}" for option in self.options)
        return f"{'.'.join(self.place)}{options}"


@dataclass(frozen=True, slots=True)
class Route:
    """How a field is reached from a node: directly, or after one entity move."""

    entity: EntityMove | None
    move: FieldMove


_Excluded = frozenset[str | tuple[str, str]]


class PathFinder:
    """Finds routes in a query graph and remembers them; it belongs to a supergraph, not to an operation."""

    def __init__(self, graph: QueryGraph) -> None:
        self.graph = graph
        self._routes: dict[tuple[Node, str, _Excluded], tuple[Route, ...]] = {}
        self._reached: dict[tuple[Node, _Excluded], tuple[EntityMove, ...]] = {}

    def leaves(self, starts: Iterable[Node], selections: SelectionSet) -> tuple[Leaf, ...]:
        """The leaves of a selection with the paths to them from any of the starts.

        Raises:
            UnplannableError: some field cannot be reached.
        """
        walk = _Walk(self, frozenset())
        walk.selection_set([Path(start) for start in starts], selections, ())
        return tuple(walk.found)

    def routes(
        self, node: Node, name: str, excluded: _Excluded, contexts: Mapping[str, Node]
    ) -> tuple[Route, ...]:
        """The ways to a field from a node below some contexts, at most one per subgraph that is entered."""
        if (node.type, name) in self.graph.contexts.fields:
            return self._find_routes(node, name, excluded, contexts)
        known = (node, name, excluded)
        if known not in self._routes:
            self._routes[known] = self._find_routes(node, name, excluded, {})
        return self._routes[known]

    def later_routes(
        self, node: Node, name: str, excluded: _Excluded, contexts: Mapping[str, Node]
    ) -> tuple[Route, ...]:
        """The ways to a deferred field: by a fetch of its own, unless there is no key or it is in one."""
        entering = tuple(self._entering(node, name, excluded, contexts))
        keys = (route.entity.key for route in entering if route.entity and route.entity.key)
        if any(each.name == name and each.selections is None for key in keys for each in key.fields):
            return self.routes(node, name, excluded, contexts)
        return entering or self.routes(node, name, excluded, contexts)

    def reached(self, node: Node, excluded: _Excluded = frozenset()) -> tuple[EntityMove, ...]:
        """The entity moves that are possible from a node."""
        known = (node, excluded)
        if known not in self._reached:
            self._reached[known] = () if node.type in excluded else self._explore(node, excluded)
        return self._reached[known]

    def _find_routes(
        self, node: Node, name: str, excluded: _Excluded, contexts: Mapping[str, Node]
    ) -> tuple[Route, ...]:
        routes = []
        if direct := self.graph.field_move(node, name):
            routes.append(Route(None, direct))
        if (node.type, name) not in excluded:
            entering = self._entering(node, name, excluded, contexts)
            routes += (route for route in entering if _leads_away(route, node))
        return tuple(routes)

    def _entering(
        self, node: Node, name: str, excluded: _Excluded, contexts: Mapping[str, Node]
    ) -> Iterator[Route]:
        """The ways to a field by an entity move, which may lead to the same node again."""
        for entity in self.reached(node, excluded):
            if move := self.graph.field_move(entity.target, name):
                yield Route(entity, move)
        within = excluded | {(node.type, name)}
        for entity in self._with_requirements(node, name, within, contexts):
            yield Route(entity, self.graph.required_move(entity.target, name))

    def _with_requirements(
        self, node: Node, name: str, excluded: _Excluded, contexts: Mapping[str, Node]
    ) -> Iterable[EntityMove]:
        """Entity moves that bring along what a field requires, and what contexts give it."""
        best: dict[Node, EntityMove] = {}
        for entrance in self.graph.entrances(node.type):
            requires = self.graph.requirement(entrance.target, name)
            arguments = self.graph.context_arguments(entrance.target, name)
            if entrance.key is None or (requires is None and not arguments):
                continue
            values = self._context_values(arguments, contexts, excluded)
            if values is None:
                continue
            move = self._enter(node, entrance.target, entrance.key, requires, values, excluded)
            if move and (entrance.target not in best or move.depth < best[entrance.target].depth):
                best[entrance.target] = move
        return best.values()

    def _explore(self, node: Node, excluded: _Excluded) -> tuple[EntityMove, ...]:
        """Finds, round by round, what can be entered with the keys that are known so far."""
        reached: dict[Node, EntityMove] = {}
        while True:
            fresh: dict[Node, EntityMove] = {}
            for entrance in self.graph.entrances(node.type):
                if entrance.target in reached:
                    continue
                move = self._enter_known(node, entrance.target, entrance.key, reached, excluded)
                if move and (entrance.target not in fresh or _effort(move) < _effort(fresh[entrance.target])):
                    fresh[entrance.target] = move
            if not fresh:
                return tuple(reached.values())
            reached.update(fresh)

    def _enter_known(
        self,
        node: Node,
        target: Node,
        key: SelectionSet | None,
        reached: dict[Node, EntityMove],
        excluded: _Excluded,
    ) -> EntityMove | None:
        if key is None:
            return EntityMove(node, target, None) if target.graph != node.graph else None
        start = Path(node)
        frontier = [start, *(start.then(move, there) for there, move in reached.items())]
        ways = self._ways(frontier, (key,), excluded | {node.type})
        return ways and EntityMove(node, target, key, None, *ways)

    def _enter(
        self,
        node: Node,
        target: Node,
        key: SelectionSet,
        requires: SelectionSet | None,
        values: tuple[ContextValue, ...],
        excluded: _Excluded,
    ) -> EntityMove | None:
        ways = self._ways(self._around(node, excluded), (key, requires), excluded)
        if ways is None:
            return None
        leaves, depth = ways
        depth = max(depth, *(value.depth for value in values)) if values else depth
        return EntityMove(node, target, key, requires, leaves, depth, values)

    def _context_values(
        self, arguments: tuple[ContextArgument, ...], contexts: Mapping[str, Node], excluded: _Excluded
    ) -> tuple[ContextValue, ...] | None:
        """What contexts give to arguments; None if one of them is not set or its value cannot be had."""
        values = []
        for argument in arguments:
            holder = contexts.get(argument.context)
            if holder is None:
                return None
            selection = self.graph.contexts.selection(holder.type, argument)
            ways = self._ways(self._around(holder, excluded), (selection,), excluded)
            if ways is None:
                return None
            values.append(ContextValue(argument, selection, *ways))
        return tuple(values)

    def _around(self, node: Node, excluded: _Excluded) -> list[Path]:
        """The node, and all that can be entered from it."""
        start = Path(node)
        return [start, *(start.then(move, move.target) for move in self.reached(node, excluded))]

    def _ways(
        self, frontier: list[Path], wanted: Iterable[SelectionSet | None], excluded: _Excluded
    ) -> tuple[tuple[Way, ...], int] | None:
        """The best ways to all that is wanted, and how many fetches they make one after the other."""
        walk = _Walk(self, excluded)
        try:
            for needed in wanted:
                if needed is not None:
                    walk.selection_set(frontier, needed, ())
        except UnplannableError:
            return None
        chosen = [min(leaf.options, key=lambda path: path.cost) for leaf in walk.found]
        return tuple(path.moves for path in chosen), max((path.depth for path in chosen), default=0)


class _Walk:
    """One walk over a selection, collecting the leaves it finds."""

    def __init__(self, finder: PathFinder, excluded: _Excluded) -> None:
        self._finder = finder
        self._graph = finder.graph
        self._excluded = excluded
        self.found: list[Leaf] = []

    def selection_set(
        self, frontier: Sequence[Path], selections: SelectionSet, place: tuple[str, ...]
    ) -> None:
        for field in selections.fields:
            self._field(frontier, selections.type_name, field, place)
        common = self._shared_types(frontier) if selections.narrowed else frozenset()
        for type_name, fields in selections.narrowed.items():
            narrowed = self._narrowed(frontier, type_name) if type_name in common else []
            for field in fields if narrowed else ():
                self._field(narrowed, type_name, field, place)
        for group, later in selections.deferred.items():
            self.selection_set([path.then(Defer(group), path.node) for path in frontier], later, place)

    def _field(
        self, frontier: Sequence[Path], type_name: str, field: FieldSelection, place: tuple[str, ...]
    ) -> None:
        here = (*place, field.response_name)
        advanced = self._advanced(frontier, field)
        if not advanced and self._graph.supergraph.is_abstract(type_name):
            return self._expanded(frontier, field, here)
        if not advanced:
            wanted = self._graph.contexts.read_by(type_name, field.name)
            raise UnplannableError(here, type_name, wanted.difference(*(path.contexts for path in frontier)))
        self._descend(advanced, field, here)
        return None

    def _descend(self, advanced: list[Path], field: FieldSelection, here: tuple[str, ...]) -> None:
        before = len(self.found)
        if field.selections:
            self.selection_set(advanced, field.selections, here)
        if len(self.found) == before:
            self.found.append(Leaf(here, tuple(advanced)))

    def _expanded(self, frontier: Sequence[Path], field: FieldSelection, here: tuple[str, ...]) -> None:
        """Asks a field of an abstract type separately of each concrete type.

        All types must be served from one place, because the subgraph decides which of them it returns.
        """
        capable = [path for path in self._with_types(frontier) if self._serves_all(path, field)]
        common = self._shared_types(capable)
        if not common:
            raise UnplannableError(here, "/".join(sorted({path.node.type for path in frontier if path.node})))
        for type_name in sorted(common):
            self._field(self._narrowed(capable, type_name), type_name, field, here[:-1])

    def _serves_all(self, path: Path, field: FieldSelection) -> bool:
        assert path.node is not None
        types = self._graph.runtime_types(path.node)
        return bool(types) and all(self._advanced(self._narrowed([path], each), field) for each in types)

    def _advanced(self, frontier: Sequence[Path], field: FieldSelection) -> list[Path]:
        reached: list[Path] = []
        for path in frontier:
            assert path.node is not None
            if field.name == TYPENAME:
                reached += self._typename(path, field)
                continue
            find = self._finder.later_routes if path.is_deferred else self._finder.routes
            routes = find(path.node, field.name, self._excluded, path.contexts)
            sets = self._graph.contexts_set(path.holder) if field.selections else NO_CONTEXTS
            for route in routes:
                if field.selections is None and route.entity and routes[0].entity is None:
                    break
                if route.entity and route.entity.key is None and path.is_start:
                    continue  # the search starts from every root already
                step = path.then(route.entity, route.entity.target) if route.entity else path
                reached.append(step.then(Select(route.move, field, sets), route.move.target))
        return _best(reached)

    def _typename(self, path: Path, field: FieldSelection) -> list[Path]:
        return [
            each.then(Select(move, field), None)
            for each in self._with_types([path])
            if each.node and (move := self._graph.field_move(each.node, TYPENAME))
        ]

    def _shared_types(self, frontier: Sequence[Path]) -> frozenset[str]:
        """The types that every place of the frontier can return.

        Resolvers of a shared field must agree, so a type that one of them never returns does not occur.
        """
        types = [self._graph.runtime_types(path.node) for path in self._with_types(frontier) if path.node]
        return frozenset.intersection(*types) if types else frozenset()

    def _narrowed(self, frontier: Sequence[Path], type_name: str) -> list[Path]:
        narrowed = []
        for path in self._with_types(frontier):
            assert path.node is not None
            if path.node.type == type_name:
                narrowed.append(path)
            else:
                narrowed.append(path.then(Narrow(type_name), self._graph.narrowed(path.node, type_name)))
        return narrowed

    def _with_types(self, frontier: Sequence[Path]) -> list[Path]:
        """The frontier with interface objects replaced by the subgraphs that know the concrete types."""
        typed: list[Path] = []
        for path in frontier:
            assert path.node is not None
            if not self._graph.is_interface_object(path.node):
                typed.append(path)
                continue
            typed += (
                path.then(move, move.target)
                for move in self._finder.reached(path.node, self._excluded)
                if not self._graph.is_interface_object(move.target)
            )
        return _best(typed)


def _leads_away(route: Route, node: Node) -> bool:
    """Whether a route leads to another node, or back to the same one with what a field needs."""
    entity = route.entity
    assert entity is not None
    target = entity.target
    brings = entity.requires is not None or bool(entity.values)
    return brings or (target.graph, target.type) != (node.graph, node.type)


def _effort(move: EntityMove) -> tuple[int, int]:
    return (move.depth, sum(len(way) for way in move.leaves))


def _best(paths: list[Path]) -> list[Path]:
    """The best few paths to each place, cheapest first."""
    if len(paths) < 2:
        return paths
    kept: list[Path] = []
    per_place: dict[Node | str | None, int] = defaultdict(int)
    for path in sorted(paths, key=lambda path: path.cost):
        place = path.node or _graph_of(path)
        per_place[place] += 1
        if per_place[place] <= PATHS_PER_PLACE:
            kept.append(path)
    return kept[:MAX_FRONTIER]


def _graph_of(path: Path) -> str:
    last = path.moves[-1]
    assert isinstance(last, Select)
    return last.move.source.graph
