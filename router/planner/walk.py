"""The walk over a selection: every way in which each of its leaves can be reached.

It goes level by level with a frontier: the places where the objects of this level can be held. From each
place a field is reached directly, or after one entity move. The frontier keeps only the best few paths to
each place, so the search grows with the number of subgraphs, never with the product of choices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from router.operation.deadline import Deadline
from router.operation.selections import TYPENAME, FieldSelection, SelectionSet
from router.planner.errors import UnplannableError
from router.planner.graph import QueryGraph
from router.planner.moves import NO_CONTEXTS, Defer, EntityMove, Excluded, Narrow, Node, Route, Select
from router.planner.paths import Leaf, Path, best

# The leaves that a search finds, or why it finds none.
_Found: TypeAlias = list[Leaf] | UnplannableError

# Where an object is held, as far as it matters for what can be asked of it.
_Standing: TypeAlias = tuple[Node | None, bool, tuple[tuple[str, Node], ...]]
# A field asked of objects of a type, all of them held in one of some ways.
_Attempt: TypeAlias = tuple[int, str, frozenset[_Standing]]


class Finder(Protocol):
    """Finds how a field is reached from a node, for which it may need walks of its own."""

    @property
    def graph(self) -> QueryGraph:
        """The moves that are possible."""
        ...

    @property
    def deadline(self) -> Deadline:
        """Until when it searches."""
        ...

    def routes(
        self, node: Node, name: str, excluded: Excluded, contexts: Mapping[str, Node]
    ) -> tuple[Route, ...]:
        """The ways to a field from a node below some contexts."""
        ...

    def later_routes(
        self, node: Node, name: str, excluded: Excluded, contexts: Mapping[str, Node]
    ) -> tuple[Route, ...]:
        """The ways to a deferred field."""
        ...

    def reached(self, node: Node, excluded: Excluded) -> tuple[EntityMove, ...]:
        """The entity moves that are possible from a node."""
        ...


class Walk:
    """One walk over a selection, collecting the leaves it finds."""

    def __init__(self, finder: Finder, excluded: Excluded) -> None:
        self._finder = finder
        self._graph = finder.graph
        self._excluded = excluded
        self._failed: dict[_Attempt, UnplannableError] = {}
        self.found: list[Leaf] = []

    def selection_set(
        self, frontier: Sequence[Path], selections: SelectionSet, place: tuple[str, ...]
    ) -> None:
        """Finds the leaves of a selection of the objects at a place.

        Raises:
            UnplannableError: some field cannot be reached.
        """
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
        if not self._graph.supergraph.is_abstract(type_name):
            self._at_once(frontier, type_name, field, here)
            return
        # What failed from some places fails there again, however they were reached.
        known = id(field), type_name, frozenset(map(_standing, frontier))
        if known in self._failed:
            raise self._failed[known].with_traceback(None)
        found = self._found_by(lambda: self._at_once(frontier, type_name, field, here))
        if isinstance(found, UnplannableError) or self._is_nearer_apart(frontier, field):
            # Of a concrete type, the field or what is below it may be found elsewhere too.
            found = _better(found, self._found_by(lambda: self._expanded(frontier, field, here)))
        if isinstance(found, UnplannableError):
            self._failed[known] = found
            raise found
        self.found += found

    def _found_by(self, search: Callable[[], None]) -> _Found:
        outer, self.found = self.found, []
        try:
            search()
        except UnplannableError as error:
            return error
        else:
            return self.found
        finally:
            self.found = outer

    def _is_nearer_apart(self, frontier: Sequence[Path], field: FieldSelection) -> bool:
        """Whether concrete types have what their abstract one has elsewhere, or on other ways only."""
        nodes = [path.node for path in frontier if path.node]
        return any(self._graph.provides_apart(node, field.name) for node in nodes) or (
            field.selections is None and any(self._graph.has_apart(node, field.name) for node in nodes)
        )

    def _at_once(
        self, frontier: Sequence[Path], type_name: str, field: FieldSelection, here: tuple[str, ...]
    ) -> None:
        """Asks a field of all the objects at a place in the same way."""
        advanced = self._advanced(frontier, field)
        if not advanced:
            wanted = self._graph.contexts.read_by(type_name, field.name)
            raise UnplannableError(here, type_name, wanted.difference(*(path.contexts for path in frontier)))
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
            self._finder.deadline.check()
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
        return best(reached)

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
        return best(typed)


def _standing(path: Path) -> _Standing:
    return path.node, path.is_deferred, tuple(path.contexts.items())


def _better(at_once: _Found, by_type: _Found) -> _Found:
    if isinstance(by_type, UnplannableError):
        return at_once
    return by_type if isinstance(at_once, UnplannableError) else min(at_once, by_type, key=_cost)


def _cost(leaves: Sequence[Leaf]) -> tuple[int, int]:
    """What leaves cost at best: sequential fetches, then fetches."""
    chosen = [leaf.options[0] for leaf in leaves]
    return max(path.depth for path in chosen), sum(path.jumps for path in chosen)
