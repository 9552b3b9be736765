"""Entities: the objects of a fetch are represented, each representation once, and the entities merged back.

Where two of three books have the same author, `{"__typename": "Author", "id": "1"}`, the fetch for
`books.@.author` has three objects and sends two representations:

    [{"__typename": "Author", "id": "1"}, {"__typename": "Author", "id": "2"}]

What `_entities` returns for the first is merged into both objects that wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from router.json_text import encode
from router.operation.conditions import are_met
from router.operation.selections import TYPENAME
from router.planner.plan import LIST, FetchPath, Input, InputField, Narrowing, Representation

Object: TypeAlias = dict[str, Any]
ResponsePath: TypeAlias = tuple[str | int, ...]


class Representations(NamedTuple):
    """The distinct representations of objects, in JSON, and which objects each stands for.

    `waiting` has, for each representation, the indexes of the objects that wait for its entity;
    `unrepresented` has those of objects that lack a field for one or are of another type.
    """

    texts: list[bytes]
    waiting: list[list[int]]
    unrepresented: list[int]


Representer: TypeAlias = Callable[[Sequence[Object]], Representations]
RepresenterFactory: TypeAlias = Callable[[Mapping[str, Any]], Representer]
"""Makes a representer for the variables of one operation."""

_MISSING = object()
_CONTAINERS = frozenset((dict, list))
_NAMED = frozenset((str, type(None)))
_DISTINCT = frozenset((str, int, type(None)))


class Batch:
    """The objects of one entity fetch, or those of them that are chosen, and their representations.

    `waiting` and `unrepresented` are as in `Representations`, with indexes of `objects`.
    """

    def __init__(
        self, objects: Sequence[Object], represent: Representer, chosen: Sequence[int] | None = None
    ) -> None:
        self.objects = objects
        if chosen is None:
            self.representations, self.waiting, self.unrepresented = represent(objects)
            return
        texts, waiting, unrepresented = represent([objects[index] for index in chosen])
        self.representations = texts
        self.waiting = [[chosen[index] for index in indexes] for indexes in waiting]
        self.unrepresented = [chosen[index] for index in unrepresented]

    def slice(self, start: int, stop: int) -> Batch:
        """Some of the representations, with the objects that wait for them."""
        batch = copy(self)
        batch.representations = self.representations[start:stop]
        batch.waiting = self.waiting[start:stop]
        return batch

    def encode(self) -> bytes:
        """The representations as a JSON list."""
        return b"[" + b",".join(self.representations) + b"]"

    def scatter(self, entities: Any, *, with_copies: bool = False) -> list[int]:
        """Merges each entity into the objects that wait for it; with copies, each gets one of its own.

        Returns the positions of the entities that are null or missing.
        """
        objects, received = self.objects, entities if isinstance(entities, list) else []
        absent = [*range(len(received), len(self.waiting))]
        for position, (entity, waiting) in enumerate(zip(received, self.waiting, strict=False)):
            if isinstance(entity, dict):
                for index in waiting:
                    merge(objects[index], copy_json(entity) if with_copies else entity)
            else:
                absent.append(position)
        return absent

    def select_waiting(self, positions: Iterable[int]) -> list[Object]:
        """The objects that wait for the entities at some positions."""
        return [self.objects[index] for position in positions for index in self.waiting[position]]


def split_batches(batches: Sequence[Batch], size: int) -> Iterator[list[Batch]]:
    """Splits the batches of one request into several requests with at most `size` representations each.

    Batches of 3 and 4 representations, split by 5, make requests of 3 and 2, and of 0 and 2.
    """
    whole = sum(len(batch.representations) for batch in batches)
    for start in range(0, whole, size):
        slices, before = [], 0
        for batch in batches:
            slices.append(batch.slice(max(start - before, 0), max(start - before + size, 0)))
            before += len(batch.representations)
        yield slices


def copy_json(value: Any) -> Any:
    """A deep copy of JSON data, which may be of any depth."""
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
    """Merges what a fetch returned into an object; objects and lists on both sides are merged in turn."""
    if target.keys().isdisjoint(source):
        target.update(source)
        return
    for key, value in source.items():
        known = target.get(key)
        if known is None:
            target[key] = value
        elif value.__class__ in _CONTAINERS and _are_alike(known, value):
            _merge_below(known, value)
        elif value is not None:
            target[key] = value


def _merge_below(target: Any, source: Any) -> None:
    """Merges two objects or lists; in a custom scalar these may be of any depth."""
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
    """Whether both are objects, or lists of one length, and not the same one."""
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


def find_paths(data: Any, path: FetchPath) -> Iterator[ResponsePath]:
    """The response paths, with list indexes, of the objects at a path, in the order of `collect`."""
    found: list[tuple[ResponsePath, Any]] = [((), data)]
    for segment in path:
        following: list[tuple[ResponsePath, Any]] = []
        for at, value in found:
            following += _follow_segment(at, value, segment)
        found = following
    return (at for at, value in found if isinstance(value, dict))


def _follow_segment(
    path: ResponsePath, value: Any, segment: str | Narrowing
) -> Iterator[tuple[ResponsePath, Any]]:
    if segment == LIST:
        items = value if isinstance(value, list) else ()
        yield from (((*path, index), item) for index, item in enumerate(items) if item is not None)
    elif not isinstance(value, dict):
        return
    elif isinstance(segment, Narrowing):
        if value.get(TYPENAME, segment.type) == segment.type:
            yield path, value
    elif (below := value.get(segment)) is not None:
        yield (*path, segment), below


def compile_representer(representations: Sequence[Representation]) -> RepresenterFactory:
    """Compiles representers: functions that represent objects for `_entities`."""
    if not any(_is_conditional(each.input) for each in representations):
        unconditional = _build_representer(representations)
        return lambda _variables: unconditional

    def build_conditional(variables: Mapping[str, Any]) -> Representer:
        filtered = [
            replace(each, input=_filter_by_conditions(each.input, variables)) for each in representations
        ]
        return _build_representer(filtered)

    return build_conditional


def _is_conditional(input_: Input) -> bool:
    """Whether some of the fields have conditions."""
    fields = chain(input_.fields, *(those for _, those in input_.narrowed))
    return any(each.conditions or (each.input and _is_conditional(each.input)) for each in fields)


def _filter_by_conditions(input_: Input, variables: Mapping[str, Any]) -> Input:
    """The fields whose conditions hold."""

    def select(fields: Iterable[InputField]) -> tuple[InputField, ...]:
        return tuple(
            replace(each, input=_filter_by_conditions(each.input, variables)) if each.input else each
            for each in fields
            if are_met(each.conditions, variables)
        )

    narrowed = tuple((name, select(fields)) for name, fields in input_.narrowed)
    return replace(input_, fields=select(input_.fields), narrowed=narrowed)


def _build_representer(representations: Sequence[Representation]) -> Representer:
    def represent_each(objects: Sequence[Object]) -> Representations:
        known: dict[bytes, list[int]] = {}
        unrepresented: list[int] = []
        for index, each in enumerate(objects):
            text = _represent(each, representations)
            if text is None:
                unrepresented.append(index)
            else:
                known.setdefault(text, []).append(index)
        return Representations([*known], [*known.values()], unrepresented)

    if len(representations) == 1 and _is_flat(representations[0].input):
        return _build_flat_representer(representations[0], represent_each)
    return represent_each


def _represent(value: Object, representations: Sequence[Representation]) -> bytes | None:
    """An object's representation by the first that fits its type; None if it lacks a field for that."""
    typename = value.get(TYPENAME)
    if typename.__class__ not in _NAMED:
        return None
    for representation in representations:
        if typename is None or typename in representation.source_types:
            fields = _read_input(representation.input, value)
            if fields is not None:
                name = typename if typename in representation.own_typenames else representation.typename
                return encode({TYPENAME: name, **fields})
    return None


