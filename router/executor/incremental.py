"""Incremental delivery: what `@defer` leaves for later is told piece by piece, as soon as it is there.

The form is that of the GraphQL specification's proposal: `pending` names deferred fragments by id,
`incremental` brings fields for them, `completed` ends them, `hasNext` tells whether more comes. A fragment
inside another is named when that one has ended.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, TypeAlias

from router.executor.answer import Answer, DeferredObject, path_of
from router.executor.entities import ResponsePath
from router.executor.locations import Locations, located
from router.executor.run import Run, Runnable
from router.operation.deferral import DeferUsage, ExecutionGroup

Groups: TypeAlias = Mapping[ExecutionGroup, Runnable | None]
"""What finds the fields of each group; nothing where earlier fetches bring them along."""
_Errors: TypeAlias = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class DeliveryGroup:
    """A deferred fragment of one object of the answer."""

    usage: DeferUsage
    path: ResponsePath


@dataclass(slots=True)
class Payload:
    """What is told at one time."""

    pending: list[dict[str, Any]] = field(default_factory=list)
    incremental: list[dict[str, Any]] = field(default_factory=list)
    completed: list[dict[str, Any]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.pending or self.incremental or self.completed)

    def told(self, *, has_next: bool) -> dict[str, Any]:
        """The payload as the client reads it."""
        parts = {"pending": self.pending, "incremental": self.incremental, "completed": self.completed}
        return {**{name: part for name, part in parts.items() if part}, "hasNext": has_next}


class Delivery:
    """The later part of one answer; `run` holds the data that the first part was made of."""

    def __init__(self, groups: Groups, run: Run, locations: Locations) -> None:
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

    async def payloads(self, data: dict[str, Any], answer: Answer) -> AsyncGenerator[dict[str, Any], None]:
        """The first answer, and then what comes later; closing the iterator ends what is under way."""
        self._expect(answer.deferred, data, ())
        payload = Payload()
        self._advance(payload)
        first = {"data": data, **({"errors": answer.errors} if answer.errors else {})}
        try:
            yield first | payload.told(has_next=True) if self._pending else first
            while self._pending:
                done, _ = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                payload = Payload()
                for task in done:
                    self._finish(self._running.pop(task), task.result(), payload)
                self._advance(payload)
                if payload:
                    yield payload.told(has_next=bool(self._pending))
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    def _expect(self, objects: Iterable[DeferredObject], data: dict[str, Any], at: ResponsePath) -> None:
        """Notes objects of the data at a path, but for those that a null above them has taken away."""
        for each in objects:
            if _stands(data, path_of(each.link)[len(at) :]):
                self._objects[each.group].append(each)

    def _advance(self, payload: Payload) -> None:
        """Ends the fragments that are whole, starts what others need, and names these."""
        while whole := [usage for usage in self._usages - self._ended if self._is_whole(usage)]:
            self._ended.update(whole)
        for fragment in [each for each in self._pending if each.usage in self._ended]:
            payload.completed.append({"id": self._pending.pop(fragment)})
        for group, objects in self._objects.items():
            if group in self._finished or not any(map(self._is_released, group.usages)):
                continue
            for each in objects:
                self._name(each, payload)
            if group not in self._started:
                self._started.add(group)
                self._running[asyncio.create_task(self._found(group))] = group

    def _is_whole(self, usage: DeferUsage) -> bool:
        """Whether nothing of a fragment is still to come, for any object."""
        groups = [group for group in self._groups if usage in group.usages]
        return self._is_released(usage) and all(map(self._is_settled, groups))

    def _is_settled(self, group: ExecutionGroup | None) -> bool:
        if group is None or group in self._finished:
            return True
        return group not in self._objects and self._is_settled(group.parent)

    def _is_released(self, usage: DeferUsage) -> bool:
        """Whether the fragment around a fragment has ended, so that this one may be named."""
        return all(each in self._ended for each in self._around(usage))

    def _around(self, usage: DeferUsage) -> Iterator[DeferUsage]:
        while (parent := usage.parent) is not None:
            usage = parent
            if usage in self._usages:
                yield usage

    def _name(self, each: DeferredObject, payload: Payload) -> None:
        path = tuple(path_of(each.link))
        for fragment in _fragments(each.group, path):
            known = fragment in self._pending or fragment in self._failed
            if known or fragment.usage in self._ended or not self._is_released(fragment.usage):
                continue
            if any(
                DeliveryGroup(outer, _cut(path, outer)) in self._failed
                for outer in self._around(fragment.usage)
            ):
                self._failed.add(fragment)
                continue
            self._pending[fragment] = name = str(next(self._ids))
            label = fragment.usage.label
            told = {"id": name, "path": [*fragment.path]}
            payload.pending.append(told if label is None else told | {"label": label})

    async def _found(self, group: ExecutionGroup) -> Run:
        """Fetches what a group lacks; what went wrong is noted in a run of its own."""
        run = replace(self._run, errors=[], absences=[*self._run.absences])
        if node := self._groups[group]:
            await node(run)
        return run

    def _finish(self, group: ExecutionGroup, run: Run, payload: Payload) -> None:
        self._finished.add(group)
        for each in self._objects[group]:
            path = tuple(path_of(each.link))
            fragments = [fragment for fragment in _fragments(group, path) if fragment in self._pending]
            if not fragments:
                continue
            answer = Answer(run.variables, list(_concerning(run.errors, path)), run.absences)
            data = each.project(answer)
            located(answer.errors, self._locations)
            if data is None:
                self._fail(fragments, answer.errors, payload)
            else:
                self._expect(answer.deferred, data, path)
                payload.incremental.append(self._told(fragments, path, data, answer.errors))

    def _fail(self, fragments: Iterable[DeliveryGroup], errors: _Errors, payload: Payload) -> None:
        for fragment in fragments:
            self._failed.add(fragment)
            payload.completed.append({"id": self._pending.pop(fragment), "errors": errors})

    def _told(
        self, fragments: Iterable[DeliveryGroup], path: ResponsePath, data: dict[str, Any], errors: _Errors
    ) -> dict[str, Any]:
        """Fields for the fragment that is nearest to them."""
        nearest = max(fragments, key=lambda fragment: len(fragment.path))
        told: dict[str, Any] = {"id": self._pending[nearest]}
        if below := path[len(nearest.path) :]:
            told["subPath"] = [*below]
        return told | {"data": data} | ({"errors": errors} if errors else {})


def _fragments(group: ExecutionGroup, path: ResponsePath) -> list[DeliveryGroup]:
    """The deferred fragments that the fields of an object at a path belong to."""
    return [DeliveryGroup(usage, _cut(path, usage)) for usage in group.ordered]


def _cut(path: ResponsePath, usage: DeferUsage) -> ResponsePath:
    """The part of a path that leads to the object that a fragment is deferred for."""
    names = [index for index, segment in enumerate(path) if isinstance(segment, str)]
    below = names[len(usage.path) :]
    return path[: below[0]] if below else path


def _stands(data: Any, path: Iterable[str | int]) -> bool:
    for segment in path:
        data = data[segment]
        if data is None:
            return False
    return True


def _concerning(errors: _Errors, path: ResponsePath) -> Iterator[dict[str, Any]]:
    """The errors of fetches at or below an object, and those above it, which there are its own."""
    for error in errors:
        at = tuple(error.get("path") or ())
        if at[: len(path)] == path:
            yield error
        elif path[: len(at)] == at:
            yield error | {"path": [*path]}
