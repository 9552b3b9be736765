"""Response names in the merged data: two different fields of one place never share one.

A client's aliases stay as they are wherever possible. Another name is given to a field that only the planner
needs and whose name the client uses otherwise, and to fields of different types that one subgraph could not
answer under one name because their types differ in shape.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, count
from typing import TypeAlias

from graphql import ListTypeNode, NamedTypeNode, NonNullTypeNode, TypeNode, is_leaf_type

from router.deadline import NEVER, Deadline
from router.supergraph import Supergraph

Place: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Use:
    type_name: str
    name: str
    arguments: str


class ResponseNames:
    """Assigns response names by place, type and field, each once."""

    def __init__(self, supergraph: Supergraph, deadline: Deadline = NEVER) -> None:
        self._supergraph = supergraph
        self._deadline = deadline
        self._uses: dict[Place, dict[str, list[_Use]]] = defaultdict(lambda: defaultdict(list))
        self._assigned: dict[tuple[Place, _Use, str], str] = {}
        self._client: dict[tuple[Place, str, str], str] = {}
        self._shown: dict[tuple[Place, str], str] = {}
        self.fields = 0
        """How many fields have names, which tells how large the plan is."""

    def for_client(self, place: Place, type_name: str, name: str, arguments: str, wanted: str) -> str:
        """The name under which data holds a field that the client asked for under the wanted name."""
        key = self.assign(place, type_name, name, arguments, wanted)
        self._shown[place, key] = wanted
        if key != wanted:
            self._client[place, type_name, wanted] = key
        return key

    def assign(self, place: Place, type_name: str, name: str, arguments: str, wanted: str) -> str:
        """The name under which data holds a field, as near to the wanted one as possible."""
        use = _Use(type_name, name, arguments)
        known = (place, use, wanted)
        if known not in self._assigned:
            self._assigned[known] = self._free_name(place, use, wanted)
            self.fields += 1
        return self._assigned[known]

    def settle(self) -> None:
        """Forgets what only helps to assign further names."""
        self._uses.clear()
        self._assigned.clear()

    def asked_as(self, place: Place, type_name: str, response_name: str) -> str:
        """Where data holds what the client asked for under a response name."""
        for each in (type_name, *sorted(self._supergraph.interfaces_of(type_name))):
            if key := self._client.get((place, each, response_name)):
                return key
        return response_name

    def shown_as(self, place: Place, key: str) -> str | None:
        """The client's name for a key of the data; None if the client did not ask for it."""
        return self._shown.get((place, key))

    def _free_name(self, place: Place, use: _Use, wanted: str) -> str:
        names = chain([wanted], (f"_{wanted}_{number}" for number in count(1)))
        key = next(each for each in names if self._is_free(place, use, each))
        self._uses[place][key].append(use)
        return key

    def _is_free(self, place: Place, use: _Use, key: str) -> bool:
        reserved = key.startswith("__") and key != use.name
        return not reserved and all(self._agree(use, other) for other in self._uses[place][key])

    def _agree(self, one: _Use, other: _Use) -> bool:
        types = self._supergraph.possible_types(one.type_name)
        if types & self._supergraph.possible_types(other.type_name):
            return (one.name, one.arguments) == (other.name, other.arguments)
        mine, theirs = self._types(one), self._types(other)
        return all(self._same_shape(mine[graph], theirs[graph]) for graph in mine.keys() & theirs.keys())

    def _types(self, use: _Use) -> Mapping[str, TypeNode]:
        joins = self._supergraph.types[use.type_name].fields.get(use.name, {})
        return {graph: join.type for graph, join in joins.items()}

    def _same_shape(self, one: TypeNode, other: TypeNode) -> bool:
        match one, other:
            case NonNullTypeNode(type=mine), NonNullTypeNode(type=theirs):
                return self._same_shape(mine, theirs)
            case ListTypeNode(type=mine), ListTypeNode(type=theirs):
                return self._same_shape(mine, theirs)
            case NamedTypeNode(name=mine), NamedTypeNode(name=theirs):
                leaf = any(is_leaf_type(self._supergraph.named_type(name.value)) for name in (mine, theirs))
                return mine.value == theirs.value if leaf else True
        return False
