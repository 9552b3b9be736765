"""Selection walk: the paths to all leaves of a whole selection set, level by level.

It carries a frontier: the graph paths to all nodes that can have the objects of the current level. For each
field it asks the route finder how that one field is reached from each node of the frontier. The frontier
below keeps only the cheapest few paths to each node, so the search grows with the number of subgraphs and
not with the product of their choices.

For `{ me { name } }`, where `a` has `Query.me` and both `b` and `c` have `User.name`, the frontier is
`Query/A`, below `me` it is `User/A`, and the leaf `me.name` has two options:

    .me =={id}==> User/B.name
    .me =={id}==> User/C.name
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from router.operation.deadline import Deadline
from router.operation.selections import TYPENAME, FieldSelection, SelectionSet
from router.planner.errors import UnplannableError
from router.planner.graph import QueryGraph
from router.planner.moves import (
    NO_CONTEXTS,
    DeferMove,
    EntityMove,
    Excluded,
    FieldMove,
    NarrowMove,
    Node,
    Route,
)
from router.planner.paths import GraphPath, Leaf, keep_best

# The leaves that a search finds, or why it finds none.
_SearchResult: TypeAlias = list[Leaf] | UnplannableError

# What of a path decides which fields can be reached from its end.
_ObjectState: TypeAlias = tuple[Node | None, bool, tuple[tuple[str, Node], ...]]
# A field selection on a type, and the states of the frontier from which it is searched.
_SearchKey: TypeAlias = tuple[int, str, frozenset[_ObjectState]]


class RouteSource(Protocol):
    """What the walk needs of the route finder, which in turn starts walks over keys and requirements."""

    @property
    def graph(self) -> QueryGraph:
        """The moves that are possible."""
        ...

    @property
    def deadline(self) -> Deadline:
        """When the search is given up."""
        ...

    def find(
        self, node: Node, name: str, excluded: Excluded, contexts: Mapping[str, Node]
    ) -> tuple[Route, ...]:
        """The routes to a field from a node where some contexts are set."""
        ...

    def find_deferred(
        self, node: Node, name: str, excluded: Excluded, contexts: Mapping[str, Node]
    ) -> tuple[Route, ...]:
        """The routes to a deferred field."""
        ...

    def find_entity_moves(self, node: Node, excluded: Excluded) -> tuple[EntityMove, ...]:
        """The entity moves that are possible from a node."""
        ...


class SelectionWalk:
    """One walk over a selection set; `leaves` are those found so far."""

    def __init__(self, routes: RouteSource, excluded: Excluded) -> None:
        self._routes = routes
        self._graph = routes.graph
        self._excluded = excluded
        self._failures: dict[_SearchKey, UnplannableError] = {}
        self.leaves: list[Leaf] = []

    def walk(
        self, frontier: Sequence[GraphPath], selections: SelectionSet, response_path: tuple[str, ...]
    ) -> None:
        """Finds the leaves of a selection set on the objects at a response path.

        Raises:
            UnplannableError: some field cannot be reached.
        """
        for field in selections.fields:
            self._walk_field(frontier, selections.type_name, field, response_path)
        common = self._find_common_types(frontier) if selections.narrowed else frozenset()
        for type_name, fields in selections.narrowed.items():
            narrowed = self._narrow(frontier, type_name) if type_name in common else []
            for field in fields if narrowed else ():
                self._walk_field(narrowed, type_name, field, response_path)
        for group, later in selections.deferred.items():
            self.walk([path.advance(DeferMove(group), path.node) for path in frontier], later, response_path)

    def _walk_field(
        self,
        frontier: Sequence[GraphPath],
        type_name: str,
        field: FieldSelection,
        response_path: tuple[str, ...],
    ) -> None:
        field_path = (*response_path, field.response_name)
        if not self._graph.supergraph.is_abstract(type_name):
            self._search_together(frontier, type_name, field, field_path)
            return
        # A search that failed from these nodes fails again, whatever the paths to them.
        search_key = id(field), type_name, frozenset(map(_get_state, frontier))
        if search_key in self._failures:
            raise self._failures[search_key].with_traceback(None)
        found = self._search(lambda: self._search_together(frontier, type_name, field, field_path))
        if isinstance(found, UnplannableError) or self._may_be_better_by_type(frontier, field):
            # On the object types, the field or what is below it may be reached in other ways.
            found = _choose_better(
                found, self._search(lambda: self._search_by_type(frontier, field, field_path))
            )
        if isinstance(found, UnplannableError):
            self._failures[search_key] = found
            raise found
        self.leaves += found

    def _search(self, search: Callable[[], None]) -> _SearchResult:
        """Runs a search with a list of leaves of its own."""
        outer, self.leaves = self.leaves, []
        try:
            search()
        except UnplannableError as error:
            return error
        else:
            return self.leaves
        finally:
            self.leaves = outer

    def _may_be_better_by_type(self, frontier: Sequence[GraphPath], field: FieldSelection) -> bool:
        """Whether the object types have an edge here for what their abstract type has only elsewhere."""
        nodes = [path.node for path in frontier if path.node]
        return any(self._graph.is_provided_by_type(node, field.name) for node in nodes) or (
            field.selections is None
            and any(self._graph.is_resolved_by_type(node, field.name) for node in nodes)
        )

    def _search_together(
        self,
        frontier: Sequence[GraphPath],
        type_name: str,
        field: FieldSelection,
        field_path: tuple[str, ...],
    ) -> None:
        """Selects a field on the type itself, for all objects alike."""
        advanced = self._advance(frontier, field)
        if not advanced:
            wanted = self._graph.contexts.get_contexts_read_by(type_name, field.name)
            raise UnplannableError(
                field_path, type_name, wanted.difference(*(path.contexts for path in frontier))
            )
        before = len(self.leaves)
        if field.selections:
            self.walk(advanced, field.selections, field_path)
        if len(self.leaves) == before:
            self.leaves.append(Leaf(field_path, tuple(advanced)))

    def _search_by_type(
        self, frontier: Sequence[GraphPath], field: FieldSelection, field_path: tuple[str, ...]
    ) -> None:
        """Selects a field on each object type of an abstract type separately.

        A path must serve all of them, because the subgraph at its end decides which type it returns.
        """
        capable = [
            path
            for path in self._resolve_interface_objects(frontier)
            if self._resolves_all_types(path, field)
        ]
        common = self._find_common_types(capable)
        if not common:
            raise UnplannableError(
                field_path, "/".join(sorted({path.node.type for path in frontier if path.node}))
            )
        for type_name in sorted(common):
            self._walk_field(self._narrow(capable, type_name), type_name, field, field_path[:-1])

    def _resolves_all_types(self, path: GraphPath, field: FieldSelection) -> bool:
        assert path.node is not None
        types = self._graph.get_runtime_types(path.node)
        return bool(types) and all(self._advance(self._narrow([path], each), field) for each in types)

    def _advance(self, frontier: Sequence[GraphPath], field: FieldSelection) -> list[GraphPath]:
        reached: list[GraphPath] = []
        for path in frontier:
            self._routes.deadline.check()
            assert path.node is not None
            if field.name == TYPENAME:
                reached += self._advance_typename(path, field)
                continue
            find = self._routes.find_deferred if path.is_deferred else self._routes.find
            routes = find(path.node, field.name, self._excluded, path.contexts)
            contexts = self._graph.get_contexts_set_by(path.origin) if field.selections else NO_CONTEXTS
            for route in routes:
                if field.selections is None and route.entity and routes[0].entity is None:
                    # The node itself has the leaf, and no fetch elsewhere could be cheaper.
                    break
                if route.entity and route.entity.key is None and path.is_at_root:
                    # The frontier has all roots already.
                    continue
                parent = path.advance(route.entity, route.entity.target) if route.entity else path
                reached.append(parent.advance(FieldMove(route.edge, field, contexts), route.edge.target))
        return keep_best(reached)

    def _advance_typename(self, path: GraphPath, field: FieldSelection) -> list[GraphPath]:
        return [
            each.advance(FieldMove(edge, field), None)
            for each in self._resolve_interface_objects([path])
            if each.node and (edge := self._graph.get_field_edge(each.node, TYPENAME))
        ]

    def _find_common_types(self, frontier: Sequence[GraphPath]) -> frozenset[str]:
        """The object types that every node of the frontier can return.

        Resolvers of a shared field must agree, so a type that one of them never returns does not occur.
        """
        types = [
            self._graph.get_runtime_types(path.node)
            for path in self._resolve_interface_objects(frontier)
            if path.node
        ]
        return frozenset.intersection(*types) if types else frozenset()

    def _narrow(self, frontier: Sequence[GraphPath], type_name: str) -> list[GraphPath]:
        narrowed = []
        for path in self._resolve_interface_objects(frontier):
            assert path.node is not None
            if path.node.type == type_name:
                narrowed.append(path)
            else:
                narrowed.append(path.advance(NarrowMove(type_name), self._graph.narrow(path.node, type_name)))
        return narrowed

    def _resolve_interface_objects(self, frontier: Sequence[GraphPath]) -> list[GraphPath]:
        """The frontier with each interface object replaced by nodes whose subgraphs know the object types."""
        typed: list[GraphPath] = []
        for path in frontier:
            assert path.node is not None
            if not self._graph.is_interface_object(path.node):
                typed.append(path)
                continue
            typed += (
                path.advance(move, move.target)
                for move in self._routes.find_entity_moves(path.node, self._excluded)
                if not self._graph.is_interface_object(move.target)
            )
        return keep_best(typed)


def _get_state(path: GraphPath) -> _ObjectState:
    return path.node, path.is_deferred, tuple(path.contexts.items())


def _choose_better(together: _SearchResult, by_type: _SearchResult) -> _SearchResult:
    if isinstance(by_type, UnplannableError):
        return together
    return by_type if isinstance(together, UnplannableError) else min(together, by_type, key=_compute_cost)


def _compute_cost(leaves: Sequence[Leaf]) -> tuple[int, int]:
    """The least cost of leaves: sequential fetches, then fetches."""
    chosen = [leaf.options[0] for leaf in leaves]
    return max(path.depth for path in chosen), sum(path.entity_moves for path in chosen)
