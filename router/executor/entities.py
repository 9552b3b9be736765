"""Entities: find the objects a fetch is about, present each once, and merge the answers back into all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from operator import itemgetter
from typing import Any, TypeAlias

import orjson

from router.planner.plan import LIST, FetchPath, Input, InputField, Narrowing, Representation
from router.selections import TYPENAME, hold

Object: TypeAlias = dict[str, Any]
ResponsePath: TypeAlias = tuple[str | int, ...]
Presenter: TypeAlias = Callable[[Object], bytes | None]
Presenters: TypeAlias = Callable[[Mapping[str, Any]], Presenter]
"""Makes what presents the objects of one batch, with the operation's variables."""

_MISSING = object()


class Batch:
    """The objects of one entity fetch: every distinct representation once, and who is waiting for it."""

    def __init__(
        self, objects: Sequence[Object], present: Presenter, chosen: Iterable[int] | None = None
    ) -> None:
        self.representations: list[bytes] = []
        self.waiting: list[list[int]] = []
        self.objects = objects
        known: dict[bytes, int] = {}
        asked = enumerate(objects) if chosen is None else ((index, objects[index]) for index in chosen)
        for index, each in asked:
            encoded = present(each)
            if encoded is None:
                continue
            if encoded not in known:
                known[encoded] = len(self.representations)
                self.representations.append(encoded)
                self.waiting.append([])
            self.waiting[known[encoded]].append(index)

    def encoded(self) -> bytes:
        """The representations as a JSON list."""
        return b"[" + b",".join(self.representations) + b"]"

    def scatter(self, entities: Any, *, apart: bool = False) -> None:
        """Merges each answer into the objects that wait for it; kept apart, each gets a copy of its own."""
        if not isinstance(entities, list):
            return
        for entity, waiting in zip(entities, self.waiting, strict=False):
            if isinstance(entity, dict):
                for index in waiting:
                    merge(self.objects[index], copied(entity) if apart else entity)


def copied(value: Any) -> Any:
    """A copy of JSON data, all objects and lists in it included."""
    if isinstance(value, dict):
        return {key: copied(each) for key, each in value.items()}
    return [copied(each) for each in value] if isinstance(value, list) else value


def merge(target: Object, source: Object) -> None:
    """Adds an answer to an object; where both have objects or lists, these are merged in turn."""
    for key, value in source.items():
        known = target.get(key)
        if known is None:
            target[key] = value
        elif isinstance(value, dict) and isinstance(known, dict):
            if known is not value:
                merge(known, value)
        elif isinstance(value, list) and isinstance(known, list):
            target[key] = _merged_lists(known, value)
        elif value is not None:
            target[key] = value


def _merged_lists(known: list[Any], fresh: list[Any]) -> list[Any]:
    if len(known) != len(fresh):
        return fresh
    for index, value in enumerate(fresh):
        mine = known[index]
        if isinstance(mine, dict) and isinstance(value, dict):
            if mine is not value:
                merge(mine, value)
        elif isinstance(mine, list) and isinstance(value, list):
            known[index] = _merged_lists(mine, value)
        elif mine is None:
            known[index] = value
    return known


def collect(data: Any, path: FetchPath) -> list[Object]:
    """The objects at a path."""
    found = [data]
    for segment in path:
        if isinstance(segment, Narrowing):
            found = [each for each in found if each.get(TYPENAME, segment.type) == segment.type]
        elif segment == LIST:
            found = [item for each in found if isinstance(each, list) for item in each if item is not None]
        else:
            values = (each.get(segment) for each in found)
            found = [value for value in values if value is not None]
    return [each for each in found if isinstance(each, dict)]


def places(data: Any, path: FetchPath) -> Iterator[ResponsePath]:
    """Where in the data the objects at a path are, in the order in which `collect` finds them."""
    found: list[tuple[ResponsePath, Any]] = [((), data)]
    for segment in path:
        following: list[tuple[ResponsePath, Any]] = []
        for place, value in found:
            following += _steps(place, value, segment)
        found = following
    return (place for place, value in found if isinstance(value, dict))


