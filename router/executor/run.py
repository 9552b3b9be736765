"""Run a plan: each node becomes a coroutine function that fetches and merges into the shared data."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple, TypeAlias, assert_never

from router.executor.absence import Absence, Shape, shape_of
from router.executor.contexts import Grouping
from router.executor.documents import (
    entities_body,
    entities_key,
    root_body,
)
from router.executor.entities import (
    Batch,
    Object,
    ResponsePath,
    collect,
    copied,
    merge,
    places,
    portions,
    presenter,
)
from router.operation.selections import hold
from router.planner.names import ResponseNames
from router.planner.plan import (
    LIST,
    BatchFetch,
    Condition,
    Fetch,
    FetchPath,
    Flatten,
    Narrowing,
    Parallel,
    PlanNode,
)
from router.planner.plan import Sequence as SequenceNode
from router.transport.base import LargeResponse, RequestContext, Transport
from router.transport.request_body import RequestBody

# What a client may give an operation as a name has no other bound than its document.
MAX_NAME = 100
# A subgraph completes so many in some milliseconds, for which everything else there waits.
MAX_REPRESENTATIONS = 500
_NO_NAME = re.compile(r"[^0-9A-Za-z_]")
NO_CONTEXT = {"message": "An argument needs a value from the context, which has none."}

Errors: TypeAlias = list[dict[str, Any]]


@dataclass(slots=True)
class Run:
    """One run of an operation: the data merged so far, and what went wrong.

    With `apart`, places that are given the same answer do not share its objects. With `large`, there is more
    than the event loop may be held up for.
    """

    variables: Mapping[str, Any]
    transport: Transport
    context: RequestContext
    data: Object
    errors: Errors
    apart: bool = False
    large: bool = False
    absences: list[Absence] = field(default_factory=list)

    async def fetch(self, subgraph: str, body: bytes) -> tuple[Object | None, Errors]:
        """A subgraph's answer: its data, if there is any, and its errors."""
        response = await self.transport.fetch(subgraph, body, self.context)
        self.large |= response.__class__ is LargeResponse
        data, errors = response.get("data"), response.get("errors")
        return data if isinstance(data, dict) else None, errors if isinstance(errors, list) else []

    def absent(self, objects: Sequence[Object], shape: Shape, errors: Errors | None) -> None:
        """Notes that a fetch brought nothing for objects."""
        if objects:
            told = None if errors is None else [described(error) for error in errors]
            self.absences.append(Absence(objects, shape, told))


Runnable: TypeAlias = Callable[[Run], Awaitable[None]]


class FetchNames:
    """The names of an operation's fetches: that of the operation, the subgraph and a number, as Apollo's are.

    The fetches of an operation without a name have none.
    """

    def __init__(self, operation: str | None) -> None:
        self._operation = operation and operation[:MAX_NAME]
        self._numbers = count()

    def next(self, subgraph: str) -> str:
        """The name of the next fetch."""
        if self._operation is None:
            return ""
        return f"{self._operation}__{_NO_NAME.sub('_', subgraph)}__{next(self._numbers)}"


@dataclass(frozen=True, slots=True)
class Compiling:
    """What the nodes of one plan are compiled with."""

    names: ResponseNames
    fetches: FetchNames


def compile_node(node: PlanNode, compiling: Compiling) -> Runnable:
    """The node as a function of a run."""
    match node:
        case SequenceNode():
            return _sequence([compile_node(each, compiling) for each in node.nodes])
        case Parallel():
            return _parallel([compile_node(each, compiling) for each in node.nodes])
        case Condition():
            return _condition(node, compile_node(node.node, compiling))
    return _compile_fetch(node, compiling)


def _compile_fetch(node: Fetch | Flatten | BatchFetch, compiling: Compiling) -> Runnable:
    match node:
        case Fetch():
            return _RootFetch(node, compiling)
        case Flatten(fetch=Fetch(representations=())):
            return _NestedFetch(node, compiling)
        case Flatten():
            return _compile_entity_fetch((node,), compiling)
        case BatchFetch():
            return _compile_entity_fetch(node.entries, compiling)
    assert_never(node)


def _compile_entity_fetch(nodes: Sequence[Flatten], compiling: Compiling) -> Runnable:
    contextual = any(node.fetch.contexts for node in nodes)
    return _ContextualFetch(nodes, compiling) if contextual else _EntityFetch(nodes, compiling)


def _sequence(nodes: Sequence[Runnable]) -> Runnable:
    async def run(state: Run) -> None:
        for node in nodes:
            await node(state)

    return run


def _parallel(nodes: Sequence[Runnable]) -> Runnable:
    async def run(state: Run) -> None:
        async with asyncio.TaskGroup() as group:
            for node in nodes:
                group.create_task(_started(node, state))

    return run


async def _started(node: Runnable, state: Run) -> None:
    await node(state)


