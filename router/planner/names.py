"""Response names in the merged data: two different fields of one object never share a key.

A field's key is the client's response name wherever possible. It gets another one if only the planner needs
the field and the client uses its name otherwise, or if its type has another shape than that of a field with
the same name that may be selected from a subgraph in the same document. For `{ me { id: name email } }`,
where the email must be fetched by the key `id`, the data is

    {"me": {"id": "Ada", "_id_1": "7", "email": "ada@example.com"}}
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count
from typing import NamedTuple, TypeAlias

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode, is_leaf_type

from router.operation.deadline import NEVER, Deadline
from router.operation.selections import TYPENAME, FieldSelection
from router.planner.moves import Node
from router.supergraph import Supergraph


class TypedSegment(NamedTuple):
    """A field of a path: the type it is selected on, and its key in the data."""

    type_name: str
    key: str


TypedPath: TypeAlias = tuple[TypedSegment, ...]
DataPath: TypeAlias = tuple[str, ...]
"""Keys of the merged data, without list indexes."""


class _FieldUse(NamedTuple):
    """A field with its arguments and directives, selected at a node on the objects at a path."""

    path: TypedPath
    node: Node
    name: str
    arguments_and_directives: str


@dataclass(frozen=True, slots=True)
class DataLocation:
    """Where the data has a field of the client: under which keys, and the paths to what is below it."""

    keys: DataPath
    paths: tuple[TypedPath, ...] = ()


class ResponseNames:
    """Assigns each field, by path, node and client's response name, its key in the data."""

    def __init__(self, supergraph: Supergraph, deadline: Deadline = NEVER) -> None:
        self.supergraph = supergraph
        self._deadline = deadline
        self._uses: dict[DataPath, dict[str, list[_FieldUse]]] = defaultdict(lambda: defaultdict(list))
        self._assigned: dict[tuple[_FieldUse, str], str] = {}
        self._client_keys: dict[tuple[TypedPath, str, str, str, str], dict[str, None]] = defaultdict(dict)
        self._client_names: dict[tuple[DataPath, str], str] = {}
        self._has_changed_names = False
        self.field_count = 0
        """How many fields have keys: a measure of the plan's size."""

    def assign_for_client(self, path: TypedPath, node: Node, field: FieldSelection) -> str:
        """Assigns the key of a field that the client selects under the field's response name."""
        key, wanted = self.assign(path, node, field), field.response_name
        self._client_names[to_data_path(path), key] = wanted
        self._client_keys[path, node.type, field.name, field.arguments_and_directives, wanted][key] = None
        self._has_changed_names |= key != wanted
        return key

    def assign(self, path: TypedPath, node: Node, field: FieldSelection) -> str:
        """Assigns the key of a field: its response name, or `_name_1` and so on where that is taken."""
        use = _FieldUse(path, node, field.name, field.arguments_and_directives)
        cache_key = (use, field.response_name)
        if cache_key not in self._assigned:
            self._assigned[cache_key] = self._find_free_key(use, field.response_name)
            self.field_count += 1
        return self._assigned[cache_key]

    def discard_uses(self) -> None:
        """Discards what is needed only to assign further keys."""
        self._uses.clear()
        self._assigned.clear()
        if not self._has_changed_names:
            self._client_keys.clear()

    def locate(self, paths: Iterable[TypedPath], type_name: str, field: FieldSelection) -> DataLocation:
        """Where objects of an object type at some paths have a field of the client."""
        if not self._has_changed_names:
            return DataLocation((field.response_name,))
        found = [*self._find_client_keys(paths, type_name, field)]
        keys = tuple(dict.fromkeys(segment.key for _, segment in found)) or (field.response_name,)
        return DataLocation(keys, tuple((*path, segment) for path, segment in found))

    def get_client_name(self, keys: DataPath, key: str) -> str | None:
        """The client's response name for a key at a path; None if only the planner needs the field."""
        return self._client_names.get((keys, key))

    def _find_client_keys(
        self, paths: Iterable[TypedPath], type_name: str, field: FieldSelection
    ) -> Iterator[tuple[TypedPath, TypedSegment]]:
        kinds = (type_name, *sorted(self.supergraph.get_interfaces(type_name)))
        for path in paths:
            for kind in kinds:
                cache_key = (path, kind, field.name, field.arguments_and_directives, field.response_name)
                yield from ((path, TypedSegment(kind, key)) for key in self._client_keys.get(cache_key, ()))

    def _find_free_key(self, use: _FieldUse, wanted: str) -> str:
        names = chain([wanted], (f"_{wanted}_{number}" for number in count(1)))
        used = self._uses[to_data_path(use.path)]
        key = next(each for each in names if self._is_free(use, each, used[each]))
        used[key].append(use)
        return key

    def _is_free(self, use: _FieldUse, key: str, used: Iterable[_FieldUse]) -> bool:
        """Whether a field can have a key that other fields at the path have already."""
        self._deadline.check()
        is_reserved = key == TYPENAME and use.name != TYPENAME
        return not is_reserved and all(self._are_compatible(use, other) for other in used)

    def _are_compatible(self, one: _FieldUse, other: _FieldUse) -> bool:
        """Whether two fields can share a key (GraphQL, 5.3.2, "Field Selection Merging").

        One object must not have two fields under one key. Fields of different objects may share it unless a
        subgraph knows both, and would refuse different response shapes under one response name.
        """
        mine, theirs = self._find_types_by_subgraph(one), self._find_types_by_subgraph(other)
        shared = mine.keys() & theirs.keys()
        if self._can_meet(one, other):
            if (one.name, one.arguments_and_directives) != (other.name, other.arguments_and_directives):
                return False
            # It is one field: only a subgraph that is sent both uses must accept them together.
            shared &= {one.node.graph} & {other.node.graph}
        return all(self._have_same_response_shape(mine[graph], theirs[graph]) for graph in shared)

    def _can_meet(self, one: _FieldUse, other: _FieldUse) -> bool:
        """Whether both fields can be selected on one object, judging by the types on the way to it."""
        possible = self.supergraph.get_possible_types
        mine = (*one.path, TypedSegment(one.node.type, ""))
        theirs = (*other.path, TypedSegment(other.node.type, ""))
        return all(
            possible(each.type_name) & possible(counterpart.type_name)
            for each, counterpart in zip(mine, theirs, strict=True)
        )

    def _find_types_by_subgraph(self, use: _FieldUse) -> Mapping[str, TypeNode]:
        joins = self.supergraph.types[use.node.type].fields.get(use.name, {})
        return {graph: join.type for graph, join in joins.items()}

    def _have_same_response_shape(self, one: TypeNode, other: TypeNode) -> bool:
        match one, other:
            case NonNullTypeNode(type=mine), NonNullTypeNode(type=theirs):
                return self._have_same_response_shape(mine, theirs)
            case ListTypeNode(type=mine), ListTypeNode(type=theirs):
                return self._have_same_response_shape(mine, theirs)
            case NamedTypeNode(name=mine), NamedTypeNode(name=theirs):
                leaf = any(is_leaf_type(self.supergraph.get_type(name.value)) for name in (mine, theirs))
                return mine.value == theirs.value if leaf else True
        return False


def to_data_path(path: TypedPath) -> DataPath:
    """The keys of a path, without the types along it."""
    return tuple(segment.key for segment in path)
