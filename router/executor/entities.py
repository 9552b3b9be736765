"""Entities: find the objects a fetch is about, present each once, and merge the answers back into all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import Any, TypeAlias

from router.json_text import encode
from router.operation.selections import TYPENAME, hold
from router.planner.plan import LIST, FetchPath, Input, InputField, Narrowing, Representation

Object: TypeAlias = dict[str, Any]
ResponsePath: TypeAlias = tuple[str | int, ...]
Presenter: TypeAlias = Callable[[Iterable[Object]], Iterator[bytes | None]]
Presenters: TypeAlias = Callable[[Mapping[str, Any]], Presenter]
"""Makes what presents the objects of a batch, with the operation's variables."""

_MISSING = object()
_CONTAINERS = frozenset((dict, list))
_NAMED = frozenset((str, type(None)))
_DISTINCT = frozenset((str, int, type(None)))


class Batch:
    """The objects of one entity fetch: every distinct representation once, and who is waiting for it."""

    def __init__(
        self, objects: Sequence[Object], present: Presenter, chosen: Sequence[int] | None = None
    ) -> None:
        self.unpresented: list[int] = []
        self.objects = objects
        known: dict[bytes, list[int]] = {}
        positions = range(len(objects)) if chosen is None else chosen
        asked = objects if chosen is None else [objects[index] for index in chosen]
        for index, encoded in zip(positions, present(asked), strict=True):
            if encoded is None:
                self.unpresented.append(index)
            elif (waiting := known.get(encoded)) is None:
                known[encoded] = [index]
            else:
                waiting.append(index)
        self.representations = [*known]
        self.waiting = [*known.values()]

    def part(self, start: int, stop: int) -> Batch:
        """Some of the representations, with who waits for them."""
        part = copy(self)
        part.representations = self.representations[start:stop]
        part.waiting = self.waiting[start:stop]
        return part

    def encoded(self) -> bytes:
        """The representations as a JSON list."""
        return b"[" + b",".join(self.representations) + b"]"

    def scatter(self, entities: Any, *, apart: bool = False) -> list[int]:
        """Merges each answer into the objects that wait for it; kept apart, each gets a copy of its own.

        Returns the positions of the entities that did not come.
        """
        objects, answers = self.objects, entities if isinstance(entities, list) else []
        absent = [*range(len(answers), len(self.waiting))]
        for position, (entity, waiting) in enumerate(zip(answers, self.waiting, strict=False)):
            if isinstance(entity, dict):
                for index in waiting:
                    merge(objects[index], copied(entity) if apart else entity)
            else:
                absent.append(position)
        return absent

    def waiting_for(self, positions: Iterable[int]) -> list[Object]:
        """The objects that wait for the entities at some positions."""
        return [self.objects[index] for position in positions for index in self.waiting[position]]


def portions(batches: Sequence[Batch], size: int) -> Iterator[list[Batch]]:
    """The batches of one request cut into several, none of which has more representations than a size.

    Batches of 3 and 4 representations, cut at 5, make requests of 3 and 2, and of 0 and 2.
    """
    whole = sum(len(batch.representations) for batch in batches)
    for start in range(0, whole, size):
        portion, before = [], 0
        for batch in batches:
            portion.append(batch.part(max(start - before, 0), max(start - before + size, 0)))
            before += len(batch.representations)
        yield portion


def copied(value: Any) -> Any:
    """A copy of JSON data, all objects and lists in it included, however deep they are."""
    whole = [value]
    waiting: list[Any] = [whole]
    while waiting:
        into = waiting.pop()
        for key, each in into.items() if into.__class__ is dict else enumerate(into):
            if each.__class__ in _CONTAINERS:
                into[key] = fresh = each.copy()
                waiting.append(fresh)
    return whole[0]


def merge(target: Object, source: Object) -> None:
    """Adds an answer to an object; where both have objects or lists, these are merged in turn."""
    for key, value in source.items():
        known = target.get(key)
        if known is None:
            target[key] = value
        elif value.__class__ in _CONTAINERS and _are_alike(known, value):
            _merge_below(known, value)
        elif value is not None:
            target[key] = value


