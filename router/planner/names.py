"""Response names in the merged data: two different fields of one object never share one.

A client's aliases stay as they are wherever possible. Another name is given to a field that only the planner
needs and whose name the client uses otherwise, and to a field that one subgraph could not answer under the
same name as another because their types differ in shape.
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


class Segment(NamedTuple):
    """A field on the way to a place: the type that it is asked of, and its key in the data."""

    type_name: str
    key: str


Place: TypeAlias = tuple[Segment, ...]
Keys: TypeAlias = tuple[str, ...]


class _Use(NamedTuple):
    place: Place
    asked_of: Node
    name: str
    asked: str


@dataclass(frozen=True, slots=True)
class Holding:
    """Where data holds a field that the client asked for: under which keys, and at which places."""

    keys: Keys
    places: tuple[Place, ...] = ()


class ResponseNames:
    """Assigns response names by place, node and field, each once."""

    def __init__(self, supergraph: Supergraph, deadline: Deadline = NEVER) -> None:
        self.supergraph = supergraph
        self._deadline = deadline
        self._uses: dict[Keys, dict[str, list[_Use]]] = defaultdict(lambda: defaultdict(list))
        self._assigned: dict[tuple[_Use, str], str] = {}
        self._client: dict[tuple[Place, str, str, str, str], dict[str, None]] = defaultdict(dict)
        self._shown: dict[tuple[Keys, str], str] = {}
        self._differs = False
        self.fields = 0
        """How many fields have names, which tells how large the plan is."""

    def for_client(self, place: Place, asked_of: Node, field: FieldSelection) -> str:
        """The name under which data holds a field that the client asked for under its response name."""
        key, wanted = self.assign(place, asked_of, field), field.response_name
        self._shown[keys_of(place), key] = wanted
        self._client[place, asked_of.type, field.name, field.asked, wanted][key] = None
        self._differs |= key != wanted
        return key

    def assign(self, place: Place, asked_of: Node, field: FieldSelection) -> str:
        """The name under which data holds a field, as near to the wanted one as possible."""
        use = _Use(place, asked_of, field.name, field.asked)
        known = (use, field.response_name)
        if known not in self._assigned:
            self._assigned[known] = self._free_name(use, field.response_name)
            self.fields += 1
        return self._assigned[known]

    def settle(self) -> None:
        """Forgets what only helps to assign further names."""
        self._uses.clear()
        self._assigned.clear()
        if not self._differs:
            self._client.clear()

    def asked_as(self, places: Iterable[Place], type_name: str, field: FieldSelection) -> Holding:
        """Where objects of a concrete type hold what the client asked for."""
        if not self._differs:
            return Holding((field.response_name,))
        found = [*self._found(places, type_name, field)]
        keys = tuple(dict.fromkeys(segment.key for _, segment in found)) or (field.response_name,)
        return Holding(keys, tuple((*place, segment) for place, segment in found))

    def shown_as(self, keys: Keys, key: str) -> str | None:
        """The client's name for a key of the data; None if the client did not ask for it."""
        return self._shown.get((keys, key))

    def _found(
        self, places: Iterable[Place], type_name: str, field: FieldSelection
    ) -> Iterator[tuple[Place, Segment]]:
        kinds = (type_name, *sorted(self.supergraph.interfaces_of(type_name)))
        for place in places:
            for kind in kinds:
                asked = (place, kind, field.name, field.asked, field.response_name)
                yield from ((place, Segment(kind, key)) for key in self._client.get(asked, ()))

    def _free_name(self, use: _Use, wanted: str) -> str:
        names = chain([wanted], (f"_{wanted}_{number}" for number in count(1)))
        used = self._uses[keys_of(use.place)]
        key = next(each for each in names if self._is_free(use, each, used[each]))
        used[key].append(use)
        return key

    def _is_free(self, use: _Use, key: str, used: Iterable[_Use]) -> bool:
        """Whether a field can be had under a key; only as many keys are taken as there are other fields."""
        self._deadline.check()
        reserved = key == TYPENAME and use.name != TYPENAME
        return not reserved and all(self._agree(use, other) for other in used)

    def _agree(self, one: _Use, other: _Use) -> bool:
        mine, theirs = self._types(one), self._types(other)
        shared = mine.keys() & theirs.keys()
        if self._meet(one, other):
            if (one.name, one.asked) != (other.name, other.asked):
                return False
            shared &= {one.asked_of.graph} & {other.asked_of.graph}
        return all(self._same_shape(mine[graph], theirs[graph]) for graph in shared)

    def _meet(self, one: _Use, other: _Use) -> bool:
        """Whether one object can be asked for both fields."""
        possible = self.supergraph.possible_types
        mine = (*one.place, Segment(one.asked_of.type, ""))
        theirs = (*other.place, Segment(other.asked_of.type, ""))
        return all(
            possible(each.type_name) & possible(counterpart.type_name)
            for each, counterpart in zip(mine, theirs, strict=True)
        )

    def _types(self, use: _Use) -> Mapping[str, TypeNode]:
        joins = self.supergraph.types[use.asked_of.type].fields.get(use.name, {})
        return {graph: join.type for graph, join in joins.items()}

    def _same_shape(self, one: TypeNode, other: TypeNode) -> bool:
        match one, other:
            case NonNullTypeNode(type=mine), NonNullTypeNode(type=theirs):
                return self._same_shape(mine, theirs)
            case ListTypeNode(type=mine), ListTypeNode(type=theirs):
                return self._same_shape(mine, theirs)
            case NamedTypeNode(name=mine), NamedTypeNode(name=theirs):
                leaf = any(is_leaf_type(self.supergraph.named_type(name.value)) for name in (mine, theirs))
                return mine.value == theirs.value if leaf else True
        return False


def keys_of(place: Place) -> Keys:
    """A place by keys alone, whatever types are on the way."""
    return tuple(segment.key for segment in place)
