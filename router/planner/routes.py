"""Routes: how one field is reached from one node, along an edge of the node or after one entity move.

An entity move is possible if the key of its target can be obtained. A key is a selection on the object like
any other: the finder starts a selection walk over it, and the walk calls the finder again. This recursion
ends because what is being searched for is excluded below. A key may itself need an entity move, so one entity
move may stand for a chain of fetches. Where `a` has `Query.me` and the key `id` of `User`, `b` the keys `id`
and `email`, and `c` the key `email` and `User.name`, the route from `User/A` to `name` is one entity move to
`User/C`. Its input, the email, is reached by an entity move to `User/B`, and the input of that is the `id`.

Routes depend on the supergraph alone, so each is found once for all operations; only those of fields with
contextual arguments depend on the objects around, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import copy

from router.operation.deadline import NEVER, Deadline
from router.operation.selections import SelectionSet
from router.planner.errors import UnplannableError
from router.planner.graph import QueryGraph
from router.planner.moves import ContextValue, EntityMove, Excluded, Moves, Node, Route
from router.planner.paths import GraphPath, Leaf
from router.planner.selection_walk import SelectionWalk
from router.supergraph.join_spec import ContextArgument


class RouteFinder:
    """Finds routes in a query graph and caches them."""

    def __init__(self, graph: QueryGraph) -> None:
        self.graph = graph
        self.deadline = NEVER
        self._routes: dict[tuple[Node, str, Excluded], tuple[Route, ...]] = {}
        self._entity_moves: dict[tuple[Node, Excluded], tuple[EntityMove, ...]] = {}

    def with_deadline(self, deadline: Deadline) -> RouteFinder:
        """A finder that gives up at a deadline, with the same cache."""
        finder = copy(self)
        finder.deadline = deadline
        return finder

    def find_leaves(self, starts: Iterable[Node], selections: SelectionSet) -> tuple[Leaf, ...]:
        """The leaves of a selection set, each with its paths from any of the starts.

        Raises:
            UnplannableError: some field cannot be reached.
        """
        walk = SelectionWalk(self, frozenset())
        walk.walk([GraphPath(start) for start in starts], selections, ())
        return tuple(walk.leaves)

    def find(
        self, node: Node, name: str, excluded: Excluded, contexts: Mapping[str, Node]
    ) -> tuple[Route, ...]:
        """The routes to a field from a node where some contexts are set, at most one into each node."""
        if (node.type, name) in self.graph.contexts.fields:
            return self._find_uncached(node, name, excluded, contexts)
        cache_key = (node, name, excluded)
        if cache_key not in self._routes:
            self._routes[cache_key] = self._find_uncached(node, name, excluded, {})
        return self._routes[cache_key]

    def find_deferred(
        self, node: Node, name: str, excluded: Excluded, contexts: Mapping[str, Node]
    ) -> tuple[Route, ...]:
        """The routes to a deferred field: entity moves, so that the initial response need not wait for it.

        A leaf of a key needs no fetch of its own, nor does a field that no entity move leads to.
        """
        routes = tuple(self._find_entity_routes(node, name, excluded, contexts))
        keys = (route.entity.key for route in routes if route.entity and route.entity.key)
        if any(each.name == name and each.selections is None for key in keys for each in key.fields):
            return self.find(node, name, excluded, contexts)
        return routes or self.find(node, name, excluded, contexts)

    def find_entity_moves(self, node: Node, excluded: Excluded = frozenset()) -> tuple[EntityMove, ...]:
        """The entity moves that are possible from a node."""
        cache_key = (node, excluded)
        if cache_key not in self._entity_moves:
            found = () if node.type in excluded else self._search_entity_moves(node, excluded)
            self._entity_moves[cache_key] = found
        return self._entity_moves[cache_key]

    def _find_uncached(
        self, node: Node, name: str, excluded: Excluded, contexts: Mapping[str, Node]
    ) -> tuple[Route, ...]:
        self.deadline.check()
        routes = []
        if edge := self.graph.get_field_edge(node, name):
            routes.append(Route(None, edge))
        if (node.type, name) not in excluded:
            entity_routes = self._find_entity_routes(node, name, excluded, contexts)
            routes += (route for route in entity_routes if _is_useful(route, node))
        return tuple(routes)

    def _find_entity_routes(
        self, node: Node, name: str, excluded: Excluded, contexts: Mapping[str, Node]
    ) -> Iterator[Route]:
        """The routes to a field by an entity move, which may lead back to the same node."""
        for entity in self.find_entity_moves(node, excluded):
            if edge := self.graph.get_field_edge(entity.target, name):
                yield Route(entity, edge)
        # A requirement must not need the field that requires it.
        within = excluded | {(node.type, name)}
        for entity in self._find_moves_with_requirements(node, name, within, contexts):
            yield Route(entity, self.graph.build_required_edge(entity.target, name))

    def _find_moves_with_requirements(
        self, node: Node, name: str, excluded: Excluded, contexts: Mapping[str, Node]
    ) -> Iterable[EntityMove]:
        """Entity moves whose representations have what a field requires, with its contextual arguments."""
        best: dict[Node, EntityMove] = {}
        for entry in self.graph.get_entry_points(node.type):
            requires = self.graph.get_requirement(entry.target, name)
            arguments = self.graph.get_context_arguments(entry.target, name)
            if entry.key is None or (requires is None and not arguments):
                continue
            values = self._find_context_values(arguments, contexts, excluded)
            if values is None:
                continue
            move = self._enter(node, entry.target, entry.key, requires, values, excluded)
            if move and (entry.target not in best or move.depth < best[entry.target].depth):
                best[entry.target] = move
        return best.values()

    def _search_entity_moves(self, node: Node, excluded: Excluded) -> tuple[EntityMove, ...]:
        """Enters, round by round, what can be entered by keys of the nodes that were entered before.

        Within a round the cheapest move to each node counts.
        """
        entered: dict[Node, EntityMove] = {}
        while True:
            fresh: dict[Node, EntityMove] = {}
            for entry in self.graph.get_entry_points(node.type):
                if entry.target in entered:
                    continue
                move = self._enter_by_key(node, entry.target, entry.key, entered, excluded)
                if move and (
                    entry.target not in fresh or _compute_cost(move) < _compute_cost(fresh[entry.target])
                ):
                    fresh[entry.target] = move
            if not fresh:
                return tuple(entered.values())
            entered.update(fresh)

    def _enter_by_key(
        self,
        node: Node,
        target: Node,
        key: SelectionSet | None,
        entered: dict[Node, EntityMove],
        excluded: Excluded,
    ) -> EntityMove | None:
        """The move to a node, if the node itself or those entered before have its key."""
        if key is None:
            return EntityMove(node, target, None) if target.graph != node.graph else None
        self.deadline.check()
        start = GraphPath(node)
        frontier = [start, *(start.advance(move, there) for there, move in entered.items())]
        # Further entity moves of this type are not searched for here: the rounds try them in turn.
        found = self._find_inputs(frontier, (key,), excluded | {node.type})
        return found and EntityMove(node, target, key, None, *found)

    def _enter(
        self,
        node: Node,
        target: Node,
        key: SelectionSet,
        requires: SelectionSet | None,
        values: tuple[ContextValue, ...],
        excluded: Excluded,
    ) -> EntityMove | None:
        """The move to a node with inputs for its key and a field's requirements, if these can be obtained."""
        found = self._find_inputs(self._build_frontier(node, excluded), (key, requires), excluded)
        if found is None:
            return None
        inputs, depth = found
        depth = max(depth, *(value.depth for value in values)) if values else depth
        return EntityMove(node, target, key, requires, inputs, depth, values)

    def _find_context_values(
        self, arguments: tuple[ContextArgument, ...], contexts: Mapping[str, Node], excluded: Excluded
    ) -> tuple[ContextValue, ...] | None:
        """The values of contextual arguments; None if a context is not set or a value cannot be obtained."""
        values = []
        for argument in arguments:
            setter = contexts.get(argument.context)
            if setter is None:
                return None
            selection = self.graph.contexts.build_selection(setter.type, argument)
            found = self._find_inputs(self._build_frontier(setter, excluded), (selection,), excluded)
            if found is None:
                return None
            values.append(ContextValue(argument, selection, *found))
        return tuple(values)

    def _build_frontier(self, node: Node, excluded: Excluded) -> list[GraphPath]:
        """Paths to the node itself and to all nodes that can be entered from it."""
        start = GraphPath(node)
        return [start, *(start.advance(move, move.target) for move in self.find_entity_moves(node, excluded))]

    def _find_inputs(
        self, frontier: list[GraphPath], wanted: Iterable[SelectionSet | None], excluded: Excluded
    ) -> tuple[tuple[Moves, ...], int] | None:
        """The cheapest moves to all leaves of some field sets, and how many sequential fetches they take."""
        walk = SelectionWalk(self, excluded)
        try:
            for selections in wanted:
                if selections is not None:
                    walk.walk(frontier, selections, ())
        except UnplannableError:
            return None
        chosen = [min(leaf.options, key=lambda path: path.cost) for leaf in walk.leaves]
        return tuple(path.moves for path in chosen), max((path.depth for path in chosen), default=0)


def _is_useful(route: Route, node: Node) -> bool:
    """Whether a route leads to another node, or back to the same one with what a field requires."""
    entity = route.entity
    assert entity is not None
    has_further_inputs = entity.requires is not None or bool(entity.values)
    return has_further_inputs or (entity.target.graph, entity.target.type) != (node.graph, node.type)


def _compute_cost(move: EntityMove) -> tuple[int, int]:
    return (move.depth, sum(len(moves) for moves in move.inputs))
