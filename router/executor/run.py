"""Run a plan: each node becomes a coroutine function that fetches and merges into the shared data."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, assert_never

from router.executor.contexts import Group, Grouping
from router.executor.documents import (
    RequestBody,
    entities_body,
    entities_key,
    root_body,
)
from router.executor.entities import Batch, Object, ResponsePath, collect, copied, merge, places, presenter
from router.executor.transport import RequestContext, Transport
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
from router.selections import hold

NO_CONTEXT = {"message": "An argument needs a value from the context, which has none."}


@dataclass(slots=True)
class Run:
    """One run of an operation: the data merged so far, and what went wrong.

    With `apart`, places that are given the same answer do not share its objects.
    """

    variables: Mapping[str, Any]
    transport: Transport
    context: RequestContext
    data: Object
    errors: list[dict[str, Any]]
    apart: bool = False

    async def fetch(self, subgraph: str, body: bytes) -> tuple[Object, list[dict[str, Any]]]:
        """A subgraph's answer: its data, empty if there is none, and its errors."""
        response = await self.transport.fetch(subgraph, body, self.context)
        data, errors = response.get("data"), response.get("errors")
        return data if isinstance(data, dict) else {}, errors if isinstance(errors, list) else []


Runnable: TypeAlias = Callable[[Run], Awaitable[None]]


def compile_node(node: PlanNode, names: ResponseNames) -> Runnable:
    """The node as a function of a run."""
    match node:
        case SequenceNode():
            return _sequence([compile_node(each, names) for each in node.nodes])
        case Parallel():
            return _parallel([compile_node(each, names) for each in node.nodes])
        case Condition():
            return _condition(node, compile_node(node.node, names))
    return _compile_fetch(node, names)


def _compile_fetch(node: Fetch | Flatten | BatchFetch, names: ResponseNames) -> Runnable:
    match node:
        case Fetch():
            return _RootFetch(node, names)
        case Flatten(fetch=Fetch(representations=())):
            return _NestedFetch(node, names)
        case Flatten():
            return _compile_entity_fetch((node,), names)
        case BatchFetch():
            return _compile_entity_fetch(node.entries, names)
    assert_never(node)


def _compile_entity_fetch(nodes: Sequence[Flatten], names: ResponseNames) -> Runnable:
    contextual = any(node.fetch.contexts for node in nodes)
    return _ContextualFetch(nodes, names) if contextual else _EntityFetch(nodes, names)


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

    def __init__(self, fetch: Fetch, names: ResponseNames) -> None:
        self._subgraph = fetch.subgraph
        self._body = root_body(fetch)
        self._names = names

    async def __call__(self, run: Run) -> None:
        data, errors = await run.fetch(self._subgraph, self._body.filled(run.variables))
        merge(run.data, data)
        run.errors += (anchored(error, (), error.get("path"), self._names) for error in errors)


class _NestedFetch:
    """Asks a root type and merges at a path, where a field leads back to that type."""

    def __init__(self, node: Flatten, names: ResponseNames) -> None:
        self._path = node.path
        self._subgraph = node.fetch.subgraph
        self._body = root_body(node.fetch)
        self._names = names

    async def __call__(self, run: Run) -> None:
        objects = collect(run.data, self._path)
        if not objects:
            return
        at = list(places(run.data, self._path))
        data, errors = await run.fetch(self._subgraph, self._body.filled(run.variables))
        for each in objects:
            merge(each, copied(data) if run.apart else data)
        for error in errors:
            run.errors += (anchored(error, place, error.get("path"), self._names) for place in at)


class _EntityFetch:
    """Asks about entities, of one place of the data or of several, in one request."""

    def __init__(self, nodes: Sequence[Flatten], names: ResponseNames) -> None:
        self._subgraph = nodes[0].fetch.subgraph
        self._body: RequestBody = entities_body([node.fetch for node in nodes])
        self._paths = [node.path for node in nodes]
        self._conditions = [node.conditions for node in nodes]
        self._presenters = [presenter(node.fetch.representations) for node in nodes]
        self._names = names

    async def __call__(self, run: Run) -> None:
        batches = [
            Batch(collect(run.data, path) if hold(conditions, run.variables) else [], present(run.variables))
            for path, conditions, present in zip(self._paths, self._conditions, self._presenters, strict=True)
        ]
        if not any(batch.representations for batch in batches):
            return
        encoded = (batch.encoded() for batch in batches)
        presented = list(zip(self._body.representations, encoded, strict=True))
        data, errors = await run.fetch(self._subgraph, self._body.filled(run.variables, presented))
        _scatter(run, data, errors, batches, self._paths, self._names)


class _ContextualFetch:
    """Asks about entities once for each value of their contextual arguments, in one request."""

    def __init__(self, nodes: Sequence[Flatten], names: ResponseNames) -> None:
        self._subgraph = nodes[0].fetch.subgraph
        self._grouping = Grouping(nodes)
        self._names = names

    async def __call__(self, run: Run) -> None:
        found = self._grouping.groups(run.data, run.variables)
        for group in found:
            if not group.complete:
                run.errors += self._unanswered(run, group)
        groups = [group for group in found if group.complete]
        if not groups:
            return
        document = self._grouping.document(groups)
        body = document.filled(run.variables, self._grouping.variables(groups, document))
        data, errors = await run.fetch(self._subgraph, body)
        batches, paths = [group.batch for group in groups], [group.path for group in groups]
        _scatter(run, data, errors, batches, paths, self._names)

    def _unanswered(self, run: Run, group: Group) -> Iterator[dict[str, Any]]:
        at = list(places(run.data, group.path))
        for each in (index for waiting in group.batch.waiting for index in waiting):
            yield anchored(NO_CONTEXT, at[each], [], self._names)


def _scatter(
    run: Run,
    data: Object,
    errors: list[dict[str, Any]],
    batches: list[Batch],
    paths: list[FetchPath],
    names: ResponseNames,
) -> None:
    """Merges what a subgraph says of entities, and notes its errors at every place that they concern."""
    for error in errors:
        run.errors += _anchored_in(run, error, batches, paths, names)
    for index, batch in enumerate(batches):
        batch.scatter(data.get(entities_key(index)), apart=run.apart)


def _anchored_in(
    run: Run,
    error: Mapping[str, Any],
    batches: list[Batch],
    paths: list[FetchPath],
    names: ResponseNames,
) -> list[dict[str, Any]]:
    match error.get("path"):
        case [str(key), int(position), *below]:
            keys = [entities_key(index) for index in range(len(batches))]
            if key in keys and 0 <= position < len(batches[keys.index(key)].waiting):
                index = keys.index(key)
                at = list(places(run.data, paths[index]))
                waiting = batches[index].waiting[position]
                return [anchored(error, at[each], below, names) for each in waiting]
    starts = dict.fromkeys(_static_start(path) for path in paths)
    return [anchored(error, start, [], names) for start in starts]


def anchored(
    error: Mapping[str, Any], place: ResponsePath, below: Any, names: ResponseNames
) -> dict[str, Any]:
    """A subgraph's error as the client reads it: its path starts at the root and has the client's names.

    What is below the place is what the subgraph says, so it may be anything.
    """
    shown: dict[str, Any] = {"message": str(error.get("message", "The service reported an error."))}
    steps = below if isinstance(below, list) else []
    if place or steps:
        shown["path"] = _shown_path((*place, *steps), names)
    extensions = error.get("extensions")
    if isinstance(extensions, dict) and extensions:
        shown["extensions"] = extensions
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