def _merge_below(target: Any, source: Any) -> None:
    """Merges two objects or lists, which may be a scalar of the graph's own and as deep as any JSON."""
    waiting = [(target, source)]
    while waiting:
        into, values = waiting.pop()
        is_list = into.__class__ is list
        for key, value in enumerate(values) if is_list else values.items():
            known = into[key] if is_list else into.get(key)
            if known is not None and value.__class__ in _CONTAINERS and _are_alike(known, value):
                waiting.append((known, value))
            elif known is None or value is not None:
                into[key] = value


def _are_alike(known: Any, value: Any) -> bool:
    """Whether an object or a list stands where there is another object, or another list of its length."""
    if known.__class__ is not value.__class__ or known is value:
        return False
    return value.__class__ is dict or len(known) == len(value)


def collect(data: Any, path: FetchPath) -> list[Object]:
    """The objects at a path."""
    found = [data]
    for segment in path:
        if isinstance(segment, Narrowing):
            found = [
                each
                for each in found
                if isinstance(each, dict) and each.get(TYPENAME, segment.type) == segment.type
            ]
        elif segment == LIST:
            found = [item for each in found if isinstance(each, list) for item in each if item is not None]
        else:
            found = [
                value for each in found if isinstance(each, dict) and (value := each.get(segment)) is not None
            ]
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
    if segment == LIST:
        items = value if isinstance(value, list) else ()
        yield from (((*place, index), item) for index, item in enumerate(items) if item is not None)
    elif not isinstance(value, dict):
        return
    elif isinstance(segment, Narrowing):
        if value.get(TYPENAME, segment.type) == segment.type:
            yield place, value
    elif (below := value.get(segment)) is not None:
        yield (*place, segment), below


def presenter(representations: Sequence[Representation]) -> Presenters:
    """Makes functions that present objects to a subgraph.

    They make the representation of each in JSON; None if the object is of another type or lacks a field.
    """
    if not any(_is_conditional(each.input) for each in representations):
        unconditional = _presenter(representations)
        return lambda _variables: unconditional

    def conditional(variables: Mapping[str, Any]) -> Presenter:
        held = [replace(each, input=_holding(each.input, variables)) for each in representations]
        return _presenter(held)

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


def _presenter(representations: Sequence[Representation]) -> Presenter:
    if len(representations) == 1 and all(field.input is None for field in representations[0].input.fields):
        [flat] = representations
        if flat.input.fields and not flat.input.narrowed:
            return _flat_presenter(flat)

    def present(each: Object) -> bytes | None:
        typename = each.get(TYPENAME)
        if typename.__class__ not in _NAMED:
            return None
        for representation in representations:
            if typename is None or typename in representation.source_types:
                fields = _read(representation.input, each)
                if fields is not None:
                    name = typename if typename in representation.own_typenames else representation.typename
                    return encode({TYPENAME: name, **fields})
        return None

    return partial(map, present)


def _flat_presenter(representation: Representation) -> Presenter:
    """Presents objects by plain fields, and encodes each combination of values once for each batch."""
    values = itemgetter(*(field.key for field in representation.input.fields))
    names = tuple(field.name for field in representation.input.fields)
    accepts, own_names, usual_name = (
        representation.source_types,
        representation.own_typenames,
        representation.typename,
    )

    is_one = len(names) == 1

    def encoded(name: str, found: Any) -> bytes:
        items = (found,) if is_one else found
        return encode({TYPENAME: name, **dict(zip(names, items, strict=True))})

    def present(objects: Iterable[Object]) -> Iterator[bytes | None]:
        by_name: defaultdict[str, dict[Any, bytes]] = defaultdict(dict)
        usual = by_name[usual_name]
        for each in objects:
            typename = each.get(TYPENAME)
            if typename is not None and (typename.__class__ is not str or typename not in accepts):
                yield None
                continue
            try:
                found = values(each)
            except KeyError:
                yield None
                continue
            name, known = (typename, by_name[typename]) if typename in own_names else (usual_name, usual)
            # Objects and lists cannot be looked up, and to Python 1, 1.0 and true are one.
            if found.__class__ not in _DISTINCT if is_one else not _DISTINCT.issuperset(map(type, found)):
                yield encoded(name, found)
                continue
            text = known.get(found)
            if text is None:
                known[found] = text = encoded(name, found)
            yield text

    return present


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
    read = _read(field.input, value) if isinstance(value, dict) else None
    return _MISSING if read is None else read
