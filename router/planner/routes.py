"""Routes: how a field is reached from a place where an object is held, directly or after one entity move.

An entity move carries the ways to its key and requirements with it, so a chain of hops is a requirement that
hops itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy

from router.operation.deadline import NEVER, Deadline
from router.operation.selections import SelectionSet
from router.planner.errors import UnplannableError
from router.planner.graph import QueryGraph
from router.planner.moves import ContextValue, EntityMove, Excluded, Node, Route, Way
from router.planner.paths import Leaf, Path
from router.planner.walk import Walk
from router.supergraph.join_spec import ContextArgument


class PathFinder:
    """Finds routes in a query graph and remembers them; it belongs to a supergraph, not to an operation."""

    def __init__(self, graph: QueryGraph) -> None:
        self.graph = graph
        self.deadline = NEVER
        self._routes: dict[tuple[Node, str, Excluded], tuple[Route, ...]] = {}
        self._reached: dict[tuple[Node, Excluded], tuple[EntityMove, ...]] = {}

    def until(self, deadline: Deadline) -> PathFinder:
        """A finder that gives up at a deadline, and shares what this one remembers."""
        finder = copy(self)
        finder.deadline = deadline
        return finder

    def leaves(self, starts: Iterable[Node], selections: SelectionSet) -> tuple[Leaf, ...]:
        """The leaves of a selection with the paths to them from any of the starts.

        Raises:
            UnplannableError: some field cannot be reached.
        """
        walk = Walk(self, frozenset())
        walk.selection_set([Path(start) for start in starts], selections, ())
        return tuple(walk.found)

    def routes(
        self, node: Node, name: str, excluded: Excluded, contexts: Mapping[str, Node]
    ) -> tuple[Route, ...]:
        """The ways to a field from a node below some contexts, at most one per subgraph that is entered."""
        if (node.type, name) in self.graph.contexts.fields:
            return self._find_routes(node, name, excluded, contexts)
        known = (node, name, excluded)
        if known not in self._routes:
            self._routes[known] = self._find_routes(node, name, excluded, {})
        return self._routes[known]

    def later_routes(
        self, node: Node, name: str, excluded: Excluded, contexts: Mapping[str, Node]
    ) -> tuple[Route, ...]:
        """The ways to a deferred field: by a fetch of its own, unless there is no key or it is in one."""
        entering = tuple(self._entering(node, name, excluded, contexts))
        keys = (route.entity.key for route in entering if route.entity and route.entity.key)
        if any(each.name == name and each.selections is None for key in keys for each in key.fields):
            return self.routes(node, name, excluded, contexts)
        return entering or self.routes(node, name, excluded, contexts)

    def reached(self, node: Node, excluded: Excluded = frozenset()) -> tuple[EntityMove, ...]:
        """The entity moves that are possible from a node."""
        known = (node, excluded)
        if known not in self._reached:
            self._reached[known] = () if node.type in excluded else self._explore(node, excluded)
        return self._reached[known]

    def _find_routes(
        self, node: Node, name: str, excluded: Excluded, contexts: Mapping[str, Node]
    ) -> tuple[Route, ...]:
        self.deadline.check()
        routes = []
        if direct := self.graph.field_move(node, name):
            routes.append(Route(None, direct))
        if (node.type, name) not in excluded:
            entering = self._entering(node, name, excluded, contexts)
            routes += (route for route in entering if _leads_away(route, node))
        return tuple(routes)

    def _entering(
        self, node: Node, name: str, excluded: Excluded, contexts: Mapping[str, Node]
    ) -> Iterator[Route]:
        """The ways to a field by an entity move, which may lead to the same node again."""
        for entity in self.reached(node, excluded):
            if move := self.graph.field_move(entity.target, name):
                yield Route(entity, move)
        within = excluded | {(node.type, name)}
        for entity in self._with_requirements(node, name, within, contexts):
            yield Route(entity, self.graph.required_move(entity.target, name))

    def _with_requirements(
        self, node: Node, name: str, excluded: Excluded, contexts: Mapping[str, Node]
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

    def _explore(self, node: Node, excluded: Excluded) -> tuple[EntityMove, ...]:
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
        excluded: Excluded,
    ) -> EntityMove | None:
        if key is None:
            return EntityMove(node, target, None) if target.graph != node.graph else None
        self.deadline.check()
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
        excluded: Excluded,
    ) -> EntityMove | None:
        ways = self._ways(self._around(node, excluded), (key, requires), excluded)
        if ways is None:
            return None
        leaves, depth = ways
        depth = max(depth, *(value.depth for value in values)) if values else depth
        return EntityMove(node, target, key, requires, leaves, depth, values)

    def _context_values(
        self, arguments: tuple[ContextArgument, ...], contexts: Mapping[str, Node], excluded: Excluded
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

    def _around(self, node: Node, excluded: Excluded) -> list[Path]:
        """The node, and all that can be entered from it."""
        start = Path(node)
        return [start, *(start.then(move, move.target) for move in self.reached(node, excluded))]

    def _ways(
        self, frontier: list[Path], wanted: Iterable[SelectionSet | None], excluded: Excluded
    ) -> tuple[tuple[Way, ...], int] | None:
        """The best ways to all that is wanted, and how many fetches they make one after the other."""
        walk = Walk(self, excluded)
        try:
            for needed in wanted:
                if needed is not None:
                    walk.selection_set(frontier, needed, ())
        except UnplannableError:
            return None
        chosen = [min(leaf.options, key=lambda path: path.cost) for leaf in walk.found]
        return tuple(path.moves for path in chosen), max((path.depth for path in chosen), default=0)


def _leads_away(route: Route, node: Node) -> bool:
    """Whether a route leads to another node, or back to the same one with what a field needs."""
    entity = route.entity
    assert entity is not None
    target = entity.target
    brings = entity.requires is not None or bool(entity.values)
    return brings or (target.graph, target.type) != (node.graph, node.type)


def _effort(move: EntityMove) -> tuple[int, int]:
    return (move.depth, sum(len(way) for way in move.leaves))