def _condition(condition: Condition, node: Runnable) -> Runnable:
    async def run(state: Run) -> None:
        if state.variables.get(condition.variable) is condition.value:
            await node(state)

    return run


class _RootFetch:
    """Asks a root type and merges at the root of the data."""

    def __init__(self, fetch: Fetch, compiling: Compiling) -> None:
        self._subgraph = fetch.subgraph
        self._body = root_body(fetch, compiling.fetches.next(fetch.subgraph))
        self._shape = shape_of(fetch.output)
        self._names = compiling.names

    async def __call__(self, run: Run) -> None:
        data, errors = await run.fetch(self._subgraph, self._body.encode(run.variables))
        if data is None:
            errors = without_data(run, [run.data], self._shape, errors)
        else:
            merge(run.data, data)
        run.errors += (anchored(error, (), error.get("path"), self._names) for error in errors)


class _NestedFetch:
    """Asks a root type and merges at a path, where a field leads back to that type."""

    def __init__(self, node: Flatten, compiling: Compiling) -> None:
        self._path = node.path
        self._subgraph = node.fetch.subgraph
        self._body = root_body(node.fetch, compiling.fetches.next(self._subgraph))
        self._shape = shape_of(node.fetch.output)
        self._names = compiling.names

    async def __call__(self, run: Run) -> None:
        objects = collect(run.data, self._path)
        if not objects:
            return
        at = list(places(run.data, self._path))
        data, errors = await run.fetch(self._subgraph, self._body.encode(run.variables))
        if data is None:
            errors = without_data(run, objects, self._shape, errors)
        else:
            for each in objects:
                merge(each, copied(data) if run.apart else data)
        for error in errors:
            run.errors += (anchored(error, place, error.get("path"), self._names) for place in at)


class _EntityFetch:
    """Asks about entities of one or several places of the data, in one request if they are not too many."""

    def __init__(self, nodes: Sequence[Flatten], compiling: Compiling) -> None:
        self._subgraph = nodes[0].fetch.subgraph
        name = compiling.fetches.next(self._subgraph)
        self._body: RequestBody = entities_body([node.fetch for node in nodes], name)
        self._paths = [node.path for node in nodes]
        self._conditions = [node.conditions for node in nodes]
        self._presenters = [presenter(node.fetch.representations) for node in nodes]
        self._shapes = [shape_of(node.fetch.output) for node in nodes]
        self._names = compiling.names

    async def __call__(self, run: Run) -> None:
        batches = [
            Batch(collect(run.data, path) if hold(conditions, run.variables) else [], present(run.variables))
            for path, conditions, present in zip(self._paths, self._conditions, self._presenters, strict=True)
        ]
        for batch, shape in zip(batches, self._shapes, strict=True):
            _note_unpresented(run, batch, shape)
        asked = sum(len(batch.representations) for batch in batches)
        if asked > MAX_REPRESENTATIONS:
            async with asyncio.TaskGroup() as group:
                for portion in portions(batches, MAX_REPRESENTATIONS):
                    group.create_task(self._ask(run, portion))
        elif asked:
            await self._ask(run, batches)

    async def _ask(self, run: Run, batches: Sequence[Batch]) -> None:
        encoded = (batch.encoded() for batch in batches)
        presented = list(zip(self._body.representations, encoded, strict=True))
        data, errors = await run.fetch(self._subgraph, self._body.encode(run.variables, presented))
        parts = list(map(_Part, batches, self._paths, self._shapes))
        _scatter(run, data, errors, parts, self._names)


class _ContextualFetch:
    """Asks about entities once for each value of their contextual arguments, in one request."""

    def __init__(self, nodes: Sequence[Flatten], compiling: Compiling) -> None:
        self._subgraph = nodes[0].fetch.subgraph
        self._grouping = Grouping(nodes, compiling.fetches.next(self._subgraph))
        self._shapes = [shape_of(node.fetch.output) for node in nodes]
        self._names = compiling.names

    async def __call__(self, run: Run) -> None:
        found = self._grouping.groups(run.data, run.variables)
        for group in found:
            _note_unpresented(run, group.batch, self._shapes[group.entry])
            if not group.complete:
                asked = group.batch.waiting_for(range(len(group.batch.waiting)))
                run.absent(asked, self._shapes[group.entry], [NO_CONTEXT])
        groups = [group for group in found if group.complete and group.batch.representations]
        if not groups:
            return
        document = self._grouping.document(groups)
        body = document.encode(run.variables, self._grouping.variables(groups, document))
        data, errors = await run.fetch(self._subgraph, body)
        parts = [_Part(group.batch, group.path, self._shapes[group.entry]) for group in groups]
        _scatter(run, data, errors, parts, self._names)


class _Part(NamedTuple):
    """One of the entity fetches that were sent together."""

    batch: Batch
    path: FetchPath
    shape: Shape


