"""Contextual arguments: entities are asked about once for each value that the objects around them give."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from router.executor.documents import entities_body, suffix
from router.executor.entities import Batch, Object, Presenters, collect, presenter
from router.json_text import encode
from router.operation.selections import TYPENAME, hold
from router.planner.plan import ContextVariable, FetchNode, FetchPath, FlattenNode, Input
from router.transport.request_body import RequestBody

# How often a fetch is repeated in one request depends on the data: few documents, and no long ones, are kept.
MAX_DOCUMENTS = 8
MAX_REPEATED = 16
_NULL = b"null"

# What each variable of a fetch is set to, in JSON.
_Values: TypeAlias = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Objects of one fetch whose contextual arguments have the same values."""

    entry: int
    path: FetchPath
    batch: Batch
    values: _Values
    complete: bool
    """Whether every argument that must have a value has one."""


class Grouping:
    """Entity fetches that travel together, at least one of them with contextual arguments."""

    def __init__(self, nodes: Sequence[FlattenNode], name: str = "") -> None:
        self._entries = [_Entry(node) for node in nodes]
        self._name = name
        self._document = lru_cache(MAX_DOCUMENTS)(self._make_document)

    def groups(self, data: Object, variables: Mapping[str, Any]) -> list[Group]:
        """All that there is to ask about, and what lacks something for that."""
        return [
            Group(index, entry.path, batch, values, entry.is_complete(values))
            for index, entry in enumerate(self._entries)
            if hold(entry.conditions, variables)
            for values, batch in entry.batches(data, variables)
        ]

    def document(self, groups: Sequence[Group]) -> RequestBody:
        """The request that asks about some groups."""
        make = self._document if len(groups) <= MAX_REPEATED else self._make_document
        return make(tuple(group.entry for group in groups))

    def variables(self, groups: Sequence[Group], document: RequestBody) -> list[tuple[str, bytes]]:
        """The variables of that request beside the operation's own, in JSON."""
        encoded = (group.batch.encoded() for group in groups)
        found = list(zip(document.representations, encoded, strict=True))
        for index, group in enumerate(groups):
            named = zip(self._entries[group.entry].fetch.contexts, group.values, strict=True)
            found += ((f"{variable.name}{suffix(index)}", value) for variable, value in named)
        return found

    def _make_document(self, entries: tuple[int, ...]) -> RequestBody:
        return entities_body([self._entries[each].fetch for each in entries], self._name)


class _Entry:
    """One entity fetch, and how its objects and their contexts are found."""

    def __init__(self, node: FlattenNode) -> None:
        self.path = node.path
        self.conditions = node.conditions
        self.fetch: FetchNode = node.fetch
        self._presenter: Presenters = presenter(node.fetch.representations)
        # Outer objects are met first.
        self._outermost = sorted(
            range(len(node.fetch.contexts)), key=lambda each: len(node.fetch.contexts[each].path)
        )

    def batches(self, data: Object, variables: Mapping[str, Any]) -> Iterator[tuple[_Values, Batch]]:
        """The objects in the data by the values of their contexts."""
        objects, around = self._found(data)
        by_values: dict[_Values, list[int]] = defaultdict(list)
        for index, values in enumerate(around):
            by_values[values].append(index)
        for values, chosen in by_values.items():
            yield values, Batch(objects, self._presenter(variables), chosen)

    def is_complete(self, values: _Values) -> bool:
        """Whether no value is null that must not be."""
        return not any(
            value == _NULL and variable.type.endswith("!")
            for variable, value in zip(self.fetch.contexts, values, strict=True)
        )

    def _found(self, data: Object) -> tuple[list[Object], list[_Values]]:
        """The objects that the fetch is about, as `collect` orders them, and what is around each."""
        found: list[tuple[Object, dict[int, bytes]]] = [(data, {})]
        start = 0
        for number in self._outermost:
            variable = self.fetch.contexts[number]
            end = len(variable.path)
            found = [
                (each, {**values, number: _encoded(variable, each)})
                for outer, values in found
                for each in collect(outer, self.path[start:end])
            ]
            start = end
        objects, around = [], []
        for outer, values in found:
            inner = collect(outer, self.path[start:])
            objects += inner
            around += [tuple(values[number] for number in sorted(values))] * len(inner)
        return objects, around


def _encoded(variable: ContextVariable, around: Object) -> bytes:
    return encode(_read(variable.input, around))


def _read(wanted: Input, value: Any) -> Any:
    """The one leaf that is wanted of an object; of a list, those of its items; null if there is none."""
    if isinstance(value, list):
        return [_read(wanted, each) for each in value]
    if not isinstance(value, dict):
        return None
    typename = value.get(TYPENAME)
    applicable = [wanted.fields, *(fields for name, fields in wanted.narrowed if name == typename)]
    for field in (field for fields in applicable for field in fields):
        found = value.get(field.key)
        return found if field.input is None else _read(field.input, found)
    return None