def _is_flat(input_: Input) -> bool:
    """Whether it consists of leaves that all objects have."""
    return bool(input_.fields) and not input_.narrowed and all(field.input is None for field in input_.fields)


def _build_flat_representer(representation: Representation, represent_each: Representer) -> Representer:
    """Represents objects by leaves alone, each combination of values once.

    Each step is a loop that built-in functions run. Objects of which some lack a field, are of another type,
    or have values that are equal only for Python are left to `represent_each`.
    """
    fields, own_typenames = representation.input.fields, representation.own_typenames
    values = itemgetter(*(field.key for field in fields))
    is_single = len(fields) == 1
    pairs = b"".join(b",%b:%%b" % encode(field.name) for field in fields)
    names = dict.fromkeys((None, *representation.source_types), representation.typename)
    names.update((typename, typename) for typename in own_typenames & representation.source_types)
    templates = {name: b'{"%b":%b%b}' % (TYPENAME.encode(), encode(name), pairs) for name in names.values()}

    def encode_key(name: str, found: Any) -> bytes:
        return templates[name] % (encode(found) if is_single else tuple(map(encode, found)))

    def represent(objects: Sequence[Object]) -> Representations:
        try:
            keys = [*zip([names[each.get(TYPENAME)] for each in objects], map(values, objects), strict=True)]
        except (KeyError, TypeError):
            return represent_each(objects)
        leaves = (
            (found for _, found in keys) if is_single else chain.from_iterable(found for _, found in keys)
        )
        # Objects and lists are not hashable, and for Python 1, 1.0 and true are equal.
        if not _DISTINCT.issuperset(map(type, leaves)):
            return represent_each(objects)
        known: dict[tuple[str, Any], list[int]] = {}
        for index, key in enumerate(keys):
            waiting = known.get(key)
            if waiting is None:
                known[key] = [index]
            else:
                waiting.append(index)
        return Representations([encode_key(*key) for key in known], [*known.values()], [])

    return represent


def _read_input(input_: Input, value: Object) -> Object | None:
    read: Object = {}
    if input_.has_typename and TYPENAME in value:
        read[TYPENAME] = value[TYPENAME]
    fields = input_.fields
    for type_name, narrowed in input_.narrowed:
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
    read = _read_input(field.input, value) if isinstance(value, dict) else None
    return _MISSING if read is None else read