def _steps(place: ResponsePath, value: Any, segment: str | Narrowing) -> Iterator[tuple[ResponsePath, Any]]:
    if isinstance(segment, Narrowing):
        if value.get(TYPENAME, segment.type) == segment.type:
            yield place, value
    elif segment == LIST:
        items = value if isinstance(value, list) else ()
        yield from (((*place, index), item) for index, item in enumerate(items) if item is not None)
    elif (below := value.get(segment)) is not None:
        yield (*place, segment), below


def presenter(representations: Sequence[Representation]) -> Presenters:
    """Makes functions that present objects to a subgraph, one for each batch.

    What they return is the representation in JSON; None if the object is of another type or lacks a field.
    """
    if not any(_is_conditional(each.input) for each in representations):
        of_batch = _presenters(representations)
        return lambda _variables: of_batch()

    def conditional(variables: Mapping[str, Any]) -> Presenter:
        held = [replace(each, input=_holding(each.input, variables)) for each in representations]
        return _presenters(held)()

    return conditional


def _is_conditional(wanted: Input) -> bool:
    """Whether some of the fields are given under conditions only."""
    fields = chain(wanted.fields, *(those for _, those in wanted.narrowed))
    return any(each.conditions or (each.input and _is_conditional(each.input)) for each in fields)


def _holding(wanted: Input, variables: Mapping[str, Any]) -> Input:
    """The fields whose conditions hold."""

    def held(fields: Iterable[InputField]) -> tuple[InputField, ...]:
        return tuple(
            replace(each, input=_holding(each.input, variables)) if each.input else each
            for each in fields
            if hold(each.conditions, variables)
        )

    narrowed = tuple((name, held(fields)) for name, fields in wanted.narrowed)
    return replace(wanted, fields=held(wanted.fields), narrowed=narrowed)


def _presenters(representations: Sequence[Representation]) -> Callable[[], Presenter]:
    if len(representations) == 1 and all(field.input is None for field in representations[0].input.fields):
        [flat] = representations
        if flat.input.fields and not flat.input.narrowed:
            return _flat_presenters(flat)

    def present(each: Object) -> bytes | None:
        typename = each.get(TYPENAME)
        for representation in representations:
            if typename is None or typename in representation.accepts:
                fields = _read(representation.input, each)
                if fields is not None:
                    name = typename if typename in representation.known else representation.typename
                    return orjson.dumps({TYPENAME: name, **fields})
        return None

    return lambda: present


def _flat_presenters(representation: Representation) -> Callable[[], Presenter]:
    """Presents objects by plain fields, and encodes each combination of values once for each batch."""
    values = itemgetter(*(field.key for field in representation.input.fields))
    names = tuple(field.name for field in representation.input.fields)
    accepts, own_names = representation.accepts, representation.known

    def encode(name: str, found: Any) -> bytes:
        items = found if len(names) > 1 else (found,)
        return orjson.dumps({TYPENAME: name, **dict(zip(names, items, strict=True))})

    def of_batch() -> Presenter:
        by_name: defaultdict[str, dict[Any, bytes]] = defaultdict(dict)

        def present(each: Object) -> bytes | None:
            typename = each.get(TYPENAME)
            if typename is not None and typename not in accepts:
                return None
            try:
                found = values(each)
            except KeyError:
                return None
            name = typename if typename in own_names else representation.typename
            known = by_name[name]
            try:
                return known[found]
            except KeyError:
                encoded = known[found] = encode(name, found)
                return encoded
            except TypeError:
                # A custom scalar may be an object or a list, which cannot be looked up.
                return encode(name, found)

        return present

    return of_batch


def _read(wanted: Input, value: Object) -> Object | None:
    read: Object = {}
    if wanted.typename and TYPENAME in value:
        read[TYPENAME] = value[TYPENAME]
    fields = wanted.fields
    for type_name, narrowed in wanted.narrowed:
        if value.get(TYPENAME) == type_name:
            fields += narrowed
    for each in fields:
        found = _read_field(each, value.get(each.key, _MISSING))
        if found is _MISSING:
            return None
        read[each.name] = found
    return read


def _read_field(field: InputField, value: Any) -> Any:
    if field.input is None or value is None or value is _MISSING:
        return value
    if isinstance(value, list):
        items = [_read_field(field, item) for item in value]
        return _MISSING if _MISSING in items else items
    read = _read(field.input, value)
    return _MISSING if read is None else read
