"""The response builder: the errors of a response, and its objects with deferred fields."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from router.executor.absence import Absence, AbsentFields, index_absent_fields
from router.operation.deferral import ExecutionGroup
from router.operation.selections import TYPENAME

# This many fields are projected in about two milliseconds.
MAX_FIELDS_PER_ITERATION = 10_000
# A field is compiled in the time in which this many are projected.
FIELDS_PER_COMPILED_FIELD = 200

ResultT = TypeVar("ResultT")

# A response path as a linked list of (parent, key): one step deeper costs one tuple.
LinkedPath: TypeAlias = tuple[Any, str | int] | None
CompleteObject: TypeAlias = "Callable[[Any, LinkedPath, ResponseBuilder], Any]"
"""Completes the object at a path."""


class TooManyFieldsError(Exception):
    """The response has more fields than may be projected in one iteration of the event loop."""


class ResponseBuilder:
    """A response under construction; `errors` and `deferred` are filled while the data is projected.

    `fields_left` is the number of fields of list items that may still be projected; single objects have few.
    `variants` are the completions of objects that depend on the variables, each by an identity of its own.
    """

    __slots__ = (
        "_absences",
        "_absent_fields",
        "_error_paths",
        "deferred",
        "errors",
        "fields_left",
        "variables",
        "variants",
    )

    def __init__(
        self,
        variables: Mapping[str, Any],
        errors: Iterable[dict[str, Any]] = (),
        absences: Sequence[Absence] = (),
        fields_left: float = math.inf,
    ) -> None:
        self.variables = variables
        self.variants: dict[object, CompleteObject] = {}
        self.fields_left = fields_left
        self.errors = [*errors]
        self.deferred: list[DeferredObject] = []
        self._absences = absences
        self._absent_fields: AbsentFields | None = None
        self._error_paths: _ErrorPaths | None = None

    def count_fields(self, count: int) -> None:
        """Counts fields that are to be projected.

        Raises:
            TooManyFieldsError: there are more than `fields_left`.
        """
        self.fields_left -= count
        if self.fields_left < 0:
            raise TooManyFieldsError

    def count_compiled_fields(self, count: int) -> None:
        """Counts fields whose completion is to be compiled, by the time that takes.

        Raises:
            TooManyFieldsError: it would take longer than what is left.
        """
        self.count_fields(count * FIELDS_PER_COMPILED_FIELD)

    def add_error(self, message: str, path: LinkedPath) -> None:
        """Adds an error at a path, unless another error explains it already."""
        listed = list_path(path)
        if not self._get_error_paths().covers(listed):
            self._add({"message": message, "path": listed})

    def complete_absent(self, value: Any, key: str, typename: str, path: tuple[LinkedPath, str]) -> Any:
        """Null for a field that an object lacks, with an error unless a fetch says why it is absent."""
        if not self.explain_absence(value, key, path) and key != TYPENAME:
            self.add_error(f"The service sent nothing for {typename}.{path[1]}.", path)
        return None

    def explain_absence(self, value: Any, key: str, path: LinkedPath) -> bool:
        """Whether a fetch says why an object lacks a field; its errors are added at the field's path."""
        if self._absent_fields is None:
            self._absent_fields = index_absent_fields(self._absences)
        errors = self._absent_fields.get((id(value), key))
        for error in errors or ():
            self._add({**error, "path": list_path(path)})
        return errors is not None

    def _add(self, error: dict[str, Any]) -> None:
        self._get_error_paths().add(error["path"])
        self.errors.append(error)

    def _get_error_paths(self) -> _ErrorPaths:
        if self._error_paths is None:
            self._error_paths = _ErrorPaths(self.errors)
        return self._error_paths


async def project_in_thread_if_large(
    project: Callable[[ResponseBuilder], ResultT],
    build_response: Callable[[float], ResponseBuilder],
    fields_left: float = MAX_FIELDS_PER_ITERATION,
) -> tuple[ResultT, ResponseBuilder]:
    """The result of `project` and the response that it has filled; a large one is projected in a thread.

    Its size shows only during projection, because one entity may occur at many paths. If it has more fields
    than `fields_left`, projection starts again in a thread, with a new response and without a limit.
    """
    response = build_response(fields_left)
    try:
        return project(response), response
    except TooManyFieldsError:
        response = build_response(math.inf)
        return await asyncio.to_thread(project, response), response


class _ErrorPaths:
    """The paths of errors; a lookup takes as many steps as the path is long."""

    def __init__(self, errors: Iterable[Mapping[str, Any]]) -> None:
        self._covers_all = False
        self._paths: set[tuple[str | int, ...]] = set()
        self._ancestors: set[tuple[str | int, ...]] = set()
        for error in errors:
            self.add(error.get("path"))

    def add(self, path: Sequence[str | int] | None) -> None:
        """Adds the path of an error; an error without one may explain anything."""
        if path is None:
            self._covers_all = True
            return
        self._paths.add(tuple(path))
        self._ancestors.update(tuple(path[:length]) for length in range(len(path)))

    def covers(self, path: Sequence[str | int]) -> bool:
        """Whether there is an error at, above or below a path."""
        if self._covers_all or tuple(path) in self._ancestors:
            return True
        return any(tuple(path[:length]) in self._paths for length in range(len(path) + 1))


@dataclass(frozen=True, slots=True)
class DeferredObject:
    """An object of the response with deferred fields of one execution group."""

    group: ExecutionGroup
    value: Any
    path: LinkedPath
    complete: CompleteObject

    def project(self, response: ResponseBuilder) -> dict[str, Any] | None:
        """The deferred fields, once they are fetched; None if a null among them propagates to the object."""
        projected: dict[str, Any] | None = self.complete(self.value, self.path, response)
        return projected


def list_path(path: LinkedPath) -> list[str | int]:
    """A linked path as a list."""
    keys: list[str | int] = []
    while path is not None:
        path, key = path
        keys.append(key)
    return keys[::-1]
