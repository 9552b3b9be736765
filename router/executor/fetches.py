"""Fetches: each sends one request to one subgraph and merges the response into the data of a run."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple

from router.executor.absence import Absence, Shape, build_shape
from router.executor.context_groups import ContextGrouping
from router.executor.documents import build_entities_request, build_root_request, get_entities_response_name
from router.executor.entities import (
    Batch,
    Object,
    collect,
    compile_representer,
    copy_json,
    find_paths,
    merge,
    split_batches,
)
from router.executor.run import Run
from router.executor.subgraph_errors import (
    Errors,
    anchor_error,
    find_static_prefix,
    group_by_entity,
    has_client_field,
)
from router.operation.conditions import are_met
from router.planner.names import ResponseNames
from router.planner.plan import FetchNode, FetchPath, FlattenNode
from router.transport.request_body import RequestBody

# A client's operation name is bounded only by the length of its document.
MAX_NAME_LENGTH = 100
# A subgraph takes some milliseconds to complete this many, and everything else there waits meanwhile.
MAX_REPRESENTATIONS = 500
_INVALID_NAME_CHARACTER = re.compile(r"[^0-9A-Za-z_]")
MISSING_CONTEXT = {"message": "An argument needs a value from the context, which has none."}


class FetchNames:
    """The operation names of fetches: `{operation}__{subgraph}__{number}`, as Apollo's router names them.

    The fetches of an operation without a name have none.
    """

    def __init__(self, operation: str | None) -> None:
        self._operation = operation and operation[:MAX_NAME_LENGTH]
        self._numbers = count()

    def assign(self, subgraph: str) -> str:
        """The name of the next fetch."""
        if self._operation is None:
            return ""
        return f"{self._operation}__{_INVALID_NAME_CHARACTER.sub('_', subgraph)}__{next(self._numbers)}"


@dataclass(frozen=True, slots=True)
class CompileContext:
    """What all nodes of one plan are compiled with.

    `root` leads from the data of a run to the roots of the plan's paths, of which events have several.
    """

    names: ResponseNames
    fetch_names: FetchNames
    root: FetchPath = ()


class RootFetch:
    """Selects fields of a root type, and merges them into the root of the data."""

    def __init__(self, fetch: FetchNode, context: CompileContext) -> None:
        self._subgraph = fetch.subgraph
        self._body = build_root_request(fetch, context.fetch_names.assign(fetch.subgraph))
        self._shape = build_shape(fetch.output)
        self._names = context.names

    async def __call__(self, run: Run) -> None:
        """Runs the fetch."""
        data, errors = await run.fetch(self._subgraph, self._body.encode(run.variables))
        if data is None:
            errors = run.record_missing_data([run.data], self._shape, errors)
        else:
            merge(run.data, data)
        run.errors += (anchor_error(error, (), error.get("path"), self._names) for error in errors)


class NestedRootFetch:
    """Selects fields of a root type for a field that returns it, and merges them into its objects."""

    def __init__(self, node: FlattenNode, context: CompileContext) -> None:
        self._path = node.path
        self._subgraph = node.fetch.subgraph
        self._body = build_root_request(node.fetch, context.fetch_names.assign(self._subgraph))
        self._shape = build_shape(node.fetch.output)
        self._names = context.names

    async def __call__(self, run: Run) -> None:
        """Runs the fetch."""
        objects = collect(run.data, self._path)
        if not objects:
            return
        paths = list(find_paths(run.data, self._path))
        data, errors = await run.fetch(self._subgraph, self._body.encode(run.variables))
        if data is None:
            errors = run.record_missing_data(objects, self._shape, errors)
        else:
            for each in objects:
                merge(each, copy_json(data) if run.is_contextual else data)
        for error in errors:
            run.errors += (anchor_error(error, path, error.get("path"), self._names) for path in paths)


class EntityFetch:
    """Fetches entities for one or several paths of the data, in one request if they are not too many."""

    def __init__(self, nodes: Sequence[FlattenNode], context: CompileContext) -> None:
        self._subgraph = nodes[0].fetch.subgraph
        name = context.fetch_names.assign(self._subgraph)
        self._body: RequestBody = build_entities_request([node.fetch for node in nodes], name)
        self._paths = [node.path for node in nodes]
        self._conditions = [node.conditions for node in nodes]
        self._representers = [compile_representer(node.fetch.representations) for node in nodes]
        self._shapes = [build_shape(node.fetch.output) for node in nodes]
        self._names = context.names

    async def __call__(self, run: Run) -> None:
        """Runs the fetch."""
        batches = [
            Batch(
                collect(run.data, path) if are_met(conditions, run.variables) else [],
                represent(run.variables),
            )
            for path, conditions, represent in zip(
                self._paths, self._conditions, self._representers, strict=True
            )
        ]
        for batch, shape in zip(batches, self._shapes, strict=True):
            _record_unrepresented(run, batch, shape)
        total = sum(len(batch.representations) for batch in batches)
        if total > MAX_REPRESENTATIONS:
            async with asyncio.TaskGroup() as group:
                for slices in split_batches(batches, MAX_REPRESENTATIONS):
                    group.create_task(self._fetch(run, slices))
        elif total:
            await self._fetch(run, batches)

    async def _fetch(self, run: Run, batches: Sequence[Batch]) -> None:
        encoded = (batch.encode() for batch in batches)
        representations = list(zip(self._body.representations, encoded, strict=True))
        data, errors = await run.fetch(self._subgraph, self._body.encode(run.variables, representations))
        sent = list(map(_SentBatch, batches, self._paths, self._shapes))
        _merge_entities(run, data, errors, sent, self._names)


class ContextualEntityFetch:
    """Fetches entities once for each combination of values of their contextual arguments, in one request."""

    def __init__(self, nodes: Sequence[FlattenNode], context: CompileContext) -> None:
        self._subgraph = nodes[0].fetch.subgraph
        self._grouping = ContextGrouping(nodes, context.fetch_names.assign(self._subgraph))
        self._shapes = [build_shape(node.fetch.output) for node in nodes]
        self._names = context.names

    async def __call__(self, run: Run) -> None:
        """Runs the fetch."""
        found = self._grouping.find_groups(run.data, run.variables)
        for group in found:
            _record_unrepresented(run, group.batch, self._shapes[group.entry])
            if not group.is_complete:
                waiting = group.batch.select_waiting(range(len(group.batch.waiting)))
                run.record_absence(waiting, self._shapes[group.entry], [MISSING_CONTEXT])
        groups = [group for group in found if group.is_complete and group.batch.representations]
        if not groups:
            return
        document = self._grouping.get_document(groups)
        body = document.encode(run.variables, self._grouping.encode_variables(groups, document))
        data, errors = await run.fetch(self._subgraph, body)
        sent = [_SentBatch(group.batch, group.path, self._shapes[group.entry]) for group in groups]
        _merge_entities(run, data, errors, sent, self._names)


class _SentBatch(NamedTuple):
    """One of the batches in a request, the path of its objects, and the shape of what is fetched for them."""

    batch: Batch
    path: FetchPath
    shape: Shape


def _record_unrepresented(run: Run, batch: Batch, shape: Shape) -> None:
    """Records objects without a representation: they lack their fields because they lack inputs."""
    if batch.unrepresented:
        lacking = [batch.objects[index] for index in batch.unrepresented]
        run.absences.append(Absence(lacking, shape, is_dependent=True))


def _merge_entities(
    run: Run, data: Object | None, errors: Errors, sent: Sequence[_SentBatch], names: ResponseNames
) -> None:
    """Merges entities into the objects that wait for them, and records errors and absences at each object."""
    by_entity, others = group_by_entity(errors, [each.batch for each in sent])
    is_explained = False
    for index, each in enumerate(sent):
        entities = (data or {}).get(get_entities_response_name(index))
        for position in each.batch.scatter(entities, with_copies=run.is_contextual):
            own = by_entity.pop((index, position), [])
            of_fields = [error for error in own if has_client_field(each.path, error, names)]
            run.errors += _anchor_at_objects(run, each, position, of_fields, names)
            # An error that is about no field of the client explains all that the entity lacks.
            reasons: Errors | None = [error for error in own if error not in of_fields]
            if not own:
                reasons = others or ([] if _is_null(entities, position) else None)
                is_explained = True
            run.record_absence(each.batch.select_waiting([position]), each.shape, reasons)
    for (index, position), own in by_entity.items():
        run.errors += _anchor_at_objects(run, sent[index], position, own, names)
    if others and not is_explained:
        # All entities came, so the errors explain no missing field; they get the longest path known for them.
        prefixes = dict.fromkeys(find_static_prefix(each.path) for each in sent)
        run.errors += (anchor_error(error, prefix, [], names) for error in others for prefix in prefixes)


def _is_null(entities: Any, position: int) -> bool:
    return isinstance(entities, list) and position < len(entities) and entities[position] is None


def _anchor_at_objects(
    run: Run, sent: _SentBatch, position: int, errors: Errors, names: ResponseNames
) -> Iterator[dict[str, Any]]:
    """An entity's errors at each object that waits for it."""
    if not errors:
        return
    paths = list(find_paths(run.data, sent.path))
    for error in errors:
        for index in sent.batch.waiting[position]:
            yield anchor_error(error, paths[index], error["path"][2:], names)
