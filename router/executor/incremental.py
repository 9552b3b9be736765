"""Incremental delivery: the initial response, and then payloads with deferred fields as they are fetched.

The format is that of the GraphQL specification's proposal: `pending` announces deferred fragments by id,
`incremental` has data for them, `completed` ends them, `hasNext` says whether more follows. A fragment
within another one is announced when that one has completed. `{ me { id ... @defer { email } } }` gives

    {"data": {"me": {"id": "7"}}, "pending": [{"id": "0", "path": ["me"]}], "hasNext": true}
    {"incremental": [{"id": "0", "data": {"email": "a@b.c"}}], "completed": [{"id": "0"}], "hasNext": false}

Execution groups are fetched concurrently. A fragment is complete when all groups with fields of it are.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count
from typing import Any, TypeAlias

from router.executor.entities import ResponsePath
from router.executor.locations import Locations, add_locations
from router.executor.response_builder import (
    MAX_FIELDS_PER_ITERATION,
    DeferredObject,
    ResponseBuilder,
    list_path,
    project_in_thread_if_large,
)
from router.executor.run import Run, Runnable
from router.executor.subgraph_errors import Errors
from router.operation.deferral import DeferUsage, ExecutionGroup

DeferredFetches: TypeAlias = Mapping[ExecutionGroup, Runnable | None]
"""The fetches of each execution group; None where earlier fetches have returned its fields."""


@dataclass(frozen=True, slots=True)
class DeliveryGroup:
    """A deferred fragment of one object of the response."""

    usage: DeferUsage
    path: ResponsePath


@dataclass(slots=True)
class Payload:
    """One payload under construction."""

    pending: list[dict[str, Any]] = field(default_factory=list)
    incremental: list[dict[str, Any]] = field(default_factory=list)
    completed: list[dict[str, Any]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.pending or self.incremental or self.completed)

    def serialize(self, *, has_next: bool) -> dict[str, Any]:
        """The payload as it is sent."""
        parts = {"pending": self.pending, "incremental": self.incremental, "completed": self.completed}
        return {**{name: part for name, part in parts.items() if part}, "hasNext": has_next}


class Delivery:
    """The delivery of one response; `run` has the data of the initial response."""

    def __init__(self, groups: DeferredFetches, run: Run, locations: Locations) -> None:
        self._run = run
        self._locations = locations
        self._groups = groups
        self._usages = frozenset(usage for group in groups for usage in group.usages)
        self._objects: defaultdict[ExecutionGroup, list[DeferredObject]] = defaultdict(list)
        self._running: dict[asyncio.Task[Run], ExecutionGroup] = {}
        self._started: set[ExecutionGroup] = set()
        self._finished: set[ExecutionGroup] = set()
        self._ids = count()
        self._pending: dict[DeliveryGroup, str] = {}
        self._failed: set[DeliveryGroup] = set()
        self._ended: set[DeferUsage] = set()

    async def deliver(
        self, data: dict[str, Any], response: ResponseBuilder
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The initial response and all later payloads; closing the iterator cancels fetches in progress."""
        self._register(response.deferred, data, ())
        payload = Payload()
        self._advance(payload)
        first = {"data": data, **({"errors": response.errors} if response.errors else {})}
        try:
            yield first | payload.serialize(has_next=True) if self._pending else first
            while self._pending:
                done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                payload = Payload()
                for task in done:
                    await self._complete_group(self._running.pop(task), task.result(), payload)
                self._advance(payload)
                if payload:
                    yield payload.serialize(has_next=bool(self._pending))
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    def _register(self, objects: Iterable[DeferredObject], data: dict[str, Any], at: ResponsePath) -> None:
        """Registers deferred objects of the data at a path that null propagation has not removed."""
        for each in objects:
            if _exists(data, list_path(each.path)[len(at) :]):
                self._objects[each.group].append(each)

    def _advance(self, payload: Payload) -> None:
        """Completes fragments, and announces and starts those that can now be fetched."""
        while complete_usages := [usage for usage in self._usages - self._ended if self._is_complete(usage)]:
            self._ended.update(complete_usages)
        for fragment in [each for each in self._pending if each.usage in self._ended]:
            payload.completed.append({"id": self._pending.pop(fragment)})
        for group, objects in self._objects.items():
            if group in self._finished or not any(map(self._is_released, group.usages)):
                continue
            for each in objects:
                self._announce(each, payload)
            if group not in self._started:
                self._started.add(group)
                self._running[asyncio.create_task(self._fetch_group(group))] = group

    def _is_complete(self, usage: DeferUsage) -> bool:
        """Whether all groups of a fragment are settled, for all objects."""
        groups = [group for group in self._groups if usage in group.usages]
        return self._is_released(usage) and all(map(self._is_settled, groups))

    def _is_settled(self, group: ExecutionGroup | None) -> bool:
        """Whether a group is fetched, or no object can need it any more."""
        if group is None or group in self._finished:
            return True
        return group not in self._objects and self._is_settled(group.parent)

    def _is_released(self, usage: DeferUsage) -> bool:
        """Whether all fragments around a fragment have completed, so that it may be announced."""
        return all(each in self._ended for each in self._iterate_enclosing_usages(usage))

    def _iterate_enclosing_usages(self, usage: DeferUsage) -> Iterator[DeferUsage]:
        while (parent := usage.parent) is not None:
            usage = parent
            if usage in self._usages:
                yield usage

    def _announce(self, each: DeferredObject, payload: Payload) -> None:
        path = tuple(list_path(each.path))
        for fragment in _find_fragments(each.group, path):
            is_known = fragment in self._pending or fragment in self._failed
            if is_known or fragment.usage in self._ended or not self._is_released(fragment.usage):
                continue
            if any(
                DeliveryGroup(outer, _find_fragment_path(path, outer)) in self._failed
                for outer in self._iterate_enclosing_usages(fragment.usage)
            ):
                self._failed.add(fragment)
                continue
            self._pending[fragment] = name = str(next(self._ids))
            label = fragment.usage.label
            notice = {"id": name, "path": [*fragment.path]}
            payload.pending.append(notice if label is None else notice | {"label": label})

    async def _fetch_group(self, group: ExecutionGroup) -> Run:
        """Runs the fetches of a group; errors are collected in a run of its own."""
        run = replace(self._run, errors=[], absences=[*self._run.absences])
        if node := self._groups[group]:
            await node(run)
        return run

    async def _complete_group(self, group: ExecutionGroup, run: Run, payload: Payload) -> None:
        self._finished.add(group)
        fields_left: float = MAX_FIELDS_PER_ITERATION
        for each in self._objects[group]:
            path = tuple(list_path(each.path))
            fragments = [fragment for fragment in _find_fragments(group, path) if fragment in self._pending]
            if not fragments:
                continue
            errors = list(_select_errors(run.errors, path))
            build_response = partial(ResponseBuilder, run.variables, errors, run.absences)
            data, response = await project_in_thread_if_large(each.project, build_response, fields_left)
            fields_left = min(response.fields_left, MAX_FIELDS_PER_ITERATION)
            add_locations(response.errors, self._locations)
            if data is None:
                self._fail_fragments(fragments, response.errors, payload)
            else:
                self._register(response.deferred, data, path)
                payload.incremental.append(self._build_result(fragments, path, data, response.errors))

    def _fail_fragments(self, fragments: Iterable[DeliveryGroup], errors: Errors, payload: Payload) -> None:
        for fragment in fragments:
            self._failed.add(fragment)
            payload.completed.append({"id": self._pending.pop(fragment), "errors": errors})

    def _build_result(
        self, fragments: Iterable[DeliveryGroup], path: ResponsePath, data: dict[str, Any], errors: Errors
    ) -> dict[str, Any]:
        """The data of one object as a result for the innermost of its fragments."""
        nearest = max(fragments, key=lambda fragment: len(fragment.path))
        result: dict[str, Any] = {"id": self._pending[nearest]}
        if below := path[len(nearest.path) :]:
            result["subPath"] = [*below]
        return result | {"data": data} | ({"errors": errors} if errors else {})


def _find_fragments(group: ExecutionGroup, path: ResponsePath) -> list[DeliveryGroup]:
    """The deferred fragments to which a group's fields of the object at a path belong."""
    return [DeliveryGroup(usage, _find_fragment_path(path, usage)) for usage in group.ordered_usages]


def _find_fragment_path(path: ResponsePath, usage: DeferUsage) -> ResponsePath:
    """The part of a path that leads to the object with the deferred fragment."""
    names = [index for index, segment in enumerate(path) if isinstance(segment, str)]
    below = names[len(usage.path) :]
    return path[: below[0]] if below else path


def _exists(data: Any, path: Iterable[str | int]) -> bool:
    for segment in path:
        data = data[segment]
        if data is None:
            return False
    return True


def _select_errors(errors: Errors, path: ResponsePath) -> Iterator[dict[str, Any]]:
    """The errors at or below an object's path, and those above, which are reported at the object."""
    for error in errors:
        at = tuple(error.get("path") or ())
        if at[: len(path)] == path:
            yield error
        elif path[: len(at)] == at:
            yield error | {"path": [*path]}
