"""Context groups: objects of an entity fetch whose contextual arguments have the same values.

A fetch selects `_entities` once for each group. Where products take the `currency` of the shop around them,
three products in a shop with `EUR` and two in one with `USD` make two groups, and, with `$c` for the name of
the context variable, the request

    query ($representations: [_Any!]!, $representations1: [_Any!]!, $c: String, $c_1: String) {
      _entities(representations: $representations) { ... on Product { price(unit: $c) } }
      _entities1: _entities(representations: $representations1) { ... on Product { price(unit: $c_1) } }
    }
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from router.executor.documents import build_entities_request, get_variable_suffix
from router.executor.entities import Batch, Object, RepresenterFactory, collect, compile_representer
from router.json_text import encode
from router.operation.conditions import are_met
from router.operation.selections import TYPENAME
from router.planner.plan import ContextVariable, FetchNode, FetchPath, FlattenNode, Input
from router.transport.request_body import RequestBody

# The number of groups depends on the data: of the documents only a few are cached, and no long ones.
MAX_DOCUMENTS = 8
MAX_REPEATED = 16
_NULL = b"null"

# What each variable of a fetch is set to, in JSON.
_Values: TypeAlias = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ContextGroup:
    """A group of one fetch, which is the `entry`-th in its request."""

    entry: int
    path: FetchPath
    batch: Batch
    values: _Values
    is_complete: bool
    """Whether every non-null argument has a value."""


class ContextGrouping:
    """The groups of entity fetches in one request, at least one of them with contextual arguments."""

    def __init__(self, nodes: Sequence[FlattenNode], name: str = "") -> None:
        self._entries = [_Entry(node) for node in nodes]
        self._name = name
        self._document = lru_cache(MAX_DOCUMENTS)(self._build_document)

    def find_groups(self, data: Any, variables: Mapping[str, Any]) -> list[ContextGroup]:
        """The groups of all objects in the data, incomplete ones included."""
        return [
            ContextGroup(index, entry.path, batch, values, entry.is_complete(values))
            for index, entry in enumerate(self._entries)
            if are_met(entry.conditions, variables)
            for values, batch in entry.build_batches(data, variables)
        ]

    def get_document(self, groups: Sequence[ContextGroup]) -> RequestBody:
        """The request for some groups."""
        make = self._document if len(groups) <= MAX_REPEATED else self._build_document
        return make(tuple(group.entry for group in groups))

    def encode_variables(
        self, groups: Sequence[ContextGroup], document: RequestBody
    ) -> list[tuple[str, bytes]]:
        """The request's variables in addition to the operation's own, in JSON."""
        encoded = (group.batch.encode() for group in groups)
        found = list(zip(document.representations, encoded, strict=True))
        for index, group in enumerate(groups):
            named = zip(self._entries[group.entry].fetch.contexts, group.values, strict=True)
            found += ((f"{variable.name}{get_variable_suffix(index)}", value) for variable, value in named)
        return found

    def _build_document(self, entries: tuple[int, ...]) -> RequestBody:
        return build_entities_request([self._entries[each].fetch for each in entries], self._name)


class _Entry:
    """One entity fetch, and how its objects and their contexts are found."""

    def __init__(self, node: FlattenNode) -> None:
        self.path = node.path
        self.conditions = node.conditions
        self.fetch: FetchNode = node.fetch
        self._representer: RepresenterFactory = compile_representer(node.fetch.representations)
        # Outer objects are met first.
        self._outermost = sorted(
            range(len(node.fetch.contexts)), key=lambda each: len(node.fetch.contexts[each].path)
        )

    def build_batches(self, data: Any, variables: Mapping[str, Any]) -> Iterator[tuple[_Values, Batch]]:
        """The objects in the data, by the values of their contextual arguments."""
        objects, values_of_objects = self._collect_with_values(data)
        by_values: dict[_Values, list[int]] = defaultdict(list)
        for index, values in enumerate(values_of_objects):
            by_values[values].append(index)
        for values, chosen in by_values.items():
            yield values, Batch(objects, self._representer(variables), chosen)

    def is_complete(self, values: _Values) -> bool:
        """Whether no non-null argument has null."""
        return not any(
            value == _NULL and variable.type.endswith("!")
            for variable, value in zip(self.fetch.contexts, values, strict=True)
        )

    def _collect_with_values(self, data: Any) -> tuple[list[Object], list[_Values]]:
        """The fetch's objects, in the order of `collect`, and the contexts' values of each."""
        found: list[tuple[Any, dict[int, bytes]]] = [(data, {})]
        start = 0
        for number in self._outermost:
            variable = self.fetch.contexts[number]
            end = len(variable.path)
            found = [
                (each, {**values, number: _encode_value(variable, each)})
                for outer, values in found
                for each in collect(outer, self.path[start:end])
            ]
            start = end
        objects, values_of_objects = [], []
        for outer, values in found:
            inner = collect(outer, self.path[start:])
            objects += inner
            values_of_objects += [tuple(values[number] for number in sorted(values))] * len(inner)
        return objects, values_of_objects


def _encode_value(variable: ContextVariable, setter: Object) -> bytes:
    return encode(_read_leaf(variable.input, setter))


def _read_leaf(input_: Input, value: Any) -> Any:
    """The one leaf of an input; for a list, those of its items; None if there is none."""
    if isinstance(value, list):
        return [_read_leaf(input_, each) for each in value]
    if not isinstance(value, dict):
        return None
    typename = value.get(TYPENAME)
    applicable = [input_.fields, *(fields for name, fields in input_.narrowed if name == typename)]
    for field in (field for fields in applicable for field in fields):
        found = value.get(field.key)
        return found if field.input is None else _read_leaf(field.input, found)
    return None