def without_data(run: Run, objects: Sequence[Object], shape: Shape, errors: Errors) -> Errors:
    """Notes what errors have kept from coming; those that name their own place are left."""
    placed = [error for error in errors if isinstance(error.get("path"), list) and error["path"]]
    run.absent(objects, shape, [error for error in errors if error not in placed] or None)
    return placed


def _note_unpresented(run: Run, batch: Batch, shape: Shape) -> None:
    if batch.unpresented:
        lacking = [batch.objects[index] for index in batch.unpresented]
        run.absences.append(Absence(lacking, shape, dependent=True))


def _scatter(
    run: Run, data: Object | None, errors: Errors, parts: Sequence[_Part], names: ResponseNames
) -> None:
    """Merges what a subgraph says of entities, and notes its errors at every place that they concern."""
    placed, unplaced = _by_entity(errors, parts)
    told = False
    for index, part in enumerate(parts):
        entities = (data or {}).get(entities_key(index))
        for position in part.batch.scatter(entities, apart=run.apart):
            own = placed.pop((index, position), [])
            shown = [error for error in own if _names_a_field(part.path, error, names)]
            run.errors += _anchored_at(run, part, position, shown, names)
            # An error that names no field of the client is one of all that the entity lacks.
            reasons: Errors | None = [error for error in own if error not in shown]
            if not own:
                reasons = unplaced or ([] if _is_null(entities, position) else None)
                told = True
            run.absent(part.batch.waiting_for([position]), part.shape, reasons)
    for (index, position), own in placed.items():
        run.errors += _anchored_at(run, parts[index], position, own, names)
    if unplaced and not told:
        starts = dict.fromkeys(_static_start(part.path) for part in parts)
        run.errors += (anchored(error, start, [], names) for error in unplaced for start in starts)


def _by_entity(errors: Errors, parts: Sequence[_Part]) -> tuple[dict[tuple[int, int], Errors], Errors]:
    """The errors of single entities, by fetch and position, and those that name none."""
    placed: dict[tuple[int, int], Errors] = {}
    unplaced: Errors = []
    if not errors:
        return placed, unplaced
    keys = {entities_key(index): index for index in range(len(parts))}
    for error in errors:
        match error.get("path"):
            case [str(key), int(position), *_] if key in keys:
                index = keys[key]
                if 0 <= position < len(parts[index].batch.waiting):
                    placed.setdefault((index, position), []).append(error)
                    continue
        unplaced.append(error)
    return placed, unplaced


def _names_a_field(path: FetchPath, error: Mapping[str, Any], names: ResponseNames) -> bool:
    keys = tuple(each for each in path if isinstance(each, str) and each != LIST)
    below = error["path"][2:3]
    return bool(below) and isinstance(below[0], str) and names.shown_as(keys, below[0]) is not None


def _is_null(entities: Any, position: int) -> bool:
    return isinstance(entities, list) and position < len(entities) and entities[position] is None


def _anchored_at(
    run: Run, part: _Part, position: int, errors: Errors, names: ResponseNames
) -> Iterator[dict[str, Any]]:
    if not errors:
        return
    at = list(places(run.data, part.path))
    for error in errors:
        for each in part.batch.waiting[position]:
            yield anchored(error, at[each], error["path"][2:], names)


def described(error: Mapping[str, Any]) -> dict[str, Any]:
    """A subgraph's error as the client reads it, but for its place; it may be anything."""
    shown: dict[str, Any] = {"message": str(error.get("message", "The service reported an error."))}
    extensions = error.get("extensions")
    if isinstance(extensions, dict) and extensions:
        shown["extensions"] = extensions
    return shown


def anchored(
    error: Mapping[str, Any], place: ResponsePath, below: Any, names: ResponseNames
) -> dict[str, Any]:
    """A subgraph's error as the client reads it: its path starts at the root and has the client's names.

    What is below the place is what the subgraph says, so it may be anything.
    """
    shown = described(error)
    steps = below if isinstance(below, list) else []
    if place or steps:
        shown["path"] = _shown_path((*place, *steps), names)
    return shown


def _shown_path(path: ResponsePath, names: ResponseNames) -> list[str | int]:
    shown: list[str | int] = []
    keys: tuple[str, ...] = ()
    for segment in path:
        if isinstance(segment, int):
            shown.append(segment)
            continue
        if not isinstance(segment, str):
            break
        name = names.shown_as(keys, segment)
        if name is None:
            break
        shown.append(name)
        keys = (*keys, segment)
    return shown


def _static_start(path: FetchPath) -> ResponsePath:
    """The part of a path before anything depends on the data."""
    start: list[str] = []
    for segment in path:
        if segment == LIST or isinstance(segment, Narrowing):
            break
        start.append(segment)
    return tuple(start)
